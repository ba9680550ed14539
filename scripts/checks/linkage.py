"""The release program is one file to copy: of the machine it asks libc, libm and the loader."""
import re
import subprocess

from common import ROOT, report

ALLOWED = re.compile(r"^(libc\.so\.\d+|libm\.so\.\d+|ld-linux[\w.-]*)$")


def violations():
    program = ROOT / "build" / "release" / "brigade"
    if not program.exists():
        return []
    listing = subprocess.run(["readelf", "-d", str(program)], capture_output=True, text=True)
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", listing.stdout)
    return [f"brigade needs {name} of the machine" for name in needed if not ALLOWED.match(name)]


if __name__ == "__main__":
    report("linkage", violations())
