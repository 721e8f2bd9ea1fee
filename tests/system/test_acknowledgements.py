"""DU-1 where an acknowledgement was lost: what is stored once, and what can't be told apart."""

import json
import socket
import struct
import time

from support.server import wait_for
from support.stored import readings

CONNECT = b"\x10\x12\x00\x04MQTT\x04\x00\x00\x3c\x00\x06lossy1"
CONNACK_LEN, PUBACK_LEN = 4, 4


def publish(packet_id, payload, again=False, qos=1):
    topic = b"vitalwire/lossy/measurements"
    body = struct.pack(">H", len(topic)) + topic + struct.pack(">H", packet_id) + payload
    length, size = b"", len(body)
    while True:
        size, low = divmod(size, 128)
        length += bytes([low | (0x80 if size else 0)])
        if not size:
            break
    return bytes([0x30 | (qos << 1) | (8 if again else 0)]) + length + body


class Wire:
    """A connection whose answers the test may choose not to read."""

    def __init__(self, server):
        self.socket = socket.create_connection(server.mqtt, timeout=30)
        self.socket.sendall(CONNECT)
        assert self.read(CONNACK_LEN)[0] == 0x20

    def read(self, count):
        found = b""
        while len(found) < count:
            piece = self.socket.recv(count - len(found))
            assert piece, "closed"
            found += piece
        return found


def lose_the_answer(server, payload):
    """Publishes, sees it stored, never reads the PUBACK; the server is killed and started again; then
    the same packet comes again, marked as a duplicate, and is acknowledged."""
    wire = Wire(server)
    wire.socket.sendall(publish(7, payload))
    wait_for(lambda: readings(server, "lossy"), "the reading to be stored")
    before = len(readings(server, "lossy"))
    server.kill()
    server.start()
    wire = Wire(server)
    wire.socket.sendall(publish(7, payload, again=True))
    assert wire.read(PUBACK_LEN) == b"\x40\x02\x00\x07"
    return before


def test_a_reading_with_its_own_time_is_stored_once(server):
    payload = json.dumps([{"n": "VW_STEPS", "bt": round(time.time(), 3), "v": 1}]).encode()
    assert lose_the_answer(server, payload) == 1
    # What comes after it is judged after it: had the repetition been stored, it would show by then.
    wire = Wire(server)
    wire.socket.sendall(publish(8, payload.replace(b'"v": 1', b'"v": 2')))
    wait_for(lambda: 2 in readings(server, "lossy"), "a later reading to be stored")
    assert readings(server, "lossy") == [1, 2]


def test_a_reading_without_a_time_is_stored_at_least_once(server):
    """As docs/interfaces/mqtt-native.md says: it can't be told from a second, equal reading."""
    assert lose_the_answer(server, b'[{"n": "VW_STEPS", "v": 1}]') == 1
    wait_for(lambda: readings(server, "lossy") == [1, 1], "the repetition to be stored")
