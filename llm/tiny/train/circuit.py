"""Initial weights that can already read a list of tools: an induction circuit (layers 0-1) and a selection circuit (layers 0-3).

Plain Llama weights; everything stays trainable. The residual stream (256 wide) is divided:
  0..125 identity of the token   126 flag "tool marker or header"   127 constant
  128..191 the previous token's codes   192..223 tag: code of the tool line that the token stands in   224..255 vote
How a tool is chosen before any training:
  layer 0  every token takes over the code of the latest marker (its tag) and its predecessor's codes;
  layer 1  induction (what followed this token before?); after a marker: copy the name that followed it in the list;
  layer 2  each word of the request looks for itself (group 0) and for words of related meaning (group 1) in the lines and
           writes the tags found there: its votes. Words that stand in no line find themselves and vote "none";
  layer 3  at the answer's start the mean vote becomes marker logits.
"""
import math

import torch

import tokenizer as tk

IDENTITY, FLAG, CONSTANT, PREVIOUS, TAG, VOTE = 126, 126, 127, 128, 192, 224
HEAD = 32
MEANING = 22  # dimensions of the meaning part of an identity: what the low rotary frequencies of one head hold


def initialize(model, tokenizer, meaning=None, marker_rate=2.3, same=1.9, alike=1.6, vote=.2, vote_alike=.2, answer=.3, quiet=.1):
    """Writes the circuit into the model's weights. meaning: [vocab, 22] vectors whose products are attention logits, or None."""
    c = model.config
    if c.d != 256 or c.layers < 5:
        raise ValueError(f"circuit: d {c.d}, layers {c.layers}: want 256 and at least 5")
    g = torch.Generator().manual_seed(1)
    q_rows, k_rows = c.heads * HEAD, c.kv_heads * HEAD
    group = c.heads // c.kv_heads
    half = HEAD // 2
    rate = 1.0 / c.theta ** (torch.arange(0, HEAD, 2).float() / HEAD)
    fast = [0, 1, 2, 3]
    slow = list(range(5, half)) + list(range(5 + half, HEAD))  # 22 dimensions that hardly turn within a prompt
    with torch.no_grad():
        # Orthonormal rows: 0..31 and 32..63 value codes of the two groups, 64..85 same-token keys, 86..107 meaning keys, last two space, capital.
        rows = torch.linalg.qr(torch.randn(IDENTITY, IDENTITY, generator=g))[0].t()
        codes, same_rows, meaning_rows = rows[:64], rows[64:86], rows[86:108]
        without = lambda x, r: x - x @ r.t() @ r
        base = model.base
        base.zero_()
        base[:, :IDENTITY] = without(torch.randn(c.vocab, IDENTITY, generator=g) / math.sqrt(IDENTITY), rows[-2:])
        meaning_scale = .42
        if meaning is not None:
            # Principal directions first, the strongest in the slowest rotary pairs: fast ones wash out over a prompt.
            turned = (meaning - meaning.mean(0)) @ torch.linalg.svd(meaning - meaning.mean(0), full_matrices=False)[2].t()
            order = [i for pair in range(half - 5) for i in (pair, pair + half - 5)]
            meaning = torch.empty_like(turned)
            meaning[:, [order[i] for i in range(MEANING - 1, -1, -1)]] = turned
            scaled = meaning / meaning.norm(dim=1).mean() * meaning_scale
            base[:, :IDENTITY] = without(base[:, :IDENTITY], meaning_rows) + scaled @ meaning_rows
        base[:, CONSTANT] = .5
        model.kind.zero_()
        for kind in (1, 2, 3):
            model.kind[kind, :IDENTITY] = .5 * (kind & 1) * rows[-1] + .5 * (kind >> 1) * rows[-2]
        for i in range(tk.MARKERS):  # a marker shares nothing with any token but has its own code
            x = without(torch.randn(IDENTITY, generator=g), torch.cat((rows[:32], meaning_rows)))
            k = tokenizer.marker(i)
            base[k, :IDENTITY] = .5 * x / x.norm() + .87 * rows[i]
            base[k, FLAG] = .5
        h = tokenizer.special["<|start_header_id|>"]  # code 31 = in no line
        x = without(base[h, :IDENTITY], torch.cat((rows[:32], meaning_rows)))
        base[h, :IDENTITY] = .5 * x / x.norm() + .87 * rows[31]
        base[h, FLAG] = .5
        b = tokenizer.special["<|begin_of_text|>"]  # the sink carries nothing
        x = without(base[b, :IDENTITY], torch.cat((codes, meaning_rows)))
        base[b, :IDENTITY] = x / x.norm()
        sink = base[b, :IDENTITY].clone()
        base += torch.randn(base.shape, generator=g) * .01

        query = lambda l, h: model.qkv[l][h * HEAD:(h + 1) * HEAD]
        key = lambda l, k: model.qkv[l][q_rows + k * HEAD:q_rows + (k + 1) * HEAD]
        value = lambda l, k: model.qkv[l][q_rows + k_rows + k * HEAD:q_rows + k_rows + (k + 1) * HEAD]
        out = lambda l, h: model.o[l][:, h * HEAD:(h + 1) * HEAD]
        for l in range(c.layers):  # less noise in the residual stream
            model.o[l].mul_(quiet)
            model.down[l].mul_(quiet)
        for k in range(c.kv_heads):
            p = rows[32 * k:32 * k + 32]
            # Layer 0: previous-token heads: the constant, in the fast pairs, turned back by one position.
            w = key(0, k)
            for i in fast:
                w[i] *= .1
                w[i + half] *= .1
                w[i, CONSTANT] += 1.
            value(0, k).mul_(.1)[:, :IDENTITY] += p * .7
            w = query(0, k * group).mul_(.1)
            for i in fast:
                w[i] *= .1
                w[i + half] *= .1
                w[i, CONSTANT] += math.cos(rate[i])
                w[i + half, CONSTANT] -= math.sin(rate[i])
            at = PREVIOUS + 32 * k
            out(0, k * group)[at:at + 32] += torch.eye(32) * .12
            # Layer 1: induction heads: who has me as predecessor? Copy it.
            w = key(1, k)
            for z, dim in enumerate(slow):
                w[dim] *= .1
                w[dim, PREVIOUS + 32 * k + z] += 1.5
            w = query(1, k * group)
            for z, dim in enumerate(slow):
                w[dim] *= .1
                w[dim, :IDENTITY] += p[z] * 1.5
            value(1, k).mul_(.1)[:, :IDENTITY] += p * .7
            out(1, k * group)[:IDENTITY] += p.t() * .2
        # Layer 0, head 2: tag = code of the latest marker (scores fall with distance).
        w = key(0, 0)
        for i, a in ((4, .8), (5, 1.), (6, 1.)):
            w[i] *= .1
            w[i + half] *= .1
            w[i, FLAG] += marker_rate * a
        w = query(0, 2).mul_(.1)
        for i, a in ((4, .8), (5, 1.), (6, 1.)):
            w[i, CONSTANT] += marker_rate * a
        out(0, 2)[TAG:TAG + 32] += torch.eye(32) * .12
        # Layer 1, head 1: after a marker, the token that followed this marker before.
        w = query(1, 1)
        for z, dim in enumerate(slow):
            w[dim] *= .1
            w[dim, TAG + z] += 1.
        out(1, 1)[:IDENTITY] += rows[:32].t() * .1
        # Layer 1, head 5: after a parameter's name, what followed the name in the request.
        w = key(1, 1)
        w[slow[-1]] *= 0
        w[slow[-1], TAG + 31] += 1.2
        w = query(1, group + 1)
        for z, dim in enumerate(slow[:-1]):
            w[dim] *= .1
            w[dim, PREVIOUS + 32 + z] += 1.5
        w[slow[-1]] *= .1
        w[slow[-1], CONSTANT] += 1.2
        query(1, group)[slow[-1]] *= 0
        out(1, group + 1)[:IDENTITY] += rows[32:64].t() * .2
        # Layer 2: same token (group 0) and related meaning (group 1) -> vote for the line's tag.
        typical = 12.  # factor of RMSNorm on a typical token here
        gain = math.sqrt(math.sqrt(HEAD)) / typical / meaning_scale
        for k, subspace, strength, weight in ((0, same_rows, same, vote), (1, meaning_rows, alike, vote_alike)):
            if k == 1:
                if meaning is None:
                    continue
                strength = alike * gain * float(meaning.norm(dim=1).mean())
            for w in (key(2, k), query(2, k * group)):
                w *= .1
                for z, dim in enumerate(slow):
                    w[dim, :IDENTITY] += subspace[z] * strength
            value(2, k).mul_(.1)[:, TAG:TAG + 32] += torch.eye(32) * .7
            out(2, k * group)[VOTE:VOTE + 32] += torch.eye(32) * weight
        # Layer 3, head 0: mean vote of the latest tokens outside the lines -> marker, asked only where the own tag is "none".
        sink /= sink.norm()
        w = key(3, 0).mul_(.1)
        w[4, CONSTANT] += 1.
        w[12, TAG + 31] += 1.2
        w[13, :IDENTITY] += sink * .9
        w = query(3, 0).mul_(.1)
        w[4, TAG + 31] += 1.
        w[12, TAG + 31] += 1.2
        w[13, CONSTANT] += .9
        value(3, 0).mul_(.1)[:, VOTE:VOTE + 32] += torch.eye(32)
        out(3, 0)[:IDENTITY] += rows[:32].t() * answer
