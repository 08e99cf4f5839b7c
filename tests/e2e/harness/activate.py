"""Starts a program with listening sockets, as systemd does it.

activate.py [NAME=ADDRESS]... -- COMMAND...    ADDRESS: host:port, or the path of a unix socket
"""

import os
import socket
import sys


def open_socket(address):
    if address.startswith("/"):
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(address)
    else:
        host, port = address.rsplit(":", 1)
        listening = socket.socket(socket.AF_INET)
        listening.bind((host, int(port)))
    listening.listen(16)
    return listening


def main():
    end = sys.argv.index("--")
    names = []
    sockets = []
    for word in sys.argv[1:end]:
        name, address = word.split("=", 1)
        names.append(name)
        sockets.append(open_socket(address))
    high = [os.dup2(s.fileno(), 100 + i) for i, s in enumerate(sockets)]
    for i, fd in enumerate(high):
        os.dup2(fd, 3 + i, inheritable=True)
    os.environ["LISTEN_PID"] = str(os.getpid())
    os.environ["LISTEN_FDS"] = str(len(names))
    os.environ["LISTEN_FDNAMES"] = ":".join(names)
    command = sys.argv[end + 1 :]
    os.execv(command[0], command)


main()
