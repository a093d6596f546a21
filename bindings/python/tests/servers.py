"""License servers for the tests: the one that vendors run, and one that does what it is told."""

from __future__ import annotations

import contextlib
import http.server
import itertools
import json
import os
import select
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, NamedTuple

import pytest
from vendor import Vendor, read

ROOT = Path(__file__).resolve().parents[3]
ADMIN_KEY = "an-administrator-key-that-is-for-tests-only"

DIRECT: dict[str, Any] = {"proxy": "none"}
"""What is on this machine is asked, whatever proxy there is for the rest."""

Said = tuple[int, Any]
"""A status, and what the body has: JSON, or bytes as they are."""


def signed(token: str) -> Said:
    return 200, {"answer": token}


def signing(vendor: Vendor, license: str = "", **changes: Any) -> Callable[[str], Said]:
    """Answers everything, and every answer has a number of its own. Whoever activates is given
    the license."""
    numbers = itertools.count(1)

    def answer(text: str) -> Said:
        number, asked = next(numbers), read(text)
        said: dict[str, Any] = {"jti": str(number)} if "seat" in asked else {"seq": number}
        if asked["what"] == "activation":
            said["license"] = [license]
        return signed(vendor.answer(text, **said, **changes))

    return answer


def problem(status: int, code: str, detail: str | None = None) -> Said:
    return status, {"code": code, "detail": detail, "status": status}


class Fake:
    """A license server of this process. Its threads run only while a call lets go of the GIL."""

    def __init__(self, answer: Callable[[str], Said]) -> None:
        self.answer = answer
        """From the text of a request to what is said."""
        self.asked: list[str] = []
        """The word of each request, in the order in which they came."""
        self.texts: list[str] = []
        self.came = threading.Event()
        """Set with every request."""
        self.speaks = threading.Event()
        """Until this is set, nothing is answered."""
        self.speaks.set()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                fake.take(self, json.loads(body)["request"])

            def log_message(self, *_: object) -> None:
                pass

        class Listener(http.server.ThreadingHTTPServer):
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                pass  # whoever asked has gone away

        self._listener = Listener(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self._listener.server_port}"
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,))
        self._thread.start()

    def take(self, connection: http.server.BaseHTTPRequestHandler, text: str) -> None:
        self.texts.append(text)
        self.asked.append(read(text)["what"])
        self.came.set()
        self.speaks.wait(60)
        status, said = self.answer(text)
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        connection.send_response(status)
        kind = "problem+json" if status >= 400 and not isinstance(said, bytes) else "json"
        connection.send_header("content-type", f"application/{kind}")
        connection.send_header("content-length", str(len(body)))
        connection.end_headers()
        connection.wfile.write(body)

    def close(self) -> None:
        self.speaks.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


@contextlib.contextmanager
def fake(answer: Callable[[str], Said]) -> Iterator[Fake]:
    one = Fake(answer)
    try:
        yield one
    finally:
        one.close()


class Sold(NamedTuple):
    """What a vendor made on a server."""

    code: str
    """The product's."""
    keys: str
    license: dict[str, Any]

    @property
    def key(self) -> str:
        return str(self.license["license_key"])


class LicenseServer:
    """`licentia serve`, as its administrator asks it."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._codes = (f"myapp-{number}" for number in itertools.count(1))

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Gives what it says; an answer that is no success is an AssertionError."""
        headers = {"Authorization": f"Bearer {ADMIN_KEY}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.root}/api/v1{path}", data, headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30) as response:
                return json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{method} {path}: {error.read()!r}") from None

    def sell(self, **license: Any) -> Sold:
        """A key pair, a product, and a license of it."""
        code = next(self._codes)
        pair = self.ask("POST", "/key-pairs", {"name": code})
        product = {"name": code, "code": code, "key_pair_id": pair["id"]}
        product_id = self.ask("POST", "/products", product)["id"]
        given = {
            "product_id": product_id,
            "customer_name": "Example Labs",
            "features": ["reports"],
            "entitlements": [{"id": "exports", "meter": "count", "per": "ever", "max": 500}],
            "valid_days": 30,
            "max_machines": 10,
            **license,
        }
        made = self.ask("POST", "/licenses", given)
        keys = self.ask("GET", f"/products/{product_id}/public-key")["keys"]
        return Sold(code, json.dumps({"keys": keys} if isinstance(keys, list) else keys), made)

    def used(self, sold: Sold) -> dict[str, int]:
        """What it knows was used of a license, by feature."""
        rows = self.ask("GET", f"/licenses/{sold.license['id']}/usage")["usage"]
        return {row["feature"]: row["used"] for row in rows}


def command() -> Path:
    """The program `licentia`, or the test is skipped."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    program = target / "debug" / ("licentia.exe" if os.name == "nt" else "licentia")
    if not program.exists():
        pytest.skip(f"there is no license server to ask ({program}: make command)")
    return program


@contextlib.contextmanager
def license_server(data: Path) -> Iterator[LicenseServer]:
    """One that runs until the end, and has to end well."""
    arguments = ["serve", "--listen", "127.0.0.1:0", "--data", str(data)]
    with open(f"{data}.log", "wb") as log:
        program = subprocess.Popen(
            [str(command()), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env={
                **os.environ,
                "LICENTIA_ADMIN_KEY": ADMIN_KEY,
                "LICENTIA_REQUESTS_PER_ADDRESS": "0",
            },
        )
    assert program.stdout is not None
    try:
        yield LicenseServer(f"http://127.0.0.1:{_port(program)}")
        program.send_signal(signal.SIGTERM)
        assert program.wait(30) == 0, Path(f"{data}.log").read_text("utf-8")
    finally:
        program.kill()
        program.wait()
        program.stdout.close()


def _port(program: subprocess.Popen[bytes]) -> int:
    assert program.stdout is not None
    while True:
        ready, _, _ = select.select([program.stdout], [], [], 60)
        line = program.stdout.readline().decode() if ready else ""
        assert line, "the license server does not say where it listens"
        if "listening" in line:
            return int(line.split("listening")[1].rsplit(":", 1)[1].split("/")[0].split()[0])
