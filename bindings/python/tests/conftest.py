"""What the tests share: a vendor, and a product that trusts it."""

from __future__ import annotations

from pathlib import Path

import licentia
import pytest
from vendor import ISSUED, PRODUCT, Vendor

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def product(vendor: Vendor) -> licentia.Product:
    """Trusts the vendor, on the day that its licenses are signed."""
    return licentia.Product(PRODUCT, vendor.keys(), clock=ISSUED)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where an installation keeps what it knows."""
    directory = tmp_path / "licentia"
    directory.mkdir()
    return directory


@pytest.fixture
def installation(product: licentia.Product, directory: Path) -> licentia.Installation:
    """One that has no license yet."""
    return product.open(directory)


@pytest.fixture
def root() -> Path:
    """The repository."""
    return ROOT
