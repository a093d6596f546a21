"""The types of an installation's small answers."""

from __future__ import annotations

import datetime
import enum
import typing

__all__ = ["Access", "Refusal", "Response", "Rights", "Usage"]


class Access(enum.IntEnum):
    """What may be done with a feature, in rising order: ``>= Access.WARN`` is ``allows``."""

    DENY = 0
    """Nothing."""

    READ_ONLY = 1
    """What is there can be read."""

    WARN = 2
    """Everything; a warning is due."""

    ALLOW = 3
    """Everything."""


class Rights(enum.IntFlag):
    """What a caller may do, and what kind of caller it is. ``Rights(0)``: signed in, no more."""

    READ = 1
    """May look: ``licensing:read``."""

    WRITE = 2
    """May apply and renew: ``licensing:write``."""

    DELETE = 4
    """May remove: ``licensing:delete``."""

    ADMINISTRATOR = 7
    """May do everything."""

    SERVICE = 256
    """Is a service, not a person: some of the API is for persons only."""


class Refusal(typing.NamedTuple):
    """What a host answers instead of its own page where a feature may not be used."""

    status: int
    """The HTTP status."""

    body: str
    """The body: JSON with ``detail`` and ``code``."""


class Response(typing.NamedTuple):
    """The answer to an HTTP request, to be sent as it is."""

    status: int
    """The HTTP status."""

    headers: tuple[tuple[str, str], ...]
    """Names, in lower case and each once, and values. The length is the server's to add."""

    body: bytes
    """The body; empty for a ``HEAD``."""


class Usage(typing.NamedTuple):
    """How much of a metered feature was used."""

    used: int
    """In this period or window; of a level, its value."""

    limit: int | float
    """How much may be used: ``math.inf`` if it has no limit."""

    resets_at: datetime.datetime | None
    """When it starts again, in UTC; ``None`` = never."""
