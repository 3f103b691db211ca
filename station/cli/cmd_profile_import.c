/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "profile/import.h"
#include "profile/profile.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { IMAGE_MAX = 128 << 20 };

static const char help[] =
    "usage: flashline profile import BUILD-FOLDER|flasher_args.json [options]\n"
    "       flashline profile import [options] -- esptool.py ... write_flash ... OFFSET FILE ... | @FILE\n"
    "       flashline profile import \"esptool.py ... write_flash ... OFFSET FILE ...\" [options]\n"
    "       flashline profile import --merged FILE [--offset 0x1000] [options]\n\n"
    "Writes a profile from what is there already: an ESP-IDF build, an esptool command line (the kind that M5Burner\n"
    "prints; old and new spelling), or one merged image. The profile names each file with its SHA-256, with paths\n"
    "that count from the profile's folder. It is checked as `profile check` does before it is written; what is wrong\n"
    "with it is said instead. What cannot be taken over is told on standard error.\n\n"
    "  -o, --out FILE    write it there; otherwise to standard output, with paths from the current folder\n"
    "  --force           replace FILE\n"
    "  --name NAME       what the profile is called; otherwise as the application calls itself, or its file\n"
    "  --version TEXT    its version; otherwise the application's own\n"
    "  --merged FILE     one file with bootloader, partition table and application\n"
    "  --offset OFFSET   where FILE belongs; otherwise as its contents show\n\n"
    "exit: 0 written, 2 nothing was written: it cannot be taken over, is wrong, or FILE is there already\n\n"
    "example:\n"
    "  flashline profile import -o core.yaml -- esptool.py --chip esp32 --baud 1500000 write_flash -z \\\n"
    "      --flash_mode dio --flash_freq 80m --flash_size detect 0x1000 core.bin\n";

struct job {
    const char *out, *name, *version, *merged, *offset;
    bool force;
    char *base; /* what the source's paths count from, owned */
    struct import i;
};

/* ---- reading --------------------------------------------------------------------------------------- */

static int lost(enum fl_err err, const struct fl_why *why)
{
    return err == FL_NOMEM ? cli_fail(CLI_STATION, "out of memory") : cli_fail(CLI_USAGE, "%s", why->text);
}

/* Absolute, with the folders' links followed; the last part stays, so that a link to an image stays one. */
static char *absolute(const char *path)
{
    char *dir = fl_path_dir(path), *real = dir ? realpath(dir, NULL) : NULL;
    const char *slash = strrchr(path, '/');
    char *whole = real ? fl_path_join(real, slash ? slash + 1 : path) : NULL;
    free(dir);
    free(real);
    return whole;
}

/* images[k].shown: the way from the profile's folder to it. */
static bool show(struct job *j, size_t k, const char *path)
{
    struct fl_buf way = FL_BUF(8000);
    char *out_dir = fl_path_dir(j->out ? j->out : "profile.yaml"), *folder = out_dir ? realpath(out_dir, NULL) : NULL;
    char *file = absolute(path);
    bool ok = folder && file;
    if (ok) {
        import_relative(folder, file, &way);
        j->i.images[k].shown = strdup(fl_buf_text(&way));
        ok = fl_buf_err(&way, NULL) == FL_OK && j->i.images[k].shown;
    }
    fl_buf_fini(&way);
    free(out_dir);
    free(folder);
    free(file);
    return ok;
}

static int read_image(struct job *j, size_t k)
{
    struct fl_buf bytes = FL_BUF(IMAGE_MAX);
    struct fl_why why = {0};
    char *path = fl_path_join(j->base, j->i.images[k].file);
    int code = CLI_OK;
    enum fl_err err = path ? fl_file_read(path, &bytes, &why) : FL_NOMEM;
    if (err)
        code = lost(err, &why);
    else if (!show(j, k, path))
        code = cli_fail(CLI_USAGE, "there is no folder for %s, or no way from it to %s", j->out ? j->out : "the profile", path);
    else if (import_see(&j->i, k, bytes.bytes, bytes.len) == FL_NOMEM)
        code = cli_fail(CLI_STATION, "out of memory");
    fl_buf_fini(&bytes);
    free(path);
    return code;
}

static int from_json(struct job *j, const char *given)
{
    struct stat st;
    struct fl_buf text = FL_BUF(IMPORT_TEXT_MAX);
    struct fl_why why = {0};
    bool folder = stat(given, &st) == 0 && S_ISDIR(st.st_mode);
    char *path = folder ? fl_path_join(given, "flasher_args.json") : strdup(given);
    enum fl_err err = path ? fl_file_read(path, &text, &why) : FL_NOMEM;
    int code = CLI_OK;
    if (err) {
        code = lost(err, &why);
        goto out;
    }
    free(j->base);
    j->base = fl_path_dir(path);
    err = j->base ? import_flasher_args(&j->i, path, text.bytes, text.len) : FL_NOMEM;
    if (err == FL_NOMEM)
        code = cli_fail(CLI_STATION, "out of memory");
out:
    fl_buf_fini(&text);
    free(path);
    return code;
}

static int from_merged(struct job *j)
{
    uint64_t at = 0;
    uint32_t offset;
    if (j->offset && (!profile_parse_size(j->offset, &at) || at > UINT32_MAX))
        return cli_usage(&cmd_profile_import, "--offset is '%s', expected a number like 0x1000", j->offset);
    offset = (uint32_t)at;
    return import_merged(&j->i, j->merged, j->offset ? &offset : NULL) == FL_NOMEM
               ? cli_fail(CLI_STATION, "out of memory")
               : CLI_OK;
}

static enum fl_err read_words(void *ctx, const char *file, struct fl_buf *text)
{
    (void)ctx; /* paths in it count from where we stand, as esptool has it */
    return fl_file_read(file, text, NULL);
}

static int from_words(struct job *j, size_t n, char **words)
{
    enum fl_err err;
    j->i.read = read_words;
    if (n == 1 && !fl_path_exists(words[0]) && strchr(words[0], ' '))
        err = import_command_line(&j->i, words[0]);
    else if (n == 1)
        return from_json(j, words[0]);
    else
        err = import_command(&j->i, n, (const char *const *)words);
    return err == FL_NOMEM ? cli_fail(CLI_STATION, "out of memory") : CLI_OK;
}

/* ---- writing --------------------------------------------------------------------------------------- */

static void print_lines(const char *lead, const struct fl_buf *lines)
{
    for (const char *p = fl_buf_text(lines); *p;) {
        size_t n = strcspn(p, "\n");
        cli_say("%s: %.*s\n", lead, (int)n, p);
        p += n + (p[n] != 0);
    }
}

/* Would `profile check` take it? Prints what it says. */
static int check(const struct job *j, const char *yaml)
{
    struct profile_problems problems = {NULL, 0};
    struct profile *p;
    enum fl_err err = profile_load_text(j->out ? j->out : "profile.yaml", yaml, &p, &problems);
    for (size_t k = 0; k < problems.n; k++)
        cli_say("%s\n", problems.list[k].text);
    for (size_t k = 0; p && k < p->n_notes; k++)
        cli_say("note: %s\n", p->notes[k]);
    profile_problems_fini(&problems);
    profile_free(p);
    if (!err)
        return CLI_OK;
    if (err == FL_NOMEM)
        return cli_fail(CLI_STATION, "out of memory");
    cli_say("the profile would have been:\n%s", yaml);
    return cli_fail(CLI_USAGE, "nothing was written: the profile would not pass its own check");
}

static int write_out(const struct job *j, const struct fl_buf *yaml)
{
    struct fl_why why = {0};
    enum fl_err err = FL_OK;
    if (!j->out)
        fputs(fl_buf_text(yaml), stdout);
    else
        err = fl_file_replace(j->out, yaml->bytes, yaml->len, 0644, &why);
    return err ? lost(err, &why) : CLI_OK;
}

static int finish(struct job *j)
{
    struct fl_buf yaml = FL_BUF(IMPORT_TEXT_MAX);
    int code = CLI_OK;
    for (size_t k = 0; !code && !j->i.refused.len && k < j->i.n; k++)
        code = read_image(j, k);
    enum fl_err err = code || j->i.refused.len ? FL_FORMAT : import_yaml(&j->i, &yaml);
    if (err == FL_NOMEM)
        code = cli_fail(CLI_STATION, "out of memory");
    print_lines("note", &j->i.told);
    print_lines("flashline", &j->i.refused);
    if (!code && err)
        code = CLI_USAGE;
    if (!code)
        code = check(j, fl_buf_text(&yaml));
    if (!code)
        code = write_out(j, &yaml);
    fl_buf_fini(&yaml);
    return code;
}

static int import(struct job *j, int argc, char **argv)
{
    int code;
    if (j->name && (strlen(j->name) >= sizeof j->i.name || !*j->name))
        return cli_usage(&cmd_profile_import, "--name is '%s', expected 1 to 64 characters", j->name);
    if (j->version && (strlen(j->version) >= sizeof j->i.version || !*j->version))
        return cli_usage(&cmd_profile_import, "--version is '%s', expected 1 to 64 characters", j->version);
    if (j->out && !j->force && fl_path_exists(j->out))
        return cli_fail(CLI_USAGE, "%s is there already; --force replaces it", j->out);
    if (j->name)
        strcpy(j->i.name, j->name);
    if (j->version)
        strcpy(j->i.version, j->version);
    code = j->merged ? from_merged(j) : from_words(j, (size_t)argc, argv);
    return code ? code : finish(j);
}

static int run(int argc, char **argv)
{
    struct job j = {.out = NULL};
    const struct cli_opt options[] = {{"out", CLI_TEXT, &j.out},         {"o", CLI_TEXT, &j.out},
                                      {"force", CLI_FLAG, &j.force},     {"name", CLI_TEXT, &j.name},
                                      {"version", CLI_TEXT, &j.version}, {"merged", CLI_TEXT, &j.merged},
                                      {"offset", CLI_TEXT, &j.offset},   {NULL, CLI_FLAG, NULL}};
    bool done;
    int code = cli_options(&cmd_profile_import, options, &argc, &argv, &done);
    if (done)
        return code;
    if ((argc == 0) == !j.merged)
        return cli_usage(&cmd_profile_import, "expected a build folder, a command line after --, or --merged FILE");
    if (j.offset && !j.merged)
        return cli_usage(&cmd_profile_import, "--offset goes with --merged FILE");
    import_init(&j.i);
    j.base = strdup(".");
    code = j.base ? import(&j, argc, argv) : cli_fail(CLI_STATION, "out of memory");
    import_fini(&j.i);
    free(j.base);
    return code;
}

const struct cli_verb cmd_profile_import = {"profile import", "a profile from a build, an esptool command line or an image",
                                            help, run};
