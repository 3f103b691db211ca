/* SPDX-License-Identifier: Apache-2.0
 * The link test: every port on a thread of its own, all at once, as a line works. */
#include "cli/cli.h"

#include "cli/doctor_words.h"
#include "cli/signals.h"
#include "esp/reset.h"
#include "link/ports.h"
#include "profile/station_file.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_doctor(int argc, char **argv);

const struct cli_verb cmd_doctor = {
    .name = "doctor",
    .line = "test the way between this host and each board, and say what is wrong with it",
    .help =
        "usage: flashline doctor [PORT...] [--station FILE] [--baud MAX] [--reset HOW] [--format text|json]\n"
        "\n"
        "  PORT                usb:PLACE, /dev/..., rfc2217://..., socket://..., pty:...; none: all ports of `flashline ports`\n"
        "  --station FILE      the slots of a station file\n"
        "  --baud MAX          the highest speed to try (921600)\n"
        "  --reset HOW         as in a station file: auto, none, classic, ... or a sequence\n"
        "  --format text|json  text; or json: one object a port, one a line\n"
        "\n"
        "Nothing in flash is touched: blocks of growing size go into the chip's RAM, at 115200 baud and above, with and\n"
        "without pauses, and the ROM says of each whether it arrived. The board is reset into its program afterwards.\n"
        "About 12 seconds on a sound line, up to 3 minutes on a bad one; all ports at once.\n"
        "\n"
        "The verdict names the cause (bridge, cable, speed, power, restarts, strap, tx_dead, echo, noise, nobody, port,\n"
        "security, fine, ...), how sure it is, the numbers behind it, and the setting that works.\n"
        "\n"
        "exit: 0 every link is fine, 1 something was found, 2 usage, 3 the station failed, 4 no board answered\n"
        "\n"
        "example:\n"
        "  flashline doctor /dev/ttyUSB0\n"
        "  flashline doctor --station station.yaml --format json | jq -r '\"\\(.port) \\(.verdict)\"'\n",
    .run = run_doctor,
};

enum { OPEN_MS = 5000 };

struct patient {
    const char *port, *reset;
    unsigned baud;
    struct fl_wake *wake;
    struct doctor_facts facts;
    enum fl_err err;
    pthread_t thread;
    bool running;
};

/* ---- one port ----------------------------------------------------------------------------------- */

static void on_progress(void *ctx, const char *doing)
{
    cli_say("%s: %s\n", ((const struct patient *)ctx)->port, doing);
}

static enum esp_fault open_fault(enum fl_err err)
{
    return err == FL_NOT_FOUND ? ESP_FAULT_PORT_MISSING
           : err == FL_BUSY    ? ESP_FAULT_PORT_BUSY
           : err == FL_ACCESS  ? ESP_FAULT_PORT_DENIED
                               : ESP_FAULT_PORT_FAILED;
}

static void *examine(void *arg)
{
    struct patient *p = arg;
    struct fl_why why = {0};
    struct link *l = NULL;
    p->err = link_open(p->port, p->wake, fl_deadline_in_ms(OPEN_MS), &l, &why);
    if (p->err == FL_CANCELLED)
        return NULL;
    if (p->err) {
        p->facts = (struct doctor_facts){.problem = {.fault = open_fault(p->err), .err = p->err},
                                          .link.low_latency = LINK_UNKNOWN};
        (void)snprintf(p->facts.link.url, sizeof p->facts.link.url, "%s", p->port);
        (void)snprintf(p->facts.problem.text, sizeof p->facts.problem.text, "%.290s", why.text);
        p->err = FL_OK;
        return NULL;
    }
    const struct esp_config config = {.baud = p->baud, .reset = p->reset};
    p->err = doctor_examine(l, &config, on_progress, p, &p->facts);
    link_close(l);
    return NULL;
}

/* ---- all of them -------------------------------------------------------------------------------- */

static bool report(const struct patient *p, int format, int *worst, size_t *answered)
{
    struct doctor_finding found[DOCTOR_FINDINGS_MAX];
    size_t n = doctor_judge(&p->facts, found);
    bool nobody = strcmp(found[0].cause, "nobody") == 0 || strcmp(found[0].cause, "port") == 0;
    *answered += !nobody;
    if (!nobody && strcmp(found[0].cause, "fine") != 0)
        *worst = CLI_NOT_PASS;
    if (format == CLI_TEXT_OUT) {
        doctor_print(&p->facts, found, n);
        return true;
    }
    json_t *o = doctor_json(&p->facts, found, n);
    bool ok = o && json_dumpf(o, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF;
    json_decref(o);
    return ok;
}

/* `named`: the ports were asked for one by one, so that an empty one counts. */
static int examine_all(struct patient *list, size_t n, bool named, int format)
{
    int code = CLI_OK;
    size_t answered = 0;
    bool stopped = false, lost = false;
    for (size_t i = 0; i < n; i++)
        list[i].running = pthread_create(&list[i].thread, NULL, examine, &list[i]) == 0;
    for (size_t i = 0; i < n; i++) {
        if (!list[i].running) {
            code = cli_fail(CLI_STATION, "%s: no thread for it", list[i].port);
            continue;
        }
        (void)pthread_join(list[i].thread, NULL);
        stopped = stopped || list[i].err == FL_CANCELLED;
        if (list[i].err && list[i].err != FL_CANCELLED)
            code = cli_fail(CLI_STATION, "%s: %s", list[i].port, fl_err_text(list[i].err));
        else if (!list[i].err && !report(&list[i], format, &code, &answered))
            lost = true;
    }
    if (fflush(stdout) != 0 || lost)
        return cli_fail(CLI_STATION, "the result could not be written out");
    if (stopped)
        return cli_fail(CLI_NOT_PASS, "stopped");
    return code == CLI_OK && (answered == 0 || (named && answered < n)) ? CLI_NO_BOARD : code;
}

static void on_signal(void *ctx)
{
    fl_wake_raise(ctx);
}

static int with_signals(struct patient *list, size_t n, bool named, int format)
{
    struct fl_wake wake;
    struct cli_signals signals;
    struct fl_why why = {0};
    if (fl_wake_init(&wake, &why))
        return cli_fail(CLI_STATION, "%s", why.text);
    for (size_t i = 0; i < n; i++)
        list[i].wake = &wake;
    int code = cli_signals_start(&signals, on_signal, &wake, &why) ? cli_fail(CLI_STATION, "%s", why.text) : CLI_OK;
    if (!code) {
        code = examine_all(list, n, named, format);
        cli_signals_stop(&signals);
    }
    fl_wake_fini(&wake);
    return code;
}

/* ---- which ports --------------------------------------------------------------------------------- */

enum { DOCTOR_BAUD_MIN = 115200 };

struct wishes {
    const char *station, *reset, *format;
    unsigned baud;
    char **ports;
    size_t n;
};

static int doctor_ports(const struct wishes *w, struct link_info *ports, size_t n, const struct station_file *s)
{
    struct fl_why why;
    bool named = w->n > 0 || s->n > 0;
    size_t total = w->n + s->n + n, at = 0;
    int code = CLI_OK;
    struct patient *list = calloc(total + 1, sizeof *list);
    if (!list)
        return cli_fail(CLI_STATION, "out of memory");
    for (size_t i = 0; i < w->n; i++)
        list[at++] = (struct patient){.port = w->ports[i], .reset = w->reset};
    for (size_t i = 0; i < s->n; i++)
        list[at++] = (struct patient){.port = s->slots[i].port, .reset = w->reset ? w->reset : s->slots[i].reset};
    for (size_t i = 0; i < n; i++)
        list[at++] = (struct patient){.port = ports[i].url, .reset = w->reset};
    for (size_t i = 0; i < total && !code; i++) {
        list[i].baud = w->baud;
        if (link_url_check(list[i].port, &why))
            code = cli_usage(&cmd_doctor, "%s", why.text);
        else if (list[i].reset && reset_check(list[i].reset, &why))
            code = cli_usage(&cmd_doctor, "%s: %s", list[i].port, why.text);
    }
    if (!code)
        code = total ? with_signals(list, total, named, cli_format(w->format))
                     : cli_fail(CLI_NO_BOARD, "no serial port; see `flashline ports`");
    free(list);
    return code;
}

static int doctor(const struct wishes *w)
{
    struct station_file station = {0};
    struct profile_problems problems = {0};
    struct link_info *ports = NULL;
    struct fl_why why = {0};
    size_t n = 0;
    int code = CLI_OK;
    if (w->station && station_file_load(w->station, &station, &problems))
        code = CLI_USAGE;
    for (size_t i = 0; i < problems.n; i++)
        cli_say("%s\n", problems.list[i].text);
    profile_problems_fini(&problems);
    if (!code && w->n == 0 && !w->station && link_ports(&ports, &n, &why))
        code = cli_fail(CLI_STATION, "%s", why.text);
    if (!code)
        code = doctor_ports(w, ports, n, &station);
    free(ports);
    station_file_fini(&station);
    return code;
}

static int run_doctor(int argc, char **argv)
{
    struct wishes w = {.baud = 921600};
    const struct cli_opt table[] = {{"station", CLI_TEXT, &w.station}, {"baud", CLI_UINT, &w.baud},
                                    {"reset", CLI_TEXT, &w.reset},     {"format", CLI_TEXT, &w.format},
                                    {NULL, CLI_FLAG, NULL}};
    bool done;
    int code = cli_options(&cmd_doctor, table, &argc, &argv, &done);
    if (done)
        return code;
    if (cli_format(w.format) < 0)
        return cli_usage(&cmd_doctor, "--format is text or json, not '%s'", w.format);
    if (w.baud < DOCTOR_BAUD_MIN)
        return cli_usage(&cmd_doctor, "--baud is %d or more: every board is tried there first", DOCTOR_BAUD_MIN);
    w.ports = argv;
    w.n = (size_t)argc;
    return doctor(&w);
}
