"""What is said of a state's address never holds what opens it, however the address is broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal.state_address import address_shown, directory_of, without_secrets


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("file:///srv/a@b/state?metadata=skip", "file:///srv/a@b/state"),
        ("s3://bucket/states?region=eu-1", "s3://bucket/states"),
        ("https://api.example.org", "https://api.example.org"),
        ("postgres://pg:secret@db.example.org:5432/states?sslmode=require", "postgres://db.example.org:5432/states"),
        ("postgres://pg:secret@[::1]:5432/states", "postgres://[::1]:5432/states"),
        ("postgres://db/states?password=secret", "postgres://db/states"),
        ("postgres://pg:sec/ret@db/states", "postgres://..."),
        ("postgres://pg:sec?ret@db/states", "postgres://..."),
        ("postgres://pg:sec#ret@db/states", "postgres://..."),
        ("postgres://pg:sec@ret@db/states", "postgres://..."),
        ("postgres://pg:sec[ret@db/states", "postgres://db/states"),
        ("postgres://pg:secret", "postgres://..."),
        ("postgres://pg:sec\u2100ret@db/states", "postgres://db/states"),
        ("postgres://db/states?password=sec@ret", "postgres://..."),
        ("pg:secret@db", "an address that cannot be read"),
        ("user=pg password=secret", "an address that cannot be read"),
        ("secret secret://db", "an address that cannot be read"),
    ],
)
def test_an_address_is_shown_without_user_and_password(url: str, shown: str) -> None:
    """Of one in which nobody can tell where the password ends only the kind is said."""
    assert address_shown(url) == shown


@pytest.mark.parametrize(
    ("text", "url", "said"),
    [
        ("no stack named 'x' found", "postgres://pg:secret@db/x", "no stack named 'x' found"),
        ("opening postgres://pg:secret@db/x: no", "postgres://pg:secret@db/x", "opening postgres://db/x: no"),
        ('parse: invalid port ":sec"', "postgres://pg:sec/ret@db/x", None),
        ("at postgres://db/x?password=a%20secret", "postgres://db/x?password=a%20secret", "at postgres://db/x"),
        ("wrong password: a secret", "postgres://db/x?password=a%20secret", None),
        ("cannot open s3://bucket?x=secret", "s3://key:word@bucket?x=secret", None),
        ("cannot read /srv/state", "file:///srv/state", "cannot read /srv/state"),
        ("anything", "", "anything"),
    ],
)  # fmt: skip
def test_what_the_engine_says_is_shown_where_it_quotes_nothing(text: str, url: str, said: str | None) -> None:
    """Else it is said that it is not shown."""
    shown = without_secrets(text, url)
    assert shown == said if said else shown.startswith("the engine's message is not shown here")


@given(st.text(min_size=1), st.sampled_from(["postgres://u:{}@db/x", "postgres://db/x?password={}", "postgres://{}"]))
def test_no_address_ends_in_an_exception(password: str, form: str) -> None:
    """Whatever it holds; a password of any characters is not in what is shown."""
    secret = f"s3cr3t{password}w0rd"
    shown = address_shown(form.format(secret))
    assert form.endswith("//{}") or secret not in shown
    without_secrets(secret, form.format(secret))


@pytest.mark.parametrize(
    ("url", "directory"),
    [
        ("file:///srv/a%20b?metadata=skip", "/srv/a b"),
        ("file://[x", None),
        ("file://~/state", None),
        ("s3://bucket", None),
        ("", None),
    ],
)
def test_the_directory_of_a_file_backend(url: str, directory: str | None) -> None:
    """Of another backend there is none to look at."""
    assert directory_of(url) == directory
