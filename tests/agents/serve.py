"""Runs a program beside a server that refuses everybody, and notes whose keys it was shown.

`serve.py FILE PROGRAM [ARGUMENT ...]`, in a network of its own. FILE gets the keys: a JSON list,
each once.
"""

from __future__ import annotations

import fcntl
import json
import socket
import struct
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ADDRESS = ("127.0.0.1", 18080)
KEYS = ("authorization", "x-api-key", "x-goog-api-key", "openai-organization")
REFUSED = json.dumps({"error": {"type": "authentication_error", "message": "refused"}}).encode()

shown: dict[str, None] = {}


class Refuse(BaseHTTPRequestHandler):
    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        shown.update({self.headers[name]: None for name in KEYS if name in self.headers})
        self.send_response(401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(REFUSED)))
        self.end_headers()
        self.wfile.write(REFUSED)

    def log_message(self, *message: object) -> None:
        """Say nothing: what is written is the program's."""


for method in ("GET", "HEAD", "POST"):
    setattr(Refuse, f"do_{method}", Refuse.answer)


def bring_loopback_up() -> None:
    read_flags, write_flags, is_up = 0x8913, 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anything:
        request = fcntl.ioctl(anything, read_flags, struct.pack("16sh14x", b"lo", 0))
        _, flags = struct.unpack("16sh14x", request)
        fcntl.ioctl(anything, write_flags, struct.pack("16sh14x", b"lo", flags | is_up))


bring_loopback_up()
with ThreadingHTTPServer(ADDRESS, Refuse) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    code = subprocess.call(sys.argv[2:])
    server.shutdown()
Path(sys.argv[1]).write_text(json.dumps(list(shown)))
sys.exit(code if code >= 0 else 128 - code)
