/* schedulers/cluster/protocol: what the program that computes and its workers say to each other.
 *
 * A parcel of the transport holds messages one behind the other. A message is a byte that says which it is, and the fields that
 * the table below lists for it, in the order of the fields' own table. Results that are small stand in messages, all else is
 * an object that is pulled: a plan, or the result of a unit.
 *
 *   worker                                     program
 *   HELLO: what it is, and what it brings  →
 *                                           ←  WELCOME; or REFUSED, and why
 *                                           ←  BEGIN: a run; the plan is an object
 *   READY, or UNABLE, and why              →
 *                                           ←  RUN, RECALL; PUT, FETCH, SPILL, LOAD, DROP; MISSING
 *   FINISHED, FAILED, SKIPPED, RECALLED    →
 *   BACKS_OFF: it is to be run again later →
 *   RENEWED, BEGUN, TOLD, TOLD_GROWN       →
 *   FETCHED, SPILLED, LOADED               →
 *   RESTS: its tasks came to nodes         →
 *   WANTS, GAVE: what these take           →
 *                                           ←  GRANTED; or DENIED, and why
 *   SPARE: more has grown than it can run, →
 *     or that is no longer so
 *   IDLE: of what it runs, so much waits
 *     for what it has lent               →
 *                                           ←  LEND: somebody has time for a call
 *   LENT, or KEEPS: there is none          →
 *                                           ←  TAKE: a call that another has lent
 *   GIVES: what it came to                 →
 *                                           ←  BACK: to who has lent it
 *   LET_GO: its result is there, or not    →
 *     needed any more                       ←  LET_GO
 *   GIVES: it is over                      →
 *                                           ←  STOP: nothing new is called; END: the run is over
 *   LEAVING: it was asked to go            →
 *                                           ←  GO: nobody needs what it has; KILL: a task is over its time
 *
 * Who asks how things stand (status.h) says ASK in place of HELLO, and is told of the program, each worker and each run: TOLD_ALL, or
 * REFUSED, is the last word.
 *
 * A call that is lent has a number (lent.h) in the place of a unit's. It stands in the message, or is an object of who lends it, as
 * what it came to is one of who has called it.
 *
 * A worker that leaves stays until it is told to go: what only it has is fetched before. */
#ifndef RASK_SCHEDULERS_CLUSTER_PROTOCOL_H
#define RASK_SCHEDULERS_CLUSTER_PROTOCOL_H

#include "core/task/pack.h"
#include "schedulers/cluster/transport.h"

#define RK_PROTOCOL_VERSION 3u

enum {
    RK_MAX_INLINE = 4096,       /* bytes of a result, or of a text, in a message */
    RK_MAX_MESSAGE_BYTES = 8192 /* of a message, with all that */
};

/* Fields: how they are written, and what they are. */
#define RK_NUMBER_TABLE(F)                                                                                   \
    F(VERSION, u32, version)                                                                                 \
    F(RUN, u32, run)                                                                                         \
    F(UNIT, u32, unit)                                                                                       \
    F(ATTEMPT, u32, attempt)                                                                                 \
    F(TASK, u32, task)                                                                                       \
    F(STATUS, u32, status)                                                                                   \
    F(DONE, u32, done) /* tasks that came to their result */                                                 \
    F(RETRIES, u32, retries)                                                                                 \
    F(THREADS, u32, threads)                                                                                 \
    F(LANES, u32, lanes)                                                                                     \
    F(WORKER, u32, worker)     /* as tasks see it */                                                         \
    F(BYTES, u64, bytes)       /* of memory */                                                               \
    F(SIZE, u64, size)         /* of an object */                                                            \
    F(DURATION, u64, duration) /* nanoseconds */                                                             \
    F(AGE, u64, age)           /* nanoseconds since it ended, or began */                                    \
    F(FLAG, u8, flag)
#define RK_WORDS_TABLE(F)                                                                                    \
    F(TEXT, bytes, text)                                                                                     \
    F(PROGRAM, bytes, program) /* build-id */                                                                \
    F(LIBRARY, bytes, library)                                                                               \
    F(CONTACT, bytes, contact)                                                                               \
    F(BLOB, bytes, blob)
#define RK_FIELD_TABLE(F)                                                                                    \
    RK_NUMBER_TABLE(F)                                                                                       \
    RK_WORDS_TABLE(F)

enum {
#define RK_FIELD_NUMBER(NAME, type, name) RK_FIELD_##NAME,
    RK_FIELD_TABLE(RK_FIELD_NUMBER)
#undef RK_FIELD_NUMBER
};

enum {
#define RK_FIELD_BIT(NAME, type, name) RK_HAS_##NAME = 1 << RK_FIELD_##NAME,
    RK_FIELD_TABLE(RK_FIELD_BIT)
#undef RK_FIELD_BIT
        RK_HAS_ORDER = RK_HAS_RUN | RK_HAS_UNIT | RK_HAS_ATTEMPT
};

/* New ones stand at the end: what is said before the version is known keeps its number, and who speaks another one is told so. */
#define RK_MESSAGE_TABLE(M)                                                                                          \
    M(HELLO, RK_HAS_VERSION | RK_HAS_THREADS | RK_HAS_LANES | RK_HAS_BYTES | RK_HAS_PROGRAM |                        \
                 RK_HAS_LIBRARY | RK_HAS_CONTACT | RK_HAS_TEXT)                                                      \
    M(WELCOME, RK_HAS_VERSION)                                                                                       \
    M(REFUSED, RK_HAS_TEXT)                                                                                          \
    M(BEGIN, RK_HAS_RUN | RK_HAS_SIZE | RK_HAS_WORKER | RK_HAS_FLAG | RK_HAS_TEXT) /* text: limits */                \
    M(READY, RK_HAS_RUN)                                                                                             \
    M(UNABLE, RK_HAS_RUN | RK_HAS_STATUS | RK_HAS_TEXT)                                                              \
    M(RUN, RK_HAS_ORDER | RK_HAS_RETRIES) /* retries: calls of its first task before */                              \
    M(RECALL, RK_HAS_ORDER)                                                                                          \
    M(PUT, RK_HAS_ORDER | RK_HAS_BLOB)                                                                               \
    M(FETCH, RK_HAS_ORDER | RK_HAS_SIZE | RK_HAS_CONTACT)                                                            \
    M(SPILL, RK_HAS_ORDER)                                                                                           \
    M(LOAD, RK_HAS_ORDER)                                                                                            \
    M(DROP, RK_HAS_RUN | RK_HAS_UNIT)                                                                                \
    M(MISSING, RK_HAS_RUN | RK_HAS_UNIT)                                                                             \
    M(STOP, RK_HAS_RUN)                                                                                              \
    M(END, RK_HAS_RUN)                                                                                               \
    M(FINISHED, RK_HAS_ORDER | RK_HAS_DONE | RK_HAS_RETRIES | RK_HAS_BYTES | RK_HAS_SIZE | RK_HAS_DURATION |         \
                    RK_HAS_BLOB)                                                                                     \
    M(FAILED, RK_HAS_ORDER | RK_HAS_TASK | RK_HAS_STATUS | RK_HAS_DONE | RK_HAS_RETRIES | RK_HAS_DURATION |          \
                  RK_HAS_TEXT)                                                                                       \
    M(SKIPPED, RK_HAS_ORDER | RK_HAS_DONE | RK_HAS_RETRIES | RK_HAS_DURATION)                                        \
    M(TOLD, RK_HAS_RUN | RK_HAS_TASK | RK_HAS_ATTEMPT | RK_HAS_STATUS | RK_HAS_WORKER | RK_HAS_BYTES |               \
                RK_HAS_SIZE | RK_HAS_DURATION | RK_HAS_AGE | RK_HAS_FLAG |                                           \
                RK_HAS_TEXT) /* size: of arguments; flag: it rests until its next call */                            \
    M(BEGUN, RK_HAS_RUN | RK_HAS_TASK | RK_HAS_WORKER | RK_HAS_AGE)                                                  \
    M(RECALLED, RK_HAS_ORDER | RK_HAS_FLAG)                                                                          \
    M(RENEWED, RK_HAS_ORDER)                                                                                         \
    M(FETCHED, RK_HAS_ORDER | RK_HAS_STATUS | RK_HAS_BYTES | RK_HAS_DURATION)                                        \
    M(SPILLED, RK_HAS_ORDER | RK_HAS_STATUS | RK_HAS_BYTES)                                                          \
    M(LOADED, RK_HAS_ORDER | RK_HAS_STATUS)                                                                          \
    M(WANTS,                                                                                                         \
      RK_HAS_ORDER | RK_HAS_SIZE | RK_HAS_STATUS | RK_HAS_FLAG |                                                     \
          RK_HAS_BLOB) /* size: a number for it, status: its priority, blob: what it needs; flag: the unit, again */ \
    M(GAVE, RK_HAS_RUN | RK_HAS_SIZE)                                                                                \
    M(GRANTED, RK_HAS_RUN | RK_HAS_SIZE)                                                                             \
    M(RESTS, RK_HAS_ORDER)                                                                                           \
    M(LEAVING, 0)                                                                                                    \
    M(GO, 0)                                                                                                         \
    M(KILL, 0)                                                                                                       \
    M(ASK, RK_HAS_VERSION)                                                                                           \
    M(TELL_PROGRAM, RK_HAS_VERSION | RK_HAS_DONE | RK_HAS_THREADS | RK_HAS_AGE | RK_HAS_TEXT |                       \
                        RK_HAS_PROGRAM) /* done: runs, threads: workers that are told of */                          \
    M(TELL_WORKER, RK_HAS_WORKER | RK_HAS_ATTEMPT | RK_HAS_TASK | RK_HAS_DONE | RK_HAS_THREADS |                     \
                       RK_HAS_LANES | RK_HAS_BYTES | RK_HAS_SIZE | RK_HAS_AGE | RK_HAS_FLAG |                        \
                       RK_HAS_TEXT) /* attempt: its epoch, task: units that it was told to run */                    \
    M(TELL_RUN, RK_HAS_RUN | RK_HAS_UNIT | RK_HAS_TASK | RK_HAS_DONE | RK_HAS_STATUS | RK_HAS_RETRIES |              \
                    RK_HAS_THREADS | RK_HAS_AGE |                                                                    \
                    RK_HAS_FLAG) /* unit: tasks, task: under way, status: failed */                                  \
    M(TOLD_ALL, 0)                                                                                                   \
    M(DENIED, RK_HAS_RUN | RK_HAS_SIZE | RK_HAS_STATUS | RK_HAS_TEXT)                                                \
    M(BACKS_OFF, RK_HAS_ORDER | RK_HAS_DONE | RK_HAS_RETRIES |                                                       \
                     RK_HAS_DURATION) /* done: calls of its first task, duration: how long it is to rest */          \
    M(SPARE, RK_HAS_RUN | RK_HAS_FLAG)                                                                               \
    M(IDLE, RK_HAS_RUN | RK_HAS_THREADS)                                                                             \
    M(LEND, RK_HAS_RUN | RK_HAS_UNIT)                                                                                \
    M(KEEPS, RK_HAS_RUN | RK_HAS_UNIT)                                                                               \
    M(LENT, RK_HAS_RUN | RK_HAS_UNIT | RK_HAS_SIZE | RK_HAS_BLOB)                                                    \
    M(TAKE, RK_HAS_RUN | RK_HAS_UNIT | RK_HAS_SIZE | RK_HAS_CONTACT | RK_HAS_BLOB)                                   \
    M(GIVES, RK_HAS_RUN | RK_HAS_UNIT | RK_HAS_STATUS | RK_HAS_FLAG | RK_HAS_RETRIES | RK_HAS_SIZE |                 \
                 RK_HAS_DURATION | RK_HAS_BLOB) /* flag: rk_lent_end; blob: a result, or why it failed */            \
    M(BACK, RK_HAS_RUN | RK_HAS_UNIT | RK_HAS_STATUS | RK_HAS_FLAG | RK_HAS_SIZE | RK_HAS_DURATION |                 \
                RK_HAS_CONTACT | RK_HAS_BLOB)                                                                        \
    M(LET_GO, RK_HAS_RUN | RK_HAS_UNIT)                                                                              \
    M(TOLD_GROWN, RK_HAS_RUN | RK_HAS_UNIT | RK_HAS_TASK | RK_HAS_ATTEMPT | RK_HAS_STATUS | RK_HAS_WORKER |          \
                      RK_HAS_BYTES | RK_HAS_SIZE | RK_HAS_DURATION | RK_HAS_AGE | RK_HAS_FLAG |                      \
                      RK_HAS_TEXT |                                                                                  \
                      RK_HAS_PROGRAM) /* unit: its node, task: that grew it, size: how long it was ready, \
                                       * flag: rk_grown_event, and RK_GROWN_WAS_TOLD; program: its name */

typedef enum rk_said {
#define RK_MESSAGE_NUMBER(NAME, fields) RK_SAY_##NAME,
    RK_MESSAGE_TABLE(RK_MESSAGE_NUMBER)
#undef RK_MESSAGE_NUMBER
        RK_SAY_COUNT
} rk_said;

_Static_assert(RK_SAY_HELLO == 0 && RK_SAY_REFUSED == 2 && RK_SAY_ASK == 33,
               "as who speaks another version knows them");

/* Texts and bytes are the sender's until it is written, and the parcel's that was read. */
typedef struct rk_message {
    rk_said kind;
    uint8_t flag;
    uint32_t version, run, unit, attempt, task, status, done, retries, threads, lanes, worker;
    uint64_t bytes, size, duration, age;
    rask_bytes text, program, library, contact, blob;
} rk_message;

/* What is longer than RK_MAX_INLINE is cut: texts may be. */
void rk_message_put(rk_pack_out *out, const rk_message *message);
/* The next; false: there is none, and in->failed says whether that is because the bytes are no message. */
bool rk_message_get(rk_pack_in *in, rk_message *message);

/* "FINISHED". */
const char *rk_message_name(rk_said kind);

static inline rask_bytes rk_word(const char *text)
{
    return (rask_bytes){text, __builtin_strlen(text)};
}

/* A word of a message as a text that ends with NUL: what is not printable becomes "?". */
void rk_word_copy(char *to, size_t capacity, rask_bytes word);

#endif
