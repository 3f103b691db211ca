/* SPDX-License-Identifier: Apache-2.0 */
#include "esp/partition.h"

#include "base/cursor.h"

#include <stdio.h>

enum { ROW = 32, ROW_MAGIC = 0x50aa, MD5_MAGIC = 0xebeb, END_MAGIC = 0xffff };

static void take_row(struct fl_cursor *c, struct esp_partition *p)
{
    p->type = fl_take_u8(c);
    p->subtype = fl_take_u8(c);
    p->offset = fl_take_u32le(c);
    p->size = fl_take_u32le(c);
    const uint8_t *label = fl_take(c, 16);
    size_t i = 0;
    for (; i < 16 && label[i]; i++)
        p->label[i] = label[i] >= 0x20 && label[i] < 0x7f ? (char)label[i] : '?';
    p->label[i] = 0;
    p->flags = fl_take_u32le(c);
}

static enum fl_err check_md5(const uint8_t *bytes, size_t rows, const uint8_t *md5_row,
                             struct fl_why *why)
{
    uint8_t md5[FL_MD5_SIZE];
    enum fl_err err = fl_md5(bytes, rows * ROW, md5);
    if (err)
        return fl_fail(why, err, "cannot hash: %s", fl_err_text(err));
    if (memcmp(md5, md5_row + 16, sizeof md5) == 0)
        return FL_OK;
    return fl_fail(why, FL_MISMATCH, "damaged: its %zu rows do not have the MD5 that stands after them",
                   rows);
}

enum fl_err esp_partition_parse(const uint8_t *bytes, size_t n, struct esp_partition_table *out,
                                struct fl_why *why)
{
    struct fl_cursor c = fl_cursor_of(bytes, n);
    out->n = 0;
    out->has_md5 = false;
    if (n < 2 || fl_get_u16le(bytes) != ROW_MAGIC)
        return fl_fail(why, FL_NOT_FOUND, "no partition table starts here, one starts with aa 50");
    for (;;) {
        const uint8_t *row = fl_take(&c, ROW);
        uint16_t magic = row ? fl_get_u16le(row) : END_MAGIC;
        if (magic == END_MAGIC)
            return FL_OK;
        if (magic == MD5_MAGIC) {
            out->has_md5 = true;
            return check_md5(bytes, out->n, row, why);
        }
        if (magic != ROW_MAGIC)
            return fl_fail(why, FL_FORMAT, "row %zu starts with %02x %02x, expected aa 50, eb eb or ff ff",
                           out->n + 1, row[0], row[1]);
        if (out->n == ESP_PARTITIONS_MAX)
            return fl_fail(why, FL_FORMAT, "more than %d partitions", ESP_PARTITIONS_MAX);
        struct fl_cursor r = fl_cursor_of(row + 2, ROW - 2);
        take_row(&r, &out->rows[out->n++]);
    }
}

static const struct {
    uint8_t type, subtype;
    const char *name;
} kinds[] = {
    {0, 0x00, "factory"}, {0, 0x20, "test"},   {1, 0x00, "ota"},      {1, 0x01, "phy"},
    {1, 0x02, "nvs"},     {1, 0x03, "coredump"}, {1, 0x04, "nvs_keys"}, {1, 0x05, "efuse"},
    {1, 0x06, "undefined"}, {1, 0x80, "esphttpd"}, {1, 0x81, "fat"},  {1, 0x82, "spiffs"},
    {1, 0x83, "littlefs"}, {2, 0x00, "primary"}, {2, 0x01, "ota"},    {2, 0x02, "recovery"},
    {3, 0x00, "primary"}, {3, 0x01, "ota"},
};

const char *esp_partition_kind(const struct esp_partition *p, char buf[static 8])
{
    if (p->type == ESP_PARTITION_APP && p->subtype >= ESP_PARTITION_OTA_0 && p->subtype < 0x20) {
        (void)snprintf(buf, 8, "ota_%u", (unsigned)(p->subtype - ESP_PARTITION_OTA_0));
        return buf;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].type == p->type && kinds[i].subtype == p->subtype)
            return kinds[i].name;
    return NULL;
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a < b + b_size && b < a + a_size;
}

void esp_partition_check(const struct esp_partition_table *table, uint64_t flash_size, uint32_t table_at,
                         esp_partition_say *say, void *context)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct esp_partition *a = &table->rows[i];
        if (flash_size && (uint64_t)a->offset + a->size > flash_size)
            say(context, ESP_ROWS_PAST_END, a, NULL);
        if (a->type == ESP_PARTITION_APP && a->offset % 0x10000)
            say(context, ESP_ROWS_APP_ALIGN, a, NULL);
        if (a->type <= ESP_PARTITION_DATA && table_at &&
            overlap(a->offset, a->size, table_at, ESP_PARTITION_TABLE_SIZE))
            say(context, ESP_ROWS_ON_TABLE, a, NULL);
        for (size_t k = 0; k < i; k++)
            if (overlap(a->offset, a->size, table->rows[k].offset, table->rows[k].size))
                say(context, ESP_ROWS_OVERLAP, a, &table->rows[k]);
    }
}
