"""Stacks of this repository's own program in a directory of their own, with a stack file that the test writes."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509

from postseal_core.files.tree import MARK_FILE
from postseal_core.instants import format_instant
from tests.support.engine import REPOSITORY, Stack, copy_project
from tests.support.judges import LintRole, Purpose, openssl_verify_strict, pkilint_findings
from tests.support.test_authority import Credential

__all__ = [
    "CERTIFICATES",
    "MailStack",
    "certificates",
    "copy_example",
    "custom_resources",
    "faults_of_certificates",
    "file_modes",
    "handed_out",
    "load_certificates",
    "mail_stack",
    "open_parts",
    "resource_outputs",
    "revealed",
    "table_rows",
    "told_of_generations",
    "tree",
]

NAMESPACE = "mail-pki"
CERTIFICATES = tuple(f"postseal:index:{kind}" for kind in ("Certificate", "ServerCertificate", "ClientCertificate"))
"""Types of resources that are one certificate each; those of authorities and interim ones have the general type."""
_PURPOSES: Mapping[str, Sequence[Purpose]] = {
    "server": (Purpose.SERVER,),
    "client": (Purpose.CLIENT,),
    "server_and_client": (Purpose.SERVER, Purpose.CLIENT),
}


@dataclass(frozen=True, slots=True)
class MailStack:
    """A stack of the repository's program; `declare` writes its stack file."""

    stack: Stack

    @property
    def project(self) -> Path:
        """The project's directory."""
        return self.stack.project

    @property
    def out(self) -> Path:
        """Where the stack puts what it hands out, and its hosts."""
        return self.project / "out" / self.stack.name

    def declare(
        self, sections: Mapping[str, Any], *, clock: datetime | None = None, is_rehearsal: bool | None = None
    ) -> None:
        """Write the stack file: its sections, and the secrets that were set before.

        `clock`: let the stack live at this instant; as a rehearsal, unless `is_rehearsal` is False.
        """
        path = self.project / f"stacks/Pulumi.{self.stack.name}.yaml"
        settings: dict[str, Any] = yaml.safe_load(path.read_text())
        secrets = {key: value for key, value in settings.get("config", {}).items() if _is_secret(value)}
        declared = {f"{NAMESPACE}:{name}": section for name, section in sections.items()}
        if clock:
            declared |= {"postseal:clock": format_instant(clock), "postseal:rehearsal": str(is_rehearsal is not False)}
        path.write_text(yaml.safe_dump({**settings, "config": {**secrets, **declared}}, sort_keys=False))


def copy_example(name: str, directory: Path) -> Path:
    """Copy one of the examples to a directory of its own, with the plugin of this checkout."""
    source = REPOSITORY / "examples" / name
    shutil.copytree(source, directory, ignore=shutil.ignore_patterns("out", "Pulumi.*.yaml", "__pycache__"))
    project = yaml.safe_load((source / "Pulumi.yaml").read_text())
    for provider in project["plugins"]["providers"]:
        provider["path"] = str((source / provider["path"]).resolve())
    (directory / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    return directory


def mail_stack(directory: Path, home: Path, **options: Any) -> MailStack:
    """Return a fresh stack `test` of a copy of the repository's program; `options` as of `Stack`."""
    project = copy_project(REPOSITORY, directory / "project")
    return MailStack(Stack(project, directory / "backend", home, **options).init())


def custom_resources(state: Mapping[str, Any], type_token: str = "") -> list[Mapping[str, Any]]:
    """Return the resources of an exported state that a provider keeps, all or those of one type."""
    resources = state["deployment"].get("resources") or []
    return [
        each
        for each in resources
        if each.get("custom") and not each["type"].startswith("pulumi:") and type_token in ("", each["type"])
    ]


def resource_outputs(state: Mapping[str, Any], type_token: str) -> dict[str, Mapping[str, Any]]:
    """Return the outputs of every resource of a type by its name."""
    return {each["urn"].rpartition("::")[2]: each["outputs"] for each in custom_resources(state, type_token)}


def open_parts(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs of every resource by its URN, secrets left out: their encryption differs at each writing."""
    return {
        each["urn"]: {name: value for name, value in each["outputs"].items() if "ciphertext" not in str(value)}
        for each in custom_resources(state)
    }


def revealed(value: Any) -> Any:
    """Return a value of a state that was exported with its secrets: itself, or what the secret holds."""
    return json.loads(value["plaintext"]) if isinstance(value, dict) and "plaintext" in value else value


def certificates(state: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the outputs of every certificate that the stack has issued, by the resource's name."""
    return {name: each for token in CERTIFICATES for name, each in resource_outputs(state, token).items()}


def told_of_generations(shown: str, name: str) -> str:
    """Return what a preview with `--diff` says of the generations of a certificate; empty where it says nothing."""
    found = re.search(rf'::{re.escape(name)}\]\n[^\[]*?generations *: "(.*)"', shown)
    return found[1] if found else ""


def load_certificates(chain_pem: str) -> list[x509.Certificate]:
    """Return the certificates of a PEM text."""
    return x509.load_pem_x509_certificates(chain_pem.encode())


def faults_of_certificates(state: Mapping[str, Any], profiles: Mapping[str, str]) -> Iterator[str]:
    """Say what `openssl verify -x509_strict` and pkilint have against the certificates of a stack.

    `profiles` maps the name of each certificate to its profile. Trusted are those of profile root.
    """
    issued = certificates(state)
    roots = [load_certificates(issued[name]["certificate_pem"])[0] for name in issued if profiles[name] == "root"]
    for name, outputs in issued.items():
        leaf, *between = load_certificates(outputs["chain_pem"])
        for purpose in _PURPOSES.get(profiles[name], ()):
            verdict = openssl_verify_strict(
                leaf, roots=roots, intermediates=between, purpose=purpose, at=datetime.now(UTC)
            )
            yield from [] if verdict.is_accepted else [f"{name} for {purpose}: {verdict.report}"]
        findings = pkilint_findings(outputs["certificate_pem"], LintRole.CERTIFICATE)
        yield from (f"{name}: {each}" for each in findings if each.severity in ("ERROR", "FATAL"))


def handed_out(out: Path, name: str, kind: str = "clients") -> Credential:
    """Return what a client was handed, read from its files below `out`; `kind`: `rosters/staff` for one of a roster."""
    directory = out / kind / name
    texts = (directory / file_name for file_name in (f"{name}.cert.pem", f"{name}.key.pem", "ca.pem"))
    return Credential(*(path.read_text() for path in texts))


def table_rows(host: Path) -> dict[str, str]:
    """Return relay_clientcerts of a rendered host: who is behind each fingerprint, and the remarks."""
    lines = (host / "relay_clientcerts").read_text().splitlines()
    return dict(line.split(maxsplit=1) for line in lines if not line.startswith("#"))


def tree(directory: Path) -> dict[str, bytes]:
    """Return every file below a directory with its content, our marks left out."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in _files_below(directory)}


def file_modes(directory: Path) -> dict[str, int]:
    """Return the permissions of every file below a directory, our marks left out."""
    return {str(path.relative_to(directory)): path.stat().st_mode & 0o7777 for path in _files_below(directory)}


def _files_below(directory: Path) -> Iterator[Path]:
    return (path for path in directory.rglob("*") if path.is_file() and path.name != MARK_FILE)


def _is_secret(value: object) -> bool:
    return isinstance(value, dict) and "secure" in value
