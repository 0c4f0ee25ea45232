/* collections/table/groups/states: what groups keep of their rows until aggregates are computed, one kind for all groups
 * together. Aggregates of the same argument share states: sum, mean and var of x one SUM.
 *
 * No state depends on the order in which rows arrive, except in memory it takes. After RASK_ENOMEM or RASK_ELIMIT a
 * state is good for rk_state_fini() only. */
#ifndef RASK_COLLECTIONS_TABLE_GROUPS_STATES_H
#define RASK_COLLECTIONS_TABLE_GROUPS_STATES_H

#include "collections/sums/sum.h"
#include "collections/table/groups/flat.h"
#include "collections/table/groups/keys.h"

typedef enum rk_state_kind {
    RK_STATE_ROWS,     /* uint64_t: how many */
    RK_STATE_NULLS,    /* uint64_t: how many have no value */
    RK_STATE_INTEGERS, /* __int128: the sum */
    RK_STATE_SUM,      /* rk_sum */
    RK_STATE_SQUARES,  /* rk_sum */
    RK_STATE_LEAST,    /* rk_pick, as the next three */
    RK_STATE_MOST,
    RK_STATE_FIRST,
    RK_STATE_LAST,
    RK_STATE_DISTINCT, /* the different values, in a table of pairs of group and value */
    RK_STATE_VALUES,   /* all values, as float64, with their groups */
} rk_state_kind;

/* A value of a group that stays until one of lower rank comes. */
typedef struct rk_pick {
    uint64_t rank;
    uint64_t bits; /* of the number; of text the address */
    uint64_t len;
    uint32_t room; /* bytes at the address */
    uint32_t has;
} rk_pick;

typedef struct rk_state {
    rk_state_kind kind;
    uint32_t argument;
    rask_column_type type; /* of the argument */
    rk_array cells;        /* one a group, unless said otherwise */
    rk_arena texts;        /* of picks */
    rk_sums sums;          /* SUM, SQUARES */
    rk_keys set;           /* DISTINCT */
    rask_column_type pair[2];
    rk_array groups, values; /* VALUES: of uint32_t and double */
    uint64_t
        *counts; /* when finished: DISTINCT: how many; VALUES: where those of each group begin, and end */
} rk_state;

/* The state must not move. RASK_OK, RASK_ENOMEM. */
int rk_state_init(rk_state *state, rk_state_kind kind, uint32_t argument, rask_column_type type,
                  uint64_t seed);
/* Legal for a zeroed one. */
void rk_state_fini(rk_state *state);

/* From here on there are that many groups; never fewer than before. */
int rk_state_resize(rk_state *state, size_t groups);

/* Takes in rows first … first + rows - 1 of the argument's column, rows <= RK_KEYS_ROWS, which are of these groups; the
 * first one has this position in the whole input. */
int rk_state_add(rk_state *state, const uint32_t *groups, const rk_column *column, uint32_t first,
                 uint32_t rows, uint64_t position);

/* Writes count groups; local[g] is one more than the number of group g among them, or 0. */
void rk_state_write(const rk_state *state, const uint32_t *groups, uint32_t count, const uint32_t *local,
                    rk_flat *out);

/* Takes in what rk_state_write() of an equal state wrote: number i there is group map[i] here. */
int rk_state_merge(rk_state *state, rk_unflat *in, const uint32_t *map, uint32_t count);

/* Nothing comes any more: sets counts, and sorts values by group. RASK_OK, RASK_ENOMEM. */
int rk_state_finish(rk_state *state, size_t groups);

/* Bytes held. */
size_t rk_state_bytes(const rk_state *state);

/* The cell of a group, of a kind that has them. */
static inline const void *rk_state_cell(const rk_state *state, size_t group)
{
    return (const char *)state->cells.data + group * state->cells.element;
}

#endif
