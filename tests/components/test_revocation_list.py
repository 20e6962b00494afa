"""What a revocation list registers: its authority's key, what every certificate says of itself, and its files."""

import pytest

import pki
from postseal_core.errors import ConfigError
from tests.support.mocks import run_program
from tests.support.provider import UNKNOWN


def authority(name: str = "mail-ca") -> pki.CertificateAuthority:
    """Return a root."""
    return pki.CertificateAuthority(name, common_name=f"Example {name}", crl_urls=["http://example.org/ca.crl"])


def listing() -> None:
    """Declare a list of a client, a server and a roster, and hand it out."""
    ca = authority()
    alice = pki.ClientCertificate("alice", authority=ca, email="alice@example.org")
    mx1 = pki.ServerCertificate("mx1", authority=ca, dns_names=["mx1.example.org"])
    branches = pki.ClientRoster("branches", authority=ca, clients={"branch1": {"email": "b@example.org"}})
    crl = pki.RevocationList(
        "mail-ca", authority=ca, certificates=[alice, mx1], rosters=[branches], lifetime_hours=72, renew_before_hours=24
    )
    pki.HandOut("hand-out", directory="out", authorities=[ca], revocation_lists=[crl])


def test_a_list_is_told_what_each_certificate_says_of_itself() -> None:
    """Revoked generations are known in a preview, numbers of what is still to be issued and ledgers are not."""
    properties = run_program(listing, preview=True).one("RevocationList").properties
    unissued = {"serial_number": UNKNOWN, "previous": [], "revoked": []}
    assert properties["certificates"] == [{"name": "alice"} | unissued, {"name": "mx1"} | unissued]
    assert properties["rosters"].keys() == {"branches"}
    plain = ("name", "authority", "lifetime_hours", "renew_before_hours")
    assert [properties[name] for name in plain] == ["mail-ca", "mail-ca", 72, 24]
    assert properties["issuer"]["slot"] == "mail-ca/1"
    assert not {"crl_urls", "first_crl_number"} & {*properties, *properties["issuer"]}


def test_a_list_is_handed_out_in_both_forms() -> None:
    """DER is what distribution points serve, PEM is what people read; neither is a secret."""
    folder = run_program(listing, preview=True).one("HandOut").properties["folders"]["crl"]
    assert {name: sorted(file) for name, file in folder.items()} == {
        "mail-ca.crl": ["base64"],
        "mail-ca.crl.pem": ["text"],
    }


def test_certificates_of_others_are_refused_all_at_once() -> None:
    """A list covers what its own authority signed: another's and a self-signed certificate do not belong there."""

    def mixed() -> None:
        ca, other = authority(), authority("other-ca")
        pki.RevocationList(
            "mail-ca",
            authority=ca,
            certificates=[
                pki.ClientCertificate("alice", authority=ca, email="alice@example.org"),
                pki.ClientCertificate("eve", authority=other, email="eve@example.org"),
                pki.ServerCertificate("mx1", self_signed=True, dns_names=["mx1.example.org"]),
            ],
        )

    with pytest.raises(ConfigError) as caught:
        run_program(mixed)
    assert [str(problem).partition(",")[0] for problem in caught.value.problems] == [
        "revocation_lists.mail-ca.certificates.eve: was signed by other-ca",
        "revocation_lists.mail-ca.certificates.mx1: was signed by itself",
    ]


def test_two_lists_for_one_file_are_refused() -> None:
    """The second would overwrite the first, and half of the revoked would be accepted again."""

    def twice() -> None:
        ca = authority()
        lists = [pki.RevocationList(name, authority=ca) for name in ("first", "second")]
        pki.HandOut("hand-out", directory="out", authorities=[ca], revocation_lists=lists)

    with pytest.raises(ConfigError) as caught:
        run_program(twice)
    assert [problem.path for problem in caught.value.problems] == ["hand_out.hand-out.revocation_lists"]
