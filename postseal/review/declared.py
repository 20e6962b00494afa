"""A stack file as the program of a review is given it: sections read, and stand-ins in the place of secrets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import Any

from pki.third_party_answer import read_answer
from pki.verification import chain_pem
from postseal.review.stack_yaml import Secure, StackText
from postseal.review.stand_ins import StandIns
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
    own = {key.removeprefix(prefix): value for key, value in text.values.items() if key.startswith(prefix)}
    secret = frozenset(key for key, value in own.items() if _is_secret(value))
    return {key: parse_value(_text(value)) if key not in secret else _text(value) for key, value in own.items()}, secret


def declared_file(source: StackSource, names: tuple[str, str], stand_ins: StandIns) -> DeclaredFile:
    """Read a stack file; `names`: of project and stack.

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
        config = load_stack(raw, secret_keys, stack_name=stack, files=source.files, project=source.project)
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


def _is_secret(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_is_secret, value.values()))
    return any(map(_is_secret, value)) if isinstance(value, list) else isinstance(value, Secure)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(_plain(value), sort_keys=True)  # as the engine hands them


def _plain(value: Any) -> Any:
    if isinstance(value, Secure):
        return f"sealed:{value.digest}"
    if isinstance(value, Mapping):
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
