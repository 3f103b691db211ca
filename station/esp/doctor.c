/* SPDX-License-Identifier: Apache-2.0
 * The measuring: blocks into RAM, one question each.
 *
 *   connect, identify ─► how does this ROM judge? ─► 115200: sizes ─► damage? ─► where, and do pauses cure it?
 *                                                      │ higher speeds, one by one, the same with fewer blocks
 *                                                      ▼
 *                                              reset into the application, and listen
 *
 * A block that failed is never repeated: each counts. Only what stands between blocks (MEM_BEGIN, SYNC) is
 * tried again. Nobody outside includes session.h; this file is inside. */
#include "esp/doctor.h"

#include "esp/session.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_MAX = 0x1800,  /* the ROM takes no more in one block */
    CALIBRATE = 64,      /* short enough for every bridge */
    EXTRA_MAX = 2,
    EXAM_MS = 180000,
    APART_MS = 3,        /* silence before each block, so that it is a burst of its own: three USB frames */
    ANSWER_MS = 700,     /* beside the time on the wire: a USB stack may hold bytes back */
    AFTER_MS = 1500,     /* an ESP starts its application in well under a second */
    SILENT_MAX = 2,      /* of one cell: each costs a resynchronisation */
    CONNECTS = 4,
    BASE_BAUD = 115200,
};

enum { ANY_QUARTER = -1, NOISE = -2 };
struct shot {
    size_t n;     /* what its head says */
    int extra;    /* bytes more than that are sent, or fewer */
    int quarter;  /* where a loss makes it right; ANY_QUARTER; NOISE: bytes of all kinds */
    bool spoiled; /* with a wrong checksum */
};

enum shot_end { SHOT_NONE, SHOT_TAKEN, SHOT_REFUSED, SHOT_LOST }; /* NONE: it tells nothing of the line */

struct exam {
    struct esp *e;
    struct doctor_facts *f;
    uint32_t addr, noise;
    bool broken; /* the chip restarted or had to be reset: what is measured now ends */
    uint8_t payload[BLOCK_MAX + EXTRA_MAX];
    void (*progress)(void *ctx, const char *doing);
    void *ctx;
};

static void doing(const struct exam *x, const char *text)
{
    if (x->progress)
        x->progress(x->ctx, text);
}

/* ---- one block ---------------------------------------------------------------------------------- */

/* Bytes that need no escape, so that a burst is as long as it looks. */
static uint8_t noise_byte(struct exam *x)
{
    x->noise = x->noise * 1664525u + 1013904223u; /* Numerical Recipes' generator: any would do */
    uint8_t b = (uint8_t)(x->noise >> 24);
    return b == 0xc0 || b == 0xdb ? 0x3c : b;
}

/* The payload, and the checksum of what remains of it when `extra` bytes of the marked kind are lost. The ROM sums
 * as many bytes as the head says, whatever comes behind them: the bytes too many are of kinds of their own, so that
 * a block that lost nothing, whose last bytes are not summed, does not look right. */
static uint8_t fill_payload(struct exam *x, const struct shot *s, size_t n)
{
    enum { MARK = 0x55, REST = 0x33 };
    static const uint8_t tail[EXTRA_MAX] = {0x0F, 0x1E};
    for (size_t i = 0; i < n; i++) {
        bool marked = s->quarter == ANY_QUARTER || i * DOCTOR_QUARTERS / n == (size_t)s->quarter;
        x->payload[i] = s->quarter == NOISE ? noise_byte(x) : marked ? MARK : REST;
    }
    for (int i = 0; i < s->extra; i++)
        x->payload[n - 1 - (size_t)i] = tail[i];
    uint8_t sum = packet_checksum(x->payload, n);
    if (s->extra > 0 && s->extra % 2)
        sum ^= MARK;
    return s->spoiled ? sum ^ 0x10 : sum;
}

static void make_frame(struct exam *x, const struct shot *s)
{
    struct fl_buf *out = &x->e->tx;
    size_t n = (size_t)((long)s->n + s->extra);
    uint8_t head[PACKET_HEAD + PACKET_SUB_HEAD] = {0, OP_MEM_DATA};
    fl_put_u16le(head + 2, (uint16_t)(PACKET_SUB_HEAD + s->n));
    fl_put_u32le(head + 4, fill_payload(x, s, n));
    fl_put_u32le(head + 8, (uint32_t)s->n);
    fl_buf_clear(out);
    slip_open(out);
    slip_add(out, head, sizeof head);
    slip_add(out, x->payload, n);
    slip_close(out);
}

/* The loader is spoken to anew; whatever was measured at another speed is over. */
static enum fl_err reconnect(struct exam *x)
{
    struct esp *e = x->e;
    e->tune = (struct esp_tuning){0};
    e->stage = STAGE_OPEN;
    e->stub = e->failed = false;
    x->broken = true;
    return esp_reach(e, STAGE_KNOWN);
}

/* After trouble between blocks: framing put right, or a reset. */
static enum fl_err recover(struct exam *x)
{
    struct esp *e = x->e;
    if (e->trouble == TROUBLE_RESTART) {
        x->f->restarts++;
        x->f->brownout = x->f->brownout || e->problem.fault == ESP_FAULT_BOARD_BROWNOUT;
        return reconnect(x);
    }
    if (e->trouble == TROUBLE_DEAD)
        return e->problem.err;
    enum fl_err err = wire_resync(e);
    if (!err || e->trouble == TROUBLE_DEAD)
        return err;
    return reconnect(x);
}

static enum fl_err begin(struct exam *x, uint32_t n)
{
    uint32_t words[] = {n, 1, n, x->addr};
    enum fl_err err = FL_OK;
    for (int i = 0; i < 3 && !x->broken; i++) {
        err = esp_pause(x->e, APART_MS);
        if (!err)
            err = esp_words(x->e, OP_MEM_BEGIN, words, 4, x->e->times.probe);
        if (!err)
            return esp_pause(x->e, APART_MS);
        err = recover(x);
        if (err)
            return err;
    }
    x->broken = true;
    return err;
}

static enum fl_err shoot(struct exam *x, struct shot s, enum shot_end *end)
{
    struct esp *e = x->e;
    struct answer a;
    enum fl_err err = begin(x, (uint32_t)s.n);
    *end = SHOT_NONE;
    if (err || x->broken)
        return err;
    make_frame(x, &s);
    uint32_t baud = link_baud(e->link);
    uint32_t ms = ANSWER_MS + (baud ? (uint32_t)(e->tx.len * 12500 / baud) : 0);
    uint32_t cut = (uint32_t)e->count.cut;
    err = fl_buf_err(&e->tx, NULL);
    if (!err)
        err = wire_send(e, e->tx.bytes, e->tx.len);
    if (!err)
        err = wire_await(e, OP_MEM_DATA, 0, ms, &a);
    x->f->cut += (unsigned)(e->count.cut - cut);
    if (!err) {
        *end = SHOT_TAKEN;
        return FL_OK;
    }
    err = esp_fail_command(e, OP_MEM_DATA, err, &a, ms, "");
    if (err == FL_REFUSED) {
        *end = e->trouble == TROUBLE_DAMAGED ? SHOT_REFUSED : SHOT_LOST;
        return FL_OK;
    }
    if (e->trouble != TROUBLE_RESTART && e->trouble != TROUBLE_DEAD)
        *end = SHOT_LOST;
    return recover(x);
}

/* ---- many --------------------------------------------------------------------------------------- */

static enum fl_err measure(struct exam *x, uint32_t block, unsigned count, uint32_t burst, uint32_t gap_us)
{
    struct doctor_facts *f = x->f;
    struct esp *e = x->e;
    if (f->n_cells == DOCTOR_CELLS_MAX || x->broken)
        return FL_OK;
    struct doctor_cell *c = &f->cells[f->n_cells++];
    *c = (struct doctor_cell){.baud = link_baud(e->link), .block = block, .burst = burst, .gap_us = gap_us};
    e->tune.burst = burst;
    e->tune.burst_gap_us = gap_us;
    enum fl_err err = FL_OK;
    for (unsigned i = 0; i < count && !err && !x->broken && c->lost < SILENT_MAX; i++) {
        enum shot_end end;
        err = shoot(x, (struct shot){.n = block, .quarter = NOISE}, &end);
        if (end == SHOT_NONE)
            break;
        c->sent++;
        c->bytes += block;
        c->refused += end == SHOT_REFUSED;
        c->lost += end == SHOT_LOST;
    }
    e->tune.burst = e->tune.burst_gap_us = 0;
    return err;
}

/* The smallest size that mostly arrives damaged: there one loss is likelier than two. */
static uint32_t telling_block(const struct doctor_facts *f, uint32_t baud)
{
    uint32_t best = BLOCK_MAX;
    for (size_t i = 0; i < f->n_cells; i++) {
        const struct doctor_cell *c = &f->cells[i];
        if (c->baud == baud && c->burst == 0 && c->block < best && c->refused * 2 > c->sent)
            best = c->block;
    }
    return best;
}

/* Were bytes lost, and where? */
static enum fl_err look_for_losses(struct exam *x)
{
    struct doctor_facts *f = x->f;
    enum { IN_QUARTERS = 2 * DOCTOR_QUARTERS, PAIRS = 2, ANYWHERE = 2 };
    if (!f->tells || f->n_losses == DOCTOR_SPEEDS_MAX)
        return FL_OK;
    struct doctor_losses *l = &f->losses[f->n_losses++];
    uint32_t baud = link_baud(x->e->link);
    *l = (struct doctor_losses){.baud = baud, .block = telling_block(f, baud)};
    enum fl_err err = FL_OK;
    for (int i = 0; i < IN_QUARTERS + PAIRS + ANYWHERE && !err && !x->broken; i++) {
        int q = i < IN_QUARTERS ? i % DOCTOR_QUARTERS : ANY_QUARTER;
        int extra = i >= IN_QUARTERS && i < IN_QUARTERS + PAIRS ? 2 : 1;
        enum shot_end end;
        err = shoot(x, (struct shot){.n = l->block - EXTRA_MAX, .extra = extra, .quarter = q}, &end);
        if (end == SHOT_NONE)
            break;
        l->sent++;
        l->taken += end == SHOT_TAKEN;
        if (q != ANY_QUARTER) {
            l->sent_in[q]++;
            l->taken_in[q] += end == SHOT_TAKEN;
        }
    }
    return err;
}

static enum fl_err look_closer(struct exam *x)
{
    static const struct {
        uint32_t burst, gap_us;
    } paces[] = {{512, 1000}, {128, 2000}, {64, 4000}};
    uint32_t baud = link_baud(x->e->link);
    enum { BLOCKS = 4 };
    doing(x, "looking for lost bytes");
    enum fl_err err = look_for_losses(x);
    for (size_t i = 0; i < sizeof paces / sizeof *paces && !err && !x->broken; i++) {
        doing(x, "blocks with pauses");
        err = measure(x, BLOCK_MAX, BLOCKS, paces[i].burst, paces[i].gap_us);
        const struct doctor_cell *c = &x->f->cells[x->f->n_cells - 1];
        if (!err && c->baud == baud && c->burst == paces[i].burst && c->refused + c->lost == 0)
            break;
    }
    return err;
}

static enum fl_err base_speed(struct exam *x)
{
    static const struct {
        uint32_t block;
        unsigned count;
    } plan[] = {{0x100, 12}, {0x400, 8}, {0x800, 6}, {0x1000, 4}, {BLOCK_MAX, 4}};
    enum fl_err err = FL_OK;
    doing(x, "blocks of growing size at 115200 baud");
    for (size_t i = 0; i < sizeof plan / sizeof *plan && !err; i++) {
        x->broken = false; /* a restart ends one size, not the test */
        err = measure(x, plan[i].block, plan[i].count, 0, 0);
    }
    x->broken = false;
    if (!err && doctor_sum(x->f, BASE_BAUD, 0, BLOCK_MAX, false).bad > 0)
        err = look_closer(x);
    return err;
}

/* To `baud`; *proved false: back in the loader at the base speed. */
static enum fl_err change_speed(struct exam *x, uint32_t baud, bool *proved)
{
    struct esp *e = x->e;
    e->rom = true;
    e->config.baud = baud;
    enum fl_err err = esp_pause(e, APART_MS); /* the question is not the tail of the last block's burst */
    if (!err)
        err = esp_stage_speed(e);
    *proved = !err && link_baud(e->link) == baud;
    if (!err || e->trouble == TROUBLE_DEAD)
        return err;
    return reconnect(x);
}

static enum fl_err higher_speed(struct exam *x, uint32_t baud, bool *go_on)
{
    struct doctor_facts *f = x->f;
    bool proved = false;
    *go_on = false;
    doing(x, "a higher speed");
    enum fl_err err = change_speed(x, baud, &proved);
    if (err)
        return err;
    if (!proved && link_baud(x->e->link) == BASE_BAUD && !x->broken)
        return FL_OK; /* this chip or link has no other speed */
    f->speeds[f->n_speeds++] = (struct doctor_speed){baud, proved};
    if (!proved)
        return FL_OK;
    err = measure(x, 0x400, 16, 0, 0);
    if (!err)
        err = measure(x, BLOCK_MAX, 6, 0, 0);
    unsigned bad = doctor_sum(f, baud, 0, BLOCK_MAX, false).bad;
    *go_on = !err && !x->broken && doctor_sum(f, baud, 0, 0x400, false).bad == 0;
    /* worth a closer look only where it begins */
    if (!err && bad > 0 && f->n_losses == 0 && !x->broken)
        err = look_closer(x);
    return err;
}

/* ---- the whole ----------------------------------------------------------------------------------- */

static enum fl_err calibrate(struct exam *x)
{
    static const struct {
        struct shot shot;
        enum shot_end end;
    } known[] = {
        {{CALIBRATE, 0, NOISE, false}, SHOT_TAKEN},
        {{CALIBRATE, 0, NOISE, true}, SHOT_REFUSED},
        {{CALIBRATE, 1, ANY_QUARTER, false}, SHOT_REFUSED},
        {{CALIBRATE, 0, ANY_QUARTER, false}, SHOT_TAKEN},
    };
    enum fl_err err = FL_OK;
    x->f->tells = true;
    doing(x, "how this ROM judges a block");
    for (size_t i = 0; i < sizeof known / sizeof *known && !err; i++) {
        enum shot_end end = SHOT_LOST;
        /* a line that damages one byte in thousands may hit even these: two chances */
        for (int k = 0; k < 2 && !err && end != known[i].end; k++)
            err = shoot(x, known[i].shot, &end);
        x->f->tells = x->f->tells && end == known[i].end;
    }
    return err;
}

/* Where a stub would lie. */
static bool find_ram(struct exam *x)
{
    const struct stub *stub = esp_stub_place(x->e, x->e->chip);
    if (stub)
        x->addr = stub->segments[0].addr;
    return stub != NULL;
}

static enum fl_err test_line(struct exam *x, uint32_t top)
{
    static const uint32_t speeds[] = {230400, 460800, 921600};
    enum fl_err err = calibrate(x);
    if (!err)
        err = base_speed(x);
    bool go_on = true;
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds && !err && go_on; i++)
        if (speeds[i] <= top) {
            x->broken = false;
            err = higher_speed(x, speeds[i], &go_on);
        }
    return err;
}

static void read_text(struct exam *x, uint64_t mark, struct text_signs *out)
{
    size_t n;
    const uint8_t *p = text_since(&x->e->text, mark, &n);
    *out = text_read(p, n);
    x->f->brownout = x->f->brownout || out->brownout;
    if (n > 0)
        text_quote(p, n, x->f->quote);
}

static enum fl_err first_contact(struct exam *x)
{
    struct esp *e = x->e;
    doing(x, "reset and SYNC");
    enum fl_err err = esp_reach_once(e, STAGE_SYNCED);
    wire_forget(e);
    read_text(x, 0, &x->f->before);
    x->f->answered = !err;
    if (!err)
        err = esp_reach(e, STAGE_KNOWN);
    x->f->unit = e->unit;
    return err;
}

/* The board as it was found: its program runs. What it says then is evidence too. */
static enum fl_err leave(struct exam *x)
{
    struct esp *e = x->e;
    uint64_t mark = e->text.total;
    e->limit = fl_deadline_never();
    if (!link_info(e->link)->has_lines)
        return FL_OK;
    doing(x, "reset into the application");
    enum fl_err err = esp_leave(e);
    if (!err && (err = wire_listen(e, AFTER_MS)))
        (void)esp_fail_link(e, err, "after the test");
    wire_forget(e);
    read_text(x, mark, &x->f->after);
    return err;
}

static enum fl_err examine(struct exam *x, uint32_t top)
{
    struct doctor_facts *f = x->f;
    struct esp *e = x->e;
    e->limit = fl_deadline_in_ms(EXAM_MS);
    enum fl_err err = first_contact(x);
    f->stub = e->stub;
    f->ram = !err && find_ram(x);
    if (f->ram)
        err = test_line(x, top);
    f->echoes = e->echoes;
    if (err) {
        f->problem = e->problem;
        f->brownout = f->brownout || e->problem.fault == ESP_FAULT_BOARD_BROWNOUT;
    }
    if (f->answered && err != FL_GONE && err != FL_CANCELLED && !f->stub) {
        doing(x, "which bytes the line changes");
        esp_carry(e, &f->carry);
    }
    if (err != FL_GONE && err != FL_CANCELLED)
        err = leave(x);
    if (err == FL_GONE)
        f->problem = e->problem;
    return err == FL_CANCELLED ? err : FL_OK;
}

enum fl_err doctor_examine(struct link *link, const struct esp_config *config,
                           void (*progress)(void *ctx, const char *doing), void *ctx,
                           struct doctor_facts *out)
{
    *out = (struct doctor_facts){.before = {.boot_code = -1, .reset_code = -1},
                                 .after = {.boot_code = -1, .reset_code = -1}};
    struct exam *x = calloc(1, sizeof *x);
    if (!x || !link || !config) {
        free(x);
        return link && config ? FL_NOMEM : FL_ARG;
    }
    struct esp_config c = {.chip = config->chip, .reset = config->reset, .stub = ESP_STUB_NEVER,
                           .connect_attempts = config->connect_attempts ? config->connect_attempts : CONNECTS};
    *x = (struct exam){.f = out, .progress = progress, .ctx = ctx, .noise = 1};
    out->link = *link_info(link);
    enum fl_err err = esp_open(link, &c, NULL, NULL, &x->e);
    if (!err)
        err = examine(x, config->baud ? config->baud : 921600);
    esp_close(x->e);
    free(x);
    return err;
}
