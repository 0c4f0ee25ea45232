/* schedulers/cluster/mpi/mail: packets between ranks: the wire over MPI, as its files see it. All of MPI that is called once an
 * endpoint is open is Isend, Issend, Irecv, Testsome and Cancel, from one thread at a time.
 *
 * A thread is inside MPI between rk_mail_enter() and rk_mail_leave(), and no other one meanwhile, of whatever endpoint. What a wire
 * has belongs to who is inside. Upcalls of the host are outside. */
#ifndef RASK_SCHEDULERS_CLUSTER_MPI_MAIL_H
#define RASK_SCHEDULERS_CLUSTER_MPI_MAIL_H

#include "schedulers/cluster/wire/wire.h"

#include <mpi.h>
#include <pthread.h>

enum {
    CONTROL_RECEIVES = 16, /* that are posted at once */
    BULK_RECEIVES = 6,
    RECEIVES = CONTROL_RECEIVES + BULK_RECEIVES,
    SENDS = 512,       /* under way at once, of data */
    SENDS_TO_ONE = 24, /* of these, to one rank on one channel */
    WORDS = 8,         /* and a rank of what else is said, which so has room */
    EMPTY_POLLS = 60,  /* after so many that found nothing each further one rests: cores are for tasks */
    EMPTY_SLEEP_US = 50,
    IDLE_POLLS = 1000, /* and after so many, which is a twentieth of a second, longer */
    IDLE_SLEEP_US = 500
};

/* A link is CALLING from HELLO to WELCOME, UP from there to BYE, and then again or for the first time. Each time has a number, its life,
 * so that what is still under way from an earlier one is not taken for the later one's. An endpoint that closes is LEAVING: it takes
 * what comes, and throws it away, until the other side has said GONE on both channels, behind all that it had sent; else that would
 * never be received, and its sender never done with it. The same is due on a link that was cut, and an endpoint that closes waits for
 * that, too. Whoever gets BYE or END says GONE, unless it has closed.
 *
 * Rank 0, which others dial, parts so with everybody, by END, linked or not, and everybody with rank 0: nobody waits for an endpoint
 * that is no more. */
typedef enum link_state { LINK_NONE, LINK_CALLING, LINK_LEAVING, LINK_UP } link_state;

struct rk_link {
    int rank;
    link_state state;
    uint32_t peer;
    uint32_t life, theirs; /* ours, and that of the rank's own link to us */
    uint32_t sending[2];   /* packets under way, by channel */
    uint32_t due[2];       /* GONE that is still to come, by channel */
    uint64_t heard_ns;     /* something came, or was received there, by the wire's clock */
    bool failed;
    bool ended;  /* whoever was there has closed for good */
    bool untold; /* END was not sent yet */
};

enum mail_kind { MAIL_HELLO = 1, MAIL_WELCOME, MAIL_BYE, MAIL_GONE, MAIL_END, MAIL_BEAT, MAIL_DATA };

/* What every packet begins with. */
typedef struct mail_head {
    uint32_t kind;
    uint32_t to, from; /* lives of the link, of whoever receives and of whoever sends; to is 0 in HELLO */
    uint32_t version;
} mail_head;

typedef struct mail_send {
    rk_link *link;
    rk_channel channel;
    char bytes[];
} mail_send;

/* Receives of a channel are posted in turn, and looked at in turn, so that packets stay in order. */
typedef struct mail_ring {
    char *buffers;
    size_t room; /* of one */
    int begin, count, next;
    bool done[CONTROL_RECEIVES];
    int sizes[CONTROL_RECEIVES], sources[CONTROL_RECEIVES];
} mail_ring;

/* Who stands in for the thread that polls (beats.h). */
typedef struct rk_beating {
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t ended;
    bool any, over;
} rk_beating;

struct rk_wire {
    rk_wire_host host;
    MPI_Comm comm;
    int rank, ranks;
    rk_link *links; /* by rank */
    mail_ring rings[2];
    MPI_Request *requests; /* RECEIVES, and behind them one for each of the sends */
    mail_send **sends;     /* most_sends */
    int *which;            /* these two, for what was tested */
    MPI_Status *statuses;
    int most_sends, sends_end; /* behind the last that is in use */
    size_t sending, failed;
    unsigned empty;      /* polls in a row that found nothing */
    uint64_t clock_ns;   /* time that it has listened, by whichever thread */
    uint64_t passed_ns;  /* when that was noted last, by the system's clock */
    uint64_t polled_ns;  /* when its own thread polled last, by the system's clock */
    uint64_t looked_ns;  /* when words were said, and looked after */
    uint64_t closing_ns; /* when it began to close; 0: it does not */
    uint64_t silence_ns; /* 0: it waits for good */
    uint64_t beat_ns;    /* from word to word */
    rk_beating beating;
    char contact[32];
};

/* From outside, and from inside. */
void rk_mail_enter(void);
void rk_mail_leave(void);
/* The rest is called from inside. RASK_ENOMEM, RASK_EIO. */
int rk_mail_open(rk_wire *wire);
/* Nothing is received any more; legal on what was not opened, or not as a whole. Sends that are under way keep their memory: MPI still reads it. */
void rk_mail_close(rk_wire *wire);
/* As rk_wire_module.send(). */
int rk_mail_send(rk_wire *wire, rk_link *link, rk_channel channel, enum mail_kind kind, const void *head,
                 size_t head_size, const void *body, size_t body_size);
/* Notes what came, and forgets what has been sent. True: there was something. */
bool rk_mail_test(rk_wire *wire);
/* The same, and calls take for each that came; takes_bulk: of RK_BULK, too, where it stays otherwise, and its senders wait. */
bool rk_mail_poll(rk_wire *wire, bool takes_bulk,
                  void (*take)(rk_wire *wire, rk_link *link, rk_channel channel, const char *bytes,
                               size_t size));

#endif
