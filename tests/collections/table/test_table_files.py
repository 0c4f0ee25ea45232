#!/usr/bin/env python3
"""Random tables written as Arrow files, Arrow streams and .npy by rask csv, and read by decoders written from the formats'
specifications: every value, and the same bytes with other blocks and workers.

    test_table_files.py PROGRAM [CASES [SEED]]

Case N of seed S is random.Random(f"{S}/{N}"). Prints TAP; what differed stays in a folder that is named."""
import datetime
import math
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
EPOCH = datetime.date(1970, 1, 1).toordinal()
KINDS = ("bool", "int64", "float64", "date", "timestamp", "string")


class Wrong(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Wrong(what)


# --- FlatBuffers: https://flatbuffers.dev/internals/

class Table:
    def __init__(self, data, place):
        self.data, self.place = data, place
        need(place % 4 == 0, "a table that is not aligned")
        self.vtable = place - struct.unpack_from("<i", data, place)[0]
        self.slots = struct.unpack_from("<H", data, self.vtable)[0] // 2 - 2

    @staticmethod
    def root(data, place=0):
        return Table(data, place + struct.unpack_from("<I", data, place)[0])

    def at(self, slot):
        if slot >= self.slots:
            return 0
        offset = struct.unpack_from("<H", self.data, self.vtable + 4 + 2 * slot)[0]
        return self.place + offset if offset else 0

    def number(self, slot, kind, default=0):
        place = self.at(slot)
        need(place % struct.calcsize("<" + kind) == 0, "a field that is not aligned")
        return struct.unpack_from("<" + kind, self.data, place)[0] if place else default

    def refer(self, slot):
        place = self.at(slot)
        need(place, f"field {slot} is not there")
        return place + struct.unpack_from("<I", self.data, place)[0]

    def table(self, slot):
        return Table(self.data, self.refer(slot))

    def string(self, slot):
        place = self.refer(slot)
        size = struct.unpack_from("<I", self.data, place)[0]
        need(self.data[place + 4 + size] == 0, "a string without a NUL")
        return self.data[place + 4:place + 4 + size].decode()

    def tables(self, slot):
        place = self.refer(slot)
        count = struct.unpack_from("<I", self.data, place)[0]
        places = range(place + 4, place + 4 + 4 * count, 4)
        return [Table(self.data, at + struct.unpack_from("<I", self.data, at)[0]) for at in places]

    def structs(self, slot, layout):
        place = self.refer(slot)
        count, size = struct.unpack_from("<I", self.data, place)[0], struct.calcsize(layout)
        need((place + 4) % 8 == 0, "structures that are not aligned")
        return [struct.unpack_from(layout, self.data, place + 4 + size * i) for i in range(count)]


# --- Arrow: https://arrow.apache.org/docs/format/Columnar.html, Schema.fbs, Message.fbs, File.fbs

def read_type(field):
    kind = field.number(2, "B")
    inner = field.table(3)
    if kind == 2:
        need((inner.number(0, "i"), inner.number(1, "B")) == (64, 1), "an integer that is not int64")
        return "int64"
    if kind == 3:
        need(inner.number(0, "h") == 2, "a number that is not float64")
        return "float64"
    if kind == 8:
        need(inner.number(0, "h", 1) == 0, "a date that is not of days")
        return "date"
    if kind == 10:
        need(inner.number(0, "h") == 2 and not inner.at(1), "a timestamp with another unit, or a zone")
        return "timestamp"
    need(kind in (6, 20), f"type {kind}")
    return {6: "bool", 20: "string"}[kind]


def read_schema(schema):
    need(schema.number(0, "h") == 0, "not little-endian")
    for field in schema.tables(1):
        need(field.tables(5) == [] and field.number(1, "B") == 1, "a field with children, or never null")
    return [(field.string(0), read_type(field)) for field in schema.tables(1)]


def read_ids(schema):
    """Of each column the id of its dictionary, whose indices are int32, or None."""
    ids = []
    for field in schema.tables(1):
        encoding = field.table(4) if field.at(4) else None
        if encoding:
            index = encoding.table(1)
            need((index.number(0, "i"), index.number(1, "B")) == (32, 1), "indices that are not int32")
            need(read_type(field) == "string", "a dictionary of what is no text")
        ids.append(encoding.number(0, "q") if encoding else None)
    return ids


def bits(data, count):
    return [data[i // 8] >> (i % 8) & 1 for i in range(count)]


def read_column(kind, node, buffers, body):
    rows, nulls = node

    def take():
        place, size = next(buffers)
        need(place % 8 == 0 and place + size <= len(body), "a buffer outside of its message")
        return body[place:place + size]
    valid = take()
    valid = bits(valid, rows) if valid else [1] * rows
    need(valid.count(0) == nulls, "another number of nulls")
    data = take()
    if kind == "bool":
        values = [bool(b) for b in bits(data, rows)]
    elif kind == "string":
        text = take()
        ends = struct.unpack(f"<{rows + 1}q", data)
        need(ends[0] == 0 and ends[-1] == len(text), "ends that are not those of the text")
        values = [text[a:b].decode() for a, b in zip(ends, ends[1:])]
    else:
        letter = {"float64": "d", "date": "i", "index": "i"}.get(kind, "q")
        values = list(struct.unpack(f"<{rows}{letter}", data))
    return [value if there else None for value, there in zip(values, valid)]


def read_batch(batch, schema, body):
    rows = batch.number(0, "q")
    nodes, buffers = batch.structs(1, "<qq"), iter(batch.structs(2, "<qq"))
    need(len(nodes) == len(schema) and all(n[0] == rows for n in nodes), "other columns than the schema has")
    columns = [read_column(kind, node, buffers, body) for (_, kind), node in zip(schema, nodes)]
    need(next(buffers, None) is None, "more buffers than columns have")
    return columns


def read_message(data, place):
    """Message and body at a place, and where the next one is; None at the end."""
    mark, size = struct.unpack_from("<II", data, place)
    need(mark == 0xffffffff and place % 8 == 0 and size % 8 == 0, "no message")
    if not size:
        return None, None, place + 8
    message = Table.root(data[place + 8:place + 8 + size])
    need(message.number(0, "h") == 4, "not metadata V5")
    length = message.number(3, "q")
    begin = place + 8 + size
    need(begin + length <= len(data), "a body that is cut")
    return message, data[begin:begin + length], begin + length


def look_up(column, texts):
    need(len(set(texts)) == len(texts), "a text twice in a dictionary")
    return [None if i is None else texts[i] for i in column]


def read_stream(data, place=0):
    """Schema, columns, places of batches, and where the stream ends; places of dictionaries, which stand behind all batches."""
    message, _, place = read_message(data, place)
    need(message.number(1, "B") == 1, "no schema first")
    schema, ids = read_schema(message.table(2)), read_ids(message.table(2))
    stored = [(name, kind if i is None else "index") for (name, kind), i in zip(schema, ids)]
    columns, blocks, texts, dictionaries = [[] for _ in schema], [], {}, []
    while True:
        begin = place
        message, body, place = read_message(data, place)
        if message is None:
            need(len(texts) == len(set(ids) - {None}), "a dictionary is missing")
            columns = [c if i is None else look_up(c, texts[i]) for c, i in zip(columns, ids)]
            return schema, columns, blocks, place, dictionaries
        block = (begin, place - begin - len(body), len(body))
        if message.number(1, "B") == 2:
            one = message.table(2)
            need(one.number(0, "q") not in texts and not one.number(2, "B"), "a dictionary that changes")
            texts[one.number(0, "q")] = read_batch(one.table(1), [("", "string")], body)[0]
            dictionaries.append(block)
            continue
        need(message.number(1, "B") == 3 and not texts, "no batch")
        blocks.append(block)
        for column, more in zip(columns, read_batch(message.table(2), stored, body)):
            column.extend(more)


def read_file(data):
    need(data[:8] == b"ARROW1\0\0" and data[-6:] == b"ARROW1", "no magic")
    schema, columns, blocks, end, dictionaries = read_stream(data, 8)
    size = struct.unpack("<I", data[-10:-6])[0]
    need(end + size + 10 == len(data), "a footer elsewhere")
    footer = Table.root(data[end:end + size])
    need(read_schema(footer.table(1)) == schema, "another schema in the footer")
    found = [[(place, metadata, body) for place, metadata, _, body in footer.structs(slot, "<qiiq")] for slot in (2, 3)]
    need(found == [dictionaries, blocks], "blocks that are not where the footer says")
    return schema, columns


def read_npy(data):
    need(data[:8] == b"\x93NUMPY\1\0", "no magic")
    size = struct.unpack_from("<H", data, 8)[0]
    need((10 + size) % 64 == 0 and data[9 + size:10 + size] == b"\n", "a header of another length")
    head = eval(data[10:10 + size])  # a Python literal, as the format says
    (rows,), letter = head["shape"], {"|b1": "?", "<f8": "d"}.get(head["descr"], "q")
    return head["descr"], list(struct.unpack(f"<{rows}{letter}", data[10 + size:]))


# --- Random tables

def random_value(rng, kind):
    if kind == "bool":
        return rng.random() < 0.5
    if kind == "int64":
        return rng.choice((rng.randrange(-9, 9), rng.randrange(-2**63, 2**63)))
    if kind == "float64":
        return rng.choice((0.5, rng.uniform(-1, 1), rng.uniform(-1, 1) * 10.0**rng.randrange(-300, 300)))
    if kind == "date":
        return rng.randrange(-30000, 30000)
    if kind == "timestamp":
        return rng.randrange(-10**15, 2 * 10**15)
    return "".join(rng.choice("ab,\"\né ☃") for _ in range(rng.randrange(12)))


def value_text(kind, value):
    if value is None:
        return ""
    if kind == "bool":
        return str(value).lower()
    if kind == "date":
        return datetime.date.fromordinal(value + EPOCH).isoformat()
    if kind == "timestamp":
        return str(datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=value))
    return '"' + value.replace('"', '""') + '"' if kind == "string" else repr(value)


class Case:
    def __init__(self, rng):
        self.kinds = [rng.choice(KINDS) for _ in range(rng.randrange(2, 8))]
        self.names = [f"{kind}_{i}" for i, kind in enumerate(self.kinds)]
        rows = rng.choice((0, 1, 7, 8, 9, 1000, 1024, 1025, 3000))
        nulls = rng.choice((0, 0, 0.1, 0.9))
        self.columns = [[None if rng.random() < nulls else random_value(rng, kind) for _ in range(rows)]
                        for kind in self.kinds]

    def csv(self):
        lines = [",".join(self.names)]
        for row in zip(*self.columns):
            lines.append(",".join(value_text(kind, value) for kind, value in zip(self.kinds, row)))
        return "\n".join(lines) + "\n"

    def types(self):
        return ", ".join(f"{name}:{kind}" for name, kind in zip(self.names, self.kinds))


def run(program, *arguments):
    done = subprocess.run([program, "csv", *arguments], capture_output=True, text=True)
    need(done.returncode == 0, f"{' '.join(arguments)}: exit status {done.returncode}: {done.stderr}")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def check_npy(program, case, index, common):
    kind, values = case.kinds[index], case.columns[index]
    if kind == "string" or (kind in ("bool", "int64") and None in values):
        return
    run(program, *common, "--select", case.names[index], "-o", "out.npy")
    descr, found = read_npy(read("out.npy"))
    wanted = {"bool": "|b1", "int64": "<i8", "float64": "<f8", "date": "<M8[D]", "timestamp": "<M8[us]"}[kind]
    need(descr == wanted, f"{descr}, not {wanted}")
    none = [math.nan if kind == "float64" else -2**63 if v is None else v for v in values]
    values = [n if v is None else v for v, n in zip(values, none)]
    need(repr(found) == repr(values), f"column {case.names[index]} as .npy")


def check(program, rng):
    case = Case(rng)
    with open("in.csv", "w", encoding="utf-8", newline="") as file:
        file.write(case.csv())
    common = ["in.csv", "--types", case.types()]
    run(program, *common, "-o", "out.arrow")
    run(program, *common, "-o", "out.arrows")
    data = read("out.arrow")
    schema, columns = read_file(data)
    need(schema == list(zip(case.names, case.kinds)), f"schema {schema}")
    need(columns == case.columns, "the file's values")
    stream = read_stream(read("out.arrows"))
    need(stream[0] == schema and stream[1] == columns and stream[3] == os.path.getsize("out.arrows"), "the stream")
    run(program, *common, "-o", "other.arrow", "--block-size", str(rng.randrange(64, 9000)), "--workers",
        str(rng.randrange(1, 4)))
    need(read("other.arrow") == data, "other blocks, other bytes")
    run(program, *common, "-o", "wanted.csv")
    for name in ("out.arrow", "out.arrows"):
        run(program, name, "-o", "found.csv", "--workers", str(rng.randrange(1, 4)))
        need(read("found.csv") == read("wanted.csv"), f"{name} read again")
    check_npy(program, case, rng.randrange(len(case.kinds)), common)


def check_batches(program):
    """More rows than a batch has, and rows that make it large before."""
    with open("in.csv", "w", encoding="utf-8") as file:
        file.write("id,text,city\n")
        for i in range(150000):
            file.write(f"{i},{i if i < 70000 else 'x' * (2000 if i < 80000 else 1)},{('Oslo', 'Tromsø', '')[i % 3]}\n")
    run(program, "in.csv", "-o", "out.arrow")
    data = read("out.arrow")
    _, columns = read_file(data)
    need(columns[0] == list(range(150000)) and len(columns[1][75000]) == 2000, "values")
    need(columns[2] == ["Oslo", "Tromsø", None] * 50000, "texts of a dictionary")
    sizes = [body for _, _, body in read_stream(data, 8)[2]]
    need(len(sizes) > 3 and max(sizes) < 16 << 20, f"batches of {sizes}")
    run(program, "in.csv", "-o", "other.arrow", "--block-size", "100000", "--memory", "64M")
    need(read("other.arrow") == data, "other blocks, other bytes")


def check_question(program):
    """The same question of a file as of the text that it was made of, of all rows or of those within a budget."""
    with open("in.csv", "w", encoding="utf-8") as file:
        file.write("id,key,text\n")
        for i in range(300000):
            file.write(f"{i},{i * 7919 % 1000},{'ab' * (i % 40)}\n")
    run(program, "in.csv", "-o", "in.arrow")
    for question in (["--group-by", "key", "--agg", "sum(id), count(text), max(length(text))"],
                     ["--sort", "key:desc, id", "--memory", "64M"], ["--where", "id % 1000 == 7"], ["--limit", "70000"]):
        run(program, "in.csv", *question, "-o", "wanted.csv")
        run(program, "in.arrow", *question, "-o", "found.csv")
        need(read("found.csv") == read("wanted.csv"), " ".join(question))


def check_others(program):
    """Files that other programs wrote: with views, dictionaries, and a schema in the footer alone."""
    folder = os.path.join(HERE, "..", "..", "fuzz", "corpus", "arrow")
    wanted = {"views": "a,s,b,f\n1.0,x,true,0.5\n2.0,,false,\n,a longer text than twelve,,2.0\n",
              "dictionary": "s\na\n\néé\n",
              "footer-schema": "s,d,b,t\na,1970-01-01,true,1970-01-01 00:00:00.001\n,1970-01-04,,1970-01-01 00:00:00.002\n"
                               "éé,,false,\n"}
    for name, text in wanted.items():
        run(program, os.path.join(folder, name), "-o", "found.csv")
        need(read("found.csv").decode() == text, name)


def check_wrong_text(program):
    with open("in.csv", "wb") as file:
        file.write(b"s\nab\xff\n\xc3\xa9\n\xc3\n")
    run(program, "in.csv", "-o", "out.arrow")
    need(read_file(read("out.arrow"))[1] == [["ab\ufffd", "é", "\ufffd"]], "text that is no UTF-8")


def main():
    program = os.path.realpath(sys.argv[1])
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    seed = sys.argv[3] if len(sys.argv) > 3 else "1"
    for name in ("RASK_SCHEDULER", "RASK_WORKERS", "RASK_MEMORY", "RASK_SCRATCH"):
        os.environ.pop(name, None)
    tests = [(f"case {seed}/{n}", lambda n=n: check(program, random.Random(f"{seed}/{n}"))) for n in range(cases)]
    tests += [("many rows are several batches", lambda: check_batches(program)),
              ("files answer as the text that they were made of", lambda: check_question(program)),
             ("files of other programs are read", lambda: check_others(program)),
             ("text that is no UTF-8 is mended", lambda: check_wrong_text(program))]
    print(f"1..{len(tests)}")
    failed = False
    for number, (name, test) in enumerate(tests, 1):
        folder = tempfile.mkdtemp(prefix="rask-files-")
        os.chdir(folder)
        try:
            test()
            print(f"ok {number} - {name}")
            os.chdir("/")
            shutil.rmtree(folder)
        except (Wrong, struct.error, UnicodeDecodeError, IndexError) as error:
            failed = True
            print(f"not ok {number} - {name}\n# {type(error).__name__}: {error}\n# see {folder}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
