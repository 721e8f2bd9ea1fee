"""Devices of ours as SDC devices: PyPI `sdc11073` finds one, reads it, follows it over TLS, renews its
subscriptions, and operates it as far as it may; whoever has no account sees nothing."""

import decimal
import time

import pytest

pytest.importorskip("sdc11073", reason="needs sdc11073")
from sdc11073 import observableproperties
from sdc11073.mdib.consumermdib import ConsumerMdib
from sdc11073.wsdiscovery.wsdimpl import WSDiscovery
from sdc11073.xml_types import msg_types, pm_qnames, pm_types

from support.bedside import Monitor, admit
from support.sdc_site import HERE, Site, Speaking, connected, finished, found, free_port, provider_address
from support.server import Server, wait_for
from support.waves import frame

HEART_RATE, SPO2, CONSCIOUSNESS = 147842, 150456, "VW_CONSCIOUSNESS"
WAVE = "wave.131330.0"


@pytest.fixture
def house(tmp_path):
    site = Site(tmp_path, "provider", "display", "stranger")
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
    yield server, site, port
    server.stop()


def speaking(server):
    """A monitor that goes on measuring: every value is another, and some are alarms."""
    words = lambda beat: f'[{{"n":"{CONSCIOUSNESS}","vs":"{["alert", "voice"][beat % 2]}"}}]'
    return Speaking(Monitor(server, "mon-1"), lambda beat: [
        {"MDC_ECG_HEART_RATE": 60 + beat % 30, "MDC_PULS_OXIM_SAT_O2": 80 + beat % 3}, words(beat)])


def test_a_consumer_finds_reads_follows_and_operates_a_device(house):
    server, site, port = house
    patient, _ = admit(server, "4711", "1")
    with speaking(server), WSDiscovery(HERE) as wsd:
        server.post("/api/v1/devices/mon-1/association", {"patient": patient}, expect=204)
        service = wait_for(lambda: found(wsd, port), "discovery", 60)
        wsd.clear_remote_services()
        wsd._send_resolve(service.epr)
        wait_for(lambda: service.epr in wsd._remote_services, "an answer to Resolve")
        with connected(service.x_addrs[0], site.contexts("display")) as consumer:
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


def test_waveforms_alerts_and_texts_are_read_as_they_are(house):
    server, site, port = house
    patient, _ = admit(server, "4711", "1")
    monitor = Monitor(server, "mon-1")
    monitor.say({"MDC_ECG_HEART_RATE": 72})
    server.post("/api/v1/devices/mon-1/association", {"patient": patient}, expect=204)
    wait_for(lambda: any(d.get("patient") for d in server.get("/api/v1/devices")["devices"]), "the device on its patient")
    wave = Wave(monitor)
    wave.send(2)
    with connected(provider_address(server, port, "mon-1"), site.contexts("display")) as consumer:
        mdib = ConsumerMdib(consumer)
        mdib.init_mdib()
        descriptor = wait_for(lambda: mdib.descriptions.handle.get_one(WAVE, allow_none=True), "the waveform")
        assert descriptor.SamplePeriod == 0.004 and descriptor.Unit.SymbolicCodeName == "MDC_DIM_MILLI_VOLT"
        waves(mdib, wave)
        grows(mdib, monitor)
        texts(consumer, mdib)
        alerts(consumer, mdib, monitor)
    monitor.drop()


class Wave:
    """An ECG of 250 Hz in frames of half a second, from now on; `sent` has every value by its time in milliseconds."""

    def __init__(self, monitor):
        self.monitor, self.frames, self.sent = monitor, 0, {}
        self.start_ms = int(time.time() * 1000)

    def send(self, frames, gap=range(0)):
        for _ in range(frames):
            began = self.start_ms + 500 * self.frames
            time.sleep(max(0, began / 1000 + 0.5 - time.time()))
            counts = [None if n in gap else (n * 37 + self.frames * 11) % 2000 - 1000 for n in range(125)]
            self.sent |= {began + 4 * n: count / 1000 for n, count in enumerate(counts) if count is not None}
            channel = frame.Channel(metric=131330, rate=(250, 1), scale=0.001, samples=counts)
            payload = frame.encode(self.frames, [channel], time_us=began * 1000)
            self.monitor.paho.publish("vitalwire/mon-1/waveform", payload, 1).wait_for_publish(60)
            self.frames += 1


def waves(mdib, wave):
    """Every sample has the value and the time that it was sent with; a gap is a gap."""
    got = {}

    def heard(by_handle):
        value = by_handle[WAVE].MetricValue if WAVE in by_handle else None
        if value:
            first = round(value.DeterminationTime * 1000)
            got.update({first + 4 * n: float(sample) for n, sample in enumerate(value.Samples)})

    observableproperties.bind(mdib, waveform_by_handle=heard)
    began = wave.start_ms + 500 * wave.frames
    wave.send(4)
    wave.send(1, gap=range(40, 50))
    wave.send(4)
    wait_for(lambda: got and max(got) == max(wave.sent), "the last sample")
    sent = {at: value for at, value in wave.sent.items() if at >= began}
    assert len(sent) == 9 * 125 - 10
    assert {at: value for at, value in got.items() if at >= began} == sent


def grows(mdib, monitor):
    """Another metric makes another version of the channel that it is in."""
    channel = lambda: mdib.descriptions.handle.get_one("vmd.channel").DescriptorVersion
    before = channel()
    monitor.say({"MDC_RESP_RATE": 14})
    wait_for(lambda: mdib.descriptions.handle.get_one("metric.151562", allow_none=True), "the new metric")
    wait_for(lambda: channel() == before + 1, "the channel's next version")
    assert mdib.states.descriptor_handle.get_one("vmd.channel").DescriptorVersion == before + 1


def texts(consumer, mdib):
    client, handle = consumer.localization_service_client, f"metric.{HEART_RATE}"
    assert list(client.get_supported_languages().result.Lang) == ["en-US"]
    [described] = mdib.descriptions.handle.get_one(handle).Type.ConceptDescription
    [text] = client.get_localized_texts(refs=[handle]).result.Text
    assert (text.text, text.Lang, text.Ref) == (described.text, "en-US", handle) and described.Ref == handle
    assert not client.get_localized_texts(refs=[handle], langs=["de-DE"]).result.Text
    assert len(client.get_localized_texts(langs=["en"]).result.Text) >= 3


def alerts(consumer, mdib, monitor):
    """A condition that is present, its signal, and what becomes of it when somebody takes it."""
    state = lambda handle: mdib.states.descriptor_handle.get_one(handle)

    def present():
        conditions = mdib.states.NODETYPE.get(pm_qnames.AlertConditionState, [])
        return next((c.DescriptorHandle for c in conditions if c.Presence), None)

    handle = monitor.keep_saying({"MDC_PULS_OXIM_SAT_O2": 70}, present, "an alert", 180, 1)
    condition = mdib.descriptions.handle.get_one(handle)
    assert condition.Kind == pm_types.AlertConditionKind.PHYSIOLOGICAL and condition.Type.ConceptDescription[0].text
    assert state(handle).ActualPriority != pm_types.AlertConditionPriority.NONE
    wait_for(lambda: handle in state("mds.alerts").PresentPhysiologicalAlarmConditions, "the system to list it")
    signal = mdib.descriptions.handle.get_one(f"{handle}.signal")
    assert signal.ConditionSignaled == handle
    assert state(signal.Handle).Presence == pm_types.AlertSignalPresence.ON
    assert finished(consumer.set_service_client.activate("op.take-alerts")) == msg_types.InvocationState.FINISHED
    wait_for(lambda: state(signal.Handle).Presence == pm_types.AlertSignalPresence.ACK, "it to be taken")


def test_whoever_is_no_peer_gets_nothing(house):
    server, site, port = house
    Monitor(server, "mon-1").say({"MDC_ECG_HEART_RATE": 72})
    with WSDiscovery(HERE) as wsd:
        service = wait_for(lambda: found(wsd, port), "discovery", 60)
    with pytest.raises(Exception):
        with connected(service.x_addrs[0], site.contexts("stranger")):
            pass
    wait_for(lambda: server.metric("vitalwire_counted_total", reason="sdc-unknown-peer") >= 1, "the refusal to be counted")
