/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/making.h"

#include "cli/labels.h"
#include "cli/lot_line.h"
#include "cli/passphrase.h"
#include "cli/results.h"
#include "cli/signals.h"
#include "cli/slots.h"
#include "console/console.h"
#include "record/door.h"
#include "web/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

enum { HEALTH_MS = 250, EVENT_MS = 30000 };

struct making {
    const struct cli_verb *verb;
    /* options */
    const char *station_path, *data, *format, *operator_id, *lot, *credential, *web_listen, *web_cert, *web_key, *journal_path;
    unsigned passphrase_fd;
    struct cli_list ports, profile_paths;
    /* parts, in order of making */
    struct profile **profiles;
    size_t n_profiles;
    struct station_file station;
    char *data_dir;
    struct cli_signals signals;
    bool signals_on;
    struct fl_wake stop; /* raised by a signal */
    struct recorder *recorder;
    struct door *door;
    uint64_t planned; /* of the lot; 0 not said */
    json_t *lot_facts;
    struct lot_line *lot_line;
    struct labels *labels;
    struct board *board;
    struct console *console;
    struct web *web;
    struct journal *journal;
    struct line *line;
    struct results results;
};

static void say_problems(const struct profile_problems *p)
{
    for (size_t i = 0; i < p->n; i++)
        fprintf(stderr, "%s\n", p->list[i].text);
}

/* ---- what to do -------------------------------------------------------------------------------------- */

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
        profile_problems_fini(&problems);
        for (size_t k = 0; p && k + 1 < m->n_profiles; k++)
            if (strcmp(m->profiles[k]->chip, p->chip) == 0)
                code = cli_usage(m->verb, "%s and %s are both for the %s: which one is meant?",
                                 m->profiles[k]->path, p->path, p->chip);
    }
    return code;
}

/* ---- the station ------------------------------------------------------------------------------------- */

static int open_station(struct making *m)
{
    struct fl_why why = {0};
    struct recorder_opened opened = {0};
    char *passphrase = NULL;
    int code = cli_secret(m->credential, m->passphrase_fd, &passphrase);
    if (code)
        return code;
    const struct recorder_config config = {
        .data = m->data_dir, .create = true, .station = m->station.station, .passphrase = passphrase,
        .signer_apart = true};
    enum fl_err err = recorder_open(&config, &m->recorder, &opened, &why);
    cli_passphrase_free(passphrase);
    if (err)
        return cli_fail(CLI_STATION, "%s", why.text);
    if (opened.created)
        fprintf(stderr,
                "flashline: made a station in %s with a new, %s.\n"
                "  For production: flashline init. Verifier key: %s\n",
                m->data_dir, opened.encrypted ? "encrypted key" : "unencrypted key, good for trying", opened.vkey);
    if (opened.recovered)
        fprintf(stderr, "flashline: %u record%s that the signer had signed and a crash took: made again\n", opened.recovered,
                opened.recovered == 1 ? "" : "s");
    if (opened.interrupted)
        fprintf(stderr, "flashline: %u attempt%s without an end, from before: now INTERRUPTED\n",
                opened.interrupted, opened.interrupted == 1 ? "" : "s");
    return CLI_OK;
}

/* Takes body; waits until it is durable. */
static enum fl_err making_event(struct fl_queue *q, enum event_kind kind, json_t *body, int64_t *leaf, struct fl_why *why)
{
    struct event_ticket t;
    char job[EVENT_JOB_TEXT];
    if (body && !json_object_get(body, "job") &&
        (event_job(job) || json_object_set_new(body, "job", json_string(job)) != 0)) {
        json_decref(body);
        body = NULL;
    }
    if (event_ticket_init(&t)) {
        json_decref(body);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    struct event *e = body ? event_new(kind, body, &t) : NULL;
    enum fl_err err = e ? fl_queue_put(q, e, fl_deadline_in_ms(EVENT_MS)) : FL_NOMEM;
    if (err) {
        event_free(e);
        (void)fl_fail(why, err, "%s", fl_err_text(err));
    } else {
        err = event_ticket_wait(&t, fl_deadline_never(), leaf, why);
    }
    event_ticket_fini(&t);
    return err;
}

static int make_lot(struct making *m)
{
    int code = making_lot(m->verb, m->data_dir, m->lot, (const struct profile *const *)m->profiles, m->n_profiles, &m->planned,
                          &m->lot_facts);
    const struct lot_line_config c = {.data = m->data_dir, .lot = m->lot, .facts = m->lot_facts,
                                      .queue = recorder_queue(m->recorder), .tally = board_tally(m->board)};
    return code ? code : lot_line_new(&c, &m->lot_line);
}

static int make_labels(struct making *m)
{
    bool one = m->n_profiles == 1;
    const struct labels_config c = {
        .set = &m->station.labels, .data = m->data_dir, .station = m->station.station, .recorder = m->recorder,
        .product = one ? m->profiles[0]->name : NULL, .version = one ? m->profiles[0]->version : NULL,
        .serials = lot_line_serials(m->lot_line) != NULL};
    return labels_open(&c, &m->labels);
}

/* "reopen": recorded first, then the slots go on. */
static enum fl_err reopen(struct making *m, const json_t *request, json_t **answer, struct fl_why *why)
{
    int64_t leaf = -1;
    int slot = (int)fl_json_int(request, "slot", RULES_LINE);
    json_t *b = json_pack("{ss,ss}", "operator", fl_json_text(request, "operator"), "why", fl_json_text(request, "why"));
    if (b && slot != RULES_LINE && json_object_set_new(b, "slot", json_integer(slot)) != 0) {
        json_decref(b);
        b = NULL;
    }
    enum fl_err err = making_event(recorder_queue(m->recorder), EVENT_LINE_REOPEN, b, &leaf, why);
    if (err)
        return err;
    if (m->lot_line)
        (void)guard_reopen(lot_line_guard(m->lot_line), slot);
    *answer = json_pack("{sI}", "leaf", (json_int_t)leaf);
    return FL_OK;
}

static enum fl_err reprint(struct making *m, const json_t *request, json_t **answer, struct fl_why *why)
{
    int64_t leaf = -1;
    enum fl_err err = labels_reprint(m->data_dir, m->recorder, fl_json_text(request, "mac"), fl_json_text(request, "operator"),
                                     &leaf, why);
    if (!err)
        *answer = json_pack("{sI}", "leaf", (json_int_t)leaf);
    return err;
}

static enum fl_err asked(void *ctx, const char *what, const json_t *request, json_t **answer, struct fl_why *why)
{
    if (strcmp(what, "reopen") == 0)
        return reopen(ctx, request, answer, why);
    if (strcmp(what, "reprint") == 0)
        return reprint(ctx, request, answer, why);
    return fl_fail(why, FL_FORMAT, "nobody here knows what '%.40s' means", what);
}

/* From here on other verbs reach the station at work. */
static int open_door(struct making *m)
{
    struct fl_why why = {0, ""};
    const struct door_config c = {.data = m->data_dir, .recorder = m->recorder, .ask = asked, .ctx = m};
    return door_open(&c, &m->door, &why) ? cli_fail(CLI_STATION, "%s", why.text) : CLI_OK;
}

/* A profile is a fact of its own, so that an attempt need only name its hash. */
static int record_profile(struct making *m, const struct profile *p)
{
    struct fl_why why = {0};
    enum fl_err err = making_event(recorder_queue(m->recorder), EVENT_PROFILE, profile_facts(p), NULL, &why);
    return err ? cli_fail(CLI_STATION, "the profile %s could not be recorded: %s", p->path, why.text)
               : CLI_OK;
}

/* What the line makes, for those who look at it. */
static void title(struct making *m)
{
    char product[TALLY_TEXT] = "";
    if (m->n_profiles == 1)
        (void)snprintf(product, sizeof product, "%s %s", m->profiles[0]->name, m->profiles[0]->version);
    else
        (void)snprintf(product, sizeof product, "%zu profiles", m->n_profiles);
    tally_title(board_tally(m->board), m->station.station, product, m->lot, m->planned,
                m->lot_line ? lot_line_rules(m->lot_line)->takt_ms : 0);
    m->results.tally = board_tally(m->board);
    m->results.journal = m->journal;
    if (console_takes_terminal(stderr) && isatty(STDOUT_FILENO))
        results_hold(&m->results);
}

static void web_log(void *ctx, const char *line)
{
    (void)ctx;
    if (!console_takes_terminal(stderr))
        fprintf(stderr, "flashline: web: %s\n", line);
}

static int show(struct making *m)
{
    struct fl_why why = {0};
    const struct web_config config = {.listen = m->web_listen, .data = m->data_dir, .board = m->board,
                                      .tls_cert = m->web_cert, .tls_key = m->web_key, .log = web_log};
    if (m->web_listen) {
        enum fl_err err = web_start(&config, &m->web, &why);
        if (err)
            return err == FL_ARG || err == FL_REFUSED ? cli_usage(m->verb, "--web: %s", why.text)
                                                      : cli_fail(CLI_STATION, "--web: %s", why.text);
        fprintf(stderr, "flashline: the board is at %s\n", web_url(m->web));
    }
    title(m);
    return console_start(m->board, stderr, &m->console, &why) ? cli_fail(CLI_STATION, "%s", why.text) : CLI_OK;
}

static void on_signal(void *ctx)
{
    fl_wake_raise(&((struct making *)ctx)->stop);
}

/* Until the line ends by itself, a signal comes, or the recorder fails. */
static int make(struct making *m, enum line_mode mode)
{
    struct fl_why why = {0};
    const struct line_config config = {
        .mode = mode, .profiles = (const struct profile *const *)m->profiles,
        .n_profiles = m->n_profiles, .slots = m->station.slots, .n_slots = m->station.n,
        .facts = recorder_queue(m->recorder), .board = m->board, .operator_id = m->operator_id, .lot = m->lot,
        .guard = lot_line_guard(m->lot_line), .serials = lot_line_serials(m->lot_line),
        .parcels = m->labels ? labels_ride : NULL, .parcels_ctx = m->labels,
        .before = &m->station.before, .after = &m->station.after,
        .finished = results_add, .ctx = &m->results,
    };
    int code = show(m);
    if (code)
        return code;
    if (line_start(&config, &m->line, &why)) {
        console_stop(m->console); /* gives the terminal back before anything is said */
        m->console = NULL;
        return cli_fail(CLI_STATION, "%s", why.text);
    }
    while (line_wait(m->line, fl_deadline_in_ms(HEALTH_MS)) == FL_TIMEOUT) {
        bool told = fl_wake_sleep(&m->stop, fl_deadline_in_ms(0)) == FL_CANCELLED;
        bool broken = recorder_health(m->recorder, &why) != FL_OK;
        if (broken) {
            tally_alarm(board_tally(m->board), why.text);
            journal_line(m->journal, LOG_CRIT, why.text);
        }
        if (told || broken)
            line_cancel(m->line);
    }
    line_free(m->line);
    m->line = NULL;
    console_stop(m->console);
    m->console = NULL;
    if (recorder_health(m->recorder, &why)) {
        results_end(&m->results);
        return cli_fail(CLI_STATION, "the station stopped: %s", why.text);
    }
    return results_end(&m->results);
}

static int run(struct making *m, enum line_mode mode)
{
    struct fl_why why = {0};
    int code = load_profiles(m);
    if (!code)
        code = cli_slots_load(m->verb, m->station_path, &m->ports, &m->station);
    if (code)
        return code;
    m->data_dir = cli_data_dir(m->data);
    m->board = board_new(m->station.n);
    if (!m->data_dir || !m->board || results_init(&m->results, cli_format(m->format), m->station.n))
        return cli_fail(CLI_STATION, "out of memory");
    if (fl_wake_init(&m->stop, &why) || cli_signals_start(&m->signals, on_signal, m, &why))
        return cli_fail(CLI_STATION, "%s", why.text);
    m->signals_on = true;
    if (journal_open(m->journal_path, &m->journal, &why))
        return cli_usage(m->verb, "--journal: %s", why.text);
    code = open_station(m);
    for (size_t i = 0; !code && i < m->n_profiles; i++)
        code = record_profile(m, m->profiles[i]);
    if (!code && m->lot)
        code = make_lot(m);
    if (!code)
        code = make_labels(m);
    if (!code)
        code = open_door(m);
    return code ? code : make(m, mode);
}

static void take_apart(struct making *m)
{
    line_free(m->line);
    console_stop(m->console);
    web_stop(m->web);
    door_close(m->door);
    labels_close(m->labels);
    lot_line_free(m->lot_line);
    json_decref(m->lot_facts);
    recorder_close(m->recorder);
    journal_close(m->journal);
    if (m->signals_on)
        cli_signals_stop(&m->signals);
    fl_wake_fini(&m->stop);
    results_fini(&m->results);
    board_free(m->board);
    for (size_t i = 0; i < m->n_profiles; i++)
        profile_free(m->profiles[i]);
    free(m->profiles);
    free(m->profile_paths.items);
    station_file_fini(&m->station);
    free(m->data_dir);
    free(m->ports.items);
}

int making_main(const struct cli_verb *verb, enum line_mode mode, int argc, char **argv)
{
    struct making m = {.verb = verb, .stop = {-1, -1}, .passphrase_fd = CLI_NO_PASSPHRASE};
    const struct cli_opt options[] = {
        {"profile", CLI_LIST, &m.profile_paths}, {"station", CLI_TEXT, &m.station_path},
        {"port", CLI_LIST, &m.ports},           {"data", CLI_TEXT, &m.data},
        {"format", CLI_TEXT, &m.format},        {"operator", CLI_TEXT, &m.operator_id}, {"lot", CLI_TEXT, &m.lot},
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
    else if (cli_format(m.format) < 0)
        code = cli_usage(verb, "--format is text or json, not '%s'", m.format);
    else
        code = run(&m, mode);
out:
    take_apart(&m);
    return code;
}
