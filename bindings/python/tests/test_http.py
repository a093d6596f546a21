"""One HTTP request in, its answer out: who may ask, and what no request has."""

from __future__ import annotations

import copy
import email.message
import json
import pickle
import threading
from pathlib import Path
from typing import Any

import licentia
import pytest
from hypothesis import given
from hypothesis import strategies as st
from licentia import Caller, Installation, Product, Response, Rights
from vendor import ISSUED, PRODUCT, Vendor

fcntl = pytest.importorskip("fcntl")

ADMIN = Caller("admin", Rights.ADMINISTRATOR)
READER = Caller("reader", Rights.READ)
SERVICE = Caller("backup", Rights.ADMINISTRATOR | Rights.SERVICE)
JSON = {"content-type": "application/json"}


def assign(text: str) -> bytes:
    """The body that applies a license."""
    return json.dumps({"signed_license": text}).encode()


def is_in_force(installation: Installation) -> bool:
    answer = installation.handle("GET", "/api/licensing/check", caller=ADMIN)
    assert (answer.status, answer.body) in [(200, b"true"), (200, b"false")]
    return answer.body == b"true"


def test_a_license_is_applied_by_one_and_seen_by_all(
    product: Product, installation: Installation, vendor: Vendor, directory: Path
) -> None:
    other = product.open(directory)
    assert not is_in_force(installation) and not is_in_force(other)
    body = assign(vendor.license())
    answer = installation.handle(
        "POST", "/api/license/assign", headers=JSON, body=body, caller=ADMIN
    )
    assert type(answer) is Response and (answer.status, answer.body) == (204, b"")
    assert "reports" in installation and is_in_force(installation)
    assert is_in_force(other), "a request looks again"
    expiration = other.handle("GET", "/api/license/expiration", caller=ADMIN)
    assert json.loads(expiration.body)["license_expiration"] == "2025-12-22T00:00:00Z"


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", "/api/license/expiration", b""),
        ("GET", "/api/license/request", b""),
        ("POST", "/api/license/assign", b"{}"),
        ("GET", "/api/licensing/check", b""),
        ("POST", "/api/licensing/token", b"{}"),
        ("POST", "/licensing/token", b"{}"),
        ("POST", "/api/licensing/token/renew", b"{}"),
        ("DELETE", "/api/licensing/token", b"{}"),
        ("GET", "/api/v1/license", b""),
        ("POST", "/api/v1/license", b"{}"),
        ("GET", "/license", b""),
    ],
)
def test_a_stranger_and_who_may_nothing_are_kept_out(
    installation: Installation, method: str, target: str, body: bytes
) -> None:
    nobody = Caller("nobody", Rights(0))
    for caller in (None, nobody):
        answer = installation.handle(method, target, headers=JSON, body=body, caller=caller)
        assert answer.status in (401, 403), caller
    answer = installation.handle(method, target, headers=JSON, body=body, caller=ADMIN)
    assert answer.status not in (401, 403, 404, 405)
    assert installation.serves(target) and installation.serves(target + "?a=b")


def test_what_a_reader_and_a_service_may(installation: Installation, vendor: Vendor) -> None:
    check, body = "/api/licensing/check", assign(vendor.license())
    assert installation.handle("GET", check, caller=READER).status == 200
    assert installation.handle("GET", check, caller=SERVICE).status == 403
    refused = installation.handle(
        "POST", "/api/license/assign", headers=JSON, body=body, caller=READER
    )
    assert refused.status == 403 and "reports" not in installation
    applied = installation.handle(
        "POST", "/api/license/assign", headers=JSON, body=body, caller=SERVICE
    )
    assert applied.status == 204 and "reports" in installation


def test_an_answer_is_ready_to_send(installation: Installation) -> None:
    answer = installation.handle("GET", "/api/license")
    assert type(answer.status) is int and type(answer.body) is bytes
    assert type(answer.headers) is tuple
    headers = dict(answer.headers)
    assert len(headers) == len(answer.headers), "each once"
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"] == "no-store"
    for name, value in answer.headers:
        assert name == name.lower() and name.isascii() and value.isascii()
    status, pairs, body = answer
    assert (status, pairs, body) == tuple(answer)
    assert pickle.loads(pickle.dumps(answer)) == answer
    with pytest.raises(AttributeError):
        answer.status = 500  # type: ignore[misc]
    head = installation.handle("HEAD", "/api/license")
    assert (head.status, head.headers, head.body) == (answer.status, answer.headers, b"")


def test_every_shape_of_headers_is_read(installation: Installation) -> None:
    """The answer to a write tells whether the content type has arrived."""
    message = email.message.Message()
    message["Content-Type"] = "application/json"

    class Multi:
        """As the headers of many frameworks: what they are is what `items` gives."""

        def items(self) -> list[tuple[str, str]]:
            return [("accept", "a"), ("Content-Type", "application/json")]

        def __iter__(self) -> Any:
            raise AssertionError("its names alone")

    shapes: list[Any] = [
        JSON,
        {"Content-Type": "application/json"},
        {b"content-type": b"application/json"},
        [("content-type", "application/json")],
        [(b"Content-Type", b"application/json")],
        (["content-type", b"application/json"],),
        iter([("CONTENT-TYPE", "application/json"), ("x", "\ud800\0é"), (b"y", b"\xff\0")]),
        ((name, "application/json") for name in ["content-type"]),
        message,
        Multi(),
    ]
    for headers in shapes:
        answer = installation.handle(
            "POST", "/api/license/assign", headers=headers, body=b"[]", caller=ADMIN
        )
        assert answer.status == 400, headers
    missing: list[Any] = [
        (),
        {},
        [("content-type", "text/plain")],
        [("content-type", "application/json"), ("content-type", "text/plain")],
        [("content-typ\u00e9", "application/json")],
        [("content-type", "application/json\ud800")],
        [("content-type", b"application/json\xff")],
        [(b"content-type", b"\xe1pplication/json")],
    ]
    for headers in missing:
        answer = installation.handle(
            "POST", "/api/license/assign", headers=headers, body=b"[]", caller=ADMIN
        )
        assert answer.status == 415, headers


class Failing:
    def items(self) -> Any:
        raise RuntimeError("not today")


def test_the_wrong_types_are_type_errors(installation: Installation) -> None:
    wrong: Any
    handle = installation.handle
    for wrong in (None, 1, "", b"", "ab", ["ab"], [b"ab"], [("a",)], [("a", "b", "c")], [1]):
        with pytest.raises(TypeError):
            handle("GET", "/api/license", headers=wrong)
    for wrong in ([("a", 1)], [(1, "a")], {"a": None}, {"a": ["b"]}, [("a", bytearray(b"b"))]):
        with pytest.raises(TypeError):
            handle("GET", "/api/license", headers=wrong)
    for wrong in (None, 1, "{}", [], [b"x"], iter([b"x"])):
        with pytest.raises(TypeError):
            handle("GET", "/api/license", body=wrong)
    for wrong in ("admin", 7, Rights.ADMINISTRATOR, True, ("admin", Rights.READ), Caller):
        with pytest.raises(TypeError):
            handle("GET", "/api/license", caller=wrong)
    for wrong in (None, 1, b"GET", ["GET"]):
        with pytest.raises(TypeError):
            handle(wrong, "/api/license")
        with pytest.raises(TypeError):
            handle("GET", wrong)
        with pytest.raises(TypeError):
            installation.serves(wrong)
    with pytest.raises(TypeError):
        handle("GET", "/api/license", {})  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        handle("GET", "/api/license", header={})  # type: ignore[call-arg]
    with pytest.raises(RuntimeError, match="not today"):
        handle("GET", "/api/license", headers=Failing())


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("", "/"),
        ("G T", "/"),
        ("GET\n", "/"),
        ("GÉT", "/"),
        ("\ud800", "/"),
        ("X" * 33, "/"),
        ("GET", ""),
        ("GET", "api/license"),
        ("GET", "/api license"),
        ("GET", "/api/license\r\nx: y"),
        ("GET", "/\0"),
        ("GET", "/\ud800"),
        ("GET", "file:///etc/passwd"),
    ],
)
def test_what_no_request_has_is_an_argument_error(
    installation: Installation, method: str, target: str
) -> None:
    with pytest.raises(licentia.ArgumentError):
        installation.handle(method, target, caller=ADMIN)
    assert not installation.serves(target)


def test_bodies_of_every_kind(installation: Installation, vendor: Vendor) -> None:
    good = assign(vendor.license())
    for body in (good, bytearray(good), memoryview(good), memoryview(b"x" + good)[1:]):
        answer = installation.handle(
            "POST", "/api/license/assign", headers=JSON, body=body, caller=ADMIN
        )
        assert answer.status == 204 and installation.remove()
    most = 128 * 1024
    for size, status in ((most, 400), (most + 1, 413), (20_000_000, 413)):
        answer = installation.handle(
            "POST", "/api/license/assign", headers=JSON, body=b"x" * size, caller=ADMIN
        )
        assert answer.status == status
    assert licentia._licentia.BODY_MAX == most


def test_a_mount_is_a_prefix(product: Product, directory: Path) -> None:
    installation = product.open(directory, mount="/admin/licensing")
    assert installation.serves("/admin/licensing/api/license")
    assert installation.handle("GET", "/admin/licensing/api/license").status == 200
    for beside in ("/api/license", "/admin/api/license", "/admin/licensing%2Fapi/license"):
        assert not installation.serves(beside)
        assert installation.handle("GET", beside, caller=ADMIN).status == 404
    installation.set("mount", None)
    assert installation.serves("/api/license") and not installation.serves("/x/api/license")


def test_the_public_status_is_the_sites_to_open(product: Product, directory: Path) -> None:
    known = [
        json.loads(product.open(directory, public_status=said).handle("GET", "/api/license").body)
        for said in (None, "minimal", "full")
    ]
    assert known[0] == known[1] and known[0].keys() <= known[2].keys()
    with pytest.raises(licentia.ArgumentError):
        product.open(directory, public_status="all")  # type: ignore[arg-type]
    with pytest.raises(licentia.ArgumentError):
        product.open(directory, lease_window=0)
    with pytest.raises(TypeError):
        product.open(directory, lease_window=1.5)  # type: ignore[arg-type]


def test_a_caller_is_who_the_host_says(installation: Installation) -> None:
    caller = Caller("Zoë", Rights.READ | Rights.WRITE)
    assert (caller.name, caller.rights) == ("Zoë", Rights.READ | Rights.WRITE)
    assert type(caller.rights) is Rights
    same = Caller(name="Zoë", rights=Rights(3))
    assert caller == same and hash(caller) == hash(same)
    assert caller != Caller("Zoë", Rights.READ) and caller != Caller("Zoe", Rights(3))
    assert caller != ("Zoë", 3) and caller is not None
    assert pickle.loads(pickle.dumps(caller)) == caller == copy.deepcopy(caller)
    assert repr(caller).startswith("licentia.Caller('Zoë', <Rights.")
    for name in ("name", "rights", "more"):
        with pytest.raises(AttributeError):
            setattr(caller, name, Rights.ADMINISTRATOR)
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Forged", (Caller,), {})
    with pytest.raises(TypeError):
        object.__new__(Caller)


@pytest.mark.parametrize("name", ["", "x" * 257, "é" * 129, "a\nb", "a\0", "\x7f", "\ud800"])
def test_names_that_nobody_has(name: str) -> None:
    with pytest.raises(licentia.ArgumentError):
        Caller(name, Rights.READ)


@pytest.mark.parametrize("bits", [8, 128, 512, 2**32, 2**32 + 7, 2**64, -1, -8, 7 + 1024])
def test_rights_that_mean_nothing(bits: int) -> None:
    with pytest.raises((licentia.ArgumentError, ValueError)):
        Caller("admin", Rights(bits))


def test_rights_are_no_numbers() -> None:
    wrong: Any
    for wrong in (7, 0, True, None, "7", [Rights.READ], {"read": True}, licentia.Access.ALLOW):
        with pytest.raises(TypeError, match="the rights must be licentia.Rights, not"):
            Caller("admin", wrong)
    with pytest.raises(TypeError):
        Caller(b"admin", Rights.READ)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Caller("admin")  # type: ignore[call-arg]
    bits = {one.name: int(one) for one in Rights.__members__.values()}
    assert bits == {"READ": 1, "WRITE": 2, "DELETE": 4, "ADMINISTRATOR": 7, "SERVICE": 256}
    few = Rights.ADMINISTRATOR & ~Rights.DELETE
    assert Caller("editor", few).rights == Rights.READ | Rights.WRITE


def test_others_go_on_while_a_request_waits(
    installation: Installation, vendor: Vendor, directory: Path
) -> None:
    """Another process holds the folder: the thread waits for it, and this one does not."""
    installation.apply(vendor.license())
    renewal = assign(vendor.renewal())
    answers: list[int] = []

    def wait_for_it() -> None:
        answer = installation.handle(
            "POST", "/api/license/assign", headers=JSON, body=renewal, caller=ADMIN
        )
        answers.append(answer.status)

    with open(directory / "lock", "rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = threading.Thread(target=wait_for_it)
        waiting.start()
        for _ in range(50):
            assert is_in_force(installation) and not answers
        fcntl.flock(lock, fcntl.LOCK_UN)
    waiting.join()
    assert answers == [204]


ANY_TEXT = st.text(st.characters(exclude_categories=()))
SHARED = Vendor()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    product = Product(PRODUCT, SHARED.keys(), clock=ISSUED)
    return product.open(tmp_path_factory.mktemp("shared"))


TARGETS = ANY_TEXT.map(lambda text: "/" + text) | st.sampled_from(
    ["/api/license", "/api/license/assign", "/api/licensing/token", "/api/v1/license", "/license"]
)
PAIRS = st.lists(st.tuples(ANY_TEXT | st.binary(), ANY_TEXT | st.binary()))
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE"]) | ANY_TEXT


@given(METHODS, TARGETS, PAIRS, st.binary(), st.sampled_from([None, ADMIN, READER, SERVICE]))
def test_any_request_has_an_answer(
    shared: Installation,
    method: str,
    target: str,
    headers: list[tuple[str | bytes, str | bytes]],
    body: bytes,
    caller: Caller | None,
) -> None:
    try:
        answer = shared.handle(method, target, headers=headers, body=body, caller=caller)
    except licentia.ArgumentError:
        return
    assert 200 <= answer.status < 500
    assert (answer.status == 404) == (not shared.serves(target)) or answer.status == 414
