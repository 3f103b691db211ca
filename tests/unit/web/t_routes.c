/* SPDX-License-Identifier: Apache-2.0
 * web/: every route with every role, against the table in station/web/README.md; logging in and out. */
#include "unit/web/http.h"

#include "base/file.h"
#include "web/inside.h"

#include <jansson.h>

#define SALT "000102030405060708090a0b0c0d0e0f"
#define PAST_TOKEN "abababababababababababababababababababababababababababababababab" /* 271a413b…: SHA-256 of its bytes or text */
#define HASH "25b376840366f4d3b0e21e414476676e3cd0e89af4430356a234ce0b65a021b5" /* of "correct horse" */

struct station {
    char dir[40];
    char token[WEB_ENGINEER + 1][WEB_TOKEN_TEXT];
    struct board *board;
    struct web *web;
    int port;
};

static int setup(void **state)
{
    struct station *s = calloc(1, sizeof *s);
    char path[80];
    assert_non_null(s);
    memcpy(s->dir, "/tmp/fl-routes-XXXXXX", 22);
    assert_non_null(mkdtemp(s->dir));
    for (int r = WEB_VIEWER; r <= WEB_ENGINEER; r++)
        assert_int_equal(web_users_token(s->dir, web_role_name((enum web_role)r), (enum web_role)r, 1, s->token[r], NULL), FL_OK);
    (void)snprintf(path, sizeof path, "%s/web-users", s->dir);
    struct fl_buf b = FL_BUF(10000);
    assert_int_equal(fl_file_read(path, &b, NULL), FL_OK);
    fl_buf_adds(&b, "user ann operator scrypt 14 8 1 " SALT " " HASH "\n"
                    "token past engineer 1000 271a413bd339c5709fdceaec41f14f11e9fbfb5042d72d331c65f32b284cd09a\n");
    assert_int_equal(fl_file_replace(path, b.bytes, b.len, 0600, NULL), FL_OK);
    fl_buf_fini(&b);
    s->board = board_new(3);
    const struct web_config c = {.listen = "127.0.0.1:0", .data = s->dir, .board = s->board, .login = true};
    assert_int_equal(web_start(&c, &s->web, NULL), FL_OK);
    s->port = web_port(s->web);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct station *s = *state;
    char path[80];
    web_stop(s->web);
    board_free(s->board);
    (void)snprintf(path, sizeof path, "%s/web-users", s->dir);
    (void)unlink(path);
    (void)rmdir(s->dir);
    free(s);
    return 0;
}

enum { CALLERS_MAX = 4 + 2 * WEB_ENGINEER };
#define JSON "Content-Type: application/json\r\n"

/* The value behind `key` up to `end`, in place. */
static char *cut(char *text, const char *key, char end)
{
    char *from = strstr(text, key);
    assert_non_null(from);
    from += strlen(key);
    *strchr(from, end) = 0;
    return from;
}

struct caller {
    enum web_role role;
    char head[200], csrf[40];
};

static void log_in(struct station *s, const char *body, struct caller *c)
{
    struct answer a;
    assert_int_equal(http(s->port, "POST", "/api/login", JSON, body, &a), 200);
    (void)snprintf(c->csrf, sizeof c->csrf, "%s", cut(a.text, "\"csrf\":\"", '"'));
    (void)snprintf(c->head, sizeof c->head, "Cookie: fl_session=%s\r\n", cut(a.text, "fl_session=", ';'));
}

/* Nobody; a token that has expired, one that never was, a session that never was; each role by token and by session. */
static size_t callers(struct station *s, struct caller *c)
{
    static const char *const none[] = {"", "Authorization: Bearer " PAST_TOKEN "\r\n",
                                       "Authorization: Bearer cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd\r\n",
                                       "Cookie: fl_session=cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd\r\n"};
    size_t n = 0;
    for (; n < T_COUNT(none); n++) {
        c[n] = (struct caller){.role = WEB_ANYONE};
        (void)snprintf(c[n].head, sizeof c[n].head, "%s", none[n]);
    }
    for (enum web_role r = WEB_VIEWER; r <= WEB_ENGINEER; r++) {
        char body[120];
        c[n] = (struct caller){.role = r};
        (void)snprintf(c[n].head, sizeof c[n].head, "Authorization: Bearer %s\r\n", s->token[r]);
        n++;
        c[n] = (struct caller){.role = r};
        (void)snprintf(body, sizeof body, "{\"token\":\"%s\"}", s->token[r]);
        log_in(s, body, &c[n]);
        n++;
    }
    return n;
}

static int as(struct station *s, const char *head, const char *method, const char *path, struct answer *a)
{
    if (strcmp(path, "/api/events") != 0)
        return http(s->port, method, path, head, NULL, a);
    int fd = http_dial(s->port); /* a stream never ends by itself */
    char request[400];
    int n = snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n", method, path, head);
    memset(a, 0, sizeof *a);
    http_say(fd, request, (size_t)n);
    (void)http_hear(fd, a, "\r\n\r\n", 5000);
    if (strncmp(a->text, "HTTP/1.1 ", 9) == 0)
        a->status = atoi(a->text + 9);
    (void)close(fd);
    return a->status;
}

static bool status_is_right(const struct web_route *route, const struct caller *c, const struct answer *a)
{
    if (c->role < route->role)
        return a->status == (c->role ? 403 : route->flags & ROUTE_PAGE ? 303 : 401);
    if (strcmp(route->method, "POST") == 0)
        return a->status == 403; /* let in by role, stopped for not being JSON from a page */
    if (strstr(a->text, "\"no_records\"") || strstr(a->text, "\"argument\"")) /* let in; this folder has none */
        return a->status == 404 || a->status == 400;
    return a->status == 200;
}

static void every_route_every_role(void **state)
{
    struct station *s = *state;
    struct caller c[CALLERS_MAX];
    size_t n, n_callers = callers(s, c);
    const struct web_route *routes = web_routes(&n);
    assert_int_equal(n_callers, CALLERS_MAX);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n_callers; k++) {
            struct answer a;
            char path[100];
            (void)snprintf(path, sizeof path, "%s%s", routes[i].path,
                           strcmp(routes[i].path, "/assets/") == 0 ? "style.css" : "");
            (void)as(s, c[k].head, routes[i].method, path, &a);
            if (!status_is_right(&routes[i], &c[k], &a))
                fail_msg("%s %s as '%s': %d", routes[i].method, path, c[k].head, a.status);
            assert_non_null(strstr(a.text, "\r\nContent-Security-Policy: default-src 'none'; script-src 'self';"));
            assert_non_null(strstr(a.text, "\r\nX-Content-Type-Options: nosniff"));
        }
}

/* Every path with every method that it has not: told which it has, whoever asks. Every GET as HEAD: the same, no body. */
static void every_route_every_method(void **state)
{
    struct station *s = *state;
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"};
    char head[200];
    size_t n;
    const struct web_route *routes = web_routes(&n);
    (void)snprintf(head, sizeof head, "Authorization: Bearer %s\r\n", s->token[WEB_ENGINEER]);
    for (size_t i = 0; i < n; i++) {
        struct answer a, h;
        bool get = strcmp(routes[i].method, "GET") == 0;
        if (strcmp(routes[i].path, "/assets/") == 0)
            continue;
        for (size_t k = 0; k < T_COUNT(methods); k++) {
            if (strcmp(methods[k], routes[i].method) == 0)
                continue;
            int status = http(s->port, methods[k], routes[i].path, head, NULL, &a);
            if (status != 405 || !strstr(a.text, get ? "\r\nAllow: GET, HEAD\r\n" : "\r\nAllow: POST\r\n"))
                fail_msg("%s %s: %d", methods[k], routes[i].path, status);
        }
        if (!get || strcmp(routes[i].path, "/api/events") == 0)
            continue;
        assert_int_equal(http(s->port, "GET", routes[i].path, head, NULL, &a), http(s->port, "HEAD", routes[i].path, head, NULL, &h));
        assert_string_equal(strstr(h.text, "\r\n\r\n"), "\r\n\r\n");
    }
}

/* What is done in somebody's name carries his session's own token: none, another's and a cut one are refused. */
static void every_post_wants_its_csrf(void **state)
{
    struct station *s = *state;
    struct caller c[CALLERS_MAX];
    size_t n, posts = 0, n_callers = callers(s, c);
    const struct web_route *routes = web_routes(&n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(routes[i].method, "POST") != 0 || routes[i].role == WEB_ANYONE)
            continue;
        for (size_t k = 0; k < n_callers; k++) {
            if (!c[k].csrf[0])
                continue;
            const char *other = c[k == n_callers - 1 ? k - 2 : n_callers - 1].csrf;
            const struct {
                const char *csrf;
                int n, status;
            } row[] = {{"", 0, 403}, {other, 32, 403}, {c[k].csrf, 31, 403}, {c[k].csrf, 32, 200}};
            for (size_t r = 0; r < T_COUNT(row); r++) {
                struct answer a;
                char head[400];
                (void)snprintf(head, sizeof head, "%s" JSON "%s%.*s%s", c[k].head, row[r].n ? "X-CSRF: " : "", row[r].n, row[r].csrf,
                               row[r].n ? "\r\n" : "");
                if (http(s->port, "POST", routes[i].path, head, "{}", &a) != row[r].status)
                    fail_msg("POST %s with '%.*s': %d", routes[i].path, row[r].n, row[r].csrf, a.status);
                posts++;
            }
        }
    }
    assert_int_equal(posts, 4 * 3); /* one route, each role's session */
}

static void readme_says_so(void **state)
{
    (void)state;
    size_t n, rows = 0;
    const struct web_route *routes = web_routes(&n);
    char line[400], method[8], path[64], role[16];
    FILE *f = fopen("station/web/README.md", "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "| %7[A-Z] | %63s | %15s |", method, path, role) == 3 && *path == '/') {
            bool found = false;
            rows++;
            for (size_t i = 0; i < n; i++)
                found = found || (strcmp(routes[i].method, method) == 0 && strcmp(routes[i].path, path) == 0 &&
                                  strcmp(web_role_name(routes[i].role), role) == 0);
            if (!found)
                fail_msg("README: %s %s for %s is not in the table of routes", method, path, role);
        }
    (void)fclose(f);
    assert_int_equal(rows, n);
}

static void wrong_requests(void **state)
{
    struct station *s = *state;
    static const struct {
        const char *method, *path, *headers, *body;
        int status;
        const char *holds;
    } row[] = {
        {"GET", "/nothing", "", NULL, 404, "unknown"},
        {"GET", "/assets/../web.c", "", NULL, 404, ""},
        {"GET", "/assets/%2e%2e%2fREADME.md", "", NULL, 404, ""},
        {"GET", "/assets/", "", NULL, 404, ""},
        {"POST", "/health", "", "{}", 405, "\r\nAllow: GET, HEAD"},
        {"DELETE", "/api/login", "", NULL, 405, "\r\nAllow: POST"},
        {"BREW", "/", "", NULL, 405, ""},
        {"GET", "/health", "", "a body", 400, "body"},
        {"GET", "/api/board", "Authorization: Bearer abababababababababababababababababababababababababababababababab\r\n", NULL, 401, ""},
        {"GET", "/api/board", "Authorization: Bearer \r\n", NULL, 401, ""},
        {"GET", "/api/board", "Authorization: Basic YTpi\r\n", NULL, 401, ""},
        {"GET", "/api/board", "Cookie: fl_session=0000\r\n", NULL, 401, ""},
        {"POST", "/api/login", "", "{}", 403, "origin"},
        {"POST", "/api/login", "Content-Type: application/json\r\nOrigin: http://evil.example\r\n", "{}", 403, "origin"},
        {"POST", "/api/login", "Content-Type: application/json\r\nSec-Fetch-Site: cross-site\r\n", "{}", 403, "origin"},
        {"POST", "/api/login", "Content-Type: application/json\r\nOrigin: https://evil.example\r\nSec-Fetch-Site: same-site\r\n", "{}", 403, "origin"},
        /* a proxy that speaks HTTPS to browsers and HTTP to here, as it is and with a Host of its own */
        {"POST", "/api/login", "Host: line.example\r\nContent-Type: application/json\r\nOrigin: https://line.example\r\nSec-Fetch-Site: same-origin\r\n", "{}", 401, "wrong"},
        {"POST", "/api/login", "Host: 127.0.0.1:8080\r\nContent-Type: application/json\r\nOrigin: https://line.example\r\nSec-Fetch-Site: same-origin\r\n", "{}", 401, "wrong"},
        {"POST", "/api/login", "Content-Type: application/json\r\n", "not json", 400, "json"},
        {"POST", "/api/login", "Content-Type: application/json\r\n", "[]", 400, "json"},
        {"POST", "/api/login", "Content-Type: application/json\r\nOrigin: http://localhost\r\n", "{}", 401, "wrong"},
        {"HEAD", "/health", "", NULL, 200, "\r\nContent-Length: "},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct answer a;
        if (http(s->port, row[i].method, row[i].path, row[i].headers, row[i].body, &a) != row[i].status ||
            !strstr(a.text, row[i].holds))
            fail_msg("%s %s: wanted %d and '%s', got %s", row[i].method, row[i].path, row[i].status, row[i].holds, a.text);
    }
}

static void a_session_from_login_to_logout(void **state)
{
    struct station *s = *state;
    struct answer in, a;
    char head[300], cookie[100], csrf[40];
    assert_int_equal(http(s->port, "POST", "/api/login", JSON, "{\"name\":\"ann\",\"password\":\"wrong\"}", &in), 401);
    assert_int_equal(http(s->port, "POST", "/api/login", JSON, "{\"name\":\"nobody\",\"password\":\"correct horse\"}", &in), 401);
    assert_int_equal(http(s->port, "POST", "/api/login", JSON, "{\"name\":\"ann\",\"password\":\"correct horse\"}", &in), 200);
    assert_non_null(strstr(in.text, "; HttpOnly; SameSite=Strict; Max-Age=43200"));
    assert_null(strstr(in.text, "; Secure"));
    (void)snprintf(csrf, sizeof csrf, "%s", cut(in.text, "\"csrf\":\"", '"'));
    (void)snprintf(cookie, sizeof cookie, "Cookie: fl_session=%s\r\n", cut(in.text, "fl_session=", ';'));
    assert_int_equal(strlen(csrf), 32);

    assert_int_equal(http(s->port, "GET", "/api/session", cookie, NULL, &a), 200);
    assert_non_null(strstr(a.text, "\"name\":\"ann\",\"role\":\"operator\""));
    assert_int_equal(http(s->port, "GET", "/api/board", cookie, NULL, &a), 200);

    int fd = http_dial(s->port); /* a live stream of this session ends when it logs out */
    int n = snprintf(head, sizeof head, "GET /api/events HTTP/1.1\r\nHost: x\r\n%s\r\n", cookie);
    memset(&in, 0, sizeof in);
    http_say(fd, head, (size_t)n);
    assert_true(http_hear(fd, &in, "event: board", 5000));

    (void)snprintf(head, sizeof head, "%s" JSON, cookie);
    assert_int_equal(http(s->port, "POST", "/api/logout", head, "{}", &a), 403);
    (void)snprintf(head, sizeof head, "%s" JSON "X-CSRF: 00000000000000000000000000000000\r\n", cookie);
    assert_int_equal(http(s->port, "POST", "/api/logout", head, "{}", &a), 403);
    (void)snprintf(head, sizeof head, "%s" JSON "X-CSRF: %s\r\n", cookie, csrf);
    assert_int_equal(http(s->port, "POST", "/api/logout", head, "{}", &a), 200);
    assert_int_equal(http(s->port, "GET", "/api/board", cookie, NULL, &a), 401);
    assert_true(http_hear(fd, &in, "\r\n0\r\n", 5000)); /* the last chunk */
    (void)close(fd);
}

static void a_token_makes_a_session(void **state)
{
    struct station *s = *state;
    struct answer a;
    char body[120], cookie[100];
    (void)snprintf(body, sizeof body, "{\"token\":\"%s\"}", s->token[WEB_VIEWER]);
    assert_int_equal(http(s->port, "POST", "/api/login", JSON, body, &a), 200);
    (void)snprintf(cookie, sizeof cookie, "Cookie: fl_session=%s\r\n", cut(a.text, "fl_session=", ';'));
    assert_int_equal(http(s->port, "GET", "/api/board", cookie, NULL, &a), 200);
    struct answer live[2] = {{.status = 0}};
    int fd[2];
    for (size_t i = 0; i < 2; i++) { /* one stream by the session, one by the token itself */
        char head[300];
        int n = snprintf(head, sizeof head, "GET /api/events HTTP/1.1\r\nHost: x\r\n%s%s%s\r\n", i ? "Authorization: Bearer " : cookie,
                         i ? s->token[WEB_VIEWER] : "", i ? "\r\n" : "");
        fd[i] = http_dial(s->port);
        http_say(fd[i], head, (size_t)n);
        assert_true(http_hear(fd[i], &live[i], "event: board", 5000));
    }
    assert_int_equal(web_users_remove(s->dir, "viewer", NULL), FL_OK); /* taken out of the file: out at once */
    for (size_t i = 0; i < 2; i++) {
        assert_true(http_hear(fd[i], &live[i], "\r\n0\r\n", 5000)); /* the last chunk */
        (void)close(fd[i]);
    }
    assert_int_equal(http(s->port, "GET", "/api/board", cookie, NULL, &a), 401);
    assert_int_equal(http(s->port, "POST", "/api/login", JSON, body, &a), 401);
}

/* Whoever knew the old password or token is out, whatever they hold of it. */
static void a_changed_line_ends_its_sessions(void **state)
{
    struct station *s = *state;
    struct answer a;
    struct caller ann, wall;
    char body[120], fresh[WEB_TOKEN_TEXT];
    (void)snprintf(body, sizeof body, "{\"token\":\"%s\"}", s->token[WEB_VIEWER]);
    log_in(s, "{\"name\":\"ann\",\"password\":\"correct horse\"}", &ann);
    log_in(s, body, &wall);
    assert_int_equal(web_users_token(s->dir, "other", WEB_VIEWER, 1, fresh, NULL), FL_OK); /* of no concern to either */
    assert_int_equal(http(s->port, "GET", "/api/board", ann.head, NULL, &a), 200);
    assert_int_equal(http(s->port, "GET", "/api/board", wall.head, NULL, &a), 200);
    assert_int_equal(web_users_set(s->dir, "ann", WEB_OPERATOR, "battery staple", NULL), FL_OK);
    assert_int_equal(http(s->port, "GET", "/api/board", ann.head, NULL, &a), 401);
    assert_int_equal(http(s->port, "GET", "/api/board", wall.head, NULL, &a), 200);
    assert_int_equal(web_users_token(s->dir, "viewer", WEB_VIEWER, 1, fresh, NULL), FL_OK);
    assert_int_equal(http(s->port, "GET", "/api/board", wall.head, NULL, &a), 401);
}

static void too_many_tries(void **state)
{
    struct station *s = *state;
    struct answer a;
    int status = 0, tries = 0;
    while (status != 429 && tries++ < 3 * WEB_TRIES)
        status = http(s->port, "POST", "/api/login", JSON, "{\"name\":\"ann\",\"password\":\"guess\"}", &a);
    assert_int_equal(status, 429);
    assert_true(tries > 1);
    assert_int_equal(http(s->port, "POST", "/api/login", JSON, "{\"name\":\"ann\",\"password\":\"correct horse\"}", &a), 429);
    assert_non_null(strstr(a.text, "\r\nRetry-After: 60"));
}

static void starting(void **state)
{
    struct station *s = *state;
    static const struct {
        const char *listen, *data, *cert, *key;
        enum fl_err err;
    } row[] = {
        {"0.0.0.0:0", "/nonexistent", NULL, NULL, FL_REFUSED}, /* nobody could log in */
        {"0.0.0.0:0", NULL, NULL, NULL, FL_REFUSED},
        {"127.0.0.1:0", NULL, "/etc/hostname", NULL, FL_ARG},
        {"127.0.0.1:0", NULL, "/nonexistent", "/nonexistent", FL_NOT_FOUND},
        {"127.0.0.1:0", NULL, "/etc/hostname", "/etc/hostname", FL_ARG},
        {"127.0.0.1", NULL, NULL, NULL, FL_ARG},
        {"127.0.0.1:99999", NULL, NULL, NULL, FL_ARG},
        {"127.0.0.1:8x", NULL, NULL, NULL, FL_ARG},
        {"example.org:80", NULL, NULL, NULL, FL_ARG},
        {":80", NULL, NULL, NULL, FL_ARG},
        {"", NULL, NULL, NULL, FL_ARG},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        struct web *w;
        struct fl_why why = {0};
        const struct web_config c = {.listen = row[i].listen, .data = row[i].data, .tls_cert = row[i].cert,
                                     .tls_key = row[i].key};
        assert_int_equal(web_start(&c, &w, &why), row[i].err);
        assert_null(w);
        assert_true(why.text[0] != 0);
    }
    char taken[40];
    struct web *w;
    (void)snprintf(taken, sizeof taken, "127.0.0.1:%d", s->port);
    assert_int_equal(web_start(&(struct web_config){.listen = taken}, &w, NULL), FL_BUSY);
}

static void loopback_without_login(void **state)
{
    struct station *s = *state;
    struct web *w;
    struct answer a;
    assert_int_equal(web_start(&(struct web_config){.listen = "localhost:0", .board = s->board}, &w, NULL), FL_OK);
    assert_int_equal(http(web_port(w), "GET", "/api/board", "", NULL, &a), 200);
    static const struct {
        const char *host;
        int status;
    } row[] = {
        {"127.0.0.1:8080", 200}, {"[::1]", 200}, {"[::1]:8080", 200}, {"localhost:8080", 200},
        {"127.0.1.1:8080", 200}, /* whoever listens there is called so */
        {"evil.example", 421}, {"localhost.evil.example", 421}, {"127.0.0.1.evil.example", 421}, {"127.evil.example:80", 421},
        {"10.0.0.1", 421}, {"[::2]", 421}, {"::1", 421}, {"127.0.0.1:80:80", 421}, {"localhost:80x", 421}, {"[::1]x", 421}, {"", 421},
    };
    for (size_t i = 0; i < T_COUNT(row); i++) {
        char head[80];
        (void)snprintf(head, sizeof head, "Host: %s\r\n", row[i].host);
        if (http(web_port(w), "GET", "/api/board", head, NULL, &a) != row[i].status)
            fail_msg("Host '%s': %d, expected %d", row[i].host, a.status, row[i].status);
    }
    assert_int_equal(http(web_port(w), "GET", "/api/session", "", NULL, &a), 200);
    assert_non_null(strstr(a.text, "\"login\":false,\"name\":\"\",\"role\":\"engineer\""));
    web_stop(w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_route_every_role, setup, teardown),
        cmocka_unit_test_setup_teardown(every_route_every_method, setup, teardown),
        cmocka_unit_test_setup_teardown(every_post_wants_its_csrf, setup, teardown),
        cmocka_unit_test(readme_says_so),
        cmocka_unit_test_setup_teardown(wrong_requests, setup, teardown),
        cmocka_unit_test_setup_teardown(a_session_from_login_to_logout, setup, teardown),
        cmocka_unit_test_setup_teardown(a_token_makes_a_session, setup, teardown),
        cmocka_unit_test_setup_teardown(a_changed_line_ends_its_sessions, setup, teardown),
        cmocka_unit_test_setup_teardown(too_many_tries, setup, teardown),
        cmocka_unit_test_setup_teardown(starting, setup, teardown),
        cmocka_unit_test_setup_teardown(loopback_without_login, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
