"""The license API in a server of ASGI, beside the same with nothing but a constant.

asgi.py KEYS PRODUCT FOLDER [fastapi]

With `fastapi`, it is the application of the example, and a bare one. Served by uvicorn.
"""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path
from typing import Any, Callable

import licentia
import licentia.asgi
import uvicorn
from fastapi import FastAPI, Response

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples/python"))
from fastapi_app import create_app  # noqa: E402

App = Callable[[Any, Any, Any], Any]


def with_fastapi(
    installation: licentia.Installation, answer: licentia.Response
) -> tuple[App, App]:
    bare = FastAPI()

    @bare.get("/constant")
    async def constant() -> Response:
        # The last header is of the sessions of the example.
        return Response(answer.body, answer.status, {**dict(answer.headers), "vary": "Cookie"})

    return create_app(installation, {}), bare


def alone(installation: licentia.Installation, answer: licentia.Response) -> tuple[App, App]:
    pairs = [*answer.headers, ("content-length", str(len(answer.body)))]
    headers = [(name.encode(), value.encode()) for name, value in pairs]

    async def constant(scope: Any, receive: Any, send: Any) -> None:
        start = {"type": "http.response.start", "status": answer.status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": answer.body})

    return licentia.asgi.App(installation, caller=lambda _: None), constant


def main(keys: str, code: str, folder: str, framework: str = "") -> None:
    # The server hands the signal on to whoever was there before it, once it has ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    installation = licentia.Product(code, Path(keys).read_bytes()).open(folder)
    answer = installation.handle("GET", "/api/license")
    api, constant = (with_fastapi if framework else alone)(installation, answer)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        which = constant if scope.get("path") == "/constant" else api
        await which(scope, receive, send)

    config = uvicorn.Config(app, log_level="warning", access_log=False)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # asyncio does that for the sockets that it makes. Else every answer waits 40 ms for the
        # client's acknowledgement: its head and its body are sent apart.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        print("listening", listening.getsockname()[1], flush=True)
        uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    main(*sys.argv[1:])
