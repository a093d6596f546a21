"""examples/python/quickstart.py prints what the other three quickstarts print."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest
from vendor import ISSUED, PRODUCT, Vendor

NOW = f"clock={ISSUED}"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(root: Path, tmp_path: Path, vendor: Vendor) -> Run:
    """Runs the quickstart with a license and settings."""

    def quickstart(text: str, *settings: str) -> subprocess.CompletedProcess[str]:
        keys, license = tmp_path / "keys.json", tmp_path / "app.lic"
        keys.write_text(vendor.keys())
        license.write_text(text)
        program = str(root / "examples/python/quickstart.py")
        command = [sys.executable, program, str(keys), PRODUCT, str(license), *settings]
        return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60)

    return quickstart


def test_prints_what_the_license_says(run: Run, vendor: Vendor) -> None:
    done = run(vendor.license(), NOW, "machine=cluster-1")
    *lines, machine = done.stdout.splitlines()
    assert lines == [
        "licensed to: Zoë & Søn",
        "serial: LIC-MYAPP-A1B2C3D4",
        "until: 2025-12-22T00:00:00Z",
        "allows reports: yes",
        "allows exports: yes",
        "limit of exports: 50",
    ]
    assert machine.startswith("machine: ") and machine != "machine: unknown"
    assert (done.returncode, done.stderr) == (0, "")


def test_prints_what_has_no_end(run: Run, vendor: Vendor) -> None:
    features = [{"id": "exports", "meter": "level"}]
    done = run(vendor.license(valid_until=None, features=features), NOW)
    lines = done.stdout.splitlines()
    assert lines[2:6] == [
        "until: without end",
        "allows reports: no",
        "allows exports: yes",
        "limit of exports: none",
    ]
    done = run(vendor.license(features=[]), NOW)
    assert "limit of exports: 0" in done.stdout.splitlines()


def test_refuses_with_the_word(run: Run, vendor: Vendor) -> None:
    done = run(vendor.license(), "clock=2030-01-01")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "expired: the license ended on 2025-12-22T00:00:00Z: ask the vendor for a renewal\n"
    )
    done = run(vendor.license(), "clok=1")
    assert done.returncode == 1 and done.stderr.startswith("invalid_argument: ")


def test_says_how_it_is_used(root: Path) -> None:
    program = str(root / "examples/python/quickstart.py")
    done = subprocess.run([sys.executable, program, "a", "b"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "usage: quickstart KEYS PRODUCT LICENSE [NAME=VALUE]...\n"
    done = subprocess.run([sys.executable, program, "a", "b", "c"], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("io: ")
