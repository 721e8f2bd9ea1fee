"""FHIR R4, checked by SMART's client and by other people's models, on the real server."""

import pathlib
import subprocess
import sys


def test_fhir(server):
    script = pathlib.Path(__file__).with_name("fhir_client.py")
    done = subprocess.run([sys.executable, str(script), f"{server.url}/fhir"], capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
