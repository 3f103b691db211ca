#!/bin/sh
# Every answer in tests/observed.txt has its two tests, in the simulator and in the engine; and where the list of what was
# observed lies beside the repository, every row of it is in tests/observed.txt, and none that is not there.
set -eu
T=$(mktemp -d "${TMPDIR:-/tmp}/flashline-flow-XXXXXX")
trap 'rm -rf "$T"' EXIT
bad=0
grep '^[a-z]* | ' tests/observed.txt >"$T/rows"
while IFS='|' read -r loader stimulus sim file text; do
    sim=$(echo $sim) file=$(echo $file)
    text=$(echo "$text" | sed 's/^ *//; s/ *$//')
    grep -q "cmocka_unit_test($sim)" tests/unit/sim/t_rom.c tests/unit/sim/t_stub.c ||
        { echo "$loader,$stimulus: no test $sim in tests/unit/sim"; bad=1; }
    grep -qF -- "$text" "tests/unit/esp/$file.c" || { echo "$loader,$stimulus: '$text' is not in tests/unit/esp/$file.c"; bad=1; }
done <"$T/rows"
[ "$(wc -l <"$T/rows")" -ge 30 ] || { echo "rows are missing"; bad=1; }
list=../shared/reference/observed.md
if [ -f "$list" ]; then
    sed -n 's/^| \([^|]*[^| ]\) *| .*/\1/p' "$list" | grep -v '^stimulus$' | sort -u >"$T/seen"
    sed 's/^[a-z]* | \([^|]*[^| ]\) *| .*/\1/' "$T/rows" | sort -u >"$T/held"
    cmp -s "$T/seen" "$T/held" || { diff "$T/seen" "$T/held"; bad=1; }
fi
exit $bad
