#!/usr/bin/env python3
"""Compares the JSON scanner with Python's json on texts that are nearly JSON.

oracle_json.py ACCEPTS_JSON [SEED]
"""

import json
import random
import struct
import subprocess
import sys

TEXTS = 20000
CHARACTERS = list('{}[]",:\\/ \t\n\r0123456789-+.eEtruefalsnNI') + [
    "\\u0041",
    "\\ud83d",
    "\\ude00",
    "\\n",
    "\x00",
    "\x1f",
    "\x7f",
    "é",
    "€",
    "😀",
    "//",
    "true",
    "null",
]
BYTES = [
    b"\x80",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
]


def value(rng, depth=0):
    kind = rng.randrange(9 if depth < 4 else 6)
    if kind == 0:
        return rng.choice([True, False, None])
    if kind == 1:
        return rng.randint(-(10 ** rng.randrange(1, 20)), 10**6)
    if kind == 2:
        return rng.choice([0.0, -0.5, 1e300, 1.5e-7, rng.random()])
    if kind < 6:
        return "".join(rng.choice(CHARACTERS) for _ in range(rng.randrange(12)))
    if kind == 6:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    # A NUL in a key is the one thing that the scanner refuses though it is JSON.
    return {
        str(value(rng, 9)).replace("\x00", ""): value(rng, depth + 1)
        for _ in range(rng.randrange(4))
    }


def spoil(rng, text):
    at = rng.randrange(len(text) + 1)
    kind = rng.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + rng.choice(CHARACTERS).encode() + text[at:]
    if kind == 2:
        return text[:at] + rng.choice(BYTES) + text[at:]
    return text[:at] + rng.choice(CHARACTERS).encode() + text[at + 1 :]


def make(rng):
    text = json.dumps(
        value(rng), ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, None, 1])
    )
    text = text.encode("utf-8", "surrogatepass")
    for _ in range(rng.choice([0, 0, 1, 1, 1, 2, 3])):
        text = spoil(rng, text)
    return text


def refuse(name):
    raise ValueError(name)


def keys_without_nul(pairs):
    if any("\x00" in key for key, _ in pairs):
        raise ValueError("a NUL in a key")
    return dict(pairs)


def accepts(text):
    try:
        json.loads(text.decode("utf-8"), parse_constant=refuse, object_pairs_hook=keys_without_nul)
    except ValueError:
        return False
    return True


def main():
    seed = sys.argv[2] if len(sys.argv) > 2 else "drover"
    rng = random.Random(seed)
    texts = [make(rng) for _ in range(TEXTS)]
    sent = b"".join(struct.pack("<I", len(t)) + t for t in texts)
    answers = subprocess.run([sys.argv[1]], input=sent, stdout=subprocess.PIPE, check=True).stdout
    assert len(answers) == TEXTS, f"{len(answers)} answers"
    good = 0
    for text, answer in zip(texts, answers):
        want = accepts(text)
        good += want
        if (answer == ord("1")) != want:
            sys.exit(f"seed {seed}: {text!r}: python says {want}")
    print(f"{TEXTS} texts, {good} accepted by both")
    # A generator that makes only good texts, or only bad ones, would prove nothing.
    assert TEXTS * 0.2 < good < TEXTS * 0.8, good


if __name__ == "__main__":
    main()
