/* SPDX-License-Identifier: Apache-2.0
 * Is it the line? A session that failed has a fault for which the unit would be blamed; before it is, what the line did is
 * weighed: exchanges damaged, answers to nobody's question, silences that ended by themselves, and at last bytes that are sent
 * through it for the purpose (carry.c). */
#include "esp/carry.h"
#include "esp/session.h"

#include <stdio.h>

bool esp_line_hurt(const struct esp *e)
{
    const struct esp_counters *c = &e->count;
    return c->damaged + c->cut + c->timeouts + e->taken[ESP_RUNG_RESEND] > 0;
}

bool esp_line_bad(const struct esp *e)
{
    enum { FEW = 2, ONE_IN = 100 };
    uint64_t bad = e->count.damaged + e->count.cut;
    return bad >= FEW && bad * ONE_IN >= e->count.answers;
}

/* At the lowest speed not one short block in ten arrives, or, where none was sent yet, not three questions of four are answered: a slot
 * is not held up for long by such a line. */
static bool hopeless(const struct esp *e, uint64_t after_ms)
{
    enum { BLOCKS = 10, QUESTIONS = 4, ASKED = 16, SLOWEST = 115200 };
    bool deaf = e->asked >= ASKED && e->asked_in_vain * QUESTIONS > e->asked;
    bool none = e->sent ? e->carried * BLOCKS <= e->sent : deaf;
    return none && esp_line_bad(e) && link_baud(e->link) <= SLOWEST && fl_mono_ns() - e->since_ns > after_ms * 1000000u;
}

bool esp_line_hopeless(const struct esp *e)
{
    enum { WORTH_MS = 8000, UNTRIED_MS = 12000 };
    return hopeless(e, e->sent ? WORTH_MS : UNTRIED_MS);
}

bool esp_line_given_up(const struct esp *e)
{
    enum { SOME = 16, GIVEN_UP_MS = 12000 };
    return (e->sent >= SOME || e->sent == 0) && hopeless(e, GIVEN_UP_MS);
}

/* An answer does not say to which question. Where answers come late or twice, and are taken for those of later questions,
 * some are left when nothing is asked any more. */
bool esp_doubt(struct esp *e)
{
    enum { FEW = 2 };
    if (wire_quiet(e) || e->unasked < FEW)
        return false;
    struct esp_problem was = e->problem;
    (void)esp_fail(e, e->trouble, ESP_FAULT_LINK_DAMAGED, FL_MISMATCH,
                   "%u answers came late or a second time, when nothing was asked: what was read may be answers to other "
                   "questions; %.160s", e->unasked, was.text);
    return true;
}

/* A line that damages one exchange in a hundred makes a loader refuse what nobody asked and miss what somebody did, and
 * lets wrong bytes through a checksum of eight bits: that is no verdict on the unit. Nor is silence that ends by itself:
 * a chip that hangs stays silent until it is reset. */
void esp_blame_line(struct esp *e)
{
    enum { TWICE = 2 };
    enum esp_fault f = e->problem.fault;
    uint64_t bad = e->count.damaged + e->count.cut;
    bool unit = f == ESP_FAULT_CHIP_REFUSED || f == ESP_FAULT_CHIP_SILENT || f == ESP_FAULT_CHIP_UNKNOWN ||
                f == ESP_FAULT_FLASH_MISSING || f == ESP_FAULT_FLASH_SIZE || f == ESP_FAULT_FLASH_TIMEOUT ||
                f == ESP_FAULT_FLASH_ERASE || f == ESP_FAULT_STUB_SILENT || f == ESP_FAULT_RAM_REFUSED ||
                f == ESP_FAULT_VERIFY_MD5 ||
                (f == ESP_FAULT_FLASH_WRITE && !e->stub); /* a ROM's 01 08 and 01 09: where it lies and its size came without a checksum */
    if (unit && f != ESP_FAULT_CHIP_SILENT && esp_doubt(e))
        return;
    if (f == ESP_FAULT_CHIP_SILENT && e->revived >= TWICE && !esp_line_bad(e))
        (void)esp_fail(e, e->trouble, ESP_FAULT_LINK_DAMAGED, e->problem.err,
                       "%u times a request was lost, or its answer, that was answered before and after, without a reset; %.200s",
                       e->revived, e->problem.text);
    if (unit && esp_line_bad(e))
        (void)esp_fail(e, e->trouble, ESP_FAULT_LINK_DAMAGED, e->problem.err,
                       "%llu of %llu exchanges were damaged on the way; %.240s", (unsigned long long)bad,
                       (unsigned long long)(e->count.answers + bad), e->problem.text);
}

bool esp_carry_judges(enum esp_fault f)
{
    return f == ESP_FAULT_CHIP_SILENT || f == ESP_FAULT_CHIP_REFUSED || f == ESP_FAULT_CHIP_UNKNOWN || f == ESP_FAULT_BOARD_RESET ||
           f == ESP_FAULT_FLASH_MISSING;
}

/* Verdicts that a line would bring about that changes bytes, eats them or holds them back. The unit's own flash, fuses
 * and supply are none of its doing. */
static bool may_be_line(enum esp_fault f)
{
    static const enum esp_fault table[] = {
        ESP_FAULT_LINK_DAMAGED, ESP_FAULT_LINK_SPEED, ESP_FAULT_BOARD_RESET, ESP_FAULT_CHIP_UNKNOWN, ESP_FAULT_CHIP_REFUSED,
        ESP_FAULT_CHIP_SILENT, ESP_FAULT_RAM_CHECKSUM, ESP_FAULT_RAM_REFUSED, ESP_FAULT_STUB_SILENT,
        ESP_FAULT_FLASH_MISSING, ESP_FAULT_FLASH_TIMEOUT, ESP_FAULT_FLASH_ERASE,
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i] == f)
            return true;
    return false;
}

/* At the end of a session that failed: a line that translates is proved to, and then it is the cause. */
void esp_name_line(struct esp *e)
{
    enum { FEW = 3 };
    struct esp_problem was = e->problem;
    struct carry c;
    char text[CARRY_TEXT];
    /* a loader that hears nothing, or whose answers come when nobody waits any more */
    bool unheard = e->stage == STAGE_OPEN && (was.fault == ESP_FAULT_LINK_TX_DEAD || (was.fault == ESP_FAULT_LINK_NOISE && e->syncs > 0));
    if (!unheard && (!e->failed || !may_be_line(was.fault)))
        return;
    enum esp_trouble trouble = e->trouble;
    esp_carry(e, &c);
    e->problem = was;
    enum esp_fault named = c.round_ms ? ESP_FAULT_LINK_LATE : c.twice ? ESP_FAULT_LINK_DAMAGED : ESP_FAULT_LINK_TRANSLATED;
    if (carry_text(&c, text))
        (void)esp_fail(e, TROUBLE_DEAD, named, was.err, "%s; %.90s", text, was.text);
    else if (c.hurt + c.lost - (c.hurt ? 0 : c.lost_last) >= FEW && c.blocks - c.lost >= FEW && /* the loader is there, and says of some that they arrived, or not */
             esp_carry_judges(was.fault))
        (void)esp_fail(e, TROUBLE_DEAD, ESP_FAULT_LINK_DAMAGED, was.err, "of %u blocks sent into RAM afterwards, to test the line, %u "
                       "arrived damaged and %u not at all; %.140s", c.blocks, c.hurt, c.lost, was.text);
    e->trouble = trouble;
}
