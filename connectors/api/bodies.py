"""Reading what was posted: JSON, or a form with files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message as AsgiMessage
from starlette.types import Receive

from assistant import Attachment
from connectors.api.problems import ProblemError, invalid

Body = TypeVar("Body", bound=BaseModel)

MOST_FIELDS = 20
MOST_FILES = 10
JSON = "application/json"
FORM = "multipart/form-data"


@dataclass(frozen=True)
class Posted:
    """What was posted: checked values and files."""

    values: Any  # of the operation's own model
    files: tuple[Attachment, ...] = ()

    @property
    def sha256(self) -> str:
        """The same for the same content, however it was packed."""
        parts = [self.values.model_dump_json()]
        parts += [f"{file.filename}\n{file.media_type}\n{file.sha256}" for file in self.files]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


async def read(
    request: Request,
    model: type[BaseModel],
    form: type[BaseModel] | None,
    *,
    max_bytes: int,
) -> Posted:
    """The request's body: JSON as `model`, or, where there is one, a form as `form` with files.

    Raises ProblemError: 413 if it is too large, 415 if it is neither, 422 if it is wrong.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    limited = Request(request.scope, _limited(request, max_bytes))
    if media_type == JSON:
        return Posted(_checked(model, await limited.body()))
    if media_type == FORM and form is not None:
        return await _form(limited, form)
    allowed = f"{JSON} or {FORM}" if form else JSON
    raise ProblemError(415, f"Post {allowed}, and say so in Content-Type.")


def _checked(model: type[Body], raw: bytes) -> Body:
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        raise invalid(error, "body") from error


async def _form(request: Request, model: type[BaseModel]) -> Posted:
    values: dict[str, str] = {}
    files = []
    try:
        async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS) as fields:
            for name, value in fields.multi_items():
                if isinstance(value, UploadFile):
                    if value.filename or value.size:  # browsers send a field without a file so
                        files.append(await _file(name, value))
                elif name in values:
                    raise _wrong(name, "This field stands there twice.")
                else:
                    values[name] = value
    except HTTPException as error:  # what Starlette makes of a form that is none
        raise ProblemError(422, f"The form cannot be read: {error.detail}") from error
    if not files and not values.get("text", "").strip():
        raise _wrong("text", "A message needs words or a file.")
    try:
        return Posted(model.model_validate_strings(values), tuple(files))
    except ValidationError as error:
        raise invalid(error, "form") from error


async def _file(name: str, upload: UploadFile) -> Attachment:
    if name != "files":
        raise _wrong(name, "Files are in fields named `files`.")
    media_type = upload.content_type or "application/octet-stream"
    return Attachment(media_type, (upload.filename or "file")[:255], await upload.read())


def _wrong(field: str, detail: str) -> ProblemError:
    errors = [{"pointer": f"/{field}", "detail": detail}]
    return ProblemError(422, "The form is not as described in /api/openapi.json.", errors=errors)


def _limited(request: Request, max_bytes: int) -> Receive:
    """The request's body, refused as soon as it is known to be too large."""
    too_large = ProblemError(
        413, f"A request may have {max_bytes // 1_000_000} MB. Send fewer or smaller files."
    )
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > max_bytes:
        raise too_large
    came = 0

    async def receive() -> AsgiMessage:
        nonlocal came
        message = await request.receive()
        came += len(message.get("body", b""))
        if came > max_bytes:
            raise too_large
        return message

    return receive
