#!/usr/bin/awk -f
# Adds up the `test result:` lines of cargo test: passed, failed, ignored, suites.
/^test result: / {
    for (i = 2; i <= NF; i++) {
        if ($i ~ /^passed/) passed += $(i - 1)
        if ($i ~ /^failed/) failed += $(i - 1)
        if ($i ~ /^ignored/) ignored += $(i - 1)
    }
    suites++
}
END { print passed + 0, failed + 0, ignored + 0, suites + 0 }
