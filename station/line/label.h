/* SPDX-License-Identifier: Apache-2.0
 *
 * label.h: a label in ZPL from a template. Pure.
 *
 *   {mac} {mac_plain}   24:6f:28:aa:bb:cc, 246F28AABBCC
 *   {serial} {lot} {operator} {chip} {slot}      of the attempt
 *   {product} {version} {station}                what the lot says is made (else the profile's name); the profile's version
 *   {date} {time}       2026-11-22, 14:05, UTC, of the attempt's end
 *   {qr} {qr:N}         a QR code of the text that `qr` makes (which has the fields above), as a graphic field of N dots
 *                       a module (1 to 20; 4 when left out): ^GFA. A printer's own ^BQ works too, with {mac} as its data
 *   {{                  a brace
 *
 * What a field brings cannot end the field it stands in: ^, ~ and control characters become blanks.
 *
 * Thread rule: a template is const after label_parse.
 */
#ifndef FL_LINE_LABEL_H
#define FL_LINE_LABEL_H

#include "base/buf.h"
#include "event/event.h"

struct label; /* opaque: a checked template */

struct label_source {
    const char *product, *version, *station; /* borrowed; NULL: nothing */
};

/* `name` is said in front of what is wrong: "label.zpl:3: '{serail}' is no field, expected ...". Texts are copied.
 * `qr` NULL: {qr} is refused. */
FL_MUST enum fl_err label_parse(const char *name, const char *text, const char *qr, struct label **out, struct fl_why *why);
void label_free(struct label *l); /* NULL is fine */
bool label_uses(const struct label *l, const char *field); /* "serial" */

/* Append the label of this attempt. FL_LIMIT: the text is too long for a QR code. */
FL_MUST enum fl_err label_make(const struct label *l, const struct attempt_facts *f, const struct label_source *s,
                               struct fl_buf *out, struct fl_why *why);

#endif
