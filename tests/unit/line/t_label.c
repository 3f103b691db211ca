/* SPDX-License-Identifier: Apache-2.0
 * line/label: ZPL from templates; the QR graphic by what a reader looks for. */
#include "unit/t.h"

#include "line/label.h"

#include <stdio.h>
#include <stdlib.h>

static struct attempt_facts facts(void)
{
    struct attempt_facts f = {.slot = 7, .has_mac = true, .mac = {0x24, 0x6f, 0x28, 0xaa, 0x0b, 0xcc},
                              .end_ms = INT64_C(1795356300000)}; /* date -u -d @1795356300: 2026-11-22 14:05 */
    (void)snprintf(f.serial, sizeof f.serial, "SN-^FD~1\n");
    (void)snprintf(f.lot, sizeof f.lot, "L-1");
    (void)snprintf(f.chip, sizeof f.chip, "esp32");
    return f;
}

static void fields(void **state)
{
    (void)state;
    static const char template[] = "^XA^FO10,10^FD{mac} {mac_plain}^FS{{x}{serial}|{lot}|{date} {time}|{product} {version}|"
                                   "{station}|{operator}|{chip}|{slot}^XZ\n";
    struct label *l;
    struct attempt_facts f = facts();
    struct fl_buf out = FL_BUF(4096);
    struct fl_why why;
    assert_int_equal(label_parse("t.zpl", template, NULL, &l, &why), FL_OK);
    assert_true(label_uses(l, "serial"));
    assert_false(label_uses(l, "qr"));
    assert_int_equal(label_make(l, &f, &(struct label_source){"core", "1.0", NULL}, &out, &why), FL_OK);
    assert_string_equal(fl_buf_text(&out), "^XA^FO10,10^FD24:6f:28:aa:0b:cc 246F28AA0BCC^FS{x}SN- FD 1 |L-1|2026-11-22 14:05|"
                                           "core 1.0|||esp32|7^XZ\n");
    fl_buf_fini(&out);
    label_free(l);
}

static void unknown(void **state)
{
    (void)state;
    static const char *const row[][3] = {
        {"^XA\n{serail}^XZ", NULL, "t.zpl:2: '{serail}' is no field, expected {mac} {mac_plain} {serial} "},
        {"{qr}", NULL, "t.zpl:1: '{qr}' is there, but the station file does not say its text: labels.qr"},
        {"\n{qr:5}", NULL, "t.zpl:2: '{qr:5}' is there, but"},
        {"{qr:0}", NULL, "t.zpl:1: '{qr:0}' is no field"},
        {"{qr:0}", "{mac}", "t.zpl:1: '{qr:0}' is no field"},
        {"{qr:21}", "{mac}", "t.zpl:1: '{qr:21}' is no field"},
        {"{mac", NULL, "t.zpl:1: '{mac' is no field"},
        {"{MAC}", NULL, "t.zpl:1: '{MAC}' is no field"},
        {"{qr}", "{qr}", "labels.qr:1: '{qr}' is no field"},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct label *l;
        struct fl_why why = {0};
        assert_int_equal(label_parse("t.zpl", row[i][0], row[i][1], &l, &why), FL_FORMAT);
        assert_null(l);
        if (strncmp(why.text, row[i][2], strlen(row[i][2])) != 0)
            fail_msg("'%s', expected '%s...'", why.text, row[i][2]);
    }
}

static bool dot(const char *hex, unsigned row, unsigned x, unsigned y)
{
    char two[3] = {hex[2 * (y * row + x / 8)], hex[2 * (y * row + x / 8) + 1], 0};
    return strtoul(two, NULL, 16) >> (7 - x % 8) & 1;
}

/* 17 characters at level M are version 2, 25 modules (ISO/IEC 18004, table 7); with four modules of white on each side 33. */
static void qr(void **state)
{
    (void)state;
    struct label *l;
    struct attempt_facts f = facts();
    struct fl_buf out = FL_BUF(1 << 16);
    unsigned t1, t2, row, dots = 3, side = 33 * 3;
    int at = 0;
    assert_int_equal(label_parse("t.zpl", "{qr:3}", "{mac}", &l, NULL), FL_OK);
    assert_true(label_uses(l, "mac"));
    assert_int_equal(label_make(l, &f, &(struct label_source){0}, &out, NULL), FL_OK);
    const char *zpl = fl_buf_text(&out);
    assert_int_equal(sscanf(zpl, "^GFA,%u,%u,%u,%n", &t1, &t2, &row, &at), 3);
    assert_int_equal(row, (side + 7) / 8);
    assert_int_equal(t1, row * side);
    assert_int_equal(t2, t1);
    assert_int_equal(strlen(zpl + at), 2 * t1);
    assert_int_equal(strspn(zpl + at, "0123456789ABCDEF"), 2 * t1);
    /* the finder patterns: black ring, white ring, black middle; at three corners and not at the fourth */
    static const char finder[7][8] = {"1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"};
    unsigned matches = 0;
    for (unsigned corner = 0; corner < 4; corner++) {
        unsigned x0 = corner & 1 ? 4 + 25 - 7 : 4, y0 = corner & 2 ? 4 + 25 - 7 : 4;
        bool same = true;
        for (unsigned y = 0; y < 7 * dots; y++)
            for (unsigned x = 0; x < 7 * dots; x++)
                same = same && dot(zpl + at, row, x0 * dots + x, y0 * dots + y) == (finder[y / dots][x / dots] == '1');
        matches += same;
        assert_true(same || corner == 3);
    }
    assert_int_equal(matches, 3);
    for (unsigned i = 0; i < side; i++)
        for (unsigned q = 0; q < 4 * dots; q++)
            assert_false(dot(zpl + at, row, i, q) || dot(zpl + at, row, q, i) || dot(zpl + at, row, i, side - 1 - q));
    fl_buf_fini(&out);
    label_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fields), cmocka_unit_test(unknown), cmocka_unit_test(qr)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
