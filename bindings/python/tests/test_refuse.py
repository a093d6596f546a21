"""Every refusal that a product without state can give, by its word."""

from __future__ import annotations

import base64
import json
import os
from typing import Any, Callable

import licentia
import pytest
from vendor import DAY, ISSUED, PRODUCT, Vendor, b64, claims, unb64

THIEF = Vendor(b64(b"\x07" * 32))
NOWHERE = ["AAAAAAAAAAAAAAAAAAAAAA"]
MACHINE = {"v": 1, "need": 2, "parts": {"machine_id": NOWHERE, "board": NOWHERE}}
INSTALLATION = "6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c"


def refusal(call: Callable[[], object]) -> str:
    """The word of the error that `call` raises."""
    with pytest.raises(licentia.Error) as caught:
        call()
    error = caught.value
    assert error.code != "internal" and type(error).code == error.code
    assert ": " in str(error) and str(error)[-1] != "."
    return error.code


def altered(token: str) -> str:
    """The same license with one byte of its payload changed, and well-formed."""
    header, payload, signature = token.split(".")
    changed = unb64(payload).replace(b"reports", b"reportz")
    return f"{header}.{b64(changed)}.{signature}"


def broken(token: str, old: bytes, new: bytes) -> str:
    """Signed as it is, with a header or payload that no vendor would write."""
    header, payload, _ = token.split(".")
    signed = f"{b64(unb64(header).replace(old, new))}.{b64(unb64(payload).replace(old, new))}"
    return f"{signed}.{b64(Vendor().private.sign(signed.encode()))}"


OUR = Vendor()
REFUSED: list[tuple[str, str, str | bytes]] = [
    ("malformed", "nothing", ""),
    ("malformed", "words", "this is not a license"),
    ("malformed", "nul", b"\0"),
    ("malformed", "half a surrogate pair", OUR.license() + "\udcff"),
    ("malformed", "bytes that are not UTF-8", OUR.license().encode() + b"\xff"),
    ("malformed", "UTF-16", OUR.license().encode("utf-16")),
    ("malformed", "a missing end", OUR.license()[:-1]),
    ("malformed", "no signature", OUR.license().rsplit(".", 1)[0] + "."),
    ("malformed", "no algorithm", broken(OUR.license(), b'"EdDSA"', b'"none"')),
    ("malformed", "a duplicate member", broken(OUR.license(), b'"iat"', b'"jti"')),
    ("malformed", "a fraction", broken(OUR.license(), b'"max":50', b'"max":50.0')),
    ("malformed", "valid_until is absent", broken(OUR.license(), b"valid_until", b"valid_untill")),
    ("malformed", "an audience of two", OUR.license(outer={"aud": [PRODUCT, "other"]})),
    ("unknown_key", "another vendor", THIEF.license()),
    ("bad_signature", "one byte", altered(OUR.license())),
    ("bad_signature", "another's key under our name", THIEF.license().replace(
        THIEF.license().split(".")[0], OUR.license().split(".")[0])),
    ("wrong_product", "another product", OUR.license(outer={"aud": "other"})),
    ("wrong_kind", "a key set", OUR.sign(claims(), typ="lic-keys+jwt")),
    ("wrong_kind", "a plain JWT", OUR.sign(claims(), typ="JWT")),
    ("too_new", "a capability of tomorrow", OUR.license(outer={"must": ["binding-2"]})),
    ("too_new", "another way to know a machine", OUR.license(
        binding={"machine": {**MACHINE, "v": 2}})),
    ("too_large", "a large one", "a" * 200_000),
    ("too_large", "a very large one", b"." * 5_000_000),
    ("wrong_machine", "another machine", OUR.license(binding={"machine": MACHINE})),
    ("wrong_installation", "an installation", OUR.license(binding={"installation": INSTALLATION})),
    ("wrong_installation", "an instance", OUR.license(binding={"instance": "https://a.example"})),
    ("not_yet_valid", "it begins tomorrow", OUR.license(valid_from=ISSUED + DAY)),
    ("expired", "it ended", OUR.license(valid_from=0, valid_until=ISSUED)),
    ("token_expired", "it was to be renewed", OUR.license(outer={"exp": ISSUED})),
]


@pytest.mark.parametrize(("code", "why", "data"), REFUSED, ids=[f"{c}: {w}" for c, w, _ in REFUSED])
def test_refuses(product: licentia.Product, code: str, why: str, data: str | bytes) -> None:
    assert refusal(lambda: product.verify(data)) == code
    (answer,) = product.verify_many([data])
    assert isinstance(answer, licentia.Error) and answer.code == code
    if code in ("wrong_machine", "wrong_installation", "not_yet_valid", "expired", "token_expired"):
        assert not product.inspect(data).allows("reports")
    elif why != "another way to know a machine":
        assert refusal(lambda: product.inspect(data)) == code


def test_says_what_was_found_and_what_to_do(product: licentia.Product, vendor: Vendor) -> None:
    with pytest.raises(licentia.ExpiredError) as caught:
        product.verify(vendor.license(valid_from=0, valid_until=ISSUED))
    assert str(caught.value) == (
        "the license ended on 2025-11-22T00:00:00Z: ask the vendor for a renewal"
    )
    assert (caught.value.code, caught.value.number) == ("expired", 21)


def test_wrong_issuer(vendor: Vendor) -> None:
    product = licentia.Product(PRODUCT, vendor.keys(), clock=ISSUED, issuer="https://other.example")
    assert refusal(lambda: product.verify(vendor.license())) == "wrong_issuer"
    product.set("issuer", "https://licenses.acme.example")
    assert product.verify(vendor.license())


def test_bound_to_a_place(product: licentia.Product, vendor: Vendor) -> None:
    bound = vendor.license(
        binding={"installation": INSTALLATION, "instance": "https://play.acme.example/"}
    )
    product.set("installation", INSTALLATION.upper())
    assert refusal(lambda: product.verify(bound)) == "wrong_installation"
    product.set("instance", "https://play.acme.example")
    assert "reports" in product.verify(bound)
    product.set("instance", "https://play.acme.example.evil")
    assert refusal(lambda: product.verify(bound)) == "wrong_installation"


def test_bound_to_a_machine(product: licentia.Product, vendor: Vendor) -> None:
    product.set("machine", "cluster-1")
    (identity,) = [part for part in product.machine()["components"] if part["kind"] == "identity"]
    parts = {"v": 1, "need": 1, "parts": {"identity": [identity["hash"]]}}
    bound = vendor.license(binding={"machine": parts})
    assert "reports" in product.verify(bound)
    product.set("machine", "cluster-2")
    assert refusal(lambda: product.verify(bound)) == "wrong_machine"
    other = licentia.Product("other", vendor.keys(), clock=ISSUED, machine="cluster-1")
    assert other.machine()["id"] != licentia.Product(
        PRODUCT, vendor.keys(), machine="cluster-1"
    ).machine()["id"], "two products cannot compare their customers' machines"


KEY_STATES: list[tuple[str, dict[str, Any]]] = [
    ("key_retired", {"state": "retired", "exp": ISSUED}),
    ("key_retired", {"exp": ISSUED}),
    ("key_compromised", {"state": "compromised"}),
    ("key_not_yet_valid", {"nbf": ISSUED + 1}),
    ("unknown_key", {"roles": ["server", "root"]}),
]


@pytest.mark.parametrize(("code", "members"), KEY_STATES)
def test_a_key_that_may_not_sign_this(code: str, members: dict[str, Any]) -> None:
    product = licentia.Product(PRODUCT, OUR.keys(**members), clock=ISSUED)
    assert refusal(lambda: product.verify(OUR.license())) == code
    with pytest.raises(licentia.LicenseError):
        product.verify(OUR.license())


def test_a_retired_key_keeps_what_it_signed_in_its_time() -> None:
    keys = OUR.keys(state="retired", exp=ISSUED + 1)
    assert "reports" in licentia.Product(PRODUCT, keys, clock=ISSUED).verify(OUR.license())


ZERO = b64(bytes(32))
BAD_KEYS: list[tuple[str, str]] = [
    ("invalid_key", ""),
    ("invalid_key", "hello"),
    ("invalid_key", "{}"),
    ("invalid_key", '{"keys": []}'),
    ("invalid_key", "ed25519:short"),
    ("invalid_key", json.dumps({**OUR.jwk(), "d": ZERO})),
    ("invalid_key", json.dumps({**OUR.jwk(), "kid": ZERO})),
    ("invalid_key", json.dumps({**OUR.jwk(), "crv": "X25519"})),
    ("invalid_key", json.dumps({"keys": [OUR.jwk(), OUR.jwk()]})),
    ("invalid_key", '{"keys": [], "keys": []}'),
    ("weak_key", f"ed25519:{ZERO}"),
    ("weak_key", "ed25519:" + b64(b"\x01" + bytes(31))),
]


@pytest.mark.parametrize(("code", "keys"), BAD_KEYS)
def test_keys_that_are_none(product: licentia.Product, code: str, keys: str) -> None:
    assert refusal(lambda: licentia.Product(PRODUCT, keys)) == code
    assert refusal(lambda: licentia.Product(PRODUCT, keys.encode())) == code
    assert refusal(lambda: product.trust(keys)) == code
    with pytest.raises(licentia.KeySetError):
        product.trust(keys)
    assert product.verify(OUR.license()), "what it trusted it still trusts"


def test_keys_in_every_form(vendor: Vendor) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    pem = vendor.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    jwk = json.dumps(vendor.jwk())
    forms: list[str | bytes] = [vendor.keys(), jwk, pem, pem.decode(), f"ed25519:{vendor.x}"]
    for keys in forms:
        product = licentia.Product(PRODUCT, keys, clock=ISSUED)
        assert "reports" in product.verify(vendor.license())


def test_trust_adds_keys(product: licentia.Product) -> None:
    assert refusal(lambda: product.verify(THIEF.license())) == "unknown_key"
    product.trust(THIEF.keys())
    assert product.verify(THIEF.license()) and product.verify(OUR.license())


def test_a_signed_key_set_retires_and_is_not_rolled_back(product: licentia.Product) -> None:
    def signed(epoch: int, *keys: dict[str, Any]) -> str:
        said = {"iss": "a", "aud": PRODUCT, "iat": ISSUED, "epoch": epoch, "keys": list(keys)}
        return OUR.sign(said, typ="lic-keys+jwt")

    other = THIEF.jwk(roles=["license"])
    product.trust(signed(2, other))
    assert product.verify(THIEF.license())
    assert refusal(lambda: product.trust(signed(2, other))) == "older_than_installed"
    assert refusal(lambda: product.trust(signed(1, other))) == "older_than_installed"
    product.trust(signed(3, {**other, "state": "compromised"}))
    assert refusal(lambda: product.verify(THIEF.license())) == "key_compromised"
    assert refusal(lambda: product.trust(THIEF.sign({}, typ="lic-keys+jwt"))) == "unknown_key"


def test_unreadable_identity(vendor: Vendor, tmp_path: os.PathLike[str]) -> None:
    product = licentia.Product(PRODUCT, vendor.keys(), machine_file=os.path.join(tmp_path, "none"))
    with pytest.raises(OSError) as caught:
        product.machine()
    assert isinstance(caught.value, licentia.FileError) and caught.value.code == "io"


def test_a_blob_of_base64_is_as_strict(product: licentia.Product) -> None:
    blob = base64.b64encode(altered(OUR.license()).encode())
    assert refusal(lambda: product.verify(blob)) == "bad_signature"
