/* SPDX-License-Identifier: Apache-2.0
 *
 * err.h: how a call says that it failed.
 *
 * A function that can fail returns enum fl_err and must not have its result dropped (FL_MUST). The
 * code says what kind of failure it is, so that the caller can choose what to do; the sentence for
 * people is written once, at the place that knows most, into struct fl_why, and callers on the way
 * up put their context in front of it (fl_why_wrap). A fl_why is untouched on success.
 *
 * Three kinds, three treatments: the outside world (TIMEOUT, GONE, NOT_FOUND, ...) is handled; the
 * station's own ground (IO, FULL on the data folder) stops the recorder and with it the line;
 * ARG means that the program called itself wrongly and is a bug.
 *
 * The domain's reasons why a unit failed (ram.checksum, verify.md5, ...) are not here: see
 * event/fault.h.
 *
 * Thread rule: no shared state; any thread.
 */
#ifndef FL_BASE_ERR_H
#define FL_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

#define FL_MUST __attribute__((warn_unused_result))
#define FL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/*  code         text */
#define FL_ERR_LIST(X)                                                                             \
    X(OK, "success")                                                                               \
    X(ARG, "called with wrong arguments")                                                          \
    X(NOMEM, "out of memory")                                                                      \
    X(IO, "the operating system refused")                                                          \
    X(FULL, "no space left")                                                                       \
    X(ACCESS, "no permission")                                                                     \
    X(NOT_FOUND, "not found")                                                                      \
    X(EXISTS, "exists already")                                                                    \
    X(BUSY, "in use by somebody else")                                                             \
    X(TIMEOUT, "no answer in time")                                                                \
    X(CANCELLED, "woken up to stop")                                                               \
    X(GONE, "the other side went away")                                                            \
    X(FORMAT, "malformed")                                                                         \
    X(LIMIT, "larger than allowed")                                                                \
    X(UNSUPPORTED, "not supported here")                                                           \
    X(REFUSED, "refused by the other side")                                                        \
    X(MISMATCH, "differs from what was expected")                                                  \
    X(STATE, "not possible now")

enum fl_err {
#define X(code, text) FL_##code,
    FL_ERR_LIST(X)
#undef X
};

enum { FL_WHY_MAX = 400 };

struct fl_why {
    int os;                /* errno at the failure, 0 when the OS was not involved */
    char text[FL_WHY_MAX]; /* one sentence, no newline, UTF-8, zero terminated: what was none of that is '?' */
};

/* "success", "no answer in time", ... never NULL. */
const char *fl_err_text(enum fl_err err);

/* Write the sentence and return `err`, so that `return fl_fail(why, FL_LIMIT, "...")` reads well.
 * `why` may be NULL. fl_fail_os appends the text of the current errno and maps the common ones
 * (ENOENT, EACCES, ENOSPC, EBUSY, ...) to their code; everything else is FL_IO. */
enum fl_err fl_fail(struct fl_why *why, enum fl_err err, const char *fmt, ...) FL_PRINTF(3, 4);
enum fl_err fl_fail_os(struct fl_why *why, const char *fmt, ...) FL_PRINTF(2, 3);

/* Put context in front: "slot 3: write 0x10000: " + old text. Returns `err`. */
enum fl_err fl_why_wrap(struct fl_why *why, enum fl_err err, const char *fmt, ...) FL_PRINTF(3, 4);

#endif
