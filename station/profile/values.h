/* SPDX-License-Identifier: Apache-2.0
 *
 * values.h: single values as people write them in YAML files: numbers, sizes, times, revisions.
 *
 * Inside the room only. Strict: the whole text must be the value. Pure; any thread.
 */
#ifndef FL_PROFILE_VALUES_H
#define FL_PROFILE_VALUES_H

#include "profile/schema.h"

/* Store what `text` says where the key wants it (`to`: already at its place). False: it says nothing that
 * the key takes. Not for KEY_SPEEDS, KEY_TEXTS, KEY_MAP and KEY_LIST. */
bool value_store(const struct key *k, const char *text, void *to);
/* Decimal without leading zeros, or 0x and hex digits. */
bool value_number(const char *text, uint64_t *out);
/* Place of `word` in "a|b|c"; -1: not there (also when words is NULL). */
int value_word(const char *words, const char *word);

#endif
