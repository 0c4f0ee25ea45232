#include "collections/array/outside.h"

#include "core/base/alloc.h"
#include "core/store/scratch.h"
#include "core/task/task.h"

#include <string.h>

struct rk_outside {
    rk_scratch scratch;
    char *folder;
    int64_t count;
    int64_t notes[];
};

static void destroy(void *data)
{
    rk_outside *file = data;
    rk_scratch_fini(&file->scratch);
    rk_free(file->folder);
    rk_free(file);
}

static const rask_class outside_class = {.name = "scratch file", .destroy = destroy};

bool rk_outside_is_possible(const rk_lowering *l)
{
    rk_scratch scratch;
    char message[RK_MAX_MESSAGE];
    if (!rk_lowering_scratch(l))
        return false;
    rk_scratch_init(&scratch, rk_lowering_scratch(l));
    int status = rk_scratch_open(&scratch, message, sizeof message);
    rk_scratch_fini(&scratch);
    return !status;
}

rask_node *rk_outside_new(rk_lowering *l, const char *what, const int64_t *notes, int64_t count)
{
    const char *folder = rk_lowering_scratch(l);
    char message[RK_MAX_MESSAGE];
    size_t bytes = (size_t)count * sizeof *notes;
    rk_outside *file = rk_calloc(1, sizeof *file + bytes);
    if (!file || !(file->folder = rk_strndup(folder, strlen(folder)))) {
        rk_free(file);
        return rk_graph_fail(rk_lowering_graph(l), RASK_ENOMEM, NULL, 0, "%s: no memory for a file", what);
    }
    file->count = count;
    if (bytes)
        memcpy(file->notes, notes, bytes);
    rk_scratch_init(&file->scratch, file->folder);
    if (!rk_scratch_open(&file->scratch, message, sizeof message))
        return rk_lower_constant(l, &outside_class, file);
    destroy(file);
    return rk_graph_fail(rk_lowering_graph(l), RASK_EIO, NULL, 0, "%s: %s", what, message);
}

const rk_outside *rk_outside_arg(rask_task *task, size_t index)
{
    return rask_arg_custom(task, index, &outside_class);
}

const int64_t *rk_outside_notes(const rk_outside *file, int64_t *count)
{
    *count = file->count;
    return file->notes;
}

int rk_outside_write(rask_task *task, const rk_outside *file, uint64_t place, const void *data,
                     uint64_t bytes)
{
    char message[RK_MAX_MESSAGE];
    int status = rk_scratch_write(&file->scratch, place, data, bytes, message, sizeof message);
    return status ? rask_fail(task, status, message) : RASK_OK;
}

int rk_outside_read(rask_task *task, const rk_outside *file, uint64_t place, void *data, uint64_t bytes)
{
    char message[RK_MAX_MESSAGE];
    int status = rk_scratch_read(&file->scratch, place, data, bytes, message, sizeof message);
    return status ? rask_fail(task, status, message) : RASK_OK;
}
