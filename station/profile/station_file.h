/* SPDX-License-Identifier: Apache-2.0
 *
 * station_file.h: which slots this station has, and where each is plugged in.
 *
 *   station: line-3-a
 *   slots:
 *     - {slot: 1, port: "usb:1-1.4.1"}
 *     - {slot: 4, port: "rfc2217://127.0.0.1:6100", reset: classic}
 *
 * Read by the same strict reader as profiles; every key: profiles/README.md. Slot numbers 1..999,
 * each once; each port once, "usb:PLACE.*" for all sockets of a hub, "usb:BUS-*" of a root hub. Of a port only its kind is
 * checked here; what comes after it is for
 * link_url_check (link/link.h), which a profile's room cannot see.
 */
#ifndef FL_PROFILE_STATION_FILE_H
#define FL_PROFILE_STATION_FILE_H

#include "profile/profile.h"

struct station_slot {
    int slot;
    char *port;
    char *reset;       /* NULL: as the profile says; else "none", "classic", ..., or a sequence */
    char *power_cycle; /* NULL, or a command (no shell) that switches the slot's supply off and on */
    bool fixture;      /* the bridge stays while boards change */
};

struct station_labels { /* all NULL: no labels */
    char *printer, *template, *qr; /* the template's path as it is found from here */
};

struct station_anchor { /* url NULL: none */
    char *url, *ca;     /* ca NULL: not said */
    uint32_t minutes;   /* from one to the next */
};

enum { STATION_PATTERNS = 4 };
struct station_scanner { /* all NULL: none */
    char *port; /* a link's URL, "stdin", or NULL: the console's keyboard alone */
    uint32_t baud;
    char *patterns[STATION_PATTERNS]; /* operator, lot, serial, slot; NULL: such codes are not scanned */
};

struct station_file {
    char *station; /* NULL: not said */
    struct profile_hook before, after; /* around each attempt in any slot; texts owned */
    struct station_labels labels;
    struct station_anchor anchor;
    struct station_scanner scanner;
    bool lots_required;
    struct station_slot *slots;
    size_t n;
};

/* As profile_load. `out` is zeroed on failure. */
FL_MUST enum fl_err station_file_load(const char *path, struct station_file *out,
                                      struct profile_problems *problems);
void station_file_fini(struct station_file *s);

#endif
