/* SPDX-License-Identifier: Apache-2.0
 * b.h: a board in memory and a host that talks to it in hex, for the simulator's tests.
 *
 * Hex strings may hold spaces; "C0" and so on are raw bytes on the wire. Time is the test's own: it
 * starts at 1 s and passes only when a test says so. */
#ifndef FL_TESTS_SIM_B_H
#define FL_TESTS_SIM_B_H

#include "unit/t.h"

#include "base/cursor.h"
#include "base/embedded.h"
#include "base/hash.h"
#include "sim/board.h"

#include <ctype.h>
#include <jansson.h>
#include <openssl/evp.h>

struct b {
    struct sim_board *board;
    struct sim_stubs *stubs;
    struct sim_spec spec;
    uint64_t now;
    uint8_t got[1 << 20]; /* what the host read since the last request */
    size_t n;
};

#define MS ((uint64_t)1000000)

static inline size_t b_hex(const char *hex, uint8_t *out)
{
    size_t n = 0;
    while (*hex) {
        char pair[3] = {hex[0], hex[0] ? hex[1] : 0, 0};
        if (isspace((unsigned char)*hex)) {
            hex++;
            continue;
        }
        assert_true(isxdigit((unsigned char)pair[0]) && isxdigit((unsigned char)pair[1]));
        out[n++] = (uint8_t)strtoul(pair, NULL, 16);
        hex += 2;
    }
    return n;
}

static inline void b_collect(struct b *b)
{
    size_t k;
    while ((k = sim_board_read(b->board, b->now, b->got + b->n, sizeof b->got - b->n)) > 0)
        b->n += k;
}

static inline void b_wait(struct b *b, uint64_t ns)
{
    uint64_t end = b->now + ns;
    while (sim_board_due(b->board) <= end) {
        b->now = sim_board_due(b->board) > b->now ? sim_board_due(b->board) : b->now;
        sim_board_run(b->board, b->now);
        b_collect(b);
    }
    b->now = end;
    sim_board_run(b->board, b->now);
    b_collect(b);
}

static inline void b_send(struct b *b, const uint8_t *bytes, size_t n)
{
    sim_board_write(b->board, b->now, bytes, n);
    b_collect(b);
}

/* Raw bytes, then read what comes at once. */
static inline void b_raw(struct b *b, const char *hex)
{
    uint8_t bytes[4096];
    b->n = 0;
    b_send(b, bytes, b_hex(hex, bytes));
}

/* SLIP-frame `n` body bytes into out. */
static inline size_t b_slip(const uint8_t *body, size_t n, uint8_t *out)
{
    size_t len = 0;
    out[len++] = 0xC0;
    for (size_t i = 0; i < n; i++) {
        if (body[i] == 0xC0 || body[i] == 0xDB) {
            out[len++] = 0xDB;
            out[len++] = body[i] == 0xC0 ? 0xDC : 0xDD;
        } else {
            out[len++] = body[i];
        }
    }
    out[len++] = 0xC0;
    return len;
}

/* A request of any opcode, with the checksum given. */
static inline size_t b_request(uint8_t op, const void *data, size_t n, uint32_t sum, uint8_t *out)
{
    uint8_t *body = malloc(n + 8);
    assert_non_null(body);
    body[0] = 0;
    body[1] = op;
    fl_put_u16le(body + 2, (uint16_t)n);
    fl_put_u32le(body + 4, sum);
    if (n)
        memcpy(body + 8, data, n);
    size_t len = b_slip(body, n + 8, out);
    free(body);
    return len;
}

static inline void b_ask(struct b *b, uint8_t op, const void *data, size_t n, uint32_t sum)
{
    uint8_t *wire = malloc(2 * n + 64);
    assert_non_null(wire);
    size_t len = b_request(op, data, n, sum, wire);
    b->n = 0;
    b_send(b, wire, len);
    free(wire);
}

/* Words (32 bit) as the payload. */
#define b_words(b, op, ...)                                                                        \
    do {                                                                                           \
        const uint32_t w_[] = {__VA_ARGS__};                                                       \
        uint8_t p_[sizeof w_];                                                                     \
        for (size_t i_ = 0; i_ < T_COUNT(w_); i_++)                                                \
            fl_put_u32le(p_ + 4 * i_, w_[i_]);                                                     \
        b_ask((b), (op), p_, sizeof p_, 0);                                                        \
    } while (0)

static inline uint8_t b_sum(const uint8_t *p, size_t n)
{
    uint8_t s = 0xEF;
    while (n-- > 0)
        s ^= *p++;
    return s;
}

/* A DATA packet; `sum` is XORed onto the right checksum, so 0 is right. Returns the wire bytes. */
static inline size_t b_data_wire(uint8_t op, uint32_t seq, const uint8_t *payload, size_t n, uint8_t sum,
                                 uint8_t *out)
{
    uint8_t *data = malloc(n + 16);
    assert_non_null(data);
    memset(data, 0, 16);
    fl_put_u32le(data, (uint32_t)n);
    fl_put_u32le(data + 4, seq);
    memcpy(data + 16, payload, n);
    size_t len = b_request(op, data, n + 16, b_sum(payload, n) ^ sum, out);
    free(data);
    return len;
}

static inline void b_data(struct b *b, uint8_t op, uint32_t seq, const uint8_t *payload, size_t n, uint8_t sum)
{
    uint8_t *wire = malloc(2 * n + 128);
    assert_non_null(wire);
    size_t len = b_data_wire(op, seq, payload, n, sum, wire);
    b->n = 0;
    b_send(b, wire, len);
    free(wire);
}

/* What was got is exactly this. */
#define b_expect(b, hex_) b_expect_((b), (hex_), __FILE__, __LINE__)
static inline void b_expect_(struct b *b, const char *hex, const char *file, int line)
{
    uint8_t want[4096];
    size_t n = b_hex(hex, want);
    if (b->n != n || memcmp(b->got, want, n) != 0) {
        char is[3 * 200 + 1] = "";
        for (size_t i = 0; i < b->n && i < 200; i++)
            snprintf(is + 3 * i, 4, "%02X ", b->got[i]);
        print_error("wanted: %s\n   got: %s(%zu bytes)\n", hex, is, b->n);
        _fail(file, line);
    }
}

/* Undo SLIP of the first frame got: returns its length, 0 when there is none. *end: raw bytes it took. */
static inline size_t b_frame(const uint8_t *raw, size_t n, uint8_t *out, size_t *end)
{
    size_t i = 0, len = 0;
    while (i < n && raw[i] != 0xC0)
        i++;
    for (i++; i < n && raw[i] != 0xC0; i++) {
        if (raw[i] == 0xDB && i + 1 < n)
            out[len++] = raw[++i] == 0xDC ? 0xC0 : 0xDB;
        else
            out[len++] = raw[i];
    }
    *end = i + 1;
    return i < n ? len : 0;
}

/* The status byte pair of the last frame got, as one number; -1 when nothing was got. `spare`: the status
 * bytes behind the pair. */
static inline int b_status(const struct b *b, size_t spare)
{
    static uint8_t frame[70000];
    size_t at = 0, end, n, last = 0;
    uint8_t pair[2] = {0, 0};
    while (at < b->n && (n = b_frame(b->got + at, b->n - at, frame, &end)) > 0) {
        last = n;
        if (n >= 10 + spare)
            memcpy(pair, frame + n - spare - 2, 2);
        at += end;
    }
    return last ? pair[0] << 8 | pair[1] : -1;
}

static inline struct b *b_new(const char *chip, void (*change)(struct sim_spec *))
{
    struct b *b = calloc(1, sizeof *b);
    struct fl_why why = {0};
    assert_non_null(b);
    b->now = 1000 * MS;
    sim_spec_init(&b->spec, sim_chip_find(chip), 1, 42);
    b->spec.power_up = SIM_POWER_UP_DOWNLOAD;
    if (change)
        change(&b->spec);
    assert_int_equal(sim_stubs_load(&b->stubs, &why), FL_OK);
    assert_int_equal(sim_board_new(&b->spec, b->stubs, b->now, &b->board, &why), FL_OK);
    b_wait(b, 50 * MS);
    b->n = 0;
    return b;
}

static inline void b_free(struct b *b)
{
    sim_board_free(b->board);
    sim_stubs_free(b->stubs);
    free(b);
}

#define B_SYNC                                                                                      \
    "C0 00 08 24 00 00 00 00 00 07 07 12 20 55555555 55555555 55555555 55555555 55555555 55555555 " \
    "55555555 55555555 C0"

/* ---- the stub, decoded by a second method (libcrypto) ------------------------------------------------ */

struct b_part {
    uint8_t bytes[16384];
    size_t n;
    uint32_t at;
};

static inline uint32_t b_stub(const char *file, struct b_part *text, struct b_part *data)
{
    const struct fl_embedded *e = fl_embedded_find(fl_embedded_stubs, file);
    assert_non_null(e);
    json_t *o = json_loadb((const char *)e->bytes, e->size, 0, NULL);
    const char *keys[2][2] = {{"text", "text_start"}, {"data", "data_start"}};
    struct b_part *part[2] = {text, data};
    for (int i = 0; i < 2; i++) {
        const char *b64 = json_string_value(json_object_get(o, keys[i][0]));
        size_t len = strlen(b64);
        assert_true(len < sizeof part[i]->bytes);
        int n = EVP_DecodeBlock(part[i]->bytes, (const unsigned char *)b64, (int)len);
        n -= (b64[len - 1] == '=') + (b64[len - 2] == '=');
        part[i]->n = (size_t)n;
        part[i]->at = (uint32_t)json_integer_value(json_object_get(o, keys[i][1]));
    }
    uint32_t entry = (uint32_t)json_integer_value(json_object_get(o, "entry"));
    json_decref(o);
    return entry;
}

static inline void b_upload(struct b *b, const struct b_part *p, size_t block, size_t spare)
{
    b_words(b, 0x05, (uint32_t)p->n, (uint32_t)((p->n + block - 1) / block), (uint32_t)block, p->at);
    assert_int_equal(b_status(b, spare) >> 8, 0);
    for (size_t at = 0, seq = 0; at < p->n; at += block, seq++) {
        b_data(b, 0x07, (uint32_t)seq, p->bytes + at, p->n - at < block ? p->n - at : block, 0);
        assert_int_equal(b_status(b, spare) >> 8, 0);
    }
}

/* Sync, upload the chip's own stub and start it; what was got last is MEM_END's answer and the greeting. */
static inline void b_start_stub(struct b *b, const char *file)
{
    static struct b_part text, data;
    uint32_t entry = b_stub(file, &text, &data);
    size_t spare = b->spec.chip->status_len - 2;
    b_raw(b, B_SYNC);
    b_upload(b, &text, 0x1800, spare);
    b_upload(b, &data, 0x1800, spare);
    b_words(b, 0x06, 0, entry);
    b_wait(b, 20 * MS);
    assert_int_equal(sim_board_mode(b->board), SIM_STUB);
}

#endif
