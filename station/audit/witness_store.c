/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/witness_store.h"

#include "base/file.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOGS_MAX = 256, NOTE_MAX = 65536 };

struct witness_store {
    char *dir;
    struct fl_lock lock;
    pthread_mutex_t one; /* guards the heads on disk: look-up, storing and answering are one step; it is held over an fsync,
                            which is what it is for */
    struct key *key;
    struct vkey vkey;
    struct vkey log[LOGS_MAX];
    size_t n_logs;
    struct vkey found[LOGS_MAX]; /* keys of the log asked for */
};

static char *in(const char *dir, const char *name)
{
    return fl_path_join(dir, name);
}

static enum fl_err put(const char *dir, const char *name, const void *bytes, size_t n, unsigned mode, struct fl_why *why)
{
    char *path = in(dir, name);
    enum fl_err err = path ? fl_file_replace(path, bytes, n, mode, why) : fl_fail(why, FL_NOMEM, "out of memory");
    free(path);
    return err;
}

static enum fl_err get(const char *dir, const char *name, struct fl_buf *out, struct fl_why *why)
{
    char *path = in(dir, name);
    enum fl_err err = path ? fl_file_read(path, out, why) : fl_fail(why, FL_NOMEM, "out of memory");
    free(path);
    return err;
}

/* ---- making -------------------------------------------------------------------------------------------------------- */

static enum fl_err make_files(const char *dir, const struct key *key, const char *name, struct vkey *out, struct fl_why *why)
{
    static const char logs[] = "# verifier keys of the logs this witness signs for, one a line\n";
    uint8_t public[KEY_PUBLIC];
    char line[KEY_VKEY_MAX + 2];
    struct fl_buf pem = FL_BUF(65536);
    key_public(key, public);
    enum fl_err err = vkey_make(name, KEY_COSIGN, public, out, why);
    if (!err)
        err = key_to_pem(key, NULL, &pem, why);
    if (!err)
        err = put(dir, "key", pem.bytes, pem.len, 0600, why);
    if (!err)
        err = put(dir, "logs", logs, sizeof logs - 1, 0644, why);
    key_wipe(&pem);
    if (err)
        return err;
    vkey_format(out, line);
    size_t n = strlen(line);
    line[n++] = '\n';
    return put(dir, "vkey", line, n, 0644, why); /* last: where it is, all the rest is */
}

enum fl_err witness_store_make(const char *dir, const char *name, struct vkey *out, struct fl_why *why)
{
    struct key *key = NULL;
    char *path = in(dir, "vkey"); /* written last: a key without it is of one that a crash cut off, and nobody has seen it */
    enum fl_err err = !path ? fl_fail(why, FL_NOMEM, "out of memory")
                      : fl_path_exists(path) ? fl_fail(why, FL_EXISTS, "there is a witness in %.300s already", dir)
                                             : fl_dir_make(dir, why);
    if (!err)
        err = key_new(&key, why);
    if (!err)
        err = make_files(dir, key, name, out, why);
    key_free(key);
    free(path);
    return err;
}

enum fl_err witness_store_trust(const char *dir, const char *vkey, struct fl_why *why)
{
    struct vkey k;
    struct fl_buf b = FL_BUF(1 << 20);
    enum fl_err err = vkey_parse(vkey, &k, why);
    if (!err && k.type != KEY_NOTE)
        err = fl_fail(why, FL_FORMAT, "the key is a witness's, not a log's");
    if (!err)
        err = get(dir, "logs", &b, why);
    if (!err && strstr(fl_buf_text(&b), vkey))
        err = fl_fail(why, FL_EXISTS, "that log is in the list already");
    if (!err) {
        fl_buf_addf(&b, "%s\n", vkey);
        err = fl_buf_err(&b, why);
    }
    if (!err)
        err = put(dir, "logs", b.bytes, b.len, 0644, why);
    fl_buf_fini(&b);
    return err;
}

/* ---- opening ------------------------------------------------------------------------------------------------------- */

static enum fl_err read_logs(struct witness_store *s, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(1 << 20);
    char *save = NULL;
    enum fl_err err = get(s->dir, "logs", &b, why);
    fl_buf_addc(&b, '\n');
    for (char *l = err ? NULL : strtok_r((char *)b.bytes, "\n", &save); l && !err; l = strtok_r(NULL, "\n", &save)) {
        if (*l == '#' || !*l)
            continue;
        if (s->n_logs == LOGS_MAX)
            err = fl_fail(why, FL_LIMIT, "more than %d logs", LOGS_MAX);
        else
            err = vkey_parse(l, &s->log[s->n_logs++], why);
    }
    fl_buf_fini(&b);
    return err;
}

static enum fl_err read_keys(struct witness_store *s, struct fl_why *why)
{
    uint8_t public[KEY_PUBLIC];
    struct fl_buf pem = FL_BUF(65536), line = FL_BUF(4096);
    enum fl_err err = get(s->dir, "key", &pem, why);
    if (!err)
        err = key_from_pem(pem.bytes, pem.len, NULL, &s->key, why);
    if (!err)
        err = get(s->dir, "vkey", &line, why);
    if (!err && line.len && line.bytes[line.len - 1] == '\n')
        line.bytes[--line.len] = 0;
    if (!err)
        err = vkey_parse(fl_buf_text(&line), &s->vkey, why);
    if (!err) {
        key_public(s->key, public);
        if (s->vkey.type != KEY_COSIGN || memcmp(public, s->vkey.key, sizeof public) != 0)
            err = fl_fail(why, FL_MISMATCH, "%.300s: the verifier key is not that of the signing key", s->dir);
    }
    key_wipe(&pem);
    fl_buf_fini(&line);
    return err;
}

enum fl_err witness_store_open(const char *dir, struct witness_store **out, struct fl_why *why)
{
    *out = NULL;
    struct witness_store *s = calloc(1, sizeof *s);
    if (!s || pthread_mutex_init(&s->one, NULL) != 0) {
        free(s);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    s->lock.fd = -1;
    s->dir = strdup(dir);
    char *lock = in(dir, "lock"), *key = in(dir, "key");
    enum fl_err err = s->dir && lock && key ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err && !fl_path_exists(key))
        err = fl_fail(why, FL_NOT_FOUND, "there is no witness in %.300s: flashline witness init makes one", dir);
    if (!err)
        err = fl_lock_take(&s->lock, lock, why);
    if (err == FL_BUSY)
        err = fl_fail(why, err, "the witness in %.300s is at work already: ask it over HTTP (flashline witness push), or end it first", dir);
    if (!err)
        err = read_keys(s, why);
    if (!err)
        err = read_logs(s, why);
    free(lock);
    free(key);
    if (err)
        witness_store_close(s);
    else
        *out = s;
    return err;
}

void witness_store_close(struct witness_store *s)
{
    if (!s)
        return;
    key_free(s->key);
    fl_lock_drop(&s->lock);
    (void)pthread_mutex_destroy(&s->one);
    free(s->dir);
    free(s);
}

const struct vkey *witness_store_vkey(const struct witness_store *s)
{
    return &s->vkey;
}

/* ---- answering ------------------------------------------------------------------------------------------------------ */

static enum fl_err name_of(const char *origin, char out[static 80])
{
    uint8_t digest[FL_SHA256_SIZE];
    char hex[2 * FL_SHA256_SIZE + 1];
    enum fl_err err = fl_sha256(origin, strlen(origin), digest);
    fl_hex(digest, sizeof digest, hex);
    (void)snprintf(out, 80, "%s.note", hex);
    return err;
}

static enum fl_err find(void *ctx, const char *origin, struct witness_log *out)
{
    struct witness_store *s = ctx;
    char name[80];
    struct fl_buf b = FL_BUF(NOTE_MAX);
    struct checkpoint head;
    size_t n = 0;
    for (size_t i = 0; i < s->n_logs; i++)
        if (strcmp(s->log[i].name, origin) == 0)
            s->found[n++] = s->log[i];
    if (!n || name_of(origin, name))
        return FL_NOT_FOUND;
    *out = (struct witness_log){.keys = s->found, .n_keys = n};
    /* what it cannot read it cannot go on from: a head that is damaged must not become "never signed" */
    enum fl_err err = get(s->dir, name, &b, NULL);
    if (err == FL_NOT_FOUND) {
        err = FL_OK;
    } else if (!err) {
        err = checkpoint_open(b.bytes, b.len, &s->vkey, 1, origin, &head, NULL);
        out->size = head.size;
        out->root = head.root;
    }
    fl_buf_fini(&b);
    return err;
}

static enum fl_err store(void *ctx, const struct checkpoint *head, const void *note, size_t n, struct fl_why *why)
{
    struct witness_store *s = ctx;
    char name[80];
    enum fl_err err = name_of(head->origin, name);
    return err ? err : put(s->dir, name, note, n, 0644, why);
}

enum fl_err witness_store_answer(struct witness_store *s, const void *request, size_t n, int64_t now_s, struct witness_reply *out,
                                 struct fl_why *why)
{
    const struct witness w = {.ctx = s, .key = s->key, .vkey = &s->vkey, .find = find, .store = store};
    (void)pthread_mutex_lock(&s->one);
    enum fl_err err = witness_answer(&w, request, n, now_s, out, why);
    (void)pthread_mutex_unlock(&s->one);
    return err;
}

enum fl_err witness_store_head(struct witness_store *s, const char *hex, struct fl_buf *out, struct fl_why *why)
{
    char name[80];
    if (strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64)
        return fl_fail(why, FL_NOT_FOUND, "no SHA-256");
    (void)snprintf(name, sizeof name, "%.64s.note", hex);
    (void)pthread_mutex_lock(&s->one);
    enum fl_err err = get(s->dir, name, out, why);
    (void)pthread_mutex_unlock(&s->one);
    return err;
}
