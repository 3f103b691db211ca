/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/audit_words.h"

#include <stdio.h>

static enum fl_err write_out(enum fl_err err, struct fl_buf *b)
{
    if (!err && (fwrite(b->bytes, 1, b->len, stdout) != b->len || fflush(stdout) != 0))
        err = FL_IO;
    fl_buf_fini(b);
    return err;
}

enum fl_err audit_print_text(const char *data, const struct check_result *r)
{
    struct fl_buf b = FL_BUF(1 << 20);
    return write_out(summary_text(data, r, &b), &b);
}

enum fl_err audit_print_json(const char *data, const struct check_result *r)
{
    struct fl_buf b = FL_BUF(1 << 20);
    return write_out(summary_json(data, r, &b), &b);
}
