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


def rolled_over() -> None:
    """Declare a list of an authority with a slot in every role."""
    ca = pki.CertificateAuthority("mail-ca", common_name="Example CA", slots=pki.Slots(active=2, retiring=1, standby=3))
    alice = pki.ClientCertificate("alice", authority=ca, email="alice@example.org")
    crl = pki.RevocationList("lists", authority=ca, certificates=[alice])
    pki.HandOut("hand-out", directory="out", authorities=[ca], revocation_lists=[crl])


def test_each_slot_signs_a_list_of_its_own() -> None:
    """A verifier needs the list of the very key that signed the certificate; a standby may have signed before."""
    program = run_program(rolled_over, preview=True)
    lists = [each for each in program.registrations if each.type == "postseal:index:RevocationList"]
    assert {each.name: each.properties["issuer"]["slot"] for each in lists} == {
        "lists": "mail-ca/1",
        "lists-2": "mail-ca/2",
        "lists-3": "mail-ca/3",
    }
    assert {each.name: each.properties["name"] for each in lists} == {
        each: each for each in ("lists", "lists-2", "lists-3")
    }
    folder = program.one("HandOut").properties["folders"]["crl"]
    assert {name for name in folder if name.endswith(".pem")} == {
        "mail-ca.crl.pem",
        "mail-ca-2.crl.pem",
        "mail-ca-3.crl.pem",
    }


@pytest.mark.parametrize(("active", "retiring", "url"), [(1, None, "mail-ca.crl"), (2, 1, "mail-ca-2.crl")])
def test_certificates_name_the_list_of_the_slot_that_signs_them(active: int, retiring: int | None, url: str) -> None:
    """One address could only serve one of the lists."""

    def program() -> None:
        slots = pki.Slots(active, retiring=retiring)
        urls = ["http://pki.example.org/{slot}.crl"]
        ca = pki.CertificateAuthority("mail-ca", common_name="Example CA", slots=slots, crl_urls=urls)
        pki.ClientCertificate("alice", authority=ca, email="alice@example.org")

    issuer = run_program(program).one("ClientCertificate").properties["issuer"]
    assert issuer["crl_urls"] == [f"http://pki.example.org/{url}"]


def test_one_address_for_several_slots_is_refused() -> None:
    """With how to write it."""

    def program() -> None:
        urls = ["http://pki.example.org/ca.crl"]
        pki.CertificateAuthority("mail-ca", common_name="CA", slots=pki.Slots(1, standby=2), crl_urls=urls)

    with pytest.raises(ConfigError, match=r"crl_urls\[0\]: got 'http://.*/ca.crl' for 2 slots.*{slot}.crl"):
        run_program(program)


def test_a_program_may_declare_the_list_of_one_slot_alone() -> None:
    """And no slot that the authority does not have."""

    def program(slot: int) -> None:
        ca = pki.CertificateAuthority("mail-ca", common_name="Example CA", slots=pki.Slots(active=2, retiring=1))
        pki.RevocationList("lists", authority=ca, slot=slot)

    assert run_program(lambda: program(1)).one("RevocationList").properties["issuer"]["slot"] == "mail-ca/1"
    with pytest.raises(ConfigError, match="slot: got 3, expected a slot of mail-ca: 2, 1"):
        run_program(lambda: program(3))


def test_the_retiring_slot_of_an_intermediate_is_revoked_in_the_list_above() -> None:
    """Only its certificate says so, and the list of the authority above has every slot of it."""

    def program() -> None:
        ca = pki.CertificateAuthority("ca", common_name="CA", path_length=1)
        slots = pki.Slots(active=2, retiring=1, revoke_retiring=pki.RevocationReason.KEY_COMPROMISE)
        office = pki.IntermediateAuthority("office", authority=ca, common_name="Office CA", slots=slots)
        pki.RevocationList("ca", authority=ca, certificates=[office])

    program_ = run_program(program)
    certificates = {each.name: each.properties for each in program_.registrations if each.type.endswith(":Certificate")}
    assert {name: each.get("revoke") for name, each in certificates.items()} == {
        "ca": None,
        "office-2": None,
        "office": "keyCompromise",
    }
    listed = program_.one("RevocationList").properties["certificates"]
    assert sorted(each["name"] for each in listed) == ["office", "office-2"]


@pytest.mark.parametrize(
    ("slots", "is_root", "words"),
    [
        (
            pki.Slots(active=2, retiring=1, revoke_retiring=pki.RevocationReason.SUPERSEDED),
            True,
            "no list names a root",
        ),
        (pki.Slots(revoke_retiring=pki.RevocationReason.SUPERSEDED), False, "make another slot active"),
    ],
)
def test_what_signs_and_what_is_on_no_list_is_not_revoked(slots: pki.Slots, words: str, *, is_root: bool) -> None:
    """In one sentence, with what to do instead."""

    def program() -> None:
        ca = pki.CertificateAuthority("ca", common_name="CA", path_length=1, slots=slots if is_root else None)
        pki.IntermediateAuthority("office", authority=ca, common_name="Office CA", slots=None if is_root else slots)

    with pytest.raises(ConfigError, match=words):
        run_program(program)
