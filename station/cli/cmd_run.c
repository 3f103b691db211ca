/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/making.h"

static int run_run(int argc, char **argv);

const struct cli_verb cmd_run = {
    .name = "run",
    .line = "stay, and flash each board that appears in a slot, until stopped",
    .help =
        "usage: flashline run --profile FILE (--station FILE | --port URL ...) [options]\n"
        "\n"
        "  Options as for `flashline flash`. A board is flashed as soon as it is plugged in; one that was\n"
        "  finished and stays in is left alone until it is taken out. Where the bridge stays while boards change\n"
        "  (`fixture: true` in the station file, network ports), the chip is asked, as often as `detect` in the\n"
        "  profile says. A port that vanishes five times in ten seconds is left alone until it stays for two.\n"
        "  A port \"usb:1-1.*\" is every socket of the hub there, \"usb:1-*\" of the root hub of bus 1. Ports that are not slots are never touched.\n"
        "  Ctrl-C ends the line: running attempts end as ABORTED and are recorded; a second\n"
        "  Ctrl-C ends at once (what is not recorded then shows as INTERRUPTED at the next start).\n"
        "\n"
        "exit: as for `flashline flash`\n"
        "\n"
        "example:\n"
        "  flashline run --profile profiles/demo-esp32.yaml --station line-3.yaml\n",
    .run = run_run,
};

static int run_run(int argc, char **argv)
{
    return making_main(&cmd_run, LINE_STAY, argc, argv);
}
