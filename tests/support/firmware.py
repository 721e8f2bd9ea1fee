"""Firmware repositories, made and signed by python-tuf: what a manufacturer hands over, and every attack on it.

`python tests/support/firmware.py FOLDER` writes the samples of crates/depot/tests/tuf anew (keys are thrown away)."""

import pathlib
import shutil
import sys
from datetime import datetime, timezone

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

ROLES = ("root", "timestamp", "snapshot", "targets")
IMAGE = b"firmware of an infusion pump, version 2.4.1\n" * 64


def when(year):
    return datetime(year, 1, 1, tzinfo=timezone.utc)


class Maker:
    """A manufacturer with its keys: two of the root's three must sign."""

    def __init__(self):
        self.keys = {role: [CryptoSigner.generate_ed25519() for _ in range(3 if role == "root" else 1)] for role in ROLES}
        self.root_version = 0
        self.roots = {}

    def root(self, signers=None, threshold=2, expires=2036):
        """The next root; signed by the former keys and the new ones."""
        self.root_version += 1
        root = Root(version=self.root_version, expires=when(expires), consistent_snapshot=False)
        for role in ROLES:
            for key in self.keys[role]:
                root.add_key(key.public_key, role)
        root.roles["root"].threshold = threshold
        metadata = Metadata(root)
        for signer in signers or self.keys["root"][:threshold]:
            metadata.sign(signer, append=True)
        self.roots[self.root_version] = metadata.to_bytes()
        return self.roots[self.root_version]

    def sign(self, role, signed, keys=None):
        metadata = Metadata(signed)
        for key in keys or self.keys[role]:
            metadata.sign(key, append=True)
        return metadata.to_bytes()

    def repository(self, folder, image=IMAGE, version=1, expires=(2034, 2035, 2035), model=("Acme", "P2", "2.4.1"), **other):
        """Writes a repository. `other` names versions of single roles, signers of a role, and the image as delivered."""
        folder = pathlib.Path(folder)
        (folder / "targets").mkdir(parents=True, exist_ok=True)
        of = lambda role: other.get(role, version)
        target = TargetFile.from_data("p2.bin", image, ["sha256"])
        target.unrecognized_fields["custom"] = dict(zip(("manufacturer", "model", "version"), model))
        targets = Targets(version=of("targets"), expires=when(expires[2]), targets={"p2.bin": target})
        targets = self.sign("targets", targets, other.get("targets_keys"))
        snapshot = Snapshot(version=of("snapshot"), expires=when(expires[1]),
                            meta={"targets.json": MetaFile(of("targets_named") if "targets_named" in other else of("targets"))})
        snapshot = self.sign("snapshot", snapshot)
        timestamp = Timestamp(version=of("timestamp"), expires=when(expires[0]),
                              snapshot_meta=MetaFile.from_data(of("snapshot"), snapshot, ["sha256"]))
        timestamp = self.sign("timestamp", timestamp, other.get("timestamp_keys"))
        for number, root in self.roots.items():
            (folder / f"{number}.root.json").write_bytes(root)
        (folder / "targets.json").write_bytes(targets)
        (folder / "snapshot.json").write_bytes(snapshot)
        (folder / "timestamp.json").write_bytes(timestamp)
        (folder / "targets" / "p2.bin").write_bytes(other.get("delivered", image))
        return folder


def samples(folder):
    """One folder a case; `good` is imported first, then each of the others."""
    folder = pathlib.Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    maker, stranger = Maker(), Maker()
    maker.root()
    stranger.root()
    make = lambda name, **what: maker.repository(folder / name, **what)
    make("good", version=5)
    make("newer", version=6, image=IMAGE + b"2.5", model=("Acme", "P2", "2.5"))
    make("rollback", version=4)
    make("rollback-targets", timestamp=6, snapshot=6, targets=4)
    make("frozen", version=6, expires=(2020, 2035, 2035))
    make("expired-snapshot", version=6, expires=(2034, 2020, 2035))
    make("expired-targets", version=6, expires=(2034, 2035, 2020))
    make("same-version-other-content", version=5, image=IMAGE + b"!", model=("Acme", "P2", "6.6.6"))
    make("stranger", version=6, targets_keys=stranger.keys["targets"])
    make("stranger-timestamp", version=6, timestamp_keys=stranger.keys["timestamp"])
    make("tampered-image", version=6, image=IMAGE + b"2.5", delivered=IMAGE + b"2.6")
    make("mixed", timestamp=6, snapshot=6, targets=6, targets_named=7)
    cut = make("no-timestamp", version=6)
    (cut / "timestamp.json").unlink()
    bent = make("bent-targets", version=6)
    (bent / "targets.json").write_bytes((bent / "targets.json").read_bytes().replace(b"2.4.1", b"2.4.2"))
    # The snapshot of another day with today's timestamp.
    old = make("swapped-snapshot", version=6)
    (old / "snapshot.json").write_bytes((folder / "good" / "snapshot.json").read_bytes())
    # Rotation: the next root has another timestamp key and is signed by two old keys and two new ones.
    former, old_timestamp = maker.keys["root"], maker.keys["timestamp"]
    maker.keys["timestamp"] = [CryptoSigner.generate_ed25519()]
    maker.keys["root"] = [former[0], CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519()]
    maker.root(signers=[*former[:2], *maker.keys["root"][1:2]])
    make("rotated", version=7)
    make("rotated-old-key", version=8, timestamp_keys=old_timestamp)
    # The same, signed by too few of the old keys.
    maker.root_version = 1
    maker.root(signers=[former[0], *maker.keys["root"][1:]])
    make("rotated-below-threshold", version=7)
    # A root that has expired.
    maker.root_version = 1
    maker.root(signers=[*former[:2], *maker.keys["root"][1:2]], expires=2020)
    make("expired-root", version=7)


if __name__ == "__main__":
    samples(sys.argv[1])
