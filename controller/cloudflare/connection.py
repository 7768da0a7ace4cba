"""Why a request did not reach Cloudflare: DNS, the network, TLS or a proxy. Nothing was sent, so nothing was applied.

============================================  =========  ==========================================
failure                                       error      hint
============================================  =========  ==========================================
untrusted certificate                         terminal   SSL_CERT_FILE, the clock, the host's name
other TLS failure                             transient  the port, the proxy
unknown name                                  transient  DNS
refused, no route, no answer in time          transient  port and firewall, route, security group
refused by the proxy                          transient  HTTPS_PROXY
============================================  =========  ==========================================
"""

import re
import socket
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from controller.errors import CallError, TerminalError, TransientError, causes_of

#: What httpx raises before it sends the request.
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)

#: OpenSSL's verification codes (x509_vfy.h): not yet valid and expired; the two of a host that it does not name.
_DATES, _NAMES = frozenset({9, 10}), frozenset({62, 64})


@dataclass(slots=True)
class Route:
    """The way of a request for ``url``, as httpcore reports it: give it to httpx as the extension ``trace``."""

    url: str
    connected_to: str = ""  # the proxy's address if one is used
    secured_with: str = ""  # the host of the last TLS handshake

    def __call__(self, event: str, info: dict[str, Any]) -> None:
        """Note what an attempt to connect begins with."""
        if event.endswith("connect_tcp.started"):
            self.connected_to = f"{info['host']}:{info['port']}"
        elif event.endswith("start_tls.started"):
            self.secured_with = info["server_hostname"]

    @property
    def by_proxy(self) -> bool:
        """Return whether a proxy was called."""
        return self.connected_to not in ("", self._target)

    @property
    def peer(self) -> str:
        """Return the address that was called, for a message."""
        return f"the proxy {self.connected_to}" if self.by_proxy else self._target

    @property
    def _target(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def not_reached(error: Exception, route: Route, connect_seconds: float) -> CallError:
    """Return the error for a request that failed with one of ``UNSENT``."""
    cause = next((each for each in causes_of(error) if isinstance(each, OSError)), None)
    peer = route.peer
    proxy = " Check the proxy in HTTPS_PROXY, too." if route.by_proxy else ""
    match cause:
        case _ if isinstance(error, httpx.ProxyError):
            return _by_proxy(error)
        case ssl.SSLCertVerificationError():
            return _untrusted(cause, route)
        case ssl.SSLError():
            reason = (cause.reason or type(cause).__name__).lower().replace("_", " ")
            message = f"the TLS handshake with {route.secured_with} failed ({reason})"
            hint = f"Check that CLOUDFLARE_BASE_URL names a port that speaks TLS.{proxy}"
        case socket.gaierror():
            message = f"cannot resolve the name of {peer} ({cause.strerror})"
            hint = "Check HTTPS_PROXY." if route.by_proxy else "Check DNS on this machine, or in the function's VPC."
        case ConnectionRefusedError():
            message = f"{peer} refused the connection"
            hint = "Check HTTPS_PROXY." if route.by_proxy else "Check CLOUDFLARE_BASE_URL and the firewall."
        case _ if isinstance(error, httpx.PoolTimeout):
            message, hint = "all connections are in use", "The next pass tries again."
        case _ if isinstance(error, httpx.ConnectTimeout):
            message = f"no answer from {peer} within {connect_seconds:.3g} seconds"
            hint = f"Check firewalls and security groups. A function in a VPC needs a NAT gateway.{proxy}"
        case _:
            reason = (cause.strerror if cause else None) or type(cause or error).__name__
            message = f"no connection to {peer} ({reason})"
            hint = f"Check network and routes. A function in a VPC needs a NAT gateway.{proxy}"
    return TransientError(f"Cannot reach Cloudflare: {message}.", hint)


def _untrusted(error: ssl.SSLCertVerificationError, route: Route) -> TerminalError:
    """Return the error for a certificate; trying again does not change it."""
    message = f"Cannot trust the certificate that {route.secured_with} shows: {error.verify_message}."
    if error.verify_code in _DATES:
        return TerminalError(message, "Check this machine's clock, then the certificate's dates.")
    if error.verify_code in _NAMES:
        return TerminalError(message, "Another server answers there. Check CLOUDFLARE_BASE_URL, DNS and the proxy.")
    return TerminalError(
        message,
        "If a proxy or firewall inspects TLS here, set SSL_CERT_FILE to a file with its CA certificate. Otherwise do "
        "not trust this network.",
    )


def _by_proxy(error: Exception) -> TransientError:
    """Return the error for what a proxy answers instead of opening a tunnel."""
    status = re.match(r"\d{3}\b", str(error))
    message = f"the proxy answered {status[0]}" if status else "the proxy refused the connection"
    match status and status[0]:
        case "407":
            hint = "Check HTTPS_PROXY: the proxy wants another user or password."
        case "401" | "403" | "405":
            hint = "Check HTTPS_PROXY, and allow Cloudflare's API at the proxy."
        case _:
            hint = "Check HTTPS_PROXY, and whether the proxy can reach Cloudflare."
    return TransientError(f"Cannot reach Cloudflare: {message}.", hint)
