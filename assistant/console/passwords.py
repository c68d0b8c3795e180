"""Passwords: argon2id (RFC 9106) with the library's defaults, and what makes one good enough."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from assistant.errors import DeskmateError

SHORTEST, LONGEST = 12, 200

_hasher = PasswordHasher()
_NOBODYS = _hasher.hash("the password of nobody")


def hashed(password: str, name: str) -> str:
    """The hash of a new password. Raises DeskmateError if it is too easy to guess."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise DeskmateError(
            f"The password has {len(password)} characters; it may have {SHORTEST} to {LONGEST}."
            " Four words that do not belong together are easy to keep in mind."
        )
    if name.casefold() in password.casefold() or len(set(password)) < 5:
        raise DeskmateError("The password is easy to guess: it repeats itself, or holds the name.")
    return _hasher.hash(password)


def right(password: str, stored: str | None) -> bool:
    """Whether this is the password. It takes as long if there is none, so that nobody learns by
    the clock which names there are."""
    try:
        return _hasher.verify(stored or _NOBODYS, password[:LONGEST]) and stored is not None
    except (VerificationError, InvalidHashError):
        return False
