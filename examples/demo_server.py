"""The fourth act of the demo: the vendor's license server, from its first start to its end.

It starts one server on loopback, which is stopped at the end, and asks it with curl. The programs
of the customer ask it by themselves: online.c, online.cpp, online.py, online.mjs.
"""

import base64
import datetime
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import demo_desk

ROOT = pathlib.Path(__file__).resolve().parent.parent
LICENTIA = str(ROOT / "target" / "debug" / "licentia")
STAGE = ROOT / "target" / "stage"
ADMIN_KEY = "an-administrator-key-that-is-made-up-for-the-demo"
ONLINE = {
    "C": [str(STAGE / "online-c")],
    "C++": [str(STAGE / "online-cpp")],
    "Python": [str(ROOT / ".venv/bin/python"), str(ROOT / "examples/python/online.py")],
    "Node": ["node", str(ROOT / "examples/node/online.mjs")],
}
EXPORTS = {"id": "exports", "meter": "count", "per": "month", "max": 500}


class Vendor:
    """A license server with its data in a folder, and what was made there."""

    def __init__(self, demo, folder):
        self.demo, self.folder = demo, folder / "server"
        self.folder.mkdir()
        self.keys = self.folder / "myapp.jwks"
        self.programs = dict(ONLINE)
        if not (STAGE / "online-cpp").exists():
            del self.programs["C++"]
            demo.say("skipped: C++ (there is no g++ here; Debian package g++)")
        self.process = subprocess.Popen(
            [LICENTIA, "serve", "--data", str(self.folder / "data"), "--listen", "127.0.0.1:0",
             "--webhook-network", "127.0.0.0/8"],
            env={**os.environ, "LICENTIA_ADMIN_KEY": ADMIN_KEY}, text=True,
            stdout=subprocess.PIPE, stderr=(self.folder / "server.log").open("w"),
        )  # fmt: skip
        _, found, self.root = self.process.stdout.readline().strip().partition("listening on ")
        if not found:
            sys.exit(f"licentia serve: {(self.folder / 'server.log').read_text()}")
        self.license = {}

    def curl(self, method, path, body=None, key=ADMIN_KEY):
        """Asks with curl; gives the status and what is answered, as text."""
        command = ["curl", "-s", "-X", method, "-w", "\n%{http_code}", f"{self.root}/api/v1{path}"]
        if key:
            command += ["-H", f"Authorization: Bearer {key}"]
        if body is not None:
            command += ["-H", "Content-Type: application/json", "--data-binary", json.dumps(body)]
        _, out, _ = self.demo.run(*command)
        text, status = out.rsplit("\n", 1)
        return int(status), text

    def ask(self, what, method, path, body=None, wanted=200):
        """Asks for something that is answered with this status; gives the answer."""
        status, text = self.curl(method, path, body)
        shown = self.demo.expect(f"{method} {path} ({text[:200]})", status, wanted)
        path = path.replace(self.license.get("id", "no id yet"), "ID")
        self.demo.say(f"{method:6} {path:38} {shown}  {what}")
        return json.loads(text) if text.startswith("{") else {}

    def made(self, method, path, body=None):
        """Asks for something that has to be answered well, without a word; gives the answer."""
        status, text = self.curl(method, path, body)
        self.demo.expect(f"{method} {path} ({text[:200]})", status // 100, 2)
        return json.loads(text or "{}")

    def report(self, language, amount, *more):
        """Has a program of the customer count and report; how it ended, and what it said."""
        folder = self.folder / language
        folder.mkdir(exist_ok=True)
        arguments = [self.root, str(self.keys), self.demo.PRODUCT, str(folder), str(amount), *more]
        machine = f"machine=the machine of {language}"
        command = [*self.programs[language], *arguments, machine]
        status, out, err = self.demo.run(*command, check=False)
        return status, json.loads(out or "{}"), err.strip()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)


def perform(demo, folder):
    """Shows it, in a folder of its own."""
    if not shutil.which("curl"):
        demo.say("skipped: the license server (Debian package curl)")
        return
    vendor, receivers = Vendor(demo, folder), {}
    try:
        sold(demo, vendor)
        downloaded(demo, vendor)
        reported(demo, vendor)
        rotated(demo, vendor)
        seated(demo, vendor)
        receivers = demo_desk.listening(demo, vendor)
        revoked(demo, vendor)
        demo_desk.heard(demo, vendor, receivers)
        demo_desk.noted(demo, vendor, ADMIN_KEY)
    finally:
        demo_desk.stop(receivers)
        status = vendor.stop()
    stopped(demo, vendor, status)


def sold(demo, vendor):
    demo.act(13, "The vendor's license server: `licentia serve`, a key pair, a product, a license")
    demo.say(f"It listens on {vendor.root}; its data is in a folder (SQLite).")
    print()
    vendor.pair = vendor.ask("a key pair", "POST", "/key-pairs", {"name": "myapp"}, 201)["id"]
    product = {"name": "My App", "code": demo.PRODUCT, "key_pair_id": vendor.pair}
    vendor.product = vendor.ask("a product", "POST", "/products", product, 201)["id"]
    vendor.license = vendor.ask("a license for 30 days", "POST", "/licenses", {
        "product_id": vendor.product, "license_type": "floating", "customer_id": "cust_12345",
        "customer_name": "Example Labs", "customer_email": "customer@example.com",
        "features": ["reports", "api"], "entitlements": [EXPORTS], "valid_days": 30,
        "max_seats": 2, "max_machines": len(ONLINE),
    }, 201)  # fmt: skip
    status, _ = vendor.curl("GET", "/licenses", key=None)
    demo.say(f"GET    /licenses                              {demo.expect('nobody', status, 401)}"
             "  without an API key")  # fmt: skip
    print()
    demo.say(f"serial: {vendor.license['serial']}, license key: {vendor.license['license_key']}")


def aside(demo, sentence):
    print()
    demo.say(sentence)
    print()


def downloaded(demo, vendor):
    demo.act(14, "The license is downloaded, and verified offline by the same four programs")
    _, text = vendor.curl("GET", f"/products/{vendor.product}/public-key")
    vendor.keys.write_text(json.dumps(json.loads(text)["keys"]))
    status, text = vendor.curl("GET", f"/licenses/{vendor.license['id']}/download")
    demo.expect("the download", status, 200)
    blob = base64.b64decode(vendor.license["license_blob"]).decode()
    demo.expect("what is downloaded is the blob", text.strip(), blob.strip())
    vendor.file = vendor.folder / f"{vendor.license['serial']}.lic"
    vendor.file.write_text(text)
    until = datetime.datetime.fromisoformat(vendor.license["valid_until"].replace("Z", "+00:00"))
    facts = {"license": {"serial": vendor.license["serial"], "customer": {"name": "Example Labs"}}}
    verifying = {name: it for name, it in demo.PROGRAMS.items() if name in vendor.programs}
    demo.accepted(verifying, vendor.keys, vendor.file, [], facts, until)


def told(demo, vendor, amount, wanted, *more):
    """A row for each program: how it ended, and what it said."""
    rows = []
    for language in vendor.programs:
        status, said, error = vendor.report(language, amount, *more)
        found = (status, said.get("status"), said.get("used"))
        rows.append([
            language,
            *[demo.expect(f"{language} ({error})", *pair) for pair in zip(found, wanted)],
            error[:70] or f"last contact {said.get('last_contact')}",
        ])  # fmt: skip
    demo.table(["program", "ended with", "status", "used", ""], rows)


def reported(demo, vendor):
    demo.act(15, "Four programs activate by the license key, use it, and report what they used")
    demo.say("In each language it is three calls: activation, record, sync.\n")
    told(demo, vendor, 3, (0, "ok", 3), vendor.license["license_key"])
    aside(demo, "And again, without using anything: nothing is counted twice.")
    told(demo, vendor, 0, (0, "ok", 3))
    print()
    usage = vendor.ask("what was used", "GET", f"/licenses/{vendor.license['id']}/usage")
    count = len(vendor.programs)
    row = [(it["used"], it["activations"]) for it in usage["usage"]]
    shown = demo.expect("the server's usage", row, [(3 * count, count)])
    demo.say(f"the server has: {shown[0][0]} exports by {shown[0][1]} installations")


def rotated(demo, vendor):
    demo.act(16, "The vendor changes its keys: programs that were shipped with the old ones go on")
    path = f"/key-pairs/{vendor.pair}/rotate"
    status, text = vendor.curl("POST", path, {})
    demo.expect(f"rotate ({text[:200]})", status, 200)
    signing = [key for key in json.loads(text)["keys"] if key["state"] == "active"]
    demo.say(f"rotated: {len(signing)} keys in use, the others sign nothing any more")
    print()
    told(demo, vendor, 1, (0, "ok", 4))


def seated(demo, vendor):
    demo.act(17, "A floating license has two seats: the third has to wait")
    seats, taken = f"/licenses/{vendor.license['id']}/seats", {}
    for holder, wanted in [("ann", 201), ("bob", 201), ("ann", 200), ("cid", 409)]:
        body = {"holder": holder}
        taken[holder] = vendor.ask(f"a seat for {holder}", "POST", seats, body, wanted)
    demo.say(f"cid is told: {taken['cid'].get('code')}: {taken['cid'].get('detail')}")
    demo.expect("the third", taken["cid"].get("code"), "no_seat")
    status, _ = vendor.curl("DELETE", f"/seats/{taken['bob'].get('id')}")
    demo.say(f"bob gives his back: {demo.expect('released', status, 200)}")
    vendor.ask("a seat for cid", "POST", seats, {"holder": "cid"}, 201)


def revoked(demo, vendor):
    demo.act(19, "The license is revoked: all four stop working within one sync")
    license = vendor.license
    vendor.ask("revoked, for ever", "DELETE", f"/licenses/{license['id']}")
    checked = vendor.ask("", "POST", "/licenses/check-revocation",
                         {"serials": [license["serial"], "LIC-MYAPP-NOTTHERE"]})  # fmt: skip
    found = [row["status"] for row in checked["results"]]
    shown = demo.expect("check-revocation", found, ["revoked", "not_found"])
    demo.say(f"check-revocation of it and of one that is not there: {shown}")
    verified = vendor.ask("", "POST", "/licenses/verify", {
        "license_blob": license["license_blob"], "product_id": vendor.product,
    })  # fmt: skip
    valid = demo.expect("verify", verified["valid"], False)
    demo.say(f"verify: valid {valid}, {verified['errors']}")
    seat = vendor.ask("no seat of it", "POST", f"/licenses/{license['id']}/seats",
                      {"holder": "dan"}, 409)  # fmt: skip
    demo.expect("a seat of it", seat.get("code"), "revoked")
    aside(demo, "Who has not asked since does not know; the next sync brings it.")
    told(demo, vendor, 1, (0, "revoked", 5))
    aside(demo, "From then on nothing is used any more.")
    told(demo, vendor, 1, (1, "revoked", 5))


def stopped(demo, vendor, status):
    demo.act(22, "The server is stopped: no answer says nothing of the license")
    demo.say(f"It ended with {demo.expect('the server', status, 0)}.")
    print()
    told(demo, vendor, 0, (3, "revoked", 5))
    aside(demo, "And the file that was downloaded still verifies, where nothing was ever asked:")
    for name in vendor.programs:
        status, _, _ = demo.run(
            *demo.PROGRAMS[name], str(vendor.keys), demo.PRODUCT, str(vendor.file), check=False
        )
        demo.say(f"{name}: {'verified' if demo.expect(name, status, 0) == 0 else 'refused'}")
