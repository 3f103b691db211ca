/* SPDX-License-Identifier: Apache-2.0
 * Files that are taken for images by mistake. Their first bytes are from the formats' own specifications. */
#include "esp/contents.h"

#include <string.h>

static const struct {
    const char *head;
    size_t n;
    const char *what;
} kinds[] = {
    {"\x7f" "ELF", 4, "an ELF file: what is flashed is the .bin made of it"},
    {"UF2\n", 4, "a UF2 file: blocks with addresses, for a bootloader that takes them"},
    {"PK\x03\x04", 4, "a ZIP archive"},
    {"\x1f\x8b\x08", 3, "a gzip file"},
    {"\xfd" "7zXZ", 5, "an xz file"},
    {"\x28\xb5\x2f\xfd", 4, "a Zstandard file"},
    {":020000", 7, "an Intel HEX file"},
    {":10", 3, "an Intel HEX file"},
    {"S0", 2, "a Motorola S-record file"},
    {"# Name", 6, "a partition table as text (CSV): what is flashed is the .bin made of it"},
    {"# ESP-IDF Part", 14, "a partition table as text (CSV): what is flashed is the .bin made of it"},
    {"# Espressif ESP", 15, "a partition table as text (CSV): what is flashed is the .bin made of it"},
    {"key,type,encoding", 17, "a table of NVS as text (CSV): what is flashed is the .bin made of it"},
    {"version https://git-lfs.", 24, "a pointer of Git LFS, and not the file itself: git lfs pull fetches it"},
    {"<!DOCTYPE", 9, "an HTML page, perhaps the message of a failed download"},
    {"<!doctype", 9, "an HTML page, perhaps the message of a failed download"},
    {"<html", 5, "an HTML page, perhaps the message of a failed download"},
    {"<?xml", 5, "an XML file, perhaps the message of a failed download"},
};

const char *esp_other_file(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (n >= kinds[i].n && memcmp(bytes, kinds[i].head, kinds[i].n) == 0)
            return kinds[i].what;
    return NULL;
}
