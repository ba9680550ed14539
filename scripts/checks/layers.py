"""Which room may include which: the table in ARCHITECTURE.md, and libraries in one room each."""
import re

from common import ROOT, report, sources

ROOMS = {
    "base": set(),
    "bucket": {"base"},
    "forecast": {"base"},
    "gossip": {"base"},
    "raft": {"base"},
    "node": {"base", "bucket", "forecast", "gossip", "raft"},
    "wire": {"base", "bucket", "forecast", "gossip", "raft", "node"},
    "storage": {"base", "raft", "node", "gossip", "bucket"},
    "host": {"base"},
    "net": {"base", "wire", "node"},
    "api": {"base", "bucket", "node"},
    "sim": {"base", "bucket", "forecast", "gossip", "raft", "node", "wire"},
}
ROOMS["app"] = set(ROOMS)
LIBRARIES = {
    "xxhash.h": {"base"},
    "capnp/": {"wire"},
    "kj/": {"wire"},
    "rocksdb/": {"storage"},
    "asio": {"net", "api", "app"},
    "http_parser.h": {"api"},
    "yaml-cpp/": {"api"},
    "nlohmann/": {"api", "app"},
    "CLI/": {"app", "sim"},
    "spdlog/": {"app"},
    "sys/": {"host", "app", "net", "storage"},
    "thread": {"storage", "app"},
    "mutex": {"storage", "app"},
}
QUOTED = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
ANGLED = re.compile(r"^\s*#\s*include\s+<([^>]+)>")


def violations(root=ROOT):
    found = []
    for path in sources(folders=("src",), root=root):
        room = path.relative_to(root / "src").parts[0]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            place = f"{path.relative_to(root)}:{number}"
            quoted, angled = QUOTED.match(line), ANGLED.match(line)
            if quoted:
                target = quoted.group(1).split("/")[0]
                if target in ROOMS and target != room and target not in ROOMS[room]:
                    found.append(f"{place}: {room} may not include {quoted.group(1)}")
            elif angled:
                for prefix, allowed in LIBRARIES.items():
                    name = angled.group(1)
                    hit = name == prefix if prefix in ("thread", "mutex") else name.startswith(prefix)
                    if hit and room not in allowed:
                        found.append(f"{place}: <{name}> belongs in {', '.join(sorted(allowed))}")
    return found


if __name__ == "__main__":
    report("layers", violations())
