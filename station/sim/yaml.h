/* SPDX-License-Identifier: Apache-2.0
 *
 * yaml.h: a strict reader over libyaml's node tree: tables of keys, first error wins, with its place.
 *
 * Every taker writes into the struct that `to` points at. After the first error the rest do nothing and
 * sim_yaml_close gives the error.
 */
#ifndef FL_SIM_YAML_H
#define FL_SIM_YAML_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <yaml.h>

struct sim_yaml {
    const char *file; /* borrowed, for messages */
    yaml_document_t doc;
    bool open;
    enum fl_err err;
    struct fl_why *why;
};

struct sim_key { /* a row with name NULL ends a table */
    const char *name;
    void (*take)(struct sim_yaml *y, yaml_node_t *value, void *to);
};

/* Reads and parses the file; the root node is NULL when it is empty. */
void sim_yaml_open(struct sim_yaml *y, const char *file, yaml_node_t **root, struct fl_why *why);
FL_MUST enum fl_err sim_yaml_close(struct sim_yaml *y);

void sim_yaml_fail(struct sim_yaml *y, const yaml_node_t *at, const char *fmt, ...) FL_PRINTF(3, 4);

/* Each key once, each known, each given to its taker. */
void sim_yaml_map(struct sim_yaml *y, yaml_node_t *map, const struct sim_key *keys, void *to);
/* The value of one key of a map, or NULL. */
yaml_node_t *sim_yaml_get(struct sim_yaml *y, yaml_node_t *map, const char *key);
/* Calls take for every item of a list. */
void sim_yaml_each(struct sim_yaml *y, yaml_node_t *list,
                   void (*take)(struct sim_yaml *y, yaml_node_t *item, void *to), void *to);

/* Scalars. A number may be hexadecimal (0x..); a size may end in K, KB, M or MB (1024s). */
const char *sim_yaml_text(struct sim_yaml *y, yaml_node_t *v);
uint64_t sim_yaml_number(struct sim_yaml *y, yaml_node_t *v, uint64_t max);
uint32_t sim_yaml_size(struct sim_yaml *y, yaml_node_t *v);
double sim_yaml_real(struct sim_yaml *y, yaml_node_t *v, double min, double max);
bool sim_yaml_bool(struct sim_yaml *y, yaml_node_t *v); /* true, false, yes, no, on, off */
/* Which of the names (NULL ends them) it is; 0 after an error. */
unsigned sim_yaml_choice(struct sim_yaml *y, yaml_node_t *v, const char *const *names);

#endif
