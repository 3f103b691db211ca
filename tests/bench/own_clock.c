/* SPDX-License-Identifier: Apache-2.0
 * own_clock PROFILE ZLIB9: one attempt of the engine at each speed, on a blank simulated board and again, on the board's
 * own clock, which stands still while anybody computes (board_link.h). Rows of scripts/bench on standard output: they
 * are the same on every machine, however busy it is. ZLIB9: bytes of the image at zlib's level 9. */
#include "unit/esp/board_link.h"

#include "esp/packet.h"
#include "esp/stream.h"
#include "profile/profile.h"

#include <stdio.h>
#include <stdlib.h>

enum { BLOCK = 0x4000, LUMP = 0x8000, PAGE = 256, FRAME = 2 + 8 + 16 };

struct stay {
    double seconds, data, wire, md5;
    double model; /* the data phase without any round trip: what wire and flash allow together */
    unsigned requests;
};

static struct {
    uint64_t bytes, begin_at;
    unsigned requests;
    double data;
    uint8_t last;
} seen;

static enum fl_err watched_write(struct link *l, const uint8_t *bytes, size_t n, struct fl_deadline d)
{
    uint8_t op = n > 3 ? bytes[2] : 0;
    seen.requests++;
    if (op == OP_DEFL_BEGIN)
        seen.begin_at = own_now;
    if (op == OP_DEFL_DATA)
        seen.bytes += n;
    if (seen.last == OP_DEFL_END) /* its answer is here: the next request goes out */
        seen.data += (double)(own_now - seen.begin_at) / 1e9;
    seen.last = op;
    return bl_write(l, bytes, n, d);
}

static const struct link_ops watched = {.close = bl_close, .read = bl_read, .write = watched_write, .drain = bl_drain,
                                        .purge = bl_purge, .set_baud = bl_baud, .set_lines = bl_lines};

/* ---- the flash model ------------------------------------------------------------------------------------------ */

static double frame_seconds(const uint8_t *p, size_t n, uint32_t baud)
{
    size_t bytes = FRAME + n;
    for (size_t i = 0; i < n; i++)
        bytes += p[i] == 0xc0 || p[i] == 0xdb;
    return (double)bytes * 10 / baud;
}

/* One BEGIN..END on a blank board, in blocks of the largest size: while a block arrives the chip works on the one before,
 * which is inflated at once and programmed whenever a lump of it is full. Neither waits for anything else. */
static void model_run(const struct stream *s, uint32_t baud, const struct sim_timing *t, struct stay *out)
{
    static uint8_t scratch[BLOCK];
    double before = 0; /* work behind the block before */
    for (size_t at = 0; at < s->size; at += BLOCK) {
        size_t n = s->size - at < BLOCK ? s->size - at : BLOCK;
        uint64_t from = stream_plain(s, 0, at), to = at + n == s->size ? s->plain : stream_plain(s, 0, at + n);
        uint64_t written = at + n == s->size ? to - from / LUMP * LUMP : to / LUMP * LUMP - from / LUMP * LUMP;
        double wire = frame_seconds(stream_bytes(s, at, n, scratch), n, baud);
        out->model += wire > before ? wire : before;
        before = t->inflate_us_per_kb / 1e6 * (double)n / 1024 + (double)((written + PAGE - 1) / PAGE) * t->page_us / 1e6;
    }
    out->model += before;
}

static void model(const struct esp_region *r, size_t n, uint32_t baud, const struct sim_timing *t, struct stay *out)
{
    for (size_t i = 0, k; i < n; i += k) {
        struct stream s;
        for (k = 1; i + k < n && stream_joins(&r[i + k - 1], &r[i + k]); k++)
            ;
        stream_init(&s, r + i, k, false);
        model_run(&s, baud, t, out);
    }
}

static bool stay(struct sim_board *board, const struct profile *p, uint32_t baud, const struct sim_timing *t,
                 struct stay *out)
{
    struct esp_config config = p->esp;
    struct esp_problem why = {0};
    struct fl_why text = {0};
    struct esp_flash_info flash;
    struct esp_unit unit;
    struct esp *e = NULL;
    const struct esp_region *r = NULL;
    struct esp_region_result *results = NULL;
    size_t n = 0;
    struct link *l = bl_open(board);
    if (!l)
        return false;
    l->ops = &watched;
    memset(&seen, 0, sizeof seen);
    config.baud = baud;
    uint64_t start = own_now;
    enum fl_err err = esp_open(l, &config, NULL, NULL, &e);
    if (!err)
        err = esp_connect(e, &why);
    if (!err)
        err = esp_identify(e, &unit, &why);
    if (!err)
        err = esp_prepare(e, &why);
    if (!err)
        err = esp_attach_flash(e, 0, &flash, &why);
    if (!err)
        err = profile_regions(p, flash.size, &r, &n, &text);
    results = calloc(n + 1, sizeof *results);
    if (!err)
        err = esp_write(e, r, n, true, results, &why);
    if (!err)
        err = esp_run(e, &why);
    if (err)
        fprintf(stderr, "   %u: %s%s\n", (unsigned)baud, why.text, text.text);
    *out = (struct stay){.seconds = (double)(own_now - start) / 1e9, .data = seen.data,
                         .wire = (double)seen.bytes * 10 / baud, .requests = seen.requests};
    for (size_t i = 0; i < n; i++)
        out->md5 += r[i].size / 1024.0 * t->md5_stub_us_per_kb / 1e6;
    if (!err)
        model(r, n, baud, t, out);
    free(results);
    esp_close(e);
    link_close(l);
    return !err;
}

/* `limit` 0: none. */
static void limited(unsigned baud, const char *what, double value, double limit, const char *unit, const char *sense, double target)
{
    bool met = *sense == '<' ? value <= target : value >= target;
    printf("{\"what\":\"%u: %s\",\"value\":%.5f,\"unit\":\"%s\"", baud, what, value, unit);
    if (limit > 0)
        printf(",\"limit\":%.5f", limit);
    if (target > 0)
        printf(",\"sense\":\"%s\",\"target\":%.3f,\"met\":%s", sense, target, met ? "true" : "false");
    printf("}\n");
}

static void row(unsigned baud, const char *what, double value, const char *unit, const char *sense, double target)
{
    limited(baud, what, value, 0, unit, sense, target);
}

int main(int argc, char **argv)
{
    static const struct {
        uint32_t baud;
        double ratio;
    } speeds[] = {{460800, 1.03}, {921600, 1.07}, {1500000, 1.10}, {2000000, 1.13}};
    struct profile_problems problems = {0};
    struct profile *p = NULL;
    struct sim_stubs *stubs = NULL;
    struct fl_why why = {0};
    double zlib9 = argc == 3 ? atof(argv[2]) : 0;
    bool ok = zlib9 > 0 && profile_load(argv[1], &p, &problems) == FL_OK && sim_stubs_load(&stubs, &why) == FL_OK;
    for (size_t i = 0; ok && i < T_COUNT(speeds); i++) {
        struct sim_spec spec;
        struct stay first, again;
        unsigned baud = speeds[i].baud;
        sim_spec_init(&spec, sim_chip_find("esp32"), 1, 1);
        spec.pace_real = true;
        struct sim_board *b = bl_board(&spec, stubs);
        ok = b && stay(b, p, baud, &spec.timing, &first) && stay(b, p, baud, &spec.timing, &again);
        sim_board_free(b);
        if (!ok)
            break;
        /* where wire and flash together do not allow 99 % of the wire, the flash is what limits */
        bool flash = first.model > 0 && first.wire / first.model < 0.99;
        /* one block is in flight: behind each the wire waits for a round trip and the bits of an answer */
        double turn = (spec.timing.usb_us + spec.timing.stub_us) / 1e6 + 120.0 / baud, block = (BLOCK + FRAME) * 10.0 / baud;
        limited(baud, "data phase, part of the wire's rate", first.wire / first.data, block / (block + turn), "", ">=", flash ? 0 : 0.99);
        row(baud, "data phase, part of the flash model's rate", first.model / first.data, "", ">=", flash ? 0.97 : 0);
        row(baud, "the flash model's rate, part of the wire's", first.wire / first.model, "", ">=", 0);
        row(baud, "whole attempt against the wire time at zlib 9", first.seconds / (zlib9 * 10 / baud), "", "<=",
            speeds[i].ratio);
        row(baud, "outside data and the chip's own times", first.seconds - first.data - first.md5, "s", "<=",
            baud == 921600 ? 0.4 : 0);
        row(baud, "board that holds the image, against its first flash", again.seconds / first.seconds, "", "<=", 0.10);
        row(baud, "requests of an attempt", first.requests, "", "<=", 0);
    }
    profile_problems_fini(&problems);
    profile_free(p);
    sim_stubs_free(stubs);
    return ok ? 0 : 1;
}
