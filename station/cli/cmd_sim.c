/* SPDX-License-Identifier: Apache-2.0
 * flashline sim: simulated boards on network ports or pseudo-terminals, until a signal comes. */
#include "cli/cli.h"
#include "sim/eyes.h"
#include "cli/signals.h"
#include "sim/sim.h"

#include <stdio.h>
#include <string.h>

struct options {
    const char *listen, *station_file, *chip, *scenario, *state, *pace, *journal, *shift, *watch, *truth;
    unsigned boards, seed;
    bool pty;
};

static void on_signal(void *ctx)
{
    fl_wake_raise(ctx);
}

static int exit_of(enum fl_err err)
{
    return err == FL_FORMAT || err == FL_NOT_FOUND || err == FL_ARG || err == FL_MISMATCH ? CLI_USAGE
                                                                                         : CLI_STATION;
}

static void say_ready(const struct sim *s)
{
    cli_say("seed %llu\n", (unsigned long long)sim_seed(s));
    cli_print("ready: %s\n", sim_where(s));
    fflush(stdout);
}

static int serve(const struct sim_config *c, const char *watch)
{
    struct fl_why why = {0};
    struct fl_wake wake = {-1, -1};
    struct cli_signals signals;
    struct sim *s = NULL;
    struct eyes *eyes = NULL;
    bool catching = false;
    enum fl_err err = fl_wake_init(&wake, &why);
    if (!err) {
        err = cli_signals_start(&signals, on_signal, &wake, &why);
        catching = !err;
    }
    if (!err)
        err = sim_open(c, &s, &why);
    if (!err && watch)
        err = eyes_open(watch, s, &eyes, &why);
    if (!err) {
        say_ready(s);
        err = sim_run(s, &wake, &why);
    }
    eyes_close(eyes);
    sim_close(s);
    if (catching)
        cli_signals_stop(&signals);
    fl_wake_fini(&wake);
    return err ? cli_fail(exit_of(err), "%s", why.text) : CLI_OK;
}

static int run(int argc, char **argv)
{
    struct options o = {.listen = "127.0.0.1:6100", .pace = "fast", .boards = 1, .seed = 1};
    const struct cli_opt table[] = {
        {"boards", CLI_UINT, &o.boards},
        {"listen", CLI_TEXT, &o.listen},
        {"pty", CLI_FLAG, &o.pty},
        {"station-file", CLI_TEXT, &o.station_file},
        {"chip", CLI_TEXT, &o.chip},
        {"scenario", CLI_TEXT, &o.scenario},
        {"state", CLI_TEXT, &o.state},
        {"pace", CLI_TEXT, &o.pace},
        {"journal", CLI_TEXT, &o.journal},
        {"seed", CLI_UINT, &o.seed},
        {"operator", CLI_TEXT, &o.shift},
        {"watch", CLI_TEXT, &o.watch},
        {"truth", CLI_TEXT, &o.truth},
        {NULL, CLI_FLAG, NULL},
    };
    bool done;
    int rc = cli_options(&cmd_sim, table, &argc, &argv, &done);
    if (done)
        return rc;
    if (argc > 0)
        return cli_usage(&cmd_sim, "'%s' is one word too many", argv[0]);
    if (strcmp(o.pace, "real") != 0 && strcmp(o.pace, "fast") != 0)
        return cli_usage(&cmd_sim, "--pace is real or fast, not '%s'", o.pace);
    if (o.pty && !o.station_file)
        return cli_usage(&cmd_sim, "--pty needs --station-file: the terminals are put beside it");
    if (!o.shift != !o.watch)
        return cli_usage(&cmd_sim, "--operator SCRIPT and --watch URL go together: an operator who sees nothing does nothing");
    if (o.truth && !o.shift)
        return cli_usage(&cmd_sim, "--truth tells of a shift: it needs --operator");
    const struct sim_config c = {
        .boards = o.boards, .listen = o.listen, .pty = o.pty, .station_file = o.station_file,
        .chip = o.chip, .scenario = o.scenario, .state = o.state,
        .pace_real = strcmp(o.pace, "real") == 0, .journal = o.journal, .seed = o.seed,
        .shift = o.shift, .truth = o.truth,
    };
    return serve(&c, o.watch);
}

const struct cli_verb cmd_sim = {
    .name = "sim",
    .line = "simulated boards on network ports or pseudo-terminals",
    .help = "usage: flashline sim [options]\n"
            "\n"
            "  --boards N             how many (1)\n"
            "  --listen HOST:PORT     RFC 2217, one port a board, counting up; port 0: any free row\n"
            "                         (127.0.0.1:6100)\n"
            "  --pty                  pseudo-terminals instead: symlinks board1, board2, ... beside the\n"
            "                         station file, and board1.lines, ... that take DTR and RTS\n"
            "  --station-file FILE    written when ready: what --station of flash and run takes\n"
            "  --chip CHIP            esp8266, esp32, esp32s2, esp32s3, esp32c2, esp32c3, esp32c5, esp32c6,\n"
            "                         esp32c61, esp32h2, esp32p4 (esp32)\n"
            "  --scenario FILE        chip, bridge, MAC, flash and faults of each board\n"
            "  --state DIR            keep each board's flash and eFuses there\n"
            "  --pace real|fast       real: bytes, USB, erase and program take their time (fast)\n"
            "  --journal FILE         what clients do to the boards and when, a JSON object a line\n"
            "  --seed N               of MACs and of all faults that go by chance (1)\n"
            "\n"
            "  --operator SCRIPT      a shift: an operator plugs the boards of this script in and out; --boards is the\n"
            "                         number of slots, all empty at first. Ends when the last board is out\n"
            "  --watch URL            the board of the station that the operator looks at (flashline run --web)\n"
            "  --truth FILE           what the operator did and what was wrong with which board, a JSON object a line\n"
            "\n"
            "Prints one line \"ready: ...\" and serves until it is interrupted. station/sim/README.md has the\n"
            "scenario's keys and all faults.\n"
            "\n"
            "exit: 0 interrupted, or the shift is over, 2 usage, a scenario or an address that does not do, 3 it could not go on\n"
            "\n"
            "example:\n"
            "  flashline sim --boards 8 --listen 127.0.0.1:6100 --station-file station.yaml --pace real\n"
            "  flashline sim --boards 16 --station-file st.yaml --operator shift.yaml --watch http://127.0.0.1:8080\n",
    .run = run,
};
