/* How outputs of eval are written, as its options say. */
#ifndef EVAL_FORM_H
#define EVAL_FORM_H

#include <rask/array.h>

/* The options; 0: not given. */
typedef struct eval_form {
    const char *compressor, *chunks, *shards; /* chunks, shards: lengths with commas between them */
    uint64_t level, zarr_version;
} eval_form;

/* One output. */
typedef struct eval_output {
    char *path; /* owned */
    rask_store_options options;
    int64_t chunks[RASK_MAX_DIMENSIONS], shards[RASK_MAX_DIMENSIONS];
} eval_output;

/* text: the output as it was given, "out.h5:/path" with the dataset's path behind the file's. A status, with a message that
 * says what does not fit. */
int eval_output_init(eval_output *output, const char *text, const eval_form *form, const rask_array *array,
                     char *message, size_t capacity);
/* A zeroed one is legal. */
void eval_output_fini(eval_output *output);

#endif
