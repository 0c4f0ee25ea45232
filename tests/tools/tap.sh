# shellcheck shell=bash disable=SC2034,SC2154
# What the shell tests share: a folder of their own, results as TAP, outputs in the files out and err. To be sourced; prints
# nothing by itself. A test of one command names it in $command. The test's first argument is the program rask.
set -uo pipefail
# Whoever started this may ignore hang-ups and interrupts, which programs inherit.
if [ -z "${RASK_TEST_HEARS:-}" ] && env --default-signal=HUP,INT true 2>/dev/null; then
    RASK_TEST_HEARS=1 exec env --default-signal=HUP,INT bash "$0" "$@"
fi
rask=$(realpath "${1:?usage: $(basename "$0") PROGRAM}")
unset RASK_SCHEDULER RASK_WORKERS RASK_MEMORY RASK_SCRATCH RASK_LIMITS RASK_CLUSTER RASK_CLUSTER_KEYS RASK_CLUSTER_INSECURE RASK_CHECKPOINT
work=$(mktemp -d)
export XDG_STATE_HOME=$work/state
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

# A file, a regular expression: until a line of it is there, for a minute at most
await_line()
{
    for _ in $(seq 3000); do
        grep -qs -- "$2" "$1" && return
        sleep 0.02
    done
    return 1
}

# A process or a group, as kill has it: until it is gone, for a minute at most
await_end()
{
    for _ in $(seq 3000); do
        kill -0 -- "$1" 2>/dev/null || return 0
        sleep 0.02
    done
    return 1
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

# wanted exit status, arguments of the command that a test is of: its output is left in the files out and err
asked()
{
    local want=$1
    shift
    leaves "$want" "$rask" "$command" "$@"
}

# name, wanted output without its last newline, arguments
gives()
{
    local name=$1 wanted=$2
    shift 2
    asked 0 "$@" </dev/null && printf '%s\n' "$wanted" | cmp -s - out
    tell "$name" $?
}

# name, wanted exit status, wanted text on stderr, arguments: and nothing on stdout
refuses()
{
    local name=$1 status=$2 wanted=$3
    shift 3
    asked "$status" "$@" </dev/null && printf 'rask %s: %s\n' "$command" "$wanted" | cmp -s - err && ! [ -s out ]
    tell "$name" $?
}

# The plan, and the exit status of the test.
finish()
{
    echo "1..$number"
    [ "$failures" -eq 0 ]
}
