"""FHIR of the device guides (docs/interfaces/fhir.md): whatever wire a measurement came by, its Observation, DeviceMetric and Device
are there, claim the guide's profile as far as they have what that asks for, refer to each other, and are valid for other people's models."""

import json
import shutil
import time

import pytest
from fhir.resources.R4B import get_fhir_model_class
from fhirclient.models import device as smart_device
from fhirclient.models import devicemetric as smart_metric
from fhirclient.models import observation as smart_observation

from support.bedside import Monitor, admit, hl7
from support.server import wait_for

POCD = "http://hl7.org/fhir/uv/pocd/StructureDefinition/"
PHD = "http://hl7.org/fhir/uv/phd/StructureDefinition/"
MDC = "urn:iso:std:iso:11073:10101"
GATEWAY = "http://hl7.org/fhir/StructureDefinition/observation-gatewayDevice"
SMART = {"Observation": smart_observation.Observation, "Device": smart_device.Device, "DeviceMetric": smart_metric.DeviceMetric}


def valid(resource):
    """Valid for two other people's models of R4."""
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    SMART[resource["resourceType"]](resource)
    return resource


def read(server, reference):
    return valid(server.get(f"/fhir/{reference}"))


def guided(server, device, profile, count):
    """The observations of a device as a guide has them."""

    def found():
        page = server.get(f"/fhir/Observation?device=Device/{device}&_profile={profile}&_count=200")
        entries = [entry["resource"] for entry in page.get("entry", [])]
        return entries if len(entries) >= count else None

    entries = wait_for(found, f"{count} observations of {device}")
    for observation in entries:
        valid(observation)
        assert profile in observation["meta"]["profile"]
        assert any(coding["system"] == MDC for coding in observation["code"]["coding"]), observation["code"]
        if "valueQuantity" in observation:
            assert observation["valueQuantity"]["system"] == "http://unitsofmeasure.org"
    return entries


def check_point_of_care(server, device, observation):
    """From a reading up: its metric, the metric's part and device, each there and claimed."""
    assert observation["device"]["reference"].startswith("DeviceMetric/")
    metric = read(server, observation["device"]["reference"])
    assert metric["meta"]["profile"][0].startswith(POCD) and metric["meta"]["profile"][0].endswith("DeviceMetric")
    assert {c["code"] for c in metric["type"]["coding"]} & {c["code"] for c in observation["code"]["coding"]}
    assert metric["source"]["reference"] == f"Device/{device}"
    assert read(server, metric["source"]["reference"])["id"] == device
    place = metric.get("parent", metric["source"])["reference"]
    for profile in ("ChannelDevice", "VmdDevice"):
        if place == f"Device/{device}":
            break
        part = read(server, place)
        assert part["meta"]["profile"] == [POCD + profile]
        place = part["parent"]["reference"]
    assert place == f"Device/{device}"


def model_of(server, device):
    """What the page of a device shows; the list of what is true now follows the store."""
    wait_for(lambda: any(d["id"] == device for d in server.get("/api/v1/devices")["devices"]), f"{device} to be known")
    return server.get(f"/api/v1/devices/{device}/model")


def test_hl7(server):
    patient, _ = admit(server, "G1", "A")
    now = time.strftime("%Y%m%d%H%M%S+0000", time.gmtime())
    who = "MON7^^0123456789ABCDEF^EUI-64"
    rows = [("147842^MDC_ECG_HEART_RATE^MDC", "1.6.1.1", "72", "264864^MDC_DIM_BEAT_PER_MIN^MDC"),
            ("150456^MDC_PULS_OXIM_SAT_O2^MDC", "1.3.1.1", "97", "262688^MDC_DIM_PERCENT^MDC")]
    message = (f"MSH|^~\\&|MON|ICU|||{now}||ORU^R01^ORU_R01|G-1|P|2.6\nPID|||G1^^^TEST^MR||Testg1^Pat\nPV1||I|WARD^1^A\n"
               f"OBR|1|O1|F1|69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|||{now}\n"
               f"OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||{who}\n")
    for number, (code, place, value, unit) in enumerate(rows, 2):
        message += f"OBX|{number}|NM|{code}|{place}|{value}|{unit}|||||R|||{now}||||{who}\n"
    assert hl7(server, message) == "AA"
    found = guided(server, "MON7", POCD + "NumericObservation", 2)
    assert sorted(o["valueQuantity"]["value"] for o in found) == [72, 97]
    for observation in found:
        assert observation["subject"]["reference"] == f"Patient/{patient}"
        check_point_of_care(server, "MON7", observation)


def publish(monitor, values):
    info = monitor.paho.publish(f"vitalwire/{monitor.device}/gatt", json.dumps(values), 1)
    info.wait_for_publish(60)
    assert info.is_published()


def test_bluetooth(server):
    """A cuff that says what it is; its readings as the guide for personal health devices has them."""
    monitor = Monitor(server, "cuff-9")
    text = lambda number, words: {"characteristic": number, "hex": words.encode().hex()}  # noqa: E731
    publish(monitor, [text("2a29", "Acme"), text("2a24", "BP-1"), text("2a25", "S-1"), text("2a26", "1.2"), text("2a27", "B"),
                      {"characteristic": "2a23", "hex": "b0495ffeff001071"},
                      {"characteristic": "2bff", "hex": "01" + b"(01)00643169001763(21)S-1".hex() + "00"},
                      {"characteristic": "2a2a", "hex": "0002 0012 0201 0008 0600 0001 0002 8004 0202 0002 0000"}])
    publish(monitor, {"characteristic": "2a37", "hex": "0648", "received": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})
    monitor.stop()
    [rate] = [o for o in guided(server, "cuff-9", PHD + "PhdNumericObservation", 1) if o["valueQuantity"]["value"] == 72]
    assert any(c["code"] == "phd" for category in rate["category"] for c in category["coding"])
    [gateway] = [e["valueReference"]["reference"] for e in rate["extension"] if e["url"] == GATEWAY]
    assert PHD + "PhgDevice" in read(server, gateway)["meta"]["profile"]
    device = read(server, rate["device"]["reference"])
    assert (device["manufacturer"], device["modelNumber"], device["serialNumber"]) == ("Acme", "BP-1", "S-1")
    [eui] = [i for i in device["identifier"] if i.get("type", {}).get("coding", [{}])[0].get("code") == "SYSID"]
    assert eui["value"] == "71-10-00-FF-FE-5F-49-B0" and eui["system"].startswith("urn:oid:")
    versions = {v["type"]["coding"][0]["code"]: v["value"] for v in device["version"] if "type" in v}
    assert versions == {"531976": "1.2", "531974": "B", "532352": "6.0"}
    assert device["udiCarrier"][0]["deviceIdentifier"] == "00643169001763"
    properties = {p["type"]["coding"][0]["code"]: p for p in device["property"]}
    assert properties["532353"]["valueCode"][0]["coding"][0]["code"] == "32772"
    assert properties["532354.0"]["valueCode"][0]["coding"][0]["code"] == "N", "regulated"
    metrics = server.get("/fhir/DeviceMetric?source=Device/cuff-9")["entry"]
    assert [valid(m["resource"])["type"]["coding"][0]["code"] for m in metrics] == ["147842"], "what it says of itself is no metric"
    # What the page of the device shows is the same.
    model = model_of(server, "cuff-9")
    assert {p["metric"]: p["value"] for p in model["properties"]}["MDC_ID_PROD_SPEC_HW"] == "B"
    assert [p["name"] for p in model["parts"]][1:] == ["ECG", "Heart rate"]


def test_native(server):
    """The platform's own topic: status and values."""
    monitor = Monitor(server, "monitor-3")
    status = {"manufacturer": "Acme", "model": "M3", "udi": "(01)00643169001763(21)M3", "kind": 69965, "clock": "synchronised",
              "calibrated": "2026-01-02T03:04:05Z", "calibration_due": "2026-01-03", "battery": 81}
    info = monitor.paho.publish("vitalwire/monitor-3/status", json.dumps(status), 1)
    info.wait_for_publish(60)
    monitor.say({"MDC_ECG_HEART_RATE": 70, "MDC_TEMP_BODY": 36.8})
    monitor.stop()
    for observation in guided(server, "monitor-3", POCD + "NumericObservation", 2):
        check_point_of_care(server, "monitor-3", observation)
    device = read(server, "Device/monitor-3")
    assert device["meta"]["profile"] == [POCD + "MdsDevice"]
    assert device["type"]["coding"][0]["code"] == "69965"
    [calibration] = [e for e in device["extension"] if e["url"].endswith("device-calibration")]
    assert {"url": "state", "valueCode": "calibrated"} in calibration["extension"]
    model = model_of(server, "monitor-3")
    assert (model["calibrated"], model["calibration_overdue"], model["clock_method"]) == ("2026-01-02T03:04:05Z", True, "synchronised")


def test_sdc(make_server, tmp_path):
    """sdc11073's provider: kind, parts and readings."""
    pytest.importorskip("sdc11073", reason="skipped: sdc11073 is not installed")
    from support.sdc_site import MDIB, Device
    from support.secure import Authority
    from test_sdc import configuration
    if not MDIB.exists():
        pytest.skip(f"skipped: {MDIB.name} is not in VITALWIRE_DATA/sdc")
    authority = Authority(tmp_path)
    authority.server()
    shutil.copy(tmp_path / "server.pem", tmp_path / "own.pem")
    device = Device(tmp_path)
    try:
        server = make_server(config=configuration(tmp_path, device.start())).start()
        found = guided(server, "bedside", POCD + "NumericObservation", 1)
        check_point_of_care(server, "bedside", found[0])
        parts = model_of(server, "bedside")["parts"]
        assert parts[0]["level"] == 0 and any(part["level"] > 0 for part in parts), parts
    finally:
        device.kill()
