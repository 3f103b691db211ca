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
void page_audit(struct web_request *q);
void page_unit(struct web_request *q);
void page_engineer(struct web_request *q);
/* From the records (records.c), on a work thread. */
void api_log(struct web_request *q);
void api_head(struct web_request *q);
void api_certificate(struct web_request *q);
void api_units(struct web_request *q);
void api_unit(struct web_request *q);
void api_course(struct web_request *q);
void api_summary(struct web_request *q);

#endif
