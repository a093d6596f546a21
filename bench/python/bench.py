"""Times all contenders in Python in turn: one batch of each per round.

bench.py TOKEN KEYS RAW_KEY PRODUCT FOLDER ROUNDS
"""

import base64
import importlib
import json
import sys
import time
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import licentia

FEATURE = "exports"
Verify = Callable[[bytes], object]


def check_claims(payload: bytes, product: str) -> dict[str, Any]:
    """What one checks by oneself once a signature holds."""
    claims: dict[str, Any] = json.loads(payload)
    now = time.time()
    license = claims["license"]
    if claims["aud"] != product or claims["exp"] <= now:
        raise ValueError("not for this product, or over")
    if not license["valid_from"] <= now < license["valid_until"]:
        raise ValueError("not in force")
    return claims


def parts(token: bytes) -> tuple[bytes, bytes, bytes]:
    """What was signed, the payload and the signature."""
    signed, _, signature = token.rpartition(b".")
    payload = signed.partition(b".")[2]
    decode = base64.urlsafe_b64decode
    return signed, decode(payload + b"=="), decode(signature + b"==")


def with_pynacl(key: bytes, product: str) -> Verify:
    from nacl.signing import VerifyKey

    held = VerifyKey(key)

    def verify(token: bytes) -> object:
        signed, payload, signature = parts(token)
        held.verify(signed, signature)
        return check_claims(payload, product)

    return verify


def with_cryptography(key: bytes, product: str) -> Verify:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    held = Ed25519PublicKey.from_public_bytes(key)

    def verify(token: bytes) -> object:
        signed, payload, signature = parts(token)
        held.verify(signature, signed)
        return check_claims(payload, product)

    return verify


def with_pyjwt(key: bytes, product: str) -> Verify:
    import jwt
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    held = Ed25519PublicKey.from_public_bytes(key)

    def verify(token: bytes) -> object:
        claims = jwt.decode(token, held, algorithms=["EdDSA"], audience=product)
        now = time.time()
        if not claims["license"]["valid_from"] <= now < claims["license"]["valid_until"]:
            raise ValueError("not in force")
        return claims

    return verify


PEERS = {
    "PyNaCl + json": ("nacl", with_pynacl),
    "cryptography + json": ("cryptography", with_cryptography),
    "PyJWT": ("jwt", with_pyjwt),
}


class Plain:
    """What one writes without licentia, once the claims are there. It never ends."""

    def __init__(self, features: frozenset[str]) -> None:
        self.features = features

    def allows(self, feature: str) -> bool:
        return feature in self.features


class Dated(Plain):
    """The same, and it looks at the clock."""

    def __init__(self, features: frozenset[str], until: float) -> None:
        super().__init__(features)
        self.until = until

    def allows(self, feature: str) -> bool:
        return feature in self.features and time.time() < self.until


def verifiers(token: bytes, keys: str, key: bytes, product: str) -> dict[str, timeit.Timer]:
    ours = licentia.Product(product, keys)
    found: dict[str, Verify] = {"licentia": ours.verify}
    for name, (module, make) in PEERS.items():
        try:
            importlib.import_module(module)
        except ImportError as error:
            skipped = {"language": "Python", "skipped": name, "why": str(error)}
            print(json.dumps(skipped))
        else:
            found[name] = make(key, product)
    return {
        name: timeit.Timer("verify(token)", globals={"verify": verify, "token": token})
        for name, verify in found.items()
    }


def askers(
    license: licentia.License, installation: licentia.Installation
) -> dict[str, timeit.Timer]:
    features = frozenset(license.features)
    until = license.expires.timestamp() if license.expires else float("inf")
    subjects: dict[str, tuple[str, object]] = {
        "licentia, license.allows(f)": ("it.allows(f)", license),
        "licentia, f in license": ("f in it", license),
        "licentia, installation.allows(f)": ("it.allows(f)", installation),
        "licentia, f in installation": ("f in it", installation),
        "f in a frozenset": ("f in it", features),
        "f in a dict": ("f in it", dict(license.features)),
        "a Python method over a frozenset": ("it.allows(f)", Plain(features)),
        "the same, with the clock": ("it.allows(f)", Dated(features, until)),
    }
    # Ten in a row, so that timeit's own loop is a tenth of what it would be. Local names, as in
    # any function that asks.
    names = {name: {"given": (it, FEATURE)} for name, (_, it) in subjects.items()}
    return {
        name: timeit.Timer("; ".join([code] * 10), "it, f = given", globals=names[name])
        for name, (code, _) in subjects.items()
    }


def measure(
    topic: str, timers: dict[str, timeit.Timer], batch: int, each: int, rounds: int
) -> None:
    times: dict[str, list[float]] = {name: [] for name in timers}
    names = list(timers)
    for round_number in range(-1, rounds):  # the first is not counted
        turn = round_number % len(names)
        for name in names[turn:] + names[:turn]:
            taken = timers[name].timeit(batch) / batch / each * 1e9
            if round_number >= 0:
                times[name].append(round(taken, 2))
    for name, measured in times.items():
        row = {"language": "Python", "topic": topic, "name": name, "rounds": measured}
        print(json.dumps(row))


def main(
    token_file: str, keys_file: str, key_file: str, product: str, folder: str, rounds: str
) -> None:
    token = Path(token_file).read_bytes()
    keys = Path(keys_file).read_text()
    license = licentia.Product(product, keys).verify(token)
    installation = licentia.Product(product, keys).open(folder)
    installation.apply(token)
    assert license.allows(FEATURE) and installation.allows(FEATURE)
    timers = verifiers(token, keys, Path(key_file).read_bytes(), product)
    measure("verify", timers, 20, 1, int(rounds))
    measure("allows", askers(license, installation), 1000, 10, int(rounds))


if __name__ == "__main__":
    main(*sys.argv[1:])
