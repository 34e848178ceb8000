"""Texts as programs write them, full of marks: listings, JSON, logs, tables, code, markup, errors. An answer repeats them to the letter."""
import json

LEVELS = ["INFO", "WARN", "ERROR", "DEBUG", "info", "warning", "error", "FATAL"]
ENDINGS = ["txt", "md", "go", "py", "json", "csv", "log", "yaml", "html", "js", "sh", "db", "toml"]
CODES = ["ENOENT", "EACCES", "ECONNREFUSED", "ETIMEDOUT", "EEXIST", "EPERM", "E1042", "ERR_BAD_INPUT"]
TAGS = ["p", "div", "li", "h1", "title", "body", "note", "item", "td", "a", "span"]
LONGEST = 210  # characters: two copies of it and the tools are one conversation


class Technical:
    """Draws texts with Values v."""

    def __init__(self, v):
        self.v = v

    def n(self, top=999):
        return self.v.rng.randint(0, self.v.pick([9, 99, top]))

    def name(self):
        """A name as programs have it."""
        v = self.v
        a, b = v.word("noun"), v.word("noun")
        return v.pick([a, a, f"{a}_{b}", f"{a}-{b}", a + b.capitalize(), v.invented(), a.upper(), f"{a}{self.n(9)}", f"{a.capitalize()}{b.capitalize()}"])

    def file(self):
        return f"{self.name()}.{self.v.pick(ENDINGS)}"

    def path(self):
        v = self.v
        parts = [self.name() for _ in range(v.rng.randint(1, 3))]
        return v.pick(["/", "./", "", "~/", "../", "C:\\"]) + "/".join(parts) + v.pick(["/" + self.file(), "", "/"])

    def date(self):
        v = self.v
        return f"{v.rng.randint(2019, 2031)}-{v.rng.randint(1, 12):02}-{v.rng.randint(1, 28):02}"

    def clock(self):
        v = self.v
        return f"{v.rng.randint(0, 23):02}:{v.rng.randint(0, 59):02}" + v.pick(["", f":{v.rng.randint(0, 59):02}"])

    def words(self, n=4):
        v = self.v
        return " ".join(v.word(v.pick(["noun", "noun", "adj"])) for _ in range(v.rng.randint(1, n)))

    def atom(self):
        """A value, as text."""
        v = self.v
        x = v.rng.random()
        if x < .3:
            return str(self.n())
        if x < .4:
            return f"{self.n()}.{self.n(99)}"
        if x < .6:
            return self.words(2)
        if x < .7:
            return v.value(v.pick(["first_name", "person", "city"]))
        return v.pick([self.name, self.file, self.path, self.date, self.clock, lambda: v.value("code"), lambda: v.value("email"), lambda: v.value("url"), lambda: v.value("ip"), lambda: v.value("hex")])()

    def data(self, depth=2):
        """A value of JSON."""
        v = self.v
        x = v.rng.random()
        if depth and x < .35:
            return {self.name(): self.data(depth - 1) for _ in range(v.rng.randint(1, 3))}
        if depth and x < .55:
            if v.chance(.5):
                keys = [self.name() for _ in range(v.rng.randint(1, 3))]
                return [{k: self.data(0) for k in keys} for _ in range(v.rng.randint(1, 3))]
            return [self.data(0) for _ in range(v.rng.randint(0, 4))]
        return v.pick([self.n(), self.n(99999), self.n() / 10, -self.n(), True, False, None, "", self.words(3), self.words(2), self.name(), self.atom(), self.path()])

    def json(self):
        v = self.v
        data = self.data(3)
        while not isinstance(data, list) and not (isinstance(data, dict) and any(isinstance(x, (list, dict)) for x in data.values())):
            data = self.data(3)  # one flat object is told in a sentence
        if v.chance(.25):
            return json.dumps(data, indent=v.pick([1, 2]), ensure_ascii=False)
        return json.dumps(data, ensure_ascii=False, separators=v.pick([(",", ":"), (",", ":"), (", ", ": ")]))

    def listing(self):
        v = self.v
        x = v.rng.random()
        if x < .25:
            return "\n".join(f"[{v.pick(['FILE', 'FILE', 'DIR'])}] {v.pick([self.file, self.name])()}" for _ in range(v.rng.randint(1, 6)))
        if x < .5:
            user = v.pick(["root", v.value("username")])
            return "\n".join(f"{v.pick(['-rw-r--r--', 'drwxr-xr-x', '-rwxr-x---'])} {v.rng.randint(1, 4)} {user} {user} {self.n(9999)} {v.pick(['Jan', 'Mar', 'Jun', 'Oct', 'Dec'])} {v.rng.randint(1, 28)} {self.clock()} {self.file()}" for _ in range(v.rng.randint(1, 3)))
        if x < .65:
            return self.name() + "/\n" + "\n".join(v.pick(["├── ", "└── ", "  - ", "    "]) + self.file() for _ in range(v.rng.randint(1, 4)))
        if x < .85:
            return "\n".join(v.pick([" M ", "?? ", "A  ", "D  ", "./", "* "]) + self.path() for _ in range(v.rng.randint(1, 4)))
        return "\n".join(f"{self.n(9999)}\t{self.path()}" for _ in range(v.rng.randint(1, 4)))

    def log(self):
        v = self.v
        form = v.pick(["{d} {c} {l} [{n}] {m}", "{d}T{c}Z {l} {n}: {m}", "[{c}] {l}: {m}", "{l} {n}: {m}", "{c} {n}[{i}]: {m}", "level={l} msg=\"{m}\" {n}={i}", "{l}\t{n}\t{m}"])
        lines = []
        for _ in range(v.rng.randint(1, 3)):
            m = v.pick([self.words(4), f"{self.words(2)}: {self.atom()}", f"{self.words(2)} ({self.n()} ms)", f"{self.name()}={self.atom()}", f"cannot {v.word('noun')} {self.path()}"])
            lines.append(form.format(d=self.date(), c=self.clock(), l=v.pick(LEVELS), n=self.name(), m=m, i=self.n()))
        return "\n".join(lines)

    def table(self):
        v = self.v
        columns = v.rng.randint(2, 4)
        rows = [[self.name() for _ in range(columns)]] + [[self.atom() for _ in range(columns)] for _ in range(v.rng.randint(1, 3))]
        x = v.rng.random()
        if x < .4:
            head = "| " + " | ".join(rows[0]) + " |\n" + v.pick(["|" + "---|" * columns, "| " + " | ".join("-" * len(c) for c in rows[0]) + " |"])
            return head + "\n" + "\n".join("| " + " | ".join(r) + " |" for r in rows[1:])
        mark = v.pick([",", ",", ";", "|", "\t", "  ", " | "])
        return "\n".join(mark.join(f'"{c}"' if mark == "," and v.chance(.15) else c for c in r) for r in rows)

    def settings(self):
        v = self.v
        x = v.rng.random()
        if x < .4:
            lines = [self.name() + ":"]
            for _ in range(v.rng.randint(1, 4)):
                lines.append(v.pick([f"  {self.name()}: {self.atom()}", f"  - {self.atom()}", f"{self.name()}: \"{self.words(2)}\"", f"  {self.name()}:"]))
            return "\n".join(lines)
        if x < .7:
            return f"[{self.name()}]\n" + "\n".join(f"{self.name()} = {v.pick([self.atom(), json.dumps(self.words(2)), 'true', '[]'])}" for _ in range(v.rng.randint(1, 3)))
        return "\n".join(f"{v.pick(['', 'export '])}{self.name().upper()}={v.pick([self.atom(), json.dumps(self.atom())])}" for _ in range(v.rng.randint(1, 3)))

    def code(self):
        v = self.v
        a, b, c, s = self.name().replace("-", "_"), self.name().replace("-", "_"), self.n(), self.words(3)
        forms = [f"func {a}({b} int) error {{\n\treturn {b}({c}, \"{s}\")\n}}", f"package {a}\n\nimport \"{b}\"\n\nfunc main() {{\n\t{b}.Print(\"{s}\", {c})\n}}", f"if {a} != nil {{\n\treturn {c}, err\n}}",
                 f"def {a}({b}, x={c}):\n    return {b}[{c}] + \"{s}\"", f"for {b} in {a}:\n    print(f\"{{{b}}} {s}\")", f"import {a}\n\n{b} = {a}.load('{self.file()}')\nprint({b})",
                 f"const {a} = ({b}) => {{ return {b} * {c}; }};", f"let {a} = [{c}, {self.n()}];\nconsole.log({a}, '{s}');", f"SELECT {a}, count(*) FROM {b} WHERE x > {c};", f"int {a} = {c} << {self.n(9)}; // {s}",
                 f"$ {a} --{b}={c} {self.path()}\n{s}", f"#!/bin/sh\n{a} \"${b}\" | grep -v '{s}'\n", f"type {a} struct {{\n\tX int `json:\"{b}\"`\n}}", f"# {s}\nmake -j{self.n(9)} {a} && ./{b}"]
        return v.pick(forms)

    def markup(self):
        v = self.v
        t, u, a = v.pick(TAGS), v.pick(TAGS), self.name()
        forms = [f"<{t}>{self.words(3)}</{t}>", f"<{t} {a}=\"{self.atom()}\"><{u}>{self.words(2)}</{u}></{t}>", f"<html><body><{t}>{self.words(3)}</{t}></body></html>", f"<?xml version=\"1.0\"?>\n<{t}><{u} id=\"{self.n()}\">{self.words(2)}</{u}></{t}>",
                 f"<{a}>\n  <{t}>{self.atom()}</{t}>\n  <{u}/>\n</{a}>", f"# {self.words(3)}\n\n- [{self.words(2)}]({v.value('url')})\n- **{a}**: `{self.atom()}`", f"## {a}\n\n```\n{self.atom()}\n```\n{self.words(4)}."]
        return v.pick(forms)

    def error(self):
        v = self.v
        p, f, n = self.path(), self.file(), self.n()
        forms = [f"Error: {v.pick(CODES)}: {self.words(3)}, open '{p}'", f"{f}:{n}:{self.n(80)}: {self.words(3)}: {self.name()}", f"--- FAIL: Test{self.name().capitalize()} ({self.n(9)}.{self.n(9)}{self.n(9)}s)\n    {f}:{n}: got {self.atom()}, want {self.atom()}\nFAIL",
                 f"Traceback (most recent call last):\n  File \"{f}\", line {n}, in {self.name()}\n{v.pick(['ValueError', 'KeyError', 'TypeError'])}: {self.words(3)}", f"panic: {self.words(3)} [{n}]\n\ngoroutine {self.n(99)} [running]:\nmain.{self.name()}(0x{v.value('hex')})",
                 f"HTTP {v.pick([400, 401, 403, 404, 409, 500, 503])}: {self.words(2)} ({p})", f"fatal: {self.words(3)} '{self.name()}'", f"{self.name()}: {p}: {self.words(3)}\nexit status {n}"]
        return v.pick(forms)

    def matches(self):
        v = self.v
        form = v.pick(["{i}. {f}#L{n}: \"{w}\" (score 0.{s})", "{f}:{n}: {w}", "{p}:{n}:\t{w}", "[{i}] {w} — {f}", "- {w} ({n} %)", "{i}) {w} <{u}>", "+{n} -{s} {p}", "{h} {w} ({d})", "@@ -{n},{i} +{s} @@ {w}"])
        return "\n".join(form.format(i=i + 1, f=self.file(), n=self.n(), w=self.words(4), s=self.n(99), p=self.path(), u=v.value("url"), h=v.value("hex"), d=self.date()) for i in range(v.rng.randint(1, 3)))

    def short(self):
        v = self.v
        return v.pick([v.value("url"), self.path(), f"{self.name()}({self.n()}, {self.n()})", f"{self.name()}[{self.n()}] = {self.atom()}", f"{self.atom()} -> {self.atom()}", f"{{{self.name()}}}", "[]", "{}", f"\"{self.words(3)}\"",
                       f"({self.atom()}; {self.atom()})", f"<{self.atom()}>", f"{self.name()}=%{self.n(99)}&{self.name()}=#{self.n()}", f"{self.words(2)}*{self.n()}|{self.atom()}", f"v{self.n(9)}.{self.n(99)}.{self.n(9)}-{self.name()}+{v.value('hex')}"])

    def text(self):
        v = self.v
        while True:
            x = v.weighted({"json": 22, "listing": 12, "log": 11, "table": 11, "settings": 9, "code": 10, "markup": 8, "error": 8, "matches": 8, "short": 6})
            text = getattr(self, x)()
            if len(text) <= LONGEST:
                return text.strip()
