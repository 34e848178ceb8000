"""The Llama architecture with fused weights, for training: RMSNorm, rotary positions, grouped-query attention, SwiGLU, tied embeddings.

Token embeddings are stored as shared parts: E(token) = base(its plain form) + kind(plain, space before, capital, both) + own difference,
so that " Weather", "weather" and " weather" learn together. `embedding()` gives the sum, which is what is exported.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class Config:
    """Sizes of a model. Head size is fixed at 32 and four query heads share a key head: the kernels are written for that."""

    def __init__(self, vocab, d=256, layers=6, heads=8, kv_heads=2, ff=384, theta=500000.0, context=2048):
        self.vocab, self.d, self.layers, self.heads, self.kv_heads, self.ff = vocab, d, layers, heads, kv_heads, ff
        self.theta, self.context, self.head = theta, context, 32
        if heads != 4 * kv_heads or d % 32 or ff % 32:
            raise ValueError(f"config: heads {heads} must be 4 × kv_heads {kv_heads}; d {d} and ff {ff} multiples of 32")

    def as_dict(self):
        return dict(vocab=self.vocab, d=self.d, layers=self.layers, heads=self.heads, kv_heads=self.kv_heads, ff=self.ff,
                    theta=self.theta, context=self.context)


def rotary_tables(config):
    """cos and sin of [position][pair], half-split layout (pair i = dimensions i and i+16)."""
    rate = 1.0 / config.theta ** (torch.arange(0, config.head, 2).float() / config.head)
    angle = torch.outer(torch.arange(config.context).float(), rate)
    return torch.cos(angle).contiguous(), torch.sin(angle).contiguous()


def token_forms(tokenizer):
    """Per token: the id of its plain form (no space before, lower first letter) if that is a token, and its kind 0..3."""
    base, kind = [], []
    for i, token in enumerate(tokenizer.tokens):
        k, t = 0, token
        if len(t) > 1 and t[:1] == b" " and t[1:] in tokenizer.rank:
            t, k = t[1:], 1
        low = t[:1].lower() + t[1:]
        if len(t) > 1 and t[:1].isupper() and low in tokenizer.rank:
            t, k = low, k + 2
        base.append(tokenizer.rank[t])
        kind.append(k)
    n = len(tokenizer.tokens)
    base += list(range(n, tokenizer.size))
    kind += [0] * (tokenizer.size - n)
    return torch.tensor(base), torch.tensor(kind)


class Llama(nn.Module):
    """ops: a backend of ops.py."""

    def __init__(self, config, forms, ops):
        super().__init__()
        c = self.config = config
        self.ops = ops
        matrix = lambda rows, cols: nn.Parameter(torch.randn(rows, cols) / math.sqrt(cols))
        each = lambda make: nn.ParameterList([make() for _ in range(c.layers)])
        out_scale = 0.5 / math.sqrt(2 * c.layers)
        self.base = nn.Parameter(torch.randn(c.vocab, c.d) / math.sqrt(c.d))
        self.kind = nn.Parameter(torch.zeros(4, c.d))
        self.own = nn.Parameter(torch.zeros(c.vocab, c.d))
        self.qkv = each(lambda: matrix((c.heads + 2 * c.kv_heads) * c.head, c.d))
        self.o = each(lambda: nn.Parameter(torch.randn(c.d, c.heads * c.head) / math.sqrt(c.d) * out_scale))
        self.gate_up = each(lambda: matrix(2 * c.ff, c.d))
        self.down = each(lambda: nn.Parameter(torch.randn(c.d, c.ff) / math.sqrt(c.ff) * out_scale))
        self.norm1 = each(lambda: nn.Parameter(torch.ones(c.d)))
        self.norm2 = each(lambda: nn.Parameter(torch.ones(c.d)))
        self.norm = nn.Parameter(torch.ones(c.d))
        cos, sin = rotary_tables(c)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.register_buffer("base_of", forms[0])
        self.register_buffer("kind_of", forms[1])
        self.quantize = None  # function on weights for quantization-aware training

    def embedding(self):
        """[vocab, d] token embeddings."""
        return self.base.index_select(0, self.base_of) + F.one_hot(self.kind_of, 4).to(self.kind.dtype) @ self.kind + self.own

    def forward(self, ids, positions=None):
        """Logits [n, vocab], of the backend's type, at the flat positions (row·T + t), or at all. ids: [B, T]."""
        c, ops = self.config, self.ops
        batch, length = ids.shape
        weight = (lambda p: self.quantize(p).to(ops.dtype)) if self.quantize else (lambda p: p.to(ops.dtype))
        table = self.embedding()
        x, delta = F.embedding(ids, table), None
        for i in range(c.layers):
            x, y = ops.add_norm(x, delta, self.norm1[i])
            a = ops.attention(F.linear(y, weight(self.qkv[i])), self.cos, self.sin, batch, length, c.heads, c.kv_heads)
            if i == c.layers - 1 and positions is not None:  # the last layer's rest is needed only where there is a loss
                x, a = (z.reshape(batch * length, -1).index_select(0, positions) for z in (x, a))
            x, y = ops.add_norm(x, F.linear(a, weight(self.o[i])), self.norm2[i])
            delta = F.linear(ops.swiglu(F.linear(y, weight(self.gate_up[i]))), weight(self.down[i]))
        x, y = ops.add_norm(x, delta, self.norm)
        return F.linear(y.reshape(-1, c.d), table.to(ops.dtype))
