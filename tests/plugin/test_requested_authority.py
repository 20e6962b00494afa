"""An authority that somebody else signs: it asks, waits, takes the answer, and asks again; and what waits for it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2 as pb

from pki.authority_request import authority_request_pem
from pki.carried import numbered_name
from pki.model import CertificateDeclaration, KeyAlgorithm, Profile, Subject
from tests.support.offline_signer import OfflineSigner, common_name, pem
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import UNKNOWN, Secret
from tests.support.resource_properties import client, issued_by, key_pem
from tests.support.specimens import NOW, key_of

ROOT = OfflineSigner(NOW)
DECLARED: dict[str, Any] = {
    "name": "issuing",
    "slot": "issuing/1",
    "common_name": "Example Issuing CA",
    "path_length": 0,
}


def requested(*answer: x509.Certificate, **changes: Any) -> dict[str, Any]:
    """Return the declaration of an authority, with the answer of the offline root if there is one."""
    chain = {"signed_chain_pem": pem(*answer), "roots_pem": pem(ROOT.certificate)} if answer else {}
    return DECLARED | {"private_key_pem": Secret(key_pem("issuing"))} | chain | changes


def test_the_request_comes_first_and_the_answer_is_taken(plugin: PluginRuns) -> None:
    """A run without an answer ends well and says what is awaited; with it, nothing is awaited and nothing changes."""
    resource = plugin.resource("RequestedAuthority", "issuing")
    _, planned = plugin.preview(resource, requested(private_key_pem=UNKNOWN))
    assert planned["cert_request_pem"] == UNKNOWN
    plugin.up(resource, requested())
    assert resource.outputs["generation"] == 0
    assert resource.outputs["certificate_pem"] == ""
    assert "have issuing.csr.pem signed" in resource.outputs["awaited"]
    assert resource.outputs["awaited"] in plugin.lines[-1]
    assert plugin.up(resource, requested()) == {}
    plugin.now += timedelta(days=3)
    assert plugin.up(resource, requested()) == {}, "to wait is no change, however long it takes"
    answer = ROOT.sign(resource.outputs["cert_request_pem"], at=plugin.now)
    plugin.up(resource, requested(answer))
    assert resource.outputs["certificate_pem"] == pem(answer) == resource.outputs["chain_pem"]
    assert resource.outputs["roots_pem"] == pem(ROOT.certificate)
    assert (resource.outputs["generation"], resource.outputs["awaited"]) == (1, "")
    assert plugin.up(resource, requested(answer)) == {}
    before = dict(resource.inputs), dict(resource.outputs)
    resource.refresh()
    assert (resource.inputs, resource.outputs) == before
    assert plugin.clear_secrets() == []
    resource.delete()


def test_the_certificate_is_the_first_of_the_chain_that_came_back(plugin: PluginRuns) -> None:
    """Whatever authorities stand between it and the root."""
    resource, above = plugin.resource("RequestedAuthority", "issuing"), OfflineSigner(NOW, name="Example Policy CA")
    plugin.up(resource, requested())
    request = resource.outputs["cert_request_pem"]
    own = above.certificate
    between = ROOT.sign(
        request, subject=own.subject, public_key=above.key.public_key(), extensions=[*own.extensions], serial_number=9
    )
    answer = above.sign(request)
    plugin.up(resource, requested(answer, between))
    assert resource.outputs["certificate_pem"] == pem(answer)
    assert resource.outputs["chain_pem"] == pem(answer, between)


def test_its_renewal_is_asked_for_and_the_one_in_use_stays(plugin: PluginRuns) -> None:
    """From renew_at on each run says so; the next answer is another generation; after the end it is still there."""
    resource = plugin.resource("RequestedAuthority", "issuing")
    plugin.up(resource, requested())
    first = ROOT.sign(resource.outputs["cert_request_pem"])
    plugin.up(resource, requested(first))
    plugin.now = NOW + timedelta(days=1400)
    plugin.up(resource, requested(first))
    assert "signed again" in resource.outputs["awaited"]
    assert resource.outputs["certificate_pem"] == pem(first)
    second = ROOT.sign(resource.outputs["cert_request_pem"], at=plugin.now, serial_number=3)
    plugin.up(resource, requested(second))
    assert (resource.outputs["generation"], resource.outputs["awaited"]) == (2, "")
    plugin.now += timedelta(days=6000)  # the root has ended, too
    plugin.up(resource, requested(second))
    assert resource.outputs["certificate_pem"] == pem(second), "one that has ended is told where it is needed"


@pytest.mark.parametrize(
    "change", ["another key", "wider", "renamed", "the same number", "no root", "gone", "another algorithm"]
)
def test_a_wrong_step_is_refused_and_changes_nothing(plugin: PluginRuns, change: str) -> None:
    """The certificate in use stays what it is, whatever is declared wrongly."""
    resource = plugin.resource("RequestedAuthority", "issuing")
    plugin.up(resource, requested())
    asked = resource.outputs["cert_request_pem"]
    good = ROOT.sign(asked)
    plugin.up(resource, requested(good))
    wide = [
        each for each in x509.load_pem_x509_csr(asked.encode()).extensions if each.oid != x509.OID_BASIC_CONSTRAINTS
    ]
    open_ended = x509.BasicConstraints(ca=True, path_length=None)
    other = key_of(KeyAlgorithm.ECDSA_P256, "x").public_key()
    wrong: dict[str, Callable[[], dict[str, Any]]] = {
        "another key": lambda: requested(ROOT.sign(asked, public_key=other)),
        "wider": lambda: requested(
            ROOT.sign(asked, extensions=[*wide, x509.Extension(open_ended.oid, True, open_ended)], serial_number=3)  # noqa: FBT003
        ),
        "renamed": lambda: requested(ROOT.sign(asked, subject=common_name("Example Issuing CA 2"), serial_number=3)),
        "the same number": lambda: requested(ROOT.sign(asked, days=1900)),
        "no root": lambda: requested(good, roots_pem=""),
        "gone": requested,
        "another algorithm": lambda: requested(good, private_key_pem=UNKNOWN),
    }
    before = dict(resource.outputs)
    assert len(plugin.problems(resource, wrong[change]())) == 1
    assert resource.outputs == before
    assert plugin.up(resource, requested(good)) == {}


def test_an_answer_without_its_root_is_told_as_that(plugin: PluginRuns) -> None:
    """For a first answer and for one in use; with the root it is taken."""
    resource = plugin.resource("RequestedAuthority", "issuing")
    plugin.up(resource, requested())
    good = ROOT.sign(resource.outputs["cert_request_pem"])
    for _ in range(2):
        (problem,) = plugin.problems(resource, requested(good, roots_pem=""))
        assert problem.startswith("roots: missing: declare the root that signed the chain")
        plugin.up(resource, requested(good))


def made_elsewhere(*parts: x509.NameAttribute[str], **options: Any) -> x509.Certificate:
    """Return an intermediate for our key that was made before anybody asked for it here, with limits of its own."""
    key = key_of(KeyAlgorithm.ECDSA_P256, "issuing")
    asked = authority_request_pem(CertificateDeclaration(Profile.INTERMEDIATE, Subject("x"), path_length=0), key)
    plain = [
        each
        for each in x509.load_pem_x509_csr(asked.encode()).extensions
        if not isinstance(each.value, x509.SubjectKeyIdentifier)
    ]
    limits = x509.NameConstraints([x509.DNSName("example.org")], None)
    for value, critical in ((limits, True), (x509.SubjectKeyIdentifier(b"its own"), False)):
        plain.append(x509.Extension(value.oid, critical, value))
    return ROOT.sign(asked, subject=x509.Name(parts), extensions=plain, **options)


PRINTABLE = x509.name._ASN1Type.PrintableString
NAMES = {
    "in another string type": (x509.NameAttribute(NameOID.COMMON_NAME, "Example Issuing CA", PRINTABLE),),
    "with parts of the signer": (
        x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "org"),
        x509.NameAttribute(NameOID.COMMON_NAME, "Example Issuing CA"),
        x509.NameAttribute(NameOID.EMAIL_ADDRESS, "ca@example.org"),
    ),
    "without a common name": (x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Issuing"),),
}


@pytest.mark.parametrize("kind", NAMES)
def test_a_renewal_is_asked_for_as_the_certificate_in_use_is(plugin: PluginRuns, kind: str) -> None:
    """Signed as requested it is taken: name byte for byte, identifier of the key, and limits that nobody repeats."""
    resource = plugin.resource("RequestedAuthority", "issuing")
    first = made_elsewhere(*NAMES[kind])
    said = {"common_name": ""} if kind == "without a common name" else {}
    plugin.up(resource, requested(first, **said))
    asked = x509.load_pem_x509_csr(resource.outputs["cert_request_pem"].encode())
    assert asked.subject.public_bytes() == first.subject.public_bytes()
    for extension in asked.extensions:
        assert extension.value == first.extensions.get_extension_for_oid(extension.oid).value
    assert {x509.NameConstraints, x509.SubjectKeyIdentifier} <= {type(each.value) for each in asked.extensions}
    renewal = ROOT.sign(resource.outputs["cert_request_pem"], serial_number=9, days=1900)
    request = resource.outputs["cert_request_pem"]
    plugin.up(resource, requested(renewal, **said))
    assert (resource.outputs["generation"], resource.outputs["cert_request_pem"]) == (2, request)


def test_what_a_renewal_has_otherwise_is_told_to_the_reviewer(plugin: PluginRuns) -> None:
    """A signer that leaves the name constraints of an adopted one out makes it wider, and nobody has declared them."""
    resource = plugin.resource("RequestedAuthority", "issuing")
    plugin.up(resource, requested(made_elsewhere(*NAMES["in another string type"])))
    asked = x509.load_pem_x509_csr(resource.outputs["cert_request_pem"].encode())
    poorer = [each for each in asked.extensions if not isinstance(each.value, x509.NameConstraints)]
    plugin.lines.clear()
    renewal = ROOT.sign(resource.outputs["cert_request_pem"], extensions=poorer, serial_number=9, days=1900)
    plugin.up(resource, requested(renewal))
    assert plugin.lines[0] == (
        "issuing: its new certificate has other limits than the one before: nameConstraints was (permitted host "
        "example.org; critical) and is not there"
    )
    plugin.lines.clear()
    plugin.up(resource, requested(ROOT.sign(resource.outputs["cert_request_pem"], serial_number=10, days=1950)))
    assert plugin.lines == [], "as requested, it is as before"


@pytest.mark.parametrize("kind", NAMES)
def test_another_key_of_an_adopted_authority_is_asked_for_with_its_name_and_limits(
    plugin: PluginRuns, kind: str
) -> None:
    """The number stands behind the name; the key has its own identifier, and its answer is called so."""
    second = plugin.resource("RequestedAuthority", "issuing-2")
    key = Secret(key_pem("issuing-2"))
    model = made_elsewhere(*NAMES[kind])
    waiting = requested(
        name="issuing-2",
        slot="issuing/2",
        private_key_pem=key,
        common_name="" if kind == "without a common name" else "Example Issuing CA",
        carries_on={"certificate_pem": pem(model), "number": 2},
    )
    plugin.up(second, waiting)
    asked = x509.load_pem_x509_csr(second.outputs["cert_request_pem"].encode())
    assert asked.subject.public_bytes() == numbered_name(model.subject, 2).public_bytes()
    limits = model.extensions.get_extension_for_class(x509.NameConstraints).value
    assert asked.extensions.get_extension_for_class(x509.NameConstraints).value == limits
    own = x509.SubjectKeyIdentifier.from_public_key(key_of(KeyAlgorithm.ECDSA_P256, "issuing-2").public_key())
    assert asked.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value == own
    wrong = ROOT.sign(second.outputs["cert_request_pem"], subject=common_name("Else"))
    roots = {"roots_pem": pem(ROOT.certificate)}
    (problem,) = plugin.problems(second, waiting | roots | {"signed_chain_pem": pem(wrong)})
    assert "is called CN=Else, and declared is the common name" in problem
    right = ROOT.sign(second.outputs["cert_request_pem"])
    plugin.up(second, waiting | roots | {"signed_chain_pem": pem(right)})
    assert second.outputs["certificate_pem"] == pem(right)


def test_what_it_issues_waits_and_is_made_once_it_is_signed(plugin: PluginRuns) -> None:
    """A client is remembered without key and certificate, and becomes a first certificate in place."""
    authority = plugin.resource("RequestedAuthority", "issuing")
    alice = plugin.resource("ClientCertificate", "alice")
    waiting = {"awaits": "the certificate of issuing"}
    plugin.up(authority, requested())
    assert plugin.up(alice, waiting) == {"": "create"}
    assert alice.outputs == alice.inputs == waiting
    assert plugin.up(alice, waiting) == {}
    alice.refresh()
    assert alice.outputs == waiting
    plugin.up(authority, requested(ROOT.sign(authority.outputs["cert_request_pem"])))
    outputs = authority.outputs | {"certificate_pem": authority.outputs["chain_pem"]}
    changes = plugin.up(alice, client(issued_by(outputs, "issuing")))
    assert changes["awaits"] == "delete"
    assert alice.outputs["generation"] == 1
    leaf = x509.load_pem_x509_certificate(alice.outputs["certificate_pem"].encode())
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(outputs["certificate_pem"].encode()))
    assert "awaits" not in alice.outputs | alice.inputs
    assert plugin.up(alice, client(issued_by(outputs, "issuing"))) == {}
    (problem,) = plugin.problems(alice, waiting)
    assert "would be lost" in problem
    assert plugin.clear_secrets() == []


def test_what_waits_can_be_taken_back(plugin: PluginRuns) -> None:
    """It is forgotten without a trace; there is nothing to remove."""
    alice = plugin.resource("ClientCertificate", "alice")
    plugin.up(alice, {"awaits": "the certificate of issuing"})
    alice.delete()
    assert plugin.up(plugin.resource("PostfixHost", "mx1"), {"awaits": "mx1"}) == {"": "create"}


P256 = bytes.fromhex("06082a8648ce3d030107")


@pytest.mark.parametrize("is_known", [True, False])
def test_a_preview_that_has_no_key_yet_judges_the_answer_by_its_own(plugin: PluginRuns, *, is_known: bool) -> None:
    """The key is made in this run, and `up` compares; an answer for a key that nobody can read is refused before."""
    resource = plugin.resource("RequestedAuthority", "issuing")
    plugin.up(resource, requested())
    answer = ROOT.sign(resource.outputs["cert_request_pem"])
    fresh = plugin.resource("RequestedAuthority", "other")
    if is_known:
        changes, planned = plugin.preview(fresh, requested(answer, private_key_pem=UNKNOWN))
        assert changes == {"": "create"}
        assert planned["cert_request_pem"] == UNKNOWN
        assert planned["certificate_pem"] == pem(answer)
        return
    der = answer.public_bytes(Encoding.DER)
    strange = x509.load_der_x509_certificate(der.replace(P256, P256[:-1] + b"\x7f"))
    plugin.start_run()
    reason = plugin.refusal(fresh.check, requested(strange, private_key_pem=UNKNOWN))
    assert "signed_chain: was signed for a key of another kind" in reason


def test_an_answer_to_another_request_is_refused_once_the_key_is_there(plugin: PluginRuns) -> None:
    """What the preview could not compare, `up` does: nothing is made with it."""
    other = plugin.resource("RequestedAuthority", "other")
    plugin.up(other, requested(private_key_pem=Secret(key_pem("other"))))
    answer = ROOT.sign(other.outputs["cert_request_pem"])
    resource = plugin.resource("RequestedAuthority", "issuing")
    plugin.preview(resource, requested(answer, private_key_pem=UNKNOWN))
    (reason,) = plugin.problems(resource, requested(answer))
    assert "was signed for another key" in reason


def test_what_waits_for_something_else_by_now_goes_on_to_wait(plugin: PluginRuns) -> None:
    """Shown in the preview, kept by `up`; with a clock that is set it is refused, as any other change."""
    alice = plugin.resource("ClientCertificate", "alice")
    first, second = ({"awaits": f"the certificate of {name}"} for name in ("issuing", "clients"))
    plugin.up(alice, first)
    assert plugin.preview(alice, second) == ({"awaits": "update"}, second)
    assert alice.outputs == first
    plugin.start_run()
    settings = Struct()
    settings.update({"clock": "2027-03-01T00:00:00Z"})
    plugin.provider.stub.Configure(pb.ConfigureRequest(args=settings))
    assert alice.plan(second) == second
    assert "postseal:clock is set" in plugin.refusal(alice.apply, second)
    assert alice.outputs == first
    assert plugin.up(alice, second) == {"awaits": "update"}
    assert alice.outputs == alice.inputs == second
