"""What the checks share: the source files and how a violation is told."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("src", "tests", "bench", "fuzz")


def sources(suffixes=(".h", ".cc"), folders=FOLDERS, root=ROOT):
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield path


def report(rule, violations):
    for violation in violations:
        print(f"{rule}: {violation}")
    if violations:
        sys.exit(1)
