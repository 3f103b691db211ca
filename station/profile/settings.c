/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/settings.h"

#include "esp/reset.h"
#include "profile/values.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct settings, member)
#define IMAGE_AT(member) offsetof(struct settings_image, member)
#define SLOT_AT(member) offsetof(struct station_settings_slot, member)
#define END {.name = NULL}

/* in the order of esp_image_chip_at, so that the place is the row; a test holds the two together */
const char settings_chips[] =
    "esp8266|esp32|esp32s2|esp32s3|esp32c2|esp32c3|esp32c5|esp32c6|esp32c61|esp32h2|esp32p4";
const char settings_modes[] = "keep|qio|qout|dio|dout";
const char settings_freqs[] = "keep|80m|60m|48m|40m|30m|26m|24m|20m|16m|15m|12m";

enum {
    SPEED_MIN = 9600,
    SPEED_MAX = 5000000,  /* beyond any UART bridge sold on these boards */
    IMAGES_MAX = 64,
    SLOTS_MAX = 999,
    OFFSET_MAX = 0x7fff000, /* the last sector of the largest flash a header can name, 128 MB */
    TIME_MAX_MS = 600000,
};
#define FLASH_MIN (256u << 10)
#define FLASH_MAX (128u << 20)

const char *settings_word(const char *words, int place, char buf[static 16])
{
    for (; place > 0 && *words; place--) {
        words += strcspn(words, "|");
        words += *words == '|';
    }
    size_t n = strcspn(words, "|");
    n = n < 15 ? n : 15;
    memcpy(buf, words, n);
    buf[n] = 0;
    return buf;
}

/* ---- what must hold of single texts -------------------------------------------------------------- */

static enum fl_err check_size(const char *text, struct fl_why *why)
{
    uint64_t v;
    if (!profile_parse_size(text, &v) || (v & (v - 1)) == 0)
        return FL_OK; /* a word, or a power of two */
    return fl_fail(why, FL_FORMAT, "a size that flash chips have, like 2MB, 4MB, 8MB or 16MB");
}

static enum fl_err check_offset(const char *text, struct fl_why *why)
{
    uint64_t v;
    if (!value_number(text, &v) || v % 0x1000 == 0)
        return FL_OK;
    /* writing erases whole sectors: bytes before it in the sector would be lost */
    return fl_fail(why, FL_FORMAT, "the start of a flash sector, a multiple of 0x1000");
}

/* It goes onto screens and labels, into file names and records. */
static enum fl_err check_line(const char *text, struct fl_why *why)
{
    for (const uint8_t *p = (const uint8_t *)text; *p; p++)
        if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0))
            return fl_fail(why, FL_FORMAT, "one line of text, without control characters");
    return FL_OK;
}

static enum fl_err check_reset(const char *text, struct fl_why *why)
{
    if (reset_check(text, NULL) == FL_OK)
        return FL_OK;
    struct fl_buf names = FL_BUF(300);
    for (const struct reset_strategy *s = reset_strategies; s->name; s++)
        fl_buf_addf(&names, "%s, ", s->name);
    enum fl_err err = fl_fail(why, FL_FORMAT, "auto, none, %sor a sequence like D0|R1|W0.1|D1|R0|W0.05|D0",
                              fl_buf_text(&names));
    fl_buf_fini(&names);
    return err;
}

static enum fl_err check_port(const char *text, struct fl_why *why)
{
    static const char *const starts[] = {"/", "usb:", "rfc2217://", "socket://", "pty:"};
    size_t n = 0;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncmp(text, starts[i], strlen(starts[i])) == 0)
            n = strlen(starts[i]);
    if (n && text[n] && !strpbrk(text, " \t\r\n"))
        return FL_OK;
    return fl_fail(why, FL_FORMAT,
                   "/dev/TTY, usb:PLACE, rfc2217://HOST:PORT, socket://HOST:PORT or pty:PATH");
}

static enum fl_err check_measure(const char *text, struct fl_why *why)
{
    const char *mark = strstr(text, "{}");
    if (mark && mark != text && !strstr(mark + 2, "{}"))
        return FL_OK;
    return fl_fail(why, FL_FORMAT, "the text around the number with one {} in its place, and something before it, "
                                   "as in vbat={} mV");
}

static enum fl_err check_limits(const char *text, struct fl_why *why)
{
    struct profile_measure m;
    if (profile_parse_limits(text, &m))
        return FL_OK;
    return fl_fail(why, FL_FORMAT, "LOW..HIGH and perhaps a unit, as in 3.2..4.3 V; either number may be left out, and "
                                   "none has more than six places after the point");
}

/* ---- a profile ------------------------------------------------------------------------------------ */

static const struct key gate_keys[] = {
    {.name = "min_revision", .type = KEY_REVISION, .at = AT(gate.min_revision) - AT(gate), .max = UINT_MAX,
     .fallback = "0.0", .help = "The oldest silicon accepted, as \"major.minor\"."},
    {.name = "max_revision", .type = KEY_REVISION, .at = AT(gate.max_revision) - AT(gate), .max = UINT_MAX,
     .words = "any", .fallback = "any", .help = "The newest silicon accepted."},
    {.name = "flash_size", .type = KEY_SIZE, .at = AT(gate.flash_size) - AT(gate), .min = FLASH_MIN,
     .max = FLASH_MAX, .words = "any", .fallback = "any", .check = check_size,
     .help = "The flash must have at least this size; the images must fit into it."},
    {.name = "secure_boot", .type = KEY_CHOICE, .at = AT(gate.secure_boot) - AT(gate), .words = "off|on|any",
     .fallback = "off", .help = "State that the chip must be in; any: written into the record only."},
    {.name = "flash_encryption", .type = KEY_CHOICE, .at = AT(gate.flash_encryption) - AT(gate),
     .words = "off|on|any", .fallback = "off", .help = "State that the chip must be in."},
    END,
};

static const struct key serial_keys[] = {
    {.name = "baud", .type = KEY_SPEED, .at = AT(serial.baud) - AT(serial), .min = SPEED_MIN, .max = SPEED_MAX,
     .fallback = "460800",
     .help = "Speed to work at once the board has answered at 115200; proved by traffic before it is used."},
    {.name = "step_down", .type = KEY_SPEEDS, .at = AT(serial.step_down) - AT(serial), .min = SPEED_MIN,
     .max = SPEED_MAX, .unset = "460800, 230400, 115200, as far as they are below `baud`",
     .help = "Speeds to fall back to, in this order, when bytes get lost."},
    {.name = "reset", .type = KEY_TEXT, .at = AT(serial.reset) - AT(serial), .min = 1, .max = 200,
     .fallback = "auto", .check = check_reset,
     .help = "How to bring the board into its loader: auto tries in turn, none touches no line; or the name "
             "of a strategy; or a sequence like `D0|R1|W0.1|D1|R0|W0.05|D0`."},
    {.name = "stub", .type = KEY_CHOICE, .at = AT(serial.stub) - AT(serial), .words = "auto|required|never",
     .fallback = "auto",
     .help = "Use of the flasher stub: auto goes on with the ROM loader where the stub does not come up."},
    END,
};

static const struct key flash_keys[] = {
    {.name = "mode", .type = KEY_CHOICE, .at = AT(flash.mode) - AT(flash), .words = settings_modes,
     .fallback = "keep", .help = "Written into the bootloader's header; its hash is made anew."},
    {.name = "freq", .type = KEY_CHOICE, .at = AT(flash.freq) - AT(flash), .words = settings_freqs,
     .fallback = "keep", .help = "Likewise; each chip has its own few."},
    {.name = "size", .type = KEY_SIZE, .at = AT(flash.size) - AT(flash), .min = FLASH_MIN, .max = FLASH_MAX,
     .words = "keep|detect", .fallback = "keep", .check = check_size,
     .help = "Likewise; detect writes the size found on each unit."},
    {.name = "erase", .type = KEY_CHOICE, .at = AT(flash.erase) - AT(flash), .words = "needed|all",
     .fallback = "needed", .help = "all: the whole flash is erased first, settings of earlier lives with it."},
    {.name = "skip_matching", .type = KEY_BOOL, .at = AT(flash.skip_matching) - AT(flash), .fallback = "true",
     .help = "Leave a region alone whose MD5 in flash is right already. Where flash is blank at the first and at the last of "
             "regions side by side, those between are written without being asked for."},
    {.name = "secured", .type = KEY_CHOICE, .at = AT(flash.secured) - AT(flash), .words = "refuse|as_is|unproven",
     .fallback = "refuse",
     .help = "Units with flash encryption on or in secure download mode. refuse: not touched. as_is: the files are "
             "encrypted already. unproven: written, and never PASS; see above."},
    END,
};

static const struct key image_keys[] = {
    {.name = "offset", .type = KEY_OFFSET, .required = true, .at = IMAGE_AT(offset), .max = OFFSET_MAX,
     .check = check_offset, .help = "Where in flash it goes, a multiple of 0x1000."},
    {.name = "file", .type = KEY_TEXT, .required = true, .at = IMAGE_AT(file), .min = 1, .max = 1000,
     .help = "The image; its path counts from the profile's folder."},
    {.name = "sha256", .type = KEY_SHA256, .at = IMAGE_AT(sha256), .unset = "any file is taken",
     .help = "The file must have this SHA-256."},
    END,
};

static const struct key measure_keys[] = {
    {.name = "name", .type = KEY_NAME, .required = true, .at = offsetof(struct settings_measure, name), .min = 1,
     .max = 32, .help = "What the number is called in records."},
    {.name = "text", .type = KEY_TEXT, .required = true, .at = offsetof(struct settings_measure, text), .min = 3,
     .max = 100, .check = check_measure,
     .help = "The text around it, with `{}` in the number's place; the first that comes counts."},
    {.name = "limits", .type = KEY_TEXT, .at = offsetof(struct settings_measure, limits), .min = 1, .max = 80,
     .unset = "recorded, whatever it is", .check = check_limits,
     .help = "`LOW..HIGH UNIT`, either number may be left out. Outside: FAIL boot.limit."},
    END,
};

static const struct key boot_check_keys[] = {
    {.name = "baud", .type = KEY_SPEED, .at = AT(boot_check.baud) - AT(boot_check), .min = SPEED_MIN,
     .max = SPEED_MAX, .unset = "115200 (esp8266: 74880)", .help = "Speed at which the application talks."},
    {.name = "expect", .type = KEY_TEXT, .at = AT(boot_check.expect) - AT(boot_check), .min = 1, .max = 200,
     .help = "Text that must appear."},
    {.name = "fail", .type = KEY_TEXT, .at = AT(boot_check.fail) - AT(boot_check), .min = 1, .max = 200,
     .help = "Text that must not appear."},
    {.name = "within", .type = KEY_TIME, .at = AT(boot_check.within) - AT(boot_check), .min = 100,
     .max = TIME_MAX_MS, .fallback = "5s", .help = "How long to listen."},
    {.name = "measure", .type = KEY_LIST, .at = AT(boot_check.measures) - AT(boot_check), .min = 1,
     .max = PROFILE_MEASURES_MAX, .keys = measure_keys, .item_size = sizeof(struct settings_measure), .unset = "nothing",
     .help = "Numbers that the application says: each must come, and be inside its limits."},
    {.name = "near", .type = KEY_COUNT, .at = AT(boot_check.near) - AT(boot_check), .max = 49, .fallback = "5",
     .help = "So many percent of the range (of the limit, where there is one only) beside a limit is MARGINAL: a "
             "PASS, marked in the record."},
    END,
};

static const struct key retry_keys[] = {
    {.name = "attempts", .type = KEY_COUNT, .at = AT(retry.attempts) - AT(retry), .min = 1, .max = 10,
     .fallback = "2", .help = "How often a unit is gone through from the start before it is FAIL or ERROR."},
    END,
};

static const struct key detect_keys[] = {
    {.name = "every", .type = KEY_TIME, .at = AT(detect.every_ms) - AT(detect), .min = 50, .max = TIME_MAX_MS,
     .fallback = "500ms",
     .help = "How often a place whose bridge stays (a fixture, a network port) is asked whether a board is in."},
    {.name = "removed", .type = KEY_TIME, .at = AT(detect.removed_ms) - AT(detect), .min = 50, .max = TIME_MAX_MS,
     .fallback = "5s",
     .help = "How often a finished board there is asked whether it is still in; each asking restarts its program."},
    {.name = "settle", .type = KEY_TIME, .at = AT(detect.settle_ms) - AT(detect), .max = 10000, .fallback = "250ms",
     .help = "How long a port must have been there before its board is touched: contacts bounce."},
    {.name = "again", .type = KEY_TIME, .at = AT(detect.again_ms) - AT(detect), .max = TIME_MAX_MS,
     .fallback = "10s",
     .help = "A board that passed and is back in the same slot within this never left: it is not flashed again."},
    END,
};

#define HOOK_AT(member) offsetof(struct settings_hook, member)
static const struct key hook_keys[] = {
    {.name = "run", .type = KEY_TEXTS, .required = true, .at = HOOK_AT(run), .min = 1, .max = 1000,
     .help = "The program and its arguments, one text each; with `shell: true` one text, for /bin/sh -c."},
    {.name = "within", .type = KEY_TIME, .at = HOOK_AT(within), .min = 100, .max = TIME_MAX_MS, .fallback = "30s",
     .help = "It and all it started are killed when it takes longer: ERROR hook.timeout."},
    {.name = "shell", .type = KEY_BOOL, .at = HOOK_AT(shell), .fallback = "false", .help = "Run it by a shell."},
    END,
};
#define BEFORE_HELP                                                                                                  \
    "Command before each attempt, once a board was noticed; the facts come as JSON on its input. Exit 0: go on; 1: "  \
    "FAIL hook.refused; anything else: ERROR hook.failed. Exit code and output are in the record."
#define AFTER_HELP "Command after each attempt and before its record, whatever it came to, with the port closed; likewise."

void settings_hook(const struct settings_hook *from, struct profile_hook *to)
{
    size_t n = 0;
    *to = (struct profile_hook){.within_ms = from->within};
    if (from->run.n && from->shell) {
        to->argv[n++] = "/bin/sh";
        to->argv[n++] = "-c";
    }
    for (size_t i = 0; i < from->run.n && n < PROFILE_WORDS_MAX && (!from->shell || !i); i++)
        to->argv[n++] = from->run.list[i];
}

const struct key settings_keys[] = {
    {.name = "profile", .type = KEY_NAME, .required = true, .at = AT(profile), .min = 1, .max = 64,
     .help = "What it is called in records and on screens."},
    {.name = "version", .type = KEY_TEXT, .at = AT(version), .min = 1, .max = 64, .fallback = "0", .check = check_line,
     .help = "Whose version of the product this is; free text."},
    {.name = "chip", .type = KEY_CHOICE, .required = true, .at = AT(chip), .words = settings_chips,
     .help = "The chip that must be on the board, and that the images are built for."},
    {.name = "gate", .type = KEY_MAP, .at = AT(gate), .keys = gate_keys,
     .help = "What a unit must be, before anything on it is changed."},
    {.name = "serial", .type = KEY_MAP, .at = AT(serial), .keys = serial_keys, .help = "How to talk to it."},
    {.name = "flash", .type = KEY_MAP, .at = AT(flash), .keys = flash_keys, .help = "How to write its flash."},
    {.name = "images", .type = KEY_LIST, .required = true, .at = AT(images), .min = 1, .max = IMAGES_MAX,
     .keys = image_keys, .item_size = sizeof(struct settings_image),
     .help = "What is written. No two may touch the same flash sector."},
    {.name = "boot_check", .type = KEY_MAP, .at = AT(boot_check), .keys = boot_check_keys,
     .unset = "no boot check", .help = "After a reset, listen to what the application says."},
    {.name = "retry", .type = KEY_MAP, .at = AT(retry), .keys = retry_keys, .help = "When to give up on a unit."},
    {.name = "detect", .type = KEY_MAP, .at = AT(detect), .keys = detect_keys,
     .help = "How `flashline run` notices that a board came or went."},
    {.name = "before", .type = KEY_MAP, .at = AT(before), .keys = hook_keys, .unset = "nothing is run",
     .help = BEFORE_HELP},
    {.name = "after", .type = KEY_MAP, .at = AT(after), .keys = hook_keys, .unset = "nothing is run",
     .help = AFTER_HELP},
    {.name = "verify", .type = KEY_CHOICE, .at = AT(verify), .words = "md5", .fallback = "md5",
     .help = "Every region is compared by the chip's own MD5; there is no way round it."},
    END,
};

/* ---- a station file ------------------------------------------------------------------------------- */

static const struct key slot_keys[] = {
    {.name = "slot", .type = KEY_COUNT, .required = true, .at = SLOT_AT(slot), .min = 1, .max = SLOTS_MAX,
     .help = "Number on the fixture; each once."},
    {.name = "port", .type = KEY_TEXT, .required = true, .at = SLOT_AT(port), .min = 1, .max = LINK_URL_MAX - 1,
     .check = check_port,
     .help = "Where the board is plugged in: `/dev/TTY`, `usb:PLACE`, `rfc2217://HOST:PORT`, "
             "`socket://HOST:PORT` or `pty:PATH`; each once. `usb:PLACE.*`: every socket of the hub there, as this "
             "slot and the numbers after it; `usb:1-*`: of the root hub of bus 1."},
    {.name = "fixture", .type = KEY_BOOL, .at = SLOT_AT(fixture), .fallback = "false",
     .help = "The bridge stays while boards change (pogo pins): boards are noticed by asking, see `detect`."},
    {.name = "reset", .type = KEY_TEXT, .at = SLOT_AT(reset), .min = 1, .max = 200, .unset = "as the profile says",
     .check = check_reset,
     .help = "How to bring a board in this slot into its loader, as `serial.reset`."},
    {.name = "power_cycle", .type = KEY_TEXT, .at = SLOT_AT(power_cycle), .min = 1, .max = 1000,
     .unset = "the supply cannot be switched",
     .help = "Command (no shell) that switches the slot's supply off and on, within 30 s; the last thing tried. The port may go "
             "with it (a hub's socket) and has 7 s to come back."},
    END,
};

static enum fl_err check_printer(const char *text, struct fl_why *why)
{
    static const char *const starts[] = {"tcp://", "command:", "dir:/"};
    if (strncmp(text, "tcp://", 6) == 0) {
        const char *port = strrchr(text + 6, ':');
        char *end = NULL;
        unsigned long n = port && port > text + 6 && port[1] >= '0' && port[1] <= '9' ? strtoul(port + 1, &end, 10) : 0;
        return n >= 1 && n <= 65535 && !*end ? FL_OK : fl_fail(why, FL_FORMAT, "tcp://HOST:PORT, as in tcp://10.0.0.9:9100");
    }
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncmp(text, starts[i], strlen(starts[i])) == 0 && text[strlen(starts[i])])
            return FL_OK;
    return fl_fail(why, FL_FORMAT, "tcp://HOST:PORT, command:PROGRAM ARGUMENTS or dir:/FOLDER");
}

#define LABELS_AT(member) offsetof(struct station_settings, labels.member) - offsetof(struct station_settings, labels)
static const struct key labels_keys[] = {
    {.name = "printer", .type = KEY_TEXT, .required = true, .at = LABELS_AT(printer), .min = 1, .max = 200,
     .check = check_printer,
     .help = "Where labels go: `tcp://HOST:PORT` (a label printer's raw port, usually 9100), `command:PROGRAM "
             "ARGUMENTS` (no shell; the label is its input, as in `command:lp -d zebra -o raw`), or `dir:/FOLDER` (a file each)."},
    {.name = "template", .type = KEY_TEXT, .required = true, .at = LABELS_AT(template), .min = 1, .max = 1000,
     .help = "File of ZPL with fields: `{mac}`, `{mac_plain}`, `{serial}`, `{lot}`, `{date}`, `{time}`, `{product}`, "
             "`{version}`, `{station}`, `{operator}`, `{chip}`, `{slot}`, `{qr}`, `{qr:DOTS}`; its path counts from the "
             "station file's folder."},
    {.name = "qr", .type = KEY_TEXT, .at = LABELS_AT(qr), .min = 1, .max = 300, .unset = "no `{qr}` in the template",
     .help = "The text of the QR code, with the same fields."},
    END,
};

static enum fl_err check_scanner(const char *text, struct fl_why *why)
{
    if (strcmp(text, "stdin") == 0 || check_port(text, NULL) == FL_OK)
        return FL_OK;
    return fl_fail(why, FL_FORMAT, "/dev/TTY, usb:PLACE, socket://HOST:PORT, pty:PATH or stdin");
}

#define SCANNER_AT(member) offsetof(struct station_settings, scanner.member) - offsetof(struct station_settings, scanner)
static const struct key scanner_keys[] = {
    {.name = "port", .type = KEY_TEXT, .at = SCANNER_AT(port), .min = 1, .max = LINK_URL_MAX - 1,
     .check = check_scanner, .unset = "the keyboard of the console, where one types like a keyboard",
     .help = "Where it is: a serial port in any form that a slot has, or `stdin` for codes that come on standard input. The "
             "console's keyboard is read besides."},
    {.name = "baud", .type = KEY_SPEED, .at = SCANNER_AT(baud), .min = 1200, .max = 115200, .fallback = "9600",
     .help = "Its speed."},
    {.name = "operator", .type = KEY_TEXT, .at = SCANNER_AT(patterns[0]), .min = 1, .max = 200,
     .unset = "operators are not scanned",
     .help = "What an operator's code looks like: an extended regular expression for the whole code; what its first "
             "brackets take is the name."},
    {.name = "lot", .type = KEY_TEXT, .at = SCANNER_AT(patterns[1]), .min = 1, .max = 200, .unset = "lots are not scanned",
     .help = "Likewise a lot's: it is what is made from then on; all slots must be empty."},
    {.name = "serial", .type = KEY_TEXT, .at = SCANNER_AT(patterns[2]), .min = 1, .max = 200,
     .unset = "serial numbers are not scanned",
     .help = "Likewise a serial number's: for the next unit of the slot that was scanned before."},
    {.name = "slot", .type = KEY_TEXT, .at = SCANNER_AT(patterns[3]), .min = 1, .max = 200, .unset = "slots are not scanned",
     .help = "Likewise a slot's; the brackets take its number."},
    END,
};

static enum fl_err check_authority(const char *text, struct fl_why *why)
{
    bool ok = (strncmp(text, "http://", 7) == 0 && text[7]) || (strncmp(text, "https://", 8) == 0 && text[8]);
    return ok ? FL_OK : fl_fail(why, FL_FORMAT, "http://HOST/PATH or https://HOST/PATH");
}

#define ANCHOR_AT(member) offsetof(struct station_settings, anchor.member) - offsetof(struct station_settings, anchor)
static const struct key anchor_keys[] = {
    {.name = "url", .type = KEY_TEXT, .required = true, .at = ANCHOR_AT(url), .min = 8, .max = 250, .check = check_authority,
     .help = "The authority (RFC 3161)."},
    {.name = "ca", .type = KEY_TEXT, .at = ANCHOR_AT(ca), .min = 1, .max = 1000, .unset = "who signed a timestamp is left to the audit",
     .help = "File of its certificates (PEM): what they do not bear out is not recorded; its path counts from the station file's folder."},
    {.name = "minutes", .type = KEY_COUNT, .at = ANCHOR_AT(minutes), .min = 1, .max = 44640, .fallback = "480",
     .help = "From one timestamp to the next, while the line works."},
    END,
};

const struct key station_keys[] = {
    {.name = "station", .type = KEY_NAME, .at = offsetof(struct station_settings, station), .min = 1, .max = 64,
     .unset = "as `flashline init` named it", .help = "What the station is called in records."},
    {.name = "before", .type = KEY_MAP, .at = offsetof(struct station_settings, before), .keys = hook_keys,
     .unset = "nothing is run", .help = "As in a profile, and before the profile's."},
    {.name = "after", .type = KEY_MAP, .at = offsetof(struct station_settings, after), .keys = hook_keys,
     .unset = "nothing is run", .help = "As in a profile, and after the profile's."},
    {.name = "labels", .type = KEY_MAP, .at = offsetof(struct station_settings, labels), .keys = labels_keys,
     .unset = "no labels", .help = "A label for each unit that passes, once, after its record is durable."},
    {.name = "anchor", .type = KEY_MAP, .at = offsetof(struct station_settings, anchor), .keys = anchor_keys,
     .unset = "no timestamps from outside", .help = "A timestamp authority that stamps the log's newest head now and then: what is "
     "recorded before cannot be written anew later, not even with the key."},
    {.name = "scanner", .type = KEY_MAP, .at = offsetof(struct station_settings, scanner), .keys = scanner_keys,
     .unset = "no scanner", .help = "A barcode scanner. A code that fits nothing, or two of these, does nothing."},
    {.name = "lots", .type = KEY_CHOICE, .at = offsetof(struct station_settings, lots), .words = "free|required",
     .fallback = "free", .help = "required: nothing is made without an open lot, by `--lot` or by the scanner."},
    {.name = "slots", .type = KEY_LIST, .required = true, .at = offsetof(struct station_settings, slots),
     .min = 1, .max = SLOTS_MAX, .keys = slot_keys, .item_size = sizeof(struct station_settings_slot),
     .help = "The places for boards."},
    END,
};

void profile_key_reference(struct fl_buf *out)
{
    fl_buf_adds(out, "### Keys of a profile\n\n");
    schema_reference(settings_keys, out);
    fl_buf_adds(out, "\n### Keys of a station file\n\n");
    schema_reference(station_keys, out);
    fl_buf_adds(out, "\n### Keys of the rules of a lot\n\n");
    schema_reference(rules_keys, out);
}
