/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/inspect.h"

#include "audit/bundle.h"
#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

enum { EXIT_USAGE = 2, EXIT_UNREADABLE = 3, FILE_MAX = 4 << 20 };

struct inspection {
    const struct inspect *in;
    struct fl_buf *out;
    struct certs *certs;
};

/* A name that somebody gave a file, for eyes. */
static void add_path(const char *path, struct fl_buf *out)
{
    size_t from = out->len;
    fl_buf_adds(out, path);
    if (out->len > from)
        fl_utf8_clean((char *)out->bytes + from, false);
}

void inspect_file_text(const char *path, const struct certs_file *f, struct fl_buf *out)
{
    if (f->class != AUDIT_GOOD) {
        fl_buf_addf(out, "NOT GOOD (%s)  ", audit_class_name(f->class));
        add_path(path, out);
        fl_buf_addf(out, ": %s\n", f->text);
        return;
    }
    fl_buf_adds(out, "good  ");
    add_path(path, out);
    if (!f->has_record)
        fl_buf_addf(out, ": a signed head of %llu records of %s", (ull)f->size, f->log);
    else
        fl_buf_addf(out, ": record %llu of %s, %s%s%s%s%s, %s, under a head of %llu", (ull)f->index, f->log, f->event, *f->mac ? " " : "",
                    f->mac, *f->outcome ? " " : "", f->outcome, f->time, (ull)f->size);
    if (f->witnesses)
        fl_buf_addf(out, ", %u witness%s", f->witnesses, f->witnesses == 1 ? "" : "es");
    fl_buf_addc(out, '\n');
}

static json_t *text_or_null(const char *s)
{
    return *s ? json_string(s) : json_null();
}

enum fl_err inspect_file_json(const char *path, const struct certs_file *f, struct fl_buf *out)
{
    json_t *o = json_pack("{ss,ss,so,sI,sI}", "type", "file", "verdict", audit_class_name(f->class), "log", text_or_null(f->log), "size",
                          (json_int_t)f->size, "witnesses", (json_int_t)f->witnesses);
    bool bad = !o || fl_json_set_dirty(o, "file", path, strlen(path));
    if (!bad && f->class != AUDIT_GOOD)
        bad = fl_json_set_dirty(o, "why", f->text, strlen(f->text)) != FL_OK;
    if (!bad && f->has_record)
        bad = json_object_set_new(o, "record", json_integer((json_int_t)f->index)) != 0 ||
              json_object_set_new(o, "event", text_or_null(f->event)) != 0 || json_object_set_new(o, "mac", text_or_null(f->mac)) != 0 ||
              json_object_set_new(o, "outcome", text_or_null(f->outcome)) != 0 ||
              json_object_set_new(o, "profile", text_or_null(f->profile)) != 0 || json_object_set_new(o, "time", text_or_null(f->time)) != 0;
    if (bad) {
        json_decref(o);
        return FL_NOMEM;
    }
    return fl_json_write(o, JSON_COMPACT, out);
}

static enum fl_err one_file(struct inspection *x, const char *path, struct fl_why *why)
{
    struct fl_buf bytes = FL_BUF(FILE_MAX);
    struct certs_file f;
    enum fl_err err = fl_file_read(path, &bytes, why);
    if (!err)
        err = certs_add(x->certs, path, bytes.bytes ? (const void *)bytes.bytes : "", bytes.len, &f, why);
    fl_buf_fini(&bytes);
    if (err || (x->in->quiet && f.class == AUDIT_GOOD))
        return err;
    if (x->in->json)
        return inspect_file_json(path, &f, x->out) ? fl_fail(why, FL_NOMEM, "out of memory") : FL_OK;
    inspect_file_text(path, &f, x->out);
    return FL_OK;
}

static void total_text(struct fl_buf *out, const struct certs_result *r)
{
    for (size_t i = 0; i < r->n_forks && i < AUDIT_FINDINGS_MAX; i++)
        fl_buf_addf(out, "NOT GOOD (fork)  %s\n", r->fork[i]);
    if (r->n_forks > AUDIT_FINDINGS_MAX)
        fl_buf_addf(out, "and %zu more\n", r->n_forks - AUDIT_FINDINGS_MAX);
    fl_buf_addf(out, "%llu file%s, %llu good, %llu different record%s; %llu signed head%s", (ull)r->files, r->files == 1 ? "" : "s", (ull)r->good,
                (ull)r->records, r->records == 1 ? "" : "s", (ull)r->heads, r->heads == 1 ? "" : "s");
    if (r->heads > 1 && !r->n_forks)
        fl_buf_addf(out, ", %llu of them held against others: nothing contradicts that all are of one history", (ull)r->compared);
    fl_buf_addc(out, '\n');
}

static enum fl_err total_json(struct fl_buf *out, const struct certs_result *r)
{
    json_t *forks = json_array();
    bool bad = !forks;
    for (size_t i = 0; i < r->n_forks && i < AUDIT_FINDINGS_MAX && !bad; i++) {
        json_t *o = json_object();
        bad = fl_json_set_dirty(o, "why", r->fork[i], strlen(r->fork[i])) || json_array_append_new(forks, o) != 0;
    }
    json_t *o = bad ? NULL
                    : json_pack("{ss,ss,sI,sI,sI,sI,sI,sI,sO}", "type", "totals", "verdict", audit_class_name(r->verdict), "files",
                                (json_int_t)r->files, "good", (json_int_t)r->good, "records", (json_int_t)r->records, "heads",
                                (json_int_t)r->heads, "compared", (json_int_t)r->compared, "forks", (json_int_t)r->n_forks, "found", forks);
    json_decref(forks);
    return fl_json_write(o, JSON_COMPACT, out);
}

static int run(struct inspection *x, struct fl_why *why)
{
    struct certs_result *r = malloc(sizeof *r);
    enum fl_err err = r ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    for (size_t i = 0; i < x->in->n_paths && !err; i++)
        err = one_file(x, x->in->paths[i], why);
    if (!err)
        err = certs_end(x->certs, r, why);
    if (!err && x->in->json)
        err = total_json(x->out, r) ? fl_fail(why, FL_NOMEM, "out of memory") : FL_OK;
    else if (!err)
        total_text(x->out, r);
    if (!err)
        err = fl_buf_err(x->out, why);
    int code = err ? EXIT_UNREADABLE : audit_class_exit(r->verdict);
    free(r);
    return code;
}

/* A bundle is checked whole, and alone. */
static int run_bundle(const struct inspect *in, const struct trust *trust, struct fl_buf *out, struct fl_why *why)
{
    struct check_result *r = malloc(sizeof *r);
    const struct bundle_config c = {.dir = in->paths[0], .trust = trust, .heads = in->heads, .n_heads = in->n_heads};
    enum fl_err err = r ? bundle_check(&c, r, why) : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        err = in->json ? summary_json(c.dir, r, out) : summary_text(c.dir, r, out);
    int code = err ? EXIT_UNREADABLE : audit_class_exit(r->report.verdict);
    free(r);
    return code;
}

static int run_files(const struct inspect *in, const struct trust *trust, struct fl_buf *out, struct fl_why *why)
{
    struct inspection x = {in, out, NULL};
    if (certs_new(trust, &x.certs, why))
        return EXIT_UNREADABLE;
    if (in->pass)
        certs_want_pass(x.certs);
    int code = run(&x, why);
    certs_free(x.certs);
    return code;
}

/* What would not be done must not be thought done; NULL: all of it will be. */
static const char *out_of_place(const struct inspect *in, bool bundle)
{
    if (bundle)
        return in->pass ? "--pass is for certificates: a bundle holds every record, whatever became of the units" : NULL;
    if (in->n_heads)
        return "--head is for a bundle: beside certificates a head kept elsewhere is one FILE more";
    return in->trust.ca ? "--ca is for a bundle, which has the timestamps" : NULL;
}

int inspect_run(const struct inspect *in, struct fl_buf *out, struct fl_why *why)
{
    bool bundle = in->n_paths == 1 && bundle_there(in->paths[0]);
    const char *wrong = out_of_place(in, bundle);
    if (wrong) {
        (void)fl_fail(why, FL_ARG, "%s", wrong);
        return EXIT_USAGE;
    }
    struct trust *trust = malloc(sizeof *trust);
    int code;
    if (!trust) {
        (void)fl_fail(why, FL_NOMEM, "out of memory");
        return EXIT_UNREADABLE;
    }
    if (trust_read(&in->trust, trust, why)) {
        free(trust);
        return EXIT_USAGE;
    }
    if (!trust->n_logs) {
        (void)fl_fail(why, FL_ARG, "the verifier key of the log is needed (--key, or in a policy): a key from the files themselves would prove nothing");
        code = EXIT_USAGE;
    } else {
        code = (bundle ? run_bundle : run_files)(in, trust, out, why);
    }
    trust_fini(trust);
    free(trust);
    return code;
}
