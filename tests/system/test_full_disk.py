"""DU-1 on a disk that runs full: nobody is acknowledged, nothing acknowledged is lost, and all goes on by
itself when there is space again."""

import time

import paho.mqtt.client as mqtt
import pytest
import requests

from support.senders import FhirSender, MllpSender, MqttSender
from support.server import wait_for
from support.smalldisk import SmallDisk
from support.stored import check_exactly_once


@pytest.fixture
def disk(tmp_path):
    disk = SmallDisk(tmp_path / "small")
    yield disk
    disk.unmount()


def readiness(server):
    answer = requests.get(f"{server.url}/readyz", timeout=30)
    return answer.status_code, answer.text


def acknowledged(senders):
    for sender in senders:
        sender.settle()
    return sum(len(sender.acked) for sender in senders)


def test_full_disk(disk, make_server):
    server = make_server()
    server.data = disk.folder / "data"
    server.logs = disk.folder.parent
    server.start()
    senders = [MqttSender(f"full-{n}", server.mqtt, kept=True, version=version)
               for n, version in enumerate([mqtt.MQTTv311, mqtt.MQTTv5])]
    senders += [MllpSender("full-mllp", server.mllp, window=1), FhirSender("full-fhir", server.http)]

    def round_trip(count):
        for sender in senders:
            sender.begin_round(count)
        wait_for(lambda: not any(s.unacknowledged() for s in senders), "all to be acknowledged", 120)

    round_trip(20)
    check_exactly_once(server, senders)
    assert readiness(server)[0] == 200

    disk.fill()
    # A little fits into what the files have left; then nothing does.
    wait_for(lambda: readiness(server)[0] == 503, "the server to say that it is not ready", 60)
    for sender in senders:
        sender.begin_round(30 if isinstance(sender, FhirSender) else 300)
    assert "full" in readiness(server)[1]
    before = wait_for(lambda: standstill(senders), "acknowledgements to stop", 60)
    assert any(sender.unacknowledged() for sender in senders)
    assert requests.get(f"{server.url}/healthz", timeout=30).status_code == 200, "alive all the same"
    time.sleep(2)
    # What is written over may leave room for a message here and there: it is kept, see below.
    assert acknowledged(senders) < before + 20, "acknowledged although nothing can be kept"
    assert sum(len(sender.unacknowledged()) for sender in senders) > 500

    disk.free()
    wait_for(lambda: readiness(server)[0] == 200, "the server to be ready again", 60)
    wait_for(lambda: not any(s.unacknowledged() for s in senders), "all to be acknowledged", 180)
    check_exactly_once(server, senders)
    # It can be stopped while the disk is full, and goes on where it was: the journal has everything.
    disk.fill()
    wait_for(lambda: readiness(server)[0] == 503, "the server to say that it is not ready", 60)
    server.stop()
    disk.free()
    server.start()
    round_trip(5)
    check_exactly_once(server, senders)
    for sender in senders:
        sender.end()


def standstill(senders):
    """How many are acknowledged, once that does not grow for a second."""
    before = acknowledged(senders)
    time.sleep(1)
    return before if acknowledged(senders) == before else 0
