#!/usr/bin/env bash
# --trace, --profile, --report and --draw-by, on every scheduler, and what they say against what ran. Prints TAP.
#
#   tests/tools/test_observe.sh BUILD/tools/rask/rask
# shellcheck source=tests/tools/tap.sh
source "$(dirname "$0")/tap.sh"
export LC_ALL=C
command=words

for i in $(seq 2000); do echo "some words of line $i"; done >text
printf 'name,amount\nann,1\nbob,2\nann,3\n' >sales.csv

# The trace against the run's own count, and its events against each other, by a reader that is not ours.
cat >check.py <<'END'
import json, re, sys
trace = json.load(open("t.json"))
tasks = [e for e in trace["traceEvents"] if e.get("cat") in ("task", "failed")]
ran = int(re.search(r": (\d+) tasks on", open("err").read()).group(1))
assert len(tasks) == trace["otherData"]["tasks"] == ran - trace["otherData"]["skipped"], (len(tasks), ran)
assert trace["otherData"]["dropped"] == 0
names = {e["tid"]: e["args"]["name"] for e in trace["traceEvents"] if e["ph"] == "M" and e["name"] == "thread_name"}
end = max(e["ts"] + e["dur"] for e in trace["traceEvents"] if e.get("cat") == "run")
for e in trace["traceEvents"]:
    assert e["ph"] in "XMCbesf" and e["pid"] == 1 and 0 <= e["ts"] <= end + 1, e
for e in tasks:
    assert e["tid"] in names and e["dur"] >= 0 and e["args"]["bytes_out"] >= 0, e
profile = json.load(open("p.json"))
assert sum(n["count"] for n in profile["names"]) == len(tasks), profile
assert abs(sum(n["total_ns"] for n in profile["names"]) / 1000 - sum(e["dur"] for e in tasks)) < len(tasks), profile
assert profile["critical_ns"] <= sum(n["total_ns"] for n in profile["names"]) + 1
END

# name, wanted exit status, arguments
traced()
{
    local name=$1
    asked "$2" "${@:3}" --stats --trace t.json --profile=p.json --report r.html && [ -s r.html ] && ! grep -qiE 'src=|href=|url\(' r.html &&
        { ! command -v python3 >/dev/null || python3 check.py 2>>err; }
    tell "$name" $?
}

for scheduler in threads serial processes; do
    command=words
    traced "words on $scheduler" 0 text --block-size 1K --scheduler $scheduler
    command=text
    traced "text on $scheduler" 0 text -c lines --block-size 1K --scheduler $scheduler
    command=csv
    traced "csv on $scheduler" 0 sales.csv -o o.csv --scheduler $scheduler
    command="eval"
    traced "eval on $scheduler" 0 -o e.npy 'arange(100000) + 1' --scheduler $scheduler
    command=run
    echo '{"tasks":{"a":{"command":"true"},"b":{"command":"false","after":["a"]},"c":{"command":"true","after":["b"]}}}' >f.json
    traced "a run that fails on $scheduler" 1 f.json --again --scheduler $scheduler
done

command=words
asked 0 text --profile && grep -q '^Bound by ' err && grep -q '^count ' err
tell '--profile tells on stderr' $?
cp out plain && asked 0 text --trace t.json && cmp -s out plain && ! [ -s err ]
tell 'a trace changes nothing else' $?
refuses 'a trace to where nothing can be written, before anything else' 1 '--trace: none/t.json: No such file or directory' text --trace none/t.json
refuses 'a report there' 1 '--report: none/r.html: No such file or directory' text --report none/r.html
refuses 'a profile there' 1 '--profile: none/p.json: No such file or directory' text --profile=none/p.json
mkdir folder.dot
refuses 'and a drawing where a folder is' 1 '--draw: folder.dot: Is a directory' text --draw folder.dot
asked 0 text --profile=p.json && [ "$(head -c 1 p.json)" = '{' ]
tell '--profile=FILE writes JSON' $?
refuses 'an unknown colour' 2 '--draw-by: neither name, order, duration, bytes, worker nor status: "taste"' text --draw g.dot --draw-by taste
[ -z "$(find . -name '.rask-*')" ]
tell 'nothing is left beside the files' $?
for colour in name order duration bytes worker status; do
    command=csv
    asked 0 sales.csv -o o.csv --draw g.dot --draw-by $colour && grep -q digraph g.dot
    tell "--draw-by $colour" $?
done
command=run
asked 1 f.json --again --draw failed.dot --draw-by status && grep -q digraph failed.dot
tell 'what failed is drawn by status' $?
# shellcheck disable=SC2016
echo '{"tasks":{"</script><script>alert(1)</script>":{"command":"true","name":"<script>alert(2)</script>"}}}' >h.json
asked 0 h.json --again --report h.html && ! grep -q '<script>alert' h.html && grep -q 'u003cscript>alert(2)' h.html
tell 'a task named <script> does no harm' $?

# --- the live page: the line with its address, and what it is refused for
command=words
mkdir modules && echo "no object" >modules/rask-http.so
leaves 1 env RASK_MODULE_PATH="$work/modules" "$rask" words text --dashboard && grep -q '^rask words: --dashboard: .*libmicrohttpd' err && ! [ -s out ]
tell 'a live page without its module names the package' $?
if "$rask" words text --dashboard >out 2>err && grep -qE '^rask words: the run is shown at http://127\.0\.0\.1:[0-9]+/[0-9a-f]{32}/$' err; then
    cmp -s out plain && [ "$(wc -l <err)" -eq 1 ]
    tell 'the address is told once, and changes nothing else' $?
    asked 0 text --dashboard-open && grep -qE 'at http://127\.0\.0\.1:[0-9]+/$' err
    tell 'an open page has no token' $?
    refuses 'a live page nowhere' 2 '--dashboard: nowhere: not an address to listen at, such as 127.0.0.1:8787 or [::1]:8787' text --dashboard=nowhere --trace none.json
    ! [ -e none.json ]
    tell 'and nothing is written of what did not run' $?
    refuses 'a live page at no port' 2 '--dashboard: 99999: not an address to listen at, such as 127.0.0.1:8787 or [::1]:8787' text --dashboard 99999
    refuses 'a live page at nothing' 2 '--dashboard: nothing stands behind the =' text --dashboard=
    if command -v curl >/dev/null; then
        echo '{"tasks":{"a":{"command":"sleep 60"}}}' >nap.json
        "$rask" run nap.json --again --dashboard >out 2>err &
        napping=$!
        for _ in $(seq 1000); do grep -q shown err && break; sleep 0.02; done
        page=$(sed -n 's/^rask run: the run is shown at //p' err)
        [ "$(curl -s -L -o /dev/null -w '%{http_code} %{url_effective}' "${page%/}")" = "200 $page" ]
        tell 'its address without the last slash leads there' $?
        curl -s -X POST "${page}api/cancel" >/dev/null
        wait $napping
        [ $? -eq 130 ] && grep -qx 'rask run: cancelled by the live page, from 127.0.0.1' err
        tell 'who cancels there is told of' $?
    fi
else
    grep -q 'libmicrohttpd' err
    tell 'no live page: its library is missing' $?
fi

# --- progress, on a terminal

if command -v script >/dev/null; then
    echo '{"tasks":{"a":{"seconds":0.6,"name":"nap"},"b":{"seconds":0.6,"name":"nap","after":["a"]},"c":{"seconds":0.1,"after":["b"]}}}' >naps.json
    export TERM=xterm
    script -qec "$rask run naps.json --simulate 1 --progress" /dev/null </dev/null >out 2>err
    grep -qE 'rask run: 1 of [0-9]+ tasks, [0-9]+ %, .*/s, about .* left; nap 1 of 2' out
    tell '--progress tells how far it is, how fast, and of which tasks' $?
    script -qec "stty cols 30; $rask run naps.json --simulate 1 --progress" /dev/null </dev/null >out 2>err
    ! tr '\r' '\n' <out | sed 's/\x1b\[K//' | grep -a '^rask run: ' | grep -qE '.{30}'
    tell 'and fits on the line' $?
    script -qec "$rask run naps.json --simulate 1 --no-progress" /dev/null </dev/null >out 2>err
    ! grep -q '% *,\| of [0-9]* tasks, ' out
    tell '--no-progress does not' $?
fi

finish
