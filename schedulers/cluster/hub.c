#include "schedulers/cluster/hub.h"

#include "core/base/clock.h"
#include "core/base/forks.h"
#include "schedulers/cluster/conduct.h"
#include "schedulers/cluster/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_NS = 100000000 };

#define HELLO_NS  10000000000u /* who comes and says nothing is dropped */
#define DOOM_NS   2000000000u  /* a worker that was told to end is dropped */
#define LEAVE_NS  10000000000u /* and one that leaves goes, whatever it has */
#define GATHER_NS 5000000000u  /* workers of a launch come */
#define JUST_NS   2000000000u  /* a run that begins is told of who was refused so long ago */

/* -- Words */

void rk_hub_say(rk_hub *hub, rk_member *member, const rk_message *message)
{
    rk_mouth_say(&member->mouth, &hub->line, member->peer, message);
}

/* It is told so by a message, and has its time to act on it. */
static void doom(rk_hub *hub, rk_member *member, rk_said last_word, const char *why)
{
    rk_hub_say(hub, member, &(rk_message){.kind = last_word, .text = rk_word(why)});
    member->doom = why;
    member->since_ns = hub->now;
}

void rk_hub_kill(rk_hub *hub, rk_member *member)
{
    if (!member->doom)
        doom(hub, member, RK_SAY_KILL, "it was ended, for a task that did not return in its time");
}

/* -- Members */

static rk_member **find_place(const rk_hub *hub, uint32_t peer)
{
    rk_member **members = hub->members.data;
    for (size_t i = 0; i < hub->members.count; i++)
        if (members[i]->peer == peer)
            return &members[i];
    return NULL;
}

static rk_conduct *find_conduct(const rk_hub *hub, uint32_t run)
{
    rk_conduct *c = hub->conducts;
    while (c && c->number != run)
        c = c->next;
    return c;
}

static void joined(void *context, uint32_t peer, bool dialled)
{
    rk_hub *hub = context;
    (void)dialled;
    rk_member *member = rk_calloc(1, sizeof *member);
    rk_member **place = member ? rk_array_push(&hub->members) : NULL;
    if (!place) {
        rk_free(member);
        hub->line.engine->drop(hub->line.transport, peer);
        return;
    }
    member->peer = peer;
    member->since_ns = member->joined_ns = hub->now;
    rk_mouth_init(&member->mouth);
    *place = member;
}

static void remove_member(rk_hub *hub, rk_member **place, const char *why)
{
    rk_member *member = *place;
    rk_fetch f;
    while (rk_fetches_lose(&hub->fetches, member->peer, &f))
        rk_free(f.into); /* the loss of its home answers them */
    for (rk_conduct *c = hub->conducts; c; c = c->next)
        rk_conduct_lost(c, member, why);
    *place = ((rk_member **)hub->members.data)[--hub->members.count];
    rk_mouth_fini(&member->mouth);
    rk_free(member);
}

static void lost(void *context, uint32_t peer, int status, const char *why)
{
    rk_hub *hub = context;
    (void)status;
    rk_member **place = find_place(hub, peer);
    if (place)
        remove_member(hub, place, why);
}

static void drop(rk_hub *hub, rk_member **place, const char *why)
{
    hub->line.engine->drop(hub->line.transport, (*place)->peer);
    remove_member(hub, place, why);
}

static void print_id(char *text, size_t capacity, rask_bytes id)
{
    size_t len = 0;
    for (size_t i = 0; i < id.len && len + 3 < capacity; i++)
        len += (size_t)snprintf(text + len, capacity - len, "%02x", (unsigned char)id.data[i]);
}

static bool is_same(rask_bytes id, const rk_identity *own)
{
    return id.len == sizeof own->module && !memcmp(id.data, own->module, id.len);
}

static bool differs(char *why, size_t capacity, const char *what, rask_bytes theirs, const rk_identity *own)
{
    char a[64] = "", b[64] = "";
    if (is_same(theirs, own))
        return false;
    print_id(a, sizeof a, theirs);
    print_id(b, sizeof b, (rask_bytes){(const char *)own->module, sizeof own->module});
    snprintf(why, capacity, "the worker is not the same %s: its build-id is %s, the program's is %s", what, a,
             b);
    return true;
}

/* True: why says what is wrong with the worker. */
static bool is_wrong(const rk_hub *hub, const rk_message *m, char *why, size_t capacity)
{
    if (m->version != RK_PROTOCOL_VERSION) {
        snprintf(why, capacity, "the worker speaks version %u of the protocol, the program %u", m->version,
                 RK_PROTOCOL_VERSION);
        return true;
    }
    if (!m->threads || m->threads > RK_MAX_WORKERS || m->lanes > RK_MAX_LANES || !m->bytes) {
        snprintf(why, capacity, "the worker brings %u threads, %u lanes and %llu bytes of memory", m->threads,
                 m->lanes, (unsigned long long)m->bytes);
        return true;
    }
    return differs(why, capacity, "program", m->program, &hub->ids.program) ||
           differs(why, capacity, "build of librask", m->library, &hub->ids.library);
}

/* hub->refused says why. */
static void tell_refused(rk_hub *hub)
{
    hub->refused_ns = hub->now;
    for (rk_conduct *c = hub->conducts; c; c = c->next)
        rk_conduct_refused(c);
}

static void greet(rk_hub *hub, rk_member *member, const rk_message *m)
{
    if (is_wrong(hub, m, hub->refused, sizeof hub->refused)) {
        hub->mistaken_ns = hub->now;
        doom(hub, member, RK_SAY_REFUSED, hub->refused);
        tell_refused(hub);
        rk_mouth_flush(&member->mouth, &hub->line, member->peer);
        return;
    }
    member->threads = m->threads;
    member->lanes = m->lanes;
    member->memory = m->bytes;
    rk_word_copy(member->contact, sizeof member->contact, m->contact);
    rk_word_copy(member->name, sizeof member->name, m->text);
    member->welcome = true;
    *hub->refused = 0;
    rk_hub_say(hub, member, &(rk_message){.kind = RK_SAY_WELCOME, .version = RK_PROTOCOL_VERSION});
    for (rk_conduct *c = hub->conducts; c; c = c->next)
        rk_conduct_admit(c, member);
}

static void leave(rk_hub *hub, rk_member *member)
{
    if (member->leaving)
        return;
    member->leaving = true;
    member->since_ns = hub->now;
    for (rk_conduct *c = hub->conducts; c; c = c->next)
        rk_conduct_leaving(c, member);
}

/* False: no worker says that now. */
static bool hear(rk_hub *hub, rk_member *member, const rk_message *m)
{
    if (!member->welcome && m->kind == RK_SAY_ASK && !member->doom) {
        const char *why;
        rk_said last_word = rk_status_tell(hub, member, m, &why);
        doom(hub, member, last_word, why);
        return true;
    }
    if (!member->welcome) {
        bool hello = m->kind == RK_SAY_HELLO && !member->doom;
        if (hello)
            greet(hub, member, m);
        return hello;
    }
    if (m->kind == RK_SAY_LEAVING) {
        leave(hub, member);
        return true;
    }
    if (m->kind == RK_SAY_HELLO)
        return false;
    rk_conduct *c = find_conduct(hub, m->run);
    if (c)
        rk_conduct_hear(c, member, m);
    return true;
}

static void message(void *context, uint32_t peer, const void *bytes, size_t size)
{
    rk_hub *hub = context;
    rk_member **place = find_place(hub, peer);
    rk_pack_in in = {bytes, (const char *)bytes + size, false, NULL};
    rk_message m;
    bool good = true;
    if (!place)
        return;
    while (good && rk_message_get(&in, &m))
        good = hear(hub, *place, &m);
    if (good && !in.failed)
        return;
    if (!(*place)->doom) /* else it goes when it was told why */
        drop(hub, place, "it said what no worker says");
}

static const void *object(void *context, uint32_t peer, uint64_t number, uint64_t begin, size_t size,
                          uint64_t *total)
{
    rk_hub *hub = context;
    rk_member **place = find_place(hub, peer);
    rk_conduct *c = place && (*place)->welcome ? find_conduct(hub, (uint32_t)(number >> 32)) : NULL;
    return c ? rk_conduct_object(c, (uint32_t)number, begin, size, total) : NULL;
}

static void refused(void *context, int status, const char *why)
{
    rk_hub *hub = context;
    char keys[256];
    if (status == RASK_EINVAL)
        hub->mistaken_ns = hub->now;
    rk_cluster_keys_tell(hub->key_file, keys, sizeof keys);
    snprintf(hub->refused, sizeof hub->refused, "%s%s", why, keys);
    tell_refused(hub);
}

static void pulled(void *context, uint64_t ticket, int status)
{
    rk_hub *hub = context;
    rk_fetch f;
    if (!rk_fetches_end(&hub->fetches, ticket, status, &f))
        return;
    rk_conduct *c = find_conduct(hub, f.run);
    if (c)
        rk_conduct_pulled(c, &f);
    rk_free(f.into);
}

/* -- The thread */

static bool is_worker(const rk_member *member)
{
    return member->welcome && !member->leaving && !member->doom;
}

static bool has_workers(const rk_hub *hub)
{
    rk_member *const *members = hub->members.data;
    for (size_t i = 0; i < hub->members.count; i++)
        if (is_worker(members[i]))
            return true;
    return false;
}

static void adopt(rk_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    rk_conduct *coming = hub->coming;
    hub->coming = NULL;
    pthread_mutex_unlock(&hub->lock);
    rk_member **members = hub->members.data;
    bool just_refused = *hub->refused && hub->now - hub->refused_ns < JUST_NS && !has_workers(hub);
    while (coming) {
        rk_conduct *c = coming;
        coming = c->next;
        c->next = hub->conducts;
        hub->conducts = c;
        if (just_refused)
            rk_conduct_refused(c);
        for (size_t i = 0; i < hub->members.count; i++)
            if (is_worker(members[i]))
                rk_conduct_admit(c, members[i]);
    }
}

static void release(rk_hub *hub, rk_conduct *c)
{
    for (uint32_t home = 1; home < c->home_count; home++)
        if (c->hands[home].member)
            rk_hub_say(hub, c->hands[home].member, &(rk_message){.kind = RK_SAY_END, .run = c->number});
    pthread_mutex_lock(&hub->lock);
    c->over = true;
    pthread_cond_broadcast(&hub->over);
    pthread_mutex_unlock(&hub->lock);
}

static bool turn_all(rk_hub *hub)
{
    bool any = false;
    for (rk_conduct **at = &hub->conducts; *at;) {
        rk_conduct *c = *at;
        any |= rk_conduct_turn(c);
        if (!rk_conduct_is_through(c)) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        release(hub, c);
    }
    return any;
}

static bool may_go(const rk_hub *hub, const rk_member *member)
{
    if (hub->now - member->since_ns >= LEAVE_NS)
        return true;
    for (const rk_conduct *c = hub->conducts; c; c = c->next)
        if (!rk_conduct_spares(c, member))
            return false;
    return true;
}

/* Who goes is doomed: it is dropped when it does not. */
static void see_off(rk_hub *hub)
{
    for (size_t i = hub->members.count; i-- > 0;) {
        rk_member **place = &((rk_member **)hub->members.data)[i], *member = *place;
        if (member->mouth.failed)
            drop(hub, place, "it does not listen, or there is no memory to talk to it");
        else if (member->doom && hub->now - member->since_ns >= DOOM_NS)
            drop(hub, place, member->doom);
        else if (!member->welcome && hub->now - member->since_ns >= HELLO_NS)
            drop(hub, place, "it did not say who it is");
        else if (member->leaving && !member->doom && may_go(hub, member))
            doom(hub, member, RK_SAY_GO, "it was asked to leave, and did not");
    }
}

static void flush(rk_hub *hub)
{
    rk_member **members = hub->members.data;
    for (size_t i = 0; i < hub->members.count; i++)
        rk_mouth_flush(&members[i]->mouth, &hub->line, members[i]->peer);
}

static uint64_t patience(const rk_hub *hub)
{
    uint64_t least = LOOK_NS;
    for (const rk_conduct *c = hub->conducts; c; c = c->next) {
        uint64_t its = rk_conduct_patience(c);
        least = its < least ? its : least;
    }
    return least;
}

static bool is_ending(rk_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    bool ending = hub->ending;
    pthread_mutex_unlock(&hub->lock);
    return ending;
}

static void turn(rk_hub *hub)
{
    hub->now = rk_clock_now();
    adopt(hub);
    bool busy = turn_all(hub);
    see_off(hub);
    rk_fetches_go(&hub->fetches, &hub->line);
    flush(hub);
    rk_line_turn(&hub->line, busy ? 0 : patience(hub));
}

/* Of a launch, whose program may end before they have come. */
static bool is_missing_members(const rk_hub *hub)
{
    uint32_t there = 0;
    rk_member *const *members = hub->members.data;
    for (size_t i = 0; i < hub->members.count; i++)
        there += members[i]->welcome;
    return there < hub->expected;
}

static void *serve(void *context)
{
    rk_hub *hub = context;
    while (!is_ending(hub))
        turn(hub);
    uint64_t end = rk_clock_now() + GATHER_NS;
    while (is_missing_members(hub) && rk_clock_now() < end)
        turn(hub);
    return NULL;
}

/* -- From other threads */

uint32_t rk_hub_number_run(rk_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    uint32_t number = ++hub->last_run;
    pthread_mutex_unlock(&hub->lock);
    return number;
}

void rk_hub_add(rk_hub *hub, rk_conduct *conduct)
{
    pthread_mutex_lock(&hub->lock);
    conduct->next = hub->coming;
    hub->coming = conduct;
    pthread_mutex_unlock(&hub->lock);
    rk_bell_ring(&hub->line.bell);
}

void rk_hub_wait(rk_hub *hub, rk_conduct *conduct)
{
    pthread_mutex_lock(&hub->lock);
    while (!conduct->over)
        pthread_cond_wait(&hub->over, &hub->lock);
    pthread_mutex_unlock(&hub->lock);
}

/* -- The process's hubs */

static pthread_mutex_t hubs_lock = PTHREAD_MUTEX_INITIALIZER;
static rk_hub *hubs;
static pid_t owner; /* a forked process has no thread of theirs */

RK_KNOW_FORKS(hubs_lock)

static int listen_at(rk_hub *hub, const char *key_file, char *reason, size_t capacity)
{
    rk_cluster_keys keys = {"", ""};
    char known[RK_MAX_KEY + 1];
    const char *allowed[] = {known};
    rk_transport_setup setup = {.listen = hub->address,
                                .keys.open_door = !key_file,
                                .events = {hub, joined, message, lost, object, refused, pulled}};
    int status = rk_line_engine(hub->address, &hub->line.engine, reason, capacity);
    if (!status && key_file)
        status = rk_cluster_keys_read(key_file, &keys, reason, capacity);
    if (!status && key_file && hub->line.engine->public_key(keys.worker, known)) {
        snprintf(reason, capacity, "the key of workers in %.200s cannot be read", key_file);
        status = RASK_EINVAL;
    }
    if (key_file) {
        setup.keys.secret = keys.program;
        setup.keys.allowed = allowed;
        setup.keys.allowed_count = 1;
    }
    if (!status)
        status = rk_line_open(&hub->line, &setup, reason, capacity);
    explicit_bzero(&keys, sizeof keys);
    return status;
}

static void hub_free(rk_hub *hub)
{
    rk_line_close(&hub->line);
    for (size_t i = 0; i < hub->members.count; i++) {
        rk_mouth_fini(&((rk_member **)hub->members.data)[i]->mouth);
        rk_free(((rk_member **)hub->members.data)[i]);
    }
    rk_array_fini(&hub->members);
    rk_fetches_fini(&hub->fetches);
    pthread_cond_destroy(&hub->over);
    pthread_mutex_destroy(&hub->lock);
    rk_free(hub->key_file);
    rk_free(hub);
}

static int hub_new(const char *address, const char *key_file, rk_hub **out, char *reason, size_t capacity)
{
    rk_hub *hub = rk_calloc(1, sizeof *hub);
    const char *keys = key_file ? key_file : "";
    if (!hub || !(hub->key_file = rk_strndup(keys, strlen(keys)))) {
        rk_free(hub);
        snprintf(reason, capacity, "no memory for the cluster");
        return RASK_ENOMEM;
    }
    snprintf(hub->address, sizeof hub->address, "%s", address);
    hub->members = (rk_array)RK_ARRAY(rk_member *, RK_MAX_PEERS);
    hub->now = hub->opened_ns = rk_clock_now();
    rk_fetches_init(&hub->fetches);
    pthread_mutex_init(&hub->lock, NULL);
    pthread_cond_init(&hub->over, NULL);
    int status = rk_cluster_ids_find(&hub->ids, reason, capacity);
    if (!status)
        status = listen_at(hub, key_file, reason, capacity);
    if (!status && pthread_create(&hub->thread, NULL, serve, hub)) {
        snprintf(reason, capacity, "no thread for the cluster");
        status = RASK_ENOMEM;
    }
    if (status)
        hub_free(hub);
    else
        *out = hub;
    return status;
}

/* Out of the process's: those that are kept, or the others. */
static rk_hub *take_out(bool kept)
{
    rk_hub *taken = NULL;
    pthread_mutex_lock(&hubs_lock);
    for (rk_hub **at = &hubs; *at && owner == getpid();) {
        rk_hub *hub = *at;
        if (hub->kept != kept) {
            at = &hub->next;
            continue;
        }
        *at = hub->next;
        hub->next = taken;
        taken = hub;
    }
    pthread_mutex_unlock(&hubs_lock);
    return taken;
}

/* Its workers have no other program to look for. */
static void dismiss_members(rk_hub *hub)
{
    rk_member **members = hub->members.data;
    for (size_t i = 0; i < hub->members.count; i++)
        rk_hub_say(hub, members[i], &(rk_message){.kind = RK_SAY_GO});
    flush(hub);
}

static void close_some(bool kept)
{
    rk_hub *hub = take_out(kept);
    while (hub) {
        rk_hub *next = hub->next;
        pthread_mutex_lock(&hub->lock);
        hub->ending = true;
        pthread_mutex_unlock(&hub->lock);
        rk_bell_ring(&hub->line.bell);
        pthread_join(hub->thread, NULL);
        if (kept)
            dismiss_members(hub);
        hub_free(hub);
        hub = next;
    }
}

void rk_hub_close_all(void)
{
    close_some(false);
}

static void end_all(void)
{
    close_some(false);
    close_some(true);
}

void rk_hub_keep(rk_hub *hub, uint32_t workers)
{
    hub->kept = true;
    hub->expected = workers;
}

static int refuse_keys(const rk_hub *hub, char *reason, size_t capacity)
{
    bool encrypts = hub->line.engine->abilities.encrypted;
    if (encrypts)
        snprintf(reason, capacity, "%.200s is in use with %s%.200s", hub->address,
                 *hub->key_file ? "the keys of " : "no keys", hub->key_file);
    else
        snprintf(
            reason, capacity,
            "%.200s does not encrypt and takes no key file; RASK_TRANSPORT=tcp does, with keys of its own",
            hub->address);
    return encrypts ? RASK_EINVAL : RASK_EUNSUPPORTED;
}

int rk_hub_get(const char *address, const char *key_file, rk_hub **out, char *reason, size_t capacity)
{
    static bool at_exit;
    int status = RASK_OK;
    know_forks();
    pthread_mutex_lock(&hubs_lock);
    if (owner != getpid())
        hubs = NULL; /* the parent's */
    owner = getpid();
    rk_hub *hub = hubs;
    while (hub && strcmp(hub->address, address) != 0)
        hub = hub->next;
    if (hub && strcmp(hub->key_file, key_file ? key_file : "") != 0)
        status = refuse_keys(hub, reason, capacity);
    if (!hub && !(status = hub_new(address, key_file, &hub, reason, capacity))) {
        hub->next = hubs;
        hubs = hub;
        if (!at_exit)
            at_exit = !atexit(end_all);
    }
    pthread_mutex_unlock(&hubs_lock);
    if (!status)
        *out = hub;
    return status;
}

const char *rk_hub_contact(void)
{
    pthread_mutex_lock(&hubs_lock);
    const rk_hub *hub = owner == getpid() ? hubs : NULL;
    const char *contact = hub ? hub->line.engine->contact(hub->line.transport) : "";
    pthread_mutex_unlock(&hubs_lock);
    return contact;
}
