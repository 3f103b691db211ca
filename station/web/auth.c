/* SPDX-License-Identifier: Apache-2.0
 *
 * Who makes a request: a session (cookie, from a password or a token) or a token (Authorization: Bearer).
 *
 * A session's id is 32 random bytes; only its SHA-256 is kept. Sessions live in memory: they end with the
 * program, with WEB_SESSION_MS, with logging out, and when their user's line in the file goes or changes.
 */
#include "web/inside.h"

#include "base/file.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TRIERS = 64, ID_TEXT = 2 * FL_SHA256_SIZE };

struct session {
    uint64_t number; /* 0: free */
    uint8_t hash[FL_SHA256_SIZE];
    struct web_user user; /* the line that it was given for */
    char csrf[33];
    uint64_t until_ms;
};

struct web_auth {
    bool required;
    char *data, *path;
    pthread_mutex_t lock; /* guards the rest; a leaf */
    struct web_users users;
    struct stamp {
        ino_t inode;
        off_t size;
        struct timespec changed;
    } stamp;                 /* of the file that was read; its clock alone is too coarse */
    uint64_t changed;        /* how often it was read again */
    struct session session[WEB_SESSIONS_MAX];
    uint64_t sessions;       /* given out so far */
    struct {
        char address[48];
        unsigned failed;
        uint64_t since_ms;
    } trier[TRIERS];
};

/* ---- the file, read again when it changed ------------------------------------------------------------------ */

static const struct web_user *find_locked(const struct web_auth *a, const char *name)
{
    for (size_t i = 0; i < a->users.n; i++)
        if (!a->users.list[i].token && strcmp(a->users.list[i].name, name) == 0)
            return &a->users.list[i];
    return NULL;
}

/* Does that line still stand, as it was? */
static bool stands_locked(const struct web_auth *a, const struct web_user *was)
{
    for (size_t i = 0; i < a->users.n; i++) {
        const struct web_user *u = &a->users.list[i];
        if (u->token == was->token && strcmp(u->name, was->name) == 0 && u->role == was->role && u->expires_s == was->expires_s &&
            memcmp(u->hash, was->hash, sizeof u->hash) == 0)
            return true;
    }
    return false;
}

static struct stamp stamp_of(const char *path)
{
    struct stat st;
    struct stamp s;
    memset(&s, 0, sizeof s); /* padding too: it is compared */
    if (path && stat(path, &st) == 0) {
        s.inode = st.st_ino;
        s.size = st.st_size;
        s.changed = st.st_mtim;
    }
    return s;
}

static void reload_locked(struct web_auth *a)
{
    struct stamp stamp = stamp_of(a->path);
    struct web_users users;
    if (!a->path || memcmp(&stamp, &a->stamp, sizeof stamp) == 0)
        return;
    /* a file that cannot be read lets nobody in: better than yesterday's users */
    enum fl_err err = web_users_load(a->data, &users, NULL);
    if (err)
        web_users_fini(&users);
    web_users_fini(&a->users);
    a->users = users;
    a->stamp = stamp;
    a->changed++;
    for (size_t i = 0; i < WEB_SESSIONS_MAX; i++)
        if (!stands_locked(a, &a->session[i].user))
            a->session[i].number = 0;
}

enum fl_err auth_open(const char *data, bool required, struct web_auth **out, struct fl_why *why)
{
    struct web_auth *a = calloc(1, sizeof *a);
    enum fl_err err = FL_OK;
    *out = a;
    if (!a || pthread_mutex_init(&a->lock, NULL) != 0) {
        free(a);
        *out = NULL;
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    a->required = required;
    if (data) {
        a->data = strdup(data);
        a->path = fl_path_join(data, "web-users");
        a->stamp = stamp_of(a->path); /* before reading: a change in between is then seen */
        err = a->data && a->path ? web_users_load(data, &a->users, why) : fl_fail(why, FL_NOMEM, "out of memory");
    }
    if (!err && required && !a->users.n)
        err = fl_fail(why, FL_REFUSED, "nobody could log in: make a user or a token first (flashline web user)");
    return err;
}

void auth_close(struct web_auth *a)
{
    if (!a)
        return;
    web_users_fini(&a->users);
    (void)pthread_mutex_destroy(&a->lock);
    free(a->data);
    free(a->path);
    OPENSSL_cleanse(a, sizeof *a);
    free(a);
}

bool auth_required(const struct web_auth *a)
{
    return a->required;
}

uint64_t auth_users(struct web_auth *a)
{
    (void)pthread_mutex_lock(&a->lock);
    if (a->required)
        reload_locked(a);
    uint64_t changed = a->required ? a->changed : 0;
    (void)pthread_mutex_unlock(&a->lock);
    return changed;
}

/* ---- who ------------------------------------------------------------------------------------------------------- */

static uint64_t token_until_ms(const struct web_user *t)
{
    int64_t left_s = t->expires_s - fl_wall_ms() / 1000;
    return t->expires_s ? fl_mono_ms() + (uint64_t)(left_s > 0 ? left_s : 0) * 1000 : UINT64_MAX;
}

static void who_by_token_locked(struct web_auth *a, const char *token, struct web_who *who)
{
    const struct web_user *t = web_token_find(&a->users, token, fl_wall_ms() / 1000);
    if (!t)
        return;
    who->role = t->role;
    memcpy(who->name, t->name, sizeof who->name);
    who->until_ms = token_until_ms(t);
}

static struct session *session_locked(struct web_auth *a, const char *id)
{
    uint8_t hash[FL_SHA256_SIZE];
    if (strlen(id) != ID_TEXT || fl_sha256(id, ID_TEXT, hash))
        return NULL;
    for (size_t i = 0; i < WEB_SESSIONS_MAX; i++) {
        struct session *s = &a->session[i];
        if (s->number && CRYPTO_memcmp(s->hash, hash, sizeof hash) == 0) {
            if (fl_mono_ms() < s->until_ms)
                return s;
            s->number = 0;
        }
    }
    return NULL;
}

static void become_locked(const struct session *s, struct web_who *who)
{
    *who = (struct web_who){.role = s->user.role, .session = s->number, .until_ms = s->until_ms};
    memcpy(who->name, s->user.name, sizeof who->name);
    memcpy(who->csrf, s->csrf, sizeof who->csrf);
}

void auth_who(struct web_auth *a, struct web_request *q)
{
    const char *bearer = request_header(q, "Authorization");
    const char *id = q->web->mhd.lookup_connection_value(q->conn, MHD_COOKIE_KIND, "fl_session");
    q->who = (struct web_who){.role = WEB_ANYONE, .until_ms = UINT64_MAX};
    (void)pthread_mutex_lock(&a->lock);
    reload_locked(a);
    struct session *s = id ? session_locked(a, id) : NULL;
    if (strncmp(bearer, "Bearer ", 7) == 0) {
        who_by_token_locked(a, bearer + 7, &q->who);
    } else if (s) {
        become_locked(s, &q->who);
    }
    q->who.users = a->required ? a->changed : 0;
    (void)pthread_mutex_unlock(&a->lock);
    if (!a->required)
        q->who.role = WEB_ENGINEER; /* whoever sits at the station */
}

bool auth_same_origin(const struct web_request *q)
{
    const char *origin = request_header(q, "Origin"), *site = request_header(q, "Sec-Fetch-Site");
    const char *scheme = q->web->tls ? "https://" : "http://";
    if (strncmp(request_header(q, "Content-Type"), "application/json", 16) != 0)
        return false; /* what a form or a plain link of another page cannot send */
    if (*site) /* what the browser itself says: behind a proxy neither scheme nor Host are what it knows */
        return strcmp(site, "same-origin") == 0;
    return !*origin || (strncmp(origin, scheme, strlen(scheme)) == 0 &&
                        strcmp(origin + strlen(scheme), request_header(q, "Host")) == 0);
}

bool auth_csrf(const struct web_request *q)
{
    const char *given = request_header(q, "X-CSRF");
    if (!q->who.session || q->route->role == WEB_ANYONE)
        return true; /* nothing is done in anybody's name */
    return strlen(given) == strlen(q->who.csrf) && CRYPTO_memcmp(given, q->who.csrf, strlen(given)) == 0;
}

/* ---- logging in and out -------------------------------------------------------------------------------------------- */

/* Counts a failure (or asks only); true when this address has failed too often lately. */
static bool tried_too_often_locked(struct web_auth *a, const char *address, bool failed)
{
    uint64_t now = fl_mono_ms();
    size_t oldest = 0;
    for (size_t i = 0; i < TRIERS; i++) {
        if (strcmp(a->trier[i].address, address) == 0 && a->trier[i].failed) {
            if (now - a->trier[i].since_ms >= WEB_TRIES_MS)
                a->trier[i].failed = 0;
            if (failed && a->trier[i].failed++ == 0)
                a->trier[i].since_ms = now;
            return a->trier[i].failed >= WEB_TRIES;
        }
        if (a->trier[i].since_ms < a->trier[oldest].since_ms)
            oldest = i;
    }
    if (failed) {
        (void)snprintf(a->trier[oldest].address, sizeof a->trier[oldest].address, "%s", address);
        a->trier[oldest].failed = 1;
        a->trier[oldest].since_ms = now;
    }
    return false;
}

static bool random_hex(char *out, size_t bytes)
{
    uint8_t random[FL_SHA256_SIZE];
    bool ok = RAND_bytes(random, (int)bytes) == 1;
    fl_hex(random, bytes, out);
    return ok;
}

/* The free place, or the one that ends first. */
static struct session *place_locked(struct web_auth *a)
{
    struct session *best = &a->session[0];
    for (size_t i = 0; i < WEB_SESSIONS_MAX; i++) {
        if (!a->session[i].number)
            return &a->session[i];
        if (a->session[i].until_ms < best->until_ms)
            best = &a->session[i];
    }
    return best;
}

static bool begin_session_locked(struct web_auth *a, const struct web_user *u, struct web_request *q)
{
    char id[ID_TEXT + 1];
    struct session *s = place_locked(a);
    uint64_t until = fl_mono_ms() + WEB_SESSION_MS, token_until = u->token ? token_until_ms(u) : UINT64_MAX;
    *s = (struct session){.user = *u, .until_ms = until < token_until ? until : token_until};
    if (!random_hex(id, ID_TEXT / 2) || !random_hex(s->csrf, 16) || fl_sha256(id, ID_TEXT, s->hash))
        return false;
    s->number = ++a->sessions;
    become_locked(s, &q->who);
    (void)snprintf(q->reply.cookie, sizeof q->reply.cookie, "fl_session=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d%s",
                   id, WEB_SESSION_MS / 1000, q->web->tls ? "; Secure" : "");
    return true;
}

/* Copies the user out, so that the slow hash is made without the lock. */
static bool check(struct web_auth *a, const json_t *in, struct web_user *out)
{
    const char *token = fl_json_text(in, "token"), *name = fl_json_text(in, "name");
    (void)pthread_mutex_lock(&a->lock);
    reload_locked(a);
    const struct web_user *u = *token ? web_token_find(&a->users, token, fl_wall_ms() / 1000)
                                      : find_locked(a, name);
    bool known = u != NULL;
    if (known)
        *out = *u;
    (void)pthread_mutex_unlock(&a->lock);
    return *token ? known : web_password_ok(known ? out : NULL, fl_json_text(in, "password"));
}

void auth_login(struct web_request *q)
{
    struct web_auth *a = q->web->auth;
    struct web_user u = {.token = false};
    json_t *in = NULL;
    (void)pthread_mutex_lock(&a->lock);
    bool often = tried_too_often_locked(a, q->address, false);
    (void)pthread_mutex_unlock(&a->lock);
    if (often) {
        q->reply.retry_s = WEB_TRIES_MS / 1000;
        reply_error(&q->reply, 429, "often", "too many tries; wait a minute");
        return;
    }
    if (fl_json_parse(q->body.bytes, q->body.len, &in, NULL) || !json_is_object(in)) {
        reply_error(&q->reply, 400, "json", "the body is no JSON object");
        json_decref(in);
        return;
    }
    bool good = check(a, in, &u);
    json_decref(in);
    OPENSSL_cleanse(q->body.bytes, q->body.len);
    (void)pthread_mutex_lock(&a->lock);
    good = good && stands_locked(a, &u); /* it may have been taken out while the hash was made */
    bool ours = good && begin_session_locked(a, &u, q);
    if (!good)
        (void)tried_too_often_locked(a, q->address, true);
    (void)pthread_mutex_unlock(&a->lock);
    if (ours)
        auth_session(q);
    else if (good)
        reply_error(&q->reply, 500, "random", "no random bytes");
    else
        reply_error(&q->reply, 401, "wrong", "that is not right");
}

void auth_logout(struct web_request *q)
{
    struct web_auth *a = q->web->auth;
    (void)pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < WEB_SESSIONS_MAX; i++)
        if (a->session[i].number && a->session[i].number == q->who.session)
            a->session[i].number = 0;
    (void)pthread_mutex_unlock(&a->lock);
    live_end_session(&q->web->live, q->who.session);
    (void)snprintf(q->reply.cookie, sizeof q->reply.cookie, "fl_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    reply_json(&q->reply, 200, json_pack("{sb}", "ok", 1));
}

void auth_session(struct web_request *q)
{
    reply_json(&q->reply, 200, json_pack("{sb ss ss ss}", "login", (int)q->web->auth->required, "name", q->who.name,
                                         "role", web_role_name(q->who.role), "csrf", q->who.csrf));
}
