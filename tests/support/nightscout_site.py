"""A Nightscout site as its documentation describes it, for reading from: API versions 1 and 3, tokens and the API secret. Written
from the API's own documents (lib/server/swagger.yaml, lib/api3/doc), with documents in memory in place of MongoDB."""

import hashlib
import http.server
import json
import threading
import time
import urllib.parse

SECRET, TOKEN = "a-long-api-secret", "reader-0123456789abcdef"


def iso(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms / 1000)) + f".{ms % 1000:03d}Z"


class Site:
    def __init__(self, third=True, limit=1000):
        self.third, self.limit = third, limit
        self.collections = {"entries": [], "treatments": [], "devicestatus": []}
        self.requests, self.passes, self.broken = [], {}, None
        self.changed = 0
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                site.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def add(self, collection, *documents):
        """Stores documents as the site would: with an id, and the moment of the change."""
        for document in documents:
            self.changed = max(self.changed + 1, int(time.time() * 1000))
            marks = {"_id": hashlib.sha1(json.dumps(document).encode()).hexdigest()[:24], "srvModified": self.changed}
            self.collections[collection].append({**document, **marks})

    def revoke(self):
        """Passes that were given are good no more."""
        self.passes.clear()

    def asked(self, part):
        return [path for path in list(self.requests) if part in path]

    # -- answering ----------------------------------------------------------------------------

    def answer(self, request):
        url = urllib.parse.urlsplit(request.path)
        self.requests.append(urllib.parse.unquote(request.path))
        if self.broken:
            return self.send(request, self.broken, {"status": self.broken, "message": "broken"})
        path, query = url.path, dict(urllib.parse.parse_qsl(url.query))
        if path == f"/api/v2/authorization/request/{TOKEN}":
            number = f"head.{len(self.requests)}.sign"
            self.passes[number] = True
            return self.send(request, 200, {"token": number, "sub": "reader", "iat": 1, "exp": int(time.time()) + 3600})
        if path.startswith("/api/v2/authorization/request/"):
            return self.send(request, 401, {"status": 401})
        if path == "/api/v3/version" and self.third:
            return self.send(request, 200, {"status": 200, "result": {"version": "15.0.2", "apiVersion": "3.0.4"}})
        bearer = (request.headers.get("Authorization") or "").removeprefix("Bearer ")
        secret = request.headers.get("api-secret") == hashlib.sha1(SECRET.encode()).hexdigest()
        if path.startswith("/api/v3/") and self.third:
            if bearer not in self.passes:
                return self.send(request, 401, {"status": 401, "message": "Missing or bad access token or JWT"})
            _, _, _, collection, what, since = path.split("/")
            assert what == "history"
            found = sorted((d for d in self.collections[collection] if d["srvModified"] > int(since)), key=lambda d: d["srvModified"])
            return self.send(request, 200, {"status": 200, "result": found[:min(int(query.get("limit", 10)), self.limit)]})
        if path.startswith("/api/v1/") and path.removeprefix("/api/v1/").removesuffix(".json") in self.collections:
            if not secret and bearer not in self.passes:
                return self.send(request, 401, {"status": 401, "message": "Unauthorized"})
            return self.send(request, 200, self.first(path.removeprefix("/api/v1/").removesuffix(".json"), query))
        return self.send(request, 404, {"status": 404})

    def first(self, collection, query):
        """Version 1: newest first, by the field that is asked for; texts are compared as texts."""
        field = "date" if collection == "entries" else "created_at"
        found = list(self.collections[collection])
        for operator, holds in (("$gte", lambda a, b: a >= b), ("$lt", lambda a, b: a < b)):
            bound = query.get(f"find[{field}][{operator}]")
            if bound is not None:
                bound = int(bound) if field == "date" else bound
                found = [d for d in found if holds(d[field], bound)]
        return sorted(found, key=lambda d: d[field], reverse=True)[:int(query.get("count", 10))]

    @staticmethod
    def send(request, status, body):
        data = json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)
