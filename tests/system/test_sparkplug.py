"""A Sparkplug node whose birth was missed is asked to be born again, once, on its command topic (docs/interfaces/homes.md)."""

import time

import paho.mqtt.client as mqtt

from support.server import wait_for


def test_a_node_without_a_birth_is_asked_for_one(server):
    heard = []
    node = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "gw")
    node.on_message = lambda _client, _data, message: heard.append((message.topic, message.payload))
    node.connect(*server.mqtt)
    node.loop_start()
    try:
        node.subscribe("spBv1.0/icu/NCMD/gw", 1)
        # Protobuf by hand: metrics {alias 1, int_value 72}, seq.
        for seq in range(2, 6):
            data = bytes([0x12, 4, 0x10, 1, 0x50, 72, 0x18, seq])
            node.publish("spBv1.0/icu/DDATA/gw/bed-4", data, 1).wait_for_publish(60)
        wait_for(lambda: heard, "the request")
        topic, payload = heard[0]
        assert topic == "spBv1.0/icu/NCMD/gw" and b"Node Control/Rebirth" in payload, payload
        # It goes on sending, and is not asked again at once.
        for seq in range(6, 9):
            node.publish("spBv1.0/icu/DDATA/gw/bed-4", bytes([0x12, 4, 0x10, 1, 0x50, 73, 0x18, seq]), 1).wait_for_publish(60)
            time.sleep(1)
        assert len(heard) == 1, heard
    finally:
        node.disconnect()
        node.loop_stop()
