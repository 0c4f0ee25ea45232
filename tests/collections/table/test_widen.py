#!/usr/bin/env python3
"""Files whose later values are of other types than their first ones: rask csv --misfit widen against types told in plain Python.

    test_widen.py PROGRAM [CASES [SEED]]

Prints TAP."""
import csv
import json
import os
import random
import re
import subprocess
import sys

import test_table as tt

DATE = r"\d{4}-\d{2}-\d{2}"
PATTERNS = {
    "int64": r"[+-]?\d{1,18}",
    "float64": r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf",
    "bool": r"(?i:true|false)",
    "date": DATE,
    "timestamp": DATE + r"[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?Z?",
}
POOLS = {
    "int64": ["0", "7", "-12", "+3", "123456789012"],
    "float64": ["0.5", "-1.25", "1e3", "12345678901234567890"],
    "bool": ["true", "FALSE"],
    "date": ["2024-01-31", "1969-12-31"],
    "timestamp": ["2024-01-31 12:34", "2024-01-31T12:34:56.5Z"],
    "string": ["x", "2024-13-01x", "1 2", 'a"b', "a\nb", "1,5", "truex", "--1", "5\"", "é"],
    "null": ["", "NA"],
    "blank": [" ", "\t"],
}


def type_of(values):
    """values: of fields that are not null."""
    values = [v.strip(" \t") for v in values]
    values = [v for v in values if v]
    for name, pattern in PATTERNS.items():
        if values and all(re.fullmatch(pattern, v) for v in values):
            return name
    return "string"


def some_column(r, rows):
    pools = [r.choice(list(PATTERNS)) for _ in range(r.choice([1, 1, 2]))] + r.choice([[], ["null"], ["null", "blank"], []])
    late = r.choice([[], [], ["string"], ["float64"], ["int64"], ["date"], ["timestamp"], ["bool"]])
    begin = r.randrange(rows) if rows else 0
    values = []
    for i in range(rows):
        pool = r.choice(pools) if i < begin or not late or r.random() < 0.9 else r.choice(late)
        values.append(r.choice(POOLS[pool]))
    return values


def write(r, path, columns, begin, end):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator=r.choice(["\n", "\r\n"]))
        writer.writerow([f"c{i}" for i in range(len(columns))] + ["last"])
        for row in range(begin, end):
            writer.writerow([c[row] for c in columns] + ["z"])


def run(program, arguments):
    done = subprocess.run([program, "csv"] + arguments, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, f"{arguments}: {done.stderr.decode(errors='replace')}"
    return done.stdout.decode()


def check_case(program, seed, folder):
    r = random.Random(seed)
    rows = r.choice([0, 1, 5, 100, 2000])
    columns = [some_column(r, rows) for _ in range(r.randrange(1, 6))]
    cuts = [0] + sorted(r.randrange(rows + 1) for _ in range(r.randrange(4))) + [rows]
    paths = []
    for number, (begin, end) in enumerate(zip(cuts, cuts[1:])):
        paths.append(os.path.join(folder, f"{number}.csv"))
        write(r, paths[-1], columns, begin, end)
    wanted = [type_of([v for v in c if v not in POOLS["null"]]) for c in columns] + ["string"]
    size = sum(map(os.path.getsize, paths))
    block = r.choice([b for b in (1, 30, 1000, 1 << 20) if size / b < 1000])
    arguments = paths + ["--misfit", "widen", "--block-size", str(block),
                         "--workers", str(r.choice([1, 3]))]
    found = [json.loads(line)["type"] for line in run(program, arguments + ["--schema", "--json"]).splitlines()]
    assert found == wanted, f"{found}, not {wanted}"
    out = run(program, arguments + ["--agg", "count() as n"])
    assert out == f"n\n{rows}\n", out
    read = list(csv.reader(run(program, arguments + ["--select", "c0"]).splitlines(keepends=True))) if wanted[0] == "string" else None
    if read and not any("\r" in v or "\n" in v for v in columns[0]):
        want = [["" if v in POOLS["null"] else v] for v in columns[0]]
        assert [row or [""] for row in read[1:]] == want, f"{read[1:5]}, not {want[:4]}"


if __name__ == "__main__":
    sys.exit(tt.run_cases(check_case, 60, "rask-widen-"))
