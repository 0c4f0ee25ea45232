/* Workflows of shell commands: what `rask run` runs. docs/run.md has the format. */
#ifndef FLOW_H
#define FLOW_H

#include <rask/graph.h>

#include <stdbool.h>

enum { FLOW_TASKS_MOST = 1000000, FLOW_ERROR = 600 };

/* Texts belong to the flow. */
typedef struct flow_task {
    const char *id;                 /* in the file, */
    int line;                       /* and where its text begins there; 0: not known, as in WfFormat */
    const char *name;               /* what tasks of its kind are called */
    const char *shell;              /* a line for /bin/sh; NULL: */
    const char **arguments;         /* program and arguments, NULL at the end; or NULL: nothing to run */
    const char **inputs, **outputs; /* paths, NULL at the end */
    uint32_t *before;               /* tasks that come before it, ascending, each once */
    uint32_t before_count;
    uint32_t retries;
    double timeout, seconds; /* 0: none; and how long it is said to take */
    const char *tags;        /* NULL: none */
} flow_task;

typedef struct flow {
    flow_task *tasks;
    uint32_t count;
    uint32_t *order; /* each behind those before it */
    struct cJSON *root;
    rask_task_def *defs; /* a name each */
    uint32_t def_count;
    rask_node **nodes; /* a task each, once they are built: its last, */
    rask_node **works; /* and the one that runs its command */
} flow;

/* What came of a task. BEGUN to the end: it failed. */
enum { FLOW_NOT_RUN, FLOW_BEGUN, FLOW_RAN, FLOW_WAS_DONE, FLOW_OUTCOMES };

/* How a workflow is run. */
typedef struct flow_manner {
    const char *folder;      /* of notes; NULL: there are none, of a simulation */
    double scale;            /* of a simulation; below 0: commands are run */
    bool spins;              /* simulated tasks compute */
    bool again;              /* what is done, too */
    unsigned char *outcomes; /* a task each */
} flow_manner;

/* What a task becomes: a call of work with its number; or, with before and behind, a call of before with the number, one of work
 * with the result of that, and one of behind with the number and the result of that. */
typedef struct flow_stages {
    rask_function work;
    const char *arguments; /* of work */
    const rask_task_def *before, *behind;
} flow_stages;

/* Does it look like a workflow, and not like a graph of docs/graph-json.md? */
bool flow_is(const char *text, size_t len);

/* Reads a workflow, in Rask's own format or WfCommons' WfFormat 1.4 or 1.5. False: what is wrong is in error. */
bool flow_read(flow *f, const char *text, size_t len, char error[FLOW_ERROR]);
/* A zeroed flow is legal. */
void flow_fini(flow *f);

/* Nodes for all tasks, of which those in f->nodes are to be computed; messages say that file has them. False: what is wrong is in
 * error. The flow, and file, outlive the graph. */
bool flow_build(flow *f, rask_graph *graph, const flow_stages *stages, uint32_t retries, const char *file,
                char error[FLOW_ERROR]);

#endif
