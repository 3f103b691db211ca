/* SPDX-License-Identifier: Apache-2.0
 * Listing serial ports and naming the bridges on them. */
#include "link/link_internal.h"
#include "link/ports_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libserialport.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Ids as seen on ESP boards and programmers; from the makers' product pages and the USB ID list. One id
 * may stand for several chips: then the product text in the descriptor tells more. */
static const struct {
    uint16_t vid, pid;
    const char *name;
} bridges[] = {
    {0x0403, 0x6001, "FTDI FT232R"},
    {0x0403, 0x6010, "FTDI FT2232"},
    {0x0403, 0x6011, "FTDI FT4232"},
    {0x0403, 0x6014, "FTDI FT232H"},
    {0x0403, 0x6015, "FTDI FT230X/FT231X"},
    {0x067b, 0x2303, "Prolific PL2303"},
    {0x10c4, 0xea60, "Silicon Labs CP2102/CP2104"},
    {0x10c4, 0xea63, "Silicon Labs CP2102N"},
    {0x10c4, 0xea64, "Silicon Labs CP2102C"},
    {0x10c4, 0xea70, "Silicon Labs CP2105"},
    {0x10c4, 0xea71, "Silicon Labs CP2108"},
    {0x1a86, 0x5523, "WCH CH341"},
    {0x1a86, 0x55d2, "WCH CH342"},
    {0x1a86, 0x55d3, "WCH CH343"},
    {0x1a86, 0x55d4, "WCH CH9102"},
    {0x1a86, 0x7523, "WCH CH340"},
    {0x303a, 0x0002, "Espressif ESP32-S2 USB-OTG"},
    {0x303a, 0x0009, "Espressif ESP32-S3 USB-OTG"},
    {0x303a, 0x0012, "Espressif ESP32-P4 USB-OTG"},
    {0x303a, 0x1001, "Espressif USB-Serial/JTAG"},
};

const char *link_bridge_name(uint16_t vid, uint16_t pid)
{
    for (size_t i = 0; i < sizeof bridges / sizeof *bridges; i++)
        if (bridges[i].vid == vid && bridges[i].pid == pid)
            return bridges[i].name;
    return "";
}

void link_port_text(char *to, size_t cap, const char *from)
{
    size_t n = 0;
    for (; from && *from && n + 1 < cap; from++)
        to[n++] = (unsigned char)*from < 0x20 || *from == 0x7f ? '?' : *from;
    to[n] = 0;
}

/* What libserialport tells of a device that has its node in /dev; of one that has not it tells nothing from 0.1.2 on. */
static void ask(const char *device, struct link_info *info)
{
    struct sp_port *port = NULL;
    int vid = 0, pid = 0;
    if (sp_get_port_by_name(device, &port) != SP_OK)
        return;
    link_port_text(info->device, sizeof info->device, sp_get_port_name(port));
    if (sp_get_port_usb_vid_pid(port, &vid, &pid) == SP_OK) {
        info->usb_vid = (uint16_t)vid;
        info->usb_pid = (uint16_t)pid;
    }
    link_port_text(info->usb_serial, sizeof info->usb_serial, sp_get_port_usb_serial(port));
    link_port_text(info->product, sizeof info->product, sp_get_port_usb_product(port));
    sp_free_port(port);
}

void link_port_describe(const char *device, struct link_info *info)
{
    (void)snprintf(info->device, sizeof info->device, "%s", device);
    ask(device, info);
    link_port_locate(info->device, info);
    info->kind = LINK_SERIAL;
    info->low_latency = LINK_UNKNOWN;
}

/* "1-1.10" after "1-1.2": the numbers count, not the characters. */
static int compare_places(const char *a, const char *b)
{
    while (*a && *b) {
        unsigned long x = strtoul(a, (char **)&a, 10), y = strtoul(b, (char **)&b, 10);
        if (x != y)
            return x < y ? -1 : 1;
        if (*a != *b)
            break;
        a += *a != 0;
        b += *b != 0;
    }
    return (int)(unsigned char)*a - (int)(unsigned char)*b;
}

static int compare(const void *va, const void *vb)
{
    const struct link_info *a = va, *b = vb;
    if (!a->usb_path[0] != !b->usb_path[0])
        return a->usb_path[0] ? -1 : 1;
    int c = compare_places(a->usb_path, b->usb_path);
    return c ? c : strcmp(a->device, b->device);
}

enum fl_err link_ports(struct link_info **out, size_t *n, struct fl_why *why)
{
    enum fl_err err = link_port_devices(out, n, why);
    for (size_t i = 0; !err && i < *n; i++) {
        struct link_info *p = &(*out)[i];
        char device[LINK_URL_MAX];
        memcpy(device, p->device, sizeof device);
        link_port_describe(device, p);
        if (p->usb_path[0])
            (void)snprintf(p->url, sizeof p->url, "usb:%s", p->usb_path);
        else
            memcpy(p->url, p->device, sizeof p->url);
    }
    if (!err && *n)
        qsort(*out, *n, sizeof **out, compare);
    return err;
}

bool link_port_permitted(const char *device, char group[static LINK_TEXT_MAX])
{
    group[0] = 0;
    if (faccessat(AT_FDCWD, device, R_OK | W_OK, AT_EACCESS) == 0 || errno != EACCES)
        return true;
    struct stat st;
    struct group gr, *found = NULL;
    char text[4096];
    if (stat(device, &st) != 0 || (st.st_mode & (S_IRGRP | S_IWGRP)) != (S_IRGRP | S_IWGRP))
        return false;
    if (getgrgid_r(st.st_gid, &gr, text, sizeof text, &found) == 0 && found)
        (void)snprintf(group, LINK_TEXT_MAX, "%s", found->gr_name);
    else
        (void)snprintf(group, LINK_TEXT_MAX, "%u", (unsigned)st.st_gid);
    return false;
}

enum link_known link_port_there(const char *url)
{
    struct link_url u;
    struct stat st;
    char device[LINK_URL_MAX];
    if (link_url_parse(url, &u, NULL) || (u.kind != LINK_SERIAL && u.kind != LINK_PTY))
        return LINK_UNKNOWN;
    if (u.place[0] && link_port_at(u.place, device, NULL))
        return LINK_NO;
    return stat(u.place[0] ? device : u.path, &st) == 0 ? LINK_YES : LINK_NO;
}
