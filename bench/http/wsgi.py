"""The license API in a server of WSGI, beside the same with nothing but a constant.

wsgi.py KEYS PRODUCT FOLDER [flask]

With `flask`, it is the application of the example, and a bare one. Served by waitress.
"""

from __future__ import annotations

import logging
import signal
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import licentia
import licentia.wsgi
import waitress
from flask import Flask, Response

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples/python"))
from flask_app import create_app  # noqa: E402

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def with_flask(
    installation: licentia.Installation, answer: licentia.Response
) -> tuple[WSGIApplication, WSGIApplication]:
    bare = Flask(__name__)

    @bare.get("/constant")
    def constant() -> Response:
        return Response(answer.body, answer.status, answer.headers)

    return create_app(installation, {}), bare


def alone(
    installation: licentia.Installation, answer: licentia.Response
) -> tuple[WSGIApplication, WSGIApplication]:
    headers = [*answer.headers, ("content-length", str(len(answer.body)))]

    def constant(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", headers)
        return [answer.body]

    return licentia.wsgi.App(installation, caller=lambda _: None), constant


def main(keys: str, code: str, folder: str, framework: str = "") -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    installation = licentia.Product(code, Path(keys).read_bytes()).open(folder)
    answer = installation.handle("GET", "/api/license")
    api, constant = (with_flask if framework else alone)(installation, answer)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        which = constant if environ["PATH_INFO"] == "/constant" else api
        return which(environ, start_response)

    # Else it would write a line whenever a request has to wait for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print("listening", listening.getsockname()[1], flush=True)
        waitress.serve(app, sockets=[listening], threads=8)


if __name__ == "__main__":
    main(*sys.argv[1:])
