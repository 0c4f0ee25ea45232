/* collections/search: what rask/text.h is made of.
 *
 * A rask_text is files and which of their lines are meant. A builder cuts the files into parts (text/parts.h), makes a
 * task of each, and others that merge what these found. What the tasks of one builder share is a job, which lives as long
 * as the graph. */
#ifndef RASK_COLLECTIONS_SEARCH_SEARCH_H
#define RASK_COLLECTIONS_SEARCH_SEARCH_H

#include "collections/search/matcher.h"
#include "collections/text/lines.h"
#include "collections/text/parts.h"
#include "core/base/atomic.h"
#include "core/task/task.h"

#include <rask/text.h>

struct rask_text {
    rask_graph *graph;
    rk_text_files files;
    rk_matcher *matcher;     /* NULL: all lines */
    char *pattern;           /* that it was made of, */
    bool fixed, ignore_case; /* and how */
    bool inverted;
    uint64_t block_bytes; /* as the user said; 0: not */
    uint64_t memory;      /* of the run */
    char *scratch;        /* folder */
    uint64_t seed;        /* of samples */
    uint64_t hash_seed;
    uint32_t workers;
    bool apart; /* tasks of the run see nothing of what others change in memory */
};

typedef struct rk_search_job {
    const rask_text *text;
    rk_text_parts parts;
    rask_text_unit unit;
    uint64_t limit;      /* strings, or lines, that are wanted */
    uint64_t ceiling;    /* bytes that a counter may hold */
    uint64_t longest;    /* bytes of a line, or a word */
    uint32_t ranges;     /* of hashes, that are merged apart */
    bool eager;          /* take is called with no text where a stream has no more for now */
    const char *name;    /* of the tasks */
    rk_atomic_u64 found; /* different strings that a task counted: others may need as much room */
    struct rk_text_output
        *output; /* where lines are written; NULL: they are not. In other processes only its limit counts */
    bool guest;  /* it came from another process (travel.h) */
    void *more;  /* of this kind of job, ended by end_more() */
    void (*end_more)(void *more);
} rk_search_job;

/* A job of text's, with its parts; block_bytes: what was chosen, where the user did not say. NULL: latched. */
rk_search_job *rk_search_job_new(rask_text *text, const char *name, const rk_text_cutting *cutting,
                                 const char *file, int line);

/* "lines", …: static. */
const char *rk_text_unit_name(rask_text_unit unit);

/* Whether text has such; false: latched. */
bool rk_search_check_unit(rask_text *text, rask_text_unit unit, const char *name, const char *file, int line);

/* The job as a value that tasks take as their first argument. RASK_OK or latched. */
int rk_search_job_value(rk_search_job *job, rask_value *out);
/* NULL: the task failed. */
rk_search_job *rk_search_job_of(rask_task *task);

/* A task for a part, (job, number), or (job, number, more) unless that is NULL, with what it uses while it runs, and the size
 * of its result, 0: not known. */
rask_node *rk_search_lower_part(rk_search_job *job, const rask_value *value, uint32_t part, rask_node *more,
                                const rask_task_def *def, uint64_t scratch, uint64_t result);
/* A task for each part, by place (RK_DEFS_BY_PLACE): (job, number). nodes has room for them. RASK_OK or latched. */
int rk_search_lower_parts(rk_search_job *job, const rask_task_def defs[2], uint64_t scratch, uint64_t result,
                          rask_node **nodes);
/* A part that only the program's own process can read, and once: a stream. */
bool rk_search_is_stream(const rk_search_job *job, uint32_t part);
/* Room for count nodes, and one more, that lives as long as the graph. NULL: latched. */
rask_node **rk_search_nodes(rask_graph *graph, size_t count);

/* Bytes of a block, so that every worker has some, and the run is not much slower than its slowest block. */
uint64_t rk_search_block(const rask_text *text);

/* Bytes that reading a part takes. */
uint64_t rk_search_reading_bytes(const rk_search_job *job);

/* A piece of text of whole lines that are meant, or whole words; one line when a pattern is looked for. Behind it are
 * RK_TEXT_PADDING readable bytes. */
typedef struct rk_search_piece {
    const char *text;
    size_t len;
    uint32_t file;         /* its number */
    uint64_t position;     /* of the first byte: in the file of a plain one, else in what is decompressed */
    rk_matching *matching; /* NULL: there is no pattern */
    const rk_text_range *range; /* for messages: what is read, */
    const rk_text_lines *lines;
    const char *given; /* and what lines gave last, which the piece is in */
} rk_search_piece;
/* A status: an error of the task that has been told, or RK_SEARCH_ENOUGH. */
typedef int rk_search_take(void *context, const rk_search_piece *piece);

enum { RK_SEARCH_ENOUGH = -1 }; /* what is behind is not needed */

/* Gives all of a part to take, piece by piece. A status; errors of reading have been told to the task. */
int rk_search_read(rask_task *task, const rk_search_job *job, uint32_t part, rk_search_take *take,
                   void *context);

/* Gives the matches in a line to take, one behind the other. A status, take's or that of a pattern that gave up. */
typedef int rk_search_match(void *context, const char *text, size_t len);
int rk_search_matches(rask_task *task, const rk_search_job *job, const rk_search_piece *line,
                      rk_search_match *take, void *context);

/* As what is an error of the task: of the file that is read. */
int rk_search_fail(rask_task *task, int status, const rk_search_job *job, uint32_t file);

#endif
