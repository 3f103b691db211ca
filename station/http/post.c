/* SPDX-License-Identifier: Apache-2.0 */
#include "http/post.h"

#include "http/late.h"

#include <curl/curl.h>
#include <stdio.h>

enum { CONNECT_MS = 10000, ALL_MS = 30000 };

#define FUNCTIONS(X)                                                                                                     \
    X(slist_append) X(slist_free_all) X(easy_init) X(easy_setopt) X(easy_getinfo) X(easy_strerror) X(easy_cleanup)         \
    X(multi_init) X(multi_add_handle) X(multi_perform) X(multi_poll) X(multi_info_read) X(multi_strerror)                  \
    X(multi_remove_handle) X(multi_cleanup)

struct curl {
#define POINTER(f) __typeof__(curl_##f) *f;
    FUNCTIONS(POINTER)
#undef POINTER
};

_Static_assert(sizeof CURL_SONAME > sizeof "lib", "the build found no soname of libcurl");
LATE_NOTE("witnesses and timestamps", CURL_SONAME);

static enum fl_err load(struct curl *out, struct fl_why *why)
{
#define NAMED(f) {"curl_" #f, offsetof(struct curl, f)},
    static const struct late_function functions[] = {FUNCTIONS(NAMED){NULL, 0}};
#undef NAMED
    static const struct late_library library = {CURL_SONAME, "libcurl4", functions};
    return late_load(&library, out, why);
}

static size_t take(char *bytes, size_t size, size_t n, void *ctx)
{
    struct fl_buf *body = ctx;
    fl_buf_add(body, bytes, size * n);
    return body->err ? 0 : size * n; /* fewer than were there: libcurl gives up */
}

static CURLcode set_up(const struct curl *lib, CURL *c, const struct http_post *p, struct curl_slist *headers, struct fl_buf *body)
{
    CURLcode rc = lib->easy_setopt(c, CURLOPT_URL, p->url);
#define SET(option, value) rc = rc ? rc : lib->easy_setopt(c, option, value)
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    SET(CURLOPT_TIMEOUT_MS, (long)ALL_MS);
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDS, (const char *)p->bytes);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)p->n);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_WRITEFUNCTION, take);
    SET(CURLOPT_WRITEDATA, body);
#undef SET
    return rc;
}

/* The one transfer, driven so that a raised wake ends it. */
static enum fl_err drive(const struct curl *lib, CURLM *m, struct fl_wake *stop, CURLcode *result, struct fl_why *why)
{
    int running = 1, left;
    struct curl_waitfd extra = {.fd = stop ? stop->rd : -1, .events = CURL_WAIT_POLLIN};
    while (running) {
        CURLMcode rc = lib->multi_perform(m, &running);
        if (!rc && running)
            rc = lib->multi_poll(m, &extra, stop ? 1 : 0, 1000, NULL);
        if (rc)
            return fl_fail(why, FL_IO, "libcurl: %s", lib->multi_strerror(rc));
        if (stop && extra.revents)
            return fl_fail(why, FL_CANCELLED, "woken up to stop");
    }
    const CURLMsg *msg = lib->multi_info_read(m, &left);
    *result = msg ? msg->data.result : CURLE_RECV_ERROR;
    return FL_OK;
}

static enum fl_err judge(const struct curl *lib, CURL *c, const char *url, CURLcode rc, const struct fl_buf *body, long *status,
                         struct fl_why *why)
{
    enum fl_err err = body->err                                                        ? body->err
                      : rc == CURLE_OPERATION_TIMEDOUT                                 ? FL_TIMEOUT
                      : rc == CURLE_URL_MALFORMAT || rc == CURLE_UNSUPPORTED_PROTOCOL ? FL_ARG
                      : rc                                                             ? FL_GONE
                                                                                       : FL_OK;
    if (err)
        return fl_fail(why, err, "%.200s: %s", url, err == FL_LIMIT ? "the answer is too long" : lib->easy_strerror(rc));
    (void)lib->easy_getinfo(c, CURLINFO_RESPONSE_CODE, status);
    return FL_OK;
}

static enum fl_err post(const struct curl *lib, const struct http_post *p, long *status, struct fl_buf *body, struct fl_why *why)
{
    char type[200];
    CURLcode rc = CURLE_OK;
    (void)snprintf(type, sizeof type, "Content-Type: %s", p->type);
    struct curl_slist *headers = lib->slist_append(NULL, type);
    CURL *c = lib->easy_init();
    CURLM *m = lib->multi_init();
    enum fl_err err = c && m && headers ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err) {
        rc = set_up(lib, c, p, headers, body);
        if (!rc && lib->multi_add_handle(m, c) == CURLM_OK) {
            err = drive(lib, m, p->stop, &rc, why);
            (void)lib->multi_remove_handle(m, c);
        } else if (!rc) {
            rc = CURLE_OUT_OF_MEMORY;
        }
        if (!err)
            err = judge(lib, c, p->url, rc, body, status, why);
    }
    lib->easy_cleanup(c);
    lib->multi_cleanup(m);
    lib->slist_free_all(headers);
    return err;
}

enum fl_err http_post(const struct http_post *p, long *status, struct fl_buf *body, struct fl_why *why)
{
    struct curl lib;
    enum fl_err err = load(&lib, why);
    *status = 0;
    return err ? err : post(&lib, p, status, body, why);
}
