# Reads Meson's test log, one JSON object a test program; prints how many cases passed and how many failed.
# A Criterion program counts as many cases as its closing line says, one that prints TAP as many as it tells of, any
# other as one. A program that ended badly (crash, timeout, a sanitizer's report at exit) has a failed case even when
# all its cases passed, and so has a Criterion program without any case.

match($0, /"result": "[A-Z]+"/) {
    result = substr($0, RSTART + 11, RLENGTH - 12)
    if (result == "SKIP")
        next
    good = result == "OK" || result == "EXPECTEDFAIL"
    ok = good ? 1 : 0
    bad = 1 - ok
    if (match($0, /Synthesis: Tested: [0-9]+ \| Pass[a-z]+: [0-9]+ \| Fail[a-z]+: [0-9]+/)) {
        split(substr($0, RSTART, RLENGTH), word, " ")
        ok = word[6]
        bad = word[9]
        if (bad == 0 && (!good || word[3] == 0))
            bad = 1
    }
    tap = gsub(/(\\n|")not ok [0-9]+ - /, "")
    cases = gsub(/(\\n|")ok [0-9]+ - /, "")
    if (tap + cases) {
        ok = cases
        bad = tap || good ? tap : 1
    }
    passed += ok
    failed += bad
}

END {
    print passed + 0, failed + 0
}
