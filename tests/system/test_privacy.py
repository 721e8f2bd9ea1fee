"""Whose record somebody may open, and proof of who did: break-glass, consents, caregivers, access report,
views without names, legal holds, the export of one person. On a locked server, over HTTP alone."""

import hashlib
import io
import json
import time
import zipfile

import pytest
import requests
from fhirclient.models.consent import Consent

from support.pager import SECRET, Pager
from support.server import Server, wait_for

PASSWORD = "correct horse battery 9"
# Account, role, units; none: the whole house.
PEOPLE = [
    ("nora", "nurse", "ICU"), ("nick", "nurse", "Ward 2"), ("clara", "charge-nurse", "Ward 2"),
    ("cyril", "charge-nurse", "ICU"), ("phil", "pharmacist", None), ("olga", "operations", None),
    ("sue", "security-officer", None), ("rita", "researcher", None), ("cara", "caregiver", None),
    ("ada", "administrator", None),
]
# Patient, unit, name, birth date.
PATIENTS = [("pat-a", "ICU", "Quixwood", "1931-04-05"), ("pat-b", "Ward 2", "Zyphermann", "1988-11-12")]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("privacy")
    pager = Pager()
    config = folder / "vitalwire.toml"
    port = pager.server.server_address[1]
    config.write_text(f'[[webhook]]\nname = "desk"\nurl = "http://127.0.0.1:{port}/desk"\nsecret = "{SECRET}"\n'
                      'roles = ["security-officer"]\n')
    server = Server(folder / "data", open=False, config=config)
    server.environment["VITALWIRE_PASSWORD"] = PASSWORD
    for name, role, unit in PEOPLE:
        server.run("user", "add", name, "--role", role, *(["--unit", unit] if unit else []))
    server.run("user", "add", "peter", "--role", "patient", "--patient", "pat-b")
    del server.environment["VITALWIRE_PASSWORD"]
    server.token = server.run("user", "token", "ehr").split()[0]
    server.start()
    ehr = program(server)
    for patient, unit, name, born in PATIENTS:
        place = f"bed-{patient}"
        put(ehr, {"resourceType": "Location", "id": place, "status": "active", "name": f"{patient} bed",
                  "physicalType": {"coding": [{"code": "bd"}]}, "partOf": {"display": unit}})
        put(ehr, {"resourceType": "Patient", "id": patient, "birthDate": born, "name": [{"family": name}],
                  "identifier": [{"system": "urn:mrn", "value": f"MRN-{patient}",
                                  "type": {"coding": [{"code": "MR"}]}}]})
        put(ehr, {"resourceType": "Encounter", "id": f"stay-{patient}", "status": "in-progress",
                  "class": {"code": "IMP"}, "subject": {"reference": f"Patient/{patient}"},
                  "period": {"start": "2026-11-01T07:13:00Z"},
                  "location": [{"location": {"reference": f"Location/{place}"}}]})
        for beat in range(3):
            measure(ehr, patient, 60 + beat, beat)
    wait_for(lambda: {p for p, *_ in PATIENTS} <= seen(enter(server, "ada")), "both patients on the ward")
    server.pager = pager
    yield server
    server.stop()
    pager.stop()


class Session(requests.Session):
    """Requests of one account, relative to the server."""

    def __init__(self, base):
        super().__init__()
        self.base, self.trust_env = base, False

    def request(self, method, path, **options):
        return super().request(method, self.base + path, timeout=60, **options)


def enter(server, name):
    session = Session(server.url)
    answer = session.post("/api/v1/login", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return session


def program(server):
    session = Session(server.url)
    session.headers["Authorization"] = f"Bearer {server.token}"
    return session


def put(session, resource):
    path = f"/fhir/{resource['resourceType']}/{resource['id']}"
    answer = session.put(path, json=resource)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def measure(session, patient, value, minute):
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60 * (3 - minute)))
    resource = {"resourceType": "Observation", "status": "final", "subject": {"reference": f"Patient/{patient}"},
                "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}, "effectiveDateTime": at,
                "valueQuantity": {"value": value, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"}}
    answer = session.post("/fhir/Observation", json=resource)
    assert answer.status_code == 201, answer.text


def seen(session):
    answer = session.get("/api/v1/ward")
    return {tile["patient"]["id"] for tile in answer.json()["tiles"]} if answer.status_code == 200 else set()


def opening(patient, **more):
    return {"patient": patient, "reason": "emergency", "words": "found unresponsive on round", "minutes": 30, **more}


def consent(rule, **more):
    return {"resourceType": "Consent", "status": "active", "scope": {"coding": [{"code": "patient-privacy"}]},
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
            "patient": {"reference": "Patient/pat-b"}, "policyRule": {"coding": [{"code": "OPTIN"}]},
            "provision": {"type": "permit", "provision": [rule]}, **more}


def test_break_glass_opens_is_told_reviewed_and_ends(house):
    nora = enter(house, "nora")
    refused = nora.get("/api/v1/patients/pat-b")
    assert (refused.status_code, refused.json()["break_glass"]) == (403, True)
    assert seen(nora) == {"pat-a"}
    for bad in (opening("pat-b", words="because"), opening("pat-b", minutes=241), opening("pat-b", minutes=0),
                opening("pat-b", reason="curious"), opening("pat-b", color="red")):
        assert nora.post("/api/v1/break-glass", json=bad).status_code in (400, 422)
    assert nora.post("/api/v1/break-glass", json=opening("MRN-pat")).status_code == 404, "no browsing by a part"
    opened = nora.post("/api/v1/break-glass", json=opening("MRN-pat-b"))
    assert opened.status_code == 200, opened.text
    access = opened.json()["access"]
    assert access["patient"] == "pat-b" and access["open"]
    assert nora.get("/api/v1/patients/pat-b").status_code == 200, "at once"
    assert seen(nora) == {"pat-a", "pat-b"}
    told = wait_for(lambda: [call for call in house.pager.told if call.get("event") == "break-glass"],
                    "the security officer's desk to be told")
    assert told[0]["patient"] == "pat-b" and told[0]["account"] == "nora" and "words" not in told[0]
    # Told to the charge nurse of the patient's unit and to the security officer, to nobody else.
    for name, expected in (("clara", 1), ("sue", 1), ("cyril", 0)):
        assert enter(house, name).get("/api/v1/break-glass").json()["waiting"] == expected, name
    assert nora.get("/api/v1/break-glass").status_code == 403
    review = {"outcome": "justified", "note": "asked the ward"}
    path = f"/api/v1/break-glass/{access['id']}/review"
    assert nora.post(path, json=review).status_code == 403
    assert enter(house, "cyril").post(path, json=review).status_code == 404
    assert enter(house, "clara").post(path, json=review).json()["reviewer"] == "clara"
    clara = enter(house, "clara")
    own = clara.post("/api/v1/break-glass", json=opening("pat-a")).json()["access"]
    # Of her own unit's patient she could review, but not what she did herself.
    assert clara.post(f"/api/v1/break-glass/{own['id']}/review", json=review).status_code in (404, 409)
    assert clara.delete(f"/api/v1/break-glass/{own['id']}").status_code == 200
    assert enter(house, "clara").delete(f"/api/v1/break-glass/{access['id']}").status_code == 404, "not hers"
    assert nora.delete(f"/api/v1/break-glass/{access['id']}").status_code == 200
    assert nora.get("/api/v1/patients/pat-b").status_code == 403, "ended at once"
    assert seen(nora) == {"pat-a"}
    metrics = program(house).get("/metrics").text
    assert 'vitalwire_break_glass_total{reason="emergency"} 2' in metrics


def test_a_consent_holds_everywhere_at_once(house):
    ehr, phil = program(house), enter(house, "phil")
    trends = "/api/v1/patients/pat-b/trends?metrics=MDC_ECG_HEART_RATE&from=0&to=4000000000000"
    tile = lambda: next(t for t in phil.get("/api/v1/ward").json()["tiles"] if t["patient"]["id"] == "pat-b")
    found = lambda: phil.get("/fhir/Observation?patient=pat-b").json().get("total", 0)
    assert phil.get(trends).status_code == 200 and tile()["values"] and found() >= 3
    rule = {"type": "deny", "class": [{"system": "urn:vitalwire:data-category", "code": "vital-signs"}],
            "actor": [{"role": {"text": "x"}, "reference": {"identifier": {"system": "urn:vitalwire:role",
                                                                            "value": "pharmacist"}}}]}
    made = ehr.post("/fhir/Consent", json=consent(rule))
    assert made.status_code == 201, made.text
    Consent(made.json())  # another implementation takes it
    assert phil.get(trends).status_code == 403
    assert tile()["values"] == []
    refused = phil.get("/fhir/Observation?patient=pat-b")
    assert refused.status_code == 403 or refused.json().get("total", 0) == 0
    assert enter(house, "nick").get(trends).status_code == 200, "others are as before"
    # Read, search, a new version, the end of it.
    kept = made.json()
    assert ehr.get(f"/fhir/Consent/{kept['id']}").json()["meta"]["versionId"] == "1"
    assert ehr.get("/fhir/Consent?patient=pat-b&status=active").json()["total"] == 1
    ended = ehr.put(f"/fhir/Consent/{kept['id']}", json={**kept, "status": "inactive"})
    assert (ended.status_code, ended.json()["meta"]["versionId"]) == (200, "2")
    assert phil.get(trends).status_code == 200 and tile()["values"] and found() >= 3


def test_a_consent_that_cannot_be_enforced_is_refused(house):
    ehr = program(house)
    for rule in ({"type": "deny", "securityLabel": [{"code": "R"}]},
                 {"type": "deny", "actor": [{"role": {"text": "x"}, "reference": {"reference": "Practitioner/nobody"}}]},
                 {"type": "deny", "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
                                               "code": "XYZ"}]}):
        answer = ehr.post("/fhir/Consent", json=consent(rule))
        assert answer.status_code == 422, answer.text
        assert answer.json()["issue"][0]["expression"][0].startswith("Consent.provision.provision[0]")
    assert ehr.post("/fhir/Consent", json={"resourceType": "Consent"}).status_code == 400
    assert ehr.get("/fhir/Consent?patient=pat-b&status=active").json()["total"] == 0


def test_break_glass_opens_a_refusal_only_where_the_patient_says_so(house):
    nora, peter = enter(house, "nora"), enter(house, "peter")
    refuse = {"permit": False, "recipients": [{"kind": "role", "name": "nurse"}]}
    for in_emergency, status in ((False, 403), (True, 200)):
        made = peter.post("/api/v1/me/consents", json={**refuse, "in_emergency": in_emergency})
        assert made.status_code == 200, made.text
        assert enter(house, "nick").get("/api/v1/patients/pat-b").status_code == 403, "their own nurse, too"
        opened = nora.post("/api/v1/break-glass", json=opening("pat-b")).json()
        assert bool(opened["overridden"]) == in_emergency and bool(opened["withheld"]) != in_emergency
        assert nora.get("/api/v1/patients/pat-b").status_code == status
        nora.delete(f"/api/v1/break-glass/{opened['access']['id']}")
        assert peter.delete(f"/api/v1/me/consents/{made.json()['id']}").status_code == 204
    assert enter(house, "nick").get("/api/v1/patients/pat-b").status_code == 200


def test_a_care_team_opens_a_patient_of_another_unit(house):
    nora, ehr = enter(house, "nora"), program(house)
    team = {"resourceType": "CareTeam", "id": "team-b", "status": "active", "subject": {"reference": "Patient/pat-b"},
            "participant": [{"role": [{"text": "tele-ICU"}], "member": {"display": "nora"}}]}
    assert nora.get("/api/v1/patients/pat-b").status_code == 403
    put(ehr, team)
    assert nora.get("/api/v1/patients/pat-b").status_code == 200
    put(ehr, {**team, "participant": [{"member": {"display": "nora"}, "period": {"end": "2020-01-01"}}]})
    assert nora.get("/api/v1/patients/pat-b").status_code == 403, "its time is over"


def test_patients_see_who_saw_what(house):
    nick, peter = enter(house, "nick"), enter(house, "peter")
    assert nick.get("/api/v1/patients/pat-b").status_code == 200
    for session, path in ((peter, "/api/v1/me/accesses"), (enter(house, "sue"), "/api/v1/patients/pat-b/accesses")):
        report = session.get(path)
        assert report.status_code == 200, report.text
        lines = report.json()["accesses"]
        assert any(line["who"] == "nick" and line["what"] == "Opened the record" for line in lines), lines[:5]
        assert any(line["who"] == "nora" and line["outcome"] == "refused" for line in lines)
        assert any(line["purpose"] == "emergency" or "emergency" in line["what"] for line in lines)
    for name in ("nick", "ada", "phil"):
        assert enter(house, name).get("/api/v1/patients/pat-b/accesses").status_code == 403, name
    me = peter.get("/api/v1/me").json()
    assert me["records"][0]["patient"] == "pat-b" and me["records"][0]["values"]
    assert peter.get("/api/v1/patients/pat-b").status_code in (403, 404), "staff's pages are not the patient's"


def test_a_caregiver_sees_what_the_patient_lets_them_see(house):
    peter, cara = enter(house, "peter"), enter(house, "cara")
    assert cara.get("/api/v1/me").json()["records"] == []
    invited = peter.post("/api/v1/me/caregivers", json={"label": "my daughter", "categories": ["vital-signs"]}).json()
    assert "#invitation=" in invited["link"] and "?" not in invited["link"]
    assert enter(house, "nora").post("/api/v1/me/invitation", json={"code": invited["code"]}).status_code == 403
    assert cara.post("/api/v1/me/invitation", json={"code": "0000-0000-0000-0000-0000"}).status_code == 400
    assert cara.post("/api/v1/me/invitation", json={"code": invited["code"]}).status_code == 204
    assert cara.post("/api/v1/me/invitation", json={"code": invited["code"]}).status_code == 400, "once"
    record = cara.get("/api/v1/me").json()["records"][0]
    assert record["values"] and "waveforms" not in record["categories"]
    assert cara.get("/api/v1/me/accesses").status_code == 404
    assert peter.delete(f"/api/v1/me/caregivers/{invited['id']}").status_code == 204
    assert cara.get("/api/v1/me").json()["records"] == []


def leaks(text):
    secrets = [word for p, _, name, born in PATIENTS for word in (p, f"MRN-{p}", name, born, born[:7])]
    return [secret for secret in secrets if secret in text]


def test_views_without_names_have_none(house):
    olga, rita, peter = enter(house, "olga"), enter(house, "rita"), enter(house, "peter")
    beds = olga.get("/api/v1/operations/beds")
    assert beds.status_code == 200 and any(bed["occupied"] for bed in beds.json()["beds"])
    assert all(set(bed) == {"unit", "bed", "occupied", "hours", "acuity", "devices"} for bed in beds.json()["beds"])
    assert leaks(json.dumps([{**bed, "bed": ""} for bed in beds.json()["beds"]])) == []
    assert olga.get("/api/v1/ward").status_code == 403 and rita.get("/api/v1/ward").status_code == 403
    assert rita.get("/api/v1/research/s1/subjects").json()["subjects"] == [], "nobody agreed"
    agreed = {"permit": True, "purposes": ["HRESCH"], "categories": ["vital-signs"]}
    made = peter.post("/api/v1/me/consents", json=agreed).json()
    first = rita.get("/api/v1/research/s1/subjects").json()["subjects"]
    second = rita.get("/api/v1/research/s2/subjects").json()["subjects"]
    assert len(first) == len(second) == 1 and first[0]["subject"] != second[0]["subject"]
    data = rita.get(f"/api/v1/research/s1/subjects/{first[0]['subject']}")
    assert data.status_code == 200, data.text
    points = data.json()["series"][0]["points"]
    assert [value for _, value in points] == [60, 61, 62]
    assert all(0 <= at < 2 * 86_400 for at, _ in points), "no time of the world"
    assert leaks(json.dumps([first, second, data.json()])) == []
    assert str(int(time.time()))[:6] not in data.text
    assert rita.get(f"/api/v1/research/s2/subjects/{first[0]['subject']}").status_code == 404
    assert peter.delete(f"/api/v1/me/consents/{made['id']}").status_code == 204
    assert rita.get(f"/api/v1/research/s1/subjects/{first[0]['subject']}").status_code == 404, "at once"


def test_legal_holds_and_retention(house):
    sue, nora = enter(house, "sue"), enter(house, "nora")
    assert nora.get("/api/v1/retention").status_code == 403
    rules = {rule["kind"]: rule for rule in sue.get("/api/v1/retention").json()["rules"]}
    assert len(rules) == 8 and not rules["audit"]["set"]
    assert [kind for kind, rule in rules.items() if not rule["enforced"]] == ["messages"]
    for bad in ({"kind": "waveforms", "days": 0}, {"kind": "dust", "days": 3}):
        assert sue.put("/api/v1/retention", json=bad).status_code == 400
    after = sue.put("/api/v1/retention", json={"kind": "waveforms", "days": 30}).json()["rules"]
    assert next(rule for rule in after if rule["kind"] == "waveforms")["days"] == 30
    held = sue.post("/api/v1/patients/pat-a/legal-holds", json={"reason": "case 17/4"})
    assert held.status_code == 200, held.text
    kept = enter(house, "nora").get("/api/v1/patients/pat-a/holds").json()["holds"]
    assert any(hold["reason"].startswith("legal hold") for hold in kept)
    for hold in kept:
        answer = enter(house, "cyril").delete(f"/api/v1/patients/pat-a/holds/{hold['id']}")
        assert answer.status_code == 409, "only who may hold may release"
    gone = sue.delete(f"/api/v1/patients/pat-a/legal-holds/{held.json()['id']}", json={"reason": "case closed"})
    assert gone.status_code == 204, gone.text
    assert not enter(house, "nora").get("/api/v1/patients/pat-a/holds").json()["holds"]


def test_everything_about_one_person_comes_with_hashes(house):
    for session, path in ((enter(house, "peter"), "/api/v1/me/export"), (enter(house, "sue"), "/api/v1/patients/pat-b/export")):
        answer = session.get(path)
        assert answer.status_code == 200, answer.text
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        manifest = json.loads(archive.read("manifest.json"))
        assert manifest["problems"] == []
        for line in manifest["files"]:
            assert hashlib.sha256(archive.read(line["file"])).hexdigest() == line["sha256"], line["file"]
        names = set(archive.namelist())
        assert {"fhir/record.json", "alerts.json", "accesses.json", "consents.json"} <= names
        record = json.loads(archive.read("fhir/record.json"))
        assert record["entry"][0]["resource"]["name"][0]["family"] == "Zyphermann"
        series = next(name for name in names if name.endswith("MDC_ECG_HEART_RATE.csv"))
        assert archive.read(series).decode().count("\n") == 5, "two lines of head, three values"
        parts = [json.loads(archive.read(name)) for name in names if name.startswith("fhir/observations-")]
        told = [entry["resource"]["id"] for part in parts for entry in part["entry"]]
        rows = sum(archive.read(name).decode().count("\n") - 2 for name in names if name.startswith("series/"))
        assert len(told) == len(set(told)) == rows > 0, "every value as an Observation, too"
        assert b"Quixwood" not in answer.content
    assert enter(house, "nora").get("/api/v1/patients/pat-a/export").status_code == 403
    assert enter(house, "cara").get("/api/v1/me/export").status_code in (403, 404)


def test_an_emergency_access_is_told_although_the_program_is_killed_behind_it(house):
    expected = []
    for _ in range(3):
        opened = enter(house, "nick").post("/api/v1/break-glass", json=opening("pat-a"))
        assert opened.status_code == 200, opened.text
        expected.append(opened.json()["access"]["id"])
        house.kill()
        house.start()
    told = lambda: [call["access"] for call in house.pager.told if call.get("event") == "break-glass"]
    wait_for(lambda: set(expected) <= set(told()), "every access to be told")
