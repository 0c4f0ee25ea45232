/* collections/search/output: lines on their way from tasks that find them to the place where they are written, in order.
 *
 * The text that a task found is a value, which a writing task writes at its turn. A task that finds much writes at once when
 * all before it has been written; otherwise what it has no room for waits in a file without a name. So memory does not
 * depend on how much is found. */
#ifndef RASK_COLLECTIONS_SEARCH_OUTPUT_H
#define RASK_COLLECTIONS_SEARCH_OUTPUT_H

#include "collections/files/temporary.h"
#include "core/base/array.h"
#include "core/base/atomic.h"
#include "core/store/scratch.h"

#include <rask/value.h>

/* Where lines are written. */
typedef struct rk_text_output {
    char *path;
    bool standard; /* output */
    rk_temporary file;
    char *scratch;         /* folder */
    uint64_t limit, lines; /* wanted, written */
    size_t most;           /* bytes that a part keeps in memory, about */
    int64_t end;           /* bytes written */
    rk_atomic_u32 turn;    /* the part that may be written; all before it have been */
    rk_atomic_bool full;   /* all lines that are wanted were written */
    bool closed;
    char message[1200];
} rk_text_output;

/* Opens it. RASK_ENOMEM, or as rk_temporary_open(), with the reason in output->message. Ended by fini in any case. */
int rk_text_output_init(rk_text_output *output, const char *path, const char *scratch, uint64_t limit,
                        size_t most);
void rk_text_output_fini(rk_text_output *output);
/* All was written: the file is there. A status, with output->message. */
int rk_text_output_close(rk_text_output *output);

/* Lines that one part has. */
typedef struct rk_lines_out {
    rk_text_output *output;
    uint32_t part;
    uint64_t lines; /* taken */
    rk_array text;
    rk_scratch waiting; /* what comes before text, and has no room */
    uint64_t waiting_bytes;
} rk_lines_out;

void rk_lines_out_init(rk_lines_out *out, rk_text_output *output, uint32_t part);
void rk_lines_out_fini(rk_lines_out *out);

/* Takes whole lines, the last of which may end without \n. A status, with output->message or another for what is no error of
 * writing. */
int rk_lines_out_add(rk_lines_out *out, const char *text, size_t len, char *message, size_t capacity);
/* Writes what there is, if it is the part's turn. */
int rk_lines_out_flush(rk_lines_out *out, char *message, size_t capacity);
/* No more lines of this part are wanted. */
bool rk_lines_out_is_full(const rk_lines_out *out);
/* What was not written, as a value for rk_text_output_take(). RASK_ENOMEM. */
int rk_lines_out_end(rk_lines_out *out, rask_value *value);

/* Writes what a part has left; parts come in order. A status, with the reason. */
int rk_text_output_take(rk_text_output *output, uint32_t part, const rask_value *value, char *message,
                        size_t capacity);

#endif
