"""What one look at a link means: facts → verdict, with the cause and what to do. Pure: the asking is in ``ask.py``.

The way has three parts: the name leads to Cloudflare's edge, the edge has a certificate for it, and the edge gets an
answer from the desktop. The first part that does not work decides.

The codes: "Cloudflare 1xxx errors", "Cloudflare 5xx errors" and "Cloudflare error diagnostic headers" in its
documentation.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Whether a user gets to the desktop. ``UNKNOWN``: a person may get further than the probe, or it got nowhere."""

    WORKS = "works"
    BROKEN = "broken"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """The steps of one look, in their order."""

    NAME = "name"
    CONNECT = "connect"
    TLS = "tls"
    ANSWER = "answer"


class Cause(StrEnum):
    """Every verdict. Programs read these words, so none is ever used for something else."""

    WORKS = "works"
    NO_NAME = "no-name"
    NO_RESOLVER = "no-resolver"
    NO_WAY_OUT = "no-way-out"
    NO_CERTIFICATE = "no-certificate"
    NO_TRUST = "no-trust"
    NOT_PROXIED = "not-proxied"
    ACCESS = "access"
    CHALLENGE = "challenge"
    BLOCKED = "blocked"
    EDGE_FAILED = "edge-failed"
    NO_ANSWER = "no-answer"
    ODD_ANSWER = "odd-answer"
    PORT_CLOSED = "port-closed"
    DROPPED = "dropped"
    NO_ROUTE = "no-route"
    TOO_SLOW = "too-slow"
    NO_TLS = "no-tls"
    BAD_CERTIFICATE = "bad-certificate"
    ORIGIN_NAME = "origin-name"
    PROHIBITED_ADDRESS = "prohibited-address"
    FOREIGN_CNAME = "foreign-cname"
    HTTPS_OFF = "https-off"


@dataclass(frozen=True, slots=True)
class Link:
    """A link to probe. ``address`` is its machine's own, where that is known."""

    name: str
    port: int
    instance: str
    meeting: str | None = None
    role: str | None = None
    address: str | None = None

    @property
    def url(self) -> str:
        """Return the link as it stands in the row."""
        return f"https://{self.name}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is read of an answer; nothing of its body but the number of an error page."""

    status: int
    from_cloudflare: bool
    error: int | None = None  # the number on an error page of Cloudflare's own
    challenged: bool = False
    location: str = ""  # host and path of a redirect, without the query
    to_http: bool = False  # the redirect leads out of TLS


@dataclass(frozen=True, slots=True)
class Seen:
    """The facts of one look. Without an answer, ``stage`` and ``problem`` say where it ended and why."""

    stage: Stage = Stage.NAME
    problem: str = ""
    refused: bool = False  # by the other side: the name by DNS, the handshake by an alert
    addresses: tuple[str, ...] = ()
    distrust: str = ""  # why the certificate is not trusted; the answer was then read without trust
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the link works. ``because`` is a sentence without a full stop, ``remedy`` what to do."""

    kind: Kind
    cause: Cause
    because: str
    remedy: str = ""


#: Cloudflare's codes, whether as status or as number on the page. 1001 is its word for a name that it does not know.
_CODES = {
    520: Cause.ODD_ANSWER,
    521: Cause.PORT_CLOSED,
    522: Cause.DROPPED,
    523: Cause.NO_ROUTE,
    524: Cause.TOO_SLOW,
    525: Cause.NO_TLS,
    526: Cause.BAD_CERTIFICATE,
    530: Cause.ORIGIN_NAME,
    1000: Cause.PROHIBITED_ADDRESS,
    1001: Cause.NO_NAME,
    1014: Cause.FOREIGN_CNAME,
    1016: Cause.ORIGIN_NAME,
}
#: Codes with which rules of the zone or the account refuse a visitor, who need not be the next one.
_BLOCKS = frozenset({1005, 1006, 1007, 1008, 1009, 1010, 1012, 1013, 1015, 1020})
_UNKNOWN = frozenset(
    {
        Cause.NO_RESOLVER,
        Cause.NO_WAY_OUT,
        Cause.NO_TRUST,
        Cause.ACCESS,
        Cause.CHALLENGE,
        Cause.BLOCKED,
        Cause.EDGE_FAILED,
    }
)
_SECURITY_GROUP = "Allow {port}/TCP from Cloudflare's published address ranges in the machine's security group"

#: What each cause means, and what to do about it. ``{…}`` are facts of the link and of the look.
_TEXTS: dict[Cause, tuple[str, str]] = {
    Cause.WORKS: ("{name} answers with status {status}", ""),
    Cause.NO_NAME: (
        "The name {name} does not resolve",
        "Wait a minute if its record is new. Otherwise look for an NS record at or above DOMAIN_ROOT in the zone: it "
        "hides all records below it. Check that the zone is active.",
    ),
    Cause.NO_RESOLVER: (
        "The name {name} could not be looked up from here: {problem}",
        "Check the name server of the machine that probes.",
    ),
    Cause.NO_WAY_OUT: (
        "Cannot connect to Cloudflare at {where} from here: {problem}",
        "Allow outgoing {port}/TCP where the probe runs. It connects directly, not through a proxy.",
    ),
    Cause.NO_CERTIFICATE: (
        "Cloudflare has no certificate for {name}{distrust}",
        "Universal SSL covers the zone's name and one label below it. Use the zone's name as DOMAIN_ROOT, order an "
        "advanced certificate for *.{domain}, or give {domain} a zone of its own. In a new zone, wait for the "
        "certificate.",
    ),
    Cause.NO_TRUST: (
        "The TLS handshake with {where} for {name} failed: {problem}",
        "Look whether something between here and Cloudflare inspects TLS; then probe from elsewhere.",
    ),
    Cause.NOT_PROXIED: (
        "{name} does not lead to Cloudflare: {elsewhere}",
        "Turn the account's or the zone's DNS-only mode off, and look whether the zone is paused: then proxied records "
        "lead to Cloudflare again.",
    ),
    Cause.ACCESS: (
        "Cloudflare Access asks for a login before {name}",
        "If users of the link have no login, take *.{domain} out of the Access application.",
    ),
    Cause.CHALLENGE: (
        "Cloudflare challenges visitors of {name}, which only a browser can answer",
        "Skip challenges for *.{domain} with a WAF rule: the desktop's own connections cannot answer them either.",
    ),
    Cause.BLOCKED: (
        "A rule at Cloudflare refuses the probe of {name} (error {code})",
        "Look in the zone's security events for the rule, and skip it for *.{domain}.",
    ),
    Cause.EDGE_FAILED: (
        "Cloudflare did not handle the request for {name}: {problem}",
        "Probe again in some minutes; if it stays so, look at Cloudflare's status page.",
    ),
    Cause.NO_ANSWER: (
        "Cloudflare has no answer from the desktop of {name} in time: {problem}",
        _SECURITY_GROUP + ": where packets are dropped, Cloudflare says so only after 19 seconds. If they are allowed, "
        "the desktop is overloaded.",
    ),
    Cause.ODD_ANSWER: (
        "The desktop of {name} ends the connection without a proper answer (520)",
        "Look at the desktop server's log; restart it.",
    ),
    Cause.PORT_CLOSED: (
        "The desktop of {name} refuses connections to port {port} (521)",
        "Start the desktop server and let it listen on port {port}; check that no firewall rejects Cloudflare.",
    ),
    Cause.DROPPED: (
        "Cloudflare's packets to the desktop of {name} get no answer (522)",
        _SECURITY_GROUP + "; check the subnet's network ACL, and that the machine is up.",
    ),
    Cause.NO_ROUTE: (
        "Cloudflare finds no route to the desktop of {name} (523)",
        "Check that the machine's subnet routes to an internet gateway. " + _SECURITY_GROUP + ".",
    ),
    Cause.TOO_SLOW: (
        "The desktop of {name} accepts the request and does not answer it (524)",
        "Look at the machine's load and at the desktop server's log.",
    ),
    Cause.NO_TLS: (
        "The desktop of {name} does not speak TLS on port {port} (525)",
        "Let the desktop server speak HTTPS on port {port}. The mode Flexible does not help: behind every port but 443 "
        "Cloudflare speaks TLS to the desktop.",
    ),
    Cause.BAD_CERTIFICATE: (
        "Cloudflare does not trust the certificate of the desktop of {name} (526)",
        "Full (strict) needs a certificate on the desktop: put a Cloudflare Origin CA certificate for *.{domain} into "
        "the image, or set the mode Full.",
    ),
    Cause.ORIGIN_NAME: (
        "Cloudflare cannot find the address behind {name} ({code})",
        "Delete what stands beside the A record at this name (a CNAME, a load balancer, a tunnel).",
    ),
    Cause.PROHIBITED_ADDRESS: (
        "The record of {name} leads to an address of Cloudflare (1000)",
        "Give the machine a public address of its own, and let nothing on it proxy back to Cloudflare.",
    ),
    Cause.FOREIGN_CNAME: (
        "A CNAME at {name} leads to another account's zone (1014)",
        "Delete the CNAME: the name needs an A record alone.",
    ),
    Cause.HTTPS_OFF: (
        "Cloudflare redirects {name} to HTTP: the zone's SSL mode is Off",
        "Set the SSL mode to Full (strict), with an Origin CA certificate for *.{domain} in the image.",
    ),
}


def judge(link: Link, seen: Seen) -> Verdict:
    """Return what the look at this link means."""
    cause = _cause(link, seen)
    because, remedy = _TEXTS[cause]
    facts = _facts(link, seen)
    return Verdict(_kind(cause, seen), cause, because.format_map(facts), remedy.format_map(facts))


def _kind(cause: Cause, seen: Seen) -> Kind:
    if cause is Cause.WORKS:
        return Kind.WORKS
    # A browser gets past Cloudflare to a desktop that has a certificate it trusts.
    gets_there = cause is Cause.NOT_PROXIED and seen.answer is not None and not seen.distrust
    return Kind.UNKNOWN if cause in _UNKNOWN or gets_there else Kind.BROKEN


def _cause(link: Link, seen: Seen) -> Cause:
    if seen.answer is None and seen.stage is Stage.NAME:
        return Cause.NO_NAME if seen.refused else Cause.NO_RESOLVER
    if link.address in seen.addresses:
        return Cause.NOT_PROXIED
    if seen.answer is None:
        return _without_answer(seen)
    if not seen.answer.from_cloudflare:
        return Cause.NOT_PROXIED
    return Cause.NO_CERTIFICATE if seen.distrust else _of_answer(link, seen.answer)


def _without_answer(seen: Seen) -> Cause:
    match seen.stage:
        case Stage.CONNECT:
            return Cause.NO_WAY_OUT
        case Stage.TLS:
            return Cause.NO_CERTIFICATE if seen.refused else Cause.NO_TRUST
        case _:
            return Cause.EDGE_FAILED if seen.refused else Cause.NO_ANSWER


def _of_answer(link: Link, answer: Answer) -> Cause:
    if answer.challenged:
        return Cause.CHALLENGE
    host, _, path = answer.location.partition("/")
    if host.endswith(".cloudflareaccess.com") or path.startswith("cdn-cgi/access/"):
        return Cause.ACCESS
    if answer.to_http and host == link.name:
        return Cause.HTTPS_OFF
    for code in (answer.error, answer.status):
        if code in _CODES:
            return _CODES[code]
    if answer.error in _BLOCKS:
        return Cause.BLOCKED
    return Cause.WORKS if answer.error is None else Cause.EDGE_FAILED


def _facts(link: Link, seen: Seen) -> dict[str, object]:
    """Return what the texts may say."""
    answer = seen.answer
    code = answer and (answer.error or answer.status)
    where = ", ".join(seen.addresses) or "its address"
    if link.address in seen.addresses:
        elsewhere = f"it resolves to {link.address}, the machine's own address"
    elif seen.distrust:
        elsewhere = f"another server answers, with a certificate that is not trusted ({seen.distrust})"
    else:
        elsewhere = "another server answers"
    return {
        "name": link.name,
        "port": link.port,
        "domain": link.name.partition(".")[2],
        "where": f"{where} port {link.port}",
        "problem": seen.problem or f"error {code}",
        "status": answer and answer.status,
        "code": code,
        "distrust": f": {seen.distrust}" * bool(seen.distrust),
        "elsewhere": elsewhere,
    }
