"""What the tests of SDC share: a site's authority, sdc11073's provider and consumer, monitors."""

import contextlib
import datetime
import hashlib
import ipaddress
import os
import pathlib
import socket
import subprocess
import sys
import threading
import uuid

import paho.mqtt.client as mqtt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from sdc11073 import certloader
from sdc11073.consumer.consumerimpl import SdcConsumer
from sdc11073.definitions_sdc import SdcV1Definitions

from support.bedside import Monitor
from support.server import ROOT

HERE = "127.0.0.1"
EPR = "11111111-2222-3333-4444-555555555555"
DATA = pathlib.Path(os.environ.get("VITALWIRE_DATA") or ROOT.parent / "shared" / "data")
MDIB = DATA / "sdc" / "PlugathonMdibV2.xml"


def free_port():
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return probe.getsockname()[1]


class Site:
    """A site's authority; its certificates are for both sides."""

    def __init__(self, folder, *names):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site")])
        self.write("ca", self.key, self.sign(self.name, self.key, True))
        for name in names:
            self.certify(name)

    def sign(self, subject, key, authority=False):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=9))
                   .add_extension(x509.BasicConstraints(authority, None), True))
        if not authority:
            name = subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
            address = x509.IPAddress(ipaddress.ip_address(HERE))
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name), address]), False)
            both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            builder = builder.add_extension(x509.ExtendedKeyUsage(both), False)
        return builder.sign(self.key, hashes.SHA256())

    def write(self, name, key, certificate):
        (self.folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (self.folder / f"{name}.key").write_bytes(key.private_bytes(*plain))

    def certify(self, name):
        key = ec.generate_private_key(ec.SECP256R1())
        self.write(name, key, self.sign(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key))

    def contexts(self, name):
        return certloader.mk_ssl_contexts_from_folder(
            self.folder, private_key=f"{name}.key", certificate=f"{name}.pem", ca_public_key="ca.pem")


class Device:
    """The provider as a process. It comes back at another address: `config` says which."""

    def __init__(self, folder, script="sdc_device.py"):
        self.folder, self.script = folder, script
        self.process = None

    def start(self, port=0):
        script = ROOT / "tests" / "support" / self.script
        self.process = subprocess.Popen([sys.executable, str(script), str(MDIB), str(self.folder), EPR, str(port)],
                                        stdout=subprocess.PIPE, text=True)
        address = self.process.stdout.readline().strip()
        assert address.startswith("https://"), "the device did not start"
        return address

    def kill(self):
        self.process.kill()
        self.process.wait()


def provider_address(server, port, device):
    """Where a device of ours answers: its name is made of the installation's and its own (docs/interfaces/sdc.md)."""
    name = hashlib.sha256((server.data / "sdc.installation").read_bytes() + device.encode()).digest()[:16]
    return f"https://{HERE}:{port}/{uuid.UUID(bytes=name, version=4)}"


def found(wsd, port):
    """The service of a provider at this port, as multicast tells of it."""
    services = wsd.search_services(types=SdcV1Definitions.MedicalDeviceTypesFilter, timeout=2)
    here = f"{HERE}:{port}/"
    return next((s for s in services if any(here in address for address in s.x_addrs or [])), None)


@contextlib.contextmanager
def connected(address, contexts):
    """sdc11073's consumer, with everything subscribed to."""
    consumer = SdcConsumer(address, SdcV1Definitions, contexts, validate=True)
    consumer.start_all()
    try:
        yield consumer
    finally:
        consumer.stop_all()


def finished(future):
    """What became of a call in the end."""
    return future.result(timeout=60).InvocationInfo.InvocationState


class Named(Monitor):
    """A monitor that says who it is."""

    def __init__(self, server, device, password):
        self.password = password
        super().__init__(server, device)

    def connect(self):
        self.paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, self.device)
        self.paho.username_pw_set(self.device, self.password)
        self.paho.connect(*self.server.mqtt)
        self.paho.loop_start()


class Speaking:
    """A monitor that goes on measuring: every value is another."""

    def __init__(self, monitor, values, every_s=0.5):
        self.monitor, self.values, self.every_s = monitor, values, every_s
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        beat = 0
        while not self.over.wait(self.every_s):
            beat += 1
            for said in self.values(beat):
                self.monitor.send(said) if isinstance(said, str) else self.monitor.say(said)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(30)
        self.monitor.drop()
