"""The README's example runs, and the types are those of the module."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest
from vendor import Vendor

HERE = Path(__file__).resolve().parents[1]

VERIFY = "Checks a license in full: signature, key, issuer, product, machine and dates."
INSPECT = (
    "Checks a license's signature, key, issuer and product only, to show one that has ended or "
    "belongs elsewhere.",
    "What it gives allows nothing unless the license is in force here.",
)


def test_the_readme_does_what_it_shows(
    vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("keys.json").write_text(vendor.keys())
    Path("myapp.lic").write_text(vendor.license(valid_until=None))
    done = doctest.testfile(str(HERE / "README.md"), module_relative=False)
    assert done.attempted >= 8 and done.failed == 0


@pytest.mark.parametrize(
    "face",
    [
        "include/licentia.h",
        "include/licentia.hpp",
        "bindings/node/index.d.ts",
        "bindings/python/src/product.rs",
        "bindings/python/python/licentia/_licentia.pyi",
    ],
)
def test_every_language_says_the_same_of_a_check(root: Path, face: str) -> None:
    words = re.sub(r"[\s/*\"]+", " ", (root / face).read_text("utf-8"))
    for sentence in (VERIFY, *INSPECT):
        assert words.count(sentence) == 1, sentence


def test_the_types_hold_where_they_are_used(root: Path) -> None:
    """Over the package, its tests, the examples and the hosts. An unused `type: ignore` fails, so
    that the wrong calls in these tests prove that the types refuse them."""
    programs = [str(root / "examples/python"), str(root / "tests/hosts")]
    command = [sys.executable, "-m", "mypy", "python/licentia", "tests", *programs]
    done = subprocess.run(command, cwd=HERE, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()


def test_the_stub_is_the_module() -> None:
    command = [sys.executable, "-m", "mypy.stubtest", "licentia"]
    done = subprocess.run(command, cwd=HERE, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()
