"""TLS that hides nothing: closes with and without its alert, half and whole, and says which came.

Python's own sockets cannot close one side, nor tell how the other one closed.
"""

import contextlib
import socket
import ssl

from . import certificates

PIECE = 65536


def trusting(cert=None):
    """A client that trusts what the tests' authority, or this file, has signed."""
    return ssl.create_default_context(cafile=cert or certificates.authority().cert)


def trusting_all():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class TlsSocket:
    """Stands where a socket stood that is connected."""

    def __init__(self, plain, context, name=None, server=False, session=None, begin=False):
        """With `begin`, only the first flight of the handshake is sent."""
        self.plain = plain
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(
            self.incoming, self.outgoing, server, server_hostname=name, session=session
        )
        self.closed_well = None  # by the alert, at the end
        if begin:
            with contextlib.suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
            self.flush()
        else:
            self.shake()

    def __getattr__(self, name):
        return getattr(self.plain, name)

    def shake(self):
        try:
            self.run(self.tls.do_handshake)
        except ssl.SSLEOFError:
            raise ConnectionResetError("in the middle of the handshake") from None

    def flush(self):
        if self.outgoing.pending:
            self.plain.sendall(self.outgoing.read())

    def run(self, step, *arguments):
        while True:
            try:
                done = step(*arguments)
                self.flush()
                return done
            except ssl.SSLWantReadError:
                self.flush()
                sealed = self.plain.recv(PIECE)
                if sealed:
                    self.incoming.write(sealed)
                else:
                    self.incoming.write_eof()
            except ssl.SSLError:
                try:
                    self.flush()  # the alert that says why
                except OSError:
                    pass
                raise

    def sendall(self, data):
        self.run(self.tls.write, data)

    def recv(self, size):
        try:
            opened = self.run(self.tls.read, size)
            if not opened:
                self.closed_well = True
            return opened
        except ssl.SSLZeroReturnError:
            self.closed_well = True
        except ssl.SSLEOFError:
            self.closed_well = False
        return b""

    def say_end(self):
        """The alert alone."""
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass  # the other side has not said it yet
        self.flush()

    def shutdown(self, how):
        if how in (socket.SHUT_WR, socket.SHUT_RDWR):
            self.say_end()
        self.plain.shutdown(how)
