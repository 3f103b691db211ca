/* SPDX-License-Identifier: Apache-2.0
 * First contact: reset into the loader, SYNC, and, when nobody answers, what the evidence says. */
#include "esp/carry.h"
#include "esp/session.h"

#include <stdio.h>
#include <string.h>

enum {
    CONNECT_BAUD = 115200, /* the ROM measures the speed, but logs at this one; never sync above it */
    SLOW_BAUD = 57600,
    LOG_BAUD = 74880, /* an ESP8266's ROM logs at this one, and a C2's with a crystal of 26 MHz */
    LOG_MS = 1200,    /* a chip that finds nothing to start begins again each second */
    ATTEMPTS = 7,
    SLOW_ATTEMPTS = 4, /* each way of resetting once */
    SYNCS = 5,        /* in one attempt */
    AN_ANSWER = 12,   /* bytes: a SYNC's, without its status */
    SYNCS_SILENT = 3, /* when not a byte came: nobody is there, and empty slots are polled */
    LINES_MS = 2000,
};

uint32_t esp_connect_baud(const struct esp *e)
{
    return e->tune.baud && e->tune.baud < CONNECT_BAUD ? e->tune.baud : CONNECT_BAUD;
}

/* ---- one reset ---------------------------------------------------------------------------------- */

/* A port that does not do what it is told, in its time: not the chip's silence. */
static enum fl_err port_fails(struct esp *e, enum fl_err err, const char *doing)
{
    if (err == FL_TIMEOUT)
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_PORT_FAILED, FL_IO, "%s: %s", doing, link_why(e->link)->text);
    return err ? esp_fail_link(e, err, doing) : FL_OK;
}

/* Towards the application nothing is read: what is heard is the application's, and its first byte ends a wait. */
static enum fl_err play(struct esp *e, const struct reset_sequence *seq, bool into_app)
{
    enum fl_err err = FL_OK;
    for (size_t i = 0; i < seq->n && !err; i++) {
        const struct reset_step *s = &seq->steps[i];
        if (s->dtr == LINK_KEEP && s->rts == LINK_KEEP && into_app)
            err = wire_await_app(e, s->wait_ms);
        else if (s->dtr == LINK_KEEP && s->rts == LINK_KEEP)
            err = wire_listen(e, s->wait_ms);
        else
            err = link_set_lines(e->link, s->dtr, s->rts, fl_deadline_in_ms(LINES_MS));
    }
    return err;
}

static enum fl_err play_text(struct esp *e, const char *text, bool into_app)
{
    struct reset_sequence seq;
    struct fl_why why;
    enum fl_err err = reset_parse(text, &seq, &why);
    if (err)
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_INTERNAL, err, "%s", why.text);
    return port_fails(e, play(e, &seq, into_app), "setting DTR and RTS");
}

enum fl_err esp_play(struct esp *e, const char *text)
{
    return play_text(e, text, false);
}

enum fl_err esp_play_into_app(struct esp *e, const char *text)
{
    return play_text(e, text, true);
}

/* Without lines there is nothing to play; with a name or a sequence in the configuration only that. */
static const char *sequence(const struct esp *e, unsigned attempt)
{
    const char *setting = e->config.reset ? e->config.reset : "auto";
    if (!link_info(e->link)->has_lines || strcmp(setting, "none") == 0)
        return NULL;
    if (strcmp(setting, "auto") != 0) {
        const struct reset_strategy *s = reset_named(setting);
        return s ? s->text : setting;
    }
    const char *const *cycle = reset_cycle(link_info(e->link));
    unsigned n = 0;
    while (cycle[n])
        n++;
    return reset_named(cycle[attempt % n])->text;
}

/* ---- one attempt -------------------------------------------------------------------------------- */

static enum fl_err sync_some(struct esp *e, bool *stub)
{
    enum fl_err err = FL_TIMEOUT;
    uint64_t before = link_counters(e->link).bytes_in;
    e->unsent = false;
    for (int i = 0; i < SYNCS && err == FL_TIMEOUT; i++) {
        if (e->unsent || (i == SYNCS_SILENT && e->text.total == e->text_mark &&
                          link_counters(e->link).bytes_in == before))
            break;
        err = esp_sync(e, e->times.sync, stub);
    }
    return err == FL_TIMEOUT && e->unsent ? port_fails(e, err, "sending SYNC") : err;
}

static enum fl_err discard(struct esp *e)
{
    enum fl_err err = link_discard(e->link);
    wire_forget(e);
    return port_fails(e, err, "throwing away what was received");
}

/* "waiting for download" is the last line of a loader that listens. Boards that are silent, or log at another speed,
 * are given the time in which the others would have said it. */
static bool listens(const struct esp *e)
{
    size_t n;
    const uint8_t *p = text_since(&e->text, e->text_mark, &n);
    return text_read(p, n).waiting;
}

/* A short pulse and no fixed wait: the strap stays low until the loader has answered. FL_TIMEOUT: it did not, and the
 * usual sequences have their turn. */
static enum fl_err quick_attempt(struct esp *e, bool *stub)
{
    const char *text = reset_quick(link_info(e->link));
    enum fl_err err = discard(e);
    e->resets++;
    if (!err)
        err = esp_play(e, text);
    if (!err)
        err = wire_hear(e, e->times.boot, listens);
    if (!err)
        err = esp_sync(e, e->times.sync, stub);
    enum fl_err released = err == FL_OK || err == FL_TIMEOUT ? esp_play(e, "D0") : FL_OK;
    return released ? released : err;
}

static bool wants_quick(const struct esp *e)
{
    const char *setting = e->config.reset ? e->config.reset : "auto";
    return !e->tune.slow_reset && e->strategy == 0 && strcmp(setting, "auto") == 0 && link_info(e->link)->has_lines &&
           reset_quick(link_info(e->link));
}

static enum fl_err attempt(struct esp *e, const char *reset, bool *stub)
{
    enum fl_err err = discard(e);
    e->resets += reset != NULL;
    if (!err && reset)
        err = esp_play(e, reset);
    else if (!err) /* a stub of an earlier session may sit in the middle of a frame */
        err = wire_break(e);
    return err ? err : sync_some(e, stub);
}

/* A stub that an earlier session left running listens at that session's speed. */
static enum fl_err look_at_other_speeds(struct esp *e, bool *stub)
{
    uint32_t speeds[ESP_STEP_DOWN_MAX + 1] = {e->config.baud};
    memcpy(speeds + 1, e->config.step_down, sizeof e->config.step_down);
    enum fl_err err = FL_TIMEOUT;
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds && err == FL_TIMEOUT; i++) {
        if (speeds[i] == 0 || speeds[i] == CONNECT_BAUD)
            continue;
        err = link_set_baud(e->link, speeds[i], fl_deadline_in_ms(LINES_MS));
        if (err == FL_REFUSED || err == FL_UNSUPPORTED) {
            err = FL_TIMEOUT;
            continue;
        }
        err = port_fails(e, err, "setting the speed");
        if (!err)
            err = wire_break(e);
        if (!err)
            err = esp_sync(e, e->times.sync, stub);
    }
    return err;
}

/* ---- diagnosis ---------------------------------------------------------------------------------- */

static const char *straps(const struct esp *e)
{
    const struct chip *c = e->chip ? e->chip : e->config.chip ? chip_by_name(e->config.chip) : NULL;
    return c ? c->straps : "the boot strap low";
}

static enum fl_err diagnose(struct esp *e, unsigned attempts)
{
    size_t n;
    const uint8_t *p = text_since(&e->text, e->text_mark, &n);
    struct text_signs s = text_read(p, n);
    char quote[TEXT_QUOTE];
    text_quote(p, n, quote);
    bool lines = sequence(e, 0) != NULL;
    const char *hint = lines ? "" : "; no reset lines are used here";
#define NOBODY(fault, ...) esp_fail(e, TROUBLE_SYNC, ESP_FAULT_##fault, FL_TIMEOUT, __VA_ARGS__)
    if (s.brownout)
        return NOBODY(BOARD_BROWNOUT, "no answer to SYNC in %u attempts; the chip said \"%s\"",
                      attempts, quote);
    if (e->refusal.known)
        return esp_fail(e, TROUBLE_SYNC, packet_status_damaged(e->refusal) ? ESP_FAULT_LINK_DAMAGED : ESP_FAULT_CHIP_REFUSED,
                        FL_TIMEOUT, "SYNC is refused with %02x %02x (%s) in %u attempts", e->refusal.code, e->refusal.error,
                        packet_status_text(e->refusal), attempts);
    char text[CARRY_TEXT];
    if (carry_seven_bits(p, n) && carry_text(&(struct carry){.seven_bits = true}, text))
        return NOBODY(LINK_TRANSLATED, "%s; no answer to SYNC in %u attempts", text, attempts);
    if (s.waiting && e->echoes == 0 && (e->frames > 0 || s.behind >= AN_ANSWER))
        return NOBODY(LINK_NOISE, "the loader says \"waiting for download\" and answers SYNC with %zu bytes and %u frames "
                                  "that make no sense, in %u attempts: its bytes are changed on the way",
                      s.behind, e->frames, attempts);
    const char *says = s.waiting ? "waiting for download" : "DOWNLOAD";
    if (s.download && e->echoes == 0 && e->unit.chip)
        return NOBODY(LINK_DAMAGED, "the loader says \"%s\" and does not answer SYNC in %u attempts, but was answering before: what is "
                                    "sent gets lost on the way", says, attempts);
    if (s.download && e->echoes == 0) /* without its highest bit no C0 arrives, so no frame ever begins: a wire of its own kind of dead */
        return NOBODY(LINK_TX_DEAD, "the loader says \"%s\" and does not answer SYNC in %u attempts: what is sent does not arrive, or "
                                    "without its highest bits (a port of 7 data bits)", says, attempts);
    if (s.panic)
        return NOBODY(BOARD_PANIC, "no answer to SYNC in %u attempts; the chip said \"%s\"", attempts,
                      quote);
    if (s.boot_code >= 0)
        return NOBODY(BOOT_MODE, "the chip started with boot:0x%02x in %u attempts; the loader needs "
                                 "%s at reset%s", (unsigned)s.boot_code, attempts, straps(e), hint);
    if (e->echoes > 0)
        return NOBODY(LINK_ECHO, "%u of our own frames came back, and no answer", e->echoes);
    if (s.printable)
        return NOBODY(BOARD_APP, "%zu bytes of text instead of an answer, at the end \"%s\"%s", n,
                      quote, hint);
    if (e->syncs > 0)
        return NOBODY(LINK_NOISE, "%u answers to SYNC came, and none whole within %u ms of its question", e->syncs, e->times.sync);
    if (n > 0 || e->frames > 0)
        return NOBODY(LINK_NOISE, "%zu bytes and %u frames came that make no sense, at %u baud", n,
                      e->frames, link_baud(e->link));
    if (e->unit.chip) /* a board that is there, and was well when it began */
        return NOBODY(CHIP_SILENT, "the loader answered before; now not one byte came in %u attempts%s",
                      attempts, hint);
    return NOBODY(LINK_SILENT, "not one byte came in %u attempts%s", attempts, hint);
#undef NOBODY
}

/* ---- the stage ---------------------------------------------------------------------------------- */

static enum fl_err to_connect_speed(struct esp *e)
{
    enum fl_err err = link_set_baud(e->link, esp_connect_baud(e), fl_deadline_in_ms(LINES_MS));
    return err == FL_UNSUPPORTED ? FL_OK : port_fails(e, err, "setting the speed");
}

static enum fl_err attempts(struct esp *e, unsigned most, unsigned *made, bool *stub)
{
    bool quick = wants_quick(e);
    enum fl_err err = quick ? quick_attempt(e, stub) : FL_TIMEOUT;
    *made = 0;
    if (!err)
        return FL_OK;
    e->text_mark = err == FL_TIMEOUT && quick ? e->text.total : e->text_mark; /* the next reset tells anew */
    for (*made = 0; *made < most && err == FL_TIMEOUT && !fl_deadline_passed(e->limit); (*made)++) {
        err = attempt(e, sequence(e, e->strategy + *made), stub);
        if (!err) {
            e->strategy += *made;
            e->tune.slow_reset = e->tune.slow_reset || quick;
        }
    }
    if (err == FL_TIMEOUT && !sequence(e, 0) && link_info(e->link)->has_speed)
        err = look_at_other_speeds(e, stub);
    return err;
}

/* Bytes came, and no sense in them: what garbles them at the usual speed may carry half of it. The ROM takes the speed
 * of SYNC. Found so, the session and the slot stay at it. */
static bool slower_may_do(const struct esp *e)
{
    return e->problem.fault == ESP_FAULT_LINK_NOISE && link_info(e->link)->has_speed && sequence(e, 0) &&
           e->usb == USB_NONE && esp_connect_baud(e) == CONNECT_BAUD && !fl_deadline_passed(e->limit);
}

static enum fl_err slower(struct esp *e, bool *stub)
{
    struct esp_problem was = e->problem;
    uint32_t usual = e->tune.baud;
    unsigned made = 0;
    e->tune.baud = SLOW_BAUD;
    enum fl_err err = to_connect_speed(e);
    if (!err)
        err = attempts(e, SLOW_ATTEMPTS, &made, stub);
    if (!err) {
        esp_rung(e, ESP_RUNG_BAUD_DOWN, SLOW_BAUD, "%s; %u baud", was.text, SLOW_BAUD);
        return FL_OK;
    }
    e->tune.baud = usual;
    if (err == FL_TIMEOUT)
        e->problem = was;
    return err;
}

static bool tells_start(const struct esp *e)
{
    size_t n;
    const uint8_t *p = text_since(&e->text, e->text_mark, &n);
    return text_read(p, n).boot_code >= 0;
}

/* Nobody answers, and what came makes no sense: it may be the log of a chip that was not reset into its loader, at the speed of
 * its own. Then that is the verdict; else it stands. */
static enum fl_err hear_log(struct esp *e, unsigned made)
{
    struct esp_problem was = e->problem;
    const char *reset = sequence(e, e->strategy);
    if (was.fault != ESP_FAULT_LINK_NOISE || !link_info(e->link)->has_speed || !reset || e->usb != USB_NONE || e->syncs > 0 ||
        listens(e) || fl_deadline_passed(e->limit))
        return FL_TIMEOUT;
    enum fl_err err = link_set_baud(e->link, LOG_BAUD, fl_deadline_in_ms(LINES_MS));
    if (err == FL_REFUSED || err == FL_UNSUPPORTED)
        return FL_TIMEOUT;
    e->text_mark = e->text.total;
    if (!err)
        err = discard(e);
    if (!err)
        err = esp_play(e, reset);
    if (!err)
        err = wire_hear(e, LOG_MS, tells_start);
    if (!err && tells_start(e)) {
        e->frames = e->echoes = 0;
        (void)diagnose(e, made);
    } else if (!err || err == FL_TIMEOUT) {
        e->problem = was;
    }
    return err ? err : FL_TIMEOUT;
}

enum fl_err esp_stage_connect(struct esp *e)
{
    e->work = WORK_TALK;
    e->stub = e->greeted = e->restarted = e->early = false;
    e->echoes = e->frames = e->syncs = e->unasked = 0;
    e->refusal = (struct packet_status){0};
    e->resets = 0;
    const uint64_t before = e->text_mark = e->text.total;
    memset(e->loaded, 0, sizeof e->loaded);
    bool stub = false;
    unsigned made = 0;
    enum fl_err err = to_connect_speed(e);
    if (!err)
        err = attempts(e, e->config.connect_attempts ? e->config.connect_attempts : ATTEMPTS, &made,
                       &stub);
    if (err == FL_TIMEOUT) {
        wire_forget(e);
        err = diagnose(e, made);
        if (slower_may_do(e))
            err = slower(e, &stub);
        if (err == FL_TIMEOUT)
            err = hear_log(e, made);
        if (err == FL_TIMEOUT)
            return err;
    }
    if (err)
        return e->trouble == TROUBLE_DEAD && e->problem.err == err
                   ? err
                   : esp_fail_link(e, err, "connecting");
    e->stub = stub;
    size_t n;
    const uint8_t *p = text_since(&e->text, before, &n);
    unsigned heard = text_boots(p, n);
    e->boots_due = e->resets > heard ? e->resets - heard : 0;
    e->text_mark = e->text.total;
    e->restarted = false;
    return FL_OK;
}
