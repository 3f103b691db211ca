/* SPDX-License-Identifier: Apache-2.0
 * A timestamp of an authority outside over the newest head, recorded in the log. */
#include "cli/cli.h"

#include "audit/anchor.h"
#include "base/clock.h"
#include "cli/telling.h"
#include "prove/stamping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_anchor(int argc, char **argv);

const struct cli_verb cmd_anchor = {
    .name = "anchor",
    .line = "have a timestamp authority (RFC 3161) stamp the newest head, and record it",
    .help =
        "usage: flashline anchor --url URL [--ca FILE] [options]\n"
        "\n"
        "  --url URL           the authority, http or https\n"
        "  --ca FILE           its certificates (PEM): an answer that they do not bear out is not recorded\n" TELLING_HELP
        "\n"
        "The token proves that the head, and the signature under it, were there before its time: whoever steals the key later\n"
        "cannot date anything back in front of it. Once a shift or once a day is enough: a line at work does it by itself where its\n"
        "station file has `anchor`. `flashline audit --ca` checks all of them, and names the records that no anchor covers. A token\n"
        "whose time lies more than ten minutes from this machine's is not recorded.\n"
        "\n"
        "exit: 0 recorded, 1 the answer is no good timestamp, 2 usage, 3 not reached, or the station failed\n"
        "\n"
        "example:\n"
        "  flashline anchor --url http://tsa.example/tsr --ca /etc/flashline/tsa.pem --data /var/lib/flashline\n",
    .run = run_anchor,
};

struct wish {
    const char *url, *ca;
};

/* Exit code; what is wrong was said. */
static int get_stamp(const struct wish *w, const char *dir, json_t **body, int64_t *time_ms)
{
    struct fl_why why = {0, ""};
    struct fl_buf note = FL_BUF(ANCHOR_NOTE_MAX);
    enum fl_err err = stamping_head(dir, &note, &why);
    const struct stamping s = {.url = w->url, .ca = w->ca, .note = note.bytes, .n = note.len};
    if (!err)
        err = stamping_ask(&s, body, time_ms, &why);
    fl_buf_fini(&note);
    if (!err)
        return CLI_OK;
    bool usage = err == FL_ARG || err == FL_NOT_FOUND, bad = err == FL_REFUSED || err == FL_MISMATCH || err == FL_FORMAT;
    return cli_fail(usage ? CLI_USAGE : bad ? CLI_NOT_PASS : CLI_STATION, "%s", why.text);
}

static int anchor(const struct wish *w, struct telling *t)
{
    int64_t leaf, time_ms = 0;
    char when[FL_TIME_TEXT];
    json_t *body = NULL;
    char *dir = cli_data_dir(t->data);
    int code = dir ? get_stamp(w, dir, &body, &time_ms) : cli_fail(CLI_STATION, "out of memory");
    free(dir);
    if (!code)
        code = telling_open(t, &cmd_anchor);
    if (code) {
        json_decref(body);
        return code;
    }
    code = telling_event(t, EVENT_ANCHOR, body, &leaf);
    fl_time_format(time_ms, when);
    return code ? code : telling_say(t, json_pack("{ss,ss}", "url", w->url, "time", when), leaf, "stamped %s", when);
}

static int run_anchor(int argc, char **argv)
{
    struct telling t = TELLING_INIT;
    struct wish w = {NULL, NULL};
    const struct cli_opt options[] = {{"url", CLI_TEXT, &w.url}, {"ca", CLI_TEXT, &w.ca}, TELLING_OPTIONS(t), {NULL, CLI_FLAG, NULL}};
    bool done;
    int code = cli_options(&cmd_anchor, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc || !w.url)
        return cli_usage(&cmd_anchor, argc ? "'%s' is not expected" : "which authority? --url", argc ? argv[0] : "");
    code = anchor(&w, &t);
    telling_close(&t);
    return code;
}
