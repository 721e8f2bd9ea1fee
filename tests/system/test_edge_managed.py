"""What a centre says to its edges: deeds on alerts, patients' own limits, rules, tokens, certificates; and what comes back."""

import http.server
import json
import threading
import time

import pytest

from support.bedside import WELL, Monitor
from support.edge import POLICY, Edge, Pair, clinical
from support.server import wait_for
from system.test_trust import House

HR = "MDC_ECG_HEART_RATE"
ILL = {HR: 135, "MDC_PULS_OXIM_SAT_O2": 86, "MDC_RESP_RATE": 29, "MDC_TEMP_BODY": 39.3}
LATCHED = POLICY.replace("clear_s = 2", "clear_s = 2\nlatch = true")
ALARM_S = 120


@pytest.fixture
def pair(make_server, tmp_path):
    made = []

    def make(**options):
        made.append(Pair(make_server, tmp_path, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def alert(server, patient):
    """The patient's newest alert but those of silence."""
    found = server.get(f"/api/v1/alerts?state=all&patient={patient}")["alerts"]
    found = [one for one in found if "No data" not in one["title"]]
    return max(found, key=lambda one: one["raised_ms"], default=None)


def state(server, patient):
    found = alert(server, patient)
    return found and found["state"]


def test_what_people_do_to_an_alert_at_the_centre_is_done_at_the_edge(pair):
    pair = pair(policy=LATCHED)
    edge, centre = pair.edge, pair.centre
    pair.admit()
    say, patient = pair.monitor, pair.patient

    def both(wanted, values, what):
        say.keep_saying(values, lambda: state(edge, patient) == wanted == state(centre, patient), what, ALARM_S, 0.5)

    def act(action, body):
        centre.post(f"/api/v1/alerts/{alert(centre, patient)['episode']}/{action}", body)

    # The centre knows of the device only when it was heard through the edge.
    say.keep_saying(WELL, lambda: centre.get("/api/v1/edges/ward-7")["devices"], "the device at the centre", 60)
    say.keep_saying(ILL, lambda: state(centre, patient) == "raised" == state(edge, patient), "the alert", ALARM_S, 0.5)
    act("acknowledge", {"reason": "on my way"})
    both("acknowledged", ILL, "it to be taken at the edge as well")
    act("snooze", {"minutes": 30, "reason": "being washed"})
    both("snoozed", ILL, "it to be silenced at the edge as well")
    # It came back from the edge and was so already: one change of each kind in the history.
    history = centre.get(f"/api/v1/alerts/{alert(centre, patient)['episode']}")
    kinds = [event["kind"] for event in history["events"]]
    assert (kinds.count("acknowledged"), kinds.count("snoozed"), kinds.count("raised")) == (1, 1, 1), kinds
    both("resolved", WELL, "its end")
    # A second one nobody takes: it latches, and a reset at the centre ends it at the edge.
    say.keep_saying(ILL, lambda: state(centre, patient) == "raised" == state(edge, patient), "a second alert", ALARM_S, 0.5)
    both("latched", WELL, "it to latch")
    act("reset", {"reason": "seen"})
    both("resolved", WELL, "it to be over at both")
    assert len(clinical(edge, patient)) == len(clinical(centre, patient)) == 2


def test_limits_of_a_patient_go_down_and_up(pair):
    pair = pair()
    edge, centre = pair.edge, pair.centre
    pair.admit()
    patient = pair.patient

    def own(server):
        return {one["metric"]: (one["low"], one["high"])
                for one in server.get(f"/api/v1/patients/{patient}")["limits"] if one["source"] == "patient"}

    def limits(server, low, high):
        body = {"metric": HR, "low": low, "high": high, "reason": "athlete"}
        server.put(f"/api/v1/patients/{patient}/limits", body)

    def wait(server, wanted, what):
        pair.monitor.keep_saying(WELL, lambda: own(server) == wanted, what, 60, 0.5)

    def known():
        found = [place["patient"] for place in centre.get("/api/v1/locations") if place["patient"]]
        return any(one["id"] == patient for one in found) and centre.get("/api/v1/edges/ward-7")["devices"]

    pair.monitor.keep_saying(WELL, known, "the patient and the device at the centre", 120)
    limits(centre, 38, 110)
    wait(edge, {HR: (38, 110)}, "the limits at the edge")
    centre.put(f"/api/v1/patients/{patient}/spo2-scale", {"scale": 2, "reason": "COPD"})
    pair.monitor.keep_saying(WELL, lambda: edge.get(f"/api/v1/patients/{patient}")["spo2_scale"] == 2, "the scale", 60, 0.5)
    limits(edge, 40, 115)
    wait(centre, {HR: (40, 115)}, "what was set at the edge, at the centre")
    limits(centre, None, None)
    wait(edge, {}, "the end of the limits at the edge")


def test_rules_hold_while_the_line_is_cut_and_what_they_leave_out_is_counted(pair):
    pair = pair()
    edge, centre = pair.edge, pair.centre
    counter = Monitor(edge, "counter")

    def send(n):
        counter.send(json.dumps([{"n": HR, "v": 60 + n % 40, "bt": round(time.time(), 3)}]))

    send(0)
    pair.wait_delivered()
    rules = {"waveforms": "none", "around_alerts_s": 0, "around_priority": "high", "numerics_every_s": 3600}
    centre.put("/api/v1/edges/ward-7/rules", rules, expect=204)
    wait_for(lambda: centre.get("/api/v1/edges/ward-7")["edge"]["configured"], "the rules at the edge", 60)
    send(1)
    pair.wait_delivered()
    pair.line.cut()
    before = edge.state()["left_out"]
    for n in range(30):
        send(n)
    wait_for(lambda: not edge.state()["linked"], "the cut to be seen", 60)
    wait_for(lambda: edge.state()["left_out"] >= before + 30, "the edge to count by itself", 60)
    assert {(one["class"], one["reason"]) for one in edge.state()["left_out_by"]} == {("numerics", "rule")}
    assert edge.state()["state"] == "away"
    pair.line.mend()

    def told():
        return sum(gap["pieces"] for gap in centre.get("/api/v1/edges/ward-7")["left_out"] if gap["reason"] == "rule")

    wait_for(lambda: told() == edge.state()["left_out"] > 0, "the centre to know of each", 60)


def test_another_token_is_taken_without_a_pause(pair):
    pair = pair()
    edge, centre = pair.edge, pair.centre
    counter = Monitor(edge, "counter")
    since = centre.get("/api/v1/edges")[0]["token_since_ms"]
    centre.post("/api/v1/edges/ward-7/rotation", None, expect=204)

    def rotated():
        counter.send(json.dumps([{"n": HR, "v": 70, "bt": round(time.time(), 3)}]))
        return centre.get("/api/v1/edges")[0]["token_since_ms"] != since

    wait_for(rotated, "the other token", 60, 0.3)
    edge.stop()
    edge.start()
    pair.wait_delivered()
    seen = centre.get("/api/v1/edges")[0]
    assert (seen["age"], seen["version"], seen["refused"]) == ("same", seen["centre_version"], [])


class FakeCentre:
    """A centre that wants a policy which nobody understands, as a newer one might; keeps what it is sent."""

    def __init__(self):
        self.batches, this = [], self
        configuration = {"etag": "e1", "rules": {"waveforms": "all", "a_rule_of_tomorrow": 1}, "policy": "name = 7", "actions": []}

        class Handler(http.server.BaseHTTPRequestHandler):
            def _answer(self, body):
                text = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_GET(self):
                self._answer(configuration)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path.endswith("/enrolment"):
                    self._answer({"token": "t"})
                    return
                this.batches.append(body)
                now = int(time.time() * 1e6)
                self._answer({"durable": 1 << 60, "configuration": "e1", "now": now, "unread": []})

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def test_what_an_edge_refuses_of_its_configuration_is_told(tmp_path):
    centre = FakeCentre()
    edge = Edge(tmp_path / "edge", f"http://127.0.0.1:{centre.server.server_port}", "c").start()
    try:
        refused = wait_for(lambda: edge.state()["refused"], "the refusal", 60)
        assert len(refused) == 1 and refused[0].startswith("the policy is not understood")
        wait_for(lambda: b"the policy is not understood" in centre.batches[-1], "the centre to be told", 60)
        assert edge.state()["configuration"] == "e1", "the rest is in force"
    finally:
        edge.stop()
        centre.server.shutdown()


def test_an_edge_with_a_certificate_is_let_in_with_both_alone(tmp_path):
    house = House(tmp_path)
    edge = None
    try:
        serial = house.enrol("ward-7")
        code = house.call("POST", "/api/v1/edges", {"id": "ward-7", "name": "Ward 7"})["code"]
        own = {"VITALWIRE_OUTGOING_CA_FILE": house.authority}
        shown = {"VITALWIRE_EDGE_CERTIFICATE": str(tmp_path / "ward-7.pem"), "VITALWIRE_EDGE_KEY": str(tmp_path / "ward-7.key")}
        address = f"https://localhost:{house.server.http[1]}"
        edge = Edge(tmp_path / "edge", address, code, environment={**own, **shown}).start()
        wait_for(lambda: edge.state()["linked"], "the edge to be let in", 60)
        assert house.call("GET", "/api/v1/edges/ward-7")["edge"]["certificate_since_ms"]
        edge.stop()
        # Its token alone opens nothing any more.
        edge.environment = {key: value for key, value in edge.environment.items() if key not in shown}
        edge.start()
        wait_for(lambda: "certificate" in edge.state()["trouble"], "the token alone to be refused", 60)
        assert not edge.state()["linked"]
        edge.stop()
        edge.environment.update(shown)
        edge.start()
        wait_for(lambda: edge.state()["linked"], "both to be let in", 60)
        house.call("POST", f"/api/v1/trust/certificates/{serial}/revoke", {"reason": "key-compromise"}, expect=204)
        wait_for(lambda: not edge.state()["linked"], "the certificate to be refused", 60)
    finally:
        if edge and edge.process:
            edge.stop()
        house.server.stop()
