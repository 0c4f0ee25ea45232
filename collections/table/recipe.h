/* collections/table/recipe: recipes of tables (collections/recipes/recipe.h). */
#ifndef RASK_COLLECTIONS_TABLE_RECIPE_H
#define RASK_COLLECTIONS_TABLE_RECIPE_H

#include "collections/recipes/recipe.h"
#include "collections/table/lower.h"

/* What a table is lowered as. */
typedef enum rk_table_root {
    RK_ROOT_TABLE, /* rk_lower_table() */
    RK_ROOT_ROWS,  /* rk_lower_rows() */
    RK_ROOT_CSV,   /* rk_text_writer_lower() */
    RK_ROOT_JSON,
    RK_ROOTS
} rk_table_root;

/* Before lowering; to be ended by rk_recipe_end() after it. The table must stay while the run goes on. */
rk_recipe *rk_table_recipe_begin(const rk_table_lowering *l, rask_table *table, rk_table_root root);

/* decode() of classes of what tables share. */
int rk_table_shared_decode(rask_bytes bytes, void **shared);

#define RK_TABLE_SHARED(text) RK_SHARED_CLASS(text, rk_table_shared_decode)

#endif
