#!/bin/sh
# A pipe whose writer says a little and then nothing more: given up after ten seconds, like one that never says anything.
. tests/flow/lib.sh
mkfifo "$T/profile.yaml"
(printf 'profile: p\n'; exec sleep 60) >"$T/profile.yaml" &
PIDS="$PIDS $!"
expect_exit 2 timeout 40 "$FL" plan "$T/profile.yaml"
expect_text "$T/err" "nothing came out of it in 10 seconds"
