/* SPDX-License-Identifier: Apache-2.0
 * Scenario files: tables of keys over yaml.h. README.md has the same tables in words. */
#include "sim/scenario.h"

#include "base/hash.h"
#include "sim/yaml.h"

#include <stdlib.h>
#include <string.h>

typedef struct sim_yaml yaml;
typedef yaml_node_t node;

/* ---- timing, flash, bridge, security --------------------------------------------------------------------- */

#define TIMING_KEYS                                                                                \
    X(usb_us) X(en_us) X(rom_us) X(stub_us) X(page_us) X(sector_us) X(block_us)                    \
    X(md5_rom_us_per_kb) X(md5_stub_us_per_kb) X(inflate_us_per_kb)

#define X(key)                                                                                     \
    static void take_##key(yaml *y, node *v, void *to)                                             \
    {                                                                                              \
        ((struct sim_timing *)to)->key = (uint32_t)sim_yaml_number(y, v, 60000000);                \
    }
TIMING_KEYS
#undef X
static const struct sim_key timing_keys[] = {
#define X(key) {#key, take_##key},
    TIMING_KEYS
#undef X
    {NULL, NULL},
};

static void flash_size(yaml *y, node *v, void *to)
{
    struct sim_flash_spec *f = to;
    f->size = sim_yaml_size(y, v);
    if (!y->err && (f->size < 65536 || (f->size & (f->size - 1)) != 0 || f->size > 256u << 20))
        sim_yaml_fail(y, v, "a flash has 64KB to 256MB, a power of two");
    unsigned log2 = 0;
    while (!y->err && log2 < 31 && 1u << log2 != f->size)
        log2++;
    unsigned cap = log2 < 26 ? log2 : log2 - 26 + 0x20; /* 64 MB and up: reference 5.1 */
    f->jedec = (f->jedec & 0xFFFF) | cap << 16; /* a jedec key after this one says otherwise */
}

static void flash_jedec(yaml *y, node *v, void *to)
{
    ((struct sim_flash_spec *)to)->jedec = (uint32_t)sim_yaml_number(y, v, 0xFFFFFF);
}

static void stuck_one(yaml *y, node *v, void *to)
{
    struct sim_flash_spec *f = to;
    uint32_t at = sim_yaml_size(y, v);
    if (f->n_stuck == SIM_STUCK_MAX)
        sim_yaml_fail(y, v, "more than %d stuck sectors", SIM_STUCK_MAX);
    else if (!y->err)
        f->stuck[f->n_stuck++] = at;
}

static void flash_stuck(yaml *y, node *v, void *to)
{
    ((struct sim_flash_spec *)to)->n_stuck = 0;
    sim_yaml_each(y, v, stuck_one, to);
}

static void flash_protect(yaml *y, node *v, void *to)
{
    ((struct sim_flash_spec *)to)->protect = sim_yaml_bool(y, v);
}

static void flash_locked(yaml *y, node *v, void *to)
{
    ((struct sim_flash_spec *)to)->locked = sim_yaml_bool(y, v);
}

static void flash_dead(yaml *y, node *v, void *to)
{
    ((struct sim_flash_spec *)to)->dead = sim_yaml_bool(y, v);
}

static void flash_slow(yaml *y, node *v, void *to)
{
    ((struct sim_flash_spec *)to)->slow = sim_yaml_real(y, v, 0, 10000);
}

static const struct sim_key flash_keys[] = {
    {"size", flash_size}, {"jedec", flash_jedec},   {"stuck", flash_stuck}, {"protected", flash_protect},
    {"locked", flash_locked}, {"dead", flash_dead}, {"slow", flash_slow},   {NULL, NULL},
};

static void bridge_kind(yaml *y, node *v, void *to)
{
    sim_bridge_set(to, (enum sim_bridge_kind)sim_yaml_choice(y, v, sim_bridge_names));
}

static void bridge_burst(yaml *y, node *v, void *to)
{
    ((struct sim_bridge_spec *)to)->burst = sim_yaml_size(y, v);
}

static void bridge_gap(yaml *y, node *v, void *to)
{
    ((struct sim_bridge_spec *)to)->gap_us = (uint32_t)sim_yaml_number(y, v, 60000000);
}

static void bridge_loss(yaml *y, node *v, void *to)
{
    ((struct sim_bridge_spec *)to)->loss = sim_yaml_real(y, v, 0, 1);
}

static const struct sim_key bridge_keys[] = {
    {"kind", bridge_kind}, {"burst", bridge_burst}, {"gap_us", bridge_gap}, {"loss", bridge_loss}, {NULL, NULL},
};

static void secure_boot(yaml *y, node *v, void *to)
{
    ((struct sim_security_spec *)to)->secure_boot = sim_yaml_bool(y, v);
}

static void flash_encryption(yaml *y, node *v, void *to)
{
    ((struct sim_security_spec *)to)->flash_encryption = sim_yaml_bool(y, v);
}

static void secure_download(yaml *y, node *v, void *to)
{
    ((struct sim_security_spec *)to)->secure_download = sim_yaml_bool(y, v);
}

static const struct sim_key security_keys[] = {
    {"secure_boot", secure_boot}, {"flash_encryption", flash_encryption},
    {"secure_download", secure_download}, {NULL, NULL},
};

/* ---- faults ------------------------------------------------------------------------------------------------ */

static void fault_kind(yaml *y, node *v, void *to)
{
    (void)y, (void)v, (void)to; /* read before the others: it decides their defaults */
}

static void fault_dir(yaml *y, node *v, void *to)
{
    static const char *const names[] = {"to_chip", "to_host", NULL};
    ((struct sim_fault *)to)->dir = (enum sim_fault_dir)sim_yaml_choice(y, v, names);
}

static void fault_op(yaml *y, node *v, void *to)
{
    ((struct sim_fault *)to)->op = (int)sim_yaml_number(y, v, 255);
}

static void fault_nth(yaml *y, node *v, void *to)
{
    ((struct sim_fault *)to)->nth = (uint32_t)sim_yaml_number(y, v, UINT32_MAX);
}

static void fault_at(yaml *y, node *v, void *to)
{
    struct sim_fault *f = to;
    const char *s = sim_yaml_text(y, v);
    if (strcmp(s, "open") == 0)
        f->at = SIM_AT_OPEN;
    else if (strcmp(s, "close") == 0)
        f->at = SIM_AT_CLOSE;
    else
        f->at = (int64_t)sim_yaml_number(y, v, INT64_MAX / 2);
}

static void fault_rate(yaml *y, node *v, void *to)
{
    ((struct sim_fault *)to)->rate = sim_yaml_real(y, v, 0, 1);
}

static void fault_count(yaml *y, node *v, void *to)
{
    ((struct sim_fault *)to)->count = (uint32_t)sim_yaml_number(y, v, UINT32_MAX);
}

static void fault_ms(yaml *y, node *v, void *to)
{
    ((struct sim_fault *)to)->ms = (uint32_t)sim_yaml_number(y, v, 3600000);
}

static void fault_above(yaml *y, node *v, void *to)
{
    ((struct sim_fault *)to)->above = (uint32_t)sim_yaml_number(y, v, UINT32_MAX);
}

static void fault_byte(yaml *y, node *v, void *to)
{
    ((struct sim_fault *)to)->byte = (int)sim_yaml_number(y, v, 255);
}

static void fault_code(yaml *y, node *v, void *to)
{
    ((struct sim_fault *)to)->code = (int)sim_yaml_number(y, v, 0xFFFF);
}

static const struct sim_key fault_keys[] = {
    {"kind", fault_kind}, {"dir", fault_dir},     {"op", fault_op}, {"nth", fault_nth},
    {"at", fault_at},     {"rate", fault_rate},   {"count", fault_count}, {"ms", fault_ms},
    {"above", fault_above}, {"byte", fault_byte}, {"code", fault_code}, {NULL, NULL},
};

static enum sim_fault_kind kind_of(yaml *y, node *v)
{
    const char *names[SIM_FAULT_KINDS + 1];
    for (int i = 0; i < SIM_FAULT_KINDS; i++)
        names[i] = sim_fault_rows[i].name;
    names[SIM_FAULT_KINDS] = NULL;
    return (enum sim_fault_kind)sim_yaml_choice(y, v, names);
}

/* "silent", or {kind: flip, rate: 0.001, ...} */
static void one_fault(yaml *y, node *v, void *to)
{
    struct sim_spec *s = to;
    bool short_form = v->type == YAML_SCALAR_NODE;
    node *kind = short_form ? v : sim_yaml_get(y, v, "kind");
    if (!kind) {
        sim_yaml_fail(y, v, "a fault needs a kind");
        return;
    }
    if (s->n_faults == SIM_FAULTS_MAX) {
        sim_yaml_fail(y, v, "more than %d faults on one board", SIM_FAULTS_MAX);
        return;
    }
    struct sim_fault f = sim_fault_of(kind_of(y, kind));
    if (!short_form)
        sim_yaml_map(y, v, fault_keys, &f);
    if (f.kind == SIM_FAULT_BAUD_LIMIT && f.above == 0)
        sim_yaml_fail(y, v, "baud_limit needs above: the highest baud that holds");
    s->faults[s->n_faults++] = f;
}

/* ---- boards ------------------------------------------------------------------------------------------------ */

static void ignore(yaml *y, node *v, void *to)
{
    (void)y, (void)v, (void)to; /* board and chip are read before the spec exists */
}

static void board_mac(yaml *y, node *v, void *to)
{
    struct sim_spec *s = to;
    const char *text = sim_yaml_text(y, v);
    char hex[13];
    size_t n = 0;
    for (const char *p = text; *p && n < 12; p++)
        if (*p != ':')
            hex[n++] = *p;
    hex[n] = 0;
    if (strlen(text) != 17 || !fl_unhex(hex, s->mac, 6))
        sim_yaml_fail(y, v, "expected a MAC as 24:6f:28:00:00:01, not '%s'", text);
}

static void board_revision(yaml *y, node *v, void *to)
{
    struct sim_spec *s = to;
    const char *text = sim_yaml_text(y, v);
    char *end;
    unsigned long major = strtoul(text, &end, 10), minor = 0;
    bool good = end != text && *end == '.';
    if (good) {
        const char *from = end + 1;
        minor = strtoul(from, &end, 10);
        good = end != from && *end == 0 && major < 10 && minor < 100;
    }
    if (!good)
        sim_yaml_fail(y, v, "expected a revision as \"3.1\", not '%s'", text);
    s->revision = (unsigned)(major * 100 + minor);
}

static void board_calibration(yaml *y, node *v, void *to)
{
    ((struct sim_spec *)to)->calibration = sim_yaml_real(y, v, 0.5, 2);
}

static void board_power_up(yaml *y, node *v, void *to)
{
    static const char *const names[] = {"usual", "run", "download", NULL};
    ((struct sim_spec *)to)->power_up = (enum sim_power_up)sim_yaml_choice(y, v, names);
}

static void board_telnet(yaml *y, node *v, void *to)
{
    ((struct sim_spec *)to)->telnet = sim_yaml_bool(y, v);
}

static void board_bridge(yaml *y, node *v, void *to)
{
    struct sim_spec *s = to;
    if (v->type == YAML_SCALAR_NODE) {
        bridge_kind(y, v, &s->bridge);
        return;
    }
    node *kind = sim_yaml_get(y, v, "kind"); /* first: it sets the others */
    if (kind)
        bridge_kind(y, kind, &s->bridge);
    struct sim_bridge_spec kept = s->bridge;
    sim_yaml_map(y, v, bridge_keys, &kept);
    kept.kind = s->bridge.kind;
    s->bridge = kept;
}

static void board_flash(yaml *y, node *v, void *to)
{
    sim_yaml_map(y, v, flash_keys, &((struct sim_spec *)to)->flash);
}

static void board_security(yaml *y, node *v, void *to)
{
    sim_yaml_map(y, v, security_keys, &((struct sim_spec *)to)->security);
}

static void board_timing(yaml *y, node *v, void *to)
{
    sim_yaml_map(y, v, timing_keys, &((struct sim_spec *)to)->timing);
}

static void board_faults(yaml *y, node *v, void *to)
{
    ((struct sim_spec *)to)->n_faults = 0;
    sim_yaml_each(y, v, one_fault, to);
}

static const struct sim_key board_keys[] = {
    {"board", ignore},           {"chip", ignore},             {"mac", board_mac},
    {"revision", board_revision}, {"calibration", board_calibration}, {"power_up", board_power_up},
    {"telnet", board_telnet},    {"bridge", board_bridge},     {"flash", board_flash},
    {"security", board_security}, {"timing", board_timing},    {"faults", board_faults},
    {NULL, NULL},
};

/* What all boards have: everything that is not one board's own. */
static const struct sim_key default_keys[] = {
    {"chip", ignore},            {"revision", board_revision}, {"calibration", board_calibration},
    {"power_up", board_power_up}, {"telnet", board_telnet},    {"bridge", board_bridge},
    {"flash", board_flash},      {"security", board_security}, {"timing", board_timing},
    {"faults", board_faults},    {NULL, NULL},
};

static const struct sim_key root_keys[] = {
    {"seed", ignore}, {"timing", ignore}, {"defaults", ignore}, {"boards", ignore}, {NULL, NULL},
};

/* ---- the file ----------------------------------------------------------------------------------------------- */

struct rows {
    node **row; /* by board number - 1, NULL: not named */
    unsigned n;
};

static void one_row(yaml *y, node *v, void *to)
{
    struct rows *r = to;
    node *number = sim_yaml_get(y, v, "board");
    if (!number) {
        sim_yaml_fail(y, v, "a board needs its number, as board: 1");
        return;
    }
    uint64_t i = sim_yaml_number(y, number, UINT32_MAX);
    if (y->err)
        return;
    if (i == 0 || i > r->n)
        sim_yaml_fail(y, number, "there is no board %llu: they are 1 to %u", (unsigned long long)i, r->n);
    else if (r->row[i - 1])
        sim_yaml_fail(y, number, "board %llu stands here twice", (unsigned long long)i);
    else
        r->row[i - 1] = v;
}

static const struct sim_chip *chip_of(yaml *y, node *map, const struct sim_chip *otherwise)
{
    node *v = map ? sim_yaml_get(y, map, "chip") : NULL;
    if (!v)
        return otherwise;
    const char *name = sim_yaml_text(y, v);
    const struct sim_chip *c = sim_chip_find(name);
    if (!c)
        sim_yaml_fail(y, v, "there is no chip '%s'", name);
    return c ? c : otherwise;
}

void sim_scenario_board(yaml *y, node *map, struct sim_spec *s)
{
    const struct sim_chip *chip = chip_of(y, map, s->chip);
    if (chip != s->chip) {
        s->chip = chip;
        s->revision = chip->revision;
    }
    sim_yaml_map(y, map, default_keys, s);
}

static void read_boards(yaml *y, node *root, const struct sim_chip *chip, bool pace_real, uint64_t *seed,
                        struct sim_spec *specs, struct rows *rows)
{
    node *seed_node = sim_yaml_get(y, root, "seed"), *timing = sim_yaml_get(y, root, "timing");
    node *defaults = sim_yaml_get(y, root, "defaults"), *boards = sim_yaml_get(y, root, "boards");
    if (root)
        sim_yaml_map(y, root, root_keys, NULL);
    if (seed_node)
        *seed = sim_yaml_number(y, seed_node, UINT64_MAX);
    if (boards)
        sim_yaml_each(y, boards, one_row, rows);
    chip = chip_of(y, defaults, chip);
    for (unsigned i = 0; i < rows->n && !y->err; i++) {
        struct sim_spec *s = &specs[i];
        sim_spec_init(s, chip_of(y, rows->row[i], chip), i + 1, *seed);
        s->pace_real = pace_real;
        if (timing)
            sim_yaml_map(y, timing, timing_keys, &s->timing);
        if (defaults)
            sim_yaml_map(y, defaults, default_keys, s);
        if (rows->row[i])
            sim_yaml_map(y, rows->row[i], board_keys, s);
    }
}

enum fl_err sim_scenario_load(const char *file, const struct sim_chip *chip, bool pace_real,
                              uint64_t *seed, struct sim_spec *specs, unsigned n, struct fl_why *why)
{
    yaml y = {.file = "", .why = why};
    node *root = NULL;
    struct rows rows = {calloc(n ? n : 1, sizeof *rows.row), n};
    if (!rows.row)
        return fl_fail(why, FL_NOMEM, "out of memory");
    if (file)
        sim_yaml_open(&y, file, &root, why);
    if (!y.err)
        read_boards(&y, root, chip, pace_real, seed, specs, &rows);
    free(rows.row);
    return sim_yaml_close(&y);
}
