/* Running sums and products along an axis.
 *
 * Seen from the axis an array is outer × n × inner elements: outer * inner lines. Chunks go along the axis in order; each
 * begins with the last row of the one before it (the carry). Two ways to get there:
 *   in order   the carry is the last row of the chunk before: strictly one element after another along each line, so
 *              NumPy's bits. Lines are what runs in parallel.
 *   in pieces  for sums along few lines that are long, where that would keep all but one worker waiting. A line is cut into
 *              pieces of SCAN_PIECE elements from its start on. Each piece is summed from its own first element, in order;
 *              the last of these sums are added up, piece after piece, and what came before a piece is added to each of
 *              its sums. For integers the same; sums of floats differ from NumPy's by their rounding.
 * Which of them is up to shape and dtype alone.
 *
 * Elements are read into their chunk and scanned there; where that would keep workers waiting for carries, by tasks of
 * their own that run ahead. */
#include "collections/array/scan_kernels.h"
#include "collections/array/stream.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <string.h>

enum {
    SCAN_PIECE = 4096,
    SCAN_LONG = 1 << 20,  /* from here on a line is cut into pieces, */
    SCAN_FEW = 64,        /* when there are fewer lines than this */
    SCAN_BYTES = 2 << 20, /* of a chunk in order: it, what it is made of and what uses it share a cache */
    SCAN_RUN = 16 << 10,  /* bytes of a row at first; */
    SCAN_LEAST_RUN = 2 << 10,
};

typedef struct scan_params {
    uint32_t axis, product; /* the last three are bools */
    uint32_t pieces, carried;
} scan_params;

/* A block as seen from the axis. */
typedef struct scan_view {
    size_t outer, n, inner, size;
    char *data;
} scan_view;

static scan_view view_of(const rask_block *block, uint32_t axis)
{
    return (scan_view){
        .outer = (size_t)rk_shape_size(block->shape, axis),
        .n = (size_t)block->shape[axis],
        .inner = (size_t)rk_shape_size(block->shape + axis + 1, block->ndim - axis - 1),
        .size = rask_dtype_size(block->dtype),
        .data = block->data,
    };
}

/* Row i of line bundle o. */
static char *row(const scan_view *v, size_t o, size_t i)
{
    return v->data + (o * v->n + i) * v->inner * v->size;
}

/* The last row of a carry; NULL when there is none. */
static const void *carry_row(const scan_view *carry, size_t o)
{
    return carry ? row(carry, o, carry->n - 1) : NULL;
}

static void scan_in_order(const rk_scan_kernels *k, const scan_view *in, const scan_view *out,
                          const scan_view *carry)
{
    size_t o = 0;
    for (; in->inner == 1 && o + RK_SCAN_LANES <= in->outer; o += RK_SCAN_LANES) {
        const void *carries[RK_SCAN_LANES];
        for (size_t lane = 0; lane < RK_SCAN_LANES; lane++)
            carries[lane] = carry_row(carry, o + lane);
        k->lanes(in->n, in->n, row(out, o, 0), row(in, o, 0), carry ? carries : NULL);
    }
    for (; o < in->outer; o++)
        k->rows(in->n, in->inner, row(out, o, 0), row(in, o, 0), carry_row(carry, o));
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* From piece at `from` on as many as are done at once, each from its own first row; *count rows in all. out has the
 * place of `from`. */
static void scan_some_pieces(const rk_scan_kernels *k, const scan_view *in, size_t o, size_t from, char *out,
                             size_t *count)
{
    if (in->inner == 1 && in->n - from >= RK_SCAN_LANES * SCAN_PIECE) {
        *count = RK_SCAN_LANES * SCAN_PIECE;
        k->lanes(SCAN_PIECE, SCAN_PIECE, out, row(in, o, from), NULL);
    } else {
        *count = least(SCAN_PIECE, in->n - from);
        k->rows(*count, in->inner, out, row(in, o, from), NULL);
    }
}

/* One line bundle in pieces. */
static void scan_line_in_pieces(const rk_scan_kernels *k, const scan_view *in, const scan_view *out, size_t o,
                                const void *carry)
{
    for (size_t from = 0, count; from < in->n; from += count) {
        scan_some_pieces(k, in, o, from, row(out, o, from), &count);
        for (size_t at = from; at < from + count; at += SCAN_PIECE) {
            size_t n = least(SCAN_PIECE, from + count - at);
            if (carry)
                k->offset(n, out->inner, row(out, o, at), carry);
            carry = row(out, o, at + n - 1);
        }
    }
}

static void scan_block(const scan_params *p, const rask_block *in, const rask_block *out,
                       const rask_block *before)
{
    scan_view from = view_of(in, p->axis), to = view_of(out, p->axis), carry = {0};
    const rk_scan_kernels *k = rk_scan_find(p->product, in->dtype);
    if (before)
        carry = view_of(before, p->axis);
    if (!p->pieces)
        scan_in_order(k, &from, &to, before ? &carry : NULL);
    for (size_t o = 0; p->pieces && o < from.outer; o++)
        scan_line_in_pieces(k, &from, &to, o, carry_row(before ? &carry : NULL, o));
}

/* (params, elements[, carry]): the chunk. carry: a block whose last row along the axis came before. */
static int call_scan(rask_task *task)
{
    const scan_params *p = rk_task_params(task, sizeof *p);
    rask_block in, out, before;
    rask_value value;
    if (!p || rask_arg_block(task, 1, &in) || (p->carried && rask_arg_block(task, 2, &before)) ||
        rk_task_result(task, in.dtype, in.ndim, in.shape, &out, &value))
        return task->status;
    scan_block(p, &in, &out, p->carried ? &before : NULL);
    return rask_return_value(task, value);
}

/* The same of a stream of elements: in order alone, where the result is made. */
static int scan_stream(rask_task *task, rk_stream *s)
{
    const scan_params *p = s->params;
    rask_block out, before;
    rask_value value;
    if ((p->carried && rask_arg_block(task, rk_stream_with(task), &before)) ||
        rk_task_result(task, s->dtype, s->ndim, s->count, &out, &value))
        return task->status;
    int status = rk_stream_read(task, s, out.data);
    if (status) {
        rask_value_unref(&value);
        return status;
    }
    scan_block(p, &out, &out, p->carried ? &before : NULL);
    return rask_return_value(task, value);
}

static int call_scan_stream(rask_task *task)
{
    rk_stream s;
    int status = rk_stream_open(task, sizeof(scan_params), &s);
    if (!status)
        status = scan_stream(task, &s);
    rk_stream_close(&s);
    return status;
}

static uint64_t pieces_scratch(size_t inner, size_t size)
{
    return (uint64_t)SCAN_PIECE * (inner == 1 ? RK_SCAN_LANES : inner) * size;
}

/* The last rows of the pieces of one line bundle, to out. */
static void last_rows(const rk_scan_kernels *k, const scan_view *in, size_t o, char *scratch, char *out)
{
    size_t width = in->inner * in->size;
    for (size_t from = 0, count; from < in->n; from += count) {
        scan_some_pieces(k, in, o, from, scratch, &count);
        for (size_t at = 0; at < count; at += SCAN_PIECE, out += width)
            memcpy(out, scratch + (at + least(SCAN_PIECE, count - at) - 1) * width, width);
    }
}

/* (params, elements): what the pieces come to, a row each. */
static int call_scan_sums(rask_task *task)
{
    const scan_params *p = rk_task_params(task, sizeof *p);
    rask_block in, out;
    rask_value value;
    if (!p || rask_arg_block(task, 1, &in))
        return task->status;
    scan_view from = view_of(&in, p->axis);
    int64_t shape[RASK_MAX_DIMENSIONS];
    memcpy(shape, in.shape, sizeof shape);
    shape[p->axis] = (in.shape[p->axis] + SCAN_PIECE - 1) / SCAN_PIECE;
    char *scratch = rk_alloc((size_t)pieces_scratch(from.inner, from.size));
    if (!scratch)
        return rk_task_fail(task, RASK_ENOMEM, "no memory for sums of pieces");
    if (!rk_task_result(task, in.dtype, in.ndim, shape, &out, &value)) {
        scan_view to = view_of(&out, p->axis);
        for (size_t o = 0; o < from.outer; o++)
            last_rows(rk_scan_find(p->product, in.dtype), &from, o, scratch, row(&to, o, 0));
        rask_return_value(task, value);
    }
    rk_free(scratch);
    return task->status;
}

/* Sums of pieces of one line bundle and what came before them, if anything, to out. */
static void add_up(const rk_scan_kernels *k, const scan_view *sums, size_t o, const void *before, char *out)
{
    size_t width = sums->inner * sums->size;
    for (size_t i = 0; i < sums->n; i++, before = out) {
        _Alignas(16) char next[SCAN_FEW * 16];
        memcpy(next, row(sums, o, i), width);
        if (before)
            k->offset(1, sums->inner, next, before);
        memcpy(out, next, width);
    }
}

/* (params, sums[, carry]): the carry for the chunk behind: one row along the axis. */
static int call_scan_carry(rask_task *task)
{
    const scan_params *p = rk_task_params(task, sizeof *p);
    rask_block in, out, before;
    rask_value value;
    if (!p || rask_arg_block(task, 1, &in) || (p->carried && rask_arg_block(task, 2, &before)))
        return task->status;
    int64_t shape[RASK_MAX_DIMENSIONS];
    memcpy(shape, in.shape, sizeof shape);
    shape[p->axis] = 1;
    if (rk_task_result(task, in.dtype, in.ndim, shape, &out, &value))
        return task->status;
    const rk_scan_kernels *k = rk_scan_find(p->product, in.dtype);
    scan_view sums = view_of(&in, p->axis), to = view_of(&out, p->axis), carry = {0};
    if (p->carried)
        carry = view_of(&before, p->axis);
    for (size_t o = 0; o < sums.outer; o++)
        add_up(k, &sums, o, carry_row(p->carried ? &carry : NULL, o), row(&to, o, 0));
    return rask_return_value(task, value);
}

static const rask_task_def scan_def = {
    .size = sizeof(rask_task_def), .name = "scan", .call = call_scan, .flags = RASK_PURE};
static const rask_task_def scan_stream_def = {
    .size = sizeof(rask_task_def), .name = "scan", .call = call_scan_stream, .flags = RASK_PURE};
static const rask_task_def scan_sums_def = {
    .size = sizeof(rask_task_def), .name = "scan sums", .call = call_scan_sums, .flags = RASK_PURE};
static const rask_task_def scan_carry_def = {.size = sizeof(rask_task_def),
                                             .name = "scan carry",
                                             .call = call_scan_carry,
                                             .flags = RASK_PURE | RASK_CHEAP};

/* -- Lowering */

static bool in_pieces(const rask_array *a, const scan_params *p)
{
    int64_t n = a->shape[p->axis], lines = n ? rk_shape_size(a->shape, a->ndim) / n : 0;
    bool rounds = rk_dtype_is_float(a->dtype) || rk_dtype_is_complex(a->dtype);
    return n > SCAN_LONG && lines < SCAN_FEW && !(p->product && rounds);
}

/* Lines that run at once: chunks of the axes other than this. */
static int64_t bundles(const rask_array *a, uint32_t axis, const int64_t *lengths)
{
    int64_t count = 1;
    for (uint32_t i = 0; i < a->ndim; i++)
        if (i != axis && a->shape[i])
            count *= (a->shape[i] + lengths[i] - 1) / lengths[i];
    return count;
}

static uint64_t chunk_bytes(const rk_lowering *l, uint64_t most)
{
    uint64_t bytes = rk_lowering_chunk_bytes(l);
    return bytes < most ? bytes : most;
}

/* Rows as short as it takes to keep all workers busy. */
static void lengths_in_order(const rk_lowering *l, const rask_array *a, uint32_t axis, int64_t *lengths)
{
    uint64_t bytes = chunk_bytes(l, SCAN_BYTES), run = SCAN_RUN;
    do {
        rk_lengths_along(a->ndim, a->shape, axis, rask_dtype_size(a->dtype), run, bytes, 1, lengths);
        run /= 2;
    } while (bundles(a, axis, lengths) < 2 * (int64_t)rk_lowering_workers(l) && run >= SCAN_LEAST_RUN);
}

/* Whole pieces. */
static void lengths_in_pieces(const rk_lowering *l, const rask_array *a, uint32_t axis, int64_t *lengths)
{
    rk_lengths_along(a->ndim, a->shape, axis, rask_dtype_size(a->dtype), SCAN_RUN,
                     chunk_bytes(l, 2 * SCAN_BYTES), SCAN_PIECE, lengths);
    lengths[axis] -= lengths[axis] % SCAN_PIECE;
}

static uint64_t bytes_of(const rask_array *a, const rk_region *region)
{
    return (uint64_t)rk_shape_size(region->count, region->ndim) * rask_dtype_size(a->dtype);
}

/* The carry behind a chunk in pieces. */
static rask_node *lower_carry(rk_lowering *l, const rask_array *a, const scan_params *p,
                              const rk_region *region, rask_node *elements, rask_node *before)
{
    rk_region sums = *region;
    sums.count[p->axis] = (region->count[p->axis] + SCAN_PIECE - 1) / SCAN_PIECE;
    size_t inner = (size_t)rk_shape_size(region->count + p->axis + 1, a->ndim - p->axis - 1);
    rask_node *nodes[2] = {NULL, before};
    nodes[0] = rk_lower_call(l, &scan_sums_def, p, sizeof *p, &elements, 1, bytes_of(a, &sums),
                             pieces_scratch(inner, rask_dtype_size(a->dtype)));
    sums.count[p->axis] = 1;
    return nodes[0]
               ? rk_lower_call(l, &scan_carry_def, p, sizeof *p, nodes, before ? 2 : 1, bytes_of(a, &sums), 0)
               : NULL;
}

/* The chunk of a region, which begins with *carry (NULL: nothing); what the one behind it begins with takes its place. */
static rask_node *lower_chunk(rk_lowering *l, rask_array *a, bool streams, const rk_region *region,
                              rask_node **carry)
{
    scan_params p = *(const scan_params *)a->params;
    p.carried = *carry != NULL;
    if (streams)
        return *carry = rk_stream_call(l, a->inputs[0], &scan_stream_def, region, &p, sizeof p, *carry,
                                       bytes_of(a, region), 0);
    rask_node *nodes[2] = {rk_lower_region(l, a->inputs[0], region), *carry};
    if (!nodes[0])
        return NULL;
    rask_node *chunk =
        rk_lower_call(l, &scan_def, &p, sizeof p, nodes, *carry ? 2 : 1, bytes_of(a, region), 0);
    bool last = region->start[p.axis] + region->count[p.axis] >= a->shape[p.axis];
    *carry = p.pieces && !last && chunk ? lower_carry(l, a, &p, region, nodes[0], *carry) : chunk;
    return *carry ? chunk : NULL;
}

/* The number of a chunk among those with the same place along the axis. */
static int64_t bundle_number(const rk_chunks *chunks, const int64_t *index, uint32_t axis)
{
    int64_t number = 0;
    for (uint32_t i = 0; i < chunks->ndim; i++)
        if (i != axis)
            number = number * chunks->count[i] + index[i];
    return number;
}

static int lower_scan(rk_lowering *l, rask_array *a, rk_chunks *chunks)
{
    const scan_params *p = a->params;
    int64_t lengths[RASK_MAX_DIMENSIONS], index[RASK_MAX_DIMENSIONS] = {0};
    (p->pieces ? lengths_in_pieces : lengths_in_order)(l, a, p->axis, lengths);
    int status = rk_grid_regular(l, chunks, a->ndim, a->shape, lengths);
    if (status)
        return status;
    size_t count = (size_t)(rk_chunks_total(chunks) / chunks->count[p->axis]), at = 0;
    bool streams = !p->pieces && count >= rk_lowering_workers(l);
    rask_node **carries = rk_lowering_memory(l, count * sizeof *carries);
    if (!carries)
        return RASK_ENOMEM;
    memset(carries, 0, count * sizeof *carries);
    do {
        rk_region region;
        rk_chunks_region(chunks, index, &region);
        rask_node **carry = &carries[bundle_number(chunks, index, p->axis)];
        chunks->nodes[at] = lower_chunk(l, a, streams, &region, carry);
        if (!chunks->nodes[at++])
            return rask_graph_status(rk_lowering_graph(l));
    } while (rk_index_next(index, chunks->count, chunks->ndim));
    return RASK_OK;
}

static const rk_opaque cumsum_class = {.name = "cumsum", .lower = lower_scan},
                       cumprod_class = {.name = "cumprod", .lower = lower_scan};

/* Small integers grow. */
static rask_dtype scan_dtype(rask_dtype dtype)
{
    if (dtype == RASK_DT_BOOL || rk_dtype_is_signed(dtype))
        return RASK_DT_I64;
    return rk_dtype_is_unsigned(dtype) ? RASK_DT_U64 : dtype;
}

static rask_array *scan(bool product, rask_array *a, int axis, const char *file, int line)
{
    const char *who = product ? "rask_array_cumprod" : "rask_array_cumsum";
    if (axis == RASK_ALL) {
        a = rask_array_ravel_at(a, file, line);
        axis = 0;
    }
    int along = a ? rk_axis(a, axis, who, file, line) : -1;
    if (along < 0)
        return NULL;
    a = rk_array_cast(a, scan_dtype(a->dtype), file, line);
    if (!a)
        return NULL;
    scan_params params = {.axis = (uint32_t)along, .product = product};
    params.pieces = in_pieces(a, &params);
    return rk_array_opaque(a->graph, product ? &cumprod_class : &cumsum_class, &params, sizeof params,
                           a->dtype, a->ndim, a->shape, &a, 1, file, line);
}

rask_array *rask_array_cumsum_at(rask_array *a, int axis, const char *file, int line)
{
    return scan(false, a, axis, file, line);
}

rask_array *rask_array_cumprod_at(rask_array *a, int axis, const char *file, int line)
{
    return scan(true, a, axis, file, line);
}
