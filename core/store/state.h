/* core/store/state: what the files of the store share. The calls here want the store's lock held unless they
 * say otherwise; no user function runs, and nothing is read or written, under it. */
#ifndef RASK_CORE_STORE_STATE_H
#define RASK_CORE_STORE_STATE_H

#include "core/store/image.h"
#include "core/store/store.h"

#include <assert.h>
#include <pthread.h>

/*  state      object in place  who moves on, and where to
 *  IN_MEMORY  yes              eviction: SPILLING, or at once ON_DISK (there is an image already) or DROPPED
 *  SPILLING   yes              who writes it: ON_DISK; IN_MEMORY when it failed, or a task pinned it meanwhile
 *  ON_DISK    no               who brings it back: LOADING
 *  DROPPED    no               the same; by a call of its task
 *  LOADING    no               the same: IN_MEMORY; where it came from when it failed
 * An entry whose last use went while somebody moves it is an orphan, and ended by him. */
typedef enum rk_entry_state {
    RK_IN_MEMORY,
    RK_SPILLING,
    RK_ON_DISK,
    RK_DROPPED,
    RK_LOADING,
} rk_entry_state;

typedef struct rk_entry {
    rask_value *place;
    rk_image image;   /* may be there while the object is in memory, too: values never change */
    uint64_t bytes;   /* in memory */
    uint64_t scratch; /* of calling its task again */
    uint32_t index;   /* of the entry; place->reserved is one more */
    uint32_t task, edge, pins;
    uint32_t seen;                /* the look that counted it last, at the door or by who read it */
    rk_entry_state state, origin; /* origin: what it was before LOADING */
    const rk_pass *mover;         /* who brings it back; NULL: the helper */
    bool source, orphan;
    bool handed; /* somebody outside may have the object that is in memory */
    bool alone;  /* nobody else was found to hold what is in it, and nobody has taken it since */
    rk_image_look look;
    struct rk_entry *next, *previous; /* in store->resident or store->away */

    /* Of a list: entries whose results are items of it, in their order (link.c), and while it is in memory these results. */
    struct rk_entry **links;
    rask_value *parts;
    uint32_t link_count;
    uint32_t
        links_deep; /* so many lists that are linked are in each other, this one included; 0: it is not linked */
    /* Of such an item: how many links to it there are. */
    uint32_t listed;
    uint32_t lister, list_edge; /* the task of the last list */
    rask_value own; /* the place, once that of its result has ended: it is displaced, and perhaps an orphan */
    struct rk_entry *dead; /* the next in store->dead */
} rk_entry;

enum { RK_PICKED = 64, RK_LINKS_DEEP = 16 };

/* Entries chosen in one walk over a list: the one to be taken first is last. */
typedef struct rk_picks {
    struct {
        uint32_t index;
        uint64_t key;
    } picked[RK_PICKED];
    uint32_t count;
} rk_picks;

struct rk_store {
    /* Written by every task with a small result. */
    rk_atomic_u64 used;       /* counted and reserved */
    rk_atomic_u64 peak, refs; /* refs: one for the run and one for every object counted */
    char apart[RK_CACHE_LINE];

    /* Hardly written. */
    rk_atomic_u64 line; /* what used is held against without the lock: the budget once it is known */
    rk_atomic_u64 threshold;
    rk_atomic_bool managed;
    rk_atomic_u64 on_disk_bytes; /* of entries in this state; written under the lock */
    const char *folder;
    rk_store_run run;

    /* Under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* for who waits: something left, was moved or came free */
    uint64_t budget;        /* 0: not asked for yet */
    uint64_t reserved;      /* part of used */
    uint64_t mapped;        /* of results in memory, in blocks that the allocator maps */
    uint64_t mapped_before; /* in such blocks when the run began */
    uint64_t bounded;       /* what the allocator was told last */
    rk_alloc_bound bound;
    uint64_t scattered;        /* bytes of small blocks that left memory since it was tidied */
    rk_array entries;          /* rk_entry *, by index; NULL: free */
    rk_array free_indices;     /* uint32_t */
    rk_entry *resident, *away; /* entries whose object is in place, and the others */
    uint32_t resident_count;
    uint32_t on_disk; /* entries in this state */
    uint32_t
        moving; /* entries SPILLING, those LOADING for nobody at the door, and objects on their way out */
    uint32_t running;  /* tasks inside that do not wait for room */
    uint32_t look;     /* number of looks at the door */
    uint64_t promised; /* bytes that come free when those inside leave */
    uint64_t traffic;  /* who came and went */
    uint64_t freed;    /* traffic when somebody last left who freed something */
    uint64_t pressed;  /* traffic when the door was last short of room */
    uint32_t position; /* the furthest task that came to the door */
    rk_pass *waiting;
    rk_picks coldest, nearest;
    rk_entry *dead; /* displaced entries that no list is linked to any more */
    int error;      /* of the scratch file, with its message: nothing more is written */
    char message[512];
    uint64_t spilled, read_back;
    uint32_t dropped, remade;
    rk_scratch scratch; /* has a lock of its own */

    /* The helper. */
    pthread_t helper;
    pthread_cond_t work;
    uint64_t rest; /* traffic before he looks again */
    bool helping, refused, ending, idle;
};

/* counting.c */

/* Reserves so many bytes when the budget has them. Needs no lock. */
bool rk_store_charge(rk_store *store, uint64_t bytes);
/* Counts the objects of a value that nobody counts yet as the store's, without charging for them; their
 * bytes. Needs no lock. */
uint64_t rk_store_claim(rk_store *store, const rask_value *value);
/* Budget and threshold are known from here on. */
void rk_store_know_budget(rk_store *store);

/* Tells the allocator how much may be kept beside what lives. */
void rk_store_bound_alloc(rk_store *store);

/* entry.c */

rk_entry *rk_entry_at(rk_store *store, const rask_value *place);
/* Makes an entry for a result in memory and puts the result into place. NULL: no memory; nothing happened. */
rk_entry *rk_entry_new(rk_store *store, uint32_t task, rask_value *place, const rask_value *result,
                       uint64_t bytes);
/* The only place where states change. */
void rk_entry_move(rk_store *store, rk_entry *entry, rk_entry_state from, rk_entry_state to);
/* Ends an entry that nobody moves; *object: what is to be unreferenced without the lock. */
void rk_entry_free(rk_store *store, rk_entry *entry, rask_value *object);
/* Memory comes free when the object goes, as far as the store counts: who has it outside may keep it. Looks at all of it, whatever
 * entry->alone says. */
bool rk_entry_may_leave(rk_entry *entry);
/* The entry to take out of memory first, unpinned and worth it; NULL when there is none. */
rk_entry *rk_entry_coldest(rk_store *store);
/* The entry on disk that is needed first. */
rk_entry *rk_entry_nearest(rk_store *store);
/* When these are needed, as of rk_store_run.next_use, without choosing them; false: there is none. */
bool rk_entry_coldest_use(rk_store *store, uint32_t *next_use);
bool rk_entry_nearest_use(rk_store *store, uint32_t *next_use);
/* As rk_store_run.next_use. */
uint32_t rk_entry_next_use(rk_store *store, rk_entry *entry);

/* It takes so many bytes in memory. */
void rk_entry_resize(rk_store *store, rk_entry *entry, uint64_t bytes);
/* An entry that is LOADING stays away after all: what was charged for it is given back. */
void rk_entry_give_up(rk_store *store, rk_entry *entry);

/* link.c */

/* Links a list, which no task has taken yet, to the entries of those arguments of its task that are items of it. */
void rk_entry_link(rk_store *store, rk_entry *list, const rk_pass *pass);
/* What it is linked to is in memory. */
bool rk_entry_has_parts(const rk_entry *list);
/* Makes parts what the linked results are, which are in memory. */
void rk_entry_see_parts(rk_entry *list);
/* For rk_entry_free(): what is displaced and has no other link goes to store->dead. */
void rk_entry_unlink(rk_store *store, rk_entry *list);
/* The place of an entry that lists are linked to, or that is an orphan, has ended. */
void rk_entry_displace(rk_entry *entry);

/* The entries that a pass takes: those of its arguments, each behind what it is linked to. Starts zeroed. */
typedef struct rk_pass_walk {
    uint32_t look, deep, argument;
    bool own; /* the last one was an argument's own */
    rk_entry *inside[RK_LINKS_DEEP + 1];
    uint32_t link[RK_LINKS_DEEP + 1]; /* of each, the next */
} rk_pass_walk;
/* NULL: there are no more. Each entry comes once; more than once, perhaps, when others walked meanwhile because the lock was let go of. */
rk_entry *rk_pass_next(rk_store *store, const rk_pass *pass, rk_pass_walk *walk);
/* That of argument i; NULL: it is not managed. */
rk_entry *rk_pass_argument(rk_store *store, const rk_pass *pass, uint32_t i);

/* move.c. All let go of the lock meanwhile. */

/* Takes a coldest entry out of memory, as far as that goes; an error is noted in the store. */
void rk_entry_evict(rk_store *store, rk_entry *entry);
/* Ends what is in store->dead; before anybody who ended a list lets go of the lock for good. */
void rk_entry_bury(rk_store *store);
/* Brings an entry back that the caller has charged for and moved to LOADING, or gives it up on failure. pass: who for;
 * NULL: the helper, who takes no lists that are linked. */
int rk_entry_bring_back(rk_store *store, rk_entry *entry, const rk_pass *pass, char *message,
                        size_t capacity);

/* helper.c */

/* There may be work for the helper. */
void rk_helper_notice(rk_store *store);
/* The same; he is started when there is none. */
void rk_helper_wake(rk_store *store);
/* Without the lock: ends it. */
void rk_helper_end(rk_store *store);

#endif
