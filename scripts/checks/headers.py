"""Every header compiles alone. Where the source of the same name includes it before anything else,
every build proves that; the others are compiled here. Results are kept by content, so that a second
run is quick."""
import concurrent.futures
import hashlib
import json
import subprocess

from common import ROOT, report, sources

CACHE = ROOT / "build" / "check-cache" / "headers.json"


def digest(headers):
    total = hashlib.sha256()
    for header in headers:
        total.update(header.read_bytes())
    return total.hexdigest()


def proved_by_build(header):
    source = header.with_suffix(".cc")
    if not source.exists():
        return False
    first = next((l for l in source.read_text().splitlines() if l.startswith("#include")), "")
    return first == f'#include "{header.relative_to(ROOT / "src")}"'


def compile_alone(header):
    command = ["g++", "-std=c++20", "-fsyntax-only", "-x", "c++", "-DASIO_STANDALONE",
               "-I", str(ROOT / "src"), "-I", str(ROOT), "-include", str(header), "/dev/null"]
    return subprocess.run(command, capture_output=True, text=True)


def main():
    headers = [h for h in sources(suffixes=(".h",), folders=("src",)) if "generated" not in h.parts]
    cache = json.loads(CACHE.read_text()) if CACHE.exists() else {}
    # A header's verdict depends on what it includes; keying by its room's content is close enough.
    rooms = {}
    for header in headers:
        rooms.setdefault(header.relative_to(ROOT / "src").parts[0], []).append(header)
    base = digest(rooms.get("base", []))
    todo = []
    for room, members in rooms.items():
        key = base + digest(members)
        if cache.get(room) != key:
            todo.extend(h for h in members if not proved_by_build(h))
            cache[room] = key
    found = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for header, result in zip(todo, pool.map(compile_alone, todo)):
            if result.returncode != 0:
                first = next((l for l in result.stderr.splitlines() if "error" in l), "does not compile")
                found.append(f"{header.relative_to(ROOT)}: {first}")
    if not found:
        CACHE.parent.mkdir(parents=True, exist_ok=True)
        CACHE.write_text(json.dumps(cache))
    report("headers", found)


if __name__ == "__main__":
    main()
