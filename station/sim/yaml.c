/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/yaml.h"

#include "base/file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 20 };

void sim_yaml_fail(struct sim_yaml *y, const yaml_node_t *at, const char *fmt, ...)
{
    char text[FL_WHY_MAX];
    va_list ap;
    if (y->err)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    y->err = fl_fail(y->why, FL_FORMAT, "%s:%zu:%zu: %s", y->file, at ? at->start_mark.line + 1 : 1,
                     at ? at->start_mark.column + 1 : 1, text);
}

void sim_yaml_open(struct sim_yaml *y, const char *file, yaml_node_t **root, struct fl_why *why)
{
    struct fl_buf text = FL_BUF(FILE_MAX);
    yaml_parser_t p;
    *y = (struct sim_yaml){.file = file, .why = why};
    *root = NULL;
    y->err = fl_file_read(file, &text, why);
    if (!y->err && !yaml_parser_initialize(&p))
        y->err = fl_fail(why, FL_NOMEM, "out of memory");
    if (!y->err) {
        static const unsigned char nothing[1] = {0};
        yaml_parser_set_input_string(&p, text.len ? text.bytes : nothing, text.len);
        y->open = yaml_parser_load(&p, &y->doc) == 1;
        if (!y->open)
            y->err = fl_fail(why, FL_FORMAT, "%s:%zu:%zu: %s", file, p.problem_mark.line + 1,
                             p.problem_mark.column + 1, p.problem ? p.problem : "not YAML");
        else
            *root = yaml_document_get_root_node(&y->doc);
        yaml_parser_delete(&p);
    }
    fl_buf_fini(&text);
}

enum fl_err sim_yaml_close(struct sim_yaml *y)
{
    if (y->open)
        yaml_document_delete(&y->doc);
    y->open = false;
    return y->err;
}

static yaml_node_t *node(struct sim_yaml *y, int index)
{
    return yaml_document_get_node(&y->doc, index);
}

static const char *scalar(const yaml_node_t *n)
{
    return n && n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
}

yaml_node_t *sim_yaml_get(struct sim_yaml *y, yaml_node_t *map, const char *key)
{
    if (y->err || !map || map->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const char *k = scalar(node(y, p->key));
        if (k && strcmp(k, key) == 0)
            return node(y, p->value);
    }
    return NULL;
}

static bool given_before(struct sim_yaml *y, yaml_node_t *map, const yaml_node_pair_t *until,
                         const char *key)
{
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < until; p++) {
        const char *k = scalar(node(y, p->key));
        if (k && strcmp(k, key) == 0)
            return true;
    }
    return false;
}

/* "chip, mac, ..." for a message */
static void list_keys(const struct sim_key *keys, char *out, size_t cap)
{
    size_t n = 0;
    out[0] = 0;
    for (; keys->name && n < cap; keys++)
        n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? ", " : "", keys->name);
}

void sim_yaml_map(struct sim_yaml *y, yaml_node_t *map, const struct sim_key *keys, void *to)
{
    if (y->err)
        return;
    if (!map || map->type != YAML_MAPPING_NODE) {
        sim_yaml_fail(y, map, "expected keys and values");
        return;
    }
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *kn = node(y, p->key);
        const char *k = scalar(kn);
        const struct sim_key *row = keys;
        while (k && row->name && strcmp(row->name, k) != 0)
            row++;
        if (!k || !row->name) {
            char known[300];
            list_keys(keys, known, sizeof known);
            sim_yaml_fail(y, kn, "there is no key '%s' here; known are %s", k ? k : "?", known);
        } else if (given_before(y, map, p, k)) {
            sim_yaml_fail(y, kn, "'%s' stands here twice", k);
        } else {
            row->take(y, node(y, p->value), to);
        }
        if (y->err)
            return;
    }
}

void sim_yaml_each(struct sim_yaml *y, yaml_node_t *list,
                   void (*take)(struct sim_yaml *y, yaml_node_t *item, void *to), void *to)
{
    if (y->err)
        return;
    if (!list || list->type != YAML_SEQUENCE_NODE) {
        sim_yaml_fail(y, list, "expected a list");
        return;
    }
    yaml_node_item_t *i = list->data.sequence.items.start;
    for (; i < list->data.sequence.items.top && !y->err; i++)
        take(y, node(y, *i), to);
}

const char *sim_yaml_text(struct sim_yaml *y, yaml_node_t *v)
{
    const char *s = scalar(v);
    if (!s)
        sim_yaml_fail(y, v, "expected one value");
    return s ? s : "";
}

/* The digits at the start of `s`; what is behind them in *rest; false when there are none. */
static bool digits(const char *s, uint64_t *v, const char **rest)
{
    char *end;
    bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
    if (s[0] < '0' || s[0] > '9')
        return false;
    errno = 0;
    *v = strtoull(s, &end, hex ? 16 : 10);
    *rest = end;
    return errno == 0;
}

uint64_t sim_yaml_number(struct sim_yaml *y, yaml_node_t *v, uint64_t max)
{
    const char *s = sim_yaml_text(y, v), *rest = "";
    uint64_t n = 0;
    if (!y->err && (!digits(s, &n, &rest) || *rest))
        sim_yaml_fail(y, v, "expected a whole number, not '%s'", s);
    else if (!y->err && n > max)
        sim_yaml_fail(y, v, "%s is too large: at most %llu", s, (unsigned long long)max);
    return y->err ? 0 : n;
}

uint32_t sim_yaml_size(struct sim_yaml *y, yaml_node_t *v)
{
    static const struct {
        const char *unit;
        uint64_t factor;
    } units[] = {{"", 1}, {"K", 1024}, {"KB", 1024}, {"M", 1048576}, {"MB", 1048576}};
    const char *s = sim_yaml_text(y, v), *rest = "";
    uint64_t n = 0;
    if (!y->err && digits(s, &n, &rest) && n <= UINT32_MAX)
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            if (strcmp(rest, units[i].unit) == 0 && n * units[i].factor <= UINT32_MAX)
                return (uint32_t)(n * units[i].factor);
    sim_yaml_fail(y, v, "expected a size as 4MB or 0x400000, not '%s'", s);
    return 0;
}

double sim_yaml_real(struct sim_yaml *y, yaml_node_t *v, double min, double max)
{
    const char *s = sim_yaml_text(y, v);
    char *end;
    double d = strtod(s, &end);
    if (!y->err && (end == s || *end || !(d >= min && d <= max)))
        sim_yaml_fail(y, v, "expected a number from %g to %g, not '%s'", min, max, s);
    return y->err ? 0 : d;
}

bool sim_yaml_bool(struct sim_yaml *y, yaml_node_t *v)
{
    static const char *const names[] = {"false", "true", "no", "yes", "off", "on", NULL};
    return sim_yaml_choice(y, v, names) % 2 == 1;
}

unsigned sim_yaml_choice(struct sim_yaml *y, yaml_node_t *v, const char *const *names)
{
    const char *s = sim_yaml_text(y, v);
    char known[300];
    size_t n = 0;
    for (unsigned i = 0; names[i]; i++) {
        if (strcmp(names[i], s) == 0)
            return i;
        if (n < sizeof known)
            n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", names[i]);
    }
    sim_yaml_fail(y, v, "'%s' is none of %s", s, known);
    return 0;
}
