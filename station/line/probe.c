/* SPDX-License-Identifier: Apache-2.0
 * probe.c: is there a port, and is the board of the last attempt still there? */
#include "line/attempt.h"

#include <string.h>

bool attempt_open(struct attempt *a)
{
    return a->link || link_open(a->slot->port, a->wake, fl_deadline_in_ms(ATTEMPT_OPEN_MS), &a->link,
                                NULL) == FL_OK;
}

bool attempt_still_there(struct attempt *a, bool probe)
{
    uint8_t bytes[256];
    size_t got;
    if (!a->link)
        return false;
    /* what the program says meanwhile is read away; a vanished port shows here */
    for (int i = 0; i < 64; i++) {
        enum fl_err err = link_read(a->link, bytes, sizeof bytes, &got, fl_deadline_in_ms(1));
        if (err == FL_TIMEOUT || err == FL_CANCELLED)
            break;
        if (err) {
            link_close(a->link);
            a->link = NULL;
            return false;
        }
    }
    if (!probe)
        return true;
    struct esp_config config = a->profile->esp;
    struct esp_observer none = {0};
    struct esp_tuning tuning = a->tuning.now;
    struct esp_problem p = {0};
    struct esp_unit u = {0};
    struct esp *e = NULL;
    config.connect_attempts = 1;
    config.chip = NULL;
    if (a->slot->reset)
        config.reset = a->slot->reset;
    bool there = true;
    if (esp_open(a->link, &config, &tuning, &none, &e) == FL_OK) {
        if (esp_connect(e, &p))
            there = p.fault != ESP_FAULT_LINK_SILENT && p.fault != ESP_FAULT_LINK_LOST;
        else if (esp_identify(e, &u, &p) == FL_OK && a->facts.has_mac && u.has_mac)
            there = memcmp(u.mac, a->facts.mac, 6) == 0;
        if (there && p.fault == ESP_FAULT_NONE && esp_run(e, &p))
            there = p.fault != ESP_FAULT_LINK_LOST;
        esp_close(e);
    }
    if (p.fault == ESP_FAULT_LINK_LOST) {
        link_close(a->link);
        a->link = NULL;
    }
    return there;
}
