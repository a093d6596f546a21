"""HTTP for the clients, and what they expect."""

import http.client
import json
import sys
import urllib.parse
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Answer:
    """The answer to one request."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)


@dataclass
class Site:
    """Where the API is, and what a client was given."""

    root: str
    administrator: str
    user: str
    license: str
    expired: str
    forged: str
    vendor: str

    def ask(self, method, path, *, token=None, body=None, headers=None):
        """Sends one request: `body` as JSON, `token` as a Bearer token."""
        root = urllib.parse.urlsplit(self.root)
        sent = {"Accept": "application/json", **(headers or {})}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(root.hostname, root.port, timeout=30)
        try:
            connection.request(method, root.path.rstrip("/") + path, data, sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()


def site():
    """The site that the arguments name."""
    root, administrator, user, *files, vendor = sys.argv[1:]
    texts = [Path(file).read_text().strip() for file in files]
    return Site(root, administrator, user, *texts, vendor)


def expect(what, actual, wanted):
    """Ends the client where something is not as it is described."""
    if actual != wanted:
        sys.exit(f"{what}: {actual!r} instead of {wanted!r}")
    print(f"{what}: {json.dumps(actual)[:70]}")


def is_json(answer):
    """Whether an answer says that it is JSON."""
    return answer.headers.get_content_type() == "application/json"
