/* SPDX-License-Identifier: Apache-2.0
 *
 * remote.h: a signer in another process: started by this program as a child, or run by another user at a Unix socket.
 *
 *   child    a pair of sockets; the passphrase goes through a pipe, once. The child ends when the socket does, however
 *            this process ended
 *   socket   its key and memory belong to another user, whom this one can ask and not read
 *
 * When the signer dies, what is asked of it fails with FL_GONE: the recorder stops, and the next start finds out where
 * the two stand (keeper.h).
 *
 * Thread rule: one owner.
 */
#ifndef FL_SIGN_REMOTE_H
#define FL_SIGN_REMOTE_H

#include "audit/remembered.h"

struct remote; /* opaque */

struct remote_child {
    const char *program; /* run as `program signer --fd 3 --passphrase-fd 4 ...`; NULL: this one */
    const char *key, *next, *memory; /* paths; next NULL: none */
    const char *passphrase;          /* or PIN; NULL: none */
    bool adopt, set_clock;           /* keeper.h */
};
/* Started and not waited for: it opens its key and its memory while the caller does other work. */
FL_MUST enum fl_err remote_spawn(const struct remote_child *c, struct remote **out, struct fl_why *why);
/* Its first answer. FL_ACCESS: the key could not be opened with this passphrase. */
FL_MUST enum fl_err remote_greet(struct remote *r, struct fl_why *why);
/* The one, then the other. */
FL_MUST enum fl_err remote_start(const struct remote_child *c, struct remote **out, struct fl_why *why);
FL_MUST enum fl_err remote_connect(const char *socket, struct remote **out, struct fl_why *why);
void remote_free(struct remote *r); /* NULL is fine; a child is waited for */

/* The key that signs now, and the origin of the log it signs for ("" none yet). */
FL_MUST enum fl_err remote_key(struct remote *r, uint8_t public[static KEY_PUBLIC], char origin[static KEY_NAME_MAX],
                               struct fl_why *why);

/* What it remembers, within `ms`: it serves one after the other, and a station at work is one. FL_TIMEOUT. */
FL_MUST enum fl_err remote_heads(struct remote *r, unsigned ms, struct remembered *out, struct fl_why *why);

/* config: struct remote **, borrowed until close. */
extern const struct signer_kind signer_remote;

/* Where a station's signer is, decided when it is opened: at the socket named in the file `socket_file`, else a child with
 * the key. */
struct signer_place {
    const char *socket_file;
    const char *key, *next, *memory; /* next may be a path where nothing is */
    const char *passphrase;
    bool adopt, set_clock;
    bool handover; /* next will be needed */
    struct remote **sent; /* what signer_send_for gave, taken from there when it is opened; NULL: nothing was sent for */
};
/* The child that will be needed, as remote_spawn; *out NULL: it is a socket, nothing is started. */
FL_MUST enum fl_err signer_send_for(const struct signer_place *p, struct remote **out, struct fl_why *why);
/* config: struct signer_place *, borrowed during open. */
extern const struct signer_kind signer_at_place;
/* What the signer of the folder remembers, for a check of its log: from the files of its memory where they lie there, else by
 * asking at the socket. Nothing is started or written; whatever could not be had is said in `out`. */
void signer_look(const struct signer_place *p, struct remembered *out);

#endif
