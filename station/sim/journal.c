/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/journal.h"

#include "base/file.h"
#include "sim/board_impl.h"

#include <stdio.h>
#include <stdlib.h>

struct sim_journal {
    FILE *f;
    uint64_t start;
};

enum fl_err sim_journal_open(const char *path, uint64_t now, struct sim_journal **out, struct fl_why *why)
{
    *out = NULL;
    struct sim_journal *j = calloc(1, sizeof *j);
    if (!j)
        return fl_fail(why, FL_NOMEM, "out of memory");
    j->start = now;
    j->f = fl_file_create(path);
    if (!j->f) {
        free(j);
        return fl_fail_os(why, "%s", path);
    }
    fprintf(j->f, "{\"us\":0,\"what\":\"start\",\"monotonic_us\":%llu}\n", (unsigned long long)now / 1000);
    *out = j;
    return FL_OK;
}

void sim_journal_close(struct sim_journal *j)
{
    if (!j)
        return;
    (void)fclose(j->f);
    free(j);
}

static unsigned long long since(const struct sim_journal *j, uint64_t now)
{
    return now > j->start ? (now - j->start) / 1000 : 0;
}

void sim_journal_frame(struct sim_board *b, int op)
{
    const struct sim_journal *j = b->journal;
    if (!j)
        return;
    fprintf(j->f,
            "{\"us\":%llu,\"board\":%u,\"what\":\"frame\",\"loader\":\"%s\",\"op\":%d,\"baud\":%u,\"down\":%llu,"
            "\"up\":%llu,\"work\":%llu}\n",
            since(j, b->now), b->spec.number, b->mode == SIM_STUB ? "stub" : "rom", op, (unsigned)b->chip_baud,
            (unsigned long long)b->bytes_down, (unsigned long long)b->bytes_up,
            (unsigned long long)b->flash_ns / 1000);
}

void sim_journal_lines(struct sim_board *b)
{
    const struct sim_journal *j = b->journal;
    if (j)
        fprintf(j->f, "{\"us\":%llu,\"board\":%u,\"what\":\"lines\",\"dtr\":%d,\"rts\":%d}\n", since(j, b->now),
                b->spec.number, b->dtr, b->rts);
}

void sim_journal_client(struct sim_board *b, uint64_t now, bool came)
{
    const struct sim_journal *j = b->journal;
    if (!j)
        return;
    fprintf(j->f, "{\"us\":%llu,\"board\":%u,\"what\":\"%s\"}\n", since(j, now), b->spec.number,
            came ? "client" : "left");
    if (!came)
        (void)fflush(j->f);
}
