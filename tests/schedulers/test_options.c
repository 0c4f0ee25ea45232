/* Options and environment: what fills what, what is refused and with which words. */
#include "core/base/limits.h"
#include "schedulers/scheduler.h"

#include <criterion/criterion.h>
#include <math.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each case starts without the variables that matter. */
static void forget_environment(void)
{
    unsetenv("RASK_SCHEDULER");
    unsetenv("RASK_WORKERS");
    unsetenv("RASK_MEMORY");
    unsetenv("RASK_SCRATCH");
    unsetenv("TMPDIR");
}

TestSuite(options, .init = forget_environment);

static char reason[256];

static int resolve(const rask_options *options, rask_options *out)
{
    *reason = '\0';
    return rk_options_resolve(options, out, reason, sizeof reason);
}

/* With one variable set. */
static int resolve_with(const char *name, const char *value, rask_options *out)
{
    setenv(name, value, 1);
    int status = resolve(NULL, out);
    unsetenv(name);
    return status;
}

static void must_say(const char *part)
{
    cr_assert_not_null(strstr(reason, part), "\"%s\" lacks \"%s\"", reason, part);
}

Test(options, without_options_everything_has_a_default)
{
    rask_options o;
    cr_assert_eq(resolve(NULL, &o), RASK_OK);
    cr_assert_str_eq(o.scheduler, "threads");
    cr_assert_eq(o.workers, rask_default_workers());
    cr_assert_eq(o.memory, 0, "the machine is asked when it matters");
    cr_assert_gt(rask_default_memory(), 1 << 20);
    cr_assert_geq(o.io_lanes, 16);
    cr_assert_not(o.keep_going);
}

Test(options, every_scheduler_of_the_build_is_known_by_name)
{
    const char *const *names = rask_schedulers();
    cr_assert_not_null(names[0]);
    for (; *names; names++) {
        rask_options o = RASK_OPTIONS_INIT, out;
        o.scheduler = *names;
        cr_assert_eq(resolve(&o, &out), RASK_OK);
        cr_assert_str_eq(rk_scheduler_find(*names)->name, *names);
    }
}

Test(options, it_is_known_what_tasks_see_of_memory)
{
    cr_assert(rask_scheduler_shares_memory("threads") && rask_scheduler_sees_memory("threads"));
    cr_assert(!rask_scheduler_shares_memory("processes") && rask_scheduler_sees_memory("processes"));
    cr_assert(!rask_scheduler_shares_memory("cluster") && !rask_scheduler_sees_memory("cluster"));
    cr_assert(!rask_scheduler_sees_memory("nobody") && !rask_scheduler_sees_memory(NULL));
}

Test(options, serial_has_one_worker)
{
    rask_options o = RASK_OPTIONS_INIT, out;
    o.scheduler = "serial";
    o.workers = 8;
    cr_assert_eq(resolve(&o, &out), RASK_OK);
    cr_assert_eq(out.workers, 1);
}

Test(options, the_environment_fills_what_options_leave_open)
{
    rask_options o = RASK_OPTIONS_INIT, out;
    setenv("RASK_SCHEDULER", "threads", 1);
    setenv("RASK_WORKERS", "3", 1);
    setenv("RASK_MEMORY", "2G", 1);
    cr_assert_eq(resolve(NULL, &out), RASK_OK);
    cr_assert_str_eq(out.scheduler, "threads");
    cr_assert_eq(out.workers, 3);
    cr_assert_eq(out.memory, 2ull << 30);
    o.workers = 5;
    o.memory = 1000;
    cr_assert_eq(resolve(&o, &out), RASK_OK);
    cr_assert_eq(out.workers, 5);
    cr_assert_eq(out.memory, 1000);
    o.scheduler = "serial";
    cr_assert_eq(resolve(&o, &out), RASK_OK);
    cr_assert_str_eq(out.scheduler, "serial");
}

Test(options, scratch_files_go_where_options_or_the_environment_say)
{
    rask_options o = RASK_OPTIONS_INIT, out;
    cr_assert_eq(resolve_with("TMPDIR", "", &out), RASK_OK);
    cr_assert_str_eq(out.scratch, "/tmp");
    cr_assert_eq(resolve_with("TMPDIR", "/var/tmp", &out), RASK_OK);
    cr_assert_str_eq(out.scratch, "/var/tmp");
    cr_assert_eq(resolve_with("RASK_SCRATCH", "/var/tmp/.", &out), RASK_OK);
    cr_assert_str_eq(out.scratch, "/var/tmp/.");
    o.scratch = "/tmp/.";
    cr_assert_eq(resolve(&o, &out), RASK_OK);
    cr_assert_str_eq(out.scratch, "/tmp/.");
}

Test(options, empty_variables_say_nothing)
{
    rask_options out;
    cr_assert_eq(resolve_with("RASK_SCHEDULER", "", &out), RASK_OK);
    cr_assert_eq(resolve_with("RASK_WORKERS", "", &out), RASK_OK);
    cr_assert_eq(resolve_with("RASK_MEMORY", "", &out), RASK_OK);
    cr_assert_str_eq(out.scheduler, "threads");
}

Test(options, sizes_are_numbers_with_binary_units)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"512", 512},       {"1K", 1 << 10},        {"64K", 64 << 10},    {"64KiB", 64 << 10},
        {"64KB", 64 << 10}, {"512M", 512ull << 20}, {"2GiB", 2ull << 30}, {"1.5G", 3ull << 29},
        {"0.5KiB", 512},    {"3T", 3ull << 40},     {"1P", 1ull << 50},   {"1e3", 1000},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        rask_options out;
        cr_assert_eq(resolve_with("RASK_MEMORY", good[i].text, &out), RASK_OK, "%s", good[i].text);
        cr_assert_eq(out.memory, good[i].bytes, "%s gave %llu", good[i].text, (unsigned long long)out.memory);
    }
}

Test(options, bad_sizes_are_refused_by_name)
{
    static const char *const bad[] = {"x",     "M",   "-1",  "-1G", "5Q",   "5 G",
                                      "1GiBs", "1Gi", "nan", "inf", "1e30", "9999999P"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rask_options out;
        cr_assert_eq(resolve_with("RASK_MEMORY", bad[i], &out), RASK_EINVAL, "%s was taken as %llu", bad[i],
                     (unsigned long long)out.memory);
        must_say("RASK_MEMORY");
        must_say(bad[i]);
    }
}

Test(options, bad_numbers_of_workers_are_refused_by_name)
{
    static const char *const bad[] = {"0",   "-1", " -1", "x", "3x", "1.5", "1025", "99999999999999999999",
                                      "0x10"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rask_options out;
        cr_assert_eq(resolve_with("RASK_WORKERS", bad[i], &out), RASK_EINVAL, "%s was taken as %u", bad[i],
                     out.workers);
        must_say("RASK_WORKERS");
        must_say(bad[i]);
    }
    rask_options out;
    cr_assert_eq(resolve_with("RASK_WORKERS", "1024", &out), RASK_OK);
    cr_assert_eq(out.workers, 1024);
}

Test(options, an_unknown_scheduler_is_refused_by_name)
{
    rask_options o = RASK_OPTIONS_INIT, out;
    cr_assert_eq(resolve_with("RASK_SCHEDULER", "fibers", &out), RASK_EINVAL);
    must_say("fibers");
    must_say("threads");
    o.scheduler = "Threads";
    cr_assert_eq(resolve(&o, &out), RASK_EINVAL);
    o.scheduler = "";
    cr_assert_eq(resolve(&o, &out), RASK_EINVAL);
}

Test(options, numbers_out_of_range_are_refused)
{
    rask_options o = RASK_OPTIONS_INIT, out;
    o.workers = RK_MAX_WORKERS + 1;
    cr_assert_eq(resolve(&o, &out), RASK_ERANGE);
    must_say("1025");
    o.workers = 1;
    o.timeout = -0.5;
    cr_assert_eq(resolve(&o, &out), RASK_EINVAL);
    o.timeout = NAN;
    cr_assert_eq(resolve(&o, &out), RASK_EINVAL);
    must_say("timeout");
    o.timeout = INFINITY;
    cr_assert_eq(resolve(&o, &out), RASK_OK);
}

Test(options, injection_needs_a_seed)
{
    rask_options o = RASK_OPTIONS_INIT, out;
    o.inject_failures = 1;
    cr_assert_eq(resolve(&o, &out), RASK_EINVAL);
    must_say("seed");
    o.seed = 1;
    cr_assert_eq(resolve(&o, &out), RASK_OK);
}

Test(options, io_lanes_have_a_ceiling)
{
    rask_options o = RASK_OPTIONS_INIT, out;
    o.io_lanes = UINT32_MAX;
    cr_assert_eq(resolve(&o, &out), RASK_OK);
    cr_assert_eq(out.io_lanes, RK_MAX_LANES);
}

Test(options, observers_must_be_there_and_have_a_size)
{
    rask_observer observer = {.size = 0};
    const rask_observer *observers[] = {NULL};
    rask_options o = RASK_OPTIONS_INIT, out;
    o.observer_count = 1;
    cr_assert_eq(resolve(&o, &out), RASK_EINVAL);
    o.observers = observers;
    cr_assert_eq(resolve(&o, &out), RASK_EINVAL);
    observers[0] = &observer;
    cr_assert_eq(resolve(&o, &out), RASK_EINVAL);
    must_say("observers");
    observer.size = sizeof observer;
    cr_assert_eq(resolve(&o, &out), RASK_OK);
}

Test(options, options_of_an_older_client_are_filled_up_with_defaults)
{
    rask_options o = RASK_OPTIONS_INIT, out;
    o.workers = 3;
    o.report = (rask_report *)-1;
    o.cancel = (rask_cancel_token *)-1;
    o.size = offsetof(rask_options, cancel);
    cr_assert_eq(resolve(&o, &out), RASK_OK);
    cr_assert_eq(out.workers, 3);
    cr_assert_null(out.cancel);
    cr_assert_null(out.report);
}

Test(options, options_without_a_size_or_of_a_newer_client_are_refused)
{
    rask_options o = RASK_OPTIONS_INIT, out;
    o.size = 0;
    cr_assert_eq(resolve(&o, &out), RASK_EINVAL);
    must_say("RASK_OPTIONS_INIT");
    o.size = sizeof o + 1;
    cr_assert_eq(resolve(&o, &out), RASK_EINVAL);
}

Test(options, a_refused_option_is_told_by_the_graph)
{
    rask_graph *g = rask_graph_new();
    rask_options o = RASK_OPTIONS_INIT;
    int64_t answer = 4;
    o.scheduler = "fibers";
    cr_assert_eq(rask_compute_with(rask_const(g, 1), &o, &answer), RASK_EINVAL);
    cr_assert_eq(answer, 4);
    cr_assert_not_null(strstr(rask_graph_error(g), "fibers"), "%s", rask_graph_error(g));
    rask_graph_free(g);
}

Test(options, a_long_bad_value_is_cut)
{
    char value[3000];
    rask_options out;
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    cr_assert_eq(resolve_with("RASK_SCHEDULER", value, &out), RASK_EINVAL);
    cr_assert_lt(strlen(reason), sizeof reason);
}
