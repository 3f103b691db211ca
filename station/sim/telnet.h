/* SPDX-License-Identifier: Apache-2.0
 *
 * telnet.h: the server's side of telnet with COM-port control (RFC 854, 856, 858, 2217). Pure: bytes from
 * the client in, events and bytes for the client out.
 *
 *   IAC (FF) inside data is doubled. IAC WILL/WONT/DO/DONT option negotiates one; IAC SB 2C command
 *   values IAC SE is a COM-port command, answered with command + 100 and the value now in effect.
 *
 * Agreed to: BINARY (00) and SGA (03) both ways, COM-PORT (2C); everything else is refused. Data is binary
 * from the first byte, as COM-port clients expect it; the server starts no negotiation of its own.
 *
 * Thread rule: one owner.
 */
#ifndef FL_SIM_TELNET_H
#define FL_SIM_TELNET_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIM_SB_MAX = 64 };

struct sim_telnet_peer {
    void *ctx;
    void (*data)(void *ctx, const uint8_t *bytes, size_t n);
    void (*baud)(void *ctx, uint32_t baud);
    void (*lines)(void *ctx, int dtr, int rts); /* 1 asserted, 0 released, -1 unchanged */
    void (*purge)(void *ctx, bool to_chip, bool to_host);
};

struct sim_telnet {
    struct sim_telnet_peer peer;
    enum { TEL_DATA, TEL_IAC, TEL_OPTION, TEL_SB, TEL_SB_IAC } state;
    uint8_t verb;
    uint8_t sb[SIM_SB_MAX];
    size_t sb_len; /* what does not fit is dropped: no command is that long */
    bool us[256], him[256]; /* options in force */
    uint32_t baud;
    uint8_t size, parity, stop, flow_out, flow_in, line_mask, modem_mask;
    bool dtr, rts, brk;
};

void sim_telnet_init(struct sim_telnet *t, const struct sim_telnet_peer *peer, uint32_t baud);
/* Bytes from the client; answers are appended to `out`. */
void sim_telnet_feed(struct sim_telnet *t, const uint8_t *bytes, size_t n, struct fl_buf *out);
/* Board's bytes for the client: appended with IAC doubled. */
void sim_telnet_send(const uint8_t *bytes, size_t n, struct fl_buf *out);

#endif
