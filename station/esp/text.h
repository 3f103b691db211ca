/* SPDX-License-Identifier: Apache-2.0
 *
 * text.h: what a chip says outside frames, and what it means.
 *
 * Boot ROMs print a line when they start ("rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)"),
 * the loader adds "waiting for download", an application prints what it likes, a crash and a low supply
 * have fixed words. The last 4 KB are kept.
 *
 * Pure, no allocation. Thread rule: one owner.
 */
#ifndef FL_ESP_TEXT_H
#define FL_ESP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXT_KEEP = 4096 };

struct text_log {
    uint8_t bytes[2 * TEXT_KEEP]; /* the newest at the end; moved down when full */
    size_t n;
    uint64_t total; /* bytes ever added */
};

void text_add(struct text_log *t, const uint8_t *bytes, size_t n);
/* The last bytes, at most TEXT_KEEP; and those added since `total` was `mark`. */
const uint8_t *text_tail(const struct text_log *t, size_t *n);
const uint8_t *text_since(const struct text_log *t, uint64_t mark, size_t *n);

/* What a piece of it shows. */
struct text_signs {
    size_t n;          /* bytes looked at */
    bool boot;         /* a boot ROM's first line, or its reset line: the chip restarted */
    int boot_code;     /* of the last "boot:0xNN", -1: none */
    int reset_code;    /* of the last "rst:0xN", -1: none */
    bool waiting;      /* "waiting for download" after that */
    bool boot_line;    /* the line of that boot code is there to its end */
    bool download;     /* that, or the boot line names the loader: what follows may have been lost */
    size_t behind;     /* bytes behind those words, line ends not counted */
    bool brownout;     /* the detector's words, or its reset code */
    bool panic;        /* Guru Meditation, Fatal exception */
    bool printable;    /* four bytes or more, most of them text */
};
struct text_signs text_read(const uint8_t *bytes, size_t n);
/* How many boot codes of ESP32 and later chips are in it. */
unsigned text_boots(const uint8_t *bytes, size_t n);

/* A quotation of at most 60 characters of the last line with something in it; other bytes as '.'.
 * `out` holds 64 bytes. */
enum { TEXT_QUOTE = 64 };
void text_quote(const uint8_t *bytes, size_t n, char out[static TEXT_QUOTE]);

#endif
