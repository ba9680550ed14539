"""Rows 3, 4 and 13: programs of this build that measure themselves."""
import json
import os
import re
import resource
import subprocess

from measure import CannotRun, Line, above, less, median
from servers import program


def output(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise CannotRun(f"{os.path.basename(command[0])}: {done.stderr.strip() or done.stdout.strip()[-300:]}")
    return done.stdout


def row_3(options):
    taken = json.loads(output(program("bench_decision"), str(options.runs), str(options.scaled(500_000))))
    allocated = taken.pop("allocations")
    figures = {name: median(rounds) for name, rounds in taken.items()}
    cas = figures.pop("cas")
    names = {"acquire": "acquire, shared limit", "keyed": "acquire, own key", "slow": "acquire, own key of a slow limit", "throttle": "CL.THROTTLE's decision",
             "command": "CL.THROTTLE from bytes to bytes"}
    lines = [less(3, f"{names[name]}, beside compare-and-swap + clock", figures[name], cas, "ns", 3)
             for name in ("acquire", "keyed", "throttle")]
    lines.append(Line(3, names["slow"], figures["slow"], cas, "ns", figures["slow"] / cas, "-", True))
    lines.append(Line(3, names["command"], figures["command"], cas, "ns", figures["command"] / cas, "-", True))
    lines.append(Line(3, "allocations in all of these", allocated, None, "", float(allocated), "0", allocated == 0))
    return lines


def row_4(options):
    borrow = (program("bench_borrow"), str(options.runs), str(options.scaled(3000)))
    free = json.loads(output(*borrow))
    # To wake an idle core of a virtual machine may take longer than all the rest.
    one_core = json.loads(output("taskset", "-c", str(min(os.sched_getaffinity(0))), *borrow))
    return [less(4, f"borrow round trip, beside a TCP ping-pong of the same bytes: {what}", median(taken["borrow"][name]),
                 median(taken["pingpong"][name]), "us", most)
            for what, taken, name, most in (("p50", free, "p50", 2), ("p99", free, "p99", 3), ("p50, all on one core", one_core, "p50", 2))]


def simulated(seconds, *command):
    """Simulated seconds per CPU second of one run. The first seed runs twice, to compare the hashes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output(*command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 2 * seconds / (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def row_13(options):
    seconds = max(3, options.scaled(30))
    speeds = [simulated(seconds, program("brigade-sim"), "cluster", "--first", str(seed), "--seeds", "1", "--seconds",
                        str(seconds)) for seed in range(1, options.runs + 1)]
    told = [re.search(r"(\d+) simulated seconds per second", output(
        program("brigade-sim"), "raft", "--calm", "--first", str(seed), "--seeds", "1", "--seconds", str(seconds)))
        for seed in range(1, options.runs + 1)]
    if not all(told):
        raise CannotRun("brigade-sim raft does not tell its speed")
    core = median([float(one.group(1)) for one in told])
    return [above(13, "simulator: Raft core of 5, calm, every property checked", core, "x", 600),
            above(13, "simulator: whole cluster of 5, 1200 requests/s, all faults", median(speeds), "x", 60)]
