/* SPDX-License-Identifier: Apache-2.0
 * The heads in cosigned/: which witnesses signed which, the lines of several under one head, and the one for a certificate. */
#include "prove/cosigned.h"

#include "audit/checkpoint.h"
#include "audit/policy.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

enum { NOTE_MAX = 65536, HEADS_MAX = POLICY_WITNESSES_MAX + 1 };

struct kept {
    struct fl_buf bytes;
    struct note note; /* of the bytes */
    uint64_t size;
};

struct shelf {
    struct kept *head[HEADS_MAX];
    size_t n;
    struct policy *policy; /* NULL: none */
};

/* ---- what is there ---------------------------------------------------------------------------------------------------- */

/* What was kept here was verified when it came; a file that is no head any more is as good as none. */
static void read_head(struct shelf *s, const char *path)
{
    struct checkpoint c;
    struct kept *k = s->n < HEADS_MAX ? calloc(1, sizeof *k) : NULL;
    if (!k)
        return;
    k->bytes = FL_BUF(NOTE_MAX);
    if (!fl_file_read(path, &k->bytes, NULL) && !note_parse(fl_buf_text(&k->bytes), k->bytes.len, &k->note, NULL) &&
        !checkpoint_parse(k->note.text, k->note.text_n, &c, NULL)) {
        k->size = c.size;
        s->head[s->n++] = k;
    } else {
        fl_buf_fini(&k->bytes);
        free(k);
    }
}

static void close_shelf(struct shelf *s)
{
    for (size_t i = 0; i < s->n; i++) {
        fl_buf_fini(&s->head[i]->bytes);
        free(s->head[i]);
    }
    policy_free(s->policy);
}

static enum fl_err open_shelf(const char *data, struct shelf *s, struct fl_why *why)
{
    struct fl_names notes = {NULL, 0, 0};
    char *dir = fl_path_join(data, "cosigned"), *policy = fl_path_join(data, "policy");
    enum fl_err err = dir && policy ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    *s = (struct shelf){.n = 0};
    if (!err)
        err = fl_dir_names(dir, ".note", &notes, why);
    for (size_t i = 0; i < notes.n && !err; i++) {
        char *path = fl_path_join(dir, notes.name[i]);
        if (path)
            read_head(s, path);
        else
            err = fl_fail(why, FL_NOMEM, "out of memory");
        free(path);
    }
    if (!err && notes.n > 0 && fl_path_exists(policy))
        err = policy_read(policy, &s->policy, why);
    fl_names_free(&notes);
    free(dir);
    free(policy);
    return err;
}

/* ---- one head, everybody's lines -------------------------------------------------------------------------------------- */

static void add_line(struct fl_buf *out, const struct note_signature *sig)
{
    fl_buf_adds(out, "\xe2\x80\x94 ");
    fl_buf_add(out, sig->name, sig->name_n);
    fl_buf_addc(out, ' ');
    fl_buf_add(out, sig->b64, sig->b64_n);
    fl_buf_addc(out, '\n');
}

static bool has_line(const struct note *note, const struct note_signature *sig)
{
    for (size_t i = 0; i < note->n; i++)
        if (note->signature[i].id == sig->id && note->signature[i].name_n == sig->name_n &&
            memcmp(note->signature[i].name, sig->name, sig->name_n) == 0)
            return true;
    return false;
}

/* The note of `k` and the lines that other notes have under the same text. */
static size_t gather(const struct shelf *s, const struct kept *k, struct fl_buf *out)
{
    size_t lines = k->note.n;
    fl_buf_clear(out);
    fl_buf_add(out, k->bytes.bytes, k->bytes.len);
    for (size_t i = 0; i < s->n; i++) {
        const struct note *o = &s->head[i]->note;
        if (s->head[i] == k || o->text_n != k->note.text_n || memcmp(o->text, k->note.text, o->text_n) != 0)
            continue;
        for (size_t j = 0; j < o->n; j++) {
            bool earlier = has_line(&k->note, &o->signature[j]);
            for (size_t e = 0; e < i && !earlier; e++) /* from a file before this one */
                earlier = s->head[e] != k && s->head[e]->size == k->size && has_line(&s->head[e]->note, &o->signature[j]);
            if (!earlier)
                add_line(out, &o->signature[j]);
            lines += !earlier;
        }
    }
    return lines;
}

static bool enough(const struct shelf *s, const struct fl_buf *bytes)
{
    struct vkey key[POLICY_WITNESSES_MAX];
    bool by[POLICY_WITNESSES_MAX] = {false};
    const struct policy *p = s->policy;
    struct note *note = p && p->quorum != POLICY_NONE ? malloc(sizeof *note) : NULL;
    if (!note)
        return false;
    for (size_t i = 0; i < p->n_witnesses; i++)
        key[i] = p->witness[i].vkey;
    bool good = note_parse(bytes->bytes, bytes->len, note, NULL) == FL_OK && note_verify(note, key, p->n_witnesses, by, NULL) == FL_OK;
    free(note);
    return good && policy_met(p, by);
}

/* ---- using ------------------------------------------------------------------------------------------------------------ */

struct choice {
    bool enough;
    size_t lines;
    uint64_t size;
};

static bool better(const struct choice *a, const struct choice *b)
{
    if (a->enough != b->enough)
        return a->enough;
    return a->lines != b->lines ? a->lines > b->lines : a->size > b->size;
}

enum fl_err cosigned_over(const char *data, uint64_t index, struct fl_buf *note, uint64_t *size, struct fl_why *why)
{
    struct shelf s;
    struct choice best = {false, 0, 0};
    struct fl_buf b = FL_BUF(NOTE_MAX);
    enum fl_err err = open_shelf(data, &s, why);
    for (size_t i = 0; i < s.n && !err; i++) {
        if (s.head[i]->size <= index)
            continue;
        struct choice c = {.lines = gather(&s, s.head[i], &b), .size = s.head[i]->size};
        c.enough = enough(&s, &b);
        if (!better(&c, &best))
            continue;
        best = c;
        fl_buf_clear(note);
        fl_buf_add(note, b.bytes, b.len);
    }
    *size = best.size;
    fl_buf_fini(&b);
    close_shelf(&s);
    return err ? err : best.size ? fl_buf_err(note, why) : FL_NOT_FOUND;
}

static uint64_t quorum_size(const char *path)
{
    struct shelf s = {.n = 0};
    read_head(&s, path);
    uint64_t size = s.n ? s.head[0]->size : 0;
    close_shelf(&s);
    return size;
}

enum fl_err cosigned_keep_quorum(const char *data, uint64_t size, struct fl_why *why)
{
    struct shelf s;
    struct fl_buf b = FL_BUF(NOTE_MAX);
    char *path = fl_path_join(data, "cosigned/quorum.note");
    enum fl_err err = open_shelf(data, &s, why);
    if (!err && !path)
        err = fl_fail(why, FL_NOMEM, "out of memory");
    for (size_t i = 0; i < s.n && !err; i++) {
        if (s.head[i]->size != size || quorum_size(path) > size)
            continue;
        (void)gather(&s, s.head[i], &b);
        if (enough(&s, &b)) {
            err = fl_file_replace(path, b.bytes, b.len, 0644, why);
            break;
        }
    }
    free(path);
    fl_buf_fini(&b);
    close_shelf(&s);
    return err;
}
