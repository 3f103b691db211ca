/* SPDX-License-Identifier: Apache-2.0
 * console/: one slot as one line, at any width. */
#include "unit/t.h"

#include "console/console.h"

static void lines(void **state)
{
    (void)state;
    static const struct {
        struct slot_view v;
        unsigned width;
        bool utf8;
        const char *line;
    } row[] = {
        {{.slot = 3, .port = "/dev/ttyUSB0", .state = SLOT_EMPTY, .fault = "", .leaf = -1}, 80, false,
         "  3 . EMPTY  /dev/ttyUSB0"},
        {{.slot = 12, .state = SLOT_WORK, .step = "write", .done = 50, .total = 100, .baud = 921600,
          .mac = "24:6f:28:aa:bb:cc", .fault = "", .rungs = 1, .started_ms = 1000}, 200, false,
         " 12 > WORK   24:6f:28:aa:bb:cc write    ########........  50% 4.2 s 921600 baud 1 rung"},
        {{.slot = 12, .state = SLOT_WORK, .step = "write", .done = 50, .total = 100, .baud = 921600,
          .mac = "24:6f:28:aa:bb:cc", .fault = "", .started_ms = 1000}, 20, true,
         " 12 \xe2\x96\xb8 WORK   24:6f:2"},
        {{.slot = 1, .state = SLOT_DONE, .outcome = OUTCOME_PASS, .mac = "24:6f:28:aa:bb:cc", .chip = "esp32",
          .fault = "", .leaf = 17, .started_ms = 1000, .ended_ms = 5260, .rungs = 2}, 200, true,
         "  1 \xe2\x9c\x94 PASS   24:6f:28:aa:bb:cc esp32 4.3 s 2 rungs leaf 17"},
        {{.slot = 1, .state = SLOT_DONE, .outcome = OUTCOME_FAIL, .chip = "esp32", .fault = "verify.md5",
          .leaf = 17, .started_ms = 0, .ended_ms = 900}, 200, false,
         "  1 x FAIL   esp32 0.9 s leaf 17 verify.md5: Red bin: this board's flash is bad."},
        {{.slot = 1, .port = "a\033[31mb", .state = SLOT_EMPTY, .fault = ""}, 80, false, "  1 . EMPTY  a[31mb"},
        {{.slot = 1, .port = "x", .state = SLOT_EMPTY, .fault = ""}, 1, false, " "},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct fl_buf b = FL_BUF(1000);
        console_line(&row[i].v, 5200, row[i].width, row[i].utf8, &b);
        assert_string_equal(fl_buf_text(&b), row[i].line);
        fl_buf_fini(&b);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
