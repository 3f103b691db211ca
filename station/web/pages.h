/* SPDX-License-Identifier: Apache-2.0
 * pages.h: the handlers of the routes. Each fills q->reply. */
#ifndef FL_WEB_PAGES_H
#define FL_WEB_PAGES_H

struct web_request;

void page_health(struct web_request *q);
void page_login(struct web_request *q);
void page_asset(struct web_request *q);
void page_board(struct web_request *q);
void api_board(struct web_request *q);
void api_events(struct web_request *q);
void api_metrics(struct web_request *q);

#endif
