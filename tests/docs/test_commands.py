"""What documents and helps show in a shell runs: each line of a block that calls rask ends well, and each example of a help, over
files as they speak of.

usage: test_commands.py RASK DOCUMENT …

Lines that call something else are passed over, and those over what this build lacks. Workflows in blocks of JSON are read, graphs are
drawn. Prints TAP.
"""
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile

SALES = "name,amount,qty,day,price,customer\nann,600.5,2,2024-01-01,3,1\nbob,5,1,2024-02-02,4.5,2\n"
LINES = "ERROR disk timeout after 12 s\nall is well 10.0.0.1\nERROR net 10.0.0.2\n"
MONTAGE = {"name": "m", "schemaVersion": "1.4", "workflow": {"tasks": [
    {"name": "project", "id": "1", "parents": [], "files": [], "command": {"program": "p"}, "runtimeInSeconds": 1},
    {"name": "add", "id": "2", "parents": ["1"], "files": [], "command": {"program": "a"}, "runtimeInSeconds": 2}]}}
TEXTS = {"sales.csv": SALES, "sales-1.csv": SALES, "sales-2.csv": SALES, "customers.csv": "id,country\n1,no\n2,se\n",
         "logs/app.log": LINES, "access.log": LINES, "big.txt": LINES * 50, "books/one.txt": LINES, "book.txt": LINES,
         "logs/app.txt": LINES, "montage.json": json.dumps(MONTAGE), "pipeline.json": json.dumps(MONTAGE),
         "flow.json": '{"tasks": {"a": {"command": "true"}}}'}
PACKED = {"logs/a.csv.gz": "status,path,host\n500,/api/x,h1\n200,/,h2\n", "access.csv.gz":
          "time,seconds\n2024-01-01T10:00:00,0.5\n2024-01-01T11:00:00,2\n"}
ARRAYS = [("a.npy", "arange(12.0).reshape(3, 4)"), ("b.npy", "ones((3, 4))"), ("big.npy", "arange(100.0).reshape(10, 10)[::-1]"),
          ("part-1.npy", "ones((4, 5))"), ("part-2.npy", "zeros((4, 5))"), ("data.h5:/group/x", "ones((20, 20))"),
          ("measured.h5:/run/7", "arange(12.0).reshape(3, 4)")]


def prepare(rask, has):
    for folder in ("logs", "books", "home"):
        os.mkdir(folder)
    for name, text in TEXTS.items():
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
    for name, text in PACKED.items():
        with gzip.open(name, "wt") as file:
            file.write(text)
    for name, expression in ARRAYS:
        if ".h5" not in name or has["arrays"]["h5"]:
            subprocess.run([rask, "eval", "-o", name, expression], check=True)


def blocks(document, kind):
    with open(document, encoding="utf-8") as file:
        return re.findall(rf"^```{kind}\n(.*?)^```", file.read(), re.M | re.S)


def lines(document):
    """Those that begin with rask, behind variables perhaps, but for blocks that start what stays."""
    for block in blocks(document, "sh"):
        for line in [] if re.search(r" &( |$)", block, re.M) else block.splitlines():
            if re.match(r"([A-Z_]+=\S+ )*rask ", line):
                yield line


def examples(rask):
    """Those of the helps of commands that come to an end soon."""
    for command in ("csv", "eval", "text", "words", "run", "draw", "info"):
        text = subprocess.run([rask, "help", command], check=True, capture_output=True, text=True).stdout
        yield re.search(r"^Example: (.*)", text, re.M)[1]


def lacks(line, has):
    """What the line needs and this build does not have; None: nothing."""
    needs = {r"\.h5": ("arrays", "h5"), r"\.zarr": ("arrays", "zarr"), r"\.svg": ("drawing", "svg"), r"\.gz|logs/": ("text", "gzip"),
             r"--grep|-g '": ("text", "patterns"), "cluster keys": ("clusters", "zmq")}
    for pattern, (group, name) in needs.items():
        if re.search(pattern, line) and not has[group][name]:
            return f"{group} {name}"
    return None


def told(number, name, outcome):
    good = outcome.returncode == 0
    print(f"{'ok' if good else 'not ok'} {number} - {name}".replace("#", "\\#"))
    for text in [] if good else outcome.stderr.splitlines():
        print(f"# {text}")
    return good


def json_command(block):
    """What reads the file x.json that the block is put into; None: it is only a part of one."""
    if not block.startswith("{"):
        return None
    return "rask run --dry-run x.json" if '"tasks"' in block else "rask draw x.json -o x.dot"


def main():
    rask, documents = os.path.abspath(sys.argv[1]), [os.path.abspath(name) for name in sys.argv[2:]]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RASK_")}
    environment["PATH"] = os.path.dirname(rask) + ":" + os.environ["PATH"]
    has = json.loads(subprocess.run([rask, "info", "--json"], check=True, capture_output=True, text=True).stdout)
    number, failed = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        environment["HOME"] = os.path.join(folder, "home")
        prepare(rask, has)

        def shell(line):
            return subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=environment, timeout=100, check=False)

        shown = [("help", line) for line in examples(rask)]
        shown += [(os.path.basename(document), line) for document in documents for line in lines(document)]
        for name, line in shown:
            number += 1
            missing = lacks(line, has)
            if missing:
                print(f"ok {number} - {name}: {line.split('#')[0]}# SKIP no {missing}")
            else:
                failed += not told(number, f"{name}: {line}", shell(line))
        for document in documents:
            for block in filter(json_command, blocks(document, "json")):
                number += 1
                with open("x.json", "w", encoding="utf-8") as file:
                    file.write(block)
                failed += not told(number, f"{os.path.basename(document)}: a block of JSON", shell(json_command(block)))
        os.chdir("/")
    print(f"1..{number}")
    return 1 if failed or not number else 0


if __name__ == "__main__":
    sys.exit(main())
