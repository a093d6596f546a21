"""Has one process sync with a license server, over HTTP and over TLS, in turn.

bench.py LICENTIA PROGRAM WORK ROUNDS

Both servers are `licentia serve` on one SQLite database each, in WORK, as they are by default but
for where they listen and how often they may be asked. They are stopped at the end.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CODE = "bench"
ADMIN_KEY = "an-administrator-key-that-is-made-up-for-the-bench"


@contextlib.contextmanager
def serving(licentia: str, data: Path, more: list[str]) -> Iterator[str]:
    """The root URL of a server, which is stopped afterwards."""
    command = [licentia, "serve", "--data", str(data), "--listen", "127.0.0.1:0", *more]
    command += ["--requests-per-address", "0"]
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=data.with_suffix(".log").open("w"), text=True,
        env={**os.environ, "LICENTIA_ADMIN_KEY": ADMIN_KEY},
    )  # fmt: skip
    try:
        assert server.stdout is not None
        _, found, root = server.stdout.readline().strip().partition("listening on ")
        if not found:
            sys.exit(f"bench: licentia serve does not start: {data.with_suffix('.log')}")
        yield root
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def ask(root: str, path: str, body: Any = None) -> Any:
    """Asks as the administrator, by no proxy."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{root}/api/v1{path}", data)
    request.add_header("Authorization", f"Bearer {ADMIN_KEY}")
    request.add_header("Content-Type", "application/json")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        return json.load(answer)


def sell(root: str, keys: Path) -> str:
    """Makes a product and a license; writes the keys, and gives the license key."""
    pair = ask(root, "/key-pairs", {"name": CODE})
    product = {"name": "Bench", "code": CODE, "key_pair_id": pair["id"]}
    made = ask(root, "/products", product)["id"]
    license = {
        "product_id": made, "customer_name": "Example Labs", "features": ["reports", "api"],
        "entitlements": [{"id": "exports", "meter": "count", "per": "month"}], "valid_days": 30,
        "terms": {"sync_days": 7},
    }  # fmt: skip
    key = ask(root, "/licenses", license)["license_key"]
    keys.write_text(json.dumps(ask(root, f"/products/{made}/public-key")["keys"]))
    return str(key)


def certificate(work: Path) -> tuple[Path, Path]:
    """One for 127.0.0.1 that signs itself, and its key."""
    made, key = work / "tls.pem", work / "tls.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "30", "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1",
         "-addext", "basicConstraints=critical,CA:FALSE",
         "-keyout", str(key), "-out", str(made)],
        check=True, capture_output=True,
    )  # fmt: skip
    return made, key


def main(licentia: str, program: str, folder: str, rounds: str) -> None:
    # However it is told to end, it stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work = Path(folder)
    keys, state = work / "keys.jwks", work / "state"
    state.mkdir()
    made, key = certificate(work)
    tls = ["--tls-certificate", str(made), "--tls-key", str(key)]
    data = work / "data"
    # One server at a time has the folder, so the same license is in the copy that speaks TLS.
    with serving(licentia, data, []) as root:
        license_key = sell(root, keys)
    copy = work / "secure"
    subprocess.run(["cp", "-a", str(data), str(copy)], check=True)
    with serving(licentia, data, []) as plain, serving(licentia, copy, tls) as secure:
        command = [program, str(keys), CODE, str(state), license_key, rounds, plain, secure]
        subprocess.run([*command, str(made)], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
