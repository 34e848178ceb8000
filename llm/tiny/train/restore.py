"""Makes a training state of a shipped model file, so that training can go on where only model.gguf is left. The rounding to 4 bits is all that is lost.

usage: restore.py MODEL.gguf OUT.pt [--ff N] [--tokens MILLIONS]     --ff: widen the feed-forward layers; the new parts start silent
"""
import argparse
import os
import struct

import numpy as np
import torch

import export
import model as model_
import ops
import tokenizer as tk
import train

HERE = os.path.dirname(os.path.abspath(__file__))
SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}


class Reader:
    """Reads the parts of GGUF that export.py writes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def scalar(self, form):
        x, = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return x

    def text(self):
        n = self.scalar("<Q")
        self.at += n
        return self.data[self.at - n:self.at].decode()

    def value(self, kind):
        if kind == 8:
            return self.text()
        if kind == 9:
            kind, n = self.scalar("<I"), self.scalar("<Q")
            return [self.value(kind) for _ in range(n)]
        return self.scalar(SCALARS[kind])


def blocks(raw, size):
    b = np.frombuffer(raw, np.uint8).reshape(-1, size)
    return b[:, :2].copy().view(np.float16).astype(np.float32), b[:, 2:]


def decode(raw, kind):
    """float32 values of a tensor's bytes."""
    if kind == 0:
        return np.frombuffer(raw, "<f4").copy()
    scale, q = blocks(raw, 18 if kind == 2 else 34)
    if kind == 2:
        return (np.concatenate((q & 15, q >> 4), 1).astype(np.float32) - 8) * scale
    return q.view(np.int8).astype(np.float32) * scale


def read(path):
    """(metadata, {tensor name: array [rows, cols] or [n]})"""
    r = Reader(open(path, "rb").read())
    magic, version, count, pairs = r.scalar("<I"), r.scalar("<I"), r.scalar("<Q"), r.scalar("<Q")
    if magic != 0x46554747 or version != 3:
        raise ValueError(f"{path}: not a GGUF file of version 3")
    metadata = {}
    for _ in range(pairs):
        key = r.text()
        metadata[key] = r.value(r.scalar("<I"))
    heads = []
    for _ in range(count):
        name = r.text()
        shape = [r.scalar("<Q") for _ in range(r.scalar("<I"))][::-1]
        heads.append((name, shape, r.scalar("<I"), r.scalar("<Q")))
    start = -(-r.at // 32) * 32
    tensors = {}
    for name, shape, kind, offset in heads:
        n = int(np.prod(shape))
        size = n * 4 if kind == 0 else n // 32 * (18 if kind == 2 else 34)
        tensors[name] = decode(r.data[start + offset:start + offset + size], kind).reshape(shape)
    return metadata, tensors


def unpruned(table, names, tokenizer):
    """Embeddings of all tokens of vocabulary.txt: those that prune.py took out get the mean of the tokens that spell them now."""
    letters = {letter: byte for byte, letter in export.byte_letters().items()}
    known = [bytes(letters[c] for c in name) for name in names[:len(names) - len(tk.SPECIAL)]]
    row = {t: i for i, t in enumerate(known)}
    small = tk.Tokenizer(known)
    out = [table[row[t]] if t in row else table[[i for i in small.piece(t.decode())]].mean(0) for t in tokenizer.tokens]
    return np.stack(out + list(table[len(known):]))


def half_split(w, heads):
    """Undoes export.interleave."""
    return w.reshape(heads, 16, 2, -1).swapaxes(1, 2).reshape(w.shape)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--ff", type=int, default=0)
    parser.add_argument("--tokens", type=float, default=30)
    a = parser.parse_args()
    metadata, tensors = read(a.model)
    tokenizer = tk.load(os.path.join(HERE, "vocabulary.txt"))
    tensors["token_embd.weight"] = unpruned(tensors["token_embd.weight"], metadata["tokenizer.ggml.tokens"], tokenizer)
    ff = metadata["llama.feed_forward_length"]
    config = model_.Config(tokenizer.size, ff=a.ff or ff, layers=metadata["llama.block_count"])
    m = model_.Llama(config, model_.token_forms(tokenizer), ops.Torch(torch.float32))
    t = {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in tensors.items()}
    with torch.no_grad():
        # Every token's embedding is its own; what forms of a word share is the plain form's.
        table = t["token_embd.weight"]
        kinds = [(table - table[m.base_of])[m.kind_of == k].mean(0) if k else torch.zeros(config.d) for k in range(4)]
        m.kind.copy_(torch.stack(kinds))
        m.base.copy_(table)
        m.own.copy_(table - m.base[m.base_of] - m.kind[m.kind_of])
        for i in range(config.layers):
            w = lambda name: t[f"blk.{i}.{name}.weight"]
            turned = lambda name, heads: torch.from_numpy(np.ascontiguousarray(half_split(tensors[f"blk.{i}.{name}.weight"], heads)))
            m.qkv[i].copy_(torch.cat((turned("attn_q", config.heads), turned("attn_k", config.kv_heads), w("attn_v"))))
            m.o[i].copy_(w("attn_output"))
            m.gate_up[i][:ff].copy_(w("ffn_gate"))
            m.gate_up[i][config.ff:config.ff + ff].copy_(w("ffn_up"))
            m.down[i].zero_()
            m.down[i][:, :ff].copy_(w("ffn_down"))
            m.norm1[i].copy_(w("attn_norm"))
            m.norm2[i].copy_(w("ffn_norm"))
        m.norm.copy_(t["output_norm.weight"])
    state = {k: v.clone() for k, v in m.state_dict().items()}
    optimizer = train.Optimizer(m, 0, 0)
    torch.save(dict(model=state, average=state, optimizer=optimizer.state(), tokens=int(a.tokens * 1e6), pool=int(a.tokens * 1e6) // 80000, step=1000,
                    minutes=0., config=config.as_dict()), a.out)
    print(f"{a.out}: {config.as_dict()}")


if __name__ == "__main__":
    main()
