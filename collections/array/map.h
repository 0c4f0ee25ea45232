/* collections/array/map: what functions over chunks share. */
#ifndef RASK_COLLECTIONS_ARRAY_MAP_H
#define RASK_COLLECTIONS_ARRAY_MAP_H

#include "collections/array/cuts.h"

/* A function of the user's. */
typedef struct rk_map {
    rask_array_map function;
    void *context;
    uint64_t bytes; /* of context, where rask_graph_context() made it; else 0 */
} rk_map;

/* As a constant. It goes to other processes of a cluster when its context is none, or has bytes. NULL, latched. */
rask_node *rk_map_node(rk_lowering *l, const rk_map *map);

/* Params of a call: what the function is told. */
typedef struct rk_map_params {
    int64_t dtype;
    int64_t count[RASK_MAX_DIMENSIONS]; /* of the chunk */
    rask_chunk chunk;
} rk_map_params;

/* All but the surroundings, which are 0. */
void rk_map_params_init(rk_map_params *params, const rask_array *array, uint64_t number,
                        const rk_region *chunk);
/* Bytes of a chunk of the result. */
uint64_t rk_map_bytes(const rask_array *array, const rk_region *chunk);

/* (params, rk_map_node(), block…) */
int rk_map_call(rask_task *task);

/* The grid of the first input that has one, or was wished for one; without nodes. RASK_OK, or latched. */
int rk_map_grid(rk_lowering *l, rask_array *array, rk_chunks *grid);

/* Function and dtype; false, latched. */
bool rk_map_check(rask_graph *graph, rask_array_map function, rask_dtype dtype, const char *who,
                  const char *file, int line);

#endif
