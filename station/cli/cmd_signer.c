/* SPDX-License-Identifier: Apache-2.0
 * The process that holds the key and signs heads of one log, never two that contradict each other. */
#include "cli/cli.h"

#include "cli/passphrase.h"
#include "cli/signals.h"
#include "sign/server.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>

static int run_signer(int argc, char **argv);

const struct cli_verb cmd_signer = {
    .name = "signer",
    .line = "hold the key in a process of its own and sign what continues the log",
    .help =
        "usage: flashline signer --socket PATH --key FILE --memory NAME [options]\n"
        "\n"
        "A station starts one itself, as its child, with the key in its folder. Run it as a service of another user, and the\n"
        "key cannot be read by the station, nor by whoever breaks into it: it can only be asked.\n"
        "\n"
        "  --socket PATH       answer stations at this Unix socket (mode 0660: give it the station's group), one at a time\n"
        "  --key FILE          the key: PEM, or the description of a PKCS#11 token (flashline key create makes either)\n"
        "  --next FILE         the key after it: needed while flashline key rotate runs\n"
        "  --memory NAME       what was signed last is kept in files NAME.a, NAME.b, ... Never put older ones back\n"
        "  --passphrase-fd N   read the passphrase of the key, or the PIN of the token, from this descriptor\n"
        "  --credential NAME   or from this systemd credential\n"
        "  --adopt             believe the log that comes first, when the memory is lost or behind. Only after an audit\n"
        "  --set-clock         the clock was ahead when it signed last, and is right now: sign one head that is dated before.\n"
        "                      Once, by a person; the log tells it. flashline key clock does this for a station's own signer\n"
        "  --fd N              as a child: talk to the one station at this descriptor, end when it ends\n"
        "\n"
        "It signs a head only with a proof that the tree grew from the last one it signed, remembers it on disk before the\n"
        "signature leaves, and refuses while its clock is more than two minutes behind its last signature.\n"
        "\n"
        "exit: 0 told to end, 2 usage, 3 key or memory cannot be opened, or the socket\n"
        "\n"
        "example:\n"
        "  flashline signer --socket /run/flashline-signer/socket --key /etc/flashline-signer/log.key \\\n"
        "      --memory /var/lib/flashline-signer/memory --credential passphrase\n",
    .run = run_signer,
};

struct options {
    const char *socket, *key, *next, *memory, *credential;
    unsigned fd, passphrase_fd;
    bool adopt, set_clock;
};

static enum fl_err open_keeper(const struct options *o, const char *secret, struct keeper **out, struct fl_why *why)
{
    struct seal key = {.ctx = NULL}, next = {.ctx = NULL};
    const struct keeper_config c = {.key = &key, .next = o->next ? &next : NULL, .memory = o->memory, .adopt = o->adopt,
                                    .set_clock = o->set_clock};
    enum fl_err err = seal_open(o->key, secret, &key, why);
    if (!err && o->next)
        err = seal_open(o->next, secret, &next, why);
    if (!err)
        err = keeper_new(&c, out, why);
    seal_close(&key); /* where the keeper did not take it */
    seal_close(&next);
    return err;
}

/* What ends the station ends this too, by the end of its socket; a Ctrl-C at the terminal goes to both and must not end the
 * signer before the station has closed its log. */
static int as_child(struct keeper *k, const struct options *o, enum fl_err opened, const struct fl_why *said)
{
    struct fl_why why = {0, ""};
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    if (opened) {
        server_refuse((int)o->fd, opened, said->text);
        return CLI_STATION;
    }
    return server_talk(k, (int)o->fd, NULL, &why) ? cli_fail(CLI_STATION, "signer: %s", why.text) : CLI_OK;
}

static void on_signal(void *ctx)
{
    fl_wake_raise(ctx);
}

static void ready(void *ctx)
{
    cli_print("ready %s\n", (const char *)ctx);
    (void)fflush(stdout);
}

static int as_service(struct keeper *k, const char *path)
{
    struct cli_signals signals;
    struct fl_wake stop;
    struct fl_why why = {0, ""};
    if (fl_wake_init(&stop, &why))
        return cli_fail(CLI_STATION, "%s", why.text);
    enum fl_err err = cli_signals_start(&signals, on_signal, &stop, &why);
    if (!err) {
        err = server_listen(k, path, &stop, ready, (void *)(uintptr_t)path, &why);
        cli_signals_stop(&signals);
    }
    fl_wake_fini(&stop);
    return err ? cli_fail(CLI_STATION, "signer: %s", why.text) : CLI_OK;
}

static int run_signer(int argc, char **argv)
{
    struct options o = {.fd = UINT_MAX, .passphrase_fd = CLI_NO_PASSPHRASE};
    const struct cli_opt options[] = {
        {"socket", CLI_TEXT, &o.socket},   {"fd", CLI_UINT, &o.fd},         {"key", CLI_TEXT, &o.key},
        {"next", CLI_TEXT, &o.next},       {"memory", CLI_TEXT, &o.memory}, {"passphrase-fd", CLI_UINT, &o.passphrase_fd},
        {"credential", CLI_TEXT, &o.credential}, {"adopt", CLI_FLAG, &o.adopt},   {"set-clock", CLI_FLAG, &o.set_clock}, {NULL, CLI_FLAG, NULL},
    };
    struct keeper *k = NULL;
    struct fl_why why = {0, ""};
    char *secret = NULL;
    bool done;
    int code = cli_options(&cmd_signer, options, &argc, &argv, &done);
    if (done)
        return code;
    if (argc)
        return cli_usage(&cmd_signer, "'%s' is not expected", argv[0]);
    if (!o.key || !o.memory || !o.socket == (o.fd == UINT_MAX))
        return cli_usage(&cmd_signer, "--key, --memory and one of --socket and --fd are needed");
    server_harden();
    code = cli_secret(o.credential, o.passphrase_fd, &secret);
    if (code)
        return code;
    enum fl_err err = open_keeper(&o, secret, &k, &why);
    cli_passphrase_free(secret);
    if (!o.socket)
        code = as_child(k, &o, err, &why);
    else
        code = err ? cli_fail(CLI_STATION, "signer: %s", why.text) : as_service(k, o.socket);
    keeper_free(k);
    return code;
}
