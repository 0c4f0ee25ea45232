/* tests/schedulers/cluster/conformance: what every transport must do, as scenes that a leader and partners play, each in a
 * process of its own: forked where the engine lets peers come and go, ranks where it does not. */
#ifndef RASK_TESTS_SCHEDULERS_CLUSTER_CONFORMANCE_H
#define RASK_TESTS_SCHEDULERS_CLUSTER_CONFORMANCE_H

#include "schedulers/cluster/transport.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_PEERS = 64, MOST_TICKETS = 1100, PATIENCE_MS = 40000 };

/* An endpoint, and what it was told. */
typedef struct player {
    const rk_transport_engine *engine;
    rk_transport *t;
    uint32_t peers[MOST_PEERS]; /* in the order in which they joined */
    bool dialled[MOST_PEERS], is_lost[MOST_PEERS];
    int lost_status[MOST_PEERS];
    size_t joined, lost, never_joined, refused, messages, ended, served;
    int refused_status;
    char why[300]; /* of the last that was lost or refused */
    uint64_t tickets[MOST_TICKETS];
    int statuses[MOST_TICKETS]; /* of pulls that ended */
    void (*on_message)(struct player *self, uint32_t peer, const char *bytes, size_t size);
    void (*on_piece)(struct player *self, uint32_t peer);
    uint64_t count; /* for on_message and on_piece */
    bool flag;
} player;

typedef struct stage {
    const rk_transport_engine *engine;
    const char *leader; /* contact: for partners */
    const char *secret; /* of all who play */
    int index, partners;
    player self;
} stage;

typedef struct scene {
    const char *name;
    int partners;
    bool needs_loss; /* only for engines that notice it */
    void (*lead)(stage *s);
    void (*assist)(stage *s);
} scene;

extern const scene conformance_scenes[];
extern const size_t conformance_count;

/* Ends the process with a line that says what was wrong. */
#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                          \
            _Exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

/* on_message and on_piece may be set before. Keys: secret and its public key allowed, or an open door when it is NULL. */
void player_open(player *self, const rk_transport_engine *engine, const char *secret);
void player_open_with(player *self, const rk_transport_engine *engine, const rk_transport_keys *keys,
                      const char *listen);
void player_close(player *self);
/* Progress until a condition over players holds; false: it did not within the patience. other may be NULL. */
bool player_until(player *self, player *other, bool (*holds)(player *self, player *other));
/* Progress for so long. */
void player_pass(player *self, player *other, int milliseconds);

/* Conditions. */
bool has_joined(player *self, player *other);
bool has_lost(player *self, player *other);

/* Object number has number bytes. Pulls it, which should have size bytes, into memory that is the caller's to free. */
uint64_t pull(player *self, uint32_t peer, uint64_t object, uint64_t size, char **into);
/* What is known of the ticket: the status, or -1. */
int status_of(const player *self, uint64_t ticket);
bool holds_object(const char *bytes, uint64_t object);

#endif
