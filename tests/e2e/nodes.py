"""Brigade's nodes as processes on the loopback, for the programs beside this file: a cluster that starts, is asked,
killed and started again by its test, and ends with it. BRIGADE_BIN is the program."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

BRIGADE = os.path.abspath(os.environ.get("BRIGADE_BIN", "build/release/brigade"))
HOST = "127.0.0.1"
READY_WITHIN = 30.0
ENDS_WITHIN = 15.0


def free_ports(count):
    sockets = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def until(condition, what, within=15.0):
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within:g} s: {what}"
        time.sleep(0.05)


class Node:
    """One process, and its addresses; what it says is in the file `log`. Starts when it is told to."""

    def __init__(self, folder, name, seeds, ports, *flags):
        self.name = name
        self.ports = dict(zip(("peer", "redis", "http"), ports))
        self.redis = (HOST, self.ports["redis"])
        self.http = f"{HOST}:{self.ports['http']}"
        self.log = os.path.join(folder, f"{name}.log")
        doors = (word for door, port in self.ports.items() for word in (f"--{door}", f"{HOST}:{port}"))
        self.command = [BRIGADE, "node", "--name", name, "--data", os.path.join(folder, name), "--seed", seeds, *doors,
                        *flags]
        self.process = None

    def start(self):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(self.command, stderr=log)

    def get(self, path, timeout=5):
        """The answer's text; a value when the path is one of the interface's."""
        with urllib.request.urlopen(f"http://{self.http}{path}", timeout=timeout) as reply:
            return json.load(reply) if path.startswith("/v1/") else reply.read().decode()

    def ready(self):
        assert self.alive(), f"{self.name} ended:\n{self.said()}"
        with contextlib.suppress(OSError):
            return bool(self.get("/readyz"))
        return False

    def await_ready(self):
        until(self.ready, f"{self.name} is ready", READY_WITHIN)

    def run(self, *words, stdin=None):
        """A client command to this node: its exit code, what it printed, and its complaints."""
        done = subprocess.run([BRIGADE, *words], capture_output=True, text=True, timeout=60, input=stdin,
                              env={**os.environ, "BRIGADE_NODE": self.http})
        return done.returncode, done.stdout, done.stderr

    def cli(self, *words, stdin=None):
        code, out, err = self.run(*words, stdin=stdin)
        assert code == 0, (words, code, out, err)
        return out

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def end(self, how=signal.SIGTERM):
        """Its exit code."""
        self.process.send_signal(how)
        return self.process.wait(timeout=ENDS_WITHIN)

    def said(self):
        with open(self.log, errors="replace") as log:
            return log.read()[-3000:]


class Redis:
    """One connection that asks, and says None when the node could not be asked."""

    def __init__(self, address):
        self.address = address
        self.file = None

    def ask(self, *words, lines):
        try:
            if self.file is None:
                self.file = socket.create_connection(self.address, timeout=5).makefile("rwb")
            self.file.write(b"*%d\r\n" % len(words) + b"".join(
                b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
            self.file.flush()
            reply = [self.file.readline()]
            if reply[0].startswith(b"*"):
                reply += [self.file.readline() for _ in range(lines)]
            if not reply[-1].endswith(b"\n"):
                raise OSError("closed")
            return reply
        except OSError:
            self.file = None
            return None


@contextlib.contextmanager
def cluster(count, *flags, limits=None):
    """So many nodes that are ready, with these limits (YAML). At the end every one that runs must stop cleanly; when
    the test fails, what they said is shown."""
    with tempfile.TemporaryDirectory() as folder:
        ports = free_ports(3 * count)
        seeds = ",".join(f"{HOST}:{port}" for port in ports[:count])
        nodes = [Node(folder, f"n{i + 1}", seeds, ports[i::count], *flags) for i in range(count)]
        try:
            for node in nodes:
                node.start()
            for node in nodes:
                node.await_ready()
            if limits:
                nodes[0].cli("limit", "apply", "-", stdin=limits)
            yield nodes
            running = [node for node in nodes if node.alive()]
            for node in running:
                node.process.send_signal(signal.SIGTERM)
            codes = {node.name: node.process.wait(timeout=ENDS_WITHIN) for node in running}
            assert not any(codes.values()), codes
        except BaseException:
            for node in nodes:
                sys.stderr.write(f"--- {node.name}\n{node.said()}\n")
            raise
        finally:
            for node in nodes:
                if node.alive():
                    node.process.kill()
                    node.process.wait()
