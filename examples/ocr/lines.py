"""Text to render: short lines such as labels, receipts and signs carry, each one once.

The lines are composed here from word lists, with a fixed seed, and belong to nobody. A line is
in one split only.
"""

import random
from functools import cache

COUNTS = {"calibration": 48, "evaluation": 124}
SEED = 2026

FORMS = (
    "The {adjective} {thing} {verb} {number} {plural}",
    "Order {code} ships on {day} {month}",
    "Total: ${number}.{cents} incl. VAT",
    "{City}, platform {digit}, {hour}:{cents}",
    "Serial no. {LETTERS}-{number}-{cents}",
    "Store the {thing} at {digit} to {hour} degrees",
    "{Plural} are closed until {day} {month}",
    "Call {number} {code} before {hour}:{cents}",
    "Please return every {thing} to {City}",
    "Why does the {thing} need {number} {plural}?",
    "{month} {day}: {adjective} {plural} from {City}",
    "Net weight {number} g ({cents} oz)",
)  # fmt: skip
ADJECTIVES = ("quiet", "narrow", "frozen", "yellow", "heavy", "broken", "early", "public", "wooden")
THINGS = (
    "lighthouse", "kettle", "bicycle", "gearbox", "harbour", "notebook", "valve", "journey",
    "telescope", "window", "blanket", "pump",
)  # fmt: skip
VERBS = ("counted", "needs", "carries", "replaced", "measured", "exported", "quickly lost")
PLURALS = ("ships", "tickets", "oranges", "batteries", "parcels", "keys", "voyages", "jackets")
CITIES = ("Lisbon", "Quebec", "Zagreb", "Oslo", "Kyoto", "Hamburg", "Jaipur", "Wellington")
MONTHS = ("January", "March", "May", "July", "August", "October", "December")


@cache
def lines(split: str) -> tuple[str, ...]:
    """The lines of a split, always the same."""
    rng = random.Random(SEED)
    unique: dict[str, None] = {}
    while len(unique) < sum(COUNTS.values()):
        unique[compose(rng)] = None
    every = tuple(unique)
    edge = COUNTS["calibration"]
    return {"calibration": every[:edge], "evaluation": every[edge:]}[split]


def compose(rng: random.Random) -> str:
    """One line: a form with its blanks filled."""
    plural = rng.choice(PLURALS)
    return rng.choice(FORMS).format(
        adjective=rng.choice(ADJECTIVES),
        thing=rng.choice(THINGS),
        verb=rng.choice(VERBS),
        plural=plural,
        Plural=plural.capitalize(),
        City=rng.choice(CITIES),
        month=rng.choice(MONTHS),
        day=rng.randint(1, 28),
        hour=rng.randint(10, 23),
        cents=rng.randint(10, 59),
        digit=rng.randint(1, 9),
        number=rng.randint(100, 999),
        code=rng.randint(10000, 99999),
        LETTERS="".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=2)),
    )
