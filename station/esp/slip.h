/* SPDX-License-Identifier: Apache-2.0
 *
 * slip.h: frames out of a byte stream, and into one.
 *
 *   C0 <body> C0      in the body C0 is sent as DB DC and DB as DB DD
 *
 *            any other byte: text        DB
 *   ┌───────┐◄──┐            ┌────────┐ ───► ┌────────┐
 *   │OUTSIDE│───┘    C0      │ INSIDE │      │ ESCAPE │
 *   │       │ ──────────────►│        │ ◄─── │        │
 *   └───────┘ ◄──────────────└────────┘ DC,DD└────────┘
 *       ▲        C0: FRAME                       │ anything else: BROKEN
 *       └────────────────────────────────────────┘
 *
 * Bytes outside frames are handed out, not dropped: they are the boot log, a panic or an application,
 * and mostly the only evidence there is. C0 directly after C0 opens nothing twice: an empty frame is
 * no frame. A closing C0 that is directly followed by 01, the first byte of every reply and of no
 * text, opens as well: that heals a stream in which one C0 was lost. (slip_reopen heals the other
 * parity: one C0 too many.)
 *
 * Pure: no I/O, no allocation. Thread rule: one owner.
 */
#ifndef FL_ESP_SLIP_H
#define FL_ESP_SLIP_H

#include "base/buf.h"
#include "base/cursor.h"

/* The longest frame the protocol sends to a host is a READ_FLASH packet: 4096 bytes. */
enum { SLIP_FRAME_MAX = 4096 + 16 };

enum slip_state { SLIP_OUTSIDE, SLIP_CLOSED, SLIP_INSIDE, SLIP_ESCAPE };

struct slip_reader {
    enum slip_state state;
    size_t n; /* bytes of the frame so far */
    uint8_t frame[SLIP_FRAME_MAX];
};

enum slip_event {
    SLIP_MORE,   /* the input is used up */
    SLIP_TEXT,   /* a run of bytes outside frames; points into the input */
    SLIP_FRAME,  /* a whole frame; points into the reader until the next call */
    SLIP_BROKEN, /* a frame given up (bad escape, too long); what there was of it, as above */
};

void slip_reset(struct slip_reader *r); /* outside, nothing begun */
/* What the last C0 closed was no frame of ours: take that C0 as one that opens. */
void slip_reopen(struct slip_reader *r);
/* Read on until something is complete. */
enum slip_event slip_next(struct slip_reader *r, struct fl_cursor *in, const uint8_t **p, size_t *n);

/* Writing: one frame is slip_open, any number of slip_add, slip_close (the same byte). */
void slip_open(struct fl_buf *out);
void slip_add(struct fl_buf *out, const void *bytes, size_t n);
void slip_close(struct fl_buf *out);
/* Bytes that `n` body bytes take at most on the wire. */
#define SLIP_ROOM(n) (2 * (size_t)(n) + 2)

#endif
