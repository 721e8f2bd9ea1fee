"""A data folder and a backup as somebody sees them who has the keyring and the master key, read independently of the
program: docs/interfaces/encryption.md and journal.md say how. For tests that look for what must not be there."""

import pathlib

from blake3 import blake3
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

PAGE = 4096
RESERVED = 48  # IV 16, HMAC-SHA256 32
DOMAINS = ["store", "accounts", "house", "audit", "backup", "patient"]


def derive(key, purpose):
    return blake3(key, derive_key_context=purpose).digest()


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def open_envelope(key, place, envelope):
    return AESGCMSIV(key).decrypt(envelope[:12], envelope[12:], place)


class Keyring:
    """Every key of `keys/keyring`: by number, with what it is for."""

    def __init__(self, path, master):
        data = pathlib.Path(path).read_bytes()
        assert data[:8] == b"VWKEYS01"
        generation, wraps, at = data[8:16], data[16], 17
        wrapped = []
        for _ in range(wraps):
            length = int.from_bytes(data[at:at + 2], "little")
            wrapped.append(data[at + 2:at + 2 + length])
            at += 2 + length
        master = bytes.fromhex(pathlib.Path(master).read_text().strip())
        ring = open_envelope(derive(master, "vitalwire 2026 master key"), b"vitalwire keyring", wrapped[0])
        self.keys, self.records, self.tombs, index = {}, [], 0, 0
        while at < len(data):
            length = int.from_bytes(data[at:at + 4], "little")
            place = generation + index.to_bytes(8, "little")
            record = open_envelope(ring, place, data[at + 4:at + 4 + length])
            self.records.append(record)
            self._take(record)
            at += 4 + length
            index += 1

    def _take(self, record):
        if record[0] == 2:
            self.tombs += 1
        if record[0] != 1:
            return
        number, at = varint(record, 1)
        kind, patient = DOMAINS[record[at]], None
        at += 1
        if record[at] == 1:
            length, at = varint(record, at + 1)
            patient = record[at:at + length].decode()
            at += length
        else:
            at += 1
        self.keys[number] = (kind, patient, record[at:at + 32])

    def of(self, kind, patient=None):
        return [key for name, whose, key in self.keys.values() if (name, whose) == (kind, patient)]


def pages(data, key):
    """Every page of a database file, the free ones as well, decrypted."""
    out = []
    for number, start in enumerate(range(0, len(data) - PAGE + 1, PAGE), 1):
        out.append(page(data[start:start + PAGE], key, number))
    return b"".join(out)


def page(data, key, number):
    salt = 16 if number == 1 else 0
    end = len(data) - RESERVED
    aes = Cipher(algorithms.AES(key), modes.CBC(data[end:end + 16])).decryptor()
    return aes.update(data[salt:end]) + aes.finalize()


def database(path, key):
    """A database with its write-ahead log, decrypted."""
    path = pathlib.Path(path)
    data = path.read_bytes()
    out = [pages(data, key)]
    log = path.with_name(path.name + "-wal")
    frames = log.read_bytes()[32:] if log.exists() else b""
    for start in range(0, len(frames) - PAGE - 23, PAGE + 24):
        number = int.from_bytes(frames[start:start + 4], "big")
        out.append(page(frames[start + 24:start + 24 + PAGE], key, number))
    found = b"".join(out)
    assert b"CREATE TABLE" in found.upper(), f"{path} does not open"
    return found


def journal(folder, keyring):
    """Every entry that opens, decrypted, and how many do not."""
    out, shut = [], 0
    for path in sorted(pathlib.Path(folder).glob("*.vwj")):
        data = path.read_bytes()
        assert data[:8] == b"VWJRNL03"
        at = 60
        while at + 8 <= len(data):
            length = int.from_bytes(data[at:at + 4], "little")
            if at + 8 + length + 32 > len(data):
                break
            opened, missing = entries(data[at + 8:at + 8 + length], keyring)
            out += opened
            shut += missing
            at += 8 + length + 32
    return b"\n".join(out), shut


def entries(body, keyring):
    out, shut = [], 0
    offset, count, at = int.from_bytes(body[:8], "little"), int.from_bytes(body[16:20], "little"), 20
    for offset in range(offset, offset + count):
        length, flags = int.from_bytes(body[at:at + 4], "little"), body[at + 4]
        start = at + 4
        numbers_at = start + 1 + (16 if flags & 0x80 else 0)
        text_at = numbers_at + 4 * (flags & 0x7F)
        numbers = [int.from_bytes(body[n:n + 4], "little") for n in range(numbers_at, text_at, 4)]
        sealed, at = body[text_at:text_at + length], text_at + length
        keys = [keyring.keys[n][2] for n in numbers if n in keyring.keys]
        if not numbers:
            out.append(sealed)
        elif len(keys) < len(numbers):
            shut += 1
        else:
            key = keys[0] if len(keys) == 1 else derive(b"".join(keys), "vitalwire 2026 entry of several")
            key = derive(key, "vitalwire 2026 journal entry")
            nonce = offset.to_bytes(8, "little") + bytes(4)
            out.append(AESGCMSIV(key).decrypt(nonce, sealed, body[start:text_at][:32]))
    return out, shut


def backup(path, keyring):
    """Every record of a backup that opens, decrypted, and how many do not."""
    data, at, index, out, shut = pathlib.Path(path).read_bytes(), 8, 0, [], 0
    assert data[:8] == b"VWBKUP01"
    while at < len(data):
        length = int.from_bytes(data[at:at + 4], "little")
        rest = data[at + 4:at + 4 + length]
        number = int.from_bytes(rest[:4], "little")
        if number in keyring.keys:
            key = derive(keyring.keys[number][2], "vitalwire 2026 backup record")
            out.append(open_envelope(key, index.to_bytes(8, "little") + rest[:4], rest[4:]))
        else:
            shut += 1
        at += 4 + length
        index += 1
    return b"\n".join(out), shut
