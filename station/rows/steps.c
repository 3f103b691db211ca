/* SPDX-License-Identifier: Apache-2.0 */
#include "rows/steps.h"

#include "event/event.h"
#include "store/shapes.h"

#include <stdlib.h>

enum { KEPT = 32 };

struct steps {
    struct shapes *shapes;
    json_t *leaf; /* that was asked for last; owned */
    struct {
        int64_t index;
        json_t *leaf; /* owned; NULL: free */
    } kept[KEPT];
    size_t next;
    struct step_told told[ATTEMPT_STEPS_MAX];
};

enum fl_err steps_new(sqlite3 *db, struct steps **out, struct fl_why *why)
{
    struct steps *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err err = shapes_new(db, &s->shapes, why);
    if (err)
        steps_free(s);
    else
        *out = s;
    return err;
}

void steps_free(struct steps *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < KEPT; i++)
        json_decref(s->kept[i].leaf);
    json_decref(s->leaf);
    shapes_free(s->shapes);
    free(s);
}

static enum fl_err read_record(struct steps *s, int64_t index, json_t **out, struct fl_why *why)
{
    const uint8_t *rec;
    size_t n;
    enum fl_err err = shapes_record(s->shapes, index, &rec, &n, why);
    return err ? err : fl_json_parse(rec, n, out, why);
}

/* A record that tells the names: few are referred to by many. */
static enum fl_err kept(struct steps *s, int64_t index, const json_t **out, struct fl_why *why)
{
    json_t *leaf = NULL;
    for (size_t i = 0; i < KEPT; i++)
        if (s->kept[i].leaf && s->kept[i].index == index) {
            *out = s->kept[i].leaf;
            return FL_OK;
        }
    enum fl_err err = read_record(s, index, &leaf, why);
    if (err)
        return err;
    json_decref(s->kept[s->next].leaf);
    s->kept[s->next].leaf = leaf;
    s->kept[s->next].index = index;
    s->next = (s->next + 1) % KEPT;
    *out = leaf;
    return FL_OK;
}

/* [name, ms, rungs?], or where another record tells the names: ms or [ms, rungs]. */
static struct step_told told(const json_t *names, size_t i, const json_t *e)
{
    const size_t at = names ? 0 : 1;
    const json_t *name = json_array_get(names ? json_array_get(names, i) : e, 0);
    return (struct step_told){json_string_value(name), json_integer_value(json_is_array(e) ? json_array_get(e, at) : e),
                              json_integer_value(json_array_get(e, at + 1))};
}

enum fl_err steps_of(struct steps *s, int64_t leaf, const struct step_told **out, size_t *n, struct fl_why *why)
{
    const json_t *from = NULL;
    json_decref(s->leaf);
    s->leaf = NULL;
    *n = 0;
    *out = s->told;
    enum fl_err err = read_record(s, leaf, &s->leaf, why);
    const json_t *list = json_object_get(s->leaf, "steps"), *as = json_array_get(json_object_get(s->leaf, "as"), 1);
    if (!err && as && json_integer_value(as) >= 0)
        err = kept(s, json_integer_value(as), &from, why);
    if (!err && json_array_size(list) > ATTEMPT_STEPS_MAX)
        err = fl_fail(why, FL_FORMAT, "record %lld has more than %d steps", (long long)leaf, ATTEMPT_STEPS_MAX);
    for (size_t i = 0; i < json_array_size(list) && !err; i++)
        s->told[(*n)++] = told(from ? json_object_get(from, "steps") : NULL, i, json_array_get(list, i));
    return err;
}
