"""What `make demo` shows at its end."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.test_authority import ThrowAwayAuthority
from toolchain.demo_report import columns, output_lines, read_certificates, report, tree_lines


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    """Lines end with their last letter, not with blanks."""
    assert columns([("a", "bb", "c"), ("aaa", "b", "")]) == ["a    bb  c", "aaa  b"]


def test_the_tree_shows_modes_sizes_and_where_links_lead(tmp_path: Path) -> None:
    """A key's 0600 is what a reader looks for."""
    tls = tmp_path / "tls"
    tls.mkdir(mode=0o755)
    (tls / "mx1.pem").write_text("key")
    (tls / "mx1.pem").chmod(0o600)
    (tls / "now").symlink_to("mx1.pem")
    assert tree_lines(tmp_path) == [
        "drwxr-xr-x           tls/",
        "-rw-------        3    mx1.pem",
        "lrwxrwxrwx        7    now -> mx1.pem",
    ]


def test_an_empty_directory_is_told_as_such(tmp_path: Path) -> None:
    """An empty section would look like an error of the report."""
    assert tree_lines(tmp_path) == ["(none)"]


@pytest.mark.parametrize(
    ("outputs", "lines"),
    [
        ({"b": 1, "a": "x"}, [("a", "x"), ("b", "1")]),
        ({"hosts": {"mx1": {"names": ["a", "b"]}}}, [("hosts.mx1.names", "a, b")]),
        ({"empty": {}}, [("empty", "{}")]),
        ({"chain": "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"}, [("chain", "PEM, 3 lines")]),
        ({"long": "x" * 91}, [("long", "x" * 87 + "...")]),
        ({"two": "a\nb"}, [("two", "a b")]),
    ],
)
def test_an_output_is_one_line_under_its_dotted_name(outputs: dict[str, object], lines: list[tuple[str, str]]) -> None:
    """Objects are opened, lists joined, PEM named, and long values cut."""
    assert list(output_lines(outputs)) == lines


def test_certificates_are_listed_with_names_and_dates(tmp_path: Path, authority: ThrowAwayAuthority) -> None:
    """Every certificate of a chain counts, a link to it does not, and files without one are passed over."""
    credential = authority.issue_server("mx1.example.org", days=(-1, 30))
    credential.write_chain(tmp_path / "chain.pem")
    (tmp_path / "link.pem").symlink_to("chain.pem")
    (tmp_path / "main.cf").write_text("myhostname = mx1.example.org\n")
    (tmp_path / "clients.json").write_text(json.dumps({"chain": credential.certificate_pem}))
    lines = list(read_certificates(tmp_path))
    assert {line.file for line in lines} == {"chain.pem"}
    assert [line.names for line in lines] == ["mx1.example.org"]
    first, last = (datetime.fromisoformat(day) for day in (lines[0].not_before, lines[0].not_after))
    assert (last - first).days == 31


def test_the_report_never_shows_a_private_key(tmp_path: Path, authority: ThrowAwayAuthority) -> None:
    """Of a file with key and certificate the certificate is told, of an output with a key its length."""
    credential = authority.issue_server("mx1.example.org")
    path = credential.write_chain(tmp_path / "chain.pem")
    text = report(tmp_path, {"chain": path.read_text(), "passphrase": "[secret]"})
    assert "mx1.example.org" in text
    assert "PRIVATE KEY" not in text
    key_line = path.read_text().splitlines()[1]
    assert key_line not in text
