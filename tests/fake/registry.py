#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A registry in memory that misbehaves on demand.

It prints "port N" and serves on loopback until it is killed.

    --rule 'METHOD REGEX key=value ...'   what to do with requests whose method and path match:
        times=N skip=N     the first N matching ones; after N matching ones
        status=N           answer so, with body= or code= and message=, and header=Name:value
        truncate=N         N bytes of the body, then hang up
        stall=N            N bytes of the body, then silence
        drip=S             a byte of the body each S seconds
        flip               one byte of the body is wrong
        extra=N            N bytes too many, and a Content-Length that says so
        chunked            the body without a length
        noheader=Name      leave that header out
        header=Name:value  add or replace that header
        noranges           as if Range had not been asked
        drop               hang up without an answer
        above=N            only where the body that comes is longer
        cut=N              read N bytes of what comes, then hang up
        hold               what was read before a cut belongs to the upload
        keep=N             a PATCH has only N bytes of what came
        nomount            a mount is refused
        late               do what was asked, then hang up without an answer
        endless            a body without end
    {port}, {other}: our ports in values, {path} what was asked for; %20 is a blank
    --auth basic|bearer    with --user name:password; anonymous may pull with --anonymous
    --realm URL            instead of our /token
    --life S               expires_in of tokens; --expire S: when they really do
    --uses N               a token is good for N requests
    --other                a second port, with the same content and no authorisation of its own
    --log FILE             a line for each request: port kind, method, path, authorisation, range
    --show NAME            and this header at its end, where it is there
    As a proxy it answers for every host; it has no CONNECT.
    --referrers            it lists what names a manifest as its subject
    --page N               tags and referrers are listed by N
    --cert FILE --key FILE [--client-ca FILE]   serve TLS
"""
import argparse
import base64
import hashlib
import json
import re
import shlex
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit


class Rule:
    def __init__(self, text):
        words = shlex.split(text)
        self.method, self.path = words[0], re.compile(words[1])
        self.keys, self.headers, self.without = {}, [], []
        self.seen = 0
        for word in words[2:]:
            key, _, value = word.partition("=")
            value = value.replace("%20", " ")
            if key == "header":
                self.headers.append(value.split(":", 1))
            elif key == "noheader":
                self.without.append(value.lower())
            else:
                self.keys[key] = value

    def takes(self, method, path, length):
        if self.method not in ("*", method) or not self.path.search(path):
            return False
        if length <= int(self.keys.get("above", -1)):
            return False
        self.seen += 1
        skip, times = int(self.keys.get("skip", 0)), int(self.keys.get("times", 1 << 30))
        return skip < self.seen <= skip + times


class State:
    def __init__(self, options):
        self.options = options
        self.rules = [Rule(text) for text in options.rule]
        self.lock = threading.Lock()
        self.blobs, self.manifests, self.tags, self.uploads = {}, {}, {}, {}
        self.tokens = {}
        self.ports = {}
        self.next = 0

    def log(self, line):
        if self.options.log:
            with self.lock, open(self.options.log, "a") as f:
                f.write(line + "\n")

    def unique(self):
        with self.lock:
            self.next += 1
            return "u%d" % self.next


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state = None
    kind = "main"

    def log_message(self, *args):
        pass

    def setup(self):
        super().setup()
        self.rules = []

    # what a rule says of this answer
    def key(self, name):
        for rule in self.rules:
            if name in rule.keys:
                return rule.keys[name]
        return None

    def fill(self, text):
        text = text.replace("{path}", self.path)
        for name, port in self.state.ports.items():
            text = text.replace("{%s}" % name, str(port))
        return text

    def answer(self, status, body=b"", headers=(), length=None):
        out = {name.lower(): (name, value) for name, value in headers}
        if status not in (204, 304):
            out.setdefault("content-length", ("Content-Length", str(len(body) if length is None else length)))
        for rule in self.rules:
            for name in rule.without:
                out.pop(name, None)
            for name, value in rule.headers:
                out[name.lower()] = (name, self.fill(value))
        if self.key("late") is not None:
            self.close_connection = True
            return
        if self.key("extra") is not None:
            body += b"x" * int(self.key("extra"))
            out["content-length"] = ("Content-Length", str(len(body)))
        if self.key("flip") is not None and body:
            body = bytes([body[0] ^ 1]) + body[1:]
        chunked = self.key("chunked") is not None or self.key("endless") is not None
        if chunked:
            out.pop("content-length", None)
            out["transfer-encoding"] = ("Transfer-Encoding", "chunked")
        self.send_response(status)
        for name, value in out.values():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        self.body(body, chunked)

    def body(self, body, chunked):
        for key in ("truncate", "stall"):
            if self.key(key) is not None:
                self.wfile.write(body[: int(self.key(key))])
                self.wfile.flush()
                if key == "stall":
                    time.sleep(3600)
                self.close_connection = True
                return
        if self.key("drip") is not None:
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(float(self.key("drip")))
        try:
            while self.key("endless") is not None:
                self.wfile.write(b"1000\r\n" + b"y" * 4096 + b"\r\n")
        except OSError:
            self.close_connection = True
            return
        if chunked:
            self.wfile.write(b"%x\r\n" % len(body) + body + b"\r\n" if body else b"")
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.wfile.write(body)

    def error(self, status, code, message, headers=()):
        body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self.answer(status, body, [("Content-Type", "application/json"), *headers])

    def shown(self):
        name = self.state.options.show
        return ["%s=%s" % (name, self.headers[name])] if name and name in self.headers else []

    def read(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            data = b""
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                data += self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    return data
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def handle_any(self):
        state = self.state
        auth = self.headers.get("Authorization", "none").split(" ")[0].lower()
        if self.path.startswith("http://"):  # asked as a proxy for somebody, who is us as well
            auth += " proxy=" + self.headers.get("Proxy-Authorization", "none").split(" ")[0].lower()
            self.path = "/" + self.path.split("/", 3)[3]
        state.log(" ".join([self.kind, self.command, self.path, auth, self.headers.get("Range", "-")] + self.shown()))
        length = int(self.headers.get("Content-Length", 0))
        with state.lock:
            self.rules = [r for r in state.rules if r.takes(self.command, self.path, length)]
        if self.key("drop") is not None:
            self.close_connection = True
            return
        if self.key("cut") is not None:
            part = self.rfile.read(int(self.key("cut")))
            if self.key("hold") is not None:
                id = urlsplit(self.path).path.rpartition("/")[2]
                state.uploads[id] = state.uploads.get(id, b"") + part
            self.close_connection = True
            return
        if self.key("status") is not None:
            if int(self.key("status")) == 413:
                self.close_connection = True
            else:
                self.read()
            body = (self.key("body") or "").encode()
            if self.key("code") is not None:
                return self.error(int(self.key("status")), self.key("code"), self.key("message"))
            self.answer(int(self.key("status")), body)
            return
        data = self.read()
        url = urlsplit(self.path)
        query = {k: v for k, v in parse_qs(url.query, keep_blank_values=True).items()}
        if url.path == "/token":
            self.token(query, data)
        elif self.kind == "main" and not self.allowed():
            self.challenge()
        else:
            self.route(url.path, query, data)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = handle_any

    # ---- authorisation

    def scope(self):
        m = re.match(r"/v2/(.+?)/(blobs|manifests|tags|referrers)/", self.path)
        if not m:
            return "registry:catalog:*" if "_catalog" in self.path else ""
        action = "pull" if self.command in ("GET", "HEAD") else "delete" if self.command == "DELETE" and "uploads" not in self.path else "pull,push"
        scope = "repository:%s:%s" % (m.group(1), action)
        query = parse_qs(urlsplit(self.path).query)
        if "from" in query:
            scope += " repository:%s:pull" % query["from"][0]
        return scope

    def allowed(self):
        o = self.state.options
        header = self.headers.get("Authorization", "")
        if o.auth == "basic":
            good = base64.b64encode(o.user.encode()).decode()
            return header == "Basic " + good or (o.anonymous and self.command in ("GET", "HEAD"))
        if o.auth != "bearer":
            return True
        with self.state.lock:
            token = self.state.tokens.get(header[7:]) if header.startswith("Bearer ") else None
            if token is None or token["until"] < time.monotonic() or token["uses"] == 0:
                return False
            token["uses"] -= 1
        granted = {}
        for s in token["scopes"]:
            resource, _, actions = s.rpartition(":")
            granted.setdefault(resource, set()).update(actions.split(","))
        for s in self.scope().split():
            resource, _, actions = s.rpartition(":")
            if not set(actions.split(",")) <= granted.get(resource, set()):
                return False
        return True

    def challenge(self):
        o = self.state.options
        if o.auth == "basic":
            value = 'Basic realm="fake"'
        else:
            scheme = "https" if o.cert else "http"
            realm = self.fill(o.realm or scheme + "://127.0.0.1:{port}/token")
            value = 'Bearer realm="%s",service="fake"' % realm
            if self.scope():
                value += ',scope="%s"' % self.scope()
        self.error(401, "UNAUTHORIZED", "authentication required", [("WWW-Authenticate", value)])

    def token(self, query, data):
        o = self.state.options
        header = self.headers.get("Authorization", "")
        form = parse_qs(data.decode("latin1"))
        scopes = [s for v in query.get("scope", []) + form.get("scope", []) for s in v.split()]
        known = header == "Basic " + base64.b64encode(o.user.encode()).decode()
        if self.command == "POST":
            if form.get("refresh_token") != ["identity"]:
                return self.error(401, "UNAUTHORIZED", "refresh token is wrong")
            known = True
        if header and not known:
            return self.error(401, "UNAUTHORIZED", "incorrect username or password")
        if not known:
            scopes = [s for s in scopes if o.anonymous and s.rpartition(":")[2] == "pull"]
        name = "t-" + self.state.unique()
        with self.state.lock:
            self.state.tokens[name] = {
                "scopes": scopes,
                "until": time.monotonic() + o.expire,
                "uses": o.uses,
            }
        self.answer(200, json.dumps({"token": name, "expires_in": o.life}).encode(), [("Content-Type", "application/json")])

    # ---- content

    def route(self, path, query, data):
        if path == "/v2/":
            return self.answer(200, b"{}", [("Content-Type", "application/json")])
        if path == "/v2/_catalog":
            names = sorted({name for name, _ in self.state.manifests})
            return self.answer(200, json.dumps({"repositories": names}).encode(), [("Content-Type", "application/json")])
        m = re.match(r"/v2/(.+)/blobs/uploads/(.*)$", path)
        if m:
            return self.upload(m.group(1), m.group(2), query, data)
        m = re.match(r"/v2/(.+)/blobs/(.+)$", path)
        if m:
            return self.blob(m.group(1), unquote(m.group(2)))
        m = re.match(r"/v2/(.+)/manifests/(.+)$", path)
        if m:
            return self.manifest(m.group(1), unquote(m.group(2)), data)
        m = re.match(r"/v2/(.+)/referrers/(.+)$", path)
        if m and self.state.options.referrers:
            return self.referrers(m.group(1), unquote(m.group(2)), query)
        m = re.match(r"/v2/(.+)/tags/list$", path)
        if m:
            return self.list(m.group(1), query)
        self.error(404, "NOT_FOUND", "no such endpoint")

    def blob(self, name, digest):
        data = self.state.blobs.get((name, digest))
        if data is None:
            return self.error(404, "BLOB_UNKNOWN", "blob unknown to registry")
        headers = [("Docker-Content-Digest", digest), ("Content-Type", "application/octet-stream"), ("Accept-Ranges", "bytes")]
        m = re.match(r"bytes=(\d+)-(\d*)$", self.headers.get("Range", ""))
        if not m or self.key("noranges") is not None:
            return self.answer(200, data, headers)
        first = int(m.group(1))
        last = min(int(m.group(2) or len(data) - 1), len(data) - 1)
        if first >= len(data):
            return self.answer(416, b"", [("Content-Range", "bytes */%d" % len(data))])
        headers.append(("Content-Range", "bytes %d-%d/%d" % (first, last, len(data))))
        self.answer(206, data[first : last + 1], headers)

    def manifest(self, name, reference, data):
        state = self.state
        if self.command == "PUT":
            digest = sha256(data)
            if ":" in reference and reference != digest:
                return self.error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            document = json.loads(data)
            for part in document.get("layers", []) + [document[k] for k in ("config",) if k in document]:
                if (name, part["digest"]) not in state.blobs:
                    return self.error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry")
            state.manifests[(name, digest)] = (data, self.headers.get("Content-Type"))
            if ":" not in reference:
                state.tags[(name, reference)] = digest
            return self.answer(201, b"", [("Docker-Content-Digest", digest), ("Location", "/v2/%s/manifests/%s" % (name, digest))])
        digest = reference if ":" in reference else state.tags.get((name, reference))
        found = state.manifests.get((name, digest))
        if found is None:
            return self.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        if self.command == "DELETE":
            del state.manifests[(name, digest)]
            state.tags = {k: v for k, v in state.tags.items() if v != digest}
            return self.answer(202)
        self.answer(200, found[0], [("Docker-Content-Digest", digest), ("Content-Type", found[1])])

    def referrers(self, name, subject, query):
        rows = []
        for (n, digest), (data, kind) in self.state.manifests.items():
            document = json.loads(data)
            if n == name and document.get("subject", {}).get("digest") == subject:
                row = {"mediaType": kind, "digest": digest, "size": len(data)}
                row["artifactType"] = document.get("artifactType") or document["config"]["mediaType"]
                rows.append(row)
        page, start = self.state.options.page or len(rows), int(query.get("start", ["0"])[0])
        headers = [("Content-Type", "application/vnd.oci.image.index.v1+json")]
        if start + page < len(rows):
            headers.append(("Link", '<%s?start=%d>; rel="next"' % (self.path.split("?")[0], start + page)))
        body = {"schemaVersion": 2, "manifests": rows[start : start + page]}
        self.answer(200, json.dumps(body).encode(), headers)

    def list(self, name, query):
        tags = sorted((t for n, t in self.state.tags if n == name), reverse=True)
        last = query.get("last", [""])[0]
        start = tags.index(last) + 1 if last in tags else 0
        page = self.state.options.page
        headers = [("Content-Type", "application/json")]
        part = tags[start:]
        if page and len(part) > page:
            part = part[:page]
            headers.append(("Link", '</v2/%s/tags/list?last=%s&n=%d>; rel="next"' % (name, part[-1], page)))
        self.answer(200, json.dumps({"name": name, "tags": part or None}).encode(), headers)

    def location(self, name, id):
        return "/v2/%s/blobs/uploads/%s?_state=%d%%2Bx" % (name, id, len(self.state.uploads.get(id, b"")))

    def upload(self, name, id, query, data):
        state = self.state
        if self.command == "POST":
            digest = query.get("mount", [""])[0]
            source = query.get("from", [""])[0]
            if (source, digest) in state.blobs and self.key("nomount") is None:
                state.blobs[(name, digest)] = state.blobs[(source, digest)]
                return self.answer(201, b"", [("Docker-Content-Digest", digest), ("Location", "/v2/%s/blobs/%s" % (name, digest))])
            id = state.unique()
            state.uploads[id] = b""
            return self.answer(202, b"", [("Location", self.location(name, id)), ("Range", "0-0")])
        if id not in state.uploads:
            return self.error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        if self.command == "DELETE":
            del state.uploads[id]
            return self.answer(204)
        held = state.uploads[id]
        if self.command == "PATCH":
            m = re.match(r"(\d+)-(\d+)$", self.headers.get("Content-Range", ""))
            if m and int(m.group(1)) != len(held):
                return self.error(416, "RANGE_INVALID", "range invalid", [("Range", "0-%d" % max(0, len(held) - 1))])
            keep = self.key("keep")
            held += data if keep is None else data[: int(keep)]
            state.uploads[id] = held
        if self.command == "PUT":
            held += data
            digest = query.get("digest", [""])[0]
            if sha256(held) != digest:
                del state.uploads[id]
                return self.error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            del state.uploads[id]
            state.blobs[(name, digest)] = held
            return self.answer(201, b"", [("Docker-Content-Digest", digest), ("Location", "/v2/%s/blobs/%s" % (name, digest))])
        headers = [("Location", self.location(name, id)), ("Range", "0-%d" % max(0, len(held) - 1))]
        self.answer(202 if self.command == "PATCH" else 204, b"", headers)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass

    def finish_request(self, request, client_address):
        if isinstance(request, ssl.SSLSocket):
            try:
                request.do_handshake()
            except OSError:
                return self.refuse(request)
        super().finish_request(request, client_address)

    def refuse(self, request):
        # what is not read turns the close into a reset, which overtakes the alert that says why
        try:
            request.shutdown(socket.SHUT_WR)
            while request.recv(4096):
                pass
        except OSError:
            pass


def serve(state, kind):
    handler = type("Handler_" + kind, (Handler,), {"state": state, "kind": kind})
    server = Server(("127.0.0.1", 0), handler)
    o = state.options
    if o.cert and kind == "main":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(o.cert, o.key)
        if o.client_ca:
            context.load_verify_locations(o.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    state.ports["port" if kind == "main" else kind] = server.server_address[1]
    return server


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--rule", action="append", default=[])
    p.add_argument("--auth", choices=["basic", "bearer"])
    p.add_argument("--user", default="user:secret")
    p.add_argument("--anonymous", action="store_true")
    p.add_argument("--realm")
    p.add_argument("--life", type=int, default=300)
    p.add_argument("--expire", type=float, default=1e9)
    p.add_argument("--uses", type=int, default=-1)
    p.add_argument("--other", action="store_true")
    p.add_argument("--log")
    p.add_argument("--show")
    p.add_argument("--page", type=int, default=0)
    p.add_argument("--referrers", action="store_true")
    p.add_argument("--cert")
    p.add_argument("--key")
    p.add_argument("--client-ca")
    state = State(p.parse_args())
    server = serve(state, "main")
    if state.options.other:
        threading.Thread(target=serve(state, "other").serve_forever, daemon=True).start()
    print("port %d" % server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
