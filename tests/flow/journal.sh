#!/bin/sh
# Each attempt is one datagram with fields for the journal. socat stands in for journald: it keeps the datagrams as they
# came. Without a journal nothing is sent; a path where nobody listens is a usage error; a listener that goes away
# mid-way costs lines, never an attempt.
. tests/flow/lib.sh
demo_images
sim_start boards --boards 2
expect_exit 2 "$FL" flash --profile profiles/demo-esp32.yaml --station "$T/boards.yaml" --data "$T/data" --journal "$T/none"
expect_text "$T/err" "no journal listens at $T/none"

# standard error is said to be the journal's stream, as in a container that has it and not the socket: nothing is refused
: >"$T/err"
JOURNAL_STREAM=$(stat -c %d:%i "$T/err")
export JOURNAL_STREAM
expect_exit 0 "$FL" flash --profile profiles/demo-esp32.yaml --station "$T/boards.yaml" --data "$T/data"
unset JOURNAL_STREAM

socat -u "UNIX-RECV:$T/journal,unlink-close=0" "OPEN:$T/got,creat,append" &
LISTENER=$!
PIDS="$PIDS $LISTENER"
wait_for "the listener" 10 test -S "$T/journal"
expect_exit 0 "$FL" flash --profile profiles/demo-esp32.yaml \
    --station "$T/boards.yaml" --data "$T/data" --journal "$T/journal" --format json
wait_for "two lines" 10 sh -c "[ \"\$(grep -c '^FLASHLINE_LEAF=' '$T/got')\" = 2 ]" || { cat "$T/got"; fail "not two lines"; }
jq -r 'select(.type == "attempt") | "FLASHLINE_SLOT=\(.slot)\nFLASHLINE_MAC=\(.mac)\nFLASHLINE_LEAF=\(.leaf)\nFLASHLINE_CHIP=\(.chip)"' \
    "$T/out" >"$T/want"
while read -r field; do
    grep -qx "$field" "$T/got" || { cat "$T/got"; fail "$field is in the result, not in the journal"; }
done <"$T/want"
[ "$(grep -c '^MESSAGE_ID=6f1c7f0e5d0b4a3f9a50c2f1d8e9b764$' "$T/got")" = 2 ] || fail "MESSAGE_ID"
[ "$(grep -c '^PRIORITY=6$' "$T/got")" = 2 ] || fail "a PASS is information, priority 6"
[ "$(grep -c '^SYSLOG_IDENTIFIER=flashline$' "$T/got")" = 2 ] || fail "SYSLOG_IDENTIFIER"
grep -q '^MESSAGE=slot 1: PASS ' "$T/got" || fail "no sentence"
! grep -q '^FLASHLINE_FAULT' "$T/got" || fail "a fault that is none"

# the socket stays, its listener is gone: the attempts do not notice
kill $LISTENER; wait $LISTENER 2>/dev/null || :
[ -S "$T/journal" ] || fail "the socket went with its listener: nothing is tested below"
expect_exit 0 "$FL" flash --profile profiles/demo-esp32.yaml \
    --station "$T/boards.yaml" --data "$T/data" --journal "$T/journal"
