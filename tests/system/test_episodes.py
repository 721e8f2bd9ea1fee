"""AL-1 to AL-4 over the wire: one episode, one alert; silence is an event; what worsens sounds again."""

import json
import time

import pytest

from support.bedside import WELL, Monitor, admit
from support.live import Viewer
from support.pager import Pager
from support.server import wait_for

HR = "MDC_ECG_HEART_RATE"
GAP_S = 4
POLICY = f"""
name = "Test"
[[chain]]
name = "ward"
repeat_s = 3600
step = [{{ role = "nurse", after_s = 0 }}, {{ role = "physician", after_s = 3600 }}]
[gap]
after_s = GAP
intervals = 4
priority = "low"
[[rule]]
id = "news2"
title = "Early-warning score high"
group = "deterioration"
level = [{{ priority = "high", when = "NEWS2 >= 7" }}, {{ priority = "medium", when = "NEWS2 >= 5" }}]
clear_s = 1
[[limit]]
metric = "{HR}"
high = 120
critical_high = 150
for_s = 0.5
clear_s = 1
worsen_by = 10
"""
ILL = {HR: 135, "MDC_PULS_OXIM_SAT_O2": 86, "MDC_RESP_RATE": 29, "MDC_TEMP_BODY": 39.3}


class Bed:
    """A patient with a monitor, and a viewer of the live stream."""

    def __init__(self, server, gap_s=3600):
        self.server = server
        server.put("/api/v1/policy", {"text": POLICY.replace("GAP", str(gap_s)), "by": ""})
        self.patient, bed = admit(server, "E1", "E")
        self.monitor = Monitor(server, "bedside")
        self.monitor.say(WELL)
        server.post("/api/v1/devices/bedside/mount", {"location": bed}, expect=204)
        self.viewer = Viewer(server)

    def alerts(self):
        return self.server.get(f"/api/v1/alerts?state=all&patient={self.patient}")["alerts"]

    def history(self, episode):
        return [event["kind"] for event in self.server.get(f"/api/v1/alerts/{episode}")["events"]]

    def alert(self, **wanted):
        """The alert if it is now as wanted; none while it is not."""
        for alert in self.alerts():
            if all(alert[key] == value for key, value in wanted.items()):
                return alert
        return None

    def say_until(self, values, **wanted):
        return self.monitor.keep_saying(values, lambda: self.alert(**wanted), f"an alert with {wanted}")

    def stop(self):
        self.viewer.stop()
        self.monitor.stop()


@pytest.fixture
def pager():
    pager = Pager()
    yield pager
    pager.stop()


def test_one_deterioration_is_one_alert(make_server, pager, tmp_path):
    """1,000 duplicates, five reconnects and a kill -9 in the middle of it raise no second one, and the
    pager is told once when it starts and once when it ends."""
    server = make_server(config=pager.config(tmp_path / "vitalwire.toml")).start()
    bed = Bed(server)
    bed.monitor.keep_saying(WELL, lambda: bed.viewer.tiles(bed.patient), "the tile")
    assert bed.alerts() == []

    raised = bed.say_until(ILL, state="raised", priority="high")
    repeated = bed.monitor.say(ILL)
    for _ in range(5):
        bed.monitor.send(*[repeated] * 200)
        bed.monitor.reconnect()
        bed.monitor.say(ILL)
        bed.monitor.send(*json_variants(ILL))
    bed.monitor.drop()
    server.kill()
    server.start()
    bed.monitor.connect()
    bed.monitor.send(*[repeated] * 10)
    for _ in range(8):
        bed.monitor.say(ILL)
        time.sleep(0.25)
    assert [alert["episode"] for alert in bed.alerts()] == [raised["episode"]]
    assert bed.alerts()[0]["state"] == "raised"
    assert bed.history(raised["episode"]).count("raised") == 1

    bed.say_until(WELL, state="resolved")
    bed.viewer.wait(lambda v: any(a["state"] == "resolved" for a in v.alerts(bed.patient)), "the end on the live stream")
    assert {alert["episode"] for alert in bed.viewer.alerts(bed.patient)} == {raised["episode"]}
    wait_for(lambda: len(pager.told) >= 2, "the pager to be told")
    # A recurrence is a new episode; once it was told, nothing older can still be on its way.
    again = bed.say_until(ILL, state="raised")
    assert again["episode"] != raised["episode"]
    wait_for(lambda: any(t["episode"] == again["episode"] for t in pager.told), "the pager to be told again")
    told = [(t["event"], t["episode"]) for t in pager.told]
    assert told == [("alert.started", raised["episode"]), ("alert.ended", raised["episode"]),
                    ("alert.started", again["episode"])]
    bed.stop()


def json_variants(values):
    """The same readings at one moment, in messages that differ."""
    now = round(time.time(), 3)
    return [json.dumps([{"bt": now, "n": n, "v": v}]) for n, v in values.items()]


def test_silence_raises_one_alert(server):
    """AL-2: within the limit plus one second, by the server's own clock; three times, because a machine
    under load may itself be late: the promptest counts."""
    bed = Bed(server, GAP_S)
    late_ms, episodes = [], set()
    for _ in range(3):
        for _ in range(12):
            bed.monitor.say(WELL)
            time.sleep(0.25)
        assert bed.alert(state="raised") is None
        alert = wait_for(lambda: bed.alert(state="raised"), "the gap's alert")
        assert alert["device"] == "bedside" and alert["episode"] not in episodes
        episodes.add(alert["episode"])
        heard = next(d for d in server.get("/api/v1/devices")["devices"] if d["id"] == "bedside")
        late_ms.append(alert["raised_ms"] - heard["last_seen_ms"] - GAP_S * 1000)
        # Silence goes on and raises nothing more; then it speaks again, and the alert ends.
        time.sleep(GAP_S)
        assert {a["episode"] for a in bed.alerts()} == episodes
        bed.say_until(WELL, episode=alert["episode"], state="resolved")
    assert min(late_ms) >= 0, late_ms
    assert min(late_ms) <= 1000, f"raised so long after the limit: {late_ms} ms"
    bed.stop()


def test_what_worsens_sounds_again(server):
    """AL-3: an acknowledged alert is quiet while it stays as it was, and sounds when it worsens: by so
    much, or to a higher priority."""
    bed = Bed(server)
    raised = bed.say_until({HR: 125}, state="raised", priority="medium")
    act = f"/api/v1/alerts/{raised['episode']}/acknowledge"
    assert server.post(act, {"reason": "seen"})["state"] == "acknowledged"
    for rate in (126, 127, 128, 124, 125):
        bed.monitor.say({HR: rate})
        time.sleep(0.25)
        assert bed.alert(state="acknowledged"), "it sounds although it did not worsen"
    assert bed.say_until({HR: 137}, state="raised")["episode"] == raised["episode"]
    tile = wait_for(lambda: next((t for t in bed.viewer.tiles(bed.patient)[-1:] if t["alarm"]["sounding"]), None), "the tile")
    assert tile["alarm"]["episode"] == raised["episode"]

    assert server.post(act, {"reason": "seen again"})["state"] == "acknowledged"
    assert bed.say_until({HR: 152}, state="raised", priority="high")["episode"] == raised["episode"]
    history = bed.history(raised["episode"])
    after = [history[n + 1] for n, kind in enumerate(history) if kind == "acknowledged"]
    assert after == ["worsened", "worsened"], history
    assert len(bed.alerts()) == 1
    bed.stop()
