"""Vectors of 22 numbers per token in which words of related meaning lie close: the part of a token's initial identity by which the
selection circuit lets "umbrella" vote for a weather tool (circuit.py, layer 2, group 1).

They are trained in two minutes on exactly that vote: each word of a request attends to the words of some lines (and to itself), the line
that gets most attention is the answer. Data: the training tools' requests and lines, and WordNet: a synset's definition asks for the line
of its lemmas and their hypernyms.

usage: meaning.py [OUT]
"""
import os
import random
import re
import sys

import torch
import torch.nn.functional as F

import circuit
import model as model_
import tokenizer as tk
import wordnet
from dialogs import Corpus
from values import Values

HERE = os.path.dirname(os.path.abspath(__file__))
LINES, REQUEST, LINE = 6, 16, 14


class Examples:
    """Batches of requests and lines as ids of plain token forms; 0-padded with a mask."""

    def __init__(self, tokenizer, forms, seed=5):
        self.rng, self.tokenizer = random.Random(seed), tokenizer
        self.values = Values(self.rng)
        self.base = forms[0].tolist()
        self.tools = Corpus().tools
        self.synsets = []
        for part in ("noun", "verb", "adj"):
            table = wordnet.synsets(part)
            for lemmas, links, gloss in table.values():
                if max(wordnet.counts().get((w.lower(), d), 0) for w in lemmas for d in "123") < 1:
                    continue
                line = [w.replace("_", " ") for w in lemmas]
                for symbol, target, letter in links:
                    if symbol in ("@", "+", "~")[:2 + (len(links) < 6)] and letter == part[0] and target in table:
                        line += [w.replace("_", " ") for w in table[target][0][:2]]
                self.synsets.append((" ".join(line), re.sub(r'["();]', " ", gloss)))

    def ids(self, text, most):
        found = [self.base[i] for i in self.tokenizer.encode(" " + text)]
        found = [i for i in found if len(self.tokenizer.tokens[i]) > 1]
        if len(found) > most:
            at = self.rng.randint(0, len(found) - most)
            found = found[at:at + most]
        return found or [self.base[0]]

    def item(self):
        if self.rng.random() < .5:
            some = self.rng.sample(self.synsets, LINES)
            line, gloss = some[0]
            request, lines = (gloss, line) if self.rng.random() < .8 else (line, gloss)
            return self.ids(request, REQUEST), [self.ids(lines, LINE)] + [self.ids(s[0] if lines == line else s[1], LINE) for s in some[1:]]
        tools = [t.variant(self.values) for t in self.rng.sample(self.tools, LINES)]
        text = self.values.pick(tools[0].says)[0]
        text = re.sub(r"\{[^}]*\}", " ", text)
        lines = [f"{t.name.replace('_', ' ')} {t.description} {' '.join(p.name.replace('_', ' ') for p in t.params)}" for t in tools]
        return self.ids(text, REQUEST), [self.ids(x, LINE) for x in lines]

    def batch(self, n):
        """(requests, their mask, lines, their mask); the right line is the first."""
        requests, lines = torch.zeros(n, REQUEST, dtype=torch.long), torch.zeros(n, LINES, LINE, dtype=torch.long)
        rmask, lmask = torch.zeros(n, REQUEST), torch.zeros(n, LINES, LINE)
        for i in range(n):
            request, some = self.item()
            requests[i, :len(request)], rmask[i, :len(request)] = torch.tensor(request), 1
            for j, line in enumerate(some):
                lines[i, j, :len(line)], lmask[i, j, :len(line)] = torch.tensor(line), 1
        return requests, rmask, lines, lmask


def votes(vectors, requests, rmask, lines, lmask):
    """[n, LINES] share of the request's attention that each line gets."""
    q, k = vectors[requests], vectors[lines].flatten(1, 2)
    scores = q @ k.transpose(1, 2) + (lmask.flatten(1)[:, None, :] - 1) * 1e9
    own = (q * q).sum(-1, keepdim=True)
    weights = torch.softmax(torch.cat((scores, own), -1), -1)[..., :-1]
    each = weights.view(*weights.shape[:2], LINES, LINE).sum(-1)
    return (each * rmask[..., None]).sum(1) / rmask.sum(1, keepdim=True)


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "runs", "meaning.pt")
    torch.manual_seed(3)
    torch.set_num_threads(2)
    tokenizer = tk.load(os.path.join(HERE, "vocabulary.txt"))
    forms = model_.token_forms(tokenizer)
    examples = Examples(tokenizer, forms)
    vectors = torch.nn.Parameter(torch.randn(tokenizer.size, circuit.MEANING) * .45)
    steps = 2500
    optimizer = torch.optim.Adam([vectors], lr=2e-2)
    seen = 0.
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 2e-2 * (1 - step / steps)
        v = votes(vectors, *examples.batch(128))
        share = v / v.sum(1, keepdim=True)
        loss = -torch.log(share[:, 0] + 1e-6).mean() + 1e-5 * (vectors ** 2).sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen += float((v.argmax(1) == 0).float().mean())
        if step % 250 == 249:
            print(f"step {step + 1} loss {loss.item():.3f} right line {seen / 250:.3f} norm {vectors.norm(dim=1).mean():.2f}", flush=True)
            seen = 0.
    os.makedirs(os.path.dirname(out), exist_ok=True)
    torch.save(vectors.detach(), out)
    with torch.no_grad():
        unit = F.normalize(vectors, dim=1)
        for word in ("weather", "umbrella", "music", "delete", "email", "price", "doctor", "flight"):
            if word.encode() in tokenizer.rank:
                near = (unit @ unit[tokenizer.rank[word.encode()]]).topk(9).indices.tolist()
                print(word, [tokenizer.tokens[i].decode() for i in near if i < len(tokenizer.tokens)])


if __name__ == "__main__":
    main()
