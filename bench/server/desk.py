"""Measures what the vendor's desk asks for, with many licenses: reports, lists and pages, side by
side on both databases. bench/README.md says how.

desk.py LICENTIA WORK ROUNDS COUNT [PATH...]

Fills a database of each kind with COUNT licenses of four products, made over two years, of all
standings; six activations for ten of them, seats, usage, and a year of figures. Then every path is
asked ROUNDS times by one client, and the median is told. Paths below /api/ are asked with the key
of an administrator, others as whoever signed in at the desk.
"""

from __future__ import annotations

import contextlib
import http.client
import pathlib
import shutil
import signal
import sqlite3
import sys
import time
import urllib.parse
from statistics import median

import fill
import postgres
from bench import KEY, Place, ask, at_rest, fail, serve_command, serving, set_up

API = "/api/v1"
DAY = 86_400
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


def more(products: list[str], now: int, uuid: str) -> dict[str, str]:
    """What differs from license to license, in words that both databases know: `uuid` is how an id
    is written."""
    n = "CAST(n AS bigint)"
    made = f"({now} - ({n} * 7919 % 730) * {DAY} - {n} % {DAY})"
    until = f"({made} + (CASE WHEN {n} % 4 = 0 THEN 365 ELSE 1095 END) * {DAY})"
    product = " ".join(
        f"WHEN {at} THEN {uuid.replace('ID', id.replace('-', '') if 'x' in uuid else id)}"
        for at, id in enumerate(products)
    )
    soon = now + 7 * DAY
    return {
        "product_id": f"CASE {n} % {len(products)} {product} END",
        "created_at": made,
        "updated_at": made,
        "valid_from": made,
        "valid_until": f"CASE WHEN {n} % 9 = 0 THEN NULL ELSE {until} END",
        "suspended_at": f"CASE WHEN {n} % 50 = 0 THEN {now} - {n} % 30 * {DAY} END",
        "revoked_at": f"CASE WHEN {n} % 33 = 0 THEN {now} - {n} % 300 * {DAY} END",
        "max_seats": f"1 + {n} % 10",
        "announced": f"CASE WHEN {until} <= {now} THEN 2 WHEN {until} <= {soon} THEN 1 ELSE 0 END",
        "customer_name": f"'Customer ' || {n}",
        "search": f"'customer ' || {n} || ' customer' || {n} || '@example.com'",
    }


def beside(now: int, uuid: str, hash_of: str) -> list[str]:
    """Statements that give licenses activations, seats, usage and a past."""
    month = now // DAY * DAY - 20 * DAY
    key = "'ed25519:' || '" + "A" * 43 + "'"
    return [
        # What was reckoned before there were so many.
        "DELETE FROM figures",
        "DELETE FROM meta WHERE name LIKE 'figures_%'",
        "INSERT INTO activations (id, organization_id, license_id, installation, public_key, seq, "
        "ledger_json, created_at, last_seen_at, deactivated_at, spent, sdk) "
        f"SELECT {uuid}, organization_id, id, {uuid}, {key}, 1, '{{}}', created_at + 3600, "
        f"{now}, CASE WHEN {hash_of} % 12 = 0 THEN {now} - {hash_of} % 90 * {DAY} END, '', "
        f"'licentia/0.1.0' FROM licenses WHERE {hash_of} % 10 < 6",
        "INSERT INTO seats (organization_id, license_id, seat, id, holder, borrowed, acquired_at, "
        "renewed_at, expires_at) SELECT organization_id, id, number, "
        f"{uuid}, 'holder ' || number, (1 = 0), {now} - 9000, {now} - 60, "
        f"{now} + {hash_of} % 50 * 3600 - 36000 FROM licenses, "
        f"(SELECT 1 AS number UNION ALL SELECT 2) AS two WHERE {hash_of} % 10 = 7",
        "INSERT INTO usage (organization_id, license_id, activation_id, feature, kind, period, "
        "lost, used, updated_at) SELECT l.organization_id, l.license_id, l.id, feature, kind, "
        f"{month} - back * 30 * {DAY}, 0, 1 + {hash_of.replace('id', 'l.id')} % 1000, {now} "
        "FROM activations l, (SELECT 'exports' AS feature, 'month' AS kind UNION ALL "
        "SELECT 'documents', 'level') AS meters, (SELECT 0 AS back UNION ALL SELECT 1) AS months",
        "INSERT INTO figures (organization_id, metric, product_id, label, day, value, updated_at) "
        "SELECT p.organization_id, metric, p.id, '', day, 1000 + day / 86400 % 97, day FROM "
        "products p, (SELECT 'syncs' AS metric UNION ALL SELECT 'seats_peak' UNION ALL "
        "SELECT 'licenses_suspended') AS metrics, "
        f"(WITH RECURSIVE days(day) AS (SELECT CAST({now // DAY * DAY - 365 * DAY} AS bigint) "
        f"UNION ALL SELECT day + {DAY} FROM days WHERE day < {now // DAY * DAY - DAY}) "
        "SELECT day FROM days) AS days",
    ]


def products(port: int) -> list[str]:
    """Three products more, and the ids of all four."""
    for code in ("one", "two", "three"):
        ask(port, "POST", f"{API}/products", {"name": code.title(), "code": code})
    return [it["id"] for it in ask(port, "GET", f"{API}/products")["products"]]


def make(licentia: str, place: Place, work: pathlib.Path) -> None:
    """Makes and fills the databases."""
    urls: list[str | None] = [None]
    if place.cluster:
        place.cluster.sql("postgres", f"CREATE DATABASE {place.database};")
        urls.append(place.cluster.url(place.database))
    now = int(time.time())
    for url in urls:
        with serving("licentia", serve_command(licentia, place, url), work / "servers.log") as it:
            place.real["postgres" if url else "sqlite"] = set_up(it[0])
            ids = products(it[0])
        began = time.monotonic()
        if url is None:
            fill.sqlite(place.file, place.count, more(ids, now, "x'ID'"))
            db = sqlite3.connect(place.file, isolation_level=None)
            db.create_function("hashed", 1, lambda id: int.from_bytes(id[-4:]), deterministic=True)
            db.execute("PRAGMA synchronous = OFF")
            for statement in beside(now, "randomblob(16)", "hashed(id)"):
                db.execute(statement)
            db.execute("ANALYZE")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.close()
        elif place.cluster:
            fill.postgres(place.cluster, place.database, place.count, more(ids, now, "'ID'::uuid"))
            for statement in beside(now, "gen_random_uuid()", "abs(hashtext(id::text)::bigint)"):
                place.cluster.sql(place.database, f"{statement};")
            place.cluster.sql(place.database, "VACUUM ANALYZE;")
        kind = "PostgreSQL" if url else "SQLite"
        took = time.monotonic() - began
        print(f"Filled {kind} with {place.count:,} licenses: {took:.0f} s.", file=sys.stderr)


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
