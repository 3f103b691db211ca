#!/bin/sh
# The console's keyboard on a line at work (tmux): codes that a scanner types are read and no key is pressed by them, what
# came of each stands on the screen; a slot that a rule closed says how it is reopened, and is, by a key, a name and a reason.
command -v tmux >/dev/null || { echo "tmux is not installed"; exit 77; }
. tests/flow/lib.sh
server=fl-line-$$
t() { tmux -L "$server" "$@"; }
trap 't kill-server 2>/dev/null || :; finish' EXIT
demo_images
sed "s|, file: |, file: $PWD/profiles/|; s/^retry.*/retry: {attempts: 1}/" profiles/demo-esp32.yaml >"$T/p.yaml"
echo 'boards: [{board: 1, flash: {stuck: [0x10000]}}]' >"$T/sim.scenario"
sim_start sim --boards 2 --scenario "$T/sim.scenario"
{ printf 'lots: required\nscanner: {operator: "OP-(.+)", lot: "L-.+|X[0-9]+", serial: "SN[0-9]{4}|X[0-9]+", slot: "S([0-9]+)"}\n'
  cat "$T/sim.yaml"; } >"$T/station.yaml"
echo '{"slot": {"consecutive": 1}}' >"$T/rules.json"
expect_exit 0 "$FL" init --data "$T/data" --station bench --no-passphrase
expect_exit 0 "$FL" lot open L-1 --profile "$T/p.yaml" --rules "$T/rules.json" --quantity 10 --data "$T/data"
cat >"$T/run" <<S
trap : INT # the Ctrl-C is for the line
"$FL" run --profile "$T/p.yaml" --station "$T/station.yaml" --data "$T/data" --format json >"$T/result"
echo "ended with \$?"
exec cat
S
t -f /dev/null new-session -d -x 120 -y 24 "env LC_ALL=C.UTF-8 sh $T/run 2>/dev/tty"
shown() { t capture-pane -p | grep -qF -- "$1"; }
see() { wait_for "'$1' on the screen" 30 shown "$1" || { t capture-pane -p; fail "the screen never showed: $1"; }; }
scan() { t send-keys -l "$1" \; send-keys Enter; } # as fast as a scanner: in one piece

see 'no lot is open: scan the lot'
scan X17
see "✘ 'X17' may be a lot or a serial: nothing is done"
t send-keys -l SN00
see "✘ half a code, 'SN00': nothing is done"
scan SN0001SN0002
see "✘ 'SN0001SN0002' is nothing that is scanned here: nothing is done"
scan S2
see '✔ slot 2: now its serial number'
t send-keys -l SN00 # half of one: it was for slot 2, and its tile says so, beside the head
both() { [ "$(t capture-pane -p | grep -cF "✘ half a code, 'SN00'")" = 2 ]; }
wait_for "a refused scan on the tile of its slot" 20 both || { t capture-pane -p; fail "not on the tile"; }
scan OP-ajar # each of the last four is a key of the console
see '✔ ajar stands at the line'
see 'a only what wants a hand'
shown '▶' && fail "a code moved the choice"
t send-keys r
see 'nothing is stopped'
scan L-1
see '✔ lot L-1 is made from now on'

see 'slot 1 is closed: 1 attempt in a row did not pass; the last: verify.md5 (flashline line ack --slot 1)'
see 'r reopen a slot'
t send-keys r
see 'Reopen slot 1: from then on its rules count from nothing'
t send-keys Escape
see 'r reopen a slot' # the keys are named again: the form is closed
shown 'Reopen slot 1' && fail "Esc leaves the form open"
t send-keys r
see 'Who answers for it'
scan OP-eva # a badge
scan 'new cable'
see 'Enter once more reopens it'
[ "$(sql "SELECT count(*) FROM line_stop WHERE reopened IS NOT NULL")" = 0 ] || fail "reopened by an Enter as fast as a scanner's"
sleep 0.6 # by hand: no scanner is as slow
t send-keys Enter
see '✔ slot 1 is open again: eva answers for it'
[ "$(sql "SELECT slot, reason, o.name FROM line_stop JOIN operator_view o ON o.id = reopened_by")" = "1|new cable|eva" ] ||
    { sql "SELECT * FROM line_stop"; fail "who reopened, and why"; }
closed() { shown 'slot 1 is closed'; }
open_again() { ! closed; }
wait_for "the alarm to go" 20 open_again || fail "the alarm stays"
expect_exit 0 "$FL" lot close L-1 --data "$T/data"
see 'lot L-1 is closed: no board of it is begun any more'
t send-keys C-c
see 'ended with 1' # one board failed
[ "$(sql "SELECT slot, outcome, operator FROM attempt_view ORDER BY slot" | tr '\n' ' ')" = "1|FAIL|ajar 2|PASS|ajar " ] ||
    { sql "SELECT * FROM attempt_view"; fail "the records"; }
