/* Einstein's sums, Kronecker's product and the cross product. What they come to is compared with NumPy elsewhere. */
#include "collections/array/linalg/linalg.h"
#include "linalg_support.h"

#define HERE __FILE__, __LINE__

static rask_array *numbers(rask_graph *g, uint64_t seed, int64_t rows, int64_t columns)
{
    return rask_array_astype_at(rask_array_integers_at(g, seed, -9, 10, 2, SHAPE(rows, columns), HERE),
                                RASK_DT_F64, HERE);
}

static rask_array *einsum(const char *labels, rask_array *a, rask_array *b)
{
    return rask_array_einsum(labels, ((rask_array *[]){a, b}), 2);
}

static void expect_equal(rask_array *a, rask_array *b, const char *what)
{
    dense x = values_of(a), y = values_of(b);
    cr_expect_eq(distance(&x, &y), 0, "%s", what);
    free(x.x);
    free(y.x);
}

/* It is a matrix product, or a view of one. */
static bool is_matmul(const rask_array *a)
{
    while (a->kind == RK_VIEW)
        a = a->inputs[0];
    return a->kind == RK_OPAQUE && !strcmp(a->as.opaque->name, "matmul");
}

Test(einsum, is_a_matrix_product_where_both_have_axes_of_their_own)
{
    rask_graph *g = LAPACK_GRAPH();
    rask_array *a = numbers(g, 1, 30, 20), *b = numbers(g, 2, 20, 40), *turned = rask_array_transpose(b);
    expect_equal(einsum("ij,jk", a, b), rask_array_matmul(a, b), "ij,jk");
    expect_equal(einsum("ij,kj->ki", a, turned), rask_array_transpose(rask_array_matmul(a, b)), "ij,kj->ki");
    cr_expect(is_matmul(einsum("ij,kj->ki", a, turned)));
    cr_expect_eq(einsum("ij,jk->ik", a, b), rask_array_matmul(a, b), "it is the product itself");
    cr_expect_not(is_matmul(einsum("ij,jk->j", a, b)), "each is summed by itself");
    cr_expect_not(is_matmul(einsum("ij,ij->i", a, a)));
    rask_graph_free(g);
}

Test(einsum, the_order_of_products_leaves_little)
{
    rask_graph *g = LAPACK_GRAPH();
    rask_array *a = numbers(g, 1, 400, 2), *b = numbers(g, 2, 2, 400), *c = numbers(g, 3, 400, 3);
    rask_array *chain = rask_array_einsum("ij,jk,kl->il", ((rask_array *[]){a, b, c}), 3);
    cr_assert_not_null(chain);
    expect_equal(chain, rask_array_matmul(a, rask_array_matmul(b, c)), "b c first");
    cr_expect_eq(chain, rask_array_matmul(a, rask_array_matmul(b, c)));
    rask_graph_free(g);
}

static rask_array *large(rask_graph *g)
{
    rask_array *a = rask_array_uniform(g, 1, -1, 1, 3, 700, 300),
               *b = rask_array_uniform(g, 2, -1, 1, 300, 900);
    return rask_array_einsum("bij,jk,bi->bk",
                             ((rask_array *[]){a, b, rask_array_uniform(g, 3, -1, 1, 3, 700)}), 3);
}

static rask_array *large_kron(rask_graph *g)
{
    return rask_array_kron(rask_array_uniform(g, 1, -1, 1, 300, 20), rask_array_uniform(g, 2, -1, 1, 7, 50));
}

Test(einsum, the_bits_do_not_depend_on_budget_and_workers)
{
    rask_graph_free(LAPACK_GRAPH());
    expect_same_bits(large);
    expect_same_bits(large_kron);
}

static void refused(int status, const char *labels, uint32_t count, const char *reason)
{
    rask_graph *g = rask_graph_new();
    rask_array *x = numbers(g, 1, 7, 5), *all[40];
    for (int i = 0; i < 40; i++)
        all[i] = x;
    cr_expect_null(rask_array_einsum(labels, all, count), "%s", labels);
    cr_expect_eq(rask_graph_status(g), status, "%s", labels);
    cr_expect_not_null(strstr(rask_graph_error(g), reason), "%s: %s", labels, rask_graph_error(g));
    rask_graph_free(g);
}

Test(einsum, what_fits_nothing_is_refused_with_labels_and_shapes)
{
    refused(RASK_EINVAL, "ij,jk->ik", 2, "\"ij,jk->ik\": j is 5 in shape (7, 5) and 7 in shape (7, 5)");
    refused(RASK_EINVAL, "ijk", 1, "3 labels for an array of shape (7, 5)");
    refused(RASK_EINVAL, "i", 1, "1 labels for an array of shape (7, 5)");
    refused(RASK_EINVAL, "ii", 1, "i is 7 in shape (7, 5) and 5 in shape (7, 5)");
    refused(RASK_EINVAL, "ij,jk", 1, "labels for 2 arrays, and there are 1");
    refused(RASK_EINVAL, "ij->k", 1, "k of the result is in no operand");
    refused(RASK_EINVAL, "ij->ii", 1, "i is twice in the result");
    refused(RASK_EINVAL, "i1", 1, "'1' at character 2 is no label");
    refused(RASK_EINVAL, "i..", 1, "'.' at character 2 is no label");
    refused(RASK_EINVAL, "......", 1, "'.' at character 4 is no label");
    refused(RASK_EINVAL, "ij-", 1, "'-' at character 3 is no label");
    refused(RASK_EINVAL, "ij->i->j", 1, "one result expected behind \"->\"");
    refused(RASK_EINVAL, "...->", 1, "\"...\" stands for axes");
    refused(RASK_ELIMIT, "abcdefghijklmnopqrs", 1, "more than 16 labels");
    refused(RASK_ELIMIT, "ij,kl,mn,op,qr,st,uv,wx,yz", 9, "16 axes");
    refused(RASK_ELIMIT, "ij", 40, "40 arrays");
    refused(RASK_EINVAL, NULL, 1, "no labels");
}

Test(einsum, arrays_of_two_graphs_are_refused)
{
    rask_graph *g = rask_graph_new(), *other = rask_graph_new();
    cr_expect_null(einsum("ij,ij", numbers(g, 1, 2, 2), numbers(other, 1, 2, 2)));
    cr_expect_eq(rask_graph_status(g), RASK_EINVAL);
    cr_expect_null(einsum("ij,ij", NULL, NULL));
    rask_graph_free(g);
    rask_graph_free(other);
}

Test(kron, more_axes_than_fit_twice_are_refused)
{
    rask_graph *g = rask_graph_new();
    rask_array *a = rask_array_zeros(g, RASK_DT_F64, 1, 1, 1, 1, 1, 1, 1, 1, 1);
    cr_expect_null(rask_array_kron(a, a));
    cr_expect_eq(rask_graph_status(g), RASK_ELIMIT);
    rask_graph_free(g);
}

Test(cross, of_two_with_three_elements_broadcasts)
{
    rask_graph *g = rask_graph_new();
    rask_array *flat = array_of(g, RASK_DT_I64, 2, SHAPE(2, 2), (double complex[]){1, 2, 3, 4});
    rask_array *one = array_of(g, RASK_DT_I64, 1, SHAPE(3), (double complex[]){5, 6, 7});
    expect_equal(rask_array_cross(flat, one, -1),
                 array_of(g, RASK_DT_I64, 2, SHAPE(2, 3), (double complex[]){14, -7, -4, 28, -21, -2}),
                 "cross");
    cr_expect_null(rask_array_cross(rask_array_zeros(g, RASK_DT_F64, 4), one, 0));
    cr_expect_not_null(strstr(rask_graph_error(g), "vectors of 4 elements, along axis 0 of shape (4,)"), "%s",
                       rask_graph_error(g));
    rask_graph_free(g);
}

Test(diagonal, of_an_axis_with_itself_is_refused)
{
    rask_graph *g = rask_graph_new();
    cr_expect_null(rask_array_diagonal(numbers(g, 1, 3, 3), 0, 1, -1));
    cr_expect_eq(rask_graph_status(g), RASK_EINVAL);
    rask_graph_free(g);
}
