#include "conformance.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rask/base.h>

/* -- What scenes share */

static bool has_joined_or_not(player *self, player *other)
{
    (void)other;
    return self->joined || self->never_joined;
}

/* Endpoints hang up on who is slow to greet, as one may be that is kept from running: it comes again. */
static void open_partner(stage *s)
{
    enum { TIMES = 5 };
    uint32_t peer = RK_NO_PEER;
    player_open(&s->self, s->engine, s->secret);
    for (int i = 0; i < TIMES && !s->self.joined; i++) {
        s->self.never_joined = 0;
        MUST(!s->engine->dial(s->self.t, s->leader, &peer));
        MUST(player_until(&s->self, NULL, has_joined_or_not));
    }
    MUST(s->self.joined);
    MUST(s->self.peers[0] == peer && s->self.dialled[0]);
}

static bool all_have_joined(player *self, player *other)
{
    (void)other;
    return self->joined == self->count;
}

static void await_partners(stage *s)
{
    s->self.count = (uint64_t)s->partners;
    MUST(player_until(&s->self, NULL, all_have_joined));
    for (size_t i = 0; i < s->self.joined; i++)
        MUST(!s->self.dialled[i]);
    s->self.count = 0;
}

static void say(player *self, size_t who, const char *word)
{
    MUST(!self->engine->send(self->t, self->peers[who], word, strlen(word)));
}

static bool has_heard(player *self, player *other)
{
    (void)other;
    return self->messages > 0;
}

static bool each_was_heard(player *self, player *other)
{
    (void)other;
    return self->messages == self->joined;
}

static bool all_are_lost(player *self, player *other)
{
    (void)other;
    return self->lost == self->joined;
}

/* The leader's last word, which partners wait for, and then leave. */
static void dismiss(stage *s)
{
    for (size_t i = 0; i < s->self.joined; i++)
        if (!s->self.is_lost[i])
            say(&s->self, i, "that is all");
    if (s->engine->abilities.notices_loss)
        MUST(player_until(&s->self, NULL, all_are_lost));
    player_close(&s->self);
}

static void await_dismissal(stage *s)
{
    MUST(player_until(&s->self, NULL, has_heard));
    player_close(&s->self);
}

/* -- Joining */

static void lead_join(stage *s)
{
    await_partners(s);
    MUST(strlen(s->engine->contact(s->self.t)) <= RK_MAX_CONTACT);
    MUST(s->engine->send(s->self.t, 12345, "x", 1) == RASK_ENOENT);
    MUST(player_until(&s->self, NULL, each_was_heard));
    dismiss(s);
}

static void assist_join(stage *s)
{
    open_partner(s);
    say(&s->self, 0, "here");
    await_dismissal(s);
}

static void assist_dial_twice(stage *s)
{
    uint32_t peer = RK_NO_PEER;
    open_partner(s);
    MUST(s->engine->dial(s->self.t, s->leader, &peer) == RASK_EEXIST);
    MUST(s->engine->dial(s->self.t, "nonsense", &peer) == RASK_EINVAL);
    MUST(s->engine->dial(s->self.t, "", &peer) == RASK_EINVAL);
    MUST(peer == RK_NO_PEER);
    say(&s->self, 0, "here");
    await_dismissal(s);
}

/* -- Messages: number n of the sender has size_of(n) bytes and says n */

enum { MESSAGES = 20000 };

static size_t size_of(uint64_t n)
{
    if (n % 1000 == 999)
        return RK_MAX_PARCEL;
    return n % 97 == 0 ? 0 : sizeof n + n * 37 % 300;
}

static void make_numbered(char *bytes, uint64_t n)
{
    memset(bytes, (int)(n & 127), size_of(n));
    if (size_of(n))
        memcpy(bytes, &n, sizeof n);
}

static void check_numbered(player *self, uint32_t peer, const char *bytes, size_t size)
{
    static char wanted[RK_MAX_PARCEL];
    (void)peer;
    MUST(size == size_of(self->count));
    make_numbered(wanted, self->count);
    MUST(!memcmp(bytes, wanted, size));
    self->count++;
}

static void send_numbered(player *self, uint64_t from, uint64_t to)
{
    static char bytes[RK_MAX_PARCEL + 1];
    for (uint64_t n = from; n < to;) {
        make_numbered(bytes, n);
        int status = self->engine->send(self->t, self->peers[0], bytes, size_of(n));
        MUST(!status || status == RASK_ELIMIT);
        n += !status;
        if (status || n % 64 == 0)
            self->engine->progress(self->t);
    }
}

static bool has_all_numbered(player *self, player *other)
{
    (void)other;
    return self->count == MESSAGES;
}

static void lead_order(stage *s)
{
    s->self.on_message = check_numbered;
    await_partners(s);
    MUST(player_until(&s->self, NULL, has_all_numbered));
    dismiss(s);
}

static void assist_order(stage *s)
{
    static char bytes[RK_MAX_PARCEL + 1];
    open_partner(s);
    MUST(s->engine->send(s->self.t, s->self.peers[0], bytes, RK_MAX_PARCEL + 1) == RASK_ELIMIT);
    send_numbered(&s->self, 0, MESSAGES);
    await_dismissal(s);
}

/* As many as are accepted at once are no more than the ceiling allows, and all of them arrive, though the leader sleeps first. */
static void count_bytes(player *self, uint32_t peer, const char *bytes, size_t size)
{
    uint64_t n;
    (void)peer;
    MUST(size == RK_MAX_PARCEL || size == sizeof n);
    memcpy(&n, bytes, sizeof n);
    if (size == sizeof n) { /* how many there were */
        MUST(n == self->count);
        self->flag = true;
        return;
    }
    MUST(n == self->count);
    self->count++;
}

static bool is_flagged(player *self, player *other)
{
    (void)other;
    return self->flag;
}

static void lead_ceiling(stage *s)
{
    s->self.on_message = count_bytes;
    await_partners(s);
    usleep(300000);
    MUST(player_until(&s->self, NULL, is_flagged));
    dismiss(s);
}

static void assist_ceiling(stage *s)
{
    static char bytes[RK_MAX_PARCEL];
    player *self = &s->self;
    uint64_t n = 0;
    open_partner(s);
    for (int status = 0; !status; n += !status) {
        memcpy(bytes, &n, sizeof n);
        status = s->engine->send(self->t, self->peers[0], bytes, sizeof bytes);
        MUST(!status || status == RASK_ELIMIT);
        MUST(n * sizeof bytes <= RK_MAX_QUEUED_BYTES);
    }
    MUST(n * sizeof bytes > RK_MAX_QUEUED_BYTES / 2);
    for (uint64_t end = n + 500; n < end;) { /* now with progress, while the leader sleeps */
        memcpy(bytes, &n, sizeof n);
        if (s->engine->send(self->t, self->peers[0], bytes, sizeof bytes))
            s->engine->progress(self->t);
        else
            n++;
    }
    while (s->engine->send(self->t, self->peers[0], &n, sizeof n))
        s->engine->progress(self->t);
    await_dismissal(s);
}

/* What was sent before close() arrives. */
static void lead_close(stage *s)
{
    s->self.on_message = check_numbered;
    await_partners(s);
    MUST(player_until(&s->self, NULL, has_all_numbered));
    if (s->engine->abilities.notices_loss)
        MUST(player_until(&s->self, NULL, all_are_lost));
    player_close(&s->self);
}

static void assist_close(stage *s)
{
    open_partner(s);
    send_numbered(&s->self, 0, MESSAGES);
    player_close(&s->self);
}

/* -- Pulls */

enum { PIECE = 512 << 10 };
static const uint64_t sizes[] = {0,     1,         63,        4096,          PIECE - 1,
                                 PIECE, PIECE + 1, 8 * PIECE, 9 * PIECE + 5, 64 << 20};
enum { SIZES = sizeof sizes / sizeof *sizes };

static bool all_have_ended(player *self, player *other)
{
    (void)other;
    return self->ended == self->count;
}

static void pull_all_sizes(player *self)
{
    char *into[SIZES], *nothing;
    uint64_t tickets[SIZES];
    for (size_t i = 0; i < SIZES; i++)
        tickets[i] = pull(self, self->peers[0], sizes[i], sizes[i], &into[i]);
    uint64_t missing = pull(self, self->peers[0], 77777, 77777, &nothing);
    char *other;
    uint64_t wrong_size = pull(self, self->peers[0], 5000, 5001, &other);
    self->count = SIZES + 2;
    MUST(player_until(self, NULL, all_have_ended));
    for (size_t i = 0; i < SIZES; i++) {
        MUST(status_of(self, tickets[i]) == RASK_OK);
        MUST(holds_object(into[i], sizes[i]));
        free(into[i]);
    }
    MUST(status_of(self, missing) == RASK_ENOENT);
    MUST(status_of(self, wrong_size) == RASK_ENOENT);
    free(nothing);
    free(other);
}

static void lead_pulls(stage *s)
{
    await_partners(s);
    pull_all_sizes(&s->self); /* while the partner does the same */
    MUST(player_until(&s->self, NULL, has_heard));
    dismiss(s);
}

static void assist_pulls(stage *s)
{
    open_partner(s);
    pull_all_sizes(&s->self);
    say(&s->self, 0, "done");
    await_dismissal(s);
}

static void lead_many_pulls(stage *s)
{
    static char *into[RK_MAX_PULLS];
    static uint64_t tickets[RK_MAX_PULLS];
    player *self = &s->self;
    uint64_t none = 0;
    char byte;
    await_partners(s);
    for (uint64_t i = 0; i < RK_MAX_PULLS; i++)
        tickets[i] = pull(self, self->peers[0], i * 64, i * 64, &into[i]);
    MUST(s->engine->pull(self->t, self->peers[0], 1, &byte, 1, &none) == RASK_ELIMIT);
    self->count = RK_MAX_PULLS;
    MUST(player_until(self, NULL, all_have_ended));
    for (uint64_t i = 0; i < RK_MAX_PULLS; i++) {
        MUST(status_of(self, tickets[i]) == RASK_OK && holds_object(into[i], i * 64));
        free(into[i]);
    }
    dismiss(s);
}

static void assist_idle(stage *s)
{
    open_partner(s);
    await_dismissal(s);
}

/* Messages arrive while a large object is under way: the pong of each ping comes before the pull has ended. */
static void answer(player *self, uint32_t peer, const char *bytes, size_t size)
{
    if (size == 4 && !memcmp(bytes, "ping", 4)) {
        self->messages = 0;
        MUST(!self->engine->send(self->t, peer, "pong", 4));
    }
}

static void lead_messages_during_pull(stage *s)
{
    player *self = &s->self;
    char *into;
    await_partners(s);
    uint64_t ticket = pull(self, self->peers[0], 64 << 20, 64 << 20, &into);
    say(self, 0, "ping");
    MUST(player_until(self, NULL, has_heard));
    MUST(status_of(self, ticket) == -1);
    self->count = 1;
    MUST(player_until(self, NULL, all_have_ended));
    MUST(status_of(self, ticket) == RASK_OK);
    free(into);
    dismiss(s);
}

static void assist_messages_during_pull(stage *s)
{
    s->self.on_message = answer;
    open_partner(s);
    await_dismissal(s);
}

/* -- How peers end */

static void die(player *self, uint32_t peer)
{
    (void)peer;
    if (self->served == 20)
        _Exit(0);
}

static void lead_death(stage *s)
{
    player *self = &s->self;
    char *into, *second;
    await_partners(s);
    uint64_t ticket = pull(self, self->peers[0], 64 << 20, 64 << 20, &into);
    uint64_t other = pull(self, self->peers[0], 32 << 20, 32 << 20, &second);
    MUST(player_until(self, NULL, all_are_lost));
    MUST(status_of(self, ticket) == RASK_EIO && status_of(self, other) == RASK_EIO);
    MUST(self->lost_status[0] == RASK_EIO);
    MUST(s->engine->send(self->t, self->peers[0], "x", 1) == RASK_ENOENT);
    free(into);
    free(second);
    player_close(self);
}

static void assist_death(stage *s)
{
    s->self.on_piece = die;
    open_partner(s);
    player_pass(&s->self, NULL, PATIENCE_MS);
    _Exit(1);
}

/* Dropped in the middle of its messages and of a pull, the partner hears of it and comes again, as somebody else. */
static void drop_it(player *self, uint32_t peer, const char *bytes, size_t size)
{
    (void)bytes, (void)size;
    if (self->joined > 1)
        return;
    MUST(!self->flag); /* nothing comes behind the first message */
    self->flag = true;
    self->engine->drop(self->t, peer);
}

static bool comes_again(player *self, player *other)
{
    (void)other;
    return self->joined == 2 && self->messages > 1;
}

static void lead_drop(stage *s)
{
    player *self = &s->self;
    char *into;
    await_partners(s);
    self->on_message = drop_it;
    uint64_t ticket = pull(self, self->peers[0], 64 << 20, 64 << 20, &into);
    MUST(player_until(self, NULL, comes_again));
    MUST(status_of(self, ticket) == RASK_ECANCELLED);
    MUST(!self->lost && !self->is_lost[0]);
    self->is_lost[0] = true;
    self->lost = 1;
    free(into);
    self->on_message = NULL;
    dismiss(s);
}

static void assist_drop(stage *s)
{
    uint32_t peer;
    open_partner(s);
    for (int i = 0; i < 100; i++)
        say(&s->self, 0, "word");
    MUST(player_until(&s->self, NULL, has_lost));
    MUST(!s->engine->dial(s->self.t, s->leader, &peer));
    s->self.count = 2;
    MUST(player_until(&s->self, NULL, all_have_joined));
    MUST(!s->engine->send(s->self.t, peer, "again", 5));
    await_dismissal(s);
}

static void lead_close_with_pulls(stage *s)
{
    player *self = &s->self;
    char *into[3];
    uint64_t tickets[3];
    await_partners(s);
    for (int i = 0; i < 3; i++)
        tickets[i] = pull(self, self->peers[0], 64 << 20, 64 << 20, &into[i]);
    for (int i = 0; i < 5; i++)
        s->engine->progress(self->t);
    say(self, 0, "that is all");
    player_close(self);
    for (int i = 0; i < 3; i++) {
        MUST(status_of(self, tickets[i]) == RASK_ECANCELLED);
        free(into[i]);
    }
    MUST(!self->lost);
}

/* -- Many */

static bool all_have_spoken(player *self, player *other)
{
    (void)other;
    return self->messages == 101 * self->joined;
}

static void lead_many_peers(stage *s)
{
    await_partners(s);
    MUST(player_until(&s->self, NULL, all_have_spoken));
    dismiss(s);
}

static void assist_many_peers(stage *s)
{
    char *into;
    open_partner(s);
    uint64_t ticket = pull(&s->self, s->self.peers[0], 1 << 20, 1 << 20, &into);
    for (int i = 0; i < 100; i++)
        say(&s->self, 0, "word");
    s->self.count = 1;
    MUST(player_until(&s->self, NULL, all_have_ended));
    MUST(status_of(&s->self, ticket) == RASK_OK && holds_object(into, 1 << 20));
    free(into);
    say(&s->self, 0, "done");
    await_dismissal(s);
}

const scene conformance_scenes[] = {
    {"peers join, speak and leave", 2, false, lead_join, assist_join},
    {"a peer is dialled once, and a contact must be one", 1, false, lead_join, assist_dial_twice},
    {"messages arrive whole and in order", 1, false, lead_order, assist_order},
    {"what waits for a peer has a ceiling", 1, false, lead_ceiling, assist_ceiling},
    {"what was sent before the end arrives", 1, false, lead_close, assist_close},
    {"objects of all sizes are pulled, both ways at once", 1, false, lead_pulls, assist_pulls},
    {"pulls have a ceiling, and all of them end", 1, false, lead_many_pulls, assist_idle},
    {"messages pass large objects", 1, false, lead_messages_during_pull, assist_messages_during_pull},
    {"pulls end when their peer dies", 1, true, lead_death, assist_death},
    {"who is dropped hears of it and may come again", 1, false, lead_drop, assist_drop},
    {"an endpoint may close while it pulls", 1, false, lead_close_with_pulls, assist_idle},
    {"many peers speak and pull at once", 24, false, lead_many_peers, assist_many_peers},
};
const size_t conformance_count = sizeof conformance_scenes / sizeof *conformance_scenes;
