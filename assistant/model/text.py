"""The text tower: texts to vectors with a transformer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from assistant.errors import WeightsError
from assistant.model.weights import Weights

Vectors = NDArray[np.float32]

TOKENS_PER_BATCH = 1024
"""What a layer computes of so many tokens stays in the processor's caches, which is a tenth or more
faster than four times as many (`make bench-cost`)."""

WIDTH_STEP = 16
"""oneDNN prepares its bfloat16 kernels anew for each shape, which takes longer than using them:
texts come in few widths, and `warm_up` prepares those of questions."""

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class TokenVectors:
    """A text's token vectors [tokens, dim] and each token's span of characters [tokens, 2]."""

    vectors: Vectors
    spans: NDArray[np.int64]


def native_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 matrices itself (AVX-512 BF16, AMX, SVE): twice as
    fast as float32 there, and slower elsewhere."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and (
        torch.cpu.get_capabilities().get("avx512_bf16", False)
        or torch.cpu.get_capabilities().get("amx_bf16", False)
    )


class TextTower(nn.Module):
    """A transformer and its pooling, as its own files describe it.

    The mean over tokens is the default (sentence-transformers' convention; Reimers and Gurevych,
    2019, arXiv:1908.10084); a `1_Pooling/config.json` beside the weights may ask for the first.
    """

    def __init__(self, weights: Weights, *, precision: str = "auto") -> None:
        super().__init__()
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        if precision == "auto":
            precision = "bfloat16" if native_bfloat16() else "float32"
        try:
            self.tokenizer: Any = AutoTokenizer.from_pretrained(weights.folder)
            self.transformer = AutoModel.from_pretrained(
                weights.folder, dtype=getattr(torch, precision)
            ).eval()
            # Without its files, transformers makes a tokenizer that knows no word.
            if 2 * len(self.tokenizer) < self.transformer.config.vocab_size:
                raise ValueError("the tokenizer's vocabulary is missing")
        except Exception as error:  # transformers and safetensors have many for what is incomplete
            raise WeightsError(
                f"model.text = {weights.name!r}: {weights.folder} holds no whole text model:"
                f" {str(error).splitlines()[0]}. It needs config.json, the tokenizer's files and"
                " model.safetensors."
            ) from error
        self.dim = int(self.transformer.config.hidden_size)
        # A tokenizer that names no limit has one of 10^30.
        positions = getattr(self.transformer.config, "max_position_embeddings", 512)
        most = min(self.tokenizer.model_max_length, positions)
        self.max_tokens = self._read(weights, "sentence_bert_config.json", "max_seq_length", most)
        self.first_token = self._read(
            weights, "1_Pooling/config.json", "pooling_mode_cls_token", False
        )

    @staticmethod
    def _read(weights: Weights, file: str, key: str, default: Any) -> Any:
        path = weights.folder / file
        return json.loads(path.read_text()).get(key, default) if path.is_file() else default

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Token ids and mask [batch, tokens] to vectors of length 1 [batch, dim] and token
        vectors [batch, tokens, dim]."""
        tokens = self.transformer(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        if self.first_token:
            pooled = tokens[:, 0]  # [batch, dim]
        else:
            weight = mask[:, :, None].float()  # [batch, tokens, 1]
            pooled = (tokens * weight).sum(1) / weight.sum(1)  # [batch, dim]
        return nn.functional.normalize(pooled, dim=1), tokens

    @torch.inference_mode()
    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of length 1 [texts, dim]."""
        out = np.zeros((len(texts), self.dim), dtype=np.float32)
        for rows, vectors in self.encode_batches(texts):
            out[rows] = vectors
        return out

    @torch.inference_mode()
    def encode_batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        """Encodes the texts longest first, in batches of about the same number of tokens, so that
        little is padded; yields the rows and vectors [rows, dim] of each batch."""
        if not texts:
            return
        ids = self.tokenizer(
            [_encodable(text) for text in texts], truncation=True, max_length=self.max_tokens
        )["input_ids"]
        for rows, batch in batches(ids, self.max_tokens, TOKENS_PER_BATCH):
            vectors, _ = self(*batch)
            yield rows, vectors.numpy()

    @torch.inference_mode()
    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """The token vectors of each text, for what needs the parts of a text in its context
        (late chunking; Günther et al., 2024, arXiv:2409.04701)."""
        if not texts:
            return []
        encoded = self.tokenizer(
            [_encodable(text) for text in texts],
            truncation=True,
            max_length=self.max_tokens,
            return_offsets_mapping=True,
        )
        _, tokens = self(*_pad(encoded["input_ids"], self.max_tokens))  # [texts, tokens, dim]
        return [
            TokenVectors(tokens[row, : len(spans)].numpy(), np.asarray(spans, dtype=np.int64))
            for row, spans in enumerate(encoded["offset_mapping"])
        ]


def batches(
    ids: Sequence[Sequence[int]], max_tokens: int, tokens_per_batch: int
) -> Iterator[tuple[list[int], tuple[Tensor, Tensor]]]:
    """Rows of `ids`, longest first, and their ids and mask [rows, tokens], in batches of about the
    same number of tokens."""
    order = sorted(range(len(ids)), key=lambda row: -len(ids[row]))
    start = 0
    while start < len(order):
        rows = order[start : start + max(1, tokens_per_batch // len(ids[order[start]]))]
        start += len(rows)
        yield rows, _pad([ids[row] for row in rows], max_tokens)


def _encodable(text: str) -> str:
    """Half of a surrogate pair, as JSON may hold it, is no character: tokenizers refuse it."""
    return _SURROGATE.sub("?", text)


def _pad(ids: Sequence[Sequence[int]], max_tokens: int) -> tuple[Tensor, Tensor]:
    """Token ids and mask [batch, tokens], filled up with zeros to the longest, and on to a multiple
    of WIDTH_STEP if that is within `max_tokens`."""
    longest = max(len(row) for row in ids)
    width = max(longest, min(-(-longest // WIDTH_STEP) * WIDTH_STEP, max_tokens))
    padded = torch.zeros(len(ids), width, dtype=torch.long)
    mask = torch.zeros(len(ids), width, dtype=torch.long)
    for number, row in enumerate(ids):
        padded[number, : len(row)] = torch.tensor(row)
        mask[number, : len(row)] = 1
    return padded, mask
