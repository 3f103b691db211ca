/* SPDX-License-Identifier: Apache-2.0
 * line/scan and line/desk: codes from bytes, meanings from codes, and what follows for whom. */
#include "unit/t.h"

#include "line/desk.h"
#include "line/scan.h"

#include <stdlib.h>

static void codes(void **state)
{
    (void)state;
    struct scan_reader r = {.n = 0};
    char out[SCAN_CODE_MAX + 1], said[400] = "";
    static const char bytes[] = "\r\nOP-eva\r\n\nA\tB\x03\x02" "C\r";
    for (size_t i = 0; i < sizeof bytes - 1; i++)
        if (scan_byte(&r, bytes[i], 10, out) == SCAN_CODE) {
            strcat(said, out);
            strcat(said, "|");
        }
    assert_string_equal(said, "OP-eva|A|B|C|");
    assert_false(scan_half(&r, 100000, out)); /* nothing is open */

    assert_int_equal(scan_byte(&r, 'S', 1000, out), SCAN_NOTHING);
    assert_int_equal(scan_byte(&r, 'N', 1499, out), SCAN_NOTHING);
    assert_false(scan_half(&r, 1998, out));
    assert_true(scan_half(&r, 1999, out));
    assert_string_equal(out, "SN");
    assert_false(scan_half(&r, 9999, out)); /* told once, and forgotten */
    assert_int_equal(scan_byte(&r, '7', 10000, out), SCAN_NOTHING);
    assert_int_equal(scan_byte(&r, '\n', 10001, out), SCAN_CODE);
    assert_string_equal(out, "7");

    for (int i = 0; i < SCAN_CODE_MAX; i++)
        assert_int_equal(scan_byte(&r, 'x', 0, out), SCAN_NOTHING);
    assert_int_equal(scan_byte(&r, '\n', 0, out), SCAN_CODE);
    assert_int_equal(strlen(out), SCAN_CODE_MAX);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(scan_byte(&r, 'x', 0, out), SCAN_NOTHING);
    assert_int_equal(scan_byte(&r, '\n', 0, out), SCAN_TOO_LONG);
    assert_int_equal(scan_byte(&r, 'y', 0, out), SCAN_NOTHING);
    assert_int_equal(scan_byte(&r, '\n', 0, out), SCAN_CODE);
    assert_string_equal(out, "y");
}

static void meanings(void **state)
{
    (void)state;
    static const char *const text[SCAN_KINDS] = {"OP-(.+)", "L-[0-9]{4}", "SN[0-9]{8}|SN-OP-.*", "S([0-9]{1,3})"};
    static const struct {
        const char *code;
        enum fl_err err;
        enum scan_kind kind;
        const char *value;
    } row[] = {
        {"OP-eva", FL_OK, SCAN_OPERATOR, "eva"},     {"L-0118", FL_OK, SCAN_LOT, "L-0118"},
        {"SN00000017", FL_OK, SCAN_SERIAL, "SN00000017"}, {"S7", FL_OK, SCAN_SLOT, "7"},
        {"SN-OP-x", FL_OK, SCAN_SERIAL, "SN-OP-x"},  {"SN0000001", FL_NOT_FOUND, SCAN_KINDS, ""}, /* half of it */
        {"SN00000017SN00000018", FL_NOT_FOUND, SCAN_KINDS, ""},                                  /* two at once */
        {"OP-J\xfcrgen", FL_NOT_FOUND, SCAN_KINDS, ""}, {"OP-J\xc3\xbcrgen", FL_OK, SCAN_OPERATOR, "J\xc3\xbcrgen"},
        {"OP-e\xc2\x9bva", FL_NOT_FOUND, SCAN_KINDS, ""},
        {"xL-0118", FL_NOT_FOUND, SCAN_KINDS, ""},   {"", FL_NOT_FOUND, SCAN_KINDS, ""},
    };
    struct scan_patterns *p;
    struct fl_why why;
    enum scan_kind kind;
    char value[SCAN_CODE_MAX + 1];
    assert_int_equal(scan_patterns_new(text, &p, &why), FL_OK);
    for (size_t i = 0; i < T_COUNT(row); i++) {
        assert_int_equal(scan_meaning(p, row[i].code, &kind, value, &why), row[i].err);
        if (row[i].err)
            continue;
        assert_int_equal(kind, row[i].kind);
        assert_string_equal(value, row[i].value);
    }
    scan_patterns_free(p);

    static const char *const both[SCAN_KINDS] = {"[A-Z]+", NULL, "[A-Z0-9]+", NULL};
    assert_int_equal(scan_patterns_new(both, &p, &why), FL_OK);
    assert_int_equal(scan_meaning(p, "EVA", &kind, value, &why), FL_EXISTS);
    assert_string_equal(why.text, "'EVA' may be an operator or a serial: nothing is done");
    assert_int_equal(scan_meaning(p, "EVA1", &kind, value, &why), FL_OK);
    assert_int_equal(kind, SCAN_SERIAL);
    scan_patterns_free(p);

    static const char *const wrong[SCAN_KINDS] = {NULL, "L-(", NULL, NULL};
    assert_int_equal(scan_patterns_new(wrong, &p, &why), FL_FORMAT);
    assert_null(p);
    assert_int_equal(strncmp(why.text, "scanner.lot: 'L-(' is no extended regular expression: ", 52), 0);
}

static void desks(void **state)
{
    (void)state;
    static const int slots[] = {3, 4};
    int slot = 0; /* the one that a scan concerns */
    struct desk *d = desk_new("ann", slots, 2);
    struct fl_why said;
    char out[ATTEMPT_TEXT_MAX];
    assert_non_null(d);
    desk_who(d, out);
    assert_string_equal(out, "ann");
    assert_int_equal(desk_operator(d, "eva", &said), FL_OK);
    desk_who(d, out);
    assert_string_equal(out, "eva");
    assert_int_equal(desk_serial(d, "SN1", 1000, &slot, &said), FL_STATE); /* for which slot? */
    assert_int_equal(desk_slot(d, "5", 1000, &slot, &said), FL_NOT_FOUND);
    assert_int_equal(desk_slot(d, "x", 1000, &slot, &said), FL_NOT_FOUND);
    assert_int_equal(slot, 0);
    assert_int_equal(desk_waits_for(d, 1000), 0);
    assert_int_equal(desk_slot(d, "4", 1000, &slot, &said), FL_OK);
    assert_int_equal(slot, 4);
    assert_int_equal(desk_waits_for(d, 31000), 4);
    assert_int_equal(desk_waits_for(d, 31001), 0);
    slot = 0;
    assert_int_equal(desk_serial(d, "SN1", 31001, &slot, &said), FL_STATE); /* too late */
    assert_int_equal(slot, 0);
    assert_int_equal(desk_slot(d, "4", 40000, &slot, &said), FL_OK);
    assert_int_equal(desk_serial(d, "SN1", 70000, &slot, &said), FL_OK);
    assert_string_equal(said.text, "'SN1' is for the next unit in slot 4");
    assert_int_equal(slot, 4);
    assert_int_equal(desk_waits_for(d, 70000), 0);
    desk_number(d, 4, out);
    assert_string_equal(out, "SN1");
    desk_number(d, 3, out);
    assert_string_equal(out, "");
    assert_int_equal(desk_slot(d, "3", 80000, &slot, &said), FL_OK);
    assert_int_equal(desk_serial(d, "SN1", 80001, &slot, &said), FL_EXISTS); /* waits for slot 4 */
    assert_int_equal(slot, 3);
    assert_int_equal(desk_serial(d, "SN1", 80001, &slot, &said), FL_EXISTS); /* and no slot was scanned before it */
    assert_int_equal(slot, 4);
    assert_int_equal(desk_slot(d, "4", 80000, &slot, &said), FL_OK);
    assert_int_equal(desk_serial(d, "SN2", 80001, &slot, &said), FL_OK); /* scanned again: the newer one counts */
    desk_forget(d, 4, "SN1");
    desk_number(d, 4, out);
    assert_string_equal(out, "SN2");
    desk_forget(d, 4, "SN2");
    desk_number(d, 4, out);
    assert_string_equal(out, "");
    desk_free(d);

    d = desk_new(NULL, slots, 1); /* one slot only: it is meant */
    assert_int_equal(desk_waits_for(d, 5), 3);
    assert_int_equal(desk_serial(d, "SN1", 5, &slot, &said), FL_OK);
    desk_number(d, 3, out);
    assert_string_equal(out, "SN1");
    desk_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(codes), cmocka_unit_test(meanings), cmocka_unit_test(desks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
