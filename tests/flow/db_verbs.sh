#!/bin/sh
# The database checked, copied, made anew and written out; and what is not a station's database, or cannot be had.
. tests/flow/lib.sh
V2=tests/unit/record/v2
D=$T/data

# of an older version: looked at as it is, brought up to date by a station that starts
mkdir -p "$T/old/key"
cp $V2/station $V2/checkpoint "$T/old/"
cp $V2/log.vkey "$T/old/key/"
{ cat $V2/flashline.sql; echo 'PRAGMA application_id = 1179407440; PRAGMA user_version = 2;'; } | sqlite3 "$T/old/flashline.db"
expect_exit 0 "$FL" db check --data "$T/old"
expect_text "$T/out" "not compared: the database is of an older version"
expect_exit 3 "$FL" db export attempt_view --data "$T/old"
expect_text "$T/err" "has schema 2"

demo_images
printf 'seed: 7\nboards:\n  - {board: 2, bridge: ch9102}\n  - {board: 3, flash: {stuck: [0x40000]}}\n' >"$T/boards.yaml"
sim_start sim --boards 3 --scenario "$T/boards.yaml"
expect_exit 1 "$FL" flash --profile profiles/demo-esp32.yaml --station "$T/sim.yaml" --data "$D" --operator ann
[ "$(sql "SELECT what FROM tuning")" = learned ] || { sql "SELECT * FROM tuning"; fail "what the slot learned"; }
[ "$(sql "SELECT what, o.name FROM config_change c JOIN operator_view o ON o.id = c.operator")" = "station|ann" ] || fail "how the line is set up"
MAC=$(sql "SELECT mac FROM attempt_view WHERE outcome = 'PASS' LIMIT 1")
expect_exit 0 "$FL" note "$MAC" "looked at" --operator eva --data "$D"
expect_exit 0 "$FL" db check --data "$D"
expect_text "$T/out" "rows +[1-9][0-9]* compared"
expect_text "$T/out" "all is well"

# what is told twice agrees: rungs by step in either list, and the pieces of images with those of the attempts
[ "$(sql "SELECT count(*) > 0 AND count(*) = count(step) FROM attempt_rung")" = 1 ] || fail "a rung without its step"
[ "$(sql "SELECT leaf, step, sum(count) FROM attempt_rung GROUP BY 1, 2 EXCEPT SELECT leaf, step, rungs FROM attempt_step")" = "" ] || fail "rungs by step"
pieces="SELECT profile_hash, offset, size, md5 FROM image_region_view WHERE sha256 NOT NULL"
told="SELECT v.profile_hash, r.offset, r.size, r.md5_expected FROM attempt_region r JOIN attempt_view v USING (leaf)"
[ "$(sql "SELECT count(*) > 2 FROM image_region; $pieces EXCEPT $told; $told EXCEPT $pieces")" = 1 ] || fail "pieces of images"
sql "SELECT file, offset - image_offset, size, md5 FROM image_region_view WHERE offset > image_offset AND offset - image_offset + size <= image_size" |
    while IFS='|' read -r file at size md5; do # behind the header nothing is patched
        [ "$(tail -c +$((at + 1)) "profiles/$file" | head -c "$size" | md5sum | cut -d' ' -f1)" = "$md5" ] || fail "$file at $at"
        echo
    done >"$T/pieces"
[ -s "$T/pieces" ] || fail "no piece behind a header"

# somebody improves the yield, and takes a trigger away
sqlite3 "$D/flashline.db" "UPDATE attempt SET outcome = 0, fault = NULL WHERE outcome = 1; DROP TRIGGER leaf_no_delete;
    CREATE TABLE extra (a); DELETE FROM note; UPDATE word SET text = 'esp33' WHERE text = 'esp32'"
dump() { sqlite3 "$1" "SELECT * FROM attempt_view; SELECT * FROM unit_lot; SELECT * FROM note; SELECT * FROM tally; SELECT * FROM unit_view"; }
expect_exit 1 "$FL" db check --data "$D"
expect_text "$T/out" "NOT well"
expect_exit 1 "$FL" db check --data "$D" --format json
[ "$(jq '.findings | length > 2' "$T/out")" = true ] || { cat "$T/out"; fail "findings as JSON"; }
expect_exit 0 "$FL" db rebuild --data "$D" --format json
OLD=$(jq -r .kept "$T/out")
[ "$(sqlite3 "$OLD" "SELECT count(*) FROM attempt WHERE outcome = 1")" = 0 ] || fail "the old database was not kept"
expect_exit 0 "$FL" db check --data "$D"
expect_exit 0 "$FL" audit --data "$D"
[ "$(sql "SELECT group_concat(n) FROM (SELECT outcome || '=' || count(*) AS n FROM attempt_view GROUP BY outcome ORDER BY outcome)")" = \
    "FAIL=1,PASS=2" ] || fail "the rows are not what the records say"
[ "$(sql "SELECT text || ' ' || operator FROM unit_remark")" = "looked at eva" ] || fail "names were not carried over"
dump "$D/flashline.db" >"$T/one"
# a name for the old database that is taken, as by a rebuild in the same second, is left as it is
NOW=$(date +%s)
for s in $(seq 0 60); do : >"$D/flashline.db.$(date -u -d "@$((NOW + s))" +%Y%m%d-%H%M%S).bak"; done
expect_exit 0 "$FL" db rebuild --data "$D" --format json
OLD=$(jq -r .kept "$T/out")
case $OLD in *-2.bak) ;; *) fail "a name that was taken: $OLD" ;; esac
[ "$(sqlite3 "$OLD" "SELECT count(*) FROM attempt WHERE outcome = 1")" = 1 ] || fail "the second old database was not kept"
[ "$(find "$D" -name '*.bak' -empty | wc -l)" -ge 60 ] || fail "a file that was there was written over"
dump "$D/flashline.db" >"$T/two"
cmp "$T/one" "$T/two" || fail "the same records gave other rows"
ls "$D"/flashline.db.new* "$D"/flashline.db-journal 2>/dev/null && fail "something was left behind"

# to a stick, which knows no second names; and where no file can be made
sanitizer=$(ldd "$FL" | sed -n 's/.*=> \(.*lib[at]san\.so[^ ]*\).*/\1/p')
on_stick() { env LD_PRELOAD="$sanitizer $PWD/$B/preload_stick.so" "$@"; }
expect_exit 0 on_stick "$FL" db backup "$T/stick.db" --data "$D"
[ "$(sqlite3 "$T/stick.db" "SELECT count(*) FROM leaf")" = "$(sqlite3 "$D/flashline.db" "SELECT count(*) FROM leaf")" ] || fail "the copy on the stick"
[ ! -e "$T/stick.db.part" ] || fail "a part is left on the stick"
expect_exit 2 on_stick "$FL" db backup "$T/stick.db" --data "$D"
expect_text "$T/err" "is there already"
expect_exit 3 "$FL" db backup "$T/no-folder/x.db" --data "$D"
expect_text "$T/err" "no-folder"

# a copy, while a station is at work; a name that is taken is not touched
"$FL" run --profile profiles/demo-esp32.yaml --station "$T/sim.yaml" --data "$D" >"$T/run.out" 2>"$T/run.err" &
RUN=$!
PIDS="$PIDS $RUN"
wait_for "the door" 30 test -S "$D/door" || { cat "$T/run.err"; fail "no door"; }
expect_exit 0 "$FL" db backup "$T/copy.db" --data "$D"
flock -F "$T/other.db.making" sleep 60 & # as another backup to that name does
OTHER=$!
PIDS="$PIDS $OTHER"
taken() { [ -e "$T/other.db.making" ] && ! flock -n "$T/other.db.making" true; }
wait_for "the other backup" 10 taken
expect_exit 3 "$FL" db backup "$T/other.db" --data "$D"
expect_text "$T/err" "another backup to .*other.db is being made"
kill $OTHER
wait $OTHER 2>/dev/null || :
expect_exit 0 "$FL" db backup "$T/other.db" --data "$D"
[ ! -e "$T/other.db.making" ] || fail "a lock was left behind"
expect_exit 2 "$FL" db backup "$T/copy.db" --data "$D"
expect_text "$T/err" "is there already"
expect_exit 3 "$FL" db rebuild --data "$D"
expect_text "$T/err" "a flashline works on"
kill -INT $RUN
wait $RUN || :
[ "$(sql "SELECT count(*) FROM config_change")" = 1 ] || fail "the same settings were told twice"
[ "$(sqlite3 "$T/copy.db" "PRAGMA integrity_check; SELECT count(*) > 12 FROM leaf; SELECT count(*) FROM person" | tr '\n' ' ')" = "ok 1 2 " ] ||
    fail "the copy"
ls "$T"/copy.db.part 2>/dev/null && fail "a part was left behind"

# as CSV and as JSON
expect_exit 0 "$FL" db export --list --data "$D"
expect_text "$T/out" "^attempt_view +view"
expect_exit 2 "$FL" db export nothing --data "$D"
expect_text "$T/err" "there is no table or view 'nothing'"
expect_exit 2 "$FL" db export attempt_view --format xml --data "$D"
expect_exit 0 "$FL" note "$MAC" 'a, "b"' --data "$D"
expect_exit 0 "$FL" db export note --data "$D"
grep -q ',"a, ""b"""' "$T/out" || { cat "$T/out"; fail "quoting"; }
[ "$(sed -n 2p "$T/out" | od -c | grep -c '\\r  *\\n')" = 1 ] || fail "line ends"
expect_exit 0 "$FL" db export attempt_view --data "$D" --format json
[ "$(jq -s 'map(select(.outcome == "PASS")) | length >= 2' "$T/out")" = true ] || fail "JSON"
[ "$(jq -s '.[0].operator' "$T/out")" = '"ann"' ] || fail "JSON members"
expect_exit 0 "$FL" db export image --data "$D"
expect_text "$T/out" "^1,[0-9a-f]{64},"

# as SQL that sqlite3 reads back: all of it is a station's database again, and one table or view has the same rows
cp -r "$D" "$T/again"
rm -f "$T/again"/flashline.db*
expect_exit 0 "$FL" db export --format sql --data "$D"
sqlite3 -bail "$T/again/flashline.db" <"$T/out" || fail "the SQL is not read back"
for t in $(sql "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"); do
    sql "ATTACH '$T/again/flashline.db' AS b; SELECT * FROM (SELECT * FROM main.$t EXCEPT SELECT * FROM b.$t) UNION ALL
        SELECT * FROM (SELECT * FROM b.$t EXCEPT SELECT * FROM main.$t); SELECT 1 FROM (SELECT count(*) AS n FROM main.$t) WHERE n <> (SELECT count(*) FROM b.$t)" >"$T/differ"
    [ ! -s "$T/differ" ] || fail "table $t read back differs: $(cat "$T/differ")"
done
expect_exit 0 "$FL" db check --data "$T/again"
expect_exit 0 "$FL" audit --data "$T/again"
for t in note attempt_view; do
    rm -f "$T/one.db"
    expect_exit 0 "$FL" db export $t --format sql --data "$D"
    sqlite3 -bail "$T/one.db" <"$T/out" || fail "$t as SQL"
    [ "$(sqlite3 "$T/one.db" "SELECT * FROM $t")" = "$(sql "SELECT * FROM $t")" ] || fail "$t read back differs"
done
expect_exit 2 "$FL" db export --data "$D"

# not a station's, and not to be had
for verb in "db check" "db rebuild" "db export note" "lot show"; do
    expect_exit 3 "$FL" $verb --data "$T/nowhere"
done
cp -r "$D" "$T/foreign"
rm -f "$T/foreign/flashline.db"-*
sqlite3 "$T/foreign/flashline.db" "PRAGMA application_id = 7"
sum=$(cksum <"$T/foreign/flashline.db")
expect_exit 3 "$FL" db rebuild --data "$T/foreign"
expect_text "$T/err" "not a station's database"
expect_exit 3 "$FL" db export note --data "$T/foreign"
expect_text "$T/err" "not a station's database"
expect_exit 3 "$FL" note --lot L x --data "$T/foreign"
expect_text "$T/err" "another program"
expect_exit 3 "$FL" db backup "$T/foreign.copy" --data "$T/foreign"
[ "$sum" = "$(cksum <"$T/foreign/flashline.db")" ] || fail "a foreign database was changed"
# and one that was never a station's
rm -f "$T/foreign/flashline.db"*
sqlite3 "$T/foreign/flashline.db" "CREATE TABLE t (a); INSERT INTO t VALUES (1)"
sum=$(cksum <"$T/foreign/flashline.db")
for verb in "note --lot L x" "lot show" "report summary" "db rebuild" "db export t" "db backup $T/foreign.copy"; do
    # shellcheck disable=SC2086
    expect_exit 3 "$FL" $verb --data "$T/foreign"
done
expect_exit 1 "$FL" db check --data "$T/foreign"
[ "$sum" = "$(cksum <"$T/foreign/flashline.db")" ] || fail "another program's database was changed"
head -c 30000 "$D/flashline.db" >"$T/foreign/flashline.db"
sum=$(cksum <"$T/foreign/flashline.db")
expect_exit 1 "$FL" db check --data "$T/foreign"
expect_exit 3 "$FL" db rebuild --data "$T/foreign"
[ ! -s "$T/err" ] && fail "no word about a cut database"
expect_exit 3 "$FL" note --lot L x --data "$T/foreign"
[ "$sum" = "$(cksum <"$T/foreign/flashline.db")" ] || fail "a cut database was changed"
