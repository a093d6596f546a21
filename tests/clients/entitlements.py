"""Shows what is licensed, and inserts a license key."""

import re

from wire import expect, is_json, site

here = site()
LICENSE = {
    "created": str, "customer_name": str, "delay_expiry_days": int, "delay_max_uses_perc": int,
    "entitlements": dict, "expiry": (str, type(None)), "id": str, "key": (str, type(None)),
    "last_validated": (str, type(None)), "max_machines": int, "ordered_entitlements_keys": list,
    "policy": (str, type(None)), "status": str, "suspended": bool, "updated": str,
}  # fmt: skip
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
PATH = "/api/v1/license"


def ask(method, body=None, token=here.administrator):
    return here.ask(method, PATH, token=token, body=body)


def envelope(answer, status, message):
    expect(f"the answer to {message}", (answer.status, is_json(answer)), (status, True))
    found = answer.json()
    expect("the message", found["message"], message)
    expect("an envelope", {"data", "message", "status"} <= set(found), True)
    expect("its status", found["status"], "ok" if status == 200 else "error")
    return found["data"]


def info():
    return envelope(ask("GET"), 200, "License info")


def check(entitlement):
    expect("its members", sorted(entitlement), ["is_limited", "max_uses", "name"])
    limited, most = entitlement["is_limited"], entitlement["max_uses"]
    fits = (type(most) is int or most == "unlimited") if limited else most is None
    expect(f"{entitlement['name']} has a limit as it should", fits, True)


for method, body in [("GET", None), ("POST", {"license_key": here.license})]:
    for who, token in [("a stranger", None), ("a wrong token", "no-such-token-anywhere"),
                       ("a user", here.user)]:  # fmt: skip
        envelope(ask(method, body, token), 403, "Forbidden")
        expect(f"{method} of {who}", ask(method, body, token).status, 403)

before = info()
expect("no license", before["license"], None)
expect("no status", before["status"], "none")
for wrong in ("72xC94-xxxxx-278x8B-528A45-xxxxx-Vx", "", here.forged, here.expired):
    envelope(ask("POST", {"license_key": wrong}), 400, "Error inserting license key")
envelope(ask("POST", {}), 400, "Error inserting license key")
expect("still no license", info()["license"], None)

inserted = envelope(ask("POST", {"license_key": here.license}), 200, "License succesfully inserted")
after = info()
expect("what was inserted is what there is", inserted == after, True)
expect("the status", after["status"], "active")
expect("the counter", type(after["monthly_tx_counter"]) is int, True)
expect("the limit is not reached", after["monthly_tx_limit_reached"], False)
license = after["license"]
for name, kind in LICENSE.items():
    expect(f"{name} has its type", isinstance(license[name], kind), True)
for name in ("created", "updated", "expiry"):
    fits = license[name] is None or bool(re.fullmatch(TIME, license[name]))
    expect(f"{name} is a time", fits, True)
ordered = license["ordered_entitlements_keys"]
expect("the same entitlements", sorted(ordered) == sorted(license["entitlements"]), True)
for entitlement in license["entitlements"].values():
    check(entitlement)
