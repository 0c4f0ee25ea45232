/* collections/search/output: lines on their way from tasks that find them to the place where they are written, in order.
 *
 * The text that a task found is a value, which a writing task writes at its turn. A task that finds much and runs in the
 * process that writes does so at once when all before it has been written; otherwise what it has no room for waits in a
 * file without a name. So memory does not depend on how much is found. Elsewhere a task finds no more than a block has. */
#ifndef RASK_COLLECTIONS_SEARCH_OUTPUT_H
#define RASK_COLLECTIONS_SEARCH_OUTPUT_H

#include "collections/files/temporary.h"
#include "core/base/array.h"
#include "core/base/atomic.h"
#include "core/store/scratch.h"

#include <rask/value.h>

/* What a part found and has no room for in memory. */
typedef struct rk_lines_aside {
    rk_scratch *file; /* NULL: there is nothing */
    uint64_t bytes;
} rk_lines_aside;

/* Where lines are written. */
typedef struct rk_text_output {
    char *path;
    bool standard; /* output */
    rk_temporary file;
    char *scratch;          /* folder */
    uint64_t limit, lines;  /* wanted, written */
    size_t most;            /* bytes that a part keeps in memory, about */
    rk_lines_aside *asides; /* by part: between the task that found it and the one that writes it */
    uint32_t parts;
    int64_t end;         /* bytes written */
    rk_atomic_u32 turn;  /* the part that may be written; all before it have been */
    rk_atomic_bool full; /* all lines that are wanted were written */
    bool closed;
    char message[1200];
} rk_text_output;

/* Opens it for what so many parts have. RASK_ENOMEM, or as rk_temporary_open(), with the reason in output->message. Ended
 * by fini in any case. */
int rk_text_output_init(rk_text_output *output, const char *path, const char *scratch, uint64_t limit,
                        size_t most, uint32_t parts);
void rk_text_output_fini(rk_text_output *output);
/* All was written: the file is there. A status, with output->message. */
int rk_text_output_close(rk_text_output *output);

/* Lines that one part has. */
typedef struct rk_lines_out {
    rk_text_output *output;
    uint32_t part;
    bool here;      /* in the process that writes */
    uint64_t lines; /* taken */
    rk_array text;
    rk_lines_aside aside; /* what comes before text */
} rk_lines_out;

void rk_lines_out_init(rk_lines_out *out, rk_text_output *output, uint32_t part, bool here);
void rk_lines_out_fini(rk_lines_out *out);

/* Takes whole lines, the last of which may end without \n. A status, with output->message or another for what is no error of
 * writing. */
int rk_lines_out_add(rk_lines_out *out, const char *text, size_t len, char *message, size_t capacity);
/* Writes what there is, if it is the part's turn, and here. */
int rk_lines_out_flush(rk_lines_out *out, char *message, size_t capacity);
/* No more lines of this part are wanted. */
bool rk_lines_out_is_full(const rk_lines_out *out);
/* What was not written, as a value for rk_text_output_take(), and what waits in the file. RASK_ENOMEM. */
int rk_lines_out_end(rk_lines_out *out, rask_value *value);

/* Writes what a part has left; parts come in order. A status, with the reason. */
int rk_text_output_take(rk_text_output *output, uint32_t part, rask_bytes text, char *message,
                        size_t capacity);

#endif
