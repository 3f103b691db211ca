/* SPDX-License-Identifier: Apache-2.0
 * A timestamp of an authority outside over the newest head, recorded in the log. */
#include "cli/cli.h"

#include "audit/anchor.h"
#include "base/b64.h"
#include "base/clock.h"
#include "cli/telling.h"
#include "prove/certificate.h"
#include "store/db.h"
#include "store/folder.h"
#include "prove/http.h"

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
        "cannot date anything back in front of it. Once a shift or once a day is enough; a timer beside the station at work\n"
        "does it. `flashline audit --ca` checks all of them, and names the records that no anchor covers.\n"
        "\n"
        "exit: 0 recorded, 1 the answer is no good timestamp, 2 usage, 3 not reached, or the station failed\n"
        "\n"
        "example:\n"
        "  flashline anchor --url http://tsa.example/tsr --ca /etc/flashline/tsa.pem --data /var/lib/flashline\n",
    .run = run_anchor,
};

static enum fl_err newest_head(const char *dir, struct fl_buf *note, struct fl_why *why)
{
    struct folder f;
    struct db_reader reader = {NULL, NULL, NULL};
    enum fl_err err = folder_paths(dir, &f, why);
    if (err)
        return err;
    err = db_open_reader(f.db, false, &reader, why);
    if (!err)
        err = certificate_head(reader.db, note, why);
    db_close_reader(&reader);
    folder_fini(&f);
    return err;
}

struct stamp {
    const char *url, *ca;
    struct fl_buf note, request, token;
    int64_t time_ms;
};

/* Exit code; what is wrong was said. */
static int get_stamp(struct stamp *s, const char *dir)
{
    uint8_t nonce[ANCHOR_NONCE];
    long status = 0;
    struct fl_why why = {0, ""};
    enum fl_err err = newest_head(dir, &s->note, &why);
    if (!err)
        err = anchor_request(s->note.bytes, s->note.len, nonce, &s->request, &why);
    const struct http_post post = {.url = s->url, .type = "application/timestamp-query", .bytes = s->request.bytes, .n = s->request.len};
    if (!err)
        err = http_post(&post, &status, &s->token, &why);
    if (err)
        return cli_fail(err == FL_ARG ? CLI_USAGE : CLI_STATION, "%s", why.text);
    if (status != 200)
        return cli_fail(CLI_NOT_PASS, "the authority answers %ld", status);
    err = anchor_check(&s->token, s->note.bytes, s->note.len, s->ca, nonce, &s->time_ms, &why);
    return err ? cli_fail(err == FL_NOT_FOUND ? CLI_USAGE : CLI_NOT_PASS, "%s", why.text) : CLI_OK;
}

static json_t *body_of(const struct stamp *s)
{
    char *b64 = malloc(B64_LEN(s->token.len) + 1);
    if (!b64)
        return NULL;
    b64_encode(s->token.bytes, s->token.len, b64);
    json_t *o = json_pack("{ss,ss,ss}", "head", fl_buf_text(&s->note), "token", b64, "url", s->url);
    free(b64);
    return o;
}

static int anchor(struct stamp *s, struct telling *t)
{
    int64_t leaf;
    char when[FL_TIME_TEXT];
    char *dir = cli_data_dir(t->data);
    int code = dir ? get_stamp(s, dir) : cli_fail(CLI_STATION, "out of memory");
    free(dir);
    if (code)
        return code;
    json_t *body = body_of(s);
    code = body ? telling_open(t, &cmd_anchor) : cli_fail(CLI_STATION, "out of memory");
    if (code) {
        json_decref(body);
        return code;
    }
    code = telling_event(t, EVENT_ANCHOR, body, &leaf);
    fl_time_format(s->time_ms, when);
    return code ? code : telling_say(t, json_pack("{ss,ss}", "url", s->url, "time", when), leaf, "stamped %s", when);
}

static int run_anchor(int argc, char **argv)
{
    struct telling t = TELLING_INIT;
    struct stamp s = {.note = FL_BUF(ANCHOR_NOTE_MAX), .request = FL_BUF(4096), .token = FL_BUF(ANCHOR_TOKEN_MAX)};
    const struct cli_opt options[] = {{"url", CLI_TEXT, &s.url}, {"ca", CLI_TEXT, &s.ca}, TELLING_OPTIONS(t), {NULL, CLI_FLAG, NULL}};
    bool done;
    int code = cli_options(&cmd_anchor, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc || !s.url)
        return cli_usage(&cmd_anchor, argc ? "'%s' is not expected" : "which authority? --url", argc ? argv[0] : "");
    code = anchor(&s, &t);
    telling_close(&t);
    fl_buf_fini(&s.note);
    fl_buf_fini(&s.request);
    fl_buf_fini(&s.token);
    return code;
}
