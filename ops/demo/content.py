"""Rows of content: creatives, pins, keywords, and what was measured."""

from random import Random

from ops.demo import draws, words
from ops.demo.draws import Rows
from ops.demo.scale import Scale
from ops.demo.skew import GONE


def creatives(scale: Scale, random: Random) -> Rows:
    """One in five is a video; one in five has no landing page."""
    for number in range(1, scale.creatives + 1):
        url = f"https://shop.example/{number}{random.choice(('', '?ref=ad', '/ü'))}" if random.random() < 0.8 else None
        video = random.random() < 0.2
        yield (
            number,
            words.title(random),
            None if random.random() < 0.5 else words.title(random),
            "VIDEO" if video else "IMAGE",
            random.choice(("en", "de", "ar", None)),
            url,
            round(random.uniform(3, 60), 2) if video else None,
            random.randbytes(16) if random.random() < 0.9 else None,
            1 if random.random() < 0.05 else 0,
        )


def pins(scale: Scale, random: Random) -> Rows:
    """Few have been seen by many, most by hardly anybody."""
    for number in range(1, scale.pins + 1):
        shown = int(random.paretovariate(0.9)) * random.randrange(50) % 10**9
        yield (
            number,
            words.title(random),
            draws.maybe(random, 0.3, words.NOUNS),
            f"https://pins.example/{number}",
            f"#{random.getrandbits(24):06x}",
            random.choice((564, 736, 1000, None)),
            random.choice((846, 1500, 0, None)),
            1 if random.random() < 0.2 else 0,
            shown // 50,
            shown // 80,
            shown,
            f'[["{random.choice(words.NOUNS)}", {random.random():.3f}]]',
            random.randbytes(8),
            draws.day(random),
        )


def keywords(scale: Scale, random: Random) -> Rows:
    """Numbered, so that names differ."""
    for number in range(1, scale.keywords + 1):
        volume = int(random.paretovariate(0.8)) % 10**12
        yield number, words.keyword(number, random), draws.maybe(random, 0.2, ("en", "de", "ja")), volume


def ad_keywords(scale: Scale, random: Random) -> Rows:
    """One ad in three has keywords of its own; popular keywords first; some positions are NULL or shared."""
    number = 0
    for ad in range(1, scale.ads + 1):
        for position in range(random.choice((0, 0, 0, 0, 1, 2, 5))):
            number += 1
            chosen = min(int(random.paretovariate(0.6)), scale.keywords)
            keyword = chosen if random.random() < 0.998 else GONE
            place = random.choice((position, position, position, 0, None))
            yield number, ad, keyword, place, random.choice(("EXACT", "PHRASE", "BROAD"))


def spend(scale: Scale, random: Random) -> Rows:
    """One campaign in ten has no row yet."""
    for number in range(1, scale.campaigns + 1):
        if random.random() < 0.9:
            spent, shown = random.randrange(400_000_000), random.randrange(1_000_000)
            yield number, spent, shown, shown // random.randrange(20, 200), draws.instant(random)
