"""Clients come all the while, with the old and the new certificate by turns: ten renewals refuse not one session.

On this machine, and by SSH through an sshd of our own.
"""

from collections.abc import Iterator

import pytest

from tests.support.client_load import ClientLoad
from tests.support.far_relay import FarRelay, far_relay
from tests.support.loopback import until
from tests.support.relay import AUTHORITY, BOB, SERVERS, Relay, declared, relay_below
from tests.support.ssh_server import ssh_server

pytestmark = [pytest.mark.needs_postfix, pytest.mark.needs_openssl, pytest.mark.takes_long]

RENEWALS = 10


@pytest.fixture(params=["here", pytest.param("far", marks=pytest.mark.needs_sshd)])
def relay(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    """Return a relay of our own."""
    directory = tmp_path_factory.mktemp("relay")
    if request.param == "here":
        with relay_below(directory) as relay:
            yield relay
    else:
        with ssh_server() as server, far_relay(directory, server) as relay:
            yield relay


def prepare(relay: Relay, *, has_trial: bool) -> None:
    """Have the next run with or without a trial run."""
    if isinstance(relay, FarRelay):
        relay.connect(has_trial=has_trial)
    else:
        relay.session.has_trial = has_trial
        relay.session.before()


def test_ten_renewals_refuse_nobody_who_has_one_of_the_two_certificates(relay: Relay) -> None:
    """Server and client are renewed each time; a row goes when its owner shows two newer ones."""
    shown = (AUTHORITY.issue_client("alice"), AUTHORITY.issue_client("alice"))
    relay.up(declared(SERVERS[0], *shown), served=SERVERS[0])
    served = {SERVERS[0].fingerprint_sha256}
    with ClientLoad(relay.instance.port, shown) as load:
        for turn in range(RENEWALS):
            new = AUTHORITY.issue_client("alice")
            server = AUTHORITY.issue_server("mx1.example.org")
            # The first one also proves that the trial run is no load; the others are about the live service.
            prepare(relay, has_trial=turn == 0)
            came_before = load.sessions
            relay.up(declared(server, *shown, new), served=server)
            served.add(server.fingerprint_sha256)
            # On a busy machine a run may end before anybody has come anew.
            assert until(lambda: load.served >= served, 20)
            assert load.sessions > came_before
            load.credentials = shown = (shown[1], new)
        came = load.sessions
    assert load.refused == []
    assert came > RENEWALS * load.threads
    assert load.served == served
    with ClientLoad(relay.instance.port, (shown[1], BOB)) as control:
        assert until(lambda: len(control.refused) > load.threads, 20)
    assert {each.rcpt.code for each in control.refused if not isinstance(each, Exception) and each.rcpt} == {554}
