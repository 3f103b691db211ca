/* SPDX-License-Identifier: Apache-2.0
 * How records are stored by shape (store/shape.h). By the first input byte the rest is a record, which must come back as it
 * is, or a shape's text and, behind a zero byte, what is stored by it: whatever they are, what comes of them has room. */
#include "fuzz.h"

#include "audit/leaf.h"
#include "store/shape.h"

static const uint8_t job[16] = {1, 0xa2, 8, 0x2a, 0x24, 0x0f, 0x7b, 0x3a, 0x8d, 0x66, 0x85, 0xe5, 0x84, 0xb8, 6, 0x0d}, hash[32] = {7};
static const struct beside beside = {.job = job, .job_n = sizeof job, .before = hash};

static void record(const uint8_t *bytes, size_t n)
{
    struct fl_buf text = FL_BUF(1 << 18), values = FL_BUF(1 << 18), stored = FL_BUF(1 << 18), back = FL_BUF(1 << 18);
    struct shape *s;
    struct leaf_view v;
    if (leaf_scan(bytes, n, &v, NULL) == FL_OK && shape_split(bytes, n, &beside, &text, &values)) {
        fl_buf_addf(&stored, "[%d,", 1 + (int)(n % SHAPES_MAX));
        fl_buf_add(&stored, values.bytes, values.len);
        fl_buf_addc(&stored, ']');
        FUZZ_HOLDS(shape_read(text.bytes, text.len, &s, NULL) == FL_OK && shape_is(stored.bytes, stored.len));
        FUZZ_HOLDS(shape_number(stored.bytes, stored.len) == 1 + n % SHAPES_MAX);
        FUZZ_HOLDS(shape_join(s, stored.bytes, stored.len, &beside, &back, NULL) == FL_OK);
        FUZZ_HOLDS(back.len == n && memcmp(back.bytes, bytes, n) == 0);
        free(s);
    }
    fl_buf_fini(&text);
    fl_buf_fini(&values);
    fl_buf_fini(&stored);
    fl_buf_fini(&back);
}

static void join(const uint8_t *text, size_t text_n, const uint8_t *stored, size_t n)
{
    struct fl_buf out = FL_BUF(1 << 18);
    struct shape *s = NULL;
    struct fl_why why = {0, ""};
    if (shape_read(text, text_n, &s, &why) == FL_OK && n && shape_join(s, stored, n, &beside, &out, &why) == FL_OK)
        FUZZ_HOLDS(out.len <= LEAF_BYTES_MAX && out.bytes[out.len] == 0 && shape_is(stored, n));
    else
        FUZZ_HOLDS(n == 0 || why.text[0]);
    (void)shape_number(stored, n);
    free(s);
    fl_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n < 2)
        return 0;
    const uint8_t *zero = memchr(bytes + 1, 0, n - 1);
    size_t text_n = zero ? (size_t)(zero - bytes) - 1 : n - 1, stored_n = zero ? n - text_n - 2 : 0;
    uint8_t *text = fuzz_copy(bytes + 1, text_n), *stored = fuzz_copy(bytes + n - stored_n, stored_n);
    if (bytes[0] % 2)
        join(text, text_n, stored, stored_n);
    else
        record(text, text_n);
    free(text);
    free(stored);
    return 0;
}
