#!/usr/bin/env bash
# Workers and keys, as a user has them. Prints TAP.
#
#   tests/tools/test_cluster.sh BUILD/tools/rask/rask
# shellcheck source=tests/tools/tap.sh
source "$(dirname "$0")/tap.sh"
export LC_ALL=C
command=cluster
port=$((30100 + $$ % 650 * 4)) # behind those of the tests in C
address=tcp://127.0.0.1:$port
other_address=tcp://127.0.0.1:$((port + 2))

# --- keys
leaves 0 "$rask" cluster keys keys && [ "$(stat -c %a keys)" = 600 ] && [ "$(grep -c '^[a-z]* [0-9a-f]\{64\}$' keys)" = 2 ]
tell 'keys are made, for their owner only' $?
refuses 'a key file is not overwritten' 1 'the key file keys exists already' keys keys
refuses 'keys without a file' 2 'keys: one file is needed' keys
refuses 'neither start nor keys' 2 'start [ADDRESS], keys FILE or status [ADDRESS] is needed' begin
refuses 'status where nobody is' 1 "no program computes at $address just now: it cannot be reached: nobody listens there, or no way leads there" status "$address" --patience 0.3
refuses 'status of what is no address' 2 '"nowhere" is no address such as tcp://127.0.0.1:7077, nor mpi:' status nowhere
cp keys open_keys && chmod 644 open_keys
echo nonsense >no_keys && chmod 600 no_keys
cp no_keys open_no_keys && chmod 644 open_no_keys
status=0
for file in open_keys no_keys open_no_keys missing_keys; do
    case $file in
        open_keys) word='can be read by others' ;;
        no_keys | open_no_keys) word='is no key file' ;;
        *) word='cannot be opened' ;;
    esac
    for job in "worker $address" "cluster start $address --workers 2" "cluster status $address" "eval 1+1 --cluster $address"; do
        # shellcheck disable=SC2086 # the job is words
        leaves 1 "$rask" $job --key-file $file && [ "$(grep -c "$file $word" err)" -eq 1 ] && [ "$(wc -l <err)" -eq 1 ] || {
            status=1
            break 2
        }
    done
done
tell 'a key file that cannot be used is refused by all commands alike, once' $status
leaves 1 "$rask" worker "$address" --key-file keys --insecure && grep -q 'both a key file, keys, and that there are to be no keys' err &&
    RASK_CLUSTER_KEYS=keys leaves 1 "$rask" worker "$address" --insecure --patience 0.1 && ! grep -q 'both' err
tell 'a key file and --insecure contradict each other; the environment yields to it' $?
leaves 2 "$rask" cluster start --workers 3 tcp://0.0.0.0:7077 && [ "$(wc -l <err)" -eq 1 ] && grep -q 'is where a program waits' err
tell 'workers that cannot work say so once for all' $?
leaves 2 "$rask" cluster start --workers 5 tcp://127.0.0.1:99999 && [ "$(wc -l <err)" -eq 1 ] && grep -q 'the port from 1 to 65535' err
tell 'as at no port' $?
leaves 2 "$rask" worker && grep -q 'one address is needed' err
tell 'a worker without an address' $?
leaves 2 "$rask" worker nowhere && grep -q 'is no address' err
tell 'a worker of no address' $?
leaves 2 "$rask" worker tcp://0.0.0.0:7077 && grep -q 'is where a program waits, at all addresses of its machine' err
tell 'a worker of all addresses of a machine' $?
leaves 1 "$rask" worker "tcp://no such host:7077" && grep -q 'the host "no such host" is not known here' err
tell 'a worker of an unknown host' $?
leaves 2 "$rask" worker tcp://127.0.0.1:70777 && grep -q 'is no address of a program: tcp://HOST:PORT, the port from 1 to 65535' err
tell 'a worker of no port' $?
leaves 2 "$rask" worker tcp://127.0.0.1:7077x && grep -q 'is no address of a program' err &&
    leaves 2 "$rask" worker 'tcp://127.0.0.1:7077;tcp://x:1' && grep -q 'is no address of a program' err
tell 'nor of one with something behind it' $?
RASK_WORKER_OF=$address leaves 1 "$rask" eval 1+1 && grep -q "RASK_WORKER_OF=$address makes workers of programs whose main() begins with rask_cluster_init()" err
tell 'RASK_WORKER_OF makes no worker of a program that does not look at it, which says so' $?
RASK_CLUSTER=$address RASK_CLUSTER_KEYS=keys leaves 0 "$rask" info && grep -q '^scheduler *cluster (RASK_CLUSTER)' out && grep -q "^address of the cluster *$address (RASK_CLUSTER)" out && grep -q '^keys of the cluster *keys' out
tell 'info tells of the cluster in the environment' $?
RASK_CLUSTER=$address leaves 0 "$rask" info && grep -q "^keys of the cluster *the user's own (default)" out &&
    RASK_CLUSTER_INSECURE=1 leaves 0 "$rask" info --json && grep -q '"cluster_keys":.*"none"' out
tell 'and of keys that are not named, and of none' $?
# --- keys that are not named, and none
# number of options for the workers, these, options for the program: both meet
meets()
{
    local start status
    "$rask" cluster start --workers 1 --memory 64M "$address" "${@:2:$1}" 2>start_err &
    start=$!
    leaves 0 timeout 60 "$rask" eval 'sum(arange(1000))' --cluster "$address" "${@:2+$1}" && [ "$(cat out)" = 499500 ]
    status=$?
    kill $start
    wait $start && return $status
}
leaves 1 "$rask" worker --patience 1.1 "$address" && grep -q "waiting for one, such as a rask with --cluster ADDRESS and the keys of $XDG_STATE_HOME/rask/cluster.keys" err &&
    [ "$(stat -c %a "$XDG_STATE_HOME/rask/cluster.keys" "$XDG_STATE_HOME/rask" | tr '\n' ' ')" = '600 700 ' ]
tell 'keys that are not named are the own ones of the user, which are made and told of' $?
meets 0
tell 'with which workers and programs of the user meet' $?
meets 1 --insecure --insecure && RASK_CLUSTER_INSECURE=1 meets 0 && RASK_CLUSTER_INSECURE=1 meets 2 --key-file keys --key-file keys
tell 'so they do without keys where both say so' $?
# what the worker is to say, what the program, options of the program, options of the worker
misses()
{
    local program status
    "$rask" eval 1+1 --cluster "$address" "$3" 2>program_err &
    program=$!
    leaves 1 "$rask" worker "$address" "$4" && grep -q "$1" err &&
        await_line program_err "somebody was not let in .*$2"
    status=$?
    kill $program
    wait $program
    return $status
}
misses 'it has keys, or it is no Rask; there are no keys here (insecure)' 'only one side has one, or it is no Rask; the keys here are those of keys' --key-file=keys --insecure
tell 'a worker without keys and a program with keys say so' $?
misses 'it has other keys or none, or it is no Rask; the keys here are those of keys' 'only one side has one, or it is no Rask; there are no keys here (insecure)' --insecure --key-file=keys
tell 'and the other way round' $?

leaves 1 "$rask" worker --patience 0.3 "$address"
tell 'a worker that finds no program ends' $?
leaves 1 "$rask" worker --patience 2 "$address" && [ "$(grep -c 'waiting for one, such as a rask with --cluster ADDRESS' err)" -eq 1 ]
tell 'and says after a second what it waits for, once' $?

# Signal, exit status, text, command: told so when it has said that, which it says once
ends_after_saying()
{
    local status
    : >err # of the command before
    "${@:4}" >out 2>err &
    await_line err "$3"
    sleep 0.3 # in which it could say it again
    kill -s "$1" $!
    wait $!
    status=$?
    [ "$status" -eq "$2" ] && [ "$(grep -c "$3" err)" -eq 1 ]
}
ends_after_saying TERM 0 'waiting for one' "$rask" cluster start --workers 2 --listen "$address"
tell 'so do workers of this machine, one for all' $?
ends_after_saying HUP 0 'waiting for one' "$rask" cluster start --workers 2 --listen "$address"
tell 'which end well when their terminal is closed, too' $?
"$rask" cluster start --workers 2 --listen "$address" 2>start_err &
start=$!
waits() # how often that was said
{
    timeout 30 sh -c 'until [ "$(grep -c "waiting for one" start_err)" -eq "$1" ]; do sleep 0.1; done' sh "$1"
}
# shellcheck disable=SC2046 # both of them
waits 1 && kill -KILL $(ps -e -o pid= -o ppid= | awk -v of=$start '$2 == of {print $1}') && waits 2 &&
    [ "$(grep -c 'was ended by signal 9; another takes its place' start_err)" -eq 2 ]
tell 'and one of those that take their places says it, too' $?
kill $start
wait $start
head -c 2000 /dev/zero >zeros
set -m # what is in the background hears of INT
ends_after_saying INT 130 "^rask words: waiting for workers at $address: rask worker, or rask cluster start, brings some" \
    "$rask" words --cluster "$address" zeros
tell 'and a program that waits for workers' $?
set +m
"$rask" cluster keys stranger_keys
: >err
RASK_CLUSTER_KEYS=keys "$rask" words --cluster "$address" zeros 2>err &
words=$!
RASK_CLUSTER_KEYS=stranger_keys "$rask" worker "$address" 2>/dev/null
await_line err "rask words: somebody was not let in at $address: somebody came to .* and did not shake hands: it has another key"
tell 'and says at once that a worker was not let in' $?
kill $words
wait $words

# --- workers of this machine
export RASK_CLUSTER=$address RASK_CLUSTER_KEYS=keys
"$rask" cluster start "$address" --workers 2 --memory 64M 2>start_err &
start=$!
leaves 0 timeout 60 "$rask" bench tasks --shape tree-in --tasks 2000 --repeat 1 --scheduler cluster
tell 'tasks run on workers that were started, with keys' $?
"$rask" cluster keys other_keys
RASK_CLUSTER_KEYS=other_keys "$rask" bench tasks --shape chain --tasks 10 --repeat 1 >/dev/null 2>&1 &
stranger=$!
await_line start_err "the program at $address: it broke off the handshake"
kill $stranger
wait $stranger
while (exec 3<>"/dev/tcp/127.0.0.1/${address##*:}") 2>/dev/null; do # what it started to measure ends a moment later
    sleep 0.05
done
leaves 0 timeout 60 "$rask" bench tasks --shape chain --tasks 200 --repeat 1 && kill -0 $start
tell 'a program with another key drives no workers away' $?
leaves 0 timeout 60 "$rask" bench tasks --shape tree-out --tasks 2000 --repeat 1 --scheduler cluster
tell 'and of the next program on the same workers' $?
leaves 0 timeout 60 "$rask" bench tasks --shape chain --tasks 200 --repeat 1 --scheduler threads
tell 'a scheduler that is named is the one' $?
unset RASK_CLUSTER RASK_CLUSTER_KEYS
head -c 20000 /dev/urandom | base64 >text
"$rask" words text >want
leaves 0 timeout 60 "$rask" words --cluster "$address" --key-file keys text && cmp -s want out
tell 'words are counted by the workers; the address of a cluster implies it' $?
"$rask" cluster start "$address" --workers 2 --key-file other_keys 2>others_err & # before the program, whose keys they have not
others=$!
await_line others_err 'nobody listens there, .*; waiting for one'
wait_status=$?
mkfifo pipe # the program waits for what it reads, and can be asked meanwhile
"$rask" words --cluster "$address" --key-file keys - <pipe >streamed &
words=$!
exec 3>pipe
status=1
while kill -0 $words && [ $status -ne 0 ]; do
    leaves 0 "$rask" cluster status --key-file keys "$address" && grep -q '^program on .*: [0-9] workers*, 1 run; for ' out && grep -q '^run 1: [0-9]* of ' out &&
        leaves 0 "$rask" cluster status --key-file keys --json "$address" && grep -q '"workers":\[.*"runs":\[{"id":1,"tasks":[0-9]*,"finished":' out
    status=$?
done
asking=$status
await_line others_err \
    "^rask cluster: the program at $address: it broke off the handshake: .*; the keys here are those of other_keys; waiting for one" || wait_status=1
# the keys that are told of, options of status
is_refused_status()
{
    leaves 1 "$rask" cluster status "$address" "${@:2}" && [ "$(wc -l <err)" -eq 1 ] &&
        grep -q "^rask cluster: the program at $address: it broke off the handshake: .*; $1$" err
}
is_refused_status 'the keys here are those of other_keys' --key-file other_keys &&
    is_refused_status 'there are no keys here (insecure)' --insecure &&
    is_refused_status "the keys here are the user's own, $XDG_STATE_HOME/rask/cluster.keys"
tell 'who asks with other keys is told where, and which keys those are' $?
[ "$(wc -l <others_err)" -eq 2 ] && [ "$wait_status" -eq 0 ]
tell 'workers that wait say so once, and once that the program that came then refuses them' $?
kill $others
wait $others
cat text >&3
exec 3>&-
wait $words && cmp -s want streamed
tell 'a run is asked how it stands, for people and as JSON' $((asking + $?))
"$rask" worker --key-file keys "$other_address" 2>/dev/null &
worker=$!
"$rask" words --cluster "$other_address" --key-file keys - <pipe >streamed 2>words_err &
words=$!
exec 3>pipe
timeout 30 sh -c 'until "$1" cluster status "$2" --key-file keys | grep -q ": 1 worker, 1 run"; do sleep 0.1; done' sh "$rask" "$other_address"
kill -KILL $worker
wait $worker 2>/dev/null
timeout 30 sh -c 'until grep -q "$1" words_err; do sleep 0.1; done' sh \
    "^rask words: all workers are gone; waiting for others at .*: rask worker, or rask cluster start, brings some"
status=$?
"$rask" worker --key-file keys "$other_address" 2>/dev/null 3>&- &
worker=$!
cat text >&3
exec 3>&-
wait $words && cmp -s want streamed && [ "$(grep -c 'all workers are gone' words_err)" -eq 1 ]
tell 'a run whose workers are all gone says that it waits, and goes on with others' $((status + $?))
kill $worker
wait $worker
"$rask" eval 'arange(60000.).reshape(300, 200) % 97' -o a.npy && "$rask" eval 'mean(a @ a.T, axis=0)' a=a.npy -o want.npy
leaves 0 timeout 60 "$rask" eval 'mean(a @ a.T, axis=0)' a=a.npy -o got.npy --cluster "$address" --key-file keys && cmp -s want.npy got.npy
tell 'arrays are read and computed by the workers' $?
seq 50000 | awk 'BEGIN {print "a,b"} {print $1 ",n" $1 % 97}' >table.csv
"$rask" csv --group-by b --agg 'sum(a) as s' -o want.csv table.csv
leaves 0 timeout 60 "$rask" csv --group-by b --agg 'sum(a) as s' -o got.csv --cluster "$address" --key-file keys table.csv && cmp -s want.csv got.csv
tell 'tables are grouped by the workers' $?
leaves 1 timeout 60 "$rask" csv --sort b --cluster "$address" --key-file keys <table.csv - && grep -q 'standard input cannot be read by other processes' err
tell 'what cannot travel is said' $?
# --- workflows: commands run on the workers, in the folder of the program
cat >f.json <<'END'
{"tasks": {
  "a": {"command": "echo $PPID >>log; echo one >a.txt", "outputs": ["a.txt"]},
  "b": {"command": ["cp", "a.txt", "b.txt"], "inputs": ["a.txt"], "outputs": ["b.txt"]},
  "c": {"command": "echo said; exit 3", "after": ["b"], "retries": 1},
  "d": {"command": "true", "after": ["c"]}
}}
END
leaves 1 timeout 60 "$rask" run f.json --cluster "$address" --key-file keys && [ "$(cat b.txt)" = one ] && [ "$(cat f.json.rask/c.out)" = said ] &&
    grep -q '^rask run: c: tried 2 times, the last: exit status 3' err && grep -q '2 of 4 tasks done, 1 failed, 1 not run' err
tell 'a workflow runs on the workers' $?
grep -q "^PPid:[[:space:]]*$start$" "/proc/$(cat log)/status"
tell 'its commands are theirs' $?
sed -i 's/exit 3/exit 0/' f.json
leaves 0 timeout 60 "$rask" run f.json --cluster "$address" --key-file keys && [ "$(cat out)" = '2 of 4 tasks run, 2 done before' ] && [ "$(wc -l <log)" -eq 1 ]
tell 'the program knows what is done, and goes on there' $?
leaves 0 "$rask" run f.json && [ "$(cat out)" = '0 of 4 tasks run, 4 done before' ]
tell 'so does one that runs them itself' $?
# The first worker that has the command leaves its number, is killed, and has a successor.
cat >k.json <<'END'
{"tasks": {"k": {"command": "echo $$ $PPID >>groups; (until [ -e go ]; do sleep 0.02; done) & until [ -e go ]; do sleep 0.02; done; wait"}}}
END
"$rask" run k.json --cluster "$address" --key-file keys >out 2>err &
run=$!
await_line groups .
read -r group worker <groups
kill -0 -- "-$group" && kill -9 "$worker"
await_end "-$group"
tell 'the command of a worker that is killed ends, with all that it started' $?
touch go
wait $run && [ "$(cat out)" = '1 of 1 tasks run, 0 done before' ] && [ "$(wc -l <groups)" -eq 2 ]
tell 'and runs again on another worker' $?
kill $start
wait $start
tell 'workers end well when they are told to' $?
# What it waits for does not come: only the end of its worker ends the command.
rm -rf go groups k.json.rask
"$rask" cluster start --workers 1 --key-file keys "$address" 2>err &
start=$!
disown $start # no word of its end
"$rask" run k.json --cluster "$address" --key-file keys >out 2>err &
run=$!
await_line groups .
read -r group worker <groups
kill -0 "$worker" && kill -9 $start
status=1
for _ in $(seq 500); do # one that leaves is seen to, for as long as that takes
    leaves 0 "$rask" cluster status --key-file keys --json "$address" || break
    grep -q '"leaving":true' out && break
    grep -q '"workers":\[\]' out && status=0 && break
    sleep 0.02
done
await_end "-$group"
tell 'a worker whose starter is killed ends, and its command with it' $((status + $?))
kill $run
wait $run
status=0
for moment in 0.005 0.02 0.04 0.06 0.08 0.1 0.15; do
    timeout -k 10 "$moment" "$rask" cluster start --workers 4 --memory 64M 2>err
    [ $? -eq 124 ] || status=1
done
tell 'and at whatever moment that is' "$status"
finish
