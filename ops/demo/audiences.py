"""Rows of whom ads are for: targeting specs with their places, interests and hours."""

from random import Random

from ops.demo import draws, words
from ops.demo.draws import Rows
from ops.demo.scale import Scale
from ops.demo.skew import GONE


def targeting_specs(scale: Scale, random: Random) -> Rows:
    """Open ends of the age range are NULL."""
    for number in range(1, scale.targeting_specs + 1):
        yield (
            number,
            draws.maybe(random, 0.3, words.ADJECTIVES),
            random.choice((None, 18, 21, 35)),
            random.choice((None, 34, 44, 65)),
            random.choice((None, "FEMALE", "MALE", "ALL")),
            random.choice((None, '["de", "en"]', '["ar"]', "[]")),
            random.choice((None, '["ios"]', '["ios", "android", "web"]')),
            random.choice((None, 5.5, 100.0)),
            random.choice((0, 1, None)),
            draws.schedule(random),
        )


def targeting_geos(scale: Scale, random: Random) -> Rows:
    """None to four countries a spec; one in ten is excluded."""
    for number in range(1, scale.targeting_specs + 1):
        for country in random.sample(words.COUNTRIES, random.choice((0, 1, 1, 2, 4))):
            yield number, country, random.choice(("", "North", "Süd")), 1 if random.random() < 0.1 else 0


def targeting_interests(scale: Scale, random: Random) -> Rows:
    """None to five a spec, and one interest that is not there."""
    for number in range(1, scale.targeting_specs + 1):
        for interest in random.sample(range(1, len(words.INTERESTS) + 1), random.choice((0, 1, 2, 3, 5))):
            yield number, interest, round(random.random(), 3)
    yield 1, GONE, 0.5
