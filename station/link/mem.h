/* SPDX-License-Identifier: Apache-2.0
 *
 * mem.h: a link that is a conversation written down, for tests of whoever talks over a link.
 *
 * The other end is a callback: it is told what was written, which lines and speed were set, and
 * gives bytes to be read. Time passes only as real time; a reader with nothing to read waits until
 * its deadline, so tests give short ones.
 */
#ifndef FL_LINK_MEM_H
#define FL_LINK_MEM_H

#include "base/buf.h"
#include "link/link.h"

struct link_mem_peer {
    void *ctx; /* borrowed */
    /* Bytes from the host; append the answer (if any) to `reply`. */
    void (*on_write)(void *ctx, const uint8_t *bytes, size_t n, struct fl_buf *reply);
    void (*on_lines)(void *ctx, enum link_wire dtr, enum link_wire rts, struct fl_buf *reply);
    void (*on_baud)(void *ctx, uint32_t baud);
}; /* on_lines NULL: a link without lines; on_baud NULL: without speed; on_write NULL: a silent peer */

/* `peer` is copied, its ctx borrowed. Closed by link_close. Callbacks run inside the link's calls and
 * must not call it. */
FL_MUST enum fl_err link_mem_open(const struct link_mem_peer *peer, struct fl_wake *wake,
                                  struct link **out);

/* Bytes that come unasked, from the thread that owns the link. */
FL_MUST enum fl_err link_mem_send(struct link *l, const void *bytes, size_t n);
/* The peer vanishes: writes fail with FL_GONE now, reads once what was sent has been read. */
void link_mem_hang_up(struct link *l);

#endif
