/* SPDX-License-Identifier: Apache-2.0
 * The stub into the chip's RAM.
 *
 *   for text and data: MEM_BEGIN(size, blocks, block size, address), MEM_DATA 0, 1, 2, ...
 *   MEM_END(0, entry) ──► OK, perhaps ──► C0 4F 48 41 49 C0: the stub greets
 *
 * A ROM that found bytes changed on the way answers 01 07: it has used the sequence number up and
 * stored nothing, so the same block goes again under the next number and the count goes on from
 * there. Under the same number it would be refused for ever. A BEGIN at any address starts afresh there, and what was
 * stored before stays: so what has arrived is sent once, whatever happens to later blocks, until the chip is reset. (Seen on
 * ROM code of ESP32 and ESP32-C3.) */
#include "esp/session.h"

#include <stdio.h>
#include <limits.h>
#include <string.h>

enum {
    SWITCH_MS = 2000,
    RAM_BLOCK = 0x1800,
    OTG_BLOCK = 0x800, /* the ROM's USB-OTG has no room for more */
};

static uint32_t block_size(const struct esp *e)
{
    uint32_t most = e->usb == USB_OTG ? OTG_BLOCK : RAM_BLOCK;
    return e->tune.ram_block && e->tune.ram_block < most ? e->tune.ram_block : most;
}

/* One block, under as many numbers as it takes. */
static enum fl_err block(struct esp *e, uint32_t addr, const uint8_t *p, size_t n, uint32_t *seq)
{
    char what[64];
    (void)snprintf(what, sizeof what, " (%zu bytes at %08x)", n, addr);
    for (unsigned i = 0;; i++) {
        struct answer a;
        uint32_t baud = link_baud(e->link), wire_ms = baud ? (uint32_t)(n * 10000 / baud) : 0;
        /* no work stands behind it: where things get lost, a silence is a loss */
        uint32_t ms = esp_line_bad(e) ? e->times.probe + 2 * wire_ms : e->times.command;
        fl_buf_clear(&e->tx);
        packet_block(&e->tx, OP_MEM_DATA, (*seq)++, p, n, 0);
        enum fl_err err = fl_buf_err(&e->tx, NULL);
        if (!err)
            err = wire_send(e, e->tx.bytes, e->tx.len);
        if (!err)
            err = wire_await(e, OP_MEM_DATA, 0, ms, &a);
        esp_sent(e, n);
        e->carried += !err && n <= ESP_SHORT_BLOCK;
        if (!err)
            return FL_OK;
        err = esp_fail_command(e, OP_MEM_DATA, err, &a, ms, what);
        if (e->trouble != TROUBLE_DAMAGED)
            return err;
        e->problem.fault = ESP_FAULT_RAM_CHECKSUM;
        if (!esp_again(e, i + 1))
            return err;
        esp_rung(e, ESP_RUNG_RESEND, (uint32_t)n, "%s; sent again as number %u", e->problem.text,
                 *seq);
    }
}

/* From *at to its end, under one BEGIN; *at stands at what was not acknowledged. */
static enum fl_err rest(struct esp *e, const struct stub_segment *s, uint32_t size, uint32_t *at)
{
    uint32_t seq = 0, n = (uint32_t)s->n;
    uint32_t begin[] = {n - *at, (n - *at + size - 1) / size, size, s->addr + *at};
    enum fl_err err = esp_words(e, OP_MEM_BEGIN, begin, 4, e->times.command);
    while (*at < n && !err) {
        uint32_t part = n - *at < size ? n - *at : size;
        err = block(e, s->addr + *at, s->bytes + *at, part, &seq);
        *at += err ? 0 : part;
    }
    return err;
}

/* A block that was not answered, or refused for its number, may be in RAM or not: behind a BEGIN at its own address it is
 * written (again), and what came before it stays. Only where the line is known to lose things; else a silence is the chip's. */
static bool begin_there(struct esp *e)
{
    if (e->count.damaged + e->count.cut + e->revived == 0 || esp_line_hopeless(e) || (e->trouble != TROUBLE_SILENT && e->trouble != TROUBLE_REFUSED))
        return false;
    struct esp_problem was = e->problem;
    enum esp_trouble trouble = e->trouble;
    bool there = wire_resync(e) == FL_OK;
    e->problem = e->trouble == TROUBLE_DEAD ? e->problem : was;
    e->trouble = e->trouble == TROUBLE_DEAD ? TROUBLE_DEAD : trouble;
    e->revived += there && trouble == TROUBLE_SILENT;
    if (there)
        esp_rung(e, ESP_RUNG_RESYNC, 0, "%s; begun again at that block", was.text);
    return there;
}

static enum fl_err segment(struct esp *e, const struct stub_segment *s, uint32_t *at)
{
    enum { AGAIN = 4 }; /* at one place */
    uint32_t size = block_size(e), mark = 0;
    for (unsigned again = 0;; again++) {
        enum fl_err err = *at < s->n ? rest(e, s, size, at) : FL_OK;
        again = *at > mark ? 0 : again;
        mark = *at;
        if (!err || again == AGAIN || !begin_there(e))
            return err;
    }
}

/* ---- starting it -------------------------------------------------------------------------------- */

/* A stub sets its UART up anew when it raises the chip's clock, and may do so for the speed at which ROMs begin:
 * it is there, and is asked for the working speed later. */
static enum fl_err came_up_slow(struct esp *e, bool *stub)
{
    uint32_t fast = link_baud(e->link);
    enum fl_err err = link_set_baud(e->link, esp_connect_baud(e), fl_deadline_in_ms(SWITCH_MS));
    if (!err)
        err = wire_break(e);
    if (!err)
        err = esp_sync(e, e->times.sync, stub);
    if (err == FL_TIMEOUT)
        err = link_set_baud(e->link, fast, fl_deadline_in_ms(SWITCH_MS));
    return err;
}

static enum fl_err greeting(struct esp *e)
{
    enum fl_err err = wire_greeting(e, e->early ? e->times.early_greeting : e->times.greeting);
    bool stub = false;
    if (err == FL_TIMEOUT && e->early) {
        err = came_up_slow(e, &stub);
        if (err)
            return esp_fail_link(e, err, "setting the speed");
        if (stub)
            return FL_OK;
        err = wire_greeting(e, e->times.early_greeting);
    }
    /* the greeting itself may have been what was damaged */
    if (err == FL_TIMEOUT && !wire_break(e) && !esp_sync(e, e->times.sync, &stub) && stub) {
        esp_rung(e, ESP_RUNG_RESYNC, 0, "the stub did not greet, but answers");
        return FL_OK;
    }
    if (err == FL_TIMEOUT)
        return esp_fail(e, TROUBLE_GREETING, ESP_FAULT_STUB_SILENT, err,
                        "the stub was loaded in blocks of %u bytes and did not greet within %u ms",
                        block_size(e), e->times.greeting);
    return err ? esp_fail_command(e, OP_MEM_END, err, NULL, 0, "") : FL_OK;
}

static enum fl_err start(struct esp *e)
{
    uint8_t end[8] = {0};
    struct answer a;
    fl_put_u32le(end + 4, e->image->entry);
    enum fl_err err = esp_ask(e, OP_MEM_END, end, sizeof end, 0, e->times.mem_end, &a);
    if (err == FL_REFUSED) {
        e->problem.fault = ESP_FAULT_RAM_REFUSED;
        return err;
    }
    /* it may have jumped before its answer was out */
    if (err && err != FL_TIMEOUT && err != FL_FORMAT)
        return err;
    return greeting(e);
}

/* An ESP32-S3 under secure boot does not jump at MEM_END. Its ROM keeps a pointer to the function that
 * READ_FLASH_SLOW calls; the stub's entry is lent to it for one call. */
static enum fl_err start_through_pointer(struct esp *e)
{
    static const uint32_t pointer = 0x3fcef688;
    uint32_t saved, end[2] = {1, 0};
    uint8_t read[8] = {0};
    enum fl_err err = esp_words(e, OP_MEM_END, end, 2, e->times.command);
    if (!err)
        err = esp_read_reg_sure(e, pointer, &saved);
    if (!err)
        err = esp_write_reg(e, pointer, e->image->entry);
    if (err)
        return err;
    fl_buf_clear(&e->tx);
    packet_request(&e->tx, OP_READ_FLASH_SLOW, read, sizeof read);
    err = wire_send(e, e->tx.bytes, e->tx.len);
    if (err)
        return esp_fail_command(e, OP_READ_FLASH_SLOW, err, NULL, e->times.send, "");
    err = greeting(e);
    return err ? err : esp_write_reg(e, pointer, saved);
}

/* ---- the stage ---------------------------------------------------------------------------------- */

const struct stub *esp_stub_place(const struct esp *e, const struct chip *c)
{
    const char *why, *name = chip_stub_name(c, e->identified ? e->unit.revision : UINT_MAX, false, &why);
    bool closed = e->unit.security.secure_download == ESP_ON || e->stub;
    if (!name)
        name = c->stub;
    return name && !closed ? stub_find(name) : NULL;
}

/* Why there will be no stub, or NULL. */
static const char *why_rom(struct esp *e, const char **name)
{
    const char *why = NULL;
    bool secure = e->unit.security.secure_boot == ESP_ON;
    *name = NULL;
    if (e->unit.security.secure_download == ESP_ON)
        return "secure download mode takes no program into RAM";
    *name = chip_stub_name(e->chip, e->unit.revision, secure, &why);
    if (!why && e->config.stub == ESP_STUB_NEVER)
        why = "the configuration says so";
    if (!why && e->tune.rom_only && e->config.stub == ESP_STUB_AUTO)
        why = "no stub came up here";
    return why;
}

static enum fl_err upload(struct esp *e, const char *name)
{
    enum fl_err err = FL_OK;
    e->image = stub_find(name);
    if (!e->image)
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_INTERNAL, FL_NOT_FOUND, "this program carries no stub called %s", name);
    e->greeted = false;
    for (size_t i = 0; i < 2 && !err; i++)
        err = segment(e, &e->image->segments[i], &e->loaded[i]);
    if (err)
        return err;
    memset(e->loaded, 0, sizeof e->loaded); /* if it does not start, something is wrong with what is there */
    bool trick = e->chip->stub_rule == STUB_SECURE_TRICK && e->unit.security.secure_boot == ESP_ON;
    e->stub = true; /* from here on a stub may be listening, and its answers look like a stub's */
    err = trick ? start_through_pointer(e) : start(e);
    if (!err)
        err = esp_probe(e);
    return err;
}

enum fl_err esp_stage_load(struct esp *e)
{
    const char *name, *why = why_rom(e, &name);
    e->rom = why != NULL && !e->stub; /* one may be running already, from an earlier session or a lost answer */
    enum fl_err err = esp_power_flash(e); /* before a stub: it attaches the flash when it starts */
    if (err || e->stub)
        return err;
    if (why && e->config.stub == ESP_STUB_REQUIRED)
        return esp_fail(e, TROUBLE_DEAD, ESP_FAULT_RAM_REFUSED, FL_UNSUPPORTED,
                        "a stub is required and cannot be used: %s", why);
    if (why)
        return FL_OK;
    e->work = WORK_LOAD;
    esp_step(e, "stub");
    err = esp_speed_early(e); /* chips whose crystal had to be known first */
    if (!err)
        err = upload(e, name);
    if (err)
        e->stub = false;
    return err;
}
