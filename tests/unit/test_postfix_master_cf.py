"""Services are rendered so that master.cf stays well formed, and merged into a file that is not ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.master_cf import (
    BASE_SERVICES,
    BEGIN_MARK,
    END_MARK,
    Service,
    merge_services,
    problems_of_services,
    read_service_keys,
    render_services,
    render_whole_services,
)
from postseal_core.errors import ConfigError

FILE = """\
# ours
smtp      inet  n       -       y       -       -       smtpd
  -o syslog_name=postfix/in
maildrop  unix  -       n       n       -       -       pipe
  flags=DRXhu user=vmail argv=/usr/bin/maildrop -d ${recipient}
"""
SERVICES = st.lists(
    st.builds(Service, st.sampled_from(["t-a", "t-b", "t-c"]), st.just("unix"), st.just("smtp")),
    unique_by=lambda service: service.name,
)
TEXTS = st.tuples(st.lists(st.sampled_from([*FILE.splitlines(), ""])), st.sampled_from(["\n", "\r\n"])).map(
    lambda drawn: "".join(line + drawn[1] for line in drawn[0])
)


def test_options_stand_in_braces_on_lines_of_their_own() -> None:
    """Values with blanks need braces; without them smtpd dies at start."""
    service = Service("t-a", "unix", "smtp", options=(("smtp_tls_ciphers", "high"), ("mynetworks", "::1 127.0.0.1")))
    assert render_services([service]) == (
        "t-a        unix       -       -       y       -       -       smtp\n"
        "    -o { smtp_tls_ciphers = high }\n"
        "    -o { mynetworks = ::1 127.0.0.1 }\n"
    )


def test_an_empty_option_is_kept() -> None:
    """Nothing is a value too: it takes away what main.cf says."""
    service = Service("t-a", "unix", "smtp", options=(("relayhost", ""),))
    assert "    -o { relayhost = }\n" in render_services([service])


def test_a_whole_file_has_every_base_service_once() -> None:
    """A file that is ours receives, queues, relays and delivers."""
    assert read_service_keys(render_whole_services(BASE_SERVICES)) == [service.key for service in BASE_SERVICES]
    assert problems_of_services(BASE_SERVICES) == []


@given(TEXTS, SERVICES, SERVICES)
def test_merge_changes_nothing_outside_its_block(text: str, first: list[Service], second: list[Service]) -> None:
    """Services may change and go again, and the file is byte for byte what it was."""
    once = merge_services(text, first)
    twice = merge_services(once, second, [service.key for service in first])
    assert merge_services(twice, second) == twice
    assert read_service_keys(twice) == [*read_service_keys(text), *(service.key for service in second)]
    assert merge_services(twice, [], [service.key for service in second]) == text


def test_the_block_stands_at_the_end_behind_an_empty_line() -> None:
    """What is ours is marked as ours."""
    merged = merge_services(FILE, [Service("t-a", "unix", "smtp")])
    assert merged.startswith(f"{FILE}\n{BEGIN_MARK}\nt-a ")
    assert merged.endswith(f"smtp\n{END_MARK}\n")


@pytest.mark.parametrize(
    "service",
    [
        pytest.param(Service("t a", "unix", "smtp"), id="blank in a name"),
        pytest.param(Service("#t", "unix", "smtp"), id="comment"),
        pytest.param(Service("t\nx", "unix", "smtp"), id="line break"),
        pytest.param(Service("t", "tcp", "smtp"), id="unknown type"),
        pytest.param(Service("t", "unix", "smtp -v"), id="arguments in the command"),
        pytest.param(Service("t", "unix", "smtp", options=(("a", "x }"),)), id="brace that ends the option"),
        pytest.param(Service("t", "unix", "smtp", options=(("a", "}{"),)), id="braces the wrong way round"),
        pytest.param(Service("t", "unix", "smtp", options=(("a", "x\ny"),)), id="line break in a value"),
        pytest.param(Service("t", "unix", "smtp", options=(("a b", "x"),)), id="blank in an option's name"),
    ],
)
def test_a_service_that_would_break_the_file_is_one_problem(service: Service) -> None:
    """Postfix does not start over a malformed master.cf."""
    assert len(problems_of_services([service])) == 1
    with pytest.raises(ConfigError):
        render_services([service])


def test_a_service_is_declared_once() -> None:
    """Of two services with one name and type, Postfix would take the last."""
    assert len(problems_of_services([Service("t", "unix", "smtp"), Service("t", "unix", "lmtp")])) == 1
    assert problems_of_services([Service("t", "unix", "smtp"), Service("t", "inet", "smtpd")]) == []


def test_a_name_that_the_file_has_already_is_refused() -> None:
    """What others configured is not replaced by accident."""
    with pytest.raises(ConfigError):
        merge_services(FILE, [Service("maildrop", "unix", "smtp")])


OURS = Service("t-a", "unix", "smtp")
BLOCK = f"{BEGIN_MARK}\n{render_services([OURS])}{END_MARK}\n"
THEIRS = "theirs    unix  -       n       n       -       -       pipe\n  argv=/bin/theirs\n"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param(FILE + BLOCK.replace(END_MARK + "\n", "") + THEIRS, [6], id="the end mark is lost"),
        pytest.param(
            FILE + BLOCK.replace(END_MARK + "\n", "") + THEIRS + BLOCK,
            [6, 10],
            id="lost, and a second block since then",
        ),
        pytest.param(FILE + BLOCK.replace(BEGIN_MARK + "\n", "") + THEIRS, [7], id="the begin mark is lost"),
        pytest.param(FILE + BEGIN_MARK + "\n" + BLOCK, [7], id="two begin marks"),
        pytest.param(FILE + BLOCK + THEIRS + END_MARK + "\n", [11], id="two end marks"),
        pytest.param(BLOCK.replace("services ---", "services", 1) + THEIRS, [1], id="an edited begin or end mark"),
        pytest.param(BLOCK.replace("# --- Postseal: end", "# Postseal end"), [1], id="an end mark beyond recognition"),
        pytest.param(FILE + BLOCK.replace(END_MARK, THEIRS + END_MARK), [8], id="somebody else's service in the block"),
    ],
)
@pytest.mark.parametrize("line_break", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_block_never_swallows_what_follows(text: str, lines: list[int], line_break: str) -> None:
    """Marks that are not one pair, and services between them that are not ours, are refused with their lines."""
    for services in ([], [OURS], [Service("t-b", "unix", "smtp")]):
        with pytest.raises(ConfigError) as caught:
            merge_services(text.replace("\n", line_break), services, [OURS.key])
        named = [problem.path for problem in caught.value.problems]
        assert set(named) >= {f"master.cf line {line}" for line in lines}
        assert all(path.startswith("master.cf line ") for path in named)


def test_a_whole_block_goes_and_what_follows_stays() -> None:
    """The control: with both marks, only what stands between them is taken."""
    assert merge_services(FILE + "\n" + BLOCK + THEIRS, [], [OURS.key]) == FILE + THEIRS
