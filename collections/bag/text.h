/* collections/bag/text: files of lines. */
#ifndef RASK_COLLECTIONS_BAG_TEXT_H
#define RASK_COLLECTIONS_BAG_TEXT_H

#include "collections/bag/bag.h"
#include "collections/text/files.h"
#include "core/base/atomic.h"

typedef struct rk_bag_text {
    rk_text_files files;
    uint64_t block_bytes;  /* asked for; 0: nothing */
    rk_atomic_bool *taken; /* by file: a stream that somebody has read from */
} rk_bag_text;

/* A bag of the lines of files, which it takes over, also on failure. NULL, latched. */
rask_bag *rk_bag_text_new(rask_graph *graph, rk_text_files *files, uint64_t block_bytes,
                          const rk_bag_site *site);

#endif
