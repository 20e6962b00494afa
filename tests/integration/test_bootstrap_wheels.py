"""What the bootstrap installs with pip is what its hashes say, with the real pip and a package index of our own."""

import base64
import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from toolchain.errors import ToolchainError
from toolchain.layout import locate
from toolchain.virtualenv import ensure_uv, install_uv

ROOT = Path(__file__).parents[2]


def publish_wheel(index: Path, program: str) -> str:
    """Write a wheel of `uv` whose only program prints this text, and return its SHA-256."""
    index.mkdir(exist_ok=True)
    files = {
        "uv-0.13.9.data/scripts/uv": f"#!/bin/sh\necho {program}\n",
        "uv-0.13.9.dist-info/METADATA": "Metadata-Version: 2.1\nName: uv\nVersion: 0.13.9\n",
        "uv-0.13.9.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{name},sha256={_record_hash(text)},{len(text)}\n" for name, text in files.items()]
    wheel = index / "uv-0.13.9-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr("uv-0.13.9.dist-info/RECORD", "".join(record) + "uv-0.13.9.dist-info/RECORD,,\n")
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def _record_hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def machine(directory: Path, index: Path) -> dict[str, str]:
    """Return the environment of a machine without uv whose only package index is a directory."""
    (directory / "home").mkdir(exist_ok=True)
    return {
        "HOME": str(directory / "home"),
        "PATH": "/usr/bin:/bin",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(index),
        "PIP_CONFIG_FILE": os.devnull,
    }


def test_the_wheel_that_the_hash_names_is_installed(tmp_path: Path) -> None:
    """The control: name, version and hash fit."""
    index, requirements = tmp_path / "index", tmp_path / "requirements.txt"
    requirements.write_text(f"uv==0.13.9 --hash=sha256:{publish_wheel(index, 'genuine')}\n")
    install_uv(tmp_path / "uv", requirements, machine(tmp_path, index))
    assert "genuine" in (tmp_path / "uv/bin/uv").read_text()


def test_a_wheel_with_another_hash_is_never_installed(tmp_path: Path) -> None:
    """Whoever can exchange a wheel on the index would run as the user: same name, same version, other content."""
    index = tmp_path / "index"
    publish_wheel(index, "exchanged")
    environment = machine(tmp_path, index)
    layout = locate(ROOT, environment)
    with pytest.raises(ToolchainError, match="hashes do not match"):
        ensure_uv(layout, environment)
    assert not (layout.uv / "bin/uv").exists()
