#!/usr/bin/env bash
# What commands print with --json against docs/json.md, which lists the members: both have the same. Prints TAP.
#
#   tests/tools/test_json.sh BUILD/tools/rask/rask
schema=$(realpath "$(dirname "$0")/../../docs/json.md")
# shellcheck source=tests/tools/tap.sh
source "$(dirname "$0")/tap.sh"
export LC_ALL=C

if ! command -v python3 >/dev/null; then
    echo "1..0 # SKIP no python3"
    exit 0
fi

cat >check.py <<'END'
"""check.py DOCUMENT SECTION FILE [lines]: every object in FILE has the members that the section lists, of their types."""
import json, re, sys

def rows(path, section):
    text = open(path).read()
    body = text.split("\n## " + section + "\n", 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"^\| `([^`]+)` \| ([^|]+?) \|", body, re.M)
    assert found, "no members of " + section
    return found

def fits(value, kind):
    kinds = {"text": str, "list": list, "object": dict, "truth": bool, "any": object}
    if kind in ("integer", "number"):
        return not isinstance(value, bool) and isinstance(value, int if kind == "integer" else (int, float))
    return isinstance(value, kinds[kind])

def check(value, table):
    deeper, known = {}, set()
    for path, kind in table:
        name, dot, rest = path.partition(".")
        if dot:
            deeper.setdefault(name, []).append((rest, kind))
            continue
        known.add(name)
        kind, missing = kind.replace(" or missing", ""), "or missing" in kind
        assert name in value or missing, "no " + name
        assert name not in value or fits(value[name], kind), "%s is no %s: %r" % (name, kind, value[name])
    assert set(value) <= known, "not documented: %s" % (set(value) - known)
    for name, members in deeper.items():
        inner = value.get(name.removesuffix("[]"), [])
        for one in inner if name.endswith("[]") else [inner]:
            check(one, members)

table = rows(sys.argv[1], sys.argv[2])
lines = open(sys.argv[3], encoding="utf-8").read().splitlines()
assert lines and (len(lines) == 1 or "lines" in sys.argv[4:]), "%d lines" % len(lines)
for line in lines:
    document = json.loads(line)
    for value in document if isinstance(document, list) else [document]:
        check(value, table)
END

# name of a test, section of the document, file, [lines]
documented()
{
    python3 check.py "$schema" "${@:2}" 2>>err
    tell "$1" $?
}

printf 'some words\nof "lines"\nsome\n' >text
printf 'id,name,day,price\n1,"a ""b""\t\\",2024-01-31,0.5\n9223372036854775807,,2024-02-01,\n' >t.csv
echo '{"tasks":{"a":{"command":"echo \"a\""},"b":{"command":["true","\u00e9"],"after":["a"]},"c":{"after":["b"]}}}' >f.json

leaves 0 "$rask" csv t.csv --json && python3 -c '
import json
rows = [json.loads(line) for line in open("out")]
assert rows[0] == {"id": 1, "name": "a \"b\"\t\\", "day": "2024-01-31", "price": 0.5}, rows
assert rows[1]["id"] == 2**63 - 1 and rows[1]["name"] is None and rows[1]["price"] is None, rows' 2>>err
tell 'rows of tables keep what they are' $?
leaves 0 "$rask" csv t.csv --schema --json
documented 'columns of tables' 'rask csv' out lines
leaves 0 "$rask" eval 'arange(6).reshape(2, 3) / 2' 'array([1.0, nan, -inf])' '1 + 2j' 'True' --json
documented 'values' 'rask eval' out lines
python3 -c '
import json
values = [json.loads(line) for line in open("out")]
assert values[0] == {"dtype": "float64", "shape": [2, 3], "data": [[0, 0.5, 1], [1.5, 2, 2.5]]}
assert values[1]["data"] == [1.0, "nan", "-inf"] and values[2]["data"] == [1, 2] and values[3]["data"] is True' 2>>err
tell 'and what JSON has no numbers for' $?
for what in lines words bytes; do
    leaves 0 "$rask" text text --count $what --json
    documented "a count of $what" 'rask text --count' out
done
for how in '' --words; do
    # shellcheck disable=SC2086 # an option, or none
    leaves 0 "$rask" text text --frequencies $how --json
    documented "frequencies $how" 'rask text --frequencies' out
done
leaves 0 "$rask" text text --sample 2 --json
documented 'a sample' 'rask text --sample' out
leaves 0 "$rask" words text --json --stats
documented 'words' 'rask words' out
documented 'figures of the run' '--stats' err
leaves 0 "$rask" run f.json --dry-run --json
documented 'what a workflow would run' 'rask run --dry-run' out lines
leaves 0 "$rask" run f.json --json --profile=p.json
documented 'what a workflow ran' 'rask run' out
documented 'a profile' '--profile=FILE' p.json
leaves 0 "$rask" draw f.json --json
documented 'what a graph is' 'rask draw' out
leaves 0 "$rask" draw f.json --json -o f.dot && [ -s f.dot ] && grep -q '"file":"f.dot","nodes":3,"targets":3,"tasks":3,' out
documented 'and where it was drawn' 'rask draw' out
leaves 0 "$rask" help --json
documented 'commands and their options' 'rask help' out
leaves 0 "$rask" help csv --json && [ "$(python3 -c 'import json; print([c["name"] for c in json.load(open("out"))])')" = "['csv']" ]
tell 'or those of one command' $?
leaves 0 "$rask" info --json
documented 'what a build can do' 'rask info' out
leaves 0 "$rask" bench tasks --json --tasks 100 --repeat 1 --shape chain
documented 'what tasks cost' 'rask bench' out
finish
