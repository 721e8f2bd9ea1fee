"""DU-1: what was acknowledged survives `kill -9`, once, in order per device.

In CI: 200 kills at seeded random moments of one server with 50 MQTT clients, 2 HL7 senders and 2 FHIR
senders, checked at the start, after each quarter and at the end; then 20,000 publishes by 50 clients with one kill in
the middle. More: KILL_ROUNDS=2000 KILL_SEED=7 KILL_PUBLISHES=1000000 pytest tests/system/test_kill9.py -s
"""

import os
import random
import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import paho.mqtt.client as mqtt

from support.senders import FhirSender, MllpSender, MqttSender
from support.server import wait_for
from support.stored import check_exactly_once

ROUNDS = int(os.environ.get("KILL_ROUNDS", "200"))
SEED = int(os.environ.get("KILL_SEED", secrets.randbelow(2**32)))
PUBLISHES = int(os.environ.get("KILL_PUBLISHES", "20000"))
EACH = {MqttSender: 8, MllpSender: 8, FhirSender: 2}  # readings on the way at once


def mqtt_senders(server):
    """50 clients: of each version, with sessions that are kept and without."""
    return [
        MqttSender(f"kill-{n:02}", server.mqtt, kept=n % 2 == 0, version=mqtt.MQTTv5 if n % 4 < 2 else mqtt.MQTTv311)
        for n in range(50)
    ]


def begin_round(senders):
    for sender in senders:
        sender.begin_round(EACH[type(sender)])


def end_round(senders):
    with ThreadPoolExecutor(len(senders)) as pool:
        list(pool.map(lambda sender: sender.end_round(), senders))


def all_acknowledged(senders):
    return not any(sender.unacknowledged() for sender in senders)


def waiting(senders):
    for sender in senders:
        sender.settle()
    return sum(sender.sent - len(sender.acked) for sender in senders)


def settle(server, senders):
    """A round without a kill: in the end all is acknowledged and stored once."""
    begin_round(senders)
    wait_for(lambda: all_acknowledged(senders), "all to be acknowledged", 120, 0.01)
    check_exactly_once(server, senders)
    end_round(senders)


def test_random_moments(make_server):
    print(f"KILL_SEED={SEED} KILL_ROUNDS={ROUNDS}")
    chance = random.Random(SEED)
    server = make_server().start()
    senders = mqtt_senders(server)
    senders += [MllpSender(f"kill-mllp-{n}", server.mllp) for n in range(3)]
    senders += [FhirSender(f"kill-fhir-{n}", server.http) for n in range(4)]
    settle(server, senders)
    cut = 0
    for number in range(1, ROUNDS + 1):
        begin_round(senders)
        if number % 10 == 0:  # once more while it recovers
            server.kill()
            server.kill_at_start(chance.uniform(0.0, 0.1))
            server.start()
        # From before the first acknowledgement to after the last, however fast they come.
        rest = max(chance.uniform(-0.1, 1.0), 0.0) * waiting(senders)
        until = time.monotonic() + 10
        while waiting(senders) > rest and time.monotonic() < until:
            time.sleep(chance.uniform(0.0, 0.01))
        server.kill()
        cut += not all_acknowledged(senders)
        end_round(senders)
        server.start()
        if number % max(ROUNDS // 4, 1) == 0 or number == ROUNDS:
            settle(server, senders)
    for sender in senders:
        sender.end()
    print(f"{sum(s.sent for s in senders)} readings, {ROUNDS} kills, {cut} of them in the middle of something")
    assert cut > ROUNDS // 4, "too few kills hit readings on the way"


def test_full_size(make_server):
    """The whole number at once, with one kill in the middle."""
    print(f"KILL_SEED={SEED} KILL_PUBLISHES={PUBLISHES}")
    server = make_server().start()
    senders = mqtt_senders(server)
    for sender in senders:
        sender.begin_round(PUBLISHES // len(senders))
    part = random.Random(SEED).uniform(0.3, 0.7) * PUBLISHES

    def acknowledged():
        return PUBLISHES - waiting(senders)

    wait_for(lambda: acknowledged() > part, "some to be acknowledged", 300, 0.01)
    server.kill()
    before = acknowledged()
    end_round(senders)
    server.start()
    for sender in senders:
        sender.begin_round(0)
    wait_for(lambda: all_acknowledged(senders), "all to be acknowledged", 300)
    check_exactly_once(server, senders)
    for sender in senders:
        sender.end()
    print(f"killed after {before} of {PUBLISHES} acknowledgements")
    assert before < PUBLISHES
