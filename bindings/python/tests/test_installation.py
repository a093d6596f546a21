"""What holds here and now: licenses applied, renewed and removed, and what may then be done."""

from __future__ import annotations

import copy
import json
import math
import os
import pickle
import shutil
import tempfile
import traceback
from datetime import datetime, timedelta, timezone
from pathlib import Path

import licentia
import pytest
from licentia import Access, Installation, Product
from vendor import DAY, ISSUED, LICENSE_ID, PRODUCT, Vendor, read

END = ISSUED + 30 * DAY
OTHER_KEY = "ABEiM0RVZneImaq7zN3u_wARIjNEVWZ3iJmqu8zd7v8"


def kept(directory: Path) -> dict[str, bytes]:
    """Everything in a folder but the lock, which also says who had it last."""
    files = sorted(directory.iterdir())
    return {file.name: file.read_bytes() for file in files if file.name != "lock"}


def refused(installation: Installation, data: str | bytes) -> str:
    """The word with which something is refused."""
    with pytest.raises(licentia.Error) as caught:
        installation.apply(data)
    return caught.value.code


def test_nothing_is_allowed_without_a_license(installation: Installation) -> None:
    assert installation.allows("reports") is False
    assert "reports" not in installation
    assert installation.access("reports") is Access.DENY
    status = installation.status()
    assert (status["in_force"], status["access"], status["license"]) == (False, "deny", None)
    assert (status["reason"], status["product"]) == ("not_licensed", PRODUCT)
    assert status["state"]["ok"] is True


def test_what_is_applied_is_allowed_here_and_in_the_next_process(
    product: Product, installation: Installation, vendor: Vendor, directory: Path
) -> None:
    raw = vendor.license().encode()
    coats: list[str | bytes | bytearray | memoryview]
    coats = [vendor.license(), raw, bytearray(raw), memoryview(raw)]
    for coat in coats:
        installation.apply(coat)
    for one in (installation, product.open(directory), product.open(str(directory))):
        assert one.allows("reports") is True and "reports" in one
        assert one.access("reports") is Access.ALLOW
        for near in ("", "report", "Reports", "reports\0", "repörts", "\ud800", "x" * 9999):
            assert one.allows(near) is False and near not in one
            assert one.access(near) is Access.DENY
    status = installation.status()
    assert (status["in_force"], status["reason"]) == (True, "ok")
    assert status["license"]["id"] == LICENSE_ID
    assert status["license"]["customer"]["name"] == "Zoë & Søn"
    assert [one["id"] for one in status["features"]] == ["reports", "exports", "hosts"]


def test_names_are_asked_for_often_and_many_are_made_up(
    installation: Installation, vendor: Vendor
) -> None:
    installation.apply(vendor.license())
    for number in range(3000):
        assert f"feature-{number}" not in installation
        assert ("".join(["rep", "orts"]) in installation) is True
    assert "exports" in installation, "it was never asked for before"


def test_a_class_of_its_own_has_no_say_in_what_is_allowed(
    installation: Installation, vendor: Vendor
) -> None:
    class Like(str):
        """Takes itself for a feature that is licensed."""

        def __hash__(self) -> int:
            return hash("exports")

        def __eq__(self, other: object) -> bool:
            return True

        def __str__(self) -> str:
            return "exports"

        def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
            return b"exports"

    installation.apply(vendor.license())
    for _ in range(2):
        assert Like("nothing") not in installation
        assert installation.access(Like("\ud800")) is Access.DENY
        assert installation.gate(Like("nothing")) is not None
        assert Like("exports") in installation and "exports" in installation
        assert "nothing" not in installation


def test_access_rises(product: Product, installation: Installation, vendor: Vendor) -> None:
    stages = {"ended": {"warn": 0, "read_only": 10, "deny": 20}}
    installation.apply(vendor.license(stages=stages))
    seen = []
    for day in (0, 30, 40, 50):
        product.set("clock", ISSUED + day * DAY)
        seen.append(installation.access("reports"))
        assert installation.allows("reports") is (seen[-1] >= Access.WARN)
        assert installation.status()["access"] == seen[-1].name.lower()
    assert seen == [Access.ALLOW, Access.WARN, Access.READ_ONLY, Access.DENY] == [3, 2, 1, 0]
    assert seen == sorted(Access, reverse=True)
    assert all(type(one) is Access for one in seen)


def test_the_gate_gives_the_answer_to_send(
    product: Product, installation: Installation, vendor: Vendor
) -> None:
    refusal = installation.gate("reports")
    assert refusal is not None and type(refusal) is licentia.Refusal
    status, body = refusal
    assert 400 <= status < 500 and {"detail", "code"} <= set(json.loads(body))
    assert (refusal.status, refusal.body) == (status, body)
    installation.apply(vendor.license())
    assert installation.gate("reports") is None
    assert installation.gate("nothing") is not None
    product.set("clock", END)
    assert installation.gate("reports") is not None


def test_an_end_passes_and_a_renewal_follows(
    product: Product, installation: Installation, vendor: Vendor
) -> None:
    installation.apply(vendor.license())
    product.set("clock", END - 1)
    assert "reports" in installation
    product.set("clock", END)
    assert "reports" not in installation
    assert installation.status()["reason"] == "expired"
    installation.apply(vendor.renewal())
    assert "reports" in installation
    product.set("clock", END + 30 * DAY)
    assert "reports" not in installation


def test_status_at_another_time(installation: Installation, vendor: Vendor) -> None:
    installation.apply(vendor.license())
    plus = timezone(timedelta(hours=5, minutes=30, seconds=15))
    end = datetime.fromtimestamp(END, timezone.utc)
    for at in (END, end, end.astimezone(plus), end + timedelta(microseconds=999_999)):
        assert installation.status(at)["reason"] == "expired", at
        assert installation.status(at=at)["at"] == END
        assert installation.explain(at=at)
    for at in (END - 1, end - timedelta(microseconds=1), end - timedelta(seconds=1)):
        assert installation.status(at)["reason"] == "ok", at
    assert installation.status(None)["reason"] == "ok"
    assert "reports" in installation, "asking what will be changes nothing"


def test_explain_says_why(installation: Installation, vendor: Vendor) -> None:
    installation.apply(vendor.license())
    why = installation.explain()
    assert type(why) is dict and "reports" in json.dumps(why)
    assert "expired" in json.dumps(installation.explain(END))


def test_what_is_refused_changes_nothing(
    product: Product, installation: Installation, vendor: Vendor, directory: Path
) -> None:
    good = vendor.license()
    installation.apply(good)
    before, status = kept(directory), installation.status()
    elsewhere = {"installation": "6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c"}
    bad: list[tuple[str | bytes, str]] = [
        ("", "malformed"),
        (b"\xff", "malformed"),
        ("\ud800", "malformed"),
        (good[:-2] + ("AA" if good[-2:] != "AA" else "BB"), "bad_signature"),
        (b"x" * 20_000_000, "too_large"),
        (Vendor(OTHER_KEY).license(), "unknown_key"),
        (vendor.license(outer={"aud": "other"}), "wrong_product"),
        (vendor.license(binding=elsewhere), "wrong_installation"),
        (vendor.license(valid_from=0, valid_until=ISSUED), "expired"),
        (vendor.license(outer={"iat": ISSUED - 1}), "older_than_installed"),
        (vendor.sign({"iss": "x", "aud": PRODUCT, "iat": 1}, "lic-product+jwt"), "wrong_kind"),
        (vendor.sign({"iss": "x", "aud": PRODUCT, "iat": 1}, "lic-lease+jwt"), "malformed"),
        (vendor.sign({"iss": "x", "aud": PRODUCT, "iat": 1}, "lic-revs+jwt"), "malformed"),
    ]
    for data, word in bad:
        assert refused(installation, data) == word
        assert kept(directory) == before, word
    assert "reports" in installation and installation.status() == status


def test_an_older_license_has_to_be_asked_for(
    product: Product, installation: Installation, vendor: Vendor
) -> None:
    older = vendor.license(outer={"iat": ISSUED - 1, "jti": "0"}, features=[{"id": "old"}])
    installation.apply(vendor.license())
    with pytest.raises(licentia.OlderThanInstalledError):
        installation.apply(older)
    with pytest.raises(licentia.OlderThanInstalledError):
        installation.apply(older, older=False)
    installation.apply(older, older=True)
    assert "old" in installation and "reports" not in installation


def test_a_removed_license_allows_nothing(
    product: Product, installation: Installation, vendor: Vendor, directory: Path
) -> None:
    assert installation.remove() is False
    installation.apply(vendor.license())
    assert installation.remove() is True
    assert "reports" not in installation and "reports" not in product.open(directory)
    assert installation.remove() is False
    installation.apply(vendor.license())
    assert "reports" in installation


def test_what_the_vendor_withdraws_is_denied(installation: Installation, vendor: Vendor) -> None:
    installation.apply(vendor.license())
    installation.apply(vendor.revocations(version=1))
    assert "reports" in installation
    installation.apply(vendor.revocations(LICENSE_ID, version=2))
    assert "reports" not in installation
    assert installation.status()["reason"] == "revoked"
    assert refused(installation, vendor.license()) == "revoked"
    assert refused(installation, vendor.revocations(version=1)) == "older_than_installed"


def test_a_clock_that_was_wrong_is_set_right(
    product: Product, installation: Installation, vendor: Vendor, directory: Path
) -> None:
    installation.apply(vendor.license())
    product.set("clock", END + 5 * DAY)
    product.open(directory)
    product.set("clock", ISSUED + DAY)
    again = product.open(directory)
    assert "reports" not in again and "reports" not in installation
    assert again.status()["time"]["behind"] == END + 4 * DAY - ISSUED
    request = again.request("clock")
    assert request.startswith("eJ")
    again.apply(vendor.answer(request, server_time=ISSUED + DAY))
    assert "reports" in again
    assert refused(again, vendor.answer(request, server_time=ISSUED)) == "already_used"


def test_requests(product: Product, installation: Installation, vendor: Vendor) -> None:
    installation.apply(vendor.license())
    for request in (installation.request(), installation.request("license", None)):
        assert request.startswith("eJ")
    same = installation.request("sync"), installation.request(what="sync", argument=None)
    assert same[0] == same[1], "the clock is stopped"
    product.set("clock", None)
    assert installation.request("sync") != installation.request("sync")
    for wrong in ("", "License", "licens", "clock\0", "é"):
        with pytest.raises(licentia.ArgumentError):
            installation.request(wrong)


def test_an_activation_and_the_end_of_one(installation: Installation, vendor: Vendor) -> None:
    with pytest.raises(licentia.NotLicensedError):
        installation.request("activation")
    asked = installation.request("activation", "ABCD-EFGH-4711")
    assert read(asked)["key"] == "ABCD-EFGH-4711"
    installation.apply(vendor.answer(asked, license=[vendor.license()]))
    assert "reports" in installation
    assert "key" not in read(installation.request("activation"))
    freed = vendor.answer(installation.request("deactivation"), seq=2)
    installation.apply(freed)
    assert "reports" not in installation
    installation.apply(vendor.license())
    assert refused(installation, freed) == "already_used"
    assert "reports" in installation


def test_seats(installation: Installation, vendor: Vendor) -> None:
    for what, argument in (("seat", "ann"), ("borrow", "30 ann"), ("release", "ann")):
        with pytest.raises(licentia.NotLicensedError):
            installation.request(what, argument)
    installation.apply(vendor.license())
    for what, wrong in (("seat", None), ("seat", "a\tb"), ("borrow", "ann"), ("sync", "ann")):
        with pytest.raises(licentia.ArgumentError):
            installation.request(what, wrong)
    assert read(installation.request("borrow", "30 Zoë"))["seat"] == {"holder": "Zoë", "days": 30}
    lease = vendor.answer(installation.request("seat", "ann"))
    installation.apply(lease)
    installation.apply(lease)
    installation.apply(vendor.answer(installation.request("release", "ann")))
    assert refused(installation, lease) == "already_used", "it was given back"
    theirs = vendor.answer(installation.request("seat", "ann"), installation=LICENSE_ID)
    assert refused(installation, theirs) == "wrong_installation"


def test_licenses_from_elsewhere(
    product: Product, vendor: Vendor, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, file = vendor.license(), directory / "app.lic"
    file.write_text(text)
    monkeypatch.setenv("ACME_LICENSE", text)
    sources = [
        (product.open(directory, license=text), "text"),
        (product.open(directory, license=text.encode()), "text"),
        (product.open(directory, license_file=file), "file"),
        (product.open(directory, license_file=str(file)), "file"),
        (product.open(directory, license_env="ACME_LICENSE"), "environment"),
    ]
    for installation, source in sources:
        assert "reports" in installation
        assert installation.status()["license"]["source"] == source
    monkeypatch.delenv("ACME_LICENSE")
    assert "reports" in sources[-1][0], "read when it was set"
    for name in ("license", "license_file", "license_env"):
        here = product.open(directory, license=text, license_file=file)
        here.set("license_file" if name == "license" else "license", None)
        here.set(name, None)
        assert ("reports" in here) is (name == "license_env")


def test_settings_are_changed_whole_or_not_at_all(
    product: Product, vendor: Vendor, directory: Path
) -> None:
    instance = "https://play.acme.example"
    bound = vendor.license(binding={"instance": instance + "/"})
    installation = product.open(directory, license=bound)
    assert "reports" not in installation
    assert installation.status()["reason"] == "wrong_installation"
    installation.set("instance", instance)
    assert "reports" in installation
    with pytest.raises(licentia.ArgumentError):
        installation.set("instances", "https://other.example")
    assert "reports" in installation
    installation.set("license", None)
    assert "reports" not in installation
    installation.apply(bound)
    assert "reports" in installation, "the other setting is as it was"


def test_what_is_set_in_the_product_later_does_not_reach_it(
    product: Product, installation: Installation, vendor: Vendor
) -> None:
    installation.apply(vendor.license())
    product.set("issuer", "https://other.example")
    assert "reports" in installation
    product.set("clock", END)
    assert "reports" not in installation, "but for the clock"


def test_a_first_use_begins_the_grace_without_a_license(vendor: Vendor, directory: Path) -> None:
    product = Product(PRODUCT, vendor.keys(), clock=ISSUED, grace_days=31)
    installation = product.open(directory)
    assert "anything" in installation, "nothing is needed yet"
    first = datetime.fromtimestamp(ISSUED - DAY, timezone.utc)
    installation.first_use(first)
    installation.first_use()
    installation.first_use(ISSUED)
    assert "anything" in installation
    anchor = installation.status()["anchor"]
    assert (anchor["at"], anchor["grace_days"]) == (ISSUED - DAY, 31)
    product.set("clock", ISSUED + 30 * DAY - 1)
    assert "anything" in installation
    product.set("clock", ISSUED + 30 * DAY)
    assert "anything" not in installation
    with pytest.raises(licentia.ArgumentError):
        installation.first_use(ISSUED + 31 * DAY)
    installation.apply(vendor.renewal())
    assert "reports" in installation and "anything" not in installation


def test_a_vendor_who_runs_the_product_is_not_asked(vendor: Vendor, directory: Path) -> None:
    product = Product(PRODUCT, vendor.keys(), deployment="saas")
    assert "anything" in product.open(directory)
    assert product.open(directory).status()["reason"] == "not_enforced"


def test_a_missing_folder_is_reported_and_other_licenses_work(
    product: Product, vendor: Vendor, directory: Path
) -> None:
    missing = directory / "not" / "there"
    installation = product.open(missing, license=vendor.license())
    assert "reports" in installation
    assert installation.status()["state"]["code"] == "state_unavailable"
    for write in (
        lambda: installation.apply(vendor.license()),
        lambda: installation.record("exports"),
        lambda: installation.remove(),
        lambda: installation.first_use(),
    ):
        with pytest.raises(licentia.StateUnavailableError) as caught:
            write()
        assert isinstance(caught.value, licentia.StateError)
    assert not missing.exists(), "it is nobody's to make but the host's"
    missing.mkdir(parents=True)
    installation.apply(vendor.license())
    assert "reports" in product.open(missing)


@pytest.mark.skipif(os.name != "posix", reason="needs owners of files")
def test_a_folder_that_is_read_only(product: Product, vendor: Vendor) -> None:
    """A license is there, and whoever asks may write nothing."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)  # What is made in it gets its mode.
        product.open(name).apply(vendor.license())
        os.chmod(name, 0o555)
        child = os.fork()
        if child == 0:
            try:
                if os.getuid() == 0:
                    os.setuid(65534)  # Root may write everywhere.
                installation = product.open(name)
                assert "reports" in installation and installation.usage("exports").used == 0
                for write in (installation.remove, lambda: installation.record("exports")):
                    with pytest.raises(licentia.StateUnavailableError):
                        write()
                assert "reports" in installation and installation.usage("exports").used == 0
                os._exit(0)
            finally:
                traceback.print_exc()
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        os.chmod(name, 0o755)


def test_a_damaged_state_is_an_error_and_a_license_makes_it_good(
    product: Product, vendor: Vendor, directory: Path
) -> None:
    product.open(directory).apply(vendor.license())
    for file in directory.glob("state.?"):
        file.write_bytes(b"\0" * 200)
    installation = product.open(directory)
    assert "reports" not in installation
    assert installation.status()["state"]["code"] == "state_corrupt"
    with pytest.raises(licentia.StateCorruptError):
        installation.first_use()
    installation.apply(vendor.license())
    assert "reports" in installation and installation.status()["state"]["ok"] is True


def test_a_backup_put_back_is_followed(
    product: Product, vendor: Vendor, directory: Path, tmp_path: Path
) -> None:
    installation = product.open(directory)
    installation.apply(vendor.license())
    shutil.copytree(directory, tmp_path / "backup")
    installation.remove()
    assert "reports" not in installation
    shutil.rmtree(directory)
    shutil.copytree(tmp_path / "backup", directory)
    assert "reports" in product.open(directory)


def test_closing_leaves_it_usable(product: Product, vendor: Vendor, directory: Path) -> None:
    with product.open(directory) as installation:
        assert type(installation) is Installation
        installation.apply(vendor.license())
        installation.record_later("exports", 2)
    installation.close()
    installation.flush()
    assert "reports" in installation, "there is nothing that could be closed"
    assert product.open(directory).usage("exports").used == 2
    with pytest.raises(KeyError), product.open(directory):
        raise KeyError("goes on")


def test_an_installation_comes_from_open_only(installation: Installation) -> None:
    with pytest.raises(TypeError):
        Installation()
    with pytest.raises(TypeError):
        object.__new__(Installation)
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Forged", (Installation,), {})
    with pytest.raises(TypeError, match="cannot be pickled: pass on its directory"):
        pickle.dumps(installation)
    with pytest.raises(TypeError, match="cannot be pickled"):
        copy.copy(installation)
    with pytest.raises(AttributeError):
        installation.allows = lambda feature: True  # type: ignore[method-assign]
    with pytest.raises(TypeError):
        iter(installation)  # type: ignore[call-overload]


def test_repr_says_where(installation: Installation, directory: Path, vendor: Vendor) -> None:
    installation.set("license", vendor.license())
    assert repr(installation) == f"<licentia.Installation '{PRODUCT}' in {str(directory)!r}>"


def test_small_answers_travel_between_processes() -> None:
    small: list[object] = [
        *Access,
        licentia.Refusal(403, "{}"),
        licentia.Usage(1, math.inf, datetime(2026, 1, 1, tzinfo=timezone.utc)),
    ]
    for one in small:
        again = pickle.loads(pickle.dumps(one))
        assert again == one and type(again) is type(one)
    with pytest.raises(AttributeError, match="has no attribute 'Acces'"):
        licentia.Acces  # type: ignore[attr-defined]  # noqa: B018
