"""Trains the embedded model: Muon for matrices, Adam for embeddings and norms, loss on the assistant's tokens, data generated as it goes.

usage: train.py --run runs/NAME [--minutes M --decay D] [--from CHECKPOINT] …      (resumes by itself when the run has a state)
Files in the run's folder: state.pt (everything, saved atomically; resuming repeats the same batches), average.pt (running average of the
weights, what is evaluated and exported), stable.pt (state before the final decay: later runs go on from it), curve.csv, log.txt.
Write minutes into a file named decay there to start the final linear decay of the rates; make a file named stop to save and end.
"""
import argparse
import csv
import os
import random
import signal
import time

import torch

import circuit
import evaluate
import mix
import model as model_
import ops
import tokenizer as tk
from dialogs import Corpus

HERE = os.path.dirname(os.path.abspath(__file__))
FIRST_TOKEN_WEIGHT = 4.


def four_bits(w):
    """w as Q4_0 stores it: groups of 32, scale = element of greatest magnitude / -8 in float16. Straight-through gradient."""
    x = w.reshape(-1, 32)
    top = torch.gather(x, 1, x.abs().argmax(1, keepdim=True))
    scale = (top / -8).half().float()
    scale = torch.where(scale == 0, torch.full_like(scale, 1e-7), scale)
    y = (torch.clamp(torch.round(x / scale), -8, 7) * scale).reshape(w.shape)
    return w + (y - w).detach()


def eight_bits(w):
    """w as Q8_0 stores it."""
    x = w.reshape(-1, 32)
    scale = (x.abs().amax(1, keepdim=True) / 127).half().float() + 1e-12
    return w + ((torch.round(x / scale) * scale).reshape(w.shape) - w).detach()


def orthogonalize(g, dtype, steps=5):
    """Newton-Schulz iteration of Muon on a batch [n, rows, cols]: pushes all singular values towards 1."""
    turned = g.shape[1] > g.shape[2]
    x = g.transpose(1, 2) if turned else g
    x = (x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)).to(dtype)
    for _ in range(steps):
        a = x @ x.transpose(1, 2)
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
    x = x.float()
    return x.transpose(1, 2) if turned else x


class Optimizer:
    """Muon for the matrices (q, k, v, gate, up each on their own, equal shapes in one batch), Adam for the rest."""

    def __init__(self, model, rate, adam_rate):
        c, self.rate, self.adam_rate = model.config, rate, adam_rate
        self.dtype = torch.bfloat16 if model.ops.dtype == torch.bfloat16 else torch.float32
        q, kv = c.heads * 32, c.kv_heads * 32
        cuts = {"qkv": [(0, q), (q, q + kv), (q + kv, q + 2 * kv)], "gate_up": [(0, c.ff), (c.ff, 2 * c.ff)], "o": [(0, c.d)], "down": [(0, c.d)]}
        self.matrices = [p for name in cuts for p in getattr(model, name)]
        self.momenta = [torch.zeros_like(p) for p in self.matrices]
        self.groups = {}
        at = 0
        for name, parts in cuts.items():
            for p in getattr(model, name):
                for lo, hi in parts:
                    self.groups.setdefault((hi - lo, p.shape[1]), []).append((at, lo, hi))
                at += 1
        matrix_ids = {id(p) for p in self.matrices}
        self.others = [p for p in model.parameters() if id(p) not in matrix_ids]
        self.adam = torch.optim.Adam(self.others, lr=adam_rate, betas=(.9, .98), eps=1e-9)

    def step(self, factor):
        for group in self.adam.param_groups:
            group["lr"] = self.adam_rate * factor
        with torch.no_grad():
            updates = []
            for p, m in zip(self.matrices, self.momenta):
                m.mul_(.95).add_(p.grad)
                updates.append(p.grad.add_(m, alpha=.95))
            for (rows, cols), members in self.groups.items():
                x = orthogonalize(torch.stack([updates[i][lo:hi] for i, lo, hi in members]), self.dtype)
                for (i, lo, hi), u in zip(members, x):
                    self.matrices[i][lo:hi].add_(u, alpha=-self.rate * factor * max(1, rows / cols) ** .5)
        self.adam.step()
        for p in self.matrices + self.others:
            p.grad = None

    def state(self):
        return {"momenta": self.momenta, "adam": self.adam.state_dict()}

    def load(self, state):
        for m, s in zip(self.momenta, state["momenta"]):
            m.copy_(s)
        self.adam.load_state_dict(state["adam"])


def make_batches(tokenizer, corpus, seed, shares, easy, tokens, batch_tokens, longest=1024):
    """One pool: conversations drawn from a seed, cut into batches of similar length."""
    source, rng, pool, total = mix.Mix(corpus, seed), random.Random(seed), [], 0
    while total < tokens:
        ids, learn = tokenizer.conversation(source.sample(shares, easy)[1])
        if len(ids) <= longest:
            pool.append((ids, learn))
            total += len(ids)
    pool.sort(key=lambda x: len(x[0]) + rng.random() * 8)
    batches, batch = [], []
    for item in pool:
        if batch and (len(batch) + 1) * len(item[0]) > batch_tokens:
            batches.append(batch)
            batch = []
        batch.append(item)
    batches.append(batch)
    rng.shuffle(batches)
    return batches


def tensors(batch):
    """ids [B, T], flat positions that predict a learned token, those tokens, their weights in the loss (1 in all).

    The first token of an answer, which decides between the tools and an answer in words, is the hardest and counts several times.
    """
    length = max(len(ids) for ids, _ in batch) - 1
    ids, positions, targets, weights = torch.zeros(len(batch), length, dtype=torch.long), [], [], []
    for row, (tokens, learn) in enumerate(batch):
        ids[row, :len(tokens) - 1] = torch.tensor(tokens[:-1])
        for i in range(1, len(tokens)):
            if learn[i]:
                positions.append(row * length + i - 1)
                targets.append(tokens[i])
                weights.append(1. if learn[i - 1] else FIRST_TOKEN_WEIGHT)
    weights = torch.tensor(weights)
    return ids, torch.tensor(positions), torch.tensor(targets), weights / weights.sum()


def save(path, state):
    torch.save(state, path + ".new")
    os.replace(path + ".new", path)


def stage(tokens):
    """(shares, easy, tokens per step) of the curriculum after so many tokens."""
    if tokens < .25e6:
        return mix.SELECT, 3, 5120
    if tokens < .6e6:
        return mix.SELECT, 2, 5120
    if tokens < 1e6:
        return mix.SELECT, 1, 5120
    if tokens < 2.5e6:
        return mix.EARLY, 1, 6144
    return mix.FULL, 0, 8192


def rate_factor(tokens, peak):
    """Small steps at first, or the built-in circuit is lost; `peak` times as large between .4 and 1.2 million tokens."""
    return 1 + (peak - 1) * min(1, max(0, (tokens - .4e6) / .8e6))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--run", required=True)
    add("--from", dest="start", default="", help="checkpoint (state.pt or stable.pt of another run) to go on from")
    add("--minutes", type=float, default=0, help="end after so many minutes of this call (0: by the files stop and decay only)")
    add("--decay", type=float, default=0, help="the last so many minutes decay the rates")
    add("--rate", type=float, default=.002)
    add("--adam-rate", type=float, default=3e-4)
    add("--peak", type=float, default=3.)
    add("--seed", type=int, default=1)
    add("--ff", type=int, default=512)
    add("--four-bits", type=int, default=0, help="train with the weights rounded as they ship")
    add("--evaluate", type=float, default=10, help="minutes between evaluations")
    add("--cases", type=int, default=120)
    add("--progress", default="", help="file that gets a line at each evaluation")
    a = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("DROVER_TRAIN_THREADS", "2")))
    torch.set_flush_denormal(True)
    torch.manual_seed(a.seed)
    os.makedirs(a.run, exist_ok=True)
    path = lambda name: os.path.join(a.run, name)
    log = open(path("log.txt"), "a", buffering=1)

    def say(text, progress=False):
        print(text, flush=True)
        log.write(text + "\n")
        if progress and a.progress:
            with open(a.progress, "a") as f:
                f.write(text + "\n")

    tokenizer = tk.load(os.path.join(HERE, "vocabulary.txt"))
    backend = ops.pick()
    device = "cuda" if backend.name == "torch" and torch.cuda.is_available() else "cpu"
    config = model_.Config(tokenizer.size, ff=a.ff)
    m = model_.Llama(config, model_.token_forms(tokenizer), backend)
    meaning_file = os.path.join(HERE, "runs", "meaning.pt")
    circuit.initialize(m, tokenizer, torch.load(meaning_file) if os.path.exists(meaning_file) else None)
    m.to(device)
    optimizer = Optimizer(m, a.rate, a.adam_rate)
    tokens = pool = step = 0
    minutes, decayed = 0., None
    average = {k: v.clone() for k, v in m.state_dict().items()}
    source = path("state.pt") if os.path.exists(path("state.pt")) else a.start
    if source:
        state = torch.load(source, map_location=device)
        m.load_state_dict(state["model"])
        optimizer.load(state["optimizer"])
        average = state["average"]
        tokens, pool, step, minutes = state["tokens"], state["pool"], state["step"], state["minutes"]
        if source == path("state.pt"):
            decayed = state.get("decayed")  # (seconds spent, seconds in all) of a final decay that was cut off
        say(f"resumed {source} at {tokens / 1e6:.2f} M tokens")
    if a.four_bits:
        m.quantize = four_bits
    say(f"{sum(p.numel() for n, p in m.named_parameters() if n not in ('own', 'kind')) / 1e6:.2f} M parameters, {backend.name}, {device}")

    shadow = model_.Llama(config, model_.token_forms(tokenizer), backend).to(device)
    start, paused, asked_to_end = time.time(), 0., []
    signal.signal(signal.SIGTERM, lambda *_: asked_to_end.append(True))  # saves at the next pool and ends
    decay_from = decay_for = None
    if decayed:
        decay_from, decay_for = start - decayed[0], decayed[1]
        say(f"the decay goes on, {(decayed[1] - decayed[0]) / 60:.1f} min are left")
    elif a.decay:
        decay_from, decay_for = start + 60 * (a.minutes - a.decay), 60 * a.decay
    saved = start
    next_evaluation = start + 60 * min(a.evaluate, 3)
    losses, chosen, speed_tokens, speed_time = [], [], 0, time.time()
    corpus = Corpus()

    def everything():
        now = time.time()
        spent = now - decay_from if decay_from is not None else 0
        return dict(decayed=(spent, decay_for) if 0 < spent < decay_for else None, model=m.state_dict(), optimizer=optimizer.state(), average=average, tokens=tokens, pool=pool, step=step,
                    minutes=minutes + (now - start - paused) / 60, config=config.as_dict())

    def check(final=False):
        nonlocal paused
        began = time.time()
        shadow.load_state_dict(average)
        save(path("average.pt"), dict(weights={k: v.cpu() for k, v in evaluate.plain_weights(shadow).items()}, config=config.as_dict(), tokens=tokens))
        f = evaluate.figures(shadow, tokenizer, a.cases * (3 if final else 1), tasks=40 if final else 15)
        spent = minutes + (began - start - paused) / 60
        say(f"{time.strftime('%H:%M')} {spent:.1f} min {tokens / 1e6:.2f} M tokens: {evaluate.show(f)}", progress=True)
        row = {"minutes": round(spent, 1), "million_tokens": round(tokens / 1e6, 2), **{f"{k} {n}": round(x, 3) for k, v in f.items() for n, x in v.items()}}
        new = not os.path.exists(path("curve.csv"))
        with open(path("curve.csv"), "a", newline="") as out:
            writer = csv.DictWriter(out, row)
            if new:
                writer.writeheader()
            writer.writerow(row)
        paused += time.time() - began

    while True:
        now = time.time()
        if decay_from is None and os.path.exists(path("decay")):
            decay_from, decay_for = now, 60 * float(open(path("decay")).read() or 20)
            os.remove(path("decay"))
        if decay_from is not None and now >= decay_from and not os.path.exists(path("stable.pt")):
            save(path("stable.pt"), everything())
            say(f"decay begins at {tokens / 1e6:.2f} M tokens")
        if asked_to_end:
            save(path("state.pt"), everything())
            say(f"saved at {tokens / 1e6:.2f} M tokens")
            return
        ended = now >= decay_from + decay_for if decay_from is not None else a.minutes and now >= start + 60 * a.minutes
        if ended or os.path.exists(path("stop")):
            save(path("state.pt"), everything())
            check(final=True)
            return
        if now >= saved + 150:
            save(path("state.pt"), everything())
            saved = now
        if now >= next_evaluation:
            save(path("state.pt"), everything())
            check()
            next_evaluation = time.time() + 60 * a.evaluate
            corpus = Corpus()  # the packs may have grown
        shares, easy, batch_tokens = stage(tokens)
        for batch in make_batches(tokenizer, corpus, a.seed * 1000003 + pool, shares, easy, batch_tokens * 10, batch_tokens):
            ids, positions, targets, weights = (x.to(device) for x in tensors(batch))
            if not len(targets):
                continue
            loss, hit = backend.cross_entropy(m(ids, positions), targets, weights)
            choice = (targets >= tokenizer.marker(0)) & (targets < tokenizer.marker(0) + tk.MARKERS)
            chosen.append((int(hit[choice].sum()), int(choice.sum())))
            loss.backward()
            left = 1. if decay_from is None or time.time() < decay_from else max(.02, 1 - (time.time() - decay_from) / decay_for)
            optimizer.step(min(1, (step + 1) / 30) * rate_factor(tokens, a.peak) * left)
            step += 1
            tokens += ids.numel()
            speed_tokens += ids.numel()
            losses.append(loss.item())
            keep = min(.997, 1 - 1 / (1 + step / 4))
            with torch.no_grad():
                for k, v in m.state_dict().items():
                    if v.dtype.is_floating_point:
                        average[k].lerp_(v, 1 - keep)
            if step % (10 if step < 100 else 50) == 0:
                say(f"{time.strftime('%H:%M:%S')} step {step} {tokens / 1e6:.2f} M loss {sum(losses) / len(losses):.4f} choice {sum(c for c, _ in chosen) / max(1, sum(n for _, n in chosen)):.3f} {speed_tokens / (time.time() - speed_time):.0f} tok/s")
                losses, chosen, speed_tokens, speed_time = [], [], 0, time.time()
        pool += 1


if __name__ == "__main__":
    main()
