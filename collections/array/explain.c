/* What computing an array takes, in words. */
#include "collections/array/computation.h"
#include "collections/array/source.h"
#include "core/base/print.h"

#include <string.h>

/* "1.5 GiB" */
static void add_bytes(rk_print *out, uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double size = (double)bytes;
    size_t unit = 0;
    for (; size >= 1024 && unit + 1 < sizeof units / sizeof *units; unit++)
        size /= 1024;
    rk_print_add(out, unit ? "%.1f %s" : "%.0f %s", size, units[unit]);
}

static void add_source(rk_print *out, const rask_array *a)
{
    char shape[RK_SHAPE_TEXT];
    const rk_source *source = a->as.source;
    rk_print_add(out, "reads %s: %s of shape %s, ", source->path ? source->path : "memory",
                 rask_dtype_name(a->dtype), rk_shape_text(a->shape, a->ndim, shape));
    add_bytes(out, (uint64_t)rk_shape_size(a->shape, a->ndim) * rask_dtype_size(a->dtype));
    rk_print_add(out, "\n");
}

static void add_sources(rk_print *out, rask_array *array)
{
    rk_array list;
    if (!rk_computation_reach(&array, 1, &list))
        for (size_t i = 0; i < list.count; i++)
            if (((rask_array **)list.data)[i]->kind == RK_SOURCE)
                add_source(out, ((rask_array **)list.data)[i]);
    rk_array_fini(&list);
}

static void add_chunks(rk_print *out, const rask_array *a, const rk_chunks *chunks)
{
    char shape[RK_SHAPE_TEXT], first[RK_SHAPE_TEXT];
    int64_t zero[RASK_MAX_DIMENSIONS] = {0};
    rk_region region;
    rk_chunks_region(chunks, zero, &region);
    rk_print_add(out, "gives %s of shape %s, ", rask_dtype_name(a->dtype),
                 rk_shape_text(a->shape, a->ndim, shape));
    add_bytes(out, (uint64_t)rk_shape_size(a->shape, a->ndim) * rask_dtype_size(a->dtype));
    rk_print_add(out, ", in %lld chunks of %s\n", (long long)rk_chunks_total(chunks),
                 rk_shape_text(region.count, region.ndim, first));
}

static void add_plan(rk_print *out, rk_computation *c)
{
    rask_plan *plan;
    if (rask_plan_new(c->targets.data, c->targets.count, &plan))
        return;
    size_t room = rk_print_room(out);
    out->len += rask_plan_explain(plan, c->options.workers, room ? out->buffer + out->len : NULL, room);
    rask_plan_free(plan);
    rk_print_add(out, "memory budget: ");
    add_bytes(out, c->options.memory);
    rk_print_add(out, "\n");
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
        add_sources(&out, array);
        add_chunks(&out, array, chunks);
        add_plan(&out, &c);
    }
    rk_computation_end(&c, status);
    return status ? 0 : out.len;
}
