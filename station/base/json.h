/* SPDX-License-Identifier: Apache-2.0
 *
 * json.h: JSON values (jansson) to and from canonical bytes.
 *
 * Canonical form: RFC 8785 restricted to what makes it trivial and safe: UTF-8 without white space,
 * object keys of [a-z0-9_] sorted by byte, integers within +-(2^53 - 1) and no other numbers,
 * shortest escapes, control characters as \u00xx in lower case. The same value always gives the
 * same bytes, and any RFC 8785 implementation gives those bytes too.
 *
 * Thread rule: a json_t has one owner at a time.
 */
#ifndef FL_BASE_JSON_H
#define FL_BASE_JSON_H

#include "base/buf.h"

#include <jansson.h>
#include <stdbool.h>

/* Append the canonical bytes. FL_FORMAT when the value holds a real, an integer out of range, or a
 * key that is not [a-z0-9_]+. FL_LIMIT: nested deeper than 32, or longer than `out` may be. */
FL_MUST enum fl_err fl_json_canonical(const json_t *value, struct fl_buf *out, struct fl_why *why);

/* Parse; duplicate keys are refused. Borrowed bytes, new reference. */
FL_MUST enum fl_err fl_json_parse(const void *bytes, size_t n, json_t **out, struct fl_why *why);

/* Append the value as text for people and programs, and a newline; `flags` are jansson's. Takes the value; NULL is FL_NOMEM, as of
 * a value that could not be made. */
FL_MUST enum fl_err fl_json_write(json_t *value, size_t flags, struct fl_buf *out);

/* Member access that forgives absence: "" / 0 / fallback when missing or of another type. */
const char *fl_json_text(const json_t *object, const char *key);
int64_t fl_json_int(const json_t *object, const char *key, int64_t fallback);

/* A text from bytes that may not be UTF-8 or may hold control characters (of ASCII, of C1) other than tab and newline: each
 * offending byte becomes '?', and the CR of a line's end goes. For what came from a chip, and for names of files. New; NULL: no memory. */
json_t *fl_json_dirty(const void *bytes, size_t n);
/* The same as a member. */
FL_MUST enum fl_err fl_json_set_dirty(json_t *object, const char *key, const void *bytes, size_t n);

#endif
