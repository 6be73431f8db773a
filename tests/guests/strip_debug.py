#!/usr/bin/env python3
"""Removes DWARF sections from a WebAssembly module and keeps everything else.

Usage: strip_debug.py IN.wasm OUT.wasm

The linker's own switches drop the name section together with the debug sections; backtraces
in the trap guests need the names, and nothing needs 900 KB of DWARF for the C library.
"""

import sys

CUSTOM = 0


def read_leb(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def strip(data):
    if data[:8] != b"\0asm\1\0\0\0":
        raise SystemExit("not a WebAssembly module")
    out = [data[:8]]
    at = 8
    while at < len(data):
        start, kind = at, data[at]
        size, body = read_leb(data, at + 1)
        at = body + size
        if kind == CUSTOM:
            length, name = read_leb(data, body)
            if data[name : name + length].startswith(b".debug_"):
                continue
        out.append(data[start:at])
    return b"".join(out)


def main():
    source, target = sys.argv[1:]
    with open(source, "rb") as file:
        stripped = strip(file.read())
    with open(target, "wb") as file:
        file.write(stripped)


if __name__ == "__main__":
    main()
