/* SPDX-License-Identifier: Apache-2.0
 * Requests: in through limits, route, role and origin; out with the headers that every reply has. */
#include "web/inside.h"
#include "web/serve.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Only what this server itself sends may run, load, connect or frame; nothing inline. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static const char *const always[][2] = {
    {"Content-Security-Policy", policy},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=(), serial=()"},
};

/* ---- replies ------------------------------------------------------------------------------------------- */

void reply_json(struct web_reply *r, unsigned status, json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    r->status = text ? status : 500;
    r->type = NULL;
    fl_buf_clear(&r->body);
    fl_buf_adds(&r->body, text ? text : "{\"error\":\"memory\"}");
    fl_buf_addc(&r->body, '\n');
    free(text);
}

void reply_error(struct web_reply *r, unsigned status, const char *code, const char *text)
{
    reply_json(r, status, json_pack("{ss ss}", "error", code, "text", text));
}

const char *request_arg(const struct web_request *q, const char *name)
{
    const char *v = q->web->mhd.lookup_connection_value(q->conn, MHD_GET_ARGUMENT_KIND, name);
    return v ? v : "";
}

const char *request_header(const struct web_request *q, const char *name)
{
    const char *v = q->web->mhd.lookup_connection_value(q->conn, MHD_HEADER_KIND, name);
    return v ? v : "";
}

static void add(const struct web_request *q, struct MHD_Response *m, const char *name, const char *value)
{
    if (value && *value)
        (void)q->web->mhd.add_response_header(m, name, value); /* fails for lack of memory only */
}

static void add_headers(const struct web_request *q, struct MHD_Response *m)
{
    const struct web_reply *r = &q->reply;
    char text[160];
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        add(q, m, always[i][0], always[i][1]);
    if (q->web->tls)
        add(q, m, "Strict-Transport-Security", "max-age=31536000");
    add(q, m, "Content-Type", r->stream ? "text/event-stream" : r->type ? r->type : "application/json");
    add(q, m, "Cache-Control", r->etag ? "no-cache" : "no-store");
    add(q, m, "ETag", r->etag);
    add(q, m, "Allow", r->allow);
    add(q, m, "Location", r->location);
    add(q, m, "Set-Cookie", r->cookie);
    if (r->file[0]) {
        (void)snprintf(text, sizeof text, "attachment; filename=\"%s\"", r->file);
        add(q, m, "Content-Disposition", text);
    }
    if (r->retry_s) {
        (void)snprintf(text, sizeof text, "%u", r->retry_s);
        add(q, m, "Retry-After", text);
    }
    if (r->status == 401)
        add(q, m, "WWW-Authenticate", "Bearer realm=\"flashline\"");
}

/* The buffer's bytes go to MHD, which frees them. */
static struct MHD_Response *response_of(struct web_request *q)
{
    struct web_reply *r = &q->reply;
    if (r->stream) {
        struct MHD_Response *m = live_response(&q->web->live, q->conn, &q->who);
        if (m)
            return m;
        r->stream = false;
        r->retry_s = 10;
        reply_error(r, 503, "streams", "too many live streams; try again later");
    }
    if (r->fixed)
        return q->web->mhd.create_response_from_buffer(r->fixed_n, (void *)(uintptr_t)r->fixed, MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *m = q->web->mhd.create_response_from_buffer(r->body.len, r->body.bytes, MHD_RESPMEM_MUST_FREE);
    if (m)
        r->body = FL_BUF(0);
    return m;
}

static enum MHD_Result send_reply(struct web_request *q)
{
    struct MHD_Response *m = response_of(q);
    if (!m)
        return MHD_NO;
    add_headers(q, m);
    live_deadline(q->conn, &q->web->live, q->reply.stream ? WEB_STREAM_BEHIND_MS : WEB_REPLY_MS);
    enum MHD_Result ok = q->web->mhd.queue_response(q->conn, q->reply.status, m);
    q->web->mhd.destroy_response(m);
    return ok;
}

/* ---- what may come in -------------------------------------------------------------------------------------- */

static void address_of(const struct web_request *q, char out[static 48])
{
    const union MHD_ConnectionInfo *i = q->web->mhd.get_connection_info(q->conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    out[0] = 0;
    if (i && i->client_addr->sa_family == AF_INET) {
        struct sockaddr_in a;
        memcpy(&a, i->client_addr, sizeof a);
        (void)inet_ntop(AF_INET, &a.sin_addr, out, 48);
    } else if (i && i->client_addr->sa_family == AF_INET6) {
        struct sockaddr_in6 a;
        memcpy(&a, i->client_addr, sizeof a);
        (void)inet_ntop(AF_INET6, &a.sin6_addr, out, 48);
    }
}

/* A page of a stranger may make a name of its own point to 127.0.0.1; its requests then carry that name. No name but localhost
 * is ours, and an address is none. */
static bool host_is_loopback(const char *host)
{
    char name[INET6_ADDRSTRLEN] = "";
    uint8_t a[16];
    size_t n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    if (n > strlen(host) || n >= sizeof name || (host[n] && (host[n] != ':' || host[n + 1 + strspn(host + n + 1, "0123456789")])))
        return false;
    memcpy(name, host, n);
    return strcmp(name, "localhost") == 0 || strcmp(name, "[::1]") == 0 || (inet_pton(AF_INET, name, a) == 1 && a[0] == 127);
}

static bool body_ok(struct web_request *q, const char *method)
{
    const char *length = request_header(q, "Content-Length"), *coding = request_header(q, "Transfer-Encoding");
    if (strcmp(method, "POST") == 0) {
        if (strtoull(length, NULL, 10) <= WEB_BODY_MAX)
            return true;
        reply_error(&q->reply, 413, "large", "the body is larger than allowed");
        return false;
    }
    if (strtoull(length, NULL, 10) == 0 && !*coding)
        return true;
    reply_error(&q->reply, 400, "body", "this request may not have a body");
    return false;
}

/* To a browser that asks for a page: one that says it in its language. */
static void refuse_page(struct web_request *q, unsigned status, const char *code, const char *text)
{
    if (!strstr(request_header(q, "Accept"), "text/html")) {
        reply_error(&q->reply, status, code, text);
        return;
    }
    assets_reply(q, "refused.html");
    q->reply.status = status;
    q->reply.etag = NULL; /* it stands at another page's address */
}

static bool role_ok(struct web_request *q)
{
    auth_who(q->web->auth, q);
    if (q->who.role >= q->route->role)
        return true;
    if (q->who.role > WEB_ANYONE) {
        refuse_page(q, 403, "role", "this is not for your role");
    } else if (q->route->flags & ROUTE_PAGE) {
        q->reply.status = 303;
        q->reply.fixed = "";
        (void)snprintf(q->reply.location, sizeof q->reply.location, "/login");
    } else {
        reply_error(&q->reply, 401, "login", "log in first");
    }
    return false;
}

static bool admit(struct web_request *q, const char *method, const char *path)
{
    const char *allow = "";
    address_of(q, q->address);
    if (!auth_required(q->web->auth) && !host_is_loopback(request_header(q, "Host"))) {
        reply_error(&q->reply, 421, "host", "this server answers to localhost and loopback addresses only");
        return false;
    }
    q->route = route_find(method, path, &q->tail, &allow);
    if (!q->route) {
        q->reply.allow = allow;
        if (*allow)
            reply_error(&q->reply, 405, "method", "not with this method");
        else
            refuse_page(q, 404, "unknown", "there is no such page");
        return false;
    }
    if (!body_ok(q, method) || !role_ok(q))
        return false;
    if (strcmp(method, "POST") == 0 && (!auth_same_origin(q) || !auth_csrf(q))) {
        reply_error(&q->reply, 403, "origin", "this request does not come from a page of this server");
        return false;
    }
    return true;
}

static enum MHD_Result run(struct web_request *q)
{
    if (q->worked || q->refused)
        return send_reply(q);
    if (q->route->flags & ROUTE_SLOW) {
        live_deadline(q->conn, &q->web->live, WEB_REPLY_MS);
        if (work_put(&q->web->work, q))
            return MHD_YES; /* called again when the work is done */
        q->reply.retry_s = 2;
        reply_error(&q->reply, 503, "busy", "too much is asked at once; try again");
    } else {
        q->route->handle(q);
    }
    return send_reply(q);
}

enum MHD_Result serve_request(void *cls, struct MHD_Connection *c, const char *url, const char *method,
                              const char *version, const char *body, size_t *body_n, void **state)
{
    struct web_request *q = *state;
    (void)version;
    if (!q) {
        q = calloc(1, sizeof *q);
        if (!q)
            return MHD_NO;
        *q = (struct web_request){.web = cls, .conn = c, .body = FL_BUF(WEB_BODY_MAX)};
        q->reply = (struct web_reply){.status = 200, .body = FL_BUF(WEB_REPLY_BYTES)};
        *state = q;
        if (admit(q, method, url))
            return MHD_YES;
        q->refused = true;
        return send_reply(q); /* without reading the body */
    }
    if (*body_n) {
        fl_buf_add(&q->body, body, *body_n);
        *body_n = 0;
        if (q->body.err) {
            reply_error(&q->reply, 413, "large", "the body is larger than allowed");
            q->refused = true;
        }
        return MHD_YES;
    }
    return run(q);
}

void serve_done(void *cls, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode code)
{
    struct web *w = cls;
    struct web_request *q = *state;
    (void)code;
    if (q) {
        fl_buf_fini(&q->body);
        fl_buf_fini(&q->reply.body);
        free(q);
        *state = NULL;
    }
    live_deadline(c, &w->live, WEB_REQUEST_MS); /* for the next request of this connection */
}
