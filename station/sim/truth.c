/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/truth.h"

#include "base/clock.h"
#include "base/hash.h"

#include <string.h>

enum { PIECE = 65536 };

/* Names come out of a script: nothing in them may end the text. */
static void put_text(FILE *f, const char *text)
{
    fputc('"', f);
    for (; *text; text++)
        fputc((unsigned char)*text < 0x20 || *text == '"' || *text == '\\' ? '?' : *text, f);
    fputc('"', f);
}

static void put_flash(FILE *f, struct sim_board *b)
{
    uint8_t piece[PIECE], sum[FL_SHA256_SIZE];
    char hex[2 * FL_SHA256_SIZE + 1] = "";
    struct fl_hash *h = NULL;
    if (fl_hash_new(FL_HASH_SHA256, &h) == FL_OK) {
        for (uint32_t at = 0; at < sim_board_spec(b)->flash.size; at += PIECE) {
            sim_board_flash(b, at, piece, PIECE);
            fl_hash_add(h, piece, PIECE);
        }
        if (fl_hash_end(h, sum) == FL_OK)
            fl_hex(sum, sizeof sum, hex);
    }
    fl_hash_free(h);
    fprintf(f, "\"flash\":\"%s\"}\n", hex);
}

void truth_shift(FILE *f, uint64_t seed, unsigned units, unsigned slots)
{
    if (!f)
        return;
    fprintf(f, "{\"type\":\"shift\",\"seed\":%llu,\"units\":%u,\"slots\":%u,\"at\":%lld}\n", (unsigned long long)seed, units, slots,
            (long long)fl_wall_ms());
    (void)fflush(f);
}

void truth_visit(FILE *f, const struct truth_visit *v)
{
    const struct sim_spec *s = &v->unit->spec;
    const struct shift_planted *p = v->unit->planted;
    if (!f)
        return;
    fprintf(f, "{\"type\":\"visit\",\"unit\":%u,\"mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\",\"chip\":\"%s\",\"slot\":%u,\"visit\":%u,\"planted\":",
            s->number, s->mac[0], s->mac[1], s->mac[2], s->mac[3], s->mac[4], s->mac[5], s->chip->name, v->slot, v->visit);
    if (p)
        put_text(f, p->name);
    else
        fputs("null", f);
    fputs(",\"expect\":[", f);
    for (size_t i = 0; p && i < p->n_expect; i++) {
        fputs(i ? "," : "", f);
        put_text(f, p->expect[i]);
    }
    fprintf(f, "],\"from\":%lld,\"to\":%lld,\"why\":\"%s\",\"saw\":", (long long)v->from_ms, (long long)v->to_ms, v->why);
    put_text(f, v->saw);
    fprintf(f, ",\"leaf\":%lld,\"cable\":%g,\"hub\":%s,", (long long)v->leaf, v->cable, v->hub ? "true" : "false");
    put_flash(f, v->board);
    (void)fflush(f);
}

void truth_cable(FILE *f, unsigned slot, bool bad)
{
    if (!f)
        return;
    fprintf(f, "{\"type\":\"cable\",\"slot\":%u,\"bad\":%s,\"at\":%lld}\n", slot, bad ? "true" : "false", (long long)fl_wall_ms());
    (void)fflush(f);
}

void truth_hub(FILE *f, const struct shift *s, int64_t from_ms, int64_t to_ms)
{
    if (!f)
        return;
    fputs("{\"type\":\"hub\",\"slots\":[", f);
    for (size_t i = 0; i < s->hub.n; i++)
        fprintf(f, "%s%u", i ? "," : "", s->hub.slot[i]);
    fprintf(f, "],\"at\":%lld,\"back\":%lld}\n", (long long)from_ms, (long long)to_ms);
    (void)fflush(f);
}

void truth_end(FILE *f, unsigned units, unsigned visits)
{
    if (!f)
        return;
    fprintf(f, "{\"type\":\"end\",\"units\":%u,\"visits\":%u,\"at\":%lld}\n", units, visits, (long long)fl_wall_ms());
    (void)fflush(f);
}
