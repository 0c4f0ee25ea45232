/* core/json: reading one node at a time: from its text to a draft, from the draft to a node. */
#ifndef RASK_CORE_JSON_READER_H
#define RASK_CORE_JSON_READER_H

#include "core/graph/graph.h"
#include "core/json/json.h"

/* The fields of a node. The first ones are the kinds: a node has exactly one of them. */
enum rk_field {
    RK_FIELD_CALL,
    RK_FIELD_CONST,
    RK_FIELD_INPUT,
    RK_FIELD_LIST,
    RK_FIELD_ITEM,
    RK_KINDS,
    RK_FIELD_ARGS = RK_KINDS,
    RK_FIELD_OF,
    RK_FIELD_AFTER,
    RK_FIELD_LABEL,
    RK_FIELD_PRIORITY,
    RK_FIELD_RETRIES,
    RK_FIELD_TIMEOUT,
    RK_FIELD_RESULT_BYTES,
    RK_FIELD_BACKOFF,
    RK_FIELD_TAGS,
    RK_FIELDS,
};

/* A node as it stands in the text. */
typedef struct rk_draft {
    cJSON *tree;
    const cJSON *field[RK_FIELDS]; /* in tree; NULL: not there */
    enum rk_field kind;
} rk_draft;

typedef struct rk_reader {
    rk_json_document document;
    const rask_registry *registry;
    rask_registry *unknown; /* NULL: unknown functions are errors */
    rask_graph *graph;
    uint32_t current; /* entry that is being read */
    size_t arguments; /* so many of needs are arguments, the others order-only */
    rk_array needs;   /* uint32_t: entries that the draft refers to, in the order of its fields */
    rk_array nodes;   /* rask_node *: the same as nodes, once all of them are built */
    rk_array values;  /* rask_value: constants of the call that is being built */
    rk_array args;    /* rask_arg */
    rk_array stack;   /* uint32_t: see read.c */
} rk_reader;

/* A place in a node, for messages. */
typedef struct rk_place {
    enum rk_field field; /* RK_FIELDS: the whole node */
    size_t index;        /* of an array; RK_NO_INDEX: none */
    const char *inner;   /* further in, written out */
} rk_place;

#define RK_NO_INDEX           SIZE_MAX
#define RK_AT_NODE            ((rk_place){RK_FIELDS, RK_NO_INDEX, ""})
#define RK_AT(field)          ((rk_place){field, RK_NO_INDEX, ""})
#define RK_AT_I(field, index) ((rk_place){field, index, ""})

/* Writes "line:column: path: message" about the current entry and returns status. */
int rk_reader_fail(const rk_reader *r, int status, rk_place place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
int rk_reader_no_memory(const rk_reader *r);

/* Parses the current entry and checks that its fields are known, of the right type, and go together; values
 * are left for later. The tree is the caller's to delete, on failure too. */
int rk_draft_read(const rk_reader *r, rk_draft *out);

/* Looks up what the draft refers to: fills needs and arguments. RASK_ENOENT, RASK_ETYPE, RASK_EFORMAT. */
int rk_draft_needs(rk_reader *r, const rk_draft *draft);

/* Builds the node of the draft, whose needs are all built, and notes its id in the current entry. */
int rk_draft_build(rk_reader *r, const rk_draft *draft);

#endif
