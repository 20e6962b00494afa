"""The types that each handler serves, under the names that states of users have, and which of them have a history."""

import pytest

from pki.archive.handler import Pkcs12Handler
from pki.certificate.handler import CertificateHandler
from pki.hand_out.handler import HandOutHandler
from pki.imported_certificate.handler import ImportedCertificateHandler
from pki.requested_authority.handler import RequestedAuthorityHandler
from pki.revocation_list.handler import RevocationListHandler
from pki.roster.handler import ClientRosterHandler
from postfix.host_resource.handler import HostHandler
from postseal.provider import handlers
from postseal_core.plugin.handler import HandlerBase

TYPES: dict[type[HandlerBase], tuple[tuple[str, ...], bool]] = {  # type: ignore[type-arg]  # of any records
    CertificateHandler: (("Certificate", "ClientCertificate", "ServerCertificate"), True),
    ClientRosterHandler: (("ClientRoster",), True),
    RequestedAuthorityHandler: (("RequestedAuthority",), True),
    RevocationListHandler: (("RevocationList",), True),
    ImportedCertificateHandler: (("ImportedCertificate", "ThirdPartyClientCertificate"), False),
    Pkcs12Handler: (("Pkcs12",), False),
    HandOutHandler: (("HandOut",), False),
    HostHandler: (("PostfixHost", "MailServer", "RelayClient"), False),
}


@pytest.mark.parametrize("handler", TYPES, ids=lambda handler: handler.__name__)
def test_a_type_keeps_the_name_that_states_have(handler: type[HandlerBase]) -> None:  # type: ignore[type-arg]
    """Under another one, everything would be made anew; what has a history is never replaced."""
    names, has_history = TYPES[handler]
    assert handler.type_tokens == tuple(f"postseal:index:{name}" for name in names)
    assert handler.has_history is has_history


def test_every_handler_is_listed_here() -> None:
    """The one list cannot forget what the other has."""
    served: set[type] = {type(handler) for handler in handlers()}
    assert served == {*TYPES}
