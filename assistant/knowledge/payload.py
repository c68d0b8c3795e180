"""A passage as JSON, as it lies in both halves of the index."""

from __future__ import annotations

import json
from dataclasses import asdict

from assistant.articles import Passage, Picture


def to_payload(passage: Passage) -> str:
    """A passage as JSON."""
    return json.dumps(asdict(passage), ensure_ascii=False)


def from_payload(payload: str) -> Passage:
    """A passage from its JSON."""
    values = json.loads(payload)
    pictures = tuple(Picture(**picture) for picture in values.pop("pictures", ()))
    path = tuple(values.pop("heading_path"))
    return Passage(**values, heading_path=path, pictures=pictures)
