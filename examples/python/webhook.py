"""Receives webhooks of a license server: each event once, and none that somebody else sends.

python webhook.py SECRET... [--port PORT]: the secrets of its endpoint, whsec_... or whpk_...
"""

import argparse
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import licentia
from licentia.webhooks import BODY_MAX, Event, Receiver


def process(event: Event) -> None:
    """What you do with an event. When it raises, the server sends the event again."""
    told = {"id": event.id, "type": event.type, "data": event.data}
    print(json.dumps(told), flush=True)


class Hooks(BaseHTTPRequestHandler):
    receiver: Receiver
    timeout = 15

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= BODY_MAX:
            self.answer(413)
            return
        # The bytes as they came: what a parser writes again is not what was signed.
        body = self.rfile.read(length)
        try:
            with self.receiver.process(body, self.headers) as event:
                process(event)
        except licentia.AlreadyUsedError:
            self.answer(204)  # it has been here before, and need not come again
        except licentia.BusyError:
            self.answer(503)  # it is being processed: if that fails, it comes again
        except licentia.Error as error:
            self.log_message("%s", error)
            self.answer(400)
        else:
            self.answer(204)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("secrets", nargs="+")
    parser.add_argument("--port", type=int, default=8080)
    args = parser.parse_args()
    Hooks.receiver = Receiver(*args.secrets)
    with ThreadingHTTPServer(("127.0.0.1", args.port), Hooks) as server:
        print(f"http://127.0.0.1:{server.server_port}/", flush=True)
        server.serve_forever()
