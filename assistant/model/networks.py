"""The networks that read screenshots, PP-OCRv6, as the rapidocr package brings them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assistant.errors import WeightsError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def session(file: str, *, threads: int) -> InferenceSession:
    """An ONNX Runtime session of one of the package's models.

    Raises WeightsError if the file is not there.
    """
    import onnxruntime

    path = _folder() / file
    if not path.is_file():
        raise WeightsError(
            f"{path} is not there. Install it: pip install --force-reinstall rapidocr"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that wait in a loop take the processor from those that read the next line.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False  # it keeps what the largest picture took
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        without_denormals(path), options, providers=["CPUExecutionProvider"]
    )


def without_denormals(path: Path) -> bytes:
    """An ONNX model with 0 for the weights that are too small for a normal float (2⁻¹²⁶).

    In two layers of the detector most weights are: they change nothing in its output, but
    processors compute with them in microcode, and the two layers took two thirds of its time.
    ONNX Runtime's own `session.set_denormal_as_zero` holds only for the thread that made the
    process's first session.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            values = numpy_helper.to_array(tensor)
            tiny = np.abs(values) < np.finfo(np.float32).tiny
            if tiny.any():
                tensor.raw_data = np.where(tiny, np.float32(0), values).tobytes()
    return bytes(model.SerializeToString())


def _folder() -> Path:
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError("rapidocr is not installed. Install it: pip install rapidocr")
    return Path(spec.submodule_search_locations[0]) / "models"
