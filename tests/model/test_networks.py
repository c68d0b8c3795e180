from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from assistant.errors import WeightsError
from assistant.model import networks

DENORMAL = np.float32(1e-40)


def scaling(weights: NDArray[np.float32]) -> onnx.ModelProto:
    """A model that multiplies by some weights."""
    (size,) = weights.shape
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "w"], ["y"])],
        "scaling",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [size])],
        [numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


def test_weights_too_small_for_a_normal_float_are_zero_and_others_stay(tmp_path: Path) -> None:
    file = tmp_path / "scaling.onnx"
    onnx.save(scaling(np.array([DENORMAL, -DENORMAL, 0, 1e-30, -2], np.float32)), file)

    model = onnxruntime.InferenceSession(networks.without_denormals(file))

    (scaled,) = model.run(None, {"x": np.ones(5, np.float32)})
    assert scaled.tolist() == [0, 0, 0, np.float32(1e-30), -2]


def test_a_model_that_is_not_there_is_named() -> None:
    with pytest.raises(WeightsError, match=r"nothing\.onnx is not there. Install it"):
        networks.session("nothing.onnx", threads=1)
