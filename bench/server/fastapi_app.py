"""A license server as one writes it oneself: FastAPI, sqlite3, a transaction for each request, on
the tables of licentia's server. It reports usage and shows a license; the rest is left out.

    fastapi_app.py DATABASE API-KEY
"""

from __future__ import annotations

import json
import socket
import sqlite3
import sys
import threading
import time
import uuid
from typing import Any

import uvicorn
from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel

FILE, KEY = sys.argv[1:3]
HELD = threading.local()
COLUMNS = (
    "id, product_id, serial, customer_id, customer_email, valid_from, valid_until, "
    "features_json, max_seats, created_at, revoked_at, suspended_at"
)
REPORT = """INSERT INTO reports (organization_id, license_id, fingerprint, app_version,
  features_json, seats_in_use, count, created_at, last_seen_at)
  VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)
  ON CONFLICT (license_id, fingerprint) DO UPDATE SET app_version = excluded.app_version,
  features_json = excluded.features_json, seats_in_use = excluded.seats_in_use,
  count = count + 1, last_seen_at = excluded.last_seen_at"""


class Sync(BaseModel):
    license_serial: str
    hardware_fingerprint: str
    app_version: str | None = None
    features_used: list[str] = []
    seats_in_use: int | None = None


def database() -> sqlite3.Connection:
    """The connection of this thread."""
    if not hasattr(HELD, "db"):
        HELD.db = sqlite3.connect(FILE, timeout=10, isolation_level=None)
        HELD.db.execute("PRAGMA synchronous = FULL")
        HELD.db.row_factory = sqlite3.Row
    held: sqlite3.Connection = HELD.db
    return held


ORGANIZATION = database().execute("SELECT id FROM organizations ORDER BY id").fetchone()[0]
app = FastAPI()


def check(authorization: str | None) -> None:
    if authorization != f"Bearer {KEY}":
        raise HTTPException(401)


def standing(row: sqlite3.Row, now: int) -> str:
    if row["revoked_at"] is not None:
        return "revoked"
    if row["suspended_at"] is not None:
        return "suspended"
    ended = row["valid_until"] is not None and row["valid_until"] <= now
    return "expired" if ended else "active"


@app.post("/api/v1/licenses/sync")
def sync(body: Sync, authorization: str | None = Header(None)) -> dict[str, Any]:
    check(authorization)
    db, now, status = database(), int(time.time()), "not_found"
    find = f"SELECT {COLUMNS} FROM licenses WHERE organization_id = ? AND serial = ?"
    db.execute("BEGIN IMMEDIATE")
    try:
        row = db.execute(find, (ORGANIZATION, body.license_serial)).fetchone()
        if row is not None:
            features = json.dumps(body.features_used)
            fixed = (ORGANIZATION, row["id"], body.hardware_fingerprint, body.app_version)
            db.execute(REPORT, (*fixed, features, body.seats_in_use, now, now))
            status = standing(row, now).replace("active", "ok")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    return {"status": status, "message": None, "server_time": now}


@app.get("/api/v1/licenses/{license_id}")
def one(license_id: uuid.UUID, authorization: str | None = Header(None)) -> dict[str, Any]:
    check(authorization)
    find = f"SELECT {COLUMNS} FROM licenses WHERE organization_id = ? AND id = ?"
    row = database().execute(find, (ORGANIZATION, license_id.bytes)).fetchone()
    if row is None:
        raise HTTPException(404)
    told = {name: row[name] for name in row.keys() if name not in ("features_json",)}
    told |= {name: str(uuid.UUID(bytes=row[name])) for name in ("id", "product_id")}
    return told | {
        "features": json.loads(row["features_json"]),
        "status": standing(row, int(time.time())),
    }


class Server(uvicorn.Server):
    """Says where it listens, once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print("listening", self.servers[0].sockets[0].getsockname()[1], flush=True)


if __name__ == "__main__":
    Server(uvicorn.Config(app, "127.0.0.1", 0, log_level="error", access_log=False)).run()
