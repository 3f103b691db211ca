/* SPDX-License-Identifier: Apache-2.0
 *
 * users.h: who may look at the station from another machine: DATA/web-users.
 *
 * One line each, mode 0600, written whole and atomically; '#' begins a comment line.
 *
 *   user  NAME ROLE scrypt LOG2N R P SALT HASH    salt 16 bytes, hash 32 bytes, lower-case hex
 *   token NAME ROLE EXPIRES SHA256                EXPIRES: seconds since 1970, 0 never; SHA-256 of the token
 *
 * NAME is 1..32 of [A-Za-z0-9._-]. ROLE is viewer, operator or engineer; each may what the one before may.
 * A password is what people type, so its hash is slow (scrypt, RFC 7914). A token is 32 random bytes, so a
 * fast hash is enough; it is for walls and for metrics, and ends by itself.
 *
 * Pure but for the file; thread rule: a list has one owner.
 */
#ifndef FL_WEB_USERS_H
#define FL_WEB_USERS_H

#include "base/hash.h"

enum web_role { WEB_ANYONE, WEB_VIEWER, WEB_OPERATOR, WEB_ENGINEER };
const char *web_role_name(enum web_role r); /* "anyone", "viewer", "operator", "engineer" */
bool web_role_parse(const char *name, enum web_role *out); /* not "anyone" */

enum { WEB_NAME_MAX = 32, WEB_SALT = 16, WEB_TOKEN_TEXT = 65, WEB_PASSWORD_MAX = 256 };

struct web_user {
    char name[WEB_NAME_MAX + 1];
    enum web_role role;
    bool token;
    unsigned log2n, r, p;      /* of scrypt */
    uint8_t salt[WEB_SALT];
    uint8_t hash[FL_SHA256_SIZE];
    int64_t expires_s;         /* of a token, wall clock; 0 never */
};
struct web_users {
    struct web_user *list;
    size_t n;
};

/* Who makes a request. */
struct web_who {
    enum web_role role;
    char name[WEB_NAME_MAX + 1];
    uint64_t session;           /* 0: none (loopback, token) */
    uint64_t until_ms;          /* monotonic: when the session or token ends; UINT64_MAX never */
    char csrf[33];
    uint64_t users;             /* which reading of the file says so, counted */
};

/* A missing file is no users. FL_FORMAT names file and line. Free with web_users_fini in any case. */
FL_MUST enum fl_err web_users_load(const char *data, struct web_users *out, struct fl_why *why);
void web_users_fini(struct web_users *u);
/* Set or replace the password of `name`; or make a token (written to `text`) that lives `days` (0: for ever),
 * replacing the token of that name; or remove both. They load, change and replace the file, one at a
 * time (a lock, DATA/web-users.lock while it is held); FL_BUSY: another did not end within 10 s. */
FL_MUST enum fl_err web_users_set(const char *data, const char *name, enum web_role role, const char *password,
                                  struct fl_why *why);
FL_MUST enum fl_err web_users_token(const char *data, const char *name, enum web_role role, unsigned days,
                                    char text[static WEB_TOKEN_TEXT], struct fl_why *why);
FL_MUST enum fl_err web_users_remove(const char *data, const char *name, struct fl_why *why);

/* Does this password belong to the user? Takes about a tenth of a second on purpose. A NULL user takes as
 * long and says no, so that a stranger cannot learn which names exist. */
bool web_password_ok(const struct web_user *u, const char *password);
/* The token's row when it is one and `now_s` is before its end; NULL otherwise. */
const struct web_user *web_token_find(const struct web_users *u, const char *token, int64_t now_s);

#endif
