/* collections/bag/recipe: recipes of bags (collections/recipes/recipe.h). */
#ifndef RASK_COLLECTIONS_BAG_RECIPE_H
#define RASK_COLLECTIONS_BAG_RECIPE_H

#include "collections/bag/lower.h"
#include "collections/recipes/recipe.h"

/* What a bag is lowered as. */
typedef enum rk_bag_root {
    RK_BAG_AS_CHUNKS, /* rk_bag_lower() */
    RK_BAG_AS_VALUE,  /* rk_bag_lower_value() */
    RK_BAG_AS_TEXT,   /* rk_bag_lower_text() */
    RK_BAG_ROOTS
} rk_bag_root;

/* Before lowering; to be ended by rk_recipe_end() after it. The bag must stay while the run goes on, and so must path: of the text,
 * which says how it is compressed; NULL: it is not. */
rk_recipe *rk_bag_recipe_begin(const rk_bag_lowering *l, rask_bag *bag, rk_bag_root root, const char *path);

/* decode() of the class of what bags share. */
int rk_bag_shared_decode(rask_bytes bytes, void **shared);

#endif
