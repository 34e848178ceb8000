"""Which tools could serve a message: keeps a message whose answer is "no tool fits" away from lists of tools where one does.

Small talk (smalltalk.txt) and unserved messages (unserved.txt) carry topics: stems of words of tools that could serve them. A message is
also kept away from a tool whose name it shares a word with, or whose description it shares two words with.
"""
import functools
import os
import re

from wordnet import held_out

HERE = os.path.dirname(os.path.abspath(__file__))
_WORDS = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{3,}")
# Words that say nothing about what a tool is for: deeds, which only mean something with their thing, and fillers.
_GENERAL = {w[:5] for w in """get find create delete update list send search check add remove open close start stop set show read write book cancel convert
count fetch plan order buy sell move copy rename share save load test run track schedule rate report measure estimate compare sort filter make take give
tell use new all from with for and the that this what which when where who how are was were does did can could will would should have has had your you
its into about please some any one two item value number name text data type information user given optional return current by of in on at to a an is it
me my not want need help know today tomorrow day good best much many most more than there their they them then out over between other each every
long old big word people person work""".split()}
# What the built-in tools serve; messages with topics were written with these tools in view.
_BUILTIN = {"calculator": re.compile(r"\d.*\d|\b(twice|double|half|percent|sum|average|square|plus|minus|times|divided)\b", re.I),
            "now": re.compile(r"\b(what|which|current|local|the) (time|date|day|month|year)\b|\btoday'?s\b|\bo'?clock\b", re.I),
            "convert_units": re.compile(r"\bconver|\bhow many\b.*\bin\b|\d.*\b(in|to|into)\b", re.I),
            "list_files": re.compile(r"\b(list|show|which|what|see|look)\b.*\b(files?|folders?|director(y|ies)|documents?)\b|\bls\b", re.I),
            "read_file": re.compile(r"\.[a-z]{2,4}\b|\b(read|open|show|view|print|summarize)\b.*\b(files?|documents?|notes?|text)\b", re.I)}


def stems(text):
    """First five letters of a text's words, without those that say nothing."""
    return {w.lower()[:5] for w in _WORDS.findall(text)} - _GENERAL


@functools.lru_cache(20000)
def _tool_words(name, description, params, domain):
    return stems(name), stems(description), [w.lower() for w in _WORDS.findall(f"{name} {description} {params} {domain}")]


def tags(lines, sets, implied):
    """(line, topics) of the lines under `# topic:` tags; fills sets (`# set NAME: stems`) and implied (`# word WORDS: stems`)."""
    topics = ()
    for line in lines:
        line = line.strip()
        m = re.match(r"# (topic|set|word) ?([^:]*):(.*)", line)
        if m:
            found = [s for w in m.group(3).split() if w != "-" for s in (sets[w[1:]] if w[0] == "@" else [w])]
            if m.group(1) == "topic":
                topics = tuple(found)
            elif m.group(1) == "set":
                sets[m.group(2)] = found
            else:
                implied.update({w: implied.get(w, ()) + tuple(found) for w in m.group(2).split()})
        elif line and not line.startswith("#"):
            yield line, topics


def read(name, sets, implied):
    """tags of a file of this folder."""
    with open(os.path.join(HERE, name), encoding="utf8") as f:
        return list(tags(f, sets, implied))


def plain(text):
    """A text without case and marks: texts that are equal so are one phrasing. A greeting of two words, or a value with one, stays as it is."""
    words = re.findall(r"[a-z]+", re.sub(r"\{[^}]*\}", " ", text.lower()))
    if len(words) < (2 if "{" in text else 3):
        return text
    return " ".join(re.sub(r"[^\w{}]+", " ", text.lower()).split())


def split(texts, unseen, prefix):
    """The held-out (or the training) part of texts by hash of prefix + text; one that differs from a held-out text only in case and marks is held out with it."""
    held = {plain(t) for t in texts if held_out(prefix + t)}
    return [t for t in texts if (plain(t) in held) == unseen]


class Filter:
    """Says whether a tool could serve a message. implied: word -> stems of tools that it calls for ("usd" -> currency, …)."""

    def __init__(self, implied):
        self.implied = implied

    def could(self, tool, text, topics=None):
        """Whether tool could serve text. topics None: a message without any, written without the other tools in view."""
        if tool.domain == "builtin":
            return topics is None and _BUILTIN[tool.name].search(text) is not None
        name, description, every = _tool_words(tool.name, tool.description, " ".join(p.name for p in tool.params), tool.domain)
        wanted = list(topics or ()) + [s for w in re.findall(r"[a-z]+", text.lower()) for s in self.implied.get(w, ())]
        if any(w.startswith(s) if len(s) > 3 else w in (s, s + "s") for s in wanted for w in every):
            return True
        said = stems(text)
        return bool(said & name) or len(said & description) > 1

    def any(self, tools, text, topics=None):
        """Whether one of the tools could serve text."""
        return any(self.could(t, text, topics) for t in tools)
