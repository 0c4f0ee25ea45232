/* Building expressions: shapes, errors, equal ones being one, and who ends what is given. */
#include "collections/array/array.h"
#include "tests/failing_allocator.h"

#include <criterion/criterion.h>
#include <dlpack/dlpack.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_shape(const rask_array *a, uint32_t ndim, const int64_t *shape)
{
    return a && a->ndim == ndim && (!ndim || !memcmp(a->shape, shape, ndim * sizeof *shape));
}
#define HAS_SHAPE(a, ...) has_shape(a, RASK_SHAPE(__VA_ARGS__))

/* Ends a graph that has this error. */
static void expect_error(rask_graph *g, int status, const char *message)
{
    cr_assert_eq(rask_graph_status(g), status, "%s: %s", rask_status_name(rask_graph_status(g)),
                 rask_graph_error(g));
    cr_assert_not_null(strstr(rask_graph_error(g), message), "%s", rask_graph_error(g));
    rask_graph_free(g);
}

/* -- Equal expressions */

Test(equal_expressions, are_one_array)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_normal(g, 1, 0, 1, 30, 40), *b = rask_array_uniform(g, 1, 0, 1, 40);
    cr_assert_eq(rask_array_normal(g, 1, 0, 1, 30, 40), a);
    cr_assert_neq(rask_array_normal(g, 2, 0, 1, 30, 40), a);
    cr_assert_neq(rask_array_normal(g, 1, 0, 1, 40, 30), a);
    cr_assert_eq(rask_array_add(a, b), rask_array_add(a, b));
    cr_assert_neq(rask_array_add(a, b), rask_array_add(b, a));
    cr_assert_neq(rask_array_add(a, b), rask_array_sub(a, b));
    cr_assert_eq(rask_array_mul(a, 2.5), rask_array_mul(a, 2.5));
    cr_assert_neq(rask_array_mul(a, 0.0), rask_array_mul(a, -0.0));
    cr_assert_eq(rask_array_exp(a), rask_array_exp(a));
    cr_assert_eq(rask_array_sum(a, 0), rask_array_sum(a, -2));
    cr_assert_neq(rask_array_sum(a, 0), rask_array_sum(a, 1));
    cr_assert_eq(rask_array_transpose(a), rask_array_swapaxes(a, 0, 1));
    cr_assert_eq(rask_array_where(rask_array_gt(a, 0), a, 0), rask_array_where(rask_array_gt(a, 0), a, 0));
    cr_assert_eq(rask_array_astype(a, RASK_DT_F32), rask_array_astype(a, RASK_DT_F32));
    rask_graph_free(g);
}

Test(equal_expressions, of_ten_thousand_kinds_are_found)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_normal(g, 1, 0, 1, 3), **sums = malloc(10000 * sizeof *sums);
    for (int i = 0; i < 10000; i++)
        sums[i] = rask_array_add(a, i);
    for (int i = 0; i < 10000; i++) {
        cr_assert_eq(rask_array_add(a, i), sums[i]);
        cr_assert(i == 0 || sums[i] != sums[i - 1]);
    }
    free(sums);
    rask_graph_free(g);
}

Test(equal_expressions, memory_and_functions_are_equal_to_themselves_alone)
{
    rask_graph *g = rask_graph_new();
    double data[3] = {1, 2, 3};
    rask_block block = {.dtype = RASK_DT_F64, .ndim = 1, .shape = {3}, .strides = {8}, .data = data};
    cr_assert_neq(rask_array_from_block(g, &block, true), rask_array_from_block(g, &block, true));
    rask_graph_free(g);
}

Test(simplification, what_changes_nothing_is_not_there)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_normal(g, 1, 0, 1, 5, 6), *i = rask_array_arange(g, 0, 5, 1);
    cr_assert_eq(rask_array_transpose(rask_array_transpose(a)), a);
    cr_assert_eq(rask_array_slice(a, RASK_ELLIPSIS), a);
    cr_assert_eq(rask_array_flip(rask_array_flip(a, 1), 1), a);
    cr_assert_eq(rask_array_squeeze(rask_array_expand_dims(a, 1), 1), a);
    cr_assert_eq(rask_array_astype(a, RASK_DT_F64), a);
    cr_assert_eq(rask_array_positive(a), a);
    cr_assert_eq(rask_array_real(a), a);
    cr_assert_eq(rask_array_broadcast_to(a, 5, 6), a);
    cr_assert_eq(rask_array_reshape(a, 5, -1), a);
    cr_assert_eq(rask_array_round(i, 2), i);
    cr_assert_eq(rask_array_pow(a, 2), rask_array_square(a));
    cr_assert_eq(rask_array_pow(a, 0.5), rask_array_sqrt(a));
    cr_assert_eq(rask_array_pow(i, 1), i);
    cr_assert_eq(rask_array_pow(i, 0.5)->op, RK_OP_UNARY + RASK_UNARY_SQRT);
    cr_assert_eq(rask_array_pow(a, 3)->op, RK_OP_BINARY + RASK_BINARY_POWER);
    rask_graph_free(g);
}

/* -- Shapes and errors */

Test(broadcasting, gives_numpys_shapes)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_normal(g, 1, 0, 1, 3, 1, 5), *b = rask_array_normal(g, 1, 0, 1, 4, 1);
    cr_assert(HAS_SHAPE(rask_array_add(a, b), 3, 4, 5));
    cr_assert(HAS_SHAPE(rask_array_add(1, b), 4, 1));
    cr_assert(HAS_SHAPE(rask_array_add(a, rask_array_zeros(g, RASK_DT_F64, 0, 1)), 3, 0, 5));
    cr_assert(HAS_SHAPE(rask_array_where(rask_array_lt(b, 0), a, 1.0), 3, 4, 5));
    cr_assert_eq(rask_array_add(a, b)->inputs[0]->kind, RK_VIEW);
    cr_assert_eq(rask_array_add(a, b)->inputs[0]->inputs[0], a);
    rask_graph_free(g);
}

Test(broadcasting, what_does_not_broadcast_is_an_error_at_the_callers_line)
{
    rask_graph *g = rask_graph_new();
    char where[300];
    rask_array *a = rask_array_zeros(g, RASK_DT_F32, 3, 4), *b = rask_array_ones(g, RASK_DT_F32, 5);
    snprintf(where, sizeof where, "%s:%d: rask_array_add: shapes (3, 4) and (5,) do not broadcast", __FILE__,
             __LINE__ + 1);
    rask_array *c = rask_array_add(a, b);
    cr_assert_null(c);
    cr_assert_null(rask_array_mul(c, 2), "the first error stays");
    double number;
    cr_assert_eq(rask_compute(rask_array_sum(c, RASK_ALL), &number), RASK_EGRAPH);
    expect_error(g, RASK_EINVAL, where);
}

Test(errors, name_the_operation_and_the_types)
{
    rask_graph *g = rask_graph_new();
    cr_assert_null(rask_array_bitwise_and(rask_array_ones(g, RASK_DT_F64, 3), 1));
    expect_error(g, RASK_ETYPE, "rask_array_bitwise_and: not defined for float64 and float64");
    g = rask_graph_new();
    cr_assert_null(rask_array_invert(rask_array_ones(g, RASK_DT_F32, 3)));
    expect_error(g, RASK_ETYPE, "rask_array_invert: not defined for float32");
    g = rask_graph_new();
    cr_assert_null(rask_array_sub(rask_array_ones(g, RASK_DT_BOOL, 3), rask_array_ones(g, RASK_DT_BOOL, 3)));
    expect_error(g, RASK_ETYPE, "rask_array_sub: not defined for bool and bool");
    g = rask_graph_new();
    cr_assert_null(rask_array_unary_at((rask_unary)1000, rask_array_ones(g, RASK_DT_F32, 3), NULL, 0));
    expect_error(g, RASK_EINVAL, "1000 is no unary operation");
    g = rask_graph_new();
    cr_assert_null(rask_array_astype(rask_array_ones(g, RASK_DT_F32, 3), RASK_DT_COUNT));
    expect_error(g, RASK_EINVAL, "rask_array_astype: 13 is no dtype");
}

Test(errors, arrays_of_two_graphs_do_not_meet)
{
    rask_graph *g = rask_graph_new(), *other = rask_graph_new();
    rask_array *a = rask_array_ones(g, RASK_DT_F32, 3), *b = rask_array_ones(other, RASK_DT_F32, 3);
    cr_assert_null(rask_array_add(a, b));
    rask_graph_free(other);
    expect_error(g, RASK_EINVAL, "rask_array_add: an array of another graph");
}

Test(errors, null_comes_of_null)
{
    rask_graph *g = rask_graph_new();
    rask_array *none = NULL;
    cr_assert_null(rask_array_add(none, 1));
    cr_assert_null(rask_array_add(rask_array_ones(g, RASK_DT_F32, 3), none));
    cr_assert_null(rask_array_exp(none));
    cr_assert_null(rask_array_sum(none, 0));
    cr_assert_null(rask_array_transpose(none));
    cr_assert_null(rask_array_reshape(none, 1));
    cr_assert_null(rask_array_slice(none, RASK_WHOLE));
    cr_assert_null(rask_array_zeros(NULL, RASK_DT_F32, 3));
    cr_assert_null(rask_array_from_node(NULL, RASK_DT_F32, 0, NULL));
    cr_assert_null(rask_array_graph(none));
    cr_assert_eq(rask_array_dtype(none), RASK_DT_COUNT);
    cr_assert_eq(rask_array_ndim(none), 0);
    cr_assert_eq(rask_graph_status(g), RASK_OK);
    rask_graph_free(g);
}

Test(shapes, that_cannot_be_are_errors)
{
    rask_graph *g = rask_graph_new();
    int64_t many[17] = {1};
    cr_assert_null(rask_array_full_at(g, RASK_DT_F32, 17, many, RASK_OPERAND(0), NULL, 0));
    expect_error(g, RASK_ELIMIT, "17 dimensions: at most 16");
    g = rask_graph_new();
    cr_assert_null(rask_array_zeros(g, RASK_DT_F32, 3, -1));
    expect_error(g, RASK_EINVAL, "rask_array_full: shape (3, -1) has a negative length");
    g = rask_graph_new();
    cr_assert_null(rask_array_zeros(g, RASK_DT_F64, INT64_C(1) << 40, INT64_C(1) << 40, 0));
    expect_error(g, RASK_ELIMIT, "is too large");
    g = rask_graph_new();
    cr_assert_null(rask_array_zeros(g, RASK_DT_F64, INT64_C(1) << 59));
    expect_error(g, RASK_ELIMIT, "shape (576460752303423488,) is too large");
}

/* -- Reductions */

static rask_array *reduce(rask_reduction op, rask_array *a, const int *axes, uint32_t count, bool keepdims)
{
    rask_reduce_options o = {.size = sizeof o, .axes = axes, .axis_count = count, .keepdims = keepdims};
    return rask_array_reduce(op, a, &o);
}

Test(reductions, have_numpys_shapes_and_dtypes)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_zeros(g, RASK_DT_I8, 3, 4, 5), *f = rask_array_normal(g, 1, 0, 1, 3, 4);
    int outer[] = {0, -1};
    cr_assert(HAS_SHAPE(rask_array_sum(a, 1), 3, 5));
    cr_assert_eq(rask_array_sum(a, 1)->dtype, RASK_DT_I64);
    cr_assert(has_shape(rask_array_sum(a, RASK_ALL), 0, NULL));
    cr_assert(HAS_SHAPE(reduce(RASK_REDUCE_SUM, a, outer, 2, false), 4));
    cr_assert(HAS_SHAPE(reduce(RASK_REDUCE_SUM, a, outer, 2, true), 1, 4, 1));
    cr_assert(HAS_SHAPE(reduce(RASK_REDUCE_MAX, a, NULL, 0, true), 1, 1, 1));
    cr_assert_eq(rask_array_max(a, 0)->dtype, RASK_DT_I8);
    cr_assert_eq(rask_array_mean(a, 0)->dtype, RASK_DT_F64);
    cr_assert_eq(rask_array_mean(rask_array_astype(f, RASK_DT_F32), 0)->dtype, RASK_DT_F32);
    cr_assert_eq(rask_array_any(a, 0)->dtype, RASK_DT_BOOL);
    cr_assert_eq(rask_array_argmax(a, 0)->dtype, RASK_DT_I64);
    cr_assert_eq(rask_array_std(rask_array_astype(f, RASK_DT_C128), 0)->dtype, RASK_DT_F64);
    cr_assert_eq(rask_array_nansum(a, 0), rask_array_sum(a, 0));
    cr_assert(has_shape(rask_array_sum(rask_array_sum(f, RASK_ALL), RASK_ALL), 0, NULL));
    cr_assert_eq(rask_graph_status(g), RASK_OK, "%s", rask_graph_error(g));
    rask_graph_free(g);
}

Test(reductions, are_made_in_the_dtype_asked_for)
{
    rask_graph *g = rask_graph_new();
    rask_array *f = rask_array_normal(g, 1, 0, 1, 3, 4);
    rask_reduce_options o = {.size = sizeof o, .own_dtype = true, .dtype = RASK_DT_I16};
    rask_array *sum = rask_array_reduce(RASK_REDUCE_SUM, f, &o);
    cr_assert_eq(sum->dtype, RASK_DT_I16);
    cr_assert_eq(sum->inputs[0]->kind, RK_REDUCE);
    o.dtype = RASK_DT_F32;
    cr_assert_eq(rask_array_reduce(RASK_REDUCE_MEAN, f, &o)->dtype, RASK_DT_F32);
    rask_graph_free(g);
}

static void expect_no_reduction(rask_reduction op, const int64_t *shape, uint32_t ndim, const int *axes,
                                uint32_t count, int status, const char *message)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_full_at(g, RASK_DT_F64, ndim, shape, RASK_OPERAND(0), NULL, 0);
    cr_assert_null(reduce(op, a, axes, count, false));
    expect_error(g, status, message);
}

Test(reductions, that_cannot_be_are_errors)
{
    static const int64_t shape[] = {3, 4}, empty[] = {0, 4};
    expect_no_reduction(RASK_REDUCE_SUM, shape, 2, (int[]){3}, 1, RASK_EINVAL,
                        "rask_array_sum: axis 3 of an array of shape (3, 4)");
    expect_no_reduction(RASK_REDUCE_SUM, shape, 2, (int[]){1, -1}, 2, RASK_EINVAL,
                        "rask_array_sum of an array of shape (3, 4): an axis is there twice");
    expect_no_reduction(RASK_REDUCE_ARGMIN, shape, 2, (int[]){0, 1}, 2, RASK_EINVAL, "along one axis");
    expect_no_reduction(RASK_REDUCE_MIN, empty, 2, NULL, 0, RASK_EINVAL,
                        "rask_array_min of an array of shape (0, 4)");
    expect_no_reduction(RASK_REDUCE_NANARGMAX, empty, 2, (int[]){0}, 1, RASK_EINVAL, "it needs elements");
    rask_graph *g = rask_graph_new();
    rask_array *none = rask_array_zeros(g, RASK_DT_F64, 0, 4);
    cr_assert(HAS_SHAPE(rask_array_min(none, 1), 0));
    cr_assert(HAS_SHAPE(rask_array_sum(none, 0), 4));
    rask_graph_free(g);
}

Test(reductions, options_are_checked)
{
    rask_graph *g = rask_graph_new();
    rask_reduce_options o = {.size = 0};
    cr_assert_null(rask_array_reduce(RASK_REDUCE_SUM, rask_array_ones(g, RASK_DT_F32, 3), &o));
    expect_error(g, RASK_EINVAL, "its options have no size");
    g = rask_graph_new();
    o = (rask_reduce_options){.size = sizeof o, .fan_in = 1};
    cr_assert_null(rask_array_reduce(RASK_REDUCE_SUM, rask_array_ones(g, RASK_DT_F32, 3), &o));
    expect_error(g, RASK_EINVAL, "a fan-in of 1");
    g = rask_graph_new();
    o = (rask_reduce_options){.size = sizeof o, .own_dtype = true, .dtype = RASK_DT_I32};
    cr_assert_null(rask_array_reduce(RASK_REDUCE_VAR, rask_array_ones(g, RASK_DT_F32, 3), &o));
    expect_error(g, RASK_ETYPE, "only sums and products");
}

/* -- What the program gives */

static int ended;

static void count_end(struct DLManagedTensor *tensor)
{
    (void)tensor;
    ended++;
}

Test(dlpack, a_tensor_lives_as_long_as_the_graph)
{
    static float data[6] = {1, 2, 3, 4, 5, 6};
    int64_t shape[] = {3, 2}, strides[] = {1, 3};
    DLManagedTensor tensor = {.dl_tensor = {.data = data,
                                            .device = {.device_type = kDLCPU},
                                            .ndim = 2,
                                            .dtype = {kDLFloat, 32, 1},
                                            .shape = shape,
                                            .strides = strides},
                              .deleter = count_end};
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_from_dlpack(g, &tensor);
    cr_assert(HAS_SHAPE(a, 3, 2));
    cr_assert_eq(a->dtype, RASK_DT_F32);
    cr_assert_eq(ended, 0);
    rask_graph_free(g);
    cr_assert_eq(ended, 1);
    tensor.dl_tensor.device.device_type = kDLCUDA;
    g = rask_graph_new();
    cr_assert_null(rask_array_from_dlpack(g, &tensor));
    expect_error(g, RASK_EUNSUPPORTED, "not of the CPU");
    cr_assert_eq(ended, 1, "what was not taken is still the caller's");
}

Test(dlpack, hostile_tensors_are_errors)
{
    static double data[4];
    int64_t shape[] = {2, 2}, huge[] = {INT64_MAX, INT64_MAX}, negative[] = {-1, 2};
    DLManagedTensor good = {.dl_tensor = {.data = data,
                                          .device = {.device_type = kDLCPU},
                                          .ndim = 2,
                                          .dtype = {kDLFloat, 64, 1},
                                          .shape = shape}},
                    bad[8];
    for (int i = 0; i < 8; i++)
        bad[i] = good;
    bad[0].dl_tensor.dtype.bits = 16;
    bad[1].dl_tensor.dtype.lanes = 4;
    bad[2].dl_tensor.ndim = -1;
    bad[3].dl_tensor.ndim = 99;
    bad[4].dl_tensor.shape = huge;
    bad[5].dl_tensor.shape = negative;
    bad[6].dl_tensor.data = NULL;
    bad[7].dl_tensor.byte_offset = 3;
    for (int i = 0; i < 8; i++) {
        rask_graph *g = rask_graph_new();
        cr_assert_null(rask_array_from_dlpack(g, &bad[i]), "%d", i);
        cr_assert_neq(rask_graph_status(g), RASK_OK);
        rask_graph_free(g);
    }
}

static void count_release(void *owner)
{
    cr_assert_eq(owner, &ended);
    ended++;
}

Test(dlpack, a_block_becomes_a_tensor_once)
{
    static int16_t data[6];
    rask_block block = {.dtype = RASK_DT_I16,
                        .ndim = 2,
                        .shape = {2, 3},
                        .strides = {6, 2},
                        .data = data,
                        .release = count_release,
                        .owner = &ended};
    DLManagedTensor *tensor = NULL;
    cr_assert_eq(rask_block_to_dlpack(&block, &tensor), RASK_OK);
    cr_assert_null(block.release);
    cr_assert_eq(tensor->dl_tensor.strides[0], 3);
    cr_assert_eq(tensor->dl_tensor.dtype.code, kDLInt);
    cr_assert_eq(ended, 0);
    tensor->deleter(tensor);
    cr_assert_eq(ended, 1);
    block.strides[0] = 5;
    cr_assert_eq(rask_block_to_dlpack(&block, &tensor), RASK_EUNSUPPORTED);
    cr_assert_eq(rask_block_to_dlpack(NULL, &tensor), RASK_EINVAL);
}

Test(memory, misaligned_elements_are_copied_but_not_borrowed)
{
    static char bytes[17];
    double sum = 0, one = 1.5;
    rask_block block = {.dtype = RASK_DT_F64, .ndim = 1, .shape = {2}, .strides = {8}, .data = bytes + 1};
    memcpy(bytes + 1, &one, sizeof one);
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_from_block(g, &block, false);
    memset(bytes, 0, sizeof bytes);
    cr_assert_eq(rask_compute(rask_array_sum(a, RASK_ALL), &sum), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(sum, 1.5);
    rask_graph_free(g);
    g = rask_graph_new();
    cr_assert_null(rask_array_from_block(g, &block, true));
    expect_error(g, RASK_EINVAL, "not aligned");
}

static int count_up(void *context, const int64_t *start, const int64_t *count, void *data, char *message,
                    size_t capacity)
{
    int32_t *to = data;
    if (start[0] >= *(int64_t *)context) {
        snprintf(message, capacity, "nothing behind %d", (int)*(int64_t *)context);
        return RASK_EIO;
    }
    for (int64_t i = 0; i < count[0]; i++)
        for (int64_t j = 0; j < count[1]; j++)
            *to++ = (int32_t)((start[0] + i) * 100 + start[1] + j);
    return RASK_OK;
}

Test(callback, fills_the_chunks_that_are_asked_for)
{
    int64_t end = 1000, sum = 0;
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_from_callback(g, count_up, &end, RASK_DT_I32, 2, RASK_LENGTHS(50, 100),
                                             RASK_LENGTHS(7, 30));
    cr_assert_eq(rask_compute(rask_array_sum(a, RASK_ALL), &sum), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(sum, INT64_C(4999) * 5000 / 2);
    a = rask_array_from_callback(g, count_up, &end, RASK_DT_I32, 2, RASK_LENGTHS(50, 100), NULL);
    cr_assert_eq(rask_compute(rask_array_max(a, RASK_ALL), &sum), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(sum, 4999);
    rask_graph_free(g);
}

Test(callback, fails_with_its_own_words)
{
    int64_t end = 20, sum;
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_from_callback(g, count_up, &end, RASK_DT_I32, 2, RASK_LENGTHS(50, 100),
                                             RASK_LENGTHS(7, 30));
    cr_assert_eq(rask_compute(rask_array_sum(a, RASK_ALL), &sum), RASK_EIO);
    expect_error(g, RASK_EIO, "nothing behind 20");
}

static int64_t forty_two(void)
{
    return 42;
}
RASK_TASK(forty_two, i64);

/* A block of u16 that lies in Fortran order. */
static int columns(rask_task *task)
{
    rask_block block;
    rask_value value;
    if (rask_value_block_alloc(RASK_DT_U16, 2, RASK_LENGTHS(3, 2), &block, &value))
        return rask_fail(task, RASK_ENOMEM, "no block");
    for (int i = 0; i < 6; i++)
        ((uint16_t *)block.data)[i] = (uint16_t)i;
    rask_block turned = block;
    turned.shape[0] = 2, turned.shape[1] = 3;
    turned.strides[0] = 2, turned.strides[1] = 4;
    turned.release = NULL;
    rask_value whole;
    void *copy = malloc(12);
    memcpy(copy, block.data, 12);
    rask_value_unref(&value);
    turned.data = copy;
    turned.release = free;
    turned.owner = copy;
    return rask_value_block_adopt(&turned, 12, &whole) ? RASK_ENOMEM : rask_return_value(task, whole);
}
RASK_SLOTS(columns);

Test(node, gives_its_value_as_an_array)
{
    rask_graph *g = rask_graph_new();
    rask_array *number = rask_array_from_node(rask_delayed(g, forty_two), RASK_DT_F32, 0, NULL);
    double twice = 0;
    int64_t place = 0;
    cr_assert_eq(rask_compute(rask_array_mul(number, 2), &twice), RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(twice, 84);
    rask_array *block = rask_array_from_node(rask_delayed(g, columns), RASK_DT_U16, 2, RASK_LENGTHS(2, 3));
    cr_assert_eq(rask_compute(rask_array_sum(rask_array_mul(block, rask_array_reshape(
                                                                       rask_array_arange(g, 0, 6, 1), 2, 3)),
                                             RASK_ALL),
                              &place),
                 RASK_OK, "%s", rask_graph_error(g));
    cr_assert_eq(place, 0 * 0 + 1 * 2 + 2 * 4 + 3 * 1 + 4 * 3 + 5 * 5);
    rask_graph_free(g);
}

static void expect_wrong_node(rask_graph *g, rask_node *node, rask_dtype dtype, uint32_t ndim,
                              const int64_t *shape, const char *message)
{
    int64_t number;
    rask_array *a = rask_array_from_node(node, dtype, ndim, shape);
    cr_assert_eq(rask_compute(rask_array_sum(rask_array_astype(a, RASK_DT_I64), RASK_ALL), &number),
                 RASK_ETYPE);
    expect_error(g, RASK_ETYPE, message);
}

Test(node, that_gives_something_else_is_an_error)
{
    rask_graph *g = rask_graph_new();
    expect_wrong_node(g, rask_delayed(g, forty_two), RASK_DT_BOOL, 0, NULL,
                      "the node gave the number 42, which is no bool");
    g = rask_graph_new();
    expect_wrong_node(g, rask_delayed(g, forty_two), RASK_DT_I64, 1, RASK_LENGTHS(1),
                      "which is no int64 array");
    g = rask_graph_new();
    expect_wrong_node(g, rask_delayed(g, columns), RASK_DT_U16, 2, RASK_LENGTHS(3, 2),
                      "gave uint16 of shape (2, 3) instead of uint16 of shape (3, 2)");
    g = rask_graph_new();
    expect_wrong_node(g, rask_const(g, "text"), RASK_DT_U16, 2, RASK_LENGTHS(3, 2),
                      "gave bytes, not a block");
}

/* -- Out of memory: every allocation of a program that builds fails once. */

Test(build, a_number_that_does_not_fit_is_refused_before_anything_is_computed)
{
    rask_graph *g = rask_graph_new();
    rask_report report = {0};
    rask_options o = RASK_OPTIONS_INIT;
    int64_t whole = 7;
    double real = 0;
    o.report = &report;
    rask_array *a = rask_array_arange(g, 0, 10, 1), *mean = rask_array_mean(a, RASK_ALL);
    cr_expect_eq(rask_compute_with(mean, &o, &whole), RASK_ETYPE);
    cr_expect_not_null(
        strstr(rask_graph_error(g), "is of float64: its number goes into a double, not into an int64_t"),
        "%s", rask_graph_error(g));
    cr_expect(whole == 7 && !report.tasks);
    cr_expect(!rask_compute_with(mean, &o, &real) && real == 4.5);
    cr_expect(!rask_compute_with(rask_array_sum(a, RASK_ALL), &o, &whole) && whole == 45);
    rask_graph_free(g);
}

static int build_all(void)
{
    double data[6] = {1, 2, 3, 4, 5, 6};
    int64_t end = 5;
    rask_block block = {.dtype = RASK_DT_F64, .ndim = 2, .shape = {2, 3}, .strides = {24, 8}, .data = data};
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_from_block(g, &block, false), *b = rask_array_normal(g, 1, 0, 1, 3);
    rask_array *c = rask_array_from_callback(g, count_up, &end, RASK_DT_I32, 2, RASK_LENGTHS(2, 3), NULL);
    rask_array *d = g ? rask_array_from_node(rask_delayed(g, forty_two), RASK_DT_I64, 0, NULL) : NULL;
    rask_array *all = rask_array_add(rask_array_mul(a, b), rask_array_where(rask_array_lt(c, 1), d, 2.5));
    for (int i = 0; i < 100; i++)
        all = rask_array_add(
            rask_array_transpose(rask_array_slice(rask_array_transpose(all), RASK_EVERY(-1))), i);
    rask_array *mean = rask_array_mean(rask_array_round(rask_array_clip(all, 0, 1), 2), 0);
    int status = g ? rask_graph_status(g) : RASK_ENOMEM;
    cr_assert_eq(status == RASK_OK, mean != NULL);
    rask_graph_free(g);
    return status;
}

Test(memory, when_it_ends_builders_say_so_and_nothing_leaks)
{
    sweep(build_all, 0);
}
