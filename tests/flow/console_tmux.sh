#!/bin/sh
# The console on a real terminal (tmux): tiles, keys, resizing to 20x5 and back, NO_COLOR, a locale without UTF-8;
# plain lines into a pipe and on a dumb terminal. Needs tmux.
set -eu
command -v tmux >/dev/null || { echo "tmux is not installed"; exit 77; }
B=$(cd "$B" && pwd)
name=fl-console-$$-0 n=0
tmp=$(mktemp -d)
holds=
trap 'exit 1' INT TERM HUP
trap 'kill $holds 2>/dev/null || :; tmux -L "$name" kill-server 2>/dev/null || :; rm -rf "$tmp"' EXIT
t() { tmux -L "$name" "$@"; }

fail() { echo "FAILED: $*"; echo "--- the screen:"; t capture-pane -p 2>/dev/null || :; exit 1; }
# until the screen holds the text (fixed string), at most 20 s
see() {
    i=0
    until t capture-pane -p 2>/dev/null | grep -qF -- "$1"; do
        i=$((i + 1))
        [ $i -le 200 ] || fail "the screen never showed: $1"
        sleep 0.1
    done
}
gone() {
    i=0
    while t capture-pane -p 2>/dev/null | grep -qF -- "$1"; do
        i=$((i + 1))
        [ $i -le 200 ] || fail "the screen still shows: $1"
        sleep 0.1
    done
}
start() { # size, environment, arguments
    w=$1 h=$2 env=$3
    shift 3
    t kill-server 2>/dev/null || :
    rm -f "$tmp/ended"
    n=$((n + 1)) name=fl-console-$$-$n # a server of its own: the old one may still be going
    t -f /dev/null new-session -d -x "$w" -y "$h" "env $env $B/fake_board listen= console=1 $* 2>/dev/tty; rc=\$?; >$tmp/ended; echo ended with \$rc; exec cat"
    t set -g window-size manual 2>/dev/null || :
}

echo "64 slots at 80x24"
start 80 24 LC_ALL=C.UTF-8 slots=64 still=1
see ' 2 ✔ PASS 8b:73:1b'
see '64 … LOOK'
see 'done 169/500'
see 'Ctrl-C stop'

echo "20x5, and back"
t resize-window -x 20 -y 5
see ' 2✔ PASS'
see '1-6 of 64'
[ "$(t capture-pane -p | awk '{ if (length($0) > m) m = length($0) } END { print m }')" -le 40 ] || fail "a row is too long"
t resize-window -x 80 -y 24
see '64 … LOOK'

echo "keys"
t send-keys Right Right
see '▶ 2 ✔ PASS'
t send-keys Right Right Enter
see 'Red bin: this board'
see 'verify.md5'
see 'who acts'
t send-keys Escape
gone 'who acts'
t send-keys a
gone 'PASS 8b:73:1b'
see ' 4 ✘ FAIL'
t send-keys a
see ' 2 ✔ PASS'
t send-keys C-c
see 'ended with 0'

echo "a locale without UTF-8 has ASCII only"
start 80 24 LC_ALL=C slots=64 still=1
see ' 2 + PASS 8b:73:1b'
see ' 4 x FAIL'
see ' 1 > WORK ...  '
t capture-pane -p >"$tmp/ascii"
LC_ALL=C grep -q '[^ -~]' "$tmp/ascii" && fail "a byte that is not ASCII"

echo "NO_COLOR: no colour codes, the words are there"
start 80 24 'LC_ALL=C.UTF-8' slots=8 still=1
see ' 4 ✘ FAIL'
t capture-pane -pe >"$tmp/colour"
start 80 24 'LC_ALL=C.UTF-8 NO_COLOR=1' slots=8 still=1
see ' 4 ✘ FAIL'
t capture-pane -pe >"$tmp/plain"
esc=$(printf '\033')
colours="$esc\[[0-9;]*[34][0-7][;m]"
grep -q "$colours" "$tmp/colour" || fail "no colour where there should be"
grep -q "$colours" "$tmp/plain" && fail "colour in spite of NO_COLOR"

echo "a dumb terminal has plain lines"
start 80 24 'LC_ALL=C.UTF-8 TERM=dumb' slots=2 speed=30
see 'PASS'
t capture-pane -pe | grep -q "$esc\[[0-9;]*H" && fail "the cursor was moved on a dumb terminal"
t send-keys C-c
see 'ended with 0'

echo "so has a pipe, and a terminal that terminfo does not know"
mkfifo "$tmp/in"
LC_ALL=C.UTF-8 "$B/fake_board" listen= console=1 slots=2 speed=30 <"$tmp/in" 2>"$tmp/pipe" >/dev/null & piped=$!
exec 3>"$tmp/in"
i=0
until grep -q 'PASS' "$tmp/pipe"; do
    i=$((i + 1))
    [ $i -le 200 ] || fail "no plain line in the pipe"
    sleep 0.1
done
exec 3>&-
wait $piped || fail "the pipe"
grep -q "$esc" "$tmp/pipe" && fail "a pipe got control sequences"
start 80 24 'LC_ALL=C.UTF-8 TERM=no-such-terminal' slots=2 speed=30
see 'PASS'
t send-keys C-c
see 'ended with 0'

echo "in the background of a shell: plain lines, and it is not stopped"
t kill-server 2>/dev/null || :
n=$((n + 1)) name=fl-console-$$-$n
t -f /dev/null new-session -d -x 80 -y 24 "env LC_ALL=C.UTF-8 bash --norc -i"
t send-keys "$B/fake_board listen= console=1 slots=2 speed=30 seconds=600 2>/dev/tty &" Enter
see '✔ PASS'
see '▸ WORK'
! t capture-pane -p | grep -qF 'Ctrl-C stop' || fail "tiles over somebody else's screen"
t send-keys 'kill %1; wait %1; echo "it ended with $?"' Enter
see 'it ended with 0'

echo "Ctrl-S and Ctrl-Z stop nothing"
start 80 24 LC_ALL=C.UTF-8 slots=8 speed=30
see 'WORK'
t send-keys C-s C-z
passed() { t capture-pane -p | sed -n 's/.* PASS \([0-9]*\)  FAIL.*/\1/p'; }
before=$(passed) i=0
until [ "$(passed)" -gt "$before" ]; do # picture and work go on
    i=$((i + 1))
    [ $i -le 200 ] || fail "Ctrl-S or Ctrl-Z stopped it"
    sleep 0.1
done
t send-keys C-c
see 'ended with 0'

echo "a terminal that takes nothing (a dead connection) does not keep the program from ending"
command -v socat >/dev/null || { echo "socat is not installed"; exit 77; }
cat >"$tmp/stuck.sh" <<TXT
stty rows 60 cols 200
$B/fake_board slots=64 speed=5 listen= console=1 seconds=2
echo \$? >$tmp/stuck
TXT
mkfifo "$tmp/keys" "$tmp/screen"
sleep 300 >"$tmp/keys" & holds="$!"
sleep 300 <"$tmp/screen" & holds="$holds $!" # opens it and never reads
dd if=/dev/zero of="$tmp/screen" bs=65536 count=1 status=none # what it could still take is taken
LC_ALL=C.UTF-8 TERM=xterm socat "EXEC:sh $tmp/stuck.sh,pty,stderr,ctty,setsid" - <"$tmp/keys" >"$tmp/screen" & holds="$holds $!"
i=0
until [ -s "$tmp/stuck" ]; do
    i=$((i + 1))
    [ $i -le 300 ] || fail "the program waits for a terminal that takes nothing"
    sleep 0.1
done
[ "$(cat "$tmp/stuck")" = 0 ] || fail "it ended with $(cat "$tmp/stuck")"
