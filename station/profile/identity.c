/* SPDX-License-Identifier: Apache-2.0
 *
 * The identity of a profile: SHA-256 of the canonical JSON (base/json.h) of
 *
 *   {"boot_check":null|{...},"chip":"esp32","flash":{...},"gate":{...},"images":[{"offset":4096,
 *    "sha256":"..."},...],"profile":"...","retry":{...},"serial":{...},"verify":"md5","version":"..."}
 *
 * with every default filled in (but "detect", "before", "after" and boot_check's "measure" and "near" only where they say something:
 * profiles older than those keys keep their hash), numbers as numbers (bytes, bits a second, milliseconds, revisions as
 * major * 100 + minor) and words as words. Order of images counts: they are written in it. */
#include "profile/loaded.h"

#include <limits.h>

enum { NEAR_USUAL = 5 }; /* boot_check.near when left out */

static json_t *size_json(uint64_t size, const char *const words[static 2])
{
    return size >= UINT64_MAX - 1 ? json_string(words[UINT64_MAX - size]) : json_integer((json_int_t)size);
}

static json_t *word_json(const char *words, int place)
{
    char word[16];
    return json_string(settings_word(words, place, word));
}

static json_t *gate_json(const struct settings *s)
{
    static const char *const size_words[] = {"any", ""};
    static const char states[] = "off|on|any";
    return json_pack("{s:i, s:o, s:o, s:o, s:o}", "min_revision", (int)s->gate.min_revision, "max_revision",
                     s->gate.max_revision == UINT_MAX ? json_string("any")
                                                      : json_integer((json_int_t)s->gate.max_revision),
                     "flash_size", size_json(s->gate.flash_size, size_words), "secure_boot",
                     word_json(states, s->gate.secure_boot), "flash_encryption",
                     word_json(states, s->gate.flash_encryption));
}

static json_t *speeds_json(const struct key_speeds *speeds)
{
    json_t *list = json_array();
    for (size_t i = 0; i < speeds->n; i++)
        if (json_array_append_new(list, json_integer((json_int_t)speeds->list[i]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *serial_json(const struct settings *s)
{
    return json_pack("{s:I, s:o, s:s, s:o}", "baud", (json_int_t)s->serial.baud, "step_down",
                     speeds_json(&s->serial.step_down), "reset", s->serial.reset, "stub",
                     word_json("auto|required|never", s->serial.stub));
}

static json_t *flash_json(const struct settings *s)
{
    static const char *const size_words[] = {"keep", "detect"};
    /* left out where it is the default: profiles from before there was this key keep their hash */
    json_t *secured = s->flash.secured ? word_json("refuse|as_is|unproven", s->flash.secured) : NULL;
    return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o*}", "mode", word_json(settings_modes, s->flash.mode), "freq",
                     word_json(settings_freqs, s->flash.freq), "size", size_json(s->flash.size, size_words),
                     "erase", word_json("needed|all", s->flash.erase), "skip_matching",
                     (int)s->flash.skip_matching, "secured", secured);
}

/* Takes v. -1: no memory. */
static int set_if(json_t *o, const char *key, bool said, json_t *v)
{
    if (said)
        return json_object_set_new(o, key, v);
    json_decref(v);
    return 0;
}

static json_t *measures_json(const struct settings *s)
{
    const struct settings_measure *m = s->boot_check.measures.items;
    json_t *list = json_array();
    for (size_t i = 0; i < s->boot_check.measures.n; i++)
        if (json_array_append_new(list, json_pack("{s:s, s:s, s:s?}", "name", m[i].name, "text", m[i].text, "limits",
                                                  m[i].limits))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *boot_check_json(const struct profile_private *p)
{
    const struct settings *s = &p->s;
    if (!tree_get(p->tree, "boot_check"))
        return json_null();
    json_t *b = json_pack("{s:I, s:s?, s:s?, s:I}", "baud", (json_int_t)s->boot_check.baud, "expect",
                     s->boot_check.expect, "fail", s->boot_check.fail, "within",
                          (json_int_t)s->boot_check.within);
    if (b && (set_if(b, "measure", s->boot_check.measures.n, measures_json(s)) ||
              set_if(b, "near", s->boot_check.measures.n && s->boot_check.near != NEAR_USUAL,
                     json_integer(s->boot_check.near)))) {
        json_decref(b);
        return NULL;
    }
    return b;
}

static json_t *images_json(const struct profile_private *p)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->n; i++) {
        char hex[2 * FL_SHA256_SIZE + 1];
        fl_hex(p->images[i].sha256, FL_SHA256_SIZE, hex);
        json_t *image = json_pack("{s:I, s:s}", "offset", (json_int_t)p->images[i].offset, "sha256", hex);
        if (json_array_append_new(list, image)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static bool detect_said(const struct profile_detect *d)
{
    return d->every_ms != 500 || d->removed_ms != 5000 || d->settle_ms != 250 || d->again_ms != 10000;
}

static json_t *detect_json(const struct profile_detect *d)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "every", (json_int_t)d->every_ms, "removed", (json_int_t)d->removed_ms,
                     "settle", (json_int_t)d->settle_ms, "again", (json_int_t)d->again_ms);
}

static json_t *hook_json(const struct settings_hook *h)
{
    json_t *run = json_array();
    for (size_t i = 0; i < h->run.n; i++)
        if (json_array_append_new(run, json_string(h->run.list[i]))) {
            json_decref(run);
            return NULL;
        }
    return json_pack("{s:o, s:I, s:b}", "run", run, "within", (json_int_t)h->within, "shell", (int)h->shell);
}

json_t *identity_settings(const struct profile_private *p)
{
    const struct settings *s = &p->s;
    json_t *all = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:{s:I}, s:s}", "profile", s->profile, "version",
                     s->version, "chip", p->chip->name, "gate", gate_json(s), "serial", serial_json(s), "flash",
                     flash_json(s), "images", images_json(p), "boot_check", boot_check_json(p), "retry",
                            "attempts", (json_int_t)s->retry.attempts, "verify", "md5");
    if (all && (set_if(all, "detect", detect_said(&s->detect), detect_json(&s->detect)) ||
                set_if(all, "before", s->before.run.n, hook_json(&s->before)) ||
                set_if(all, "after", s->after.run.n, hook_json(&s->after)))) {
        json_decref(all);
        return NULL;
    }
    return all;
}

enum fl_err identity_make(struct profile_private *p)
{
    struct fl_buf bytes = FL_BUF(TREE_BYTES_MAX);
    json_t *all = identity_settings(p);
    enum fl_err err = all ? fl_json_canonical(all, &bytes, NULL) : FL_NOMEM;
    if (!err)
        err = fl_sha256(bytes.bytes, bytes.len, p->pub.sha256);
    if (!err)
        fl_hex(p->pub.sha256, FL_SHA256_SIZE, p->pub.hash);
    json_decref(all);
    fl_buf_fini(&bytes);
    return err;
}
