/* SPDX-License-Identifier: Apache-2.0 */
#include "store/folder.h"

#include "store/db.h"

#include "base/file.h"
#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char readme[] =
    "This is the data folder of one flashline station: one key, one log, one database.\n"
    "\n"
    "flashline.db    the records: signed log, tree, checkpoints, tables (SQLite; -wal and -shm belong to it)\n"
    "checkpoint      newest signed head of the log, as text, at most a second old: shows a database put back\n"
    "station         name of the station\n"
    "key/log.vkey    verifier key of the log: public; give it to whoever must trust the records\n"
    "key/log.key     signing key of the log: secret, mode 0600; without it the station cannot go on\n"
    "key/next.key    the key after it, if it is kept here: secret; flashline key rotate uses it\n"
    "key/memory.*    what the signer signed last: never put an older copy back\n"
    "key/signer      where the signer answers, when another user runs it\n"
    "lock            held by the one flashline that works here\n"
    "door            socket where other verbs reach it, while it works\n"
    "web-users       who may look from another machine, if anybody may: scrypt hashes (flashline web user)\n"
    "policy          witnesses of this log (C2SP tlog-policy), if there are any: whoever works here asks them\n"
    "cosigned/       heads of the log that witnesses signed, one file each\n"
    "incident-*.txt  evidence of a log that did not verify, if that ever happened\n"
    "*.??????        what a crash left of a file while it was written: may be removed (beside a key it holds the key)\n"
    "\n"
    "flashline audit --data FOLDER   verifies all of it, also on a copy\n"
    "To back up: sqlite3 flashline.db \".backup COPY\", and the small files. To move: stop, copy all, start.\n";

enum fl_err folder_paths(const char *dir, struct folder *out, struct fl_why *why)
{
    *out = (struct folder){.dir = strdup(dir)};
    const struct {
        char **to;
        const char *name;
    } row[] = {{&out->db, "flashline.db"}, {&out->checkpoint, "checkpoint"}, {&out->station, "station"},
               {&out->vkey, "key/log.vkey"}, {&out->key, "key/log.key"},     {&out->next, "key/next.key"},
               {&out->next_vkey, "key/next.vkey"}, {&out->after, "key/after.key"}, {&out->after_vkey, "key/after.vkey"},
               {&out->memory, "key/memory"}, {&out->signer, "key/signer"},   {&out->lock, "lock"},
               {&out->readme, "README"},     {&out->keys, "key"}};
    bool bad = !out->dir;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        *row[i].to = fl_path_join(dir, row[i].name);
        bad |= !*row[i].to;
    }
    if (!bad)
        return FL_OK;
    folder_fini(out);
    return fl_fail(why, FL_NOMEM, "out of memory");
}

void folder_fini(struct folder *f)
{
    free(f->dir);
    free(f->db);
    free(f->checkpoint);
    free(f->station);
    free(f->vkey);
    free(f->key);
    free(f->next);
    free(f->next_vkey);
    free(f->after);
    free(f->after_vkey);
    free(f->memory);
    free(f->signer);
    free(f->lock);
    free(f->readme);
    free(f->keys);
    *f = (struct folder){.dir = NULL};
}

enum fl_err folder_open_reader(const char *data, bool newest, struct db_reader *out, struct fl_why *why)
{
    struct folder f;
    *out = (struct db_reader){NULL, NULL, NULL};
    enum fl_err err = folder_paths(data, &f, why);
    if (err)
        return err;
    err = db_open_reader(f.db, false, out, why);
    if (!err && newest)
        err = db_check_version(out->db, why);
    if (err)
        db_close_reader(out);
    folder_fini(&f);
    return err;
}

bool folder_there(const struct folder *f)
{
    return fl_path_exists(f->vkey) || fl_path_exists(f->db);
}

/* 1 to 63 of A-Z a-z 0-9 . _ - */
static bool station_ok(const char *name)
{
    size_t n = strlen(name);
    return n > 0 && n < FOLDER_STATION_MAX &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

/* ---- making ------------------------------------------------------------------------------------- */

/* The host's name with everything else made '-'. */
static void name_from_host(char out[static FOLDER_STATION_MAX])
{
    if (gethostname(out, FOLDER_STATION_MAX) != 0 || !out[0])
        (void)snprintf(out, FOLDER_STATION_MAX, "station");
    out[FOLDER_STATION_MAX - 1] = 0;
    for (char *p = out; *p; p++) {
        char one[2] = {*p, 0};
        if (!station_ok(one))
            *p = '-';
    }
}

static enum fl_err name_log(const char *given, const char *station, const uint8_t public[static KEY_PUBLIC],
                            struct vkey *out, struct fl_why *why)
{
    char origin[KEY_NAME_MAX], hex[9];
    uint8_t digest[FL_SHA256_SIZE];
    if (given)
        return vkey_make(given, KEY_NOTE, public, out, why);
    /* two stations that were both left at the name "debian" must still be two logs */
    if (fl_sha256(public, KEY_PUBLIC, digest))
        return fl_fail(why, FL_NOMEM, "out of memory");
    fl_hex(digest, 4, hex);
    (void)snprintf(origin, sizeof origin, "flashline/%s/%s", station, hex);
    return vkey_make(origin, KEY_NOTE, public, out, why);
}

static enum fl_err write_key(const char *path, const struct key *key, const char *passphrase, struct fl_why *why)
{
    struct fl_buf pem = FL_BUF(16384);
    enum fl_err err = key_to_pem(key, passphrase, &pem, why);
    if (!err)
        err = fl_file_replace(path, pem.bytes, pem.len, 0600, why);
    key_wipe(&pem);
    return err;
}

static enum fl_err write_line(const char *path, const char *text, struct fl_why *why)
{
    char line[KEY_VKEY_MAX + 2];
    int n = snprintf(line, sizeof line, "%s\n", text);
    return fl_file_replace(path, line, (size_t)n, 0644, why);
}

/* A new key of the log `origin`, its private half at `path`. */
static enum fl_err make_key(const char *path, const char *passphrase, uint8_t public[static KEY_PUBLIC], struct fl_why *why)
{
    struct key *key;
    enum fl_err err = key_new(&key, why);
    if (err)
        return err;
    key_public(key, public);
    err = write_key(path, key, passphrase, why);
    key_free(key);
    return err;
}

/* What the log promises from its first record on. */
static enum fl_err write_next(const struct folder *f, const char *origin, const uint8_t public[static KEY_PUBLIC], struct fl_why *why)
{
    struct vkey next;
    char text[KEY_VKEY_MAX];
    enum fl_err err = vkey_make(origin, KEY_NOTE, public, &next, why);
    if (err)
        return err;
    vkey_format(&next, text);
    return write_line(f->next_vkey, text, why);
}

/* The first key and the one after it, so that the log can promise that from its first record on. */
static enum fl_err make_keys(const struct folder *f, const struct folder_new *n, const char *station, struct vkey *vkey,
                             struct fl_why *why)
{
    uint8_t public[KEY_PUBLIC];
    enum fl_err err = make_key(f->key, n->passphrase, public, why);
    if (!err)
        err = name_log(n->origin, station, public, vkey, why);
    if (!err)
        err = make_key(f->next, n->passphrase, public, why);
    return err ? err : write_next(f, vkey->name, public, why);
}

/* The key is somebody else's: copied in, or behind a socket. */
static enum fl_err place_key(const struct folder *f, const struct folder_new *n, const char *station, struct vkey *vkey,
                             struct fl_why *why)
{
    struct fl_buf b = FL_BUF(65536);
    enum fl_err err = n->socket ? write_line(f->signer, n->socket, why) : fl_file_read(n->key, &b, why);
    if (!err && !n->socket)
        err = fl_file_replace(f->key, b.bytes, b.len, 0600, why);
    key_wipe(&b);
    if (!err)
        err = name_log(n->origin, station, n->public, vkey, why);
    return err || !n->then ? err : write_next(f, vkey->name, n->then, why);
}

enum fl_err folder_create(const struct folder *f, const struct folder_new *n, struct fl_why *why)
{
    char station[FOLDER_STATION_MAX], text[KEY_VKEY_MAX];
    struct vkey vkey;
    enum fl_err err;
    name_from_host(station);
    if (n->station && !station_ok(n->station))
        return fl_fail(why, FL_ARG, "'%.100s' cannot name a station: 1 to %d of A-Z a-z 0-9 . _ -", n->station,
                       FOLDER_STATION_MAX - 1);
    if (n->station)
        (void)snprintf(station, sizeof station, "%s", n->station);
    if (fl_path_exists(f->vkey))
        return fl_fail(why, FL_EXISTS, "there is a station in %.300s already", f->dir);
    if (fl_path_exists(f->db))
        return fl_fail(why, FL_MISMATCH, "%.300s holds records but no key/log.vkey: put the key folder back", f->dir);
    err = fl_dir_make(f->dir, why);
    if (!err)
        err = fl_dir_make(f->keys, why);
    if (!err && chmod(f->keys, 0700) != 0)
        err = fl_fail_os(why, "cannot close the folder %s to others", f->keys);
    if (!err)
        err = fl_file_replace(f->readme, readme, sizeof readme - 1, 0644, why);
    if (!err)
        err = write_line(f->station, station, why);
    if (!err)
        err = n->public ? place_key(f, n, station, &vkey, why) : make_keys(f, n, station, &vkey, why);
    /* the verifier key comes last: where it is, all the rest is */
    if (!err) {
        vkey_format(&vkey, text);
        err = write_line(f->vkey, text, why);
    }
    return err;
}

/* ---- reading ------------------------------------------------------------------------------------ */

static enum fl_err read_line(const char *path, char *out, size_t cap, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(4096);
    enum fl_err err = fl_file_read(path, &b, why);
    if (!err) {
        size_t n = b.len && b.bytes[b.len - 1] == '\n' ? b.len - 1 : b.len;
        if (n == 0 || n >= cap || memchr(b.bytes, 0, n) || memchr(b.bytes, '\n', n)) {
            err = fl_fail(why, FL_FORMAT, "%.300s does not hold one line", path);
        } else {
            memcpy(out, b.bytes, n);
            out[n] = 0;
        }
    }
    fl_buf_fini(&b);
    return err;
}

enum fl_err folder_identity(const struct folder *f, char station[static FOLDER_STATION_MAX],
                            struct vkey *vkey, struct fl_why *why)
{
    char text[KEY_VKEY_MAX];
    enum fl_err err = read_line(f->station, station, FOLDER_STATION_MAX, why);
    if (!err && !station_ok(station))
        err = fl_fail(why, FL_FORMAT, "%.300s does not hold the name of a station", f->station);
    if (!err)
        err = read_line(f->vkey, text, sizeof text, why);
    if (!err)
        err = vkey_parse(text, vkey, why);
    if (!err && vkey->type != KEY_NOTE)
        err = fl_fail(why, FL_FORMAT, "the key is not one for signing notes");
    return err;
}

enum fl_err folder_key(const struct folder *f, const char *passphrase, const struct vkey *vkey,
                       struct key **out, struct fl_why *why)
{
    struct fl_buf pem = FL_BUF(65536);
    struct stat st;
    uint8_t public[KEY_PUBLIC];
    *out = NULL;
    if (stat(f->key, &st) != 0)
        return fl_fail_os(why, "cannot read the signing key %s", f->key);
    if (st.st_mode & 077)
        return fl_fail(why, FL_ACCESS, "others may read the signing key %.200s (mode %03o): chmod 600 it", f->key,
                       (unsigned)st.st_mode & 0777u);
    enum fl_err err = fl_file_read(f->key, &pem, why);
    if (!err) {
        err = key_from_pem(pem.bytes, pem.len, passphrase, out, why);
        if (err)
            err = fl_why_wrap(why, err, "%.200s: ", f->key);
    }
    key_wipe(&pem);
    if (err)
        return err;
    key_public(*out, public);
    if (memcmp(public, vkey->key, sizeof public) == 0)
        return FL_OK;
    key_free(*out);
    *out = NULL;
    return fl_fail(why, FL_MISMATCH, "%.150s is not the key that belongs to %.150s", f->key, f->vkey);
}

bool folder_key_encrypted(const struct folder *f)
{
    struct fl_buf pem = FL_BUF(65536);
    bool yes = fl_file_read(f->key, &pem, NULL) == FL_OK && key_pem_encrypted(pem.bytes, pem.len);
    key_wipe(&pem);
    return yes;
}
