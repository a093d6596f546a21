"""Reads the file that tells a host what to serve: README.md has its lines."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import licentia


class Spec(NamedTuple):
    """What a host serves."""

    users: dict[str, licentia.Caller]
    """Who may sign in, by their tokens."""
    installations: dict[str, licentia.Installation]
    """The installations, by the path below which each is."""


class Place(NamedTuple):
    """The lines about one installation."""

    path: str
    folder: str
    code: str
    keys: list[str]
    set: list[tuple[str, str]]
    site: list[tuple[str, str]]

    def open(self) -> licentia.Installation:
        product = licentia.Product(self.code, "\n".join(self.keys))
        for name, value in self.set:
            product.set(name, value)
        installation = product.open(self.folder)
        for name, value in self.site:
            installation.set(name, value)
        return installation


def read(file: str) -> Spec:
    users: dict[str, licentia.Caller] = {}
    places: list[Place] = []
    for line in Path(file).read_text("utf-8").splitlines():
        word, _, rest = line.partition(" ")
        if word == "user":
            token, name, bits = rest.split(" ", 2)
            users[token] = licentia.Caller(name, licentia.Rights(int(bits)))
        elif word == "installation":
            path, folder, code = rest.split(" ", 2)
            places.append(Place(path, folder, code, [], [], []))
        elif word == "keys":
            places[-1].keys.append(rest)
        elif word in ("set", "site"):
            name, _, value = rest.partition(" ")
            (places[-1].set if word == "set" else places[-1].site).append((name, value))
        elif word:
            raise ValueError(f"{file}: there is no line that begins with {word}")
    return Spec(users, {place.path: place.open() for place in places})
