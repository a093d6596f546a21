"""The native half of licentia. Import `licentia` instead."""

from collections.abc import Iterable
from datetime import datetime
from os import PathLike
from types import MappingProxyType
from typing import Any, NoReturn, final

from typing_extensions import TypeAlias

from .errors import Error

__all__ = ["License", "Product", "__version__"]

__version__: str

_Data: TypeAlias = str | bytes | bytearray | memoryview
_Path: TypeAlias = str | PathLike[str]

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
