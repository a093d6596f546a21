"""The acts of the demo about the vendor's desk: webhooks that arrive, and a history to trust.

The receivers are the examples webhook.py and webhook.mjs, on loopback; they are ended at the end.
"""

import http.cookiejar
import json
import pathlib
import subprocess
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECEIVERS = {
    "Python": lambda secret: [
        str(ROOT / ".venv/bin/python"), str(ROOT / "examples/python/webhook.py"), secret,
        "--port", "0",
    ],
    "Node": lambda secret: ["node", str(ROOT / "examples/node/webhook.mjs"), "0", secret],
}
PATIENCE = 30


class Receiver:
    """A program that is told of events, and says which."""

    def __init__(self, vendor, language):
        # The secret is needed to listen, and the address to be sent to: one comes first.
        made = vendor.made("POST", "/webhooks", {
            "url": "http://127.0.0.1:9/", "enabled": False,
            "events": ["license.revoked"],
        })  # fmt: skip
        self.id, self.log = made["id"], vendor.folder / f"webhook-{language}.log"
        self.process = subprocess.Popen(
            RECEIVERS[language](made["secret"]), text=True, cwd=ROOT / "examples",
            stdout=subprocess.PIPE, stderr=self.log.open("w"),
        )  # fmt: skip
        self.url = self.process.stdout.readline().strip()
        vendor.made("PUT", f"/webhooks/{self.id}", {"url": self.url, "enabled": True})

    def next(self):
        """The next event that it took for genuine."""
        return json.loads(self.process.stdout.readline() or "{}")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.process.stdout.close()


def listening(demo, vendor):
    """Starts the receivers, and has a test sent to each."""
    demo.act(18, "The vendor's own programs are told what happens: signed webhooks")
    hostile = {"url": "https://169.254.169.254/latest"}
    vendor.ask("not into anybody's network", "POST", "/webhooks", hostile, 422)
    print()
    receivers = {}
    try:
        for language in RECEIVERS:
            receivers[language] = receiver = Receiver(vendor, language)
            vendor.made("POST", f"/webhooks/{receiver.id}/test", {})
            kind = receiver.next().get("type")
            heard = demo.expect(f"webhook in {language}", kind, "webhook.test")
            demo.say(f"{language}: listens on {receiver.url}, took {heard}")
    except BaseException:
        stop(receivers)
        raise
    return receivers


def stop(receivers):
    for receiver in receivers.values():
        receiver.stop()


def heard(demo, vendor, receivers):
    """What the receivers were told of what has just been done, and how the deliveries ended."""
    demo.act(20, "The receivers heard of it, with a signature that they checked")
    for language, receiver in receivers.items():
        event = receiver.next()
        found = (event.get("type"), event.get("data", {}).get("serial"))
        wanted = ("license.revoked", vendor.license["serial"])
        demo.expect(f"webhook in {language}", found, wanted)
        demo.say(f"{language}: {event.get('type')}, {event.get('id')}")
    until = time.monotonic() + PATIENCE
    states = []
    while time.monotonic() < until and (not states or "waiting" in states):
        answer = vendor.made("GET", "/deliveries")
        states = [delivery["state"] for delivery in answer["deliveries"]]
        time.sleep(0.2)
    print()
    demo.say(f"deliveries: {demo.expect('deliveries', states, ['delivered'] * 4)}")


def noted(demo, vendor, key):
    """The audit log and the pages."""
    demo.act(21, "Who did what: the audit log, and the desk at the server's address")
    for entry in vendor.made("GET", "/audit?per_page=4")["entries"]:
        demo.say(f"{entry['seq']:3}  {entry['action']:24} {entry['actor_name']}, {entry['remote']}")
    chain = vendor.made("GET", "/audit/verification")
    intact = demo.expect("the chain of the audit log", chain["intact"], True)
    demo.say(f"the chain of {chain['checked']} entries is intact: {intact}")
    print()
    browser = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    )
    form = urllib.parse.urlencode({"api_key": key, "to": "/licenses"}).encode()
    with browser.open(f"{vendor.root}/sign-in", form, timeout=PATIENCE) as answer:
        page, place = answer.read().decode(), answer.geturl()
    serial = vendor.license["serial"]
    shown = demo.expect("the desk shows the license", serial in page, True)
    demo.say(f"signed in to {place}: it shows {serial}: {shown}")
