/* SPDX-License-Identifier: Apache-2.0
 * What a line does to bytes, measured (carry.h). What it means: carry_judge.c.
 *
 * Blocks and their answers are made so that no byte of theirs but the values in question is one that programs in
 * between are known to change; a block whose own frame was hurt counts as no answer, and ends the question. */
#include "esp/carry.h"

#include "esp/session.h"

#include <string.h>

enum {
    EXAM_MS = 20000,    /* a sound line needs half a second; a ROM that does not answer is not waited for longer */
    VALUE_ROUNDS = 6,   /* on a line that damages one short block in 16, a wrong verdict once in 10^7 */
    ASKED_TWICE = 2,
    LONG = 160, SHORT = 16, /* bytes of a block: room for half of all values; one value */
    FILLER = 0x55,
    VALUES = 256, WORD = 4,
    REPLY = 9,          /* bytes of an answer to READ_REG with its status' first one */
    VALUE_AT = 4,
};

/* ---- blocks into RAM ----------------------------------------------------------------------------- */

struct probe {
    struct esp *e;
    uint32_t addr; /* RAM where a stub would lie */
    size_t status; /* bytes of this ROM's status */
    struct carry *counts;
    bool unsure;   /* something else happened: nothing more is asked */
};

enum end { ARRIVED, HURT, NO_ANSWER };

static enum end unanswered(struct probe *p)
{
    p->counts->lost++;
    p->counts->lost_last++;
    return NO_ANSWER;
}

static enum end put(struct probe *p, const uint8_t *bytes, size_t n)
{
    struct esp *e = p->e;
    struct answer a = {.n = 0};
    uint32_t begin[] = {(uint32_t)n, 1, (uint32_t)n, p->addr};
    enum fl_err err = esp_words(e, OP_MEM_BEGIN, begin, 4, e->times.probe);
    p->counts->blocks++;
    if (err)
        return unanswered(p);
    fl_buf_clear(&e->tx);
    packet_block(&e->tx, OP_MEM_DATA, 0, bytes, n, 0);
    err = fl_buf_err(&e->tx, NULL);
    if (!err)
        err = wire_send(e, e->tx.bytes, e->tx.len);
    if (!err)
        err = wire_await(e, OP_MEM_DATA, 0, e->times.probe, &a);
    bool hurt = err == FL_REFUSED && packet_status_damaged(a.status);
    if (err && !hurt)
        return unanswered(p);
    p->counts->hurt += hurt;
    p->counts->lost_last = 0;
    return hurt ? HURT : ARRIVED;
}

/* The values of `set` once each, and fillers; the last byte makes a checksum that is a letter. */
static enum end put_values(struct probe *p, const bool set[static VALUES], size_t n)
{
    uint8_t bytes[LONG];
    size_t at = 0;
    for (unsigned v = 0; v < VALUES && at + 1 < n; v++)
        if (set[v])
            bytes[at++] = (uint8_t)v;
    memset(bytes + at, FILLER, n - at);
    uint8_t fix = '@', sum = packet_checksum(bytes, n - 1);
    for (unsigned c = 'A'; c <= 'z'; c++) /* the highest bit may be the sum's: then it takes one that has it too */
        for (unsigned high = 0; high < 2; high++)
            if (((sum ^ c ^ high << 7) & 0xff) >= 'A' && ((sum ^ c ^ high << 7) & 0xff) <= 'z')
                fix = (uint8_t)(c | high << 7);
    bytes[n - 1] = fix;
    return put(p, bytes, n);
}

/* Asked until it arrives: twice refused, or three times in all; then what it came to at last. */
static enum end values_arrive(struct probe *p, const bool set[static VALUES])
{
    enum end end = NO_ANSWER;
    for (int i = 0, hurt = 0; i < ASKED_TWICE + 1 && hurt < ASKED_TWICE; i++) {
        end = put_values(p, set, LONG);
        if (end == ARRIVED)
            return ARRIVED;
        hurt += end == HURT;
        if (end == NO_ANSWER && wire_quiet(p->e))
            break;
    }
    p->unsure = p->unsure || end == NO_ANSWER;
    return end;
}

static unsigned nth_value(unsigned i) /* even ones first: no two that are changed into each other stand in one half */
{
    return i < VALUES / 2 ? 2 * i : 2 * (i - VALUES / 2) + 1;
}

/* Nothing has a pattern: how many blocks arrive at all? Between them the loader is asked whether it is there. */
static void try_plain(struct probe *p)
{
    enum { BLOCKS = 40 };
    const bool none[VALUES] = {false};
    enum fl_err err = FL_OK;
    for (int i = 0; i < BLOCKS && (!err || err == FL_TIMEOUT); i++) {
        bool stub;
        if (put_values(p, none, SHORT) == NO_ANSWER)
            err = wire_quiet(p->e);
        if (err == FL_OK)
            err = esp_sync(p->e, p->e->times.sync, &stub);
    }
}

/* The value alone never arrives, a filler in its place always does. */
static bool never_arrives(struct probe *p, unsigned v)
{
    bool one[VALUES] = {false}, none[VALUES] = {false};
    one[v] = true;
    bool never = true;
    for (int i = 0; i < VALUE_ROUNDS && never; i++)
        never = put_values(p, one, SHORT) == HURT && put_values(p, none, SHORT) == ARRIVED;
    return never;
}

static void search(struct probe *p, unsigned from, unsigned to, struct carry_way *w)
{
    bool set[VALUES] = {false};
    for (unsigned i = from; i < to; i++)
        set[nth_value(i)] = true;
    if (p->unsure || values_arrive(p, set) != HURT)
        return;
    if (to - from > 1) {
        unsigned mid = from + (to - from) / 2;
        search(p, from, mid, w);
        search(p, mid, to, w);
        return;
    }
    if (w->n == CARRY_VALUES || !never_arrives(p, nth_value(from))) {
        p->unsure = true;
        return;
    }
    w->bad[w->n++].value = (uint8_t)nth_value(from);
}

/* Was what is left over damage by chance? Then all other values together do not arrive either. */
static bool others_arrive(struct probe *p, const struct carry_way *w)
{
    bool set[2][VALUES] = {{false}};
    for (unsigned v = 0; v < VALUES; v++)
        set[v % 2][v] = true;
    for (size_t i = 0; i < w->n; i++)
        set[0][w->bad[i].value] = set[1][w->bad[i].value] = false;
    return values_arrive(p, set[0]) == ARRIVED && values_arrive(p, set[1]) == ARRIVED;
}

static void ask_to_chip(struct probe *p, struct carry_way *w)
{
    search(p, 0, VALUES / 2, w);
    search(p, VALUES / 2, VALUES, w);
    w->asked = !p->unsure && (w->n == 0 || others_arrive(p, w));
    if (!w->asked)
        w->n = 0;
}

/* ---- words out of RAM ----------------------------------------------------------------------------- */

/* The frame that comes as an answer to READ_REG, whatever it holds; its length, 0: none came. */
static size_t read_raw(struct probe *p, uint32_t addr, uint8_t *out, size_t cap)
{
    struct esp *e = p->e;
    uint8_t data[4];
    size_t n = 0;
    fl_put_u32le(data, addr);
    fl_buf_clear(&e->tx);
    packet_request(&e->tx, OP_READ_REG, data, sizeof data);
    enum fl_err err = wire_send(e, e->tx.bytes, e->tx.len);
    if (!err)
        err = wire_frame(e, e->times.probe, out, cap, &n);
    p->unsure = p->unsure || (err && err != FL_TIMEOUT);
    return err ? 0 : n;
}

/* What came where `want` was to come: the byte at `pos` has become something else, and all others stand. */
static bool only_changed(const uint8_t want[static REPLY], size_t pos, const uint8_t *got, size_t n, struct carry_way *one)
{
    size_t tail = REPLY - pos - 1;
    if (n < pos + tail || n - pos - tail > CARRY_BECAME || memcmp(want, got, pos) != 0 ||
        memcmp(want + pos + 1, got + n - tail, tail) != 0)
        return false;
    *one = (struct carry_way){.n = 1};
    one->bad[0].value = want[pos];
    one->bad[0].known = true;
    one->bad[0].n = (uint8_t)(n - pos - tail);
    memcpy(one->bad[0].became, got + pos, one->bad[0].n);
    return true;
}

enum same { SAME, CHANGED, OTHER };

/* The word at addr + at, as it is read; CHANGED: only the byte at `pos` of its answer. */
static enum same read_back(struct probe *p, uint32_t at, const uint8_t word[static WORD], size_t pos, struct carry_way *one)
{
    uint8_t got[64], want[REPLY] = {1, OP_READ_REG};
    size_t n = read_raw(p, p->addr + at, got, sizeof got);
    size_t status = p->status;
    want[2] = (uint8_t)status;
    memcpy(want + VALUE_AT, word, WORD);
    if (n < status)
        return OTHER;
    n -= status - 1; /* behind its first byte a status may hold what is left over from other answers */
    if (n == REPLY && memcmp(got, want, REPLY) == 0)
        return SAME;
    return only_changed(want, pos, got, n, one) ? CHANGED : OTHER;
}

/* The same three times, alike each time; OTHER: it was not. */
static enum same read_sure(struct probe *p, const uint8_t word[static WORD], size_t pos, struct carry_way *one)
{
    enum { TIMES = 3 };
    enum same first = read_back(p, 0, word, pos, one);
    for (int i = 1; i < TIMES; i++) {
        struct carry_way again = {.n = 0};
        enum same next = read_back(p, 0, word, pos, &again);
        if (next != first || (next == CHANGED && memcmp(&again.bad[0], &one->bad[0], sizeof again.bad[0]) != 0))
            return OTHER;
    }
    return first;
}

/* A ROM's answers keep the value that READ_REG gave last: it is made one that every line carries. */
static void clear_value(struct probe *p)
{
    uint8_t sink[REPLY];
    (void)read_raw(p, CHIP_MAGIC_REG, sink, sizeof sink);
}

/* Each byte of a word that did not come as it is. */
static void single_values(struct probe *p, unsigned first, struct carry_way *w)
{
    for (unsigned v = first; v < first + WORD && !p->unsure; v++) {
        const uint8_t word[WORD] = {FILLER, (uint8_t)v, FILLER, FILLER};
        struct carry_way one = {.n = 0};
        clear_value(p);
        enum same s = put(p, word, WORD) == ARRIVED ? read_sure(p, word, VALUE_AT + 1, &one) : OTHER;
        p->unsure = s == OTHER || (s == CHANGED && w->n == CARRY_VALUES);
        if (s == CHANGED && !p->unsure)
            w->bad[w->n++] = one.bad[0];
    }
}

static void every_word(struct probe *p, struct carry_way *w)
{
    uint8_t all[VALUES];
    bool suspect[VALUES / WORD] = {false};
    struct carry_way one;
    for (unsigned v = 0; v < VALUES; v++)
        all[v] = (uint8_t)v;
    p->unsure = put(p, all, sizeof all) != ARRIVED;
    for (unsigned i = 0; i < VALUES / WORD && !p->unsure; i++)
        suspect[i] = read_back(p, i * WORD, all + i * WORD, VALUE_AT, &one) != SAME &&
                     read_back(p, i * WORD, all + i * WORD, VALUE_AT, &one) != SAME;
    for (unsigned i = 0; i < VALUES / WORD && !p->unsure; i++)
        if (suspect[i])
            single_values(p, i * WORD, w);
}

static void ask_to_host(struct probe *p, struct carry_way *w)
{
    static const uint8_t plain[WORD] = {FILLER, FILLER, FILLER, FILLER};
    struct carry_way one;
    enum same s = put(p, plain, WORD) == ARRIVED ? read_sure(p, plain, 1, &one) : OTHER;
    if (s == CHANGED) /* the opcode itself: no other question can be asked, and none need be */
        *w = one;
    p->unsure = s == OTHER;
    if (s == SAME)
        every_word(p, w);
    w->asked = !p->unsure;
    if (!w->asked)
        w->n = 0;
}

/* ---- time ------------------------------------------------------------------------------------------ */

static uint32_t round_trip(struct esp *e)
{
    bool stub;
    uint64_t start = fl_mono_ns();
    return esp_sync(e, e->times.late_sync, &stub) ? 0 : (uint32_t)((fl_mono_ns() - start) / 1000000);
}

/* The shorter of two, where both are longer than any that is well. */
static uint32_t late(struct esp *e)
{
    if (wire_listen(e, e->times.late))
        return 0;
    wire_forget(e);
    uint32_t one = round_trip(e), two = one >= CARRY_LATE_MIN ? round_trip(e) : 0;
    uint32_t least = one < two ? one : two;
    return least >= CARRY_LATE_MIN ? least : 0;
}

/* Twice as many answers as a SYNC has, and that when it was asked a second time too. */
static bool doubled(struct esp *e)
{
    enum { ANSWERS = 8 };
    bool stub, twice = true;
    for (int i = 0; i < ASKED_TWICE && twice; i++) {
        if (wire_listen(e, CARRY_LATE_MIN))
            return false;
        wire_forget(e);
        e->syncs = 0;
        twice = !esp_sync(e, e->times.sync, &stub) && !wire_listen(e, CARRY_LATE_MIN) && e->syncs == 2 * ANSWERS;
    }
    return twice;
}

/* ---- the whole ------------------------------------------------------------------------------------- */

static bool plain_address(uint32_t addr)
{
    static const uint8_t often_changed[] = {0x0a, 0x0d, 0x11, 0x13, 0xff};
    uint8_t bytes[4];
    fl_put_u32le(bytes, addr);
    for (size_t i = 0; i < sizeof bytes; i++)
        if (memchr(often_changed, bytes[i], sizeof often_changed))
            return false;
    return addr != 0;
}

/* Which chip the boot text is of: where every register is answered with nothing, only that says it. */
static const struct chip *chip_of_text(const struct esp *e)
{
    static const char rom[] = "ESP-ROM:";
    char name[16] = "";
    size_t n;
    const char *p = (const char *)text_tail(&e->text, &n), *end = p + n;
    const char *hit = memmem(p, n, rom, sizeof rom - 1);
    for (size_t i = 0; hit && hit + sizeof rom - 1 + i < end && i + 1 < sizeof name; i++) {
        char c = hit[sizeof rom - 1 + i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
            break;
        name[i] = c;
    }
    return hit ? chip_by_name(name) : memmem(p, n, "ets Ju", 6) ? chip_by_name("esp32") : NULL;
}

/* Where a stub would lie. */
static bool find_ram(struct probe *p)
{
    struct esp *e = p->e;
    const struct chip *c = e->chip ? e->chip : e->config.chip ? chip_by_name(e->config.chip) : chip_of_text(e);
    const struct stub *stub = c ? esp_stub_place(e, c) : NULL;
    if (!stub)
        return false;
    /* an address is sent with every block: it holds no value that is asked about, if there is a choice */
    bool plain = plain_address(stub->segments[0].addr) || !plain_address(stub->segments[1].addr);
    p->addr = stub->segments[plain ? 0 : 1].addr;
    p->status = c->has_md5 ? 4 : 2; /* the ESP8266's ROM has no MD5, and the short status */
    return true;
}

static void ask_bytes(struct esp *e, bool plain, struct carry *out)
{
    struct probe p = {.e = e, .counts = out};
    if (!find_ram(&p))
        return;
    ask_to_chip(&p, &out->to_chip);
    if (out->to_chip.asked && out->to_chip.n == 0)
        ask_to_host(&p, &out->to_host);
    if (p.unsure && plain)
        try_plain(&p);
}

/* In the loader. Where it was not heard, or not in time, it may be there all the same, and speak later. */
static void examine(struct esp *e, struct carry *out)
{
    enum esp_fault f = e->problem.fault;
    if (e->stage == STAGE_OPEN && (f == ESP_FAULT_LINK_TX_DEAD || f == ESP_FAULT_LINK_NOISE)) {
        out->round_ms = late(e);
        return;
    }
    e->stage = STAGE_OPEN;
    enum fl_err err = esp_stage_connect(e);
    if (f == ESP_FAULT_BOARD_RESET || (err == FL_TIMEOUT && e->syncs > 0))
        out->round_ms = late(e);
    if (!err && !out->round_ms)
        out->twice = doubled(e);
    if (!err && !out->round_ms && !out->twice)
        ask_bytes(e, esp_carry_judges(f), out);
}

void esp_carry(struct esp *e, struct carry *out)
{
    *out = (struct carry){.round_ms = 0};
    if (!link_info(e->link)->has_lines)
        return; /* nothing ends a stub, and nothing begins anew */
    struct esp_tuning tune = e->tune;
    struct esp_counters count = e->count;
    unsigned attempts = e->config.connect_attempts;
    struct fl_deadline limit = e->limit;
    void (*rung)(void *ctx, const struct esp_rung *r) = e->observer.rung;
    e->observer.rung = NULL; /* what is refused here is no trouble of the unit's */
    e->tune = (struct esp_tuning){.slow_reset = tune.slow_reset};
    e->config.connect_attempts = ASKED_TWICE;
    e->limit = fl_deadline_in_ms(EXAM_MS);
    examine(e, out);
    e->observer.rung = rung;
    e->tune = tune;
    e->count = count;
    e->config.connect_attempts = attempts;
    e->limit = limit;
}
