"""Waveform frames that don't fit: each has the behaviour that docs/interfaces/mqtt-native.md states, is counted on
its channel, and what is stored stays right. Sample number i has the count i % 1000, so a place in the row shows."""

import struct
import time
import zlib

import pytest

from support.server import wait_for
from support.waves import CODES, WaveMonitor, associate, channels, frame, patients, strips

METRIC = "MDC_PULS_OXIM_PLETH"
RATE = 125
EACH = 50  # samples of a frame
LENGTH_S = EACH / RATE


def ramp(first, count):
    return [i % 1000 for i in range(first, first + count)]


class Device:
    """A device whose sample 0 is taken when the device is made; frames are sent when they are complete."""

    def __init__(self, server, name):
        associate(server, [name])
        self.server, self.name = server, name
        self.monitor = WaveMonitor(server, name)
        self.begin_us = int(time.time() * 1e6)
        self.id = None

    def us(self, sample, rate=RATE):
        return self.begin_us + sample * 1_000_000 // rate

    def payload(self, number, first=None, count=EACH, ahead_us=0, rate=RATE, **options):
        first = number * EACH if first is None else first
        options = {"scale": 0.001, "encoding": frame.DELTA_VARINT, **options}
        channel = frame.Channel(CODES[METRIC], (rate, 1), ramp(first, count), **options)
        return frame.encode(number, [channel], time_us=self.us(first) + ahead_us)

    def send(self, *numbers, **options):
        """Frames of these numbers, each not before its samples are over."""
        for number in numbers:
            time.sleep(max(0, self.us((number + 1) * EACH) / 1e6 - time.time()))
            self.monitor.send(self.payload(number, **options))

    def channel(self):
        if self.id is None:
            self.id = wait_for(lambda: patients(self.server).get(self.name), "the patient")
        return wait_for(lambda: channels(self.server, self.id).get(METRIC), "the channel")

    def counted(self):
        return self.channel()["counted"]

    def stored(self):
        """Stretches that join, joined: first sample's number by its time, counts."""
        found, channel = [], self.channel()
        for start_ms, rate, scale, _, counts in strips(self.server, self.id, channel):
            first = round((start_ms * 1000 - self.begin_us) * RATE / 1e6)
            if found and found[-1][0] + len(found[-1][1]) == first and found[-1][2] == (rate, scale):
                found[-1][1].extend(counts)
            else:
                found.append((first, list(counts), (rate, scale)))
        return [(first, counts) for first, counts, _ in found]

    def expect(self, stored, **counted):
        """Waits until the channel's counters and what is stored are these, and no others."""
        counted = {reason.replace("_", "-"): number for reason, number in counted.items()}
        seen = []

        def as_expected():
            seen[:] = [self.counted(), self.stored()]
            return seen == [counted, stored]

        try:
            wait_for(as_expected, "the channel to be as expected", 20, 0.2)
        except AssertionError:
            assert seen == [counted, stored]


@pytest.fixture
def device(shared_server, request):
    made = Device(shared_server, request.node.name.replace("_", "-").removeprefix("test-"))
    yield made
    made.monitor.stop()


def test_in_order(device):
    device.send(*range(5))
    device.expect([(0, ramp(0, 5 * EACH))])


def test_out_of_order(device):
    device.send(0, 1, 3, 2, 4)
    device.expect([(0, ramp(0, 5 * EACH))], wave_gap=1, wave_frame_missing=1, wave_late=EACH)


def test_lost(device):
    device.send(0, 1, 4, 5)
    there = [(0, ramp(0, 2 * EACH)), (4 * EACH, ramp(4 * EACH, 2 * EACH))]
    device.expect(there, wave_gap=1, wave_frame_missing=2)


def test_repeated(device):
    device.send(0, 1, 1, 2)  # byte for byte: known as a message already
    device.monitor.send(device.payload(9, first=EACH))  # the same samples under another number
    device.send(3)
    device.expect([(0, ramp(0, 4 * EACH))], wave_repeated=EACH)


def test_repeated_with_other_samples(device):
    """What was stored first stays."""
    device.send(0, 1)
    other = frame.Channel(CODES[METRIC], (RATE, 1), [777] * EACH, scale=0.001)
    device.monitor.send(frame.encode(1, [other], time_us=device.us(EACH)))
    device.expect([(0, ramp(0, 2 * EACH))], wave_repeated=EACH)


def test_overlapping(device):
    """A frame that begins with samples sent before, under the number of the last one."""
    device.send(0, 1)
    time.sleep(LENGTH_S)
    device.monitor.send(device.payload(1, first=2 * EACH - 20, count=EACH + 20))
    device.send(3)
    device.expect([(0, ramp(0, 4 * EACH))], wave_overlap=20)


def test_another_rate(device):
    device.send(0, 1)
    time.sleep(LENGTH_S)
    double = frame.Channel(CODES[METRIC], (2 * RATE, 1), ramp(0, 2 * EACH), scale=0.001)
    device.monitor.send(frame.encode(2, [double], time_us=device.us(2 * EACH)))
    wait_for(lambda: device.counted() == {"wave-rate-changed": 1}, "the change to be counted")
    assert device.channel()["rate"] == [2 * RATE, 1]
    found = strips(device.server, device.id, device.channel())
    assert [(rate, counts) for _, rate, _, _, counts in found] == [
        ((RATE, 1), ramp(0, 2 * EACH)), ((2 * RATE, 1), ramp(0, 2 * EACH))]
    assert abs(found[1][0] * 1000 - device.us(2 * EACH)) < 1000


def test_another_gain(device):
    device.send(0, 1)
    device.send(2, 3, scale=0.004, offset=0.5)
    wait_for(lambda: device.counted() == {"wave-gain-changed": 1}, "the change to be counted")
    device.expect([(0, ramp(0, 2 * EACH)), (2 * EACH, ramp(2 * EACH, 2 * EACH))], wave_gain_changed=1)
    found = strips(device.server, device.id, device.channel())
    values = [count * scale + offset for _, _, scale, offset, counts in found for count in counts]
    sent = [i * 0.001 if i < 2 * EACH else i * 0.004 + 0.5 for i in ramp(0, 4 * EACH)]
    assert values == pytest.approx(sent, rel=1e-5)


def test_a_clock_that_jumps_back(device):
    """An hour back from one frame to the next, without a pause: the clock jumped, not the patient."""
    device.send(0, 1, 2)
    device.send(3, ahead_us=-3_600_000_000)
    device.expect([(0, ramp(0, 4 * EACH))], wave_clock_jump=1)


def test_a_clock_that_jumps_ahead(device):
    """An hour ahead: nothing is measured after it is received, so the device's clock is corrected at once."""
    device.send(0, 1, 2)
    device.send(3, 4, ahead_us=3_600_000_000)
    wait_for(lambda: len(device.stored()) == 1 and len(device.stored()[0][1]) == 5 * EACH, "the samples to join")
    assert device.stored() == [(0, ramp(0, 5 * EACH))]

    def clock():
        lines = device.server.get("/api/v1/devices")["devices"]
        return next(line for line in lines if line["id"] == device.name)["clock"]

    wait_for(lambda: clock() == "off", "the clock to be known as wrong")


def broken(device):
    """Frames that can't be, each with what is wrong with it."""
    good = device.payload(1)

    def sealed(body):
        return body + struct.pack("<I", zlib.crc32(body))

    def patched(at, kind, value):
        body = bytearray(good[:-4])
        struct.pack_into(kind, body, at, value)
        return sealed(bytes(body))

    yield "empty", b""
    yield "cut", good[:-9]
    yield "too long", good + b"\0" * 8
    yield "checksum", good[:-1] + bytes([good[-1] ^ 1])
    yield "version", patched(4, "<B", 9)
    yield "more channels than there are", patched(6, "<H", 3)
    yield "65,535 channels", patched(6, "<H", 65_535)
    yield "no rate", patched(20 + 12, "<I", 0)
    yield "no rate below the line", patched(20 + 16, "<I", 0)
    yield "no scale", patched(20 + 28, "<d", 0.0)
    yield "scale that is no number", patched(20 + 28, "<d", float("nan"))
    yield "endless scale", patched(20 + 28, "<d", float("inf"))
    yield "more samples than bytes", patched(20 + 44, "<I", 51)
    yield "fewer samples than bytes", patched(20 + 44, "<I", 49)
    yield "four milliards of samples", patched(20 + 44, "<I", 0xFFFFFFFF)
    yield "four milliards of bytes", patched(20 + 48, "<I", 0xFFFFFFFF)
    yield "unknown encoding", patched(20 + 24, "<B", 7)
    yield "unknown metric", patched(20, "<I", 0xFFFFFFF0)


def test_impossible_lengths(device):
    device.send(0)
    assert quarantine(device) == []
    sent = 0
    for what, payload in broken(device):
        device.monitor.send(payload)  # is acknowledged: it is on disk, in quarantine
        sent += 1
    device.send(1, 2)
    wait_for(lambda: len(quarantine(device)) == sent, f"{sent} messages in quarantine", 30)
    device.expect([(0, ramp(0, 3 * EACH))])


def quarantine(device):
    items = device.server.get("/api/v1/quarantine?limit=200")["items"]
    return [item for item in items if item["sender"] == device.name]


def test_a_bad_channel_takes_no_other_away(device):
    bad = frame.Channel(0xFFFFFFF0, (RATE, 1), ramp(0, EACH))
    good = frame.Channel(CODES[METRIC], (RATE, 1), ramp(0, EACH), scale=0.001)
    time.sleep(LENGTH_S)
    device.monitor.send(frame.encode(0, [bad, good], time_us=device.us(0)))
    device.send(1)
    device.expect([(0, ramp(0, 2 * EACH))])
