"""Titles as advertisers write them: many scripts, emoji, combining marks, stray spaces, nothing at all."""

from random import Random

ADJECTIVES = (
    "Cosy", "Vintage", "Minimal", "Handmade", "Summer", "Organic", "Bold", "Rustic", "Modern", "Tiny", "Bright", "Slow",
)  # fmt: skip
NOUNS = (
    "sofa", "lamp", "sneakers", "garden", "wedding dress", "ceramics", "kitchen", "rug", "backpack", "cake", "desk",
    "balcony", "watch", "poster", "bicycle", "candle",
)  # fmt: skip
UNUSUAL_TITLES = (
    "Été à la plage ☀️",
    "Cafe\u0301 cre\u0300me",  # combining marks, not composed
    "مصابيح يدوية الصنع",
    "נעלי ריצה חדשות",
    "夏のワンピース 50% オフ",
    "Скидки на ковры",
    "Family picks 👨‍👩‍👧‍👦",  # one picture of seven code points
    "  spaced   out\u00a0title ",
    'Quotes "and" \\back\\slashes\\, <b>tags</b> & \u202ebidi\u202c',
    "İstanbul ışıkları ß ﬁn",
    "",
    "   ",
)
INTERESTS = (
    ("Home décor", "home"), ("Gardening", "home"), ("Running", "sport"), ("Cycling", "sport"), ("Baking", "food"),
    ("Vegan recipes", "food"), ("Weddings", "life"), ("Parenting", "life"), ("Street style", "fashion"),
    ("مطبخ", "food"), ("手作り", "craft"), ("DIY", "craft"), ("Travel", "life"), ("Photography", "craft"),
    ("Gaming", "tech"), ("Tattoos", None),
)  # fmt: skip
COUNTRIES = ("US", "DE", "JP", "BR", "FR", "GB", "IN", "EG", "IL", "MX")
_UNUSUAL, _NULL, _LONG = 0.08, 0.11, 0.115


def title(random: Random) -> str | None:
    """Mostly plain; one in twelve unusual, one in thirty NULL, one in two hundred far too long."""
    draw = random.random()
    if draw > _LONG:
        return f"{random.choice(ADJECTIVES)} {random.choice(NOUNS)}"
    if draw < _UNUSUAL:
        return random.choice(UNUSUAL_TITLES)
    return None if draw < _NULL else " ".join(random.choices(NOUNS, k=200))


def keyword(number: int, random: Random) -> str:
    """Distinct by number, and often of two words."""
    return f"{random.choice(ADJECTIVES).lower()} {random.choice(NOUNS)} {number}"
