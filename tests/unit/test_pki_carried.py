"""What a renewed authority takes over from its certificate, part by part."""

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from pki.adoption import carry_on, settled
from pki.carried import Carried, numbered_name
from pki.declared import declaration_of
from pki.extensions import extension_of
from pki.fields import NOTHING_SAID
from pki.issuing import Issuer, issue
from pki.model import AuthorityChange, KeyAlgorithm, NameConstraints, Profile
from tests.support.specimens import VALIDITY, declare, key_of, make_authority, sign_by_hand

LIMITS = NameConstraints(permitted_dns=("example.org",), permitted_email=("example.org",))


def renewed(before: Issuer, carried: Carried, *, by: Issuer | None = None) -> x509.Certificate:
    """Return the next certificate of an authority for its key, on its own or by another one."""
    profile = Profile.INTERMEDIATE if by else Profile.ROOT
    return issue(
        declaration_of(settled(NOTHING_SAID, before.certificate), profile),
        public_key=before.private_key.public_key(),
        validity=VALIDITY,
        serial_number=4711,
        issuer=by,
        signing_key=None if by else before.private_key,
        carried=carried,
    )


@pytest.mark.parametrize("is_root", [True, False])
def test_carrying_an_authority_of_ours_on_is_issuing_it_anew(is_root: bool) -> None:  # noqa: FBT001
    """Whether its certificate is copied or made from its declaration: the bytes are the same."""
    above = None if is_root else make_authority()
    before = make_authority(above, path_length=0, name_constraints=LIMITS)
    profile = Profile.ROOT if is_root else Profile.INTERMEDIATE
    again = issue(
        declare(profile, path_length=0, name_constraints=LIMITS),
        public_key=before.private_key.public_key(),
        validity=VALIDITY,
        serial_number=4711,
        issuer=above,
        signing_key=before.private_key if is_root else None,
    )
    assert renewed(before, Carried(before.certificate, before.certificate.subject), by=above) == again


def test_the_serial_number_of_the_issuer_is_not_carried_on() -> None:
    """The next certificate of that issuer has another one, and OpenSSL would look for the old one."""
    root = make_authority()
    name = x509.AuthorityKeyIdentifier(b"k" * 20, [x509.DirectoryName(root.certificate.subject)], 300)
    old = sign_by_hand(x509.BasicConstraints(ca=True, path_length=None), name, common_name="by hand")
    before = Issuer(old, key_of(KeyAlgorithm.ECDSA_P256, "by hand"))
    identifier = extension_of(renewed(before, Carried(old, old.subject)), x509.AuthorityKeyIdentifier)
    assert identifier == x509.AuthorityKeyIdentifier(b"k" * 20, None, None)


@pytest.mark.parametrize("change", [AuthorityChange.PATH_LENGTH, AuthorityChange.NAME_CONSTRAINTS])
def test_only_what_is_to_change_comes_from_the_declaration(change: AuthorityChange) -> None:
    """Everything else keeps its bytes and its place."""
    before = make_authority(path_length=1, name_constraints=LIMITS)
    declared = settled(NOTHING_SAID, before.certificate, [change])
    carried = carry_on(before.certificate, declared, Profile.ROOT, changes=[change])
    new = renewed(before, carried).extensions
    oids = {
        AuthorityChange.PATH_LENGTH: ExtensionOID.BASIC_CONSTRAINTS,
        AuthorityChange.NAME_CONSTRAINTS: ExtensionOID.NAME_CONSTRAINTS,
    }
    old = [each for each in before.certificate.extensions if each.oid != oids[change]]
    assert [each for each in new if each.oid != oids[change]] == old


PRINTABLE = st.text("abcdefghijklmnopqrstuvwxyzABC 0123456789'()+,-./:=?", min_size=1, max_size=64)
ATTRIBUTES = st.sampled_from([NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME])
NAMES = st.lists(st.tuples(ATTRIBUTES, PRINTABLE), min_size=1, max_size=6).map(
    lambda pairs: x509.Name([x509.NameAttribute(oid, text) for oid, text in pairs])
)


@given(name=NAMES, number=st.integers(2, 9999))
def test_the_name_of_a_later_slot_differs_in_one_common_name_only(name: x509.Name, number: int) -> None:
    """It ends with the number, has at most 64 characters, and no other part changes."""
    numbered = numbered_name(name, number)
    assert numbered_name(name, 1) == name
    assert numbered != name
    old, new = list(name), list(numbered)
    changed = [(one, other) for one, other in zip(old, new, strict=False) if one != other]
    added = new[len(old) :]
    assert len(changed) + len(added) == 1
    last = changed[0][1] if changed else added[0]
    assert last.oid == NameOID.COMMON_NAME
    assert str(last.value).endswith(str(number))
    assert len(str(last.value)) <= 64
