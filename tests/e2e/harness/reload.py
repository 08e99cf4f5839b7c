"""Another configuration for a gateway that runs."""

import json
import os
import signal

from . import wire


def write(gateway, changes=None, text=None, **more):
    """The gateway's file with other values of some keys (None: without it), or with that text. It is
    replaced as a whole, as editors and deployment tools do."""
    if text is None:
        config = {**gateway.config, **(changes or {}), **more}
        gateway.config = {key: value for key, value in config.items() if value is not None}
        text = json.dumps(gateway.config, indent=1)
    fresh = gateway.file.with_suffix(".new")
    fresh.write_text(text)
    os.replace(fresh, gateway.file)


def post(gateway, headers=()):
    """What POST /admin/v1/reload answers."""
    answer = wire.post(gateway.admin, "/admin/v1/reload", None, headers)
    said = answer.json()
    assert (answer.status == 200) == (said["result"] == "ok"), said
    assert answer.status in (200, 422)
    return said


def apply(gateway, changes=None, headers=(), **more):
    """Puts other values in force; the changes, as it says them."""
    write(gateway, changes, **more)
    said = post(gateway, headers)
    assert said["result"] == "ok", said
    return said["changes"]


def hang_up(gateway):
    """By SIGHUP. Whether it was put in force."""
    mark = gateway.mark()
    gateway.signal(signal.SIGHUP)
    return "refused" not in gateway.wait_line(
        r"reload: .*(in force|nothing changed|refused).* by SIGHUP", after=mark
    ).group(0)
