"""An edge and its centre with a line between them that is cut: local alarm, everything once, no second alert.
An hour of it: tests/long/edge_cut.py."""

import itertools
import json
import random
import time

import pytest

from support.bedside import WELL, Monitor
from support.edge import Pair, clinical
from support.server import binary, wait_for
from support.stored import readings

HR = "MDC_ECG_HEART_RATE"
ILL = {HR: 135, "MDC_PULS_OXIM_SAT_O2": 86, "MDC_RESP_RATE": 29, "MDC_TEMP_BODY": 39.3}
PATIENT_ALARM_S = 60


@pytest.fixture
def pair(make_server, tmp_path):
    made = []

    def make(**options):
        made.append(Pair(make_server, tmp_path, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


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
        return any(patient["id"] == pair.patient for patient in found) and edge.caught_up()

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
    say.keep_saying(ILL, edge.caught_up, "all that waited to be delivered", 120, 1)
    count(2)
    say.keep_saying(WELL, lambda: all(s == "resolved" for _, s in clinical(edge, pair.patient)), "the end", 120, 0.5)
    pair.wait_delivered()
    wait_for(lambda: all(s == "resolved" for _, s in clinical(centre, pair.patient)), "the end at the centre")
    assert clinical(centre, pair.patient) == clinical(edge, pair.patient), "one episode, one alert"
    sent = next(counts)
    assert readings(centre, "counter") == list(range(sent)), "once and in order"
    assert centre.metric("vitalwire_counted_total", reason="edge-late") > 0
    assert centre.metric("vitalwire_counted_total", reason="late") > 0
    scores = centre.get("/fhir/Observation?device=Device/ward-7&_summary=count")["total"]
    assert scores > 0, "scores of the time of the cut, the edge's"
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
    arrived = readings(pair.centre, "counter")
    assert arrived[-1] == sent - 1, "the newest stay, and are there when the edge says that all is"
    assert arrived == sorted(arrived)
    assert {(gap["class"], gap["reason"]) for gap in gaps} == {("numerics", "full")}
    # What was let go while it was on its way is counted and arrives as well: never less than is missing.
    wait_for(lambda: sum(gap["pieces"] for gap in told()) >= sent - len(arrived), "each to be counted")


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
