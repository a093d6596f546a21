"""Prints what was measured: medians, ratios to ours, and whether the goals are met.

report.py RESULTS     a JSON object per line, as the benches print them

A ratio is the median over the rounds of (ours / theirs) in the same round, so that what else the
machine did in a round is in both. A goal that is missed is said, and is no failure: time is no
reason to refuse a change on a machine that others share.
"""

import json
import sys
from statistics import median
from typing import Any

Rows = dict[tuple[str, str], dict[str, list[float]]]

ONE, MANY = "record, 1 process", "record, 16 processes"
ALONE = "without a server, in C"
RECORD, SQLITE = "licentia, record", "SQLite, one row, WAL, FULL"
NO_OP, METHOD = "a call that does nothing", "a Python method over a frozenset"
# language, topic, ours, theirs, at most
GOALS: list[tuple[str, str, str, str, float]] = [
    ("C", "verify", "licentia", "libsodium + cJSON", 0.80),
    ("C", "verify", "licentia", "ed25519-dalek, signature only", 1.15),
    ("C", "allows", "licentia", NO_OP, 10),
    ("C", "allows", "licentia, of an installation", NO_OP, 10),
    ("C", "allows, 16 threads", "licentia, of an installation", NO_OP, 10),
    ("Python", "verify", "licentia", "PyNaCl + json", 0.75),
    ("Python", "verify", "licentia", "PyJWT", 0.30),
    ("Python", "allows", "licentia, license.allows(f)", METHOD, 1.15),
    ("Python", "allows", "licentia, installation.allows(f)", METHOD, 1.15),
    ("Node", "verify", "licentia", "sodium-native + JSON.parse", 1.0),
    ("Node", "verify", "licentia", "node:crypto + JSON.parse", 0.45),
    ("Node", "allows", "licentia", "Set.has", 8),
    ("Node", "allows", "licentia, of an installation", "Set.has", 8),
    ("C", ONE, RECORD, "pwrite + fdatasync", 1.5),
    ("C", "instructions", "licentia", "ed25519-dalek, signature only", 1.08),
]
# topic, topic and name of theirs, how many of our records at least in the time of one of theirs
RECORD_GOALS = [
    (MANY, ONE, RECORD, 2.5),
    (ONE, ONE, SQLITE, 2.5),
    (MANY, MANY, SQLITE, 7.0),
]
# language, the bare interpreter, milliseconds over it
START_GOALS = [("Python", "python -c pass", 1.0), ("Node", "node -e 0", 5.0)]
# what, bytes
SIZE_GOALS = [("liblicentia.so", 600_000)]
# by the first word of a topic; what is recorded is counted by the second
UNITS = {
    "verify": (1e3, "µs"),
    "allows": (1.0, "ns"),
    "record": (1e9, "/s"),
    "sync": (1e9, "/s"),
    "start": (1e6, "ms"),
}


def ratio(ours: list[float], theirs: list[float]) -> float:
    return median(a / b for a, b in zip(ours, theirs))


def unit_of(topic: str) -> tuple[float, str] | None:
    return UNITS.get(topic.partition(",")[0])


def table(language: str, topic: str, unit: tuple[float, str], rows: dict[str, list[float]]) -> None:
    scale, name_of_unit = unit
    ours = next(name for name in rows if name.startswith("licentia"))
    width = max(map(len, rows))
    print(f"\n{language}, {topic}")
    for name, rounds in sorted(rows.items(), key=lambda row: median(row[1])):
        if name_of_unit == "/s":
            line = f"  {name:{width}}  {scale / median(rounds):12,.0f} {name_of_unit}"
            compared = f"   ours is {ratio(rounds, rows[ours]):.3g} times as many"
        else:
            line = f"  {name:{width}}  {median(rounds) / scale:9.2f} {name_of_unit}"
            compared = f"   ours is {ratio(rows[ours], rounds):5.2f} of it"
        print(line + (compared if name != ours else ""))


def web_servers(found: Rows) -> None:
    """Over HTTP, more is better. What one answer takes longer is what the server spends on it
    while it has as much to do as it can."""
    mounts = {mount: rows for (mount, topic), rows in found.items() if topic == "http"}
    alone = mounts.pop(ALONE, {}).get("status", [])
    if not mounts:
        return
    print("\nGET /api/license as a stranger, and the same server's answer to a constant")
    print(f"  {'':18}  constant/s    status/s  status/constant      more  p99 of both, ms")
    for mount, rows in mounts.items():
        constant, status = rows["constant"], rows["status"]
        more = median(1e6 / ours - 1e6 / theirs for ours, theirs in zip(status, constant))
        late = [median(rows[f"{name}, p99"]) for name in ("constant", "status")]
        print(
            f"  {mount:18}  {median(constant):10,.0f}  {median(status):10,.0f}"
            f"  {ratio(status, constant):15.2f}  {more:+5.0f} µs  {late[0]:7.1f} {late[1]:7.1f}"
        )
    if alone:
        print(f"  {ALONE}: {median(alone) / 1e3:.2f} µs for each answer")


def said(what: str, found: float, goal: float, unit: str = "") -> None:
    met = "met" if found <= goal else "MISSED"
    print(f"  {what}: {found:.2f}{unit}, goal ≤ {goal:g}{unit}: {met}")


def goals(found: Rows) -> None:
    print("\nGoals")
    for language, topic, ours, theirs, goal in GOALS:
        rows = found.get((language, topic), {})
        if ours in rows and theirs in rows:
            said(f"{language}, {topic}, {ours} / {theirs}", ratio(rows[ours], rows[theirs]), goal)
    for topic, their_topic, theirs, least in RECORD_GOALS:
        ours_rounds = found.get(("C", topic), {}).get(RECORD)
        their_rounds = found.get(("C", their_topic), {}).get(theirs)
        if ours_rounds and their_rounds:
            times = ratio(their_rounds, ours_rounds)
            met = "met" if times >= least else "MISSED"
            whom = theirs if their_topic == topic else their_topic
            print(f"  C, {topic}, to {whom}: {times:.2f} times as many, goal ≥ {least:g}: {met}")
    for language, bare, goal in START_GOALS:
        rows = found.get((language, "start"), {})
        if "licentia" in rows and bare in rows:
            over = median(a - b for a, b in zip(rows["licentia"], rows[bare])) / 1e6
            said(f"{language}, import and first verify, over {bare}", over, goal, " ms")
    sizes = found.get(("all", "size"), {})
    for name, goal in SIZE_GOALS:
        if name in sizes:
            said(f"size of {name}", sizes[name][0] / 1e3, goal / 1e3, " KB")


def main(file: str) -> None:
    found: Rows = {}
    skipped: list[dict[str, Any]] = []
    with open(file, encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if "skipped" in row:
                skipped.append(row)
            else:
                group = found.setdefault((row["language"], row["topic"]), {})
                group[row["name"]] = row["rounds"]
    for (language, topic), rows in found.items():
        if unit := unit_of(topic):
            table(language, topic, unit, rows)
    web_servers(found)
    print()
    for name, [count] in found.get(("C", "instructions"), {}).items():
        print(f"instructions of one verify, {name}: {count:,}")
    for name, [size] in found.get(("all", "size"), {}).items():
        print(f"size of the {name}: {size / 1e3:,.0f} KB")
    for row in skipped:
        print(f"skipped: {row['language']}, {row['skipped']} ({row['why']})")
    goals(found)


if __name__ == "__main__":
    main(sys.argv[1])
