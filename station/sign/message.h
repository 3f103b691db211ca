/* SPDX-License-Identifier: Apache-2.0
 *
 * message.h: what a station and its signer say to each other over a stream (a pair of sockets, a Unix socket).
 *
 * Each message is 4 bytes with the length of what follows (at most MESSAGE_MAX), one letter, and its fields, numbers little
 * endian. The station asks, the signer answers each with one message; the first that is malformed ends the connection.
 *
 *   station                                            signer
 *   'K'                            which key?          'k'  32 public key, 1 n, n origin (n = 0: none remembered)
 *   'O'  1 version (2)             my newest head      'o'  4 n, n redo (n = 0: the two agree)
 *        1 n, n origin
 *        8 size, 32 root
 *   'S'  1 flags: 1 hand over,     sign this           's'  64 signature, 64 signature of the next key or zeroes
 *        2 forget what earlier
 *        heads were made from
 *        32 public half of the next key, or zeroes
 *        8 old size, 32 old root
 *        8 new size, 32 new root
 *        1 n, n x 32 proof
 *        4 n, n redo
 *   'D'                            all is on my disk   'd'
 *   'H'                            what do you         'h'  1 n, n origin, 1 k, then k times, the newest first:
 *                                  remember?                8 size, 32 root of the head before; 8 size, 32 root;
 *                                                           32 public key, 1 signed (0, 1), 64 signature
 *   any                                                'e'  1 error (enum fl_err), text to the end: a sentence
 *
 * The origin is said once: a connection is about one log.
 * Thread rule: pure but for the two that read and write a descriptor.
 */
#ifndef FL_SIGN_MESSAGE_H
#define FL_SIGN_MESSAGE_H

#include "audit/signer.h"
#include "base/wake.h"

enum { MESSAGE_VERSION = 2, MESSAGE_MAX = SIGNER_REDO_MAX + 8192, MESSAGE_HAND_OVER = 1, MESSAGE_ALONE = 2 };

/* Begin a message in `b` (emptied), add fields, end it; then it can be written. */
void message_begin(struct fl_buf *b, char letter);
void message_u8(struct fl_buf *b, uint8_t v);
void message_u32(struct fl_buf *b, uint32_t v);
void message_head(struct fl_buf *b, uint64_t size, const struct tree_hash *root);
void message_error(struct fl_buf *b, enum fl_err err, const char *text); /* a whole message but for its end */

/* Set the length and write all. FL_GONE: the other side is not there any more. FL_TIMEOUT, FL_CANCELLED. */
FL_MUST enum fl_err message_send(int fd, struct fl_buf *b, struct fl_wake *stop, struct fl_deadline d, struct fl_why *why);
/* Read one message into `b` (emptied): its letter and fields, without the length. FL_GONE, FL_TIMEOUT, FL_CANCELLED,
 * FL_LIMIT. */
FL_MUST enum fl_err message_receive(int fd, struct fl_buf *b, struct fl_wake *stop, struct fl_deadline d, struct fl_why *why);

#endif
