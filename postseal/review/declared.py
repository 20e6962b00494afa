"""A stack file as the program of a review is given it: sections read, and stand-ins in the place of secrets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256

from pki.third_party_answer import read_answer
from pki.verification import chain_pem
from postseal.review.stack_yaml import Secure, StackText
from postseal.review.stand_ins import StandIns
from postseal.stack.check_rosters import JudgedClients
from postseal.stack.config import load_stack, problems_of_namespaces
from postseal.stack.model import StackConfig
from postseal.stack.parsing import parse_value
from postseal.stack.screening import FileText
from postseal_core.errors import CertificateError, ConfigError, PostsealError, Problem
from postseal_core.plugin.configuration import decode_configuration

__all__ = ["DeclaredFile", "StackSource", "declared_file", "sections_of"]


@dataclass(frozen=True, slots=True)
class StackSource:
    """A stack file with the files it names; `project`: the directory of the project, empty where it is none here."""

    text: StackText
    files: Mapping[str, FileText] = field(default_factory=dict)
    project: str = ""


@dataclass(frozen=True, slots=True)
class DeclaredFile:
    """A stack file that was accepted; `values`: as the engine hands them to a program."""

    config: StackConfig
    values: Mapping[str, str]
    secret_keys: frozenset[str]


def sections_of(text: StackText, project: str) -> tuple[dict[str, object], frozenset[str]]:
    """Return the keys of a project's namespace with their values, and which of them are secret."""
    prefix = f"{project}:"
    sections: dict[str, object] = {}
    secret = set[str]()
    for key, value in text.values.items():
        if key.startswith(prefix):
            name = key.removeprefix(prefix)
            written, is_secret = _written(value)
            sections[name] = written if is_secret else parse_value(written)
            secret |= {name} if is_secret else set()
    return sections, frozenset(secret)


def declared_file(
    source: StackSource, names: tuple[str, str], stand_ins: StandIns, judged: JudgedClients | None = None
) -> DeclaredFile:
    """Read a stack file; `names`: of project and stack; `judged`: clients of one that was read before.

    Raises:
        ConfigError: everything that is wrong with it.
    """
    project, stack = names
    misplaced = problems_of_namespaces(list(source.text.values), project)
    if misplaced:
        raise ConfigError(misplaced)
    refused = _refused_by_its_clock(source.text)
    raw, secret_keys = sections_of(source.text, project)
    try:
        config = load_stack(
            raw, secret_keys, stack_name=stack, files=source.files, project=source.project, judged=judged
        )
    except ConfigError as error:
        raise ConfigError([*refused, *error.problems]) from None
    if refused:
        raise ConfigError(refused)
    values = {key: value if isinstance(value, str) else json.dumps(value) for key, value in raw.items()}
    keys = {key: pem for key, pem in _keys(config).items() if key in secret_keys}
    values |= {key: stand_ins.key(f"config {key} of {_digest(pem)}", partial(str, pem)) for key, pem in keys.items()}
    return DeclaredFile(_without_passphrases(config), values, secret_keys)


def _refused_by_its_clock(text: StackText) -> list[Problem]:
    """Return what is wrong with the keys of the provider, and whether `pulumi up` refuses the clock that they set."""
    prefix = "postseal:"
    engine = {key.removeprefix(prefix): str(each) for key, each in text.values.items() if key.startswith(prefix)}
    try:
        decode_configuration(engine).refuse_changes()
    except ConfigError as error:
        return list(error.problems)
    except PostsealError as error:
        return [Problem("", str(error))]
    return []


def _keys(config: StackConfig) -> dict[str, str]:
    """Return, by the secret that holds a private key, the certificate in PEM that stands in clear beside it."""
    found = {
        each.adopt.private_key_secret: each.adopt.certificate_pem
        for each in config.authorities.values()
        if each.adopt and each.adopt.private_key_secret
    }
    for client in config.third_party_clients.values():
        try:
            found[client.private_key_secret] = chain_pem(read_answer(client.signed_chain_pem, what="chain")[:1])
        except CertificateError:
            continue  # told where the file is checked
    return found


def _without_passphrases(config: StackConfig) -> StackConfig:
    """Leave out the passphrases of keys: what stands for a key opens without one."""
    authorities = {
        name: replace(each, adopt=replace(each.adopt, private_key_passphrase_secret="")) if each.adopt else each
        for name, each in config.authorities.items()
    }
    return replace(config, authorities=authorities)


def _written(value: object) -> tuple[str, bool]:
    """Return a value as the engine hands it to a program, a stand-in for what is encrypted; and whether anything is."""
    sealed: list[Secure] = []

    def stand_in(secure: Secure) -> str:
        sealed.append(secure)
        return f"sealed:{secure.digest}"

    written = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=stand_in)
    return written, bool(sealed)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
