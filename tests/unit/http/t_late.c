/* SPDX-License-Identifier: Apache-2.0
 * Libraries that are loaded when they are needed: whole or not at all, and words for who has to install one. */
#include "unit/t.h"

#include "http/late.h"
#include "http/mhd.h"

struct some {
    double (*cosine)(double);
    double (*root)(double);
};
static const struct late_function both[] = {{"cos", offsetof(struct some, cosine)}, {"sqrt", offsetof(struct some, root)}, {NULL, 0}};

static void a_table_is_filled(void **state)
{
    struct some t = {NULL, NULL};
    struct fl_why why = {0, ""};
    (void)state;
    for (int i = 0; i < 2; i++) /* once more: it is there already */
        assert_int_equal(late_load(&(struct late_library){"libm.so.6", "libc6", both}, &t, &why), FL_OK);
    assert_true(t.cosine(0) == 1.0);
    assert_true(t.root(81) == 9.0);
}

static void a_missing_library_is_named(void **state)
{
    struct some t = {NULL, NULL};
    struct fl_why why = {0, ""};
    (void)state;
    assert_int_equal(late_load(&(struct late_library){"libnosuch.so.7", "libnosuch7", both}, &t, &why), FL_NOT_FOUND);
    assert_non_null(strstr(why.text, "libnosuch.so.7"));
    assert_non_null(strstr(why.text, "package is libnosuch7"));
    assert_null(t.cosine);
}

static void an_old_library_is_told(void **state)
{
    static const struct late_function newer[] = {{"cos", offsetof(struct some, cosine)}, {"cos_of_tomorrow", offsetof(struct some, root)}, {NULL, 0}};
    struct some t = {NULL, NULL};
    struct fl_why why = {0, ""};
    (void)state;
    assert_int_equal(late_load(&(struct late_library){"libm.so.6", "libc6", newer}, &t, &why), FL_UNSUPPORTED);
    assert_non_null(strstr(why.text, "cos_of_tomorrow"));
    assert_non_null(strstr(why.text, "libc6"));
}

static void the_server_is_whole(void **state)
{
    struct mhd m;
    struct fl_why why = {0, ""};
    void *pointer[sizeof m / sizeof(void *)];
    (void)state;
    memset(&m, 0, sizeof m);
    if (mhd_load(&m, &why))
        fail_msg("%s", why.text);
    memcpy(pointer, &m, sizeof m);
    for (size_t i = 0; i < T_COUNT(pointer); i++)
        assert_non_null(pointer[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_filled),
        cmocka_unit_test(a_missing_library_is_named),
        cmocka_unit_test(an_old_library_is_told),
        cmocka_unit_test(the_server_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
