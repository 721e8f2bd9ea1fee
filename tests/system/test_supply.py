"""What the program is made of: the bill of materials is valid CycloneDX by another implementation,
names every locked crate that is compiled in, and the provenance's digests are those of the files."""

import hashlib
import json
import subprocess
import tomllib
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parents[2]


def xtask(*arguments):
    """What `cargo xtask` prints, by the binary that cargo built for its own tests."""
    binary = ROOT / "target/debug/xtask"
    done = subprocess.run([binary, *arguments], capture_output=True, text=True, cwd=ROOT, check=True)
    return done.stdout


def test_the_bill_of_materials_is_valid_and_whole():
    text = xtask("sbom")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    listed = {(c["name"], c["version"]): c for c in bill["components"]}
    lock = {(p["name"], p["version"]): p for p in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]}
    for name in ["rustls", "rusqlite", "tokio", "argon2", "cedar-policy"]:
        versions = [key for key in listed if key[0] == name]
        assert versions, f"{name} is compiled in and not listed"
        assert listed[versions[0]]["hashes"][0]["content"] == lock[versions[0]]["checksum"]
    assert ("proptest", "1") not in {(name, version[:1]) for name, version in listed}, "tests' crates are not in the program"
    assert all("licenses" in c for c in bill["components"]), "every component says its licence"
    assert any(c["purl"].startswith("pkg:npm/solid-js@") for c in bill["components"] if "purl" in c)


def test_the_same_checkout_gives_the_same_bill():
    assert xtask("sbom") == xtask("sbom")


def test_provenance_names_what_was_built_from_what():
    binary = "target/debug/vitalwire"
    statement = json.loads(xtask("provenance", binary))
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    digest = hashlib.sha256((ROOT / binary).read_bytes()).hexdigest()
    assert statement["subject"] == [{"name": "vitalwire", "digest": {"sha256": digest}}]
    sources = {s["uri"]: s["digest"] for s in statement["predicate"]["buildDefinition"]["resolvedDependencies"]}
    assert sources["Cargo.lock"]["sha256"] == hashlib.sha256((ROOT / "Cargo.lock").read_bytes()).hexdigest()
    assert len(sources["git"]["gitCommit"]) == 40
