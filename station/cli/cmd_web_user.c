/* SPDX-License-Identifier: Apache-2.0
 * Who may look from another machine. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/passphrase.h"
#include "web/users.h"

#include <stdio.h>
#include <stdlib.h>

static int run_user(int argc, char **argv);

const struct cli_verb cmd_web_user = {
    .name = "web user",
    .line = "who may look at the pages from another machine",
    .help =
        "usage: flashline web user NAME --role ROLE --password-fd N [--data DIR]\n"
        "       flashline web user NAME --role ROLE --token [--days N] [--data DIR]\n"
        "       flashline web user NAME --remove [--data DIR]\n"
        "       flashline web user [--data DIR] [--format text|json]       who there is\n"
        "\n"
        "  --role ROLE         viewer: board, log, certificates; operator: also units; engineer: also statistics\n"
        "  --password-fd N     read the password (8 bytes and more) from this descriptor\n"
        "  --token             make a token instead and print it, once: for wall screens\n"
        "                      (http://STATION/login#token=...) and for Prometheus (Authorization: Bearer ...)\n"
        "  --days N            the token ends after so many days (default 365; 0: never)\n"
        "  --remove            take user and token of that name away; their sessions end at once\n"
        "\n"
        "Written to DATA/web-users (mode 0600), passwords as scrypt hashes. A running server reads it anew.\n"
        "\n"
        "exit: 0 done, 1 there is no such user, 2 usage, 3 the file could not be read or written\n"
        "\n"
        "example:\n"
        "  flashline web user ann --role engineer --password-fd 3 3<password.txt\n",
    .run = run_user,
};

static int list(const char *data, int format)
{
    struct web_users u;
    struct fl_why why = {0, ""};
    json_t *all = json_array();
    int code = CLI_OK;
    if (web_users_load(data, &u, &why))
        code = cli_fail(CLI_STATION, "%s", why.text);
    for (size_t i = 0; !code && i < u.n; i++) {
        char until[FL_TIME_TEXT] = "never";
        if (u.list[i].expires_s)
            fl_time_format(u.list[i].expires_s * 1000, until);
        const char *kind = u.list[i].token ? "token" : "user", *role = web_role_name(u.list[i].role);
        if (format == CLI_TEXT_OUT)
            cli_print("%-5s  %-8s  %s%s%s\n", kind, role, u.list[i].name, u.list[i].token ? ", ends " : "", u.list[i].token ? until : "");
        else
            (void)json_array_append_new(all, json_pack("{ss ss ss ss}", "kind", kind, "name", u.list[i].name, "role", role, "ends", until));
    }
    if (!code && format == CLI_JSON_OUT)
        code = json_dumpf(all, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF ? CLI_OK : CLI_STATION;
    web_users_fini(&u);
    json_decref(all);
    return code;
}

enum { DAYS = 365 };
#define NOT_SAID UINT_MAX

struct asked {
    const char *data, *role, *format;
    bool token, remove;
    unsigned password_fd, days; /* CLI_NO_PASSPHRASE, NOT_SAID */
};

static int change(const char *data, const char *name, enum web_role role, const struct asked *a)
{
    struct fl_why why = {0, ""};
    char token[WEB_TOKEN_TEXT], *password = NULL;
    enum fl_err err = fl_dir_make(data, &why);
    if (!err && a->remove) {
        err = web_users_remove(data, name, &why);
    } else if (!err && a->token) {
        err = web_users_token(data, name, role, a->days == NOT_SAID ? DAYS : a->days, token, &why);
        if (!err)
            cli_print("%s\n", token);
    } else if (!err) {
        int code = cli_passphrase(a->password_fd, &password);
        if (code)
            return code;
        err = web_users_set(data, name, role, password ? password : "", &why);
        cli_passphrase_free(password);
    }
    if (err == FL_ARG)
        return cli_usage(&cmd_web_user, "%s", why.text);
    return err ? cli_fail(err == FL_NOT_FOUND ? CLI_NOT_PASS : CLI_STATION, "%s", why.text) : CLI_OK;
}

/* What is said and would not be done; NULL: nothing. */
static const char *out_of_place(const struct asked *a, bool named)
{
    bool fd = a->password_fd != CLI_NO_PASSPHRASE, days = a->days != NOT_SAID;
    if (named && a->format)
        return "--format is for the list of who there is";
    if (a->remove && (a->role || a->token || fd || days))
        return "--remove takes away whatever there is of that name: it goes alone";
    if (a->token && fd)
        return "one of --password-fd N and --token";
    if (days && !a->token)
        return "--days is for --token: a password does not end";
    return NULL;
}

static int checked(const char *data, int argc, char **argv, const struct asked *a)
{
    enum web_role role = WEB_ANYONE;
    const char *wrong = out_of_place(a, argc > 0);
    if (wrong)
        return cli_usage(&cmd_web_user, "%s", wrong);
    if (argc == 0 && !a->role && !a->token && !a->remove)
        return list(data, cli_format(a->format));
    if (argc != 1)
        return cli_usage(&cmd_web_user, argc ? "one name at a time" : "which name?");
    if (a->remove)
        return change(data, argv[0], role, a);
    if (!a->role || !web_role_parse(a->role, &role))
        return cli_usage(&cmd_web_user, "--role is viewer, operator or engineer");
    if (!a->token && a->password_fd == CLI_NO_PASSPHRASE)
        return cli_usage(&cmd_web_user, "give --password-fd N or --token");
    return change(data, argv[0], role, a);
}

static int run_user(int argc, char **argv)
{
    struct asked a = {.password_fd = CLI_NO_PASSPHRASE, .days = NOT_SAID};
    bool done;
    const struct cli_opt options[] = {
        {"data", CLI_TEXT, &a.data},     {"role", CLI_TEXT, &a.role}, {"format", CLI_TEXT, &a.format},
        {"token", CLI_FLAG, &a.token},   {"days", CLI_UINT, &a.days}, {"remove", CLI_FLAG, &a.remove},
        {"password-fd", CLI_UINT, &a.password_fd}, {NULL, CLI_FLAG, NULL}};
    int code = cli_options(&cmd_web_user, options, &argc, &argv, &done);
    if (done)
        return code;
    if (cli_format(a.format) < 0)
        return cli_usage(&cmd_web_user, "--format is text or json, not '%s'", a.format);
    char *data = cli_data_dir(a.data);
    if (data)
        cli_no_station_yet(data);
    code = data ? checked(data, argc, argv, &a) : cli_fail(CLI_STATION, "out of memory");
    free(data);
    return code;
}
