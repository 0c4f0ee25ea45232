/* Sixteen threads share a client. Each does what its seed says: submits random graphs, calls that grow and calls that others
 * submit, too, waits, cancels, lets go; and the client closes with work in flight. Whatever was not cancelled comes to its
 * value, whatever was to fail has failed, and nothing is left.
 *
 * RASK_STRESS_SEED is the first seed, RASK_STRESS_ROUNDS how many clients each case opens. */
#include "graphs.h"
#include "support.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { ROUNDS = 2, DEEDS = 30, FAR_DEEDS = 3 };
#else
enum { ROUNDS = 4, DEEDS = 120, FAR_DEEDS = 10 };
#endif
enum { USERS = 16, MOST_HELD = DEEDS * GRAPH_MAX_TARGETS, LONGEST_CHAIN = 300 };

/* A future, and what is to come of it. */
typedef struct held {
    rask_future *future; /* NULL: it was let go of */
    rask_node *node;     /* that it was; NULL: its graph is gone */
    rask_value expected;
    bool fails;
    bool withdrawn; /* cancelled, perhaps without effect */
    bool cancelled; /* with effect */
} held;

typedef struct user {
    uint64_t random;
    rask_client *client;
    pthread_t id;
    bool here; /* tasks run in this process; elsewhere each costs a hundred times as much */
    held held[MOST_HELD];
    uint32_t count;
    random_graph *graphs[DEEDS]; /* until the client is closed: tasks count in them */
    uint32_t graph_count;
    uint32_t calls_wanted;
    atomic_uint calls_made, calls_too_early;
    char wrong[400]; /* "": nothing */
} user;

static uint32_t below(user *u, uint32_t bound)
{
    return draw_below(&u->random, bound);
}

/* The first thing that went wrong: threads must not assert. */
static void complain(user *u, const char *format, ...)
{
    va_list args;
    if (u->wrong[0])
        return;
    va_start(args, format);
    vsnprintf(u->wrong, sizeof u->wrong, format, args);
    va_end(args);
}

/* -- Calls that grow */

static int grow(rask_task *t);
static const rask_task_def growers[] = {
    {.size = sizeof(rask_task_def), .name = "grow_plain", .call = grow},
    {.size = sizeof(rask_task_def), .name = "grow_pure", .call = grow, .flags = RASK_PURE},
    {.size = sizeof(rask_task_def), .name = "grow_io", .call = grow, .flags = RASK_PURE | RASK_IO},
};

/* (leaves, salt) → how many leaves: one, or the sum of parts that the salt decides on; of some salts all are plain. */
static int grow(rask_task *t)
{
    int64_t leaves = rask_arg_i64(t, 0), salt = rask_arg_i64(t, 1);
    uint64_t random = (uint64_t)(leaves * 1000003 + salt) * 0x9e3779b97f4a7c15u + 1;
    rask_node *parts[4];
    size_t count = 0;
    if (leaves == 1)
        return rask_return_i64(t, 1);
    rask_graph *g = rask_task_graph(t);
    for (uint32_t most = 2 + draw_below(&random, 3); count < most && leaves > 0; count++) {
        int64_t part = count + 1 == most ? leaves : 1 + draw_below(&random, (uint32_t)leaves);
        part -= part == rask_arg_i64(t, 0); /* fewer than this call has, so that it ends */
        rask_arg args[2] = {rask_arg_of_i64(part), rask_arg_of_i64(salt)};
        parts[count] = rask_call(g, &growers[salt % 2 ? draw_below(&random, 3) : 0], args, 2);
        leaves -= part;
    }
    return rask_return_node(t, rask_sum(rask_list(g, parts, count)));
}

/* So many calls, each of which goes on as the next. */
static int chain(rask_task *t);
RASK_SLOTS(chain);
static int chain(rask_task *t)
{
    int64_t left = rask_arg_i64(t, 0);
    rask_graph *g = rask_task_graph(t);
    return left ? rask_return_node(t, rask_delayed(g, chain, left - 1)) : rask_return_i64(t, 7);
}

/* The last call of the chain fails. */
static int trap(rask_task *t);
RASK_SLOTS(trap);
static int trap(rask_task *t)
{
    int64_t left = rask_arg_i64(t, 0);
    return left ? rask_return_node(t, rask_delayed(rask_task_graph(t), trap, left - 1))
                : rask_fail(t, RASK_EIO, "a trap");
}

/* (depth, client): waits for two of its kind in this client, which may be closing. */
static int nest(rask_task *t);
RASK_SLOTS(nest);
static int nest(rask_task *t)
{
    int64_t depth = rask_arg_i64(t, 0), leaves[2] = {0, 0};
    rask_client *client = (rask_client *)(intptr_t)rask_arg_i64(t, 1);
    rask_future *futures[2];
    int status = RASK_OK;
    if (!depth)
        return rask_return_i64(t, 1);
    for (int i = 0; i < 2; i++)
        futures[i] =
            rask_submit(client, rask_delayed(rask_task_graph(t), nest, depth - 1, rask_arg_i64(t, 1)));
    for (int i = 0; i < 2; i++) {
        int failed = rask_future_get(futures[i], &leaves[i]);
        status = failed ? failed : status;
        rask_future_unref(futures[i]);
    }
    return status ? rask_fail(t, status, "a nested call failed") : rask_return_i64(t, leaves[0] + leaves[1]);
}

/* -- What a user does */

/* Takes over the future and the value. */
static void hold(user *u, rask_future *future, rask_node *node, rask_value expected, bool fails)
{
    if (!future)
        complain(u, "nothing was submitted");
    u->held[u->count++] = (held){.future = future, .node = node, .expected = expected, .fails = fails};
}

/* One of those held; NULL: none. */
static held *draw_held(user *u)
{
    for (uint32_t tries = 0; u->count && tries < 8; tries++) {
        held *h = &u->held[below(u, u->count)];
        if (h->future)
            return h;
    }
    return NULL;
}

static void submit_graph(user *u)
{
    random_graph *g = random_graph_new(u->random);
    u->graphs[u->graph_count++] = g;
    if (!below(u, 5))
        random_graph_add_failures(g, 10, GRAPH_FAILS_ALWAYS);
    for (uint32_t i = 0; i < g->target_count; i++) {
        const graph_step *step = &g->steps[g->target_steps[i]], *real = &g->steps[step->twin];
        rask_submission how = {sizeof how, (int32_t)below(u, 3) - 1, 0};
        rask_future *future =
            below(u, 2) ? rask_submit_with(u->client, step->node, &how) : rask_submit(u->client, step->node);
        hold(u, future, step->node, rask_value_ref(&step->expected),
             real->doomed || real->failures || step->doomed);
    }
}

/* Some calls are those of other users, too: pure ones meet. */
static void submit_growing(user *u)
{
    rask_graph *g = rask_graph_new();
    int64_t leaves = 1 + below(u, 60), salt = below(u, 4), length = below(u, LONGEST_CHAIN);
    rask_arg args[2] = {rask_arg_of_i64(leaves), rask_arg_of_i64(salt)};
    switch (below(u, 6)) {
    case 0:
        hold(u, rask_submit(u->client, rask_delayed(g, chain, length)), NULL, rask_value_i64(7), false);
        break;
    case 1:
        hold(u, rask_submit(u->client, rask_delayed(g, trap, length)), NULL, rask_value_none(), true);
        break;
    default:
        hold(u, rask_submit(u->client, rask_call(g, &growers[below(u, 3)], args, 2)), NULL,
             rask_value_i64(leaves), false);
    }
    rask_graph_free(g);
}

static void submit_nested(user *u)
{
    if (!u->here)
        return;
    rask_graph *g = rask_graph_new();
    int64_t depth = below(u, 4);
    rask_node *node = rask_delayed(g, nest, depth, (int64_t)(intptr_t)u->client);
    hold(u, rask_submit(u->client, node), NULL, rask_value_i64(1 << depth), false);
    rask_graph_free(g);
}

/* A node that was submitted before, and may be under way, done or cancelled, once more. */
static void submit_again(user *u)
{
    held *h = draw_held(u);
    if (h && h->node && u->count < MOST_HELD)
        hold(u, rask_submit(u->client, h->node), h->node, rask_value_ref(&h->expected), h->fails);
}

/* A list of two that are there or to come. */
static void submit_both(user *u)
{
    held *a = draw_held(u), *b = draw_held(u);
    rask_value both;
    if (!a || !b || a->fails || b->fails || a->withdrawn || b->withdrawn || u->count >= MOST_HELD)
        return;
    if (rask_value_list_new((rask_value[]){a->expected, b->expected}, 2, &both)) {
        complain(u, "no memory for a list");
        return;
    }
    rask_graph *g = rask_graph_new();
    rask_node *nodes[2] = {rask_future_node(g, a->future), rask_future_node(g, b->future)};
    hold(u, rask_submit(u->client, rask_list(g, nodes, 2)), NULL, both, false);
    rask_graph_free(g);
}

/* Of a future that is done. may_be_cancelled: by somebody else. */
static void check(user *u, held *h, bool may_be_cancelled)
{
    rask_value value = rask_value_none();
    int status = rask_future_result(h->future, &value);
    const char *error = rask_future_error(h->future);
    if (status == RASK_ECANCELLED && (h->withdrawn || may_be_cancelled))
        return;
    if (status && !h->fails)
        complain(u, "future %u: %s: %s", (unsigned)(h - u->held), rask_status_name(status), error);
    else if (status && !error[0])
        complain(u, "future %u failed without a word", (unsigned)(h - u->held));
    else if (!status && (h->fails || h->cancelled))
        complain(u, "future %u has a result after all", (unsigned)(h - u->held));
    else if (!status && !rask_value_equal(&value, &h->expected))
        complain(u, "future %u has another value", (unsigned)(h - u->held));
    rask_value_unref(&value);
}

static void wait_a_little(user *u)
{
    held *h = draw_held(u);
    if (h && rask_future_wait(h->future, below(u, 3) * 1e-4) == RASK_OK)
        check(u, h, false);
}

/* Until one of the last is done. */
static void wait_for_any(user *u)
{
    rask_future *futures[5];
    held *of[5];
    size_t count = 0;
    for (uint32_t i = u->count; i-- > 0 && count < 5;)
        if (u->held[i].future) {
            of[count] = &u->held[i];
            futures[count++] = u->held[i].future;
        }
    size_t done = count ? rask_wait_any(futures, count, -1) : count;
    if (done < count)
        check(u, of[done], false);
    else if (count)
        complain(u, "none of %zu futures is done", count);
}

/* Once for each that was submitted: what others have submitted, too, goes on. */
static void cancel(user *u)
{
    held *h = draw_held(u);
    if (!h || h->withdrawn)
        return;
    h->withdrawn = true;
    h->cancelled = rask_future_cancel(h->future);
}

static void let_go(held *h)
{
    rask_future_unref(h->future);
    rask_value_unref(&h->expected);
    h->future = NULL;
}

static void count_call(void *context, rask_future *future)
{
    user *u = context;
    atomic_fetch_add(&u->calls_made, 1);
    if (!rask_future_done(future))
        atomic_fetch_add(&u->calls_too_early, 1);
}

static void ask_for_a_call(user *u)
{
    held *h = draw_held(u);
    if (h && !rask_future_on_done(h->future, count_call, u))
        u->calls_wanted++;
}

static void do_something(user *u)
{
    switch (below(u, 12)) {
    case 0:
    case 1: submit_graph(u); break;
    case 2:
    case 3:
    case 4: submit_growing(u); break;
    case 5: submit_nested(u); break;
    case 6: submit_both(u); break;
    case 7: submit_again(u); break;
    case 8: below(u, 2) ? wait_a_little(u) : wait_for_any(u); break;
    case 9: ask_for_a_call(u); break;
    case 10: cancel(u); break;
    default: {
        held *h = draw_held(u);
        if (h && below(u, 2))
            let_go(h);
    }
    }
}

/* Half of the users see to the end what they submitted, half leave it to the closing of the client. */
static void *use(void *context)
{
    user *u = context;
    for (int i = 0; i < (u->here ? DEEDS : FAR_DEEDS) && !u->wrong[0]; i++)
        do_something(u);
    if (below(u, 2))
        for (uint32_t i = 0; i < u->count; i++)
            if (u->held[i].future)
                check(u, &u->held[i], false);
    return NULL;
}

/* -- A client */

typedef struct taker {
    rask_client *client;
    pthread_t id;
    atomic_bool over;
    bool wrong;
} taker;

/* What a program does that takes futures back as they are done. */
static void *take_back(void *context)
{
    taker *t = context;
    t->wrong = rask_client_fd(t->client) < 0;
    while (!atomic_load(&t->over)) {
        for (rask_future *f; (f = rask_client_next(t->client)); rask_future_unref(f))
            t->wrong |= !rask_future_done(f);
        rask_client_drain(t->client, 1e-3);
    }
    return NULL;
}

/* The client is closed: everything is done, for better or worse. */
static void settle(user *u, uint64_t seed)
{
    for (uint32_t i = 0; i < u->count; i++) {
        held *h = &u->held[i];
        if (h->future && !rask_future_done(h->future))
            complain(u, "future %u is not done after the client was closed", i);
        else if (h->future)
            check(u, h, true);
        let_go(h);
    }
    if (atomic_load(&u->calls_made) != u->calls_wanted)
        complain(u, "%u calls of %u were made", atomic_load(&u->calls_made), u->calls_wanted);
    if (atomic_load(&u->calls_too_early))
        complain(u, "a call was made before the future was done");
    for (uint32_t i = 0; i < u->graph_count; i++)
        random_graph_free(u->graphs[i]);
    cr_assert_str_empty(u->wrong, "seed %llu: %s", (unsigned long long)seed, u->wrong);
}

static void start(user *users, rask_client *client, const char *scheduler, uint64_t seed)
{
    for (uint64_t i = 0; i < USERS; i++) {
        users[i].random = (seed * USERS + i) * 0x9e3779b97f4a7c15u + 1;
        users[i].client = client;
        users[i].here = rask_scheduler_shares_memory(scheduler);
        cr_assert_eq(pthread_create(&users[i].id, NULL, use, &users[i]), 0);
    }
}

static void use_client(rask_options o, uint64_t seed)
{
    user *users = calloc(USERS, sizeof *users);
    taker t = {0};
    bool takes = seed % 2;
    cr_assert_eq(rask_client_open(&o, &t.client), RASK_OK);
    start(users, t.client, o.scheduler, seed);
    cr_assert(!takes || !pthread_create(&t.id, NULL, take_back, &t));
    for (int i = 0; i < USERS; i++)
        pthread_join(users[i].id, NULL);
    atomic_store(&t.over, true);
    if (takes)
        pthread_join(t.id, NULL);
    rask_client_close(t.client);
    for (int i = 0; i < USERS; i++)
        settle(&users[i], seed);
    free(users);
    cr_assert_not(t.wrong, "seed %llu: what comes back is not done", (unsigned long long)seed);
    cr_assert_eq(random_graph_live_customs(), 0, "seed %llu: values are left", (unsigned long long)seed);
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void use_clients(const char *scheduler, uint32_t workers)
{
    uint64_t seed = number_from("RASK_STRESS_SEED", 1), rounds = number_from("RASK_STRESS_ROUNDS", ROUNDS);
    for (uint64_t i = seed; i < seed + rounds; i++) {
        rask_options o = RASK_OPTIONS_INIT;
        o.scheduler = scheduler;
        o.workers = workers;
        use_client(o, i);
    }
}

Test(futures_stress, sixteen_threads_share_a_serial_client)
{
    use_clients("serial", 0);
}

Test(futures_stress, sixteen_threads_share_one_worker)
{
    use_clients("threads", 1);
}

Test(futures_stress, sixteen_threads_share_two_workers)
{
    use_clients("threads", 2);
}

Test(futures_stress, sixteen_threads_share_eight_workers)
{
    use_clients("threads", 8);
}

Test(futures_stress, sixteen_threads_share_two_worker_processes)
{
    use_clients("processes", 2);
}

/* All in one submission: each call once, as in a plan. */
static void compute_at_once(rask_client *client, random_graph *g, uint64_t seed)
{
    rask_future *future = rask_submit(client, rask_list(g->graph, g->targets, g->target_count));
    rask_value list = rask_value_none();
    const rask_value *values;
    size_t count;
    cr_assert_eq(rask_future_get(future, &list), RASK_OK, "seed %llu: %s", (unsigned long long)seed,
                 rask_future_error(future));
    cr_assert_eq(rask_value_get_list(&list, &values, &count), RASK_OK);
    cr_assert(count == g->target_count && random_graph_equal(g, values), "seed %llu: another value",
              (unsigned long long)seed);
    for (uint32_t i = 0; i < g->count; i++)
        cr_assert_eq(atomic_load(&g->steps[i].calls), g->steps[i].counted && g->steps[i].needed,
                     "seed %llu: step %u was called %u times", (unsigned long long)seed, i,
                     atomic_load(&g->steps[i].calls));
    rask_value_unref(&list);
    rask_future_unref(future);
}

/* Graphs live as long as the client: to pure calls their addresses are arguments. */
Test(futures_stress, each_call_of_a_submission_runs_once)
{
    enum { GRAPHS = 40 };
    uint64_t seed = number_from("RASK_STRESS_SEED", 1);
    for (uint32_t workers = 1; workers <= 4; workers *= 2) {
        random_graph *graphs[GRAPHS];
        rask_client *client;
        rask_options o = threads(workers);
        cr_assert_eq(rask_client_open(&o, &client), RASK_OK);
        for (uint64_t i = 0; i < GRAPHS; i++) {
            graphs[i] = random_graph_new(seed * 1000 + i);
            compute_at_once(client, graphs[i], seed * 1000 + i);
        }
        rask_client_close(client);
        for (uint64_t i = 0; i < GRAPHS; i++)
            random_graph_free(graphs[i]);
    }
    cr_assert_eq(random_graph_live_customs(), 0);
}
