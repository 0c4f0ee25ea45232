/* collections/bag/reduction: what many records come to. A state takes records; states of parts are packed, and taken, in the
 * order of the parts, by others; the last one is finished: it makes the records of the result.
 *
 * States hold keys where the reduction has some (frequencies, distinct, foldby): then they are packed and finished by ranges of
 * the keys' hashes, so that each range can be merged by a task of its own. */
#ifndef RASK_COLLECTIONS_BAG_REDUCTION_H
#define RASK_COLLECTIONS_BAG_REDUCTION_H

#include "collections/bag/chunk.h"

typedef struct rk_bag_reduction rk_bag_reduction;

typedef struct rk_bag_state {
    const rk_bag_reduction *reduction;
    void *own;     /* what the reduction makes of it */
    uint64_t seed; /* of hash tables: so that nobody can prepare keys that collide; no result depends on it */
    char *message; /* RK_MAX_MESSAGE bytes for why it failed */
} rk_bag_state;

/* What a kind of reduction does. All but fini return a status, and fail with RASK_ENOMEM, RASK_ELIMIT or as they say in
 * state->message. */
typedef struct rk_bag_reduction_class {
    const char *name;
    size_t size; /* of own, zeroed before init */
    int (*init)(rk_bag_state *state);
    void (*fini)(rk_bag_state *state); /* also of a state whose init failed */
    int (*add)(rk_bag_state *state, const rask_record *record);
    int (*add_text)(rk_bag_state *state, rask_bytes text,
                    bool words); /* as rk_bag_sink_add_text(); NULL: does not */
    int (*pack)(rk_bag_state *state, uint32_t ranges, rask_value *values); /* on failure there are none */
    int (*take)(rk_bag_state *state,
                rask_bytes packed); /* of one range, behind what it has; 8-byte aligned */
    int (*finish)(rk_bag_state *state, rk_bag_builder *records);
    bool keyed; /* there may be as many states as records, and ranges of them */
} rk_bag_reduction_class;

struct rk_bag_reduction {
    const rk_bag_reduction_class *cls;
    const char *name;                /* of the program's function, or of the operation */
    rk_shape in, out;                /* fields of records, and of the result */
    uint32_t keys;                   /* fields that are the key; 0: none */
    bool largest;                    /* extremes */
    uint32_t ddof;                   /* std */
    uint64_t limit;                  /* topk */
    rask_bag_compare *compare;       /* topk; NULL: by the last field, the largest first */
    void *context;                   /* of compare */
    const rask_bag_folding *folding; /* NULL: none */
};

/* RASK_OK, RASK_ENOMEM; to be ended in either case. */
int rk_bag_state_init(rk_bag_state *state, const rk_bag_reduction *reduction, uint64_t seed, char *message);
void rk_bag_state_fini(rk_bag_state *state); /* legal for a zeroed one */

/* "NAME: …" into the state's message; returns status. */
int rk_bag_state_fail(rk_bag_state *state, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

extern const rk_bag_reduction_class rk_bag_reduce_count, rk_bag_reduce_sum, rk_bag_reduce_extreme,
    rk_bag_reduce_mean, rk_bag_reduce_std, rk_bag_reduce_fold, rk_bag_reduce_top, rk_bag_reduce_keyed,
    rk_bag_reduce_strings;

#endif
