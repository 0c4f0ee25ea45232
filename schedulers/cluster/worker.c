/* A worker's process.
 *
 * One thread talks: it dials the program, takes part in the runs it is told of, each with a shop of its own (shop.h), and serves
 * results to whoever pulls them. It dials other workers when it is told to fetch from them. When the program is lost, so are its
 * runs, and the worker dials again for a while: the program may have ended, and the next one wants workers, too. */
#include "schedulers/cluster/worker.h"

#include "core/base/clock.h"
#include "schedulers/cluster/grown.h"
#include "schedulers/cluster/lent.h"
#include "schedulers/cluster/line.h"
#include "schedulers/cluster/loans.h"
#include "schedulers/cluster/plans.h"
#include "schedulers/cluster/shop.h"
#include "schedulers/scheduler.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    LOOK_NS = 100000000,
    REDIAL_NS = 200000000,
    WAITING_NS = 1000000000, /* before anybody is told, and is told again */
    INLINE_BYTES = 512,
    MOST_REFUSALS = 5
};

/* A run that it takes part in. */
typedef struct stay {
    struct worker *worker;
    struct stay *next;
    uint32_t run, first_worker;
    bool observed;
    bool ended; /* but some task of it has not returned */
    char *limits;
    rk_guest guest;
    rk_shop *shop;   /* NULL: the plan is on its way */
    rk_loans *loans; /* the shop's */
} stay;

/* Another worker. */
typedef struct source {
    uint32_t peer;
    char contact[RK_MAX_CONTACT + 1];
} source;

typedef struct worker {
    const rk_worker_setup *setup;
    rk_cluster_ids ids;
    rk_line line;
    rk_mouth mouth;
    rk_fetches fetches;
    rk_array sources;
    stay *stays;
    uint32_t program;                 /* peer; RK_NO_PEER: not dialled */
    char contact[RK_MAX_CONTACT + 1]; /* of the program */
    bool joined, welcome, ever;
    bool leaving, gone;
    uint32_t refusals; /* in a row: a program that is just ending looks like one that has another key */
    uint64_t alone_since, dialled_at, looked_at;
    uint64_t told_at; /* last that it waits; 0: never, */
    char told[512];   /* and why */
    bool again;       /* its reason is that of the time before */
    int status;
    char *reason;
    size_t capacity;
    rk_pack_out small; /* a result that goes in a message */
} worker;

static rk_atomic_bool is_worker;
static volatile sig_atomic_t asked_to_leave;
static rk_bell *signal_bell;

bool rk_worker_is(void)
{
    return rk_load_relaxed(&is_worker);
}

void rk_worker_become(bool one)
{
    rk_store_relaxed(&is_worker, one);
}

static void say(worker *w, const rk_message *message)
{
    if (w->joined)
        rk_mouth_say(&w->mouth, &w->line, w->program, message);
}

static int stop(worker *w, int status, const char *why)
{
    w->gone = true;
    w->status = status;
    snprintf(w->reason, w->capacity, "%s", why);
    return status;
}

/* -- Runs */

static stay *find_stay(const worker *w, uint32_t run)
{
    stay *s = w->stays;
    while (s && (s->run != run || s->ended))
        s = s->next;
    return s;
}

static void wake(void *context)
{
    rk_bell_ring(&((const worker *)context)->line.bell);
}

static void free_stay(stay *s)
{
    rk_shop_free(s->shop);
    rk_loans_free(s->loans);
    rk_guest_fini(&s->guest);
    rk_free(s->limits);
    rk_free(s);
}

/* Those that have ended, as soon as that takes no time; all: in any case. */
static void free_ended(worker *w, bool all)
{
    for (stay **at = &w->stays; *at;) {
        stay *s = *at;
        if (!s->ended || (!all && s->shop && !rk_shop_is_quiet(s->shop))) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        free_stay(s);
    }
}

/* A task that grew and that nobody needs any more may go on for a while: others are heard meanwhile. */
static void end_stay(worker *w, uint32_t run)
{
    stay *s = find_stay(w, run);
    if (!s)
        return;
    s->ended = true;
    if (s->shop)
        rk_shop_stop(s->shop);
    rk_loans_close(s->loans);
    free_ended(w, false);
}

static void end_all_stays(worker *w)
{
    for (stay *s = w->stays; s; s = s->next)
        if (!s->ended) {
            s->ended = true;
            rk_loans_close(s->loans);
        }
    free_ended(w, true);
}

static void say_unable(worker *w, uint32_t run, int status, const char *why)
{
    say(w,
        &(rk_message){.kind = RK_SAY_UNABLE, .run = run, .status = (uint32_t)status, .text = rk_word(why)});
    end_stay(w, run);
}

static void begin(worker *w, const rk_message *m)
{
    static const char no_memory[] = "no memory for the plan of a run";
    if (find_stay(w, m->run))
        return;
    stay *s = rk_calloc(1, sizeof *s);
    if (!s) {
        say_unable(w, m->run, RASK_ENOMEM, no_memory);
        return;
    }
    *s = (stay){.worker = w,
                .next = w->stays,
                .run = m->run,
                .first_worker = m->worker,
                .observed = m->flag,
                .limits = rk_strndup(m->text.data ? m->text.data : "", m->text.len)};
    w->stays = s;
    if (!s->limits || rk_fetches_add(&w->fetches, w->program, m->run, RK_NO_UNIT, 0, m->size))
        say_unable(w, m->run, RASK_ENOMEM, no_memory);
}

/* -- Others */

static uint32_t find_source(worker *w, const char *contact)
{
    source *sources = w->sources.data;
    for (size_t i = 0; i < w->sources.count; i++)
        if (!strcmp(sources[i].contact, contact))
            return sources[i].peer;
    source *more = rk_array_push(&w->sources);
    if (!more)
        return RK_NO_PEER;
    snprintf(more->contact, sizeof more->contact, "%s", contact);
    if (!w->line.engine->dial(w->line.transport, contact, &more->peer))
        return more->peer;
    w->sources.count--;
    return RK_NO_PEER;
}

/* -- What is lent */

static void say_of_loan(void *context, rk_message message)
{
    const stay *s = context;
    message.run = s->run;
    say(s->worker, &message);
}

static void wake_for_loans(void *context)
{
    wake(((const stay *)context)->worker);
}

/* -- What grew, as observers see it */

static void say_grown(void *context, const rk_grown_news *news)
{
    const stay *s = context;
    rk_message m = rk_grown_message(news);
    m.run = s->run;
    say(s->worker, &m);
}

static void tell_grown(void *context)
{
    rk_shop_tell_grown(((const stay *)context)->shop, say_grown, context);
}

/* From who has it, a call or a result. */
static void pull_loan(void *context, uint32_t number, uint64_t size, rask_bytes from)
{
    const stay *s = context;
    worker *w = s->worker;
    char contact[RK_MAX_CONTACT + 1];
    rk_word_copy(contact, sizeof contact, from);
    uint32_t peer = from.len ? find_source(w, contact) : RK_NO_PEER;
    int status = peer == RK_NO_PEER ? RASK_EIO : rk_fetches_add(&w->fetches, peer, s->run, number, 0, size);
    if (status)
        rk_loans_pulled(s->loans, &(rk_fetch){.run = s->run, .unit = number, .status = status});
}

static int open_shop(stay *s, const rk_shop_setup *setup)
{
    int status = rk_shop_new(setup, &s->shop);
    if (status)
        return status;
    const rk_loans_setup loans = {.shop = s->shop,
                                  .say = say_of_loan,
                                  .pull = pull_loan,
                                  .tell = tell_grown,
                                  .wake = wake_for_loans,
                                  .context = s};
    s->loans = rk_loans_new(&loans);
    return s->loans ? RASK_OK : RASK_ENOMEM;
}

/* -- Plans */

/* What the plan does not say is the worker's own. */
static void furnish(const worker *w, rk_run *model)
{
    model->options.workers = w->setup->threads;
    model->options.io_lanes = w->setup->lanes;
    model->options.memory = w->setup->memory;
    model->options.scratch = w->setup->scratch;
    model->options.scheduler = rk_threads.name;
}

static void settle(worker *w, stay *s, const rk_fetch *plan)
{
    char message[RK_MAX_MESSAGE + 1] = "the plan did not come";
    int status = plan->status;
    if (!status)
        status = rk_guest_init(&s->guest, plan->into, plan->size, message, sizeof message);
    if (!status) {
        furnish(w, &s->guest.model);
        s->guest.model.options.limits = s->limits;
        rk_shop_setup setup = {.model = &s->guest.model,
                               .threads = w->setup->threads,
                               .lanes = s->guest.plan->io_tasks ? w->setup->lanes : 0,
                               .first_worker = s->first_worker,
                               .observed = s->observed,
                               .shares = true,
                               .wake = wake,
                               .context = w};
        status = open_shop(s, &setup);
        snprintf(message, sizeof message, "no memory or threads for a run");
    }
    if (status)
        say_unable(w, s->run, status, message);
    else
        say(w, &(rk_message){.kind = RK_SAY_READY, .run = s->run});
}

/* -- News of units */

static void say_told(worker *w, const stay *s, const rk_shop_news *news)
{
    uint64_t now = rk_clock_now();
    for (uint32_t i = 0; i < news->told_count; i++) {
        const rask_task_info *info = &news->told[i];
        bool why = info->status && news->text && info->task == news->task;
        say(w, &(rk_message){.kind = RK_SAY_TOLD,
                             .text = rk_word(why ? news->text : ""),
                             .run = s->run,
                             .task = info->task,
                             .attempt = info->attempt,
                             .status = (uint32_t)info->status,
                             .worker = info->worker,
                             .bytes = info->bytes,
                             .size = info->bytes_in,
                             .duration = info->end_ns - info->start_ns,
                             .age = now - info->end_ns,
                             .flag = news->outcome == RK_SHOP_BACKS_OFF});
    }
}

static rask_bytes small_result(worker *w, const stay *s, const rk_shop_news *news)
{
    w->small.size = 0;
    w->small.failed = false;
    if (news->size > INLINE_BYTES || rk_shop_put_result(s->shop, news->unit, &w->small))
        w->small.size = 0;
    return (rask_bytes){w->small.data, w->small.size};
}

static void say_news(worker *w, const stay *s, const rk_shop_news *news)
{
    static const rk_said kinds[] = {[RK_SHOP_FINISHED] = RK_SAY_FINISHED,
                                    [RK_SHOP_FAILED] = RK_SAY_FAILED,
                                    [RK_SHOP_SKIPPED] = RK_SAY_SKIPPED,
                                    [RK_SHOP_BACKS_OFF] = RK_SAY_BACKS_OFF};
    const bool later = news->outcome == RK_SHOP_BACKS_OFF;
    rk_message m = {.kind = kinds[news->outcome],
                    .run = s->run,
                    .unit = news->unit,
                    .attempt = news->attempt,
                    .task = news->task,
                    .status = (uint32_t)news->status,
                    .done = later ? news->tries : news->done,
                    .retries = news->retries,
                    .bytes = news->bytes,
                    .size = news->size,
                    .duration = later ? news->rest_ns : news->duration_ns};
    if (news->outcome == RK_SHOP_FINISHED)
        m.blob = small_result(w, s, news);
    if (news->text)
        m.text = rk_word(news->text);
    say_told(w, s, news);
    say(w, &m);
}

static void say_permit(worker *w, const stay *s, const rk_permit_news *news)
{
    static const rk_said kinds[] = {[RK_PERMIT_WANTED] = RK_SAY_WANTS,
                                    [RK_PERMIT_AGAIN] = RK_SAY_WANTS,
                                    [RK_PERMIT_GIVEN] = RK_SAY_GAVE,
                                    [RK_PERMIT_RESTS] = RK_SAY_RESTS};
    if (news->kind == RK_PERMIT_NONE)
        return;
    say(w,
        &(rk_message){.kind = kinds[news->kind],
                      .run = s->run,
                      .unit = news->unit,
                      .attempt = news->attempt,
                      .size = news->number,
                      .status = (uint32_t)news->priority,
                      .flag = news->kind == RK_PERMIT_AGAIN,
                      .blob = {(const char *)news->needs.of, news->needs.count * sizeof news->needs.of[0]}});
}

static void tell_all(worker *w, stay *s)
{
    rk_permit_news permit;
    rk_shop_news news;
    rk_shop_heard heard;
    tell_grown(s);
    while ((heard = rk_shop_next(s->shop, &permit, &news))) {
        if (heard == RK_SHOP_PERMIT) {
            say_permit(w, s, &permit);
            continue;
        }
        tell_grown(s); /* of this unit, too */
        say_news(w, s, &news);
        rk_shop_news_end(&news);
    }
}

/* Nanoseconds until there may be more to say. */
static uint64_t tell_news(worker *w)
{
    uint64_t patience = LOOK_NS;
    for (stay *s = w->stays; s; s = s->next) {
        if (s->ended || !s->shop)
            continue;
        uint64_t its = rk_loans_turn(s->loans, rk_clock_now());
        patience = its < patience ? its : patience;
        tell_all(w, s);
    }
    return patience;
}

static void say_renewed(void *context, uint32_t unit, uint32_t attempt)
{
    const stay *s = context;
    say(s->worker, &(rk_message){.kind = RK_SAY_RENEWED, .run = s->run, .unit = unit, .attempt = attempt});
}

static void say_begun(void *context, uint32_t task, uint32_t number, uint64_t since_ns)
{
    const stay *s = context;
    say(s->worker, &(rk_message){.kind = RK_SAY_BEGUN,
                                 .run = s->run,
                                 .task = task,
                                 .worker = number,
                                 .age = rk_clock_now() - since_ns});
}

/* -- Results from elsewhere */

static void forget_source(worker *w, uint32_t peer)
{
    source *sources = w->sources.data;
    for (size_t i = 0; i < w->sources.count; i++)
        if (sources[i].peer == peer) {
            sources[i] = sources[--w->sources.count];
            return;
        }
}

static void say_fetched(worker *w, const rk_fetch *f, int status, uint64_t bytes)
{
    say(w, &(rk_message){.kind = RK_SAY_FETCHED,
                         .run = f->run,
                         .unit = f->unit,
                         .attempt = f->attempt,
                         .status = (uint32_t)status,
                         .bytes = bytes,
                         .duration = rk_clock_now() - f->began_ns});
}

static void take(worker *w, const stay *s, rk_fetch *f)
{
    char message[RK_MAX_MESSAGE + 1];
    uint64_t bytes = 0;
    int status = f->status;
    if (!status)
        status = rk_shop_adopt(s->shop, f->unit, &f->into, f->size, &bytes, message, sizeof message);
    say_fetched(w, f, status, bytes);
}

static void end_fetch(worker *w, rk_fetch *f)
{
    stay *s = find_stay(w, f->run);
    if (s && !s->shop && f->unit == RK_NO_UNIT)
        settle(w, s, f);
    else if (s && s->shop && rk_is_lent(f->unit))
        rk_loans_pulled(s->loans, f);
    else if (s && s->shop && f->unit < s->guest.plan->units)
        take(w, s, f);
    rk_free(f->into);
}

static void fetch(worker *w, const rk_message *m)
{
    char contact[RK_MAX_CONTACT + 1];
    rk_word_copy(contact, sizeof contact, m->contact);
    uint32_t peer = m->contact.len ? find_source(w, contact) : w->program;
    int status = peer == RK_NO_PEER ? RASK_EIO : RASK_OK;
    if (!status)
        status = rk_fetches_add(&w->fetches, peer, m->run, m->unit, m->attempt, m->size);
    if (status)
        say_fetched(w, &(rk_fetch){.run = m->run, .unit = m->unit, .attempt = m->attempt}, status, 0);
}

/* -- What the program says */

static void put(worker *w, const stay *s, const rk_message *m)
{
    char message[RK_MAX_MESSAGE + 1];
    uint64_t bytes = 0;
    const rk_fetch f = {.run = m->run,
                        .unit = m->unit,
                        .attempt = m->attempt,
                        .size = m->blob.len,
                        .began_ns = rk_clock_now()};
    int status = rk_shop_take(s->shop, f.unit, m->blob.data, f.size, &bytes, message, sizeof message);
    say_fetched(w, &f, status, bytes);
}

static void answer(worker *w, const rk_message *m, rk_said kind, int status, uint64_t bytes)
{
    say(w, &(rk_message){.kind = kind,
                         .run = m->run,
                         .unit = m->unit,
                         .attempt = m->attempt,
                         .flag = (uint8_t)status,
                         .status = (uint32_t)status,
                         .bytes = bytes});
}

static void fail_to_run(worker *w, const rk_message *m, int status)
{
    say(w, &(rk_message){.kind = RK_SAY_FAILED,
                         .run = m->run,
                         .unit = m->unit,
                         .attempt = m->attempt,
                         .status = (uint32_t)status,
                         .text = rk_word("no memory to queue it")});
}

static void hear_of_unit(worker *w, const stay *s, const rk_message *m)
{
    uint64_t bytes = 0;
    int status;
    switch (m->kind) {
    case RK_SAY_RUN:
        if ((status = rk_shop_run(s->shop, m->unit, m->attempt, m->retries)))
            fail_to_run(w, m, status);
        break;
    case RK_SAY_RECALL: answer(w, m, RK_SAY_RECALLED, rk_shop_recall(s->shop, m->unit), 0); break;
    case RK_SAY_PUT: put(w, s, m); break;
    case RK_SAY_FETCH: fetch(w, m); break;
    case RK_SAY_SPILL:
        status = rk_shop_spill(s->shop, m->unit, &bytes);
        answer(w, m, RK_SAY_SPILLED, status, bytes);
        break;
    case RK_SAY_LOAD: answer(w, m, RK_SAY_LOADED, rk_shop_load(s->shop, m->unit), 0); break;
    case RK_SAY_DROP: rk_shop_drop(s->shop, m->unit); break;
    case RK_SAY_MISSING: rk_shop_miss(s->shop, m->unit); break;
    default: break;
    }
}

static void stop_run(const worker *w, uint32_t run)
{
    const stay *s = find_stay(w, run);
    if (!s || !s->shop)
        return;
    rk_shop_stop(s->shop);
    rk_loans_stop(s->loans);
}

static void granted(const worker *w, const rk_message *m)
{
    const stay *s = find_stay(w, m->run);
    if (s && s->shop)
        rk_shop_granted(s->shop, m->size);
}

static void denied(const worker *w, const rk_message *m)
{
    char why[RK_MAX_MESSAGE + 1];
    const stay *s = find_stay(w, m->run);
    rk_word_copy(why, sizeof why, m->text);
    if (s && s->shop)
        rk_shop_denied(s->shop, m->size, (int)m->status, why);
}

static void refused(worker *w, const rk_message *m)
{
    char why[RK_MAX_MESSAGE + 1];
    rk_word_copy(why, sizeof why, m->text);
    stop(w, RASK_EINVAL, why);
}

static void hear(worker *w, const rk_message *m)
{
    const stay *s = NULL;
    switch (m->kind) {
    case RK_SAY_WELCOME: w->welcome = w->ever = true; return;
    case RK_SAY_REFUSED: refused(w, m); return;
    case RK_SAY_BEGIN: begin(w, m); return;
    case RK_SAY_STOP: stop_run(w, m->run); return;
    case RK_SAY_END: end_stay(w, m->run); return;
    case RK_SAY_GRANTED: granted(w, m); return;
    case RK_SAY_DENIED: denied(w, m); return;
    case RK_SAY_GO: w->gone = true; return;
    case RK_SAY_KILL: raise(SIGKILL); return; /* a task that does not return ends with its process */
    default: break;
    }
    s = find_stay(w, m->run);
    if (s && s->shop && !rk_loans_hear(s->loans, m) && m->unit < s->guest.plan->units)
        hear_of_unit(w, s, m);
}

static void message(void *context, uint32_t peer, const void *bytes, size_t size)
{
    worker *w = context;
    rk_pack_in in = {bytes, (const char *)bytes + size, false, NULL};
    rk_message m;
    if (peer != w->program)
        return;
    while (rk_message_get(&in, &m))
        hear(w, &m);
}

/* -- Peers */

static void joined(void *context, uint32_t peer, bool dialled)
{
    worker *w = context;
    (void)dialled;
    if (peer != w->program)
        return;
    w->joined = true;
    const char *contact = w->line.engine->contact(w->line.transport);
    char name[96];
    if (gethostname(name, sizeof name))
        name[0] = '\0';
    name[sizeof name - 1] = '\0';
    say(w, &(rk_message){.kind = RK_SAY_HELLO,
                         .version = RK_PROTOCOL_VERSION,
                         .threads = w->setup->threads,
                         .lanes = w->setup->lanes,
                         .bytes = w->setup->memory,
                         .program = {(const char *)w->ids.program.module, sizeof w->ids.program.module},
                         .library = {(const char *)w->ids.library.module, sizeof w->ids.library.module},
                         .contact = rk_word(contact),
                         .text = rk_word(name)});
    if (w->leaving)
        say(w, &(rk_message){.kind = RK_SAY_LEAVING});
}

static void lose_program(worker *w)
{
    end_all_stays(w);
    rk_mouth_fini(&w->mouth);
    rk_mouth_init(&w->mouth);
    w->program = RK_NO_PEER;
    if (w->joined)
        w->alone_since = rk_clock_now();
    w->joined = w->welcome = false;
}

/* Whether refusals end it, if there are enough. */
static bool ends_refused(const worker *w)
{
    return !w->ever && !isinf(w->setup->patience);
}

static void note_reason(worker *w, int status, const char *why)
{
    char keys[256] = "", before[sizeof w->told];
    if (status == RASK_EINVAL)
        rk_cluster_keys_tell(w->setup->key_file, keys, sizeof keys);
    snprintf(before, sizeof before, "%s", w->reason);
    snprintf(w->reason, w->capacity, "the program at %.200s: %s%s", w->setup->address, why, keys);
    w->again = !strncmp(before, w->reason, sizeof before - 1);
}

static void lost(void *context, uint32_t peer, int status, const char *why)
{
    worker *w = context;
    rk_fetch f;
    while (rk_fetches_lose(&w->fetches, peer, &f))
        end_fetch(w, &f);
    if (peer != w->program) {
        forget_source(w, peer);
        return;
    }
    lose_program(w);
    bool refused = status == RASK_EINVAL || status == RASK_EUNSUPPORTED;
    w->refusals = refused ? w->refusals + 1 : 0;
    w->gone |= status == RASK_ENOENT; /* there is no other program to look for */
    if (w->refusals >= MOST_REFUSALS && ends_refused(w))
        stop(w, status, "");
    note_reason(w, status, why);
}

static const void *object(void *context, uint32_t peer, uint64_t number, uint64_t begin_at, size_t size,
                          uint64_t *total)
{
    worker *w = context;
    (void)peer;
    const stay *s = find_stay(w, (uint32_t)(number >> 32));
    uint32_t unit = (uint32_t)number;
    if (!s || !s->shop)
        return NULL;
    return rk_is_lent(unit) ? rk_loans_object(s->loans, unit, begin_at, size, total)
                            : rk_shop_object(s->shop, unit, begin_at, size, total);
}

static void pulled(void *context, uint64_t ticket, int status)
{
    worker *w = context;
    rk_fetch f;
    if (rk_fetches_end(&w->fetches, ticket, status, &f))
        end_fetch(w, &f);
}

/* -- The loop */

static bool is_due(const worker *w, uint64_t now)
{
    return w->program == RK_NO_PEER && now - w->dialled_at >= REDIAL_NS;
}

static void dial(worker *w, uint64_t now)
{
    w->dialled_at = now;
    int status = w->line.engine->dial(w->line.transport, w->contact, &w->program);
    if (status)
        w->program = RK_NO_PEER;
    if (status == RASK_EINVAL) {
        char why[512];
        rk_line_tell_unusable(w->setup->address, why, sizeof why);
        stop(w, status, why);
    }
}

static void give_up_waiting(worker *w, uint64_t now)
{
    if (w->joined || (double)(now - w->alone_since) < w->setup->patience * 1e9)
        return;
    w->gone = true;
    w->status = w->ever ? RASK_OK : RASK_EIO;
    if (!w->ever && !*w->reason)
        snprintf(w->reason, w->capacity, "no program answered at %.200s", w->setup->address);
}

/* What came but once may come of a program that is just beginning or ending; of refusals that end the worker it tells then. */
static bool is_news(const worker *w)
{
    if (!w->told_at)
        return true;
    if (!w->again || (w->refusals && ends_refused(w)))
        return false;
    return strncmp(w->told, w->reason, sizeof w->told - 1) != 0;
}

static void tell_waiting(worker *w, uint64_t now)
{
    if (w->joined || !w->setup->waiting || now - w->alone_since < WAITING_NS ||
        now - w->told_at < WAITING_NS || !is_news(w))
        return;
    w->told_at = now;
    snprintf(w->told, sizeof w->told, "%s", w->reason);
    w->setup->waiting(w->setup->context, w->reason);
}

static void look_around(worker *w, uint64_t now)
{
    w->looked_at = now;
    free_ended(w, false);
    for (stay *s = w->stays; s; s = s->next)
        if (s->shop && !s->ended) {
            rk_shop_renewed(s->shop, say_renewed, s);
            rk_shop_begun(s->shop, say_begun, s);
            rk_shop_tell_grown_begun(s->shop, say_grown, s);
        }
    if (asked_to_leave && !w->leaving) {
        w->leaving = true;
        say(w, &(rk_message){.kind = RK_SAY_LEAVING});
    }
    if (asked_to_leave > 1 || (w->leaving && !w->joined))
        w->gone = true;
    if (is_due(w, now) && !w->gone)
        dial(w, now);
    tell_waiting(w, now);
    give_up_waiting(w, now);
}

static void work(worker *w)
{
    while (!w->gone) {
        uint64_t now = rk_clock_now(), patience = tell_news(w);
        rk_fetches_go(&w->fetches, &w->line);
        if (now - w->looked_at >= LOOK_NS || (asked_to_leave && !w->leaving))
            look_around(w, now);
        if (w->joined)
            rk_mouth_flush(&w->mouth, &w->line, w->program);
        rk_line_turn(&w->line, patience);
    }
}

/* -- Start and end */

static void on_signal(int number)
{
    (void)number;
    asked_to_leave = asked_to_leave + 1;
    if (signal_bell)
        rk_bell_ring(signal_bell);
}

static const int heard[] = {SIGTERM, SIGINT};
enum { HEARD = sizeof heard / sizeof *heard };

/* before: what was done about them, for end_hearing(). */
static void hear_signals(worker *w, struct sigaction before[HEARD])
{
    struct sigaction action = {.sa_handler = on_signal};
    asked_to_leave = 0;
    signal_bell = &w->line.bell;
    for (int i = 0; i < HEARD; i++)
        sigaction(heard[i], &action, &before[i]);
}

static void end_hearing(const struct sigaction before[HEARD])
{
    for (int i = 0; i < HEARD; i++)
        sigaction(heard[i], &before[i], NULL);
    signal_bell = NULL;
}

/* Everybody who has the key file is known by one of two keys. */
static int open_line(worker *w)
{
    const rk_worker_setup *setup = w->setup;
    char known[2][RK_MAX_KEY + 1];
    const char *allowed[2] = {known[0], known[1]};
    rk_transport_setup t = {.events = {w, joined, message, lost, object, NULL, pulled}};
    int status = rk_line_engine(setup->address, &w->line.engine, w->reason, w->capacity);
    if (status)
        return status;
    snprintf(w->contact, sizeof w->contact, "%s", setup->address);
    t.keys.open_door = !setup->keys;
    if (!setup->keys && !rk_cluster_is_local(setup->address))
        t.listen = "tcp://*:*"; /* other workers may be elsewhere, too */
    if (setup->keys) {
        if (w->line.engine->public_key(setup->keys->program, known[0]) ||
            w->line.engine->public_key(setup->keys->worker, known[1])) {
            snprintf(w->reason, w->capacity, "a key of the key file cannot be read");
            return RASK_EINVAL;
        }
        t.keys.secret = setup->keys->worker;
        t.keys.allowed = allowed;
        t.keys.allowed_count = 2;
        snprintf(w->contact, sizeof w->contact, "%.380s/%s", setup->address, known[0]);
    }
    return rk_line_open(&w->line, &t, w->reason, w->capacity);
}

static void end(worker *w)
{
    end_all_stays(w);
    if (w->joined)
        rk_mouth_flush(&w->mouth, &w->line, w->program);
    rk_line_close(&w->line);
    rk_mouth_fini(&w->mouth);
    rk_fetches_fini(&w->fetches);
    rk_array_fini(&w->sources);
    rk_pack_out_fini(&w->small);
}

int rk_worker_work(const rk_worker_setup *setup, char *reason, size_t capacity)
{
    struct sigaction before[HEARD];
    worker w = {.setup = setup, .program = RK_NO_PEER, .reason = reason, .capacity = capacity};
    *reason = '\0';
    int status = rk_cluster_ids_find(&w.ids, reason, capacity);
    if (!status)
        status = open_line(&w);
    if (status)
        return status;
    rk_mouth_init(&w.mouth);
    rk_fetches_init(&w.fetches);
    w.sources = (rk_array)RK_ARRAY(source, RK_MAX_PEERS);
    w.alone_since = rk_clock_now();
    hear_signals(&w, before);
    work(&w);
    end_hearing(before);
    end(&w);
    return w.status;
}
