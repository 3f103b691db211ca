/* SPDX-License-Identifier: Apache-2.0
 *
 * telnet.h: the telnet byte stream (RFC 854, 855, 856, 858) taken apart, as far as RFC 2217 needs it.
 *
 *   any byte but FF          data
 *   FF FF                    one data byte FF
 *   FF FB|FC|FD|FE opt       WILL, WONT, DO, DONT
 *   FF FA opt ... FF F0      subnegotiation; FF inside is doubled
 *   FF other                 a command without argument (NOP, GA, ...): skipped
 *
 * Pure: no descriptor. Bytes go in as they come, split anywhere; data comes out; answers gather in
 * `answers` for the owner to send. Only a change of an option is answered, so that two ends can never
 * answer each other for ever (RFC 1143 says why).
 *
 * Thread rule: one owner.
 */
#ifndef FL_LINK_TELNET_H
#define FL_LINK_TELNET_H

#include "base/buf.h"

#include <stdbool.h>

enum {
    TN_SE = 240,
    TN_SB = 250,
    TN_WILL = 251,
    TN_WONT = 252,
    TN_DO = 253,
    TN_DONT = 254,
    TN_IAC = 255,
};
enum { TN_BINARY = 0, TN_SGA = 3, TN_COM_PORT = 44 };

/* The longest subnegotiation kept. COM-PORT's own are 6 bytes; a server's signature text may be long,
 * is of no use here, and is dropped whole when it is longer. */
enum { TELNET_SUB_MAX = 256 };
/* More changes of mind than this and the other end is not a telnet server but a fault. */
enum { TELNET_CHANGES_MAX = 200 };

enum telnet_option { TELNET_NO, TELNET_ASKED, TELNET_YES, TELNET_REFUSED };

struct telnet {
    uint8_t us[256], him[256]; /* enum telnet_option: what we do, what the other end does */
    struct fl_buf answers;     /* the owner sends and clears */
    void (*on_sub)(void *ctx, const uint8_t *bytes, size_t n); /* option byte first */
    void *ctx;
    unsigned commands; /* telnet commands seen: 0 means that the other end speaks no telnet */
    unsigned changes;
    enum { TELNET_DATA, TELNET_IAC, TELNET_VERB, TELNET_SUB, TELNET_SUB_IAC } state;
    uint8_t verb;
    size_t sub_len; /* may exceed TELNET_SUB_MAX: then the rest was not kept */
    uint8_t sub[TELNET_SUB_MAX];
};

void telnet_init(struct telnet *t, void (*on_sub)(void *, const uint8_t *, size_t), void *ctx);
void telnet_fini(struct telnet *t);

/* Ask to do `option` ourselves, or the other end to do it. */
void telnet_ask_us(struct telnet *t, uint8_t option);
void telnet_ask_him(struct telnet *t, uint8_t option);

/* Take n bytes; data goes to `out`, which has room for n and may be `in` itself. Returns how much.
 * The caller looks at t->changes > TELNET_CHANGES_MAX afterwards. */
size_t telnet_take(struct telnet *t, const uint8_t *in, size_t n, uint8_t *out);

/* Append bytes with FF doubled. */
void telnet_escape(struct fl_buf *out, const uint8_t *bytes, size_t n);

#endif
