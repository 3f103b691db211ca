/* SPDX-License-Identifier: Apache-2.0
 *
 * ports.h: which serial ports this machine has now, and where they are plugged in.
 *
 * The tty name of a USB port changes with the order of plugging; the USB place ("1-1.4.1": bus, then
 * the chain of hub ports) does not. A slot is bound to a place. A USB device with several serial ports
 * (FT2232, CP2105, CH342) sits at one place; there, and only there, the interface follows the place:
 * "1-1.4.1:1.1".
 *
 * Sources of facts: sysfs on Linux for names, the place and the driver, libserialport for VID:PID and descriptor texts
 * (sysfs for those too where a port has no node in /dev, as in a container that was not given it), and /proc for who
 * holds a port. Elsewhere libserialport for names; places and holders are not known.
 *
 * Thread rule: no shared state.
 */
#ifndef FL_LINK_PORTS_H
#define FL_LINK_PORTS_H

#include "link/link.h"

/* A new array the caller frees with free(); sorted by USB place (ports in the order of their numbers,
 * 1-1.2 before 1-1.10; what has no place last), then by device name. FL_OK with *n 0 and *out NULL: there are none. No
 * port is opened for it on Linux. url is "usb:PLACE" where there is a place, else the device: what a
 * station file takes. */
FL_MUST enum fl_err link_ports(struct link_info **out, size_t *n, struct fl_why *why);

/* "Silicon Labs CP2102/CP2104", "WCH CH9102", ... or "" : names for well-known VID:PID pairs. */
const char *link_bridge_name(uint16_t vid, uint16_t pid);

/* The tty at this USB place now, by a look at that place alone: cheap enough to ask again and again.
 * FL_NOT_FOUND when nothing is plugged in there, or when no driver has made a tty of it (the why
 * tells them apart). FL_FORMAT when several ports sit there: the why lists them. FL_UNSUPPORTED where
 * the system does not tell places. */
FL_MUST enum fl_err link_port_at(const char *usb_path, char device[static LINK_URL_MAX],
                                 struct fl_why *why);

/* Is there something to open at this URL now? By a look alone: nothing is opened. LINK_UNKNOWN for network ports,
 * which only opening can tell. */
enum link_known link_port_there(const char *url);

/* The sockets of a hub in the order of their numbers: "1-1.1", "1-1.2", ...; of the root hub of a bus, which is called by
 * the number of the bus, "1-1", "1-2", ... Where a hub sits in one of them, as in
 * hubs of seven that are two of four, its sockets stand in its place. *out is a new array of *n texts, freed with
 * free(). FL_NOT_FOUND: no hub there now. FL_UNSUPPORTED where the system does not tell. */
enum { LINK_HUB_MAX = 256 };
typedef char link_place[LINK_TEXT_MAX];
FL_MUST enum fl_err link_hub_places(const char *usb_path, link_place **out, size_t *n, struct fl_why *why);

/* What stands in the way of opening a port, found without opening it (that would move its lines and
 * could reset a board that somebody works with). */
enum link_port_use { LINK_PORT_UNKNOWN, LINK_PORT_FREE, LINK_PORT_BUSY, LINK_PORT_DENIED };
struct link_port_state {
    enum link_port_use use;
    char who[LINK_TEXT_MAX]; /* busy: "1234 minicom" where it may be seen; denied: the group that owns it */
};
/* For n ports at once. `states` has n entries. Another user's process may stay unseen. */
void link_ports_use(const struct link_info *ports, size_t n, struct link_port_state *states);

#endif
