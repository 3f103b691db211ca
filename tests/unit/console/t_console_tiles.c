/* SPDX-License-Identifier: Apache-2.0
 * console/: the whole screen as a grid, at every size; keys. */
#include "unit/t.h"

#include "console/tiles.h"

/* The rows of the grid without trailing spaces, one a line. */
static void text_of(const struct grid *g, struct fl_buf *b)
{
    for (int y = 0; y < g->h; y++) {
        size_t end = b->len;
        for (int x = 0; x < g->w; x++) {
            uint32_t c = g->cell[y * g->w + x].ch;
            if (c == 0)
                continue;
            if (c < 0x80)
                fl_buf_addc(b, (char)c);
            else if (c < 0x800)
                fl_buf_addf(b, "%c%c", (int)(0xC0 | c >> 6), (int)(0x80 | (c & 63)));
            else
                fl_buf_addf(b, "%c%c%c", (int)(0xE0 | c >> 12), (int)(0x80 | (c >> 6 & 63)), (int)(0x80 | (c & 63)));
            if (c != ' ')
                end = b->len;
        }
        b->len = end;
        fl_buf_addc(b, '\n');
    }
}

static const struct slot_view some[] = {
    {.slot = 1, .state = SLOT_WORK, .step = "write", .done = 50, .total = 100, .baud = 921600, .mac = "24:6f:28:aa:bb:01",
     .chip = "esp32", .fault = "", .leaf = -1, .started_ms = 1000},
    {.slot = 2, .state = SLOT_DONE, .outcome = OUTCOME_PASS, .step = "", .mac = "24:6f:28:aa:bb:02", .chip = "esp32",
     .fault = "", .leaf = 17, .started_ms = 1000, .ended_ms = 9500},
    {.slot = 3, .state = SLOT_DONE, .outcome = OUTCOME_FAIL, .step = "", .mac = "24:6f:28:aa:bb:03", .chip = "esp32",
     .fault = "verify.md5", .leaf = 18, .started_ms = 1000, .ended_ms = 9500},
    {.slot = 4, .state = SLOT_EMPTY, .step = "", .fault = "", .port = "usb:1-1.4.4", .leaf = -1},
};
static const struct tile_meter meters[64];

static void paint(struct grid *g, const struct slot_view *v, size_t n, const struct tally_head *h, struct tiles_ui *ui)
{
    static const struct tally_head none = {.station = ""};
    tiles_paint(g, &(struct tiles_in){v, meters, n, h ? h : &none, 11000, "12:34:56"}, ui);
}

/* On a large screen numbers and words are letters of blocks; what is below them says all the rest. */
static void across_the_hall(void **state)
{
    (void)state;
    struct tiles_ui ui = {.keys = true};
    struct fl_buf b = FL_BUF(100000);
    struct grid g;
    assert_int_equal(grid_init(&g, 100, 44, true), FL_OK);
    paint(&g, some, 4, NULL, &ui);
    text_of(&g, &b);
    /* "2" and "PASS" of the second slot, beside the first's "1" and "WORK" */
    assert_non_null(strstr(fl_buf_text(&b), "      \xe2\x96\x88\xe2\x96\x88                                  10.0 s      "
                                            "\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88"));
    assert_null(strstr(fl_buf_text(&b), "\xe2\x9c\x94 PASS"));
    assert_non_null(strstr(fl_buf_text(&b), "24:6f:28:aa:bb:02  esp32"));
    assert_non_null(strstr(fl_buf_text(&b), "take it out"));
    assert_non_null(strstr(fl_buf_text(&b), "Red bin: this board's flash is bad."));
    assert_non_null(strstr(fl_buf_text(&b), "write 50%"));
    fl_buf_fini(&b);
    grid_fini(&g);
}

static void forms(void **state)
{
    (void)state;
    static const struct tally_head head = {.station = "line-3", .product = "demo 1.0", .lot = "A-7", .planned = 500,
        .takt_ms = 15000, .outcomes = {155, 7, 5}, .units = 167, .passed = 155, .first_passed = 150, .per_hour = 240};
    static const struct {
        int w, h;
        bool utf8;
        const char *text;
    } row[] = {
        {80, 16, true,
         " demo 1.0  lot A-7  line-3                                             12:34:56\n"
         " done 155/500  PASS 155  FAIL 7  ERROR 5  FPY 89.8 %  240/h  takt 15.0 s\n"
         "\n"
         "  1 \xe2\x96\xb8 WORK                      10.0 s    2 \xe2\x9c\x94 PASS                       8.5 s\n"
         "    24:6f:28:aa:bb:01  esp32                24:6f:28:aa:bb:02  esp32\n"
         "    write 50%                               take it out\n"
         "    \xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88"
         "\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x91"
         "\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91"
         "\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91\xe2\x96\x91\n"
         "\n\n"
         "  3 \xe2\x9c\x98 FAIL                       8.5 s    4 \xc2\xb7 EMPTY\n"
         "    24:6f:28:aa:bb:03  esp32                usb:1-1.4.4\n"
         "    verify.md5\n"
         "    Red bin: this board's flash is\n"
         "    bad.\n"
         "\n"
         " arrows choose  Enter details  a only what wants a hand  Ctrl-C stop\n"},
        {54, 11, false,
         " demo 1.0  lot A-7  line-3                   12:34:56\n"
         " done 155/500  PASS 155  FAIL 7  ERROR 5  FPY 89.8 %\n"
         "  1 > WORK         10.0 s    2 + PASS          8.5 s\n"
         "    write 50%                  take it out\n"
         "    ##########...........\n"
         "\n"
         "  3 x FAIL          8.5 s    4 . EMPTY\n"
         "    Red bin: this board's      usb:1-1.4.4\n"
         "    flash is bad.\n"
         "\n"
         " arrows choose  Enter details  Ctrl-C stop\n"},
        {40, 7, false,
         " done 155/500  PASS 155  FAIL 7  ERROR 5\n"
         "  1 > WORK aa:bb:01   2 + PASS aa:bb:02\n"
         "    #####.....  50%     take it out\n"
         "  3 x FAIL aa:bb:03   4 . EMPTY\n"
         "    verify.md5\n"
         "\n"
         " arrows choose  Enter details\n"},
        {20, 5, false,
         " done 155/500  240/h\n"
         " 1> WORK   2+ PASS\n"
         " 3x FAIL   4. EMPTY\n"
         "\n"
         " arrows choose\n"},
        {30, 5, false,
         " done 155/500  PASS 155  240/h\n"
         " 1> WORK   50%  2+ PASS\n"
         " 3x FAIL        4. EMPTY\n"
         "\n"
         " arrows choose  Enter details\n"},
        {10, 2, false, " 1> WORK\n 2+ PASS\n"},
        {5, 1, false, " 1> W\n"}, /* narrower than any form: the word is cut */
        {1, 1, false, "\n"},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct grid g;
        struct fl_buf b = FL_BUF(10000);
        struct tiles_ui ui = {.keys = true};
        assert_int_equal(grid_init(&g, row[i].w, row[i].h, row[i].utf8), FL_OK);
        paint(&g, some, T_COUNT(some), &head, &ui);
        text_of(&g, &b);
        assert_string_equal(fl_buf_text(&b), row[i].text);
        fl_buf_fini(&b);
        grid_fini(&g);
    }
}

/* What was said last stands below the counts: one that did something for ten seconds, one that was refused for a minute. */
static void said(void **state)
{
    (void)state;
    static const struct {
        bool refused;
        uint64_t ms; /* ago, at 11000 */
        const char *row;
    } row[] = {
        {false, 0, " + SN0001 is for slot 2\n"}, {false, 9999, " + SN0001 is for slot 2\n"}, {false, 10000, "  1 > WORK"},
        {true, 10000, " x SN0001 is for slot 2\n"},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct grid g;
        struct fl_buf b = FL_BUF(10000);
        struct tiles_ui ui = {.keys = true};
        const struct tally_head h = {.said = "SN0001 is for slot 2", .refused = row[i].refused, .said_ms = 11000 - row[i].ms};
        assert_int_equal(grid_init(&g, 54, 11, false), FL_OK);
        paint(&g, some, T_COUNT(some), &h, &ui);
        text_of(&g, &b);
        const char *second = strchr(strchr(fl_buf_text(&b), '\n') + 1, '\n') + 1;
        assert_memory_equal(second, row[i].row, strlen(row[i].row));
        fl_buf_fini(&b);
        grid_fini(&g);
    }
}

/* A scan that concerns a slot stands on its tile, in whatever form: for ten seconds, a refused one for a minute. */
static void said_of_a_slot(void **state)
{
    (void)state;
    static const struct {
        int w, h;
        bool refused;
        uint64_t ms; /* ago, at 11000 */
        const char *text;
    } row[] = {
        {54, 11, true, 0, "    write 50%                  take it out\n x 'SN1' waits for slot 1\n"},
        {54, 11, false, 9999, " + 'SN1' waits for slot 1\n"},
        {54, 11, false, 10000, "    ##########...........\n"},
        {40, 7, true, 0, "  1 > WORK aa:bb:01   2 + PASS aa:bb:02\n x 'SN1' waits...       take it out\n"},
        {80, 1, true, 0, "  1 > WORK #..  50%x  2 + PASS aa:bb:02 "},
        {20, 5, true, 0, " 1> WORK x 2+ PASS\n"},
        {20, 5, true, 60000, " 1> WORK   2+ PASS\n"},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct slot_view v[4];
        struct grid g;
        struct fl_buf b = FL_BUF(10000);
        struct tiles_ui ui = {.keys = true};
        memcpy(v, some, sizeof v);
        (void)snprintf(v[0].said, sizeof v[0].said, "'SN1' waits for slot 1");
        v[0].refused = row[i].refused;
        v[0].said_ms = 61000 - row[i].ms;
        assert_int_equal(grid_init(&g, row[i].w, row[i].h, false), FL_OK);
        static const struct tally_head none = {.station = ""};
        tiles_paint(&g, &(struct tiles_in){v, meters, 4, &none, 61000, ""}, &ui);
        text_of(&g, &b);
        if (!strstr(fl_buf_text(&b), row[i].text))
            fail_msg("%d x %d, %d: '%s' is not in\n%s", row[i].w, row[i].h, row[i].refused, row[i].text, fl_buf_text(&b));
        fl_buf_fini(&b);
        grid_fini(&g);
    }
}

/* Every tile of every size from ten columns on says its state in words. */
static void every_tile_has_its_word(void **state)
{
    (void)state;
    for (int w = 10; w <= 210; w += w < 60 ? 1 : 9)
        for (int h = 1; h <= 62; h += h < 26 ? 1 : 9)
            for (size_t n = 1; n <= 64; n *= 4) {
                struct slot_view v[64];
                struct grid g;
                struct fl_buf b = FL_BUF(100000);
                struct tiles_ui ui = {.keys = true};
                size_t works = 0, passes = 0;
                for (size_t i = 0; i < 64; i++) {
                    v[i] = some[i % 2];
                    v[i].slot = 900 + (int)i;
                }
                assert_int_equal(grid_init(&g, w, h, true), FL_OK);
                paint(&g, v, n, NULL, &ui);
                text_of(&g, &b);
                for (const char *p = fl_buf_text(&b); (p = strstr(p, "\xe2\x96\xb8")); p++)
                    works += strncmp(p + 3, " WORK", 5) == 0 || strncmp(p + 3, " \xe2\x96\x88", 4) == 0 ? 1 : 1000;
                for (const char *p = fl_buf_text(&b); (p = strstr(p, "\xe2\x9c\x94")); p++)
                    passes += strncmp(p + 3, " PASS", 5) == 0 || strncmp(p + 3, " \xe2\x96\x88", 4) == 0 ? 1 : 1000;
                if (works < 1 || works > 32 || passes > 32 || passes > works)
                    fail_msg("%d x %d, %zu slots:\n%s", w, h, n, fl_buf_text(&b));
                fl_buf_fini(&b);
                grid_fini(&g);
            }
}

/* At 80 x 24 sixty-four slots are all there, each with its number, sign and word. */
static void sixty_four(void **state)
{
    (void)state;
    struct slot_view v[64];
    struct grid g;
    struct fl_buf b = FL_BUF(20000);
    struct tiles_ui ui = {.keys = true};
    for (int i = 0; i < 64; i++) {
        v[i] = some[i % 4];
        v[i].slot = i + 1;
    }
    assert_int_equal(grid_init(&g, 80, 24, false), FL_OK);
    paint(&g, v, 64, NULL, &ui);
    text_of(&g, &b);
    assert_non_null(strstr(fl_buf_text(&b), "  1 > WORK #..  50%   2 + PASS aa:bb:02   3 x FAIL aa:bb:03   4 . EMPTY\n"));
    assert_non_null(strstr(fl_buf_text(&b), " 61 > WORK #..  50%  62 + PASS aa:bb:02  63 x FAIL aa:bb:03  64 . EMPTY\n"));
    fl_buf_fini(&b);
    grid_fini(&g);
}

/* Every size, every form, every look: nothing leaves the grid (the sanitizers watch), nothing loops. */
static void every_size(void **state)
{
    (void)state;
    struct slot_view v[64];
    static const struct tally_head head = {.product = "\xe4\xba\xa7\xe5\x93\x81\xe4\xb8\x80\xe5\x8f\xb7", .alarm = "the disk is full", .said = "\xe4\xba\xa7", .said_ms = 11000,
                                           .units = 1, .passed = 1, .per_hour = 1};
    for (int i = 0; i < 64; i++) {
        v[i] = some[i % 4];
        v[i].slot = i * 37;
    }
    for (int w = 1; w < 140; w += w < 60 ? 1 : 7)
        for (int h = 1; h < 60; h += h < 30 ? 1 : 5)
            for (size_t n = 0; n <= 64; n = n ? n * 4 : 1) {
                struct grid g;
                struct tiles_ui ui = {.keys = true, .any_chosen = true, .chosen = 50, .details = n == 16,
                                      .attention = h % 2 == 0, .form = {.open = n == 4, .who = "eva", .note = "", .in_why = h % 3 == 0}};
                assert_int_equal(grid_init(&g, w, h, w % 2 == 0), FL_OK);
                paint(&g, v, n, &head, &ui);
                for (int k = 0; k < w * h; k++)
                    assert_true(w % 2 == 0 || (g.cell[k].ch >= 0x20 && g.cell[k].ch < 0x7F));
                grid_fini(&g);
            }
}

static void texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool utf8;
        int width;
        const char *shown;
    } row[] = {
        {"plain", true, 10, "plain\n"},
        {"plain", true, 3, "pla\n"},
        {"a\033[31mb\tc", true, 10, "a[31mbc\n"},
        {"\xe4\xb8\xad\xe6\x96\x87", true, 3, "\xe4\xb8\xad\n"}, /* no half of a wide character */
        {"\xe4\xb8\xad\xe6\x96\x87x", false, 9, "??x\n"},
        {"\xff\xfe" "a", true, 9, "??a\n"},
        {"a\xe2\x80\xae" "b", true, 9, "ab\n"}, /* a mark that turns the direction of writing */
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct grid g;
        struct fl_buf b = FL_BUF(100);
        assert_int_equal(grid_init(&g, 12, 1, row[i].utf8), FL_OK);
        (void)grid_text(&g, 0, 0, row[i].width, row[i].text, 0, 0);
        text_of(&g, &b);
        assert_string_equal(fl_buf_text(&b), row[i].shown);
        fl_buf_fini(&b);
        grid_fini(&g);
    }
}

static void keys(void **state)
{
    (void)state;
    struct grid g;
    struct fl_buf b = FL_BUF(10000);
    struct tiles_ui ui = {.keys = true};
    assert_int_equal(grid_init(&g, 40, 20, false), FL_OK);
#define PRESS(key)                                                                                                     \
    do {                                                                                                               \
        paint(&g, some, T_COUNT(some), NULL, &ui);                                                                     \
        assert_true(tiles_press(&ui, key));                                                                            \
    } while (0)
    PRESS(TILES_RIGHT); /* the first arrow shows where one is */
    assert_int_equal(ui.chosen, 0);
    PRESS(TILES_RIGHT);
    assert_int_equal(ui.chosen, 1);
    PRESS(TILES_LEFT);
    PRESS(TILES_LEFT);
    assert_int_equal(ui.chosen, 0);
    PRESS(TILES_ATTENTION); /* only slot 3 wants a hand: every arrow leads there */
    PRESS(TILES_DOWN);
    assert_int_equal(ui.chosen, 2);
    PRESS(TILES_ENTER);
    paint(&g, some, T_COUNT(some), NULL, &ui);
    text_of(&g, &b);
    assert_non_null(strstr(fl_buf_text(&b), "  fault        verify.md5\n"));
    assert_non_null(strstr(fl_buf_text(&b), "  now          Red bin: this board's\n"));
    assert_null(strstr(fl_buf_text(&b), "take it out")); /* nobody else is there */
    PRESS(TILES_ESC);
    assert_false(ui.details);
    assert_false(tiles_press(&ui, TILES_NONE));
    fl_buf_fini(&b);
    grid_fini(&g);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(across_the_hall), cmocka_unit_test(forms), cmocka_unit_test(said), cmocka_unit_test(sixty_four), cmocka_unit_test(said_of_a_slot),
                                              cmocka_unit_test(every_tile_has_its_word),
                                              cmocka_unit_test(every_size), cmocka_unit_test(texts), cmocka_unit_test(keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
