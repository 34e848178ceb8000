"""Tools and their natural requests, read from the language packs (packs/*.txt), and the tool object that all generators share.

A pack is hand-written data: a tool's possible names and descriptions, its parameters with the kind of their values, many ways to ask for it
(say), results with answers (reply), and messages near it that it does not serve (none). The format is in README.md.
"""
import glob
import os
import re
import sys
import zlib

import served
from tokenizer import MARK
from values import Values, compact, is_number

HERE = os.path.dirname(os.path.abspath(__file__))
_SLOT = re.compile(r"\{([A-Za-z_][\w.]*)(?::([^{}]*))?\}")
_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)$")
NUMBER_WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()


class Literal(str):
    """A number kept as it was written, so that arguments are copied digit by digit."""


def dump(value):
    """Compact JSON in which Literal is written as a number."""
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(compact(k) + ":" + dump(v) for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(dump(v) for v in value) + "]"
    return compact(value)


class Param:
    """name, other names it may carry, type (string integer number boolean enum list), enum options, value kind, optional."""

    def __init__(self, names, type_, optional=False, options=None, kind=None, low=None, high=None, choices=None):
        self.names, self.name, self.type, self.optional = names, names[0], type_, optional
        self.options, self.kind, self.low, self.high, self.choices = options or [], kind, low, high, choices

    def named(self, name):
        return Param([name], self.type, self.optional, self.options, self.kind, self.low, self.high, self.choices)

    def signature(self):
        tag = {"string": "", "integer": ":int", "number": ":num", "boolean": ":bool", "list": ":list",
               "enum": ":" + "|".join(self.options)}[self.type]
        return self.name + ("?" if self.optional else "") + tag

    def schema(self):
        kinds = {"enum": "string", "list": "array"}
        out = {"type": kinds.get(self.type, self.type)}
        if self.type == "enum":
            out["enum"] = self.options
        if self.type == "list":
            out["items"] = {"type": "number" if self.kind in ("int", "number") else "string"}
        return out

    def draw(self, v):
        """(text as said, JSON value) drawn with Values v."""
        if self.type == "enum":
            option = v.pick(self.options)
            return option.replace("_", " ") if v.chance(.8) else option, option
        if self.type == "boolean":
            on = v.chance(.7)
            return ("yes" if on else "no"), on
        if self.type == "list":
            items = list(dict.fromkeys(self.one(v) for _ in range(v.rng.randint(1, 4))))
            numbers = self.kind in ("int", "number")
            last = v.pick([" and ", " and ", ", ", ", and "])
            said = items[0] if len(items) == 1 else ", ".join(items[:-1]) + last + items[-1]
            return said, [Literal(i) for i in items] if numbers else items
        text = self.one(v)
        if self.type not in ("integer", "number"):
            return text, text
        text = text if is_number(text) else str(v.rng.randint(1, 50))
        if self.type == "integer" and "." in text:
            text = text.split(".")[0]
        if re.fullmatch(r"\d\d?", text) and int(text) < len(NUMBER_WORDS) and v.chance(.1):
            return NUMBER_WORDS[int(text)], Literal(text)
        return text, Literal(text)

    def one(self, v):
        if self.choices:
            half = [c for c in self.choices if (zlib.crc32(c.encode()) % 10 == 0) == v.unseen]
            return v.pick(half or self.choices)
        return v.value(self.kind or "topic", self.low, self.high)


class Tool:
    """names and descriptions: the first is the usual one. says: (template, constants). replies: (result template, answer template)."""

    def __init__(self, names, domain=""):
        self.names, self.name, self.domain = names, names[0], domain
        self.descriptions, self.description, self.params, self.says, self.replies, self.nones = [], "", [], [], [], []
        self.request = None  # function of Values -> (user text, arguments, said texts) instead of says
        self.renamed = {}

    def param(self, name):
        return next((p for p in self.params if p.name == name), None)

    def line(self, marker):
        """The tool's line in the compact template."""
        text = " ".join(self.description.split())
        if len(text.encode()) > 160:
            text = text.encode()[:161].decode("utf8", "ignore").rpartition(" ")[0]
        return f"{marker}{self.name}({','.join(p.signature() for p in self.params)}) {text}"

    def call(self, marker, arguments):
        order = {p.name: arguments[p.name] for p in self.params if p.name in arguments}
        return marker + dump({"name": self.name, "parameters": order})

    def schema(self):
        """The tool in OpenAI form with a full JSON Schema."""
        required = [p.name for p in self.params if not p.optional]
        parameters = {"type": "object", "properties": {p.name: p.schema() for p in self.params}}
        if required:
            parameters["required"] = required
        return {"type": "function", "function": {"name": self.name, "description": self.description, "parameters": parameters}}

    def variant(self, v, rename=True):
        """The tool as one prompt shows it: a drawn name, description and parameter names."""
        t = Tool([v.pick(self.names) if rename and v.chance(.6) else self.names[0]], self.domain)
        x = v.rng.random()
        t.description = v.pick(self.descriptions) if self.descriptions and (x < .96 or not rename) else ""
        if not rename:
            t.description = self.descriptions[0]
        t.params, t.renamed, used = [], {}, set()
        for p in self.params:
            name = v.pick(p.names) if rename and v.chance(.45) else p.name
            if name in used:
                name = p.name
            used.add(name)
            q = p.named(name)
            t.params.append(q)
            t.renamed[p.name] = name
        t.says, t.replies, t.nones, t.request = self.says, self.replies, self.nones, self.request
        t.origin = self
        return t

    def ask(self, v):
        """(user text, arguments, said): a drawn request. said: declared name -> text of the value."""
        if self.request:
            return self.request(v)
        template, constants = v.pick(self.says)
        said, arguments, wanted = {}, {}, [m.group(1) for m in _SLOT.finditer(template)]
        origin = getattr(self, "origin", self)
        free = {m.group(1): draw_slot(*m.group(2).partition(":")[::2], v) for m in _SLOT.finditer(template) if m.group(2)}
        for p in origin.params:
            if p.name in wanted:
                said[p.name], arguments[p.name] = p.draw(v)
            elif p.name in constants:
                constant = constants[p.name]
                if free and isinstance(constant, str):
                    constant = type(constant)(_SLOT.sub(lambda m: free[m.group(1)], constant))
                elif free and isinstance(constant, list):
                    constant = [type(c)(_SLOT.sub(lambda m: free[m.group(1)], c)) for c in constant]
                said[p.name], arguments[p.name] = str(constant), constant
        text = _SLOT.sub(lambda m: free[m.group(1)] if m.group(1) in free else said[m.group(1)], template)
        return text, {self.renamed.get(k, k): a for k, a in arguments.items()}, said

    def reply(self, v, said):
        """(result text, answer text) for a call whose values were said like that; an error now and then."""
        if not self.replies or v.chance(.06):
            error = v.pick(["not found", "timeout", "permission denied", "invalid " + v.word("noun"), "no such " + v.word("noun"), "service unavailable",
                            "rate limit exceeded", f"unknown {v.word('noun')} {v.value('code')}", "not allowed", "connection refused"])
            return (compact({"error": error}) if v.chance(.4) else f"error: {error}"), f"That did not work: {error}."
        result, answer = v.pick(self.replies)
        if not result.startswith("{") or ":" not in result:
            return fill(result, v, said, {})[0], fill(answer, v, said, {})[0]
        fields = {}
        text = fill_result(result, v, said, fields)
        return text, fill(answer, v, said, fields)[0]


def draw_slot(name, detail, v):
    """Value for an inline slot of a result: {int:1..5}, {city}, {oneof:a;b}."""
    if detail:
        m = _RANGE.match(detail)
        if m:
            return v.value("number" if "." in detail.replace("..", "") or name == "number" else "int", m.group(1), m.group(2))
        if ";" in detail or name in ("oneof", "enum"):
            return v.pick(re.split("[;|]", detail)).strip()
    return v.value(name)


def fill(template, v, said, fields):
    used = []

    def one(m):
        name = m.group(1)
        used.append(name)
        if name in fields:
            return fields[name]
        if name in said:
            return said[name]
        return draw_slot(name, m.group(2), v)

    return _SLOT.sub(one, template), used


def fill_result(template, v, said, fields):
    """Fills a JSON result template; remembers each field's text for the answer."""
    out, at = [], 0
    for m in re.finditer(r'"([\w .-]+)"\s*:\s*("(?:[^"\\]|\\.)*"|\[[^\]]*\]|(?:[^,{}\[\]"]|\{[^{}]*\})+)', template):
        raw = m.group(2)
        filled, _ = fill(raw, v, said, {})
        plain = filled.strip().strip('"')
        if raw.startswith("["):
            items = re.findall(r'"([^"]*)"|(-?[\d.]+)', filled)
            plain = ", ".join(a or b for a, b in items)
        fields[m.group(1)] = plain
        out.append(template[at:m.start(2)] + filled)
        at = m.end(2)
    return "".join(out) + template[at:]


def parse_param(text):
    """`city: string =place | location` -> Param."""
    names, _, rest = text.partition(":")
    alternatives = []
    if not rest:
        raise ValueError(f"param without a type: {text!r}")
    rest = rest.strip()
    m = re.match(r"(string|integer|number|boolean|enum|list|array|bool|int|float)\b\s*(.*)", rest)
    if not m:
        raise ValueError(f"unknown type: {text!r}")
    kind_of = {"array": "list", "bool": "boolean", "int": "integer", "float": "number"}
    type_, rest = kind_of.get(m.group(1), m.group(1)), m.group(2)
    options, kind, low, high, choices = None, None, None, None, None
    if type_ == "enum":
        head, _, tail = rest.partition(" ")
        options = [o for o in head.split("|") if o]
        if len(options) < 2:
            raise ValueError(f"enum without options: {text!r}")
        alternatives = [a.strip() for a in tail.split("|")]
    else:
        m = re.match(r"=(oneof\(.*\)|\S+)\s*(.*)", rest)
        if m:
            spec, rest = m.group(1), m.group(2)
            if spec.startswith("oneof("):
                choices = [c.strip() for c in spec[6:-1].split(";") if c.strip()]
            else:
                kind, _, detail = spec.partition(":")
                r = _RANGE.match(detail) if detail else None
                if r:
                    low, high = r.group(1), r.group(2)
        alternatives = [a.strip() for a in rest.split("|")]
    name = names.strip()
    optional = name.endswith("?")
    name = name.rstrip("?")
    good = [a for a in alternatives if re.fullmatch(r"[A-Za-z_][\w]*", a)]
    if kind is None and type_ in ("integer", "number"):
        kind = "int" if type_ == "integer" else "number"
    if type_ == "integer" and kind not in ("int", "year", "temperature", "percent"):
        kind = "int"
    return Param([name] + good, type_, optional, options, kind, low, high, choices)


def parse_constants(text, tool):
    """`unit=fahrenheit, days=7` -> typed values of the tool's parameters."""
    out = {}
    names = "|".join(re.escape(p.name) for p in tool.params)
    if not names:
        raise ValueError("constants for a tool without parameters")
    for m in re.finditer(rf"(?:^|[,;&]\s*|\s+)({names})\s*=\s*(.*?)(?=(?:[,;&]\s*|\s+)(?:{names})\s*=|$)", text.strip()):
        p, raw = tool.param(m.group(1)), m.group(2).strip().strip('"')
        if p.type == "boolean":
            if raw not in ("true", "false"):
                raise ValueError(f"not a boolean: {raw!r}")
            out[p.name] = raw == "true"
        elif p.type in ("integer", "number"):
            if not is_number(_SLOT.sub("1", raw)):
                raise ValueError(f"not a number: {raw!r}")
            out[p.name] = Literal(raw)
        elif p.type == "list":
            make = Literal if p.kind in ("int", "number") else str
            out[p.name] = [make(r.strip().strip('"')) for r in raw.strip("[]").split(",")]
        else:
            if p.type == "enum" and raw not in p.options:
                raise ValueError(f"{raw!r} is not one of {p.options}")
            out[p.name] = raw
    if not out:
        raise ValueError(f"no constants in {text!r}")
    return out


def parse_file(path, report=None):
    """Tools of one pack. Bad lines are left out and reported as (file, line number, reason)."""
    domain, tools, tool = os.path.basename(path)[:-4], [], None
    for number, line in enumerate(open(path, encoding="utf8", errors="replace"), 1):
        line = line.rstrip("\n")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        try:
            if key == "tool":
                rest = rest.split("#")[0]
                tool = Tool([n.strip() for n in rest.split("|") if n.strip()], domain)
                tools.append(tool)
            elif tool is None:
                raise ValueError("line before the first tool")
            elif key == "desc":
                tool.descriptions += [d.strip() for d in rest.split(" | ") if d.strip()]
            elif key == "param":
                tool.params.append(parse_param(rest))
            elif key == "say":
                template, arrow, constants = rest.partition("=>")
                template = template.strip()
                fixed = parse_constants(constants, tool) if arrow else {}
                slots = {m.group(1) for m in _SLOT.finditer(template) if not m.group(2)}
                unknown = slots - {p.name for p in tool.params}
                if unknown:
                    raise ValueError(f"unknown parameters {sorted(unknown)}")
                missing = [p.name for p in tool.params if not p.optional and p.name not in slots and p.name not in fixed]
                if missing:
                    raise ValueError(f"required parameters {missing} are not said")
                if any(tool.param(s).type == "boolean" for s in slots):
                    raise ValueError("a boolean in the text")
                tool.says.append((template, fixed))
            elif key == "reply":
                result, arrow, answer = rest.partition("=>")
                if not arrow:
                    raise ValueError("reply without an answer")
                tool.replies.append((re.sub(r'"\s*:\s+', '":', result.strip()).replace('", "', '","'), answer.strip()))
            elif key == "none":
                tool.nones.append(rest)
            else:
                raise ValueError(f"unknown keyword {key!r}")
        except ValueError as e:
            if report is not None:
                report.append((os.path.basename(path), number, str(e)))
    good = []
    for t in tools:
        if t.says and t.descriptions and len({p.name for p in t.params}) == len(t.params):
            t.description = t.descriptions[0]
            good.append(t)
        elif report is not None:
            report.append((os.path.basename(path), 0, f"tool {t.name} has no usable say or desc line"))
    return good


def excluded_names():
    """Names of tools that evaluation keeps for itself (../eval/names.txt)."""
    path = os.path.join(HERE, "..", "eval", "names.txt")
    if not os.path.exists(path):
        return set()
    return {line.split("#")[0].strip() for line in open(path)} - {""}


def held_out_tool(tool):
    """One tool in twelve is never trained on."""
    return zlib.crc32(tool.names[0].encode()) % 12 == 0


def held_out_say(tool, say):
    """One built-in phrasing in ten is never trained on."""
    return zlib.crc32((tool.names[0] + say[0]).encode()) % 10 == 0


def load(report=None):
    """(training tools, held-out tools, built-in tools with training phrasings, built-in tools with held-out phrasings)."""
    skip = excluded_names()
    training, held, builtin, builtin_held = [], [], [], []
    for path in sorted(glob.glob(os.path.join(HERE, "packs", "*.txt"))):
        for tool in parse_file(path, report):
            if tool.domain == "builtin":
                # A phrasing that differs from a held-out one only in case and marks is held out with it.
                unsaid = {served.plain(s[0]) for s in tool.says if held_out_say(tool, s)}
                for unseen, group in ((False, builtin), (True, builtin_held)):
                    t = Tool(tool.names, tool.domain)
                    t.__dict__.update(tool.__dict__)
                    t.says = [s for s in tool.says if (served.plain(s[0]) in unsaid) == unseen]
                    group.append(t)
                continue
            tool.names = [n for n in tool.names if n not in skip]
            if not tool.names:
                continue
            tool.name = tool.names[0]
            (held if held_out_tool(tool) else training).append(tool)
    return training, held, builtin, builtin_held


if __name__ == "__main__":
    problems = []
    groups = load(problems)
    print("tools: training %d, held out %d, built-in %d" % tuple(len(g) for g in groups[:3]), "phrasings:", sum(len(t.says) for t in groups[0]))
    for p in problems:
        print("%s:%d: %s" % p)
    if "-v" in sys.argv:
        import random
        v = Values(random.Random(3))
        for t in groups[0][::9]:
            t = t.variant(v)
            text, arguments, said = t.ask(v)
            print(t.line("<M>"), "\n  U", text, "\n  A", t.call("<M>", arguments), "\n  R", *t.reply(v, said))
