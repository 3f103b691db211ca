/* SPDX-License-Identifier: Apache-2.0
 *
 * The texts of the live stream, as JSON.
 *
 * head: {"station","product","lot","alarm","stopped":[slot, …],"said","said_ms","refused","planned","takt_ms","pass","fail",
 *        "error","aborted","interrupted","units","passed","first_passed","per_hour"}   stopped: 0 is the whole line
 * tile: {"i","slot","state","tone","sign","port","mac","chip","step","done","total","rate","left","baud","rungs",
 *        "fault","what","todo","who","why","leaf","started","ended","hand"[,"net"][,"said","said_ms","refused"]}
 *        bytes, ms, monotonic ms; net: true where a network leads to the slot
 * progress (live_hub.c): [i, done, total, rate, left]
 */
#include "web/inside.h"

#include "base/utf8.h"

#include <string.h>

/* Quoted; bytes that are no text become '?'. */
static void json_text(struct fl_buf *b, const char *s)
{
    size_t n = strlen(s);
    fl_buf_addc(b, '"');
    for (size_t i = 0; i < n;) {
        size_t k = fl_utf8_len((const uint8_t *)s + i, n - i);
        unsigned char c = (unsigned char)s[i];
        if (k == 0 || c == 0x7f || (c < 0x20 && c != '\n' && c != '\t')) {
            fl_buf_addc(b, '?');
            k = 1;
        } else if (c < 0x20) {
            fl_buf_addc(b, ' ');
        } else if (c == '"' || c == '\\') {
            fl_buf_addc(b, '\\');
            fl_buf_addc(b, (char)c);
        } else {
            fl_buf_add(b, s + i, k);
        }
        i += k;
    }
    fl_buf_addc(b, '"');
}

static void add_text(struct fl_buf *b, const char *key, const char *s)
{
    fl_buf_addf(b, "\"%s\":", key);
    json_text(b, s);
    fl_buf_addc(b, ',');
}

void tiles_head(struct fl_buf *b, const struct tally_head *h)
{
    fl_buf_addc(b, '{');
    add_text(b, "station", h->station);
    add_text(b, "product", h->product);
    add_text(b, "lot", h->lot);
    add_text(b, "alarm", h->alarm);
    add_text(b, "said", h->said);
    fl_buf_addf(b, "\"said_ms\":%llu,\"refused\":%s,\"stopped\":[", (unsigned long long)h->said_ms, h->refused ? "true" : "false");
    for (size_t i = 0; i < h->n_stopped; i++)
        fl_buf_addf(b, "%s%d", i ? "," : "", h->stopped[i]);
    fl_buf_adds(b, "],");
    fl_buf_addf(b,
                "\"planned\":%llu,\"takt_ms\":%u,\"pass\":%llu,\"fail\":%llu,\"error\":%llu,\"aborted\":%llu,"
                "\"interrupted\":%llu,\"units\":%llu,\"passed\":%llu,\"first_passed\":%llu,\"per_hour\":%llu}",
                (unsigned long long)h->planned, (unsigned)h->takt_ms,
                (unsigned long long)h->outcomes[OUTCOME_PASS], (unsigned long long)h->outcomes[OUTCOME_FAIL],
                (unsigned long long)h->outcomes[OUTCOME_ERROR],
                (unsigned long long)h->outcomes[OUTCOME_ABORTED],
                (unsigned long long)h->outcomes[OUTCOME_INTERRUPTED], (unsigned long long)h->units,
                (unsigned long long)h->passed, (unsigned long long)h->first_passed,
                (unsigned long long)h->per_hour);
}

void tiles_tile(struct fl_buf *b, size_t i, const struct slot_view *v, const struct tile_meter *m)
{
    const struct tile_look *look = tile_look(v);
    const struct fault *f = fault_find(v->fault);
    static const char *const tone[] = {
        [TONE_IDLE] = "idle", [TONE_BUSY] = "busy", [TONE_GOOD] = "good",
        [TONE_BAD] = "bad",   [TONE_HELP] = "help", [TONE_NOTE] = "note",
    };
    fl_buf_addf(b, "{\"i\":%zu,\"slot\":%d,", i, v->slot);
    add_text(b, "state", look->name);
    add_text(b, "tone", tone[look->tone]);
    add_text(b, "sign", look->sign);
    add_text(b, "port", v->port);
    add_text(b, "mac", v->mac);
    add_text(b, "chip", v->chip);
    add_text(b, "step", v->step);
    add_text(b, "fault", v->fault);
    add_text(b, "what", f ? f->what : "");
    add_text(b, "todo", f ? fault_todo(f, v->port) : "");
    add_text(b, "who", f ? f->who : "");
    add_text(b, "why", v->why);
    if (fault_on_network(v->port))
        fl_buf_adds(b, "\"net\":true,");
    if (v->said_ms) {
        add_text(b, "said", v->said);
        fl_buf_addf(b, "\"said_ms\":%llu,\"refused\":%s,", (unsigned long long)v->said_ms, v->refused ? "true" : "false");
    }
    fl_buf_addf(b,
                "\"done\":%llu,\"total\":%llu,\"rate\":%llu,\"left\":%lld,\"baud\":%u,\"rungs\":%u,"
                "\"leaf\":%lld,\"started\":%llu,\"ended\":%llu,\"hand\":%s}",
                (unsigned long long)v->done, (unsigned long long)v->total, (unsigned long long)m->rate,
                (long long)tile_left_ms(m, v), (unsigned)v->baud, v->rungs, (long long)v->leaf,
                (unsigned long long)v->started_ms, (unsigned long long)v->ended_ms,
                tile_wants_hand(v) ? "true" : "false");
}

bool tiles_same_but_progress(const struct slot_view *a, const struct slot_view *b)
{
    return a->slot == b->slot && a->state == b->state && a->outcome == b->outcome && a->baud == b->baud &&
           a->rungs == b->rungs && a->leaf == b->leaf && a->started_ms == b->started_ms &&
           a->ended_ms == b->ended_ms && a->said_ms == b->said_ms && strcmp(a->step, b->step) == 0 && strcmp(a->fault, b->fault) == 0 &&
           strcmp(a->port, b->port) == 0 && strcmp(a->mac, b->mac) == 0 && strcmp(a->chip, b->chip) == 0 &&
           strcmp(a->why, b->why) == 0;
}
