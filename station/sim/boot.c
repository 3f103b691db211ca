/* SPDX-License-Identifier: Apache-2.0
 * Reset, what the chip says when it starts, and what it then runs. The ROM's lines are the chip table's;
 * the second stage's and the application's are in the form of ESP-IDF's log. */
#include "sim/appimage.h"
#include "sim/board_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* When things are said after a reset, pace real; what people see on a bench. */
enum {
    SECOND_STAGE_US = 30000, APP_US = 250000, REPL_US = 700000, PANIC_US = 300000, BROWNOUT_US = 150000,
    ROUND_US = 1000000, /* from one watchdog reset to the next: also with pace fast, so as not to flood */
    TALK_US = 200000,
};

/* ---- talk ------------------------------------------------------------------------------------------------ */

static void FL_PRINTF(3, 4) say(struct sim_board *b, uint64_t at, const char *fmt, ...)
{
    struct sim_talk *t = &b->talk;
    char line[600];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    fl_buf_add(&t->text, line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
    if (t->steps > 0 && (t->step[t->steps - 1].at == at || t->steps == SIM_TALK_STEPS)) {
        t->step[t->steps - 1].end = t->text.len;
        return;
    }
    t->step[t->steps].at = at;
    t->step[t->steps++].end = t->text.len;
}

static void hush(struct sim_board *b)
{
    fl_buf_clear(&b->talk.text);
    b->talk.said = b->talk.steps = b->talk.next = 0;
    b->talk.again_at = SIM_NEVER;
}

uint64_t sim_talk_due(const struct sim_board *b)
{
    const struct sim_talk *t = &b->talk;
    return t->next < t->steps ? t->step[t->next].at : t->again_at;
}

/* ---- reset ------------------------------------------------------------------------------------------------ */

void sim_halt(struct sim_board *b)
{
    hush(b);
    sim_stub_finish(b);
    sim_stub_fini(b);
    sim_rom_fini(b);
    sim_ram_clear(&b->ram);
    memset(&b->regs, 0, sizeof b->regs);
    sim_chip_fill(&b->spec, &b->regs);
    b->chip_baud = b->spec.chip->boot_baud;
    b->next_baud_at = b->watchdog_at = SIM_NEVER;
    b->autobaud = false;
    b->panics = 0;
    b->mode = SIM_OFF;
}

static const char *cause_text(const struct sim_chip *c, enum sim_cause cause)
{
    switch (cause) {
    case SIM_CAUSE_WATCHDOG: return c->words.watchdog;
    case SIM_CAUSE_BROWNOUT: return c->words.brownout;
    case SIM_CAUSE_SOFTWARE: return c->words.software;
    case SIM_CAUSE_POWER: break;
    }
    return c->words.power_on;
}

void sim_start(struct sim_board *b, bool download, enum sim_cause cause)
{
    const struct sim_chip *c = b->spec.chip;
    if (sim_habit(b, SIM_FAULT_APP_ONLY))
        download = false;
    if (sim_habit(b, SIM_FAULT_DOWNLOAD_ONLY))
        download = true;
    sim_halt(b);
    if (cause == SIM_CAUSE_BROWNOUT)
        say(b, b->now, "\r\nBrownout detector was triggered\r\n\r\n");
    say(b, b->now, "%s%s%s", c->words.banner, cause_text(c, cause),
        download ? c->words.download : c->words.run);
    if (download) {
        sim_rom_reset(b);
        b->mode = SIM_ROM;
        b->autobaud = true;
    } else {
        sim_run_flash(b);
    }
}

/* ---- what runs --------------------------------------------------------------------------------------------- */

static void again(struct sim_board *b, uint64_t us)
{
    b->talk.again_at = b->now + us * 1000;
}

static void say_no_image(struct sim_board *b, const struct sim_image *i)
{
    uint64_t at = b->now;
    if (b->spec.chip->image_id < 0) {
        say(b, at, "ets_main.c 485 \r\n");
    } else {
        for (int k = 0; k < 8; k++)
            say(b, at + sim_takes(b, (double)(k * 20000)), "%s\r\n", i->why);
    }
    again(b, ROUND_US);
}

static void say_loads(struct sim_board *b, const struct sim_image *i)
{
    static const char *const modes[] = {"QIO", "QOUT", "DIO", "DOUT"};
    say(b, b->now, "mode:%s, clock div:%d\r\n", i->mode < 4 ? modes[i->mode] : "?",
        (i->size_freq & 15) == 15 ? 1 : 2);
    for (unsigned k = 0; k < i->segments; k++)
        say(b, b->now, "load:0x%08x,len:%u\r\n", (unsigned)i->load[k], (unsigned)i->len[k]);
    say(b, b->now, "entry 0x%08x\r\n", (unsigned)i->entry);
}

static void say_app(struct sim_board *b, const struct sim_image *app)
{
    uint64_t at = b->now + sim_takes(b, APP_US), repl = b->now + sim_takes(b, REPL_US);
    char text[SIM_TEXT_MAX];
    if (app->has_desc) {
        say(b, at, "I (250) cpu_start: Application information:\r\n"
                   "I (252) cpu_start: Project name:     %s\r\n"
                   "I (256) cpu_start: App version:      %s\r\n"
                   "I (260) cpu_start: Compile time:     %s\r\n"
                   "I (264) cpu_start: ESP-IDF:          %s\r\n",
            app->project, app->version, app->built, app->idf);
    }
    say(b, at, "I (280) cpu_start: Starting scheduler on PRO CPU.\r\n"
               "I (300) main: Calling app_main()\r\n");
    if (sim_image_text(&b->flash, app, "MicroPython", text))
        say(b, repl, "\r\n%s%s\r\nType \"help()\" for more information.\r\n>>> ", text,
            strchr(text, ' ') ? "" : " on a simulated board");
}

static void say_no_app(struct sim_board *b, const char *why)
{
    uint64_t at = b->now + sim_takes(b, SECOND_STAGE_US);
    say(b, at, "E (60) esp_image: %s\r\nE (66) boot: No bootable app partitions in the partition table\r\n",
        why);
    again(b, ROUND_US);
}

static void say_second_stage(struct sim_board *b)
{
    struct sim_partition row[SIM_PARTITIONS_MAX];
    struct sim_image app;
    uint64_t at = b->now + sim_takes(b, SECOND_STAGE_US);
    size_t n = sim_table_read(&b->flash, row);
    say(b, at, "I (30) boot: ESP-IDF 2nd stage bootloader\r\n");
    if (n == 0) {
        say(b, at, "E (50) flash_parts: partition 0 invalid magic number\r\n"
                   "E (55) boot: Failed to verify partition table\r\n");
        again(b, ROUND_US);
        return;
    }
    say(b, at, "I (40) boot: Partition Table:\r\n");
    for (size_t i = 0; i < n; i++)
        say(b, at, "I (44) boot: %2zu %-16s type %02x subtype %02x offset %08x size %08x\r\n", i,
            row[i].label, row[i].type, row[i].subtype, (unsigned)row[i].at, (unsigned)row[i].size);
    const struct sim_partition *p = sim_table_app(&b->flash, row, n);
    if (!p) {
        say_no_app(b, "no application partition");
        return;
    }
    sim_image_read(&b->flash, b->spec.chip, p->at, p->size, &app);
    if (!app.ok) {
        say_no_app(b, app.why);
        return;
    }
    say(b, at, "I (58) boot: Loaded app from partition at offset 0x%x\r\n", (unsigned)p->at);
    say_app(b, &app);
}

/* An application that a scenario put there, whatever lies in flash. */
static bool say_habit(struct sim_board *b)
{
    if (sim_habit(b, SIM_FAULT_TALK)) {
        say(b, b->now + sim_takes(b, APP_US), "temperature 23.%u C, humidity 41 %%, battery 3.%u V\r\n",
            (unsigned)sim_rng_below(&b->rng, 10), (unsigned)sim_rng_below(&b->rng, 10));
        again(b, TALK_US);
        return true;
    }
    if (sim_habit(b, SIM_FAULT_PANIC)) {
        say(b, b->now + sim_takes(b, PANIC_US),
            "Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.\r\n"
            "Core 0 register dump:\r\nPC      : 0x400d1f3a  PS      : 0x00060730\r\n"
            "Backtrace:0x400d1f37:0x3ffb5f50 0x400d2b11:0x3ffb5f70\r\n\r\nRebooting...\r\n");
        again(b, ROUND_US);
        return true;
    }
    if (sim_habit(b, SIM_FAULT_BROWNOUTS)) {
        say(b, b->now + sim_takes(b, BROWNOUT_US), "\r\nBrownout detector was triggered\r\n\r\n");
        again(b, ROUND_US);
        return true;
    }
    return false;
}

void sim_run_flash(struct sim_board *b)
{
    struct sim_image boot;
    b->mode = SIM_APP;
    if (say_habit(b))
        return;
    sim_image_read(&b->flash, b->spec.chip, b->spec.chip->boot_at, b->spec.flash.size, &boot);
    if (!boot.ok) {
        say_no_image(b, &boot);
        return;
    }
    say_loads(b, &boot);
    if (boot.has_desc)
        say_app(b, &boot); /* an application where the bootloader belongs: the ROM starts it as it is */
    else
        say_second_stage(b);
}

/* The watchdog, or a panic's restart, ends a round; an application that talks just goes on. */
static void next_round(struct sim_board *b)
{
    hush(b);
    if (sim_habit(b, SIM_FAULT_TALK)) {
        (void)say_habit(b);
        return;
    }
    enum sim_cause cause = sim_habit(b, SIM_FAULT_PANIC)       ? SIM_CAUSE_SOFTWARE
                           : sim_habit(b, SIM_FAULT_BROWNOUTS) ? SIM_CAUSE_BROWNOUT
                                                               : SIM_CAUSE_WATCHDOG;
    const struct sim_chip *c = b->spec.chip;
    say(b, b->now, "%s%s%s", c->words.banner, cause_text(c, cause), c->words.run);
    sim_run_flash(b);
}

void sim_talk_tick(struct sim_board *b)
{
    struct sim_talk *t = &b->talk;
    if (t->next == t->steps) {
        next_round(b);
        return;
    }
    size_t end = t->step[t->next].end;
    t->next++;
    if (end > t->text.len)
        end = t->text.len;
    if (end > t->said)
        sim_send(b, 0, t->text.bytes + t->said, end - t->said);
    t->said = end;
}
