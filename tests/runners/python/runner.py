"""The runner for Python: tests/runners/README.md."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import licentia


def escape(text: str) -> str:
    plain = (chr(b) if 0x20 < b < 0x7F and b not in b"%=" else f"%{b:02X}" for b in text.encode())
    return "".join(plain)


def unescape(text: str) -> bytes:
    head, *rest = text.split("%")
    return head.encode() + b"".join(
        bytes([int(part[:2], 16)]) + part[2:].encode() for part in rest
    )


def facts(license: licentia.License) -> list[str]:
    end = license.expires
    return [
        f"serial={escape(license.serial)}",
        f"customer={escape(license.customer)}",
        f"expires={'never' if end is None else int(end.timestamp())}",
        f"json={escape(license.json)}",
    ]


def grant(license: licentia.License, feature: str) -> str:
    yes = "yes" if license.allows(feature) else "no"
    limit = license.limit(feature)
    amount = "unlimited" if limit == math.inf else limit
    return f"grant={escape(feature)}={yes}={amount}"


def usage(it: licentia.Installation, feature: str) -> str:
    used, limit, resets_at = it.usage(feature)
    amount = "unlimited" if limit == math.inf else limit
    again = "never" if resets_at is None else int(resets_at.timestamp())
    return f"usage={escape(feature)}={used}={amount}={again}"


def gate(it: licentia.Installation, feature: str) -> str:
    refusal = it.gate(feature)
    said = "go" if refusal is None else f"{refusal.status}={escape(refusal.body)}"
    return f"gate={escape(feature)}={said}"


def sit(it: licentia.Installation, seat: Any, verb: str, holder: str, days: str) -> Any:
    """One step with a seat: the one that is held then."""
    if verb == "seat":
        return it.seat(holder, borrow_days=int(days))
    seat.renew() if verb == "seat_renew" else seat.release()
    return seat


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def tell(it: licentia.Installation, verb: str, name: str, data: bytes) -> list[str] | None:
    """One step of a story; None if it is none."""
    text = data.decode()
    if verb == "site":
        it.set(name, text)
    elif verb in ("apply", "apply_older"):
        it.apply(data, older=verb == "apply_older")
    elif verb == "remove":
        return [f"removed={'yes' if it.remove() else 'no'}"]
    elif verb == "first_use":
        it.first_use(None if text == "now" else int(text))
    elif verb in ("record", "record_later", "record_level"):
        getattr(it, verb)(name, int(text))
    elif verb == "record_key":
        it.record_key(name, text)
    elif verb == "access":
        return [f"access={escape(text)}={it.access(text).name.lower()}"]
    elif verb == "gate":
        return [gate(it, text)]
    elif verb == "usage":
        return [usage(it, text)]
    elif verb in ("status", "explain"):
        found = getattr(it, verb)(None if text == "now" else int(text))
        return [f"{verb}={escape(compact(found))}"]
    elif verb == "request":
        return [f"request={name}={escape(it.request(name, text or None))}"]
    elif verb == "call":
        it.call(name, text or None)
    elif verb == "sync":
        it.sync()
    else:
        return None
    return []


def run(line: str) -> list[str]:
    out = ["ok"]
    code, product, license = "", None, None
    folder, it, seat = "", None, None
    for field in line.split("\t"):
        verb, _, rest = field.partition("=")
        name, _, value = rest.rpartition("=")
        name, data = unescape(name).decode(), unescape(value)
        if verb == "product":
            code = data.decode()
        elif verb == "keys":
            product = licentia.Product(code, data.decode())
        elif verb == "trust":
            product.trust(data.decode())
        elif verb == "set":
            product.set(name, data.decode())
        elif verb in ("verify", "inspect"):
            license = getattr(product, verb)(data)
            out += facts(license)
        elif verb == "ask":
            out.append(grant(license, data.decode()))
        elif verb in ("open", "reopen"):
            folder = data.decode() or folder
            it = None
            it = product.open(folder)
        elif verb in ("seat", "seat_renew", "seat_release"):
            seat = sit(it, seat, verb, name, data.decode())
            end = seat.expires
            out.append(f"seat={'none' if end is None else int(end.timestamp())}")
        else:
            told = tell(it, verb, name, data)
            if told is None:
                return ["!", f"not a request: {verb}"]
            out += told
    return out


def main() -> None:
    for line in sys.stdin:
        try:
            answer = run(line.rstrip("\n"))
        except licentia.Error as error:
            answer = [error.code, escape(str(error))]
        print("\t".join(answer), flush=True)


main()
