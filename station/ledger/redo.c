/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/redo.h"

#include "base/cursor.h"

#include <string.h>

/* ---- writing -------------------------------------------------------------------------------------------- */

static void begin(struct fl_buf *b, enum redo_what what, size_t n)
{
    uint8_t length[4];
    fl_put_u32le(length, (uint32_t)n);
    fl_buf_addc(b, (char)what);
    fl_buf_add(b, length, sizeof length);
}

static void add_u64(struct fl_buf *b, uint64_t v)
{
    uint8_t p[8];
    fl_put_u64le(p, v);
    fl_buf_add(b, p, sizeof p);
}

static void add_text(struct fl_buf *b, const char *text)
{
    fl_buf_add(b, text, strlen(text) + 1);
}

void redo_add_leaf(struct fl_buf *redo, const void *bytes, size_t n)
{
    if (!redo)
        return;
    begin(redo, REDO_LEAF, n);
    fl_buf_add(redo, bytes, n);
}

static void add_parcel(struct fl_buf *redo, const struct parcel *p, int64_t leaf)
{
    begin(redo, REDO_PARCEL, 8 + strlen(p->kind) + strlen(p->target) + strlen(p->job) + 3 + p->n);
    add_u64(redo, (uint64_t)leaf);
    add_text(redo, p->kind);
    add_text(redo, p->target);
    add_text(redo, p->job);
    fl_buf_add(redo, p->bytes, p->n);
}

static void add_result(struct fl_buf *redo, const struct parcel *p)
{
    begin(redo, REDO_RESULT, 8 + 1 + 8 + strlen(p->why) + 1);
    add_u64(redo, (uint64_t)p->id);
    fl_buf_addc(redo, (char)p->state);
    add_u64(redo, (uint64_t)p->next_ms);
    add_text(redo, p->why);
}

void redo_add_parcels(struct fl_buf *redo, const struct parcel *p, int64_t leaf)
{
    for (; redo && p; p = p->next) {
        if (p->id)
            add_result(redo, p);
        else
            add_parcel(redo, p, leaf);
    }
}

void redo_add_person(struct fl_buf *redo, const struct person *p)
{
    if (!redo)
        return;
    begin(redo, REDO_PERSON, strlen(p->tag) + strlen(p->name) + 2 + sizeof p->salt);
    add_text(redo, p->tag);
    add_text(redo, p->name);
    fl_buf_add(redo, p->salt, sizeof p->salt);
}

void redo_add_forgotten(struct fl_buf *redo, const char *tag)
{
    if (!redo)
        return;
    begin(redo, REDO_FORGOTTEN, strlen(tag) + 1);
    add_text(redo, tag);
}

/* ---- reading -------------------------------------------------------------------------------------------- */

static bool take_text(struct fl_cursor *c, char *to, size_t cap)
{
    const uint8_t *end = c->left ? memchr(c->p, 0, c->left) : NULL;
    size_t n = end ? (size_t)(end - c->p) + 1 : 0;
    if (!end || n > cap)
        return false;
    memcpy(to, fl_take(c, n), n);
    return true;
}

static bool take_parcel(struct fl_cursor c, struct redo_item *out)
{
    struct parcel *p = &out->parcel;
    out->leaf = (int64_t)fl_take_u64le(&c);
    if (c.bad || !take_text(&c, p->kind, sizeof p->kind) || !take_text(&c, p->target, sizeof p->target) ||
        !take_text(&c, p->job, sizeof p->job))
        return false;
    p->bytes = (uint8_t *)(uintptr_t)c.p;
    p->n = c.left;
    return true;
}

static bool take_result(struct fl_cursor c, struct redo_item *out)
{
    struct parcel *p = &out->parcel;
    p->id = (int64_t)fl_take_u64le(&c);
    uint8_t state = fl_take_u8(&c);
    p->state = (enum parcel_state)state;
    p->next_ms = (int64_t)fl_take_u64le(&c);
    return !c.bad && p->id > 0 && state <= PARCEL_GIVEN_UP && take_text(&c, p->why, sizeof p->why) && !c.left;
}

static bool take_person(struct fl_cursor c, struct redo_item *out)
{
    struct person *p = &out->person;
    if (!take_text(&c, p->tag, sizeof p->tag) || !take_text(&c, p->name, sizeof p->name) || c.left != sizeof p->salt)
        return false;
    memcpy(p->salt, c.p, sizeof p->salt);
    return true;
}

static bool take_item(struct redo_item *out)
{
    struct fl_cursor c = fl_cursor_of(out->bytes, out->n);
    switch (out->what) {
    case REDO_LEAF:
        return true;
    case REDO_PARCEL:
        return take_parcel(c, out);
    case REDO_RESULT:
        return take_result(c, out);
    case REDO_PERSON:
        return take_person(c, out);
    case REDO_FORGOTTEN:
        return take_text(&c, out->person.tag, sizeof out->person.tag) && !c.left;
    }
    return false;
}

enum fl_err redo_next(const struct fl_buf *redo, size_t *at, struct redo_item *out, struct fl_why *why)
{
    struct fl_cursor c = fl_cursor_of(redo->bytes + *at, redo->len - *at);
    memset(out, 0, sizeof *out);
    if (!c.left)
        return FL_NOT_FOUND;
    out->what = (enum redo_what)fl_take_u8(&c);
    out->n = fl_take_u32le(&c);
    out->bytes = fl_take(&c, out->n);
    if (c.bad || !take_item(out))
        return fl_fail(why, FL_FORMAT, "what the signer kept is not what a station gave it");
    *at = redo->len - c.left;
    return FL_OK;
}

bool redo_holds(const struct fl_buf *redo, enum redo_what what)
{
    struct redo_item item;
    size_t at = 0;
    while (redo_next(redo, &at, &item, NULL) == FL_OK)
        if (item.what == what)
            return true;
    return false;
}
