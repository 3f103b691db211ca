/* SPDX-License-Identifier: Apache-2.0
 * The SLIP reader. How the bytes were cut into reads must not matter; every byte outside frames comes out again; a
 * frame that came out is the same frame when it is sent. The first input byte says how long the reads are. */
#include "fuzz.h"

#include "esp/slip.h"

/* What came of it, as one run of bytes: T byte for each byte of text, F or B length bytes for what was framed. */
static void read_all(const uint8_t *bytes, size_t n, size_t step, struct fl_buf *out)
{
    struct slip_reader r;
    slip_reset(&r);
    for (size_t at = 0; at < n; at += step) {
        struct fl_cursor in = fl_cursor_of(bytes + at, n - at < step ? n - at : step);
        const uint8_t *p;
        size_t len;
        for (enum slip_event ev; (ev = slip_next(&r, &in, &p, &len)) != SLIP_MORE;) {
            FUZZ_HOLDS(ev == SLIP_TEXT || len <= SLIP_FRAME_MAX);
            for (size_t i = 0; ev == SLIP_TEXT && i < len; i++) {
                fl_buf_addc(out, 'T');
                fl_buf_addc(out, (char)p[i]);
            }
            if (ev != SLIP_TEXT) {
                fl_buf_addf(out, "%c%zu:", ev == SLIP_FRAME ? 'F' : 'B', len);
                fl_buf_add(out, p, len);
            }
        }
    }
}

static void again(const uint8_t *body, size_t n)
{
    struct fl_buf wire = FL_BUF(SLIP_ROOM(SLIP_FRAME_MAX)), want = FL_BUF(1 << 20), got = FL_BUF(1 << 20);
    slip_open(&wire);
    slip_add(&wire, body, n);
    slip_close(&wire);
    FUZZ_HOLDS(wire.len <= SLIP_ROOM(n));
    fl_buf_addf(&want, "F%zu:", n);
    fl_buf_add(&want, body, n);
    read_all(wire.bytes, wire.len, wire.len, &got);
    FUZZ_HOLDS(n == 0 || (got.len == want.len && memcmp(got.bytes, want.bytes, want.len) == 0));
    fl_buf_fini(&wire);
    fl_buf_fini(&want);
    fl_buf_fini(&got);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct fl_buf whole = FL_BUF(1 << 22), cut = FL_BUF(1 << 22);
    if (n > 1 && n < 1 << 16) {
        read_all(bytes + 1, n - 1, n - 1, &whole);
        read_all(bytes + 1, n - 1, bytes[0] + 1u, &cut);
        FUZZ_HOLDS(whole.len == cut.len && (whole.len == 0 || memcmp(whole.bytes, cut.bytes, cut.len) == 0));
        again(bytes + 1, n - 1 < SLIP_FRAME_MAX ? n - 1 : SLIP_FRAME_MAX);
    }
    fl_buf_fini(&whole);
    fl_buf_fini(&cut);
    return 0;
}
