"""Patients in beds, and monitors that a test lets speak."""

import json
import socket
import time

import paho.mqtt.client as mqtt

from support.senders import END, START
from support.server import wait_for

WELL = {"MDC_ECG_HEART_RATE": 72, "MDC_PULS_OXIM_SAT_O2": 98, "MDC_RESP_RATE": 14, "MDC_TEMP_BODY": 36.8}


def hl7(server, text):
    """Sends one HL7 message; gives the code of the acknowledgement."""
    with socket.create_connection(server.mllp, timeout=30) as connection:
        connection.sendall(START + text.replace("\n", "\r").encode() + END)
        answer = b""
        while END not in answer:
            piece = connection.recv(65536)
            assert piece, "closed without an answer"
            answer += piece
    return next(s for s in answer.split(b"\r") if s.startswith(b"MSA")).split(b"|")[1].decode()


def admit(server, mrn, bed, unit="WARD"):
    """Puts a patient into a bed, as the admission system says it; gives the ids of both."""
    now = time.strftime("%Y%m%d%H%M%S+0000", time.gmtime())
    message = (f"MSH|^~\\&|ADMIT|TEST|||{now}||ADT^A01^ADT_A01|A-{mrn}-{bed}|P|2.5\n"
               f"EVN||{now}\nPID|||{mrn}^^^TEST^MR||Test{mrn}^Pat||19500101|F\nPV1||I|{unit}^1^{bed}\n")
    assert hl7(server, message) == "AA"

    def found():
        places = server.get("/api/v1/locations")
        return next((p for p in places if p["patient"] and p["patient"]["mrn"] == mrn), None)

    place = wait_for(found, f"{mrn} to be in bed {bed}")
    return place["patient"]["id"], place["location"]["id"]


class Monitor:
    """A device that speaks MQTT and waits for each acknowledgement."""

    def __init__(self, server, device):
        self.server, self.device = server, device
        self.paho = None
        self.connect()

    def connect(self):
        self.paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, self.device)
        self.paho.connect(*self.server.mqtt)
        self.paho.loop_start()

    def reconnect(self):
        """Loses the connection without goodbye and comes back."""
        self.drop()
        self.connect()

    def drop(self):
        connection = self.paho.socket()
        if connection is not None:
            connection.shutdown(socket.SHUT_RDWR)
        self.paho.loop_stop()

    def say(self, values, at=None, timed=True):
        """Says values, measured now unless told; gives the payload."""
        records = [{"n": name, "v": value} for name, value in values.items()]
        if timed:
            records[0]["bt"] = round(at or time.time(), 3)
        return self.send(json.dumps(records))

    def send(self, *payloads):
        """Publishes, all at once, and waits until all are acknowledged."""
        topic = f"vitalwire/{self.device}/measurements"
        sent = [self.paho.publish(topic, payload, 1) for payload in payloads]
        for info in sent:
            info.wait_for_publish(60)
            assert info.is_published(), "not acknowledged"
        return payloads[0]

    def keep_saying(self, values, until, what, limit_s=60, every_s=0.25):
        """Speaks on until something is true; gives that."""

        def heard():
            self.say(values)
            return until()

        return wait_for(heard, what, limit_s, every_s)

    def stop(self):
        self.paho.disconnect()
        self.paho.loop_stop()
