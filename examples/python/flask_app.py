"""The license API and its page in a Flask application, behind the application's own login.

    pip install ./bindings/python flask waitress
    APP_TOKEN=... python flask_app.py KEYS PRODUCT FOLDER PORT [NAME=VALUE]...

Start it, open /login, and sign in with the token that is in the environment as APP_TOKEN. It is
served by waitress; gunicorn and its like take what `create_app` gives, after `begin`.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import licentia
import licentia.wsgi
import waitress
from flask import Flask, Response, abort, redirect, request, session
from flask.typing import ResponseReturnValue

LOGIN = "<!doctype html><title>Sign in</title><form method=post><input name=token type=password>"


def create_app(installation: licentia.Installation, users: Mapping[str, licentia.Caller]) -> Flask:
    """The application. `users` may sign in, each with a token."""
    app = Flask(__name__)

    # Yours: who is signed in, and what they may do. Here by a session or by a bearer token.
    # Several processes have to share the key of the sessions. Behind TLS, set
    # SESSION_COOKIE_SECURE too: the cookie is then never sent without it.

    app.secret_key = secrets.token_bytes(32)
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    names = {user.name: user for user in users.values()}

    def signed_in() -> licentia.Caller | None:
        given = request.authorization
        if given is not None:
            return users.get(given.token or "") if given.type == "bearer" else None
        return names.get(session.get("user", ""))

    @app.get("/login")
    def show_login() -> ResponseReturnValue:
        return LOGIN

    @app.post("/login")
    def login() -> ResponseReturnValue:
        user = users.get(request.form.get("token", ""))
        if user is None:
            abort(403)
        session["user"] = user.name
        return redirect(f"{request.script_root}/license")

    # What the product does, if the license allows it: ask each time.

    @app.get("/reports")
    def reports() -> ResponseReturnValue:
        refusal = installation.gate("reports")
        if refusal is not None:
            return Response(refusal.body, refusal.status, content_type="application/json")
        return {"reports": ["Everything is well."]}

    # The license API takes its own paths and leaves all others to the application.

    def caller(environ: dict[str, Any]) -> licentia.Caller | None:
        with app.request_context(environ):
            return signed_in()

    api = licentia.wsgi.App(installation, caller, fallback=app.wsgi_app)
    app.wsgi_app = api  # type: ignore[method-assign]
    return app


def begin(installation: licentia.Installation) -> None:
    """Call it at each start. From the first one on, the days run that the product works without a
    license, if its setting `grace_days` gives any; without this call they never end. If your own
    data remembers an earlier start, give that."""
    try:
        installation.first_use()
    except licentia.Error as error:
        print(f"{error.code}: {error}", file=sys.stderr)


def main(keys: str, product_code: str, directory: str, port: str, *settings: str) -> None:
    product = licentia.Product(product_code, Path(keys).read_bytes())
    for setting in settings:
        name, _, value = setting.partition("=")
        product.set(name, value)
    administrator = licentia.Caller("admin", licentia.Rights.ADMINISTRATOR)
    installation = product.open(directory)
    begin(installation)
    app = create_app(installation, {os.environ["APP_TOKEN"]: administrator})
    with socket.create_server(("127.0.0.1", int(port))) as listening:
        print(f"listening on http://127.0.0.1:{listening.getsockname()[1]}/login", flush=True)
        waitress.serve(app, sockets=[listening], threads=8)


if __name__ == "__main__":
    if len(sys.argv) < 5 or not os.environ.get("APP_TOKEN"):
        usage = "usage: APP_TOKEN=... flask_app KEYS PRODUCT FOLDER PORT [NAME=VALUE]..."
        print(usage, file=sys.stderr)
        sys.exit(2)
    if len(os.environ["APP_TOKEN"]) < 16:
        print("APP_TOKEN: give it 16 characters or more, or it is guessed", file=sys.stderr)
        sys.exit(2)
    try:
        main(*sys.argv[1:])
    except licentia.Error as error:
        sys.exit(f"{error.code}: {error}")
    except OSError as error:
        sys.exit(f"io: {error}")
