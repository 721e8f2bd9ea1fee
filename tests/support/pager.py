"""A receiver of signed notifications. They come at least once: one that comes again because its answer was lost is taken
once, by what tells it apart (docs/interfaces/webhooks.md)."""

import hashlib
import hmac
import http.server
import json
import threading

SECRET = "a-secret-of-the-tests"


class Pager:
    """Listens, checks signatures, keeps what it was told."""

    def __init__(self, tls=None):
        told, seen = [], set()
        self.told = told

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fields = dict(f.split("=", 1) for f in self.headers["Vitalwire-Signature"].split(","))
                digest = hmac.new(SECRET.encode(), f"{fields['t']}.".encode() + body, hashlib.sha256)
                good = hmac.compare_digest(digest.hexdigest(), fields["v1"])
                if good:
                    said = json.loads(body)
                    which = tuple(said.get(part) for part in ("episode", "event", "assigned", "at_ms"))
                    if which not in seen:
                        seen.add(which)
                        told.append(said)
                self.send_response(204 if good else 403)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def config(self, path):
        """Writes a configuration that names this receiver; gives its path."""
        port = self.server.server_address[1]
        path.write_text(f'[[webhook]]\nname = "pager"\nurl = "http://127.0.0.1:{port}/page"\nsecret = "{SECRET}"\n'
                        'roles = ["nurse"]\n')
        return path

    def stop(self):
        self.server.shutdown()
