"""Prints what bench.py measured: medians over the rounds, ratios, and whether the goals are met.

A ratio is the median of (ours / theirs) within each round, so that what else the machine did at
that time is in both. A goal that is missed is said, and is no failure.
"""

from __future__ import annotations

import json
import sys
from statistics import median
from typing import Any

SECOND, P50, P99, CPU = "each second", "p50", "p99", "processor"
OURS = ("licentia, SQLite", "licentia, PostgreSQL")
SQLX = ("axum + sqlx, SQLite", "axum + sqlx, PostgreSQL")
FASTIFY = "fastify + better-sqlite3"
CONSTANT = "constant"

# what is asked, ours, theirs, how many of ours at least in the time of one of theirs
GOALS = [
    ("sync, 64 clients", OURS[0], SQLX[0], 5.0),
    ("sync, 64 clients", OURS[1], SQLX[1], 2.0),
    ("sync, 1 client", OURS[0], SQLX[0], 0.9),
    ("sync, 1 client", OURS[1], SQLX[1], 0.9),
    ("sync, 64 clients", OURS[0], FASTIFY, 4.0),
    ("get, 64 clients", OURS[0], FASTIFY, 2.5),
]
GROWTH = 1.3

# what is asked and how many licenses there are, then who, then which figure
Found = dict[tuple[str, int], dict[str, dict[str, list[float]]]]


def ratio(ours: list[float], theirs: list[float]) -> float:
    return median(a / b if b else float("inf") for a, b in zip(ours, theirs))


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def counterpart(name: str, rows: dict[str, Any]) -> str:
    """Which of ours a program is compared with: the one on the same database."""
    ours = OURS[1] if "PostgreSQL" in name else OURS[0]
    return ours if ours in rows else ""


def table(what: str, count: int, rows: dict[str, dict[str, list[float]]]) -> None:
    print(f"\n{what}" + (f", {count:,} licenses" if count else ""))
    print(f"  {'':26}     1/s   p50 ms   p99 ms   processor µs   ours is … times as many")
    for name, figures in sorted(rows.items(), key=lambda row: -median(row[1][SECOND])):
        shown = [number(median(figures[it])) for it in (SECOND, P50, P99, CPU)]
        if not median(figures[SECOND]):
            shown = ["none", "", "", ""]  # nothing was done within the time of a turn
        line = f"  {name:26} {shown[0]:>7}  {shown[1]:>7}  {shown[2]:>7}  {shown[3]:>13}"
        ours = counterpart(name, rows)
        if ours and name not in OURS and median(figures[SECOND]):
            line += f"   {ratio(rows[ours][SECOND], figures[SECOND]):.2f}"
        print(line)


def said(what: str, value: float, goal: float, at_most: bool) -> None:
    met = value <= goal if at_most else value >= goal
    sign = "≤" if at_most else "≥"
    print(f"  {what}: {value:.2f} times, goal {sign} {goal:g}: {'met' if met else 'MISSED'}")


def goals(found: Found) -> None:
    print("\nGoals")
    most = max(count for _, count in found)
    least = min(count for what, count in found if what != CONSTANT)
    for what, ours, theirs, goal in GOALS:
        rows = found.get((what, most), {})
        if ours in rows and theirs in rows:
            times = ratio(rows[ours][SECOND], rows[theirs][SECOND])
            said(f"{what}: {ours} to {theirs}", times, goal, False)
    for (what, count), rows in found.items():
        if count != most or most == least:
            continue
        for ours in OURS:
            small = found.get((what, least), {}).get(ours)
            if ours in rows and small:
                done = median(rows[ours][SECOND])
                grows = ratio(rows[ours][P50], small[P50]) if done else float("inf")
                name = f"{what}: p50 of {ours}, {least:,} to {most:,} licenses"
                said(name, grows, GROWTH, True)


def main(file: str) -> None:
    found: Found = {}
    notes: list[str] = []
    with open(file, encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if "skipped" in row:
                notes.append(f"skipped: {row['skipped']} ({row['why']})")
            elif row["topic"] == "machine":
                notes.append(row["name"])
            else:
                _, what, *count = row["topic"].split("|")
                key = (what, int(count[0]) if count else 0)
                figures = found.setdefault(key, {}).setdefault(row["language"], {})
                figures[row["name"]] = row["rounds"]
    for (what, count), rows in found.items():
        table(what, count, rows)
    goals(found)
    print()
    for note in notes:
        print(note)


if __name__ == "__main__":
    main(sys.argv[1])
