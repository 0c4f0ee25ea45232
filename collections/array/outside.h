/* collections/array/outside: a scratch file that the tasks of one operation share, for what memory has no room for.
 *
 * The file has no name: it is gone with the last process that has it open. Tasks write what depends on their arguments
 * alone, each at a place of its own that was given when they were lowered: one that is called again writes the same. */
#ifndef RASK_COLLECTIONS_ARRAY_OUTSIDE_H
#define RASK_COLLECTIONS_ARRAY_OUTSIDE_H

#include "collections/array/lower.h"

/* A custom value. */
typedef struct rk_outside rk_outside;

/* Whether there may be such a file: a folder in which one can be made. For what does without where there is none. */
bool rk_outside_is_possible(const rk_lowering *l);

/* A new file, with numbers that all tasks look up (copied), as a constant. Only where rk_lowering_scratch() gives a folder.
 * what: the operation, for messages. NULL, latched. */
rask_node *rk_outside_new(rk_lowering *l, const char *what, const int64_t *notes, int64_t count);

/* In a task: argument index; NULL after failing it. */
const rk_outside *rk_outside_arg(rask_task *task, size_t index);
/* The numbers that rk_outside_new() was given. */
const int64_t *rk_outside_notes(const rk_outside *file, int64_t *count);

/* So many bytes at a place. RASK_OK, or the task's status. */
int rk_outside_write(rask_task *task, const rk_outside *file, uint64_t place, const void *data,
                     uint64_t bytes);
int rk_outside_read(rask_task *task, const rk_outside *file, uint64_t place, void *data, uint64_t bytes);

#endif
