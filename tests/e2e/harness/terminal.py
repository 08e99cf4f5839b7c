"""A program in a terminal of its own: what it writes is kept, and what is seen of it is drawn."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading

import pyte

from .program import LIMIT_S, Waiter


class Terminal:
    def __init__(self, command, env, rows=24, columns=80, cwd=None):
        self.name = "terminal"
        self.ours, self.theirs = pty.openpty()
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.written = b""
        self.waiter = Waiter()
        self.set_size(rows, columns)
        self.before = termios.tcgetattr(self.theirs)
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            env=env,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            try:
                piece = os.read(self.ours, 65536)
            except OSError:
                return
            if not piece:
                return
            with self.waiter.changed:
                self.written += piece
                self.stream.feed(piece)
                self.waiter.changed.notify_all()

    def set_size(self, rows, columns):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, rows, columns):
        """The kernel tells the program by SIGWINCH."""
        with self.waiter.changed:
            self.screen.resize(rows, columns)
        self.set_size(rows, columns)

    def lines(self):
        with self.waiter.changed:
            return [line.rstrip() for line in self.screen.display]

    def text(self):
        return "\n".join(self.lines())

    log = text

    def wait(self, holds):
        """The lines, once `holds` of them."""

        def find():
            lines = [line.rstrip() for line in self.screen.display]
            return lines if holds(lines) else None

        try:
            return self.waiter.until(find, "the screen")
        except AssertionError:
            raise AssertionError(f"not on the screen:\n{self.text()}") from None

    def wait_text(self, *texts):
        return self.wait(lambda lines: all(any(text in line for line in lines) for text in texts))

    def wait_written(self, wanted):
        self.waiter.until(lambda: wanted in self.written, f"{wanted} in {self.written[-500:]}")

    def press(self, keys):
        os.write(self.ours, keys.encode())

    def wait_exit(self):
        """The exit status; the terminal must be as it was before."""
        code = self.process.wait(LIMIT_S)
        assert termios.tcgetattr(self.theirs) == self.before
        return code

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(LIMIT_S)
        if self.theirs is not None:
            os.close(self.theirs)
            self.theirs = None
            os.close(self.ours)
