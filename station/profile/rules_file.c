/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/rules_file.h"

#include "profile/settings.h"

#include <stddef.h>
#include <string.h>

enum { SAMPLES_MAX = 8 }; /* golden and known-bad together, as line/rules.h */

static enum fl_err check_mac(const char *text, struct fl_why *why)
{
    static const char hex[] = "0123456789abcdefABCDEF";
    bool ok = strlen(text) == 17;
    for (size_t i = 0; ok && i < 17; i++)
        ok = i % 3 == 2 ? strchr(":-", text[i]) != NULL : strchr(hex, text[i]) != NULL;
    return ok ? FL_OK : fl_fail(why, FL_FORMAT, "a MAC like 24:6f:28:00:00:01");
}

#define AT(of, member) offsetof(struct of, member)
#define END {.name = NULL}
static const struct key limits_keys[] = {
    {.name = "consecutive", .type = KEY_COUNT, .at = AT(rules_limits_said, consecutive), .min = 1, .max = 1000,
     .unset = "no such rule", .help = "So many attempts in a row that do not pass stop it."},
    {.name = "same_fault", .type = KEY_COUNT, .at = AT(rules_limits_said, same_fault), .min = 1, .max = 255,
     .unset = "no such rule", .help = "So many attempts that end with one fault, in a row or not, stop it."},
    {.name = "yield", .type = KEY_COUNT, .at = AT(rules_limits_said, yield), .min = 1, .max = 100, .unset = "no such rule",
     .help = "Percent of the units that must pass at their first attempt, once `after` units ran."},
    {.name = "after", .type = KEY_COUNT, .at = AT(rules_limits_said, after), .min = 1, .max = 100000,
     .unset = "no such rule", .help = "Goes with `yield`."},
    END,
};
static const struct key shift_keys[] = {
    {.name = "golden", .type = KEY_TEXTS, .at = 0, .min = 1, .max = 17, .unset = "none", .check = check_mac,
     .help = "MACs of boards that must be shown at the start of a line and must pass before anything is made."},
    {.name = "known_bad", .type = KEY_TEXTS, .at = sizeof(struct key_texts), .min = 1, .max = 17, .unset = "none",
     .check = check_mac, .help = "Likewise boards that must fail. At most eight in all."},
    END,
};
static const struct key serial_keys[] = {
    {.name = "template", .type = KEY_TEXT, .required = true, .at = 0, .min = 1, .max = 63,
     .help = "How a serial number is made: `{n}` or `{n:6}` the counter, `{yy}` `{yyyy}` `{mm}` `{dd}` `{ww}` the date in "
             "UTC, `{lot}`."},
    {.name = "first", .type = KEY_COUNT, .at = AT(rules_serial_said, first), .min = 1, .max = 1000000000, .unset = "1",
     .help = "Where the counter begins."},
    END,
};
const struct key rules_keys[] = {
    {.name = "slot", .type = KEY_MAP, .at = AT(rules_said, slot), .keys = limits_keys, .unset = "a slot is not closed by itself",
     .help = "When a slot is closed."},
    {.name = "line", .type = KEY_MAP, .at = AT(rules_said, line), .keys = limits_keys, .unset = "the line does not stop by itself",
     .help = "When the whole line stops."},
    {.name = "shift", .type = KEY_MAP, .at = AT(rules_said, golden), .keys = shift_keys, .unset = "production is open at once",
     .help = "Boards that are shown at the start of a line, before anything else is let in."},
    {.name = "serial", .type = KEY_MAP, .at = AT(rules_said, serial), .keys = serial_keys, .unset = "units get no numbers",
     .help = "Serial numbers: one for each unit that passes, never twice."},
    {.name = "takt", .type = KEY_COUNT, .at = AT(rules_said, takt), .min = 1, .max = 86400, .unset = "not shown",
     .help = "Seconds wanted from unit to unit."},
    END,
};

/* ---- what no table can say --------------------------------------------------------------------------------- */

static struct place place_of(const struct node *map, const char *key)
{
    const struct node *n = tree_get(map, key);
    return n ? n->key_at : map->at;
}

static void check_limits(const struct node *root, const char *name, const struct rules_limits_said *l, struct critic *c)
{
    const struct node *map = tree_get(root, name);
    if (map && map->kind == NODE_MAP && !tree_get(map, "yield") != !tree_get(map, "after"))
        critic_problem(c, place_of(map, l->yield ? "yield" : "after"), "%s.%s stands alone, expected yield and after together",
                       name, tree_get(map, "yield") ? "yield" : "after");
}

static void check_whole(const struct node *root, const struct rules_said *r,
                        enum fl_err (*template_check)(const char *text, struct fl_why *why), struct critic *c)
{
    struct fl_why why = {0, ""};
    check_limits(root, "slot", &r->slot, c);
    check_limits(root, "line", &r->line, c);
    if (r->golden.n + r->known_bad.n > SAMPLES_MAX)
        critic_problem(c, place_of(root, "shift"), "shift has %zu boards, expected at most %d", r->golden.n + r->known_bad.n,
                       SAMPLES_MAX);
    if (r->serial.template && template_check(r->serial.template, &why))
        critic_problem(c, tree_get(tree_get(root, "serial"), "template")->at, "%s", why.text);
}

/* ---- as a lot keeps them ------------------------------------------------------------------------------------ */

static bool set(json_t *o, const char *key, json_t *v)
{
    return v && json_object_set_new(o, key, v) == 0;
}

static bool number(json_t *o, const char *key, uint32_t v)
{
    return !v || set(o, key, json_integer(v));
}

/* Adds what is not empty. */
static bool map(json_t *o, const char *key, json_t *m)
{
    if (m && json_object_size(m))
        return set(o, key, m);
    json_decref(m);
    return m != NULL;
}

static json_t *limits(const struct rules_limits_said *l)
{
    json_t *o = json_object();
    if (o && number(o, "consecutive", l->consecutive) && number(o, "same_fault", l->same_fault) && number(o, "yield", l->yield) &&
        number(o, "after", l->after))
        return o;
    json_decref(o);
    return NULL;
}

static bool texts(json_t *o, const char *key, const struct key_texts *t)
{
    json_t *list = t->n ? json_array() : NULL;
    bool ok = !t->n || list;
    for (size_t i = 0; ok && i < t->n; i++)
        ok = json_array_append_new(list, json_string(t->list[i])) == 0;
    if (ok)
        return !t->n || set(o, key, list);
    json_decref(list);
    return false;
}

static json_t *as_kept(const struct rules_said *r)
{
    json_t *o = json_object(), *shift = json_object(), *serial = json_object();
    bool ok = o && shift && serial && texts(shift, "golden", &r->golden) && texts(shift, "known_bad", &r->known_bad) &&
              (!r->serial.template || set(serial, "template", json_string(r->serial.template))) &&
              number(serial, "first", r->serial.first) && number(o, "takt", r->takt);
    ok = map(o, "shift", shift) && ok; /* taken, whatever comes */
    ok = map(o, "serial", serial) && ok;
    ok = ok && map(o, "slot", limits(&r->slot)) && map(o, "line", limits(&r->line));
    if (ok)
        return o;
    json_decref(o);
    return NULL;
}

enum fl_err rules_file_load(const char *path, enum fl_err (*template_check)(const char *text, struct fl_why *why), json_t **out,
                            struct profile_problems *problems)
{
    struct profile_problems notes = {NULL, 0};
    struct critic c = {.path = path, .problems = problems, .notes = &notes};
    struct rules_said r = {.takt = 0};
    struct fl_buf text = FL_BUF(TREE_BYTES_MAX);
    struct node *tree = tree_load(path, rules_keys, &text, &c);
    *out = NULL;
    if (tree) {
        schema_read(rules_keys, tree, &r, &c);
        check_whole(tree, &r, template_check, &c);
    }
    critic_sort(&c);
    enum fl_err err = c.err;
    if (!err && !(*out = as_kept(&r)))
        err = FL_NOMEM;
    tree_free(tree);
    fl_buf_fini(&text);
    profile_problems_fini(&notes);
    return err;
}
