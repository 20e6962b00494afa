"""Check clients with a certificate request: nothing in the stack may need their key, which is elsewhere."""

from collections.abc import Iterator

from pki.declared import named
from pki.request import load_request, problems_of_requested_names, sentence_of_shared_key
from postseal.stack.model import CertificateKind, CertificateReference, Client, StackConfig
from postseal.stack.reading import Declared, DeclaredStack
from postseal.stack.screening import NO_FILE
from postseal.stack.sections import ClientKeys
from postseal_core.errors import CertificateError, Problem

__all__ = ["problems_of_requests"]


def problems_of_requests(stack: DeclaredStack, config: StackConfig) -> Iterator[Problem]:
    """Find what is wrong with requests of clients, and everything that would need their keys."""
    owners: dict[str, str] = {}
    for declared in stack.clients.values():
        if declared.section.request_pem is None and declared.section.request_file is None:
            continue
        client = config.clients[declared.name]
        found = [*_problems_of_request(declared, client, stack, owners), *_needs_of_client(client)]
        yield from (problem.below(declared.path) for problem in found)
        yield from _needs_of_hosts(client, config)


def _problems_of_request(
    declared: Declared[ClientKeys], client: Client, stack: DeclaredStack, owners: dict[str, str]
) -> Iterator[Problem]:
    section = declared.section
    if section.request_pem is not None and section.request_file is not None:
        yield Problem("request_file", "declared beside request_pem; give one")
        return
    file, path = section.request_file, "request_file" if section.request_file else "request_pem"
    fault = stack.files.get(file, NO_FILE).fault if file else ""
    if fault:
        yield Problem(path, f"{file} {fault}")
        return
    try:
        request = load_request(client.request_pem, what=file or "request")
        for problem in problems_of_requested_names(request, named(client.declared)):
            yield Problem(path, problem.message)
    except CertificateError as error:
        yield Problem(path, str(error))
        return
    owner = owners.setdefault(request.key_reference, client.name)
    if owner != client.name:
        yield Problem(path, f"{f'{file} ' if file else ''}{sentence_of_shared_key(owner)}")
    if "key_algorithm" in section.said.names and client.declared.key_algorithm != request.key_algorithm:
        message = f"got {client.declared.key_algorithm}, but the request is for a key of {request.key_algorithm}"
        yield Problem("key_algorithm", f"{message}: leave this out, the request decides")


def _needs_of_client(client: Client) -> Iterator[Problem]:
    if client.pkcs12:
        yield Problem("pkcs12", "an archive holds the key, which is where the request was made; leave this out")
    if client.take_over_from:
        yield Problem("take_over_from", "a roster's client has its key here, and the request is for another one")


def _needs_of_hosts(client: Client, config: StackConfig) -> Iterator[Problem]:
    reference = CertificateReference(CertificateKind.CLIENT, client.name)
    for host in config.hosts.values():
        if reference in host.certificates.values():
            yield Problem(
                f"hosts.{host.name}",
                f"presents the certificate of {client.name}, whose key is where its request was made: declare a client "
                "with a key of its own for this host",
            )
    for roster in config.rosters.values():
        if client.name in roster.take_over:
            yield Problem(
                f"rosters.{roster.name}.take_over",
                f"the key of {client.name} is where its request was made, and a roster has the keys of its clients",
            )
