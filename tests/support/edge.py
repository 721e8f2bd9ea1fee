"""An edge, its centre, and the line between them, which can be cut."""

import pathlib
import re
import socket
import subprocess
import threading

from support.bedside import WELL, Monitor, admit
from support.server import Server, binary, wait_for

POLICY = """
name = "Test"
[[chain]]
name = "ward"
repeat_s = 3600
step = [{ role = "nurse", after_s = 0 }, { role = "physician", after_s = 3600 }]
[gap]
after_s = 3600
intervals = 4
priority = "low"
[[rule]]
id = "news2"
title = "Early-warning score high"
group = "deterioration"
level = [{ priority = "high", when = "NEWS2 >= 7", for_s = 2 }]
clear_s = 2
"""


class Line:
    """A TCP proxy that can be cut."""

    def __init__(self, target):
        self.target = target
        self.up = True
        self.sockets = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if not self.up:
                near.close()
                continue
            try:
                far = socket.create_connection(self.target, timeout=5)
            except OSError:
                near.close()
                continue
            self.sockets |= {near, far}
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        self.up = False
        for end in list(self.sockets):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.sockets.clear()

    def mend(self):
        self.up = True

    def close(self):
        self.cut()
        self.listener.close()


class Edge(Server):
    """`vitalwire edge` on one data folder."""

    def __init__(self, data, centre, code, spool_bytes=1 << 30, environment=None):
        insecure = str(not centre.startswith("https")).lower()
        super().__init__(data, environment={"VITALWIRE_EDGE_INSECURE": insecure,
                                            "VITALWIRE_EDGE_SPOOL_BYTES_MAX": str(spool_bytes), **(environment or {})})
        self.centre, self.code = centre, code

    def _spawn(self):
        self.starts += 1
        flags = ["--data", str(self.data), "--open", "--id", "ward-7", "--centre", self.centre, "--code", self.code]
        for door in ("http", "mqtt", "mllp"):
            host, port = getattr(self, door)
            flags += [f"--{door}", f"{host}:{port}"]
        with self.log_file().open("wb") as log:
            self.process = subprocess.Popen([binary(), "edge", *flags], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env=self.environment)

    def state(self):
        return self.get("/api/v1/edge")

    def delivered(self):
        """Whether all that was acknowledged before is at the centre."""
        return self.state()["state"] == "in-step"

    def caught_up(self):
        """Whether nothing waits but what was said a moment ago: of an edge whose devices go on speaking."""
        state = self.state()
        return state["linked"] and state["spool_pieces"] == 0

    def memory_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return {kind: int(re.search(rf"{kind}:\s+(\d+)", status)[1]) // 1024 for kind in ("VmRSS", "RssAnon")}


class Pair:
    """A centre, a line, an edge, and a patient in a bed whose monitor speaks to the edge."""

    def __init__(self, make_server, tmp_path, spool_bytes=1 << 30, policy=POLICY):
        self.centre = make_server().start()
        self.line = Line(self.centre.http)
        code = self.centre.post("/api/v1/edges", {"id": "ward-7", "name": "Ward 7"})["code"]
        self.edge = Edge(tmp_path / "edge", f"http://127.0.0.1:{self.line.port}", code, spool_bytes).start()
        self.centre.put("/api/v1/policy", {"text": policy, "by": ""})
        wait_for(lambda: self.edge.get("/api/v1/policy")["text"] == policy, "the centre's policy at the edge", 120)

    def admit(self):
        self.patient, bed = admit(self.edge, "E1", "E")
        self.monitor = Monitor(self.edge, "bedside")
        self.monitor.say(WELL)
        self.edge.post("/api/v1/devices/bedside/mount", {"location": bed}, expect=204)

    def wait_delivered(self, limit_s=120):
        wait_for(self.edge.delivered, "all to be delivered", limit_s)

    def stop(self):
        self.line.close()
        self.edge.stop()


def clinical(server, patient):
    """Alerts but those of silence, as group-like titles with state."""
    found = server.get(f"/api/v1/alerts?state=all&patient={patient}")["alerts"]
    return sorted((alert["title"], alert["state"]) for alert in found if "No data" not in alert["title"])
