"""What is written over FHIR twice, or under an id of one's own, is found again or clearly refused."""

import pytest
import requests

from support.bedside import admit, hl7
from support.server import wait_for

JSON = {"content-type": "application/fhir+json"}


@pytest.fixture
def fhir(server):
    def send(method, path, body=None):
        return requests.request(method, f"{server.url}/fhir/{path}", json=body, headers=JSON, timeout=60)

    return send


def pulse(patient, rate=71, **more):
    return {"resourceType": "Observation", "status": "final", "subject": {"reference": f"Patient/{patient}"},
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}, "device": {"reference": "Device/chart-7"},
            "effectiveDateTime": "2026-03-01T10:00:00Z",
            "valueQuantity": {"value": rate, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"}, **more}


def test_a_reading_put_again_under_another_id_is_found_by_it(server, fhir):
    patient, _ = admit(server, "W1", "A")
    first = fhir("POST", "Observation", pulse(patient))
    assert first.status_code == 201, first.text
    own = first.json()["id"]
    for name in ("mine-1", "mine-2"):
        again = fhir("PUT", f"Observation/{name}", pulse(patient, id=name))
        assert again.status_code in (200, 201) and again.json()["id"] == name, again.text
        assert again.headers["location"].split("/_history")[0].endswith(f"Observation/{name}"), again.headers
    for name in (own, "mine-1", "mine-2"):
        found = fhir("GET", f"Observation/{name}")
        assert found.status_code == 200, f"{name}: {found.text}"
        assert found.json()["valueQuantity"]["value"] == 71
    for name in (own, "mine-1", "mine-2"):
        assert fhir("GET", f"Observation/{name}").json()["id"] == name
        found = fhir("GET", f"Observation?_id={name}").json()
        assert [entry["resource"]["id"] for entry in found["entry"]] == [name] and found["total"] == 1, found
    assert fhir("GET", f"Observation?patient={patient}&code=8867-4").json()["total"] == 1, "stored once"
    assert fhir("GET", "Observation/mine-1/_history").json()["total"] == 1
    better = fhir("PUT", "Observation/mine-1", pulse(patient, 74, id="mine-1"))
    assert better.status_code == 200 and fhir("GET", "Observation/mine-1").json()["valueQuantity"]["value"] == 74
    assert fhir("GET", "Observation/mine-2").json()["valueQuantity"]["value"] == 71
    assert fhir("GET", "Observation/never-said").status_code == 404


def person(mrn, **more):
    return {"resourceType": "Patient", "identifier": [{"system": "urn:house", "value": mrn}], "name": [{"family": mrn}], **more}


def test_an_identifier_of_somebody_else_is_refused_and_nobody_changes(server, fhir):
    one = fhir("POST", "Patient", person("W-100", gender="female")).json()["id"]
    refused = fhir("PUT", "Patient/theirs-9", person("W-100", id="theirs-9", gender="male"))
    assert refused.status_code == 409, refused.text
    issue = refused.json()["issue"][0]
    assert issue["code"] == "duplicate" and issue["expression"] == ["Patient.identifier"] and "W-100" not in refused.text
    assert fhir("GET", "Patient/theirs-9").status_code == 404
    assert fhir("GET", f"Patient/{one}").json()["gender"] == "female", "nobody was changed"
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"resource": person("W-100", id="theirs-9"), "request": {"method": "PUT", "url": "Patient/theirs-9"}}]}
    assert fhir("POST", "", bundle).status_code == 409

    # One's own record may be written again, found by identifier, and given a second one.
    assert fhir("PUT", f"Patient/{one}", person("W-100", id=one)).status_code == 200
    assert fhir("PUT", "Patient?identifier=urn:house|W-100", person("W-100")).status_code == 200
    assert fhir("PUT", "Patient/theirs-9", person("W-200", id="theirs-9")).status_code == 201
    both = person("W-200", id="theirs-9")
    both["identifier"].append({"system": "urn:house", "value": "W-100"})
    assert fhir("PUT", "Patient/theirs-9", both).status_code == 409, "two patients do not become one by an update"
    # The same value of another house is another identifier.
    other = person("W-100", id="elsewhere-1")
    other["identifier"][0]["system"] = "urn:other-house"
    assert fhir("PUT", "Patient/elsewhere-1", other).status_code == 201


def test_a_create_changes_nobody_who_is_known(server, fhir):
    said = person("W-500", gender="female", birthDate="1950-02-01")
    one = fhir("POST", "Patient", said).json()["id"]
    again = fhir("POST", "Patient", said)
    assert (again.status_code, again.json()["id"]) == (200, one), again.text
    assert again.headers["location"].split("/_history")[0].endswith(f"Patient/{one}")
    for other in (person("W-500", gender="male"), person("W-500", birthDate="1950-02-02"), {**said, "name": [{"family": "Other"}]}):
        refused = fhir("POST", "Patient", other)
        assert refused.status_code == 409 and refused.json()["issue"][0]["code"] == "duplicate", refused.text
        assert "W-500" not in refused.text and "1950" not in refused.text
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [
            {"fullUrl": "urn:uuid:0f6f8f5e-3ee6-4ad8-ae31-6f9c1c9d1c11", "resource": other, "request": {"method": "POST", "url": "Patient"}}]}
        assert fhir("POST", "", bundle).status_code == 409
        bundle["type"] = "batch"
        assert fhir("POST", "", bundle).json()["entry"][0]["response"]["status"].startswith("409")
    now = fhir("GET", f"Patient/{one}").json()
    assert (now["gender"], now["birthDate"], now["name"]) == ("female", "1950-02-01", said["name"]), "nobody was changed"
    # Of somebody whom a device's message named by number alone nothing is known: a create says who they are.
    assert hl7(server, "MSH|^~\\&|ADT|H|||20260301100000||ADT^A01^ADT_A01|W-C1|P|2.5\nEVN|A01|20260301100000\n"
                       "PID|||W-501^^^urn:house^MR||\nPV1||I|WARD^1^9\n") == "AA"
    who = lambda: fhir("GET", "Patient?identifier=urn:house|W-501").json().get("entry")  # noqa: E731
    known = wait_for(who, "the admission")[0]["resource"]["id"]
    filled = fhir("POST", "Patient", person("W-501", gender="male"))
    assert (filled.status_code, filled.json()["id"], filled.json()["gender"]) == (200, known, "male"), filled.text


def test_records_that_were_merged_share_their_identifiers(server, fhir):
    keep, gone = (fhir("POST", "Patient", person(mrn)).json()["id"] for mrn in ("W-300", "W-301"))
    merge = ("MSH|^~\\&|ADT|H|||20260301100000||ADT^A40^ADT_A39|W-M1|P|2.5\nEVN|A40|20260301100000\n"
             "PID|||W-300^^^urn:house^MR||W-300\nMRG|W-301^^^urn:house^MR\n")
    assert hl7(server, merge) == "AA"
    wait_for(lambda: fhir("GET", f"Patient/{gone}").json()["id"] == keep, "the merge")
    both = person("W-300", id=keep)
    both["identifier"].append({"system": "urn:house", "value": "W-301"})
    assert fhir("PUT", f"Patient/{keep}", both).status_code == 200
