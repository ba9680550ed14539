"""What rows share: alternating runs, medians, lines of the table, CPU and memory of a process."""
import os
import statistics
from dataclasses import asdict, dataclass

TICKS = os.sysconf("SC_CLK_TCK")


class CannotRun(Exception):
    """A row that this machine cannot measure, and why."""


@dataclass
class Line:
    """One line of the table: a figure of ours, what it is measured against, and the ratio that the target is about."""
    row: int
    what: str
    ours: float
    theirs: float | None
    unit: str
    ratio: float
    target: str
    met: bool

    def json(self):
        return asdict(self)


def median(values):
    return statistics.median(values)


def spread(values):
    return (max(values) - min(values)) / median(values) if median(values) else 0.0


def alternate(runs, *contenders):
    """Runs the contenders in turn, so that what else this machine does hits all alike; a list of results for each."""
    results = [[] for _ in contenders]
    for _ in range(runs):
        for kept, contender in zip(results, contenders):
            kept.append(contender())
    return results


def cpu_seconds(pid):
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_bytes(pid):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise CannotRun(f"process {pid} tells no resident memory")


def more(row, what, ours, theirs, unit, least):
    """The more the better: ours / theirs >= least."""
    ratio = ours / theirs
    return Line(row, what, ours, theirs, unit, ratio, f">= {least:g}x", ratio >= least)


def less(row, what, ours, theirs, unit, most):
    """The less the better: ours / theirs <= most."""
    ratio = ours / theirs
    return Line(row, what, ours, theirs, unit, ratio, f"<= {most:g}x", ratio <= most)


def cheaper(row, what, ours, theirs, unit, least):
    """Costs: theirs / ours >= least."""
    ratio = theirs / ours
    return Line(row, what, ours, theirs, unit, ratio, f">= {least:g}x less", ratio >= least)


def below(row, what, ours, unit, most):
    """A bound on our own figure."""
    return Line(row, what, ours, None, unit, ours / most, f"<= {most:g} {unit}", ours <= most)


def above(row, what, ours, unit, least):
    return Line(row, what, ours, None, unit, ours / least, f">= {least:g} {unit}", ours >= least)
