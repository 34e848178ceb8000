"""Conversations with tools as the compact template writes them: lists of tools, requests, calls, results, answers, small talk, refusals."""
import re

import builtin
import packs
import served
import technical
from synthetic import Synthetic
from tokenizer import MARK, MARKERS

CANNOT = "I can't do that with the tools I have."
UNKNOWN = "I don't know that, and none of my tools can tell me."
CANNOT_BARE = "I can't do that: I have no tools here."
UNKNOWN_BARE = "I don't know that, and I have no tools to find out."
SYSTEMS = ["You are a helpful assistant.", "You are a helpful assistant with tools.", "Use a tool when it fits.", "Answer briefly.", "You are drover, a small agent. Use tools when needed.", "Call a tool if one fits, otherwise answer.",
           "You can call functions.", "Be concise and honest.", "You help people in the office.", "Environment: ipython"]
_ASKS = re.compile(r"^(who|what|whats|why|how|when|where|which|whose|is|are|was|were|do(?! (my|the|a|an|some|this|that|not)\b)|does|did|am|has|have(?! (my|the|a|an)\b)|had|will|should|could it)\b|\?$", re.I)
# Orders in the form of a question, unless what they want is to be told something.
_ORDERS = re.compile(r"^(hey,? |hi,? |please |so )?(can|could|would|will) (you|u|ya|someone|somebody)\b(?!.*\b(tell|explain|know|why|how|who|what|when|where|which|say)\b)", re.I)
_JOINTS = [", and ", " and ", ". Then ", ", then ", ". Also, ", "? And ", "; ", " and then ", ". And ", ", and also ", " plus ", ". After that ", " & "]
# Words of tools that may serve what a built-in tool serves: never offered in its place as "no tool fits".
_NEAR_BUILTIN = re.compile(r"calc|expression|arith|math|convert|unit|time|clock|date|file|folder|direct|path|document|number|percent|statist|geometr|physic|sum|average")


def decline(text, tools=True):
    """The plain answer to a message that no tool serves: a question gets "I don't know", an order "I can't"."""
    asks = _ASKS.search(text.strip()) is not None and not _ORDERS.search(text.strip())
    return (UNKNOWN if asks else CANNOT) if tools else (UNKNOWN_BARE if asks else CANNOT_BARE)


def load_small_talk(sets, implied):
    """[(ways to say it, answers, topics)]. sets and implied: those of unserved.txt (served.tags)."""
    out = []
    for line, topics in served.read("smalltalk.txt", sets, implied):
        said, _, answers = line.partition("=>")
        out.append(([s.strip() for s in said.split(" | ")], [a.strip() for a in answers.split(" | ")], topics))
    return out


class Corpus:
    """The packs, small talk and unserved messages as they are now. unseen: held-out tools and phrasings instead of the training ones."""

    def __init__(self, unseen=False):
        self.problems = []
        training, held, builtins, builtins_held = packs.load(self.problems)
        self.tools = held if unseen else training
        self.builtins = builtins_held if unseen else builtins
        self.builtins = [t for t in self.builtins if t.says]
        self.domains = {}
        for t in self.tools:
            self.domains.setdefault(t.domain, []).append(t)
        sets, implied = {}, {}
        lines = served.read("unserved.txt", sets, implied)
        talk = load_small_talk(sets, implied)
        self.served = served.Filter(implied)
        ways = set(served.split([s for said, _, _ in talk for s in said], unseen, "talk "))
        self.talk = []
        for said, answers, topics in talk:
            half = [s for s in said if s in ways]
            if half:
                self.talk.append((half, answers, topics))
        nones = [n for t in training + held + builtins for n in t.nones]
        half = set(served.split(nones + [text for text, _ in lines], unseen, "none "))
        self.nones = [(t, n) for t in training + held for n in t.nones if n in half]
        self.builtin_nones = [n for t in builtins for n in t.nones if n in half]
        self.unserved = [(text, topics) for text, topics in lines if text in half]


class Dialogs:
    """Draws conversations with Values v from a Corpus."""

    def __init__(self, v, corpus, rich=.3):
        self.v, self.corpus = v, corpus
        self.synthetic = Synthetic(v, rich)
        self.results = builtin.Results(v)
        self.marks = technical.Technical(v)

    # -- lists of tools
    def draw_tools(self, n, builtins=0.0, synthetic=.25, params=(0, 1, 1, 2, 2, 3)):
        """n tools as one prompt shows them, half of the time several of one domain."""
        v, c, out = self.v, self.corpus, []
        if v.chance(builtins) and c.builtins:
            k = v.rng.randint(1, min(n, len(c.builtins)))
            out += [t.variant(v, rename=False) for t in v.rng.sample(c.builtins, k)]
        avoid = set()
        same = v.pick(list(c.domains.values())) if c.domains else []
        focus = v.rng.random()
        while len(out) < n:
            x = v.rng.random()
            if not c.tools or x < synthetic:
                if max(params) and v.chance(.2) and n - len(out) > 1:
                    group = self.synthetic.siblings(min(n - len(out), v.rng.randint(2, 4)))
                else:
                    group = [self.synthetic.tool(avoid, params)]
                for t in group:
                    avoid |= set(t.noun.split())
                out += group
            else:
                t = v.pick(same) if v.chance(focus * .9) else v.pick(c.tools)
                if all(getattr(o, "origin", o).names[0] != t.names[0] for o in out):
                    out.append(t.variant(v))
                elif len(c.tools) <= len(out) + 1:
                    synthetic = 1
        names = set()
        unique = [t for t in out if not (t.name in names or names.add(t.name))]
        v.rng.shuffle(unique)
        return unique

    def ask(self, tool):
        """(user text, arguments, result, answer) of a request to a tool."""
        text, arguments, said = tool.ask(self.v)
        if tool.domain == "builtin":
            if tool.name == "read_file" and self.v.chance(.6):
                return self.read(tool)
            return text, arguments, *self.results.reply(tool.name, arguments, said)
        if tool.domain == "synthetic":
            return text, arguments, *self.synthetic.reply(tool)
        return text, arguments, *tool.reply(self.v, said)

    def read(self, tool):
        """A question about the text of a file: the answer is the line that tells."""
        v, r = self.v, self.results
        path = v.value("textpath")
        text, facts = r.text(v.rng.randint(2, 6), path)
        ask = lambda questions: v.pick([q for q in questions if (packs.zlib.crc32(q.encode()) % 10 != 0) != v.unseen] or questions)
        question = ask(builtin.QUESTIONS)
        self.facts = facts
        if v.chance(.08):
            error = r.error("read_file", {"path": path})
            return question.replace("{path}", path).replace("{t}", facts[0][0]), {"path": path}, "error: " + error, f"That did not work: {error}."
        if v.chance(.1):
            absent = r.fact()
            if not any(set(absent[0].split()) & set(f[0].split()) for f in facts):
                return question.replace("{path}", path).replace("{t}", absent[0]), {"path": path}, text, builtin.ABSENT.replace("{t}", absent[0])
        name, line, kind = v.pick(facts)
        if kind in builtin.QUESTIONS_OF and v.chance(.4):
            question = ask(builtin.QUESTIONS_OF[kind])
        elif name in builtin.ASKED and v.chance(.4):
            question = ask(builtin.ASKED[name])
        return question.replace("{path}", path).replace("{t}", name), {"path": path}, text, line

    def follow_up(self):
        """(user text, answer): another question about the text that was read last."""
        name, line, _ = self.v.pick(self.facts)
        return self.v.pick(builtin.FOLLOW).replace("{t}", name), line

    # -- turns that call nothing
    def talk(self, tools=()):
        """(user text, answer): small talk that none of the tools serves."""
        v, c = self.v, self.corpus
        for _ in range(20):
            said, answers, topics = v.pick(c.talk)
            if not topics or not any(c.served.could(t, "", topics) for t in tools):
                break
        text = v.pick(said).replace("{name}", v.value("first_name"))
        if v.chance(.15):
            text = text.lower()
        return text, v.pick(answers)

    def unserved(self, tools):
        """(user text, answer): a message that none of the tools serves."""
        v, c = self.v, self.corpus
        domains = {t.domain for t in tools}
        shown = " ".join(f"{t.name} {t.description}" for t in tools).lower()
        for _ in range(40):
            x = v.rng.random()
            if x < .3 and c.nones:
                owner, text = v.pick(c.nones)
                if x < .18:  # near a tool that is shown
                    near = [(t, n) for t, n in c.nones if t.domain in domains]
                    owner, text = v.pick(near) if near else (owner, text)
                # A pack's messages were written with its own tools in view.
                if not c.served.any([t for t in tools if t.domain != owner.domain], text):
                    return text, decline(text)
            elif x < .38 and c.builtin_nones:
                text = v.pick(c.builtin_nones)
                if ("builtin" in domains or v.chance(.3)) and not c.served.any(tools, text, ()):
                    return text, decline(text)
            elif x < .68 and c.unserved:
                template, topics = v.pick(c.unserved)
                text = packs.fill(template, v, {}, {})[0]
                if not c.served.any(tools, text, topics):
                    return text, decline(text)
            elif x < .78:
                t = self.synthetic.tool(set(re.findall("[a-z]+", shown)), (0, 1, 2))
                text = t.ask(v)[0]
                if not c.served.any([o for o in tools if o.domain != "builtin"], text):
                    return text, decline(text)
            elif c.tools:
                t = v.pick(c.tools)
                if t.domain in domains or ("builtin" in domains and _NEAR_BUILTIN.search((t.name + t.descriptions[0]).lower())):
                    continue
                if "builtin" in domains and "file" in t.domain:
                    continue
                words = {w for w in re.findall("[a-z]{4,}", (t.names[0].replace("_", " ") + " " + t.descriptions[0]).lower())} - {"with", "from", "that", "this", "current", "list", "given"}
                if sum(w in shown for w in words) > 1:
                    continue
                text = t.ask(v)[0]
                if not c.served.any([o for o in tools if o.domain != "builtin"], text):
                    return text, decline(text)
        return "Write a poem about the sea.", CANNOT

    # -- conversations
    def render(self, tools, turns, system=None, markers=None):
        """Messages of a conversation. turns: (role, content) where content is a text or (tool, arguments)."""
        v = self.v
        if markers is None:
            markers = MARK[:len(tools)] if v.chance(.65) or len(tools) > MARKERS else sorted(v.rng.sample(MARK, len(tools)))
        mark = {id(t): m for t, m in zip(tools, markers)}
        if system is None:
            system = v.pick(SYSTEMS) if v.chance(.35) else ""
        lines = "Tools:\n" + "\n".join(t.line(m) for t, m in zip(tools, markers)) if tools else ""
        head = "\n".join(x for x in (system, lines) if x)
        messages = [("system", head)] if head else []
        for role, content in turns:
            messages.append((role, content if isinstance(content, str) else content[0].call(mark[id(content[0])], content[1])))
        return messages

    def request(self, tools, tool=None, results=.4):
        """Turns of one request: the call, and now and then its result and the answer."""
        tool = tool or self.v.pick(tools)
        text, arguments, result, answer = self.ask(tool)
        turns = [("user", self.roughen(text)), ("assistant", (tool, arguments))]
        if self.v.chance(results):
            turns += [("ipython", result), ("assistant", answer)]
            if tool.domain == "builtin" and tool.name == "read_file" and self.v.chance(.4) and not result.startswith("error") and getattr(self, "facts", None) and self.facts[0][1] in result:
                question, line = self.follow_up()
                turns += [("user", question), ("assistant", line)]
        return turns

    def two_steps(self, tools):
        """Turns of two requests in one message: call, result, call, result, an answer with both."""
        v = self.v
        first, second = v.pick(tools), v.pick(tools)
        a, b = self.ask(first), self.ask(second)
        left, right = a[0].strip().rstrip(".?!"), b[0].strip()
        joint = v.pick(_JOINTS)
        if joint[0] not in ".?" and right[:2] not in ("I ", "I'"):
            right = right[0].lower() + right[1:] if not right.split()[0].isupper() and v.chance(.85) else right
        turns = [("user", left + joint + right), ("assistant", (first, a[1])), ("ipython", a[2]), ("assistant", (second, b[1])), ("ipython", b[2]), ("assistant", a[3] + " " + b[3])]
        return turns

    def roughen(self, text):
        """Typing habits: lower case, no final mark, doubled or missing letters."""
        v = self.v
        x = v.rng.random()
        if x < .06:
            text = text[0].lower() + text[1:]
        elif x < .12:
            text = text.rstrip(".?!")
        elif x < .15:
            text = v.pick(["Hi, ", "Hello! ", "hey ", "ok so ", "um, ", "Please: ", "Question: ", "So, ", "Good morning. "]) + text
        elif x < .17:
            text = text + v.pick([" thanks", " Thank you!", " thx", " :)", "!", " asap", " pls"])
        return text

    def dense(self, n, turns, results=.0, none=.06, builtins=.15, synthetic=.35, params=(0, 1, 1, 2, 2, 3)):
        """Several requests over one list: many choices for one reading of the list."""
        tools = self.draw_tools(n, builtins, synthetic, params)
        out = []
        for _ in range(turns):
            if self.v.chance(none):
                text, answer = self.unserved(tools)
                out += [("user", self.roughen(text)), ("assistant", answer)]
            else:
                out += self.request(tools, results=results)
        return self.render(tools, out)

    def plain(self):
        """Everything that happens in use: requests with results, two steps, small talk, messages that no tool serves."""
        v = self.v
        n = v.weighted({1: 8, 2: 14, 3: 18, 4: 18, 5: 16, 6: 10, 7: 6, 8: 6, 10: 2, 12: 2})
        tools = self.draw_tools(n, .15)
        return self.render(tools, self.turns(tools, v.rng.randint(1, 5)))

    def turns(self, tools, n):
        v, out = self.v, []
        for _ in range(n):
            x = v.rng.random()
            if x < .12:
                a = self.talk(tools)
            elif x < .3:
                a = self.unserved(tools)
            elif x < .4:
                out += self.two_steps(tools)
                continue
            else:
                out += self.request(tools, results=.65)
                continue
            out += [("user", self.roughen(a[0])), ("assistant", a[1])]
        return out

    def shipped(self):
        """The built-in tools, mostly all five in their order, as `agent ask` shows them."""
        v, c = self.v, self.corpus
        order = [t.variant(v, rename=False) for t in c.builtins]
        if v.chance(.3):
            order = v.rng.sample(order, v.rng.randint(1, len(order)))
            if v.chance(.5):
                order += self.draw_tools(v.rng.randint(1, 3), 0)
                order = [t for i, t in enumerate(order) if t.name not in {o.name for o in order[:i]}]
                v.rng.shuffle(order)
        markers = MARK[:len(order)] if v.chance(.85) else None
        return self.render(order, self.turns(order, v.rng.randint(2, 6)), markers=markers)

    def structured(self):
        """Values of a request as one JSON object, which is how an answer under a schema is written: its names are given."""
        v = self.v
        tools = self.draw_tools(v.rng.randint(1, 4), .2) if v.chance(.5) else []
        messages = self.render(tools, [])
        for _ in range(v.rng.randint(2, 4)):
            for _ in range(20):
                tool = v.pick(self.draw_tools(1, synthetic=.4, params=(1, 2, 2, 3)))
                text, arguments, _, _ = self.ask(tool)
                if arguments and tool.domain != "builtin":
                    break
            else:
                continue
            answer, given = "{", []
            for p in tool.params:
                if p.name in arguments:
                    answer += "," if given else ""  # that another value follows is the model's to say
                    begin = len(answer.encode()) if given else 0
                    answer += packs.compact(p.name) + ":"
                    value = packs.dump(arguments[p.name])
                    given.append((begin, len(answer.encode()) + (value[0] == '"')))  # with the quotation mark that the schema wants
                    answer += value
            messages += [("user", self.roughen(text)), ("assistant", answer + "}", given)]
        return messages

    def quoted(self, tools=None, turns=None):
        """Results that programs write: they are repeated to the letter, those of files under the name of the file."""
        v, c = self.v, self.corpus
        if tools is None:
            tools = [t.variant(v, rename=False) for t in c.builtins if v.chance(.7)] if v.chance(.5) else []
            tools += self.draw_tools(v.rng.randint(1, 3), 0)
            tools = [t for i, t in enumerate(tools) if t.name not in {o.name for o in tools[:i]}]
            v.rng.shuffle(tools)
        files = [t for t in tools if t.domain == "builtin" and t.name == "read_file"]
        out = []
        for _ in range(turns or v.rng.randint(2, 4)):
            tool = v.pick(files if files and v.chance(.5) else [t for t in tools if t.domain != "builtin"] or files)
            request, arguments, said = tool.ask(v)
            text = self.marks.text()
            answer = f"{said['path']} says:\n{text}" if tool in files else f"The result is:\n{text}"
            out += [("user", self.roughen(request)), ("assistant", (tool, arguments)), ("ipython", text), ("assistant", answer)]
        return self.render(tools, out)

    def bare(self):
        """No tools at all."""
        v, out = self.v, []
        for _ in range(v.rng.randint(1, 4)):
            if v.chance(.5):
                a = self.talk()
            else:
                text = self.unserved([])[0]
                a = text, decline(text, tools=False)
            out += [("user", a[0]), ("assistant", a[1])]
        return self.render([], out)
