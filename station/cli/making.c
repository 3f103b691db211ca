/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/making_inside.h"

#include "cli/learned.h"
#include "cli/passphrase.h"
#include "cli/slots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

enum { HEALTH_MS = 250 };

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

static struct recorder_config recorder_wanted(const struct making *m)
{
    return (struct recorder_config){.data = m->data_dir, .create = true, .station = m->station.station,
                                    .passphrase = m->passphrase, .signer_apart = true, .early = m->early};
}

/* The signer starts while profiles and images are read. */
static int begin_station(struct making *m)
{
    m->data_dir = cli_data_dir(m->data);
    if (!m->data_dir)
        return cli_fail(CLI_STATION, "out of memory");
    int code = cli_secret(m->credential, m->passphrase_fd, &m->passphrase);
    if (code)
        return code;
    const struct recorder_config config = recorder_wanted(m);
    m->early = recorder_early(&config);
    return CLI_OK;
}

static void forget_passphrase(struct making *m)
{
    cli_passphrase_free(m->passphrase);
    m->passphrase = NULL;
}

static int open_station(struct making *m)
{
    struct fl_why why = {0};
    struct recorder_opened opened = {0};
    const struct recorder_config config = recorder_wanted(m);
    enum fl_err err = recorder_open(&config, &m->recorder, &opened, &why);
    m->early = NULL;
    forget_passphrase(m);
    if (err)
        return cli_fail(CLI_STATION, "%s", why.text);
    if (opened.created)
        cli_say("flashline: made a station in %s with a new, %s.\n"
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
    const struct labels_config c = {
        .set = &m->station.labels, .data = m->data_dir, .station = m->station.station, .recorder = m->recorder,
        .profiles = (const struct profile *const *)m->profiles, .n_profiles = m->n_profiles, .lot = &m->lot_facts,
        .serials = lot_line_serials(m->lot_line) || m->station.scanner.patterns[SCAN_SERIAL]};
    struct fl_why why = {0, ""};
    enum fl_err err = labels_open(&c, &m->labels, &why);
    return err ? cli_fail(err == FL_FORMAT ? CLI_USAGE : CLI_STATION, "%s", why.text) : CLI_OK;
}

static void said_of_heads(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "flashline: %s\n", text);
}

static int open_heads(struct making *m)
{
    struct fl_why why = {0, ""};
    const struct heads_config c = {.data = m->data_dir, .anchor = &m->station.anchor, .recorder = m->recorder, .say = said_of_heads};
    enum fl_err err = heads_open(&c, &m->heads, &why);
    return err ? cli_fail(err == FL_FORMAT ? CLI_USAGE : CLI_STATION, "%s", why.text) : CLI_OK;
}

/* From here on other verbs reach the station at work. */
static int open_door(struct making *m)
{
    struct fl_why why = {0, ""};
    const struct door_config c = {.data = m->data_dir, .recorder = m->recorder, .ask = making_asked, .ctx = m};
    return door_open(&c, &m->door, &why) ? cli_fail(CLI_STATION, "%s", why.text) : CLI_OK;
}

/* The profiles are facts of their own, so that an attempt need only name a hash; so are the station's settings. They are
 * waited for when the line has begun (making_facts_kept): recording them takes as long as resetting a board. */
static int tell_start(struct making *m)
{
    struct fl_why why = {0};
    json_t *settings;
    int code = making_settings(m->data_dir, m->station_path, &m->ports, m->operator_id, &settings);
    if (code)
        return code;
    m->room_facts = m->n_profiles + 1;
    m->facts = calloc(m->room_facts, sizeof *m->facts);
    enum fl_err err = FL_OK;
    for (size_t i = 0; !err && i < m->n_profiles; i++)
        err = making_fact(m, EVENT_PROFILE, profile_facts(m->profiles[i]), m->profiles[i]->path, &why);
    if (!err && settings)
        err = making_fact(m, EVENT_CONFIG, settings, "the station's settings", &why);
    else
        json_decref(settings);
    return err ? cli_fail(CLI_STATION, "what the line begins with could not be recorded: %s", why.text) : CLI_OK;
}

/* What the line makes, for those who look at it. */
static void title(struct making *m)
{
    char product[TALLY_TEXT] = "";
    const char *said = fl_json_text(m->lot_facts, "product");
    if (m->n_profiles == 1)
        (void)snprintf(product, sizeof product, "%s %s", m->profiles[0]->name, m->profiles[0]->version);
    else if (*said)
        (void)snprintf(product, sizeof product, "%s", said);
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

/* Has the console one? Then it is the only reader of what is typed. */
static bool keyboard(const struct making *m)
{
    return m->mode == LINE_STAY && console_takes_terminal(stderr) && isatty(STDIN_FILENO);
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
    const struct clerk_config work = {.code = making_scanned, .damaged = making_scan_damaged, .reopen = making_reopen, .ctx = m};
    if (keyboard(m) && clerk_open(&work, &m->clerk, &why))
        return cli_fail(CLI_STATION, "%s", why.text);
    const struct console_asks asks = {.code = clerk_code, .damaged = clerk_damaged, .reopen = clerk_reopen, .ctx = m->clerk};
    return console_start(m->board, stderr, m->clerk ? &asks : NULL, &m->console, &why) ? cli_fail(CLI_STATION, "%s", why.text)
                                                                                       : CLI_OK;
}

static void on_signal(void *ctx)
{
    fl_wake_raise(&((struct making *)ctx)->stop);
}

static enum fl_err start_line(struct making *m, struct fl_why *why)
{
    struct learned learned;
    learned_recall(&learned, m->data_dir);
    const struct line_config config = {
        .learned = learned.list, .n_learned = learned.n,
        .mode = m->mode, .profiles = (const struct profile *const *)m->profiles,
        .n_profiles = m->n_profiles, .slots = m->station.slots, .n_slots = m->station.n,
        .facts = recorder_queue(m->recorder), .board = m->board, .desk = m->desk, .lot = m->lot, .purpose = m->purpose,
        .guard = lot_line_guard(m->lot_line), .serials = lot_line_serials(m->lot_line),
        .parcels = m->labels ? labels_ride : NULL, .parcels_ctx = m->labels,
        .before = &m->station.before, .after = &m->station.after,
        .finished = results_add, .ctx = &m->results,
    };
    enum fl_err err = line_start(&config, &m->line, why);
    learned_fini(&learned);
    return err;
}

static void lot_begun(struct making *m)
{
    (void)pthread_mutex_lock(&m->lot_lock);
    m->changing = false;
    (void)pthread_cond_broadcast(&m->lot_begun);
    (void)pthread_mutex_unlock(&m->lot_lock);
}

/* A lot was scanned while all slots were empty: the line ends, and begins again with it. */
static enum fl_err change_lot(struct making *m, struct fl_why *why)
{
    line_free(m->line);
    m->line = NULL;
    (void)pthread_mutex_lock(&m->lot_lock);
    lot_line_free(m->lot_line);
    m->lot_line = NULL;
    json_decref(m->lot_facts);
    m->lot_facts = NULL;
    (void)snprintf(m->lot_name, sizeof m->lot_name, "%s", m->wanted);
    m->wanted[0] = 0;
    m->lot = m->lot_name;
    tally_alarm(board_tally(m->board), NULL);
    tally_stops(board_tally(m->board), NULL, 0);
    int code = make_lot(m);
    (void)pthread_mutex_unlock(&m->lot_lock);
    if (code)
        return fl_fail(why, FL_STATE, "lot %s could not be begun", m->lot);
    title(m);
    enum fl_err err = start_line(m, why);
    lot_begun(m);
    return err;
}

static bool lot_wanted(struct making *m)
{
    (void)pthread_mutex_lock(&m->lot_lock);
    bool wanted = m->wanted[0] != 0;
    (void)pthread_mutex_unlock(&m->lot_lock);
    return wanted;
}

/* True: it ended by itself. Without a line (no lot is open yet) only the time passes. */
static bool line_ended(struct making *m)
{
    struct fl_deadline d = fl_deadline_in_ms(HEALTH_MS);
    if (m->line)
        return line_wait(m->line, d) == FL_OK;
    return fl_wake_sleep(&m->stop, d) == FL_CANCELLED;
}

/* Until the line ends by itself, a signal comes, or the recorder fails. */
static enum fl_err keep_making(struct making *m, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    if (m->station.lots_required && !m->lot)
        tally_alarm(board_tally(m->board), "no lot is open: scan the lot");
    else
        err = start_line(m, why);
    for (size_t i = 0; i < m->n_profiles; i++) /* not before: it would take a processor from the start */
        profile_begin(m->profiles[i]);
    if (!err)
        err = making_facts_kept(m, why);
    while (!err && !line_ended(m)) {
        bool told = fl_wake_sleep(&m->stop, fl_deadline_in_ms(0)) == FL_CANCELLED;
        bool broken = recorder_health(m->recorder, why) != FL_OK;
        if (broken) {
            tally_alarm(board_tally(m->board), why->text);
            journal_line(m->journal, LOG_CRIT, why->text);
        }
        if ((told || broken) && m->line)
            line_cancel(m->line);
        else if (told || broken)
            break;
        else if (lot_wanted(m))
            err = change_lot(m, why);
    }
    line_free(m->line);
    m->line = NULL;
    (void)pthread_mutex_lock(&m->lot_lock);
    m->over = true;
    (void)pthread_mutex_unlock(&m->lot_lock);
    lot_begun(m); /* whoever scanned one in the last moment need not wait */
    return err;
}

static int make(struct making *m)
{
    struct fl_why why = {0};
    int code = show(m);
    if (code)
        return code;
    enum fl_err err = keep_making(m, &why);
    console_stop(m->console); /* gives the terminal back before anything is said */
    m->console = NULL;
    clerk_close(m->clerk);
    m->clerk = NULL;
    if (!err && !recorder_health(m->recorder, &why))
        return results_end(&m->results);
    results_end(&m->results);
    return cli_fail(CLI_STATION, err ? "%s" : "the station stopped: %s", why.text);
}

/* Who stands there and what is scanned; the scanner itself only where a line stays. */
static int open_desk(struct making *m)
{
    struct fl_why why = {0, ""};
    const struct station_scanner *set = &m->station.scanner;
    int *slots = calloc(m->station.n + 1, sizeof *slots);
    for (size_t i = 0; slots && i < m->station.n; i++)
        slots[i] = m->station.slots[i].slot;
    m->desk = slots ? desk_new(m->operator_id, slots, m->station.n) : NULL;
    free(slots);
    m->lot_begun_ok = fl_cond_init(&m->lot_begun) == FL_OK;
    if (!m->desk || !m->lot_begun_ok)
        return cli_fail(CLI_STATION, "out of memory");
    if (m->station.lots_required && !m->lot && (m->mode != LINE_STAY || !set->patterns[SCAN_LOT]))
        return cli_usage(m->verb, "the station file says `lots: required`: give --lot NAME%s",
                         m->mode == LINE_STAY ? ", or a scanner with a pattern for lots" : "");
    bool any = set->port != NULL;
    for (int i = 0; i < SCAN_KINDS; i++)
        any = any || set->patterns[i];
    if (!any)
        return CLI_OK;
    if (scan_patterns_new((const char *const *)set->patterns, &m->patterns, &why))
        return cli_usage(m->verb, "%s", why.text);
    const struct scanner_config c = {.set = set, .code = making_scanned, .damaged = making_scan_damaged, .ctx = m};
    if (m->mode != LINE_STAY || !set->port || (strcmp(set->port, "stdin") == 0 && keyboard(m)))
        return CLI_OK;
    return scanner_open(&c, &m->scanner, &why) ? cli_usage(m->verb, "scanner: %s", why.text) : CLI_OK;
}

static int run(struct making *m)
{
    struct fl_why why = {0};
    int code = begin_station(m);
    if (!code)
        code = load_profiles(m);
    if (!code)
        code = cli_slots_load(m->verb, m->station_path, &m->ports, &m->station);
    if (code)
        return code;
    m->board = board_new(m->station.n);
    if (!m->board || results_init(&m->results, cli_format(m->format), m->station.n))
        return cli_fail(CLI_STATION, "out of memory");
    if (fl_wake_init(&m->stop, &why) || cli_signals_start(&m->signals, on_signal, m, &why))
        return cli_fail(CLI_STATION, "%s", why.text);
    m->signals_on = true;
    if (journal_open(m->journal_path, &m->journal, &why))
        return cli_usage(m->verb, "--journal: %s", why.text);
    code = open_station(m);
    if (!code)
        code = tell_start(m);
    if (!code && m->lot)
        code = make_lot(m);
    if (!code)
        code = make_labels(m);
    if (!code)
        code = open_heads(m);
    if (!code)
        code = open_desk(m);
    if (!code)
        code = open_door(m);
    return code ? code : make(m);
}

static void take_apart(struct making *m)
{
    line_free(m->line);
    scanner_close(m->scanner);
    console_stop(m->console);
    clerk_close(m->clerk);
    web_stop(m->web);
    door_close(m->door);
    labels_close(m->labels);
    labels_close(m->reprints);
    desk_free(m->desk);
    if (m->lot_begun_ok)
        (void)pthread_cond_destroy(&m->lot_begun);
    scan_patterns_free(m->patterns);
    lot_line_free(m->lot_line);
    json_decref(m->lot_facts);
    heads_close(m->heads);
    recorder_close(m->recorder);
    recorder_drop(m->early);
    forget_passphrase(m);
    making_facts_free(m);
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
    struct making m = {.verb = verb, .mode = mode, .lot_lock = PTHREAD_MUTEX_INITIALIZER, .stop = {-1, -1}, .passphrase_fd = CLI_NO_PASSPHRASE};
    const struct cli_opt options[] = {
        {"profile", CLI_LIST, &m.profile_paths}, {"station", CLI_TEXT, &m.station_path},
        {"port", CLI_LIST, &m.ports},           {"data", CLI_TEXT, &m.data},
        {"format", CLI_TEXT, &m.format},        {"operator", CLI_TEXT, &m.operator_id}, {"lot", CLI_TEXT, &m.lot},
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
