/* SPDX-License-Identifier: Apache-2.0
 * web/: the file of users: what it may say, what it may not, passwords and tokens.
 * The hashes were made by another implementation (node's crypto.scryptSync and createHash). */
#include "unit/t.h"

#include "base/clock.h"
#include "base/file.h"
#include "web/users.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#define SALT "000102030405060708090a0b0c0d0e0f"
#define HASH "25b376840366f4d3b0e21e414476676e3cd0e89af4430356a234ce0b65a021b5"
#define TOKEN "abababababababababababababababababababababababababababababababab"
#define TOKEN_HASH "271a413bd339c5709fdceaec41f14f11e9fbfb5042d72d331c65f32b284cd09a"

static char *folder(void)
{
    static char path[] = "/tmp/fl-users-XXXXXX";
    memcpy(path + strlen(path) - 6, "XXXXXX", 6);
    assert_non_null(mkdtemp(path));
    return path;
}
static void remove_folder(const char *dir)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/web-users", dir);
    (void)unlink(path);
    (void)rmdir(dir);
}
static void put(const char *dir, const char *text)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/web-users", dir);
    assert_int_equal(fl_file_replace(path, text, strlen(text), 0600, NULL), FL_OK);
}

static void reads(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        enum fl_err err;
        const char *why; /* what the sentence must hold */
    } row[] = {
        {"", 0, FL_OK, ""},
        {"# a comment\n\n   \n", 0, FL_OK, ""},
        {"user ann viewer scrypt 14 8 1 " SALT " " HASH "\n", 1, FL_OK, ""},
        {"user ann viewer scrypt 14 8 1 " SALT " " HASH "\r\ntoken wall viewer 0 " TOKEN_HASH, 2, FL_OK, ""},
        {"user ann boss scrypt 14 8 1 " SALT " " HASH "\n", 0, FL_FORMAT, ":1:"},
        {"\nuser ann viewer md5 14 8 1 " SALT " " HASH "\n", 0, FL_FORMAT, ":2:"},
        {"user ann viewer scrypt 40 8 1 " SALT " " HASH "\n", 0, FL_FORMAT, ":1:"},
        {"user ann viewer scrypt 18 32 16 " SALT " " HASH "\n", 0, FL_FORMAT, ":1:"}, /* too much memory */
        {"user ann viewer scrypt 0 8 1 " SALT " " HASH "\n", 0, FL_FORMAT, ":1:"},
        {"user ann viewer scrypt 14 8 1 " SALT " 00\n", 0, FL_FORMAT, ":1:"},
        {"user ann viewer scrypt 14 8 1 " SALT " " HASH " more\n", 0, FL_FORMAT, ":1:"},
        {"user a/b viewer scrypt 14 8 1 " SALT " " HASH "\n", 0, FL_FORMAT, ":1:"},
        {"user ann anyone scrypt 14 8 1 " SALT " " HASH "\n", 0, FL_FORMAT, ":1:"},
        {"token wall viewer -1 " TOKEN_HASH "\n", 0, FL_FORMAT, ":1:"},
        {"token wall viewer 0\n", 0, FL_FORMAT, ":1:"},
        {"token 123456789012345678901234567890123 viewer 0 " TOKEN_HASH "\n", 0, FL_FORMAT, ":1:"},
        {"x\n", 0, FL_FORMAT, ":1:"},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        char *dir = folder();
        struct web_users u;
        struct fl_why why = {0};
        put(dir, row[i].text);
        assert_int_equal(web_users_load(dir, &u, &why), row[i].err);
        assert_non_null(strstr(why.text, row[i].why));
        if (!row[i].err)
            assert_int_equal(u.n, row[i].n);
        web_users_fini(&u);
        remove_folder(dir);
    }
}

static void passwords(void **state)
{
    (void)state;
    char *dir = folder();
    struct web_users u;
    put(dir, "user ann operator scrypt 14 8 1 " SALT " " HASH "\n");
    assert_int_equal(web_users_load(dir, &u, NULL), FL_OK);
    assert_int_equal(u.list[0].role, WEB_OPERATOR);
    assert_true(web_password_ok(&u.list[0], "correct horse"));
    assert_false(web_password_ok(&u.list[0], "correct horse "));
    assert_false(web_password_ok(&u.list[0], ""));
    assert_false(web_password_ok(NULL, "correct horse"));
    web_users_fini(&u);
    remove_folder(dir);
}

static void tokens(void **state)
{
    (void)state;
    char *dir = folder();
    struct web_users u;
    put(dir, "token wall viewer 1000 " TOKEN_HASH "\n");
    assert_int_equal(web_users_load(dir, &u, NULL), FL_OK);
    assert_ptr_equal(web_token_find(&u, TOKEN, 999), &u.list[0]);
    assert_null(web_token_find(&u, TOKEN, 1000));
    assert_null(web_token_find(&u, TOKEN_HASH, 0)); /* the hash is no token */
    assert_null(web_token_find(&u, "", 0));
    assert_false(web_password_ok(&u.list[0], TOKEN)); /* nor is a token a password */
    web_users_fini(&u);
    remove_folder(dir);
}

static void changes(void **state)
{
    (void)state;
    char *dir = folder(), token[WEB_TOKEN_TEXT], path[200];
    struct web_users u;
    struct stat st;
    assert_int_equal(web_users_set(dir, "ann", WEB_VIEWER, "short", NULL), FL_ARG);
    assert_int_equal(web_users_set(dir, "a b", WEB_VIEWER, "long enough", NULL), FL_ARG);
    assert_int_equal(web_users_set(dir, "ann", WEB_VIEWER, "long enough", NULL), FL_OK);
    assert_int_equal(web_users_token(dir, "ann", WEB_ENGINEER, 7, token, NULL), FL_OK);
    assert_int_equal(web_users_set(dir, "ann", WEB_OPERATOR, "even longer", NULL), FL_OK);
    assert_int_equal(web_users_load(dir, &u, NULL), FL_OK);
    assert_int_equal(u.n, 2);
    for (size_t i = 0; i < u.n; i++)
        if (u.list[i].token) {
            int64_t now = fl_wall_ms() / 1000;
            assert_non_null(web_token_find(&u, token, now + 7 * 86400 - 60));
            assert_null(web_token_find(&u, token, now + 7 * 86400 + 60));
        } else {
            assert_int_equal(u.list[i].role, WEB_OPERATOR);
            assert_true(web_password_ok(&u.list[i], "even longer"));
            assert_false(web_password_ok(&u.list[i], "long enough"));
        }
    web_users_fini(&u);
    (void)snprintf(path, sizeof path, "%s/web-users", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(web_users_remove(dir, "bob", NULL), FL_NOT_FOUND);
    assert_int_equal(web_users_remove(dir, "ann", NULL), FL_OK);
    assert_int_equal(web_users_load(dir, &u, NULL), FL_OK);
    assert_int_equal(u.n, 0);
    web_users_fini(&u);
    remove_folder(dir);
}

enum { EACH = 8 };

static void *add_tokens(void *ctx)
{
    char **who = ctx, name[20], token[WEB_TOKEN_TEXT]; /* who: folder, first letters of the names */
    for (int i = 0; i < EACH; i++) {
        (void)snprintf(name, sizeof name, "%s%d", who[1], i);
        if (web_users_token(who[0], name, WEB_VIEWER, 0, token, NULL))
            return who;
    }
    return NULL;
}

/* Two who change the file at once: nobody's change is lost. */
static void two_at_once(void **state)
{
    (void)state;
    struct web_users u;
    pthread_t t;
    void *failed;
    char *dir = folder(), *a[] = {dir, "a"}, *b[] = {dir, "b"};
    assert_int_equal(pthread_create(&t, NULL, add_tokens, a), 0);
    assert_null(add_tokens(b));
    assert_int_equal(pthread_join(t, &failed), 0);
    assert_null(failed);
    assert_int_equal(web_users_load(dir, &u, NULL), FL_OK);
    assert_int_equal(u.n, 2 * EACH);
    web_users_fini(&u);
    remove_folder(dir);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(reads), cmocka_unit_test(passwords),
                                              cmocka_unit_test(tokens), cmocka_unit_test(changes), cmocka_unit_test(two_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
