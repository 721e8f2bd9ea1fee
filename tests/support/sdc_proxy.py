"""A discovery proxy of the tests: WS-Discovery over HTTPS with sdc11073's messages. Who may register shows a certificate of
the site."""

import http.server
import ssl
import threading

from sdc11073.namespaces import default_ns_helper as nsh
from sdc11073.wsdiscovery.common import message_factory, message_reader
from sdc11073.wsdiscovery.service import Service
from sdc11073.wsdiscovery.wsdimpl import WSA_ANONYMOUS, filter_services
from sdc11073.xml_types import wsd_types
from sdc11073.xml_types.addressing_types import HeaderInformationBlock

HERE = "127.0.0.1"


class Proxy:
    """`services` by endpoint reference; `heard` has the action of every message. Matches of a probe don't say where a device is when
    `terse`: that has to be resolved."""

    def __init__(self, contexts, terse=False):
        self.services, self.heard, self.byes, self.terse = {}, [], [], terse
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = outer.take(message_reader.read_received_message(body))
                self.send_response(200 if answer else 202)
                self.send_header("Content-Type", "application/soap+xml; charset=utf-8")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        context = contexts.server_context
        assert context.verify_mode == ssl.CERT_REQUIRED
        self.server = http.server.ThreadingHTTPServer((HERE, 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.address = f"https://{HERE}:{self.server.server_address[1]}/proxy"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def register(self, epr, types, x_addrs):
        """Somebody else's device."""
        self.services[epr] = Service(types, wsd_types.ScopesType(), x_addrs, epr, "1")

    def take(self, message):
        action = message.action.split("/")[-1]
        self.heard.append(action)
        node = message.p_msg.msg_node
        if action == "Hello":
            assert message.p_msg.header_node.find(nsh.WSD.tag("AppSequence")) is not None
            hello = wsd_types.HelloType.from_node(node)
            epr = hello.EndpointReference.Address
            self.services[epr] = Service(hello.Types, hello.Scopes, list(hello.XAddrs), epr, "1",
                                         metadata_version=hello.MetadataVersion)
        elif action == "Bye":
            epr = wsd_types.ByeType.from_node(node).EndpointReference.Address
            self.byes.append(epr)
            self.services.pop(epr, None)
        elif action == "Probe":
            return self.probed(message, wsd_types.ProbeType.from_node(node))
        elif action == "Resolve":
            return self.resolved(message, wsd_types.ResolveType.from_node(node))
        return b""

    def probed(self, message, probe):
        matches = wsd_types.ProbeMatchesType()
        for service in filter_services(self.services.values(), probe.Types, probe.Scopes):
            matches.ProbeMatch.append(self.filled(wsd_types.ProbeMatchType(), service, not self.terse))
        return self.answer(message, matches)

    def resolved(self, message, resolve):
        matches = wsd_types.ResolveMatchesType()
        service = self.services.get(resolve.EndpointReference.Address)
        if service:
            matches.ResolveMatch = self.filled(wsd_types.ResolveMatchType(), service, True)
        return self.answer(message, matches)

    @staticmethod
    def filled(match, service, where):
        match.EndpointReference.Address = service.epr
        match.MetadataVersion = service.metadata_version
        match.Types = service.types
        match.Scopes = service.scopes
        if where:
            match.XAddrs.extend(service.x_addrs)
        return match

    @staticmethod
    def answer(message, payload):
        inf = HeaderInformationBlock(action=payload.action, addr_to=WSA_ANONYMOUS,
                                     relates_to=message.p_msg.header_info_block.MessageID)
        made = message_factory.mk_soap_message(inf, payload, ns_list=[nsh.S12, nsh.WSA, nsh.WSD], use_defaults=False)
        return made.serialize()

    def stop(self):
        self.server.shutdown()
