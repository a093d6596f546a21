"""The native half of licentia. Import `licentia` instead."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from os import PathLike
from types import MappingProxyType, TracebackType
from typing import Any, Literal, NoReturn, Protocol, final

from typing_extensions import Self, TypeAlias

from .answers import Access, Refusal, Response, Rights, Usage
from .errors import Error

__all__ = [
    "BODY_MAX",
    "WEBHOOK_MAX",
    "Caller",
    "Installation",
    "License",
    "Product",
    "Seat",
    "__version__",
    "verify_webhook",
]

__version__: str
BODY_MAX: int
"""Bytes that the body of a request may have."""
WEBHOOK_MAX: int
"""Bytes that the body of a webhook may have."""

_Data: TypeAlias = str | bytes | bytearray | memoryview
_Path: TypeAlias = str | PathLike[str]
_Headers: TypeAlias = Iterable[tuple[str | bytes, str | bytes]]

class _Items(Protocol):
    def items(self) -> _Headers: ...

def verify_webhook(
    body: bytes | bytearray | memoryview,
    headers: _Items | _Headers,
    secrets: Sequence[str],
    now: int,
    /,
) -> tuple[str, int]:
    """The id of a webhook that one of the secrets has signed, and when it was sent, in seconds
    since 1970. Use licentia.webhooks instead."""

@final
class Caller:
    """Somebody who is signed in, by the word of the host. It never changes.

    Raises ArgumentError for a name of other than 1 to 256 bytes, or with control characters, and
    for rights that mean nothing."""

    def __new__(cls, name: str, rights: Rights) -> Caller: ...
    @property
    def name(self) -> str:
        """What the host calls them."""
    @property
    def rights(self) -> Rights:
        """What they may do."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __getnewargs__(self) -> tuple[str, Rights]: ...

@final
class Product:
    """What you ship: a product code, and the keys that may sign its licenses."""

    def __new__(
        cls,
        code: str,
        keys: str | bytes,
        *,
        clock: str | int | datetime | None = None,
        issuer: str | None = None,
        machine: str | None = None,
        machine_file: _Path | None = None,
        machine_root: _Path | None = None,
        machine_exclude: str | Iterable[str] | None = None,
        installation: str | None = None,
        instance: str | None = None,
        vendor: str | None = None,
        deployment: Literal["onpremise", "saas"] | None = None,
        grace_days: int | str | None = None,
        warning_days: int | str | None = None,
        server: str | Iterable[str] | None = None,
        monthly_meter: str | None = None,
    ) -> Product: ...
    @property
    def code(self) -> str:
        """The product code."""
    def set(
        self, name: str, value: str | int | datetime | PathLike[str] | Iterable[str] | None
    ) -> None:
        """Set one of the settings of docs/settings.md by name; None is its default."""
    def trust(self, keys: str | bytes) -> None:
        """Trust more keys: a key set as text, or one that a pinned root key signed."""
    def machine(self) -> dict[str, Any]:
        """What identifies this machine, read anew and without the GIL."""
    def verify(self, data: _Data) -> License:
        """Checks a license in full: signature, key, issuer, product, machine and dates.

        Raises an Error that says why not."""
    def inspect(self, data: _Data) -> License:
        """Checks a license's signature, key, issuer and product only, to show one that has
        ended or belongs elsewhere. What it gives allows nothing unless the license is in force
        here."""
    def verify_many(self, data: Iterable[_Data]) -> list[License | Error]:
        """Check many licenses without the GIL: a License or an Error for each."""
    def open(
        self,
        directory: _Path,
        *,
        license: str | bytes | None = None,
        license_file: _Path | None = None,
        license_env: str | None = None,
        instance: str | None = None,
        mount: str | None = None,
        public_status: Literal["minimal", "full"] | None = None,
        lease_window: int | str | None = None,
        server: str | Iterable[str] | None = None,
        server_ca: _Path | None = None,
        proxy: str | None = None,
        server_timeout: int | str | None = None,
    ) -> Installation:
        """Open what the product keeps in a directory, which has to exist.

        Whatever state the directory is in, Installation.status reports it."""

@final
class Installation:
    """What holds here and now. Product.open makes them.

    Any number of threads and processes may use the same directory at once."""

    def set(
        self, name: str, value: str | bytes | int | PathLike[str] | Iterable[str] | None
    ) -> None:
        """Set one of the settings of an installation by name; None is its default."""
    def allows(self, feature: str, /) -> bool:
        """Whether the feature may be used at this moment: access is at least Access.WARN."""
    def __contains__(self, feature: str, /) -> bool: ...
    def access(self, feature: str, /) -> Access:
        """What may be done with the feature at this moment."""
    def gate(self, feature: str, /) -> Refusal | None:
        """The answer to give to whoever asks for the feature, if it may not be used."""
    def status(self, at: int | datetime | None = None) -> dict[str, Any]:
        """Everything that holds at a time (None = now), as a new dict."""
    def explain(self, at: int | datetime | None = None) -> dict[str, Any]:
        """Why: the tree of checks behind status, as a new dict."""
    def apply(self, data: _Data, *, older: bool = False) -> None:
        """Take anything that the vendor signed. What is refused changes nothing.

        With older=True, a license may take the place of a newer one."""
    def remove(self) -> bool:
        """Remove what was applied. Says whether there was a license."""
    def request(self, what: str = "license", argument: str | None = None) -> str:
        """A text to send to the vendor, and apply takes what comes back. The words: license (the
        request code), renewal, deactivation, sync, keys, revocations or clock; activation, with a
        license key as the argument or for the license in use; seat or release with who has the
        seat; borrow with days and who, as "30 ann"."""
    def call(self, what: str, argument: str | None = None) -> None:
        """Ask the vendor's server, with the words of request, and apply what it signs in answer,
        without the GIL.

        Raises UnreachableError where no answer came, which says nothing of the license;
        RefusedError and NoSeatError where the server says no, NoTransportError where there is no
        server; and what request and apply raise. What was here before then stays."""
    def sync(self) -> None:
        """Report what was used, and apply what the vendor's server says, without the GIL.

        Raises what call does. What was used is then reported by the next sync, once."""
    def seat(self, holder: str, *, borrow_days: int = 0) -> Seat:
        """A seat of a floating license, from the vendor's server: while its lease lasts, or for
        so many days out of the server's reach.

        Where the server cannot be reached, a seat that is held here is given all the same. Raises
        NoSeatError where every seat is taken, and what call does."""
    def record(self, feature: str, amount: int = 1) -> None:
        """Add to a counter. On disk when it returns.

        Raises LimitExceededError, and counts nothing, where the limit stops."""
    def record_later(self, feature: str, amount: int = 1) -> None:
        """Add to a counter without waiting for the disk."""
    def record_level(self, feature: str, level: int) -> None:
        """Set a level. On disk when it returns."""
    def record_key(self, feature: str, key: str) -> None:
        """Note a key; each counts once in the window. On disk when it returns."""
    def usage(self, feature: str) -> Usage:
        """How much of a metered feature was used, by every process."""
    def first_use(self, at: int | datetime | None = None) -> None:
        """Note when the product was first used (None = now). The earliest counts."""
    def handle(
        self,
        method: str,
        target: str,
        *,
        headers: _Headers | _Items = (),
        body: bytes | bytearray | memoryview = b"",
        caller: Caller | None = None,
    ) -> Response:
        """Answer one HTTP request of the license API, without the GIL.

        target is the path and the query as they were sent, still escaped; caller is who is
        asking, after you have made sure of it, and None is a stranger. Raises ArgumentError for a
        method or a target that no request has, and nothing else."""
    def serves(self, target: str) -> bool:
        """Whether the path of target is one that handle answers, whatever the method."""
    def flush(self) -> None:
        """Make durable what record_later left."""
    def close(self) -> None:
        """The same. There is nothing else to let go of."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    def __reduce__(self) -> NoReturn: ...

@final
class Seat:
    """A seat of a floating license, held by somebody here until its lease ends.
    Installation.seat makes them; a with gives it back at its end."""

    @property
    def holder(self) -> str:
        """Who has it."""
    @property
    def expires(self) -> datetime | None:
        """When its lease ends, in UTC: from this second on it is not held. None = it is not held
        now."""
    @property
    def held(self) -> bool:
        """Whether it is held at this moment."""
    def renew(self) -> None:
        """Ask for a longer lease: do so before half of it is over. What is held stays, whatever
        this raises."""
    def release(self) -> None:
        """Give it back. Good, too, where its lease has ended."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    def __reduce__(self) -> NoReturn: ...

@final
class License:
    """A license that a trusted key signed. Product.verify and Product.inspect make them."""

    @property
    def serial(self) -> str:
        """The serial number, such as LIC-MYAPP-A1B2C3D4; empty if it has none."""
    @property
    def customer(self) -> str:
        """Who it is for: the customer's name, else the customer's id, else empty."""
    @property
    def expires(self) -> datetime | None:
        """When it ends, in UTC and without any grace; None if it has no end."""
    @property
    def features(self) -> MappingProxyType[str, int | float]:
        """The features that it grants while it is in force, each with its limit."""
    @property
    def json(self) -> str:
        """Everything it says, as the JSON text that was signed."""
    def allows(self, feature: str, /) -> bool:
        """Whether the license is in force at this moment and grants the feature."""
    def __contains__(self, feature: str, /) -> bool: ...
    def limit(self, feature: str, /) -> int | float:
        """How much of the feature may be used: math.inf if it has no limit, 0 if not allowed."""
    def to_dict(self) -> dict[str, Any]:
        """Everything it says, as a new dict."""
    def __reduce__(self) -> NoReturn: ...
