"""The README's example runs, and the types are those of the module."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from servers import fake, signing
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
    """Its license server is one of this process, which says what it stands for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    now = int(time.time())
    license = vendor.license(valid_until=None)
    Path("keys.json").write_text(vendor.keys())
    Path("myapp.lic").write_text(license)
    text = (HERE / "README.md").read_text("utf-8")
    with fake(signing(vendor, license, iat=now, server_time=now)) as server:
        examples = doctest.DocTestParser().get_doctest(
            text.replace("https://licenses.example.com", server.root), {}, "README.md", None, None
        )
        done = doctest.DocTestRunner().run(examples)
        assert server.asked == ["activation", "sync", "seat", "release"]
    assert done.attempted >= 40 and done.failed == 0


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


@pytest.mark.parametrize("programs", ["bindings/python/tests", "examples/python", "tests/hosts"])
def test_the_types_hold_where_they_are_used(root: Path, programs: str) -> None:
    """Over the package, its tests, the examples and the hosts. An unused `type: ignore` fails, so
    that the wrong calls in these tests prove that the types refuse them."""
    command = [sys.executable, "-m", "mypy", "python/licentia", str(root / programs)]
    path = {**os.environ, "MYPYPATH": str(root / "examples/python")}
    done = subprocess.run(command, cwd=HERE, env=path, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()


def test_the_stub_is_the_module() -> None:
    command = [sys.executable, "-m", "mypy.stubtest", "licentia"]
    done = subprocess.run(command, cwd=HERE, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()
