#include "core/order/search.h"

#include "core/base/alloc.h"
#include "core/order/walk.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

/* Depth-first search over the sets of tasks that have run, for an order whose peak stays below a limit.
 *
 * A set is enough to know what is live and what can come next, whatever the order within it; so a set from
 * which no way was found is remembered by its hash and not tried twice. Two facts keep the search short:
 *
 * 1. A ready task that does not raise live can run at once. Take any order from here and move the task to its
 * front: later sets hold it as well, and it frees there at least what it frees here, so none of them gets
 * dearer.
 * 2. Live bytes are a submodular function of the set. When the search climbs from a set X and comes down to a
 * set Y with no more live than X, and no set between them has less than Y, then any order from X can be
 * changed into one through Y with no higher peak: there is no need to come back to X. (Liu's hills and
 * valleys, 1987, for trees.) That no set between has less is not checked: the moods that commit may miss an
 * order, the complete one does not.
 *
 * Every place costs at most (ready tasks x their edges), and the sum of all is limited by the effort. */

#define CHOICES 8    /* the most tasks tried at one place */
#define SEEN    1024 /* sets remembered as dead ends; a power of two */

static_assert(RK_SEARCH_TASKS <= 1 << 9, "a rank takes 9 bits of a choice's key");

/* What is tried first, and whether the search comes back from a valley. */
typedef enum { COMMIT_BY_RANK, COMMIT_BY_COST, COMPLETE, MOODS } mood;

/* A set of tasks with the ways on that are still to be tried. */
typedef struct {
    uint32_t done; /* tasks in the set: the first of the trail */
    uint32_t next, count;
    uint32_t choice[CHOICES];
    uint64_t live;
} place;

typedef struct {
    const rk_order_graph *graph;
    uint32_t *uses, *wait; /* as in rk_walk_task */
    uint32_t *ready, readies;
    uint32_t *slot;  /* of a ready task: where in ready */
    uint32_t *rank;  /* of each task in the best order known */
    uint32_t *trail; /* the tasks run, in order */
    uint32_t done;
    uint64_t live, limit;
    uint64_t set; /* a hash of the tasks run, whatever their order */
    place *path;  /* from the start, or the last valley, to here */
    uint32_t depth;
    uint64_t effort; /* edges that may still be looked at */
    bool skipped;    /* something that could have led to an order was not tried */
    uint64_t seen[SEEN];
} search;

static uint64_t hash(uint32_t t)
{
    uint64_t h = (t + 1) * 0x9e3779b97f4a7c15u;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    return h ^ (h >> 31);
}

static void add_ready(search *s, uint32_t t)
{
    s->slot[t] = s->readies;
    s->ready[s->readies++] = t;
}

static void drop_ready(search *s, uint32_t t)
{
    uint32_t last = s->ready[--s->readies];
    s->ready[s->slot[t]] = last;
    s->slot[last] = s->slot[t];
}

static void spend(search *s, uint32_t edges)
{
    s->effort = s->effort > edges ? s->effort - edges : 0;
}

static void run(search *s, uint32_t t)
{
    const rk_order_graph *g = s->graph;
    spend(s, g->succ_start[t + 1] - g->succ_start[t]);
    drop_ready(s, t);
    for (uint32_t e = g->pred_start[t]; e < g->pred_start[t + 1]; e++)
        if (--s->uses[g->pred[e]] == 0)
            s->live -= rk_order_size(g, g->pred[e]);
    for (uint32_t e = g->succ_start[t]; e < g->succ_start[t + 1]; e++)
        if (--s->wait[g->succ[e]] == 0)
            add_ready(s, g->succ[e]);
    s->live += rk_order_made(g, t);
    s->trail[s->done++] = t;
    s->set ^= hash(t);
}

static void unrun(search *s)
{
    const rk_order_graph *g = s->graph;
    uint32_t t = s->trail[--s->done];
    s->set ^= hash(t);
    s->live -= rk_order_made(g, t);
    for (uint32_t e = g->succ_start[t]; e < g->succ_start[t + 1]; e++)
        if (s->wait[g->succ[e]]++ == 0)
            drop_ready(s, g->succ[e]);
    for (uint32_t e = g->pred_start[t]; e < g->pred_start[t + 1]; e++)
        if (s->uses[g->pred[e]]++ == 0)
            s->live += rk_order_size(g, g->pred[e]);
    add_ready(s, t);
}

/* Live bytes after t has run. */
static uint64_t live_after(search *s, uint32_t t)
{
    const rk_order_graph *g = s->graph;
    uint64_t live = s->live + rk_order_made(g, t);
    uint32_t begin = g->pred_start[t], end = g->pred_start[t + 1];
    for (uint32_t e = begin; e < end; e++)
        if (--s->uses[g->pred[e]] == 0)
            live -= rk_order_size(g, g->pred[e]);
    for (uint32_t e = begin; e < end; e++)
        s->uses[g->pred[e]]++;
    spend(s, end - begin + 1);
    return live;
}

static void run_what_costs_nothing(search *s)
{
    for (uint32_t i = 0; i < s->readies;) {
        if (live_after(s, s->ready[i]) <= s->live) {
            run(s, s->ready[i]);
            i = 0;
        } else {
            i++;
        }
    }
}

/* The best few ready tasks that stay below the limit: those first that the order known runs first, or in the
 * other mood those that make least. */
static void list_choices(search *s, place *p, mood m)
{
    uint64_t key[CHOICES];
    p->next = p->count = 0;
    for (uint32_t i = 0; i < s->readies; i++) {
        uint32_t t = s->ready[i], at = p->count;
        uint64_t after = live_after(s, t);
        if (after >= s->limit)
            continue;
        uint64_t k = (m == COMMIT_BY_COST ? (after << 9) : 0) + s->rank[t];
        if (at == CHOICES) {
            s->skipped = true;
            if (key[--at] < k)
                continue;
        } else {
            p->count++;
        }
        for (; at > 0 && key[at - 1] > k; at--) {
            key[at] = key[at - 1];
            p->choice[at] = p->choice[at - 1];
        }
        key[at] = k;
        p->choice[at] = t;
    }
}

static bool dead_end(const search *s)
{
    return s->seen[s->set & (SEEN - 1)] == s->set;
}

/* Opens the place that the tasks run so far have led to, unless it is the end or known to lead nowhere. */
static void arrive(search *s, mood m)
{
    run_what_costs_nothing(s);
    if (s->done == s->graph->n || dead_end(s))
        return;
    while (m != COMPLETE && s->depth && s->live <= s->path[s->depth - 1].live) {
        s->depth--;
        s->skipped = true;
    }
    place *p = &s->path[s->depth++];
    p->done = s->done;
    p->live = s->live;
    list_choices(s, p, m);
}

static void go_back(search *s, uint32_t done)
{
    while (s->done > done)
        unrun(s);
}

static bool find(search *s, mood m)
{
    go_back(s, 0);
    s->depth = 0;
    s->skipped = false;
    memset(s->seen, 0, sizeof s->seen);
    arrive(s, m);
    while (s->done < s->graph->n && s->depth && s->effort) {
        place *p = &s->path[s->depth - 1];
        go_back(s, p->done);
        if (p->next < p->count) {
            run(s, p->choice[p->next++]);
            arrive(s, m);
        } else {
            s->seen[s->set & (SEEN - 1)] = s->set;
            s->depth--;
        }
    }
    return s->done == s->graph->n;
}

/* The trail is an order below the limit: keeps it, and returns its peak. */
static uint64_t keep(search *s, uint32_t *order)
{
    uint64_t peak = 0;
    for (uint32_t k = s->graph->n; k-- > 0;) {
        order[k] = s->trail[k];
        s->rank[order[k]] = k;
        peak = s->live > peak ? s->live : peak;
        unrun(s);
    }
    return peak;
}

/* Goes on in one mood as long as it finds something, then in the next. */
static void improve(search *s, uint64_t bound, uint32_t *order, uint64_t peak)
{
    const rk_order_graph *g = s->graph;
    uint64_t effort = RK_SEARCH_EFFORT + (uint64_t)RK_SEARCH_SHARE * (g->n + g->pred_start[g->n]);
    for (mood m = 0; m < MOODS && peak > bound;) {
        s->effort = effort / MOODS;
        s->limit = peak;
        if (find(s, m))
            peak = keep(s, order);
        else if (s->effort && !s->skipped)
            return; /* everything was tried: the order is the best there is */
        else
            m++;
    }
}

static void init(search *s, const rk_order_graph *graph, const uint32_t *order)
{
    s->graph = graph;
    s->set = 1; /* 0 marks an empty place in seen */
    for (uint32_t t = 0; t < graph->n; t++) {
        s->rank[order[t]] = t;
        s->uses[t] = graph->succ_start[t + 1] - graph->succ_start[t];
        s->wait[t] = graph->pred_start[t + 1] - graph->pred_start[t];
        if (!s->wait[t])
            add_ready(s, t);
    }
}

void rk_search(const rk_order_graph *graph, uint64_t bound, uint32_t *order, uint64_t peak)
{
    uint32_t n = graph->n;
    assert(n <= RK_SEARCH_TASKS);
    search *s = rk_calloc(1, sizeof *s);
    uint32_t *numbers = rk_alloc_array(6 * (size_t)n, sizeof *numbers);
    place *path = rk_alloc_array((size_t)n + 1, sizeof *path);
    if (s && numbers && path) {
        s->path = path;
        s->uses = numbers;
        s->wait = numbers + n;
        s->ready = numbers + 2 * (size_t)n;
        s->slot = numbers + 3 * (size_t)n;
        s->rank = numbers + 4 * (size_t)n;
        s->trail = numbers + 5 * (size_t)n;
        init(s, graph, order);
        improve(s, bound, order, peak);
    }
    rk_free(path);
    rk_free(numbers);
    rk_free(s);
}
