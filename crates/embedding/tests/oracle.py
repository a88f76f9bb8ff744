#!/usr/bin/env python3
"""What the tests hold the forward pass and the tokenizer to: the same model a second time, in numpy, sharing no code with ours.

Written after the description of BERT (Devlin et al. 2019, Vaswani et al. 2017) and of mean pooling on the card of
sentence-transformers/all-MiniLM-L6-v2. Tokens come from Hugging Face's `tokenizers`, numbers are doubles throughout, and texts go
through padded, as one batch with an attention mask: another way round than the Rust code's in each respect.

    python3 -m venv venv && venv/bin/pip install numpy safetensors tokenizers
    venv/bin/python crates/embedding/tests/oracle.py vectors TEXTS.json   # a JSON list of texts -> golden vectors
    venv/bin/python crates/embedding/tests/oracle.py pieces TEXTS.json    # the numbers of their pieces
    … --weights FILE                                                      # other weights, e.g. the float ones published

The golden files beside this one were made by it on 2026-11-30, with tokenizers 0.23.3 and numpy 2.4.6.
"""

import functools
import json
import math
import pathlib
import sys

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "models/embedding/minilm"
CONFIG = json.loads((FOLDER / "config.json").read_text())


@functools.cache
def tokenizer():
    it = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    it.no_padding()
    it.enable_truncation(max_length=256)
    it.encode_special_tokens = True  # the text "[SEP]" is a text
    return it


def unpacked(path):
    file = load_file(path)
    weights = {}
    for name, tensor in file.items():
        if name.endswith(".q8"):
            scale = file[name[:-3] + ".scale"].astype(np.float64)
            weights[name[:-3]] = tensor.view(np.int8).astype(np.float64) * scale[:, None]
        elif not name.endswith(".scale") and tensor.dtype == np.float32:
            weights[name] = tensor.astype(np.float64)
    return weights


ERF = np.vectorize(math.erf)


def forward(w, ids, mask):
    def dense(x, name):
        return x @ w[name + ".weight"].T + w[name + ".bias"]

    def norm(x, name):
        centred = x - x.mean(-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(-1, keepdims=True) + CONFIG["layer_norm_eps"])
        return centred / deviation * w[name + ".weight"] + w[name + ".bias"]

    batch, length = ids.shape
    heads = CONFIG["num_attention_heads"]
    size = CONFIG["hidden_size"] // heads
    e = "embeddings."
    x = w[e + "word_embeddings.weight"][ids] + w[e + "position_embeddings.weight"][:length]
    x = norm(x + w[e + "token_type_embeddings.weight"][0], e + "LayerNorm")
    hidden = np.where(mask, 0.0, -np.inf)[:, None, None, :]
    for layer in range(CONFIG["num_hidden_layers"]):
        p = f"encoder.layer.{layer}."

        def split(name):
            return dense(x, p + "attention.self." + name).reshape(batch, length, heads, size).transpose(0, 2, 1, 3)

        scores = split("query") @ split("key").transpose(0, 1, 3, 2) / math.sqrt(size) + hidden
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        context = (shares @ split("value")).transpose(0, 2, 1, 3).reshape(batch, length, heads * size)
        x = norm(dense(context, p + "attention.output.dense") + x, p + "attention.output.LayerNorm")
        inner = dense(x, p + "intermediate.dense")
        inner = inner * 0.5 * (1 + ERF(inner / math.sqrt(2)))
        x = norm(dense(inner, p + "output.dense") + x, p + "output.LayerNorm")
    mean = (x * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def embed(texts, weights):
    pieces = [encoding.ids for encoding in tokenizer().encode_batch(texts)]
    length = max(map(len, pieces))
    ids = np.array([p + [CONFIG["pad_token_id"]] * (length - len(p)) for p in pieces])
    mask = np.array([[True] * len(p) + [False] * (length - len(p)) for p in pieces])
    return forward(unpacked(weights), ids, mask)


def main():
    weights = str(FOLDER / "minilm-q8.safetensors")
    args = sys.argv[1:]
    if "--weights" in args:
        at = args.index("--weights")
        weights = args[at + 1]
        del args[at : at + 2]
    if len(args) != 2 or args[0] not in ("vectors", "pieces"):
        sys.exit(__doc__)
    texts = json.loads(pathlib.Path(args[1]).read_text())
    if args[0] == "pieces":
        rows = [{"text": text, "pieces": tokenizer().encode(text).ids} for text in texts]
    else:
        rows = [{"text": t, "vector": [round(float(x), 6) for x in v]} for t, v in zip(texts, embed(texts, weights))]
    print("[\n" + ",\n".join(json.dumps(row, ensure_ascii=True) for row in rows) + "\n]")


if __name__ == "__main__":
    main()
