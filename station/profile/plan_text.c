/* SPDX-License-Identifier: Apache-2.0
 * A plan's JSON as text for people. Reads nothing else, so that what is printed is what the JSON says. */
#include "profile/profile.h"

#include <string.h>

typedef long long big;

static const json_t *at(const json_t *o, const char *key)
{
    return json_object_get(o, key);
}

static big num(const json_t *o, const char *key)
{
    return (big)fl_json_int(o, key, 0);
}

static void add_size(big bytes, struct fl_buf *out)
{
    if (bytes >= 1 << 20 && bytes % (1 << 20) == 0)
        fl_buf_addf(out, "%lld MB", bytes >> 20);
    else
        fl_buf_addf(out, "%lld KB", bytes >> 10);
}

/* A number of bytes, or the word that stands in its place. */
static void add_size_or_word(const json_t *v, struct fl_buf *out)
{
    if (json_is_integer(v))
        add_size((big)json_integer_value(v), out);
    else
        fl_buf_adds(out, json_string_value(v));
}

static void gate_line(const json_t *g, struct fl_buf *out)
{
    big min = num(g, "min_revision");
    const json_t *max = at(g, "max_revision"), *size = at(g, "flash_size");
    fl_buf_addf(out, "  gate        revision %lld.%lld ", min / 100, min % 100);
    if (json_is_integer(max))
        fl_buf_addf(out, "to %lld.%lld", (big)json_integer_value(max) / 100, (big)json_integer_value(max) % 100);
    else
        fl_buf_adds(out, "and later");
    fl_buf_adds(out, "; flash ");
    add_size_or_word(size, out);
    fl_buf_addf(out, "%s; secure boot %s; flash encryption %s\n", json_is_integer(size) ? " or more" : "",
                fl_json_text(g, "secure_boot"), fl_json_text(g, "flash_encryption"));
}

static void serial_line(const json_t *s, struct fl_buf *out)
{
    const json_t *down = at(s, "step_down"), *v;
    size_t i;
    fl_buf_addf(out, "  serial      %lld", num(s, "baud"));
    json_array_foreach(down, i, v)
        fl_buf_addf(out, "%s%lld", i ? ", " : ", down to ", (big)json_integer_value(v));
    fl_buf_addf(out, "; reset %s; stub %s\n", fl_json_text(s, "reset"), fl_json_text(s, "stub"));
}

static void flash_line(const json_t *plan, struct fl_buf *out)
{
    const json_t *f = at(plan, "flash"), *h = at(plan, "header");
    fl_buf_addf(out, "  flash       mode %s, freq %s, size ", fl_json_text(f, "mode"), fl_json_text(f, "freq"));
    add_size_or_word(at(f, "size"), out);
    fl_buf_addf(out, "; erase %s; %s\n", fl_json_text(f, "erase"),
                json_is_true(at(f, "skip_matching")) ? "regions that match already are skipped"
                                                     : "every region is written");
    const char *secured = fl_json_text(f, "secured");
    if (*secured)
        fl_buf_addf(out, "  secured     %s\n", strcmp(secured, "as_is") == 0
                                                   ? "the files are encrypted already, and proved by MD5 as they are"
                                                   : "units that cannot prove what they hold are written and do not pass");
    if (!json_is_object(h))
        return;
    fl_buf_addf(out, "  header      at 0x%llx: %s, %s, ", num(h, "offset"), fl_json_text(h, "mode"),
                fl_json_text(h, "freq"));
    add_size(num(h, "size"), out);
    fl_buf_adds(out, json_is_true(at(h, "changed")) ? " (set here, hash made anew)" : " (as in the file)");
    if (strcmp(fl_json_text(f, "size"), "detect") == 0)
        fl_buf_adds(out, num(plan, "flash_size") ? ", for this size of flash"
                                                 : "; the size will be what each unit has");
    fl_buf_addc(out, '\n');
}

static void boot_check_line(const json_t *b, struct fl_buf *out)
{
    if (!json_is_object(b)) {
        fl_buf_adds(out, "  boot check  none\n");
        return;
    }
    fl_buf_addf(out, "  boot check  %lld ms at %lld:", num(b, "within"), num(b, "baud"));
    if (json_is_string(at(b, "expect")))
        fl_buf_addf(out, " \"%s\" must appear", fl_json_text(b, "expect"));
    if (json_is_string(at(b, "fail")))
        fl_buf_addf(out, "%s \"%s\" must not", json_is_string(at(b, "expect")) ? "," : "", fl_json_text(b, "fail"));
    fl_buf_addc(out, '\n');
    size_t i;
    const json_t *m;
    json_array_foreach(at(b, "measure"), i, m)
        fl_buf_addf(out, "  measure     %s from \"%s\", %s\n", fl_json_text(m, "name"), fl_json_text(m, "text"),
                    json_is_string(at(m, "limits")) ? fl_json_text(m, "limits") : "no limits");
}

static void hook_line(const json_t *plan, const char *when, struct fl_buf *out)
{
    const json_t *h = at(plan, when), *v;
    size_t i;
    if (!json_is_object(h))
        return;
    fl_buf_addf(out, "  %-11s", when);
    json_array_foreach(at(h, "run"), i, v)
        fl_buf_addf(out, " %s", json_string_value(v));
    fl_buf_addf(out, " (%sat most %lld ms)\n", json_is_true(at(h, "shell")) ? "by a shell, " : "", num(h, "within"));
}

static void image_table(const json_t *images, struct fl_buf *out)
{
    size_t i;
    const json_t *v;
    fl_buf_addf(out, "\n  %-10s %10s  %-64s  %s\n", "image at", "bytes", "sha256", "file");
    json_array_foreach(images, i, v)
        fl_buf_addf(out, "  0x%08llx %10lld  %-64s  %s\n", num(v, "offset"), num(v, "size"), fl_json_text(v, "sha256"),
                    fl_json_text(v, "file"));
}

static void seconds(big ms, struct fl_buf *out)
{
    fl_buf_addf(out, "%7lld.%02lld", ms / 1000, ms % 1000 / 10);
}

static void region_table(const json_t *plan, struct fl_buf *out)
{
    const json_t *totals = at(plan, "totals"), *v;
    size_t i;
    fl_buf_addf(out, "\n  %-10s %10s %10s %10s %10s  %-8s  %s\n", "region at", "bytes", "sent", "on wire", "seconds",
                "as", "md5 in flash");
    json_array_foreach(at(plan, "regions"), i, v) {
        fl_buf_addf(out, "  0x%08llx %10lld %10lld %10lld ", num(v, "offset"), num(v, "size"), num(v, "bytes"),
                    num(v, "wire_bytes"));
        seconds(num(v, "wire_ms"), out);
        fl_buf_addf(out, "  %-8s  %s\n", fl_json_text(v, "send"), fl_json_text(v, "md5"));
    }
    fl_buf_addf(out, "  %-10s %10lld %10lld %10lld ", "all", num(totals, "size"), num(totals, "bytes"),
                num(totals, "wire_bytes"));
    seconds(num(totals, "wire_ms"), out);
    fl_buf_addf(out, "  at %lld baud, the bits alone\n", num(at(plan, "serial"), "baud"));
}

enum fl_err profile_plan_text(const json_t *plan, struct fl_buf *out)
{
    const json_t *notes = at(plan, "notes"), *v;
    size_t i;
    fl_buf_addf(out, "%s %s for %s\n", fl_json_text(plan, "profile"), fl_json_text(plan, "version"),
                fl_json_text(plan, "chip"));
    fl_buf_addf(out, "  hash        %s\n", fl_json_text(plan, "hash"));
    gate_line(at(plan, "gate"), out);
    serial_line(at(plan, "serial"), out);
    flash_line(plan, out);
    hook_line(plan, "before", out);
    boot_check_line(at(plan, "boot_check"), out);
    hook_line(plan, "after", out);
    fl_buf_addf(out, "  attempts    %lld; every region compared by %s\n", num(at(plan, "retry"), "attempts"),
                fl_json_text(plan, "verify"));
    image_table(at(plan, "images"), out);
    region_table(plan, out);
    json_array_foreach(notes, i, v)
        fl_buf_addf(out, "%snote: %s\n", i ? "" : "\n", json_string_value(v));
    return fl_buf_err(out, NULL);
}
