"""The host of WSGI: the Flask application of the example, served by waitress."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import spec
import waitress
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples/python"))
from flask_app import create_app  # noqa: E402

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def main(file: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    users, installations = spec.read(file)
    apps: dict[str, WSGIApplication] = {
        path: create_app(one, users) for path, one in installations.items()
    }
    app = DispatcherMiddleware(Flask(__name__), apps)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print("listening", listening.getsockname()[1], flush=True)
        waitress.serve(app, sockets=[listening], threads=8)


if __name__ == "__main__":
    main(*sys.argv[1:])
