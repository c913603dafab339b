"""The sample services as one small HTTP server: `python -m ops.demo.signal_service --seed 1`.

Its first line of output is its port on 127.0.0.1, a free one. Each signal has a path of its own (POST /performance). It
ends with its standard input, so that it does not outlive whoever started it.
"""

import argparse
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from ops.demo.signal_values import SIGNALS, Says, says

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, list[int]]).decode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(says(parser.parse_args().seed)))
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


def handler(said: Says) -> type[BaseHTTPRequestHandler]:
    """Answers as argus.signals.http says."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers.get("content-length", 0)))
            signal = self.path.strip("/")
            if signal not in SIGNALS:
                self.send_error(404, f"there is no signal {signal!r}")
                return
            try:
                keys = _decode(asked)["keys"]
            except (msgspec.DecodeError, KeyError):
                self.send_error(400, 'send {"keys": [1, 2]}')
                return
            body = _encode({"answers": [answer(said, signal, key) for key in keys]})
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            with suppress(ConnectionError):  # who asked has given up
                self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Says nothing."""

    return Handler


def answer(said: Says, signal: str, key: int) -> dict[str, Any]:
    """About one key."""
    known = said(signal, key)
    return {"key": key, "values": None} if known is None else {"key": key, "version": known[0], "values": known[1]}


if __name__ == "__main__":
    main()
