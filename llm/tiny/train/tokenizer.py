"""Byte-level BPE with Llama 3's pre-tokenizer: training of the small vocabulary, and the encoder that training and evaluation use.

The encoder is the algorithm of Llama 3's tokenizer: split by the regular expression, take a piece that is a token as it is,
else merge the adjacent pair whose concatenation has the lowest rank until none is a token. A token's rank is its id.

The vocabulary is made so that prose and JSON split alike, which turns copying of arguments into copying of tokens:
  * no merge joins letters with anything else, and none holds a digit (numbers are read digit by digit);
  * punctuation merges only into the pieces of compact JSON;
  * " word" is a token only where "word" is one, and ranks after all merges, so " weather", "_weather" and `"weather` all hold `weather`.
"""
import base64
import collections
import heapq
import json
import re

# Python's re has no \p{L}; [^\W\d_] is a letter or a letter-like number, which the generated texts do not hold.
_LETTER = r"[^\W\d_]"
PIECES = re.compile(
    rf"(?i:'s|'t|'re|'ve|'m|'ll|'d)|(?:[^\w\r\n]|_)?{_LETTER}+|\d{{1,3}}| ?(?:[^\w\s]|_)+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
MARKERS = 16
FIRST_MARKER = 8
SPECIAL = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>",
           "<|python_tag|>", "<|finetune_right_pad_id|>"] + [f"<|reserved_special_token_{i}|>" for i in range(24)]
# In the generator's texts the marker of tool i is one private-use character.
MARK = [chr(0xE000 + i) for i in range(MARKERS)]
_MARK_SPLIT = re.compile(f"([{MARK[0]}-{MARK[-1]}])")
JSON_PIECES = ['{"', '":', '":"', '"}', '"}}', '","', '":{', '":{"', '}}', ',"', '":[', '":["', '"]', '"]}}', '":{}}', '{}', ']}}', '."}}', '?"}}', ')"}}', '="']
OTHER_PIECES = ['\n\n', ' (', '()', '):', '...', '://', '--', ' -', ' "', ' \'', '",', '".', '."', '?"', '",\n', ').', '),', '\'.', ' =', ' +', ' *', ' /', ' &', ' [', '].', '.\n', '":\n', ' #', ' $', ':\n', ' %', '%.']


class Tokenizer:
    """Encodes text and conversations. tokens: list of bytes in rank order, special tokens not among them."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.rank = {t: i for i, t in enumerate(tokens)}
        self.special = {t: len(tokens) + i for i, t in enumerate(SPECIAL)}
        self.size = len(tokens) + len(SPECIAL)
        self.cache = {}
        self._chat_heads = {}

    def piece(self, piece):
        """ids of one pre-tokenizer piece."""
        known = self.cache.get(piece)
        if known is not None:
            return known
        raw = piece.encode()
        if raw in self.rank:
            ids = [self.rank[raw]]
        else:
            parts = [raw[i:i + 1] for i in range(len(raw))]
            while len(parts) > 1:
                best = min((self.rank.get(parts[i] + parts[i + 1], 1 << 30), i) for i in range(len(parts) - 1))
                if best[0] == 1 << 30:
                    break
                i = best[1]
                parts[i:i + 2] = [parts[i] + parts[i + 1]]
            ids = [self.rank[p] for p in parts]
        if len(self.cache) < 300000:
            self.cache[piece] = ids
        return ids

    def encode(self, text):
        """ids of a text; private-use marker characters become the tool markers' special tokens."""
        out = []
        for part in _MARK_SPLIT.split(text):
            if len(part) == 1 and MARK[0] <= part <= MARK[-1]:
                out.append(self.marker(ord(part) - 0xE000))
            else:
                for piece in PIECES.findall(part):
                    out += self.piece(piece)
        return out

    def marker(self, i):
        """id of the marker of the tool at index i."""
        return self.special[f"<|reserved_special_token_{FIRST_MARKER + i}|>"]

    def text_of(self, ids):
        """Text of ids, special tokens by name, markers as <Mi>."""
        first = self.marker(0)
        name = lambda i: (f"<M{i - first}>" if first <= i < first + MARKERS else SPECIAL[i - len(self.tokens)]).encode()
        return b"".join(self.tokens[i] if i < len(self.tokens) else name(i) for i in ids).decode("utf8", "replace")

    def head(self, role):
        """ids that open a message of a role."""
        if role not in self._chat_heads:
            self._chat_heads[role] = [self.special["<|start_header_id|>"]] + self.encode(role) + \
                [self.special["<|end_header_id|>"]] + self.encode("\n\n")
        return self._chat_heads[role]

    def conversation(self, messages):
        """(ids, learn): ids of a whole conversation and, per id, 1 where it belongs to an assistant's answer (end token included).

        messages: (role, text) or (role, text, given) for an assistant's message of which parts are context only: given is a list
        of (begin, end) in the text's bytes; a token that begins in one is not learned.
        """
        ids, learn = [self.special["<|begin_of_text|>"]], [0]
        for role, text, *given in messages:
            head, body = self.head(role), self.encode(text)
            on, at = [], 0
            for i in body:
                on.append(int(role == "assistant" and not any(begin <= at < end for begin, end in (given[0] if given else ()))))
                at += len(self.tokens[i]) if i < len(self.tokens) else 3
            ids += head + body + [self.special["<|eot_id|>"]]
            learn += [0] * len(head) + on + [int(role == "assistant")]
        return ids, learn


def train(pieces, words, variants):
    """Tokens of a new vocabulary: `words` letter merges over the counted pieces, then ` x` for the `variants` most frequent starts x.

    pieces: Counter of pre-tokenizer pieces.
    """
    counted = collections.Counter()
    for piece, n in pieces.items():
        text = piece[1:] if len(piece) > 1 and not piece[0].isalpha() else piece
        if text.isalpha():
            counted[text] += n
    tokens = [bytes([b]) for b in range(256)]
    tokens += [p.encode() for p in merge_closure(JSON_PIECES + OTHER_PIECES)]
    split = [[bytes([b]) for b in w.encode()] for w in counted]
    weight = list(counted.values())
    pairs, where = collections.Counter(), collections.defaultdict(set)
    for i, parts in enumerate(split):
        for pair in zip(parts, parts[1:]):
            pairs[pair] += weight[i]
            where[pair].add(i)
    heap = [(-n, p) for p, n in pairs.items()]
    heapq.heapify(heap)
    known = set(tokens)
    while words > 0 and heap:
        n, pair = heapq.heappop(heap)
        if pairs.get(pair, 0) != -n:
            if pairs.get(pair, 0) > 0:
                heapq.heappush(heap, (-pairs[pair], pair))
            continue
        joined = pair[0] + pair[1]
        if joined not in known:
            known.add(joined)
            tokens.append(joined)
            words -= 1
        changed = set()
        for i in list(where[pair]):
            parts = split[i]
            for p in zip(parts, parts[1:]):
                pairs[p] -= weight[i]
                where[p].discard(i)
                changed.add(p)
            out, k = [], 0
            while k < len(parts):
                if k + 1 < len(parts) and parts[k] == pair[0] and parts[k + 1] == pair[1]:
                    out.append(joined)
                    k += 2
                else:
                    out.append(parts[k])
                    k += 1
            split[i] = out
            for p in zip(out, out[1:]):
                pairs[p] += weight[i]
                where[p].add(i)
                changed.add(p)
        pairs.pop(pair, None)
        for p in changed:
            if pairs.get(p, 0) > 0:
                heapq.heappush(heap, (-pairs[p], p))
    base = Tokenizer(tokens)
    starts = collections.Counter()
    for piece, n in pieces.items():
        if len(piece) > 1 and piece[0] == " " and piece[1:].isalpha():
            starts[tokens[base.piece(piece[1:])[0]]] += n
    endings = [b"'s", b"'t", b"'m", b"'d", b"'ll", b"'re", b"'ve"]  # after the merges, so that 'sun' in quotes stays ' + sun
    return tokens + endings + [b" " + t for t, _ in starts.most_common(variants)]


def merge_closure(wanted):
    """The wanted punctuation pieces in an order of ranks in which each is reached by merging two earlier ones, left to right."""
    out = []
    for text in sorted(wanted, key=len):
        for end in range(2, len(text) + 1):
            if text[:end] not in out:
                out.append(text[:end])
    return out


def save(tokens, path):
    """One token per line, base64, in rank order (as in Meta's tokenizer.model)."""
    with open(path, "w") as f:
        for i, t in enumerate(tokens):
            f.write(f"{base64.b64encode(t).decode()} {i}\n")


def load(path):
    return Tokenizer([base64.b64decode(line.split()[0]) for line in open(path)])
