"""Who asks, and what they may: keys, and tokens of single conversations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from connectors.api.problems import ProblemError

if TYPE_CHECKING:
    from assistant.tickets.api_keys import ApiKey, ApiKeys, Scope

OWN_CONVERSATION: frozenset[Scope] = frozenset({"messages:write", "tickets:read", "feedback:write"})


@dataclass(frozen=True)
class Caller:
    """A key, or, where `thread_id` is set, the customer of one conversation begun with it."""

    key: ApiKey
    thread_id: str | None = None

    @property
    def name(self) -> str:
        """The same for all requests of this caller."""
        return f"{self.key.id}/{self.thread_id}" if self.thread_id else self.key.id

    @property
    def customer(self) -> bool:
        """Whether a customer reads the answer, who sees no reasons and no names of staff."""
        return self.thread_id is not None

    def may(self, scope: Scope) -> bool:
        """Whether this caller may do such things."""
        own = self.thread_id is not None and scope in OWN_CONVERSATION
        return own or scope in self.key.scopes


def find_caller(keys: ApiKeys, headers: Headers) -> Caller:
    """Who sent a request with these headers. Raises ProblemError: 401 without a good key or token,
    403 from a web page that the key is not for."""
    kind, _, secret = headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        raise _unknown("Send a key: `Authorization: Bearer dk_…`.")
    secret = secret.strip()
    if key := keys.find(secret):
        caller = Caller(key)
    elif conversation := keys.find_conversation(secret):
        caller = Caller(*conversation)
    else:
        raise _unknown("This key or token is none of ours, or was revoked.")
    origin = headers.get("origin")
    if caller.key.public and origin and origin not in caller.key.origins:
        raise ProblemError(403, f"This key is not for pages of {origin}.")
    return caller


def require(caller: Caller, scope: Scope) -> None:
    """Raises ProblemError 403 if the caller lacks this scope."""
    if not caller.may(scope):
        value = f'Bearer error="insufficient_scope", scope="{scope}"'
        detail = f"This needs the scope {scope}, which the key has not."
        raise ProblemError(403, detail, headers={"WWW-Authenticate": value})


def _unknown(detail: str) -> ProblemError:
    return ProblemError(401, detail, headers={"WWW-Authenticate": "Bearer"})
