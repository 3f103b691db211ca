/* SPDX-License-Identifier: Apache-2.0
 * console/: letters of blocks, dot by dot, and that every word of a state can be written with them. */
#include "unit/t.h"

#include "console/letters.h"
#include "event/tile.h"

static void is(const struct grid *g, int w, int h, const char *const *rows)
{
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint32_t c = g->cell[y * g->w + x].ch;
            char as = c == 0x2588 ? '#' : c == 0x2580 ? '^' : c == 0x2584 ? '_' : (char)c;
            if (as != rows[y][x])
                fail_msg("row %d, column %d: '%c', expected '%c'", y, x, as, rows[y][x]);
        }
}

static void dots(void **state)
{
    (void)state;
    static const char *const low[] = {"_^^_ _^^^", "#^^#  ^^_", "^  ^ ^^^ "}, /* halves: ^ the upper, _ the lower */
        *const ascii[] = {" ##   ###", "#  # #   ", "####  ## ", "#  #    #", "#  # ### "},
        *const high[] = {"  ##    ######  ", "####          ##", "  ##      ####  ", "  ##          ##", "######  ######  "};
    struct grid g;
    assert_int_equal(grid_init(&g, 20, 6, true), FL_OK);
    letters_paint(&g, 0, 0, "AS", LETTERS_LOW, 0, 0);
    is(&g, 9, 3, low);
    grid_clear(&g);
    letters_paint(&g, 0, 0, "1~3", LETTERS_HIGH, 0, 0); /* what has no letter is left out */
    is(&g, 16, 5, high);
    grid_fini(&g);
    assert_int_equal(grid_init(&g, 20, 6, false), FL_OK);
    letters_paint(&g, 0, 0, "AS", LETTERS_LOW, 0, 0);
    is(&g, 9, 5, ascii);
    letters_paint(&g, 15, 3, "888", LETTERS_HIGH, 0, 0); /* beyond the grid nothing is painted */
    grid_fini(&g);
    assert_int_equal(letters_width("AS", LETTERS_LOW), 9);
    assert_int_equal(letters_width("1~3", LETTERS_HIGH), 16);
    assert_int_equal(letters_width("", LETTERS_LOW), 0);
    assert_int_equal(letters_rows(LETTERS_LOW, true), 3);
    assert_int_equal(letters_rows(LETTERS_LOW, false), 5);
    assert_int_equal(letters_rows(LETTERS_HIGH, true), 5);
}

static void every_word_can_be_written(void **state)
{
    (void)state;
    for (int s = SLOT_EMPTY; s <= SLOT_CLOSED; s++)
        for (int o = OUTCOME_PASS; o <= OUTCOME_INTERRUPTED; o++) {
            const struct tile_look *l = tile_look(&(struct slot_view){.state = (enum slot_state)s, .outcome = (enum outcome)o, .leaf = 1});
            for (const char *p = l->word; *p; p++)
                if (letters_width((char[]){*p, 0}, LETTERS_LOW) == 0)
                    fail_msg("'%c' of %s has no letter", *p, l->word);
            assert_in_range(letters_width(l->word, LETTERS_LOW), 1, 38); /* a tile of 44 columns */
        }
    for (char c = '0'; c <= '9'; c++)
        assert_in_range(letters_width((char[]){c, 0}, LETTERS_HIGH), 6, 8);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(dots), cmocka_unit_test(every_word_can_be_written)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
