/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/state.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum fl_err sim_state_open(const char *dir, struct fl_lock *lock, struct fl_why *why)
{
    enum fl_err err = fl_dir_make(dir, why);
    if (err)
        return err;
    char *path = fl_path_join(dir, "lock");
    if (!path)
        return fl_fail(why, FL_NOMEM, "out of memory");
    err = fl_lock_take(lock, path, why);
    if (err == FL_BUSY)
        err = fl_fail(why, err, "another simulator keeps its boards in %.300s", dir);
    free(path);
    return err;
}

static char *board_file(const char *dir, unsigned number, const char *ending)
{
    char name[40];
    snprintf(name, sizeof name, "board%u.%s", number, ending);
    return fl_path_join(dir, name);
}

static enum fl_err burn(const char *path, const struct sim_spec *s, struct fl_why *why)
{
    char line[80], mac[13];
    fl_hex(s->mac, 6, mac);
    int n = snprintf(line, sizeof line, "%s %s %u\n", s->chip->name, mac, s->revision);
    return fl_file_replace(path, line, (size_t)n, 0644, why);
}

static enum fl_err read_burnt(const char *path, struct sim_spec *s, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(200);
    char chip[20], mac[20];
    unsigned revision;
    enum fl_err err = fl_file_read(path, &b, why);
    if (!err && (sscanf(fl_buf_text(&b), "%19s %19s %u", chip, mac, &revision) != 3 ||
                 !fl_unhex(mac, s->mac, 6)))
        err = fl_fail(why, FL_FORMAT, "%s: expected \"chip mac revision\"", path);
    if (!err && strcmp(chip, s->chip->name) != 0)
        err = fl_fail(why, FL_MISMATCH, "%s: this board is an %s, not an %s", path, chip, s->chip->name);
    if (!err)
        s->revision = revision;
    fl_buf_fini(&b);
    return err;
}

enum fl_err sim_state_board(const char *dir, struct sim_spec *spec, char **flash_file,
                            struct fl_why *why)
{
    char *path = board_file(dir, spec->number, "efuse");
    *flash_file = board_file(dir, spec->number, "bin");
    enum fl_err err = !path || !*flash_file ? fl_fail(why, FL_NOMEM, "out of memory")
                      : fl_path_exists(path) ? read_burnt(path, spec, why)
                                             : burn(path, spec, why);
    free(path);
    return err;
}
