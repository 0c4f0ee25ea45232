/* Of a large array only the ends of each axis are printed, and only they are computed: a part for each corner. */
#include "eval_show.h"

#include "array_text.h"
#include "run.h"
#include "say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CUT = 10, MOST_ELEMENTS = 100 << 20 }; /* axes that are cut, elements that are printed */

/* A box of an array: where its first element goes in what is kept. */
typedef struct part {
    int64_t start[RASK_MAX_DIMENSIONS], count[RASK_MAX_DIMENSIONS];
    int64_t place[RASK_MAX_DIMENSIONS];
} part;

typedef struct shown {
    rask_array *array;
    array_edges edges;
    char *data;
    uint32_t cut[RASK_MAX_DIMENSIONS], cut_count; /* axes of which only the ends are kept */
} shown;

static uint32_t part_count(const shown *s)
{
    return s->cut_count > MOST_CUT ? 0 : 1u << s->cut_count;
}

/* Bit k of number says which end of the k-th cut axis it has. */
static part part_of(const shown *s, uint32_t number)
{
    part p = {.start = {0}};
    memcpy(p.count, s->edges.shape, sizeof p.count);
    for (uint32_t k = 0; k < s->cut_count; k++) {
        uint32_t axis = s->cut[k];
        bool end = number >> k & 1;
        p.count[axis] = ARRAY_TEXT_EDGE;
        p.start[axis] = end ? s->edges.shape[axis] - ARRAY_TEXT_EDGE : 0;
        p.place[axis] = end ? ARRAY_TEXT_EDGE : 0;
    }
    return p;
}

static const char *begin(shown *s, rask_array *array, bool all)
{
    *s = (shown){.array = array};
    int64_t kept =
        array_edges_init(&s->edges, rask_array_dtype(array), rask_array_ndim(array), rask_array_shape(array));
    if (all) {
        memcpy(s->edges.kept, s->edges.shape, sizeof s->edges.kept);
        s->edges.cut = false;
        kept = rask_array_size(array);
    }
    for (uint32_t i = 0; i < s->edges.ndim; i++) {
        if (s->edges.kept[i] < s->edges.shape[i])
            s->cut[s->cut_count++] = i;
    }
    if (kept > MOST_ELEMENTS || s->cut_count > MOST_CUT)
        return "too much to print: write it to a file with -o";
    s->data = malloc((size_t)kept * rask_dtype_size(s->edges.dtype) + 1);
    s->edges.data = s->data;
    return s->data ? NULL : rask_status_text(RASK_ENOMEM);
}

bool eval_is_cut(const common_options *o, const rask_array *array)
{
    return !o->json && rask_array_size(array) > ARRAY_TEXT_ALL;
}

/* The elements of a part in C order, one after the other. */
static rask_array *elements_of(const shown *s, uint32_t number)
{
    rask_slice slices[RASK_MAX_DIMENSIONS];
    part p = part_of(s, number);
    for (uint32_t i = 0; i < s->edges.ndim; i++)
        slices[i] = (rask_slice){RASK_SLICE_RANGE, p.start[i], p.start[i] + p.count[i], 1};
    return rask_array_ravel_at(rask_array_slice_at(s->array, slices, s->edges.ndim, NULL, 0), NULL, 0);
}

/* All parts in one, so that what they have in common is computed once. */
static rask_node *node_of(const shown *s, const rask_options *options)
{
    rask_array *parts[1 << MOST_CUT], *array = s->array;
    for (uint32_t i = 0; i < part_count(s) && s->cut_count; i++)
        parts[i] = elements_of(s, i);
    if (s->cut_count)
        array = rask_array_concatenate_at(parts, part_count(s), 0, NULL, 0);
    if (s->edges.ndim == 0) /* a block of one element, rather than a number of another type */
        array = rask_array_expand_dims_at(array, 0, NULL, 0);
    return rask_array_node_at(array, options, NULL, 0);
}

/* --- values to elements */

/* Returns what is behind the part. */
static const char *copy_part(const shown *s, uint32_t number, const char *from)
{
    part p = part_of(s, number);
    uint32_t ndim = s->edges.ndim;
    size_t size = rask_dtype_size(s->edges.dtype);
    int64_t index[RASK_MAX_DIMENSIONS] = {0}, left = 1;
    for (uint32_t i = 0; i < ndim; i++)
        left *= p.count[i];
    for (; left > 0; left--, from += size) {
        int64_t to = 0;
        for (uint32_t i = 0; i < ndim; i++)
            to = to * s->edges.kept[i] + p.place[i] + index[i];
        memcpy(s->data + (size_t)to * size, from, size);
        for (uint32_t i = ndim; i-- > 0 && ++index[i] == p.count[i];)
            index[i] = 0;
    }
    return from;
}

static bool fits(const shown *s, const rask_block *block)
{
    int64_t wanted = 1, there = 1;
    for (uint32_t i = 0; i < s->edges.ndim; i++)
        wanted *= s->edges.kept[i];
    for (uint32_t i = 0; i < block->ndim; i++)
        there *= block->shape[i];
    return block->dtype == s->edges.dtype && wanted == there;
}

/* False: not what the array was said to be. */
static bool take_value(const shown *s, const rask_value *value)
{
    rask_block block;
    if (rask_value_get_block(value, &block) || !fits(s, &block))
        return false;
    const char *at = block.data;
    for (uint32_t i = 0; i < part_count(s); i++)
        at = copy_part(s, i, at);
    return true;
}

/* --- all together */

static void print_all(const common_options *o, shown *all, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        (o->json ? array_text_json : array_text_print)(stdout, &all[i].edges);
}

static bool take_values(shown *all, uint32_t count, const rask_value *list)
{
    const rask_value *values;
    size_t value_count;
    if (rask_value_get_list(list, &values, &value_count) || value_count != count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!take_value(&all[i], &values[i]))
            return false;
    }
    return true;
}

static int compute_and_print(const char *command, const common_options *o, rask_graph *graph, shown *all,
                             uint32_t count, rask_node **nodes)
{
    rask_options options = run_options(o);
    common_options quiet = *o;
    rask_value list;
    quiet.explain = false; /* has been told, but for arrays of which less is computed */
    for (uint32_t i = 0; i < count; i++) {
        quiet.explain |= o->explain && eval_is_cut(o, all[i].array);
        nodes[i] = node_of(&all[i], &options);
    }
    rask_node *target = rask_list_at(graph, nodes, count, NULL, 0);
    int outcome = run_graph(command, &quiet, graph, target, &list);
    if (list.type == RASK_LIST && !take_values(all, count, &list)) {
        say_error(command, "a result of another shape or type than expected");
        outcome = EXIT_FAILED;
    } else if (list.type == RASK_LIST) {
        print_all(o, all, count);
        int printed = say_done(command);
        outcome = outcome == EXIT_DONE ? printed : outcome;
    }
    rask_value_unref(&list);
    return outcome;
}

int eval_show(const char *command, const common_options *o, rask_graph *graph, rask_array *const *arrays,
              uint32_t count)
{
    int outcome = EXIT_FAILED;
    const char *wrong = NULL;
    shown *all = calloc((size_t)count + 1, sizeof *all);
    rask_node **nodes = NULL;
    for (uint32_t i = 0; all && i < count && !wrong; i++)
        wrong = begin(&all[i], arrays[i], o->json);
    if (all && !wrong)
        nodes = calloc((size_t)count + 1, sizeof *nodes);
    if (nodes)
        outcome = compute_and_print(command, o, graph, all, count, nodes);
    else
        say_error(command, "%s", wrong ? wrong : rask_status_text(RASK_ENOMEM));
    for (uint32_t i = 0; all && i < count; i++)
        free(all[i].data);
    free(all);
    free(nodes);
    return outcome;
}
