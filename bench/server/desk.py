"""Measures what the vendor's desk asks for, with many licenses: reports, lists and pages, side by
side on both databases. bench/README.md says how.

desk.py LICENTIA WORK ROUNDS COUNT [PATH...]

Fills a database of each kind with COUNT licenses (large.py says with what). Then every path is
asked ROUNDS times by one client, and the median is told. Paths below /api/ are asked with the key
of an administrator, others as whoever signed in at the desk.
"""

from __future__ import annotations

import contextlib
import http.client
import pathlib
import shutil
import signal
import sys
import time
import urllib.parse
from statistics import median

import large
import postgres
from bench import KEY, Place, ask, at_rest, fail, serve_command, serving
from large import API

GOAL = 300.0  # milliseconds at the median
PATHS = [
    f"{API}/reports/overview",
    f"{API}/reports/overview?product_id=PRODUCT",
    f"{API}/reports/series?metric=licenses_active",
    f"{API}/reports/series?metric=syncs&product_id=PRODUCT",
    f"{API}/reports/series?metric=seats_peak",
    f"{API}/reports/expiring?days=90",
    f"{API}/reports/expiring?days=90&product_id=PRODUCT",
    f"{API}/reports/usage",
    f"{API}/reports/usage?feature=exports",
    f"{API}/reports/usage?license_id=LICENSE&feature=exports",
]


def make(licentia: str, place: Place, work: pathlib.Path) -> None:
    """Makes and fills the databases."""
    urls: list[str | None] = [None]
    if place.cluster:
        place.cluster.sql("postgres", f"CREATE DATABASE {place.database};")
        urls.append(place.cluster.url(place.database))
    for url in urls:
        began = time.monotonic()
        engine = "postgres" if url else "sqlite"
        place.real[engine] = large.make(licentia, place, url, work / "servers.log")
        took = time.monotonic() - began
        print(f"{engine}: {place.count:,} licenses in {took:.0f} s", file=sys.stderr)


def sign_in(port: int) -> str:
    """The cookie of a session at the desk."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    form = urllib.parse.urlencode({"api_key": KEY})
    origin = f"http://127.0.0.1:{port}"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin}
    connection.request("POST", "/sign-in", form, headers)
    cookie = connection.getresponse().getheader("Set-Cookie")
    return cookie.split(";")[0] if cookie else fail("nobody can sign in at the desk")


def timed(port: int, path: str, rounds: int, cookie: str) -> float:
    """Milliseconds of one request, at the median."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    key = {"Authorization": f"Bearer {KEY}"}
    headers = key if path.startswith("/api/") else {"Cookie": cookie}
    found = []
    for _ in range(rounds + 1):
        began = time.monotonic()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        found.append((time.monotonic() - began) * 1e3)
        if answer.status != 200:
            fail(f"{path}: {answer.status} {body[:300]!r}")
    # The first one makes what the others find.
    return median(found[1:])


def summarized(port: int, server: int, place: Place, url: str | None) -> float:
    """Waits until figures are reckoned, and everything rests. Gives the seconds."""
    began = time.monotonic()
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    while (ask(port, "GET", f"{API}/reports/series")["as_of"] or "") < since:
        time.sleep(0.2)
    took = time.monotonic() - began
    while not at_rest(server, place.cluster if url else None):
        time.sleep(0.2)
    return took


def measure(licentia: str, place: Place, work: pathlib.Path, rounds: int,
            paths: list[str]) -> dict[str, dict[str, float]]:  # fmt: skip
    """The medians of all paths, by database."""
    found: dict[str, dict[str, float]] = {}
    for engine, real in place.real.items():
        url = place.cluster.url(place.database) if engine == "postgres" and place.cluster else None
        command = serve_command(licentia, place, url)
        with serving("licentia", command, work / "servers.log") as (port, server):
            took = summarized(port, server, place, url)
            print(f"{engine}: all figures after a start: {took:.1f} s", file=sys.stderr)
            pages = [path for path in paths if not path.startswith("/api/")]
            cookie = sign_in(port) if pages else ""
            for path in paths:
                one = path.replace("PRODUCT", real["product"])
                one = one.replace("LICENSE", real["licenses"][0]["id"])
                found.setdefault(path, {})[engine] = timed(port, one, rounds, cookie)
    return found


def tell(found: dict[str, dict[str, float]], count: int, rounds: int) -> None:
    engines = list(next(iter(found.values())))
    print(f"\nMilliseconds at the median of {rounds}, {count:,} licenses, one client")
    print(f"  {'':58}" + "".join(f"{engine:>12}" for engine in engines))
    for path, row in found.items():
        name = path.removeprefix(f"{API}/")
        line = f"  {name:58}" + "".join(f"{row[engine]:12.1f}" for engine in engines)
        print(line + ("   MISSED" if max(row.values()) > GOAL else ""))


def main(licentia: str, folder: str, rounds: str, count: str, *paths: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: it was told to stop"))
    work = pathlib.Path(folder)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    place = Place(work, int(count))
    try:
        with contextlib.ExitStack() as stack:
            if found := postgres.binaries():
                place.cluster = stack.enter_context(postgres.cluster(found))
            else:
                print("skipped: PostgreSQL (Debian package postgresql)", file=sys.stderr)
            make(licentia, place, work)
            medians = measure(licentia, place, work, int(rounds), PATHS + list(paths))
        tell(medians, place.count, int(rounds))
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
