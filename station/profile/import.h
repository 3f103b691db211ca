/* SPDX-License-Identifier: Apache-2.0
 *
 * import.h: a profile's YAML from what people have already: an esptool command line, the flasher_args.json of an
 * ESP-IDF build, or one merged image.
 *
 * Pure: words and bytes in, YAML out; whoever calls reads the files. The order: one import_command...,
 * import_flasher_args or import_merged; the bytes of each image to import_see; import_yaml.
 *
 * What changes nothing in flash and has no place in a profile is left out silently (ports, progress) or told
 * (`told`, one sentence a line, also a comment in the YAML). What would put other bytes into flash than the
 * source does, or is not understood, is refused (`refused`, one sentence a line).
 *
 * Errors: FL_FORMAT: `refused` says why. FL_NOMEM. Thread rule: one owner.
 */
#ifndef FL_PROFILE_IMPORT_H
#define FL_PROFILE_IMPORT_H

#include "base/buf.h"
#include "base/hash.h"

#include <stdbool.h>

enum { IMPORT_IMAGES_MAX = 64, IMPORT_TEXT_MAX = 1 << 20 };

struct import_image {
    bool placed;     /* `offset` is known */
    uint32_t offset;
    char *file;      /* as the source names it; owned */
    char *shown;     /* as the profile shall name it; NULL: as `file`; owned */
    size_t size;     /* with import_see */
    uint8_t sha256[FL_SHA256_SIZE];
};

struct import { /* import_init first */
    struct fl_buf from;   /* comment: where it comes from; lines */
    char chip[16];        /* "": not said; import_see may find it */
    char name[65], version[65]; /* "": from the application's own words, or the largest file's name */
    uint32_t baud;        /* 0: not said */
    bool reset_none, stub_never, erase_all;
    char mode[8], freq[8], size[16]; /* "": keep */
    struct import_image images[IMPORT_IMAGES_MAX]; /* in order of offset after import_yaml */
    size_t n;
    uint64_t table_end;   /* where the partition table's last partition ends; 0: none seen */
    struct fl_buf told, refused;
    /* The text of a file that a command line names as "@FILE"; NULL: none is read. Set after import_init. */
    enum fl_err (*read)(void *ctx, const char *file, struct fl_buf *text);
    void *read_ctx;
};

void import_init(struct import *i);
void import_fini(struct import *i);

/* The words of a command line, from `esptool.py` (or what runs it) on. "@FILE" is what stands in that file. */
FL_MUST enum fl_err import_command(struct import *i, size_t n, const char *const *words);
/* One line as a shell takes it: quotes, backslashes before quotes, blanks and line ends; other backslashes stay,
 * because they are in the paths of another system. */
FL_MUST enum fl_err import_command_line(struct import *i, const char *line);
/* The text of a flasher_args.json; its files count from its folder. `name` is for the comment. */
FL_MUST enum fl_err import_flasher_args(struct import *i, const char *name, const void *json, size_t n);
/* One file; `offset` NULL: where it belongs shows from what it holds. */
FL_MUST enum fl_err import_merged(struct import *i, const char *file, const uint32_t *offset);

/* The bytes of images[k]: hash, chip, name, version, place, the flash that its table needs. */
FL_MUST enum fl_err import_see(struct import *i, size_t k, const uint8_t *bytes, size_t n);
FL_MUST enum fl_err import_yaml(struct import *i, struct fl_buf *out);

/* The way from a folder to a file, both absolute and without `.` and `..` in them: "../b/c.bin". */
void import_relative(const char *folder, const char *file, struct fl_buf *out);

/* For the readers of one source each. */
FL_MUST enum fl_err import_refuse(struct import *i, const char *fmt, ...) FL_PRINTF(2, 3);
void import_tell(struct import *i, const char *fmt, ...) FL_PRINTF(2, 3);
FL_MUST enum fl_err import_add(struct import *i, const char *offset, const char *file);
/* Options of write_flash (`global` false) or before it, and what follows them. */
FL_MUST enum fl_err import_words(struct import *i, size_t n, const char *const *words, bool global);

#endif
