#!/usr/bin/env python3
"""Random tables joined, and rows that differ: rask csv against plain Python, and against itself with other ways to join, other
blocks, workers and budgets.

    test_join.py PROGRAM [CASES [SEED]]

Case N of seed S is random.Random(f"{S}/{N}"). Prints TAP; what differed stays in a folder that is named."""
import os
import random
import sys

import test_table as tt

HOWS = ["inner", "left", "right", "outer", "semi", "anti"]
KINDS = ["int64", "float64", "bool", "date", "timestamp", "string"]


# --- random tables

def some_key(r, kind, style):
    """Few different values, so that they meet, and now and then one that nobody has."""
    if r.random() < 0.05:
        return tt.some_value(r, kind, r.randrange(4))
    if kind == "int64":
        return r.choice([r.randrange(-3, 12), 2**53 + r.randrange(3), -2**63]) if style else r.randrange(40)
    if kind == "float64":
        return r.choice([float(r.randrange(-3, 12)), -0.0, 0.0, 2.5, float("nan"), 2.0**53, -2.0**63, 1e300]) if style \
            else float(r.randrange(40))
    if kind == "string":
        return r.choice(["", "a", "ab", "sixteen bytes long", "another that is long", "x" * 40 + r.choice("ab")]) if style \
            else f"k{r.randrange(40)}"
    return tt.some_value(r, kind, 0)


def key_kinds(r):
    kind = r.choice(KINDS)
    if kind in ("int64", "float64") and r.random() < 0.4:
        return kind, r.choice(["int64", "float64"])
    return kind, kind


def some_side(r, kinds, names, prefix):
    rows, style, hole = r.choice([0, 1, 5, 30, 100, 300]), r.randrange(2), r.choice([0, 0, 0.1, 0.5])
    if r.random() < 0.05:
        rows = 6000  # more than one batch
    values = lambda kind: [None if r.random() < hole else some_key(r, kind, style) for _ in range(rows)]
    columns = [tt.Column(name, kind, values(kind)) for name, kind in zip(names, kinds)]
    if r.random() < 0.2 and kinds[0] in ("int64", "string"):  # unique
        columns[0].values = [i if kinds[0] == "int64" else f"k{i}" for i in r.sample(range(rows), rows)]
    for i in range(r.randrange(4)):
        kind, hole = r.choice(KINDS), r.choice([0, 0, 0.3])
        name = r.choice([f"{prefix}{i}", f"both{i}"])
        columns.append(tt.Column(name, kind, [None if r.random() < hole else tt.some_value(r, kind, r.randrange(4))
                                              for _ in range(rows)]))
    return columns


def row_number(columns):
    """A column that tells rows apart, so that their order shows."""
    rows = len(columns[0].values)
    return tt.Column("row", "int64", list(range(rows)))


# --- the answer

def meeting_key(values):
    if any(v is None for v in values):
        return None
    return tuple("nan" if v != v else v + 0 if isinstance(v, float) else v for v in values)


def rows_by_key(columns, count, rows):
    found = {}
    for row in range(rows):
        key = meeting_key([c.values[row] for c in columns[:count]])
        if key is not None:
            found.setdefault(key, []).append(row)
    return found


def pairs_of(left, right, count, how):
    """Numbers of rows that come together; None: there is none."""
    rows, others = len(left[0].values), len(right[0].values)
    by_key = rows_by_key(right, count, others)
    partners = [by_key.get(meeting_key([c.values[row] for c in left[:count]]), []) for row in range(rows)]
    if how == "semi":
        return [(row, None) for row in range(rows) if partners[row]]
    if how == "anti":
        return [(row, None) for row in range(rows) if not partners[row]]
    pairs = [(row, other) for row in range(rows)
             for other in partners[row] or ([None] if how in ("left", "outer") else [])]
    if how == "right":
        pairs.sort(key=lambda pair: pair[1])
    taken = {other for _, other in pairs}
    alone = [(None, other) for other in range(others) if other not in taken] if how in ("right", "outer") else []
    if how == "right":
        return sorted(pairs + alone, key=lambda pair: (pair[1], -1 if pair[0] is None else pair[0]))
    return pairs + alone


def key_column(left, right, pairs, how):
    """The key's kind and values in the result."""
    kind = right.kind if how == "right" else left.kind
    if how == "outer" and left.kind != right.kind:
        kind = "float64"
    values = []
    for row, other in pairs:
        value = right.values[other] if row is None or how == "right" else left.values[row]
        values.append(float(value) if kind == "float64" and value is not None else value)
    return tt.Column(left.name, kind, values)


def join(left, right, count, how):
    pairs = pairs_of(left, right, count, how)
    at = lambda column, row: None if row is None else column.values[row]
    result = [key_column(a, b, pairs, how) for a, b in zip(left[:count], right[:count])]
    result += [tt.Column(c.name, c.kind, [at(c, row) for row, _ in pairs]) for c in left[count:]]
    names = [c.name for c in left]
    for c in right[count:] if how not in ("semi", "anti") else []:
        name = c.name + "_right" if c.name in names else c.name
        result.append(tt.Column(name, c.kind, [at(c, other) for _, other in pairs]))
    return result


def distinct(rows, names):
    seen, kept = set(), []
    for row in rows:
        key = tuple(tt.order_key(row[n]) for n in names)
        if key not in seen:
            seen.add(key)
            kept.append(row)
    return kept


# --- one case

def write_side(r, folder, name, columns):
    os.mkdir(os.path.join(folder, name))
    return tt.write_files(r, os.path.join(folder, name), columns, ",")


def types_of(columns):
    return ", ".join(f"{c.name}:{c.kind}" for c in columns)


def some_configuration(r, size):
    arguments = ["--join-method", r.choice(["auto", "broadcast", "partitioned", "partitioned"])]
    return arguments + tt.some_configuration(r, 8 * size)  # a join has more tasks


def ask(r, columns):
    """A question, with distinct rows somewhere or nowhere."""
    question = tt.Question(r, columns)
    steps = [question.add_columns, question.filter, question.group, question.sort_and_limit, question.select]
    if r.random() < 0.4:
        steps = [question.filter]
    for step in steps:
        if step == question.group and r.random() < 0.3:  # pylint: disable=comparison-with-callable
            names = r.sample(list(question.table.kinds), min(len(question.table.kinds), r.choice([1, 1, 2, 3])))
            question.arguments += ["--distinct=" + ", ".join(names)]
            question.table.rows = distinct(question.table.rows, names)
        step()
    words = " ".join(question.arguments)
    if r.random() < 0.2 and "--distinct" not in words and "--limit" not in words and not question.table.close:
        question.arguments += ["--distinct"]
        question.table.rows = distinct(question.table.rows, list(question.table.kinds))
    return question


def check_case(program, seed, folder):
    r = random.Random(seed)
    kinds = [key_kinds(r) for _ in range(r.choice([1, 1, 1, 2, 3]))]
    left_names = [f"k{i}" for i in range(len(kinds))]
    right_names = [n if r.random() < 0.6 else f"other {n}" for n in left_names]
    left = some_side(r, [k[0] for k in kinds], left_names, "l")
    right = some_side(r, [k[1] for k in kinds], right_names, "r")
    left.append(row_number(left))
    right.append(row_number(right))
    how = r.choice(HOWS)
    paths = write_side(r, folder, "left", left)
    others = write_side(r, folder, "right", right)
    on = ", ".join(a if a == b else f"{a} = `{b}`" for a, b in zip(left_names, right_names))
    arguments = paths + ["--types", types_of(left), "--null", "-", "--delimiter", ","]
    arguments += ["--join", os.path.join(folder, "right"), "--on", on, "--how", how, "--join-types", types_of(right)]
    question, large = None, False
    try:
        question = ask(r, join(left, right, len(kinds), how))
        arguments += question.arguments
    except tt.TooLarge:
        large = True
    with open(os.path.join(folder, "command"), "w", encoding="utf-8") as file:
        file.write(repr(arguments))
    if large:
        return
    status, out, err = tt.run(program, arguments)
    if "needs the module" in err:
        return
    assert status == 0, f"status {status}: {err}"
    tt.check_answer(question.table, out.decode(), False)
    tt.check_again(r, program, arguments, out, sum(map(os.path.getsize, paths + others)), some_configuration)


if __name__ == "__main__":
    sys.exit(tt.run_cases(check_case, 50, "rask-join-"))
