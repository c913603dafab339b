"""A small HTTP service of signals in a thread of the test, which answers as the test wants."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = Callable[[list[Any]], Iterator[bytes]]
"""Keys -> the parts of the answer's body; each is sent at once."""


class SignalServer:
    """answer, status: of the calls to come. asked: the keys of each call so far."""

    def __init__(self, answer: Body) -> None:
        self.answer, self.status = answer, 200
        self.asked: list[list[Any]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/signal"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                keys = json.loads(self.rfile.read(int(self.headers["content-length"])))["keys"]
                server.asked.append(keys)
                self.send_response(server.status)
                self.end_headers()
                try:
                    for part in server.answer(keys):
                        self.wfile.write(part)
                        self.wfile.flush()
                except OSError:
                    return  # the client has hung up

            def log_message(self, *arguments: object) -> None:
                return

        return Handler

    @contextmanager
    def running(self) -> Iterator["SignalServer"]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


def said(answers: list[dict[str, Any]]) -> bytes:
    return json.dumps({"answers": answers}).encode()


def saying(*answers: dict[str, Any]) -> Body:
    """The same answers whatever is asked."""
    return lambda keys: iter([said(list(answers))])


def dripping(seconds: float) -> Body:
    """A byte now and then, without an end."""

    def parts(keys: list[Any]) -> Iterator[bytes]:
        while True:
            yield b" "
            time.sleep(seconds)

    return parts
