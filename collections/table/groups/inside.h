/* collections/table/groups/inside: what groups.h hides from everybody but its own files. */
#ifndef RASK_COLLECTIONS_TABLE_GROUPS_INSIDE_H
#define RASK_COLLECTIONS_TABLE_GROUPS_INSIDE_H

#include "collections/table/groups/groups.h"
#include "collections/table/groups/states.h"
#include "collections/table/order.h"
#include "core/base/limits.h"

struct rk_groups {
    const rk_aggregates *aggregates;
    rask_column_type types[RK_MAX_KEYS]; /* of keys */
    uint64_t seed;
    rk_keys keys;
    rk_array firsts; /* position of the first row of each group */
    uint64_t seen;   /* all rows so far were before this position */
    rk_state *states;
    uint32_t state_count;
    rk_ranked *order; /* of groups, when finished */
    size_t next;      /* in order */
};

/* The state of a kind and argument, or NULL. */
rk_state *rk_groups_state(const rk_groups *groups, rk_state_kind kind, uint32_t argument);

/* The rank of the first column of a group's key; there is one. */
uint64_t rk_groups_rank(const rk_groups *groups, size_t group);

/* Makes room for new groups in everything beside the keys. */
int rk_groups_grow(rk_groups *groups);

/* The group of all rows when there are no keys. */
int rk_groups_add_only(rk_groups *groups);

#endif
