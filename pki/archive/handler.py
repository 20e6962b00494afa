"""The resource `Pkcs12`: an archive of a certificate, its key and its chain."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from pki.archive.records import Pkcs12Args, Pkcs12Inputs, Pkcs12State
from pki.key_material import load_key
from pki.pkcs12 import build_archive, generate_passphrase, note_of_archive
from pki.verification import load_certificate, load_chain
from postseal_core.errors import Problem, refuse
from postseal_core.plugin.handler import CheckRequest, Context, HandlerBase
from postseal_core.values import UNKNOWN, Maybe, is_unknown, known

__all__ = ["Pkcs12Handler"]

_PASSPHRASE_BYTES = 32


class Pkcs12Handler(HandlerBase[Pkcs12Args, Pkcs12Inputs, Pkcs12State]):
    """Builds an archive, and rebuilds it only when content, profile or passphrase change."""

    type_tokens: ClassVar[tuple[str, ...]] = ("postseal:index:Pkcs12",)
    args = Pkcs12Args
    inputs = Pkcs12Inputs
    state = Pkcs12State

    def check(self, request: CheckRequest[Pkcs12Args, Pkcs12Inputs], context: Context) -> Pkcs12Inputs:
        """Validate the arguments; keep the content in memory and only its digests in the inputs."""
        args = request.new
        refuse(_problems(args))
        inputs = Pkcs12Inputs(
            name=args.name,
            generation=args.generation,
            certificate=_held(args.certificate_pem, context),
            private_key=_held(args.private_key_pem, context),
            ca=_held(args.ca_pem, context),
            profile=args.profile,
            passphrase=args.passphrase,
        )
        note = note_of_archive(args.key_algorithm)
        if note and inputs != request.old:  # told whenever an archive is built, and not at every run
            context.report(f"{args.name}: {note}")
        return inputs

    def id_of(self, inputs: Pkcs12Inputs) -> str:
        """Return the archive's name."""
        return inputs.name

    def create(self, inputs: Pkcs12Inputs, context: Context, *, is_preview: bool) -> Pkcs12State:
        """Build the archive, with a generated passphrase where none was declared."""
        planned = Pkcs12State(name=inputs.name, profile=inputs.profile, generation=inputs.generation)
        if is_preview:
            return planned
        declared = inputs.passphrase
        passphrase = generate_passphrase(context.entropy(_PASSPHRASE_BYTES)) if declared is None else known(declared)
        return replace(planned, archive_p12_base64=_archive(inputs, passphrase, context), passphrase=passphrase)

    def update(self, old: Pkcs12State, inputs: Pkcs12Inputs, context: Context, *, is_preview: bool) -> Pkcs12State:
        """Rebuild the archive; a generated passphrase stays the same."""
        kept = old.passphrase if inputs.passphrase is None else inputs.passphrase
        return self.create(replace(inputs, passphrase=kept), context, is_preview=is_preview)


def _problems(args: Pkcs12Args) -> Iterator[Problem]:
    if args.passphrase == "":
        yield Problem("passphrase", "is empty; leave it out to have one generated")
    parts = {
        "name": args.name,
        "certificate_pem": args.certificate_pem,
        "private_key_pem": args.private_key_pem,
        "ca_pem": args.ca_pem,
    }
    yield from (Problem(name, "is missing") for name, text in parts.items() if text == "")


def _held(text: Maybe[str], context: Context) -> Maybe[str]:
    return UNKNOWN if is_unknown(text) else context.material.put(text)


def _archive(inputs: Pkcs12Inputs, passphrase: str, context: Context) -> str:
    key_pem, certificate_pem, ca_pem = (
        context.material.get(known(reference)) for reference in (inputs.private_key, inputs.certificate, inputs.ca)
    )
    archive = build_archive(
        name=inputs.name,
        private_key=load_key(key_pem, what="private_key_pem", context=context),
        certificate=load_certificate(certificate_pem, what="certificate_pem"),
        ca_chain=load_chain(ca_pem, what="ca_pem"),
        passphrase=passphrase,
        profile=inputs.profile,
    )
    return base64.b64encode(archive).decode()
