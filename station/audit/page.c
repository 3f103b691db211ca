/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/page.h"

#include "audit/qr.h"
#include "base/json.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Birth certificate</title>\n<style>\n"
    "@page{size:A4;margin:15mm}\nbody{font:11pt/1.4 sans-serif;max-width:180mm;margin:auto;color:#000;background:#fff}\n"
    "h1{font-size:18pt;margin:0 0 4mm}\ntable{border-collapse:collapse;margin:4mm 0}\ntd{padding:.6mm 4mm .6mm 0;vertical-align:top}\n"
    "td:first-child{color:#555}\ntd:last-child{font-family:monospace;word-break:break-all}\n"
    "svg{width:90mm;height:90mm;display:block;margin:4mm 0;shape-rendering:crispEdges}\n"
    "pre{font-size:6.5pt;white-space:pre-wrap;word-break:break-all;border:1px solid #bbb;padding:2mm}\n</style></head><body>\n"
    "<h1>Birth certificate</h1>\n";
static const char proof_mark[] = "<pre id=\"proof\">";

/* ---- writing --------------------------------------------------------------------------------------------------- */

static void add_escaped(struct fl_buf *out, const char *s)
{
    for (; *s; s++) {
        const char *as = *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : *s == '&' ? "&amp;" : *s == '"' ? "&quot;" : NULL;
        if (as)
            fl_buf_adds(out, as);
        else
            fl_buf_addc(out, *s);
    }
}

static void row(struct fl_buf *out, const char *what, const char *value)
{
    if (!*value)
        return;
    fl_buf_addf(out, "<tr><td>%s</td><td>", what);
    add_escaped(out, value);
    fl_buf_adds(out, "</td></tr>\n");
}

static void add_facts(const json_t *o, const struct checkpoint *c, struct fl_buf *out)
{
    static const struct {
        const char *key, *what;
    } fact[] = {{"mac", "unit"}, {"chip", "chip"}, {"outcome", "outcome"}, {"profile", "profile (SHA-256)"}, {"lot", "lot"},
                {"time", "recorded"}, {"station", "station"}};
    char number[80];
    fl_buf_adds(out, "<table>\n");
    for (size_t i = 0; i < sizeof fact / sizeof *fact; i++)
        row(out, fact[i].what, fl_json_text(o, fact[i].key));
    row(out, "log", c->origin);
    (void)snprintf(number, sizeof number, "%lld of %llu", (long long)fl_json_int(o, "seq", -1), (unsigned long long)c->size);
    row(out, "record", number);
    fl_buf_adds(out, "</table>\n");
}

enum fl_err page_begin(const struct proof_file *p, struct fl_buf *out, struct fl_why *why)
{
    struct checkpoint c;
    json_t *o = NULL;
    const char *blank = memmem(p->note, p->note_n, "\n\n", 2);
    enum fl_err err = blank ? checkpoint_parse(p->note, (size_t)(blank + 1 - p->note), &c, why)
                            : fl_fail(why, FL_FORMAT, "the certificate has no signed head");
    if (!err && !p->has_extra)
        err = fl_fail(why, FL_FORMAT, "the certificate holds no record");
    if (!err && memchr(p->note, '<', p->note_n)) /* anybody may add a line to a note, and a key's name may be <script>...: a browser
                                                    would show what that says, not what is proved */
        err = fl_fail(why, FL_FORMAT, "the certificate's signed head holds a '<', which no page can show");
    if (!err)
        err = fl_json_parse(p->extra.bytes, p->extra.len, &o, why);
    if (!err) {
        fl_buf_adds(out, head);
        add_facts(o, &c, out);
        err = fl_buf_err(out, why);
    }
    json_decref(o);
    return err;
}

/* One path of unit squares, a run of dark modules each; four modules of white around it, as the standard asks. */
void page_qr_begin(unsigned width, struct fl_buf *out)
{
    fl_buf_addf(out, "<svg id=\"qr\" viewBox=\"-4 -4 %u %u\" role=\"img\" aria-label=\"the proof below as a QR code\"><path d=\"", width + 8,
                width + 8);
}

void page_qr_run(unsigned x, unsigned y, unsigned n, struct fl_buf *out)
{
    fl_buf_addf(out, "M%u %uh%uv1h-%uz", x, y, n, n);
}

void page_qr_end(struct fl_buf *out)
{
    fl_buf_adds(out, "\"/></svg>\n");
}

void page_no_qr(struct fl_buf *out)
{
    fl_buf_adds(out, "<p>The proof is too large for a QR code.</p>\n");
}

void page_end(const void *proof, size_t n, struct fl_buf *out)
{
    fl_buf_adds(out, "<p>The QR code and the text below are the same file. It proves that the station's signed log holds this record. To check it: "
                     "<code>flashline-verify FILE --key</code> and the log's verifier key from paper; this page is such a FILE too.</p>\n");
    fl_buf_adds(out, proof_mark);
    fl_buf_add(out, proof, n);
    fl_buf_adds(out, "</pre>\n</body></html>\n");
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

bool page_proof(const char *page, size_t n, const char **proof, size_t *proof_n)
{
    const char *from = memmem(page, n, proof_mark, sizeof proof_mark - 1);
    if (n < 2 || *page != '<' || !from)
        return false;
    from += sizeof proof_mark - 1;
    size_t left = n - (size_t)(from - page);
    const char *to = memmem(from, left, "</pre>", 6);
    *proof_n = to ? (size_t)(to - from) : left;
    *proof = from;
    return true;
}

/* The text from `at` on is this; *at then stands behind it. */
static enum fl_err same(const char *page, size_t n, size_t *at, const struct fl_buf *want, struct fl_why *why)
{
    enum { SHOWN = 60 };
    char is[SHOWN + 1], meant[SHOWN + 1];
    size_t k = 0;
    while (k < want->len && *at + k < n && page[*at + k] == (char)want->bytes[k])
        k++;
    if (k == want->len) {
        *at += k;
        return FL_OK;
    }
    while (k > 0 && want->bytes[k - 1] != '\n') /* the line in which it stands */
        k--;
    size_t left = n - *at - k, rest = want->len - k;
    (void)snprintf(is, sizeof is, "%.*s", (int)(left < SHOWN ? left : SHOWN), page + *at + k);
    (void)snprintf(meant, sizeof meant, "%.*s", (int)(rest < SHOWN ? rest : SHOWN), (const char *)want->bytes + k);
    is[strcspn(is, "\n")] = meant[strcspn(meant, "\n")] = 0;
    fl_utf8_clean(is, false);
    return fl_fail(why, FL_MISMATCH, "the page does not show what it proves: it says '%s' where '%s' belongs", is, meant);
}

static bool take_number(const char **p, const char *end, char before, unsigned *out)
{
    unsigned v = 0;
    const char *at = *p;
    if (at == end || *at++ != before)
        return false;
    const char *digits = at;
    while (at < end && *at >= '0' && *at <= '9' && at - digits < 4)
        v = 10 * v + (unsigned)(*at++ - '0');
    *out = v;
    *p = at;
    return at > digits && (*digits != '0' || at == digits + 1);
}

/* The runs of dark modules as page_qr_run writes them, in their order; false: something else stands there. */
static bool take_runs(const char *p, const char *end, struct qr *q)
{
    struct fl_buf again = FL_BUF((size_t)(end - p) + 1);
    unsigned x, y, n, next = 0;
    const char *from = p;
    bool ok = true;
    while (ok && p < end) {
        ok = take_number(&p, end, 'M', &x) && take_number(&p, end, ' ', &y) && take_number(&p, end, 'h', &n) && n > 0 && y < q->width &&
             x + n <= q->width && y * q->width + x >= next;
        if (!ok)
            break;
        memset(&q->dark[y * q->width + x], 1, n);
        next = y * q->width + x + n;
        page_qr_run(x, y, n, &again);
        p = from + again.len;
        ok = !again.err && p <= end && memcmp(from, again.bytes, again.len) == 0;
    }
    fl_buf_fini(&again);
    return ok;
}

/* A code that holds the proof, or the sentence that it is too large for one. *at then stands behind it. */
static enum fl_err check_qr(const char *page, size_t n, size_t *at, const void *proof, size_t proof_n, struct fl_why *why)
{
    enum { QR_BYTES_MAX = 2953 }; /* version 40, level L */
    struct fl_buf want = FL_BUF(4096);
    struct qr *q = calloc(1, sizeof *q);
    const char *box = memmem(page + *at, n - *at, "viewBox=\"-4 -4", 14), *end = memmem(page + *at, n - *at, "\"/></svg>\n", 10);
    unsigned width = 0;
    enum fl_err err = q ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err && proof_n > QR_BYTES_MAX) {
        page_no_qr(&want);
        err = same(page, n, at, &want, why);
    } else if (!err) {
        const char *number = box ? box + 14 : page;
        bool ok = box && end && take_number(&number, page + n, ' ', &width) && width > 8 && qr_width_ok(width - 8);
        page_qr_begin(ok ? width - 8 : 21, &want);
        err = same(page, n, at, &want, why);
        q->width = width - 8;
        if (!err && !(ok && end >= page + *at && take_runs(page + *at, end, q) && qr_holds(q, proof, proof_n)))
            err = fl_fail(why, FL_MISMATCH, "the page does not show what it proves: its QR code holds something else than the text below it");
        else if (!err)
            *at = (size_t)(end + 10 - page);
    }
    free(q);
    fl_buf_fini(&want);
    return err;
}

enum fl_err page_check(const char *page, size_t n, const struct proof_file *p, const void *proof, size_t proof_n, struct fl_why *why)
{
    struct fl_buf want = FL_BUF(2 * PROOF_BYTES_MAX);
    size_t at = 0;
    enum fl_err err = page_begin(p, &want, why);
    if (!err)
        err = same(page, n, &at, &want, why);
    if (!err)
        err = check_qr(page, n, &at, proof, proof_n, why);
    fl_buf_clear(&want);
    if (!err) {
        page_end(proof, proof_n, &want);
        err = fl_buf_err(&want, why);
    }
    if (!err)
        err = same(page, n, &at, &want, why);
    if (!err && at != n)
        err = fl_fail(why, FL_MISMATCH, "the page does not show what it proves: something stands behind its end");
    fl_buf_fini(&want);
    return err;
}
