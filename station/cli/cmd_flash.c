/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/making.h"

static int run_flash(int argc, char **argv);

const struct cli_verb cmd_flash = {
    .name = "flash",
    .line = "one attempt on each slot, all at once, then exit",
    .help =
        "usage: flashline flash --profile FILE (--station FILE | --port URL ...) [options]\n"
        "\n"
        "  --profile FILE      what to do to a board (profiles/README.md); repeat it for a mix of chips:\n"
        "                      each board gets the profile of its chip\n"
        "  --station FILE      the slots and where each is plugged in\n"
        "  --port URL          a slot without a station file; repeat for more:\n"
        "                      /dev/ttyUSB0  usb:1-1.4.1  rfc2217://HOST:PORT  socket://HOST:PORT  pty:PATH\n"
        "  --data DIR          the station's folder (default $XDG_DATA_HOME/flashline, else ~/.local/share/flashline); made when missing\n"
        "  --operator ID       who stands there, for the record\n"
        "  --lot NAME          the production order (flashline lot open); its rules say which units are let in\n"
        "  --purpose WORD      dry_run, golden or known_bad: boards are flashed and recorded as ever, but in no yield and\n"
        "                      no quantity of a lot, without serial number and label (left out: production)\n"
        "  --format text|json  results on standard output; progress goes to standard error\n"
        "  --passphrase-fd N   read the key's passphrase, or its token's PIN, from this descriptor\n"
        "  --credential NAME   or from this systemd credential\n"
        "  --web ADDR          the live board for browsers, like 127.0.0.1:8080; on another address than\n"
        "                      loopback people log in (flashline web user)\n"
        "  --web-cert FILE     certificate (PEM) and its key: the board over HTTPS\n"
        "  --web-key FILE\n"
        "  --journal SOCKET    log lines with fields to this journal; by itself where standard error is\n"
        "                      systemd's journal: journalctl FLASHLINE_OUTCOME=FAIL\n"
        "\n"
        "exit: 0 every unit PASS, 1 some unit not, 2 usage or configuration, 3 the station failed,\n"
        "      4 no board answered\n"
        "\n"
        "example:\n"
        "  flashline flash --profile profiles/demo-esp32.yaml --port /dev/ttyUSB0 --port /dev/ttyUSB1\n",
    .run = run_flash,
};

static int run_flash(int argc, char **argv)
{
    return making_main(&cmd_flash, LINE_ONCE, argc, argv);
}
