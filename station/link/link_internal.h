/* SPDX-License-Identifier: Apache-2.0
 *
 * link_internal.h: what the kinds of link share. Nothing outside this room includes it.
 *
 * A kind allocates a struct that begins with `struct link`, fills it, and gives it to link.c through
 * its open function. link.c owns the receive buffer, the byte counters and the rule that a link
 * which lost its far end stays lost; a kind owns its descriptor and its protocol.
 */
#ifndef FL_LINK_INTERNAL_H
#define FL_LINK_INTERNAL_H

#include "link/link.h"

#include <sys/types.h>

/* A slot may be asked for more than the wire carries at once; 4 KB is a frame with its escapes. */
enum { LINK_IN_SIZE = 4096, LINK_BAUD_AT_OPEN = 115200 };

/* A server or driver that answers with another speed is believed within this many percent: a UART
 * samples ten bits from one edge and stands about 5 % over both ends together. */
enum { LINK_BAUD_TOLERANCE = 3 };

/* What a kind does. NULL: it cannot, and link.c answers FL_UNSUPPORTED. Each fills l->why where it
 * fails, and returns FL_GONE when the far end vanished. */
struct link_ops {
    void (*close)(struct link *l); /* frees the struct too */
    /* At least one byte, as link_read; d may have passed already: then only what is there. */
    enum fl_err (*read)(struct link *l, uint8_t *buf, size_t cap, size_t *got, struct fl_deadline d);
    enum fl_err (*write)(struct link *l, const uint8_t *bytes, size_t n, struct fl_deadline d);
    enum fl_err (*drain)(struct link *l, struct fl_deadline d);
    enum fl_err (*purge)(struct link *l); /* ask the far end to forget; link.c reads the rest away */
    /* Sets l->baud to what the wire has now. */
    enum fl_err (*set_baud)(struct link *l, uint32_t baud, struct fl_deadline d);
    enum fl_err (*set_lines)(struct link *l, enum link_wire dtr, enum link_wire rts,
                             struct fl_deadline d);
};

struct link {
    const struct link_ops *ops;
    struct link_info info;
    struct link_counters count;
    struct fl_why why;
    struct fl_wake *wake; /* borrowed; may be NULL */
    uint32_t baud;
    bool gone; /* FL_GONE was seen: no more traffic */
    int fd;    /* -1: memory */
    bool is_socket;
    size_t in_at, in_len; /* in[in_at .. in_len) is received and not yet read */
    uint8_t in[LINK_IN_SIZE];
};

/* ---- url.c ------------------------------------------------------------------------------------ */

struct link_url {
    enum link_kind kind;
    char path[LINK_URL_MAX]; /* serial, pty */
    char place[LINK_TEXT_MAX]; /* usb: */
    char host[LINK_URL_MAX], port[6]; /* rfc2217, socket */
};
FL_MUST enum fl_err link_url_parse(const char *url, struct link_url *out, struct fl_why *why);

/* ---- the kinds: each gives a link at 115200 with nothing received ------------------------------ */

struct link_open_args {
    const struct link_url *url;
    struct fl_wake *wake;
    struct fl_deadline d;
};
FL_MUST enum fl_err link_serial_open(const struct link_open_args *a, struct link **out,
                                     struct fl_why *why);
FL_MUST enum fl_err link_rfc2217_open(const struct link_open_args *a, struct link **out,
                                      struct fl_why *why);
FL_MUST enum fl_err link_socket_open(const struct link_open_args *a, struct link **out,
                                     struct fl_why *why);
FL_MUST enum fl_err link_pty_open(const struct link_open_args *a, struct link **out,
                                  struct fl_why *why);

/* ---- fd.c: a non-blocking descriptor, for every kind that has one ------------------------------ */

/* Sets what all kinds have; ops and info are the kind's to fill. */
void link_init(struct link *l, enum link_kind kind, const struct link_ops *ops, struct fl_wake *wake);
FL_MUST enum fl_err link_fd_read(struct link *l, uint8_t *buf, size_t cap, size_t *got,
                                 struct fl_deadline d);
/* *sent is right whatever the result; NULL: nobody asks. */
FL_MUST enum fl_err link_fd_write(struct link *l, const uint8_t *bytes, size_t n, size_t *sent,
                                  struct fl_deadline d);
FL_MUST enum fl_err link_fd_drain(struct link *l, struct fl_deadline d);
FL_MUST bool link_fd_nonblocking(int fd); /* and closed on exec; errno on false */
/* Did the speed come out near enough? FL_REFUSED with a sentence when not. */
FL_MUST enum fl_err link_baud_near(struct link *l, const char *who, uint32_t asked, uint32_t made);

/* ---- tcp.c ------------------------------------------------------------------------------------- */

FL_MUST enum fl_err link_tcp_connect(const struct link_open_args *a, int *fd, struct fl_why *why);

/* ---- tty.c: termios for pty: and for serial ports without modem lines -------------------------- */

/* Raw 8N1 without flow control, CLOCAL, lines left alone on close, reads that say EAGAIN. */
FL_MUST bool link_tty_raw(int fd); /* errno on false */
FL_MUST enum fl_err link_tty_set_baud(struct link *l, uint32_t baud, struct fl_deadline d);

#endif
