"""Has wrk ask every mount of the license API for the status, and for a constant, in turn.

bench.py LICENTIA GIVEN WORK PRODUCT ROUNDS

All servers run at the same time, each with a folder of its own that has the license. They are
stopped at the end, however that comes.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import licentia

HERE = Path(__file__).resolve().parent
STATUS = "/api/license"
CONNECTIONS, SECONDS = 8, 1
TIMES_ALONE = 20_000

MOUNTS = {
    "agent": "agent",
    "wsgi": "WSGI: waitress",
    "flask": "WSGI: Flask",
    "asgi": "ASGI: uvicorn",
    "fastapi": "ASGI: FastAPI",
    "node": "Node: http",
    "express": "Node: Express",
    "fastify": "Node: Fastify",
    "c": "C: libmicrohttpd",
    "cpp": "C++: cpp-httplib",
}
HOSTS = {"flask": "wsgi", "fastapi": "asgi", "express": "node", "fastify": "node"}


def command(mount: str, work: Path, given: Path, product: str) -> list[str]:
    """What serves a mount; nothing if it was not built, which bench/run has said."""
    host = HOSTS.get(mount, mount)
    asked = [str(given / "vendor.jwks"), product, str(work / "state" / mount)]
    if mount in HOSTS:
        asked.append(mount)
    if host in ("wsgi", "asgi"):
        return [sys.executable, str(HERE / f"{host}.py"), *asked]
    if host == "node":
        return ["node", str(HERE / "node.mjs"), *asked]
    program = work / host
    return [str(program), *asked] if program.exists() else []


def agent(licentia_command: str, work: Path, given: Path, product: str) -> list[str]:
    """An agent as it is by default, but for where it listens."""
    draft, signed, config = (work / f"agent.{it}" for it in ("draft", "product", "toml"))
    for file in (draft, signed):
        file.unlink(missing_ok=True)
    new = ["new", "--product", product, "--keys", str(given / "vendor.jwks"), "--out", str(draft)]
    sign = ["sign", str(draft), "--key", str(given / "vendor.pem"), "--out", str(signed)]
    sign += ["--issuer", "https://licenses.acme.example"]
    for step in (new, sign):
        done = subprocess.run(
            [licentia_command, "product", *step], capture_output=True, text=True
        )
        if done.returncode:
            fail(done.stderr.strip())
    state = json.dumps(str(work / "state/agent"))
    config.write_text(f'listen = "127.0.0.1:0"\nstate = {state}\nproduct_file = "{signed.name}"\n')
    return [licentia_command, "agent", "--config", str(config)]


def fail(why: str) -> NoReturn:
    sys.exit(f"bench: {why}")


@contextlib.contextmanager
def serving(name: str, command: list[str]) -> Iterator[int]:
    """The port of a server, which is stopped afterwards."""
    # The agent has a line for each request to write, which nobody reads.
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert server.stdout is not None
        _, listening, where = server.stdout.readline().partition("listening ")
        if not listening:
            fail(f"{name} does not start: {' '.join(command)}")
        yield int(where.split()[-1].rpartition(":")[2])
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def answer(port: int, path: str) -> tuple[int, dict[str, str], bytes]:
    """What is answered, but for the date."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        headers.pop("date", None)
        return response.status, headers, response.read()


def constant(mount: str) -> str:
    """Where the constant is. The agent has one already: it answers it as it does all others."""
    return "/healthz" if mount == "agent" else "/constant"


def check(mount: str, port: int) -> None:
    """The two have to be the same, or they cannot be compared; but for the agent's."""
    status, stands_in = answer(port, STATUS), answer(port, constant(mount))
    if status[0] != 200 or not json.loads(status[2])["license_valid"]:
        fail(f"{MOUNTS[mount]} does not answer {STATUS}: {status}")
    if stands_in[0] != 200 or (mount != "agent" and status != stands_in):
        fail(f"{MOUNTS[mount]} has {status}, and answers {stands_in} in its place")


def turn(mount: str, port: int, path: str) -> dict[str, Any]:
    """What wrk counted in one turn."""
    wrk = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", str(HERE / "turn.lua")]
    url = f"http://127.0.0.1:{port}{path}"
    run = subprocess.run([*wrk, url], capture_output=True, text=True, check=True)
    counted: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    if counted["failed"] or not counted["requests"]:
        fail(f"{MOUNTS[mount]} has not answered every request to {path}: {counted}")
    return counted


def alone(command: list[str]) -> float:
    """Nanoseconds of one answer without a server."""
    run = subprocess.run([*command, str(TIMES_ALONE)], stdout=subprocess.PIPE, check=True)
    return float(run.stdout)


def measure(ports: dict[str, int], by_itself: list[str], rounds: int) -> None:
    found: dict[tuple[str, str], list[float]] = {}

    def keep(mount: str, name: str, value: float) -> None:
        if round_number >= 0:
            found.setdefault((mount, name), []).append(round(value, 2))

    names = list(ports)
    for round_number in range(-1, rounds):  # the first is not counted
        first = round_number % len(names)
        for name in names[first:] + names[:first]:
            pair = [("constant", constant(name)), ("status", STATUS)]
            for what, path in pair if round_number % 2 else reversed(pair):
                counted = turn(name, ports[name], path)
                each_second = counted["requests"] / counted["microseconds"] * 1e6
                keep(MOUNTS[name], what, each_second)
                keep(MOUNTS[name], f"{what}, p99", counted["p99"] / 1e3)
        keep("without a server, in C", "status", alone(by_itself))
    for (mount, name), measured in found.items():
        print(json.dumps({"language": mount, "topic": "http", "name": name, "rounds": measured}))


def main(licentia_command: str, given: str, work: str, product: str, rounds: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: it was told to stop"))
    made, license_at = Path(work), Path(given)
    keys = (license_at / "vendor.jwks").read_text()
    for mount in [*MOUNTS, "alone"]:
        folder = made / "state" / mount
        folder.mkdir(parents=True)
        licentia.Product(product, keys).open(folder).apply((license_at / "token").read_text())
    programs = {mount: command(mount, made, license_at, product) for mount in MOUNTS}
    programs["agent"] = agent(licentia_command, made, license_at, product)
    with contextlib.ExitStack() as stack:
        ports: dict[str, int] = {}
        for mount, program in programs.items():
            if program:
                ports[mount] = stack.enter_context(serving(MOUNTS[mount], program))
                check(mount, ports[mount])
        measure(ports, command("alone", made, license_at, product), int(rounds))


if __name__ == "__main__":
    main(*sys.argv[1:])
