/* SPDX-License-Identifier: Apache-2.0
 *
 * loaded.h: what stands behind a struct profile.
 *
 * Inside the room only. Everything here is written while the profile is loaded, and read-only after
 * that; only `sets` and what was seen of files change later, under `lock`.
 */
#ifndef FL_PROFILE_LOADED_H
#define FL_PROFILE_LOADED_H

#include "esp/image.h"
#include "profile/settings.h"

#include <pthread.h>

/* A file as it was when its bytes were last found right (recheck.c). */
struct file_seen {
    bool known;
    uint64_t device, inode, size;
    int64_t modified_ns, changed_ns;
};

struct loaded_image {
    struct file_seen seen; /* under profile_private.lock */
    struct profile_image *facts; /* in profile_private.images */
    char *path;                  /* where it was read from, owned */
    uint8_t *bytes;              /* as in the file, then FF up to a multiple of 4; owned; NULL: not read */
    bool offset_known;           /* its offset is one */
    struct place item_at, offset_at, file_at, sha_at;
    bool patchable;              /* a sound image at the chip's bootloader offset: its header may be set */
    bool is_signed;              /* and it carries a signature of secure boot: then it may not */
    uint8_t was_mode, was_size_freq; /* its header bytes 2 and 3 in the file */
};

/* One way to write the flash: for one code of the flash size in the header. */
struct region_set {
    int size_code; /* -1: as the files, or flash.size, say */
    struct esp_region *regions;
    size_t n;
    void **owned; /* buffers of regions that differ from the first set's */
    size_t n_owned;
    bool pressed; /* the compressed forms are there; until then nobody outside looks at them */
    struct region_set *next;
};

/* How far the first set is. */
enum made { MADE_CUT, MADE_HASHED, MADE_PRESSED };

struct profile_private {
    struct profile pub;
    struct fl_buf text;
    struct node *tree;
    struct settings s;
    char *path, *dir;
    bool chip_known;
    const struct esp_image_chip *chip;
    struct profile_image *images;
    struct profile_measure *measures;
    struct loaded_image *loaded;
    size_t n;
    struct profile_problems notes;
    const char **note_texts;
    struct file_seen seen; /* the profile's own file; under lock */
    pthread_mutex_t lock; /* guards sets and what was seen of files; a leaf, held while a set is compressed: a slot that needs it must wait
                           * for it anyway */
    unsigned locks;       /* how many of lock, made_lock, made_more are made */
    struct region_set *sets; /* the first is size_code -1; of published ones nothing changes but that they get pressed */
    pthread_t maker;         /* hashes, then compresses the first set */
    bool begun, joinable;    /* the maker was; under made_lock */
    pthread_mutex_t made_lock; /* guards made and made_err; a leaf, never together with lock */
    pthread_cond_t made_more;
    enum made made;
    enum fl_err made_err; /* of the maker: it gets no further */
};

/* The code for a setting in header byte 2 or 3; -1: keep. */
struct esp_image_patch loaded_patch(const struct profile_private *p);

enum { IMAGE_MAX = 128 << 20 }; /* the largest flash */
/* images.c: one file, which must be an ordinary one: a pipe or a device would hold us up for ever, or never end. */
FL_MUST enum fl_err images_read(const char *path, struct fl_buf *out, struct fl_why *why);
/* images.c: read and hash the files. */
void images_load(struct profile_private *p, struct critic *c);
/* checks.c: what must hold between settings, and of the ranges in flash. */
void checks_settings(struct profile_private *p, struct critic *c);
void checks_layout(struct profile_private *p, struct critic *c);
/* The smallest flash that the profile lets through, bytes; 0: not said. `from` names the key. */
uint64_t checks_flash_limit(const struct profile_private *p, const char **from);
/* content.c: what the images say themselves. */
void content_check(struct profile_private *p, struct critic *c);
/* identity.c: what the hash is made of (new reference, NULL: no memory), and the hash. */
json_t *identity_settings(const struct profile_private *p);
FL_MUST enum fl_err identity_make(struct profile_private *p);
/* regions.c: the first set; frees all of them; bytes on the wire for one region. */
FL_MUST enum fl_err regions_make(struct profile_private *p);
void regions_free(struct profile_private *p);
uint64_t regions_wire_bytes(const struct esp_region *r);

#endif
