/* SPDX-License-Identifier: Apache-2.0
 * Where there is no sysfs: ports are known by name alone. See ports_linux.c. */
#ifndef __linux__
#include "link/ports_internal.h"

#include <libserialport.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum fl_err link_port_devices(struct link_info **out, size_t *n, struct fl_why *why)
{
    struct sp_port **list = NULL;
    *out = NULL;
    *n = 0;
    enum sp_return ret = sp_list_ports(&list);
    if (ret == SP_ERR_FAIL)
        return fl_fail_os(why, "cannot list the serial ports");
    if (ret != SP_OK)
        return fl_fail(why, ret == SP_ERR_MEM ? FL_NOMEM : FL_UNSUPPORTED,
                       "serial ports cannot be listed on this system");
    size_t count = 0;
    while (list[count])
        count++;
    struct link_info *ports = count ? calloc(count, sizeof *ports) : NULL;
    for (size_t i = 0; ports && i < count; i++)
        (void)snprintf(ports[i].device, sizeof ports[i].device, "%s", sp_get_port_name(list[i]));
    sp_free_port_list(list);
    if (count && !ports)
        return fl_fail(why, FL_NOMEM, "no memory for %zu ports", count);
    *out = ports;
    *n = count;
    return FL_OK;
}

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
