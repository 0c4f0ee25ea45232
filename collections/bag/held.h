/* collections/bag/held: bags that are not of files, for other processes of a cluster. */
#ifndef RASK_COLLECTIONS_BAG_HELD_H
#define RASK_COLLECTIONS_BAG_HELD_H

#include "collections/bag/lower.h"
#include "collections/files/elsewhere.h"

/* Appends records that are in memory, RK_BAG_HELD. RASK_OK; or RASK_EUNSUPPORTED with error: they are more than can go. */
int rk_bag_held_put(const rask_bag *bag, rk_pack_out *out, rk_open_error *error);
/* A bag of copies of the next ones. NULL: the bytes are none, or latched. */
rask_bag *rk_bag_held_get(rask_graph *graph, rk_pack_in *in);

/* A bag that is lowered as one of a feed with so many rows is; what the feed makes is the plan's, and comes to its tasks as their
 * arguments. NULL: these are no types of such a bag, or latched. */
rask_bag *rk_bag_fed_stand_in(rask_graph *graph, const char *types, uint64_t rows);

#endif
