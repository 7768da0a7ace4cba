"""Cloudflare's edge on loopback, and the desktops behind it: the way that a user's browser goes.

* ``edge.py``      answers by name, as the zone's records and settings say
* ``desktops.py``  web servers that are up, slow, closed, without TLS or with another certificate
* ``tls.py``       the authority behind the certificates
"""

from controller.sandbox.edge.desktops import Kind
from controller.sandbox.edge.edge import Door, Edge

__all__ = ["Door", "Edge", "Kind"]
