"""The license API and its page in a FastAPI application, behind the application's own login.

    pip install ./bindings/python fastapi uvicorn python-multipart itsdangerous
    APP_TOKEN=... python fastapi_app.py KEYS PRODUCT FOLDER PORT [NAME=VALUE]...

Start it, open /login, and sign in with the token that is in the environment as APP_TOKEN. It is
served by uvicorn; hypercorn and its like take what `create_app` gives, after `begin`.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import licentia
import licentia.asgi
import uvicorn
from fastapi import FastAPI, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection

LOGIN = "<!doctype html><title>Sign in</title><form method=post><input name=token type=password>"


def create_app(
    installation: licentia.Installation, users: Mapping[str, licentia.Caller]
) -> FastAPI:
    """The application. `users` may sign in, each with a token."""
    app = FastAPI()

    # The license API takes its own paths and leaves all others to the application.

    async def caller(scope: Any) -> licentia.Caller | None:
        return signed_in(HTTPConnection(scope))

    app.add_middleware(lambda app: licentia.asgi.App(installation, caller, fallback=app))

    # Yours: who is signed in, and what they may do. Here by a session or by a bearer token. What
    # is added last runs first: the license API is told who is asking by what comes after it here.
    # Several processes have to share the key of the sessions. Behind TLS, set `https_only` too,
    # which makes the cookie `Secure`: it is then never sent without TLS.

    app.add_middleware(SessionMiddleware, secret_key=secrets.token_hex(32))
    names = {user.name: user for user in users.values()}

    def signed_in(connection: HTTPConnection) -> licentia.Caller | None:
        given = connection.headers.get("authorization")
        if given is not None:
            scheme, _, token = given.partition(" ")
            return users.get(token) if scheme.lower() == "bearer" else None
        return names.get(connection.session.get("user", ""))

    @app.get("/login")
    async def show_login() -> HTMLResponse:
        return HTMLResponse(LOGIN)

    @app.post("/login")
    async def login(request: Request, token: Annotated[str, Form()]) -> RedirectResponse:
        user = users.get(token)
        if user is None:
            raise HTTPException(403)
        request.session["user"] = user.name
        return RedirectResponse(f"{request.scope['root_path']}/license", 303)

    # What the product does, if the license allows it: ask each time.

    @app.get("/reports", response_model=None)
    async def reports() -> Response | dict[str, list[str]]:
        refusal = installation.gate("reports")
        if refusal is not None:
            return Response(refusal.body, refusal.status, media_type="application/json")
        return {"reports": ["Everything is well."]}

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
    bound = socket.create_server(("127.0.0.1", int(port)))
    # asyncio sends small answers at once only where the socket itself says that it is TCP.
    with socket.socket(fileno=bound.detach()) as listening:
        print(f"listening on http://127.0.0.1:{listening.getsockname()[1]}/login", flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run([listening])


if __name__ == "__main__":
    if len(sys.argv) < 5 or not os.environ.get("APP_TOKEN"):
        usage = "usage: APP_TOKEN=... fastapi_app KEYS PRODUCT FOLDER PORT [NAME=VALUE]..."
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
