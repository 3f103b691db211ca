/* SPDX-License-Identifier: Apache-2.0
 * One key after another: what lies in the folder while a key is handed over.
 *
 *                          log.key  next.key  after.key   next.vkey  after.vkey
 *   before                 K1       K2        -           K2         -
 *   made ready             K1       K2        K3          K2         K3
 *   the log says so        the same; K2 signs from the commit on, wherever it lies
 *   settled                K2       K3        -           K3         -
 *
 * Any private half may lie elsewhere (in a token, with a signer of another user, on a stick): its file is missing here, and
 * its step is left out. Each step of settling is one rename, durable before the next, in an order in which any part of it can be done again:
 * after.key is there without after.vkey only between the last two. */
#include "store/folder.h"

#include "base/file.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum fl_err folder_promise(const uint8_t public[static KEY_PUBLIC], char out[static 65], struct fl_why *why)
{
    uint8_t digest[FL_SHA256_SIZE];
    if (fl_sha256(public, KEY_PUBLIC, digest))
        return fl_fail(why, FL_NOMEM, "out of memory");
    fl_hex(digest, sizeof digest, out);
    return FL_OK;
}

static enum fl_err read_vkey(const char *path, struct vkey *out, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(4096);
    if (!fl_path_exists(path))
        return fl_fail(why, FL_NOT_FOUND, "there is no %.300s", path);
    enum fl_err err = fl_file_read(path, &b, why);
    if (!err && b.len && b.bytes[b.len - 1] == '\n')
        b.bytes[--b.len] = 0;
    if (!err)
        err = vkey_parse(fl_buf_text(&b), out, why);
    fl_buf_fini(&b);
    return err;
}

enum fl_err folder_next(const struct folder *f, struct vkey *out, struct fl_why *why)
{
    return read_vkey(f->next_vkey, out, why);
}

enum fl_err folder_promise_after(const struct folder *f, const struct vkey *after, struct fl_why *why)
{
    char line[KEY_VKEY_MAX + 1];
    /* of a hand-over that came to nothing: it must not be taken for this one's */
    if (unlink(f->after) != 0 && errno != ENOENT)
        return fl_fail_os(why, "cannot remove %s", f->after);
    vkey_format(after, line);
    (void)strcat(line, "\n");
    return fl_file_replace(f->after_vkey, line, strlen(line), 0644, why);
}

enum fl_err folder_make_after(const struct folder *f, const char *origin, const char *passphrase, struct vkey *out,
                              struct fl_why *why)
{
    struct key *key;
    struct fl_buf pem = FL_BUF(16384);
    uint8_t public[KEY_PUBLIC];
    enum fl_err err = key_new(&key, why);
    if (err)
        return err;
    key_public(key, public);
    err = vkey_make(origin, KEY_NOTE, public, out, why);
    if (!err)
        err = key_to_pem(key, passphrase, &pem, why);
    if (!err)
        err = folder_promise_after(f, out, why);
    if (!err)
        err = fl_file_replace(f->after, pem.bytes, pem.len, 0600, why);
    key_wipe(&pem);
    key_free(key);
    return err;
}

static enum fl_err move(const char *from, const char *to, struct fl_why *why)
{
    return fl_path_exists(from) ? fl_file_move(from, to, why) : FL_OK;
}

enum fl_err folder_settle(const struct folder *f, const struct vkey *now, struct fl_why *why)
{
    struct vkey next;
    enum fl_err err = folder_next(f, &next, why);
    if (err == FL_NOT_FOUND)
        return FL_OK;
    if (!err && next.id == now->id && memcmp(next.key, now->key, KEY_PUBLIC) == 0) {
        err = move(f->next, f->key, why);
        if (!err)
            err = move(f->after_vkey, f->next_vkey, why);
    }
    return err || fl_path_exists(f->after_vkey) ? err : move(f->after, f->next, why);
}

/* Zeroes over a file, then it is gone. A disk that moves blocks may still hold what was there: that is what the passphrase is
 * for. */
static enum fl_err wipe(const char *path, struct fl_why *why)
{
    static const char zeroes[4096];
    struct stat st;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return fl_path_exists(path) ? fl_fail_os(why, "cannot wipe %s", path) : FL_OK;
    bool ok = fstat(fd, &st) == 0;
    for (off_t done = 0; ok && done < st.st_size; done += (off_t)sizeof zeroes)
        ok = write(fd, zeroes, sizeof zeroes) == (ssize_t)sizeof zeroes;
    ok = ok && fsync(fd) == 0;
    (void)close(fd);
    return ok && unlink(path) == 0 ? FL_OK : fl_fail_os(why, "cannot remove %s", path);
}

enum fl_err folder_forget_keys(const struct folder *f, struct fl_why *why)
{
    const char *const all[] = {f->key, f->next, f->after};
    enum fl_err err = FL_OK;
    for (size_t i = 0; i < sizeof all / sizeof *all && !err; i++)
        err = wipe(all[i], why);
    return err;
}
