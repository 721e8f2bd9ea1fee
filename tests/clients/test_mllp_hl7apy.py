"""HL7 v2 over MLLP, checked by messages that hl7apy builds, on the real server."""

import threading

import mllp_hl7apy
import pytest

from support.server import wait_for


@pytest.fixture(scope="module")
def neighbour(shared_server):
    """A well-behaved sender beside all the others, who must not notice them."""
    stop, waits = threading.Event(), []
    beside = threading.Thread(target=mllp_hl7apy.neighbour, args=(shared_server.mllp, stop, waits))
    beside.start()
    yield waits
    stop.set()
    beside.join()


@pytest.mark.parametrize("check", mllp_hl7apy.TESTS, ids=lambda f: f.__name__)
def test_mllp(check, shared_server, neighbour):
    mllp_hl7apy.FAILURES.clear()
    answered = len(neighbour)
    check(shared_server.mllp)
    assert mllp_hl7apy.FAILURES == []
    wait_for(lambda: len(neighbour) > answered, "an answer to the good neighbour")
