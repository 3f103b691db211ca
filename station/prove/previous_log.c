/* SPDX-License-Identifier: Apache-2.0 */
#include "prove/previous_log.h"

#include "audit/bundle.h"
#include "base/file.h"
#include "prove/check.h"
#include "store/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NOTE_FILE_MAX = 65536 };

/* The signed head of that size, as its note, and the key of it among those of the log. */
static enum fl_err read_note(const char *path, const struct audit_report *r, struct fl_buf *note, struct vkey *key, struct fl_why *why)
{
    struct db_reader reader;
    sqlite3_stmt *s = NULL;
    enum fl_err err = db_open_reader(path, true, &reader, why);
    if (err)
        return err;
    err = db_prepare(reader.db, "SELECT key, signature FROM checkpoint WHERE size = ?", &s, why);
    if (!err && (sqlite3_bind_int64(s, 1, (sqlite3_int64)r->trusted_size) != SQLITE_OK || sqlite3_step(s) != SQLITE_ROW ||
                 sqlite3_column_bytes(s, 1) != KEY_SIGNATURE))
        err = fl_fail(why, FL_MISMATCH, "its head of %llu records cannot be read", (unsigned long long)r->trusted_size);
    bool found = false;
    for (size_t i = 0; !err && i < r->n_keys && !found; i++) {
        *key = r->key[i].key;
        found = key->id == (uint32_t)sqlite3_column_int64(s, 0);
    }
    if (!err && !found)
        err = fl_fail(why, FL_MISMATCH, "no key of it signed its head of %llu records", (unsigned long long)r->trusted_size);
    if (!err) {
        checkpoint_note(note, key, key->name, r->trusted_size, &r->trusted_root, sqlite3_column_blob(s, 1));
        err = fl_buf_err(note, why);
    }
    (void)sqlite3_finalize(s);
    db_close_reader(&reader);
    return err;
}

static enum fl_err name(const struct folder *f, const struct audit_report *r, json_t **out, struct fl_why *why)
{
    struct fl_buf note = FL_BUF(PREVIOUS_NOTE_MAX), mark = FL_BUF(NOTE_FILE_MAX);
    struct vkey key;
    const struct audit_finding *worst = audit_worst(r);
    bool good = r->verdict == AUDIT_GOOD;
    enum fl_err err = r->has_trusted ? read_note(f->db, r, &note, &key, why)
                                     : fl_fail(why, FL_MISMATCH, "the log in %.200s has no head that can be trusted: %.150s", f->dir,
                                               worst ? worst->text : "it is empty");
    /* the newer head that a log cut off or put back is known by */
    if (!err && !good && fl_path_exists(f->checkpoint))
        err = fl_file_read(f->checkpoint, &mark, why);
    if (!err) {
        const char *elsewhere = mark.len && strcmp(fl_buf_text(&mark), fl_buf_text(&note)) != 0 ? fl_buf_text(&mark) : NULL;
        *out = previous_body(fl_buf_text(&note), &key, audit_class_name(r->verdict), good || !worst ? NULL : worst->text, elsewhere);
        err = *out ? FL_OK : fl_fail(why, FL_FORMAT, "the log in %.200s cannot be named", f->dir);
    }
    fl_buf_fini(&note);
    fl_buf_fini(&mark);
    return err;
}

enum fl_err previous_log_name(const char *dir, json_t **out, bool *closed, struct fl_why *why)
{
    struct folder f;
    struct check_result *result = malloc(sizeof *result);
    const struct check_config c = {.data = dir, .log_only = true};
    *out = NULL;
    *closed = false;
    if (!result)
        return fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err err = folder_paths(dir, &f, why);
    if (err) {
        free(result);
        return err;
    }
    err = check_folder(&c, result, why);
    if (!err)
        err = name(&f, &result->report, out, why);
    *closed = !err && result->report.retired;
    folder_fini(&f);
    free(result);
    return err;
}

/* ---- is it what was said? -------------------------------------------------------------------------------------- */

static enum fl_err check_with(const char *dir, const char *vkey, const char *head, struct check_result *r, struct fl_why *why)
{
    const char *const heads[] = {head};
    const struct trust_words words = {.keys = &vkey, .n_keys = 1};
    struct trust *trust = malloc(sizeof *trust);
    if (!trust)
        return fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err err = trust_read(&words, trust, why);
    const struct check_config folder = {.data = dir, .vkey = vkey, .heads = heads, .n_heads = 1, .log_only = true, .trust = trust};
    const struct bundle_config bundle = {.dir = dir, .trust = trust, .heads = heads, .n_heads = 1};
    if (!err) {
        err = bundle_there(dir) ? bundle_check(&bundle, r, why) : check_folder(&folder, r, why);
        trust_fini(trust);
    }
    free(trust);
    return err;
}

enum fl_err previous_log_check(const char *dir, const struct audit_previous *named, struct check_result *out, struct fl_why *why)
{
    char vkey[KEY_VKEY_MAX];
    const char *tmp = getenv("TMPDIR");
    struct summary_previous *p = &out->previous;
    struct check_result *r = malloc(sizeof *r);
    char *head = fl_path_join(tmp && *tmp ? tmp : "/tmp", "flashline-previous-XXXXXX");
    int fd = r && head ? mkstemp(head) : -1;
    enum fl_err err = !r || !head ? fl_fail(why, FL_NOMEM, "out of memory") : fd < 0 ? fl_fail_os(why, "cannot make %s", head) : FL_OK;
    vkey_format(&named->key, vkey);
    if (!err && write(fd, named->note, strlen(named->note)) != (ssize_t)strlen(named->note))
        err = fl_fail_os(why, "cannot write %s", head);
    if (!err)
        err = check_with(dir, vkey, head, r, why);
    if (!err) {
        const struct audit_finding *worst = audit_worst(&r->report);
        p->checked = true;
        p->verdict = r->report.verdict;
        p->size = r->report.has_head ? r->report.head.size : 0;
        (void)snprintf(p->text, sizeof p->text, "%s", worst ? worst->text : "");
    }
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(head);
    }
    free(head);
    free(r);
    return err;
}
