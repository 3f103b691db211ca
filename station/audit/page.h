/* SPDX-License-Identifier: Apache-2.0
 *
 * page.h: the text of a birth certificate's page: written around its QR code, and held against the proof that it carries. What
 * a person reads on such a page must be what is proved; so a page is good only when its text is, byte for byte, the one
 * that this program makes of its proof, and its QR code holds that proof.
 *
 *   page_begin    head, table with what the record says
 *   the QR code   page_qr_begin, path of dark modules, page_qr_end; or page_no_qr where the file is too large for one
 *   page_end      a sentence, <pre id="proof">, the file, </pre>
 *
 * Thread rule: pure.
 */
#ifndef FL_AUDIT_PAGE_H
#define FL_AUDIT_PAGE_H

#include "audit/checkpoint.h"
#include "audit/proof_file.h"

/* FL_FORMAT: the proof holds no record, or no signed head, or there is a '<' in that: it stands on the page as it is. */
FL_MUST enum fl_err page_begin(const struct proof_file *p, struct fl_buf *out, struct fl_why *why);
void page_qr_begin(unsigned width, struct fl_buf *out); /* modules along an edge */
void page_qr_run(unsigned x, unsigned y, unsigned n, struct fl_buf *out); /* n dark ones, as many as there are side by side */
void page_qr_end(struct fl_buf *out);
void page_no_qr(struct fl_buf *out);
void page_end(const void *proof, size_t n, struct fl_buf *out);

/* The proof within a page; false: it is none. Borrows. */
bool page_proof(const char *page, size_t n, const char **proof, size_t *proof_n);
/* Is it the page of this proof, whose file's bytes are given too? FL_MISMATCH: says where it differs. FL_FORMAT: no page can be
 * made of it. FL_NOMEM. */
FL_MUST enum fl_err page_check(const char *page, size_t n, const struct proof_file *p, const void *proof, size_t proof_n, struct fl_why *why);

#endif
