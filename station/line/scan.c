/* SPDX-License-Identifier: Apache-2.0 */
#include "line/scan.h"

#include "base/utf8.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[SCAN_KINDS] = {"operator", "lot", "serial", "slot"};

/* ---- bytes to codes ---------------------------------------------------------------------------------------- */

enum scan_read scan_byte(struct scan_reader *r, char byte, uint64_t now_ms, char out[static SCAN_CODE_MAX + 1])
{
    bool end = byte == '\r' || byte == '\n' || byte == '\t' || byte == 3 || byte == 0;
    r->last_ms = now_ms;
    if (!end) {
        if ((unsigned char)byte < 0x20 || byte == 0x7f)
            return SCAN_NOTHING;
        if (r->n == SCAN_CODE_MAX)
            r->long_one = true;
        else
            r->code[r->n++] = byte;
        return SCAN_NOTHING;
    }
    enum scan_read is = r->long_one ? SCAN_TOO_LONG : r->n ? SCAN_CODE : SCAN_NOTHING; /* CR LF is one end */
    memcpy(out, r->code, r->n);
    out[r->n] = 0;
    r->n = 0;
    r->long_one = false;
    return is;
}

bool scan_half(struct scan_reader *r, uint64_t now_ms, char out[static SCAN_CODE_MAX + 1])
{
    if ((!r->n && !r->long_one) || now_ms - r->last_ms < SCAN_HALF_MS)
        return false;
    memcpy(out, r->code, r->n);
    out[r->n] = 0;
    r->n = 0;
    r->long_one = false;
    return true;
}

/* ---- codes to meanings -------------------------------------------------------------------------------------- */

struct scan_patterns {
    bool on[SCAN_KINDS];
    regex_t of[SCAN_KINDS];
};

static enum fl_err compile(struct scan_patterns *p, int kind, const char *text, struct fl_why *why)
{
    char whole[512], said[120];
    if (snprintf(whole, sizeof whole, "^(%s)$", text) >= (int)sizeof whole)
        return fl_fail(why, FL_FORMAT, "scanner.%s is too long", names[kind]);
    int rc = regcomp(&p->of[kind], whole, REG_EXTENDED);
    if (rc == 0) {
        p->on[kind] = true;
        return FL_OK;
    }
    (void)regerror(rc, &p->of[kind], said, sizeof said);
    return fl_fail(why, FL_FORMAT, "scanner.%s: '%.100s' is no extended regular expression: %s", names[kind], text, said);
}

enum fl_err scan_patterns_new(const char *const text[static SCAN_KINDS], struct scan_patterns **out, struct fl_why *why)
{
    struct scan_patterns *p = calloc(1, sizeof *p);
    enum fl_err err = p ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    *out = NULL;
    for (int i = 0; i < SCAN_KINDS && !err; i++)
        if (text[i])
            err = compile(p, i, text[i], why);
    if (err)
        scan_patterns_free(p);
    else
        *out = p;
    return err;
}

void scan_patterns_free(struct scan_patterns *p)
{
    for (int i = 0; p && i < SCAN_KINDS; i++)
        if (p->on[i])
            regfree(&p->of[i]);
    free(p);
}

enum fl_err scan_meaning(const struct scan_patterns *p, const char *code, enum scan_kind *kind,
                         char value[static SCAN_CODE_MAX + 1], struct fl_why *why)
{
    int found = -1;
    if (strlen(code) > SCAN_CODE_MAX || !fl_utf8_plain(code)) /* records would hold '?' in its place: two codes would be one */
        return fl_fail(why, FL_NOT_FOUND, "'%s' is no text in UTF-8 of %d bytes at most (how is the scanner set?): nothing is done", code,
                       SCAN_CODE_MAX);
    for (int i = 0; i < SCAN_KINDS; i++) {
        regmatch_t m[3]; /* all, the brackets put around it here, and the pattern's own first ones */
        if (!p->on[i] || regexec(&p->of[i], code, 3, m, 0) != 0)
            continue;
        if (found >= 0)
            return fl_fail(why, FL_EXISTS, "'%s' may be a%s %s or a %s: nothing is done", code, found == SCAN_OPERATOR ? "n" : "",
                           names[found], names[i]);
        found = i;
        const regmatch_t *take = m[2].rm_so >= 0 ? &m[2] : &m[0];
        size_t n = (size_t)(take->rm_eo - take->rm_so);
        memcpy(value, code + take->rm_so, n);
        value[n] = 0;
    }
    if (found < 0)
        return fl_fail(why, FL_NOT_FOUND, "'%s' is nothing that is scanned here: nothing is done", code);
    *kind = (enum scan_kind)found;
    return FL_OK;
}
