"""MQTT 3.1.1 and 5 as the standards say, checked by paho-mqtt and raw packets on the real server."""

import mqtt_interop
import pytest


@pytest.mark.parametrize("check", [pytest.param(f, id=name) for name, f in mqtt_interop.all_checks()])
def test_mqtt(check, shared_server):
    mqtt_interop.HOST, mqtt_interop.PORT = shared_server.mqtt
    check()
