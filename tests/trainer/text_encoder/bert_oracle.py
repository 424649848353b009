"""What BERT's tokenizer and encoder compute, in plain Python and NumPy.

Written from the papers and from Hugging Face's `BasicTokenizer`, `WordpieceTokenizer`
and `BertModel`, not from souk's code.
"""

from __future__ import annotations

import json
import math
import struct
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray


def basic_tokens(text: str, lower_case: bool = True) -> list[str]:
    """BERT's words: cleaned, ideographs apart, folded, punctuation apart."""
    cleaned = ""
    for c in text:
        if c in "\t\n\r" or unicodedata.category(c).startswith("Z"):
            cleaned += " "
        elif c == "\ufffd" or unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs"):
            continue
        elif 0x4E00 <= ord(c) <= 0x9FFF or 0x3400 <= ord(c) <= 0x4DBF:
            cleaned += f" {c} "
        else:
            cleaned += c
    if lower_case:
        cleaned = unicodedata.normalize("NFD", cleaned.lower())
        cleaned = "".join(c for c in cleaned if unicodedata.category(c) != "Mn")
    spaced = ""
    for c in cleaned:
        ascii_sign = ord(c) < 128 and not c.isalnum() and c != " "
        is_sign = ascii_sign or unicodedata.category(c).startswith("P")
        spaced += f" {c} " if is_sign else c
    return spaced.split()


def word_pieces(word: str, vocabulary: list[str]) -> list[str]:
    """Greedy longest match first."""
    if len(word) > 100:
        return ["[UNK]"]
    known, pieces, start = set(vocabulary), [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in known:
                break
        else:
            return ["[UNK]"]
        pieces.append(piece)
        start = end
    return pieces


def write_hugging_face(
    folder: Path, vocabulary: list[str], *, prefix: str = "", old_names: bool = False
) -> dict[str, Array]:
    """A tiny BERT with random weights as Hugging Face stores it; its tensors."""
    settings = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "vocab_size": len(vocabulary),
        "hidden_size": 8,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": 32,
        "type_vocab_size": 2,
    }
    rng = np.random.default_rng(5)
    tensors: dict[str, Array] = {}

    def dense(name: str, outputs: int, inputs: int) -> None:
        tensors[f"{name}.weight"] = rng.normal(0, 0.5, (outputs, inputs))
        tensors[f"{name}.bias"] = rng.normal(0, 0.5, outputs)

    def norm(name: str) -> None:
        tensors[f"{name}.weight"] = rng.uniform(0.5, 1.5, 8)
        tensors[f"{name}.bias"] = rng.normal(0, 0.2, 8)

    for name, rows in (
        ("word", len(vocabulary)),
        ("position", 32),
        ("token_type", 2),
    ):
        tensors[f"embeddings.{name}_embeddings.weight"] = rng.normal(0, 1, (rows, 8))
    norm("embeddings.LayerNorm")
    for layer in range(2):
        name = f"encoder.layer.{layer}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            dense(f"{name}.attention.{part}", 8, 8)
        norm(f"{name}.attention.output.LayerNorm")
        dense(f"{name}.intermediate.dense", 16, 8)
        dense(f"{name}.output.dense", 8, 16)
        norm(f"{name}.output.LayerNorm")
    tensors = {name: value.astype(np.float32) for name, value in tensors.items()}
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(settings))
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", "utf-8")
    (folder / "model.safetensors").write_bytes(
        safetensors({prefix + _old(n, old_names): t for n, t in tensors.items()})
    )
    return tensors


def safetensors(tensors: dict[str, Array]) -> bytes:
    """The file format, written by its specification."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    body = b""
    for name, tensor in tensors.items():
        kind = {"float32": "F32", "float16": "F16", "int64": "I64", "uint16": "BF16"}
        raw = tensor.tobytes()
        header[name] = {
            "dtype": kind[str(tensor.dtype)],
            "shape": list(tensor.shape),
            "data_offsets": [len(body), len(body) + len(raw)],
        }
        body += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def embed(tensors: dict[str, Array], ids: list[int], num_heads: int) -> Array:
    """[d] mean over the tokens of BERT's last layer, norm 1; one text, no padding."""
    get = tensors.__getitem__

    def dense(x: Array, name: str) -> Array:
        return x @ get(f"{name}.weight").T + get(f"{name}.bias")

    def norm(x: Array, name: str) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return scaled * get(f"{name}.weight") + get(f"{name}.bias")

    def gelu(x: Array) -> Array:
        erf = np.vectorize(math.erf)
        return x * 0.5 * (1.0 + erf(x / math.sqrt(2.0)))

    x = get("embeddings.word_embeddings.weight")[ids].astype(np.float64)
    x = x + get("embeddings.position_embeddings.weight")[: len(ids)]
    x = x + get("embeddings.token_type_embeddings.weight")[0]
    x = norm(x, "embeddings.LayerNorm")
    width = x.shape[1] // num_heads
    layers = {n.split(".")[2] for n in tensors if n.startswith("encoder.layer.")}
    for layer in range(len(layers)):
        name = f"encoder.layer.{layer}"
        q, k, v = (
            dense(x, f"{name}.attention.self.{part}").reshape(-1, num_heads, width)
            for part in ("query", "key", "value")
        )
        scores = np.einsum("qhd,khd->hqk", q, k) / math.sqrt(width)
        chances = np.exp(scores - scores.max(-1, keepdims=True))
        chances /= chances.sum(-1, keepdims=True)
        mixed = np.einsum("hqk,khd->qhd", chances, v).reshape(x.shape)
        attended = dense(mixed, f"{name}.attention.output.dense")
        x = norm(x + attended, f"{name}.attention.output.LayerNorm")
        inner = gelu(dense(x, f"{name}.intermediate.dense"))
        x = norm(x + dense(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")
    pooled = x.mean(axis=0)
    return np.asarray(pooled / np.linalg.norm(pooled))


def _old(name: str, old_names: bool) -> str:
    if old_names:
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma")
        name = name.replace("LayerNorm.bias", "LayerNorm.beta")
    return name
