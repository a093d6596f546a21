"""The second act of the demo: an installation, from no license to one that has been used up.

Five programs ask the same folder, at times that are set: the verdict follows, everywhere alike.
"""

import json
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LICENTIA = str(ROOT / "target" / "debug" / "licentia")
STAGE = ROOT / "target" / "stage"
PYTHON = str(ROOT / ".venv" / "bin" / "python")
PRODUCT = "myapp"
DAY = 86_400

# Each prints the access to `reports` and the reason, on one line.
IN_PYTHON = """
import sys, licentia
keys, product, folder, *settings = sys.argv[1:]
it = licentia.Product(product, open(keys).read(), **dict(s.split("=", 1) for s in settings))
it = it.open(folder)
print(it.access("reports").name.lower(), it.status()["reason"])
"""
IN_NODE = """
import { readFileSync } from 'node:fs'
import { Product } from 'licentia'
const [keys, product, folder, ...settings] = process.argv.slice(2)
const options = Object.fromEntries(settings.map((it) => it.split(/=(.*)/s).slice(0, 2)))
const it = new Product(product, readFileSync(keys, 'utf8'), options).open(folder)
console.log(it.access('reports'), it.status().reason)
"""


class Site:
    """A customer's machine: a folder, the vendor's terms, and a clock that can be set."""

    def __init__(self, demo, folder):
        self.demo, self.keys, self.key = demo, folder / "vendor.jwks", folder / "vendor.pem"
        self.folder = folder / "installation"
        self.folder.mkdir()
        (folder / "site.py").write_text(IN_PYTHON)
        self.node = ROOT / "examples" / "node" / "site.tmp.mjs"
        self.start = int(time.time())
        self.now = self.start
        self.columns = ["command", "Python", "Node", "C", "C++"]
        if not (STAGE / "desktop-cpp").exists():
            self.columns.remove("C++")

    def settings(self):
        return [f"clock={self.now}", "grace_days=31", "vendor=Acme", "machine=demo"]

    def run(self, command, *arguments, check=True):
        terms = [word for setting in self.settings() for word in ("--set", setting)]
        place = ["--dir", str(self.folder), "--keys", str(self.keys), "--product", PRODUCT]
        return self.demo.run(LICENTIA, command, *arguments, *place, *terms, check=check)

    def ask(self, column):
        """What one program says now: the access and the reason."""
        words = [str(self.keys), PRODUCT, str(self.folder)]
        if column == "command":
            status = json.loads(self.run("status", "--json", check=False)[1])
            features = {feature["id"]: feature["access"] for feature in status["features"]}
            access = features.get("reports", status["access"])
            return access, status["reason"]
        if column == "C":
            out = self.demo.run(str(STAGE / "daemon-c"), *words, "1", *self.settings())[1]
            lines = [line.strip() for line in out.splitlines()]
            reason = next((it for it in lines if it.startswith("reason: ")), "reason: ok")
            return lines[0].split(":")[0], reason.split(": ")[1]
        if column == "C++":
            out = self.demo.run(str(STAGE / "desktop-cpp"), *words, *self.settings())[1]
            line = next(line for line in out.splitlines() if line.startswith("state: "))
            access, reason = line.removeprefix("state: ").rstrip(")").split(" (")
            return access, reason
        script = {"Python": [PYTHON, str(self.folder.parent / "site.py")]}
        command = script.get(column, ["node", str(self.node)])
        return tuple(self.demo.run(*command, *words, *self.settings())[1].split())

    def moment(self, what, access, reason):
        """A row of the table: what every program says at this moment."""
        answers = [self.ask(column) for column in self.columns]
        wanted = f"{access}, {reason}"
        cells = [
            self.demo.expect(f"{column}, {what}", ", ".join(answer), wanted)
            for column, answer in zip(self.columns, answers)
        ]
        # Where all agree, one cell says it.
        same = len(set(cells)) == 1
        agreed = f"{len(cells)} of {len(cells)}" if same else "no"
        return [what, cells[0] if same else "; ".join(cells), agreed]


def perform(demo, folder):
    site = Site(demo, folder)
    site.node.write_text(IN_NODE)
    try:
        without_a_license(demo, site)
        asked_for(demo, site, folder)
        used_up(demo, site)
        time_and_again(demo, site, folder)
        demo.act(9, "What the administrator sees.")
        demo.say(site.run("status", check=False)[1])
    finally:
        site.node.unlink()


def header(site):
    return ["moment", "reports", "agree: " + ", ".join(site.columns)]


def without_a_license(demo, site):
    demo.act(5, "No license yet: the terms give 31 days from the first use, to the second.")
    rows = [site.moment("installed, never used", "allow", "not_needed")]
    site.run("first-use")
    for days, seconds, access, reason in [
        (0, 1, "allow", "unlicensed_grace"),
        (31, -1, "allow", "unlicensed_grace"),
        (31, 0, "deny", "not_licensed"),
    ]:
        site.now = site.start + days * DAY + seconds
        name = f"day {days}" + (f" {seconds:+d} s" if seconds else "")
        rows.append(site.moment(name, access, reason))
    demo.table(header(site), rows)


def asked_for(demo, site, folder):
    demo.act(6, "The request code goes to the vendor, comes back as a license, and is applied.")
    request = folder / "request.txt"
    site.run("request", "--out", str(request))
    code = request.read_text().strip()
    demo.say(f"request: {code[:60]}… ({len(code)} characters)")
    _, shown, _ = demo.run(LICENTIA, "inspect", str(request))
    demo.say("\n".join(line for line in shown.splitlines()[1:6] if line.strip()))
    license_file = folder / "site.lic"
    issue = [
        LICENTIA, "issue", "--key", str(site.key), "--product", PRODUCT, "--bind", str(request),
        "--bind-parts", "identity", "--need", "1", "--customer", "Example Labs",
        "--feature", "reports", "--entitlement", "exports=3/month+34%", "--grace-days", "10",
        "--from", str(site.now), "--until", str(site.now + 60 * DAY), "--out", str(license_file),
    ]
    demo.run(*issue)
    site.run("apply", str(license_file))
    demo.table(header(site), [site.moment("applied", "allow", "ok")])


def used_up(demo, site):
    demo.act(7, "Used up to its limit of 3 a month, and over it by the third that is allowed.")
    rows = []
    for use, done, access in [
        (1, "recorded", "allow"), (2, "recorded", "allow"), (3, "recorded", "warn"),
        (4, "recorded", "deny"), (5, "refused", "deny"),
    ]:
        status, _, err = site.run("record", "exports", check=False)
        verdict = json.loads(site.run("status", "--json", check=False)[1])
        exports = next(it for it in verdict["features"] if it["id"] == "exports")
        rows.append([
            f"export {use}",
            demo.expect(f"export {use}", "refused" if status else "recorded", done),
            f"{exports['used']} of {exports['max']}",
            demo.expect(f"exports after {use}", exports["access"], access),
        ])
    demo.table(["", "", "used", "exports from then on"], rows)
    demo.say(f"\n{err.strip().splitlines()[0]}")


def time_and_again(demo, site, folder):
    demo.act(8, "The clock goes past the end of the license, and back: no time is regained.")
    begins = site.now
    rows = []
    for what, days, access, reason in [
        ("30 days before the end", 30, "allow", "ok"),
        ("the end", 60, "warn", "ok"),
        ("10 days of grace are over", 70, "deny", "expired"),
        ("the clock is set back 40 days", 30, "deny", "expired"),
    ]:
        site.now = begins + days * DAY
        rows.append(site.moment(what, access, reason))
    request, reset = folder / "clock.txt", folder / "clock.lic"
    site.run("request", "clock", "--out", str(request))
    redeem = [LICENTIA, "redeem", str(request), "--key", str(site.key), "--allow-future"]
    reset.write_text(demo.run(*redeem, "--server-time", str(site.now))[1])
    site.run("apply", str(reset))
    rows.append(site.moment("the vendor signs that it was a mistake", "allow", "ok"))
    demo.table(header(site), rows)
    again, _, err = site.run("apply", str(reset), check=False)
    demo.expect("the same reset again", again, 1)
    demo.say(f"\nthe same reset again: {err.strip()}")


if __name__ == "__main__":
    sys.exit("run it with `make demo`")
