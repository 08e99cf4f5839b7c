#!/usr/bin/env python3
"""Writes the files of the dashboard as C: bytes, type, and a tag that changes with them.

    embed.py OUT.c FILE...
"""

import hashlib
import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
BYTES_IN_A_LINE = 20


def add_file(path, number):
    data = path.read_bytes()
    lines = [data[i : i + BYTES_IN_A_LINE] for i in range(0, len(data), BYTES_IN_A_LINE)]
    body = "\n".join("\t" + ",".join(str(byte) for byte in line) + "," for line in lines)
    tag = hashlib.sha256(data).hexdigest()[:16]
    row = (
        f'\t{{"{path.name}", "{TYPES[path.suffix]}", "\\"{tag}\\"", bytes_{number}, {len(data)}}},'
    )
    return f"static const unsigned char bytes_{number}[] = {{\n{body}\n}};\n", row


def main(out, names):
    parts = [add_file(pathlib.Path(name), i) for i, name in enumerate(sorted(names))]
    pathlib.Path(out).write_text(
        "/* Written by embed.py. */\n"
        '#include "app/web_files.h"\n\n'
        + "\n".join(body for body, _ in parts)
        + "\nconst struct web_file web_files[] = {\n"
        + "\n".join(row for _, row in parts)
        + "\n};\n\n"
        "const size_t web_file_count = sizeof(web_files) / sizeof(web_files[0]);\n"
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
