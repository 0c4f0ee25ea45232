#!/usr/bin/env bash
# rask csv as a shell user meets it. Prints TAP.
#
#   tests/tools/test_csv.sh BUILD/tools/rask/rask
set -uo pipefail
rask=$(realpath "${1:?usage: test_csv.sh PROGRAM}")
unset RASK_SCHEDULER RASK_WORKERS RASK_MEMORY RASK_SCRATCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
number=0
failures=0

# name, 0 when it went well
tell()
{
    number=$((number + 1))
    if [ "$2" -eq 0 ]; then
        echo "ok $number - $1"
    else
        failures=$((failures + 1))
        echo "not ok $number - $1"
        sed 's/^/# /' out err 2>/dev/null | head -n 20
    fi
}

# wanted exit status, arguments of rask csv: its output is left in the files out and err
csv()
{
    local want=$1 status
    shift
    "$rask" csv "$@" >out 2>err
    status=$?
    [ "$status" -eq "$want" ] || echo "exit status $status, not $want" >>err
    return $((status != want))
}

# name, wanted output, arguments
gives()
{
    local name=$1 wanted=$2
    shift 2
    csv 0 "$@" </dev/null && printf '%s\n' "$wanted" | cmp -s - out
    tell "$name" $?
}

# name, wanted exit status, wanted text on stderr, arguments: and nothing on stdout
refuses()
{
    local name=$1 status=$2 wanted=$3
    shift 3
    csv "$status" "$@" </dev/null && printf 'rask csv: %s\n' "$wanted" | cmp -s - err && ! [ -s out ]
    tell "$name" $?
}

cat >sales.csv <<'EOF'
name,amount,qty,day
ann,10.5,2,2024-01-31
bob,3,,2024-02-01
ann,7.25,4,
"c, ""d""",-1,1,2024-02-01
EOF

# --- options

gives 'a file as it is' $'name,amount,qty,day\nann,10.5,2,2024-01-31\nbob,3.0,,2024-02-01\nann,7.25,4,\n"c, ""d""",-1.0,1,2024-02-01' \
    sales.csv
gives '--schema' $'name    string\namount  float64\nqty     int64\nday     date' sales.csv --schema
gives '--schema --json' $'{"name":"name","type":"string"}\n{"name":"n","type":"int64"}' sales.csv --with 'n=1' --select name,n --schema --json
gives '--where' $'name,amount,qty,day\nann,10.5,2,2024-01-31\nann,7.25,4,' sales.csv --where 'amount > 5'
gives '-w more than once: all of them' $'name,amount,qty,day\nann,7.25,4,' sales.csv -w 'amount > 5' -w 'is_null(day)'
gives '--with' $'name,twice\nann,21.0\nbob,6.0\nann,14.5\n"c, ""d""",-2.0' sales.csv --with 'twice = amount * 2' --select name,twice
gives '--with in place of a column' $'name,amount\nANN,10.5\nANN,7.25' sales.csv --with 'name=upper(name)' -w 'name == "ANN"' \
    --select name,amount
gives '--with of what --with made' $'b\n3\n3\n3\n3' sales.csv --with 'a=1' --with 'b=a+2' --select b
gives '--with a comparison' $'x\nfalse\nfalse\nfalse\ntrue' sales.csv --with 'x=amount==-1' --select x
gives '--group-by and --agg' $'name,total,count()\nann,17.75,2\nbob,3.0,1\n"c, ""d""",-1.0,1' \
    sales.csv --group-by name --agg 'sum(amount) as total, count()'
gives '-g alone counts' $'day,count()\n2024-01-31,1\n2024-02-01,2\n,1' sales.csv -g day
gives '-a alone is of all rows' $'n,least,most,mean,mid\n4,-1.0,10.5,4.9375,5.125' sales.csv \
    -a 'count() as n, min(amount) as least, max(amount) as most, mean(amount) as mean, median(amount) as mid'
gives 'aggregates of expressions' $'sum(amount * qty)\n49.0' sales.csv -a 'sum(amount * qty)'
gives 'quantile, first, last, different ones' $'"quantile(qty, 0.75)",first(name),last(day),count_distinct(name)\n3.0,ann,2024-02-01,3' \
    sales.csv -a 'quantile(qty, 0.75), first(name), last(day), count_distinct(name)'
gives '--sort' $'name,amount\n"c, ""d""",-1.0\nbob,3.0\nann,7.25\nann,10.5' sales.csv --sort amount --select name,amount
gives '-s, downwards, nulls last' $'qty\n4\n2\n1\n' sales.csv -s qty:desc --select qty
gives 'a second key' $'name,amount\nann,10.5\nann,7.25\nbob,3.0' sales.csv -s 'name, amount desc' -w 'amount > 0' --select name,amount
gives 'by a column that is not chosen' $'name\n"c, ""d"""\nbob\nann\nann' sales.csv -s amount --select name
gives 'rows are sorted before columns are renamed' $'amount,qty\n1,-1.0\n,3.0\n4,7.25\n2,10.5' sales.csv -s amount \
    --select 'qty as amount, amount as qty'
gives 'by a column of the new name' $'price\n-1.0\n3.0\n7.25\n10.5' sales.csv -s price --select 'amount as price'
gives '-n' $'name\nann\nbob' sales.csv -n 2 --select name
gives '-n 0' name sales.csv -n 0 --select name
gives '-n of sorted ones' $'name,amount\nann,10.5\nann,7.25' sales.csv -s amount:desc -n 2 --select name,amount
gives '-n more than there are' $'name\nann\nbob\nann\n"c, ""d"""' sales.csv --limit 99999999999 --select name
gives '--select renames' $'n,name\n10.5,ann' sales.csv --select 'amount as n, name' -n 1
gives '--json' $'{"name":"ann","day":null}\n{"name":"c, \\"d\\"","day":"2024-02-01"}' sales.csv --json --select name,day -w 'qty in (4, 1)'
gives '--types by other names' $'name    string\namount  string\nqty     float64\nday     timestamp' sales.csv \
    --types 'amount:str, qty:double, day:datetime' --schema
gives '--on-error null' $'amount\n\n3\n\n-1' sales.csv --types amount:int64 --on-error null --select amount
printf 'a;b\n# no, 1\n1;x\n-;NA\n' >semicolons.csv
gives '--delimiter, --comment, --null' $'a,b\n1,x\n,NA' semicolons.csv -d ';' --comment '#' --null -
gives '--null more than once' $'a,b\n1,\n,NA' semicolons.csv --comment '#' --null - --null x
printf '1\t"x\n2\ty\n' >tabs.csv
gives '--no-header and --no-quotes' $'column_1,column_2\n1,"""x"\n2,y' tabs.csv --no-header --no-quotes -d '\t'
gives '--no-header and --schema' $'column_1  int64\ncolumn_2  string' tabs.csv --no-header --no-quotes --schema
gives '--block-size 1' $'name,sum(amount)\nann,17.75\nbob,3.0\n"c, ""d""",-1.0' sales.csv -g name -a 'sum(amount)' --block-size 1
gives '--workers, --scheduler, --memory, --seed' $'name,sum(amount)\nann,17.75\nbob,3.0\n"c, ""d""",-1.0' sales.csv -g name \
    -a 'sum(amount)' --workers 3 --scheduler serial --memory 16M --seed 7
csv 0 sales.csv --report && grep -q 'bytes written to disk' err
tell '--report' $?
csv 0 --help && grep -q -- '--group-by' out && grep -qF 'docs/table.md' out
tell '--help' $?
printf 'unit price\n2\n' >prices.csv
gives 'names that are no identifiers' $'unit price,x y\n2,4' prices.csv --with 'x y=`unit price` * 2' --select '`unit price`, `x y`' \
    -s '`unit price`' -w '`x y` == 4'
gives '--types keeps digits' $'unit price\n2' prices.csv --types 'unit price:string' -w 'startswith(`unit price`, "2")'

# --- files

csv 0 sales.csv -o o.csv --select name && ! [ -s out ] && printf 'name\nann\nbob\nann\n"c, ""d"""\n' | cmp -s - o.csv
tell '-o writes CSV' $?
csv 0 sales.csv -o o.jsonl --select qty -n 2 && printf '{"qty":2}\n{"qty":null}\n' | cmp -s - o.jsonl
tell '-o of .jsonl writes JSON' $?
csv 0 sales.csv -o o.txt --json --select qty -n 1 && printf '{"qty":2}\n' | cmp -s - o.txt
tell '-o with --json, too' $?
csv 0 o.csv -o o.csv -w 'name == "bob"' && printf 'name\nbob\n' | cmp -s - o.csv
tell 'a file may replace the one that is read' $?
gives 'what is written reads back' 'name    string
amount  float64
qty     int64
day     date' <("$rask" csv sales.csv) --schema
printf 'name,amount\neve,1\n' >sales-2.csv
printf 'other,names\nfay,2.5\n' >sales-3.csv
gives 'several files, by position' $'name,amount\neve,1.0\nfay,2.5' sales-2.csv sales-3.csv --types amount:float64
gives 'a pattern' $'name,amount\neve,1.0\nfay,2.5' 'sales-*.csv' --types amount:float64
mkdir folder && cp sales-2.csv folder/b.csv && cp sales-2.csv folder/a.csv
gives 'a folder' $'count()\n2' folder -a 'count()'
csv 0 - --select name -n 1 <sales.csv && printf 'name\nann\n' | cmp -s - out
tell 'standard input' $?
(cat sales.csv; sleep 0.1; echo 'zed,1,1,') | csv 0 - -a 'count() as n' && printf 'n\n5\n' | cmp -s - out
tell 'a pipe that waits' $?
: >empty.csv
gives 'an empty file among others' $'name,amount\neve,1' sales-2.csv empty.csv
printf 'name,amount\n' >head.csv
gives 'only a header' 'name,amount' head.csv
gives 'only a header, grouped' 'name,count()' head.csv -g name
gives 'only a header, counted' $'count()\n0' head.csv -a 'count()'
gives 'only a header, sorted' 'name,amount' head.csv -s name
csv 0 head.csv --json && ! [ -s out ]
tell 'only a header as JSON' $?
printf 'a,b\n1,2' >short.csv
gives 'no newline at the end' $'a,b\n1,2' short.csv
printf '\xef\xbb\xbfa,b\r\n1,x\r\n2,"y\r\nz"\r\n' >windows.csv
gives 'a byte order mark and CRLF' $'a,b\n1,x\n2,"y\r\nz"' windows.csv
printf 'a\tb\n1,5\t2\n' >tabs.csv
gives 'tabs' $'a,b\n"1,5",2' tabs.csv
printf 'a;b\n1,5;2\n2,5;3\n' >semicolons.csv
gives 'semicolons' $'a,b\n"1,5",2\n"2,5",3' semicolons.csv
printf 'a|b\n1|2\n' >bars.csv
gives 'bars' $'a,b\n1,2' bars.csv
printf 'a,a,,b\n1,2,3,4\n' >twice.csv
gives 'names twice, and none' $'a,a_2,column_3,b\n1,2,3,4' twice.csv
printf 't,ok,x,d\n2024-01-31T12:34:56.5Z,TRUE,1e3,2024-02-29\n2024-01-31 00:00,false,inf,1969-12-31\nNA,NULL,NaN,\n' >types.csv
gives 'dates, timestamps, bools, floats' $'t,ok,x,d\n2024-01-31 12:34:56.5,true,1000.0,2024-02-29\n2024-01-31 00:00:00,false,inf,1969-12-31\n,,,' types.csv
gives 'empty text and null' $'a,b\n"",1\n,2' <(printf 'a,b\n"",1\n,2\n')
gives 'dates are counted with' $'y,d\n2024,2024-03-01\n1969,1970-01-01\n,' types.csv --with 'y=year(d)' --with 'd=d+1' --select y,d
for tool in gzip zstd xz bzip2; do
    [ -x "$(command -v $tool)" ] || continue
    $tool -k -c sales.csv >"sales.csv.$tool"
    if csv 0 "sales.csv.$tool" --select name -n 1; then
        printf 'name\nann\n' | cmp -s - out
        tell "what $tool compressed" $?
    else
        grep -q 'needs the module rask-decompress' err
        tell "what $tool compressed needs a module" $?
    fi
done
awk 'BEGIN { print "k,x"; for (i = 0; i < 60000; i++) printf "%d,%.2f\n", i % 7, i / 4 }' >many.csv
csv 0 many.csv -g k -a 'count() as n, sum(x) as s' --memory 4M --block-size 4K && cp out parts && csv 0 many.csv -g k -a 'count() as n, sum(x) as s' &&
    cmp -s out parts && [ "$(wc -l <out)" -eq 8 ]
tell 'many blocks within little memory' $?
csv 0 many.csv -s 'k desc, x' --memory 4M && [ "$(sed -n 2p out)" = '6,1.5' ] && [ "$(tail -n 1 out)" = '0,14999.25' ]
tell 'sorting within little memory' $?
"$rask" csv many.csv 2>err | head -n 1 >out
status=${PIPESTATUS[0]}
[ "$status" -eq 141 ] && [ "$(cat out)" = k,x ] && ! [ -s err ]
tell 'a reader that goes away' $?
if [ -x "$(command -v script)" ]; then
    script -qec "'$rask' csv sales.csv --select name,amount -n 2" /dev/null </dev/null 2>err | tr -d '\r' >out
    printf 'name  amount\nann     10.5\nbob      3.0\n' | cmp -s - out
    tell 'a terminal shows a table' $?
    script -qec "'$rask' csv many.csv" /dev/null </dev/null 2>err | tr -d '\r' >out
    [ "$(wc -l <out)" -eq 52 ] && tail -n 1 out | grep -qF 'the first 50 rows'
    tell 'and no more than some rows' $?
fi

# --- errors

refuses 'no file' 2 'no file given (- is standard input)' --schema
refuses 'a file that is not there' 1 'none.csv: No such file or directory' none.csv
refuses 'nor one of several' 1 'none.csv: No such file or directory' sales.csv none.csv
refuses 'a pattern of nothing' 1 'none*.csv: no file matches this pattern' 'none*.csv'
refuses 'an empty file' 1 'empty.csv:1: no record in the first 0 bytes' empty.csv
refuses 'a value, with its line' 1 'sales.csv:2: column 2 (amount): "10.5" is no int64' sales.csv --types amount:int64
csv 1 sales.csv --types amount:int64 --block-size 3 && grep -qF 'sales.csv:2: column 2 (amount): "10.5" is no int64' err
tell 'whatever the blocks' $?
printf 'a,b\n"x\n\ny",1\n"z",2a\n' >lines.csv
refuses 'lines within quotes count' 1 'lines.csv:5: column 2 (b): "2a" is no int64' lines.csv --types b:int64
printf 'a,b\n1,2\n3\n' >few.csv
refuses 'too few fields' 1 'few.csv:3: record has 1 field, 2 expected' few.csv
printf 'a,b\n1,2\n3,4,5\n' >more.csv
refuses 'too many fields' 1 'more.csv:3: record has 3 fields, 2 expected' more.csv
refuses 'in a file behind the first' 1 'more.csv:3: record has 3 fields, 2 expected' short.csv more.csv -o none.csv
refuses 'an unknown column' 1 '--where: no column "amout": did you mean "amount"?, at byte 1 of "amout > 3"' sales.csv -w 'amout > 3'
refuses 'an unknown function' 1 '--with: no function "uper": did you mean "upper"?, at byte 1 of "uper(name)"' sales.csv --with 'n=uper(name)'
refuses 'half an expression' 1 '--where: an expression expected, not the end, at byte 9 of "amount >"' sales.csv -w 'amount >'
refuses 'a condition that is none' 1 '--where: "amount" is float64, not bool' sales.csv -w amount
refuses 'an unknown column to select' 1 '--select: no column "nam": did you mean "name"?' sales.csv --select nam
refuses 'a column selected twice' 1 '--select: two columns "name"' sales.csv --select 'name, day as name'
refuses 'an unknown column to sort by' 1 '--sort: no column "x"' sales.csv -s x
refuses 'an unknown key' 1 '--group-by, --agg: no column "nme": did you mean "name"?' sales.csv -g nme
refuses 'a sum of text' 1 "--group-by, --agg: sum takes numbers, but 'name' is string, at byte 1 of \"sum(name)\"" sales.csv -a 'sum(name)'
(seq -s, -f 'c%g' 70; seq -s, 70) >wide.csv
refuses 'too many keys' 1 '--group-by, --agg: more than 64 keys' wide.csv -g "$(seq -s, -f 'c%g' 70)"
refuses 'a key twice' 1 '--group-by, --agg: two keys "name"' sales.csv -g name,name
refuses 'a result called like a key' 1 '--group-by, --agg: a key has this name, at byte 1 of "count() as name"' sales.csv -g name -a 'count() as name'
refuses 'a key that is empty' 1 '--group-by, --agg: no column ""' sales.csv -g name,,qty
gives 'a comma behind the last one' $'name,count()\nann,2\nbob,1\n"c, ""d""",1' sales.csv -g 'name,' --select 'name, count(),' -s 'name,'
refuses 'an unknown aggregate' 1 "--group-by, --agg: no aggregate is called 'total', at byte 10 of \"count(), total(qty)\"" sales.csv \
    -a 'count(), total(qty)'
refuses 'types without a type' 1 'types: "amount" is no NAME:TYPE' sales.csv --types amount
refuses 'an unknown type' 1 'types: no type "foo" (bool, int64, float64, date, timestamp, string)' sales.csv --types amount:foo
refuses 'a type for no column' 1 'types: no column "foo"' sales.csv --types foo:int64
refuses '--with without a name' 2 '--with: not NAME=EXPR: "=x"' sales.csv --with '=x'
refuses '--with without an expression' 2 '--with: not NAME=EXPR: "x"' sales.csv --with x
refuses 'a delimiter of two bytes' 2 '--delimiter: not one byte: "ab"' sales.csv -d ab
refuses 'a comment of two bytes' 2 '--comment: not one byte: "//"' sales.csv --comment //
refuses 'an unknown way with misfits' 2 '--on-error: not fail or null: "skip"' sales.csv --on-error skip
refuses 'a size that is none' 2 $'--block-size: not a size: "x"' sales.csv --block-size x
refuses 'a limit that is none' 2 $'--limit: not a number: "-1"' sales.csv --limit -1
refuses 'drawing' 2 '--draw: not there for tables' sales.csv --draw x.svg
refuses 'explaining' 2 '--explain: not there for tables' sales.csv --explain
refuses 'a sum that is too large' 1 's is too large for an int64' <(printf 'x\n9223372036854775807\n1\n') -a 'sum(x) as s'
refuses 'a folder that is not there' 1 'none/x.csv: No such file or directory' sales.csv -o none/x.csv
refuses 'a folder in the way' 1 'folder: Is a directory' sales.csv -o folder
csv 1 sales.csv --memory 1 && grep -qF 'and the memory budget is 1' err && ! [ -s out ]
tell 'a budget that is too small' $?
if [ -w /dev/full ]; then
    "$rask" csv sales.csv >/dev/full 2>err
    [ $? -eq 1 ] && [ "$(cat err)" = 'rask csv: standard output: No space left on device' ]
    tell 'a full disk' $?
fi
echo kept >kept.csv
refuses 'a run that fails' 1 'sales.csv:2: column 2 (amount): "10.5" is no int64' sales.csv --types amount:int64 -o kept.csv
[ "$(cat kept.csv)" = kept ] && ! ls -A | grep -q 'part$'
tell 'keeps the file that there was, and leaves no part' $?
! csv 0 sales.csv --types amount:int64 -o new.csv && ! [ -e new.csv ]
tell 'and makes none where there was none' $?
for bad in '(' ')' '"' '`' '`a' 'name +' 'in' 'name in' 'name in (' 'matches(name, "(")' 'if(' '1 ==' '.' "$(printf '(%.0s' $(seq 1000))"; do
    csv 1 sales.csv -w "$bad" || break
done
tell 'malformed conditions are refused' $?
for bad in 'sum' 'sum(' 'sum(qty' 'sum(qty) as' 'count(), ' 'quantile(qty, 2)' 'quantile(qty)' ',' 'sum()' 'sum(qty) x'; do
    csv 1 sales.csv -a "$bad" || break
done
tell 'malformed aggregates are refused' $?

echo "1..$number"
[ "$failures" -eq 0 ]
