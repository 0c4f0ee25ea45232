/* collections/table/join/probe: batches of rows meet the rows of another table that have their key. */
#ifndef RASK_COLLECTIONS_TABLE_JOIN_PROBE_H
#define RASK_COLLECTIONS_TABLE_JOIN_PROBE_H

#include "collections/table/join/index.h"
#include "collections/table/pipeline.h"

/* One thread's memory for one join of a pipeline. */
typedef struct rk_probe {
    const rk_join_step *step;
    rk_join_index index;
    rk_join_finder finder;
    rk_stored *payload; /* of the chunk */
    rk_column *made;    /* of these, for the rows that come next */
    rk_column *saved;   /* the live slots, as the batch has them */
    rk_column *copies;  /* of these, where rows come more than once or not all at once; no data: not yet */
    const rk_column **keys;
    uint32_t *ids; /* of the batch's rows: keys in the index */
    uint32_t *rows,
        *partners;        /* of those that come next: row of the batch, row of the chunk or RK_JOIN_NONE */
    uint32_t count, next; /* rows of the batch, and of these the first one that has not all come */
    uint32_t done;        /* partners of it that have come */
    bool single;          /* no row comes twice, and all fit */
} rk_probe;

/* index and chunk: as for rk_pipeline_run_init(). RASK_OK, RASK_ENOMEM. */
int rk_probe_init(rk_probe *probe, const rk_pipeline *p, const rk_join_step *step, rask_bytes index,
                  rask_bytes chunk);
void rk_probe_fini(rk_probe *probe); /* legal for a zeroed one */

/* Takes the rows that stand in slots. RASK_OK, RASK_ENOMEM. */
int rk_probe_begin(rk_probe *probe, const rk_column *slots, uint32_t rows);

static inline bool rk_probe_more(const rk_probe *probe)
{
    return probe->next < probe->count;
}

/* The next rows, up to RK_BATCH_ROWS, and how many: sets the slots that are live, all others to nothing, but where *keep:
 * then probe->rows of the batch are to be kept where they are, which the caller does. RASK_OK, RASK_ENOMEM. */
int rk_probe_next(rk_probe *probe, rk_column *slots, uint32_t slot_count, uint32_t *rows, bool *keep);
/* Sets the slots of the payload for these rows. */
void rk_probe_show(const rk_probe *probe, rk_column *slots);

#endif
