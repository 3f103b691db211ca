/* SPDX-License-Identifier: Apache-2.0 */
#include "prove/certificate_page.h"

#include "audit/proof_file.h"
#include "base/json.h"

#include <errno.h>
#include <qrencode.h>
#include <string.h>

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Birth certificate</title>\n<style>\n"
    "@page{size:A4;margin:15mm}\nbody{font:11pt/1.4 sans-serif;max-width:180mm;margin:auto;color:#000;background:#fff}\n"
    "h1{font-size:18pt;margin:0 0 4mm}\ntable{border-collapse:collapse;margin:4mm 0}\ntd{padding:.6mm 4mm .6mm 0;vertical-align:top}\n"
    "td:first-child{color:#555}\ntd:last-child{font-family:monospace;word-break:break-all}\n"
    "svg{width:90mm;height:90mm;display:block;margin:4mm 0;shape-rendering:crispEdges}\n"
    "pre{font-size:6.5pt;white-space:pre-wrap;word-break:break-all;border:1px solid #bbb;padding:2mm}\n</style></head><body>\n"
    "<h1>Birth certificate</h1>\n";

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

/* One path of unit squares, a run of dark modules each; four modules of white around it, as the standard asks. */
static enum fl_err add_qr(const struct fl_buf *proof, struct fl_buf *out, struct fl_why *why)
{
    QRcode *qr = QRcode_encodeData((int)proof->len, proof->bytes, 0, QR_ECLEVEL_L);
    if (!qr && errno == ERANGE) {
        fl_buf_adds(out, "<p>The proof is too large for a QR code.</p>\n");
        return FL_OK;
    }
    if (!qr)
        return fl_fail(why, FL_NOMEM, "out of memory");
    int w = qr->width;
    fl_buf_addf(out, "<svg id=\"qr\" viewBox=\"-4 -4 %d %d\" role=\"img\" aria-label=\"the proof below as a QR code\">"
                     "<path d=\"", w + 8, w + 8);
    for (int y = 0; y < w; y++)
        for (int x = 0; x < w; x++) {
            int run = 0;
            while (x + run < w && qr->data[y * w + x + run] & 1)
                run++;
            if (run)
                fl_buf_addf(out, "M%d %dh%dv1h-%dz", x, y, run, run);
            x += run;
        }
    fl_buf_adds(out, "\"/></svg>\n");
    QRcode_free(qr);
    return FL_OK;
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

static enum fl_err page(const struct fl_buf *proof, const struct proof_file *p, const json_t *o, struct fl_buf *out,
                        struct fl_why *why)
{
    struct checkpoint c;
    const char *blank = memmem(p->note, p->note_n, "\n\n", 2);
    enum fl_err err = blank ? checkpoint_parse(p->note, (size_t)(blank + 1 - p->note), &c, why)
                            : fl_fail(why, FL_FORMAT, "the certificate has no signed head");
    if (err)
        return err;
    fl_buf_adds(out, head);
    add_facts(o, &c, out);
    err = add_qr(proof, out, why);
    fl_buf_adds(out, "<p>The QR code and the text below are the same file. It proves that the station's signed log holds this record. To check it: "
                     "<code>flashline-verify FILE --key</code> and the log's verifier key from paper; this page is such a FILE too.</p>\n"
                     "<pre id=\"proof\">");
    fl_buf_add(out, proof->bytes, proof->len);
    fl_buf_adds(out, "</pre>\n</body></html>\n");
    return err;
}

enum fl_err certificate_page(const struct fl_buf *proof, struct fl_buf *out, struct fl_why *why)
{
    struct proof_file p;
    json_t *o = NULL;
    enum fl_err err = proof_file_parse(proof->bytes, proof->len, &p, why);
    if (!err && !p.has_extra)
        err = fl_fail(why, FL_FORMAT, "the certificate holds no record");
    if (!err)
        err = fl_json_parse(p.extra.bytes, p.extra.len, &o, why);
    if (!err)
        err = page(proof, &p, o, out, why);
    json_decref(o);
    proof_file_fini(&p);
    return err ? err : fl_buf_err(out, why);
}
