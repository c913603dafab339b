"""Which faults a run has, and how often: drawn from its seed. (Swarm testing: each has its own mixture.)"""

from dataclasses import dataclass, fields, replace
from random import Random


@dataclass(frozen=True)
class Plan:
    """Chances are of one call, unless it says otherwise. Times in simulated ms.

    call_ms_max         an ordinary call takes up to this
    slow                a call takes up to slow_ms_max; so its neighbours overtake it
    torn                the rows of a call are read or written one after the other, and others come in between
    lost_request        never arrives; the caller learns nothing
    lost_answer         is done; the caller learns nothing
    lost_outcome        the client of an oracle does not learn what became of a commit, nor when it settles it
    late                the caller learns nothing, and it is done long after, up to late_ms_max
    doubled             is done and answered; and done again, long after
    slow_flush          a put into the commit table is answered up to late_ms_max late: meanwhile what it holds can be
                        read there, and is in no snapshot
    lost_shadow         a put of shadow cells never arrives, or late; which is to cost speed only
    late_shadow         of these, how many are late
    second_attempt      a check-and-put is done twice, and the second answer is told
    zombie              a client asks an oracle that was the leader
    pause               of a region, in a run: calls of its rows wait
    crash_client, crash_oracle, take_over, clock_jump, stop, client_stop, compaction: how many of them a run has
    tick                how fast clocks go; at 0 timestamps are as dense as they can be
    pace                how much more clients rest than they need to: at 1 they are in each other's way all the time
    cells_max, remembered_max, flush_max: of an oracle's memory; when they are small, it forgets
    cached_ids_max      of a client's cache
    garbage             somebody collects it meanwhile
    small               the product's pages are full all the time (limits.py)
    outages             of a table, in a run: no call of it is answered for a while
    away_then           after a conflict the table of data is away: what was in its way can't be tried again
    batches             a leader crashes or is stopped when it is about to put a batch of several commits
    """

    call_ms_max: float = 1.0
    slow: float = 0.0
    slow_ms_max: float = 30.0
    torn: float = 0.0
    lost_request: float = 0.0
    lost_answer: float = 0.0
    lost_outcome: float = 0.0
    late: float = 0.0
    late_ms_max: float = 60.0
    doubled: float = 0.0
    slow_flush: float = 0.0
    lost_shadow: float = 0.0
    late_shadow: float = 0.5
    second_attempt: float = 0.0
    zombie: float = 0.0
    pauses: int = 0
    outages: int = 0
    away_then: float = 0.0
    batches: int = 0
    client_crashes: int = 0
    oracle_crashes: int = 0
    take_overs: int = 0
    clock_jumps: int = 0
    stops: int = 0
    client_stops: int = 0
    compactions: int = 0
    tick: float = 1.0
    pace: float = 1.0
    garbage: bool = False
    small: bool = False
    cells_max: int = 64
    remembered_max: int = 200
    flush_max: int = 100
    cached_ids_max: int = 32

    def told(self) -> str:
        """Those that differ from none, in a line."""
        values = ((field.name, getattr(self, field.name), field.default) for field in fields(self))
        return ", ".join(f"{name}={value:.3g}" for name, value, default in values if value != default)


CALM = Plan()


def drawn(random: Random) -> Plan:
    """A third of the runs has a bit of anything; a third is about oracles in each other's way; a third about what is
    collected while it is read. Each kind of fault is absent in half of the runs, so that none hides another one."""
    plan = random.choice((_anything, _leaders, _garbage))(random)
    plan = replace(plan, small=random.random() < 0.5)
    if random.random() < 0.5:
        return plan
    return replace(
        plan,
        cells_max=random.choice((4, 6, 16)),
        remembered_max=random.randint(2, 8),
        flush_max=random.randint(1, 3),
        cached_ids_max=random.randint(2, 8),
    )


def _anything(random: Random) -> Plan:
    return Plan(
        **_network(random),
        zombie=_chance(random, 0.5),
        pauses=_count(random, 2),
        outages=_count(random, 3),
        batches=_count(random, 2),
        client_crashes=_count(random, 2),
        oracle_crashes=_count(random, 2),
        take_overs=_count(random, 3),
        clock_jumps=_count(random, 3),
        stops=_count(random, 3),
        compactions=_count(random, 3),
        tick=random.choice((0.0, 1.0)),
        pace=random.choice((1.0, 1.0, 5.0)),
    )


def _leaders(random: Random) -> Plan:
    return Plan(
        **_network(random),
        zombie=random.uniform(0.1, 0.6),
        outages=_count(random, 3),
        batches=random.randint(1, 2),
        oracle_crashes=_count(random, 3),
        take_overs=random.randint(1, 4),
        clock_jumps=_count(random, 2),
        stops=random.randint(2, 6),
        tick=random.choice((0.0, 1.0)),
    )


def _garbage(random: Random) -> Plan:
    return Plan(
        **{**_network(random), "lost_shadow": random.uniform(0.2, 0.9), "lost_answer": _chance(random, 0.2)},
        client_crashes=_count(random, 2),
        client_stops=random.randint(2, 12),
        take_overs=_count(random, 1),
        clock_jumps=_count(random, 1),
        compactions=_count(random, 6),
        pace=random.choice((3.0, 10.0, 30.0)),
        garbage=True,
    )


def _network(random: Random) -> dict[str, float]:
    return {
        "slow": _chance(random, 0.3),
        "torn": _chance(random, 0.5),
        "lost_request": _chance(random, 0.03),
        "lost_answer": _chance(random, 0.05),
        "late": _chance(random, 0.05),
        "doubled": _chance(random, 0.1),
        "slow_flush": _chance(random, 0.5),
        "lost_shadow": _chance(random, 0.8),
        "away_then": _chance(random, 0.3),
        "second_attempt": _chance(random, 0.3),
    }


def _chance(random: Random, most: float) -> float:
    return random.uniform(0, most) if random.random() < 0.5 else 0.0


def _count(random: Random, most: int) -> int:
    return random.randint(1, most) if random.random() < 0.5 else 0
