/* SPDX-License-Identifier: Apache-2.0 */
#include "line/label.h"

#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_MAX = 200, QR_TEXT_MAX = 1000, QR_USUAL = 4, QR_MOST = 20 };

struct label {
    char *text, *qr;
};

struct making {
    const struct attempt_facts *f;
    const struct label_source *s;
};

/* ---- fields ------------------------------------------------------------------------------------------------ */

static void mac_of(const struct making *m, char out[static FIELD_MAX])
{
    if (m->f->has_mac)
        event_mac_format(m->f->mac, 6, out);
}

static void mac_plain(const struct making *m, char out[static FIELD_MAX])
{
    for (int i = 0; i < 6 && m->f->has_mac; i++)
        (void)snprintf(out + 2 * i, 3, "%02X", m->f->mac[i]);
}

static void date_of(const struct making *m, char out[static FIELD_MAX])
{
    char text[FL_TIME_TEXT];
    fl_time_format(m->f->end_ms, text);
    (void)snprintf(out, FIELD_MAX, "%.10s", text);
}

static void time_of(const struct making *m, char out[static FIELD_MAX])
{
    char text[FL_TIME_TEXT];
    fl_time_format(m->f->end_ms, text);
    (void)snprintf(out, FIELD_MAX, "%.5s", text + 11);
}

#define TEXT_OF(name, from)                                                                        \
    static void name(const struct making *m, char out[static FIELD_MAX])                           \
    {                                                                                              \
        (void)snprintf(out, FIELD_MAX, "%s", (from) ? (from) : "");                                \
    }
TEXT_OF(serial_of, m->f->serial)
TEXT_OF(lot_of, m->f->lot)
TEXT_OF(operator_of, m->f->operator_id)
TEXT_OF(chip_of, m->f->chip)
TEXT_OF(product_of, m->s->product)
TEXT_OF(version_of, m->s->version)
TEXT_OF(station_of, m->s->station)

static void slot_of(const struct making *m, char out[static FIELD_MAX])
{
    (void)snprintf(out, FIELD_MAX, "%d", m->f->slot);
}

static const struct field {
    const char *name;
    void (*make)(const struct making *m, char out[static FIELD_MAX]);
} fields[] = {
    {"mac", mac_of},         {"mac_plain", mac_plain}, {"serial", serial_of},   {"lot", lot_of},
    {"date", date_of},       {"time", time_of},        {"product", product_of}, {"version", version_of},
    {"station", station_of}, {"operator", operator_of}, {"chip", chip_of},      {"slot", slot_of},
};

static const struct field *field_at(const char *brace)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        size_t n = strlen(fields[i].name);
        if (strncmp(brace + 1, fields[i].name, n) == 0 && brace[1 + n] == '}')
            return &fields[i];
    }
    return NULL;
}

/* "{qr}" or "{qr:5}": dots a module; 0: it is something else. */
static unsigned qr_at(const char *brace)
{
    unsigned n = 0;
    char end = 0;
    if (strncmp(brace, "{qr}", 4) == 0)
        return QR_USUAL;
    if (sscanf(brace, "{qr:%2u%c", &n, &end) != 2 || end != '}' || n < 1 || n > QR_MOST)
        return 0;
    return n;
}

/* ---- checking ----------------------------------------------------------------------------------------------- */

/* `template`: not the text of a QR code; `graphics`: there may be one in it. */
static enum fl_err check(const char *name, const char *text, bool template, bool graphics, struct fl_why *why)
{
    unsigned line = 1;
    for (const char *p = text; *p; p++) {
        line += *p == '\n';
        if (*p != '{')
            continue;
        if (p[1] == '{') {
            p++;
            continue;
        }
        if (!field_at(p) && !graphics && template && qr_at(p))
            return fl_fail(why, FL_FORMAT, "%s:%u: '%.*s' is there, but the station file does not say its text: labels.qr", name, line,
                           (int)strcspn(p, "}\n") + 1, p);
        if (!field_at(p) && !(graphics && qr_at(p))) {
            struct fl_buf list = FL_BUF(400);
            for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
                fl_buf_addf(&list, "{%s} ", fields[i].name);
            enum fl_err err = fl_fail(why, FL_FORMAT, "%s:%u: '%.*s' is no field, expected %s%s", name, line,
                                      (int)strcspn(p, "}\n") + 1, p, fl_buf_text(&list),
                                      graphics ? "or {qr}, or {{ for a brace" : "or {{ for a brace");
            fl_buf_fini(&list);
            return err;
        }
    }
    return FL_OK;
}

enum fl_err label_parse(const char *name, const char *text, const char *qr, struct label **out, struct fl_why *why)
{
    *out = NULL;
    enum fl_err err = check(name, text, true, qr != NULL, why);
    if (!err && qr)
        err = check("labels.qr", qr, false, false, why);
    if (err)
        return err;
    struct label *l = calloc(1, sizeof *l);
    if (l) {
        l->text = strdup(text);
        l->qr = qr ? strdup(qr) : NULL;
    }
    if (!l || !l->text || (qr && !l->qr)) {
        label_free(l);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    *out = l;
    return FL_OK;
}

void label_free(struct label *l)
{
    if (l) {
        free(l->text);
        free(l->qr);
    }
    free(l);
}

static bool uses(const char *text, const char *field)
{
    for (const char *p = text; p && (p = strchr(p, '{')); p++) {
        const struct field *f = field_at(p);
        if (p[1] == '{')
            p++;
        else if (f && strcmp(f->name, field) == 0)
            return true;
    }
    return false;
}

bool label_uses(const struct label *l, const char *field)
{
    return uses(l->text, field) || uses(l->qr, field);
}

/* ---- making ---------------------------------------------------------------------------------------------------- */

static void add_field(const struct making *m, const struct field *f, struct fl_buf *out)
{
    char value[FIELD_MAX] = "";
    f->make(m, value);
    for (char *p = value; *p; p++)
        if (*p == '^' || *p == '~' || (unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    fl_buf_adds(out, value);
}

/* ^GFA,t,t,w,data: t bytes in all, w bytes a row, as hex; a one is a black dot. Four modules of white around it, as the
 * standard asks. */
static enum fl_err add_qr(const char *text, unsigned dots, struct fl_buf *out, struct fl_why *why)
{
    enum { QUIET = 4 };
    QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
    if (!code)
        return fl_fail(why, FL_LIMIT, "no QR code holds '%.60s'", text);
    unsigned side = ((unsigned)code->width + 2 * QUIET) * dots, row = (side + 7) / 8;
    fl_buf_addf(out, "^GFA,%u,%u,%u,", row * side, row * side, row);
    for (unsigned y = 0; y < side; y++)
        for (unsigned byte = 0; byte < row; byte++) {
            unsigned bits = 0;
            for (unsigned x = 8 * byte; x < 8 * byte + 8; x++) {
                int mx = (int)(x / dots) - QUIET, my = (int)(y / dots) - QUIET;
                bool black = x < side && mx >= 0 && my >= 0 && mx < code->width && my < code->width &&
                             code->data[my * code->width + mx] & 1;
                bits = bits << 1 | black;
            }
            fl_buf_addf(out, "%02X", bits);
        }
    QRcode_free(code);
    return FL_OK;
}

static enum fl_err make(const char *text, const char *qr, const struct making *m, struct fl_buf *out, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    for (const char *p = text; *p && !err && !out->err; p++) {
        const struct field *f = *p == '{' ? field_at(p) : NULL;
        if (*p != '{') {
            fl_buf_addc(out, *p);
        } else if (p[1] == '{') {
            fl_buf_addc(out, *p++);
        } else if (f) {
            add_field(m, f, out);
            p = strchr(p, '}');
        } else {
            struct fl_buf code = FL_BUF(QR_TEXT_MAX);
            err = make(qr, NULL, m, &code, why);
            if (!err)
                err = fl_buf_err(&code, why);
            if (!err)
                err = add_qr(fl_buf_text(&code), qr_at(p), out, why);
            fl_buf_fini(&code);
            p = strchr(p, '}');
        }
    }
    return err;
}

enum fl_err label_make(const struct label *l, const struct attempt_facts *f, const struct label_source *s, struct fl_buf *out,
                       struct fl_why *why)
{
    const struct making m = {f, s};
    enum fl_err err = make(l->text, l->qr, &m, out, why);
    return err ? err : fl_buf_err(out, why);
}
