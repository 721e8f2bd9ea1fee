"""Servers for the tests of the whole program. Each test gets its own data folder."""

import pytest

from support.server import Server


@pytest.fixture
def make_server(tmp_path):
    """Makes servers that are stopped when the test ends."""
    made = []

    def make(**options):
        server = Server(tmp_path / f"data{len(made)}", **options)
        made.append(server)
        return server

    yield make
    for server in made:
        if server.process is not None:
            server.stop()


@pytest.fixture
def server(make_server):
    """One server with authentication turned off."""
    return make_server().start()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory):
    """One server for all tests of a file."""
    server = Server(tmp_path_factory.mktemp("shared") / "data").start()
    yield server
    server.stop()
