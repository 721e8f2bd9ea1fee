"""An authority of the tests, and a server on this machine whose certificate it signed."""

import datetime
import http.server
import ipaddress
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = datetime.timedelta(days=1)


def _name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


class Authority:
    """Signs certificates; its own is in the file `path`."""

    def __init__(self, folder, name="Authority of the tests"):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(name)
        now = datetime.datetime.now(datetime.timezone.utc)
        self.own = (x509.CertificateBuilder().subject_name(self.name).issuer_name(self.name)
                    .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
                    .not_valid_before(now - DAY).not_valid_after(now + DAY)
                    .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
                    .sign(self.key, hashes.SHA256()))
        self.path = folder / "authority.pem"
        self.path.write_bytes(self.own.public_bytes(serialization.Encoding.PEM))

    def server(self, address="127.0.0.1"):
        """A context for a server at this address."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.timezone.utc)
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(address))]
        signed = (x509.CertificateBuilder().subject_name(_name("server")).issuer_name(self.name)
                  .public_key(key.public_key()).serial_number(x509.random_serial_number())
                  .not_valid_before(now - DAY).not_valid_after(now + DAY)
                  .add_extension(x509.SubjectAlternativeName(names), critical=False)
                  .sign(self.key, hashes.SHA256()))
        file = self.folder / "server.pem"
        file.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


class Documents:
    """Serves texts over HTTPS, and counts who asks: `texts` by path."""

    def __init__(self, authority, texts):
        texts = self.texts = dict(texts)
        asked = self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                found = texts.get(self.path)
                self.send_response(200 if found is not None else 404)
                body = (found or "").encode()
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = authority.server().wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
