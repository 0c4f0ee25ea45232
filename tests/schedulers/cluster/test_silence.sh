#!/usr/bin/env bash
# What becomes of a job some of whose processes say nothing for a while. Prints TAP.
#
#   tests/schedulers/cluster/test_silence.sh PROGRAM LAUNCHER…     the program is play_silence.c
# shellcheck source=tests/tools/tap.sh
source "$(dirname "$0")/../../tools/tap.sh"
program=$rask
launcher=("${@:2}" -n 3)
export RASK_MPI_SILENCE=2

computes()
{
    leaves 0 timeout 60 "${launcher[@]}" "$program" "$1" && grep -q '^computed' out && ! [ -s err ]
}

# The text, which stands for how long ranks may be silent; a word of what that is.
refuses_silence()
{
    ! RASK_MPI_SILENCE=$1 timeout 60 "${launcher[@]}" "$program" >out 2>err && grep -qF "RASK_MPI_SILENCE: \"$1\" is neither" err
}

computes pauses
tell 'a program that pauses in an observer loses no rank' $?
computes rests
tell 'ranks that had nothing to say to each other for long part in peace' $?
! timeout 60 "${launcher[@]}" "$program" stops >out 2>err && grep -q '^computed' out &&
    grep -q 'has said nothing for 2 seconds: .*or it was stopped' err
tell 'a rank that is stopped when the program ends does not keep it, and is named' $?
refused=0
for text in abc 5min 1e9; do
    refuses_silence "$text" || refused=1
done
tell 'what is no silence is refused, with what was said' $refused
finish
