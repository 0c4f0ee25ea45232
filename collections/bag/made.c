/* Public builders, each with what it notes, and below what becomes of such a note. */
#include "collections/bag/made.h"

#include <string.h>

typedef void (*any_function)(void);

rask_bag *rk_bag_note(rask_bag *bag, const rk_builder_call *call)
{
    if (!bag || bag->made)
        return bag;
    bag->made = rk_builder_note(bag->graph, call);
    return bag->made ? bag : NULL;
}

/* Of one bag. */
static rask_bag *note(rask_bag *bag, rk_bag_builder_of builder, rask_bag *input, rk_builder_call call)
{
    void *const inputs[] = {input};
    call.builder = builder;
    call.inputs = inputs;
    call.input_count = 1;
    return rk_bag_note(bag, &call);
}

/* What builders were told is looked at when they took it. */
static rask_bag *note_function(rask_bag *bag, rk_bag_builder_of builder, rask_bag *input,
                               const rask_bag_function *f)
{
    if (!bag)
        return NULL;
    rk_builder_call told = {
        .texts = {f->name, f->result}, .numbers = {f->struct_size}, .functions = {(any_function)f->call}};
    rk_builder_told(&told, bag->graph, f->context);
    return note(bag, builder, input, told);
}

static rask_bag *note_gathering(rask_bag *bag, rk_bag_builder_of builder, rask_bag *input,
                                const rask_bag_gathering *g)
{
    if (!bag)
        return NULL;
    rk_builder_call told = {
        .texts = {g->name, g->result}, .numbers = {g->struct_size}, .functions = {(any_function)g->call}};
    rk_builder_told(&told, bag->graph, g->context);
    return note(bag, builder, input, told);
}

static rask_bag *note_folding(rask_bag *bag, rk_bag_builder_of builder, rask_bag *input,
                              const rask_bag_folding *f)
{
    if (!bag)
        return NULL;
    size_t size = !f->initial ? 0 : f->result == 'x' ? f->struct_size : sizeof(int64_t);
    rk_builder_call told = {.texts = {f->name},
                            .numbers = {f->struct_size, (uint64_t)f->result},
                            .functions = {(any_function)f->add, (any_function)f->combine},
                            .bytes = {f->initial, size}};
    rk_builder_told(&told, bag->graph, f->context);
    return note(bag, builder, input, told);
}

rask_bag *rask_bag_take_at(rask_bag *bag, uint64_t count, const char *file, int line)
{
    return note(rk_build_bag_take(bag, count, file, line), RK_BAG_MADE_TAKE, bag,
                (rk_builder_call){.numbers = {count}});
}

rask_bag *rask_bag_groupby_at(rask_bag *bag, const rask_bag_gathering *function, const char *file, int line)
{
    return note_gathering(rk_build_bag_groupby(bag, function, file, line), RK_BAG_MADE_GROUPBY, bag,
                          function);
}

rask_bag *rask_bag_join_at(rask_bag *left, rask_bag *right, rask_join_how how, const char *file, int line)
{
    void *const inputs[] = {left, right};
    return rk_bag_note(
        rk_build_bag_join(left, right, how, file, line),
        &(rk_builder_call){
            .builder = RK_BAG_MADE_JOIN, .numbers = {how}, .inputs = inputs, .input_count = 2});
}

rask_bag *rask_bag_zip_at(rask_bag *left, rask_bag *right, const char *file, int line)
{
    void *const inputs[] = {left, right};
    return rk_bag_note(rk_build_bag_zip(left, right, file, line),
                       &(rk_builder_call){.builder = RK_BAG_MADE_ZIP, .inputs = inputs, .input_count = 2});
}

rask_bag *rask_bag_concat_at(rask_bag *const *bags, uint32_t count, const char *file, int line)
{
    return rk_bag_note(rk_build_bag_concat(bags, count, file, line),
                       &(rk_builder_call){.builder = RK_BAG_MADE_CONCAT,
                                          .inputs = (void *const *)bags,
                                          .input_count = count});
}

rask_bag *rask_bag_repartition_at(rask_bag *bag, uint32_t parts, const char *file, int line)
{
    return note(rk_build_bag_repartition(bag, parts, file, line), RK_BAG_MADE_REPARTITION, bag,
                (rk_builder_call){.numbers = {parts}});
}

rask_bag *rask_bag_map_partitions_at(rask_bag *bag, const rask_bag_gathering *function, const char *file,
                                     int line)
{
    return note_gathering(rk_build_bag_map_partitions(bag, function, file, line), RK_BAG_MADE_MAP_PARTITIONS,
                          bag, function);
}

rask_bag *rask_bag_json_at(rask_bag *bag, const char *paths, const char *types, const char *file, int line)
{
    return note(rk_build_bag_json(bag, paths, types, file, line), RK_BAG_MADE_JSON, bag,
                (rk_builder_call){.texts = {paths, types}});
}

rask_bag *rask_bag_count_at(rask_bag *bag, const char *file, int line)
{
    return note(rk_build_bag_count(bag, file, line), RK_BAG_MADE_COUNT, bag, (rk_builder_call){0});
}

rask_bag *rask_bag_sum_at(rask_bag *bag, const char *file, int line)
{
    return note(rk_build_bag_sum(bag, file, line), RK_BAG_MADE_SUM, bag, (rk_builder_call){0});
}

rask_bag *rask_bag_min_at(rask_bag *bag, const char *file, int line)
{
    return note(rk_build_bag_min(bag, file, line), RK_BAG_MADE_MIN, bag, (rk_builder_call){0});
}

rask_bag *rask_bag_max_at(rask_bag *bag, const char *file, int line)
{
    return note(rk_build_bag_max(bag, file, line), RK_BAG_MADE_MAX, bag, (rk_builder_call){0});
}

rask_bag *rask_bag_mean_at(rask_bag *bag, const char *file, int line)
{
    return note(rk_build_bag_mean(bag, file, line), RK_BAG_MADE_MEAN, bag, (rk_builder_call){0});
}

rask_bag *rask_bag_std_at(rask_bag *bag, uint32_t ddof, const char *file, int line)
{
    return note(rk_build_bag_std(bag, ddof, file, line), RK_BAG_MADE_STD, bag,
                (rk_builder_call){.numbers = {ddof}});
}

rask_bag *rask_bag_fold_at(rask_bag *bag, const rask_bag_folding *folding, const char *file, int line)
{
    return note_folding(rk_build_bag_fold(bag, folding, file, line), RK_BAG_MADE_FOLD, bag, folding);
}

rask_bag *rask_bag_topk_at(rask_bag *bag, uint64_t count, const char *file, int line)
{
    return note(rk_build_bag_topk(bag, count, file, line), RK_BAG_MADE_TOPK, bag,
                (rk_builder_call){.numbers = {count}});
}

rask_bag *rask_bag_topk_by_at(rask_bag *bag, uint64_t count, const char *name, rask_bag_compare *compare,
                              void *context, const char *file, int line)
{
    rk_builder_call told = {.texts = {name}, .numbers = {count}, .functions = {(any_function)compare}};
    if (bag)
        rk_builder_told(&told, bag->graph, context);
    return note(rk_build_bag_topk_by(bag, count, name, compare, context, file, line), RK_BAG_MADE_TOPK_BY,
                bag, told);
}

rask_bag *rask_bag_distinct_at(rask_bag *bag, const char *file, int line)
{
    return note(rk_build_bag_distinct(bag, file, line), RK_BAG_MADE_DISTINCT, bag, (rk_builder_call){0});
}

rask_bag *rask_bag_frequencies_at(rask_bag *bag, const char *file, int line)
{
    return note(rk_build_bag_frequencies(bag, file, line), RK_BAG_MADE_FREQUENCIES, bag,
                (rk_builder_call){0});
}

rask_bag *rask_bag_foldby_at(rask_bag *bag, const rask_bag_folding *folding, const char *file, int line)
{
    return note_folding(rk_build_bag_foldby(bag, folding, file, line), RK_BAG_MADE_FOLDBY, bag, folding);
}

rask_bag *rask_bag_range_at(rask_graph *graph, int64_t begin_, int64_t end, int64_t step, const char *file,
                            int line)
{
    return rk_bag_note(rk_build_bag_range(graph, begin_, end, step, file, line),
                       &(rk_builder_call){.builder = RK_BAG_MADE_RANGE,
                                          .numbers = {(uint64_t)begin_, (uint64_t)end, (uint64_t)step}});
}

rask_bag *rask_bag_map_at(rask_bag *bag, const rask_bag_function *function, const char *file, int line)
{
    return note_function(rk_build_bag_map(bag, function, file, line), RK_BAG_MADE_MAP, bag, function);
}

rask_bag *rask_bag_flat_map_at(rask_bag *bag, const rask_bag_function *function, const char *file, int line)
{
    return note_function(rk_build_bag_flat_map(bag, function, file, line), RK_BAG_MADE_FLAT_MAP, bag,
                         function);
}

rask_bag *rask_bag_filter_at(rask_bag *bag, const char *name, rask_bag_predicate *keep, void *context,
                             const char *file, int line)
{
    rk_builder_call told = {.texts = {name}, .functions = {(any_function)keep}};
    if (bag)
        rk_builder_told(&told, bag->graph, context);
    return note(rk_build_bag_filter(bag, name, keep, context, file, line), RK_BAG_MADE_FILTER, bag, told);
}

rask_bag *rask_bag_pick_at(rask_bag *bag, const uint32_t *fields, uint32_t count, const char *file, int line)
{
    return note(rk_build_bag_pick(bag, fields, count, file, line), RK_BAG_MADE_PICK, bag,
                (rk_builder_call){.bytes = {(const char *)fields, count * sizeof *fields}});
}

rask_bag *rask_bag_pluck_at(rask_bag *bag, uint32_t index, char delimiter, const char *file, int line)
{
    return note(rk_build_bag_pluck(bag, index, delimiter, file, line), RK_BAG_MADE_PLUCK, bag,
                (rk_builder_call){.numbers = {index, (unsigned char)delimiter}});
}

rask_bag *rask_bag_words_at(rask_bag *bag, const char *file, int line)
{
    return note(rk_build_bag_words(bag, file, line), RK_BAG_MADE_WORDS, bag, (rk_builder_call){0});
}

rask_bag *rask_bag_sample_at(rask_bag *bag, double share, uint64_t seed, const char *file, int line)
{
    rk_builder_call told = {.numbers = {0, seed}};
    memcpy(told.numbers, &share, sizeof share);
    return note(rk_build_bag_sample(bag, share, seed, file, line), RK_BAG_MADE_SAMPLE, bag, told);
}

/* -- Again */

/* A call without the function that it needs is none: builders refuse it. */
static const rask_bag_function *function_of(const rk_builder_call *c, rask_bag_function *f)
{
    *f = (rask_bag_function){.size = sizeof *f,
                             .name = c->texts[0],
                             .call = (int (*)(rask_bag_out *, const rask_record *, void *))c->functions[0],
                             .result = c->texts[1],
                             .struct_size = c->numbers[0],
                             .context = (void *)c->context.data};
    return f;
}

static const rask_bag_gathering *gathering_of(const rk_builder_call *c, rask_bag_gathering *g)
{
    *g = (rask_bag_gathering){.size = sizeof *g,
                              .name = c->texts[0],
                              .call = (int (*)(rask_bag_out *, const rask_records *, void *))c->functions[0],
                              .result = c->texts[1],
                              .struct_size = c->numbers[0],
                              .context = (void *)c->context.data};
    return g;
}

/* NULL: the initial state is not as large as it should be. */
static const rask_bag_folding *folding_of(const rk_builder_call *c, rask_bag_folding *f)
{
    *f = (rask_bag_folding){.size = sizeof *f,
                            .name = c->texts[0],
                            .add = (int (*)(void *, const rask_record *, void *))c->functions[0],
                            .combine = (int (*)(void *, const void *, void *))c->functions[1],
                            .initial = c->bytes.len ? c->bytes.data : NULL,
                            .result = (char)c->numbers[1],
                            .struct_size = c->numbers[0],
                            .context = (void *)c->context.data};
    size_t size = f->result == 'x' ? f->struct_size : sizeof(int64_t);
    return c->bytes.len && c->bytes.len != size ? NULL : f;
}

/* Of one bag at least, with a context that stays as long as the graph. A switch over all builders, a line each. */
static rask_bag *make(const rk_builder_call *c)
{
    union {
        rask_bag_function function;
        rask_bag_gathering gathering;
        rask_bag_folding folding;
        double share;
    } as;
    rask_bag *in = c->inputs[0];
    const uint64_t *n = c->numbers;
    switch (c->builder) {
    case RK_BAG_MADE_TAKE: return rask_bag_take(in, n[0]);
    case RK_BAG_MADE_GROUPBY: return rask_bag_groupby_at(in, gathering_of(c, &as.gathering), NULL, 0);
    case RK_BAG_MADE_JOIN:
        return c->input_count == 2 ? rask_bag_join(in, c->inputs[1], (rask_join_how)(n[0] & UINT8_MAX))
                                   : NULL;
    case RK_BAG_MADE_ZIP: return c->input_count == 2 ? rask_bag_zip(in, c->inputs[1]) : NULL;
    case RK_BAG_MADE_CONCAT: return rask_bag_concat((rask_bag *const *)c->inputs, (uint32_t)c->input_count);
    case RK_BAG_MADE_REPARTITION: return rask_bag_repartition(in, (uint32_t)n[0]);
    case RK_BAG_MADE_MAP_PARTITIONS:
        return rask_bag_map_partitions_at(in, gathering_of(c, &as.gathering), NULL, 0);
    case RK_BAG_MADE_JSON: return rask_bag_json(in, c->texts[0], c->texts[1]);
    case RK_BAG_MADE_COUNT: return rask_bag_count_at(in, NULL, 0);
    case RK_BAG_MADE_SUM: return rask_bag_sum_at(in, NULL, 0);
    case RK_BAG_MADE_MIN: return rask_bag_min_at(in, NULL, 0);
    case RK_BAG_MADE_MAX: return rask_bag_max_at(in, NULL, 0);
    case RK_BAG_MADE_MEAN: return rask_bag_mean_at(in, NULL, 0);
    case RK_BAG_MADE_STD: return rask_bag_std(in, (uint32_t)n[0]);
    case RK_BAG_MADE_FOLD: return rask_bag_fold_at(in, folding_of(c, &as.folding), NULL, 0);
    case RK_BAG_MADE_TOPK: return rask_bag_topk(in, n[0]);
    case RK_BAG_MADE_TOPK_BY:
        return rask_bag_topk_by_at(in, n[0], c->texts[0], (rask_bag_compare *)c->functions[0],
                                   (void *)c->context.data, NULL, 0);
    case RK_BAG_MADE_DISTINCT: return rask_bag_distinct_at(in, NULL, 0);
    case RK_BAG_MADE_FREQUENCIES: return rask_bag_frequencies_at(in, NULL, 0);
    case RK_BAG_MADE_FOLDBY: return rask_bag_foldby_at(in, folding_of(c, &as.folding), NULL, 0);
    case RK_BAG_MADE_MAP: return rask_bag_map_at(in, function_of(c, &as.function), NULL, 0);
    case RK_BAG_MADE_FLAT_MAP: return rask_bag_flat_map_at(in, function_of(c, &as.function), NULL, 0);
    case RK_BAG_MADE_FILTER:
        return rask_bag_filter_at(in, c->texts[0], (rask_bag_predicate *)c->functions[0],
                                  (void *)c->context.data, NULL, 0);
    case RK_BAG_MADE_PICK:
        return rask_bag_pick(in, (const uint32_t *)(const void *)c->bytes.data,
                             (uint32_t)(c->bytes.len / sizeof(uint32_t)));
    case RK_BAG_MADE_PLUCK: return rask_bag_pluck(in, (uint32_t)n[0], (char)n[1]);
    case RK_BAG_MADE_WORDS: return rask_bag_words_at(in, NULL, 0);
    case RK_BAG_MADE_SAMPLE:
        memcpy(&as.share, n, sizeof as.share);
        return rask_bag_sample(in, as.share, n[1]);
    default: return NULL;
    }
}

rask_bag *rk_bag_make_again(rask_graph *graph, const rk_builder_call *call)
{
    const uint64_t *n = call->numbers;
    rk_builder_call told = *call;
    if (call->builder == RK_BAG_MADE_RANGE)
        return rask_bag_range(graph, (int64_t)n[0], (int64_t)n[1], (int64_t)n[2]);
    if (!call->context.len)
        told.context.data = NULL;
    else if (!(told.context.data = rask_graph_context(graph, call->context.data, call->context.len)))
        return NULL;
    return call->input_count ? make(&told) : NULL;
}
