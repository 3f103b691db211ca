/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

static enum fl_err write_value(const json_t *v, struct fl_buf *out, int depth, struct fl_why *why);

static void write_text(const char *s, size_t n, struct fl_buf *out)
{
    static const char hex[] = "0123456789abcdef";
    size_t plain = 0; /* what stands as it is goes over in one piece */
    fl_buf_addc(out, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        fl_buf_add(out, s + plain, i - plain);
        plain = i + 1;
        const char *shorter = c == '"'    ? "\\\""
                              : c == '\\' ? "\\\\"
                              : c == '\b' ? "\\b"
                              : c == '\t' ? "\\t"
                              : c == '\n' ? "\\n"
                              : c == '\f' ? "\\f"
                              : c == '\r' ? "\\r"
                                          : NULL;
        if (shorter) {
            fl_buf_adds(out, shorter);
        } else {
            fl_buf_adds(out, "\\u00");
            fl_buf_addc(out, hex[c >> 4]);
            fl_buf_addc(out, hex[c & 15]);
        }
    }
    fl_buf_add(out, s + plain, n - plain);
    fl_buf_addc(out, '"');
}

static bool key_allowed(const char *k)
{
    if (!*k)
        return false;
    for (; *k; k++)
        if (!((*k >= 'a' && *k <= 'z') || (*k >= '0' && *k <= '9') || *k == '_'))
            return false;
    return true;
}

static int by_byte(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum fl_err write_object(const json_t *v, struct fl_buf *out, int depth, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    size_t n = json_object_size(v), i = 0;
    const char **keys = calloc(n + 1, sizeof *keys);
    if (!keys)
        return fl_fail(why, FL_NOMEM, "out of memory");
    for (void *it = json_object_iter((json_t *)(uintptr_t)v); it && i < n;
         it = json_object_iter_next((json_t *)(uintptr_t)v, it))
        keys[i++] = json_object_iter_key(it);
    qsort(keys, i, sizeof *keys, by_byte);
    fl_buf_addc(out, '{');
    for (size_t k = 0; k < i && !err; k++) {
        if (!key_allowed(keys[k])) {
            err = fl_fail(why, FL_FORMAT, "key '%s' is not of [a-z0-9_]", keys[k]);
            break;
        }
        if (k)
            fl_buf_addc(out, ',');
        write_text(keys[k], strlen(keys[k]), out);
        fl_buf_addc(out, ':');
        err = write_value(json_object_get(v, keys[k]), out, depth + 1, why);
    }
    fl_buf_addc(out, '}');
    free(keys);
    return err;
}

static enum fl_err write_value(const json_t *v, struct fl_buf *out, int depth, struct fl_why *why)
{
    if (depth > DEPTH_MAX)
        return fl_fail(why, FL_LIMIT, "nested deeper than %d", DEPTH_MAX);
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return write_object(v, out, depth, why);
    case JSON_ARRAY:
        fl_buf_addc(out, '[');
        for (size_t i = 0; i < json_array_size(v); i++) {
            if (i)
                fl_buf_addc(out, ',');
            enum fl_err err = write_value(json_array_get(v, i), out, depth + 1, why);
            if (err)
                return err;
        }
        fl_buf_addc(out, ']');
        return FL_OK;
    case JSON_STRING:
        write_text(json_string_value(v), json_string_length(v), out);
        return FL_OK;
    case JSON_INTEGER: {
        json_int_t i = json_integer_value(v);
        if (i > 9007199254740991 || i < -9007199254740991)
            return fl_fail(why, FL_FORMAT, "the integer %lld is beyond 2^53 - 1", (long long)i);
        fl_buf_addi(out, i);
        return FL_OK;
    }
    case JSON_TRUE:
        fl_buf_adds(out, "true");
        return FL_OK;
    case JSON_FALSE:
        fl_buf_adds(out, "false");
        return FL_OK;
    case JSON_NULL:
        fl_buf_adds(out, "null");
        return FL_OK;
    case JSON_REAL:
        break;
    }
    return fl_fail(why, FL_FORMAT, "a number that is not an integer");
}

enum fl_err fl_json_canonical(const json_t *value, struct fl_buf *out, struct fl_why *why)
{
    enum fl_err err = write_value(value, out, 0, why);
    return err ? err : fl_buf_err(out, why);
}

enum fl_err fl_json_parse(const void *bytes, size_t n, json_t **out, struct fl_why *why)
{
    json_error_t e;
    *out = json_loadb(bytes, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
    if (!*out)
        return fl_fail(why, FL_FORMAT, "not JSON: %s at byte %d", e.text, e.position);
    return FL_OK;
}

enum fl_err fl_json_write(json_t *value, size_t flags, struct fl_buf *out)
{
    char *s = value ? json_dumps(value, flags) : NULL;
    json_decref(value);
    if (!s)
        return FL_NOMEM;
    fl_buf_adds(out, s);
    fl_buf_addc(out, '\n');
    free(s);
    return fl_buf_err(out, NULL);
}

const char *fl_json_text(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "";
}

int64_t fl_json_int(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *v = json_object_get(object, key);
    return json_is_integer(v) ? (int64_t)json_integer_value(v) : fallback;
}

json_t *fl_json_dirty(const void *bytes, size_t n)
{
    char *clean = malloc(n + 1);
    if (!clean)
        return NULL;
    memcpy(clean, bytes, n);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) /* boards end their lines with CR LF */
        if (clean[i] != '\r' || i + 1 == n || clean[i + 1] != '\n')
            clean[kept++] = clean[i];
    n = kept;
    for (size_t i = 0; i < n;) {
        size_t k = fl_utf8_len((const uint8_t *)clean + i, n - i);
        bool stays = clean[i] == '\n' || clean[i] == '\t';
        if (k == 0 || (fl_utf8_control((const uint8_t *)clean + i, k) && !stays)) {
            clean[i] = '?';
            k = 1; /* what is left of a longer control character is none of UTF-8 by itself */
        }
        i += k;
    }
    json_t *v = json_stringn(clean, n);
    free(clean);
    return v;
}

enum fl_err fl_json_set_dirty(json_t *object, const char *key, const void *bytes, size_t n)
{
    json_t *v = fl_json_dirty(bytes, n);
    return v && json_object_set_new(object, key, v) == 0 ? FL_OK : FL_NOMEM;
}
