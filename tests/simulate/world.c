/* The hands: they do what the instructions say, in simulated time, and let happen what the scenario has planned. */
#include "simulate.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_NS UINT64_C(1000000000000)

enum { MOST_EVENTS = 1000000, RUNS_TAG = 1, LOANS = 5 };
enum { REPLACED_AFTER = 5, NOTICED_AFTER = 20 }; /* in times a message takes: a worker that died */

uint64_t mix_hash(uint64_t sum, uint64_t next)
{
    sum = (sum ^ next) * 0x9e3779b97f4a7c15u;
    return sum ^ sum >> 29;
}

void world_wrong(world *w, const char *format, ...)
{
    if (w->wrong)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(w->text, sizeof w->text, format, args);
    va_end(args);
    w->wrong = w->text;
}

/* The queue of events. */

static bool is_before(const event *a, const event *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

void world_add_event(world *w, uint64_t at, event e)
{
    if (w->event_count == w->event_room) {
        w->event_room = w->event_room ? 2 * w->event_room : 256;
        w->events = realloc(w->events, w->event_room * sizeof *w->events);
    }
    e.at = at;
    e.order = ++w->events_made;
    uint32_t place = w->event_count++;
    for (; place && is_before(&e, &w->events[(place - 1) / 2]); place = (place - 1) / 2)
        w->events[place] = w->events[(place - 1) / 2];
    w->events[place] = e;
}

static event take_event(world *w)
{
    event first = w->events[0], last = w->events[--w->event_count];
    uint32_t place = 0, child;
    while ((child = 2 * place + 1) < w->event_count) {
        child += child + 1 < w->event_count && is_before(&w->events[child + 1], &w->events[child]);
        if (!is_before(&w->events[child], &last))
            break;
        w->events[place] = w->events[child];
        place = child;
    }
    w->events[place] = last;
    return first;
}

bool world_is_calm(const world *w)
{
    return w->now > w->s.quiet_from_ns;
}

static bool happens(world *w, uint32_t permille)
{
    return permille && !world_is_calm(w) && dice_permille(&w->s.dice, permille);
}

static uint64_t message_ns(world *w)
{
    uint64_t late = happens(w, w->s.late) ? 10 : 1;
    return w->s.message_ns / 2 + dice_below(&w->s.dice, w->s.message_ns * late + 1);
}

/* News are on their way to the coordinator, once or more often. */
static void tell(world *w, event e)
{
    world_add_event(w, w->now + message_ns(w), e);
    while (happens(w, w->s.repeats))
        world_add_event(w, w->now + message_ns(w) + dice_spread(&w->s.dice, 1, 50 * w->s.message_ns), e);
}

/* Workers. */

static void die(world *w, uint32_t number, uint32_t culprit, bool home_lost)
{
    life *l = &w->lives[number];
    if (!l->alive)
        return;
    l->alive = false;
    if (home_lost) {
        w->home_here[l->home] = false;
        for (uint32_t i = 0; i < w->life_count; i++)
            if (w->lives[i].home == l->home)
                w->lives[i].alive = false;
        memset(w->cells[l->home], 0, sizeof w->cells[l->home]);
    }
    for (uint32_t k = 0; k < l->job_count; k++)
        if (l->jobs[k].running && !l->jobs[k].done && culprit == RK_NO_TASK && dice_below(&w->s.dice, 2))
            culprit = l->jobs[k].task;
    tell(w,
         (event){.kind = NEWS_LOST, .life = number, .home = l->home, .culprit = culprit, .flag = home_lost});
    world_add_event(
        w, w->now + NOTICED_AFTER * w->s.message_ns,
        (event){.kind = NEWS_LOST, .life = number, .home = l->home, .culprit = culprit, .flag = home_lost});
}

static job *find_job(life *l, uint32_t task, uint32_t attempt)
{
    for (uint32_t k = 0; k < l->job_count; k++)
        if (l->jobs[k].task == task && l->jobs[k].attempt == attempt)
            return &l->jobs[k];
    return NULL;
}

static void forget_job(life *l, job *j)
{
    memmove(j, j + 1, (size_t)(l->jobs + l->job_count - (j + 1)) * sizeof *j);
    l->job_count--;
}

/* The hash of what a task makes of the inputs that are in a home. */
static uint64_t compute(world *w, uint32_t home, uint32_t task)
{
    const node *n = &w->nodes[task];
    uint64_t hash = mix_hash(1, n->identity);
    for (uint32_t k = 0; k < n->input_count; k++) {
        uint32_t word = n->inputs[k];
        if (word & RK_INPUT_ORDER)
            continue;
        if (!w->cells[home][word].memory)
            world_wrong(w, "task %" PRIu32 " runs in home %" PRIu32 " without the result of %" PRIu32, task,
                        home, word);
        if (w->cells[home][word].hash != n->input_truth[k])
            world_wrong(w, "task %" PRIu32 " gets another result than that of %" PRIu32, task, word);
        hash = mix_hash(hash, w->cells[home][word].hash);
    }
    return hash;
}

/* Of the run's tags: what workers bring is not borrowed. */
static void plan_rest(world *w, uint32_t number, const job *j, uint64_t duration)
{
    const rk_traits *t = &w->nodes[j->task].x.traits;
    if (t->need_count > 1 || (t->need_count && !w->s.tag_counts[t->needs[0].tag]))
        return;
    event e = {.kind = EVENT_JOB_RESTS,
               .life = number,
               .task = j->task,
               .attempt = j->attempt,
               .bytes = t->need_count ? t->needs[0].count : 0};
    world_add_event(w, w->now + duration / 4, e);
    e.kind = EVENT_JOB_RESUMES;
    world_add_event(w, w->now + duration / 2, e);
}

static void rest_or_resume(world *w, const event *e)
{
    event news = *e;
    news.kind = e->kind == EVENT_JOB_RESTS ? NEWS_RESTS : NEWS_RESUMES;
    if (w->lives[e->life].alive && find_job(&w->lives[e->life], e->task, e->attempt))
        tell(w, news);
}

static void begin_job(world *w, uint32_t number, job *j)
{
    life *l = &w->lives[number];
    const script *x = &w->nodes[j->task].x;
    uint64_t duration = x->duration_ns * l->permille / 1000 + 1;
    j->running = true;
    j->began_ns = w->now;
    w->runs[j->task]++;
    w->begun++;
    (void)compute(w, l->home, j->task);
    if (w->s.starts_are_told)
        tell(w, (event){.kind = NEWS_STARTED, .life = number, .task = j->task, .attempt = j->attempt});
    if (happens(w, w->s.stalls))
        duration += 50000000;
    if (x->poison || happens(w, w->s.deaths)) {
        bool home_lost = l->home && happens(w, w->s.home_deaths);
        world_add_event(w, w->now + dice_below(&w->s.dice, duration),
                        (event){.kind = EVENT_DIES,
                                .life = number,
                                .culprit = x->poison ? j->task : RK_NO_TASK,
                                .flag = home_lost});
    }
    if (w->s.needs && !x->hangs && happens(w, 200))
        plan_rest(w, number, j, duration);
    if (!x->hangs)
        world_add_event(w, w->now + duration,
                        (event){.kind = x->bytes > j->allowed && !x->grows ? EVENT_JOB_ASKS : EVENT_JOB_ENDS,
                                .life = number,
                                .task = j->task,
                                .attempt = j->attempt,
                                .duration_ns = duration});
}

/* It needs more than it may hold, and asks for that at once or by and by. */
static void job_asks(world *w, const event *e)
{
    job *j = find_job(&w->lives[e->life], e->task, e->attempt);
    if (!w->lives[e->life].alive || !j)
        return;
    uint64_t bytes = w->nodes[e->task].x.bytes;
    if (dice_below(&w->s.dice, 2))
        bytes -= dice_below(&w->s.dice, bytes - j->allowed);
    j->waits = true;
    j->asked = bytes;
    tell(w, (event){
                .kind = NEWS_ASKED, .life = e->life, .task = e->task, .attempt = e->attempt, .bytes = bytes});
}

/* Begins with what there is a slot or a lane for. */
static void go_on(world *w, uint32_t number)
{
    life *l = &w->lives[number];
    uint32_t busy[2] = {0, 0}, width[2] = {l->slots, l->lanes};
    for (uint32_t k = 0; k < l->job_count; k++)
        busy[w->nodes[l->jobs[k].task].x.traits.io] += l->jobs[k].running;
    for (uint32_t k = 0; k < l->job_count && l->alive; k++) {
        bool io = w->nodes[l->jobs[k].task].x.traits.io;
        if (l->jobs[k].running || busy[io] == width[io])
            continue;
        busy[io]++;
        begin_job(w, number, &l->jobs[k]);
    }
}

static void run_comes(world *w, const event *e)
{
    life *l = &w->lives[e->life];
    if (!l->alive) {
        w->ends[e->task]++; /* nobody can tell that it was too late */
        return;
    }
    if (l->job_count == MOST_QUEUE) {
        world_wrong(w, "a worker's queue overflows");
        return;
    }
    l->jobs[l->job_count++] =
        (job){.task = e->task, .attempt = e->attempt, .tries = e->tries, .allowed = e->bytes};
    go_on(w, e->life);
}

static void fail_job(world *w, const event *e, bool final)
{
    w->failures[e->task]++;
    tell(w, (event){.kind = NEWS_FAILED,
                    .life = e->life,
                    .task = e->task,
                    .attempt = e->attempt,
                    .status = RASK_ETASK,
                    .flag = final});
}

/* It fails, and would not the next time. */
static void fail_for_now(world *w, const event *e, uint32_t tries)
{
    const script *x = &w->nodes[e->task].x;
    if (!x->backs_off || tries >= x->traits.retries) {
        fail_job(w, e, x->backs_off);
        return;
    }
    w->failures[e->task]++;
    tell(w, (event){.kind = NEWS_BACKS_OFF,
                    .life = e->life,
                    .task = e->task,
                    .attempt = e->attempt,
                    .duration_ns = dice_spread(&w->s.dice, 1, 10000000)});
}

static void recall_comes(world *w, const event *e)
{
    life *l = &w->lives[e->life];
    job *j = find_job(l, e->task, e->attempt);
    bool back = j && (!j->running || j->waits), obeys = j && !back && e->flag && dice_below(&w->s.dice, 2);
    if (!l->alive)
        return;
    if (back || obeys)
        forget_job(l, j);
    if (obeys)
        fail_job(w, e, dice_below(&w->s.dice, 2));
    go_on(w, e->life);
    tell(w,
         (event){
             .kind = NEWS_RECALLED, .life = e->life, .task = e->task, .attempt = e->attempt, .flag = back});
}

/* More memory is given, or refused. */
static void answer_comes(world *w, const event *e)
{
    life *l = &w->lives[e->life];
    job *j = find_job(l, e->task, e->attempt);
    if (!l->alive || !j || !j->waits || (!e->flag && e->bytes < j->asked))
        return; /* or it is an answer to the same question, asked before */
    j->waits = false;
    if (e->flag) {
        forget_job(l, j);
        fail_job(w, e, true);
        go_on(w, e->life);
        return;
    }
    j->allowed = e->bytes;
    bool more = w->nodes[e->task].x.bytes > j->allowed;
    world_add_event(w, w->now + 1 + dice_below(&w->s.dice, w->now - j->began_ns + 1),
                    (event){.kind = more ? EVENT_JOB_ASKS : EVENT_JOB_ENDS,
                            .life = e->life,
                            .task = e->task,
                            .attempt = e->attempt,
                            .duration_ns = w->now - j->began_ns});
}

static void return_job(world *w, const event *e)
{
    life *l = &w->lives[e->life];
    uint64_t hash = compute(w, l->home, e->task);
    if (w->nodes[e->task].x.grows) {
        tell(w, (event){.kind = NEWS_GROWN, .life = e->life, .task = e->task, .attempt = e->attempt});
        return;
    }
    w->cells[l->home][e->task] = (cell){.hash = hash, .memory = true};
    l->unreported[e->task] = e->attempt;
    w->returned[e->task]++;
    if (hash != w->nodes[e->task].truth)
        world_wrong(w, "task %" PRIu32 " got other inputs than its own", e->task);
    tell(w, (event){.kind = NEWS_FINISHED,
                    .life = e->life,
                    .task = e->task,
                    .attempt = e->attempt,
                    .bytes = w->nodes[e->task].x.bytes,
                    .duration_ns = e->duration_ns});
}

static void job_ends(world *w, const event *e)
{
    life *l = &w->lives[e->life];
    job *j = find_job(l, e->task, e->attempt);
    if (!l->alive || !j)
        return;
    uint32_t tries = j->tries;
    forget_job(l, j);
    if (happens(w, w->s.losses)) { /* the news are lost, and with them the connection */
        w->ends[e->task]++;
        die(w, e->life, RK_NO_TASK, false);
        return;
    }
    if (w->nodes[e->task].x.fatal)
        fail_job(w, e, true);
    else if (w->failures[e->task] < w->nodes[e->task].x.fails)
        fail_for_now(w, e, tries);
    else
        return_job(w, e);
    go_on(w, e->life);
}

static void join(world *w, const event *e)
{
    const site *x = &w->s.sites[e->home];
    if (!w->home_here[e->home] || w->life_count == MOST_LIVES)
        return;
    uint32_t number = w->life_count++;
    rk_worker_offer offer = {
        .home = e->home, .slots = x->slots, .lanes = x->lanes, .here = x->here, .only_here = x->only_here};
    for (uint32_t tag = 0; tag < TAGS; tag++)
        offer.tags[tag] = x->tags[tag];
    life *l = &w->lives[number];
    *l = (life){.home = e->home, .slots = x->slots, .lanes = x->lanes, .alive = true};
    l->permille = 500 + (uint32_t)dice_below(&w->s.dice, 2000);
    int status = rk_coordinator_joined(w->c, w->now, &offer, &l->number, &l->epoch);
    if (status)
        world_wrong(w, "a worker cannot join: %s", rask_status_name(status));
}

/* Movements. */

static void start_move(world *w, const rk_instruction *i)
{
    const site *x = &w->s.sites[i->home];
    cell *to = &w->cells[i->home][i->task];
    bool fetch = i->kind == RK_DO_FETCH, here = w->home_here[i->home]; /* else that is yet to be told */
    uint64_t takes = fetch ? message_ns(w) + i->bytes : x->disk_ns / 2 + dice_below(&w->s.dice, x->disk_ns);
    if (fetch && w->home_here[i->from] && !w->cells[i->from][i->task].memory &&
        !w->cells[i->from][i->task].disk && !w->cells[i->from][i->task].spoiled)
        world_wrong(w, "task %" PRIu32 " is fetched from where it is not", i->task);
    if (here && i->kind == RK_DO_LOAD && !to->disk)
        world_wrong(w, "task %" PRIu32 " is loaded, and is not on disk", i->task);
    if (here && i->kind == RK_DO_SPILL && !to->memory)
        world_wrong(w, "task %" PRIu32 " is spilled, and is not in memory", i->task);
    to->coming = i->kind != RK_DO_SPILL;
    to->moving = true;
    world_add_event(w, w->now + takes,
                    (event){.kind = EVENT_MOVED,
                            .move = i->kind,
                            .home = i->home,
                            .from = i->from,
                            .task = i->task,
                            .attempt = i->attempt,
                            .duration_ns = takes});
}

static uint64_t disk_used(const world *w, uint32_t home)
{
    uint64_t bytes = 0;
    for (uint32_t task = 0; task < w->numbers; task++)
        bytes += w->cells[home][task].disk ? w->nodes[task].x.bytes : 0;
    return bytes;
}

static int try_move(world *w, const event *e)
{
    cell *to = &w->cells[e->home][e->task];
    const cell *from = &w->cells[e->move == RK_DO_FETCH ? e->from : e->home][e->task];
    uint32_t bad = e->move == RK_DO_FETCH  ? w->s.bad_transfers
                   : e->move == RK_DO_LOAD ? w->s.bad_loads
                                           : w->s.bad_spills;
    bool gone = e->move == RK_DO_FETCH && (!w->home_here[e->from] || from->spoiled);
    uint64_t bytes = w->nodes[e->task].x.bytes;
    if (gone || happens(w, bad) ||
        (e->move == RK_DO_SPILL && !to->disk && disk_used(w, e->home) + bytes > w->s.sites[e->home].disk))
        return RASK_EIO;
    if (e->move == RK_DO_FETCH && !from->memory && !from->disk)
        world_wrong(w, "what is fetched of task %" PRIu32 " did not stay where it was", e->task);
    if (e->move == RK_DO_SPILL) {
        to->disk = true;
        to->memory = false;
    } else {
        to->hash = from->hash;
        to->memory = true;
    }
    return RASK_OK;
}

static void moved(world *w, const event *e)
{
    cell *to = &w->cells[e->home][e->task];
    if (!w->home_here[e->home])
        return;
    to->coming = to->moving = false;
    int status = try_move(w, e);
    to->untold = e->move == RK_DO_FETCH && !status;
    if (status && e->move == RK_DO_LOAD)
        *to = (cell){.spoiled = true};
    w->disturbed |= status != RASK_OK;
    tell(w, (event){.kind = NEWS_MOVED,
                    .move = e->move,
                    .home = e->home,
                    .task = e->task,
                    .attempt = e->attempt,
                    .status = status,
                    .bytes = w->nodes[e->task].x.bytes,
                    .duration_ns = e->duration_ns});
}

/* News arrive. */

static void tell_moved(world *w, const event *e)
{
    if (!w->home_here[e->home])
        return;
    w->cells[e->home][e->task].untold = false;
    if (e->move == RK_DO_FETCH)
        rk_coordinator_transferred(w->c, w->now, e->home, e->task, e->attempt, e->status, e->bytes,
                                   e->duration_ns);
    else if (e->move == RK_DO_SPILL)
        rk_coordinator_spilled(w->c, w->now, e->home, e->task, e->attempt, e->status, e->bytes);
    else
        rk_coordinator_loaded(w->c, w->now, e->home, e->task, e->attempt, e->status);
}

/* To the coordinator the task is still with its worker. */
static bool is_unknown(const event *e)
{
    return e->kind == EVENT_RUN_COMES || e->kind == NEWS_GROWN || e->kind == NEWS_FAILED ||
           e->kind == NEWS_BACKS_OFF;
}

/* What a life has left behind that nobody was told of is freed; a new worker takes its place. */
static void bury(world *w, uint32_t number)
{
    life *l = &w->lives[number];
    if (l->told)
        return;
    l->told = true;
    for (uint32_t task = 0; task < w->numbers; task++) {
        if (l->unreported[task] && w->home_here[l->home])
            w->cells[l->home][task].memory = false;
        w->ends[task] += l->unreported[task] != 0;
    }
    for (uint32_t k = 0; k < l->job_count; k++)
        w->ends[l->jobs[k].task]++;
    for (uint32_t k = 0; k < w->event_count; k++)
        w->ends[w->events[k].task] += is_unknown(&w->events[k]) && w->events[k].life == number;
    world_add_event(w, w->now + REPLACED_AFTER * w->s.message_ns,
                    (event){.kind = EVENT_JOIN, .home = l->home});
}

static void tell_lost(world *w, const event *e)
{
    const life *l = &w->lives[e->life];
    bury(w, e->life);
    for (uint32_t i = 0; i < w->life_count && e->flag; i++)
        if (w->lives[i].home == l->home)
            bury(w, i);
    if (e->flag)
        w->home_known_lost[l->home] = true;
    rk_coordinator_lost(w->c, w->now, l->number, l->epoch, e->culprit, e->flag);
}

/* With all that it takes, or later. */
static void resume(world *w, const event *e)
{
    const life *l = &w->lives[e->life];
    uint32_t wanted = (uint32_t)e->bytes, lent = rk_coordinator_borrow(w->c, w->now, RUNS_TAG, wanted);
    if (lent == wanted && rk_coordinator_resumes(w->c, w->now, l->number, l->epoch, e->task, e->attempt))
        return;
    rk_coordinator_give_back(w->c, w->now, RUNS_TAG, lent);
    bool there = w->lives[e->life].alive && find_job(&w->lives[e->life], e->task, e->attempt);
    if (lent < wanted && there)
        world_add_event(w, w->now + 1000000 + 10 * w->s.message_ns, *e);
}

static void lend(world *w)
{
    uint32_t wanted = 1 + (uint32_t)dice_below(&w->s.dice, 2);
    uint32_t lent = rk_coordinator_borrow(w->c, w->now, RUNS_TAG, wanted);
    world_add_event(w, w->now + dice_spread(&w->s.dice, 1000, 50000000),
                    (event){.kind = EVENT_LOAN_ENDS, .bytes = lent});
}

/* Messages of a worker that is known to be gone come all the same. */
static void arrive(world *w, const event *e)
{
    life *l = &w->lives[e->life];
    switch (e->kind) {
    case NEWS_RESTS: rk_coordinator_rests(w->c, w->now, l->number, l->epoch, e->task, e->attempt); break;
    case NEWS_RESUMES: resume(w, e); break;
    case NEWS_STARTED: rk_coordinator_started(w->c, w->now, l->number, l->epoch, e->task, e->attempt); break;
    case NEWS_ASKED:
        rk_coordinator_asked(w->c, w->now, l->number, l->epoch, e->task, e->attempt, e->bytes);
        break;
    case NEWS_FINISHED:
        if (l->unreported[e->task] == e->attempt)
            l->unreported[e->task] = 0;
        rk_coordinator_finished(w->c, w->now, l->number, l->epoch, e->task, e->attempt, e->bytes,
                                e->duration_ns);
        break;
    case NEWS_GROWN: client_grow(w, e); break;
    case NEWS_FAILED:
        rk_coordinator_failed(w->c, w->now, l->number, l->epoch, e->task, e->attempt, e->status, e->flag);
        break;
    case NEWS_BACKS_OFF:
        rk_coordinator_backs_off(w->c, w->now, l->number, l->epoch, e->task, e->attempt, e->duration_ns);
        break;
    case NEWS_RECALLED:
        rk_coordinator_recalled(w->c, w->now, l->number, l->epoch, e->task, e->attempt, e->flag);
        break;
    case NEWS_LOST: tell_lost(w, e); break;
    case NEWS_MOVED: tell_moved(w, e); break;
    default: break;
    }
}

static void report_memory(world *w, const event *e)
{
    uint64_t budget = w->s.sites[e->home].budget;
    if (!w->home_here[e->home])
        return;
    w->other[e->home] = world_is_calm(w) || budget == UINT64_MAX ? 0 : dice_below(&w->s.dice, budget / 2 + 1);
    rk_coordinator_memory(w->c, w->now, e->home, w->other[e->home]);
    if (!world_is_calm(w))
        world_add_event(w, w->now + dice_spread(&w->s.dice, 1000000, 100000000), *e);
}

static void leave(world *w, const event *e)
{
    life *l = &w->lives[e->life];
    if (!l->alive || !e->life)
        return;
    l->leaving = true;
    rk_coordinator_leaving(w->c, w->now, l->number, l->epoch);
}

static void happen(world *w, const event *e)
{
    switch (e->kind) {
    case EVENT_JOIN: join(w, e); break;
    case EVENT_RUN_COMES: run_comes(w, e); break;
    case EVENT_RECALL_COMES: recall_comes(w, e); break;
    case EVENT_JOB_ENDS: job_ends(w, e); break;
    case EVENT_JOB_ASKS: job_asks(w, e); break;
    case EVENT_ANSWER_COMES: answer_comes(w, e); break;
    case EVENT_MOVED: moved(w, e); break;
    case EVENT_DIES: die(w, e->life, e->culprit, e->flag); break;
    case EVENT_TICK: rk_coordinator_tick(w->c, w->now); break;
    case EVENT_MEMORY: report_memory(w, e); break;
    case EVENT_LEAVES: leave(w, e); break;
    case EVENT_SUBMIT: client_submit(w); break;
    case EVENT_CHANGE: client_change(w); break;
    case EVENT_CLOSE: rk_coordinator_close(w->c, w->now); break;
    case EVENT_LOAN: lend(w); break;
    case EVENT_LOAN_ENDS: rk_coordinator_give_back(w->c, w->now, RUNS_TAG, (uint32_t)e->bytes); break;
    case EVENT_JOB_RESTS:
    case EVENT_JOB_RESUMES: rest_or_resume(w, e); break;
    case EVENT_CANCEL:
        w->cancelled = true;
        rk_coordinator_cancel(w->c, w->now, RASK_ECANCELLED);
        break;
    default: arrive(w, e); break;
    }
}

/* Instructions. */

static uint32_t life_of(const world *w, const rk_instruction *i)
{
    for (uint32_t k = w->life_count; k-- > 0;)
        if (w->lives[k].number == i->worker && w->lives[k].epoch == i->epoch)
            return k;
    return 0;
}

static void carry_out(world *w, const rk_instruction *i)
{
    uint32_t number = life_of(w, i);
    switch (i->kind) {
    case RK_DO_RUN:
        if (!i->grown)
            w->nodes[i->task] = w->origins[i->task];
        /* fall through */
    case RK_DO_RECALL:
        world_add_event(w, w->now + w->s.message_ns,
                        (event){.kind = i->kind == RK_DO_RUN ? EVENT_RUN_COMES : EVENT_RECALL_COMES,
                                .life = number,
                                .task = i->task,
                                .attempt = i->attempt,
                                .tries = i->tries,
                                .bytes = i->bytes,
                                .flag = i->ends});
        break;
    case RK_DO_GRANT:
    case RK_DO_REFUSE:
        w->blamed[i->task] |= i->kind == RK_DO_REFUSE;
        world_add_event(w, w->now + w->s.message_ns,
                        (event){.kind = EVENT_ANSWER_COMES,
                                .life = number,
                                .task = i->task,
                                .attempt = i->attempt,
                                .bytes = i->bytes,
                                .flag = i->kind == RK_DO_REFUSE});
        break;
    case RK_DO_FETCH:
    case RK_DO_SPILL:
    case RK_DO_LOAD: start_move(w, i); break;
    case RK_DO_DROP: w->cells[i->home][i->task] = (cell){0}; break;
    case RK_DO_KILL:
        w->lives[number].leaving = true;
        world_add_event(w, w->now + w->s.message_ns,
                        (event){.kind = EVENT_DIES, .life = number, .culprit = i->task});
        break;
    case RK_DO_RETIRE:
        world_add_event(w, w->now + w->s.message_ns,
                        (event){.kind = EVENT_DIES, .life = number, .culprit = RK_NO_TASK});
        break;
    case RK_DO_BLAME: w->blamed[i->task] = true; break;
    case RK_DO_DONE: w->told[i->task] = true; break;
    case RK_DO_FORGET: client_forget(w, i->task); break;
    case RK_DO_END:
        w->ended = true;
        w->status = i->status;
        break;
    }
}

uint64_t world_memory(const world *w, uint32_t home)
{
    uint64_t bytes = 0;
    for (uint32_t task = 0; task < w->numbers; task++)
        if (w->cells[home][task].memory || w->cells[home][task].coming)
            bytes += w->nodes[task].x.bytes;
    for (uint32_t k = 0; k < w->life_count; k++)
        for (uint32_t j = 0; w->lives[k].alive && w->lives[k].home == home && j < w->lives[k].job_count; j++)
            if (w->lives[k].jobs[j].running) {
                const script *x = &w->nodes[w->lives[k].jobs[j].task].x;
                uint64_t holds = x->bytes + x->traits.scratch_bytes, allowed = w->lives[k].jobs[j].allowed;
                bytes += holds < allowed ? holds : allowed;
            }
    return bytes;
}

static const char *const kind_names[] = {"run",  "recall", "grant", "refuse", "fetch",  "spill", "load",
                                         "drop", "kill",   "done",  "forget", "retire", "blame", "end"};
static const char *const event_names[] = {
    "join",      "run comes", "recall comes", "job ends", "job asks", "answer comes", "moved", "dies",
    "tick",      "memory",    "cancel",       "leaves",   "submit",   "change",       "close", "loan",
    "loan ends", "job rests", "job resumes",  "rests",    "resumes",  "started",      "asked", "finished",
    "grown",     "failed",    "backs off",    "recalled", "lost",     "moved"};

static void say_event(const world *w, const event *e)
{
    if (w->verbose)
        printf("%12" PRIu64 "  %-12s life %u home %u task %u attempt %u status %d flag %d\n", w->now,
               event_names[e->kind - EVENT_JOIN], e->life, e->home, e->task, e->attempt, e->status, e->flag);
}

static void draw_instructions(world *w)
{
    rk_instruction i;
    while (!w->wrong && !w->ended && rk_coordinator_next(w->c, &i)) {
        if (w->verbose)
            printf("%12" PRIu64 "    -> %-6s worker %d task %d attempt %u home %d from %d bytes %" PRIu64
                   " why %d status %d\n",
                   w->now, kind_names[i.kind], (int)i.worker, (int)i.task, i.attempt, (int)i.home,
                   (int)i.from, i.bytes, i.why, i.status);
        judge_instruction(w, &i);
        carry_out(w, &i);
        judge_now(w);
    }
    judge_memory(w);
    uint64_t when = w->ended ? UINT64_MAX : rk_coordinator_wants_tick(w->c);
    if (when != UINT64_MAX && (w->rests_at <= w->now || when < w->rests_at)) {
        w->rests_at = when > w->now ? when : w->now + 1;
        world_add_event(w, w->rests_at, (event){.kind = EVENT_TICK});
    }
}

/* Tasks of the graph. */
static void make_nodes(world *w)
{
    w->numbers = w->s.tasks;
    for (uint32_t task = 0; task < w->s.tasks; task++) {
        node *n = &w->origins[task];
        *n = (node){.x = w->s.scripts[task], .identity = task};
        for (uint64_t at = w->s.input_start[task]; at < w->s.input_start[task + 1]; at++) {
            uint32_t word = w->s.inputs[at];
            n->inputs[n->input_count] = word;
            n->input_truth[n->input_count++] = w->origins[word & ~RK_INPUT_ORDER].truth;
        }
        n->truth = truth_of(&w->s, n);
        w->nodes[task] = *n;
        w->known[task] = true;
    }
}

static void describe(void *context, uint32_t task, rk_traits *out)
{
    *out = ((const world *)context)->s.scripts[task].traits;
}

static void plan_events(world *w)
{
    for (uint32_t home = 0; home < w->s.homes; home++)
        for (uint32_t k = 0; k < w->s.sites[home].workers; k++)
            world_add_event(w, w->s.sites[home].arrives_ns + k, (event){.kind = EVENT_JOIN, .home = home});
    if (w->s.cancel_ns)
        world_add_event(w, w->s.cancel_ns, (event){.kind = EVENT_CANCEL});
    for (uint32_t home = 0; home < w->s.homes && w->s.memory_reports; home++)
        world_add_event(w, dice_spread(&w->s.dice, 1000, 100000000),
                        (event){.kind = EVENT_MEMORY, .home = home});
    for (uint32_t k = 0; k < w->s.submits; k++) {
        world_add_event(w, dice_spread(&w->s.dice, 1000, 200000000), (event){.kind = EVENT_SUBMIT});
        world_add_event(w, dice_spread(&w->s.dice, 1000, 400000000), (event){.kind = EVENT_CHANGE});
        world_add_event(w, dice_spread(&w->s.dice, 1000, 400000000), (event){.kind = EVENT_CHANGE});
    }
    for (uint32_t k = 0; k < LOANS && w->s.needs; k++)
        world_add_event(w, dice_spread(&w->s.dice, 1000, 100000000), (event){.kind = EVENT_LOAN});
    if (w->s.submits)
        world_add_event(w, 400000001, (event){.kind = EVENT_CLOSE});
    for (uint32_t number = 1; number < 4 && w->s.leavers; number++)
        world_add_event(w, dice_spread(&w->s.dice, 1000, 100000000),
                        (event){.kind = EVENT_LEAVES, .life = number});
}

static bool start(world *w)
{
    rk_coordinator_graph graph = {w->s.tasks, w->s.input_start, w->s.inputs, w, describe};
    int status = rk_coordinator_new(&graph, &w->s.options, &w->c);
    if (status)
        world_wrong(w, "cannot begin: %s", rask_status_name(status));
    for (uint32_t home = 0; home < w->s.homes && !status; home++) {
        w->home_here[home] = true;
        status = rk_coordinator_home(w->c, 0, home, w->s.sites[home].budget);
    }
    return !status;
}

bool world_run(world *w, uint64_t seed, bool verbose)
{
    memset(w, 0, offsetof(world, origins));
    w->verbose = verbose;
    scenario_make(&w->s, seed);
    make_nodes(w);
    plan_events(w);
    if (start(w))
        draw_instructions(w);
    while (!w->wrong && !w->ended && w->event_count) {
        event e = take_event(w);
        w->now = e.at;
        say_event(w, &e);
        happen(w, &e);
        judge_now(w);
        draw_instructions(w);
        if (w->now > LONGEST_NS || w->events_made > MOST_EVENTS)
            world_wrong(w, "the run does not end");
    }
    if (!w->wrong && !w->ended)
        world_wrong(w, "nothing happens any more, and the run is not over");
    if (!w->wrong)
        judge_end(w);
    rk_coordinator_free(w->c);
    free(w->events);
    return !w->wrong;
}
