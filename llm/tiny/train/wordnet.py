"""Word lists, synonyms, kinds of things and glosses from WordNet 3.0 (Debian package wordnet-base) and names from wamerican.

Everything is read from the two packages' data files; nothing of them is copied into the repository.
"""
import functools
import re
import zlib

WORDNET = "/usr/share/wordnet/"
WORDS = "/usr/share/dict/words"
PLAIN = re.compile("[a-z]{3,12}")


def held_out(word):
    """Whether a word (or name) is kept out of training: one in ten, by hash, so that every run agrees."""
    return zlib.crc32(word.lower().encode()) % 10 == 0


# What is said instead of words that insult people.
INSTEAD = {"bastard": "cousin", "jap": "jar", "nazi": "dancer", "negro": "harbor", "nigger": "pebble", "retarded": "belated", "savage": "sailor", "shit": "mud", "whore": "widow"}


@functools.lru_cache(None)
def counts():
    """(lemma, part of speech digit) -> how often it was tagged in WordNet's concordance."""
    total = {}
    for line in open(WORDNET + "cntlist.rev"):
        key, _, count = line.split()[:3]
        lemma, rest = key.split("%")
        total[lemma, rest[0]] = total.get((lemma, rest[0]), 0) + int(count)
    return total


@functools.lru_cache(None)
def index(part):
    """lemma -> offsets of its synsets, most frequent sense first. part: noun, verb, adj, adv."""
    out = {}
    for line in open(WORDNET + "index." + part):
        if line[0] != " ":
            fields = line.split()
            out[fields[0]] = fields[-int(fields[2]):]
    return out


@functools.lru_cache(None)
def synsets(part):
    """offset -> (lemmas as written, [(pointer symbol, offset, part letter)], gloss)."""
    out = {}
    for line in open(WORDNET + "data." + part):
        if line[0] == " ":
            continue
        head, _, gloss = line.partition("|")
        fields = head.split()
        n = int(fields[3], 16)
        lemmas = [re.sub(r"\(.*\)$", "", w) for w in fields[4:4 + 2 * n:2]]
        rest = fields[4 + 2 * n:]
        links = [(rest[i], rest[i + 1], rest[i + 2]) for i in range(1, 1 + 4 * int(rest[0]), 4)]
        out[fields[0]] = (lemmas, links, gloss.strip())
    return out


@functools.lru_cache(None)
def frequent(part, n):
    """The n most frequent single plain words of a part of speech, most frequent first."""
    digit = {"noun": "1", "verb": "2", "adj": "3", "adv": "4"}[part]
    found = [(counts().get((w, digit), 0), w) for w in index(part) if PLAIN.fullmatch(w)]
    found.sort(reverse=True)
    return [w for _, w in found[:n]]


@functools.lru_cache(None)
def proper_names():
    """Capitalized dictionary words: people, places, peoples."""
    return [w.strip() for w in open(WORDS) if re.fullmatch("[A-Z][a-z]{2,10}", w.strip())]


@functools.lru_cache(None)
def kinds_of(lemma, sense=0, part="noun", instances=False, depth=6):
    """Everyday words for the kinds (or the instances) of a thing: all hyponyms' lemmas, spaces for underscores."""
    start = index(part)[lemma][sense]
    seen, todo, out = {start}, [(start, 0)], []
    while todo:
        offset, level = todo.pop()
        lemmas, links, _ = synsets(part)[offset]
        if offset != start:
            out += [w.replace("_", " ") for w in lemmas[:2]]
        for symbol, target, letter in links:
            if (symbol == "~i" if instances and level == 0 else symbol in ("~", "~i") if instances else symbol == "~") \
                    and letter == part[0] and target not in seen and level < depth:
                seen.add(target)
                todo.append((target, level + 1))
    return sorted({w for w in out if re.fullmatch(r"[A-Za-z][A-Za-z' -]{2,24}", w)})


@functools.lru_cache(None)
def synonyms(part, size):
    """word -> up to four synonyms or close hypernyms, all among the `size` most frequent words of the part of speech."""
    words = set(frequent(part, size))
    out = {}
    for word in words:
        offsets = index(part)[word][:2]
        found = [w for o in offsets for w in synsets(part)[o][0]]
        found += [w for s, o, l in synsets(part)[offsets[0]][1] if s == "@" and l == part[0] for w in synsets(part)[o][0]]
        found = [w for w in dict.fromkeys(w.lower() for w in found) if w in words and w != word][:4]
        if found and not {word, *found} & INSTEAD.keys():
            out[word] = found
    return out


@functools.lru_cache(None)
def glosses():
    """(lemma, short definition) pairs in plain lower-case English."""
    out = []
    for part in ("noun", "verb", "adj"):
        for lemmas, _, gloss in synsets(part).values():
            word, text = lemmas[0].replace("_", " "), gloss.split(";")[0].split('"')[0].strip()
            if not INSTEAD.keys() & {word, *text.split()} and 10 < len(text) < 90 and re.fullmatch("[a-z ,'-]+", text) and re.fullmatch("[a-zA-Z ]{3,20}", word):
                out.append((word, text))
    return out
