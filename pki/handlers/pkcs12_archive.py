"""The resource `Pkcs12`: an archive of a certificate, its key and its chain, made anew only when one changes."""

import base64
from typing import Any, ClassVar

from pki.keys import load_private_key
from pki.pkcs12 import Pkcs12Profile, build_archive, generate_passphrase
from pki.verification import load_certificate, load_chain
from postseal_core.errors import Problem
from postseal_core.plugin.handler import Checked, CheckRequest, Context, Created, HandlerBase
from postseal_core.values import UNKNOWN, Properties, is_unknown

__all__ = ["Pkcs12Handler"]

_CONTENT = ("certificate_pem", "private_key_pem", "ca_pem")
_PASSPHRASE_BYTES = 32


class Pkcs12Handler(HandlerBase):
    """Keeps the archive as long as its content, its profile and its passphrase stay the same."""

    type_token: ClassVar[str] = "postseal:index:Pkcs12"
    secret_inputs: ClassVar[frozenset[str]] = frozenset({"passphrase"})
    secret_outputs: ClassVar[frozenset[str]] = frozenset({"archive_p12_base64", "passphrase"})

    def check(self, request: CheckRequest, context: Context) -> Checked:
        """Validate; hold the content in memory and its digests in the inputs."""
        new = request.new
        problems = _problems(new)
        if problems:
            return Checked({}, tuple(problems))
        inputs = {name: new[name] for name in ("name", "profile", "generation", "passphrase") if name in new}
        for name in _CONTENT:
            inputs[name.removesuffix("_pem")] = UNKNOWN if is_unknown(new[name]) else context.material.put(new[name])
        return Checked(inputs)

    def create(self, inputs: Properties, context: Context, *, is_preview: bool) -> Created:
        """Build the archive, with a generated passphrase where none was declared."""
        outputs = {name: inputs[name] for name in ("name", "profile", "generation")}
        if is_preview:
            return Created(inputs["name"], outputs | {"archive_p12_base64": UNKNOWN, "passphrase": UNKNOWN})
        passphrase = inputs.get("passphrase") or generate_passphrase(context.entropy(_PASSPHRASE_BYTES))
        return Created(inputs["name"], outputs | _archive(inputs, passphrase, context))

    def update(
        self,
        id: str,
        old_outputs: Properties,
        inputs: Properties,
        context: Context,
        *,
        is_preview: bool,
    ) -> dict[str, Any]:
        """Build the archive anew; a generated passphrase stays what it was."""
        kept = inputs.get("passphrase", old_outputs["passphrase"])
        return self.create({**inputs, "passphrase": kept}, context, is_preview=is_preview).outputs


def _problems(new: Properties) -> list[Problem]:
    problems = []
    if new.get("profile") not in tuple(Pkcs12Profile):
        problems.append(Problem("profile", f"got {new.get('profile')!r}, expected one of: modern, legacy"))
    if new.get("passphrase") == "":
        problems.append(Problem("passphrase", "is empty; leave it out to have one generated"))
    problems += [Problem(name, "is missing") for name in ("name", *_CONTENT) if not _is_given(new.get(name))]
    return problems


def _is_given(value: object) -> bool:
    return is_unknown(value) or bool(value)


def _archive(inputs: Properties, passphrase: str, context: Context) -> dict[str, Any]:
    key_pem, certificate_pem, ca_pem = (
        context.material.get(inputs[name]) for name in ("private_key", "certificate", "ca")
    )
    archive = build_archive(
        name=inputs["name"],
        private_key=load_private_key(key_pem, what="private_key_pem"),
        certificate=load_certificate(certificate_pem, what="certificate_pem"),
        ca_chain=load_chain(ca_pem, what="ca_pem"),
        passphrase=passphrase,
        profile=Pkcs12Profile(inputs["profile"]),
    )
    return {"archive_p12_base64": base64.b64encode(archive).decode(), "passphrase": passphrase}
