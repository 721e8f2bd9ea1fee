"""Bluetooth payloads as a phone forwards them (docs/interfaces/bluetooth.md): a CGM session is stored once, at the times
that the sensor counted, as if it had been sent as SenML; a broken value costs only itself."""

import base64
import json
import struct
import time

from support.bedside import Monitor
from support.server import wait_for
from support.waves import associate, patients

START_MIN = 60  # the session began so many minutes ago


def crc(data):
    """E2E-CRC: CRC-CCITT from 0xFFFF, least significant bit first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return struct.pack("<H", value)


def sfloat(tenths):
    """A number of tenths: exponent -1."""
    return struct.pack("<H", 0xF000 | tenths & 0xFFF)


def session_start(seconds):
    """Local time an hour ahead of UTC, a zone of four quarters, no summer time."""
    local = time.gmtime(seconds + 3600)
    date = struct.pack("<HBBBBB", local.tm_year, local.tm_mon, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec)
    body = date + bytes([4, 0])
    return body + crc(body)


def record(tenths, minutes):
    """A record with a check sum."""
    body = bytes([8, 0]) + sfloat(tenths) + struct.pack("<H", minutes)
    return body + crc(body)


def value(number, data):
    return {"characteristic": number, "hex": data.hex(" ")}


def publish(monitor, values):
    info = monitor.paho.publish(f"vitalwire/{monitor.device}/gatt", json.dumps(values), 1)
    info.wait_for_publish(60)
    assert info.is_published(), "not acknowledged"


def stored(server, device):
    """Time and value of each reading of a device."""
    page = server.get(f"/fhir/Observation?device=Device/{device}&_count=1000")
    found = (entry["resource"] for entry in page.get("entry", []))
    return sorted((o["effectiveDateTime"], o["valueQuantity"]["value"]) for o in found)


def test_a_cgm_session_is_stored_once_and_as_senml_would_be(server):
    associate(server, ["phone-1", "senml-1"])
    begin = int(time.time()) - START_MIN * 60
    series = [(minutes, 1000 + 7 * minutes) for minutes in range(0, START_MIN + 1, 5)]
    phone, other = Monitor(server, "phone-1"), Monitor(server, "senml-1")
    message = [value("2aaa", session_start(begin))]
    message += [value("2aa7", record(tenths, minutes)) for minutes, tenths in series]
    publish(phone, message)
    publish(phone, message)  # the phone lost the acknowledgement
    other.send(json.dumps([{"n": "MDC_CONC_GLU_ISF", "u": "mg/dL", "v": tenths / 10, "t": begin + minutes * 60}
                           for minutes, tenths in series]))
    wait_for(lambda: len(stored(server, "senml-1")) == len(series), "the SenML series to be stored")
    wait_for(lambda: len(stored(server, "phone-1")) >= len(series), "the CGM series to be stored")
    publish(phone, {"characteristic": "2a19", "base64": base64.b64encode(b"\x58").decode()})
    wait_for(lambda: len(stored(server, "phone-1")) == len(series) + 1, "the battery")
    readings = stored(server, "phone-1")
    battery = [reading for reading in readings if reading[1] == 88]
    assert len(battery) == 1, readings
    assert [r for r in readings if r not in battery] == stored(server, "senml-1")
    patient = patients(server)["phone-1"]
    of_patient = server.get(f"/fhir/Observation?patient={patient}&_summary=count")["total"]
    assert of_patient >= len(series), "the series is the patient's"
    for monitor in (phone, other):
        monitor.stop()


def test_a_broken_value_costs_only_itself(server):
    phone = Monitor(server, "phone-2")
    broken = bytearray(record(1000, 5))
    broken[2] ^= 1
    publish(phone, [value("2a37", b"\x00\x48"), value("2aa7", bytes(broken)), value("2a35", b"\x00\x78\x00\x50")])
    wait_for(lambda: [v for _, v in stored(server, "phone-2")] == [72], "the heart rate")

    def held():
        items = server.get("/api/v1/quarantine?limit=200")["items"]
        return [item for item in items if item["sender"] == "phone-2"]

    text = json.dumps(wait_for(held, "the message in quarantine"))
    assert "e2e-crc" in text and "check sum" in text, text
    phone.stop()
