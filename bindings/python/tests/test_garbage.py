"""Whatever it is given, it answers with an Error and never with anything else."""

from __future__ import annotations

from typing import Callable

import licentia
from hypothesis import example, given, settings
from hypothesis import strategies as st
from vendor import ISSUED, PRODUCT, Vendor, claims

VENDOR = Vendor()
TOKEN = VENDOR.license()
PRODUCT_HERE = licentia.Product(PRODUCT, VENDOR.keys(), clock=ISSUED)
HELD = PRODUCT_HERE.verify(TOKEN)

ANY_TEXT = st.text(st.characters(exclude_categories=()))
"""Every text that Python can hold, half a surrogate pair and NUL among it."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


def refuses(call: Callable[[], object]) -> None:
    """Whether it works or not, it may raise an Error and nothing else."""
    try:
        call()
    except licentia.Error as error:
        assert error.code != "internal" and len(str(error)) < 300


VIEWS = st.binary().map(lambda data: memoryview(data))


@given(ANY_TEXT | st.binary() | st.binary().map(bytearray) | VIEWS)
@example("\0")
@example("\ud800")
def test_garbage_is_no_license(data: str | bytes | bytearray | memoryview) -> None:
    refuses(lambda: PRODUCT_HERE.verify(data))
    refuses(lambda: PRODUCT_HERE.inspect(data))
    (answer,) = PRODUCT_HERE.verify_many([data])
    assert isinstance(answer, licentia.Error)


@given(st.integers(0, len(TOKEN)), st.integers(0, 4), ANY_TEXT)
@settings(max_examples=500)
def test_a_damaged_license_is_none(at: int, cut: int, text: str) -> None:
    damaged = TOKEN[:at] + text + TOKEN[at + cut :]
    if "".join(damaged.lstrip("\ufeff").split()) != TOKEN:
        try:
            PRODUCT_HERE.verify(damaged)
        except licentia.LicenseError:
            return
        raise AssertionError(f"accepted {damaged!r}")


@given(st.sampled_from(sorted(claims()["license"])), JSON)
@settings(max_examples=500)
def test_a_vendor_may_sign_nonsense(member: str, value: object) -> None:
    try:
        token = VENDOR.license(**{member: value})
    except UnicodeEncodeError:
        return
    refuses(lambda: PRODUCT_HERE.verify(token))


@given(ANY_TEXT | st.binary())
def test_garbage_is_no_key_set(keys: str | bytes) -> None:
    refuses(lambda: licentia.Product(PRODUCT, keys))
    refuses(lambda: PRODUCT_HERE.trust(keys))


@given(ANY_TEXT, ANY_TEXT | st.integers() | st.datetimes() | st.lists(ANY_TEXT))
def test_garbage_is_no_setting(name: str, value: object) -> None:
    product = licentia.Product(PRODUCT, VENDOR.keys())
    refuses(lambda: product.set(name, value))  # type: ignore[arg-type]
    refuses(lambda: product.set("clock", value) if isinstance(value, (str, int)) else None)
    refuses(lambda: licentia.Product(name, VENDOR.keys()))


@given(ANY_TEXT)
def test_garbage_is_no_feature(feature: str) -> None:
    granted = feature in ("reports", "exports", "hosts")
    assert HELD.allows(feature) is granted
    assert (HELD.limit(feature) == 0) is not granted
