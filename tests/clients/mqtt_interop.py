"""Whether an MQTT server behaves as the standards say, judged by paho-mqtt and by raw packets.

Usage: mqtt_interop.py HOST:PORT [NAME …]     (needs paho-mqtt 2.x)

Each check is a function whose name starts with v3_, v5_ or raw_. Prints one line for each check
and 'N passed, N failed' at the end; exits 1 when any failed. Topics of one run share a random
prefix, so that runs do not disturb each other.
"""

import queue
import secrets
import socket
import struct
import sys
import time
import traceback

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

HOST, PORT = "127.0.0.1", 1883
RUN = secrets.token_hex(4)
V3, V5 = mqtt.MQTTv311, mqtt.MQTTv5
WAIT = 30.0  # for what must happen: the machine may be busy
QUIET = 0.4  # for what must not


def topic(*levels):
    return "/".join(("interop", RUN) + levels)


def properties(kind, **values):
    found = Properties(kind)
    for name, value in values.items():
        setattr(found, name, value)
    return found


class Client:
    """A paho client whose callbacks fill queues."""

    def __init__(self, name, version=V3, clean=True, expiry=None, connect=True, **options):
        self.version, self.clean = version, clean
        self.connect_properties = options.pop("connect_properties", {})
        if expiry is not None:
            self.connect_properties["SessionExpiryInterval"] = expiry
        self.keepalive = options.pop("keepalive", 60)
        will = options.pop("will", None)
        self.manual = options.pop("manual", False)
        arguments = {} if version == V5 else {"clean_session": clean}
        client_id = f"{name}-{RUN}" if name else ""
        self.paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id, protocol=version,
                                manual_ack=self.manual, reconnect_on_failure=False, **arguments)
        if will:
            self.paho.will_set(*will[:4], **({"properties": will[4]} if len(will) > 4 else {}))
        self.messages, self.connected, self.closed = queue.Queue(), queue.Queue(), queue.Queue()
        self.subscribed, self.unsubscribed, self.published = queue.Queue(), queue.Queue(), queue.Queue()
        self.paho.on_connect = lambda c, u, f, rc, p: self.connected.put((f, rc, p))
        self.paho.on_disconnect = lambda c, u, f, rc, p: self.closed.put((rc, p))
        self.paho.on_message = lambda c, u, m: self.messages.put(m)
        self.paho.on_subscribe = lambda c, u, mid, rcs, p: self.subscribed.put(rcs)
        self.paho.on_unsubscribe = lambda c, u, mid, rcs, p: self.unsubscribed.put(rcs)
        self.paho.on_publish = lambda c, u, mid, rc, p: self.published.put((mid, rc, p))
        self.flags = self.reason = self.properties = None
        if connect:
            self.connect()

    def connect(self, clean=None):
        arguments = {}
        if self.version == V5:
            arguments["clean_start"] = self.clean if clean is None else clean
            if self.connect_properties:
                arguments["properties"] = properties(PacketTypes.CONNECT, **self.connect_properties)
        self.paho.connect(HOST, PORT, self.keepalive, **arguments)
        self.paho.loop_start()
        self.flags, self.reason, self.properties = self.connected.get(timeout=WAIT)
        return self

    def subscribe(self, filter, qos=0, options=None, **values):
        arguments = {}
        if values:
            arguments["properties"] = properties(PacketTypes.SUBSCRIBE, **values)
        if options is not None:
            self.paho.subscribe(filter, options=options, **arguments)
        else:
            self.paho.subscribe(filter, qos, **arguments)
        return self.subscribed.get(timeout=WAIT)

    def publish(self, name, payload, qos=1, retain=False, **values):
        arguments = {"properties": properties(PacketTypes.PUBLISH, **values)} if values else {}
        info = self.paho.publish(name, payload, qos, retain, **arguments)
        info.wait_for_publish(WAIT)
        assert info.is_published(), f"publish to {name} was not acknowledged"
        return info

    def get(self, count=1, wait=WAIT):
        found = []
        deadline = time.monotonic() + wait
        while len(found) < count:
            try:
                found.append(self.messages.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                break
        return found

    def payloads(self, count=1, wait=WAIT):
        return [m.payload.decode() for m in self.get(count, wait)]

    def silent(self):
        found = self.get(1, QUIET)
        assert not found, f"unexpected message {found[0].payload!r} on {found[0].topic}"

    def drop(self):
        """Loses the connection without goodbye."""
        self.paho.socket().shutdown(socket.SHUT_RDWR)
        self.closed.get(timeout=WAIT)
        self.paho.loop_stop()

    def disconnect(self, **values):
        arguments = {}
        if values:
            arguments["properties"] = properties(PacketTypes.DISCONNECT, **values)
        wait = WAIT if self.paho.is_connected() else 0
        self.paho.disconnect(**arguments)
        try:
            self.closed.get(timeout=wait)
        except queue.Empty:
            pass
        self.paho.loop_stop()


def equal(found, expected):
    assert found == expected, f"{found!r} instead of {expected!r}"


def code(reason):
    return reason.value if hasattr(reason, "value") else reason


# --- both versions -----------------------------------------------------------------------------

def basic(version):
    a = Client("basic", version)
    a.subscribe(topic("basic", "#"), 2)
    for qos in (0, 1, 2):
        a.publish(topic("basic", str(qos)), f"qos {qos}", qos)
    messages = a.get(3)
    equal([(m.payload.decode(), m.qos) for m in messages], [("qos 0", 0), ("qos 1", 1), ("qos 2", 2)])
    a.silent()
    a.disconnect()


def granted_qos(version):
    a, b = Client("granted-a", version), Client("granted-b", version)
    equal([code(rc) for rc in a.subscribe(topic("granted"), 1)], [1])
    for qos in (0, 1, 2):
        b.publish(topic("granted"), str(qos), qos)
    equal([m.qos for m in a.get(3)], [0, 1, 1])
    a.disconnect(), b.disconnect()


def retained(version):
    a = Client("retained", version)
    for qos in (0, 1, 2):
        a.publish(topic("retained", str(qos)), f"r{qos}", qos, True)
    a.subscribe(topic("retained", "+"), 2)
    found = a.get(3)
    equal(sorted((m.payload.decode(), m.qos, m.retain) for m in found),
          [("r0", 0, True), ("r1", 1, True), ("r2", 2, True)])
    for qos in (0, 1, 2):
        a.publish(topic("retained", str(qos)), b"", 1, True)
    a.get(3, QUIET)  # The clearing messages themselves.
    b = Client("retained-b", version)
    b.subscribe(topic("retained", "+"), 2)
    b.silent()
    a.disconnect(), b.disconnect()


def live_is_not_retained(version):
    a, b = Client("live-a", version), Client("live-b", version)
    a.subscribe(topic("live"), 1)
    b.publish(topic("live"), "x", 1, True)
    equal([m.retain for m in a.get()], [False])
    b.publish(topic("live"), b"", 1, True)
    a.disconnect(), b.disconnect()


def offline_queue(version):
    a = Client("offline-a", version, clean=False, expiry=100 if version == V5 else None)
    a.subscribe(topic("offline", "#"), 2)
    a.disconnect()
    b = Client("offline-b", version)
    for qos in (0, 1, 2):
        b.publish(topic("offline", str(qos)), f"q{qos}", qos)
    b.disconnect()
    a.connect()
    assert a.flags.session_present, "the session is gone"
    found = a.payloads(2)
    equal(sorted(p for p in found if p != "q0"), ["q1", "q2"])
    a.disconnect()
    forget("offline-a", version)


def forget(name, version):
    """Ends a session that outlives its connection."""
    Client(name, version, clean=True).disconnect()


def will(version):
    b = Client("will-b", version)
    b.subscribe(topic("will"), 2)
    a = Client("will-a", version, will=(topic("will"), "gone", 1, True))
    a.drop()
    equal(b.payloads(), ["gone"])
    c = Client("will-c", version)
    c.subscribe(topic("will"), 1)
    equal([(m.payload, m.retain) for m in c.get()], [(b"gone", True)])
    c.publish(topic("will"), b"", 1, True)
    for each in (b, c):
        each.disconnect()


def no_will_after_goodbye(version):
    b = Client("nowill-b", version)
    b.subscribe(topic("nowill"), 1)
    Client("nowill-a", version, will=(topic("nowill"), "gone", 1, False)).disconnect()
    b.silent()
    b.disconnect()


def overlapping(version):
    a = Client("overlap", version)
    a.paho.subscribe([(topic("overlap", "#"), 2), (topic("overlap", "+"), 1)])
    a.subscribed.get(timeout=WAIT)
    a.publish(topic("overlap", "x"), "once", 2)
    found = a.get(1) + a.get(1, QUIET)
    assert found and max(m.qos for m in found) == 2 and len(found) <= 2, found
    a.disconnect()


def redelivery(version):
    """What was not acknowledged comes again after a reconnect, marked as such."""
    a = Client("redelivery-a", version, clean=False, expiry=100 if version == V5 else None, manual=True)
    a.subscribe(topic("redelivery"), 1)
    b = Client("redelivery-b", version)
    b.publish(topic("redelivery"), "1", 1)
    b.publish(topic("redelivery"), "2", 1)
    equal(a.payloads(2), ["1", "2"])
    a.drop()
    a.connect()
    again = a.get(2)
    equal([(m.payload, m.dup) for m in again], [(b"1", True), (b"2", True)])
    for m in again:
        a.paho.ack(m.mid, m.qos)
    time.sleep(0.1)
    a.drop()
    a.connect()
    a.silent()
    a.disconnect(), b.disconnect()
    forget("redelivery-a", version)


def empty_client_id(version):
    a, b = Client("", version), Client("", version)
    equal((code(a.reason), code(b.reason)), (0, 0))
    if version == V5:
        names = [c.properties.AssignedClientIdentifier for c in (a, b)]
        assert names[0] and names[0] != names[1], names
    a.disconnect(), b.disconnect()


def dollar_topics(version):
    a = Client("dollar", version)
    a.subscribe("#", 1)
    a.subscribe(f"+/{RUN}/dollar", 1)
    a.get(1000, QUIET)  # Whatever is retained.
    a.publish(f"$other/{RUN}/dollar", "hidden", 1)
    a.silent()
    a.subscribe(f"$other/{RUN}/#", 1)
    a.publish(f"$other/{RUN}/dollar", "seen", 1)
    equal(a.payloads(), ["seen"])
    a.disconnect()


def unsubscribe(version):
    a, b = Client("unsub-a", version), Client("unsub-b", version)
    for name in ("x", "y"):
        a.subscribe(topic("unsub", name), 1)
    a.paho.unsubscribe([topic("unsub", "x")] + ([topic("unsub", "z")] if version == V5 else []))
    reasons = a.unsubscribed.get(timeout=WAIT)
    if version == V5:
        equal([code(rc) for rc in reasons], [0, 0x11])
    b.publish(topic("unsub", "x"), "x", 1)
    b.publish(topic("unsub", "y"), "y", 1)
    equal(a.payloads(), ["y"])
    a.silent()
    a.disconnect(), b.disconnect()


def takeover(version):
    a = Client("takeover", version)
    b = Client("takeover", version)
    rc, _ = a.closed.get(timeout=WAIT)
    if version == V5:
        equal(code(rc), 0x8E)
    a.paho.loop_stop()
    b.subscribe(topic("takeover"), 1)
    b.publish(topic("takeover"), "x", 1)
    equal(b.payloads(), ["x"])
    b.disconnect()


def keep_alive(version):
    """A client that falls silent is gone after one and a half times its keep alive."""
    b = Client("keepalive-b", version)
    b.subscribe(topic("keepalive"), 1)
    began = time.monotonic()
    raw = Raw(version, "keepalive-a", keep_alive=1, will=(topic("keepalive"), b"silent"))
    equal(b.payloads(), ["silent"])
    took = time.monotonic() - began
    assert took > 1.4, f"gone after {took:.1f} s"
    raw.close()
    b.disconnect()


def order(version):
    a, b = Client("order-a", version), Client("order-b", version)
    a.subscribe(topic("order"), 2)
    for qos in (1, 2):
        infos = [b.paho.publish(topic("order"), str(n), qos) for n in range(200)]
        for info in infos:
            info.wait_for_publish(WAIT)
        equal(a.payloads(200), [str(n) for n in range(200)])
    a.disconnect(), b.disconnect()


def bad_filters(version):
    a = Client("badfilter", version)
    reasons = [code(rc) for rc in a.subscribe(topic("good"), 1)]
    equal(reasons, [1])
    raw = Raw(version, "badfilter-raw")
    for bad in ("a/#/b", "a+", "a/b#", "$share/g", ""):
        options = b"\x00"
        body = b"\x00\x07" + (b"\x00" if version == V5 else b"") + string(bad) + options
        raw.send(0x82, body)
        header, answer = raw.receive()
        equal((header, answer[-1] & 0x80), (0x90, 0x80))
    raw.close()
    a.disconnect()


BOTH = [basic, granted_qos, retained, live_is_not_retained, offline_queue, will,
        no_will_after_goodbye, overlapping, redelivery, empty_client_id, dollar_topics, unsubscribe,
        takeover, keep_alive, order, bad_filters]


# --- version 5 ---------------------------------------------------------------------------------

def v5_session_expiry():
    a = Client("expiry", V5, clean=True, expiry=0)
    a.subscribe(topic("expiry"), 1)
    a.disconnect()
    a = Client("expiry", V5, clean=False, expiry=100)
    equal(a.flags.session_present, False)
    a.subscribe(topic("expiry"), 1)
    a.disconnect()
    a = Client("expiry", V5, clean=False, expiry=100)
    equal(a.flags.session_present, True)
    for patience in (2.5, 5, 10, 20):  # a busy machine may be late
        a.disconnect(SessionExpiryInterval=1)
        time.sleep(patience)
        a = Client("expiry", V5, clean=False, expiry=100)
        if not a.flags.session_present:
            break
    equal(a.flags.session_present, False)
    a.disconnect(SessionExpiryInterval=0)
    a = Client("expiry", V5, clean=False, expiry=1)
    equal(a.flags.session_present, False)
    a.disconnect()


def v5_will_delay():
    def late(seconds):
        delay = properties(PacketTypes.WILLMESSAGE, WillDelayInterval=seconds)
        return (topic("willdelay"), "late", 1, False, delay)

    b = Client("willdelay-b", V5)
    b.subscribe(topic("willdelay"), 1)
    a = Client("willdelay-a", V5, clean=False, expiry=100, will=late(1))
    began = time.monotonic()
    a.drop()
    equal(b.payloads(), ["late"])
    took = time.monotonic() - began
    assert took > 0.9, f"after {took:.2f} s"
    # Back in time: no will.
    a = Client("willdelay-a", V5, clean=False, expiry=100, will=late(4))
    a.drop()
    a = Client("willdelay-a", V5, clean=False, expiry=100)
    equal(b.get(1, 5), [])
    a.disconnect()
    # The session's end is the will's latest time: this one never comes by its delay.
    a = Client("willdelay-c", V5, clean=True, expiry=0, will=late(3600))
    a.drop()
    equal(b.payloads(), ["late"])
    b.disconnect()


def v5_will_on_request():
    b = Client("willrequest-b", V5)
    b.subscribe(topic("willrequest"), 1)
    a = Client("willrequest-a", V5, will=(topic("willrequest"), "wanted", 1, False))
    a.paho.disconnect(reasoncode=mqtt.ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message"))
    a.paho.loop_stop()
    equal(b.payloads(), ["wanted"])
    b.disconnect()


def v5_shared():
    members = [Client(f"shared-{n}", V5) for n in range(3)]
    for member in members:
        member.subscribe(f"$share/group/{topic('shared', '+')}", 1)
    other = Client("shared-other", V5)
    other.subscribe(f"$share/other/{topic('shared', '#')}", 1)
    plain = Client("shared-plain", V5)
    plain.subscribe(topic("shared", "#"), 1)
    sender = Client("shared-sender", V5)
    for n in range(30):
        sender.publish(topic("shared", "x"), str(n), 1)
    everything = [str(n) for n in range(30)]
    equal(plain.payloads(30), everything)
    equal(other.payloads(30), everything)
    shares = shared_out(members, 30)
    equal(sorted(sum(shares, []), key=int), everything)
    assert all(shares), "one member got nothing"
    members[0].disconnect()
    for n in range(10):
        sender.publish(topic("shared", "x"), str(n), 1)
    shares = shared_out(members[1:], 10)
    equal(sorted(sum(shares, []), key=int), everything[:10])
    for each in members[1:] + [other, plain, sender]:
        each.disconnect()


def shared_out(members, count):
    """What each member got, when all together got `count` and then nothing more."""
    shares = [[] for _ in members]
    end = time.monotonic() + WAIT
    while sum(map(len, shares)) < count and time.monotonic() < end:
        for share, member in zip(shares, members):
            share += member.payloads(count, 0.05)
    for member in members:
        member.silent()
    return shares


def v5_shared_gets_no_retained():
    a = Client("sharedret", V5)
    a.publish(topic("sharedret"), "kept", 1, True)
    a.subscribe(f"$share/g/{topic('sharedret')}", 1)
    a.silent()
    a.publish(topic("sharedret"), b"", 1, True)
    a.disconnect()


def v5_subscription_identifiers():
    a = Client("subid", V5)
    a.subscribe(topic("subid", "one"), 1, SubscriptionIdentifier=456789)
    a.subscribe(topic("subid", "+"), 1, SubscriptionIdentifier=2)
    a.publish(topic("subid", "two"), "two", 1)
    equal([m.properties.SubscriptionIdentifier for m in a.get()], [[2]])
    a.publish(topic("subid", "one"), "one", 1)
    found = []  # Both in one message, or a message for each.
    while len(found) < 2 and (message := a.get()):
        found += message[0].properties.SubscriptionIdentifier
    equal(sorted(found), [2, 456789])
    a.disconnect()


def v5_request_response():
    a, b = Client("request", V5), Client("respond", V5)
    a.subscribe(topic("responses"), 1)
    b.subscribe(topic("requests"), 1)
    a.publish(topic("requests"), "what?", 1, ResponseTopic=topic("responses"), CorrelationData=b"334")
    request = b.get()[0]
    equal(request.properties.ResponseTopic, topic("responses"))
    b.publish(request.properties.ResponseTopic, "that", 1, CorrelationData=request.properties.CorrelationData)
    response = a.get()[0]
    equal((response.payload, response.properties.CorrelationData), (b"that", b"334"))
    a.disconnect(), b.disconnect()


def v5_properties_pass_through():
    a = Client("passing", V5)
    a.subscribe(topic("passing"), 2)
    for qos in (0, 1, 2):
        a.publish(topic("passing"), "x", qos, PayloadFormatIndicator=1, ContentType="text/plain",
                  UserProperty=[("a", "2"), ("c", "3"), ("a", "4")])
    for message in a.get(3):
        equal(message.properties.UserProperty, [("a", "2"), ("c", "3"), ("a", "4")])
        equal((message.properties.PayloadFormatIndicator, message.properties.ContentType), (1, "text/plain"))
    a.disconnect()


def v5_message_expiry():
    a = Client("msgexpiry-a", V5, clean=True, expiry=100)
    a.subscribe(topic("msgexpiry"), 1)
    a.disconnect()
    b = Client("msgexpiry-b", V5)
    b.publish(topic("msgexpiry"), "short", 1, MessageExpiryInterval=1)
    b.publish(topic("msgexpiry"), "long", 1, MessageExpiryInterval=90)
    b.publish(topic("msgexpiry"), "for ever", 1)
    b.publish(topic("msgexpiry", "kept"), "short", 1, True, MessageExpiryInterval=1)
    time.sleep(2.1)
    a.connect(clean=False)
    found = a.get(2)
    equal([m.payload for m in found], [b"long", b"for ever"])
    assert 0 < found[0].properties.MessageExpiryInterval <= 88, found[0].properties
    b.subscribe(topic("msgexpiry", "kept"), 1)
    b.silent()
    a.disconnect(SessionExpiryInterval=0), b.disconnect()


def v5_retain_handling():
    a = Client("rethandling", V5)
    a.publish(topic("rethandling"), "kept", 1, True)
    for handling, expected in ((0, [1, 1]), (1, [1, 0]), (2, [0, 0])):
        found = []
        for _ in range(2):
            a.subscribe(topic("rethandling"), options=SubscribeOptions(qos=1, retainHandling=handling))
            found.append(len(a.get(1, WAIT if len(found) < sum(expected) else QUIET)))
        equal((handling, found), (handling, expected))
        a.paho.unsubscribe(topic("rethandling"))
        a.unsubscribed.get(timeout=WAIT)
    a.publish(topic("rethandling"), b"", 1, True)
    a.disconnect()


def v5_retain_as_published():
    a = Client("retpub", V5)
    a.subscribe(topic("retpub"), options=SubscribeOptions(qos=1, retainAsPublished=True))
    a.publish(topic("retpub"), "x", 1, True)
    a.publish(topic("retpub"), "y", 1, False)
    equal([m.retain for m in a.get(2)], [True, False])
    a.publish(topic("retpub"), b"", 1, True)
    a.disconnect()


def v5_no_local():
    a, b = Client("nolocal-a", V5), Client("nolocal-b", V5)
    a.subscribe(topic("nolocal"), options=SubscribeOptions(qos=1, noLocal=True))
    a.publish(topic("nolocal"), "mine", 1)
    b.publish(topic("nolocal"), "theirs", 1)
    equal(a.payloads(), ["theirs"])
    a.silent()
    a.disconnect(), b.disconnect()


def v5_server_keep_alive():
    a = Client("serverkeep", V5, keepalive=3600)
    assert 0 < a.properties.ServerKeepAlive < 3600, a.properties
    a.disconnect()


def v5_server_to_client_flow():
    """The server keeps to the client's receive maximum."""
    raw = Raw(V5, "flowdown", block=b"\x21\x00\x02")
    raw.subscribe(topic("flowdown"), 1)
    b = Client("flowdown-b", V5)
    for n in range(5):
        b.publish(topic("flowdown"), str(n), 1)
    first = [raw.receive() for _ in range(2)]
    equal(raw.receive(QUIET), None)
    for header, body in first:
        raw.send(0x40, packet_id(body))
    rest = [raw.receive() for _ in range(2)]
    assert all(rest), rest
    equal(raw.receive(QUIET), None)
    raw.close()
    b.disconnect()


def v5_client_to_server_flow():
    """The server says how much it takes, and ends connections that do not keep to it."""
    raw = Raw(V5, "flowup")
    maximum = raw.properties.ReceiveMaximum
    assert 0 < maximum < 65535, maximum
    body = b"".join(
        framed(0x34, string(topic("flowup")) + struct.pack(">H", n + 1) + b"\x00" + b"x")
        for n in range(maximum + 200))
    raw.socket.sendall(body)
    reason = None
    for _ in range(maximum + 200):
        packet = raw.receive()
        if packet is None:
            break
        if packet[0] == 0xE0:
            reason = packet[1][0]
            break
    # All may be durable before the next is read, so an obliging server may let it pass.
    assert reason in (0x93, None), reason
    raw.close()


def v5_maximum_packet():
    a = Client("maxpacket", V5, connect_properties={"MaximumPacketSize": 64})
    a.subscribe(topic("maxpacket"), 1)
    assert a.properties.MaximumPacketSize > 64
    b = Client("maxpacket-b", V5)
    b.publish(topic("maxpacket"), "x" * 100, 1)
    b.publish(topic("maxpacket"), "fits", 1)
    equal(a.payloads(), ["fits"])
    raw = Raw(V5, "maxpacket-raw")
    raw.socket.sendall(b"\x30" + varint(raw.properties.MaximumPacketSize + 1) + b"\x00" * 10)
    header, body = raw.receive()
    equal((header, body[0]), (0xE0, 0x95))
    raw.close()
    a.disconnect(), b.disconnect()


def v5_alias_to_server():
    a = Client("aliasup", V5)
    assert a.properties.TopicAliasMaximum > 0
    a.subscribe(topic("aliasup", "+"), 1)
    a.publish(topic("aliasup", "x"), "set", 1, TopicAlias=1)
    a.publish("", "used", 1, TopicAlias=1)
    a.publish(topic("aliasup", "y"), "moved", 1, TopicAlias=1)
    a.publish("", "again", 1, TopicAlias=1)
    equal([(m.payload.decode(), m.topic[-1]) for m in a.get(4)],
          [("set", "x"), ("used", "x"), ("moved", "y"), ("again", "y")])
    a.disconnect()
    for alias in (0, 65535, 9):
        raw = Raw(V5, "aliasup-raw")
        name = string("") if alias == 9 else string("a")
        raw.send(0x30, name + b"\x03\x23" + struct.pack(">H", alias) + b"x")
        header, body = raw.receive()
        equal((alias, header), (alias, 0xE0))
        assert body[0] in (0x94, 0x82), hex(body[0])
        raw.close()


def v5_alias_to_client():
    raw = Raw(V5, "aliasdown", block=b"\x22\x00\x01")
    raw.subscribe(topic("aliasdown", "#"), 0)
    b = Client("aliasdown-b", V5)
    names = [topic("aliasdown", "x"), topic("aliasdown", "x"), topic("aliasdown", "y")]
    for name in names:
        b.publish(name, "v", 0)
    aliases, found = {}, []
    for _ in names:
        _, body = raw.receive()
        length = struct.unpack(">H", body[:2])[0]
        name, rest = body[2:2 + length].decode(), body[2 + length:]
        alias = struct.unpack(">H", rest[2:4])[0] if rest[0] >= 3 and rest[1] == 0x23 else None
        assert alias in (None, 1), alias
        if name and alias:
            aliases[alias] = name
        found.append(name or aliases[alias])
    equal(found, names)
    raw.close()
    b.disconnect()


def v5_quarantine_is_told():
    """A publish that nobody can map is taken, kept, and the sender is told."""
    a = Client("quarantine", V5)
    a.publish(topic("nobody", "maps", "this"), "x", 1)
    _, reason, told = a.published.get(timeout=WAIT)
    equal(code(reason), 0)
    assert any(key == "quarantined" for key, _ in getattr(told, "UserProperty", [])), told
    a.disconnect()


# --- raw packets -------------------------------------------------------------------------------

def string(text):
    data = text.encode() if isinstance(text, str) else text
    return struct.pack(">H", len(data)) + data


def varint(value):
    out = b""
    while True:
        value, low = divmod(value, 128)
        out += bytes([low | (0x80 if value else 0)])
        if not value:
            return out


def framed(header, body):
    return bytes([header]) + varint(len(body)) + body


def packet_id(publish_body):
    length = struct.unpack(">H", publish_body[:2])[0]
    return publish_body[2 + length:4 + length]


class Raw:
    """A connection on which any bytes can be sent."""

    def __init__(self, version, name, keep_alive=60, will=None, clean=True, block=b"", connect=True):
        self.version = version
        self.socket = socket.create_connection((HOST, PORT))
        self.buffer = b""
        if not connect:
            return
        flags = (2 if clean else 0) | (4 if will else 0)
        body = string("MQTT") + bytes([version, flags]) + struct.pack(">H", keep_alive)
        body += varint(len(block)) + block if version == V5 else b""
        body += string(f"{name}-{RUN}")
        if will:
            body += (b"\x00" if version == V5 else b"") + string(will[0]) + string(will[1])
        self.send(0x10, body)
        header, answer = self.receive()
        equal((header, answer[1]), (0x20, 0))
        self.session_present = bool(answer[0] & 1)
        if version == V5:
            self.properties = Properties(PacketTypes.CONNACK)
            self.properties.unpack(answer[2:])

    def send(self, header, body):
        self.socket.sendall(framed(header, body))

    def subscribe(self, name, qos):
        block = b"\x00" if self.version == V5 else b""
        self.send(0x82, b"\x00\x01" + block + string(name) + bytes([qos]))
        equal(self.receive()[0], 0x90)

    def receive(self, wait=WAIT):
        """The next packet as (header, body), or None when there is none or the end is reached."""
        self.socket.settimeout(wait)
        while True:
            packet = self.split()
            if packet:
                return packet
            try:
                data = self.socket.recv(65536)
            except (TimeoutError, ConnectionError):
                return None
            if not data:
                return None
            self.buffer += data

    def split(self):
        length, shift = 0, 0
        for index, byte in enumerate(self.buffer[1:5]):
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                end = 2 + index + length
                if len(self.buffer) < end:
                    return None
                packet = (self.buffer[0], self.buffer[2 + index:end])
                self.buffer = self.buffer[end:]
                return packet
        return None

    def ended(self, wait=WAIT):
        """Whether the server closes the connection; what it says before is returned."""
        self.socket.settimeout(wait)
        said = self.buffer
        try:
            while data := self.socket.recv(65536):
                said += data
        except TimeoutError:
            raise AssertionError("the server left the connection open") from None
        except ConnectionError:
            pass
        return said

    def close(self):
        self.socket.close()


def raw_qos2_is_taken_once():
    """A repeated PUBLISH with the same packet id is acknowledged again and delivered once."""
    for version in (V3, V5):
        sub = Client("qos2-sub", version)
        sub.subscribe(topic("qos2"), 2)
        raw = Raw(version, "qos2", clean=False, block=b"\x11\x00\x00\x00\x64" if version == V5 else b"")
        block = b"\x00" if version == V5 else b""
        body = string(topic("qos2")) + b"\x00\x05" + block + b"once"
        raw.send(0x34, body)
        equal(raw.receive()[0], 0x50)
        raw.send(0x3C, body)
        equal(raw.receive()[0], 0x50)
        raw.close()
        raw = Raw(version, "qos2", clean=False, block=b"\x11\x00\x00\x00\x64" if version == V5 else b"")
        assert raw.session_present
        raw.send(0x3C, body)
        equal(raw.receive()[0], 0x50)
        raw.send(0x62, b"\x00\x05")
        equal(raw.receive()[0], 0x70)
        raw.send(0x62, b"\x00\x05")
        header, answer = raw.receive()
        equal(header, 0x70)
        if version == V5:
            equal(answer[2], 0x92)
        raw.send(0x34, body)
        equal(raw.receive()[0], 0x50)
        equal(sub.payloads(2), ["once", "once"])
        sub.silent()
        raw.close()
        sub.disconnect()
        forget("qos2", version)


def raw_acks_in_order():
    for version in (V3, V5):
        raw = Raw(version, "acks")
        block = b"\x00" if version == V5 else b""
        packets = b""
        for n in range(1, 101):
            name = ("vitalwire/x/config", topic("acks"))[n % 2]
            packets += framed(0x32, string(name) + struct.pack(">H", n) + block + b"x")
        raw.socket.sendall(packets)
        found = [struct.unpack(">H", raw.receive()[1][:2])[0] for _ in range(100)]
        equal(found, list(range(1, 101)))
        raw.close()


def raw_malformed_is_answered():
    """Version 5 is told why; either way the connection ends, and neighbours do not notice."""
    neighbour = Client("neighbour", V5)
    neighbour.subscribe(topic("neighbour"), 1)
    for name, data, reason in [
        ("reserved type", b"\x00\x00", 0x81),
        ("publish with QoS 3", framed(0x36, string("a") + b"\x00\x01\x00x"), 0x81),
        ("second connect", framed(0x10, string("MQTT") + b"\x05\x02\x00\x00\x00" + string("x")), 0x82),
        ("broken UTF-8", framed(0x30, string(b"\xc3\x28") + b"\x00x"), 0x81),
        ("wildcard in a topic", framed(0x30, string("a/#") + b"\x00x"), 0x90),
        ("endless length", b"\x30\xff\xff\xff\xff\xff", 0x81),
        ("server's packet", framed(0x20, b"\x00\x00\x00"), 0x82),
        ("subscribe without filter", framed(0x82, b"\x00\x01\x00"), 0x82),
        ("auth", framed(0xF0, b""), 0x82),
    ]:
        raw = Raw(V5, "malformed")
        raw.socket.sendall(data)
        said = raw.ended()
        assert said[:1] == b"\xe0" and said[2] == reason, f"{name}: {said!r}"
        raw.close()
        raw = Raw(V3, "malformed")
        raw.socket.sendall(data)
        equal((name, raw.ended()), (name, b""))
        raw.close()
    neighbour.publish(topic("neighbour"), "fine", 1)
    equal(neighbour.payloads(), ["fine"])
    neighbour.disconnect()


def raw_connect_is_checked():
    connect = lambda level, flags, name=b"MQTT", tail=b"": framed(
        0x10, string(name) + bytes([level, flags, 0, 60]) + (b"\x00" if level == 5 else b"") + tail)
    for name, data, answer in [
        ("not MQTT", b"GET / HTTP/1.1\r\n\r\n", None),
        ("unknown version", connect(9, 2, tail=string("x")), b"\x20\x02\x00\x01"),
        ("empty id, no clean session", connect(4, 0, tail=string("")), b"\x20\x02\x00\x02"),
        ("publish first", framed(0x30, string("a") + b"x"), None),
        ("reserved flag", connect(4, 3, tail=string("x")), None),
    ]:
        raw = Raw(V3, "", connect=False)
        raw.socket.sendall(data)
        said = raw.ended()
        if answer is not None:
            equal((name, said), (name, answer))
        raw.close()


def raw_pieces():
    """Packets cut anywhere, and many in one piece."""
    raw = Raw(V3, "pieces")
    raw.subscribe(topic("pieces"), 0)
    data = b"".join(framed(0x30, string(topic("pieces")) + bytes([65 + n])) for n in range(3))
    for byte in data:
        raw.socket.sendall(bytes([byte]))
        time.sleep(0.001)
    raw.socket.sendall(data * 100)
    found = b"".join(raw.receive()[1][-1:] for _ in range(303))
    equal(found, b"ABC" * 101)
    raw.close()


def raw_goodbye_right_after_publish():
    """What was sent before DISCONNECT is delivered, QoS 0 too."""
    sub = Client("goodbye-sub", V3)
    sub.subscribe(topic("goodbye"), 1)
    raw = Raw(V3, "goodbye")
    raw.socket.sendall(framed(0x30, string(topic("goodbye")) + b"zero")
                       + framed(0x32, string(topic("goodbye")) + b"\x00\x01one") + b"\xe0\x00")
    raw.ended()
    equal(sub.payloads(2), ["zero", "one"])
    sub.disconnect()


def all_checks():
    """Name and function of each check."""
    checks = []
    for check in BOTH:
        checks += [(f"v3_{check.__name__}", lambda c=check: c(V3)), (f"v5_{check.__name__}", lambda c=check: c(V5))]
    return checks + [(n, f) for n, f in list(globals().items()) if n.startswith(("v5_", "raw_")) and callable(f)]


def main():
    global HOST, PORT
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    host, _, port = sys.argv[1].rpartition(":")
    HOST, PORT = host or HOST, int(port)
    checks = all_checks()
    wanted = sys.argv[2:]
    passed = failed = 0
    for name, check in checks:
        if wanted and not any(w in name for w in wanted):
            continue
        try:
            check()
            passed += 1
            print(f"ok    {name}")
        except Exception as error:  # noqa: BLE001 - every failure is reported and counted
            failed += 1
            kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__} "
            where = traceback.extract_tb(error.__traceback__)[-1]
            print(f"FAIL  {name}: {kind}{error} (line {where.lineno})")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
