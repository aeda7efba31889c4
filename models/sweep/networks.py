"""Networks as torch exports them: tabular, recommendation, ranking, attention. Their weights are random."""

import contextlib
import io
import logging
import tempfile
import warnings

import numpy as np
import onnx
import torch
from torch import nn

from sweep.case import ROWS, Case, numbers, spoilt

# It warns of torchvision, which is not there, at every export.
logging.getLogger("torch.onnx").setLevel(logging.ERROR)

FIELDS, WORDS, DIM, DENSE = 8, 100, 8, 6


class Embeddings(nn.Module):
    """Ids of several fields in one table."""

    def __init__(self, dim=DIM):
        super().__init__()
        self.table = nn.Embedding(FIELDS * WORDS, dim)
        self.register_buffer("offsets", torch.arange(FIELDS) * WORDS)

    def forward(self, ids):
        return self.table(ids + self.offsets)


def mlp(*widths, activation=nn.ReLU, norm=None):
    layers = []
    for inputs, outputs in zip(widths, widths[1:-1]):
        layers += [nn.Linear(inputs, outputs)] + ([norm(outputs)] if norm else []) + [activation(), nn.Dropout(0.1)]
    return nn.Sequential(*layers, nn.Linear(*widths[-2:]))


class Tabular(nn.Module):
    def __init__(self, activation=nn.ReLU, norm=None):
        super().__init__()
        self.net = mlp(DENSE, 32, 16, 1, activation=activation, norm=norm)

    def forward(self, dense):
        return torch.sigmoid(self.net(dense))


class Multi(nn.Module):
    """Several classes, a softmax, the class itself."""

    def __init__(self):
        super().__init__()
        self.net = mlp(DENSE, 32, 4)

    def forward(self, dense):
        scores = torch.softmax(self.net(dense), dim=1)
        return scores, scores.argmax(dim=1)


class Residual(nn.Module):
    """A ResNet for tables: blocks beside which the input goes on."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(DENSE, 24)
        self.blocks = nn.ModuleList([nn.Sequential(nn.LayerNorm(24), nn.Linear(24, 48), nn.GELU(), nn.Linear(48, 24)) for _ in range(3)])
        self.last = nn.Linear(24, 1)

    def forward(self, dense):
        x = self.first(dense)
        for block in self.blocks:
            x = x + block(x)
        return self.last(x).squeeze(1)


class WideAndDeep(nn.Module):
    def __init__(self):
        super().__init__()
        self.wide, self.embeddings = Embeddings(1), Embeddings()
        self.deep = mlp(FIELDS * DIM + DENSE, 32, 1)

    def forward(self, ids, dense):
        deep = self.deep(torch.cat([self.embeddings(ids).flatten(1), dense], dim=1))
        return torch.sigmoid(self.wide(ids).sum(dim=1) + deep)


class DeepFM(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.embeddings = Embeddings(1), Embeddings()
        self.deep = mlp(FIELDS * DIM + DENSE, 32, 16, 1)

    def forward(self, ids, dense):
        e = self.embeddings(ids)
        pairs = 0.5 * (e.sum(1).pow(2) - e.pow(2).sum(1)).sum(1, keepdim=True)
        deep = self.deep(torch.cat([e.flatten(1), dense], dim=1))
        return torch.sigmoid(self.first(ids).sum(1) + pairs + deep)


class DCN(nn.Module):
    """Deep and cross network, version 2."""

    def __init__(self):
        super().__init__()
        width = FIELDS * DIM + DENSE
        self.embeddings = Embeddings()
        self.cross = nn.ModuleList([nn.Linear(width, width) for _ in range(3)])
        self.deep = mlp(width, 32, 16)
        self.last = nn.Linear(width + 16, 1)

    def forward(self, ids, dense):
        first = torch.cat([self.embeddings(ids).flatten(1), dense], dim=1)
        x = first
        for cross in self.cross:
            x = first * cross(x) + x
        return torch.sigmoid(self.last(torch.cat([x, self.deep(first)], dim=1)))


class DLRM(nn.Module):
    """Products of all pairs of embeddings."""

    def __init__(self):
        super().__init__()
        self.embeddings, self.bottom = Embeddings(), mlp(DENSE, 16, DIM)
        count = FIELDS + 1
        rows, columns = np.tril_indices(count, -1)
        self.register_buffer("pairs", torch.tensor(rows * count + columns))
        self.top = mlp(DIM + len(rows), 16, 1)

    def forward(self, ids, dense):
        x = self.bottom(dense)
        all = torch.cat([x.unsqueeze(1), self.embeddings(ids)], dim=1)
        products = torch.bmm(all, all.transpose(1, 2)).flatten(1)
        return torch.sigmoid(self.top(torch.cat([x, products[:, self.pairs]], dim=1)))


class DIN(nn.Module):
    """A history of items, each weighed by a network that sees it beside the candidate; padding is masked."""

    def __init__(self):
        super().__init__()
        self.items = nn.Embedding(WORDS, DIM)
        self.attention = mlp(4 * DIM, 16, 1, activation=nn.Sigmoid)
        self.net = mlp(2 * DIM, 16, 1, activation=nn.PReLU)

    def forward(self, history, candidate):
        h, c = self.items(history), self.items(candidate)
        wide = c.unsqueeze(1).expand(-1, history.shape[1], -1)
        scores = self.attention(torch.cat([wide, h, wide - h, wide * h], dim=-1)).squeeze(-1)
        scores = scores.masked_fill(history == 0, -1e9)
        pooled = torch.bmm(torch.softmax(scores, dim=1).unsqueeze(1), h).squeeze(1)
        return torch.sigmoid(self.net(torch.cat([pooled, c], dim=1)))


class TwoTower(nn.Module):
    """The cosine of a user and an item."""

    def __init__(self):
        super().__init__()
        self.embeddings = Embeddings()
        self.user, self.item = mlp(FIELDS * DIM, 16, 8), mlp(DENSE, 16, 8)

    def forward(self, ids, dense):
        user = nn.functional.normalize(self.user(self.embeddings(ids).flatten(1)), dim=1)
        item = nn.functional.normalize(self.item(dense), dim=1)
        return (user * item).sum(dim=1)


class Attention(nn.Module):
    """Self-attention over the fields, written with matrix products (AutoInt)."""

    def __init__(self, heads=2):
        super().__init__()
        self.embeddings, self.heads = Embeddings(), heads
        self.query, self.key, self.value = (nn.Linear(DIM, DIM, bias=False) for _ in range(3))
        self.last = nn.Linear(FIELDS * DIM, 1)

    def forward(self, ids):
        e = self.embeddings(ids)
        split = lambda x: x.reshape(-1, FIELDS, self.heads, DIM // self.heads).transpose(1, 2)
        q, k, v = split(self.query(e)), split(self.key(e)), split(self.value(e))
        shares = torch.softmax(q @ k.transpose(-1, -2) / (DIM // self.heads) ** 0.5, dim=-1)
        x = (shares @ v).transpose(1, 2).reshape(-1, FIELDS, DIM)
        return torch.sigmoid(self.last(torch.relu(x + e).flatten(1)))


class Encoder(nn.Module):
    """A small Transformer encoder over a sequence, as torch has it, and the mean of what comes out."""

    def __init__(self):
        super().__init__()
        self.items, self.places = nn.Embedding(WORDS, 16), nn.Parameter(torch.randn(12, 16))
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, dropout=0.0)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.last = nn.Linear(16, 1)

    def forward(self, history):
        return torch.sigmoid(self.last(self.encoder(self.items(history) + self.places).mean(dim=1)))


class Convolution(nn.Module):
    """A convolution over a sequence: a recent history."""

    def __init__(self):
        super().__init__()
        self.items, self.conv, self.last = nn.Embedding(WORDS, 8), nn.Conv1d(8, 6, 3), nn.Linear(6, 1)

    def forward(self, history):
        return self.last(torch.relu(self.conv(self.items(history).transpose(1, 2))).amax(dim=2))


class Recurrent(nn.Module):
    """A GRU over a sequence, its last state."""

    def __init__(self):
        super().__init__()
        self.items, self.gru, self.last = nn.Embedding(WORDS, 8), nn.GRU(8, 12, batch_first=True), nn.Linear(12, 1)

    def forward(self, history):
        return self.last(self.gru(self.items(history))[1][-1])


class Bag(nn.Module):
    """The mean of the embeddings of a sequence without its padding."""

    def __init__(self):
        super().__init__()
        self.items, self.last = nn.Embedding(WORDS, DIM), nn.Linear(DIM, 1)

    def forward(self, history):
        mask = (history != 0).float().unsqueeze(-1)
        mean = (self.items(history) * mask).sum(1) / mask.sum(1).clamp(min=1)
        return self.last(mean)


def export(module, rows, dynamo):
    """By torch's exporter of today, or by the one before."""
    module.eval()
    names = list(rows)
    arguments = tuple(torch.from_numpy(rows[name][:2]) for name in names)
    try:
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file, contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if dynamo:
                batch = torch.export.Dim("batch", min=1)
                torch.onnx.export(module, arguments, file.name, input_names=names, dynamo=True, external_data=False,
                                  dynamic_shapes=tuple({0: batch} for _ in names))  # fmt: skip
            else:
                torch.onnx.export(module, arguments, file.name, input_names=names, dynamo=False, opset_version=17,
                                  dynamic_axes={name: {0: "batch"} for name in names})  # fmt: skip
            return onnx.load(file.name)
    except Exception as cause:  # whatever the exporter meets is what the sweep reports
        return f"{type(cause).__name__}: {cause}".splitlines()[0]


def cases(rng):
    torch.manual_seed(7)
    dense = numbers(rng, width=DENSE)
    ids = rng.integers(0, WORDS, (ROWS, FIELDS))
    history = np.where(np.arange(12) < rng.integers(0, 13, (ROWS, 1)), rng.integers(1, WORDS, (ROWS, 12)), 0)
    candidate = rng.integers(1, WORDS, ROWS)
    values = dict(dense=dense, ids=ids, history=history, candidate=candidate)
    spoilt_values = values | dict(dense=spoilt(rng, dense))
    for name, module, inputs in [
        ("MLP", Tabular(), ["dense"]),
        ("MLP, batch norm", Tabular(norm=nn.BatchNorm1d), ["dense"]),
        ("MLP, layer norm, GELU", Tabular(nn.GELU, nn.LayerNorm), ["dense"]),
        ("MLP, SiLU", Tabular(nn.SiLU), ["dense"]),
        ("MLP, ELU", Tabular(nn.ELU), ["dense"]),
        ("MLP, leaky ReLU", Tabular(nn.LeakyReLU), ["dense"]),
        ("MLP, softplus", Tabular(nn.Softplus), ["dense"]),
        ("MLP, hard swish", Tabular(nn.Hardswish), ["dense"]),
        ("MLP, Mish", Tabular(nn.Mish), ["dense"]),
        ("classes", Multi(), ["dense"]),
        ("ResNet for tables", Residual(), ["dense"]),
        ("wide and deep", WideAndDeep(), ["ids", "dense"]),
        ("DeepFM", DeepFM(), ["ids", "dense"]),
        ("DCN", DCN(), ["ids", "dense"]),
        ("DLRM", DLRM(), ["ids", "dense"]),
        ("DIN", DIN(), ["history", "candidate"]),
        ("two towers", TwoTower(), ["ids", "dense"]),
        ("attention over fields", Attention(), ["ids"]),
        ("Transformer encoder", Encoder(), ["history"]),
        ("embedding bag", Bag(), ["history"]),
        ("convolution", Convolution(), ["history"]),
        ("GRU", Recurrent(), ["history"]),
    ]:
        rows = {name: values[name] for name in inputs}
        ugly = {name: spoilt_values[name] for name in inputs} if "dense" in inputs else {}
        for exporter, dynamo in [("", True), (", old exporter", False)]:
            yield Case(f"torch {name}{exporter}", export(module, rows, dynamo), rows, ugly)
