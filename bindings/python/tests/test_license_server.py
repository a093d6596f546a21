"""Against the license server that vendors run, from the first activation to the revocation."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable

import licentia
import pytest
from licentia import Installation, Product, refresh
from servers import DIRECT, LicenseServer, Sold, license_server

Open = Callable[..., Installation]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LicenseServer]:
    with license_server(tmp_path_factory.mktemp("server") / "data") as server:
        yield server


@pytest.fixture
def opened(server: LicenseServer, tmp_path: Path) -> Open:
    """Opens an installation of what was sold, on a machine of its own."""

    def opens(sold: Sold, name: str = "here", **settings: Any) -> Installation:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        product = Product(sold.code, sold.keys, machine=f"the machine of {folder}")
        return product.open(folder, **{"server": server.root, **DIRECT, **settings})

    return opens


def stands(server: LicenseServer, sold: Sold, what: str) -> None:
    """Suspends it, reinstates it, revokes it."""
    path = f"/licenses/{sold.license['id']}"
    if what == "revoke":
        server.ask("DELETE", path)
    else:
        server.ask("POST", f"{path}/{what}", {})


def test_the_life_of_a_license(server: LicenseServer, opened: Open) -> None:
    sold = server.sell()
    here = opened(sold)
    assert "reports" not in here
    with pytest.raises(licentia.RefusedError):
        here.call("activation", "ABCD-EFGH-JKMN-PQRS-TVWX")
    here.call("activation", sold.key)
    assert "reports" in here and here.status()["reason"] == "ok"
    here.record("exports", 3)
    here.sync()
    assert server.used(sold) == {"exports": 3}
    here.sync()
    here.call("activation", sold.key)
    assert server.used(sold) == {"exports": 3}, "what was reported again is there once"
    issuer = here.status()["issuer"]
    assert issuer["status"] == "ok" and issuer["failure"] is None
    assert issuer["last_contact"] < issuer["next_contact"]
    stands(server, sold, "suspend")
    here.sync()
    assert here.status()["issuer"]["status"] == "suspended"
    stands(server, sold, "reinstate")
    here.sync()
    assert "reports" in here and here.status()["issuer"]["status"] == "ok"
    here.call("renewal")
    assert "reports" in here
    stands(server, sold, "revoke")
    assert "reports" in here, "it was not asked yet"
    here.sync()
    assert "reports" not in here and here.status()["reason"] == "revoked"


def test_a_machine_is_set_free(server: LicenseServer, opened: Open) -> None:
    sold = server.sell(max_machines=1)
    one, other = opened(sold, "one"), opened(sold, "other")
    one.call("activation", sold.key)
    with pytest.raises(licentia.RefusedError):
        other.call("activation", sold.key)
    one.call("deactivation")
    assert "reports" not in one
    other.call("activation", sold.key)
    assert "reports" in other


def test_seats(server: LicenseServer, opened: Open) -> None:
    sold = server.sell(max_seats=2)
    here = opened(sold)
    here.call("activation", sold.key)
    with here.seat("ann") as ann, here.seat("bob") as bob:
        now = datetime.now(timezone.utc)
        assert ann.held and bob.held and ann.expires is not None and ann.expires > now
        with pytest.raises(licentia.NoSeatError):
            here.seat("cid")
        ann.renew()
        assert here.seat("ann").held, "who has one keeps it"
        path = f"/licenses/{sold.license['id']}/seats"
        held = [seat["holder"] for seat in server.ask("GET", path)["seats"]]
        assert sorted(held) == ["ann", "bob"]
    with here.seat("cid") as cid, here.seat("dan") as dan:
        assert cid.held and dan.held and not ann.held and not bob.held


def test_seats_of_many_threads(server: LicenseServer, opened: Open) -> None:
    """As many have one at the same time as there are, never more, and all get one in the end."""
    sold = server.sell(max_seats=3)
    here = opened(sold)
    here.call("activation", sold.key)
    holding, most, lock = 0, 0, threading.Lock()
    ends = time.monotonic() + 60

    def work(number: int) -> None:
        nonlocal holding, most
        while time.monotonic() < ends:
            try:
                with here.seat(f"worker {number}") as seat:
                    assert seat.held
                    with lock:
                        holding += 1
                        most = max(most, holding)
                    time.sleep(0.01)
                    with lock:
                        holding -= 1
                return
            except licentia.NoSeatError:
                time.sleep(0.02)
        pytest.fail("there was never a seat")

    with ThreadPoolExecutor(12) as pool:
        for done in [pool.submit(work, number) for number in range(12)]:
            done.result(120)
    assert 1 <= most <= 3


def test_sixteen_threads_report_at_once(server: LicenseServer, opened: Open) -> None:
    sold = server.sell()
    here = opened(sold)
    here.call("activation", sold.key)
    start = threading.Barrier(16)

    def work() -> None:
        start.wait()
        for _ in range(3):
            here.record("exports")
            here.sync()

    with ThreadPoolExecutor(16) as pool:
        for done in [pool.submit(work) for _ in range(16)]:
            done.result(120)
    here.sync()
    assert server.used(sold) == {"exports": 48}
    assert here.status()["issuer"]["failure"] is None


SYNC = """
import sys
import licentia
code, keys, folder, server, machine = sys.argv[1:]
product = licentia.Product(code, keys, machine=machine)
here = product.open(folder, server=server, proxy="none")
for _ in range(5):
    here.record("exports")
    here.sync()
"""


def test_processes_report_at_once(
    server: LicenseServer, opened: Open, tmp_path: Path
) -> None:
    """They share a folder, and each asks for itself."""
    sold = server.sell()
    here = opened(sold)
    here.call("activation", sold.key)
    folder = tmp_path / "here"
    arguments = [sold.code, sold.keys, str(folder), server.root, f"the machine of {folder}"]
    command = [sys.executable, "-c", SYNC, *arguments]

    def process(_: int) -> str:
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=120)
        return done.stderr if done.returncode else ""

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(process, range(6))) == [""] * 6
    here.sync()
    assert server.used(sold) == {"exports": 30}
    assert here.status()["issuer"]["failure"] is None


def test_the_refresher(
    server: LicenseServer, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there before the license is, and asks once, because nobody needs more."""
    sold = server.sell()
    here = opened(sold)
    monkeypatch.setattr(refresh, "_jitter", lambda: 0.01)
    monkeypatch.setattr(refresh, "_MINUTE", 0.05)
    monkeypatch.setattr(refresh, "_HOUR", 0.2)
    monkeypatch.setattr(refresh, "_JITTER", 0)
    synced = threading.Event()

    class Counting:
        """The installation, and how often it was synced."""

        syncs = 0
        status = here.status

        def sync(self) -> None:
            here.sync()
            self.syncs += 1
            synced.set()

    counting, stop = Counting(), threading.Event()
    thread = threading.Thread(
        target=refresh.keep_synced, args=(counting, stop), kwargs={"on_error": pytest.fail}
    )
    thread.start()
    here.apply(sold.license["license_blob"])
    here.record("exports", 4)
    assert synced.wait(60)
    time.sleep(0.5)
    stop.set()
    thread.join(60)
    assert counting.syncs == 1 and not thread.is_alive()
    assert server.used(sold) == {"exports": 4}


@pytest.mark.parametrize("name", ["online", "report"])
def test_the_examples(
    server: LicenseServer,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """By the library's way out, and by the host's own: the same lines and the same status."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    sold = server.sell()
    keys, folder = tmp_path / "keys.jwks", tmp_path / "folder"
    keys.write_text(sold.keys)
    folder.mkdir()
    program = str(root / f"examples/python/{name}.py")

    def run(url: str, amount: int, *more: str) -> tuple[int, Any, str]:
        given = [url, str(keys), sold.code, str(folder), str(amount), *more]
        command = [sys.executable, program, *given, f"machine=the machine of {folder}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return done.returncode, json.loads(done.stdout or "null"), done.stderr

    status, told, error = run(server.root + "/", 3, sold.key)
    assert (status, error) == (0, "")
    assert (told["status"], told["used"]) == ("ok", 3) and told["last_contact"] is not None
    status, told, error = run(server.root, 2)
    assert (status, told["used"], error) == (0, 5, "")
    assert server.used(sold) == {"exports": 5}
    status, told, error = run(server.root, 0, "ABCD-EFGH-JKMN-PQRS-TVWX")
    assert (status, told["status"]) == (1, "ok")
    assert error.startswith("refused: " if name == "online" else "not_found: ")
    status, told, error = run("http://127.0.0.1:1", 1)
    assert (status, told["status"], told["used"]) == (3, "ok", 6)
    assert error.startswith("unreachable: ")
    stands(server, sold, "revoke")
    status, told, error = run(server.root, 0)
    assert (status, told["status"], error) == (0, "revoked", "")
    usage = subprocess.run([sys.executable, program, "x"], capture_output=True, text=True)
    assert usage.returncode == 2 and usage.stderr.startswith(f"usage: {name}.py URL ")


def test_the_server_is_gone_and_comes_back(opened: Open, tmp_path: Path) -> None:
    """No network is no bad license, and what was used meanwhile is reported once."""
    with license_server(tmp_path / "data") as server:
        sold = server.sell()
        here = opened(sold, server=server.root)
        here.call("activation", sold.key)
    for _ in range(3):
        here.record("exports", 2)
        with pytest.raises(licentia.UnreachableError):
            here.sync()
    assert "reports" in here and here.status()["reason"] == "ok"
    assert here.status()["issuer"]["failure"]["code"] == "unreachable"
    with license_server(tmp_path / "data") as server:
        here.set("server", server.root)
        here.sync()
        assert server.used(sold) == {"exports": 6}
        assert here.status()["issuer"]["failure"] is None
