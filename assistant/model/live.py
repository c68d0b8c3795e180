"""The weights that a company trained and that are in use, in one folder below its data folder.

    trained/screens.safetensors   which lines of a screenshot matter, and how articles are scored
    trained/questions.safetensors the adapter of questions' vectors
    trained/heads.safetensors     intent, priority, out of scope

A file that is there is in use, unless it was made for another text model or beside other shipped
weights: then it was never shown to be better than what there is now. Without files, the weights
that the package brings are in use.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor

from assistant.errors import WeightsError
from assistant.model.adapter import Adapter
from assistant.model.fitting import under
from assistant.model.heads import Heads

if TYPE_CHECKING:
    from assistant.model.encoder import MultimodalEncoder

Part = Literal["screens", "questions", "heads"]
PARTS: tuple[Part, ...] = ("screens", "questions", "heads")


@dataclass(frozen=True)
class Live:
    """The folder of trained weights; `text_model` is the one in use."""

    folder: Path
    text_model: str

    def file(self, part: Part) -> Path:
        """Where a part's weights stand if they are in use."""
        return self.folder / f"{part}.safetensors"

    def load(self, part: Part) -> dict[str, Tensor] | None:
        """A part's weights, or None where those that the package brings are in use.

        Raises WeightsError if the file is damaged.
        """
        from safetensors.torch import load_file

        about = self.about(part)
        return load_file(self.file(part)) if about and self.fits(about) else None

    def screens(self, part: Literal["lines", "articles"]) -> dict[str, Tensor] | None:
        """The trained weights of a screenshot's lines, or of the articles found for it."""
        state = self.load("screens")
        return None if state is None else under(f"{part}.", state)

    def into(self, encoder: MultimodalEncoder) -> None:
        """Gives an encoder the weights in use. Raises WeightsError if a file is damaged."""
        if lines := self.screens("lines"):
            encoder.lines.load_state_dict(lines)
        if questions := self.load("questions"):
            encoder.adapter = Adapter.restored(questions)
        if (heads := self.load("heads")) and (about := self.about("heads")):
            encoder.heads = Heads.restored(encoder.text, about["labels"], heads)

    def about(self, part: Part) -> dict[str, Any] | None:
        """What was noted of a part's weights when they were trained; None if there are none.

        Raises WeightsError if the file is damaged.
        """
        from safetensors import safe_open

        file = self.file(part)
        if not file.is_file():
            return None
        try:
            with safe_open(file, "pt") as opened:
                about: dict[str, Any] = json.loads(opened.metadata()["about"])
                return about
        except Exception as error:  # safetensors and json have many for a damaged file
            raise WeightsError(
                f"{file}: the trained weights are damaged: {error}."
                " Go back to the shipped ones: deskmate train --reset."
            ) from error

    def trained(self) -> dict[Part, dict[str, Any]]:
        """What was noted of each part that was trained. Raises WeightsError as `about` does."""
        return {part: about for part in PARTS if (about := self.about(part))}

    def fits(self, about: Mapping[str, Any]) -> bool:
        """Whether weights were made for what is installed and set now."""
        return about.get("text_model") == self.text_model and about.get("shipped") == shipped()

    def put(self, part: Part, state: Mapping[str, Tensor], about: Mapping[str, Any]) -> Path:
        """Takes weights into use, whole or not at all, from the next start of a process on."""
        from safetensors.torch import save_file

        self.folder.mkdir(parents=True, exist_ok=True)
        noted = {**about, "text_model": self.text_model, "shipped": shipped()}
        partial = self.file(part).with_suffix(".partial")
        tensors = {name: value.detach().cpu().contiguous() for name, value in state.items()}
        save_file(tensors, partial, {"about": json.dumps(noted)})
        os.replace(partial, self.file(part))
        return self.file(part)

    def reset(self) -> list[Part]:
        """Goes back to the weights that the package brings; returns the parts that were not."""
        found = [part for part in PARTS if self.file(part).is_file()]
        for part in found:
            self.file(part).unlink()
        return found


@cache
def shipped() -> str:
    """The name of the weights that the package brings: their SHA-256, shortened."""
    content = files("assistant.model").joinpath("screens.safetensors").read_bytes()
    return hashlib.sha256(content).hexdigest()[:16]
