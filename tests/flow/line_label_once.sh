#!/bin/sh
# A label leaves its printer, and in that moment its record is refused: the printer's own program sets the clock back by years,
# and nothing is signed under a clock that is behind. The line prints it no second time while it runs, ends, and says why.
. tests/flow/lib.sh
demo_images
# the address sanitizer's library must come first, in the printer's shell too; the thread sanitizer's would kill that
sanitizer=$(ldd "$FL" | sed -n 's/.*=> \(.*libasan\.so[^ ]*\).*/\1/p')
export FL_CLOCK_FILE="$T/clock"
here() { env LD_PRELOAD="$sanitizer $PWD/$B/preload_clock.so" "$@"; }
echo 0 >"$T/clock"
cat >"$T/spool" <<X
#!/bin/sh
cat >>"$T/printed"
echo $((-3 * 366 * 86400)) >"$T/clock.new" && mv "$T/clock.new" "$T/clock"
X
chmod +x "$T/spool"
echo '^XA^FDmac={mac}^FS^XZ' >"$T/label.zpl"
sim_start sim --boards 1 --seed 61
{ echo "labels: {printer: 'command:$T/spool', template: label.zpl}"; cat "$T/sim.yaml"; } >"$T/station.yaml"
expect_exit 0 here "$FL" init --data "$T/data" --station bench --no-passphrase
copies() { grep -c '\^XZ' "$T/printed"; }
expect_exit 3 here "$FL" run --profile profiles/demo-esp32.yaml --station "$T/station.yaml" --data "$T/data"
expect_text "$T/err" 'the clock is [0-9]+ s behind the time of the last signature: nothing is signed until it is right'
[ "$(copies)" = 1 ] || { cat "$T/err"; fail "$(copies) labels for one unit"; }
[ "$(sql "SELECT count(*), sum(state) FROM outbox WHERE kind = 'label'")" = "1|0" ] || { sql "SELECT * FROM outbox"; fail "the outbox"; }
[ "$(sql "SELECT count(*) FROM label")" = 0 ] || fail "a record under a wrong clock"
# the clock is right: the next start knows nothing of it, and prints it again rather than never
sed 's/^echo.*//' "$T/spool" >"$T/spool.new" && cat "$T/spool.new" >"$T/spool"
echo 0 >"$T/clock"
kill $SIM; wait $SIM 2>/dev/null || : # and no other board comes
here "$FL" run --profile profiles/demo-esp32.yaml --station "$T/station.yaml" --data "$T/data" >"$T/result" 2>"$T/progress" &
RUN=$!
PIDS="$PIDS $RUN"
recorded() { [ "$(sql "SELECT count(*) FROM label WHERE state = 'printed'")" = 1 ]; }
wait_for "the label's record" 30 recorded || { cat "$T/progress"; fail "not recorded"; }
[ "$(copies)" = 2 ] || fail "$(copies) labels behind the next start"
kill -TERM $RUN
wait $RUN || :
expect_exit 0 here "$FL" audit --data "$T/data"
