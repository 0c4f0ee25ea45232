#!/usr/bin/env bash
# rask text as a shell user meets it. Prints TAP.
#
#   tests/tools/test_text.sh BUILD/tools/rask/rask
# shellcheck source=tests/tools/tap.sh
source "$(dirname "$0")/tap.sh"
command=text
export LC_ALL=C

# name, wanted output with its newlines, arguments
prints()
{
    local name=$1 wanted=$2
    shift 2
    asked 0 "$@" </dev/null && printf "$wanted" | cmp -s - out && ! [ -s err ]
    tell "$name" $?
}

# name, file that out must be, arguments: by blocks of many sizes, and by both schedulers
agrees()
{
    local name=$1 wanted=$2 block status=0
    shift 2
    for block in 1 7 64 1000 1G; do
        asked 0 "$@" --block-size $block </dev/null && cmp -s "$wanted" out || { status=1; break; }
    done
    [ $status -eq 0 ] && asked 0 "$@" --scheduler serial --block-size 100 && cmp -s "$wanted" out || status=1
    tell "$name" $status
}

printf 'to be\nor not\n\nto be again\nThe end' >play

# --- lines

prints 'a file as it is, and a newline at its end' 'to be\nor not\n\nto be again\nThe end\n' play
prints '-n' 'to be\nor not\n' play -n 2
prints '-n 0' '' play -n 0
prints '-n all' 'to be\nor not\n\nto be again\nThe end\n' play -n all
prints '--grep' 'to be\nto be again\n' play --grep be
prints '--grep, the last line without a newline' 'The end\n' play -g end
prints '--grep and -n' 'to be\n' play -g be -n 1
prints '--grep of a regular expression' 'or not\nThe end\n' play -g '^(or|The) .*[td]$'
prints '--grep of nothing there' '' play -g nothing
printf 'a\r\na\r' >returns
prints 'a carriage return before a newline ends a line, and no other' '1\ta\n1\ta\r\n' returns -f
prints 'wherever lines are looked at' 'a\r\n' returns -g 'a\r'
prints '-i' 'The end\n' play -g THE -i
prints '-v' 'or not\n\nThe end\n' play -g be -v
prints '-v of all lines' '' play -g '^' -v
prints '-v -i' 'to be\nor not\n\nto be again\n' play -gTHE -vi
prints '-F' 'a.c\n' <(printf 'abc\na.c\n') -g a.c -F
prints '-F -i' 'A.c\n' <(printf 'abc\nA.c\n') -g a.C -Fi
prints 'empty lines' '\n' play -g '^$'
prints 'all lines, by a pattern of nothing' 'to be\nor not\n\nto be again\nThe end\n' play -g ''
prints 'words by their edges' 'to be\nto be again\n' play -g '\bbe\b'
prints 'what crosses no line' '' play -g 'be\s+or'
prints 'and nor does what is not something' 'to be again\n' play -g 'be[^x]+n'
prints 'looking around' 'to be\n' play -g 'be(?! again)'
prints 'looking behind' 'to be again\n' play -g '(?<=be )a'
prints 'the beginning of the text is that of the line' 'or not\n' play -g '\Aor'
prints 'and so is its end' 'or not\n' play -g 'not\z'
prints 'possessive' '' play -g 'b[a-z ]++n'
prints 'back references' 'aa\n' <(printf 'ab\naa\nba\n') -g '(.)\1'
printf 'x' >last
prints 'several files, in order' 'to be\nThe end\nx\nto be\nThe end\n' play last play -g '^(The end|x|to be)$'
mkdir folder && cp play folder/b && cp last folder/a
prints 'a folder' 'x\nThe end\n' folder -g 'x|end'
prints 'a pattern' 'x\n' 'folder/[a]' -g .
asked 0 - -g be <play && printf 'to be\nto be again\n' | cmp -s - out
tell 'standard input' $?
(printf 'one\ntw'; sleep 0.2; printf 'o\nthree\n') | asked 0 - -g o && printf 'one\ntwo\n' | cmp -s - out
tell 'a pipe that waits' $?
mkfifo slow
(printf 'now\n'; for _ in $(seq 3000); do [ -e seen ] && break; sleep 0.02; done; [ -e seen ] && printf 'later\n') >slow &
"$rask" text slow -g . 2>err | { IFS= read -r line; touch seen; IFS= read -r later; [ "$line" = now ] && [ "$later" = later ]; }
tell 'what a slow pipe has is written at once' "${PIPESTATUS[1]}"
wait
: >empty
prints 'an empty file' '' empty
prints 'an empty file, counted' '0\n' empty --count lines
prints 'one among others' 'x\n' empty last empty
printf 'a\r\nb\r\n\r\nab' >windows
prints 'CRLF stays' 'a\r\nb\r\n\r\nab\n' windows
prints 'but is not the line'"'"'s' 'a\r\n' windows -g '^a$'
prints 'nor matched by a dot' 'ab\n' windows -g 'a.'
prints 'nor by white space' '' windows -g '\s'
prints 'a carriage return that is no end' 'a\rb\r\n' <(printf 'a\rb\r\nc\r\n') -g '\r'
prints '-F of it' 'a\rb\r\n' <(printf 'a\rb\r\nc\r\n') -F -g $'a\r'
prints 'no empty lines but those' '\r\n' windows -g '^$'
prints 'CRLF, inverted' 'b\r\n\r\n' windows -g '^a' -v
printf 'a\0b\n\0\nc\n' >nul
prints 'NUL bytes' 'a\0b\n' nul -g 'a\x00b'
prints 'NUL bytes are bytes of lines' 'a\0b\n\0\n' nul -g c -v
printf '\xff\xfea\n\x80\nb\xc3\n\xc3\xa9\n' >bytes
prints 'bytes that are no UTF-8' '\xff\xfea\n' bytes -g a
prints 'match nothing' '\xff\xfea\nb\xc3\n\xc3\xa9\n' bytes -g '\w|\xe9'
prints 'nor stop what comes behind' 'b\xc3\n' bytes -g '^b'
prints 'a character is one dot' '\xc3\xa9\n' bytes -g '^.$'
prints 'capitals that are not ASCII' '\xc3\xa9\n' bytes -i -g $'\xc3\x89'

printf '\xef\xbb\xbfa b\na b' >marked
prints 'a byte order mark is no text' 'a b\na b\n' marked -g '^a'
prints 'nor of a word' '2\ta\n2\tb\n' marked -f -w
prints 'nor of a line that is drawn' 'a b\na b\n' marked --sample 2
printf '\xef\xbb\xbf' >mark
prints 'nor a line' '' mark

# --- counts

prints '--count lines' '5\n' play --count lines
prints '-c words' '9\n' play -c words
prints '-c bytes' '33\n' play -c bytes
prints '-c lines of those that match' '2\n' play -c lines -g be
prints '-c lines of those that do not' '3\n' play -c lines -g be -v
prints '-c words of those that match' '5\n' play -c words -g be
prints '-c bytes of those that match' '18\n' play -c bytes -g be
prints '-c matches' '6\n' play -c matches -g '[aeo]\b|g'
prints '-c matches of nothing' '0\n' play -c matches -g 'x*'
prints '-c --json' '{"words":9}\n' play -c words --json
prints '-f' '2\tto be\n1\t\n1\tor not\n' <(printf 'to be\n\nor not\r\nto be') -f
prints '-f -n' '2\tto be\n' <(printf 'to be\n\nor not\nto be') -f -n 1
prints '-f of lines that match' '2\tto be\n' <(printf 'to be\n\nor not\nto be') -f -g b
prints '-f -w' '2\tbe\n2\tto\n1\tThe\n' play -f -w -n 3
prints '-f -w of lines that match' '2\tbe\n2\tto\n1\tagain\n' play -f -w -g be
prints '-f -m' '4\to\n2\tbe\n1\tg\n' play -f -m -g 'be|o|g' -n 3
prints '-f --json' '{"lines":[{"line":"x","count":1}]}\n' last -f --json
prints '-f -m --json' '{"matches":[{"match":"be","count":2}]}\n' play -fm -g be --json
"$rask" words play >want && asked 0 play -fw && cmp -s want out
tell 'rask words is -f -w' $?

# --- samples

prints '--sample 0' '' play --sample 0
prints '--sample of all' 'to be\nor not\n\nto be again\nThe end\n' play --sample 100
prints '--sample --json' '{"lines":[{"line":"x"}]}\n' last --sample 3 --json
seq 1000 >numbers
asked 0 numbers --sample 20 --seed 1 && [ "$(sort -nu out | wc -l)" -eq 20 ] && sort -n out | cmp -s - out
tell '--sample takes lines, in order' $?
cp out want
agrees 'the same ones, whatever the blocks' want numbers --sample 20 --seed 1
asked 0 numbers --sample 20 --seed 2 && ! cmp -s want out
tell 'others for another seed' $?
asked 0 numbers --sample 5 -g 7 && [ "$(grep -c 7 out)" -eq 5 ] && [ "$(wc -l <out)" -eq 5 ]
tell 'of lines that match' $?

# --- blocks

awk 'BEGIN { for (i = 0; i < 400; i++) { printf "%d %s\n", i % 37, substr("abc def  ghijklmnopqrstuvwxyz", 1, i % 29)
             if (i % 50 == 0) { for (j = 0; j < i; j++) printf "long "; print "" } } printf "last" }' >lines
{ cat lines; echo; } >want
agrees 'all lines' want lines
grep -E 'd|7' lines >want
agrees 'lines that match' want lines -g 'd|7'
grep ghi lines >want
agrees 'lines with a text' want lines -g ghi
grep -v 'a.*k' lines >want
agrees 'lines that do not' want lines -g 'a.*k' -v
grep -v d lines | head -n 20 >want
agrees 'the first of them' want lines -g d -v -n 20
grep -oE '[a-d]+ ?' lines | wc -l >want
agrees 'matches' want lines -g '[a-d]+ ?' -c matches
wc -w <lines >want
agrees 'words' want lines -c words
wc -c <lines >want
agrees 'bytes' want lines -c bytes
grep -c '' lines >want
agrees 'the number of lines' want lines -c lines
awk 1 lines | sort | uniq -c | sed -E 's/^ *([0-9]+) /\1\t/' | sort -t "$(printf '\t')" -k1,1nr -k2 >want
agrees 'frequent lines' want lines -f -n all
for kind in gzip zstd xz bzip2; do
    [ -x "$(command -v $kind)" ] || continue
    $kind -k -c lines >lines.$kind
    for i in 1 2 3; do $kind -c lines; echo | $kind -c; done >members.$kind
    asked 0 lines.$kind -c lines
    if grep -q 'needs the module rask-decompress' err; then
        tell "what $kind compressed needs a module" 0
        continue
    fi
    grep d lines >want
    agrees "what $kind compressed" want lines.$kind -g d
    cat want want want >want3
    agrees "several members of $kind" want3 members.$kind -g d
    asked 0 lines --sample 9 --seed 4 && cp out want
    agrees "a sample of what $kind compressed" want lines.$kind --sample 9 --seed 4
    "$rask" words lines -n all >want
    agrees "words of what $kind compressed" want lines.$kind -f -w -n all
    head -c $(($(wc -c <lines.$kind) - 30)) lines.$kind >cut.$kind
    asked 1 cut.$kind -c lines && grep -q "^rask text: cut.$kind: .*: truncated at byte" err && ! [ -s out ]
    tell "$kind that is cut short" $?
done
mkdir many && (cd many && split -a 4 -l 3 ../lines)
grep d lines >want
agrees 'many small files' want many -g d
awk 'BEGIN { for (i = 0; i < 300000; i++) print i, "and some more text for each of the lines" }' >large
cp large want
agrees_within()
{
    asked 0 "$@" --memory 16M --workers 4 --block-size 64K && cmp -s want out
}
agrees_within large
tell 'all lines within little memory' $?
if [ -x "$(command -v gzip)" ]; then
    gzip -c large >large.gz
    cat want want want want >want4 && mv want4 want
    agrees_within large large.gz large large.gz
    tell 'and where one waits for another' $?
fi
sort large | awk '{ print 1 "\t" $0 }' | head -n 50 >want
agrees_within large -f -n 50
tell 'all lines are different, within little memory' $?
head -c 3000000 /dev/zero | tr '\0' 'x' >long
asked 0 long -g x && [ "$(wc -c <out)" -eq 3000001 ]
tell 'a long line' $?
asked 0 long long -g y --block-size 64K && ! [ -s out ]
tell 'a long line of many blocks' $?

# --- files

asked 0 play -g be -o o && ! [ -s out ] && printf 'to be\nto be again\n' | cmp -s - o
tell '-o' $?
asked 0 o -o o -n 1 && [ "$(cat o)" = 'to be' ]
tell 'a file may replace the one that is read' $?
refuses '-o into a folder that is not there' 1 'none/x: No such file or directory' play -o none/x
refuses '-o where a folder is' 1 'folder: Is a directory' play -o folder
echo kept >kept
if [ -f cut.gzip ]; then
    asked 1 play cut.gzip -o kept && [ "$(cat kept)" = kept ] && ! ls -A | grep -q 'part$'
    tell 'a run that fails keeps the file that there was' $?
fi
if [ -w /dev/full ]; then
    "$rask" text play >/dev/full 2>err
    [ $? -eq 1 ] && [ "$(cat err)" = 'rask text: standard output: No space left on device' ]
    tell 'a full disk' $?
    "$rask" text play -c lines >/dev/full 2>err
    [ $? -eq 1 ]
    tell 'a full disk for a count' $?
fi
"$rask" text large 2>err | head -n 1 >out
status=${PIPESTATUS[0]}
[ "$status" -eq 141 ] && [ "$(cat out)" = '0 and some more text for each of the lines' ] && ! [ -s err ]
tell 'a reader that goes away' $?

# --- options

refuses 'no file' 2 'no file given; - is standard input' -c lines
refuses 'two wishes' 2 'only one of --count, --frequencies and --sample' play -c lines -f
refuses 'words of nothing' 2 '--words or --matches say what --frequencies are of' play -w
refuses 'a limit for a count' 2 '--limit is for lines and --frequencies' play -c lines -n 3
refuses 'a file for a count' 2 '--output is for lines' play -c lines -o x
refuses 'JSON of lines' 2 '--json is for --count, --frequencies and --sample' play --json
refuses '-v without --grep' 2 '--fixed, --ignore-case and --invert say how --grep is meant' play -v
refuses 'a count of something else' 2 '--count: not lines, words, bytes or matches' play -c letters
refuses 'matches without a pattern' 2 '--grep says what matches' play -c matches
refuses 'frequencies of matches without a pattern' 2 '--grep says what matches' play -fm
refuses 'an ending of compressed files' 1 \
    'o.gz: nothing is compressed as it is written: write to standard output, and compress that' play -o o.gz
refuses 'matches of lines without one' 1 'matches: lines without a match have none' play -c matches -g x -v
refuses 'a file that is not there' 1 'none: No such file or directory' play none
refuses 'a pattern of no files' 1 'none*: no file matches this pattern' 'none*'
refuses 'a pattern that is none' 1 'pattern, byte 1: missing closing parenthesis' play -g '('
refuses 'a newline in a pattern' 1 'pattern, byte 1: a newline, which no line has' play -g $'a\nb'
asked 1 <(head -c 50 /dev/zero | tr '\0' a; echo c) -g '(a+)+$' && grep -q ':1: the pattern takes too long' err && ! [ -s out ]
tell 'a pattern that takes too long' $?
{ seq 1000; head -c 50 /dev/zero | tr '\0' a; echo c; } >tiring
status=0
for block in 1 100 1G; do
    for what in '-c matches' '-f -m' '-c lines -v' '-n all'; do
        asked 1 tiring -g '(a+)+$' $what --block-size $block && [ "$(cat err)" = 'rask text: tiring:1001: the pattern takes too long' ] || status=1
    done
done
tell 'and the line that it is' $status
asked 0 play -c lines --stats && grep -q 'tasks on' err && [ "$(cat out)" = 5 ]
tell '--stats' $?
asked 0 play -g be --explain && grep -q write err && [ "$(wc -l <out)" -eq 2 ]
tell '--explain' $?
asked 0 lines -g d --block-size 1000 --draw text.dot && grep -q find text.dot && grep -q write text.dot
tell '--draw' $?
asked 0 --help && grep -q -- '--grep' out && grep -qF docs/text.md out
tell '--help' $?

finish
