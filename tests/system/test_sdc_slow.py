"""DU-3 and DU-2 over SDC: whoever lets reports wait is told the end of the subscription, and counted; everybody else gets
every report."""

import http.client
import http.server
import re
import threading
import uuid

import pytest

pytest.importorskip("sdc11073", reason="needs sdc11073")

from support.bedside import Monitor, admit
from support.sdc_site import HERE, Site, Speaking, free_port, provider_address
from support.server import Server, wait_for

WSE = "http://schemas.xmlsoap.org/ws/2004/08/eventing"
SUBSCRIBE = """<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"
 xmlns:e="{wse}"><s:Header><a:To>{to}</a:To><a:Action>{wse}/Subscribe</a:Action><a:MessageID>urn:uuid:{id}</a:MessageID></s:Header>
<s:Body><e:Subscribe><e:EndTo><a:Address>{here}/end</a:Address></e:EndTo><e:Delivery Mode="{wse}/DeliveryModes/Push">
<e:NotifyTo><a:Address>{here}/report</a:Address></e:NotifyTo></e:Delivery><e:Expires>PT300S</e:Expires></e:Subscribe></s:Body></s:Envelope>"""


class Subscriber:
    """Takes reports over HTTPS, each after `wait_s`."""

    def __init__(self, contexts, wait_s):
        self.contexts, self.wait_s = contexts, wait_s
        self.versions, self.ends, self.over = [], [], threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if self.path == "/end":
                    outer.ends.append(body)
                else:
                    outer.over.wait(outer.wait_s)
                    outer.versions.append(int(re.search(r'MdibVersion="(\d+)"', body)[1]))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((HERE, 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = contexts.server_context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def subscribe(self, address):
        """To everything that the state service tells."""
        host, path = re.fullmatch(r"https://([^/]+)(/.*)", f"{address}/state").groups()
        connection = http.client.HTTPSConnection(host, context=self.contexts.client_context, timeout=60)
        here = f"https://{HERE}:{self.server.server_address[1]}"
        connection.request("POST", path, SUBSCRIBE.format(wse=WSE, to=f"{address}/state", id=uuid.uuid4(), here=here),
                           {"Content-Type": "application/soap+xml; charset=utf-8"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        connection.close()

    def stop(self):
        self.over.set()
        self.server.shutdown()


@pytest.fixture
def house(tmp_path):
    site = Site(tmp_path, "provider", "slow", "quick")
    port = free_port()
    config = tmp_path / "config.toml"
    config.write_text(f"""
[sdc.provider]
listen = "{HERE}:{port}"
certificate = "{tmp_path}/provider.pem"
key = "{tmp_path}/provider.key"
client_authority = "{tmp_path}/ca.pem"
devices = ["mon-1"]
peers = [{{ certificate = "slow", account = "slow" }}, {{ certificate = "quick", account = "quick" }}]
subscription_s = 300
self_check_s = 1
queue = 3
""")
    server = Server(tmp_path / "data", config=config).start()
    patient, _ = admit(server, "4711", "1")
    with Speaking(Monitor(server, "mon-1"), lambda beat: [{"MDC_ECG_HEART_RATE": 60 + beat % 30}], 0.2):
        wait_for(lambda: any(d["id"] == "mon-1" for d in server.get("/api/v1/devices")["devices"]), "the device")
        server.post("/api/v1/devices/mon-1/association", {"patient": patient}, expect=204)
        yield server, site, provider_address(server, port, "mon-1")
    server.stop()


@pytest.mark.parametrize("wait_s", [3, None], ids=["answers late", "never answers"])
def test_whoever_lets_reports_wait_is_ended_and_nobody_else(house, wait_s):
    server, site, address = house
    quick = Subscriber(site.contexts("quick"), 0)
    slow = Subscriber(site.contexts("slow"), wait_s)
    try:
        quick.subscribe(address)
        slow.subscribe(address)
        wait_for(lambda: slow.ends, "the end of the slow one", 120)
        assert "DeliveryFailure" in slow.ends[0] and "SubscriptionEnd" in slow.ends[0]
        counted = lambda reason: server.metric("vitalwire_counted_total", reason=reason)
        wait_for(lambda: counted("sdc-subscriber-too-slow") == 1, "it to be counted")
        before = len(quick.versions)
        wait_for(lambda: len(quick.versions) >= before + 20, "the other to get more", 120)
        assert server.metric("vitalwire_sdc_subscriptions") == 1
        told = quick.versions
        assert told[:before + 20] == list(range(told[0], told[0] + before + 20)), "every version, in order"
        assert len(slow.ends) == 1 and not quick.ends
        assert counted("sdc-subscriber-too-slow") == 1 and counted("sdc-delivery-failed") == 0, "once"
    finally:
        quick.stop()
        slow.stop()
