"""Fills a database of the license server with copies of one of its licenses, in bulk, by SQL.

A copy has an id, a serial number, a license key and a customer of its own, and all else as the
license it is a copy of, the signed token too: so a row is as long as a real one. The indexes of the
table are taken away before and made again after; the statistics are renewed.
"""

from __future__ import annotations

import pathlib
import sqlite3
import time
import uuid

from postgres import Cluster

FACTOR, MASK = 2654435761, 0xFFFFFFFF  # odd: different numbers stay different
START = 1_700_000_000_000  # milliseconds: the copies are older than what is made later


def serial(number: int) -> str:
    """The serial number of a copy."""
    return f"LIC-COPY-{number * FACTOR & MASK:08X}"


def license_id(number: int) -> str:
    """The id of a copy: a UUID of version 7, in the order of the numbers."""
    rest = number * FACTOR & MASK
    text = f"{START + number:012x}7000{0x8000:04x}{rest:012x}"
    return str(uuid.UUID(text))


def email(number: int) -> str:
    """The address of a customer."""
    return f"customer{number}@example.com"


def sqlite(file: pathlib.Path, count: int, more: dict[str, str] | None = None) -> float:
    """Fills a file that nobody has open, with `more` expressions of the number n for columns that
    are to differ. Gives the seconds it took."""
    began = time.monotonic()
    db = sqlite3.connect(file, isolation_level=None)
    for name, function in (("id_of", license_id), ("serial_of", serial)):
        made = (lambda n: uuid.UUID(license_id(n)).bytes) if name == "id_of" else function
        db.create_function(name, 1, made, deterministic=True)
    values = {
        "id": "id_of(n)",
        "serial": "serial_of(n)",
        "key_digest": "printf('%064x', n)",
        "token_id": "printf('%016x', n)",
        "customer_id": "printf('cust_%d', n)",
        "customer_email": "printf('customer%d@example.com', n)",
        "customer_email_lower": "printf('customer%d@example.com', n)",
        **(more or {}),
    }
    columns = [row[1] for row in db.execute("PRAGMA table_info(licenses)")]
    chosen = ", ".join(values.get(column, f"one.{column}") for column in columns)
    found = "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'licenses' AND type = 'index'"
    indexes = db.execute(f"{found} AND sql IS NOT NULL").fetchall()
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA journal_mode = WAL")
    for name, _ in indexes:
        db.execute(f'DROP INDEX "{name}"')
    db.execute(
        "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers "
        f"WHERE n + 1 < {count}) INSERT INTO licenses ({', '.join(columns)}) SELECT {chosen} "
        "FROM numbers, (SELECT * FROM licenses LIMIT 1) AS one"
    )
    for _, statement in indexes:
        db.execute(statement)
    db.execute("ANALYZE")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return time.monotonic() - began


def postgres(
    cluster: Cluster, database: str, count: int, more: dict[str, str] | None = None
) -> float:
    """Fills a database. Gives the seconds it took."""
    began = time.monotonic()
    rest = f"((n::bigint * {FACTOR}) & {MASK})"
    values = {
        "id": f"(lpad(to_hex({START} + n), 12, '0') || '70008000' || "
        f"lpad(to_hex({rest}), 12, '0'))::uuid",
        "serial": f"'LIC-COPY-' || upper(lpad(to_hex({rest}), 8, '0'))",
        "key_digest": "lpad(to_hex(n), 64, '0')",
        "token_id": "lpad(to_hex(n), 16, '0')",
        "customer_id": "'cust_' || n",
        "customer_email": "'customer' || n || '@example.com'",
        "customer_email_lower": "'customer' || n || '@example.com'",
        **(more or {}),
    }
    named = "SELECT column_name FROM information_schema.columns WHERE table_name = 'licenses'"
    columns = cluster.sql(database, f"{named} ORDER BY ordinal_position;").splitlines()
    chosen = ", ".join(values.get(column, f'one."{column}"') for column in columns)
    listed = "SELECT indexdef FROM pg_indexes WHERE tablename = 'licenses'"
    indexes = cluster.sql(database, f"{listed} AND indexname NOT LIKE '%_pkey';").splitlines()
    drops = cluster.sql(
        database,
        "SELECT 'DROP INDEX ' || indexname || ';' FROM pg_indexes WHERE tablename = 'licenses' "
        "AND indexname NOT LIKE '%_pkey';",
    )
    names = ", ".join(f'"{column}"' for column in columns)
    cluster.sql(
        database,
        f"SET synchronous_commit = off; SET maintenance_work_mem = '256MB'; {drops}\n"
        f"INSERT INTO licenses ({names}) SELECT {chosen} "
        f"FROM (SELECT * FROM licenses LIMIT 1) AS one, generate_series(0, {count - 1}) AS n;"
        + "".join(f"{statement};\n" for statement in indexes),
    )
    cluster.sql(database, "VACUUM ANALYZE;")
    cluster.sql(database, "CHECKPOINT;")
    return time.monotonic() - began
