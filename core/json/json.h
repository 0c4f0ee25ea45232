/* core/json: graphs as JSON text and back (docs/graph-json.md).
 *
 * Text from outside is hostile, and cJSON is lenient: it takes raw control characters, \u0000, 01 and 1.,
 * lets any byte below 33 pass as space, and cannot tell bad input from a lack of memory. So a strict scanner
 * reads the whole text first, without allocating, and finds the slices that the members of "nodes" occupy.
 * cJSON then builds the tree of one such slice at a time; as the slice is known to be good, a NULL from it
 * means RASK_ENOMEM.
 *
 * cJSON's allocator is one for the whole process and not ours to set: its trees, none larger than a node or
 * the list of targets and none outliving the call that reads it, are the one thing in core that
 * rask_set_allocator() does not see.
 *
 *   scan.c      the strict scanner               draft.c   one node, checked
 *   document.c  sections, keys, error messages   build.c   and built
 *   text.c      UTF-8, base64                    read.c    all nodes, in an order that works; targets
 *   value.c     constants out of cJSON trees     write.c   the other way, without cJSON
 *   registry.c  functions by name */
#ifndef RASK_CORE_JSON_JSON_H
#define RASK_CORE_JSON_JSON_H

#include "core/base/array.h"
#include "core/base/limits.h"

#include <cjson/cJSON.h>
#include <rask/json.h>

#define RK_JSON_VERSION 1

/* Integers of a smaller magnitude than this are told apart by a double, which is how cJSON holds numbers. */
#define RK_JSON_EXACT 9007199254740992.0 /* 2^53 */

/* A registry with no functions but core's own, list and item; NULL when there is no memory. */
rask_registry *rk_registry_new_empty(void);

/* Bytes of the UTF-8 sequence that starts at at, 1 to 4; 0 when it is none, or is cut off at end. */
size_t rk_utf8_length(const char *at, const char *end);
bool rk_utf8_valid(const char *text, size_t len);

/* Base64 with padding and without line breaks. encode writes 4 characters for each 3 bytes begun. decode
 * writes at most len / 4 * 3 bytes and returns false when text is anything else than what encode writes. */
void rk_base64_encode(const void *data, size_t len, char *out);
bool rk_base64_decode(const char *text, size_t len, char *out, size_t *out_len);

/* Part of the text. */
typedef struct rk_slice {
    uint32_t at, len;
} rk_slice;

/* A walk over JSON text that checks it: RFC 8259 without exceptions, and the limits of the format. It
 * allocates nothing and does not recurse. Once a call fails the walk is over: at is where, status and why say
 * what. */
typedef struct rk_scan {
    const char *text, *at, *end;
    unsigned depth;   /* levels open */
    uint64_t objects; /* bit i: level i is an object, not an array */
    int status;
    const char *why; /* static */
} rk_scan;

_Static_assert(RK_MAX_JSON_DEPTH <= 64, "a bit a level");

void rk_scan_init(rk_scan *scan, const char *text, size_t len);

/* Steps into the object that is expected next. */
bool rk_scan_object(rk_scan *scan);

/* The next member of the object stepped into, as slices of text, the key with its quotes. 1; 0 behind the
 * last, having stepped out; -1 on failure. first is true for the first call in an object. */
int rk_scan_member(rk_scan *scan, bool first, rk_slice *key, rk_slice *value);

/* Nothing but white space up to the end of the text. */
bool rk_scan_end(rk_scan *scan);

/* What is wrong with a constant: where inside of it, as "[2][0]", and what. */
typedef struct rk_json_problem {
    char where[128];
    char what[256];
} rk_json_problem;

/* The constant that item stands for; the caller's to unref. RASK_EFORMAT, RASK_ETYPE, RASK_ERANGE,
 * RASK_ENOMEM, with problem filled in. */
int rk_json_value(const cJSON *item, rask_value *out, rk_json_problem *problem);

/* True when item refers to a node: an object whose first member is "node". */
bool rk_json_is_reference(const cJSON *item);

/* An integer from least to most, both exact in a double. False when item is no such number. */
bool rk_json_integer(const cJSON *item, int64_t least, int64_t most, int64_t *out);

/* A member of "nodes". */
typedef struct rk_json_entry {
    const char *key; /* not NUL-terminated */
    uint32_t key_len;
    rk_slice value;
    uint32_t id; /* of its node, once built */
} rk_json_entry;

#define RK_JSON_NEW  UINT32_MAX       /* ids of entries that are not built: not looked at yet, */
#define RK_JSON_OPEN (UINT32_MAX - 1) /* waiting for the nodes it needs */

/* A text that has been scanned, with its nodes by key. */
typedef struct rk_json_document {
    const char *text;
    size_t len;
    rk_array entries; /* rk_json_entry, as they stand in the text */
    uint32_t *slots;  /* hash table over entries: index + 1, 0 is empty */
    uint32_t slot_count;
    uint64_t seed;
    rk_arena keys;    /* keys that had escapes in them */
    rk_slice targets; /* len 0: none given */
    char *error;      /* the caller's, for the message */
    size_t capacity;
} rk_json_document;

/* Scans text, which must stay valid. On failure the message is in error, and fini is still to be called. */
int rk_json_document_init(rk_json_document *document, const char *text, size_t len, char *error,
                          size_t capacity);
void rk_json_document_fini(rk_json_document *document);

/* The index of the entry with this key; UINT32_MAX: there is none. */
uint32_t rk_json_find(const rk_json_document *document, const char *key, size_t len);

static inline rk_json_entry *rk_json_entry_at(const rk_json_document *document, uint32_t index)
{
    return (rk_json_entry *)document->entries.data + index;
}

/* The tree of a slice; NULL when there is no memory. */
cJSON *rk_json_parse(const rk_json_document *document, rk_slice slice);

/* Writes "line:column: message" for the place at and returns status. */
int rk_json_fail(const rk_json_document *document, int status, size_t at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A key in quotes for a message: whole characters, none that breaks the line, long ones cut. */
enum { RK_JSON_QUOTED = 96, RK_JSON_PATH = RK_JSON_QUOTED + 8 };
const char *rk_json_quote(const char *key, size_t len, char out[RK_JSON_QUOTED]);

/* An entry in a message: its key, without the quotes when it needs none; and its path: nodes.key, nodes["a
 * key"]. */
const char *rk_json_name(const rk_json_entry *entry, char out[RK_JSON_QUOTED]);
const char *rk_json_path(const rk_json_entry *entry, char out[RK_JSON_PATH]);

#endif
