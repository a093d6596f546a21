"""One folder, and many processes and threads at once: each follows the others, and none waits for
ever."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import licentia
import pytest
from licentia import Installation, Product
from vendor import DAY, ISSUED, LICENSE_ID, PRODUCT, Vendor

fcntl = pytest.importorskip("fcntl")

PROCESSES = 8
EACH = 40
METERS: list[dict[str, Any]] = [
    {"id": "reports"},
    {"id": "calls", "meter": "count", "per": "ever"},
    {"id": "later", "meter": "count", "per": "ever"},
    {"id": "users", "meter": "distinct", "days": 30},
    {"id": "few", "meter": "count", "per": "ever", "max": 100},
]
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture
def metered(installation: Installation, vendor: Vendor) -> Installation:
    installation.apply(vendor.license(features=METERS))
    return installation


def use(installation: Installation, number: int) -> int:
    """What one process does. Gives how much of `few` it was granted."""
    granted = 0
    for turn in range(EACH):
        assert "reports" in installation
        installation.record("calls", 1 + turn % 3)
        installation.record_later("later")
        installation.record_key("users", f"{number}-{turn % 5}")
        try:
            installation.record("few")
            granted += 1
        except licentia.LimitExceededError:
            pass
    return granted


def used_by_all(installation: Installation) -> dict[str, int]:
    return {one["id"]: installation.usage(one["id"]).used for one in METERS[1:]}


EXACT = {
    "calls": PROCESSES * sum(1 + turn % 3 for turn in range(EACH)),
    "later": PROCESSES * EACH,
    "users": PROCESSES * 5,
    "few": 100,
}


def in_children(work: Callable[[int], int], *, before_waiting: Callable[[], None]) -> list[int]:
    """Forks, does the work in each child, and gives what each came to."""
    pipes = []
    for number in range(PROCESSES):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            came_to = -1
            try:
                came_to = work(number)
            finally:
                os.write(write, b"%d" % came_to)
                os._exit(0)
        os.close(write)
        pipes.append((child, read))
    before_waiting()
    all_came_to = []
    for child, read in pipes:
        all_came_to.append(int(os.read(read, 20)))
        os.close(read)
        assert os.waitpid(child, 0)[1] == 0
    return all_came_to


@needs_fork
def test_opened_before_a_fork(product: Product, metered: Installation, directory: Path) -> None:
    """As with gunicorn --preload; the parent closes its own while the children go on."""
    metered.record_later("later", 5)
    granted = in_children(lambda number: use(metered, number), before_waiting=metered.close)
    assert sum(granted) == 100 and min(granted) >= 0, granted
    exact = {**EXACT, "later": EXACT["later"] + 5}
    assert used_by_all(metered) == exact
    assert used_by_all(product.open(directory)) == exact
    assert "few" not in metered, "the limit that the children reached is the parent's too"


@needs_fork
def test_the_parent_is_gone_and_the_children_go_on(metered: Installation, tmp_path: Path) -> None:
    """A child of a child works on after the process that opened has ended."""
    said = tmp_path / "said"
    middle = os.fork()
    if middle == 0:
        opener = os.getpid()
        if os.fork() == 0:
            while os.getppid() == opener:
                time.sleep(0.01)
            metered.record("calls", 7)
            said.with_suffix(".tmp").write_text(str(metered.usage("calls").used))
            said.with_suffix(".tmp").rename(said)
        os._exit(0)
    assert os.waitpid(middle, 0)[1] == 0
    for _ in range(1000):
        if said.exists():
            break
        time.sleep(0.01)
    assert said.read_text() == "7" and metered.usage("calls").used == 7


def work_elsewhere(keys: str, directory: str, number: int) -> int:
    with Product(PRODUCT, keys, clock=ISSUED).open(directory) as installation:
        return use(installation, number)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_pool_of_processes(
    metered: Installation, vendor: Vendor, directory: Path, method: str
) -> None:
    with multiprocessing.get_context(method).Pool(PROCESSES) as pool:
        arguments = [(vendor.keys(), str(directory), number) for number in range(PROCESSES)]
        granted = pool.starmap(work_elsewhere, arguments, chunksize=1)
    assert sum(granted) == 100
    assert used_by_all(metered) == EXACT


FORK_WHILE_BUSY = """
import os, sys, threading
import licentia
keys, directory, clock = sys.argv[1:]
product = licentia.Product("myapp", keys, clock=int(clock))
here = product.open(directory)
stop = threading.Event()

def work(number):
    while not stop.is_set():
        here.record("calls"), here.record_later("later"), here.status(), here.usage("calls")
        if number == 0:
            here.set("instance", "https://play.acme.example")

def ask():
    while not stop.is_set():
        assert "reports" in here and here.gate("reports") is None

threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
threads.append(threading.Thread(target=ask))
[thread.start() for thread in threads]
for _ in range(20):
    child = os.fork()
    if child == 0:
        ok = "reports" in here
        here.record("calls"), here.record_later("later"), here.flush()
        here.set("instance", None)
        ok = ok and here.usage("calls").used > 0 and here.status()["in_force"]
        os._exit(0 if ok else 1)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
[thread.join() for thread in threads]
"""


@needs_fork
def test_a_child_forked_while_other_threads_record(
    metered: Installation, vendor: Vendor, directory: Path
) -> None:
    arguments = [vendor.keys(), str(directory), str(ISSUED)]
    command = [sys.executable, "-W", "ignore", "-c", FORK_WHILE_BUSY, *arguments]
    for _ in range(2):
        subprocess.run(command, check=True, timeout=100)


KILLED = """
import os, signal, sys
import licentia
keys, directory, clock = sys.argv[1:]
here = licentia.Product("myapp", keys, clock=int(clock)).open(directory)
for _ in range(30):
    here.record("calls"), here.record_later("later")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_is_killed_has_counted(
    metered: Installation, vendor: Vendor, directory: Path
) -> None:
    command = [sys.executable, "-c", KILLED, vendor.keys(), str(directory), str(ISSUED)]
    assert subprocess.run(command, timeout=60).returncode == -9
    assert (metered.usage("calls").used, metered.usage("later").used) == (30, 30)


def elsewhere(vendor: Vendor, directory: Path, clock: int, call: str, argument: str = "") -> None:
    """Does something to the folder in another process."""
    program = (
        "import sys, licentia\n"
        "keys, directory, clock, call, argument = sys.argv[1:]\n"
        "here = licentia.Product('myapp', keys, clock=int(clock)).open(directory)\n"
        "getattr(here, call)(*[argument] * bool(argument))\n"
    )
    arguments = [vendor.keys(), str(directory), str(clock), call, argument]
    subprocess.run([sys.executable, "-c", program, *arguments], check=True, timeout=60)


def follows(installation: Installation, allowed: bool) -> None:
    """Within a second, and the look that it takes."""
    asked = time.monotonic()
    while ("reports" in installation) is not allowed:
        assert time.monotonic() - asked < 2, "it did not follow"
        time.sleep(0.01)


def test_held_for_a_year_it_follows_what_others_do(
    product: Product, vendor: Vendor, directory: Path, tmp_path: Path
) -> None:
    """The trap that an object per license would be: the renewal came, and it still says no."""
    held = product.open(directory)
    elsewhere(vendor, directory, ISSUED, "apply", vendor.license())
    follows(held, True)
    product.set("clock", ISSUED + 30 * DAY)
    assert "reports" not in held
    elsewhere(vendor, directory, ISSUED + 30 * DAY, "apply", vendor.renewal())
    follows(held, True)
    # Every month, where there is time for it.
    for month in range(2, 13) if "LICENTIA_SOAK" in os.environ else (2, 12):
        end = ISSUED + 30 * month * DAY
        if month > 2:
            said = {"iat": end - DAY, "jti": str(month)}
            held.apply(vendor.license(outer=said, valid_until=end))
        product.set("clock", end - 1)
        assert "reports" in held
        product.set("clock", end)
        assert "reports" not in held
        said = {"iat": end, "jti": f"{month}+"}
        renewal = vendor.license(outer=said, valid_until=end + 30 * DAY)
        elsewhere(vendor, directory, end, "apply", renewal)
        follows(held, True)
    shutil.copytree(directory, tmp_path / "backup")
    elsewhere(vendor, directory, end, "remove")
    follows(held, False)
    for file in directory.iterdir():
        file.unlink()
    for file in (tmp_path / "backup").iterdir():
        shutil.copy(file, directory)
    follows(held, True)
    elsewhere(vendor, directory, end, "apply", vendor.revocations(LICENSE_ID, iat=end))
    follows(held, False)


def test_a_license_file_is_read_again(product: Product, vendor: Vendor, directory: Path) -> None:
    file = directory.parent / "app.lic"
    held = product.open(directory, license_file=file)
    assert "reports" not in held
    file.write_text(vendor.license())
    follows(held, True)
    file.unlink()
    follows(held, False)


def calls(installation: Installation, vendor: Vendor) -> dict[str, Callable[[], object]]:
    """Every call that takes the lock of the folder."""
    return {
        "record": lambda: installation.record("calls"),
        "record_later": lambda: installation.record_later("calls"),
        "record_key": lambda: installation.record_key("users", "zoë"),
        "apply": lambda: installation.apply(vendor.revocations(version=1)),
        "remove": installation.remove,
        "first_use": installation.first_use,
    }


@pytest.mark.parametrize(
    "call", ["record", "record_later", "record_key", "apply", "remove", "first_use"]
)
def test_others_go_on_while_the_folder_is_waited_for(
    metered: Installation, vendor: Vendor, directory: Path, call: str
) -> None:
    """This thread holds the lock, as another process would, until it has seen that the other one
    waits for it."""
    answers: list[object] = []

    def wait_for_it() -> None:
        try:
            answers.append(calls(metered, vendor)[call]())
        except licentia.Error as error:
            answers.append(error)

    with open(directory / "lock", "rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = threading.Thread(target=wait_for_it)
        waiting.start()
        until = time.monotonic() + 0.2
        asked = 0
        while time.monotonic() < until:
            assert "reports" in metered
            asked += 1
        assert asked > 100 and not answers, "the other thread held up this one, or did not wait"
        assert metered.status()["in_force"] and metered.usage("calls").used == 0
        fcntl.flock(lock, fcntl.LOCK_UN)
    waiting.join()
    assert not isinstance(answers[0], licentia.Error), answers


def test_nobody_waits_for_a_pipe(
    product: Product, vendor: Vendor, directory: Path, tmp_path: Path
) -> None:
    """A license file that nobody writes to would be waited for, for ever."""
    file, pipe = tmp_path / "app.lic", tmp_path / "pipe"
    file.write_text(vendor.license())
    installation = product.open(directory, license_file=file)
    os.mkfifo(pipe)
    os.replace(pipe, file)
    assert "reports" in installation
    sources = product.open(directory, license_file=file).status()["sources"]
    assert sources[0]["result"] == "malformed", "it is empty"


def test_a_lock_that_is_never_let_go_is_an_error(metered: Installation, directory: Path) -> None:
    with open(directory / "lock", "rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(licentia.BusyError) as caught:
            metered.record("calls")
        assert isinstance(caught.value, licentia.StateError) and "reports" in metered
    assert metered.usage("calls").used == 0
    metered.record("calls")


def test_in_an_event_loop(metered: Installation) -> None:
    """What waits for the disk goes to a thread; what is asked for does not."""

    async def request() -> bool:
        allowed = "reports" in metered
        await asyncio.to_thread(metered.record, "calls")
        return allowed

    async def serve() -> list[bool]:
        return await asyncio.gather(*(request() for _ in range(40)))

    assert asyncio.run(serve()) == [True] * 40
    assert metered.usage("calls").used == 40


def test_sixteen_threads_and_every_call(
    product: Product, metered: Installation, vendor: Vendor, directory: Path
) -> None:
    """Some record, some change what is set, the others ask: every answer is a right one."""
    start = threading.Barrier(16)

    def work(number: int) -> None:
        start.wait()
        for turn in range(12):
            if number < 4:
                metered.record("calls", 2)
            elif number < 8:
                metered.record_later("later", 3)
            elif number == 8:
                metered.set("license_env", "ACME_LICENSE")
                metered.set("instance", "https://play.acme.example")
            elif number == 9:
                metered.apply(vendor.license(features=METERS))
            elif number == 10:
                assert metered.status()["in_force"] and metered.explain()
            elif number == 11:
                metered.record_key("users", str(turn))
            elif number == 12:
                product.open(directory).record("calls")
            else:
                assert "reports" in metered and metered.gate("reports") is None
                assert metered.usage("calls").limit > 0 and metered.request()

    with ThreadPoolExecutor(16) as pool:
        for done in [pool.submit(work, number) for number in range(16)]:
            done.result()
    assert used_by_all(metered) == {"calls": 4 * 24 + 12, "later": 4 * 36, "users": 12, "few": 0}


def test_an_installation_that_is_dropped_makes_durable_what_waits(
    product: Product, metered: Installation, directory: Path
) -> None:
    for _ in range(20):
        short = product.open(directory)
        short.record_later("later")
        del short
        gc.collect()
    assert metered.usage("later").used == 20
