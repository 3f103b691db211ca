/* SPDX-License-Identifier: Apache-2.0 */
#include "line/hook.h"

#include "line/command.h"

#include <string.h>

enum { INPUT_MAX = 1 << 20 };

static const char *fault_of(enum fl_err err, int code)
{
    return err == FL_TIMEOUT     ? "hook.timeout"
           : err == FL_CANCELLED ? "operator.cancelled"
           : err != FL_REFUSED   ? "hook.missing"
           : code == 1           ? "hook.refused"
                                 : "hook.failed";
}

static enum fl_err input_of(const struct attempt *a, const char *when, struct fl_buf *out)
{
    json_t *o = strcmp(when, "before") == 0 ? event_attempt_start_body(&a->facts)
                                            : event_attempt_result_body(&a->facts);
    enum fl_err err = o && !json_object_set_new(o, "hook", json_string(when)) ? fl_json_canonical(o, out, NULL)
                                                                            : FL_NOMEM;
    json_decref(o);
    fl_buf_addc(out, '\n');
    return err ? err : fl_buf_err(out, NULL);
}

/* `name` is static: "before", "station.before", ... False: it did not end with 0. */
static bool run(struct attempt *a, const struct profile_hook *h, const char *name, struct fl_wake *wake)
{
    struct attempt_facts *f = &a->facts;
    struct fl_buf input = FL_BUF(INPUT_MAX);
    struct fl_why why = {0};
    struct command_end end = {0};
    if (!h->argv[0])
        return true;
    const char *when = strstr(name, "before") ? "before" : "after";
    if (input_of(a, when, &input)) {
        fl_buf_fini(&input);
        return attempt_fault(a, "station.internal", "out of memory");
    }
    struct attempt_hook *to = &f->hooks[f->n_hooks < ATTEMPT_HOOKS_MAX ? f->n_hooks++ : ATTEMPT_HOOKS_MAX - 1];
    *to = (struct attempt_hook){.name = name};
    const struct command c = {.argv = h->argv, .input = fl_buf_text(&input), .input_n = input.len,
                              .output = to->output, .cap = sizeof to->output};
    uint64_t began = fl_mono_ms();
    enum fl_err err = command_run(&c, &end, wake, fl_deadline_in_ms(h->within_ms), &why);
    to->ms = (uint32_t)(fl_mono_ms() - began);
    to->exit = end.code;
    to->output_n = end.output_n;
    fl_buf_fini(&input);
    if (err && f->outcome == OUTCOME_PASS)
        (void)attempt_fault(a, fault_of(err, end.code), why.text);
    return !err;
}

bool hook_before_wanted(const struct attempt *a)
{
    return (a->c->before && a->c->before->argv[0]) || a->profile->before.argv[0];
}

bool hook_before(struct attempt *a, bool profile_only)
{
    bool station = a->c->before && !profile_only;
    return (!station || run(a, a->c->before, "station.before", a->wake)) &&
           run(a, &a->profile->before, "before", a->wake);
}

/* A line that ends still lets them finish: a supply must be switched off. Their time limit bounds it. */
void hook_after(struct attempt *a)
{
    static const struct profile_hook none;
    const struct profile_hook *station = a->c->after ? a->c->after : &none;
    bool had_link = a->link != NULL;
    if (!station->argv[0] && !a->profile->after.argv[0])
        return;
    attempt_step(a, "after");
    link_close(a->link);
    a->link = NULL;
    (void)run(a, &a->profile->after, "after", NULL);
    (void)run(a, station, "station.after", NULL);
    if (had_link)
        (void)attempt_open(a); /* gone: the slot sees it */
}
