"""Asking a license server: what it signs is applied, what it does not sign changes nothing, and
nobody waits with whoever asks."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import licentia
import pytest
from licentia import Installation, Product
from servers import DIRECT, Fake, Said, fake, problem, signed, signing
from vendor import DAY, ISSUED, LICENSE_ID, Vendor, read

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture
def server(vendor: Vendor) -> Iterator[Fake]:
    """One that knows the license, and has a seat for everybody."""
    with fake(signing(vendor)) as server:
        yield server


@pytest.fixture
def licensed(
    product: Product, vendor: Vendor, directory: Path, server: Fake
) -> Installation:
    installation = product.open(directory, server=server.root, **DIRECT)
    installation.apply(vendor.license())
    return installation


def contact(installation: Installation) -> Any:
    return installation.status()["issuer"]["last_contact"]


def test_a_sync_says_how_the_license_stands(licensed: Installation, server: Fake) -> None:
    assert contact(licensed) is None
    licensed.sync()
    assert server.asked == ["sync"]
    issuer = licensed.status()["issuer"]
    assert (issuer["status"], issuer["last_contact"]) == ("ok", ISSUED)


def test_a_call_brings_what_it_asks_for(
    product: Product, licensed: Installation, server: Fake, vendor: Vendor
) -> None:
    end = ISSUED + 29 * DAY
    product.set("clock", end)
    times: dict[str, int] = {"iat": end, "server_time": end}
    renewal = [vendor.renewal()]
    server.answer = lambda text: signed(vendor.answer(text, license=renewal, **times))
    licensed.call("renewal")
    product.set("clock", ISSUED + 30 * DAY)
    assert "reports" in licensed
    times = {"iat": end + DAY, "server_time": end + DAY, "seq": 2}
    server.answer = lambda text: signed(vendor.answer(text, status="revoked", **times))
    licensed.call("sync", None)
    assert "reports" not in licensed and licensed.status()["reason"] == "revoked"
    assert server.asked == ["renewal", "sync"]


def test_the_words_are_those_of_request(
    product: Product, licensed: Installation, vendor: Vendor
) -> None:
    """Those that the docstring lists are those that the core names."""
    with pytest.raises(licentia.ArgumentError) as caught:
        licensed.call("sinc")
    words = str(caught.value).split("none of ")[1].split(":")[0].split(", ")
    assert len(words) == 11
    for word in words:
        assert f"``{word}``" in (Installation.request.__doc__ or ""), word
        argument = {"seat": "ann", "release": "ann", "borrow": "3 ann"}.get(word)
        assert licensed.request(word, argument)


def test_a_server_that_says_no(licensed: Installation, server: Fake) -> None:
    key = "ABCD-EFGH-JKMN-PQRS-TVWX"
    server.answer = lambda _: problem(404, "not_found", f"there is no license key {key}")
    with pytest.raises(licentia.RefusedError, match="there is no license key") as caught:
        licensed.call("activation", key)
    assert isinstance(caught.value, licentia.ServerError) and caught.value.code == "refused"
    assert key not in str(caught.value), "the key is nobody's to read in a log"
    server.answer = lambda _: problem(409, "no_seat", "all 5 seats are taken")
    with pytest.raises(licentia.NoSeatError, match="all 5 seats are taken"):
        licensed.seat("ann")
    assert "reports" in licensed


def test_no_server_is_named(product: Product, vendor: Vendor, directory: Path) -> None:
    installation = product.open(directory)
    installation.apply(vendor.license())
    for call in (installation.sync, lambda: installation.seat("ann")):
        with pytest.raises(licentia.NoTransportError) as caught:
            call()
        assert isinstance(caught.value, licentia.ServerError)
    assert "reports" in installation


def test_the_server_is_named_by_the_product_or_by_the_site(
    vendor: Vendor, directory: Path, server: Fake
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    product = Product("myapp", vendor.keys(), clock=ISSUED, server=[nobody, server.root])
    installation = product.open(directory, **DIRECT)
    installation.apply(vendor.license())
    installation.sync()
    installation.set("server", nobody)
    with pytest.raises(licentia.UnreachableError):
        installation.sync()
    installation.set("server", [nobody, server.root + "/"])
    installation.sync()
    assert server.asked == ["sync", "sync"]


UNREACHABLE: dict[str, Any] = {
    "a page to sign in": (200, b"<html>Sign in</html>"),
    "too much to do": problem(429, "too_many_requests"),
    "not now": problem(503, "busy"),
    "a proxy that wants a name": (407, b""),
    "elsewhere": (302, b""),
    "something else": (200, [1, 2, 3]),
    "nothing signed": (200, {"answer": None}),
    "no JSON of ours": (404, {"message": "no such page"}),
}


@pytest.mark.parametrize("kind", UNREACHABLE)
def test_no_network_is_no_bad_license(licensed: Installation, server: Fake, kind: str) -> None:
    server.answer = lambda _: UNREACHABLE[kind]
    before = licensed.status()
    with pytest.raises(licentia.UnreachableError) as caught:
        licensed.sync()
    assert isinstance(caught.value, ConnectionError) and caught.value.code == "unreachable"
    after = licensed.status()
    assert "reports" in licensed and after["reason"] == before["reason"] == "ok"
    issuer = after["issuer"]
    assert (issuer["failure"]["code"], issuer["last_contact"]) == ("unreachable", None)
    assert ISSUED < issuer["next_contact"] <= ISSUED + 3600


def test_a_server_that_is_silent_is_waited_for_so_long(
    licensed: Installation, server: Fake
) -> None:
    server.speaks.clear()
    licensed.set("server_timeout", 1)
    with pytest.raises(licentia.UnreachableError):
        licensed.sync()
    server.speaks.set()
    licensed.set("server_timeout", None)
    licensed.sync()
    assert contact(licensed) == ISSUED


def test_an_answer_is_good_once_and_for_one_request(
    product: Product, licensed: Installation, server: Fake, vendor: Vendor, tmp_path: Path
) -> None:
    recorded: list[str] = []

    def record(text: str) -> Said:
        recorded.append(vendor.answer(text, seq=len(recorded) + 1))
        return signed(recorded[-1])

    server.answer = record
    licensed.sync()
    other = product.open(tmp_path, server=server.root, **DIRECT)
    other.apply(vendor.license())
    altered = recorded[0][:-9] + ("A" if recorded[0][-9] != "A" else "B") + recorded[0][-8:]
    for told, here, error in [
        (recorded[0], licensed, licentia.AlreadyUsedError),
        (recorded[0], other, licentia.WrongInstallationError),
        (altered, licensed, licentia.BadSignatureError),
        (vendor.license(), licensed, licentia.WrongKindError),
    ]:
        server.answer = lambda _, told=told: signed(told)  # type: ignore[misc]
        with pytest.raises(error):
            here.sync()
        assert "reports" in here and contact(here) == (ISSUED if here is licensed else None)
    server.answer = record
    licensed.sync()
    other.sync()
    assert contact(other) == ISSUED


def calls(installation: Installation, server: Fake) -> dict[str, Callable[[], object]]:
    """Every call that waits for a server."""

    def enter() -> None:
        server.speaks.set()
        seat = installation.seat("cid")
        server.speaks.clear()
        server.came.clear()
        with seat:
            pass

    return {
        "sync": installation.sync,
        "call": lambda: installation.call("sync"),
        "seat": lambda: installation.seat("ann"),
        "renew": installation.seat("ann").renew,
        "release": installation.seat("bob").release,
        "with": enter,
    }


@pytest.mark.parametrize("call", ["sync", "call", "seat", "renew", "release", "with"])
def test_others_go_on_while_a_server_is_silent(
    licensed: Installation, server: Fake, call: str
) -> None:
    """The server is a thread of this process, and so is whoever lets it speak."""
    waits_for_it = calls(licensed, server)[call]
    server.came.clear()
    if call != "with":
        server.speaks.clear()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(waits_for_it)
        assert server.came.wait(30)
        while call == "with" and server.asked[-1] != "release":
            assert server.came.wait(30)
        for _ in range(1000):
            assert "reports" in licensed
        licensed.record("exports")
        assert not waiting.done(), "it did not wait"
        server.speaks.set()
        waiting.result(60)


def test_an_event_loop_turns_while_a_server_is_silent(
    licensed: Installation, server: Fake
) -> None:
    server.speaks.clear()

    async def main() -> int:
        syncing = asyncio.create_task(asyncio.to_thread(licensed.sync))
        turns = 0
        while not syncing.done():
            await asyncio.sleep(0.001)
            turns += server.came.is_set()
            if turns == 100:
                server.speaks.set()
        await syncing
        return turns

    assert asyncio.run(main()) >= 100
    assert contact(licensed) == ISSUED


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers")
def test_signals_do_not_disturb_a_call(licensed: Installation, server: Fake) -> None:
    """Profilers and timers interrupt what waits, again and again."""
    server.speaks.clear()
    late = threading.Timer(0.5, server.speaks.set)
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    try:
        late.start()
        licensed.sync()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        late.join()
    assert contact(licensed) == ISSUED


def test_an_interrupt_is_noticed_when_the_call_ends(licensed: Installation, server: Fake) -> None:
    def interrupt() -> None:
        server.came.wait(30)
        signal.raise_signal(signal.SIGINT)
        server.speaks.set()

    server.speaks.clear()
    # Whoever runs the tests in the background of a shell has interrupts ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        interrupting = threading.Thread(target=interrupt)
        interrupting.start()
        with pytest.raises(KeyboardInterrupt):
            licensed.sync()
            licensed.status()
        interrupting.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert contact(licensed) == ISSUED, "what was answered was applied"


def test_sixteen_threads_at_once(licensed: Installation, server: Fake, vendor: Vendor) -> None:
    """All reports are sent at the same time; what was used is told, and no call fails."""
    start = threading.Barrier(16)

    def work(number: int) -> None:
        start.wait()
        for turn in range(4):
            if number % 4 == 3:
                with licensed.seat(f"{number}-{turn}") as seat:
                    assert seat.held
            else:
                licensed.record("exports")
                licensed.sync()
            assert "reports" in licensed

    with ThreadPoolExecutor(16) as pool:
        for done in [pool.submit(work, number) for number in range(16)]:
            done.result()
    assert licensed.usage("exports").used == 48
    assert contact(licensed) == ISSUED and licensed.status()["issuer"]["failure"] is None


FORK_WHILE_BUSY = """
import os, sys, threading
import licentia
keys, directory, clock, server = sys.argv[1:]
product = licentia.Product("myapp", keys, clock=int(clock))
here = product.open(directory, server=server, proxy="none")
stop = threading.Event()

def work(number):
    while not stop.is_set():
        here.sync() if number % 2 else here.seat(f"parent {number}").release()

failed = []
def watched(number):
    try:
        work(number)
    except BaseException as error:
        failed.append(error)

threads = [threading.Thread(target=watched, args=(number,)) for number in range(4)]
[thread.start() for thread in threads]
held = here.seat("held")
for turn in range(12):
    child = os.fork()
    if child == 0:
        try:
            here.sync()
            with here.seat(f"child {turn}") as seat:
                ok = seat.held and held.held and "reports" in here
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            ok = False
        os._exit(0 if ok else 1)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
[thread.join() for thread in threads]
assert not failed, failed
"""


@needs_fork
def test_a_child_forked_while_other_threads_call(
    licensed: Installation, server: Fake, vendor: Vendor, directory: Path
) -> None:
    arguments = [vendor.keys(), str(directory), str(ISSUED), server.root]
    command = [sys.executable, "-W", "ignore", "-c", FORK_WHILE_BUSY, *arguments]
    subprocess.run(command, check=True, timeout=120)
    assert contact(licensed) == ISSUED


def test_asking_nothing_opens_no_socket(directory: Path, vendor: Vendor, server: Fake) -> None:
    """A server is named, and whoever asks what is allowed does not ask it."""
    product = Product("myapp", vendor.keys(), clock=ISSUED, server=server.root)
    with product.open(directory, **DIRECT) as installation:
        installation.apply(vendor.license())
        assert "reports" in installation and installation.status() and installation.explain()
        installation.record("exports")
        installation.request("sync")
    assert not server.asked


def test_what_was_used_is_reported_once_the_server_is_back(
    licensed: Installation, server: Fake, vendor: Vendor
) -> None:
    server.answer = lambda _: problem(503, "busy")
    for _ in range(3):
        licensed.record("exports", 2)
        with pytest.raises(licentia.UnreachableError):
            licensed.sync()
    server.answer = signing(vendor)
    licensed.sync()
    told = read(server.texts[-1])["sync"]["usage"]
    assert [row["used"] for row in told if row["feature"] == "exports"] == [6], told
    assert read(server.texts[-1])["license"]["id"] == LICENSE_ID
