"""What documents show in C is what is compiled and run: each block stands in one of the sources.

usage: test_snippets.py DOCUMENT[#HEADING] … -- SOURCE …

Of a document with a heading only that section counts. White space and comments do not. Prints TAP.
"""
import re
import sys


def code_of(text):
    """Without comments, which texts such as "logs/*.gz" do not begin, and without white space."""
    def kept(found):
        return found[0] if found[0].startswith('"') else ""
    return "".join(re.sub(r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/', kept, text, flags=re.S).split())


def section(text, heading):
    if not heading:
        return text
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return found.group(1) if found else ""


def blocks(document):
    name, _, heading = document.partition("#")
    with open(name, encoding="utf-8") as file:
        text = section(file.read(), heading)
    return [(document, block) for block in re.findall(r"^```c\n(.*?)^```", text, re.M | re.S)]


def main():
    split = sys.argv.index("--")
    sources = []
    for name in sys.argv[split + 1:]:
        with open(name, encoding="utf-8") as file:
            sources.append(code_of(file.read()))
    shown = [block for document in sys.argv[1:split] for block in blocks(document)]
    print(f"1..{len(shown) or 1}")
    if not shown:
        print("not ok 1 - there is nothing to check")
    for number, (document, block) in enumerate(shown, 1):
        there = any(code_of(block) in source for source in sources)
        print(f"{'ok' if there else 'not ok'} {number} - {document}: {block.strip().splitlines()[0]}")


if __name__ == "__main__":
    main()
