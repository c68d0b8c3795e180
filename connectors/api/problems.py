"""What goes wrong, as problem+json (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from pydantic import ValidationError
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """A request that is refused: `detail` says why and what to do instead, `errors` each place
    in it that is wrong, as a JSON pointer with words."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """The answer that tells it."""
        body = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **({"errors": list(self.errors)} if self.errors else {}),
        }
        return JSONResponse(body, self.status, self.headers, MEDIA_TYPE)


def invalid(error: ValidationError, what: str) -> ProblemError:
    """The problem that pydantic found in `what`, without quoting it."""
    errors = [
        {"pointer": "/" + "/".join(map(str, one["loc"])), "detail": one["msg"]}
        for one in error.errors(include_input=False, include_url=False, include_context=False)
    ]
    return ProblemError(422, f"The {what} is not as described in /api/openapi.json.", errors=errors)
