/* The graph that counts words: count tasks, one a part of the input, merged in a tree, and top, which
 * chooses. */
#ifndef WORDS_GRAPH_H
#define WORDS_GRAPH_H

#include "words_read.h"

#include <rask/graph.h>

#define WORDS_MAX_PARTS ((uint64_t)10000000)

/* What to read. The paths belong to the caller. */
typedef struct words_inputs {
    words_range *files;
    size_t file_count;
    uint64_t file_bytes;
    const char **streams; /* pipes, terminals, devices: what cannot be cut */
    size_t stream_count;
    size_t capacity; /* of both arrays */
} words_inputs;

/* For at most count paths. RASK_ENOMEM; fini is legal after a failure, too. */
int words_inputs_init(words_inputs *inputs, size_t count);
void words_inputs_fini(words_inputs *inputs);

/* Looks at a path ("-": standard input) and adds it. RASK_ENOENT, RASK_EIO: it cannot be read, or is a
 * directory: the message is in failure. */
int words_inputs_add(words_inputs *inputs, const char *path, words_failure *failure);

typedef struct words_layout {
    uint64_t block_size;   /* files above it are cut, those below it put together up to it */
    uint64_t stream_tasks; /* that share the streams; more than one only where workers share memory */
    uint64_t seed;         /* of the hashes */
    uint64_t ceiling;      /* bytes a task may hold; 0: no bound */
    uint64_t top;          /* how many words are wanted */
} words_layout;

/* How many count tasks the files make at most. */
uint64_t words_parts(const words_inputs *inputs, uint64_t block_size);

/* A block size for so many workers. With a bound on memory: fewer blocks, so that fewer tables live at once.
 */
uint64_t words_block_size(uint64_t bytes, uint64_t workers, bool bounded);

/* Returns the node whose value is a list: a word, as bytes, its count, the next word, … NULL after a failure,
 * which is latched in graph. stream must stay until the graph was computed; it may be NULL when there are
 * none. */
rask_node *words_graph_build(rask_graph *graph, const words_inputs *inputs, words_stream *stream,
                             const words_layout *layout);

#endif
