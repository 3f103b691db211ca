/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const texts[] = {
#define X(code, text) text,
    FL_ERR_LIST(X)
#undef X
};

const char *fl_err_text(enum fl_err err)
{
    size_t i = (size_t)err;
    return i < sizeof texts / sizeof *texts ? texts[i] : "unknown error";
}

/* What is quoted may be anything, and a letter of several bytes may be cut at the end or by a precision: what reads the sentence (a
 * terminal, a JSON) must not stumble over it. */
static void tidy(struct fl_why *why)
{
    fl_utf8_clean(why->text, false);
}

enum fl_err fl_fail(struct fl_why *why, enum fl_err err, const char *fmt, ...)
{
    if (why) {
        va_list ap;
        va_start(ap, fmt);
        why->os = 0;
        (void)vsnprintf(why->text, sizeof why->text, fmt, ap);
        va_end(ap);
        tidy(why);
    }
    return err;
}

static enum fl_err from_errno(int e)
{
    static const struct {
        int os;
        enum fl_err err;
    } map[] = {
        {ENOENT, FL_NOT_FOUND}, {ENODEV, FL_NOT_FOUND}, {ENXIO, FL_NOT_FOUND},
        {EACCES, FL_ACCESS},    {EPERM, FL_ACCESS},     {EROFS, FL_ACCESS},
        {ENOSPC, FL_FULL},      {EDQUOT, FL_FULL},      {EBUSY, FL_BUSY},
        {EWOULDBLOCK, FL_BUSY}, {EEXIST, FL_EXISTS},    {ENOMEM, FL_NOMEM},
        {ETIMEDOUT, FL_TIMEOUT}, {ECONNREFUSED, FL_REFUSED}, {ECONNRESET, FL_GONE},
        {EPIPE, FL_GONE},
    };
    for (size_t i = 0; i < sizeof map / sizeof *map; i++)
        if (map[i].os == e)
            return map[i].err;
    return FL_IO;
}

enum fl_err fl_fail_os(struct fl_why *why, const char *fmt, ...)
{
    int e = errno;
    if (why) {
        va_list ap;
        va_start(ap, fmt);
        why->os = e;
        int n = vsnprintf(why->text, sizeof why->text, fmt, ap);
        va_end(ap);
        if (n >= 0 && (size_t)n < sizeof why->text)
            (void)snprintf(why->text + n, sizeof why->text - (size_t)n, ": %s", strerror(e));
        tidy(why);
    }
    errno = e;
    return from_errno(e);
}

enum fl_err fl_why_wrap(struct fl_why *why, enum fl_err err, const char *fmt, ...)
{
    if (why) {
        char old[FL_WHY_MAX];
        memcpy(old, why->text, sizeof old);
        va_list ap;
        va_start(ap, fmt);
        int n = vsnprintf(why->text, sizeof why->text, fmt, ap);
        va_end(ap);
        if (n >= 0 && (size_t)n < sizeof why->text)
            (void)snprintf(why->text + n, sizeof why->text - (size_t)n, "%s", old);
        tidy(why);
    }
    return err;
}
