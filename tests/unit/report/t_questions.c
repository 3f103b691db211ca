/* SPDX-License-Identifier: Apache-2.0
 * The ten questions of db/README.md, as they stand there, asked by the sqlite3 program of the history that stands there ("a day
 * by hand"): the answers are those of the page, which were worked out from its table with pencil and paper. */
#include "unit/t.h"

#include "unit/record/station.h"

#define IMAGE_OLD "d85f732100000000000000000000000000000000000000000000000000000001"
#define IMAGE_NEW "0e57ab1200000000000000000000000000000000000000000000000000000002"

enum { QUESTIONS = 10, TEXT = 4000, H9 = 3600 };

struct row {
    int unit, slot, start_s; /* after 08:00; unit 0: no MAC */
    enum outcome outcome;
    const char *fault, *step;
    int s, connect_s, write_s;
    unsigned rungs; /* in write */
    const char *lot, *purpose;
    char profile;
};

/* The table of the page, row by row. A PASS goes through boot-check in 2 s. */
static const struct row day[] = {
    {0xaabbcc, 1, 0, OUTCOME_FAIL, "verify.md5", "write", 8, 1, 6, 0, "WO-17", "", 'a'},
    {0xd1, 2, 0, OUTCOME_PASS, "", "", 10, 1, 6, 0, "WO-17", "", 'a'},
    {0xaabbcc, 2, 20, OUTCOME_PASS, "", "", 10, 1, 6, 0, "WO-17", "", 'a'},
    {0xd2, 1, 20, OUTCOME_FAIL, "verify.md5", "write", 8, 1, 6, 0, "WO-17", "", 'a'},
    {0xd2, 1, 40, OUTCOME_FAIL, "verify.md5", "write", 8, 1, 6, 0, "WO-17", "", 'a'}, /* then it goes to rework */
    {0xd2, 2, 1860, OUTCOME_PASS, "", "", 10, 1, 6, 0, "WO-17", "", 'a'},
    {0xd3, 1, 1860, OUTCOME_ABORTED, "operator.cancelled", "connect", 3, 3, 0, 0, "WO-17", "", 'a'},
    {0xd3, 1, 1880, OUTCOME_PASS, "", "", 12, 1, 6, 2, "WO-17", "", 'a'},
    {0xd4, 1, H9, OUTCOME_ERROR, "link.lost", "write", 16, 1, 15, 0, "WO-17", "", 'a'},
    {0x99, 2, H9, OUTCOME_PASS, "", "", 10, 1, 6, 0, "WO-17", "golden", 'a'},
    {0, 2, H9 + 1800, OUTCOME_ERROR, "link.silent", "connect", 10, 10, 0, 0, "WO-17", "", 'a'},
    {0xd1, 2, H9 + 1830, OUTCOME_PASS, "", "", 10, 1, 6, 0, "WO-18", "", 'b'},
    {0xd5, 2, H9 + 1860, OUTCOME_PASS, "", "", 10, 1, 6, 0, "WO-17", "dry_run", 'a'},
};
enum { REWORK_BEHIND = 4 };

static json_t *with_job(json_t *o)
{
    char job[EVENT_JOB_TEXT];
    assert_int_equal(event_job(job), FL_OK);
    assert_int_equal(json_object_set_new(o, "job", json_string(job)), 0);
    return o;
}

static void hash_of(char c, char out[65])
{
    memset(out, c, 64);
    out[64] = 0;
}

static void tell_profile(struct t_station *s, char c, const char *version, const char *image)
{
    char hash[65];
    hash_of(c, hash);
    (void)t_told(s, EVENT_PROFILE, json_pack("{ss,ss,ss,ss,ss,s[{si,si,ss,ss}]}", "job", hash, "hash", hash, "name", "demo", "version", version,
                                             "text", "profile: demo\n", "images", "offset", 65536, "size", 1048576, "file", "app.bin",
                                             "sha256", image));
}

static void tell_lot(struct t_station *s, const char *name)
{
    char a[65], b[65];
    hash_of('a', a);
    hash_of('b', b);
    (void)t_told(s, EVENT_LOT_OPEN, with_job(json_pack("{ss,ss,s[{ss,s[s]},{ss,s[s]}]}", "lot", name, "duplicates", "refuse", "profiles", "hash", a,
                                                       "images", IMAGE_OLD, "hash", b, "images", IMAGE_NEW)));
}

static void tell_attempt(struct t_station *s, const struct row *r)
{
    struct attempt_facts f = t_attempt(r->unit, r->outcome);
    f.has_mac = r->unit != 0;
    f.slot = r->slot;
    f.start_ms += 1000 * r->start_s;
    f.duration_ms = 1000 * (unsigned)r->s;
    f.fault = r->fault;
    f.step = r->step;
    f.purpose = r->purpose;
    f.n_rungs = r->rungs;
    f.n_steps = r->outcome == OUTCOME_PASS ? 3 : r->write_s ? 2 : 1;
    f.steps[0] = (struct attempt_step){"connect", 1000 * (unsigned)r->connect_s, 0};
    f.steps[1] = (struct attempt_step){"write", 1000 * (unsigned)r->write_s, r->rungs};
    f.steps[2] = (struct attempt_step){"boot-check", 2000, 0};
    (void)strcpy(f.lot, r->lot);
    hash_of(r->profile, f.profile);
    (void)t_start(s, &f);
    (void)t_result(s, &f);
}

static void record_day(struct t_station *s)
{
    struct recorder_opened o;
    t_open(s, &o);
    tell_profile(s, 'a', "1.0", IMAGE_OLD);
    tell_profile(s, 'b', "1.1", IMAGE_NEW);
    tell_lot(s, "WO-17");
    tell_lot(s, "WO-18");
    for (size_t i = 0; i < T_COUNT(day); i++) {
        tell_attempt(s, &day[i]);
        if (i == REWORK_BEHIND)
            (void)t_told(s, EVENT_DISPOSITION, with_job(json_pack("{ss,ss,ss,ss}", "mac", "24:6f:28:00:00:d2", "disposition", "rework", "why",
                                                                  "flash chip soldered anew", "operator", "ann")));
    }
    t_close(s);
}

/* ---- the page ------------------------------------------------------------------------------------------------------ */

/* Reads on to the next fence that begins with this line; false at the end of the section. */
static bool to_fence(FILE *f, const char *fence)
{
    char line[1000];
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, "## ", 3) == 0)
            return false;
        if (strcmp(line, fence) == 0)
            return true;
    }
    return false;
}

static void read_block(FILE *f, char out[TEXT])
{
    char line[1000];
    out[0] = 0;
    while (fgets(line, sizeof line, f) && strcmp(line, "```\n") != 0) {
        assert_true(strlen(out) + strlen(line) < TEXT);
        (void)strcat(out, line);
    }
}

static void ask(struct t_station *s, const char *command, char out[TEXT])
{
    char shell[TEXT + 200];
    (void)snprintf(shell, sizeof shell, "cd %s && %s", s->data, command);
    FILE *f = popen(shell, "r");
    assert_non_null(f);
    size_t n = fread(out, 1, TEXT - 1, f);
    out[n] = 0;
    if (pclose(f) != 0)
        fail_msg("failed: %s", command);
}

static void answered(void **state)
{
    struct t_station *s = *state;
    char line[1000] = "", command[TEXT], want[TEXT], got[TEXT];
    int n = 0;
    record_day(s);
    FILE *f = fopen("db/README.md", "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) && strcmp(line, "## Ten questions\n") != 0) {
    }
    while (to_fence(f, "```sh\n")) {
        n++;
        read_block(f, command);
        assert_true(strncmp(command, "sqlite3 flashline.db \"SELECT ", 29) == 0);
        assert_true(to_fence(f, "```text\n"));
        read_block(f, want);
        ask(s, command, got);
        if (strcmp(got, want) != 0)
            fail_msg("question %d: %sis answered\n%sand the page says\n%s", n, command, got, want);
    }
    (void)fclose(f);
    assert_int_equal(n, QUESTIONS);
}

/* A question asks views: no table, whose numbers no reader knows. */
static void views_only(void **state)
{
    struct t_station *s = *state;
    char line[1000] = "", command[TEXT];
    struct recorder_opened o;
    t_open(s, &o);
    t_close(s);
    FILE *f = fopen("db/README.md", "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) && strcmp(line, "## Ten questions\n") != 0) {
    }
    while (to_fence(f, "```sh\n")) {
        read_block(f, command);
        for (char *save = NULL, *w = strtok_r(command, " ", &save), *before = NULL; w; before = w, w = strtok_r(NULL, " ", &save)) {
            if (!before || (strcmp(before, "FROM") != 0 && strcmp(before, "JOIN") != 0))
                continue;
            w[strcspn(w, "\"\n")] = 0;
            char *sql = sqlite3_mprintf("SELECT count(*) FROM sqlite_schema WHERE type = 'view' AND name = %Q", w);
            if (t_sql_int(s, sql) != 1)
                fail_msg("%s is no view", w);
            sqlite3_free(sql);
        }
    }
    (void)fclose(f);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, t_setup, t_teardown)
    static const struct CMUnitTest tests[] = {T(answered), T(views_only)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
