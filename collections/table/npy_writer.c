/* Columns as NumPy's files, one for each: tasks make chunks, whose values are written from where they are. The header, which says
 * how many there are, is written last. */
#include "collections/files/npy_head.h"
#include "collections/table/output.h"
#include "collections/table/writer.h"
#include "core/base/alloc.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char mark[] = "{column}";
enum { MARK = sizeof mark - 1, AT_ONCE = 4096 /* values */ };

typedef struct npy_writer {
    rk_writer base;
    uint32_t count; /* of outputs that are open */
    rk_output *outputs;
    char **paths;
    uint64_t rows;
} npy_writer;

static int fail(npy_writer *w, uint32_t column, int status, const char *what)
{
    snprintf(w->base.message, sizeof w->base.message, "%.600s: column \"%.200s\" %s", w->paths[column],
             w->base.table->schema.names[column], what);
    return status;
}

static int say(npy_writer *w, uint32_t column, int status)
{
    if (status)
        snprintf(w->base.message, sizeof w->base.message, "%s", w->outputs[column].message);
    return status;
}

/* What has no value is NaN throughout. */
static const char *descr_of(const rk_schema *schema, uint32_t column)
{
    static const char *const descrs[] = {
        [RASK_COL_BOOL] = "|b1",    [RASK_COL_I64] = "<i8",           [RASK_COL_F64] = "<f8",
        [RASK_COL_DATE] = "<M8[D]", [RASK_COL_TIMESTAMP] = "<M8[us]", [RASK_COL_TEXT] = NULL};
    return schema->empty[column] ? descrs[RASK_COL_F64] : descrs[schema->types[column]];
}

/* -- Values */

/* Some values with nulls among them: NaN, and NaT, which is the least number. */
static int append_nulls(npy_writer *w, uint32_t column, const rask_column *c, uint64_t first, uint64_t count)
{
    int64_t values[AT_ONCE];
    const double nan_value = NAN;
    int64_t none = INT64_MIN;
    if (c->type == RASK_COL_F64)
        memcpy(&none, &nan_value, sizeof none);
    memcpy(values, c->as.i64 + first, count * sizeof *values);
    for (uint64_t i = 0; i < count; i++) {
        if (c->valid[first + i])
            continue;
        if (c->type == RASK_COL_I64)
            return fail(w, column, RASK_ERANGE,
                        "has a null, which int64 is not: fill it, or make it float64");
        values[i] = none;
    }
    return say(w, column, rk_output_append(&w->outputs[column], values, count * sizeof *values));
}

static int append_bools(npy_writer *w, uint32_t column, const rask_column *c, uint64_t rows)
{
    if (c->valid && memchr(c->valid, 0, rows))
        return fail(w, column, RASK_ERANGE, "has a null, which bool is not: fill it");
    return say(w, column, rk_output_append(&w->outputs[column], c->as.boolean, rows));
}

static int append_nothing(npy_writer *w, uint32_t column, const rask_column *c, uint64_t rows)
{
    double values[AT_ONCE];
    int status = rk_writer_check_empty(&w->base, column, c, rows);
    for (int i = 0; i < AT_ONCE; i++)
        values[i] = NAN;
    for (uint64_t first = 0; first < rows && !status; first += AT_ONCE) {
        uint64_t count = rows - first < AT_ONCE ? rows - first : AT_ONCE;
        status = say(w, column, rk_output_append(&w->outputs[column], values, count * sizeof *values));
    }
    return status;
}

static int append_column(npy_writer *w, uint32_t column, const rask_column *c, uint64_t rows)
{
    int status = RASK_OK;
    if (c->type == RASK_COL_BOOL)
        return append_bools(w, column, c, rows);
    if (!c->valid)
        return say(w, column, rk_output_append(&w->outputs[column], c->as.i64, rows * sizeof *c->as.i64));
    for (uint64_t first = 0; first < rows && !status; first += AT_ONCE)
        status = append_nulls(w, column, c, first, rows - first < AT_ONCE ? rows - first : AT_ONCE);
    return status;
}

static int take(rk_writer *base, rask_bytes value)
{
    npy_writer *w = (npy_writer *)base;
    rk_chunk chunk;
    int status = RASK_OK;
    rk_chunk_open(&chunk, value);
    for (uint32_t i = 0; i < chunk.count && chunk.rows && !status; i++) {
        rk_stored stored = rk_chunk_stored(&chunk, i);
        status = w->base.table->schema.empty[i] ? append_nothing(w, i, &stored.column, chunk.rows)
                                                : append_column(w, i, &stored.column, chunk.rows);
    }
    w->rows += chunk.rows;
    return status;
}

/* -- Beginning and ending */

static int lower(rk_writer *base, const rk_table_lowering *l, rk_nodes *values, uint64_t *scratch)
{
    *scratch = 0;
    return rk_lower_rows(l, base->table, values);
}

static int finish(rk_writer *base)
{
    npy_writer *w = (npy_writer *)base;
    char header[RK_NPY_HEADER_ROOM], shape[32];
    int status = RASK_OK;
    snprintf(shape, sizeof shape, "(%" PRIu64 ",)", w->rows);
    for (uint32_t i = 0; i < w->count && !status; i++) {
        size_t len = rk_npy_head(descr_of(&base->table->schema, i), shape, false, header);
        status = say(w, i, rk_output_replace(&w->outputs[i], header, len, 0));
    }
    for (uint32_t i = 0; i < w->count && !status; i++)
        status = say(w, i, rk_output_commit(&w->outputs[i]));
    return status;
}

static void end(rk_writer *base)
{
    npy_writer *w = (npy_writer *)base;
    for (uint32_t i = 0; i < w->count; i++)
        rk_output_end(&w->outputs[i]);
    for (uint32_t i = 0; w->paths && i < base->table->schema.count; i++)
        rk_free(w->paths[i]);
    rk_free(w->paths);
    rk_free(w->outputs);
    rk_free(w);
}

static const rk_writer_class npy_class = {lower, take, finish, NULL, end};

/* path with a column's name in the place of the mark; without one, path. NULL: no memory. */
static char *path_of(const char *path, const char *name)
{
    const char *at = strstr(path, mark);
    size_t size = strlen(path) + strlen(name) + 1;
    char *out = rk_alloc(size);
    if (out && at)
        snprintf(out, size, "%.*s%s%s", (int)(at - path), path, name, at + MARK);
    else if (out)
        memcpy(out, path, strlen(path) + 1);
    return out;
}

static int open_column(npy_writer *w, uint32_t i, const char *path)
{
    static const char room[RK_NPY_ROW_HEADER];
    const rk_schema *schema = &w->base.table->schema;
    w->paths[i] = path_of(path, schema->names[i]);
    if (!w->paths[i])
        return RASK_ENOMEM;
    if (!descr_of(schema, i))
        return fail(w, i, RASK_ETYPE, "is string, and .npy holds numbers");
    if (strchr(schema->names[i], '/') && strstr(path, mark))
        return fail(w, i, RASK_EINVAL, "has a / in its name, which no file's has");
    int status = rk_output_open(&w->outputs[i], w->paths[i]);
    w->count++;
    return say(w, i, status ? status : rk_output_append(&w->outputs[i], room, sizeof room));
}

static int open_columns(npy_writer *w, const char *path)
{
    uint32_t count = w->base.table->schema.count;
    int status = RASK_OK;
    if (strcmp(path, "-") == 0 || (count != 1 && !strstr(path, mark))) {
        snprintf(
            w->base.message, sizeof w->base.message,
            "%.600s: %u columns: a .npy is a file and holds one; a name with {column} makes a file for each",
            path, count);
        return RASK_EINVAL;
    }
    w->outputs = rk_calloc(count + (size_t)1, sizeof *w->outputs);
    w->paths = rk_calloc(count + (size_t)1, sizeof *w->paths);
    status = w->outputs && w->paths ? RASK_OK : RASK_ENOMEM;
    for (uint32_t i = 0; i < count && !status; i++)
        status = open_column(w, i, path);
    return status;
}

rk_writer *rk_npy_writer_new(rask_table *table, const char *path, int *status, char *message, size_t capacity)
{
    npy_writer *w = rk_calloc(1, sizeof *w);
    *status = RASK_ENOMEM;
    if (!w)
        return NULL;
    w->base = (rk_writer){.cls = &npy_class, .table = table, .root = RK_ROOT_ROWS};
    *status = open_columns(w, path);
    if (!*status)
        return &w->base;
    snprintf(message, capacity, "%s", w->base.message);
    end(&w->base);
    return NULL;
}
