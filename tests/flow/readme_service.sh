#!/bin/sh
# What the READMEs tell whoever keeps a station, as written: systemd knows every key of the units, what ExecStart says starts a line
# that SIGTERM ends, a backup with the key goes on recording on another machine.
. tests/flow/lib.sh
demo_images
# block FILE LANGUAGE N: the Nth such block of FILE, with folders of our own in the place of the system's
block() {
    awk -v l="\`\`\`$2" -v n="$3" '$0 == l { k++; in_it = k == n; next } /^```/ { in_it = 0 } in_it' "$1" |
        sed "s|/usr/local/bin/flashline|$FL|g; s|/var/lib/flashline|$T/lib|g; s|/mnt|$T/mnt|g; s|/etc/flashline/|$T/etc/|g"
}
mkdir -p "$T/etc" "$T/mnt/nas" "$T/mnt/safe" "$T/bin" "$T/units" "$T/credentials"
ln -s "$FL" "$T/bin/flashline"
PATH=$T/bin:$PATH
block station/README.md ini 1 >"$T/units/flashline.service"
block station/sign/README.md ini 1 >"$T/units/flashline-signer.service"
for unit in flashline flashline-signer; do
    expect_text "$T/units/$unit.service" '^ExecStart='
    if command -v systemd-analyze >/dev/null; then
        systemd-analyze verify "$T/units/$unit.service" >"$T/said" 2>&1 || { cat "$T/said"; fail "$unit.service"; }
        ! grep "$unit.service" "$T/said" || fail "systemd does not take $unit.service as written"
    else
        echo "(no systemd-analyze here: $unit.service was not verified)"
    fi
done

# with FILE WORDS: the number of the shell block in which these words stand
with() { awk -v m="$2" '/^```sh/ { k++ } index($0, m) { print k }' "$1"; }

# the line's own command, with the passphrase as systemd gives it
sim_start sim --boards 2
sed "s|, file: |, file: $PWD/profiles/|" profiles/demo-esp32.yaml >"$T/etc/profile.yaml"
cp "$T/sim.yaml" "$T/etc/station.yaml"
printf 'a passphrase' >"$T/credentials/passphrase"
expect_exit 0 "$FL" init --data "$T/lib" --station line-3 --passphrase-fd 3 3<"$T/credentials/passphrase"
hold_ports 1
command=$(sed -n '/^ExecStart=/,/[^\\]$/p' "$T/units/flashline.service" | sed "s/^ExecStart=//; s/\\\\\$//; s/127.0.0.1:8080/127.0.0.1:$PORTS/" | tr '\n' ' ')
# shellcheck disable=SC2086
CREDENTIALS_DIRECTORY=$T/credentials $command >"$T/results" 2>"$T/run.err" &
RUN=$!
PIDS="$PIDS $RUN"
both() { [ "$(grep -c PASS "$T/results")" = 2 ]; }
wait_for "two boards" 60 both || { cat "$T/run.err"; fail "the unit's command makes nothing"; }
# beside it: the backup
block db/README.md sh "$(with db/README.md "db backup /mnt")" >"$T/keep.sh"
expect_exit 0 sh -eu "$T/keep.sh"
kill -TERM $RUN
rc=0
wait $RUN || rc=$?
grep -q "^SuccessExitStatus=.*$rc" "$T/units/flashline.service" || [ $rc = 0 ] || fail "exit $rc after SIGTERM, which the unit calls a failure"

# elsewhere
mv "$T/lib" "$T/burnt"
block db/README.md sh "$(with db/README.md "cp /mnt/nas")" |
    sed "s|key adopt.*|& --passphrase-fd 3 3<$T/credentials/passphrase|" >"$T/back.sh"
expect_exit 0 sh -eu "$T/back.sh"
expect_exit 0 "$FL" flash --profile "$T/etc/profile.yaml" --station "$T/sim.yaml" --data "$T/lib" --passphrase-fd 3 3<"$T/credentials/passphrase"
expect_exit 0 "$FL" audit --data "$T/lib"
[ "$(sqlite3 "$T/lib/flashline.db" "SELECT count(*) FROM attempt_view WHERE outcome = 'PASS'")" = 4 ] || fail "not all is there"
# who kept the head of the old machine's last minute is not told that nothing is missing
expect_exit 23 "$FL" audit --data "$T/lib" --head "$T/burnt/checkpoint"
