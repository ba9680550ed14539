"""Lengths: files 600 lines (tests 800), functions 70, lines 100 columns, constructors 5 parameters."""
import re

from common import ROOT, report, sources

FILE_MAX, TEST_FILE_MAX, FUNCTION_MAX, COLUMNS_MAX, PARAMETERS_MAX = 600, 800, 70, 100, 5


def function_lengths(lines):
    """Yields (first line, length) of blocks that open at column 0 and are functions."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None:
            if re.match(r"^[A-Za-z].*\)( const)?( noexcept)?( override)? \{$", line) or (
                re.match(r"^ {4,}.*\)( const)?( noexcept)? \{$", line)
                and number > 1
                and re.match(r"^[A-Za-z]", lines[number - 2])
            ):
                start = number
        elif line.startswith("}"):
            yield start, number - start + 1
            start = None


def constructor_violations(text):
    for name, parameters in re.findall(r"^  (?:explicit )?([A-Z]\w+)\(([^()]*)\)[;: {]", text, re.M):
        count = len([p for p in re.sub(r"<[^<>]*>", "", parameters).split(",") if p.strip()])
        if count > PARAMETERS_MAX:
            yield f"{name} takes {count} constructor parameters, at most {PARAMETERS_MAX}"


def violations(root=ROOT):
    found = []
    for path in sources(root=root):
        name = path.relative_to(root)
        text = path.read_text()
        lines = text.splitlines()
        limit = TEST_FILE_MAX if name.parts[0] == "tests" else FILE_MAX
        if len(lines) > limit:
            found.append(f"{name}: {len(lines)} lines, at most {limit}")
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS_MAX:
                found.append(f"{name}:{number}: {len(line)} columns, at most {COLUMNS_MAX}")
        if name.parts[0] != "tests":
            for start, length in function_lengths(lines):
                if length > FUNCTION_MAX:
                    found.append(f"{name}:{start}: function of {length} lines, at most {FUNCTION_MAX}")
        if path.suffix == ".h":
            found.extend(f"{name}: {problem}" for problem in constructor_violations(text))
    return found


if __name__ == "__main__":
    report("sizes", violations())
