/* SPDX-License-Identifier: Apache-2.0
 * The table of routes: what there is and who may. web/README.md says the same; a test holds them together. */
#include "web/inside.h"

#include "base/version.h"
#include "web/pages.h"

#include <string.h>

static const struct web_route table[] = {
    {"GET", "/health", WEB_ANYONE, 0, page_health},
    {"GET", "/login", WEB_ANYONE, 0, page_login},
    {"GET", "/assets/", WEB_ANYONE, ROUTE_PREFIX, page_asset},
    {"GET", "/api/session", WEB_ANYONE, 0, auth_session},
    {"POST", "/api/login", WEB_ANYONE, ROUTE_SLOW, auth_login},
    {"POST", "/api/logout", WEB_VIEWER, 0, auth_logout},
    {"GET", "/", WEB_VIEWER, ROUTE_PAGE, page_board},
    {"GET", "/api/board", WEB_VIEWER, 0, api_board},
    {"GET", "/api/events", WEB_VIEWER, 0, api_events},
    {"GET", "/metrics", WEB_VIEWER, 0, api_metrics},
    {"GET", "/audit", WEB_VIEWER, ROUTE_PAGE, page_audit},
    {"GET", "/api/log", WEB_VIEWER, ROUTE_SLOW, api_log},
    {"GET", "/api/head", WEB_VIEWER, ROUTE_SLOW, api_head},
    {"GET", "/api/certificate", WEB_VIEWER, ROUTE_SLOW, api_certificate},
    {"GET", "/unit", WEB_OPERATOR, ROUTE_PAGE, page_unit},
    {"GET", "/api/units", WEB_OPERATOR, ROUTE_SLOW, api_units},
    {"GET", "/api/unit", WEB_OPERATOR, ROUTE_SLOW, api_unit},
    {"GET", "/engineer", WEB_ENGINEER, ROUTE_PAGE, page_engineer},
    {"GET", "/api/course", WEB_ENGINEER, ROUTE_SLOW, api_course},
    {"GET", "/api/summary", WEB_ENGINEER, ROUTE_SLOW, api_summary},
};

const struct web_route *web_routes(size_t *n)
{
    *n = sizeof table / sizeof *table;
    return table;
}

static bool matches(const struct web_route *r, const char *path, const char **tail)
{
    size_t n = strlen(r->path);
    if (strcmp(r->path, path) == 0 || ((r->flags & ROUTE_PREFIX) && strncmp(r->path, path, n) == 0)) {
        *tail = path + n;
        return true;
    }
    return false;
}

const struct web_route *route_find(const char *method, const char *path, const char **tail, const char **allow)
{
    *allow = "";
    *tail = "";
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (!matches(&table[i], path, tail))
            continue;
        if (strcmp(table[i].method, method) == 0)
            return &table[i];
        *allow = strcmp(table[i].method, "GET") == 0 ? "GET, HEAD" : table[i].method;
    }
    return NULL;
}
