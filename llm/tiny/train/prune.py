"""Takes tokens out of a trained vocabulary that training never showed: words that were held out or that no text holds. Their embeddings are
not trained, so that they are copied wrongly; without them such words are spelled with smaller tokens, which are trained.

usage: prune.py CHECKPOINT OUT.pt OUT_VOCABULARY.txt [--dialogs 6000]
"""
import argparse
import collections
import os

import torch

import mix
import tokenizer as tk
from dialogs import Corpus
from values import Values

HERE = os.path.dirname(os.path.abspath(__file__))


def shown(tokenizer, dialogs):
    """How often each token stands in training's conversations, words joined of two tokens (Values.blend) left out."""
    blend, Values.blend = Values.blend, lambda self, capital=False: self.pick(["report", "Anna"][capital:][:1])
    source, count = mix.Mix(Corpus(), 271828), collections.Counter()
    for _ in range(dialogs):
        count.update(tokenizer.conversation(source.sample(mix.FULL)[1])[0])
    Values.blend = blend
    return count


def kept(tokens, count, least=4):
    """Indices of the tokens to keep: those shown at least so often, single bytes, and what is needed to reach them by merging."""
    rank = {t: i for i, t in enumerate(tokens)}
    keep = {i for i, t in enumerate(tokens) if len(t) == 1 or count[i] >= least or not t.strip().isalpha()}
    todo = sorted(keep, reverse=True)
    while todo:
        t = tokens[i := todo.pop()]
        if len(t) == 1:
            continue
        splits = [(rank[t[:k]], rank[t[k:]]) for k in range(1, len(t)) if t[:k] in rank and t[k:] in rank and rank[t[:k]] < i > rank[t[k:]]]
        if any(a in keep and b in keep for a, b in splits):
            continue
        # Of the ways to reach it the one with the longest first part.
        for part in max(splits, key=lambda s: len(tokens[s[0]])):
            if part not in keep:
                keep.add(part)
                todo.append(part)
    return sorted(keep)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("out")
    parser.add_argument("vocabulary")
    parser.add_argument("--dialogs", type=int, default=6000)
    a = parser.parse_args()
    tokenizer = tk.load(os.path.join(HERE, "vocabulary.txt"))
    keep = kept(tokenizer.tokens, shown(tokenizer, a.dialogs))
    state = torch.load(a.checkpoint, map_location="cpu")
    rows = torch.tensor(keep + list(range(len(tokenizer.tokens), tokenizer.size)))
    state["weights"]["embedding"] = state["weights"]["embedding"][rows].clone()
    state["config"]["vocab"] = len(rows)
    torch.save(state, a.out)
    tk.save([tokenizer.tokens[i] for i in keep], a.vocabulary)
    print(f"{len(keep)} of {len(tokenizer.tokens)} tokens kept; out are, for example,", [tokenizer.tokens[i].decode() for i in range(len(tokenizer.tokens)) if i not in set(keep)][::97])


if __name__ == "__main__":
    main()
