"""Meters: what is recorded is counted exactly, and a limit stops where it says."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Callable

import licentia
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from licentia import Access, Installation, Product
from vendor import DAY, ISSUED, Vendor

FEATURES = [
    {"id": "reports"},
    {"id": "exports", "meter": "count", "per": "month", "max": 50},
    {"id": "calls", "meter": "count", "per": "day", "max": 10, "over": 20, "then": "count"},
    {"id": "pages", "meter": "count", "per": "ever"},
    {"id": "hosts", "meter": "level", "max": 5},
    {"id": "users", "meter": "distinct", "days": 30, "max": 3},
]
BIG = 2**53 - 1


@pytest.fixture
def metered(installation: Installation, vendor: Vendor) -> Installation:
    installation.apply(vendor.license(features=FEATURES, valid_until=ISSUED + 900 * DAY))
    return installation


def test_counts_and_stops_at_the_limit(metered: Installation) -> None:
    assert metered.usage("exports") == (0, 50, datetime(2025, 12, 1, tzinfo=timezone.utc))
    metered.record("exports")
    metered.record("exports", 48)
    with pytest.raises(licentia.LimitExceededError) as caught:
        metered.record("exports", 2)
    assert caught.value.code == "limit_exceeded" and isinstance(caught.value, licentia.LicenseError)
    assert metered.usage("exports").used == 49, "what is refused counts nothing"
    assert "exports" in metered
    metered.record("exports", amount=1)
    assert metered.access("exports") is Access.DENY and "exports" not in metered
    assert metered.gate("exports") is not None
    assert "reports" in metered, "the others go on"
    for call in (metered.record, metered.record_later):
        with pytest.raises(licentia.LimitExceededError):
            call("exports")
    usage = metered.usage("exports")
    assert type(usage) is licentia.Usage and (usage.used, usage.limit) == (50, 50)


def test_a_month_later_it_starts_again(product: Product, metered: Installation) -> None:
    metered.record("exports", 50)
    reset = metered.usage("exports").resets_at
    assert reset == datetime(2025, 12, 1, tzinfo=timezone.utc)
    product.set("clock", int(reset.timestamp()) - 1)
    assert "exports" not in metered
    product.set("clock", int(reset.timestamp()))
    assert "exports" in metered and metered.usage("exports").used == 0


def test_counting_goes_on_where_the_license_says_so(metered: Installation) -> None:
    metered.record("calls", 9)
    assert metered.access("calls") is Access.ALLOW
    metered.record("calls", 1)
    assert metered.access("calls") is Access.WARN and "calls" in metered
    metered.record_later("calls", 2)
    assert "calls" in metered
    metered.record("calls", 100)
    assert metered.usage("calls").used == 112 and "calls" not in metered
    metered.record("calls")
    assert metered.usage("calls").used == 113


def test_without_a_limit_or_a_reset(metered: Installation) -> None:
    metered.record("pages", 7)
    assert metered.usage("pages") == (7, math.inf, None)
    assert "pages" in metered


def test_a_level_is_what_it_was_set_to(metered: Installation) -> None:
    metered.record_level("hosts", 4)
    metered.record_level("hosts", level=5)
    with pytest.raises(licentia.LimitExceededError):
        metered.record_level("hosts", 6)
    assert metered.usage("hosts").used == 5
    metered.record_level("hosts", 0)
    usage = metered.usage("hosts")
    assert (usage.used, usage.limit, usage.resets_at) == (0, 5, None)


def test_a_key_counts_once_in_the_window(product: Product, metered: Installation) -> None:
    for name in ("zoë", "søn", "zoë", "x", "zoë"):
        metered.record_key("users", name)
    with pytest.raises(licentia.LimitExceededError):
        metered.record_key("users", key="one more")
    metered.record_key("users", "søn")
    assert metered.usage("users").used == 3
    product.set("clock", ISSUED + 40 * DAY)
    assert metered.usage("users").used == 0
    metered.record_key("users", "one more")
    assert metered.usage("users").used == 1


def test_keys_are_not_kept_as_they_are(metered: Installation, directory: Path) -> None:
    metered.record_key("users", "zoe@example.com")
    for file in directory.iterdir():
        assert b"zoe@example.com" not in file.read_bytes(), file.name


def test_what_is_not_measured_may_be_recorded_and_counts_nothing(metered: Installation) -> None:
    """The vendor decides what is measured, in the license; the program says all that is used."""
    metered.record("reports", 7)
    metered.record_later("reports")
    metered.record_level("reports", 7)
    metered.record_key("reports", "zoë")
    assert metered.usage("reports") == (0, math.inf, None)


def test_each_verb_is_for_its_meter(metered: Installation) -> None:
    wrong: list[Callable[[], object]] = [
        lambda: metered.record("hosts"),
        lambda: metered.record("users"),
        lambda: metered.record_later("hosts"),
        lambda: metered.record_level("exports", 1),
        lambda: metered.record_key("exports", "x"),
    ]
    for call in wrong:
        with pytest.raises(licentia.ArgumentError):
            call()
    for ask in (metered.record, metered.usage):
        with pytest.raises(licentia.NotGrantedError):
            ask("nothing")


def test_nothing_is_recorded_under_a_license_that_is_over(
    product: Product, metered: Installation, vendor: Vendor
) -> None:
    metered.record("exports")
    product.set("clock", ISSUED + 900 * DAY)
    for ask in (metered.record, metered.record_later, metered.usage):
        with pytest.raises(licentia.ExpiredError):
            ask("exports")
    product.set("clock", ISSUED)


def test_status_shows_what_was_used(metered: Installation) -> None:
    metered.record("exports", 20)
    rows = {row["id"]: row for row in metered.status()["features"]}
    assert (rows["exports"]["used"], rows["exports"]["left"]) == (20, 30)
    resets_at = metered.usage("exports").resets_at
    assert resets_at is not None and rows["exports"]["resets_at"] == resets_at.timestamp()


def test_what_is_recorded_later_is_seen_at_once_by_others(
    product: Product, metered: Installation, directory: Path
) -> None:
    for _ in range(5):
        metered.record_later("pages")
    assert metered.usage("pages").used == 5
    assert product.open(directory).usage("pages").used == 5
    metered.flush()
    del metered
    assert product.open(directory).usage("pages").used == 5


Step = st.tuples(st.sampled_from(["record", "record_later", "level", "key"]), st.integers(1, 30))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(Step, max_size=25))
def test_totals_are_those_of_a_plain_count(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    """Against a count in Python, with an installation opened anew at the end."""
    vendor = Vendor()
    product = Product("myapp", vendor.keys(), clock=ISSUED)
    directory = tmp_path_factory.mktemp("usage")
    installation = product.open(directory)
    installation.apply(vendor.license(features=FEATURES))
    exports, hosts, users = 0, 0, set[int]()
    for verb, number in steps:
        if verb == "level":
            fits = number <= 5 or number <= hosts
            call = partial(installation.record_level, "hosts", number)
            hosts = number if fits else hosts
        elif verb == "key":
            fits = number in users or len(users) < 3
            call = partial(installation.record_key, "users", str(number))
            users |= {number} if fits else set()
        else:
            fits = exports + number <= 50
            call = partial(getattr(installation, verb), "exports", number)
            exports += number if fits else 0
        if fits:
            call()
        else:
            with pytest.raises(licentia.LimitExceededError):
                call()
    for one in (installation, product.open(directory)):
        used = [one.usage(feature).used for feature in ("exports", "hosts", "users")]
        assert used == [exports, hosts, len(users)]


@pytest.mark.parametrize("number", [-1, 2**64, 10**5000, -(10**5000)], ids=range(4))
def test_numbers_that_are_none(metered: Installation, number: int) -> None:
    for call in (metered.record, metered.record_later, metered.record_level):
        with pytest.raises(licentia.ArgumentError):
            call("hosts" if call == metered.record_level else "pages", number)
    assert metered.usage("pages").used == 0


def test_the_largest_number_is_counted_and_does_not_overflow(metered: Installation) -> None:
    metered.record("pages", BIG)
    for more in (1, BIG, 2**64 - 1):
        with pytest.raises(licentia.Error) as caught:
            metered.record("pages", more)
        assert caught.value.code in ("invalid_argument", "limit_exceeded")
    assert metered.usage("pages").used == BIG
