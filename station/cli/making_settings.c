/* SPDX-License-Identifier: Apache-2.0
 * How the line is set up, for the record: the station file as read, or the ports of the command line. */
#include "cli/making.h"

#include "base/file.h"
#include "store/settings.h"

int making_settings(const char *data, const char *station_path, const struct cli_list *ports, const char *operator_id, json_t **event)
{
    struct fl_buf text = FL_BUF(1 << 20);
    struct fl_why why = {0, ""};
    enum fl_err err = FL_OK;
    *event = NULL;
    if (station_path)
        err = fl_file_read(station_path, &text, &why);
    for (size_t i = 0; !station_path && i < ports->n; i++)
        fl_buf_addf(&text, "port: %s\n", ports->items[i]);
    if (!err)
        err = fl_buf_err(&text, &why);
    if (!err)
        err = settings_changed(data, "station", fl_buf_text(&text), operator_id, event, &why);
    fl_buf_fini(&text);
    return err ? cli_fail(CLI_STATION, "%s", why.text) : CLI_OK;
}
