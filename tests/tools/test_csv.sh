#!/usr/bin/env bash
# rask csv as a shell user meets it. Prints TAP.
#
#   tests/tools/test_csv.sh BUILD/tools/rask/rask
# shellcheck source=tests/tools/tap.sh
source "$(dirname "$0")/tap.sh"
command=csv

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
gives 'the largest integer comes before nulls' $'x\n1\n9223372036854775807\n' <(printf 'x,y\n,1\n9223372036854775807,2\n1,3\n') -s x --select x
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
gives '--misfit null' $'amount\n\n3\n\n-1' sales.csv --types amount:int64 --misfit null --select amount
printf 'a;b\n# no, 1\n1;x\n-;NA\n' >semicolons.csv
gives '--delimiter, --comment, --null' $'a,b\n1,x\n,NA' semicolons.csv -d ';' --comment '#' --null -
gives '--null more than once' $'a,b\n1,\n,NA' semicolons.csv --comment '#' --null - --null x
printf '1\t"x\n2\ty\n' >tabs.csv
gives '--rename, before all else' $'who,amount\nann,10.5\nann,7.25' sales.csv --rename 'name as who, qty as n' -w 'who == "ann"' --select who,amount
gives '--drop' $'amount,day\n10.5,2024-01-31' sales.csv --drop name,qty -n 1
gives '--drop of a column that is asked for and sorted by' $'name\nann\nbob' sales.csv --drop amount,qty,day -w 'amount > 0' -s amount:desc -w 'amount < 8'
gives '--drop-nulls' $'name,qty,day\nann,2,2024-01-31\nann,4,\n"c, ""d""",1,2024-02-01' sales.csv --drop-nulls qty --drop amount
gives '--drop-nulls of all columns' $'name,qty,day\nann,2,2024-01-31\n"c, ""d""",1,2024-02-01' sales.csv --drop-nulls '*' --drop amount
gives '--fill-nulls' $'qty,day\n2,2024-01-31\n3,2024-02-01\n4,1970-01-01\n1,2024-02-01' sales.csv --select qty,day \
    --fill-nulls 'qty=int(amount)' --fill-nulls 'day = "1970-01-01"'
gives '--fill-nulls of all columns that it fits' $'qty,day\n2,2024-01-31\n0,2024-02-01\n4,\n1,2024-02-01' sales.csv --select qty,day --fill-nulls =0
gives '--value-counts' $'name,count\nann,2\nbob,1\n"c, ""d""",1' sales.csv --value-counts name
gives '--value-counts of several, limited' $'day,qty,count\n2024-01-31,2,1\n2024-02-01,1,1' sales.csv --value-counts day,qty -n 2
gives '--value-counts of a column called count' $'count,count()\n2,2\n1,1' <(printf 'count\n2\n1\n2\n') --value-counts count
gives '--describe' 'column,type,count,nulls,distinct,mean,std,min,25%,50%,75%,max
amount,float64,4,0,4,4.9375,5.009886059915268,-1.0,2.0,5.125,8.0625,10.5
qty,int64,3,1,3,2.3333333333333335,1.5275252316519468,1,1.5,2.0,3.0,4
name,string,4,0,3,,,ann,,,,"c, ""d"""
day,date,3,1,2,,,2024-01-31,2024-01-31,2024-02-01,2024-02-01,2024-02-01' sales.csv --describe --select amount,qty,name,day
gives '--describe of what is left, sorted' '{"column":"n","type":"int64","count":2,"nulls":0,"distinct":2,"mean":3.0,"std":1.4142135623730951,"min":"2","25%":"2.5","50%":"3.0","75%":"3.5","max":"4"}' \
    sales.csv -w 'name == "ann"' --rename 'qty as n' --select n,day --describe -s nulls -n 1 --json
gives '--describe of no rows' $'column,type,count,nulls,distinct,mean,std,min,25%,50%,75%,max\nname,string,0,0,0,,,,,,,' \
    sales.csv -w false --describe --select name
gives '--quantiles' $'quantile,qty,day\n0.0,1.0,2024-01-31\n0.75,3.0,2024-02-01' sales.csv --quantiles '0, 0.75' --select name,qty,day
awk 'BEGIN { print "a,b,c,d,e"; for (i = 0; i < 3000; i++) print i ",1,true,2024-01-31,x"; print "0.5,x,1,never,\"a\"\"b\"" }' >wide.csv
for size in 64K 100; do
    gives "--misfit widen, in blocks of $size" $'a  float64\nb  string\nc  string\nd  string\ne  string' wide.csv --misfit widen --schema \
        --block-size $size
done
gives 'what is widened is read as it was written' $'b,d\nx,never' wide.csv --misfit widen -w 'a == 0.5' --select b,d
gives '--misfit widen leaves what fits' $'name    string\namount  float64\nqty     int64\nday     date' sales.csv --misfit widen --schema
asked 0 sales.csv --explain -w 'amount > 5' --with 'x=qty*2' -g name -a 'sum(x) as s' -s s:desc -n 3 && head -n 6 err | cmp -s - <(cat <<'EOT'
reads sales.csv (99 bytes) in 1 part: name, amount, qty: 3 of 4 columns
  where amount > 5
  with x = qty*2
groups by name: sum(x) as s
sorts by s desc
keeps the first 3 rows
EOT
) && grep -q '^memory budget: ' err && [ "$(cat out)" = $'name,s\nann,12' ]
tell '--explain says what is read and done, then does it' $?
asked 0 sales.csv --draw g.dot -g name && grep -q digraph g.dot && grep -q 'read csv' g.dot && [ "$(sed -n 2p out)" = ann,2 ]
tell '--draw draws what ran' $?
refuses '--draw to where nothing can be written, before anything else' 1 '--draw: none/g.svg: No such file or directory' \
    sales.csv -o drawn.csv --draw none/g.svg
! [ -e drawn.csv ]
tell 'and nothing is written' $?
gives '--no-header and --no-quotes' $'column_1,column_2\n1,"""x"\n2,y' tabs.csv --no-header --no-quotes -d '\t'
gives '--no-header and --schema' $'column_1  int64\ncolumn_2  string' tabs.csv --no-header --no-quotes --schema
gives '--block-size 1' $'name,sum(amount)\nann,17.75\nbob,3.0\n"c, ""d""",-1.0' sales.csv -g name -a 'sum(amount)' --block-size 1
gives '--workers, --scheduler, --memory, --seed' $'name,sum(amount)\nann,17.75\nbob,3.0\n"c, ""d""",-1.0' sales.csv -g name \
    -a 'sum(amount)' --workers 3 --scheduler serial --memory 16M --seed 7
asked 0 sales.csv --stats && grep -q 'bytes written to disk' err
tell '--stats' $?
asked 0 --help && grep -q -- '--group-by' out && grep -qF 'docs/table.md' out
tell '--help' $?
printf 'unit price\n2\n' >prices.csv
gives 'names that are no identifiers' $'unit price,x y\n2,4' prices.csv --with 'x y=`unit price` * 2' --select '`unit price`, `x y`' \
    -s '`unit price`' -w '`x y` == 4'
gives '--types keeps digits' $'unit price\n2' prices.csv --types 'unit price:string' -w 'startswith(`unit price`, "2")'

# --- files

asked 0 sales.csv -o o.csv --select name && ! [ -s out ] && printf 'name\nann\nbob\nann\n"c, ""d"""\n' | cmp -s - o.csv
tell '-o writes CSV' $?
asked 0 sales.csv -o o.jsonl --select qty -n 2 && printf '{"qty":2}\n{"qty":null}\n' | cmp -s - o.jsonl
tell '-o of .jsonl writes JSON' $?
asked 0 sales.csv -o o.txt --json --select qty -n 1 && printf '{"qty":2}\n' | cmp -s - o.txt
tell '-o with --json, too' $?
asked 0 sales.csv -o o.arrow && cp o.arrow renamed.txt
gives 'Arrow files are known by what they begin with' $'name,sum(amount)\nann,17.75\nbob,3.0\n"c, ""d""",-1.0' renamed.txt \
    -g name -a 'sum(amount)'
seq 5000 | awk 'BEGIN { print "id,city" } { print $1 "," ($1 % 2 ? "Oslo" : "Bergen") }' >cities.csv
for codec in lz4 zstd; do
    if asked 0 cities.csv -o cities.arrow --compress $codec; then
        asked 0 cities.csv -g city -a 'sum(id)' && cp out wanted && asked 0 cities.arrow -g city -a 'sum(id)' && cmp -s out wanted &&
            [ "$(stat -c %s cities.arrow)" -lt 40000 ]
    else
        grep -q 'compressed batches need the module rask-arrow' err
    fi
    tell "--compress $codec" $?
done
refuses '--compress of no Arrow file' 2 '--compress: only with -o FILE.arrow or FILE.feather' sales.csv -o o.csv --compress zstd
refuses '--compress by another codec' 2 '--compress: neither lz4 nor zstd: "gzip"' sales.csv -o o.arrow --compress gzip
gives 'Arrow files have types' 'name    string
amount  float64
qty     int64
day     date' o.arrow --schema
asked 0 sales.csv --join o.arrow --on name --select qty,amount_right -n 1 && [ "$(cat out)" = $'qty,amount_right\n2,10.5' ]
tell 'Arrow files are joined' $?
asked 0 sales.csv --join o.arrow --on name --how semi -w 'qty > 2' --explain && [ "$(cat out)" = $'name,amount,qty,day\nann,7.25,4,' ] &&
    grep -qx '  semi join on name = name' err
tell '--explain tells of joins' $?
mkdir several && "$rask" csv sales.csv -n 2 -o several/a.arrow && "$rask" csv sales.csv -o several/b.arrows
gives 'Arrow files of a pattern' $'name,count()\nann,3\nbob,2\n"c, ""d""",1' 'several/*.arrow*' -g name
gives 'and of a folder' $'name,count()\nann,3\nbob,2\n"c, ""d""",1' several/ -g name
asked 0 sales.csv --join 'several/b*' --on name --select qty,amount_right -n 1 && [ "$(cat out)" = $'qty,amount_right\n2,10.5' ]
tell 'a pattern of Arrow files is joined' $?
"$rask" csv sales.csv --with 'qty = str(qty)' -o several/c.arrow
refuses 'Arrow files of other types' 1 'several/c.arrow: column "qty" is string, and int64 in the files before it' several
rm several/c.arrow && cp sales.csv several/d.csv
refuses 'Arrow files and others in a folder' 1 'several/a.arrow is an Arrow file and several/d.csv is none: one table is of files of one kind' several
printf 'PAR1\0\0\n' >several/d.csv && mkdir parquet && mv several/d.csv parquet/p.parquet
refuses 'a folder of Parquet files' 1 'parquet/p.parquet: Parquet, as its name says, is not read: convert it to Arrow or CSV' parquet
asked 1 - <o.arrow && [ "$(cat err)" = 'rask csv: standard input is an Arrow file: these are read by their names' ]
tell 'an Arrow file by standard input is refused' $?
head -c 500 o.arrow >cut.arrow
refuses 'an Arrow file that is cut' 1 'cut.arrow: at byte 494: the file is cut or damaged: no "ARROW1" behind a footer' cut.arrow
asked 0 sales.csv --select amount,day -o 'o-{column}.npy' && head -c 100 o-amount.npy | grep -qF "'<f8', 'fortran_order': False, 'shape': (4,)" &&
    tail -c 8 o-amount.npy | od -An -tfD | grep -q -- '^ *-1$' && head -c 100 o-day.npy | grep -qF '<M8[D]'
tell '-o of .npy writes columns' $?
refuses 'a .npy holds one column' 1 'o.npy: 4 columns: a .npy is a file and holds one; a name with {column} makes a file for each' \
    sales.csv -o o.npy
refuses 'a .npy holds no text' 1 'o.npy: column "name" is string, and .npy holds numbers' sales.csv --select name -o o.npy
refuses 'a .npy holds no nulls of int64' 1 \
    'o.npy: column "qty" has a null, which int64 is not: fill it, or make it float64' sales.csv --select qty -o o.npy
asked 0 o.csv -o o.csv -w 'name == "bob"' && printf 'name\nbob\n' | cmp -s - o.csv
tell 'a file may replace the one that is read' $?
gives 'what is written reads back' 'name    string
amount  float64
qty     int64
day     date' <("$rask" csv sales.csv) --schema
printf 'name,amount\neve,1\n' >sales-2.csv
printf '\xef\xbb\xbf"name",amount\r\nfay,2.5\r\n' >sales-3.csv
gives 'several files, byte order marks and ends of lines as they like' $'name,amount\neve,1.0\nfay,2.5' sales-2.csv sales-3.csv --types amount:float64
gives 'a pattern' $'name,amount\neve,1.0\nfay,2.5' 'sales-*.csv' --types amount:float64
mkdir folder && cp sales-2.csv folder/b.csv && cp sales-2.csv folder/a.csv
gives 'a folder' $'count()\n2' folder -a 'count()'
asked 0 - --select name -n 1 <sales.csv && printf 'name\nann\n' | cmp -s - out
tell 'standard input' $?
(cat sales.csv; sleep 0.1; echo 'zed,1,1,') | asked 0 - -a 'count() as n' && printf 'n\n5\n' | cmp -s - out
tell 'a pipe that waits' $?
: >empty.csv
gives 'an empty file among others' $'name,amount\neve,1' sales-2.csv empty.csv
echo >newline.csv
printf '\xef\xbb\xbf\r\n' >mark_only.csv
gives 'files without a record before the first with one' $'name,amount\neve,1' empty.csv newline.csv mark_only.csv sales-2.csv newline.csv
refuses 'no file with a record' 1 'newline.csv: the file has no record: it has no header' empty.csv newline.csv
printf '\xef\xbb\xbf' >mark.csv
printf '\n\r\n' >blank.csv
for size in 1 3 1M; do
    gives "nearly empty files among others, blocks of $size" $'name,amount\neve,1\neve,1' sales-2.csv mark.csv blank.csv sales-2.csv \
        --block-size $size
done
printf 'name,amount\n' >head.csv
gives 'only a header' 'name,amount' head.csv
gives 'only a header, grouped' 'name,count()' head.csv -g name
gives 'only a header, counted' $'count()\n0' head.csv -a 'count()'
gives 'only a header, where' 'name,amount' head.csv -w 'amount > 1 and startswith(name, "x")'
gives 'only a header, added up' $'sum(amount),mean(amount),max(name)\n0,,' head.csv -a 'sum(amount), mean(amount), max(name)'
gives 'only a header, of given types' $'name    string\namount  float64' head.csv --types amount:float64 --schema
gives 'only a header, joined' $'name,amount,amount_right,qty,day\nbob,,3.0,,2024-02-01' head.csv --join sales.csv --on name --how right \
    -w 'name == "bob"'
gives 'only a header, sorted' 'name,amount' head.csv -s name
asked 0 head.csv --json && ! [ -s out ]
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
    if asked 0 "sales.csv.$tool" --select name -n 1; then
        printf 'name\nann\n' | cmp -s - out
        tell "what $tool compressed" $?
    else
        grep -q 'needs the module rask-decompress' err
        tell "what $tool compressed needs a module" $?
    fi
done
same_columns()
{
    printf '%b' "$2" >other.csv
    refuses "$1" 1 "other.csv:$3" sales-2.csv other.csv
}
same_columns 'files have the same columns' 'name,price\neve,1\n' \
    '1: the header has no column "amount", which sales-2.csv has'
same_columns 'and no more' '\nname,amount,qty\neve,1,2\n' \
    '2: the header has a column "qty", which sales-2.csv has not'
same_columns 'in the same order' 'amount,name\n1,eve\n' \
    '1: the header has the columns in another order than sales-2.csv: column 1 is "amount", not "name"'
same_columns 'a header that is cut short' 'na' '1: the header has no column "name", which sales-2.csv has'
printf 'amount,name\n1,eve\n' >other-order.csv
gives 'no header, no names' $'column_1,column_2\nname,amount\neve,1\namount,name\n1,eve' sales-2.csv other-order.csv --no-header
awk 'BEGIN { print "k,x"; for (i = 0; i < 60000; i++) printf "%d,%.2f\n", i % 7, i / 4 }' >many.csv
asked 0 many.csv -g k -a 'count() as n, sum(x) as s' --memory 4M --block-size 4K && cp out parts && asked 0 many.csv -g k -a 'count() as n, sum(x) as s' &&
    cmp -s out parts && [ "$(wc -l <out)" -eq 8 ]
tell 'many blocks within little memory' $?
gzip -c sales.csv >sales.csv.gz
asked 0 sales.csv.gz -n 1
unpacks=$?
# command: the same groups of what it makes of many.csv, in blocks, twice, and as a stream
blocks_of()
{
    "$@" -c many.csv >many.packed || return
    asked 0 many.packed -g k -a 'count() as n, sum(x) as s' --block-size 9K --workers 3 && cmp -s out parts || return
    asked 0 many.packed many.packed --workers 2 -w 'k == 3' && [ "$(wc -l <out)" -eq 17143 ] || return
    asked 0 - -g k --workers 2 -a 'count() as n, sum(x) as s' <many.packed && cmp -s out parts
}
for tool in gzip zstd xz bzip2; do
    [ "$unpacks" -eq 0 ] && [ -x "$(command -v $tool)" ] || continue
    blocks_of $tool
    tell "blocks of what $tool compressed" $?
done
rm folder/[ab].csv
for i in {1..100}; do
    { echo k,x; sed -n "$((i * 600 - 598)),$((i * 600 + 1))p" many.csv; } >"folder/$i.csv"
    [ "$unpacks" -ne 0 ] || [ $((i % 3)) -eq 0 ] || gzip -1 "folder/$i.csv"
done
asked 0 folder -g k -a 'count() as n, sum(x) as s' --workers 2 && cmp -s out parts
tell 'many small files' $?
# shellcheck disable=SC2002 # a pipe is meant
cat many.csv | asked 0 - -g k -a 'count() as n, sum(x) as s' --block-size 5K --workers 3 && cmp -s out parts
tell 'blocks of a stream' $?
asked 0 - --no-header -n 2 --workers 2 < <(yes 1,2) && [ "$(wc -l <out)" -eq 3 ]
tell 'of a stream without end only the first rows are read' $?

# --- the last rows

refuses '--limit and --tail' 2 '--limit or --tail: one of them' sales.csv -n 1 --tail 1
gives '--tail 0' 'name,amount,qty,day' sales.csv --tail 0
gives '--tail of more than there are' $'amount\n3.0\n7.25\n-1.0' sales.csv --where 'amount < 10' --select amount --tail 9
gives '--tail of what --sort gives' $'amount\n7.25\n10.5' sales.csv --sort amount --select amount --tail 2
gives '--tail of groups' $'name,count()\n"c, ""d""",1' sales.csv -g name --tail 1
# name, file, arguments: the last rows, of a file and from behind, in blocks, as a stream and compressed
ends()
{
    local name=$1 file=$2 rows status=0
    shift 2
    asked 0 "$file" "$@" --json && cp out all
    gzip -c "$file" >ends.gz
    for rows in 1 1000 59999 100000; do
        tail -n $rows all >want
        for how in '--workers 1' '--workers 3 --block-size 30K' '--scheduler processes'; do
            asked 0 "$file" "$@" --tail $rows $how --json && cmp -s want out || status=1
        done
    done
    for rows in 2 30000; do
        tail -n $rows all >want
        asked 0 - "$@" --tail $rows --json <"$file" && cmp -s want out || status=1
        [ "$unpacks" -ne 0 ] || { asked 0 ends.gz "$@" --tail $rows --json && cmp -s want out; } || status=1
    done
    tell "the last rows $name" $status
}
seq 60000 | awk 'BEGIN { print "k,x" } { print $1 % 7 "," $1 }' >ends.csv
ends 'of a file' ends.csv
ends 'where --where lets some through' ends.csv -w 'k == 3'
sed 's/$/\r/; 30000,$s/^3/#3/' ends.csv >lines.csv
printf '\r\n\n#\n' >>lines.csv
ends 'between comments and empty lines' lines.csv --comment '#'
awk '{ print; if (NR % 9999 == 0) print "1,\"2\n3,4\n5\"" }' ends.csv >quoted.csv
ends 'where newlines are in quotes' quoted.csv --types x:string
ends 'where quotes are bytes as others' ends.csv --no-quotes
cut -d, -f2 ends.csv | sed '50000,50009s/.*//' >one.csv
ends 'of one column, where an empty line is a null' one.csv
tail -n +2 ends.csv >rows.csv
{ echo k,x; yes '#' | head -n 200000; tail -n +2 ends.csv; } >far.csv
ends 'behind a header far from them' far.csv --comment '#'
asked 0 ends.csv rows.csv ends.csv --no-header --types column_1:string,column_2:string --tail 120003 && [ "$(sed -n '2p' out)" = 2,59999 ] &&
    [ "$(wc -l <out)" -eq 120004 ]
tell 'the last rows of several files' $?
{ cat ends.csv; echo 1,2,3; } >wrong.csv
refuses 'what is wrong in the last rows has its line' 1 'wrong.csv:60002: record has 3 fields, 2 expected' wrong.csv --tail 2
sed '50000s/$/,3/' ends.csv >wrong.csv
asked 0 wrong.csv --tail 2 && [ "$(tail -n 1 out)" = 3,60000 ] && asked 1 wrong.csv --tail 2 -w 'x > 0'
tell 'what is wrong before the last rows is not read' $?

# --- what is wrong far down

{ cat many.csv; echo 'x,1'; seq -f '%g,2' 60000; } >wrong.csv
gzip -c wrong.csv >wrong.csv.gz
for size in 100 30K 1G; do
    for file in wrong.csv wrong.csv.gz; do
        [ "$file" = wrong.csv ] || [ "$unpacks" -eq 0 ] || continue
        refuses "the first error is told, blocks of $size, $file" 1 "$file:60002: column 1 (k): \"x\" is no int64" "$file" \
            --block-size $size -a 'sum(k)' --types k:int64 --workers 2
    done
    asked 0 wrong.csv -n 60000 --types k:int64 --block-size $size && [ "$(wc -l <out)" -eq 60001 ]
    tell "behind the last row that is wanted it is not, blocks of $size" $?
    refuses "one row further it is, blocks of $size" 1 'wrong.csv:60002: column 1 (k): "x" is no int64' wrong.csv --block-size $size \
        -n 60001 --types k:int64
    asked 0 many.csv wrong.csv -n 60001 --types k:int64 --block-size $size -w 'x >= 0' && [ "$(wc -l <out)" -eq 60002 ]
    tell "nor in a file behind, blocks of $size" $?
done
awk 'BEGIN { print "id,v,q"; for (i = 1; i <= 30000; i++) printf "%d,%d,%s\n", i, i * 7919 % 30011, i == 20000 ? "bad" : i == 25000 ? "worse" : i % 9 }' >late.csv
gzip -c late.csv >late.csv.gz
for size in 100 30K 1G; do
    for file in late.csv late.csv.gz; do
        [ "$file" = late.csv ] || [ "$unpacks" -eq 0 ] || continue
        options="--types q:int64 --block-size $size --workers 2"
        # shellcheck disable=SC2086
        {
            refuses "a value that does not fit in a row that is chosen, blocks of $size, $file" 1 \
                "$file:20001: column 3 (q): \"bad\" is no int64" $file $options -w 'id >= 20000 or id < 5' -a 'sum(q)'
            asked 0 $file $options -w 'id < 20000 or id % 5000 != 0' -a 'sum(q)' && [ "$(tail -n 1 out)" = 119982 ]
            tell "in a row that is not, blocks of $size, $file" $?
            refuses "in one of the first rows of an order, blocks of $size, $file" 1 \
                "$file:25001: column 3 (q): \"worse\" is no int64" $file $options -w 'id >= 25000' -s id -n 3
            refuses "of several the first in the order, blocks of $size, $file" 1 \
                "$file:25001: column 3 (q): \"worse\" is no int64" $file $options -s id:desc -n 20000
            asked 0 $file $options -s id -n 19999 && [ "$(wc -l <out)" -eq 20000 ]
            tell "behind them, blocks of $size, $file" $?
        }
    done
done
printf 'k,x\n"1,2\n' >open.csv
asked 0 many.csv open.csv -n 9 && asked 1 many.csv open.csv && grep -qF 'open.csv:2: field 1: the quote is not closed' err
tell 'nor in its first lines' $?
if [ "$unpacks" -eq 0 ]; then
    head -c 150000 wrong.csv.gz >cut.gz
    refuses 'a compressed file that is cut' 1 'cut.gz: gzip: truncated at byte 150000 of the compressed file' cut.gz -a 'sum(x)' --workers 2
    refuses 'by one worker, too' 1 'cut.gz: gzip: truncated at byte 150000 of the compressed file' cut.gz -a 'sum(x)' --workers 1
    refuses 'with a sink for each block, too' 1 'cut.gz: gzip: truncated at byte 150000 of the compressed file' cut.gz -s x -w 'x > 5' --misfit null \
        --workers 2 --block-size 20K
    asked 0 cut.gz -n 3 --workers 2
    tell 'but not when its first rows are enough' $?
fi

asked 0 many.csv -s 'k desc, x' --memory 4M && [ "$(sed -n 2p out)" = '6,1.5' ] && [ "$(tail -n 1 out)" = '0,14999.25' ]
tell 'sorting within little memory' $?
awk 'BEGIN { print "k,x"; for (i = 0; i < 90000; i++) printf "%d,%d\n", i % 3, i * 7919 % 45007 }' >few.csv
asked 0 few.csv -g k,x -a 'count() as n' --memory 1G && cp out parts && asked 0 few.csv -g k,x -a 'count() as n' --memory 4M --block-size 20K &&
    cmp -s out parts && [ "$(wc -l <out)" -eq 90001 ]
tell 'many groups whose first key has few values, within little memory' $?
asked 0 few.csv -s k,x --memory 1G && cp out parts && asked 0 few.csv -s k,x --memory 4M --block-size 20K && cmp -s out parts && [ "$(sed -n 2p out)" = 0,0 ]
tell 'sorting by a first key that has few values' $?
asked 0 few.csv --join few.csv --on k,x -s x:desc,k --memory 1G && cp out parts &&
    asked 0 few.csv --join few.csv --on k,x -s x:desc,k --memory 6M --block-size 20K --join-method partitioned && cmp -s out parts &&
    [ "$(wc -l <out)" -eq 90001 ]
tell 'joining a file with itself and sorting it, within little memory' $?
asked 0 few.csv --distinct=x,k --memory 1G && cp out parts && asked 0 few.csv --distinct=x,k --memory 4M --block-size 20K && cmp -s out parts
tell 'many distinct rows within little memory' $?
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

# --- joins and distinct rows

printf 'who,city,amount\nann,Oslo,1\nbob,,2\ndan,Turku,3\nann,Bergen,4\n' >people.csv
gives '--join --on' $'name,amount,qty,day,city,amount_right\nann,10.5,2,2024-01-31,Oslo,1\nann,10.5,2,2024-01-31,Bergen,4\nbob,3.0,,2024-02-01,,2\nann,7.25,4,,Oslo,1\nann,7.25,4,,Bergen,4' \
    sales.csv --join people.csv --on 'name = who'
gives '--how left' $'name,amount,city\nann,10.5,Oslo\nann,10.5,Bergen\nbob,3.0,\n"c, ""d""",-1.0,' \
    sales.csv --join people.csv --on name=who --how left -w 'amount != 7.25' --select name,amount,city
gives '--how outer' $'name,qty,city\nann,2,Oslo\nann,2,Bergen\nbob,,\nann,4,Oslo\nann,4,Bergen\n"c, ""d""",1,\ndan,,Turku' \
    sales.csv --join people.csv --on name=who --how outer --select name,qty,city
gives '--how right' $'name,qty\nann,2\nann,4\nbob,\ndan,\nann,2\nann,4' sales.csv --join people.csv --on name=who --how right --select name,qty
gives '--how semi' $'name,qty\nann,2\nbob,\nann,4' sales.csv --join people.csv --on name=who --how semi --select name,qty
gives '--how anti, in parts' $'who,city,amount\ndan,Turku,3' people.csv --join sales.csv --on who=name --how anti --join-method partitioned
printf 'city;land\nOslo;no\nBergen;no\nTurku;fi\n' >cities.csv
gives 'several files, in order' $'land,count(),sum(amount)\nfi,2,2.0\nno,4,35.5' sales.csv --join people.csv --on name=who --how left \
    --join cities.csv --on city --how left --with 'land=fill(land, "fi")' -g land -a 'count(), sum(amount)'
gives 'one --on for all' $'name,amount,qty,day,n\nbob,3.0,,2024-02-01,5' sales.csv --join <(printf 'name,n\nbob,5\n') --join <(printf 'name\nbob\n') --on name
asked 1 - --join people.csv --on name=who --how outer < <(cat sales.csv) && [ "$(cat err)" = "rask csv: standard input: a stream can be read but once, \
and an outer join reads both tables twice: write it to a file first" ]
tell 'an outer join of a stream' $?
gives '--join-types' $'code,n\n007,1' <(printf 'code\n007\n7\n') --types code:string --join <(printf 'code,n\n007,1\n') --on code --join-types code:string
asked 0 sales.csv --join - --on name=who --select name,city -n 1 <people.csv && printf 'name,city\nann,Oslo\n' | cmp -s - out
tell 'standard input joined' $?
gives '--distinct=COLUMNS' $'name,amount,qty,day\nann,10.5,2,2024-01-31\nbob,3.0,,2024-02-01\n"c, ""d""",-1.0,1,2024-02-01' sales.csv --distinct=name
gives '--distinct' $'name\nann\nbob\n"c, ""d"""' sales.csv --select name --distinct
gives '--distinct behind --sort by another column' $'name\n"c, ""d"""\nbob' sales.csv --select name --sort amount --distinct -n 2
gives '--distinct before --group-by' $'day,count()\n2024-01-31,1\n2024-02-01,2' sales.csv --distinct=name -g day
refuses 'a key that the file has not' 1 '--join, --on: left table: no column "nam": did you mean "name"?' sales.csv --join people.csv --on nam=who
refuses 'a key that the joined file has not' 1 '--join, --on: right table: no column "name"; there are: who, city, amount' sales.csv --join people.csv --on name
refuses 'keys of other types' 1 '--join, --on: "name" of the left table is string, and "amount" of the right one int64' sales.csv --join people.csv --on name=amount
refuses '--join without --on' 2 '--join: --on COLUMNS is missing' sales.csv --join people.csv
refuses '--on without --join' 2 '--on, --how, --join-types and --join-method belong to --join FILE' sales.csv --on name
refuses 'an unknown way to join' 2 '--how: not inner, left, right, outer, semi or anti: "full"' sales.csv --join people.csv --on name=who --how full
refuses 'too many ways to join' 2 '--how: given 2 times, --join 1 times' sales.csv --join people.csv --on name=who --how left --how left
refuses 'an unknown method' 2 '--join-method: not auto, broadcast or partitioned: "hash"' sales.csv --join people.csv --on name=who --join-method hash
refuses 'a joined file that is not there' 1 'none.csv: No such file or directory' sales.csv --join none.csv --on name
refuses 'distinct by a column that is not there' 1 '--distinct: no column "nme": did you mean "name"?' sales.csv --distinct=nme

# --- errors

refuses 'no file' 2 'no file given (- is standard input)' --schema
refuses 'a file that is not there' 1 'none.csv: No such file or directory' none.csv
refuses 'nor one of several' 1 'none.csv: No such file or directory' sales.csv none.csv
refuses 'a pattern of nothing' 1 'none*.csv: no file matches this pattern' 'none*.csv'
refuses 'an empty file' 1 'empty.csv: the file is empty: it has no header' empty.csv
asked 1 - --misfit widen < <(cat sales.csv) && ! [ -s out ] &&
    [ "$(cat err)" = 'rask csv: standard input: a stream can be read only once, so its types cannot be widened: give the types, or let misfits fail or be null' ]
tell 'a stream is not widened' $?
refuses 'a given type is not widened' 1 'wide.csv:3002: column 1 (a): "0.5" is no int64' wide.csv --misfit widen --types a:int64
awk 'BEGIN { print "a,b"; for (i = 0; i < 80000; i++) print "1,2"; print "3" }' >broken.csv
refuses 'a malformed file to widen' 1 'broken.csv:80002: record has 1 field, 2 expected' broken.csv --misfit widen
refuses 'no new name' 1 '--rename: "qty" gets no name: OLD as NEW expected' sales.csv --rename qty
refuses 'a name that is taken' 1 '--rename: two columns "name"' sales.csv --rename 'qty as name'
refuses 'a column renamed twice' 1 '--rename: "qty" is renamed twice' sales.csv --rename 'qty as a, qty as b'
refuses 'an unknown column to drop nulls of' 1 '--drop-nulls: no column "qyt": did you mean "qty"?' sales.csv --drop-nulls qyt
refuses 'a value of another type for nulls' 1 '--fill-nulls: column "qty" is int64, and 0.5 is not' sales.csv --fill-nulls qty=0.5
refuses 'text for nulls of numbers' 1 '--fill-nulls: column "qty" is int64, and "x" is not' sales.csv --fill-nulls 'qty="x"'
refuses 'half a value for nulls' 1 '--fill-nulls: an expression expected, not the end, at byte 3 of "1+"' sales.csv --fill-nulls 'qty=1+'
refuses 'a value for nulls that is none' 2 '--fill-nulls: not C=EXPR: "qty"' sales.csv --fill-nulls qty
refuses 'counts of nothing' 1 '--value-counts: no columns' sales.csv --value-counts ''
refuses 'two summaries' 2 '--group-by with --agg, --value-counts, --describe, --quantiles: one of them' sales.csv --describe -g name
refuses 'quantiles that are none' 2 '--quantiles: not numbers from 0 to 1: "0.5,x"' sales.csv --quantiles 0.5,x
refuses 'quantiles of text' 1 '--quantiles: no column of numbers or dates' sales.csv --quantiles 0.5 --select name
refuses 'a value, with its line' 1 'sales.csv:2: column 2 (amount): "10.5" is no int64' sales.csv --types amount:int64
asked 1 sales.csv --types amount:int64 --block-size 3 && grep -qF 'sales.csv:2: column 2 (amount): "10.5" is no int64' err
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
printf '2020,unit price,a`b\n1,2,3\n4,5,6\n' >odd.csv
gives 'columns that are no words stand in backticks, where two are one' $'x`y\n9\n45' odd.csv --with '`x``y` = `2020` + `unit price` * (`a``b` - 1) + `2020` * 4' \
    --select '`x``y`'
gives 'in lists, too' $'a`b,p`q\n6,4\n3,1' odd.csv --group-by '`a``b`' --agg 'sum(`2020`) as `p``q`' --sort '`a``b`:desc'
gives 'and in nulls' $'2020,unit price,a`b\n1,2,3\n4,5,6' odd.csv --fill-nulls '`a``b`=0'
refuses 'without them a message says so' 1 \
    "--where: an operator expected, not name \"price\"; names of columns that are no words stand in backticks, at byte 6 of 'unit price > \"a\"'" \
    odd.csv -w 'unit price > "a"'
refuses 'of the name that was meant' 1 '--where: no column "unit": did you mean `unit price`, in backticks?, at byte 1 of "unit > 1"' odd.csv -w 'unit > 1'
refuses 'and of names that begin with digits' 1 \
    '--where: not a number as Python writes them; names of columns that are no words stand in backticks, at byte 1 of "2020a > 1"' odd.csv -w '2020a > 1'
refuses 'a name that nothing ends' 1 '--where: a name in backticks that no backtick ends; two are one of the name, at byte 1 of "`a``b"' odd.csv -w '`a``b'
refuses 'an unknown column to select' 1 '--select: no column "nam": did you mean "name"?' sales.csv --select nam
refuses 'a column selected twice' 1 '--select: two columns "name"' sales.csv --select 'name, day as name'
refuses 'and as C has it' 1 "--where: '&&' is no operator: write and, at byte 9 of \"qty > 1 && qty < 3\"" sales.csv -w 'qty > 1 && qty < 3'
refuses 'or as C has it' 1 "--where: '||' is no operator: write or, at byte 9 of \"qty > 1 || qty < 3\"" sales.csv -w 'qty > 1 || qty < 3'
refuses 'not as C has it' 1 "--where: '!' is no operator: write not, at byte 1 of \"!(qty > 1)\"" sales.csv -w '!(qty > 1)'
refuses 'a pattern as others have it' 1 "--where: '~' does not compare: write matches(a, \"regex\"), at byte 6 of \"name ~ 'a'\"" sales.csv -w "name ~ 'a'"
refuses 'like, and what to write' 1 \
    "--where: no like: write contains(a, \"text\"), startswith(a, \"text\") or matches(a, \"regex\"), at byte 6 of \"name like 'a%'\"" sales.csv \
    -w "name like 'a%'"
gives 'columns called like words of other languages' $'like,between\n1,2' <(printf 'like,between\n1,2\n3,4\n') -w 'like == 1 and between == 2'
refuses 'a text without quotes' 1 "--where: no column \"zoe\": a text stands in quotes: 'zoe', at byte 9 of \"name == zoe\"" sales.csv -w 'name == zoe'
refuses 'a text without quotes in a call' 1 "--where: no column \"zoe\": a text stands in quotes: 'zoe', at byte 16 of \"contains(name, zoe)\"" sales.csv \
    -w 'contains(name, zoe)'
refuses 'a date without quotes' 1 "--where: dates stand in quotes: \"2020-01-31\", at byte 12 of \"day > 2024-01-31\"" sales.csv -w 'day > 2024-01-31'
refuses 'a date without quotes that is a number' 1 \
    "--where: '>' does not go with date day and int64: dates stand in quotes, at byte 5 of \"day > 2024-12-31\"" sales.csv -w 'day > 2024-12-31'
refuses 'a key that is computed' 1 \
    "--group-by, --agg: no column \"month(day)\": what is computed becomes a column first, with a name of its own: --with NAME=EXPR" \
    sales.csv -g 'month(day)'
refuses 'downwards by a sign' 1 '--sort: no column "-amount": write "amount:desc" for the largest first' sales.csv --sort=-amount
refuses 'a new name behind =' 1 '--rename: "amount=price": write "amount as price"' sales.csv --rename amount=price
refuses 'an old name behind =' 1 '--rename: "price=amount": write "amount as price"' sales.csv --rename price=amount
refuses 'a new name for no column' 1 '--rename: no column "x"; there are: name, amount, qty, day' sales.csv --rename x=price
{ echo id,cost && seq 1 30 | sed 's/.*/&,&.5/' && echo 31,oops && echo 32,; } >one.csv
one='one.csv:32: column "cost" is string for "oops", the others are float64: --misfit null makes it null'
refuses 'a sum of what is text for one value' 1 \
    "--group-by, --agg: sum takes numbers, but 'cost' is string, at byte 1 of \"sum(cost)\"; $one" one.csv -a 'sum(cost)'
refuses 'a comparison of what is text for one value' 1 \
    "--where: '>' does not go with string cost and int64, at byte 6 of \"cost > 5\"; $one" one.csv -w 'cost > 5'
asked 0 one.csv --schema && printf 'id    int64\ncost  string\n' | cmp -s - out && [ "$(cat err)" = "rask csv: note: $one" ]
tell '--schema says which value makes a column text' $?
asked 0 one.csv --explain && grep -qF "note: $one" err
tell '--explain, too' $?
asked 0 - --schema <one.csv && grep -qF 'standard input:32: column "cost"' err
tell 'and of a stream' $?
asked 0 one.csv --schema --types cost:string && ! [ -s err ]
tell 'but not where the type was given' $?
gives '--misfit null takes few misfits for nulls, wherever they are' $'sum(cost),count(cost),count()\n480.0,30,32' one.csv --misfit null \
    -a 'sum(cost),count(cost),count()'
refuses 'columns by another delimiter' 1 \
    '--select: no column "cost"; the only one is "id,cost": is the delimiter another one?' one.csv -d ';' --select cost
refuses 'a condition by another delimiter' 1 \
    '--where: no column "cost"; the only one is "id,cost": is the delimiter another one?, at byte 1 of "cost > 1"' \
    one.csv -d ';' -w 'cost > 1'
printf 'id,cost\n1,a\n2,b\n3,4\n4,5\n5,6\n' >mixed.csv
gives 'but not where a third of the values are' $'id    int64\ncost  string' mixed.csv --misfit null --schema
refuses 'an unknown column to sort by' 1 '--sort: no column "x"; there are: name, amount, qty, day' sales.csv -s x
refuses 'an unknown key' 1 '--group-by, --agg: no column "nme": did you mean "name"?' sales.csv -g nme
refuses 'a sum of text' 1 "--group-by, --agg: sum takes numbers, but 'name' is string, at byte 1 of \"sum(name)\"" sales.csv -a 'sum(name)'
(seq -s, -f 'c%g' 70; seq -s, 70) >keys.csv
refuses 'too many keys' 1 '--group-by, --agg: more than 64 keys' keys.csv -g "$(seq -s, -f 'c%g' 70)"
refuses 'a key twice' 1 '--group-by, --agg: two keys "name"' sales.csv -g name,name
refuses 'a result called like a key' 1 '--group-by, --agg: a key has this name, at byte 1 of "count() as name"' sales.csv -g name -a 'count() as name'
refuses 'a key that is empty' 1 '--group-by, --agg: no column ""; there are: name, amount, qty, day' sales.csv -g name,,qty
gives 'a comma behind the last one' $'name,count()\nann,2\nbob,1\n"c, ""d""",1' sales.csv -g 'name,' --select 'name, count(),' -s 'name,'
refuses 'an unknown aggregate' 1 "--group-by, --agg: no aggregate is called 'total', but there is sum, at byte 10 of \"count(), total(qty)\"" sales.csv \
    -a 'count(), total(qty)'
refuses 'types without a type' 1 '--types: "amount" is no NAME:TYPE' sales.csv --types amount
refuses 'an unknown type' 1 '--types: no type "foo" (bool, int64, float64, date, timestamp, string)' sales.csv --types amount:foo
refuses 'a type for no column' 1 '--types: no column "foo" in sales.csv' sales.csv --types foo:int64
refuses 'a type for no column of a joined file' 1 '--types, --join-types: no column "foo" in people.csv' sales.csv --join people.csv --on name \
    --join-types foo:int64
refuses '--with without a name' 2 '--with: not NAME=EXPR: "=x"' sales.csv --with '=x'
refuses '--with without an expression' 2 '--with: not NAME=EXPR: "x"' sales.csv --with x
refuses 'a delimiter of two bytes' 2 '--delimiter: not one byte: "ab"' sales.csv -d ab
refuses 'a comment of two bytes' 2 '--comment: not one byte: "//"' sales.csv --comment //
refuses 'an unknown way with misfits' 2 '--misfit: not fail, null or widen: "skip"' sales.csv --misfit skip
refuses 'a size that is none' 2 $'--block-size: not a size: "x"' sales.csv --block-size x
refuses 'a limit that is none' 2 $'--limit: not a whole number below 2 to the power of 64: "-1"' sales.csv --limit -1
refuses 'a limit beyond all numbers' 2 '--limit: not a whole number below 2 to the power of 64: "18446744073709551616"' \
    sales.csv --limit 18446744073709551616
refuses 'no column left' 1 '--drop: no column would be left' sales.csv --drop name,amount,qty,day
refuses 'a stream without a header' 1 'standard input: the file is empty: it has no header' -
refuses 'an ending of compressed files' 1 \
    'o.csv.gz: nothing is compressed as it is written: write to standard output, and compress that' sales.csv -o o.csv.gz
refuses 'an ending of Parquet' 1 'o.parquet: Parquet is not written; Arrow is, as .arrow' sales.csv -o o.parquet
[ ! -e o.csv.gz ] && [ ! -e o.parquet ]
tell 'and nothing is there' $?
iconv -f UTF-8 -t UTF-16 sales.csv >wide.csv
refuses 'UTF-16' 1 'wide.csv:1: the name of column 1 has a NUL byte: it is no text, or in UTF-16, which iconv -f UTF-16 -t UTF-8 converts' \
    wide.csv
for promise in gz:gzip bgz:gzip zst:zstd xz:xz bz2:bzip2; do
    printf 'a\0b,c\n1,2\n' >"other.${promise%:*}"
    refuses "${promise#*:} by its name only" 1 \
        "other.${promise%:*}: its content is not ${promise#*:}, as its name says, nor CSV: line 1: the name of column 1 has a NUL byte" \
        "other.${promise%:*}"
done
for promise in arrow:Arrow arrows:Arrow feather:Arrow FEATHER:Arrow parquet:Parquet; do
    for text in 'a,b\n1,2\n' 'ARROW' 'a\0b\n' ''; do
        # shellcheck disable=SC2059 # it is written as a format
        printf "$text" >"other.${promise%:*}"
        refuses "${promise#*:} by its name only, with \"$text\"" 1 \
            "other.${promise%:*}: its name says ${promise#*:}, but it does not begin so; what is CSV needs another name, or comes by standard input" \
            "other.${promise%:*}"
    done
done
for parquet in other.parquet other.PARQUET; do
    printf 'PAR1\0\0\n' >$parquet
    refuses "Parquet: $parquet" 1 "$parquet: Parquet, as its name says, is not read: convert it to Arrow or CSV" $parquet
done
"$rask" csv sales.csv -o true.arrow
refuses 'an Arrow file behind one of CSV' 1 'true.arrow is an Arrow file and sales.csv is none: one table is of files of one kind' sales.csv true.arrow
refuses 'and one of CSV behind one of Arrow' 1 'true.arrow is an Arrow file and sales.csv is none: one table is of files of one kind' true.arrow sales.csv
printf 'a,b\n1,2\n' >other.arrow
asked 0 - <other.arrow && cp out plain && cp other.arrow other.gz && asked 0 other.gz && cmp -s out plain
tell 'CSV by standard input, and in files of other names, is read whatever they are called' $?
refuses 'a sum that is too large' 1 's is too large for an int64' <(printf 'x\n9223372036854775807\n1\n') -a 'sum(x) as s'
refuses 'a folder that is not there' 1 'none/x.csv: No such file or directory' sales.csv -o none/x.csv
mkfifo pipe
refuses 'a pipe with a name' 1 'pipe: is no regular file: redirect standard output to it' sales.csv -o pipe
refuses 'a device' 1 '/dev/full: is no regular file: redirect standard output to it' sales.csv -o /dev/full
refuses 'a folder in the way' 1 'folder: Is a directory' sales.csv -o folder
asked 1 sales.csv --memory 1 && grep -q 'and the memory budget is 1; --memory gives it more$' err && ! grep -q 'needed by' err && ! [ -s out ]
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
! asked 0 sales.csv --types amount:int64 -o new.csv && ! [ -e new.csv ]
tell 'and makes none where there was none' $?
for bad in '(' ')' '"' '`' '`a' 'name +' 'in' 'name in' 'name in (' 'matches(name, "(")' 'if(' '1 ==' '.' "$(printf '(%.0s' $(seq 1000))"; do
    asked 1 sales.csv -w "$bad" || break
done
tell 'malformed conditions are refused' $?
for bad in 'sum' 'sum(' 'sum(qty' 'sum(qty) as' 'count(), ' 'quantile(qty, 2)' 'quantile(qty)' ',' 'sum()' 'sum(qty) x'; do
    asked 1 sales.csv -a "$bad" || break
done
tell 'malformed aggregates are refused' $?

finish
