/* SPDX-License-Identifier: Apache-2.0
 *
 * Are the files still what was loaded? Asked before every unit of a lot, so it must cost next to nothing: a file whose
 * inode, size and both times are those of the moment when its bytes were found right has not been written since, and is
 * not read again. Times have a grain (a kernel's tick; two seconds on old file systems), so a file that was changed
 * less than GRAIN_S before it was read is not remembered. */
#include "profile/loaded.h"

#include <string.h>
#include <sys/stat.h>

enum { GRAIN_S = 3 };

static bool look(const char *path, struct file_seen *out)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    *out = (struct file_seen){
        .known = true, .device = (uint64_t)st.st_dev, .inode = (uint64_t)st.st_ino, .size = (uint64_t)st.st_size,
        .modified_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
        .changed_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec};
    return true;
}

static bool same(const struct file_seen *a, const struct file_seen *b)
{
    return a->known && b->known && a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

static bool settled(const struct file_seen *s)
{
    int64_t age_ms = fl_wall_ms() - s->changed_ns / 1000000;
    return age_ms > GRAIN_S * 1000; /* a clock that was set back: never, and it is read each time */
}

/* `sha` NULL: the bytes must be `text`. */
static enum fl_err read_again(const char *path, const uint8_t *sha, const struct fl_buf *text, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(IMAGE_MAX);
    uint8_t is[FL_SHA256_SIZE];
    enum fl_err err = images_read(path, &b, why);
    if (!err && sha && fl_sha256(b.bytes, b.len, is))
        err = fl_fail(why, FL_NOMEM, "out of memory");
    if (!err && sha && memcmp(sha, is, sizeof is) != 0)
        err = fl_fail(why, FL_MISMATCH, "%s is not the file any more that the profile was loaded with", path);
    if (!err && !sha && (b.len != text->len || memcmp(b.bytes, text->bytes, b.len) != 0))
        err = fl_fail(why, FL_MISMATCH, "%s is not the profile any more that was loaded", path);
    fl_buf_fini(&b);
    return err;
}

static enum fl_err check(struct profile_private *p, const char *path, const uint8_t *sha, struct file_seen *seen,
                         struct fl_why *why)
{
    struct file_seen now = {.known = false};
    bool there = look(path, &now);
    (void)pthread_mutex_lock(&p->lock);
    bool known = there && same(seen, &now);
    (void)pthread_mutex_unlock(&p->lock);
    if (known)
        return FL_OK;
    enum fl_err err = read_again(path, sha, &p->text, why);
    now.known = !err && there && settled(&now); /* looked at before it was read: what is written between is seen next time */
    (void)pthread_mutex_lock(&p->lock);
    *seen = now;
    (void)pthread_mutex_unlock(&p->lock);
    return err;
}

enum fl_err profile_recheck(const struct profile *pub, struct fl_why *why)
{
    struct profile_private *p = pub->priv;
    enum fl_err err = check(p, pub->path, NULL, &p->seen, why);
    for (size_t i = 0; i < p->n && !err; i++)
        err = check(p, p->loaded[i].path, p->loaded[i].facts->sha256, &p->loaded[i].seen, why);
    return err;
}
