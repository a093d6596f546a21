"""A vendor that signs licenses with PyJWT: a second implementation of docs/format.md.

Its key is that of RFC 8037, appendix A, which nobody trusts.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
import zlib
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RFC_8037_D = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
PRODUCT = "myapp"
ISSUED = 1763769600
"""2025-11-22: when every license here is signed, and the time in most tests."""
DAY = 86_400
LICENSE_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"

Claims = dict[str, Any]


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def read(request: str) -> Any:
    """What is in a request. Its installation signed it, or cryptography raises."""
    text, _, signature = zlib.decompress(base64.b64decode(request)).partition(b"\n")
    asked = json.loads(text)
    key = Ed25519PublicKey.from_public_bytes(unb64(asked["cnf"]["jwk"]["x"]))
    key.verify(unb64(signature.decode()), b"licentia-request\n" + text)
    return asked


class Vendor:
    """Someone with a private key."""

    def __init__(self, d: str = RFC_8037_D) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(unb64(d))
        self.public = self.private.public_key()
        self.x = b64(self.public.public_bytes(Encoding.Raw, PublicFormat.Raw))
        thumbprint = f'{{"crv":"Ed25519","kty":"OKP","x":"{self.x}"}}'
        self.kid = b64(hashlib.sha256(thumbprint.encode()).digest())

    def jwk(self, **members: Any) -> dict[str, Any]:
        return {"kty": "OKP", "crv": "Ed25519", "x": self.x, "kid": self.kid, **members}

    def keys(self, **members: Any) -> str:
        """A key set with its one public key."""
        return json.dumps({"keys": [self.jwk(**members)]})

    def sign(self, claims: Claims, typ: str = "lic+jwt") -> str:
        header = {"kid": self.kid, "typ": typ}
        return jwt.encode(claims, self.private, algorithm="EdDSA", headers=header)

    def license(self, **changes: Any) -> str:
        """A signed license: `claims()` with some of its members changed."""
        return self.sign(claims(**changes))

    def renewal(self, **changes: Any) -> str:
        """The license for 30 more days, signed on its last."""
        new = {"valid_until": ISSUED + 60 * DAY, **changes}
        return self.license(outer={"iat": ISSUED + 29 * DAY, "jti": "2"}, **new)

    def revocations(self, *ids: str, version: int = 1, iat: int = ISSUED) -> str:
        """A list that withdraws the licenses with these ids."""
        packed = b"".join(sorted(uuid.UUID(one).bytes for one in ids))
        texts = [b64(packed)] if packed else []
        said = {"iss": "https://licenses.acme.example", "aud": PRODUCT, "iat": iat}
        return self.sign({**said, "version": version, "ids": texts}, "lic-revs+jwt")

    def answer(self, request: str, **changes: Any) -> str:
        """The answer to a request: to `clock` the time, to `seat` and the like a lease, to others
        how the license stands."""
        asked = read(request)
        said = {
            "iss": "https://licenses.acme.example",
            "aud": PRODUCT,
            "iat": ISSUED,
            "nonce": asked["nonce"],
            "installation": asked["installation"],
            "server_time": ISSUED,
        }
        if asked["what"] == "clock":
            return self.sign({**said, **changes}, "lic-clock+jwt")
        if "seat" in asked:
            back = asked["what"] == "release"
            iat = changes.get("iat", ISSUED)
            lease = {"jti": "1", "exp": iat + (0 if back else DAY), "seat": 1}
            whose = {"license_id": LICENSE_ID, "holder": asked["seat"]["holder"]}
            borrowed = {"borrowed": asked["what"] == "borrow"}
            return self.sign({**said, **lease, **whose, **borrowed, **changes}, "lic-lease+jwt")
        of = {"license_id": LICENSE_ID, "seq": 1, "epoch": 0, "status": "ok"}
        return self.sign({**said, **of, **changes}, "lic-sync+jwt")


def claims(*, outer: Claims | None = None, **changes: Any) -> Claims:
    """The claims of a license of 30 days. `outer` changes the registered claims, the rest are
    members of `license`."""
    license = {
        "id": LICENSE_ID,
        "serial": "LIC-MYAPP-A1B2C3D4",
        "type": "subscription",
        "customer": {"name": "Zoë & Søn"},
        "valid_from": ISSUED,
        "valid_until": ISSUED + 30 * DAY,
        "features": [
            {"id": "reports"},
            {"id": "exports", "meter": "count", "per": "month", "max": 50},
            {"id": "hosts", "meter": "level"},
        ],
        **changes,
    }
    registered = {
        "iss": "https://licenses.acme.example",
        "aud": PRODUCT,
        "sub": "cust_12345",
        "jti": "01932f0a-6d1c-7c3e-9a51-5f2c1e0b7d44",
        "iat": ISSUED,
    }
    return {**registered, "license": license, **(outer or {})}
