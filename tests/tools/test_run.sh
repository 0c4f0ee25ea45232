#!/usr/bin/env bash
# rask run: workflows of commands, and what is done only once. Prints TAP.
#
#   tests/tools/test_run.sh BUILD/tools/rask/rask
# shellcheck disable=SC2016 # what is in single quotes is for other shells
# shellcheck source=tests/tools/tap.sh
source "$(dirname "$0")/tap.sh"
command=run
export LC_ALL=C

cat >f.json <<'END'
{"version": 1, "tasks": {
  "a": {"command": "echo a >>log; printf 'x\ny\n' >a.txt", "outputs": ["a.txt"]},
  "b": {"command": "echo b >>log; wc -l <a.txt >b.txt", "name": "count", "inputs": ["a.txt"], "outputs": ["b.txt"]},
  "c": {"command": ["cp", "in.txt", "c.txt"], "inputs": ["in.txt"], "outputs": ["c.txt"]},
  "d": {"command": "echo d >>log; cat b.txt c.txt >d.txt; echo said; echo told >&2", "inputs": ["b.txt", "c.txt"],
        "outputs": ["d.txt"], "after": ["a"]}
}}
END
echo one >in.txt

# name, wanted output, arguments
ends() { gives "$1" "$2" f.json "${@:3}"; }

# --- running, and not running again

asked 0 f.json --dry-run && [ "$(cut -f 1 out | sort | uniq -c | tr -s ' ')" = ' 4 run' ] && ! [ -e log ]
tell '--dry-run tells and runs nothing' $?
ends 'all commands run' '4 of 4 tasks run, 0 done before'
[ "$(tr -d ' \n' <d.txt)" = 2one ] && [ "$(tail -n 1 log)" = d ]
tell 'each after those it needs' $?
[ "$(cat f.json.rask/d.out)" = said ] && [ "$(cat f.json.rask/d.err)" = told ]
tell 'what a command prints is kept' $?
ends 'a second run does nothing' '0 of 4 tasks run, 4 done before'
echo two >in.txt
asked 0 f.json --dry-run && [ "$(cut -f 1,2 out | sort | tr '\t\n' '  ')" = 'done a done b run c run d ' ]
tell '--dry-run knows what an input that changed is for' $?
asked 0 f.json --dry-run --draw stands.dot && [ "$(grep -c 'fillcolor="#b5e2ae"' stands.dot)" -eq 2 ] && [ "$(grep -c 'fillcolor="#e8e8e8"' stands.dot)" -eq 2 ]
tell 'and draws what is done and what is not' $?
mkdir kept && RASK_CHECKPOINT=kept asked 0 f.json --dry-run --draw stands.dot && [ -s stands.dot ] && [ -z "$(ls -A kept)" ]
tell 'whatever the environment says, nothing is kept of it' $?
refuses 'a drawing where none can be' 1 '--draw: no/such/x.dot: No such file or directory' f.json --dry-run --draw no/such/x.dot
refuses 'a trace of what does not run' 2 '--trace: nothing runs with --dry-run' f.json --dry-run --trace t.json
ends 'a changed input runs what depends on it' '{"tasks":4,"ran":2,"done_before":2,"failed":0,"not_run":0}' --json
rm b.txt
ends 'an output that is gone is made again, and what it leads to stays when it is the same' '1 of 4 tasks run, 3 done before'
sed 's/wc -l/wc -c/' f.json >g.json && cp -r f.json.rask g.json.rask
gives 'a changed command runs again, and what takes what it made' '2 of 4 tasks run, 2 done before' g.json
for scheduler in serial threads processes; do
    ends "--again runs all, on $scheduler" '4 of 4 tasks run, 0 done before' --again --scheduler $scheduler
    ends "and then nothing, on $scheduler" '0 of 4 tasks run, 4 done before' --scheduler $scheduler
done

# --- failures

# name, wanted message, arguments: of the one task that there is, which fails
fails()
{
    refuses "$1" 1 "$2
rask run: 0 of 1 tasks done, 1 failed, 0 not run: the same command does what is left" "${@:3}"
}

flow() { printf '{"tasks":{%s}}' "$1" >x.json; }
flow '"bad luck":{"command":"seq 20; for i in 1 2 3 4 5 6 7 8; do echo line $i >&2; done; exit 3"}'
asked 1 x.json && [ "$(cat err)" = "rask run: bad luck: exit status 3:
$(printf 'line %s\n' 3 4 5 6 7 8)
rask run: 0 of 1 tasks done, 1 failed, 0 not run: the same command does what is left" ] && ! [ -s out ]
tell 'a failure shows the last lines of its command' $?
flow '"k":{"command":"kill -9 $$"}'
fails 'a command that is killed' 'k: ended by signal 9 (Killed)' x.json
flow '"n":{"command":["no-such-program-here"]}'
fails 'a program that is not there' 'n: no-such-program-here: cannot be started: No such file or directory' x.json
flow '"o":{"command":"true","outputs":["never"]}'
fails 'an output that was not made' 'o: it did not make its output never' x.json
flow '"i":{"command":"true","inputs":["never"]}'
fails 'an input that is not there' 'i: no such input: never' x.json
flow '"r":{"command":"echo x >>tries; [ $(wc -l <tries) -ge 3 ]","retries":2}'
gives 'retries' '1 of 1 tasks run, 0 done before' x.json
rm tries
flow '"r":{"command":"echo x >>tries; [ $(wc -l <tries) -ge 3 ]"}'
gives '--retries' '1 of 1 tasks run, 0 done before' x.json --retries 2 --again
flow '"r":{"command":"echo no luck >&2; exit 3","retries":2}'
fails 'a failure says how often was tried' $'r: tried 3 times, the last: exit status 3:\nno luck' x.json
flow '"r":{"command":"true","outputs":["never"],"retries":1}'
fails 'also of outputs that were not made' 'r: tried 2 times, the last: it did not make its output never' x.json
flow '"t":{"command":"sleep 60","timeout":0.05,"retries":1}'
fails 'a timeout that was tried again' 't: tried 2 times, the last: took longer than its 0.05 seconds' x.json
flow '"t":{"command":"echo $$ >group; sleep 600 & sleep 600; wait","timeout":0.2}'
fails 'a timeout' 't: took longer than its 0.2 seconds' x.json
! [ -s group ] || await_end "-$(cat group)" # a slow machine may not even come to it
tell 'ends the command and what it started' $?
rm -f group
flow '"x":{"command":"exit 1"},"y":{"command":"touch y","after":["x"]},"z":{"command":"touch z"}'
asked 1 x.json --keep-going --workers 1 && [ -e z ] && ! [ -e y ]
tell '--keep-going runs what does not need the failure' $?
left='the same command does what is left'
for scheduler in serial threads processes; do
    rm -rf x.json.rask
    asked 1 x.json --keep-going --scheduler $scheduler && ! [ -s out ] &&
        [ "$(tail -n 1 err)" = "rask run: 1 of 3 tasks done, 1 failed, 1 not run: $left" ]
    tell "how many failed and were not run is told, on $scheduler" $?
    asked 1 x.json --again --keep-going --json --scheduler $scheduler &&
        [ "$(cat out)" = '{"tasks":3,"ran":1,"done_before":0,"failed":1,"not_run":1}' ] &&
        [ "$(tail -n 1 err)" = "rask run: 1 of 3 tasks done, 1 failed, 1 not run: ${left/command/command without --again}" ]
    tell "also as JSON, and what to do, on $scheduler" $?
done
sed -i 's/exit 1/true/' x.json
gives 'and that command does what is left' '2 of 3 tasks run, 1 done before' x.json
! grep -qE 'flow_read\.c|flow\.c|list|sum' err
tell 'no message has names from inside' $?
flow '"t":{"command":"true","tags":"gpu:7"}'
refuses 'a task that takes more than there is, by the place in the file' 1 'task command (node 0, x.json:1): takes 7 of "gpu", and the limits say that there is 1' x.json --limits gpu=1
printf '{"version": 1,\n "tasks": {"\\"{": {"command": "true"},\n\n  "t":\n {"command": "echo \\"a\\": {", "name": "train", "tags": "gpu:7"}}}' >y.json
refuses 'and its line there' 1 'task train (node 1, y.json:4): takes 7 of "gpu", and the limits say that there is 1' y.json --limits gpu=1
asked 0 x.json --again --limits gpu=7 --explain && ! grep -qE 'list|sum' err
tell '--explain knows the tasks of the file alone' $?

# --- interruptions

interrupted() # the command that does it
{
    flow '"one":{"command":"touch one","outputs":["one"]},"two":{"command":"'"$1"'","after":["one"]},"three":{"command":"true","after":["two"]}'
}
interrupted 'kill -INT $PPID; sleep 60'
"$rask" run x.json --no-progress >out 2>err
[ $? -eq 130 ] && [ "$(cat err)" = 'rask run: interrupted: 1 of 3 tasks done, 2 not run: the same command does what is left' ]
tell 'an interrupted run says so' $?
interrupted 'kill -KILL $PPID; sleep 60'
("$rask" run x.json >out 2>err; true) 2>/dev/null
interrupted true
gives 'and one that was killed go on where they were' '2 of 3 tasks run, 1 done before' x.json

# What a killed run was at ends with it, the command and what that started, and is run again by the next: "begun" says that it runs,
# "go" that it may end.
for scheduler in threads processes; do
    rm -rf begun go ended group x.json.rask
    flow '"k":{"command":"echo $$ >group; (until [ -e go ]; do sleep 0.02; done; echo >>inner) & echo >>begun; until [ -e go ]; do sleep 0.02; done; wait; echo >>ended"}'
    "$rask" run x.json --scheduler $scheduler >out 2>err &
    victim=$!
    for _ in $(seq 1000); do [ -e begun ] && break; sleep 0.02; done
    kill -0 -- "-$(cat group)"
    tell "a command on $scheduler has a process group" $?
    { kill -9 $victim && wait $victim; } 2>/dev/null
    await_end "-$(cat group)" && ! [ -e ended ]
    tell "which ends with a run on $scheduler that is killed" $?
    touch go
    gives "and is run again, for nobody noted that it was done" '1 of 1 tasks run, 0 done before' x.json
    [ "$(wc -l <begun)" -eq 2 ] && [ "$(wc -l <ended)" -eq 1 ]
    tell "once, after a run on $scheduler" $?
    rm -f inner
done
# Whoever has descriptor 9 of a run has the named pipe open: the warden, too.
mkfifo open
flow "$(for i in $(seq 30); do printf '"c%d":{"command":"true"},' "$i"; done)"'"s":{"command":"until [ -e go ]; do sleep 0.02; done"},"last":{"command":"touch go"}'
rm -rf go x.json.rask && mkdir -p x.json.rask/c{1..30}.out
cat open &
reader=$!
asked 1 x.json --keep-going --scheduler threads --workers 2 9>open && grep -q '^rask run: 2 of 32 tasks done, 30 failed, 0 not run' err
tell 'commands that cannot be started are told, each' $?
await_end $reader
tell 'and do not keep the warden from ending with the run' $?

wardens_of() # PROCESS
{
    local status
    for status in /proc/[0-9]*/status; do
        grep -qs "^PPid:[[:space:]]*$1\$" "$status" && grep -qsa 'while read' "${status%status}cmdline" && echo "${status//[^0-9]/}"
    done
}

# The warden is killed while a command runs and another is about to start: its output is a named pipe that nobody has opened yet. It
# comes after one that waits for the first, which has started then for certain.
flow '"k":{"command":"echo $$ >k.group; until [ -e go ]; do sleep 0.02; done"},"m":{"command":"until [ -s k.group ]; do sleep 0.02; done"},
"n":{"command":"echo $$ >n.group; until [ -e go ]; do sleep 0.02; done","after":["m"]}'
rm -rf go x.json.rask && mkdir x.json.rask && mkfifo x.json.rask/n.out
"$rask" run x.json --scheduler threads --workers 2 >out 2>err &
victim=$!
await_line k.group .
warden=$(wardens_of $victim)
kill -9 "$warden"
for _ in $(seq 1000); do
    successor=$(wardens_of $victim)
    [ -n "$successor" ] && [ "$successor" != "$warden" ] && break
    sleep 0.02
done
[ -n "$successor" ] && [ "$successor" != "$warden" ]
tell 'a warden that is killed has a successor while its commands run, though none begins' $?
exec 8<>x.json.rask/n.out
for _ in $(seq 1000); do [ -s n.group ] && break; kill -0 $victim 2>/dev/null || break; sleep 0.02; done
[ -s n.group ] && [ "$(wardens_of $victim | wc -l)" -eq 1 ] && ! kill -0 "$warden" 2>/dev/null
tell 'it is waited for, and no command fails of it' $?
{ kill -9 $victim && wait $victim; } 2>/dev/null
exec 8>&-
groups="-$(cat k.group) -$(cat n.group)"
# shellcheck disable=SC2086 # two words
for _ in $(seq 1000); do kill -0 -- $groups 2>/dev/null || break; sleep 0.02; done
# shellcheck disable=SC2086
! kill -0 -- $groups 2>/dev/null
tell 'which ends what ran before it came, too' $?
touch go
flow '"k":{"command":["./nowhere"]}'
fails 'a command that is not there' 'k: ./nowhere: cannot be started: No such file or directory' x.json

# --- what is no workflow

refuses 'no file' 2 'no workflow given; - is standard input'
refuses 'a file that is not there' 1 'nowhere.json: No such file or directory' nowhere.json
flow '"a":{"after":["b"]},"b":{"after":["c"]},"c":{"after":["b"]}'
refuses 'a cycle' 1 'x.json: task "b": waits for itself, directly or through others' x.json
flow '"a":{"after":["nobody"]}'
refuses 'a task that is not there' 1 'x.json: task "a": comes after a task that is not there: "nobody"' x.json
flow '"a":{"command":5}'
refuses 'a command that is a number' 1 'x.json: task "a": "command" is not a line for /bin/sh, or a list: program and arguments' x.json
flow '"a":{"command":[]}'
refuses 'a command of nothing' 1 'x.json: task "a": "command" is not a line for /bin/sh, or a list: program and arguments' x.json
flow '"a":{"outputs":["f"]},"b":{"outputs":["f"]}'
refuses 'two tasks that write one file' 1 'x.json: two tasks write "f"' x.json
mkdir spelled && ln -s spelled other
flow '"a":{"outputs":["spelled/f"]},"b":{"outputs":[".//other/../spelled/f"]}'
refuses 'however they spell its name' 1 'x.json: two tasks write "spelled/f"' x.json
flow '"a":{"outputs":["spelled/f"]},"b":{"outputs":["'"$work"'/other/f"]}'
refuses 'and whatever links lead there' 1 'x.json: two tasks write "spelled/f"' x.json
flow '"z":{"command":"cat y","inputs":["./other/../y"]},"a":{"command":"sleep 0.1; echo new >y","outputs":["y"]}'
echo old >y
asked 0 x.json && [ "$(cat x.json.rask/z.out)" = new ]
tell 'who reads a file comes behind who writes it, however it is spelled' $?
rm -r x.json.rask y
for paths in 'other/y ./other/y' './other/y spelled/y' "other/new/y $work/spelled/new/y"; do
    read -r written taken <<<"$paths"
    flow '"z":{"command":"cat spelled/y spelled/new/y","inputs":["'"$taken"'"]},"a":{"command":"mkdir spelled/new; echo 1 | tee spelled/y >spelled/new/y","outputs":["'"$written"'"]}'
    asked 0 x.json
    tell "through links and into folders that are not there yet: $written, $taken" $?
    rm -r x.json.rask spelled/y spelled/new
done
flow '"a":{"command":["printf","%s\\n","it'"'"'s","[0-9]$"]}'
asked 0 x.json --dry-run && sh -c "$(cut -f 3 out)" >printed && printf '%s\n' "it's" '[0-9]$' | cmp -s - printed
tell '--dry-run shows what a shell would take for the same' $?
flow '"a":{"command":"sleep 20","timeout":1e-300}'
asked 1 x.json && grep -q 'a: took longer than its 1e-09 seconds' err
tell 'the shortest time limit is one' $?
asked 1 f.json --again --timeout 1e-9
tell 'on the command line, too' $?
flow '"a":{},"a":{}'
refuses 'two tasks of one name' 1 'x.json: two tasks are called "a"' x.json
flow '"a":{"timeout":-1}'
refuses 'a timeout below 0' 1 'x.json: task "a": "timeout" is not a number of seconds from 0 to 1e9' x.json
flow '"a":{"comand":"true"}'
refuses 'a member that is misspelt' 1 'x.json: task "a": unknown member "comand"' x.json
flow '"a":{"command":"true","command":"false"}'
refuses 'a member that is there twice' 1 'x.json: task "a": given twice: "command"' x.json
flow '"a":{"name":"nothing"}'
refuses 'a task with nothing to do' 1 'x.json: task "a": nothing to do: it has no "command"' x.json
while IFS='|' read -r member value wanted; do
    flow '"a":{"command":"true","'"$member"'":'"$value"'}'
    refuses "$member: $value" 1 "x.json: task \"a\": \"$member\" is not $wanted" x.json
done <<'END'
tags|7|a text such as "gpu:2"
tags|null|a text such as "gpu:2"
name|["n"]|a text
name|""|a text
inputs|"in.txt"|a list of paths
outputs|[1]|a list of paths
after|{"b":1}|a list of ids of tasks
retries|1.5|a whole number from 0 to 1000000
retries|"1"|a whole number from 0 to 1000000
seconds|true|a number of seconds from 0 to 1e9
END
for version in 7 '"1"' null; do
    echo '{"version":'$version',"tasks":{"a":{"command":"true"}}}' >x.json
    refuses "version $version" 1 'x.json: "version" is not 1, the version that is read' x.json
done
echo '{"tasks":{"a":{"command":"true"}},"taks":{}}' >x.json
refuses 'a member beside the tasks that is misspelt' 1 'x.json: unknown member "taks"' x.json
flow ''
refuses 'no tasks' 1 'x.json: no tasks' x.json
printf '{"tasks":{' >x.json
asked 1 x.json && grep -q 'x.json: 1:11: ' err
tell 'no JSON' $?
printf '{"tasks": {\n  "\303\244": {"command": "true",}\n}}\n' >x.json
refuses 'a comma too many, by line and column' 1 'x.json: 2:27: a key in quotes is missing' x.json
leaves 1 "$rask" draw x.json -o x.dot && grep -q '^rask draw: x.json: 2:27: a key in quotes is missing$' err
tell 'which a drawing calls the same' $?
printf '{"tasks":{"a":{"command":"true"}}} x' >x.json
nested() { printf '{"tasks":%s' "$(printf '[%.0s' $(seq "$1"))" >n.json; }
nested 1200
refuses 'JSON that is nested too deep' 1 'n.json: 1:1009: nested more than 1000 deep' n.json
nested 100
asked 1 n.json && grep -q 'n.json: 1:[0-9]*: this is no JSON' err
tell 'and what is nested deep, but no JSON' $?
printf '{"tasks":{"a":{"command":"true" "x":%s' "$(printf '[%.0s' $(seq 1200))" >n.json
refuses 'and a comma that is missing before that' 1 "n.json: 1:33: ',' or '}' is missing" n.json
refuses 'something behind the workflow' 1 'x.json: 1:36: something follows the end of the document' x.json
flow '"a":{"command":"true\\\\\u0000; false"}'
refuses 'a NUL in a command, which would end there' 1 'x.json: 1:35: \u0000 in a text' x.json
flow '"../../etc/x":{"command":"true"}'
asked 0 x.json && [ "$(ls -A x.json.rask | grep etc)" = '%2E.%2F..%2Fetc%2Fx.done
%2E.%2F..%2Fetc%2Fx.err
%2E.%2F..%2Fetc%2Fx.out' ]
tell 'ids lead nowhere' $?
[ "$(tr -d '0-9a-f' <'x.json.rask/%2E.%2F..%2Fetc%2Fx.done')" = ' ' ]
tell 'a note is two hashes' $?
long=$(printf 'x%.0s' $(seq 300))
flow '"'$long'1":{"command":"echo 1"},"'$long'2":{"command":"echo 2"}'
rm -rf x.json.rask && asked 0 x.json && [ "$(find x.json.rask -name 'x*.done' | wc -l)" -eq 2 ]
tell 'long ids have files of their own' $?
flow '"a":{"command":"true"}'
"$rask" run - <x.json >out 2>err && [ -e flow.rask/a.done ]
tell 'the notes of a workflow from standard input are in flow.rask' $?

# --- WfFormat

cat >w4.json <<'END'
{"name": "w", "schemaVersion": "1.4", "workflow": {"tasks": [
  {"name": "late_2", "id": "2", "category": "late", "parents": ["early_1"], "files": [{"link": "input", "name": "f", "sizeInBytes": 3}],
   "command": {"program": "late", "arguments": ["f"]}, "runtimeInSeconds": 0.5},
  {"name": "early_1", "id": "1", "category": "early", "parents": [], "files": [{"link": "output", "name": "f"}],
   "command": {"program": "early"}, "runtimeInSeconds": 2}]}}
END
cat >w5.json <<'END'
{"name": "w", "schemaVersion": "1.5", "workflow": {
  "specification": {"tasks": [
    {"name": "late", "id": "2", "parents": ["1"], "children": [], "inputFiles": ["f"]},
    {"name": "early", "id": "1", "parents": [], "children": ["2"], "outputFiles": ["f"]}], "files": [{"id": "f", "sizeInBytes": 3}]},
  "execution": {"tasks": [{"id": "1", "runtimeInSeconds": 2, "command": {"program": "early"}},
                          {"id": "2", "runtimeInSeconds": 0.5, "command": {"program": "late", "arguments": ["f"]}}]}}}
END
for format in w4 w5; do
    asked 0 $format.json -n && printf 'run\t1\tearly\nrun\t2\tlate f\n' | cmp -s - out
    tell "$format: tasks, commands and their order" $?
    asked 0 $format.json --simulate 0.05 --profile=p.json && ! [ -e $format.json.rask ] && grep -q '"name":"early","count":1' p.json
    tell "$format: --simulate" $?
    { TIMEFORMAT='%U %S' && time asked 0 $format.json --simulate 0.1 --spin; } 2>took
    [ "$(cat out)" = '2 of 2 tasks run, 0 done before' ] && awk '{exit !($1 + $2 >= 0.25)}' took
    tell "$format: --spin uses a processor for as long" $?
    "$rask" run $format.json --simulate 0.3 --state slept >out 2>err &
    for _ in $(seq 3000); do [ -e slept/1.slept ] && break; sleep 0.01; done
    { kill -9 $! && wait $!; } 2>/dev/null
    asked 0 $format.json --simulate 0.3 --state slept && grep -q '[12] done before' out &&
        asked 0 $format.json --simulate 0.3 --state slept && [ "$(cat out)" = '0 of 2 tasks run, 2 done before' ] &&
        asked 0 $format.json --simulate 0.01 --state slept && [ "$(cat out)" = '2 of 2 tasks run, 0 done before' ]
    tell "$format: a simulation that was killed goes on where --state names a folder" $?
    rm -r slept
    leaves 0 "$rask" draw $format.json -o w.dot && grep -q 'late' w.dot && grep -q -- '->' w.dot
    tell "$format: rask draw" $?
done
ends 'what has run' '4 of 4 tasks run, 0 done before' --again
ends 'is noted apart from what has slept' '4 of 4 tasks run, 0 done before' --simulate 0 --state f.json.rask
ends 'and both stay' '0 of 4 tasks run, 4 done before' --simulate 0 --state f.json.rask
ends 'as they are' '0 of 4 tasks run, 4 done before'
refuses '--spin without --simulate' 2 '--spin says how --simulate SCALE is to pass the time, which is not given' w4.json --spin
refuses '--simulate of no number' 2 '--simulate: not a number: "fast"' w4.json --simulate fast
asked 0 f.json --again --draw f.dot --draw-by status --trace t.json --report r.html && [ -s f.dot ] && [ -s t.json ] && [ -s r.html ]
tell '--draw, --trace and --report' $?

finish
