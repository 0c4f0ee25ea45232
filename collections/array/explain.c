/* What computing an array takes, in words. */
#include "collections/array/computation.h"
#include "collections/array/source.h"
#include "collections/array/storing.h"
#include "core/base/print.h"
#include "core/plan/plan.h"

#include <string.h>

static void add_array(rk_print *out, const rask_array *a)
{
    char shape[RK_SHAPE_TEXT];
    rk_print_add(out, "%s of shape %s, ", rask_dtype_name(a->dtype), rk_shape_text(a->shape, a->ndim, shape));
    rk_print_bytes(out, (uint64_t)rk_shape_size(a->shape, a->ndim) * rask_dtype_size(a->dtype));
}

static void add_source(rk_print *out, const rask_array *a)
{
    const rk_source *source = a->as.source;
    rk_print_add(out, "reads %s: ", source->path ? source->path : "memory");
    add_array(out, a);
    rk_print_add(out, "\n");
}

static void add_sources(rk_print *out, rask_array *const *arrays, uint32_t count)
{
    rk_array list;
    if (!rk_computation_reach(arrays, count, &list))
        for (size_t i = 0; i < list.count; i++)
            if (((rask_array **)list.data)[i]->kind == RK_SOURCE)
                add_source(out, ((rask_array **)list.data)[i]);
    rk_array_fini(&list);
}

static void add_chunks(rk_print *out, const rask_array *a, const rk_chunks *chunks)
{
    char first[RK_SHAPE_TEXT];
    int64_t zero[RASK_MAX_DIMENSIONS] = {0};
    rk_region region;
    rk_chunks_region(chunks, zero, &region);
    rk_print_add(out, "gives ");
    add_array(out, a);
    rk_print_add(out, ", in %lld chunks of %s\n", (long long)rk_chunks_total(chunks),
                 rk_shape_text(region.count, region.ndim, first));
}

static void add_plan(rk_print *out, rk_computation *c)
{
    rask_plan *plan;
    if (rask_plan_new(c->targets.data, c->targets.count, &plan))
        return;
    rk_plan_explain(out, plan, &c->options);
    rask_plan_free(plan);
}

size_t rask_array_explain(rask_array *array, const rask_options *options, char *buffer, size_t capacity)
{
    rk_computation c;
    rk_print out = {buffer, capacity, 0};
    int status = rk_computation_begin(&c, &array, 1, options);
    const rk_chunks *chunks = status ? NULL : rk_lower_chunks(c.lowering, array);
    if (!status && !chunks)
        status = rk_lowering_failure(c.lowering);
    for (int64_t i = 0; !status && i < rk_chunks_total(chunks); i++)
        status = rk_computation_add_target(&c, chunks->nodes[i]);
    if (!status) {
        add_sources(&out, &array, 1);
        add_chunks(&out, array, chunks);
        add_plan(&out, &c);
    }
    rk_computation_end(&c, status);
    return status ? 0 : out.len;
}

static void add_sink(rk_print *out, const rask_store_target *target, const rk_sink *sink)
{
    char chunk[RK_SHAPE_TEXT];
    rk_print_add(out, "writes %s: ", target->path);
    add_array(out, target->array);
    if (sink->ndim && sink->chunk[0])
        rk_print_add(out, ", in chunks of %s", rk_shape_text(sink->chunk, sink->ndim, chunk));
    rk_print_add(out, "\n");
}

size_t rask_array_store_explain(const rask_store_target *targets, uint32_t count, const rask_options *options,
                                char *buffer, size_t capacity)
{
    rk_storing s;
    rk_print out = {buffer, capacity, 0};
    if (!targets || !count)
        return 0;
    int status = rk_storing_begin(&s, targets, count, options);
    rask_array **arrays = status ? NULL : rk_alloc_array(count, sizeof *arrays);
    if (arrays) {
        for (uint32_t i = 0; i < count; i++)
            arrays[i] = targets[i].array;
        add_sources(&out, arrays, count);
        for (uint32_t i = 0; i < count; i++)
            add_sink(&out, &targets[i], s.sinks[i]);
        add_plan(&out, &s.computation);
    } else if (!status) {
        status = RASK_ENOMEM;
    }
    rk_free((void *)arrays);
    return rk_storing_end(&s, false, status) ? 0 : out.len;
}
