"""Seats of a floating license: held, renewed, given back, and what becomes of them when something
goes wrong."""

from __future__ import annotations

import copy
import gc
import os
import pickle
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import licentia
import pytest
from licentia import Installation, Product
from servers import DIRECT, Fake, fake, problem, signing
from vendor import DAY, ISSUED, Vendor, read

DAWN = datetime(2025, 11, 22, tzinfo=timezone.utc)


@pytest.fixture
def server(vendor: Vendor) -> Iterator[Fake]:
    """One that has a seat for everybody, for a day."""
    with fake(signing(vendor)) as server:
        yield server


@pytest.fixture
def licensed(product: Product, vendor: Vendor, directory: Path, server: Fake) -> Installation:
    installation = product.open(directory, server=server.root, **DIRECT)
    installation.apply(vendor.license())
    return installation


def gone(server: Fake) -> None:
    server.answer = lambda _: problem(503, "busy")


def test_a_seat_is_held_for_a_block(
    product: Product, licensed: Installation, server: Fake
) -> None:
    with licensed.seat(" ann ") as seat:
        assert isinstance(seat, licentia.Seat)
        assert seat.held and seat.holder == "ann"
        assert seat.expires == DAWN + timedelta(days=1) and seat.expires.tzinfo is timezone.utc
        assert repr(seat) == "<licentia.Seat 'ann' until 2025-11-23T00:00:00Z>"
        product.set("clock", ISSUED + DAY - 1)
        assert seat.held
    assert not seat.held and seat.expires is None
    assert repr(seat) == "<licentia.Seat 'ann' not held>"
    assert server.asked == ["seat", "release"]
    seat.release()
    assert server.asked == ["seat", "release"], "what was given back is not given back again"
    assert seat.__exit__(None, None, None) is None


def test_a_lease_ends_by_itself_and_is_renewed_before(
    product: Product, licensed: Installation, server: Fake, vendor: Vendor
) -> None:
    seat = licensed.seat("ann")
    product.set("clock", ISSUED + DAY // 2)
    noon = {"iat": ISSUED + DAY // 2, "server_time": ISSUED + DAY // 2}
    server.answer = lambda text: (
        200,
        {"answer": vendor.answer(text, jti="2", exp=ISSUED + 2 * DAY, **noon)},
    )
    seat.renew()
    assert seat.expires == DAWN + timedelta(days=2)
    product.set("clock", ISSUED + 2 * DAY - 1)
    assert seat.held
    product.set("clock", ISSUED + 2 * DAY)
    assert not seat.held and seat.expires is None
    seat.release()
    assert server.asked == ["seat", "seat"], "what has ended is back already"


def test_a_seat_is_borrowed(licensed: Installation, server: Fake) -> None:
    seat = licensed.seat("ann", borrow_days=3)
    asked = read(server.texts[-1])
    assert (asked["what"], asked["seat"]) == ("borrow", {"holder": "ann", "days": 3})
    assert seat.held


def test_all_seats_are_taken(licensed: Installation, server: Fake) -> None:
    server.answer = lambda _: problem(409, "no_seat", "all 5 seats are taken until 12:00")
    with pytest.raises(licentia.NoSeatError, match="until 12:00") as caught:
        licensed.seat("ann")
    assert isinstance(caught.value, licentia.LicenseError)


def test_a_server_that_is_gone(licensed: Installation, server: Fake) -> None:
    seat = licensed.seat("ann")
    gone(server)
    again = licensed.seat("ann")
    assert again.held, "what is held is given all the same"
    with pytest.raises(licentia.UnreachableError):
        licensed.seat("bob")
    with pytest.raises(licentia.UnreachableError):
        seat.renew()
    with pytest.raises(licentia.UnreachableError):
        seat.release()
    with seat:
        pass
    assert seat.held and again.held, "until its lease ends"


def test_what_goes_wrong_in_a_block_is_what_is_told(licensed: Installation, server: Fake) -> None:
    class Mine(Exception):
        pass

    server_no = problem(403, "forbidden", "not today")
    for trouble in (server_no, problem(503, "busy"), (200, b"?")):
        seat = licensed.seat("ann")
        answers, server.answer = server.answer, lambda _, it=trouble: it  # type: ignore[misc]
        with pytest.raises(Mine) as caught, seat:
            raise Mine
        assert caught.value.__context__ is None
        server.answer = answers
    for failure in (KeyboardInterrupt, GeneratorExit):
        with pytest.raises(failure), licensed.seat("ann") as seat:
            raise failure
        assert not seat.held, "it was given back on the way"


def test_a_release_that_is_refused_is_told(licensed: Installation, server: Fake) -> None:
    with pytest.raises(licentia.RefusedError, match="not today"), licensed.seat("ann") as seat:
        server.answer = lambda _: problem(403, "forbidden", "not today")
    assert seat.held, "until its lease ends"


def test_a_seat_needs_a_license(product: Product, directory: Path, server: Fake) -> None:
    installation = product.open(directory, server=server.root, **DIRECT)
    with pytest.raises(licentia.NotLicensedError):
        installation.seat("ann")
    assert not server.asked


@pytest.mark.parametrize("holder", ["", " ", "a\0b", "a\nb", "x" * 129, "\ud800"])
def test_holders_that_are_none(licensed: Installation, server: Fake, holder: str) -> None:
    for days in (0, 1):
        with pytest.raises(licentia.ArgumentError):
            licensed.seat(holder, borrow_days=days)
    assert not server.asked


@pytest.mark.parametrize("days", [-1, 367, 2**32, 2**32 + 1, 2**64, 10**5000], ids=range(6))
def test_days_that_nobody_borrows_for(licensed: Installation, server: Fake, days: int) -> None:
    """Least of all may a number come round to one that is good."""
    with pytest.raises(licentia.ArgumentError):
        licensed.seat("ann", borrow_days=days)
    assert not server.asked


def test_the_wrong_types_are_type_errors(licensed: Installation, server: Fake) -> None:
    wrong: Any
    for wrong in (None, 1, b"ann", [], True, 1.5):
        with pytest.raises(TypeError):
            licensed.seat(wrong)
        with pytest.raises(TypeError):
            licensed.call(wrong)
    for wrong in (None, "3", True, 1.5, []):
        with pytest.raises(TypeError):
            licensed.seat("ann", borrow_days=wrong)
    for wrong in (1, b"key", [], True):
        with pytest.raises(TypeError):
            licensed.call("activation", wrong)
    with pytest.raises(TypeError):
        licensed.seat("ann", 3)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        licensed.sync("now")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        licentia.Seat()
    seat = licensed.seat("ann")
    with pytest.raises(AttributeError):
        seat.holder = "bob"  # type: ignore[misc]
    assert server.asked == ["seat"]


def test_a_seat_is_not_copied(licensed: Installation) -> None:
    seat = licensed.seat("ann")
    for copying in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="pass on its holder"):
            copying(seat)


def test_a_seat_outlives_what_it_came_from(
    product: Product, vendor: Vendor, directory: Path, server: Fake
) -> None:
    installation = product.open(directory, server=server.root, **DIRECT)
    installation.apply(vendor.license())
    seat = installation.seat("ann")
    del installation
    gc.collect()
    assert seat.held
    seat.release()
    assert not seat.held and server.asked == ["seat", "release"]


def test_a_seat_that_is_dropped_asks_nobody(licensed: Installation, server: Fake) -> None:
    seat = licensed.seat("ann")
    del seat
    gc.collect()
    assert server.asked == ["seat"] and licensed.seat("ann").held


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_of_a_fork_gives_it_back(licensed: Installation, server: Fake) -> None:
    seat = licensed.seat("ann")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            seat.renew()
            seat.release()
            status = 0 if not seat.held else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert server.asked == ["seat", "seat", "release"]
    assert not seat.held, "the parent sees it too"
