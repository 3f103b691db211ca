/* SPDX-License-Identifier: Apache-2.0
 * Lots opened and closed. */
#include "cli/telling.h"

#include "base/utf8.h"
#include "line/rules.h"
#include "line/serial.h"
#include "profile/rules_file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_open(int argc, char **argv);
static int run_close(int argc, char **argv);

const struct cli_verb cmd_lot_open = {
    .name = "lot open",
    .line = "open a production order: what is flashed, how many may pass",
    .help =
        "usage: flashline lot open NAME --profile FILE [options]\n"
        "\n"
        "  --profile FILE      what its units are flashed with: pinned by hash, images included; repeat it for a mix of chips\n"
        "  --product NAME      what is made\n"
        "  --quantity N        how many are wanted\n"
        "  --max N             how many may pass: not one more is let in, however many slots end at once\n"
        "  --duplicates WORD   a unit that has passed in this lot: refuse it (the default), or reflash it; never counted twice\n"
        "  --tries N           so often may a unit fail; then it must go to rework (flashline dispose)\n"
        "  --rules FILE        YAML (or JSON): when a slot is closed and the line stops, golden boards, serial numbers, takt:\n"
        "                      slot: {consecutive: 3}\n"
        "                      line: {same_fault: 8, yield: 90, after: 50}\n"
        "                      shift: {golden: [\"24:6f:28:00:00:01\"]}\n"
        "                      serial: {template: \"M5-{yy}{ww}-{n:6}\"}\n"
        TELLING_HELP
        "\n"
        "exit: 0 open, 2 usage, or a name that was used before, 3 the station failed\n"
        "\n"
        "example:\n"
        "  flashline lot open L-2026-118 --profile profiles/demo-esp32.yaml --quantity 500 --max 505 --operator eva\n",
    .run = run_open,
};

const struct cli_verb cmd_lot_close = {
    .name = "lot close",
    .line = "close a production order: no unit is let in any more",
    .help =
        "usage: flashline lot close NAME [options]\n"
        "\n"
        "  --why TEXT          for the record\n"
        TELLING_HELP
        "\n"
        "Attempts that run come to their end and are counted. A closed lot stays closed, and its name is not used again.\n"
        "\n"
        "exit: 0 closed, 2 usage, or the lot is not open, 3 the station failed\n"
        "\n"
        "example:\n"
        "  flashline lot close L-2026-118 --operator eva\n",
    .run = run_close,
};

#define NOT_SAID UINT_MAX

struct opening {
    struct telling t;
    struct cli_list profile_paths;
    const char *product, *duplicates, *rules_path;
    unsigned quantity, max, tries; /* NOT_SAID, or from 1 */
    json_t *facts;    /* of the profiles: their events */
    json_t *profiles; /* as the lot names them */
    json_t *rules;
};

static json_t *pin_of(const struct profile *p)
{
    json_t *images = json_array();
    for (size_t i = 0; images && i < p->n_images; i++) {
        char hex[65];
        fl_hex(p->images[i].sha256, sizeof p->images[i].sha256, hex);
        if (json_array_append_new(images, json_string(hex)) != 0) {
            json_decref(images);
            return NULL;
        }
    }
    return json_pack("{ss,so}", "hash", p->hash, "images", images);
}

static int load_profile(struct opening *o, const char *path)
{
    struct profile_problems problems = {0};
    struct profile *p = NULL;
    int code = profile_load(path, &p, &problems) ? CLI_USAGE : CLI_OK;
    for (size_t i = 0; i < problems.n; i++)
        cli_say("%s\n", problems.list[i].text);
    if (!code && (json_array_append_new(o->facts, profile_facts(p)) != 0 || json_array_append_new(o->profiles, pin_of(p)) != 0))
        code = cli_fail(CLI_STATION, "out of memory");
    profile_problems_fini(&problems);
    profile_free(p);
    return code;
}

static int load_rules(struct opening *o)
{
    struct profile_problems problems = {0};
    struct fl_why why = {0, ""};
    struct rules_set checked;
    if (!o->rules_path)
        return CLI_OK;
    int code = rules_file_load(o->rules_path, serial_check, &o->rules, &problems) ? CLI_USAGE : CLI_OK;
    for (size_t i = 0; i < problems.n; i++)
        cli_say("%s\n", problems.list[i].text);
    profile_problems_fini(&problems);
    if (!code && rules_parse(o->rules, &checked, &why)) /* what the line will read */
        code = cli_fail(CLI_USAGE, "%s: %s", o->rules_path, why.text);
    return code;
}

static bool set(json_t *o, const char *key, json_t *v)
{
    return v && json_object_set_new(o, key, v) == 0;
}

static json_t *lot_body(struct opening *o, const char *name)
{
    json_t *b = json_pack("{ss,sO}", "lot", name, "profiles", o->profiles);
    bool ok = b != NULL;
    if (ok && o->product)
        ok = set(b, "product", json_string(o->product));
    if (ok && o->duplicates)
        ok = set(b, "duplicates", json_string(o->duplicates));
    if (ok && o->quantity != NOT_SAID)
        ok = set(b, "planned", json_integer(o->quantity));
    if (ok && o->max != NOT_SAID)
        ok = set(b, "authorised", json_integer(o->max));
    if (ok && o->tries != NOT_SAID)
        ok = set(b, "tries", json_integer(o->tries));
    if (ok && o->rules)
        ok = set(b, "rules", json_incref(o->rules));
    if (!ok) {
        json_decref(b);
        return NULL;
    }
    return b;
}

static int open_lot(struct opening *o, const char *name)
{
    int64_t leaf;
    int code = CLI_OK;
    o->facts = json_array();
    o->profiles = json_array();
    if (!o->facts || !o->profiles)
        return cli_fail(CLI_STATION, "out of memory");
    for (size_t i = 0; !code && i < o->profile_paths.n; i++)
        code = load_profile(o, o->profile_paths.items[i]);
    if (!code)
        code = load_rules(o);
    if (!code)
        code = telling_open(&o->t, &cmd_lot_open);
    for (size_t i = 0; !code && i < json_array_size(o->facts); i++)
        code = telling_event(&o->t, EVENT_PROFILE, json_incref(json_array_get(o->facts, i)), &leaf);
    if (!code)
        code = telling_event(&o->t, EVENT_LOT_OPEN, lot_body(o, name), &leaf);
    if (!code && o->max < o->quantity && o->quantity != NOT_SAID)
        cli_say("flashline: note: %u units may pass (--max), fewer than the %u that are wanted\n", o->max, o->quantity);
    return code ? code : telling_say(&o->t, lot_body(o, name), leaf, "lot %s is open", name);
}

static int run_open(int argc, char **argv)
{
    struct opening o = {.t = TELLING_INIT, .quantity = NOT_SAID, .max = NOT_SAID, .tries = NOT_SAID};
    const struct cli_opt options[] = {
        {"profile", CLI_LIST, &o.profile_paths}, {"product", CLI_WORDS, &o.product}, {"quantity", CLI_UINT, &o.quantity},
        {"max", CLI_UINT, &o.max}, {"duplicates", CLI_TEXT, &o.duplicates}, {"tries", CLI_UINT, &o.tries},
        {"rules", CLI_TEXT, &o.rules_path}, TELLING_OPTIONS(o.t), {NULL, CLI_FLAG, NULL}};
    bool done;
    int code = cli_options(&cmd_lot_open, options, &argc, &argv, &done);
    if (!done && argc != 1)
        code = cli_usage(&cmd_lot_open, argc ? "one lot at a time" : "which name?");
    else if (!done && !o.profile_paths.n)
        code = cli_usage(&cmd_lot_open, "--profile FILE is missing");
    else if (!done && (!o.quantity || !o.max || !o.tries))
        code = cli_usage(&cmd_lot_open, "--quantity, --max and --tries are whole numbers from 1");
    else if (!done && !cli_is_words(argv[0]))
        code = cli_usage(&cmd_lot_open, "a lot's name must be text in UTF-8");
    else if (!done)
        code = open_lot(&o, argv[0]);
    telling_close(&o.t);
    json_decref(o.facts);
    json_decref(o.profiles);
    json_decref(o.rules);
    free(o.profile_paths.items);
    return code;
}

static int run_close(int argc, char **argv)
{
    struct telling t = TELLING_INIT;
    const char *why = NULL;
    const struct cli_opt options[] = {{"why", CLI_WORDS, &why}, TELLING_OPTIONS(t), {NULL, CLI_FLAG, NULL}};
    bool done;
    int64_t leaf;
    int code = cli_options(&cmd_lot_close, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc != 1)
        return cli_usage(&cmd_lot_close, argc ? "one lot at a time" : "which lot?");
    if (!cli_is_words(argv[0]))
        return cli_usage(&cmd_lot_close, "a lot's name must be text in UTF-8");
    code = telling_open(&t, &cmd_lot_close);
    if (!code)
        code = telling_event(&t, EVENT_LOT_CLOSE, json_pack("{ss,ss*}", "lot", argv[0], "why", why), &leaf);
    if (!code)
        code = telling_say(&t, json_pack("{ss}", "lot", argv[0]), leaf, "lot %s is closed", argv[0]);
    telling_close(&t);
    return code;
}
