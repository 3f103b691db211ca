/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/import.h"

#include "base/utf8.h"
#include "esp/contents.h"
#include "profile/settings.h"
#include "profile/values.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void import_init(struct import *i)
{
    memset(i, 0, sizeof *i);
    i->from = i->told = i->refused = FL_BUF(IMPORT_TEXT_MAX);
}

void import_fini(struct import *i)
{
    for (size_t k = 0; k < i->n; k++) {
        free(i->images[k].file);
        free(i->images[k].shown);
    }
    fl_buf_fini(&i->from);
    fl_buf_fini(&i->told);
    fl_buf_fini(&i->refused);
}

/* ---- sentences ------------------------------------------------------------------------------------ */

/* A line of a text file, whatever is in it: what is not UTF-8, or is a control character, becomes '?'. */
static void add_clean(struct fl_buf *out, const char *text)
{
    size_t left = strlen(text);
    while (left) {
        size_t k = fl_utf8_len((const uint8_t *)text, left);
        if (k == 0 || (k == 1 && ((unsigned char)*text < 0x20 || *text == 0x7f)) ||
            (k == 2 && (unsigned char)text[0] == 0xc2 && (unsigned char)text[1] < 0xa0))
            fl_buf_addc(out, '?');
        else
            fl_buf_add(out, text, k);
        k = k ? k : 1;
        text += k;
        left -= k;
    }
}

static void sentence(struct fl_buf *out, const char *fmt, va_list ap) FL_PRINTF(2, 0);
static void sentence(struct fl_buf *out, const char *fmt, va_list ap)
{
    char text[FL_WHY_MAX];
    (void)vsnprintf(text, sizeof text, fmt, ap);
    add_clean(out, text);
    fl_buf_addc(out, '\n');
}

enum fl_err import_refuse(struct import *i, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    sentence(&i->refused, fmt, ap);
    va_end(ap);
    return fl_buf_err(&i->refused, NULL) == FL_NOMEM ? FL_NOMEM : FL_FORMAT;
}

void import_tell(struct import *i, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    sentence(&i->told, fmt, ap);
    va_end(ap);
}

/* ---- images ----------------------------------------------------------------------------------------- */

enum fl_err import_add(struct import *i, const char *offset, const char *file)
{
    uint64_t at = 0;
    if (offset && (!value_number(offset, &at) || at > UINT32_MAX))
        return import_refuse(i, "'%s' is no offset, expected a number like 0x1000 before '%s'", offset, file);
    if (!*file || !fl_utf8_ok((const uint8_t *)file, strlen(file)))
        return import_refuse(i, "the file name '%s' is empty or not UTF-8, expected one that a profile can hold", file);
    if (i->n == IMPORT_IMAGES_MAX)
        return import_refuse(i, "more than %d images, expected what a profile takes", IMPORT_IMAGES_MAX);
    struct import_image *m = &i->images[i->n];
    *m = (struct import_image){.placed = offset != NULL, .offset = (uint32_t)at, .file = strdup(file)};
    if (!m->file)
        return FL_NOMEM;
    i->n++;
    return FL_OK;
}

enum fl_err import_merged(struct import *i, const char *file, const uint32_t *offset)
{
    enum fl_err err = import_add(i, NULL, file);
    if (err)
        return err;
    i->images[0].placed = offset != NULL;
    i->images[0].offset = offset ? *offset : 0;
    fl_buf_adds(&i->from, "the merged image ");
    add_clean(&i->from, file);
    fl_buf_addc(&i->from, '\n');
    return FL_OK;
}

/* What a name may hold; the rest becomes '-'. */
static bool in_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
}

static void take_name(const char *text, size_t n, char out[static 65])
{
    n = n < 64 ? n : 64;
    for (size_t k = 0; k < n; k++)
        out[k] = in_name(text[k]) ? text[k] : '-';
    out[n] = 0;
}

static void see_parts(struct import *i, const struct esp_contents *c)
{
    for (size_t k = 0; k < c->n; k++) {
        const struct esp_part *p = &c->parts[k];
        if (p->kind != ESP_PART_TABLE && p->chip && p->err == FL_OK && !i->chip[0])
            (void)snprintf(i->chip, sizeof i->chip, "%s", p->chip->name);
        if (!p->is_app || p->err)
            continue;
        if (!i->name[0])
            take_name(p->app.project, strlen(p->app.project), i->name);
        if (!i->version[0])
            (void)snprintf(i->version, sizeof i->version, "%s", p->app.version);
    }
    for (size_t k = 0; c->has_table && k < c->table.n; k++) {
        uint64_t end = (uint64_t)c->table.rows[k].offset + c->table.rows[k].size;
        i->table_end = end > i->table_end ? end : i->table_end;
    }
}

static bool is_hex_file(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && (strcmp(name + n - 4, ".hex") == 0 || strcmp(name + n - 4, ".HEX") == 0);
}

enum fl_err import_see(struct import *i, size_t k, const uint8_t *bytes, size_t n)
{
    struct import_image *m = &i->images[k];
    enum fl_err err = fl_sha256(bytes, n, m->sha256);
    struct esp_contents *c = err ? NULL : calloc(1, sizeof *c);
    if (!c)
        return FL_NOMEM;
    m->size = n;
    if (is_hex_file(m->file) && n && bytes[0] == ':') {
        err = import_refuse(i, "'%s' is Intel HEX, which a profile cannot hold; convert it to plain bytes first", m->file);
        goto out;
    }
    esp_contents_read(bytes, n, c);
    see_parts(i, c);
    if (!m->placed && c->based) {
        m->offset = c->base;
        m->placed = true;
    }
    if (!m->placed)
        err = import_refuse(i, "where '%s' belongs does not show from what it holds, expected an offset (--offset)", m->file);
out:
    free(c);
    return err;
}

/* ---- YAML --------------------------------------------------------------------------------------------- */

/* What stands for itself between double quotes; YAML takes the rest for a line's end or refuses it, so it is escaped. */
static bool stands(uint32_t c)
{
    return (c >= 0x20 && c < 0x7f) || (c > 0xa0 && c != 0x2028 && c != 0x2029 && c != 0xfeff && c != 0xfffe && c != 0xffff);
}

static void add_quoted(struct fl_buf *out, const char *text)
{
    size_t left = strlen(text);
    fl_buf_addc(out, '"');
    for (const uint8_t *p = (const uint8_t *)text; left;) {
        size_t n = fl_utf8_len(p, left);
        uint32_t c = n == 0 ? '?' : n == 1 ? *p : *p & (0x7fu >> n);
        for (size_t i = 1; i < n; i++)
            c = c << 6 | (p[i] & 0x3fu);
        n = n ? n : 1;
        if (c == '"' || c == '\\')
            fl_buf_addc(out, '\\');
        if (!stands(c))
            fl_buf_addf(out, c > 0xff ? "\\u%04x" : "\\x%02x", (unsigned)c);
        else if (c == '?')
            fl_buf_addc(out, '?');
        else
            fl_buf_add(out, p, n);
        p += n;
        left -= n;
    }
    fl_buf_addc(out, '"');
}

/* A name without quotes where YAML takes it so: not "-", nor what was given for one and is none. */
static void add_name(struct fl_buf *out, const char *name)
{
    bool plain = in_name(*name);
    for (const char *p = name; *p; p++)
        plain &= in_name(*p) || *p == '-';
    if (plain)
        fl_buf_adds(out, name);
    else
        add_quoted(out, name);
}

static void add_comment(struct fl_buf *out, const char *lead, const struct fl_buf *lines)
{
    for (const char *p = fl_buf_text(lines); *p;) {
        size_t n = strcspn(p, "\n");
        fl_buf_addf(out, "# %s%.*s\n", lead, (int)n, p);
        p += n + (p[n] != 0);
    }
}

static int by_offset(const void *a, const void *b)
{
    const struct import_image *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* `, ` between settings; the first opens the braces. */
static void setting(struct fl_buf *out, const char *map, bool *open, const char *name, const char *value)
{
    if (!value[0])
        return;
    if (!*open)
        fl_buf_addf(out, "%s: {%s: %s", map, name, value);
    else
        fl_buf_addf(out, ", %s: %s", name, value);
    *open = true;
}

static void name_it(struct import *i)
{
    size_t big = 0;
    if (i->name[0] || !i->n)
        return;
    for (size_t k = 1; k < i->n; k++)
        big = i->images[k].size > i->images[big].size ? k : big;
    const char *file = i->images[big].file;
    for (const char *p = file; *p; p++)
        if ((*p == '/' || *p == '\\') && p[1])
            file = p + 1;
    const char *dot = strrchr(file, '.');
    take_name(file, dot && dot > file ? (size_t)(dot - file) : strlen(file), i->name);
}

/* The smallest flash on sale that holds the table's partitions, and not less than what the header shall say. */
static void add_gate(const struct import *i, struct fl_buf *out)
{
    uint64_t need = 256u << 10, said = 0;
    if (!i->table_end || i->table_end > 128u << 20)
        return;
    while (need < i->table_end)
        need *= 2;
    if (profile_parse_size(i->size, &said) && said > need)
        need = said;
    fl_buf_addf(out, "# the partition table reaches to 0x%llx\n", (unsigned long long)i->table_end);
    fl_buf_addf(out, need % (1 << 20) ? "gate: {flash_size: %lluKB}\n" : "gate: {flash_size: %lluMB}\n",
                (unsigned long long)need >> (need % (1 << 20) ? 10 : 20));
}

static void add_settings(const struct import *i, struct fl_buf *out)
{
    char baud[16] = "";
    bool serial = false, flash = false;
    if (i->baud)
        (void)snprintf(baud, sizeof baud, "%u", i->baud);
    setting(out, "serial", &serial, "baud", baud);
    setting(out, "serial", &serial, "reset", i->reset_none ? "none" : "");
    setting(out, "serial", &serial, "stub", i->stub_never ? "never" : "");
    fl_buf_adds(out, serial ? "}\n" : "");
    setting(out, "flash", &flash, "mode", i->mode);
    setting(out, "flash", &flash, "freq", i->freq);
    setting(out, "flash", &flash, "size", i->size);
    setting(out, "flash", &flash, "erase", i->erase_all ? "all" : "");
    fl_buf_adds(out, flash ? "}\n" : "");
}

enum fl_err import_yaml(struct import *i, struct fl_buf *out)
{
    char sha[2 * FL_SHA256_SIZE + 1];
    if (i->n == 0)
        return import_refuse(i, "there is no image in it, expected at least one");
    if (!i->chip[0])
        return import_refuse(i, "the chip is neither said nor does it show from an image, expected it to be named");
    name_it(i);
    qsort(i->images, i->n, sizeof *i->images, by_offset);
    fl_buf_adds(out, "# Made by `flashline profile import` from\n");
    add_comment(out, "  ", &i->from);
    add_comment(out, "Not taken over: ", &i->told);
    fl_buf_adds(out, "profile: ");
    add_name(out, i->name);
    fl_buf_addc(out, '\n');
    if (i->version[0]) {
        fl_buf_adds(out, "version: ");
        add_quoted(out, i->version);
        fl_buf_addc(out, '\n');
    }
    fl_buf_addf(out, "chip: %s\n", i->chip);
    add_gate(i, out);
    add_settings(i, out);
    fl_buf_adds(out, "images:\n");
    for (size_t k = 0; k < i->n; k++) {
        const struct import_image *m = &i->images[k];
        fl_hex(m->sha256, sizeof m->sha256, sha);
        fl_buf_addf(out, "  - offset: 0x%x\n    file: ", m->offset);
        add_quoted(out, m->shown ? m->shown : m->file);
        fl_buf_addf(out, "\n    sha256: %s\n", sha);
    }
    return fl_buf_err(out, NULL);
}

void import_relative(const char *folder, const char *file, struct fl_buf *out)
{
    size_t same = 1, at = 1; /* both begin with '/' */
    for (;; at++) {
        bool folder_ends = folder[at] == 0 || folder[at] == '/', file_ends = file[at] == '/';
        if (folder_ends && file_ends)
            same = at + 1;
        if (folder[at] == 0 || file[at] == 0 || folder[at] != file[at])
            break;
    }
    if (folder[1] == 0)
        same = 1;
    for (const char *p = folder + (strlen(folder) < same ? strlen(folder) : same); *p; p++)
        if (p[0] != '/' && (p[1] == '/' || p[1] == 0))
            fl_buf_adds(out, "../");
    fl_buf_adds(out, file + same);
}
