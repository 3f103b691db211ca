/* SPDX-License-Identifier: Apache-2.0 */
#include "prove/export_bundle.h"

#include "audit/anchor.h"
#include "audit/tiles.h"
#include "base/embedded.h"
#include "base/file.h"
#include "ledger/ledger.h"
#include "store/db.h"
#include "store/folder.h"
#include "store/settings.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADS_MAX = 1000 }; /* notes in checkpoints/: of more heads, as many evenly spread ones, and those of hand-overs */

struct exporting {
    struct folder folder;
    struct db_reader reader;
    const char *dir;
    struct vkey vkey;
    struct export_done *done;
};

/* ---- files ------------------------------------------------------------------------------------------------------ */

static enum fl_err put_file(const struct exporting *x, const char *name, const void *bytes, size_t n, struct fl_why *why)
{
    char *path = fl_path_join(x->dir, name), *folder = path ? fl_path_dir(path) : NULL;
    enum fl_err err = folder ? fl_dir_make(folder, why) : fl_fail(why, FL_NOMEM, "out of memory");
    FILE *f = err ? NULL : fopen(path, "we");
    if (!err && !f)
        err = fl_fail_os(why, "cannot write %.250s", path);
    bool ok = f && fwrite(n ? bytes : "", 1, n, f) == n;
    if (f && (fclose(f) != 0 || !ok))
        err = fl_fail_os(why, "cannot write %.250s", path);
    free(folder);
    free(path);
    return err;
}

static enum fl_err put_tile(void *ctx, const char *path, const uint8_t *bytes, size_t n, struct fl_why *why)
{
    struct exporting *x = ctx;
    x->done->tiles++;
    return put_file(x, path, bytes, n, why);
}

static enum fl_err empty_folder(const char *dir, struct fl_why *why)
{
    struct fl_names there = {NULL, 0, 0};
    enum fl_err err = fl_dir_make(dir, why);
    if (!err)
        err = fl_dir_names(dir, "", &there, why);
    if (!err && there.n > 0)
        err = fl_fail(why, FL_EXISTS, "%.250s is not empty: a bundle gets a folder of its own", dir);
    fl_names_free(&there);
    return err;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

/* Where it is made: it gets its name when all of it is on disk, so that half a bundle is never taken for one. */
static enum fl_err part_of(const char *dir, char **out, struct fl_why *why)
{
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    char *part = malloc(n + 6);
    if (!part)
        return fl_fail(why, FL_NOMEM, "out of memory");
    (void)snprintf(part, n + 6, "%.*s.part", (int)n, dir);
    *out = part;
    if (fl_path_exists(part) && nftw(part, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0) /* of one that was cut off */
        return fl_fail_os(why, "cannot remove %.250s", part);
    return fl_dir_make(part, why);
}

static enum fl_err name_it(const char *part, const char *dir, struct fl_why *why)
{
    sync(); /* thousands of small files: a sync of each would take minutes */
    if (rmdir(dir) != 0)
        return fl_fail_os(why, "cannot make room for the bundle at %.250s", dir);
    return fl_file_move(part, dir, why);
}

/* ---- records and tiles ------------------------------------------------------------------------------------------- */

static enum fl_err put_anchor(struct exporting *x, const struct audit_leaf *leaf, struct fl_why *why)
{
    char name[60];
    struct anchor a;
    enum fl_err err = anchor_read(leaf->rec, leaf->n, &a, why);
    if (!err) {
        (void)snprintf(name, sizeof name, "anchors/%llu.tsr", (unsigned long long)leaf->index);
        err = put_file(x, name, a.token.bytes, a.token.len, why);
    }
    if (!err) {
        (void)snprintf(name, sizeof name, "anchors/%llu.note", (unsigned long long)leaf->index);
        err = put_file(x, name, a.note.bytes, a.note.len, why);
    }
    x->done->anchors += !err;
    anchor_fini(&a);
    return err == FL_FORMAT ? FL_OK : err; /* what is wrong with it is the audit's to say */
}

static enum fl_err put_leaf(struct exporting *x, FILE *records, struct tiles *tiles, const struct audit_leaf *leaf, struct fl_why *why)
{
    struct tree_hash hash;
    memcpy(hash.b, leaf->hash, sizeof hash.b);
    if (fwrite(leaf->rec, 1, leaf->n, records) != leaf->n || putc('\n', records) == EOF)
        return fl_fail_os(why, "cannot write %.250s/records.ndjson", x->dir);
    enum fl_err err = tiles_add(tiles, &hash, leaf->rec, leaf->n, why);
    if (!err && leaf->event && strcmp(leaf->event, "anchor") == 0)
        err = put_anchor(x, leaf, why);
    x->done->records++;
    return err;
}

static enum fl_err put_records(struct exporting *x, struct audit_source *source, struct fl_why *why)
{
    const struct tiles_sink sink = {x, put_tile};
    struct tiles *tiles = NULL;
    struct audit_leaf leaf;
    char *path = fl_path_join(x->dir, "records.ndjson");
    FILE *records = path ? fopen(path, "we") : NULL;
    enum fl_err err = records ? tiles_new(&sink, &tiles, why) : fl_fail_os(why, "cannot write %.250s/records.ndjson", x->dir);
    while (!err && !(err = source->leaf(source->ctx, &leaf, why)))
        err = put_leaf(x, records, tiles, &leaf, why);
    if (err == FL_NOT_FOUND)
        err = tiles_end(tiles, why);
    if (records && fclose(records) != 0 && !err)
        err = fl_fail_os(why, "cannot write %.250s/records.ndjson", x->dir);
    tiles_free(tiles);
    free(path);
    return err;
}

/* ---- heads -------------------------------------------------------------------------------------------------------- */

static enum fl_err put_head(struct exporting *x, const char *name, const struct audit_head *h, struct fl_why *why)
{
    struct fl_buf note = FL_BUF(NOTE_BYTES_MAX);
    struct vkey signer = x->vkey;
    signer.id = h->key_id; /* an earlier key has the same name and another id */
    checkpoint_note(&note, &signer, x->vkey.name, h->size, &h->root, h->signature);
    if (h->handover_id) /* the key that it hands over to signed too */
        note_add_line(&note, x->vkey.name, h->handover_id, h->handover, KEY_SIGNATURE);
    enum fl_err err = fl_buf_err(&note, why);
    if (!err)
        err = put_file(x, name, note.bytes, note.len, why);
    fl_buf_fini(&note);
    return err;
}

static enum fl_err put_heads(struct exporting *x, struct audit_source *source, struct fl_why *why)
{
    char name[60];
    int64_t all = 0;
    struct audit_head h, last = {.size = 0};
    enum fl_err err = db_int(x->reader.db, "SELECT count(*) FROM checkpoint", 0, &all, why);
    int64_t each = (all + HEADS_MAX - 1) / HEADS_MAX;
    for (int64_t i = 0; !err && !(err = source->head(source->ctx, &h, why)); i++) {
        last = h;
        if (i % each != 0 && !h.handover_id) /* a hand-over is proven by its own head alone */
            continue;
        (void)snprintf(name, sizeof name, "checkpoints/%llu.note", (unsigned long long)h.size);
        err = put_head(x, name, &h, why);
        x->done->heads++;
    }
    if (err == FL_NOT_FOUND)
        err = last.size ? put_head(x, "checkpoint", &last, why) : fl_fail(why, FL_NOT_FOUND, "the log has no signed head yet");
    return err;
}

/* ---- the small files ----------------------------------------------------------------------------------------------- */

static enum fl_err put_copy(struct exporting *x, const char *from, const char *name, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(NOTE_BYTES_MAX);
    enum fl_err err = fl_file_read(from, &b, why);
    if (!err)
        err = put_file(x, name, b.bytes, b.len, why);
    fl_buf_fini(&b);
    return err;
}

static enum fl_err put_witnesses(struct exporting *x, struct fl_why *why)
{
    struct fl_names notes = {NULL, 0, 0};
    char name[300], *dir = fl_path_join(x->folder.dir, "cosigned");
    enum fl_err err = dir ? fl_dir_names(dir, ".note", &notes, why) : fl_fail(why, FL_NOMEM, "out of memory");
    for (size_t i = 0; i < notes.n && !err; i++) {
        char *from = fl_path_join(dir, notes.name[i]);
        (void)snprintf(name, sizeof name, "witness/%s", notes.name[i]);
        err = from ? put_copy(x, from, name, why) : fl_fail(why, FL_NOMEM, "out of memory");
        x->done->witnesses += !err;
        free(from);
    }
    fl_names_free(&notes);
    free(dir);
    return err;
}

/* The policy that the log itself tells. The folder's file where the log tells its hash alone, or, being of an older program,
 * nothing. */
static enum fl_err put_policy(struct exporting *x, const char *vkey, struct fl_why *why)
{
    char line[KEY_VKEY_MAX + 40];
    struct fl_buf text = FL_BUF(LEAF_BYTES_MAX);
    bool told;
    char *file = fl_path_join(x->folder.dir, "policy");
    int n = snprintf(line, sizeof line, "log %s\nquorum none\n", vkey);
    enum fl_err err = file ? settings_policy_told(x->reader.db, &text, &told, why) : fl_fail(why, FL_NOMEM, "out of memory");
    bool hash = !err && text.len && strncmp(fl_buf_text(&text), "SHA-256 ", 8) == 0;
    if (!err && text.len && !hash)
        err = put_file(x, "policy", text.bytes, text.len, why);
    else if (!err && (hash || !told) && fl_path_exists(file))
        err = put_copy(x, file, "policy", why);
    else if (!err)
        err = put_file(x, "policy", line, (size_t)n, why);
    fl_buf_fini(&text);
    free(file);
    return err;
}

static enum fl_err put_small(struct exporting *x, struct fl_why *why)
{
    char vkey[KEY_VKEY_MAX], line[KEY_VKEY_MAX + 1];
    vkey_format(&x->vkey, vkey);
    int n = snprintf(line, sizeof line, "%s\n", vkey);
    enum fl_err err = put_file(x, "key", line, (size_t)n, why);
    if (!err)
        err = put_policy(x, vkey, why);
    for (const struct fl_embedded *e = fl_embedded_bundle; e->name && !err; e++) {
        err = put_file(x, e->name, e->bytes, e->size, why);
        char *path = err || strcmp(e->name, "README") == 0 ? NULL : fl_path_join(x->dir, e->name);
        if (path && chmod(path, 0755) != 0)
            err = fl_fail_os(why, "cannot make %.250s executable", path);
        free(path);
    }
    return err;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------ */

static enum fl_err export_all(struct exporting *x, struct fl_why *why)
{
    struct ledger_reader reader;
    struct audit_source source;
    enum fl_err err = db_exec(x->reader.db, "BEGIN", why); /* one snapshot: heads and records belong together */
    if (!err)
        err = ledger_reader_open(x->reader.db, &reader, &source, why);
    if (err)
        return err;
    err = put_heads(x, &source, why);
    if (!err)
        err = put_records(x, &source, why);
    ledger_reader_close(&reader);
    if (!err)
        err = put_witnesses(x, why);
    return err ? err : put_small(x, why);
}

static enum fl_err bundle_alone(const char *data, const char *dir, struct export_done *out, struct fl_why *why)
{
    char station[FOLDER_STATION_MAX];
    struct exporting x = {.reader = {NULL, NULL, NULL}, .done = out};
    char *part = NULL;
    *out = (struct export_done){.records = 0};
    enum fl_err err = folder_paths(data, &x.folder, why);
    if (err)
        return err;
    err = fl_path_exists(x.folder.db) ? folder_identity(&x.folder, station, &x.vkey, why)
                                      : fl_fail(why, FL_NOT_FOUND, "there is no %.300s", x.folder.db);
    if (!err)
        err = empty_folder(dir, why);
    if (!err)
        err = part_of(dir, &part, why);
    x.dir = part;
    if (!err)
        err = db_open_reader(x.folder.db, false, &x.reader, why);
    if (!err)
        err = export_all(&x, why);
    db_close_reader(&x.reader);
    if (!err)
        err = name_it(part, dir, why);
    if (err && part)
        (void)nftw(part, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(part);
    folder_fini(&x.folder);
    return err;
}

/* Two at once to one name would remove what the other makes. */
enum fl_err export_bundle(const char *data, const char *dir, struct export_done *out, struct fl_why *why)
{
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    char *making = malloc(n + sizeof ".making");
    struct fl_lock lock = {-1};
    if (!making)
        return fl_fail(why, FL_NOMEM, "out of memory");
    (void)snprintf(making, n + sizeof ".making", "%.*s.making", (int)n, dir);
    enum fl_err err = fl_lock_claim(&lock, making, why);
    if (err == FL_BUSY)
        err = fl_fail(why, err, "another bundle is being made at %.250s", dir);
    else
        err = bundle_alone(data, dir, out, why);
    fl_lock_end(&lock, making);
    free(making);
    return err;
}
