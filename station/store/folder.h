/* SPDX-License-Identifier: Apache-2.0
 *
 * folder.h: the data folder of a station, its files, its key.
 *
 *   README          this table, for whoever finds the folder
 *   flashline.db    the records: log, tree, checkpoints, tables (SQLite; -wal and -shm beside it while in use)
 *   checkpoint      newest signed head of the log as a text file, at most a second old: shows a database put back
 *   station         name of the station, one line
 *   key/log.vkey    verifier key of the log: one line, public
 *   key/log.key     signing key of the log: PKCS#8 PEM, or where it lies in a token (sign/token.h); mode 0600
 *   key/next.key    the key after it, whose hash the log promised beforehand; may be kept elsewhere until it is needed
 *   key/next.vkey   its public half
 *   key/after.*     while a hand-over is under way: the key after that
 *   key/memory.*    what the signer signed last, and what it was made from (sign/memory.h)
 *   key/signer      path of the Unix socket of a signer that runs as another user; then log.key, next.key and memory lie with it
 *   lock            held by the one flashline that works here
 *   door            socket where other verbs reach it, while it works (door.h)
 *   web-users       who may look from another machine, if anybody may: scrypt hashes (web/users.h)
 *   policy          witnesses, and which of them are enough, if there are any (audit/policy.h)
 *   cosigned/       newest heads that witnesses signed (cosigned.h)
 *   incident-*.txt  evidence of a log that did not verify, when that happened
 *
 * Thread rule: one owner.
 */
#ifndef FL_STORE_FOLDER_H
#define FL_STORE_FOLDER_H

#include "audit/key.h"

enum { FOLDER_STATION_MAX = 64 };

struct folder {
    char *dir, *db, *checkpoint, *station, *vkey, *key, *next, *next_vkey, *after, *after_vkey, *memory, *signer, *lock, *readme,
            *keys; /* owned paths */
};

FL_MUST enum fl_err folder_paths(const char *dir, struct folder *out, struct fl_why *why);
void folder_fini(struct folder *f);

struct db_reader;
/* The folder's database for reading, beside a station at work too; db_close_reader (store/db.h) ends it. `newest`: only of exactly
 * the schema that this program writes. FL_NOT_FOUND: there is none; otherwise as db_open_reader and db_check_version. */
FL_MUST enum fl_err folder_open_reader(const char *data, bool newest, struct db_reader *out, struct fl_why *why);

/* Is a station set up there? */
bool folder_there(const struct folder *f);

struct folder_new {
    const char *station;    /* NULL: from the host's name */
    const char *origin;     /* name of the log; NULL: flashline/<station>/<8 hex of the key> */
    const char *passphrase; /* NULL: the key is not encrypted */
    const char *key;        /* a key file to copy instead of making a key, with the public half that is in it; NULL: make one */
    const char *socket;     /* a signer answers there; then no key is made, and `public` is its */
    const uint8_t *public;
    const uint8_t *then;    /* with key or socket: public half of the key after it, which the log promises; NULL: none */
};
/* Make folder, key and the small files; FL_EXISTS when a station is there, FL_MISMATCH when a database is there
 * without its key. The database is made by the recorder. */
FL_MUST enum fl_err folder_create(const struct folder *f, const struct folder_new *n, struct fl_why *why);

/* The name of the station and the verifier key of its log. */
FL_MUST enum fl_err folder_identity(const struct folder *f, char station[static FOLDER_STATION_MAX],
                                    struct vkey *vkey, struct fl_why *why);
/* The signing key. FL_ACCESS: others can read the file, or the passphrase is missing or wrong. FL_MISMATCH: it is
 * not the key of key/log.vkey. */
FL_MUST enum fl_err folder_key(const struct folder *f, const char *passphrase, const struct vkey *vkey,
                               struct key **out, struct fl_why *why);
bool folder_key_encrypted(const struct folder *f);

/* ---- one key after another ----------------------------------------------------------------------- */

/* SHA-256 of a public half, in hex: what a log promises beforehand. */
FL_MUST enum fl_err folder_promise(const uint8_t public[static KEY_PUBLIC], char out[static 65], struct fl_why *why);
/* The public half of the key that comes next. FL_NOT_FOUND: none is known here. */
FL_MUST enum fl_err folder_next(const struct folder *f, struct vkey *out, struct fl_why *why);
/* Make the key after the next one as key/after.*: before a hand-over. `out`: its public half. */
FL_MUST enum fl_err folder_make_after(const struct folder *f, const char *origin, const char *passphrase, struct vkey *out,
                                      struct fl_why *why);
/* The same for one that lies elsewhere: only its public half is written down here. */
FL_MUST enum fl_err folder_promise_after(const struct folder *f, const struct vkey *after, struct fl_why *why);
/* When the key that signs now is the one that lies here as the next: put it and the one after it in their places. Finishes
 * what a crash left half done; does nothing otherwise. */
FL_MUST enum fl_err folder_settle(const struct folder *f, const struct vkey *now, struct fl_why *why);
/* Overwrite and remove the private halves: the log is closed for good. */
FL_MUST enum fl_err folder_forget_keys(const struct folder *f, struct fl_why *why);

#endif
