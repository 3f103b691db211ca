/* SPDX-License-Identifier: Apache-2.0
 * audit/page, audit/qr: codes of every size that libqrencode draws are read back, and any module of them that is turned is found;
 * whatever is changed in a certificate's page is. */
#include "unit/t.h"

#include "audit/page.h"
#include "audit/qr.h"
#include "prove/certificate_page.h"

#include <qrencode.h>

static struct qr code;

static void draw(const uint8_t *bytes, int n, int version)
{
    QRcode *qr = QRcode_encodeData(n, bytes, version, QR_ECLEVEL_L);
    assert_non_null(qr);
    memset(&code, 0, sizeof code);
    code.width = (unsigned)qr->width;
    for (int i = 0; i < qr->width * qr->width; i++)
        code.dark[i] = qr->data[i] & 1;
    QRcode_free(qr);
}

static void every_version(void **state)
{
    /* bytes that a code of level L holds, ISO/IEC 18004 table 7 */
    static const int room[41] = {0,    17,   32,   53,   78,   106,  134,  154,  192,  230,  271,  321,  367,  425,
                                 458,  520,  586,  644,  718,  792,  858,  929,  1003, 1091, 1171, 1273, 1367, 1465,
                                 1528, 1628, 1732, 1840, 1952, 2068, 2188, 2303, 2431, 2563, 2699, 2809, 2953};
    static uint8_t bytes[2953];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 167 + i / 256);
    for (int v = 1; v <= 40; v++)
        for (int less = 0; less < 3; less++) {
            int n = room[v] - (less == 2 ? room[v] / 2 : less);
            draw(bytes, n, v);
            assert_int_equal(code.width, 17 + 4 * v);
            if (!qr_holds(&code, bytes, (size_t)n))
                fail_msg("version %d with %d bytes is not read", v, n);
            assert_false(qr_holds(&code, bytes, (size_t)n - 1));
            bytes[n / 3] ^= 1;
            assert_false(qr_holds(&code, bytes, (size_t)n));
            bytes[n / 3] ^= 1;
        }
}

/* A scanner would correct it, to what it was or to what somebody meant it to be. */
static void any_module_of_data(void **state)
{
    static const uint8_t text[] = "c2sp.org/tlog-proof@v1 and some more of it so that it has two blocks, or four of them, and check "
                                  "bytes behind each: what a scanner would correct is found here";
    (void)state;
    draw(text, sizeof text, 7);
    unsigned found = 0, all = code.width * code.width;
    for (unsigned i = 0; i < all; i++) {
        code.dark[i] ^= 1;
        found += !qr_holds(&code, text, sizeof text);
        code.dark[i] ^= 1;
    }
    assert_true(qr_holds(&code, text, sizeof text));
    assert_true(found >= 196 * 8); /* version 7 has 196 codewords; the rest are patterns, which hold nothing */
}

/* The worked example of five records, its third in `extra`. */
static const char proof_text[] =
    "c2sp.org/tlog-proof@v1\n"
    "extra eyJldmVudCI6ImZsYXNoIiwiZndfc2hhMjU2IjoiOWY4NmQwODE4ODRjN2Q2NTlhMmZlYWEwYzU1YWQwMTVhM2JmNGYxYjJiMGI4MjJjZDE1ZDZjMTViMGYwMGEwOCIs"
    "InJlc3VsdCI6InBhc3MiLCJzZXEiOjIsInNlcmlhbCI6IkExMDAtMDAwMDAyIiwic3RhdGlvbiI6InN0YXRpb24xIiwidGltZSI6IjIwMjYtMTEtMjJUMDg6MDA6MDIuMDAwWiIs"
    "InYiOjF9\n"
    "index 2\nD5NsSdyoxc97hMWaieNCXXoj+BbeNXH92iee6skMFZs=\niH4MnMXYUIMRw1vg4YvMmryRvXP0mLZ1+n7JrPlHfQ4=\n"
    "GvxqwrLBBaydR30NvehmVQzC+BvZId2gGy8WHMk7qMU=\n\n"
    "factory.example/station1\n5\nrHpobgt2AqmcV3G1we4mWTTYmWcZjOWMHRV/y9OPdTU=\n\n"
    "\xe2\x80\x94 factory.example/station1 mR34d4vcsXaE2c0kejCqrTeKRe3gU7VtzbRwQABcrCbpgSlJfLUVB2BiTMQXyHDozUBIEXqpVvrFC8wv6AzenQ0rBgY=\n";

static enum fl_err check(const struct fl_buf *page, const struct proof_file *p, struct fl_why *why)
{
    return page_check((const char *)page->bytes, page->len, p, proof_text, sizeof proof_text - 1, why);
}

static void any_byte_of_a_page(void **state)
{
    struct fl_buf proof = {.bytes = (uint8_t *)(uintptr_t)proof_text, .len = sizeof proof_text - 1}, page = FL_BUF(1000000);
    struct proof_file p;
    struct fl_why why = {0, ""};
    (void)state;
    assert_int_equal(proof_file_parse(proof.bytes, proof.len, &p, NULL), FL_OK);
    assert_int_equal(certificate_page(&proof, &page, NULL), FL_OK);
    assert_int_equal(check(&page, &p, &why), FL_OK);
    const char *text = fl_buf_text(&page), *from = strstr(text, "<path d=\"") + 9, *to = strchr(from, '"');
    for (size_t i = 0; i < page.len; i++) {
        if (text + i >= from && text + i < to) /* modules, by another test */
            continue;
        page.bytes[i] ^= 1;
        if (check(&page, &p, NULL) != FL_MISMATCH)
            fail_msg("byte %zu changed, and the page passes", i);
        page.bytes[i] ^= 1;
    }
    /* in the path: letters that are none, a run over the edge, runs that overlap */
    static const struct {
        const char *was, *is;
    } path[] = {{"M0 0h7v1h-7z", "M0 0h7v1h-7z<!--"}, {"M0 0h7v1h-7z", "M0 0h999v1h-999z"},
                {"M0 0h7v1h-7z", "M0 0h7v1h-7zM0 0h7v1h-7z"}, {"M0 0h7v1h-7z", "M00 0h7v1h-7z"}, {"M0 0h7v1h-7z", "M0 999h7v1h-7z"}};
    for (size_t i = 0; i < T_COUNT(path); i++) {
        struct fl_buf other = FL_BUF(1000000);
        const char *at = strstr(text, path[i].was);
        assert_non_null(at);
        fl_buf_add(&other, text, (size_t)(at - text));
        fl_buf_adds(&other, path[i].is);
        fl_buf_adds(&other, at + strlen(path[i].was));
        if (check(&other, &p, NULL) != FL_MISMATCH)
            fail_msg("path %zu passes", i);
        fl_buf_fini(&other);
    }
    page.len--;
    assert_int_equal(check(&page, &p, NULL), FL_MISMATCH);
    page.len++;
    fl_buf_adds(&page, "<p>FAIL</p>");
    assert_int_equal(check(&page, &p, &why), FL_MISMATCH);
    assert_non_null(strstr(why.text, "behind its end"));
    fl_buf_fini(&page);
    proof_file_fini(&p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(every_version), cmocka_unit_test(any_module_of_data), cmocka_unit_test(any_byte_of_a_page)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
