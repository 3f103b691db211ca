/* SPDX-License-Identifier: Apache-2.0 */
#include "prove/certificate_page.h"

#include "audit/page.h"

#include <errno.h>
#include <qrencode.h>

static enum fl_err add_qr(const struct fl_buf *proof, struct fl_buf *out, struct fl_why *why)
{
    QRcode *qr = QRcode_encodeData((int)proof->len, proof->bytes, 0, QR_ECLEVEL_L);
    if (!qr && errno == ERANGE) {
        page_no_qr(out);
        return FL_OK;
    }
    if (!qr)
        return fl_fail(why, FL_NOMEM, "out of memory");
    const unsigned w = (unsigned)qr->width;
    page_qr_begin(w, out);
    for (unsigned y = 0; y < w; y++)
        for (unsigned x = 0; x < w; x++) {
            unsigned run = 0;
            while (x + run < w && qr->data[y * w + x + run] & 1)
                run++;
            if (run)
                page_qr_run(x, y, run, out);
            x += run;
        }
    page_qr_end(out);
    QRcode_free(qr);
    return FL_OK;
}

enum fl_err certificate_page(const struct fl_buf *proof, struct fl_buf *out, struct fl_why *why)
{
    struct proof_file p;
    enum fl_err err = proof_file_parse(proof->bytes, proof->len, &p, why);
    if (!err)
        err = page_begin(&p, out, why);
    if (!err)
        err = add_qr(proof, out, why);
    if (!err) {
        page_end(proof->bytes, proof->len, out);
        err = fl_buf_err(out, why);
    }
    proof_file_fini(&p);
    return err;
}
