"""The runner for Python: tests/runners/README.md."""

from __future__ import annotations

import math
import sys

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


def run(line: str) -> list[str]:
    out = ["ok"]
    code, product, license = "", None, None
    for field in line.split("\t"):
        verb, _, rest = field.partition("=")
        name, _, value = rest.rpartition("=") if verb == "set" else ("", "", rest)
        data = unescape(value)
        if verb == "product":
            code = data.decode()
        elif verb == "keys":
            product = licentia.Product(code, data.decode())
        elif verb == "trust":
            product.trust(data.decode())
        elif verb == "set":
            product.set(unescape(name).decode(), data.decode())
        elif verb in ("verify", "inspect"):
            license = getattr(product, verb)(data)
            out += facts(license)
        elif verb == "ask":
            out.append(grant(license, data.decode()))
        else:
            return ["!", f"not a request: {verb}"]
    return out


def main() -> None:
    for line in sys.stdin:
        try:
            answer = run(line.rstrip("\n"))
        except licentia.Error as error:
            answer = [error.code, escape(str(error))]
        print("\t".join(answer), flush=True)


main()
