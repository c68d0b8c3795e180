"""The OpenAPI 3.1 description (https://spec.openapis.org/oas/v3.1.1), made from the table of
operations and the models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from assistant import __version__
from assistant.events import EventKind
from connectors.api import schema
from connectors.api.bodies import FORM, JSON, MOST_FILES
from connectors.api.handlers import PREFIX
from connectors.api.operations import Operation
from connectors.api.problems import MEDIA_TYPE

Json = dict[str, Any]

ABOUT = """\
Bring customers' messages, follow their answers, and read tickets. Keys are made with
`deskmate api keys create`. What is posted may be repeated under one `Idempotency-Key`."""

EVENTS = """\
Server-sent events. The `data` of `reply.sent` holds the answer: `text`, `citations` and `author`.
The stream begins with the ticket's first event, or after `Last-Event-ID`; it ends after some
minutes, and clients then come back."""


EVENT: Json = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "event": {"enum": list(get_args(EventKind))},
        "data": {"type": "string", "contentMediaType": JSON, "contentSchema": {"type": "object"}},
    },
    "required": ["id", "event", "data"],
}


def describe(operations: Sequence[Operation]) -> Json:
    """The description of these operations."""
    paths: Json = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Deskmate", "version": __version__, "description": ABOUT},
        "servers": [{"url": PREFIX}],
        "paths": paths,
        "components": {
            "schemas": _schemas(operations),
            "responses": {
                str(status): {
                    "description": HTTPStatus(status).phrase,
                    "content": {MEDIA_TYPE: {"schema": _reference(schema.Problem)}},
                }
                for status in sorted({s for one in operations for s in _problems(one)})
            },
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key `dk_…`, or a conversation's token `dt_…`.",
                }
            },
        },
    }


def _operation(operation: Operation) -> Json:
    described: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "security": [{"key": [operation.scope]}] if operation.scope else [],
        "parameters": list(_parameters(operation)),
        "responses": {
            str(operation.status): _answer(operation),
            **{
                str(status): {"$ref": f"#/components/responses/{status}"}
                for status in _problems(operation)
            },
        },
    }
    if operation.body:
        content = {JSON: {"schema": _reference(operation.body)}}
        if operation.form:
            content[FORM] = {"schema": _form(operation.form)}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameters(operation: Operation) -> Iterable[Json]:
    if operation.of_ticket:
        number = {"type": "integer", "minimum": 1, "maximum": schema.HIGHEST_ID}
        yield {"name": "ticket", "in": "path", "required": True, "schema": number}
    model = operation.query.model_json_schema()
    for name, described in model.get("properties", {}).items():
        yield {
            "name": name,
            "in": "query",
            "required": name in model.get("required", ()),
            "schema": _without_null(described),
        }
    if operation.streams:
        number = {"type": "integer", "minimum": 0, "maximum": schema.HIGHEST_ID}
        yield {"name": "Last-Event-ID", "in": "header", "required": False, "schema": number}
    if operation.body:
        key = {"type": "string", "pattern": "^[!-~]{16,255}$"}
        yield {"name": "Idempotency-Key", "in": "header", "required": False, "schema": key}


def _answer(operation: Operation) -> Json:
    if operation.streams:
        content: Json = {"text/event-stream": {"schema": EVENT}}
        return {"description": EVENTS, "content": content}
    phrase = HTTPStatus(operation.status).phrase
    if operation.answers is None:
        return {"description": phrase}
    return {"description": phrase, "content": {JSON: {"schema": _reference(operation.answers)}}}


def _problems(operation: Operation) -> list[int]:
    """The statuses with which an operation may be refused."""
    if operation.scope is None:
        return [503]
    statuses = {401, 403, 422, 429, 500, 503}
    if operation.of_ticket or operation.form:
        statuses.add(404)
    if operation.body:
        statuses |= {409, 413, 415}
    return sorted(statuses)


def _schemas(operations: Sequence[Operation]) -> Json:
    modes: list[tuple[type[BaseModel], JsonSchemaMode]] = [(schema.Problem, "serialization")]
    for operation in operations:
        modes += [(m, "validation") for m in (operation.body,) if m]
        modes += [(m, "serialization") for m in (operation.answers,) if m]
    _, found = models_json_schema(
        list(dict.fromkeys(modes)), ref_template="#/components/schemas/{model}"
    )
    schemas: Json = found["$defs"]
    posted = {one.body.__name__ for one in operations if one.body}
    for model, described in schemas.items():
        if model not in posted:  # in JSON that is posted, null may stand for what is left out
            properties = described.get("properties", {})
            described["properties"] = {n: _without_null(one) for n, one in properties.items()}
    return schemas


def _form(model: type[BaseModel]) -> Json:
    """The form's fields, with the files beside them, of which one has to be there or words."""
    files = {
        "type": "array",
        "items": {"type": "string", "contentMediaType": "application/octet-stream"},
        "minItems": 1,
        "maxItems": MOST_FILES,
    }
    described = model.model_json_schema()
    properties = {name: _without_null(one) for name, one in described["properties"].items()}
    words = {"required": ["text"], "properties": {"text": {"pattern": r"\S"}}}
    return {
        "type": "object",
        "description": described["description"],
        "properties": {**properties, "files": files},
        "anyOf": [words, {"required": ["files"]}],
        "additionalProperties": False,
    }


def _without_null(described: Json) -> Json:
    """What may be left out, without the null that stands for it in Python: in queries and forms
    there is none, and what is answered leaves it out."""
    kinds = [kind for kind in described.get("anyOf", ()) if kind != {"type": "null"}]
    kept = {key: value for key, value in described.items() if key not in ("anyOf", "title")}
    if kept.get("default", 0) is None:
        del kept["default"]
    return {**kept, **kinds[0]} if kinds else kept


def _reference(model: type[BaseModel]) -> Json:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
