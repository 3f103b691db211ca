/* SPDX-License-Identifier: Apache-2.0
 * The whole log verified from its first record, and every table against it. Reads only. */
#include "cli/cli.h"

#include "audit/bundle.h"
#include "cli/audit_words.h"
#include "cli/signer_look.h"
#include "prove/check.h"
#include "prove/previous_log.h"

#include <stdio.h>
#include <stdlib.h>

static int run_audit(int argc, char **argv);

const struct cli_verb cmd_audit = {
    .name = "audit",
    .line = "verify the whole signed log and every table against it",
    .help =
        "usage: flashline audit [DIR] [options]\n"
        "\n"
        "  DIR, --data DIR     the station's folder or a copy of it, or a bundle that `flashline export` wrote (default\n"
        "                      $XDG_DATA_HOME/flashline, else ~/.local/share/flashline).\n"
        "                      Nothing is written; a station may be at work in it\n"
        "  --key VKEY          the verifier key, from paper. Without it the station's own is used, which proves less:\n"
        "                      whoever replaced the whole folder replaced that too. Repeat it for the keys of witnesses:\n"
        "                      heads that they signed then count as kept elsewhere\n"
        "  --policy FILE       a C2SP tlog-policy of yours: logs, witnesses, and which of them must hold the log (quorum). --quorum N:\n"
        "                      so many of the witnesses whose keys are given\n"
        "  --head FILE         a signed head of this log kept elsewhere, or a certificate that came with a board; repeat for\n"
        "                      more. The only way to see that a log was cut off at its end or put back\n"
        "  --ca FILE           certificates (PEM) of timestamp authorities: without them it is not checked who signed the\n"
        "                      timestamps in the log\n"
        "  --previous DIR      the log in front of this one, which its first record names: a folder or bundle, verified with the\n"
        "                      key and the head that the record gives\n"
        "  --log-only          leave the tables out\n"
        "  --format text|json\n"
        "\n"
        "Checked are: the database file and its schema; every record's bytes, form, place, time; the stored tree; the root\n"
        "under every signed head and its signature; the heads kept elsewhere, and what the signer remembers (read from the folder, or\n"
        "asked at its socket; said where that may not be); every row of every table against what the\n"
        "records say. When something is wrong: the first bad record, what was done as far as can be told, and the newest\n"
        "head that can still be trusted.\n"
        "\n"
        "exit: 0 all is right, 2 usage, 3 it could not be read; else what is wrong: 10 changed, 11 missing, 12 order, 13 form,\n"
        "14 foreign, 15 time, 16 copy, 17 node, 18 root, 19 signature, 20 key, 21 unsigned, 22 rollback, 23 fork, 24 rows,\n"
        "25 schema, 26 database, 27 proof, 28 malformed, 29 witness, 30 token, 32 twice\n"
        "(station/audit/README.md explains each)\n"
        "\n"
        "example:\n"
        "  flashline audit --data /mnt/copy --key line-3-a.example+991df877+AQOh... --head last-month.checkpoint\n",
    .run = run_audit,
};

struct wish {
    const char *data, *format, *previous;
    struct trust_words trust;
    struct cli_list keys, heads;
    bool log_only;
};

static enum fl_err check(const struct wish *w, const char *dir, const struct trust *trust, struct check_result *out, struct fl_why *why)
{
    struct remembered *signer = bundle_there(dir) ? NULL : cli_signer_look(dir);
    const struct check_config folder = {.data = dir, .heads = w->heads.items, .n_heads = w->heads.n, .log_only = w->log_only, .trust = trust,
                                        .signer = signer};
    const struct bundle_config bundle = {.dir = dir, .trust = trust, .heads = w->heads.items, .n_heads = w->heads.n};
    enum fl_err err = bundle_there(dir) ? bundle_check(&bundle, out, why) : check_folder(&folder, out, why);
    free(signer);
    if (err || !w->previous)
        return err;
    return out->report.previous.named ? previous_log_check(w->previous, &out->report.previous, out, why)
                                      : fl_fail(why, FL_NOT_FOUND, "the first record of the log in %.200s names no log in front of it", dir);
}

static int audit(struct wish *w, const char *dir)
{
    struct fl_why why = {0, ""};
    struct trust *trust = malloc(sizeof *trust);
    struct check_result *result = malloc(sizeof *result);
    int code;
    w->trust.keys = w->keys.items;
    w->trust.n_keys = w->keys.n;
    bool trusted = trust && result && trust_read(&w->trust, trust, &why) == FL_OK;
    if (!trust || !result)
        code = cli_fail(CLI_STATION, "out of memory");
    else if (!trusted)
        code = cli_fail(CLI_USAGE, "%s", why.text);
    else if (check(w, dir, trust, result, &why))
        code = cli_fail(CLI_STATION, "%s", why.text);
    else if (cli_format(w->format) == CLI_JSON_OUT ? audit_print_json(dir, result) : audit_print_text(dir, result))
        code = cli_fail(CLI_STATION, "the verdict could not be written out");
    else
        code = audit_class_exit(result->report.verdict ? result->report.verdict : result->previous.verdict);
    if (trusted)
        trust_fini(trust);
    free(trust);
    free(result);
    return code;
}

static int run_audit(int argc, char **argv)
{
    struct wish w = {.data = NULL};
    bool done;
    const struct cli_opt options[] = {
        {"data", CLI_TEXT, &w.data},         {"key", CLI_LIST, &w.keys},              {"head", CLI_LIST, &w.heads},
        {"ca", CLI_TEXT, &w.trust.ca},       {"policy", CLI_TEXT, &w.trust.policy},   {"quorum", CLI_UINT, &w.trust.quorum},
        {"log-only", CLI_FLAG, &w.log_only}, {"format", CLI_TEXT, &w.format},         {"previous", CLI_TEXT, &w.previous},
        {NULL, CLI_FLAG, NULL},
    };
    int code = cli_options(&cmd_audit, options, &argc, &argv, &done);
    if (!done && (argc > 1 || (argc && w.data))) {
        code = cli_usage(&cmd_audit, "'%s' is not expected", argv[argc - 1]);
    } else if (!done && cli_format(w.format) < 0) {
        code = cli_usage(&cmd_audit, "--format is text or json, not '%s'", w.format);
    } else if (!done) {
        char *dir = cli_data_dir(argc ? argv[0] : w.data);
        code = dir ? audit(&w, dir) : cli_fail(CLI_STATION, "out of memory");
        free(dir);
    }
    free(w.keys.items);
    free(w.heads.items);
    return code;
}
