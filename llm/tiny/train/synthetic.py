"""Tools that never existed: names, descriptions, parameters and requests drawn from the lexicon, without end.

They teach what the packs cannot: that a tool is known only by its line. Requests name the thing and the deed (or a synonym of them) and
tell values by the parameter's name or by a preposition that fits the value.
"""
import functools

import wordnet
from packs import Literal, Param, Tool
from values import LISTS

VERBS = """get find create delete update list send search check add remove open close start stop set show read write book cancel convert count
fetch plan order buy sell move copy rename share print save load test run track schedule rate report measure estimate compare sort filter
merge translate play upload download archive assign approve reject invite register export import lock unlock pause resume restart verify
publish subscribe""".split()
ASKING = {"get", "find", "list", "search", "check", "show", "read", "fetch", "count", "measure", "estimate", "track"}
EVERYDAY_WORDS = {  # verb -> everyday ways to say it
    "get": ["give me", "show me", "tell me", "fetch"], "find": ["look for", "locate", "search for", "where is"], "create": ["make", "set up", "add", "start"],
    "delete": ["remove", "get rid of", "drop", "erase", "throw away"], "update": ["change", "edit", "modify", "adjust"], "list": ["show me", "what are", "give me"],
    "send": ["mail", "deliver", "pass on"], "search": ["look for", "look up", "find"], "check": ["look at", "verify", "how is"], "add": ["put in", "include", "create"],
    "remove": ["delete", "take away", "drop", "get rid of"], "open": ["show", "pull up"], "close": ["shut", "end"], "start": ["begin", "launch", "kick off"],
    "stop": ["end", "halt", "quit"], "set": ["change", "put", "adjust"], "show": ["display", "let me see", "bring up"], "book": ["reserve", "get me", "arrange"],
    "cancel": ["call off", "drop", "undo"], "fetch": ["get", "bring me", "pull"], "order": ["buy", "get me", "request"], "buy": ["get", "purchase", "order"],
    "move": ["shift", "transfer"], "share": ["send", "pass on"], "save": ["keep", "store"], "schedule": ["plan", "set up", "arrange"], "run": ["execute", "start", "do"],
    "track": ["follow", "monitor", "keep an eye on"], "rate": ["score", "grade", "review"], "measure": ["how big is", "determine"], "invite": ["ask", "bring in"],
    "pause": ["hold", "freeze"], "restart": ["reboot", "start again"], "approve": ["accept", "sign off on"], "reject": ["refuse", "turn down"],
    "write": ["compose", "draft"], "read": ["open", "read me"], "rename": ["call differently", "change the name of"], "download": ["get", "pull down"],
}

# Kinds of parameters: usual names, type, value kind, words that lead to the value ({v}); the first group always works, the second
# only where no other parameter of the tool could be meant.
SHAPES = [
    (12, "city location place town".split(), "string", "city", ["in {v}", "near {v}", "for {v}", "around {v}", "over in {v}", "somewhere in {v}", "close to {v}"]),
    (8, "date day when".split(), "string", "date", ["on {v}", "for {v}", "by {v}", "starting {v}", "as of {v}"]),
    (6, "time start_time at".split(), "string", "time", ["at {v}", "for {v}", "around {v}", "by {v}", "from {v} on"]),
    (10, "recipient person contact user customer owner".split(), "string", "person", ["for {v}", "to {v}", "with {v}", "on behalf of {v}", "{v} wants it", "together with {v}"]),
    (5, "author artist creator sender".split(), "string", "person", ["by {v}", "from {v}", "made by {v}", "that {v} did"]),
    (5, "origin source from start".split(), "string", "city", ["from {v}", "leaving {v}", "starting in {v}", "out of {v}"]),
    (5, "destination target to".split(), "string", "city", ["to {v}", "towards {v}", "heading for {v}", "all the way to {v}"]),
    (5, "email address recipient_email".split(), "string", "email", ["to {v}", "for {v}", "at {v}", "reachable at {v}"]),
    (7, "count limit quantity number max_results".split(), "integer", "int", ["{v} of them", "up to {v}", "{v} at most", "no more than {v}", "just {v}", "exactly {v}", "{v} please"]),
    (5, "days hours minutes weeks nights".split(), "integer", "int", ["for {v} {n}", "over {v} {n}", "{v} {n} long", "lasting {v} {n}", "within {v} {n}"]),
    (5, "price budget max_price amount".split(), "number", "money", ["under {v}", "below {v}", "for {v}", "up to {v}", "not over {v}", "costing {v}"]),
    (4, "weight distance height speed temperature".split(), "number", "number", ["with a {n} of {v}", "at {n} {v}", "having {n} {v}", "whose {n} is {v}"]),
    (10, "query topic keyword subject".split(), "string", "topic", ["about {v}", "on {v}", "regarding {v}", "concerning {v}", "to do with {v}", "related to {v}"]),
    (9, "title name label".split(), "string", "title", ["called {v}", "named {v}", "titled {v}", "with the name {v}", "known as {v}", "under the name {v}"]),
    (6, "message text note body content".split(), "string", "message", ["saying {v}", "that says {v}", 'saying "{v}"', "with the words {v}", "reading {v}", "that reads {v}", "it should say {v}", "the words are {v}"]),
    (8, "id order_id code ticket reference".split(), "string", "code", ["with {n} {v}", "number {v}", "{v}", "no. {v}", "that is {v}", "the one with {n} {v}"]),
    (6, "file path filename document".split(), "string", "path", ["from {v}", "in {v}", "{v}", "stored in {v}", "out of {v}"]),
    (4, "url link website".split(), "string", "url", ["from {v}", "at {v}", "on {v}", "found at {v}"]),
    (3, ["language"], "string", "language", ["in {v}", "into {v}", "the {v} one", "written in {v}"]),
    (3, "color colour".split(), "string", "color", ["in {v}", "painted {v}", "the {v} one", "colored {v}"]),
    (3, "company brand vendor".split(), "string", "company", ["from {v}", "for {v}", "by {v}", "at {v}", "made by {v}"]),
    (2, ["phone", "phone_number"], "string", "phone", ["at {v}", "to {v}", "on {v}", "under {v}"]),
    (2, ["username", "account"], "string", "username", ["for {v}", "as {v}", "logged in as {v}", "under {v}"]),
    (3, ["product", "item"], "string", "product", ["for {v}", "with {v}", "including {v}", "namely {v}"]),
]
GENERIC = ["with {n} {v}", "{n} {v}", "with a {n} of {v}", "{n}: {v}", "where the {n} is {v}", "the {n} is {v}", "{n} = {v}", "use {v} as {n}", "and {v} for the {n}", "set {n} to {v}", "{n} should be {v}", "its {n} is {v}", "{n} is {v}", "whose {n} is {v}", "take {v} as the {n}", "{n} {v} please",
           "as {n} use {v}", "{v} being the {n}", "having {n} {v}", "({n} {v})", "under {n} {v}", "put {v} for {n}"]
LEADS = ["", "", "", "", "Please ", "please ", "Can you ", "Could you ", "I want to ", "I need to ", "I'd like to ", "Hey, ", "Now ", "Help me ", "Would you ", "Let's ", "Time to ",
         "Go ahead and ", "Quick one: ", "Can you please ", "I have to ", "We should ", "Be so kind and ", "ok, ", "I was asked to ", "My boss wants me to ", "Will you ", "Kindly ", "I'm trying to ", "I'm supposed to ", "It is time to ", "Could you quickly ",
         "First ", "Then ", "Next, ", "Also ", "Again: ", "You should ", "Would you mind if we ", "I was hoping to ", "We need to ", "Someone has to ", "Don't forget to ", "Just ", "So, ", "Hi! ", "Hello, can you ", "Would it be possible to ", "Is it possible to "]
TAILS = ["", "", "", "", "", "", " please", ", please", ", thanks", " for me", " now", " right away", " when you can", ", will you", " asap", " if you can", " if possible", ", okay", " thank you", " as soon as possible", ", it is urgent", " again", " once more", ", would you"]


@functools.lru_cache(None)
def synonyms(part):
    return wordnet.synonyms(part, {"noun": 6000, "verb": 1500}[part])


@functools.lru_cache(None)
def definitions():
    """noun -> short definition of its first sense ("umbrella" -> "a lightweight handheld collapsible canopy")."""
    out = {}
    for word in wordnet.frequent("noun", 6000):
        text = wordnet.synsets("noun")[wordnet.index("noun")[word][0]][2].split(";")[0].split("(")[0].split('"')[0].strip(" ,:")
        if 2 <= len(text.split()) <= 9 and word not in text and text.replace(" ", "").replace("-", "").isalpha():
            out[word] = text
    return out


def plural(w):
    return w + "es" if w.endswith(("s", "x", "ch", "sh", "z")) else w[:-1] + "ies" if w.endswith("y") and w[-2:-1] not in "aeiou" else w + "s"


def ing(w):
    if w.endswith("e") and not w.endswith("ee"):
        return w[:-1] + "ing"
    return w + w[-1] + "ing" if len(w) == 3 and w[-1] in "tnpgd" and w[1] in "aeiou" and w[0] not in "aeiou" else w + "ing"


class Synthetic:
    """Makes tools. rich: share of words that a request says by a synonym or in another form."""

    def __init__(self, v, rich=.3):
        self.v, self.rich = v, rich

    def param(self, used):
        v = self.v
        while True:
            x = v.rng.random()
            if x < .1:
                options = list(dict.fromkeys(v.word(v.pick(["noun", "adj"])) for _ in range(v.rng.randint(2, 4))))
                names = [v.pick(["mode", "unit", "type", "status", "format", "size", "priority", "style", "level", v.word("noun")])]
                p = Param(names, "enum", options=options)
                p.carriers = ["as {v}", "in {v}", "using {v}", "in {v} {n}", "the {v} {n}", "with {n} {v}", "{n} {v}"]
                if len(options) < 2:
                    continue
            elif x < .16:
                names = [v.pick(["urgent", "verbose", "recursive", "public", "active", "force", "private", "silent", v.word("adj")])]
                p = Param(names, "boolean")
                p.carriers = []
            else:
                _, names, type_, kind, carriers = v.rng.choices(SHAPES, [s[0] for s in SHAPES])[0]
                name = v.pick(names)
                if v.chance(.35):
                    name = v.word("noun")
                    carriers = []
                elif v.chance(.15):
                    name = v.word("noun") + "_" + name
                p = Param([name], type_, kind=kind)
                p.carriers = carriers
            if p.name not in used and not set(p.name.split("_")) & used:
                used.add(p.name)
                return p

    def tool(self, avoid=(), params=(0, 1, 2, 3)):
        """A new tool whose thing is not among the words in avoid."""
        v = self.v
        for _ in range(50):
            verb = v.pick(VERBS) if v.chance(.65) else v.word("verb")
            noun = v.word("noun") if v.chance(.75) else f"{v.word('adj')} {v.word('noun')}" if v.chance(.5) else f"{v.word('noun')} {v.word('noun')}"
            if not set(noun.split()) & set(avoid):
                break
        return self.build(verb, noun, params)

    def siblings(self, n):
        """n tools over the same thing with different verbs: get_x, delete_x, …"""
        noun = self.v.word("noun")
        families = [["get", "show", "read", "fetch", "check", "list", "find", "search", "open"], ["create", "add", "book", "schedule", "write", "order"], ["delete", "remove", "cancel"],
                    ["update", "set", "move", "rename"], ["send", "share", "publish", "export"], ["pause", "stop", "close", "lock"], ["start", "run", "restart", "resume"]]
        self.v.rng.shuffle(families)
        return [self.build(self.v.pick(f), noun, (0, 1, 2)) for f in families[:n]]

    def build(self, verb, noun, params):
        v = self.v
        words = (verb + " " + noun).split()
        used = set(words)
        style = v.rng.random()
        name = "_".join(words) if style < .72 else words[0] + "".join(w.capitalize() for w in words[1:]) if style < .86 else "-".join(words) if style < .9 else \
            "_".join(noun.split()) + "_" + verb if style < .96 else noun.replace(" ", "_") + "." + verb
        t = Tool([name], "synthetic")
        t.verb, t.noun = verb, noun
        t.params = [self.param(used) for _ in range(v.pick(params))]
        for p in t.params[1:]:
            p.optional = v.chance(.25)
        said_verb = self.other(verb, "verb", .5 * self.rich).capitalize()
        text = f"{said_verb} {v.pick(['a', 'the', 'the', 'an', 'one', 'your', 'some'])} {self.other(noun, 'noun', .5 * self.rich)}"
        if t.params and v.chance(.45):
            text += v.pick([" for a ", " by ", " with a ", " from a ", " using the ", " given the "]) + t.params[0].name.replace("_", " ")
        if v.chance(.15):
            text += v.pick([" quickly", " in the system", " from the database", " and return it", " for the user", " on the server", " and report the result"])
        text += v.pick([".", ".", ""])
        if v.chance(.05):
            text += " " + v.pick(wordnet.glosses())[1].capitalize() + "."
        t.descriptions = [text]
        t.description = text if v.chance(.95) else ""
        t.request = lambda values: self.ask(t)
        return t

    def other(self, word, part, p):
        """A synonym of the last (noun) or first (verb) word, or the word itself."""
        v = self.v
        if v.rng.random() >= p:
            return word
        words = word.split()
        at = -1 if part == "noun" else 0
        found = [w for w in synonyms(part).get(words[at], []) if wordnet.held_out(w) == v.unseen]
        if found:
            words[at] = v.pick(found)
        return " ".join(words)

    def ask(self, t):
        v = self.v
        arguments, said, segments = {}, {}, []
        kinds = [p.kind if p.type not in ("integer", "number") else "number" for p in t.params]
        taken = set()
        for p in t.params:
            if p.optional and v.chance(.4):
                continue
            words = p.name.replace("_", " ")
            if p.type == "boolean":
                on = v.chance(.7)
                arguments[p.name], said[p.name] = on, str(on).lower()
                segments.append(v.pick([f"make it {words}", f"it should be {words}", f"{words}, yes", f"set {words}", f"and {words}", f"with {words} on", f"{words}: yes"]) if on else v.pick([f"not {words}", f"don't make it {words}", f"no {words}", f"with {words} off", f"{words}: no", f"without {words}"]))
                continue
            text, value = p.draw(v)
            arguments[p.name], said[p.name] = value, text
            same = sum(1 for q, k in zip(t.params, kinds) if k == (p.kind if p.type not in ("integer", "number") else "number")) > 1
            options = [c for c in p.carriers if (c.split("{")[0] not in taken or not c.split("{")[0]) and ("{n}" in c or not same or c.split("{")[0] in ("from ", "to ", "by "))]
            carrier = v.pick(options) if options and v.chance(.6) else v.pick(GENERIC)
            if "{n}" not in carrier:
                taken.add(carrier.split("{")[0])
            quote = v.pick(['"', '"', "'"]) if p.kind in ("title", "message", "topic") and '"' not in carrier and "'" not in text and v.chance(.3) else ""
            segments.append(carrier.replace("{v}", quote + text + quote).replace("{n}", words))
        if v.chance(.25):
            v.rng.shuffle(segments)
        joint = v.pick([" ", " ", " ", ", ", " and "]) if len(segments) < 3 else v.pick([" ", ", "])
        tail = joint.join(segments)
        verb = t.verb
        if v.chance(.6 * self.rich):
            verb = v.pick(EVERYDAY_WORDS[verb]) if verb in EVERYDAY_WORDS else self.other(verb, "verb", 1)
        noun = self.other(t.noun, "noun", .6 * self.rich)
        if v.chance(.3 * self.rich):
            noun = plural(noun)
        described = definitions().get(t.noun) if v.chance(.35 * self.rich) else None
        article = v.pick(["the ", "the ", "a ", "", "my ", "this ", "that ", "our ", "an "]) if not verb.startswith(("what", "how", "where")) else "the "
        if described:
            noun = described
            article = "" if noun.split()[0] in ("a", "an", "the", "any", "one") else article
        x = v.rng.random()
        lead = v.pick(LEADS)
        if x < .6:
            text = f"{lead}{verb} {article}{noun} {tail}"
        elif x < .75 and t.verb in ASKING:
            text = f"{v.pick(['What is the', 'What about the', 'Give me the', 'I need the', 'Show me the', 'Tell me the', 'Do you have the', 'Is there a', 'Any', 'I am after the', 'I am looking for the', 'Let me have the', 'Where is the', 'How about the', 'May I see the', 'Bring me the', 'What do you have as the'])} {noun} {tail}"
        elif x < .83 and tail:
            text = f"{tail}: {verb} {article}{noun}"
        elif x < .9:
            text = f"{v.pick(['How about', 'Is', 'Any chance of', 'I thought about', 'Next:', 'Start', 'What about', 'It comes down to', 'I need help', 'Would you mind', 'Time for', 'We are'])} {ing(verb.split()[0])}{''.join(' ' + w for w in verb.split()[1:])} {article}{noun} {tail}"
        elif t.verb in ASKING:
            text = f"{noun} {tail}"
        else:
            text = f"{verb} {noun} {tail}"
        text = text.strip() + (v.pick(TAILS) if not text.rstrip().endswith(tail[-3:] + "?") else "")
        if v.chance(.75):
            text = text[0].upper() + text[1:]
        if text.startswith(("Can", "Could", "What", "Would", "Is ", "Any", "Do ", "How", "Will", "Where is", "May I")):
            text += "?" if v.chance(.85) else ""
        elif v.chance(.4) and not text.endswith((".", "?", "!")):
            text += "."
        return text, arguments, said

    def reply(self, t):
        """(result, answer): fields of any kind, or an error."""
        v = self.v
        if v.chance(.12):
            error = v.pick(["not found", "timeout", "permission denied", "invalid " + v.word("noun"), "no such " + v.word("noun"), "server error", f"{v.word('noun')} is {v.word('adj')}", f"unknown {v.word('noun')} {v.value('code')}"])
            return ('{"error":"%s"}' % error if v.chance(.5) else f"error: {error}"), f"That did not work: {error}."
        from packs import dump
        if v.chance(.2):
            value = v.value(v.pick(["int", "topic", "city", "money", "date", "person"]))
            return value if v.chance(.6) else dump({"result": value}), f"The result is {value}."
        if v.chance(.15):
            items = [v.value(k) for k in [v.pick(["topic", "person", "city", "code", "filename"])] * v.rng.randint(2, 5)]
            key = plural(t.noun.split()[-1])
            joined = ", ".join(items[:-1]) + " and " + items[-1]
            return (dump({key: items}) if v.chance(.6) else "\n".join(items)), f"Found: {joined}."
        fields = {}
        for _ in range(v.rng.randint(1, 3)):
            p = self.param(set(fields))
            if p.type in ("enum", "boolean"):
                fields[p.name] = v.word("adj")
            else:
                fields[p.name] = p.draw(v)[1]
        if v.chance(.25):
            fields = {"status": v.pick(["ok", "done", "created", "sent", "deleted", "saved"]), **fields}
        parts = [f"the {k.replace('_', ' ')} is {x}" for k, x in fields.items()]
        text = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
        return dump(fields), text[0].upper() + text[1:] + "."
