/* SPDX-License-Identifier: Apache-2.0 */
#include "web/users.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/wake.h"
#include "web/limits.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

/* scrypt as of RFC 7914 with the numbers its users give for interactive log-in: 32 MiB, about 80 ms.
 * The file says the numbers of each hash, so that they can grow; more memory than MAX is no hash of ours. */
enum { LOG2N = 15, BLOCK = 8, LANES = 1, LOG2N_MAX = 18, FILE_MAX = 64 * 1024, WORDS = 9 };
enum { CHANGE_MS = 10000, LOOK_MS = 20 }; /* another change takes as long as the disk takes for two files */
#define SCRYPT_MEMORY_MAX ((uint64_t)512 << 20)

static const char *const roles[] = {"anyone", "viewer", "operator", "engineer"};

const char *web_role_name(enum web_role r)
{
    return roles[r];
}

bool web_role_parse(const char *name, enum web_role *out)
{
    for (int i = WEB_VIEWER; i <= WEB_ENGINEER; i++)
        if (strcmp(name, roles[i]) == 0) {
            *out = (enum web_role)i;
            return true;
        }
    return false;
}

static bool name_ok(const char *name)
{
    size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    return n >= 1 && n <= WEB_NAME_MAX && name[n] == 0;
}

/* ---- hashing --------------------------------------------------------------------------------------- */

static bool scrypt(const char *password, const struct web_user *u, uint8_t out[static FL_SHA256_SIZE])
{
    return EVP_PBE_scrypt(password, strlen(password), u->salt, sizeof u->salt, (uint64_t)1 << u->log2n, u->r,
                          u->p, SCRYPT_MEMORY_MAX, out, FL_SHA256_SIZE) == 1;
}

bool web_password_ok(const struct web_user *u, const char *password)
{
    static const struct web_user nobody = {.log2n = LOG2N, .r = BLOCK, .p = LANES};
    uint8_t hash[FL_SHA256_SIZE];
    if (strlen(password) > WEB_PASSWORD_MAX || !scrypt(password, u ? u : &nobody, hash))
        return false;
    bool same = CRYPTO_memcmp(hash, (u ? u : &nobody)->hash, sizeof hash) == 0;
    return u && !u->token && same;
}

const struct web_user *web_token_find(const struct web_users *u, const char *token, int64_t now_s)
{
    uint8_t hash[FL_SHA256_SIZE];
    if (strlen(token) != WEB_TOKEN_TEXT - 1 || fl_sha256(token, strlen(token), hash))
        return NULL;
    for (size_t i = 0; i < u->n; i++) {
        const struct web_user *t = &u->list[i];
        if (t->token && CRYPTO_memcmp(hash, t->hash, sizeof hash) == 0)
            return t->expires_s && now_s >= t->expires_s ? NULL : t;
    }
    return NULL;
}

/* ---- the file --------------------------------------------------------------------------------------- */

static bool number(const char *s, uint64_t max, uint64_t *out)
{
    char *end;
    if (*s < '0' || *s > '9')
        return false;
    *out = strtoull(s, &end, 10);
    return *end == 0 && *out <= max;
}

static size_t split(char *line, char *word[static WORDS])
{
    size_t n = 0;
    char *save;
    for (char *w = strtok_r(line, " \t\r", &save); w; w = strtok_r(NULL, " \t\r", &save)) {
        if (n == WORDS)
            return WORDS + 1;
        word[n++] = w;
    }
    return n;
}

static bool parse_user(char *const w[static WORDS], size_t n, struct web_user *u)
{
    uint64_t log2n, r, p;
    if (n != WORDS || strcmp(w[3], "scrypt") != 0 || !number(w[4], LOG2N_MAX, &log2n) || log2n < 1 ||
        !number(w[5], 32, &r) || r < 1 || !number(w[6], 16, &p) || p < 1 ||
        128 * r * (UINT64_C(1) << log2n) > SCRYPT_MEMORY_MAX)
        return false;
    u->log2n = (unsigned)log2n;
    u->r = (unsigned)r;
    u->p = (unsigned)p;
    return fl_unhex(w[7], u->salt, sizeof u->salt) && fl_unhex(w[8], u->hash, sizeof u->hash);
}

static bool parse_line(char *line, struct web_user *u)
{
    char *w[WORDS];
    size_t n = split(line, w);
    uint64_t expires;
    if (n < 5 || n > WORDS || !name_ok(w[1]) || !web_role_parse(w[2], &u->role))
        return false;
    memcpy(u->name, w[1], strlen(w[1]) + 1);
    if (strcmp(w[0], "user") == 0)
        return parse_user(w, n, u);
    u->token = true;
    if (strcmp(w[0], "token") != 0 || n != 5 || !number(w[3], INT64_MAX, &expires))
        return false;
    u->expires_s = (int64_t)expires;
    return fl_unhex(w[4], u->hash, sizeof u->hash);
}

static enum fl_err add(struct web_users *u, const struct web_user *user, struct fl_why *why)
{
    if (u->n == WEB_USERS_MAX)
        return fl_fail(why, FL_LIMIT, "more than %d users and tokens", WEB_USERS_MAX);
    struct web_user *list = realloc(u->list, (u->n + 1) * sizeof *list);
    if (!list)
        return fl_fail(why, FL_NOMEM, "out of memory");
    u->list = list;
    u->list[u->n++] = *user;
    return FL_OK;
}

static enum fl_err parse(char *text, const char *path, struct web_users *out, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    unsigned at = 1;
    for (char *line = text, *next; line && !err; line = next, at++) {
        struct web_user u = {.token = false};
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        if (line[strspn(line, " \t\r")] == 0 || *line == '#')
            continue;
        err = parse_line(line, &u) ? add(out, &u, why)
                                   : fl_fail(why, FL_FORMAT, "%s:%u: neither a user nor a token", path, at);
    }
    return err;
}

enum fl_err web_users_load(const char *data, struct web_users *out, struct fl_why *why)
{
    struct fl_buf text = FL_BUF(FILE_MAX);
    char *path = fl_path_join(data, "web-users");
    enum fl_err err = path ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    *out = (struct web_users){NULL, 0};
    if (!err && fl_path_exists(path)) {
        err = fl_file_read(path, &text, why);
        if (!err && text.len)
            err = parse((char *)text.bytes, path, out, why);
    }
    fl_buf_fini(&text);
    free(path);
    return err;
}

void web_users_fini(struct web_users *u)
{
    free(u->list);
    *u = (struct web_users){NULL, 0};
}

static void write_row(const struct web_user *u, struct fl_buf *b)
{
    char salt[2 * WEB_SALT + 1], hash[2 * FL_SHA256_SIZE + 1];
    fl_hex(u->hash, sizeof u->hash, hash);
    fl_hex(u->salt, sizeof u->salt, salt);
    if (u->token)
        fl_buf_addf(b, "token %s %s %lld %s\n", u->name, web_role_name(u->role), (long long)u->expires_s, hash);
    else
        fl_buf_addf(b, "user %s %s scrypt %u %u %u %s %s\n", u->name, web_role_name(u->role), u->log2n, u->r,
                    u->p, salt, hash);
}

static enum fl_err save(const char *data, const struct web_users *u, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(FILE_MAX);
    char *path = fl_path_join(data, "web-users");
    fl_buf_adds(&b, "# who may look at this station from another machine; written by `flashline web user`\n");
    for (size_t i = 0; i < u->n; i++)
        write_row(&u->list[i], &b);
    enum fl_err err = path ? fl_buf_err(&b, why) : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        err = fl_file_replace(path, b.bytes, b.len, 0600, why);
    fl_buf_fini(&b);
    free(path);
    return err;
}

static enum fl_err change_alone(const char *data, const char *name, const struct web_user *user, struct fl_why *why)
{
    struct web_users u;
    enum fl_err err = web_users_load(data, &u, why);
    size_t kept = 0, before = u.n;
    for (size_t i = 0; i < u.n; i++)
        if (strcmp(u.list[i].name, name) != 0 || (user && u.list[i].token != user->token))
            u.list[kept++] = u.list[i];
    u.n = kept;
    if (!err && !user && kept == before)
        err = fl_fail(why, FL_NOT_FOUND, "there is no user or token called %s", name);
    if (!err && user)
        err = add(&u, user, why);
    if (!err)
        err = save(data, &u, why);
    web_users_fini(&u);
    return err;
}

/* The file with every row of that name and kind left out (both kinds without `user`), and `user` added. One at a time: of two that
 * had read the same file the later one would bring back whom the other took out. */
static enum fl_err change(const char *data, const char *name, const struct web_user *user, struct fl_why *why)
{
    struct fl_lock lock = {-1};
    struct fl_deadline d = fl_deadline_in_ms(CHANGE_MS);
    if (!name_ok(name))
        return fl_fail(why, FL_ARG, "a name is 1 to %d of A-Z a-z 0-9 . _ -", WEB_NAME_MAX);
    char *path = fl_path_join(data, "web-users.lock");
    enum fl_err err = path ? fl_lock_claim(&lock, path, why) : fl_fail(why, FL_NOMEM, "out of memory");
    while (err == FL_BUSY && !fl_deadline_passed(d) && fl_wake_sleep(NULL, fl_deadline_in_ms(LOOK_MS)) == FL_OK)
        err = fl_lock_claim(&lock, path, why);
    if (!err)
        err = change_alone(data, name, user, why);
    if (path)
        fl_lock_end(&lock, path);
    free(path);
    return err;
}

enum fl_err web_users_set(const char *data, const char *name, enum web_role role, const char *password,
                          struct fl_why *why)
{
    struct web_user u = {.role = role, .log2n = LOG2N, .r = BLOCK, .p = LANES};
    size_t n = strlen(password);
    if (n < 8 || n > WEB_PASSWORD_MAX)
        return fl_fail(why, FL_ARG, "a password has 8 to %d bytes", WEB_PASSWORD_MAX);
    if (!name_ok(name))
        return change(data, name, NULL, why);
    memcpy(u.name, name, strlen(name) + 1);
    if (RAND_bytes(u.salt, sizeof u.salt) != 1 || !scrypt(password, &u, u.hash))
        return fl_fail(why, FL_IO, "the password could not be hashed");
    return change(data, name, &u, why);
}

enum fl_err web_users_token(const char *data, const char *name, enum web_role role, unsigned days,
                            char text[static WEB_TOKEN_TEXT], struct fl_why *why)
{
    struct web_user u = {.role = role, .token = true};
    uint8_t random[(WEB_TOKEN_TEXT - 1) / 2];
    if (!name_ok(name))
        return change(data, name, NULL, why);
    memcpy(u.name, name, strlen(name) + 1);
    if (RAND_bytes(random, sizeof random) != 1)
        return fl_fail(why, FL_IO, "no random bytes");
    fl_hex(random, sizeof random, text);
    if (days)
        u.expires_s = fl_wall_ms() / 1000 + (int64_t)days * 86400;
    enum fl_err err = fl_sha256(text, WEB_TOKEN_TEXT - 1, u.hash);
    return err ? fl_fail(why, err, "the token could not be hashed") : change(data, name, &u, why);
}

enum fl_err web_users_remove(const char *data, const char *name, struct fl_why *why)
{
    return change(data, name, NULL, why);
}
