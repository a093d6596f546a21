"""The license API in a WSGI server (PEP 3333): Flask, Django, Pyramid, Bottle, …

An ``App`` answers the paths of the license API, and passes every other on::

    def caller(environ):
        user = ...  # your own login
        return licentia.Caller(user.name, licentia.Rights.ADMINISTRATOR) if user else None

    app.wsgi_app = licentia.wsgi.App(installation, caller, fallback=app.wsgi_app)
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Callable, Optional

from . import ArgumentError, Caller, Installation, Response
from ._mount import READ_MAX, Mounted, checked, headers, refused

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["App"]


class App:
    """The license API of an installation, as a WSGI application."""

    def __init__(
        self,
        installation: Installation,
        caller: Callable[[WSGIEnvironment], Optional[Caller]],
        fallback: Optional[WSGIApplication] = None,
    ) -> None:
        """``caller`` says who is asking, from the environ: a ``licentia.Caller``, after you have
        made sure of it, or ``None`` for a stranger. What it raises is not caught. It must not
        read the body.

        ``fallback`` answers every path that is none of ours; without it, that is a 404."""
        self._mounted = Mounted(installation, caller)
        self._caller = caller
        self._fallback = fallback

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answers one request."""
        target, is_ours = self._mounted.find(*_path(environ))
        if not is_ours and self._fallback is not None:
            return self._fallback(environ, start_response)
        caller = checked(self._caller(environ)) if is_ours else None
        method = environ["REQUEST_METHOD"]
        answer = self._answer(method, target, caller, environ)
        start_response(_status(answer.status), headers(method, answer))
        return [answer.body]

    def _answer(
        self, method: str, target: str, caller: Optional[Caller], environ: WSGIEnvironment
    ) -> Response:
        body = _body(environ)
        if body is None:
            return refused("the body is not as long as was said")
        try:
            return self._mounted.installation.handle(
                method, target, headers=_headers(environ), body=body, caller=caller
            )
        except ArgumentError as error:
            return refused(str(error))


def _path(environ: WSGIEnvironment) -> tuple[bytes, bytes, Optional[bytes], bytes]:
    """The path in its two parts, unescaped; as it was sent, where the server tells; the query.
    Texts in an environ are bytes in the guise of Latin-1."""
    root, below = environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")
    sent = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    raw = sent.partition("?")[0].encode("latin-1") if sent else None
    query = environ.get("QUERY_STRING", "")
    return root.rstrip("/").encode("latin-1"), below.encode("latin-1"), raw, query.encode("latin-1")


def _headers(environ: WSGIEnvironment) -> Iterable[tuple[str, str]]:
    for name, value in environ.items():
        # One of this name is a header with an underscore: CONTENT_TYPE is the one with a dash.
        if name.startswith("HTTP_") and name != "HTTP_CONTENT_TYPE":
            yield name[5:].replace("_", "-"), value
    if environ.get("CONTENT_TYPE"):
        yield "content-type", environ["CONTENT_TYPE"]


def _body(environ: WSGIEnvironment) -> Optional[bytes]:
    """The body, or the beginning of one that is too long; ``None`` = it has ended early."""
    length = environ.get("CONTENT_LENGTH")
    if length:
        if not (length.isascii() and length.isdigit()):
            return None
        wanted = READ_MAX if len(length) > 9 else min(int(length), READ_MAX)
    else:
        # Without a length, only some servers say where a body ends.
        wanted = READ_MAX if environ.get("wsgi.input_terminated") else 0
    body = bytearray()
    try:
        while len(body) < wanted:
            part = environ["wsgi.input"].read(wanted - len(body))
            if not part:
                break
            body += part
    except OSError:
        return None
    return None if length and len(body) < wanted else bytes(body)


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"
