/* SPDX-License-Identifier: Apache-2.0
 * What was measured of a line, in words (carry.h). Pure. */
#include "esp/carry.h"

#include "esp/packet.h"

#include <stdio.h>
#include <string.h>

bool carry_seven_bits(const uint8_t *bytes, size_t n)
{
    enum { TIMES = 2 };
    static const uint8_t head[] = {0xc0 & 0x7f, 1, OP_SYNC};
    unsigned seen = 0;
    for (const uint8_t *p = bytes; (p = memmem(p, n - (size_t)(p - bytes), head, sizeof head)) != NULL; p += sizeof head) {
        const uint8_t *len = p + sizeof head;
        seen += (size_t)(bytes + n - len) >= 2 && (len[0] == 2 || len[0] == 4) && len[1] == 0;
    }
    return seen >= TIMES;
}

/* What changes just these values. A row fits when all bad values are among its own. */
static const struct culprit {
    uint8_t values[4];
    size_t n;
    const char *text;
} culprits[] = {
    {{0x11, 0x13}, 2, "software flow control (XON/XOFF) is on in the bridge, the serial server or the port: switch it off"},
    {{0x0a, 0x0d}, 2, "line ends are translated (CR, LF): switch text mode off in the serial server or the port"},
    {{0xff}, 1, "FF is telnet's escape: one end of this connection speaks telnet and the other does not; use rfc2217:// or a raw port"},
    {{0x0a, 0x0d, 0x11, 0x13}, 4, "a terminal's settings are on in the serial server or the port: set it to raw"},
};

static const char *culprit_of(const struct carry_way *w)
{
    for (size_t i = 0; i < sizeof culprits / sizeof *culprits; i++) {
        size_t fit = 0;
        for (size_t k = 0; k < w->n; k++)
            fit += memchr(culprits[i].values, w->bad[k].value, culprits[i].n) != NULL;
        if (fit == w->n)
            return culprits[i].text;
    }
    return "something between host and chip changes them: look for it in the bridge's, the server's and the port's settings";
}

static void list(const struct carry_way *w, char *out, size_t cap)
{
    size_t at = 0;
    out[0] = 0;
    for (size_t i = 0; i < w->n && at < cap; i++) {
        at += (size_t)snprintf(out + at, cap - at, "%s%02x", i ? ", " : "", w->bad[i].value);
        if (w->bad[i].known && at < cap)
            at += (size_t)snprintf(out + at, cap - at, w->bad[i].n ? " as" : " not");
        for (size_t k = 0; k < w->bad[i].n && at < cap; k++)
            at += (size_t)snprintf(out + at, cap - at, " %02x", w->bad[i].became[k]);
    }
}

bool carry_text(const struct carry *c, char out[static CARRY_TEXT])
{
    const struct carry_way *w = c->to_chip.n ? &c->to_chip : &c->to_host;
    char values[64];
    out[0] = 0;
    if (c->round_ms)
        (void)snprintf(out, CARRY_TEXT, "an answer takes %u ms to come: something between host and chip holds bytes back (a network, "
                       "a serial server); the work needs less than %d", c->round_ms, CARRY_LATE_MIN);
    else if (c->twice)
        (void)snprintf(out, CARRY_TEXT, "what the chip says comes twice: something between host and chip repeats it (two programs "
                       "on one port of a serial server, a driver); give the port to this station alone");
    else if (c->seven_bits)
        (void)snprintf(out, CARRY_TEXT, "the chip's answers come without their highest bits: the port or serial server is set to 7 data "
                       "bits; set 8, no parity");
    else if (w->n > 0) {
        list(w, values, sizeof values);
        (void)snprintf(out, CARRY_TEXT, "bytes of these values do not arrive at the %s as they are: %s; %s",
                       w == &c->to_chip ? "chip" : "host", values, culprit_of(w));
    }
    return out[0] != 0;
}
