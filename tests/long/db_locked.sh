#!/bin/sh
# Somebody holds the database locked: waited for ten seconds, then said, and nothing is changed. A reader holds nobody up.
. tests/flow/lib.sh
"$FL" init --no-passphrase --data "$T/data" --station line-1 >/dev/null
mkfifo "$T/hold"
sqlite3 "$T/data/flashline.db" <"$T/hold" >"$T/held" 2>&1 &
HOLDER=$!
PIDS="$PIDS $HOLDER"
exec 9>"$T/hold"
echo "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; SELECT 'locked' FROM leaf LIMIT 1;" >&9
wait_for "the lock" 10 grep -q locked "$T/held" || fail "no lock"
expect_exit 3 "$FL" operator begin eva --data "$T/data"
expect_text "$T/err" "locked"
expect_exit 3 "$FL" db rebuild --data "$T/data"
[ -s "$T/err" ] || fail "no word about the lock"
exec 9>&-
wait $HOLDER || :
sqlite3 "$T/data/flashline.db" <"$T/hold" >"$T/held" 2>&1 &
HOLDER=$!
PIDS="$PIDS $HOLDER"
exec 9>"$T/hold"
echo "BEGIN; SELECT 'reading' FROM leaf LIMIT 1;" >&9
wait_for "the reader" 10 grep -q reading "$T/held" || fail "no reader"
expect_exit 0 "$FL" operator begin eva --data "$T/data"
expect_exit 3 "$FL" db rebuild --data "$T/data"
expect_text "$T/err" "close it"
exec 9>&-
wait $HOLDER || :
expect_exit 0 "$FL" db rebuild --data "$T/data"
expect_exit 0 "$FL" audit --data "$T/data"
