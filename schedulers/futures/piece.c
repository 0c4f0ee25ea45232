/* What grew, called where it grew: see the header. */
#include "schedulers/futures/piece.h"

#include "core/task/grow.h"
#include "schedulers/call.h"
#include "schedulers/chaos.h"
#include "schedulers/futures/holding.h"

#include <assert.h>
#include <string.h>

enum { NONE = UINT32_MAX };

typedef struct rk_pile {
    struct rk_pile *next; /* of the same bench */
    rk_executor *executor;
    rk_bench *bench;
    const rk_seat *seat;

    /* Under the lock. */
    rask_future *future;    /* the lowest piece's result is its */
    rk_piece *lowest, *top; /* lowest NULL: none but, perhaps, one that is sown */
    uint32_t depth, open;   /* open: how many have some left */
    bool sowing;            /* the lowest is becoming futures: nothing of all this changes until it has */
    rask_future *retired;   /* had the pile before, and a call that goes on may look at them: referenced */

    /* Of the worker alone: what there is to do without the lock, and what lies ready. */
    rk_task_env env; /* but for cancel */
    rask_task task;
    rk_call_terms terms;
    rk_endings endings;
    rk_piece *ended, *dropped; /* dropped: with results */
    rask_value dead[RK_PIECE_NODES];
    uint32_t dead_count;
    bool opened; /* others may have something to do by now */
    rk_spares spares;
} rk_pile;

enum step { CALL, DELIVER, OVER, LOWER, GIVE_UP }; /* the last two: futures are to be made first */

/* -- The lock */

/* Of the worker, for its pile: who sows of it has done so. */
static void lock(rk_pile *pile)
{
    rk_bench *bench = pile->bench;
    rk_spin_lock(&bench->piles_lock);
    while (pile->sowing) {
        rk_spin_unlock(&bench->piles_lock);
        pthread_mutex_lock(&bench->sowing);
        pthread_mutex_unlock(&bench->sowing);
        rk_spin_lock(&bench->piles_lock);
    }
}

static void unlock(rk_pile *pile)
{
    rk_spin_unlock(&pile->bench->piles_lock);
}

/* Of who sows: both. */
static void lock_to_sow(rk_bench *bench)
{
    pthread_mutex_lock(&bench->sowing);
    rk_spin_lock(&bench->piles_lock);
}

static void unlock_sown(rk_bench *bench)
{
    rk_spin_unlock(&bench->piles_lock);
    pthread_mutex_unlock(&bench->sowing);
}

/* -- Who has something for others */

static void count_closed(rk_pile *pile)
{
    pile->open--;
    rk_store_relaxed(&pile->bench->open, rk_load_relaxed(&pile->bench->open) - 1);
}

/* Whoever sees none open here, and sleeps, is seen asleep by who opens the first. Who slept before may sleep on, since who was
 * woken took something else: more are a reason to wake one again. */
static void count_open(rk_pile *pile)
{
    uint32_t count = rk_load_relaxed(&pile->bench->open);
    pile->open++;
    if (count) {
        rk_store_relaxed(&pile->bench->open, count + 1);
        pile->opened |= rk_load_relaxed(&pile->executor->sleepers) != 0;
    } else {
        rk_store_seq_cst(&pile->bench->open, 1);
        pile->opened = true;
    }
}

static void wake_others(rk_pile *pile)
{
    if (pile->opened)
        rk_executor_wake(pile->executor);
    pile->opened = false;
}

/* -- Pieces */

/* Nothing but calling it is needed. A pure call of constants may meet another; nobody else can make one of what is known here only. */
static bool is_plain(const rask_node *node, const rask_task_def *def, bool free)
{
    uint32_t special = RASK_IO | RASK_HERE | (free ? RASK_PURE : 0);
    return !(node->flags & RK_NODE_EXTRA) && !(def->flags & special) && !def->priority && def->timeout == 0 &&
           rk_def_backoff(def) == 0 && !*rk_def_tags(def);
}

/* Notes what a node takes; the last call among that, or NONE. */
static uint32_t note_uses(rk_piece *piece, const rask_node *node)
{
    const uint32_t *words = rk_node_args(node);
    uint32_t last = NONE;
    for (uint32_t i = 0; i < node->nargs + node->order_only; i++) {
        if (words[i] & RK_CONSTANT)
            continue;
        piece->uses[words[i]]++;
        if (!(rk_graph_node(piece->graph, words[i])->flags & RK_NODE_CONST) &&
            (last == NONE || words[i] > last))
            last = words[i];
    }
    return last;
}

static void take_constant(rk_piece *piece, const rask_node *node)
{
    piece->results[node->id] = rask_value_ref(rk_graph_constant(piece->graph, rk_node_args(node)[0]));
}

/* From the last back to the first: each takes the one before, until they take none. False: it is no piece. */
static bool shape(rk_piece *piece)
{
    uint32_t taken = piece->root;
    for (uint32_t id = piece->root + 1; id--;) {
        const rask_node *node = rk_graph_node(piece->graph, id);
        if (!piece->uses[id])
            continue;
        if (node->flags & RK_NODE_CONST) {
            take_constant(piece, node);
            continue;
        }
        uint32_t last = note_uses(piece, node);
        if (!is_plain(node, rk_node_def(node), last == NONE) || (taken == NONE ? last != NONE : taken != id))
            return false;
        taken = last;
        piece->left += last == NONE;
        piece->now = id;
    }
    piece->left--;
    return true;
}

/* A call, of a graph that has room in a piece and that nobody else can know. */
static bool may_be_piece(const rask_node *node)
{
    return node->id < RK_PIECE_NODES && !(node->flags & RK_NODE_CONST) &&
           node->graph->args.count <= UINT16_MAX && rk_load_acquire(&node->graph->refs) == 1;
}

static void end_results(rk_piece *piece)
{
    for (uint32_t i = 0; i <= piece->root; i++)
        rask_value_unref(&piece->results[i]);
}

static rk_piece *take_piece(rk_pile *pile)
{
    rk_piece *piece = pile->spares.pieces;
    if (!piece)
        return rk_alloc(sizeof *piece);
    pile->spares.pieces = piece->above;
    pile->spares.piece_count--;
    return piece;
}

static void keep_piece(rk_pile *pile, rk_piece *piece)
{
    rk_spares *spares = &pile->spares;
    if (spares->piece_count == RK_PILE_PIECES) {
        rk_free(piece);
        return;
    }
    piece->above = spares->pieces;
    spares->pieces = piece;
    spares->piece_count++;
}

static void keep_graph(rk_pile *pile, rask_graph *graph)
{
    rk_spares *spares = &pile->spares;
    if (spares->graph_count == RK_PILE_PIECES || !rk_graph_renew(graph)) {
        rask_graph_free(graph);
        return;
    }
    graph->next_spare = spares->graphs;
    spares->graphs = graph;
    spares->graph_count++;
}

/* NULL: it is none, or there is no memory; else the piece has the reference to the node's graph. */
static rk_piece *new_piece(rk_pile *pile, const rask_node *node)
{
    rk_piece *piece = may_be_piece(node) ? take_piece(pile) : NULL;
    if (!piece)
        return NULL;
    piece->below = piece->above = NULL;
    piece->graph = node->graph;
    piece->root = node->id;
    piece->left = 0;
    memset(piece->uses, 0, sizeof piece->uses);
    memset(piece->results, 0, (node->id + 1) * sizeof *piece->results);
    piece->uses[node->id] = 1;
    if (shape(piece))
        return piece;
    end_results(piece);
    keep_piece(pile, piece);
    return NULL;
}

/* Its results have gone where they are needed. */
static void end_piece(rk_pile *pile, rk_piece *piece)
{
    keep_graph(pile, piece->graph);
    keep_piece(pile, piece);
}

/* -- Under the lock: the pile */

static void put_on(rk_pile *pile, rk_piece *piece)
{
    piece->below = pile->top;
    *(pile->top ? &pile->top->above : &pile->lowest) = piece;
    pile->top = piece;
    pile->depth++;
    if (piece->left)
        count_open(pile);
}

static rk_piece *take_off(rk_pile *pile)
{
    rk_piece *piece = pile->top;
    assert(piece);
    pile->top = piece->below;
    *(pile->top ? &pile->top->above : &pile->lowest) = NULL;
    pile->depth--;
    if (piece->left)
        count_closed(pile);
    return piece;
}

static void drop(rk_pile *pile, rk_piece *piece)
{
    piece->below = pile->dropped;
    pile->dropped = piece;
}

/* Nothing of them is needed any more. */
static void drop_all(rk_pile *pile)
{
    while (pile->lowest)
        drop(pile, take_off(pile));
    if (pile->top)
        drop(pile, pile->top);
    pile->top = NULL;
}

/* Its call has come to something: what only this took of the others ends. */
static void release_arguments(rk_pile *pile, rk_piece *piece)
{
    const rask_node *node = rk_graph_node(piece->graph, piece->now);
    const uint32_t *words = rk_node_args(node);
    for (uint32_t i = 0; i < node->nargs + node->order_only; i++) {
        if (words[i] & RK_CONSTANT || --piece->uses[words[i]])
            continue;
        rask_value *result = &piece->results[words[i]];
        if (rk_value_is_object(result))
            pile->dead[pile->dead_count++] = *result;
        result->type = RASK_NONE;
    }
}

static void advance(rk_pile *pile, rk_piece *piece)
{
    do
        piece->now++;
    while (!piece->uses[piece->now] || rk_graph_node(piece->graph, piece->now)->flags & RK_NODE_CONST);
    if (piece->left && !--piece->left)
        count_closed(pile);
}

/* -- Sowing */

/* The futures of the lowest piece: NULL: no memory; else the one that is being called. */
static rask_future *sow(rk_pile *pile, rk_endings *endings)
{
    rask_future *future = pile->future, *running = NULL;
    rk_edge *edge = rk_alloc(sizeof *edge);
    rask_future *root =
        edge ? rk_executor_sow_piece(pile->executor, pile->lowest, &future->origin, &running, &endings->ready)
             : NULL;
    if (root)
        rk_future_become(future, root, edge, false, endings);
    else
        rk_free(edge);
    return running;
}

/* Under the lock: the pile is that of this future from here on, without its lowest piece, which goes to *dropped unless it is the top,
 * and there for the call that goes on. */
static void pass_on(rk_pile *pile, rask_future *running, rk_piece **dropped)
{
    rk_piece *piece = pile->lowest;
    pile->future->next = pile->retired;
    pile->retired = pile->future;
    pile->future = running;
    rk_store_release(&pile->env.cancel, &running->cancel);
    if (piece->left)
        count_closed(pile);
    pile->depth--;
    pile->lowest = piece->above;
    if (!pile->lowest)
        return;
    pile->lowest->below = NULL;
    piece->below = *dropped;
    *dropped = piece;
}

/* Under both locks, the inner one of which is free in between. False: there is none, or no memory. */
static bool sow_lowest(rk_pile *pile, rk_endings *endings, rk_piece **dropped)
{
    if (!pile->lowest)
        return false;
    pile->sowing = true;
    unlock(pile);
    rk_chaos();
    rask_future *running = sow(pile, endings);
    rk_spin_lock(&pile->bench->piles_lock);
    pile->sowing = false;
    if (running)
        pass_on(pile, running, dropped);
    return running;
}

/* Without memory a pile is higher than others. */
static enum step lower(rk_pile *pile)
{
    lock_to_sow(pile->bench);
    if (pile->depth > RK_PILE_PIECES)
        sow_lowest(pile, &pile->endings, &pile->dropped);
    unlock_sown(pile->bench);
    return CALL;
}

static void fail(rk_call_outcome *outcome)
{
    rask_value_unref(&outcome->result);
    rask_graph_free(outcome->node ? outcome->node->graph : NULL);
    outcome->node = NULL;
    if (outcome->status)
        return;
    outcome->status = RASK_ENOMEM;
    strcpy(outcome->message, "no memory for what it grew");
}

/* The outcome is that of a future, whatever pieces there are. */
static enum step give_up(rk_pile *pile, rk_call_outcome *outcome)
{
    lock_to_sow(pile->bench);
    while (sow_lowest(pile, &pile->endings, &pile->dropped)) {
    }
    bool failed = pile->lowest;
    drop_all(pile);
    unlock_sown(pile->bench);
    if (failed)
        fail(outcome);
    return OVER;
}

/* -- Under the lock: what a call came to */

static void end_top(rk_pile *pile)
{
    rk_piece *piece = take_off(pile);
    piece->below = pile->ended;
    pile->ended = piece;
}

static enum step go_up(rk_pile *pile, rk_piece *grown)
{
    rk_piece *top = pile->top;
    if (top) {
        release_arguments(pile, top);
        if (top->now == top->root)
            end_top(pile);
    }
    put_on(pile, grown);
    return pile->depth > RK_PILE_PIECES ? LOWER : CALL;
}

static enum step go_on(rk_pile *pile, rk_call_outcome *outcome)
{
    rk_piece *top = pile->top;
    assert(top);
    release_arguments(pile, top);
    if (top->now == top->root) {
        end_top(pile);
        return pile->lowest ? DELIVER : OVER;
    }
    top->results[top->now] = outcome->result;
    outcome->result = rask_value_none();
    advance(pile, top);
    return CALL;
}

/* grown: the piece that the outcome's node is, taken with CALL or LOWER; NULL: it has none that could be one. */
static enum step deliver(rk_pile *pile, rk_call_outcome *outcome, rk_piece *grown)
{
    bool cancelled = rk_load_acquire(&pile->future->reason);
    if (!pile->lowest || cancelled)
        drop_all(pile);
    if (cancelled)
        return OVER;
    if (grown)
        return go_up(pile, grown);
    if (!pile->lowest)
        return OVER;
    if (outcome->status || outcome->node || rk_executor_is_large(pile->executor, &outcome->result))
        return GIVE_UP;
    return go_on(pile, outcome);
}

/* -- Without the lock */

static void end_all(rk_pile *pile, rask_future *retired)
{
    while (pile->dead_count)
        rask_value_unref(&pile->dead[--pile->dead_count]);
    for (rk_piece *piece; (piece = pile->ended);) {
        pile->ended = piece->below;
        end_piece(pile, piece);
    }
    for (rk_piece *piece; (piece = pile->dropped);) {
        pile->dropped = piece->below;
        end_results(piece);
        end_piece(pile, piece);
    }
    for (rask_future *next; retired; retired = next) {
        next = retired->next;
        rask_future_unref(retired);
    }
    if (pile->endings.first || pile->endings.ready.first)
        rk_futures_end(&pile->endings);
    wake_others(pile);
}

/* The outcome goes to where it is needed, and is that of what it completes there, and so on. */
static enum step settle(rk_pile *pile, rk_call_outcome *outcome)
{
    rk_piece *grown = outcome->node ? new_piece(pile, outcome->node) : NULL;
    enum step step;
    do {
        lock(pile);
        do
            step = deliver(pile, outcome, grown);
        while (step == DELIVER && !pile->dead_count);
        rask_future *retired = pile->retired;
        pile->retired = NULL;
        unlock(pile);
        rk_chaos();
        if (step > OVER)
            step = step == LOWER ? lower(pile) : give_up(pile, outcome);
        end_all(pile, retired);
    } while (step == DELIVER);
    if (grown && step == CALL) {
        outcome->node = NULL;
    } else if (grown) {
        end_results(grown);
        rk_free(grown);
    }
    return step;
}

/* -- Calling */

/* Field by field: it was just written like that. */
static void take_result(rk_call_outcome *outcome, const rask_task *task)
{
    outcome->result.type = task->result.type;
    outcome->result.reserved = 0;
    outcome->result.as.i64 = task->result.as.i64;
    outcome->node = task->grown;
}

static void prepare(rk_pile *pile, const rk_piece *piece)
{
    const rask_node *node = rk_graph_node(piece->graph, piece->now);
    const rask_task_def *def = rk_node_def(node);
    uint32_t retries = pile->executor->options.retries;
    rask_task *task = &pile->task;
    pile->terms.retries = def->retries > retries ? def->retries : retries;
    pile->terms.check = node->flags & RK_NODE_CHECK;
    pile->env.results = piece->results;
    pile->env.constants = piece->graph->constants.data;
    rk_store_relaxed(&pile->env.stop, RASK_OK);
    task->args = rk_node_args(node);
    task->nargs = node->nargs;
    task->def = def;
    task->attempt = 0;
    task->lent = pile->spares.graphs;
}

static void call_now(rk_pile *pile, rk_call_outcome *outcome)
{
    rask_task *task = &pile->task;
    uint64_t again = 0;
    outcome->counted = false;
    prepare(pile, pile->top);
    rask_graph *lent = task->lent, *others = lent ? lent->next_spare : NULL;
    outcome->status = rk_call(task, &pile->env, &pile->terms, &again);
    rk_executor_note_retries(pile->executor, again);
    if (task->lent != lent) {
        pile->spares.graphs = others;
        pile->spares.graph_count--;
    }
    if (outcome->status)
        return;
    take_result(outcome, task);
    if (!rk_value_is_object(&outcome->result) || rk_executor_is_large(pile->executor, &outcome->result))
        return;
    outcome->status = rk_executor_count_result(pile->executor, &outcome->result, outcome->message);
    if (outcome->status)
        rask_value_unref(&outcome->result);
    else
        outcome->counted = true;
}

/* Others come first. What is sown can wait no more. */
static bool put_off(rk_pile *pile)
{
    lock(pile);
    bool can = pile->lowest;
    if (can) {
        pile->lowest->below = pile->top;
        pile->future->put_off = pile->lowest;
        rk_store_relaxed(&pile->bench->open, rk_load_relaxed(&pile->bench->open) - pile->open);
        pile->lowest = pile->top = NULL;
        pile->open = pile->depth = 0;
    }
    unlock(pile);
    return can;
}

/* Under the lock. */
static void take_up(rk_pile *pile)
{
    rk_piece *first = pile->future->put_off;
    if (!first)
        return;
    pile->future->put_off = NULL;
    pile->top = first->below;
    first->below = NULL;
    pile->lowest = first;
    for (rk_piece *piece = first; piece; piece = piece->above) {
        pile->depth++;
        if (piece->left)
            count_open(pile);
    }
}

static void begin(rk_pile *pile)
{
    rk_bench *bench = pile->bench;
    rk_spin_lock(&bench->piles_lock);
    pile->next = bench->piles;
    bench->piles = pile;
    pile->spares = bench->spares;
    bench->spares = (rk_spares){0};
    take_up(pile);
    rk_spin_unlock(&bench->piles_lock);
}

/* What was put off goes on, unless its future is to end by now. */
static enum step resume(rk_pile *pile, rk_call_outcome *outcome)
{
    outcome->status = RASK_OK;
    lock(pile);
    bool ends = rk_load_acquire(&pile->future->reason);
    if (ends)
        drop_all(pile);
    unlock(pile);
    wake_others(pile);
    return ends ? OVER : CALL;
}

static void free_spares(rk_spares *spares)
{
    for (rk_piece *piece; (piece = spares->pieces);) {
        spares->pieces = piece->above;
        rk_free(piece);
    }
    for (rask_graph *graph; (graph = spares->graphs);) {
        spares->graphs = graph->next_spare;
        rask_graph_free(graph);
    }
}

/* The next future's first call, which is no pile's yet, has a graph from there: it comes back here. */
static void lend_graph(rk_pile *pile)
{
    rask_graph *none = NULL, *graph = pile->spares.graphs;
    if (!graph || rk_load_relaxed(&pile->bench->spare))
        return;
    rask_graph *others = graph->next_spare;
    if (!rk_cas_release(&pile->bench->spare, &none, graph))
        return;
    pile->spares.graphs = others;
    pile->spares.graph_count--;
}

static void end(rk_pile *pile)
{
    rk_bench *bench = pile->bench;
    rk_pile **at = &bench->piles;
    end_all(pile, NULL);
    lend_graph(pile);
    lock(pile);
    while (*at != pile)
        at = &(*at)->next;
    *at = pile->next;
    rk_spares surplus = pile->spares;
    if (!bench->spares.pieces && !bench->spares.graphs) {
        bench->spares = surplus;
        surplus = (rk_spares){0};
    }
    rask_future *retired = pile->retired;
    unlock(pile);
    free_spares(&surplus);
    end_all(pile, retired);
    assert(!pile->top && !pile->open);
}

bool rk_pile_may_take(const rk_seat *seat, const rask_future *future, const rask_node *node)
{
    const rk_executor *e = future->executor;
    return seat->bench != RK_NO_WORKER && may_be_piece(node) && !future->priority && !future->admission &&
           !e->options.observer_count && !e->options.seed && !e->call_apart &&
           (!e->gate || !rk_gate_counters(e->gate));
}

rask_future *rk_pile_run(const rk_seat *seat, rask_future *future, rk_call_outcome *outcome, bool *later)
{
    rk_executor *e = future->executor;
    rk_pile pile = {.executor = e,
                    .bench = &e->benches[seat->bench],
                    .seat = seat,
                    .future = future,
                    .env = {.cancel = &future->cancel, .outer = &e->env}};
    pile.task = (rask_task){
        .env = &pile.env, .worker = seat->number, .message = outcome->message, .takes_nodes = true};
    begin(&pile);
    *later = false;
    enum step step = pile.top ? resume(&pile, outcome) : settle(&pile, outcome);
    while (step == CALL) {
        outcome->status = rk_executor_stopped(e, outcome->message);
        if (!outcome->status) {
            if ((*later = !rk_executor_may_go_on(e, seat->bench, seat->until) && put_off(&pile)))
                break;
            call_now(&pile, outcome);
        }
        step = settle(&pile, outcome);
    }
    end(&pile);
    return pile.future;
}

/* -- Others */

void rk_piles_split(rk_executor *executor, uint32_t number, rk_endings *endings)
{
    rk_bench *bench = &executor->benches[number];
    rk_piece *dropped = NULL;
    rk_chaos();
    lock_to_sow(bench);
    rk_pile *pile = bench->piles;
    while (pile && !pile->open)
        pile = pile->next;
    uint32_t open = pile ? pile->open : 0;
    while (pile && pile->open == open && sow_lowest(pile, endings, &dropped)) {
    }
    unlock_sown(bench);
    for (rk_piece *next; dropped; dropped = next) {
        next = dropped->below;
        end_results(dropped);
        rask_graph_free(dropped->graph);
        rk_free(dropped);
    }
}

void rk_piles_fini(rk_bench *bench)
{
    free_spares(&bench->spares);
}
