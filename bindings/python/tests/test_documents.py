"""The README's example runs, and the types are those of the module."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import pytest
from vendor import Vendor

HERE = Path(__file__).resolve().parents[1]


def test_the_readme_does_what_it_shows(
    vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("keys.json").write_text(vendor.keys())
    Path("myapp.lic").write_text(vendor.license(valid_until=None))
    done = doctest.testfile(str(HERE / "README.md"), module_relative=False)
    assert done.attempted >= 8 and done.failed == 0


def test_the_types_hold_where_they_are_used(root: Path) -> None:
    """Over the package, its tests and the example. An unused `type: ignore` fails, so that the
    wrong calls in these tests prove that the types refuse them."""
    paths = ["python/licentia", "tests", str(root / "examples/python")]
    done = subprocess.run([sys.executable, "-m", "mypy", *paths], cwd=HERE, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()


def test_the_stub_is_the_module() -> None:
    command = [sys.executable, "-m", "mypy.stubtest", "licentia"]
    done = subprocess.run(command, cwd=HERE, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()
