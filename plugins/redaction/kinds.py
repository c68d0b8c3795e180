"""What is private. Apart from what finds it, whose patterns take a while to compile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["card", "iban", "key", "password", "national id", "email", "phone", "name"]


@dataclass(frozen=True)
class Find:
    """Characters `start` to `end` of a text that should not be seen."""

    start: int
    end: int
    kind: Kind
