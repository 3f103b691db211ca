/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/policy.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 3 + POLICY_WITNESSES_MAX + POLICY_GROUPS_MAX, NOBODY = -2 };

struct reading {
    struct policy *p;
    unsigned line;
    bool has_quorum;
    bool grouped[POLICY_WITNESSES_MAX + POLICY_GROUPS_MAX]; /* members that are in a group already */
    const char *word[WORDS_MAX];
    size_t words;
};

static enum fl_err bad(const struct reading *r, struct fl_why *why, const char *what, const char *about)
{
    return fl_fail(why, FL_FORMAT, "policy, line %u: %s%.100s", r->line, what, about);
}

/* ---- names ------------------------------------------------------------------------------------------------------------ */

/* The member of that name: NOBODY when there is none. */
static int find(const struct policy *p, const char *name)
{
    for (size_t i = 0; i < p->n_witnesses; i++)
        if (strcmp(p->witness[i].name, name) == 0)
            return (int)i;
    for (size_t i = 0; i < p->n_groups; i++)
        if (strcmp(p->group[i].name, name) == 0)
            return POLICY_WITNESSES_MAX + (int)i;
    return NOBODY;
}

static enum fl_err new_name(const struct reading *r, const char *name, struct fl_why *why)
{
    if (strcmp(name, "none") == 0)
        return bad(r, why, "the name none means that no witness is asked for; it cannot be given to one", "");
    return find(r->p, name) == NOBODY ? FL_OK : bad(r, why, "this name is taken already: ", name);
}

/* ---- lines ------------------------------------------------------------------------------------------------------------ */

static enum fl_err take_key(const struct reading *r, const char *text, enum key_type type, struct vkey *out, struct fl_why *why)
{
    struct fl_why w = {0, ""};
    if (vkey_parse(text, out, &w))
        return bad(r, why, "", w.text);
    if (out->type != type)
        return bad(r, why, type == KEY_NOTE ? "that is the key of a witness, not of a log: " : "that is the key of a log, not of a witness: ", text);
    return FL_OK;
}

static bool same_key(const struct vkey *a, const struct vkey *b)
{
    return memcmp(a->key, b->key, KEY_PUBLIC) == 0;
}

static enum fl_err log_line(struct reading *r, struct fl_why *why)
{
    struct policy *p = r->p;
    struct policy_log *l = &p->log[p->n_logs];
    if (r->words < 2 || r->words > 3)
        return bad(r, why, "a log has a verifier key, and may have an address", "");
    if (p->n_logs == POLICY_LOGS_MAX)
        return fl_fail(why, FL_LIMIT, "policy: more than %d logs", POLICY_LOGS_MAX);
    enum fl_err err = take_key(r, r->word[1], KEY_NOTE, &l->vkey, why);
    for (size_t i = 0; i < p->n_logs && !err; i++)
        if (same_key(&p->log[i].vkey, &l->vkey))
            err = bad(r, why, "this log's key is there already: ", r->word[1]);
    l->url = r->words > 2 ? r->word[2] : NULL;
    p->n_logs += !err;
    return err;
}

static enum fl_err witness_line(struct reading *r, struct fl_why *why)
{
    struct policy *p = r->p;
    struct policy_witness *w = &p->witness[p->n_witnesses];
    if (r->words < 3 || r->words > 4)
        return bad(r, why, "a witness has a name and a verifier key, and may have an address", "");
    if (p->n_witnesses == POLICY_WITNESSES_MAX)
        return fl_fail(why, FL_LIMIT, "policy: more than %d witnesses", POLICY_WITNESSES_MAX);
    enum fl_err err = new_name(r, r->word[1], why);
    if (!err)
        err = take_key(r, r->word[2], KEY_COSIGN, &w->vkey, why);
    for (size_t i = 0; i < p->n_witnesses && !err; i++)
        if (same_key(&p->witness[i].vkey, &w->vkey))
            err = bad(r, why, "one key cannot count for two witnesses: ", r->word[1]);
    w->name = r->word[1];
    w->url = r->words > 3 ? r->word[3] : NULL;
    p->n_witnesses += !err;
    return err;
}

/* all, any, or a decimal number from 1 to n without zeros in front. */
static bool take_k(const char *text, size_t n, size_t *k)
{
    if (strcmp(text, "all") == 0 || strcmp(text, "any") == 0) {
        *k = text[1] == 'l' ? n : 1;
        return true;
    }
    size_t digits = strspn(text, "0123456789");
    if (!digits || text[digits] || digits > 3 || *text == '0')
        return false;
    *k = (size_t)strtoul(text, NULL, 10);
    return *k <= n;
}

static enum fl_err group_line(struct reading *r, struct fl_why *why)
{
    struct policy *p = r->p;
    struct policy_group *g = &p->group[p->n_groups];
    if (r->words < 4)
        return bad(r, why, "a group has a name, how many of it are needed, and members", "");
    if (p->n_groups == POLICY_GROUPS_MAX)
        return fl_fail(why, FL_LIMIT, "policy: more than %d groups", POLICY_GROUPS_MAX);
    enum fl_err err = new_name(r, r->word[1], why);
    *g = (struct policy_group){.name = r->word[1], .n = r->words - 3};
    if (!err && !take_k(r->word[2], g->n, &g->k))
        err = bad(r, why, "how many are needed is all, any, or a number from 1 to that of the members, not ", r->word[2]);
    for (size_t i = 0; i < g->n && !err; i++) {
        int m = find(p, r->word[3 + i]);
        if (m == NOBODY)
            err = bad(r, why, "no witness or group above has the name ", r->word[3 + i]);
        else if (r->grouped[m])
            err = bad(r, why, "is in a group already, and counts once only: ", r->word[3 + i]);
        else
            g->member[i] = (uint8_t)m;
        if (!err)
            r->grouped[m] = true;
    }
    p->n_groups += !err;
    return err;
}

static enum fl_err quorum_line(struct reading *r, struct fl_why *why)
{
    if (r->words != 2)
        return bad(r, why, "a quorum is one name, or none", "");
    if (r->has_quorum)
        return bad(r, why, "there is a quorum already", "");
    int m = strcmp(r->word[1], "none") == 0 ? POLICY_NONE : find(r->p, r->word[1]);
    if (m == NOBODY)
        return bad(r, why, "no witness or group above has the name ", r->word[1]);
    r->p->quorum = m;
    r->has_quorum = true;
    return FL_OK;
}

/* ---- the file --------------------------------------------------------------------------------------------------------- */

static enum fl_err one_line(struct reading *r, char *line, struct fl_why *why)
{
    static const struct {
        const char *word;
        enum fl_err (*take)(struct reading *r, struct fl_why *why);
    } kinds[] = {{"log", log_line}, {"witness", witness_line}, {"group", group_line}, {"quorum", quorum_line}};
    char *save = NULL;
    r->words = 0;
    for (char *w = strtok_r(line, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
        if (!r->words && *w == '#')
            return FL_OK;
        if (r->words == WORDS_MAX)
            return bad(r, why, "too many words", "");
        r->word[r->words++] = w;
    }
    for (size_t i = 0; r->words && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(r->word[0], kinds[i].word) == 0)
            return kinds[i].take(r, why);
    return r->words ? bad(r, why, "a line is log, witness, group or quorum, not ", r->word[0]) : FL_OK;
}

static enum fl_err read_lines(struct reading *r, size_t n, struct fl_why *why)
{
    char *line = r->p->text, *end;
    enum fl_err err = FL_OK;
    for (; !err && line < r->p->text + n; line = end + 1) {
        r->line++;
        for (end = line; *end != '\n' && *end; end++)
            if ((unsigned char)*end == 0x7f || ((unsigned char)*end < 0x20 && *end != '\t'))
                return bad(r, why, "a control character", "");
        if (!*end) /* the file's own end, or a zero byte in it */
            return bad(r, why, end < r->p->text + n ? "a control character" : "the last line does not end: was the file cut?", "");
        *end = 0;
        err = one_line(r, line, why);
    }
    if (!err && !r->has_quorum)
        err = fl_fail(why, FL_FORMAT, "policy: no line says what the quorum is (`quorum none`: no witness is asked for)");
    return err;
}

enum fl_err policy_parse(const void *bytes, size_t n, struct policy **out, struct fl_why *why)
{
    struct policy *p = calloc(1, sizeof *p);
    *out = NULL;
    if (p)
        p->text = n <= POLICY_BYTES_MAX ? calloc(1, n + 1) : NULL;
    if (!p || !p->text) {
        policy_free(p);
        return n > POLICY_BYTES_MAX ? fl_fail(why, FL_LIMIT, "policy: larger than %d bytes", POLICY_BYTES_MAX)
                                    : fl_fail(why, FL_NOMEM, "out of memory");
    }
    if (n)
        memcpy(p->text, bytes, n);
    struct reading r = {.p = p};
    enum fl_err err = read_lines(&r, n, why);
    if (err)
        policy_free(p);
    else
        *out = p;
    return err;
}

enum fl_err policy_read(const char *path, struct policy **out, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(POLICY_BYTES_MAX);
    *out = NULL;
    enum fl_err err = fl_file_read(path, &b, why);
    if (!err)
        err = policy_parse(fl_buf_text(&b), b.len, out, why);
    fl_buf_fini(&b);
    return err;
}

void policy_free(struct policy *p)
{
    if (!p)
        return;
    free(p->text);
    free(p);
}

/* ---- judging ---------------------------------------------------------------------------------------------------------- */

bool policy_met(const struct policy *p, const bool *signed_by)
{
    bool met[POLICY_WITNESSES_MAX + POLICY_GROUPS_MAX] = {false};
    if (p->quorum == POLICY_NONE)
        return true;
    for (size_t i = 0; i < p->n_witnesses; i++)
        met[i] = signed_by[i];
    for (size_t i = 0; i < p->n_groups; i++) { /* members stand above their group: one pass is enough */
        const struct policy_group *g = &p->group[i];
        size_t have = 0;
        for (size_t m = 0; m < g->n; m++)
            have += met[g->member[m]];
        met[POLICY_WITNESSES_MAX + i] = have >= g->k;
    }
    return met[p->quorum];
}

const char *policy_quorum_name(const struct policy *p)
{
    return p->quorum == POLICY_NONE               ? "none"
           : p->quorum < POLICY_WITNESSES_MAX ? p->witness[p->quorum].name
                                              : p->group[p->quorum - POLICY_WITNESSES_MAX].name;
}
