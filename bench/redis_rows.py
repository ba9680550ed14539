"""Rows 1, 2 and 6: Brigade's Redis protocol beside Redis itself."""
import csv
import pathlib
import socket
import subprocess

from measure import alternate, cheaper, cpu_seconds, less, median, more, resident_bytes
from servers import HOST, Bench, CannotRun, tool

CONNECTIONS = 50
PIPELINE = 16
# One hot key that nearly always has tokens.
TERMS = ["1000000", "1000000", "1", "1"]
SCRIPT = pathlib.Path(__file__).parent / "gcra.lua"


class Client:
    """One connection that speaks the Redis protocol."""

    def __init__(self, port):
        self.socket = socket.create_connection((HOST, port))
        self.file = self.socket.makefile("rb", buffering=1 << 20)

    @staticmethod
    def command(*words):
        parts = [b"*%d\r\n" % len(words)]
        for word in words:
            data = word if isinstance(word, bytes) else word.encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
        return b"".join(parts)

    def reply(self):
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-" or not line:
            raise CannotRun(f"a command was refused: {rest.decode()}")
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2] if int(rest) >= 0 else None
        return rest

    def ask(self, *words):
        self.socket.sendall(self.command(*words))
        return self.reply()


def load_script(redis):
    return Client(redis.port).ask("SCRIPT", "LOAD", SCRIPT.read_text()).decode()


def generate(port, pid, requests, pipeline, *command):
    """One run of redis-benchmark: requests/s, p99 in ms, server CPU seconds per million requests."""
    before = cpu_seconds(pid)
    done = subprocess.run(
        [tool("redis-benchmark", "redis-tools"), "-h", HOST, "-p", str(port), "-c", str(CONNECTIONS), "-P",
         str(pipeline), "-n", str(requests), "--csv", *command], capture_output=True, text=True, timeout=300)
    used = cpu_seconds(pid) - before
    rows = list(csv.reader(done.stdout.splitlines()))
    if done.returncode != 0 or len(rows) < 2:
        raise CannotRun(f"redis-benchmark: {done.stderr or done.stdout}")
    figures = dict(zip(rows[0], rows[1]))
    return {"rps": float(figures["rps"]), "p99": float(figures["p99_latency_ms"]), "cpu": used * 1e6 / requests}


def column(results, name):
    return median([one[name] for one in results])


def row_1(options):
    with Bench() as bench:
        node, = bench.cluster(1)
        redis = bench.redis()
        script = load_script(redis)
        ours = lambda: generate(node.redis, node.pid, options.scaled(1_500_000), PIPELINE, "CL.THROTTLE", "hot", *TERMS)
        theirs = lambda: generate(redis.port, redis.pid, options.scaled(300_000), PIPELINE, "EVALSHA", script, "1",
                                  "hot", *TERMS)
        ours(), theirs()
        a, b = alternate(options.runs, ours, theirs)
    what = "CL.THROTTLE, pipelined 16, beside EVALSHA: "
    return [more(1, what + "throughput", column(a, "rps"), column(b, "rps"), "1/s", 8),
            less(1, what + "p99", column(a, "p99"), column(b, "p99"), "ms", 1),
            cheaper(1, what + "server CPU per million", column(a, "cpu"), column(b, "cpu"), "s", 8)]


def row_2(options):
    with Bench() as bench:
        node, = bench.cluster(1)
        redis = bench.redis()
        ours = lambda: generate(node.redis, node.pid, options.scaled(150_000), 1, "CL.THROTTLE", "hot", *TERMS)
        theirs = lambda: generate(redis.port, redis.pid, options.scaled(150_000), 1, "INCR", "hot")
        ours(), theirs()
        a, b = alternate(options.runs, ours, theirs)
    what = "CL.THROTTLE, one at a time, beside INCR: "
    return [more(2, what + "throughput", column(a, "rps"), column(b, "rps"), "1/s", 1),
            less(2, what + "p99", column(a, "p99"), column(b, "p99"), "ms", 1)]


def fill(port, count, command_of):
    """One command per key, from many clients at once: one client's commands wait for each other's writes."""
    clients = [Client(port) for _ in range(500)]
    chunk = 40
    for begin in range(0, count, chunk * len(clients)):
        parts = [range(at, min(at + chunk, count)) for at in range(begin, begin + chunk * len(clients), chunk)]
        for client, part in zip(clients, parts):
            client.socket.sendall(b"".join(command_of(i) for i in part))
        for client, part in zip(clients, parts):
            for _ in part:
                client.reply()
    for client in clients:
        client.socket.close()


def row_6(options):
    """Keys that stay below full for a day, so that neither side may forget them."""
    keys = options.keys
    terms = ["99", "100", "86400", "1"]
    with Bench() as bench:
        node, = bench.cluster(1)
        node.apply([{"name": "users", "rate": "100/d", "burst": 100, "per": "key", "max_keys": 4 * keys}])
        redis = bench.redis()
        script = load_script(redis)
        grown = []
        for port, pid, words in ((node.redis, node.pid, lambda i: ("BRIGADE.ACQUIRE", "users", "KEY", f"user:{i:012}")),
                                 (redis.port, redis.pid, lambda i: ("EVALSHA", script, "1", f"user:{i:012}", *terms))):
            before = resident_bytes(pid)
            fill(port, keys, lambda i, words=words: Client.command(*words(i)))
            grown.append((resident_bytes(pid) - before) / keys)
    return [less(6, f"memory per idle key, {keys} keys, beside the script's", *grown, "bytes", 0.5)]
