#!/usr/bin/env bash
# Workers and keys, as a user has them. Prints TAP.
#
#   tests/tools/test_cluster.sh BUILD/tools/rask/rask
# shellcheck source=tests/tools/tap.sh
source "$(dirname "$0")/tap.sh"
export LC_ALL=C
command=cluster
address=tcp://127.0.0.1:$((20000 + $$ % 6000 * 2))

# --- keys
leaves 0 "$rask" cluster keys keys && [ "$(stat -c %a keys)" = 600 ] && [ "$(grep -c '^[a-z]* [0-9a-f]\{64\}$' keys)" = 2 ]
tell 'keys are made, for their owner only' $?
refuses 'a key file is not overwritten' 1 'the key file keys exists already' keys keys
refuses 'keys without a file' 2 'keys: one file is needed' keys
refuses 'neither start nor keys' 2 'start, keys FILE or status ADDRESS is needed' begin
refuses 'status where nobody is' 1 "no program answered at $address: it cannot be reached" status "$address" --patience 0.3
refuses 'status of what is no address' 2 '"nowhere" is no address such as tcp://127.0.0.1:7077, nor mpi:' status nowhere
cp keys open_keys && chmod 644 open_keys
RASK_CLUSTER_KEYS=open_keys leaves 2 "$rask" worker "$address" && grep -q 'can be read by others' err
tell 'a key file that others can read is refused' $?
leaves 2 "$rask" worker && grep -q 'one address is needed' err
tell 'a worker without an address' $?
leaves 2 "$rask" worker nowhere && grep -q 'is no address' err
tell 'a worker of no address' $?
leaves 1 "$rask" worker --patience 0.3 "$address"
tell 'a worker that finds no program ends' $?

# --- workers of this machine
export RASK_CLUSTER=$address RASK_CLUSTER_KEYS=keys
"$rask" cluster start --workers 2 --memory 64M 2>start_err &
start=$!
leaves 0 timeout 60 "$rask" bench tasks --shape tree-in --tasks 2000 --repeat 1 --scheduler cluster
tell 'tasks run on workers that were started, with keys' $?
"$rask" cluster keys other_keys
RASK_CLUSTER_KEYS=other_keys timeout 2 "$rask" bench tasks --shape chain --tasks 10 --repeat 1 2>/dev/null
leaves 0 timeout 60 "$rask" bench tasks --shape chain --tasks 200 --repeat 1 && kill -0 $start
tell 'a program with another key drives no workers away' $?
leaves 0 timeout 60 "$rask" bench tasks --shape tree-out --tasks 2000 --repeat 1 --scheduler cluster
tell 'and of the next program on the same workers' $?
leaves 0 timeout 60 "$rask" bench tasks --shape chain --tasks 200 --repeat 1 --scheduler threads
tell 'a scheduler that is named is the one' $?
unset RASK_CLUSTER
head -c 20000 /dev/urandom | base64 >text
"$rask" words text >want
leaves 0 timeout 60 "$rask" words --cluster "$address" text && cmp -s want out
tell 'words are counted by the workers; the address of a cluster implies it' $?
mkfifo pipe # the program waits for what it reads, and can be asked meanwhile
"$rask" words --cluster "$address" - <pipe >streamed &
words=$!
exec 3>pipe
status=1
while kill -0 $words && [ $status -ne 0 ]; do
    leaves 0 "$rask" cluster status "$address" && grep -q '^program on .*: [0-9] workers, 1 runs; for ' out && grep -q '^run 1: [0-9]* of ' out &&
        leaves 0 "$rask" cluster status --json "$address" && grep -q '"workers":\[.*"runs":\[{"id":1,"tasks":[0-9]*,"finished":' out
    status=$?
done
cat text >&3
exec 3>&-
wait $words && cmp -s want streamed
tell 'a run is asked how it stands, for people and as JSON' $((status + $?))
"$rask" eval 'arange(60000.).reshape(300, 200) % 97' -o a.npy && "$rask" eval 'mean(a @ a.T, axis=0)' a=a.npy -o want.npy
leaves 0 timeout 60 "$rask" eval 'mean(a @ a.T, axis=0)' a=a.npy -o got.npy --cluster "$address" && cmp -s want.npy got.npy
tell 'arrays are read and computed by the workers' $?
seq 50000 | awk 'BEGIN {print "a,b"} {print $1 ",n" $1 % 97}' >table.csv
"$rask" csv --group-by b --agg 'sum(a) as s' -o want.csv table.csv
leaves 0 timeout 60 "$rask" csv --group-by b --agg 'sum(a) as s' -o got.csv --cluster "$address" table.csv && cmp -s want.csv got.csv
tell 'tables are grouped by the workers' $?
leaves 1 timeout 60 "$rask" csv --sort b --cluster "$address" <table.csv - && grep -q 'standard input cannot be read by other processes' err
tell 'what cannot travel is said' $?
kill $start
wait $start
tell 'workers end well when they are told to' $?
status=0
for moment in 0.005 0.02 0.04 0.06 0.08 0.1 0.15; do
    timeout -k 10 "$moment" "$rask" cluster start --workers 4 --memory 64M 2>err
    [ $? -eq 124 ] || status=1
done
tell 'and at whatever moment that is' "$status"
finish
