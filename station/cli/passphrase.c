/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/passphrase.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cli_passphrase(unsigned fd, char **out)
{
    *out = NULL;
    if (fd == CLI_NO_PASSPHRASE)
        return CLI_OK;
    char *p = calloc(1, CLI_PASSPHRASE_MAX + 1);
    size_t n = 0;
    if (!p)
        return cli_fail(CLI_STATION, "out of memory");
    while (n < CLI_PASSPHRASE_MAX) {
        ssize_t k = read((int)fd, p + n, 1); /* by one: what follows the line is not ours to eat */
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0) {
            cli_passphrase_free(p);
            return cli_fail(CLI_USAGE, "cannot read the passphrase from descriptor %u: %s", fd,
                            strerror(errno));
        }
        if (k == 0 || p[n] == '\n')
            break;
        n++;
    }
    p[n] = 0;
    if (n == 0 || n == CLI_PASSPHRASE_MAX) {
        cli_passphrase_free(p);
        return cli_fail(CLI_USAGE, "the passphrase on descriptor %u is %s", fd,
                        n ? "too long" : "empty");
    }
    *out = p;
    return CLI_OK;
}

int cli_secret(const char *name, unsigned fd, char **out)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    *out = NULL;
    if (!name)
        return cli_passphrase(fd, out);
    if (fd != CLI_NO_PASSPHRASE)
        return cli_fail(CLI_USAGE, "say one of --credential and --passphrase-fd");
    if (!dir || !*dir || strchr(name, '/'))
        return cli_fail(CLI_USAGE, "there is no credential '%s': systemd gives them (LoadCredential=%s:FILE)", name, name);
    char *path = fl_path_join(dir, name);
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    int code = file >= 0 ? cli_passphrase((unsigned)file, out)
                         : cli_fail(CLI_USAGE, "cannot read the credential %s: %s", path ? path : name, strerror(errno));
    if (file >= 0)
        (void)close(file);
    free(path);
    return code;
}

void cli_passphrase_free(char *p)
{
    if (p) {
        OPENSSL_cleanse(p, CLI_PASSPHRASE_MAX + 1);
        free(p);
    }
}
