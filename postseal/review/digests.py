"""Digests over secrets: whether one has changed is told by stand-ins, under the stack files before and after; pure.

What a digest in the state was made of, nobody can tell without the secret. So the same is made of stand-ins under the
stack file before: where the file after leads to the same text, the state's digest stays, else it changes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from pki.archive.records import Pkcs12Inputs
from pki.hand_out.records import HandOutInputs
from postfix.host_resource.records import HostArgs, HostInputs
from postfix.rendering import chain_file
from postseal.review.steps import HOSTS

__all__ = ["SECRET_DIGESTS", "Leaves", "with_known_digests"]

Plain = Mapping[str, Any]
Leaves = Mapping[str, Plain]
"""By URN, the checked inputs of each resource whose inputs hold digests of secrets, made of stand-ins."""

SECRET_DIGESTS: Final = HOSTS | {"HandOut", "Pkcs12"}
"""Types whose inputs hold digests of secrets, which only say whether something differs."""


def with_known_digests(declared: object, old: Any, new: Any, reference: Plain) -> Any:
    """Return checked inputs with the digests of the state where no secret behind them has changed.

    `declared`: the arguments; `old`: the inputs in the state, None for none. `reference`: those of the file before.
    """
    if isinstance(old, Pkcs12Inputs) and isinstance(new, Pkcs12Inputs):
        return _of_archive(old, new, reference)
    if isinstance(old, HostInputs) and isinstance(new, HostInputs) and isinstance(declared, HostArgs):
        return replace(new, content=_of_content(map(chain_file, declared.chains), old.content, new.content, reference))
    if isinstance(old, HandOutInputs) and isinstance(new, HandOutInputs):
        return replace(new, content=_of_content(new.content, old.content, new.content, reference))
    return new


def _of_archive(old: Pkcs12Inputs, new: Pkcs12Inputs, reference: Plain) -> Pkcs12Inputs:
    """Return the inputs of an archive: its key is that of its certificate, its passphrase that of the file before."""
    is_same_passphrase = old.passphrase is not None and new.passphrase == reference.get("passphrase")
    return replace(
        new,
        private_key=old.private_key if new.certificate == old.certificate else new.private_key,
        passphrase=old.passphrase if is_same_passphrase else new.passphrase,
    )


def _of_content(paths: Iterable[str], old: Plain, new: Plain, reference: Plain) -> dict[str, Any]:
    before = reference.get("content", {})
    alike = {path for path in paths if isinstance(new.get(path), str) and before.get(path) == new[path]}
    return {path: old[path] if path in alike and path in old else value for path, value in new.items()}
