/* SPDX-License-Identifier: Apache-2.0
 * The reply parser: an unescaped frame from a chip that means no good. The first input byte is the payload that the
 * command is expected to answer with. */
#include "fuzz.h"

#include "esp/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0)
        return 0;
    size_t payload = bytes[0] % 40, len = n - 1;
    uint8_t *frame = malloc(len ? len : 1); /* of its very size, so that a byte too far is one outside */
    FUZZ_HOLDS(frame);
    memcpy(frame, bytes + 1, len);
    struct packet_reply r = {0};
    if (packet_parse(frame, len, &r) == PACKET_REPLY) {
        FUZZ_HOLDS(len >= PACKET_HEAD && frame[0] == 1 && r.op == frame[1]);
        FUZZ_HOLDS(r.data == frame + PACKET_HEAD && r.n == len - PACKET_HEAD);
        FUZZ_HOLDS(r.n == (size_t)(frame[2] | frame[3] << 8));
        struct packet_status s = packet_status(&r, payload);
        FUZZ_HOLDS(!s.known || r.n >= 2);
        /* done is only what says so where the status stands, or in a reply that is all status */
        if (s.known && s.code == 0)
            FUZZ_HOLDS(r.n >= payload + 2 ? r.data[payload] == 0 : r.data[0] == 0);
        FUZZ_HOLDS(packet_status_text(s) != NULL);
        FUZZ_HOLDS(!packet_status_damaged(s) || s.code != 0);
    }
    (void)packet_op_name(bytes[0]);
    free(frame);
    return 0;
}
