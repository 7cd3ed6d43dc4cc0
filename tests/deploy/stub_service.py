"""A stub of a service: `python stub_service.py NAME` serves on HOST:PORT and describes each request in its response.

`/status/CODE` anywhere in a path gets that status, `/sleep` after two seconds. A NAME of "broken" ends at
once instead.
"""

import json
import os
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Stub(BaseHTTPRequestHandler):
    """Answers every request with a description of it."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one packet, not a header and, an acknowledgement later, a body

    def answer(self) -> None:
        """Describe the request."""
        size = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(size)
        status = re.search(r"/status/(\d+)", self.path)
        if self.path.endswith("/sleep"):
            time.sleep(2)
        seen = {
            "service": sys.argv[1],
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body_bytes": size,
            "connection": self.client_address[1],
        }
        body = json.dumps(seen).encode()
        self.send_response(int(status[1]) if status else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Request-ID", "from the service")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - names that the library calls


if sys.argv[1] == "broken":
    print("cannot start: the reason stands in the log", flush=True)
    sys.exit(3)
ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Stub).serve_forever()
