"""Receive webhooks of a license server, or of anybody who signs them by Standard Webhooks.

A ``Receiver`` has the secrets that the server gave for its endpoint, ``whsec_…`` or ``whpk_…``, and
takes what a web framework has of a request: the body as it was received, and the headers::

    receiver = licentia.webhooks.Receiver("whsec_…")

    def hook(request):
        try:
            with receiver.process(request.body, request.headers) as event:
                print(event.type, event.data)
        except licentia.AlreadyUsedError:
            return 200  # it has been here before
        except licentia.BusyError:
            return 503  # it is here twice at this moment, and comes again
        except licentia.Error:
            return 400  # it is nobody's
        return 200

One event may come several times, with one id: a ``Receiver`` refuses those that this process has
processed. Where there are several processes, keep the ids in your database, in the transaction in
which you process them, and use ``verify``.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Optional, Protocol, Union

from ._licentia import WEBHOOK_MAX as BODY_MAX
from ._licentia import verify_webhook
from .errors import AlreadyUsedError, ArgumentError, BadSignatureError, BusyError, MalformedError

__all__ = ["BODY_MAX", "WINDOW", "Event", "Receiver", "verify", "verify_signature"]

WINDOW = 4 * 86_400.0
"""Seconds for which a receiver remembers what it has processed. An event may come again after that:
write its id into your database with what you do for it."""

_IDS = 100_000
_Pairs = Iterable[tuple[Union[str, bytes], Union[str, bytes]]]
_Body = Union[bytes, bytearray, memoryview]


class _Items(Protocol):
    def items(self) -> _Pairs: ...


_Headers = Union[_Items, _Pairs]


@dataclass(frozen=True)
class Event:
    """What a webhook tells. It was signed with one of the secrets."""

    id: str
    """The name of the event, such as ``evt_…``: the same however often it comes."""

    type: str
    """What happened, such as ``license.created``."""

    created_at: Optional[datetime]
    """When it happened, in UTC; None where it does not say."""

    data: dict[str, Any]
    """What it happened to."""

    sent_at: datetime
    """When it was sent this time, in UTC."""


def verify(
    body: _Body, headers: _Headers, /, *secrets: str, now: Optional[float] = None
) -> Event:
    """The event of a webhook that one of the secrets has signed. Whether it has been here before
    is for you to know: by ``Event.id``.

    ``body`` is as it was received, and never written again by a parser. ``headers`` are a mapping,
    or pairs. ``now`` is a time in seconds since 1970 in place of the clock's.

    Raises BadSignatureError, BadTimestampError for one that was sent more than five minutes ago or
    from now, MalformedError for what is no webhook, or no event, TooLargeError; and ArgumentError
    for a secret that is none."""
    id, sent = _verified(body, headers, secrets, now)
    try:
        envelope = json.loads(bytes(body))
    except (ValueError, RecursionError):
        raise MalformedError("the webhook is no JSON: ask whoever sends it") from None
    return _event(id, envelope, sent)


def verify_signature(
    body: _Body, headers: _Headers, /, *secrets: str, now: Optional[float] = None
) -> datetime:
    """When a webhook was sent that one of the secrets has signed, in UTC, whatever is in its body.
    Raises what ``verify`` does."""
    return _verified(body, headers, secrets, now)[1]


class Receiver:
    """Takes each event once. Any number of threads and tasks may use one."""

    def __init__(self, *secrets: str, window: float = WINDOW, limit: int = _IDS) -> None:
        """``secrets`` are those of one endpoint, several while one follows another. Ids are
        remembered for ``window`` seconds, and no more than the last ``limit`` of them."""
        if window < 600 or limit < 1:
            raise ArgumentError("a receiver remembers for 600 seconds at least: correct the call")
        try:
            verify_signature(b"", _PROBE, *secrets)
        except BadSignatureError:
            pass  # as it should be: the secrets can be asked
        self._secrets, self._window, self._limit = secrets, window, limit
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._done: OrderedDict[str, float] = OrderedDict()

    @contextmanager
    def process(self, body: _Body, headers: _Headers) -> Iterator[Event]:
        """Verifies a webhook, and gives its event to the ``with``. At its end the event counts as
        processed; where it fails it is forgotten, and is processed when it comes again.

        Raises what ``verify`` does, AlreadyUsedError for an event that was processed, and BusyError
        for one that is being processed at this moment."""
        event = verify(body, headers, *self._secrets)
        self._begin(event.id)
        try:
            yield event
        except BaseException:
            with self._lock:
                self._busy.discard(event.id)
            raise
        with self._lock:
            self._busy.discard(event.id)
            self._done[event.id] = time.monotonic()

    def forget(self, id: str, /) -> None:
        """Processes an event again when it comes again: what was done with it is undone."""
        with self._lock:
            self._done.pop(id, None)

    def _begin(self, id: str) -> None:
        with self._lock:
            old = time.monotonic() - self._window
            while self._done and (
                len(self._done) > self._limit or next(iter(self._done.values())) < old
            ):
                self._done.popitem(last=False)
            if id in self._done:
                what = "was processed already: answer with a status of 2xx, and do nothing"
                raise AlreadyUsedError(f"the webhook {id} {what}")
            if id in self._busy:
                what = "is being processed: answer with the status 503, and it comes again"
                raise BusyError(f"the webhook {id} {what}")
            self._busy.add(id)

    def __repr__(self) -> str:
        return f"<licentia.webhooks.Receiver, {len(self._secrets)} secrets>"


_PROBE = {"webhook-id": "_", "webhook-timestamp": "0", "webhook-signature": "v1,"}


def _verified(
    body: _Body, headers: _Headers, secrets: tuple[str, ...], now: Optional[float]
) -> tuple[str, datetime]:
    at = int(time.time() if now is None else now)
    id, sent = verify_webhook(body, headers, secrets, at)
    return id, datetime.fromtimestamp(sent, timezone.utc)


def _event(id: str, envelope: Any, sent: datetime) -> Event:
    if isinstance(envelope, dict):
        kind, data = envelope.get("type"), envelope.get("data", {})
        if isinstance(kind, str) and isinstance(data, dict):
            created = envelope.get("created_at", envelope.get("timestamp"))
            return Event(id, kind, _time(created), data, sent)
    raise MalformedError("the webhook has no type, or no data: ask whoever sends it")


def _time(text: Any) -> Optional[datetime]:
    if text is None:
        return None
    try:
        # Python 3.9 does not know the Z.
        at = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        raise MalformedError("the webhook has no such time: ask whoever sends it") from None
    return at if at.tzinfo is None else at.astimezone(timezone.utc)
