"""Fills a database of the license server with very many licenses, and with what is beside them.

large.py LICENTIA FOLDER COUNT

Makes COUNT licenses of four products in a SQLite database in FOLDER, which is new: made over two
years, of all standings; six activations for ten of them, seats, usage, and a year of figures.
Prints the administrator's key.
"""

from __future__ import annotations

import pathlib
import sqlite3
import sys
import tempfile
import time
from typing import Any

import fill
from bench import KEY, Place, ask, serve_command, serving, set_up

API = "/api/v1"
DAY = 86_400


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


def hashed(id: bytes) -> int:
    """A number that is another for each id."""
    return int.from_bytes(id[-4:], "big")


def prepare(port: int) -> dict[str, Any]:
    """What copies are made of: four products, one of them with a policy, and some licenses."""
    real = set_up(port)
    for code in ("one", "two", "three"):
        ask(port, "POST", f"{API}/products", {"name": code.title(), "code": code})
    real["products"] = [it["id"] for it in ask(port, "GET", f"{API}/products")["products"]]
    policy = {"product_id": real["product"], "name": "Standard", "valid_days": 365}
    ask(port, "POST", f"{API}/policies", policy)
    return real


def make(licentia: str, place: Place, url: str | None, log: pathlib.Path) -> dict[str, Any]:
    """Makes and fills a database: in PostgreSQL by its URL, or the file of the place."""
    now = int(time.time())
    with serving("licentia", serve_command(licentia, place, url), log) as (port, _):
        real = prepare(port)
    if url is None:
        fill.sqlite(place.file, place.count, more(real["products"], now, "x'ID'"))
        db = sqlite3.connect(place.file, isolation_level=None)
        db.create_function("hashed", 1, hashed, deterministic=True)
        db.execute("PRAGMA synchronous = OFF")
        for statement in beside(now, "randomblob(16)", "hashed(id)"):
            db.execute(statement)
        db.execute("ANALYZE")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
    elif place.cluster:
        differs = more(real["products"], now, "'ID'::uuid")
        fill.postgres(place.cluster, place.database, place.count, differs)
        for statement in beside(now, "gen_random_uuid()", "abs(hashtext(id::text)::bigint)"):
            place.cluster.sql(place.database, f"{statement};")
        place.cluster.sql(place.database, "VACUUM ANALYZE;")
    return real


def main(licentia: str, folder: str, count: str) -> None:
    place = Place(pathlib.Path(folder), int(count))
    place.folder = pathlib.Path(folder)
    with tempfile.TemporaryDirectory() as work:
        make(licentia, place, None, pathlib.Path(work, "server.log"))
    print(KEY)


if __name__ == "__main__":
    main(*sys.argv[1:])
