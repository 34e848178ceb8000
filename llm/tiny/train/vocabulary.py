"""Builds vocabulary.txt, the embedded model's tokens, from WordNet's texts and the language packs. Run once: a trained model depends on it.

usage: vocabulary.py [OUT]
"""
import collections
import glob
import os
import re
import sys

import tokenizer as tk
import wordnet

HERE = os.path.dirname(os.path.abspath(__file__))
BASE, VARIANTS = 4080, 3700  # letter merges, " word" variants; with bytes, punctuation and special tokens about 8100
EVERYDAY = """January February March April May June July August September October November December Monday Tuesday Wednesday Thursday Friday
Saturday Sunday today tomorrow tonight yesterday morning afternoon evening noon midnight weekend am pm USD EUR GBP JPY CHF CAD AUD INR CNY BTC ETH
Celsius Fahrenheit kelvin kilometers kilometres miles meters metres feet inches pounds kilograms grams ounces liters litres gallons acres hectares
please thanks hello hey hi can't don't won't isn't what's how's who's I'm I'd I'll you're it's that's gonna wanna gimme lemme
txt md csv json pdf html log yaml xml docx xlsx png jpg mp com org net www http https email id url api app user username password config
London Paris Tokyo Berlin Madrid Rome Vienna Sydney Toronto Chicago Boston Dublin Oslo Lisbon Delhi Mumbai Beijing Seoul Cairo Moscow Munich
parameters calculator expression units files folder folders convert filename celsius status location amount currency query title message
calculate temperature language translate email reminder calendar schedule playlist username priority description quantity address minutes
New York Los Angeles San Francisco America Europe Asia Africa England France Germany Spain Italy Japan China India Canada Brazil Mexico""".split()


def pieces():
    """Counter of pre-tokenizer pieces: WordNet's definitions and examples, tagged counts, the packs (each counted often), everyday words."""
    count = collections.Counter()
    for part in ("noun", "verb", "adj", "adv"):
        for _, _, gloss in wordnet.synsets(part).values():
            count.update(tk.PIECES.findall(" " + gloss))
    for (lemma, _), n in wordnet.counts().items():
        if lemma.isalpha():
            count[" " + lemma] += 2 * n
            count[lemma] += n
    for path in sorted(glob.glob(os.path.join(HERE, "packs", "*.txt"))):
        for line in open(path, errors="replace"):
            line = re.sub(r"\{[^}]*\}", " ", line.partition(" ")[2]) if not line.startswith("#") else ""
            for piece in tk.PIECES.findall(line):
                count[piece] += 25
    for word in EVERYDAY:
        count[" " + word] += 400
        count[word] += 400
    for name in wordnet.proper_names():
        count[" " + name] += 3
    return count


if __name__ == "__main__":
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "vocabulary.txt")
    tokens = tk.train(pieces(), BASE, VARIANTS)
    tk.save(tokens, out)
    t = tk.load(out)
    print(t.size, "tokens;", sum(1 for w in t.tokens if w.isalpha() and len(w) > 3), "of four letters or more without space")
    for text in ('{"name":"get_weather","parameters":{"city":"Zorvath Bay","days":3}}', "What's the weather like in Zorvath Bay tomorrow at 7:30?",
                 "getWeather calculator convert_units What is 17.5% of 2,340?"):
        print([t.tokens[i].decode("utf8", "replace") for i in t.encode(text)])
