/* SPDX-License-Identifier: Apache-2.0
 *
 *   flasher_args.json, as an ESP-IDF build leaves it in its build folder; all values are text but `stub`:
 *   { "write_flash_args": ["--flash_mode", "dio", ...],          what goes before the offsets
 *     "flash_files": {"0x1000": "bootloader/bootloader.bin", ...},
 *     "bootloader": {"offset": "0x1000", "file": "...", "encrypted": "false"}, "app": {...}, ...
 *     "extra_esptool_args": {"after": "hard_reset", "before": "default_reset", "stub": true, "chip": "esp32"} } */
#include "profile/import.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

static enum fl_err take_list(struct import *i, const json_t *list)
{
    size_t n = json_array_size(list);
    const char **words = calloc(n + 1, sizeof *words);
    enum fl_err err = words ? FL_OK : FL_NOMEM;
    for (size_t k = 0; !err && k < n; k++) {
        words[k] = json_string_value(json_array_get(list, k));
        if (!words[k])
            err = import_refuse(i, "write_flash_args[%zu] is not text, expected options of write_flash", k);
    }
    if (!err)
        err = import_words(i, n, words, false);
    free(words);
    return err;
}

static enum fl_err take_extra(struct import *i, const json_t *extra)
{
    static const char *const names[] = {"--chip", "--before", "--after"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        const char *words[] = {names[k], fl_json_text(extra, names[k] + 2), "write_flash"};
        enum fl_err err = words[1][0] ? import_words(i, 3, words, true) : FL_OK;
        if (err)
            return err;
    }
    if (json_is_false(json_object_get(extra, "stub")))
        i->stub_never = true;
    return FL_OK;
}

static enum fl_err take_files(struct import *i, const json_t *root)
{
    const json_t *files = json_object_get(root, "flash_files"), *value;
    const char *key;
    if (!json_is_object(files))
        return import_refuse(i, "flash_files is missing, expected offsets with their files");
    void *at = json_object_iter((json_t *)(uintptr_t)files);
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)files, at)) {
        key = json_object_iter_key(at);
        value = json_object_iter_value(at);
        if (!json_is_string(value))
            return import_refuse(i, "flash_files['%s'] is not text, expected a file", key);
        enum fl_err err = import_add(i, key, json_string_value(value));
        if (err)
            return err;
    }
    at = json_object_iter((json_t *)(uintptr_t)root);
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)root, at))
        if (strcmp(fl_json_text(json_object_iter_value(at), "encrypted"), "true") == 0)
            return import_refuse(i, "'%s' is to be encrypted, which a profile does not have done",
                                 json_object_iter_key(at));
    return FL_OK;
}

enum fl_err import_flasher_args(struct import *i, const char *name, const void *json, size_t n)
{
    struct fl_why why = {0};
    json_t *root = NULL;
    const char *text = json;
    size_t mark = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* an editor's byte order mark */
    enum fl_err err = fl_json_parse(text + mark, n - mark, &root, &why);
    if (err == FL_NOMEM)
        return err;
    if (err || !json_is_object(root)) {
        err = import_refuse(i, "%s is not JSON as ESP-IDF writes it: %s", name, err ? why.text : "not an object");
        goto out;
    }
    for (const char *p = name; *p; p++)
        fl_buf_addc(&i->from, (unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f ? '?' : *p);
    fl_buf_addc(&i->from, '\n');
    err = take_list(i, json_object_get(root, "write_flash_args"));
    if (!err)
        err = take_extra(i, json_object_get(root, "extra_esptool_args"));
    if (!err)
        err = take_files(i, root);
out:
    json_decref(root);
    return err;
}
