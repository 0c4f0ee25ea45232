#include "schedulers/checkpoint/keys.h"

#include "core/task/task.h"
#include "core/value/value.h"
#include "schedulers/cluster/values.h"

#include <string.h>
#include <xxhash.h>

/* Stands in all keys: another one makes all of them others. */
enum { VERSION = 1, REMEMBERED = 256 };

/* What is hashed of a call, before its arguments. */
typedef struct call_head {
    rk_identity function;
    uint64_t version, nargs;
} call_head;

_Static_assert(sizeof(rk_identity) == 32, "its padding is zeroed");

/* Constants that many calls take are one object. */
typedef struct remembered {
    const rask_object *object;
    rk_key key;
} remembered;

typedef struct keying {
    const rask_plan *plan;
    rk_key *keys;
    rk_identity *identities; /* by definition; offset 0: not looked up yet */
    uint64_t encoded;        /* bytes so far */
    remembered remembered[REMEMBERED];
    rk_key *arguments; /* of the call that is looked at */
    uint32_t capacity;
} keying;

static rk_key key_of(const void *bytes, uint64_t size)
{
    XXH128_hash_t hash = XXH3_128bits(bytes, size);
    return (rk_key){hash.low64, hash.high64};
}

/* -- Constants */

/* What an object is as bytes; none: nobody can tell. */
static rk_key object_key(keying *k, const rask_value *value)
{
    char why[64];
    rk_pack_out out = {0};
    rk_key key = {0};
    uint64_t size = rask_value_size(value);
    bool few = size <= RK_MAX_CHECKPOINT_KEYED && k->encoded <= RK_MAX_CHECKPOINT_KEYED - size;
    if (few && !rk_pack_put_value(&out, value, why, sizeof why) && !out.failed)
        key = key_of(out.data, out.size);
    k->encoded += out.size;
    rk_pack_out_fini(&out);
    return key;
}

static rk_key constant_key(keying *k, const rask_value *value)
{
    if (!rk_value_is_object(value)) {
        uint64_t words[2] = {value->type, value->type == RASK_BOOL ? value->as.boolean : 0};
        if (value->type == RASK_I64 || value->type == RASK_F64)
            words[1] = (uint64_t)value->as.i64;
        return key_of(words, sizeof words);
    }
    remembered *place = &k->remembered[(uintptr_t)value->as.object / 64 % REMEMBERED];
    if (place->object != value->as.object)
        *place = (remembered){value->as.object, object_key(k, value)};
    return place->key;
}

/* -- Calls */

/* NULL: a function that was made at run time. */
static const rk_identity *identity_of(keying *k, uint32_t task)
{
    static const uint8_t nowhere[sizeof((rk_identity *)0)->module];
    rk_identity *known = &k->identities[k->plan->def[task] & RK_TASK_DEF_MASK];
    const rask_task_def *def = rk_plan_def(k->plan, task);
    if (!known->offset)
        rk_identity_of(def->identity ? def->identity : (void (*)(void))def->call, known);
    return memcmp(known->module, nowhere, sizeof nowhere) ? known : NULL;
}

static bool make_room(keying *k, uint32_t nargs)
{
    uint32_t words = nargs + (sizeof(call_head) + sizeof(rk_key) - 1) / sizeof(rk_key);
    if (words <= k->capacity)
        return true;
    rk_key *grown = rk_realloc(k->arguments, 2 * (size_t)words * sizeof *grown);
    if (!grown)
        return false;
    k->arguments = grown;
    k->capacity = 2 * words;
    return true;
}

/* None: it has none. There is room. */
static rk_key call_key(keying *k, uint32_t task, const rk_identity *function)
{
    const rask_plan *plan = k->plan;
    const uint32_t *words = plan->args + plan->arg_start[task];
    uint32_t nargs = rk_plan_nargs(plan, task);
    call_head head;
    memset(&head, 0, sizeof head);
    memcpy(head.function.module, function->module, sizeof head.function.module);
    head.function.offset = function->offset;
    head.version = VERSION;
    head.nargs = nargs;
    memcpy(k->arguments, &head, sizeof head);
    rk_key *to = k->arguments + sizeof head / sizeof *to;
    for (uint32_t i = 0; i < nargs; i++) {
        to[i] = words[i] & RK_CONSTANT ? constant_key(k, &rk_plan_constants(plan)[words[i] & ~RK_CONSTANT])
                                       : k->keys[words[i]];
        if (!rk_key_is(to[i]))
            return (rk_key){0};
    }
    return key_of(k->arguments, sizeof head + nargs * sizeof *to);
}

_Static_assert(sizeof(call_head) % sizeof(rk_key) == 0, "arguments stand right behind it");

static int find_keys(keying *k)
{
    const rask_plan *plan = k->plan;
    for (uint32_t task = 0; task < plan->tasks; task++) {
        uint32_t words = plan->arg_start[task + 1] - plan->arg_start[task], nargs = rk_plan_nargs(plan, task);
        if (!(rk_plan_def(plan, task)->flags & RASK_PURE) || words != nargs)
            continue;
        if (!make_room(k, nargs))
            return RASK_ENOMEM;
        const rk_identity *function = identity_of(k, task);
        if (function)
            k->keys[task] = call_key(k, task, function);
    }
    return RASK_OK;
}

int rk_keys_new(const rask_plan *plan, rk_key **out)
{
    keying k = {.plan = plan};
    k.keys = rk_calloc((size_t)plan->tasks + 1, sizeof *k.keys);
    k.identities = rk_calloc((size_t)plan->def_count + 1, sizeof *k.identities);
    int status = k.keys && k.identities ? find_keys(&k) : RASK_ENOMEM;
    rk_free(k.identities);
    rk_free(k.arguments);
    if (status)
        rk_free(k.keys);
    else
        *out = k.keys;
    return status;
}
