"""Measures the license server beside what one would write instead. bench/README.md says how.

bench.py LICENTIA FLOOR NODE WORK ROUNDS [--quick]

Prints a JSON object per line. Every server and every database is its own, and ended here.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import fill
import postgres

HERE = pathlib.Path(__file__).resolve().parent
KEY = "an-administrator-key-that-is-for-the-bench-only"
API = "/api/v1/licenses"
REAL = 500  # licenses that the server made itself: their tokens can be verified
ASKED = 20_000  # different requests of a kind, at most
SEATS = 1_000_000
REST = 20  # seconds at most for what is left of a turn
OURS_SQLITE, OURS_POSTGRES = "licentia, SQLite", "licentia, PostgreSQL"
SQLX_SQLITE, SQLX_POSTGRES = "axum + sqlx, SQLite", "axum + sqlx, PostgreSQL"
FASTIFY, FASTAPI = "fastify + better-sqlite3", "FastAPI + sqlite3"
CONSTANT = "axum, a constant"
SMALL = ("sync", "get")  # what the program in FastAPI knows


class Place:
    """The databases with so many licenses: a file, and a database in the cluster."""

    def __init__(self, work: pathlib.Path, count: int) -> None:
        self.count = count
        self.folder = work / f"data-{count}"
        self.database = f"bench_{count}"
        self.cluster: postgres.Cluster | None = None
        self.real: dict[str, dict[str, Any]] = {}

    @property
    def file(self) -> pathlib.Path:
        return self.folder / "licentia.db"


def fail(why: str) -> NoReturn:
    sys.exit(f"bench: {why}")


@contextlib.contextmanager
def serving(name: str, command: list[str], log: pathlib.Path) -> Iterator[tuple[int, int]]:
    """The port and the process of a server, which is stopped afterwards."""
    environment = {**os.environ, "LICENTIA_ADMIN_KEY": KEY}
    with log.open("a") as lines:
        server = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=lines, env=environment, text=True
        )
    try:
        assert server.stdout is not None
        for line in server.stdout:
            _, listening, where = line.partition("listening ")
            if listening:
                break
        else:
            fail(f"{name} does not start: {' '.join(command)} (see {log})")
        yield int(where.split()[-1].rpartition(":")[2].rstrip("/")), server.pid
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def ask(port: int, method: str, path: str, body: Any = None) -> Any:
    """One request; what is answered, which has to be good."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    url = f"http://127.0.0.1:{port}{path}"
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        fail(f"{method} {path}: {error.code} {error.read().decode()[:400]}")


def set_up(port: int) -> dict[str, Any]:
    """Makes a product, and some licenses by the API."""
    pair = ask(port, "POST", "/api/v1/key-pairs", {"name": "bench"})
    product = ask(
        port, "POST", "/api/v1/products",
        {"name": "Bench", "code": "bench", "key_pair_id": pair["id"]},
    )  # fmt: skip
    body = {
        "product_id": product["id"], "customer_id": "cust_12345", "license_type": "floating",
        "customer_email": "customer@example.com", "features": ["pro", "analytics"],
        "valid_days": 365, "max_seats": SEATS,
    }  # fmt: skip
    with ThreadPoolExecutor(8) as clients:
        made = list(clients.map(lambda _: ask(port, "POST", API, body), range(REAL)))
    keys = ask(port, "GET", f"/api/v1/products/{product['id']}/public-key")["keys"]
    token = base64.b64decode(made[0]["license_blob"]).decode()
    head = token.split(".")[0]
    kid = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]
    listed = keys["keys"] if isinstance(keys, dict) else keys
    public = next(key["x"] for key in listed if key.get("kid") == kid)
    return {"product": product["id"], "public": public, "licenses": made}


def serve_command(licentia: str, place: Place, url: str | None) -> list[str]:
    """licentia as it is by default, but for where it listens and how often it may be asked."""
    folder = place.folder if url is None else place.folder.with_name(f"{place.folder.name}-pg")
    command = [licentia, "serve", "--data", str(folder), "--listen", "127.0.0.1:0"]
    command += ["--requests-per-key", "0", "--requests-per-address", "0"]
    return command + (["--database", url] if url else [])


def make(licentia: str, places: list[Place], work: pathlib.Path) -> None:
    """Makes and fills all databases."""
    for place in places:
        urls: list[str | None] = [None]
        if place.cluster:
            place.cluster.sql("postgres", f"CREATE DATABASE {place.database};")
            urls.append(place.cluster.url(place.database))
        for url in urls:
            command = serve_command(licentia, place, url)
            with serving("licentia", command, work / "servers.log") as (port, _):
                place.real["postgres" if url else "sqlite"] = set_up(port)
        took = f"SQLite {fill.sqlite(place.file, place.count):.0f} s"
        if place.cluster:
            seconds = fill.postgres(place.cluster, place.database, place.count)
            took += f", PostgreSQL {seconds:.0f} s"
        print(f"Filled with {place.count:,} licenses: {took}.", file=sys.stderr)


def commands(licentia: str, floor: str, node: str, place: Place, all_of: bool) -> dict[str, Any]:
    """What serves a place: each with the requests it is asked."""
    file, real = str(place.file), place.real
    found: dict[str, Any] = {
        OURS_SQLITE: (serve_command(licentia, place, None), "sqlite"),
        SQLX_SQLITE: ([floor, f"sqlite:{file}", KEY, real["sqlite"]["public"]], "sqlite"),
    }
    if place.cluster:
        url = place.cluster.url(place.database)
        found[OURS_POSTGRES] = (serve_command(licentia, place, url), "postgres")
        found[SQLX_POSTGRES] = ([floor, url, KEY, real["postgres"]["public"]], "postgres")
    if all_of:
        script = str(HERE / "fastify.mjs")
        found[FASTIFY] = (["node", script, file, KEY, real["sqlite"]["public"]], "sqlite")
        if not node:
            del found[FASTIFY]
        app = str(HERE / "fastapi_app.py")
        found[FASTAPI] = ([sys.executable, app, file, KEY], "sqlite")
    return found


def line(method: str, path: str, body: Any = None) -> str:
    return f"{method}\t{path}\t{'' if body is None else json.dumps(body, separators=(',', ':'))}"


def requests(place: Place, engine: str) -> dict[str, list[str]]:
    """What is asked, of each kind: about licenses at random, the same for all contenders."""
    dice = random.Random(7)
    some = [dice.randrange(place.count) for _ in range(min(ASKED, place.count))]
    real = place.real[engine]
    product = real["product"]
    report = {"app_version": "2.1.0", "features_used": ["pro"], "seats_in_use": 3}
    return {
        "sync": [
            line("POST", f"{API}/sync", {"license_serial": fill.serial(number),
                 "hardware_fingerprint": f"{number:064x}", **report})
            for number in some
        ],
        "verify": [
            line("POST", f"{API}/verify",
                 {"license_blob": license["license_blob"], "product_id": product})
            for license in real["licenses"]
        ],
        "get": [line("GET", f"{API}/{fill.license_id(number)}") for number in some],
        "list, page 1": [line("GET", API)],
        "list, in the middle": [line("GET", f"{API}?page={place.count // 40 + 1}")],
        "list, active ones": [line("GET", f"{API}?status=active")],
        "list, part of an address": [
            line("GET", f"{API}?customer_email=customer{number}%40") for number in some[:1000]
        ],
        "check-revocation of 100": [
            line("POST", f"{API}/check-revocation",
                 {"serials": [fill.serial(dice.randrange(place.count)) for _ in range(100)]})
            for _ in range(200)
        ],
        "seat": [
            line("POST", f"{API}/{fill.license_id(number)}/seats", {"holder": "holder-" + "#" * 12})
            for number in some
        ],
    }  # fmt: skip


# Kind of request, clients, seconds.
TURNS = [
    ("sync", 64, 2), ("sync", 1, 1), ("get", 64, 1), ("verify", 64, 1),
    ("check-revocation of 100", 64, 1), ("seat", 64, 1), ("list, page 1", 8, 1),
    ("list, in the middle", 8, 1), ("list, active ones", 8, 1),
    ("list, part of an address", 8, 3),
]  # fmt: skip
QUICK = [("sync", 64, 1), ("sync", 1, 1), ("get", 64, 1), ("check-revocation of 100", 64, 1),
         ("seat", 64, 1), ("list, page 1", 8, 1)]  # fmt: skip


def spent(pid: int) -> float:
    """Microseconds that a process has had of all processors."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") * 1e6


def at_rest(pid: int, cluster: postgres.Cluster | None) -> bool:
    """Whether a server, and PostgreSQL behind it, has done all that it was asked for."""
    before = spent(pid)
    time.sleep(0.05)
    busy = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND backend_type = "
    mine = " AND pid <> pg_backend_pid();"
    if spent(pid) - before > 10_000:
        return False
    return cluster is None or cluster.sql("postgres", f"{busy}'client backend'{mine}") == "0"


class Bench:
    """All servers, and what was found."""

    def __init__(self, work: pathlib.Path, cluster: postgres.Cluster | None) -> None:
        self.work, self.cluster = work, cluster
        self.found: dict[tuple[str, str, str], list[float]] = {}
        self.number = 0

    def turn(self, name: str, server: tuple[int, int], what: str, asked: pathlib.Path,
             clients: int, seconds: int) -> None:  # fmt: skip
        """Asks one server for so long."""
        port, pid = server
        self.number += 10_000_000
        wrk = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "30s"]
        wrk += ["-s", str(HERE / "asked.lua"), f"http://127.0.0.1:{port}", "--"]
        before = spent(pid)
        run = subprocess.run(
            [*wrk, str(asked), KEY, str(self.number)], capture_output=True, text=True
        )
        if run.returncode:
            fail(f"wrk: {run.stdout}{run.stderr}")
        used = spent(pid) - before
        counted = json.loads(run.stdout.splitlines()[-1])
        if counted["refused"] or counted["failed"]:
            fail(f"{name} has not answered every request for {what}: {counted}")
        # What wrk has not waited for is done before the next one has its turn.
        for _ in range(REST * 20):
            if at_rest(pid, self.cluster if "PostgreSQL" in name else None):
                break
        done = counted["requests"]
        figures = {
            "each second": done / counted["microseconds"] * 1e6,
            "p50": counted["p50"] / 1e3,
            "p99": counted["p99"] / 1e3,
            "processor": used / done if done else 0,
        }
        for figure, value in figures.items():
            self.found.setdefault((name, what, figure), []).append(round(value, 3))

    def tell(self) -> None:
        for (name, what, figure), rounds in self.found.items():
            row = {"language": name, "topic": f"server|{what}", "name": figure, "rounds": rounds}
            print(json.dumps(row))


def checked(name: str, port: int, asked: dict[str, list[str]]) -> None:
    """Asks once for each, so that nothing is measured that is not answered as it should be."""
    for what, lines in asked.items():
        if name == FASTAPI and what not in SMALL:
            continue
        method, path, body = lines[0].replace("#" * 12, name.ljust(12)[:12]).split("\t")
        told = ask(port, method, path, json.loads(body) if body else None)
        good = {
            "sync": lambda: told["status"] == "ok",
            "get": lambda: told["id"] == path.rpartition("/")[2] and told["status"] == "active",
            "verify": lambda: told["valid"] is True,
            "seat": lambda: bool(told),
            "check-revocation of 100": lambda: {it["status"] for it in told["results"]}
            == {"active"},
            "list, part of an address": lambda: told["total"] == 1,
        }.get(what, lambda: told["total"] >= 20 and len(told["licenses"]) == 20)
        if not good():
            fail(f"{name} answers {path} with {json.dumps(told)[:600]}")


def measure(bench: Bench, servers: dict[tuple[str, int], tuple[int, int]],
            asked: dict[tuple[int, str, str], pathlib.Path], engines: dict[str, str],
            turns: list[tuple[str, int, int]], rounds: int) -> None:  # fmt: skip
    """All turns; the contenders change places from round to round."""
    names = list(servers)
    constant = bench.work / "constant.txt"
    constant.write_text(line("GET", "/constant") + "\n")
    floor = next(server for (name, _), server in servers.items() if name == SQLX_SQLITE)
    for number in range(rounds):
        bench.turn(CONSTANT, floor, "constant", constant, 64, 1)
        for what, clients, seconds in turns:
            start = number % len(names)
            for name, count in names[start:] + names[:start]:
                if name == FASTAPI and what not in SMALL:
                    continue
                label = f"{what}, {clients} client{'s' if clients > 1 else ''}|{count}"
                file = asked[count, engines[name], what]
                bench.turn(name, servers[name, count], label, file, clients, seconds)


def prepare(work: pathlib.Path, places: list[Place]) -> dict[tuple[int, str, str], pathlib.Path]:
    """Writes down what is asked."""
    files = {}
    for place in places:
        for engine in place.real:
            for what, lines in requests(place, engine).items():
                name = f"{place.count}-{engine}-{what.replace(' ', '-').replace(',', '')}.txt"
                files[place.count, engine, what] = work / name
                (work / name).write_text("".join(f"{it}\n" for it in lines))
    return files


def load() -> str:
    return " ".join(f"{it:.1f}" for it in os.getloadavg())


def main(licentia: str, floor: str, node: str, folder: str, rounds: str, *options: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: it was told to stop"))
    quick = "--quick" in options
    work = pathlib.Path(folder)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    places = [Place(work, count) for count in ([10_000] if quick else [10_000, 1_000_000])]
    began, load_before = time.monotonic(), load()
    with contextlib.ExitStack() as stack:
        if found := postgres.binaries():
            cluster = stack.enter_context(postgres.cluster(found))
            for place in places:
                place.cluster = cluster
        else:
            print("skipped: PostgreSQL (Debian package postgresql)", file=sys.stderr)
        make(licentia, places, work)
        asked = prepare(work, places)
        servers: dict[tuple[str, int], tuple[int, int]] = {}
        engines: dict[str, str] = {}
        for place in places:
            last = place is places[-1]
            for name, (command, engine) in commands(licentia, floor, node, place, last).items():
                server = stack.enter_context(serving(name, command, work / "servers.log"))
                servers[name, place.count], engines[name] = server, engine
                checked(name, server[0], requests(place, engine))
        bench = Bench(work, places[0].cluster)
        measure(bench, servers, asked, engines, QUICK if quick else TURNS, int(rounds))
        bench.tell()
    shutil.rmtree(work, ignore_errors=True)
    told = f"{os.cpu_count()} processors, load {load_before} before and {load()} after"
    took = f"{time.monotonic() - began:.0f} s in all"
    print(json.dumps({"language": "server", "topic": "machine", "name": f"{told}, {took}",
                      "rounds": []}))  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
