"""Wrong calls: what Python users expect to be a TypeError is one, the rest an ArgumentError."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import licentia
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from vendor import ISSUED, PRODUCT, Vendor

KEYS = Vendor().keys()
SETTING_ROW = re.compile(r"^\| `([a-z_]+)` \|", re.MULTILINE)

VALUES: dict[str, Any] = {
    "clock": 0,
    "issuer": "https://licenses.acme.example",
    "machine": "cluster-1",
    "machine_file": Path("/etc/machine-id"),
    "machine_root": Path("/"),
    "machine_exclude": ["nic", "disk"],
    "installation": "6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c",
    "instance": "https://play.acme.example",
    "vendor": "Acme",
    "deployment": "saas",
    "grace_days": 31,
    "warning_days": "14",
    "server": ["https://licenses.acme.example", "http://10.0.0.1:8080"],
    "monthly_meter": "requests",
}

SITE_VALUES: dict[str, Any] = {
    "license": b"not one",
    "license_file": Path("app.lic"),
    "license_env": "ACME_LICENSE",
    "instance": "https://play.acme.example",
    "mount": "/admin/licensing",
    "public_status": "full",
    "lease_window": 7,
    "server": "https://licenses.acme.example",
    "server_ca": Path("authority.pem"),
    "proxy": "http://zoe:secret@proxy.acme.example:3128",
    "server_timeout": 5,
}


def authority() -> bytes:
    """The certificate of an authority that nobody trusts."""
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Acme")])
    day = datetime(2025, 11, 22, tzinfo=timezone.utc)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, day, day + timedelta(days=1))
    return made.sign(key, None).public_bytes(serialization.Encoding.PEM)


def test_every_setting_is_a_keyword_and_can_be_set(root: Path) -> None:
    documented = SETTING_ROW.findall((root / "docs/settings.md").read_text("utf-8"))
    both = [*VALUES, *SITE_VALUES]
    assert documented == both, "docs/settings.md and this test name the same settings"
    product = licentia.Product(PRODUCT, KEYS)
    for name, value in VALUES.items():
        licentia.Product(PRODUCT, KEYS, **{name: value})
        licentia.Product(PRODUCT, KEYS, **{name: None})
        product.set(name, value)
        product.set(name, None)
        product.set(name, "")


def test_every_setting_of_an_installation_is_a_keyword_and_can_be_set(
    product: licentia.Product, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("authority.pem").write_bytes(authority())
    installation = product.open(directory)
    for name, value in SITE_VALUES.items():
        product.open(directory, **{name: value})
        product.open(directory, **{name: None})
        installation.set(name, value)
        installation.set(name, None)
        installation.set(name, "")


def test_unknown_settings_name_the_nearest(directory: Path) -> None:
    product = licentia.Product(PRODUCT, KEYS)
    with pytest.raises(licentia.ArgumentError, match="did you mean issuer"):
        product.set("isuer", 1)
    with pytest.raises(licentia.ArgumentError):
        product.set("clock\0", 1)
    with pytest.raises(licentia.ArgumentError, match="surrogate"):
        product.set("\ud800", "x")
    with pytest.raises(TypeError):
        licentia.Product(PRODUCT, KEYS, isuer="x")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        licentia.Product(PRODUCT, KEYS, "x")  # type: ignore[call-arg]
    installation = product.open(directory)
    with pytest.raises(licentia.ArgumentError, match="did you mean license_file"):
        installation.set("license_fil", Path("x"))
    with pytest.raises(licentia.ArgumentError, match="no setting clock"):
        installation.set("clock", "0")
    with pytest.raises(TypeError):
        product.open(directory, licens="x")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        product.open(directory, "x")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clock", "soon"),
        ("clock", 2**70),
        ("clock", -(2**63)),
        pytest.param("clock", 10**5000, id="clock-more-digits-than-python-writes"),
        pytest.param("clock", -(10**5000), id="clock-less-than-python-writes"),
        ("clock", datetime(2026, 1, 1)),
        ("machine", " "),
        ("machine", "x" * 4097),
        ("machine", "\udc80"),
        ("machine_exclude", "nose"),
        ("machine_exclude", ["nic", "nose"]),
        ("machine_exclude", ["\ud800"]),
        ("machine_file", "\udc80"),
        ("installation", "1"),
        ("deployment", "cloud"),
        ("grace_days", -1),
        ("grace_days", 3651),
        pytest.param("grace_days", 10**5000, id="grace_days-more-digits-than-python-writes"),
        ("grace_days", "1.5"),
        ("grace_days", "+1"),
        ("warning_days", "soon"),
        ("server", "licenses.acme.example"),
        ("server", ["https://licenses.acme.example", "ftp://licenses.acme.example"]),
        ("server", ["https://licenses.acme.example"] * 9),
        ("server", ["\ud800"]),
        ("monthly_meter", "My Meter"),
    ],
)
def test_values_that_a_setting_does_not_take(name: str, value: Any) -> None:
    product = licentia.Product(PRODUCT, KEYS, clock=ISSUED)
    with pytest.raises(ValueError) as caught:
        product.set(name, value)
    assert isinstance(caught.value, licentia.ArgumentError)
    with pytest.raises(licentia.ArgumentError):
        licentia.Product(PRODUCT, KEYS, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clock", 1.5),
        ("clock", True),
        ("clock", b"0"),
        ("issuer", 1),
        ("issuer", b"x"),
        ("machine", 1),
        ("machine_file", 1),
        ("machine_file", b"/etc/machine-id"),
        ("machine_root", ["/"]),
        ("machine_exclude", 1),
        ("machine_exclude", b"nic"),
        ("machine_exclude", [1]),
        ("installation", 1),
        ("instance", object()),
        ("vendor", 1),
        ("deployment", b"saas"),
        ("grace_days", 1.0),
        ("grace_days", True),
        ("warning_days", b"1"),
        ("server", 1),
        ("server", b"https://licenses.acme.example"),
        ("server", [b"https://licenses.acme.example"]),
        ("monthly_meter", ["x"]),
    ],
)
def test_values_of_the_wrong_type(name: str, value: Any) -> None:
    product = licentia.Product(PRODUCT, KEYS)
    with pytest.raises(TypeError):
        product.set(name, value)
    with pytest.raises(TypeError):
        licentia.Product(PRODUCT, KEYS, **{name: value})


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("server", "licenses.acme.example", licentia.ArgumentError),
        ("server_ca", b"/etc/ssl/acme.pem", TypeError),
        ("proxy", "socks9://proxy", licentia.ArgumentError),
        ("proxy", 3128, TypeError),
        ("server_timeout", 0, licentia.ArgumentError),
        ("server_timeout", -1, licentia.ArgumentError),
        ("server_timeout", 301, licentia.ArgumentError),
        pytest.param("server_timeout", 10**5000, licentia.ArgumentError, id="many-digits"),
        ("server_timeout", 1.5, TypeError),
        ("server_timeout", True, TypeError),
    ],
)
def test_ways_to_a_server_that_are_none(
    product: licentia.Product, directory: Path, name: str, value: Any, error: type[Exception]
) -> None:
    installation = product.open(directory)
    with pytest.raises(error):
        installation.set(name, value)
    with pytest.raises(error):
        product.open(directory, **{name: value})


def test_the_clock_takes_every_kind_of_time(vendor: Vendor) -> None:
    product = licentia.Product(PRODUCT, KEYS)
    license = vendor.license(valid_until=ISSUED + 60)
    plus = timezone(timedelta(hours=5, minutes=30, seconds=15))
    last = datetime(2025, 11, 22, 0, 0, 59, 999_999, tzinfo=timezone.utc)
    times: list[str | int | datetime] = [ISSUED + 59, str(ISSUED + 59), "2025-11-22T00:00:59Z"]
    for time in [*times, last, last.astimezone(plus), 0, -1, datetime.min.replace(tzinfo=plus)]:
        product.set("clock", time)
        assert "reports" in product.verify(license), time
    for time in (ISSUED + 60, last + timedelta(microseconds=1), datetime.max.replace(tzinfo=plus)):
        product.set("clock", time)
        with pytest.raises(licentia.ExpiredError):
            product.verify(license)


def test_a_clock_of_none_is_the_systems(vendor: Vendor) -> None:
    product = licentia.Product(PRODUCT, KEYS, clock=0)
    old = vendor.license(valid_from=0, valid_until=ISSUED + 1)
    assert product.verify(old)
    product.set("clock", None)
    with pytest.raises(licentia.ExpiredError):
        product.verify(old)


def test_the_wrong_types_are_type_errors() -> None:
    product = licentia.Product(PRODUCT, KEYS, clock=ISSUED)
    license = product.verify(Vendor().license())
    wrong: Any
    for wrong in (None, 1, 1.5, [], {}, object(), ("a",)):
        for call in (product.verify, product.inspect, product.trust, license.allows, license.limit):
            with pytest.raises(TypeError):
                call(wrong)
        with pytest.raises(TypeError):
            licentia.Product(wrong, KEYS)
        with pytest.raises(TypeError):
            licentia.Product(PRODUCT, wrong)
        with pytest.raises(TypeError):
            wrong in license  # noqa: B015
    with pytest.raises(TypeError):
        license.allows(b"reports")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must be str, bytes, bytearray or memoryview, not int"):
        product.verify(1)  # type: ignore[arg-type]
    view = memoryview(b"x")
    view.release()
    with pytest.raises(ValueError):
        product.verify(view)


@pytest.mark.parametrize("code", ["", "My App", "myapp\0", "é", "\ud800", "-x", "x" * 101])
def test_product_codes_that_are_none(code: str) -> None:
    with pytest.raises(licentia.ArgumentError):
        licentia.Product(code, KEYS)


def test_keys_have_to_be_text() -> None:
    for keys in (b"\xff\xfe", "\ud800"):
        with pytest.raises(licentia.ArgumentError):
            licentia.Product(PRODUCT, keys)


def test_the_products_code_and_docstrings() -> None:
    product = licentia.Product(PRODUCT, KEYS)
    assert product.code == PRODUCT
    nouns: tuple[type, ...] = (licentia.Product, licentia.License, licentia.Installation)
    nouns = (*nouns, licentia.Access, licentia.Caller, licentia.Response, licentia.Seat)
    for noun in (*nouns, licentia.Refusal, licentia.Usage, *licentia.errors._BY_CODE.values()):
        assert noun.__doc__
        for name, member in vars(noun).items():
            if not name.startswith("_") and (callable(member) or hasattr(member, "__get__")):
                assert member.__doc__, f"{noun.__name__}.{name} says nothing of itself"
