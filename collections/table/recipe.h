/* collections/table/recipe: what the tasks of a table share, in other processes of a cluster.
 *
 * Jobs, plans and compiled expressions point at one another and at files; no bytes are made of them. What goes is the recipe: which
 * builders made the table, of which files, and what it was lowered with. The other process makes it again, which gives the same
 * things in the same order, since nothing else has a part in it, and takes the one of the same number.
 *
 * A thing that tasks share is a value of a class for its kind (RK_SHARED_CLASS), made by rk_shared_value() while the lowering is under way
 * on the same thread. */
#ifndef RASK_COLLECTIONS_TABLE_RECIPE_H
#define RASK_COLLECTIONS_TABLE_RECIPE_H

#include "collections/table/lower.h"

/* What a table is lowered as. */
typedef enum rk_recipe_root {
    RK_ROOT_TABLE, /* rk_lower_table() */
    RK_ROOT_ROWS,  /* rk_lower_rows() */
    RK_ROOT_CSV,   /* rk_text_writer_lower() */
    RK_ROOT_JSON,
    RK_ROOTS
} rk_recipe_root;

typedef struct rk_recipe rk_recipe;

/* Before and after lowering; the table must stay while the run goes on. Without memory there is no recipe (NULL), and what is shared
 * stays in its process. */
rk_recipe *rk_recipe_begin(const rk_table_lowering *l, rask_table *table, rk_recipe_root root);
void rk_recipe_end(rk_recipe *recipe);

/* Classes of what is shared; theirs is the data of rk_shared_value() alone. */
void rk_shared_destroy(void *shared);
int rk_shared_encode(const void *shared, rask_value *bytes);
int rk_shared_decode(rask_bytes bytes, void **shared);

#define RK_SHARED_CLASS(text)                                                                                \
    .name = (text), .destroy = rk_shared_destroy, .encode = rk_shared_encode, .decode = rk_shared_decode

/* what, which lives as long as graph, as a value of cls. RASK_OK; or RASK_ENOMEM, latched. */
int rk_shared_value(rask_graph *graph, const rask_class *cls, const void *what, rask_value *out);
/* In a task: argument number index; NULL: the task failed, also where files are others than the program saw. */
void *rk_shared_arg(rask_task *task, size_t index, const rask_class *cls);
/* What the data of such a value is of, for print(). */
const void *rk_shared_what(const void *shared);

#endif
