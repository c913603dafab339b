"""Which faults a run has, and how often: drawn from its seed. (Swarm testing: each has its own mixture.)"""

from dataclasses import dataclass, fields
from random import Random


@dataclass(frozen=True)
class Plan:
    """Chances are of one call, unless it says otherwise. Times in simulated ms.

    call_ms_max         an ordinary call takes up to this
    slow                a call takes up to slow_ms_max; so its neighbours overtake it
    torn                the rows of a call are read or written one after the other, and others come in between
    lost_request        never arrives; the caller learns nothing
    lost_answer         is done; the caller learns nothing
    late                the caller learns nothing, and it is done long after, up to late_ms_max
    doubled             is done and answered; and done again, long after
    second_attempt      a check-and-put is done twice, and the second answer is told
    zombie              a client asks an oracle that was the leader
    pause               of a region, in a run: calls of its rows wait
    crash_client, crash_oracle, take_over, clock_jump, stop, compaction: how many of them a run has
    tick                how fast clocks go; at 0 timestamps are as dense as they can be
    """

    call_ms_max: float = 1.0
    slow: float = 0.0
    slow_ms_max: float = 40.0
    torn: float = 0.0
    lost_request: float = 0.0
    lost_answer: float = 0.0
    late: float = 0.0
    late_ms_max: float = 80.0
    doubled: float = 0.0
    second_attempt: float = 0.0
    zombie: float = 0.0
    pauses: int = 0
    client_crashes: int = 0
    oracle_crashes: int = 0
    take_overs: int = 0
    clock_jumps: int = 0
    stops: int = 0
    compactions: int = 0
    tick: float = 1.0

    def told(self) -> str:
        """Those that differ from none, in a line."""
        values = ((field.name, getattr(self, field.name), field.default) for field in fields(self))
        return ", ".join(f"{name}={value:.3g}" for name, value, default in values if value != default)


CALM = Plan()


def drawn(random: Random) -> Plan:
    """Each kind of fault is absent in half of the runs, so that no kind hides what another one would show."""

    def chance(most: float) -> float:
        return random.uniform(0, most) if random.random() < 0.5 else 0.0

    def count(most: int) -> int:
        return random.randint(1, most) if random.random() < 0.5 else 0

    return Plan(
        slow=chance(0.3),
        torn=chance(0.5),
        lost_request=chance(0.03),
        lost_answer=chance(0.05),
        late=chance(0.05),
        doubled=chance(0.1),
        second_attempt=chance(0.3),
        zombie=chance(0.5),
        pauses=count(2),
        client_crashes=count(2),
        oracle_crashes=count(2),
        take_overs=count(3),
        clock_jumps=count(3),
        stops=count(3),
        compactions=count(3),
        tick=random.choice((0.0, 0.0, 1.0)),
    )
