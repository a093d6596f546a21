"""One class per code, and the same words as in every other language."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import licentia
from licentia import errors

UNLIKE_THEIR_WORD = {"invalid_argument": "ArgumentError", "io": "FileError"}


def leaves() -> list[type[licentia.Error]]:
    """The classes under Error that have no class under them."""
    found: list[type[licentia.Error]] = []
    waiting: list[type[licentia.Error]] = [licentia.Error]
    while waiting:
        one = waiting.pop()
        below = one.__subclasses__()
        waiting.extend(below)
        if not below and one not in found:
            found.append(one)
    return found


def test_every_code_has_one_class_and_every_class_a_code(root: Path) -> None:
    table = json.loads((root / "tests/vectors/codes.json").read_text("utf-8"))
    by_code = {leaf.code: leaf for leaf in leaves()}
    assert len(by_code) == len(leaves()), "two classes for one code"
    assert sorted(by_code) == sorted(row["slug"] for row in table)
    for row in table:
        leaf = by_code[row["slug"]]
        camel = "".join(word.title() for word in row["slug"].split("_")) + "Error"
        assert leaf.__name__ == UNLIKE_THEIR_WORD.get(row["slug"], camel)
        assert leaf.number == row["number"]
        assert leaf.__doc__ == row["meaning"]
        assert getattr(licentia, leaf.__name__) is leaf
        assert leaf.__name__ in errors.__all__


def test_groups_and_parents() -> None:
    for leaf in leaves():
        assert issubclass(leaf, licentia.Error) and leaf.__module__ == "licentia.errors"
    assert issubclass(licentia.Error, Exception) and licentia.Error.__base__ is Exception
    assert issubclass(licentia.ArgumentError, ValueError)
    assert issubclass(licentia.FileError, OSError)
    assert issubclass(licentia.KeyPermissionsError, PermissionError)
    assert issubclass(licentia.UnreachableError, ConnectionError)
    verify_may_raise = range(10, 27)
    for leaf in leaves():
        in_group = leaf.number in verify_may_raise or leaf.number in (52, 53, 54)
        assert issubclass(leaf, licentia.LicenseError) >= in_group, leaf


def test_a_code_of_tomorrow_is_an_error_that_carries_it() -> None:
    error = errors._from_code("out_of_paper", 99, "no paper: refill it")
    assert type(error) is licentia.Error
    assert (error.code, error.number, str(error)) == ("out_of_paper", 99, "no paper: refill it")
    assert licentia.Error.code == "internal", "the class is as it was"


def test_errors_travel_between_processes() -> None:
    for leaf in leaves():
        error = errors._from_code(leaf.code, leaf.number, "what: remedy")
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.code) == (leaf, "what: remedy", leaf.code)
    strange = pickle.loads(pickle.dumps(errors._from_code("out_of_paper", 99, "x")))
    assert (strange.code, strange.number) == ("out_of_paper", 99)
