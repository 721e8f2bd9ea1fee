"""No patient data in the log at its most talkative, in the audit trail, or in what refusals say."""

import socket

import paho.mqtt.publish as publish
import requests

from support.server import Server

# Words and numbers that stand nowhere else.
SECRETS = ["Zaphodson", "Trillianne", "MRN424242", "137.731", "19421113", "1942-11-13", "Magrathea", "correct horse"]
PID = "PID|1||MRN424242^^^H||Zaphodson^Trillianne||19421113|F|||Magrathea 7\r"
MSH = "MSH|^~\\&|HIS|W|VW|W|20261121120000||{}|{}|P|2.5\r"
OBX = "OBR|1|||x\rOBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC||137.731|/min|||||F\r"
HL7 = [
    MSH.format("ADT^A01", "a1") + PID + "PV1|1|I|W^1^1\r",
    MSH.format("ORU^R01", "o1") + PID + OBX,
    MSH.format("ORU^R01", "o2") + PID + OBX.replace("137.731", "Zaphodson"),
    MSH.format("Zaphodson^R99", "x1") + PID,
    "MSH|^~\\&|Zaphodson\r" + PID,
    "Zaphodson Trillianne MRN424242",
]
PATIENT = {"resourceType": "Patient", "birthDate": "1942-11-13", "name": [{"family": "Zaphodson", "given": ["Trillianne"]}],
           "identifier": [{"system": "urn:h", "value": "MRN424242"}]}


def test_nothing_of_a_patient_is_said(tmp_path):
    server = Server(tmp_path / "data", open=False, environment={"RUST_LOG": "trace", "VITALWIRE_PASSWORD": "correct horse 9"})
    server.run("user", "add", "ada", "--role", "administrator")
    token = server.run("user", "token", "ehr").split()[0]
    server.start()
    said = []
    try:
        drive_hl7(server, said)
        drive_mqtt(server, token)
        drive_http(server, token, said)
        server.session.headers["Authorization"] = f"Bearer {token}"
        for protocol, least in (("mqtt", 5), ("mllp", 6)):
            assert server.metric("vitalwire_gateway_messages_total", protocol=protocol) >= least
            assert server.metric("vitalwire_gateway_quarantined_total", protocol=protocol) >= 2
    finally:
        server.stop()
    log, audit = server.log(), (server.data / "guard" / "audit.log").read_text()
    assert "vitalwire is running" in log and "read-fhir" in audit
    for secret in [*SECRETS, token]:
        for place, text in [("log", log), ("audit trail", audit), ("answers", "\n".join(said))]:
            lines = [line for line in text.splitlines() if secret in line]
            assert not lines, f"{secret} in the {place}: {lines[:3]}"


def drive_hl7(server, said):
    for text in HL7:
        with socket.create_connection(server.mllp, timeout=60) as peer:
            peer.sendall(b"\x0b" + text.encode() + b"\x1c\r")
            peer.shutdown(socket.SHUT_WR)
            while part := peer.recv(65536):
                # An answer names the application that asked, as the standard wants.
                said.append(part.decode().replace("|Zaphodson", ""))


def drive_mqtt(server, token):
    topic = "vitalwire/m1/measurements"
    for payload in ['[{"n":"MDC_ECG_HEART_RATE","u":"/min","v":137.731}]', '[{"n":"Zaphodson","v":137.731}]',
                    '{"Trillianne": 137.731', "Zaphodson"]:
        publish.single(topic, payload, qos=1, hostname=server.mqtt[0], port=server.mqtt[1], client_id="MRN424242",
                       auth={"username": "ehr", "password": token})
    publish.single("site/Zaphodson/hr", "137.731", qos=1, hostname=server.mqtt[0], port=server.mqtt[1],
                   auth={"username": "ehr", "password": token})


def drive_http(server, token, said):
    headers = {"Authorization": f"Bearer {token}"}

    def ask(method, path, **options):
        answer = requests.request(method, server.url + path, timeout=60, **options)
        if answer.status_code >= 400:
            said.append(answer.text)
        return answer

    assert ask("POST", "/fhir/Patient", json=PATIENT, headers=headers).status_code == 201
    for wrong in ({**PATIENT, "birthDate": "Zaphodson"}, {**PATIENT, "colour": "Magrathea"}, {**PATIENT, "name": "Zaphodson"}):
        ask("POST", "/fhir/Patient", json=wrong, headers=headers)
    ask("POST", "/fhir/Patient", data='{"resourceType":"Patient","name":"Zaphodson', headers=headers)
    for query in ("Patient?name=Zaphodson", "Patient?identifier=urn:h|MRN424242", "Patient?birthdate=Zaphodson",
                  "Patient/Zaphodson", "Observation?patient.name=Zaphodson"):
        ask("GET", f"/fhir/{query}", headers=headers)
    ask("POST", "/api/v1/login", json={"name": "Zaphodson", "password": "correct horse 8"})
    session = requests.Session()
    session.trust_env = False
    session.post(f"{server.url}/api/v1/login", json={"name": "ada", "password": "correct horse 9"}, timeout=60)
    for path in ("/api/v1/ward", "/api/v1/patients?q=Zaphodson", "/api/v1/patients/Zaphodson", "/api/v1/quarantine"):
        answer = session.get(server.url + path, timeout=60)
        if answer.status_code >= 400:
            said.append(answer.text)
