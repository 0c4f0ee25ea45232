#include "collections/bag/run.h"

#include "core/base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int rk_bag_run_init(rk_bag_run *run, const rk_bag_step *const *steps, uint32_t count, rk_bag_sink *sink)
{
    *run = (rk_bag_run){.count = count, .sink = sink};
    run->outs = rk_calloc(run->count + 1, sizeof *run->outs);
    for (uint32_t i = 0; run->outs && i < count; i++)
        run->outs[i] = (rask_bag_out){.run = run, .step = steps[i], .index = i};
    return run->outs ? RASK_OK : RASK_ENOMEM;
}

void rk_bag_run_fini(rk_bag_run *run)
{
    rk_free(run->outs);
}

int rk_bag_out_fail(rask_bag_out *out, int status, const char *format, ...)
{
    rk_bag_run *run = out->run;
    va_list arguments;
    if (run->status)
        return run->status;
    int len = snprintf(run->message, sizeof run->message, "%s: ", out->step->name);
    va_start(arguments, format);
    if (len >= 0 && (size_t)len < sizeof run->message)
        vsnprintf(run->message + len, sizeof run->message - (size_t)len, format, arguments);
    va_end(arguments);
    return run->status = status;
}

static int fail_sink(rk_bag_run *run, int status)
{
    const rk_bag_sink *sink = run->sink;
    const char *reason = *sink->message ? sink->message : rask_status_text(status);
    snprintf(run->message, sizeof run->message, "%s", reason);
    return run->status = status;
}

/* NOLINTBEGIN(misc-no-recursion): a record goes down the steps, of which there are RK_BAG_STEPS */

static int hand_on(rk_bag_run *run, uint32_t index, const rask_record *record)
{
    if (index < run->count)
        return run->outs[index].step->take(&run->outs[index], record);
    int status = rk_bag_sink_full(run->sink) ? RASK_OK : rk_bag_sink_add(run->sink, record);
    return status ? fail_sink(run, status) : RASK_OK;
}

int rk_bag_run_take(rk_bag_run *run, const rask_record *record)
{
    return hand_on(run, 0, record);
}

int rk_bag_out_put(rask_bag_out *out, const rask_record *record)
{
    rk_bag_run *run = out->run;
    out->made++;
    return run->status ? run->status : hand_on(run, out->index + 1, record);
}

/* NOLINTEND(misc-no-recursion) */

/* -- What functions of the program call */

int rask_bag_emit(rask_bag_out *out, const rask_item *items, uint32_t count)
{
    const rk_shape *shape = &out->step->shape;
    rask_record record;
    if (!rk_shape_takes(shape, items, count))
        return rk_bag_out_fail(out, RASK_ETYPE, "made a record that is not \"%s\"", shape->types);
    record.count = count;
    memcpy(record.items, items, count * sizeof *items);
    return rk_bag_out_put(out, &record);
}

int rask_bag_emit_bytes(rask_bag_out *out, const void *data, size_t len)
{
    const rask_item item = rask_item_bytes(data, len);
    return rask_bag_emit(out, &item, 1);
}

int rask_bag_emit_i64(rask_bag_out *out, int64_t i)
{
    const rask_item item = rask_item_i64(i);
    return rask_bag_emit(out, &item, 1);
}

int rask_bag_emit_f64(rask_bag_out *out, double f)
{
    const rask_item item = rask_item_f64(f);
    return rask_bag_emit(out, &item, 1);
}

int rask_bag_emit_struct(rask_bag_out *out, const void *data, size_t size)
{
    const rask_item item = rask_item_struct(data, size);
    return rask_bag_emit(out, &item, 1);
}

int rask_bag_fail(rask_bag_out *out, int code, const char *message)
{
    return rk_bag_out_fail(out, code ? code : RASK_ETASK, "%s", message ? message : rask_status_text(code));
}

/* -- Many at once */

int rk_bag_run_gather(rk_bag_run *run, const rask_bag_gathering *gathering, const rk_shape *shape,
                      const rask_records *records)
{
    const rk_bag_step step = {.name = gathering->name, .shape = *shape};
    rask_bag_out out = {.run = run, .step = &step, .index = UINT32_MAX}; /* before the first step */
    int status = gathering->call(&out, records, gathering->context);
    return run->status ? run->status
           : status    ? rk_bag_out_fail(&out, status, "%s", rask_status_text(status))
                       : RASK_OK;
}
