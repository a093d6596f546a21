"""Activate, count what was used, and sync with the vendor's license server.

    online.py URL KEYS PRODUCT FOLDER AMOUNT [KEY] [NAME=VALUE]...

Opens the installation in FOLDER, activates it with a license key if one is given (the first time
is enough), counts AMOUNT more of its feature, and syncs. Prints one line of JSON. It ends with 0
if the server has the report, with 3 if it was not reached, and with 1 if something was refused.

What is sent is signed by this installation, and the answer by the vendor for this request alone:
whoever changes it on its way is refused. So plain HTTP is safe; with HTTPS it is private too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import licentia

FEATURE = "exports"


def attempt(step: Callable[[], None]) -> int:
    """Does something, and says what went wrong; the status to end with."""
    try:
        step()
    except licentia.UnreachableError as error:
        # No answer says nothing of the license. What was counted is on disk, for the next sync.
        print(f"{error.code}: {error}", file=sys.stderr)
        return 3
    except licentia.Error as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 1
    return 0


def report(installation: licentia.Installation, amount: int, key: str | None) -> int:
    """Does it all; the status to end with."""
    # Where counting is refused it still syncs: so it learns of a renewal.
    ended = [
        attempt(lambda: installation.call("activation", key)) if key else 0,
        attempt(lambda: installation.record(FEATURE, amount)) if amount else 0,
        attempt(installation.sync),
    ]
    return next(filter(None, ended), 0)


def main(url: str, keys: str, code: str, folder: str, amount: str, *rest: str) -> int:
    product, key = licentia.Product(code, Path(keys).read_bytes()), None
    for word in rest:
        name, equals, value = word.partition("=")
        if equals:
            product.set(name, value)
        else:
            key = word
    with product.open(folder, server=url) as installation:
        ended = report(installation, int(amount), key)
        status = installation.status()
    used = [feature["used"] for feature in status["features"] if feature["id"] == FEATURE]
    told = {
        "status": status["reason"],
        "used": used[0] if used else None,
        "last_contact": status["issuer"]["last_contact"],
    }
    print(json.dumps(told))
    return ended


if __name__ == "__main__":
    if len(sys.argv) < 6 or not sys.argv[5].isdecimal():
        usage = "usage: online.py URL KEYS PRODUCT FOLDER AMOUNT [KEY] [NAME=VALUE]..."
        print(usage, file=sys.stderr)
        sys.exit(2)
    try:
        sys.exit(main(*sys.argv[1:]))
    except licentia.Error as error:
        sys.exit(f"{error.code}: {error}")
    except OSError as error:
        sys.exit(f"io: {error}")
