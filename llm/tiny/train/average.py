"""Averages checkpoints of one training, weight by weight: better on tools and requests of other hands than any of them (Wortsman et al. 2022, "Model soups").

usage: average.py OUT.pt CHECKPOINT.pt …     each is an average.pt, or a state.pt, of which the running average is taken
"""
import os
import sys

import torch

import evaluate
import model as model_
import ops
import tokenizer as tk

HERE = os.path.dirname(os.path.abspath(__file__))


def weights(path):
    """A checkpoint as average.pt has it."""
    state = torch.load(path, map_location="cpu")
    if "weights" in state:
        return state
    tokenizer = tk.load(os.path.join(HERE, "vocabulary.txt"))
    config = model_.Config(**state["config"])
    m = model_.Llama(config, model_.token_forms(tokenizer), ops.Torch(torch.float32))
    m.load_state_dict(state["average"])
    return dict(weights=evaluate.plain_weights(m), config=state["config"], tokens=state["tokens"])


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    out, *paths = sys.argv[1:]
    states = [weights(path) for path in paths]
    mean = {k: sum(s["weights"][k].float() for s in states) / len(states) for k in states[0]["weights"]}
    torch.save(dict(weights=mean, config=states[0]["config"], tokens=max(s["tokens"] for s in states)), out)
    print(f"{out}: the mean of {len(states)} checkpoints")


if __name__ == "__main__":
    main()
