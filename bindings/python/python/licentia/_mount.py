"""What ``licentia.wsgi`` and ``licentia.asgi`` have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable, Optional
from urllib.parse import quote, unquote_to_bytes

from . import Caller, Installation, Response
from ._licentia import BODY_MAX

READ_MAX = BODY_MAX + 1
"""Bytes that are read of a body: one more than it may have, so that the core sees it."""

_SAFE = "/:@!$&'()*+,;="


class Mounted:
    """An installation, and where its paths are among those of a host."""

    def __init__(self, installation: Installation, caller: Callable[..., object]) -> None:
        if not isinstance(installation, Installation):
            what = type(installation).__name__
            raise TypeError(f"the installation must be licentia.Installation, not {what}")
        if not callable(caller):
            raise TypeError("the caller must be a function that says who is asking")
        self.installation = installation

    def find(
        self, root: bytes, below: bytes, raw: Optional[bytes], query: bytes
    ) -> tuple[str, bool]:
        """The target of a request, and whether it is one of ours.

        ``root`` is where the framework has mounted this, ``below`` the rest of the path, both
        unescaped; ``raw`` is the path as it was sent, if anybody knows."""
        found = list(_targets(root, below, raw))
        rest = "?" + quote(query, _SAFE + "%?") if query else ""
        for target in found:
            if self.installation.serves(target):
                return target + rest, True
        return found[-1] + rest, False


def _targets(root: bytes, below: bytes, raw: Optional[bytes]) -> Iterator[str]:
    """What the framework left of the path, and the whole one, for the setting ``mount``."""
    mounted = quote(root, _SAFE)
    sent = None if raw is None else unquote_to_bytes(raw)
    if raw is not None and sent == root + below:
        # An escaped slash is none: only what was sent can tell.
        whole = quote(raw, _SAFE + "%")
    elif raw is not None and sent == below:
        whole = mounted + quote(raw, _SAFE + "%")
    else:
        whole = quote(root + below, _SAFE)
    if mounted and whole.startswith(mounted + "/"):
        yield whole[len(mounted) :]
    yield whole if whole.startswith("/") else "/" + whole


def checked(caller: object) -> Optional[Caller]:
    """Who is asking, if somebody said so. Anything else is a slip, and nobody's word."""
    if caller is None or isinstance(caller, Caller):
        return caller
    what = type(caller).__name__
    raise TypeError(f"the caller must be licentia.Caller or None, not {what}")


def refused(why: str) -> Response:
    """The answer to what no server should have let through."""
    headers = (("cache-control", "no-store"), ("content-type", "text/plain; charset=utf-8"))
    return Response(400, headers, f"Bad request: {why}\n".encode())


def headers(method: str, answer: Response) -> list[tuple[str, str]]:
    """The headers to send: those of the answer, and its length where the server needs it."""
    if method == "HEAD" or answer.status == 204:
        return list(answer.headers)
    return [*answer.headers, ("content-length", str(len(answer.body)))]
