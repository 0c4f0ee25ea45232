/* collections/bag/made: how bags were made, so that another process of a cluster can make them again.
 *
 * The public builders of bags stand here: they call those that do the work, and note what they were told. Of sources the
 * note says only which they are (recipe.c knows the rest). A function stays in its process when its context is memory of the
 * program's. */
#ifndef RASK_COLLECTIONS_BAG_MADE_H
#define RASK_COLLECTIONS_BAG_MADE_H

#include "collections/bag/bag.h"
#include "collections/recipes/recipe.h"

/* Each builder has a number, for it goes to other processes. */
typedef enum rk_bag_builder_of {
    RK_BAG_MADE_TEXT,
    RK_BAG_MADE_HELD,
    RK_BAG_MADE_FED,
    RK_BAG_MADE_TAKE,
    RK_BAG_MADE_GROUPBY,
    RK_BAG_MADE_JOIN,
    RK_BAG_MADE_ZIP,
    RK_BAG_MADE_CONCAT,
    RK_BAG_MADE_REPARTITION,
    RK_BAG_MADE_MAP_PARTITIONS,
    RK_BAG_MADE_JSON,
    RK_BAG_MADE_COUNT,
    RK_BAG_MADE_SUM,
    RK_BAG_MADE_MIN,
    RK_BAG_MADE_MAX,
    RK_BAG_MADE_MEAN,
    RK_BAG_MADE_STD,
    RK_BAG_MADE_FOLD,
    RK_BAG_MADE_TOPK,
    RK_BAG_MADE_TOPK_BY,
    RK_BAG_MADE_DISTINCT,
    RK_BAG_MADE_FREQUENCIES,
    RK_BAG_MADE_FOLDBY,
    RK_BAG_MADE_RANGE,
    RK_BAG_MADE_MAP,
    RK_BAG_MADE_FLAT_MAP,
    RK_BAG_MADE_FILTER,
    RK_BAG_MADE_PICK,
    RK_BAG_MADE_PLUCK,
    RK_BAG_MADE_WORDS,
    RK_BAG_MADE_SAMPLE,
} rk_bag_builder_of;

/* Notes how bag (NULL: it was not) was made. Returns bag, or NULL, latched. */
rask_bag *rk_bag_note(rask_bag *bag, const rk_builder_call *call);

/* The same call of the builder again; NULL: there is none like it, or latched. */
rask_bag *rk_bag_make_again(rask_graph *graph, const rk_builder_call *call);

/* As the public functions of the same names. */
rask_bag *rk_build_bag_take(rask_bag *bag, uint64_t count, const char *file, int line);
rask_bag *rk_build_bag_groupby(rask_bag *bag, const rask_bag_gathering *function, const char *file, int line);
rask_bag *rk_build_bag_join(rask_bag *left, rask_bag *right, rask_join_how how, const char *file, int line);
rask_bag *rk_build_bag_zip(rask_bag *left, rask_bag *right, const char *file, int line);
rask_bag *rk_build_bag_concat(rask_bag *const *bags, uint32_t count, const char *file, int line);
rask_bag *rk_build_bag_repartition(rask_bag *bag, uint32_t parts, const char *file, int line);
rask_bag *rk_build_bag_map_partitions(rask_bag *bag, const rask_bag_gathering *function, const char *file,
                                      int line);
rask_bag *rk_build_bag_json(rask_bag *bag, const char *paths, const char *types, const char *file, int line);
rask_bag *rk_build_bag_count(rask_bag *bag, const char *file, int line);
rask_bag *rk_build_bag_sum(rask_bag *bag, const char *file, int line);
rask_bag *rk_build_bag_min(rask_bag *bag, const char *file, int line);
rask_bag *rk_build_bag_max(rask_bag *bag, const char *file, int line);
rask_bag *rk_build_bag_mean(rask_bag *bag, const char *file, int line);
rask_bag *rk_build_bag_std(rask_bag *bag, uint32_t ddof, const char *file, int line);
rask_bag *rk_build_bag_fold(rask_bag *bag, const rask_bag_folding *folding, const char *file, int line);
rask_bag *rk_build_bag_topk(rask_bag *bag, uint64_t count, const char *file, int line);
rask_bag *rk_build_bag_topk_by(rask_bag *bag, uint64_t count, const char *name, rask_bag_compare *compare,
                               void *context, const char *file, int line);
rask_bag *rk_build_bag_distinct(rask_bag *bag, const char *file, int line);
rask_bag *rk_build_bag_frequencies(rask_bag *bag, const char *file, int line);
rask_bag *rk_build_bag_foldby(rask_bag *bag, const rask_bag_folding *folding, const char *file, int line);
rask_bag *rk_build_bag_range(rask_graph *graph, int64_t begin_, int64_t end, int64_t step, const char *file,
                             int line);
rask_bag *rk_build_bag_map(rask_bag *bag, const rask_bag_function *function, const char *file, int line);
rask_bag *rk_build_bag_flat_map(rask_bag *bag, const rask_bag_function *function, const char *file, int line);
rask_bag *rk_build_bag_filter(rask_bag *bag, const char *name, rask_bag_predicate *keep, void *context,
                              const char *file, int line);
rask_bag *rk_build_bag_pick(rask_bag *bag, const uint32_t *fields, uint32_t count, const char *file,
                            int line);
rask_bag *rk_build_bag_pluck(rask_bag *bag, uint32_t index, char delimiter, const char *file, int line);
rask_bag *rk_build_bag_words(rask_bag *bag, const char *file, int line);
rask_bag *rk_build_bag_sample(rask_bag *bag, double share, uint64_t seed, const char *file, int line);

#endif
