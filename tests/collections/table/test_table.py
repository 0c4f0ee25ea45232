#!/usr/bin/env python3
"""Random tables and questions: rask csv against plain Python, and against itself with other blocks, workers and budgets.

    test_table.py PROGRAM [CASES [SEED]]

Case N of seed S is random.Random(f"{S}/{N}"). Prints TAP; what differed stays in a folder that is named."""
import bz2
import datetime
import gzip
import json
import lzma
import math
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from fractions import Fraction

INT_MIN, INT_MAX = -2**63, 2**63 - 1
EPOCH = datetime.date(1970, 1, 1).toordinal()
DAY = 86400 * 10**6
SPACES = " \t\n\r\v\f"
NUMBERS = ("int64", "float64")


# --- values as text

def date_text(days):
    return datetime.date.fromordinal(days + EPOCH).isoformat()


def timestamp_text(micros):
    days, rest = divmod(micros, DAY)
    seconds, part = divmod(rest, 10**6)
    text = f"{date_text(days)} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return text + (f".{part:06}".rstrip("0") if part else "")


def value_text(kind, value):
    if kind == "bool":
        return "true" if value else "false"
    if kind == "date":
        return date_text(value)
    if kind == "timestamp":
        return timestamp_text(value)
    return value if kind == "string" else repr(value)


def parse_value(kind, text):
    if kind == "bool":
        return {"true": True, "false": False}[text]
    if kind == "date":
        return datetime.date.fromisoformat(text).toordinal() - EPOCH
    if kind == "timestamp":
        day, clock = text.split(" ")
        whole, _, part = clock.partition(".")
        hour, minute, second = map(int, whole.split(":"))
        return parse_value("date", day) * DAY + (hour * 3600 + minute * 60 + second) * 10**6 + int((part + "000000")[:6])
    return {"int64": int, "float64": float, "string": str, "described": str}[kind](text)


def parse_csv(text):
    """Records of (text, quoted) fields: the module csv does not tell nothing from empty text."""
    records, record, at = [], [], 0
    while at < len(text):
        if text[at] == '"':
            end = at + 1
            while text[end] != '"' or text[end + 1:end + 2] == '"':
                end += 2 if text[end] == '"' else 1
            field, end = (text[at + 1:end].replace('""', '"'), True), end + 1
        else:
            end = at
            while text[end] not in ",\n":
                end += 1
            field = (text[at:end], False)
        record.append(field)
        if text[end] == "\n":
            records.append(record)
            record = []
        else:
            assert text[end] == ",", text[at:end + 20]
        at = end + 1
    assert not record, "the last line does not end"
    return records


def same_described(text, value):
    """A value of some type as text."""
    return same("float64", float(text), value, True) if isinstance(value, float) else text == value


def same(kind, a, b, close):
    if a is None or b is None:
        return a is b
    if kind == "described":
        return same_described(a, b)
    if kind != "float64":
        return a == b
    if a != a or b != b:
        return a != a and b != b
    return a == b or (close and math.isclose(a, b, rel_tol=1e-11, abs_tol=1e-300))


# --- random tables

class Column:
    def __init__(self, name, kind, values):
        self.name, self.kind, self.values = name, kind, values


def some_text(r):
    letters = r.choice(["ab", "abAB ", 'a,;"\n', "xé漢z", "|\t\r\n#", "0123", "a'`\\"])
    return "".join(r.choice(letters) for _ in range(r.choice([0, 1, 1, 2, 3, 5, 9, 30])))


def some_float(r, style):
    if style == 0:
        return r.randrange(-100000, 100000) / 100
    if style == 1:
        return r.choice([0.0, -0.0, 1.0, 2.5, -3.25])
    if style == 2:
        return r.uniform(-1, 1) * 10.0 ** r.randrange(-300, 300)
    return r.choice([r.uniform(-5, 5), math.inf, -math.inf, math.nan, 1e308, 5e-324])


def some_value(r, kind, style):
    if kind == "bool":
        return r.random() < 0.5
    if kind == "int64":
        return [r.randrange(-5, 6), r.randrange(-10**6, 10**6), r.choice([INT_MIN, INT_MAX, 0, 1, r.randrange(INT_MIN, INT_MAX)]),
                r.randrange(3)][style]
    if kind == "float64":
        return some_float(r, style)
    if kind == "date":
        return r.randrange(-20000, 40000) if style else r.randrange(18000, 18010)
    if kind == "timestamp":
        second = r.randrange(-10**9, 4 * 10**9) if style else 1600000000 + r.randrange(5)
        return second * 10**6 + (r.choice([0, 500000, 1, 123456]) if style % 2 else 0)
    return r.choice(["a", "b", "c", "ab", "", "NA", "true"]) if style < 2 else some_text(r)


def some_table(r):
    rows = r.choice([0, 1, 2, 3, 10, 50, 200, 500, 2000]) if r.random() < 0.97 else 9000 # more than two batches
    kinds = ["int64", "float64", "string"] + [r.choice(["int64", "float64", "bool", "date", "timestamp", "string"])
                                                  for _ in range(r.randrange(6) if rows < 9000 else 0)]
    r.shuffle(kinds)
    columns = []
    for i, kind in enumerate(kinds):
        style, hole = r.randrange(4), r.choice([0, 0, 0.1, 0.5, 1])
        columns.append(Column(f"{kind[0]}{i}", kind, [None if r.random() < hole else some_value(r, kind, style)
                                                      for _ in range(rows)]))
    return columns


def field_text(r, column, value, delimiter):
    if value is None:
        return r.choice(["", "-"])
    text = value_text(column.kind, value)
    if column.kind != "string":
        return r.choice([text] * 5 + [" " + text, text + " ", f'"{text}"'])
    special = not text or text == "-" or text[0] == '"' or any(c in text for c in delimiter + '\r\n#')
    return '"' + text.replace('"', '""') + '"' if special or r.random() < 0.1 else text


def pieces(data):
    size = random.Random(len(data)).choice([1, 7, 50, 300, 5000])
    size = max(size, len(data) // 500)
    return [data[i:i + size] for i in range(0, len(data), size)]


def bgzf(data):
    """What bgzip makes: gzip members that tell their lengths, and an empty one at the end."""
    out = b""
    for piece in pieces(data) + [b""]:
        packer = zlib.compressobj(wbits=-15)
        body = packer.compress(piece) + packer.flush()
        out += b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + struct.pack("<H", len(body) + 25)
        out += body + struct.pack("<II", zlib.crc32(piece), len(piece))
    return out


def members(data):
    return b"".join(gzip.compress(piece) for piece in pieces(data)) or gzip.compress(b"")


def frames(data):
    """zstd frames that store their text as it is."""
    out = b""
    for piece in pieces(data) or [b""]:
        out += struct.pack("<IBI", 0xfd2fb528, 0xa0, len(piece))
        while True:
            some, piece = piece[:100000], piece[100000:]
            out += struct.pack("<I", len(some) << 3 | (not piece))[:3] + some
            if not piece:
                break
    return out


def write_files(r, folder, columns, delimiter):
    rows = len(columns[0].values)
    cuts = sorted(r.randrange(rows + 1) for _ in range(r.choice([0, 0, 0, 1, 2])))
    newline, paths, begin = r.choice(["\n", "\n", "\r\n"]), [], 0
    for number, end in enumerate(cuts + [rows]):
        lines = [delimiter.join(c.name for c in columns)]
        for i in range(begin, end):
            lines.append(delimiter.join(field_text(r, c, c.values[i], delimiter) for c in columns))
        data = (r.choice(["", "", "\ufeff"]) + newline.join(lines) + r.choice([newline, newline, ""])).encode()
        paths.append(os.path.join(folder, f"{number}.csv"))
        if r.random() < 0.3:
            data = r.choice([gzip.compress, bgzf, members, bz2.compress, lzma.compress] + [frames])(data)
        with open(paths[-1], "wb") as file:
            file.write(data)
        begin = end
    return paths


# --- random expressions: the text, and a function from a row to a value

def whole(value):
    return value if INT_MIN <= value <= INT_MAX else None


def divide(a, b):
    if b == 0:
        return math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1, b)
    return a / b


def strict(function, *parts):
    def call(row):
        values = [p(row) for p in parts]
        return None if any(v is None for v in values) else function(*values)
    return call


def both(a, b):
    def call(row):
        x, y = a(row), b(row)
        return False if x is False or y is False else None if x is None or y is None else True
    return call


def either(a, b):
    def call(row):
        x, y = a(row), b(row)
        return True if x is True or y is True else None if x is None or y is None else False
    return call


def extreme(largest):
    def pick(a, b):
        if a != a or b != b:
            return math.nan
        return max(a, b) if largest else min(a, b)
    return pick


UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")


def unit_index(unit, kind, value):
    """The number of the unit that a date or timestamp is in."""
    days = value if kind == "date" else value // DAY
    if unit in UNITS[:3]:
        day = datetime.date.fromordinal(days + EPOCH)
        return (day.year * 12 + day.month - 1) // {"year": 12, "quarter": 3, "month": 1}[unit]
    if unit == "week":
        return (days + 3) // 7
    return (value * DAY if kind == "date" else value) // {"day": DAY, "hour": DAY // 24, "minute": DAY // 1440, "second": 10**6}[unit]


def trunc(unit, kind, value):
    """By steps back, day by day; the time of day apart."""
    if unit in UNITS[4:]:
        size = {"day": DAY, "hour": DAY // 24, "minute": DAY // 1440, "second": 10**6}[unit]
        return value if kind == "date" else value - value % size
    days = value if kind == "date" else value // DAY
    while unit_index(unit, "date", days - 1) == unit_index(unit, "date", days):
        days -= 1
    return days if kind == "date" else days * DAY


class Expressions:
    def __init__(self, r, columns):
        self.r, self.columns = r, columns

    def column(self, kind):
        names = [c.name for c in self.columns if c.kind == kind and " " not in c.name]
        if not names:
            return None
        name = self.r.choice(names)
        return name, lambda row: row[name]

    def literal(self, kind):
        r = self.r
        if kind == "int64":
            value = r.choice([0, 1, 2, 3, 7, 100, 10**6])
            return str(value), lambda row: value
        if kind == "float64":
            value = r.choice([0.0, 0.5, 2.0, 1e3, 3.25])
            return repr(value), lambda row: value
        if kind == "bool":
            value = r.random() < 0.5
            return ("true" if value else "false"), lambda row: value
        if kind == "string":
            value = r.choice(["a", "b", "", "ab", "é", "x y"])
            return f'"{value}"', lambda row: value
        value = some_value(r, kind, 0)
        return f'{kind}("{value_text(kind, value)}")', lambda row: value

    def make(self, kind, depth):
        if depth <= 0 or self.r.random() < 0.15:
            return (self.r.random() < 0.8 and self.column(kind)) or self.literal(kind)
        return getattr(self, kind)(depth - 1)

    def any_of(self, kind, depth):
        """What every type has."""
        condition, a, b = self.make("bool", depth), self.make(kind, depth), self.make(kind, depth)
        pick = self.r.random()
        if pick < 0.2:
            other, c = self.make("bool", depth), self.make(kind, depth)
            return (f"case({condition[0]}, {a[0]}, {other[0]}, {b[0]}, {c[0]})",
                    lambda row: a[1](row) if condition[1](row) else b[1](row) if other[1](row) else c[1](row))
        if pick < 0.5:
            return (f"if({condition[0]}, {a[0]}, {b[0]})", lambda row: a[1](row) if condition[1](row) else b[1](row))
        def first(row):
            value = a[1](row)
            return b[1](row) if value is None else value
        return f"coalesce({a[0]}, {b[0]})", first

    def binary(self, kind, depth, operators):
        a, b = self.make(kind, depth), self.make(kind, depth)
        mark, function = self.r.choice(operators)
        return f"({a[0]} {mark} {b[0]})", strict(function, a[1], b[1])

    def call(self, depth, name, kinds, function):
        parts = [self.make(k, depth) for k in kinds]
        return f"{name}({', '.join(p[0] for p in parts)})", strict(function, *(p[1] for p in parts))

    def int64(self, depth):
        r = self.r
        pick = r.randrange(8)
        if pick < 3:
            return self.binary("int64", depth, [
                ("+", lambda a, b: whole(a + b)), ("-", lambda a, b: whole(a - b)), ("*", lambda a, b: whole(a * b)),
                ("//", lambda a, b: whole(a // b) if b else None), ("%", lambda a, b: a % b if b else None),
                ("&", lambda a, b: a & b), ("|", lambda a, b: a | b), ("^", lambda a, b: a ^ b)])
        if pick == 3:
            return self.any_of("int64", depth)
        if pick == 4:
            return self.call(depth, "length", ["string"], len)
        if pick == 5:
            kind = r.choice(["date", "timestamp"])
            if r.random() < 0.3:
                unit, a, b = r.choice(UNITS), self.make(kind, depth), self.make(kind, depth)
                return (f'date_diff("{unit}", {a[0]}, {b[0]})',
                        strict(lambda x, y: unit_index(unit, kind, y) - unit_index(unit, kind, x), a[1], b[1]))
            day = (lambda v: v) if kind == "date" else (lambda v: v // DAY)
            part = r.choice(["year", "month", "day"])
            if r.random() < 0.3:
                return self.call(depth, "weekday", [kind], lambda v: (day(v) + 3) % 7)
            return self.call(depth, part, [kind], lambda v: getattr(datetime.date.fromordinal(day(v) + EPOCH), part))
        if pick == 6:
            return self.call(depth, "abs", ["int64"], lambda v: whole(abs(v)))
        name = r.choice(["min", "max"])
        return self.call(depth, name, ["int64", "int64"], extreme(name == "max"))

    def float64(self, depth):
        r = self.r
        pick = r.randrange(7)
        if pick < 2:
            return self.binary("float64", depth, [("+", lambda a, b: a + b), ("-", lambda a, b: a - b), ("*", lambda a, b: a * b),
                                                  ("/", divide)])
        if pick == 2:
            return self.any_of("float64", depth)
        if pick == 3:
            a, b = self.make("int64", depth), self.make("int64", depth)
            return f"({a[0]} / {b[0]})", strict(lambda x, y: divide(float(x), float(y)), a[1], b[1])
        if pick == 4:
            a, b = self.make("int64", depth), self.make("float64", depth)
            return f"({a[0]} + {b[0]})", strict(lambda x, y: float(x) + y, a[1], b[1])
        if pick == 5:
            return self.call(depth, "sqrt", ["float64"], lambda v: math.sqrt(v) if v >= 0 else math.nan)
        name = r.choice(["min", "max"])
        return self.call(depth, name, ["float64", "float64"], extreme(name == "max"))

    def bool(self, depth):
        r = self.r
        pick = r.randrange(8)
        compare = [("==", lambda a, b: a == b), ("!=", lambda a, b: a != b), ("<", lambda a, b: a < b),
                   ("<=", lambda a, b: a <= b), (">", lambda a, b: a > b), (">=", lambda a, b: a >= b)]
        if pick < 2:
            return self.binary(r.choice(["int64", "float64", "date", "timestamp", "bool"]), depth, compare)
        if pick == 2:
            raw = [(m, lambda a, b, f=f: f(a.encode(), b.encode())) for m, f in compare]
            return self.binary("string", depth, raw)
        if pick == 3:
            a, b = self.make("bool", depth), self.make("bool", depth)
            mark, join = r.choice([("and", both), ("or", either), ("&", both), ("|", either)])
            return f"({a[0]} {mark} {b[0]})", join(a[1], b[1])
        if pick == 4:
            a = self.make("bool", depth)
            return f"(not {a[0]})", strict(lambda v: not v, a[1])
        if pick == 5:
            a = self.make(r.choice(["int64", "float64", "string", "date"]), depth)
            return f"is_null({a[0]})", lambda row: a[1](row) is None
        if pick == 6:
            a, values = self.make("int64", depth), [r.randrange(-3, 4) for _ in range(r.randrange(1, 5))]
            return f"({a[0]} in ({', '.join(map(str, values))},))", strict(lambda v: v in values, a[1])
        name, function = r.choice([("startswith", str.startswith), ("endswith", str.endswith), ("contains", str.__contains__)])
        return self.call(depth, name, ["string", "string"], function)

    def string(self, depth):
        pick = self.r.randrange(7)
        if pick == 0:
            return self.any_of("string", depth)
        if pick == 1:
            return self.binary("string", depth, [("+", lambda a, b: a + b)])
        if pick == 2:
            return self.call(depth, "upper", ["string"], str.upper)
        if pick == 3:
            return self.call(depth, "strip", ["string"], lambda v: v.strip(SPACES))
        if pick == 4:
            a, at, count = self.make("string", depth), self.r.randrange(4), self.r.randrange(4)
            return f"substring({a[0]}, {at}, {count})", strict(lambda v: v[at:at + count], a[1])
        if pick == 5:
            a = self.make("string", depth)
            return f'replace({a[0]}, "a", "é,")', strict(lambda v: v.replace("a", "é,"), a[1])
        return self.call(depth, "str", ["int64"], str)

    def trunc(self, kind):
        unit, a = self.r.choice(UNITS), self.make(kind, 0)
        return f'date_trunc("{unit}", {a[0]})', strict(lambda v: trunc(unit, kind, v), a[1])

    def date(self, depth):
        if self.r.random() < 0.5:
            return self.any_of("date", depth)
        if self.r.random() < 0.4:
            return self.trunc("date")
        a, days = self.make("date", 0), self.r.randrange(1000)
        return f"({a[0]} + {days})", strict(lambda v: v + days, a[1])

    def timestamp(self, depth):
        if self.r.random() < 0.5:
            return self.any_of("timestamp", depth)
        if self.r.random() < 0.5:
            return self.trunc("timestamp")
        a = self.make("date", 0)
        return f"timestamp({a[0]})", strict(lambda v: v * DAY, a[1])


# --- what is asked, and the answer

class Table:
    def __init__(self, kinds, rows):
        self.kinds, self.rows = kinds, rows  # kinds: by name, in order; rows: dicts
        self.close = set()  # columns that are right within rounding


def order_key(value):
    """Ascending; what comes last in both directions is told apart by the first element."""
    if value is None:
        return (2, 0)
    if value != value:
        return (1, 0)
    return (0, value.encode() if isinstance(value, str) else value)


def sort_rows(rows, keys):
    for name, descending in reversed(keys):
        values = sorted((row for row in rows if order_key(row[name])[0] == 0), key=lambda row: order_key(row[name])[1],
                        reverse=descending)  # stable in both directions
        rows = values + [r for r in rows if order_key(r[name])[0] == 1] + [r for r in rows if order_key(r[name])[0] == 2]
    return rows


class TooLarge(Exception):
    pass


def exact_sum(values):
    special = [v for v in values if not math.isfinite(v)]
    if special:
        return sum(special)
    total = sum(map(Fraction, values))
    try:
        return float(total)
    except OverflowError:
        return math.inf if total > 0 else -math.inf


def numbers_of(values):
    return [float(v) for v in values]


def total_of(kind, values):
    if kind == "float64":
        return exact_sum(values)
    total = sum(map(int, values))
    if whole(total) is None:
        raise TooLarge()
    return total


def mean_of(kind, values):
    if not values:
        return None
    total = exact_sum(values) if kind == "float64" else float(sum(map(int, values)))
    return total / len(values)


def variance_of(values):
    if len(values) < 2:
        return None
    if not all(map(math.isfinite, values)):
        return math.nan
    terms = list(map(Fraction, values))
    square = sum(t * t for t in terms) - sum(terms) ** 2 / len(terms)
    try:
        return float(square / (len(terms) - 1))
    except OverflowError:
        return math.inf


def root(value):
    return value if value is None or value != value else math.sqrt(value)


def quantile_of(values, q):
    if not values:
        return None
    if any(v != v for v in values):
        return math.nan
    values = sorted(values)
    place = q * (len(values) - 1)
    at = math.floor(place)
    a, b = values[at], values[min(at + 1, len(values) - 1)]
    return a if a == b else a + (b - a) * (place - at)


def place_of(values, q):
    """Of dates and times: the last one before, where a quantile lies between two."""
    if not values:
        return None
    values = sorted(values)
    place = q * (len(values) - 1)
    at = math.floor(place)
    return values[at] + math.floor((values[min(at + 1, len(values) - 1)] - values[at]) * (place - at))


def least_of(values, largest):
    numbers = [v for v in values if v == v]
    if not numbers:
        return math.nan if values else None
    return (max if largest else min)(numbers, key=lambda v: order_key(v)[1])


def distinct_of(values):
    return len({"nan" if v != v else (0.0 if v == 0 and not isinstance(v, (bool, str)) else v) for v in values})


AGGREGATES = {
    "sum": (True, lambda k: "float64" if k == "float64" else "int64", total_of, False),
    "mean": (True, lambda k: "float64", mean_of, False),
    "count": (False, lambda k: "int64", lambda k, v: len(v), False),
    "count_distinct": (False, lambda k: "int64", lambda k, v: distinct_of(v), False),
    "min": (False, lambda k: k, lambda k, v: least_of(v, False), False),
    "max": (False, lambda k: k, lambda k, v: least_of(v, True), False),
    "first": (False, lambda k: k, lambda k, v: v[0] if v else None, False),
    "last": (False, lambda k: k, lambda k, v: v[-1] if v else None, False),
    "var": (True, lambda k: "float64", lambda k, v: variance_of(numbers_of(v)), True),
    "std": (True, lambda k: "float64", lambda k, v: root(variance_of(numbers_of(v))), True),
    "median": (True, lambda k: "float64", lambda k, v: quantile_of(numbers_of(v), 0.5), True),
}


def tame(values):
    """Numbers whose squares and differences are none of the large ones, where formulas differ."""
    return all(v is None or (math.isfinite(v) and (v == 0 or 1e-100 < abs(v) < 1e100)) for v in values)


class Question:
    """Grows a command line and, beside it, its answer."""

    def __init__(self, r, columns):
        self.r, self.arguments = r, []
        kinds = {c.name: c.kind for c in columns}
        rows = [dict(zip(kinds, values)) for values in zip(*(c.values for c in columns))]
        self.table = Table(kinds, rows)

    def rename(self):
        r, t = self.r, self.table
        if r.random() < 0.8:
            return
        old = r.sample(list(t.kinds), r.randrange(1, len(t.kinds) + 1))
        new = old[1:] + old[:1] if r.random() < 0.3 and len(old) > 1 else [f"renamed {i}" if r.random() < 0.2 else f"renamed{i}"
                                                                         for i in range(len(old))]
        names = dict(zip(old, new))
        self.arguments += ["--rename", ", ".join(f"{a} as {b}" for a, b in names.items())]
        t.kinds = {names.get(n, n): k for n, k in t.kinds.items()}
        t.rows = [{names.get(n, n): v for n, v in row.items()} for row in t.rows]

    def fill_nulls(self):
        r, t = self.r, self.table
        if r.random() < 0.8:
            return
        name = r.choice(list(t.kinds))
        kind = t.kinds[name]
        text, function = Expressions(r, []).literal(kind)
        every = r.random() < 0.3
        fits = (kind, "float64") if kind == "int64" else (kind, "timestamp") if kind == "date" else (kind,)
        convert = {("int64", "float64"): float, ("date", "timestamp"): lambda v: v * DAY}
        self.arguments += ["--fill-nulls", f"={text}" if every else f"`{name}`={text}"]
        for n, k in t.kinds.items():
            if (every and k in fits) or (not every and n == name):
                value = convert.get((kind, k), lambda v: v)(function({}))
                for row in t.rows:
                    row[n] = value if row[n] is None else row[n]

    def drop_nulls(self):
        r, t = self.r, self.table
        if r.random() < 0.8:
            return
        names = list(t.kinds) if r.random() < 0.3 else r.sample(list(t.kinds), r.randrange(1, len(t.kinds) + 1))
        self.arguments += ["--drop-nulls", "*" if len(names) == len(t.kinds) else ", ".join(f"`{n}`" for n in names)]
        t.rows = [row for row in t.rows if all(row[n] is not None for n in names)]

    def add_columns(self):
        r, t = self.r, self.table
        for number in range(r.choice([0, 0, 1, 2])):
            kind = r.choice(["int64", "float64", "bool", "string", "date", "timestamp"])
            have = [Column(n, k, None) for n, k in t.kinds.items()]
            text, function = Expressions(r, have).make(kind, r.randrange(1, 4))
            name = r.choice([f"new{number}", f"new{number}", r.choice(list(t.kinds))])
            self.arguments += ["--with", f"{name}={text}"]
            values = [function(row) for row in t.rows]
            t.kinds = {**t.kinds, name: kind}
            t.rows = [{**row, name: value} for row, value in zip(t.rows, values)]

    def filter(self):
        r, t = self.r, self.table
        for _ in range(r.choice([0, 0, 1, 1, 2])):
            text, function = Expressions(r, [Column(n, k, None) for n, k in t.kinds.items()]).make("bool", r.randrange(1, 4))
            self.arguments += ["--where", text]
            t.rows = [row for row in t.rows if function(row) is True]

    def one_aggregate(self, number):
        r, t = self.r, self.table
        function = r.choice(list(AGGREGATES) + ["rows", "quantile"])
        if function == "rows":
            return f"count() as a{number}", "int64", len, False
        q = r.choice([0, 0.1, 0.25, 0.9, 1])
        only, result, compute, close = AGGREGATES["median" if function == "quantile" else function]
        names = [n for n, k in t.kinds.items() if not only or k in NUMBERS + ("bool",)]
        name = r.choice(names) if names else None
        if name is None or (close and not tame([row[name] for row in t.rows])):
            return f"count() as a{number}", "int64", len, False
        kind = t.kinds[name]
        if function == "quantile":
            compute = lambda k, v: quantile_of(numbers_of(v), q)
        argument = f"{name}, {q}" if function == "quantile" else name
        values = lambda rows: compute(kind, [row[name] for row in rows if row[name] is not None])
        return f"{function}({argument}) as a{number}", result(kind), values, close

    def describe(self):
        t = self.table
        kinds = {"column": "string", "type": "string", "count": "int64", "nulls": "int64", "distinct": "int64", "mean": "float64",
                 "std": "float64", "min": "described", "25%": "described", "50%": "described", "75%": "described", "max": "described"}
        described = Table(kinds, [])
        described.close = {"std", "min", "25%", "50%", "75%", "max"}
        for name, kind in t.kinds.items():
            values = [row[name] for row in t.rows if row[name] is not None]
            numbers, text = kind in NUMBERS + ("bool",), lambda v, k=kind: v if v is None or k == "float64" else value_text(k, v)
            row = {"column": name, "type": kind, "count": len(values), "nulls": len(t.rows) - len(values),
                   "distinct": distinct_of(values), "mean": mean_of(kind, values) if numbers else None,
                   "std": root(variance_of(numbers_of(values))) if numbers else None,
                   "min": text(least_of(values, False)), "max": text(least_of(values, True))}
            for q in (25, 50, 75):
                row[f"{q}%"] = quantile_of(numbers_of(values), q / 100) if kind in NUMBERS else \
                    text(place_of(values, q / 100)) if kind in ("date", "timestamp") else None
            described.rows.append(row)
        self.arguments.append("--describe")
        self.table = described

    def quantiles(self):
        r, t = self.r, self.table
        chosen = {n: k for n, k in t.kinds.items() if k not in ("string", "bool")}
        targets = [r.choice([0.0, 0.1, 0.25, 0.5, 0.9, 1.0, r.random()]) for _ in range(r.randrange(1, 5))]
        self.arguments += ["--quantiles", ", ".join(map(repr, targets))]
        found = Table({"quantile": "float64", **{n: "float64" if k in NUMBERS else k for n, k in chosen.items()}}, [])
        found.close = {n for n, k in chosen.items() if k in NUMBERS}
        for q in targets:
            row = {"quantile": q}
            for name, kind in chosen.items():
                values = [row[name] for row in t.rows if row[name] is not None]
                row[name] = quantile_of(numbers_of(values), q) if kind in NUMBERS else place_of(values, q)
            found.rows.append(row)
        self.table = found

    def count_values(self):
        r, t = self.r, self.table
        keys = r.sample(list(t.kinds), min(len(t.kinds), r.choice([1, 1, 2, 3])))
        self.arguments += ["--value-counts", ", ".join(f"`{k}`" for k in keys)]
        groups = {}
        for row in t.rows:
            groups.setdefault(tuple(order_key(row[k]) for k in keys), []).append(row)
        self.table = Table({**{k: t.kinds[k] for k in keys}, "count": "int64"}, [])
        for key in sorted(groups, key=lambda k: (-len(groups[k]), k)):
            self.table.rows.append({**{k: groups[key][0][k] for k in keys}, "count": len(groups[key])})

    def summarise(self):
        """Columns are chosen before they are described, and after they are grouped."""
        r, t = self.r, self.table
        pick = r.random()
        numbers = [n for n, k in t.kinds.items() if k in NUMBERS + ("bool",)]
        can = all(tame([row[n] for row in t.rows]) for n in numbers)
        if pick < 0.12 and can:
            self.select()
            self.describe()
        elif pick < 0.24 and can and any(k not in ("string", "bool") for k in t.kinds.values()):
            self.quantiles()
        elif pick < 0.32:
            self.count_values()
        else:
            self.group()
            self.sort_and_limit()
            self.select()
            return
        self.sort_and_limit()

    def group(self):
        r, t = self.r, self.table
        if r.random() < 0.5:
            return
        keys = r.sample(list(t.kinds), min(len(t.kinds), r.choice([0, 1, 1, 1, 2, 3])))
        items = [self.one_aggregate(i) for i in range(r.randrange(1, 5))]
        self.arguments += (["--group-by", ", ".join(keys)] if keys else []) + ["--agg", ", ".join(i[0] for i in items)]
        groups = {} if keys else {(): t.rows}
        for row in t.rows if keys else []:
            groups.setdefault(tuple(order_key(row[k]) for k in keys), []).append(row)
        grouped = Table({k: t.kinds[k] for k in keys}, [])
        for number, item in enumerate(items):
            grouped.kinds[f"a{number}"] = item[1]
            if item[3]:
                grouped.close.add(f"a{number}")
        for key in sorted(groups):
            row = {k: groups[key][0][k] for k in keys}
            row.update((f"a{i}", item[2](groups[key])) for i, item in enumerate(items))
            grouped.rows.append(row)
        self.table = grouped

    def sort_and_limit(self):
        r, t = self.r, self.table
        if r.random() < 0.5:
            names = [n for n in t.kinds if n not in t.close]
            keys = [(n, r.random() < 0.5) for n in r.sample(names, min(len(names), r.choice([1, 1, 2, 3])))]
            if keys:
                self.arguments += ["--sort", ", ".join(n + (r.choice([":desc", " desc"]) if d else r.choice(["", ":asc"]))
                                                       for n, d in keys)]
                t.rows = sort_rows(t.rows, keys)
        if r.random() < 0.3:
            limit = r.choice([0, 1, 2, 10, 100, 10**6])
            last = r.random() < 0.4
            self.arguments += ["--tail" if last else "--limit", str(limit)]
            t.rows = t.rows[max(len(t.rows) - limit, 0):] if last else t.rows[:limit]

    def select(self):
        r, t = self.r, self.table
        if r.random() < 0.6:
            return
        names = r.sample(list(t.kinds), r.randrange(1, len(t.kinds) + 1))
        renamed = [n if r.random() < 0.7 else f"other{i}" for i, n in enumerate(names)]
        if len(names) > 1 and r.random() < 0.4:
            renamed = names[1:] + names[:1]
        self.arguments += ["--select", ", ".join(n if n == m else f"{n} as {m}" for n, m in zip(names, renamed))]
        selected = Table({m: t.kinds[n] for n, m in zip(names, renamed)}, [])
        selected.close = {m for n, m in zip(names, renamed) if n in t.close}
        selected.rows = [{m: row[n] for n, m in zip(names, renamed)} for row in t.rows]
        self.table = selected


# --- comparing

def read_answer(table, text, is_json):
    if is_json:
        return [[row[n] for n in table.kinds] for row in map(json.loads, text.splitlines())]
    records = parse_csv(text)
    assert [f[0] for f in records[0]] == list(table.kinds), f"names are {records[0]}"
    return [[None if f == ("", False) else parse_value(k, f[0]) for k, f in zip(table.kinds.values(), record)]
            for record in records[1:]]


def check_answer(table, text, is_json):
    rows = read_answer(table, text, is_json)
    assert len(rows) == len(table.rows), f"{len(rows)} rows, not {len(table.rows)}"
    for number, (row, wanted) in enumerate(zip(rows, table.rows)):
        assert len(row) == len(wanted), f"row {number}: {len(row)} fields"
        for value, (name, kind) in zip(row, table.kinds.items()):
            want = wanted[name]
            if is_json and want is not None:
                if kind in ("date", "timestamp"):
                    want = value_text(kind, want)
                elif kind == "float64":
                    want = want if math.isfinite(want) else None
                    value = None if value is None else float(value)
            assert same(kind, value, want, name in table.close), f"row {number}, {name}: {value!r}, not {want!r}"


def some_configuration(r, size):
    arguments = []
    blocks = [b for b in (1, 2, 7, 64, 1000, 20000) if size / b < 3000]
    if r.random() < 0.8:
        arguments += ["--block-size", str(r.choice(blocks))]
    arguments += ["--workers", str(r.choice([1, 2, 3])), "--scheduler", r.choice(["serial", "threads", "processes"])]
    if r.random() < 0.5:
        arguments += ["--memory", r.choice(["2M", "3M", "5M", "16M"])]
    return arguments


def run(program, arguments):
    done = subprocess.run([program, "csv"] + arguments, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")



def check_case(program, seed, folder):
    r = random.Random(seed)
    columns = some_table(r)
    delimiter = r.choice([",", ",", ";", "\t", "|"])
    paths = write_files(r, folder, columns, delimiter)
    question, large = Question(r, columns), False
    try:
        for step in (question.rename, question.fill_nulls, question.drop_nulls, question.add_columns, question.filter,
                     question.summarise):
            step()
    except TooLarge:
        large = True
    types = ", ".join(f"{c.name}:{c.kind}" for c in columns)
    is_json = r.random() < 0.3
    arguments = paths + ["--types", types, "--null", "-", "--delimiter", delimiter] + question.arguments
    arguments += ["--json"] if is_json else []
    with open(os.path.join(folder, "command"), "w", encoding="utf-8") as file:
        file.write(repr(arguments))
    status, out, err = run(program, arguments)
    if large and "needs the module" not in err:
        assert status == 1 and "is too large for an int64" in err, f"no error for a sum that is too large: {status}, {err}"
    if large:
        return
    if any(p.endswith(".gz") for p in paths) and "needs the module" in err:
        return
    assert status == 0, f"status {status}: {err}"
    check_answer(question.table, out.decode(), is_json)
    check_again(r, program, arguments, out, sum(map(os.path.getsize, paths)), some_configuration)


def check_again(r, program, arguments, out, size, configuration):
    """The same bytes from other blocks, workers and budgets."""
    for _ in range(3):
        more = configuration(r, size)
        status, other, err = run(program, arguments + more)
        if status == 1 and "--memory" in more and "memory" in err:
            continue
        assert status == 0, f"status {status} with {more}: {err}"
        assert other == out, f"other bytes with {more}"


def run_cases(check, cases, prefix):
    """Calls check(program, seed, folder) for cases as the command line says, and prints TAP. Whether some failed."""
    program = os.path.abspath(sys.argv[1])
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else cases
    seed = sys.argv[3] if len(sys.argv) > 3 else "1"
    for name in ("RASK_SCHEDULER", "RASK_WORKERS", "RASK_MEMORY", "RASK_SCRATCH"):
        os.environ.pop(name, None)
    failures = 0
    for number in range(cases):
        folder = tempfile.mkdtemp(prefix=prefix)
        try:
            check(program, f"{seed}/{number}", folder)
        except (AssertionError, subprocess.TimeoutExpired, UnicodeError, ValueError, KeyError, IndexError) as error:
            failures += 1
            print(f"not ok {number + 1} - case {seed}/{number}\n# {folder}: {type(error).__name__}: {str(error)[:600]}", flush=True)
            continue
        shutil.rmtree(folder)
        print(f"ok {number + 1} - case {seed}/{number}")
    print(f"1..{cases}")
    return failures > 0


if __name__ == "__main__":
    sys.exit(run_cases(check_case, 150, "rask-table-"))
