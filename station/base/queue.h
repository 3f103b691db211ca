/* SPDX-License-Identifier: Apache-2.0
 *
 * queue.h: a bounded queue of pointers between threads. Puts wait for room, nothing is dropped.
 *
 *   put ──► [item item item] ──► take (a batch at a time)          close: puts fail, takes drain
 *
 * Ownership: a successful put gives the item to the queue, a take gives it to the taker.
 * Thread rule: put and close from any thread, take from any thread; init and fini while nobody else
 * uses it. The lock is a leaf: nothing else is called while it is held.
 */
#ifndef FL_BASE_QUEUE_H
#define FL_BASE_QUEUE_H

#include "base/clock.h"
#include "base/err.h"

#include <pthread.h>
#include <stdbool.h>

struct fl_queue {
    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t room;  /* signalled when an item left, or on close */
    pthread_cond_t item;  /* signalled when an item came, or on close */
    void **ring;
    size_t cap, head, count;
    bool closed;
};

FL_MUST enum fl_err fl_queue_init(struct fl_queue *q, size_t cap);
void fl_queue_fini(struct fl_queue *q); /* items still inside are not freed */
/* FL_OK, FL_TIMEOUT (no room until the deadline), FL_STATE (closed). */
FL_MUST enum fl_err fl_queue_put(struct fl_queue *q, void *item, struct fl_deadline d);
/* Wait for at least one item, then take up to `max`. Returns how many; 0 means closed and empty, or
 * that the deadline passed. */
size_t fl_queue_take(struct fl_queue *q, void **items, size_t max, struct fl_deadline d);
void fl_queue_close(struct fl_queue *q);

/* A condition variable that waits on the monotonic clock, and its timed wait: true until the deadline
 * passed. For the few places that wait for a state rather than for an item. */
FL_MUST enum fl_err fl_cond_init(pthread_cond_t *c);
bool fl_cond_wait(pthread_cond_t *c, pthread_mutex_t *m, struct fl_deadline d);

#endif
