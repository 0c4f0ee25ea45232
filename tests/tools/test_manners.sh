#!/usr/bin/env bash
# What rask says of itself: manual pages, and completion in shells, against the help of its commands. Prints TAP.
#
#   tests/tools/test_manners.sh BUILD/tools/rask/rask
# shellcheck source=tests/tools/tap.sh
source "$(dirname "$0")/tap.sh"
export LC_ALL=C.UTF-8
command=help
made=$(dirname "$rask")/made

# Names of commands; --names of a command's options that its help has.
commands() { "$rask" help | sed -n 's/^  \([a-z]\+\) .*/\1/p'; }
options() { "$rask" help "$1" | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+$'; }

# A page shown without formatting.
shown() { MANWIDTH=200 man -l "$1" 2>/dev/null | sed 's/.\x08//g'; }

# --- manual pages

asked 0 --man && grep -q '^\.TH RASK 1 ' out
tell 'help --man is the page of the program' $?
missing=0
for name in $(commands); do
    asked 0 --man "$name" || missing=1
    cp out "rask-$name.1"
    [ ! -d "$made" ] || cmp -s out "$made/rask-$name.1" || missing=1
    "$rask" help --man | grep -qx "\.BR rask\\\\-$name (1)" || missing=1
done
tell 'each command has a page, which is installed, and the program names it' $missing
"$rask" help --man >rask.1
! [ -e "$made/../../../docs/rask.3" ] || cp "$made/../../../docs/rask.3" .
if command -v mandoc >/dev/null; then
    mandoc -T lint ./*.[13] >out 2>&1
    tell 'mandoc finds nothing wrong' $?
fi
if command -v groff >/dev/null; then
    for page in *.[13]; do groff -ww -man -T utf8 "$page" >/dev/null; done >out 2>&1
    [ ! -s out ]
    tell 'groff warns of nothing' $?
fi
if command -v man >/dev/null && shown rask.1 | grep -q NAME; then
    missing=0
    for name in $(commands); do
        shown "rask-$name.1" >page
        for option in $(options "$name"); do
            grep -qE -- "^ +(-[a-zA-Z], )?$option( |\[|$)" page || { echo "$name $option" >>out && missing=1; }
        done
    done
    tell 'pages have all options that helps have' $missing
    shown rask-csv.1 >out
    grep -qE -- '--draw-by WHAT' out && grep -qE -- '--no-progress' out && grep -q 'RASK_MEMORY' out && grep -q '130' out
    tell 'and others, variables and exit statuses' $?
    shown rask-eval.1 >out
    grep -qF "rask eval 'mean((a * 2.5 + b) ** 2)' a=a.npy b=b.npy --memory 256M" out && grep -qF "NAME='part-*.npy@0'" out
    tell 'what is to be typed is there letter by letter' $?
fi
leaves 2 "$rask" help --man sing && grep -q 'rask: sing: no such command' err
tell 'a page of what is no command is an error' $?

# --- completion

refuses 'completion of an unknown shell' 2 '--completion: neither bash, zsh nor fish: "tcsh"' --completion tcsh
refuses 'completion and a command' 2 '--completion: nothing goes with it' --completion bash csv
"$rask" help --completion bash >rask.bash
# shellcheck source=/dev/null
source ./rask.bash
tell 'bash takes its script' $?

# words of a line, the last of which is to be completed: what it is offered
offered()
{
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _rask
    printf '%s\n' "${COMPREPLY[@]}" | sort >out
}

# name, what is to be offered, words
offers()
{
    offered "${@:3}"
    [ "$(tr '\n' ' ' <out)" = "$2 " ]
    tell "$1" $?
}

offered rask ''
[ "$(grep -v '^--' out)" = "$(commands | sort)" ]
tell 'bash offers the commands' $?
offers 'those that begin so' 'eval' rask ev
offers 'options that begin so' '--limit --limits' rask csv --lim
offers 'an option among others' '--keep-going' rask words -n 3 book.txt --keep
offers 'schedulers' 'processes' rask text --scheduler p
offers 'values of an option of one command' 'blosc gzip none zstd' rask eval -o x.zarr --compressor ''
offers 'schedulers behind =' 'serial' rask text --scheduler = se
offers 'nothing for a number' '' rask csv --limit ''
offers 'files are left to bash' '' rask csv --output ''
offers 'also as arguments' '' rask words bo
offers 'what cluster can do' 'keys start status' rask cluster ''
offers 'commands for help' 'words worker' rask help w
offers 'colours' 'duration' rask run --draw x.svg --draw-by d
offers 'nothing for what is no command' '' rask sing --l
missing=0
for name in $(commands); do
    for option in $(options "$name"); do
        offered rask "$name" "$option"
        grep -qx -- "$option=\?" out || { echo "$name $option" >>err && missing=1; }
    done
done
tell 'bash knows all options of all commands' $missing
if command -v zsh >/dev/null; then
    "$rask" help --completion zsh >_rask
    leaves 0 zsh -n _rask && leaves 0 zsh -fc 'autoload -Uz compinit && compinit -D -u && source ./_rask && whence -w _rask' &&
        grep -q 'function' out
    tell 'zsh takes its script' $?
fi
if command -v fish >/dev/null; then
    "$rask" help --completion fish >rask.fish
    leaves 0 env HOME="$work" fish -c 'source rask.fish; complete -C "rask csv --lim"; complete -C "rask text --scheduler p"' &&
        [ "$(cut -f 1 out | tr '\n' ' ')" = '--limit --limits processes ' ]
    tell 'fish takes its script, and offers the same' $?
fi

finish
