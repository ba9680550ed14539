"""Rows 5 and 15: clusters of three real processes."""
import os
import re
import struct
import subprocess
import time

from measure import CannotRun, alternate, below, cpu_seconds, median, more, resident_bytes
from redis_rows import Client
from servers import HOST, Bench, Server, answers, await_true, free_ports, tool

CLIENTS = 64
SETTLE_S = 12


def row_15(options):
    seconds = max(2, options.scaled(10))
    with Bench() as bench:
        nodes = bench.cluster(3, "--shards", "8")
        nodes[0].apply([{"name": "api", "rate": "1000/s", "burst": 1000},
                        {"name": "users", "rate": "10/s", "burst": 10, "per": "key"},
                        {"name": "quota", "rate": "10/s", "burst": 10, "mode": "strict"}])
        time.sleep(SETTLE_S if options.scale == 1 else 1)
        busy = []
        for _ in range(options.runs):
            before = [cpu_seconds(node.pid) for node in nodes]
            begun = time.monotonic()
            time.sleep(seconds)
            lasted = time.monotonic() - begun
            busy.append(max((cpu_seconds(node.pid) - b) / lasted for node, b in zip(nodes, before)))
        resident = max(resident_bytes(node.pid) for node in nodes) / (1 << 20)
    return [below(15, "idle cluster of 3, 8 shards: CPU of the busiest node", median(busy) * 100, "% of a core", 1),
            below(15, "idle cluster of 3, 8 shards: resident memory of the largest", resident, "MiB", 64)]


class Etcd:
    """Three members that sync every write, as a default installation does."""

    def __init__(self, bench):
        binary = tool("etcd", "etcd-server")
        ports = [free_ports(2) for _ in range(3)]
        initial = ",".join(f"e{i}=http://{HOST}:{peer}" for i, (_, peer) in enumerate(ports))
        self.clients = [client for client, _ in ports]
        for i, (client, peer) in enumerate(ports):
            url, peer_url = f"http://{HOST}:{client}", f"http://{HOST}:{peer}"
            bench.start(Server(bench.folder, f"etcd{i}", [
                binary, "--name", f"e{i}", "--data-dir", os.path.join(bench.folder, f"etcd{i}"), "--listen-client-urls",
                url, "--advertise-client-urls", url, "--listen-peer-urls", peer_url, "--initial-advertise-peer-urls",
                peer_url, "--initial-cluster", initial, "--initial-cluster-state", "new", "--log-level", "error"]))
        await_true(lambda: all(answers(port) for port in self.clients), "etcd did not answer")
        time.sleep(3)  # an election
        body = self.put(b"bench/key", b"x" * 64)
        self.body = os.path.join(bench.folder, "put.bin")
        with open(self.body, "wb") as file:
            file.write(body)

    @staticmethod
    def put(key, value):
        """etcdserverpb.PutRequest{key = 1, value = 2} in a gRPC frame."""
        message = b"\x0a" + bytes([len(key)]) + key + b"\x12" + bytes([len(value)]) + value
        return b"\0" + struct.pack(">I", len(message)) + message

    def run(self, requests):
        done = subprocess.run(
            [tool("h2load", "nghttp2-client"), "-n", str(requests), "-c", str(CLIENTS), "-m", "1", "-d", self.body,
             "-H", "content-type: application/grpc", "-H", "te: trailers",
             f"http://{HOST}:{self.clients[0]}/etcdserverpb.KV/Put"], capture_output=True, text=True, timeout=300)
        rate = re.search(r"([\d.]+) req/s", done.stdout)
        good = re.search(r"(\d+) succeeded", done.stdout)
        if not rate or not good or int(good.group(1)) != requests:
            raise CannotRun(f"h2load: {done.stdout[-400:]}{done.stderr[-200:]}")
        return float(rate.group(1))


def row_5(options):
    tool("etcd", "etcd-server"), tool("h2load", "nghttp2-client")
    benchmark = tool("redis-benchmark", "redis-tools")
    requests = options.scaled(20_000)
    with Bench(options.disk) as ours, Bench(options.disk) as theirs:
        nodes = ours.cluster(3)
        nodes[0].apply([{"name": "quota", "rate": "1000000/s", "burst": 1000000, "mode": "strict"}])
        client = Client(nodes[0].redis)
        await_true(lambda: client.ask("BRIGADE.ACQUIRE", "quota")[0] == b"1", "no strict acquire was admitted")
        etcd = Etcd(theirs)

        def acquire():
            done = subprocess.run([benchmark, "-h", HOST, "-p", str(nodes[0].redis), "-c", str(CLIENTS), "-n",
                                   str(requests), "--csv", "BRIGADE.ACQUIRE", "quota"], capture_output=True, text=True,
                                  timeout=300)
            return float(done.stdout.splitlines()[-1].split(",")[1].strip('"'))

        a, b = alternate(options.runs, acquire, lambda: etcd.run(requests))
    return [more(5, "strict acquires, 3 nodes, 64 clients, beside etcd puts over gRPC", median(a), median(b), "1/s", 3)]
