/* SPDX-License-Identifier: Apache-2.0
 * Where there is no sysfs: ports are known by name alone. See ports_linux.c. */
#ifndef __linux__
#include "link/ports_internal.h"

#include <string.h>

void link_port_locate(const char *device, struct link_info *info)
{
    (void)device;
    (void)info;
}

enum fl_err link_port_at(const char *usb_path, char device[static LINK_URL_MAX], struct fl_why *why)
{
    device[0] = 0;
    return fl_fail(why, FL_UNSUPPORTED, "usb:%s: this system does not tell where ports are plugged in",
                   usb_path);
}

enum fl_err link_hub_places(const char *usb_path, link_place **out, size_t *n, struct fl_why *why)
{
    *out = NULL;
    *n = 0;
    return fl_fail(why, FL_UNSUPPORTED, "usb:%s.*: this system does not tell where ports are plugged in", usb_path);
}

void link_ports_use(const struct link_info *ports, size_t n, struct link_port_state *states)
{
    memset(states, 0, n * sizeof *states);
    for (size_t i = 0; i < n; i++)
        if (!link_port_permitted(ports[i].device, states[i].who))
            states[i].use = LINK_PORT_DENIED;
}
#else
typedef int fl_ports_plain_is_not_built_here;
#endif
