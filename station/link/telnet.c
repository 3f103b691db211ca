/* SPDX-License-Identifier: Apache-2.0
 * The states of a telnet receiver; telnet.h draws the bytes.
 *
 *            FF            WILL WONT DO DONT
 *   DATA ─────────► IAC ─────────────────────► VERB ──option──► DATA
 *     ▲              │ FF: a data byte            SUB ◄──────► SUB_IAC
 *     └──────────────┴── SB ──────────────────────►│  FF / FF     │ SE: whole; anything else: the end
 *                                                                 ▼ was lost, so read it as a command
 */
#include "link/telnet.h"

#include <string.h>

void telnet_init(struct telnet *t, void (*on_sub)(void *, const uint8_t *, size_t), void *ctx)
{
    memset(t, 0, sizeof *t);
    t->answers = FL_BUF(16384);
    t->on_sub = on_sub;
    t->ctx = ctx;
}

void telnet_fini(struct telnet *t)
{
    fl_buf_fini(&t->answers);
}

static void say(struct telnet *t, uint8_t verb, uint8_t option)
{
    const uint8_t bytes[] = {TN_IAC, verb, option};
    fl_buf_add(&t->answers, bytes, sizeof bytes);
}

void telnet_ask_us(struct telnet *t, uint8_t option)
{
    t->us[option] = TELNET_ASKED;
    say(t, TN_WILL, option);
}

void telnet_ask_him(struct telnet *t, uint8_t option)
{
    t->him[option] = TELNET_ASKED;
    say(t, TN_DO, option);
}

static bool wanted(uint8_t option)
{
    return option == TN_BINARY || option == TN_SGA || option == TN_COM_PORT;
}

/* One side's option: `on` is WILL or DO, `yes` and `no` are our answers to it. */
static void negotiate(struct telnet *t, uint8_t *state, bool on, uint8_t yes, uint8_t no, uint8_t option)
{
    uint8_t before = *state;
    if (on) {
        if (before == TELNET_YES || (before == TELNET_REFUSED && !wanted(option)))
            return;
        *state = wanted(option) ? TELNET_YES : TELNET_REFUSED;
        if (before != TELNET_ASKED) /* else it is the answer to what we asked */
            say(t, wanted(option) ? yes : no, option);
    } else {
        if (before == TELNET_NO || before == TELNET_REFUSED)
            return;
        *state = TELNET_REFUSED;
        if (before == TELNET_YES)
            say(t, no, option);
    }
    t->changes++;
}

static void on_verb(struct telnet *t, uint8_t option)
{
    bool on = t->verb == TN_WILL || t->verb == TN_DO;
    if (t->changes > TELNET_CHANGES_MAX)
        return;
    if (t->verb == TN_WILL || t->verb == TN_WONT)
        negotiate(t, &t->him[option], on, TN_DO, TN_DONT, option);
    else
        negotiate(t, &t->us[option], on, TN_WILL, TN_WONT, option);
}

static void keep_sub(struct telnet *t, uint8_t byte)
{
    if (t->sub_len < sizeof t->sub)
        t->sub[t->sub_len] = byte;
    if (t->sub_len <= sizeof t->sub)
        t->sub_len++;
}

static void on_command(struct telnet *t, uint8_t byte)
{
    t->commands++;
    t->state = TELNET_DATA;
    if (byte >= TN_WILL && byte <= TN_DONT) {
        t->verb = byte;
        t->state = TELNET_VERB;
    } else if (byte == TN_SB) {
        t->sub_len = 0;
        t->state = TELNET_SUB;
    }
}

static void on_sub_iac(struct telnet *t, uint8_t byte)
{
    if (byte == TN_IAC) {
        keep_sub(t, byte);
        t->state = TELNET_SUB;
    } else if (byte == TN_SE) {
        t->state = TELNET_DATA;
        if (t->sub_len >= 1 && t->sub_len <= sizeof t->sub)
            t->on_sub(t->ctx, t->sub, t->sub_len);
    } else {
        on_command(t, byte);
    }
}

size_t telnet_take(struct telnet *t, const uint8_t *in, size_t n, uint8_t *out)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = in[i];
        switch (t->state) {
        case TELNET_DATA:
            if (byte == TN_IAC)
                t->state = TELNET_IAC;
            else
                out[m++] = byte;
            break;
        case TELNET_IAC:
            if (byte == TN_IAC) {
                out[m++] = byte;
                t->state = TELNET_DATA;
            } else {
                on_command(t, byte);
            }
            break;
        case TELNET_VERB:
            t->state = TELNET_DATA;
            on_verb(t, byte);
            break;
        case TELNET_SUB:
            if (byte == TN_IAC)
                t->state = TELNET_SUB_IAC;
            else
                keep_sub(t, byte);
            break;
        case TELNET_SUB_IAC:
            on_sub_iac(t, byte);
            break;
        }
    }
    return m;
}

void telnet_escape(struct fl_buf *out, const uint8_t *bytes, size_t n)
{
    uint8_t *to = n ? fl_buf_room(out, 2 * n) : NULL, *start = to;
    if (!to)
        return;
    while (n) {
        const uint8_t *iac = memchr(bytes, TN_IAC, n);
        size_t run = iac ? (size_t)(iac - bytes) + 1 : n;
        memcpy(to, bytes, run);
        to += run;
        if (iac)
            *to++ = TN_IAC;
        bytes += run;
        n -= run;
    }
    out->len += (size_t)(to - start);
}
