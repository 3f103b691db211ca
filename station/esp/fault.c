/* SPDX-License-Identifier: Apache-2.0 */
#include "esp/fault.h"

static const struct {
    const char *name, *text;
} faults[] = {
#define X(id, name, text) {name, text},
    ESP_FAULT_LIST(X)
#undef X
};

enum { N_FAULTS = sizeof faults / sizeof *faults };

const char *esp_fault_name(enum esp_fault f)
{
    return (unsigned)f < N_FAULTS ? faults[f].name : "";
}

const char *esp_fault_text(enum esp_fault f)
{
    return (unsigned)f < N_FAULTS ? faults[f].text : "unknown fault";
}
