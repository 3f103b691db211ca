/* SPDX-License-Identifier: Apache-2.0
 *
 * profile.h: the YAML that says what to do to a unit, read strictly, with its images.
 *
 * profile_load reads, checks everything that can be checked without a port, loads the images, and gives
 * an immutable profile, or every problem it found as `file:line:column: what is wrong, what was expected`.
 * The images are compressed once for all slots, when profile_begin says so. Every key: profiles/README.md.
 *
 * What is certainly wrong is a problem and refuses the profile (an image for another chip, two
 * images in one sector, a damaged bootloader). What may be meant is a note and does not.
 *
 * The profile's identity is the SHA-256 of its canonical content (canonical JSON of all settings with
 * defaults filled in) and of every image's SHA-256 and offset: two files that mean the same have
 * the same hash. File names and comments are not part of it.
 *
 * `flash.size: detect` changes the bootloader header, so the regions depend on the size found:
 * profile_regions gives (and keeps) one set for each size. Sets share what does not differ.
 *
 * Thread rule: load and free from one thread; everything else from any thread at the same time.
 */
#ifndef FL_PROFILE_PROFILE_H
#define FL_PROFILE_PROFILE_H

#include "base/json.h"
#include "esp/esp.h"

/* ---- problems, all at once --------------------------------------------------------------------- */

struct profile_problem {
    char *text;            /* "demo.yaml:12:9: ..." */
    unsigned line, column; /* from 1 */
};
struct profile_problems { /* zeroed by the caller; in order of place */
    struct profile_problem *list; /* owned */
    size_t n;
};
void profile_problems_fini(struct profile_problems *p);

/* ---- the profile ------------------------------------------------------------------------------- */

struct profile_image {
    const char *file;  /* as written in the profile */
    uint32_t offset, size; /* bytes in the file */
    uint8_t sha256[32];    /* of the file */
    uint8_t md5[16];       /* of the file */
    /* what the file's own header demands of the silicon, major * 100 + minor; 0 and UINT_MAX: nothing */
    unsigned min_revision, max_revision;
};

enum { PROFILE_WORDS_MAX = 32, PROFILE_MEASURES_MAX = 16, PROFILE_UNIT_MAX = 16 };

/* A command around an attempt (line/hook.h). */
struct profile_hook {
    const char *argv[PROFILE_WORDS_MAX + 1]; /* ends with NULL; argv[0] NULL: none */
    uint32_t within_ms;
};

/* A number in what the board says. In millionths, so that 3.3 is 3.3. */
struct profile_measure {
    const char *name;
    const char *text;   /* "vbat={} mV": {} stands for the number */
    bool has_low, has_high;
    int64_t low, high;
    char unit[PROFILE_UNIT_MAX]; /* "V"; "" none */
};
/* "3.2..4.3 V", "..85 C", "10..": false for anything else. Fills the limits and the unit. */
FL_MUST bool profile_parse_limits(const char *text, struct profile_measure *out);
/* A decimal number at the start of `text`, at most six places after the point; *end is what follows. */
FL_MUST bool profile_parse_decimal(const char *text, int64_t *micro, const char **end);

struct profile_boot_check {
    bool wanted;
    uint32_t baud;      /* 115200 when not said (ESP8266: 74880) */
    const char *expect; /* text that must appear; NULL: none */
    const char *fail;   /* text that must not; NULL: none */
    uint32_t within_ms; /* 5000 when not said */
    const struct profile_measure *measures;
    size_t n_measures;
    unsigned near_percent; /* of the range: so near a limit is MARGINAL */
};

/* How a line notices that a board came or went. */
struct profile_detect {
    uint32_t every_ms;   /* how often a place whose bridge stays is asked for a board; 500 when not said */
    uint32_t removed_ms; /* how often a finished board there is asked whether it is still in; 5000 */
    uint32_t settle_ms;  /* a port must have been there so long before its board is touched; 250 */
    uint32_t again_ms;   /* a board that passed and is back within this never left; 10000 */
};

struct profile_gate {
    unsigned min_revision, max_revision; /* major * 100 + minor; 0 and UINT_MAX: no limit */
    uint64_t flash_size;                 /* bytes at least; 0: any */
    /* "off": must be off; "on": must be on; "any": recorded only */
    enum esp_tristate secure_boot, flash_encryption; /* ESP_UNKNOWN: any */
};

struct profile {
    const char *name, *version, *path;
    uint8_t sha256[32];
    char hash[65];      /* the same in hex */
    const char *chip;   /* "esp32" */
    struct profile_gate gate;
    struct esp_config esp;   /* chip, speeds, reset, stub: what a session is opened with */
    bool erase_all, skip_matching;
    bool unproven;           /* units that cannot prove what they hold are written too, and do not pass */
    uint64_t flash_size;     /* from flash.size: bytes, 0: detect or keep */
    bool patches_header;     /* mode, freq or size of a bootloader header is set: its bytes in flash differ
                              * from the file, which a unit with secure boot on must never get */
    unsigned attempts;       /* retry.attempts, at least 1 */
    struct profile_boot_check boot_check;
    struct profile_detect detect;
    struct profile_hook before, after; /* commands around each attempt */
    const struct profile_image *images;
    size_t n_images;
    const char *const *notes; /* what the author may want to know; "demo.yaml:12:9: ..." */
    size_t n_notes;
    const char *text;        /* the YAML as read */
    struct profile_private *priv;
};

/* FL_FORMAT with problems; FL_NOMEM (may come without any). On failure *out is NULL. */
FL_MUST enum fl_err profile_load(const char *path, struct profile **out,
                                 struct profile_problems *problems);
/* The same of a text that is not in a file yet; `path` is where it would lie. `text` NULL: profile_load. */
FL_MUST enum fl_err profile_load_text(const char *path, const char *text, struct profile **out,
                                      struct profile_problems *problems);
void profile_free(struct profile *p); /* NULL is fine */

/* The regions to write on a chip whose flash has `flash_size` bytes (0: not known; then the header's size is
 * kept). They live as long as the profile. FL_LIMIT when an image does not fit that flash, or when flash.size
 * names a larger one: the application would refuse to start. FL_UNSUPPORTED when flash.size is detect and the
 * chip's headers have no code for the size. */
FL_MUST enum fl_err profile_regions(const struct profile *p, uint64_t flash_size,
                                    const struct esp_region **regions, size_t *n,
                                    struct fl_why *why);

/* The same regions without waiting for their compressed forms (all between `deflated` and `joins`): nobody may look at those
 * before profile_regions was asked with the same flash size. Enough for a board that holds the image already. */
FL_MUST enum fl_err profile_regions_early(const struct profile *p, uint64_t flash_size,
                                          const struct esp_region **regions, size_t *n,
                                          struct fl_why *why);
/* Hash and compress from now on, on a thread of its own: when what has to be quick is done. Without it the first who asks for
 * regions begins it. */
void profile_begin(const struct profile *p);

/* Are the profile and every image still what was loaded? FL_MISMATCH names the file. What was not written since it was
 * last read is not read again (recheck.c), so that it can be asked before every unit. */
FL_MUST enum fl_err profile_recheck(const struct profile *p, struct fl_why *why);

/* Body of the `profile` event (event/event.h): new reference, NULL: no memory. */
json_t *profile_facts(const struct profile *p);

/* What will be done, for people (`flashline plan`) and as JSON. Pure. `flash_size` and errors as above, and
 * FL_LIMIT when the gate would refuse such a flash. */
FL_MUST enum fl_err profile_plan(const struct profile *p, uint64_t flash_size, json_t **out,
                                 struct fl_why *why);
FL_MUST enum fl_err profile_plan_text(const json_t *plan, struct fl_buf *out);

/* "4MB", "1024KB", "0x400000", "4194304": a size as people write it in these files. */
FL_MUST bool profile_parse_size(const char *text, uint64_t *bytes);

/* The key reference as Markdown tables, from the tables that the reader itself works by. */
void profile_key_reference(struct fl_buf *out);

#endif
