"""The network is cut for an hour in the middle of a deterioration: the edge alarms by itself; afterwards the centre has
every number and alert once, in order, marked as late, and no second alert.

By hand, with the release program (an hour and some minutes):

    VITALWIRE_BIN=target/release/vitalwire target/test-venv/bin/pytest tests/long/edge_cut.py -s

EDGE_CUT_S is how long the line is cut (3600), EDGE_WAVE_BEDS how many more beds send waveforms meanwhile (4). The short one
is in tests/system/test_edge.py.
"""

import json
import os
import threading
import time

import paho.mqtt.client as mqtt

from support.bedside import WELL, Monitor, admit
from support.edge import Pair, clinical
from support.server import binary, wait_for
from support.stored import readings
from support.waves import Load, associate, channels, checksum, patients, strips

CUT_S = int(os.environ.get("EDGE_CUT_S", "3600"))
BEDS = int(os.environ.get("EDGE_WAVE_BEDS", "4"))
HR = "MDC_ECG_HEART_RATE"
ILL = {HR: 135, "MDC_PULS_OXIM_SAT_O2": 86, "MDC_RESP_RATE": 29, "MDC_TEMP_BODY": 39.3}
RAISED_WITHIN_S = 5  # of the message that makes it so; generous, the figure is printed
POLICY = """
name = "Test"
[[chain]]
name = "ward"
repeat_s = 14400
step = [{ role = "nurse", after_s = 0 }, { role = "physician", after_s = 14400 }]
[gap]
after_s = 120
intervals = 4
priority = "low"
[[rule]]
id = "news2"
title = "Early-warning score high"
group = "deterioration"
level = [{ priority = "high", when = "NEWS2 >= 7", for_s = 0 }]
clear_s = 10
"""


def between(one, other, part):
    """Values on the way from well to ill."""
    return {name: round(one[name] + (other[name] - one[name]) * part, 1) for name in one}


class Bedside:
    """A monitor that speaks once a second, and what it has said."""

    def __init__(self, edge, device):
        self.monitor, self.said, self.values = Monitor(edge, device), 0, dict(WELL)
        self.times = []

    def say(self):
        self.times.append(time.time())
        self.monitor.say(self.values)
        self.said += 1

    def until(self, alarm):
        """Milliseconds until an alarm came, from the beginning of the message that it tells the time of."""
        came, told = alarm
        return 1000 * (came - max(time for time in self.times if time <= told + 0.001))


class Alarms:
    """What the edge tells on its topic of alerts, with when it came."""

    def __init__(self, edge):
        self.heard, self.lock = [], threading.Lock()
        self.paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "pager")
        self.paho.on_message = self._on_message
        self.paho.on_connect = lambda client, *_: client.subscribe("vitalwire/edge/alerts", 1)
        self.paho.connect(*edge.mqtt)
        self.paho.loop_start()

    def _on_message(self, _client, _data, message):
        with self.lock:
            self.heard.append((time.time(), json.loads(message.payload)))

    def raised(self, patient):
        """When it came, and the time it tells, in seconds; none if it did not."""
        with self.lock:
            found = (one for one in self.heard if one[1]["patient"] == patient and one[1]["change"] == "raised")
            return next(((at, one["at_ms"] / 1000) for at, one in found), None)


def test_the_line_is_cut_for_long_in_the_middle_of_a_deterioration(make_server, tmp_path):
    pair = Pair(make_server, tmp_path, policy=POLICY)
    pair.load = None
    try:
        run(pair, tmp_path)
    finally:
        if pair.load and pair.load.process.poll() is None:
            pair.load.process.kill()
        pair.stop()


def run(pair, folder):
    edge, centre, line = pair.edge, pair.centre, pair.line
    ill, bed_ill = admit(edge, "E1", "E1")
    brief, bed_brief = admit(edge, "E2", "E2")
    first, second = Bedside(edge, "monitor-1"), Bedside(edge, "monitor-2")
    alarms = Alarms(edge)
    for bedside, bed in ((first, bed_ill), (second, bed_brief)):
        bedside.say()
        edge.post(f"/api/v1/devices/{bedside.monitor.device}/mount", {"location": bed}, expect=204)
    associate(edge, [f"wave-{n}" for n in range(BEDS)])
    counter, counts = Monitor(edge, "counter"), 0

    def speak(seconds):
        """All speak once a second for so long."""
        nonlocal counts
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            due = time.monotonic() + 1
            first.say()
            second.say()
            counter.send(json.dumps([{"n": HR, "v": counts, "bt": round(time.time(), 3)}]))
            counts += 1
            sample()
            time.sleep(max(0, due - time.monotonic()))

    most = {"VmRSS": 0, "RssAnon": 0}
    spooled = 0

    def sample():
        nonlocal spooled
        for kind, mib in edge.memory_mib().items():
            most[kind] = max(most[kind], mib)
        if counts % 7 == 0:  # no pause as long as the server's patience with a connection that rests
            spooled = max(spooled, edge.state()["spool_bytes"])

    load = pair.load = Load(edge, folder, BEDS, seconds=CUT_S + 120, seed=7) if BEDS else None
    speak(20)

    def known():
        speak(1)
        found = {place["patient"]["id"] for place in centre.get("/api/v1/locations") if place["patient"]}
        return {ill, brief} <= found

    wait_for(known, "the centre to know both", 120)
    # It begins before the cut: values move, no alert yet.
    for part in (0.1, 0.2, 0.3):
        first.values = between(WELL, ILL, part)
        speak(10)
    assert clinical(edge, ill) == []
    line.cut()
    cut_at = time.time()
    for part in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        first.values = between(WELL, ILL, part)
        speak(max(2, CUT_S // 60))
        if alarms.raised(ill):
            break
    raised = wait_for(lambda: (speak(1), alarms.raised(ill))[1], "the edge's own alarm", 60)
    print(f"raised {raised[0] - cut_at:.1f} s after the cut, {first.until(raised):.1f} ms after the message that makes it so was begun")
    first.values = dict(ILL)
    # The other is ill for some minutes and well again, all while the line is cut.
    second.values = dict(ILL)
    at = wait_for(lambda: (speak(1), alarms.raised(brief))[1], "the other's alarm", 60)
    print(f"the other's alarm {second.until(at):.1f} ms after the message that makes it so was begun")
    assert max(first.until(raised), second.until(at)) < 1000 * RAISED_WITHIN_S
    speak(max(5, CUT_S // 12))
    second.values = dict(WELL)
    speak(max(5, cut_at + CUT_S - time.time()))
    assert clinical(centre, ill) == [] and clinical(centre, brief) == [], "nothing of it at the centre yet"
    assert not edge.state()["linked"]
    held = edge.state()
    print(f"cut for {time.time() - cut_at:.0f} s; waiting: {held['spool_pieces']} pieces, {held['spool_bytes'] / 1e6:.1f} MB")
    line.mend()
    mended = time.monotonic()
    wait_for(lambda: (speak(1), clinical(centre, ill))[1], "the alert at the centre", 300)
    print(f"the alert is at the centre {time.monotonic() - mended:.1f} s after the line is back")

    def delivered():
        speak(1)
        return edge.caught_up()

    wait_for(delivered, "all that waited to be delivered", 900)
    print(f"all that waited is there {time.monotonic() - mended:.1f} s after")
    first.values = dict(WELL)
    wait_for(lambda: (speak(1), all(s == "resolved" for _, s in clinical(edge, ill)))[1], "the end at the edge", 180)
    report, manifest = load.end() if load else (None, None)
    pair.wait_delivered()
    for patient in (ill, brief):
        wait_for(lambda: clinical(centre, patient) == clinical(edge, patient), "the same alerts at both", 60)
        assert clinical(centre, patient) == [("Early-warning score high", "resolved")], "one episode, one alert"
    alerts(edge, centre, (ill, brief))
    # What is acknowledged last is on its way for a moment.
    wait_for(lambda: len(readings(centre, "counter")) >= counts, "the newest", 60, 1)
    assert readings(centre, "counter") == list(range(counts)), "once and in order"
    print(f"memory of the edge, MiB, at most: {most}; spool at most {spooled / 1e6:.1f} MB ({binary()})")
    for bedside in (first, second):
        found = centre.get(f"/fhir/Observation?device=Device/{bedside.monitor.device}&_summary=count")["total"]
        assert found == bedside.said * len(WELL), (bedside.monitor.device, found, bedside.said)
    late = centre.metric("vitalwire_counted_total", reason="edge-late")
    assert late >= 3 * (CUT_S - 60), late
    assert centre.get("/api/v1/edges/ward-7")["left_out"] == []
    if load:
        assert report["refused"] == 0
        wait_for(lambda: not other_waves(centre, manifest), "every sample of every waveform at the centre", 120, 2)
    print(f"counter {counts}, numerics {4 * (first.said + second.said)}, late messages {late:.0f}, waveform frames "
          f"{report['acknowledged'] if report else 0}: all there, once, in order")


def alerts(edge, centre, of):
    """The alerts of both are raised and over at the same times, to the second."""
    for patient in of:
        times = []
        for server in (edge, centre):
            found = server.get(f"/api/v1/alerts?state=all&patient={patient}")["alerts"]
            found = [one for one in found if "No data" not in one["title"]]
            assert len(found) == 1
            times.append(found[0]["raised_ms"])
        assert abs(times[0] - times[1]) < 1_000, times


def other_waves(centre, manifest):
    """Waveforms that are not at the centre sample by sample as they were sent."""
    of, other = patients(centre), []
    for bed in manifest["beds"]:
        assert bed["acknowledged"] == bed["sent"]
        found = channels(centre, of[bed["device"]])
        for channel in bed["channels"]:
            stored = strips(centre, of[bed["device"]], found[channel["metric"]])
            if checksum(stored) != (channel["samples"], channel["crc32"]):
                other.append((bed["device"], channel["metric"]))
    return other
