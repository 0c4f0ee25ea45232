#include "schedulers/cluster/status.h"

#include "core/base/clock.h"
#include "schedulers/cluster/conduct.h"

#include <rask/cluster.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- Telling */

static uint32_t count_welcome(const rk_hub *hub)
{
    uint32_t count = 0;
    rk_member *const *members = hub->members.data;
    for (size_t i = 0; i < hub->members.count; i++)
        count += members[i]->welcome;
    return count;
}

static uint32_t count_runs(const rk_hub *hub)
{
    uint32_t count = 0;
    for (const rk_conduct *c = hub->conducts; c; c = c->next)
        count++;
    return count;
}

static uint32_t most_told(uint32_t count)
{
    return count < RK_MAX_TOLD ? count : RK_MAX_TOLD;
}

static void tell_program(rk_hub *hub, rk_member *to)
{
    char host[96] = "";
    gethostname(host, sizeof host - 1);
    rk_hub_say(
        hub, to,
        &(rk_message){.kind = RK_SAY_TELL_PROGRAM,
                      .version = RK_PROTOCOL_VERSION,
                      .done = most_told(count_runs(hub)),
                      .threads = most_told(count_welcome(hub)),
                      .age = hub->now - hub->opened_ns,
                      .text = rk_word(host),
                      .program = {(const char *)hub->ids.program.module, sizeof hub->ids.program.module}});
}

/* What it has and does in all runs together; its epoch is the newest one's. */
static void add_runs(const rk_hub *hub, const rk_member *member, rk_message *m)
{
    uint32_t newest = 0;
    for (const rk_conduct *c = hub->conducts; c; c = c->next)
        for (uint32_t home = 1; home < c->home_count; home++) {
            const rk_hand *hand = &c->hands[home];
            if (hand->member != member || !hand->joined)
                continue;
            rk_home_figures figures = rk_coordinator_get_home(c->coordinator, home);
            m->task += hand->under_way;
            m->size += figures.live + figures.reserved;
            m->attempt = c->number >= newest ? hand->epoch : m->attempt;
            newest = c->number > newest ? c->number : newest;
        }
}

static void tell_worker(rk_hub *hub, rk_member *to, const rk_member *member)
{
    rk_message m = {.kind = RK_SAY_TELL_WORKER,
                    .worker = member->peer,
                    .done = (uint32_t)(member->done < UINT32_MAX ? member->done : UINT32_MAX),
                    .threads = member->threads,
                    .lanes = member->lanes,
                    .bytes = member->memory,
                    .age = hub->now - member->joined_ns,
                    .flag = member->leaving || member->doom,
                    .text = rk_word(member->name)};
    add_runs(hub, member, &m);
    rk_hub_say(hub, to, &m);
}

static void tell_run(rk_hub *hub, rk_member *to, const rk_conduct *c)
{
    const rk_run *run = c->run;
    rk_message m = {.kind = RK_SAY_TELL_RUN,
                    .run = c->number,
                    .unit = run->plan->tasks,
                    .done = run->finished,
                    .status = run->failed,
                    .retries = (uint32_t)(run->retries + rk_coordinator_get_figures(c->coordinator).retries),
                    .age = hub->now > run->info.start_ns ? hub->now - run->info.start_ns : 0,
                    .flag = c->stopping_since || c->ended};
    for (uint32_t home = 1; home < c->home_count; home++) {
        m.threads += c->hands[home].joined;
        m.task += c->hands[home].joined ? c->hands[home].under_way : 0;
    }
    rk_hub_say(hub, to, &m);
}

rk_said rk_status_tell(rk_hub *hub, rk_member *member, const rk_message *ask, const char **why)
{
    uint32_t told = 0;
    rk_member *const *members = hub->members.data;
    *why = "it had asked, and did not go";
    if (ask->version != RK_PROTOCOL_VERSION) {
        *why = "who asks speaks another version of the protocol";
        return RK_SAY_REFUSED;
    }
    tell_program(hub, member);
    for (size_t i = 0; i < hub->members.count && told < RK_MAX_TOLD; i++)
        if (members[i]->welcome && ++told)
            tell_worker(hub, member, members[i]);
    told = 0;
    for (const rk_conduct *c = hub->conducts; c && told < RK_MAX_TOLD; c = c->next, told++)
        tell_run(hub, member, c);
    return RK_SAY_TOLD_ALL;
}

/* -- Asking */

enum { REDIAL_MS = 200, PATIENCE = 5, PATIENCE_REFUSED = 1 };

typedef struct answer {
    rask_cluster_state state; /* first: what the caller has */
    char host[128];
    uint32_t most_workers, most_runs; /* that the program said it tells of */
    rask_cluster_worker_state *workers;
    rask_cluster_run_state *runs;
    char (*hosts)[128]; /* by worker */
} answer;

typedef struct asking {
    rk_line line;
    rk_mouth mouth;
    const char *address;
    char contact[RK_MAX_CONTACT + 1]; /* the same with a key */
    uint32_t program;                 /* peer */
    uint64_t dialled_ns;
    answer *answer; /* NULL: nothing came yet */
    bool joined, over;
    bool refused; /* nobody listens there: somebody who begins to may be waited for, but not for long */
    int status;
    char keys[256]; /* what is to be known of its keys when they are not those of the program */
    char *reason;
    size_t capacity;
} asking;

static void end(asking *a, int status, const char *why)
{
    a->over = true;
    a->status = status;
    if (status)
        snprintf(a->reason, a->capacity, "%s", why);
}

static void answer_free(answer *all)
{
    if (!all)
        return;
    rk_free(all->workers);
    rk_free(all->runs);
    rk_free(all->hosts);
    rk_free(all);
}

void rask_cluster_state_free(rask_cluster_state *state)
{
    answer_free((answer *)(void *)state); /* which it is the first of */
}

static void print_program(const rk_message *m, char text[41])
{
    text[0] = '\0';
    for (size_t i = 0; i < m->program.len && i < 20; i++)
        snprintf(text + 2 * i, 3, "%02x", (unsigned char)m->program.data[i]);
}

static void hear_program(asking *a, const rk_message *m)
{
    uint32_t workers = m->threads, runs = m->done;
    if (a->answer || workers > RK_MAX_TOLD || runs > RK_MAX_TOLD) {
        end(a, RASK_EFORMAT, "what came is no answer");
        return;
    }
    answer *all = a->answer = rk_calloc(1, sizeof *all);
    if (all) {
        all->workers = rk_calloc(workers + 1u, sizeof *all->workers);
        all->runs = rk_calloc(runs + 1u, sizeof *all->runs);
        all->hosts = rk_calloc(workers + 1u, sizeof *all->hosts);
    }
    if (!all || !all->workers || !all->runs || !all->hosts) {
        end(a, RASK_ENOMEM, "no memory for the answer");
        return;
    }
    all->most_workers = workers;
    all->most_runs = runs;
    rk_word_copy(all->host, sizeof all->host, m->text);
    print_program(m, all->state.program);
    all->state.host = all->host;
    all->state.workers = all->workers;
    all->state.runs = all->runs;
    all->state.protocol = m->version;
    all->state.seconds = (double)m->age / 1e9;
}

static void hear_worker(asking *a, const rk_message *m)
{
    answer *all = a->answer;
    if (!all || all->state.worker_count == all->most_workers) {
        end(a, RASK_EFORMAT, "what came is no answer");
        return;
    }
    uint32_t at = all->state.worker_count++;
    rk_word_copy(all->hosts[at], sizeof all->hosts[at], m->text);
    all->workers[at] = (rask_cluster_worker_state){.id = m->worker,
                                                   .host = all->hosts[at],
                                                   .threads = m->threads,
                                                   .lanes = m->lanes,
                                                   .running = m->task,
                                                   .done = m->done,
                                                   .memory = m->bytes,
                                                   .memory_used = m->size,
                                                   .seconds = (double)m->age / 1e9,
                                                   .epoch = m->attempt,
                                                   .leaving = m->flag != 0};
}

static void hear_run(asking *a, const rk_message *m)
{
    answer *all = a->answer;
    if (!all || all->state.run_count == all->most_runs) {
        end(a, RASK_EFORMAT, "what came is no answer");
        return;
    }
    uint64_t behind = (uint64_t)m->done + m->status + m->task;
    all->runs[all->state.run_count++] =
        (rask_cluster_run_state){.id = m->run,
                                 .tasks = m->unit,
                                 .finished = m->done,
                                 .failed = m->status,
                                 .running = m->task,
                                 .queued = behind < m->unit ? (uint32_t)(m->unit - behind) : 0,
                                 .workers = m->threads,
                                 .seconds = (double)m->age / 1e9,
                                 .retries = m->retries,
                                 .ending = m->flag != 0};
}

static void hear(asking *a, const rk_message *m)
{
    char why[256];
    switch (m->kind) {
    case RK_SAY_TELL_PROGRAM: hear_program(a, m); break;
    case RK_SAY_TELL_WORKER: hear_worker(a, m); break;
    case RK_SAY_TELL_RUN: hear_run(a, m); break;
    case RK_SAY_TOLD_ALL: end(a, a->answer ? RASK_OK : RASK_EFORMAT, "what came is no answer"); break;
    case RK_SAY_REFUSED:
        rk_word_copy(why, sizeof why, m->text);
        end(a, RASK_EUNSUPPORTED, why);
        break;
    default: end(a, RASK_EFORMAT, "what came is no answer"); break;
    }
}

static void message(void *context, uint32_t peer, const void *bytes, size_t size)
{
    asking *a = context;
    rk_pack_in in = {bytes, (const char *)bytes + size, false, NULL};
    rk_message m;
    while (peer == a->program && !a->over && rk_message_get(&in, &m))
        hear(a, &m);
    if (in.failed && !a->over)
        end(a, RASK_EFORMAT, "what came is no answer");
}

static void joined(void *context, uint32_t peer, bool dialled)
{
    asking *a = context;
    (void)dialled;
    if (peer != a->program)
        return;
    a->joined = true;
    rk_mouth_say(&a->mouth, &a->line, peer,
                 &(rk_message){.kind = RK_SAY_ASK, .version = RK_PROTOCOL_VERSION});
}

/* Nobody may be there yet; who does not know the key, or the question, will not answer later either. */
static void lost(void *context, uint32_t peer, int status, const char *why)
{
    asking *a = context;
    if (peer != a->program || a->over)
        return;
    a->program = RK_NO_PEER;
    if (a->joined || status == RASK_EINVAL || status == RASK_EUNSUPPORTED) {
        snprintf(a->reason, a->capacity, "the program at %.200s: %s%s", a->address, why,
                 status == RASK_EINVAL ? a->keys : "");
        a->over = true;
        a->status = status;
    } else {
        a->refused = true;
        snprintf(a->reason, a->capacity, "%s", why);
    }
}

static const void *object(void *context, uint32_t peer, uint64_t number, uint64_t begin, size_t size,
                          uint64_t *total)
{
    (void)context, (void)peer, (void)number, (void)begin, (void)size, (void)total;
    return NULL;
}

static void pulled(void *context, uint64_t ticket, int status)
{
    (void)context, (void)ticket, (void)status;
}

static void dial(asking *a, uint64_t now)
{
    a->dialled_ns = now;
    int status = a->line.engine->dial(a->line.transport, a->contact, &a->program);
    if (status)
        a->program = RK_NO_PEER;
    if (status == RASK_EINVAL) {
        char why[512];
        rk_line_tell_unusable(a->address, why, sizeof why);
        end(a, status, why);
    } else if (status)
        snprintf(a->reason, a->capacity, "%.200s: %s", a->address, rask_status_text(status));
}

/* patience: 0: none was asked for. */
static void ask_until(asking *a, double asked)
{
    uint64_t begin = rk_clock_now();
    while (!a->over) {
        uint64_t now = rk_clock_now();
        double patience = asked > 0 ? asked : a->refused ? PATIENCE_REFUSED : PATIENCE;
        if ((double)(now - begin) >= patience * 1e9) {
            char why[256];
            snprintf(why, sizeof why, "no program computes at %.110s just now: %.100s", a->address,
                     *a->reason ? a->reason : "who is there, if anybody, says nothing");
            end(a, RASK_EIO, why);
            return;
        }
        if (a->program == RK_NO_PEER && now - a->dialled_ns >= REDIAL_MS * UINT64_C(1000000))
            dial(a, now);
        if (a->joined)
            rk_mouth_flush(&a->mouth, &a->line, a->program);
        rk_line_turn(&a->line, 20000000);
    }
}

/* As a worker of the cluster: its key is known to the program. */
static int open_line(asking *a, const rask_worker_options *o, const rk_cluster_keys *keys)
{
    char known[RK_MAX_KEY + 1];
    const char *allowed[] = {known};
    rk_transport_setup t = {.events = {a, joined, message, lost, object, NULL, pulled}};
    if (strncmp(o->address, "mpi:", strlen("mpi:")) == 0) {
        snprintf(a->reason, a->capacity, "the ranks of a job answer to nobody else");
        return RASK_EUNSUPPORTED;
    }
    int status = rk_line_engine(o->address, &a->line.engine, a->reason, a->capacity);
    if (status)
        return status;
    snprintf(a->contact, sizeof a->contact, "%s", o->address);
    t.keys.open_door = !keys;
    if (keys) {
        if (a->line.engine->public_key(keys->program, known)) {
            snprintf(a->reason, a->capacity, "a key of the key file cannot be read");
            return RASK_EINVAL;
        }
        t.keys.secret = keys->worker;
        t.keys.allowed = allowed;
        t.keys.allowed_count = 1;
        snprintf(a->contact, sizeof a->contact, "%.380s/%s", o->address, known);
    }
    return rk_line_open(&a->line, &t, a->reason, a->capacity);
}

static int by_worker(const void *a, const void *b)
{
    uint32_t x = ((const rask_cluster_worker_state *)a)->id, y = ((const rask_cluster_worker_state *)b)->id;
    return (x > y) - (x < y);
}

static int by_run(const void *a, const void *b)
{
    uint32_t x = ((const rask_cluster_run_state *)a)->id, y = ((const rask_cluster_run_state *)b)->id;
    return (x > y) - (x < y);
}

static int ask(asking *a, const rask_worker_options *o)
{
    rk_cluster_keys keys;
    char path[RK_MAX_KEY_PATH + 1];
    int status = rk_cluster_keys_choose(o->address, o->key_file, o->insecure, path, a->reason, a->capacity);
    if (!status && *path)
        status = rk_cluster_keys_read(path, &keys, a->reason, a->capacity);
    if (!status)
        status = open_line(a, o, *path ? &keys : NULL);
    rk_cluster_keys_tell(path, a->keys, sizeof a->keys);
    explicit_bzero(&keys, sizeof keys);
    if (status)
        return status;
    rk_mouth_init(&a->mouth);
    ask_until(a, o->patience);
    rk_line_close(&a->line);
    rk_mouth_fini(&a->mouth);
    return a->status;
}

int rask_cluster_ask(const rask_worker_options *options, rask_cluster_state **out, char *reason,
                     size_t capacity)
{
    rask_worker_options o = RASK_WORKER_OPTIONS_INIT;
    if (!options || !options->size || options->size > sizeof o || !out) {
        snprintf(reason, capacity, "options: start from RASK_WORKER_OPTIONS_INIT");
        return RASK_EINVAL;
    }
    memcpy(&o, options, options->size);
    if (!o.address || !*o.address) {
        snprintf(reason, capacity, "there is no address to ask at");
        return RASK_EINVAL;
    }
    asking a = {.program = RK_NO_PEER, .address = o.address, .reason = reason, .capacity = capacity};
    *reason = '\0';
    int status = ask(&a, &o);
    if (status) {
        answer_free(a.answer);
        return status;
    }
    qsort(a.answer->workers, a.answer->state.worker_count, sizeof *a.answer->workers, by_worker);
    qsort(a.answer->runs, a.answer->state.run_count, sizeof *a.answer->runs, by_run);
    *out = &a.answer->state;
    return RASK_OK;
}
