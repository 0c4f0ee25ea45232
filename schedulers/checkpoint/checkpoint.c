#include "schedulers/checkpoint/checkpoint.h"

#include "core/base/limits.h"
#include "schedulers/checkpoint/derive.h"
#include "schedulers/checkpoint/folder.h"
#include "schedulers/checkpoint/keys.h"
#include "schedulers/scheduler.h"

#include <string.h>

/* One call of rk_checkpoint_run(). */
typedef struct resuming {
    rask_plan *plan;
    const rask_options *options;
    rask_value *results;
    rk_journal *journal;
    rk_key *keys; /* by task of the plan */
    rk_left left;
    bool apart;
} resuming;

/* -- Results */

/* Of the plan that ran, by the targets that were asked for. */
static void hand_out(const resuming *r, rask_value *came)
{
    const rask_plan *plan = r->plan;
    uint32_t next = 0;
    for (uint32_t i = 0; i < plan->target_count; i++)
        r->results[i] = plan->targets[i] & RK_CONSTANT
                            ? rask_value_ref(&rk_plan_constants(plan)[plan->targets[i] & ~RK_CONSTANT])
                            : came[next++];
}

/* What the other plan says of its run is said of this one. */
static void take_over_outcome(const resuming *r, rask_plan *ran)
{
    rask_plan *plan = r->plan;
    rk_plan_forget(plan);
    plan->error = ran->error;
    plan->failures = ran->failures;
    plan->failure_count = ran->failure_count;
    ran->error = NULL;
    ran->failures = NULL;
    ran->failure_count = 0;
    for (uint32_t i = 0; i < plan->failure_count; i++) {
        rask_failure *failure = &plan->failures[i];
        if (failure->node < r->left.nodes && r->left.task_of[failure->node] != UINT32_MAX)
            failure->task = r->left.task_of[failure->node];
    }
}

/* -- Running what is left */

static int execute(const resuming *r, rask_plan *ran, rask_value *came)
{
    rk_checkpoint checkpoint = {.journal = r->journal};
    if (r->apart)
        return rk_plan_execute(ran, r->options, NULL, came);
    checkpoint.keys = rk_left_keys(&r->left, ran);
    if (!checkpoint.keys)
        return rk_plan_fail(ran, RASK_ENOMEM, "checkpoint: out of memory");
    int status = rk_plan_execute(ran, r->options, &checkpoint, came);
    rk_free(checkpoint.keys);
    return status;
}

static int execute_left(const resuming *r)
{
    rask_plan *ran = NULL;
    int status = rk_left_plan(&r->left, r->apart, &ran);
    if (status)
        return rk_plan_fail(r->plan, status, "checkpoint: no plan of what is left: %s",
                            rask_status_text(status));
    rask_value *came = rk_calloc((size_t)ran->target_count + 1, sizeof *came);
    status = came ? execute(r, ran, came) : rk_plan_fail(ran, RASK_ENOMEM, "checkpoint: out of memory");
    take_over_outcome(r, ran);
    if (!status)
        hand_out(r, came);
    rk_free(came);
    rask_plan_free(ran);
    return status;
}

/* Nothing is there, and nothing needs to be added: the plan will do as it is. */
static bool is_all_left(const resuming *r)
{
    return !r->left.found && !r->apart;
}

static int run_once(resuming *r)
{
    int status = rk_left_init(&r->left, r->plan, r->journal, r->keys);
    if (status)
        status = rk_plan_fail(r->plan, status, "checkpoint: out of memory");
    else
        status = is_all_left(r) ? execute(r, r->plan, r->results) : execute_left(r);
    return status;
}

static bool has_tasks(const rask_plan *plan)
{
    for (uint32_t i = 0; i < plan->target_count; i++)
        if (!(plan->targets[i] & RK_CONSTANT))
            return true;
    return false;
}

/* A result that turns out to be damaged when it is read is not found any more: what is left then is run anew, and finds all that was
 * kept meanwhile. */
static int run_until_sound(resuming *r)
{
    for (;;) {
        uint64_t damaged = rk_journal_get_figures(r->journal).damaged;
        int status = run_once(r);
        rk_journal_flush(r->journal);
        bool again = status == RASK_EFORMAT && rk_journal_get_figures(r->journal).damaged > damaged;
        if (!again)
            return status;
        rk_left_fini(&r->left);
    }
}

static void report(const resuming *r, rk_journal_figures before)
{
    rask_report *told = r->options->report;
    rk_journal_figures now = rk_journal_get_figures(r->journal);
    if (!told)
        return;
    told->from_checkpoint = r->left.found;
    told->kept = now.kept - before.kept;
    told->kept_bytes = now.bytes - before.bytes;
    rk_journal_get_note(r->journal, told->checkpoint_note);
}

_Static_assert(sizeof((rask_report *)0)->checkpoint_note == RK_JOURNAL_NOTE, "a note fits");

static int run_with_keys(resuming *r)
{
    rk_journal_figures before = rk_journal_get_figures(r->journal);
    int status = rk_keys_new(r->plan, &r->keys);
    if (status)
        return rk_plan_fail(r->plan, status, "checkpoint: out of memory");
    status = run_until_sound(r);
    report(r, before);
    rk_left_fini(&r->left);
    rk_free(r->keys);
    return status;
}

int rk_checkpoint_run(rask_plan *plan, const rask_options *options, rask_value *results)
{
    char message[RK_MAX_MESSAGE];
    resuming r = {.plan = plan, .options = options, .results = results};
    r.apart = rk_scheduler_find(options->scheduler)->apart;
    if (!has_tasks(plan))
        return rk_plan_execute(plan, options, NULL, results);
    int status = rk_journal_open(options->checkpoint, &r.journal, message, sizeof message);
    if (status)
        return rk_plan_fail(plan, status, "%s", message);
    if (!r.journal)
        return rk_plan_execute(plan, options, NULL, results);
    status = run_with_keys(&r);
    rk_journal_close(r.journal);
    const char *text = plan->error ? plan->error : rask_status_text(status);
    return rk_graph_report(plan->graph, status, "%s", text);
}

/* -- What runs share */

static bool get_head(const char *folder, rk_folder_head *head)
{
    char message[RK_MAX_MESSAGE];
    return folder && *folder && !rk_folder_make(folder, message, sizeof message) &&
           !rk_folder_head_of(folder, head, message, sizeof message);
}

uint64_t rask_checkpoint_seed(const char *folder)
{
    rk_folder_head head;
    return get_head(folder, &head) ? head.secret : 0;
}

bool rk_checkpoint_memory(const char *folder, uint64_t *memory)
{
    rk_folder_head head;
    if (!get_head(folder, &head))
        return false;
    uint64_t now = rask_default_memory(), most = now / RK_BUDGET_PERCENT * 100;
    *memory = head.memory <= most ? head.memory : now;
    return true;
}
