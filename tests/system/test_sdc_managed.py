"""SDC with a discovery proxy (WS-Discovery, managed mode), which the tests write with sdc11073's messages: our consumer finds
devices by it, and finds them again at another address; our provider registers there and takes its leave."""

import shutil

import pytest

pytest.importorskip("sdc11073", reason="needs sdc11073")
from sdc11073.definitions_sdc import SdcV1Definitions
from sdc11073.mdib.consumermdib import ConsumerMdib

from support.bedside import Monitor, admit
from support.sdc_proxy import Proxy
from support.sdc_site import EPR, HERE, MDIB, Device, Site, connected, free_port
from support.server import Server, wait_for

TYPES = SdcV1Definitions.MedicalDeviceTypesFilter


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path, "proxy", "platform", "display", "device")


@pytest.fixture(params=[False, True], ids=["says where", "has to be asked where"])
def proxy(site, request):
    proxy = Proxy(site.contexts("proxy"), terse=request.param)
    yield proxy
    proxy.stop()


def test_devices_are_found_by_a_proxy_and_again_at_another_address(make_server, tmp_path, site, proxy):
    if not MDIB.exists():
        pytest.skip(f"skipped: {MDIB.name} is not in VITALWIRE_DATA/sdc")
    shutil.copy(tmp_path / "ca.pem", tmp_path / "authority.pem")
    (tmp_path / "own.pem").write_bytes(b"".join((tmp_path / f"device.{part}").read_bytes() for part in ("pem", "key")))
    config = tmp_path / "sdc.toml"
    config.write_text(f"""
[sdc.consumer]
listen = "{HERE}:0"
authority = "{tmp_path}/ca.pem"
certificate = "{tmp_path}/platform.pem"
key = "{tmp_path}/platform.key"
discovery = "{proxy.address}"
allowed = ["urn:uuid:{EPR}"]
subscription_s = 9
""")
    device = Device(tmp_path)
    try:
        proxy.register("urn:uuid:99999999-0000-0000-0000-000000000000", TYPES, [f"https://{HERE}:1/nobody"])
        proxy.register(f"urn:uuid:{EPR}", TYPES, [device.start()])
        server = make_server(config=config).start()
        link = lambda: next((d["link"] for d in server.get("/api/v1/devices")["devices"] if d["id"] == EPR), None)
        wait_for(lambda: link() == "online", "the device of the proxy", 120)
        assert server.metric("vitalwire_sdc_refused_total", reason="not-allowed") >= 1, "nobody else is connected to"
        assert ("Resolve" in proxy.heard) == proxy.terse
        device.kill()
        wait_for(lambda: link() == "lost", "the loss", 120)
        proxy.register(f"urn:uuid:{EPR}", TYPES, [device.start()])
        wait_for(lambda: link() == "online", "the device at its new address", 180)
    finally:
        if device.process and device.process.poll() is None:
            device.kill()


def test_our_devices_register_at_a_proxy_and_leave_it(tmp_path, site, proxy):
    config = tmp_path / "config.toml"
    config.write_text(f"""
[sdc.provider]
listen = "{HERE}:{free_port()}"
certificate = "{tmp_path}/platform.pem"
key = "{tmp_path}/platform.key"
client_authority = "{tmp_path}/ca.pem"
devices = ["mon-1", "mon-2"]
peers = [{{ certificate = "display", account = "display" }}]
proxy = "{proxy.address}"
""")
    server = Server(tmp_path / "data", config=config).start()
    try:
        patient, _ = admit(server, "4711", "1")
        monitor = Monitor(server, "mon-1")
        monitor.say({"MDC_ECG_HEART_RATE": 72})
        monitor.stop()
        [epr] = wait_for(lambda: list(proxy.services), "the registration", 60)
        service = proxy.services[epr]
        assert epr.startswith("urn:uuid:") and set(service.types) == set(TYPES)
        text = " ".join([epr, *service.scopes.text, *service.x_addrs])
        assert patient not in text and "4711" not in text, "a proxy is told nothing of patients"
        assert [s.epr for s in proxy_finds(proxy)] == [epr]
        with connected(service.x_addrs[0], site.contexts("display")) as consumer:
            mdib = ConsumerMdib(consumer)
            mdib.init_mdib()
            assert mdib.descriptions.handle.get_one("metric.147842")
        other = Monitor(server, "mon-2")
        other.say({"MDC_ECG_HEART_RATE": 72})
        other.stop()
        wait_for(lambda: len(proxy.services) == 2, "the other device", 60)
        # A proxy that lost everything is told again.
        proxy.services.clear()
        wait_for(lambda: len(proxy.services) == 2, "both to be told again", 180)
    finally:
        server.stop()
    assert not proxy.services and len(proxy.byes) == 2, "they took their leave"


def proxy_finds(proxy):
    from sdc11073.wsdiscovery.wsdimpl import filter_services
    return filter_services(proxy.services.values(), TYPES, None)
