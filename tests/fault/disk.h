/* SPDX-License-Identifier: Apache-2.0
 *
 * disk.h: a folder as the system shows it and as the disk holds it, call by call; and what of it a power cut may leave.
 *
 * What POSIX promises, and no more: bytes of a file are on disk when a sync of that file that began after them was done;
 * names (made, moved, removed) when their folder was synced. Everything else may be there or not:
 *
 *   bytes   each sector (512 or 4096 bytes) as it was at some moment since the sync before; a file that grew may have grown
 *           on disk by any of it, with zeroes or with whatever lay there before
 *   names   each change or none; or, as a journal does it, all up to some moment
 *
 * A sync that failed: what it should have written is on no disk, and the system shows it and calls it clean, until its page
 * is written to again (Rebello et al., Can Applications Recover from fsync Failures?, ATC 2020).
 */
#ifndef FL_TESTS_FAULT_DISK_H
#define FL_TESTS_FAULT_DISK_H

#include "fault/disk_log.h"

#include <stdbool.h>
#include <stddef.h>

struct disk; /* opaque */

struct disk *disk_load(const char *folder); /* all of it on disk; ends the program when it cannot */
void disk_free(struct disk *d);
/* `bytes` is borrowed for the life of the disk. */
void disk_call(struct disk *d, size_t index, const struct disk_head *h, const char *path, const char *to, const uint8_t *bytes);

enum disk_left {
    DISK_ALL,       /* as the system shows it: the program was killed, the machine was not */
    DISK_SYNCED,    /* nothing but what was synced */
    DISK_NAMES,     /* all names, only bytes that were synced: files of length 0 */
    DISK_BYTES,     /* all bytes, only names that were synced */
    DISK_CHANCE,    /* and from here on by chance */
};
struct disk_state; /* what a cut leaves; opaque */
struct disk_state *disk_cut(const struct disk *d, enum disk_left left, uint64_t seed);
void disk_state_free(struct disk_state *s);
uint64_t disk_state_hash(const struct disk_state *s);
void disk_state_write(const struct disk_state *s, const char *folder); /* which must not be there */

#endif
