/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/redo.h"

#include "base/cursor.h"

#include <string.h>

static void begin(struct fl_buf *b, char what, size_t n)
{
    uint8_t length[4];
    fl_put_u32le(length, (uint32_t)n);
    fl_buf_addc(b, what);
    fl_buf_add(b, length, sizeof length);
}

void redo_add_leaf(struct fl_buf *redo, const void *bytes, size_t n)
{
    begin(redo, 'L', n);
    fl_buf_add(redo, bytes, n);
}

void redo_add_parcels(struct fl_buf *redo, const struct parcel *p, int64_t leaf)
{
    uint8_t index[8];
    fl_put_u64le(index, (uint64_t)leaf);
    for (; p; p = p->next) {
        if (p->id)
            continue;
        size_t kind = strlen(p->kind) + 1, target = strlen(p->target) + 1, job = strlen(p->job) + 1;
        begin(redo, 'P', sizeof index + kind + target + job + p->n);
        fl_buf_add(redo, index, sizeof index);
        fl_buf_add(redo, p->kind, kind);
        fl_buf_add(redo, p->target, target);
        fl_buf_add(redo, p->job, job);
        fl_buf_add(redo, p->bytes, p->n);
    }
}

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

enum fl_err redo_next(const struct fl_buf *redo, size_t *at, struct redo_item *out, struct fl_why *why)
{
    struct fl_cursor c = fl_cursor_of(redo->bytes + *at, redo->len - *at);
    memset(out, 0, sizeof *out);
    if (!c.left)
        return FL_NOT_FOUND;
    out->what = (char)fl_take_u8(&c);
    out->n = fl_take_u32le(&c);
    out->bytes = fl_take(&c, out->n);
    bool ok = !c.bad && (out->what == 'L' || (out->what == 'P' && take_parcel(fl_cursor_of(out->bytes, out->n), out)));
    if (!ok)
        return fl_fail(why, FL_FORMAT, "what the signer kept is not what a station gave it");
    *at = redo->len - c.left;
    return FL_OK;
}
