/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "cli/cli.h"
#include "link/ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_ports(int argc, char **argv);

const struct cli_verb cmd_ports = {
    .name = "ports",
    .line = "the serial ports of this machine, and where they are plugged in",
    .help =
        "usage: flashline ports [--format text|json]\n"
        "\n"
        "  --format text|json  text: a table; json: one object\n"
        "\n"
        "The first column is what a station file takes: \"usb:1-1.4.1\" is a socket and stays the same\n"
        "whatever is plugged in there; /dev/ttyUSB3 is only today's name. No USB port is opened.\n"
        "The last column says whether flashline could take the port, and if not who has it.\n"
        "\n"
        "exit: 0 told, also when there is none, 2 usage, 3 the system did not say\n"
        "\n"
        "example:\n"
        "  flashline ports --format json | jq -r '.ports[] | select(.use == \"free\") | .url'\n",
    .run = run_ports,
};

static const char *const use_names[] = {
    [LINK_PORT_UNKNOWN] = "unknown",
    [LINK_PORT_FREE] = "free",
    [LINK_PORT_BUSY] = "busy",
    [LINK_PORT_DENIED] = "no permission",
};

/* ---- JSON --------------------------------------------------------------------------------------- */

static bool add_port(json_t *list, const struct link_info *p, const struct link_port_state *s)
{
    char id[10] = "";
    if (p->usb_vid)
        (void)snprintf(id, sizeof id, "%04x:%04x", p->usb_vid, p->usb_pid);
    const struct {
        const char *key, *text;
    } texts[] = {
        {"url", p->url},
        {"device", p->device},
        {"usb_path", p->usb_path},
        {"usb_id", id},
        {"bridge", link_bridge_name(p->usb_vid, p->usb_pid)},
        {"product", p->product},
        {"serial", p->usb_serial},
        {"driver", p->driver},
        {"use", use_names[s->use]},
        {"holder", s->use == LINK_PORT_BUSY ? s->who : ""},
        {"group", s->use == LINK_PORT_DENIED ? s->who : ""},
    };
    json_t *o = json_object();
    bool ok = o != NULL;
    for (size_t i = 0; ok && i < sizeof texts / sizeof *texts; i++)
        ok = fl_json_set_dirty(o, texts[i].key, texts[i].text, strlen(texts[i].text)) == FL_OK;
    return json_array_append_new(list, o) == 0 && ok; /* takes o in any case */
}

static int print_json(const struct link_info *ports, const struct link_port_state *states, size_t n)
{
    json_t *list = json_array(), *top = json_object();
    struct fl_buf out = FL_BUF(1 << 20);
    struct fl_why why = {0};
    bool ok = list && top;
    for (size_t i = 0; ok && i < n; i++)
        ok = add_port(list, &ports[i], &states[i]);
    ok = json_object_set_new(top, "ports", list) == 0 && ok;
    enum fl_err err = ok ? fl_json_canonical(top, &out, &why) : fl_fail(&why, FL_NOMEM, "out of memory");
    json_decref(top);
    if (!err)
        puts(fl_buf_text(&out));
    fl_buf_fini(&out);
    return err ? cli_fail(CLI_STATION, "%s", why.text) : CLI_OK;
}

/* ---- text --------------------------------------------------------------------------------------- */

enum { COLUMNS = 7, CELL_MAX = LINK_URL_MAX + LINK_TEXT_MAX };
struct row {
    char cell[COLUMNS][CELL_MAX];
};

static void fill_row(struct row *r, const struct link_info *p, const struct link_port_state *s)
{
    const char *bridge = link_bridge_name(p->usb_vid, p->usb_pid);
    (void)snprintf(r->cell[0], CELL_MAX, "%s", p->url);
    (void)snprintf(r->cell[1], CELL_MAX, "%s", p->device);
    if (p->usb_vid)
        (void)snprintf(r->cell[2], CELL_MAX, "%04x:%04x", p->usb_vid, p->usb_pid);
    (void)snprintf(r->cell[3], CELL_MAX, "%s", bridge[0] ? bridge : p->product);
    (void)snprintf(r->cell[4], CELL_MAX, "%s", p->usb_serial);
    (void)snprintf(r->cell[5], CELL_MAX, "%s", p->driver);
    if (s->use == LINK_PORT_BUSY)
        (void)snprintf(r->cell[6], CELL_MAX, "busy: %s", s->who);
    else if (s->use == LINK_PORT_DENIED && s->who[0])
        (void)snprintf(r->cell[6], CELL_MAX, "no permission: add the user to the group %s", s->who);
    else
        (void)snprintf(r->cell[6], CELL_MAX, "%s", use_names[s->use]);
    for (size_t c = 0; c < COLUMNS; c++)
        if (!r->cell[c][0])
            memcpy(r->cell[c], "-", 2);
}

static int print_text(const struct link_info *ports, const struct link_port_state *states, size_t n)
{
    static const char *const heads[COLUMNS] = {"PORT", "DEVICE", "VID:PID", "BRIDGE", "SERIAL", "DRIVER", "USE"};
    size_t width[COLUMNS];
    struct row *rows = calloc(n + 1, sizeof *rows);
    if (!rows)
        return cli_fail(CLI_STATION, "out of memory");
    for (size_t c = 0; c < COLUMNS; c++)
        (void)snprintf(rows[0].cell[c], CELL_MAX, "%s", heads[c]);
    for (size_t i = 0; i < n; i++)
        fill_row(&rows[i + 1], &ports[i], &states[i]);
    for (size_t c = 0; c < COLUMNS; c++) {
        width[c] = 0;
        for (size_t i = 0; i <= n; i++)
            if (strlen(rows[i].cell[c]) > width[c])
                width[c] = strlen(rows[i].cell[c]);
    }
    for (size_t i = 0; i <= n; i++)
        for (size_t c = 0; c < COLUMNS; c++)
            cli_print(c + 1 < COLUMNS ? "%-*s  " : "%-*s\n", c + 1 < COLUMNS ? (int)width[c] : 0, rows[i].cell[c]);
    free(rows);
    return CLI_OK;
}

static int run_ports(int argc, char **argv)
{
    const char *format_text = NULL;
    const struct cli_opt table[] = {{"format", CLI_TEXT, &format_text}, {NULL, CLI_FLAG, NULL}};
    bool done;
    int code = cli_options(&cmd_ports, table, &argc, &argv, &done);
    if (done)
        return code;
    int format = cli_format(format_text);
    if (format < 0)
        return cli_usage(&cmd_ports, "--format is text or json, not '%s'", format_text);
    if (argc)
        return cli_usage(&cmd_ports, "takes no argument, and there is '%s'", argv[0]);

    struct link_info *ports = NULL;
    struct fl_why why = {0};
    size_t n = 0;
    enum fl_err err = link_ports(&ports, &n, &why);
    if (err)
        return cli_fail(CLI_STATION, "%s", why.text);
    struct link_port_state *states = calloc(n + 1, sizeof *states);
    if (!states) {
        free(ports);
        return cli_fail(CLI_STATION, "out of memory");
    }
    link_ports_use(ports, n, states);
    if (format == CLI_JSON_OUT)
        code = print_json(ports, states, n);
    else if (n)
        code = print_text(ports, states, n);
    else
        fputs("no serial port: is a board plugged in, does its cable carry data and not only power, and is the\n"
              "bridge's driver loaded (cp210x, ch341, cdc_acm, ftdi_sio; see dmesg)?\n",
              stdout);
    free(states);
    free(ports);
    return code;
}
