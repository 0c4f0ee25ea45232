# shellcheck shell=bash disable=SC2034
# What the shell tests share: a folder of their own, results as TAP, outputs in the files out and err. To be sourced; prints
# nothing by itself. The test's first argument is the program rask.
set -uo pipefail
rask=$(realpath "${1:?usage: $(basename "$0") PROGRAM}")
unset RASK_SCHEDULER RASK_WORKERS RASK_MEMORY RASK_SCRATCH RASK_LIMITS
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
number=0
failures=0

# name, 0 when it went well
tell()
{
    number=$((number + 1))
    if [ "$2" -eq 0 ]; then
        echo "ok $number - $1"
    else
        failures=$((failures + 1))
        echo "not ok $number - $1"
        cat -v out err 2>/dev/null | sed 's/^/# /' | head -n 20
    fi
}

# wanted exit status, command: its output is left in the files out and err
leaves()
{
    local want=$1 status
    shift
    "$@" >out 2>err
    status=$?
    [ "$status" -eq "$want" ] || echo "exit status $status, not $want" >>err
    return $((status != want))
}

# The plan, and the exit status of the test.
finish()
{
    echo "1..$number"
    [ "$failures" -eq 0 ]
}
