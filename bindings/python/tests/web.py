"""What the tests of the mounts share: who asks, and one script of requests over real HTTP."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from licentia import Caller, Rights
from vendor import ISSUED, PRODUCT, Vendor

ADMIN = "token-of-the-administrator"
READER = "token-of-a-reader"
USERS = {
    ADMIN: Caller("admin", Rights.ADMINISTRATOR),
    READER: Caller("reader", Rights.READ),
}
JSON = {"Content-Type": "application/json"}
OF_THE_SERVER = re.compile(r"WARNING:( *Invalid HTTP request|waitress.queue:Task queue depth)")
"""What the servers themselves say of bad requests, and of many at once."""
TOO_MUCH = 128 * 1024 + 1


def assign(text: str) -> bytes:
    """The body that applies a license."""
    return json.dumps({"signed_license": text}).encode()


class Answer(NamedTuple):
    """An answer over HTTP."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Server:
    """A web server on this machine."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(
        self,
        method: str,
        target: str,
        token: str | None = None,
        body: bytes | None = None,
        **headers: str,
    ) -> Answer:
        """One request, by whoever has a token."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            sent = {**JSON, **sent}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, target, body, sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def leave(self, data: bytes) -> None:
        """Sends bytes, and waits for nothing."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(data)

    def raw(self, data: bytes, *, ends: bool = False) -> bytes:
        """Sends bytes, and gives all that comes back. With `ends`, there is no more to come."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(data)
            if ends:
                connection.shutdown(socket.SHUT_WR)
            parts = []
            with contextlib.suppress(ConnectionError):
                while part := connection.recv(65536):
                    parts.append(part)
            return b"".join(parts)


@contextlib.contextmanager
def started(*command: str, cwd: Path | None = None, **variables: str) -> Iterator[Server]:
    """A program that prints the port where it listens. It ends well when it is told to."""
    environment = {**os.environ, **variables}
    program = subprocess.Popen(
        [sys.executable, "-W", "error", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=environment,
    )
    assert program.stdout is not None
    try:
        ready, _, _ = select.select([program.stdout], [], [], 60)
        line = program.stdout.readline() if ready else b""
        digits = line.replace(b"127.0.0.1", b"").decode()
        assert line, program.communicate()[1].decode() if program.poll() is not None else "silent"
        yield Server(int("".join(filter(str.isdigit, digits))))
        program.send_signal(signal.SIGTERM)
        _, errors = program.communicate(timeout=30)
        lines = [line for line in errors.decode().splitlines() if not OF_THE_SERVER.match(line)]
        assert not lines, "\n".join(lines)
    finally:
        program.kill()
        program.wait()
        program.stdout.close()
        if program.stderr is not None:
            program.stderr.close()


def example(root: Path, name: str, tmp_path: Path, directory: Path) -> list[str]:
    """The command line of an example, for the product and the day of these tests."""
    keys = tmp_path / "keys.json"
    keys.write_text(Vendor().keys())
    program = str(root / f"examples/python/{name}.py")
    return [program, str(keys), PRODUCT, str(directory), "0", f"clock={ISSUED}"]
