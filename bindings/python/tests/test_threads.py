"""One product and its licenses, used by many threads and processes at once."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import licentia
import pytest
from vendor import ISSUED, PRODUCT, Vendor

END = ISSUED + 30 * 86_400
BOUND = {"machine": {"v": 1, "need": 1, "parts": {"identity": ["AAAAAAAAAAAAAAAAAAAAAA"]}}}


def test_sixteen_threads_and_every_call(product: licentia.Product, vendor: Vendor) -> None:
    """Some move the clock, some trust keys, the others ask: every answer is a right one."""
    good, foreign = vendor.license(), vendor.license(outer={"aud": "other"})
    held = product.verify(good)
    start = threading.Barrier(16)

    def work(number: int) -> None:
        start.wait()
        for _ in range(100):
            if number == 0:
                product.set("clock", ISSUED)
                product.set("clock", END - 1)
            elif number == 1:
                product.set("issuer", None)
                product.set("machine", "cluster-1")
            elif number == 2:
                product.trust(vendor.keys())
            elif number == 3:
                assert product.machine()["v"] == 1
            elif number % 3 == 0:
                many = product.verify_many([good, foreign])
                assert [type(one) for one in many] == [licentia.License, licentia.WrongProductError]
            elif number % 3 == 1:
                license = product.verify(good)
                assert "reports" in license and license.limit("exports") == 50
                assert license.serial and license.to_dict() and license.features
            else:
                with pytest.raises(licentia.WrongProductError):
                    product.verify(foreign)
                assert held.allows("reports") and product.inspect(good).json == held.json

    with ThreadPoolExecutor(16) as pool:
        for done in [pool.submit(work, number) for number in range(16)]:
            done.result()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("call", ["machine", "verify", "inspect", "verify_many"])
def test_others_go_on_while_a_file_is_waited_for(
    product: licentia.Product, vendor: Vendor, tmp_path: Path, call: str
) -> None:
    """The machine's identity comes from a pipe that this thread fills, once it could."""
    pipe = tmp_path / "identity"
    os.mkfifo(pipe)
    product.set("machine_file", pipe)
    bound = vendor.license(binding=BOUND)
    answers: list[str] = []

    def wait_for_it() -> None:
        try:
            if call == "machine":
                answers.append(product.machine()["components"][0]["kind"])
            elif call == "verify":
                product.verify(bound)
            elif call == "inspect":
                answers.append(str(product.inspect(bound).allows("reports")))
            else:
                (answer,) = product.verify_many([bound])
                assert isinstance(answer, licentia.Error)
                answers.append(answer.code)
        except licentia.Error as error:
            answers.append(error.code)

    waiting = threading.Thread(target=wait_for_it)
    waiting.start()
    # Opening the pipe waits until the other end is open: the thread is reading by now.
    with open(pipe, "w") as end:
        assert product.code == PRODUCT
        assert product.verify(vendor.license()).allows("reports")
        assert not answers
        end.write("cluster-1")
    waiting.join()
    wanted = {"machine": "identity", "inspect": "False"}
    assert answers == [wanted.get(call, "wrong_machine")]


def in_another_process(keys: str, text: str) -> list[str]:
    """What another process makes of a license: its serial, and the word of a refusal."""
    product = licentia.Product(PRODUCT, keys, clock=ISSUED)
    said = [product.verify(text).serial]
    try:
        product.verify(text[:-1])
    except licentia.Error as error:
        said.append(error.code)
    return said


def raising(keys: str, text: str) -> None:
    licentia.Product(PRODUCT, keys, clock=END).verify(text)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_other_processes(vendor: Vendor, method: str) -> None:
    text, keys = vendor.license(), vendor.keys()
    context = multiprocessing.get_context(method)
    with context.Pool(4) as pool:
        answers = pool.starmap(in_another_process, [(keys, text)] * 25)
        assert answers == [["LIC-MYAPP-A1B2C3D4", "malformed"]] * 25
        with pytest.raises(licentia.ExpiredError, match="ended on .*: ask the vendor"):
            pool.apply(raising, (keys, text))


FORK_WHILE_BUSY = """
import os, sys, threading
import licentia
keys, text, clock = sys.argv[1:]
product = licentia.Product("myapp", keys, clock=int(clock))
held = product.verify(text)
stop = threading.Event()

def work():
    while not stop.is_set():
        product.verify(text), product.machine(), product.verify_many([text] * 10)

threads = [threading.Thread(target=work) for _ in range(4)]
[thread.start() for thread in threads]
for _ in range(30):
    child = os.fork()
    if child == 0:
        ok = "reports" in held and product.verify(text).allows("reports")
        os._exit(0 if ok and product.machine()["v"] == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
[thread.join() for thread in threads]
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_forked_while_other_threads_verify(vendor: Vendor) -> None:
    arguments = [vendor.keys(), vendor.license(), str(ISSUED)]
    command = [sys.executable, "-W", "ignore", "-c", FORK_WHILE_BUSY, *arguments]
    for _ in range(4):  # what is done once in a process goes wrong in its first moments
        subprocess.run(command, check=True, timeout=60)


def test_importing_and_verifying_opens_no_network(vendor: Vendor) -> None:
    """Neither a module that could, nor a socket; nor what only an installation needs."""
    program = """
import sys
import licentia
product = licentia.Product("myapp", sys.argv[1], clock=int(sys.argv[3]))
assert "reports" in product.verify(sys.argv[2])
product.machine()
for name in ("socket", "_socket", "ssl", "http", "urllib.request", "asyncio", "requests"):
    assert name not in sys.modules, name
assert "licentia.answers" not in sys.modules, "it imports enum and typing, which take longer"
assert licentia.Access.ALLOW == 3
"""
    arguments = [vendor.keys(), vendor.license(), str(ISSUED)]
    subprocess.run([sys.executable, "-c", program, *arguments], check=True, timeout=60)
