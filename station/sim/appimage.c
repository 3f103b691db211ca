/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/appimage.h"

#include "base/cursor.h"
#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 24, HEADER_8266 = 8, SEGMENTS_MAX = 16, DESC_AT = 0x20, DESC_SIZE = 256 };
enum { TABLE_ROWS = 96, ROW = 32 };

static uint32_t word_at(const struct sim_flash *f, uint32_t at)
{
    uint8_t b[4];
    sim_flash_read(f, at, b, sizeof b);
    return fl_get_u32le(b);
}

static void say_why(struct sim_image *i, const char *text)
{
    i->ok = false;
    snprintf(i->why, sizeof i->why, "%s", text);
}

/* Walks the segments; gives where the last one ends and the checksum of their data. */
static bool walk(const struct sim_flash *f, struct sim_image *i, uint32_t header, uint32_t limit,
                 uint32_t *end, uint8_t *sum)
{
    uint32_t at = i->at + header;
    *sum = 0xEF;
    for (unsigned k = 0; k < i->segments; k++) {
        uint8_t buf[SIM_SECTOR];
        i->load[k] = word_at(f, at);
        i->len[k] = word_at(f, at + 4);
        at += 8;
        i->seg_at[k] = at;
        if (i->len[k] > limit || at - i->at + i->len[k] > limit || i->len[k] % 4 != 0)
            return false;
        for (uint32_t done = 0; done < i->len[k];) {
            uint32_t now = i->len[k] - done < sizeof buf ? i->len[k] - done : (uint32_t)sizeof buf;
            sim_flash_read(f, at + done, buf, now);
            *sum ^= sim_xor(buf, now);
            done += now;
        }
        at += i->len[k];
    }
    *end = at - i->at;
    return true;
}

static bool hash_fits(const struct sim_flash *f, uint32_t at, uint32_t n)
{
    struct fl_hash *h;
    uint8_t buf[SIM_SECTOR], want[FL_SHA256_SIZE], is[FL_SHA256_SIZE];
    if (fl_hash_new(FL_HASH_SHA256, &h) != FL_OK)
        return false;
    sim_flash_read(f, at + n, want, sizeof want);
    for (uint32_t done = 0; done < n;) {
        uint32_t now = n - done < sizeof buf ? n - done : (uint32_t)sizeof buf;
        sim_flash_read(f, at + done, buf, now);
        fl_hash_add(h, buf, now);
        done += now;
    }
    bool ok = fl_hash_end(h, is) == FL_OK && memcmp(is, want, sizeof is) == 0;
    fl_hash_free(h);
    return ok;
}

static void copy_text(char *to, const uint8_t *from, size_t n)
{
    size_t i = 0;
    for (; i < n && from[i] >= 0x20 && from[i] < 0x7F; i++)
        to[i] = (char)from[i];
    to[i] = 0;
}

static void read_desc(const struct sim_flash *f, struct sim_image *i)
{
    uint8_t d[DESC_SIZE];
    char time[17], date[17];
    sim_flash_read(f, i->at + DESC_AT, d, sizeof d);
    i->has_desc = i->segments > 0 && i->len[0] >= DESC_SIZE && fl_get_u32le(d) == 0xABCD5432;
    if (!i->has_desc)
        return;
    copy_text(i->version, d + 16, 32);
    copy_text(i->project, d + 48, 32);
    copy_text(time, d + 80, 16);
    copy_text(date, d + 96, 16);
    copy_text(i->idf, d + 112, 32);
    snprintf(i->built, sizeof i->built, "%s %s", date, time);
}

void sim_image_read(const struct sim_flash *f, const struct sim_chip *chip, uint32_t at, uint32_t limit,
                    struct sim_image *out)
{
    bool old = chip->image_id < 0;
    uint8_t head[HEADER], sum, byte;
    uint32_t end;
    *out = (struct sim_image){.ok = true, .at = at};
    sim_flash_read(f, at, head, sizeof head);
    out->segments = head[1];
    out->mode = head[2];
    out->size_freq = head[3];
    out->entry = fl_get_u32le(head + 4);
    if (head[0] != 0xE9) {
        snprintf(out->why, sizeof out->why, "invalid header: 0x%08x", (unsigned)fl_get_u32le(head));
        out->ok = false;
        return;
    }
    if (out->segments == 0 || out->segments > SEGMENTS_MAX) {
        say_why(out, "invalid segment count");
        return;
    }
    if (!old && fl_get_u16le(head + 12) != chip->image_id) {
        say_why(out, "mismatch chip ID");
        return;
    }
    if (!walk(f, out, old ? HEADER_8266 : HEADER, limit, &end, &sum)) {
        say_why(out, "invalid segment length");
        return;
    }
    end = (end | 15u) + 1; /* the checksum is the last byte of a 16-byte row */
    sim_flash_read(f, at + end - 1, &byte, 1);
    if (byte != sum) {
        snprintf(out->why, sizeof out->why, "csum err:0x%02x!=0x%02x", byte, sum);
        out->ok = false;
        return;
    }
    out->size = end;
    if (!old && head[23] == 1) {
        if (!hash_fits(f, at, end)) {
            say_why(out, "Image hash failed - image is corrupt");
            return;
        }
        out->size += FL_SHA256_SIZE;
    }
    read_desc(f, out);
}

size_t sim_table_read(const struct sim_flash *f, struct sim_partition out[static SIM_PARTITIONS_MAX])
{
    uint8_t table[TABLE_ROWS * ROW], md5[FL_MD5_SIZE];
    size_t n = 0;
    sim_flash_read(f, SIM_TABLE_AT, table, sizeof table);
    for (size_t i = 0; i < TABLE_ROWS; i++) {
        const uint8_t *r = table + i * ROW;
        if (r[0] == 0xEB && r[1] == 0xEB) {
            if (fl_md5(table, i * ROW, md5) != FL_OK || memcmp(md5, r + 16, sizeof md5) != 0)
                return 0;
            break;
        }
        if (r[0] != 0xAA || r[1] != 0x50)
            break;
        if (n == SIM_PARTITIONS_MAX)
            return 0;
        out[n].type = r[2];
        out[n].subtype = r[3];
        out[n].at = fl_get_u32le(r + 4);
        out[n].size = fl_get_u32le(r + 8);
        copy_text(out[n].label, r + 12, 16);
        n++;
    }
    return n;
}

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    uint32_t crc = 0; /* start value 0, final XOR FFFFFFFF: reference 8.3 */
    while (n-- > 0) {
        crc ^= *p++;
        for (int k = 0; k < 8; k++)
            crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}

/* The highest valid sequence number in otadata, 0 when both sectors are blank or damaged. */
static uint32_t ota_sequence(const struct sim_flash *f, uint32_t at)
{
    uint32_t best = 0;
    for (unsigned s = 0; s < 2; s++) {
        uint8_t e[ROW];
        sim_flash_read(f, at + s * SIM_SECTOR, e, sizeof e);
        uint32_t seq = fl_get_u32le(e);
        if (seq != 0xFFFFFFFF && crc32_of(e, 4) == fl_get_u32le(e + 28) && seq > best)
            best = seq;
    }
    return best;
}

const struct sim_partition *sim_table_app(const struct sim_flash *f, const struct sim_partition *rows,
                                          size_t n)
{
    const struct sim_partition *factory = NULL, *ota[16] = {NULL};
    uint32_t slots = 0, seq = 0;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].type == 0 && rows[i].subtype == 0)
            factory = &rows[i];
        if (rows[i].type == 0 && rows[i].subtype >= 0x10 && rows[i].subtype < 0x20) {
            ota[rows[i].subtype - 0x10] = &rows[i];
            slots++;
        }
        if (rows[i].type == 1 && rows[i].subtype == 0)
            seq = ota_sequence(f, rows[i].at);
    }
    if (seq > 0 && slots > 0 && slots <= 16 && ota[(seq - 1) % slots])
        return ota[(seq - 1) % slots];
    return factory ? factory : ota[0];
}

static bool printable(uint8_t c)
{
    return c >= 0x20 && c < 0x7F;
}

/* Where `word` stands in bytes[0..n), or n. */
static size_t find_word(const uint8_t *bytes, size_t from, size_t n, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = from; i + len <= n; i++) {
        const uint8_t *first = memchr(bytes + i, word[0], n - len + 1 - i);
        if (!first)
            return n;
        i = (size_t)(first - bytes);
        if (memcmp(first, word, len) == 0)
            return i;
    }
    return n;
}

bool sim_image_text(const struct sim_flash *f, const struct sim_image *image, const char *word,
                    char out[static SIM_TEXT_MAX])
{
    uint8_t *all = malloc(image->size ? image->size : 1);
    size_t best = 0;
    if (!all)
        return false;
    sim_flash_read(f, image->at, all, image->size);
    for (size_t i = find_word(all, 0, image->size, word); i < image->size;
         i = find_word(all, i + 1, image->size, word)) {
        size_t from = i, to = i;
        if (from > 0 && printable(all[from - 1]))
            continue; /* in the middle of something: a path, a sentence */
        while (to < image->size && to - from < SIM_TEXT_MAX - 1 && printable(all[to]))
            to++;
        if (to - from <= best)
            continue;
        best = to - from;
        copy_text(out, all + from, best);
    }
    free(all);
    return best > 0;
}
