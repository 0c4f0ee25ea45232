"""Makes a C header of files that go into the program.

usage: embed.py OUT.h FILE...

NAME.EXT becomes the array NAME_EXT, or where @DATA@ stands in it the arrays NAME_before and NAME_behind.
"""
import pathlib
import sys


def array(name, data):
    rows = [", ".join(str(byte) for byte in data[i:i + 24]) for i in range(0, len(data), 24)]
    return f"static const unsigned char {name}[] = {{\n" + ",\n".join(rows) + "};\n"


def arrays(path):
    parts = path.read_bytes().split(b"@DATA@")
    if len(parts) == 1:
        return array(path.name.replace(".", "_"), parts[0])
    before, behind = parts
    return array(f"{path.stem}_before", before) + array(f"{path.stem}_behind", behind)


with open(sys.argv[1], "w", encoding="ascii") as out:
    out.write("".join(arrays(pathlib.Path(name)) for name in sys.argv[2:]))
