"""The host of ASGI: the FastAPI application of the example, served by uvicorn."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path

import spec
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples/python"))
from fastapi_app import create_app  # noqa: E402


def main(file: str) -> None:
    # The server hands the signal on to whoever was there before it, once it has ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    users, installations = spec.read(file)
    mounts = [Mount(path, create_app(one, users)) for path, one in installations.items()]
    config = uvicorn.Config(Starlette(routes=mounts), log_level="warning")
    bound = socket.create_server(("127.0.0.1", 0))
    # asyncio sends small answers at once only where the socket itself says that it is TCP.
    with socket.socket(fileno=bound.detach()) as listening:
        print("listening", listening.getsockname()[1], flush=True)
        uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    main(*sys.argv[1:])
