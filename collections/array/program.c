/* Compiling: from an expression to leaves and instructions.
 *
 * An entry is an element-wise operation or a leaf as seen through one map. Arrays are visited from the newest to the
 * oldest, so that all users of an array come before it; each says through which map it sees its inputs. An operation
 * seen through several maps is computed once for each when that is cheap, and becomes a leaf of chunks otherwise: without
 * that rule a stencil of a stencil of a stencil would grow without bound. Then the entries are emitted from the oldest to
 * the newest, and registers are given out anew after their last use. */
#include "collections/array/program.h"

#include "core/base/alloc.h"
#include "core/base/array.h"
#include "core/base/print.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_INSTRUCTIONS = 256, /* beyond, operations become leaves */
    CHEAP_AGAIN = 12,        /* most that computing an operation again may cost, in additions */
    MOST_COST = 1000000,
};

typedef struct entry {
    rask_array *array;
    rk_view map; /* from logical axes to the array's */
    bool leaf;
    uint32_t reg, last_use;
    uint32_t inputs[3]; /* entries */
} entry;

typedef struct compiler {
    uint32_t ndim;
    rk_array arrays;  /* rask_array *: all in reach, newest first */
    rk_array entries; /* entry; those of one array are one after another */
    rk_array first;   /* uint32_t, by place in arrays: its first entry, chained through next */
    rk_array next;    /* uint32_t, by entry */
    uint32_t *costs;  /* by place in arrays */
    uint32_t operations;
    rask_array *root;
    bool cut;
} compiler;

enum { NO_ENTRY = UINT32_MAX };

static bool is_operation(const rask_array *a)
{
    return a->kind == RK_ELEMENTWISE;
}

/* What computing one element costs, in additions. */
static uint32_t own_cost(const rask_array *a)
{
    switch (a->op) {
    case RK_OP_BINARY + RASK_BINARY_POWER:
    case RK_OP_BINARY + RASK_BINARY_ARCTAN2:
    case RK_OP_BINARY + RASK_BINARY_HYPOT:
    case RK_OP_BINARY + RASK_BINARY_REMAINDER:
    case RK_OP_BINARY + RASK_BINARY_FLOOR_DIVIDE: return 16;
    default: break;
    }
    bool slow = a->op >= RASK_UNARY_CBRT && a->op <= RASK_UNARY_ARCTANH && a->op != RASK_UNARY_RECIPROCAL;
    return slow ? 16 : 1;
}

static int newest_first(const void *a, const void *b)
{
    uint32_t x = (*(rask_array *const *)a)->number, y = (*(rask_array *const *)b)->number;
    return x < y ? 1 : x > y ? -1 : 0;
}

static bool is_walked(const compiler *c, const rask_array *a)
{
    return (is_operation(a) || a->kind == RK_VIEW) && !(c->cut && a == c->root);
}

static uint32_t place_of(const compiler *c, const rask_array *a)
{
    rask_array *const *found = bsearch(&a, c->arrays.data, c->arrays.count, sizeof a, newest_first);
    assert(found);
    return (uint32_t)(found - (rask_array *const *)c->arrays.data);
}

/* A set of arrays under way: open addressing by address. */
typedef struct seen {
    const rask_array **slots;
    size_t size, count;
} seen;

/* NOLINTNEXTLINE(misc-no-recursion): bounded by one step, into a bigger set that has room */
static bool seen_add(seen *s, const rask_array *a, bool *added)
{
    if (2 * (s->count + 1) > s->size) {
        seen bigger = {.size = s->size ? 2 * s->size : 64};
        bigger.slots = rk_calloc(bigger.size, sizeof *bigger.slots);
        if (!bigger.slots)
            return false;
        bool again;
        for (size_t i = 0; i < s->size; i++)
            if (s->slots[i])
                seen_add(&bigger, s->slots[i], &again);
        rk_free(s->slots);
        *s = bigger;
    }
    size_t at = ((uintptr_t)a >> 4) * 0x9e3779b97f4a7c15u >> 20;
    for (at &= s->size - 1; s->slots[at] && s->slots[at] != a; at = (at + 1) & (s->size - 1)) {
    }
    *added = !s->slots[at];
    s->count += *added;
    s->slots[at] = a;
    return true;
}

static int push_array(compiler *c, seen *s, rask_array *a)
{
    bool added;
    if (!seen_add(s, a, &added))
        return RASK_ENOMEM;
    if (!added)
        return RASK_OK;
    rask_array **place = rk_array_push(&c->arrays);
    if (!place)
        return RASK_ENOMEM;
    *place = a;
    return RASK_OK;
}

/* All arrays that operations and views lead to, newest first. */
static int reach(compiler *c)
{
    seen s = {0};
    int status = push_array(c, &s, c->root);
    for (size_t i = 0; i < c->arrays.count && !status; i++) {
        rask_array *a = ((rask_array **)c->arrays.data)[i];
        for (uint32_t k = 0; is_walked(c, a) && k < a->input_count && !status; k++)
            status = push_array(c, &s, a->inputs[k]);
    }
    rk_free(s.slots);
    assert(status || c->arrays.count); /* at least the root */
    if (!status)
        qsort(c->arrays.data, c->arrays.count, sizeof(rask_array *), newest_first);
    return status;
}

/* What an element costs when nothing is shared. */
static int sum_costs(compiler *c)
{
    size_t count = c->arrays.count;
    c->costs = rk_calloc(count, sizeof *c->costs);
    if (!c->costs)
        return RASK_ENOMEM;
    for (size_t i = count; i-- > 0;) {
        const rask_array *a = ((rask_array **)c->arrays.data)[i];
        if (!is_walked(c, a))
            continue;
        uint64_t cost = is_operation(a) ? own_cost(a) : 0;
        for (uint32_t k = 0; k < a->input_count; k++)
            cost += c->costs[place_of(c, a->inputs[k])];
        c->costs[i] = cost > MOST_COST ? MOST_COST : (uint32_t)cost;
    }
    return RASK_OK;
}

static bool same_map(const rk_view *a, const rk_view *b, uint32_t ndim)
{
    for (uint32_t i = 0; i < ndim; i++)
        if (a->from[i] != b->from[i] || a->start[i] != b->start[i] || a->step[i] != b->step[i])
            return false;
    return true;
}

/* The entry of array place seen through map, found or made; NO_ENTRY: no memory. */
static uint32_t entry_for(compiler *c, uint32_t place, const rk_view *map)
{
    rask_array *a = ((rask_array **)c->arrays.data)[place];
    uint32_t *first = (uint32_t *)c->first.data + place;
    for (uint32_t e = *first; e != NO_ENTRY; e = ((uint32_t *)c->next.data)[e])
        if (same_map(&((entry *)c->entries.data)[e].map, map, a->ndim))
            return e;
    uint32_t number = (uint32_t)c->entries.count, *next = rk_array_push(&c->next);
    entry *made = rk_array_push(&c->entries);
    if (!made || !next)
        return NO_ENTRY;
    *made = (entry){.array = a, .map = *map, .inputs = {NO_ENTRY, NO_ENTRY, NO_ENTRY}};
    *next = *first;
    *first = number;
    return number;
}

/* The map to a view's input, given the map to the view. */
static rk_view through(const rk_view *view, const rk_view *map, uint32_t input_ndim)
{
    rk_view out;
    memset(&out, 0, sizeof out);
    for (uint32_t i = 0; i < input_ndim; i++) {
        int axis = view->from[i];
        out.from[i] = axis < 0 ? -1 : map->from[axis];
        out.start[i] = view->start[i] + (axis < 0 ? 0 : view->step[i] * map->start[axis]);
        out.step[i] = out.from[i] < 0 ? 0 : view->step[i] * map->step[axis];
    }
    return out;
}

/* The entry an operation's input is: views on the way are walked through. */
static uint32_t input_entry(compiler *c, rask_array *input, rk_view map)
{
    for (; input->kind == RK_VIEW; input = input->inputs[0])
        map = through(input->as.view, &map, input->inputs[0]->ndim);
    return entry_for(c, place_of(c, input), &map);
}

static uint32_t count_entries(const compiler *c, uint32_t place)
{
    uint32_t count = 0;
    for (uint32_t e = ((uint32_t *)c->first.data)[place]; e != NO_ENTRY; e = ((uint32_t *)c->next.data)[e])
        count++;
    return count;
}

/* Every user of the array at place has been visited: decides whether it is computed here, and says what it needs. */
static int visit(compiler *c, uint32_t place)
{
    rask_array *a = ((rask_array **)c->arrays.data)[place];
    uint32_t count = count_entries(c, place);
    bool root = a == c->root;
    bool leaf = !is_operation(a) || (root && c->cut) ||
                (!root && (c->operations + count > MOST_INSTRUCTIONS ||
                           (uint64_t)c->costs[place] * (count - 1) > CHEAP_AGAIN));
    c->operations += leaf ? 0 : count;
    for (uint32_t e = ((uint32_t *)c->first.data)[place]; e != NO_ENTRY; e = ((uint32_t *)c->next.data)[e]) {
        ((entry *)c->entries.data)[e].leaf = leaf;
        for (uint32_t k = 0; !leaf && k < a->input_count; k++) {
            uint32_t input = input_entry(c, a->inputs[k], ((entry *)c->entries.data)[e].map);
            if (input == NO_ENTRY)
                return RASK_ENOMEM;
            ((entry *)c->entries.data)[e].inputs[k] = input;
        }
    }
    return RASK_OK;
}

static int explore(compiler *c, const rk_view *map)
{
    for (size_t i = 0; i < c->arrays.count; i++) {
        uint32_t *first = rk_array_push(&c->first);
        if (!first)
            return RASK_ENOMEM;
        *first = NO_ENTRY;
    }
    uint32_t root = c->cut ? entry_for(c, place_of(c, c->root), map) : input_entry(c, c->root, *map);
    if (root == NO_ENTRY)
        return RASK_ENOMEM;
    int status = RASK_OK;
    for (uint32_t place = 0; place < c->arrays.count && !status; place++)
        if (((uint32_t *)c->first.data)[place] != NO_ENTRY)
            status = visit(c, place);
    return status;
}

/* -- Emission ----------------------------------------------------------------------------------------------- */

static void set_number(const rask_operand *o, rask_dtype dtype, char out[16])
{
    static const rask_dtype of_kind[] = {RASK_DT_BOOL, RASK_DT_BOOL, RASK_DT_I64,
                                         RASK_DT_U64,  RASK_DT_F64,  RASK_DT_C128};
    rask_dtype from = of_kind[o->kind];
    memset(out, 0, 16);
    if (from == dtype)
        memcpy(out, &o->as, rask_dtype_size(dtype));
    else
        rk_cast_find(from, dtype)(1, out, &o->as);
}

/* Strides by logical axis of a leaf whose own are given, and where its first element is. */
static void fold_strides(rk_leaf *leaf, const int64_t *own)
{
    memset(leaf->strides, 0, sizeof leaf->strides);
    leaf->offset = 0;
    for (uint32_t i = 0; i < leaf->ndim; i++) {
        leaf->offset += leaf->map.start[i] * own[i];
        if (leaf->map.from[i] >= 0)
            leaf->strides[leaf->map.from[i]] += leaf->map.step[i] * own[i];
    }
}

void rk_leaf_bind_source(rk_leaf *leaf)
{
    leaf->kind = leaf->source->kind == RK_SOURCE_FILE ? RK_LEAF_FILE : RK_LEAF_MEMORY;
    fold_strides(leaf, leaf->source->strides);
    leaf->offset += leaf->kind == RK_LEAF_FILE ? leaf->source->offset : 0;
}

void rk_leaf_bind_fill(rk_leaf *leaf)
{
    int64_t strides[RASK_MAX_DIMENSIONS] = {0}, stride = 1;
    for (uint32_t i = leaf->ndim; i-- > 0; stride *= leaf->shape[i])
        strides[i] = stride;
    leaf->kind = RK_LEAF_FILL;
    fold_strides(leaf, strides);
}

static void make_leaf(rk_leaf *leaf, const entry *e, bool cut)
{
    *leaf = (rk_leaf){.kind = RK_LEAF_CHUNKS, .dtype = e->array->dtype, .array = e->array, .map = e->map};
    leaf->ndim = e->array->ndim;
    memcpy(leaf->shape, e->array->shape, leaf->ndim * sizeof *leaf->shape);
    if (cut)
        return;
    if (e->array->kind == RK_SCALAR) {
        leaf->kind = RK_LEAF_CONSTANT;
        set_number(&e->array->as.scalar, leaf->dtype, leaf->constant);
    } else if (e->array->kind == RK_SOURCE && e->array->as.source->kind != RK_SOURCE_CHUNKED) {
        leaf->source = rk_source_ref(e->array->as.source);
        rk_leaf_bind_source(leaf);
    } else if (e->array->kind == RK_FILL) {
        leaf->fill = *e->array->as.fill;
        rk_leaf_bind_fill(leaf);
    }
}

typedef struct emitter {
    compiler *c;
    rk_program *p;
    uint32_t *order; /* entries, those of older arrays first */
    rk_array free;   /* uint32_t: registers whose strip nobody needs any more */
} emitter;

static bool is_constant(const rk_program *p, uint32_t reg)
{
    return reg < p->leaf_count && p->leaves[reg].kind == RK_LEAF_CONSTANT;
}

static uint32_t take_register(emitter *m, uint8_t size)
{
    uint32_t *free = m->free.data;
    for (size_t i = m->free.count; i-- > 0;)
        if (m->p->register_size[free[i]] == size) {
            uint32_t reg = free[i];
            free[i] = free[--m->free.count];
            return reg;
        }
    m->p->register_size[m->p->register_count] = size;
    return m->p->register_count++;
}

static uint32_t input_register(const emitter *m, const entry *e, uint32_t k)
{
    return ((entry *)m->c->entries.data)[e->inputs[k]].reg;
}

/* Registers that this operation was the last to read. */
static void free_inputs(emitter *m, const entry *e, uint32_t place)
{
    for (uint32_t k = 0; k < e->array->input_count; k++) {
        entry *input = &((entry *)m->c->entries.data)[e->inputs[k]];
        uint32_t *slot;
        if (input->leaf || input->last_use != place || !(slot = rk_array_push(&m->free)))
            continue;
        *slot = input->reg;
        input->last_use = 0; /* named twice, freed once */
    }
}

void rk_instruction_bind(const rk_program *program, rk_instruction *i)
{
    if (i->op == RK_OP_CAST) {
        i->kind = RK_DO_UNARY;
        i->run.unary = rk_cast_find(i->in, i->to);
    } else if (i->op == RK_OP_WHERE) {
        i->kind = RK_DO_WHERE;
        i->run.where = rk_where_find(i->to);
    } else if (i->op >= RK_OP_BINARY) {
        i->kind = RK_DO_BINARY;
        const rk_binary_kernels *kernels = rk_binary_find(i->op - RK_OP_BINARY, i->in);
        bool a = is_constant(program, i->a), b = is_constant(program, i->b);
        i->run.binary = a && !b ? kernels->sv : b && !a ? kernels->vs : kernels->vv;
    } else {
        i->kind = RK_DO_UNARY;
        i->run.unary = rk_unary_find(i->op, i->in);
    }
}

static rk_instruction instruction(const emitter *m, const entry *e)
{
    const rask_array *a = e->array;
    rk_instruction i = {.op = a->op, .in = a->inputs[0]->dtype, .to = a->dtype};
    i.a = input_register(m, e, 0);
    i.b = a->input_count > 1 ? input_register(m, e, 1) : 0;
    i.c = a->input_count > 2 ? input_register(m, e, 2) : 0;
    rk_instruction_bind(m->p, &i);
    return i;
}

static void emit(emitter *m)
{
    entry *entries = m->c->entries.data;
    uint32_t count = (uint32_t)m->c->entries.count;
    for (uint32_t i = 0; i < count; i++) {
        entry *e = &entries[m->order[i]];
        if (!e->leaf)
            continue;
        e->reg = m->p->leaf_count++;
        make_leaf(&m->p->leaves[e->reg], e, m->c->cut && e->array == m->c->root);
        m->p->leaves[e->reg].reg = e->reg;
        m->p->register_size[e->reg] = (uint8_t)rask_dtype_size(e->array->dtype);
    }
    m->p->register_count = m->p->leaf_count;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < 3 && !entries[m->order[i]].leaf; k++)
            if (entries[m->order[i]].inputs[k] != NO_ENTRY)
                entries[entries[m->order[i]].inputs[k]].last_use = i;
    for (uint32_t i = 0; i < count; i++) {
        entry *e = &entries[m->order[i]];
        if (e->leaf)
            continue;
        rk_instruction made = instruction(m, e);
        made.out = e->reg = take_register(m, (uint8_t)rask_dtype_size(e->array->dtype));
        m->p->instructions[m->p->instruction_count++] = made;
        free_inputs(m, e, i);
    }
}

static int oldest_first(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Entries by the number of their array. */
static int make_order(const compiler *c, uint32_t *order)
{
    size_t count = c->entries.count;
    uint64_t *keys = rk_alloc_array(count, sizeof *keys);
    if (!keys)
        return RASK_ENOMEM;
    for (size_t i = 0; i < count; i++)
        keys[i] = (uint64_t)((entry *)c->entries.data)[i].array->number << 32 | i;
    qsort(keys, count, sizeof *keys, oldest_first);
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)keys[i];
    rk_free(keys);
    return RASK_OK;
}

rk_program *rk_program_alloc(uint32_t ndim, size_t count)
{
    rk_program *p = rk_calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->ndim = ndim;
    p->leaves = rk_calloc(count, sizeof *p->leaves);
    p->instructions = rk_calloc(count, sizeof *p->instructions);
    p->register_size = rk_calloc(count, sizeof *p->register_size);
    if (p->leaves && p->instructions && p->register_size)
        return p;
    rk_program_free(p);
    return NULL;
}

void rk_program_free(rk_program *program)
{
    if (!program)
        return;
    for (uint32_t i = 0; i < program->leaf_count; i++)
        rk_source_unref(program->leaves[i].source);
    rk_free(program->params);
    rk_free(program->leaves);
    rk_free(program->instructions);
    rk_free(program->register_size);
    rk_free(program);
}

static int emit_program(compiler *c, rk_program **out)
{
    size_t count = c->entries.count;
    emitter m = {.c = c, .p = rk_program_alloc(c->ndim, count), .free = RK_ARRAY(uint32_t, UINT32_MAX)};
    m.order = rk_alloc_array(count, sizeof *m.order);
    int status = m.p && m.order ? make_order(c, m.order) : RASK_ENOMEM;
    if (!status && rk_array_reserve(&m.free, count))
        status = RASK_ENOMEM;
    if (!status)
        emit(&m);
    rk_free(m.order);
    rk_array_fini(&m.free);
    if (status)
        rk_program_free(m.p);
    else
        *out = m.p;
    return status;
}

int rk_program_new(rask_array *array, const uint8_t *axes, bool cut, rk_program **out)
{
    compiler c = {.ndim = array->ndim,
                  .root = array,
                  .cut = cut,
                  .arrays = RK_ARRAY(rask_array *, UINT32_MAX),
                  .entries = RK_ARRAY(entry, UINT32_MAX - 1),
                  .first = RK_ARRAY(uint32_t, UINT32_MAX),
                  .next = RK_ARRAY(uint32_t, UINT32_MAX)};
    rk_view map;
    memset(&map, 0, sizeof map);
    for (uint32_t i = 0; i < array->ndim; i++) {
        map.from[axes ? axes[i] : i] = (int8_t)i;
        map.step[i] = 1;
    }
    rk_program *p = NULL;
    int status = reach(&c);
    if (!status)
        status = sum_costs(&c);
    if (!status)
        status = explore(&c, &map);
    if (!status)
        status = emit_program(&c, &p);
    if (!status) {
        p->dtype = array->dtype;
        for (uint32_t i = 0; i < array->ndim; i++)
            p->shape[i] = array->shape[axes ? axes[i] : i];
        p->result = ((entry *)c.entries.data)[0].reg; /* the root was entered first */
        *out = p;
    }
    rk_array_fini(&c.arrays);
    rk_array_fini(&c.entries);
    rk_array_fini(&c.first);
    rk_array_fini(&c.next);
    rk_free(c.costs);
    return status;
}

rk_run_of rk_leaf_run(const rk_leaf *leaf, uint32_t axis, const int64_t *start, const int64_t *count)
{
    int from = leaf->map.from[axis];
    if (from < 0)
        return (rk_run_of){leaf->map.start[axis], 1, 1};
    return (rk_run_of){leaf->map.start[axis] + leaf->map.step[axis] * start[from], leaf->map.step[axis],
                       count[from]};
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b && (a < 0) != (b < 0));
}

void rk_run_within(rk_run_of run, int64_t low, int64_t high, int64_t *first, int64_t *last)
{
    /* first + step * i is in low ... high - 1 */
    int64_t from = 0, to = run.count;
    if (run.step > 0) {
        from = -floor_divide(-(low - run.first), run.step);
        to = floor_divide(high - 1 - run.first, run.step) + 1;
    } else if (run.step < 0) {
        from = -floor_divide(-(run.first - (high - 1)), -run.step);
        to = floor_divide(run.first - low, -run.step) + 1;
    } else if (run.first < low || run.first >= high) {
        to = 0;
    }
    *first = from < 0 ? 0 : from;
    *last = to > run.count ? run.count : to;
}

static void destroy(void *data)
{
    rk_program_free(data);
}

static size_t size(const void *data)
{
    const rk_program *p = data;
    return sizeof *p + p->leaf_count * sizeof *p->leaves + p->instruction_count * sizeof *p->instructions;
}

/* The file's name, and what follows it: "x.npy", "data.h5:/group/x". */
static const char *shown_path(const char *path)
{
    const char *shown = path, *end = strstr(path, ":/");
    for (const char *at = path; *at && at != end; at++)
        if (*at == '/' && at[1])
            shown = at + 1;
    return shown;
}

/* What is read or made: NULL for numbers, which are part of what is done. */
static const char *leaf_text(const rk_leaf *leaf)
{
    switch (leaf->kind) {
    case RK_LEAF_CONSTANT: return NULL;
    case RK_LEAF_MEMORY: return "memory";
    case RK_LEAF_FILE: return shown_path(leaf->source->path);
    case RK_LEAF_FILL: return "generated elements";
    case RK_LEAF_CHUNKS: return "chunks";
    }
    return NULL;
}

/* The leaves, each text once, if they are few. */
static void print_leaves(const rk_program *p, rk_print *out)
{
    enum { SHOWN = 4 };
    const char *shown[SHOWN];
    uint32_t count = 0, more = 0;
    for (uint32_t i = 0; i < p->leaf_count; i++) {
        const char *text = leaf_text(&p->leaves[i]);
        uint32_t k = 0;
        while (text && k < count && strcmp(shown[k], text) != 0)
            k++;
        if (text && k == count && count < SHOWN)
            shown[count++] = text;
        else if (text && k == count)
            more++;
    }
    for (uint32_t i = 0; i < count; i++)
        rk_print_add(out, "%s%.200s", i ? ", " : "", shown[i]);
    if (more)
        rk_print_add(out, " and %u more", more);
    if (!count)
        rk_print_add(out, "numbers");
}

/* "2 operations on a.npy, b.npy: float64 (3, 4)". */
static size_t print(const void *data, char *buffer, size_t capacity)
{
    const rk_program *p = data;
    rk_print out = {buffer, capacity, 0};
    char shape[RK_SHAPE_TEXT];
    if (p->instruction_count)
        rk_print_add(&out, "%u operation%s on ", p->instruction_count, p->instruction_count == 1 ? "" : "s");
    print_leaves(p, &out);
    rk_print_add(&out, ": %s %s", rask_dtype_name(p->dtype), rk_shape_text(p->shape, p->ndim, shape));
    return out.len;
}

static int encode(const void *data, rask_value *bytes)
{
    rk_pack_out out = {0};
    rk_open_error error = {0};
    int status = rk_program_put(data, &out, &error);
    return rk_encoded(&out, status, &error, bytes);
}

static int decode(rask_bytes bytes, void **data)
{
    rk_pack_in in = {bytes.data, bytes.data + bytes.len, false, NULL};
    rk_open_error error = {0};
    return (*data = rk_program_get(&in, &error)) ? RASK_OK : error.status;
}

const rask_class rk_program_class = {.name = "array program",
                                     .destroy = destroy,
                                     .size = size,
                                     .print = print,
                                     .encode = encode,
                                     .decode = decode};
