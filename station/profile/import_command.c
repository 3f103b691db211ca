/* SPDX-License-Identifier: Apache-2.0
 * An esptool command line, in the spelling of its versions 1 to 5: `-` or `_` between the parts of a name,
 * `--name value` or `--name=value`. Options and their meaning: esptool's own --help. */
#include "profile/import.h"

#include "profile/settings.h"
#include "profile/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum act { SKIP, CHIP, BAUD, BEFORE, AFTER, NO_STUB, MODE, FREQ, SIZE, ERASE, TELL, REFUSE };

struct option {
    const char *name, *letters; /* "flash-mode", "fm"; letters NULL: no short form */
    bool global;                /* before write_flash */
    bool value;
    enum act act;
    const char *say; /* TELL, REFUSE */
};

static const struct option options[] = {
    {"chip", "c", true, true, CHIP, NULL},
    {"port", "p", true, true, SKIP, NULL},
    {"baud", "b", true, true, BAUD, NULL},
    {"port-filter", NULL, true, true, SKIP, NULL},
    {"before", NULL, true, true, BEFORE, NULL},
    {"after", "a", true, true, AFTER, NULL},
    {"no-stub", NULL, true, false, NO_STUB, NULL},
    {"stub-version", NULL, true, true, TELL, "the stub is the one that flashline brings"},
    {"trace", "t", true, false, SKIP, NULL},
    {"verbose", "v", true, false, SKIP, NULL},
    {"silent", "s", true, false, SKIP, NULL},
    {"connect-attempts", NULL, true, true, SKIP, NULL},
    {"override-vddsdio", NULL, true, true, REFUSE, "flashline does not switch the flash's supply"},
    {"flash-mode", "fm", false, true, MODE, NULL},
    {"flash-freq", "ff", false, true, FREQ, NULL},
    {"flash-size", "fs", false, true, SIZE, NULL},
    {"erase-all", "e", false, false, ERASE, NULL},
    {"spi-connection", "sc", false, true, REFUSE, "flashline writes to the flash on the chip's own pins"},
    {"compress", "z", false, false, SKIP, NULL}, /* what gets smaller is sent compressed anyway */
    {"no-compress", "u", false, false, SKIP, NULL},
    {"no-progress", "p", false, false, SKIP, NULL},
    {"verify", NULL, false, false, SKIP, NULL}, /* always */
    {"skip-flashed", NULL, false, false, SKIP, NULL}, /* flash.skip_matching, true by itself */
    {"encrypt", NULL, false, false, REFUSE, "a profile writes what is in the files and does not have it encrypted"},
    {"encrypt-files", NULL, false, true, REFUSE, "a profile writes what is in the files and does not have it encrypted"},
    {"diff-with", NULL, false, true, REFUSE, "leave it and its files out: regions that are right already are skipped"},
    {"force", NULL, false, false, TELL, "what is certainly wrong is refused all the same"},
    {"ignore-flash-encryption-efuse-setting", NULL, false, false, TELL, "gate.flash_encryption says what is accepted"},
    {"ignore-flash-enc-efuse", NULL, false, false, TELL, "gate.flash_encryption says what is accepted"},
};

/* "flash_mode" is "flash-mode". */
static bool same_name(const char *a, const char *b, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (!b[k] || (a[k] == '_' ? '-' : a[k]) != b[k])
            return false;
    return b[n] == 0;
}

static const struct option *find(const char *word, bool global, const char **value)
{
    bool is_long = word[1] == '-';
    const char *name = word + 1 + is_long;
    size_t n = strcspn(name, "=");
    *value = name[n] ? name + n + 1 : NULL;
    for (size_t k = 0; k < sizeof options / sizeof *options; k++) {
        const struct option *o = &options[k];
        if (o->global != global || (!is_long && !o->letters))
            continue;
        if (same_name(name, is_long ? o->name : o->letters, n))
            return o;
        if (!is_long && o->value && !o->letters[1] && name[0] == o->letters[0]) { /* -b921600 */
            *value = name + 1;
            return o;
        }
    }
    return NULL;
}

/* ---- one option ------------------------------------------------------------------------------------- */

static enum fl_err take_word(struct import *i, const char *option, const char *words, const char *value, char *to,
                             size_t cap)
{
    if (value_word(words, value) < 0)
        return import_refuse(i, "%s is '%s', which a profile cannot hold", option, value);
    (void)snprintf(to, cap, "%s", strcmp(value, "keep") == 0 ? "" : value);
    return FL_OK;
}

static enum fl_err take_chip(struct import *i, const char *value)
{
    char name[16];
    size_t k = 0;
    for (const char *p = value; *p && k + 1 < sizeof name; p++) /* ESP32-S3, esp32s3 */
        if (*p != '-' && *p != '_')
            name[k++] = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
    name[k] = 0;
    if (strcmp(name, "auto") == 0)
        return FL_OK;
    return take_word(i, "--chip", settings_chips, name, i->chip, sizeof i->chip);
}

static enum fl_err take_size(struct import *i, const char *value)
{
    uint64_t bytes;
    if (value_word("keep|detect", value) < 0 && (!profile_parse_size(value, &bytes) || strlen(value) >= sizeof i->size))
        return import_refuse(i, "--flash-size is '%s', which a profile cannot hold", value);
    (void)snprintf(i->size, sizeof i->size, "%s", strcmp(value, "keep") == 0 ? "" : value);
    return FL_OK;
}

static enum fl_err take_baud(struct import *i, const char *value)
{
    uint64_t v;
    if (!value_number(value, &v) || v < 9600 || v > 5000000)
        return import_refuse(i, "--baud is '%s', expected bits a second from 9600 to 5000000", value);
    i->baud = (uint32_t)v;
    return FL_OK;
}

static enum fl_err take_reset(struct import *i, bool before, const char *value)
{
    const char *usual = before ? "default-reset" : "hard-reset";
    if (same_name(value, usual, strlen(value)) || (before && same_name(value, "usb-reset", strlen(value))))
        return FL_OK; /* serial.reset: auto finds the way in */
    if (before && same_name(value, "no-reset", strlen(value)))
        i->reset_none = true;
    else if (before)
        return import_refuse(i, "--before is '%s', expected default-reset, usb-reset or no-reset", value);
    else
        import_tell(i, "--after %s: flashline always resets a unit at the end", value);
    return FL_OK;
}

static enum fl_err take(struct import *i, const struct option *o, const char *value)
{
    switch (o->act) {
    case SKIP: return FL_OK;
    case CHIP: return take_chip(i, value);
    case BAUD: return take_baud(i, value);
    case BEFORE: return take_reset(i, true, value);
    case AFTER: return take_reset(i, false, value);
    case NO_STUB: i->stub_never = true; return FL_OK;
    case MODE: return take_word(i, "--flash-mode", settings_modes, value, i->mode, sizeof i->mode);
    case FREQ: return take_word(i, "--flash-freq", settings_freqs, value, i->freq, sizeof i->freq);
    case SIZE: return take_size(i, value);
    case ERASE: i->erase_all = true; return FL_OK;
    case TELL: import_tell(i, "--%s: %s", o->name, o->say); return FL_OK;
    case REFUSE: return import_refuse(i, "--%s cannot be taken over: %s", o->name, o->say);
    }
    return FL_ARG;
}

/* ---- all words ---------------------------------------------------------------------------------------- */

static bool is_write(const char *word)
{
    return same_name(word, "write-flash", strlen(word));
}

enum fl_err import_words(struct import *i, size_t n, const char *const *words, bool global)
{
    enum fl_err err = FL_OK, one;
    for (size_t k = 0; k < n; k++) {
        const char *w = words[k], *value;
        if (w[0] != '-' || !w[1]) {
            if (global && !is_write(w))
                return import_refuse(i, "'%s' is not write_flash, expected a command that writes images", w);
            if (!global && k + 1 == n)
                return import_refuse(i, "'%s' is the last word, expected a file after an offset", w);
            one = global ? FL_OK : import_add(i, w, words[k + 1]);
            k += !global;
            global = false;
        } else {
            const struct option *o = find(w, global, &value);
            if (!o)
                return import_refuse(i, "the option %s is not known%s", w, global ? " before write_flash" : "");
            if (o->value && !value && k + 1 == n)
                return import_refuse(i, "--%s is the last word, expected a value after it", o->name);
            one = take(i, o, o->value && !value ? words[++k] : value);
            if (one && o->value)
                return one; /* how many words belong to it is not known */
        }
        if (one == FL_NOMEM)
            return one;
        err = one ? one : err;
    }
    return global ? import_refuse(i, "there is no write_flash in it, expected a command that writes images") : err;
}

static void say_words(struct import *i, size_t n, const char *const *words)
{
    for (size_t k = 0; k < n; k++) {
        bool quote = !words[k][0] || strpbrk(words[k], " \t'\"");
        fl_buf_addf(&i->from, "%s%s", k ? " " : "", quote ? "'" : "");
        for (const char *p = words[k]; *p; p++) /* a comment ends with its line */
            fl_buf_addc(&i->from, (unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f ? '?' : *p);
        fl_buf_adds(&i->from, quote ? "'" : "");
    }
    fl_buf_addc(&i->from, '\n');
}

/* Is this word what runs esptool? "/usr/bin/esptool.py", "C:\tools\esptool.exe", "esptool" */
static bool is_esptool(const char *word)
{
    const char *base = word;
    for (const char *p = word; *p; p++)
        if (*p == '/' || *p == '\\')
            base = p + 1;
    return strncmp(base, "esptool", 7) == 0;
}

static enum fl_err command(struct import *i, size_t n, const char *const *words)
{
    size_t first = 0;
    say_words(i, n, words);
    for (size_t k = 0; k < n; k++) {
        if (is_write(words[k]))
            break; /* what follows are files, whatever they are called */
        if (is_esptool(words[k]))
            first = k + 1;
    }
    return import_words(i, n - first, words + first, true);
}

/* The next word of a line into `out`, zero terminated; false at its end. */
static bool next_word(const char **line, struct fl_buf *out, bool *open)
{
    const char *p = *line;
    char quote = 0;
    while (*p && strchr(" \t\r\n", *p))
        p++;
    if (!*p)
        return false;
    for (; *p && (quote || !strchr(" \t\r\n", *p)); p++) {
        if (*p == '\\' && quote != '\'' && p[1] && strchr("\"'\\ \n", p[1])) {
            p++;
            if (*p == '\n') {
                if (!quote)
                    break; /* the line goes on: a blank */
                continue;
            }
            fl_buf_addc(out, *p);
        } else if (quote ? *p == quote : *p == '"' || *p == '\'') {
            quote = quote ? 0 : *p;
        } else {
            fl_buf_addc(out, *p);
        }
    }
    fl_buf_addc(out, 0);
    *open = quote != 0;
    *line = p;
    return true;
}

/* ---- words from lines and files ------------------------------------------------------------------------- */

enum { WORDS_MAX = 1000 };

struct list {
    struct fl_buf text; /* words, each ended by a zero */
    size_t starts[WORDS_MAX], n;
};

static enum fl_err note_word(struct import *i, struct list *l, size_t at)
{
    if (l->n == WORDS_MAX)
        return import_refuse(i, "more than %d words, expected a command line", WORDS_MAX);
    l->starts[l->n++] = at;
    return fl_buf_err(&l->text, NULL);
}

static enum fl_err add_line(struct import *i, struct list *l, const char *line)
{
    bool open = false;
    enum fl_err err = FL_OK;
    for (size_t at = l->text.len; !err && next_word(&line, &l->text, &open); at = l->text.len) {
        if (l->text.len == at + 1)
            l->text.len = at; /* nothing but the end of a line that goes on */
        else
            err = note_word(i, l, at);
    }
    return err ? err : open ? import_refuse(i, "a quote is not closed, expected its other half") : FL_OK;
}

/* "@flash_args": the words in that file, as esptool takes it; nothing in it is a file of words again. */
static enum fl_err add_file(struct import *i, struct list *l, const char *name)
{
    struct fl_buf text = FL_BUF(IMPORT_TEXT_MAX);
    enum fl_err err = i->read ? i->read(i->read_ctx, name, &text) : FL_UNSUPPORTED;
    if (!err && memchr(text.bytes, 0, text.len))
        err = import_refuse(i, "'%s' is no text, expected words of a command line", name);
    else if (err && err != FL_NOMEM)
        err = import_refuse(i, "'%s' cannot be read, expected words of a command line", name);
    if (!err)
        err = add_line(i, l, fl_buf_text(&text));
    fl_buf_fini(&text);
    return err;
}

static enum fl_err add_word(struct import *i, struct list *l, const char *word)
{
    size_t at = l->text.len;
    if (word[0] == '@' && word[1])
        return add_file(i, l, word + 1);
    fl_buf_add(&l->text, word, strlen(word) + 1);
    return note_word(i, l, at);
}

static enum fl_err take_list(struct import *i, const struct list *l)
{
    const char **words = calloc(l->n + 1, sizeof *words);
    if (!words)
        return FL_NOMEM;
    for (size_t k = 0; k < l->n; k++)
        words[k] = (const char *)l->text.bytes + l->starts[k];
    enum fl_err err = command(i, l->n, words);
    free(words);
    return err;
}

enum fl_err import_command(struct import *i, size_t n, const char *const *words)
{
    struct list l = {.text = FL_BUF(IMPORT_TEXT_MAX)};
    enum fl_err err = FL_OK;
    for (size_t k = 0; !err && k < n; k++)
        err = add_word(i, &l, words[k]);
    if (!err)
        err = take_list(i, &l);
    fl_buf_fini(&l.text);
    return err;
}

enum fl_err import_command_line(struct import *i, const char *line)
{
    struct list l = {.text = FL_BUF(IMPORT_TEXT_MAX)}, whole = l;
    enum fl_err err = add_line(i, &l, line);
    for (size_t k = 0; !err && k < l.n; k++)
        err = add_word(i, &whole, (const char *)l.text.bytes + l.starts[k]);
    if (!err)
        err = take_list(i, &whole);
    fl_buf_fini(&l.text);
    fl_buf_fini(&whole.text);
    return err;
}
