"""A program under test: started, its log read as it comes, ended and judged.

Nothing here waits for time. Each wait is for an event and has a limit that only a broken
program reaches.
"""

import os
import re
import signal
import subprocess
import threading
import time

# Sanitizers make everything slower; the limit is for what hangs, so it can be generous.
LIMIT_S = float(os.environ.get("DROVER_TEST_LIMIT", "60"))

SANITIZER_REPORT = re.compile(
    r"(ERROR|WARNING): (Address|Leak|Undefined|Thread|Memory)Sanitizer|runtime error: "
)
# A small quarantine: tests measure what the programs hold, not what the sanitizer does.
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:exitcode=99:quarantine_size_mb=8",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}
LISTENING = re.compile(r"listening on ([^\s\"]+)")


class Waiter:
    """Lets threads wait until a condition holds over what others add."""

    def __init__(self):
        self.changed = threading.Condition()

    def until(self, holds, what, limit_s=LIMIT_S):
        end = time.monotonic() + limit_s
        with self.changed:
            while True:
                found = holds()
                if found:
                    return found
                left = end - time.monotonic()
                assert left > 0, f"waited {limit_s} s for {what}"
                self.changed.wait(left)


class Program:
    """One process. Its standard error and output are one log, kept line by line."""

    def __init__(self, name, command, env=None, cwd=None):
        self.name = name
        self.command = [str(word) for word in command]
        self.lines = []
        self.closed = False
        self.waiter = Waiter()
        self.stopped = False
        environment = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("OLLAMA_", "DROVER_"))
        }
        environment.update(SANITIZER_OPTIONS)
        environment.update(env or {})
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=cwd,
        )
        self.reader = threading.Thread(target=self.read_log, daemon=True)
        self.reader.start()

    def read_log(self):
        for raw in self.process.stdout:
            with self.waiter.changed:
                self.lines.append(raw.decode("utf-8", "replace").rstrip("\n"))
                self.waiter.changed.notify_all()
        with self.waiter.changed:
            self.closed = True
            self.waiter.changed.notify_all()

    def log(self):
        with self.waiter.changed:
            return "\n".join(self.lines)

    def wait_line(self, pattern, after=0):
        """The match of the first line from `after` on that has the pattern."""
        wanted = re.compile(pattern)

        def find():
            for line in self.lines[after:]:
                match = wanted.search(line)
                if match:
                    return match
            assert (
                not self.closed
            ), f"{self.name} ended without a line like {pattern}:\n{self.log()}"
            return None

        return self.waiter.until(find, f"{self.name} to log {pattern}; it logged:\n{self.log()}")

    def mark(self):
        """Where the log is now, for wait_line."""
        with self.waiter.changed:
            return len(self.lines)

    @property
    def pid(self):
        return self.process.pid

    def signal(self, number):
        self.process.send_signal(number)

    def wait_exit(self, limit_s=LIMIT_S):
        code = self.process.wait(limit_s)
        self.reader.join(LIMIT_S)
        self.stopped = True
        return code

    def wait_exit_code(self, limit_s=LIMIT_S):
        """The same while others still write into the log."""
        return self.process.wait(limit_s)

    def kill(self):
        """As a crash: nothing is checked afterwards."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait_exit()

    def stop(self):
        """SIGTERM must end it by itself, with status 0 and nothing to complain about."""
        if self.stopped:
            return
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
        try:
            code = self.wait_exit()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end at SIGTERM:\n{self.log()}") from None
        report = SANITIZER_REPORT.search(self.log())
        assert not report and code == 0, f"{self.name} ended with {code}:\n{self.log()}"

    def resident_kib(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def peak_kib(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))


def now_ms():
    """The clock that the programs write into their logs: the system's monotonic one."""
    return time.monotonic_ns() / 1e6
