"""The authority that signs for the sandbox."""

import ssl
from functools import cache

import trustme


class Authority:
    """A certificate authority of its own; ``certificate`` is what a client has to trust."""

    def __init__(self) -> None:
        self._authority = trustme.CA(organization_name="elephant-dns sandbox")
        self.context = cache(self._context)
        """Returns the TLS settings of a server with a certificate for these names."""

    @property
    def certificate(self) -> bytes:
        """Return the authority's own certificate, in PEM."""
        return self._authority.cert_pem.bytes()

    def _context(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*names).configure_cert(context)
        return context

    def trusted(self) -> ssl.SSLContext:
        """Return the TLS settings of a client that trusts this authority alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._authority.configure_trust(context)
        return context
