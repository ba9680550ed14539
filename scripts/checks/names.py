"""Type names say what a thing is: no Manager, Helper, Util, Impl."""
import re

from common import ROOT, report, sources

BANNED = re.compile(r"\b(?:class|struct)\s+(\w*(?:Manager|Helper|Util|Utils|Impl))\b")


def violations(root=ROOT):
    found = []
    for path in sources(root=root):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = BANNED.search(line)
            if match:
                found.append(f"{path.relative_to(root)}:{number}: name {match.group(1)}")
    return found


if __name__ == "__main__":
    report("names", violations())
