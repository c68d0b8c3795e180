"""The text tower in other runtimes and precisions, for `bench_cost`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assistant.model import weights
from assistant.model.text import TextTower, native_bfloat16
from benchmarks.peers import MODEL

Batch = tuple[Tensor, Tensor]
"""Token ids and mask [texts, tokens]."""

Run = Callable[[Batch], NDArray[np.float32]]
"""A batch to vectors [texts, dim]."""

CALIBRATION = 64
"""Passages by which static int8 finds the ranges of its activations."""


def variants(folder: Path, calibration: Sequence[Batch], threads: int) -> Mapping[str, Run]:
    """Every variant that runs here, by name; `folder` takes the exported models."""
    torch.set_num_threads(threads)
    exact = TextTower(weights.find(MODEL), precision="float32")
    found = {"torch fp32": _torch(exact)}
    if native_bfloat16():
        found["torch bf16"] = _torch(TextTower(weights.find(MODEL), precision="bfloat16"))
    found["torch int8, dynamic"] = _torch(_dynamic_int8())
    makers: list[Callable[[], Mapping[str, Run]]] = [
        lambda: _onnxruntime(exact, folder, threads),
        lambda: _openvino(exact, folder, calibration, threads),
    ]
    for make in makers:
        try:
            found |= make()
        except ImportError as error:
            print(f"left out: {error}")
    return found


def _torch(tower: torch.nn.Module) -> Run:
    def run(batch: Batch) -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.asarray(tower(*batch)[0].numpy())

    return run


def _dynamic_int8() -> torch.nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its age: there is no successor in torch itself
        return torch.ao.quantization.quantize_dynamic(
            TextTower(weights.find(MODEL), precision="float32"), {torch.nn.Linear}, torch.qint8
        )


def _example() -> Batch:
    mask = torch.ones(3, 32, dtype=torch.long)
    mask[1, 20:] = 0
    return torch.randint(1000, 2000, (3, 32)), mask


def _onnxruntime(tower: TextTower, folder: Path, threads: int) -> Mapping[str, Run]:
    import onnx  # noqa: F401 - the quantiser needs it and says so late
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic

    exact, rough = folder / "tower.onnx", folder / "tower-int8.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            tower,
            _example(),
            str(exact),
            input_names=["ids", "mask"],
            output_names=["vectors", "tokens"],
            dynamic_axes={name: {0: "texts", 1: "tokens"} for name in ("ids", "mask", "tokens")},
            dynamo=False,  # the newer exporter fixes the number of texts
        )
    quantize_dynamic(exact, rough, per_channel=True, weight_type=QuantType.QInt8)

    def load(file: Path) -> Run:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        return lambda batch: session.run(
            ["vectors"], {"ids": batch[0].numpy(), "mask": batch[1].numpy()}
        )[0]

    return {"onnxruntime fp32": load(exact), "onnxruntime int8, dynamic": load(rough)}


def _openvino(
    tower: TextTower, folder: Path, calibration: Sequence[Batch], threads: int
) -> Mapping[str, Run]:
    import nncf
    import openvino

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exact = openvino.convert_model(tower, example_input=_example())
    dataset = nncf.Dataset([[each.numpy() for each in batch] for batch in calibration])
    rough = nncf.quantize(
        exact.clone(),
        dataset,
        subset_size=len(calibration),
        model_type=nncf.ModelType.TRANSFORMER,  # SmoothQuant; Xiao et al., 2022, arXiv:2211.10438
    )

    def load(model: openvino.Model, precision: str) -> Run:
        compiled = openvino.Core().compile_model(
            model, "CPU", {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision}
        )
        request = compiled.create_infer_request()
        return lambda batch: np.array(
            request.infer([each.numpy() for each in batch])[compiled.output(0)]
        )

    found = {"openvino fp32": load(exact, "f32"), "openvino int8, static": load(rough, "f32")}
    if native_bfloat16():
        found["openvino bf16"] = load(exact, "bf16")
    return found
