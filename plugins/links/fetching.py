"""Fetches a page from a public address, and from nowhere else (OWASP: server-side request forgery).

A name is resolved once, every address it has is checked, and the connection goes to an address that
was checked: nothing is resolved a second time, so a name that answers differently the next time
(DNS rebinding) gains nothing. The name is used for TLS and the Host header only. Redirects are
followed by the same rules. Spellings such as `0x7f.1`, `2130706433` or `[::ffff:127.0.0.1]` need no
rule of their own: the resolver makes an address of them, and the address is what is checked.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection
from urllib.parse import quote, urljoin, urlsplit

from assistant import UnreadableError

PORTS = {"http": 80, "https": 443}
REDIRECTS = 4
HEADERS = {"Accept": "text/html", "User-Agent": "Deskmate"}
TEXTS = ("text/html", "application/xhtml+xml", "text/plain", "text/markdown", "application/json")
_EMBEDDED = [  # IPv6 forms that carry an IPv4 address: RFC 6052, RFC 8215, RFC 3056, RFC 4291
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),
    (ipaddress.IPv6Network("64:ff9b:1::/48"), 0),
    (ipaddress.IPv6Network("2002::/16"), 80),
    (ipaddress.IPv6Network("::/96"), 0),
]

_ELSEWHERE = [  # neither private nor reachable from outside: a cloud's own services
    ipaddress.ip_network("192.0.0.0/24"),
    ipaddress.ip_network("168.63.129.16/32"),
]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet, in whatever form it is written."""
    ip: Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return is_public(str(ip.ipv4_mapped))
        for network, shift in _EMBEDDED:
            if ip in network:
                return is_public(str(ipaddress.IPv4Address(int(ip) >> shift & 0xFFFFFFFF)))
    if any(ip in network for network in _ELSEWHERE):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def fetch(
    url: str,
    *,
    allowed: Callable[[str], bool] = lambda url: True,
    max_bytes: int = 1_000_000,
    timeout_s: float = 5.0,
    resolve: Resolve = resolve,
    public: Callable[[str], bool] = is_public,
    ports: Collection[int] = tuple(PORTS.values()),
) -> str:
    """The text of a page. Raises UnreadableError, saying why.

    `allowed` is asked about every address that a redirect names. `resolve`, `public` and `ports`
    are there for tests, which have no public internet.
    """
    ends_at = time.monotonic() + timeout_s
    for _ in range(REDIRECTS + 1):
        connection, path = _connect(url, ends_at, resolve, public, ports)
        # A server that sends a byte now and then keeps no timeout of a socket waiting.
        end = threading.Timer(_left(ends_at), connection.sock.shutdown, [socket.SHUT_RDWR])
        end.start()
        try:
            connection.request(
                "GET", path, headers={"Accept": "text/html", "User-Agent": "Deskmate"}
            )
            response = connection.getresponse()
            target = response.headers.get("Location", "")
            if response.status in (301, 302, 303, 307, 308) and target:
                url = urljoin(url, target)
                if not allowed(url):
                    raise UnreadableError("it redirects to a host that is not allowed")
                continue
            if response.status != 200:
                raise UnreadableError(f"its server answered {response.status}")
            kind = response.headers.get_content_type()
            if kind not in TEXTS:
                raise UnreadableError(f"it is no page of text, but {kind}")
            content = response.read(max_bytes)
            if time.monotonic() >= ends_at:
                raise UnreadableError(f"it took longer than {timeout_s:g} s")
            return _text(content, kind, response.headers.get_content_charset("utf-8"))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UnreadableError(f"it could not be fetched ({type(error).__name__})") from error
        finally:
            end.cancel()
            connection.close()
    raise UnreadableError(f"it redirects more than {REDIRECTS} times")


def _connect(
    url: str,
    ends_at: float,
    resolve: Resolve,
    public: Callable[[str], bool],
    ports: Collection[int],
) -> tuple[http.client.HTTPConnection, str]:
    try:
        parts = urlsplit(url)
        host, scheme, port = parts.hostname, parts.scheme, parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        raise UnreadableError("its address is malformed") from None
    if not host or scheme not in PORTS or parts.username is not None:
        raise UnreadableError("its address is not one of a public page")
    try:
        addresses = resolve(host, port)
    except (OSError, UnicodeError):
        raise UnreadableError("its host is unknown") from None
    if not addresses or not all(map(public, addresses)):
        raise UnreadableError("its host is not a public one")
    if port not in ports:
        raise UnreadableError(f"it is on port {port}, where no public pages are")
    try:
        plain = socket.create_connection((addresses[0], port), _left(ends_at))
        if scheme == "https":
            plain = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    except OSError as error:
        raise UnreadableError(f"it could not be fetched ({type(error).__name__})") from error
    connection = http.client.HTTPConnection(host, port)  # for the Host header; never resolved
    connection.sock = plain
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return connection, quote(path, safe="/?%:@!$&'()*+,;=~-._")


def _left(ends_at: float) -> float:
    return max(0.01, ends_at - time.monotonic())


def _text(content: bytes, kind: str, encoding: str) -> str:
    try:
        text = content.decode(encoding, errors="replace")
    except LookupError:
        text = content.decode("utf-8", errors="replace")
    if kind in ("text/html", "application/xhtml+xml"):
        from inscriptis import get_text

        text = get_text(text)
    return text.strip()
