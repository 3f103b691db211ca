/* SPDX-License-Identifier: Apache-2.0
 * What people have to say about a unit: notes, and what is to become of it. And who stands at the line. */
#include "cli/telling.h"

#include <string.h>

static int run_note(int argc, char **argv);
static int run_dispose(int argc, char **argv);
static int run_operator(int argc, char **argv);

const struct cli_verb cmd_note = {
    .name = "note",
    .line = "add a note to a unit or a lot, for the record",
    .help =
        "usage: flashline note MAC TEXT [options]\n"
        "       flashline note --lot NAME TEXT [options]\n"
        "\n"
        "  --lot NAME          the note is about this lot\n"
        TELLING_HELP
        "\n"
        "exit: 0 recorded, 2 usage, or a unit or lot that this station never saw, 3 the station failed\n"
        "\n"
        "example:\n"
        "  flashline note 24:6f:28:aa:bb:cc \"antenna connector bent, straightened\" --operator eva\n",
    .run = run_note,
};

const struct cli_verb cmd_dispose = {
    .name = "dispose",
    .line = "say what becomes of a unit: scrap, rework, released",
    .help =
        "usage: flashline dispose MAC scrap|rework|released --why TEXT --operator ID [options]\n"
        "\n"
        "  scrap      it is not let in any more\n"
        "  rework     repaired: it may fail as often again as its lot allows\n"
        "  released   whatever was said before does not hold any more\n"
        "\n"
        "  --why TEXT          why, for the record\n"
        TELLING_HELP
        "\n"
        "exit: 0 recorded, 2 usage, or a unit that this station never saw, 3 the station failed\n"
        "\n"
        "example:\n"
        "  flashline dispose 24:6f:28:aa:bb:cc rework --why \"flash chip replaced\" --operator eva\n",
    .run = run_dispose,
};

const struct cli_verb cmd_operator = {
    .name = "operator",
    .line = "who stands at the line: begin, end, or be forgotten",
    .help =
        "usage: flashline operator begin|end|forget NAME [--shift NAME] [options]\n"
        "\n"
        "  begin, end   a shift, for the record\n"
        "  forget       takes the name and its salt away; the records keep a tag that then leads to nobody, and still verify.\n"
        "               Labels that show {operator} keep the name, on paper and as sent\n"
        "\n"
        "  --shift NAME        early, late, ...\n"
        "  --data DIR          the station's folder; a flashline may be at work in it\n"
        "  --passphrase-fd N   read the key's passphrase from this descriptor (needed when none is at work)\n"
        "  --credential NAME   or from this systemd credential\n"
        "  --format text|json\n"
        "\n"
        "exit: 0 recorded, 2 usage, or nobody of that name, 3 the station failed\n"
        "\n"
        "example:\n"
        "  flashline operator begin \"Eva Example\" --shift early\n",
    .run = run_operator,
};

/* "whom: what", where somebody is named. */
static int record(const struct cli_verb *verb, struct telling *t, enum event_kind kind, json_t *body, const char *whom, const char *what)
{
    int64_t leaf;
    if (!body) /* the only texts that are no strings in JSON */
        return cli_usage(verb, "what is said must be text in UTF-8");
    json_t *said = json_deep_copy(body);
    int code = telling_open(t, verb);
    if (code)
        json_decref(body);
    else
        code = telling_event(t, kind, body, &leaf);
    if (code)
        json_decref(said);
    else
        code = telling_say(t, said, leaf, "%s%s%s", whom, *whom ? ": " : "", what);
    telling_close(t);
    return code;
}

/* In the form of the records; false: no MAC. */
static bool mac_text(const char *given, char out[static 24])
{
    uint8_t mac[8];
    if (event_mac_parse(given, mac) != 6)
        return false;
    event_mac_format(mac, 6, out);
    return true;
}

static int run_note(int argc, char **argv)
{
    char mac[24];
    struct telling t = TELLING_INIT;
    const char *lot = NULL;
    const struct cli_opt options[] = {{"lot", CLI_WORDS, &lot}, TELLING_OPTIONS(t), {NULL, CLI_FLAG, NULL}};
    bool done;
    int code = cli_options(&cmd_note, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc != (lot ? 1 : 2))
        return cli_usage(&cmd_note, "%s and the text are wanted, each one word to the shell: \"bent, straightened\"", lot ? "--lot NAME" : "a MAC");
    if (!lot && !mac_text(argv[0], mac))
        return cli_usage(&cmd_note, "'%s' is no MAC", argv[0]);
    return record(&cmd_note, &t, EVENT_NOTE,
                  json_pack("{ss*,ss*,ss}", "mac", lot ? NULL : mac, "lot", lot, "text", argv[argc - 1]), lot ? lot : mac, "noted");
}

static int run_dispose(int argc, char **argv)
{
    char mac[24];
    struct telling t = TELLING_INIT;
    const char *why = NULL;
    const struct cli_opt options[] = {{"why", CLI_WORDS, &why}, TELLING_OPTIONS(t), {NULL, CLI_FLAG, NULL}};
    bool done;
    int code = cli_options(&cmd_dispose, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc != 2)
        return cli_usage(&cmd_dispose, "a MAC and one of scrap, rework, released are wanted");
    if (!why || !t.operator_id)
        return cli_usage(&cmd_dispose, "--why TEXT and --operator ID are wanted: the record says by whom and why");
    if (!mac_text(argv[0], mac))
        return cli_usage(&cmd_dispose, "'%s' is no MAC", argv[0]);
    return record(&cmd_dispose, &t, EVENT_DISPOSITION,
                  json_pack("{ss,ss,ss}", "mac", mac, "disposition", argv[1], "why", why), mac, argv[1]);
}

static int run_operator(int argc, char **argv)
{
    static const char *const changes[] = {"begin", "end", "forget"};
    struct telling t = TELLING_INIT;
    const char *shift = NULL;
    const struct cli_opt options[] = {{"shift", CLI_WORDS, &shift}, TELLING_OPTIONS(t), {NULL, CLI_FLAG, NULL}};
    bool done, known = false;
    int code = cli_options(&cmd_operator, options, &argc, &argv, &done);
    if (done)
        return code;
    for (size_t i = 0; argc == 2 && i < 3; i++)
        known = known || strcmp(changes[i], argv[0]) == 0;
    if (!known || !*argv[1])
        return cli_usage(&cmd_operator, "begin, end or forget, and a name are wanted");
    return record(&cmd_operator, &t, EVENT_OPERATOR,
                  json_pack("{ss,ss,ss*}", "operator", argv[1], "change", argv[0], "shift", shift), argv[1], argv[0]);
}
