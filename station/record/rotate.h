/* SPDX-License-Identifier: Apache-2.0
 *
 * rotate.h: one key after another, as records of the log.
 *
 *   log_open     promises the next key by its hash
 *   key_rotate   names it, promises the one after it; the head over this record is signed by both
 *   key_retire   closes the log for good; the head over it is the last
 *
 * To be called while nobody else records, between recorder_open and recorder_close. What lies where meanwhile:
 * folder_keys.c.
 *
 * Thread rule: any thread but the recorder's.
 */
#ifndef FL_RECORD_ROTATE_H
#define FL_RECORD_ROTATE_H

#include "record/recorder.h"
#include "store/folder.h"

/* Hand over to `next`, whose hash is `promised`, and promise `after`. FL_MISMATCH: it is not the key that was promised.
 * FL_STATE: nothing was promised, or the signer was started without it. */
FL_MUST enum fl_err rotate_key(struct recorder *r, const char *promised, const struct vkey *next, const struct vkey *after,
                               struct fl_why *why);
FL_MUST enum fl_err rotate_retire(struct recorder *r, struct fl_why *why);

#endif
