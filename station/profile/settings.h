/* SPDX-License-Identifier: Apache-2.0
 *
 * settings.h: the keys of a profile and of a station file, and the structures they fill.
 *
 * Inside the room only. The two tables in settings.c are the one place where a key is defined.
 */
#ifndef FL_PROFILE_SETTINGS_H
#define FL_PROFILE_SETTINGS_H

#include "profile/schema.h"

/* numbers' words, as schema.h stores them */
#define SIZE_KEEP UINT64_MAX         /* flash.size */
#define SIZE_DETECT (UINT64_MAX - 1)
#define SIZE_ANY UINT64_MAX /* gate.flash_size */

enum { CODE_KEEP = 0 }; /* flash.mode and flash.freq: place of the word "keep" */
enum { SECURED_REFUSE, SECURED_AS_IS, SECURED_UNPROVEN }; /* flash.secured */
enum { WISH_OFF, WISH_ON, WISH_ANY }; /* gate.secure_boot, gate.flash_encryption */

struct settings_image {
    uint32_t offset;
    const char *file;
    struct key_sha256 sha256;
};

struct settings_measure {
    const char *name, *text, *limits;
};
struct settings_hook {
    struct key_texts run;
    uint32_t within; /* ms */
    bool shell;
};
/* The argument list of a hook; its texts stay the hook's. */
void settings_hook(const struct settings_hook *from, struct profile_hook *to);

struct settings {
    const char *profile, *version;
    int chip; /* place in esp_image_chip_at */
    struct {
        unsigned min_revision, max_revision;
        uint64_t flash_size;
        int secure_boot, flash_encryption;
    } gate;
    struct {
        uint32_t baud;
        struct key_speeds step_down;
        const char *reset;
        int stub; /* enum esp_stub_mode */
    } serial;
    struct {
        int mode, freq; /* places in settings_modes, settings_freqs */
        uint64_t size;
        int erase; /* 0 needed, 1 all */
        int secured; /* SECURED_... */
        bool skip_matching;
    } flash;
    struct key_list images; /* of struct settings_image */
    struct {
        uint32_t baud; /* 0: not said */
        const char *expect, *fail;
        uint32_t within; /* ms */
        struct key_list measures; /* of struct settings_measure */
        uint32_t near; /* percent */
    } boot_check;
    struct {
        uint32_t attempts;
    } retry;
    struct profile_detect detect;
    struct settings_hook before, after;
    int verify; /* 0: md5 */
};
extern const struct key settings_keys[];
extern const char settings_chips[], settings_modes[], settings_freqs[]; /* "a|b|c" */
/* The word at a place of such a list, into buf. */
const char *settings_word(const char *words, int place, char buf[static 16]);

struct station_settings_slot {
    uint32_t slot;
    const char *port, *reset, *power_cycle;
    bool fixture;
};
struct station_settings {
    const char *station;
    struct settings_hook before, after;
    struct {
        const char *printer, *template, *qr;
    } labels;
    struct {
        const char *url, *ca;
        uint32_t minutes;
    } anchor;
    struct {
        const char *port;
        uint32_t baud;
        const char *patterns[4]; /* operator, lot, serial, slot: as line/scan.h counts them */
    } scanner;
    int lots; /* 0 free, 1 required */
    struct key_list slots; /* of struct station_settings_slot */
};
extern const struct key station_keys[];

/* The rules of a lot (rules_file.h); 0: not said. */
struct rules_limits_said {
    uint32_t consecutive, same_fault, yield, after;
};
struct rules_serial_said {
    const char *template;
    uint32_t first;
};
struct rules_said {
    struct rules_limits_said slot, line;
    struct key_texts golden, known_bad;
    struct rules_serial_said serial;
    uint32_t takt; /* seconds */
};
extern const struct key rules_keys[];

#endif
