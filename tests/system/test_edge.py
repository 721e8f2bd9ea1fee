"""An edge and its centre with a line between them that is cut: local alarm, everything once, no second alert."""

import itertools
import json
import pathlib
import random
import re
import socket
import subprocess
import threading
import time

import pytest

from support.bedside import WELL, Monitor, admit
from support.server import Server, binary, wait_for
from support.stored import readings

HR = "MDC_ECG_HEART_RATE"
ILL = {HR: 135, "MDC_PULS_OXIM_SAT_O2": 86, "MDC_RESP_RATE": 29, "MDC_TEMP_BODY": 39.3}
PATIENT_ALARM_S = 60
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

    def __init__(self, data, centre, code, spool_bytes=1 << 30):
        super().__init__(data, environment={"VITALWIRE_EDGE_INSECURE": "true",
                                            "VITALWIRE_EDGE_SPOOL_BYTES_MAX": str(spool_bytes)})
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
        state = self.state()
        return state["linked"] and state["spool_pieces"] == 0

    def memory_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return {kind: int(re.search(rf"{kind}:\s+(\d+)", status)[1]) // 1024 for kind in ("VmRSS", "RssAnon")}


class Pair:
    """A centre, a line, an edge, and a patient in a bed whose monitor speaks to the edge."""

    def __init__(self, make_server, tmp_path, spool_bytes=1 << 30):
        self.centre = make_server().start()
        self.line = Line(self.centre.http)
        code = self.centre.post("/api/v1/edges", {"id": "ward-7", "name": "Ward 7"})["code"]
        self.edge = Edge(tmp_path / "edge", f"http://127.0.0.1:{self.line.port}", code, spool_bytes).start()
        self.centre.put("/api/v1/policy", {"text": POLICY, "by": ""})
        wait_for(lambda: self.edge.get("/api/v1/policy")["text"] == POLICY, "the centre's policy at the edge", 120)

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


@pytest.fixture
def pair(make_server, tmp_path):
    made = []

    def make(**options):
        made.append(Pair(make_server, tmp_path, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def clinical(server, patient):
    """Alerts but those of silence, as group-like titles with state."""
    found = server.get(f"/api/v1/alerts?state=all&patient={patient}")["alerts"]
    return sorted((alert["title"], alert["state"]) for alert in found if "No data" not in alert["title"])


def test_the_line_is_cut_in_the_middle_of_a_deterioration(pair):
    pair = pair()
    edge, centre, line = pair.edge, pair.centre, pair.line
    pair.admit()
    say = pair.monitor
    counter = Monitor(edge, "counter")
    counts = itertools.count()

    def count(times=1):
        counter.send(*[json.dumps([{"n": HR, "v": next(counts), "bt": round(time.time(), 3)}]) for _ in range(times)])

    count(5)

    def known():
        found = [place["patient"] for place in centre.get("/api/v1/locations") if place["patient"]]
        return any(patient["id"] == pair.patient for patient in found) and edge.delivered()

    say.keep_saying(WELL, known, "the patient at the centre", 120)
    line.cut()
    count(5)

    def alarm():
        say.say(ILL)
        return any(state == "raised" for _, state in clinical(edge, pair.patient))

    wait_for(alarm, "the edge to alarm by itself", PATIENT_ALARM_S, 0.5)
    # Long enough for what is held back to count as late.
    end = time.monotonic() + 14
    while time.monotonic() < end:
        say.say(ILL)
        count(3)
        time.sleep(0.5)
    wait_for(lambda: not edge.state()["linked"], "the edge to see the cut", 60)
    assert edge.state()["spool_pieces"] > 0
    assert clinical(centre, pair.patient) == []
    line.mend()
    say.keep_saying(ILL, edge.delivered, "all to be delivered", 120, 1)
    count(2)
    say.keep_saying(WELL, lambda: all(s == "resolved" for _, s in clinical(edge, pair.patient)), "the end", 120, 0.5)
    pair.wait_delivered()
    wait_for(lambda: all(s == "resolved" for _, s in clinical(centre, pair.patient)), "the end at the centre")
    assert clinical(centre, pair.patient) == clinical(edge, pair.patient), "one episode, one alert"
    sent = next(counts)
    assert readings(centre, "counter") == list(range(sent)), "once and in order"
    assert centre.metric("vitalwire_counted_total", reason="edge-late") > 0
    assert centre.metric("vitalwire_counted_total", reason="late") > 0
    seen = centre.get("/api/v1/edges")[0]
    assert (seen["id"], seen["state"], seen["configured"]) == ("ward-7", "online", True)
    print(f"memory of the edge, MiB: {edge.memory_mib()} ({binary()})")


def test_an_edge_killed_at_random_moments_delivers_everything_once(pair):
    pair = pair()
    lots = random.Random(7)
    edge, line = pair.edge, pair.line
    sent = 0
    for _ in range(4):
        counter = Monitor(edge, "counter")
        if lots.random() < 0.5:
            line.cut()
        until = time.monotonic() + lots.uniform(0.2, 3)
        while time.monotonic() < until:
            counter.send(*[json.dumps([{"n": HR, "v": sent + n, "bt": round(time.time(), 3)}]) for n in range(4)])
            sent += 4
        edge.kill()
        counter.paho.loop_stop()
        line.mend()
        edge.start()
    pair.wait_delivered()
    assert readings(pair.centre, "counter") == list(range(sent))


def test_what_a_full_spool_lets_go_is_counted_and_told(pair):
    pair = pair(spool_bytes=40_000)
    counter = Monitor(pair.edge, "counter")
    counter.send(json.dumps([{"n": HR, "v": 0, "bt": round(time.time(), 3)}]))
    pair.wait_delivered()
    pair.line.cut()
    sent = 400
    for n in range(1, sent):
        counter.send(json.dumps([{"n": HR, "v": n, "bt": round(time.time(), 3)}]))
    wait_for(lambda: pair.edge.state()["spool_bytes"] > 30_000, "the spool to fill")
    pair.line.mend()
    pair.wait_delivered()

    def told():
        return pair.centre.get("/api/v1/edges/ward-7")["left_out"]

    gaps = wait_for(told, "the centre to be told")
    # The spool may run empty before the last acknowledged ones were put into it.
    wait_for(lambda: readings(pair.centre, "counter")[-1] == sent - 1, "the newest, which stay")
    arrived = readings(pair.centre, "counter")
    assert arrived == sorted(arrived)
    assert {(gap["class"], gap["reason"]) for gap in gaps} == {("numerics", "full")}
    wait_for(lambda: sum(gap["pieces"] for gap in told()) == sent - len(arrived), "each to be counted")


def test_an_edge_needs_its_own_code_and_token(pair):
    pair = pair()
    centre = pair.centre
    for body in ({"code": pair.edge.code}, {"code": "0" * 40}):
        centre.post("/api/v1/edges/ward-7/enrolment", body, expect=401)
    for token in ("", "x"):
        headers = {"Authorization": f"Bearer {token}"}
        centre.get("/api/v1/edges/ward-7/configuration", headers=headers, expect=401)
        centre.call("POST", "/api/v1/edges/ward-7/batch", expect=401, headers=headers)
    centre.call("DELETE", "/api/v1/edges/ward-7", expect=204)
    wait_for(lambda: not pair.edge.state()["linked"], "the edge to be refused")
    centre.get("/api/v1/edge", expect=404)
