"""The license API as an ASGI application: the paths, the bodies, and who is asking."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from licentia import Caller, Installation, Product, Rights
from licentia.asgi import App
from vendor import Vendor
from web import ADMIN, TOO_MUCH, USERS, assign

if TYPE_CHECKING:
    from asgiref.typing import ASGI3Application
    from starlette.types import ASGIApp

fcntl = pytest.importorskip("fcntl")

Event = dict[str, Any]


def caller(scope: Any) -> Caller | None:
    scheme, _, token = dict(scope["headers"]).get(b"authorization", b"").partition(b" ")
    return USERS.get(token.decode("latin-1")) if scheme == b"Bearer" else None


async def later(scope: Any) -> Caller | None:
    await asyncio.sleep(0)
    return caller(scope)


async def other(scope: Any, receive: Any, send: Any) -> None:
    """The host's own: says what it was asked for."""
    said = f"{scope['root_path']}|{scope['path']}".encode()
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": said})


def http(method: str = "GET", path: str = "/api/license", **more: Any) -> Event:
    """The scope of a request, with all that a server has to tell."""
    headers = [(b"authorization", f"Bearer {ADMIN}".encode())]
    if method in ("POST", "PUT"):
        headers.append((b"content-type", b"application/json"))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
        **more,
    }


class Sent:
    """What a request came to; `events` are what the server receives of it."""

    def __init__(self, app: ASGI3Application, scope: Event, *events: Event) -> None:
        self.left = list(events or [{"type": "http.request", "body": b"", "more_body": False}])
        self.events: list[Event] = []
        asyncio.run(self.run(app, scope))

    async def run(self, app: Any, scope: Event) -> None:
        frozen = {**scope, "headers": tuple(scope["headers"])}
        await app(scope, self.receive, self.send)
        assert {**scope, "headers": tuple(scope["headers"])} == frozen, "the scope is not ours"

    async def receive(self) -> Event:
        assert self.left, "it waits for what never comes"
        return self.left.pop(0)

    async def send(self, event: Event) -> None:
        """As the protocol has it, and nothing else."""
        if event["type"] == "http.response.start":
            assert not self.events and event.keys() == {"type", "status", "headers"}
            assert type(event["status"]) is int
            for name, value in event["headers"]:
                assert type(name) is type(value) is bytes and name == name.lower()
        else:
            assert event["type"] == "http.response.body" and len(self.events) == 1
            assert type(event["body"]) is bytes
        self.events.append(event)

    @property
    def status(self) -> int:
        assert len(self.events) == 2
        return int(self.events[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        pairs = self.events[0]["headers"]
        found = {name.decode(): value.decode() for name, value in pairs}
        assert len(found) == len(pairs)
        return found

    @property
    def body(self) -> bytes:
        body: bytes = self.events[1]["body"]
        return body


def chunks(*parts: bytes, end: bool = True) -> list[Event]:
    """A body in parts."""
    events: list[Event] = [
        {"type": "http.request", "body": part, "more_body": True} for part in parts
    ]
    return [*events, {"type": "http.request"}] if end else [*events, {"type": "http.disconnect"}]


@pytest.fixture
def app(installation: Installation) -> App:
    return App(installation, caller)


POST = http("POST", "/api/license/assign")


@pytest.mark.parametrize("who", [caller, later])
def test_answers_as_the_core_does(installation: Installation, vendor: Vendor, who: Any) -> None:
    app = App(installation, who)
    good = assign(vendor.license())
    applied = Sent(app, POST, *chunks(good[:7], b"", good[7:]))
    assert (applied.status, applied.body) == (204, b"") and "reports" in installation
    assert "content-length" not in applied.headers
    for target in ("/api/license", "/api/license/expiration", "/api/v1/license", "/license"):
        answer = installation.handle("GET", target, caller=USERS[ADMIN])
        sent = Sent(app, http(path=target))
        assert (sent.status, sent.body) == (answer.status, answer.body)
        assert sent.headers == {**dict(answer.headers), "content-length": str(len(answer.body))}
        head = Sent(app, http("HEAD", target))
        assert (head.status, head.headers, head.body) == (200, dict(answer.headers), b"")


def test_what_is_not_ours_is_passed_on_as_it_came(installation: Installation) -> None:
    def asked(scope: Any) -> Caller:
        raise AssertionError("nobody has to know who asks for that")

    app = App(installation, asked, fallback=other)
    for path in ("/", "/reports", "/api/licenses", "/api/license/", "/API/license", "/é", ""):
        sent = Sent(app, http(path=path))
        assert (sent.status, sent.body) == (418, f"|{path}".encode())
        assert len(sent.left) == 1, "the body is the host's to read"
        assert Sent(App(installation, asked), http(path=path)).status == 404


def test_a_path_is_ours_below_what_the_framework_has_mounted(
    product: Product, directory: Path
) -> None:
    whole, below, shop = "/shop/api/license", "/api/license", {"root_path": "/shop"}
    for mount in (None, "/shop"):
        installation = product.open(directory, mount=mount)
        app = App(installation, caller, fallback=other)
        for path in (whole, below):
            for raw in (whole.encode(), below.encode(), None):
                for root in ("/shop", "/shop/"):
                    sent = Sent(app, http(path=path, raw_path=raw, root_path=root))
                    assert sent.status == 200, (mount, path, raw, root)
            bare = http(path=path, **shop)
            del bare["raw_path"]
            assert Sent(app, bare).status == 200
        for root in ("/sho", "/shopping", "/x"):
            sent = Sent(app, http(path="/shopping/api/licens", root_path=root))
            assert sent.status == 418
    assert Sent(app, http(path=whole)).status == 200
    assert Sent(app, http(path=below)).status == 418, "it is mounted elsewhere"


def test_an_escaped_slash_is_none(installation: Installation) -> None:
    app = App(installation, caller, fallback=other)
    for raw in (b"/api%2Flicense", b"/api%2flicense", b"/%61pi/license", b"/api/licens%65"):
        assert Sent(app, http(raw_path=raw)).status == 418, raw
    shop = {"path": "/shop/api/license", "root_path": "/shop"}
    for raw in (b"/shop%2Fapi/license", b"/shop/api%2Flicense"):
        assert Sent(app, http(raw_path=raw, **shop)).status == 418, raw
    # What says something else than the path is not believed: somebody has changed the path.
    for raw in (b"/reports", b"", b"*", b"/api/license%", b"/\xff", b"/api/license?x"):
        assert Sent(app, http(raw_path=raw)).status == 200, raw
        assert Sent(app, http(path="/reports", raw_path=b"/api/license")).status == 418


def test_paths_that_are_no_text(app: App) -> None:
    for path in ("/\ufffd", "/a b", "/a\r\nb", "/\0", "/%", "/?", "/#", "", "*", "//", "x"):
        for raw in (path.encode(), None, b"/\xff\xfe"):
            assert Sent(app, http(path=path, raw_path=raw)).status == 404, path
    assert Sent(app, http(query_string=b"a b\r\n\xff")).status == 200
    assert Sent(app, http(path="/" + "x" * 9000)).status == 414


def test_who_is_asking_is_the_hosts_word_and_nobody_elses(installation: Installation) -> None:
    def fails(scope: Any) -> Caller | None:
        raise LookupError("the users are away")

    async def fails_later(scope: Any) -> Caller | None:
        await asyncio.sleep(0)
        raise LookupError("the users are away")

    who: Callable[[Any], Any]
    for who in (fails, fails_later):
        with pytest.raises(LookupError, match="the users are away"):
            Sent(App(installation, who), http())
    answers: tuple[Any, ...] = (True, "admin", Rights.ADMINISTRATOR, 7, {}, False, 0, "", [])
    for answer in answers:

        async def says(scope: Any) -> Any:
            return answer

        for who in (says, lambda scope: answer):
            with pytest.raises(TypeError, match="must be licentia.Caller or None, not"):
                Sent(App(installation, who), http())
    for who in (lambda scope: None, later):
        sent = Sent(App(installation, who), http(path="/license", headers=[]))
        assert sent.status == 401


def test_a_caller_is_asked_for_before_the_body(installation: Installation) -> None:
    def fails(scope: Any) -> Caller | None:
        raise LookupError

    async def never() -> Event:
        raise AssertionError("nobody has been asked for")

    with pytest.raises(LookupError):
        asyncio.run(App(installation, fails)(POST, never, never))  # type: ignore[arg-type]


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


def test_a_sender_who_has_gone_changes_nothing(
    app: App, installation: Installation, vendor: Vendor
) -> None:
    """Even where what has come would do: more was to come."""
    good = assign(vendor.license())
    for parts in ([], [b""], [good[:-1]], [good], [good[:9], good[9:]]):
        sent = Sent(app, POST, *chunks(*parts, end=False))
        assert sent.events == [] and sent.left == []
        assert "reports" not in installation


def test_a_receiver_who_has_gone_is_no_error(app: App) -> None:
    async def request(error: type[Exception]) -> None:
        async def receive() -> Event:
            return {"type": "http.request"}

        async def send(event: Event) -> None:
            raise error("it has gone")

        await app(http(), receive, send)

    asyncio.run(request(OSError))
    asyncio.run(request(BrokenPipeError))
    with pytest.raises(KeyError):
        asyncio.run(request(KeyError))


def test_no_more_is_read_of_a_body_than_shows_that_it_is_too_long(app: App) -> None:
    for size in (1000, TOO_MUCH - 1, TOO_MUCH, 1_000_000):
        sent = Sent(app, POST, *chunks(*[b"x" * size] * (2_000_000 // size)))
        assert sent.status == 413
        read = (2_000_000 // size + 1 - len(sent.left)) * size
        assert read < TOO_MUCH + size
    just = Sent(app, POST, *chunks(b"x" * (TOO_MUCH - 1)))
    assert just.status == 400


def test_methods_that_are_none(app: App) -> None:
    assert Sent(app, http("BREW")).status == 405
    for method in ("G T", "GET\n", "", "é", "X" * 33):
        sent = Sent(app, http(method))
        assert sent.status == 400 and sent.headers["content-type"].startswith("text/plain")


def test_what_is_not_http(installation: Installation) -> None:
    async def talk(app: Any, kind: str, *words: str) -> list[str]:
        events = [{"type": f"{kind}.{word}"} for word in words]
        said: list[str] = []

        async def receive() -> Event:
            assert len(said) == len(words) - len(events), "one word at a time"
            return events.pop(0)

        async def send(event: Event) -> None:
            said.append(event["type"])

        await app({"type": kind, "path": "/api/license"}, receive, send)
        return said

    async def lifespan(app: Any) -> list[str]:
        return await talk(app, "lifespan", "startup", "shutdown")

    async def websocket(app: Any) -> list[str]:
        return await talk(app, "websocket", "connect")

    app = App(installation, caller)
    complete = ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert asyncio.run(lifespan(app)) == complete
    assert asyncio.run(websocket(app)) == ["websocket.close"]
    with pytest.raises(ValueError, match="no scope of type carrier-pigeon"):
        asyncio.run(app({"type": "carrier-pigeon"}, None, None))  # type: ignore[arg-type]

    seen = []

    async def host(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])
        await app(scope, receive, send)

    assert asyncio.run(lifespan(App(installation, caller, host))) == complete
    assert asyncio.run(websocket(App(installation, caller, host))) == ["websocket.close"]
    assert seen == ["lifespan", "websocket"]


def test_the_loop_goes_on_while_a_request_waits(
    app: App, installation: Installation, vendor: Vendor, directory: Path
) -> None:
    """Another process holds the folder until the loop has turned many times."""
    turned = 0

    async def turn(lock: Any) -> None:
        nonlocal turned
        assert "reports" not in installation
        for turned in range(1, 201):
            await asyncio.sleep(0)
        # The public status is answered meanwhile, from what is known.
        for _ in range(20):
            assert (await ask(http()))[0]["status"] == 200
        fcntl.flock(lock, fcntl.LOCK_UN)

    async def ask(scope: Event, body: bytes = b"") -> list[Event]:
        events: list[Event] = []

        async def receive() -> Event:
            return {"type": "http.request", "body": body}

        async def send(event: Event) -> None:
            events.append(event)

        await app(scope, receive, send)
        return events

    async def both() -> list[Event]:
        with open(directory / "lock", "rb+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            waiting = asyncio.create_task(ask(POST, assign(vendor.license())))
            await turn(lock)
            return await waiting

    assert asyncio.run(both())[0]["status"] == 204
    assert turned == 200 and "reports" in installation


def test_a_request_that_is_given_up_leaves_all_as_it_should_be(
    app: App, installation: Installation, vendor: Vendor, directory: Path
) -> None:
    """The thread that applies a license is not stopped halfway."""

    async def give_up() -> None:
        async def receive() -> Event:
            return {"type": "http.request", "body": assign(vendor.license())}

        async def send(event: Event) -> None:
            raise AssertionError("nobody waits for it")

        before = threading.active_count()
        with open(directory / "lock", "rb+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            task = asyncio.create_task(app(POST, receive, send))
            while threading.active_count() == before:
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            fcntl.flock(lock, fcntl.LOCK_UN)

    asyncio.run(give_up())
    assert "reports" in installation and installation.status()["state"]["ok"] is True


def test_the_types_are_those_of_the_frameworks(installation: Installation) -> None:
    app: ASGI3Application = App(installation, caller)
    nested: ASGIApp = App(installation, later, fallback=app)
    typed: Callable[[Any, Any, Any], Awaitable[None]] = App(installation, caller, nested)
    assert callable(typed)
