/* SPDX-License-Identifier: Apache-2.0
 * attempt.c: one attempt's facts as the bodies of its two leaves (members: event.h). */
#include "event/event.h"

#include <string.h>

/* A body under construction: the first failure sticks, so that a builder adds all and asks once. */
struct body {
    json_t *o;
    bool bad;
};

static void add(struct body *b, const char *key, json_t *v)
{
    if (!v || b->bad || json_object_set_new(b->o, key, v) != 0)
        b->bad = true;
}

static void add_int(struct body *b, const char *key, int64_t v)
{
    add(b, key, json_integer((json_int_t)v));
}

static void add_int_if(struct body *b, const char *key, int64_t v)
{
    if (v)
        add_int(b, key, v);
}

/* Text that may come from outside (USB descriptors, sentences with a chip's words): made clean. */
static void add_text(struct body *b, const char *key, const char *s)
{
    if (s && *s && fl_json_set_dirty(b->o, key, s, strlen(s)) != FL_OK)
        b->bad = true;
}

static void add_mac(struct body *b, const char *key, bool has, const uint8_t *mac, size_t n)
{
    char text[24];
    if (has) {
        event_mac_format(mac, n, text);
        add_text(b, key, text);
    }
}

static json_t *finish(struct body *b)
{
    if (b->bad) {
        json_decref(b->o);
        return NULL;
    }
    return b->o;
}

static void add_head(struct body *b, const struct attempt_facts *f)
{
    add_text(b, "job", f->job);
    add_int(b, "slot", f->slot);
    add_text(b, "port", f->port);
    add_text(b, "profile", f->profile);
    add_text(b, "operator", f->operator_id);
    add_text(b, "lot", f->lot);
    add_text(b, "chip", f->chip);
    add_mac(b, "mac", f->has_mac, f->mac, 6);
    add_text(b, "purpose", f->purpose);
    add_text(b, "serial", f->serial);
}

json_t *event_attempt_start_body(const struct attempt_facts *f)
{
    struct body b = {json_object(), false};
    b.bad = !b.o;
    add_head(&b, f);
    return finish(&b);
}

static json_t *steps_of(const struct attempt_facts *f)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < f->n_steps; i++) {
        const struct attempt_step *t = &f->steps[i];
        if (json_array_append_new(list, t->rungs ? json_pack("[sII]", t->name, (json_int_t)t->ms, (json_int_t)t->rungs)
                                                 : json_pack("[sI]", t->name, (json_int_t)t->ms)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *rungs_of(const struct attempt_facts *f)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < f->n_rungs; i++) {
        const struct attempt_rung *r = &f->rungs[i];
        json_t *v = json_pack("[ssII]", r->name, r->cause, (json_int_t)r->value, (json_int_t)r->count);
        bool ok = v && (!r->step || json_array_append_new(v, json_string(r->step)) == 0);
        if (json_array_append_new(list, v) != 0 || !ok) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *region_of(const struct attempt_region *r)
{
    char md5[33], found[33];
    fl_hex(r->md5, 16, md5);
    json_t *v = json_pack("[IIss#]", (json_int_t)r->offset, (json_int_t)r->size, md5, &r->state, 1);
    if (v && (r->state == 'b' || r->state == 'v' || r->state == 's') &&
        memcmp(r->md5, r->md5_found, 16) != 0) {
        fl_hex(r->md5_found, 16, found);
        if (json_array_append_new(v, json_string(found)) != 0) {
            json_decref(v);
            return NULL;
        }
    }
    return v;
}

static json_t *regions_of(const struct attempt_facts *f)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < f->n_regions; i++)
        if (json_array_append_new(list, region_of(&f->regions[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *hooks_of(const struct attempt_facts *f)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < f->n_hooks; i++) {
        const struct attempt_hook *h = &f->hooks[i];
        json_t *text = json_object(); /* what a program says may be any bytes: made clean */
        json_t *v = text && !fl_json_set_dirty(text, "output", h->output, h->output_n)
                        ? json_pack("[siIO]", h->name, h->exit, (json_int_t)h->ms, json_object_get(text, "output"))
                        : NULL;
        json_decref(text);
        if (json_array_append_new(list, v) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* 3300000 millionths with limits 3200000 and 4300000 is 33, 32, 43 at scale -1. */
static json_t *measure_of(const struct attempt_measure *m)
{
    int64_t v = m->value, low = m->has_low ? m->low : 0, high = m->has_high ? m->high : 0;
    int scale = -6;
    for (; scale < 0 && v % 10 == 0 && low % 10 == 0 && high % 10 == 0; scale++) {
        v /= 10;
        low /= 10;
        high /= 10;
    }
    return json_pack("[sIisoos]", m->name, (json_int_t)v, scale, m->unit,
                     m->has_low ? json_integer((json_int_t)low) : json_null(),
                     m->has_high ? json_integer((json_int_t)high) : json_null(), m->verdict);
}

static json_t *measures_of(const struct attempt_facts *f)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < f->n_measures; i++)
        if (json_array_append_new(list, measure_of(&f->measures[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static void add_bridge(struct body *b, const struct attempt_facts *f)
{
    struct body bridge = {json_object(), false};
    bridge.bad = !bridge.o;
    char id[10];
    if (f->bridge_vid) {
        (void)snprintf(id, sizeof id, "%04x:%04x", f->bridge_vid & 0xffffu, f->bridge_pid & 0xffffu);
        add_text(&bridge, "id", id);
    }
    add_text(&bridge, "path", f->bridge_path);
    add_text(&bridge, "driver", f->bridge_driver);
    add_text(&bridge, "serial", f->bridge_serial);
    add_text(&bridge, "product", f->bridge_product);
    add_int_if(&bridge, "mbps", f->bridge_mbps);
    add_int_if(&bridge, "latency_ms", f->bridge_latency_ms);
    if (f->bridge_slow || f->bridge_fast)
        add_int(&bridge, "low_latency", f->bridge_fast);
    json_t *o = finish(&bridge);
    if (o && json_object_size(o) == 0)
        json_decref(o);
    else
        add(b, "bridge", o);
}

static json_t *cells_of(const struct attempt_damage *d)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < d->n_cells; i++) {
        const struct attempt_cell *c = &d->cells[i];
        if (json_array_append_new(list, json_pack("[IIII]", (json_int_t)c->baud, (json_int_t)c->bytes, (json_int_t)c->sent,
                                                  (json_int_t)c->refused)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* A clean line says nothing. */
static void add_damage(struct body *b, const struct attempt_damage *d)
{
    if (d->refused + d->silent + d->cut == 0)
        return;
    struct body o = {json_object(), false};
    o.bad = !o.o;
    add_int_if(&o, "refused", (int64_t)d->refused);
    add_int_if(&o, "lost", (int64_t)d->lost);
    add_int_if(&o, "changed", (int64_t)d->changed);
    add_int_if(&o, "silent", (int64_t)d->silent);
    add_int_if(&o, "cut", (int64_t)d->cut);
    if (d->n_cells)
        add(&o, "blocks", cells_of(d));
    add(b, "damage", finish(&o));
}

json_t *event_attempt_result_body(const struct attempt_facts *f)
{
    struct body b = {json_object(), false};
    b.bad = !b.o;
    add_head(&b, f);
    add_mac(&b, "eui64", f->has_eui64, f->eui64, 8);
    add_text(&b, "outcome", outcome_name(f->outcome));
    add_text(&b, "fault", f->fault);
    add_text(&b, "step", f->outcome == OUTCOME_PASS ? "" : f->step);
    add_text(&b, "why", f->why);
    if (f->tries > 1)
        add_int(&b, "tries", f->tries);
    if (f->chip[0])
        add_int(&b, "revision", f->revision);
    add_int_if(&b, "flash_id", f->flash_id);
    add_int_if(&b, "flash_size", (int64_t)f->flash_size);
    if (f->secure_boot >= 0)
        add_int(&b, "secure_boot", f->secure_boot);
    if (f->flash_encryption >= 0)
        add_int(&b, "flash_encryption", f->flash_encryption);
    if (f->secure_download)
        add_int(&b, "secure_download", 1);
    if (f->jtag_off)
        add_int(&b, "jtag_off", 1);
    if (f->has_security_flags)
        add_int(&b, "security_flags", f->security_flags);
    add_text(&b, "loader", f->stub);
    add_int_if(&b, "baud", f->baud);
    add_int_if(&b, "bytes_out", (int64_t)f->bytes_out);
    add_int_if(&b, "bytes_in", (int64_t)f->bytes_in);
    add_int_if(&b, "plain_bytes", (int64_t)f->plain_bytes);
    add_int(&b, "start_ms", f->start_ms);
    add_int(&b, "ms", f->duration_ms);
    add_bridge(&b, f);
    if (f->n_steps)
        add(&b, "steps", steps_of(f));
    if (f->n_rungs)
        add(&b, "rungs", rungs_of(f));
    add_damage(&b, &f->damage);
    if (f->n_regions)
        add(&b, "regions", regions_of(f));
    if (f->n_hooks)
        add(&b, "hooks", hooks_of(f));
    if (f->n_measures)
        add(&b, "measures", measures_of(f));
    /* of a program that came up, the end of what it said is enough: there stands what was waited for */
    size_t said = f->outcome == OUTCOME_PASS && f->boot_text_n > ATTEMPT_PASS_TEXT_MAX ? ATTEMPT_PASS_TEXT_MAX : f->boot_text_n;
    if (said && fl_json_set_dirty(b.o, "boot_text", f->boot_text + f->boot_text_n - said, said) != FL_OK)
        b.bad = true;
    return finish(&b);
}

static bool hex_of(const char *text, size_t digits)
{
    size_t n = 0;
    for (; *text; text++)
        if (strchr("0123456789abcdef", *text))
            n++;
        else if (*text != '-')
            return false;
    return n == digits;
}

/* What the tables of db/ would refuse, and what bodies can say at all: anything else of the facts fits as it is. */
static bool fits_rows(const struct attempt_facts *f)
{
    static const char *const purposes[] = {"", "golden", "known_bad", "dry_run"};
    bool known = !f->purpose;
    for (size_t i = 0; i < sizeof purposes / sizeof *purposes && !known; i++)
        known = strcmp(f->purpose, purposes[i]) == 0;
    for (size_t i = 0; i < f->n_steps && known; i++)
        known = f->steps[i].name && *f->steps[i].name;
    return known && hex_of(f->job, 32) && (!*f->profile || hex_of(f->profile, 64)) && (unsigned)f->outcome <= OUTCOME_INTERRUPTED &&
           f->secure_boot <= 1 && f->flash_encryption <= 1;
}

struct event *event_attempt(enum event_kind kind, const struct attempt_facts *f, struct event_ticket *t)
{
    struct event *e = event_new(kind, kind == EVENT_ATTEMPT_START ? event_attempt_start_body(f) : event_attempt_result_body(f), t);
    if (e)
        e->typed = fits_rows(f);
    return e;
}

json_t *event_tuning_body(const struct attempt_facts *f, const struct event_tuning *t)
{
    struct body b = {json_object(), false};
    char job[EVENT_JOB_TEXT];
    b.bad = !b.o || event_job(job) != FL_OK;
    if (!b.bad)
        add_text(&b, "job", job);
    add_int(&b, "slot", f->slot);
    add_text(&b, "port", f->port);
    add_bridge(&b, f);
    add_text(&b, "what", t->what);
    add_int_if(&b, "baud", t->baud);
    add_int_if(&b, "ram_block", t->ram_block);
    add_int_if(&b, "flash_block", t->flash_block);
    add_int_if(&b, "burst", t->burst);
    add_int_if(&b, "gap_us", t->gap_us);
    add_int_if(&b, "rom_only", t->rom_only);
    add_int_if(&b, "slow_reset", t->slow_reset);
    add_int_if(&b, "late_speed", t->late_speed);
    return finish(&b);
}
