"""The types of an installation's small answers."""

from __future__ import annotations

import datetime
import enum
import typing

__all__ = ["Access", "Refusal", "Usage"]


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


class Refusal(typing.NamedTuple):
    """What a host answers instead of its own page where a feature may not be used."""

    status: int
    """The HTTP status."""

    body: str
    """The body: JSON with ``detail`` and ``code``."""


class Usage(typing.NamedTuple):
    """How much of a metered feature was used."""

    used: int
    """In this period or window; of a level, its value."""

    limit: int | float
    """How much may be used: ``math.inf`` if it has no limit."""

    resets_at: datetime.datetime | None
    """When it starts again, in UTC; ``None`` = never."""
