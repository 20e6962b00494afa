"""After the reload the running service is looked at closer: by each name, with each kind of key, and without TLS."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from postfix.deploy.host_files import HostFiles
from postfix.deploy.program_result import Evidence
from postseal_core.files.tree import FileEntry
from tests.support.cut_program import CutSession
from tests.support.postfix_instance import boot
from tests.support.relay import ALICE, AUTHORITY, MAIN_CF, OLD, SERVERS, Relay, declared, failure_of

pytestmark = [pytest.mark.needs_postfix, pytest.mark.needs_openssl]

RSA = AUTHORITY.issue_server("mx1.example.org", has_rsa_key=True)
NAME = "mx1.example.org"
BACK = "all files are as they were before, and Postfix answers as it did"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    """Return a relay on which OLD was deployed, and whose trial runs are left out."""
    directory = tmp_path_factory.mktemp("relay")
    (directory / "rendered").mkdir()
    (directory / "rendered/main.cf").write_text(MAIN_CF)
    with boot(directory / "rendered") as instance:
        (directory / "program").mkdir()
        session = CutSession(instance.config_directory, directory / "program")
        session.has_trial = False
        yield Relay(instance, session)


@pytest.fixture
def relay(started: Relay) -> Relay:
    """Return it as OLD says."""
    started.session.before()
    started.up(OLD)
    return started


def with_both() -> HostFiles:
    """Return OLD with a certificate of a second kind of key."""
    files = (*OLD.files, FileEntry("tls/rsa.pem", RSA.chain_pem.encode(), 0o400))
    both = "$config_directory/tls/mx1.pem, $config_directory/tls/rsa.pem"
    return replace(OLD, files=files, parameters={**OLD.parameters, "smtpd_tls_chain_files": both})


def test_each_of_two_declared_certificates_has_to_be_served_to_somebody(relay: Relay) -> None:
    """A client that verifies RSA gets the one, a client that verifies ECDSA the other."""
    said = failure_of(lambda: relay.up(replace(with_both(), parameters=OLD.parameters), served=(SERVERS[0], RSA)))
    assert f"serves {RSA.fingerprint_sha256} to nobody, and it is declared" in said
    assert BACK in said
    assert relay.is_old()
    outcome = relay.up(with_both(), served=(SERVERS[0], RSA))
    kinds = {each.fields[1].partition("+")[0]: each.fields[2] for each in outcome.evidence if each.kind == "kind"}
    assert len(kinds) == 1
    assert {*kinds.values()} < {SERVERS[0].fingerprint_sha256, RSA.fingerprint_sha256}
    said = failure_of(lambda: relay.up(declared(SERVERS[0], ALICE, smtpd_helo_required="no"), served=(RSA,)))
    assert "which is not declared" in said


def test_a_name_by_which_something_else_is_served_is_found(relay: Relay) -> None:
    """A table of the administrator for SNI; without it the same name gets what is declared."""
    other = relay.instance.config_directory / "other.pem"
    other.write_text(SERVERS[1].chain_pem)
    sni = {"tls_server_sni_maps": f"inline:{{ {NAME}={other} }}"}
    said = failure_of(lambda: relay.up(declared(SERVERS[0], ALICE, **sni), served=SERVERS[0], names=(NAME,)))
    assert f"serves to who asks for {NAME}: {SERVERS[1].fingerprint_sha256}, which is not declared" in said
    assert BACK in said
    assert relay.is_old()
    other.unlink()
    outcome = relay.up(declared(SERVERS[0], ALICE, smtpd_helo_required="no"), served=SERVERS[0], names=(NAME,))
    served = ("name", f"127.0.0.1:{relay.instance.port}", NAME, SERVERS[0].fingerprint_sha256)
    assert served in {(each.kind, *each.fields) for each in outcome.evidence}


def test_tls_that_is_demanded_is_tried_without(relay: Relay) -> None:
    """And nothing is claimed where it is not demanded."""
    outcome = relay.up(declared(SERVERS[0], ALICE, smtpd_tls_security_level="encrypt"), served=SERVERS[0])
    assert Evidence("plain", (f"127.0.0.1:{relay.instance.port}", "yes")) in outcome.evidence
    outcome = relay.up(OLD)
    assert not [each for each in outcome.evidence if each.kind == "plain"]
