/* SPDX-License-Identifier: Apache-2.0
 * A start against the heads that witnesses signed, in cosigned/: what is put back or forked is found by them, and what is no head
 * of this log says nothing. */
#include "unit/t.h"

#include "unit/record/station.h"

#include "base/file.h"

static void records(struct t_station *s, int from, int n)
{
    struct recorder_opened o;
    t_open(s, &o);
    for (int i = from; i < from + n; i++) {
        struct attempt_facts f = t_attempt(i, OUTCOME_PASS);
        (void)t_start(s, &f);
        (void)t_result(s, &f);
    }
    t_close(s);
}

/* The newest head, as if a witness had signed it: its own line is not asked for. */
static void cosign(struct t_station *s)
{
    t_shell("mkdir -p %s/cosigned && cp %s/checkpoint %s/cosigned/dfa888a4.note", s->data, s->data, s->data);
}

static void keep(struct t_station *s)
{
    t_shell("rm -rf %s.kept && mkdir %s.kept && cp %s/flashline.db %s/checkpoint %s.kept/", s->data, s->data, s->data, s->data, s->data);
}

static void put_back(struct t_station *s)
{
    t_shell("rm -f %s/flashline.db* %s/checkpoint && cp %s.kept/* %s/", s->data, s->data, s->data, s->data);
}

static void refused(struct t_station *s, const char *word)
{
    struct recorder *r;
    struct recorder_opened o;
    struct fl_why why = {0, ""};
    t_shell("rm -f %s/incident-*", s->data);
    assert_int_equal(recorder_open(&s->config, &r, &o, &why), FL_MISMATCH);
    if (strncmp(why.text, word, strlen(word)) != 0 || !strstr(why.text, "dfa888a4.note"))
        fail_msg("%s", why.text);
    t_shell("grep -q '^%s' %s/incident-*.txt && grep -q 'the file checkpoint' %s/incident-*.txt", word, s->data, s->data);
}

static void put_back_or_forked(void **state)
{
    struct t_station *s = *state;
    records(s, 0, 2);
    keep(s);
    records(s, 2, 2);
    cosign(s);
    records(s, 4, 1); /* on the way to it: good */
    put_back(s);
    refused(s, "ROLLBACK");
    refused(s, "ROLLBACK"); /* and nothing of it was written by the first */
    t_shell("mv %s/cosigned %s.aside", s->data, s->data);
    records(s, 6, 4); /* another history, longer than what the witness signed */
    t_shell("mv %s.aside %s/cosigned", s->data, s->data);
    refused(s, "FORK");
    t_shell("rm -rf %s.kept", s->data);
}

static void gone(void **state)
{
    struct t_station *s = *state;
    records(s, 0, 1);
    cosign(s);
    t_shell("rm %s/flashline.db %s/checkpoint", s->data, s->data);
    struct recorder *r;
    struct recorder_opened o;
    struct fl_why why = {0, ""};
    assert_int_equal(recorder_open(&s->config, &r, &o, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "ROLLBACK"));
}

static void says_nothing(void **state)
{
    static const char *const made[] = {
        ": >empty.note", "head -c 70000 /dev/zero >large.note", "mkdir a.note b",
        "sed '2s/.*/1000/' ../checkpoint >unsigned.note", "sed '1s/.*/another/' ../checkpoint >other.note",
    };
    struct t_station *s = *state;
    records(s, 0, 1);
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        t_shell("mkdir -p %s/cosigned && cd %s/cosigned && %s", s->data, s->data, made[i]);
        records(s, 1 + (int)i, 1);
    }
    t_verdict(s, AUDIT_GOOD);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, t_setup, t_teardown)
    static const struct CMUnitTest tests[] = {T(put_back_or_forked), T(gone), T(says_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
