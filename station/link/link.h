/* SPDX-License-Identifier: Apache-2.0
 *
 * link.h: a byte pipe to one board, with two wires and a speed.
 *
 *   /dev/ttyUSB0                  a serial port (libserialport; exclusive; DTR and RTS)
 *   usb:1-1.4.1                   the serial port that sits at this USB place, whatever its tty name
 *   rfc2217://HOST:PORT           a network serial server with speed and modem lines (RFC 2217)
 *   socket://HOST:PORT            raw TCP: no speed, no lines; the board must be in the loader already
 *   pty:PATH                      a pseudo-terminal or plain tty: no lines
 *   (memory)                      a scripted pair for tests: mem.h
 *
 * HOST is a name, an IPv4 address, or an IPv6 address in brackets. A USB place is a bus and a chain of
 * hub ports; where one USB device carries several serial ports (FT2232, CP2105), the interface
 * follows: usb:1-1.4.1:1.1.
 *
 * All kinds fill one table of operations (link_internal.h); what a kind does not have answers
 * FL_UNSUPPORTED at one place.
 *
 * Waiting: every call that can wait takes a deadline, and ends early with FL_CANCELLED when the wake
 * given at open is raised. No call blocks otherwise.
 *
 * Receiving is buffered, so that asking for one byte costs no system call a byte. A write goes out as
 * it was given: one frame in one call is one system call, as long as the kernel has room for it.
 *
 * Errors: FL_GONE: the port or the peer vanished (unplugged, connection closed); the link stays
 * closed for traffic and can only be closed. FL_BUSY: another process holds the port.
 * FL_NOT_FOUND: there is no such port now. FL_ACCESS: no permission (the why says which group).
 * FL_REFUSED: the port, driver or server answers and says no (no listener, not an RFC 2217 server, a
 * speed it cannot make). FL_FORMAT: the URL, or bytes that break the telnet protocol.
 *
 * Thread rule: one thread at a time owns a link. Nothing is shared between links.
 */
#ifndef FL_LINK_LINK_H
#define FL_LINK_LINK_H

#include "base/wake.h"

#include <stdbool.h>
#include <stdint.h>

struct link; /* opaque; made by link_open, ended by link_close */

enum { LINK_URL_MAX = 200, LINK_TEXT_MAX = 64 };

enum link_kind { LINK_SERIAL, LINK_RFC2217, LINK_SOCKET, LINK_PTY, LINK_MEMORY };
enum link_known { LINK_UNKNOWN = -1, LINK_NO = 0, LINK_YES = 1 };

/* What is known of the wire's near end. Empty strings and zeroes where a kind cannot know. */
struct link_info {
    enum link_kind kind;
    char url[LINK_URL_MAX];      /* as given at open */
    char device[LINK_URL_MAX];   /* /dev/ttyUSB3, 10.0.0.7:3001, ... */
    char usb_path[LINK_TEXT_MAX]; /* "1-1.4.1": bus and port chain, the same socket for ever; what
                                     usb: takes, so with ":1.N" where it would be ambiguous */
    uint16_t usb_vid, usb_pid;
    char usb_serial[LINK_TEXT_MAX];
    char product[LINK_TEXT_MAX];
    char driver[LINK_TEXT_MAX]; /* kernel driver, "cp210x" */
    bool has_lines;             /* DTR and RTS can be driven */
    bool has_speed;             /* a speed set here reaches the wire */
    enum link_known low_latency; /* the driver was asked to hand over each byte at once, and agreed */
    unsigned usb_mbps;   /* 12 full speed, 480 high speed; 0: not known */
    unsigned latency_ms; /* the driver's latency timer as it stood before opening (FTDI); 0: it has none */
};

/* Check a URL's form without opening anything: FL_FORMAT with a sentence, or FL_OK. */
FL_MUST enum fl_err link_url_check(const char *url, struct fl_why *why);

/* Open, exclusively where the kind can, at 115200 8N1 without flow control, with both lines released
 * as soon as possible and what was already received thrown away. `wake` is borrowed for the life of the link; NULL: nothing can
 * wake it. On failure *out is NULL. */
FL_MUST enum fl_err link_open(const char *url, struct fl_wake *wake, struct fl_deadline d,
                              struct link **out, struct fl_why *why);
void link_close(struct link *l); /* NULL is fine; drains nothing */

/* For who takes the supply from a port: one that is held open keeps its name taken, and comes back under another. Closes the
 * port and puts a link into *l that is gone, of which all else can be asked as before; FL_NOMEM: nothing was done. */
FL_MUST enum fl_err link_let_go(struct link **l);
/* Until nothing is left to open at the URL of a link that was let go of: true. False: it stays until the deadline, the wake is
 * raised, or it cannot be told by a look (network ports, at once). Nothing is opened. */
bool link_goes(const struct link *l, struct fl_deadline d);
/* The same URL once more, as link_open, tried until it is there again and can be opened: its node comes before its owner and mode.
 * On FL_OK *l is the new link and the old one is closed; otherwise *l stays. FL_GONE: not by the deadline. */
FL_MUST enum fl_err link_come_back(struct link **l, struct fl_deadline d, struct fl_why *why);

const struct link_info *link_info(const struct link *l); /* lives as long as the link */

/* At least one and at most `cap` bytes into `buf`, as soon as there is one. FL_TIMEOUT: none came. The deadline {0} asks
 * without waiting, and then the wake is not looked at either. */
FL_MUST enum fl_err link_read(struct link *l, void *buf, size_t cap, size_t *got,
                              struct fl_deadline d);
/* Until there is something to read, which stays to be read. FL_TIMEOUT: nothing came. */
FL_MUST enum fl_err link_wait(struct link *l, struct fl_deadline d);
/* All n bytes to the operating system, in as few calls as it takes. */
FL_MUST enum fl_err link_write(struct link *l, const void *bytes, size_t n, struct fl_deadline d);
/* Wait until everything written has left the host's buffers, as far as the kind can tell. */
FL_MUST enum fl_err link_drain(struct link *l, struct fl_deadline d);
/* Throw away what was received and not read, by reading it: drivers' own flush is not reliable. On
 * RFC 2217 the server is asked to purge its buffer too (a round trip, at most 3 s). */
FL_MUST enum fl_err link_discard(struct link *l);

/* FL_UNSUPPORTED where !info->has_speed: the caller then goes on at the speed there is. FL_REFUSED when
 * the driver or server made another speed, more than 3 % off; link_baud tells which. What was written
 * before leaves at the old speed only if it was drained. */
FL_MUST enum fl_err link_set_baud(struct link *l, uint32_t baud, struct fl_deadline d);
uint32_t link_baud(const struct link *l);

enum link_wire { LINK_KEEP = -1, LINK_RELEASE = 0, LINK_ASSERT = 1 };
/* Set DTR and RTS, both in one step where the kind can (`at once` matters: see esp/reset.h).
 * Asserted means true in the UART's sense: the pin goes low. FL_UNSUPPORTED where !has_lines.
 * A serial port makes the change in one ioctl. RFC 2217 needs two commands, DTR first; both are sent
 * in one write and FL_OK means that the server acknowledged both. */
FL_MUST enum fl_err link_set_lines(struct link *l, enum link_wire dtr, enum link_wire rts,
                                   struct fl_deadline d);

/* Counters since open, for the record and for tests that count system calls. */
struct link_counters {
    uint64_t bytes_out, bytes_in; /* the board's bytes: telnet's own are not counted */
    uint64_t writes, reads; /* system calls that moved bytes */
};
struct link_counters link_counters(const struct link *l);

/* The last sentence that explains a failure on this link. Lives until the next call on it. */
const struct fl_why *link_why(const struct link *l);

#endif
