/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "profile/profile.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 4 << 20 };

static const char help[] =
    "usage: flashline profile check FILE... [--format text|json]\n"
    "       flashline profile check --keys\n\n"
    "Reads each profile and its images as `flash` and `run` do and says everything that is wrong, one line each on\n"
    "standard error: file:line:column: what is wrong, what was expected. What may be meant but looks odd is a\n"
    "note. Opens no port.\n\n"
    "  --format json   one JSON object for each file, one a line, on standard output: ok, hash, problems, notes\n"
    "  --keys          print every key of profiles and station files, with its values and defaults, as Markdown\n\n"
    "exit: 0 all are right, 2 some are not\n\n"
    "example:\n"
    "  flashline profile check profiles/demo-esp32.yaml\n";

static json_t *problems_json(const struct profile_problems *problems)
{
    json_t *list = json_array();
    for (size_t i = 0; i < problems->n; i++) {
        const struct profile_problem *p = &problems->list[i];
        json_t *one = json_pack("{s:I, s:I, s:s}", "line", (json_int_t)p->line, "column", (json_int_t)p->column,
                                "text", p->text);
        if (json_array_append_new(list, one)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *notes_json(const struct profile *p)
{
    json_t *list = json_array();
    for (size_t i = 0; p && i < p->n_notes; i++)
        if (json_array_append_new(list, fl_json_dirty(p->notes[i], strlen(p->notes[i])))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static int print_json(const char *path, const struct profile *p, const struct profile_problems *problems)
{
    struct fl_buf text = FL_BUF(TEXT_MAX);
    json_t *o = json_pack("{s:o, s:b, s:s*, s:s*, s:s*, s:o, s:o}", "file", fl_json_dirty(path, strlen(path)), "ok", p != NULL, "profile",
                          p ? p->name : NULL, "version", p ? p->version : NULL, "hash", p ? p->hash : NULL,
                          "problems", problems_json(problems), "notes", notes_json(p));
    int code = CLI_OK;
    if (!o || fl_json_canonical(o, &text, NULL))
        code = cli_fail(CLI_STATION, "%s: the result cannot be printed as JSON", path);
    else
        puts(fl_buf_text(&text));
    json_decref(o);
    fl_buf_fini(&text);
    return code;
}

static void print_text(const char *path, const struct profile *p, const struct profile_problems *problems)
{
    for (size_t i = 0; i < problems->n; i++)
        cli_say("%s\n", problems->list[i].text);
    if (!p)
        return;
    for (size_t i = 0; i < p->n_notes; i++)
        cli_say("note: %s\n", p->notes[i]);
    cli_print("%s: ok: %s %s for %s, %zu image%s, hash %s\n", path, p->name, p->version, p->chip, p->n_images,
           p->n_images == 1 ? "" : "s", p->hash);
}

static int check_file(const char *path, enum cli_format format)
{
    struct profile_problems problems = {NULL, 0};
    struct profile *p;
    int code = CLI_OK;
    enum fl_err err = profile_load(path, &p, &problems);
    if (format == CLI_JSON_OUT)
        code = print_json(path, p, &problems);
    else
        print_text(path, p, &problems);
    if (err == FL_NOMEM)
        code = cli_fail(CLI_STATION, "out of memory");
    else if (err && !code)
        code = CLI_USAGE;
    profile_problems_fini(&problems);
    profile_free(p);
    return code;
}

static int print_keys(void)
{
    struct fl_buf text = FL_BUF(TEXT_MAX);
    profile_key_reference(&text);
    enum fl_err err = fl_buf_err(&text, NULL);
    if (!err)
        cli_print("%s", fl_buf_text(&text));
    fl_buf_fini(&text);
    return err ? cli_fail(CLI_STATION, "out of memory") : CLI_OK;
}

static int run(int argc, char **argv)
{
    const char *format = NULL;
    bool keys = false, done;
    const struct cli_opt options[] = {
        {"format", CLI_TEXT, &format}, {"keys", CLI_FLAG, &keys}, {NULL, CLI_FLAG, NULL}};
    int code = cli_options(&cmd_profile_check, options, &argc, &argv, &done);
    if (done)
        return code;
    if (cli_format(format) < 0)
        return cli_usage(&cmd_profile_check, "--format is '%s', expected text or json", format);
    if (keys && argc == 0)
        return print_keys();
    if (argc == 0 || keys)
        return cli_usage(&cmd_profile_check, "expected FILE..., or --keys alone");
    for (int i = 0; i < argc; i++) {
        int one = check_file(argv[i], (enum cli_format)cli_format(format));
        code = one > code ? one : code;
    }
    return code;
}

const struct cli_verb cmd_profile_check = {"profile check", "say everything that is wrong with a profile", help, run};
