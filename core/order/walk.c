#include "core/order/walk.h"

#include <assert.h>

#define NONE   UINT32_MAX
#define CHOSEN (UINT32_MAX - 1) /* wait: on the list of tasks that cost nothing */
#define RAN    UINT32_MAX       /* wait: has its place in the order */
#define FEW    4                /* dependencies that are compared with each other at every visit */
#define SORTED 8                /* dependencies whose label is exact */
#define CROWDS 8                /* live results are kept apart by their uses: 1-15, 16-255, ... */

/* States of a task, in `wait` and in the list that `link` belongs to:
 *
 *   waiting   > 0      none, or goals
 *   ready     0        none, or goals (then the topmost: those below wait for it)
 *   chosen    CHOSEN   free
 *   ran       RAN      crowd, if its result may be live
 *
 * Sums of bytes that only guide the walk are floats: the peak that is reported is counted exactly. */
typedef struct {
    const rk_order_graph *graph;
    rk_walk_style style;
    rk_walk_task *task;
    uint32_t *order;
    uint32_t done;
    uint64_t live, peak;
    uint32_t goal;          /* stack: what the walk is after, each needed by the one below */
    uint32_t free;          /* stack: ready tasks whose run does not raise live */
    uint32_t crowd[CROWDS]; /* stacks: results that may be live, by uses; oldest_first: crowd[0], a queue */
    uint32_t newest;        /* oldest_first: the last of the queue */
    uint32_t start;         /* every sink (source) before this one has run */
} walk;

/* Bytes needed to make the results of two dependencies, one after the other, in the better order. */
static inline float pair_label(float a, float a_size, float b, float b_size)
{
    float a_first = a > a_size + b ? a : a_size + b;
    float b_first = b > b_size + a ? b : b_size + a;
    return a_first < b_first ? a_first : b_first;
}

/* As pair_label() for up to SORTED dependencies: what needs most above what it leaves behind goes first. */
static float few_label(const walk *w, const uint32_t *pred, uint32_t count)
{
    float label[SORTED], size[SORTED];
    for (uint32_t i = 0; i < count; i++) {
        float l = w->task[pred[i]].label, s = (float)rk_order_size(w->graph, pred[i]);
        uint32_t at = i;
        for (; at > 0 && label[at - 1] - size[at - 1] < l - s; at--) {
            label[at] = label[at - 1];
            size[at] = size[at - 1];
        }
        label[at] = l;
        size[at] = s;
    }
    float held = 0, most = 0;
    for (uint32_t i = 0; i < count; i++) {
        most = held + label[i] > most ? held + label[i] : most;
        held += size[i];
    }
    return most;
}

/* The same for results of one byte each. Sorted without a branch: random labels would mislead every one. */
static float few_equal_label(const walk *w, const uint32_t *pred, uint32_t count)
{
    float label[SORTED], most = 0;
    for (uint32_t i = 0; i < count; i++) {
        float l = w->task[pred[i]].label;
        for (uint32_t k = 0; k < i; k++) {
            float high = label[k] > l ? label[k] : l;
            l = label[k] > l ? l : label[k];
            label[k] = high;
        }
        label[i] = l;
    }
    for (uint32_t i = 0; i < count; i++)
        most = (float)i + label[i] > most ? (float)i + label[i] : most;
    return most;
}

/* As few_label() for any number, within the largest single label: everything held, or one label above the
 * held. */
static float many_label(const walk *w, const uint32_t *pred, uint32_t count)
{
    float held = 0, above = 0;
    for (uint32_t i = 0; i < count; i++) {
        const rk_walk_task *p = &w->task[pred[i]];
        float size = (float)rk_order_size(w->graph, pred[i]);
        held += size;
        above = p->label - size > above ? p->label - size : above;
    }
    return held > above ? held : above;
}

static float label_of(const walk *w, uint32_t t)
{
    const rk_order_graph *g = w->graph;
    const uint32_t *pred = g->pred + g->pred_start[t];
    uint32_t count = g->pred_start[t + 1] - g->pred_start[t];
    float own = (float)rk_order_made(g, t), inputs = 0;
    if (count == 1)
        inputs = w->task[pred[0]].label;
    else if (count == 2)
        inputs = pair_label(w->task[pred[0]].label, (float)rk_order_size(g, pred[0]), w->task[pred[1]].label,
                            (float)rk_order_size(g, pred[1]));
    else if (count <= SORTED)
        inputs = g->size ? few_label(w, pred, count) : few_equal_label(w, pred, count);
    else
        inputs = many_label(w, pred, count);
    return inputs > own ? inputs : own;
}

static void prepare(walk *w)
{
    const rk_order_graph *g = w->graph;
    for (uint32_t t = 0; t < g->n; t++) {
        rk_walk_task *task = &w->task[t];
        task->uses = g->succ_start[t + 1] - g->succ_start[t];
        task->wait = g->pred_start[t + 1] - g->pred_start[t];
        task->gain = 0;
        task->cursor = g->pred_start[t];
        task->label = label_of(w, t);
    }
}

static inline uint32_t pop(walk *w, uint32_t *list)
{
    uint32_t t = *list;
    *list = w->task[t].link;
    return t;
}

static inline void push(walk *w, uint32_t *list, uint32_t t)
{
    w->task[t].link = *list;
    *list = t;
}

/* A ready task that frees at least what it makes can run at once: no order is worse for it. */
static inline void offer(walk *w, uint32_t t)
{
    rk_walk_task *task = &w->task[t];
    if (task->wait != 0 || task->gain < (float)rk_order_made(w->graph, t))
        return;
    if (w->goal == t)
        pop(w, &w->goal);
    task->wait = CHOSEN;
    push(w, &w->free, t);
}

/* The first task that still needs t. The cursor never goes back, so all calls together are linear. */
static inline uint32_t next_user(walk *w, uint32_t t)
{
    rk_walk_task *task = &w->task[t];
    uint32_t end = w->graph->succ_start[t + 1];
    while (task->cursor < end && w->task[w->graph->succ[task->cursor]].wait == RAN)
        task->cursor++;
    return task->cursor < end ? w->graph->succ[task->cursor] : NONE;
}

/* The one task that still needs t will free it. (There is none while a task that needs t twice runs.) */
static inline void promise(walk *w, uint32_t t)
{
    uint32_t last = next_user(w, t);
    if (last == NONE)
        return;
    w->task[last].gain += (float)rk_order_size(w->graph, t);
    offer(w, last);
}

static inline uint32_t crowd_of(uint32_t uses)
{
    return (31u - (uint32_t)__builtin_clz(uses)) / 4;
}

/* Puts a result that has just been made where next_goal() looks for live ones. */
static inline void remember(walk *w, uint32_t t)
{
    if (!w->style.oldest_first) {
        push(w, &w->crowd[crowd_of(w->task[t].uses)], t);
        return;
    }
    w->task[t].link = NONE;
    *(w->crowd[0] == NONE ? &w->crowd[0] : &w->task[w->newest].link) = t;
    w->newest = t;
}

static void use_inputs(walk *w, uint32_t t)
{
    const rk_order_graph *g = w->graph;
    for (uint32_t e = g->pred_start[t], end = g->pred_start[t + 1]; e < end; e++) {
        uint32_t p = g->pred[e], uses = --w->task[p].uses;
        if (uses == 0)
            w->live -= rk_order_size(g, p);
        else if (uses == 1)
            promise(w, p);
    }
}

static void run(walk *w, uint32_t t)
{
    const rk_order_graph *g = w->graph;
    rk_walk_task *task = &w->task[t];
    uint32_t begin = g->succ_start[t], end = g->succ_start[t + 1];
    assert(task->wait == 0 || task->wait == CHOSEN);
    task->wait = RAN;
    w->order[w->done++] = t;
    use_inputs(w, t);
    if (begin == end)
        return;
    w->live += rk_order_size(g, t);
    w->peak = w->live > w->peak ? w->live : w->peak;
    task->cursor = begin;
    remember(w, t);
    if (end - begin == 1)
        w->task[g->succ[begin]].gain += (float)rk_order_size(g, t);
    for (uint32_t e = begin; e < end; e++)
        if (--w->task[g->succ[e]].wait == 0)
            offer(w, g->succ[e]);
}

static inline float key_of(const walk *w, uint32_t t)
{
    return w->task[t].label - (float)rk_order_size(w->graph, t);
}

/* The dependency to make first: the one that needs most bytes above those it leaves. */
static uint32_t dearest_of_few(const walk *w, const uint32_t *pred, uint32_t count)
{
    uint32_t best = NONE;
    float best_key = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t p = pred[w->style.last_first ? count - 1 - i : i];
        if (w->task[p].wait == RAN)
            continue;
        float key = key_of(w, p);
        if (best == NONE || key > best_key) {
            best = p;
            best_key = key;
        }
    }
    return best;
}

/* As above where comparing all with all would be quadratic: in one round those that need a good part of what
 * the goal needs, in a second round the rest. The label of the goal, no longer needed, turns negative in the
 * second. */
static uint32_t dearest_of_many(walk *w, uint32_t t)
{
    const rk_order_graph *g = w->graph;
    rk_walk_task *task = &w->task[t];
    for (;;) {
        float least = task->label / 4;
        for (uint32_t end = g->pred_start[t + 1]; task->cursor < end; task->cursor++) {
            uint32_t p = g->pred[task->cursor];
            if (w->task[p].wait != RAN && (least < 0 || key_of(w, p) >= least))
                return p;
        }
        assert(least >= 0);
        task->label = -1;
        task->cursor = g->pred_start[t];
    }
}

static uint32_t dearest(walk *w, uint32_t t)
{
    const rk_order_graph *g = w->graph;
    uint32_t count = g->pred_start[t + 1] - g->pred_start[t];
    return count <= FEW ? dearest_of_few(w, g->pred + g->pred_start[t], count) : dearest_of_many(w, t);
}

/* Of the next few tasks that need t: the one that waits for least. */
static uint32_t nearest_user(walk *w, uint32_t t)
{
    const rk_order_graph *g = w->graph;
    uint32_t best = next_user(w, t), seen = 1;
    for (uint32_t e = w->task[t].cursor + 1; e < g->succ_start[t + 1] && seen < w->style.lookahead;
         e++, seen++) {
        uint32_t s = g->succ[e];
        if (w->task[s].wait < w->task[best].wait)
            best = s;
    }
    return best;
}

static uint32_t next_start(walk *w)
{
    const rk_order_graph *g = w->graph;
    const uint32_t *edges = w->style.from_sources ? g->pred_start : g->succ_start;
    for (;; w->start++) {
        uint32_t t = w->style.last_first ? g->n - 1 - w->start : w->start;
        if (w->task[t].wait != RAN && edges[t] == edges[t + 1])
            return t;
    }
}

/* Where to go on when nothing is under way: to a task that needs a result which few others need, the latest
 * of these; with no result live, to a new start. */
static uint32_t next_goal(walk *w)
{
    for (uint32_t c = 0; c < CROWDS; c++) {
        while (w->crowd[c] != NONE) {
            uint32_t t = w->crowd[c], uses = w->task[t].uses;
            if (uses && (w->style.oldest_first || crowd_of(uses) == c))
                return nearest_user(w, t);
            pop(w, &w->crowd[c]);
            if (uses) {
                c = crowd_of(uses);
                push(w, &w->crowd[c], t);
            }
        }
    }
    return next_start(w);
}

static void step(walk *w)
{
    if (w->free != NONE) {
        run(w, pop(w, &w->free));
    } else if (w->goal == NONE) {
        push(w, &w->goal, next_goal(w));
    } else if (w->task[w->goal].wait == 0) {
        run(w, pop(w, &w->goal));
    } else {
        push(w, &w->goal, dearest(w, w->goal));
    }
}

bool rk_walk(const rk_order_graph *graph, rk_walk_style style, uint64_t limit, rk_walk_task *task,
             uint32_t *order, uint64_t *peak)
{
    walk w = {.graph = graph, .style = style, .task = task, .order = order, .goal = NONE, .free = NONE};
    for (int c = 0; c < CROWDS; c++)
        w.crowd[c] = NONE;
    prepare(&w);
    while (w.done < graph->n && w.peak < limit)
        step(&w);
    if (w.peak >= limit)
        return false;
    *peak = w.peak;
    return true;
}
