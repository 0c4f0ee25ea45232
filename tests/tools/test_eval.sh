#!/usr/bin/env bash
# rask eval as a shell user meets it. Prints TAP.
#
#   tests/tools/test_eval.sh BUILD/tools/rask/rask
# shellcheck source=tests/tools/tap.sh
source "$(dirname "$0")/tap.sh"
command=eval

# name, text that a line of a file must have
has()
{
    grep -qF -- "$3" "$2"
    tell "$1" $?
}

# --- numbers

gives 'a number' 7 '1 + 2 * 3'
gives 'a float reads back' 0.1 '0.1'
gives 'a small float' 1e-05 '0.00001'
gives 'a float without a fraction' 4.0 '8 / 2'
gives 'a complex number' '(1+2j)' '1 + 2j'
gives 'a bool' True '1 < 2'
gives 'an array without dimensions' 1.4142135623730951 'sqrt(2)'
gives 'a float32' 0.1 'float32(0.1)'
gives 'nan' nan 'nan * 2'
gives 'binding numbers' 6.5 'n * 2 + k' n=3.0 k=0.5
gives 'two expressions' $'3\n[0 1 2]' '1 + 2' 'arange(3)'
gives 'statements' 9 'm = 3; m * m'
gives 'several results' $'2.0\n[0 1 2 3 4]' 'a = arange(5); mean(a), a'
gives 'several results in JSON' \
    $'{"dtype":"int64","shape":[],"data":6}\n{"dtype":"int64","shape":[],"data":3}' --json 'sum(arange(4)), max(arange(4))'
gives 'lines' 9 $'m = 3 # three\nm * (\n m)'

# --- arrays

gives 'integers' '[0 1 2 3 4]' 'arange(5)'
gives 'floats' '[0.  0.5 1.  1.5]' 'arange(4) / 2'
gives 'a matrix' $'[[0. 1.]\n [2. 3.]]' 'arange(4.).reshape(2, 2)'
gives 'a large array is cut' '[    0     1     2 ... 99997 99998 99999]' 'arange(100000)'
gives 'an array far larger than memory is cut, too' \
    '[1.e+00 2.e+00 3.e+00 ... 1.e+13 1.e+13 1.e+13]' 'arange(10000000000000) + 1.0'
gives 'a large matrix' $'[[    0     1     2 ...    97    98    99]
 [  100   101   102 ...   197   198   199]
 [  200   201   202 ...   297   298   299]
 ...
 [99700 99701 99702 ... 99797 99798 99799]
 [99800 99801 99802 ... 99897 99898 99899]
 [99900 99901 99902 ... 99997 99998 99999]]' 'arange(100000).reshape(1000, 100)'
gives 'bools' '[False False  True]' 'arange(3) > 1'
gives 'an empty array' '[]' 'zeros((0, 3))'
gives 'a shape' '[2 3]' 'zeros((2, 3)).shape'
gives 'JSON' '{"dtype":"float64","shape":[2],"data":[0.5,"inf"]}' --json 'array([0.5, inf])'

# --- files

asked 0 -o a.npy 'arange(12.0).reshape(3, 4)'
tell 'writing an .npy file' $?
asked 0 -o mean.npy -o max.npy 'x = arange(6.).reshape(2, 3); mean(x, 0), max(x, 0)'
gives 'a file for each of several results' '[4.5 6.5 8.5]' 'p + q' p=mean.npy q=max.npy
gives 'reading it' $'[[ 0.  1.  2.  3.]\n [ 4.  5.  6.  7.]\n [ 8.  9. 10. 11.]]' a a=a.npy
gives 'the example of the help' 277.5416666666667 'mean((a * 2.5 + b) ** 2)' a=a.npy b=0.5
gives 'a name before the expression' 66.0 a=a.npy 'sum(a)'
gives 'parts' '[1. 5. 9.]' 'a[:, 1]' a=a.npy
gives 'a budget and one worker' 66.0 'sum(a)' a=a.npy --memory 64M --workers 1 --scheduler serial
printf 'head\0\0\200\77\0\0\0\100\0\0\100\100\0\0\200\100' >raw.bin
gives 'raw elements' '[1. 2. 3. 4.]' 'd[1:]' d=raw.bin:f4
gives 'raw elements with lengths and an offset' $'[[1. 2.]\n [3. 4.]]' d d=raw.bin:f4:2,2:4
gives 'raw elements in Fortran order' $'[[1. 3.]\n [2. 4.]]' d d=raw.bin:f4:2,2:4:F
gives 'raw elements of another byte order' '[63 64 64 64]' 'd & 255' 'd=raw.bin:>u4:4:4'
asked 0 -o part-1.npy 'ones((2, 3))' -o part-2.npy 'zeros((2, 3))'
tell 'two files in one pass' $?
gives 'a pattern stacks' '[2 2 3]' 'x.shape' x='part-*.npy'
gives 'a pattern with an axis puts together' '[4 3]' 'x.shape' x='part-*.npy@0'
asked 0 -o s.zarr --compressor none 'a + 1' a=a.npy && [ -d s.zarr ]
tell 'writing Zarr' $?
gives 'reading Zarr' 78.0 'sum(s)' s=s.zarr
cp a.npy 'a=b:c.npy'
gives 'a file with a strange name' 66.0 'sum(a)' 'a=a=b:c.npy'
asked 0 -o big.npy 'arange(3000000.0)' && gives 'no more is held than the budget' 1499999.5 'mean(x)' x=big.npy --memory 16M
asked 0 -v 'mean(x)' x=big.npy --memory 16M
has '--stats tells what a run took' err ' read back; process: at most '
asked 0 -o square.npy 'random.normal(0, 1, (1024, 1024))' --seed 3
# What is read one way and written the other, in half of what it takes: the same bytes, and few come back from the disk.
turns()
{
    local text=$1 limit_mib=$2 read_back
    asked 0 -o whole.npy "$text" x=square.npy --memory 1G && asked 0 -o parts.npy "$text" x=square.npy --memory 4M --stats &&
        cmp -s whole.npy parts.npy &&
        read_back=$(sed -nE 's/.* ([0-9.]+) (bytes|KiB|MiB) read back.*/\1 \2/p' err | awk '{ print int($2 == "MiB" ? $1 : 0) }') &&
        [ "${read_back:-999}" -le "$limit_mib" ]
    tell "$text within little memory" $?
}
turns 'sort(cumsum(x, axis=1), axis=0)' 80
turns 'fft.fft(fft.fft(x, axis=1), axis=0)' 240
turns 'cumsum(x, axis=0) + cumsum(x, axis=1)' 16
turns 'concatenate([x, sort(x, axis=0)], axis=1)' 100
turns 'sort(x, axis=0).T' 40
# MiB of memory that the last --stats tells of the process
process_mib()
{
    sed -nE 's/.* process: at most ([0-9]+).*/\1/p' err
}
asked 0 -o wide.npy 'arange(40000000).reshape(1000, 40000).astype("u1")' --memory 64M
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:quarantine_size_mb=1" # what is freed is not to count
asked 0 -o o.npy 'x[:, ::-1]' x=wide.npy --memory 4M --stats && plain=$(process_mib) &&
    asked 0 -o o.npy 'x[:, random.integers(0, 40000, 40000)]' x=wide.npy --memory 4M --stats &&
    [ "$(process_mib)" -le $((plain + 16)) ]
tell 'an index along the last axis exists once' $?
export ASAN_OPTIONS="${ASAN_OPTIONS%:quarantine_size_mb=1}"
taken='sum(take(x, random.integers(0, 40000, 40000), axis=1), axis=0)'
asked 0 -o sums.npy "$taken" x=wide.npy --memory 1G && asked 0 -o o.npy "$taken" x=wide.npy --memory 4M && cmp -s sums.npy o.npy
tell 'sums over what was taken, within little memory' $?
asked 0 'x[:, random.integers(0, 2, 40000) == 1].sum()' x=wide.npy --memory 4M --stats && grep -qF ' 0 bytes written to disk' err
tell 'a mask along the last axis moves nothing to the disk' $?
asked 0 -o tall.zarr 'x.rechunk((512, 16))' x=square.npy --memory 4M --explain && tr -d ' \n' <tall.zarr/.zarray | grep -qF '"chunks":[512,16]'
tell 'rechunk says in which chunks a file is written' $?
has '--explain with an output says what is written' err 'writes tall.zarr: float64 of shape (1024, 1024), 8.0 MiB, in chunks of (512, 16)'
has 'and counts what writes' err ' x write'
asked 0 -o back.npy z z=tall.zarr && cmp -s back.npy square.npy
tell 'and what is in them comes back' $?
asked 0 -o shards.zarr z z=tall.zarr --chunks 100,200 --shards 500,1000 --level 1 && [ "$(find shards.zarr/c -type f | wc -l)" = 6 ] &&
    tr -d ' \n' <shards.zarr/zarr.json | grep -qF '"chunk_shape":[100,200]'
tell '--shards puts chunks into fewer files' $?
asked 0 -o back.npy z z=shards.zarr && cmp -s back.npy square.npy
tell 'and these come back' $?
asked 0 -o three.zarr z z=tall.zarr --zarr-version 3 --compressor none --chunks 512,512 && [ -f three.zarr/c/1/1 ]
tell 'Zarr version 3 is written without shards, too' $?
refused() # NAME, status, what is said, arguments...
{
    local name=$1 status=$2 words=$3
    shift 3
    asked "$status" "$@" && grep -qF -- "$words" err && [ ! -e none.zarr ]
    tell "$name" $?
}
refused 'chunks of another number of axes are an error' 2 "none.zarr: --chunks '100': as many lengths as the array has axes, 2" -o none.zarr z z=tall.zarr --chunks 100
refused 'so are shards that are no whole chunks' 1 '150 elements of axis 0 are no whole chunks of 100' -o none.zarr z z=tall.zarr --chunks 100,100 --shards 150,100
refused 'and shards of other files' 2 'none.npy: --shards is for outputs that end in .zarr' -o none.npy z z=tall.zarr --chunks 10,10 --shards 20,20
refused 'and how hard nothing is to work' 2 'none.zarr: --level is for a compressor' -o none.zarr z z=tall.zarr --level 5 --compressor none
asked 0 -o tall2.zarr 'sort(x, axis=0).rechunk((128, 0)) + 1' x=square.npy --memory 6M && tr -d ' \n' <tall2.zarr/.zarray | grep -qF '"chunks":[128,1024]'
tell 'so does rechunk of what is held in chunks' $?
rm -f whole.npy parts.npy square.npy
asked 0 --explain 'mean(x)' x=big.npy
has '--explain says what is read' err 'big.npy'
asked 0 --explain 'sort(-x)' x=big.npy --memory 4M && [ "$(grep -c 'x sort run ' err)" = 2 ] && [ "$(grep 'x sort run ' err | sort -u | wc -l)" = 1 ]
tell 'and what runs for the ends that are printed: nothing once for each of them' $?
asked 0 --draw g.dot 'sum(a)' a=a.npy && grep -q digraph g.dot
tell '--draw draws what ran' $?

# --- what is there already

# name, text on stderr, arguments: nothing is computed, and no part is left
keeps()
{
    local name=$1 text=$2
    shift 2
    asked 1 "$@" && grep -qF -- "$text" err && ! ls -A | grep -q 'part$'
    tell "$name" $?
}

asked 0 -o s.zarr 'a + 2' a=a.npy && gives 'a Zarr array is replaced' 90.0 'sum(s)' s=s.zarr
mkdir group.zarr && echo '{"zarr_format": 2}' >group.zarr/.zgroup && cp -r s.zarr group.zarr/member
keeps 'a Zarr group is not' 'is in the way' -o group.zarr 'zeros(3)'
gives 'and keeps its members' 90.0 'sum(s)' s=group.zarr:/member
echo kept >s.zarr/notes
keeps 'nor a Zarr array with a file of somebody else' 's.zarr/notes: is in the way' -o s.zarr 'zeros(3)'
rm s.zarr/notes
mkdir s.zarr/0 && echo kept >s.zarr/0/x.txt
keeps 'in a folder, too' 's.zarr/0/x.txt: is in the way' -o s.zarr 'zeros(3)'
rm -r s.zarr/0
cp -r s.zarr .s.zarr-01234567.part && cp -r s.zarr .s.zarr-0123456g.part && cp -r s.zarr .s.zarr-89abcdef.part
if command -v flock >/dev/null; then
    flock .s.zarr-89abcdef.part "$rask" eval -o s.zarr --compressor none 'zeros(3)' && [ -d .s.zarr-89abcdef.part ]
    tell 'what another writer is at is left alone' $?
fi
asked 0 -o s.zarr --compressor none 'zeros(3)' && [ "$(find . -maxdepth 1 -name '.s.zarr-*')" = ./.s.zarr-0123456g.part ]
tell 'what a killed writer of a Zarr array left is removed by the next' $?
rm -r .s.zarr-0123456g.part
mkdir files.zarr && echo kept >files.zarr/1
keeps 'nor a folder of files' 'is no Zarr array' -o files.zarr 'zeros(3)'
mkdir empty.zarr && asked 0 -o empty.zarr 'ones(3)' && gives 'an empty folder is' 3.0 'sum(s)' s=empty.zarr
keeps 'the same path twice' 'is being written already' 1 2 -o twice.npy -o ./twice.npy
keeps 'and as a folder' 'is being written already' 1 2 -o twice.zarr -o ../"${work##*/}"/twice.zarr
[ ! -e twice.npy ] && [ ! -e twice.zarr ]
tell 'gives no file' $?
if asked 0 -o one.h5:/g/x 'arange(4)'; then
    asked 0 -o one.h5:g/x 'arange(5)' && gives 'the dataset of an HDF5 file is replaced' 10 'sum(x)' x=one.h5:/g/x
    keeps 'another one is not' 'holds /g' -o one.h5 1
    keeps 'nor one beside it' 'holds /g/x, too' -o one.h5:/g/y 1
    keeps 'nor by one below it' 'holds /g/x, too' -o one.h5:/g/x/y 1
    gives 'it is kept' 10 'sum(x)' x=one.h5:/g/x
    echo text >text.h5
    keeps 'nor is a file of another format' 'cannot be opened as HDF5' -o text.h5 1
    : >empty.h5
    asked 0 -o empty.h5 '5' && gives 'an empty file is' 5 x x=empty.h5
    keeps 'two datasets for one file' 'is being written already' 1 2 -o both.h5:/a -o both.h5:/b
    # Strings in /g/text, pairs of numbers in /record, no shape in /nothing.
    base64 -d <<'END' | gunzip >odd.h5
H4sIAAAAAAACA+v0cHHj5ZLiYubgYICB/1AgBxUygIq/t7pi6e/hEsSk0O/KnI2MK5iEkDXCABcTAyMDAxsPA5BiTD8MNYZNEMRnK0pNzi9KSW
KCCgqBBNnz8ksyMvPS85ihamUZ8AP+Q+84yHESP8g2lpLUipIwRqhRrgzUAaWftXaCnQT0M6MIAwMTIyMj1JMMMJqZg4FRGGgxyJusQBcxc3EA
XcvCyAANcTaYYXsYhjT4daYjgGBY6DEwmgE5wFTCkMjAIAAMAhawhAJDEgOLoII9NFAcGEy4GUz+M6OGGBs0xCRgVk4brGFx3396NjwsWMD+Z2
IWYWAk5ENYyoUbdIBhyIPfj2M0GEbBKBgFAwzy81JLyvNxhQMALd7xkR4IAAA=
END
    refuses 'elements that are no numbers, with the file and the dataset' 1 \
        'x: odd.h5:/g/text: its elements are strings of 3 bytes, which are not supported' x x=odd.h5:g/text
    refuses 'records' 1 'x: odd.h5:/record: its elements are records of 12 bytes, which are not supported' x x=odd.h5:record
    refuses 'a dataset without a shape' 1 'x: odd.h5:/nothing: it has no shape' x x=odd.h5:/nothing
fi

# --- drawings

asked 0 -o n.npy 'a + 1' a=a.npy --draw d.dot && [ -e n.npy ] && grep -q digraph d.dot
tell '--draw goes with -o' $?
asked 0 '(a - mean(a, axis=0)) / 2' a=a.npy --draw d.dot && grep -q 'a\.*npy: float64 (3, 4)' d.dot && ! grep -q 'x00' d.dot
tell 'a drawing names files and shows no raw bytes' $?

# --- files and signals

mkdir many && for i in $(seq 60); do cp part-1.npy "many/$i.npy"; done
(ulimit -Sn 50 && asked 0 'sum(x)' x='many/*.npy' && [ "$(cat out)" = 360.0 ])
tell 'a pattern may open more files than the soft limit' $?
asked 0 -o long.npy 'random.normal(0, 1, (3000, 3000))'
"$rask" eval -o hung.zarr 'sort(x, axis=0)' x=long.npy --memory 16M >out 2>err &
for _ in $(seq 1000); do ls -A | grep -q 'hung.zarr-.*part$' && break; sleep 0.01; done
kill -HUP $!
wait $!
[ $? -eq 130 ] && ! ls -A | grep -q 'part$'
tell 'hanging up leaves no part behind' $?
rm -rf long.npy hung.zarr many

# --- errors

refuses 'no expression' 2 'no expression given (what begins with NAME= says what a name means)' 'a=1; a'
refuses 'more outputs than expressions' 2 '2 outputs for 1 result: as many expected' -o x.npy -o y.npy 1
refuses 'fewer outputs than results' 2 '1 output for 2 results: as many expected' -o x.npy 'sum(ones(3)), 1'
refuses 'fewer outputs than expressions' 2 '1 output for 2 expressions: at least one each expected' -o x.npy 1 2
refuses 'several results in one of several' 1 '1:1: this gives 2 arrays: take one of them, such as the first by [0]
  (ones(1), ones(2)), ones(3)
  ^' '(ones(1), ones(2)), ones(3)'
gives 'tuples where arrays are wanted' '1
[0.5 0. ]' 'searchsorted((1, 2, 3), 2)' 'heaviside((0, -1), 0.5)'
refuses 'several names' 1 $'1:6: one name before \'=\': write f = …; f[0], f[1]\n  a, b = 1, 2; a\n       ^' 'a, b = 1, 2; a'
refuses 'syntax' 1 $'1:9: an expression expected, not \'*\'\n  a + b * * c\n          ^' 'a + b * * c'
refuses 'an unknown name' 1 $'1:5: unknown name "meen": did you mean "mean"?\n  2 * meen(a)\n      ^' \
    '2 * meen(a)' a=a.npy
refuses 'an unknown function' 1 $'1:4: unknown function "sume": did you mean "sum"?\n  np.sume(a)\n     ^' \
    'np.sume(a)' a=a.npy
refuses 'an unknown method' 1 $'1:3: unknown attribute of arrays "meam": did you mean "mean"?\n  a.meam()\n    ^' \
    'a.meam()' a=a.npy
asked 1 'a * 2 + ones(5)' a=a.npy
has 'shapes: which' err '(3, 4) and (5,)'
has 'shapes: where' err 'rask eval: 1:7: '
refuses 'the second line' 1 $'2:5: unknown name "k"\n  m + k\n      ^' $'m = 1\nm + k'
refuses 'an argument twice' 1 $'1:16: argument "axis" is given twice\n  sum(a, axis=0, axis=1)\n                 ^' \
    'sum(a, axis=0, axis=1)' a=a.npy
refuses 'an argument that there is not' 1 $'1:8: sum() takes no argument "axes"\n  sum(a, axes=0)\n         ^' \
    'sum(a, axes=0)' a=a.npy
refuses 'division by zero' 1 $'1:3: division by zero\n  1 / 0\n    ^' '1 / 0'
refuses 'a name twice' 1 'a: given twice' a a=1 a=2
asked 1 a a=none.npy
has 'a file that is not there' err 'none.npy'
refuses 'shapes that do not fit' 1 $'1:8: shapes (3,) and (4,) do not fit: the inner sides are 3 and 4\n  ones(3)@ones(4)\n         ^' \
    'ones(3)@ones(4)'
refuses 'a file that is not there' 1 'a: none.npy: No such file or directory' a a=none.npy
refuses 'a raw file without a dtype' 1 \
    'd: raw.bin: behind the path of a raw file a dtype is expected, such as f4' d d=raw.bin:9q
refuses 'a raw file that is not there' 1 'd: nosuch.bin: no such file (nor one that is called nosuch.bin:f4:3)' \
    d d=nosuch.bin:f4:3
refuses 'an expression that looks like an option' 2 \
    $'-1: no such option; behind -- nothing is taken for one\nTry: rask help eval' '-1+a' a=a.npy
gives 'behind -- it does not' 65.0 -- '-1+sum(a)' a=a.npy
asked 1 a a=a.npy -o w.npy --compressor gzip
has 'a compressor where there is none' err "w.npy: compressor 'gzip': .npy and raw files are not compressed"
asked 1 'x + 1' x=5:f4
tell 'a number with parts is a file that is not there' $?
asked 1 -o out.npy 'linalg.cholesky(-eye(3))' || asked 1 -o out.npy 'unknown'
[ ! -e out.npy ]
tell 'a run that fails leaves no file' $?
refuses 'bytes that are no text' 1 $'1:1: control character 0x01\n  ?a\n  ^' $'\001a'
long=$(printf 'a+%.0s' $(seq 60))
asked 1 "${long}+*"
has 'the end of a long line is shown' err '  ...'
for bad in '((((' '[[[[' 'x[' '"' '0x' 'a.b.c' '1..' '@' 'f(=)' 'a[::::]' '-' '**' "$(printf '(%.0s' $(seq 1000))"; do
    asked 1 "$bad" a=a.npy || break
done
tell 'malformed texts are refused' $?

finish
