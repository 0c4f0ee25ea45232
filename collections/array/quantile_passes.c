/* Quantiles of any number of elements in little memory, by reading them several times.
 *
 * Elements are taken as keys that compare as they do (keys.h), and the keys of all wanted ranks (places in sorted order)
 * are found digit by digit from the top, at once: a pass counts, for each beginning of a key that is still wanted, what
 * the next digit of the keys with that beginning is; the counts, added up over all parts, tell which digit each rank's
 * key has. What is known after a pass is its state, a block of uint64_t:
 *   elements that count, ranks R, beginnings D; D beginnings, ascending; for each rank which beginning is its own; for
 *   each rank its rank among the elements with that beginning.
 * R is 0 when the results are NaN anyway. NaN are the largest keys, so they are in no wanted rank. Counts do not depend on
 * parts, so the results do not, either. */
#include "collections/array/histogram.h"
#include "collections/array/keys.h"
#include "collections/array/quantile.h"
#include "core/base/alloc.h"
#include "core/task/task.h"

#include <stdlib.h>
#include <string.h>

enum {
    DIGIT = 16,         /* bits of the first digit, and at most */
    COUNTERS = 17,      /* 2 to this power are kept for all beginnings together; */
    LEAST_DIGIT = 4,    /* more when this many bits are too many for it */
    FEW_BEGINNINGS = 4, /* are compared one by one; more are found by their first DIGIT bits */
};

/* -- Passes: counting */

typedef struct pass {
    int64_t shift, bits; /* of the digit: bits from bit shift on */
} pass;

/* A state as its task sees it. */
typedef struct state {
    uint64_t n, ranks, beginnings;
    const uint64_t *beginning, *which, *rank;
} state;

static state state_of(const rask_block *block)
{
    const uint64_t *words = block->data;
    return (state){
        words[0], words[1], words[2], words + 3, words + 3 + words[2], words + 3 + words[2] + words[1]};
}

static uint64_t state_words(uint64_t ranks, uint64_t beginnings)
{
    return 3 + beginnings + 2 * ranks;
}

typedef struct counting {
    rask_dtype dtype;
    pass p;
    state s; /* no beginnings: the first pass */
    uint32_t
        *starts;     /* by the first DIGIT bits of a beginning: the first one with these or more; NULL: few */
    uint32_t fold;   /* bits of a beginning behind them */
    int64_t *counts; /* 2^bits for each beginning */
} counting;

/* The number of a beginning, or -1. */
static inline int64_t find_beginning(const counting *c, uint64_t beginning)
{
    uint64_t low = 0, high = c->s.beginnings;
    if (c->starts) {
        low = c->starts[beginning >> c->fold];
        high = c->starts[(beginning >> c->fold) + 1];
    }
    if (high - low <= FEW_BEGINNINGS) {
        for (; low < high; low++)
            if (c->s.beginning[low] == beginning)
                return (int64_t)low;
        return -1;
    }
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (c->s.beginning[middle] < beginning)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->s.beginnings && c->s.beginning[low] == beginning ? (int64_t)low : -1;
}

static void count_first(void *context, size_t n, const void *elements)
{
    counting *c = context;
    union {
        uint32_t narrow[RK_STRIP];
        uint64_t wide[RK_STRIP];
    } keys;
    rk_keys_make(c->dtype, n, elements, false, &keys);
    if (rk_key_width(c->dtype) == 4)
        for (size_t i = 0; i < n; i++)
            c->counts[keys.narrow[i] >> c->p.shift]++;
    else
        for (size_t i = 0; i < n; i++)
            c->counts[keys.wide[i] >> c->p.shift]++;
}

static inline void count_key(counting *c, uint64_t key)
{
    int64_t at = find_beginning(c, key >> (c->p.shift + c->p.bits));
    if (at >= 0)
        c->counts[((uint64_t)at << c->p.bits) + ((key >> c->p.shift) & (((uint64_t)1 << c->p.bits) - 1))]++;
}

static void count_next(void *context, size_t n, const void *elements)
{
    counting *c = context;
    union {
        uint32_t narrow[RK_STRIP];
        uint64_t wide[RK_STRIP];
    } keys;
    rk_keys_make(c->dtype, n, elements, false, &keys);
    if (rk_key_width(c->dtype) == 4)
        for (size_t i = 0; i < n; i++)
            count_key(c, keys.narrow[i]);
    else
        for (size_t i = 0; i < n; i++)
            count_key(c, keys.wide[i]);
}

/* Where beginnings with the same first bits start. RASK_OK, or RASK_ENOMEM. */
static int index_beginnings(counting *c)
{
    uint32_t known = rk_key_bits(c->dtype) - (uint32_t)(c->p.shift + c->p.bits);
    if (c->s.beginnings <= FEW_BEGINNINGS)
        return RASK_OK;
    c->fold = known - DIGIT;
    c->starts = rk_calloc(((size_t)1 << DIGIT) + 1, sizeof *c->starts);
    if (!c->starts)
        return RASK_ENOMEM;
    for (uint64_t i = 0; i < c->s.beginnings; i++)
        c->starts[(c->s.beginning[i] >> c->fold) + 1]++;
    for (size_t v = 0; v < (size_t)1 << DIGIT; v++)
        c->starts[v + 1] += c->starts[v];
    return RASK_OK;
}

static int count_stream(rask_task *task, rk_stream *s, const rask_block *before)
{
    counting c = {.dtype = s->dtype, .p = *(const pass *)s->params};
    rask_block out;
    rask_value value;
    if (before)
        c.s = state_of(before);
    int64_t counters = (before ? (int64_t)c.s.beginnings : 1) << c.p.bits;
    if (rk_task_result(task, RASK_DT_I64, 1, &counters, &out, &value))
        return task->status;
    c.counts = memset(out.data, 0, (size_t)counters * sizeof *c.counts);
    int status =
        index_beginnings(&c) ? rk_task_fail(task, RASK_ENOMEM, "no memory to find keys with") : RASK_OK;
    if (!status && counters)
        status = rk_stream_run(task, s, before ? count_next : count_first, &c);
    rk_free(c.starts);
    if (!status)
        return rask_return_value(task, value);
    rask_value_unref(&value);
    return status;
}

static int call_count_first(rask_task *task)
{
    rk_stream s;
    int status = rk_stream_open(task, sizeof(pass), &s);
    if (!status)
        status = count_stream(task, &s, NULL);
    rk_stream_close(&s);
    return status;
}

static int call_count_next(rask_task *task)
{
    rk_stream s;
    rask_block before;
    int status = rk_stream_open(task, sizeof(pass), &s);
    if (!status)
        status = rask_arg_block(task, rk_stream_with(task), &before);
    if (!status)
        status = count_stream(task, &s, &before);
    rk_stream_close(&s);
    return status;
}

/* -- Passes: deciding */

/* A pass and what is wanted: parameters of a variable length. NULL: the task has failed. */
typedef struct decision {
    pass p;
    rk_ranks wanted;
} decision;

static const decision *decision_of(rask_task *task)
{
    rask_bytes bytes = rask_arg_bytes(task, 0);
    const decision *d = (const decision *)(const void *)bytes.data;
    if (bytes.len >= sizeof *d && bytes.len == sizeof(pass) + rk_ranks_bytes((size_t)d->wanted.count))
        return d;
    rk_task_fail(task, RASK_EINVAL, "its parameters are %zu bytes", bytes.len);
    return NULL;
}

/* Ranks and what is known of their keys, while a state is made. */
typedef struct draft {
    uint64_t n, ranks;
    uint64_t *key, *rank; /* of each rank: the beginning of its key */
} draft;

/* The digit that holds a rank, given the counts for its beginning; *rank becomes the one among its elements. */
static uint64_t find_digit(const int64_t *counts, uint64_t *rank)
{
    uint64_t digit = 0;
    while (*rank >= (uint64_t)counts[digit])
        *rank -= (uint64_t)counts[digit++];
    return digit;
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* The draft as a state; its keys are used up. */
static int return_state(rask_task *task, const draft *d)
{
    uint64_t *sorted = rk_alloc_array(d->ranks ? d->ranks : 1, sizeof *sorted), beginnings = 0;
    rask_block out;
    rask_value value;
    if (!sorted)
        return rk_task_fail(task, RASK_ENOMEM, "no memory for %llu ranks", (unsigned long long)d->ranks);
    memcpy(sorted, d->key, d->ranks * sizeof *sorted);
    qsort(sorted, d->ranks, sizeof *sorted, compare_u64);
    for (uint64_t i = 0; i < d->ranks; i++)
        if (!beginnings || sorted[beginnings - 1] != sorted[i])
            sorted[beginnings++] = sorted[i];
    int64_t words = (int64_t)state_words(d->ranks, beginnings);
    if (!rk_task_result(task, RASK_DT_U64, 1, &words, &out, &value)) {
        uint64_t *word = out.data;
        *word++ = d->n;
        *word++ = d->ranks;
        *word++ = beginnings;
        memcpy(word, sorted, beginnings * sizeof *word);
        word += beginnings;
        for (uint64_t i = 0; i < d->ranks; i++)
            *word++ =
                (uint64_t)((uint64_t *)bsearch(&d->key[i], sorted, beginnings, sizeof *sorted, compare_u64) -
                           sorted);
        memcpy(word, d->rank, d->ranks * sizeof *word);
        rask_return_value(task, value);
    }
    rk_free(sorted);
    return task->status;
}

static uint64_t sum(const int64_t *counts, int64_t count)
{
    uint64_t total = 0;
    for (int64_t i = 0; i < count; i++)
        total += (uint64_t)counts[i];
    return total;
}

/* Elements that are not NaN, by the first counts; and the NaN. */
static uint64_t count_valid(const decision *d, const int64_t *counts, uint64_t *nans)
{
    rask_dtype dtype = (rask_dtype)d->wanted.dtype;
    *nans = rk_dtype_is_float(dtype) ? (uint64_t)counts[rk_key_nan(dtype) >> d->p.shift] : 0;
    return sum(counts, (int64_t)1 << d->p.bits) - *nans;
}

/* (decision, counts): the first state. */
static int call_decide_first(rask_task *task)
{
    const decision *d = decision_of(task);
    rask_block counts;
    uint64_t nans;
    if (!d || rask_arg_block(task, 1, &counts))
        return task->status;
    draft made = {.n = count_valid(d, counts.data, &nans)};
    if (made.n && (!nans || d->wanted.skip_nan))
        made.ranks = 2 * (uint64_t)d->wanted.count;
    made.key = rk_alloc_array(2 * made.ranks + 1, sizeof *made.key);
    if (!made.key)
        return rk_task_fail(task, RASK_ENOMEM, "no memory for %llu ranks", (unsigned long long)made.ranks);
    made.rank = made.key + made.ranks;
    for (uint64_t i = 0; i < made.ranks; i += 2) {
        int64_t low, high;
        rk_ranks_of(&d->wanted, (int64_t)(i / 2), (int64_t)made.n, &low, &high);
        made.rank[i] = (uint64_t)low;
        made.rank[i + 1] = (uint64_t)high;
    }
    for (uint64_t i = 0; i < made.ranks; i++)
        made.key[i] = find_digit(counts.data, &made.rank[i]);
    return_state(task, &made);
    rk_free(made.key);
    return task->status;
}

/* (decision, counts, state): the next state. */
static int call_decide_next(rask_task *task)
{
    const decision *d = decision_of(task);
    rask_block counts, block;
    if (!d || rask_arg_block(task, 1, &counts) || rask_arg_block(task, 2, &block))
        return task->status;
    state before = state_of(&block);
    draft made = {.n = before.n, .ranks = before.ranks};
    made.key = rk_alloc_array(2 * made.ranks + 1, sizeof *made.key);
    if (!made.key)
        return rk_task_fail(task, RASK_ENOMEM, "no memory for %llu ranks", (unsigned long long)made.ranks);
    made.rank = made.key + made.ranks;
    for (uint64_t i = 0; i < made.ranks; i++) {
        const int64_t *of = (const int64_t *)counts.data + (before.which[i] << d->p.bits);
        made.rank[i] = before.rank[i];
        made.key[i] = before.beginning[before.which[i]] << d->p.bits;
        made.key[i] |= find_digit(of, &made.rank[i]);
    }
    return_state(task, &made);
    rk_free(made.key);
    return task->status;
}

static int return_results(rask_task *task, const rk_quantile_ending *e, const state *s)
{
    rask_dtype dtype = rk_ranks_dtype(e->wanted.median, (rask_dtype)e->wanted.dtype);
    rask_block out;
    rask_value value;
    if (rk_task_result(task, dtype, (uint32_t)e->head.ndim, e->head.shape, &out, &value))
        return task->status;
    for (int64_t i = 0; i < e->wanted.count; i++) {
        char *to = (char *)out.data + (size_t)i * rask_dtype_size(dtype);
        if (s->ranks)
            rk_ranks_result(&e->wanted, i, (int64_t)s->n, s->beginning[s->which[2 * i]],
                            s->beginning[s->which[2 * i + 1]], to);
        else
            rk_ranks_nan(&e->wanted, to);
    }
    return rask_return_value(task, value);
}

/* (ending, state): the results. */
static int call_quantiles(rask_task *task)
{
    const rk_quantile_ending *e = rk_quantile_ending_of(task, rask_arg_bytes(task, 0));
    rask_block block;
    if (!e || rask_arg_block(task, 1, &block))
        return task->status;
    state s = state_of(&block);
    return return_results(task, e, &s);
}

RK_QUANTILE_DEF(count_first, "count keys");
RK_QUANTILE_DEF(count_next, "count keys");
RK_QUANTILE_DEF(decide_first, "find ranks");
RK_QUANTILE_DEF(decide_next, "find ranks");
RK_QUANTILE_DEF(quantiles, "quantiles");

/* -- Lowering */

static uint32_t log2_up(uint64_t value)
{
    uint32_t bits = 0;
    while (((uint64_t)1 << bits) < value)
        bits++;
    return bits;
}

/* The state after one more pass over box. */
static rask_node *lower_pass(const rk_quantiles *q, const rk_parts *parts, pass p, rask_node *before)
{
    uint64_t ranks = 2 * q->count, counters = (before ? ranks : 1) << p.bits;
    rk_gathering how = {.part = before ? &count_next_def : &count_first_def,
                        .merge = &rk_add_counts_def,
                        .params = &p,
                        .size = sizeof p,
                        .with = before,
                        .part_bytes = counters * sizeof(int64_t),
                        .merge_bytes = counters * sizeof(int64_t)};
    if (before && ranks > FEW_BEGINNINGS)
        how.part_scratch = (((uint64_t)1 << DIGIT) + 1) * sizeof(uint32_t);
    rask_node *nodes[2] = {rk_gather_parts(q->l, q->in, parts, &how), before};
    void *params = rk_quantile_with(q, &p, sizeof p);
    if (!nodes[0] || !params)
        return NULL;
    return rk_lower_call(q->l, before ? &decide_next_def : &decide_first_def, params,
                         sizeof p + rk_ranks_bytes(q->count), nodes, before ? 2 : 1,
                         state_words(ranks, ranks) * sizeof(uint64_t), 3 * ranks * sizeof(uint64_t));
}

rask_node *rk_quantile_passes(const rk_quantiles *q, const rk_region *box, const int64_t *shape)
{
    rk_parts parts;
    rask_node *node = NULL;
    int64_t left = rk_key_bits(q->in->dtype), next = DIGIT;
    int64_t later = COUNTERS - (int64_t)log2_up(2 * q->count);
    rk_parts_cut(q->l, q->in, box, &parts);
    while (left > 0) {
        pass p = {.bits = next < left ? next : left};
        p.shift = left -= p.bits;
        node = lower_pass(q, &parts, p, node);
        if (!node)
            return NULL;
        next = later < LEAST_DIGIT ? LEAST_DIGIT : later > DIGIT ? DIGIT : later;
    }
    void *params = rk_quantile_ending_for(q, shape, 0);
    return params ? rk_lower_call(q->l, &quantiles_def, params, rk_quantile_ending_bytes(q->count), &node, 1,
                                  rk_quantile_bytes(q, shape), 0)
                  : NULL;
}
