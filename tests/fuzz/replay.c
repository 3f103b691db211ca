/* SPDX-License-Identifier: Apache-2.0
 * A fuzz target without a fuzzer: the kept corpus, each file as it is, cut short at every length up to 200, and
 * damaged at random places from a fixed seed. A program t_NAME reads tests/fuzz/corpus/NAME/ (or its arguments, as
 * they are) and prints TAP; what must hold and does not ends it. */
#include "fuzz.h"

#include "base/file.h"

#include <dirent.h>

enum { MUTANTS = 300, CUTS = 200, FILE_MAX = 1 << 20 };

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void mutate(const uint8_t *bytes, size_t n, uint64_t *seed)
{
    static const uint8_t telling[] = {0x00, 0x01, 0x7F, 0x80, 0xFF, 0xC0, 0xDB, '\n', ':', '-', '"', '{'};
    uint8_t *copy = malloc(n ? n : 1);
    FUZZ_HOLDS(copy);
    for (size_t i = 0; i < CUTS && i < n; i++)
        (void)LLVMFuzzerTestOneInput(bytes, i);
    for (int i = 0; i < MUTANTS && n > 0; i++) {
        memcpy(copy, bytes, n);
        for (uint64_t k = random_next(seed) % 4 + 1; k > 0; k--) {
            uint64_t r = random_next(seed);
            copy[r % n] = r >> 40 & 1 ? (uint8_t)(r >> 48) : telling[(r >> 48) % sizeof telling];
        }
        (void)LLVMFuzzerTestOneInput(copy, n);
    }
    free(copy);
}

static int one(const char *path, bool mutants)
{
    struct fl_buf b = FL_BUF(FILE_MAX);
    struct fl_why why = {0};
    uint64_t seed = 20261122;
    enum fl_err err = fl_file_read(path, &b, &why);
    if (err)
        (void)fprintf(stderr, "%s\n", why.text);
    else
        (void)LLVMFuzzerTestOneInput(b.bytes, b.len);
    if (!err && mutants)
        mutate(b.bytes, b.len, &seed);
    fl_buf_fini(&b);
    return err != FL_OK;
}

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '_');
    char path[600];
    int files = 0, bad = 0;
    for (int i = 1; i < argc; i++)
        bad += one(argv[i], false);
    if (argc > 1)
        return bad > 0;
    (void)snprintf(path, sizeof path, "tests/fuzz/corpus/%s", name ? name + 1 : "");
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "tests/fuzz/corpus/%s/%s", name ? name + 1 : "", e->d_name);
        bad += one(path, true);
        files++;
    }
    if (d)
        (void)closedir(d);
    printf("%s 1 - corpus of %d files, each with its mutants\n", files > 0 && bad == 0 ? "ok" : "not ok", files);
    return files == 0 || bad > 0;
}
