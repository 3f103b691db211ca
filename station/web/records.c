/* SPDX-License-Identifier: Apache-2.0
 * What is answered from the records, read-only, on a work thread. Each request opens the database for itself: one
 * snapshot, closed when the reply is written. */
#include "web/pages.h"

#include "report/live.h"
#include "web/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOURS_MAX = 24 * 366, STEPS = 48, STEPS_MAX = 500, UNITS_MAX = 50 };

static void refuse(struct web_request *q, enum fl_err err, const struct fl_why *why)
{
    switch (err) {
    case FL_ARG:
        reply_error(&q->reply, 400, "argument", why->text);
        break;
    case FL_NOT_FOUND:
        reply_error(&q->reply, 404, "unknown", why->text);
        break;
    default: /* where the folder lies is nobody's business out there */
        if (q->web->log)
            q->web->log(q->web->ctx, why->text);
        reply_error(&q->reply, 500, "records", "the records could not be read; the station's own log says why");
    }
}

static bool open_report(struct web_request *q, struct report **r)
{
    struct fl_why why = {0, ""};
    *r = NULL;
    enum fl_err err = q->web->data ? report_open(q->web->data, r, &why) : FL_NOT_FOUND;
    if (err == FL_NOT_FOUND)
        reply_error(&q->reply, 404, "no_records", "there are no records here yet");
    else if (err)
        refuse(q, err, &why);
    return err == FL_OK;
}

/* A whole number of the query; `otherwise` when missing; -1 when it is none or beyond max. */
static int64_t number_arg(const struct web_request *q, const char *name, int64_t otherwise, int64_t max)
{
    const char *s = request_arg(q, name);
    char *end;
    if (!*s)
        return otherwise;
    errno = 0;
    long long v = strtoll(s, &end, 10);
    return *s < '0' || *s > '9' || *end || errno || v > max ? -1 : (int64_t)v;
}

static void end(struct web_request *q, struct report *r, enum fl_err err, json_t *o, const struct fl_why *why)
{
    report_close(r);
    if (err)
        refuse(q, err, why);
    else
        reply_json(&q->reply, 200, o);
}

void api_course(struct web_request *q)
{
    struct report *r;
    struct fl_why why = {0, ""};
    json_t *o = NULL;
    int64_t hours = number_arg(q, "hours", 8, HOURS_MAX), steps = number_arg(q, "steps", STEPS, STEPS_MAX);
    int64_t now = fl_wall_ms() + 1;
    if (hours < 0 || steps < 1) {
        reply_error(&q->reply, 400, "argument", "hours is 0 to 8784, steps 1 to 500");
        return;
    }
    if (!open_report(q, &r))
        return;
    int64_t from = hours ? now - hours * 3600000 : 0, first = 0;
    enum fl_err err = report_first_since(r, from, &first, &why);
    if (!err) /* what lies empty before the first attempt would only make the rest narrow */
        err = report_course(r, first && first < now ? first : from, now, (unsigned)steps, &o, &why);
    end(q, r, err, o, &why);
}

void api_summary(struct web_request *q)
{
    struct report *r;
    struct sheet s;
    const struct report_query all = {.limit = 0};
    struct fl_why why = {0, ""};
    json_t *o = NULL;
    if (!open_report(q, &r))
        return;
    enum fl_err err = report_run(r, "summary", &all, &s, &why);
    if (!err) {
        o = sheet_json(&s);
        sheet_fini(&s);
    }
    end(q, r, err, o, &why);
}

void api_units(struct web_request *q)
{
    struct report *r;
    struct fl_why why = {0, ""};
    json_t *o = NULL;
    if (!open_report(q, &r))
        return;
    enum fl_err err = report_find_units(r, request_arg(q, "q"), UNITS_MAX, &o, &why);
    end(q, r, err, o, &why);
}

void api_unit(struct web_request *q)
{
    struct report *r;
    struct fl_why why = {0, ""};
    json_t *o = NULL;
    if (!open_report(q, &r))
        return;
    enum fl_err err = report_trace(r, request_arg(q, "mac"), &o, &why);
    end(q, r, err, o, &why);
}

void api_log(struct web_request *q)
{
    struct report *r;
    struct fl_why why = {0, ""};
    json_t *o = NULL;
    if (!open_report(q, &r))
        return;
    enum fl_err err = report_log(r, &o, &why);
    end(q, r, err, o, &why);
}

/* A file to keep. */
static void end_file(struct web_request *q, struct report *r, enum fl_err err, const struct fl_why *why)
{
    report_close(r);
    if (err) {
        fl_buf_clear(&q->reply.body);
        q->reply.file[0] = 0;
        refuse(q, err, why);
    } else {
        q->reply.type = "text/plain; charset=utf-8";
    }
}

void api_head(struct web_request *q)
{
    struct report *r;
    struct fl_why why = {0, ""};
    if (!open_report(q, &r))
        return;
    (void)snprintf(q->reply.file, sizeof q->reply.file, "head.txt");
    enum fl_err err = report_head(r, &q->reply.body, &why);
    end_file(q, r, err, &why);
}

void api_certificate(struct web_request *q)
{
    struct report *r;
    struct fl_why why = {0, ""};
    int64_t leaf = number_arg(q, "leaf", -1, INT64_MAX);
    if (leaf < 0) {
        reply_error(&q->reply, 400, "argument", "leaf is the number of a record");
        return;
    }
    if (!open_report(q, &r))
        return;
    (void)snprintf(q->reply.file, sizeof q->reply.file, "record-%lld.tlog-proof", (long long)leaf);
    enum fl_err err = report_certificate(r, leaf, &q->reply.body, &why);
    end_file(q, r, err, &why);
}
