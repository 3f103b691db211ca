#!/bin/sh
# The last rung: a command switches the supply of a board whose flash refuses everything. The port goes with it, as a hub's
# socket does, and comes back: the attempt goes on there, and its record says so. And a command that fails is told.
. tests/flow/lib.sh
demo_images
hold_ports 1
port=$PORTS
echo 'boards: [{board: 1, faults: [{kind: work, op: 0x11, count: 0}]}]' >"$T/bad.yaml"
sed "s|, file: |, file: $PWD/profiles/|; s|stub: auto|stub: required|" profiles/demo-esp32.yaml >"$T/p.yaml"
board() { # board NAME ARGS...: the same MAC each time
    name=$1
    shift
    exec "$FL" sim --listen "127.0.0.1:$port" --station-file "$T/$name.yaml" --seed 7 "$@" >"$T/$name.out" 2>"$T/$name.err"
}
flash() { # flash CODE COMMAND: with that command for the supply
    printf 'slots: [{slot: 1, port: "rfc2217://127.0.0.1:%s", power_cycle: "%s"}]\n' "$port" "$2" >"$T/st.yaml"
    expect_exit "$1" "$FL" flash --profile "$T/p.yaml" --station "$T/st.yaml" --data "$T/data" --format json
}
last() { sql "SELECT $1 FROM attempt_view ORDER BY leaf DESC LIMIT 1"; }

board first --scenario "$T/bad.yaml" &
first=$!
wait_for "the simulator's ready line" 20 test -s "$T/first.out" || { cat "$T/first.err"; fail "the simulator did not start"; }
flash 1 "false"
[ "$(last fault)" = flash.write ] || { last "fault"; fail "not flash.write"; }
expect_text "$T/out" "the supply could not be switched: 'false' ended with 1"
! grep -q '"power"' "$T/out" || { cat "$T/out"; fail "a rung that was not taken is in the record"; }

# the supply is off when the first simulator is gone; a sound board is there a moment after the command has ended
(
    wait_for "the command" 60 test -e "$T/switch.called" || exit 1
    kill "$first"
    wait_for "the command's end" 60 test -e "$T/switch.ended" || exit 1
    sleep 0.3 # the port comes back while it is waited for; were it back sooner, the test would see less and pass
    board second
) &
cat >"$T/switch" <<END
#!/bin/sh
touch "$T/switch.called"
until case \$(ps -o stat= -p $first) in Z* | "") true ;; *) false ;; esac do sleep 0.05; done
touch "$T/switch.ended"
END
chmod +x "$T/switch"
flash 0 "$T/switch"
[ "$(last outcome)" = PASS ] || { cat "$T/out"; fail "not PASS"; }
grep -q '"power"' "$T/out" || { cat "$T/out"; fail "the rung is not in the record"; }
