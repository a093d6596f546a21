"""The license API in an ASGI server: FastAPI, Starlette, Django, Quart, …

An ``App`` answers the paths of the license API, and passes every other on::

    async def caller(scope):
        user = ...  # your own login
        return licentia.Caller(user.name, licentia.Rights.ADMINISTRATOR) if user else None

    app.mount("/", licentia.asgi.App(installation, caller, fallback=app.router.default))
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from . import ArgumentError, Caller, Installation, Response
from ._mount import READ_MAX, Mounted, checked, headers, refused

if TYPE_CHECKING:
    from typing_extensions import TypeAlias

    _Scope: TypeAlias = Mapping[str, Any]
    _Receive: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]
    # What each framework lets be sent, it types in its own way.
    _Send: TypeAlias = Callable[[Any], Awaitable[None]]

__all__ = ["App"]


class App:
    """The license API of an installation, as an ASGI application.

    The loop goes on while an installation reads and writes files: that happens in a thread of
    ``asyncio.to_thread``."""

    def __init__(
        self,
        installation: Installation,
        caller: Callable[[Any], Union[Optional[Caller], Awaitable[Optional[Caller]]]],
        fallback: Optional[Callable[[Any, Any, Any], Awaitable[None]]] = None,
    ) -> None:
        """``caller`` says who is asking, from the scope: a ``licentia.Caller``, after you have
        made sure of it, or ``None`` for a stranger. It may be ``async``, and should be where it
        waits. What it raises is not caught.

        ``fallback`` answers every path that is none of ours, and what is not HTTP; without it,
        paths are a 404."""
        self._mounted = Mounted(installation, caller)
        self._caller = caller
        self._fallback = fallback

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            return await self._other(scope, receive, send)
        target, is_ours = self._mounted.find(*_path(scope))
        if not is_ours and self._fallback is not None:
            return await self._fallback(scope, receive, send)
        caller = await self._who(scope) if is_ours else None
        body = await _body(receive)
        if body is None:
            return
        answer = await self._answer(target, caller, body, scope)
        # Who has gone needs no answer.
        with contextlib.suppress(OSError):
            await _send(send, scope["method"], answer)

    async def _who(self, scope: _Scope) -> Optional[Caller]:
        caller = self._caller(scope)
        return checked(await caller if inspect.isawaitable(caller) else caller)

    async def _answer(
        self, target: str, caller: Optional[Caller], body: bytes, scope: _Scope
    ) -> Response:
        try:
            return await asyncio.to_thread(
                self._mounted.installation.handle,
                scope["method"],
                target,
                headers=scope["headers"],
                body=body,
                caller=caller,
            )
        except ArgumentError as error:
            return refused(str(error))

    async def _other(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """What is not HTTP is the fallback's; nothing here has to start or stop."""
        if self._fallback is not None:
            await self._fallback(scope, receive, send)
        elif scope["type"] == "lifespan":
            event = ""
            while event != "lifespan.shutdown":
                event = (await receive())["type"]
                await send({"type": f"{event}.complete"})
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            raise ValueError(f"licentia.asgi.App answers no scope of type {scope['type']}")


def _path(scope: _Scope) -> tuple[bytes, bytes, Optional[bytes], bytes]:
    """The path in its two parts, unescaped; as it was sent, where the server tells; the query.
    Some servers and frameworks have the root in the path, some beside it."""
    root, path = scope.get("root_path", "").rstrip("/"), scope["path"]
    below = path[len(root) :] if path.startswith(root + "/") else path
    return root.encode(), below.encode(), scope.get("raw_path"), scope["query_string"]


async def _body(receive: _Receive) -> Optional[bytes]:
    """The body, or the beginning of one that is too long; ``None`` = who sent it has gone."""
    body = bytearray()
    while len(body) < READ_MAX:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return bytes(body)


async def _send(send: _Send, method: str, answer: Response) -> None:
    pairs = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers(method, answer)
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    await send({"type": "http.response.body", "body": answer.body})
