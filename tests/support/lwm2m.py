"""Sensors that speak LwM2M over CoAP and DTLS with a key, all by other people's programs: CoAP by aiocoap, DTLS by
Mbed TLS. A relay between the two seals what aiocoap says; what it loses on purpose is told by the test."""

import asyncio
import hashlib
import select
import socket
import threading

import aiocoap
import cbor2
from aiocoap import optiontypes, resource
from mbedtls import tls

LINKS = '</>;rt="oma.lwm2m";ct=112,</1/0>,</3303/0>,</3304/0>'
SENML_CBOR = 112


def pack(values, time=None):
    """A SenML pack (CBOR) of paths with a value each."""
    records = [{0: path, 2: value} for path, value in values.items()]
    if time is not None:
        records[0][-3] = time
    return cbor2.dumps(records)


class Relay(threading.Thread):
    """Datagrams of one local program, sealed to the server and back. `cut` says which of them are lost: a function of
    the direction ("up", "down") and the plain bytes."""

    def __init__(self, server, identity, key, suite="TLS-PSK-WITH-AES-128-CCM-8"):
        super().__init__(daemon=True)
        self.server, self.identity, self.key, self.suite = server, identity, key, suite
        self.local = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.local.bind(("127.0.0.1", 0))
        self.address = self.local.getsockname()
        self.cut = lambda direction, datagram: False
        self.connected = threading.Event()
        self.ended = threading.Event()
        self.over = None
        self.sealed = []  # datagrams to the server as they went over the wire
        self.peer = None

    def run(self):
        try:
            self._run()
        except Exception as error:  # told to whoever waits
            self.over = error
        finally:
            self.raw.close()
            self.ended.set()

    def _run(self):
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.raw.connect(self.server)
        self.raw.setblocking(False)
        settings = tls.DTLSConfiguration(pre_shared_key=(self.identity, self.key), ciphers=[self.suite],
                                         validate_certificates=False)
        self.wrapped = tls.ClientContext(settings).wrap_buffers(None)
        while not self.ended.is_set():
            try:
                self.wrapped.do_handshake()  # one step
                waits = False
            except (tls.WantReadError, tls.WantWriteError):
                waits = True
            self._flush()
            if self.wrapped._handshake_state is tls.HandshakeStep.HANDSHAKE_OVER:
                break
            if waits:
                self._hear(0.2)
        self.connected.set()
        self._relay()

    def _flush(self):
        while waiting := self.wrapped.peek_outgoing(1 << 16):
            self.wrapped.consume_outgoing(len(waiting))
            self.sealed.append(bytes(waiting))
            self.raw.send(waiting)

    def _hear(self, limit_s):
        if select.select([self.raw], [], [], limit_s)[0]:
            try:
                self.wrapped.receive_from_network(self.raw.recv(1 << 16))
            except ConnectionRefusedError:
                pass  # the server is down; it may come back

    def _relay(self):
        while not self.ended.is_set():
            ready, _, _ = select.select([self.raw, self.local], [], [], 0.2)
            if self.local in ready:
                datagram, self.peer = self.local.recvfrom(1 << 16)
                if not self.cut("up", datagram):
                    self.wrapped.write(datagram)
                    self._flush()
            if self.raw in ready:
                self._hear(0)
                try:
                    while datagram := self.wrapped.read(1 << 16):
                        if self.peer and not self.cut("down", datagram):
                            self.local.sendto(datagram, self.peer)
                except (tls.WantReadError, tls.WantWriteError):
                    pass
                self._flush()

    def stop(self):
        self.ended.set()


class Thermometer(resource.ObservableResource):
    """Object 3303/0, observable: `tell` changes its content, and who observes is told; in blocks where it is long."""

    BLOCK = 1024

    def __init__(self):
        super().__init__()
        self.content = pack({"/3303/0/5700": 20.0})
        self.observers = 0
        self.blocks = 0

    def update_observation_count(self, count):
        self.observers = count

    async def needs_blockwise_assembly(self, request):
        return False  # the stack would send what is observed in one piece

    def _message(self, number):
        message = aiocoap.Message(code=aiocoap.CONTENT, content_format=SENML_CBOR)
        message.payload = self.content[number * self.BLOCK:(number + 1) * self.BLOCK]
        if len(self.content) > self.BLOCK:
            more = (number + 1) * self.BLOCK < len(self.content)
            message.opt.block2 = optiontypes.BlockOption.BlockwiseTuple(number, more, 6)
            message.opt.etag = hashlib.sha256(self.content).digest()[:4]
        return message

    async def render_get(self, request):
        number = request.opt.block2.block_number if request.opt.block2 else 0
        self.blocks += number > 0
        return self._message(number)

    def tell(self, content):
        self.content = content
        message = self._message(0)
        message.mtype = aiocoap.CON
        self.updated_state(message)


class Sensor:
    """A sensor by aiocoap: client and server on one port, behind a relay."""

    def __init__(self, server, device, key, suite="TLS-PSK-WITH-AES-128-CCM-8", identity=None):
        self.server, self.device, self.key, self.suite = server, device, key, suite
        self.identity = identity or device
        self.thermometer = Thermometer()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.relay = self.context = None

    def _do(self, work, limit_s=60):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(limit_s)

    def connect(self, limit_s=30):
        """Shakes hands; whether it came to something."""
        self.disconnect()
        self.relay = Relay(self.server, self.identity, self.key, self.suite)
        self.relay.start()

        async def begin():
            site = resource.Site()
            site.add_resource(["3303", "0"], self.thermometer)
            return await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", 0))

        self.context = self._do(begin())
        return self.relay.connected.wait(limit_s)

    def disconnect(self):
        if self.context is not None:
            self._do(self.context.shutdown())
            self.relay.stop()
            self.relay.ended.wait(10)
            self.context = None

    def request(self, code, path, payload=b"", content_format=None, limit_s=60):
        """One request; gives the code of the answer, or none without one."""
        uri = f"coap://127.0.0.1:{self.relay.address[1]}/{path}"
        message = aiocoap.Message(code=code, uri=uri, payload=payload)
        if content_format is not None:
            message.opt.content_format = content_format

        async def ask():
            try:
                return (await asyncio.wait_for(self.context.request(message).response, limit_s)).code
            except (aiocoap.error.Error, asyncio.TimeoutError):
                return None

        return self._do(ask(), limit_s + 10)

    def register(self, lifetime_s=300, more="", links=LINKS):
        path = f"rd?ep={self.device}&lt={lifetime_s}&lwm2m=1.1{more}"
        return self.request(aiocoap.POST, path, links.encode(), 40)

    def send(self, payload, content_format=SENML_CBOR, limit_s=60):
        return self.request(aiocoap.POST, "dp", payload, content_format, limit_s)

    def tell(self, content):
        self.loop.call_soon_threadsafe(self.thermometer.tell, content)

    def stop(self):
        self.disconnect()
        self.loop.call_soon_threadsafe(self.loop.stop)
