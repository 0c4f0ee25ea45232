/* Nodes become futures.
 *
 * What a node needs is found from its end. In the graph of a task, all of which was built for this, that is one look at each node,
 * the last first. The graph of a program may be long: there it is a search that stops at nodes that are met. Then follows a
 * walk in ascending order, so that arguments come before those who take them. Each future is held and wanted until the walk is
 * over, so that none ends meanwhile. Nothing runs before all are there; so long as others know none of them, they are alone. */
#include "core/task/grow.h"
#include "schedulers/call.h"
#include "schedulers/futures/admission.h"
#include "schedulers/futures/await.h"
#include "schedulers/futures/executor.h"
#include "schedulers/futures/piece.h"
#include "schedulers/futures/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { FEW = 16, FEW_WORDS = 18 };

typedef struct place {
    uint32_t id; /* one more than the node's; 0: empty */
    bool fresh;  /* it is yet to be started */
    rask_future *future;
} place;

typedef struct sowing {
    rk_executor *executor;
    rask_graph *graph;
    const uint32_t *origin; /* NULL: it is submitted, not grown */
    int32_t priority;
    rk_queue *ready;
    bool shared; /* others know of some of it: they are not alone */
    bool met;    /* some of it was there before, and is not done */
    bool single; /* there is but one, which is the caller's */

    const rk_piece *piece; /* what is done of the graph has its results there; NULL: nothing is */
    rask_future *running;  /* what is being called of it */

    /* By node: found so far. */
    place *few, *places; /* few: on the stack; places: those, as long as they do */
    uint32_t mask, count;
    bool dense;              /* places are by number, not by hash */
    uint32_t *few_ids, *ids; /* nodes found, later ascending; as above */
    uint32_t ids_room;
} sowing;

/* -- What was found */

static place *find(const sowing *s, uint32_t id)
{
    if (s->dense)
        return &s->places[id];
    uint32_t at = id * 2654435761u & s->mask;
    while (s->places[at].id && s->places[at].id != id + 1)
        at = (at + 1) & s->mask;
    return &s->places[at];
}

static bool widen(sowing *s)
{
    place *before = s->places, *wider = rk_calloc(2 * ((size_t)s->mask + 1), sizeof *wider);
    uint32_t old = s->mask + 1;
    if (!wider)
        return false;
    s->places = wider;
    s->mask = 2 * old - 1;
    for (uint32_t i = 0; i < old; i++)
        if (before[i].id)
            *find(s, before[i].id - 1) = before[i];
    if (before != s->few)
        rk_free(before);
    return true;
}

static bool lengthen(sowing *s)
{
    uint32_t *before = s->ids, *longer = rk_alloc_array(2 * (size_t)s->ids_room, sizeof *longer);
    if (!longer)
        return false;
    for (uint32_t i = 0; i < s->count; i++)
        longer[i] = before[i];
    s->ids = longer;
    s->ids_room *= 2;
    if (before != s->few_ids)
        rk_free(before);
    return true;
}

/* False: no memory. */
static bool note_id(sowing *s, uint32_t id)
{
    if (s->count == s->ids_room && !lengthen(s))
        return false;
    s->ids[s->count++] = id;
    return true;
}

/* False: no memory. */
static bool add(sowing *s, uint32_t id, rask_future *met)
{
    if ((2 * s->count > s->mask && !widen(s)) || !note_id(s, id))
        return false;
    *find(s, id) = (place){.id = id + 1, .future = met};
    s->shared |= met != NULL;
    return true;
}

static bool is_done(const sowing *s, uint32_t word)
{
    return s->piece && word < s->piece->now;
}

/* A call, not a value. */
static bool is_edge(const sowing *s, uint32_t word)
{
    return !is_done(s, word) && !(word & RK_CONSTANT) &&
           !(rk_graph_node(s->graph, word)->flags & RK_NODE_CONST);
}

/* Of nodes in a row in a row; the same again only after as many graphs as have been forgotten by then. */
static uint64_t key_of_node(const rask_node *node)
{
    return node->graph->serial * 0x9e3779b97f4a7c15u + node->id;
}

static bool found(sowing *s, const rask_node *node)
{
    if (node->flags & RK_NODE_CONST || find(s, node->id)->id)
        return true;
    rask_future *met = s->origin ? NULL : rk_meet(&s->executor->meetings, key_of_node(node), NULL, NULL);
    if (add(s, node->id, met))
        return true;
    if (met) {
        rk_endings endings = {0};
        rk_future_unwant(met, &endings);
        rask_future_unref(met);
        rk_futures_end(&endings);
    }
    return false;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void sort(uint32_t *ids, size_t count)
{
    if (count > FEW) {
        qsort(ids, count, sizeof *ids, by_number);
        return;
    }
    for (size_t i = 1; i < count; i++)
        for (size_t k = i; k && ids[k - 1] > ids[k]; k--) {
            uint32_t id = ids[k];
            ids[k] = ids[k - 1];
            ids[k - 1] = id;
        }
}

/* Everything that node needs, ascending, of a program's graph. */
static bool search(sowing *s, const rask_node *node)
{
    s->mask = 2 * FEW - 1;
    memset(s->places, 0, 2 * FEW * sizeof *s->places);
    bool ok = node->flags & RK_NODE_CONST ? add(s, node->id, NULL) : found(s, node);
    for (uint32_t i = 0; i < s->count && ok; i++) {
        uint32_t id = s->ids[i];
        const rask_node *next = rk_graph_node(s->graph, id);
        if (find(s, id)->future || next->flags & RK_NODE_CONST)
            continue;
        const uint32_t *words = rk_node_args(next);
        for (uint32_t k = 0; k < next->nargs + next->order_only && ok; k++)
            ok = words[k] & RK_CONSTANT || found(s, rk_graph_node(s->graph, words[k]));
    }
    if (ok)
        sort(s->ids, s->count);
    return ok;
}

static void mark_arguments(sowing *s, const rask_node *node)
{
    const uint32_t *words = rk_node_args(node);
    for (uint32_t i = 0; i < node->nargs + node->order_only; i++)
        if (is_edge(s, words[i]))
            s->places[words[i]].id = words[i] + 1;
}

/* The same, of a task's graph. */
static bool search_all(sowing *s, const rask_node *node)
{
    s->dense = true;
    if (node->id >= 2 * FEW && !(s->places = rk_alloc_array((size_t)node->id + 1, sizeof *s->places)))
        return false;
    memset(s->places, 0, ((size_t)node->id + 1) * sizeof *s->places);
    s->places[node->id].id = node->id + 1;
    for (uint32_t id = node->id + 1; id--;)
        if (s->places[id].id && !(rk_graph_node(s->graph, id)->flags & RK_NODE_CONST))
            mark_arguments(s, rk_graph_node(s->graph, id));
    bool ok = true;
    for (uint32_t id = 0; id <= node->id && ok; id++)
        ok = !s->places[id].id || note_id(s, id);
    return ok;
}

/* -- Calls */

/* An argument: a value, or another's result. */
typedef struct argument {
    const rask_value *value;
    rask_future *from;
} argument;

static argument argument_of(const sowing *s, uint32_t word)
{
    if (word & RK_CONSTANT)
        return (argument){rk_graph_constant(s->graph, word), NULL};
    const rask_node *node = rk_graph_node(s->graph, word);
    if (node->flags & RK_NODE_CONST)
        return (argument){rk_graph_constant(s->graph, rk_node_args(node)[0]), NULL};
    if (is_done(s, word))
        return (argument){&s->piece->results[word], NULL};
    return (argument){NULL, find(s, word)->future};
}

/* A call as it is looked for. */
typedef struct call {
    const sowing *s;
    const rask_node *node;
    const rask_task_def *def;
} call;

static bool same_call(const rask_future *future, const void *what)
{
    const call *c = what;
    if (future->def->call != c->def->call || future->def->identity != c->def->identity ||
        future->nargs != c->node->nargs)
        return false;
    const rk_edge *edge = rk_future_edges(future), *end = edge + future->edge_count;
    for (uint32_t i = 0; i < future->nargs; i++) {
        argument a = argument_of(c->s, rk_node_args(c->node)[i]);
        bool is_one = edge < end && edge->argument == i;
        if (is_one != (a.from != NULL) ||
            (is_one ? edge->number != a.from->number : !rask_value_equal(&future->args[i], a.value)))
            return false;
        edge += is_one;
    }
    return true;
}

/* False: no memory. */
static bool key_of_call(const call *c, uint64_t *key)
{
    uint64_t few[FEW_WORDS];
    size_t count = (size_t)c->node->nargs + 2;
    uint64_t *words = count <= FEW_WORDS ? few : rk_alloc_array(count, sizeof *words);
    if (!words)
        return false;
    words[0] = (uint64_t)(uintptr_t)(c->def->identity ? c->def->identity : (void (*)(void))c->def->call);
    words[1] = c->node->nargs;
    for (uint32_t i = 0; i < c->node->nargs; i++) {
        argument a = argument_of(c->s, rk_node_args(c->node)[i]);
        words[i + 2] = a.from ? ~a.from->number : rk_value_hash(a.value);
    }
    *key = XXH3_64bits(words, count * sizeof *words);
    if (words != few)
        rk_free(words);
    return true;
}

static uint32_t count_edges(const sowing *s, const rask_node *node)
{
    const uint32_t *words = rk_node_args(node);
    uint32_t edges = 0;
    for (uint32_t i = 0; i < node->nargs + node->order_only; i++)
        edges += is_edge(s, words[i]);
    return edges;
}

/* Arrays of graphs with an arena of their own may end with the graph. */
static void note_site(rask_future *future, const rask_node *node)
{
    rk_site site = rk_node_site(node);
    future->node = node->id;
    future->line = site.line;
    future->file = node->graph->arena.total ? NULL : site.file;
}

/* What few definitions say. */
static void set_terms_of(rask_future *future, const rask_task_def *def)
{
    future->priority = def->priority;
    future->retries = def->retries;
    if (def->timeout != 0)
        future->limit_ns = rk_seconds_to_ns(def->timeout);
    if (rk_def_backoff(def) != 0)
        future->backoff_ns = rk_seconds_to_ns(rk_def_backoff(def));
}

/* What few nodes have of their own. */
static void set_own_terms(rask_future *future, const rk_extra *extra)
{
    if (extra->own_priority)
        future->priority = extra->priority;
    if (extra->own_retries)
        future->retries = extra->retries;
    if (extra->own_timeout)
        future->limit_ns = rk_seconds_to_ns(extra->timeout);
    if (extra->own_backoff)
        future->backoff_ns = rk_seconds_to_ns(extra->backoff);
}

static void set_terms(const sowing *s, rask_future *future, const rask_node *node)
{
    const rask_task_def *def = future->def;
    set_terms_of(future, def);
    if (node->flags & RK_NODE_EXTRA)
        set_own_terms(future, rk_node_extra(node));
    future->priority += s->priority;
    if (future->retries < s->executor->options.retries)
        future->retries = s->executor->options.retries;
    future->flags |=
        (node->flags & RK_NODE_CHECK ? RK_FUTURE_CHECK : 0) | (def->flags & RASK_IO ? RK_FUTURE_IO : 0);
    note_site(future, node);
    future->origin = s->origin ? *s->origin : RASK_NO_TASK;
    rk_admission_init(future, rk_node_tags(node));
}

static void set_arguments(const sowing *s, rask_future *future, const rask_node *node)
{
    uint32_t edge = 0;
    for (uint32_t i = 0; i < node->nargs + node->order_only; i++) {
        argument a = argument_of(s, rk_node_args(node)[i]);
        if (!a.from) {
            if (i < node->nargs)
                future->args[i] = rask_value_ref(a.value);
            continue;
        }
        rk_future_wait_for(future, edge++, a.from, i < node->nargs ? i : UINT32_MAX, !s->shared);
    }
}

/* With arguments that are where its call has them. */
static bool is_being_called(const sowing *s, const rask_node *node)
{
    return s->piece && node->id == s->piece->now;
}

/* By its call when it is pure, by its node when it was submitted. */
static rask_future *new_call(sowing *s, const rask_node *node, const rask_task_def *def, bool pure)
{
    rask_future *future =
        rk_future_new(s->executor, def, node->nargs, count_edges(s, node), pure + !s->origin);
    if (!future)
        return NULL;
    future->flags |= (pure ? RK_FUTURE_PURE : 0) | (s->origin ? RK_FUTURE_NESTED : 0);
    if (pure || !s->origin)
        rk_future_hold(future);
    rk_store_relaxed(&future->wants, 1);
    rk_store_relaxed(&future->handles, s->single && !s->origin);
    set_terms(s, future, node);
    if (!is_being_called(s, node))
        set_arguments(s, future, node);
    return future;
}

/* NULL: it is listed now; else another is, which it gives way to. */
static rask_future *list_call(const sowing *s, rask_future *future, uint64_t key, const call *c)
{
    rk_meetings *meetings = &s->executor->meetings;
    bool pure = future->flags & RK_FUTURE_PURE;
    rask_future *met = NULL;
    if (pure)
        met = rk_meet_or_list(meetings, future, key, same_call, c);
    else if (!s->origin)
        met = rk_meet_or_list(meetings, future, key_of_node(c->node), NULL, NULL);
    if (pure && !met && !s->origin)
        rk_meet_list(meetings, future, key_of_node(c->node));
    if (met)
        rk_future_abandon(future);
    return met;
}

static rask_future *make_call(sowing *s, const rask_node *node, bool *fresh)
{
    call c = {s, node, rk_node_def(node)};
    uint64_t key = 0;
    assert(c.def);
    bool may_meet = c.def->flags & RASK_PURE && !node->order_only && !s->piece;
    bool pure = may_meet && key_of_call(&c, &key);
    rask_future *met = pure ? rk_meet(&s->executor->meetings, key, same_call, &c) : NULL;
    rask_future *future = met ? NULL : new_call(s, node, c.def, pure);
    s->shared |= pure;
    if (future && (met = list_call(s, future, key, &c)))
        s->shared = true;
    s->met |= met && !rk_future_is_done(met);
    *fresh = future && !met;
    return met ? met : future;
}

/* The result of another future, or a value, as it is. */
static rask_future *make_constant(sowing *s, const rask_value *value)
{
    rask_future *future = rk_future_new(s->executor, &rk_list_def, 0, 0, 0);
    if (future) {
        if (!s->origin)
            rk_future_hold(future);
        rk_store_relaxed(&future->wants, 1);
        rk_future_settle(future, value);
    }
    return future;
}

static rask_future *make(sowing *s, const rask_node *node, bool *fresh)
{
    if (node->flags & RK_NODE_CONST)
        return make_constant(s, rk_graph_constant(s->graph, rk_node_args(node)[0]));
    rask_future *awaited = rk_await_of(node, s->executor);
    if (!awaited)
        return make_call(s, node, fresh);
    s->shared = true;
    s->met |= !rk_future_is_done(awaited);
    rk_add_relaxed(&awaited->wants, 1);
    return rask_future_ref(awaited);
}

/* Nobody else knows any of them: each is held and wanted by who needs it, and only the root by the caller, too. */
static void let_go_alone(const sowing *s, const rask_node *root)
{
    for (uint32_t i = 0; i < s->count; i++) {
        rask_future *future = find(s, s->ids[i])->future;
        if (s->ids[i] == root->id)
            continue;
        rk_count_down_alone(&future->wants);
        rk_count_down_alone(&future->refs);
    }
}

/* In order: who waits for one that ends may end, but never one that is yet to be started. */
static void start_all(sowing *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const place *p = find(s, s->ids[i]);
        if (!p->fresh || !rk_future_start(p->future, !s->shared))
            continue;
        if (is_being_called(s, rk_graph_node(s->graph, s->ids[i])) && !s->shared)
            s->running = p->future;
        else
            rk_queue_push_last(s->ready, p->future);
    }
}

/* All but the one that is asked for are let go of. */
static void let_go(const sowing *s, const rask_future *root)
{
    rk_endings endings = {0};
    for (uint32_t i = 0; i < s->count; i++) {
        rask_future *future = find(s, s->ids[i])->future;
        if (!future || future == root) {
            root = future ? NULL : root;
            continue;
        }
        rk_future_unwant(future, &endings);
        rask_future_unref(future);
    }
    rk_futures_end(&endings);
}

/* False: no memory for some. */
static bool make_all(sowing *s)
{
    bool ok = true;
    for (uint32_t i = 0; i < s->count && ok; i++) {
        place *p = find(s, s->ids[i]);
        if (!p->future)
            ok = (p->future = make(s, rk_graph_node(s->graph, s->ids[i]), &p->fresh));
    }
    return ok;
}

static void free_places(sowing *s)
{
    if (s->places != s->few)
        rk_free(s->places);
    if (s->ids != s->few_ids)
        rk_free(s->ids);
    s->few = s->places = NULL;
    s->few_ids = s->ids = NULL;
}

static rask_future *sow_all(sowing *s, const rask_node *node)
{
    place few[2 * FEW];
    uint32_t few_ids[FEW];
    s->few = s->places = few;
    s->few_ids = s->ids = few_ids;
    s->ids_room = FEW;
    bool ok = s->origin ? search_all(s, node) : search(s, node);
    ok = ok && make_all(s);
    rask_future *root = ok ? find(s, node->id)->future : NULL;
    if (root && !s->origin)
        rk_add_relaxed(&root->handles, 1);
    s->shared |= !ok;
    if (!s->shared)
        let_go_alone(s, node);
    start_all(s);
    if (s->shared)
        let_go(s, root);
    free_places(s);
    return root;
}

/* It needs no other node. */
static bool stands_alone(const rask_node *node)
{
    for (uint32_t i = 0; i < node->nargs + node->order_only; i++) {
        uint32_t word = rk_node_args(node)[i];
        if (!(word & RK_CONSTANT) && !(rk_graph_node(node->graph, word)->flags & RK_NODE_CONST))
            return false;
    }
    return !(node->flags & RK_NODE_CONST);
}

static rask_future *sow_one(sowing *s, const rask_node *node)
{
    bool fresh = false;
    s->single = true;
    rask_future *future = make(s, node, &fresh);
    if (future && !fresh && !s->origin)
        rk_add_relaxed(&future->handles, 1);
    if (fresh && rk_future_start(future, !s->shared))
        rk_queue_push_last(s->ready, future);
    return future;
}

rask_future *rk_executor_sow_grown(rk_executor *executor, rask_node *node, const uint32_t *origin,
                                   int32_t priority, rk_queue *ready, bool *met)
{
    sowing s = {
        .executor = executor, .graph = node->graph, .origin = origin, .priority = priority, .ready = ready};
    rask_future *root = stands_alone(node) ? sow_one(&s, node) : sow_all(&s, node);
    *met = s.met;
    return root;
}

rask_future *rk_executor_sow(rk_executor *executor, rask_node *node, const uint32_t *origin, int32_t priority,
                             rk_queue *ready)
{
    bool met;
    return rk_executor_sow_grown(executor, node, origin, priority, ready, &met);
}

rask_future *rk_executor_sow_piece(rk_executor *executor, const rk_piece *piece, const uint32_t *origin,
                                   rask_future **running, rk_queue *ready)
{
    sowing s = {
        .executor = executor, .graph = piece->graph, .origin = origin, .ready = ready, .piece = piece};
    rask_future *root = sow_all(&s, rk_graph_node(piece->graph, piece->root));
    if (root)
        rk_future_start_running(s.running);
    *running = s.running;
    return root;
}
