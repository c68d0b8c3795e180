"""Classification heads: what a message wants, how urgent it is, and whether it is for this desk."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from assistant.errors import WeightsError
from assistant.messages import Labels
from assistant.model.text import TextTower

UPPER = 3
"""How many of the tower's upper layers the heads have copies of: see docs/training.md."""

MAX_TOKENS = 128
"""What a message wants stands at its beginning."""

KEPT = 1_000  # of the scores of messages kept aside


class Heads(nn.Module):
    """Classifies a message's words; each head is a linear layer over the same vector.

    tokens ─ tower's lower layers ─┬─ upper layer ─┬─ … ── upper layer ─┐
             (frozen, shared)      │   (own copies, trained)            │
                                  mean            mean                 mean ── heads ── logits

    The means over the tokens after each layer are joined, since the lower ones know what is unlike
    anything seen (layer pooling; compare Devlin et al., 2019, arXiv:1810.04805, table 7).

    `labels` maps each target, `intent` first, to its labels. The intents have one row more than
    labels: the background, learned from messages that are labelled as out of scope, if there are
    such, and from mixtures of two messages of different intents (Zhan et al., 2021,
    arXiv:2106.08616). How strange a message is, is told beside the messages that were kept aside,
    as a conformal p-value (Bates et al., 2023, arXiv:2104.08279).
    """

    kept_aside: Tensor

    def __init__(
        self, tower: TextTower, labels: Mapping[str, Sequence[str]], *, dropout: float = 0.1
    ) -> None:
        """Fresh heads, with copies of the tower's layers as they are.

        Raises WeightsError if the tower's layers cannot be told apart.
        """
        super().__init__()
        layers = _layers(tower)
        self.labels = {target: tuple(names) for target, names in labels.items()}
        self.lower = max(0, len(layers) - UPPER)
        self.upper = copy.deepcopy(layers[self.lower :]).float()
        for module in self.upper.modules():
            if isinstance(module, nn.Dropout):
                module.p = dropout
        self.dropout = nn.Dropout(2 * dropout)
        width = tower.dim * (1 + len(self.upper))
        self.heads = nn.ModuleDict()
        for target, names in self.labels.items():
            head = nn.Linear(width, len(names) + (target == "intent"))
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)
            self.heads[target] = head
        self.register_buffer("kept_aside", torch.full((KEPT,), -torch.inf))

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Tokens after the lower layers [batch, tokens, dim] and mask [batch, tokens] to vectors
        [batch, (1 + upper layers) · dim]."""
        means = [_mean(tokens, mask)]  # [batch, dim] each
        for layer in self.upper:
            tokens = layer(tokens, attention_mask=mask[:, None, None, :])  # [batch, tokens, dim]
            means.append(_mean(tokens, mask))
        return torch.cat(means, dim=1)

    def logits(self, vectors: Tensor) -> dict[str, Tensor]:
        """Vectors to [batch, labels] for each target; the background is the intents' last."""
        dropped = self.dropout(vectors)
        return {target: head(dropped) for target, head in self.heads.items()}

    @torch.inference_mode()
    def predict(self, tokens: Sequence[Tensor], batch: int = 128) -> dict[str, Tensor]:
        """Texts' tokens, as `lower_tokens` gives them, to logits [texts, labels] by target."""
        training, device = self.training, self.kept_aside.device
        self.eval()
        order = sorted(range(len(tokens)), key=lambda row: -len(tokens[row]))
        out = {
            target: torch.zeros(len(tokens), len(names) + (target == "intent"))
            for target, names in self.labels.items()
        }
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            for target, logits in self.logits(
                self(*stack([tokens[row] for row in rows], device))
            ).items():
                out[target][rows] = logits.float().cpu()
        self.train(training)
        return out

    def keep_aside(self, intents: Tensor) -> None:
        """Remembers how familiar messages look that are in scope and were not trained on: their
        logits [messages, intents + 1]."""
        shares = torch.linspace(0, 1, KEPT)
        self.kept_aside.copy_(familiarity(intents).quantile(shares))

    def strangeness(self, intents: Tensor) -> Tensor:
        """Logits [messages, intents + 1] to the share of known messages that look more familiar
        [messages], from 0 to 1."""
        kept = self.kept_aside.cpu()
        return 1 - torch.searchsorted(kept, familiarity(intents).cpu(), right=True) / len(kept)

    def label(self, tower: TextTower, texts: Sequence[str]) -> list[Labels]:
        """The labels of messages."""
        logits = self.predict(lower_tokens(tower, texts, self.lower))
        best = {
            target: logits[target][:, : len(names)].softmax(1).max(1)
            for target, names in self.labels.items()
        }
        names, strangeness = self.labels, self.strangeness(logits["intent"])  # [texts]
        return [
            Labels(
                intent=names["intent"][int(best["intent"].indices[row])],
                intent_probability=float(best["intent"].values[row]),
                out_of_scope=float(strangeness[row]),
                priority=names["priority"][int(best["priority"].indices[row])]
                if "priority" in best
                else None,
            )
            for row in range(len(texts))
        ]

    @classmethod
    def restored(
        cls, tower: TextTower, labels: Mapping[str, Sequence[str]], state: Mapping[str, Tensor]
    ) -> Heads:
        """Heads as they were trained, from their labels and `state_dict`."""
        heads = cls(tower, labels)
        heads.load_state_dict(state)
        return heads.eval()


def familiarity(intents: Tensor) -> Tensor:
    """The log-odds [messages] that a message has one of the intents and not the background, from
    logits [messages, intents + 1]: their energy (Liu et al., 2020, arXiv:2010.03759) beside the
    background's. On CLINC150's validation part this turned away more than the likeliest intent's
    probability or the energy alone: 0.90, 0.85 and 0.87 of the messages out of scope, at 2 % of
    those in scope."""
    intents = intents.float()
    return intents[:, :-1].logsumexp(1) - intents[:, -1]


@torch.inference_mode()
def lower_tokens(tower: TextTower, texts: Sequence[str], lower: int) -> list[Tensor]:
    """Each text's tokens [tokens, dim] after the tower's first `lower` layers. These layers are
    not trained, so that an epoch needs only the others."""
    layers = _layers(tower)[:lower]
    found: list[Tensor] = [torch.empty(0)] * len(texts)
    ids = tower.tokenizer(
        [text.encode("utf-8", "replace").decode() for text in texts],
        truncation=True,
        max_length=min(MAX_TOKENS, tower.max_tokens),
    )["input_ids"]
    order = sorted(range(len(ids)), key=lambda row: -len(ids[row]))
    for start in range(0, len(order), 128):
        rows = order[start : start + 128]
        padded = nn.utils.rnn.pad_sequence(
            [torch.tensor(ids[row]) for row in rows], batch_first=True
        )
        mask = nn.utils.rnn.pad_sequence(
            [torch.ones(len(ids[row]), dtype=torch.bool) for row in rows], batch_first=True
        )
        tokens = tower.transformer.embeddings(input_ids=padded)  # [batch, tokens, dim]
        for layer in layers:
            tokens = layer(tokens, attention_mask=mask[:, None, None, :])
        for row, own in zip(rows, tokens, strict=True):
            found[row] = own[: len(ids[row])].clone()
    return found


def stack(tokens: Sequence[Tensor], device: torch.device) -> tuple[Tensor, Tensor]:
    """Texts' tokens as one batch [batch, tokens, dim], filled up with zeros, and its mask."""
    padded = nn.utils.rnn.pad_sequence([own.float() for own in tokens], batch_first=True)
    lengths = torch.tensor([len(own) for own in tokens])
    mask = torch.arange(padded.shape[1])[None, :] < lengths[:, None]
    return padded.to(device), mask.to(device)


def _mean(tokens: Tensor, mask: Tensor) -> Tensor:
    weight = mask[:, :, None].float()  # [batch, tokens, 1]
    return (tokens.float() * weight).sum(1) / weight.sum(1)


def _layers(tower: TextTower) -> nn.ModuleList:
    layers = getattr(getattr(tower.transformer, "encoder", None), "layer", None)
    if not isinstance(layers, nn.ModuleList):
        raise WeightsError(
            f"model.text: heads need a text model built as BERT is (encoder.layer), and"
            f" {type(tower.transformer).__name__} is not. Use all-MiniLM-L6-v2, or no heads."
        )
    return layers
