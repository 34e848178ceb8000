"""Values of arguments as users write them, by kind: cities, times, codes, amounts, expressions, …

Words and names are split into a training and a held-out part by hash (wordnet.held_out); shapes (codes, numbers, times) are drawn at random,
so held-out ones are new by construction.
"""
import base64
import functools
import json
import os
import random
import re

import wordnet
from wordnet import held_out

LISTS = {}

# Units by measure, underscores for spaces.
UNITS = [
    "miles kilometers meters feet inches yards km cm mm m mi ft light-years nautical_miles micrometers centimeters millimeters kilometres metres",
    "pounds kilograms grams ounces tons kg g lb lbs oz stone milligrams tonnes mg",
    "Celsius Fahrenheit kelvin degrees_Celsius degrees_Fahrenheit °C °F C F degrees_F degrees_C K celsius fahrenheit",
    "liters gallons cups milliliters pints quarts tablespoons teaspoons ml l fluid_ounces litres cubic_meters",
    "mph km/h m/s knots miles_per_hour kilometers_per_hour kph ft/s meters_per_second",
    "acres hectares square_meters square_feet square_miles square_kilometers m2 km2 sq_ft",
    "hours minutes seconds days weeks months years milliseconds h min",
    "bytes kilobytes megabytes gigabytes terabytes KB MB GB TB bits KiB MiB GiB kB",
    "joules calories kilocalories kWh kilojoules watt_hours BTU kcal kJ",
    "psi bar pascals atmospheres kPa mmHg atm Pa hPa",
    "watts horsepower kilowatts kW hp W",
    "degrees radians turns",
]
ZONES = ["UTC", "GMT", "EST", "PST", "CET", "IST", "JST", "MST", "CST", "AEST", "Europe/Paris", "America/New_York", "Asia/Tokyo", "America/Los_Angeles", "Australia/Sydney", "Pacific time", "Eastern time", "Central European Time"]


def _list(kind, text):
    LISTS[kind] = [w.strip() for w in text.replace("\n", ";").split(";") if w.strip()]


_list("first_name", """Anna;Ben;Carla;David;Elena;Farid;Grace;Hiro;Ines;Jack;Karim;Lena;Marco;Nina;Omar;Paula;Quentin;Rosa;Sven;Tara;Uma;Victor;Wendy;Xin;Yusuf;Zoe;
Alice;Bob;Charlie;Diana;Ethan;Fatima;George;Hannah;Ivan;Julia;Kofi;Laura;Mei;Noah;Olivia;Pedro;Priya;Raj;Sofia;Tom;Emma;Liam;Mia;Lucas;Chloe;Aisha;Mateo;Ingrid;Kenji;Amara;
Dmitri;Leila;Samuel;Naomi;Felix;Greta;Hugo;Isla;Jonas;Kira;Leo;Maya;Nils;Oscar;Petra;Ravi;Sara;Theo;Vera;Will;Yara;Sam;Max;Kate;Jim;Sue;Dan;Mom;Dad;Lucy;Peter;Maria;Ahmed;Chen;Jamal;Linda""")
_list("last_name", """Smith;Garcia;Müller;Tanaka;Okafor;Rossi;Novak;Silva;Kim;Nguyen;Patel;Johnson;Brown;Dubois;Hansen;Kowalski;Haddad;Cohen;O'Brien;Fernandez;Schmidt;Ivanova;Costa;Lindqvist;
Park;Singh;Ali;Martin;Lopez;Wagner;Jensen;Moreau;Bianchi;Mensah;Yamamoto;Wilson;Taylor;Clark;Walker;Young;Wright;Hill;Green;Baker;Carter;Reyes;Chavez;Ito;Zhang;Wang""")
_list("city", """London;Paris;Tokyo;Berlin;Madrid;Rome;Oslo;Lisbon;Vienna;Sydney;Toronto;Chicago;Boston;Dublin;Delhi;Mumbai;Beijing;Seoul;Cairo;Moscow;Munich;New York;Los Angeles;San Francisco;
Helsinki;Stockholm;Copenhagen;Amsterdam;Brussels;Zurich;Geneva;Milan;Naples;Barcelona;Valencia;Porto;Athens;Istanbul;Ankara;Warsaw;Prague;Budapest;Bucharest;Sofia;Kyiv;Riga;Tallinn;Vilnius;
Reykjavik;Edinburgh;Glasgow;Manchester;Liverpool;Leeds;Bristol;Lyon;Marseille;Nice;Hamburg;Cologne;Frankfurt;Stuttgart;Dresden;Salzburg;Krakow;Zagreb;Belgrade;Nairobi;Lagos;Accra;Dakar;Tunis;
Casablanca;Cape Town;Johannesburg;Addis Ababa;Dubai;Doha;Riyadh;Tehran;Baghdad;Jerusalem;Beirut;Karachi;Lahore;Dhaka;Kolkata;Chennai;Bangalore;Bangkok;Hanoi;Singapore;Jakarta;Manila;Taipei;
Hong Kong;Shanghai;Shenzhen;Osaka;Kyoto;Sapporo;Busan;Melbourne;Brisbane;Perth;Auckland;Wellington;Honolulu;Seattle;Portland;Denver;Austin;Dallas;Houston;Miami;Atlanta;Philadelphia;
Washington;Detroit;Phoenix;Las Vegas;San Diego;Vancouver;Montreal;Ottawa;Quebec;Mexico City;Havana;Bogota;Lima;Quito;Santiago;Buenos Aires;Montevideo;Sao Paulo;Rio de Janeiro;Caracas;
La Paz;Kathmandu;Colombo;Tashkent;Almaty;Tbilisi;Baku;Yerevan;Minsk;Rabat;Algiers;Kampala;Lusaka;Harare;Windhoek;Maputo;Luanda;Anchorage;St. Louis;New Orleans;Salt Lake City;Kuala Lumpur;Bergen;Ghent;Basel;Turin""")
_list("country", """France;Germany;Spain;Italy;Portugal;Norway;Sweden;Finland;Denmark;Poland;Austria;Switzerland;Belgium;Ireland;Greece;Turkey;Egypt;Morocco;Kenya;Nigeria;Ghana;India;China;Japan;
South Korea;Vietnam;Thailand;Indonesia;Australia;New Zealand;Canada;Mexico;Brazil;Argentina;Chile;Peru;Colombia;the United States;the UK;the Netherlands;Iceland;Croatia;Hungary;Romania;Ukraine;Israel;Jordan;Pakistan;Nepal;South Africa""")
_list("weekday", "Monday;Tuesday;Wednesday;Thursday;Friday;Saturday;Sunday")
_list("month", "January;February;March;April;May;June;July;August;September;October;November;December")
_list("currency", "USD;EUR;GBP;JPY;CHF;CAD;AUD;SEK;NOK;DKK;INR;CNY;BRL;MXN;ZAR;TRY;KRW;SGD;NZD;PLN")
_list("unit", "miles;kilometers;meters;feet;inches;yards;pounds;kilograms;grams;ounces;liters;gallons;cups;Celsius;Fahrenheit;km;cm;kg;lb;mph;hours;minutes;acres;hectares;stones;pints")
_list("language", """English;French;German;Spanish;Italian;Portuguese;Dutch;Swedish;Norwegian;Danish;Finnish;Polish;Czech;Russian;Ukrainian;Greek;Turkish;Arabic;Hebrew;Hindi;Bengali;Urdu;Chinese;Mandarin;
Japanese;Korean;Vietnamese;Thai;Swahili;Latin;Hungarian;Romanian;Catalan;Irish;Welsh;Icelandic""")
_list("street", "Main Street;Oak Avenue;Baker Street;Elm Road;King's Road;Park Lane;5th Avenue;Sunset Boulevard;Station Road;Church Street;Lindenstraße;Rue de Rivoli;Via Roma;Maple Drive;High Street;Mill Lane")
_list("company", """Acme;Globex;Initech;Umbrella Corp;Contoso;Northwind;Stark Industries;Wayne Enterprises;Hooli;Vandelay;Soylent;Siemens;Toyota;Nestlé;Shell;Nokia;Samsung;Apple;Microsoft;Amazon;Tesla;Boeing;
Bosch;IKEA;Spotify;Adidas;Volvo;Philips;Sony;Intel""")
_list("brand", "Nike;Adidas;Sony;Bosch;Canon;Lego;Philips;Dyson;Puma;Casio;Lenovo;Garmin;Braun;Fender;Yamaha;Moleskine;Patagonia;Columbia")
_list("product", """wireless headphones;running shoes;coffee maker;desk lamp;phone case;yoga mat;laptop stand;water bottle;rain jacket;office chair;USB cable;backpack;electric kettle;board game;winter coat;
air fryer;bike helmet;camping tent;toothbrush;gaming mouse;garden hose;sunscreen;notebook;monitor;blender""")
_list("song", """Yellow;Imagine;Bohemian Rhapsody;Hello;Creep;Halo;Africa;Wonderwall;Thriller;Hey Jude;Let It Be;Purple Rain;Clocks;Zombie;Fix You;Believer;Levitating;Shallow;Roxanne;Hurt;Jolene;Respect;Vogue;Take On Me;
Hotel California;Blinding Lights;Someone Like You;Smells Like Teen Spirit;Billie Jean;Rolling in the Deep;Dancing Queen;Space Oddity""")
_list("artist", """Coldplay;Adele;Radiohead;Queen;The Beatles;Beyoncé;Drake;Taylor Swift;Miles Davis;Nina Simone;Metallica;Daft Punk;Bob Dylan;Toto;Oasis;U2;ABBA;Björk;Rihanna;Johnny Cash;David Bowie;Prince;
Ella Fitzgerald;Kendrick Lamar;The Weeknd;Billie Eilish;Fleetwood Mac;Norah Jones;Shakira;Bad Bunny""")
_list("movie", """Inception;Titanic;The Matrix;Casablanca;Alien;Amélie;Parasite;Jaws;Up;Gladiator;Spirited Away;The Godfather;Vertigo;Frozen;Arrival;Dune;Blade Runner;Toy Story;Psycho;Interstellar;The Lion King;Oppenheimer;Barbie""")
_list("book", """Moby Dick;Dracula;Emma;Ulysses;The Hobbit;1984;Dune;Beloved;Frankenstein;Pride and Prejudice;War and Peace;The Great Gatsby;Jane Eyre;The Stranger;Middlemarch;Don Quixote;Brave New World;The Trial""")
_list("game", "chess;poker;Tetris;Minecraft;Monopoly;Scrabble;Zelda;Catan;Go;checkers;FIFA;Portal;Halo;solitaire;backgammon;Doom")
_list("team", "Arsenal;Barcelona;the Lakers;the Yankees;Real Madrid;Bayern Munich;Liverpool;the Bulls;Juventus;Ajax;Chelsea;the Celtics;the Dodgers;Inter Milan;Celtic;the Packers")
_list("airport", "JFK;LAX;LHR;CDG;FRA;AMS;SFO;ORD;DXB;SIN;HND;MAD;FCO;OSL;ZRH;BOS;SEA;MUC;VIE;DUB;LIS;HEL")
_list("stock", "AAPL;TSLA;MSFT;NVDA;GOOG;AMZN;META;NFLX;INTC;AMD;IBM;ORCL;SAP;NKE;DIS;KO;PEP;BA;GE;F;SONY;SHEL;UBER;SPOT")
_list("crypto", "bitcoin;ethereum;dogecoin;solana;BTC;ETH;litecoin;cardano;XRP;DOGE;SOL;monero")
_list("weather", "sunny;cloudy;rainy;windy;foggy;snowy;clear;partly cloudy;stormy;overcast;hazy;light rain;heavy snow;drizzle;thunderstorms")
_list("event", "team meeting;dentist appointment;birthday party;yoga class;job interview;lunch with Sam;project review;board meeting;parents' evening;haircut;wedding;concert;standup;piano lesson;sprint planning;car inspection;book club;date night")
_list("vehicle", "car;truck;bus;bike;motorcycle;van;scooter;taxi;train;tram;ferry;minivan;convertible;pickup;Tesla Model 3;Honda Civic")
_list("branch", "main;develop;feature/login;bugfix/crash;release-2.1;hotfix/typo;staging;feature/dark-mode;refactor-parser;gh-pages")
_list("regex", r"^\d+$;[a-z]+;foo.*bar;\w+@\w+;^ERROR;TODO|FIXME;[0-9]{4}")
_list("sql", "SELECT * FROM users;SELECT name FROM orders;DELETE FROM logs;SELECT count(*) FROM events;UPDATE items SET price = 5")
_list("command", "ls -la;git status;npm install;df -h;make test;python main.py;docker ps;top;uptime;go build ./...;cat log.txt;ping 8.8.8.8")
_list("color", "red;blue;green;yellow;orange;purple;pink;black;white;gray;brown;turquoise;teal;navy;gold;silver;beige;maroon;crimson;lavender;olive;magenta")
_list("sport", "soccer;tennis;basketball;golf;swimming;cycling;rugby;cricket;hockey;skiing;boxing;volleyball;baseball;badminton;rowing;surfing;judo")
_list("subject", "math;history;biology;physics;chemistry;geography;English;art;music;economics;philosophy;law;computer science;literature;algebra;statistics")
_list("job", "")
_list("drink", "coffee;tea;beer;red wine;white wine;orange juice;lemonade;espresso;cappuccino;latte;water;milk;cola;hot chocolate;green tea;iced tea;mojito;cider;ginger ale;smoothie")
_list("food", """pizza;sushi;pasta;lasagna;burger;salad;tacos;ramen;curry;pancakes;omelette;chicken soup;fried rice;apple pie;banana bread;risotto;paella;falafel;hummus;steak;fish and chips;chocolate cake;
burrito;dumplings;pad thai;caesar salad;mushroom soup;cheesecake;waffles;meatballs;goulash;kimchi;couscous;bagel;croissant;sandwich;spaghetti;beef stew;lentil soup;brownies""")
_list("ingredient", """flour;sugar;eggs;butter;milk;rice;tomatoes;onions;garlic;basil;chicken;beef;tofu;cheese;potatoes;carrots;spinach;lemon;honey;salt;pepper;olive oil;mushrooms;beans;cinnamon;yeast;cream;noodles;ginger;broccoli""")
_list("disease", "flu;asthma;diabetes;measles;malaria;migraine;arthritis;anemia;bronchitis;pneumonia;hay fever;eczema;hypertension;a cold;insomnia")
_list("medicine", "aspirin;ibuprofen;paracetamol;insulin;amoxicillin;penicillin;metformin;vitamin D;antihistamine;cough syrup;melatonin;warfarin;statins")
_list("body_part", "knee;back;shoulder;head;left arm;neck;ankle;wrist;elbow;stomach;right foot;chest;hip;thumb;ear;throat")

# WordNet's hyponyms widen the lists of everyday things: kind -> (lemma, sense).
WIDER = {"animal": ("animal", 0), "plant": ("flower", 0), "job": ("professional", 0), "food": ("dish", 1), "ingredient": ("vegetable", 0),
         "sport": ("athletic_game", 0), "vehicle": ("motor_vehicle", 0), "disease": ("infectious_disease", 0), "drink": ("beverage", 0)}

TEXTS = {
    "message": """I will be late;the meeting moved to 3 pm;happy birthday;call me back;see you tomorrow;dinner is ready;I am on my way;the build is broken;thanks for your help;can we talk later;
good luck today;the package arrived;please send the report;running ten minutes late;I love you;meet me at the station;the server is down;let's have lunch;remember the milk;bring your laptop;
we won;how are you;sorry I missed your call;the keys are under the mat;deploy is done;your order is ready;I got the job;can you pick up the kids;new version is out;don't forget the tickets;
congratulations on the new job;the demo starts at noon;I'm stuck in traffic;please review my draft;where are you;the invoice is attached;good night;we need more time;the flight is delayed""",
    "todo": """buy milk;call the dentist;water the plants;pay the rent;finish the report;walk the dog;clean the kitchen;book flights;renew my passport;take out the trash;pick up the dry cleaning;
send the invoice;feed the cat;charge the phone;back up the laptop;change the oil;wash the car;return the library books;order new shoes;fix the sink;email the landlord;prepare slides;do the laundry;mow the lawn""",
}


@functools.lru_cache(None)
def parts(kind):
    """(training, held-out) members of a listed kind."""
    words = list(LISTS.get(kind, []))
    if kind in WIDER:
        known = set(words)
        words += [w for w in wordnet.kinds_of(*WIDER[kind]) if w not in known and not w[0].isupper() and len(w) < 16]
    if kind in TEXTS:
        words = [w.strip() for w in TEXTS[kind].replace("\n", ";").split(";") if w.strip()]
    return [w for w in words if not held_out(w)], [w for w in words if held_out(w)] or words[-2:]


@functools.lru_cache(None)
def lexicon(part):
    """(training, held-out) frequent words: noun, verb, adj, or name (proper names)."""
    words = wordnet.proper_names() if part == "name" else wordnet.frequent(part, {"noun": 6000, "verb": 1500, "adj": 2000}[part])
    say = lambda w: wordnet.INSTEAD.get(w, w)  # after the words are split: the other words stay where they are
    return [say(w) for w in words if not held_out(w)], [say(w) for w in words if held_out(w)]


@functools.lru_cache(None)
def fragments():
    """The vocabulary's tokens that are letters only: (lower case, capitalized)."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "vocabulary.txt")) as f:
        tokens = [base64.b64decode(line.split()[0]) for line in f]
    letters = [t.decode() for t in tokens if len(t) > 1 and t.isalpha()]
    return [t for t in letters if t.islower()], [t for t in letters if t.istitle()]


_ONSETS = "b c d f g h j k l m n p r s t v w z br ch dr fl gr kr pl qu sh sk st th tr y".split()
_VOWELS = "a e i o u ai ea ia oo".split()
_CODAS = ["", "", "", "n", "r", "s", "l", "t", "m", "k", "x", "nd", "rt", "ng", "sh"]
_EXTENSIONS = ["txt", "md", "csv", "json", "pdf", "log", "go", "py", "html", "yaml", "xml", "docx", "xlsx", "png", "jpg", "zip"]


class Values:
    """Draws values. rng: random.Random; unseen: from the held-out halves of all lists."""

    def __init__(self, rng, unseen=False):
        self.rng, self.unseen = rng, unseen

    # -- small helpers that the other generators use too
    def chance(self, p):
        return self.rng.random() < p

    def pick(self, items):
        return items[int(self.rng.random() * len(items))]

    def weighted(self, table):
        return self.rng.choices(list(table), list(table.values()))[0]

    def word(self, part):
        """A word of the lexicon, frequent ones more often; in training now and then two tokens joined, so that every token is copied some time."""
        if not self.unseen and self.chance(.15):
            return self.blend(part == "name")
        words = lexicon(part)[self.unseen]
        return words[int(len(words) * self.rng.random() ** (1 if part == "name" else 1.7))]

    def member(self, kind):
        return self.pick(parts(kind)[self.unseen])

    def number_text(self, n):
        return str(n)

    def invented(self):
        """A pronounceable name that no list holds."""
        return "".join(self.pick(_ONSETS) + self.pick(_VOWELS) + self.pick(_CODAS) for _ in range(self.rng.randint(2, 3))).capitalize()

    def blend(self, capital=False):
        """A word that nobody knows, of two tokens. It is never a held-out word itself, though its parts may be."""
        while True:
            first = self.pick(fragments()[capital]) if capital and self.chance(.7) else self.pick(fragments()[0])
            word = first + self.pick(fragments()[0])
            if 4 <= len(word) <= 14 and not held_out(word):
                return word.capitalize() if capital else word

    def letters(self, n, alphabet="abcdefghijklmnopqrstuvwxyz"):
        return "".join(self.pick(alphabet) for _ in range(n))

    def digits(self, n):
        return self.letters(n, "0123456789")

    def value(self, kind, low=None, high=None):
        """A value of a kind, as text; for int and number kinds as the user writes it."""
        make = getattr(self, "_" + kind, None)
        if make is not None:
            return make(low, high) if kind in ("int", "number") else make()
        if kind in LISTS or kind in WIDER or kind in TEXTS:
            return self.member(kind)
        return self._topic()

    # -- kinds
    def _int(self, low=None, high=None):
        if low is not None:
            return str(self.rng.randint(int(low), int(high)))
        top = self.weighted({20: 50, 100: 25, 1000: 15, 100000: 10})
        return str(self.rng.randint(1, top))

    def _number(self, low=None, high=None):
        if low is not None:
            n = self.rng.uniform(float(low), float(high))
            return str(round(n)) if self.chance(.5) else str(round(n, self.rng.randint(1, 2)))
        if self.chance(.45):
            return self._int()
        return str(round(self.rng.random() * 10 ** self.rng.randint(0, 3) + .1, self.rng.randint(1, 2)))

    def _money(self):
        return self.pick([self._int(), f"{self.rng.randint(1, 999)}.{self.rng.randint(10, 99)}", str(self.rng.randint(1, 99) * 50), f"{self.rng.randint(1000, 99999):,}" if self.chance(.4) else self._int()])

    def _percent(self):
        return self.pick([str(self.rng.randint(1, 100)), f"{self.rng.randint(1, 30)}.5"])

    def _temperature(self):
        return str(self.rng.randint(-20, 110))

    def _year(self):
        return str(self.rng.randint(1850, 2035))

    def _first_name(self):
        return self.member("first_name") if self.chance(.6) else self.word("name") if self.chance(.6) else self.invented()

    def _person(self):
        if self.chance(.45):
            return self._first_name()
        if self.chance(.08):
            return self.pick(["Dr. ", "Mr. ", "Ms. ", "Mrs. ", "Aunt "]) + self.member("last_name")
        return self._first_name() + " " + (self.member("last_name") if self.chance(.6) else self.invented())

    def _city(self):
        if self.chance(.72):
            return self.member("city")
        return self.word("name") if self.chance(.5) else self.invented() + self.pick(["", "", " City", " Bay", "ville", "burg"])

    def _country(self):
        return self.member("country")

    def _place(self):
        x = self.rng.random()
        if x < .4:
            return self._city()
        if x < .55:
            return self.member("country")
        if x < .8:
            return f"{self.word('name')} {self.pick(['Park', 'Station', 'Museum', 'Airport', 'Hotel', 'Lake', 'Square', 'Bridge', 'Beach', 'Library'])}"
        return "the " + self.pick(["office", "beach", "gym", "airport", "train station", "museum", "library", "park", "harbor", "school", "mall", "town hall"])

    def _street(self):
        name = self.member("street") if self.chance(.5) else f"{self.word('name')} {self.pick(['Street', 'Road', 'Avenue', 'Lane', 'Drive'])}"
        return f"{self.rng.randint(1, 250)} {name}" if self.chance(.6) else name

    def _date(self):
        month, day = self.pick(LISTS["month"]), self.rng.randint(1, 28)
        return self.pick([f"{month} {day}", f"{month} {day}", f"{day} {month}", f"2026-{self.rng.randint(1, 12):02}-{day:02}", f"{self.rng.randint(1, 12)}/{day}", f"{month} {day}, 202{self.rng.randint(3, 9)}",
                          f"{day}.{self.rng.randint(1, 12)}.", "tomorrow", "today", "next " + self.pick(LISTS["weekday"]), self.pick(LISTS["weekday"]), f"the {day}th", "tonight", "next week", f"{day}th of {month}"])

    def _weekday(self):
        return self.pick(LISTS["weekday"])

    def _month(self):
        return self.pick(LISTS["month"])

    def _time(self):
        h, m = self.rng.randint(1, 12), self.pick(["00", "15", "30", "45", f"{self.rng.randint(0, 59):02}"])
        half = self.pick(["am", "pm"])
        return self.pick([f"{h}:{m}", f"{h}:{m} {half}", f"{h} {half}", f"{h}{half}", f"{self.rng.randint(0, 23):02}:{m}", f"{h}:{m}{half}", "noon", "midnight", f"{h} o'clock"])

    def _datetime(self):
        return self.pick([f"{self._date()} at {self._time()}", f"{self._time()} on {self.pick(LISTS['weekday'])}", f"tomorrow at {self._time()}", f"2026-{self.rng.randint(1, 12):02}-{self.rng.randint(1, 28):02}T{self.rng.randint(0, 23):02}:{self.rng.randint(0, 59):02}"])

    def _duration(self):
        n = self.rng.randint(2, 90)
        return self.pick([f"{n} minutes", f"{n} min", f"{self.rng.randint(2, 12)} hours", "an hour", "half an hour", f"{n} seconds", f"{self.rng.randint(2, 14)} days", "two weeks", f"{self.rng.randint(1, 5)}h", "a week", "20 min", f"{self.rng.randint(2, 6)} months"])

    def _email(self):
        name = self.pick([self._first_name().lower(), self._first_name().lower() + "." + self.member("last_name").lower(), self.letters(1) + self.word("name").lower()])
        return re.sub("[^a-z0-9.]", "", name) + "@" + self.pick(["gmail.com", "example.com", "acme.org", "corp.net", self.word("noun") + ".com", self.word("noun") + ".io", "mail." + self.word("noun") + ".org"])

    def _domain(self):
        return self.pick([self.word("noun"), self.word("noun") + self.word("noun"), self.word("name").lower()]) + self.pick([".com", ".org", ".net", ".io", ".dev", ".co.uk", ".de"])

    def _url(self):
        return self.pick(["https://", "https://", "http://", "https://www.", ""]) + self._domain() + self.pick(["", "/" + self.word("noun"), "/" + self.word("noun") + "/" + self.digits(3), "/index.html", "/blog"])

    def _ip(self):
        return ".".join(str(self.rng.randint(1, 254)) for _ in range(4))

    def _phone(self):
        return self.pick([f"+{self.rng.randint(1, 99)} {self.digits(3)} {self.digits(4)}", f"{self.digits(3)}-{self.digits(4)}", f"555-{self.digits(4)}", f"({self.digits(3)}) {self.digits(3)}-{self.digits(4)}", f"+{self.digits(11)}"])

    def _filename(self):
        stem = self.pick([self.word("noun"), self.word("noun") + self.pick("_-") + self.word("noun"), self.word("adj") + "_" + self.word("noun"), self.word("noun") + str(self.rng.randint(1, 2030)), "report", "notes", "todo", "README", "config", "data", "main", "budget", "invoice", "minutes"])
        return stem + "." + self.pick(_EXTENSIONS)

    def _path(self):
        x = self.rng.random()
        if x < .45:
            return self._filename()
        folder = self.pick([self.word("noun"), "docs", "src", "data", "reports", "home/" + self.word("name").lower(), "var/log", "tmp", "projects/" + self.word("noun")])
        return self.pick(["/", "", "", "./", "~/"]) + folder + "/" + self._filename()

    def _folder(self):
        return self.pick([self.word("noun"), "docs", "src", "Downloads", "Documents", "photos", "reports", "/var/log", "data/" + self.word("noun"), "~/" + self.word("noun"), "projects/" + self.word("noun"), self.word("noun") + "s", "/home/" + self.word("name").lower(), "notes", "src/" + self.word("noun"), "tests", "drafts", "/tmp/" + self.word("noun")])

    def _code(self):
        upper = "ABCDEFGHJKLMNPQRSTUVWXYZ"
        return self.pick([self.letters(2, upper) + "-" + self.digits(self.rng.randint(2, 5)), self.digits(self.rng.randint(3, 8)), self.letters(3, upper) + self.digits(3), "#" + self.digits(4), self.letters(1, upper) + self.digits(self.rng.randint(2, 5)),
                          self.letters(self.rng.randint(2, 3)) + "_" + self.digits(4), self.letters(3, upper) + "-" + self.letters(2, upper) + self.digits(2), self.letters(6, "abcdef0123456789"), "ORD-" + self.digits(5), "T-" + self.digits(3)])

    def _username(self):
        return self.pick([self._first_name().lower() + self.digits(2), self.letters(1) + self.word("name").lower(), self.word("adj") + "_" + self.word("noun"), "@" + self.word("name").lower(), self.word("noun") + self.digits(3), self.word("name").lower() + "." + self.word("name").lower()]).replace(" ", "")

    def _password_like(self):
        return self.word("noun").capitalize() + self.digits(3) + self.pick(["!", "#", "?", "$", "%"])

    def _hex(self):
        return self.pick(["#" + self.letters(6, "0123456789abcdef"), "0x" + self.letters(4, "0123456789ABCDEF"), self.letters(8, "0123456789abcdef")])

    def _version(self):
        return self.pick(["v", ""]) + ".".join(str(self.rng.randint(0, 19)) for _ in range(self.rng.randint(2, 3)))

    def _coordinate(self):
        return f"{self.rng.uniform(-90, 90):.{self.rng.randint(1, 4)}f}"

    def _size(self):
        return self.pick(["S", "M", "L", "XL", "small", "medium", "large", "800x600", "1920x1080", "A4", "10 MB", "42", "size 9"])

    def _expression(self):
        n = lambda: self.pick([str(self.rng.randint(1, 20)), str(self.rng.randint(10, 999)), str(self.rng.randint(1000, 99999)), f"{self.rng.randint(1, 99)}.{self.rng.randint(1, 99)}", f"{self.rng.randint(1, 99)},{self.rng.randint(0, 999):03}"])
        op = self.pick(["+", "-", "*", "/", "+", "*", "^", "x", "÷", "×"])
        gap = self.pick([" ", " ", ""])
        x = self.rng.random()
        if x < .5:
            return f"{n()}{gap}{op}{gap}{n()}"
        if x < .65:
            return f"{n()}{gap}{op}{gap}{n()}{gap}{self.pick('+-*/')}{gap}{n()}"
        if x < .78:
            return f"({n()}{gap}{self.pick('+-')}{gap}{n()}){gap}{self.pick('*/')}{gap}{n()}"
        if x < .9:
            return f"{self._percent()}{self.pick(['%', '%', '%', ' %'])} of {n()}"
        return self.pick([f"sqrt({n()})", f"{self.rng.randint(2, 12)}^{self.rng.randint(2, 9)}", f"{n()}{gap}-{gap}{self._percent()}%", f"{n()}{gap}+{gap}{self._percent()}%", f"{self.rng.randint(2, 30)}*({n()}{gap}+{gap}{n()})"])

    # -- kinds of the built-in tools
    def _plain_number(self):
        """A number as people write it in sums, with a separator of thousands now and then."""
        n = self.rng.random()
        if n < .55:
            return str(self.rng.randint(1, 999))
        if n < .75:
            return f"{self.rng.randint(1000, 9999999):,}" if self.chance(.6) else str(self.rng.randint(1000, 99999))
        return f"{self.rng.randint(0, 999)}.{self.rng.randint(1, 99)}"

    def _plain_amount(self):
        return self.pick([str(self.rng.randint(1, 99)), str(self.rng.randint(1, 999)), str(self.rng.randint(1, 99) * 100), f"{self.rng.randint(0, 99)}.{self.rng.randint(1, 9)}", f"{self.rng.randint(1, 300)}.5",
                          "-" + str(self.rng.randint(1, 40)) if self.chance(.3) else str(self.rng.randint(1, 20)), f"{self.rng.randint(0, 9)}.{self.rng.randint(1, 999)}", "1"])

    def _unit_from(self):
        self.measure = self.pick(UNITS).split()
        return self._unit_to(None)

    def _unit_to(self, other=True):
        """A unit of the measure that unit_from drew, not the same one."""
        units = [u for u in self.measure if held_out("unit " + u) == self.unseen or len(self.measure) < 4]
        units = units if len(units) > 1 else self.measure
        left = [u for u in units if u != getattr(self, "unit", None)] if other else units
        self.unit = self.pick(left or units)
        return self.unit.replace("_", " ")

    def _timeplace(self):
        x = self.rng.random()
        return self._city() if x < .75 else self.member("country") if x < .87 else self.pick(ZONES)

    def _textpath(self):
        """A file that holds text."""
        stem = self.pick([self.word("noun"), self.word("noun") + self.pick("_-") + self.word("noun"), "notes", "todo", "README", "report", "minutes", "plan", self.word("noun") + str(self.rng.randint(1, 2030)), self.word("name").lower()])
        name = stem + "." + self.pick(["txt", "txt", "txt", "md", "md", "csv", "json", "log", "yaml", "cfg", "ini", "html", "go", "py", "toml"])
        return self.pick([self.word("noun"), "docs", "data", "src", self.word("noun") + "/" + self.word("noun"), "notes"]) + "/" + name if self.chance(.25) else self.pick(["", "", "", "", "", "./", "/tmp/"]) + name

    def _noun(self):
        return self.word("noun")

    def _adjective(self):
        return self.word("adj")

    def _topic(self):
        x = self.rng.random()
        if x < .3:
            return f"{self.word('adj')} {self.word('noun')}"
        if x < .6:
            return f"{self.word('noun')} {self.word('noun')}"
        if x < .7:
            return f"{self.word('noun')} {self.pick(['of', 'for', 'in', 'and'])} {self.word('noun')}"
        if x < .8:
            return self.pick(["climate change", "machine learning", "tax reform", "space travel", "remote work", "the French Revolution", "renewable energy", "World War II", "vegan recipes", "black holes", "electric cars", "ancient Rome", "mental health", "quantum computing"])
        return self.word("noun")

    def _title(self):
        words = [self.word("adj"), self.word("noun")] if self.chance(.6) else [self.word("noun"), self.word("noun")]
        text = " ".join(words)
        return self.pick([text.title(), text.capitalize(), "The " + text.title(), text])

    def _message(self):
        return self.member("message") if self.chance(.6) else self.pick([f"the {self.word('noun')} is {self.word('adj')}", f"please bring the {self.word('noun')}", f"I need {self.word('adj')} {self.word('noun')}s", f"don't forget the {self.word('noun')}", f"{self._first_name()} called about the {self.word('noun')}"])

    def _name_of_thing(self):
        return self.pick([self.word("noun"), self.word("noun") + " " + self.word("noun"), self.word("adj") + " " + self.word("noun"), self.word("name"), "groceries", "kitchen", "living room", "workout", "backlog", self.word("noun").capitalize(), "Q3 planning", "road trip", "office"])

    def _company(self):
        return self.member("company") if self.chance(.6) else self.pick([self.invented(), self.word("name") + " " + self.pick(["Inc", "Ltd", "Group", "Labs", "Foods", "Bank"]), self.word("noun").capitalize() + self.pick([" Co", "ly", "ify", " Systems"])])

    def _artist(self):
        return self.member("artist") if self.chance(.65) else self.pick([self._person(), "The " + self.word("noun").title() + "s", self.invented()])

    def _song(self):
        return self.member("song") if self.chance(.6) else self._title()

    def _movie(self):
        return self.member("movie") if self.chance(.6) else self._title()

    def _book(self):
        return self.member("book") if self.chance(.5) else self._title()

    def _product(self):
        return self.member("product") if self.chance(.6) else f"{self.word('adj')} {self.word('noun')}" if self.chance(.5) else self.word("noun")

    def _hashtag(self):
        return "#" + self.word("noun") + self.pick(["", self.word("noun")])

    def _tag(self):
        return self.pick([self.word("noun"), self.word("adj"), "urgent", "work", "personal", "bug", "later", "v2"])

    def _command(self):
        return self.member("command")


def is_number(text):
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def compact(value):
    """JSON as the template writes it: no spaces, characters as they are."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
