/* SPDX-License-Identifier: Apache-2.0
 * Requests against the reference frames of the facts sheet (1.3), replies and statuses against the
 * answers seen on real ROM and stub code. */
#include "unit/t.h"

#include "base/hash.h"
#include "esp/packet.h"

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t n = 0;
    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        unsigned v;
        assert_int_equal(sscanf(hex, "%2x", &v), 1);
        out[n++] = (uint8_t)v;
        hex++;
    }
    return n;
}

#define FIFTY5 "5555555555555555"

static void requests(void **state)
{
    (void)state;
    static const struct {
        uint8_t op;
        const char *data, *frame;
    } cases[] = {
        {OP_SYNC, "07071220" FIFTY5 FIFTY5 FIFTY5 FIFTY5,
         "C0 00 08 24 00 00 00 00 00 07 07 12 20" FIFTY5 FIFTY5 FIFTY5 FIFTY5 "C0"},
        {OP_READ_REG, "00100040", "C0 00 0A 04 00 00 00 00 00 00 10 00 40 C0"},
        {OP_SECURITY_INFO, "", "C0 00 14 00 00 00 00 00 00 C0"},
        {OP_SPI_ATTACH, "00000000", "C0 00 0D 04 00 00 00 00 00 00 00 00 00 C0"},
        {OP_SPI_SET_PARAMS, "00000000 00004000 00000100 00100000 00010000 FFFF0000",
         "C0 00 0B 18 00 00 00 00 00 00000000 00004000 00000100 00100000 00010000 FFFF0000 C0"},
        {OP_DEFL_BEGIN, "A0860100 04000000 00400000 00000100 00000000",
         "C0 00 10 14 00 00 00 00 00 A0860100 04000000 00400000 00000100 00000000 C0"},
        {OP_CHANGE_BAUD, "00100E00 00C20100", "C0 00 0F 08 00 00 00 00 00 00 10 0E 00 00 C2 01 00 C0"},
        {OP_FLASH_MD5, "00000100 A0860100 00000000 00000000",
         "C0 00 13 10 00 00 00 00 00 00000100 A0860100 00000000 00000000 C0"},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        uint8_t data[64], expected[128];
        size_t n = unhex(cases[i].data, data), en = unhex(cases[i].frame, expected);
        struct fl_buf out = FL_BUF(256);
        packet_request(&out, cases[i].op, data, n);
        assert_int_equal(out.len, en);
        assert_memory_equal(out.bytes, expected, en);
        fl_buf_fini(&out);
    }
}

static void blocks(void **state)
{
    (void)state;
    uint8_t expected[128];
    size_t en = unhex("C0 00 03 14 00 F7 00 00 00 04000000 000000000000000000000000 "
                      "DB DC DB DD 01 02 C0", expected);
    struct fl_buf out = FL_BUF(4096);
    packet_block(&out, OP_FLASH_DATA, 0, (const uint8_t *)"\xc0\xdb\x01\x02", 4, 0);
    assert_int_equal(out.len, en);
    assert_memory_equal(out.bytes, expected, en);
    /* padded by 3 and by 130: the same bytes as if the FF had been in the payload */
    static const size_t pads[] = {3, 130};
    for (size_t i = 0; i < T_COUNT(pads); i++) {
        uint8_t whole[4 + 130];
        memset(whole, 0xff, sizeof whole);
        memcpy(whole, "\x11\x22\x33\x44", 4);
        struct fl_buf a = FL_BUF(4096);
        fl_buf_clear(&out);
        packet_block(&out, OP_DEFL_DATA, 7, whole, 4, pads[i]);
        packet_block(&a, OP_DEFL_DATA, 7, whole, 4 + pads[i], 0);
        assert_int_equal(out.len, a.len);
        assert_memory_equal(out.bytes, a.bytes, a.len);
        fl_buf_fini(&a);
    }
    fl_buf_fini(&out);
}

static void replies(void **state)
{
    (void)state;
    static const struct {
        const char *frame;
        enum packet_kind kind;
        uint8_t op;
        uint32_t value;
        size_t n;
    } cases[] = {
        {"01 08 0400 07071220 00000000", PACKET_REPLY, 0x08, 0x20120707, 4},
        {"01 0a 0200 831df000 0000", PACKET_REPLY, 0x0a, 0x00f01d83, 2},
        {"00 08 0400 00000000 07071220", PACKET_ECHO, 0x08, 0, 4},
        {"01 0a 0400 831df000 0000", PACKET_CUT, 0x0a, 0x00f01d83, 2},
        {"01 0a 0200 831df000 000000", PACKET_CUT, 0x0a, 0x00f01d83, 3},
        {"01 0a 04", PACKET_CUT, 0x0a, 0, 0},
        {"01", PACKET_FOREIGN, 0, 0, 0},
        {"41 42 43 44 45 46 47 48 49", PACKET_FOREIGN, 0x42, 0x48474645, 1},
        {"4f 48 41 49", PACKET_FOREIGN, 0x48, 0, 0},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        uint8_t frame[64];
        size_t n = unhex(cases[i].frame, frame);
        struct packet_reply r;
        assert_int_equal(packet_parse(frame, n, &r), cases[i].kind);
        assert_int_equal(r.op, cases[i].op);
        if (cases[i].kind == PACKET_REPLY) {
            assert_int_equal(r.value, cases[i].value);
            assert_int_equal(r.n, cases[i].n);
        }
    }
}

static void statuses(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t payload;
        bool known;
        uint8_t code, error;
        bool damaged;
        const char *text;
    } cases[] = {
        /* seen: ROM refuses a checksum; success with a stale second byte; stub's two bytes */
        {"01070000", 0, true, 0x01, 0x07, true, "wrong checksum"},
        {"00070000", 0, true, 0x00, 0x07, false, "done"},
        {"0000", 0, true, 0, 0, false, "done"},
        {"C100", 0, true, 0xc1, 0, true, "wrong checksum"},
        {"C000", 0, true, 0xc0, 0, true, "wrong length"},
        {"C700", 0, true, 0xc7, 0, false, "inflating failed"},
        {"C400", 0, true, 0xc4, 0, false, "flash operation failed"},
        {"0105", 0, true, 1, 5, false,
         "invalid format, unsupported command or wrong sequence number"},
        {"", 0, false, 0, 0, false, "a reply without status"},
        {"00", 0, false, 0, 0, false, "a reply without status"},
        /* GET_SECURITY_INFO of an ESP32-C3: 20 bytes, then the status */
        {"00000000 00 00000000000000 05000000 03000000 00000000", 20, true, 0, 0, false, "done"},
        /* asked for 20, refused with 4 or with 2 */
        {"01050000", 20, true, 1, 5, false,
         "invalid format, unsupported command or wrong sequence number"},
        {"FF00", 20, true, 0xff, 0, false, "command not implemented"},
        /* an MD5 of the ROM whose last bytes are leftovers of its text */
        {"3031323334353637383961626364656630313233343536373839616263646566 00006667", 32, true, 0, 0,
         false, "done"},
        /* the payload without any status: nothing is known of success */
        {"00000000 00 00000000000000 05000000 03000000", 20, false, 0, 0, false,
         "a reply without status"},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        uint8_t data[64];
        struct packet_reply r = {.data = data, .n = unhex(cases[i].data, data)};
        struct packet_status s = packet_status(&r, cases[i].payload);
        if (s.known != cases[i].known || s.code != cases[i].code || s.error != cases[i].error)
            fail_msg("case %zu: known %d %02x %02x", i, s.known, s.code, s.error);
        assert_int_equal(packet_status_damaged(s), cases[i].damaged);
        assert_string_equal(packet_status_text(s), cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(blocks),
        cmocka_unit_test(replies),
        cmocka_unit_test(statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
