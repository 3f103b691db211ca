/* SPDX-License-Identifier: Apache-2.0
 * Both sides of witnessing: the machine that signs other machines' logs, and the station that asks it to. */
#include "cli/cli.h"

#include "base/file.h"
#include "base/json.h"
#include "base/wake.h"
#include "cli/signals.h"
#include "prove/witness_http.h"
#include "prove/cosigned.h"
#include "prove/witnessing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_init(int argc, char **argv);
static int run_trust(int argc, char **argv);
static int run_serve(int argc, char **argv);
static int run_sign(int argc, char **argv);
static int run_offer(int argc, char **argv);
static int run_accept(int argc, char **argv);
static int run_push(int argc, char **argv);

const struct cli_verb cmd_witness_init = {
    .name = "witness init",
    .line = "make this machine a witness: a key of its own in a folder of its own",
    .help =
        "usage: flashline witness init DIR --name NAME [--format text|json]\n"
        "\n"
        "A witness signs the head of a station's log only when it grew from the head that it signed last. So a station that\n"
        "rewrites or cuts its log is found out, also by somebody who sees only one certificate. Best on a machine that the\n"
        "station's keepers cannot reach. The verifier key that this prints goes on paper to whoever checks certificates.\n"
        "\n"
        "exit: 0 made, 2 usage, or there is one, 3 the folder failed\n"
        "\n"
        "example:\n"
        "  flashline witness init /var/lib/witness --name qa.example/witness1\n",
    .run = run_init,
};

const struct cli_verb cmd_witness_trust = {
    .name = "witness trust",
    .line = "a witness: sign for this log too",
    .help =
        "usage: flashline witness trust DIR VKEY\n"
        "\n"
        "VKEY is the log's verifier key, from paper. After a station changed its key, trust the new one too.\n"
        "A running witness reads the list when it starts.\n"
        "\n"
        "exit: 0 added, 2 usage, or it is there, 3 the folder failed\n"
        "\n"
        "example:\n"
        "  flashline witness trust /var/lib/witness line-3-a.example+991df877+AQOh...\n",
    .run = run_trust,
};

const struct cli_verb cmd_witness = {
    .name = "witness",
    .line = "a witness: answer stations over HTTP (C2SP tlog-witness)",
    .help =
        "usage: flashline witness DIR [--listen ADDRESS:PORT]\n"
        "\n"
        "  --listen ADDRESS:PORT   where (default 127.0.0.1:8333; port 0: any). Plain HTTP: all that goes over it is signed\n"
        "\n"
        "POST /add-checkpoint answers 200 with the signature, 400 malformed, 403 not signed by the log, 404 unknown log,\n"
        "409 with the size it signed last, 422 not grown from there. A head is on disk before it is answered.\n"
        "GET /<SHA-256 of the log's name>/checkpoint gives the newest head it signed, GET /vkey its verifier key.\n"
        "Prints its address, then a line a request on standard error. Without a network: witness sign.\n"
        "\n"
        "exit: 0 stopped, 2 usage, 3 no witness there, or it cannot work\n"
        "\n"
        "example:\n"
        "  flashline witness /var/lib/witness --listen 10.0.0.9:8333\n",
    .run = run_serve,
};

const struct cli_verb cmd_witness_sign = {
    .name = "witness sign",
    .line = "a witness: answer a request that came as a file, on a stick",
    .help =
        "usage: flashline witness sign DIR REQUEST [-o FILE]\n"
        "\n"
        "REQUEST is what `flashline witness offer` wrote. FILE (default: standard output) gets the signed head, for `flashline\n"
        "witness accept`. The same rules as over HTTP.\n"
        "\n"
        "exit: 0 signed, 1 refused (the reason is said), 2 usage, 3 no witness there, or it cannot work\n"
        "\n"
        "example:\n"
        "  flashline witness sign /var/lib/witness /media/stick/request -o /media/stick/signed\n",
    .run = run_sign,
};

const struct cli_verb cmd_witness_offer = {
    .name = "witness offer",
    .line = "the station: write the newest head for a witness to a file",
    .help =
        "usage: flashline witness offer -o FILE [--key WITNESS] [--old N] [--data DIR]\n"
        "\n"
        "  --key WITNESS       the witness's verifier key: the proof then starts at the head it signed last, as far as it came back\n"
        "  --old N             it starts at N, as the witness said\n"
        "  --data DIR          the station's folder; a flashline may be at work in it\n"
        "\n"
        "exit: 0 written, 2 usage, 3 it could not be read or written\n"
        "\n"
        "example:\n"
        "  flashline witness offer -o /media/stick/request --key qa.example/witness1+dfa888a4+BCVD...\n",
    .run = run_offer,
};

const struct cli_verb cmd_witness_accept = {
    .name = "witness accept",
    .line = "the station: keep a head that a witness signed",
    .help =
        "usage: flashline witness accept FILE --key WITNESS [--data DIR]\n"
        "\n"
        "Checked are both signatures and that the head is one of this log. It is kept in the station's folder (cosigned/);\n"
        "certificates are then made under it, with the witness's signature in them.\n"
        "\n"
        "exit: 0 kept, 1 not good, 2 usage, 3 it could not be read or written\n"
        "\n"
        "example:\n"
        "  flashline witness accept /media/stick/signed --key qa.example/witness1+dfa888a4+BCVD...\n",
    .run = run_accept,
};

const struct cli_verb cmd_witness_push = {
    .name = "witness push",
    .line = "the station: have a witness on the network sign the newest head, now",
    .help =
        "usage: flashline witness push URL --key WITNESS [--data DIR] [--format text|json]\n"
        "\n"
        "30 seconds at most for each answer; the next push covers what this one missed. While a line works this happens by\n"
        "itself, at its start, every minute and at its end, through the outbox, for each line `witness NAME VKEY URL` in the file\n"
        "`policy` of the folder (C2SP tlog-policy; `quorum NAME` there says whose signatures certificates are to carry).\n"
        "\n"
        "exit: 0 signed and kept, 1 the witness refused or answered something else, 2 usage, 3 not reached, or the records\n"
        "could not be read\n"
        "\n"
        "example:\n"
        "  flashline witness push http://10.0.0.9:8333 --key qa.example/witness1+dfa888a4+BCVD...\n",
    .run = run_push,
};

/* ---- the witness ---------------------------------------------------------------------------------------------------- */

/* Takes the object. */
static int say_object(json_t *o)
{
    struct fl_buf out = FL_BUF(4096);
    int code = fl_json_write(o, JSON_COMPACT, &out) ? cli_fail(CLI_STATION, "out of memory") : CLI_OK;
    cli_print("%s", fl_buf_text(&out));
    fl_buf_fini(&out);
    return !code && fflush(stdout) != 0 ? CLI_STATION : code;
}

static int run_init(int argc, char **argv)
{
    const char *name = NULL, *format = NULL;
    char text[KEY_VKEY_MAX], print[KEY_FINGERPRINT];
    struct vkey vkey;
    struct fl_why why = {0, ""};
    bool done;
    const struct cli_opt options[] = {{"name", CLI_TEXT, &name}, {"format", CLI_TEXT, &format}, {NULL, CLI_FLAG, NULL}};
    int code = cli_options(&cmd_witness_init, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc != 1 || !name || cli_format(format) < 0)
        return cli_usage(&cmd_witness_init, "a folder and --name are wanted");
    enum fl_err err = witness_store_make(argv[0], name, &vkey, &why);
    if (!err)
        err = vkey_fingerprint(&vkey, print);
    if (err)
        return cli_fail(err == FL_EXISTS || err == FL_FORMAT ? CLI_USAGE : CLI_STATION, "%s", why.text);
    vkey_format(&vkey, text);
    if (cli_format(format) == CLI_TEXT_OUT)
        cli_print("witness      %s\nkey          %s\nfingerprint  %s\n", name, text, print);
    else
        return say_object(json_pack("{ss,ss,ss}", "witness", name, "key", text, "fingerprint", print));
    return CLI_OK;
}

static int run_trust(int argc, char **argv)
{
    struct fl_why why = {0, ""};
    bool done;
    const struct cli_opt options[] = {{NULL, CLI_FLAG, NULL}};
    int code = cli_options(&cmd_witness_trust, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc != 2)
        return cli_usage(&cmd_witness_trust, "a folder and a log's verifier key are wanted");
    enum fl_err err = witness_store_trust(argv[0], argv[1], &why);
    return err ? cli_fail(err == FL_EXISTS || err == FL_FORMAT || err == FL_MISMATCH ? CLI_USAGE : CLI_STATION, "%s", why.text) : CLI_OK;
}

static void on_signal(void *ctx)
{
    fl_wake_raise(ctx);
}

static void say_request(const char *line)
{
    cli_say("flashline: witness: %s\n", line);
}

static int serve(const char *dir, const char *listen)
{
    struct cli_signals signals;
    struct fl_wake stop = {-1, -1};
    struct fl_why why = {0, ""};
    struct witness_store *store = NULL;
    struct witness_http *http = NULL;
    if (fl_wake_init(&stop, &why))
        return cli_fail(CLI_STATION, "%s", why.text);
    enum fl_err err = cli_signals_start(&signals, on_signal, &stop, &why);
    bool signals_on = !err;
    if (!err)
        err = witness_store_open(dir, &store, &why);
    if (!err)
        err = witness_http_start(listen, store, say_request, &http, &why);
    if (!err) {
        cli_print("%s\n", witness_http_url(http));
        (void)fflush(stdout);
        while (fl_wake_sleep(&stop, fl_deadline_never()) == FL_OK)
            ; /* until the signal */
    }
    witness_http_stop(http);
    witness_store_close(store);
    if (signals_on)
        cli_signals_stop(&signals);
    fl_wake_fini(&stop);
    return err ? cli_fail(err == FL_ARG ? CLI_USAGE : CLI_STATION, "%s", why.text) : CLI_OK;
}

static int run_serve(int argc, char **argv)
{
    const char *listen = "127.0.0.1:8333";
    bool done;
    const struct cli_opt options[] = {{"listen", CLI_TEXT, &listen}, {NULL, CLI_FLAG, NULL}};
    int code = cli_options(&cmd_witness, options, &argc, &argv, &done);
    if (done)
        return code;
    return argc == 1 ? serve(argv[0], listen) : cli_usage(&cmd_witness, "the witness's folder is wanted");
}

static int write_result(const char *file, const struct fl_buf *b)
{
    struct fl_why why = {0, ""};
    if (file && fl_file_replace(file, b->bytes, b->len, 0644, &why))
        return cli_fail(CLI_STATION, "%s", why.text);
    if (!file && (fwrite(b->bytes, 1, b->len, stdout) != b->len || fflush(stdout) != 0))
        return cli_fail(CLI_STATION, "it could not be written out");
    return CLI_OK;
}

static int run_sign(int argc, char **argv)
{
    const char *file = NULL;
    struct fl_why why = {0, ""};
    struct witness_store *store = NULL;
    struct fl_buf request = FL_BUF(1 << 20);
    struct witness_reply reply = {.body = FL_BUF(0), .note = FL_BUF(0)};
    bool done;
    const struct cli_opt options[] = {{"o", CLI_TEXT, &file}, {NULL, CLI_FLAG, NULL}};
    int code = cli_options(&cmd_witness_sign, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc != 2)
        return cli_usage(&cmd_witness_sign, "the witness's folder and the request are wanted");
    enum fl_err err = fl_file_read(argv[1], &request, &why);
    if (!err)
        err = witness_store_open(argv[0], &store, &why);
    if (!err)
        err = witness_store_answer(store, request.bytes ? (const void *)request.bytes : "", request.len, fl_wall_ms() / 1000, &reply, &why);
    if (err)
        code = cli_fail(CLI_STATION, "%s", why.text);
    else if (reply.status == 409)
        code = cli_fail(CLI_NOT_PASS, "refused (409): this witness signed a head of %.*s records last: flashline witness offer --old %.*s",
                        (int)strcspn(fl_buf_text(&reply.body), "\n"), fl_buf_text(&reply.body), (int)strcspn(fl_buf_text(&reply.body), "\n"),
                        fl_buf_text(&reply.body));
    else if (reply.status != 200)
        code = cli_fail(CLI_NOT_PASS, "refused (%d): %.*s", reply.status, (int)strcspn(fl_buf_text(&reply.body), "\n"), fl_buf_text(&reply.body));
    else
        code = write_result(file, &reply.note);
    witness_reply_fini(&reply);
    witness_store_close(store);
    fl_buf_fini(&request);
    return code;
}

/* ---- the station ---------------------------------------------------------------------------------------------------- */

static int take_key(const struct cli_verb *verb, const char *text, struct vkey *out)
{
    struct fl_why why = {0, ""};
    if (!text)
        return cli_usage(verb, "the witness's verifier key is wanted (--key)");
    if (vkey_parse(text, out, &why))
        return cli_usage(verb, "%s", why.text);
    return out->type == KEY_COSIGN ? CLI_OK : cli_usage(verb, "that is the key of a log, not of a witness");
}

static int run_offer(int argc, char **argv)
{
    const char *file = NULL, *key = NULL, *old = NULL, *data = NULL;
    char *end = NULL;
    struct vkey witness;
    struct fl_why why = {0, ""};
    struct fl_buf request = FL_BUF(1 << 20);
    bool done;
    const struct cli_opt options[] = {
        {"o", CLI_TEXT, &file}, {"key", CLI_TEXT, &key}, {"old", CLI_TEXT, &old}, {"data", CLI_TEXT, &data}, {NULL, CLI_FLAG, NULL}};
    int code = cli_options(&cmd_witness_offer, options, &argc, &argv, &done);
    if (done)
        return code;
    long long from = old ? strtoll(old, &end, 10) : COSIGNED_ANY;
    if (argc || (old && (*end || from < 0 || *old < '0' || *old > '9' || end - old > 18)))
        return cli_usage(&cmd_witness_offer, argc ? "'%s' is not expected" : "--old needs a number, not '%s'", argc ? argv[0] : old);
    if (key && (code = take_key(&cmd_witness_offer, key, &witness)))
        return code;
    char *dir = cli_data_dir(data);
    enum fl_err err = dir ? cosigned_offer(dir, key ? &witness : NULL, from, &request, NULL, &why) : fl_fail(&why, FL_NOMEM, "out of memory");
    code = err ? cli_fail(CLI_STATION, "%s", why.text) : write_result(file, &request);
    free(dir);
    fl_buf_fini(&request);
    return code;
}

static int say_kept(const struct vkey *witness, uint64_t size, int format)
{
    if (format == CLI_TEXT_OUT)
        cli_print("%s signed the head of %" PRIu64 " records\n", witness->name, size);
    else
        return say_object(json_pack("{ss,sI}", "witness", witness->name, "size", (json_int_t)size));
    return fflush(stdout) == 0 ? CLI_OK : CLI_STATION;
}

static int run_accept(int argc, char **argv)
{
    const char *key = NULL, *data = NULL, *format = NULL;
    struct vkey witness;
    uint64_t size = 0;
    struct fl_why why = {0, ""};
    struct fl_buf note = FL_BUF(65536);
    bool done;
    const struct cli_opt options[] = {
        {"key", CLI_TEXT, &key}, {"data", CLI_TEXT, &data}, {"format", CLI_TEXT, &format}, {NULL, CLI_FLAG, NULL}};
    int code = cli_options(&cmd_witness_accept, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc != 1 || cli_format(format) < 0)
        return cli_usage(&cmd_witness_accept, "which file?");
    if ((code = take_key(&cmd_witness_accept, key, &witness)))
        return code;
    char *dir = cli_data_dir(data);
    enum fl_err err = dir ? fl_file_read(argv[0], &note, &why) : fl_fail(&why, FL_NOMEM, "out of memory");
    if (!err)
        err = cosigned_keep(dir, note.bytes ? (const void *)note.bytes : "", note.len, &witness, &size, &why);
    bool bad = err == FL_MISMATCH || err == FL_FORMAT || err == FL_EXISTS || err == FL_LIMIT;
    code = err ? cli_fail(bad ? CLI_NOT_PASS : CLI_STATION, "%s", why.text) : say_kept(&witness, size, cli_format(format));
    free(dir);
    fl_buf_fini(&note);
    return code;
}

static int run_push(int argc, char **argv)
{
    const char *key = NULL, *data = NULL, *format = NULL;
    uint64_t size = 0;
    struct vkey witness;
    struct fl_why why = {0, ""};
    bool done;
    const struct cli_opt options[] = {
        {"key", CLI_TEXT, &key}, {"data", CLI_TEXT, &data}, {"format", CLI_TEXT, &format}, {NULL, CLI_FLAG, NULL}};
    int code = cli_options(&cmd_witness_push, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc != 1 || cli_format(format) < 0)
        return cli_usage(&cmd_witness_push, "the witness's URL is wanted");
    if ((code = take_key(&cmd_witness_push, key, &witness)))
        return code;
    char *dir = cli_data_dir(data);
    const struct witness_push p = {.data = dir, .url = argv[0], .witness = &witness};
    enum fl_err err = dir ? witness_push(&p, &size, &why) : fl_fail(&why, FL_NOMEM, "out of memory");
    free(dir);
    if (err)
        return cli_fail(err == FL_REFUSED || err == FL_MISMATCH ? CLI_NOT_PASS : CLI_STATION, "%s", why.text);
    return say_kept(&witness, size, cli_format(format));
}
