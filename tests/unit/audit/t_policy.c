/* SPDX-License-Identifier: Apache-2.0
 * audit/policy, audit/trust: what a policy may say, line by line, and which witnesses make its quorum: the example of the C2SP
 * text with every one of its 64 sets of witnesses, held against the rule written out by hand. */
#include "unit/t.h"

#include "audit/trust.h"
#include "base/file.h"

#include <unistd.h>

#define LOG "factory.example/station1+991df877+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
#define QA "qa.example/witness1+dfa888a4+BCVDuS/xCVURR2rcg2nbbdyTNmWhGXjdoUBO4QZsqVWd"

static char witness[8][KEY_VKEY_MAX]; /* W0 to W7: verifier keys of as many witnesses */

/* "$3" stands for the verifier key of W3. */
static void expand(const char *text, struct fl_buf *out)
{
    fl_buf_clear(out);
    for (const char *p = text; *p; p++)
        if (*p == '$')
            fl_buf_adds(out, witness[*++p - '0']);
        else
            fl_buf_addc(out, *p);
}

static enum fl_err parse(const char *text, struct policy **p, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(100000);
    expand(text, &b);
    enum fl_err err = policy_parse(fl_buf_text(&b), b.len, p, why);
    fl_buf_fini(&b);
    return err;
}

static void lines(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says; /* NULL: it is read */
    } row[] = {
        {"quorum none\n", NULL},
        {"# a comment\n\n \t \n  # another\n\tquorum\t none \n", NULL},
        {"log " LOG "\nwitness W " QA "\nquorum W\n", NULL},
        {"log " LOG " https://log.example/\nwitness W " QA " http://10.0.0.9:8333\nquorum none\n", NULL},
        {"witness \xd0\x9a $0\nwitness K $1\ngroup G 2 \xd0\x9a K\nquorum G\n", NULL}, /* names are octets */
        {"witness A $0\nquorum A\nwitness B $1\ngroup G any B\nlog " LOG "\n", NULL},      /* defined later, and not asked for */
        {"quorum none\nwitness A $0\n", NULL},

        {"", "no line says what the quorum is"},
        {"log " LOG "\n", "no line says what the quorum is"},
        {"quorum none\nquorum none\n", "line 2: there is a quorum already"},
        {"quorum W\n", "line 1: no witness or group above has the name W"},
        {"quorum W\nwitness W $0\n", "line 1: no witness or group above has the name W"},
        {"quorum\n", "one name"},
        {"witness A $0\nwitness B $1\nquorum A B\n", "one name"},
        {"quorum none", "the last line does not end"},
        {"quorum none\r\n", "control character"},
        {"quorum none\n\x0c\n", "line 2: a control character"},
        {"quorum none\n\x7f\n", "control character"},
        {"Quorum none\n", "not Quorum"},
        {"threshold 2\nquorum none\n", "not threshold"},
        {"quorum none # of them\n", "one name"}, /* a comment has its own line */

        {"log\nquorum none\n", "a log has a verifier key"},
        {"log " LOG " u v\nquorum none\n", "a log has a verifier key"},
        {"log " QA "\nquorum none\n", "the key of a witness, not of a log"},
        {"log " LOG "\nlog " LOG "\nquorum none\n", "line 2: this log's key is there already"},
        {"log factory.example/station1+991df878+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\nquorum none\n", "key ID"},

        {"witness W\nquorum none\n", "a witness has a name and a verifier key"},
        {"witness W " QA " u v\nquorum none\n", "a witness has a name and a verifier key"},
        {"witness W " LOG "\nquorum none\n", "the key of a log, not of a witness"},
        {"witness W " QA "\nwitness V " QA "\nquorum W\n", "line 2: one key cannot count for two witnesses: V"},
        {"witness W $0\nwitness W $1\nquorum W\n", "line 2: this name is taken already: W"},
        {"witness none $0\nquorum none\n", "the name none"},

        {"witness W $0\ngroup G any\nquorum G\n", "a group has a name"},
        {"witness W $0\ngroup G 0 W\nquorum G\n", "not 0"},
        {"witness W $0\ngroup G 2 W\nquorum G\n", "not 2"},
        {"witness W $0\ngroup G 01 W\nquorum G\n", "not 01"},
        {"witness W $0\ngroup G +1 W\nquorum G\n", "not +1"},
        {"witness W $0\ngroup G 1x W\nquorum G\n", "not 1x"},
        {"witness W $0\ngroup G 18446744073709551617 W\nquorum G\n", "not 18446744073709551617"},
        {"witness W $0\ngroup G All W\nquorum G\n", "not All"},
        {"witness W $0\ngroup W any W\nquorum W\n", "this name is taken already: W"},
        {"witness W $0\ngroup none any W\nquorum W\n", "the name none"},
        {"witness W $0\ngroup G any V\nquorum G\n", "has the name V"},
        {"witness W $0\ngroup G any none\nquorum G\n", "has the name none"},
        {"witness W $0\ngroup G any G\nquorum G\n", "has the name G"},
        {"group G any W\nwitness W $0\nquorum G\n", "line 1: no witness or group above"},
        {"witness W $0\nwitness V $1\ngroup G 2 W W\nquorum G\n", "counts once only: W"}, /* one witness is not two */
        {"witness W $0\nwitness V $1\ngroup A any W V\ngroup B any W\ngroup C all A B\nquorum C\n", "line 4: is in a group already"},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct policy *p;
        struct fl_why why = {0, ""};
        enum fl_err err = parse(row[i].text, &p, &why);
        if (!row[i].says != !err || (row[i].says && (err != FL_FORMAT || !strstr(why.text, row[i].says))))
            fail_msg("%s: %d %s", row[i].text, err, why.text);
        policy_free(p);
    }
    struct policy *p;
    assert_int_equal(policy_parse("quorum none\n\0\n", 14, &p, NULL), FL_FORMAT); /* a zero byte hides nothing */
    assert_int_equal(policy_parse("quorum none\n#\0\n", 15, &p, NULL), FL_FORMAT);
}

static void bounds(void **state)
{
    (void)state;
    struct fl_buf b = FL_BUF(4 << 20);
    struct policy *p;
    fl_buf_adds(&b, "quorum none\n");
    while (b.len < POLICY_BYTES_MAX - 100)
        fl_buf_adds(&b, "# many\n");
    assert_int_equal(policy_parse(b.bytes, b.len, &p, NULL), FL_OK);
    policy_free(p);
    while (b.len <= POLICY_BYTES_MAX)
        fl_buf_adds(&b, "# many\n");
    assert_int_equal(policy_parse(b.bytes, b.len, &p, NULL), FL_LIMIT);
    for (int kind = 0; kind < 3; kind++) {
        enum fl_err err[2];
        for (unsigned more = 0; more < 2; more++) {
            fl_buf_clear(&b);
            fl_buf_adds(&b, "quorum none\n");
            for (unsigned i = 0; i < 64 + more; i++) {
                uint8_t pub[KEY_PUBLIC] = {1, (uint8_t)i};
                char text[KEY_VKEY_MAX];
                struct vkey k;
                assert_int_equal(vkey_make("x", kind ? KEY_COSIGN : KEY_NOTE, pub, &k, NULL), FL_OK);
                vkey_format(&k, text);
                if (kind == 0)
                    fl_buf_addf(&b, "log %s\n", text);
                else if (kind == 1 || i < 64)
                    fl_buf_addf(&b, "witness W%u %s\n", i, text);
            }
            for (unsigned i = 0; kind == 2 && i < 64 + more; i++)
                fl_buf_addf(&b, "group G%u any %c%u\n", i, i ? 'G' : 'W', i ? i - 1 : 0);
            err[more] = policy_parse(b.bytes, b.len, &p, NULL);
            policy_free(p);
        }
        assert_int_equal(err[0], FL_OK);
        assert_int_equal(err[1], FL_LIMIT);
    }
    fl_buf_fini(&b);
}

/* The example of the specification: two of X1 X2 X3, and one of Y1 Y2 Y3. */
static void example(void **state)
{
    (void)state;
    struct policy *p;
    assert_int_equal(parse("log " LOG "\n\nwitness X1 $0\nwitness X2 $1\nwitness X3 $2\ngroup X-witnesses 2 X1 X2 X3\n\n"
                           "witness Y1 $3\nwitness Y2 $4\nwitness Y3 $5\ngroup Y-witnesses any Y1 Y2 Y3\n\n"
                           "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n", &p, NULL), FL_OK);
    assert_string_equal(policy_quorum_name(p), "X-and-Y");
    assert_int_equal(p->n_witnesses, 6);
    unsigned met = 0;
    for (unsigned set = 0; set < 64; set++) {
        bool by[6];
        for (unsigned i = 0; i < 6; i++)
            by[i] = set >> i & 1;
        bool x = (by[0] && by[1]) || (by[0] && by[2]) || (by[1] && by[2]), y = by[3] || by[4] || by[5];
        assert_int_equal(policy_met(p, by), x && y);
        met += x && y;
    }
    assert_int_equal(met, 28); /* 4 sets of X times 7 of Y */
    policy_free(p);
}

static void quorums(void **state)
{
    (void)state;
    static const struct {
        const char *last;
        unsigned met; /* bit n: the set n of A (1), B (2) makes it */
    } row[] = {
        {"quorum none\n", 0xf},
        {"quorum A\n", 0xa},
        {"quorum B\n", 0xc},
        {"group G all A B\nquorum G\n", 0x8},
        {"group G any A B\nquorum G\n", 0xe},
        {"group G 1 A B\nquorum G\n", 0xe},
        {"group G 2 A B\nquorum G\n", 0x8},
        {"group G all A B\nquorum B\n", 0xc}, /* groups that are not asked for change nothing */
        {"group G any A\ngroup H all G B\nquorum H\n", 0x8},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        char text[300];
        struct policy *p;
        (void)snprintf(text, sizeof text, "witness A $0\nwitness B $1\n%s", row[i].last);
        assert_int_equal(parse(text, &p, NULL), FL_OK);
        for (unsigned set = 0; set < 4; set++) {
            bool by[2] = {set & 1, set >> 1};
            if (policy_met(p, by) != (row[i].met >> set & 1))
                fail_msg("%s: set %u", row[i].last, set);
        }
        policy_free(p);
    }
}

/* Keys from paper and a policy together; nobody counts twice, under whatever name. */
static void trusted(void **state)
{
    (void)state;
    char path[] = "/tmp/flashline-policy-XXXXXX", again[KEY_VKEY_MAX];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct fl_buf b = FL_BUF(10000);
    expand("log " LOG "\nwitness A $0\nwitness B $1\nquorum A\n", &b);
    assert_int_equal(write(fd, b.bytes, b.len), (ssize_t)b.len);
    (void)close(fd);
    struct vkey k, same;
    assert_int_equal(vkey_parse(witness[1], &k, NULL), FL_OK);
    assert_int_equal(vkey_make("another.name", KEY_COSIGN, k.key, &same, NULL), FL_OK);
    vkey_format(&same, again);
    const char *keys[] = {witness[2], again, LOG};
    struct trust_words w = {.keys = keys, .n_keys = 3, .policy = path, .quorum = 2};
    struct trust t;
    char asked[160];
    assert_int_equal(trust_read(&w, &t, NULL), FL_OK);
    assert_int_equal(t.n_logs, 1);
    assert_int_equal(t.n_witnesses, 3); /* A, B and W2: B came twice */
    assert_true(trust_asks(&t));
    trust_asked(&t, asked);
    assert_string_equal(asked, "2 of the 3 witnesses, and the quorum A of the policy");
    bool only_a[3] = {true, false, false}, not_a[3] = {false, true, true}, both[3] = {true, false, true};
    assert_false(trust_met(&t, only_a));
    assert_false(trust_met(&t, not_a));
    assert_true(trust_met(&t, both));
    trust_fini(&t);
    w.policy = "/nonexistent/policy";
    assert_int_equal(trust_read(&w, &t, NULL), FL_NOT_FOUND);
    w = (struct trust_words){.keys = keys, .n_keys = 3};
    assert_int_equal(trust_read(&w, &t, NULL), FL_OK);
    assert_false(trust_asks(&t));
    struct vkey found[TRUST_KEYS_MAX];
    assert_int_equal(trust_log(&t, "factory.example/station1", found), 1);
    assert_int_equal(trust_log(&t, "not.trusted", found), 1); /* then it is held against the one that is */
    assert_string_equal(found[0].name, "factory.example/station1");
    trust_fini(&t);
    (void)unlink(path);
    fl_buf_fini(&b);
}

static int setup(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < 8; i++) {
        uint8_t pub[KEY_PUBLIC] = {9, i};
        char name[20];
        struct vkey k;
        (void)snprintf(name, sizeof name, "w%u.example", (unsigned)i);
        if (vkey_make(name, KEY_COSIGN, pub, &k, NULL))
            return -1;
        vkey_format(&k, witness[i]);
    }
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),   cmocka_unit_test(bounds),  cmocka_unit_test(example),
        cmocka_unit_test(quorums), cmocka_unit_test(trusted),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
