/* SPDX-License-Identifier: Apache-2.0
 *
 * server.h: the signer's side of a connection (message.h).
 *
 * Thread rule: one owner.
 */
#ifndef FL_SIGN_SERVER_H
#define FL_SIGN_SERVER_H

#include "base/wake.h"
#include "sign/keeper.h"

/* Answer until the station goes away (FL_OK), says something malformed (FL_FORMAT), or `stop` is raised (FL_CANCELLED). */
FL_MUST enum fl_err server_talk(struct keeper *k, int fd, struct fl_wake *stop, struct fl_why *why);

/* There is no keeper, and this is why: the answer to the station's first question, whatever it is. */
void server_refuse(int fd, enum fl_err err, const char *text);

/* Listen at a Unix socket, for its owner and group only (mode 0660), and talk to one station after the other until `stop`
 * is raised. A socket file that nobody listens at any more is replaced; FL_BUSY where somebody does. */
FL_MUST enum fl_err server_listen(struct keeper *k, const char *path, struct fl_wake *stop, void (*ready)(void *ctx), void *ctx,
                                  struct fl_why *why);

/* Nothing of this process in core files, swap or another's debugger, as far as the system lets us. */
void server_harden(void);

#endif
