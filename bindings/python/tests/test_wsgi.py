"""The license API as a WSGI application: the paths, the bodies, and who is asking."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from licentia import Caller, Installation, Product, Rights
from licentia._mount import Mounted
from licentia.wsgi import App
from vendor import ISSUED, PRODUCT, Vendor
from web import ADMIN, TOO_MUCH, USERS, assign

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication


def caller(environ: dict[str, Any]) -> Caller | None:
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return USERS.get(token) if scheme == "Bearer" else None


def other(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """The host's own: says what it was asked for."""
    start_response("418 I'm a teapot", [("Content-Type", "text/plain")])
    return [f"{environ['SCRIPT_NAME']}|{environ['PATH_INFO']}".encode("latin-1")]


class Sent:
    """What a request came to. Where it is one that a server lets through, asked as one does that
    watches the protocol."""

    def __init__(
        self,
        app: WSGIApplication,
        method: str = "GET",
        path: str = "/api/license",
        body: bytes | None = None,
        environ: dict[str, Any] | None = None,
        watch: bool = True,
    ) -> None:
        own: dict[str, Any] = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path}
        own |= {"QUERY_STRING": "", "HTTP_AUTHORIZATION": f"Bearer {ADMIN}"}
        if body is not None:
            own |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
            own |= {"CONTENT_TYPE": "application/json"}
        own |= environ or {}
        setup_testing_defaults(own)
        calls: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], info: Any = None) -> Any:
            calls.append((status, headers))
            return lambda data: None

        parts = (validator(app) if watch else app)(own, start_response)
        self.body = b"".join(parts)
        getattr(parts, "close", lambda: None)()
        ((status, headers),) = calls
        self.status, self.headers = int(status[:3]), {n.lower(): v for n, v in headers}
        assert len(self.headers) == len(headers)


@pytest.fixture
def app(installation: Installation) -> App:
    return App(installation, caller)


def test_answers_as_the_core_does(app: App, installation: Installation, vendor: Vendor) -> None:
    applied = Sent(app, "POST", "/api/license/assign", assign(vendor.license()))
    assert (applied.status, applied.body) == (204, b"") and "reports" in installation
    assert "content-length" not in applied.headers and "content-type" not in applied.headers
    for target in ("/api/license", "/api/license/expiration", "/api/v1/license", "/license"):
        answer = installation.handle("GET", target, caller=USERS[ADMIN])
        sent = Sent(app, path=target)
        assert (sent.status, sent.body) == (answer.status, answer.body)
        assert sent.headers.pop("content-length") == str(len(answer.body))
        assert sent.headers == dict(answer.headers)
        head = Sent(app, "HEAD", target)
        assert (head.status, head.headers, head.body) == (sent.status, sent.headers, b"")
    removed = Sent(app, "DELETE", "/api/license")
    assert removed.status == 405 and removed.headers["allow"] == "GET, HEAD"


def test_what_is_not_ours_is_passed_on_as_it_came(installation: Installation) -> None:
    app = App(installation, caller, fallback=other)
    for path in ("/", "/reports", "/api/licenses", "/api/license/", "/API/license"):
        sent = Sent(app, path=path)
        assert (sent.status, sent.body) == (418, f"|{path}".encode())
        assert Sent(App(installation, caller), path=path).status == 404
    assert Sent(app, path="/api/license").status == 200

    def asked(environ: dict[str, Any]) -> Caller:
        raise AssertionError("nobody has to know who asks for that")

    body = io.BytesIO(b"not ours")
    passed = App(installation, asked, fallback=other)
    assert Sent(passed, "POST", "/x", environ={"wsgi.input": body}).status == 418
    assert body.read() == b"not ours"
    assert Sent(App(installation, asked), path="/x").status == 404


@pytest.mark.parametrize("raw", ["REQUEST_URI", "RAW_URI", None])
def test_a_path_is_ours_below_what_the_framework_has_mounted(
    product: Product, directory: Path, raw: str | None
) -> None:
    for mount in (None, "/shop"):
        installation = product.open(directory, mount=mount)
        app = App(installation, caller, fallback=other)
        environ = {"SCRIPT_NAME": "/shop"}
        whole = {raw: "/shop/api/license?a=b"} if raw else {}
        assert Sent(app, environ=environ | whole).status == 200, mount
        slash = Sent(app, environ=whole | {"SCRIPT_NAME": "/shop/"}, watch=False)
        assert slash.status == 200, mount
        # As a server has it behind a proxy that takes the prefix off.
        stripped = {raw: "/api/license?a=b"} if raw else {}
        assert Sent(app, environ=environ | stripped).status == 200
        beside = Sent(app, path="/api/license/", environ={"SCRIPT_NAME": "/shopping"})
        assert (beside.status, beside.body) == (418, b"/shopping|/api/license/")
    installation = product.open(directory, mount="/shop")
    assert Sent(App(installation, caller), path="/shop/api/license").status == 200
    assert Sent(App(installation, caller), path="/api/license").status == 404
    missing = Sent(App(installation, caller), path="/nothing", environ={"SCRIPT_NAME": "/shop"})
    assert missing.status == 404


@pytest.mark.parametrize("name", ["REQUEST_URI", "RAW_URI"])
def test_an_escaped_slash_is_none(installation: Installation, name: str) -> None:
    app = App(installation, caller, fallback=other)
    for sent in ("/api%2Flicense", "/api%2flicense?x", "/%61pi/license", "/api/licens%65"):
        assert Sent(app, environ={name: sent}).status == 418, sent
    shop = {"SCRIPT_NAME": "/shop"}
    for sent in ("/shop%2Fapi/license", "/shop/api%2Flicense"):
        assert Sent(app, environ={name: sent, **shop}).status == 418, sent
    # What says something else than the path is not believed: somebody has changed the path.
    for sent in ("/reports", "http://other.example/x", "", "*", "/api/license%", "/\xff"):
        assert Sent(app, environ={name: sent}).status == 200, sent
        assert Sent(app, path="/reports", environ={name: "/api/license"}).status == 418


def test_paths_that_are_no_text(app: App) -> None:
    paths = ["/\xff\xfe", "/a b", "/a\r\nb", "/\x00", "/%", "/?", "/#", "/\x7f", "", "*", "//", "x"]
    for path in paths:
        assert Sent(app, path=path, watch=False).status == 404, path
    assert Sent(app, environ={"QUERY_STRING": "a b\r\n\xff"}).status == 200
    assert Sent(app, path="/" + "x" * 9000).status == 414


def test_who_is_asking_is_the_hosts_word_and_nobody_elses(installation: Installation) -> None:
    def fails(environ: dict[str, Any]) -> Caller | None:
        raise LookupError("the users are away")

    with pytest.raises(LookupError, match="the users are away"):
        Sent(App(installation, fails))
    answers: tuple[Any, ...] = (True, "admin", Rights.ADMINISTRATOR, 7, {}, False, 0, "", [])
    for answer in answers:
        with pytest.raises(TypeError, match="must be licentia.Caller or None, not"):
            Sent(App(installation, lambda environ: answer))

    class Truthy:
        """Takes itself for a caller."""

        name, rights = "admin", Rights.ADMINISTRATOR
        __class__ = Caller  # type: ignore[assignment]

    with pytest.raises(TypeError):
        Sent(App(installation, lambda environ: Truthy()))  # type: ignore[arg-type, return-value]
    assert Sent(App(installation, lambda environ: None), path="/license").status == 401
    for path in ("/api/license", "/api/license/openapi.json"):
        assert Sent(App(installation, lambda environ: None), path=path).status == 200


def test_an_app_is_made_of_what_it_needs(installation: Installation, product: Product) -> None:
    wrong: Any
    for wrong in (None, product, App(installation, caller), "x"):
        with pytest.raises(TypeError, match="must be licentia.Installation, not"):
            App(wrong, caller)
    for wrong in (None, USERS[ADMIN], "admin"):
        with pytest.raises(TypeError, match="a function that says who is asking"):
            App(installation, wrong)
    with pytest.raises(TypeError):
        App(installation)  # type: ignore[call-arg]


class Input(io.RawIOBase):
    """A body that comes in pieces, and may break off. Knows how much was read."""

    def __init__(self, data: bytes, error: type[Exception] | None = None) -> None:
        self.data, self.error, self.taken = io.BytesIO(data), error, 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "whoever reads without a size reads for ever"
        part = self.data.read(min(size, 1000))
        if not part and self.error is not None:
            raise self.error("it broke off")
        self.taken += len(part)
        return part


def post(app: App, body: Input, length: str, **environ: Any) -> Sent:
    """A body that is said to have a length."""
    given = {"wsgi.input": body, "CONTENT_LENGTH": length, **environ}
    return Sent(app, "POST", "/api/license/assign", b"", given, watch=False)


def test_a_body_is_read_as_long_as_it_is_said_to_be(
    app: App, installation: Installation, vendor: Vendor
) -> None:
    good = assign(vendor.license())
    pieces = Input(good + b"the next request")
    assert post(app, pieces, str(len(good))).status == 204
    assert pieces.taken == len(good) and installation.remove()
    assert post(app, Input(good), "", **{"wsgi.input_terminated": True}).status == 204
    assert installation.remove()
    for unknown in ("", "0"):
        nothing = Input(good)
        assert post(app, nothing, unknown).status == 400
        assert nothing.taken == 0 and "reports" not in installation


@pytest.mark.parametrize("error", [None, OSError, ConnectionResetError])
def test_a_body_that_breaks_off_changes_nothing(
    app: App, installation: Installation, vendor: Vendor, error: type[Exception] | None
) -> None:
    """Even where what has come would do: more was said to come."""
    good = assign(vendor.license())
    for data in (b"", good[:-1], good):
        sent = post(app, Input(data, error), str(len(good) + 1))
        assert (sent.status, sent.headers["cache-control"]) == (400, "no-store")
        assert "reports" not in installation
    if error is not None:
        sent = post(app, Input(good, error), "", **{"wsgi.input_terminated": True})
        assert sent.status == 400 and "reports" not in installation


def test_what_is_wrong_elsewhere_is_not_the_bodys_fault(app: App) -> None:
    with pytest.raises(KeyError):
        post(app, Input(b"", KeyError), "1")


@pytest.mark.parametrize("said", [str(TOO_MUCH), "9" * 9, "1" + "0" * 30, "1" + "0" * 5000])
def test_no_more_is_read_of_a_body_than_shows_that_it_is_too_long(app: App, said: str) -> None:
    for length in (said, ""):
        body = Input(b"x" * 1_000_000)
        assert post(app, body, length, **{"wsgi.input_terminated": True}).status == 413
        assert body.taken == TOO_MUCH


@pytest.mark.parametrize("said", ["-1", "+5", "5.0", "five", "5, 5", "٥", " 5", "0x5", "²"])
def test_lengths_that_are_none(app: App, said: str) -> None:
    body = Input(b"{}{}{}")
    sent = post(app, body, said)
    assert (sent.status, body.taken) == (400, 0) and sent.body.startswith(b"Bad request: ")


def test_a_content_type_has_one_place(app: App) -> None:
    """A header with an underscore in its name is another header, which some servers let in."""
    good, bad = "application/json", "text/plain"
    for said, other, status in ((bad, good, 415), ("", good, 415), (good, bad, 400)):
        environ = {"CONTENT_TYPE": said, "HTTP_CONTENT_TYPE": other}
        sent = Sent(app, "POST", "/api/license/assign", b"{}", environ, watch=False)
        assert sent.status == status, environ


def test_methods_that_are_none(app: App) -> None:
    assert Sent(app, "OPTIONS").status == 405
    assert Sent(app, "BREW", watch=False).status == 405
    for method in ("G T", "GET\n", "", "é", "X" * 33):
        sent = Sent(app, method, watch=False)
        assert sent.status == 400 and sent.headers["content-type"].startswith("text/plain")


PATHS = st.sampled_from([b"", b"/shop", b"/api/license", b"/shop/api/license", b"/license"])
ESCAPED = PATHS.map(lambda path: path.replace(b"/", b"%2F")) | PATHS | st.binary()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    product = Product(PRODUCT, Vendor().keys(), clock=ISSUED)
    return product.open(tmp_path_factory.mktemp("shared"), mount="/shop")


@given(PATHS | st.binary(), PATHS | st.binary(), st.none() | ESCAPED, st.binary())
def test_any_path_is_a_target(
    shared: Installation, root: bytes, below: bytes, raw: bytes | None, query: bytes
) -> None:
    """And ours only where the host has found just that path."""
    target, is_ours = Mounted(shared, caller).find(root, below, raw, query)
    path = unquote_to_bytes(target.partition("?")[0])
    assert shared.handle("GET", target).status != 404 or not is_ours
    assert is_ours is shared.serves(target)
    if is_ours:
        assert path in (below, root + below)
    if is_ours and raw is not None and unquote_to_bytes(raw) == root + below:
        assert raw.endswith(path), "nothing of it was escaped"


def test_the_types_are_those_of_the_language(installation: Installation) -> None:
    app: WSGIApplication = App(installation, caller, other)
    nested: WSGIApplication = App(installation, caller, fallback=app)
    assert callable(nested)
