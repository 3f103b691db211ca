/* SPDX-License-Identifier: Apache-2.0
 *
 * mhd.h: libmicrohttpd, loaded when a server starts (http/late.h): `MHD_queue_response(...)` is `mhd->queue_response(...)`.
 */
#ifndef FL_HTTP_MHD_H
#define FL_HTTP_MHD_H

#include "base/err.h"

#include <microhttpd.h>

#define MHD_FUNCTIONS(X)                                                                                                  \
    X(start_daemon) X(stop_daemon) X(suspend_connection) X(resume_connection) X(get_connection_info)                        \
    X(lookup_connection_value) X(create_response_from_buffer) X(create_response_from_callback) X(add_response_header)       \
    X(queue_response) X(destroy_response)

struct mhd {
#define MHD_POINTER(f) __typeof__(MHD_##f) *f;
    MHD_FUNCTIONS(MHD_POINTER)
#undef MHD_POINTER
};

/* FL_NOT_FOUND, FL_UNSUPPORTED: the library is not there, or too old. */
FL_MUST enum fl_err mhd_load(struct mhd *out, struct fl_why *why);

#endif
