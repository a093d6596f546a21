"""Wrong calls of an installation: a TypeError or an ArgumentError each, and nothing is changed."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable

import licentia
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from licentia import Installation, Product
from vendor import ISSUED, Vendor


class Odd:
    """Takes itself for a number."""

    def __index__(self) -> int:
        return 2


class Failing:
    def __index__(self) -> int:
        raise RuntimeError("not today")

    def __fspath__(self) -> str:
        raise RuntimeError("not today")


class BytesPath:
    def __fspath__(self) -> bytes:
        return b"/tmp"


@pytest.fixture
def licensed(installation: Installation, vendor: Vendor) -> Installation:
    installation.apply(vendor.license())
    return installation


def test_the_wrong_types_are_type_errors(licensed: Installation) -> None:
    i = licensed
    wrong: Any
    for wrong in (1, 1.5, [], {}, object(), ("a",), b"exports", True):
        calls: list[Callable[[], object]] = [
            lambda: i.allows(wrong),
            lambda: wrong in i,
            lambda: i.access(wrong),
            lambda: i.gate(wrong),
            lambda: i.record(wrong),
            lambda: i.record_later(wrong),
            lambda: i.record_level(wrong, 1),
            lambda: i.record_key(wrong, "x"),
            lambda: i.record_key("hosts", wrong),
            lambda: i.usage(wrong),
            lambda: i.request(wrong),
            lambda: i.request("license", wrong),
            lambda: i.set(wrong, "x"),
            lambda: i.set("instance", wrong),
            lambda: i.set("license_env", wrong),
        ]
        for call in calls:
            with pytest.raises(TypeError):
                call()
    for wrong in (1, 1.5, [], {}, object(), None, ("a",)):
        for call in (lambda: i.apply(wrong), lambda: i.allows(wrong) or i.usage(wrong)):
            with pytest.raises(TypeError):
                call()
    for wrong in (1, "yes", None, []):
        with pytest.raises(TypeError):
            i.apply("x", older=wrong)
    with pytest.raises(TypeError):
        i.apply("x", True)  # type: ignore[call-arg]


@pytest.mark.parametrize("wrong", [1.0, "1", b"1", None, True, [], {}, object(), 1j])
def test_numbers_of_the_wrong_type(licensed: Installation, wrong: Any) -> None:
    for call in (licensed.record, licensed.record_later, licensed.record_level):
        with pytest.raises(TypeError):
            call("hosts" if call == licensed.record_level else "exports", wrong)
    assert licensed.usage("exports").used == 0


def test_a_number_is_what_python_takes_for_one(licensed: Installation) -> None:
    licensed.record("exports", Odd())  # type: ignore[arg-type]
    assert licensed.usage("exports").used == 2
    with pytest.raises(RuntimeError, match="not today"):
        licensed.record("exports", Failing())  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["now", "0", b"0", 1.5, True, [], object()])
def test_times_of_the_wrong_type(licensed: Installation, wrong: Any) -> None:
    for call in (licensed.status, licensed.explain, licensed.first_use):
        with pytest.raises(TypeError):
            call(wrong)


@pytest.mark.parametrize(
    "wrong", [datetime(2026, 1, 1), 2**63, -(2**63), 10**5000, -(10**5000)], ids=range(5)
)
def test_times_that_are_none(licensed: Installation, wrong: int | datetime) -> None:
    for call in (licensed.status, licensed.explain, licensed.first_use):
        with pytest.raises(licentia.ArgumentError):
            call(wrong)


def test_the_ends_of_the_calendar(licensed: Installation) -> None:
    last = datetime.max.replace(tzinfo=timezone.utc)
    assert licensed.status(last)["at"] == licensed.status(253402300799)["at"]
    assert licensed.status(0)["at"] is not None


@pytest.mark.parametrize("wrong", [None, 1, 1.5, b"/tmp", [], object(), BytesPath()])
def test_a_directory_is_a_path(product: Product, wrong: Any) -> None:
    with pytest.raises(TypeError):
        product.open(wrong)


@pytest.mark.parametrize("wrong", ["", "a\0b", "\ud800"])
def test_a_directory_that_is_none(product: Product, wrong: str) -> None:
    with pytest.raises(licentia.ArgumentError):
        product.open(wrong)


def test_a_path_that_fails_says_so_itself(product: Product) -> None:
    with pytest.raises(RuntimeError, match="not today"):
        product.open(Failing())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("license", b"\xff"),
        ("license", "\ud800"),
        ("license_file", "\udc80"),
        ("license_env", "A=B"),
        ("license_env", "A\0B"),
    ],
)
def test_values_that_a_setting_does_not_take(
    product: Product, licensed: Installation, directory: Path, name: str, value: Any
) -> None:
    with pytest.raises(licentia.ArgumentError):
        licensed.set(name, value)
    with pytest.raises(licentia.ArgumentError):
        product.open(directory, **{name: value})
    assert "reports" in licensed


def test_features_that_no_license_can_name(licensed: Installation) -> None:
    for name in ("", "Exports", "exports\0", "\ud800", "é", "x" * 9999):
        for call in (
            lambda: licensed.record(name),
            lambda: licensed.record_later(name),
            lambda: licensed.record_level(name, 1),
            lambda: licensed.record_key(name, "x"),
            lambda: licensed.usage(name),
        ):
            with pytest.raises(licentia.Error) as caught:
                call()
            assert caught.value.code in ("invalid_argument", "not_granted")
    with pytest.raises(licentia.ArgumentError):
        licensed.record_key("users", "\ud800")


ANY_TEXT = st.text(st.characters(exclude_categories=()))
VENDOR = Vendor()
TOKEN = VENDOR.license()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    product = Product("myapp", VENDOR.keys(), clock=ISSUED)
    installation = product.open(tmp_path_factory.mktemp("shared"))
    installation.apply(TOKEN)
    return installation


@given(ANY_TEXT | st.binary() | st.binary().map(bytearray))
@example("\0")
@example("\ud800")
@example("eJ")
def test_garbage_is_never_applied(shared: Installation, data: str | bytes | bytearray) -> None:
    with pytest.raises(licentia.Error) as caught:
        shared.apply(data)
    assert caught.value.code != "internal" and len(str(caught.value)) < 300
    assert "reports" in shared


@given(st.integers(0, len(TOKEN)), st.integers(0, 4), ANY_TEXT)
def test_a_damaged_license_is_never_applied(
    shared: Installation, at: int, cut: int, text: str
) -> None:
    damaged = TOKEN[:at] + text + TOKEN[at + cut :]
    if "".join(damaged.lstrip("\ufeff").split()) != TOKEN:
        with pytest.raises(licentia.LicenseError):
            shared.apply(damaged)
    assert "reports" in shared


@given(ANY_TEXT)
def test_any_text_may_be_asked_for(shared: Installation, feature: str) -> None:
    wanted = feature in ("reports", "exports", "hosts")
    assert (feature in shared) is shared.allows(feature) is wanted
    assert (shared.access(feature) == licentia.Access.ALLOW) is wanted
    assert (shared.gate(feature) is None) is wanted


@given(st.integers() | st.datetimes(timezones=st.timezones() | st.none()))
def test_any_time_may_be_asked_for(shared: Installation, at: int | datetime) -> None:
    try:
        assert shared.status(at)["product"] == "myapp"
        shared.explain(at)
    except licentia.ArgumentError:
        pass
    except OverflowError:
        assert isinstance(at, datetime), "of Python's own: the calendar ends"
