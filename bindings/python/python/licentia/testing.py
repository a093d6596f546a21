"""Installations for the tests of a product, one in every state that it may meet.

A kit is one file with prepared installations: signed, used, ended, revoked, damaged. Each comes
with the time at which it is so, so that a test needs no vendor and no waiting::

    kit = licentia.testing.Kit()
    with kit.installation("expired") as installation:
        assert "feature" not in installation

``Kit()`` is the kit of this package, for the product ``myapp``. ``licentia testkit`` makes one
with your product code and your features: ``Kit("kit.json")``. Not for the product itself.
"""

from __future__ import annotations

import base64
import difflib
import json
import os
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple, Optional, Union

from . import Installation, Product
from .errors import ArgumentError, TooNewError

__all__ = ["Kit", "Prepared", "State"]

_VERSION = 1
_DAY = 86_400
_DEFAULT = Path(__file__).with_suffix(".json")


class State(NamedTuple):
    """A state of an installation, and what the library has to say of it."""

    name: str
    """Its name, such as ``expired``."""
    about: str
    """What it is, in a sentence."""
    clock: int
    """Where the clock stands, in seconds since 1970."""
    settings: Mapping[str, str]
    """Settings of the product in this state: the machine, and terms such as ``grace_days``."""
    reason: str
    """The reason that the status gives."""
    in_force: bool
    """Whether a license is in force."""
    access: Mapping[str, str]
    """What may be done with each feature: ``deny``, ``read_only``, ``warn`` or ``allow``."""
    warnings: frozenset[str]
    """Codes that are among the warnings of the status."""


class Kit:
    """Prepared installations of one product."""

    code: str
    """The product code."""
    keys: str
    """Who signed everything in the kit. The private half of this key was not kept."""
    features: tuple[str, ...]
    """The features that its licenses grant."""
    states: Mapping[str, State]
    """The states by name, in the order of docs/testing.md."""

    def __init__(self, path: Optional[Union[str, os.PathLike[str]]] = None) -> None:
        """Reads a kit that ``licentia testkit`` wrote; without a path, that of this package.

        Raises an ArgumentError if the file is no kit, and a TooNewError if it is one of a later
        version."""
        file = _DEFAULT if path is None else Path(path)
        try:
            self._read(json.loads(file.read_text("utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ArgumentError(f"{file} is no kit: make one with `licentia testkit`") from None

    def _read(self, kit: dict[str, Any]) -> None:
        if int(kit["testkit"]) > _VERSION:
            what = f"the kit has version {kit['testkit']}, and {_VERSION} is known"
            raise TooNewError(f"{what}: update licentia, or make the kit anew")
        self.code, self.keys = str(kit["product"]), str(kit["keys"])
        self.features = tuple(str(feature["id"]) for feature in kit["features"])
        folders = {name: _files(files) for name, files in kit["folders"].items()}
        self._files = {it["name"]: folders[it["folder"]] for it in kit["states"]}
        states = {it["name"]: _state(it, kit["settings"]) for it in kit["states"]}
        self.states = MappingProxyType(states)

    def product(self, state: str, /, **settings: Any) -> Product:
        """A product with the keys, the clock and the machine of a state.

        Settings are those of Product, and replace the kit's. Raises an ArgumentError that names
        the nearest state where there is none of that name."""
        found = self._state(state)
        given = {"clock": found.clock, **found.settings, **settings}
        return Product(self.code, self.keys, **given)

    def installation(self, state: str, /, **settings: Any) -> Prepared:
        """An installation in a state, in a folder of its own: use it in a ``with``, which gives
        the Installation and removes the folder at its end."""
        product = self.product(state, **settings)
        return Prepared(self._state(state), product, self._files[state])

    def _state(self, name: str) -> State:
        if name in self.states:
            return self.states[name]
        near = difflib.get_close_matches(str(name), self.states, 1, 0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        what = f"this kit has no state {name!r}{hint}"
        raise ArgumentError(f"{what}: use one of {', '.join(self.states)}")


class Prepared:
    """An installation in a folder that was prepared. Kit.installation makes them.

    ``with`` gives the Installation, and removes the folder at its end; so does close()."""

    state: State
    """The state that it was prepared in."""
    product: Product
    """Who opened it."""
    installation: Installation
    """What a ``with`` gives."""
    directory: Path
    """Its folder: for a program that opens it itself, also in another process."""

    def __init__(self, state: State, product: Product, files: Mapping[str, bytes]) -> None:
        self.state, self.product, self._now = state, product, state.clock
        self._folder = tempfile.TemporaryDirectory(prefix="licentia-")
        self.directory = Path(self._folder.name)
        try:
            for name, data in files.items():
                (self.directory / name).write_bytes(data)
            self.installation = product.open(self.directory)
        except BaseException:
            self._folder.cleanup()
            raise

    def clock(self, at: Union[int, datetime]) -> None:
        """Move the clock to a time: seconds since 1970, or an aware datetime.

        An installation remembers the latest time that it has seen. Going back is the clock being
        set back; begin with another one instead."""
        self.product.set("clock", at)
        self._now = int(at.timestamp()) if isinstance(at, datetime) else at

    def days(self, days: float) -> None:
        """Move the clock by days from where this state, or the last call, has put it."""
        self.clock(self._now + round(days * _DAY))

    def close(self) -> None:
        """Close the installation and remove its folder."""
        self.installation.close()
        self._folder.cleanup()

    def __enter__(self) -> Installation:
        return self.installation

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()


def _state(it: dict[str, Any], settings: dict[str, str]) -> State:
    expect = it["expect"]
    return State(
        name=it["name"],
        about=it["about"],
        clock=int(it["clock"]),
        settings=MappingProxyType({**settings, **it["settings"]}),
        reason=expect["reason"],
        in_force=bool(expect["in_force"]),
        access=MappingProxyType(dict(expect["access"])),
        warnings=frozenset(expect["warnings"]),
    )


def _files(files: dict[str, Any]) -> dict[str, bytes]:
    """What a file begins with is in the kit; the rest, up to its size, is zeros."""
    if any(os.path.basename(name) != name for name in files):
        raise ValueError("a file outside its folder")
    data = {name: base64.b64decode(it["base64"]) for name, it in files.items()}
    return {name: data[name].ljust(it["size"], b"\0") for name, it in files.items()}
