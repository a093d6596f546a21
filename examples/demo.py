"""The main job, end to end: a vendor signs a license, four programs verify it, offline.

Run it with `make demo`, which builds what it needs. It writes to a temporary folder only (and a
picture to target/demo), leaves no process behind, and exits with 0 only if every cell of its
tables is as expected.
"""

import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import demo_http
import demo_installation
import demo_server

ROOT = pathlib.Path(__file__).resolve().parent.parent
LICENTIA = str(ROOT / "target" / "debug" / "licentia")
STAGE = ROOT / "target" / "stage"
PROGRAMS = {
    "C": [str(STAGE / "quickstart-c")],
    "C++": [str(STAGE / "quickstart-cpp")],
    "Python": [str(ROOT / ".venv/bin/python"), str(ROOT / "examples/python/quickstart.py")],
    "Node": ["node", str(ROOT / "examples/node/quickstart.mjs")],
}
PRODUCT = "myapp"
DAY = 86_400

failures = []


def run(*command, check=True):
    """Runs a command; gives its exit status, standard output and standard error."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if check and done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.returncode, done.stdout, done.stderr


def act(number, title):
    print(f"\n{number}. {title}\n")


def say(text, indent="   "):
    for line in text.rstrip().splitlines():
        print(indent + line)


def expect(what, found, wanted):
    """Notes a cell that is not as expected, and shows it."""
    if found == wanted:
        return found
    failures.append(f"{what}: expected {wanted!r}, found {found!r}")
    return f"{found} (!)"


def table(header, rows):
    widths = [max(len(str(row[i])) for row in [header, *rows]) for i in range(len(header))]
    for row in [header, ["-" * width for width in widths], *rows]:
        say("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)))


def bind(folder, issue):
    """Issues a license for this machine; gives its text and the settings that name the machine.

    A plain virtual machine or a container has too little hardware to tell it from its copies:
    there `issue` refuses, and the answer is an identity of its own, in a file.
    """
    status, text, notes = run(*issue, "--bind-this-machine", check=False)
    if status == 0:
        say(notes)
        return text, []
    say(notes.splitlines()[0])
    say("So it gets an identity of its own, in a file, and the license is bound to that.\n")
    identity = folder / "machine-identity"
    identity.write_text(os.urandom(16).hex() + "\n")
    _, text, notes = run(*issue, "--bind-this-machine", "--machine", str(identity))
    say(notes)
    return text, [f"machine_file={identity}"]


def answers(programs, keys, product, license_file, settings):
    """What each program says: its exit status, standard output and standard error."""
    return {
        name: run(*command, str(keys), product, str(license_file), *settings, check=False)
        for name, command in programs.items()
    }


def accepted(programs, keys, license_file, settings, facts, until):
    """The table of the good license: one row per fact, one column per language."""
    said = answers(programs, keys, PRODUCT, license_file, settings)
    identity = [word for setting in settings for word in ("--machine", setting.split("=", 1)[1])]
    _, report, _ = run(LICENTIA, "fingerprint", "--product", PRODUCT, "--json", *identity)
    machine = json.loads(report)["id"]
    wanted = {
        "licensed to": facts["license"]["customer"]["name"],
        "serial": facts["license"]["serial"],
        "until": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "allows reports": "yes",
        "allows exports": "yes",
        "limit of exports": "500",
        "machine": machine or "unknown",
    }
    columns = {}
    for name, (status, out, err) in said.items():
        expect(f"{name}, exit status ({err.strip()})", status, 0)
        columns[name] = dict(line.split(": ", 1) for line in out.splitlines() if ": " in line)
    rows = [
        [key] + [expect(f"{name}, {key}", columns[name].get(key), value) for name in programs]
        for key, value in wanted.items()
    ]
    table(["", *programs], rows)


def refused(programs, keys, license_file, settings, folder):
    """The table of refusals: one row per thing that is wrong with the same license."""
    text = license_file.read_text()
    middle = len(text) // 2
    altered = folder / "altered.lic"
    altered.write_text(text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1 :])
    late = int(datetime.datetime.now(datetime.timezone.utc).timestamp()) + 31 * DAY
    cases = [
        ("altered by one byte", "bad_signature", PRODUCT, altered, settings),
        ("31 days later", "expired", PRODUCT, license_file, [*settings, f"clock={late}"]),
        ("in another product", "wrong_product", "otherapp", license_file, settings),
        ("on another machine", "wrong_machine", PRODUCT, license_file, ["machine=another"]),
    ]
    rows = []
    sentences = {}
    for what, slug, product, file, terms in cases:
        row = [what]
        for name, (status, _, err) in answers(programs, keys, product, file, terms).items():
            expect(f"{name}, {what}, exit status", status, 1)
            row.append(expect(f"{name}, {what}", err.split(":", 1)[0], slug))
            sentences.setdefault(what, err.strip())
        rows.append(row)
    table(["", *programs], rows)
    print()
    for what, sentence in sentences.items():
        say(f"{what}: {sentence.split(': ', 1)[-1]}")


def main():
    programs = dict(PROGRAMS)
    if not (STAGE / "quickstart-cpp").exists():
        del programs["C++"]
        print("skipped: C++ (there is no g++ here; Debian package g++)")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="licentia-demo-"))
    try:
        perform(programs, folder)
    finally:
        shutil.rmtree(folder)
    if failures:
        print("\nNot as expected:")
        for failure in failures:
            say(failure)
        sys.exit(1)
    print("\nEvery cell is as expected.")
    print("`make desk` starts a license server with a year of made-up business, to look at.")


def perform(programs, folder):
    act(1, "The vendor makes a key pair, once.")
    _, out, _ = run(LICENTIA, "key", "new", "--out", str(folder), "--name", "vendor")
    say(out)
    keys = folder / "vendor.jwks"

    act(2, "The vendor signs a license: 30 days, this machine, three features, one with a limit.")
    issue = [
        LICENTIA, "issue", "--key", str(folder / "vendor.pem"), "--product", PRODUCT,
        "--customer", "Example Labs", "--feature", "reports", "--feature", "api",
        "--entitlement", "exports=500/month", "--days", "30",
    ]
    text, settings = bind(folder, issue)
    license_file = folder / "example.lic"
    license_file.write_text(text)
    say(f"license: {text.strip()[:60]}… ({len(text.strip())} characters)")

    act(3, "The customer's programs verify it, offline, in four languages.")
    terms = [word for setting in settings for word in ("--set", setting)]
    _, verified, _ = run(
        LICENTIA, "verify", "--keys", str(keys), "--product", PRODUCT, "--json", *terms,
        str(license_file),
    )
    facts = json.loads(verified)["license"]
    until = datetime.datetime.fromtimestamp(
        facts["license"]["valid_until"], datetime.timezone.utc
    )
    accepted(programs, keys, license_file, settings, facts, until)

    act(4, "The same license, where something is wrong: refused with the same word everywhere.")
    refused(programs, keys, license_file, settings, folder)

    demo_installation.perform(sys.modules[__name__], folder)
    demo_http.perform(sys.modules[__name__], folder)
    demo_server.perform(sys.modules[__name__], folder)


if __name__ == "__main__":
    main()
