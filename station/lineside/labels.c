/* SPDX-License-Identifier: Apache-2.0 */
#include "lineside/labels.h"

#include "base/file.h"
#include "base/grow.h"
#include "base/json.h"
#include "lineside/printer.h"
#include "store/folder.h"
#include "store/line_past.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEMPLATE_MAX = 1 << 18, LABEL_MAX = 1 << 19, RECORD_MS = 30000,
       GRACE_MS = 3000, LOOK_MS = 50, REPRINT_MS = 20000 };

struct labels {
    struct labels_config c;
    struct label *label;
    struct outbox_worker *worker;
    /* looked at by the outbox's thread alone */
    bool stuck; /* the last one did not leave */
    int64_t *printed; /* parcels that left, and are not on record yet: not printed again because the recorder was in trouble */
    size_t n_printed, cap_printed;
};

/* ---- sending: on the outbox's thread ------------------------------------------------------------------------- */

/* A label that is sent again, because the station died meanwhile, adds nothing. */
static enum fl_err printed_body(const struct outbox_item *item, json_t *attempt, struct fl_why *why)
{
    uint8_t sha[FL_SHA256_SIZE];
    char text[PARCEL_TARGET_MAX + PARCEL_JOB_MAX + 8], hex[2 * FL_SHA256_SIZE + 1];
    (void)snprintf(text, sizeof text, "label %s %s", item->target, item->job);
    enum fl_err err = fl_sha256(text, strlen(text), sha);
    fl_hex(sha, sizeof sha, hex);
    json_t *more = err ? NULL : json_pack("{ss,ss,ss,sI}", "job", hex, "state", "printed", "printer", item->target, "attempt",
                                          (json_int_t)item->leaf);
    bool bad = !more || json_object_update(attempt, more) != 0;
    json_decref(more);
    return bad ? fl_fail(why, FL_NOMEM, "out of memory") : FL_OK;
}

/* What the attempt's record says of the unit, and that its label left: on record before the outbox says so, which an audit expects
 * (prove/check_outbox.h). A reprint was recorded when it was asked for. */
static enum fl_err record_printed(const struct labels *l, const struct outbox_item *item, struct fl_why *why)
{
    json_t *b = NULL;
    enum fl_err err = line_past_attempt(l->c.data, item->leaf, &b, why);
    if (err)
        return err == FL_ARG ? FL_OK : err;
    err = printed_body(item, b, why);
    struct event *e = err ? NULL : event_new(EVENT_LABEL, json_incref(b), NULL);
    json_decref(b);
    if (!err && !e)
        err = fl_fail(why, FL_NOMEM, "out of memory");
    return err ? err : event_tell(recorder_queue(l->c.recorder), e, fl_deadline_in_ms(RECORD_MS), NULL, why);
}

/* A printer that is off for an hour is told once. */
static void say_how(struct labels *l, enum fl_err sent, const struct fl_why *why)
{
    char text[FL_WHY_MAX + 60];
    bool never = sent == FL_FORMAT || sent == FL_REFUSED;
    if (sent == FL_CANCELLED || !l->c.say || (l->stuck && sent && !never) || (!l->stuck && !sent))
        return;
    if (!sent)
        (void)snprintf(text, sizeof text, "labels leave again");
    else
        (void)snprintf(text, sizeof text, never ? "a label is given up: %s" : "no label leaves, it is tried again: %s",
                       why->text[0] ? why->text : fl_err_text(sent));
    l->stuck = sent != FL_OK;
    l->c.say(l->c.ctx, sent != FL_OK, text);
}

static bool left(const struct labels *l, int64_t id)
{
    size_t i = 0;
    while (i < l->n_printed && l->printed[i] != id)
        i++;
    return i < l->n_printed;
}

static void forget(struct labels *l, int64_t id)
{
    for (size_t i = 0; i < l->n_printed; i++)
        if (l->printed[i] == id)
            l->printed[i--] = l->printed[--l->n_printed];
}

static enum fl_err print(struct labels *l, const struct outbox_item *item, struct fl_wake *stop, struct fl_why *why)
{
    int64_t *more = fl_grow(l->printed, l->n_printed, 1, &l->cap_printed, sizeof *more);
    if (!more)
        return fl_fail(why, FL_NOMEM, "out of memory");
    l->printed = more;
    enum fl_err err = printer_send(item, stop, why);
    say_how(l, err, why);
    if (!err)
        l->printed[l->n_printed++] = item->id;
    return err;
}

/* One that is on record as printed is not printed again: the station died before the outbox said so, or somebody wants another. */
static enum fl_err send_label(void *ctx, const struct outbox_item *item, struct fl_wake *stop, struct fl_why *why)
{
    struct labels *l = ctx;
    bool printed = false;
    enum fl_err err = line_past_label_printed(l->c.data, item->leaf, &printed, why);
    if (err)
        return FL_GONE;
    if (!printed && !left(l, item->id))
        err = print(l, item, stop, why);
    if (err || printed)
        return err;
    err = record_printed(l, item, why);
    /* the recorder takes nothing any more: then it takes no word of the outbox either, and the next start prints it again */
    if (err && err != FL_REFUSED && err != FL_FORMAT)
        return FL_CANCELLED;
    forget(l, item->id);
    return err;
}

/* ---- making ---------------------------------------------------------------------------------------------------- */

static struct label_source source_of(const struct labels_config *c, const struct attempt_facts *f)
{
    struct label_source s = {NULL, NULL, c->station};
    for (size_t i = 0; i < c->n_profiles; i++)
        if (strcmp(c->profiles[i]->hash, f->profile) == 0) {
            s.product = c->profiles[i]->name;
            s.version = c->profiles[i]->version;
        }
    const char *made = *f->lot && c->lot ? fl_json_text(*c->lot, "product") : "";
    if (*made)
        s.product = made;
    return s;
}

enum fl_err labels_ride(void *labels, const struct attempt_facts *f, struct event *e, struct fl_why *why)
{
    struct labels *l = labels;
    struct fl_buf zpl = FL_BUF(LABEL_MAX);
    const struct label_source s = source_of(&l->c, f);
    if (f->purpose && *f->purpose)
        return FL_OK;
    enum fl_err err = label_make(l->label, f, &s, &zpl, why);
    if (!err)
        err = event_parcel(e, "label", l->c.set->printer, NULL, zpl.bytes, zpl.len);
    fl_buf_fini(&zpl);
    return err;
}

enum fl_err labels_reprint(const char *data, struct recorder *r, const char *mac, const char *operator_id, int64_t *leaf,
                           struct fl_why *why)
{
    struct line_past_label old = {.bytes = NULL};
    uint8_t unit[8];
    char text[24];
    if (event_mac_parse(mac, unit) != 6)
        return fl_fail(why, FL_ARG, "'%.40s' is no MAC", mac);
    enum fl_err err = line_past_label(data, unit, &old, why);
    if (err) {
        free(old.bytes);
        return err;
    }
    event_mac_format(unit, 6, text);
    json_t *b = json_pack("{ss,ss,ss,sI}", "state", "reprinted", "mac", text, "printer", old.printer, "attempt",
                          (json_int_t)old.attempt);
    if (b && *operator_id && json_object_set_new(b, "operator", json_string(operator_id)) != 0) {
        json_decref(b);
        b = NULL;
    }
    struct event *e = event_new(EVENT_LABEL, event_with_job(b), NULL);
    err = e ? event_parcel(e, "label", old.printer, NULL, old.bytes, old.n) : FL_NOMEM;
    free(old.bytes);
    if (err) {
        event_free(e);
        return fl_fail(why, err, "%s", fl_err_text(err));
    }
    return event_tell(recorder_queue(r), e, fl_deadline_in_ms(RECORD_MS), leaf, why);
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static enum fl_err load(struct labels *l, struct fl_why *why)
{
    struct fl_buf text = FL_BUF(TEMPLATE_MAX);
    enum fl_err err = fl_file_read(l->c.set->template, &text, why);
    if (!err)
        err = label_parse(l->c.set->template, fl_buf_text(&text), l->c.set->qr, &l->label, why);
    fl_buf_fini(&text);
    if (err)
        return err == FL_NOMEM ? err : FL_FORMAT;
    if (label_uses(l->label, "serial") && !l->c.serials)
        return fl_fail(why, FL_FORMAT, "%s uses {serial}, and units get no serial numbers: the lot's rules have no serial.template, "
                                       "and there is no scanner", l->c.set->template);
    return FL_OK;
}

static enum fl_err start_worker(struct labels *l, struct fl_why *why)
{
    struct folder f;
    const struct outbox_sender sender = {.kind = "label", .ctx = l, .send = send_label, .from_record = true};
    enum fl_err err = folder_paths(l->c.data, &f, why);
    if (err)
        return err;
    err = outbox_start(f.db, l->c.recorder, &sender, &l->worker, why);
    folder_fini(&f);
    return err;
}

enum fl_err labels_send(const char *data, struct recorder *r, struct labels **out, struct fl_why *why)
{
    struct labels *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l)
        return fl_fail(why, FL_NOMEM, "out of memory");
    l->c = (struct labels_config){.data = data, .recorder = r};
    enum fl_err err = start_worker(l, why);
    if (err)
        labels_close(l);
    else
        *out = l;
    return err;
}

enum fl_err labels_gone(const struct labels *l, int64_t leaf, bool *gone, struct fl_why *why)
{
    struct fl_deadline d = fl_deadline_in_ms(REPRINT_MS);
    unsigned n = 1;
    bool waits = true;
    enum fl_err err = FL_OK;
    while (!err && n && waits && !fl_deadline_passed(d)) {
        err = fl_wake_sleep(NULL, fl_deadline_in_ms(LOOK_MS));
        if (!err)
            err = line_past_labels_untried(l->c.data, &n, why);
        if (!err)
            err = line_past_label_waits(l->c.data, leaf, &waits, why);
    }
    *gone = !waits;
    return err;
}

enum fl_err labels_open(const struct labels_config *c, struct labels **out, struct fl_why *why)
{
    *out = NULL;
    if (!c->set->printer)
        return FL_OK;
    struct labels *l = calloc(1, sizeof *l);
    if (!l)
        return fl_fail(why, FL_NOMEM, "out of memory");
    l->c = *c;
    enum fl_err err = load(l, why);
    if (!err)
        err = start_worker(l, why);
    if (err)
        labels_close(l);
    else
        *out = l;
    return err;
}

const char *labels_want_serials(const struct labels *l)
{
    return l && label_uses(l->label, "serial") ? l->c.set->template : NULL;
}

/* The last units' labels were made a moment ago: a printer that is on takes them before the line ends. */
static void let_go(const struct labels *l)
{
    struct fl_deadline d = fl_deadline_in_ms(GRACE_MS);
    unsigned n = 0;
    while (l->worker && line_past_labels_untried(l->c.data, &n, NULL) == FL_OK && n && !fl_deadline_passed(d))
        if (fl_wake_sleep(NULL, fl_deadline_in_ms(LOOK_MS)))
            break;
}

void labels_close(struct labels *l)
{
    if (!l)
        return;
    let_go(l);
    outbox_stop(l->worker);
    label_free(l->label);
    free(l->printed);
    free(l);
}
