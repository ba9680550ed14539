"""clang-tidy on the sources that changed since the merge base with origin/main, or since the last commit; as many as
fit into the time, and says which did not. CHECK_BASE names another commit."""
import concurrent.futures
import json
import os
import shutil
import subprocess
import time

from common import ROOT, report

SECONDS_MAX = 45
TOOL = "clang-tidy-19"


def git(*words):
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def changed():
    base = os.environ.get("CHECK_BASE") or git("merge-base", "HEAD", "origin/main")
    if not base or base == git("rev-parse", "HEAD"):
        base = "HEAD~1"
    names = git("diff", "--name-only", "--diff-filter=d", base, "--", "src/*.cc")
    return [] if names is None else names.split()


def database():
    """The folder of a build that knows how each file is compiled."""
    for preset in ("clang", "release", "debug"):
        path = ROOT / "build" / preset / "compile_commands.json"
        if path.exists():
            commands = json.loads(path.read_text())
            return path.parent, {os.path.realpath(os.path.join(c["directory"], c["file"])) for c in commands}
    return None, set()


def tidy(folder, name, deadline):
    left = deadline - time.monotonic()
    if left < 3:
        return None
    try:
        done = subprocess.run([TOOL, "-p", str(folder), "--quiet", "--extra-arg=-Wno-unknown-warning-option", name],
                              cwd=ROOT, capture_output=True, text=True, timeout=left)
    except subprocess.TimeoutExpired:
        return None
    return [line.removeprefix(f"{ROOT}/") for line in done.stdout.splitlines() if ": error: " in line or ": warning: " in line]


def main():
    names = changed()
    if not names:
        return
    if shutil.which(TOOL) is None:
        print(f"tidy: {TOOL} is not installed, skipped")
        return
    folder, known = database()
    if folder is None:
        print("tidy: nothing is built that says how files are compiled, skipped")
        return
    names = [name for name in names if os.path.realpath(ROOT / name) in known]
    deadline = time.monotonic() + SECONDS_MAX
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda name: tidy(folder, name, deadline), names))
    late = [name for name, found in zip(names, results) if found is None]
    if late:
        print(f"tidy: no time for {len(late)} of {len(names)} changed files: {' '.join(late)}")
    report("tidy", sorted({line for found in results for line in found or []}))


if __name__ == "__main__":
    main()
