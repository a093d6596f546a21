"""licentia.testing: every state of a kit is what its name promises."""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import licentia
import licentia.testing
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from licentia.testing import Kit
from vendor import b64

KIT = Kit()
FIRST = Path(__file__).with_name("kit_1.json")
"""One that was made when version 1 of the format was, and is never made again."""
DEFAULT = Path(licentia.testing.__file__).with_suffix(".json")


@pytest.mark.parametrize("state", KIT.states)
@pytest.mark.parametrize("kit", [KIT, Kit(FIRST)], ids=["default", "first"])
def test_a_state_is_what_it_promises(kit: Kit, state: str) -> None:
    promised = kit.states[state]
    with kit.installation(state) as installation:
        status = installation.status()
        assert (status["reason"], status["in_force"]) == (promised.reason, promised.in_force)
        found = {feature: installation.access(feature).name.lower() for feature in kit.features}
        assert found == promised.access
        assert promised.warnings <= {it["code"] for it in status["warnings"]}
        assert status["at"] >= promised.clock and promised.about.endswith(".")


def test_a_kit_has_the_features_that_it_was_made_with() -> None:
    kit = Kit(str(FIRST))
    assert kit.code == "other"
    assert kit.features == ("audit_logs", "requests", "users", "leases")
    with kit.installation("limit_reached") as installation:
        assert installation.usage("users") == (15, 15, None)
        assert installation.gate("requests") is None and "leases" in installation
        with pytest.raises(licentia.LimitExceededError):
            installation.record_key("leases", "another")


def test_the_folder_goes_with_the_block() -> None:
    prepared = KIT.installation("active")
    with prepared as installation:
        assert installation is prepared.installation
        assert (prepared.directory / "lock").is_file()
        installation.record_later("counter")
    assert not prepared.directory.exists()
    first, second = KIT.installation("active"), KIT.installation("active")
    first.installation.record("counter", 3)
    assert "counter" in second.installation and "counter" not in first.installation
    first.close()
    second.close()
    second.close()


def test_it_is_removed_when_the_block_fails() -> None:
    prepared = KIT.installation("active")
    with pytest.raises(ZeroDivisionError), prepared:
        raise ZeroDivisionError
    assert not prepared.directory.exists()


def test_the_clock_moves_and_stays() -> None:
    prepared = KIT.installation("active")
    with prepared as installation:
        prepared.days(95)
        assert installation.access("feature") is licentia.Access.WARN
        prepared.days(0.5)
        prepared.days(50)
        assert "feature" not in installation and installation.status()["reason"] == "expired"
        today = datetime.fromtimestamp(prepared.state.clock, timezone.utc)
        prepared.clock(today + timedelta(days=150))
        prepared.days(1)
        assert installation.status()["time"]["clock"] == prepared.state.clock + 151 * 86_400
        prepared.clock(prepared.state.clock)
        assert installation.status()["time"]["suspect"]
        with pytest.raises(licentia.ArgumentError):
            prepared.clock(datetime(2026, 6, 15))


def test_settings_take_the_place_of_the_kits() -> None:
    with KIT.installation("expired", vendor="ACME", grace_days=5) as installation:
        assert installation.status()["reason"] == "not_needed"
    with KIT.installation("wrong_machine", machine="licentia-testkit-another") as installation:
        assert "feature" in installation
    product = KIT.product("active", clock=KIT.states["expired"].clock)
    assert product.code == "myapp"
    with pytest.raises(TypeError):
        KIT.product("active", clok=1)


def test_another_program_opens_the_folder_itself() -> None:
    prepared = KIT.installation("active")
    with prepared:
        clock = KIT.states["active"].clock
        theirs = licentia.Product(KIT.code, KIT.keys, clock=clock).open(prepared.directory)
        assert "feature" in theirs


@pytest.mark.parametrize("name, nearest", [("expird", "expired"), ("in-grace", "in_grace")])
def test_an_unknown_state_names_the_nearest(name: str, nearest: str) -> None:
    for call in (KIT.product, KIT.installation):
        with pytest.raises(licentia.ArgumentError, match=f"did you mean {nearest}\\?") as error:
            call(name)
        assert error.value.code == "invalid_argument"
    with pytest.raises(licentia.ArgumentError, match="use one of not_licensed, ") as error:
        KIT.installation("?")
    assert "mean" not in str(error.value)


def test_what_is_no_kit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kit.json"
    kit: dict[str, Any] = json.loads(DEFAULT.read_text())
    outside = {**kit, "folders": {**kit["folders"], "new": {"../x": {"size": 0, "base64": ""}}}}
    for bad in ("", "{}", "[]", "1", "null", json.dumps({**kit, "states": [{}]})):
        path.write_text(bad)
        with pytest.raises(licentia.ArgumentError, match="kit.json is no kit"):
            Kit(path)
    path.write_text(json.dumps(outside))
    with pytest.raises(licentia.ArgumentError, match="kit.json is no kit"):
        Kit(path)
    path.write_text(json.dumps({**kit, "testkit": 2}))
    with pytest.raises(licentia.TooNewError, match="version 2, and 1 is known"):
        Kit(path)
    path.write_text(json.dumps({**kit, "later": 1}))
    assert Kit(path).code == "myapp"
    with pytest.raises(FileNotFoundError):
        Kit(tmp_path / "none.json")


def has_private_key(text: str) -> bool:
    """Whether any 32 bytes in a kit, in any spelling, are the seed of its key."""
    kit = json.loads(text)
    files = [file["base64"] for files in kit["folders"].values() for file in files.values()]
    parts = [text.encode(), *(base64.b64decode(file) for file in set(files))]
    seeds = {part[at : at + 32] for part in parts[1:] for at in range(len(part) - 31)}
    for part in parts:
        for word in re.findall(rb"[A-Za-z0-9_-]{43}", part):
            seeds.add(base64.urlsafe_b64decode(word + b"="))
        seeds.update(bytes.fromhex(word.decode()) for word in re.findall(rb"[0-9a-f]{64}", part))
    return any(kit["keys"] == short(Ed25519PrivateKey.from_private_bytes(seed)) for seed in seeds)


def short(key: Ed25519PrivateKey) -> str:
    """Its public half, as in a kit."""
    return "ed25519:" + b64(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


@pytest.mark.parametrize("path", [DEFAULT, FIRST], ids=["default", "first"])
def test_no_private_key_is_in_it(path: Path) -> None:
    text = path.read_text()
    assert "PRIVATE" not in text and not has_private_key(text)


def test_a_private_key_would_be_found() -> None:
    seed = bytes(range(32))
    folder = {"lock": {"size": 40, "base64": base64.b64encode(b"12345678" + seed).decode()}}
    for more in ({"d": b64(seed)}, {"d": seed.hex()}, {"folders": {"new": folder}}):
        key = short(Ed25519PrivateKey.from_private_bytes(seed))
        assert has_private_key(json.dumps({"keys": key, "folders": {}, **more}))
