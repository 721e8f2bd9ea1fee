"""SE-1 over SDC, on a locked house with its own policy: whoever is not named, has no account, may not see the patient or
may not operate is refused, and it is on record; what ends a right ends the subscriptions. sdc11073 is the other side."""

import decimal
import time

import pytest
import requests

pytest.importorskip("sdc11073", reason="needs sdc11073")
from sdc11073.mdib.consumermdib import ConsumerMdib
from sdc11073.xml_types import msg_types

from support.bedside import admit, hl7
from support.sdc_site import HERE, Named, Site, Speaking, connected, finished, free_port, provider_address
from support.server import Server, wait_for

PASSWORD = "correct horse battery 9"
SPO2 = 150456
# Certificate and account, role, unit. There is no account for the last.
PEERS = [("charge", "charge-nurse", "WARD"), ("nurse", "nurse", "WARD"), ("elsewhere", "charge-nurse", "ICU"),
         ("gone", None, None)]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdc-locked")
    site = Site(folder, "provider", "stranger", *(name for name, *_ in PEERS))
    port = free_port()
    config = folder / "config.toml"
    peers = "".join(f'  {{ certificate = "{name}", account = "{name}" }},\n' for name, *_ in PEERS)
    config.write_text(f"""
[mllp]
peers = ["{HERE}"]
[sdc.provider]
listen = "{HERE}:{port}"
certificate = "{folder}/provider.pem"
key = "{folder}/provider.key"
client_authority = "{folder}/ca.pem"
devices = ["mon-1"]
operations = ["limits", "alerts", "patients"]
peers = [
{peers}]
""")
    server = Server(folder / "data", open=False, config=config)
    server.environment["VITALWIRE_PASSWORD"] = PASSWORD
    server.run("user", "add", "ada", "--role", "administrator")
    server.run("user", "add", "sue", "--role", "security-officer")
    del server.environment["VITALWIRE_PASSWORD"]
    for name, role, unit in PEERS:
        if role:
            server.run("user", "token", name, "--role", role, "--unit", unit)
    server.ehr = server.run("user", "token", "ehr").split()[0]
    password = server.run("device", "add", "mon-1").split()[-1]
    server.start()
    enter(server, server.session, "ada")
    patient, _ = admit(server, "4711", "1")
    monitor = Named(server, "mon-1", password)
    monitor.say({"MDC_ECG_HEART_RATE": 70, "MDC_PULS_OXIM_SAT_O2": 97})
    server.post("/api/v1/devices/mon-1/association", {"patient": patient}, expect=204)
    wait_for(lambda: any(d.get("patient") for d in server.get("/api/v1/devices")["devices"]), "the device on its patient")
    server.site, server.patient = site, patient
    server.provider = provider_address(server, port, "mon-1")
    values = lambda beat: [{"MDC_ECG_HEART_RATE": 60 + beat % 30, "MDC_PULS_OXIM_SAT_O2": 95 + beat % 3}]
    with Speaking(monitor, values):
        yield server
    server.stop()


def enter(server, session, name):
    session.trust_env = False
    answer = session.post(f"{server.url}/api/v1/login", json={"name": name, "password": PASSWORD}, timeout=60)
    assert answer.status_code == 200, answer.text


def records(house, **wanted):
    """What the audit log says of an account: rows of SDC alone."""
    session = requests.Session()
    enter(house, session, "sue")
    rows = session.get(f"{house.url}/api/v1/audit?limit=500", timeout=60).json()["rows"]
    fits = lambda row: all(row.get(key) == value for key, value in wanted.items())
    return [row for row in rows if row["route"].startswith("SDC") and fits(row)]


def come(house, name):
    return connected(house.provider, house.site.contexts(name))


def comes_in_vain(house, name):
    with pytest.raises(Exception):
        with come(house, name):
            pass


def counted(house, reason):
    return house.metric("vitalwire_counted_total", reason=reason)


def mdib_of(consumer):
    mdib = ConsumerMdib(consumer)
    mdib.init_mdib()
    return mdib


@pytest.mark.parametrize("name", ["stranger", "gone"])
def test_who_is_not_named_or_has_no_account_gets_nothing(house, name):
    before = counted(house, "sdc-unknown-peer")
    comes_in_vain(house, name)
    wait_for(lambda: counted(house, "sdc-unknown-peer") > before, "it to be counted")
    assert records(house, action="sdc-connect", actor="unknown", outcome="denied")
    assert not records(house, actor=name)


def test_who_may_not_see_the_patient_finds_no_such_device(house):
    before = counted(house, "sdc-refused")
    comes_in_vain(house, "elsewhere")
    wait_for(lambda: counted(house, "sdc-refused") > before, "it to be counted")
    denied = records(house, actor="elsewhere", outcome="denied")
    assert denied and all(row["object"] == "mon-1" for row in denied), denied
    assert not [row for row in records(house, actor="elsewhere", outcome="allowed") if row["action"] != "sdc-connect"]


def test_who_may_see_reads_and_is_on_record(house):
    with come(house, "nurse") as consumer:
        mdib = mdib_of(consumer)
        seen = lambda: mdib.states.descriptor_handle.get_one(f"metric.{SPO2}").MetricValue.Value
        first = seen()
        wait_for(lambda: seen() != first, "another value")
    read = records(house, actor="nurse", action="see-patients", outcome="allowed")
    assert {"SDC GetMdib", "SDC Subscribe"} <= {row["route"] for row in read}, read
    assert {row["factor"] for row in read} == {"certificate"}


def test_a_role_that_may_not_operate_is_answered_with_fail(house):
    failed, done = msg_types.InvocationState.FAILED, msg_types.InvocationState.FINISHED
    operation = f"op.limit.{SPO2}.low"
    limit = lambda mdib: mdib.states.descriptor_handle.get_one(f"limit.{SPO2}.low").MetricValue.Value
    with come(house, "nurse") as consumer:
        mdib = mdib_of(consumer)
        wait_for(lambda: mdib.descriptions.handle.get_one(operation, allow_none=True), "the operation")
        before = limit(mdib)
        answer = consumer.set_service_client.set_numeric_value(operation, decimal.Decimal(71)).result(60)
        assert answer.InvocationInfo.InvocationState == failed
        assert answer.InvocationInfo.InvocationError == msg_types.InvocationError.OTHER
        assert finished(consumer.set_service_client.activate("op.take-alerts")) == done, "this a nurse may"
        assert limit(mdib) == before
    denied = records(house, actor="nurse", action="set-limits")
    assert [(row["outcome"], row["route"], row["object"]) for row in denied] == [("denied", "SDC SetValue", "mon-1")]
    assert records(house, actor="nurse", action="act-on-alerts", outcome="allowed")
    with come(house, "charge") as consumer:
        mdib = mdib_of(consumer)
        assert limit(mdib) == before, "nothing was changed"
        assert finished(consumer.set_service_client.set_numeric_value(operation, decimal.Decimal(71))) == done
        wait_for(lambda: limit(mdib) == 71, "the limit")
    assert [row["outcome"] for row in records(house, actor="charge", action="set-limits")] == ["allowed"]


def ended(consumer):
    """Whether the provider ended every subscription, and said so."""
    return all(s.end_status and s.end_status.endswith("SourceCanceling")
               for s in consumer.subscription_mgr.subscriptions.values())


def test_a_consent_ends_subscriptions(house):
    ehr = {"Authorization": f"Bearer {house.ehr}"}
    rule = {"type": "deny", "class": [{"system": "urn:vitalwire:data-category", "code": "waveforms"}],
            "actor": [{"role": {"text": "x"}, "reference": {"identifier": {
                "system": "urn:vitalwire:role", "value": "charge-nurse"}}}]}
    consent = {"resourceType": "Consent", "status": "active", "scope": {"coding": [{"code": "patient-privacy"}]},
               "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
               "patient": {"reference": f"Patient/{house.patient}"}, "policyRule": {"coding": [{"code": "OPTIN"}]},
               "provision": {"type": "permit", "provision": [rule]}}
    before = counted(house, "sdc-subscription-ended")
    with come(house, "charge") as consumer, come(house, "nurse") as other:
        made = requests.post(f"{house.url}/fhir/Consent", json=consent, headers=ehr, timeout=60)
        assert made.status_code == 201, made.text
        try:
            wait_for(lambda: ended(consumer), "the subscriptions to be ended")
            ends = len(consumer.subscription_mgr.subscriptions)
            wait_for(lambda: counted(house, "sdc-subscription-ended") == before + ends, "each to be counted")
            comes_in_vain(house, "charge")
            assert all(s.is_subscribed and not s.end_status for s in other.subscription_mgr.subscriptions.values())
        finally:
            over = requests.put(f"{house.url}/fhir/Consent/{made.json()['id']}", headers=ehr, timeout=60,
                                json={**made.json(), "status": "inactive"})
            assert over.status_code == 200, over.text
    with come(house, "charge"):
        pass


def test_another_unit_ends_subscriptions(house):
    with come(house, "charge") as consumer:
        now = time.strftime("%Y%m%d%H%M%S+0000", time.gmtime())
        moved = (f"MSH|^~\\&|ADMIT|TEST|||{now}||ADT^A02^ADT_A02|M-1|P|2.5\nEVN||{now}\n"
                 f"PID|||4711^^^TEST^MR||Test4711^Pat||19500101|F\nPV1||I|ICU^1^9|||WARD^1^1\n")
        assert hl7(house, moved) == "AA"
        wait_for(lambda: ended(consumer), "the subscriptions to be ended")
    comes_in_vain(house, "charge")
    with come(house, "elsewhere") as consumer:
        people = consumer.context_service_client.get_context_states().result.ContextState
        assert any(i.Extension == house.patient for state in people for i in state.Identification or [])


def test_an_account_that_is_taken_away_ends_subscriptions(house):
    with come(house, "elsewhere") as consumer:
        before = counted(house, "sdc-subscription-ended")
        subscriptions = list(consumer.subscription_mgr.subscriptions.values())
        house.run("user", "disable", "elsewhere")
        # Nobody is connected to any more who has no account: only who was connected with is told.
        wait_for(lambda: not any(s.is_subscribed for s in subscriptions), "the subscriptions to be ended")
        wait_for(lambda: counted(house, "sdc-subscription-ended") == before + len(subscriptions), "each to be counted")
    comes_in_vain(house, "elsewhere")
