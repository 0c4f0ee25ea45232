/* rask_text_frequencies(): counters of their own for all parts, whose tables are merged in trees, one for each range of
 * hashes; then the most frequent of each range, and of all.
 *
 * What can only be read front to back is counted by as many tasks as there are workers, who share it. */
#include "collections/counts/counter.h"
#include "collections/search/estimate.h"
#include "collections/text/shared.h"
#include "core/base/alloc.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum {
    FAN_IN = 4, /* tables that one task merges */
    LEAST_ESTIMATED =
        32 << 20, /* bytes of text: less needs no thought where memory is as many times as much */
    LEAST_ESTIMATED_TIMES = 32,
    LEAST_BLOCK = 256 << 10,
    SMALL_TABLE = 256 << 20, /* bytes of one that one task may well merge */
    MOST_RANGES = 256,
};

/* -- Tables as values of tasks */

static int return_failure(rask_task *task, int status)
{
    return rk_task_fail(task, status, "%s", rask_status_text(status));
}

/* (table, range, ranges): what the table has of a range of hashes. */
static int run_cut(rask_task *task)
{
    const rk_counts *table = rask_arg_custom(task, 0, &rk_counts_class);
    rk_counts *cut;
    if (!table)
        return RASK_ETYPE;
    int status = rk_counts_cut(table, (uint32_t)rask_arg_i64(task, 1), (uint32_t)rask_arg_i64(task, 2), &cut);
    return status ? return_failure(task, status) : rask_return_custom(task, &rk_counts_class, cut);
}

static const rask_task_def cut_def = {
    .size = sizeof cut_def, .name = "cut", .call = run_cut, .flags = RASK_PURE};

/* -- Counting */

typedef struct counting {
    rask_task *task;
    rk_search_job *job;
    rk_counter counter;
    uint32_t file; /* that is being read */
} counting;

static int count_text(counting *c, const char *text, size_t len)
{
    return c->job->unit == RASK_TEXT_WORDS ? rk_counter_words(&c->counter, text, len)
                                           : rk_counter_lines(&c->counter, text, len);
}

static int fail_count(const counting *c, int status, uint32_t file)
{
    if (status != RASK_EBUDGET)
        return rk_search_fail(c->task, status, c->job, file);
    const char *path = c->job->text->files.files[file].path;
    return rk_task_fail(c->task, status,
                        "%s: its different %s need more than %llu bytes, a task's share of the memory budget",
                        rk_text_path_name(path), rk_text_unit_name(c->job->unit),
                        (unsigned long long)c->job->ceiling);
}

static int count_match(void *context, const char *text, size_t len)
{
    counting *c = context;
    int status = rk_counter_add(&c->counter, text, len, 1);
    return status ? fail_count(c, status, c->file) : RASK_OK;
}

static int take_piece(void *context, const rk_search_piece *piece)
{
    counting *c = context;
    c->file = piece->file;
    if (c->job->unit == RASK_TEXT_MATCHES)
        return rk_search_matches(c->task, c->job, piece, count_match, c);
    int status = count_text(c, piece->text, piece->len);
    return status ? fail_count(c, status, piece->file) : RASK_OK;
}

static int begin_counting(counting *c, rask_task *task)
{
    *c = (counting){.task = task, .job = rk_search_job_of(task)};
    if (!c->job)
        return RASK_ETYPE;
    int status = rk_counter_init(&c->counter, c->job->text->hash_seed, c->job->ceiling);
    if (status)
        return return_failure(task, status);
    /* Where a table grows it leaves blocks of all sizes behind. When there is no room for so many, it still grows. */
    rk_counter_reserve(&c->counter, rk_load_relaxed(&c->job->found));
    return RASK_OK;
}

static int end_counting(counting *c)
{
    rk_counts *table;
    rk_store_relaxed(&c->job->found, c->counter.used);
    int status = rk_counter_finish(&c->counter, &table);
    return status ? return_failure(c->task, status) : rask_return_custom(c->task, &rk_counts_class, table);
}

/* (job, part) */
static int run_count(rask_task *task)
{
    counting c;
    int status = begin_counting(&c, task);
    if (!status)
        status = rk_search_read(task, c.job, (uint32_t)rask_arg_i64(task, 1), take_piece, &c);
    if (!status)
        status = end_counting(&c);
    rk_counter_fini(&c.counter);
    return status;
}

static const rask_task_def count_defs[] = RK_PURE_DEFS_BY_PLACE(.name = "count", .call = run_count);

/* -- Counting what is shared: in one process */

/* The files that tasks of a run share: anew in every run, and ended with the last of its tasks, or with the graph. */
typedef struct sharing {
    rk_text_shared *shared;
    uint32_t tasks; /* that have not counted yet */
    struct sharing *next;
} sharing;

/* Of a job. */
typedef struct sharings {
    pthread_mutex_t lock;
    sharing *first;
} sharings;

static void end_sharings(void *more)
{
    sharings *all = more;
    while (all->first) {
        sharing *first = all->first;
        all->first = first->next;
        rk_text_shared_free(first->shared);
        rk_free(first);
    }
    pthread_mutex_destroy(&all->lock);
    rk_free(all);
}

/* One less; the last one ends it. */
static void leave(sharings *all, sharing *done)
{
    pthread_mutex_lock(&all->lock);
    bool last = --done->tasks == 0;
    sharing **at = &all->first;
    while (last && *at != done)
        at = &(*at)->next;
    if (last)
        *at = done->next;
    pthread_mutex_unlock(&all->lock);
    if (last) {
        rk_text_shared_free(done->shared);
        rk_free(done);
    }
}

/* (job, tasks): where those that share find the files. */
static int run_share(rask_task *task)
{
    const rk_search_job *job = rk_search_job_of(task);
    if (!job)
        return RASK_ETYPE;
    sharings *all = job->more;
    sharing *made = rk_alloc(sizeof *made);
    rk_text_options options = {.longest = job->longest, .words = job->unit == RASK_TEXT_WORDS};
    if (!made || rk_text_shared_new(&job->text->files, job->parts.shared, job->parts.shared_count, &options,
                                    &made->shared)) {
        rk_free(made);
        return return_failure(task, RASK_ENOMEM);
    }
    made->tasks = (uint32_t)rask_arg_i64(task, 1);
    pthread_mutex_lock(&all->lock);
    made->next = all->first;
    all->first = made;
    pthread_mutex_unlock(&all->lock);
    return rask_return_i64(task, (int64_t)(intptr_t)made);
}

static bool is_cancelled(void *task)
{
    return rask_task_cancelled(task);
}

static int count_shared(counting *c, rk_text_shared *shared, uint32_t number)
{
    rk_text_piece piece = {0};
    rk_text_error error = {0};
    int status = RASK_OK;
    do {
        status = rk_text_shared_take(shared, number, is_cancelled, c->task, &piece, &error);
        if (status)
            rk_task_fail(c->task, status, "%s", error.message);
        else if (piece.len && (status = count_text(c, piece.data, piece.len)))
            fail_count(c, status, c->job->parts.shared[0].file);
    } while (!status && piece.len);
    rk_free(piece.data);
    return status;
}

/* (job, number, shared): of those pieces that no other task takes. */
static int run_count_shared(rask_task *task)
{
    counting c;
    sharing *from = (sharing *)(intptr_t)rask_arg_i64(task, 2);
    int status = begin_counting(&c, task);
    if (!status)
        status = count_shared(&c, from->shared, (uint32_t)rask_arg_i64(task, 1));
    if (!status)
        status = end_counting(&c);
    if (!status)
        leave(c.job->more, from);
    rk_counter_fini(&c.counter);
    return status;
}

static const rask_task_def share_def = {.size = sizeof share_def,
                                        .name = "open",
                                        .call = run_share,
                                        .flags = RASK_HERE},
                           count_shared_def = {.size = sizeof count_shared_def,
                                               .name = "count",
                                               .call = run_count_shared,
                                               .flags = RASK_HERE};

/* -- Merging */

static int run_merge(rask_task *task)
{
    const rk_counts *tables[FAN_IN];
    rk_counts *merged;
    size_t count = rask_arg_count(task) < FAN_IN ? rask_arg_count(task) : FAN_IN;
    for (size_t i = 0; i < count; i++) {
        tables[i] = rask_arg_custom(task, i, &rk_counts_class);
        if (!tables[i])
            return RASK_ETYPE;
    }
    int status = rk_counts_merge(tables, count, &merged);
    return status ? return_failure(task, status) : rask_return_custom(task, &rk_counts_class, merged);
}

static const rask_task_def merge_def = {
    .size = sizeof merge_def, .name = "merge", .call = run_merge, .flags = RASK_PURE};

/* Values of entries: string, count, string, count. Those not made stay as they are. */
static int values_of(const rk_counts *table, const rk_counts_entry *entries, size_t count, rask_value *values)
{
    for (size_t i = 0; i < count; i++) {
        rask_bytes text = rk_counts_entry_text(&table->arena, &entries[i]);
        int status = rask_value_bytes_new(text.data, text.len, &values[2 * i]);
        if (status)
            return status;
        values[2 * i + 1] = rask_value_i64((int64_t)rk_counts_entry_count(&entries[i]));
    }
    return RASK_OK;
}

static int return_entries(rask_task *task, const rk_counts *table, const rk_counts_entry *entries,
                          size_t count)
{
    rask_value *values = rk_calloc(2 * count + 1, sizeof *values);
    int status = values ? values_of(table, entries, count, values) : RASK_ENOMEM;
    if (status)
        return_failure(task, status);
    return rk_return_values(task, status, values, 2 * count);
}

/* (table, k): the k most frequent strings. */
static int run_top(rask_task *task)
{
    const rk_counts *table = rask_arg_custom(task, 0, &rk_counts_class);
    rk_counts_entry *entries;
    size_t count;
    if (!table)
        return RASK_ETYPE;
    int status = rk_counts_top(table, (uint64_t)rask_arg_i64(task, 1), &entries, &count);
    if (status)
        return return_failure(task, status);
    status = return_entries(task, table, entries, count);
    rk_free(entries);
    return status;
}

static const rask_task_def top_def = {
    .size = sizeof top_def, .name = "top", .call = run_top, .flags = RASK_PURE};

/* Which of two pairs of values comes first. */
static bool is_before(const rask_value *a, const rask_value *b)
{
    rask_bytes text_a = {0}, text_b = {0};
    if (a[1].as.i64 != b[1].as.i64)
        return a[1].as.i64 > b[1].as.i64;
    rask_value_get_bytes(&a[0], &text_a);
    rask_value_get_bytes(&b[0], &text_b);
    return rk_counts_compare(text_a, text_b) < 0;
}

/* Two lists of at most k pairs, (k, list, list), as one of at most k. */
static int run_first(rask_task *task)
{
    size_t a_count, b_count, count = 0;
    uint64_t k = (uint64_t)rask_arg_i64(task, 0);
    const rask_value *a = rask_arg_list(task, 1, &a_count), *b = rask_arg_list(task, 2, &b_count);
    if (!a || !b)
        return RASK_ETYPE;
    const rask_value *a_end = a + a_count, *b_end = b + b_count;
    rask_value *values = rk_alloc_array(a_count + b_count + 1, sizeof *values);
    if (!values)
        return return_failure(task, RASK_ENOMEM);
    while ((a < a_end || b < b_end) && count / 2 < k) {
        const rask_value **from = b == b_end || (a < a_end && is_before(a, b)) ? &a : &b;
        values[count++] = (*from)[0];
        values[count++] = (*from)[1];
        *from += 2;
    }
    int status = rask_return_list(task, values, count);
    rk_free(values);
    return status;
}

static const rask_task_def first_def = {
    .size = sizeof first_def, .name = "first", .call = run_first, .flags = RASK_PURE};

/* -- Lowering */

/* The tables of tasks, range by range: what task i has of range r is at [r * tasks + i]. */
typedef struct lowering {
    rask_graph *graph;
    rk_search_job *job;
    uint64_t k, scratch, result; /* bytes of a counting task */
    rask_node **tables;
    rask_node **items; /* of one task */
    uint32_t tasks;
} lowering;

/* A task's tables take their places. A later one waits until these were cut from what the task had, which can go then: read
 * back from disk for each of them, it would cost more than it saves. */
static void place_tables(lowering *l, uint32_t task, rask_node *counted)
{
    uint32_t ranges = l->job->ranges, before = 2 * l->job->text->workers;
    if (ranges == 1) {
        l->tables[task] = counted;
        return;
    }
    if (task >= before) {
        for (uint32_t r = 0; r < ranges; r++)
            l->items[r] = l->tables[(size_t)r * l->tasks + task - before];
        rask_after_at(counted, l->items, ranges, NULL, 0);
    }
    rask_arg args[3] = {{.kind = RASK_ARG_NODE, .as.node = counted},
                        {.kind = RASK_ARG_I64},
                        {.kind = RASK_ARG_I64, .as.i64 = ranges}};
    for (uint32_t r = 0; r < ranges; r++) {
        args[1].as.i64 = r;
        rask_node *cut = rask_call_at(l->graph, &cut_def, args, 3, NULL, 0);
        l->tables[(size_t)r * l->tasks + task] = rask_set_result_bytes(cut, l->result / ranges);
    }
}

static int share(rk_search_job *job)
{
    sharings *all = rk_calloc(1, sizeof *all);
    if (!all) {
        rk_graph_fail(job->text->graph, RASK_ENOMEM, NULL, 0, "no memory for tasks");
        return RASK_ENOMEM;
    }
    pthread_mutex_init(&all->lock, NULL);
    job->more = all;
    job->end_more = end_sharings;
    return RASK_OK;
}

static void lower_shared(lowering *l, const rask_value *value)
{
    uint32_t tasks = l->tasks - l->job->parts.count;
    uint64_t scratch = l->scratch + rk_text_shared_bytes();
    rask_arg args[3] = {{.kind = RASK_ARG_VALUE, .as.value = value},
                        {.kind = RASK_ARG_I64, .as.i64 = tasks},
                        {.kind = RASK_ARG_NODE}};
    if (share(l->job))
        return;
    args[2].as.node = rask_call_at(l->graph, &share_def, args, 2, NULL, 0);
    for (uint32_t i = 0; i < tasks && !l->graph->status; i++) {
        args[1].as.i64 = i;
        rask_node *node = rask_call_at(l->graph, &count_shared_def, args, 3, NULL, 0);
        place_tables(l, l->job->parts.count + i, rask_set_scratch_bytes(node, scratch));
    }
}

static int lower_counts(lowering *l)
{
    rk_search_job *job = l->job;
    rask_value value;
    l->tasks = job->parts.count + (job->parts.shared_count ? job->text->workers : 0);
    l->tables = rk_search_nodes(l->graph, (size_t)l->tasks * job->ranges);
    l->items = rk_search_nodes(l->graph, job->ranges);
    if (!l->tables || !l->items || rk_search_job_value(job, &value))
        return l->graph->status;
    for (uint32_t i = 0; i < job->parts.count && !l->graph->status; i++)
        place_tables(l, i,
                     rk_search_lower_part(job, &value, i, NULL, &count_defs[rk_search_is_stream(job, i)],
                                          l->scratch, l->result));
    if (job->parts.shared_count)
        lower_shared(l, &value);
    rask_value_unref(&value);
    return l->graph->status;
}

static rask_node *lower_range(const lowering *l, uint32_t range)
{
    rask_node *list = rask_list_at(l->graph, l->tables + (size_t)range * l->tasks, l->tasks, NULL, 0);
    rask_node *merged = rask_reduce_at(list, &merge_def, FAN_IN, NULL, 0);
    rask_arg args[2] = {{.kind = RASK_ARG_NODE, .as.node = merged},
                        {.kind = RASK_ARG_I64, .as.i64 = (int64_t)l->k}};
    return rask_call_at(l->graph, &top_def, args, 2, NULL, 0);
}

/* The first of all ranges. */
static rask_node *lower_first(const lowering *l)
{
    rask_node *all = lower_range(l, 0);
    for (uint32_t r = 1; r < l->job->ranges && all; r++) {
        rask_arg args[3] = {{.kind = RASK_ARG_I64, .as.i64 = (int64_t)l->k},
                            {.kind = RASK_ARG_NODE, .as.node = all},
                            {.kind = RASK_ARG_NODE, .as.node = lower_range(l, r)}};
        all = rask_call_at(l->graph, &first_def, args, 3, NULL, 0);
    }
    return all;
}

/* Blocks so small that the counters of all workers fit in half of the budget, and so many ranges that merging one of them
 * does, too. */
static void choose_sizes(lowering *l, const rask_text *text, rask_text_unit unit, rk_text_cutting *cutting,
                         uint32_t *ranges)
{
    uint64_t weight = 0;
    for (size_t i = 0; i < text->files.count; i++)
        weight += rk_text_file_weight(&text->files.files[i]);
    if (weight < LEAST_ESTIMATED && weight * LEAST_ESTIMATED_TIMES < text->memory)
        return;
    rk_estimate estimate = rk_estimate_strings(text, unit);
    double room = (double)text->memory / (2.0 * text->workers);
    double all = rk_estimate_table(&estimate, (double)weight);
    while (cutting->block_bytes > LEAST_BLOCK &&
           rk_estimate_counter(&estimate, (double)cutting->block_bytes) > room)
        cutting->block_bytes /= 2;
    l->scratch = (uint64_t)fmin(room, rk_estimate_counter(&estimate, (double)cutting->block_bytes));
    l->result = (uint64_t)fmin(room, rk_estimate_table(&estimate, (double)cutting->block_bytes));
    if (all < SMALL_TABLE && 4 * all < room)
        return;
    double enough = fmax(4 * all / room, fmax(all / SMALL_TABLE, 2.0 * text->workers));
    *ranges = enough < MOST_RANGES ? (uint32_t)enough : MOST_RANGES;
}

/* What tasks share they read in one process: where others have no part in its memory, only when there are too few files to
 * keep workers busy. */
static bool may_share(const rask_text *text)
{
    return !text->matcher && (!text->apart || text->files.count < text->workers);
}

/* A task's share of the budget. */
static void take_limits(rk_search_job *job)
{
    uint64_t tasks = (uint64_t)job->parts.count + (job->parts.shared_count ? job->text->workers : 0);
    job->ceiling = job->text->memory / (tasks < job->text->workers ? tasks : job->text->workers);
    job->longest = job->ceiling < RK_MAX_TEXT_LINE ? job->ceiling : RK_MAX_TEXT_LINE;
}

rask_node *rask_text_frequencies_at(rask_text *text, rask_text_unit unit, uint64_t k, const char *file,
                                    int line)
{
    if (!text || text->graph->status)
        return NULL;
    if (unit == RASK_TEXT_BYTES)
        return rk_graph_fail(text->graph, RASK_EINVAL, file, line,
                             "rask_text_frequencies: of lines, words or matches, not of bytes");
    if (!rk_search_check_unit(text, unit, "rask_text_frequencies", file, line))
        return NULL;
    rk_text_cutting cutting = {.block_bytes = rk_search_block(text), .share = may_share(text)};
    lowering l = {.graph = text->graph, .k = k};
    uint32_t ranges = 1;
    if (!text->matcher)
        choose_sizes(&l, text, unit, &cutting, &ranges);
    l.job = rk_search_job_new(text, "rask_text_frequencies", &cutting, file, line);
    if (!l.job)
        return NULL;
    l.job->unit = unit;
    l.job->ranges = ranges;
    take_limits(l.job);
    l.scratch += rk_search_reading_bytes(l.job);
    return lower_counts(&l) ? NULL : lower_first(&l);
}
