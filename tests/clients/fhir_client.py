"""Speaks to Vitalwire's FHIR R4 door with two clients that are not ours.

    pip install fhirclient fhir.resources requests
    python3 fhir_client.py http://127.0.0.1:8080/fhir [--examples FOLDER] [--header 'Authorization: Bearer …']

`fhirclient` (SMART's R4 models) creates, reads, searches and pages; `fhir.resources` (R4B models)
validates everything that comes back. `--examples` is a folder with the unpacked example archives
(FHIR R4 examples, device guides, Synthea): every batch, transaction and single resource in it that
the platform takes is sent. Ends with 0 when all is well, else with 1 and what was wrong; it prints
the number of checks.
"""

import argparse
import concurrent.futures
import gzip
import json
import pathlib
import sys
import time

import requests
from fhir.resources.R4B import get_fhir_model_class
from fhirclient import client as smart
from fhirclient.models import bundle as smart_bundle
from fhirclient.models import devicemetric as smart_metric
from fhirclient.models import observation as smart_observation
from fhirclient.models import patient as smart_patient

CHECKS = 0
FAILURES = []
UCUM = "http://unitsofmeasure.org"


def check(holds, what):
    global CHECKS
    CHECKS += 1
    if not holds:
        FAILURES.append(what)
        print("FAILED:", what, file=sys.stderr)


def valid(resource, where):
    """What came back is valid for somebody else's models."""
    if not isinstance(resource, dict):
        check(False, f"{where}: no resource came back")
        return
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        check(True, where)
    except Exception as error:  # noqa: BLE001: any refusal is a finding
        check(False, f"{where}: {str(error)[:400]}")


class Door:
    def __init__(self, base, headers):
        self.base = base.rstrip("/")
        self.session = requests.Session()
        self.session.headers.update({"Accept": "application/fhir+json", **headers})

    def send(self, method, path, body=None, **headers):
        url = path if path.startswith("http") else f"{self.base}{path}"
        data = body if isinstance(body, (str, bytes)) or body is None else json.dumps(body)
        if data is not None:
            headers.setdefault("Content-Type", "application/fhir+json")
        answer = self.session.request(method, url, data=data, headers=headers)
        try:
            resource = answer.json()
        except ValueError:
            resource = None
        if resource is not None:
            valid(resource, f"{method} {path.split('?')[0]} -> {answer.status_code}")
        return answer, resource


def heart_rate(patient, second, value, **more):
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "device": {"reference": "Device/client-monitor"},
        "effectiveDateTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second)),
        "valueQuantity": {"value": value, "unit": "/min", "system": UCUM, "code": "/min"},
        **more,
    }


def patients(door, mark):
    sent = {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:client:mrn", "value": mark}],
        "name": [{"family": f"Testperson{mark}", "given": ["Ada"]}],
        "gender": "female",
        "birthDate": "1950-02-01",
    }
    answer, created = door.send("POST", "/Patient", sent)
    check(answer.status_code == 201, f"create: {answer.status_code}")
    patient = created["id"]
    answer, read = door.send("GET", f"/Patient/{patient}")
    check(read["name"][0]["family"] == f"Testperson{mark}", "the document is kept")
    etag = answer.headers["ETag"]
    read["name"][0]["given"] = ["Ada", "Augusta"]
    answer, _ = door.send("PUT", f"/Patient/{patient}", read, **{"If-Match": etag})
    check(answer.status_code == 200 and answer.headers["ETag"] != etag, "update makes a version")
    answer, _ = door.send("PUT", f"/Patient/{patient}", read, **{"If-Match": etag})
    check(answer.status_code == 412, "a stale If-Match is refused")
    answer, _ = door.send("POST", "/Patient", sent, **{"If-None-Exist": f"identifier=urn:client:mrn|{mark}"})
    check(answer.status_code == 200, "conditional create of what exists")
    answer, there = door.send("POST", "/Patient", {**read, "id": "ignored"})
    check(answer.status_code == 200 and there["id"] == patient, "a create of somebody who is known is that one")
    for name, value in (("gender", "male"), ("birthDate", "1950-02-02"), ("name", [{"family": "Other"}])):
        answer, outcome = door.send("POST", "/Patient", {**read, name: value})
        check(answer.status_code == 409 and outcome["issue"][0]["code"] == "duplicate", f"another {name}: {answer.status_code}")
    _, now = door.send("GET", f"/Patient/{patient}")
    check((now["gender"], now["birthDate"], now["name"]) == ("female", "1950-02-01", read["name"]), "a create changed somebody")
    return patient


def observations(door, patient, now):
    ids = []
    for step in range(30):
        answer, _ = door.send("POST", "/Observation", heart_rate(patient, now - 60 + step, 60 + step))
        check(answer.status_code == 201, f"create observation: {answer.status_code} {answer.text[:300]}")
        ids.append(answer.headers.get("Location", ""))
        if ids[-1]:
            check(door.send("GET", ids[-1])[0].status_code == 200, "Location leads to it")
    check(len(set(ids)) == 30, "ids are distinct")
    _, again = door.send("POST", "/Observation", heart_rate(patient, now - 60, 60))
    pressure = heart_rate(patient, now - 20, 0)
    del pressure["valueQuantity"]
    pressure["code"]["coding"][0]["code"] = "85354-9"
    pressure["component"] = [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "system": UCUM, "code": "mm[Hg]"},
        }
        for code, value in [("8480-6", 120), ("8462-4", 80)]
    ]
    answer, _ = door.send("POST", "/Observation", pressure)
    check(answer.status_code == 201, f"blood pressure: {answer.status_code}")
    panel = answer.json() if answer.status_code == 201 else {}
    check(panel.get("id", "").startswith("p") and len(panel.get("component", [])) == 2, "a panel is answered")
    check(panel.get("meta", {}).get("profile") == ["http://hl7.org/fhir/StructureDefinition/bp"], "of the bp profile")
    _, found = door.send("GET", f"/Observation?patient={patient}&code=85354-9")
    check([e["resource"]["id"] for e in found["entry"]] == [panel.get("id")], "and found by its code")
    for query, total in [
        ("code=8867-4", 30),
        ("code=http://loinc.org|8867-4", 30),
        ("code=8480-6,8462-4", 2),
        ("code=85354-9", 1),
        ("code=85354-9,8480-6", 2),
        ("category=vital-signs", 32),
        ("category=laboratory", 0),
    ]:
        _, found = door.send("GET", f"/Observation?patient={patient}&{query}&_summary=count")
        check(found.get("total") == total, f"{query}: {found.get('total')} instead of {total}")


def names(door, patient, mark, now):
    """Ids and identifiers that the client chose; conditional creates, alone and all at once."""
    mine = f"mine-{mark}"
    identifier = [{"system": "urn:client:order", "value": f"order-{mark}"}]
    sent = heart_rate(patient, now - 90, 71, id=mine, identifier=identifier)
    answer, _ = door.send("PUT", f"/Observation/{mine}", sent)
    check(answer.status_code == 201, f"update creates: {answer.status_code} {answer.text[:200]}")
    _, read = door.send("GET", f"/Observation/{mine}")
    check((read["id"], read["identifier"]) == (mine, identifier), "under the client's id, with its identifier")
    for query in [f"_id={mine}", f"identifier=urn:client:order|order-{mark}", f"identifier=order-{mark}"]:
        _, found = door.send("GET", f"/Observation?{query}")
        check([e["resource"]["id"] for e in found.get("entry", [])] == [mine], f"found by {query}")
    answer, _ = door.send("PUT", f"/Observation/{mine}", {**sent, "status": "corrected"})
    check(answer.status_code == 200, f"a correction is an update: {answer.status_code}")
    _, read = door.send("GET", f"/Observation/{mine}")
    check(read["status"] == "amended", "the correction counts")
    _, history = door.send("GET", f"/Observation/{mine}/_history")
    check(history["total"] == 2, "both versions are kept")
    criteria = f"identifier=urn:client:order|race-{mark}"

    def create(number):
        body = heart_rate(patient, now - 80, 60 + number, identifier=[{"system": "urn:client:order", "value": f"race-{mark}"}])
        headers = {"Content-Type": "application/fhir+json", "If-None-Exist": criteria}
        return requests.post(f"{door.base}/Observation", json=body, headers={**door.session.headers, **headers}, timeout=60)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(create, range(16)))
    codes = sorted(a.status_code for a in answers)
    check(codes == [200] * 15 + [201], f"of 16 conditional creates one creates: {codes}")
    check(len({a.json()["id"] for a in answers}) == 1, "and all answer with it")
    _, found = door.send("GET", f"/Observation?{criteria}&_summary=count")
    check(found["total"] == 1, "one is stored")


def versions(door, patient):
    path = f"/Patient/{patient}"
    _, before = door.send("GET", path)
    patch = [{"op": "add", "path": "/active", "value": True}]
    kind = {"Content-Type": "application/json-patch+json"}
    answer, patched = door.send("PATCH", path, patch, **kind)
    check(answer.status_code == 200 and patched["active"] is True, f"patch: {answer.status_code}")
    _, history = door.send("GET", f"{path}/_history")
    check(history["total"] >= 3, "each change is a version")
    old = before["meta"]["versionId"]
    _, read = door.send("GET", f"{path}/_history/{old}")
    check(read == before, "an old version is read as it was")
    answer, outcome = door.send("DELETE", path)
    check(answer.status_code == 405 and "active" in outcome["issue"][0]["diagnostics"], "deleting is refused, and says what to do")
    check(door.send("DELETE", "/Patient/there-is-none")[0].status_code == 204, "what is not there is gone")
    _, short = door.send("GET", f"{path}?_elements=gender")
    check(short["meta"]["tag"][0]["code"] == "SUBSETTED" and "name" not in short, "parts are marked as such")


def steady_pages(door, patient, now):
    """Pages hold still while new data arrives."""
    url, seen = f"/Observation?patient={patient}&code=8867-4&_count=5", []
    while url:
        _, page = door.send("GET", url)
        seen += [e["resource"]["id"] for e in page.get("entry", [])]
        door.send("POST", "/Observation", heart_rate(patient, now + len(seen), 55))
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
    check(len(seen) == len(set(seen)) >= 30, "no reading twice, none left out")


def errors(door):
    broken = heart_rate("x", time.time(), 70)
    broken["status"] = "Kowalczyk"
    answer, outcome = door.send("POST", "/Observation", broken)
    check(answer.status_code in (400, 422), "a bad code is refused")
    check(outcome["issue"][0].get("expression") == ["Observation.status"], "at its place")
    check("Kowalczyk" not in answer.text, "without repeating it")
    for method, path, body, status in [
        ("POST", "/Observation", "{", 400),
        ("POST", "/Patient", {"resourceType": "Patient", "birthDate": "1.1.1950"}, 400),
        ("POST", "/Patient", {"resourceType": "Patient", "colour": "x"}, 400),
        ("GET", "/Patient/there-is-none", None, 404),
        ("GET", "/Nonsense", None, 404),
        ("GET", "/Observation?date=yesterday", None, 400),
    ]:
        answer, outcome = door.send(method, path, body)
        check(answer.status_code == status, f"{method} {path}: {answer.status_code}")
        check((outcome or {}).get("resourceType") == "OperationOutcome", f"{method} {path}: outcome")
    answer, _ = door.send("GET", "/Observation?colour=x", Prefer="handling=strict")
    check(answer.status_code == 400, "strict handling")
    answer, found = door.send("GET", "/Observation?colour=x&_count=1", Prefer="handling=lenient")
    modes = [e["search"]["mode"] for e in found["entry"]]
    check(answer.status_code == 200 and modes[-1] == "outcome", "lenient handling says what it ignored")
    deep = "[" * 100_000
    for what, body, headers, status in [
        ("XML", "<Patient/>", {"Content-Type": "application/fhir+xml"}, 415),
        ("deep nesting", deep, {}, 400),
        ("10 MB of text", json.dumps({"resourceType": "Patient", "name": [{"text": "x" * 10_000_000}]}), {}, 400),
        ("40 MB", b" " * 40_000_000, {}, 413),
        ("bytes", bytes(range(256)), {}, 400),
        ("gzip that is none", b"{}", {"Content-Encoding": "gzip"}, 400),
        ("another packing", b"{}", {"Content-Encoding": "br"}, 415),
    ]:
        answer, outcome = door.send("POST", "/Patient", body, **headers)
        check(answer.status_code == status, f"{what}: {answer.status_code}")
        check((outcome or {}).get("resourceType") == "OperationOutcome", f"{what}: outcome")
    packed = gzip.compress(json.dumps({"resourceType": "Patient", "gender": "other"}).encode())
    answer, _ = door.send("POST", "/Patient", packed, **{"Content-Encoding": "gzip"})
    check(answer.status_code == 201, f"gzip: {answer.status_code}")
    answer, _ = door.send("GET", "/Patient", Accept="application/fhir+xml")
    check(answer.status_code == 406, "XML is not served")
    proxy = {"X-Forwarded-Host": "ehr.example", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/ward"}
    _, page = door.send("GET", "/Patient?_count=1", **proxy)
    urls = [link["url"] for link in page["link"]] + [e["fullUrl"] for e in page["entry"]]
    check(all(url.startswith("https://ehr.example/ward/fhir/Patient") for url in urls), f"behind a proxy: {urls}")


def independent(base, patient, headers, now):
    """The same through SMART's client, which follows links by itself."""
    since, until = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - ago)) for ago in (60, 30))
    settings = {"app_id": "vitalwire-test", "api_base": base}
    server = smart.FHIRClient(settings=settings).server
    server.session.headers.update(headers)
    person = smart_patient.Patient.read(patient, server)
    check(person.birthDate.isostring == "1950-02-01", "fhirclient reads a patient")
    search = smart_observation.Observation.where(
        {"patient": patient, "code": "8867-4", "date": {"$and": [f"ge{since}", f"lt{until}"]}, "_sort": "date", "_count": "7"})
    values, page = [], search.perform(server)
    while True:
        values += [e.resource.valueQuantity.value for e in page.entry or [] if e.search.mode == "match"]
        following = [link.url for link in page.link if link.relation == "next"]
        if not following:
            break
        page = smart_bundle.Bundle.read_from(following[0], server)
    check(values == [60 + step for step in range(30)], f"fhirclient pages in order: {values}")


def bundles(door, mark, now):
    person, device = "urn:uuid:0b0e6a4e-0000-4000-8000-000000000001", "urn:uuid:0b0e6a4e-0000-4000-8000-000000000002"
    reading = heart_rate("x", now - 5, 99)
    reading["subject"], reading["device"] = {"reference": person}, {"reference": device}
    entry = [
        {"fullUrl": person, "request": {"method": "POST", "url": "Patient", "ifNoneExist": f"identifier=urn:client:mrn|t{mark}"},
         "resource": {"resourceType": "Patient", "identifier": [{"system": "urn:client:mrn", "value": f"t{mark}"}]}},
        {"fullUrl": device, "request": {"method": "POST", "url": "Device"},
         "resource": {"resourceType": "Device", "identifier": [{"system": "urn:client:dev", "value": f"dev-{mark}"}]}},
        {"request": {"method": "POST", "url": "Observation"}, "resource": reading},
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entry}
    answer, response = door.send("POST", "", bundle)
    check(answer.status_code == 200, f"transaction: {answer.status_code} {answer.text[:300]}")
    location = response["entry"][2]["response"]["location"]
    _, stored = door.send("GET", f"/{location}")
    patient = response["entry"][0]["response"]["location"].split("/_history")[0]
    check(stored["subject"]["reference"] == patient, "references are resolved")
    reading["status"] = "x"
    answer, _ = door.send("POST", "", bundle)
    check(answer.status_code == 400, "one bad entry refuses the transaction")
    entry.append({"request": {"method": "DELETE", "url": patient}})
    reading["status"] = "final"
    answer, outcome = door.send("POST", "", bundle)
    check(answer.status_code == 400 and outcome["issue"][0]["expression"] == ["Bundle.entry[3].request"], "as does a deletion")
    entry[3]["request"]["url"] = "Patient?identifier=urn:client:mrn|nobody-has-this"
    answer, response = door.send("POST", "", bundle)
    check(answer.status_code == 200 and response["entry"][3]["response"]["status"][:3] == "204", "of what is there")
    entry.pop()
    reading["status"] = "x"
    bundle["type"] = "batch"
    answer, response = door.send("POST", "", bundle)
    check([e["response"]["status"][:3] for e in response["entry"]] == ["200", "200", "400"], "a batch does not")


def examples(door, folder):
    taken = {}
    for path in sorted(pathlib.Path(folder).rglob("*.json")):
        try:
            resource = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if kind == "Bundle" and resource.get("type") in ("batch", "transaction"):
            answer, response = door.send("POST", "", resource)
            check(answer.status_code in (200, 400, 412, 422), f"{path.name}: {answer.text[:300]}")
            taken[f"Bundle {answer.status_code}"] = taken.get(f"Bundle {answer.status_code}", 0) + 1
            for entry in (response or {}).get("entry", []):
                key = f"entry {entry['response']['status'][:3]}"
                taken[key] = taken.get(key, 0) + 1
        elif kind in ("Patient", "Observation", "Device", "DeviceMetric", "Encounter", "Location"):
            answer, _ = door.send("POST", f"/{kind}", resource)
            check(answer.status_code in (200, 201, 202, 412, 422), f"{path.name}: {answer.text[:300]}")
            taken[f"{kind} {answer.status_code}"] = taken.get(f"{kind} {answer.status_code}", 0) + 1
    print(json.dumps(taken, indent=1, sort_keys=True))


def device_metrics(door, patient, now):
    """Metrics that a device was seen to measure, and those that are written."""
    mark = f"metrics-{now}"
    reading = {**heart_rate(patient, now - 5, 71), "device": {"reference": f"Device/{mark}"}}
    check(door.send("POST", "/Observation", reading)[0].status_code == 201, "a reading of a new device")
    _, found = door.send("GET", f"/DeviceMetric?source=Device/{mark}")
    check(found["total"] == 1, "the device has a metric")
    metric = smart_metric.DeviceMetric(found["entry"][0]["resource"])
    check(metric.type.coding[0].code == "147842", "of its code")
    check(metric.source.reference == f"Device/{mark}", "and its source")
    answer, part = door.send("GET", f"/{metric.parent.reference}")
    check(answer.status_code == 200 and part["type"]["coding"][0]["code"] == "70739", "in the channel of the rate")
    _, parts = door.send("GET", f"/Device?parent=Device/{mark}")
    check([e["resource"]["type"]["coding"][0]["code"] for e in parts["entry"]] == ["69798"], "in the ECG's VMD")
    written = {
        "resourceType": "DeviceMetric", "id": f"hr-{now}", "category": "measurement", "operationalStatus": "on",
        "type": {"coding": [{"system": "urn:iso:std:iso:11073:10101", "code": "147842"}]},
        "source": {"reference": f"Device/{mark}"}, "color": "green",
        "calibration": [{"type": "offset", "state": "calibrated", "time": "2026-01-02T03:04:05Z"}],
    }
    answer, _ = door.send("PUT", f"/DeviceMetric/hr-{now}", written)
    check(answer.status_code == 201, f"a metric is written: {answer.status_code} {answer.text[:200]}")
    _, found = door.send("GET", f"/DeviceMetric?source=Device/{mark}&type=147842")
    shown = [smart_metric.DeviceMetric(entry["resource"]) for entry in found["entry"]]
    check([m.color for m in shown] == ["green"], "and stands in place of the derived one")
    wrong = {**written, "color": "pink"}
    check(door.send("PUT", f"/DeviceMetric/hr-{now}", wrong)[0].status_code == 400, "no such colour")
    profile = "http://hl7.org/fhir/uv/pocd/StructureDefinition/NumericObservation"
    _, found = door.send("GET", f"/Observation?device={mark}&_profile={profile}")
    resource = found["entry"][0]["resource"]
    check(resource["device"]["reference"] == f"DeviceMetric/hr-{now}", "a reading is shown as its metric's")
    _, found = door.send("GET", f"/Device?_id={mark}&_revinclude=DeviceMetric:source")
    check(len(found["entry"]) == 2, "metrics are included with their device")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base", help="address of the FHIR door, such as http://127.0.0.1:8080/fhir")
    parser.add_argument("--examples", help="folder with unpacked example archives")
    parser.add_argument("--header", action="append", default=[], help="a header for every request, 'Name: value'")
    arguments = parser.parse_args()
    headers = dict(header.split(": ", 1) for header in arguments.header)
    door, now = Door(arguments.base, headers), int(time.time())
    mark = str(now)
    _, statement = door.send("GET", "/metadata")
    check(statement["fhirVersion"] == "4.0.1", "capability statement")
    patient = patients(door, mark)
    observations(door, patient, now)
    errors(door)
    names(door, patient, mark, now)
    versions(door, patient)
    steady_pages(door, patient, now)
    independent(arguments.base, patient, headers, now)
    bundles(door, mark, now)
    device_metrics(door, patient, now)
    if arguments.examples:
        examples(door, arguments.examples)
    print(f"{CHECKS} checks, {len(FAILURES)} failed")
    return 1 if FAILURES else 0


if __name__ == "__main__":
    sys.exit(main())
