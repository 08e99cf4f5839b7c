"""A gateway whose place is taken by another process (SIGUSR2), and load that must not notice."""

import ctypes
import os
import select
import signal
import threading

from . import wire
from .program import LIMIT_S, Waiter

PR_SET_CHILD_SUBREAPER = 36
# Whoever outlives the gateway that started it becomes a child of the tests, which can then see
# how it ends.
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Successor:
    """A process that the gateway, or its successor, started. Its log is the gateway's."""

    def __init__(self, gateway, former, pid):
        self.name = "drover"
        self.gateway = gateway
        self.former = former
        self.pid = pid
        self.handle = os.pidfd_open(pid)
        self.stopped = False

    def signal(self, number):
        signal.pidfd_send_signal(self.handle, number)

    def wait_end(self):
        poll = select.poll()
        poll.register(self.handle, select.POLLIN)
        assert poll.poll(LIMIT_S * 1000), f"process {self.pid} did not end:\n{self.gateway.log()}"

    def wait_exit(self):
        """Its status; 0 where another process is told it."""
        self.wait_end()
        self.stopped = True
        try:
            status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        except ChildProcessError:
            status = 0
        os.close(self.handle)
        return status

    def stop(self):
        if self.stopped:
            return
        try:
            self.signal(signal.SIGTERM)
        except ProcessLookupError:
            pass
        code = self.wait_exit()
        assert code == 0, f"process {self.pid} ended with {code}:\n{self.gateway.log()}"


def upgrade(stage, gateway, former=None):
    """Sends SIGUSR2 to `former` (by default the gateway), and waits until another one serves."""
    former = former or gateway
    mark = gateway.mark()
    former.signal(signal.SIGUSR2)
    pid = int(gateway.wait_line(r"process (\d+) serves from now on", after=mark).group(1))
    return stage.add(Successor(gateway, former, pid))


class Load:
    """Threads that ask without a pause until they are told to stop. Nothing may fail."""

    def __init__(self, gateway, kinds=("fresh", "kept", "stream", "idle"), clients=2, headers=()):
        self.gateway = gateway
        self.headers = headers
        self.over = threading.Event()
        self.waiter = Waiter()
        self.counts = dict.fromkeys(kinds, 0)
        self.failures = []
        self.threads = [
            threading.Thread(target=self.run, args=(kind,)) for kind in kinds for _ in range(clients)
        ]
        for thread in self.threads:
            thread.start()

    def run(self, kind):
        while not self.over.is_set():
            try:
                getattr(self, kind)(kind)
            except Exception as e:  # whatever it is, a client has lost a request
                with self.waiter.changed:
                    self.failures.append(f"{kind}: {e!r}")
                return

    def wait_more(self, more):
        """Until there were so many more requests of each kind."""
        with self.waiter.changed:
            wanted = {kind: count + more for kind, count in self.counts.items()}
        self.waiter.until(
            lambda: self.failures or all(self.counts[kind] >= wanted[kind] for kind in wanted),
            f"{more} more requests of each kind",
        )
        assert not self.failures, self.failures

    def ask(self, client, kind, stream=False):
        with self.waiter.changed:
            prompt = f"{kind} {self.counts[kind]}"
        body = {"model": "tiny", "prompt": prompt, "stream": stream, "options": {"num_predict": 8}}
        client.request("POST", "/api/generate", body, self.headers)
        answer = client.read_answer()
        assert answer.status == 200 and answer.whole, (answer.status, bytes(answer.body))
        with self.waiter.changed:
            self.counts[kind] += 1
            self.waiter.changed.notify_all()
        return answer

    def fresh(self, kind):
        with wire.Wire(self.gateway.url) as client:
            self.ask(client, kind)

    def kept(self, kind):
        """One connection for as long as the gateway keeps it."""
        with wire.Wire(self.gateway.url) as client:
            while not self.over.is_set():
                if self.ask(client, kind).header("Connection") == "close":
                    break

    def stream(self, kind):
        with wire.Wire(self.gateway.url) as client:
            self.ask(client, kind, stream=True)

    def idle(self, kind):
        """A few connections that are silent between their requests."""
        clients = [wire.Wire(self.gateway.url) for _ in range(5)]
        while clients and not self.over.is_set():
            client = clients.pop(0)
            if self.ask(client, kind).header("Connection") == "close":
                client.close()
            else:
                clients.append(client)
        for client in clients:
            client.close()

    def end(self):
        """How many requests there were."""
        self.over.set()
        for thread in self.threads:
            thread.join(LIMIT_S)
            assert not thread.is_alive()
        assert not self.failures, f"{len(self.failures)} failed: {self.failures[:5]}"
        return self.counts
