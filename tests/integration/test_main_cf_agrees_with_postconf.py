"""postconf(1) is the judge of how main.cf is read, rendered and merged."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postfix.main_cf import merge, read_parameters, render_whole

pytestmark = pytest.mark.needs_postfix

NAMES = st.sampled_from(
    ["myhostname", "mynetworks", "smtpd_banner", "smtpd_tls_loglevel", "smtpd_relay_restrictions", "tls_ssl_options"]
)
PARAMETERS = st.dictionaries(NAMES, st.text(alphabet="ab,# =é'\"", max_size=120).map(lambda value: value.strip(" ")))
LINES = st.sampled_from(
    [
        "",
        "   ",
        "# a remark",
        "  # an indented remark",
        "  continued, further",
        "\tand more",
        "myhostname = mx1.example.org",
        "mynetworks=127.0.0.0/8",
        "mynetworks =",
        "smtpd_banner   =   $myhostname  ESMTP # not a comment",
        "relayhost = [mx.example.org]:587",
    ]
)
TEXTS = st.tuples(st.lists(LINES, max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans()).map(
    lambda drawn: drawn[1].join(drawn[0]) + drawn[1] * drawn[2]
)


def parameters_by_postconf(text: str) -> dict[str, str]:
    """Return what postconf -n reads from a main.cf; it folds blanks and adds config_directory."""
    with tempfile.TemporaryDirectory() as directory:
        main_cf = Path(directory, "main.cf")
        main_cf.write_bytes(text.encode())
        Path(directory, "master.cf").touch()
        # Postfix waits until main.cf is two seconds old.
        os.utime(main_cf, (main_cf.stat().st_mtime - 5,) * 2)
        result = subprocess.run(["postconf", "-n", "-c", directory], capture_output=True, check=True)
    pairs = (line.partition("=") for line in result.stdout.decode().splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip() != "config_directory"}


def folded(parameters: dict[str, str]) -> dict[str, str]:
    """Return parameters with runs of blanks folded, as postconf prints them."""
    return {name: " ".join(value.split()) for name, value in parameters.items()}


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_a_file_means_to_us_what_it_means_to_postfix(text: str) -> None:
    """Continuations, inner comments, duplicates and line ends are read as postconf reads them."""
    assert folded(read_parameters(text)) == parameters_by_postconf(text)


@settings(max_examples=60, deadline=None)
@given(PARAMETERS)
def test_postfix_reads_what_was_rendered(parameters: dict[str, str]) -> None:
    """A rendered file gives Postfix the declared values."""
    assert parameters_by_postconf(render_whole(parameters)) == folded(parameters)


@settings(max_examples=60, deadline=None)
@given(TEXTS, PARAMETERS, st.lists(NAMES))
def test_postfix_sees_only_the_merged_change(text: str, declared: dict[str, str], before: list[str]) -> None:
    """After a merge Postfix reads the declared values, and everything else as it did before."""
    others = {name: value for name, value in parameters_by_postconf(text).items() if name not in {*declared, *before}}
    assert parameters_by_postconf(merge(text, declared, before)) == others | folded(declared)
