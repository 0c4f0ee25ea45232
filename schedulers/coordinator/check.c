/* The invariants of state.h, verified the slow way. */
#include "schedulers/coordinator/state.h"

#define REQUIRE(condition, text)                                                                             \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            return text;                                                                                     \
    } while (0)

static const char *check_waits(const rk_coordinator *c, uint32_t task)
{
    const rk_co_task *t = &c->tasks[task];
    uint32_t waits = t->delayed;
    for (rk_walk in = rk_co_inputs(c, task); rk_co_next_input(c, &in);) {
        uint32_t word = in.word;
        const rk_co_task *input = &c->tasks[word & ~RK_INPUT_ORDER];
        bool there = input->state == RK_TASK_OVER || (word & RK_INPUT_ORDER && input->once_over);
        waits += !there;
        bool may_wait =
            t->state == RK_TASK_WAITING || t->state == RK_TASK_STAGING; /* for a transfer that will fail */
        REQUIRE(there || may_wait || t->state >= RK_TASK_OVER, "a task does not wait for its input");
    }
    REQUIRE(t->state != RK_TASK_WAITING || t->waits == waits, "a task waits for the wrong number of things");
    REQUIRE(t->state != RK_TASK_WAITING || waits, "a task waits for nothing");
    REQUIRE(t->state != RK_TASK_LOST, "a lost result was left");
    return NULL;
}

static const char *check_uses(const rk_coordinator *c, uint32_t task)
{
    const rk_co_task *t = &c->tasks[task];
    uint32_t uses = t->target + (c->more ? c->more[task].wants : 0);
    for (rk_walk out = rk_co_users(c, task); rk_co_next_user(c, &out);)
        uses += !(out.word & RK_INPUT_ORDER) && c->tasks[out.word].state < RK_TASK_OVER;
    REQUIRE(t->uses == uses, "a result has the wrong number of uses");
    REQUIRE(t->state != RK_TASK_OVER || t->link != RK_NONE || !uses || t->source,
            "a result that is needed is nowhere");
    return NULL;
}

static const char *check_copies_of(const rk_coordinator *c, uint32_t task)
{
    const rk_co_task *t = &c->tasks[task];
    for (uint32_t i = t->state == RK_TASK_OVER ? t->link : RK_NONE; i != RK_NONE; i = c->copies[i].next) {
        const rk_co_copy *copy = &c->copies[i];
        REQUIRE(copy->task == task && copy->state != RK_COPY_GONE && copy->state != RK_COPY_FETCHING,
                "a task has a copy that is none");
        REQUIRE(t->uses || copy->pins || copy->readers || rk_co_copy_moves(copy),
                "a result that nobody needs is kept");
        REQUIRE(rk_co_copy_find(c, task, copy->home) == i, "a copy is not found");
    }
    return NULL;
}

static const char *check_errand(const rk_coordinator *c, uint32_t task)
{
    const rk_co_task *t = &c->tasks[task];
    if (t->state < RK_TASK_STAGING || t->state > RK_TASK_SENT)
        return NULL;
    const rk_errand *e = &c->errands[t->link];
    REQUIRE(e->task == task, "an errand is of another task");
    REQUIRE(c->workers[e->worker].state != RK_WORKER_GONE && c->workers[e->worker].home == e->home,
            "an errand's worker is gone");
    for (rk_walk in = rk_co_inputs(c, task); rk_co_next_input(c, &in);) {
        uint32_t word = in.word;
        if (word & RK_INPUT_ORDER)
            continue;
        uint32_t i = rk_co_copy_find(c, word, e->home);
        REQUIRE(i != RK_NONE && c->copies[i].pins, "an input of an errand is not pinned");
        REQUIRE(t->state == RK_TASK_STAGING || rk_co_copy_is_in_memory(&c->copies[i]),
                "an input of a task that runs is not in memory");
    }
    return NULL;
}

/* What is only known of tasks when some were added. */
static const char *check_more(const rk_coordinator *c, uint32_t task)
{
    uint32_t followers = 0, users = 0;
    if (!c->more)
        return NULL;
    const rk_co_more *m = &c->more[task];
    for (uint32_t i = m->users.first; users < m->users.count; i = c->edges[i].next, users++) {
        const rk_co_edge *edge = &c->edges[i];
        bool in_force = c->more[edge->user].script == edge->script;
        REQUIRE((edge->word & ~RK_INPUT_ORDER) == task, "an edge is in the list of another input");
        REQUIRE(in_force || c->more[edge->user].origin == edge->script,
                "an edge is of a script that is no more");
        REQUIRE(c->tasks[edge->user].state != RK_TASK_FREE, "a task that is forgotten has inputs");
        followers += in_force && edge->word & RK_INPUT_ORDER && c->tasks[edge->user].state < RK_TASK_OVER;
    }
    REQUIRE(followers == m->followers, "a task has the wrong number of followers");
    REQUIRE(rk_co_is_needed(c, task) || m->untidy || !rk_co_is_added(c, task) ||
                c->tasks[task].state >= RK_TASK_OVER || c->errands[c->tasks[task].link].abandoned,
            "a task that nobody needs is kept");
    REQUIRE(!m->wants || m->told || m->queued || m->awaited || m->untidy ||
                c->tasks[task].state < RK_TASK_OVER,
            "nobody will be told that a task is over");
    return NULL;
}

/* Copies are counted by their tasks. */
static const char *check_copy_counts(const rk_coordinator *c)
{
    uint64_t counted = 0, there = 0;
    for (uint32_t task = 0; c->more && task < c->numbers; task++)
        counted += c->more[task].copies;
    for (uint32_t i = 0; c->more && i < c->options.most_homes; i++)
        for (uint32_t k = c->homes[i].copies; k != RK_NONE; k = c->copies[k].home_next)
            there++;
    REQUIRE(counted == there, "copies of a task are miscounted");
    return NULL;
}

/* What there is of the run's tags is free, lent, or taken by errands, or kept by tasks that are yet to be tried again. */
static const char *check_tags(const rk_coordinator *c)
{
    uint64_t there[RK_MAX_TAGS];
    for (uint32_t tag = 0; tag < c->options.tags; tag++)
        there[tag] = (uint64_t)c->tags[tag] + c->lent[tag];
    for (uint32_t task = 0; task < c->numbers; task++) {
        const rk_class *class = &c->classes[c->tasks[task].class];
        uint32_t state = c->tasks[task].state;
        bool out = state >= RK_TASK_STAGING && state <= RK_TASK_SENT,
             has = out ? !c->errands[c->tasks[task].link].rests : c->tasks[task].delayed;
        for (uint32_t k = 0; has && k < class->need_count; k++)
            there[class->needs[k].tag] += class->needs[k].count;
    }
    for (uint32_t tag = 0; tag < c->options.tags; tag++)
        REQUIRE(!c->tag_totals[tag] || there[tag] == c->tag_totals[tag], "tags are miscounted");
    return NULL;
}

static const char *check_tasks(const rk_coordinator *c)
{
    uint32_t left = 0, sent = 0, out = 0;
    for (uint32_t task = 0; task < c->numbers; task++) {
        const char *wrong;
        uint32_t state = c->tasks[task].state;
        if (state == RK_TASK_FREE)
            continue;
        left += state < RK_TASK_OVER;
        sent += state == RK_TASK_SENT;
        out += state >= RK_TASK_STAGING && state <= RK_TASK_SENT;
        if ((wrong = check_waits(c, task)) || (wrong = check_uses(c, task)) ||
            (wrong = check_copies_of(c, task)) || (wrong = check_errand(c, task)) ||
            (wrong = check_more(c, task)))
            return wrong;
    }
    REQUIRE(left == c->left && sent == c->sent && out == c->errands_out, "tasks are miscounted");
    return NULL;
}

/* What a home's copies count for, into *live, *reserved and *moving. */
static void add_up_copies(const rk_coordinator *c, uint32_t home, uint64_t *live, uint64_t *reserved,
                          uint32_t *moving)
{
    for (uint32_t i = c->homes[home].copies; i != RK_NONE; i = c->copies[i].home_next) {
        const rk_co_copy *copy = &c->copies[i];
        bool held = copy->state == RK_COPY_HELD || copy->state == RK_COPY_SPILLING;
        *live += held ? copy->bytes : 0;
        *reserved += copy->state == RK_COPY_FETCHING || copy->state == RK_COPY_LOADING ? copy->bytes : 0;
        *moving += rk_co_copy_moves(copy) + copy->readers;
    }
}

static const char *check_home(const rk_coordinator *c, uint32_t home)
{
    const rk_co_home *h = &c->homes[home];
    uint64_t live = 0, reserved = 0;
    uint32_t moving = 0, errands = 0;
    if (h->state != RK_HOME_HERE)
        return NULL;
    add_up_copies(c, home, &live, &reserved, &moving);
    for (uint32_t w = h->first_worker; w != RK_NOBODY; w = c->workers[w].home_next)
        for (int list = 0; list < RK_LISTS; list++)
            for (uint32_t i = c->workers[w].lists[list].first; i != RK_NONE; i = c->errands[i].next) {
                reserved += c->errands[i].reserved;
                errands++;
            }
    REQUIRE(live == h->live && reserved == h->reserved, "a home's bytes are miscounted");
    REQUIRE(moving == h->moving && errands == h->errands, "what goes on in a home is miscounted");
    REQUIRE(h->blocked == RK_NO_TASK || !rk_co_is_quiet(h) || c->stopping, "a home waits for nothing");
    return NULL;
}

static const char *check_worker(const rk_coordinator *c, uint32_t worker)
{
    const rk_co_worker *w = &c->workers[worker];
    uint32_t flying = 0, begun = 0, recallable = 0;
    if (w->state == RK_WORKER_GONE)
        return NULL;
    for (int list = 0; list < RK_LISTS; list++)
        for (uint32_t i = w->lists[list].first; i != RK_NONE; i = c->errands[i].next) {
            const rk_errand *e = &c->errands[i];
            REQUIRE(e->worker == worker && e->list == list, "an errand is in the wrong list");
            flying++;
            begun += e->begun;
            recallable += list == RK_LIST_SLOTS && !e->begun && !e->started && !e->recalled && !e->stays;
        }
    REQUIRE(flying == w->in_flight[0] + w->in_flight[1] && begun == w->begun[0] + w->begun[1] &&
                recallable == w->recallable,
            "a worker's errands are miscounted");
    REQUIRE(w->begun[0] <= w->width[0] && w->begun[1] <= w->width[1], "a worker does too much at once");
    return NULL;
}

const char *rk_coordinator_check(const rk_coordinator *c)
{
    const char *wrong = check_tasks(c);
    wrong = wrong ? wrong : check_copy_counts(c);
    wrong = wrong ? wrong : check_tags(c);
    for (uint32_t home = 0; home < c->options.most_homes && !wrong; home++)
        wrong = check_home(c, home);
    for (uint32_t worker = 0; worker < c->used_workers && !wrong; worker++)
        wrong = check_worker(c, worker);
    return wrong;
}
