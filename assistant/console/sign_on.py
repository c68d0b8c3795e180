"""Single sign-on by OpenID Connect: authorization code with PKCE (RFC 7636), Authlib and joserfc.

https://openid.net/specs/openid-connect-core-1_0.html, sections 3.1.2 and 3.1.3
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from cryptography.fernet import Fernet, InvalidToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from assistant.errors import DeskmateError
from assistant.settings import SingleSignOn

BEGUN_SECONDS = 600  # so long a log-in may take
TIMEOUT_SECONDS = 10.0
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]  # never "none", never one with a shared secret


@dataclass(frozen=True)
class Identity:
    """Who the issuer says somebody is. `subject` names them for ever; `names` are what an
    administrator may have added them as, an address only if the issuer verified it."""

    subject: str
    names: tuple[str, ...]
    full_name: str


class SignOn:
    """The way through one issuer. `address` is where people open the console."""

    def __init__(self, settings: SingleSignOn, address: str) -> None:
        self._settings = settings
        self._back = f"{address}/single-sign-on/back"
        self._seal = Fernet(Fernet.generate_key())  # what was begun before a restart is begun again

    def begin(self) -> tuple[str, str]:
        """Where to send the browser, and what it has to bring back, sealed."""
        kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "code_verifier")}
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self._metadata["authorization_endpoint"],
                state=kept["state"],
                nonce=kept["nonce"],
                code_verifier=kept["code_verifier"],
            )
        return url, self._seal.encrypt(json.dumps(kept).encode()).decode()

    def finish(self, sealed: str, url: str) -> Identity:
        """Who came back, with what was sealed, at this address. Raises DeskmateError."""
        try:
            kept = json.loads(self._seal.decrypt(sealed.encode(), ttl=BEGUN_SECONDS))
            with self._client() as client:
                token = client.fetch_token(
                    self._metadata["token_endpoint"],
                    authorization_response=url,
                    state=kept["state"],
                    code_verifier=kept["code_verifier"],
                )
                keys = KeySet.import_key_set(_read(self._metadata["jwks_uri"]))
            return self._identity(self._claims(token.get("id_token", ""), keys, kept["nonce"]))
        except InvalidToken as error:
            raise DeskmateError(
                "This log-in took too long, or began elsewhere. Begin again."
            ) from error
        except (AuthlibBaseError, JoseError, httpx.HTTPError, ValueError, KeyError) as error:
            kind = getattr(error, "error", None) or type(error).__name__
            raise DeskmateError(f"Single sign-on failed ({kind}). Begin again.") from error

    def _claims(self, id_token: str, keys: KeySet, nonce: str) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(id_token, keys, algorithms=ALGORITHMS).claims
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self._metadata["issuer"]},
            aud={"essential": True, "value": self._settings.client_id},
            exp={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(claims)
        return claims

    def _identity(self, claims: dict[str, Any]) -> Identity:
        names = [claims.get("preferred_username", "")]
        if claims.get("email_verified") is True:
            names.append(claims.get("email", ""))
        return Identity(
            f"{claims['iss']} {claims['sub']}",
            tuple(str(name).lower() for name in names if name),
            str(claims.get("name", ""))[:200],
        )

    @cached_property
    def _metadata(self) -> dict[str, Any]:
        issuer = self._settings.issuer.rstrip("/")
        url = f"{issuer}/.well-known/openid-configuration"
        try:
            found: dict[str, Any] = _read(url)
        except (httpx.HTTPError, ValueError) as error:
            raise DeskmateError(f"{url}: cannot be read ({type(error).__name__}).") from error
        if found.get("issuer", "").rstrip("/") != issuer:
            raise DeskmateError(f"{url}: it belongs to another issuer, {found.get('issuer')!r}.")
        return found

    def _client(self) -> OAuth2Client:
        return OAuth2Client(
            self._settings.client_id,
            self._settings.client_secret,
            scope="openid profile email",
            redirect_uri=self._back,
            code_challenge_method="S256",
            timeout=TIMEOUT_SECONDS,
        )


def _read(url: str) -> Any:
    return httpx.get(url, timeout=TIMEOUT_SECONDS).raise_for_status().json()
