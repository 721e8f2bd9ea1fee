"""Waveforms as they are sent and read back: the documented encoder, and the wave message of the application interface."""

import importlib.util
import json
import struct
import subprocess
import time
import zlib

import paho.mqtt.client as mqtt

from support.server import ROOT, binary

_spec = importlib.util.spec_from_file_location("vitalwire_frame", ROOT / "docs/interfaces/encoders/vitalwire_frame.py")
frame = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(frame)

CODES = {"MDC_ECG_ELEC_POTL_II": 131330, "MDC_PULS_OXIM_PLETH": 150452, "MDC_IMPED_TTHOR": 151780}
MISSING = -32768
SYSTEM = "urn:vitalwire:test"


def associate(server, devices):
    """Puts each device on a patient of its own, since yesterday."""
    server.session.post(server.url + "/api/v1/associations", json=[
        {"device": name, "identifier": f"{SYSTEM}|{name}", "name": f"Wave, {name}", "birth_date": "1960-05-01",
         "since_ms": int(time.time() * 1000) - 86_400_000}
        for name in devices], timeout=60).raise_for_status()


def patients(server):
    """Id of each patient of `associate`, by device."""
    found = {}
    page = server.get("/fhir/Patient?_count=1000")
    for entry in page.get("entry", []):
        for identifier in entry["resource"].get("identifier", []):
            if identifier.get("system") == SYSTEM:
                found[identifier["value"]] = entry["resource"]["id"]
    return found


def channels(server, patient):
    """The patient's waveforms, by metric."""
    return {c["metric"]: c for c in server.get(f"/api/v1/patients/{patient}/waveforms")["channels"]}


def strips(server, patient, channel):
    """All unbroken stretches of a channel, exactly as stored: time of the first sample in ms, rate, scale, offset, counts."""
    series = channel["series"]
    from_ms, to_ms = channel["first_ms"] - 1000, channel["last_ms"] + 1000
    answer = server.session.get(f"{server.url}/api/v1/patients/{patient}/waveforms/{series}",
                                params={"from_ms": from_ms, "to_ms": to_ms}, timeout=60)
    assert answer.status_code == 200, answer.text
    data, at, found = answer.content, 0, []
    while at < len(data):
        length = struct.unpack_from("<I", data, at)[0]
        message = data[at + 4:at + 4 + length]
        at += 4 + length
        version, kind, _flags, view, start, n, d, scale, offset, count = struct.unpack_from("<BBHIdIIffI", message)
        assert (version, kind, view) == (1, 1, series)
        counts = struct.unpack_from(f"<{count}h", message, 36)
        found.append((start, (n, d), scale, offset, list(counts)))
    return found


def checksum(found):
    """Number of samples of some stretches, and their CRC-32 as little-endian i32."""
    counts = [count for *_, stretch in found for count in stretch]
    return len(counts), zlib.crc32(struct.pack(f"<{len(counts)}i", *counts))


class Load:
    """`vitalwire sim load-waves` beside a test."""

    def __init__(self, server, folder, beds, seconds, seed):
        self.manifest = folder / "manifest.json"
        host, port = server.mqtt
        self.process = subprocess.Popen(
            [binary(), "sim", "load-waves", "--beds", str(beds), "--seconds", str(seconds), "--seed", str(seed),
             "--manifest", str(self.manifest), "--json", "--mqtt", f"{host}:{port}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self, limit_s=240):
        """Waits for its end; gives its report and what must be stored."""
        out, errors = self.process.communicate(timeout=limit_s)
        assert self.process.returncode == 0, errors
        return json.loads(out), json.loads(self.manifest.read_text())


class WaveMonitor:
    """Sends frames at QoS 1 and waits for each acknowledgement."""

    def __init__(self, server, device):
        self.device = device
        self.paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, device)
        self.paho.connect(*server.mqtt)
        self.paho.loop_start()

    def send(self, payload):
        info = self.paho.publish(f"vitalwire/{self.device}/waveform", payload, 1)
        info.wait_for_publish(60)
        assert info.is_published(), "not acknowledged"

    def stop(self):
        self.paho.disconnect()
        self.paho.loop_stop()
