"""main.cf is read without loss, rendered so that it reads back the same, and merged without touching anything else."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from postfix.main_cf import BEGIN_MARK, END_MARK, Remark, merge, parse_main_cf, read_parameters, render_whole
from postseal_core.errors import ConfigError

NAMES = st.sampled_from(
    ["myhostname", "mynetworks", "smtpd_banner", "smtpd_tls_loglevel", "smtpd_relay_restrictions", "tls_ssl_options"]
)
VALUES = st.text(alphabet="ab,# \t{}=$é'\"", max_size=120).map(lambda value: value.strip(" \t"))
PARAMETERS = st.dictionaries(NAMES, VALUES, max_size=6)
LINES = st.sampled_from(
    [
        "",
        "# a remark",
        "  # an indented remark",
        "  continued, further",
        "\tand more",
        "myhostname = mx1.example.org",
        "mynetworks=127.0.0.0/8",
        "mynetworks =",
        "smtpd_banner = $myhostname  ESMTP # not a comment",
        "relayhost = [mx.example.org]:587",
    ]
)
# A block that somebody wrote into or emptied; its marks are whole.
BLOCKS = st.lists(LINES.filter(lambda line: not line.startswith(("  c", "\t"))), max_size=3).map(
    lambda lines: [BEGIN_MARK, *lines, END_MARK]
)


@st.composite
def main_cf_texts(draw: st.DrawFn) -> str:
    """Return main.cf texts with continuations, inner remarks, duplicates, both line ends and at most one block."""
    line_break = draw(st.sampled_from(["\n", "\r\n"]))
    above, below = draw(st.lists(LINES, max_size=8)), draw(st.lists(LINES, max_size=4))
    block = draw(st.one_of(st.just([]), BLOCKS))
    # A value that goes on across a mark is refused, see below.
    above += ["a_b = c"] if block else []
    below = [line for line in below if not block or not line.startswith(("  c", "\t"))]
    return line_break.join([*above, *block, *below]) + draw(st.sampled_from(["", line_break]))


def remarks_of(text: str) -> list[str]:
    """Return all comments in order, wherever they stand, without the marks of the block."""
    lines = [line.strip() for line in text.split("\n")]
    return [line for line in lines if line.startswith("#") and line not in (BEGIN_MARK, END_MARK)]


@given(PARAMETERS)
def test_what_is_rendered_reads_back_the_same(parameters: dict[str, str]) -> None:
    """Rendering loses and invents nothing, whatever the values hold and wherever lines are broken."""
    assert read_parameters(render_whole(parameters)) == parameters


@given(main_cf_texts())
def test_reading_keeps_every_byte(text: str) -> None:
    """The lines of all entries, joined, are the text."""
    lines = [
        line for entry in parse_main_cf(text) for line in ([entry.line] if isinstance(entry, Remark) else entry.lines)
    ]
    assert "\n".join(lines) == text


@given(main_cf_texts(), PARAMETERS, st.lists(NAMES))
@example(f"{BEGIN_MARK}\n# a remark\n{END_MARK}\n  continued, further", {"myhostname": ""}, [])
def test_merge_sets_the_declared_and_touches_nothing_else(
    text: str, declared: dict[str, str], before: list[str]
) -> None:
    """After a merge the declared values hold, dropped names are gone, all others and every comment are as before."""
    merged = merge(text, declared, before)
    others = {name: value for name, value in read_parameters(text).items() if name not in {*declared, *before}}
    assert read_parameters(merged) == others | {name: " ".join(value.split("\n")) for name, value in declared.items()}
    assert remarks_of(merged) == remarks_of(text)


@given(main_cf_texts(), PARAMETERS, st.lists(NAMES))
@example(f"{BEGIN_MARK}\n{END_MARK}\n  continued, further", {"myhostname": ""}, [])
def test_merging_again_changes_no_byte(text: str, declared: dict[str, str], before: list[str]) -> None:
    """A second merge of the same declaration returns identical bytes."""
    once = merge(text, declared, before)
    assert merge(once, declared, declared) == once


@given(st.lists(LINES.filter(lambda line: not line.startswith(("mynetworks", "# ---"))), max_size=8), VALUES)
def test_a_parameter_that_comes_and_goes_leaves_no_trace(lines: list[str], value: str) -> None:
    """Taking back what was added to a file with a final line break gives the same bytes as before."""
    text = "".join(f"{line}\n" for line in lines)
    assert merge(merge(text, {"mynetworks": value}), {}, ["mynetworks"]) == text


FILE = """\
# Site file, see the wiki
myhostname = mx1.example.org
smtpd_tls_security_level = none

smtpd_relay_restrictions = permit_mynetworks,
    # our partners
    permit_tls_clientcerts,

    reject_unauth_destination
# after
smtpd_tls_security_level=may
relayhost =
"""


@pytest.mark.parametrize(
    ("declared", "before", "changes"),
    [
        pytest.param({}, [], [], id="nothing declared"),
        pytest.param({"smtpd_tls_loglevel": "1"}, ["relayhost"], [("relayhost =\n", "")], id="dropped"),
        pytest.param(
            {"smtpd_tls_security_level": "encrypt"},
            [],
            [("smtpd_tls_security_level = none\n", ""), ("level=may", "level = encrypt")],
            id="duplicate: the effective one is replaced, the other goes",
        ),
        pytest.param(
            {"smtpd_relay_restrictions": "permit_mynetworks, permit_tls_clientcerts, reject_unauth_destination"},
            [],
            [],
            id="same value on other lines",
        ),
        pytest.param(
            {"smtpd_relay_restrictions": "permit_mynetworks, reject"},
            [],
            [
                ("permit_mynetworks,\n    # our partners", "permit_mynetworks, reject\n    # our partners"),
                ("    permit_tls_clientcerts,\n\n    reject_unauth_destination\n", "\n"),
            ],
            id="comments inside a replaced value stay",
        ),
    ],
)
def test_merge_makes_just_these_changes(
    declared: dict[str, str], before: list[str], changes: list[tuple[str, str]]
) -> None:
    """The merged file is the old one with the listed replacements, and with the new parameters in one block."""
    expected = FILE
    for old, new in changes:
        expected = expected.replace(old, new)
    if "smtpd_tls_loglevel" in declared:
        expected += f"\n{BEGIN_MARK}\nsmtpd_tls_loglevel = 1\n{END_MARK}\n"
    assert merge(FILE, declared, before) == expected


BLOCK = f"{BEGIN_MARK}\nsoft_bounce = yes\n{END_MARK}\n"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param(f"a = b\n{BEGIN_MARK}\nc = d\n", [2], id="the end mark is lost"),
        pytest.param(f"a = b\n{END_MARK}\nc = d\n", [2], id="the begin mark is lost"),
        pytest.param(f"{BEGIN_MARK}\n{BLOCK}", [1, 2], id="two begin marks"),
        pytest.param(f"{BLOCK}{END_MARK}\n", [4], id="two end marks"),
        pytest.param(BLOCK + BLOCK, [4], id="two blocks"),
        pytest.param(f"{END_MARK}\n{BEGIN_MARK}\n", [1, 2], id="the wrong way round"),
        pytest.param(BLOCK.replace("end of", "END of"), [1, 3], id="an end mark in other letters"),
        pytest.param(BLOCK.replace("parameters ---", "parameters"), [1, 3], id="an end mark without its tail"),
        pytest.param(
            BLOCK.replace("# --- Postseal: end", "## Postseal:  end"), [1, 3], id="an end mark with other signs"
        ),
        pytest.param(BLOCK.replace("; change them in the stack file", ""), [1, 3], id="a begin mark that is cut short"),
        pytest.param(f"{BLOCK}  and more\n", [3], id="a value that goes on behind the end mark"),
        pytest.param(f"a = b\n{BEGIN_MARK}\n c\n{END_MARK}\n", [2], id="a value that goes on behind the begin mark"),
    ],
)
@pytest.mark.parametrize("line_break", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_marks_that_are_not_one_pair_are_refused_with_their_lines(text: str, lines: list[int], line_break: str) -> None:
    """Whose the lines between them are cannot be told, whatever is declared."""
    text = text.replace("\n", line_break)
    for declared in ({}, {"soft_bounce": "no"}, {"x": "1"}):
        with pytest.raises(ConfigError) as caught:
            merge(text, declared, ["soft_bounce"])
        named = dict.fromkeys(problem.path for problem in caught.value.problems)
        assert [*named] == [f"main.cf line {line}" for line in lines]


@pytest.mark.parametrize("line_break", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_whole_pair_of_marks_is_no_fault_and_neither_is_a_remark_about_us(line_break: str) -> None:
    """The control: the same lines with both marks are merged, and others may speak of us."""
    text = f"# see Postseal: the wiki\na = b\n{BLOCK}c = d\n".replace("\n", line_break)
    merged = merge(text, {}, ["soft_bounce"])
    assert read_parameters(merged) == {"a": "b", "c": "d"}


def test_a_second_new_parameter_joins_the_block() -> None:
    """There is one block of added parameters, and it goes when its last parameter goes."""
    one = merge("a = b\n", {"x": "1"})
    both = merge(one, {"x": "1", "y": "2"}, ["x"])
    assert both == f"a = b\n\n{BEGIN_MARK}\nx = 1\ny = 2\n{END_MARK}\n"
    assert merge(both, {}, ["x", "y"]) == "a = b\n"


def test_new_lines_end_as_the_files_lines_do() -> None:
    """A file with CRLF line ends gets CRLF line ends, also in lists on several lines."""
    merged = merge("a = b\r\n", {"mynetworks": ", ".join(f"192.0.2.{number}/32" for number in range(9))})
    assert merged.count("\n") == merged.count("\r\n") > 10


@pytest.mark.parametrize(
    ("name", "value"),
    [("myhostname", "mx1\nsmtpd_tls_security_level = none"), ("a\nb", "c"), ("a = b", "c"), ("a", "b\r"), ("", "b")],
)
def test_no_value_can_become_a_second_parameter(name: str, value: str) -> None:
    """Names and values that would not stay one definition are refused by the renderer and the merge."""
    with pytest.raises(ConfigError):
        render_whole({name: value})
    with pytest.raises(ConfigError):
        merge("", {name: value})


def test_lines_that_define_nothing_are_all_named() -> None:
    """A file over which Postfix would not start is refused with every bad line's number."""
    with pytest.raises(ConfigError) as caught:
        parse_main_cf("a = b\nnonsense\n# fine\n= c\n")
    assert [problem.path for problem in caught.value.problems] == ["main.cf line 2", "main.cf line 4"]


def test_a_long_list_has_one_item_on_each_line_and_a_long_text_has_not() -> None:
    """Lines are broken where Postfix ignores blanks, never inside braces and never in free text."""
    text = render_whole(
        {
            "smtpd_banner": "x, " * 40 + "y",
            "relay_clientcerts": "inline:{ AA:BB=one, CC:DD=two }, texthash:$config_directory/clients, hash:/x",
        }
    )
    assert "relay_clientcerts =\n    inline:{ AA:BB=one, CC:DD=two },\n    texthash:" in text
    assert "x, " * 40 + "y" in text


@pytest.mark.parametrize(("length", "lines"), [(79, 1), (80, 3)])
def test_a_list_is_broken_where_its_line_is_longer_than_a_terminal(length: int, lines: int) -> None:
    """79 characters fit."""
    value = "10.0.0.0/8 ".ljust(length - len("mynetworks = "), "1")
    rendered = render_whole({"mynetworks": value}).partition("# Who may relay\n")[2]
    assert len(rendered.splitlines()) == lines
    assert read_parameters(rendered) == {"mynetworks": value}


GROUPS = {
    "General": ["compatibility_level", "myhostname", "mydomain", "myorigin", "mydestination", "inet_protocols"],
    "TLS, receiving mail: smtpd(8)": [
        "smtpd_tls_CAfile",
        "smtpd_use_tls",
        "smtpd_enforce_tls",
        "smtpd_starttls_timeout",
    ],
    "TLS, sending mail: smtp(8)": [
        *("smtp_tls_CAfile", "lmtp_tls_CAfile", "smtp_dns_support_level", "smtp_starttls_timeout"),
        *("transport_maps", "relayhost"),
    ],
    "TLS, everywhere": [
        "tls_random_source",
        "tlsproxy_tls_CAfile",
        "tlsmgr_service_name",
        "postscreen_tls_security_level",
    ],
    "Who may relay": ["mynetworks", "mynetworks_style", "relay_domains", "smtpd_sasl_path", "smtpd_helo_restrictions"],
    "Other parameters": ["biff", "smtpd_banner", "postscreen_greet_wait", "smtp_bind_address", "my_tls_file"],
}


def test_parameters_stand_below_what_they_are_about() -> None:
    """Groups come in the order in which a reader asks; those without parameters have no title."""
    names = [name for group in reversed(GROUPS.values()) for name in group]
    _, *sections = render_whole(dict.fromkeys(names, "x")).strip("\n").split("\n\n")
    found = {
        title.removeprefix("# "): [line.partition(" = ")[0] for line in lines]
        for title, *lines in (section.split("\n") for section in sections)
    }
    assert [*found.items()] == [*GROUPS.items()]
    assert render_whole({"biff": "no"}).endswith("\n\n# Other parameters\nbiff = no\n")
