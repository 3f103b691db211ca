/* SPDX-License-Identifier: Apache-2.0
 * Birth certificates, alone and as pages, and what is told about them. By the first input byte what follows is
 *   0  a file as somebody brings it
 *   1  changes to a good certificate, 2 to its page: three bytes each, where (two) and what
 *   3  a record that the log's own key signed: a station that means no good, or one with odd names
 *   4  lines behind the good certificate: what is not signed of a signed note
 * Whatever it is: a good file is of this log and proves one of its records; and what is said of it fits on a line of a terminal. */
#include "unit/canonical.h"
#include "log.h"

#include "audit/inspect.h"
#include "audit/page.h"
#include "base/json.h"
#include "prove/certificate_page.h"

static struct log *lg;
static struct trust trust;
static struct fl_buf good, page;
static size_t marks; /* '<' on a page without a QR code, but for those of its rows */

static void say(const char *name, const struct certs_file *f)
{
    struct fl_buf text = FL_BUF(1 << 16), line = FL_BUF(1 << 16);
    json_t *o = NULL;
    inspect_file_text(name, f, &text);
    FUZZ_HOLDS(text.len > 0 && text.bytes[text.len - 1] == '\n' && fuzz_for_eyes(fl_buf_text(&text), text.len - 1, false));
    FUZZ_HOLDS(inspect_file_json(name, f, &line) == FL_OK);
    FUZZ_HOLDS(fl_json_parse(line.bytes, line.len, &o, NULL) == FL_OK && memchr(line.bytes, '\n', line.len) == line.bytes + line.len - 1);
    json_decref(o);
    fl_buf_fini(&text);
    fl_buf_fini(&line);
}

static void judge(const uint8_t *bytes, size_t n, bool ours, struct certs_file *f)
{
    struct certs *c;
    static struct certs_result r;
    FUZZ_HOLDS(certs_new(&trust, &c, NULL) == FL_OK && certs_add(c, "a\033[31m\n\xC2\x9B.tlog-proof", bytes, n, f, NULL) == FL_OK);
    FUZZ_HOLDS(certs_end(c, &r, NULL) == FL_OK && r.files == 1 && r.n_forks == 0);
    FUZZ_HOLDS((f->class == AUDIT_GOOD) == (r.good == 1) && (f->class == AUDIT_GOOD || f->text[0]));
    if (f->class == AUDIT_GOOD && !ours) {
        FUZZ_HOLDS(strcmp(f->log, LOG_ORIGIN) == 0 && f->size <= LOG_SIZE);
        FUZZ_HOLDS(!f->has_record || (f->index < f->size && strcmp(f->outcome, "PASS") == 0));
        FUZZ_HOLDS(!f->has_record || strtoul(f->mac + 15, NULL, 16) == f->index);
    }
    say("a\033[31m\n\xC2\x9B.tlog-proof", f);
    certs_free(c);
}

static void as_file(const uint8_t *bytes, size_t n)
{
    struct certs_file f;
    struct proof_file p;
    judge(bytes, n, false, &f);
    if (proof_file_parse(bytes, n, &p, NULL) == FL_OK) { /* one way to say it */
        struct fl_buf again = FL_BUF(2 * PROOF_BYTES_MAX);
        proof_file_write(&again, p.has_extra ? fl_buf_text(&p.extra) : NULL, p.extra.len, p.index, &p.path, p.note, p.note_n);
        FUZZ_HOLDS(!again.err && again.len == n && memcmp(again.bytes, bytes, n) == 0);
        fl_buf_fini(&again);
    }
    proof_file_fini(&p);
}

/* A page is good only as it is: what people read on it is what it proves. */
static void changed(const struct fl_buf *from, bool is_page, const uint8_t *bytes, size_t n)
{
    struct certs_file f;
    uint8_t *copy = fuzz_copy(from->bytes, from->len);
    for (size_t i = 0; i + 3 <= n; i += 3)
        copy[(size_t)(bytes[i] | bytes[i + 1] << 8) % from->len] = bytes[i + 2];
    judge(copy, from->len, false, &f);
    bool same = memcmp(copy, from->bytes, from->len) == 0;
    FUZZ_HOLDS(!same || (f.class == AUDIT_GOOD && f.has_record));
    FUZZ_HOLDS(same || !is_page || f.class != AUDIT_GOOD);
    FUZZ_HOLDS(same || f.class != AUDIT_GOOD || !f.has_record);
    free(copy);
}

static size_t count(const struct fl_buf *b, const char *what)
{
    size_t n = 0;
    for (const char *p = fl_buf_text(b); (p = strstr(p, what)); p++)
        n++;
    return n;
}

/* Neither a record nor a note brings a mark of its own onto a page: a browser would show something else than is proved. */
static size_t marks_of(const struct fl_buf *file, const struct proof_file *p)
{
    struct fl_buf b = FL_BUF(4 << 20);
    size_t n = 0;
    if (page_begin(p, &b, NULL) == FL_OK) {
        size_t rows = count(&b, "<tr>");
        FUZZ_HOLDS(rows <= 9);
        page_no_qr(&b);
        page_end(file->bytes, file->len, &b);
        n = count(&b, "<") - 6 * rows;
    }
    fl_buf_fini(&b);
    return n;
}

static void on_page(const struct fl_buf *file, const struct proof_file *p)
{
    size_t n = marks_of(file, p);
    FUZZ_HOLDS(n == 0 || n == marks);
}

static void with_lines(const uint8_t *bytes, size_t n)
{
    struct fl_buf file = FL_BUF(PROOF_BYTES_MAX);
    struct proof_file p;
    struct certs_file f;
    fl_buf_add(&file, good.bytes, good.len);
    fl_buf_add(&file, bytes, n);
    judge(file.bytes, file.len, false, &f);
    if (f.class == AUDIT_GOOD && proof_file_parse(file.bytes, file.len, &p, NULL) == FL_OK) {
        on_page(&file, &p);
        proof_file_fini(&p);
    }
    fl_buf_fini(&file);
}

static void as_record(const uint8_t *bytes, size_t n)
{
    struct tree_hash root;
    const struct tree_proof path = {.n = 0};
    struct fl_buf note = FL_BUF(4096), file = FL_BUF(PROOF_BYTES_MAX);
    struct proof_file p;
    struct certs_file f;
    FUZZ_HOLDS(tree_leaf(lg->hasher, bytes, n, &root) == FL_OK);
    log_sign(lg, 1, &root, &note);
    proof_file_write(&file, bytes, n, 0, &path, note.bytes, note.len);
    if (!file.err && proof_file_parse(file.bytes, file.len, &p, NULL) == FL_OK) {
        judge(file.bytes, file.len, true, &f);
        FUZZ_HOLDS(!f.has_record || is_canonical(bytes, n));
        on_page(&file, &p);
        proof_file_fini(&p);
    }
    fl_buf_fini(&note);
    fl_buf_fini(&file);
}

static void begin(void)
{
    struct proof_file p;
    good = FL_BUF(1 << 16);
    page = FL_BUF(1 << 20);
    lg = log_make();
    trust.log[0] = lg->vkey;
    trust.n_logs = 1;
    log_certificate(lg, 2, LOG_SIZE, &good);
    FUZZ_HOLDS(proof_file_parse(good.bytes, good.len, &p, NULL) == FL_OK);
    FUZZ_HOLDS(certificate_page(&good, &page, NULL) == FL_OK);
    marks = marks_of(&good, &p);
    proof_file_fini(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (!lg)
        begin();
    if (n == 0)
        return 0;
    uint8_t *copy = fuzz_copy(bytes + 1, n - 1);
    switch (bytes[0] % 5) {
    case 0: as_file(copy, n - 1); break;
    case 1: changed(&good, false, copy, n - 1); break;
    case 2: changed(&page, true, copy, n - 1); break;
    case 4: with_lines(copy, n - 1); break;
    default: as_record(copy, n - 1); break;
    }
    free(copy);
    return 0;
}
