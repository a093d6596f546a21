"""A vendor that signs licenses with PyJWT: a second implementation of docs/format.md.

Its key is that of RFC 8037, appendix A, which nobody trusts.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RFC_8037_D = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
PRODUCT = "myapp"
ISSUED = 1763769600
"""2025-11-22: when every license here is signed, and the time in most tests."""
DAY = 86_400

Claims = dict[str, Any]


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


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


def claims(*, outer: Claims | None = None, **changes: Any) -> Claims:
    """The claims of a license of 30 days. `outer` changes the registered claims, the rest are
    members of `license`."""
    license = {
        "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
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
