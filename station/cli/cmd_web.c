/* SPDX-License-Identifier: Apache-2.0
 * The pages from a station's records, without a line of its own. */
#include "cli/cli.h"

#include "base/wake.h"
#include "cli/signals.h"
#include "web/web.h"

#include <stdio.h>
#include <stdlib.h>

static int run_web(int argc, char **argv);

const struct cli_verb cmd_web = {
    .name = "web",
    .line = "the board, the reports and the log for browsers, from the records",
    .help =
        "usage: flashline web [--listen ADDR] [options]\n"
        "\n"
        "  --listen ADDR       127.0.0.1:8080 (default), [::1]:8080, 0.0.0.0:8443, ...; port 0: any free one\n"
        "  --data DIR          the station's folder (default $XDG_DATA_HOME/flashline, else ~/.local/share/flashline)\n"
        "  --cert FILE         certificate chain (PEM), and\n"
        "  --key FILE          its key (PEM): HTTPS\n"
        "  --login             ask who it is on a loopback address too, for use behind a proxy\n"
        "\n"
        "Reads and never writes the records; a station may be working on them. `flashline run --web ADDR` serves the\n"
        "same pages with the live line. On another address than loopback a user or token must exist:\n"
        "`flashline web user`. The address is printed on standard output when it listens.\n"
        "\n"
        "exit: 0 stopped by a signal, 2 usage, 3 it could not listen\n"
        "\n"
        "example:\n"
        "  flashline web --data /var/lib/flashline --listen 127.0.0.1:8080\n",
    .run = run_web,
};

static void on_signal(void *ctx)
{
    fl_wake_raise(ctx);
}

static void say(void *ctx, const char *line)
{
    (void)ctx;
    cli_say("flashline: web: %s\n", line);
}

static int serve(const struct web_config *c)
{
    struct cli_signals signals;
    struct fl_wake stop = {-1, -1};
    struct fl_why why = {0, ""};
    struct web *web = NULL;
    if (fl_wake_init(&stop, &why))
        return cli_fail(CLI_STATION, "%s", why.text);
    enum fl_err err = cli_signals_start(&signals, on_signal, &stop, &why);
    bool signals_on = !err;
    if (!err)
        err = web_start(c, &web, &why);
    if (!err) {
        cli_print("%s\n", web_url(web));
        (void)fflush(stdout);
        while (fl_wake_sleep(&stop, fl_deadline_never()) == FL_OK)
            ; /* until the signal */
    }
    web_stop(web);
    if (signals_on)
        cli_signals_stop(&signals);
    fl_wake_fini(&stop);
    if (err == FL_ARG || err == FL_REFUSED)
        return cli_usage(&cmd_web, "%s", why.text);
    return err ? cli_fail(CLI_STATION, "%s", why.text) : CLI_OK;
}

static int run_web(int argc, char **argv)
{
    const char *data = NULL;
    struct web_config c = {.listen = "127.0.0.1:8080", .log = say};
    bool done;
    const struct cli_opt options[] = {
        {"listen", CLI_TEXT, &c.listen}, {"data", CLI_TEXT, &data},     {"cert", CLI_TEXT, &c.tls_cert},
        {"key", CLI_TEXT, &c.tls_key},   {"login", CLI_FLAG, &c.login}, {NULL, CLI_FLAG, NULL}};
    int code = cli_options(&cmd_web, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc)
        return cli_usage(&cmd_web, "'%s' is one word too many", argv[0]);
    char *dir = cli_data_dir(data);
    c.data = dir;
    if (dir)
        cli_no_station_yet(dir);
    code = dir ? serve(&c) : cli_fail(CLI_STATION, "out of memory");
    free(dir);
    return code;
}
