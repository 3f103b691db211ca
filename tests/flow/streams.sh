#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Standard streams that are closed or full, and names of things that are no files: nothing is written where it does not
# belong, nothing that was not written is called written, nothing hangs or dies.
. tests/flow/lib.sh
demo_images
sim_start s --boards 2
D=$T/data
"$FL" init --data "$D" --station s --no-passphrase >/dev/null

# with all three closed their numbers would go to the lock, the database, the log
rc=0
"$FL" flash --profile profiles/demo-esp32.yaml --station "$T/s.yaml" --data "$D" <&- >&- 2>&- || rc=$?
[ $rc = 3 ] || fail "results that went nowhere: exit $rc"
[ "$(wc -c <"$D/lock")" = 0 ] || fail "the progress went into the lock"
[ "$(sql "SELECT count(*) FROM attempt_view WHERE outcome = 'PASS'")" = 2 ] || fail "not both units are recorded"
expect_exit 0 "$FL" db check --data "$D"

for verb in "key show --data $D" "plan profiles/demo-esp32.yaml" "image build/demo/esp32/app.bin" "ports" "--help" "--version" \
    "flash --help" "profile check --keys" "profile check --format json profiles/demo-esp32.yaml" "report summary --data $D" \
    "flash --profile profiles/demo-esp32.yaml --station $T/s.yaml --data $D --format json"; do
    rc=0
    # shellcheck disable=SC2086
    "$FL" $verb >/dev/full 2>"$T/err" || rc=$?
    [ $rc = 3 ] || fail "exit $rc on a full disk: $verb"
    expect_text "$T/err" "could not be written"
done

# what cannot be written out is said once, however much of it there is
rc=0
"$FL" doctor --station "$T/s.yaml" --format json >/dev/full 2>"$T/err" || rc=$?
[ $rc = 3 ] && [ "$(grep -c 'written' "$T/err")" = 1 ] || { cat "$T/err"; fail "doctor on a full disk: exit $rc"; }

# who had enough is not told so
{ "$FL" db export record --data "$D" 2>"$T/err" || :; } | true
{ "$FL" report summary --data "$D" 2>>"$T/err" || :; } | true
[ ! -s "$T/err" ] || { cat "$T/err"; fail "a reader that went is complained of"; }

# who has no HOME has one all the same, and never a station in whatever folder is the current one
mkdir "$T/cwd"
for home in "" "HOME=" "HOME=somewhere" "XDG_DATA_HOME=somewhere"; do
    rc=0
    # shellcheck disable=SC2086
    (cd "$T/cwd" && env -u HOME $home "$FL" status --format json >"$T/out" 2>"$T/err") || rc=$?
    ! grep -qE 'no station in [^/]' "$T/err" || { cat "$T/err"; fail "a station is looked for in the current folder: $home"; }
done
for words in "help key show" "-h key show" "key show -h"; do
    # shellcheck disable=SC2086
    expect_exit 0 "$FL" $words
    expect_text "$T/out" '^flashline key show: '
done
expect_exit 2 "$FL" help nothing
expect_exit 0 "$B/make_history" --help
expect_exit 2 "$B/make_history" --hlep
expect_exit 2 "$B/make_history" "$T/h" truth=slto
[ ! -e ./--help ] && [ ! -e "$T/h" ] || fail "make_history made a folder of what is no name for one"

# a device is written to, and stays one
mac=$(sql "SELECT mac FROM unit_view LIMIT 1")
ln -s /dev/stdout "$T/out.link"
expect_exit 0 "$FL" certificate "$mac" -o "$T/out.link" --data "$D"
expect_text "$T/out" "^c2sp.org/tlog-proof"
[ -L "$T/out.link" ] || fail "a file took the place of a device"

mkfifo "$T/pipe"
expect_exit 3 timeout 20 "$FL" certificate "$mac" -o "$T/pipe" --data "$D"
expect_exit 2 timeout 20 "$FL" sim --journal "$T/pipe" --listen 127.0.0.1:0
mkdir "$T/folder"
expect_exit 3 "$FL" key rotate --then "$T/folder" --data "$D"
expect_exit 2 "$FL" flash --data "" --profile profiles/demo-esp32.yaml --station "$T/s.yaml"
expect_text "$T/err" "this one is empty"
long=$(printf '%05000d' 0)
expect_exit 2 "$FL" profile check "$long"
expect_text "$T/err" "the file cannot be read"
expect_exit 2 "$FL" profile check "$(printf '\377\033[31m')"
! LC_ALL=C grep -q "$(printf '[\377\033]')" "$T/err" || fail "a name spoke to the terminal"

# what is asked for twice, is no text, or would not be done is refused, and said why: exit 2 and nothing happened
bad=$(printf 'a\377b')
"$FL" certificate "$mac" -o "$T/c" --data "$D"
"$FL" export --bundle "$T/bundle" --data "$D" >/dev/null
key=$("$FL" key show --data "$D" | sed -n 's/^key *//p')
before=$(sql "SELECT count(*) FROM record")
while IFS='|' read -r says words; do
    eval "expect_exit 2 \"\$FL\" $words"
    expect_text "$T/err" "$says"
done <<'END'
--lot is given twice|flash --profile profiles/demo-esp32.yaml --port pty:x --lot A --lot B --data "$D"
--format is given twice|status --format text --format=json --data "$D"
--out is given twice|profile import --merged x -o a --out b
-o needs a value|certificate "$mac" -o
--data is given twice|status --data "$D" --data "$T/other"
--why must be text in UTF-8|line ack --operator eva --why "$bad" --data "$D"
--operator must be text in UTF-8|line ack --operator "$bad" --why x --data "$D"
--lot must be text in UTF-8|note --lot "$bad" x --data "$D"
name must be text in UTF-8|lot open "$bad" --profile profiles/demo-esp32.yaml --data "$D"
name must be text in UTF-8|lot close "$bad" --data "$D"
code is text in UTF-8|scan "$bad" --data "$D"
slots are numbered from 1|line ack --operator eva --why x --slot 0 --data "$D"
whole number up to 2147483647|lot open L-9 --quantity 4294967295 --profile profiles/demo-esp32.yaml --data "$D"
are for --web ADDR|flash --profile profiles/demo-esp32.yaml --port pty:x --web-cert x --data "$D"
--list has one form|db export --list --format json --data "$D"
--limit is for the report units|report summary --limit 3 --data "$D"
one of --json and --format|status --json --format text --data "$D"
--baud is 115200 or more|doctor --baud 0 pty:x
one of --password-fd N and --token|web user bob --role viewer --token --password-fd 0 --data "$D"
--format is for the list|web user bob --role viewer --token --format json --data "$D"
it goes alone|web user bob --remove --days 3 --data "$D"
--days is for --token|web user bob --role viewer --days 3 --password-fd 0 --data "$D"
beside certificates a head kept elsewhere is one FILE more|verify "$T/c" --key "$key" --head "$T/none"
--ca is for a bundle|verify "$T/c" --key "$key" --ca "$T/none"
--pass is for certificates|verify "$T/bundle" --key "$key" --pass
END
[ "$(sql "SELECT count(*) FROM record")" = "$before" ] || fail "what was refused is recorded"
[ ! -e "$D/web-users" ] || fail "somebody was let in by what was refused"
expect_exit 2 "$PWD/$B/flashline-verify" "$T/c" --key "$key" --head "$T/none"
expect_text "$T/err" "is for a bundle"

# programs get a name as it is, people what their terminal can bear
name=$(printf 'a\302\205b')
printf x >"$T/$name"
expect_exit 1 "$FL" image --format json "$T/$name"
[ "$(jq -r .file "$T/out")" = "$T/$name" ] || { cat "$T/out"; fail "JSON holds another name"; }
expect_exit 1 "$FL" image "$T/$name"
! grep -q "$name" "$T/out" || fail "a control character goes to the terminal"
