"""Makes a C header of the page: two arrays, of what stands before the data and behind it.

usage: embed.py PAGE.html OUT.h
"""
import sys


def array(name, data):
    rows = [", ".join(str(byte) for byte in data[i:i + 24]) for i in range(0, len(data), 24)]
    return f"static const unsigned char {name}[] = {{\n" + ",\n".join(rows) + "};\n"


with open(sys.argv[1], "rb") as page:
    before, behind = page.read().split(b"@DATA@")
with open(sys.argv[2], "w", encoding="ascii") as out:
    out.write(array("page_before", before) + array("page_behind", behind))
