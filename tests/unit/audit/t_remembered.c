/* SPDX-License-Identifier: Apache-2.0
 * audit/remembered: which of a signer's heads is held against a log, by the table of remembered.h. */
#include "unit/t.h"

#include "audit/remembered.h"

static struct tree_hash root_of(uint64_t size, uint8_t history)
{
    struct tree_hash h;
    memset(h.b, (int)size, sizeof h.b);
    h.b[0] = history;
    return h;
}

static struct remembered_head grown(uint64_t from, uint64_t to, bool is_signed)
{
    return (struct remembered_head){.before_size = from, .size = to, .before_root = root_of(from, 0), .root = root_of(to, 0), .is_signed = is_signed};
}

static void chosen_by_the_table(void **state)
{
    (void)state;
    const struct remembered three = {.known = REMEMBERED_TOLD, .n = 3, .head = {grown(7, 9, true), grown(4, 7, true), grown(3, 4, true)}};
    const struct remembered settled = {.known = REMEMBERED_TOLD, .n = 1, .head = {grown(9, 9, true)}};
    const struct remembered adopted = {.known = REMEMBERED_TOLD, .n = 2, .head = {grown(9, 10, true), grown(9, 9, false)}};
    static const struct remembered nothing = {.known = REMEMBERED_NOTHING};
    const struct {
        const char *what;
        const struct remembered *r;
        uint64_t size;
        uint8_t history;
        size_t at; /* n: none */
        uint64_t lost;
    } row[] = {
        {"the same", &three, 9, 0, 0, 0},
        {"the last is not in the database yet", &three, 7, 0, 1, 2},
        {"nor the one before", &three, 4, 0, 2, 5},
        {"as far back as is kept: no head of that size is signed here", &three, 3, 0, 3, 6},
        {"further back", &three, 2, 0, 0, 0},
        {"between two heads", &three, 5, 0, 0, 0},
        {"another history", &three, 7, 1, 0, 0},
        {"the log went on", &three, 12, 0, 0, 0},
        {"nothing may be lost behind an orderly end", &settled, 7, 0, 0, 0},
        {"and nothing is", &settled, 9, 0, 0, 0},
        {"on top of one that was adopted", &adopted, 10, 0, 0, 0},
        {"the adopted one itself is no word of the signer's", &adopted, 9, 0, 2, 1},
        {"a new one", &nothing, 5, 0, 0, 0},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct tree_hash root = root_of(row[i].size, row[i].history);
        uint64_t lost = 99;
        size_t at = remembered_choose(row[i].r, row[i].size, &root, &lost);
        if (at != row[i].at || lost != row[i].lost)
            fail_msg("%s: %zu, %llu lost", row[i].what, at, (unsigned long long)lost);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(chosen_by_the_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
