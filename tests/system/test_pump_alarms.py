"""What an insulin pump announces over Bluetooth is an alert of its patient, from its start to its end (docs/interfaces/bluetooth.md)."""

import datetime
import json

import paho.mqtt.client as mqtt

from support.server import wait_for
from support.waves import associate, patients


def test_an_announcement_is_an_alert_and_ends(server):
    associate(server, ["pump-1"])
    patient = patients(server)["pump-1"]
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "pump-1")
    client.connect(*server.mqtt)
    client.loop_start()

    def say(*values):
        now = datetime.datetime.now(datetime.UTC).isoformat().replace("+00:00", "Z")
        message = [{"characteristic": number, "hex": data, "received": now} for number, data in values]
        client.publish("vitalwire/pump-1/gatt", json.dumps(message), 1).wait_for_publish(60)

    def titles():
        found = server.get("/api/v1/alerts")
        return sorted(a["title"] for a in found["alerts"] if a["patient"]["id"] == patient and a["state"] != "resolved")

    try:
        # Occlusion, pending; the pump goes on to run.
        say(("2b22", "01 3412 3c00 33"), ("2b21", "55 96 6400 01"))
        wait_for(lambda: "Occlusion" in titles(), "the occlusion")
        # The same again is the same alert; a stop is another.
        say(("2b22", "01 3412 3c00 33"), ("2b21", "33 96 6400 01"))
        wait_for(lambda: "Insulin delivery is stopped" in titles(), "the stop")
        assert titles().count("Occlusion") == 1
        # Nothing is announced any more, and insulin flows.
        say(("2b22", "00"), ("2b21", "55 96 6400 01"))
        wait_for(lambda: titles() == [], "both to end")
    finally:
        client.disconnect()
        client.loop_stop()
