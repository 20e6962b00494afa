"""Check which certificates a host serves and presents, and whether they are for its names."""

from collections.abc import Iterator, Sequence

from pki.name_syntax import is_host_covered
from postfix.host import public_names_of, sentence_of_one_kind
from postseal.stack.host_sections import NO_CERTIFICATE, HostSection
from postseal.stack.model import OWN_SERVER, CertificateKind, Host, StackConfig
from postseal.stack.reading import Declared
from postseal.stack.references import problems_of_kind, unknown_name
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["has_domain", "problems_of_names", "problems_of_presented", "problems_of_served"]


def has_domain(myhostname: str | None) -> bool:
    """Return whether a host name has a domain."""
    return "." in (myhostname or "")


def problems_of_names(declared: Declared[HostSection], _host: Host, config: StackConfig) -> Iterator[Problem]:
    """Check that the host has a name which its certificate proves."""
    section, served = declared.section, declared.section.served(declared.name)
    if not has_domain(section.myhostname):
        yield Problem(
            "myhostname",
            f"got {shown(section.myhostname or '')}, expected a full name with a domain, as mx1.example.org",
        )
    unknown = [name for name in served if name not in config.servers]
    for name in unknown:
        yield unknown_name("certificate", "server", name, {*config.servers, NO_CERTIFICATE})
    if served and section.myhostname and not unknown:
        yield from _problems_of_public_names(section, served, config)
        yield from _problems_of_kinds(served, config)


def _problems_of_public_names(section: HostSection, served: Sequence[str], config: StackConfig) -> Iterator[Problem]:
    """Report served certificates without the names by which clients connect.

    A host that says which certificate it serves may be a node behind another name; one that got it by its own name not.
    """
    myhostname = section.myhostname or ""
    names = {name: config.servers[name].declared.dns_names for name in served}
    for index, public_name in enumerate(section.public_names):
        for name, dns_names in names.items():
            if not is_host_covered(public_name, dns_names):
                message = f"server {name} is for {', '.join(dns_names) or 'no name'}: add {public_name} to"
                yield Problem(f"public_names[{index}]", f"{message} servers.{name}.dns_names")
    if section.public_names:
        return
    if section.certificate is None and not is_host_covered(myhostname, names[served[0]]):
        known = ", ".join(names[served[0]]) or "no name"
        yield Problem(
            "certificate",
            f"server {served[0]} is for {known}, and the host is {myhostname}: add {myhostname} to "
            f"servers.{served[0]}.dns_names, or write certificate: {served[0]} if clients connect by {known}",
        )
    elif section.certificate is not None and public_names_of(myhostname, [*names.values()]) is None:
        each = "; ".join(f"{name} is for {', '.join(known) or 'no name'}" for name, known in names.items())
        yield Problem("certificate", f"no name is on all certificates that this host serves ({each}): add one to all")


def _problems_of_kinds(served: Sequence[str], config: StackConfig) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for name in dict.fromkeys(served):
        kind = config.servers[name].declared.key_algorithm.kind
        other = first.setdefault(kind, name)
        if other != name:
            yield Problem("certificate", sentence_of_one_kind(name, other, kind))


def problems_of_served(declared: Declared[HostSection], host: Host, _config: StackConfig) -> Iterator[Problem]:
    """Check that a host says one thing about what it serves."""
    section = declared.section.certificate
    if section is None:
        return
    said = [word for word in ("servers", "on_host", "keep") if getattr(section, word)]
    if len(said) > 1:
        yield Problem("certificate", f"{' and '.join(said)} exclude each other; say one of them")
    elif not said:
        yield Problem("certificate", "says nothing; name a server, or write {keep: true}")
    elif host.declaration.keeps_server_certificate and section.on_host and not section.on_host.chain_files:
        yield Problem(
            "certificate.on_host.chain_files", "is empty; name the files, or write {keep: true} for what is there"
        )
    if declared.section.public_names and not host.declaration.server:
        yield Problem("public_names", f"certificate is {NO_CERTIFICATE}, so nothing has these names; remove them")


def problems_of_presented(declared: Declared[HostSection], _host: Host, config: StackConfig) -> Iterator[Problem]:
    """Check the client certificates that a sending host presents."""
    for path, word in _presented_words(declared.section):
        references = config.presentable(word, declared.section.served(declared.name))
        if not references and word == OWN_SERVER:
            yield Problem(path, "this host has no server certificate that it could present; name a client")
        elif not references:
            yield unknown_name(path, "client", word, {*config.clients, *config.third_party_clients, OWN_SERVER})
        for reference in references:
            if reference.kind is CertificateKind.SERVER and reference.name in config.servers:
                yield from problems_of_kind(path, reference.name, config)


def _presented_words(section: HostSection) -> Iterator[tuple[str, str]]:
    if section.relay_through and section.relay_through.certificate:
        yield "relay_through.certificate", section.relay_through.certificate
    for name, transport in section.transports.items():
        if transport.certificate:
            yield f"transports.{name}.certificate", transport.certificate
