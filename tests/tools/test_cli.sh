#!/usr/bin/env bash
# The program rask as a shell user meets it. Prints TAP.
#
#   tests/tools/test_cli.sh BUILD/tools/rask/rask
# shellcheck source=tests/tools/tap.sh
source "$(dirname "$0")/tap.sh"

# name, wanted exit status, command: its output is left in the files out and err
run()
{
    local name=$1 want=$2
    shift 2
    leaves "$want" "$@" </dev/null
    tell "$name" $?
}

# name, text that err must be
err_is()
{
    printf '%s\n' "$2" | cmp -s - err
    tell "$1" $?
}

# name, text that a line of a file must have
has()
{
    grep -qF -- "$3" "$2"
    tell "$1" $?
}

same()
{
    cmp -s "$2" "$3"
    tell "$1" $?
}

# What rask words -n all must print: in bytes, by count, then by word.
by_hand()
{
    LC_ALL=C tr -s ' \t\n\v\f\r' '\n' | LC_ALL=C grep -av '^$' | LC_ALL=C sort | LC_ALL=C uniq -c |
        LC_ALL=C sed -E 's/^ *([0-9]+) /\1\t/' | LC_ALL=C sort -t "$(printf '\t')" -k1,1nr -k2
}

# --- the program

run 'without a command: usage' 2 "$rask"
run '--version' 0 "$rask" --version
grep -qE '^rask [0-9]+\.[0-9]+\.[0-9]+$' out
tell '--version prints the version' $?
run 'help' 0 "$rask" help
has 'help names the commands' out words
run 'an unknown command' 2 "$rask" sing
has 'an unknown command is named' err 'rask: sing: no such command'
run 'help of an unknown command' 2 "$rask" help sing
run 'help csv' 0 "$rask" help csv
! LC_ALL=C.UTF-8 grep -qE '.{101}' out
tell 'help of csv is no wider than a screen' $?
for command in eval text words run draw info bench worker cluster help; do
    run "help $command" 0 "$rask" help $command
    cp out help
    run "$command --help" 0 "$rask" $command --help
    same "$command --help says the same" help out
    has "help of $command has an example" out 'Example: '
    [ "$(wc -l <out)" -le 36 ] && ! grep -qE '.{101}' out
    tell "help of $command fits a screen" $?
done

# --- usage

run 'an unknown option' 2 "$rask" words --sing x
has 'an unknown option is named' err 'rask words: --sing: no such option'
run 'an unknown letter' 2 "$rask" words -z x
has 'an unknown letter is named' err 'rask words: -z: no such option'
run 'an option without its value' 2 "$rask" words x --workers
has 'an option without its value is named' err 'rask words: --workers: needs a value'
run 'a flag with a value' 2 "$rask" words --json=yes x
has 'a flag with a value is named' err 'rask words: --json: takes no value'
run 'workers that are no number' 2 "$rask" words --workers x y
err_is 'workers that are no number: the message' 'rask words: --workers: not a number from 1 to 1024: "x"'
run 'no workers' 2 "$rask" words --workers 0 y
run 'a negative number' 2 "$rask" words -n -1 y
run 'a number too large' 2 "$rask" words -n 99999999999999999999 y
for size in x 0 1X 64KB 1.5G -1 99999999999G ''; do
    run "no size: '$size'" 2 "$rask" words --memory "$size" y
done
for seconds in x 0 -1 inf 1s ''; do
    run "no seconds: '$seconds'" 2 "$rask" words --timeout "$seconds" y
done
run 'too many threads' 2 "$rask" words --worker-threads 65 y
run 'an unknown scheduler' 2 "$rask" words --scheduler magic y
err_is 'an unknown scheduler: the message' 'rask words: --scheduler: no scheduler: there are threads, processes, serial and cluster: "magic"'
run 'a drawing with an unknown ending' 2 "$rask" words --draw x.gif y
echo 'a b a' >few
run 'limits that are no list' 1 "$rask" words --limits words few
has 'limits that are no list are named' err 'limits: "words" is no list such as'
run 'limits' 0 "$rask" words --limits 'words=1,nobody=3' few
run 'limits from the environment that are no list' 1 env RASK_LIMITS=a=1,a=2 "$rask" words few
has 'limits from the environment: the message' err 'limits: "a=1,a=2" has a name twice'
run 'a report that is no page' 2 "$rask" words --report x.txt few
err_is 'a report that is no page: the message' 'rask words: --report: not a name that ends in .html: "x.txt"'
run 'a drawing of no name' 2 "$rask" words --draw .svg few
run '--draw-by without --draw' 2 "$rask" words --draw-by bytes few
err_is '--draw-by without --draw: the message' 'rask words: --draw-by: means nothing without --draw'
run 'an option given twice' 0 "$rask" words -n 0 --top 1 --scheduler threads --scheduler serial few
[ "$(cat out)" = "$(printf '2\ta')" ]
tell 'of an option given twice the last counts' $?
run 'an option given twice, once wrong' 2 "$rask" words --workers x --workers 1 few
run 'an option counts before the environment' 0 env RASK_SCHEDULER=serial RASK_WORKERS=3 "$rask" words --workers 2 --scheduler threads --stats few
has 'an option counts before the environment: so many workers' err ' on 2 workers'
run 'words without a file' 2 "$rask" words
run 'workers from the environment that are no number' 2 env RASK_WORKERS=x "$rask" words y
has 'the environment is named' err 'rask words: RASK_WORKERS: not a number from 1 to 1024: "x"'
run 'bench without a subject' 2 "$rask" bench
run 'bench of an unknown shape' 2 "$rask" bench tasks --shape sphere
echo '{"tasks":{"a":{"command":"true"}}}' >x.json
mkdir modules && echo "no object" >modules/rask-graphviz.so
run 'draw without its module' 1 env RASK_MODULE_PATH="$PWD/modules" "$rask" draw x.json -o x.svg
has 'and says once that it draws' err 'rask draw: SVG needs the Graphviz module'
echo words >few
run 'a cluster at what is no address' 2 "$rask" words --cluster nowhere few
has 'names it' err 'rask words: --cluster: neither mpi: nor tcp://HOST:PORT, the port from 1 to 65535: "nowhere"'
run 'nor by the environment' 2 env RASK_CLUSTER=nowhere "$rask" words few
has 'which is named' err 'rask words: RASK_CLUSTER: neither mpi: nor tcp://HOST:PORT'
run 'which does not count when another scheduler is named' 0 env RASK_CLUSTER=nowhere "$rask" words --scheduler threads few
run 'nor when the environment names one' 0 env RASK_CLUSTER=nowhere RASK_SCHEDULER=serial "$rask" words few
run 'nor at port 0' 2 "$rask" words --cluster tcp://127.0.0.1:0 few
run 'a cluster at nothing' 2 "$rask" words --cluster '' few
has 'says so' err 'rask words: --cluster: is empty'
run 'info with an argument' 2 "$rask" info x
run 'info with a file' 2 "$rask" info few
has 'says where to look at one' err 'to look at a file: rask csv -n 5 FILE, or of an array rask eval x x=FILE'
run 'a scratch folder that is not there, though nothing goes there' 1 "$rask" words --scratch /nowhere few
has 'is named' err '/nowhere: No such file'

# --- words

printf 'to be or not to be\nthat\tis the\v question\f\r' >hamlet
run 'words of a file' 0 "$rask" words hamlet
printf '2\tbe\n2\tto\n1\tis\n1\tnot\n1\tor\n1\tquestion\n1\tthat\n1\tthe\n' >want
same 'words by count, then by bytes' out want
run '-n' 0 "$rask" words -n 1 hamlet
printf '2\tbe\n' >want
same '-n 1 prints one line' out want
run '-n 0' 0 "$rask" words -n 0 hamlet
[ ! -s out ]
tell '-n 0 prints nothing' $?
run 'options behind files' 0 "$rask" words hamlet -n 1 hamlet
printf '4\tbe\n' >want
same 'a file given twice counts twice' out want
"$rask" words -n 1 - <hamlet >out 2>err
printf '2\tbe\n' >want
same 'standard input that is a file' out want
{ read -r _; "$rask" words -n all -; } <hamlet >out 2>err
[ "$(wc -l <out)" -eq 4 ]
tell 'standard input is read from where it stands' $?
cat hamlet | "$rask" words -n 1 - >out 2>err
same 'standard input that is a pipe' out want
"$rask" words -n 1 <(cat hamlet) >out 2>err
same 'a pipe by name' out want
"$rask" words -n 1 hamlet - hamlet <hamlet >out 2>err
printf '6\tbe\n' >want
same 'standard input among files' out want
: >empty
run 'an empty file' 0 "$rask" words empty
[ ! -s out ] && [ ! -s err ]
tell 'an empty file has no words' $?
run '/dev/null' 0 "$rask" words /dev/null
run 'a file that tells no size' 0 "$rask" words -n all /proc/self/status
has 'a file that tells no size is read' out 'Name:'
printf 'a\0b a\0b a\0 \0' >nul
run 'NUL bytes' 0 "$rask" words nul
printf '2\ta\0b\n1\t\0\n1\ta\0\n' >want
same 'NUL bytes are bytes of words' out want

run 'a run out of time' 1 "$rask" words --timeout 0.000001 hamlet
has 'a run out of time says so' err 'rask words: the run took longer than its 1e-06 seconds: 0 of '
seq 200000 | gzip >whole.gz
for bytes in 20000 30000; do head -c $bytes whole.gz >cut$bytes.gz; done
run 'failures with --keep-going' 1 "$rask" words --keep-going --block-size 10K cut20000.gz whole.gz cut30000.gz
has 'the first of several failures is told' err 'cut20000.gz: gzip: truncated'
has 'and so are others' err 'cut30000.gz: gzip: truncated'
run '--worker-threads' 0 "$rask" words -n 1 --scheduler processes --workers 1 --worker-threads 3 hamlet
printf '2\tbe\n' >want
same 'workers with several threads count the same' out want
run 'a file that is not there' 1 "$rask" words nowhere.txt
err_is 'a file that is not there: the message' 'rask words: nowhere.txt: No such file or directory'
mkdir -p plays/more && cp hamlet plays/hamlet && cp hamlet plays/.hidden && cp hamlet plays/more/hamlet
run 'a folder' 0 "$rask" words -n 1 plays
printf '2\tbe\n' >want
same 'a folder stands for the files in it' out want
run 'an empty folder' 1 "$rask" words "$(mktemp -d -p .)"
run 'a pattern' 0 "$rask" words -n 1 'pl*/hamlet'
same 'a pattern stands for the files that match' out want
gzip -c hamlet >hamlet.gz
run 'a compressed file' 0 "$rask" words -n 1 hamlet.gz
same 'a compressed file is what it contains' out want
run 'two files that are not there' 1 "$rask" words hamlet nowhere neither
err_is 'the first file that is not there is told' 'rask words: nowhere: No such file or directory'
[ ! -s out ]
tell 'a file that is not there: no words' $?
if [ "$(id -u)" -ne 0 ]; then
    : >locked && chmod 0 locked
    run 'a file without permission' 1 "$rask" words locked
    has 'a file without permission: the message' err 'locked: Permission denied'
fi
if [ -e /dev/full ]; then
    "$rask" words hamlet >/dev/full 2>err </dev/null
    [ $? -eq 1 ]
    tell 'a full disk fails' $?
    err_is 'a full disk: the message' 'rask words: standard output: No space left on device'
    "$rask" words --json hamlet >/dev/full 2>err </dev/null
    [ $? -eq 1 ]
    tell 'a full disk fails with --json, too' $?
    "$rask" info >/dev/full 2>err
    [ $? -eq 1 ]
    tell 'a full disk fails for info, too' $?
fi
"$rask" words hamlet >&- 2>err
[ $? -eq 1 ]
tell 'a closed standard output fails' $?
"$rask" words - <&- >out 2>err
[ $? -eq 1 ]
tell 'a closed standard input fails' $?
"$rask" words -n all "$rask" 2>err | head -n 1 >out
[ "$(wc -l <out)" -eq 1 ] && [ ! -s err ]
tell 'a reader that leaves early is no news' $?

# Text in all kinds of bytes, and cut in all kinds of ways.
{
    cat "$0" "$rask" "$0"
    for i in $(seq 3000); do echo "word$((i % 700)) and a much longer word, number-$((i % 90))-of-many"; done
} | tr '\0' '@' >text
by_hand <text >want
run 'all words of a text' 0 "$rask" words -n all text
same 'the same as tr, sort and uniq' want out
for scheduler in threads serial; do
    for workers in 1 2 8; do
        for block in 100 4K 64KiB 1G; do
            "$rask" words -n all --scheduler $scheduler --workers $workers --block-size $block text >out 2>err
            same "the same by $scheduler, workers $workers, block size $block" want out
        done
    done
done
"$rask" words -n all --scheduler serial --seed 7 --block-size 4K text >out 2>err
same 'the same in a random order' want out
cat text | "$rask" words -n all --workers 3 - >out 2>err
same 'the same through a pipe' want out
mkdir many && (cd many && split -a 4 -l 20 ../text)
run 'many small files' 0 "$rask" words -n all many/*
same 'the same from many small files' want out
run 'an environment that names the scheduler' 0 env RASK_SCHEDULER=serial RASK_WORKERS=1 "$rask" words -n all text
same 'the same by it' want out
head -c 3000000 /dev/zero | tr '\0' 'w' >long
run 'a word of 3 MB' 0 "$rask" words --block-size 64K long
[ "$(wc -c <out)" -eq 3000003 ]
tell 'a word of 3 MB is whole' $?
run 'a word above the memory budget' 1 "$rask" words --memory 1M long
has 'a word above the memory budget: the message' err 'long: a word of more than'
run 'too many blocks' 1 "$rask" words --block-size 1 text text text text text text text text text text text text text text \
    text text text text text text text text text text text text text text text text text text text text text text text \
    long long long
has 'too many blocks: the message' err 'the input is cut into more than'

# --- JSON

printf 'a "q" a \\ \xff\xfe \xc3\xa9 n\0n' >odd
run '--json' 0 "$rask" words --json odd
printf '%s\n' '{"words":[{"word":"a","count":2},{"word":"\"q\"","count":1},{"word":"\\","count":1},{"word":"n�n","bytes":"bgBu","count":1},{"word":"é","count":1},{"word":"��","bytes":"//4=","count":1}]}' >want
same '--json escapes, and has bytes where text cannot be' out want
run '--json of nothing' 0 "$rask" words --json empty
printf '{"words":[]}\n' >want
same '--json of nothing is an empty list' out want
run 'info --json' 0 "$rask" info --json
has 'info --json has the version' out '"version":"'
run 'info' 0 "$rask" info
has 'info names the schedulers' out 'threads'
run 'info with workers from the environment' 0 env RASK_WORKERS=3 "$rask" info
has 'info tells where the workers come from' out '3 (RASK_WORKERS)'
run 'info --json with all from the environment' 0 env RASK_WORKERS=3 RASK_MEMORY=1G RASK_SCHEDULER=serial RASK_SCRATCH=/var/tmp "$rask" info --json
for text in '"scheduler":{"value":"serial","from":"RASK_SCHEDULER"}' '"workers":{"value":3,"from":"RASK_WORKERS"}' \
    '"memory":{"value":1073741824,"from":"RASK_MEMORY"}' '"scratch":{"value":"/var/tmp","from":"RASK_SCRATCH"}' \
    '"schedulers":["threads",' '"dot":true' '"npy":true' '"plain":true' '"huge_pages":"' '"clusters":{'; do
    has "info --json has $text" out "$text"
done
run 'info without a temporary folder' 0 env TMPDIR=/nowhere "$rask" info
has 'info tells what it has not tried' out 'plain; not tried, for want of a temporary folder: gzip'
run 'info --json without one' 0 env TMPDIR=/nowhere "$rask" info --json
has 'what is not tried is null' out '"gzip":null'
run 'info with memory that is none' 2 env RASK_MEMORY=much "$rask" info
err_is 'info with memory that is none: the message' 'rask info: RASK_MEMORY: not a size: "much"'

# --- --explain, --progress, --draw

run '--explain' 0 "$rask" words --explain --block-size 100 hamlet text
has '--explain names the tasks' err merge
run '--progress where there is no terminal' 0 "$rask" words --progress text
[ ! -s err ]
tell 'no progress where there is no terminal' $?
run '--draw' 0 "$rask" words --draw words.dot --block-size 64K text
grep -q count words.dot && grep -q merge words.dot
tell '--draw draws the tasks' $?
run '--draw into a folder that is not there' 1 "$rask" words --draw nowhere/words.dot hamlet
! [ -s out ] && [ "$(cat err)" = 'rask words: --draw: nowhere/words.dot: No such file or directory' ]
tell 'is an error before any word is counted' $?
run '--draw of a graph over the limit' 0 "$rask" words --draw many.dot --block-size 100 text
[ "$(wc -c <many.dot)" -lt 100000 ]
tell 'a graph over the limit is drawn as a synopsis' $?

# --- draw

run 'draw a graph that is not there' 1 "$rask" draw nowhere.json -o x.dot
err_is 'draw a graph that is not there: the message' 'rask draw: nowhere.json: No such file or directory'
printf '{"nonsense' >bad.json
run 'draw what is no graph' 1 "$rask" draw bad.json -o bad.dot
has 'draw what is no graph: the message' err 'rask draw: bad.json: '
[ ! -e bad.dot ]
tell 'draw what is no graph: no picture' $?
run 'draw without --output writes DOT' 0 "$rask" draw x.json
"$rask" draw x.json -o x.dot && same 'draw without --output writes what it would put in a file' out x.dot
run 'draw to an output that is full' 1 sh -c '"$1" draw x.json >/dev/full' - "$rask"
has 'draw to an output that is full: the message' err 'rask draw: standard output: No space left on device'
run 'draw by a colour that needs a run' 2 "$rask" draw bad.json -o x.dot --colour duration

# --- interruption

mkfifo slow
set -m # what is in the background hears of INT
for signal in INT TERM; do
    (exec 9>slow && : >opened && exec sleep 100) & # opens it when somebody reads
    writer=$!
    "$rask" words --draw never.dot slow >out 2>err &
    waiting=$!
    for _ in $(seq 3000); do [ -e opened ] && break; sleep 0.02; done
    kill -$signal $waiting
    wait $waiting
    status=$?
    { kill $writer && wait $writer; } 2>/dev/null
    rm -f opened
    [ $status -eq 130 ]
    tell "SIG$signal ends a run with 130" $?
    [ ! -s out ] && [ -z "$(find . -name '*never*')" ]
    tell "SIG$signal leaves nothing behind" $?
done
set +m

# --- bench

run 'bench' 0 "$rask" bench tasks --tasks 2000 --repeat 2 --threads 2
[ "$(grep -c '^rask' out)" -eq 9 ] && [ "$(awk -F '\t' 'NF != 10' out | wc -l)" -eq 0 ]
tell 'bench prints ten columns for nine shapes' $?
[ "$(head -n 1 out)" = "$(printf '#engine\tshape\tthreads\ttasks\ttotal_ns\tbuild_ns\trun_ns\tagain_ns\tfree_ns\tpeak_bytes_per_task')" ]
tell 'bench prints a head' $?
run 'bench --json' 0 "$rask" bench tasks --shape chain --tasks 1000 --repeat 1 --json
has 'bench --json has figures' out '"again_ns":'

finish
