"""A personal health device (IEEE 11073-20601 agent) over TCP or TLS, written from the standard's tables and from nothing of
the program's: APDUs, association, configuration, reports, the device's own attributes, a store of episodes."""

import socket
import struct
import time

# Nomenclature, partition 1.
TYPE, UNIT, VALUE_MAP, BASIC, SIMPLE, COMPOUND, TIME = 2351, 2454, 2645, 2636, 2646, 2677, 2448
MODEL, PRODUCTION, BATTERY, CLOCK, TIME_INFO, SEGMENTS, SEGMENT_MAP, USAGE = 2344, 2349, 2460, 2439, 2629, 2385, 2638, 2427
SYSTEM_ID = 2436
CONFIG, FIXED, VARIABLE, PERSONS, SEGMENT_DATA = 3356, 3357, 3358, 3359, 3361
CLEAR, GET_INFO, SET_TIME, TRANSFER = 3084, 3085, 3095, 3100


class Gone(Exception):
    """The manager ended it, or the connection broke."""


def u16(*numbers):
    return struct.pack(f">{len(numbers)}H", *numbers)


def counted(data):
    return u16(len(data)) + data


def several(items):
    data = b"".join(items)
    return u16(len(items), len(data)) + data


def attributes(pairs):
    return several([u16(number) + counted(value) for number, value in pairs])


def sfloat(mantissa, exponent=0):
    return u16((exponent & 15) << 12 | mantissa & 0xFFF)


def float_type(mantissa, exponent=0):
    return struct.pack(">I", (exponent & 0xFF) << 24 | mantissa & 0xFFFFFF)


def absolute(seconds):
    """A date and time in UTC, two decimal digits a byte."""
    t = time.gmtime(seconds)
    parts = (t.tm_year // 100, t.tm_year % 100, t.tm_mon, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, 0)
    return bytes(part // 10 << 4 | part % 10 for part in parts)


def numeric(handle, code, unit, value_map, partition=2):
    """An object of a configuration."""
    described = [(TYPE, u16(partition, code)), (UNIT, u16(unit)), (VALUE_MAP, several([u16(*entry) for entry in value_map]))]
    return u16(6, handle) + attributes(described)


class Agent:
    """One device. `clock` gives the seconds that its clock shows."""

    def __init__(self, address, system_id, configuration=0x02BC, objects=None, mds=(), segments=None, tls=None, clock=time.time):
        self.address, self.system_id, self.number = address, system_id, configuration
        self.objects, self.mds, self.segments, self.tls, self.clock = objects, list(mds), segments or {}, tls, clock
        self.socket, self.invoke, self.sending, self.set_to, self.cleared = None, 0, None, None, []

    # -- APDUs --------------------------------------------------------------------------------

    def send(self, choice, body):
        try:
            self.socket.sendall(u16(choice, len(body)) + body)
        except OSError as error:
            raise Gone from error

    def send_data(self, invoke, choice, body):
        self.send(0xE700, counted(u16(invoke, choice) + counted(body)))

    def read(self):
        """The next APDU: its choice and its body."""
        head = self._take(4)
        choice, length = struct.unpack(">HH", head)
        return choice, self._take(length)

    def _take(self, count):
        data = b""
        while len(data) < count:
            try:
                more = self.socket.recv(count - len(data))
            except TimeoutError:
                raise
            except OSError as error:
                raise Gone from error
            if not more:
                raise Gone
            data += more
        return data

    # -- life ---------------------------------------------------------------------------------

    def connect(self, timeout_s=60):
        plain = socket.create_connection(self.address, timeout=timeout_s)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = self.tls.wrap_socket(plain, server_hostname="localhost") if self.tls else plain
        return self

    def associate(self):
        """Asks to be let in, sends the configuration where it is unknown; gives the manager's answer."""
        known = struct.pack(">IHIII", 0x80000000, 0x8000, 0x80000000, 0, 0x00800000)
        info = known + counted(self.system_id) + u16(self.number, 1) + bytes([1, 0]) + several([])
        self.send(0xE200, struct.pack(">I", 0x80000000) + several([u16(20601) + counted(info)]))
        choice, body = self.read()
        assert choice == 0xE300, hex(choice)
        result = struct.unpack_from(">H", body)[0]
        if result == 3:
            answer = self.event(CONFIG, u16(self.number) + several(self.objects))
            assert answer == u16(self.number, 0), answer.hex()
        return result

    def release(self):
        self.send(0xE400, u16(0))
        while self.read()[0] != 0xE500:
            pass
        self.socket.close()

    def drop(self):
        """As if its battery fell out."""
        self.socket.close()

    # -- reports ------------------------------------------------------------------------------

    def event(self, kind, info, handle=0, confirmed=True):
        """Tells of an event; gives what the manager answers, and serves it until it does."""
        self.invoke = (self.invoke + 1) & 0xFFFF
        mine = self.invoke
        self.send_data(mine, 0x0101 if confirmed else 0x0100, struct.pack(">HIH", handle, 0, kind) + counted(info))
        while confirmed:
            invoke, service, body = self.serve_one()
            if invoke == mine and service == 0x0201:
                return body[10:]
            if invoke == mine and service in (0x0300, 0x0400):
                raise ValueError(f"refused: {body.hex()}")

    def report(self, *scans, person=None, confirmed=True):
        """Fixed: each scan is a handle and the bytes of its values."""
        body = several([u16(handle) + counted(value) for handle, value in scans])
        if person is None:
            return self.event(FIXED, u16(0xF000, 0) + body, confirmed=confirmed)
        return self.event(PERSONS, u16(0xF000, 0) + several([u16(person) + body]), confirmed=confirmed)

    # -- what the manager asks ----------------------------------------------------------------

    def serve_one(self):
        """Takes one APDU and answers what it asks; gives the data that it was."""
        choice, body = self.read()
        if choice == 0xE400:
            self.send(0xE500, u16(0))
            raise Gone("released")
        if choice != 0xE700:
            raise Gone(hex(choice))
        invoke, service, length = struct.unpack_from(">HHH", body, 2)
        data = body[8:]
        assert len(data) == length
        if service == 0x0103:
            mds = [(SYSTEM_ID, counted(self.system_id)), *self.mds, (CLOCK, absolute(self.clock()))]
            self.send_data(invoke, 0x0203, u16(0) + attributes(mds))
        elif service == 0x0105:
            self.send_data(invoke, 0x0205, data[:2] + attributes([]))
        elif service == 0x0107:
            self.act(invoke, *struct.unpack_from(">HH", data), data[6:])
        return invoke, service, data

    def serve(self, done, limit_s=60):
        """Serves the manager until `done()`."""
        end = time.monotonic() + limit_s
        self.socket.settimeout(0.2)
        while not done():
            assert time.monotonic() < end, "the manager never asked"
            try:
                self.serve_one()
            except TimeoutError:
                pass
        self.socket.settimeout(60)

    def wait(self, seconds):
        """Serves the manager for a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(max(left, 0.01))
            try:
                self.serve_one()
            except TimeoutError:
                pass
        self.socket.settimeout(60)

    def act(self, invoke, handle, action, arguments):
        reply = b""
        if action == SET_TIME:
            self.set_to = arguments[:8]
        elif action == GET_INFO:
            reply = several([u16(number) + attributes([(SEGMENT_MAP, self.entry_map), (USAGE, struct.pack(">I", len(entries)))])
                             for number, entries in self.segments.items()])
        elif action == TRANSFER:
            number = struct.unpack(">H", arguments)[0]
            reply = u16(number, 0 if self.segments[number] else 3)
        elif action == CLEAR:
            self.cleared.append(arguments)
        self.send_data(invoke, 0x0207, u16(handle, action) + counted(reply))
        if action == TRANSFER and self.segments[number]:
            self.transfer(handle, number)

    # A segment's entries are a time and one number.
    entry_map = u16(0x8000) + several([u16(6, 2, 29112, 1) + several([u16(BASIC, 2)])])

    def transfer(self, handle, number, at_once=7):
        """Sends a segment, a few entries at a time; each event is to be confirmed."""
        entries = self.segments[number]
        for first in range(0, len(entries), at_once):
            part = entries[first:first + at_once]
            status = (0x8000 if first == 0 else 0) | (0x4000 if first + at_once >= len(entries) else 0)
            info = struct.pack(">HIIH", number, first, len(part), status) + counted(b"".join(part))
            answer = self.event(SEGMENT_DATA, info, handle)
            assert struct.unpack(">HIIH", answer)[3] == 0x0080, answer.hex()
        self.sending = number


def about(maker, model, serial):
    """The device's own attributes: maker, model, serial number, firmware, battery."""
    text = lambda words: counted(words.encode())
    specs = several([u16(1, 0) + text(serial), u16(5, 0) + text("1.7")])
    return [(MODEL, text(maker) + text(model)), (PRODUCTION, specs), (BATTERY, u16(81))]


def pressure(systolic, diastolic, mean, rate, seconds):
    """The two scans of the standard configuration of IEEE 11073-10407."""
    at = absolute(seconds)
    return (1, several([sfloat(systolic), sfloat(diastolic), sfloat(mean)]) + at), (2, sfloat(rate) + at)


def weight(hundredths, seconds):
    """The scan of the standard configuration of IEEE 11073-10415: kg."""
    return 1, float_type(hundredths, -2) + absolute(seconds)
