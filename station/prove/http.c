/* SPDX-License-Identifier: Apache-2.0 */
#include "prove/http.h"

#include <curl/curl.h>
#include <stdio.h>

enum { CONNECT_MS = 10000, ALL_MS = 30000 };

static size_t take(char *bytes, size_t size, size_t n, void *ctx)
{
    struct fl_buf *body = ctx;
    fl_buf_add(body, bytes, size * n);
    return body->err ? 0 : size * n; /* fewer than were there: libcurl gives up */
}

static CURLcode set_up(CURL *c, const struct http_post *p, struct curl_slist *headers, struct fl_buf *body)
{
    CURLcode rc = curl_easy_setopt(c, CURLOPT_URL, p->url);
#define SET(option, value) rc = rc ? rc : curl_easy_setopt(c, option, value)
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
static enum fl_err drive(CURLM *m, struct fl_wake *stop, CURLcode *result, struct fl_why *why)
{
    int running = 1, left;
    struct curl_waitfd extra = {.fd = stop ? stop->rd : -1, .events = CURL_WAIT_POLLIN};
    while (running) {
        CURLMcode rc = curl_multi_perform(m, &running);
        if (!rc && running)
            rc = curl_multi_poll(m, &extra, stop ? 1 : 0, 1000, NULL);
        if (rc)
            return fl_fail(why, FL_IO, "libcurl: %s", curl_multi_strerror(rc));
        if (stop && extra.revents)
            return fl_fail(why, FL_CANCELLED, "woken up to stop");
    }
    const CURLMsg *msg = curl_multi_info_read(m, &left);
    *result = msg ? msg->data.result : CURLE_RECV_ERROR;
    return FL_OK;
}

static enum fl_err judge(CURL *c, const char *url, CURLcode rc, const struct fl_buf *body, long *status, struct fl_why *why)
{
    enum fl_err err = body->err                                                        ? FL_LIMIT
                      : rc == CURLE_OPERATION_TIMEDOUT                                 ? FL_TIMEOUT
                      : rc == CURLE_URL_MALFORMAT || rc == CURLE_UNSUPPORTED_PROTOCOL ? FL_ARG
                      : rc                                                             ? FL_GONE
                                                                                       : FL_OK;
    if (err)
        return fl_fail(why, err, "%.200s: %s", url, err == FL_LIMIT ? "the answer is too long" : curl_easy_strerror(rc));
    (void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, status);
    return FL_OK;
}

enum fl_err http_post(const struct http_post *p, long *status, struct fl_buf *body, struct fl_why *why)
{
    char type[200];
    CURLcode rc = CURLE_OK;
    (void)snprintf(type, sizeof type, "Content-Type: %s", p->type);
    struct curl_slist *headers = curl_slist_append(NULL, type);
    CURL *c = curl_easy_init();
    CURLM *m = curl_multi_init();
    enum fl_err err = c && m && headers ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    *status = 0;
    if (!err) {
        rc = set_up(c, p, headers, body);
        if (!rc && curl_multi_add_handle(m, c) == CURLM_OK) {
            err = drive(m, p->stop, &rc, why);
            (void)curl_multi_remove_handle(m, c);
        } else if (!rc) {
            rc = CURLE_OUT_OF_MEMORY;
        }
        if (!err)
            err = judge(c, p->url, rc, body, status, why);
    }
    curl_easy_cleanup(c);
    curl_multi_cleanup(m);
    curl_slist_free_all(headers);
    return err;
}
