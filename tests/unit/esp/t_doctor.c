/* SPDX-License-Identifier: Apache-2.0
 * The doctor's rules: numbers in, verdict out, as a table. The numbers are written by hand as each cause would
 * make them. */
#include "unit/t.h"

#include "esp/doctor.h"

#include <stdio.h>
#include <string.h>

struct known {
    const char *name;
    enum esp_fault fault; /* what ended the examination */
    bool answered;
    /* at 115200: bad of sent for short blocks, long ones, and long ones with pauses */
    unsigned small_bad, small, large_bad, large, paced_bad, paced;
    unsigned taken, tried; /* blocks that were a byte too long */
    /* at `next` baud: long blocks; next_proved false: not understood. next 0: not tried */
    uint32_t next;
    bool next_proved;
    unsigned next_bad, next_sent;
    unsigned restarts;
    bool brownout, locked, app_panics;
    unsigned echoes;
    unsigned eaten;    /* values that do not arrive at the chip */
    uint32_t round_ms; /* an answer takes so long */
    const char *cause;
    enum doctor_sure sure;
    uint32_t baud, ram_block, burst; /* the setting */
};

static const struct known table[] = {
    {.name = "sound", .answered = true, .small = 26, .large = 8, .next = 230400, .next_proved = true, .next_sent = 6,
     .cause = "fine", .sure = DOCTOR_CERTAIN, .baud = 230400, .ram_block = 0x1800},
    {.name = "bursts, proved and cured", .answered = true, .small = 26, .large_bad = 8, .large = 8, .paced = 4, .taken = 3,
     .tried = 12, .cause = "bridge", .sure = DOCTOR_CERTAIN, .baud = 115200, .ram_block = 0x400},
    {.name = "bursts, cured, the ROM tells nothing", .answered = true, .small = 26, .large_bad = 5, .large = 8, .paced = 4,
     .cause = "bridge", .sure = DOCTOR_LIKELY, .baud = 115200, .ram_block = 0x400},
    {.name = "bursts at the higher speed only", .answered = true, .small = 26, .large = 8, .next = 460800,
     .next_proved = true, .next_bad = 6, .next_sent = 6, .taken = 4, .tried = 12, .cause = "bridge", .sure = DOCTOR_LIKELY,
     .baud = 115200, .ram_block = 0x1800},
    {.name = "flips", .answered = true, .small_bad = 4, .small = 26, .large_bad = 5, .large = 8, .paced_bad = 2, .paced = 4,
     .tried = 12, .cause = "cable", .sure = DOCTOR_CERTAIN, .baud = 0},
    {.name = "rare flips: pauses had luck", .answered = true, .small_bad = 1, .small = 26, .large_bad = 1, .large = 8,
     .paced = 4, .tried = 12, .cause = "cable", .sure = DOCTOR_LIKELY, .baud = 115200, .ram_block = 0x1800, .burst = 512},
    {.name = "flips that spare the short ones, pauses had luck", .answered = true, .small = 26, .large_bad = 2, .large = 8,
     .paced = 4, .tried = 12, .cause = "cable", .sure = DOCTOR_LIKELY, .baud = 115200, .ram_block = 0x400},
    {.name = "losses everywhere", .answered = true, .small_bad = 13, .small = 26, .large_bad = 8, .large = 8, .paced_bad = 4,
     .paced = 4, .taken = 2, .tried = 12, .cause = "losses", .sure = DOCTOR_LIKELY, .baud = 0},
    {.name = "a speed that damages", .answered = true, .small = 26, .large = 8, .next = 460800, .next_proved = true,
     .next_bad = 2, .next_sent = 6, .tried = 12, .cause = "speed", .sure = DOCTOR_CERTAIN, .baud = 115200,
     .ram_block = 0x1800},
    {.name = "a speed that is not understood", .answered = true, .small = 26, .large = 8, .next = 921600,
     .cause = "speed", .sure = DOCTOR_CERTAIN, .baud = 115200, .ram_block = 0x1800},
    {.name = "brownout in the test", .answered = true, .small = 26, .large = 8, .restarts = 2, .brownout = true,
     .cause = "power", .sure = DOCTOR_CERTAIN, .baud = 115200, .ram_block = 0x1800},
    {.name = "brownout, nobody answers", .fault = ESP_FAULT_BOARD_BROWNOUT, .brownout = true, .cause = "power",
     .sure = DOCTOR_CERTAIN},
    {.name = "restarts", .answered = true, .small = 26, .large = 8, .restarts = 3, .cause = "restarts",
     .sure = DOCTOR_LIKELY, .baud = 115200, .ram_block = 0x1800},
    {.name = "one restart", .answered = true, .small = 26, .large = 8, .restarts = 1, .cause = "restarts",
     .sure = DOCTOR_POSSIBLE, .baud = 115200, .ram_block = 0x1800},
    {.name = "silence", .fault = ESP_FAULT_LINK_SILENT, .cause = "nobody", .sure = DOCTOR_CERTAIN},
    {.name = "echo", .fault = ESP_FAULT_LINK_ECHO, .echoes = 20, .cause = "echo", .sure = DOCTOR_CERTAIN},
    {.name = "TX dead", .fault = ESP_FAULT_LINK_TX_DEAD, .cause = "tx_dead", .sure = DOCTOR_CERTAIN},
    {.name = "bytes eaten", .answered = true, .small_bad = 13, .small = 26, .large_bad = 8, .large = 8, .paced_bad = 4, .paced = 4,
     .taken = 2, .tried = 12, .eaten = 2, .cause = "translates", .sure = DOCTOR_CERTAIN, .baud = 0},
    {.name = "bytes eaten, the chip not even identified", .fault = ESP_FAULT_CHIP_SILENT, .answered = true, .eaten = 1,
     .cause = "translates", .sure = DOCTOR_CERTAIN},
    {.name = "seven bits", .fault = ESP_FAULT_LINK_TRANSLATED, .cause = "translates", .sure = DOCTOR_CERTAIN},
    {.name = "late answers", .fault = ESP_FAULT_BOARD_RESET, .answered = true, .round_ms = 1000, .cause = "late",
     .sure = DOCTOR_CERTAIN},
    {.name = "boot strap", .fault = ESP_FAULT_BOOT_MODE, .cause = "strap", .sure = DOCTOR_CERTAIN},
    {.name = "application", .fault = ESP_FAULT_BOARD_APP, .cause = "strap", .sure = DOCTOR_CERTAIN},
    {.name = "panic", .fault = ESP_FAULT_BOARD_PANIC, .cause = "panic", .sure = DOCTOR_CERTAIN},
    {.name = "noise", .fault = ESP_FAULT_LINK_NOISE, .cause = "noise", .sure = DOCTOR_LIKELY},
    {.name = "no port", .fault = ESP_FAULT_PORT_MISSING, .cause = "port", .sure = DOCTOR_CERTAIN},
    {.name = "busy port", .fault = ESP_FAULT_PORT_BUSY, .cause = "port", .sure = DOCTOR_CERTAIN},
    {.name = "pulled in the test", .fault = ESP_FAULT_LINK_LOST, .answered = true, .small = 3, .cause = "gone",
     .sure = DOCTOR_CERTAIN, .baud = 115200, .ram_block = 0x400},
    {.name = "locked", .answered = true, .locked = true, .cause = "security", .sure = DOCTOR_CERTAIN},
    {.name = "a chip nobody knows", .fault = ESP_FAULT_CHIP_UNKNOWN, .answered = true, .cause = "other",
     .sure = DOCTOR_LIKELY},
    {.name = "sound, though its program crashes", .answered = true, .small = 26, .large = 8, .app_panics = true,
     .cause = "fine", .sure = DOCTOR_CERTAIN, .baud = 115200, .ram_block = 0x1800},
    {.name = "sound, though it echoes", .answered = true, .small = 26, .large = 8, .echoes = 100, .cause = "fine",
     .sure = DOCTOR_CERTAIN, .baud = 115200, .ram_block = 0x1800},
};

static void cell(struct doctor_facts *f, uint32_t baud, uint32_t block, uint32_t burst, unsigned bad, unsigned sent)
{
    if (sent)
        f->cells[f->n_cells++] = (struct doctor_cell){.baud = baud, .block = block, .burst = burst, .gap_us = burst ? 1000 : 0,
                                                      .sent = sent, .refused = bad, .bytes = (uint64_t)block * sent};
}

static void make(const struct known *k, struct doctor_facts *f)
{
    memset(f, 0, sizeof *f);
    f->problem.fault = k->fault;
    f->answered = k->answered;
    f->ram = k->small > 0;
    f->tells = k->tried > 0;
    f->restarts = k->restarts;
    f->brownout = k->brownout;
    f->after.panic = k->app_panics;
    f->echoes = k->echoes;
    f->carry.to_chip.n = k->eaten;
    f->carry.round_ms = k->round_ms;
    f->unit.security.secure_download = k->locked ? ESP_ON : ESP_OFF;
    cell(f, 115200, 0x400, 0, k->small_bad, k->small);
    cell(f, 115200, 0x1800, 0, k->large_bad, k->large);
    cell(f, 115200, 0x1800, 512, k->paced_bad, k->paced);
    if (k->next)
        f->speeds[f->n_speeds++] = (struct doctor_speed){k->next, k->next_proved};
    cell(f, k->next, 0x1800, 0, k->next_bad, k->next_sent);
    if (k->tried)
        f->losses[f->n_losses++] = (struct doctor_losses){.baud = k->large_bad ? 115200 : k->next, .block = 0x1800,
                                                          .sent = k->tried, .taken = k->taken};
}

static void verdicts(void **state)
{
    (void)state;
    static struct doctor_facts f;
    struct doctor_finding found[DOCTOR_FINDINGS_MAX];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct known *k = &table[i];
        make(k, &f);
        size_t n = doctor_judge(&f, found);
        struct doctor_setting s = doctor_setting(&f);
        assert_true(n >= 1 && n <= DOCTOR_FINDINGS_MAX);
        if (strcmp(found[0].cause, k->cause) != 0 || found[0].sure != k->sure || s.baud != k->baud ||
            (s.baud && (s.ram_block != k->ram_block || s.burst != k->burst)))
            fail_msg("%s: %s (%s), setting %u/%u/%u; expected %s (%s), %u/%u/%u", k->name, found[0].cause,
                     doctor_sure_name(found[0].sure), s.baud, s.ram_block, s.burst, k->cause, doctor_sure_name(k->sure),
                     k->baud, k->ram_block, k->burst);
        for (size_t j = 0; j < n; j++) {
            assert_true(strlen(found[j].title) > 0 && strlen(found[j].advice) > 0);
            assert_true(j == 0 || found[j].sure <= found[j - 1].sure);
        }
    }
}

/* A sound line must not be a verdict beside a fault, and a fault not beside a sound line. */
static void fine_stands_alone(void **state)
{
    (void)state;
    static struct doctor_facts f;
    struct doctor_finding found[DOCTOR_FINDINGS_MAX];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        make(&table[i], &f);
        size_t n = doctor_judge(&f, found);
        bool fine = strcmp(table[i].cause, "fine") == 0;
        for (size_t j = 1; j < n; j++)
            if (strcmp(found[j].cause, "fine") == 0 ||
                (fine && strcmp(found[j].cause, "panic") != 0 && strcmp(found[j].cause, "echoing") != 0))
                fail_msg("%s: also %s", table[i].name, found[j].cause);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(verdicts), cmocka_unit_test(fine_stands_alone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
