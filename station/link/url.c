/* SPDX-License-Identifier: Apache-2.0
 * The forms of a port that people write; link.h lists them. */
#include "link/link_internal.h"

#include <stdio.h>
#include <string.h>

static bool copy(char *to, size_t cap, const char *from, size_t n)
{
    if (n >= cap)
        return false;
    memcpy(to, from, n);
    to[n] = 0;
    return true;
}

/* HOST:PORT or [V6]:PORT, and nothing after it. */
static enum fl_err parse_host(const char *url, const char *text, struct link_url *out,
                              struct fl_why *why)
{
    const char *host = text, *colon = strrchr(text, ':');
    size_t host_len = colon ? (size_t)(colon - text) : 0;
    if (text[0] == '[') {
        const char *close = strchr(text, ']');
        host = text + 1;
        host_len = close ? (size_t)(close - host) : 0;
        colon = close ? close + 1 : NULL;
    }
    size_t digits = colon && *colon == ':' ? strspn(colon + 1, "0123456789") : 0;
    unsigned port = 0;
    if (digits >= 1 && digits <= 5)
        (void)sscanf(colon + 1, "%5u", &port);
    if (!host_len || strcspn(host, text[0] == '[' ? "]/ " : ":/ ") != host_len || !digits ||
        colon[1 + digits] || port < 1 || port > 65535)
        return fl_fail(why, FL_FORMAT, "'%s' is not HOST:PORT after the scheme (as in %s)", url,
                       "rfc2217://10.0.0.7:3001");
    if (!copy(out->host, sizeof out->host, host, host_len))
        return fl_fail(why, FL_LIMIT, "'%s': the host's name is too long", url);
    (void)snprintf(out->port, sizeof out->port, "%u", port % 65536u);
    return FL_OK;
}

/* BUS-PORT{.PORT}, and perhaps :CONFIG.INTERFACE */
static bool is_place(const char *p)
{
    size_t n = strspn(p, "0123456789");
    if (!n || p[n] != '-')
        return false;
    do {
        p += n + 1;
        n = strspn(p, "0123456789");
        if (!n)
            return false;
    } while (p[n] == '.');
    if (p[n] == 0)
        return true;
    if (p[n] != ':')
        return false;
    p += n + 1;
    n = strspn(p, "0123456789");
    if (!n || p[n] != '.')
        return false;
    p += n + 1;
    n = strspn(p, "0123456789");
    return n && p[n] == 0;
}

static enum fl_err parse_usb(const char *url, const char *text, struct link_url *out,
                             struct fl_why *why)
{
    if (!is_place(text) || !copy(out->place, sizeof out->place, text, strlen(text)))
        return fl_fail(why, FL_FORMAT,
                       "'%s' is not a USB place: bus, '-', then the chain of hub ports (usb:1-1.4.1)", url);
    return FL_OK;
}

static enum fl_err parse_path(const char *url, const char *text, struct link_url *out,
                              struct fl_why *why)
{
    if (text[0] != '/')
        return fl_fail(why, FL_FORMAT, "'%s': the path must begin with '/'", url);
    (void)copy(out->path, sizeof out->path, text, strlen(text));
    return FL_OK;
}

enum fl_err link_url_parse(const char *url, struct link_url *out, struct fl_why *why)
{
    static const struct {
        const char *prefix;
        enum link_kind kind;
        enum fl_err (*parse)(const char *, const char *, struct link_url *, struct fl_why *);
        bool keep; /* the prefix is part of what is parsed */
    } forms[] = {
        {"/", LINK_SERIAL, parse_path, true},
        {"usb:", LINK_SERIAL, parse_usb, false},
        {"rfc2217://", LINK_RFC2217, parse_host, false},
        {"socket://", LINK_SOCKET, parse_host, false},
        {"pty:", LINK_PTY, parse_path, false},
    };
    memset(out, 0, sizeof *out);
    if (strlen(url) >= LINK_URL_MAX)
        return fl_fail(why, FL_LIMIT, "the port '%.40s...' is longer than %d characters", url,
                       LINK_URL_MAX - 1);
    for (const char *p = url; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return fl_fail(why, FL_FORMAT, "the port's name holds a control character");
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t n = strlen(forms[i].prefix);
        if (strncmp(url, forms[i].prefix, n) != 0)
            continue;
        out->kind = forms[i].kind;
        return forms[i].parse(url, url + (forms[i].keep ? 0 : n), out, why);
    }
    return fl_fail(why, FL_FORMAT,
                   "'%s' is not a port: /dev/ttyUSB0, usb:1-1.4.1, rfc2217://HOST:PORT, "
                   "socket://HOST:PORT or pty:PATH", url);
}

enum fl_err link_url_check(const char *url, struct fl_why *why)
{
    struct link_url u;
    return link_url_parse(url, &u, why);
}
