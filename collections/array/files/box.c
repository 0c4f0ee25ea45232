#include "collections/array/files/box.h"

#include "collections/array/copy.h"

static void add_axis(rk_box *box, rk_box_axis axis)
{
    uint32_t at = box->ndim++;
    for (; at > 0 && box->axes[at - 1].file < axis.file; at--)
        box->axes[at] = box->axes[at - 1];
    box->axes[at] = axis;
}

static void join_axes(rk_box *box)
{
    uint32_t kept = 0;
    for (uint32_t i = 1; i < box->ndim; i++) {
        rk_box_axis *outer = &box->axes[kept], *inner = &box->axes[i];
        if (outer->file == inner->file * inner->count && outer->memory == inner->memory * inner->count)
            *outer = (rk_box_axis){outer->count * inner->count, inner->file, inner->memory};
        else
            box->axes[++kept] = *inner;
    }
    box->ndim = kept + 1;
}

void rk_box_init(rk_box *box, size_t size, uint32_t ndim, int64_t offset, const int64_t *file_strides,
                 const int64_t *start, const int64_t *count, const int64_t *memory_strides)
{
    *box = (rk_box){.size = size, .first = offset};
    for (uint32_t i = 0; i < ndim; i++) {
        box->first += start[i] * file_strides[i];
        if (count[i] > 1)
            add_axis(box, (rk_box_axis){count[i], file_strides[i], memory_strides[i]});
    }
    if (!box->ndim)
        add_axis(box, (rk_box_axis){1, (int64_t)size, (int64_t)size});
    join_axes(box);
}

uint32_t rk_box_split(const rk_box *box, int64_t room, int64_t gap, int64_t *count, int64_t *extent)
{
    uint32_t split = box->ndim - 1;
    const rk_box_axis *a = &box->axes[split];
    *extent = (int64_t)box->size;
    for (; split > 0; a = &box->axes[--split]) {
        if (a->file - *extent > gap || a->count > (room - *extent) / a->file + 1)
            break;
        *extent += (a->count - 1) * a->file;
    }
    *count = a->file - *extent > gap ? 1 : (room - *extent) / a->file + 1;
    return split;
}

bool rk_box_next(const rk_box *box, uint32_t ndim, int64_t step, int64_t *index)
{
    for (uint32_t i = ndim; i-- > 0; step = 1) {
        index[i] += step;
        if (index[i] < box->axes[i].count)
            return true;
        index[i] = 0;
    }
    return false;
}

void rk_box_locate(const rk_box *box, uint32_t ndim, const int64_t *index, int64_t *file, int64_t *memory)
{
    *file = *memory = 0;
    for (uint32_t i = 0; i < ndim; i++) {
        *file += index[i] * box->axes[i].file;
        *memory += index[i] * box->axes[i].memory;
    }
}

/* Counts and strides of a piece. Returns its axes. */
static uint32_t piece_axes(const rk_box *box, uint32_t split, int64_t first, int64_t *count, int64_t *file,
                           int64_t *memory)
{
    uint32_t ndim = box->ndim - split;
    for (uint32_t i = 0; i < ndim; i++) {
        count[i] = i ? box->axes[split + i].count : first;
        file[i] = box->axes[split + i].file;
        memory[i] = box->axes[split + i].memory;
    }
    return ndim;
}

void rk_box_unpack(const rk_box *box, uint32_t split, int64_t count, const void *file, void *memory)
{
    int64_t counts[RASK_MAX_DIMENSIONS], from[RASK_MAX_DIMENSIONS], to[RASK_MAX_DIMENSIONS];
    uint32_t ndim = piece_axes(box, split, count, counts, from, to);
    rk_copy_box(ndim, counts, box->size, memory, to, file, from);
}

void rk_box_pack(const rk_box *box, uint32_t split, int64_t count, void *file, const void *memory)
{
    int64_t counts[RASK_MAX_DIMENSIONS], from[RASK_MAX_DIMENSIONS], to[RASK_MAX_DIMENSIONS];
    uint32_t ndim = piece_axes(box, split, count, counts, to, from);
    rk_copy_box(ndim, counts, box->size, file, to, memory, from);
}
