/* The two calls every graph knows: a list of values, and one item of a list. */
#include "core/task/task.h"

static int call_list(rask_task *task)
{
    size_t count = rask_arg_count(task);
    rask_value *items = NULL;
    if (count && !(items = rk_alloc_array(count, sizeof *items)))
        return rk_task_fail(task, RASK_ENOMEM, "no memory for a list of %zu items", count);
    for (size_t i = 0; i < count; i++)
        items[i] = *rask_arg_value(task, i);
    int status = rask_return_list(task, items, count);
    rk_free(items);
    return status;
}

static int call_item(rask_task *task)
{
    size_t count;
    const rask_value *items = rask_arg_list(task, 0, &count);
    int64_t index = rask_arg_i64(task, 1);
    if (task->status)
        return task->status;
    if (index < 0 || (uint64_t)index >= count)
        return rk_task_fail(task, RASK_ERANGE, "item %lld of a list of %zu", (long long)index, count);
    return rask_return_value(task, rask_value_ref(&items[index]));
}

const rask_task_def rk_list_def = {.size = sizeof(rask_task_def),
                                   .name = "list",
                                   .call = call_list,
                                   .result = 0,
                                   .flags = RASK_PURE | RASK_CHEAP};

const rask_task_def rk_item_def = {
    .size = sizeof(rask_task_def), .name = "item", .call = call_item, .flags = RASK_PURE | RASK_CHEAP};
