/* What tasks grow on a cluster is run by all of its workers. */
#include "tasks.h"
#include "workers.h"

#include <stdatomic.h>
#include <string.h>

enum { MOST_SEEN = 16 };

/* In memory that workers share. */
typedef struct sights {
    atomic_int seen[MOST_SEEN]; /* processes that were there */
    atomic_int calls, deaths, running, most;
    atomic_int grower;
} sights;

static sights *sights_of_all;

static void forget_sights(void)
{
    if (!sights_of_all)
        sights_of_all = shared_calloc(sizeof *sights_of_all);
    memset((void *)sights_of_all, 0, sizeof *sights_of_all);
}

static int count_seen(void)
{
    int count = 0;
    while (count < MOST_SEEN && atomic_load(&sights_of_all->seen[count]))
        count++;
    return count;
}

static void be_seen_as(int own)
{
    for (int i = 0; i < MOST_SEEN; i++) {
        int nobody = 0;
        if (atomic_compare_exchange_strong(&sights_of_all->seen[i], &nobody, own) || nobody == own)
            return;
    }
}

static void be_seen(void)
{
    be_seen_as((int)getpid());
}

static void await_seen(rask_task *t, int wanted)
{
    while (count_seen() < wanted && !rask_task_cancelled(t))
        sleep_ms(1);
}

/* (number, processes): gives the number, when so many have been there. */
static int meet_others(rask_task *t)
{
    be_seen();
    await_seen(t, (int)rask_arg_i64(t, 1));
    return rask_return_i64(t, rask_arg_i64(t, 0));
}
RASK_SLOTS(meet_others);

/* The sum of count calls. */
static rask_node *sum_of_meetings(rask_graph *g, int count, int processes)
{
    rask_node *all[64];
    for (int i = 0; i < count; i++)
        all[i] = rask_delayed(g, meet_others, i, processes);
    return rask_sum(rask_list(g, all, (size_t)count));
}

/* (calls, processes) */
static int grow_meetings(rask_task *t)
{
    return rask_return_node(
        t, sum_of_meetings(rask_task_graph(t), (int)rask_arg_i64(t, 0), (int)rask_arg_i64(t, 1)));
}
RASK_SLOTS(grow_meetings);

static void must_compute(const cluster *c, rask_graph *g, rask_node *node, int64_t wanted)
{
    rask_options o = on(c);
    int64_t answer = -1;
    cr_assert_eq(rask_compute_with(node, &o, &answer), RASK_OK, "%s", rask_graph_error(g));
    cr_expect_eq(answer, wanted);
}

Test(growth, what_one_task_grows_is_run_by_all_workers)
{
    for (uint32_t workers = 2; workers <= 4; workers++) {
        cluster c;
        rask_graph *g = rask_graph_new();
        forget_sights();
        cluster_begin(&c, workers, 1 + workers % 2);
        must_compute(&c, g, rask_delayed(g, grow_meetings, 40, workers), 40 * 39 / 2);
        cr_expect_eq(count_seen(), (int)workers);
        cluster_end(&c);
        rask_graph_free(g);
    }
}

/* The same for threads. */
static int meet_threads(rask_task *t)
{
    be_seen_as((int)rask_task_worker(t) + 1);
    await_seen(t, 3);
    return rask_return_i64(t, 1);
}
RASK_SLOTS(meet_threads);

static int grow_threads(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *all[12];
    for (int i = 0; i < 12; i++)
        all[i] = rask_delayed(g, meet_threads);
    return rask_return_node(t, rask_sum(rask_list(g, all, 12)));
}
RASK_SLOTS(grow_threads);

Test(growth, what_one_task_grows_is_run_by_all_threads_of_its_worker)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    forget_sights();
    cluster_begin(&c, 1, 3);
    must_compute(&c, g, rask_delayed(g, grow_threads), 12);
    cr_expect_eq(count_seen(), 3);
    cluster_end(&c);
    rask_graph_free(g);
}

static int grow_tree(rask_task *t);
RASK_SLOTS(grow_tree);

/* (depth): two of itself, and in the end calls that meet. */
static int grow_tree(rask_task *t)
{
    int64_t depth = rask_arg_i64(t, 0);
    rask_graph *g = rask_task_graph(t);
    if (!depth)
        return rask_return_node(t, rask_delayed(g, meet_others, 1, 3));
    rask_node *both[2] = {rask_delayed(g, grow_tree, depth - 1), rask_delayed(g, grow_tree, depth - 1)};
    return rask_return_node(t, rask_sum(rask_list(g, both, 2)));
}

Test(growth, what_was_lent_grows_on_and_is_lent_on)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    forget_sights();
    cluster_begin(&c, 3, 1);
    must_compute(&c, g, rask_delayed(g, grow_tree, 6), 64);
    cr_expect_eq(count_seen(), 3);
    cluster_end(&c);
    rask_graph_free(g);
}

/* -- Values */

enum { LARGE = 1 << 20 };

/* (bytes, processes): as many as it was given and one more, when so many processes have been there. */
static int lengthen(rask_task *t)
{
    rask_bytes bytes = rask_arg_bytes(t, 0);
    char *data;
    rask_value value;
    be_seen();
    await_seen(t, (int)rask_arg_i64(t, 1));
    if (rask_value_bytes_alloc(bytes.len + 1, &data, &value))
        return rask_fail(t, RASK_ENOMEM, "no memory");
    memcpy(data, bytes.data, bytes.len);
    data[bytes.len] = 1;
    return rask_return_value(t, value);
}
RASK_SLOTS(lengthen);

static int grow_large(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *all[6];
    char *content = calloc(LARGE, 1);
    for (int i = 0; i < 6; i++)
        all[i] = rask_delayed(g, lengthen, ((rask_bytes){content, (size_t)LARGE - (size_t)i}), 2);
    free(content);
    return rask_return_node(t, rask_delayed(g, add_up, rask_list(g, all, 6)));
}
RASK_SLOTS(grow_large);

Test(growth, large_arguments_and_results_go_from_worker_to_worker)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    forget_sights();
    cluster_begin(&c, 2, 1);
    must_compute(&c, g, rask_delayed(g, grow_large), 6);
    cr_expect_eq(count_seen(), 2);
    cluster_end(&c);
    rask_graph_free(g);
}

/* (address of a number of the process that grew it, milliseconds) */
static int look_there(rask_task *t)
{
    const int64_t *at = (const int64_t *)(intptr_t)rask_arg_i64(t, 0);
    sleep_ms(rask_arg_i64(t, 1));
    return rask_return_i64(t, *at == getpid());
}
RASK_SLOTS(look_there);

static int grow_looks(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *all[10];
    int64_t *own = malloc(sizeof *own); /* as long as the process */
    *own = getpid();
    for (int i = 0; i < 10; i++)
        all[i] = rask_delayed(g, look_there, (int64_t)(intptr_t)own, 3);
    return rask_return_node(t, rask_sum(rask_list(g, all, 10)));
}
RASK_SLOTS(grow_looks);

Test(growth, numbers_that_may_be_addresses_stay_where_they_mean_something)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    cluster_begin(&c, 2, 2);
    must_compute(&c, g, rask_delayed(g, grow_looks), 10);
    cluster_end(&c);
    rask_graph_free(g);
}

/* -- Pure calls */

/* (number): pure, and grows. */
static int grow_purely(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    sleep_ms(5);
    return rask_return_node(t, rask_delayed(g, add, rask_arg_i64(t, 0), 1));
}
RASK_SLOTS_WITH(grow_purely, (.flags = RASK_PURE));

/* (number, processes): pure, and does not. */
static int meet_purely(rask_task *t)
{
    return meet_others(t);
}
RASK_SLOTS_WITH(meet_purely, (.flags = RASK_PURE));

static int grow_pure_calls(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *all[20];
    for (int i = 0; i < 20; i++)
        all[i] = i < 10 ? rask_delayed(g, grow_purely, i) : rask_delayed(g, meet_purely, i, 2);
    return rask_return_node(t, rask_sum(rask_list(g, all, 20)));
}
RASK_SLOTS(grow_pure_calls);

Test(growth, pure_calls_are_lent_unless_they_grow)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    forget_sights();
    cluster_begin(&c, 2, 1);
    must_compute(&c, g, rask_delayed(g, grow_pure_calls), 20 * 19 / 2 + 10);
    cr_expect_eq(count_seen(), 2);
    cluster_end(&c);
    rask_graph_free(g);
}

static int ping(rask_task *t);
RASK_SLOTS_WITH(ping, (.flags = RASK_PURE));

/* (number): needs ping of it, which needs this. */
static int pong(rask_task *t)
{
    sleep_ms(5);
    return rask_return_node(t, rask_delayed(rask_task_graph(t), ping, rask_arg_i64(t, 0)));
}
RASK_SLOTS(pong);

static int ping(rask_task *t)
{
    sleep_ms(5);
    return rask_return_node(t, rask_delayed(rask_task_graph(t), pong, rask_arg_i64(t, 0)));
}

static int grow_circles(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *all[6];
    for (int i = 0; i < 6; i++)
        all[i] = i % 2 ? rask_delayed(g, pong, i) : rask_delayed(g, ping, i);
    return rask_return_node(t, rask_sum(rask_list(g, all, 6)));
}
RASK_SLOTS(grow_circles);

Test(growth, what_waits_for_itself_fails_wherever_it_is)
{
    for (uint32_t workers = 2; workers <= 3; workers++) {
        cluster c;
        rask_graph *g = rask_graph_new();
        int64_t answer;
        cluster_begin(&c, workers, 1);
        rask_options o = on(&c);
        cr_expect_eq(rask_compute_with(rask_delayed(g, grow_circles), &o, &answer), RASK_ECYCLE, "%s",
                     rask_graph_error(g));
        cr_expect_not_null(strstr(rask_graph_error(g), "waits for itself"), "%s", rask_graph_error(g));
        cluster_end(&c);
        rask_graph_free(g);
    }
}

/* -- What goes wrong */

/* (number): fails when another worker than that of who grew it has it, the first time or for good. */
static int fail_elsewhere(rask_task *t)
{
    int64_t often = rask_arg_i64(t, 0);
    be_seen();
    await_seen(t, 2);
    if (getpid() != atomic_load(&sights_of_all->grower) && atomic_fetch_add(&sights_of_all->calls, 1) < often)
        return rask_fail(t, RASK_EIO, "nothing to read there");
    return rask_return_i64(t, 1);
}
RASK_SLOTS_WITH(fail_elsewhere, (.retries = 2));

/* (how often) */
static int grow_failures(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *all[8];
    atomic_store(&sights_of_all->grower, (int)getpid());
    be_seen();
    for (int i = 0; i < 8; i++)
        all[i] = rask_delayed(g, fail_elsewhere, rask_arg_i64(t, 0));
    return rask_return_node(t, rask_sum(rask_list(g, all, 8)));
}
RASK_SLOTS(grow_failures);

Test(growth, a_lent_call_is_repeated_where_it_failed)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    forget_sights();
    cluster_begin(&c, 2, 1);
    must_compute(&c, g, rask_delayed(g, grow_failures, 2), 8);
    cr_expect_geq(atomic_load(&sights_of_all->calls), 2);
    cluster_end(&c);
    rask_graph_free(g);
}

Test(growth, the_failure_of_a_lent_call_says_what_it_would_say_at_home)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    int64_t answer;
    forget_sights();
    cluster_begin(&c, 2, 1);
    rask_options o = on(&c);
    cr_expect_eq(rask_compute_with(rask_delayed(g, grow_failures, 1000), &o, &answer), RASK_EIO, "%s",
                 rask_graph_error(g));
    cr_expect_not_null(strstr(rask_graph_error(g), "task fail_elsewhere (node"), "%s", rask_graph_error(g));
    cr_expect_not_null(strstr(rask_graph_error(g), "): nothing to read there; needed by"), "%s",
                       rask_graph_error(g));
    cluster_end(&c);
    rask_graph_free(g);
}

/* Kills its process, if that is not who grew it, or if it is; a few times. */
static int kill_once(rask_task *t)
{
    bool home = getpid() == atomic_load(&sights_of_all->grower);
    be_seen();
    await_seen(t, 2);
    if (home == (bool)rask_arg_i64(t, 0) && !atomic_fetch_add(&sights_of_all->deaths, 1))
        raise(SIGKILL);
    sleep_ms(2);
    return rask_return_i64(t, rask_arg_i64(t, 1));
}
RASK_SLOTS(kill_once);

/* (whom) */
static int grow_killers(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *all[20];
    atomic_store(&sights_of_all->grower, (int)getpid());
    be_seen();
    for (int i = 0; i < 20; i++)
        all[i] = rask_delayed(g, kill_once, rask_arg_i64(t, 0), i);
    return rask_return_node(t, rask_sum(rask_list(g, all, 20)));
}
RASK_SLOTS(grow_killers);

static void compute_with_a_loss(bool grower)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    forget_sights();
    cluster_begin(&c, 3, 1);
    must_compute(&c, g, rask_delayed(g, grow_killers, grower), 20 * 19 / 2);
    cr_expect_geq(atomic_load(&sights_of_all->deaths), 1);
    cluster_end(&c);
    rask_graph_free(g);
}

Test(growth, nothing_is_lost_with_a_worker_that_has_borrowed)
{
    compute_with_a_loss(false);
}

Test(growth, nothing_is_lost_with_the_worker_whose_task_grew)
{
    compute_with_a_loss(true);
}

/* Waits for others, and then ends its process in any case. */
static int kill_always(rask_task *t)
{
    be_seen();
    await_seen(t, 2);
    atomic_fetch_add(&sights_of_all->deaths, 1);
    raise(SIGKILL);
    return RASK_OK;
}
RASK_SLOTS(kill_always);

static int grow_deaths(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *both[2] = {rask_delayed(g, kill_always), rask_delayed(g, kill_always)};
    be_seen();
    return rask_return_node(t, rask_sum(rask_list(g, both, 2)));
}
RASK_SLOTS(grow_deaths);

Test(growth, what_ends_every_worker_is_blamed)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    int64_t answer;
    forget_sights();
    cluster_begin(&c, 8, 1);
    rask_options o = on(&c);
    cr_expect_eq(rask_compute_with(rask_delayed(g, grow_deaths), &o, &answer), RASK_EDIED, "%s",
                 rask_graph_error(g));
    cr_expect_not_null(strstr(rask_graph_error(g), "task grow_deaths"), "%s", rask_graph_error(g));
    cr_expect_leq(atomic_load(&sights_of_all->deaths), 6);
    cluster_end(&c);
    rask_graph_free(g);
}

/* Goes on until it is told to end. */
static int wait_for_the_end(rask_task *t)
{
    be_seen();
    atomic_fetch_add(&sights_of_all->running, 1);
    while (!rask_task_cancelled(t))
        sleep_ms(1);
    atomic_fetch_sub(&sights_of_all->running, 1);
    return RASK_ECANCELLED;
}
RASK_SLOTS(wait_for_the_end);

/* Fails when both have begun with what goes on. */
static int fail_then(rask_task *t)
{
    while (atomic_load(&sights_of_all->running) < 2 && !rask_task_cancelled(t))
        sleep_ms(1);
    return rask_fail(t, RASK_EIO, "that is enough");
}
RASK_SLOTS(fail_then);

static int grow_endless(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *all[3] = {rask_delayed(g, wait_for_the_end), rask_delayed(g, wait_for_the_end),
                         rask_delayed(g, fail_then)};
    return rask_return_node(t, rask_sum(rask_list(g, all, 3)));
}
RASK_SLOTS(grow_endless);

Test(growth, a_failure_ends_what_was_lent)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    int64_t answer;
    forget_sights();
    cluster_begin(&c, 3, 1);
    rask_options o = on(&c);
    o.keep_going = true;
    cr_expect_eq(rask_compute_with(rask_delayed(g, grow_endless), &o, &answer), RASK_EIO, "%s",
                 rask_graph_error(g));
    cr_expect_eq(atomic_load(&sights_of_all->running), 0);
    cluster_end(&c);
    rask_graph_free(g);
}

/* -- What is counted */

/* (processes): how many are at it at once is counted. */
static int64_t use_licence(int64_t processes)
{
    int now = atomic_fetch_add(&sights_of_all->running, 1) + 1, most = atomic_load(&sights_of_all->most);
    while (most < now && !atomic_compare_exchange_weak(&sights_of_all->most, &most, now)) {
    }
    be_seen();
    for (int i = 0; i < 5000 && count_seen() < processes && now > 1; i++)
        sleep_ms(1);
    sleep_ms(1);
    atomic_fetch_sub(&sights_of_all->running, 1);
    return 1;
}
RASK_TASK_WITH(use_licence, (.tags = "licence"), i64, i64);

static int grow_licences(rask_task *t)
{
    rask_graph *g = rask_task_graph(t);
    rask_node *all[40];
    for (int i = 0; i < 40; i++)
        all[i] = rask_delayed(g, use_licence, 3);
    return rask_return_node(t, rask_sum(rask_list(g, all, 40)));
}
RASK_SLOTS_WITH(grow_licences, (.tags = "licence"));

Test(growth, lent_calls_take_of_what_is_counted_where_they_run)
{
    cluster c;
    rask_graph *g = rask_graph_new();
    int64_t answer = 0;
    forget_sights();
    cluster_begin(&c, 3, 1);
    rask_options o = on(&c);
    o.limits = "licence=2";
    cr_assert_eq(rask_compute_with(rask_delayed(g, grow_licences), &o, &answer), RASK_OK, "%s",
                 rask_graph_error(g));
    cr_expect_eq(answer, 40);
    cr_expect_leq(atomic_load(&sights_of_all->most), 2);
    cr_expect_eq(atomic_load(&sights_of_all->running), 0);
    cluster_end(&c);
    rask_graph_free(g);
}
