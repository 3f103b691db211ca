/* SPDX-License-Identifier: Apache-2.0
 * link/notice and link_port_there, on a folder where files come and go. */
#include "unit/t.h"

#include "link/notice.h"
#include "link/ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void comes_and_goes(void **state)
{
    (void)state;
    char dir[] = "/tmp/flashline-notice-XXXXXX", path[64], url[80];
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/board", dir);
    (void)snprintf(url, sizeof url, "pty:%s", path);
    const char *const urls[] = {url, "rfc2217://127.0.0.1:6100"};
    struct link_notice *w = NULL;
    struct fl_why why = {0};
    enum fl_err err = link_notice_open(urls, 2, &w, &why);
#ifndef __linux__
    if (err == FL_UNSUPPORTED)
        skip(); /* ports are looked at instead: link/notice.h */
#endif
    assert_int_equal(err, FL_OK);
    assert_int_equal(link_port_there(url), LINK_NO);
    assert_int_equal(link_port_there(urls[1]), LINK_UNKNOWN);
    assert_int_equal(link_port_there("nonsense"), LINK_UNKNOWN);
    assert_int_equal(link_notice_wait(w, NULL, fl_deadline_in_ms(20)), FL_TIMEOUT);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(link_notice_wait(w, NULL, fl_deadline_in_ms(20000)), FL_OK);
    assert_int_equal(link_port_there(url), LINK_YES);
    assert_int_equal(chmod(path, 0600), 0); /* as udev does after the kernel made the node */
    assert_int_equal(link_notice_wait(w, NULL, fl_deadline_in_ms(20000)), FL_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(link_notice_wait(w, NULL, fl_deadline_in_ms(20000)), FL_OK);
    assert_int_equal(link_port_there(url), LINK_NO);
    struct fl_wake wake;
    assert_int_equal(fl_wake_init(&wake, NULL), FL_OK);
    fl_wake_raise(&wake);
    assert_int_equal(link_notice_wait(w, &wake, fl_deadline_never()), FL_CANCELLED);
    fl_wake_fini(&wake);
    link_notice_close(w);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(comes_and_goes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
