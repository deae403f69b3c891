#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Finds loops in BPF objects that old kernels refuse, wherever these objects were built.

Linux 6.1 takes a way back to an instruction that it came by only if that is a jump (check_cfg() in
kernel/bpf/verifier.c). A compiler may put the end of a loop's body in front of its head, from where
the way back is no jump.
"""
import struct
import sys

SHT_PROGBITS, SHF_EXECINSTR = 1, 4
CLASS_JUMPS = (5, 6)
CALL, EXIT, JUMP = 0x85, 0x95, 0x05
JUMP32 = 0x06


def code_sections(path):
    """(name, code) of an ELF file of 64 bits, little endian."""
    with open(path, "rb") as file:
        data = file.read()
    start, = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3a)
    headers = [struct.unpack_from("<IIQQQQ", data, start + i * size) for i in range(count)]
    for name, kind, flags, _, offset, octets in headers:
        if kind == SHT_PROGBITS and flags & SHF_EXECINSTR and octets:
            text = data[headers[names][4] + name:]
            yield text[:text.index(b"\0")].decode(), data[offset:offset + octets]


def ways(code):
    """By instruction: those that may come next, and whether it jumps there."""
    found = []
    for number, (opcode, _, offset, immediate) in enumerate(struct.iter_unpack("<BBhi", code)):
        if opcode == EXIT:
            found.append([])
        elif opcode == JUMP:
            found.append([(number + 1 + offset, True)])
        elif opcode == JUMP32:
            found.append([(number + 1 + immediate, True)])
        elif opcode & 7 in CLASS_JUMPS and opcode != CALL:
            found.append([(number + 1, True), (number + 1 + offset, True)])
        else:
            found.append([(number + 1, False)])
    return found


def back_edges(code):
    """(from, to), in the order in which the kernel walks."""
    following = ways(code)
    found, visited = [], set()
    for first in range(len(following)):
        if first in visited:
            continue
        path, on_path = [(first, iter(following[first]))], {first}
        visited.add(first)
        while path:
            number, rest = path[-1]
            target, jumps = next(rest, (None, None))
            if target is None:
                path.pop()
                on_path.discard(number)
            elif target in on_path and not jumps:
                found.append((number, target))
            elif target < len(following) and target not in visited:
                visited.add(target)
                on_path.add(target)
                path.append((target, iter(following[target])))
    return found


def main(paths):
    status = 0
    for path in paths:
        for name, code in code_sections(path):
            for edge in back_edges(code):
                print(f"{path}: {name}: falls through from instruction {edge[0]} back to {edge[1]}")
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
