"""The loop that keeps an installation in touch, in a time that the tests let pass: whatever clocks
and servers do, it asks, and never asks much."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable, Optional, cast

import licentia
import pytest
from licentia import Installation, Product, refresh
from servers import DIRECT, Fake, fake, problem, signing
from vendor import ISSUED, Vendor

MINUTE, HOUR, DAY = 60, 3600, 86_400

OnError = Optional[Callable[[Exception], object]]


class World:
    """A time that passes when somebody sleeps, a server, and the folder that workers share."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monotonic = 1000.0
        self.ahead = float(ISSUED)
        """By how much the clock is ahead of the one that nobody sets."""
        self.stopped: int | None = None
        self.server_behind = 0
        self.up = True
        self.every: int | None = 12 * HOUR
        """When the server wants to be asked again: `None` = it does not say."""
        self.license: str | None = "one"
        self.reason = "ok"
        self.error: Exception | None = None
        """What a sync fails with before it asks anybody."""
        self.last: int | None = None
        self.next: int | None = None
        self.failures = 0
        self.asked: list[float] = []
        """When the server was asked, whether it was there or not."""
        self.looks = 0
        self.workers: list[list[Any]] = []
        """When each wakes, and what it is."""
        random_numbers = random.Random(7)
        monkeypatch.setattr(refresh, "_monotonic", lambda: self.monotonic)
        monkeypatch.setattr(
            refresh, "_jitter", lambda: random_numbers.uniform(0, refresh._JITTER)
        )

    def now(self) -> int:
        return self.stopped if self.stopped is not None else int(self.monotonic + self.ahead)

    # What the loop needs of an installation.

    def status(self) -> dict[str, Any]:
        self.looks += 1
        license = None if self.license is None else {"id": self.license}
        issuer = {"last_contact": self.last, "next_contact": self.next}
        time = {"now": self.now()}
        return {"license": license, "reason": self.reason, "issuer": issuer, "time": time}

    def sync(self) -> None:
        if self.error is not None:
            raise self.error
        self.asked.append(self.monotonic)
        if not self.up:
            pause = min(MINUTE * 2**self.failures, HOUR)
            self.failures += 1
            self.next = self.now() + pause
            raise licentia.UnreachableError("nobody is there")
        self.failures = 0
        self.last = self.now() - self.server_behind
        self.next = None if self.every is None else self.last + self.every

    def itself(self) -> Installation:
        return cast(Installation, self)

    def run(self, seconds: float, workers: int = 1, on_error: OnError = None) -> None:
        """Lets so much time pass, for so many workers that sleep side by side. They go on with it
        in the next run, unless there are to be more."""
        ends = self.monotonic + seconds
        for _ in range(len(self.workers), workers):
            keeper = refresh._Keeper(self.itself())
            self.workers.append([self.monotonic + keeper.pause(), keeper])
        while (worker := min(self.workers, key=lambda it: float(it[0])))[0] < ends:
            at, keeper = worker
            assert at > self.monotonic, "it does not sleep"
            self.monotonic = at
            error = keeper.turn()
            if error is not None and on_error is not None:
                on_error(error)
            pause = keeper.pause()
            assert 0 <= pause <= HOUR, "never longer than an hour"
            worker[0] = at + pause
        self.monotonic = ends

    def restart(self) -> None:
        """The workers end. The next run has new ones."""
        self.workers.clear()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_the_jitter_is_each_workers_own() -> None:
    """Also where somebody has seeded the numbers of all."""
    drawn = set()
    for _ in range(50):
        random.seed(1)
        drawn.add(refresh._jitter())
    assert len(drawn) > 25 and 0 <= min(drawn) and max(drawn) <= 30


def gaps(world: World) -> list[float]:
    return [later - at for at, later in zip(world.asked, world.asked[1:])]


def test_it_asks_when_the_server_wants_it(world: World) -> None:
    world.run(10 * DAY)
    assert 19 <= len(world.asked) <= 20
    assert world.asked[0] <= 1000 + 30, "at first at once"
    assert all(12 * HOUR - 1 <= gap <= 12 * HOUR + 61 for gap in gaps(world))


def test_workers_that_share_a_folder_ask_once(world: World) -> None:
    world.run(10 * DAY, workers=16)
    assert 19 <= len(world.asked) <= 20 and min(gaps(world)) >= 12 * HOUR - 1
    world.up = False
    before = len(world.asked)
    world.run(DAY, workers=16)
    # Each for itself: 1, 2, 4, ... 32 minutes, and then each hour. It might be reached by one only.
    assert 16 * 10 <= len(world.asked) - before <= 16 * (6 + 24)


def test_one_that_always_fails_keeps_nobody_from_asking(world: World) -> None:
    world.run(HOUR)
    assert len(world.asked) == 1
    ends = world.monotonic + 13 * HOUR
    while world.monotonic < ends:
        # Whose settings are wrong tries again and again, and says so in the folder.
        world.next = world.now() + HOUR
        world.run(10 * MINUTE)
    assert len(world.asked) > 1 and world.last is not None and world.last > ISSUED + 2 * HOUR


def test_one_that_always_fails_does_not_undo_a_failure_of_ours(world: World) -> None:
    world.up = False
    world.run(MINUTE)
    assert len(world.asked) == 1
    world.up = True
    for _ in range(12):
        world.next = world.now() + HOUR
        world.run(10 * MINUTE)
    assert world.last is not None


def test_a_stolen_key_is_replaced(world: World) -> None:
    """Then there is no license until the server gives one."""
    world.license, world.reason = None, "key_compromised"
    world.run(2 * MINUTE)
    assert len(world.asked) == 1
    world.run(DAY)
    assert 2 <= len(world.asked) <= 3, "and it is no reason to hurry"


def test_an_answer_that_leaves_no_trace_is_not_asked_for_each_minute(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.license, world.reason = None, "key_compromised"
    monkeypatch.setattr(world, "sync", lambda: world.asked.append(world.monotonic))
    world.run(DAY)
    assert 22 <= len(world.asked) <= 24


@pytest.mark.parametrize("due", [0, MINUTE, HOUR - 10, HOUR, DAY])
def test_workers_do_not_wake_together(world: World, due: int) -> None:
    world.last, world.next = world.now() - DAY, world.now() + due
    keepers = [refresh._Keeper(world.itself()) for _ in range(16)]
    wakes = {round(keeper.pause()) for keeper in keepers}
    assert len(wakes) >= 6 and max(wakes) <= HOUR


def test_without_a_license_it_looks_again(world: World) -> None:
    world.license = None
    world.run(HOUR)
    assert not world.asked and 60 <= world.looks <= 150
    world.license = "one"
    world.run(2 * MINUTE)
    assert len(world.asked) == 1


def test_another_license_is_asked_about(world: World) -> None:
    world.run(HOUR)
    world.license, world.last, world.next = "two", None, None
    world.run(HOUR + MINUTE)
    assert len(world.asked) == 2


def test_without_a_server_there_is_nothing_wrong(world: World) -> None:
    world.error = licentia.NoTransportError("no license server is configured")
    errors: list[Exception] = []
    world.run(DAY, on_error=errors.append)
    assert not world.asked and not errors
    world.error = None
    world.run(2 * MINUTE)
    assert len(world.asked) == 1


def test_a_server_that_is_gone_is_tried_again(world: World) -> None:
    errors: list[Exception] = []
    world.run(DAY)
    assert len(world.asked) == 2
    world.up = False
    before = len(world.asked)
    world.run(3 * DAY, on_error=errors.append)
    assert len(world.asked) - before == len(errors)
    assert 2 * 24 <= len(errors) <= 3 * 24 + 6
    assert {type(error) for error in errors} == {licentia.UnreachableError}
    world.up = True
    before = len(world.asked)
    world.run(HOUR + 2 * MINUTE)
    assert len(world.asked) == before + 1 and world.failures == 0


@pytest.mark.parametrize(
    "error", [licentia.DiskFullError("full"), licentia.BusyError("busy"), RuntimeError("?")]
)
def test_what_cannot_be_noted_is_not_tried_for_ever(world: World, error: Exception) -> None:
    """A folder that cannot be written to has no note of when to try again."""
    errors: list[Exception] = []
    world.error = error
    world.run(DAY, on_error=errors.append)
    assert 24 <= len(errors) <= 24 + 7 and set(errors) == {error}
    world.error = None
    world.run(HOUR + MINUTE)
    assert len(world.asked) == 1


def test_a_status_that_fails_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    error = MemoryError()

    def fails() -> dict[str, Any]:
        raise error

    errors: list[Exception] = []
    with monkeypatch.context() as patched:
        patched.setattr(world, "status", fails)
        world.run(DAY, on_error=errors.append)
    assert 24 <= len(errors) <= 24 + 7 and set(errors) == {error}
    world.run(HOUR + MINUTE)
    assert len(world.asked) == 1


def test_a_server_that_does_not_say_when_is_asked_each_day(world: World) -> None:
    world.every = None
    world.run(10 * DAY)
    assert 9 <= len(world.asked) <= 11


def test_a_server_that_wants_it_at_once_is_asked_each_minute(world: World) -> None:
    for every in (0, -DAY):
        world.asked.clear()
        world.every = every
        world.run(HOUR)
        assert 35 <= len(world.asked) <= 60


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("days", [3, 4000])
def test_a_clock_that_is_ahead(world: World, workers: int, days: int) -> None:
    """By it, the server is to be asked at once, and again at once."""
    world.server_behind = days * DAY
    world.run(10 * DAY, workers)
    assert 19 <= len(world.asked) <= 21
    world.asked.clear()
    # A process that was just started cannot know.
    world.restart()
    world.run(10 * DAY, workers)
    assert 20 <= len(world.asked) <= 21


def test_a_clock_that_stands(world: World) -> None:
    """As the time of an installation does whose clock was set back: until it is there again."""
    world.stopped = ISSUED
    world.run(10 * DAY)
    assert 19 <= len(world.asked) <= 20


def test_a_clock_that_is_set_back(world: World) -> None:
    world.run(HOUR)
    world.ahead -= 400 * DAY
    world.run(12 * HOUR)
    assert len(world.asked) == 2
    world.ahead -= 400 * DAY
    world.restart()
    world.run(13 * HOUR)
    assert len(world.asked) == 3, "who was just started does not wait for a year either"


def test_a_folder_from_a_backup(world: World) -> None:
    """What it says of the last contact is old, and nobody has just answered."""
    world.run(5 * DAY)
    kept = world.last, world.next
    world.run(5 * DAY)
    world.last, world.next = kept
    asked = len(world.asked)
    world.run(HOUR + MINUTE)
    assert len(world.asked) == asked + 1


def test_a_machine_that_slept(world: World) -> None:
    """The clock that nobody sets did not go on meanwhile."""
    world.run(HOUR)
    world.ahead += 10 * DAY
    world.run(HOUR)
    assert len(world.asked) == 2


class Slept(threading.Event):
    """Is set after so many sleeps, none of which takes any time."""

    def __init__(self, world: World, sleeps: int) -> None:
        super().__init__()
        self.world, self.sleeps = world, sleeps

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.world.monotonic += timeout
        self.sleeps -= 1
        return self.sleeps < 0


def test_the_loop_of_a_thread(world: World) -> None:
    refresh.keep_synced(world.itself(), Slept(world, 100))
    assert 4 <= len(world.asked) <= 9
    world.up = False
    errors: list[Exception] = []
    refresh.keep_synced(world.itself(), Slept(world, 100), on_error=errors.append)
    assert errors and {type(error) for error in errors} == {licentia.UnreachableError}
    refresh.keep_synced(world.itself(), Slept(world, 100))


def test_what_on_error_raises_ends_the_loop(world: World) -> None:
    class Enough(Exception):
        pass

    def enough(_: Exception) -> None:
        raise Enough

    world.up = False
    with pytest.raises(Enough):
        refresh.keep_synced(world.itself(), Slept(world, 100), on_error=enough)
    assert len(world.asked) == 1


def test_a_loop_that_is_stopped_asks_nobody(world: World) -> None:
    refresh.keep_synced(world.itself(), Slept(world, 0))
    assert not world.asked
    stop = threading.Event()
    stop.set()
    refresh.keep_synced(world.itself(), stop)
    assert not world.asked


# With an installation, and a server that it asks.


@contextmanager
def at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr(refresh, "_jitter", lambda: 0.01)
        patched.setattr(refresh, "_MINUTE", 0.05)
        patched.setattr(refresh, "_HOUR", 0.1)
        patched.setattr(refresh, "_JITTER", 0)
        yield


@pytest.fixture
def server(vendor: Vendor) -> Iterator[Fake]:
    with fake(signing(vendor, sync_after=ISSUED + DAY)) as server:
        yield server


@pytest.fixture
def connected(
    product: Product, vendor: Vendor, directory: Any, server: Fake
) -> Installation:
    return product.open(directory, server=server.root, **DIRECT)


def test_a_thread_keeps_an_installation_synced(
    product: Product,
    connected: Installation,
    server: Fake,
    vendor: Vendor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    errors: list[Exception] = []
    seen = threading.Event()

    def on_error(error: Exception) -> None:
        errors.append(error)
        seen.set()

    stop = threading.Event()
    with at_once(monkeypatch):
        answer, server.answer = server.answer, lambda _: problem(503, "busy")
        arguments = {"on_error": on_error}
        thread = threading.Thread(
            target=refresh.keep_synced, args=(connected, stop), kwargs=arguments
        )
        thread.start()
        connected.apply(vendor.license())
        assert seen.wait(60)
        assert isinstance(errors[0], licentia.UnreachableError) and "reports" in connected
        server.answer = answer
        product.set("clock", ISSUED + MINUTE)
        for _ in range(6000):
            if connected.status()["issuer"]["last_contact"] is not None:
                break
            assert not stop.wait(0.01)
        stop.set()
        thread.join(60)
    assert not thread.is_alive()
    assert connected.status()["issuer"]["last_contact"] == ISSUED
    assert connected.status()["issuer"]["next_contact"] == ISSUED + DAY


def test_a_task_keeps_an_installation_synced(
    connected: Installation, server: Fake, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the loop turns while the server is silent; on_error is called in the loop."""
    connected.apply(vendor.license())
    called: list[tuple[int, Exception]] = []
    server.speaks.clear()
    server.answer = lambda _: problem(403, "forbidden", "not you")

    async def main() -> None:
        def on_error(error: Exception) -> None:
            called.append((threading.get_ident(), error))

        task = asyncio.create_task(refresh.keep_synced_async(connected, on_error=on_error))
        turns = 0
        while not called:
            await asyncio.sleep(0.001)
            assert not task.done()
            turns += server.came.is_set()
            if turns == 100:
                server.speaks.set()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with at_once(monkeypatch):
        asyncio.run(main())
    assert called[0][0] == threading.get_ident()
    assert isinstance(called[0][1], licentia.RefusedError)


def test_a_task_is_cancelled_while_the_server_is_silent(
    connected: Installation, server: Fake, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected.apply(vendor.license())
    server.speaks.clear()

    async def main() -> None:
        task = asyncio.create_task(refresh.keep_synced_async(connected))
        while not server.came.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not server.speaks.is_set()
        server.speaks.set()

    with at_once(monkeypatch):
        asyncio.run(main())
    assert connected.status()["issuer"]["last_contact"] == ISSUED, "it went on to its end"
