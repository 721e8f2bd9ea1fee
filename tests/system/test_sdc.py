"""IEEE 11073 SDC (docs/interfaces/sdc.md): sdc11073's reference provider with the MDIB of the plug-a-thons feeds the ward over
TLS: a number, a waveform, an alarm, patient and place. Killed, it is a data gap; back again, it goes on by itself."""

import shutil

import pytest

from support.secure import Authority
from support.server import wait_for
from support.waves import channels

pytest.importorskip("sdc11073", reason="skipped: sdc11073 is not installed")
from support.sdc_site import EPR, MDIB, Device


@pytest.fixture
def device(tmp_path):
    if not MDIB.exists():
        pytest.skip(f"skipped: {MDIB.name} is not in VITALWIRE_DATA/sdc")
    authority = Authority(tmp_path)
    authority.server()
    shutil.copy(tmp_path / "server.pem", tmp_path / "own.pem")
    device = Device(tmp_path)
    yield device
    if device.process.poll() is None:
        device.kill()


def configuration(folder, address):
    file = folder / "sdc.toml"
    own = folder / "own.pem"
    file.write_text(f"""
[sdc.consumer]
listen = "127.0.0.1:0"
authority = "{folder / 'authority.pem'}"
certificate = "{own}"
key = "{own}"
devices = [{{ id = "bedside", address = "{address}", endpoint = "urn:uuid:{EPR}" }}]
metrics = [
  {{ code = 67108880, metric = "MDC_ECG_HEART_RATE", unit = "/min" }},
  {{ code = 67108881, metric = "MDC_ECG_ELEC_POTL_II", unit = "uV" }},
]
patient_roots = {{ "urn:oid:1.2.3" = "TEST" }}
locations = true
subscription_s = 9
""")
    return file


POLICY = """
name = "Test"
[[chain]]
name = "ward"
repeat_s = 3600
step = [{ role = "nurse", after_s = 0 }, { role = "physician", after_s = 3600 }]
[gap]
after_s = 3
intervals = 4
priority = "low"
"""


def test_a_device_feeds_the_ward_and_comes_back(make_server, tmp_path, device):
    address = device.start()
    server = make_server(config=configuration(tmp_path, address)).start()

    def tile():
        return next((t for t in server.get("/api/v1/ward")["tiles"] if rate_of(t)), None)

    first = wait_for(tile, "a heart rate on the ward", 120)
    assert 60 <= rate_of(first) <= 64
    wait_for(lambda: rate_of(tile()) != rate_of(first), "it to change", 120)
    patient = first["patient"]["id"]
    known = server.get(f"/fhir/Patient/{patient}")["identifier"]
    assert any(identifier["value"] == "SDC-1" for identifier in known), known
    wait_for(lambda: "MDC_ECG_ELEC_POTL_II" in channels(server, patient), "its waveform", 120)
    wait_for(lambda: any(d["id"] == "bedside" and d["link"] == "online" for d in server.get("/api/v1/devices")["devices"]),
             "the device to be online", 120)
    told = wait_for(lambda: alerts(server, patient, "alert_condition_0.mds_0"), "the device's alarm", 120)
    assert len(told) == 1, told

    server.put("/api/v1/policy", {"text": POLICY, "by": ""})
    device.kill()
    gap = wait_for(lambda: [a for a in alerts(server, patient) if a["episode"] not in {t["episode"] for t in told}
                            and a["device"] == "bedside"], "the lost device to be a data gap", 120)[0]
    device.start(int(address.split(":")[2].split("/")[0]))
    wait_for(lambda: next(a for a in alerts(server, patient) if a["episode"] == gap["episode"])["state"] == "resolved",
             "the gap to end by itself", 180)
    wait_for(lambda: rate_of(tile()), "the heart rate to be there again", 120)


def rate_of(tile):
    """The heart rate that a tile shows."""
    return next((v["value"] for v in tile["values"] if v["metric"] == "MDC_ECG_HEART_RATE"), None) if tile else None


def alerts(server, patient, word=""):
    found = server.get(f"/api/v1/alerts?state=all&patient={patient}")["alerts"]
    return [alert for alert in found if word in str(alert)]
