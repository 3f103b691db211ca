/* SPDX-License-Identifier: Apache-2.0
 * What the numbers mean: a table of causes, each with its rule.
 *
 * All rules are asked; those that hold become findings, in the order of their certainty and then of the
 * table. A rule looks at a summary made once: the speed where damage begins, what happened there to short
 * and to long blocks, with and without pauses, and whether bytes were proved to be missing. */
#include "esp/doctor.h"

#include <stdio.h>
#include <string.h>

enum {
    BASE_BAUD = 115200,
    BLOCK_MAX = 0x1800,
};

struct summary {
    const struct doctor_facts *f;
    uint32_t bad_baud;  /* the lowest with damage, or that could not be proved; 0: none */
    uint32_t good_baud; /* the highest below it; 0: none */
    bool unproved;      /* at bad_baud nothing could be measured */
    uint32_t short_max; /* blocks up to this many bytes arrive there, longer ones do not; 0: no such size */
    struct doctor_sum all, small, large, paced; /* at bad_baud; paced: with the pauses that did best */
    struct doctor_losses losses;                /* at bad_baud */
};

/* The pauses that lost least: blocks sent and bad. */
static struct doctor_sum best_paced(const struct doctor_facts *f, uint32_t baud)
{
    struct doctor_sum best = {0, 0, 0};
    for (size_t i = 0; i < f->n_cells; i++) {
        const struct doctor_cell *c = &f->cells[i];
        unsigned bad = c->refused + c->lost;
        if (c->baud != baud || c->burst == 0 || c->sent == 0)
            continue;
        if (best.sent == 0 || bad * best.sent < best.bad * c->sent)
            best = (struct doctor_sum){c->sent, bad, c->bytes};
    }
    return best;
}

/* The largest size up to which next to nothing (one in 20) is damaged. */
static uint32_t short_max(const struct doctor_facts *f, uint32_t baud)
{
    uint32_t best = 0;
    for (size_t i = 0; i < f->n_cells; i++) {
        const struct doctor_cell *c = &f->cells[i];
        struct doctor_sum s = doctor_sum(f, baud, 0, c->block, false);
        if (c->baud == baud && c->burst == 0 && c->block > best && s.bad * 20 <= s.sent && c->refused + c->lost == 0)
            best = c->block;
    }
    return best;
}

static void look_at_speed(struct summary *s, uint32_t baud, bool proved)
{
    struct doctor_sum all = doctor_sum(s->f, baud, 0, BLOCK_MAX, false);
    if (s->bad_baud || (proved && all.sent == 0))
        return;
    if (proved && all.bad == 0) {
        s->good_baud = baud;
        return;
    }
    s->bad_baud = baud;
    s->unproved = !proved;
    s->all = all;
    s->short_max = short_max(s->f, baud);
    s->small = doctor_sum(s->f, baud, 0, s->short_max, false);
    s->large = doctor_sum(s->f, baud, s->short_max + 1, BLOCK_MAX, false);
    s->paced = best_paced(s->f, baud);
    for (size_t i = 0; i < s->f->n_losses; i++)
        if (s->f->losses[i].baud == baud)
            s->losses = s->f->losses[i];
}

static struct summary summarise(const struct doctor_facts *f)
{
    struct summary s = {.f = f};
    look_at_speed(&s, BASE_BAUD, true);
    for (size_t i = 0; i < f->n_speeds; i++)
        look_at_speed(&s, f->speeds[i].baud, f->speeds[i].proved);
    return s;
}

/* Pauses ended it, and that was no luck: had they changed nothing, so many blocks in a row would have arrived
 * less than once in ten times. */
static bool cured(const struct summary *s)
{
    struct doctor_sum l = doctor_sum(s->f, s->bad_baud, BLOCK_MAX, BLOCK_MAX, false);
    double luck = 1;
    if (l.sent == 0 || s->paced.sent == 0 || s->paced.bad > 0)
        return false;
    for (unsigned i = 0; i < s->paced.sent; i++)
        luck *= (double)(l.sent - l.bad) / l.sent;
    return luck < 0.1;
}

/* ---- the rules ------------------------------------------------------------------------------------ */

#define SAY(...) ((void)snprintf(text, DOCTOR_TEXT_MAX, __VA_ARGS__))

/* Certain when the engine's own diagnosis is this fault. */
static enum doctor_sure fault_is(const struct summary *s, enum esp_fault fault, char *text)
{
    if (s->f->problem.fault != fault || s->f->answered)
        return DOCTOR_NO;
    SAY("%s", s->f->problem.text);
    return DOCTOR_CERTAIN;
}

static enum doctor_sure rule_port(const struct summary *s, char *text)
{
    static const enum esp_fault faults[] = {ESP_FAULT_PORT_MISSING, ESP_FAULT_PORT_BUSY, ESP_FAULT_PORT_DENIED,
                                            ESP_FAULT_PORT_FAILED};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (fault_is(s, faults[i], text))
            return DOCTOR_CERTAIN;
    return DOCTOR_NO;
}

static enum doctor_sure rule_lost(const struct summary *s, char *text)
{
    if (s->f->problem.fault != ESP_FAULT_LINK_LOST)
        return DOCTOR_NO;
    SAY("%s", s->f->problem.text);
    return DOCTOR_CERTAIN;
}

static enum doctor_sure rule_nobody(const struct summary *s, char *text)
{
    return fault_is(s, ESP_FAULT_LINK_SILENT, text);
}

static enum doctor_sure rule_echo(const struct summary *s, char *text)
{
    return fault_is(s, ESP_FAULT_LINK_ECHO, text);
}

/* The chip hears and answers all the same. */
static enum doctor_sure rule_echoing(const struct summary *s, char *text)
{
    if (!s->f->answered || s->f->echoes == 0)
        return DOCTOR_NO;
    SAY("%u of our own frames came back beside the chip's answers", s->f->echoes);
    return DOCTOR_LIKELY;
}

static enum doctor_sure rule_tx_dead(const struct summary *s, char *text)
{
    return fault_is(s, ESP_FAULT_LINK_TX_DEAD, text);
}

static enum doctor_sure rule_noise(const struct summary *s, char *text)
{
    return fault_is(s, ESP_FAULT_LINK_NOISE, text) ? DOCTOR_LIKELY : DOCTOR_NO;
}

static enum doctor_sure rule_strap(const struct summary *s, char *text)
{
    enum doctor_sure sure = fault_is(s, ESP_FAULT_BOOT_MODE, text);
    return sure ? sure : fault_is(s, ESP_FAULT_BOARD_APP, text);
}

static enum doctor_sure rule_panic(const struct summary *s, char *text)
{
    if (fault_is(s, ESP_FAULT_BOARD_PANIC, text))
        return DOCTOR_CERTAIN;
    if (!s->f->after.panic)
        return DOCTOR_NO;
    SAY("the loader works; after the reset the application said \"%s\"", s->f->quote);
    return DOCTOR_POSSIBLE; /* of no concern to flashing: a board may have no program yet */
}

static enum doctor_sure rule_power(const struct summary *s, char *text)
{
    const struct doctor_facts *f = s->f;
    if (!f->brownout)
        return DOCTOR_NO;
    bool quote = f->after.brownout && f->quote[0];
    SAY("the chip's brownout detector fired%s; %u restarts in mid test%s%s%s",
        f->after.brownout ? " when its application started" : "", f->restarts, quote ? "; it said \"" : "",
        quote ? f->quote : "", quote ? "\"" : "");
    return DOCTOR_CERTAIN;
}

static enum doctor_sure rule_restarts(const struct summary *s, char *text)
{
    const struct doctor_facts *f = s->f;
    if (f->restarts == 0 || f->brownout)
        return DOCTOR_NO;
    SAY("restarts in the middle of the test: %u; the chip did not say that its supply was low", f->restarts);
    return f->restarts > 1 ? DOCTOR_LIKELY : DOCTOR_POSSIBLE;
}

static enum doctor_sure rule_closed(const struct summary *s, char *text)
{
    const struct doctor_facts *f = s->f;
    if (f->unit.security.secure_download != ESP_ON)
        return DOCTOR_NO;
    SAY("secure download mode is on: the chip takes nothing into RAM and reads nothing out");
    return DOCTOR_CERTAIN;
}

/* How damage grows with the speed, in words. */
static const char *proof(const struct summary *s)
{
    return s->losses.taken > 0 ? "" : s->f->tells ? " (no single loss was proved)" : " (this ROM does not tell loss from change)";
}

/* Bytes of certain values never arrive: no block that holds one does, and nothing else follows from that. */
static bool translated(const struct summary *s)
{
    return s->f->carry.to_chip.n > 0;
}

static enum doctor_sure rule_bridge(const struct summary *s, char *text)
{
    bool some_base = s->bad_baud == BASE_BAUD ? s->short_max > 0 : true; /* below, long blocks arrive */
    if (translated(s) || s->large.bad == 0 || s->unproved || !some_base)
        return DOCTOR_NO;
    bool lost = s->losses.taken > 0;
    if (!lost && !cured(s))
        return DOCTOR_NO;
    SAY("at %u baud blocks of up to %u bytes: %u of %u damaged; longer ones: %u of %u; with pauses: %u of %u; %u of %u "
        "blocks sent too long arrived right, so bytes got lost%s",
        s->bad_baud, s->short_max, s->small.bad, s->small.sent, s->large.bad, s->large.sent, s->paced.bad, s->paced.sent,
        s->losses.taken, s->losses.sent, proof(s));
    return lost && cured(s) ? DOCTOR_CERTAIN : DOCTOR_LIKELY;
}

/* Changes come one by one: they hit by the byte, not by the length of a burst, and no pause helps. */
static enum doctor_sure rule_cable(const struct summary *s, char *text)
{
    if (translated(s) || s->bad_baud != BASE_BAUD || s->losses.taken > 0)
        return DOCTOR_NO;
    if (s->small.bad == 0 && cured(s))
        return DOCTOR_NO; /* bursts */
    SAY("at %u baud %u of %u short blocks and %u of %u long ones were damaged, with pauses %u of %u; about one byte in %llu "
        "changes; of %u blocks that would have shown a loss, none did",
        s->bad_baud, s->small.bad, s->small.sent, s->large.bad, s->large.sent, s->paced.bad, s->paced.sent,
        (unsigned long long)(s->all.bad ? s->all.bytes / s->all.bad : 0), s->losses.sent);
    return s->losses.sent > 0 && s->paced.bad > 0 ? DOCTOR_CERTAIN : s->all.bad > 1 ? DOCTOR_LIKELY : DOCTOR_POSSIBLE;
}

static enum doctor_sure rule_speed(const struct summary *s, char *text)
{
    if (translated(s) || s->good_baud == 0 || s->bad_baud == 0 || rule_bridge(s, text))
        return DOCTOR_NO;
    if (s->unproved)
        SAY("up to %u baud every block arrived; at %u baud the chip could not be understood", s->good_baud,
            s->bad_baud);
    else
        SAY("up to %u baud every block arrived; at %u baud %u of %u were damaged", s->good_baud, s->bad_baud,
            s->all.bad, s->all.sent);
    return DOCTOR_CERTAIN;
}

/* Losses in short blocks too, or both kinds of damage at once. */
static enum doctor_sure rule_losses(const struct summary *s, char *text)
{
    if (translated(s) || s->losses.taken == 0 || rule_bridge(s, text))
        return DOCTOR_NO;
    SAY("at %u baud %u of %u short blocks and %u of %u long ones were damaged, with pauses %u of %u; %u of %u blocks sent too "
        "long arrived right, so bytes got lost",
        s->bad_baud, s->small.bad, s->small.sent, s->large.bad, s->large.sent, s->paced.bad, s->paced.sent,
        s->losses.taken, s->losses.sent);
    return DOCTOR_LIKELY;
}

static enum doctor_sure rule_answers(const struct summary *s, char *text)
{
    if (s->f->cut == 0 || s->bad_baud == 0)
        return DOCTOR_NO;
    SAY("%u answers of the chip arrived damaged", s->f->cut);
    return DOCTOR_POSSIBLE;
}

/* Proved byte by byte: then nothing that follows from it is a cause of its own. */
static enum doctor_sure rule_translates(const struct summary *s, char *text)
{
    struct carry bytes = s->f->carry;
    bytes.round_ms = 0;
    if (s->f->problem.fault == ESP_FAULT_LINK_TRANSLATED)
        return fault_is(s, ESP_FAULT_LINK_TRANSLATED, text);
    return carry_text(&bytes, text) ? DOCTOR_CERTAIN : DOCTOR_NO;
}

static enum doctor_sure rule_late(const struct summary *s, char *text)
{
    return s->f->carry.round_ms && carry_text(&s->f->carry, text) ? DOCTOR_CERTAIN : DOCTOR_NO;
}

/* What ended the examination and is none of the above. */
static enum doctor_sure rule_other(const struct summary *s, char *text)
{
    const struct esp_problem *p = &s->f->problem;
    static const enum esp_fault known[] = {
        ESP_FAULT_NONE, ESP_FAULT_PORT_MISSING, ESP_FAULT_PORT_BUSY, ESP_FAULT_PORT_DENIED, ESP_FAULT_PORT_FAILED,
        ESP_FAULT_LINK_LOST, ESP_FAULT_LINK_SILENT, ESP_FAULT_LINK_ECHO, ESP_FAULT_LINK_TX_DEAD,
        ESP_FAULT_LINK_NOISE, ESP_FAULT_BOOT_MODE, ESP_FAULT_BOARD_APP, ESP_FAULT_BOARD_PANIC};
    if (p->fault == ESP_FAULT_LINK_TRANSLATED || s->f->carry.round_ms || s->f->carry.twice || s->f->carry.to_chip.n || s->f->carry.to_host.n)
        return DOCTOR_NO; /* those have rows */
    if (p->fault == ESP_FAULT_BOARD_BROWNOUT)
        return DOCTOR_NO; /* that is the supply's row */
    for (size_t i = 0; !s->f->answered && i < sizeof known / sizeof *known; i++)
        if (p->fault == known[i])
            return DOCTOR_NO;
    if (p->fault == ESP_FAULT_NONE || p->fault == ESP_FAULT_LINK_LOST)
        return DOCTOR_NO;
    SAY("%s: %s", esp_fault_name(p->fault), p->text);
    return DOCTOR_LIKELY;
}

static enum doctor_sure rule_fine(const struct summary *s, char *text)
{
    const struct doctor_facts *f = s->f;
    if (carry_text(&f->carry, text))
        return DOCTOR_NO;
    struct doctor_sum all = doctor_sum(f, 0, 0, BLOCK_MAX, false);
    if (!f->answered || s->bad_baud || f->unit.security.secure_download == ESP_ON || f->problem.fault != ESP_FAULT_NONE || f->restarts || f->brownout)
        return DOCTOR_NO;
    if (!f->ram) {
        SAY("a loader answers; blocks into RAM could not be tried%s", f->stub ? ": a stub is running" : "");
        return DOCTOR_POSSIBLE;
    }
    SAY("%u blocks, %llu bytes, up to %u baud: every one arrived as it was sent", all.sent,
        (unsigned long long)all.bytes, s->good_baud);
    return DOCTOR_CERTAIN;
}

/* ---- the table ------------------------------------------------------------------------------------ */

static const struct row {
    const char *cause, *title;
    enum doctor_sure (*rule)(const struct summary *s, char *text);
    const char *advice;
} rows[] = {
    {"port", "the port cannot be used", rule_port,
     "as the sentence says; `flashline ports` lists what is there and who has it. No permission: this user must be in the "
     "group that owns the port (dialout in most systems)"},
    {"gone", "the port vanished during the test", rule_lost,
     "plug or cable loose, a hub that resets, or a supply that dips when the chip draws current"},
    {"nobody", "nothing is there", rule_nobody,
     "is a board in, has it power, does the cable carry data? Else RX is not connected or EN is held low"},
    {"echo", "our own bytes come back", rule_echo,
     "TX and RX are joined, or the adapter is half duplex (RS-485, one-wire); the chip is not on this line"},
    {"echoing", "the adapter gives back what this host sends", rule_echoing,
     "half duplex wiring; flashing works, because answers are told from echoes"},
    {"tx_dead", "what this host sends does not reach the chip", rule_tx_dead,
     "broken TX wire, level shifter, an adapter at another voltage, or a port of 7 data bits (no frame begins without its C0); "
     "look at the port's settings, try another cable, then another adapter"},
    {"noise", "bytes that make no sense", rule_noise,
     "RX floats or has no common ground, or the chip talks at another speed (26 MHz crystal: 74880)"},
    {"translates", "something between host and chip changes or repeats bytes", rule_translates,
     "data must pass raw: 8 data bits, no parity, no XON/XOFF, no line ends translated, telnet on both ends or on none"},
    {"late", "something between host and chip holds bytes back", rule_late,
     "put the serial server nearer, and set it to send at once; an answer that comes within a tenth of a second is soon enough"},
    {"strap", "the board does not go into its loader", rule_strap,
     "DTR and RTS do not reach boot strap and reset: hold BOOT while it is inserted, or try another serial.reset"},
    {"power", "the supply is too weak", rule_power,
     "a powered hub, a shorter or thicker cable, fewer boards on one hub; more capacity at the board's 3.3 V"},
    {"restarts", "the chip restarts by itself: supply or contact", rule_restarts,
     "a supply that dips, a loose contact at EN or power, or a watchdog; try another socket and cable"},
    {"security", "the chip is locked", rule_closed,
     "the line cannot be tested through this chip; test the slot with an unlocked board"},
    {"bridge", "bridge or its driver: bytes get lost in long bursts", rule_bridge,
     "update the bridge's driver (CH9102: WCH's own), try another hub or host controller; flashline meets it with "
     "short blocks and pauses"},
    {"losses", "bytes get lost, also in short bursts", rule_losses,
     "bridge or driver first: another USB socket, no hub; then the cable"},
    {"cable", "cable or wiring: single bytes change on the way", rule_cable,
     "another, shorter cable; a good common ground; away from motors and supplies"},
    {"speed", "the line does not carry the higher speeds", rule_speed,
     "set serial.baud to the speed below, or use a shorter cable or another bridge"},
    {"answers", "the chip's answers arrive damaged too", rule_answers,
     "both directions suffer: cable and ground before the bridge"},
    {"other", "the test could not be finished", rule_other, "as the sentence says"},
    {"panic", "the board's application crashes", rule_panic,
     "the loader works: flashing is not affected"},
    {"fine", "the link is fine", rule_fine, "nothing to do"},
};

static const struct row unclear = {"unclear", "damage of no clear kind", NULL,
                                   "repeat the test; change the cable, then the socket, then the board"};

static void add(struct doctor_finding *out, size_t *n, const struct doctor_finding *one)
{
    size_t at = *n;
    while (at > 0 && out[at - 1].sure < one->sure)
        at--;
    if (at == DOCTOR_FINDINGS_MAX)
        return;
    if (*n < DOCTOR_FINDINGS_MAX)
        (*n)++;
    memmove(out + at + 1, out + at, (*n - 1 - at) * sizeof *out);
    out[at] = *one;
}

size_t doctor_judge(const struct doctor_facts *f, struct doctor_finding out[static DOCTOR_FINDINGS_MAX])
{
    struct summary s = summarise(f);
    struct doctor_finding one;
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        one = (struct doctor_finding){rows[i].cause, rows[i].title, rows[i].advice, DOCTOR_NO, ""};
        one.sure = rows[i].rule(&s, one.evidence);
        if (one.sure)
            add(out, &n, &one);
    }
    if (n > 0)
        return n;
    one = (struct doctor_finding){unclear.cause, unclear.title, unclear.advice, DOCTOR_POSSIBLE, ""};
    (void)snprintf(one.evidence, sizeof one.evidence, "%u of %u blocks were damaged at %u baud", s.all.bad,
                   s.all.sent, s.bad_baud);
    out[0] = one;
    return 1;
}

const char *doctor_sure_name(enum doctor_sure s)
{
    static const char *const names[] = {"no", "possible", "likely", "certain"};
    return (unsigned)s < sizeof names / sizeof *names ? names[s] : "";
}
