"""The third act of the demo: the license API, served by the agent, as an administrator uses it.

It starts one server on loopback, which is stopped at the end, and asks it with curl.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
LICENTIA = str(ROOT / "target" / "debug" / "licentia")
PAGE = ROOT / "target" / "demo" / "license-page.png"
TOKEN = "a-token-that-is-made-up-for-the-demo"
LOOKS = [
    "/api/license/expiration",
    "/api/license/request",
    "/api/licensing/check",
    "/api/license",
    "/api/v1/license",
]


class Agent:
    """An agent with a product file of the demo's vendor."""

    def __init__(self, demo, folder):
        self.demo, self.vendor, self.folder = demo, folder, folder / "agent"
        self.folder.mkdir()
        draft, product = self.folder / "myapp.toml", self.folder / "myapp.product"
        demo.run(
            LICENTIA, "product", "new", "--product", "myapp", "--name", "My App",
            "--keys", str(folder / "vendor.jwks"), "--set", "vendor=Acme", "--set",
            "grace_days=31", "--out", str(draft),
        )  # fmt: skip
        demo.run(
            LICENTIA, "product", "sign", str(draft), "--key", str(folder / "vendor.pem"),
            "--issuer", "https://licenses.acme.example", "--out", str(product),
        )  # fmt: skip
        config = self.folder / "agent.toml"
        shutil.copy(ROOT / "examples" / "agent" / "agent.toml", config)
        text = config.read_text().replace("127.0.0.1:7780", "127.0.0.1:0")
        config.write_text(text)
        self.process = subprocess.Popen(
            [LICENTIA, "agent", "--config", str(config), "--product", str(product)],
            cwd=self.folder, env={**os.environ, "LICENTIA_AGENT_TOKEN": TOKEN}, text=True,
            stdout=subprocess.PIPE, stderr=(self.folder / "agent.log").open("w"),
        )  # fmt: skip
        self.root = self.process.stdout.readline().split()[-1]

    def curl(self, method, path, body=None, token=TOKEN):
        """Asks with curl; gives the status and the body."""
        command = ["curl", "-s", "-X", method, "-w", "\n%{http_code}", self.root + path]
        if token:
            command += ["-H", f"Authorization: Bearer {token}"]
        if body is not None:
            command += ["-H", "Content-Type: application/json", "--data-binary", json.dumps(body)]
        _, out, _ = self.demo.run(*command)
        text, status = out.rsplit("\n", 1)
        return int(status), text

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)


def perform(demo, folder):
    """Shows it, with the vendor's key in `folder`."""
    if not shutil.which("curl"):
        demo.say("skipped: the license API over HTTP (Debian package curl)")
        return
    agent = Agent(demo, folder)
    try:
        before(demo, agent)
        applied(demo, agent)
        page(demo, agent)
    finally:
        status = agent.stop()
    demo.say(f"The agent is stopped: status {demo.expect('the agent', status, 0)}.")


def look(demo, agent, expected):
    rows = []
    for path in LOOKS:
        status, text = agent.curl("GET", path)
        wanted = expected[path]
        short = text if len(text) <= 66 else text[:63] + "..."
        found = json.loads(text)
        for name in wanted[1:]:
            member, value = name
            for part in member.split("."):
                found = found[part] if part else found
            demo.expect(f"{path}: {member}", found, value)
            found = json.loads(text)
        rows.append([f"GET {path}", demo.expect(path, status, wanted[0]), short])
    demo.table(["request", "status", "answer"], rows)


def before(demo, agent):
    demo.act(10, "The license API of a product that has none of its own: `licentia agent`")
    demo.say("The vendor signed a product file: keys, grace days. The administrator has a token.\n")
    look(demo, agent, {
        "/api/license/expiration": (200, ("license_expiration", None)),
        "/api/license/request": (200,),
        "/api/licensing/check": (200, ("", False)),
        "/api/license": (200, ("licensed", False)),
        "/api/v1/license": (200, ("data.license", None), ("data.status", "none")),
    })  # fmt: skip
    rows = [
        ["nobody", "GET /api/license/expiration", 401],
        ["nobody", "GET /api/v1/license", 403],
        ["nobody", "GET /api/license", 200],
    ]
    for row in rows:
        status, _ = agent.curl("GET", row[1].split()[1], token=None)
        row[2] = demo.expect(f"{row[0]}: {row[1]}", status, row[2])
    demo.say("\nAnd who has no token:\n")
    demo.table(["who", "request", "status"], rows)


def applied(demo, agent):
    demo.act(11, "The license is applied over HTTP, and every answer changes")
    _, license, _ = demo.run(
        LICENTIA, "issue", "--key", str(agent.vendor / "vendor.pem"), "--product", "myapp",
        "--issuer", "https://licenses.acme.example", "--customer", "Example Labs", "--days", "90",
        "--feature", "reports", "--entitlement", "monitored_monthly_requests=900/month",
        "--entitlement", "users=15",
    )  # fmt: skip
    body = {"signed_license": license.strip()}
    forged = {"signed_license": license.strip()[:-8] + "AAAAAAAA"}
    for what, sent, wanted in [("a forged one", forged, 400), ("the real one", body, 204)]:
        status, text = agent.curl("POST", "/api/license/assign", sent)
        demo.say(f"POST /api/license/assign  {what}: {demo.expect(what, status, wanted)} {text}")
    print()
    look(demo, agent, {
        "/api/license/expiration": (200, ("is_saas_deployment", False)),
        "/api/license/request": (200,),
        "/api/licensing/check": (200, ("", True)),
        "/api/license": (200, ("licensed", True), ("customer_name", "Example Labs")),
        "/api/v1/license": (200, ("data.status", "active"), ("data.license.key", None)),
    })  # fmt: skip


def page(demo, agent):
    demo.act(12, "The page of the administrator")
    if not shutil.which("chromium"):
        demo.say("skipped: a picture of it (Debian package chromium)")
        return
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.unlink(missing_ok=True)
    address = agent.root.replace("http://", f"http://admin:{TOKEN}@") + "/license"
    demo.run(
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--window-size=1280,1600", f"--user-data-dir={agent.folder / 'chromium'}",
        f"--screenshot={PAGE}", address,
    )  # fmt: skip
    size = PAGE.stat().st_size if PAGE.exists() else 0
    demo.expect("the picture is one", size > 20_000, True)
    demo.say(f"{agent.root}/license, as a browser shows it: {PAGE.relative_to(ROOT)}")
