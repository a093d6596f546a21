"""Keep an installation in touch with the vendor's license server.

The library itself starts no threads. Here is a loop for a thread, or for a task of an event loop,
that the host starts and stops::

    stop = threading.Event()
    threading.Thread(target=licentia.refresh.keep_synced, args=(installation, stop)).start()

It syncs when the server has asked for it (``status()["issuer"]["next_contact"]``), waits longer and
longer while the server cannot be reached, and does nothing where there is no license or no server.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from typing import Any, Callable, Optional

from . import Installation
from .errors import NoTransportError

__all__ = ["keep_synced", "keep_synced_async"]

_OnError = Callable[[Exception], object]

_MINUTE = 60.0
_HOUR = 3600.0
_DAY = 86_400.0
_JITTER = 30.0
"""Workers that share a folder wait for up to so long, each for itself, and look again: the first
of them asks."""


def keep_synced(
    installation: Installation,
    stop: threading.Event,
    *,
    on_error: Optional[_OnError] = None,
) -> None:
    """Syncs until ``stop`` is set: for a thread that the host starts.

    What fails is given to ``on_error``, and tried again later; what ``on_error`` raises ends the
    loop. A sync that is under way when ``stop`` is set goes on to its end, for no longer than the
    setting ``server_timeout``."""
    keeper = _Keeper(installation)
    while not stop.wait(keeper.pause()):
        error = keeper.turn()
        if error is not None and on_error is not None:
            on_error(error)


async def keep_synced_async(
    installation: Installation, *, on_error: Optional[_OnError] = None
) -> None:
    """Syncs until it is cancelled: for a task of the host's event loop, which never waits for it.

    What fails is given to ``on_error``, in the event loop, and tried again later; what ``on_error``
    raises ends the task. It can be cancelled at any time. A sync that is then under way goes on to
    its end in its own thread, for no longer than the setting ``server_timeout``."""
    keeper = _Keeper(installation)
    while True:
        await asyncio.sleep(await asyncio.to_thread(keeper.pause))
        error = await asyncio.to_thread(keeper.turn)
        if error is not None and on_error is not None:
            on_error(error)


class _Keeper:
    """When to sync, and the sync."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._known: Optional[tuple[Any, ...]] = None
        """The license, and when its server last answered."""
        self._next: Optional[int] = None
        """The next contact by the status. Also what fails for another worker moves it."""
        self._since = (0.0, 0)
        """When it was last decided: by a clock that nobody sets, and by that of the license."""
        self._wait = 0.0
        """How long after that to ask."""
        self._asked, self._answered = False, False
        """Whether the server was asked since, and whether it answered."""
        self._failures = 0
        self._rest_until = _monotonic()

    def pause(self) -> float:
        """Seconds to sleep before the next turn."""
        try:
            left = self._left()
        except Exception:
            left = 0.0  # the turn finds it too, and tells
        left = max(left, self._rest_until - _monotonic(), 0.0)
        return min(left, _HOUR - _JITTER) + _jitter()

    def turn(self) -> Optional[Exception]:
        """Syncs, if it still has to be done: gives what went wrong."""
        try:
            if self._left() > 0:
                return None
            self._installation.sync()
        except NoTransportError:
            self._rest(_MINUTE)  # there is no server to ask, and nothing wrong with that
            return None
        except Exception as error:
            self._rest(min(_MINUTE * 2 ** min(self._failures, 6), _HOUR))
            self._asked = True
            self._failures += 1
            return error
        self._asked, self._answered, self._failures = True, True, 0
        self._rest(_MINUTE)
        return None

    def _rest(self, seconds: float) -> None:
        self._rest_until = _monotonic() + seconds

    def _left(self) -> float:
        """Seconds until the server is to be asked."""
        status = self._installation.status()
        license, issuer, now = status["license"], status["issuer"], status["time"]["now"]
        # Where its key was stolen, there is none until the server gives another for it.
        if license is None and status["reason"] != "key_compromised":
            self._known = None
            return _MINUTE
        known = license and license["id"], issuer["last_contact"]
        then = issuer["next_contact"]
        if known != self._known or self._asked:
            answered = self._answered or _has_answered(self._known or known, known)
            self._known, self._asked, self._answered = known, False, False
            self._decide(now, _wait(known[1], then, now, answered))
        elif then != self._next:
            # Another worker has failed: one that always does would keep this one from asking.
            self._decide(now, min(self._still(now), _wait(known[1], then, now, False)))
        self._next = then
        return self._still(now)

    def _decide(self, now: int, wait: float) -> None:
        self._since, self._wait = (_monotonic(), now), wait

    def _still(self, now: int) -> float:
        # Clocks are set back and forth, and a machine that sleeps stops the other one.
        since, at = self._since
        passed: float = max(_monotonic() - since, now - at)
        return self._wait - passed


def _has_answered(before: tuple[Any, ...], known: tuple[Any, ...]) -> bool:
    """Whether another worker has asked about the same license."""
    return known[0] == before[0] and (known[1] or 0) > (before[1] or 0)


def _wait(last: Optional[int], then: Optional[int], now: int, answered: bool) -> float:
    """How long to wait with the next contact: `then`, if the server has said when."""
    if last is None:
        left = 0.0 if then is None else then - now
        return _HOUR if left <= 0 and answered else left
    whole = max(_DAY if then is None else then - last, 0.0)
    left = last + whole - now
    if left <= 0 and answered:
        return whole  # the clock here is ahead of the server's
    return min(left, whole)


def _monotonic() -> float:
    return time.monotonic()


def _jitter() -> float:
    # Not the generator that everybody shares: who seeds it would make all workers alike.
    return random.SystemRandom().uniform(0, _JITTER)
