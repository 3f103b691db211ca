/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/doctor_words.h"

#include "cli/cli.h"
#include "link/ports.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK_MAX = 0x1800 };

static const char *known(enum link_known k)
{
    return k == LINK_YES ? "yes" : k == LINK_NO ? "no" : "unknown";
}

static const char *state(enum esp_tristate t)
{
    return t == ESP_ON ? "on" : t == ESP_OFF ? "off" : "unknown";
}

/* ---- text --------------------------------------------------------------------------------------- */

static void print_bridge(const struct link_info *l)
{
    const char *name = link_bridge_name(l->usb_vid, l->usb_pid);
    cli_print("%s", l->url);
    if (l->device[0] && strcmp(l->device, l->url) != 0)
        cli_print(" (%s)", l->device);
    putchar('\n');
    if (l->usb_vid)
        cli_print("  bridge     %04x:%04x %s, serial %s, driver %s, at usb:%s\n", l->usb_vid, l->usb_pid,
               name[0] ? name : l->product, l->usb_serial[0] ? l->usb_serial : "-", l->driver[0] ? l->driver : "-",
               l->usb_path);
    if (l->usb_mbps)
        cli_print("  usb        %u Mbit/s\n", l->usb_mbps);
    if (l->kind == LINK_SERIAL && l->device[0])
        cli_print("  latency    low latency mode: %s", known(l->low_latency));
    if (l->kind == LINK_SERIAL && l->device[0] && l->latency_ms)
        cli_print(", timer %u ms before", l->latency_ms);
    if (l->kind == LINK_SERIAL && l->device[0])
        putchar('\n');
}

static void print_board(const struct doctor_facts *f)
{
    const struct esp_unit *u = &f->unit;
    if (!u->chip)
        return;
    cli_print("  board      %s", u->chip);
    if (u->revision != UINT_MAX)
        cli_print(" v%u.%u", u->revision / 100, u->revision % 100);
    if (u->has_mac)
        cli_print(", %02x:%02x:%02x:%02x:%02x:%02x", u->mac[0], u->mac[1], u->mac[2], u->mac[3], u->mac[4], u->mac[5]);
    cli_print("; secure boot %s, flash encryption %s, secure download %s, JTAG lock %s\n", state(u->security.secure_boot),
           state(u->security.flash_encryption), state(u->security.secure_download), state(u->security.jtag_off));
}

static void print_numbers(const struct doctor_facts *f)
{
    for (size_t i = 0; i < f->n_cells; i++) {
        const struct doctor_cell *c = &f->cells[i];
        cli_print("  %-10s %6u baud, blocks of %4u bytes", i ? "" : "blocks", c->baud, c->block);
        if (c->burst)
            cli_print(", %u bytes then %u us", c->burst, c->gap_us);
        cli_print(": %u of %u damaged", c->refused + c->lost, c->sent);
        if (c->lost)
            cli_print(", %u of them whole frames", c->lost);
        putchar('\n');
    }
    for (size_t i = 0; i < f->n_losses; i++) {
        const struct doctor_losses *l = &f->losses[i];
        cli_print("  losses     %6u baud, blocks of %4u bytes that were one or two too long: %u of %u arrived right", l->baud, l->block,
               l->taken, l->sent);
        for (size_t q = 0; q < DOCTOR_QUARTERS; q++)
            if (l->taken_in[q])
                cli_print("; lost in bytes %zu to %zu: %u of %u", q * l->block / DOCTOR_QUARTERS,
                       (q + 1) * l->block / DOCTOR_QUARTERS - 1, l->taken_in[q], l->sent_in[q]);
        putchar('\n');
    }
    for (size_t i = 0; i < f->n_speeds; i++)
        if (!f->speeds[i].proved)
            cli_print("  speed      %6u baud: not understood\n", f->speeds[i].baud);
}

static void print_setting(const struct doctor_setting *s)
{
    if (!s->baud) {
        puts("  setting    none that was tried carries every block: flashing will need to send some again");
        return;
    }
    cli_print("  setting    serial: {baud: %u}", s->baud);
    if (s->ram_block < BLOCK_MAX)
        cli_print("; RAM blocks of at most %u bytes (found by itself when flashing)", s->ram_block);
    if (s->burst)
        cli_print("; writes of %u bytes with pauses of %u us (found by itself when flashing)", s->burst, s->burst_gap_us);
    putchar('\n');
}

void doctor_print(const struct doctor_facts *f, const struct doctor_finding *found, size_t n)
{
    struct doctor_setting s = doctor_setting(f);
    print_bridge(&f->link);
    print_board(f);
    for (size_t i = 0; i < n; i++) {
        cli_print("  %-10s %s: %s (%s)\n", i ? "also" : "verdict", found[i].cause, found[i].title, doctor_sure_name(found[i].sure));
        cli_print("  %-10s %s\n  %-10s %s\n", "evidence", found[i].evidence, "advice", found[i].advice);
    }
    if (f->ram)
        print_setting(&s);
    print_numbers(f);
}

/* ---- JSON --------------------------------------------------------------------------------------- */

/* Text of descriptors and chips: made clean. Members that are empty are left out. */
static bool text(json_t *o, const char *key, const char *s)
{
    return !*s || fl_json_set_dirty(o, key, s, strlen(s)) == FL_OK;
}

static json_t *bridge_json(const struct link_info *l)
{
    char id[10] = "";
    json_t *o = json_object();
    if (l->usb_vid)
        (void)snprintf(id, sizeof id, "%04x:%04x", l->usb_vid, l->usb_pid);
    bool ok = o && text(o, "usb_id", id) && text(o, "name", link_bridge_name(l->usb_vid, l->usb_pid)) &&
              text(o, "product", l->product) && text(o, "serial", l->usb_serial) && text(o, "driver", l->driver) &&
              text(o, "usb_path", l->usb_path) && text(o, "device", l->device) &&
              text(o, "low_latency", known(l->low_latency)) &&
              (!l->usb_mbps || json_object_set_new(o, "usb_mbps", json_integer(l->usb_mbps)) == 0) &&
              (!l->latency_ms || json_object_set_new(o, "latency_ms", json_integer(l->latency_ms)) == 0);
    if (ok)
        return o;
    json_decref(o);
    return NULL;
}

static json_t *board_json(const struct doctor_facts *f)
{
    const struct esp_unit *u = &f->unit;
    char mac[18] = "", revision[24] = "";
    if (!u->chip)
        return json_null();
    if (u->has_mac)
        (void)snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", u->mac[0], u->mac[1], u->mac[2], u->mac[3],
                       u->mac[4], u->mac[5]);
    if (u->revision != UINT_MAX)
        (void)snprintf(revision, sizeof revision, "%u.%u", u->revision / 100, u->revision % 100);
    return json_pack("{ss ss ss ss ss ss ss}", "chip", u->chip, "revision", revision, "mac", mac, "secure_boot",
                     state(u->security.secure_boot), "flash_encryption", state(u->security.flash_encryption),
                     "secure_download", state(u->security.secure_download), "jtag_off", state(u->security.jtag_off));
}

static json_t *list_json(const struct doctor_facts *f, int which)
{
    json_t *list = json_array();
    size_t n = which == 0 ? f->n_cells : which == 1 ? f->n_losses : f->n_speeds;
    for (size_t i = 0; list && i < n; i++) {
        const struct doctor_cell *c = &f->cells[i < DOCTOR_CELLS_MAX ? i : 0];
        const struct doctor_losses *l = &f->losses[i < DOCTOR_SPEEDS_MAX ? i : 0];
        const struct doctor_speed *s = &f->speeds[i < DOCTOR_SPEEDS_MAX ? i : 0];
        json_t *o = which == 0
                        ? json_pack("{si si si si si si si}", "baud", (int)c->baud, "block", (int)c->block, "burst",
                                    (int)c->burst, "gap_us", (int)c->gap_us, "sent", (int)c->sent, "refused",
                                    (int)c->refused, "lost", (int)c->lost)
                    : which == 1
                        ? json_pack("{si si si si s[iiii] s[iiii]}", "baud", (int)l->baud, "block", (int)l->block, "sent", (int)l->sent, "taken",
                                    (int)l->taken, "sent_in", (int)l->sent_in[0], (int)l->sent_in[1], (int)l->sent_in[2],
                                    (int)l->sent_in[3], "taken_in", (int)l->taken_in[0], (int)l->taken_in[1],
                                    (int)l->taken_in[2], (int)l->taken_in[3])
                        : json_pack("{si sb}", "baud", (int)s->baud, "proved", s->proved);
        if (json_array_append_new(list, o) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *findings_json(const struct doctor_finding *found, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < n; i++) {
        json_t *o = json_pack("{ss ss ss ss}", "cause", found[i].cause, "title", found[i].title, "sure",
                              doctor_sure_name(found[i].sure), "advice", found[i].advice);
        if (!o || !text(o, "evidence", found[i].evidence) || json_array_append(list, o) != 0) {
            json_decref(list);
            list = NULL;
        }
        json_decref(o);
    }
    return list;
}

json_t *doctor_json(const struct doctor_facts *f, const struct doctor_finding *found, size_t n)
{
    struct doctor_setting s = doctor_setting(f);
    json_t *o = json_pack("{so so ss ss so so so so}", "bridge", bridge_json(&f->link), "board", board_json(f), "verdict",
                          found[0].cause, "sure", doctor_sure_name(found[0].sure), "findings", findings_json(found, n),
                          "blocks", list_json(f, 0), "losses", list_json(f, 1), "speeds", list_json(f, 2));
    json_t *setting = s.baud ? json_pack("{si si si si}", "baud", (int)s.baud, "ram_block", (int)s.ram_block, "burst",
                                         (int)s.burst, "burst_gap_us", (int)s.burst_gap_us)
                             : json_null();
    json_t *text_seen = json_pack("{si sb si}", "restarts", (int)f->restarts, "brownout", f->brownout, "answers_cut", (int)f->cut);
    bool ok = o && json_object_set_new(o, "setting", setting) == 0;
    ok = ok && json_object_set_new(o, "signs", text_seen) == 0 && text(o, "port", f->link.url) && text(o, "said", f->quote);
    if (ok)
        return o;
    json_decref(o);
    return NULL;
}
