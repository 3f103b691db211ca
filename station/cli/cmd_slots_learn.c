/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "cli/cli.h"
#include "cli/signals.h"
#include "link/notice.h"
#include "link/ports.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int run_slots_learn(int argc, char **argv);

const struct cli_verb cmd_slots_learn = {
    .name = "slots learn",
    .line = "number the cables by plugging in one after another, and write the station file",
    .help =
        "usage: flashline slots learn --station FILE [--name NAME] [--slots N]\n"
        "\n"
        "  --station FILE  the station file to write; one that is there is kept as FILE.old\n"
        "  --name NAME     what the station is called in records\n"
        "  --slots N       stop after N slots by itself\n"
        "\n"
        "Unplug all cables of the fixture first. Then plug in the cable of slot 1 (with a board, or the fixture's\n"
        "adapter), then that of slot 2, and so on; Enter ends. Each is written down by the USB socket it sits in, so\n"
        "that neither renumbering nor replugging moves it. What is plugged in already is not counted until it is\n"
        "pulled and plugged in again. Nothing is written before the end, and no port is opened.\n"
        "\n"
        "exit: 0 written; 2 no slot was learned, or the file cannot be written\n"
        "\n"
        "example:\n"
        "  flashline slots learn --station line-3.yaml --name line-3-a\n",
    .run = run_slots_learn,
};

enum { SLOTS_MAX = 999, LOOK_MS = 300, FILE_MAX = 1 << 18, NAME_MOST = 64 /* as a station file takes it */ };

struct learning {
    const char *path, *name;
    unsigned want;
    struct link_info *ports; /* as last seen */
    size_t n_ports;
    char (*url)[LINK_URL_MAX]; /* learned, in order */
    size_t n;
    struct fl_wake stop;
};

static const struct link_info *find(const struct link_info *list, size_t n, const char *url)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].url, url) == 0)
            return &list[i];
    return NULL;
}

static void ask(const struct learning *l)
{
    cli_print("slot %zu: plug in its cable now (Enter: no more)\n", l->n + 1);
    fflush(stdout);
}

static void learn(struct learning *l, const struct link_info *p)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->url[i], p->url) == 0) {
            cli_print("  that is slot %zu already (%s)\n", i + 1, p->url);
            ask(l);
            return;
        }
    (void)snprintf(l->url[l->n++], LINK_URL_MAX, "%s", p->url);
    const char *bridge = link_bridge_name(p->usb_vid, p->usb_pid);
    cli_print("  slot %zu is %s (%s, %s)\n", l->n, p->url, p->device, bridge[0] ? bridge : p->product);
    if (!p->usb_path[0])
        cli_print("  its USB place is not known here: it is written by name, which may change when cables move\n");
    if (l->n < l->want)
        ask(l);
    fflush(stdout);
}

/* Ports that were not there a moment ago. Two at once cannot be told apart. */
static enum fl_err look(struct learning *l, struct fl_why *why)
{
    struct link_info *now = NULL;
    const struct link_info *fresh = NULL;
    size_t n = 0, came = 0;
    enum fl_err err = link_ports(&now, &n, why);
    if (err)
        return err;
    for (size_t i = 0; i < n; i++)
        if (!find(l->ports, l->n_ports, now[i].url)) {
            fresh = &now[i];
            came++;
        }
    if (came == 1)
        learn(l, fresh);
    else if (came > 1) {
        cli_print("  %zu ports came at once: unplug them, and plug in one at a time (a bridge with several ports is "
               "written by hand: flashline ports)\n", came);
        ask(l);
    }
    free(l->ports);
    l->ports = now;
    l->n_ports = n;
    return FL_OK;
}

/* Enter, the end of the input, or a signal. */
static bool told_to_end(struct learning *l)
{
    struct pollfd p[2] = {{.fd = 0, .events = POLLIN}, {.fd = l->stop.rd, .events = POLLIN}};
    char bytes[64];
    if (poll(p, 2, 0) <= 0)
        return false;
    return p[1].revents || (p[0].revents && read(0, bytes, sizeof bytes) >= 0);
}

static enum fl_err learn_all(struct learning *l, struct fl_why *why)
{
    struct link_notice *notice = NULL;
    static const char *const anywhere[] = {"/dev/ttyUSB0"};
    enum fl_err err = link_ports(&l->ports, &l->n_ports, why);
    if (link_notice_open(anywhere, 1, &notice, NULL))
        notice = NULL;
    if (!err)
        ask(l);
    while (!err && l->n < l->want && !told_to_end(l)) {
        /* notices come before the driver has made all of a port: it is looked at again soon either way */
        enum fl_err got = notice ? link_notice_wait(notice, &l->stop, fl_deadline_in_ms(LOOK_MS))
                                 : fl_wake_sleep(&l->stop, fl_deadline_in_ms(LOOK_MS));
        if (got != FL_CANCELLED)
            err = look(l, why);
    }
    link_notice_close(notice);
    return err;
}

/* Asked before anybody plugs sixty cables in for nothing. */
static enum fl_err can_write(const struct learning *l, struct fl_why *why)
{
    char *dir = fl_path_dir(l->path);
    struct stat st;
    enum fl_err err = dir ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err && access(dir, W_OK | X_OK) != 0)
        err = fl_fail_os(why, "cannot write %s into the folder %s", l->path, dir);
    if (!err && stat(l->path, &st) == 0 && !S_ISREG(st.st_mode))
        err = fl_fail(why, FL_EXISTS, "%s is there and no file", l->path);
    free(dir);
    return err;
}

static enum fl_err make_text(const struct learning *l, struct fl_buf *text, struct fl_why *why)
{
    if (l->name)
        fl_buf_addf(text, "station: %s\n", l->name);
    fl_buf_adds(text, "slots:\n");
    for (size_t i = 0; i < l->n; i++)
        fl_buf_addf(text, "  - {slot: %zu, port: \"%s\"}\n", i + 1, l->url[i]);
    return fl_buf_err(text, why);
}

static enum fl_err write_file(const struct learning *l, const struct fl_buf *text, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    if (fl_path_exists(l->path)) {
        struct fl_buf name = FL_BUF(4096), old = FL_BUF(FILE_MAX);
        fl_buf_addf(&name, "%s.old", l->path);
        err = fl_buf_err(&name, why);
        if (!err)
            err = fl_file_read(l->path, &old, why);
        if (!err) /* a copy: the line must find a file at every moment */
            err = fl_file_replace(fl_buf_text(&name), old.bytes, old.len, 0644, why);
        fl_buf_fini(&name);
        fl_buf_fini(&old);
    }
    if (!err)
        err = fl_file_replace(l->path, text->bytes, text->len, 0644, why);
    return err;
}

static void on_signal(void *ctx)
{
    fl_wake_raise(ctx);
}

static int learn_and_write(struct learning *l)
{
    struct fl_why why = {0};
    struct cli_signals signals;
    l->url = calloc(SLOTS_MAX, sizeof *l->url);
    if (!l->url)
        return cli_fail(CLI_STATION, "out of memory");
    if (can_write(l, &why))
        return cli_fail(CLI_USAGE, "%s", why.text);
    if (fl_wake_init(&l->stop, &why) || cli_signals_start(&signals, on_signal, &l->stop, &why))
        return cli_fail(CLI_STATION, "%s", why.text);
    enum fl_err err = learn_all(l, &why);
    cli_signals_stop(&signals);
    if (err)
        return cli_fail(CLI_STATION, "%s", why.text);
    if (!l->n)
        return cli_fail(CLI_USAGE, "no slot was learned; nothing is written");
    struct fl_buf text = FL_BUF(FILE_MAX);
    int code = CLI_OK;
    err = make_text(l, &text, &why);
    if (!err)
        err = write_file(l, &text, &why);
    if (err) { /* an hour of plugging is not thrown away */
        code = cli_fail(CLI_USAGE, "%s; this is what was learned:", why.text);
        cli_print("%s", fl_buf_text(&text));
    } else {
        cli_print("%zu slot%s in %s\n", l->n, l->n == 1 ? "" : "s", l->path);
    }
    fl_buf_fini(&text);
    return code;
}

static int run_slots_learn(int argc, char **argv)
{
    struct learning l = {.stop = {-1, -1}, .want = SLOTS_MAX};
    const struct cli_opt table[] = {{"station", CLI_TEXT, &l.path}, {"name", CLI_TEXT, &l.name},
                                    {"slots", CLI_UINT, &l.want}, {NULL, CLI_FLAG, NULL}};
    bool done;
    int code = cli_options(&cmd_slots_learn, table, &argc, &argv, &done);
    if (done)
        return code;
    if (argc)
        return cli_usage(&cmd_slots_learn, "'%s' is one word too many", argv[0]);
    if (!l.path)
        return cli_usage(&cmd_slots_learn, "--station FILE is missing");
    if (!l.want || l.want > SLOTS_MAX)
        return cli_usage(&cmd_slots_learn, "--slots is 1 to %d", SLOTS_MAX);
    if (l.name && strlen(l.name) > NAME_MOST)
        return cli_usage(&cmd_slots_learn, "--name has at most %d letters", NAME_MOST);
    if (l.name && l.name[strspn(l.name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")])
        return cli_usage(&cmd_slots_learn, "--name is made of letters, digits, '.', '_' and '-'");
    code = learn_and_write(&l);
    fl_wake_fini(&l.stop);
    free(l.ports);
    free(l.url);
    return code;
}
