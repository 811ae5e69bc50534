#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""files.py DIRECTORY: serves files on a free port of the loopback, and prints the port.

/hops/N/PATH redirects N times, then to PATH; /away/URL redirects to that URL; each request is a line on stdout.
"""
import http.server
import sys
from functools import partial


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        parts = self.path.split("/", 3)
        if len(parts) == 4 and parts[1] == "hops":
            left = int(parts[2]) - 1
            self.go("/" + parts[3] if left <= 0 else f"/hops/{left}/{parts[3]}")
        elif parts[1] == "away":
            self.go(self.path[len("/away/"):])
        else:
            super().do_GET()

    def go(self, where):
        self.send_response(302)
        self.send_header("Location", where)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format, *args):
        print(format % args, flush=True)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=sys.argv[1]))
print(server.server_address[1], flush=True)
server.serve_forever()
