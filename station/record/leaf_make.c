/* SPDX-License-Identifier: Apache-2.0 */
#include "record/leaf_make.h"

#include "base/clock.h"
#include "base/version.h"
#include "record/timesync.h"

#include <string.h>

static const char *const common[] = {"v", "log", "seq", "event", "time", "boot", "mono_ms", "clock", "station", "sw"};

static bool set(json_t *o, const char *key, json_t *v)
{
    return v && json_object_set_new(o, key, v) == 0;
}

static enum fl_err add_common(json_t *o, const struct leaf_common *c, enum event_kind kind, struct fl_why *why)
{
    char time[FL_TIME_TEXT];
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (json_object_get(o, common[i]))
            return fl_fail(why, FL_FORMAT, "the event %s brings a member '%s' of its own", event_kind_name(kind), common[i]);
    fl_time_format(c->wall_ms, time);
    bool ok = set(o, "v", json_integer(1)) && set(o, "log", json_string(c->log)) &&
              set(o, "seq", json_integer(c->seq)) && set(o, "event", json_string(event_kind_name(kind))) &&
              set(o, "time", json_string(time)) && set(o, "boot", json_integer(c->boot)) &&
              set(o, "mono_ms", json_integer(c->mono_ms)) && set(o, "clock", json_string(timesync_state())) &&
              set(o, "station", json_string(c->station)) && set(o, "sw", json_string("flashline " FL_VERSION));
    return ok ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
}

/* Is there a text with a zero in it, in canonical JSON? Where C reads it, it ends there: the record would say more than was looked
 * at, and a job with something behind it is none that the column beside it could hold. */
static bool has_zero(const struct fl_buf *bytes)
{
    static const char zero[] = "\\u0000";
    const char *text = fl_buf_text(bytes), *p = text;
    for (; (p = strstr(p, zero)); p++) {
        size_t before = 0; /* an odd number: these are letters behind a backslash */
        while (p - before > text && p[-1 - (ptrdiff_t)before] == '\\')
            before++;
        if (before % 2 == 0)
            return true;
    }
    return false;
}

enum fl_err leaf_make(const struct leaf_common *c, enum event_kind kind, const json_t *body, json_t **leaf,
                      struct fl_buf *bytes, struct fl_why *why)
{
    fl_buf_clear(bytes);
    *leaf = NULL;
    if (!json_is_object(body))
        return fl_fail(why, FL_FORMAT, "the event %s has no body", event_kind_name(kind));
    json_t *o = json_copy((json_t *)(uintptr_t)body); /* shallow: the members are shared, the object is not */
    enum fl_err err = o ? add_common(o, c, kind, why) : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        err = fl_json_canonical(o, bytes, why);
    if (!err && has_zero(bytes))
        err = fl_fail(why, FL_FORMAT, "a text of the event %s has a zero in it", event_kind_name(kind));
    if (err == FL_LIMIT)
        err = fl_fail(why, FL_FORMAT, "the record of the event %s is larger than %zu bytes, or too deep",
                      event_kind_name(kind), bytes->max);
    if (err) {
        json_decref(o);
        return err;
    }
    *leaf = o;
    return FL_OK;
}
