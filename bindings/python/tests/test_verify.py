"""What verifies, and what a license then says."""

from __future__ import annotations

import base64
import copy
import json
import math
import pickle
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType

import licentia
import pytest
from vendor import DAY, ISSUED, PRODUCT, Vendor, claims

END = ISSUED + 30 * DAY


def test_says_what_was_signed(product: licentia.Product, vendor: Vendor) -> None:
    license = product.verify(vendor.license())
    assert license.serial == "LIC-MYAPP-A1B2C3D4"
    assert license.customer == "Zoë & Søn"
    assert license.expires == datetime.fromtimestamp(END, timezone.utc)
    assert license.expires.utcoffset() is not None
    assert license.to_dict() == claims()
    assert json.loads(license.json) == claims()


def test_allows_what_is_listed_and_nothing_else(product: licentia.Product, vendor: Vendor) -> None:
    license = product.verify(vendor.license())
    assert license.allows("reports") is True
    assert license.allows("exports") and "exports" in license
    near = ("", "report", "reports ", "Reports", "reports\0", "repörts", "\ud800", "x" * 9999)
    for other in near:
        assert license.allows(other) is False
        assert other not in license
        assert license.limit(other) == 0


def test_a_class_of_its_own_has_no_say_in_what_is_allowed(
    product: licentia.Product, vendor: Vendor
) -> None:
    class Like(str):
        """Takes itself for a feature that is licensed."""

        def __hash__(self) -> int:
            return hash("exports")

        def __eq__(self, other: object) -> bool:
            return True

        def __str__(self) -> str:
            return "exports"

        def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
            return b"exports"

    class Raising(str):
        def __hash__(self) -> int:
            raise RuntimeError("not to be called")

    class Unlike(str):
        def __eq__(self, other: object) -> bool:
            return False

        __hash__ = None  # type: ignore[assignment]

    license = product.verify(vendor.license())
    for odd in (Like, Raising, Unlike):
        for other in ("nothing", "", "exports\0", "\ud800", "\ufffd"):
            assert license.allows(odd(other)) is False
            assert odd(other) not in license
            assert license.limit(odd(other)) == 0
        assert license.allows(odd("exports")) is True
        assert odd("exports") in license
        assert license.limit(odd("exports")) == 50
        assert license.limit(odd("hosts")) == math.inf
    product.set("clock", END)
    assert license.allows(Like("exports")) is False and license.limit(Like("exports")) == 0


def test_limits_are_numbers(product: licentia.Product, vendor: Vendor) -> None:
    features = [{"id": "none", "meter": "level", "max": 0}, {"id": "most", "meter": "level"}]
    features.append({"id": "big", "meter": "level", "max": 2**53 - 1})
    license = product.verify(vendor.license(features=features))
    assert (license.limit("none"), license.limit("big")) == (0, 2**53 - 1)
    assert license.limit("most") == math.inf
    assert license.allows("none"), "listed with a limit of zero is listed"


def test_features_are_a_view_that_cannot_be_changed(
    product: licentia.Product, vendor: Vendor
) -> None:
    license = product.verify(vendor.license())
    assert dict(license.features) == {"reports": math.inf, "exports": 50, "hosts": math.inf}
    assert isinstance(license.features, MappingProxyType)
    with pytest.raises(TypeError):
        license.features["pro"] = 1  # type: ignore[index]
    stolen = license.features | {"pro": 1}
    assert "pro" in stolen and "pro" not in license


def test_a_feature_of_tomorrow_is_denied_and_the_rest_works(
    product: licentia.Product, vendor: Vendor
) -> None:
    features = [{"id": "reports"}, {"id": "fancy", "meter": "rolling"}]
    license = product.verify(vendor.license(features=features))
    assert "reports" in license
    assert "fancy" not in license and "fancy" not in license.features


def test_a_license_without_end(product: licentia.Product, vendor: Vendor) -> None:
    license = product.verify(vendor.license(valid_until=None))
    product.set("clock", 253402300799)
    assert license.expires is None and license.allows("reports")


def test_the_last_second_of_the_calendar_is_a_datetime(
    product: licentia.Product, vendor: Vendor
) -> None:
    license = product.verify(vendor.license(valid_until=253402300799))
    assert license.expires == datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)


def test_a_license_for_nobody(product: licentia.Product, vendor: Vendor) -> None:
    bare = claims(serial=None, customer=None)
    del bare["sub"]
    license = product.verify(vendor.sign(bare))
    assert (license.serial, license.customer) == ("", "")


def test_the_end_passes_while_the_license_is_held(
    product: licentia.Product, vendor: Vendor
) -> None:
    license = product.verify(vendor.license())
    product.set("clock", END - 1)
    assert license.allows("reports") and license.limit("exports") == 50
    product.set("clock", END)
    assert not license.allows("reports")
    assert "reports" not in license
    assert license.limit("exports") == 0
    assert license.features["exports"] == 50, "what was granted can still be shown"
    product.set("clock", END - 1)
    assert license.allows("reports")


def test_grace_is_the_vendors_to_give(product: licentia.Product, vendor: Vendor) -> None:
    text = vendor.license(stages={"ended": {"warn": 0, "deny": 10}})
    license = product.verify(text)
    product.set("clock", END + 10 * DAY - 1)
    assert license.allows("reports") and product.verify(text)
    product.set("clock", END + 10 * DAY)
    assert not license.allows("reports")
    with pytest.raises(licentia.ExpiredError):
        product.verify(text)


def test_every_type_of_text_and_every_coat(product: licentia.Product, vendor: Vendor) -> None:
    text = vendor.license()
    raw = text.encode()
    wrapped = "\ufeff" + "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76)) + "\n"
    strided = memoryview(b"".join(bytes([byte, 0]) for byte in raw))[::2]

    class Wrapper(str):
        pass

    coats: list[str | bytes | bytearray | memoryview] = [
        text,
        raw,
        bytearray(raw),
        memoryview(raw),
        memoryview(bytearray(raw)),
        strided,
        Wrapper(text),
        wrapped,
        raw + b"\n",
        base64.b64encode(raw),
        base64.b64encode(raw + b"\n").decode(),
    ]
    for coat in coats:
        assert product.verify(coat).serial == "LIC-MYAPP-A1B2C3D4"
        assert product.inspect(coat).json == product.verify(text).json


def test_inspect_shows_what_has_ended_and_it_allows_nothing(
    product: licentia.Product, vendor: Vendor
) -> None:
    product.set("clock", END)
    license = product.inspect(vendor.license())
    assert license.customer == "Zoë & Søn"
    assert not license.allows("reports")


def test_inspect_shows_what_belongs_elsewhere_and_it_allows_nothing(
    product: licentia.Product, vendor: Vendor
) -> None:
    elsewhere = {"installation": "6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c"}
    license = product.inspect(vendor.license(binding=elsewhere))
    assert license.serial and not license.allows("reports") and dict(license.features) == {}


def test_verify_many_answers_each_in_its_order(product: licentia.Product, vendor: Vendor) -> None:
    good, bad = vendor.license(), vendor.license(outer={"aud": "other"})
    answers = product.verify_many([good, bad.encode(), "\ud800", bytearray(), memoryview(b"x")])
    assert isinstance(answers[0], licentia.License) and "reports" in answers[0]
    assert [error.code for error in answers[1:] if isinstance(error, licentia.Error)] == [
        "wrong_product",
        "malformed",
        "malformed",
        "malformed",
    ]
    assert product.verify_many([]) == []
    assert len(product.verify_many(good for _ in range(1000))) == 1000


def test_verify_many_refuses_one_license_where_several_are_wanted(
    product: licentia.Product, vendor: Vendor
) -> None:
    text = vendor.license()
    for one in (text, text.encode(), bytearray(text.encode()), memoryview(text.encode())):
        with pytest.raises(TypeError, match="iterable"):
            product.verify_many(one)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must be str, bytes, bytearray or memoryview, not int"):
        product.verify_many([text, 1])  # type: ignore[list-item]


def test_a_license_comes_from_verify_only(product: licentia.Product, vendor: Vendor) -> None:
    license = product.verify(vendor.license())
    with pytest.raises(TypeError):
        licentia.License()
    with pytest.raises(TypeError):
        type(license)()
    with pytest.raises(TypeError):
        object.__new__(licentia.License)
    for base in (licentia.License, licentia.Product):
        with pytest.raises(TypeError, match="not an acceptable base type"):
            type("Forged", (base,), {})
    with pytest.raises(TypeError, match="cannot be pickled: pass on the text"):
        pickle.dumps(license)
    with pytest.raises(TypeError, match="cannot be pickled"):
        copy.deepcopy(license)
    with pytest.raises(AttributeError):
        license.serial = "LIC-2"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        license.extra = 1  # type: ignore[attr-defined]


def test_repr_helps_and_keeps_quiet(product: licentia.Product, vendor: Vendor) -> None:
    license = product.verify(vendor.license())
    assert repr(license) == "<licentia.License 'LIC-MYAPP-A1B2C3D4' until 2025-12-22T00:00:00Z>"
    nameless = product.verify(vendor.license(serial=None, valid_until=None))
    assert repr(nameless) == f"<licentia.License '{claims()['license']['id']}' without end>"
    assert repr(product) == f"<licentia.Product '{PRODUCT}'>"
    assert vendor.x not in repr(product)


def test_a_license_that_licentia_signed_is_one_for_any_jwt_library() -> None:
    jwt = pytest.importorskip("jwt")
    first = Path(__file__).resolve().parents[3] / "tests" / "fixtures" / "first"
    token = (first / "license.lic").read_text().strip()
    said = jwt.decode(
        token,
        (first / "vendor.pub.pem").read_text(),
        algorithms=["EdDSA"],
        audience=PRODUCT,
        options={"verify_exp": False, "verify_nbf": False},
    )
    license = licentia.Product(PRODUCT, (first / "vendor.jwks").read_text()).inspect(token)
    assert said == license.to_dict()
    assert said["license"]["serial"] == license.serial
