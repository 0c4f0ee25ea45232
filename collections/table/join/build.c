/* rask_table_join(): INNER, LEFT, SEMI and ANTI are joins of their own. RIGHT is LEFT from the other side; OUTER is LEFT, and
 * behind it those rows of the right table that ANTI finds. */
#include "collections/table/concat.h"
#include "collections/table/list.h"
#include "collections/table/made.h"
#include "collections/table/table.h"
#include "core/base/limits.h"

#include <stdio.h>
#include <string.h>

/* What is being built, and where to complain. */
typedef struct builder {
    rask_table *left, *right;
    const char *text; /* of the keys */
    const char *suffix;
    rask_join_method method;
    uint32_t count; /* of keys */
    uint32_t left_keys[RK_MAX_KEYS], right_keys[RK_MAX_KEYS];
    rask_column_type types[RK_MAX_KEYS];
    const char *file;
    int line;
} builder;

static void *memory(const builder *b, size_t size)
{
    return rk_table_memory(b->left->graph, size, b->file, b->line);
}

/* -- Keys */

static bool is_number(rask_column_type type)
{
    return type == RASK_COL_I64 || type == RASK_COL_F64;
}

/* A key without a value becomes one of the other side's type. */
static bool meet(builder *b, uint32_t left, uint32_t right)
{
    const rk_schema *l = &b->left->schema, *r = &b->right->schema;
    if (l->types[left] == r->types[right])
        return true;
    if (l->empty[left])
        b->left = rk_table_nulls_at(b->left, left, r->types[right], b->file, b->line);
    else if (r->empty[right])
        b->right = rk_table_nulls_at(b->right, right, l->types[left], b->file, b->line);
    return b->left && b->right;
}

static bool add_key(builder *b, const rk_list_item *item)
{
    if (b->count == RK_MAX_KEYS)
        return rk_table_fail(b->left, RASK_ELIMIT, b->file, b->line, "rask_table_join: more than %d keys",
                             RK_MAX_KEYS);
    uint32_t left = rk_table_find(b->left, "rask_table_join: left table", item->name, b->file, b->line);
    uint32_t right = left == UINT32_MAX ? left
                                        : rk_table_find(b->right, "rask_table_join: right table", item->as,
                                                        b->file, b->line);
    if (right == UINT32_MAX)
        return false;
    if (!meet(b, left, right))
        return false;
    rask_column_type x = b->left->schema.types[left], y = b->right->schema.types[right];
    if (x != y && !(is_number(x) && is_number(y)))
        return rk_table_fail(
            b->left, RASK_ETYPE, b->file, b->line,
            "rask_table_join: \"%s\" of the left table is %s, and \"%s\" of the right one %s",
            b->left->schema.names[left], rask_column_type_name(x), b->right->schema.names[right],
            rask_column_type_name(y));
    b->left_keys[b->count] = left;
    b->right_keys[b->count] = right;
    b->types[b->count++] = x == y ? x : RASK_COL_F64;
    return true;
}

static bool find_keys(builder *b)
{
    rk_list_item item;
    for (size_t at = 0; rk_list_next(b->text, RK_LIST_PAIRS, &at, &item);)
        if (!add_key(b, &item))
            return false;
    if (b->count)
        return true;
    return rk_table_fail(b->left, RASK_EINVAL, b->file, b->line, "rask_table_join: no keys");
}

/* The key that a column is, or UINT32_MAX. */
static uint32_t key_of(const uint32_t *keys, uint32_t count, uint32_t column)
{
    for (uint32_t k = 0; k < count; k++)
        if (keys[k] == column)
            return k;
    return UINT32_MAX;
}

/* -- Names */

static uint32_t find_name(const rk_schema *s, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(s->names[i], name) == 0)
            return i;
    return UINT32_MAX;
}

/* Names for the right table's columns that are no keys, behind the left's; count: of all so far. */
static bool name_right(const builder *b, rask_table *table, uint32_t count)
{
    const rk_schema *right = &b->right->schema;
    for (uint32_t i = 0; i < right->count; i++) {
        const char *name = right->names[i];
        if (key_of(b->right_keys, b->count, i) != UINT32_MAX)
            continue;
        if (find_name(&b->left->schema, b->left->schema.count, name) != UINT32_MAX) {
            size_t len = strlen(name), more = strlen(b->suffix);
            char *longer = memory(b, len + more + 1);
            if (!longer)
                return false;
            memcpy(longer, name, len + 1);
            memcpy(longer + len, b->suffix, more + 1);
            name = longer;
        }
        if (find_name(&table->schema, count, name) != UINT32_MAX)
            return rk_table_fail(b->left, RASK_EEXIST, b->file, b->line,
                                 "rask_table_join: two columns \"%s\": rename one of them before", name);
        table->schema.names[count++] = name;
    }
    return true;
}

/* -- Tables */

/* A join of input's rows with other's, whose columns are called as they are called there. */
static rask_table *new_join(const builder *b, bool from_right, rask_join_how how)
{
    rask_table *input = from_right ? b->right : b->left, *other = from_right ? b->left : b->right;
    const uint32_t *keys = from_right ? b->right_keys : b->left_keys;
    const uint32_t *other_keys = from_right ? b->left_keys : b->right_keys;
    rk_join *join = memory(b, sizeof *join);
    uint32_t *numbers = memory(b, (2 * (size_t)b->count + other->schema.count) * sizeof *numbers);
    rask_column_type *types = memory(b, b->count * sizeof *types);
    if (!join || !numbers || !types)
        return NULL;
    *join = (rk_join){.how = how,
                      .method = b->method,
                      .input = input,
                      .other = other,
                      .key_count = b->count,
                      .keys = numbers,
                      .other_keys = numbers + b->count,
                      .types = types,
                      .payload = numbers + 2 * (size_t)b->count};
    memcpy(join->keys, keys, b->count * sizeof *keys);
    memcpy(join->other_keys, other_keys, b->count * sizeof *keys);
    memcpy(types, b->types, b->count * sizeof *types);
    for (uint32_t i = 0; (how == RASK_JOIN_INNER || how == RASK_JOIN_LEFT) && i < other->schema.count; i++)
        if (key_of(other_keys, b->count, i) == UINT32_MAX)
            join->payload[join->payload_count++] = i;
    return rk_join_table(input->graph, join, b->file, b->line);
}

rask_table *rk_join_table(rask_graph *graph, rk_join *join, const char *file, int line)
{
    rask_table *input = join->input;
    const rk_schema *in = &input->schema, *from = &join->other->schema;
    rask_table *table =
        rk_table_new(graph, RK_TABLE_JOIN, input, in->count + join->payload_count, file, line);
    if (!table || !rk_table_also(table, join->other, file, line))
        return NULL;
    memcpy(table->schema.names, in->names, in->count * sizeof *in->names);
    memcpy(table->schema.types, in->types, in->count * sizeof *in->types);
    memcpy(table->schema.empty, in->empty, in->count * sizeof *in->empty);
    for (uint32_t i = 0; i < join->payload_count; i++) {
        table->schema.names[in->count + i] = from->names[join->payload[i]];
        table->schema.types[in->count + i] = from->types[join->payload[i]];
        table->schema.empty[in->count + i] = from->empty[join->payload[i]];
    }
    if (join->payload_count)
        table->bytes = rk_table_bytes(input->bytes, join->other->bytes);
    table->as.join = join;
    return table;
}

/* The columns of the result out of a join of the right table's rows: pick has room for all of them. Where the join lacks the
 * left's columns they are taken to stand behind the right's, too. */
static uint32_t pick_from_right(const builder *b, uint32_t *pick)
{
    uint32_t count = 0, behind = b->right->schema.count;
    for (uint32_t i = 0; i < b->left->schema.count; i++) {
        uint32_t key = key_of(b->left_keys, b->count, i);
        pick[count++] = key == UINT32_MAX ? behind++ : b->right_keys[key];
    }
    for (uint32_t i = 0; i < b->right->schema.count; i++)
        if (key_of(b->right_keys, b->count, i) == UINT32_MAX)
            pick[count++] = i;
    return count;
}

static rask_table *rearrange(const builder *b, rask_table *joined)
{
    uint32_t *pick =
        joined ? memory(b, (b->left->schema.count + (size_t)b->right->schema.count) * sizeof *pick) : NULL;
    if (!pick)
        return NULL;
    rask_table *table =
        rk_table_pick(joined->graph, joined, pick, pick_from_right(b, pick), b->file, b->line);
    if (!table)
        return NULL;
    memcpy(table->schema.names, b->left->schema.names, b->left->schema.count * sizeof *table->schema.names);
    return name_right(b, table, b->left->schema.count) ? table : NULL;
}

static rask_table *name_left_join(const builder *b, rask_table *joined)
{
    return joined && name_right(b, joined, b->left->schema.count) ? joined : NULL;
}

/* Behind the right table's columns come those of the left one that are no keys, all of them null. */
static rask_table *add_nulls(const builder *b, rask_table *table)
{
    for (uint32_t i = 0; table && i < b->left->schema.count; i++)
        if (key_of(b->left_keys, b->count, i) == UINT32_MAX)
            table = rk_table_nulls(table, b->left->schema.types[i], b->file, b->line);
    return table;
}

static rask_table *outer(const builder *b)
{
    rask_table *both[2] = {name_left_join(b, new_join(b, false, RASK_JOIN_LEFT)), NULL};
    if (both[0])
        both[1] = rearrange(b, add_nulls(b, new_join(b, true, RASK_JOIN_ANTI)));
    return both[1] ? rk_build_concat(both, 2, b->file, b->line) : NULL;
}

static rask_table *build(const builder *b, rask_join_how how)
{
    switch (how) {
    case RASK_JOIN_INNER:
    case RASK_JOIN_LEFT: return name_left_join(b, new_join(b, false, how));
    case RASK_JOIN_RIGHT: return rearrange(b, new_join(b, true, RASK_JOIN_LEFT));
    case RASK_JOIN_OUTER: return outer(b);
    case RASK_JOIN_SEMI:
    case RASK_JOIN_ANTI: return new_join(b, false, how);
    }
    return rk_table_fail(b->left, RASK_EINVAL, b->file, b->line, "rask_table_join: %d is no way to join",
                         (int)how);
}

rask_table *rk_build_join(rask_table *left, rask_table *right, const char *keys, rask_join_how how,
                          const rask_join_options *options, const char *file, int line)
{
    const rask_join_options defaults = RASK_JOIN_OPTIONS_INIT;
    const rask_join_options *o = options ? options : &defaults;
    if (!left || !right || left->graph->status)
        return NULL;
    builder b = {.left = left, .right = right, .text = keys ? keys : "", .file = file, .line = line};
    b.suffix = o->suffix && o->size == sizeof defaults ? o->suffix : "_right";
    b.method = o->method;
    if (right->graph != left->graph)
        return rk_table_fail(left, RASK_EINVAL, file, line, "rask_table_join: tables of two graphs");
    if (o->size != sizeof defaults || (unsigned)o->method > RASK_JOIN_PARTITIONED)
        return rk_table_fail(left, RASK_EINVAL, file, line,
                             "rask_table_join: options.size or method is not set");
    return find_keys(&b) ? build(&b, how) : NULL;
}
