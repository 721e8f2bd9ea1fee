"""EN-1, AL-5: a patient who gets worse is told by a model with its reasons; what it said is kept, can be said again, and is not
doubled by a restart; whoever may not see it is refused; other people's FHIR client reads it."""

import json
import time

import pytest
import requests
from fhir.resources.R4B import get_fhir_model_class
from fhirclient import client as smart
from fhirclient.models import riskassessment

from support.bedside import admit
from support.server import Server, wait_for

HR, SPO2, RESP, TEMP = "MDC_ECG_HEART_RATE", "MDC_PULS_OXIM_SAT_O2", "MDC_RESP_RATE", "MDC_TEMP_BODY"
SYS, DIA, MEAN = "MDC_PRESS_BLD_NONINV_SYS", "MDC_PRESS_BLD_NONINV_DIA", "MDC_PRESS_BLD_NONINV_MEAN"
MODEL = "deterioration-vitals"
PASSWORD = "correct horse battery 9"
WELL_H, ILL_H = 6, 6


def values(hour):
    """Well for some hours, then worse by the hour."""
    ill = max(0.0, (hour - WELL_H) / ILL_H)
    return {HR: 76 + 54 * ill, SPO2: 97 - 8 * ill, RESP: 14 + 17 * ill, TEMP: 36.8 + 2.4 * ill,
            SYS: 126 - 32 * ill, DIA: 74 - 22 * ill, MEAN: 91 - 25 * ill}


def publish(server, device, records):
    """A recording over MQTT, each message acknowledged."""
    import paho.mqtt.client as mqtt

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, device)
    client.connect(*server.mqtt)
    client.loop_start()
    for payload in records:
        sent = client.publish(f"vitalwire/{device}/recording", json.dumps(payload), 1)
        sent.wait_for_publish(60)
        assert sent.is_published(), "not acknowledged"
    client.disconnect()
    client.loop_stop()


def said(server, patient):
    return server.get(f"/api/v1/patients/{patient}/predictions?limit=2000")["predictions"]


@pytest.fixture(scope="module")
def ward(tmp_path_factory):
    folder = tmp_path_factory.mktemp("foresight")
    config = folder / "config.toml"
    config.write_text('[models]\nshipped = "champion"\nmodel = [{ shipped = "deterioration", role = "champion" }]\n')
    server = Server(folder / "data", config=config).start()
    server.patient, _ = admit(server, "F1", "F", unit="ICU")
    begin = time.time() - 3 * 86_400
    publish(server, "player", [[{"n": HR, "v": 75, "bt": begin - 600}]])
    server.post("/api/v1/devices/player/association", {"patient": server.patient, "since_ms": int((begin - 60) * 1000)}, expect=204)
    steps = range(0, (WELL_H + ILL_H) * 6)
    server.begin = begin
    # Each message is one moment: the first record says when, for all.
    publish(server, "player", [[{"n": name, "v": round(value, 1), "bt": begin + step * 600} if at == 0 else {"n": name, "v": round(value, 1)}
                                for at, (name, value) in enumerate(values(step / 6).items())] for step in steps])
    wait_for(lambda: len([p for p in said(server, server.patient) if p["model"] == MODEL]) >= WELL_H + ILL_H - 1, "an hourly prediction")
    yield server
    server.stop()


def test_a_patient_who_gets_worse_is_told_with_reasons(ward):
    page = ward.get(f"/api/v1/patients/{ward.patient}")
    risk = next(risk for risk in page["risks"] if risk["model"] == MODEL)
    assert risk["class"] == "high", risk
    assert risk["low"] <= risk["probability"] <= risk["high"]
    assert risk["because"] and len(risk["trend"]) > 10
    told = [p for p in said(ward, ward.patient) if p["model"] == MODEL]
    first, last = told[-1], told[0]
    assert last["probability"] > 2 * (first["probability"] or 0.0), "it rose"
    before = [p for p in told if p["at_ms"] < (ward.begin + WELL_H * 3600) * 1000]
    assert before and all(p["class"] != "high" for p in before), "while the patient was well nothing was raised"
    tile = next(t for t in ward.get("/api/v1/ward")["tiles"] if t["patient"]["id"] == ward.patient)
    raised = {risk["outcome"] for risk in page["risks"] if risk["class"] == "high"}
    assert len([risk for risk in page["risks"] if risk["outcome"] == "deterioration" and risk["class"] == "high"]) == 2, page["risks"]
    assert sorted(tile["risk"].split(", ")) == sorted(raised), "what two models tell is said once"


def test_a_model_that_does_not_judge_says_why(ward):
    told = [p for p in said(ward, ward.patient) if p["model"] == "mortality-48h"]
    assert told and all(p["class"] == "abstained" and p["probability"] is None and p["reasons"] for p in told)


def test_what_was_said_is_the_same_when_said_again(ward):
    for told in said(ward, ward.patient)[:12]:
        again = ward.get(f"/api/v1/predictions/{told['id']}/recompute")
        assert again["equal"] is True, again
    whole = ward.get(f"/api/v1/predictions/{told['id']}")
    assert len(whole["inputs"]) > 50 and whole["basis"]
    for basis in whole["basis"]:
        assert ward.get(f"/api/v1/readings/{basis['reading']}")
    ward.get("/api/v1/predictions/p999999-0", expect=404)
    ward.get("/api/v1/predictions/x", expect=400)


def test_it_is_a_risk_assessment_that_others_read(ward):
    own = ward.get(f"/fhir/RiskAssessment?patient={ward.patient}&method=urn:vitalwire:model|{MODEL}&_count=5")
    assert own["total"] == len([p for p in said(ward, ward.patient) if p["model"] == MODEL])
    assert any(link["relation"] == "next" for link in own["link"])
    newest = own["entry"][0]["resource"]
    get_fhir_model_class("RiskAssessment").model_validate(newest)
    get_fhir_model_class("Bundle").model_validate(own)
    assert newest["prediction"][0]["qualitativeRisk"]["coding"][0]["code"] == "high"
    assert newest["prediction"][0]["rationale"]
    assert ward.get(f"/fhir/{newest['basis'][0]['reference']}")["resourceType"] == "Observation"
    high = ward.get(f"/fhir/RiskAssessment?patient={ward.patient}&risk=high&_summary=count")
    assert 0 < high["total"] < own["total"]
    day = time.strftime("%Y-%m-%d", time.gmtime(ward.begin - 5 * 86_400))
    assert ward.get(f"/fhir/RiskAssessment?patient={ward.patient}&date=lt{day}")["total"] == 0
    client = smart.FHIRClient(settings={"app_id": "tests", "api_base": f"{ward.url}/fhir"})
    read = riskassessment.RiskAssessment.read(newest["id"], client.server)
    assert read.prediction[0].probabilityDecimal == newest["prediction"][0]["probabilityDecimal"]
    assert ward.get("/fhir/RiskAssessment?colour=red", expect=400)
    stated, = (one for one in ward.get("/fhir/metadata")["rest"][0]["resource"] if one["type"] == "RiskAssessment")
    for parameter in stated["searchParam"]:
        ward.get(f"/fhir/RiskAssessment?{parameter['name']}={'2024' if parameter['type'] == 'date' else 'x'}")


def test_models_have_their_cards(ward):
    models = ward.get("/api/v1/models")["models"]
    assert {model["id"] for model in models} >= {MODEL, "mortality-48h"}
    card = ward.get(f"/api/v1/models/{MODEL}")
    assert card["model"]["role"] == "champion" and card["figures"] and card["limits"] and card["intended_use"]
    ward.get("/api/v1/models/none", expect=404)


def test_a_restart_doubles_nothing_and_the_journal_tells_the_same(ward):
    before = said(ward, ward.patient)
    ward.kill()
    ward.start()
    assert said(ward, ward.patient) == before
    ward.stop()
    told = ward.run("audit", "rebuild")
    assert "equal up to entry" in str(told), told
    ward.start()
    assert said(ward, ward.patient) == before


def test_a_backup_has_what_was_said(ward, tmp_path):
    before = said(ward, ward.patient)
    saved, copy = tmp_path / "saved.backup", tmp_path / "keyring.copy"
    ward.run("backup", "--to", str(saved), "--keyring-to", str(copy))
    restored = Server(tmp_path / "restored", config=ward.config)
    restored.run("restore", "--from", str(saved), "--keyring", str(copy), "--master-key", str(ward.data / "keys/master.key"))
    restored.start()
    try:
        assert before and said(restored, ward.patient) == before
        assert restored.get(f"/api/v1/predictions/{before[0]['id']}/recompute") == ward.get(f"/api/v1/predictions/{before[0]['id']}/recompute")
    finally:
        restored.stop()


def test_whoever_may_not_see_it_is_refused(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("locked") / "data", open=False)
    server.environment["VITALWIRE_PASSWORD"] = PASSWORD
    roles = {"nurse": 200, "physician": 200, "security-officer": 403, "researcher": 403}
    for role in roles:
        server.run("user", "add", role, "--role", role)
    server.start()
    try:
        for role, expected in roles.items():
            session = requests.Session()
            session.trust_env = False
            entered = session.post(f"{server.url}/api/v1/login", json={"name": role, "password": PASSWORD}, timeout=60)
            assert entered.status_code == 200, entered.text
            assert session.get(f"{server.url}/api/v1/models", timeout=60).status_code == expected, role
        for path in ("/api/v1/patients/x/predictions", "/api/v1/predictions/p1-0", "/api/v1/predictions/p1-0/recompute",
                     "/api/v1/models", "/api/v1/models/x", "/fhir/RiskAssessment", "/fhir/RiskAssessment/p1-0"):
            assert requests.get(server.url + path, timeout=60).status_code == 401, path
    finally:
        server.stop()
