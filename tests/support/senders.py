"""Devices that know what they sent and what was acknowledged. Each reading has a number, which is its
value, and a time of its own; what had no acknowledgement is sent again after a lost connection."""

import json
import socket
import threading
import time

import paho.mqtt.client as mqtt
import requests

from support.server import wait_for

METRIC, UNIT, LOINC = "VW_STEPS", "{steps}", "55423-8"  # any number of steps is plausible
START, END = b"\x0b", b"\x1c\x0d"


class Sender:
    """What all have in common: readings 0, 1, 2 … whose times never repeat."""

    def __init__(self, device, address):
        self.device, self.address = device, address
        self.times_ms = []
        self.acked = set()

    @property
    def sent(self):
        return len(self.times_ms)

    def new(self):
        """The number of a new reading."""
        before = self.times_ms[-1] if self.times_ms else 0
        self.times_ms.append(max(before + 1, int(time.time() * 1000)))
        return self.sent - 1

    def unacknowledged(self):
        self.settle()
        return [n for n in range(self.sent) if n not in self.acked]

    def settle(self):
        """Takes note of what was acknowledged so far."""

    def begin_round(self, count):
        """Has `count` readings on the way: old ones without an acknowledgement, then new ones."""

    def end_round(self):
        """Whoever begins anew each round, ends."""

    def end(self):
        """For good."""


class MqttSender(Sender):
    """A paho client. With `kept`, one client whose session outlives its connections: paho itself connects
    again and sends what had no PUBACK again, marked as a duplicate. Without, a new client each round
    that publishes anew what had no PUBACK.

    paho sends in order only what is published while it is connected, so nothing is before."""

    def __init__(self, device, address, kept, version=mqtt.MQTTv311):
        super().__init__(device, address)
        self.kept, self.version = kept, version
        self.paho = None
        self.numbers, self.acks = {}, set()  # by packet id

    def _connect(self, readings):
        clean = {} if self.version == mqtt.MQTTv5 else {"clean_session": not self.kept}
        self.paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, self.device, protocol=self.version, **clean)
        self.paho.max_inflight_messages_set(20)
        self.paho.reconnect_delay_set(0.02, 0.1)
        acks = self.acks = set()

        def connected(*_):
            while readings:
                self._publish(readings.pop(0))

        def published(_client, _userdata, packet_id, reason, _properties):
            if not reason.is_failure:  # Called under paho's lock: only notes.
                acks.add(packet_id)

        self.paho.on_connect, self.paho.on_publish = connected, published
        options = {}
        if self.version == mqtt.MQTTv5:
            options["clean_start"] = not self.kept
            options["properties"] = mqtt.Properties(mqtt.PacketTypes.CONNECT)
            options["properties"].SessionExpiryInterval = 3600 if self.kept else 0
        self.paho.connect_async(*self.address, **options)
        self.paho.loop_start()

    def _publish(self, number):
        record = {"n": METRIC, "u": UNIT, "bt": self.times_ms[number] / 1000, "v": number}
        topic = f"vitalwire/{self.device}/measurements"
        self.numbers[self.paho.publish(topic, json.dumps([record]), 1).mid] = number

    def begin_round(self, count):
        waiting = self.unacknowledged()
        if self.paho is None:
            self._connect(waiting + [self.new() for _ in range(count - len(waiting))])
        elif not waiting and count:
            wait_for(self.paho.is_connected, f"{self.device} to connect", 60, 0.01)
            for _ in range(count):
                self._publish(self.new())

    def settle(self):
        for packet_id in list(self.acks):
            if packet_id in self.numbers:
                self.acked.add(self.numbers.pop(packet_id))
                self.acks.discard(packet_id)

    def end_round(self):
        if not self.kept:
            self.end()
            self.numbers = {}

    def end(self):
        if self.paho is not None:
            self.paho.disconnect()
            self.paho.loop_stop()
            self.settle()
            self.paho = None


class Worker(Sender):
    """A sender with a thread of its own, which tries again until all is acknowledged."""

    def __init__(self, device, address):
        super().__init__(device, address)
        self.thread, self.stopping = None, threading.Event()

    def begin_round(self, count):
        self._stop()
        numbers = self.unacknowledged()
        numbers += [self.new() for _ in range(count - len(numbers))]
        self.stopping.clear()
        self.thread = threading.Thread(target=self._run, args=(numbers,), daemon=True)
        self.thread.start()

    def _run(self, numbers):
        while not self.stopping.is_set() and any(n not in self.acked for n in numbers):
            try:
                self.send([n for n in numbers if n not in self.acked])
            except (OSError, requests.RequestException):
                time.sleep(0.02)

    def _stop(self):
        self.stopping.set()
        if self.thread is not None:
            self.thread.join()
            self.thread = None

    def end(self):
        self._stop()


class MllpSender(Worker):
    """HL7 messages, `window` of them in flight; only AA counts."""

    def __init__(self, device, address, window=8):
        super().__init__(device, address)
        self.window = window

    def message(self, number):
        moment = self.times_ms[number]
        text = time.strftime("%Y%m%d%H%M%S", time.gmtime(moment // 1000)) + f".{moment % 1000:03}+0000"
        return (f"MSH|^~\\&|WARD|TEST|||{text}||ORU^R01^ORU_R01|{self.device}-{number}|P|2.6\r"
                f"PID|||{self.device}^^^KILL^MR\rOBR|1|||182777000^monitoring^SCT|||{text}\r"
                f"OBX|1|NM|{LOINC}^Steps^LN||{number}|{UNIT}^^UCUM|||||F|||{text}||||{self.device}^^^\r").encode()

    def send(self, numbers):
        with socket.create_connection(self.address, timeout=30) as connection:
            buffer, waiting, coming = b"", [], list(numbers)
            while (coming or waiting) and not self.stopping.is_set():
                while coming and len(waiting) < self.window:
                    waiting.append(coming.pop(0))
                    connection.sendall(START + self.message(waiting[-1]) + END)
                piece = connection.recv(65536)
                if not piece:
                    raise ConnectionError("closed")
                buffer += piece
                while END in buffer:
                    answer, buffer = buffer.split(END, 1)
                    self._note(waiting.pop(0), answer)

    def _note(self, number, answer):
        fields = next(s for s in answer.split(b"\r") if s.startswith(b"MSA")).split(b"|")
        assert fields[2].decode() == f"{self.device}-{number}", answer
        if fields[1] != b"AA":  # not stored: again, from the first that was not
            time.sleep(0.02)
            raise ConnectionError("not accepted")
        self.acked.add(number)


class FhirSender(Worker):
    """Observations by POST, each with an identifier by which a repeated one is recognised."""

    def __init__(self, device, address):
        super().__init__(device, address)
        self.ids = {}
        self.session = requests.Session()
        self.session.trust_env = False

    def observation(self, number):
        moment = self.times_ms[number]
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment // 1000)) + f".{moment % 1000:03}Z"
        return {
            "resourceType": "Observation", "status": "final",
            "identifier": [{"system": "urn:kill", "value": f"{self.device}-{number}"}],
            "code": {"coding": [{"system": "http://loinc.org", "code": LOINC}]},
            "device": {"reference": f"Device/{self.device}"},
            "effectiveDateTime": text,
            "valueQuantity": {"value": number, "system": "http://unitsofmeasure.org", "code": UNIT},
        }

    def send(self, numbers):
        for number in numbers:
            if self.stopping.is_set():
                return
            answer = self.session.post(
                f"http://{self.address[0]}:{self.address[1]}/fhir/Observation", json=self.observation(number),
                headers={"If-None-Exist": f"identifier=urn:kill|{self.device}-{number}"}, timeout=30)
            if answer.status_code in (200, 201):  # 200: it was there already
                self.acked.add(number)
            else:
                assert answer.status_code >= 500, answer.text
                time.sleep(0.05)
