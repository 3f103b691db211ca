/* SPDX-License-Identifier: Apache-2.0
 *
 * certificate_page.h: a birth certificate as one HTML page that prints on A4: what the record says, the whole text file,
 * and the same bytes as a QR code. The file stands between <pre id="proof"> and </pre>, so that `flashline verify` reads
 * the page as well as the file; and finds one that shows anything else than it proves (audit/page.h).
 *
 * Thread rule: pure.
 */
#ifndef FL_PROVE_CERTIFICATE_PAGE_H
#define FL_PROVE_CERTIFICATE_PAGE_H

#include "base/buf.h"

/* `proof`: the file as prove/certificate.h writes it. FL_FORMAT: it is none. A file too large for a QR code (2,953
 * bytes) gives a page that says so in its place. */
FL_MUST enum fl_err certificate_page(const struct fl_buf *proof, struct fl_buf *out, struct fl_why *why);

#endif
