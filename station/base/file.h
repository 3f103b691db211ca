/* SPDX-License-Identifier: Apache-2.0
 *
 * file.h: whole files, atomic replacement, locks.
 *
 * Durable means: written, fsynced, renamed, folder fsynced, each step checked.
 * Thread rule: no shared state; any thread.
 */
#ifndef FL_BASE_FILE_H
#define FL_BASE_FILE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdio.h>

/* Append the file's bytes to `out` (whose max bounds it). The why names the file. A pipe is read too, and given up when
 * nothing more has come out of it in ten seconds. */
FL_MUST enum fl_err fl_file_read(const char *path, struct fl_buf *out, struct fl_why *why);

/* A new, empty file to write to, or NULL with errno: ENXIO for a pipe that nobody reads, which would hold its writer for ever. */
FILE *fl_file_create(const char *path);

/* Replace `path` by these bytes: after FL_OK the new content survives a power cut, after an error the
 * old file is untouched, or (where only the sync of its folder failed) the new one is there and may be lost by a cut. `mode` as
 * for chmod (0600 for keys); never wider, whatever the umask. Where something else than a
 * file is (/dev/stdout, a pipe) the bytes are written into that. */
FL_MUST enum fl_err fl_file_replace(const char *path, const void *bytes, size_t n, unsigned mode,
                                    struct fl_why *why);

/* Write a file's bytes once more, as they are, and make them durable: after a sync that failed, syncing again says nothing of
 * what it left out. */
FL_MUST enum fl_err fl_file_renew(const char *path, struct fl_why *why);
/* Make a file's bytes, or a folder's names, durable. */
FL_MUST enum fl_err fl_path_sync(const char *path, struct fl_why *why);
/* Rename within one folder, durably: after FL_OK it survives a power cut; never half. */
FL_MUST enum fl_err fl_file_move(const char *from, const char *to, struct fl_why *why);

/* Make the folder and its missing parents, durably, mode 0755 less umask; an existing one is fine. */
FL_MUST enum fl_err fl_dir_make(const char *path, struct fl_why *why);
bool fl_path_exists(const char *path);

/* Hold an exclusive lock on `path` (made if missing) until fl_lock_drop; the kernel drops it when the
 * process ends, however it ends. FL_BUSY when somebody else holds it. */
struct fl_lock {
    int fd; /* -1: not held */
};
FL_MUST enum fl_err fl_lock_take(struct fl_lock *l, const char *path, struct fl_why *why);
void fl_lock_drop(struct fl_lock *l);
/* The same, on a file that is there only while it is held: fl_lock_end removes it. For what is made under a name that others
 * may make too. */
FL_MUST enum fl_err fl_lock_claim(struct fl_lock *l, const char *path, struct fl_why *why);
void fl_lock_end(struct fl_lock *l, const char *path);

/* The names in a folder that end in `ending` and are longer than it (all but . and .. with ""), in the order of their bytes. A
 * folder that is not there has none. *out is empty on failure. */
struct fl_names {
    char **name; /* owned, and each of them */
    size_t n, cap;
};
FL_MUST enum fl_err fl_dir_names(const char *dir, const char *ending, struct fl_names *out, struct fl_why *why);
void fl_names_free(struct fl_names *names); /* an empty one is fine */

/* "dir/name" in a new string the caller frees; an absolute `name` stays as it is. NULL: no memory. */
char *fl_path_join(const char *dir, const char *name);
/* The folder part of a path ("." when there is none), caller frees. */
char *fl_path_dir(const char *path);

#endif
