/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/fault.h"

#include <string.h>

const struct sim_fault_row sim_fault_rows[SIM_FAULT_KINDS] = {
#define X(id, name_, kind, text_) [SIM_FAULT_##id] = {name_, SIM_FAULT_##kind, text_},
    SIM_FAULT_LIST(X)
#undef X
};

struct sim_fault sim_fault_of(enum sim_fault_kind kind)
{
    return (struct sim_fault){
        .kind = kind, .dir = SIM_TO_CHIP, .op = SIM_OP_ANY, .at = SIM_AT_ANY, .byte = -1, .code = -1,
        .count = sim_fault_rows[kind].class_ == SIM_FAULT_H || sim_fault_rows[kind].class_ == SIM_FAULT_T ? 0 : 1, .ms = 1000,
        .rate = kind == SIM_FAULT_BAUD_LIMIT ? 0.01 : 0,
    };
}

static bool spent(const struct sim_fault *f)
{
    return f->count != 0 && f->fired >= f->count;
}

static bool lucky(const struct sim_fault *f, struct sim_rng *rng)
{
    return f->rate == 0 || sim_rng_chance(rng, f->rate);
}

const struct sim_fault *sim_fault_habit(const struct sim_fault *faults, size_t n_faults,
                                        enum sim_fault_kind kind)
{
    for (size_t i = 0; i < n_faults; i++)
        if (faults[i].kind == kind)
            return &faults[i];
    return NULL;
}

struct sim_fault *sim_fault_command(struct sim_fault *faults, size_t n_faults, struct sim_rng *rng,
                                    int op)
{
    struct sim_fault *hit = NULL;
    for (size_t i = 0; i < n_faults; i++) {
        struct sim_fault *f = &faults[i];
        if (sim_fault_rows[f->kind].class_ != SIM_FAULT_C || (f->op != SIM_OP_ANY && f->op != op))
            continue;
        f->seen++;
        if (hit || spent(f) || (f->nth != 0 && f->seen != f->nth) || !lucky(f, rng))
            continue;
        f->fired++;
        hit = f;
    }
    return hit;
}

/* ---- the wire ----------------------------------------------------------------------------------------- */

enum place { PLACE_BYTE, PLACE_OPEN, PLACE_CLOSE };

/* A frame begins, or shows its opcode: every fault that follows frames of this opcode counts it. */
static void count_frame(struct sim_fault *faults, size_t n_faults, enum sim_fault_dir dir, int op)
{
    for (size_t i = 0; i < n_faults; i++)
        if (sim_fault_rows[faults[i].kind].class_ == SIM_FAULT_W && faults[i].dir == dir &&
            (faults[i].op == SIM_OP_ANY || faults[i].op == op))
            faults[i].seen++;
}

/* Moves the tracker over `c` and says what it was. `op` of the byte's own frame is left in track->op. */
static enum place track_byte(struct sim_track *t, uint8_t c, const uint8_t *behind, size_t n_behind,
                             bool *opens)
{
    *opens = false;
    if (c == 0xC0) {
        if (t->in_frame && t->pos > 1) {
            t->in_frame = false;
            return PLACE_CLOSE;
        }
        t->in_frame = *opens = true;
        t->pos = 1;
        t->op = n_behind >= 2 ? behind[1] : SIM_OP_ANY;
        return PLACE_OPEN;
    }
    if (t->in_frame) {
        if (t->pos == 2)
            t->op = c;
        t->pos++;
    }
    return PLACE_BYTE;
}

static bool place_fits(const struct sim_fault *f, const struct sim_track *t, enum place place)
{
    bool framed = f->op != SIM_OP_ANY || f->nth != 0;
    if (f->at == SIM_AT_OPEN)
        return place == PLACE_OPEN;
    if (f->at == SIM_AT_CLOSE)
        return place == PLACE_CLOSE;
    if (f->at == SIM_AT_ANY)
        return !framed || t->in_frame || place == PLACE_CLOSE;
    if (!framed)
        return f->bytes == (uint64_t)f->at + 1;
    return t->in_frame && t->pos == (uint64_t)f->at + 1; /* pos already counts this byte */
}

static bool fires(struct sim_fault *f, const struct sim_track *t, enum place place, struct sim_rng *rng)
{
    f->bytes++;
    if (spent(f) || (f->op != SIM_OP_ANY && f->op != t->op) || (f->nth != 0 && f->seen != f->nth))
        return false;
    if (!place_fits(f, t, place) || !lucky(f, rng))
        return false;
    f->fired++;
    return true;
}

/* The byte and what the faults made of it: 0 to 1 + n_faults bytes. */
static size_t damage(struct sim_fault *faults, size_t n_faults, struct sim_rng *rng,
                     const struct sim_track *t, enum sim_fault_dir dir, enum place place, uint8_t c,
                     uint8_t *out)
{
    size_t n = 0, copies = 1;
    for (size_t i = 0; i < n_faults; i++) {
        struct sim_fault *f = &faults[i];
        if (sim_fault_rows[f->kind].class_ != SIM_FAULT_W || f->dir != dir || !fires(f, t, place, rng))
            continue;
        if (f->kind == SIM_FAULT_FLIP)
            c = (uint8_t)(c ^ (f->byte > 0 ? f->byte : 1 << sim_rng_below(rng, 8)));
        else if (f->kind == SIM_FAULT_DROP)
            copies = 0;
        else if (f->kind == SIM_FAULT_DUP)
            copies = 2;
        else
            out[n++] = f->byte >= 0 ? (uint8_t)f->byte : (uint8_t)sim_rng_next(rng);
    }
    while (copies-- > 0)
        out[n++] = c;
    return n;
}

/* One byte, translated: 0 to 2 bytes. */
static size_t translate(enum sim_fault_kind kind, uint8_t c, uint8_t out[static 2])
{
    out[0] = out[1] = c;
    switch (kind) {
    case SIM_FAULT_XONXOFF:
        return c == 0x11 || c == 0x13 ? 0 : 1;
    case SIM_FAULT_ADD_CR:
        out[0] = c == 0x0A ? 0x0D : c;
        return c == 0x0A ? 2 : 1;
    case SIM_FAULT_CR_TO_LF:
        out[0] = c == 0x0D ? 0x0A : c;
        return 1;
    case SIM_FAULT_LF_TO_CR:
        out[0] = c == 0x0A ? 0x0D : c;
        return 1;
    case SIM_FAULT_SEVEN_BITS:
        out[0] = c & 0x7F;
        return 1;
    case SIM_FAULT_TELNET:
        return c == 0xFF ? 2 : 1;
    default:
        return 1;
    }
}

/* Where bytes go behind the wire's damage: through one translation, then on. */
struct way {
    enum sim_fault_kind kind;
    void (*emit)(void *ctx, const uint8_t *bytes, size_t n);
    void *ctx;
};

static void pass_on(void *ctx, const uint8_t *bytes, size_t n)
{
    const struct way *w = ctx;
    uint8_t out[512];
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        len += translate(w->kind, bytes[i], out + len);
        if (len > sizeof out - 2) {
            w->emit(w->ctx, out, len);
            len = 0;
        }
    }
    if (len > 0)
        w->emit(w->ctx, out, len);
}

static const struct sim_fault *translation(const struct sim_fault *faults, size_t n_faults, enum sim_fault_dir dir)
{
    for (size_t i = 0; i < n_faults; i++)
        if (sim_fault_rows[faults[i].kind].class_ == SIM_FAULT_T && faults[i].dir == dir)
            return &faults[i];
    return NULL;
}

static bool any_wire(const struct sim_fault *faults, size_t n_faults, enum sim_fault_dir dir)
{
    for (size_t i = 0; i < n_faults; i++)
        if (sim_fault_rows[faults[i].kind].class_ == SIM_FAULT_W && faults[i].dir == dir && !spent(&faults[i]))
            return true;
    return false;
}

void sim_fault_wire(struct sim_fault *faults, size_t n_faults, struct sim_rng *rng,
                    struct sim_track *track, enum sim_fault_dir dir, const uint8_t *bytes, size_t n,
                    void (*emit)(void *ctx, const uint8_t *bytes, size_t n), void *ctx)
{
    uint8_t out[512];
    size_t len = 0;
    const struct sim_fault *t = translation(faults, n_faults, dir);
    struct way way = {t ? t->kind : SIM_FAULT_KINDS, emit, ctx};
    if (t) {
        emit = pass_on;
        ctx = &way;
    }
    if (!any_wire(faults, n_faults, dir)) { /* the usual board */
        emit(ctx, bytes, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        bool opens, had_op = track->op != SIM_OP_ANY;
        enum place place = track_byte(track, bytes[i], bytes + i + 1, n - i - 1, &opens);
        if (opens)
            had_op = false;
        if (track->op != SIM_OP_ANY && !had_op)
            count_frame(faults, n_faults, dir, track->op);
        len += damage(faults, n_faults, rng, track, dir, place, bytes[i], out + len);
        if (place == PLACE_CLOSE)
            track->op = SIM_OP_ANY;
        if (len > sizeof out - (2 + SIM_FAULTS_MAX)) {
            emit(ctx, out, len);
            len = 0;
        }
    }
    if (len > 0)
        emit(ctx, out, len);
}
