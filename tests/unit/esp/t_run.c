/* SPDX-License-Identifier: Apache-2.0
 * Regions side by side, written under one BEGIN: which of them are asked for before, and that none of them can be wrong
 * in the end, whether it was asked for or not. */
#include "unit/esp/fake.h"

#include "profile/squeeze.h"

enum { REGIONS = 4, REGION = 0x4000, AT = 0x20000, ELSEWHERE = 0x10000 };

/* Four side by side from AT, and one ELSEWHERE in front of them. */
struct set {
    struct esp_region r[1 + REGIONS];
    struct esp_region_result res[1 + REGIONS];
};

static void set_make(struct set *s)
{
    struct squeezer *z = squeezer_new();
    assert_non_null(z);
    for (uint32_t i = 0; i < 1 + REGIONS; i++) {
        struct squeezed made;
        s->r[i] = fake_region(i ? AT + (i - 1) * REGION : ELSEWHERE, REGION, 0x3f, false);
        assert_int_equal(squeeze(z, s->r[i].plain, REGION, &made), FL_OK);
        s->r[i].deflated = made.bytes;
        s->r[i].deflated_size = made.n;
        s->r[i].marks = made.marks;
        s->r[i].joins = true;
    }
    squeezer_free(z);
}

static void set_fini(struct set *s)
{
    for (size_t i = 0; i < 1 + REGIONS; i++) {
        free((void *)(uintptr_t)s->r[i].marks);
        fake_region_fini(&s->r[i]);
    }
}

static void put(struct fake *f, const struct esp_region *r)
{
    memcpy(f->flash + r->offset, r->plain, r->size);
}

static const struct {
    const char *what;
    bool there[1 + REGIONS]; /* in flash before */
    bool dirty;              /* the first of the four begins with other bytes, not blank */
    uint32_t stray_to;       /* where a damaged BEGIN makes the loader write; 0: none is damaged */
    unsigned stray;          /* which BEGIN */
    enum esp_region_state ends[1 + REGIONS];
    unsigned begins, md5s;   /* asked; md5s 0: not counted */
} rows[] = {
#define S ESP_REGION_SKIPPED
#define V ESP_REGION_VERIFIED
    /* the one in front: its first kilobyte agrees, then all of it. The four: a look at the first and the last, 4 proofs */
    {"blank", {true}, false, 0, 0, {S, V, V, V, V}, 1, 2 + 2 + 4},
    {"one between is there: written again", {true, false, true}, false, 0, 0, {S, V, V, V, V}, 1, 2 + 2 + 4},
    /* the last agrees: a look, and all of it; then each before it is looked at */
    {"the last is there", {true, false, false, false, true}, false, 0, 0, {S, V, V, V, S}, 1, 2 + 1 + 2 + 2 + 3},
    /* other bytes: each look twice; where flash is blank: once */
    {"not blank: each is asked", {true, false, true}, true, 0, 0, {S, V, S, V, V}, 2, 0},
    {"the run goes astray, over the one that was there", {true}, false, ELSEWHERE, 1, {V, V, V, V, V}, 0, 0},
    {"the same, and one between is there", {true, false, true}, false, ELSEWHERE, 1, {V, V, V, V, V}, 0, 0},
    {"the same, and the last is there", {true, false, false, false, true}, false, ELSEWHERE, 1, {V, V, V, V, V}, 0, 0},
    {"astray into itself", {true, false, true}, false, AT + REGION, 1, {V, V, V, V, V}, 0, 0},
    {"astray behind itself, over what was written before", {false}, false, ELSEWHERE, 2, {V, V, V, V, V}, 0, 0},
#undef S
#undef V
};

static void runs(void **state)
{
    (void)state;
    for (size_t i = 0; i < T_COUNT(rows); i++) {
        struct fake *f = fake_new(fake_esp32);
        struct esp_problem p = {0};
        struct esp *e = fake_session(f, NULL, NULL);
        struct set s;
        set_make(&s);
        if (fake_up(e, &p))
            fail_msg("%s: %s", esp_fault_name(p.fault), p.text);
        for (size_t k = 0; k < 1 + REGIONS; k++)
            if (rows[i].there[k])
                put(f, &s.r[k]);
        if (rows[i].dirty)
            memset(f->flash + AT, 0x55, 64);
        f->stray_begin = rows[i].stray;
        f->stray_to = rows[i].stray_to;
        unsigned begins = f->seen[OP_DEFL_BEGIN], md5s = f->seen[OP_FLASH_MD5];
        if (esp_write(e, s.r, 1 + REGIONS, true, s.res, &p))
            fail_msg("%s: %s", rows[i].what, p.text);
        begins = f->seen[OP_DEFL_BEGIN] - begins;
        md5s = f->seen[OP_FLASH_MD5] - md5s;
        for (size_t k = 0; k < 1 + REGIONS; k++) {
            if (memcmp(f->flash + s.r[k].offset, s.r[k].plain, REGION) != 0)
                fail_msg("%s: PASS, and region %zu is wrong", rows[i].what, k);
            if (rows[i].begins && s.res[k].state != rows[i].ends[k])
                fail_msg("%s: region %zu ends as %d, not %d", rows[i].what, k, s.res[k].state, rows[i].ends[k]);
        }
        if (rows[i].begins && begins != rows[i].begins)
            fail_msg("%s: %u BEGINs, not %u", rows[i].what, begins, rows[i].begins);
        if (rows[i].md5s && md5s != rows[i].md5s)
            fail_msg("%s: %u MD5s, not %u", rows[i].what, md5s, rows[i].md5s);
        set_fini(&s);
        esp_close(e);
        fake_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(runs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
