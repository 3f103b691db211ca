/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/making.h"

#include "base/descriptors.h"
#include "base/file.h"
#include "cli/passphrase.h"
#include "cli/results.h"
#include "cli/signals.h"
#include "console/console.h"
#include "lineside/clerk.h"
#include "web/limits.h"
#include "web/web.h"
#include "works/slots.h"
#include "works/works.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SETUP_MAX = 1 << 20, UNREAD_MS = 5000 };

struct making {
    const struct cli_verb *verb;
    enum line_mode mode;
    /* options */
    const char *station_path, *data, *format, *operator_id, *lot, *purpose, *credential, *web_listen, *web_cert, *web_key, *journal_path;
    unsigned passphrase_fd;
    struct cli_list ports, profile_paths;
    /* what they name */
    char *data_dir, *passphrase; /* the latter until the station is open */
    struct profile **profiles;
    size_t n_profiles;
    struct station_file station;
    struct fl_buf setup; /* the station file's text, or the ports of the command line */
    /* parts, in order of making */
    struct works *works;
    struct fl_wake stop; /* raised by a signal */
    struct results results;
    struct cli_signals signals;
    bool signals_on, tiles; /* the latter: standard error shows tiles */
    struct web *web;
    struct clerk *clerk; /* NULL: the console has no keyboard */
    struct console *console;
};

/* FL_ARG is about what was asked for (works/works.h). */
static int failed(const struct making *m, enum fl_err err, const struct fl_why *why)
{
    return err == FL_ARG ? cli_usage(m->verb, "%s", why->text) : cli_fail(CLI_STATION, "%s", why->text);
}

/* ---- what to do, and where ------------------------------------------------------------------------------- */

static void say_problems(struct profile_problems *p)
{
    for (size_t i = 0; i < p->n; i++)
        cli_say("%s\n", p->list[i].text);
    profile_problems_fini(p);
}

static int load_profiles(struct making *m)
{
    int code = CLI_OK;
    m->profiles = calloc(m->profile_paths.n, sizeof *m->profiles);
    if (!m->profiles)
        return cli_fail(CLI_STATION, "out of memory");
    for (size_t i = 0; i < m->profile_paths.n; i++) {
        struct profile_problems problems = {0};
        struct profile *p = NULL;
        if (profile_load(m->profile_paths.items[i], &p, &problems))
            code = CLI_USAGE;
        else
            m->profiles[m->n_profiles++] = p;
        say_problems(&problems);
        for (size_t k = 0; p && k + 1 < m->n_profiles; k++)
            if (strcmp(m->profiles[k]->chip, p->chip) == 0)
                code = cli_usage(m->verb, "%s and %s are both for the %s: which one is meant?",
                                 m->profiles[k]->path, p->path, p->chip);
    }
    return code;
}

/* Slots 1, 2, ... */
static int slots_of_ports(struct making *m)
{
    m->station.slots = calloc(m->ports.n, sizeof *m->station.slots);
    if (!m->station.slots)
        return cli_fail(CLI_STATION, "out of memory");
    for (size_t i = 0; i < m->ports.n; i++) {
        struct station_slot *s = &m->station.slots[m->station.n++];
        *s = (struct station_slot){.slot = (int)i + 1, .port = strdup(m->ports.items[i])};
        if (!s->port)
            return cli_fail(CLI_STATION, "out of memory");
        fl_buf_addf(&m->setup, "port: %s\n", m->ports.items[i]);
    }
    return CLI_OK;
}

static int load_station(struct making *m)
{
    struct fl_why why = {0, ""};
    struct profile_problems problems = {0};
    int code = CLI_OK;
    if (!m->station_path)
        code = slots_of_ports(m);
    else if (station_file_load(m->station_path, &m->station, &problems))
        code = CLI_USAGE;
    say_problems(&problems);
    if (code)
        return code;
    enum fl_err err = slots_resolve(&m->station, &why);
    if (err)
        return failed(m, err, &why);
    if (m->station_path)
        err = fl_file_read(m->station_path, &m->setup, &why);
    if (!err)
        err = fl_buf_err(&m->setup, &why);
    return err ? cli_fail(CLI_STATION, "%s", why.text) : CLI_OK;
}

/* A station has some 40 open, and each slot its port, a wake-up, and the pipes of a program that it calls. What
 * is not there when a port is opened would look like a cable's fault. */
static int have_descriptors(const struct making *m)
{
    enum { STATION = 64, STATION_MOST = 256 /* with 64 witnesses */, SLOT = 3, SLOT_MOST = 8 };
    struct fl_why why = {0, ""};
    size_t must = STATION + SLOT * m->station.n, want = STATION_MOST + SLOT_MOST * m->station.n + (m->web_listen ? WEB_CONNECTIONS_MAX : 0);
    return fl_descriptors_want(want, must, &why) ? cli_fail(CLI_STATION, "%s", why.text) : CLI_OK;
}

/* ---- the station at work --------------------------------------------------------------------------------- */

/* The signer starts while profiles and images are read. */
static int begin(struct making *m)
{
    struct fl_why why = {0, ""};
    m->data_dir = cli_data_dir(m->data);
    if (!m->data_dir)
        return cli_fail(CLI_STATION, "out of memory");
    int code = cli_secret(m->credential, m->passphrase_fd, &m->passphrase);
    if (code)
        return code;
    return works_new(m->data_dir, m->passphrase, &m->works, &why) ? cli_fail(CLI_STATION, "%s", why.text) : CLI_OK;
}

static void forget_passphrase(struct making *m)
{
    cli_passphrase_free(m->passphrase);
    m->passphrase = NULL;
}

/* Has the console one? Then it is the only reader of what is typed. */
static bool keyboard(const struct making *m)
{
    return m->mode == LINE_STAY && m->tiles && isatty(STDIN_FILENO);
}

/* A bell where something was not done: hands are full, eyes elsewhere. */
static void said(void *making, enum works_says how, const char *text)
{
    struct making *m = making;
    if (how == WORKS_NOTE)
        results_note(&m->results, text);
    else if (!m->tiles)
        cli_say("flashline: scan: %s\n", text);
    else if (how == WORKS_NOT_DONE)
        (void)fputc('\a', stderr);
}

static void finished(void *making, const struct attempt_facts *f, int64_t leaf)
{
    results_add(&((struct making *)making)->results, f, leaf);
}

static void on_signal(void *making)
{
    fl_wake_raise(&((struct making *)making)->stop);
}

static int open_works(struct making *m)
{
    struct fl_why why = {0, ""};
    const struct works_config c = {
        .mode = m->mode, .operator_id = m->operator_id, .purpose = m->purpose, .lot = m->lot, .journal = m->journal_path,
        .profiles = m->profiles, .n_profiles = m->n_profiles, .station = &m->station, .setup = fl_buf_text(&m->setup),
        .stop = &m->stop, .keyboard = keyboard(m), .say = said, .finished = finished, .ctx = m,
    };
    enum fl_err err = works_open(m->works, &c, &why);
    forget_passphrase(m);
    return err ? failed(m, err, &why) : CLI_OK;
}

/* ---- shown ------------------------------------------------------------------------------------------------- */

static void web_log(void *ctx, const char *line)
{
    if (!((struct making *)ctx)->tiles)
        cli_say("flashline: web: %s\n", line);
}

static int show_in_browsers(struct making *m)
{
    struct fl_why why = {0, ""};
    const struct web_config config = {.listen = m->web_listen, .data = m->data_dir, .board = works_board(m->works),
                                      .tls_cert = m->web_cert, .tls_key = m->web_key, .log = web_log, .ctx = m};
    if (!m->web_listen)
        return CLI_OK;
    enum fl_err err = web_start(&config, &m->web, &why);
    if (err)
        return err == FL_ARG || err == FL_REFUSED ? cli_usage(m->verb, "--web: %s", why.text)
                                                  : cli_fail(CLI_STATION, "--web: %s", why.text);
    cli_say("flashline: the board is at %s\n", web_url(m->web));
    return CLI_OK;
}

static int show_on_console(struct making *m)
{
    struct fl_why why = {0, ""};
    const struct clerk_config work = {.code = works_scanned, .damaged = works_scan_damaged, .reopen = works_reopen, .ctx = m->works};
    if (m->tiles)
        results_hold(&m->results, isatty(STDOUT_FILENO));
    if (keyboard(m) && clerk_open(&work, &m->clerk, &why))
        return cli_fail(CLI_STATION, "%s", why.text);
    const struct console_asks asks = {.code = clerk_code, .damaged = clerk_damaged, .reopen = clerk_reopen, .ctx = m->clerk};
    return console_start(works_board(m->works), stderr, m->clerk ? &asks : NULL, &m->console, &why)
               ? cli_fail(CLI_STATION, "%s", why.text) : CLI_OK;
}

/* Gives the terminal back before anything is said. */
static void hide_console(struct making *m)
{
    console_stop(m->console);
    m->console = NULL;
    clerk_close(m->clerk);
    m->clerk = NULL;
}

static int run(struct making *m)
{
    struct fl_why why = {0, ""};
    int code = begin(m);
    if (!code)
        code = load_profiles(m);
    if (!code)
        code = load_station(m);
    if (!code)
        code = have_descriptors(m);
    if (code)
        return code;
    m->tiles = console_takes_terminal(stderr);
    /* who pages through the results of `flash` takes his time; a line must end when it is told to */
    if (results_init(&m->results, cli_format(m->format), m->station.n, STDOUT_FILENO, m->mode == LINE_STAY ? UNREAD_MS : UINT64_MAX, &why))
        return cli_fail(CLI_STATION, "%s", why.text);
    if (fl_wake_init(&m->stop, &why) || cli_signals_start(&m->signals, on_signal, m, &why))
        return cli_fail(CLI_STATION, "%s", why.text);
    m->signals_on = true;
    code = open_works(m);
    if (!code)
        code = show_in_browsers(m);
    if (!code)
        code = show_on_console(m);
    if (code)
        return code;
    enum fl_err err = works_run(m->works, &why);
    hide_console(m);
    code = results_end(&m->results);
    return err ? cli_fail(CLI_STATION, "%s", why.text) : code;
}

static void take_apart(struct making *m)
{
    hide_console(m);
    web_stop(m->web);
    works_close(m->works);
    if (m->signals_on) /* last: asked a second time, the program ends at once */
        cli_signals_stop(&m->signals);
    fl_wake_fini(&m->stop);
    results_fini(&m->results);
    forget_passphrase(m);
    for (size_t i = 0; i < m->n_profiles; i++)
        profile_free(m->profiles[i]);
    free(m->profiles);
    free(m->profile_paths.items);
    station_file_fini(&m->station);
    fl_buf_fini(&m->setup);
    free(m->data_dir);
    free(m->ports.items);
}

int making_main(const struct cli_verb *verb, enum line_mode mode, int argc, char **argv)
{
    struct making m = {.verb = verb, .mode = mode, .passphrase_fd = CLI_NO_PASSPHRASE, .setup = FL_BUF(SETUP_MAX), .stop = {-1, -1}};
    const struct cli_opt options[] = {
        {"profile", CLI_LIST, &m.profile_paths}, {"station", CLI_TEXT, &m.station_path},
        {"port", CLI_LIST, &m.ports},           {"data", CLI_TEXT, &m.data},
        {"format", CLI_TEXT, &m.format},        {"operator", CLI_WORDS, &m.operator_id}, {"lot", CLI_WORDS, &m.lot},
        {"purpose", CLI_TEXT, &m.purpose},
        {"passphrase-fd", CLI_UINT, &m.passphrase_fd}, {"credential", CLI_TEXT, &m.credential}, {"web", CLI_TEXT, &m.web_listen},
        {"web-cert", CLI_TEXT, &m.web_cert},    {"web-key", CLI_TEXT, &m.web_key},
        {"journal", CLI_TEXT, &m.journal_path}, {NULL, CLI_FLAG, NULL},
    };
    bool done;
    int code = cli_options(verb, options, &argc, &argv, &done);
    if (done)
        goto out;
    if (argc)
        code = cli_usage(verb, "'%s' is one word too many", argv[0]);
    else if (!m.profile_paths.n)
        code = cli_usage(verb, "--profile FILE is missing");
    else if (!m.station_path == !m.ports.n)
        code = cli_usage(verb, "give either --station FILE or --port URL (repeated)");
    else if (!m.web_listen && (m.web_cert || m.web_key))
        code = cli_usage(verb, "--web-cert and --web-key are for --web ADDR");
    else if (m.purpose && strcmp(m.purpose, "dry_run") != 0 && strcmp(m.purpose, "golden") != 0 && strcmp(m.purpose, "known_bad") != 0)
        code = cli_usage(verb, "--purpose is dry_run, golden or known_bad, not '%s'", m.purpose);
    else if (cli_format(m.format) < 0)
        code = cli_usage(verb, "--format is text or json, not '%s'", m.format);
    else
        code = run(&m);
out:
    take_apart(&m);
    return code;
}
