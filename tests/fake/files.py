#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""files.py DIRECTORY: serves files on a free port of the loopback, and prints the port.

/hops/N/PATH redirects N times, then to PATH; /away/URL redirects to that URL; /tagged/PATH has an ETag;
/private/NAME/PATH wants the Authorization that the file NAME.auth holds.  Each request is a line on stdout.
"""
import hashlib
import http.server
import os
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
        elif parts[1] == "tagged":
            self.tagged(self.path[len("/tagged"):])
        elif len(parts) == 4 and parts[1] == "private" and not self.may(parts[2]):
            self.send_error(401)
        else:
            if parts[1] == "private":
                self.path = "/" + parts[3]
            super().do_GET()

    def may(self, name):
        with open(os.path.join(self.directory, name + ".auth")) as file:
            return self.headers.get("Authorization", "") == file.read().strip()

    def tagged(self, path):
        with open(self.translate_path(path), "rb") as file:
            body = file.read()
        tag = '"' + hashlib.sha256(body).hexdigest() + '"'
        same = self.headers.get("If-None-Match") == tag
        self.send_response(304 if same else 200)
        self.send_header("ETag", tag)
        if not same:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not same:
            self.wfile.write(body)

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
