"""examples/python/metered_workers.py counts exactly, stops at the limit, and leaves nobody."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from vendor import ISSUED, PRODUCT, Vendor

NOW = f"clock={ISSUED}"


def run(root: Path, tmp_path: Path, text: str) -> tuple[int, list[str], str]:
    """Runs it with a license; waits for every process that it started."""
    keys, license = tmp_path / "keys.json", tmp_path / "app.lic"
    keys.write_text(Vendor().keys())
    license.write_text(text)
    program = str(root / "examples/python/metered_workers.py")
    command = [sys.executable, "-W", "error", program, str(keys), PRODUCT, str(license), NOW]
    pipe = subprocess.PIPE
    started = subprocess.Popen(
        command, stdout=pipe, stderr=pipe, encoding="utf-8", start_new_session=True
    )
    out, err = started.communicate(timeout=100)
    until = time.monotonic() + 5
    with pytest.raises(ProcessLookupError):
        while time.monotonic() < until:
            os.killpg(started.pid, 0)
            time.sleep(0.05)
    return started.returncode, out.splitlines(), err


@pytest.mark.skipif(os.name != "posix", reason="needs process groups")
def test_counts_exactly_and_stops_at_the_limit(
    root: Path, tmp_path: Path, vendor: Vendor
) -> None:
    status, lines, err = run(root, tmp_path, vendor.license())
    assert (status, err) == (0, ""), err
    assert lines[0] == "requests: 80"
    assert re.fullmatch(r"exports done: 50 by [1-4] workers", lines[1])
    refused = [re.fullmatch(r"refused: (\d+) with (4\d\d) (\w+)", line) for line in lines[2:-2]]
    assert sum(int(one[1]) for one in refused if one) == 30, lines
    assert {one[2] for one in refused if one} == {"429"}, lines
    assert lines[-2:] == ["counted: 50", "used: 50 limit: 50"]


@pytest.mark.skipif(os.name != "posix", reason="needs process groups")
def test_counts_exactly_without_a_limit(root: Path, tmp_path: Path, vendor: Vendor) -> None:
    features = [{"id": "exports", "meter": "count", "per": "day"}]
    status, lines, err = run(root, tmp_path, vendor.license(features=features))
    assert (status, err) == (0, ""), err
    assert lines[0] == "requests: 300" and lines[1].startswith("exports done: 300 by ")
    assert lines[2:] == ["counted: 300", "used: 300 limit: none"]


@pytest.mark.skipif(os.name != "posix", reason="needs process groups")
def test_refuses_with_the_word(root: Path, tmp_path: Path, vendor: Vendor) -> None:
    status, lines, err = run(root, tmp_path, vendor.license(features=[{"id": "reports"}]))
    assert (status, lines) == (1, []) and err
    status, lines, err = run(root, tmp_path, vendor.license() + "x")
    assert (status, lines) == (1, []) and re.match(r"(malformed|bad_signature): ", err)


def test_says_how_it_is_used(root: Path) -> None:
    program = str(root / "examples/python/metered_workers.py")
    done = subprocess.run([sys.executable, program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "usage: metered_workers KEYS PRODUCT LICENSE [NAME=VALUE]...\n"
