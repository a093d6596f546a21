"""Count a feature, and stop it at its limit, in an HTTP server of several processes.

The workers share one socket and one folder. Each asks `gate` before it does the work, which costs
nothing, and calls `record`, which is on disk before the answer goes out. The program fires more
requests than the license has left, shows that the count is exact over all workers, and ends.
"""

from __future__ import annotations

import collections
import http.client
import json
import math
import multiprocessing
import socket
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import licentia

FEATURE = "exports"
WORKERS = 4
CLIENTS = 16
EXTRA = 30
REQUESTS_MAX = 300


def open_installation(
    keys: str, code: str, directory: str, settings: list[str]
) -> licentia.Installation:
    product = licentia.Product(code, Path(keys).read_bytes())
    for setting in settings:
        name, _, value = setting.partition("=")
        product.set(name, value)
    return product.open(directory)


class Exports(BaseHTTPRequestHandler):
    """Does an export for whoever posts, if the license has one left."""

    installation: licentia.Installation

    def do_POST(self) -> None:
        refusal = self.installation.gate(FEATURE)
        if refusal is not None:
            return self.answer(refusal.status, refusal.body)
        try:
            self.installation.record(FEATURE)
        except licentia.LimitExceededError as error:
            # Another worker took the last one in this second.
            body = {"detail": str(error), "code": error.code}
            return self.answer(429, json.dumps(body))
        worker = multiprocessing.current_process().name
        self.answer(200, json.dumps({"exported": True, "worker": worker}))

    def answer(self, status: int, body: str) -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Worker(HTTPServer):
    """Takes requests from a socket that others take from too."""

    def __init__(self, shared: socket.socket) -> None:
        super().__init__(("", 0), Exports, bind_and_activate=False)
        self.socket.close()
        self.socket = shared

    def service_actions(self) -> None:
        """Ends with the process that started it, however that ended."""
        parent = multiprocessing.parent_process()
        if parent is None or not parent.is_alive():
            sys.exit()


def serve(shared: socket.socket, keys: str, code: str, directory: str, settings: list[str]) -> None:
    Exports.installation = open_installation(keys, code, directory, settings)
    Worker(shared).serve_forever(poll_interval=0.1)


def post(port: int) -> tuple[int, str]:
    """One request: the status, and the worker or the code."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/exports")
    response = connection.getresponse()
    body = json.loads(response.read())
    connection.close()
    return response.status, body.get("worker") or body.get("code")


def drive(port: int, installation: licentia.Installation) -> bool:
    """Fires requests at the workers. Whether they were counted exactly."""
    before = installation.usage(FEATURE)
    requests = int(min(before.limit - before.used + EXTRA, REQUESTS_MAX))
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(post, [port] * requests))
    done = [worker for status, worker in answers if status == 200]
    refused = collections.Counter(answer for answer in answers if answer[0] != 200)
    after = installation.usage(FEATURE)

    limit = "none" if after.limit == math.inf else after.limit
    print("requests:", requests)
    print("exports done:", len(done), "by", len(set(done)), "workers")
    for (status, code), count in refused.items():
        print(f"refused: {count} with {status} {code}")
    print("counted:", after.used - before.used)
    print("used:", after.used, "limit:", limit)
    return after.used - before.used == len(done)


def main(keys: str, code: str, license_file: str, *settings: str) -> bool:
    with (
        tempfile.TemporaryDirectory() as directory,
        socket.create_server(("127.0.0.1", 0), backlog=128) as shared,
    ):
        installation = open_installation(keys, code, directory, list(settings))
        installation.apply(Path(license_file).read_bytes())
        # All workers wake for a connection; those who come too late must not wait for the next.
        shared.setblocking(False)
        context = multiprocessing.get_context("spawn")
        arguments = (shared, keys, code, directory, list(settings))
        workers = [context.Process(target=serve, args=arguments) for _ in range(WORKERS)]
        try:
            for worker in workers:
                worker.start()
            return drive(shared.getsockname()[1], installation)
        finally:
            for worker in workers:
                worker.terminate()
                worker.join()


if __name__ == "__main__":
    if len(sys.argv) < 4:
        print("usage: metered_workers KEYS PRODUCT LICENSE [NAME=VALUE]...", file=sys.stderr)
        sys.exit(2)
    try:
        sys.exit(0 if main(*sys.argv[1:]) else "the count is wrong")
    except licentia.Error as error:
        sys.exit(f"{error.code}: {error}")
    except OSError as error:
        sys.exit(f"io: {error}")
