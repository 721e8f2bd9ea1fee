"""An audit log checked by an independent hand: RFC 6962's tree over its lines, the signed head (C2SP
signed-note and tlog-checkpoint), proofs. Shares nothing with crates/ledger; Ed25519 is `cryptography`'s."""

import base64
import hashlib
import pathlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root(leaves):
    """The definition of section 2.1, as it stands there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root(leaves[:left]), root(leaves[left:]))


def climb(hash_, index, size, path):
    """The root to which a proof leads, from the recursion that makes proofs read backwards."""
    if size == 1:
        assert not path, "hashes left over"
        return hash_
    left = 1 << (size - 1).bit_length() - 1
    if index < left:
        return node(climb(hash_, index, left, path[:-1]), path[-1])
    return node(path[-1], climb(hash_, index - left, size - left, path[:-1]))


def lines(folder):
    """Every line of the log, in the order of its files, without line breaks."""
    folder = pathlib.Path(folder)
    files = sorted(folder.glob("audit-*.log")) + [folder / "audit.log"]
    return [line for file in files for line in file.read_bytes().splitlines()]


def verifier(text):
    """Name, key id and key of `name+hash+base64`."""
    name, key_id, encoded = text.strip().split("+", 2)
    key = base64.b64decode(encoded)
    assert hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex() == key_id
    return name, bytes.fromhex(key_id), key[0], Ed25519PublicKey.from_public_bytes(key[1:])


def head(note, key):
    """Size and root of a signed head whose signature by this key holds; for a witness's key too."""
    text, _, signatures = note.partition("\n\n")
    text += "\n"
    name, key_id, kind, public = verifier(key)
    for line in signatures.splitlines():
        dash, signer, encoded = line.split(" ")
        signature = base64.b64decode(encoded)
        if dash == "\u2014" and signer == name and signature[:4] == key_id:
            message, signature = text.encode(), signature[4:]
            if kind == 4:
                time = int.from_bytes(signature[:8], "big")
                message, signature = f"cosignature/v1\ntime {time}\n{text}".encode(), signature[8:]
            public.verify(signature, message)
            _origin, size, hash_ = text.splitlines()
            return int(size), base64.b64decode(hash_)
    raise AssertionError("no signature of this key")
