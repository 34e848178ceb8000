"""Held-out figures of a checkpoint, decoded as drover's runtime decodes: first the marker or text by one masked, gated argmax; then name, keys
and punctuation forced where the schema leaves no choice; values free.

usage: evaluate.py CHECKPOINT [--cases 300] [--quantized] [--failures 20]
The answers are teacher-forced (the argmax at every position given the right prefix), which for exact match is the same as greedy decoding.
"""
import argparse
import os

import torch

import heldout
import model as model_
import ops
import tokenizer as tk
from mix import FULL, Mix
from dialogs import Corpus
from packs import dump

HERE = os.path.dirname(os.path.abspath(__file__))
TASKS = ["cited", "guard", "rewrite", "summary", "lookup", "copy"]


def answer_logits(model, conversations, batch_tokens=12000):
    """For (ids, start) each: float32 logits at the positions that predict ids[start:]."""
    order = sorted(range(len(conversations)), key=lambda i: len(conversations[i][0]))
    out = [None] * len(conversations)
    device = model.norm.device
    with torch.no_grad():
        while order:
            chunk = [order.pop()]
            length = len(conversations[chunk[0]][0]) - 1
            while order and (len(chunk) + 1) * length <= batch_tokens:
                chunk.append(order.pop())
            ids = torch.zeros(len(chunk), length, dtype=torch.long)
            positions, cuts = [], []
            for row, i in enumerate(chunk):
                tokens, start = conversations[i]
                ids[row, :len(tokens) - 1] = torch.tensor(tokens[:-1])
                positions += range(row * length + start - 1, row * length + len(tokens) - 1)
                cuts.append(len(tokens) - start)
            logits = model(ids.to(device), torch.tensor(positions, device=device)).float().cpu()
            for i, part in zip(chunk, logits.split(cuts)):
                out[i] = part
    return out


def free_spans(case):
    """Character spans of the expected call (after the marker) that the schema does not force: values, and keys where optional ones may come."""
    text = case.tool.call("", case.arguments)
    at = len(dump({"name": case.tool.name})) - 1 + len(',"parameters":{')
    spans, params, given = [], case.tool.params, [p for p in case.tool.params if p.name in case.arguments]
    position = 0
    for p in given:
        i = params.index(p)
        key = dump(p.name) + ":"
        choice = any(q.optional for q in params[position:i + 1])
        value = dump(case.arguments[p.name])
        if choice:
            spans.append((at, at + len(key)))
        quoted = value[0] == '"'
        spans.append((at + len(key) + quoted, at + len(key) + len(value) + 1))
        at += len(key) + len(value) + 1
        position = i + 1
    if not given and any(p.optional for p in params):
        spans.append((at, len(text)))
    return spans


def score(model, tokenizer, dialogs, cases, threshold=.5, failures=None):
    """tool: right tool (or rightly none); exact: and right arguments (or the expected text); free: every token right without any mask."""
    prepared = []
    for case in cases:
        ids, learn = tokenizer.conversation(case.messages(dialogs))
        start = len(learn) - next(i for i, x in enumerate(reversed(learn)) if not x)
        prepared.append((ids, start))
    total = dict(tool=0, exact=0, free=0)
    for case, (ids, start), logits in zip(cases, prepared, answer_logits(model, prepared)):
        best = logits.argmax(-1).tolist()
        right = [a == b for a, b in zip(best, ids[start:])]
        markers = [tokenizer.marker(i) for i in range(len(case.tools))]
        call = float(torch.softmax(logits[0], -1)[markers].sum()) >= threshold if markers else False
        chosen = int(logits[0][markers].argmax()) if call else None
        wanted = case.tools.index(case.tool) if case.tool else None
        tool, exact = chosen == wanted, all(right)
        if case.tool:
            spans, at, values = free_spans(case), 0, True
            for token, ok in zip(ids[start + 1:], right[1:]):
                size = len(tokenizer.tokens[token].decode("utf8", "replace")) if token < len(tokenizer.tokens) else 0
                if not ok and size and any(a < at + size and at < b for a, b in spans):
                    values = False
                at += size
            exact = tool and values
        elif case.contains is None:
            exact = tool and exact
        else:
            tool = chosen is None
        total["tool"] += tool
        total["exact"] += exact
        total["free"] += all(right)
        if failures is not None and not (tool and exact):
            failures.append((case.turns[-1][1] if isinstance(case.turns[-1][1], str) else "", tokenizer.text_of(best), tokenizer.text_of(ids[start:]), [t.name for t in case.tools],
                             [c for c in case.turns[:-1] if c[0] == "user"]))
    return {k: n / len(cases) for k, n in total.items()}


def task_scores(model, tokenizer, n, seed=77):
    """Exact match of whole answers of the other tasks, held-out words."""
    mix, out = Mix(Corpus(unseen=True), seed, unseen=True), {}
    for task in TASKS:
        conversations = [tokenizer.conversation(mix.sample({task: 1})[1]) for _ in range(n)]
        conversations = [(i, l) for i, l in conversations if 1 in l]
        good = total = 0
        for (ids, learn), logits in zip(conversations, answer_logits(model, [(i, l.index(1)) for i, l in conversations])):
            start, best, ok = learn.index(1), logits.argmax(-1).tolist(), True
            for i in range(start, len(ids)):
                if learn[i]:
                    ok = ok and best[i - start] == ids[i]
                    if i + 1 == len(ids) or not learn[i + 1]:
                        good, total, ok = good + ok, total + 1, True
        out[task] = good / total
    return out


def figures(model, tokenizer, n, threshold=.5, failures=None, tasks=0):
    """All held-out figures: {set: {measure: share}}."""
    out = {}
    for kind in heldout.KINDS:
        maker = heldout.Maker(9000 + len(kind))
        wrong = [] if failures is not None else None
        out[kind] = score(model, tokenizer, maker.dialogs, maker.cases(kind, n), threshold, wrong)
        if failures is not None:
            failures[kind] = wrong
    if tasks:
        out["tasks"] = task_scores(model, tokenizer, tasks)
    return out


def show(f):
    """One line of figures."""
    parts = [f"{k} " + " ".join(f"{m} {x:.3f}" for m, x in v.items() if k == "tasks" or m != "tool" or k != "results") for k, v in f.items()]
    return " | ".join(parts)


def plain_weights(model):
    """The weights as exported: name -> tensor, the embedding summed."""
    out = {"embedding": model.embedding().detach().clone(), "norm": model.norm.detach().clone()}
    for name in ("qkv", "o", "gate_up", "down", "norm1", "norm2"):
        for i, p in enumerate(getattr(model, name)):
            out[f"{name}.{i}"] = p.detach().clone()
    return out


def load_plain(state, tokenizer, backend=None):
    """A model with the exported weights of a checkpoint."""
    c = dict(state["config"])
    config = model_.Config(c.pop("vocab"), **c)
    forms = torch.arange(config.vocab), torch.zeros(config.vocab, dtype=torch.long)
    m = model_.Llama(config, forms, backend or ops.pick())
    with torch.no_grad():
        m.kind.zero_()
        m.own.zero_()
        m.base.copy_(state["weights"]["embedding"])
        m.norm.copy_(state["weights"]["norm"])
        for name in ("qkv", "o", "gate_up", "down", "norm1", "norm2"):
            for i, p in enumerate(getattr(m, name)):
                p.copy_(state["weights"][f"{name}.{i}"])
    return m


def main():
    from train import four_bits, eight_bits
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--quantized", action="store_true", help="with the 4-bit weights and 8-bit embedding that ship")
    parser.add_argument("--failures", type=int, default=0)
    parser.add_argument("--threshold", type=float, default=.5)
    a = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("DROVER_TRAIN_THREADS", "2")))
    torch.set_flush_denormal(True)
    tokenizer = tk.load(os.path.join(HERE, "vocabulary.txt"))
    m = load_plain(torch.load(a.checkpoint, map_location="cpu"), tokenizer)
    if a.quantized:
        with torch.no_grad():
            for name in ("qkv", "o", "gate_up", "down"):
                for p in getattr(m, name):
                    p.copy_(four_bits(p))
            m.base.copy_(eight_bits(m.base))
    failures = {} if a.failures else None
    for line in show(figures(m, tokenizer, a.cases, a.threshold, failures, tasks=60)).split(" | "):
        print(line)
    for kind, wrong in (failures or {}).items():
        print("=====", kind, len(wrong), "of", a.cases)
        for text, got, want, tools, before in wrong[:a.failures]:
            print(" ", repr(text), before if before else "", "\n     got ", got, "\n     want", want, "\n     of", *tools)


if __name__ == "__main__":
    main()
