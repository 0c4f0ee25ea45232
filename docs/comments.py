"""A header for Doxygen: its comments become documentation, and are taken letter by letter.

usage: comments.py HEADER

The comment that begins a header is that of the file, one on lines of its own that of what follows, one behind code that of what
stands before it. Comments inside of macros, and those that head a part of a file, stay what they are.
"""
import os
import re
import sys

from headers import first_sentence


def plain(text):
    return re.sub(r"([\\@<>&#%$\"])", r"\\\1", text)


def main_page(path, source):
    """Of rask.h: the headers that it includes, and what they are."""
    lines = ["/** @mainpage The C interface", " *" + plain("The comment above a declaration is its contract."), " *"]
    for name in re.findall(r"#include <(rask/\w+\.h)>", source):
        other = os.path.join(os.path.dirname(path), os.path.basename(name))
        lines.append(f" * @li {name}: {plain(first_sentence(other))}")
    return "\n".join(lines) + " */\n"


def convert(source):
    out, at, first = [], 0, True
    for found in re.finditer(r"/\*(?P<text>\s.*?)\*/", source, re.S):
        line_start = source.rfind("\n", 0, found.start()) + 1
        before, text = source[line_start:found.start()], found["text"]
        behind = source[found.end():found.end() + 2]
        out.append(source[at:found.start()])
        at = found.end()
        if first:
            out.append("/** @file\n *" + plain(text) + "*/")
        elif text.startswith(" -- ") or behind.lstrip(" ").startswith("\\") or before.lstrip().startswith("#"):
            out.append(found[0])
        else:
            out.append(("/**<" if before.strip() else "/**") + plain(text) + "*/")
        first = False
    return "".join(out) + source[at:]


def main():
    path = sys.argv[1]
    with open(path, encoding="utf-8") as file:
        source = file.read()
    if os.path.basename(path) == "rask.h":
        sys.stdout.write(main_page(path, source))
    sys.stdout.write(convert(source))


if __name__ == "__main__":
    main()
