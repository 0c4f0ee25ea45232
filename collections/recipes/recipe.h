/* collections/recipes/recipe: what the tasks of a collection share, in other processes of a cluster.
 *
 * Jobs, plans and functions point at one another and at files; no bytes are made of them. What goes is the recipe: by which builders
 * the collection was made, of which files, and what it was lowered with. The other process makes it and lowers it again, which
 * gives the same things in the same order, since nothing else has a part in it, and takes the one of the same number.
 *
 * A thing that tasks share is a value of a class for its kind (RK_SHARED_CLASS), made by rk_shared_value() while the lowering is
 * under way on the same thread. */
#ifndef RASK_COLLECTIONS_RECIPES_RECIPE_H
#define RASK_COLLECTIONS_RECIPES_RECIPE_H

#include "collections/files/elsewhere.h"
#include "core/graph/graph.h"

/* A collection. */
typedef struct rk_recipe_kind {
    size_t size; /* of what rk_recipe_begin() is given and put() gets */
    /* RASK_OK, or a status with error. */
    int (*put)(const void *of, rk_pack_out *out, rk_open_error *error);
    /* Makes it again in graph, and lowers it. RASK_OK; RASK_EFORMAT: these are no bytes of put(); RASK_ENOMEM; any other with error: it
     * cannot be made in this process, such as when files are others. */
    int (*again)(rask_graph *graph, rk_pack_in *in, rk_open_error *error);
} rk_recipe_kind;

typedef struct rk_recipe rk_recipe;

/* Before and after lowering. of is copied; what it points to stays as long as the run. Without memory there is no recipe (NULL), and
 * what is shared stays in its process. */
rk_recipe *rk_recipe_begin(const rk_recipe_kind *kind, const void *of);
void rk_recipe_end(rk_recipe *recipe);

/* Classes of what is shared; theirs is the data of rk_shared_value() alone. decode: calls rk_shared_decode() with its kind. */
void rk_shared_destroy(void *data);
int rk_shared_encode(const void *data, rask_value *bytes);
int rk_shared_decode(const rk_recipe_kind *kind, rask_bytes bytes, void **out);

#define RK_SHARED_CLASS(text, decoder)                                                                       \
    .name = (text), .destroy = rk_shared_destroy, .encode = rk_shared_encode, .decode = (decoder)

/* what, which lives as long as graph, as a value of cls. RASK_OK; or RASK_ENOMEM, latched. */
int rk_shared_value(rask_graph *graph, const rask_class *cls, const void *what, rask_value *out);
/* In a task: argument number index; NULL: the task failed, also where files are others than the program saw. */
void *rk_shared_arg(rask_task *task, size_t index, const rask_class *cls);
/* What the data of such a value is of, for print(). */
const void *rk_shared_what(const void *data);

/* A call of a builder that was noted, and is made again. Fields that it has no use for are 0. */
enum { RK_CALL_TEXTS = 2, RK_CALL_NUMBERS = 4, RK_CALL_FUNCTIONS = 2 };

typedef struct rk_builder_call {
    uint32_t builder;
    uint64_t turn; /* later calls have higher ones */
    const char *texts[RK_CALL_TEXTS];
    uint64_t numbers[RK_CALL_NUMBERS];
    void (*functions[RK_CALL_FUNCTIONS])(void);
    rask_bytes bytes; /* 8-byte aligned */
    /* Of its functions, where rask_graph_context() made it; looked at when it is written. */
    rask_bytes context;
    void *const *inputs;
    size_t input_count;
    bool stays; /* it was told of other memory of the program's, so that it cannot be made elsewhere */
    uint64_t
        seen; /* of rk_builder_calls_find(), for which put() of a kind is called one at a time: when it was found, */
    uint32_t number; /* and its place then */
} rk_builder_call;

/* Notes in call with which context its functions are called, NULL being none. */
void rk_builder_told(rk_builder_call *call, const rask_graph *graph, const void *context);

/* A copy in the graph's memory, with a turn. NULL, latched. */
rk_builder_call *rk_builder_note(rask_graph *graph, const rk_builder_call *call);

/* The calls that made something, and all that it is made of. */
typedef struct rk_builder_calls {
    rk_array made;                                 /* void *, in the order of their turns */
    rk_builder_call *(*call_of)(const void *made); /* NULL: nobody noted it */
    const char *why;                               /* a reason, where one has no call */
} rk_builder_calls;

/* RASK_OK; or with error RASK_EUNSUPPORTED, RASK_ENOMEM. calls is to be ended with rk_array_fini(&calls->made) in either case. */
int rk_builder_calls_find(rk_builder_calls *calls, void *made, rk_open_error *error);
int rk_builder_call_put(const rk_builder_calls *calls, const rk_builder_call *call, rk_pack_out *out,
                        rk_open_error *error);

/* The next call; what it points to is the caller's to end with fini(), inputs are of made[0 … count - 1]. RASK_OK, RASK_EFORMAT,
 * RASK_ENOMEM; to be ended in either case. */
int rk_builder_call_get(rk_pack_in *in, void *const *made, uint32_t count, rk_builder_call *call);
void rk_builder_call_fini(rk_builder_call *call);

#endif
