/* tests/simulate: the coordinator's third set of hands: homes, workers, disks and messages that exist only in simulated
 * time, and fail as a seed says. */
#ifndef RASK_TESTS_SIMULATE_H
#define RASK_TESTS_SIMULATE_H

#include "schedulers/coordinator/coordinator.h"

#include <rask/base.h>

enum { MOST_TASKS = 64, MOST_EDGES = 400, MOST_HOMES = 6, MOST_LIVES = 400, MOST_QUEUE = 64, TAGS = 3 };
enum { MOST_NUMBERS = 1024, MOST_INPUTS = 8, MOST_SPROUT = 6 };

/* Randomness: the same for the same seed, everywhere. */
typedef struct dice {
    uint64_t state;
} dice;
uint64_t dice_draw(dice *d);
/* Below limit, which is not 0. */
uint64_t dice_below(dice *d, uint64_t limit);
/* True so many times of a thousand. */
bool dice_permille(dice *d, uint32_t chance);
/* From least to most, as often in every decade. */
uint64_t dice_spread(dice *d, uint64_t least, uint64_t most);

/* What happens to a task, whoever runs it. */
typedef struct script {
    rk_traits traits;
    uint64_t bytes, duration_ns;
    uint32_t fails;            /* so many calls fail before one does not */
    bool fatal, poison, hangs; /* fails for good; takes its worker with it; never returns */
    bool backs_off; /* whoever runs it says whether it is tried again, and when; else the coordinator */
    bool grows;     /* returns tasks instead of a result: the same ones for the same identity */
} script;

/* A task as it is now, by its number: numbers are used again. */
typedef struct node {
    script x;
    uint64_t identity; /* what it is, wherever and whenever it is made */
    uint64_t truth;    /* what its result must be */
    uint32_t depth;    /* of growth; 0: of the graph, or from outside */
    uint32_t links;    /* of a chain of tasks that return one another */
    uint32_t input_count, inputs[MOST_INPUTS];
    uint64_t input_truth[MOST_INPUTS];
} node;

/* What a task returns, or what is submitted at once: inputs as in an rk_growth. */
typedef struct sprout {
    uint32_t count, result;
    node nodes[MOST_SPROUT];
} sprout;

/* A home that is planned. */
typedef struct site {
    uint64_t budget, disk, arrives_ns;
    uint32_t workers, slots, lanes;
    bool here, only_here;
    uint32_t tags[TAGS];
    uint64_t disk_ns; /* for a movement to or from disk */
} site;

/* All that a seed says. Chances are in thousandths. */
typedef struct scenario {
    uint64_t seed;
    dice dice;
    uint32_t tasks, homes;
    uint64_t input_start[MOST_TASKS + 1];
    uint32_t inputs[MOST_EDGES];
    script scripts[MOST_TASKS];
    site sites[MOST_HOMES];
    rk_coordinator_options options;
    uint32_t tag_counts[TAGS];
    bool sure;            /* sizes are told, and true */
    bool starts_are_told; /* workers tell when they begin */
    uint64_t message_ns, quiet_from_ns, cancel_ns;
    uint32_t repeats, late, losses;                /* of news */
    uint32_t deaths, home_deaths, stalls;          /* of workers, by what they do */
    uint32_t bad_transfers, bad_spills, bad_loads; /* of movements */
    uint32_t memory_reports, leavers;
    bool faults, needs; /* tasks fail, hang and kill; and need tags */
    uint32_t grows;     /* tasks, of those that may */
    uint32_t submits;   /* how often something comes from outside; 0: it is a plan that runs */
} scenario;

void scenario_make(scenario *s, uint64_t seed);
/* By other dice; source: it takes nothing. */
void scenario_script(const scenario *s, dice *d, script *x, bool source);

/* growth.c: what a task grows; and what a node's result must be. */
void sprout_of(const scenario *s, const node *parent, sprout *out);
uint64_t truth_of(const scenario *s, const node *n);

/* A result in a home. */
typedef struct cell {
    uint64_t hash;
    bool memory, disk, coming;
    bool moving;  /* to disk, or hither */
    bool spoiled; /* it was on disk, and could not be read */
    bool untold;  /* it came, and the news of that are on their way */
} cell;

typedef struct job {
    uint32_t task, attempt, tries;
    uint64_t began_ns;
    uint64_t allowed; /* bytes that it may hold */
    bool running, done;
    bool waits;     /* for more, */
    uint64_t asked; /* so many */
} job;

/* A worker from its birth to its end. */
typedef struct life {
    uint32_t home, number, epoch;
    uint32_t slots, lanes;
    uint32_t permille; /* of the speed of others */
    bool alive, told;  /* told: the coordinator knows that it is not */
    bool leaving;
    job jobs[MOST_QUEUE]; /* in the order in which they came */
    uint32_t job_count;
    uint32_t unreported[MOST_NUMBERS]; /* results of which the news have not arrived: attempts */
} life;

typedef enum event_kind {
    EVENT_JOIN,
    EVENT_RUN_COMES,
    EVENT_RECALL_COMES,
    EVENT_JOB_ENDS,
    EVENT_JOB_ASKS,
    EVENT_ANSWER_COMES,
    EVENT_MOVED,
    EVENT_DIES,
    EVENT_TICK,
    EVENT_MEMORY,
    EVENT_CANCEL,
    EVENT_LEAVES,
    EVENT_SUBMIT,
    EVENT_CHANGE, /* somebody outside wants something, or no more */
    EVENT_CLOSE,
    EVENT_LOAN, /* others count the run's tags, too */
    EVENT_LOAN_ENDS,
    EVENT_JOB_RESTS,   /* it returned with what its worker runs by itself, */
    EVENT_JOB_RESUMES, /* and goes on after that */
    NEWS_RESTS,
    NEWS_RESUMES,
    NEWS_STARTED,
    NEWS_ASKED,
    NEWS_FINISHED,
    NEWS_GROWN,
    NEWS_FAILED,
    NEWS_BACKS_OFF,
    NEWS_RECALLED,
    NEWS_LOST,
    NEWS_MOVED,
} event_kind;

typedef struct event {
    uint64_t at, order;
    event_kind kind;
    rk_instruction_kind move;
    uint32_t life, home, from, task, attempt, culprit, tries;
    int status;
    bool flag; /* final, given back, home lost, told to end */
    uint64_t bytes, duration_ns;
} event;

typedef struct world {
    scenario s;
    rk_coordinator *c;
    uint64_t now, events_made, rests_at;
    event *events; /* a heap */
    uint32_t event_count, event_room;
    uint32_t life_count;
    cell cells[MOST_HOMES][MOST_NUMBERS];
    bool home_here[MOST_HOMES], home_known_lost[MOST_HOMES];
    uint64_t other[MOST_HOMES];
    uint32_t numbers; /* used so far */
    uint32_t runs[MOST_NUMBERS], returned[MOST_NUMBERS],
        ends[MOST_NUMBERS]; /* ends: of workers that had it */
    uint32_t failures[MOST_NUMBERS];
    bool blamed[MOST_NUMBERS];
    bool known[MOST_NUMBERS];           /* a task has this number */
    uint32_t wants[MOST_NUMBERS];       /* from outside */
    bool told[MOST_NUMBERS];            /* and DONE was said */
    uint64_t added, begun, submissions; /* submissions: made so far */
    bool disturbed; /* something happened that may make a movement or a worker fail again and again */
    bool cancelled, ended, verbose;
    int status;
    const char *wrong;
    char text[256];
    /* From here on what is read was written before. */
    node origins[MOST_NUMBERS], nodes[MOST_NUMBERS]; /* nodes: what tasks have grown into */
    life lives[MOST_LIVES];
} world;

/* Runs a scenario to its end; false: something was wrong, in w->text. */
bool world_run(world *w, uint64_t seed, bool verbose);

void world_add_event(world *w, uint64_t at, event e);
bool world_is_calm(const world *w);

/* client.c: who submits from outside. */
void client_submit(world *w);
void client_change(world *w);
void client_grow(world *w, const event *e);
void client_forget(world *w, uint32_t task);

/* Something is wrong: the first is kept. */
void world_wrong(world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* judge.c: what must hold. */
void judge_instruction(world *w, const rk_instruction *i);
void judge_now(world *w);
/* Nothing is left to be said: what homes really use is known of. */
void judge_memory(world *w);
void judge_end(world *w);

uint64_t mix_hash(uint64_t sum, uint64_t next);
/* Bytes of a home that are really used. */
uint64_t world_memory(const world *w, uint32_t home);

#endif
