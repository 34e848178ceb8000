#!/usr/bin/env python3
"""Logits of synthetic Llama models, computed with PyTorch in float32, for package llm's tests to compare with.

The weights are those of weights.go: a hash function's bits, read as GGUF's formats have them, dequantized here with numpy.
The model is written from the published description: RMSNorm, RoPE on interleaved pairs with Llama 3's scaling, grouped-query
attention, SwiGLU, tied embeddings. Nothing is shared with the Go code. No value is rounded below float32, activations and
keys included.

    python3 logits.py > logits.json
"""
import json
import math
import sys

import numpy as np
import torch

torch.set_grad_enabled(False)
MASK = (1 << 64) - 1


def fnv1a(name):
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = ((h ^ b) * 0x100000001B3) & MASK
    return h


def words(name, first, n):
    """Words first ... first+n-1 of a name's SplitMix64 stream."""
    with np.errstate(over="ignore"):
        z = np.uint64(fnv1a(name)) + np.arange(first + 1, first + n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def exponent(name, cols):
    if name in ("token_embd.weight", "output.weight"):
        return -1
    e = -((cols.bit_length() - 1) // 2)
    return e + 1 if name.endswith(("attn_q.weight", "attn_k.weight")) else e


def float_rows(name, first, n, e, kind):
    """Numbers first ... first+n-1 of a matrix in F16 or BF16; both multiples of 4."""
    b = words(name, first // 4, n // 4).view(np.uint16)
    sign, lower = b & 0x8000, (b >> 10) & 3
    if kind == "F16":
        return (sign | ((15 + e - lower) << 10) | (b & 0x3FF)).astype(np.uint16).view(np.float16).astype(np.float32)
    bits = (sign | ((127 + e - lower) << 7) | (b & 0x7F)).astype(np.uint32) << 16
    return bits.view(np.float32)


def q8_rows(name, first, n, e):
    w = words(name, first // 32 * 5, n // 32 * 5).reshape(-1, 5)
    d = (((15 + e - 7) << 10) | (w[:, 0] & np.uint64(0x3FF)).astype(np.uint16)).astype(np.uint16).view(np.float16)
    q = np.ascontiguousarray(w[:, 1:]).view(np.int8).astype(np.float32)
    q[q == -128] = -127
    return (d.astype(np.float32)[:, None] * q).reshape(-1)


def q4_rows(name, first, n, e):
    w = words(name, first // 32 * 3, n // 32 * 3).reshape(-1, 3)
    sign = (w[:, 0] >> np.uint64(48)).astype(np.uint16) & 0x8000
    d = (sign | ((15 + e - 3) << 10) | (w[:, 0] & np.uint64(0x3FF)).astype(np.uint16)).astype(np.uint16).view(np.float16)
    b = np.ascontiguousarray(w[:, 1:]).view(np.uint8)  # 16 bytes: low nibbles are weights 0-15, high ones 16-31
    q = np.concatenate([b & 15, b >> 4], axis=1).astype(np.float32) - 8
    return (d.astype(np.float32)[:, None] * q).reshape(-1)


def matrix(name, rows, cols, kind):
    out = np.empty(rows * cols, dtype=np.float32)
    e = exponent(name, cols)
    step = max(1, (1 << 22) // cols) * cols
    for first in range(0, rows * cols, step):
        n = min(step, rows * cols - first)
        if kind in ("F16", "BF16"):
            out[first:first + n] = float_rows(name, first, n, e, kind)
        else:
            out[first:first + n] = (q8_rows if kind == "Q8_0" else q4_rows)(name, first, n, e)
    return torch.from_numpy(out.reshape(rows, cols))


def norm(name, n):
    return torch.from_numpy(np.float32(0.75) + (words(name, 0, n) & np.uint64(0xFFFF)).astype(np.float32) / np.float32(1 << 17))


def frequencies(head_dim, factor):
    """Angles per position of each pair, float64: base 500,000, wavelengths above 8192 stretched, below 2048 not."""
    inv = 500000.0 ** (-np.arange(0, head_dim, 2, dtype=np.float64) / head_dim)
    out = []
    for f in inv:
        wavelength = 2 * math.pi / f
        if wavelength < 8192 / 4:
            out.append(f)
        elif wavelength > 8192:
            out.append(f / factor)
        else:
            s = (8192 / wavelength - 1) / (4 - 1)
            out.append((1 - s) * f / factor + s * f)
    return torch.tensor(out, dtype=torch.float64)


def rms_norm(x, weight):
    return weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5))


def rotate(x, angles):
    """Rotates pairs (2i, 2i+1) of x[tokens, heads, head_dim]."""
    cos, sin = angles.cos().float()[:, None], angles.sin().float()[:, None]
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


def logits(c, tokens):
    """Logits of the last position, [vocab]."""
    kind = c["type"]
    n, heads, kv_heads, d = len(tokens), c["heads"], c["kv_heads"], c["head_dim"]
    embedding = matrix("token_embd.weight", c["vocab"], c["dim"], kind)
    x = embedding[torch.tensor(tokens)]
    angles = torch.arange(n, dtype=torch.float64)[:, None] * frequencies(d, c["factor"])[None]
    for i in range(c["layers"]):
        w = lambda part, rows, cols: matrix(f"blk.{i}.{part}.weight", rows, cols, kind)
        a = rms_norm(x, norm(f"blk.{i}.attn_norm.weight", c["dim"]))
        k = rotate((a @ w("attn_k", kv_heads * d, c["dim"]).T).view(n, kv_heads, d), angles)
        v = (a @ w("attn_v", kv_heads * d, c["dim"]).T).view(n, kv_heads, d)
        # Behind the last layer only the last position is read.
        first = n - 1 if i == c["layers"] - 1 else 0
        q = rotate((a[first:] @ w("attn_q", heads * d, c["dim"]).T).view(n - first, heads, d), angles[first:])
        attended = torch.empty(n - first, heads, d)
        hidden = torch.arange(n)[None] > torch.arange(first, n)[:, None]
        for h in range(heads):
            g = h // (heads // kv_heads)
            scores = (q[:, h] @ k[:, g].T / math.sqrt(d)).masked_fill(hidden, -math.inf)
            attended[:, h] = scores.softmax(-1) @ v[:, g]
        x = x[first:] + attended.view(n - first, heads * d) @ w("attn_output", c["dim"], heads * d).T
        f = rms_norm(x, norm(f"blk.{i}.ffn_norm.weight", c["dim"]))
        gate = f @ w("ffn_gate", c["hidden"], c["dim"]).T
        up = f @ w("ffn_up", c["hidden"], c["dim"]).T
        x = x + (torch.nn.functional.silu(gate) * up) @ w("ffn_down", c["dim"], c["hidden"]).T
    return embedding @ rms_norm(x[-1], norm("output_norm.weight", c["dim"]))


SHAPES = {
    "1b": dict(dim=2048, hidden=8192, layers=2, heads=32, kv_heads=8, head_dim=64, vocab=128256, factor=32, tokens=7),
    "3b": dict(dim=3072, hidden=8192, layers=1, heads=24, kv_heads=8, head_dim=128, vocab=128256, factor=32, tokens=5),
    "long64": dict(dim=128, hidden=256, layers=1, heads=2, kv_heads=1, head_dim=64, vocab=2048, factor=32, tokens=9000),
    "long128": dict(dim=128, hidden=256, layers=1, heads=1, kv_heads=1, head_dim=128, vocab=2048, factor=32, tokens=9000),
}
CASES = [("1b", t) for t in ("F16", "BF16", "Q8_0", "Q4_0")] + [("3b", t) for t in ("BF16", "Q4_0")]
CASES += [("long64", "F16"), ("long128", "F16"), ("long64", "Q8_0")]


def short(x):
    """Seven digits: below float32's own rounding in a sum of thousands."""
    return float(f"{x.item():.7g}")


def main():
    cases = []
    for shape, kind in CASES:
        c = dict(SHAPES[shape], shape=shape, type=kind)
        n = c.pop("tokens")
        tokens = (words("prompt " + shape, 0, n) % np.uint64(c["vocab"])).astype(np.int64).tolist()
        out = logits(c, tokens)
        top = out.topk(10)
        sample = (words("sample " + shape, 0, 256) % np.uint64(c["vocab"])).astype(np.int64)
        cases.append(dict(
            c, tokens=n, largest=short(out.abs().max()), logsumexp=short(out.double().logsumexp(-1)),
            top=[dict(id=i, logit=short(x)) for i, x in zip(top.indices.tolist(), top.values)],
            sample=[short(x) for x in out[torch.from_numpy(sample)]]))
        print(shape, kind, out[:4].tolist(), "std", out.std().item(), file=sys.stderr)
    json.dump(dict(comment="made by logits.py with PyTorch " + torch.__version__, cases=cases), sys.stdout, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
