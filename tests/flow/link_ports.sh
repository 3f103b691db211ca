#!/bin/sh
# flashline ports: the table, the object, and the sentence when there is nothing.
. tests/flow/lib.sh
. tests/flow/lib_tty.sh
mkdir -p "$T/sys/class/tty" "$T/sys/bus/usb/devices"
expect_exit 0 with_tty "$FL" ports
expect_text "$T/out" 'no serial port: is a board plugged in'
expect_exit 0 with_tty "$FL" ports --format json
[ "$(cat "$T/out")" = '{"ports":[]}' ] || fail "$(cat "$T/out")"

tty_boards 2
tests/preload/sysfs "$T/sys" ttyACM97 9-1.10 1a86 55d4 5A1B cdc_acm "USB Single Serial"
tests/preload/sysfs "$T/sys" ttyUSB98 9-1.9 1234 5678 "" odd "$(printf 'a bridge\twith a tab')"
expect_exit 0 with_tty "$FL" ports
expect_text "$T/out" '^PORT +DEVICE +VID:PID +BRIDGE +SERIAL +DRIVER +USE$'
# in the order of the sockets: 10 comes after 9
[ "$(tail -n +2 "$T/out" | cut -d' ' -f1 | tr '\n' ' ')" = "usb:9-1.1 usb:9-1.2 usb:9-1.9 usb:9-1.10 " ] || { cat "$T/out"; fail "order"; }
expect_text "$T/out" "^usb:9-1.2 +/dev/ttyUSB92 +10c4:ea60 +Silicon Labs CP2102/CP2104 +0002 +cp210x +busy: $SIM flashline"
expect_text "$T/out" '^usb:9-1.10 +/dev/ttyACM97 +1a86:55d4 +WCH CH9102 +5A1B +cdc_acm +unknown$'
expect_text "$T/out" '1234:5678 +a bridge\?with a tab +- +odd'
expect_exit 0 with_tty "$FL" ports --format json
[ "$(jq -c '.ports[1]|[.url,.device,.usb_path,.usb_id,.bridge,.serial,.driver,.use]' "$T/out")" = \
    '["usb:9-1.2","/dev/ttyUSB92","9-1.2","10c4:ea60","Silicon Labs CP2102/CP2104","0002","cp210x","busy"]' ] || { cat "$T/out"; fail "json"; }
[ ! -s "$T/lines" ] || { cat "$T/lines"; fail "looking at ports moved a line"; }

# what it prints as PORT is what a station file takes
{ echo "station: t"; echo "slots:"; with_tty "$FL" ports --format json | jq -r '.ports|to_entries[]|"  - {slot: \(.key+1), port: \"\(.value.url)\"}"'; } >"$T/st.yaml"
demo_images
expect_exit 0 with_tty "$FL" plan profiles/demo-esp32.yaml
rc=0
with_tty timeout 60 "$FL" flash --profile profiles/demo-esp32.yaml --station "$T/st.yaml" --data "$T/data" --format json >"$T/out" 2>"$T/err" || rc=$?
[ "$rc" != 2 ] || { cat "$T/err" "$T/st.yaml"; fail "its own ports are refused in a station file"; }
[ "$(jq -r 'select(.type=="attempt" and .outcome=="PASS")|.slot' "$T/out" | sort | tr '\n' ' ')" = "1 2 " ] || { cat "$T/out" "$T/err"; fail "the two boards"; }

expect_exit 2 "$FL" ports --format xml
expect_exit 2 "$FL" ports extra
expect_exit 0 "$FL" ports --help
expect_text "$T/out" '^example:'
