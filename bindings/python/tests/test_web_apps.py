"""The Flask and the FastAPI example over real HTTP, asked by one script; and a server of several
processes."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import licentia
import pytest
from vendor import ISSUED, PRODUCT, Vendor
from web import ADMIN, TOO_MUCH, Server, assign, example, started

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs signals")

FORM = "application/x-www-form-urlencoded"
ASSIGN = "/api/license/assign"


class App(NamedTuple):
    """An example that runs, and its installation as another process has it."""

    server: Server
    installation: licentia.Installation


@pytest.fixture(params=["flask_app", "fastapi_app"])
def app(
    request: pytest.FixtureRequest,
    root: Path,
    tmp_path: Path,
    directory: Path,
    installation: licentia.Installation,
) -> Iterator[App]:
    command = example(root, request.param, tmp_path, directory)
    with started(*command, APP_TOKEN=ADMIN) as server:
        yield App(server, installation)


def test_the_product_is_refused_until_there_is_a_license(app: App, vendor: Vendor) -> None:
    server, installation = app
    gate = installation.gate("reports")
    assert gate is not None
    refused = server.ask("GET", "/reports")
    assert (refused.status, refused.body.decode()) == gate
    assert refused.headers["content-type"] == "application/json"

    applied = server.ask("POST", ASSIGN, ADMIN, assign(vendor.license()))
    assert (applied.status, applied.body) == (204, b"")
    assert applied.headers["cache-control"] == "no-store"
    assert "content-type" not in applied.headers
    assert server.ask("GET", "/reports").status == 200
    assert server.ask("GET", "/api/licensing/check", ADMIN).body == b"true"
    assert installation.status()["in_force"] is True, "another process sees it"

    renewed = server.ask("POST", ASSIGN, ADMIN, assign(vendor.renewal()))
    assert renewed.status == 204
    expiration = json.loads(server.ask("GET", "/api/license/expiration", ADMIN).body)
    assert expiration["license_expiration"] == "2026-01-21T00:00:00Z"


def test_only_who_has_signed_in_is_let_in(app: App, vendor: Vendor) -> None:
    server, installation = app
    body = assign(vendor.license())
    for token in (None, "", "wrong", ADMIN + "x", ADMIN[:-1], "é"):
        assert server.ask("POST", ASSIGN, token, body).status == 401, token
    for scheme in ("Basic", "Token", "Bearer:", ""):
        header = f"{scheme} {ADMIN}".strip()
        assert server.ask("POST", ASSIGN, body=body, Authorization=header).status == 401
    assert server.ask("GET", "/api/license").status == 200, "that is for everybody"
    assert server.ask("GET", "/license").status == 401
    assert installation.status()["license"] is None


def test_a_person_signs_in_with_a_browser(app: App, vendor: Vendor) -> None:
    server, installation = app
    form = server.ask("GET", "/login")
    assert form.status == 200 and b"<form" in form.body
    wrong = server.ask("POST", "/login", body=b"token=wrong", Content_Type=FORM)
    assert wrong.status == 403 and "set-cookie" not in wrong.headers
    said = urllib.parse.urlencode({"token": ADMIN}).encode()
    signed_in = server.ask("POST", "/login", body=said, Content_Type=FORM)
    assert signed_in.status in (302, 303) and signed_in.headers["location"] == "/license"
    cookie = signed_in.headers["set-cookie"]
    assert "httponly" in cookie.lower() and "samesite=lax" in cookie.lower()
    assert ADMIN not in cookie

    session = cookie.partition(";")[0]
    page = server.ask("GET", "/license", Cookie=session)
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    forged = session[:-2] + ("aa" if session[-2:] != "aa" else "bb")
    assert server.ask("GET", "/license", Cookie=forged).status == 401

    body = assign(vendor.license())
    elsewhere = server.ask("POST", ASSIGN, body=body, Cookie=session, Sec_Fetch_Site="cross-site")
    assert elsewhere.status == 403
    as_form = server.ask("POST", ASSIGN, body=body, Cookie=session, Content_Type=FORM)
    assert as_form.status == 415 and installation.status()["license"] is None
    own = server.ask("POST", ASSIGN, body=body, Cookie=session, Sec_Fetch_Site="same-origin")
    assert own.status == 204


def test_an_answer_over_http_is_the_cores(app: App) -> None:
    server, installation = app
    caller = licentia.Caller("admin", licentia.Rights.ADMINISTRATOR)
    headers = {"x-request-id": "abc", "content-type": "application/json"}
    for method, target, body in (
        ("GET", "/api/license?a=b&c=%2F", None),
        ("GET", "/api/license/expiration", None),
        ("GET", "/api/licensing/check", None),
        ("GET", "/api/v1/license", None),
        ("GET", "/api/license/openapi.json", None),
        ("GET", "/license", None),
        ("PUT", "/api/license", b"{}"),
        ("OPTIONS", ASSIGN, None),
        ("POST", "/api/licensing/token/renew", b"{}"),
        ("DELETE", "/api/licensing/token", b"{}"),
        ("POST", "/api/v1/license", b'{"license_key":"x"}'),
        ("POST", ASSIGN, b"\xff\xfe\0"),
    ):
        told = installation.handle(
            method, target, headers=headers, body=body or b"", caller=caller
        )
        sent = server.ask(method, target, ADMIN, body, X_Request_Id="abc")
        assert (sent.status, sent.body) == (told.status, told.body), (method, target)
        for name, value in told.headers:
            assert sent.headers.get_all(name) == [value], (method, target, name)
        assert sent.headers.get_all("content-length") == [str(len(told.body))]
        if method == "GET":
            head = server.ask("HEAD", target, ADMIN, X_Request_Id="abc")
            assert (head.status, head.body) == (told.status, b"")


def test_what_is_not_ours_is_the_hosts(app: App) -> None:
    server, _ = app
    for target in ("/nothing", "/api/licenses", "/api/license/", "/api%2Flicense", "/%61pi/v1"):
        missing = server.ask("GET", target, ADMIN)
        assert missing.status == 404 and b"openapi.json for what there is" not in missing.body
    assert server.ask("POST", "/reports", ADMIN, b"{}").status == 405, "the host's own answer"


def request(target: str, body: bytes, length: int | str, *, token: str = ADMIN) -> bytes:
    """A request as bytes, with a length that may be a lie."""
    lines = [
        f"POST {target} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        "Connection: close",
        f"Content-Length: {length}",
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + body


def test_a_request_that_breaks_off_changes_nothing(app: App, vendor: Vendor) -> None:
    server, installation = app
    good = assign(vendor.license())
    for data in (good, good[:-1], b"", good[:10]):
        answer = server.raw(request(ASSIGN, data, len(good) + 1), ends=True)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 "), answer[:100]
        server.leave(request(ASSIGN, data, len(good) + 1))
    for length in ("-1", "abc", "1e3", f"{len(good)}, {len(good) + 1}", f"0x{len(good):x}"):
        answer = server.raw(request(ASSIGN, good, length))
        assert not answer.startswith(b"HTTP/1.1 2"), length
    for data in (b"\0" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 50):
        server.raw(data, ends=True)
    assert server.ask("GET", "/api/licensing/check", ADMIN).body == b"false"
    assert installation.status()["license"] is None
    assert server.ask("POST", ASSIGN, ADMIN, good).status == 204, "it serves on"


def test_what_is_beyond_the_length_is_not_the_body(app: App, vendor: Vendor) -> None:
    server, installation = app
    good = assign(vendor.license())
    answer = server.raw(request(ASSIGN, good + b"}}}", len(good)))
    assert answer.startswith(b"HTTP/1.1 204 ") and installation.status()["in_force"] is True


def test_a_body_in_chunks(app: App, vendor: Vendor) -> None:
    server, installation = app
    good = assign(vendor.license())
    parts = [good[:100], good[100:]]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    head = request(ASSIGN, b"", 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    broken = server.raw(head + chunks, ends=True)
    assert not broken.startswith(b"HTTP/1.1 2") and installation.status()["license"] is None
    assert server.raw(head + chunks + b"0\r\n\r\n").startswith(b"HTTP/1.1 204 ")
    assert installation.status()["in_force"] is True


def test_a_body_that_is_too_long_is_answered(app: App) -> None:
    server, _ = app
    for size in (TOO_MUCH - 1, TOO_MUCH, 1_000_000):
        sent = server.ask("POST", ASSIGN, ADMIN, b"x" * size)
        assert sent.status == (400 if size < TOO_MUCH else 413), size
    assert server.ask("GET", "/api/license").status == 200


def test_many_at_once(app: App, vendor: Vendor) -> None:
    server, installation = app
    body = assign(vendor.license())

    def one(number: int) -> int:
        if number % 5 == 0:
            return server.ask("POST", ASSIGN, ADMIN, body).status
        return server.ask("GET", "/api/license/expiration", ADMIN).status

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(one, range(100))) == {200, 204}
    assert installation.status()["in_force"] is True


@pytest.mark.parametrize("name", ["flask_app", "fastapi_app"])
def test_says_how_it_is_used(root: Path, name: str, tmp_path: Path, directory: Path) -> None:
    command = example(root, name, tmp_path, directory)
    environment = {key: value for key, value in os.environ.items() if key != "APP_TOKEN"}
    usage = f"usage: APP_TOKEN=... {name} KEYS PRODUCT FOLDER PORT [NAME=VALUE]...\n"
    short = "APP_TOKEN: give it 16 characters or more, or it is guessed\n"
    for arguments, variables, said in (
        (command[:4], {"APP_TOKEN": ADMIN}, usage),
        (command, {}, usage),
        (command, {"APP_TOKEN": "x" * 15}, short),
    ):
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            encoding="utf-8",
            env={**environment, **variables, "PYTHONIOENCODING": "utf-8"},
        )
        assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


@pytest.mark.parametrize("name", ["flask_app", "fastapi_app"])
def test_the_days_without_a_license_end(
    root: Path, name: str, tmp_path: Path, directory: Path
) -> None:
    command = example(root, name, tmp_path, directory)
    for days, status in ((0, 200), (9, 200), (11, 400)):
        settings = (f"clock={ISSUED + days * 86400}", "grace_days=10")
        with started(*command[:-1], *settings, APP_TOKEN=ADMIN) as server:
            assert server.ask("GET", "/reports").status == status, days


WORKERS = """
import os, sys
sys.path.insert(0, {examples!r})
import licentia
from flask_app import create_app
product = licentia.Product({product!r}, {keys!r}, clock={clock})
admin = licentia.Caller("admin", licentia.Rights.ADMINISTRATOR)
flask = create_app(product.open({directory!r}), {{{token!r}: admin}})

def app(environ, start_response):
    def start(status, headers, info=None):
        return start_response(status, [*headers, ("x-worker", str(os.getpid()))], info)
    return flask(environ, start)
"""


def test_what_one_worker_changes_the_others_see_at_once(
    root: Path, tmp_path: Path, directory: Path, vendor: Vendor
) -> None:
    """gunicorn with an installation that was opened before it forked its workers."""
    pytest.importorskip("gunicorn")
    (tmp_path / "workers.py").write_text(
        WORKERS.format(
            examples=str(root / "examples/python"),
            product=PRODUCT,
            keys=vendor.keys(),
            clock=ISSUED,
            directory=str(directory),
            token=ADMIN,
        )
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = Server(listening.getsockname()[1])
    options = ["--preload", "--workers=4", "--log-level=error", f"--bind=fd://{listening.fileno()}"]
    gunicorn = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *options, "workers:app"],
        cwd=tmp_path,
        pass_fds=[listening.fileno()],
        stderr=subprocess.PIPE,
    )
    try:
        check = "/api/licensing/check"
        workers: set[str] = set()
        texts = [vendor.license(outer={"iat": ISSUED + n, "jti": str(n)}) for n in range(20)]
        end = time.monotonic() + 60
        with ThreadPoolExecutor(8) as pool:
            for text in texts:
                posted = server.ask("POST", ASSIGN, ADMIN, assign(text))
                assert posted.status == 204
                answers = list(pool.map(lambda _: server.ask("GET", check, ADMIN), range(16)))
                assert {answer.body for answer in answers} == {b"true"}
                serials = {server.ask("GET", "/api/v1/license", ADMIN).body for _ in range(4)}
                assert len(serials) == 1
                workers |= {answer.headers["x-worker"] for answer in answers}
                workers.add(posted.headers["x-worker"])
        assert len(workers) > 1, "only one of them was asked"
        assert time.monotonic() < end

        rejected = server.ask("POST", ASSIGN, ADMIN, b"x" * 1_000_000)
        assert rejected.status == 413
        broken = server.raw(request(ASSIGN, b"{}", 1000), ends=True)
        assert broken == b"" or re.match(rb"HTTP/1.1 400 ", broken), broken
    finally:
        gunicorn.terminate()
        _, errors = gunicorn.communicate(timeout=30)
        listening.close()
    assert gunicorn.returncode == 0 and errors == b"", errors.decode()
