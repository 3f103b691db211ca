/* SPDX-License-Identifier: Apache-2.0
 *
 * disk_log.h: what a program did to a folder, call by call, as disk_trace writes it and disk_cut reads it.
 *
 *   "FLDISK01", then for each call that changed something, in the order in which they were done:
 *   4 what, 4 n, 8 a, 8 b, 2 length of path, path, 2 length of to, to, n bytes
 *
 * Numbers are the machine's own. Paths are relative to the folder. `since`: how many calls the log held when a sync was
 * asked for: later ones, of another thread, it need not cover.
 */
#ifndef FL_TESTS_FAULT_DISK_LOG_H
#define FL_TESTS_FAULT_DISK_LOG_H

#include <stdint.h>

#define DISK_LOG_MAGIC "FLDISK01"
enum { DISK_PATH_MAX = 600 };

enum disk_what {
    DISK_CREATE = 1, /* path: a new file */
    DISK_WRITE,      /* path, a offset, bytes */
    DISK_SIZE,       /* path, a size */
    DISK_SYNC,       /* path of a file or folder, a since, b: as below */
    DISK_RENAME,     /* path, to */
    DISK_LINK,       /* path, to */
    DISK_UNLINK,     /* path; a file or an empty folder */
    DISK_MKDIR,      /* path */
    DISK_SHOWN,      /* bytes: seen by somebody outside */
};

enum disk_sync { DISK_SYNC_DONE, DISK_SYNC_FAILED, DISK_SYNC_ALL /* every file, every folder */ };

struct disk_head {
    uint32_t what, n;
    int64_t a, b;
    uint16_t path_n, to_n;
};

#endif
