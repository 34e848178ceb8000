"""Writes a training checkpoint as GGUF: matrices Q4_0, embedding Q8_0, norms F32, Llama 3 tokenizer metadata, the compact chat template.

usage: export.py CHECKPOINT OUT.gguf [--threshold X] [--copy-bias X] [--card TEXT]
The file is byte-deterministic. Rotary rows of q and k are permuted from half-split to interleaved pairs, as llama.cpp's "llama" architecture wants.
"""
import argparse
import os
import struct

import numpy as np
import torch

import tokenizer as tk

HERE = os.path.dirname(os.path.abspath(__file__))
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
TENSOR_F32, TENSOR_Q4_0, TENSOR_Q8_0 = 0, 2, 8
ALIGNMENT = 32

# The compact template's text, which package prompts owns and documents.
TEMPLATE_FILE = os.path.join(HERE, "..", "..", "..", "prompts", "templates", "compact.tmpl")


def byte_letters():
    """GPT-2's byte -> printable letter table, in which GGUF stores byte-level tokens."""
    kept = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table, n = {b: chr(b) for b in kept}, 0
    for b in range(256):
        if b not in table:
            table[b] = chr(256 + n)
            n += 1
    return table


def merges(tokenizer):
    """"left right" for every way to join two tokens into a third, in the order of the third's rank.

    A reader that ranks pairs (llama.cpp, Hugging Face) then merges exactly as one that ranks the joined token (Llama 3, tokenizer.py).
    """
    letters = byte_letters()
    show = lambda t: "".join(letters[b] for b in t)
    out = []
    for token in tokenizer.tokens:
        splits = [(token[:i], token[i:]) for i in range(1, len(token)) if token[:i] in tokenizer.rank and token[i:] in tokenizer.rank]
        if len(token) > 1 and not any(tokenizer.rank[a] < tokenizer.rank[token] > tokenizer.rank[b] for a, b in splits):
            raise ValueError(f"vocabulary: token {token!r} is not reached by merging tokens of lower rank")
        splits.sort(key=lambda s: (tokenizer.rank[s[0]], tokenizer.rank[s[1]]))
        out += [show(a) + " " + show(b) for a, b in splits]
    return out


def q4_0(w):
    """Q4_0 blocks of 32: float16 scale (value of greatest magnitude / -8), then 16 bytes: low nibbles are elements 0..15, high 16..31."""
    x = w.reshape(-1, 32).astype(np.float32)
    top = x[np.arange(len(x)), np.abs(x).argmax(1)]
    scale = (top / -8).astype(np.float16)
    inverse = np.where(scale == 0, 0, 1 / np.where(scale == 0, 1, scale).astype(np.float32))
    q = np.clip(np.floor(x * inverse[:, None] + 8.5), 0, 15).astype(np.uint8)
    return np.concatenate((scale[:, None].view(np.uint8), q[:, :16] | q[:, 16:] << 4), 1).tobytes()


def q8_0(w):
    """Q8_0 blocks of 32: float16 scale (greatest magnitude / 127), then 32 int8."""
    x = w.reshape(-1, 32).astype(np.float32)
    scale = (np.abs(x).max(1) / 127).astype(np.float16)
    inverse = np.where(scale == 0, 0, 1 / np.where(scale == 0, 1, scale).astype(np.float32))
    q = np.clip(np.rint(x * inverse[:, None]), -127, 127).astype(np.int8)
    return np.concatenate((scale[:, None].view(np.uint8), q.view(np.uint8)), 1).tobytes()


def interleave(w, heads):
    """Rows of each head from half-split (i, i+16) to interleaved (2i, 2i+1) rotary pairs."""
    return w.reshape(heads, 2, 16, -1).swapaxes(1, 2).reshape(w.shape)


def pack_value(v):
    if isinstance(v, bool):
        return BOOL, struct.pack("<?", v)
    if isinstance(v, int):
        return U32, struct.pack("<I", v)
    if isinstance(v, float):
        return F32, struct.pack("<f", v)
    if isinstance(v, str):
        raw = v.encode()
        return STRING, struct.pack("<Q", len(raw)) + raw
    kind = STRING if isinstance(v[0], str) else I32
    body = b"".join(pack_value(x)[1] if kind == STRING else struct.pack("<i", x) for x in v)
    return ARRAY, struct.pack("<IQ", kind, len(v)) + body


def write(path, metadata, tensors):
    """metadata: dict of values; tensors: (name, torch shape, type, bytes) in file order."""
    head = struct.pack("<IIQQ", 0x46554747, 3, len(tensors), len(metadata))
    for key, v in metadata.items():
        kind, body = pack_value(v)
        head += pack_value(key)[1] + struct.pack("<I", kind) + body
    offset = 0
    for name, shape, kind, data in tensors:
        head += pack_value(name)[1] + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", n) for n in reversed(shape))
        head += struct.pack("<IQ", kind, offset)
        offset += -(-len(data) // ALIGNMENT) * ALIGNMENT
    pad = lambda b: b + b"\0" * (-len(b) % ALIGNMENT)
    with open(path + ".new", "wb") as f:
        f.write(pad(head))
        for _, _, _, data in tensors:
            f.write(pad(data))
    os.replace(path + ".new", path)


def tensors_of(weights, c):
    """weights: plain state of a model (embedding already summed)."""
    heads, kv = c["heads"], c["kv_heads"]
    n = lambda k: weights[k].float().numpy()
    out = [("token_embd.weight", (c["vocab"], c["d"]), TENSOR_Q8_0, q8_0(n("embedding")))]
    for i in range(c["layers"]):
        q, k, v = np.split(n(f"qkv.{i}"), [heads * 32, (heads + kv) * 32])
        gate, up = np.split(n(f"gate_up.{i}"), 2)
        for name, w in (("attn_q", interleave(q, heads)), ("attn_k", interleave(k, kv)), ("attn_v", v), ("attn_output", n(f"o.{i}")),
                        ("ffn_gate", gate), ("ffn_up", up), ("ffn_down", n(f"down.{i}"))):
            out.append((f"blk.{i}.{name}.weight", w.shape, TENSOR_Q4_0, q4_0(np.ascontiguousarray(w))))
        for name, key in (("attn_norm", "norm1"), ("ffn_norm", "norm2")):
            out.append((f"blk.{i}.{name}.weight", (c["d"],), TENSOR_F32, n(f"{key}.{i}").astype("<f4").tobytes()))
    out.append(("output_norm.weight", (c["d"],), TENSOR_F32, n("norm").astype("<f4").tobytes()))
    return out


def metadata_of(c, tokenizer, threshold, copy_bias, card):
    letters = byte_letters()
    tokens = ["".join(letters[b] for b in t) for t in tokenizer.tokens] + tk.SPECIAL
    special = tokenizer.special
    return {
        "general.architecture": "llama", "general.name": "drover tiny", "general.file_type": 2, "general.quantization_version": 2,
        "general.license": "apache-2.0",
        "llama.block_count": c["layers"], "llama.context_length": c["context"], "llama.embedding_length": c["d"],
        "llama.feed_forward_length": c["ff"], "llama.attention.head_count": c["heads"], "llama.attention.head_count_kv": c["kv_heads"],
        "llama.attention.key_length": 32, "llama.attention.value_length": 32,
        "llama.rope.dimension_count": 32, "llama.rope.freq_base": float(c["theta"]),
        "llama.attention.layer_norm_rms_epsilon": 1e-5, "llama.vocab_size": c["vocab"],
        "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "llama-bpe", "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [1] * len(tokenizer.tokens) + [3] * len(tk.SPECIAL),
        "tokenizer.ggml.merges": merges(tokenizer),
        "tokenizer.ggml.bos_token_id": special["<|begin_of_text|>"], "tokenizer.ggml.eos_token_id": special["<|eot_id|>"],
        "tokenizer.ggml.eot_token_id": special["<|eot_id|>"], "tokenizer.ggml.eom_token_id": special["<|eom_id|>"],
        "tokenizer.ggml.padding_token_id": special["<|finetune_right_pad_id|>"], "tokenizer.ggml.add_bos_token": True,
        "drover.chat_template": open(TEMPLATE_FILE).read(),
        "drover.call_threshold": float(threshold), "drover.copy_bias": float(copy_bias), "drover.model_card": card,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("out")
    parser.add_argument("--threshold", type=float, default=.5)
    parser.add_argument("--copy-bias", type=float, default=0.)
    parser.add_argument("--card", default="")
    parser.add_argument("--vocabulary", default=os.path.join(HERE, "vocabulary.txt"))
    a = parser.parse_args()
    state = torch.load(a.checkpoint, map_location="cpu")
    tokenizer = tk.load(a.vocabulary)
    write(a.out, metadata_of(state["config"], tokenizer, a.threshold, a.copy_bias, a.card), tensors_of(state["weights"], state["config"]))
    print(f"{a.out}: {os.path.getsize(a.out)} bytes, {state['config']}")


if __name__ == "__main__":
    main()
