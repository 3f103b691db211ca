/* SPDX-License-Identifier: Apache-2.0
 * Pages, and what is answered from memory at once. */
#include "web/pages.h"

#include "base/version.h"
#include "web/inside.h"

void page_health(struct web_request *q)
{
    reply_json(&q->reply, 200, json_pack("{sb ss}", "ok", 1, "version", FL_VERSION));
}

void page_login(struct web_request *q)
{
    assets_reply(q, "login.html");
}

void page_board(struct web_request *q)
{
    assets_reply(q, "board.html");
}

void page_audit(struct web_request *q)
{
    assets_reply(q, "audit.html");
}

void page_unit(struct web_request *q)
{
    assets_reply(q, "unit.html");
}

void page_engineer(struct web_request *q)
{
    assets_reply(q, "engineer.html");
}

void page_asset(struct web_request *q)
{
    assets_reply(q, q->tail);
}

void api_events(struct web_request *q)
{
    q->reply.stream = true;
}

void api_board(struct web_request *q)
{
    struct board *board = q->web->live.board;
    struct fl_buf *b = &q->reply.body;
    struct tally_head head;
    tally_get(board_tally(board), fl_mono_ms(), &head);
    fl_buf_addf(b, "{\"now\":%llu,\"head\":", (unsigned long long)fl_mono_ms());
    tiles_head(b, &head);
    fl_buf_adds(b, ",\"slots\":[");
    bool first = true;
    for (size_t i = 0; i < board_slots(board); i++) {
        static const struct tile_meter none = {.step = ""};
        struct slot_view v;
        board_get(board, i, &v);
        if (!v.slot)
            continue; /* a place that no slot has taken yet */
        if (!first)
            fl_buf_addc(b, ',');
        first = false;
        tiles_tile(b, i, &v, &none);
    }
    fl_buf_adds(b, "]}\n");
}
