/* collections/bag/run: records through steps into a sink, in one task.
 *
 * A record is handed on as soon as it is made, from step to step, down to the sink: nothing is copied on the way, and what its
 * fields point to is needed until the call that hands it on returns. Whoever reads the source says where a record comes
 * from, for messages and for samples. */
#ifndef RASK_COLLECTIONS_BAG_RUN_H
#define RASK_COLLECTIONS_BAG_RUN_H

#include "collections/bag/bag.h"
#include "collections/bag/sink.h"

#include <rask/task.h>

/* What is done to a record; immutable. Returns 0, or a status that the run has a message for. */
typedef struct rk_bag_step {
    const char *name; /* of the program's function, or of the operation */
    int (*take)(rask_bag_out *out, const rask_record *record);
    rk_shape shape;   /* of the records it makes */
    const void *with; /* what take knows of it: steps.c, json.c */
    bool in_blocks;   /* the record may be many lines at once (words) */
    bool by_place;    /* it looks at where records come from (sample) */
} rk_bag_step;

/* Behind step number index: the next one, or the sink. What functions of the program know as rask_bag_out. */
struct rask_bag_out {
    struct rk_bag_run *run;
    const rk_bag_step *step;
    uint32_t index;
    uint64_t made;       /* records */
    uint64_t turn, seen; /* sample: the place that records came from last, and how many of them */
};

/* Where a record comes from. */
typedef struct rk_bag_place {
    uint64_t source;  /* number of the file; 0: of anything else */
    uint64_t at;      /* its position there; else its number */
    uint64_t turn;    /* counts places, from 1 on: another one, another number */
    const char *text; /* where it stands in the text that was read; NULL: in none */
} rk_bag_place;

typedef struct rk_bag_run {
    uint32_t count; /* of steps */
    rask_bag_out *outs;
    rk_bag_sink *sink;
    rk_bag_place place;
    int status; /* the first failure, */
    char message[RK_MAX_MESSAGE];
} rk_bag_run;

/* A run through count steps, which end in sink. RASK_OK, RASK_ENOMEM; to be ended in either case. */
int rk_bag_run_init(rk_bag_run *run, const rk_bag_step *const *steps, uint32_t count, rk_bag_sink *sink);
void rk_bag_run_fini(rk_bag_run *run); /* legal for a zeroed one */

/* A bag of what a step, which is copied, makes of input's records; NULL: no input, or latched. */
rask_bag *rk_bag_step_new(rask_bag *input, const rk_bag_step *step, const rk_bag_site *site);

/* A record of the source: through the steps, into the sink. 0, or a status with run->message. */
int rk_bag_run_take(rk_bag_run *run, const rask_record *record);

/* What step out belongs to has made another record. */
int rk_bag_out_put(rask_bag_out *out, const rask_record *record);

/* Fails the run: "NAME: …"; returns status. The first failure is the one that stays. */
int rk_bag_out_fail(rask_bag_out *out, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* All records of a view at once to a function of the program, whose own go on to the first step. */
int rk_bag_run_gather(rk_bag_run *run, const rask_bag_gathering *gathering, const rk_shape *shape,
                      const rask_records *records);

#endif
