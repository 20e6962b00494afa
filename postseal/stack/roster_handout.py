"""Hand-outs of a roster: the files of each of its clients."""

from collections.abc import Mapping

import pulumi

import pki
from pki.resources import HandOut, HandOutArgs, HandOutFile
from postseal.stack.model import Roster
from postseal.stack.rosters import archives_of_roster

__all__ = ["hand_out_roster"]


def hand_out_roster(
    component: pki.ClientRoster, roster: Roster, authority: pki.CertificateAuthority, directory: str
) -> dict[str, pulumi.Output[str]]:
    """Write `<client>/` below `directory` for each client that is handed out; return the archives' passphrases.

    The files are those of `pki.HandOut`, all in one resource with one folder for each client.
    """
    ca_pem = pulumi.Output.concat(*authority.root.trusted_pem.values())
    archives, clients = archives_of_roster(roster), [component.client(name) for name in roster.handed_out]
    args = HandOutArgs(
        directory=directory,
        folders={each.name: _files(each, ca_pem, archives) for each in clients},
        descriptions={each.name: _description(each, archives) for each in clients},
    )
    HandOut(f"{roster.name}-hand-out", args, pulumi.ResourceOptions(parent=component))
    return {each.name: each.passphrase for each in clients if each.name in archives}


def _files(client: pki.RosterClient, ca_pem: pulumi.Output[str], archives: Mapping[str, str]) -> dict[str, HandOutFile]:
    files: dict[str, HandOutFile] = {
        f"{client.name}.cert.pem": {"text": client.chain_pem},
        f"{client.name}.key.pem": {"text": client.private_key_pem, "is_secret": True},
        "ca.pem": {"text": ca_pem},
    }
    if client.name in archives:
        files[f"{client.name}.p12"] = {"base64": client.archive_p12_base64, "is_secret": True}
    return files


def _description(client: pki.RosterClient, archives: Mapping[str, str]) -> pulumi.Output[str]:
    archive = f", {client.name}.p12 ({archives[client.name]})" if client.name in archives else ""
    generation = client.generation.apply(lambda number: str(int(number)))
    return pulumi.Output.concat("generation ", generation, ": certificate, key, ca.pem", archive)
