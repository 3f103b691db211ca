/* SPDX-License-Identifier: Apache-2.0
 *
 * late.h: libraries that are loaded when they are first needed.
 *
 * libmicrohttpd and libcurl bring thirty libraries with them (TLS twice, Kerberos, LDAP, SSH, RTMP), which the linker would
 * load at every start, for verbs that speak no HTTP as for `flash`, twice there, since the signer is the same program. Their
 * headers are used as ever: for types, and for the types of functions, which are called through a table:
 *
 *   #define FUNCTIONS(X) X(multi_init) X(multi_cleanup)
 *   struct curl { FUNCTIONS(LATE_CURL) };                with  #define LATE_CURL(f) __typeof__(curl_##f) *f;
 *
 * A table is filled before the first call, whole, or nothing in it may be called. The library is known by the soname of the one that the
 * headers came with (the Makefile asks for it), and stays loaded until the program ends: it leaves threads' destructors and exit
 * handlers behind, which may not be unmapped.
 *
 * Thread rule: any thread.
 */
#ifndef FL_HTTP_LATE_H
#define FL_HTTP_LATE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct late_function {
    const char *name; /* NULL: behind the last */
    size_t at;        /* where its pointer stands in the table */
};
struct late_library {
    const char *soname, *package; /* Debian's, for who has to install it */
    const struct late_function *functions;
};

/* FL_NOT_FOUND: there is no such library, or it cannot be loaded. FL_UNSUPPORTED: it lacks a function. What `table`
 * holds then is of no use. */
FL_MUST enum fl_err late_load(const struct late_library *l, void *table, struct fl_why *why);

/* What a linked library leaves in the program's list of needed ones, for tools that make packages: a note as in
 * uapi-group.org/specifications/specs/elf_dlopen_metadata. */
#define LATE_NOTE(what, soname)                                                                                             \
    static const struct {                                                                                                  \
        uint32_t name_size, text_size, type;                                                                               \
        char name[4];                                                                                                      \
        char text[sizeof "[{\"feature\":\"" what "\",\"priority\":\"recommended\",\"soname\":[\"" soname "\"]}]"];                 \
    } late_note __attribute__((used, aligned(4), section(".note.dlopen"))) = {                                              \
        sizeof late_note.name, sizeof late_note.text, 0x407c0c0a, "FDO",                                                   \
        "[{\"feature\":\"" what "\",\"priority\":\"recommended\",\"soname\":[\"" soname "\"]}]"}

#endif
