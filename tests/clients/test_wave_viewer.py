"""Live waveforms seen by somebody else's WebSocket library: bit for bit what a paho-mqtt device sent; thinned for who is slow and for
nobody else; closed to who may not look."""

import random
import threading
import time

import pytest
import requests
from websockets.exceptions import InvalidStatus

from support import waves
from support.server import wait_for
from wave_viewer import WaveViewer

METRICS = (("MDC_ECG_ELEC_POTL_II", (250, 1)), ("MDC_PULS_OXIM_PLETH", (125, 1)), ("MDC_IMPED_TTHOR", (125, 2)))
PASSWORD = "correct horse battery 9"


class Bed:
    """A patient whose monitor sends frames of 400 ms, in time, until it is stopped."""

    def __init__(self, server, name, seed):
        waves.associate(server, [name])
        self.patient = waves.patients(server)[name]
        self.monitor = waves.WaveMonitor(server, name)
        wait_for(self.monitor.paho.is_connected, "the monitor to be connected")
        self.chance = random.Random(seed)
        self.begin_us = int(time.time() * 1e6)
        self.sent = {metric: [] for metric, _ in METRICS}
        self.frames = 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        page = f"{server.url}/api/v1/patients/{self.patient}/waveforms"
        wait_for(lambda: server.session.get(page, timeout=60).status_code == 200, "the first samples")
        wait_for(lambda: len(waves.channels(server, self.patient)) == len(METRICS), "the channels")
        self.channels = waves.channels(server, self.patient)

    def run(self):
        while not self.stopping.is_set():
            channels = []
            for metric, rate in METRICS:
                count = 2 * rate[0] // (5 * rate[1])  # 400 ms
                samples = [self.chance.randrange(-2_000, 2_000) for _ in range(count)]
                channels.append(waves.frame.Channel(waves.CODES[metric], rate, samples, 0.005))
                self.sent[metric] += samples
            at = self.begin_us + self.frames * 400_000
            self.monitor.send(waves.frame.encode(self.frames, channels, time_us=at))
            self.frames += 1
            time.sleep(max(0.0, (self.begin_us + self.frames * 400_000) / 1e6 - time.time()))

    def wanted(self):
        return [(view, self.patient, self.channels[metric]["series"]) for view, (metric, _) in enumerate(METRICS)]

    def stop(self):
        self.stopping.set()
        self.thread.join(60)
        self.monitor.stop()


@pytest.fixture
def bed(server):
    made = Bed(server, "wave-bed", 7)
    yield made
    made.stop()


def test_every_sample_is_seen_and_read_back(server, bed):
    viewer = WaveViewer(server)
    viewer.watch(bed.wanted())
    viewer.until(lambda: len(viewer.counts.get(0, [])) >= 250 * 6, "six seconds")
    bed.stop()
    for view, (metric, rate) in enumerate(METRICS):
        sent = bed.sent[metric]
        viewer.until(lambda view=view, sent=sent: len(viewer.counts[view]) >= len(sent), "all that was sent")
        assert viewer.counts[view] == sent, metric
        # Messages follow each other by counting: each begins where the last one ended.
        pieces = viewer.starts[view]
        assert {piece[1] for piece in pieces} == {rate}
        for (start, _, count, scale, _), (following, *_) in zip(pieces, pieces[1:]):
            assert abs(start + count * 1000 * rate[1] / rate[0] - following) < 0.01
            assert abs(scale - 0.005) < 1e-9
        # The same over HTTP, stored.
        stored = waves.strips(server, bed.patient, waves.channels(server, bed.patient)[metric])
        assert [count for *_, counts in stored for count in counts] == sent
        # And as FHIR.
        query = f"/fhir/Observation?patient={bed.patient}&code={waves.CODES[metric]}&_count=1000&_sort=date"
        data = [entry["resource"]["valueSampledData"]["data"].split() for entry in server.get(query)["entry"]]
        values = [float(value) for part in data for value in part]
        assert len(values) == len(sent) and all(abs(v - s * 0.005) < 1e-9 for v, s in zip(values, sent))
    states = [told for told in viewer.told if told["type"] == "channel"]
    assert {told["state"] for told in states} <= {"live", "silent"} and {told["thinned"] for told in states} == {1}
    viewer.close()


def test_a_slow_link_is_thinned_and_says_so_while_another_gets_all(server, bed):
    quick, slow = WaveViewer(server), WaveViewer(server, bytes_per_s=450)
    for viewer in (quick, slow):
        viewer.watch(bed.wanted())
    looking = threading.Thread(target=slow.read, args=(25,), daemon=True)
    looking.start()
    quick.until(lambda: not looking.is_alive(), "the slow one to have looked", 120)
    bed.stop()
    sent = bed.sent[METRICS[0][0]]
    quick.until(lambda: len(quick.counts[0]) >= len(sent), "all that was sent")
    assert quick.counts[0] == sent and quick.thinned == 0
    reasons = {told.get("why") for told in slow.told}
    assert slow.thinned > 0 and slow.pairs > 0 and "slow link" in reasons, (slow.thinned, slow.pairs, reasons)
    assert max(told.get("thinned", 1) for told in slow.told) > 1
    for viewer in (quick, slow):
        viewer.close()


def test_only_who_may_look_is_let_in_and_only_while_they_may(make_server):
    server = make_server(open=False)
    server.environment["VITALWIRE_PASSWORD"] = PASSWORD
    for role in ("nurse", "engineer"):
        server.run("user", "add", role, "--role", role)
    server.start()

    def session(role):
        entered = requests.Session()
        entered.trust_env = False
        answer = entered.post(f"{server.url}/api/v1/login", json={"name": role, "password": PASSWORD}, timeout=60)
        assert answer.status_code == 200, answer.text
        return entered, {"Cookie": "; ".join(f"{c.name}={c.value}" for c in entered.cookies)}

    def refused(**options):
        with pytest.raises(InvalidStatus) as error:
            WaveViewer(server, **options)
        return error.value.response.status_code

    nurse, cookie = session("nurse")
    assert refused() == 401
    assert refused(headers=session("engineer")[1]) == 403
    assert refused(headers=cookie, origin="https://evil.example") == 403
    viewer = WaveViewer(server, headers=cookie, origin=server.url)
    viewer.watch([])
    assert viewer.read(2.5), "open while the session lasts"
    assert nurse.post(f"{server.url}/api/v1/logout", timeout=60).status_code == 204
    assert not viewer.read(30), "closed when the session has ended"
    assert viewer.socket.protocol.close_rcvd.code == 1008
    log = "".join(path.read_text() for path in server.data.rglob("audit.log"))
    assert "/api/v1/waveforms/live" in log
