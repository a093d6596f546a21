"""Measures what it costs that the audited changes of an organization form a chain: licenses made in
a second by eight clients of one organization, by one client of each of eight organizations, and by
one client alone, in turn. bench/README.md says how.

audited.py LICENTIA WORK ROUNDS
"""

from __future__ import annotations

import contextlib
import http.client
import json
import pathlib
import shutil
import signal
import sys
import threading
import time
from statistics import median
from typing import Any

import postgres
from bench import Place, ask, serve_command, serving

API = "/api/v1"
SECONDS = 3.0
CLIENTS = 8


class Shop:
    """An organization with a product, and what a client of it posts."""

    def __init__(self, port: int, name: str) -> None:
        self.port = port
        made = ask(port, "POST", f"{API}/organizations", {"name": name})
        self.key: str = made["api_key"]["key"]
        pair = self.post("key-pairs", {"name": name})["id"]
        product = {"name": name, "code": name.lower(), "key_pair_id": pair}
        self.product = self.post("products", product)["id"]

    def post(self, what: str, body: Any) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        return self.send(connection, what, body)

    def send(self, connection: http.client.HTTPConnection, what: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        connection.request("POST", f"{API}/{what}", json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 201:
            raise SystemExit(f"bench: {what}: {answer.status} {text[:300]!r}")
        return json.loads(text)

    def sell(self, until: float, made: list[int], at: int) -> None:
        """Makes licenses until a time, and notes how many."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while time.monotonic() < until:
            self.send(connection, "licenses", {"product_id": self.product, "valid_days": 365})
            made[at] += 1


def rate(shops: list[Shop]) -> float:
    """Licenses in a second, by one client for each of these."""
    made = [0] * len(shops)
    began = time.monotonic()
    until = began + SECONDS
    clients = [
        threading.Thread(target=shop.sell, args=(until, made, at)) for at, shop in enumerate(shops)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return sum(made) / (time.monotonic() - began)


def measure(port: int, rounds: int) -> dict[str, list[float]]:
    shops = [Shop(port, f"Shop{number}") for number in range(CLIENTS)]
    ways = {
        "one client": shops[:1],
        f"{CLIENTS} clients of one organization": shops[:1] * CLIENTS,
        f"one client each of {CLIENTS} organizations": shops,
    }
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, who in ways.items():
            found[way].append(rate(who))
    return found


def tell(engine: str, found: dict[str, list[float]]) -> None:
    first = next(iter(found.values()))
    print(f"{engine}: licenses made in a second, median of {len(first)}")
    for way, rates in found.items():
        ratio = median(one / other for one, other in zip(rates, first, strict=True))
        print(f"  {way:40} {median(rates):8.0f}   {ratio:5.2f} times one client")


def main(licentia: str, folder: str, rounds: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: it was told to stop"))
    work = pathlib.Path(folder)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    place = Place(work, 0)
    try:
        with contextlib.ExitStack() as stack:
            urls: dict[str, str | None] = {"SQLite": None}
            if found := postgres.binaries():
                cluster = stack.enter_context(postgres.cluster(found))
                cluster.sql("postgres", "CREATE DATABASE bench;")
                urls["PostgreSQL"] = cluster.url("bench")
            else:
                print("skipped: PostgreSQL (Debian package postgresql)", file=sys.stderr)
            for engine, url in urls.items():
                command = serve_command(licentia, place, url)
                with serving("licentia", command, work / "servers.log") as (port, _):
                    tell(engine, measure(port, int(rounds)))
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
