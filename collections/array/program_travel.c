/* Programs as bytes, for tasks in other processes of a cluster: what stands first, the sizes of registers, leaves, instructions.
 * Kernels go by their operation and dtypes, for each machine has its own. What comes is checked until no register, index or
 * instruction leads anywhere else. */
#include "collections/array/execute.h"
#include "collections/array/files/layout.h"

#include <string.h>

enum { VERSION = 1, MOST_PARAMS = 256, MOST_PARTS = 1 << 16 };

typedef struct head {
    uint32_t version, ndim, dtype, result, leaves, instructions, registers, unused;
    uint64_t bound;
    int64_t shape[RASK_MAX_DIMENSIONS];
} head;

/* What stands before all leaves. */
typedef struct leaf_head {
    uint32_t kind, dtype, ndim, params; /* params: bytes */
    int64_t shape[RASK_MAX_DIMENSIONS];
    rk_view map;
    char constant[16];
} leaf_head;

typedef struct travelling {
    uint32_t op, in, to, out, a, b, c;
} travelling; /* an instruction */

/* -- Writing */

static int put_leaf(const rk_leaf *leaf, rk_pack_out *out, rk_open_error *error)
{
    leaf_head h;
    memset(&h, 0, sizeof h);
    h.kind = leaf->kind;
    h.dtype = leaf->dtype;
    h.ndim = leaf->ndim;
    h.params = leaf->kind == RK_LEAF_FILL ? (uint32_t)leaf->fill.params_size : 0;
    memcpy(h.shape, leaf->shape, leaf->ndim * sizeof *h.shape);
    memcpy(&h.map, &leaf->map, sizeof h.map);
    memcpy(h.constant, leaf->constant, sizeof h.constant);
    rk_pack_put(out, &h, sizeof h);
    if (leaf->kind == RK_LEAF_MEMORY || leaf->kind == RK_LEAF_FILE)
        return rk_source_put(leaf->source, out, error);
    if (leaf->kind != RK_LEAF_FILL)
        return RASK_OK;
    rk_pack_put(out, leaf->fill.params, leaf->fill.params_size);
    if (!rk_pack_put_place(out, (uintptr_t)leaf->fill.function))
        return RASK_OK;
    rk_open_fail(error, RASK_EUNSUPPORTED, "a function that makes elements is in no module");
    return error->status;
}

int rk_program_put(const rk_program *p, rk_pack_out *out, rk_open_error *error)
{
    int status = RASK_OK;
    head h = {.version = VERSION,
              .ndim = p->ndim,
              .dtype = p->dtype,
              .result = p->result,
              .leaves = p->leaf_count,
              .instructions = p->instruction_count,
              .registers = p->register_count,
              .bound = p->bound};
    memcpy(h.shape, p->shape, p->ndim * sizeof *h.shape);
    rk_pack_put(out, &h, sizeof h);
    rk_pack_put(out, p->register_size, p->register_count);
    for (uint32_t i = 0; i < p->leaf_count && !status; i++)
        status = put_leaf(&p->leaves[i], out, error);
    for (uint32_t i = 0; i < p->instruction_count; i++) {
        const rk_instruction *from = &p->instructions[i];
        const travelling s = {from->op, from->in, from->to, from->out, from->a, from->b, from->c};
        rk_pack_put(out, &s, sizeof s);
    }
    return status;
}

/* -- Reading */

typedef struct reading {
    rk_pack_in *in;
    rk_program *p;
    rk_open_error *error;
    head head;
    size_t params; /* bytes of them so far */
} reading;

static int refuse(const reading *r)
{
    rk_open_fail(r->error, RASK_EFORMAT, "what came from another process is no array program");
    return RASK_EFORMAT;
}

static int no_memory(const reading *r)
{
    rk_open_fail(r->error, RASK_ENOMEM, "no memory for an array program");
    return RASK_ENOMEM;
}

/* Whether index, counted along an axis of so many elements, stays on its own axis of length elements. */
static bool stays_within(int64_t start, int64_t step, int64_t count, int64_t length)
{
    int64_t last;
    if (!count)
        return true;
    return !__builtin_mul_overflow(step, count - 1, &last) && !__builtin_add_overflow(start, last, &last) &&
           start >= 0 && start < length && last >= 0 && last < length;
}

static bool maps_within(const reading *r, const rk_leaf *leaf)
{
    for (uint32_t i = 0; i < r->p->ndim; i++)
        if (!r->p->shape[i])
            return true; /* nothing is read */
    for (uint32_t i = 0; i < leaf->ndim; i++) {
        int from = leaf->map.from[i];
        if (from >= (int)r->p->ndim || from < -1 ||
            !stays_within(leaf->map.start[i], from < 0 ? 0 : leaf->map.step[i],
                          from < 0 ? 1 : r->p->shape[from], leaf->shape[i]))
            return false;
    }
    return true;
}

static bool has_form(uint32_t dtype, uint32_t ndim, const int64_t *shape)
{
    int64_t bytes;
    return dtype < RASK_DT_COUNT && ndim <= RASK_MAX_DIMENSIONS &&
           !rk_shape_bytes((rask_dtype)dtype, ndim, shape, &bytes);
}

static int get_source(const reading *r, rk_leaf *leaf)
{
    rk_source *s = leaf->source = rk_source_get(r->in, r->error);
    if (!s)
        return r->error->status;
    if (s->kind != (leaf->kind == RK_LEAF_FILE ? RK_SOURCE_FILE : RK_SOURCE_MEMORY) ||
        s->dtype != leaf->dtype || s->ndim != leaf->ndim ||
        memcmp(s->shape, leaf->shape, leaf->ndim * sizeof *leaf->shape) != 0)
        return refuse(r);
    rk_leaf_bind_source(leaf);
    return RASK_OK;
}

/* Params lie in the program's own memory, one behind the other. */
static int get_fill(reading *r, rk_leaf *leaf, uint32_t size)
{
    const char *params = size > MOST_PARAMS ? NULL : rk_pack_get(r->in, size);
    uintptr_t function = rk_pack_get_place(r->in, 1, true);
    if (!params || !function)
        return refuse(r);
    char *own = (char *)r->p->params + r->params;
    memcpy(own, params, size);
    r->params += MOST_PARAMS;
    leaf->fill = (rk_fill){(rk_fill_function)function, own, size};
    rk_leaf_bind_fill(leaf);
    return RASK_OK;
}

static int get_leaf(reading *r, uint32_t number)
{
    leaf_head h;
    rk_leaf *leaf = &r->p->leaves[number];
    const char *at = rk_pack_get(r->in, sizeof h);
    if (!at)
        return refuse(r);
    memcpy(&h, at, sizeof h);
    if (h.kind > RK_LEAF_CHUNKS || !has_form(h.dtype, h.ndim, h.shape) ||
        r->p->register_size[number] != rask_dtype_size((rask_dtype)h.dtype))
        return refuse(r);
    *leaf = (rk_leaf){.kind = (rk_leaf_kind)h.kind,
                      .dtype = (rask_dtype)h.dtype,
                      .reg = number,
                      .map = h.map,
                      .ndim = h.ndim};
    memcpy(leaf->shape, h.shape, h.ndim * sizeof *h.shape);
    memcpy(leaf->constant, h.constant, sizeof leaf->constant);
    if (!maps_within(r, leaf))
        return refuse(r);
    if (leaf->kind == RK_LEAF_MEMORY || leaf->kind == RK_LEAF_FILE)
        return get_source(r, leaf);
    return leaf->kind == RK_LEAF_FILL ? get_fill(r, leaf, h.params) : RASK_OK;
}

/* Whether a register is there that holds elements of dtype. */
static bool holds(const rk_program *p, uint32_t reg, rask_dtype dtype)
{
    return reg < p->register_count && p->register_size[reg] == rask_dtype_size(dtype);
}

/* Whether there is such an operation, whose arguments and result fit the registers. */
static bool fits(const rk_program *p, const rk_instruction *i)
{
    rask_dtype in = i->in, to = i->to;
    if (i->op >= RK_OP_COUNT || in >= RASK_DT_COUNT || to >= RASK_DT_COUNT || i->out < p->leaf_count)
        return false;
    if (i->op == RK_OP_WHERE)
        return holds(p, i->a, RASK_DT_BOOL) && holds(p, i->b, to) && holds(p, i->c, to) &&
               holds(p, i->out, to);
    bool binary = i->op >= RK_OP_BINARY && i->op < RK_OP_WHERE;
    if (binary && (rk_binary_types(i->op - RK_OP_BINARY, i->in, i->in, &in, &to) || !holds(p, i->b, i->in)))
        return false;
    if (i->op < RK_OP_BINARY && rk_unary_types(i->op, i->in, &in, &to))
        return false;
    return in == i->in && holds(p, i->a, i->in) && holds(p, i->out, to);
}

static int get_instructions(reading *r)
{
    for (uint32_t k = 0; k < r->head.instructions; k++) {
        travelling s;
        const char *at = rk_pack_get(r->in, sizeof s);
        if (!at)
            return refuse(r);
        memcpy(&s, at, sizeof s);
        rk_instruction i = {.op = s.op,
                            .in = (rask_dtype)s.in,
                            .to = (rask_dtype)s.to,
                            .out = s.out,
                            .a = s.a,
                            .b = s.b,
                            .c = s.c};
        if (!fits(r->p, &i))
            return refuse(r);
        rk_instruction_bind(r->p, &i);
        r->p->instructions[r->p->instruction_count++] = i;
    }
    return RASK_OK;
}

/* Every register is a leaf's or what an instruction makes, and none has a size that no dtype has. */
static bool has_registers(const reading *r, const uint8_t *sizes)
{
    const head *h = &r->head;
    for (uint32_t i = 0; i < h->registers; i++)
        if (sizes[i] > 16 || !sizes[i] || sizes[i] & (sizes[i] - 1))
            return false;
    return h->result < h->registers && h->registers >= h->leaves &&
           h->registers - h->leaves <= h->instructions &&
           sizes[h->result] == rask_dtype_size((rask_dtype)h->dtype);
}

static int get_head(reading *r)
{
    head *h = &r->head;
    const char *at = rk_pack_get(r->in, sizeof *h);
    if (!at)
        return refuse(r);
    memcpy(h, at, sizeof *h);
    if (h->version != VERSION || !has_form(h->dtype, h->ndim, h->shape) || h->leaves > MOST_PARTS ||
        h->instructions > MOST_PARTS || h->registers > 2 * MOST_PARTS)
        return refuse(r);
    const uint8_t *sizes = (const uint8_t *)rk_pack_get(r->in, h->registers);
    if (!sizes || !has_registers(r, sizes))
        return refuse(r);
    r->p = rk_program_alloc(h->ndim, (size_t)h->leaves + h->instructions + 1);
    if (!r->p || !(r->p->params = rk_calloc((size_t)h->leaves + 1, MOST_PARAMS)))
        return no_memory(r);
    memcpy(r->p->register_size, sizes, h->registers);
    memcpy(r->p->shape, h->shape, h->ndim * sizeof *h->shape);
    r->p->dtype = (rask_dtype)h->dtype;
    r->p->register_count = h->registers;
    r->p->result = h->result;
    return RASK_OK;
}

rk_program *rk_program_get(rk_pack_in *in, rk_open_error *error)
{
    reading r = {.in = in, .error = error};
    int status = get_head(&r);
    while (!status && r.p->leaf_count < r.head.leaves)
        status = get_leaf(&r, r.p->leaf_count++);
    if (!status)
        status = get_instructions(&r);
    if (status) {
        rk_program_free(r.p);
        return NULL;
    }
    rk_execute_bound(r.p, r.head.bound);
    return r.p;
}
