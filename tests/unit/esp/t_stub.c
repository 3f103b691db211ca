/* SPDX-License-Identifier: Apache-2.0
 * The stubs in the program against the lengths and addresses of the facts sheet (4.3) and against their files, and broken JSON. */
#include "unit/t.h"

#include "base/embedded.h"
#include "esp/chip.h"
#include "esp/stub_file.h"

static void shipped(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t text_n;
        uint32_t text_at;
        size_t data_n;
        uint32_t data_at, entry, bss;
    } cases[] = {
        {"esp8266", 11456, 0x4010C500, 920, 0x3FFFAE6C, 0x4010C504, 0x3FFE8100},
        {"esp32", 6456, 0x400A8000, 212, 0x3FFDED6C, 0x400A902C, 0x3FFCC000},
        {"esp32s2", 6600, 0x40028000, 212, 0x3FFE2DC0, 0x400290A4, 0x3FFD0000},
        {"esp32s3", 7832, 0x40378000, 264, 0x3FCB2DC0, 0x40379524, 0x3FCA0000},
        {"esp32c3", 5880, 0x40380000, 204, 0x3FC96D68, 0x40380E9A, 0x3FC84000},
        {"esp32c2", 5816, 0x40380000, 204, 0x3FCB6D6C, 0x40380F90, 0x3FCA4000},
        {"esp32c6", 6900, 0x40800000, 216, 0x40852F0C, 0x408011BC, 0x40840000},
        {"esp32c61", 6552, 0x40800000, 204, 0x40816D68, 0x40801130, 0x40804000},
        {"esp32c5", 8028, 0x40800000, 216, 0x40852F0C, 0x408015D2, 0x40840000},
        {"esp32h2", 5864, 0x40800000, 204, 0x40842D68, 0x40800E92, 0x40830000},
        {"esp32h4", 5884, 0x40810000, 204, 0x40842D68, 0x40810E92, 0x40830000},
        {"esp32p4", 8176, 0x4FF50000, 204, 0x4FF72DB8, 0x4FF51456, 0x4FF60000},
        {"esp32p4-rev1", 8176, 0x4FF10000, 204, 0x4FF62DB8, 0x4FF11456, 0x4FF50000},
        {"esp32s31", 7144, 0x2F001000, 204, 0x2F01CDB8, 0x2F00221E, 0x2F00A000},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        const struct stub *s = stub_find(cases[i].name);
        assert_non_null(s);
        assert_int_equal(s->segments[0].n, cases[i].text_n);
        assert_int_equal(s->segments[0].addr, cases[i].text_at);
        assert_int_equal(s->segments[1].n, cases[i].data_n);
        assert_int_equal(s->segments[1].addr, cases[i].data_at);
        assert_int_equal(s->entry, cases[i].entry);
        assert_int_equal(s->bss, cases[i].bss);
    }
}

/* Every byte of every file that the package ships, read again. */
static void as_their_files(void **state)
{
    (void)state;
    size_t n = 0;
    for (const struct fl_embedded *e = fl_embedded_stubs; e->name; e++, n++) {
        struct stub_file f;
        char name[64];
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(e->name, "."), e->name);
        const struct stub *s = stub_find(name);
        assert_non_null(s);
        assert_int_equal(stub_file_parse(e->bytes, e->size, &f, NULL), FL_OK);
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(s->segments[i].n, f.stub.segments[i].n);
            assert_int_equal(s->segments[i].addr, f.stub.segments[i].addr);
            assert_memory_equal(s->segments[i].bytes, f.stub.segments[i].bytes, s->segments[i].n);
        }
        assert_int_equal(s->entry, f.stub.entry);
        stub_file_fini(&f);
    }
    assert_null(stub_table[n].name);
}

/* Every stub that a chip's row names is embedded. */
static void named_by_chips(void **state)
{
    (void)state;
    for (size_t i = 0; chip_at(i); i++) {
        const char *names[] = {chip_at(i)->stub, chip_at(i)->stub_old};
        for (size_t k = 0; k < T_COUNT(names); k++)
            if (names[k])
                assert_non_null(stub_find(names[k]));
    }
}

#define REST ",\"data\":\"AAAA\",\"data_start\":2,\"bss_start\":3,\"entry\":4}"

static void broken(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        size_t n; /* text bytes when accepted, 0: refused */
    } cases[] = {
        {"{\"text\":\"QUJD\",\"text_start\":1" REST, 3},
        {"{\"text\":\"QUI=\",\"text_start\":1" REST, 2},
        {"{\"text\":\"QQ==\",\"text_start\":1" REST, 1},
        {"{\"text\":\"QR==\",\"text_start\":1" REST, 0}, /* unused bits set */
        {"{\"text\":\"QUJ=\",\"text_start\":1" REST, 0},
        {"{\"text\":\"Q===\",\"text_start\":1" REST, 0},
        {"{\"text\":\"QUJ\",\"text_start\":1" REST, 0},
        {"{\"text\":\"QU=D\",\"text_start\":1" REST, 0},
        {"{\"text\":\"QQ==QUJD\",\"text_start\":1" REST, 0},
        {"{\"text\":\"QU J\",\"text_start\":1" REST, 0},
        {"{\"text\":\"\",\"text_start\":1" REST, 0},
        {"{\"text\":7,\"text_start\":1" REST, 0},
        {"{\"text\":\"QUJD\",\"text_start\":-1" REST, 0},
        {"{\"text\":\"QUJD\",\"text_start\":4294967296" REST, 0},
        {"{\"text\":\"QUJD\",\"text_start\":\"1\"" REST, 0},
        {"{\"text\":\"QUJD\"" REST, 0},
        {"{\"text\":\"QUJD\",\"text_start\":1", 0},
        {"[]", 0},
        {"", 0},
    };
    for (size_t i = 0; i < T_COUNT(cases); i++) {
        struct stub_file f;
        struct fl_why why = {0, ""};
        enum fl_err err = stub_file_parse(cases[i].json, strlen(cases[i].json), &f, &why);
        if (err != (cases[i].n ? FL_OK : FL_FORMAT))
            fail_msg("%s: %s", cases[i].json, fl_err_text(err));
        assert_int_equal(f.stub.segments[0].n, cases[i].n);
        assert_true(!err || strlen(why.text) > 0);
        if (!err)
            assert_memory_equal(f.stub.segments[0].bytes, "ABC", cases[i].n);
        stub_file_fini(&f);
    }
    assert_null(stub_find("esp99"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped),
        cmocka_unit_test(as_their_files),
        cmocka_unit_test(named_by_chips),
        cmocka_unit_test(broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
