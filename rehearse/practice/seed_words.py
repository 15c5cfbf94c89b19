"""The words of the practice company's records: invented people and firms, and texts that break tools.

Nobody here lives: names are put together at random from common parts. `TRICKY` is what real fields hold and careless
programs lose: quotes, line ends of three kinds, separators, formulas of spreadsheets, the literal words for nothing.
"""

from __future__ import annotations

import random

FIRST_NAMES = [
    "Aoife",
    "Brendan",
    "Carla",
    "Darius",
    "Élodie",
    "Farid",
    "Greta",
    "Håkon",
    "Ines",
    "Jonas",
    "Katarzyna",
    "Luca",
    "Mireille",
    "Niamh",
    "Ola",
    "Pilar",
    "Quentin",
    "Rosa",
    "Søren",
    "Tomáš",
    "Ulrike",
    "Vera",
    "Wiebke",
    "Xavier",
    "Yusuf",
    "Zoë",
    "Ağca",
    "Łukasz",
    "Íris",
    "Noé",
]
LAST_NAMES = [
    "Ahlgren",
    "Barros",
    "Cëlik",
    "Dvořák",
    "Eriksen",
    "Fáinle",
    "Gaspari",
    "Hüsken",
    "Ionescu",
    "Järvi",
    "Kowalczyk",
    "Lindqvist",
    "Moreau",
    "Ní-Bhriain",
    "Orlović",
    "Pétursson",
    "Quiroga",
    "Røssland",
    "Şahin",
    "Tóth",
    "Ulvang",
    "Verhoeven",
    "Wójcik",
    "Ximénez",
    "Yıldız",
    "Zeller",
    "O'Tiernan",
    "D'Amboise",
]
OTHER_SCRIPTS = (
    ("健", "田中"),
    ("Анна", "Волкова"),
    ("Γιώργος", "Παπαδάκης"),
    ("ליאור", "בן-דוד"),
    ("سلمى", "الحداد"),
    ("सुनीता", "वर्मा"),
    ("민준", "김"),
    ("วิภา", "ศรีสุข"),
)
PLACES = [
    "Cork",
    "Bremerhaven",
    "Gdynia",
    "Aveiro",
    "Bergen",
    "Fécamp",
    "Rijeka",
    "Pori",
    "Hoorn",
    "Vigo",
    "Ålesund",
    "Split",
    "Kotka",
    "Varberg",
    "Brest",
    "Constanţa",
    "Chania",
    "Zadar",
    "Tórshavn",
    "Ystad",
]
COUNTRIES = (
    "Ireland",
    "Germany",
    "Poland",
    "Portugal",
    "Norway",
    "France",
    "Croatia",
    "Finland",
    "Netherlands",
    "Spain",
)
FIRM_HEADS = [
    "North Quay",
    "Blue Anchor",
    "Salt & Rope",
    "Harbour Lane",
    "Grey Heron",
    "Old Lock",
    "Long Pier",
    "Amber Coast",
    "Seven Bells",
    "Low Water",
    "High Tide",
    "Stone Jetty",
    "Green Buoy",
    "Iron Gate",
    "Kelp Bay",
    "Åland Sund",
    "Café del Mar",
    "Müller & Söhne",
    "Île Verte",
    "“Quoted”",
]
FIRM_TAILS = [
    "Shipyards",
    "Water Works",
    "Port Authority",
    "Canneries",
    "Ferries",
    "Dredging",
    "Fisheries",
    "Cold Stores",
    "Drainage Board",
    "Marine Supply",
]
FIRM_FORMS = ("Ltd", "GmbH", "AS", "S.A.", "Oy", "B.V.", "d.o.o.", "& Co.", "plc", "AB")
PUMPS = ("Heron", "Otter", "Grebe", "Curlew", "Tern", "Plover")
PROJECT_WORDS = ("Lock gate", "Pump house", "Ballast line", "Slipway", "Basin", "Intake", "Flood wall", "Dry dock")

TRICKY = (
    'He said "fine", then ""finer"".',
    "Two\nlines",
    "Carriage return\r\nand line feed\r\n\r\nand an empty line",
    "A tab\there, a backslash \\ and a slash /",
    "Ships 🚢 and a mechanic 👩🏽\u200d🔧 with a ⚓️",
    "Line\u2028separator, paragraph\u2029separator, next\u0085line",
    "=SUM(A1:A9)",
    "+353 is no formula",
    "-1 neither",
    "@home",
    "#N/A",
    "NA",
    "null",
    "NULL",
    "None",
    "true",
    "0012",
    "1e5",
    "2026-02-30",
    "O'Tiernan; DROP TABLE pumps; --",
    "<b>bold &amp; brave</b> & more",
    "100 % of _everything_ [a-z]* {!$User.Id}",
    "comma, semicolon; pipe | tab",
    "café is not cafe\u0301 when compared byte by byte",
    "\u202eright to left\u202c and back",
    "日本語のメモ、改行なし",
    "Ω ≈ ç √ ∫ ˜ µ ≤ ≥ ÷ 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠜎",
    'trailing quote"',
    '"leading quote',
    "'single'",
    "a\u00a0hard\u00a0blank and a zero\u200bwidth one",
    ",",
    '"',
)
# The tricky texts that a field of one line can hold: Salesforce makes a blank of a line end there.
TRICKY_LINES = tuple(text for text in TRICKY if not any(end in text for end in "\r\n\t"))
SENTENCES = (
    "The seal was replaced and the pump ran dry for four minutes.",
    "Customer asks for a quiet model; the quay has neighbours.",
    "Delivered by barge, as the bridge carries nine tonnes only.",
    "Pressure fell after the storm; sand in the intake.",
    "The crane is booked for Thursday, tide permitting.",
    "They want the invoice in two parts, before and after the summer.",
    "Spare impeller is on its way.",
    "Nobody had the key of the pump house.",
)


def pick_person(rng: random.Random, index: int) -> tuple[str, str]:
    """(first name, last name); every ninth person writes in another script."""
    if index % 9 == 4:
        return OTHER_SCRIPTS[index // 9 % len(OTHER_SCRIPTS)]
    return rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)


def pick_firm(rng: random.Random) -> str:
    """The name of a firm; not unique, as in life."""
    return f"{rng.choice(FIRM_HEADS)} {rng.choice(FIRM_TAILS)} {rng.choice(FIRM_FORMS)}"


def pick_note(rng: random.Random, index: int) -> str | None:
    """A note: often nothing, sometimes tricky (each one in turn), else a sentence or two."""
    if index % 4 == 0:
        return None
    if index % 4 == 1:
        return TRICKY[index // 4 % len(TRICKY)]
    return " ".join(rng.sample(SENTENCES, 1 + index % 2))


def build_long_text(rng: random.Random, length: int) -> str:
    """A text of exactly `length` characters with line ends, quotes and emoji in it, not blank at its ends."""
    parts: list[str] = []
    size = 0
    while size < length:
        part = f"{rng.choice(SENTENCES)} {rng.choice(TRICKY)}\n"
        parts.append(part)
        size += len(part)
    text = "".join(parts)[: length - 1]
    return f"{text}."
