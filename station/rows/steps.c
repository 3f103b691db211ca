/* SPDX-License-Identifier: Apache-2.0 */
#include "rows/steps.h"

#include "event/event.h"
#include "rows/abridge.h"

#include <stdlib.h>

struct steps {
    struct restore *records;
    struct step_told told[ATTEMPT_STEPS_MAX];
};

enum fl_err steps_new(sqlite3 *db, struct steps **out, struct fl_why *why)
{
    struct steps *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err err = restore_new(db, &s->records, why);
    if (err)
        steps_free(s);
    else
        *out = s;
    return err;
}

void steps_free(struct steps *s)
{
    if (s)
        restore_free(s->records);
    free(s);
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
    const json_t *record = NULL, *from = NULL;
    *n = 0;
    *out = s->told;
    enum fl_err err = restore_record(s->records, leaf, &record, why);
    const json_t *list = json_object_get(record, "steps"), *as = json_array_get(json_object_get(record, "as"), 1);
    if (!err && as && json_integer_value(as) >= 0)
        err = restore_record(s->records, json_integer_value(as), &from, why);
    if (!err && json_array_size(list) > ATTEMPT_STEPS_MAX)
        err = fl_fail(why, FL_FORMAT, "record %lld has more than %d steps", (long long)leaf, ATTEMPT_STEPS_MAX);
    for (size_t i = 0; i < json_array_size(list) && !err; i++)
        s->told[(*n)++] = told(from ? json_object_get(from, "steps") : NULL, i, json_array_get(list, i));
    return err;
}
