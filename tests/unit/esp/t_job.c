/* SPDX-License-Identifier: Apache-2.0
 * What esp_write promises: right bytes or a fault with evidence, never the one for the other. Also what it
 * refuses, what it leaves alone, and how it ends when it is stopped. */
#include "unit/esp/fake.h"

static struct esp *ready(struct fake *f, const struct esp_config *config, struct esp_problem *p)
{
    struct esp *e = fake_session(f, config, NULL);
    if (fake_up(e, p))
        fail_msg("%s: %s", esp_fault_name(p->fault), p->text);
    return e;
}

static bool holds(const struct fake *f, const struct esp_region *r)
{
    return memcmp(f->flash + r->offset, r->plain, r->size) == 0;
}

/* ---- flash that lies --------------------------------------------------------------------------- */

static void wrong_byte(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    struct esp_problem p = {0};
    struct esp *e = ready(f, NULL, &p);
    f->bad_sector = 0x10000 + 0x23456;
    struct esp_region r[2] = {fake_region(0x10000, 200000, 0xff, true), fake_region(0x60000, 5000, 0xff, true)};
    struct esp_region_result res[2];
    /* a byte that cannot keep its highest and its lowest bit */
    ((uint8_t *)(uintptr_t)r[0].plain)[0x23456] = 0xff;
    free((void *)(uintptr_t)r[0].deflated);
    uLongf n = compressBound(r[0].size);
    uint8_t *z = malloc(n);
    assert_int_equal(compress2(z, &n, r[0].plain, r[0].size, 9), Z_OK);
    r[0].deflated = z;
    r[0].deflated_size = n;
    assert_int_equal(fl_md5(r[0].plain, r[0].size, r[0].md5), FL_OK);

    assert_int_equal(esp_write(e, r, 2, true, res, &p), FL_MISMATCH);
    assert_int_equal(p.fault, ESP_FAULT_VERIFY_MD5);
    assert_non_null(strstr(p.text, "the first sector at 033000"));
    assert_non_null(strstr(p.text, "1 of 4 blocks of 64 KB differ"));
    assert_non_null(strstr(p.text, "written 2 times"));
    assert_int_equal(res[0].state, ESP_REGION_BAD);
    assert_int_equal(res[0].writes, 2);
    assert_memory_not_equal(res[0].md5_found, r[0].md5, 16);
    assert_int_equal(res[1].state, ESP_REGION_PENDING);
    assert_int_equal(fake_count(f, ESP_RUNG_REGION), 1);
    assert_int_equal(f->rungs[0].cause, ESP_FAULT_VERIFY_MD5);
    /* and nothing more is possible but the way out */
    assert_int_equal(esp_write(e, r, 2, true, res, &p), FL_STATE);
    assert_int_equal(esp_run(e, &p), FL_OK);
    fake_region_fini(&r[0]);
    fake_region_fini(&r[1]);
    esp_close(e);
    fake_free(f);
}

/* Protected by the status register: cleared once, written again. Protected for good: its own fault. */
static void protected_flash(void **state)
{
    (void)state;
    for (int for_good = 0; for_good < 2; for_good++) {
        struct fake *f = fake_new(fake_esp32);
        struct esp_problem p = {0};
        struct esp *e = ready(f, NULL, &p);
        f->ignores_writes = true;
        f->status_reg = for_good ? 0 : 0x1c;
        struct esp_region r = fake_region(0x10000, 20000, 0xff, true);
        struct esp_region_result res;
        enum fl_err err = esp_write(e, &r, 1, true, &res, &p);
        if (for_good) {
            assert_int_equal(err, FL_MISMATCH);
            assert_int_equal(p.fault, ESP_FAULT_FLASH_PROTECTED);
            assert_non_null(strstr(p.text, "blank"));
        } else {
            if (err)
                fail_msg("%s", p.text);
            assert_true(holds(f, &r));
            assert_int_equal(f->status_reg, 0);
            assert_non_null(strstr(f->rungs[1].text, "status 1c"));
        }
        fake_region_fini(&r);
        esp_close(e);
        fake_free(f);
    }
}

/* A BEGIN whose offset was damaged on its way writes over a region that was verified before. The session must not
 * end well until that one is right again. */
static void stray_write(void **state)
{
    (void)state;
    for (int skip = 0; skip < 2; skip++) {
        struct fake *f = fake_new(fake_esp32);
        struct esp_problem p = {0};
        struct esp *e = ready(f, NULL, &p);
        struct esp_region r[2] = {fake_region(0x10000, 5000, 0xff, true), fake_region(0x30000, 6000, 0xff, true)};
        struct esp_region_result res[2];
        f->stray_begin = 2; /* the second BEGIN goes to the first region's place */
        f->stray_to = 0x10000;
        enum fl_err err = esp_write(e, r, 2, skip, res, &p);
        if (err)
            fail_msg("%s", p.text);
        assert_true(holds(f, &r[0]));
        assert_true(holds(f, &r[1]));
        assert_int_equal(res[0].state, ESP_REGION_VERIFIED);
        assert_int_equal(res[1].state, ESP_REGION_VERIFIED);
        assert_int_equal(res[0].writes, 2);
        fake_region_fini(&r[0]);
        fake_region_fini(&r[1]);
        esp_close(e);
        fake_free(f);
    }
}

/* The same when the region that is damaged by the stray write had been skipped. */
static void stray_over_skipped(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    struct esp_problem p = {0};
    struct esp *e = ready(f, NULL, &p);
    struct esp_region r[2] = {fake_region(0x10000, 5000, 0xff, true), fake_region(0x30000, 6000, 0xff, true)};
    struct esp_region_result res[2];
    memcpy(f->flash + 0x10000, r[0].plain, r[0].size);
    f->stray_begin = 1;
    f->stray_to = 0x10000;
    assert_int_equal(esp_write(e, r, 2, true, res, &p), FL_OK);
    assert_true(holds(f, &r[0]));
    assert_true(holds(f, &r[1]));
    assert_int_equal(res[0].state, ESP_REGION_VERIFIED);
    fake_region_fini(&r[0]);
    fake_region_fini(&r[1]);
    esp_close(e);
    fake_free(f);
}

/* A chip that answers every question right and forgets everything it is told. */
static void forgets(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    struct esp_problem p = {0};
    struct esp *e = ready(f, &(struct esp_config){.stub = ESP_STUB_NEVER}, &p);
    struct esp_region r = fake_region(0x10000, 20000, 0xff, false);
    struct esp_region_result res;
    memset(f->flash + 0x10000, 0x55, 20000);
    f->ignores_writes = true;
    assert_int_equal(esp_write(e, &r, 1, false, &res, &p), FL_MISMATCH);
    assert_int_equal(p.fault, ESP_FAULT_VERIFY_MD5);
    fake_region_fini(&r);
    esp_close(e);
    fake_free(f);
}

/* ---- what is refused ----------------------------------------------------------------------------- */

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        void (*chip)(struct fake *);
        enum esp_stub_mode stub;
        struct fake_reg reg;   /* set before it is identified */
        uint8_t info[8];       /* first bytes of the security info */
        uint32_t offset[2], size[2];
        enum esp_fault fault;
        enum fl_err err;
    } rows[] = {
        {"past the end of the flash", fake_esp32, ESP_STUB_AUTO, {0, 0}, {0}, {0x3ff000, 0x1000}, {0x1004, 4},
         ESP_FAULT_FLASH_SIZE, FL_LIMIT},
        {"a size that is no multiple of 4", fake_esp32, ESP_STUB_AUTO, {0, 0}, {0}, {0x10000, 0x1000}, {4097, 4},
         ESP_FAULT_INTERNAL, FL_ARG},
        {"two regions in one sector", fake_esp32, ESP_STUB_AUTO, {0, 0}, {0}, {0x10000, 0x10800}, {0x800, 0x800},
         ESP_FAULT_INTERNAL, FL_ARG},
        {"flash encryption", fake_esp32, ESP_STUB_AUTO, {0x3ff5a000, 1u << 20}, {0}, {0x10000, 0x1000}, {4, 4},
         ESP_FAULT_SECURITY_REFUSED, FL_UNSUPPORTED},
        {"the same on a C3, by its flags", fake_esp32c3, ESP_STUB_AUTO, {0, 0}, {0, 0, 0, 0, 7}, {0x10000, 0x1000},
         {4, 4}, ESP_FAULT_SECURITY_REFUSED, FL_UNSUPPORTED},
        {"secure boot V1 below 0x8000", fake_esp32, ESP_STUB_AUTO, {0x3ff5a018, 1u << 4}, {0}, {0x10000, 0x1000},
         {4, 4}, ESP_FAULT_SECURITY_REFUSED, FL_UNSUPPORTED},
        {"secure boot V1 above", fake_esp32, ESP_STUB_AUTO, {0x3ff5a018, 1u << 4}, {0}, {0x10000, 0x8000}, {4, 4},
         ESP_FAULT_NONE, FL_OK},
        {"ROM at no sector", fake_esp32, ESP_STUB_NEVER, {0, 0}, {0}, {0x10100, 0x1000}, {4, 4},
         ESP_FAULT_CHIP_REFUSED, FL_UNSUPPORTED},
        {"the stub at no sector", fake_esp32, ESP_STUB_AUTO, {0, 0}, {0}, {0x10100, 0x1000}, {4, 4}, ESP_FAULT_NONE,
         FL_OK},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fake *f = fake_new(rows[i].chip);
        if (rows[i].reg.addr)
            fake_set_reg(f, rows[i].reg.addr, rows[i].reg.value);
        if (f->info_n)
            memcpy(f->info, rows[i].info, sizeof rows[i].info);
        struct esp_problem p = {0};
        struct esp *e = ready(f, &(struct esp_config){.stub = rows[i].stub}, &p);
        struct esp_region r[2] = {fake_region(rows[i].offset[0], rows[i].size[0], 0xff, false),
                                  fake_region(rows[i].offset[1], rows[i].size[1], 0xff, false)};
        struct esp_region_result res[2];
        enum fl_err err = esp_write(e, r, 2, true, res, &p);
        if (err != rows[i].err || (err && p.fault != rows[i].fault))
            fail_msg("%s: %s, %s: %s", rows[i].what, fl_err_text(err), esp_fault_name(p.fault), p.text);
        if (err)
            assert_int_equal(f->erases, 0);
        fake_region_fini(&r[0]);
        fake_region_fini(&r[1]);
        esp_close(e);
        fake_free(f);
    }
}

/* ROM sends 24-bit addresses: past 16 MB it would write over the bootloader. So does the stub of most chips. */
static void past_16_mb(void **state)
{
    (void)state;
    static const struct {
        void (*chip)(struct fake *);
        enum esp_stub_mode stub;
    } rows[] = {{fake_esp32, ESP_STUB_NEVER}, {fake_esp32, ESP_STUB_AUTO}, {fake_esp32c3, ESP_STUB_AUTO}};
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fake *f = fake_new(rows[i].chip);
        struct esp_problem p = {0};
        struct esp *e = fake_session(f, &(struct esp_config){.stub = rows[i].stub}, NULL);
        struct esp_unit unit;
        struct esp_flash_info info;
        f->jedec = 0x1940ef; /* 32 MB */
        assert_int_equal(esp_connect(e, &p), FL_OK);
        assert_int_equal(esp_identify(e, &unit, &p), FL_OK);
        assert_int_equal(esp_prepare(e, &p), FL_OK);
        assert_int_equal(esp_attach_flash(e, 0, &info, &p), FL_OK);
        assert_int_equal(info.size, 32 << 20);
        struct esp_region r = fake_region(0x1000000, 4, 0xff, false);
        struct esp_region_result res;
        assert_int_equal(esp_write(e, &r, 1, true, &res, &p), FL_UNSUPPORTED);
        assert_int_equal(p.fault, ESP_FAULT_FLASH_SIZE);
        assert_int_equal(f->erases, 0);
        fake_region_fini(&r);
        esp_close(e);
        fake_free(f);
    }
}

/* ---- secure download mode -------------------------------------------------------------------------- */

static void secure_download(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32c3);
    struct esp_problem p = {0};
    struct esp *e = fake_session(f, &(struct esp_config){.baud = 921600}, NULL);
    struct esp_unit unit;
    struct esp_flash_info info;
    f->info[0] = 4;
    static const uint8_t barred[] = {OP_READ_REG, OP_WRITE_REG, OP_MEM_BEGIN, OP_FLASH_MD5};
    for (size_t i = 0; i < T_COUNT(barred); i++)
        fake_rule_add(f, barred[i], 1, 0, IN_ROM, DO_REFUSE, "01050000");
    assert_int_equal(esp_connect(e, &p), FL_OK);
    assert_int_equal(esp_identify(e, &unit, &p), FL_OK);
    assert_int_equal(unit.security.secure_download, ESP_ON);
    assert_false(unit.has_mac);
    assert_int_equal(unit.revision, UINT_MAX);
    assert_int_equal(esp_prepare(e, &p), FL_OK);
    assert_false(esp_has_stub(e));
    assert_int_equal(esp_baud(e), 115200);
    assert_int_equal(esp_attach_flash(e, 0, &info, &p), FL_UNSUPPORTED);
    assert_int_equal(p.fault, ESP_FAULT_FLASH_SIZE);
    esp_close(e);

    e = fake_session(f, NULL, NULL);
    assert_int_equal(esp_connect(e, &p), FL_OK);
    assert_int_equal(esp_identify(e, &unit, &p), FL_OK);
    assert_int_equal(esp_prepare(e, &p), FL_OK);
    assert_int_equal(esp_attach_flash(e, 8 << 20, &info, &p), FL_OK);
    assert_int_equal(f->flash_size_told, 8 << 20);
    struct esp_region r = fake_region(0x10000, 4096, 0xff, false);
    struct esp_region_result res;
    assert_int_equal(esp_write(e, &r, 1, true, &res, &p), FL_UNSUPPORTED);
    assert_int_equal(p.fault, ESP_FAULT_SECURITY_REFUSED);
    assert_int_equal(f->erases, 0);
    for (size_t i = 0; i < T_COUNT(barred); i++)
        assert_int_equal(f->seen[barred[i]], 0); /* what is barred is not even asked */
    fake_region_fini(&r);
    esp_close(e);
    fake_free(f);
}

/* ---- erasing ------------------------------------------------------------------------------------- */

static void erase_all(void **state)
{
    (void)state;
    for (int stub = 0; stub < 2; stub++) {
        struct fake *f = fake_new(fake_esp32);
        struct esp_problem p = {0};
        memset(f->flash, 0, 4 << 20);
        struct esp *e = ready(f, &(struct esp_config){.stub = stub ? ESP_STUB_AUTO : ESP_STUB_NEVER}, &p);
        assert_int_equal(esp_erase_all(e, &p), FL_OK);
        for (size_t i = 0; i < 4 << 20; i += 4096)
            assert_int_equal(f->flash[i], 0xff);
        assert_int_equal(f->seen[OP_ERASE_FLASH], stub);
        esp_close(e);
        fake_free(f);
    }
    struct fake *f = fake_new(fake_esp32);
    struct esp_problem p = {0};
    fake_set_reg(f, 0x3ff5a018, 1u << 5); /* secure boot, on a revision 3 */
    struct esp *e = ready(f, NULL, &p);
    assert_int_equal(esp_erase_all(e, &p), FL_REFUSED);
    assert_int_equal(p.fault, ESP_FAULT_SECURITY_REFUSED);
    esp_close(e);
    fake_free(f);
}

/* ---- the slot learns ------------------------------------------------------------------------------- */

static void learning(void **state)
{
    (void)state;
    struct esp_tuning tuning = {0};
    struct esp_problem p = {0};
    struct esp_config config = {.baud = 921600, .step_down = {460800, 230400}};
    struct esp_region r = fake_region(0x10000, 9000, 0xff, true);
    struct esp_region_result res;
    unsigned rungs[2];
    for (int unit = 0; unit < 2; unit++) { /* the second unit starts where the first one ended */
        struct fake *f = fake_new(fake_esp32);
        f->max_baud = 230400;
        struct esp *e = fake_session(f, &config, &tuning);
        assert_int_equal(fake_up(e, &p), FL_OK);
        assert_int_equal(esp_write(e, &r, 1, true, &res, &p), FL_OK);
        assert_int_equal(esp_baud(e), 230400);
        rungs[unit] = (unsigned)f->n_rungs;
        esp_close(e);
        fake_free(f);
    }
    assert_true(rungs[0] > 0);
    assert_int_equal(rungs[1], 0);
    assert_int_equal(tuning.baud, 230400);
    /* a board that fails teaches nothing */
    struct fake *f = fake_new(fake_esp32);
    struct esp *e = fake_session(f, &config, &tuning);
    fake_rule_add(f, OP_MEM_DATA, 1, 0, IN_ROM, DO_REFUSE, "01070000");
    fake_rule_add(f, OP_FLASH_BEGIN, 1, 0, IN_ROM, DO_REFUSE, "01060000");
    assert_int_equal(fake_up(e, &p), FL_OK);
    assert_int_not_equal(esp_write(e, &r, 1, true, &res, &p), FL_OK);
    assert_int_equal(tuning.rom_only, false);
    assert_int_equal(tuning.ram_block, 0);
    assert_int_equal(tuning.baud, 230400);
    fake_region_fini(&r);
    esp_close(e);
    fake_free(f);
}

/* ---- ends ---------------------------------------------------------------------------------------- */

/* What becomes of it when the supply is switched. */
struct supply {
    struct fake *f;
    enum fl_err err;
    bool another; /* the port comes back as another link */
};

static enum fl_err supply(void *ctx, struct link **link, struct fl_why *why)
{
    struct supply *s = ctx;
    s->f->power_cycles++;
    if (s->err)
        return fl_fail(why, s->err, "'hub off' ended with 1");
    memset(s->f->rules, 0, sizeof s->f->rules); /* the fault does not survive it */
    if (s->another) {
        struct link_mem_peer peer = {s->f, fake_write, fake_lines, fake_baud};
        link_close(*link);
        assert_int_equal(link_mem_open(&peer, NULL, link), FL_OK);
        s->f->link = *link;
        s->f->host_baud = 115200;
        fake_no_waits(*link, &s->f->ops);
    }
    return FL_OK;
}

/* Without a supply that can be switched, or where that fails, the verdict is what was wrong before. */
static void power_cycle(void **state)
{
    (void)state;
    static const struct {
        enum fl_err err, end;
        bool another;
        enum esp_fault fault;
        int rungs;
        const char *says;
    } rows[] = {
        {FL_OK, FL_OK, false, ESP_FAULT_NONE, 1, ""},
        {FL_OK, FL_OK, true, ESP_FAULT_NONE, 1, ""},
        {FL_REFUSED, FL_REFUSED, false, ESP_FAULT_FLASH_WRITE, 0, "; the supply could not be switched: 'hub off' ended with 1"},
        {FL_GONE, FL_GONE, false, ESP_FAULT_LINK_LOST, 1, "the supply was switched off and on for \"DEFL_DATA"},
        {FL_CANCELLED, FL_CANCELLED, false, ESP_FAULT_CANCELLED, 0, ""},
    };
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fake *f = fake_new(fake_esp32);
        struct supply s = {f, rows[i].err, rows[i].another};
        struct esp_problem p = {0};
        struct esp *e = ready(f, &(struct esp_config){.stub = ESP_STUB_REQUIRED, .power_cycle = supply, .power_cycle_ctx = &s}, &p);
        fake_rule_add(f, OP_DEFL_DATA, 1, 0, IN_STUB, DO_REFUSE, "C400");
        struct esp_region r = fake_region(0x10000, 9000, 0x3f, true);
        struct esp_region_result res;
        enum fl_err err = esp_write(e, &r, 1, true, &res, &p);
        if (err != rows[i].end || p.fault != rows[i].fault || !strstr(p.text, rows[i].says))
            fail_msg("row %zu: %s, %s: %s", i, fl_err_text(err), esp_fault_name(p.fault), p.text);
        assert_int_equal(holds(f, &r), err == FL_OK);
        assert_int_equal(f->power_cycles, 1);
        assert_int_equal(fake_count(f, ESP_RUNG_POWER), rows[i].rungs);
        fake_region_fini(&r);
        esp_close(e);
        fake_free(f);
    }
}

/* After a reset another board answers: its flash must not be touched. */
static void swapped(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    struct esp_problem p = {0};
    struct esp *e = ready(f, NULL, &p);
    fake_rule_add(f, OP_DEFL_DATA, 1, 0, IN_STUB, DO_HANG, NULL);
    fake_set_reg(f, 0x3ff5a004, 0x28aabb01);
    struct esp_region r = fake_region(0x10000, 9000, 0x3f, true);
    struct esp_region_result res;
    assert_int_equal(esp_write(e, &r, 1, true, &res, &p), FL_GONE);
    assert_int_equal(p.fault, ESP_FAULT_LINK_LOST);
    assert_non_null(strstr(p.text, "another board answers after the reset: its MAC address ends in aa:bb:01"));
    fake_region_fini(&r);
    esp_close(e);
    fake_free(f);
}

/* A wake-up ends any wait at once, wherever it comes. */
static void cancelled(void **state)
{
    (void)state;
    for (int when = 0; when < 3; when++) {
        struct fl_wake wake;
        assert_int_equal(fl_wake_init(&wake, NULL), FL_OK);
        struct fake *f = fake_new(fake_esp32);
        f->link->wake = &wake;
        struct esp *e = fake_session(f, NULL, NULL);
        e->times = esp_times_default; /* waits are long */
        struct esp_problem p = {0};
        struct esp_region r = fake_region(0x10000, 9000, 0x3f, true);
        struct esp_region_result res;
        enum fl_err err = FL_OK;
        uint64_t start = fl_mono_ms();
        if (when == 0) {
            f->dead = true;
            fl_wake_raise(&wake);
            err = esp_connect(e, &p);
        } else {
            assert_int_equal(fake_up(e, &p), FL_OK);
            fake_rule_add(f, when == 1 ? OP_DEFL_DATA : OP_FLASH_MD5, 1, 0, IN_STUB, DO_SILENT, NULL);
            fl_wake_raise(&wake);
            start = fl_mono_ms();
            err = esp_write(e, &r, 1, true, &res, &p);
        }
        assert_int_equal(err, FL_CANCELLED);
        assert_int_equal(p.fault, ESP_FAULT_CANCELLED);
        assert_true(fl_mono_ms() - start < 2000); /* one limit alone is 3000 */
        fake_region_fini(&r);
        esp_close(e);
        fake_free(f);
        fl_wake_fini(&wake);
    }
}

/* A session that keeps failing ends: the limit of the whole call is kept, whatever a board does. */
static void limit(void **state)
{
    (void)state;
    struct esp_region r = {.size = 4 << 20};
    /* 4 MB: three times 364 s at 115200 baud, 168 s of flash, 180 s of recovery */
    uint64_t ms = esp_write_limit_ms(&r, 1);
    assert_in_range(ms, 1400000, 1480000);
    assert_int_equal(esp_write_limit_ms(NULL, 0), 180000);

    struct fake *f = fake_new(fake_esp32);
    struct esp_problem p = {0};
    struct esp *e = ready(f, NULL, &p);
    fake_rule_add(f, OP_DEFL_DATA, 1, 0, IN_STUB, DO_SILENT, NULL);
    struct esp_region small = fake_region(0x10000, 9000, 0x3f, true);
    struct esp_region_result res;
    e->limit = fl_deadline_in_ms(100);
    e->tune.rom_only = false;
    uint64_t start = fl_mono_ms();
    enum fl_err err = esp_write_all(e, &small, 1, false, &res);
    assert_int_not_equal(err, FL_OK);
    assert_true(fl_mono_ms() - start < 1000);
    fake_region_fini(&small);
    esp_close(e);
    fake_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_byte),      cmocka_unit_test(protected_flash),
        cmocka_unit_test(stray_write),     cmocka_unit_test(stray_over_skipped),
        cmocka_unit_test(forgets),         cmocka_unit_test(refused),
        cmocka_unit_test(past_16_mb),      cmocka_unit_test(secure_download),
        cmocka_unit_test(erase_all),       cmocka_unit_test(learning),
        cmocka_unit_test(power_cycle),     cmocka_unit_test(swapped),
        cmocka_unit_test(cancelled),       cmocka_unit_test(limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
