"""The processes that rows measure, on loopback ports that are free; stopped when a row ends."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

from measure import CannotRun

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("BRIGADE_BUILD", ROOT / "build" / "release"))
HOST = "127.0.0.1"
READY_WITHIN = 30.0


def program(name):
    """A program of this build."""
    for path in (BUILD / name, BUILD / "bench" / name):
        if path.exists():
            return str(path)
    raise CannotRun(f"{name} is not built: cmake --build --preset release")


def tool(name, package):
    found = shutil.which(name)
    if not found:
        raise CannotRun(f"{name} is missing: apt-get install {package}")
    return found


def free_ports(count):
    sockets = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def await_true(condition, what):
    deadline = time.monotonic() + READY_WITHIN
    while not condition():
        if time.monotonic() > deadline:
            raise CannotRun(f"{what} within {READY_WITHIN:.0f} s")
        time.sleep(0.05)


def answers(port):
    try:
        socket.create_connection((HOST, port), timeout=1).close()
        return True
    except OSError:
        return False


class Server:
    """A process with a folder of its own below `folder`."""

    def __init__(self, folder, name, command):
        self.name = name
        self.log = os.path.join(folder, f"{name}.log")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        if self.process.poll() is not None:
            with open(self.log) as log:
                raise CannotRun(f"{self.name} ended: {log.read()[-500:]}")
        return True

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Node(Server):
    def __init__(self, folder, name, seeds, ports, *flags):
        peer, self.redis, self.http = ports
        super().__init__(folder, name, [
            program("brigade"), "node", "--name", name, "--data", os.path.join(folder, name),
            *(["--seed", seeds] if seeds else []), "--peer", f"{HOST}:{peer}", "--redis", f"{HOST}:{self.redis}",
            "--http", f"{HOST}:{self.http}", "--log-level", "warn", *flags])

    def ready(self):
        self.alive()
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self.http}/readyz", timeout=2):
                return True
        except OSError:
            return False

    def apply(self, limits):
        """Declares limits, given as the limits file would."""
        path = self.log + ".limits"
        pathlib.Path(path).write_text(json.dumps({"limits": limits}))  # JSON is YAML
        done = subprocess.run([program("brigade"), "limit", "apply", path, "--node", f"{HOST}:{self.http}"],
                              capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise CannotRun(f"limits were not applied: {done.stderr}")


class Bench:
    """What one row starts; everything of it is stopped and deleted at the end."""

    def __init__(self, folder=None):
        self.folder = tempfile.mkdtemp(prefix="brigade-bench-", dir=folder)
        self.servers = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, server):
        self.servers.append(server)
        return server

    def cluster(self, count, *flags):
        """Nodes that found one cluster; all are ready."""
        ports = [free_ports(3) for _ in range(count)]
        seeds = ",".join(f"{HOST}:{peer}" for peer, _, _ in ports) if count > 1 else ""
        nodes = [self.start(Node(self.folder, f"n{i + 1}", seeds, ports[i], *flags)) for i in range(count)]
        for node in nodes:
            await_true(node.ready, f"{node.name} was not ready")
        return nodes

    def redis(self):
        """Without persistence: Redis at its fastest."""
        port, = free_ports(1)
        server = self.start(Server(self.folder, "redis", [
            tool("redis-server", "redis-server"), "--bind", HOST, "--port", str(port), "--save", "",
            "--appendonly", "no", "--dir", self.folder]))
        server.port = port
        await_true(lambda: server.alive() and answers(port), "redis-server did not answer")
        return server
