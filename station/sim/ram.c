/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/ram.h"

#include <stdlib.h>
#include <string.h>

void sim_ram_clear(struct sim_ram *r)
{
    for (size_t i = 0; i < r->pages; i++)
        free(r->page[i]);
    memset(r, 0, sizeof *r);
}

static struct sim_ram_page *find(const struct sim_ram *r, uint32_t addr)
{
    for (size_t i = r->pages; i-- > 0;)
        if (r->page[i]->addr == addr - addr % SIM_RAM_PAGE)
            return r->page[i];
    return NULL;
}

static struct sim_ram_page *find_or_make(struct sim_ram *r, uint32_t addr)
{
    struct sim_ram_page *p = find(r, addr);
    if (!p && r->pages < SIM_RAM_PAGES && (p = calloc(1, sizeof *p))) {
        p->addr = addr - addr % SIM_RAM_PAGE;
        r->page[r->pages++] = p;
    }
    return p;
}

void sim_ram_begin(struct sim_ram *r, uint32_t addr, uint32_t len)
{
    if (r->uploads == SIM_UPLOADS_MAX) {
        memmove(r->upload, r->upload + 1, (SIM_UPLOADS_MAX - 1) * sizeof *r->upload);
        r->uploads--;
    }
    r->upload[r->uploads].addr = addr;
    r->upload[r->uploads].len = len;
    r->uploads++;
}

bool sim_ram_write(struct sim_ram *r, uint32_t addr, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n;) {
        struct sim_ram_page *p = find_or_make(r, addr + (uint32_t)i);
        if (!p)
            return false;
        for (size_t at = (addr + i) % SIM_RAM_PAGE; at < SIM_RAM_PAGE && i < n; at++, i++) {
            p->bytes[at] = bytes[i];
            p->written[at / 8] |= (uint8_t)(1u << at % 8);
        }
    }
    return true;
}

bool sim_ram_byte(const struct sim_ram *r, uint32_t addr, uint8_t *out)
{
    const struct sim_ram_page *p = find(r, addr);
    uint32_t at = addr % SIM_RAM_PAGE;
    if (!p || !(p->written[at / 8] >> at % 8 & 1))
        return false;
    *out = p->bytes[at];
    return true;
}
