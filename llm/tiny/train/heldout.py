"""Held-out cases: unseen words, phrasings and tools, for evaluate.py and, as JSON lines, for the evaluation through drover's own runtime.

usage: heldout.py [OUT_FOLDER] [CASES]     writes builtin, results, technical, unseen, packs and notool .jsonl.gz (format: README.md)
"""
import gzip
import json
import os
import random
import sys

import builtin
from dialogs import Corpus, Dialogs
from packs import Literal
from tokenizer import MARK
from values import Values

HERE = os.path.dirname(os.path.abspath(__file__))


class Case:
    """turns: messages after the tools, the last one expected from the model. tool, arguments: the expected call; tool None: none.
    answer: the expected text; contains: what a faithful answer must hold."""

    def __init__(self, tools, turns, tool=None, arguments=None, answer=None, contains=None):
        self.tools, self.turns, self.tool, self.arguments, self.answer, self.contains = tools, turns, tool, arguments, answer, contains

    def messages(self, dialogs):
        """Messages in the compact template, markers in order, the expected one last."""
        last = ("assistant", (self.tool, self.arguments) if self.tool else self.answer)
        return dialogs.render(self.tools, self.turns + [last], system="", markers=MARK[:len(self.tools)])


class Maker:
    """Draws held-out cases. Distractors in the lists of hand-written tools may be known ones; the tool asked for never is."""

    def __init__(self, seed=2026):
        self.v = Values(random.Random(seed), unseen=True)
        self.corpus, self.known = Corpus(unseen=True), Corpus()
        self.dialogs = Dialogs(self.v, self.corpus)
        self.others = Dialogs(self.v, self.known)

    def shipped_tools(self):
        return [t.variant(self.v, rename=False) for t in self.corpus.builtins]

    def builtin(self):
        """A request to a built-in tool in a held-out phrasing with held-out words."""
        tools = self.shipped_tools()
        text, arguments, result, answer = self.dialogs.ask(tool := self.v.pick(tools))
        return Case(tools, [("user", text)], tool, arguments)

    def results(self):
        """An answer from a built-in tool's result."""
        tools = self.shipped_tools()
        text, arguments, result, answer = self.dialogs.ask(tool := self.v.pick(tools))
        turns = [("user", text), ("assistant", (tool, arguments)), ("ipython", result)]
        if result.startswith("error: "):
            contains = [result[7:]]
        elif tool.name == "calculator":
            contains = [result]
        elif tool.name == "now":
            contains = [result.split(", ")[2].split(" ")[0]]
        elif tool.name == "convert_units":
            contains = [result.split(" = ")[-1]]
        elif tool.name == "list_files":
            contains = result.split("\n")
        else:
            contains = [answer.split(" says:\n")[-1]]
        if result == "(empty)":
            contains = ["empty"]
        if answer.startswith("It does not say"):
            contains = ["not say"]
        return Case(tools, turns, answer=answer, contains=contains)

    def technical(self):
        """An answer that repeats what a program wrote."""
        tools = self.shipped_tools() if self.v.chance(.5) else self.dialogs.draw_tools(self.v.rng.randint(1, 4), 0, synthetic=1)
        tool = next((t for t in tools if t.name == "read_file"), None) or self.v.pick(tools)
        request, arguments, said = tool.ask(self.v)
        text = self.dialogs.marks.text()
        answer = f"{said['path']} says:\n{text}" if tool.domain == "builtin" else f"The result is:\n{text}"
        return Case(tools, [("user", request), ("assistant", (tool, arguments)), ("ipython", text)], answer=answer, contains=[text])

    def unseen(self):
        """A generated tool among 2 to 8 generated ones."""
        n = self.v.rng.randint(2, 8)
        tools = self.dialogs.draw_tools(n, 0, synthetic=1)
        text, arguments, _, _ = self.dialogs.ask(tool := self.v.pick(tools))
        return Case(tools, [("user", text)], tool, arguments)

    def packs(self):
        """A held-out hand-written tool, asked for as its pack says, among 1 to 7 known tools."""
        tool = self.v.pick(self.corpus.tools).variant(self.v)
        tools = [t for t in self.others.draw_tools(self.v.rng.randint(1, 7), 0, synthetic=0) if t.name != tool.name]
        tools.insert(self.v.rng.randint(0, len(tools)), tool)
        text, arguments, _, _ = self.dialogs.ask(tool)
        return Case(tools, [("user", text)], tool, arguments)

    def notool(self):
        """A message that none of the tools serves, or small talk."""
        tools = self.shipped_tools() if self.v.chance(.5) else self.others.draw_tools(self.v.rng.randint(1, 6), .2)
        text, answer = self.dialogs.talk(tools) if self.v.chance(.35) else self.dialogs.unserved(tools)
        return Case(tools, [("user", text)], answer=answer)

    def cases(self, kind, n):
        return [getattr(self, kind)() for _ in range(n)]


KINDS = ["builtin", "results", "technical", "unseen", "packs", "notool"]


def plain(value):
    """Arguments with numbers as numbers."""
    if isinstance(value, Literal):
        return json.loads(value)
    if isinstance(value, dict):
        return {k: plain(x) for k, x in value.items()}
    return [plain(x) for x in value] if isinstance(value, list) else value


def to_json(case, kind, i):
    messages, calls = [], 0
    for role, content in case.turns:
        if isinstance(content, tuple):
            calls += 1
            messages.append({"role": "assistant", "content": "", "tool_calls": [{"id": f"call_{calls}", "type": "function",
                             "function": {"name": content[0].name, "arguments": json.dumps(plain(content[1]), ensure_ascii=False)}}]})
        elif role == "ipython":
            messages.append({"role": "tool", "tool_call_id": f"call_{calls}", "content": content})
        else:
            messages.append({"role": role, "content": content})
    if case.tool:
        expect = {"tool": case.tool.name, "arguments": plain(case.arguments)}
    elif case.contains:
        expect = {"answer": case.answer, "contains": case.contains}
    else:
        expect = {"tool": None}
    return {"id": f"{kind}-{i + 1:04}", "messages": messages, "tools": [t.schema() for t in case.tools], "expect": expect}


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "..", "eval", "testdata")
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    os.makedirs(out, exist_ok=True)
    for kind in KINDS:
        maker = Maker(sum(map(ord, kind)))
        lines = [json.dumps(to_json(c, kind, i), ensure_ascii=False, separators=(",", ":")) for i, c in enumerate(maker.cases(kind, n))]
        with open(os.path.join(out, kind + ".jsonl.gz"), "wb") as f, gzip.GzipFile(fileobj=f, mode="wb", mtime=0, filename="") as z:
            z.write(("\n".join(lines) + "\n").encode())
        print(kind, len(lines), os.path.getsize(os.path.join(out, kind + ".jsonl.gz")), "bytes")


if __name__ == "__main__":
    main()
