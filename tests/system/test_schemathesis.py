"""SE-1 by somebody else's generator: schemathesis makes requests from the OpenAPI document, well-formed and not.

Nothing answers 5xx; without credentials nothing but what is public answers 2xx; and a nurse of another unit
is never shown the patient. SCHEMATHESIS_EXAMPLES (10) says how many requests an operation gets, four times over.
"""

import os

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from support.server import Server, wait_for

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "10"))
MARKS = ("Zwiebelfisch", "ZWF-000-771")
# Streams have no end, and what ends the run's own accounts would make the rest of it say nothing.
LEFT_OUT = {"/api/v1/live", "/api/v1/waveforms/live", "/api/v1/logout"}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A locked server with one patient in one unit, and programs of several rights."""
    server = Server(tmp_path_factory.mktemp("generated") / "data", open=False)
    tokens = {
        "administrator": server.run("user", "token", "adm", "--role", "administrator").split()[0],
        "service": server.run("user", "token", "ehr").split()[0],
        "elsewhere": server.run("user", "token", "ed", "--role", "nurse", "--unit", "ED").split()[0],
    }
    server.start()
    server.tokens = tokens
    fhir = {"Authorization": f"Bearer {tokens['service']}", "Content-Type": "application/fhir+json"}

    def put(resource):
        path = f"{server.url}/fhir/{resource['resourceType']}/{resource['id']}"
        answer = requests.put(path, json=resource, headers=fhir, timeout=60)
        assert answer.status_code in (200, 201), answer.text

    bed = {"system": "http://terminology.hl7.org/CodeSystem/location-physical-type", "code": "bd"}
    put({"resourceType": "Location", "id": "icu-7", "name": "7", "physicalType": {"coding": [bed]},
         "identifier": [{"system": "urn:bed", "value": "ICU^1^7"}]})
    put({"resourceType": "Patient", "id": "p-0123456789abcdef", "name": [{"family": MARKS[0], "given": ["Ada"]}],
         "identifier": [{"system": "urn:mrn", "value": MARKS[1]}]})
    code = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}
    put({"resourceType": "Encounter", "id": "e-1", "status": "in-progress", "class": code,
         "subject": {"reference": "Patient/p-0123456789abcdef"},
         "location": [{"location": {"reference": "Location/icu-7"}}]})
    staff = {"Authorization": f"Bearer {tokens['administrator']}"}

    def seen():
        return MARKS[0] in requests.get(f"{server.url}/api/v1/patients", headers=staff, timeout=60).text

    wait_for(seen, "the patient to be seen by whoever may")
    yield server
    server.stop()


def operations(server):
    schema = schemathesis.openapi.from_url(f"{server.url}/api/openapi.json")
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path not in LEFT_OUT:
            yield operation


def drive(server, token, judge):
    """Sends generated requests to every operation as somebody, and hands each answer to `judge`."""
    session = requests.Session()
    session.trust_env = False
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    sent = 0

    def sender(operation):
        def send(case):
            nonlocal sent
            answer = case.call(session=session, headers=headers, base_url=server.url, timeout=120)
            sent += 1
            judge(operation, answer)

        return send

    for operation in operations(server):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                strategy = operation.as_strategy(generation_mode=mode)
                test = given(case=strategy)(sender(operation))
                checks = list(HealthCheck)
                test = settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
                                phases=[Phase.explicit, Phase.generate], suppress_health_check=checks)(test)
                test()
            except (schemathesis.errors.SchemathesisError, Unsatisfiable):
                continue  # An operation without parameters has no wrong ones.
    return sent


def test_nothing_answers_5xx(house):
    def judge(operation, answer):
        what = f"{operation.method.upper()} {operation.path}: {answer.status_code} {answer.text[:300]}"
        # 503 is how the program says that it is not ready; nothing here makes it so.
        assert answer.status_code < 500, what

    assert drive(house, house.tokens["administrator"], judge) > 300
    assert "panicked" not in house.log()


def test_without_credentials_nothing_is_told(house):
    public = {path for path, item in requests.get(f"{house.url}/api/openapi.json", timeout=60).json()["paths"].items()
              for operation in item.values() if isinstance(operation, dict) and operation.get("security") == []}

    def judge(operation, answer):
        what = f"{operation.method.upper()} {operation.path}: {answer.status_code} {answer.text[:300]}"
        assert answer.status_code < 500, what
        assert not any(mark in answer.text for mark in MARKS), what
        if operation.path not in public:
            assert not 200 <= answer.status_code < 300, what

    assert drive(house, None, judge) > 300


def test_another_unit_never_sees_the_patient(house):
    def judge(operation, answer):
        what = f"{operation.method.upper()} {operation.path}: {answer.status_code} {answer.text[:300]}"
        assert answer.status_code < 500, what
        assert not any(mark in answer.text for mark in MARKS), what

    assert drive(house, house.tokens["elsewhere"], judge) > 300
