/* SPDX-License-Identifier: Apache-2.0
 * Every answer is hostile until it is parsed. For each command, each kind of bad answer, once and for ever: the
 * session ends within its limits, with the right bytes in flash or with a fault. Then single damaged bytes at
 * random places of a whole conversation, both ways. The seed is printed; FL_SEED and FL_RUNS repeat or lengthen. */
#include "unit/esp/fake.h"

static const uint8_t ops[] = {
    OP_SYNC,          OP_SECURITY_INFO, OP_READ_REG,    OP_WRITE_REG,  OP_MEM_BEGIN, OP_MEM_DATA, OP_MEM_END,
    OP_SPI_ATTACH,    OP_SPI_SET_PARAMS, OP_CHANGE_BAUD, OP_DEFL_BEGIN, OP_DEFL_DATA, OP_DEFL_END, OP_FLASH_MD5,
    OP_FLASH_BEGIN,   OP_FLASH_DATA,
};

/* `@` stands for the opcode asked for. */
static const struct {
    const char *what, *hex;
} answers[] = {
    {"no status", "C0 01 @ 0000 00000000 C0"},
    {"one byte of status", "C0 01 @ 0100 00000000 00 C0"},
    {"three bytes of status", "C0 01 @ 0300 00000000 000000 C0"},
    {"60 bytes of nothing", "C0 01 @ 3C00 00000000 000000000000000000000000000000000000000000000000000000000000"
                            "000000000000000000000000000000000000000000000000000000000000 C0"},
    {"a size that lies", "C0 01 @ FFFF 00000000 0000 C0"},
    {"a head alone", "C0 01 @ C0"},
    {"another opcode", "C0 01 55 0200 00000000 0000 C0"},
    {"another opcode, refused", "C0 01 55 0400 00000000 01050000 C0"},
    {"a refusal nobody knows", "C0 01 @ 0200 00000000 7733 C0"},
    {"our own frame", "C0 00 @ 0400 00000000 00100040 C0"},
    {"a frame that never ends", "C0 01 @ 0200 00000000 00"},
    {"a bad escape", "C0 01 @ DB 99 0200 C0"},
    {"delimiters", "C0C0C0C0C0C0C0C0C0C0C0C0C0C0C0"},
    {"text", "68656C6C6F20776F726C640D0A68656C6C6F20776F726C640D0A"},
    {"the greeting", "C0 4F484149 C0"},
};

static char *fill_in(const char *hex, uint8_t op, char *out, size_t cap)
{
    const char *at = strchr(hex, '@');
    if (at)
        (void)snprintf(out, cap, "%.*s%02x%s", (int)(at - hex), hex, op, at + 1);
    else
        (void)snprintf(out, cap, "%s", hex);
    return out;
}

static void hurry(struct esp *e)
{
    e->times.command = 20;
    e->times.probe = 10;
    e->times.greeting = 15;
    e->times.mem_end = e->times.sync = e->times.sync_rest = 5;
    e->times.grace = 3;
    e->times.quiet = 2;
}

/* The whole conversation; true when it ended well, and then the flash is right. */
static bool whole(struct fake *f, const struct esp_config *config, bool quiet, const char *what)
{
    struct esp *e = fake_session(f, config, NULL);
    struct esp_problem p = {0};
    struct esp_region r[2] = {fake_region(0x10000, 9000, 0x3f, true), fake_region(0x20000, 6000, 0xff, false)};
    struct esp_region_result res[2];
    hurry(e);
    uint64_t start = fl_mono_ms();
    enum fl_err err = fake_up(e, &p);
    if (!err)
        err = esp_write(e, r, 2, true, res, &p);
    for (size_t i = 0; i < 2; i++) {
        if (!err && memcmp(f->flash + r[i].offset, r[i].plain, r[i].size) != 0)
            fail_msg("%s: ended well with wrong bytes in flash", what);
        if (!err && res[i].state != ESP_REGION_VERIFIED)
            fail_msg("%s: ended well with a region in state %d", what, res[i].state);
    }
    if (err && (p.fault == ESP_FAULT_NONE || !p.text[0] || p.fault == ESP_FAULT_INTERNAL))
        fail_msg("%s: no cause given: %s, %s", what, fl_err_text(err), p.text);
    if (fl_mono_ms() - start > 30000)
        fail_msg("%s: took %llu ms", what, (unsigned long long)(fl_mono_ms() - start));
    if (err && !quiet)
        print_message("# %s: %s: %s\n", what, esp_fault_name(p.fault), p.text);
    fake_region_fini(&r[0]);
    fake_region_fini(&r[1]);
    esp_close(e);
    return !err;
}

static void once(void **state)
{
    (void)state;
    unsigned bad = 0;
    for (size_t o = 0; o < T_COUNT(ops); o++) {
        for (size_t a = 0; a < T_COUNT(answers); a++) {
            bool rom = ops[o] == OP_FLASH_BEGIN || ops[o] == OP_FLASH_DATA;
            struct esp_config config = {.baud = 921600, .stub = rom ? ESP_STUB_NEVER : ESP_STUB_AUTO};
            struct fake *f = fake_new(fake_esp32);
            char hex[400], what[100];
            (void)snprintf(what, sizeof what, "%s answered with %s", packet_op_name(ops[o]), answers[a].what);
            fake_rule_add(f, ops[o], 2, 2, ANYWHERE, DO_RAW, fill_in(answers[a].hex, ops[o], hex, sizeof hex));
            bad += !whole(f, &config, false, what);
            fake_free(f);
        }
    }
    assert_int_equal(bad, 0); /* one bad answer is always survived */
}

static void for_ever(void **state)
{
    (void)state;
    static const uint8_t some[] = {OP_READ_REG, OP_DEFL_DATA, OP_FLASH_MD5, OP_MEM_DATA};
    for (size_t o = 0; o < T_COUNT(some); o++) {
        for (size_t a = 0; a < T_COUNT(answers); a++) {
            struct fake *f = fake_new(fake_esp32);
            char hex[400], what[100];
            (void)snprintf(what, sizeof what, "%s always answered with %s", packet_op_name(some[o]), answers[a].what);
            fake_rule_add(f, some[o], 1, 0, ANYWHERE, DO_RAW, fill_in(answers[a].hex, some[o], hex, sizeof hex));
            (void)whole(f, &(struct esp_config){.connect_attempts = 2}, true, what);
            fake_free(f);
        }
    }
}

/* An application that never stops talking, beside every answer. */
static void endless_text(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    f->chatter = "I (1234) main: still here\r\n";
    assert_true(whole(f, NULL, false, "chatter"));
    assert_true(f->text.len > 0);
    fake_free(f);
}

/* Every answer comes twice: the second copy is never taken for the next block's. */
static void twice(void **state)
{
    (void)state;
    struct fake *f = fake_new(fake_esp32);
    f->twice = true;
    assert_true(whole(f, &(struct esp_config){.baud = 921600}, false, "twice"));
    assert_int_equal(f->n_rungs, 0);
    fake_free(f);
}

/* ---- random damage ------------------------------------------------------------------------------ */

static uint64_t next(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static void random_damage(void **state)
{
    (void)state;
    const char *s = getenv("FL_SEED"), *n = getenv("FL_RUNS");
    uint64_t seed = s ? strtoull(s, NULL, 0) : 20261122;
    unsigned long runs = n ? strtoul(n, NULL, 0) : 300, failed = 0;
    print_message("# seed %llu, %lu runs\n", (unsigned long long)seed, runs);
    struct fake *clean = fake_new(fake_esp32);
    assert_true(whole(clean, &(struct esp_config){.baud = 921600}, false, "clean"));
    uint64_t out = clean->host_bytes, in = clean->reply_bytes;
    fake_free(clean);
    for (unsigned long i = 0; i < runs; i++) {
        uint64_t x = seed + i * 0x9e3779b97f4a7c15u;
        for (int k = 0; k < 4; k++)
            (void)next(&x);
        struct fake *f = fake_new(fake_esp32);
        bool to_host = next(&x) % 3 == 0;
        /* delimiters and their escape hurt most: they are hit more often than chance would */
        uint8_t flip = next(&x) % 4 == 0 ? 0 : (uint8_t)(next(&x) % 255 + 1);
        f->damage_on = !to_host;
        f->reply_damage_on = to_host;
        f->damage_at = next(&x) % out;
        f->reply_damage_at = next(&x) % in;
        f->damage_xor = f->reply_damage_xor = flip;
        char what[100];
        (void)snprintf(what, sizeof what, "seed %llu run %lu: %s byte %llu, %02x", (unsigned long long)seed, i,
                       to_host ? "chip's" : "host's",
                       (unsigned long long)(to_host ? f->reply_damage_at : f->damage_at), flip);
        failed += !whole(f, &(struct esp_config){.baud = 921600}, false, what);
        fake_free(f);
    }
    assert_int_equal(failed, 0); /* a single damaged byte is always survived */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once),
        cmocka_unit_test(for_ever),
        cmocka_unit_test(endless_text),
        cmocka_unit_test(twice),
        cmocka_unit_test(random_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
