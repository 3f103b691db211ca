/* SPDX-License-Identifier: Apache-2.0
 * The rules of a lot from their JSON form; strict: a rule that is misspelt would never fire. */
#include "line/rules.h"

#include "line/serial.h"

#include <stdio.h>
#include <string.h>

struct number {
    const char *name;
    unsigned *to;
    unsigned max;
};

static enum fl_err read_number(const char *where, const char *key, const json_t *v, unsigned max, unsigned *to, struct fl_why *why)
{
    if (!json_is_integer(v) || json_integer_value(v) < 1 || json_integer_value(v) > (json_int_t)max)
        return fl_fail(why, FL_FORMAT, "%s%s%s is a whole number from 1 to %u", where, *where ? "." : "", key, max);
    *to = (unsigned)json_integer_value(v);
    return FL_OK;
}

static enum fl_err unknown(const char *where, const char *key, const char *expected, struct fl_why *why)
{
    return fl_fail(why, FL_FORMAT, "'%.60s' is no rule%s%s, expected %s", key, *where ? " under " : "", where, expected);
}

static enum fl_err need_object(const char *where, const json_t *o, struct fl_why *why)
{
    return json_is_object(o) ? FL_OK : fl_fail(why, FL_FORMAT, "%s is a mapping", where);
}

static enum fl_err read_limits(const char *where, const json_t *o, struct rules_limits *to, struct fl_why *why)
{
    const struct number numbers[] = {{"consecutive", &to->consecutive, 1000}, {"same_fault", &to->same_fault, 255},
                                     {"yield", &to->yield, 100}, {"after", &to->after, 100000}};
    const char *key;
    const json_t *v;
    enum fl_err err = need_object(where, o, why);
    if (err)
        return err;
    json_object_foreach((json_t *)(uintptr_t)o, key, v) {
        size_t i = 0;
        while (i < 4 && strcmp(numbers[i].name, key) != 0)
            i++;
        err = i == 4 ? unknown(where, key, "consecutive, same_fault, yield or after", why)
                     : read_number(where, key, v, numbers[i].max, numbers[i].to, why);
        if (err)
            return err;
    }
    if (!to->yield != !to->after)
        return fl_fail(why, FL_FORMAT, "%s: yield and after go together", where);
    return FL_OK;
}

static enum fl_err read_samples(const char *key, const json_t *list, bool bad, struct rules_set *to, struct fl_why *why)
{
    size_t i;
    const json_t *v;
    if (!json_is_array(list))
        return fl_fail(why, FL_FORMAT, "shift.%s is a list of MACs", key);
    json_array_foreach(list, i, v) {
        uint8_t mac[8];
        if (to->n_samples == RULES_SAMPLES_MAX)
            return fl_fail(why, FL_FORMAT, "shift has more than %d boards", RULES_SAMPLES_MAX);
        if (!json_is_string(v) || event_mac_parse(json_string_value(v), mac) != 6)
            return fl_fail(why, FL_FORMAT, "shift.%s[%zu] is a MAC like 24:6f:28:00:00:01", key, i);
        struct rules_sample *s = &to->samples[to->n_samples++];
        memcpy(s->mac, mac, 6);
        s->bad = bad;
    }
    return FL_OK;
}

static enum fl_err read_shift(const json_t *o, struct rules_set *to, struct fl_why *why)
{
    const char *key;
    const json_t *v;
    enum fl_err err = need_object("shift", o, why);
    json_object_foreach((json_t *)(uintptr_t)o, key, v) {
        if (err)
            break;
        bool bad = strcmp(key, "known_bad") == 0;
        err = bad || strcmp(key, "golden") == 0 ? read_samples(key, v, bad, to, why)
                                                : unknown("shift", key, "golden or known_bad", why);
    }
    return err;
}

static enum fl_err read_serial(const json_t *o, struct rules_set *to, struct fl_why *why)
{
    const char *key, *template = json_string_value(json_object_get(o, "template"));
    const json_t *v;
    unsigned first = 1;
    enum fl_err err = need_object("serial", o, why);
    if (err)
        return err;
    if (!template || strlen(template) >= sizeof to->serial)
        return fl_fail(why, FL_FORMAT, "serial.template is a text of 1 to %zu bytes", sizeof to->serial - 1);
    json_object_foreach((json_t *)(uintptr_t)o, key, v) {
        if (strcmp(key, "first") == 0)
            err = read_number("serial", key, v, 1000000000, &first, why);
        else if (strcmp(key, "template") != 0)
            err = unknown("serial", key, "template or first", why);
        if (err)
            return err;
    }
    to->serial_first = first;
    (void)snprintf(to->serial, sizeof to->serial, "%s", template);
    return serial_check(template, why);
}

enum fl_err rules_parse(const json_t *o, struct rules_set *out, struct fl_why *why)
{
    const char *key;
    const json_t *v;
    unsigned takt = 0;
    enum fl_err err = FL_OK;
    memset(out, 0, sizeof *out);
    if (!o || json_is_null(o))
        return FL_OK;
    err = need_object("what is in the file of rules", o, why);
    json_object_foreach((json_t *)(uintptr_t)o, key, v) {
        if (err)
            return err;
        if (strcmp(key, "slot") == 0)
            err = read_limits(key, v, &out->slot, why);
        else if (strcmp(key, "line") == 0)
            err = read_limits(key, v, &out->line, why);
        else if (strcmp(key, "shift") == 0)
            err = read_shift(v, out, why);
        else if (strcmp(key, "serial") == 0)
            err = read_serial(v, out, why);
        else if (strcmp(key, "takt") == 0)
            err = read_number("", key, v, 86400, &takt, why);
        else
            err = unknown("", key, "slot, line, shift, serial or takt", why);
    }
    out->takt_ms = takt * 1000u;
    return err;
}
