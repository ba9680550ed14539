"""The pure rooms' libraries refer to no clock, dice, thread, socket, file or stream."""
import re
import subprocess

from common import ROOT, report

PURE = ("base", "bucket", "forecast", "gossip", "raft", "node")
BANNED = re.compile(
    r"\b(clock_gettime|gettimeofday|nanosleep|random_device|getrandom|s?rand|pthread_\w+|std::thread"
    r"|socket|sendto|recvfrom|fopen|open64|open|std::chrono::_V2::\w+::now|std::basic_[io]?fstream"
    r"|std::basic_ostream|std::cout|spdlog)\b")
# CHECK prints where an invariant broke, then aborts.
ALLOWED = {"base": {"fprintf", "stderr"}}


def violations():
    found = []
    for room in PURE:
        library = ROOT / "build" / "release" / "src" / room / f"libbrigade_{room}.a"
        if not library.exists():
            continue
        symbols = subprocess.run(["nm", "-C", "-u", str(library)], capture_output=True, text=True)
        for line in symbols.stdout.splitlines():
            if " brigade::" in line:
                continue  # our own names, which may resemble the kernel's
            match = BANNED.search(line)
            if match and match.group(1) not in ALLOWED.get(room, set()):
                found.append(f"{room} refers to {line.split('U', 1)[-1].strip()}")
    return found


if __name__ == "__main__":
    report("purity", violations())
