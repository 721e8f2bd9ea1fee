"""Garbage at every door, and a device whose clock is wrong."""

import random
import secrets
import socket
import time

import requests

from support.bedside import WELL, Monitor, admit
from support.server import wait_for

SEED = secrets.randbelow(2**32)


def pieces(chance):
    """Things that nobody should send."""
    yield b""
    yield b"\x00" * 4096
    yield b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    yield b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + chance.randbytes(32)  # the beginning of TLS
    yield b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"  # MQTT CONNECT
    yield b"\x0bMSH|^~\\&|" + b"A" * 100_000  # an HL7 message that never ends
    yield b"POST /fhir/Observation HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n{"
    for size in (1, 10, 100, 10_000, 1_000_000):
        yield chance.randbytes(size)


def throw(address, data):
    """Sends it, hangs up without waiting for an answer."""
    try:
        with socket.create_connection(address, timeout=10) as connection:
            connection.sendall(data)
    except OSError:
        pass  # the server may hang up first


def test_garbage_at_every_door(server):
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    monitor = Monitor(server, "good")
    monitor.say(WELL)
    process = server.process
    for address in (server.http, server.mqtt, server.mllp):
        for data in pieces(chance):
            throw(address, data)
            monitor.say(WELL)  # a good neighbour is acknowledged all the while
    for path in ("/fhir/%00", "/api/v1/patients/%ff/trends", "/fhir/Observation?_count=-1&date=ge", "/api/v1/alerts/e-"):
        answer = requests.get(server.url + path, timeout=30)
        assert 400 <= answer.status_code < 500, f"{path}: {answer.status_code}"
    for path in ("/fhir", "/fhir/Patient", "/api/v1/associations", "/api/v1/profiles/test"):
        for body in (b"{", b"[]", b"null", b'{"a":' * 10_000, chance.randbytes(1000)):
            answer = requests.post(server.url + path, data=body, headers={"Content-Type": "application/json"}, timeout=30)
            assert 200 <= answer.status_code < 500, f"{path}: {answer.status_code} {answer.text}"
    monitor.say(WELL)
    monitor.stop()
    assert server.process is process and process.poll() is None
    assert "panicked" not in server.log()


def device(server, name):
    return next((d for d in server.get("/api/v1/devices")["devices"] if d["id"] == name), {})


def test_a_wrong_clock_is_detected_corrected_and_marked(server):
    """TI-2: three hours ahead and three hours behind; both times are kept."""
    for name, hours in (("ahead", 3), ("behind", -3)):
        patient, bed = admit(server, f"C-{name}", name)
        monitor = Monitor(server, name)
        monitor.say(WELL, at=time.time() + hours * 3600)
        server.post(f"/api/v1/devices/{name}/mount", {"location": bed}, expect=204)

        def say():
            monitor.say(WELL, at=time.time() + hours * 3600)
            return device(server, name).get("clock") == "off"

        wait_for(say, "the wrong clock to be detected", 90, 0.5)
        off_s = device(server, name)["clock_offset_ms"] / 1000
        assert abs(off_s - hours * 3600) < 30, off_s
        say()

        def shown():
            tiles = [t for t in server.get("/api/v1/ward")["tiles"] if t["patient"]["id"] == patient]
            values = [v for t in tiles for v in t["values"] if v["metric"] == "MDC_ECG_HEART_RATE"]
            return next((v for v in values if "clock-corrected" in v["flags"]), None)

        value = wait_for(shown, "the value on the ward, marked")
        assert abs(value["time_ms"] - value["received_ms"]) < 30_000, "corrected to our clock"
        page = server.get(f"/fhir/Observation?device=Device/{name}&code=8867-4&_sort=-date&_count=1")
        source = server.get(f"/api/v1/readings/{page['entry'][0]['resource']['id']}")
        kept = (source["device_time_ms"] - source["received_ms"]) / 1000
        assert abs(kept - hours * 3600) < 30, "what the device said is kept"
        monitor.stop()
