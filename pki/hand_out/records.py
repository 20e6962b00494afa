"""The records of a hand-out: files for persons, in folders below one directory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, ClassVar

from pki.records import Withdrawal
from postseal_core.records import SECRET
from postseal_core.values import UNKNOWN, Maybe, is_unknown

__all__ = ["HandOutArgs", "HandOutFile", "HandOutInputs", "HandOutState", "MailFacts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFacts:
    """What the text beside an archive is made of, see `pki.hand_out.mail_text`; none of it is a secret.

    `name`: of the client and its files. `is_legacy`: the archive's profile. `relays`: hosts that let the
    client in, as `mx1.example.org:587`.
    """

    name: str
    is_legacy: bool = False
    relays: tuple[str, ...] = ()
    not_after: Maybe[datetime] = UNKNOWN
    renew_at: Maybe[datetime] = UNKNOWN
    fingerprint_sha256: Maybe[str] = UNKNOWN

    @property
    def is_known(self) -> bool:
        """Whether the text can be made: a preview does not know a certificate that is still to be issued."""
        return not any(map(is_unknown, (self.not_after, self.renew_at, self.fingerprint_sha256)))


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOutFile:
    """One file: exactly one of `text`, `base64` and `mail` is its content; `is_secret` makes it mode 0400.

    `mail`: what a text for the holder of an archive is made of. It is made where it is written, so that other words in
    a later version change no file of a certificate that stays.
    """

    text: Annotated[Maybe[str] | None, SECRET] = field(default=None, repr=False)
    base64: Annotated[Maybe[str] | None, SECRET] = field(default=None, repr=False)
    mail: MailFacts | None = None
    is_secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOutArgs:
    """Files below one directory, in folders; `descriptions` is the line a reviewer reads for each folder.

    `take_over`: paths of files below it, not ours, that are replaced and given back in the end.
    """

    directory: str
    descriptions: Mapping[str, Maybe[str]]
    folders: Mapping[str, Mapping[str, HandOutFile]]
    withdrawal: Withdrawal | None = None
    take_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOutInputs:
    """The checked inputs of a hand-out: a line and a digest for each folder.

    `changes`: for readers, which folders change and how, by sentence; it is compared with nothing.
    """

    directory: str
    folders: Mapping[str, Maybe[str]]
    content: Mapping[str, Maybe[str]]
    take_over: tuple[str, ...] = ()
    changes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOutState:
    """Files that this hand-out has written: path -> digest as in `postseal_core.files.tree`."""

    IS_COMPLETE: ClassVar[bool] = True

    directory: str
    files: Maybe[Mapping[str, str]] = UNKNOWN
