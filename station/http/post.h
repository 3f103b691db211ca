/* SPDX-License-Identifier: Apache-2.0
 *
 * post.h: one POST to a witness or a timestamp authority, over libcurl, which the first one loads (http/late.h).
 *
 * Ends by its deadline (10 s to connect, 30 s in all), or when `stop` (may be NULL) is raised. HTTPS by the system's own list of
 * authorities. No redirect is followed. Thread rule: one call, one thread at a time.
 */
#ifndef FL_HTTP_POST_H
#define FL_HTTP_POST_H

#include "base/buf.h"
#include "base/wake.h"

struct http_post {
    const char *url, *type; /* Content-Type of what is sent; only http and https */
    const void *bytes;
    size_t n;
    struct fl_wake *stop;
};

/* FL_OK: an answer came, *status is its number, `body` (its max bounds it) its bytes. FL_TIMEOUT, FL_CANCELLED, FL_GONE,
 * FL_ARG (the URL), FL_LIMIT; FL_NOT_FOUND, FL_UNSUPPORTED: libcurl is not there, or too old. */
FL_MUST enum fl_err http_post(const struct http_post *p, long *status, struct fl_buf *body, struct fl_why *why);

#endif
