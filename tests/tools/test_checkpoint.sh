#!/usr/bin/env bash
# The commands of rask with --checkpoint: what was done is not done again, and what was changed is. Prints TAP.
#
#   tests/tools/test_checkpoint.sh BUILD/tools/rask/rask
# shellcheck source=tests/tools/tap.sh
source "$(dirname "$0")/tap.sh"
export LC_ALL=C RASK_WORKERS=2

# The number before a text in err; 0 where it is not there.
told()
{
    local line
    line=$(grep -o "[0-9]* $1" err) || line=0
    echo "${line%% *}"
}

# name, file that is touched, command with its arguments
resumes()
{
    local name=$1 file=$2 kept
    shift 2
    rm -rf J
    leaves 0 "$rask" "$@" && mv out alone
    leaves 0 "$rask" "$@" --stats --checkpoint J && cmp -s out alone && [ "$(told 'results found')" -eq 0 ]
    tell "$name: the first time all is done" $?
    kept=$(told 'kept,')
    leaves 0 "$rask" "$@" --stats --checkpoint J && cmp -s out alone && [ "$(told 'results found')" -gt 0 ] &&
        [ "$(told 'kept,')" -eq 0 ] && [ "$kept" -gt 0 ]
    tell "$name: the second time it is found" $?
    touch -d "2001-02-03 04:05:$((number % 60))" "$file"
    leaves 0 "$rask" "$@" --stats --checkpoint J && cmp -s out alone && [ "$(told 'kept,')" -gt 0 ]
    tell "$name: a file that was changed is read again" $?
    leaves 0 env RASK_CHECKPOINT=J "$rask" "$@" --stats && cmp -s out alone && [ "$(told 'results found')" -gt 0 ]
    tell "$name: the environment names the folder, too" $?
}

for k in 0 1 2; do
    awk -v k=$k 'BEGIN { srand(k); print "name,amount";
        for (i = 0; i < 8000; i++) printf "n%d,%d\n", rand() * 50, rand() * 1000 }' >sales$k.csv
done
awk 'BEGIN { srand(7); for (i = 0; i < 20000; i++) printf "w%d and w%d\n", rand() * 900, rand() * 30 }' >play

command=words
resumes 'words' play words -n 3 --block-size 64K play
command=text
resumes 'lines that match' play text --grep w1 -c lines --block-size 64K play
command=csv
resumes 'groups of whole files' sales1.csv csv sales0.csv sales1.csv sales2.csv --group-by name --agg 'sum(amount)'
resumes 'groups of parts' sales1.csv csv sales0.csv sales1.csv --block-size 16K --group-by name --agg 'mean(amount)'
resumes 'an order' sales1.csv csv sales0.csv sales1.csv --sort amount,name -n 4
resumes 'groups on processes' sales1.csv csv sales0.csv sales1.csv --scheduler processes --group-by name --agg 'sum(amount)'

command=eval
leaves 0 "$rask" eval 'reshape(arange(0, 60000) * 1.5, (200, 300))' -o a.npy
resumes 'an array' a.npy eval 'mean(sqrt(a) * 2)' a=a.npy
resumes 'a product on processes' a.npy eval 'sum(matmul(a, a.T))' a=a.npy --scheduler processes

# --- what is there counts, and nothing else
rm -rf J
command=csv
csv() { leaves 0 "$rask" csv sales0.csv sales1.csv sales2.csv --group-by name --agg 'sum(amount)' --stats --checkpoint J; }
csv
echo 'n1,1000000' >>sales2.csv
csv && grep -q '^n1,1[0-9]\{6\}$' out
tell 'a file that grew is read to its end' $?

# --- ends of processes
rm -rf J
for i in 1 2 3; do
    timeout -s KILL 0.0$i "$rask" csv sales*.csv --block-size 4K --group-by name --agg 'sum(amount)' --checkpoint J
done >/dev/null 2>&1
leaves 0 "$rask" csv sales*.csv --block-size 4K --group-by name --agg 'sum(amount)' && mv out alone
leaves 0 "$rask" csv sales*.csv --block-size 4K --group-by name --agg 'sum(amount)' --checkpoint J && cmp -s out alone
tell 'after three kills the result is the same' $?

# --- folders that are none
echo something >file
refuses 'a file in place of a folder' 1 'checkpoint file: is no folder' sales0.csv --sort name --checkpoint file
finish
