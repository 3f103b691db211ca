/* SPDX-License-Identifier: Apache-2.0
 * Wrong profiles, and every line that must be said about each: all of them, with their places, and no other. */
#include "unit/profile/fixture.h"

#include "profile/profile.h"

#include <sys/stat.h>

#define SAYS_MAX 8

struct row {
    const char *yaml;
    const char *says[SAYS_MAX]; /* "line:column: sentence", in order */
};

#define TOP "profile: p\nchip: esp32\n"                                /* lines 1, 2 */
#define ONE "images:\n  - {offset: 0x1000, file: boot.bin}\n"          /* two lines */

#define PROFILE_KEYS                                                                               \
    "profile, version, chip, gate, serial, flash, images, boot_check, retry, detect, before, after and verify"
#define CHIPS                                                                                      \
    "esp8266, esp32, esp32s2, esp32s3, esp32c2, esp32c3, esp32c5, esp32c6, esp32c61, esp32h2 or esp32p4"
#define IMAGES "a list of 1 to 64 mappings of offset, file and sha256"
#define RESET                                                                                      \
    "auto, none, classic, classic-slow, classic-hold, unix-tight, unix-tight-slow, usb-jtag, "     \
    "cp2102c, or a sequence like D0|R1|W0.1|D1|R0|W0.05|D0"
#define SPEED "bits a second from 9600 to 5000000"
#define SIZE "a size like 4MB, 1024KB or 0x400000, from 256KB to 128MB"
#define POWER "a size that flash chips have, like 2MB, 4MB, 8MB or 16MB"

static const struct row yaml_rows[] = {
    {"", {"1:1: the file is empty, expected keys and values"}},
    {"# only a comment\n", {"1:1: the file is empty, expected keys and values"}},
    {"---\n", {"2:1: the file is empty, expected a mapping of " PROFILE_KEYS}},
    {"- a\n- b\n", {"1:1: the file is a list, expected a mapping of " PROFILE_KEYS}},
    {"hello\n", {"1:1: the file is text, expected a mapping of " PROFILE_KEYS}},
    {"profile: p\nchip: \xff\n", {"2:7: byte 0xff is not UTF-8, expected a text file in UTF-8"}},
    {"profile: \"\xc3\xa4\xc3\"\n", {"1:12: byte 0xc3 is not UTF-8, expected a text file in UTF-8"}},
    {"profile: \xed\xa0\x80\n", {"1:10: byte 0xed is not UTF-8, expected a text file in UTF-8"}},
    {"profile: p\x01\n", {"1:11: control character 0x01, expected a text file"}},
    {"profile: a\xc2\x80\n", {"1:11: not YAML: control characters are not allowed, expected keys and values as "
                              "profiles/README.md shows"}},
    {TOP ONE "---\nprofile: q\n", {"5:1: a second document starts here, expected one in a file"}},
    {TOP "images: [\n", {"4:1: not YAML: while parsing a flow node: did not find expected node content, expected "
                         "keys and values as profiles/README.md shows"}},
    {TOP "\timages: 1\n", {"3:1: a tab, expected blanks: YAML takes no other indentation"}},
    {TOP "images:\n\t- {offset: 0x1000, file: boot.bin}\n", {"4:1: a tab, expected blanks: YAML takes no other indentation"}},
    {"profile: p\n chip: esp32\n", {"2:6: not YAML: mapping values are not allowed in this context, expected keys and "
                                    "values as profiles/README.md shows"}},
    {TOP "serial: &s {baud: 115200}\n" ONE, {"3:9: the anchor '&s' is not supported, expected the value itself"}},
    {TOP "version: &v 1\n" ONE, {"3:10: the anchor '&v' is not supported, expected the value itself"}},
    {TOP "version: *v\n" ONE, {"3:10: the alias '*v' is not supported, expected the value itself"}},
    {TOP "version: !!str 1\n" ONE,
     {"3:10: the tag 'tag:yaml.org,2002:str' is not supported, expected the value without it"}},
    {TOP "retry: !mine {attempts: 2}\n" ONE, {"3:8: the tag '!mine' is not supported, expected the value without it"}},
    {TOP "<<: *base\n" ONE, {"3:1: unknown key '<<', expected one of " PROFILE_KEYS,
                             "3:5: the alias '*base' is not supported, expected the value itself"}},
    {TOP "? {a: 1}\n: 2\n" ONE, {"3:3: a key is a mapping, expected a word"}},
    {TOP "? [a]\n: 2\n" ONE, {"3:3: a key is a list, expected a word"}},
    {TOP "version: [[[[[[[[1]]]]]]]]\n" ONE, {"3:17: nested deeper than 8, expected what profiles/README.md shows"}},
    {TOP "version: \"a\\0b\"\n" ONE, {"3:10: a zero character, expected text",
                                       "3:10: version is '', expected text of 1 to 64 bytes"}},
};

static const struct row key_rows[] = {
    {ONE, {"1:1: the key 'profile' is missing, expected 1 to 64 letters, digits, '.', '_' or '-'",
           "1:1: the key 'chip' is missing, expected " CHIPS}},
    {TOP, {"1:1: the key 'images' is missing, expected " IMAGES}},
    {TOP "serail: {baud: 115200}\n" ONE, {"3:1: unknown key 'serail', expected 'serial'"}},
    {TOP "imgaes: 1\n" ONE, {"3:1: unknown key 'imgaes', expected 'images'"}},
    {TOP "baud: 115200\n" ONE, {"3:1: unknown key 'baud', expected it under 'serial'"}},
    {TOP "zebra: 1\n" ONE, {"3:1: unknown key 'zebra', expected one of " PROFILE_KEYS}},
    {TOP "gate: {min_revison: \"1.0\"}\n" ONE, {"3:8: unknown key 'gate.min_revison', expected 'min_revision'"}},
    {TOP "retry: {count: 2}\n" ONE, {"3:9: unknown key 'retry.count', expected one of attempts"}},
    {TOP "chip: esp32\n" ONE, {"3:1: the key 'chip' is here twice, expected once (the first is in line 2)"}},
    {TOP "images:\n  - {offset: 0x1000, file: boot.bin, offset: 0x2000}\n",
     {"4:38: the key 'images[0].offset' is here twice, expected once (the first is in line 4)"}},
    {TOP "images:\n  - {file: boot.bin}\n  - {offset: 0x20000}\n",
     {"4:5: the key 'images[0].offset' is missing, expected an offset like 0x10000, at most 0x7fff000",
      "5:5: the key 'images[1].file' is missing, expected text of 1 to 1000 bytes"}},
    {TOP "serial: fast\n" ONE, {"3:9: serial is text, expected a mapping of baud, step_down, reset and stub"}},
    {TOP "serial: [115200]\n" ONE, {"3:9: serial is a list, expected a mapping of baud, step_down, reset and stub"}},
    {TOP "gate:\n" ONE, {"3:6: gate is empty, expected a mapping of min_revision, max_revision, flash_size, "
                         "secure_boot and flash_encryption"}},
    {TOP "images: boot.bin\n", {"3:9: images is text, expected " IMAGES}},
    {TOP "images: []\n", {"3:9: images is too short, expected " IMAGES}},
    {TOP "images: [boot.bin]\n", {"3:10: images[0] is text, expected a mapping of offset, file and sha256"}},
    {TOP "version: \"1\\e[31m\"\n" ONE, {"3:10: version is '1?[31m', expected one line of text, without control characters"}},
    {TOP "version: \"1\\n2\"\n" ONE, {"3:10: version is '1?2', expected one line of text, without control characters"}},
    {TOP "version: \"1\\u009b2\"\n" ONE, {"3:10: version is '1??2', expected one line of text, without control characters"}},
    {TOP "version: {a: 1}\n" ONE, {"3:10: version is a mapping, expected text of 1 to 64 bytes"}},
};

static const struct row value_rows[] = {
    {"profile: a b\nchip: esp32\n" ONE,
     {"1:10: profile is 'a b', expected 1 to 64 letters, digits, '.', '_' or '-'"}},
    {"profile: p\nchip: ESP32\n" ONE, {"2:7: chip is 'ESP32', expected " CHIPS}},
    {TOP "gate: {min_revision: 3}\n" ONE, {"3:22: gate.min_revision is '3', expected a revision like \"3.1\""}},
    {TOP "gate: {min_revision: \"03.0\"}\n" ONE,
     {"3:22: gate.min_revision is '03.0', expected a revision like \"3.1\""}},
    {TOP "gate: {max_revision: \"3.100\"}\n" ONE,
     {"3:22: gate.max_revision is '3.100', expected a revision like \"3.1\", or any"}},
    {TOP "gate: {min_revision: \"3.1\", max_revision: \"3.0\"}\n" ONE,
     {"3:43: gate.max_revision is below gate.min_revision, expected room between them"}},
    {TOP "flash: {secured: as_is}\n" ONE,
     {"3:18: flash.secured is as_is, expected gate.flash_encryption on: encrypted files would not start on a unit without it"}},
    {TOP "gate: {flash_size: 4M}\n" ONE, {"3:20: gate.flash_size is '4M', expected " SIZE ", or any"}},
    {TOP "gate: {flash_size: 4 MB}\n" ONE, {"3:20: gate.flash_size is '4 MB', expected " SIZE ", or any"}},
    {TOP "gate: {flash_size: 3MB}\n" ONE, {"3:20: gate.flash_size is '3MB', expected " POWER}},
    {TOP "gate: {flash_size: 256MB}\n" ONE, {"3:20: gate.flash_size is '256MB', expected " SIZE ", or any"}},
    {TOP "gate: {flash_size: 99999999999999999999}\n" ONE,
     {"3:20: gate.flash_size is '99999999999999999999', expected " SIZE ", or any"}},
    {TOP "gate: {secure_boot: no}\n" ONE, {"3:21: gate.secure_boot is 'no', expected off, on or any"}},
    {TOP "gate: {flash_encryption: false}\n" ONE,
     {"3:26: gate.flash_encryption is 'false', expected off, on or any"}},
    {TOP "serial: {baud: 92160O}\n" ONE, {"3:16: serial.baud is '92160O', expected " SPEED}},
    {TOP "serial: {baud: 300}\n" ONE, {"3:16: serial.baud is '300', expected " SPEED}},
    {TOP "serial: {baud: -115200}\n" ONE, {"3:16: serial.baud is '-115200', expected " SPEED}},
    {TOP "serial: {baud: 0115200}\n" ONE, {"3:16: serial.baud is '0115200', expected " SPEED}},
    {TOP "serial: {baud: 115200.0}\n" ONE, {"3:16: serial.baud is '115200.0', expected " SPEED}},
    {TOP "serial: {step_down: 115200}\n" ONE,
     {"3:21: serial.step_down is text, expected a list of at most 8 speeds, each below the one before"}},
    {TOP "serial: {step_down: [230400, fast]}\n" ONE, {"3:30: serial.step_down holds 'fast', expected " SPEED}},
    {TOP "serial: {step_down: [115200, 230400]}\n" ONE,
     {"3:21: serial.step_down is out of order, expected a list of at most 8 speeds, each below the one before"}},
    {TOP "serial: {step_down: [90000, 80000, 70000, 60000, 50000, 40000, 30000, 20000, 10000]}\n" ONE,
     {"3:21: serial.step_down is too long, expected a list of at most 8 speeds, each below the one before"}},
    {TOP "serial: {baud: 230400, step_down: [460800, 115200]}\n" ONE,
     {"3:35: serial.step_down begins with 460800, expected speeds below serial.baud 230400"}},
    {TOP "serial: {reset: esp32r0}\n" ONE, {"3:17: serial.reset is 'esp32r0', expected " RESET}},
    {TOP "serial: {reset: D0|X1}\n" ONE, {"3:17: serial.reset is 'D0|X1', expected " RESET}},
    {TOP "serial: {stub: yes}\n" ONE, {"3:16: serial.stub is 'yes', expected auto, required or never"}},
    {TOP "flash: {mode: DIO}\n" ONE, {"3:15: flash.mode is 'DIO', expected keep, qio, qout, dio or dout"}},
    {TOP "flash: {freq: 80}\n" ONE,
     {"3:15: flash.freq is '80', expected keep, 80m, 60m, 48m, 40m, 30m, 26m, 24m, 20m, 16m, 15m or 12m"}},
    {TOP "flash: {freq: 60m}\n" ONE, {"3:15: flash.freq is 60m, expected what esp32 has: keep, 80m, 40m, 26m or 20m"}},
    {TOP "flash: {size: auto}\n" ONE, {"3:15: flash.size is 'auto', expected " SIZE ", or keep or detect"}},
    {TOP "flash: {size: 512KB}\n" ONE,
     {"3:15: flash.size is 512 KB, expected what esp32 headers can say: keep, detect, 1MB, 2MB, 4MB, 8MB, 16MB, "
      "32MB, 64MB or 128MB"}},
    {TOP "gate: {flash_size: 4MB}\nflash: {size: 8MB}\n" ONE,
     {"4:15: flash.size is 8192 KB and gate.flash_size lets 4096 KB in, expected a gate of at least flash.size: the "
      "application would not start on the smaller one"}},
    {TOP "flash: {erase: yes}\n" ONE, {"3:16: flash.erase is 'yes', expected needed or all"}},
    {TOP "flash: {skip_matching: off}\n" ONE, {"3:24: flash.skip_matching is 'off', expected true or false"}},
    {TOP "images: [{offset: 1000h, file: boot.bin}]\n",
     {"3:19: images[0].offset is '1000h', expected an offset like 0x10000, at most 0x7fff000"}},
    {TOP "images: [{offset: 0x10010, file: boot.bin}]\n",
     {"3:19: images[0].offset is '0x10010', expected the start of a flash sector, a multiple of 0x1000"}},
    {TOP "images: [{offset: 0x8000000, file: boot.bin}]\n",
     {"3:19: images[0].offset is '0x8000000', expected an offset like 0x10000, at most 0x7fff000"}},
    {TOP "images: [{offset: 0x1000, file: boot.bin, sha256: abc}]\n",
     {"3:51: images[0].sha256 is 'abc', expected 64 hex digits"}},
    {TOP "images: [{offset: 0x1000, file: }]\n", {"3:33: images[0].file is empty, expected text of 1 to 1000 bytes"}},
    {TOP "boot_check: {within: 5}\n" ONE,
     {"3:13: boot_check says neither expect nor fail, expected at least one of them",
      "3:22: boot_check.within is '5', expected a time like 500ms or 5s, from 100ms to 600s"}},
    {TOP "boot_check: {expect: a, within: 99ms}\n" ONE,
     {"3:33: boot_check.within is '99ms', expected a time like 500ms or 5s, from 100ms to 600s"}},
    {TOP "boot_check: {expect: \"\"}\n" ONE, {"3:22: boot_check.expect is '', expected text of 1 to 200 bytes"}},
    {TOP "retry: {attempts: 0}\n" ONE, {"3:19: retry.attempts is '0', expected a whole number from 1 to 10"}},
    {TOP "verify: none\n" ONE, {"3:9: verify is 'none', expected md5"}},
    {TOP "version: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n" ONE,
     {"3:10: version is 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...', expected text of 1 to "
      "64 bytes"}},
};

/* %s stands for the folder */
static const struct row image_rows[] = {
    {TOP "images: [{offset: 0x1000, file: none.bin}]\n",
     {"3:33: the file 'none.bin' is not there, expected it at %s/none.bin"}},
    {TOP "images: [{offset: 0x1000, file: empty.bin}]\n", {"3:33: the file 'empty.bin' is empty, expected an image"}},
    {TOP "images: [{offset: 0x1000, file: folder}]\n",
     {"3:33: the file 'folder' cannot be read, expected an image (%s/folder is not an ordinary file)"}},
    {TOP "images: [{offset: 0x1000, file: pipe}]\n",
     {"3:33: the file 'pipe' cannot be read, expected an image (%s/pipe is not an ordinary file)"}},
    {TOP "images:\n  - offset: 0x1000\n    file: seven.bin\n    sha256: "
         "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF\n",
     /* printf 'seven b' | sha256sum */
     {"6:13: the file 'seven.bin' has SHA-256 b72872bd2a6746063ebc454337bd6222a29cc9acc42b6e31f71f9f855b928c57, expected "
      "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}},
    {TOP "images:\n  - {offset: 0x1000, file: boot.bin}\n  - {offset: 0x5000, file: seven.bin}\n",
     {"5:14: 'seven.bin' (0x5000 to 0x5007) overlaps 'boot.bin' (0x1000 to 0x5e70), expected no flash sector in two "
      "images"}},
    {TOP "images:\n  - {offset: 0x9000, file: seven.bin}\n  - {offset: 0x9000, file: seven.bin}\n",
     {"5:14: 'seven.bin' (0x9000 to 0x9007) overlaps 'seven.bin' (0x9000 to 0x9007), expected no flash sector in two "
      "images"}},
    {TOP "flash: {size: 1MB}\nimages: [{offset: 0x100000, file: seven.bin}]\n",
     {"4:19: 'seven.bin' ends at 0x100007, past the flash's end, expected at most 0x100000 (flash.size)"}},
    {TOP "gate: {flash_size: 256KB}\nimages: [{offset: 0x10000, file: app.bin}]\n",
     {"4:34: the file 'app.bin' has 300080 bytes, expected it to fit the flash of 262144 (gate.flash_size)"}},
    {TOP "images: [{offset: 0x1000, file: c3.bin}]\n",
     {"3:33: 'c3.bin' is built for esp32c3, expected an image for esp32"}},
    {TOP "images: [{offset: 0x10000, file: c3.bin}]\n",
     {"3:34: 'c3.bin' is built for esp32c3, expected an image for esp32"}},
    {TOP "images: [{offset: 0x10000, file: id99.bin}]\n",
     {"3:34: 'id99.bin' is built for an unknown chip, id 99, expected an image for esp32"}},
    {TOP "images: [{offset: 0x10000, file: old.bin}]\n",
     {"3:34: 'old.bin' is built for esp8266, expected an image for esp32"}},
    {"profile: p\nchip: esp8266\nimages: [{offset: 0x0, file: boot.bin}]\n",
     {"3:30: 'boot.bin' is built for esp32, expected an image for esp8266"}},
    {TOP "images: [{offset: 0x1000, file: cut.bin}]\n",
     {"3:33: the image in 'cut.bin' at 0x1000 is cut short: segment 1 of 1 ends past the end of the file, expected a "
      "sound one: the bootloader is started from there"}},
    {TOP "images: [{offset: 0x1000, file: flip.bin}]\n",
     {"3:33: the image in 'flip.bin' at 0x1000 is damaged: its checksum is c3, its bytes give c2, expected a sound "
      "one: the bootloader is started from there"}},
    {TOP "images: [{offset: 0x0, file: boot.bin}]\n",
     {"3:19: 'boot.bin' is a bootloader at 0x0, expected the bootloader of an esp32 at 0x1000"}},
    {"profile: p\nchip: esp32c3\nimages: [{offset: 0x1000, file: plain-c3.bin}]\n",
     {"3:19: 'plain-c3.bin' is an image at 0x1000, expected the bootloader of an esp32c3 at 0x0"}},
    {TOP "gate: {secure_boot: on}\nflash: {mode: dio}\n" ONE,
     {"4:8: flash changes the bootloader's header and gate.secure_boot is on, expected keep for mode, freq and size: "
      "the signature would not hold"}},
    {TOP "flash: {size: detect}\nimages: [{offset: 0x1000, file: signed.bin}]\n",
     {"3:8: flash changes the bootloader's header and it is signed, expected keep for mode, freq and size: the signature would "
      "not hold"}},
    {TOP "gate: {secure_boot: on}\nimages: [{offset: 0x1000, file: changed.bin}]\n",
     {"4:33: 'changed.bin' was changed after it was signed, expected one that gate.secure_boot on starts: the digest in its "
      "signature is not that of its bytes"}},
    {TOP "images: [{offset: 0x1000, file: elf.bin}]\n",
     {"3:33: 'elf.bin' is an ELF file: what is flashed is the .bin made of it; expected an image: the bootloader is started from "
      "0x1000"}},
    {TOP "images:\n  - {offset: 0x8000, file: table.bin}\n  - {offset: 0x10000, file: elf.bin}\n",
     {"5:29: 'elf.bin' is an ELF file: what is flashed is the .bin made of it; expected an image: an application is started from "
      "0x10000"}},
    {"profile: p\nchip: esp8266\nflash: {size: 128MB}\nimages: [{offset: 0x1000, file: seven.bin}]\n",
     {"3:15: flash.size is 131072 KB, expected what esp8266 headers can say: keep, detect, 256KB, 512KB, 1MB, 2MB, 4MB, 8MB or "
      "16MB"}},
    {TOP "images:\n  - {offset: 0x8000, file: table.bin}\n  - {offset: 0x10000, file: app.bin}\n",
     {"5:29: the application in 'app.bin' has 300080 bytes, expected it to fit partition 'factory' of 262144"}},
    {TOP "images:\n  - {offset: 0x8000, file: table.bin}\n  - {offset: 0x50000, file: cut.bin}\n",
     {"5:29: the image in 'cut.bin' at 0x50000 is cut short: segment 1 of 1 ends past the end of the file, expected a "
      "sound one: an application is started from there"}},
    {TOP "images: [{offset: 0x8000, file: badtable.bin}]\n",
     {"3:33: the partition table in 'badtable.bin' is broken, expected a sound one: damaged: its 3 rows do not have "
      "the MD5 that stands after them"}},
    {TOP "gate: {flash_size: 512KB}\nimages: [{offset: 0x8000, file: longtable.bin}]\n",
     {"4:33: partition 'factory' in 'longtable.bin' ends at 0x108000, past the flash's end, expected at most 0x80000 "
      "(gate.flash_size)",
      "4:33: app partition 'factory' in 'longtable.bin' begins at 0x8000, expected a multiple of 0x10000",
      "4:33: partition 'factory' in 'longtable.bin' covers the table's own sector 0x8000, expected room for it",
      "4:33: partitions 'nvs' and 'factory' in 'longtable.bin' overlap, expected room for both"}},
    /* a first application and otadata of an earlier life: neither sector written, one of the two */
    {TOP "images:\n  - {offset: 0x8000, file: otatable.bin}\n  - {offset: 0x10000, file: app.bin}\n",
     {"4:28: 'otatable.bin' has a partition 'otadata' whose sector 0xd000 is not written, expected flash.erase: all, or "
      "an image for it such as 0x2000 bytes of ff at 0xd000: a unit that was updated before would start its old "
      "application"}},
    {TOP "images:\n  - {offset: 0x8000, file: otatable.bin}\n  - {offset: 0xd000, file: seven.bin}\n"
         "  - {offset: 0x10000, file: app.bin}\n",
     {"4:28: 'otatable.bin' has a partition 'otadata' whose sector 0xe000 is not written, expected flash.erase: all, or "
      "an image for it such as 0x2000 bytes of ff at 0xd000: a unit that was updated before would start its old "
      "application"}},
    /* many things at once, in order of place */
    {"profil: p\nchip: esp32\nserial: {baud: 1}\nimages: [{offset: 0x1, file: none.bin}]\n",
     {"1:1: unknown key 'profil', expected 'profile'",
      "1:1: the key 'profile' is missing, expected 1 to 64 letters, digits, '.', '_' or '-'",
      "3:16: serial.baud is '1', expected " SPEED,
      "4:19: images[0].offset is '0x1', expected the start of a flash sector, a multiple of 0x1000",
      "4:30: the file 'none.bin' is not there, expected it at %s/none.bin"}},
};

static void put_files(const char *dir)
{
    struct fl_buf b = FL_BUF(1 << 20);
    fx_put_image(dir, "boot.bin", 0, fx_boot_lead, sizeof fx_boot_lead, 20000);
    fx_put_image(dir, "app.bin", 0, fx_app_lead, sizeof fx_app_lead, 300000);
    fx_put_image(dir, "c3.bin", 5, fx_boot_lead, sizeof fx_boot_lead, 3000);
    fx_put_image(dir, "plain-c3.bin", 5, "x", 1, 3000);
    fx_put_image(dir, "id99.bin", 99, "x", 1, 3000);
    fx_image(&b, 0, "x", 1, 1000);
    fx_put(dir, "cut.bin", b.bytes, 900);
    fl_buf_clear(&b);
    fx_image(&b, 0, "\1", 1, 4);
    b.bytes[32] ^= 1; /* the data */
    fx_put(dir, "flip.bin", b.bytes, b.len);
    fl_buf_fini(&b);
    static const uint8_t old[32] = {0xe9, 1,    0, 0,    0, 1,    0x10, 0x40,        0, 0x10, 0x10,
                                    0x40, 4,    0, 0,    0, 0x12, 0x34, 0x56, 0x78, [31] = 0xe7};
    fx_put(dir, "old.bin", old, sizeof old);
    fx_put(dir, "empty.bin", "", 0);
    fx_put(dir, "elf.bin", "\x7f" "ELF\x01\x01\x01", 7);
    fx_put_signed(dir, "signed.bin", 0);
    fx_put_signed(dir, "changed.bin", 1);
    fx_put(dir, "seven.bin", "seven b", 7);
    static const struct fx_row good[] = {{1, 2, 0x9000, 0x6000, "nvs"},
                                         {0, 0, 0x10000, 0x40000, "factory"},
                                         {0, 0x10, 0x50000, 0x40000, "ota_0"}};
    static const struct fx_row bad[] = {{1, 2, 0x9000, 0x6000, "nvs"}, {0, 0, 0x8000, 0x100000, "factory"}};
    fx_put_table(dir, "table.bin", good, 3);
    fx_put_table(dir, "longtable.bin", bad, 2);
    static const struct fx_row ota[] = {{1, 0, 0xd000, 0x2000, "otadata"}, {0, 0x10, 0x10000, 0x80000, "ota_0"}};
    fx_put_table(dir, "otatable.bin", ota, 2);
    char *path = fl_path_join(dir, "table.bin");
    struct fl_buf t = FL_BUF(0x1000);
    assert_int_equal(fl_file_read(path, &t, NULL), FL_OK);
    t.bytes[44] ^= 1;
    fx_put(dir, "badtable.bin", t.bytes, t.len);
    fl_buf_fini(&t);
    free(path);
    path = fl_path_join(dir, "folder");
    assert_int_equal(mkdir(path, 0755), 0);
    free(path);
    path = fl_path_join(dir, "pipe");
    assert_int_equal(mkfifo(path, 0644), 0);
    free(path);
}

static int set_up(void **state)
{
    char *dir = fx_dir();
    put_files(dir);
    *state = dir;
    return 0;
}

static int tear_down(void **state)
{
    fx_remove(*state);
    return 0;
}

static bool one_row(const char *dir, const struct row *r, size_t i)
{
    char *path = fx_write(dir, "t.yaml", r->yaml, strlen(r->yaml));
    struct profile_problems problems = {NULL, 0};
    struct profile *p = NULL;
    struct fl_buf want = FL_BUF(1 << 16), is = FL_BUF(1 << 16);
    enum fl_err err = profile_load(path, &p, &problems);
    for (size_t k = 0; k < SAYS_MAX && r->says[k]; k++) {
        fl_buf_addf(&want, "%s:", path);
        for (const char *s = r->says[k]; *s; s++)
            if (s[0] == '%' && s[1] == 's')
                fl_buf_adds(&want, dir), s++;
            else
                fl_buf_addc(&want, *s);
        fl_buf_addc(&want, '\n');
    }
    for (size_t k = 0; k < problems.n; k++) {
        unsigned line = 0, column = 0;
        fl_buf_addf(&is, "%s\n", problems.list[k].text);
        assert_int_equal(sscanf(problems.list[k].text + strlen(path), ":%u:%u:", &line, &column), 2);
        assert_int_equal(line, problems.list[k].line);
        assert_int_equal(column, problems.list[k].column);
    }
    bool ok = err == FL_FORMAT && !p && strcmp(fl_buf_text(&want), fl_buf_text(&is)) == 0;
    if (!ok)
        print_message("row %zu (%s):\n%s\nwant:\n%sis:\n%s\n", i, fl_err_text(err), r->yaml, fl_buf_text(&want),
                      fl_buf_text(&is));
    profile_free(p);
    profile_problems_fini(&problems);
    fl_buf_fini(&want);
    fl_buf_fini(&is);
    free(path);
    return ok;
}

static void all_rows(const char *dir, const struct row *rows, size_t n)
{
    size_t bad = 0;
    for (size_t i = 0; i < n; i++)
        bad += !one_row(dir, &rows[i], i);
    assert_int_equal(bad, 0);
}

static void bad_yaml(void **state)
{
    all_rows(*state, yaml_rows, T_COUNT(yaml_rows));
}

static void bad_keys(void **state)
{
    all_rows(*state, key_rows, T_COUNT(key_rows));
}

static void bad_values(void **state)
{
    all_rows(*state, value_rows, T_COUNT(value_rows));
}

static void bad_images(void **state)
{
    all_rows(*state, image_rows, T_COUNT(image_rows));
}

/* One problem, given as the end of its line. */
static void only(const char *path, const char *says)
{
    struct profile_problems problems = {NULL, 0};
    struct profile *p;
    assert_int_equal(profile_load(path, &p, &problems), FL_FORMAT);
    assert_null(p);
    assert_int_equal(problems.n, 1);
    const char *text = problems.list[0].text;
    if (strlen(text) < strlen(says) || strcmp(text + strlen(text) - strlen(says), says) != 0)
        fail_msg("'%s' does not end with '%s'", text, says);
    profile_problems_fini(&problems);
}

static void bad_files(void **state)
{
    const char *dir = *state;
    char *path = fl_path_join(dir, "nothing.yaml");
    only(path, "nothing.yaml: No such file or directory");
    free(path);
    only(dir, "Is a directory");
    path = fx_write(dir, "zero.yaml", "profile: p\nchip: \0esp32\n", 24);
    only(path, "zero.yaml:2:7: control character 0x00, expected a text file");
    free(path);
    size_t big = (1 << 20) + 1;
    char *text = malloc(big);
    memset(text, '#', big);
    path = fx_write(dir, "big.yaml", text, big);
    only(path, "big.yaml:1:1: the file has more than 1048576 bytes, expected one that people write");
    free(path);
    free(text);
    /* UTF-16, as an editor may save it */
    path = fx_write(dir, "wide.yaml", "\xff\xfep\0r\0", 6);
    only(path, "wide.yaml:1:1: byte 0xff is not UTF-8, expected a text file in UTF-8");
    free(path);
}

/* Wrong everywhere: a hundred lines, and one that says that there are more. */
static void bounded(void **state)
{
    struct fl_buf b = FL_BUF(1 << 20);
    struct profile_problems problems = {NULL, 0};
    struct profile *p;
    fl_buf_adds(&b, "profile: p\nchip: esp32\n" ONE);
    for (int i = 0; i < 300; i++)
        fl_buf_addf(&b, "zz%d: 1\n", i);
    char *path = fx_write(*state, "many.yaml", b.bytes, b.len);
    assert_int_equal(profile_load(path, &p, &problems), FL_FORMAT);
    assert_int_equal(problems.n, 101);
    assert_non_null(strstr(problems.list[0].text, ":5:1: unknown key 'zz0'"));
    assert_non_null(strstr(problems.list[100].text, "more than 100 problems, the rest is not shown"));
    profile_problems_fini(&problems);
    fl_buf_clear(&b);
    fl_buf_adds(&b, "profile: p\nversion: [");
    for (int i = 0; i < 30000; i++)
        fl_buf_adds(&b, "1,");
    free(path);
    path = fx_write(*state, "many.yaml", b.bytes, b.len);
    only(path, "more than 20000 values, expected a file that people write");
    free(path);
    fl_buf_fini(&b);
}

/* Damage a right profile at every byte in several ways, and cut it at every length: an answer each time, and no
 * success without a hash. */
static void hostile_text(void **state)
{
    static const char right[] = TOP "serial: {baud: 921600, step_down: [460800]}\nflash: {mode: dio, size: detect}\n"
                                    "images:\n  - {offset: 0x8000, file: table.bin}\n"
                                    "boot_check: {expect: \"a\\tb\", within: 5s}\n";
    static const char swaps[] = "\n:{}[]\"'#&*!|>%@`,-? \t\0\x80\xff" "0z";
    char text[sizeof right];
    size_t n = sizeof right - 1;
    for (size_t at = 0; at < n; at++) {
        for (size_t k = 0; k < sizeof swaps; k++) {
            struct profile_problems problems = {NULL, 0};
            struct profile *p;
            memcpy(text, right, n);
            size_t length = n;
            if (k + 1 < sizeof swaps)
                text[at] = swaps[k];
            else
                length = at;
            char *path = fx_write(*state, "hostile.yaml", text, length);
            enum fl_err err = profile_load(path, &p, &problems);
            assert_true(err == FL_OK ? p && strlen(p->hash) == 64 && problems.n == 0 : !p && problems.n > 0);
            profile_free(p);
            profile_problems_fini(&problems);
            free(path);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_yaml),
        cmocka_unit_test(bad_keys),
        cmocka_unit_test(bad_values),
        cmocka_unit_test(bad_images),
        cmocka_unit_test(bad_files),
        cmocka_unit_test(bounded),
        cmocka_unit_test(hostile_text),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
