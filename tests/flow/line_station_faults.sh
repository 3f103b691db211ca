#!/bin/sh
# The station's own faults: a second flashline on the folder, a read-only folder, a full disk, a lost key, a damaged log.
# Exit 3, a sentence that says what and where, no green slot without a record, nothing lost from the record.
. tests/flow/lib.sh
demo_images
p=profiles/demo-esp32.yaml
sim_start sim --boards 2
flash() { timeout 100 "$FL" flash --profile $p --station "$T/sim.yaml" --data "$@"; }

# a second flashline on the same data folder
expect_exit 0 flash "$T/data"
sim_start slow --boards 1 --pace real
"$FL" flash --profile $p --station "$T/slow.yaml" --data "$T/data" >"$T/o1" 2>"$T/e1" &
first=$!
PIDS="$PIDS $first"
wait_for "the first to start" 60 grep -q write "$T/e1" || { cat "$T/e1"; fail "the first did not start"; }
expect_exit 3 flash "$T/data"
expect_text "$T/err" 'another|in use|held by'
wait $first || { cat "$T/o1" "$T/e1"; fail "the first was disturbed"; }

# the key is gone, the key is open to others' eyes: refused, told
mv "$T/data/key" "$T/key-away"
expect_exit 3 flash "$T/data"
expect_text "$T/err" 'key'
mv "$T/key-away" "$T/data/key"
expect_exit 0 flash "$T/data"

# a log that does not verify: production is refused
cp -r "$T/data" "$T/bad"
db=$T/bad/flashline.db
sqlite3 "$db" "SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_master WHERE type='trigger' AND tbl_name='leaf'" >"$T/drop.sql"
sqlite3 "$db" "SELECT sql || ';' FROM sqlite_master WHERE type='trigger' AND tbl_name='leaf'" >"$T/make.sql"
[ -s "$T/make.sql" ] || fail "no triggers guard the leaves"
{ cat "$T/drop.sql"; echo "UPDATE leaf SET rec = CAST(replace(CAST(rec AS TEXT), 'PASS', 'FAIL') AS BLOB)
    WHERE idx = (SELECT min(leaf) FROM record WHERE event='attempt_result');"; cat "$T/make.sql"; } | sqlite3 "$db" ||
    fail "the log could not be damaged"
expect_exit 3 flash "$T/bad"
expect_text "$T/err" 'audit|verif'
expect_exit 10 "$FL" audit --data "$T/bad"

# the disk: needs a mount of our own
unshare -rm true 2>/dev/null || { echo "(no private mounts here: read-only and full disk were not tried)"; exit 0; }
mkdir "$T/disk"
unshare -rm sh -eu <<S || fail "read-only folder or full disk (above)"
    mount --bind "$T/data" "$T/disk"
    mount -o remount,bind,ro "$T/disk"
    rc=0; timeout 60 "$FL" flash --profile $p --station "$T/sim.yaml" --data "$T/disk" >"$T/out" 2>"$T/err" || rc=\$?
    [ \$rc = 3 ] || { cat "$T/out" "$T/err"; echo "read-only: exit \$rc"; exit 1; }
    grep -qi 'read-only\|permission' "$T/err" || { cat "$T/err"; exit 1; }
    umount "$T/disk"
    mount -t tmpfs -o size=1536k none "$T/disk"
    rc=0; n=0
    while [ \$rc != 3 ] && [ \$n -lt 60 ]; do
        n=\$((n + 1)); rc=0
        timeout 60 "$FL" flash --profile $p --station "$T/sim.yaml" --data "$T/disk" --format json >"$T/out" 2>"$T/err" || rc=\$?
        head -c 60000 /dev/zero >"$T/disk/fill\$n" 2>/dev/null || :
    done
    [ \$rc = 3 ] || { cat "$T/out" "$T/err"; echo "the disk never filled: exit \$rc"; exit 1; }
    grep -qi 'full\|space' "$T/err" || { cat "$T/err"; echo "full disk: not said"; exit 1; }
    [ -z "\$(jq -c 'select(.outcome=="PASS" and .leaf==null)' "$T/out")" ] || { echo "PASS without a record"; exit 1; }
    rm -f "$T"/disk/fill*
    "$FL" audit --data "$T/disk" || { echo "the log of the full disk does not verify"; exit 1; }
    timeout 60 "$FL" flash --profile $p --station "$T/sim.yaml" --data "$T/disk" >"$T/out" 2>"$T/err" || { cat "$T/out" "$T/err"; echo "no recovery after the disk had room again"; exit 1; }
    "$FL" audit --data "$T/disk"
S
