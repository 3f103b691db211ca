/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/telnet.h"

#include <string.h>

enum { SE = 240, SB = 250, WILL = 251, WONT = 252, DO = 253, DONT = 254, IAC = 255 };
enum { OPT_BINARY = 0, OPT_SGA = 3, OPT_COM = 44 };
enum {
    COM_SIGNATURE, COM_BAUD, COM_SIZE, COM_PARITY, COM_STOP, COM_CONTROL, COM_LINESTATE, COM_MODEMSTATE,
    COM_SUSPEND, COM_RESUME, COM_LINEMASK, COM_MODEMMASK, COM_PURGE, COM_ANSWER = 100,
};
enum { MODEM_READY = 0x30 }; /* DSR and CTS on, no change noted: the board is there */

void sim_telnet_init(struct sim_telnet *t, const struct sim_telnet_peer *peer, uint32_t baud)
{
    *t = (struct sim_telnet){.peer = *peer, .baud = baud, .size = 8, .parity = 1, .stop = 1,
                             .flow_out = 1, .flow_in = 14, .modem_mask = 0xFF};
}

void sim_telnet_send(const uint8_t *bytes, size_t n, struct fl_buf *out)
{
    while (n > 0) {
        const uint8_t *iac = memchr(bytes, IAC, n);
        size_t run = iac ? (size_t)(iac - bytes) + 1 : n;
        fl_buf_add(out, bytes, run);
        if (iac)
            fl_buf_addc(out, (char)IAC);
        bytes += run;
        n -= run;
    }
}

/* ---- options ---------------------------------------------------------------------------------------------- */

static void answer_option(struct fl_buf *out, uint8_t verb, uint8_t option)
{
    const uint8_t b[] = {IAC, verb, option};
    fl_buf_add(out, b, sizeof b);
}

/* Answered only when it changes something, so that two sides cannot go on for ever (RFC 854). */
static void negotiate(struct sim_telnet *t, uint8_t verb, uint8_t option, struct fl_buf *out)
{
    bool ours = verb == DO || verb == DONT, wanted = verb == DO || verb == WILL;
    bool agreed = option == OPT_BINARY || option == OPT_SGA || option == OPT_COM;
    bool *now = ours ? &t->us[option] : &t->him[option];
    if (wanted && !agreed) {
        answer_option(out, ours ? WONT : DONT, option);
        return;
    }
    if (*now == wanted)
        return;
    *now = wanted;
    answer_option(out, ours ? (wanted ? WILL : WONT) : (wanted ? DO : DONT), option);
}

/* ---- COM-port commands --------------------------------------------------------------------------------------- */

static void answer_com(struct fl_buf *out, uint8_t command, const uint8_t *value, size_t n)
{
    const uint8_t head[] = {IAC, SB, OPT_COM, (uint8_t)(command + COM_ANSWER)}, tail[] = {IAC, SE};
    fl_buf_add(out, head, sizeof head);
    sim_telnet_send(value, n, out);
    fl_buf_add(out, tail, sizeof tail);
}

static void answer_byte(struct fl_buf *out, uint8_t command, uint8_t value)
{
    answer_com(out, command, &value, 1);
}

static void set_baud(struct sim_telnet *t, const uint8_t *v, size_t n, struct fl_buf *out)
{
    if (n != 4)
        return;
    uint32_t baud = (uint32_t)v[0] << 24 | (uint32_t)v[1] << 16 | (uint32_t)v[2] << 8 | v[3];
    if (baud != 0) {
        t->baud = baud;
        t->peer.baud(t->peer.ctx, baud);
    }
    const uint8_t is[] = {(uint8_t)(t->baud >> 24), (uint8_t)(t->baud >> 16), (uint8_t)(t->baud >> 8),
                          (uint8_t)t->baud};
    answer_com(out, COM_BAUD, is, sizeof is);
}

/* 0 asks, anything else sets; the answer is what is in effect. */
static void set_byte(uint8_t *field, uint8_t command, const uint8_t *v, size_t n, struct fl_buf *out)
{
    if (n != 1)
        return;
    if (v[0] != 0)
        *field = v[0];
    answer_byte(out, command, *field);
}

static void set_dtr(struct sim_telnet *t, bool on)
{
    t->dtr = on;
    t->peer.lines(t->peer.ctx, on, -1);
}

static void set_rts(struct sim_telnet *t, bool on)
{
    t->rts = on;
    t->peer.lines(t->peer.ctx, -1, on);
}

/* SET-CONTROL: one byte that asks or sets flow control, BREAK, DTR or RTS. RFC 2217 section 3. */
static void control(struct sim_telnet *t, uint8_t v, struct fl_buf *out)
{
    uint8_t is = v;
    switch (v) {
    case 0: is = t->flow_out; break;
    case 1: case 2: case 3: case 17: case 19: t->flow_out = v; break;
    case 4: is = t->brk ? 5 : 6; break;
    case 5: case 6: t->brk = v == 5; break;
    case 7: is = t->dtr ? 8 : 9; break;
    case 8: case 9: set_dtr(t, v == 8); break;
    case 10: is = t->rts ? 11 : 12; break;
    case 11: case 12: set_rts(t, v == 11); break;
    case 13: is = t->flow_in; break;
    case 14: case 15: case 16: case 18: t->flow_in = v; break;
    default: break;
    }
    answer_byte(out, COM_CONTROL, is);
}

static void com_command(struct sim_telnet *t, const uint8_t *sb, size_t n, struct fl_buf *out)
{
    static const char name[] = "flashline simulated board";
    const uint8_t *v = sb + 1;
    if (n == 0)
        return;
    n--;
    switch (sb[0]) {
    case COM_SIGNATURE:
        if (n == 0)
            answer_com(out, COM_SIGNATURE, (const uint8_t *)name, sizeof name - 1);
        break;
    case COM_BAUD: set_baud(t, v, n, out); break;
    case COM_SIZE: set_byte(&t->size, COM_SIZE, v, n, out); break;
    case COM_PARITY: set_byte(&t->parity, COM_PARITY, v, n, out); break;
    case COM_STOP: set_byte(&t->stop, COM_STOP, v, n, out); break;
    case COM_CONTROL:
        if (n == 1)
            control(t, v[0], out);
        break;
    case COM_LINEMASK:
        if (n == 1) {
            t->line_mask = v[0];
            answer_byte(out, COM_LINEMASK, v[0]);
        }
        break;
    case COM_MODEMMASK:
        if (n == 1) {
            t->modem_mask = v[0];
            answer_byte(out, COM_MODEMMASK, v[0]);
            answer_byte(out, COM_MODEMSTATE, MODEM_READY);
        }
        break;
    case COM_PURGE:
        if (n == 1) {
            t->peer.purge(t->peer.ctx, (v[0] & 2) != 0, (v[0] & 1) != 0);
            answer_byte(out, COM_PURGE, v[0]);
        }
        break;
    default: break; /* suspend and resume: nothing here ever floods a client */
    }
}

/* ---- stream --------------------------------------------------------------------------------------------------- */

static void after_iac(struct sim_telnet *t, uint8_t c)
{
    static const uint8_t iac = IAC;
    t->state = TEL_DATA;
    if (c == IAC)
        t->peer.data(t->peer.ctx, &iac, 1);
    else if (c == SB) {
        t->state = TEL_SB;
        t->sb_len = 0;
    } else if (c >= WILL) {
        t->state = TEL_OPTION;
        t->verb = c;
    }
}

static void sb_byte(struct sim_telnet *t, uint8_t c)
{
    if (t->sb_len < sizeof t->sb)
        t->sb[t->sb_len++] = c;
    t->state = TEL_SB;
}

static void other_byte(struct sim_telnet *t, uint8_t c, struct fl_buf *out)
{
    switch (t->state) {
    case TEL_IAC: after_iac(t, c); break;
    case TEL_OPTION:
        t->state = TEL_DATA;
        negotiate(t, t->verb, c, out);
        break;
    case TEL_SB:
        if (c == IAC)
            t->state = TEL_SB_IAC;
        else
            sb_byte(t, c);
        break;
    case TEL_SB_IAC:
        if (c == IAC) {
            sb_byte(t, c);
        } else {
            t->state = TEL_DATA; /* SE; anything else ends it too */
            if (c == SE && t->sb_len > 0 && t->sb[0] == OPT_COM)
                com_command(t, t->sb + 1, t->sb_len - 1, out);
        }
        break;
    case TEL_DATA: break;
    }
}

void sim_telnet_feed(struct sim_telnet *t, const uint8_t *bytes, size_t n, struct fl_buf *out)
{
    while (n > 0) {
        if (t->state != TEL_DATA) {
            other_byte(t, *bytes, out);
            bytes++;
            n--;
            continue;
        }
        const uint8_t *iac = memchr(bytes, IAC, n);
        size_t run = iac ? (size_t)(iac - bytes) : n;
        if (run > 0)
            t->peer.data(t->peer.ctx, bytes, run);
        bytes += run;
        n -= run;
        if (iac) {
            t->state = TEL_IAC;
            bytes++;
            n--;
        }
    }
}
