"""Devices of ours as SDC devices: PyPI `sdc11073` finds one, reads it, follows it over TLS, renews its
subscriptions, and operates it as far as it may; whoever has no account sees nothing."""

import contextlib
import datetime
import decimal
import ipaddress
import socket
import threading
import time

import pytest

pytest.importorskip("sdc11073", reason="needs sdc11073")
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from sdc11073 import certloader, observableproperties
from sdc11073.consumer.consumerimpl import SdcConsumer
from sdc11073.definitions_sdc import SdcV1Definitions
from sdc11073.mdib.consumermdib import ConsumerMdib
from sdc11073.wsdiscovery.wsdimpl import WSDiscovery
from sdc11073.xml_types import msg_types, pm_qnames, pm_types

from support.bedside import Monitor, admit
from support.server import Server, wait_for

HERE = "127.0.0.1"
HEART_RATE, SPO2, CONSCIOUSNESS = 147842, 150456, "VW_CONSCIOUSNESS"


def free_port():
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return probe.getsockname()[1]


class Authority:
    """A site's authority with certificates for both sides."""

    def __init__(self, folder):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site")])
        self.write("ca", self.key, self.sign(self.name, self.key, True))

    def sign(self, subject, key, authority=False):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=9))
                   .add_extension(x509.BasicConstraints(authority, None), True))
        if not authority:
            name = subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
            address = x509.IPAddress(ipaddress.ip_address(HERE))
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name), address]), False)
            both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            builder = builder.add_extension(x509.ExtendedKeyUsage(both), False)
        return builder.sign(self.key, hashes.SHA256())

    def write(self, name, key, certificate):
        (self.folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (self.folder / f"{name}.key").write_bytes(key.private_bytes(*plain))

    def certify(self, name):
        key = ec.generate_private_key(ec.SECP256R1())
        self.write(name, key, self.sign(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key))

    def contexts(self, name):
        return certloader.mk_ssl_contexts_from_folder(
            self.folder, private_key=f"{name}.key", certificate=f"{name}.pem", ca_public_key="ca.pem")


@pytest.fixture
def house(tmp_path):
    authority = Authority(tmp_path)
    for name in ("provider", "display", "stranger"):
        authority.certify(name)
    port = free_port()
    config = tmp_path / "config.toml"
    config.write_text(f"""
[sdc.provider]
listen = "{HERE}:{port}"
certificate = "{tmp_path}/provider.pem"
key = "{tmp_path}/provider.key"
client_authority = "{tmp_path}/ca.pem"
devices = ["mon-1"]
peers = [{{ certificate = "display", account = "display" }}]
discovery = "{HERE}"
operations = ["limits", "alerts", "patients"]
""")
    server = Server(tmp_path / "data", config=config).start()
    yield server, authority, port
    server.stop()


class Speaking:
    """A monitor that goes on measuring: every value is another, and some are alarms."""

    def __init__(self, server):
        self.monitor, self.over = Monitor(server, "mon-1"), threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        beat = 0
        while not self.over.wait(0.5):
            beat += 1
            self.monitor.say({"MDC_ECG_HEART_RATE": 60 + beat % 30, "MDC_PULS_OXIM_SAT_O2": 80 + beat % 3})
            self.monitor.send(text(CONSCIOUSNESS, ["alert", "voice"][beat % 2]))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(30)
        self.monitor.drop()


def text(name, words):
    return f'[{{"n":"{name}","vs":"{words}"}}]'


def found(wsd):
    services = wsd.search_services(types=SdcV1Definitions.MedicalDeviceTypesFilter, timeout=2)
    return next((s for s in services if any(HERE in address for address in s.x_addrs or [])), None)


@contextlib.contextmanager
def connected(service, contexts):
    consumer = SdcConsumer.from_wsd_service(service, ssl_context_container=contexts, validate=True)
    consumer.start_all()
    try:
        yield consumer
    finally:
        consumer.stop_all()


def finished(future):
    return future.result(timeout=30).InvocationInfo.InvocationState


def test_a_consumer_finds_reads_follows_and_operates_a_device(house):
    server, authority, _ = house
    patient, _ = admit(server, "4711", "1")
    with Speaking(server), WSDiscovery(HERE) as wsd:
        server.post("/api/v1/devices/mon-1/association", {"patient": patient}, expect=204)
        service = wait_for(lambda: found(wsd), "discovery", 60)
        wsd.clear_remote_services()
        wsd._send_resolve(service.epr)
        wait_for(lambda: service.epr in wsd._remote_services, "an answer to Resolve")
        with connected(service, authority.contexts("display")) as consumer:
            follow(server, consumer, patient)


def follow(server, consumer, patient):
    subscriptions = list(consumer.subscription_mgr.subscriptions.values())
    assert subscriptions and all(s.granted_expires <= 15 for s in subscriptions)
    mdib = ConsumerMdib(consumer)
    mdib.init_mdib()
    assert wait_for(lambda: mdib.descriptions.handle.get_one(f"metric.{HEART_RATE}", allow_none=True), "the heart rate")
    states = consumer.context_service_client.get_context_states().result.ContextState
    places = [s for s in states if s.NODETYPE == pm_qnames.LocationContextState]
    assert places and places[0].LocationDetail.PoC == "WARD"
    people = [s for s in states if s.NODETYPE == pm_qnames.PatientContextState]
    assert people[0].Identification[0].Extension == patient and not people[0].CoreData.Familyname

    seen = {"numeric": 0, "text": 0, "condition": 0, "check": 0}

    def metrics(by_handle):
        for state in by_handle.values():
            kinds = {pm_qnames.NumericMetricState: "numeric", pm_qnames.StringMetricState: "text"}
            seen[kinds[state.NODETYPE]] += 1

    def alerts(by_handle):
        for state in by_handle.values():
            kinds = {pm_qnames.AlertSystemState: "check", pm_qnames.AlertConditionState: "condition"}
            if state.NODETYPE in kinds:
                seen[kinds[state.NODETYPE]] += 1

    observableproperties.bind(mdib, metrics_by_handle=metrics, alert_by_handle=alerts)
    began = time.monotonic()
    for what, least in (("numeric", 5), ("text", 5), ("check", 3)):
        wait_for(lambda: seen[what] >= least, f"{least} {what} updates", 60)
    print(f"after {time.monotonic() - began:.1f} s: {seen}")

    before = [s.expires_at for s in subscriptions]
    wait_for(lambda: all(s.expires_at > b for s, b in zip(subscriptions, before)), "renewals", 60)
    assert all(s.is_subscribed for s in subscriptions) and subscriptions[0].get_status() <= 15
    operate(server, consumer, mdib, patient)
    wait_for(lambda: seen["condition"] >= 1, "an alert", 180)


def operate(server, consumer, mdib, patient):
    calls, done = consumer.set_service_client, msg_types.InvocationState.FINISHED
    operation = wait_for(lambda: mdib.descriptions.handle.get_one(f"op.limit.{SPO2}.low", allow_none=True), "limits")
    assert finished(calls.set_numeric_value(operation.Handle, decimal.Decimal(70))) == done
    wait_for(lambda: mdib.states.descriptor_handle.get_one(operation.OperationTarget).MetricValue.Value == 70, "the limit")
    refused = calls.set_numeric_value(operation.Handle, decimal.Decimal(1000)).result(30)
    assert refused.InvocationInfo.InvocationError == msg_types.InvocationError.INVALID_VALUE
    assert finished(calls.activate("op.take-alerts")) == done
    assert finished(calls.set_string("op.take-alerts-note", "seen from the display")) == done
    note = mdib.descriptions.handle.get_one("op.take-alerts-note").OperationTarget
    wait_for(lambda: mdib.states.descriptor_handle.get_one(note).MetricValue.Value == "seen from the display", "the note")

    contexts = consumer.context_service_client
    proposed = contexts.mk_proposed_context_object("mds.context.patient")
    proposed.ContextAssociation = pm_types.ContextAssociation.DISASSOCIATED
    assert finished(contexts.set_context_state("op.patient", [proposed])) == done
    device = lambda: next(d for d in server.get("/api/v1/devices")["devices"] if d["id"] == "mon-1")
    wait_for(lambda: not device().get("patient"), "the device to be off the patient")
    proposed.ContextAssociation = pm_types.ContextAssociation.ASSOCIATED
    proposed.Identification = [pm_types.InstanceIdentifier("urn:vitalwire:patient", extension_string=patient)]
    assert finished(contexts.set_context_state("op.patient", [proposed])) == done
    wait_for(lambda: device().get("patient"), "the device to be on the patient")


def test_whoever_is_no_peer_gets_nothing(house):
    server, authority, port = house
    Monitor(server, "mon-1").say({"MDC_ECG_HEART_RATE": 72})
    with WSDiscovery(HERE) as wsd:
        service = wait_for(lambda: found(wsd), "discovery", 60)
    with pytest.raises(Exception):
        with connected(service, authority.contexts("stranger")):
            pass
    wait_for(lambda: server.metric("vitalwire_counted_total", reason="sdc-unknown-peer") >= 1, "the refusal to be counted")
