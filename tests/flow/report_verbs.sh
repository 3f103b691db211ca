#!/bin/sh
# Reports from the command line: every report in every format on histories with known truths, the recall, and bad input:
# clear words, exit 2 or 3, nothing changed.
. tests/flow/lib.sh
d=$T/slot

history() { name=$1; shift; "$B/make_history" "$T/$name" slots=6 lots=4 profiles=2 "$@" >"$T/$name.json" || fail "no history"; }
history slot attempts=1000 truth=slot bad=0.3 seed=7 starts=1
history none attempts=500 seed=5
bad=$(jq .bad "$T/slot.json")
mac=$(jq -r .mac "$T/slot.json")
image=$(jq -r .image "$T/slot.json")

# ---- every report, every format
for r in summary yield pareto slots throughput faults units lot shift blame; do
    expect_exit 0 "$FL" report $r --data "$d"
    expect_text "$T/out" '^[A-Z][a-z]+: station bench-1, everything; made '
    expect_exit 0 "$FL" report $r --data "$d" --format json
    [ "$(jq -r .report "$T/out")" = $r ] || fail "$r as JSON"
    expect_exit 0 "$FL" report $r --data "$d" --format csv
    [ "$(tr -cd '\r' <"$T/out" | wc -c)" = "$(wc -l <"$T/out")" ] || fail "$r: lines of CSV end with CRLF"
    expect_exit 0 "$FL" report $r --data "$d" --format html
    expect_text "$T/out" '</html>'
    # one file that asks nobody: no address is loaded from anywhere
    ! grep -qE '<(script|link|img|iframe)[^>]* (src|href)=|@import|url\(' "$T/out" || fail "$r: the HTML wants something from elsewhere"
done
expect_exit 0 "$FL" report yield --data "$d" --format html
expect_text "$T/out" 'Chart.js v'
"$FL" report throughput --data "$d" | awk '/^  day/ {exit} length > 80 {exit 1}' || fail "a note is wider than a terminal"

# ---- the truth is found, and nothing where nothing is
expect_exit 0 "$FL" report blame --data "$d"
expect_text "$T/out" "^Slot $bad: .* times as often, p = "
expect_exit 0 "$FL" report blame --data "$T/none"
expect_text "$T/out" '^No difference shown: of '
expect_exit 0 "$FL" report slots --data "$d" --format json
[ "$(jq -c '[.slots[]|select(.flag=="worse").slot]' "$T/out")" = "[$bad]" ] || { cat "$T/out"; fail "the bad slot is not flagged"; }

# ---- groups and filters: the parts add up to the whole
for g in hour shift day lot slot bridge profile none; do
    expect_exit 0 "$FL" report yield --data "$d" --group-by $g --format json
    [ "$(jq '([.yield[].units]|add) == .units and (.yield[0]|has("'$g'"))' "$T/out")" = true ] || { cat "$T/out"; fail "yield by $g"; }
done
expect_exit 0 "$FL" report yield --data "$d" --lot L-001 --format json
[ "$(jq .units "$T/out")" = "$(sqlite3 "$d/flashline.db" "SELECT count(*) FROM unit_lot_view WHERE lot = 'L-001'")" ] || fail "--lot"
all=$("$FL" report summary --data "$d" --format json | jq .attempts)
one=$("$FL" report summary --data "$d" --until 2030-01-01T01:00 --format json | jq .attempts)
two=$("$FL" report summary --data "$d" --since 2030-01-01T08:30 --until 2030-01-01T09:00 --zone +07:30 --format json | jq .attempts)
rest=$("$FL" report summary --data "$d" --since '2030-01-01 01:30' --format json | jq .attempts)
[ $((one + two + rest)) = "$all" ] && [ "$two" -gt 0 ] || fail "$one, $two and $rest attempts are not $all"

# cut within half hours: exactly there, in every report
s=2030-01-01T00:10:07 u=2030-01-01T00:47:51
want=$(sqlite3 "$d/flashline.db" "SELECT count(*) FROM attempt_view WHERE purpose IS NULL AND start >= '$s' AND start < '$u'")
asked() { "$FL" report "$1" --data "$d" --since $s --until $u --format json | jq "$2"; }
# shifts and zones as they are: any minute
[ "$("$FL" report shift --data "$d" --zone +05:45 --shifts 06:10,18:20 --format json | jq '[.shifts[].attempts]|add')" = "$all" ] || fail "shifts from 06:10 in Nepal"
[ "$want" -gt 100 ] && [ "$(asked summary .attempts)" = "$want" ] && [ "$(asked slots '[.slots[].attempts]|add')" = "$want" ] &&
    [ "$(asked shift '[.shifts[].attempts]|add')" = "$want" ] || fail "$want attempts from $s to $u"
want=$(sqlite3 "$d/flashline.db" "SELECT count(*) FROM attempt_view WHERE purpose IS NULL AND start >= '$s' AND start < '$u' AND outcome IN ('FAIL', 'ERROR')")
[ "$(asked faults '[.faults[].attempts]|add')" = "$want" ] && [ "$(asked pareto '[.pareto[].attempts]|add')" = "$want" ] || fail "$want faults from $s to $u"
expect_exit 0 "$FL" report yield --data "$d" --since $s --until $u
expect_text "$T/out" '^Yield: station bench-1, since 2030-01-01 00:10:07 UTC, until 2030-01-01 00:47:51 UTC; made '

# the formats agree: a slot is a number, and numbers have as many digits
"$FL" report pareto --data "$d" --format json | jq -r '.where[]|[.slot,.fault,.step,.units,.share,.attempts]|join(",")' >"$T/a"
[ "$("$FL" report pareto --data "$d" --format json | jq '.where[0].slot|type')" = '"number"' ] || fail "a slot in the Pareto's JSON"
"$FL" report pareto --data "$d" --format csv --part where | tr -d '\r' | sed 1d | cmp -s - "$T/a" || fail "CSV and JSON of the Pareto differ"

# ---- trace and recall
expect_exit 0 "$FL" trace "$(echo "$mac" | tr a-f: A-F-)" --data "$d" --format json
[ "$(jq -r '.unit.mac' "$T/out")" = "$mac" ] || fail "trace"
expect_exit 0 "$FL" trace --lot L-002 --data "$d" --format csv
[ "$(sed 1d "$T/out" | cut -d, -f1 | sort)" = "$(sqlite3 "$d/flashline.db" "SELECT DISTINCT mac FROM attempt_view WHERE lot = 'L-002' ORDER BY 1")" ] ||
    fail "the recall of a lot is not the lot"
# how often each answers, how often it passed, which record proves the last, and whether the unit was changed later
expect_exit 0 "$FL" trace --slot 2 --data "$d" --format csv
sed 1d "$T/out" | tr -d '\r' | cut -d, -f1,3,4,5,14,15 | sort >"$T/recalled"
touched="(x.outcome IN ('PASS', 'INTERRUPTED') OR x.step NOT IN ('connect', 'before', 'identify', 'gate', 'stub', 'baud'))"
sqlite3 -separator , "$d/flashline.db" "SELECT mac, lot, count(*), sum(outcome = 'PASS'), max(leaf) AS last, (SELECT count(*) FROM attempt_view x
    WHERE x.unit = v.unit AND x.leaf > max(v.leaf) AND $touched) FROM attempt_view v WHERE slot = 2 AND unit NOT NULL GROUP BY unit, lot" | sort >"$T/counted"
cmp -s "$T/recalled" "$T/counted" || { diff "$T/recalled" "$T/counted"; fail "the counts of a recall"; }
[ "$(awk -F, '$3 > 1 || $6 > 0' "$T/counted" | wc -l)" -gt 3 ] || fail "a history in which every unit is alone tests nothing"
short=$(printf %.12s "$image" | tr a-f A-F)
expect_exit 0 "$FL" trace --image "$short" --data "$d" --format json
[ "$(jq -c '[.units[].mac]|sort' "$T/out")" = "$(sqlite3 "$d/flashline.db" "SELECT json_group_array(mac) FROM (SELECT DISTINCT mac FROM attempt_view v
    JOIN profile_image_view i USING (profile_hash) WHERE i.sha256 = '$image' ORDER BY 1)")" ] || fail "the recall of an image"
expect_exit 0 "$FL" trace --slot "$bad" --since 2030-01-01T00:30:00 --until 2030-01-01T00:45:10 --data "$d" --format csv
[ "$(sed 1d "$T/out" | wc -l)" = "$(sqlite3 "$d/flashline.db" "SELECT count(DISTINCT mac) FROM attempt_view WHERE slot = $bad AND
    start >= '2030-01-01T00:30:00' AND start < '2030-01-01T00:45:10'")" ] || fail "through a slot between two times"
version=$("$FL" --version | cut -d' ' -f2)
expect_exit 0 "$FL" trace --program "$version" --data "$d"
expect_text "$T/out" '^[0-9]+ units, the first 200 shown: --format csv gives all$'

# ---- bad input
sum() { (cd "$1" && find . -type f ! -name '*-shm' ! -size 0 -exec sha256sum {} + | sort); }
sum "$d" >"$T/before"
bad() { want=$1 words=$2; shift 2; expect_exit "$want" "$FL" "$@" --data "$d"; expect_text "$T/err" "$words"; [ ! -s "$T/out" ] || fail "something was printed: $*"; }
bad 2 "is no time" report yield --since 2026-02-30
bad 2 "is no time" report yield --since 22.11.2026
bad 2 "is no time" report yield --until 2026-11-22T24:00
bad 2 "lies before" report yield --since 2030-01-02 --until 2030-01-01
bad 2 "no lot 'WO-99'" report lot --lot WO-99
bad 2 "no lot 'x" report yield --lot "x'; DROP TABLE leaf; --"
bad 2 "no slot|no attempt" report slots --slot 99
bad 2 "is no slot" report slots --slot seven
bad 2 "no bridge" report yield --bridge 1234:5678
bad 2 "no lot of a product" report yield --product lamp
bad 2 "grouped by" report yield --group-by moon
bad 2 "cannot be grouped" report summary --group-by lot
bad 2 "time zone" report yield --zone Mars
bad 2 "time zone" report yield --zone +14:60
bad 2 "shifts" report shift --shifts 22:00,06:00
bad 2 "grouped by shift" report yield --shifts 06:00,18:00
bad 2 "no report 'weather'" report weather
bad 2 "has no part" report yield --format csv --part moon
bad 2 "text, csv, json or html" report yield --format pdf
bad 2 "neither a MAC" trace 24:6f:28
bad 1 "ever seen" trace 00-00-00-00-00-01
bad 1 "no lot" trace --lot WO-99
bad 1 "no image" trace --image 0123456789
bad 2 "is no image" trace --image xyz
bad 1 "no bridge" trace --bridge 0001
bad 1 "no version" trace --program 99.0
bad 2 "not both" trace "$mac" --lot L-001
sum "$d" | cmp -s "$T/before" - || fail "a question changed the data folder"

# ---- databases that are none
mkdir -p "$T/cut" "$T/other" "$T/empty" "$T/folder/flashline.db" "$T/pipe"
head -c 100000 "$d/flashline.db" >"$T/cut/flashline.db"
sqlite3 "$T/other/flashline.db" "CREATE TABLE recipe (name TEXT); PRAGMA user_version = 11"
: >"$T/empty/flashline.db"
mkfifo "$T/pipe/flashline.db" # nobody writes into it: who opens it waits for ever
for x in cut other empty nowhere folder pipe; do
    for v in "report summary" "report blame" "trace $mac" "trace --lot L-001"; do
        # shellcheck disable=SC2086 # words
        expect_exit 3 "$FL" $v --data "$T/$x"
        [ ! -s "$T/out" ] || fail "$v of a database that is $x printed something"
        expect_text "$T/err" '^flashline: .*(damaged|malformed|station|schema|is no file)'
    done
done
[ "$(sqlite3 "$T/other/flashline.db" 'SELECT count(*) FROM sqlite_schema')" = 1 ] || fail "the foreign database was changed"

# ---- a reader that holds on, and a WAL left behind by somebody who was killed
"$FL" report summary --data "$d" --format json | jq 'del(.about)' >"$T/a"
mkfifo "$T/hold"
sqlite3 "$d/flashline.db" <"$T/hold" >"$T/held" 2>&1 &
PIDS="$PIDS $!"
holder=$!
exec 9>"$T/hold"
echo "BEGIN; SELECT count(*) FROM leaf; SELECT 'held';" >&9
wait_for "the reader" 20 grep -q held "$T/held"
expect_exit 0 "$FL" report summary --data "$d"
echo "ROLLBACK; PRAGMA wal_autocheckpoint = 0; CREATE TABLE left_behind (a); SELECT 'written';" >&9
wait_for "the writer" 20 grep -q written "$T/held"
kill -9 "$holder"
exec 9>&-
test -s "$d/flashline.db-wal" || fail "no WAL was left behind"
"$FL" report summary --data "$d" --format json | jq 'del(.about)' >"$T/b"
cmp -s "$T/a" "$T/b" || fail "a WAL left behind changes the report"
