/* Tasks that wait before they are called again, on a cluster: as on all schedulers (../test_backoff.c). */
#include "../backing_off.h"
#include "workers.h"

/* Before there are workers. */
static void share_counts(void)
{
    shared_counts = new_counts();
}

TestSuite(cluster_backoff, .init = share_counts, .timeout = 100);

Test(cluster_backoff, tasks_of_a_compute_leave_their_worker_to_others)
{
    cluster c;
    cluster_begin(&c, 1, 1);
    rask_options o = on(&c);
    must_pass(&o, false);
    must_pass(&o, true);
    must_keep_tags(o);
    cluster_end(&c);
}

Test(cluster_backoff, a_task_that_rests_goes_on_wherever_there_is_time)
{
    cluster c;
    cluster_begin(&c, 2, 1);
    rask_options o = on(&c);
    must_pass(&o, false);
    for (int calls = 1; calls <= 4; calls++)
        must_fail_after(o, calls);
    cluster_end(&c);
}

Test(cluster_backoff, a_task_that_rests_holds_no_memory)
{
    cluster c;
    cluster_begin(&c, 0, 1);
    c.count = 1;
    c.memory = 4 << 20;
    cluster_hire(&c, 0);
    rask_options o = on(&c);
    o.memory = 4 << 20;
    must_pass_through_memory(o);
    cluster_end(&c);
}

Test(cluster_backoff, whatever_ends_a_run_ends_the_wait)
{
    cluster c;
    cluster_begin(&c, 1, 1);
    must_be_cancelled(on(&c));
    must_run_out_of_time(on(&c));
    must_fail_meanwhile(on(&c));
    cluster_end(&c);
}

Test(cluster_backoff, tasks_that_run_in_the_program_leave_its_threads_to_others)
{
    cluster c;
    cluster_begin(&c, 1, 1);
    must_pass_here(on(&c));
    must_grow_meanwhile(on(&c));
    cluster_end(&c);
}
