#!/bin/sh
# Hot-plug and USB places on a real kernel: Debian's, in QEMU, with usb-serial adapters on a hub that come and go over QMP
# while `flashline run` works in the guest; behind the adapters are simulated boards of the host. A socket is a slot,
# whatever tty it gets; a socket that is no slot is not touched. Downloads the kernel (70 MB) once into build/qemu.
. tests/flow/lib.sh
command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
command -v apt-get >/dev/null || skip "this is no Debian"
Q=$PWD/build/qemu
if [ ! -e "$Q/.done" ]; then
    rm -rf "$Q"
    mkdir -p "$Q"
    kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9][^ ]*\).*/\1/p' | head -n 1)
    (cd "$Q" && apt-get download -q "$kernel" busybox-static) >"$T/apt" 2>&1 || { rm -rf "$Q"; cat "$T/apt"; skip "Debian's kernel cannot be had here"; }
    for deb in "$Q"/*.deb; do dpkg-deb -x "$deb" "$Q/root"; done
    touch "$Q/.done"
fi

# ---- the guest: busybox, six modules, the program with its libraries ----
G=$T/guest
mkdir -p "$G/bin" "$G/modules" "$G/etc" "$G/tmp" "$G/proc" "$G/sys" "$G/dev"
cp "$Q/root/bin/busybox" "$G/bin/"
for m in usb-common usbcore xhci-hcd xhci-pci usbserial ftdi_sio; do
    find "$Q/root" -name "$m.ko" -exec cp {} "$G/modules/" \;
done
cp "$FL" "$G/bin/flashline"
ldd "$FL" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/[^ ]*ld-linux[^ ]*\).*/\1/p' | while read -r lib; do
    mkdir -p "$G$(dirname "$lib")"
    cp -L "$lib" "$G$lib"
done
node tests/outside/make_image.mjs "$G/image" 60001 5
cat >"$G/p.yaml" <<'END'
profile: usb
version: "1"
chip: esp32
serial: {baud: 115200, step_down: [], reset: none}
images: [{offset: 0x10000, file: image}]
END
cat >"$G/station.yaml" <<'END'
station: guest
slots:
  - {slot: 1, port: "usb:1-1.1"}
  - {slot: 2, port: "usb:1-1.2"}
  - {slot: 3, port: "usb:1-1.3"}
END
cat >"$G/init" <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for m in usb-common usbcore xhci-hcd xhci-pci usbserial ftdi_sio; do insmod /modules/$m.ko; done
until [ -e /sys/bus/usb/devices/1-1/maxchild ]; do sleep 0.1; done
echo "GUEST hub of $(cat /sys/bus/usb/devices/1-1/maxchild)"
(while sleep 0.5; do
    now=$(for t in /sys/class/tty/ttyUSB*; do [ -e "$t" ] && readlink "$t" | sed 's|.*/\(1-[0-9.]*\):[^/]*/\(ttyUSB[0-9]*\)/.*|\1=\2|'; done | tr '\n' ' ')
    [ "$now" = "$last" ] || echo "GUEST ttys $now"
    last=$now
    held=$(ls -l /proc/[0-9]*/fd 2>/dev/null | sed -n 's/.*\/dev\/\(ttyUSB[0-9]*\) (deleted)$/\1/p' | tr '\n' ' ')
    [ "$held" = "$lastheld" ] || echo "GUEST holds $held"
    lastheld=$held
done) &
flashline run --profile /p.yaml --station /station.yaml --data /tmp/data --format json 2>&1 | cat
echo "GUEST ended"
poweroff -f
END
chmod +x "$G/init"
(cd "$G" && find . | "$Q/root/bin/busybox" cpio -o -H newc 2>/dev/null | gzip -1) >"$T/initrd"

# ---- the host: boards that wait in the loader behind plain TCP ----
cat >"$T/boards" <<'END'
defaults: {telnet: off}
END
sim_start boards --boards 4 --scenario "$T/boards" --journal "$T/journal"
port() { port_of boards "$1" | sed 's/.*://'; }
accel=tcg

set -- -nodefaults -no-user-config -display none -machine q35,accel=$accel -cpu max -m 1024 -smp 2 \
    -kernel "$(find "$Q/root/boot" -name 'vmlinuz-*')" -initrd "$T/initrd" -append "console=ttyS0 quiet panic=-1" -no-reboot \
    -serial "file:$T/guest.log" -qmp "unix:$T/qmp,server=on,wait=off" -device qemu-xhci,id=usb -device usb-hub,bus=usb.0,port=1
for i in 1 2 3 4; do
    set -- "$@" -chardev "socket,id=board$i,host=127.0.0.1,port=$(port $i)"
done
qemu-system-x86_64 "$@" >"$T/qemu.err" 2>&1 &
QEMU=$!
PIDS="$PIDS $QEMU"
wait_for "QMP" 20 test -S "$T/qmp" || { cat "$T/qemu.err"; fail "no QMP"; }
cat >"$T/qmp.mjs" <<'END'
// one command over QMP: node qmp.mjs SOCKET COMMAND JSON
import net from "node:net";
const [path, execute, args] = process.argv.slice(2);
const socket = net.connect(path);
let text = "", sent = 0;
socket.on("data", (d) => {
  text += d;
  for (let i; (i = text.indexOf("\n")) >= 0; text = text.slice(i + 1)) {
    const said = JSON.parse(text.slice(0, i));
    if (said.error) { console.error(said.error.desc); process.exit(1); }
    if (said.QMP) socket.write('{"execute":"qmp_capabilities"}\n');
    else if ("return" in said && !sent++) socket.write(JSON.stringify({ execute, arguments: JSON.parse(args) }) + "\n");
    else if ("return" in said) process.exit(0);
  }
});
socket.on("error", (e) => { console.error(e.message); process.exit(1); });
END
plug() { node "$T/qmp.mjs" "$T/qmp" device_add "{\"driver\":\"usb-serial\",\"id\":\"usb$1\",\"chardev\":\"board$1\",\"bus\":\"usb.0\",\"port\":\"1.$2\",\"always-plugged\":true}" || fail "plug $1"; }
unplug() { node "$T/qmp.mjs" "$T/qmp" device_del "{\"id\":\"usb$1\"}" || fail "unplug $1"; }
says() { grep -Eq -- "$1" "$T/guest.log"; }
attempts() { [ "$(grep -c '"type":"attempt"' "$T/guest.log")" -ge "$1" ]; }
log() { cat "$T/qemu.err"; tr -d '\r' <"$T/guest.log" | tail -n 40; }

alive() { kill -0 $QEMU 2>/dev/null; }
up() { says "GUEST hub of" || ! alive; }
wait_for "the guest" 180 up || :
wait_for "the guest's hub" 1 says 'GUEST hub of' || { log; fail "the guest did not start"; }
wait_for "the line" 120 says 'made a station' || { log; fail "no line in the guest"; }
plug 1 1
wait_for "the first board" 120 attempts 1 || { log; fail "a board that was plugged in did not start by itself"; }
plug 2 3
wait_for "the second board" 120 attempts 2 || { log; fail "the second"; }
# another board into the first socket; one outside the list takes the tty name that it had
unplug 1
gone() { tr -d '\r' <"$T/guest.log" | grep 'GUEST ttys' | tail -n 1 | grep -qv '1-1\.1='; }
wait_for "the first board to be gone" 60 gone || { log; fail "unplugging is not seen"; }
free() { ! tr -d '\r' <"$T/guest.log" | grep 'GUEST holds' | tail -n 1 | grep -q ttyUSB; }
wait_for "its tty to be let go" 60 free || { log; fail "a port that went is held open: its name stays taken"; }
sleep 1 # a look of the guest's takes half a second: a tty that is held by now was told
wait_for "its tty to be let go" 60 free || { log; fail "a port that went is held open: its name stays taken"; }
plug 4 4
wait_for "the port outside the list" 60 says 'GUEST ttys .*1-1\.4=ttyUSB0' || { log; fail "the port outside"; }
plug 3 1
wait_for "the third board" 120 attempts 3 || { log; fail "the third"; }
wait_for "its new name" 30 says 'GUEST ttys .*1-1\.1=ttyUSB2' || { log; fail "it was not renumbered: nothing is proved"; }
tr -d '\r' <"$T/guest.log" | grep '^{"type":"attempt"\|"type":"attempt"' | sed 's/^[^{]*//' | jq -r '"\(.slot) \(.port) \(.outcome) \(.mac)"' >"$T/is"
[ "$(cut -d ' ' -f 1-3 "$T/is" | tr '\n' ';')" = "1 usb:1-1.1 PASS;3 usb:1-1.3 PASS;1 usb:1-1.1 PASS;" ] || { cat "$T/is"; log; fail "slots and sockets"; }
[ "$(cut -d ' ' -f 4 "$T/is" | sort -u | wc -l)" = 3 ] || fail "not three boards"
for i in 1 2 3; do
    dd if="$T/boards.flash/board$i.bin" bs=1 skip=65536 count=60001 2>/dev/null | cmp -s - "$G/image" || fail "board $i does not hold the image"
done
[ -z "$(tr -d '\377' <"$T/boards.flash/board4.bin" | head -c 1)" ] || fail "the board outside the list was written"
