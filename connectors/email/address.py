"""Addresses, as tickets name people: `Ana Lima <ana@example.com>`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.utils import formataddr, getaddresses

MOST = 50  # addresses of one header that are looked at
LONGEST = 254  # characters, RFC 5321
_ADDRESS = re.compile(r"[^@\s<>\"(),:;\\]+@[^@\s<>\"(),:;\\]+")
_NOT_IN_NAMES = re.compile(r"[<>\"\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]")


@dataclass(frozen=True)
class Address:
    """A person's name, perhaps empty, and address in lower case."""

    name: str
    address: str

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else f"<{self.address}>"

    @property
    def header(self) -> str:
        """The address for a header, without the name where that is not ASCII: `EmailMessage` takes
        it apart again."""
        return formataddr((self.name, self.address))

    @property
    def domain(self) -> str:
        """What stands after the @."""
        return self.address.rpartition("@")[2]

    @property
    def local_part(self) -> str:
        """What stands before the @."""
        return self.address.rpartition("@")[0]


def parse(value: str) -> tuple[Address, ...]:
    """The addresses of a decoded header; what is none is left out."""
    try:
        pairs = getaddresses([value])[:MOST]
    except (RecursionError, ValueError, IndexError):  # brackets in brackets, and the like
        pairs = [("", found) for found in _ADDRESS.findall(value)[:MOST]]
    found = [
        Address(" ".join(_NOT_IN_NAMES.sub(" ", name).split())[:100], address.lower())
        for name, address in pairs
        if len(address) <= LONGEST and _ADDRESS.fullmatch(address)
    ]
    return tuple(found)


def address_of(person: str) -> str:
    """The address of a person as tickets name them."""
    return person.rpartition("<")[2].rstrip(">").lower()


def matches(address: str, patterns: Iterable[str]) -> bool:
    """Whether an address is one of these, or of one of these domains (`@example.com`)."""
    return any(
        address.endswith(pattern) if pattern.startswith("@") else address == pattern
        for pattern in _lower(patterns)
    )


def without_tag(address: str) -> str:
    """`support+abc@example.com` is `support@example.com`."""
    local, at, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def _lower(patterns: Iterable[str]) -> Iterator[str]:
    return (pattern.strip().lower() for pattern in patterns)
