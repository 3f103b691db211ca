/* SPDX-License-Identifier: Apache-2.0
 *
 * zlib9 FILE: bytes of the file as one zlib stream at level 9, by zlib itself. (The zlib inside node compresses
 * otherwise, and every figure that is set against "zlib at level 9" means this one.) */
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

static unsigned char *load(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    long size = -1;
    unsigned char *bytes = NULL;
    if (f && fseek(f, 0, SEEK_END) == 0)
        size = ftell(f);
    if (size > 0 && fseek(f, 0, SEEK_SET) == 0)
        bytes = malloc((size_t)size);
    *n = (size_t)size;
    if (bytes && fread(bytes, 1, *n, f) != *n) {
        free(bytes);
        bytes = NULL;
    }
    if (f)
        (void)fclose(f);
    return bytes;
}

int main(int argc, char **argv)
{
    size_t n;
    unsigned char *in = argc == 2 ? load(argv[1], &n) : NULL;
    if (!in) {
        fprintf(stderr, "usage: zlib9 FILE\n");
        return 2;
    }
    uLongf out_n = compressBound(n);
    unsigned char *out = malloc(out_n);
    int rc = out ? compress2(out, &out_n, in, n, 9) : Z_MEM_ERROR;
    free(out);
    free(in);
    if (rc != Z_OK)
        return 1;
    printf("%lu\n", out_n);
    return 0;
}
