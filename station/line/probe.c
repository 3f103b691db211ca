/* SPDX-License-Identifier: Apache-2.0
 * probe.c: is there a port, and is the board of the last attempt still there? */
#include "line/attempt.h"

#include <string.h>

enum { ASK_AGAIN_MS = 100 }; /* a contact that bounces is quiet by then */

bool attempt_open(struct attempt *a)
{
    return a->link || link_open(a->slot->port, a->wake, fl_deadline_in_ms(ATTEMPT_OPEN_MS), &a->link,
                                NULL) == FL_OK;
}

static void lost(struct attempt *a)
{
    link_close(a->link);
    a->link = NULL;
}

/* What the program says meanwhile is read away; a vanished port shows here. */
static bool port_there(struct attempt *a)
{
    uint8_t bytes[256];
    size_t got;
    for (int i = 0; i < 64; i++) {
        enum fl_err err = link_read(a->link, bytes, sizeof bytes, &got, fl_deadline_in_ms(1));
        if (err == FL_TIMEOUT || err == FL_CANCELLED)
            break;
        if (err) {
            lost(a);
            return false;
        }
    }
    return true;
}

/* One that talks and does not load is there; another MAC is another board. */
static bool board_there(struct attempt *a)
{
    struct esp_config config = a->profile->esp;
    struct esp_observer none = {0};
    struct esp_tuning tuning = a->tuning ? a->tuning->t.now : (struct esp_tuning){0};
    struct esp_problem p = {0};
    struct esp_unit u = {0};
    struct esp *e = NULL;
    bool there = true;
    config.connect_attempts = 1;
    config.chip = NULL;
    config.baud = 0; /* two questions: no speed is worth raising */
    if (a->slot->reset)
        config.reset = a->slot->reset;
    if (esp_open(a->link, &config, &tuning, &none, &e))
        return true; /* no memory: nothing is known */
    if (esp_connect(e, &p))
        there = p.fault != ESP_FAULT_LINK_SILENT && p.fault != ESP_FAULT_LINK_LOST;
    else if (esp_identify(e, &u, &p) == FL_OK && a->facts.has_mac && u.has_mac)
        there = memcmp(u.mac, a->facts.mac, 6) == 0;
    if (there && p.fault == ESP_FAULT_NONE && esp_run(e, &p))
        there = p.fault != ESP_FAULT_LINK_LOST;
    esp_close(e);
    if (p.fault == ESP_FAULT_LINK_LOST)
        lost(a);
    return there;
}

bool attempt_still_there(struct attempt *a, bool probe)
{
    if (!a->link || !port_there(a))
        return false;
    if (!probe || board_there(a))
        return true;
    return a->link && fl_wake_sleep(a->wake, fl_deadline_in_ms(ASK_AGAIN_MS)) == FL_OK && board_there(a);
}
