/* Design notes.
 *
 * A recipe is one of two things. Where the table is the program's, it notes what is shared, in order, and is written down when a value
 * is encoded. As a *guest*, in another process, it has a graph of its own with the table made again, and all that came of lowering it.
 * Guests that are in use stand in a list, where values of the same recipe find them; the last value ends it.
 *
 * Bytes of a value: its number, how many there are of them, and the recipe: root, lowering, then the builders' calls in the order in
 * which they were made, inputs by number. Of values that are encoded together the first one has that, and the others, without
 * builders, what is drawn from it (digest), by which they find the guest. */
#include "collections/table/recipe.h"

#include "collections/table/csv_source.h"
#include "collections/table/join/join.h"
#include "collections/table/made.h"
#include "collections/table/writer.h"
#include "core/base/alloc.h"
#include "core/base/atomic.h"
#include "core/task/task.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { VERSION = 1, MOST_INPUTS = RK_TABLE_SOURCES };

typedef struct item {
    const rask_class *cls;
    const void *what;
} item;

struct rk_recipe {
    rk_atomic_u32 refs;
    rask_table *table;
    rk_recipe_root root;
    rk_table_lowering lowering;
    rk_array items;       /* item */
    rask_graph *graph;    /* of a guest; NULL: it is none */
    XXH128_hash_t digest; /* of what a guest was made of, or what was written last, */
    uint64_t written;     /* when that was (rk_pack_together()); with guests_lock held */
    rk_recipe *outer;     /* that was current before */
    char *absent;         /* why a guest has no items; NULL: all is well */
    rk_recipe *next;      /* of the guests */
};

/* The data of values. */
typedef struct shared {
    rk_recipe *recipe; /* a reference; NULL: there is none */
    uint32_t number;
    const rask_class *cls;
    const void *what;
} shared;

static _Thread_local rk_recipe *current;

static pthread_mutex_t guests_lock = PTHREAD_MUTEX_INITIALIZER;
static rk_recipe *guests;

/* -- Life */

static rk_recipe *recipe_new(void)
{
    rk_recipe *r = rk_calloc(1, sizeof *r);
    if (!r)
        return NULL;
    rk_init(&r->refs, 1);
    r->items = (rk_array)RK_ARRAY(item, UINT32_MAX);
    return r;
}

static void recipe_free(rk_recipe *r)
{
    rask_graph_free(r->graph);
    rk_array_fini(&r->items);
    rk_free(r->absent);
    rk_free(r);
}

static void recipe_unref(rk_recipe *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&guests_lock);
    bool last = rk_sub_acq_rel(&r->refs, 1) == 1;
    rk_recipe **at = &guests;
    while (last && *at && *at != r)
        at = &(*at)->next;
    if (last && *at)
        *at = r->next;
    pthread_mutex_unlock(&guests_lock);
    if (last)
        recipe_free(r);
}

rk_recipe *rk_recipe_begin(const rk_table_lowering *l, rask_table *table, rk_recipe_root root)
{
    rk_recipe *r = recipe_new();
    if (r) {
        r->lowering = *l;
        r->table = table;
        r->root = root;
        r->outer = current;
        current = r;
    }
    return r;
}

void rk_recipe_end(rk_recipe *recipe)
{
    if (recipe)
        current = recipe->outer;
    recipe_unref(recipe);
}

/* -- What is shared */

/* Its number among those of the recipe. A guest's values are nobody's, and need it not. */
static int note(shared *s)
{
    item *place = current ? rk_array_push(&current->items) : NULL;
    if (!place)
        return current ? RASK_ENOMEM : RASK_OK;
    *place = (item){s->cls, s->what};
    s->number = (uint32_t)current->items.count - 1;
    if (!current->graph) {
        s->recipe = current;
        rk_add_relaxed(&current->refs, 1);
    }
    return RASK_OK;
}

int rk_shared_value(rask_graph *graph, const rask_class *cls, const void *what, rask_value *out)
{
    shared *s = rk_alloc(sizeof *s);
    if (s)
        *s = (shared){.cls = cls, .what = what};
    if (s && !note(s) && !rask_value_custom_new(cls, s, out))
        return RASK_OK;
    if (s)
        rk_shared_destroy(s);
    rk_graph_fail(graph, RASK_ENOMEM, NULL, 0, "no memory for a task");
    return RASK_ENOMEM;
}

void rk_shared_destroy(void *data)
{
    shared *s = data;
    recipe_unref(s->recipe);
    rk_free(s);
}

const void *rk_shared_what(const void *data)
{
    return ((const shared *)data)->what;
}

void *rk_shared_arg(rask_task *task, size_t index, const rask_class *cls)
{
    const shared *s = rask_arg_custom(task, index, cls);
    if (!s)
        return NULL;
    if (s->recipe && s->recipe->absent)
        rk_task_fail(task, RASK_EIO, "%s", s->recipe->absent);
    else if (s->cls != cls)
        rk_task_fail(task, RASK_EFORMAT, "%s: what came from another process is something else", cls->name);
    else
        return (void *)s->what;
    return NULL;
}

/* -- Writing */

typedef struct head {
    uint32_t version, number, items, root;
    uint32_t workers, builders;
    uint64_t budget, seed;
} head;

_Static_assert(sizeof(head) == 40, "no byte of it is unset");

static int by_turn(const void *a, const void *b)
{
    const rask_table *x = *(rask_table *const *)a, *y = *(rask_table *const *)b;
    return x->made->turn < y->made->turn ? -1 : x->made->turn > y->made->turn;
}

static bool stays(rk_open_error *error)
{
    return rk_open_fail(
               error, RASK_EUNSUPPORTED,
               "it is made of memory, arrays or Arrow's files, which only the program's own process has: "
               "write it to a CSV file that workers see") != NULL;
}

static bool add_table(rk_array *tables, rask_table *table, rk_open_error *error)
{
    if (!table->made)
        return stays(error);
    for (size_t i = 0; i < tables->count; i++)
        if (((rask_table **)tables->data)[i] == table)
            return true;
    rask_table **place = rk_array_push(tables);
    if (!place)
        return rk_open_fail(error, RASK_ENOMEM, "%s", rask_status_text(RASK_ENOMEM)) != NULL;
    *place = table;
    return true;
}

/* All tables that one is made of, and itself, in the order in which they were made. */
static int find_tables(rask_table *table, rk_array *tables, rk_open_error *error)
{
    bool good = add_table(tables, table, error);
    for (size_t i = 0; good && i < tables->count; i++) {
        const rk_made *made = ((rask_table **)tables->data)[i]->made;
        for (size_t k = 0; good && k < made->input_count; k++)
            good = add_table(tables, made->inputs[k], error);
    }
    if (!good)
        return error->status;
    qsort(tables->data, tables->count, sizeof(rask_table *), by_turn);
    return RASK_OK;
}

static uint32_t number_of(const rk_array *tables, const rask_table *table)
{
    rask_table **found = bsearch(&table, tables->data, tables->count, sizeof(rask_table *), by_turn);
    return (uint32_t)(found - (rask_table **)tables->data);
}

static int put_table(const rk_array *tables, const rask_table *table, rk_pack_out *out, rk_open_error *error)
{
    const rk_made *made = table->made;
    rk_pack_put_u32(out, made->builder);
    rk_pack_put_text(out, made->texts[0]);
    rk_pack_put_text(out, made->texts[1]);
    rk_pack_put_u64(out, made->rows);
    rk_pack_put_u32(out, made->how);
    rk_pack_put_u32(out, made->method);
    rk_pack_put_bytes(out, made->numbers, made->number_count * sizeof *made->numbers);
    rk_pack_put_u32(out, (uint32_t)made->input_count);
    for (size_t i = 0; i < made->input_count; i++)
        rk_pack_put_u32(out, number_of(tables, made->inputs[i]));
    return made->builder == RK_BUILDER_CSV ? rk_csv_source_put(table->as.csv, out, error) : RASK_OK;
}

static head head_of(const shared *s, size_t builders)
{
    const rk_recipe *r = s->recipe;
    return (head){.version = VERSION,
                  .number = s->number,
                  .items = (uint32_t)r->items.count,
                  .root = r->root,
                  .workers = r->lowering.workers,
                  .builders = (uint32_t)builders,
                  .budget = r->lowering.budget,
                  .seed = r->lowering.seed};
}

/* What values of one recipe have in common: all but the number. */
static XXH128_hash_t digest_of(head h, const char *rest, size_t size)
{
    h.number = 0;
    return XXH3_128bits_withSeed(rest, size, XXH3_64bits(&h, sizeof h));
}

static int put_recipe(const shared *s, rk_pack_out *out, rk_open_error *error)
{
    rk_array tables = RK_ARRAY(rask_table *, MOST_INPUTS);
    int status = find_tables(s->recipe->table, &tables, error);
    const head h = head_of(s, tables.count);
    rk_pack_put(out, &h, sizeof h);
    for (size_t i = 0; i < tables.count && !status; i++)
        status = put_table(&tables, ((rask_table **)tables.data)[i], out, error);
    rk_array_fini(&tables);
    if (!status && !out->failed)
        s->recipe->digest = digest_of(h, out->data + sizeof h, out->size - sizeof h);
    return status;
}

/* The recipe, or, where it was written a moment ago, what it is found by. */
static int put_shared(const shared *s, rk_pack_out *out, rk_open_error *error)
{
    uint64_t now = rk_pack_together();
    int status = RASK_OK;
    pthread_mutex_lock(&guests_lock);
    if (now && s->recipe->written == now) {
        const head h = head_of(s, 0);
        rk_pack_put(out, &h, sizeof h);
        rk_pack_put(out, &s->recipe->digest, sizeof s->recipe->digest);
    } else {
        status = put_recipe(s, out, error);
        s->recipe->written = status || out->failed ? 0 : now;
    }
    pthread_mutex_unlock(&guests_lock);
    return status;
}

int rk_shared_encode(const void *data, rask_value *bytes)
{
    const shared *s = data;
    rk_pack_out out = {0};
    rk_open_error error = {0};
    int status = RASK_EUNSUPPORTED;
    if (!s->recipe || s->recipe->graph)
        rk_open_fail(&error, status, "it was lowered for this process alone");
    else if (!s->recipe->lowering.apart)
        rk_open_fail(&error, status, "its tasks were made for a scheduler that shares memory");
    else
        status = put_shared(s, &out, &error);
    return rk_encoded(&out, status, &error, bytes);
}

/* -- Reading */

typedef struct reading {
    rk_pack_in in;
    rk_recipe *recipe;
    rask_table **tables;
    uint32_t count;
    rk_open_error error;
} reading;

/* A call of a builder, with texts and numbers that are freed behind it. */
typedef struct call {
    uint32_t builder, how, method, input_count;
    char *texts[2];
    uint64_t rows;
    rask_bytes numbers;
    rask_table **inputs;
} call;

static rask_table *get_csv(reading *r)
{
    rask_graph *graph = r->recipe->graph;
    rk_csv_source *source = rk_csv_source_get(graph, &r->in, &r->error);
    if (!source)
        return NULL;
    if (!r->recipe->absent && rk_text_files_check(&source->files, &r->error))
        r->recipe->absent = rk_strndup(r->error.message, strlen(r->error.message));
    if (!rk_graph_at_end(graph, rk_csv_source_free, source))
        return rk_csv_source_table(graph, source, NULL, 0);
    rk_csv_source_free(source);
    return NULL;
}

static rask_table *join(const call *c)
{
    rask_join_options options = RASK_JOIN_OPTIONS_INIT;
    options.suffix = c->texts[1];
    options.method = (rask_join_method)c->method;
    return c->input_count == 2 ? rask_table_join_with(c->inputs[0], c->inputs[1], c->texts[0],
                                                      (rask_join_how)c->how, &options)
                               : NULL;
}

static rask_table *quantiles(const call *c)
{
    size_t count = c->numbers.len / sizeof(double);
    double *q = rk_alloc_array(count + 1, sizeof *q);
    if (q && c->numbers.len)
        memcpy(q, c->numbers.data, count * sizeof *q);
    rask_table *table = q ? rask_table_quantiles(c->inputs[0], c->texts[0], q, count) : NULL;
    rk_free(q);
    return table;
}

/* There is one input at least. */
static rask_table *build(const call *c)
{
    rask_table *in = c->inputs[0];
    const char *a = c->texts[0], *b = c->texts[1];
    switch (c->builder) {
    case RK_BUILDER_SELECT: return rask_table_select(in, a);
    case RK_BUILDER_DROP: return rask_table_drop(in, a);
    case RK_BUILDER_WITH: return rask_table_with(in, a, b);
    case RK_BUILDER_FILTER: return rask_table_filter(in, a);
    case RK_BUILDER_SORT: return rask_table_sort(in, a);
    case RK_BUILDER_LIMIT: return rask_table_limit(in, c->rows);
    case RK_BUILDER_TAIL: return rask_table_tail(in, c->rows);
    case RK_BUILDER_RENAME: return rask_table_rename(in, a);
    case RK_BUILDER_DROP_NULLS: return rask_table_drop_nulls(in, a);
    case RK_BUILDER_FILL_NULLS: return rask_table_fill_nulls(in, a, b);
    case RK_BUILDER_VALUE_COUNTS: return rask_table_value_counts(in, a);
    case RK_BUILDER_GROUPBY: return rask_table_groupby(in, a, b);
    case RK_BUILDER_DESCRIBE: return rask_table_describe(in);
    case RK_BUILDER_QUANTILES: return quantiles(c);
    case RK_BUILDER_DISTINCT: return rask_table_distinct(in, a);
    case RK_BUILDER_CONCAT: return rask_table_concat(c->inputs, c->input_count);
    case RK_BUILDER_JOIN: return join(c);
    default: return NULL;
    }
}

/* Inputs are tables before. */
static bool get_inputs(reading *r, call *c)
{
    c->input_count = rk_pack_get_u32(&r->in);
    if (c->input_count > rk_pack_left(&r->in) / sizeof(uint32_t))
        return false;
    c->inputs = rk_alloc_array((size_t)c->input_count + 1, sizeof *c->inputs);
    for (uint32_t i = 0; c->inputs && i < c->input_count; i++) {
        uint32_t number = rk_pack_get_u32(&r->in);
        if (number >= r->count)
            return false;
        c->inputs[i] = r->tables[number];
    }
    return c->inputs;
}

static rask_table *get_table(reading *r)
{
    call c = {.builder = rk_pack_get_u32(&r->in)};
    bool good = rk_pack_get_text(&r->in, &c.texts[0]) && rk_pack_get_text(&r->in, &c.texts[1]);
    c.rows = rk_pack_get_u64(&r->in);
    c.how = rk_pack_get_u32(&r->in);
    c.method = rk_pack_get_u32(&r->in);
    c.numbers = rk_pack_get_bytes(&r->in);
    good = good && !r->in.failed && c.how <= UINT8_MAX && c.method <= UINT8_MAX && get_inputs(r, &c);
    rask_table *table = NULL;
    if (good && c.builder == RK_BUILDER_CSV)
        table = get_csv(r);
    else if (good && c.input_count)
        table = build(&c);
    rk_free(c.texts[0]);
    rk_free(c.texts[1]);
    rk_free((void *)c.inputs);
    return table;
}

static int lower_again(rk_recipe *r)
{
    struct rk_join_built *built = NULL;
    rk_nodes nodes;
    rk_table_lowering *l = &r->lowering;
    l->built = &built;
    r->outer = current;
    current = r;
    switch (r->root) {
    case RK_ROOT_TABLE: rk_lower_table(l, r->table); break;
    case RK_ROOT_ROWS: rk_lower_rows(l, r->table, &nodes); break;
    default: rk_text_writer_lower(l, r->table, r->root == RK_ROOT_JSON, NULL, NULL, &nodes); break;
    }
    current = r->outer;
    l->built = NULL;
    return r->graph->status;
}

/* What stands behind the head. RASK_OK also where the files are others: then the guest is absent. */
static int read_recipe(reading *r, const head *h)
{
    rk_recipe *recipe = r->recipe;
    r->tables = rk_alloc_array((size_t)h->builders + 1, sizeof *r->tables);
    if (!r->tables)
        return RASK_ENOMEM;
    while (r->count < h->builders) {
        rask_table *table = get_table(r);
        if (!table)
            return recipe->graph->status == RASK_ENOMEM ? RASK_ENOMEM : RASK_EFORMAT;
        r->tables[r->count++] = table;
    }
    recipe->table = r->tables[h->builders - 1];
    recipe->root = (rk_recipe_root)h->root;
    recipe->lowering = (rk_table_lowering){
        .graph = recipe->graph, .budget = h->budget, .workers = h->workers, .seed = h->seed, .apart = true};
    int status = recipe->absent ? RASK_OK : lower_again(recipe);
    if (status == RASK_ENOMEM || recipe->absent || (!status && recipe->items.count == h->items))
        return status;
    rk_open_fail(&r->error, RASK_EIO,
                 "the table is cut into other tasks here than where the program runs: %s",
                 status ? rask_graph_error(recipe->graph) : "its files are others");
    rk_open_error_say_where(&r->error);
    recipe->absent = rk_strndup(r->error.message, strlen(r->error.message));
    return recipe->absent ? RASK_OK : RASK_ENOMEM;
}

static int guest_new(rk_pack_in in, const head *h, rk_recipe **out)
{
    reading r = {.in = in, .recipe = recipe_new()};
    if (!r.recipe || !(r.recipe->graph = rask_graph_new())) {
        rk_free(r.recipe);
        return RASK_ENOMEM;
    }
    int status = read_recipe(&r, h);
    rk_free((void *)r.tables);
    if (status)
        recipe_free(r.recipe);
    else
        *out = r.recipe;
    return status;
}

/* The guest of these bytes, with a reference: one that is there, or a new one. What it is made with may take a while; nobody else
 * looks for guests meanwhile but values of other plans. */
static int find_guest(rk_pack_in in, const head *h, rk_recipe **out)
{
    XXH128_hash_t digest = digest_of(*h, in.at, rk_pack_left(&in));
    int status = RASK_OK;
    if (!h->builders) {
        const char *at = rk_pack_get(&in, sizeof digest);
        if (!at)
            return RASK_EFORMAT;
        memcpy(&digest, at, sizeof digest);
    }
    pthread_mutex_lock(&guests_lock);
    rk_recipe *r = guests;
    while (r && !XXH128_isEqual(r->digest, digest))
        r = r->next;
    if (r)
        rk_add_relaxed(&r->refs, 1);
    else if (!h->builders)
        status = RASK_EFORMAT;
    else if (!(status = guest_new(in, h, &r))) {
        r->digest = digest;
        r->next = guests;
        guests = r;
    }
    pthread_mutex_unlock(&guests_lock);
    if (!status)
        *out = r;
    return status;
}

int rk_shared_decode(rask_bytes bytes, void **out)
{
    rk_pack_in in = {bytes.data, bytes.data + bytes.len, false};
    head h;
    const char *at = rk_pack_get(&in, sizeof h);
    if (!at)
        return RASK_EFORMAT;
    memcpy(&h, at, sizeof h);
    if (h.version != VERSION || h.root >= RK_ROOTS || h.number >= h.items || !h.workers || !h.budget ||
        h.builders > MOST_INPUTS)
        return RASK_EFORMAT;
    shared *s = rk_calloc(1, sizeof *s);
    if (!s)
        return RASK_ENOMEM;
    s->number = h.number;
    int status = find_guest(in, &h, &s->recipe);
    if (status) {
        rk_free(s);
        return status;
    }
    if (s->number < s->recipe->items.count) {
        const item *found = (const item *)s->recipe->items.data + s->number;
        s->cls = found->cls;
        s->what = found->what;
    }
    *out = s;
    return RASK_OK;
}
