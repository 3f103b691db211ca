/* SPDX-License-Identifier: Apache-2.0
 * Policies: whose word is enough. What was read is judged a second way: from the top, by what a quorum means. */
#include "fuzz.h"

#include "audit/policy.h"

static bool member_met(const struct policy *p, int m, const bool *by)
{
    if (m == POLICY_NONE)
        return true;
    if (m < POLICY_WITNESSES_MAX)
        return by[m];
    const struct policy_group *g = &p->group[m - POLICY_WITNESSES_MAX];
    size_t have = 0;
    for (size_t i = 0; i < g->n; i++)
        have += member_met(p, g->member[i], by);
    return have >= g->k;
}

static void read_one(const struct policy *p, uint64_t seed)
{
    bool by[POLICY_WITNESSES_MAX] = {false};
    FUZZ_HOLDS(p->n_logs <= POLICY_LOGS_MAX && p->n_witnesses <= POLICY_WITNESSES_MAX && p->n_groups <= POLICY_GROUPS_MAX);
    FUZZ_HOLDS(p->quorum == POLICY_NONE || p->quorum < (int)p->n_witnesses ||
               (p->quorum >= POLICY_WITNESSES_MAX && p->quorum < POLICY_WITNESSES_MAX + (int)p->n_groups));
    FUZZ_HOLDS(policy_quorum_name(p)[0]);
    for (size_t i = 0; i < p->n_groups; i++) {
        const struct policy_group *g = &p->group[i];
        FUZZ_HOLDS(g->k >= 1 && g->k <= g->n && g->n <= sizeof g->member);
        for (size_t m = 0; m < g->n; m++) /* a witness, or a group that stands above */
            FUZZ_HOLDS(g->member[m] < p->n_witnesses || (g->member[m] >= POLICY_WITNESSES_MAX && g->member[m] < POLICY_WITNESSES_MAX + i));
    }
    for (int round = 0; round < 8; round++) {
        for (size_t i = 0; i < p->n_witnesses; i++)
            by[i] = seed >> ((i + 7 * (size_t)round) % 64) & 1;
        FUZZ_HOLDS(policy_met(p, by) == member_met(p, p->quorum, by));
    }
    memset(by, 0, sizeof by);
    FUZZ_HOLDS(policy_met(p, by) == (p->quorum == POLICY_NONE)); /* nobody's word is never enough */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct policy *p = NULL;
    struct fl_why why = {0, ""};
    uint8_t *copy = fuzz_copy(bytes, n);
    uint64_t seed = 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < n; i++)
        seed = (seed ^ bytes[i]) * 0x100000001B3u;
    if (policy_parse(copy, n, &p, &why) == FL_OK)
        read_one(p, seed);
    else
        FUZZ_HOLDS(!p && why.text[0] && fuzz_for_eyes(why.text, strlen(why.text), false));
    policy_free(p);
    free(copy);
    return 0;
}
