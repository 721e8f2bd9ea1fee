"""Waveforms come back from the store to the last bit, at their own rate and times, whatever they came in:
PCD-01 messages, SenML, native frames from WFDB records. Read back over HTTP as JSON and as exported files."""

import csv
import datetime
import io
import json
import os
import pathlib
import socket
import subprocess
import zipfile

import paho.mqtt.client as mqtt
import pytest

from support.server import ROOT, binary, wait_for

START, END = b"\x0b", b"\x1c\x0d"
EPOCH = datetime.datetime(1970, 1, 1)
DATA = pathlib.Path(os.environ.get("VITALWIRE_DATA") or ROOT.parent / "shared" / "data")
MINUTE = DATA / "hl7v2" / "mimic-1min-ecg-spo2-abp.csv.zst"


def micros(moment):
    return (moment - EPOCH) // datetime.timedelta(microseconds=1)


def channels(server, device, count):
    """Patient and channels of the device, once there are so many."""
    def found():
        for patient in server.get("/api/v1/patients?limit=100"):
            waves = server.get(f"/api/v1/patients/{patient['id']}/waveforms")["channels"]
            waves = [wave for wave in waves if wave["device"] == device]
            if len(waves) >= count:
                return patient["id"], {wave["metric"]: wave for wave in waves}
        return None

    return wait_for(found, f"{count} waveforms of {device}", 60)


def strips(server, patient, wave, from_ms, to_ms):
    """Strips as JSON: the time of the first sample in milliseconds, the rate, the values."""
    path = f"/api/v1/patients/{patient}/waveforms/{wave['series']}?from_ms={from_ms}&to_ms={to_ms}"
    return server.get(path, headers={"Accept": "application/json"})["strips"]


def joined(found, rate):
    """The values of strips that adjoin to the microsecond, and when the first one is. A strip has one scale:
    decimal samples with more digits than those before begin another."""
    begins_us, values = round(found[0]["start_ms"] * 1_000), []
    for strip in found:
        due_us = begins_us + len(values) * 1_000_000 * rate[1] // rate[0]
        assert strip["rate"] == rate and round(strip["start_ms"] * 1_000) == due_us
        values += strip["values"]
    return begins_us, values


def exported(server, patient, from_ms, to_ms):
    """Every sample of the interval from the CSV export: label -> times in microseconds, counts, values."""
    path = f"/api/v1/patients/{patient}/waveforms/export?from_ms={from_ms}&to_ms={to_ms}&format=csv"
    found = {}
    for row in csv.DictReader(io.StringIO(server.get(path))):
        moment = datetime.datetime.fromisoformat(row["time"]).replace(tzinfo=None)
        times, counts, values = found.setdefault(row["label"], ([], [], []))
        times.append(micros(moment))
        counts.append(int(row["count"]))
        values.append(float(row["value"]))
    return found


# -- PCD-01 -------------------------------------------------------------------------------------


def minute():
    """The minute's rows: time, ECG, plethysmogram, arterial pressure, each number as its text."""
    lines = subprocess.run(["zstdcat", str(MINUTE)], check=True, capture_output=True, text=True).stdout.split("\n")
    rows = [line.split(",")[:4] for line in lines[0].replace("\r", "\n").split("\n") + lines[1:] if line.startswith("'")]
    return [(datetime.datetime.fromisoformat(moment.strip("'")), *samples) for moment, *samples in rows]


WAVES = [("131329^MDC_ECG_LEAD_I^MDC", "266418^MDC_DIM_MILLI_VOLT^MDC"),
         ("150452^MDC_PULS_OXIM_PLETH^MDC", "262656^MDC_DIM_DIMLESS^MDC"),
         ("150032^MDC_PRESS_BLD_ART^MDC", "266016^MDC_DIM_MMHG^MDC")]


def message(number, rows, rate):
    """A PCD-01 message with a stretch of all three waveforms, as in the data set's own template."""
    begins = rows[0][0].strftime("%Y%m%d%H%M%S.%f")[:-2]
    lines = [f"MSH|^~\\&|App|Ward|Vitalwire|Here|20150110172200||ORU^R01^ORU_R01|M{number}|P^A|2.6|||NE|AL|USA|ASCII|"
             "EN^English^ISO639||IHE_PCD_ORU_R01^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO",
             "PID|||010101-2425^^^Ward^MR||Doe^John", "PV1||I|ICU^2^23"]
    for at, (metric, unit) in enumerate(WAVES):
        path, row = f"1.1.1.{at + 1}", 10 * at
        samples = "^".join(row[1 + at] for row in rows)
        lines += [f"OBR|{at + 1}||XXX|69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|||{begins}",
                  f"OBX|{row + 1}||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||monitor-pcd",
                  f"OBX|{row + 2}|NA|{metric}|{path}|{samples}|{unit}|||||F|||{begins}",
                  f"OBX|{row + 3}|NM|67981^MDC_ATTR_SAMP_RATE^MDC|{path}.1|{rate}|264608^MDC_DIM_PER_SEC^MDC|||||F"]
    return "\r".join(lines) + "\r"


def send(address, texts):
    """Sends each message and wants it accepted."""
    with socket.create_connection(address, 30) as link:
        for text in texts:
            link.sendall(START + text.encode() + END)
            answer = b""
            while END not in answer:
                answer += link.recv(65_536) or pytest.fail("the connection was closed")
            assert b"\rMSA|AA|" in answer, answer


@pytest.mark.parametrize("rate, thin", [(125, 1), ("62.5", 2)])
def test_the_mimic_minute_as_pcd01(server, rate, thin):
    if not MINUTE.exists():
        pytest.skip("skipped: no hl7v2 data; set VITALWIRE_DATA")
    rows = minute()[::thin]
    assert len(rows) == 7_500 // thin
    # 25 samples a message at 125 Hz would hide less than uneven ones do.
    sizes = [125, 63, 62, 125, 1, 124]
    texts, at = [], 0
    while at < len(rows):
        size = sizes[len(texts) % len(sizes)]
        texts.append(message(len(texts), rows[at:at + size], rate))
        at += size
    send(server.mllp, texts)
    patient, found = channels(server, "monitor-pcd", 3)
    first_us = micros(rows[0][0])
    expected = [first_us + at * thin * 8_000 for at in range(len(rows))]
    assert expected == [micros(row[0]) for row in rows], "the file is at 125 Hz"
    from_ms, to_ms = first_us // 1_000, first_us // 1_000 + 61_000
    for column, metric in [(1, "MDC_ECG_ELEC_POTL_I"), (2, "MDC_PULS_OXIM_PLETH"), (3, "MDC_PRESS_BLD_ART")]:
        wave = found[metric]
        assert wave["rate"] == ([125, 1] if thin == 1 else [125, 2]) and not wave["counted"]
        found_us, values = joined(strips(server, patient, wave, from_ms, to_ms), wave["rate"])
        assert found_us == first_us and values == [float(row[column]) for row in rows], metric
    for label, column in [("I", 1), ("PLETH", 2), ("ART", 3)]:
        times, _, values = exported(server, patient, from_ms, to_ms)[label]
        assert times == expected and values == [float(row[column]) for row in rows], label


# -- SenML --------------------------------------------------------------------------------------


def test_senml_at_a_fraction_of_a_hertz(server):
    """Ten minutes at 62.5 Hz in packs of odd sizes: unbroken, and not a bit lost."""
    samples = [None if at % 997 == 5 else round((at * 37 % 4_001) / 1_000 - 2, 3) for at in range(37_500)]
    begins_us = 1_600_000_000_250_000
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "patch-1")
    client.connect(*server.mqtt)
    client.loop_start()
    server.post("/api/v1/associations", [{"device": "patch-1", "identifier": "ward|1", "since_ms": begins_us // 1_000 - 1,
                                          "name": "", "birth_date": None, "sex": "unknown"}], expect=204)
    at, sent = 0, []
    while at < len(samples):
        size = 50 + at % 31
        record = {"n": "MDC_IMPED_TTHOR", "u": "Ohm", "t": (begins_us + at * 16_000) / 1e6, "vwr": "125/2",
                  "vws": samples[at:at + size]}
        sent.append(client.publish("vitalwire/patch-1/recording", json.dumps([record]), 1))
        at += size
    for one in sent:
        one.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()
    patient, found = channels(server, "patch-1", 1)
    wave = found["MDC_IMPED_TTHOR"]
    assert wave["rate"] == [125, 2] and not wave["counted"], wave
    from_ms = begins_us // 1_000
    back = wait_for(lambda: whole(server, patient, wave, from_ms, len(samples)), "all samples to be stored")
    assert back == samples


def whole(server, patient, wave, from_ms, count):
    found = strips(server, patient, wave, from_ms - 10, from_ms + 601_000)
    values = joined(found, [125, 2])[1] if found else []
    return values if len(values) >= count else None


# -- WFDB ---------------------------------------------------------------------------------------


def test_a_wfdb_record_played_and_exported(server, tmp_path):
    """A record written by wfdb, played, exported as WFDB: wfdb reads the same counts, gains and gaps."""
    wfdb = pytest.importorskip("wfdb")
    np = pytest.importorskip("numpy")
    counts = np.random.default_rng(3).integers(-2_000, 2_000, size=(9_000, 2))
    counts[1_000:1_100, 1] = -32_768
    wfdb.wrsamp("r1", fs=360, units=["mV", "mmHg"], sig_name=["MLII", "ABP"], d_signal=counts, fmt=["16", "16"],
                adc_gain=[200.0, 7.5], baseline=[1_024, -300], write_dir=str(tmp_path))
    (http, mqtt_, mllp) = (f"{host}:{port}" for host, port in (server.http, server.mqtt, server.mllp))
    done = subprocess.run([binary(), "replay", "wfdb", str(tmp_path / "r1"), "--http", http, "--mqtt", mqtt_, "--mllp", mllp,
                           "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["by_device"]["wfdb-r1"] == {"MDC_ECG_ELEC_POTL_II": 9_000, "MDC_PRESS_BLD_ART_ABP": 8_900}
    patient, found = channels(server, "wfdb-r1", 2)
    from_ms = 1_546_300_800_000
    wait_for(lambda: len(exported(server, patient, from_ms, from_ms + 30_000).get("ABP", [[]])[0]) == 8_900, "all samples")
    back = exported(server, patient, from_ms, from_ms + 30_000)
    for label, at in [("II", 0), ("ABP", 1)]:
        there = np.flatnonzero(counts[:, at] != -32_768)
        times, digital, values = back[label]
        assert digital == list(counts[there, at])
        assert times == [from_ms * 1_000 + int(n) * 1_000_000 // 360 for n in there]
        gain, baseline = ((200.0, 1_024), (7.5, -300))[at]
        np.testing.assert_allclose(values, (counts[there, at] - baseline) / gain, rtol=1e-12, atol=1e-12)

    path = f"{server.url}/api/v1/patients/{patient}/waveforms/export?from_ms={from_ms}&to_ms={from_ms + 30_000}&format=wfdb"
    archive = zipfile.ZipFile(io.BytesIO(server.session.get(path, timeout=60).content))
    archive.extractall(tmp_path / "zip")
    name = [file.stem for file in (tmp_path / "zip").glob("*.hea")][0]
    record = wfdb.rdrecord(str(tmp_path / "zip" / name), physical=False)
    assert record.fs == 360 and record.adc_gain == [200.0, 7.5] and record.baseline == [1_024, -300]
    assert (record.d_signal == counts).all()
