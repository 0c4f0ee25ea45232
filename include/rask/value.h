/* rask/value.h: an immutable, reference-counted result.
 *
 * A rask_value is 16 bytes and is passed by pointer or copied like a number. none, bool, i64 and f64 live
 * inside it; bytes, list, block and custom refer to an object that copies of the value share. Copying the
 * structure does not take a reference: rask_value_ref() does. Whoever owns a value ends it with
 * rask_value_unref().
 *
 * Values are immutable, so any number of threads may read one; ref and unref are atomic. */
#ifndef RASK_VALUE_H
#define RASK_VALUE_H

#include <rask/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rask_type {
    RASK_NONE,
    RASK_BOOL,
    RASK_I64,
    RASK_F64,
    RASK_BYTES,  /* a run of bytes, always with a NUL behind it that does not count */
    RASK_LIST,   /* values in order */
    RASK_BLOCK,  /* an n-dimensional array in memory */
    RASK_CUSTOM, /* whatever a rask_class describes */
} rask_type;

struct rask_object;

typedef struct rask_value {
    uint32_t type; /* a rask_type */
    uint32_t reserved;
    union {
        bool boolean;
        int64_t i64;
        double f64;
        struct rask_object *object;
    } as;
} rask_value;

/* Bytes that somebody else owns. */
typedef struct rask_bytes {
    const char *data;
    size_t len;
} rask_bytes;

/* "i64", "bytes", …; "?" for a number that is no type. */
RASK_API const char *rask_type_name(uint32_t type);

RASK_API rask_value rask_value_none(void);
RASK_API rask_value rask_value_bool(bool b);
RASK_API rask_value rask_value_i64(int64_t i);
RASK_API rask_value rask_value_f64(double f);

/* The value owns a copy of len bytes. RASK_ENOMEM, RASK_EINVAL (NULL with a length). */
RASK_API int rask_value_bytes_new(const void *data, size_t len, rask_value *out);

/* As above, but the bytes are still to be written: *data points to len bytes (and a NUL behind them) that the
 * caller fills before anyone else sees the value. */
RASK_API int rask_value_bytes_alloc(size_t len, char **data, rask_value *out);

/* The list takes a reference of its own on each of count values. RASK_ENOMEM, RASK_EINVAL. */
RASK_API int rask_value_list_new(const rask_value *values, size_t count, rask_value *out);

/* Element types of blocks: letter and bytes. */
typedef enum rask_dtype {
    RASK_DT_BOOL,
    RASK_DT_I8,
    RASK_DT_I16,
    RASK_DT_I32,
    RASK_DT_I64,
    RASK_DT_U8,
    RASK_DT_U16,
    RASK_DT_U32,
    RASK_DT_U64,
    RASK_DT_F32,
    RASK_DT_F64,
    RASK_DT_C64,  /* two f32 */
    RASK_DT_C128, /* two f64 */
    RASK_DT_COUNT,
} rask_dtype;

#define RASK_MAX_DIMENSIONS 16

/* An n-dimensional array in memory: element (i0, i1, …) is at data + i0 * strides[0] + i1 * strides[1] + …;
 * shapes count elements, strides count bytes and may be negative or 0. */
typedef struct rask_block {
    rask_dtype dtype;
    uint32_t ndim;
    int64_t shape[RASK_MAX_DIMENSIONS];
    int64_t strides[RASK_MAX_DIMENSIONS];
    void *data;
    void (*release)(
        void *owner); /* called with owner when the last reference ends; NULL: memory of the library */
    void *owner;
} rask_block;

/* Bytes of one element; 0 for a number that is no dtype. */
RASK_API size_t rask_dtype_size(rask_dtype dtype);

/* A block in row-major order of the given shape, whose data the caller fills before anyone else sees the
 * value: *block describes it. RASK_EINVAL (dtype, ndim, a negative length), RASK_ELIMIT (the size overflows),
 * RASK_ENOMEM. */
RASK_API int rask_value_block_alloc(rask_dtype dtype, uint32_t ndim, const int64_t *shape, rask_block *block,
                                    rask_value *out);

/* A block over memory of the caller's, which stays valid until release(owner) is called, once, from any
 * thread. On failure release is not called. bytes: what the memory costs, for the budget. */
RASK_API int rask_value_block_adopt(const rask_block *block, size_t bytes, rask_value *out);

/* What a program says of a type of its own. Only name and destroy are needed. All functions may be called
 * from any thread; none may keep its arguments. The structure must outlive every value of it. Where encode() fails, *bytes may
 * be a text that says why. */
typedef struct rask_class {
    const char *name;
    void (*destroy)(void *data);                                      /* ends data; the last reference went */
    size_t (*size)(const void *data);                                 /* bytes held, asked once, at birth */
    int (*encode)(const void *data, rask_value *bytes);               /* as bytes, for another process */
    int (*decode)(rask_bytes bytes, void **data);                     /* and back */
    size_t (*print)(const void *data, char *buffer, size_t capacity); /* for people; as snprintf */
    uint64_t (*hash)(const void *data);                               /* equal data has equal hashes */
    bool (*equal)(const void *a, const void *b);
} rask_class;

/* The value owns data from here on; on failure it still belongs to the caller. */
RASK_API int rask_value_custom_new(const rask_class *cls, void *data, rask_value *out);

/* Takes one more reference; returns its argument's copy for convenience. */
RASK_API rask_value rask_value_ref(const rask_value *value);

/* Ends one reference and makes *value none. NULL is legal. Never recursive, however deep lists are nested. */
RASK_API void rask_value_unref(rask_value *value);

/* Reading. Each returns RASK_ETYPE and leaves *out alone when the value is of another type. i64 takes bool,
 * f64 takes bool and i64. What is returned by pointer belongs to the value. */
RASK_API int rask_value_get_bool(const rask_value *value, bool *out);
RASK_API int rask_value_get_i64(const rask_value *value, int64_t *out);
RASK_API int rask_value_get_f64(const rask_value *value, double *out);
RASK_API int rask_value_get_bytes(const rask_value *value, rask_bytes *out);
RASK_API int rask_value_get_list(const rask_value *value, const rask_value **items, size_t *count);
RASK_API int rask_value_get_block(const rask_value *value, rask_block *out);
RASK_API int rask_value_get_custom(const rask_value *value, const rask_class *cls, void **out);

/* Bytes of memory that the value keeps alive beyond its own 16: 0 for scalars, with headers, and with what a
 * list holds (something held twice counts twice). */
RASK_API size_t rask_value_size(const rask_value *value);

/* Same type and same content. Custom values without equal() are equal only to themselves; f64 compares bits,
 * so that a NaN equals itself; lists are compared to a depth of 64 and count as different beyond. */
RASK_API bool rask_value_equal(const rask_value *a, const rask_value *b);

/* Writes the value for people, at most capacity bytes with the NUL; returns the length it would like, as
 * snprintf. Long content is shortened. */
RASK_API size_t rask_value_format(const rask_value *value, char *buffer, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
