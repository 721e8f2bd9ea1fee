"""BlueZ as a program sees it over D-Bus: an adapter, devices with characteristics, on a bus of its own (dbus-daemon). Written
against BlueZ's documented interfaces (org.bluez.Adapter1, Device1, GattCharacteristic1); there is no radio in it."""

import asyncio
import subprocess
import threading

from dbus_next import BusType, Message, MessageType, Variant
from dbus_next.aio import MessageBus

ADAPTER = "/org/bluez/hci0"
PROPERTIES = "org.freedesktop.DBus.Properties"
CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/><allow user="*"/></policy></busconfig>
"""


def uuid(number):
    return f"{number:08x}-0000-1000-8000-00805f9b34fb"


class Bus:
    """A dbus-daemon of its own."""

    def __init__(self, folder):
        self.socket = folder / "bus"
        config = folder / "bus.conf"
        config.write_text(CONFIG.format(socket=self.socket))
        self.process = subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address"],
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline().startswith("unix:"), "the bus does not start"

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()


class Bluez:
    """org.bluez on a bus. `calls` says what it was asked: (member, path, body)."""

    def __init__(self, bus):
        self.address = f"unix:path={bus.socket}"
        self.objects, self.calls, self.answers = {}, [], {}
        self.put(ADAPTER, "org.bluez.Adapter1", Powered=Variant("b", True), Discovering=Variant("b", False))

    # -- what there is ------------------------------------------------------------------------

    def put(self, path, interface, **properties):
        self.objects[path] = {interface: properties}
        return path

    def device(self, address, *characteristics):
        """A device that is known; characteristics are (number, flags)."""
        path = f"{ADAPTER}/dev_{address.replace(':', '_')}"
        self.put(path, "org.bluez.Device1", Address=Variant("s", address), Connected=Variant("b", False),
                 ServicesResolved=Variant("b", False), Paired=Variant("b", True))
        for at, (number, flags) in enumerate(characteristics):
            self.put(f"{path}/service0001/char{at:04x}", "org.bluez.GattCharacteristic1", UUID=Variant("s", uuid(number)),
                     Flags=Variant("as", list(flags)), Notifying=Variant("b", False))
        return path

    def characteristic(self, device, number):
        for path, interfaces in self.objects.items():
            properties = interfaces.get("org.bluez.GattCharacteristic1")
            if path.startswith(device + "/") and properties and properties["UUID"].value == uuid(number):
                return path
        raise AssertionError(f"no {number:04x}")

    # -- what happens -------------------------------------------------------------------------

    def start(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self._run(self._connect())
        return self

    def stop(self):
        self.loop.call_soon_threadsafe(self.bus.disconnect)
        self._run(asyncio.sleep(0.05))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(30)
        self.loop.close()

    def notify(self, device, number, data):
        """The device notifies or indicates a value."""
        self.change(self.characteristic(device, number), Value=Variant("ay", bytes(data)))

    def leave(self, device):
        self.change(device, Connected=Variant("b", False), ServicesResolved=Variant("b", False))

    def advertise(self, device):
        self.change(device, RSSI=Variant("n", -60))

    def change(self, path, **properties):
        interface, = self.objects[path]
        self.objects[path][interface].update(properties)
        self._run(self._signal(path, interface, properties))

    def asked(self, member, path=None):
        return [body for asked, at, body in list(self.calls) if asked == member and path in (None, at)]

    async def _connect(self):
        self.bus = await MessageBus(bus_address=self.address, bus_type=BusType.SYSTEM).connect()
        self.bus.add_message_handler(self._answer)
        await self.bus.request_name("org.bluez")

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    async def _signal(self, path, interface, properties):
        await self.bus.send(Message(message_type=MessageType.SIGNAL, path=path, interface=PROPERTIES, member="PropertiesChanged",
                                    signature="sa{sv}as", body=[interface, properties, []]))

    def _answer(self, message):
        if message.message_type != MessageType.METHOD_CALL or message.destination not in ("org.bluez", self.bus.unique_name):
            return None
        self.calls.append((message.member, message.path, message.body))
        if message.member == "GetManagedObjects":
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [self.objects])
        if message.member == "Connect":
            self.loop.create_task(self._resolve(message.path))
        if message.member == "ReadValue":
            value = self.answers.get(message.path)
            if value is None:
                return Message.new_error(message, "org.bluez.Error.Failed", "not there")
            return Message.new_method_return(message, "ay", [bytes(value)])
        return Message.new_method_return(message)

    async def _resolve(self, path):
        properties = {"Connected": Variant("b", True), "ServicesResolved": Variant("b", True)}
        self.objects[path]["org.bluez.Device1"].update(properties)
        await self._signal(path, "org.bluez.Device1", properties)
