"""Reads, before anybody has signed in, what a product may do."""

import re

from wire import expect, is_json, site

here = site()
REQUIRED = {
    "valid", "licensed", "ipv4_enabled", "ipv6_enabled", "support_valid", "license_valid",
    "warning_days_before", "automation_enabled", "llm_analysis_enabled",
    "strategic_analysis_enabled", "trial_expired", "support_expired", "warning_active",
}  # fmt: skip
TEXTS = {
    "license_id", "customer_name", "description", "tier", "support_expires", "license_expires",
    "message", "license_type", "binding_mode", "bound_installation_id", "installation_id",
    "warning_message",
}  # fmt: skip
NUMBERS = {
    "max_users", "max_active_leases", "active_lease_count", "lease_count_window",
    "days_remaining", "warning_days_before",
}  # fmt: skip
FLAGS = (REQUIRED - {"warning_days_before"}) | {"lease_count_exceeded"}


def status(token=None):
    answer = here.ask("GET", "/api/license", token=token)
    expect("status answers", (answer.status, is_json(answer)), (200, True))
    found = answer.json()
    expect("what is required is there", sorted(REQUIRED - set(found)), [])
    expect("and nothing unknown", sorted(set(found) - TEXTS - NUMBERS - FLAGS), [])
    for name, value in found.items():
        kind = bool if name in FLAGS else int if name in NUMBERS else str
        expect(f"{name} has its type", type(value).__name__, kind.__name__)
        if name.endswith("_expires"):
            expect(f"{name} is a date", bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value)), True)
    return found


def expect_set(what, actual, wanted):
    expect(what, sorted(actual), sorted(wanted))


before = status()
expect("no license", before["licensed"], False)
expect("valid is both", before["valid"], before["license_valid"] and before["support_valid"])
expect("the same, signed in", status(here.user)["licensed"], False)
applied = here.ask(
    "POST", "/api/licensing/token", token=here.administrator, body={"token": here.license}
)
expect("a license is applied", applied.status, 200)
after = status()
expect("licensed", (after["licensed"], after["license_valid"]), (True, True))
expect("both", after["valid"], after["license_valid"] and after["support_valid"])
full = status(here.administrator)
expect("an administrator is told the id", bool(full["license_id"]), True)
expect("and the installation", isinstance(full["installation_id"], str), True)
expect("and who it is for", bool(full["customer_name"]), True)
expect("and how many leases", full["active_lease_count"], 0)
expect_set("what both are told is the same", *[
    [f"{name}={found[name]}" for name in sorted(REQUIRED)] for found in (after, full)
])  # fmt: skip
