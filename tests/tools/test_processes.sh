#!/usr/bin/env bash
# The commands of rask on processes: the same bytes as on threads. Prints TAP.
#
#   tests/tools/test_processes.sh BUILD/tools/rask/rask
# shellcheck source=tests/tools/tap.sh
source "$(dirname "$0")/tap.sh"
export LC_ALL=C

# name, command of rask with its arguments, in which TO begins the path of what is written: standard input is a stream
same()
{
    local name=$1 to
    shift
    for to in threads processes; do
        rm -rf $to && mkdir $to
        cat rows.csv | "$rask" "${@//TO/$to/to}" --scheduler $to --workers 2 >$to/out 2>$to/err
        echo "${PIPESTATUS[1]}" >$to/status
    done
    diff -r threads processes >out 2>err && { [ -s threads/out ] || [ -s threads/err ] || [ -e "$(echo threads/to*)" ]; }
    tell "$name" $?
}

awk 'BEGIN { srand(1); print "name,amount,qty,day";
    for (i = 0; i < 30000; i++)
        printf "n%d,%.2f,%d,2024-%02d-%02d\n", rand() * 200, rand() * 1000, rand() * 20, 1 + rand() * 12, 1 + rand() * 28 }' >rows.csv
awk 'BEGIN { print "name,city"; for (i = 0; i < 200; i += 3) printf "n%d,city%d\n", i, i % 7 }' >cities.csv
gzip -c rows.csv >rows.csv.gz
for i in 1 2 3; do tail -n +$((i * 100)) rows.csv | gzip -c >part$i.gz; done

# --- lines and words

for file in rows.csv rows.csv.gz 'part?.gz' -; do
    same "words of $file" words -n 20 "$file"
    same "lines of $file" text "$file" --count lines
    same "matches in $file" text "$file" --count matches -g '5,1\d'
    same "the first matches in $file" text "$file" -g 'n1,.*9' -n 5 --block-size 10K
    same "what does not match in $file" text "$file" --invert -g 1
    same "a sample of $file" text "$file" --sample 10 --seed 7
    same "frequencies of matches in $file" text "$file" -fm -g '2024-[0-9]+' -n 5
    same "$file into a file" text "$file" -g n2 -o TO --block-size 10K
done

# --- tables

for file in rows.csv rows.csv.gz -; do
    same "groups of $file" csv "$file" -g name -a 'sum(amount) as total, count(), median(qty)' -s name
    same "one group of $file" csv "$file" -a 'sum(amount), count()'
    same "groups of $file in small blocks" csv "$file" -g qty -a 'mean(amount)' --block-size 20K
    same "the first of $file" csv "$file" -s amount:desc -n 10
    same "some of $file" csv "$file" -w 'qty > 15' -n 200
    same "$file in order" csv "$file" -s 'day, amount' --memory 32M
    same "$file described" csv "$file" --describe
    same "values of $file" csv "$file" --value-counts qty
    same "distinct rows of $file" csv "$file" --distinct=name
    same "$file joined" csv "$file" --join cities.csv --on name
    same "$file joined part by part" csv "$file" --join cities.csv --on name --how outer --join-method partitioned
    same "$file as CSV" csv "$file" -w 'qty > 5' -o TO.csv
    same "$file as Arrow" csv "$file" --with 'x = amount * qty' -o TO.arrow
    same "a column of $file" csv "$file" --select amount -o TO.npy
    same "all of $file by one worker" csv "$file" --workers 1
done
same 'types of all rows' csv rows.csv.gz --misfit widen -a 'sum(amount)'
same 'files that do not fit each other' csv rows.csv cities.csv -a 'count()'

# --- arrays

same 'an array into a file' eval 'sqrt(arange(200000).reshape(400, 500) % 97)' -o TO.npy
"$rask" eval 'sqrt(arange(200000).reshape(400, 500) % 97)' -o a.npy
same 'a number' eval 'mean((a * 2.5 + 1) ** 2)' a=a.npy
same 'reductions' eval 'std(a, axis=0)[:20]' a=a.npy
same 'a product' eval '(a @ a.T)[::50, ::50]' a=a.npy
same 'sorted' eval 'sort(a.ravel())[::5000]' a=a.npy
same 'a Zarr store' eval 'a - mean(a, axis=0)' a=a.npy -o TO.zarr
same 'an array in little memory' eval 'sort(a, axis=0) + 1' a=a.npy -o TO.npy --memory 32M

finish
