"""Fill in the defaults of certificate sections, from the stack, its authorities and rosters.

References that lead nowhere are left as they are, or out; the checks name them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pki.adoption import changes_made, settled
from pki.crl_schedule import CrlPolicy
from pki.fields import DeclaredCertificate
from pki.model import FIRST_SLOT, Pkcs12Profile, Profile, RevocationReason
from pki.rollover import Slots
from pki.third_party import ThirdParty
from postseal.stack.host_sections import HostSection
from postseal.stack.lifetimes import resolve_lifetime
from postseal.stack.model import (
    Adoption,
    Authority,
    Client,
    Crl,
    Pkcs12,
    Roster,
    Server,
    ServerSigner,
    ThirdPartyClient,
)
from postseal.stack.reading import Declared, DeclaredStack
from postseal.stack.references import adopted_algorithm, adopted_certificate, default_authority
from postseal.stack.screening import NO_FILE
from postseal.stack.sections import (
    AdoptSection,
    AuthorityKeys,
    CertificateKeys,
    ClientKeys,
    CrlSection,
    Pkcs12Section,
    RosterKeys,
    ServerKeys,
    ServerSection,
    SignedElsewhereSection,
    SlotsSection,
    ThirdPartyClientSection,
    ThirdPartySection,
)

__all__ = [
    "implied_servers",
    "resolve_authorities",
    "resolve_clients",
    "resolve_rosters",
    "resolve_servers",
    "resolve_third_party_clients",
]


def _certificate(each: Declared[CertificateKeys], profile: Profile, stack: DeclaredStack) -> DeclaredCertificate:
    """Return the fields of a certificate, those of its lifetime included."""
    lifetime = resolve_lifetime(profile, stack.lifetime, each.section, each.path)
    return each.section.said.over(lifetime.said).values


def resolve_authorities(stack: DeclaredStack) -> dict[str, Authority]:
    """Return the authorities, issuers first; one whose issuers form a circle stands at the end."""
    waiting = {name: _authority(each, stack) for name, each in stack.authorities.items()}
    ordered: dict[str, Authority] = {}
    while waiting:
        ready = {name: each for name, each in waiting.items() if each.issuer not in waiting} or waiting
        ordered |= ready
        waiting = {name: each for name, each in waiting.items() if name not in ready}
    return ordered


def _authority(each: Declared[AuthorityKeys], stack: DeclaredStack) -> Authority:
    section = each.section
    adopt = _adoption(section.adopt) if section.adopt else None
    certificate = adopted_certificate(adopt)
    profile = Profile.INTERMEDIATE if section.issuer or section.third_party else Profile.ROOT
    declared = _certificate(each, profile, stack)
    if "key_algorithm" not in section.said.names:
        declared = replace(declared, key_algorithm=adopted_algorithm(adopt) or declared.key_algorithm)
    if certificate and adopt:
        declared = settled(declared, certificate, changes_made(declared, certificate, adopt.change))
    elif section.issuer and declared.path_length is None:
        declared = replace(declared, path_length=0)
    return Authority(
        name=each.name,
        declared=declared,
        issuer=section.issuer,
        crl_urls=section.crl_urls,
        is_protected=section.protect,
        adopt=adopt,
        third_party=_third_party(section.third_party, adopt, stack) if section.third_party else None,
        slots=_slots(section.slots),
        crl=_crl(section.crl) if section.crl else None,
    )


def _adoption(section: AdoptSection) -> Adoption:
    return Adoption(
        section.certificate_pem,
        section.private_key_secret or "",
        section.private_key_passphrase_secret or "",
        section.change,
    )


def _third_party(section: SignedElsewhereSection, adopt: Adoption | None, stack: DeclaredStack) -> ThirdParty:
    """Return what somebody else signs, with the texts of the files that are there."""
    files = section.signed_chain_file or {}
    texts = {number: stack.files.get(file, NO_FILE).text for number, file in files.items()}
    if section.signed_chain_pem:
        texts[FIRST_SLOT] = section.signed_chain_pem
    if adopt and not texts.get(FIRST_SLOT):
        texts[FIRST_SLOT] = adopt.certificate_pem
    roots = section.roots_pem or (stack.files.get(section.roots_file, NO_FILE).text if section.roots_file else "")
    return ThirdParty({number: text for number, text in texts.items() if text}, roots, section.extended_key_usage)


def _slots(section: SlotsSection) -> Slots:
    return Slots(
        section.active,
        section.standby,
        section.retiring,
        section.standby_for,
        section.cross_sign,
        section.revoke_retiring or RevocationReason.NOT_REVOKED,
        section.distrusted,
    )


def _crl(section: CrlSection) -> Crl:
    policy = CrlPolicy(section.lifetime or CrlPolicy().lifetime_hours, section.renew_before)
    return Crl(policy, section.first_crl_number)


def implied_servers(stack: DeclaredStack) -> dict[str, Declared[ServerKeys]]:
    """Return a server for each host that names none and has none of its own name."""
    return {
        host.name: Declared(host.name, f"{host.path}.certificate", _implied_section(host.section))
        for host in stack.hosts.values()
        if host.section.certificate is None and host.name not in stack.servers
    }


def _implied_section(host: HostSection) -> ServerKeys:
    return ServerSection.model_validate({"dns_names": [host.myhostname]} if host.myhostname else {})


def resolve_servers(stack: DeclaredStack, authorities: Mapping[str, Authority]) -> dict[str, Server]:
    """Return the declared servers, and those that hosts get without declaring them."""
    declared = {**stack.servers, **implied_servers(stack)}
    return {name: _server(each, stack, authorities) for name, each in declared.items()}


def _server(each: Declared[ServerKeys], stack: DeclaredStack, authorities: Mapping[str, Authority]) -> Server:
    section, signer = each.section, _signer(each.section)
    third_party = section.third_party or ThirdPartySection()
    return Server(
        name=each.name,
        declared=_certificate(each, Profile.SERVER, stack),
        signer=signer,
        authority=default_authority(section.authority, authorities) if signer is ServerSigner.AUTHORITY else None,
        is_client=section.also_client,
        signed_chain_pem=third_party.signed_chain_pem or _chain_in_file(third_party, stack),
        is_handed_out=section.hand_out,
    )


def _signer(section: ServerKeys) -> ServerSigner:
    if section.third_party:
        return ServerSigner.THIRD_PARTY
    return ServerSigner.SELF if section.self_signed else ServerSigner.AUTHORITY


def _chain_in_file(third_party: ThirdPartySection | ThirdPartyClientSection, stack: DeclaredStack) -> str | None:
    file = third_party.signed_chain_file
    return stack.files.get(file, NO_FILE).text if file else None


def resolve_clients(stack: DeclaredStack, authorities: Mapping[str, Authority]) -> dict[str, Client]:
    """Return the clients in the order of the file."""
    return {name: _client(each, stack, authorities) for name, each in stack.clients.items()}


def _client(each: Declared[ClientKeys], stack: DeclaredStack, authorities: Mapping[str, Authority]) -> Client:
    section = each.section
    return Client(
        name=each.name,
        declared=_certificate(each, Profile.CLIENT, stack),
        authority=default_authority(section.authority, authorities) or "",
        request_pem=_request(section, stack),
        pkcs12=_pkcs12(section.pkcs12) if section.pkcs12 else None,
        take_over_from=section.take_over_from or "",
    )


def resolve_third_party_clients(stack: DeclaredStack) -> dict[str, ThirdPartyClient]:
    """Return the clients' certificates that somebody else signed, in the order of the file."""
    found = {}
    for name, each in stack.third_party_clients.items():
        third_party = each.section.third_party or ThirdPartyClientSection()
        chain = third_party.signed_chain_pem or _chain_in_file(third_party, stack) or ""
        found[name] = ThirdPartyClient(name, chain, third_party.private_key_secret or "")
    return found


def _request(section: ClientKeys, stack: DeclaredStack) -> str:
    file = section.request_file
    return section.request_pem or (stack.files.get(file, NO_FILE).text if file else "")


def _pkcs12(section: Pkcs12Section) -> Pkcs12:
    return Pkcs12(Pkcs12Profile(section.profile), section.passphrase_secret)


def resolve_rosters(stack: DeclaredStack, authorities: Mapping[str, Authority]) -> dict[str, Roster]:
    """Return the rosters in the order of the file."""
    return {name: _roster(each, stack, authorities) for name, each in stack.rosters.items()}


def _roster(each: Declared[RosterKeys], stack: DeclaredStack, authorities: Mapping[str, Authority]) -> Roster:
    roster = Roster(
        name=each.name,
        declared=_certificate(each, Profile.CLIENT, stack),
        authority=default_authority(each.section.authority, authorities) or "",
        rows=stack.roster_rows[each.name].rows,
        take_over=each.section.take_over,
        replaced_files=each.section.hand_out.take_over,
    )
    return replace(roster, handed_out=tuple(_handed_out(each.section, roster)))


def _handed_out(section: RosterKeys, roster: Roster) -> Iterator[str]:
    """Yield the clients that are handed out; by default those with an archive."""
    archives = roster.archives
    for row in roster.rows:
        wanted = section.hand_out.all_clients
        if wanted or (wanted is None and row.name in archives):
            yield row.name
