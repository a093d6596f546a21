"""Webhooks as Python receives them: the vectors of every language, and each event once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from email.message import Message
from pathlib import Path
from typing import Any

import licentia
import pytest
from licentia.webhooks import Event, Receiver, verify, verify_signature

ROOT = Path(__file__).resolve().parents[3]
CASES: list[dict[str, Any]] = json.loads(
    (ROOT / "tests/vectors/webhooks.json").read_text("utf-8")
)["cases"]

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OTHER = "whsec_" + base64.b64encode(KEY[::-1]).decode()
EVENT = {
    "id": "evt_1",
    "type": "license.created",
    "created_at": "2026-01-02T03:04:05Z",
    "data": {"id": "lic_1", "seats": 5},
}
BODY = json.dumps(EVENT).encode()


def signed(
    body: bytes = BODY, id: str = "evt_1", at: float | None = None, key: bytes = KEY
) -> dict[str, str]:
    """The headers of a webhook, signed by the standard alone."""
    timestamp = str(int(time.time() if at is None else at))
    mac = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(mac).decode()
    return {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature,
    }


def word(call: Any) -> str:
    try:
        call()
    except licentia.Error as error:
        return error.code
    return "ok"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_every_vector(case: dict[str, Any]) -> None:
    body = base64.b64decode(case["body_base64"]) if "body_base64" in case else None
    body = case["body"].encode() if body is None else body
    headers = [tuple(pair) for pair in case["headers"]]
    secrets, now = case["secrets"], case["now"]
    assert word(lambda: verify_signature(body, headers, *secrets, now=now)) == case["expect"]
    # What is refused is refused whatever takes it.
    if case["expect"] != "ok":
        assert word(lambda: verify(body, headers, *secrets, now=now)) == case["expect"]


def test_there_are_vectors_of_every_kind() -> None:
    words = {case["expect"] for case in CASES}
    assert len(CASES) >= 60 and len(words) == 6


def test_an_event_is_what_was_sent() -> None:
    now = int(time.time())
    event = verify(BODY, signed(at=now), SECRET)
    assert event == Event(
        "evt_1",
        "license.created",
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc),
        {"id": "lic_1", "seats": 5},
        datetime.fromtimestamp(now, timezone.utc),
    )
    for body in (bytearray(BODY), memoryview(BODY)):
        assert verify(body, signed(at=now), OTHER, SECRET) == event
    with pytest.raises(AttributeError):
        event.id = "evt_2"  # type: ignore[misc]


def test_headers_are_taken_as_frameworks_have_them() -> None:
    headers = signed()
    message = Message()
    for name, value in headers.items():
        message[name.title()] = value
    latin = [(name.encode(), value.encode()) for name, value in headers.items()]
    for given in (headers, message, list(headers.items()), latin):
        assert verify(BODY, given, SECRET).id == "evt_1"
    twice = [*headers.items(), ("Webhook-Id", "evt_1")]
    assert word(lambda: verify(BODY, twice, SECRET)) == "malformed"


def test_what_is_signed_and_no_event_is_malformed() -> None:
    for body in (
        b"",
        b"\xff",
        b"[]",
        b"1",
        b"{}",
        b'{"type": 1}',
        b'{"type": "a", "data": []}',
        b'{"type": "a", "created_at": "soon"}',
        b'{"type": "a", "created_at": [1]}',
        b"[" * 100_000,
    ):
        headers = signed(body)
        assert word(lambda: verify_signature(body, headers, SECRET)) == "ok"
        assert word(lambda: verify(body, headers, SECRET)) == "malformed", body[:50]
    bare = b'{"type": "a.b"}'
    assert verify(bare, signed(bare), SECRET).created_at is None
    stamped = b'{"type": "a.b", "timestamp": "2026-01-02T03:04:05.678+01:00"}'
    at = verify(stamped, signed(stamped), SECRET).created_at
    assert at == datetime(2026, 1, 2, 2, 4, 5, 678_000, timezone.utc)


def test_wrong_calls_are_refused() -> None:
    headers = signed()
    assert word(lambda: verify(BODY, headers)) == "invalid_argument"
    assert word(lambda: Receiver()) == "invalid_argument"
    assert word(lambda: Receiver(SECRET, "whsec_")) == "invalid_argument"
    assert word(lambda: Receiver(SECRET, window=10)) == "invalid_argument"
    assert word(lambda: Receiver(SECRET, limit=0)) == "invalid_argument"
    with pytest.raises(TypeError):
        verify(BODY.decode(), headers, SECRET)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        verify(BODY, None, SECRET)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        verify(BODY, headers, KEY)  # type: ignore[arg-type]
    assert SECRET not in repr(Receiver(SECRET))
    with pytest.raises(licentia.ArgumentError) as refused:
        Receiver(SECRET[:-16])
    assert SECRET[6:20] not in str(refused.value)


def test_an_event_is_processed_once() -> None:
    receiver, headers = Receiver(SECRET), signed()
    with receiver.process(BODY, headers) as event:
        assert event.id == "evt_1"
        # It is here twice at this moment: the second is to come again.
        with pytest.raises(licentia.BusyError), receiver.process(BODY, headers):
            raise AssertionError("it was processed twice at once")
    # Sent again, which is signed again at another time.
    for at in (time.time(), time.time() + 60):
        with pytest.raises(licentia.AlreadyUsedError), receiver.process(BODY, signed(at=at)):
            raise AssertionError("it was processed twice")
    receiver.forget("evt_1")
    receiver.forget("evt_1")
    with receiver.process(BODY, headers):
        pass


def test_what_failed_is_processed_again() -> None:
    receiver = Receiver(SECRET)
    for failure in (RuntimeError("the database is away"), KeyboardInterrupt(), SystemExit()):
        with pytest.raises(type(failure)), receiver.process(BODY, signed()):
            raise failure
    with receiver.process(BODY, signed()):
        pass
    assert word(lambda: receiver.process(BODY, signed()).__enter__()) == "already_used"


def test_a_forged_webhook_does_not_use_an_id_up() -> None:
    receiver = Receiver(SECRET)
    forged = {**signed(), "webhook-signature": "v1," + "A" * 43 + "="}
    for headers in (forged, signed(at=time.time() - 400), signed(key=KEY[::-1])):
        assert word(lambda: receiver.process(BODY, headers).__enter__()) != "ok"
    with receiver.process(BODY, signed()) as event:
        assert event.id == "evt_1"


def test_ids_are_forgotten_at_the_end_of_the_window_and_over_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passed = [1000.0]
    monkeypatch.setattr("licentia.webhooks.time.monotonic", lambda: passed[0])
    receiver = Receiver(SECRET, window=600, limit=2)

    def state(id: str) -> str:
        def process() -> None:
            with receiver.process(BODY, signed(id=id)):
                pass

        return word(process)

    assert [state("evt_1"), state("evt_1")] == ["ok", "already_used"]
    passed[0] += 600
    assert state("evt_1") == "already_used"
    passed[0] += 1
    assert state("evt_1") == "ok"
    assert [state(f"evt_{at}") for at in (2, 3, 4, 4, 1)] == ["ok"] * 3 + ["already_used", "ok"]


def test_many_threads_process_each_event_once() -> None:
    receiver, taken, lock = Receiver(SECRET), list[str](), threading.Lock()
    start = threading.Barrier(8)

    def work(_: int) -> None:
        start.wait()
        for at in range(200):
            try:
                with receiver.process(BODY, signed(id=f"evt_{at}")) as event:
                    with lock:
                        taken.append(event.id)
            except (licentia.AlreadyUsedError, licentia.BusyError):
                pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert sorted(taken) == sorted(f"evt_{at}" for at in range(200))


@contextmanager
def example(*arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The example, and where it listens."""
    path = str(ROOT / "examples/python/webhook.py")
    command = [sys.executable, path, "--port", "0", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            url = process.stdout.readline().strip()
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url), process.stderr.read()
            yield url, process
        finally:
            process.kill()


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    request = urllib.request.Request(url, body, headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_the_example_takes_each_event_once() -> None:
    old = timedelta(minutes=6).total_seconds()
    with example(OTHER, SECRET) as (url, process):
        assert post(url, BODY, signed()) == 204
        assert post(url, BODY, signed()) == 204
        assert post(url, BODY + b" ", signed()) == 400
        assert post(url, BODY, signed(at=time.time() - old)) == 400
        assert post(url, BODY, {}) == 400
        assert post(url, BODY, signed(id="evt_2")) == 204
        told = [json.loads(process.stdout.readline()) for _ in range(2)]  # type: ignore[union-attr]
    assert [event["id"] for event in told] == ["evt_1", "evt_2"]
    assert told[0]["data"] == EVENT["data"]
