"""Report what was used to the vendor's license server over an HTTP stack of your own.

The same as ``online.py``, for hosts that have their own way out: a client with its own proxies,
certificates, retries and logs. ``request`` gives the text to send, ``apply`` takes the answer.

    report.py URL KEYS PRODUCT FOLDER AMOUNT [KEY] [NAME=VALUE]...

Opens the installation in FOLDER, activates it with a license key if one is given (the first time
is enough), counts AMOUNT more of its feature, and syncs. Prints one line of JSON. It ends with 0
if the server has the report, with 3 if it was not reached, and with 1 if something was refused.

What is sent is signed by this installation, and the answer by the vendor for this request alone:
whoever changes it on its way is refused. So plain HTTP is safe; with HTTPS it is private too.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import licentia

FEATURE = "exports"
ANSWER_MAX = 1024 * 1024


class ServerError(Exception):
    """The license server said no, or (`unreachable`) nothing at all."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def post(url: str, text: str) -> str:
    """Sends a request to the license server, and gives what was signed for it."""
    body = json.dumps({"request": text}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/api/v1/requests", body, headers)
    try:
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                status, data = response.status, response.read(ANSWER_MAX)
        except urllib.error.HTTPError as error:
            with error:
                status, data = error.code, error.read(ANSWER_MAX)
        answer = json.loads(data)
    except (OSError, ValueError) as error:
        raise ServerError("unreachable", f"{url}: {error}") from error
    if not isinstance(answer, dict):
        answer = {}
    if status == 200 and isinstance(answer.get("answer"), str):
        return str(answer["answer"])
    if 400 <= status < 500 and status != 429 and "code" in answer:
        raise ServerError(str(answer["code"]), str(answer.get("detail")))
    # A proxy that wants a login, a server that has too much to do: later, things may be better.
    what = f"{url} answered {status}, and nothing that was signed"
    raise ServerError("unreachable", what)


def attempt(step: Callable[[], None]) -> int:
    """Does something, and says what went wrong; the status to end with."""
    try:
        step()
    except (ServerError, licentia.Error) as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        # No answer says nothing of the license. What was counted is on disk, for the next report.
        return 3 if error.code == "unreachable" else 1
    return 0


def report(installation: licentia.Installation, url: str, amount: int, key: str | None) -> int:
    """Does it all; the status to end with."""

    def exchange(what: str, argument: str | None = None) -> None:
        # What apply refuses changes nothing.
        installation.apply(post(url, installation.request(what, argument)))

    # Where counting is refused it still syncs: so it learns of a renewal.
    ended = [
        attempt(lambda: exchange("activation", key)) if key else 0,
        attempt(lambda: installation.record(FEATURE, amount)) if amount else 0,
        attempt(lambda: exchange("sync")),
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
    with product.open(folder) as installation:
        ended = report(installation, url.rstrip("/"), int(amount), key)
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
        usage = "usage: report.py URL KEYS PRODUCT FOLDER AMOUNT [KEY] [NAME=VALUE]..."
        print(usage, file=sys.stderr)
        sys.exit(2)
    try:
        sys.exit(main(*sys.argv[1:]))
    except licentia.Error as error:
        sys.exit(f"{error.code}: {error}")
    except OSError as error:
        sys.exit(f"io: {error}")
