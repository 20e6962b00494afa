"""The text that goes with an archive: what its holder gets, until when, and what to do with it; pure.

It says nothing that changes while the certificate stays, so it is as old as the archive beside it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pki.hand_out.records import MailFacts
from postseal_core.values import known

__all__ = ["mail_text"]

_TEXT: Final = """\
Your mail certificate: {name}

With the file {name}.p12 you prove who you are when you send mail through
{relays}
It takes the place of a password for sending. It is yours alone: give the
file to nobody, and delete it where it has come by mail.

  valid until    {until} (UTC)
  the next one   is made from {next} on and handed to you then.
                 Install it soon: the one before it is accepted beside it
                 only for a while.
  fingerprint    {fingerprint}
                 (SHA-256 of the certificate)

The file has a passphrase. It comes to you by another way, never together
with the file. If it came with the file, or if you lose the device on which
you install it, tell your administrator at once.
{profile}
WHAT TO DO

Thunderbird
  1. Settings > Privacy & Security > Certificates > Manage Certificates >
     Your Certificates > Import: choose {name}.p12, give its passphrase.
  2. Account Settings > Outgoing Server > Edit: a server above, Connection
     security STARTTLS (for port 465 SSL/TLS), Authentication method "No
     authentication", unless you were given a password as well. The server
     asks for the certificate by itself; "TLS Certificate" is for servers that
     offer it as a login.
  3. If the server's certificate is not trusted: import ca.pem under
     Authorities, for websites.

Apple Mail on a Mac
  1. Open {name}.p12: Keychain Access asks for the keychain (login) and for
     the passphrase.
  2. Mail > Settings (Preferences) > Accounts > Server Settings > Outgoing
     Mail Account > Edit SMTP Server List > Advanced: choose it as
     TLS Certificate.

iPhone and iPad
  1. Open {name}.p12 from Mail or Files, then Settings > Profile Downloaded >
     Install: your code, then the passphrase. Later it is found in General >
     VPN & Device Management.
  2. Apple does not say whether Mail there shows it to an outgoing server. Try
     it; if sending is refused, ask your administrator.

Windows
  1. Open {name}.p12: the import wizard asks for the passphrase. Choose
     Current User, and let it choose the store.
  2. Programs that use the store of Windows find it there. Microsoft says of
     Outlook for Windows that it does not use such certificates with Exchange;
     if sending is refused, take Thunderbird.

Another Postfix
  Take {name}.key.pem and {name}.cert.pem instead, in this order in one file
  that only root can read, and in main.cf:
     relayhost = {relayhost}
{wrapper}     smtp_tls_security_level = secure
     smtp_tls_CAfile = /etc/postfix/ca.pem
     smtp_tls_chain_files = /etc/postfix/{name}.pem
  ca.pem is right where the server's certificate is of the same authority;
  else name the roots of whoever signed that. It needs Postfix 3.4 or newer.
"""

_UNTOLD: Final = "the mail server of which your administrator tells you."
_WRAPPED: Final = ":465"

_LEGACY: Final = """
It is encrypted in an old way that every program opens. Take more care of the
way it travels.
"""


def mail_text(facts: MailFacts) -> str:
    """Return the text in English, in lines of at most 80 characters but for long names; everything must be known."""
    relays, hop = facts.relays, _next_hop(facts.relays)
    return _TEXT.format(
        name=facts.name,
        relays="\n".join(f"  {each}" for each in relays) if relays else _UNTOLD,
        until=_minute(known(facts.not_after)),
        next=_day(known(facts.renew_at)),
        fingerprint=_in_two_lines(known(facts.fingerprint_sha256)),
        profile=_LEGACY if facts.is_legacy else "",
        relayhost=_with_brackets(hop) if relays else "[the server's name]:25",
        wrapper="     smtp_tls_wrappermode = yes\n" if hop.endswith(_WRAPPED) else "",
    )


def _next_hop(relays: Sequence[str]) -> str:
    """Return the relay for a Postfix: at the port of SMTP if it can be, and with TLS at once only if it must."""
    order = (next((each for each in relays if each.endswith(port)), "") for port in (":25", ":587"))
    return next(filter(None, order), "") or next(iter(relays), "")


def _with_brackets(relay: str) -> str:
    host, _, port = relay.partition(":")
    return f"[{host}]:{port or 25}"


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}"


def _day(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d}"


def _in_two_lines(fingerprint: str) -> str:
    pairs = fingerprint.split(":")
    half = (len(pairs) + 1) // 2
    indent = " " * 17
    return f"{':'.join(pairs[:half])}:\n{indent}{':'.join(pairs[half:])}" if len(pairs) > half else fingerprint
