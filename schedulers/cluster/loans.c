/* When it pays. Messages to and fro cost some tens of microseconds of three processes. So what grows is offered to others only when some of it
 * has lain there for a moment, and whoever finds that a call which was lent took no longer than its way offers nothing for a while,
 * which doubles each time. A graph of short tasks stays where it grows; of a tree of them large parts go, as the oldest calls do. */
#include "schedulers/cluster/loans.h"

#include "core/base/clock.h"
#include "core/task/grow.h"
#include "schedulers/cluster/lent.h"
#include "schedulers/cluster/slips.h"
#include "schedulers/cluster/values.h"
#include "schedulers/futures/lend.h"
#include "schedulers/futures/queue.h"

#include <pthread.h>
#include <string.h>

enum {
    LOOK_NS = 2000000,
    WORTH_NS = 300000,
    LEAST_PAUSE_NS = 1000000,
    MOST_PAUSE_NS = 128000000,
    INLINE_BYTES = RK_MAX_INLINE,
    MOST_GROWERS = 16,
    MOST_LOANS = 1 << 16
};

/* A call of this worker's that another has, or may have. */
typedef struct outgoing {
    uint32_t number;
    bool pulling; /* its result is on its way */
    rask_future *future;
    rk_pack_out slip; /* it is an object; empty: it stood in the message */
} outgoing;

/* One of another's. */
typedef struct incoming {
    rk_waiter waiter; /* the first member */
    rk_loans *loans;
    uint32_t number;
    bool unwanted;       /* who lent it has let go of it */
    rask_future *future; /* NULL: its slip is on its way */
    rk_pack_out result;  /* it is an object; empty: it is not there yet */
    uint64_t since_ns;
    struct incoming *next_done;
} incoming;

struct rk_loans {
    rk_loans_setup setup;
    rk_array out, in; /* outgoing; incoming * */
    uint64_t looked_at, paused_until, pause_ns;
    bool told_spare, had_work, stopped;
    uint32_t told_idle, seen_idle;
    const rask_task_def *growers[MOST_GROWERS]; /* whose pure calls have grown elsewhere: the last of them */
    uint32_t grower_count;
    pthread_mutex_t lock; /* of what follows */
    incoming *done;
    bool closed; /* those that are not done yet end by themselves, before the shop's executor does */
};

rk_loans *rk_loans_new(const rk_loans_setup *setup)
{
    rk_loans *l = rk_calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->setup = *setup;
    l->out = (rk_array)RK_ARRAY(outgoing, MOST_LOANS);
    l->in = (rk_array)RK_ARRAY(incoming *, MOST_LOANS);
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

static void say(const rk_loans *l, rk_message message)
{
    l->setup.say(l->setup.context, message);
}

static rk_executor *executor_of(const rk_loans *l)
{
    return rk_shop_find_executor(l->setup.shop);
}

/* -- What goes out */

static outgoing *find_out(const rk_loans *l, uint32_t number)
{
    outgoing *all = l->out.data;
    for (size_t i = 0; i < l->out.count; i++)
        if (all[i].number == number)
            return &all[i];
    return NULL;
}

static rask_future *remove_out(rk_loans *l, outgoing *o)
{
    rask_future *future = o->future;
    rk_pack_out_fini(&o->slip);
    *o = ((outgoing *)l->out.data)[--l->out.count];
    return future;
}

static bool may_lend(const rk_loans *l, uint64_t now)
{
    rk_executor *e = executor_of(l);
    return e && !l->stopped && now >= l->paused_until && rk_executor_may_lend(e);
}

/* The bytes of a call that can go; without, it goes home. */
static bool write_slip(rask_future *future, rk_pack_out *slip)
{
    char message[RK_MAX_MESSAGE + 1];
    rk_lent_call call = rk_lent_call_of(future);
    *slip = (rk_pack_out){0};
    if (!rk_pack_put_slip(slip, &call, message, sizeof message))
        return true;
    rk_pack_out_fini(slip);
    rk_future_come_home(future);
    return false;
}

static void note_worth(rk_loans *l, uint64_t duration_ns)
{
    if (duration_ns >= WORTH_NS) {
        l->pause_ns = 0;
        return;
    }
    l->pause_ns = l->pause_ns ? 2 * l->pause_ns : LEAST_PAUSE_NS;
    if (l->pause_ns > MOST_PAUSE_NS)
        l->pause_ns = MOST_PAUSE_NS;
    l->paused_until = rk_clock_now() + l->pause_ns;
}

/* One more that goes out; false: none. */
static bool choose(rk_loans *l, outgoing *o)
{
    while ((o->future = rk_executor_lend(executor_of(l), l->growers,
                                         l->grower_count < MOST_GROWERS ? l->grower_count : MOST_GROWERS)))
        if (write_slip(o->future, &o->slip))
            return true;
    return false;
}

static void lend(rk_loans *l, uint32_t number)
{
    outgoing o = {.number = number}, *place = NULL;
    bool may = may_lend(l, rk_clock_now());
    if (may && choose(l, &o) && !(place = rk_array_push(&l->out))) {
        rk_pack_out_fini(&o.slip);
        rk_future_come_home(o.future);
    }
    if (!place) {
        l->told_spare = false;
        if (may && rk_executor_has_work(executor_of(l)))
            note_worth(l, 0); /* what there is cannot go */
        say(l, (rk_message){.kind = RK_SAY_KEEPS, .unit = number});
        return;
    }
    *place = o;
    if (o.slip.size > INLINE_BYTES) {
        say(l, (rk_message){.kind = RK_SAY_LENT, .unit = number, .size = o.slip.size});
        return;
    }
    place->slip = (rk_pack_out){0};
    say(l, (rk_message){
               .kind = RK_SAY_LENT, .unit = number, .size = o.slip.size, .blob = {o.slip.data, o.slip.size}});
    rk_pack_out_fini(&o.slip);
}

/* -- What comes back */

static void conclude(rask_future *future, int status, const char *text)
{
    const rask_value none = rask_value_none();
    rk_future_conclude(future, status, text, &none);
}

/* Bytes that are no value are as good as none. */
static void conclude_with(rask_future *future, const char *bytes, uint64_t size)
{
    char message[RK_MAX_MESSAGE + 1];
    rk_pack_in in = {bytes, bytes + size, false, NULL};
    rask_value value;
    if (rk_pack_get_value(&in, &value, message, sizeof message))
        rk_future_come_home(future);
    else
        rk_future_conclude(future, RASK_OK, "", &value);
}

static void note_grower(rk_loans *l, const rask_future *future)
{
    l->growers[l->grower_count % MOST_GROWERS] = future->def;
    l->grower_count++;
}

static void fail(rk_loans *l, outgoing *o, const rk_message *m)
{
    char text[RK_MAX_MESSAGE + 1];
    rk_word_copy(text, sizeof text, m->blob);
    conclude(remove_out(l, o), (int)m->status, text);
}

static void take_back(rk_loans *l, const rk_message *m)
{
    outgoing *o = find_out(l, m->unit);
    if (!o || o->pulling)
        return;
    if (m->flag == RK_LENT_GREW)
        note_grower(l, o->future);
    note_worth(l, m->flag ? 0 : m->duration);
    if (m->flag) {
        rk_future_come_home(remove_out(l, o));
    } else if (m->status) {
        fail(l, o, m);
    } else if (m->blob.len) {
        conclude_with(remove_out(l, o), m->blob.data, m->blob.len);
    } else {
        o->pulling = true;
        l->setup.pull(l->setup.context, m->unit, m->size, m->contact);
    }
}

static void take_result(rk_loans *l, outgoing *o, const rk_fetch *f)
{
    rask_future *future = remove_out(l, o);
    say(l, (rk_message){.kind = RK_SAY_LET_GO, .unit = f->unit});
    if (f->status)
        rk_future_come_home(future);
    else
        conclude_with(future, f->into, f->size);
}

/* -- What is borrowed */

static incoming *find_in(const rk_loans *l, uint32_t number)
{
    incoming *const *all = l->in.data;
    for (size_t i = 0; i < l->in.count; i++)
        if (all[i]->number == number)
            return all[i];
    return NULL;
}

static void free_in(incoming *in)
{
    rask_future_unref(in->future);
    rk_pack_out_fini(&in->result);
    rk_free(in);
}

static void remove_in(rk_loans *l, incoming *in)
{
    incoming **all = l->in.data;
    size_t i = 0;
    while (all[i] != in)
        i++;
    all[i] = all[--l->in.count];
    free_in(in);
}

/* Whatever it came to: calls repeated until now count, also of what nobody needs any more. */
static void say_gives(const rk_loans *l, rk_message m)
{
    rk_executor *e = executor_of(l);
    m.kind = RK_SAY_GIVES;
    m.retries = e ? (uint32_t)rk_executor_take_retries(e) : 0;
    say(l, m);
}

static void give_up(rk_loans *l, incoming *in, rk_lent_end end)
{
    say_gives(l, (rk_message){.unit = in->number, .flag = end});
    remove_in(l, in);
}

/* In whatever thread that is. */
static void tell_done(rk_waiter *waiter, rask_future *future, rk_endings *endings)
{
    incoming *in = (incoming *)waiter;
    rk_loans *l = in->loans;
    if (endings->ready.first)
        rk_executor_push_all(future->executor, &endings->ready);
    pthread_mutex_lock(&l->lock);
    bool closed = l->closed;
    if (!closed) {
        in->next_done = l->done;
        l->done = in;
    }
    pthread_mutex_unlock(&l->lock);
    if (closed)
        free_in(in);
    else
        l->setup.wake(l->setup.context);
}

static int start(rk_loans *l, incoming *in, const char *bytes, uint64_t size)
{
    char message[RK_MAX_MESSAGE + 1];
    rk_pack_in from = {bytes, bytes + size, false, NULL};
    rk_executor *e = rk_shop_executor(l->setup.shop);
    rk_lent_call call;
    if (!e || !rk_shop_help(l->setup.shop))
        return RASK_ENOMEM;
    int status = rk_pack_get_slip(&from, e->gate, &call, message, sizeof message);
    if (status)
        return status;
    status = rk_executor_borrow(e, &call, &in->waiter, &in->future);
    rk_slip_fini(&call);
    return status;
}

/* What is for another program, or comes too late, is not called here. */
static void begin(rk_loans *l, incoming *in, const char *bytes, uint64_t size)
{
    in->waiter.tell = tell_done;
    in->since_ns = rk_clock_now();
    if (l->stopped || start(l, in, bytes, size))
        give_up(l, in, RK_LENT_LOST);
}

static void borrow(rk_loans *l, const rk_message *m)
{
    incoming *in = rk_calloc(1, sizeof *in), **place = in ? rk_array_push(&l->in) : NULL;
    if (!place) {
        rk_free(in);
        say_gives(l, (rk_message){.unit = m->unit, .flag = RK_LENT_LOST});
        return;
    }
    *in = (incoming){.loans = l, .number = m->unit};
    *place = in;
    if (m->blob.len)
        begin(l, in, m->blob.data, m->blob.len);
    else
        l->setup.pull(l->setup.context, m->unit, m->size, m->contact);
}

/* Nobody needs it: one that is under way is told to end, and forgotten when it has. */
static void drop(rk_loans *l, incoming *in)
{
    rk_endings endings = {0};
    in->unwanted = true;
    if (!in->future)
        return; /* its slip comes yet */
    if (in->result.size) {
        give_up(l, in, RK_LENT_LOST);
        return;
    }
    rk_future_unwant(in->future, &endings);
    rk_futures_end(&endings);
}

bool rk_loans_hear(rk_loans *l, const rk_message *m)
{
    incoming *in;
    switch (m->kind) {
    case RK_SAY_LEND: lend(l, m->unit); return true;
    case RK_SAY_BACK: take_back(l, m); return true;
    case RK_SAY_TAKE: borrow(l, m); return true;
    case RK_SAY_LET_GO:
        if ((in = find_in(l, m->unit)))
            drop(l, in);
        return true;
    default: return false;
    }
}

void rk_loans_pulled(rk_loans *l, const rk_fetch *f)
{
    outgoing *o = find_out(l, f->unit);
    incoming *in = find_in(l, f->unit);
    if (o && o->pulling)
        take_result(l, o, f);
    else if (in && !in->future && (f->status || in->unwanted))
        give_up(l, in, RK_LENT_LOST);
    else if (in && !in->future)
        begin(l, in, f->into, f->size);
}

const char *rk_loans_object(const rk_loans *l, uint32_t number, uint64_t begin_at, uint64_t size,
                            uint64_t *total)
{
    const outgoing *o = find_out(l, number);
    const incoming *in = find_in(l, number);
    const rk_pack_out *object = o ? &o->slip : in ? &in->result : NULL;
    if (!object || !object->size)
        return NULL;
    *total = object->size;
    return begin_at > *total || size > *total - begin_at ? NULL : object->data + begin_at;
}

/* -- What it came to */

/* As its own failure, when it is: who lent it adds the rest. */
static void give_failure(const rk_loans *l, const incoming *in, rk_message m)
{
    m.status = (uint32_t)in->future->status;
    m.blob = rk_word(in->future->cause || !in->future->message ? rask_future_error(in->future)
                                                               : in->future->message);
    say_gives(l, m);
}

static bool give_value(const rk_loans *l, incoming *in, const rask_value *value, rk_message m)
{
    char message[RK_MAX_MESSAGE + 1];
    int status = rk_pack_put_value(&in->result, value, message, sizeof message);
    if (!status && in->result.failed)
        status = RASK_ENOMEM;
    if (status) {
        m.flag = RK_LENT_LOST; /* at home it need not be written */
        rk_pack_out_fini(&in->result);
        in->result = (rk_pack_out){0};
    }
    m.size = in->result.size;
    bool object = m.size > INLINE_BYTES;
    if (!object)
        m.blob = (rask_bytes){in->result.data, in->result.size};
    say_gives(l, m);
    return object;
}

static void give(rk_loans *l, incoming *in)
{
    rask_value value;
    bool object = false;
    if (in->unwanted) {
        give_up(l, in, RK_LENT_LOST);
        return;
    }
    rk_message m = {.unit = in->number, .duration = rk_clock_now() - in->since_ns};
    if (rask_future_result(in->future, &value)) {
        give_failure(l, in, m);
    } else if (rk_grown_is(&value)) {
        m.flag = RK_LENT_GREW;
        say_gives(l, m);
        rask_value_unref(&value);
    } else {
        object = give_value(l, in, &value, m);
        rask_value_unref(&value);
    }
    if (!object)
        remove_in(l, in);
}

static incoming *take_done(rk_loans *l)
{
    pthread_mutex_lock(&l->lock);
    incoming *done = l->done;
    l->done = NULL;
    pthread_mutex_unlock(&l->lock);
    return done;
}

/* -- Turns */

static void give_all(rk_loans *l)
{
    incoming *in = take_done(l);
    if (in)
        l->setup.tell(l->setup.context);
    for (incoming *next; in; in = next) {
        next = in->next_done;
        give(l, in);
    }
}

/* What nobody needs here need not be called there. */
static void let_cancelled_go(rk_loans *l)
{
    const outgoing *all = l->out.data;
    for (size_t i = l->out.count; i-- > 0;) {
        if (!rask_cancelled(&all[i].future->cancel))
            continue;
        uint32_t number = all[i].number;
        rask_future *future = remove_out(l, find_out(l, number));
        say(l, (rk_message){.kind = RK_SAY_LET_GO, .unit = number});
        conclude(future, RASK_ECANCELLED, "it was cancelled");
    }
}

static void offer(rk_loans *l, bool spare)
{
    l->told_spare = spare;
    say(l, (rk_message){.kind = RK_SAY_SPARE, .flag = spare});
}

/* Who has calls to spare is given none. */
static void tell_spare(rk_loans *l, rk_executor *e, uint64_t now)
{
    bool has = rk_executor_has_work(e), had = l->had_work;
    l->had_work = has;
    if (l->told_spare && !has && !had) {
        offer(l, false);
    } else if (!l->told_spare && may_lend(l, now)) {
        rk_shop_help(l->setup.shop); /* others here first */
        offer(l, true);
    }
}

/* Threads that the program takes for busy: with units that wait for what is lent, or rests until its next call, and with borrowed calls
 * that do, or were lent on. */
static uint32_t count_idle(const rk_loans *l, rk_executor *e)
{
    bool waits = l->out.count || rk_resting_any(&e->resting);
    uint32_t waiting = rk_load_relaxed(&e->watching) + (uint32_t)l->in.count;
    uint32_t helping = rk_shop_helping(l->setup.shop);
    return !waits || rk_executor_has_work(e) || waiting < helping ? 0 : waiting - helping;
}

/* Who waits looks around now and then: it has something to do only when it is found at it twice. */
static void tell_idle(rk_loans *l, rk_executor *e)
{
    uint32_t now = count_idle(l, e);
    uint32_t idle = now > l->seen_idle ? now : l->seen_idle;
    l->seen_idle = now;
    if (idle == l->told_idle)
        return;
    l->told_idle = idle;
    say(l, (rk_message){.kind = RK_SAY_IDLE, .threads = idle});
}

/* The mark goes before it is seen that nothing is left: what is queued later, or rests, sets it again. */
static bool is_quiet(const rk_loans *l, rk_executor *e)
{
    rk_store_seq_cst(rk_shop_grows(l->setup.shop), false);
    if (!rk_executor_has_work(e) && !rk_resting_any(&e->resting) && !l->out.count && !l->told_idle &&
        !l->told_spare)
        return true;
    rk_store_seq_cst(rk_shop_grows(l->setup.shop), true);
    return false;
}

uint64_t rk_loans_turn(rk_loans *l, uint64_t now)
{
    rk_executor *e = executor_of(l);
    give_all(l);
    if (!e || l->stopped || !rk_load_seq_cst(rk_shop_grows(l->setup.shop)))
        return UINT64_MAX;
    if (!l->looked_at)
        l->looked_at = now; /* what is done within a moment is nobody else's */
    if (now - l->looked_at < LOOK_NS)
        return LOOK_NS - (now - l->looked_at);
    l->looked_at = now;
    let_cancelled_go(l);
    tell_spare(l, e, now);
    tell_idle(l, e);
    if (is_quiet(l, e)) {
        l->looked_at = 0;
        return UINT64_MAX;
    }
    return LOOK_NS;
}

/* -- The end */

void rk_loans_stop(rk_loans *l)
{
    if (l)
        l->stopped = true;
    while (l && l->out.count) {
        outgoing *o = l->out.data;
        uint32_t number = o->number;
        rask_future *future = remove_out(l, o);
        say(l,
            (rk_message){.kind = RK_SAY_LET_GO, .unit = number}); /* or its result is kept for this worker */
        conclude(future, RASK_ECANCELLED, "the run was stopped while it was elsewhere");
    }
}

/* What was never called, and results that nobody came for. */
static void forget_idle(rk_loans *l)
{
    incoming *const *all = l->in.data;
    for (size_t i = l->in.count; i-- > 0;)
        if (!all[i]->future || all[i]->result.size)
            remove_in(l, all[i]);
}

/* From here on others free what they find that they are done with. */
static incoming *leave_to_others(rk_loans *l)
{
    pthread_mutex_lock(&l->lock);
    incoming *done = l->done;
    l->done = NULL;
    l->closed = true;
    pthread_mutex_unlock(&l->lock);
    l->in.count = 0;
    return done;
}

void rk_loans_close(rk_loans *l)
{
    if (!l)
        return;
    rk_loans_stop(l);
    forget_idle(l);
    for (incoming *done = leave_to_others(l), *next; done; done = next) {
        next = done->next_done;
        free_in(done);
    }
}

void rk_loans_free(rk_loans *l)
{
    if (!l)
        return;
    rk_array_fini(&l->in);
    rk_array_fini(&l->out);
    pthread_mutex_destroy(&l->lock);
    rk_free(l);
}
