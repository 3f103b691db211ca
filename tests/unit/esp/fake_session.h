/* SPDX-License-Identifier: Apache-2.0
 *
 * fake_session.h: boards of fake.h for a test, and a session of the engine with one. Only fake.h includes it.
 */
#ifndef FL_TESTS_FAKE_SESSION_H
#define FL_TESTS_FAKE_SESSION_H

#include "unit/esp/fake.h"

/* ---- the engine's side ---------------------------------------------------------------------------- */

static inline void fake_on_rung(void *ctx, const struct esp_rung *r)
{
    struct fake *f = ctx;
    if (f->n_rungs < FAKE_RUNGS)
        f->rungs[f->n_rungs++] = *r;
}

static inline void fake_on_text(void *ctx, const uint8_t *p, size_t n)
{
    struct fake *f = ctx;
    fl_buf_add(&f->text, p, n);
}

static inline void fake_on_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct fake *f = ctx;
    f->progress_last = done;
    f->progress_total = total;
}

static inline void fake_on_step(void *ctx, const char *step)
{
    struct fake *f = ctx;
    fl_buf_addf(&f->steps, "%s ", step);
}

static inline unsigned fake_count(const struct fake *f, enum esp_rung_kind k)
{
    unsigned n = 0;
    for (size_t i = 0; i < f->n_rungs; i++)
        n += f->rungs[i].kind == k;
    return n;
}

/* Limits short enough for a test of silences; everything the fake answers it answers at once. */
static inline struct esp_times fake_times(void)
{
    struct esp_times t = esp_times_default;
    t.command = 60;
    t.sync = t.sync_rest = 10;
    t.greeting = t.early_greeting = 40;
    t.quick_probe = 10;
    t.mem_end = 20;
    t.probe = 30;
    t.grace = 8;
    t.quiet = 3;
    t.settle = t.stub_gap = t.flash_wake = 1;
    t.watchdog = t.late = 1;
    t.late_sync = 30;
    t.md5_mb = t.erase_mb = t.work_mb = t.chip_erase_mb = 10;
    return t;
}

#define FAKE_RESET "D0|R1|W0.001|D1|R0|W0.001|D0"

static inline void fake_esp32(struct fake *f)
{
    static const struct fake_reg regs[] = {
        {0x40001000, 0x00f01d83}, {0x3ff5a004, 0x28aabbcc}, {0x3ff5a008, 0x00ee246f},
        {0x3ff5a00c, 1u << 15},   {0x3ff5a014, 1u << 20 | 1u << 24}, {0x3ff6607c, 1u << 31},
        {0x3ff40014, 347},
    };
    f->stub_name = "esp32";
    memcpy(f->regs, regs, sizeof regs);
    f->n_regs = T_COUNT(regs);
    f->boot_text = "ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x3 "
                   "(DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\nwaiting for download\r\n";
    f->app_text = "ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 "
                  "(SPI_FAST_FLASH_BOOT)\r\nHello\r\n";
}

static inline void fake_esp32c3(struct fake *f)
{
    static const struct fake_reg regs[] = {
        {0x40001000, 0x1b31506f}, {0x60008844, 0x33445566}, {0x60008848, 0x00001122},
        {0x60008850, 3u << 18},
    };
    /* as a C3 was seen to answer: chip id 5, version 3 */
    static const uint8_t info[20] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0};
    f->stub_name = "esp32c3";
    memcpy(f->regs, regs, sizeof regs);
    f->n_regs = T_COUNT(regs);
    memcpy(f->info, info, sizeof info);
    f->info_n = sizeof info;
    f->boot_text = "ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\nrst:0x1 (POWERON),boot:0x5 "
                   "(DOWNLOAD(USB/UART0/1))\r\nwaiting for download\r\n";
    f->app_text = "ESP-ROM:esp32c3-api1-20210207\r\nrst:0x1 (POWERON),boot:0xd (SPI_FAST_FLASH_BOOT)\r\n";
}

/* A memory link's board has answered when a write returns: what has not come by then never does, and the wait for it is
 * over at once, on this clock. A call costs a microsecond, so that time passes for whoever only polls. */
static enum fl_err (*fake_mem_read)(struct link *l, uint8_t *buf, size_t cap, size_t *got, struct fl_deadline d);

static inline enum fl_err fake_read(struct link *l, uint8_t *buf, size_t cap, size_t *got, struct fl_deadline d)
{
    own_now += 1000;
    enum fl_err err = fake_mem_read(l, buf, cap, got, (struct fl_deadline){0});
    if (err == FL_TIMEOUT && d.at_ns > own_now) {
        assert_true(d.at_ns != UINT64_MAX);
        own_now = d.at_ns;
    }
    return err;
}

/* `ops` is the caller's, for as long as the link lives. */
static inline void fake_no_waits(struct link *l, struct link_ops *ops)
{
    *ops = *l->ops;
    fake_mem_read = ops->read;
    ops->read = fake_read;
    l->ops = ops;
}

/* A board whose application runs, behind a link with lines and speed. */
static inline struct fake *fake_new(void (*chip)(struct fake *))
{
    struct fake *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->flash = malloc(FAKE_FLASH);
    assert_non_null(f->flash);
    memset(f->flash, 0xff, FAKE_FLASH);
    f->host_baud = f->chip_baud = 115200;
    f->flash_size_told = 2 << 20; /* what ROM and stub assume */
    f->text = FL_BUF(1 << 20);
    f->steps = FL_BUF(4096);
    chip(f);
    f->expected = stub_find(f->stub_name);
    assert_non_null(f->expected);
    struct link_mem_peer peer = {f, fake_write, fake_lines, fake_baud};
    assert_int_equal(link_mem_open(&peer, NULL, &f->link), FL_OK);
    fake_no_waits(f->link, &f->ops);
    return f;
}

static inline void fake_free(struct fake *f)
{
    link_close(f->link);
    (void)inflateEnd(&f->z);
    fl_buf_fini(&f->text);
    fl_buf_fini(&f->steps);
    free(f->flash);
    free(f);
}

static inline void fake_rule_add(struct fake *f, uint8_t op, unsigned first, unsigned last,
                                 unsigned where, enum fake_do what, const char *hex)
{
    for (size_t i = 0; i < FAKE_RULES; i++)
        if (!f->rules[i].where) {
            f->rules[i] = (struct fake_rule){op, first, last, where, what, hex};
            return;
        }
    fail_msg("too many rules");
}

static inline struct esp *fake_session(struct fake *f, const struct esp_config *config,
                                       struct esp_tuning *tuning)
{
    struct esp_config c = config ? *config : (struct esp_config){0};
    struct esp_observer o = {f, fake_on_step, fake_on_rung, fake_on_progress, fake_on_text, NULL};
    struct esp *e = NULL;
    if (!c.reset)
        c.reset = FAKE_RESET;
    assert_int_equal(esp_open(f->link, &c, tuning, &o, &e), FL_OK);
    e->times = fake_times();
    return e;
}

/* A region of made-up content; the caller frees with fake_region_fini. `entropy` 0: very compressible. */
static inline struct esp_region fake_region(uint32_t offset, uint32_t size, unsigned entropy, bool deflate_it)
{
    uint8_t *plain = malloc(size);
    assert_non_null(plain);
    uint32_t x = 0x9e3779b9u ^ offset ^ size;
    for (uint32_t i = 0; i < size; i++) {
        x = x * 1664525u + 1013904223u;
        plain[i] = entropy ? (uint8_t)(x >> 24 & entropy) : (uint8_t)(i >> 10);
    }
    struct esp_region r = {.offset = offset, .size = size, .plain = plain};
    assert_int_equal(fl_md5(plain, size, r.md5), FL_OK);
    if (deflate_it) {
        uLongf n = compressBound(size);
        uint8_t *z = malloc(n);
        assert_non_null(z);
        assert_int_equal(compress2(z, &n, plain, size, 9), Z_OK);
        r.deflated = z;
        r.deflated_size = n;
    }
    return r;
}

static inline void fake_region_fini(struct esp_region *r)
{
    free((void *)(uintptr_t)r->plain);
    free((void *)(uintptr_t)r->deflated);
}

/* The whole conversation up to an attached flash; the first error, or FL_OK. */
static inline enum fl_err fake_up(struct esp *e, struct esp_problem *p)
{
    struct esp_unit unit;
    struct esp_flash_info flash;
    enum fl_err err = esp_connect(e, p);
    if (!err)
        err = esp_identify(e, &unit, p);
    if (!err)
        err = esp_prepare(e, p);
    if (!err)
        err = esp_attach_flash(e, 0, &flash, p);
    return err;
}

#endif
