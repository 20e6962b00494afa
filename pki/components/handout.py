"""Hand-outs: the files that each client is given, and the authorities' certificates, in one directory."""

from collections.abc import Iterator, Sequence

import pulumi

from pki.components.authority import CertificateAuthority
from pki.components.client import ClientCertificate
from pki.components.pkcs12 import Pkcs12
from pki.components.revocation_list import RevocationList
from pki.components.server import ThirdPartyServerCertificate
from pki.components.wiring import child_options, withdrawal_properties
from pki.resources import HandOut as HandOutResource
from pki.resources import HandOutArgs, HandOutFile
from pki.revocation import crl_der_base64
from postseal_core.errors import ConfigError, Problem

__all__ = ["HandOut"]


class HandOut(pulumi.ComponentResource):
    """Files for persons, below `directory` on the machine that runs `pulumi up`; one resource however many clients.

    `ca/ca.pem`: the roots. For each client `clients/<name>/`: `<name>.cert.pem` (its chain), `<name>.key.pem`
    (mode 0400), `ca.pem` and, where it has an archive, `<name>.p12`. `requests/<name>.csr.pem`: for a third party to
    sign. `crl/<authority>.crl` (DER) and `crl/<authority>.crl.pem`: what an authority has revoked. A relative
    directory is taken from the project's directory. Files that are not ours are left alone, what is no longer declared
    is removed. Raises ConfigError where two would get the same files.
    """

    def __init__(
        self,
        name: str,
        *,
        directory: str,
        authorities: Sequence[CertificateAuthority],
        clients: Sequence[ClientCertificate] = (),
        archives: Sequence[Pkcs12] = (),
        requests: Sequence[ThirdPartyServerCertificate] = (),
        revocation_lists: Sequence[RevocationList] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        problems = [
            *_problems_of_lists(revocation_lists),
            *_problems_of_names("clients", clients),
            *_problems_of_names("requests", requests),
        ]
        if problems:
            raise ConfigError(problem.below(f"hand_out.{name}") for problem in problems)
        super().__init__("postseal:index:HandOutDirectory", name, {}, opts)
        by_client = {archive.client_name: archive for archive in archives}
        roots = {slot: pem for authority in authorities for slot, pem in authority.root.trusted_pem.items()}
        ca_pem = pulumi.Output.concat(*roots.values())
        folders: dict[str, dict[str, HandOutFile]] = {"ca": {"ca.pem": {"text": ca_pem}}} if roots else {}
        descriptions: dict[str, pulumi.Input[str]] = {"ca": "roots: " + ", ".join(sorted(roots))} if roots else {}
        if requests:
            folders["requests"] = {f"{each.name}.csr.pem": {"text": each.cert_request_pem} for each in requests}
            descriptions["requests"] = "for a third party to sign: " + ", ".join(each.name for each in requests)
        if revocation_lists:
            folders["crl"] = {file: content for each in revocation_lists for file, content in _list_files(each).items()}
            descriptions["crl"] = pulumi.Output.all(*map(_list_description, revocation_lists)).apply("; ".join)
        for client in clients:
            archive = by_client.get(client.name)
            folders[f"clients/{client.name}"] = _client_files(client, archive)
            descriptions[f"clients/{client.name}"] = _description(client, archive)
        args = HandOutArgs(
            directory=directory,
            folders=folders,
            descriptions=descriptions,
            withdrawal=withdrawal_properties(authorities, {client.name: client.certificate for client in clients}),
        )
        HandOutResource(name, args, child_options(self))
        self.register_outputs({})


def _problems_of_lists(revocation_lists: Sequence[RevocationList]) -> Iterator[Problem]:
    names = [each.authority.name for each in revocation_lists]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem("revocation_lists", f"{name} has {names.count(name)} lists for one file: hand out one of them")


def _problems_of_names(
    field: str, each_named: Sequence[ClientCertificate] | Sequence[ThirdPartyServerCertificate]
) -> Iterator[Problem]:
    names = [each.name for each in each_named]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem(field, f"{name} is there {names.count(name)} times, for one folder; give each a name of its own")


def _list_files(each: RevocationList) -> dict[str, HandOutFile]:
    return {
        f"{each.authority.name}.crl": {"base64": each.crl_pem.apply(crl_der_base64)},
        f"{each.authority.name}.crl.pem": {"text": each.crl_pem},
    }


def _list_description(each: RevocationList) -> pulumi.Output[str]:
    number = each.crl_number.apply(lambda number: str(int(number)))
    count = each.revoked.apply(lambda revoked: str(len(revoked)))
    name = each.authority.name
    return pulumi.Output.concat(name, ": list ", number, ", ", count, " revoked, until ", each.next_update)


def _client_files(client: ClientCertificate, archive: Pkcs12 | None) -> dict[str, HandOutFile]:
    files: dict[str, HandOutFile] = {
        f"{client.name}.cert.pem": {"text": client.chain_pem},
        f"{client.name}.key.pem": {"text": client.private_key_pem, "is_secret": True},
        "ca.pem": {"text": pulumi.Output.concat(*client.authority.root.trusted_pem.values())},
    }
    if archive:
        files[f"{client.name}.p12"] = {"base64": archive.archive_p12_base64, "is_secret": True}
    return files


def _description(client: ClientCertificate, archive: Pkcs12 | None) -> pulumi.Output[str]:
    contents = (
        f"certificate, key, ca.pem, {client.name}.p12 ({archive.profile})" if archive else "certificate, key, ca.pem"
    )
    generation = client.certificate.generation.apply(lambda number: str(int(number)))
    return pulumi.Output.concat("generation ", generation, ": ", contents)
