"""A viewer of the live stream (`/api/v1/live`, server-sent events) that keeps all it sees."""

import json
import threading
import time

import requests

from support.server import wait_for


class Viewer:
    """Reads on a thread of its own; comes back after a lost connection where it left off."""

    def __init__(self, server):
        self.server = server
        self.events = []  # (name, data)
        self.position = None
        self.stopping = threading.Event()
        self.joined = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        assert self.joined.wait(60), "the live stream does not begin"

    def _run(self):
        while not self.stopping.is_set():
            headers = {"Last-Event-ID": self.position} if self.position else {}
            try:
                with requests.Session() as session:
                    session.trust_env = False
                    url = f"{self.server.url}/api/v1/live"
                    with session.get(url, headers=headers, stream=True, timeout=30) as answer:
                        self._read(answer)
            except requests.RequestException:
                time.sleep(0.05)

    def _read(self, answer):
        name = data = ""
        for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
            if self.stopping.is_set():
                return
            key, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if key == "event":
                name = value
            elif key == "data":
                data += value
            elif key == "id":
                self.position = value
            elif not line and data:
                self.events.append((name, json.loads(data)))
                self.joined.set()
                name = data = ""

    def stop(self):
        self.stopping.set()

    def tiles(self, patient):
        """Every tile of a patient that was shown, in order."""
        found = []
        for name, data in list(self.events):
            shown = data["tiles"] if name == "ward" else [data] if name == "tile" else []
            found += [tile for tile in shown if tile["patient"]["id"] == patient]
        return found

    def alerts(self, patient):
        """Every state of every alert of a patient that was shown, in order."""
        alerts = [data for name, data in list(self.events) if name == "alert"]
        return [alert for alert in alerts if (alert["patient"] or {}).get("id") == patient]

    def wait(self, condition, what, limit_s=60):
        return wait_for(lambda: condition(self), what, limit_s, 0.02)
