"""What the built-in tools return, and faithful answers to it; questions about the text of a file."""
from values import LISTS

ABBREVIATIONS = ["CET", "CEST", "GMT", "BST", "JST", "EST", "EDT", "PST", "PDT", "IST", "MSK", "AEST", "AEDT", "CST", "KST", "SGT", "EET", "WET", "NZDT", "ART", "+03", "-03", "+05"]

# Facts as they stand in notes: (what the question calls it, lines with {v}, value kind). {t} is the name itself.
FACTS = [
    ("budget", ["The budget is {v} euros.", "Budget: {v} USD", "We agreed on a budget of {v} dollars.", "The budget for this year is {v}.", "budget = {v}"], "money"),
    ("deadline", ["The deadline is {v}.", "Deadline: {v}", "Everything has to be ready by {v}.", "deadline {v}"], "date"),
    ("meeting", ["The meeting is on {v}.", "Meeting: {v}", "We meet again on {v}.", "Next meeting {v}"], "datetime"),
    ("password", ["The password is {v}.", "password: {v}", "Wifi password: {v}"], "password_like"),
    ("address", ["The address is {v}.", "Address: {v}", "We moved to {v}."], "street"),
    ("phone number", ["The phone number is {v}.", "Phone: {v}", "Call us at {v}."], "phone"),
    ("email", ["Email: {v}", "Write to {v}.", "The email address is {v}."], "email"),
    ("price", ["The price is {v}.", "Price: {v} EUR", "It costs {v} dollars."], "money"),
    ("owner", ["The owner is {v}.", "Owner: {v}", "{v} owns it."], "person"),
    ("author", ["Author: {v}", "The author is {v}.", "Written by {v}."], "person"),
    ("manager", ["The manager is {v}.", "Manager: {v}", "{v} is the manager."], "person"),
    ("version", ["Version: {v}", "The current version is {v}.", "version {v}"], "version"),
    ("port", ["port: {v}", "The server listens on port {v}.", "port = {v}"], "int"),
    ("server", ["server: {v}", "The server is {v}.", "server = {v}"], "domain"),
    ("venue", ["The venue is {v}.", "Venue: {v}", "We will be at {v}."], "place"),
    ("departure", ["Departure: {v}", "The departure is at {v}.", "We leave at {v}."], "time"),
    ("arrival", ["Arrival: {v}", "The arrival is at {v}.", "We arrive at {v}."], "time"),
    ("hotel", ["The hotel is the {v}.", "Hotel: {v}", "We stay at the {v}."], "company"),
    ("dinner", ["Dinner: {v}", "For dinner there is {v}.", "Dinner will be {v}."], "food"),
    ("lunch", ["Lunch: {v}", "Lunch is {v}.", "We have {v} for lunch."], "food"),
    ("color", ["Color: {v}", "The color is {v}.", "color = {v}"], "color"),
    ("rent", ["The rent is {v} a month.", "Rent: {v}", "rent {v} per month"], "money"),
    ("team", ["The team is {v}.", "Team: {v}", "team {v}"], "person"),
    ("customer", ["The customer is {v}.", "Customer: {v}", "We work for {v}."], "company"),
    ("order number", ["Order number: {v}", "The order number is {v}.", "order number {v}"], "code"),
    ("total", ["Total: {v}", "The total is {v}.", "total = {v}"], "money"),
    ("goal", ["The goal is {v}.", "Goal: {v}", "Our goal: {v}"], "topic"),
    ("weather", ["The weather was {v}.", "Weather: {v}"], "weather"),
    ("gate", ["Gate: {v}", "The gate is {v}.", "gate {v}"], "code"),
    ("birthday", ["The birthday is on {v}.", "Birthday: {v}", "Birthday on {v}"], "date"),
    ("topic", ["Topic: {v}", "The topic is {v}.", "topic: {v}"], "topic"),
    ("invoice number", ["Invoice number: {v}", "The invoice number is {v}."], "code"),
    ("room", ["Room: {v}", "The room is {v}.", "We meet in room {v}."], "code"),
    ("speaker", ["Speaker: {v}", "The speaker is {v}.", "{v} will be the speaker."], "person"),
    ("doctor", ["The doctor is {v}.", "Doctor: {v}"], "person"),
    ("winner", ["The winner is {v}.", "Winner: {v}", "{v} is the winner."], "person"),
    ("salary", ["The salary is {v} a month.", "Salary: {v}"], "money"),
    ("capital", ["The capital is {v}.", "Capital: {v}"], "city"),
    ("oven temperature", ["Oven temperature: {v} degrees", "The oven temperature is {v} degrees."], "int"),
    ("dessert", ["Dessert: {v}", "For dessert there is {v}.", "The dessert is {v}."], "food"),
    ("secretary", ["{v} took the minutes as secretary.", "Secretary: {v}"], "person"),
    ("next release", ["The next release is {v}.", "Next release: {v}"], "version"),
    ("backup", ["The backup runs at {v}.", "Backup: {v}", "backup at {v}"], "time"),
    ("error", ["ERROR: the {v} is missing", "error: no {v} found", "The error came from the {v}."], "noun"),
    ("supplier", ["Our supplier is {v}.", "Supplier: {v}"], "company"),
    ("delivery", ["The delivery comes on {v}.", "Delivery: {v}", "Delivery on {v}"], "date"),
    ("username", ["username: {v}", "The username is {v}."], "username"),
    ("website", ["Website: {v}", "The website is {v}."], "domain"),
    ("decision", ["Decision: we buy the {v}.", "The decision was for the {v}.", "Decision: {v}"], "product"),
    ("{t}", ["The {t} is {v}.", "{t}: {v}", "{T}: {v}", "{t} = {v}", "{T} is {v}.", "We need {v} for the {t}.", "The {t} was set to {v}.", "For the {t} we chose {v}."], "any"),
    ("{t}", ["The {t} will be ready on {v}.", "{T} starts on {v}.", "The {t} ended on {v}.", "{v}: {t}"], "date"),
    ("{t}", ["{v} takes care of the {t}.", "{v} will look after the {t}.", "{T}: ask {v}", "The {t} belongs to {v}.", "{v} wrote the {t}."], "person"),
    ("{t}", ["The {t} is still {w}.", "The {t} looks {w}.", "We found the {t} {w}.", "The {t} must be {w}."], "adjective"),
    ("{t}", ["The {t} is in {v}.", "{v} has the {t}.", "The {t} moved to {v}."], "city"),
]
QUESTIONS = ["What does {path} say about the {t}?", "what does {path} say about {t}", "What is the {t} in {path}?", "what's the {t} according to {path}", "According to {path}, what is the {t}?", "Look up the {t} in {path}",
             "Find the {t} in {path}", "Does {path} mention the {t}?", "does {path} say anything about the {t}?", "Read {path} and tell me the {t}", "read {path} and tell me about the {t}", "What did I write about the {t} in {path}?",
             "Open {path}. What is the {t}?", "Check {path} for the {t}", "check the {t} in {path}", "In {path}, what is the {t}?", "Tell me the {t} from {path}", "I need the {t} from {path}", "Which {t} is given in {path}?",
             "what do my notes in {path} say about the {t}", "What has {path} to say on the {t}?", "get the {t} out of {path}", "Is there something about the {t} in {path}?", "see {path}: what is the {t}?", "Look into {path} for the {t}.",
             "the {t}, it should be in {path}", "What do we know about the {t}? It's in {path}.", "I noted the {t} in {path}, what was it?", "search {path} for the {t}", "Use {path} to tell me the {t}",
             "How about the {t}? See {path}.", "I can't remember the {t}, it's in {path}", "What was the {t} again? I put it in {path}.", "Can you look up the {t} in {path}?", "could you find the {t} in {path} for me", "Would you check {path} for the {t}?",
             "is the {t} in {path}", "is the {t} mentioned in {path}?", "does it say in {path} what the {t} is", "{path}: {t}?", "{path}, what is the {t}?", "what is the {t}? look in {path}", "{t} from {path} please", "Give me the {t} from {path}",
             "give me the {t}, it stands in {path}", "I'd like to know the {t} in {path}", "Please read {path} and say what the {t} is", "Go through {path} and find the {t}", "My colleague wrote the {t} into {path}. What is it?",
             "What information does {path} have on the {t}?", "How does {path} put it about the {t}?", "{path} should say something about the {t}. What?", "pull the {t} from {path}", "extract the {t} from {path}", "quote what {path} says about the {t}",
             "someone asked for the {t}, check {path}", "Do my notes in {path} mention the {t}?", "Tell me what {path} says about the {t}.", "which {t} do we have in {path}", "what did they decide about the {t} in {path}", "any news on the {t} in {path}?"]
# Ways to ask for some facts by their sense: fact -> questions.
ASKED = {
    "budget": ["How much can we spend according to {path}?", "how big is the budget in {path}", "How much money do we have? It's in {path}."],
    "deadline": ["When is the deadline according to {path}?", "By when must everything be ready? See {path}.", "until when do we have time, look in {path}"],
    "meeting": ["When is the meeting? It's in {path}.", "when do we meet according to {path}", "read {path} and tell me when the meeting is"],
    "address": ["Where do they live according to {path}?", "what address is in {path}"],
    "phone number": ["What number do I have to call? See {path}.", "which number is in {path}"],
    "email": ["Where can I write to according to {path}?", "Which email address is in {path}?"],
    "price": ["How much does it cost according to {path}?", "what does it cost, look in {path}", "how expensive is it? read {path}"],
    "owner": ["Who owns it according to {path}?", "who is the owner in {path}", "Whose is it? Check {path}."],
    "author": ["Who is the author of {path}?", "who wrote it according to {path}", "By whom was {path} written?"],
    "manager": ["Who is the manager according to {path}?", "who is in charge, see {path}"],
    "version": ["Which version are we on according to {path}?", "what version does {path} name"],
    "port": ["Which port does the server use? Look in {path}.", "on which port does it listen according to {path}"],
    "server": ["Which server is set in {path}?", "what server does {path} use"],
    "venue": ["Where does it take place according to {path}?", "Where is the event? See {path}.", "where will we be, check {path}"],
    "departure": ["When do we leave according to {path}?", "what time is the departure in {path}", "When does it leave? It's in {path}."],
    "arrival": ["When do we arrive according to {path}?", "what time do we get there, see {path}"],
    "hotel": ["Where do we stay according to {path}?", "which hotel is in {path}", "What hotel did we book? Look in {path}."],
    "dinner": ["What is for dinner according to {path}?", "what do we eat tonight, see {path}"],
    "lunch": ["What is for lunch according to {path}?", "what do we have for lunch? check {path}"],
    "rent": ["How much is the rent in {path}?", "what do I pay a month according to {path}"],
    "customer": ["Who is the customer in {path}?", "For whom do we work according to {path}?"],
    "total": ["How much is it in total according to {path}?", "what does {path} add up to"],
    "birthday": ["When is the birthday according to {path}?", "which day is the birthday, look in {path}"],
    "gate": ["Which gate is it according to {path}?", "what gate do I go to, see {path}"],
    "room": ["Which room do we meet in? See {path}.", "what room is it according to {path}"],
    "speaker": ["Who is going to speak according to {path}?", "who is the speaker in {path}"],
    "winner": ["Who won according to {path}?", "who is the winner in {path}"],
    "salary": ["How much do they pay according to {path}?", "how high is the salary in {path}"],
    "oven temperature": ["How hot must the oven be? See {path}.", "at what temperature do I bake it according to {path}"],
    "dessert": ["What is for dessert according to {path}?", "what's the dessert in {path}"],
    "backup": ["When does the backup run according to {path}?", "at what time is the backup, look in {path}"],
    "error": ["What went wrong according to {path}?", "which error is in {path}", "Why did it fail? Read {path}."],
    "delivery": ["When will it be delivered according to {path}?", "when does the delivery come, see {path}"],
    "decision": ["What did we decide according to {path}?", "what was decided in {path}"],
}

# Questions by the kind of the value that is asked for.
QUESTIONS_OF = {
    "person": ["Who is the {t} in {path}?", "who is the {t} according to {path}", "Who is named as {t} in {path}?", "{path}: who is the {t}?", "Look up who the {t} is, it's in {path}"],
    "money": ["How much is the {t} in {path}?", "how high is the {t} according to {path}", "How large is the {t}? See {path}.", "what did we put down as {t} in {path}", "how much {t} does {path} give"],
    "date": ["When is the {t} according to {path}?", "when's the {t}? it's in {path}", "On what day is the {t}, says {path}?", "which day does {path} give for the {t}"],
    "datetime": ["When is the {t} according to {path}?", "when's the {t}? it's in {path}", "{path} has the time of the {t}, when is it?"],
    "time": ["At what time is the {t} in {path}?", "when is the {t}, look in {path}", "{path}: {t} when?"],
    "city": ["Where is the {t} according to {path}?", "where's the {t}? I wrote it in {path}"],
    "place": ["Where is the {t} according to {path}?", "where's the {t}? see {path}"],
    "street": ["Where is it, what's the {t} in {path}?", "look up the {t} for me in {path}"],
    "int": ["Which number does {path} have for the {t}?", "what number is the {t} in {path}"],
    "adjective": ["How is the {t} according to {path}?", "what does {path} say the {t} is like"],
}
# Sentences of a text that tell nothing that is asked for.
FILLER = ["We talked about it for a long time.", "Everybody liked the {t}.", "Please bring your own {t}.", "More on this next week.", "Thanks to all who came.", "It was a {w} day.", "There are still open questions.",
          "{p} will write the minutes.", "Some of this may change.", "See also the {t} from last year.", "The {t} was not discussed.", "{p} could not come.", "Nobody mentioned the {t}.", "This is only a draft.",
          "We should ask {p} again.", "Do not share this with others.", "Read this before you start.", "The rest is up to you.", "Keep the {t} dry.", "The {w} {t} arrived late.", "I met {p} on the way.",
          "We need more time for this.", "Let's keep it short.", "The {t} and the {t2} are fine.", "All of it is in the {t}.", "Last changed by {p}.", "Nothing else to report.", "We had coffee first.", "Bring {n} copies."]
FOLLOW = ["And the {t}?", "What about the {t}?", "and what is the {t}", "What does it say about the {t}?", "And what does it say about the {t}?", "the {t}?", "Does it mention the {t}?", "And what about the {t}?", "ok, and the {t}?", "is there something about the {t}", "What does the file say about the {t}?",
          "Tell me the {t} too", "and do they mention the {t}", "How about the {t}?", "what was the {t} again", "the {t} as well please"]
ABSENT = "It does not say anything about the {t}."
HEADINGS = ["Project notes", "Notes", "{T} notes", "To do", "# To do", "Trip to {c}", "# {S}", "{S}", "{S} notes", "{S}:", "Summary", "# {T} and {w} things", "Minutes of the meeting", "About the {t}", "== {T} ==", "## {S}", "Dear {p},", "Hi {p},", "{d}", "Report", "# Notes", "# {T}", "Notes on {t}", "{T}", "Meeting notes", "TODO", "# {T} plan", "Minutes, {d}", "## Summary", "Project {T}"]


class Results:
    """Results of built-in tools and the answers to them, drawn with Values v."""

    def __init__(self, v):
        self.v = v

    def amount(self):
        v = self.v
        n = v.rng.random()
        text = str(v.rng.randint(1, 999)) if n < .4 else f"{v.rng.randint(0, 99999)}.{v.rng.randint(1, 999)}" if n < .8 else str(v.rng.randint(1000, 99999999))
        return ("-" if v.chance(.07) else "") + text

    def error(self, name, said):
        v = self.v
        if name == "read_file":
            return v.pick([f"no file named {said['path']}", f"no file named {said['path']}", f"{said['path']} is a folder", "not a text file", "outside the root folder", "permission denied"])
        if name == "list_files":
            return v.pick([f"no folder named {said.get('folder', '.')}", f"no folder named {said.get('folder', '.')}", "outside the root folder", "permission denied"])
        if name == "calculator":
            return v.pick(["division by zero", "not an expression", "unknown name " + v.word("noun"), "missing )", "number too large"])
        if name == "now":
            return v.pick([f"unknown place {said.get('place', 'here')}", f"no time zone known for {said.get('place', 'here')}"])
        return v.pick([f"unknown unit {said['from']}", f"unknown unit {said['to']}", f"cannot convert {said['from']} to {said['to']}"])

    def stamp(self, place=None):
        """(date words, clock, result text) of now."""
        v = self.v
        day = f"{v.pick(LISTS['weekday'])}, {v.rng.randint(1, 31)} {v.pick(LISTS['month'])} {v.rng.randint(2024, 2033)}"
        clock = f"{v.rng.randint(0, 23):02}:{v.rng.randint(0, 59):02}"
        zone = f"({v.pick(ABBREVIATIONS)}, UTC{v.pick('+-')}{v.rng.randint(0, 12)}{v.pick(['', '', '', ':30'])})"
        return day, clock, f"{day}, {clock}" + (f" in {place}" if place else "") + " " + zone

    def files(self):
        v = self.v
        names = list(dict.fromkeys(v.value("filename") if v.chance(.8) else v.value("folder").strip("/~").split("/")[-1] + "/" for _ in range(v.rng.randint(1, 7))))
        return sorted(names)

    def reply(self, name, arguments, said):
        """(result, answer) of a call."""
        v = self.v
        if v.chance(.1):
            error = self.error(name, {**said, **{k: str(x) for k, x in arguments.items()}})
            return "error: " + error, f"That did not work: {error}."
        if name == "calculator":
            result = self.amount()
            return result, f"{arguments['expression']} is {result}."
        if name == "now":
            day, clock, text = self.stamp(arguments.get("place"))
            return text, f"It is {clock} in {arguments['place']}, {day}." if "place" in arguments else f"It is {clock}, {day}."
        if name == "convert_units":
            result = self.amount()
            left, right = f"{arguments['value']} {arguments['from']}", f"{result} {arguments['to']}"
            return f"{left} = {right}", f"{left} is {right}."
        if name == "list_files":
            if v.chance(.06):
                return "(empty)", "The folder is empty."
            names = self.files()
            return "\n".join(names), "The files are: " + ", ".join(names) + "." if len(names) > 1 else f"There is one file: {names[0]}."
        text, facts = self.text(v.rng.randint(1, 4), said["path"])
        return text, f"{said['path']} says:\n{text}"

    def fact(self):
        """(name, line, kind of the value)"""
        v = self.v
        name, lines, kind = v.pick(FACTS)
        thing = v.word("noun") if v.chance(.7) else f"{v.word('noun')} {v.word('noun')}"
        name = name.replace("{t}", thing)
        kind = kind if kind != "any" else v.pick(["money", "date", "person", "city", "int", "topic", "code", "time", "color"])
        line = v.pick(lines)
        if line.startswith(("The {t} ", f"The {name} ")) and v.chance(.3):  # of what
            more = v.pick(["for the {n}", "of the {n}", "for {p}", "of {p}", "in {c}", "for this {n}", "for the {w} {n}"])
            more = more.replace("{n}", v.word("noun")).replace("{p}", v.value("first_name")).replace("{c}", v.value("city")).replace("{w}", v.word("adj"))
            line = line.replace("{t}", name).replace(f"The {name} ", f"The {name} {more} ", 1)
        line = line.replace("{t}", name).replace("{T}", name[0].upper() + name[1:]).replace("{v}", v.value(kind)).replace("{w}", v.word("adj"))
        if v.chance(.12) and line.endswith("."):
            line = line[:-1] + v.pick([" because of the ", " and the ", ", not the ", " after the ", " despite the "]) + v.word("noun") + "."
        elif v.chance(.12) and not line.endswith("."):
            line += "."
        return name, line[0].upper() + line[1:] if line.endswith(".") else line, kind

    def filler(self):
        v = self.v
        return v.pick(FILLER).replace("{t}", v.word("noun")).replace("{t2}", v.word("noun")).replace("{w}", v.word("adj")).replace("{p}", v.value("first_name")).replace("{n}", v.value("int"))

    def heading(self, path):
        v, thing = self.v, self.v.word("noun")
        stem = path.split("/")[-1].split(".")[0].replace("_", " ").replace("-", " ") if path else v.word("noun")
        text = v.pick(HEADINGS).replace("{t}", thing).replace("{T}", thing.capitalize()).replace("{S}", stem.capitalize())
        return text.replace("{d}", v.value("date")).replace("{c}", v.value("city")).replace("{p}", v.value("first_name")).replace("{w}", v.word("adj"))

    def text(self, n, path=""):
        """(text of n or a few more lines as files have them, facts in it with different names)."""
        v = self.v
        facts, names = [], set()
        while len(facts) < n:
            f = self.fact()
            if not set(f[0].split()) & names:
                names |= set(f[0].split())
                facts.append(f)
        lines = [f[1] for f in facts]
        for _ in range(v.weighted({0: 50, 1: 25, 2: 15, 3: 10}) if n > 1 else 0):
            lines.insert(v.rng.randint(0, len(lines)), self.filler())
        x = v.rng.random()
        if x < .3:
            text = "\n".join(lines)
        elif x < .45:
            bullet = v.pick(["- ", "* "])
            text = "\n".join(bullet + line for line in lines)
        elif x < .52:
            text = "\n".join(f"{i}. {line}" for i, line in enumerate(lines, 1))
        elif x < .64:
            text = "\n\n".join(lines)
        elif x < .8:  # prose
            text = " ".join(line if line[-1] in ".!?" else line + v.pick([".", ".", ","]) for line in lines)
        else:  # paragraphs and lines
            text = lines[0]
            for line in lines[1:]:
                text += v.pick(["\n", "\n\n", " " if text[-1] in ".!?" else "\n"]) + line
        if v.chance(.4):
            text = self.heading(path) + v.pick(["\n", "\n\n"]) + text
        return text, facts
