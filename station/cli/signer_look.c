/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signer_look.h"

#include "sign/remote.h"
#include "store/folder.h"

#include <stdlib.h>

struct remembered *cli_signer_look(const char *dir)
{
    struct folder f;
    struct remembered *out = malloc(sizeof *out);
    if (!out || folder_paths(dir, &f, NULL)) {
        free(out);
        return NULL;
    }
    const struct signer_place place = {.socket_file = f.signer, .memory = f.memory};
    signer_look(&place, out);
    folder_fini(&f);
    return out;
}
