"""Who watches /admin/v1/events, by hand: the events as they come, comments and all."""

import json
import time

from . import wire

PATH = "/admin/v1/events"


class Event:
    def __init__(self, lines):
        fields = [line.partition(":") for line in lines]
        self.comment = "".join(value.strip() for name, _, value in fields if name == "")
        named = {name: value.strip() for name, _, value in fields if name}
        self.name = named.get("event")
        self.id = int(named["id"]) if "id" in named else None
        self.retry = named.get("retry")
        self.data = json.loads(named["data"]) if "data" in named else None


class Watcher:
    def __init__(self, gateway, headers=()):
        self.wire = wire.Wire(gateway.admin)
        self.wire.request("GET", PATH, headers=headers)
        self.answer = self.wire.read_head()
        self.pieces = self.wire.read_pieces(self.answer)
        self.text = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()

    def next(self):
        while b"\n\n" not in self.text:
            self.text += next(self.pieces)
        block, self.text = self.text.split(b"\n\n", 1)
        return Event(block.decode().split("\n"))

    def until(self, name, holds=lambda data: True):
        """The data of the next event of that name for which it holds."""
        end = time.monotonic() + wire.LIMIT_S
        while True:
            event = self.next()
            assert time.monotonic() < end, f"no {name} as wanted, but {event.name} {event.data}"
            if event.name == name and holds(event.data):
                return event.data
