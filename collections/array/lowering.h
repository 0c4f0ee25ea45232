/* collections/array/lowering: making and ending a lowering, and what its parts share. */
#ifndef RASK_COLLECTIONS_ARRAY_LOWERING_H
#define RASK_COLLECTIONS_ARRAY_LOWERING_H

#include "collections/array/lower.h"

/* Nodes go into graph. NULL: no memory. */
rk_lowering *rk_lowering_new(rask_graph *graph, uint64_t budget, uint32_t workers);
/* For nodes that somebody runs later, with these options (NULL: nobody knows yet with which). NULL: latched; who: the public
 * call. */
rk_lowering *rk_lowering_for_nodes(rask_graph *graph, const rask_options *options, const char *who,
                                   const char *file, int line);
void rk_lowering_free(rk_lowering *l); /* NULL is legal */
/* All tasks see this process's memory and its open files: they may share files in folder, which outlives the lowering. */
void rk_lowering_share_files(rk_lowering *l, const char *folder);

/* Latches; returns the graph's status. */
int rk_lowering_fail(rk_lowering *l, int status, const char *what);

/* Bytes of work for one task when there are total: enough tasks for all workers, none too short or too long. */
uint64_t rk_lowering_part_bytes(const rk_lowering *l, uint64_t total);

/* The program that gives a's elements: of chunks where a makes them. NULL, latched. */
const struct rk_program *rk_lower_root_program(rk_lowering *l, rask_array *a);

/* The grid on which a is best computed: its own chunks' or rk_grid_choose()'s. Nodes may be missing. RASK_OK or latched. */
int rk_lower_grid(rk_lowering *l, rask_array *a, rk_chunks *grid);

/* One block of all of a, put together from chunks when it has many. NULL, latched. */
rask_node *rk_lower_whole(rk_lowering *l, rask_array *a);

/* The chunks of a REDUCE array (reduce.c). */
int rk_lower_reduce(rk_lowering *l, rask_array *a, rk_chunks *chunks);

#endif
