/* SPDX-License-Identifier: Apache-2.0
 *
 * memory.h: what a signer remembers, on disk before a signature leaves it.
 *
 * SIGNER_KEEPS files, NAME.a, NAME.b, ..., written in place by turns, each with one fdatasync: while one is being written the
 * others hold the states before, so that a write torn by a crash loses nothing but a signature that nobody has seen. The valid
 * one with the highest turn counts; those in front of it, without a gap, are what the log may have lost (keeper.h). Turn t lies
 * in file t modulo SIGNER_KEEPS; all but .a are made when their turn comes first. Numbers are little endian:
 *
 *   8   "FLSIGN01"
 *   8   turn, from 1
 *   8   wall clock when it signed, milliseconds since 1970 UTC
 *   128 origin of the log, padded with zeroes
 *   32  public key that signs from now on
 *   8   size, 32 root     of the head before
 *   8   size, 32 root     of the last head; size 0: none was signed yet
 *   1   signatures: 0, 1, or 2 when the key was handed over with this head
 *   64  signature         by the key of the time
 *   64  signature         by the next key, or zeroes
 *   4   n
 *   n   what the last head was made from (redo), opaque
 *   32  SHA-256 of all that stands before
 *
 * Behind it there are zeroes: what a longer record left there, such as the names of people in its redo, is overwritten
 * when that file's turn comes again. When the memory is opened the file that counts is written once more as it is: after
 * a failed fdatasync the system may show bytes that no disk holds.
 *
 * A failed write or fdatasync is final: after it nobody knows what the disk holds, and the memory says nothing but that
 * until it is opened again.
 *
 * Thread rule: one owner. NAME.a is locked while it is open: two signers with one memory would be a fork.
 */
#ifndef FL_SIGN_MEMORY_H
#define FL_SIGN_MEMORY_H

#include "audit/key.h"
#include "audit/remembered.h"
#include "audit/signer.h"

struct memory_state {
    uint64_t turn; /* 0: nothing is remembered */
    int64_t wall_ms;
    uint8_t public[KEY_PUBLIC];
    struct checkpoint before, last; /* both with the origin */
    unsigned signatures;
    uint8_t signature[2][KEY_SIGNATURE];
};

/* One head and what it was made from. */
struct memory_kept {
    struct memory_state state;
    struct fl_buf redo;
};

struct memory {
    char path[4000];
    int fd[SIGNER_KEEPS];      /* -1: not open, or not made yet */
    size_t used[SIGNER_KEEPS]; /* bytes of each file that may be other than zero */
    struct memory_kept kept[SIGNER_KEEPS]; /* the newest first, without a gap */
    size_t n;                  /* of them; 0: nothing is remembered */
    size_t newest;             /* the file where the newest lies */
    bool broken;
};
/* The newest; turn 0: nothing is remembered. */
const struct memory_state *memory_state(const struct memory *m);

/* `path` is NAME. FL_BUSY: another signer has it, and still had after five seconds. FL_MISMATCH: what is there is damaged in a
 * way that no crash explains, or the files do not belong together. */
FL_MUST enum fl_err memory_open(const char *path, struct memory *m, struct fl_why *why);
void memory_close(struct memory *m);
/* Make `next` (whose turn is set here) and `redo` (NULL: empty) the state, durably. */
FL_MUST enum fl_err memory_write(struct memory *m, const struct memory_state *next, const struct fl_buf *redo,
                                 struct fl_why *why);
/* What is remembered, for a check of the log. */
void memory_tell(const struct memory *m, struct remembered *out);
/* The same from the files, without the lock: a signer may be at work with them, and nothing is written. What cannot be read is
 * said in `out`. */
void memory_look(const char *path, struct remembered *out);
/* Overwrite all but the newest: what the ones before were made from is not to be kept. */
FL_MUST enum fl_err memory_keep_last(struct memory *m, struct fl_why *why);

#endif
