/* Einstein's sums: products of arrays whose axes are named by labels, summed over the labels that the result has not.
 *
 * Design. Operands become terms, in which no label stands twice (diagonals are taken) and none that is a single element there
 * and more elsewhere. Then two terms at a time become one, until one is left:
 *   labels that only one term has, and the result has not, are summed away first;
 *   labels that both have, and nobody else, are summed by a matrix product, where both have labels of their own beside; where
 *   one has none, by sums of element-wise products, which run at the speed of memory;
 *   labels that both have, and somebody else, too, are stacks of matrices.
 * Which two: those after which the least is left, which depends on shapes alone. */
#include "collections/array/linalg/contract.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Labels by number: A … Z, a … z, as implicit results are ordered, then the axes of "..." from the last one on. */
enum { LETTERS = 52, LABELS = LETTERS + RASK_MAX_DIMENSIONS, OPERANDS = 32, SHOWN = 100 };

/* Axis i of array has label labels[i]. */
typedef struct term {
    rask_array *array;
    uint32_t count;
    uint8_t labels[RASK_MAX_DIMENSIONS];
} term;

typedef struct einsum {
    rask_graph *graph;
    const char *text, *file;
    int line;
    term terms[OPERANDS], result; /* of the result labels alone */
    uint32_t count;               /* of terms */
    uint32_t dots;                /* axes that "..." stands for: the most in any operand */
    int64_t length[LABELS];
    const rask_array *owner[LABELS]; /* who said so, for messages */
} einsum;

static int fail(const einsum *e, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int fail(const einsum *e, int status, const char *format, ...)
{
    char message[RK_MAX_MESSAGE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    rk_graph_fail(e->graph, status, e->file, e->line, "rask_array_einsum: \"%.*s\": %s", SHOWN, e->text,
                  message);
    return status;
}

/* Which axis of t has a label; -1: none. */
static int axis_of(const term *t, uint8_t label)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (t->labels[i] == label)
            return (int)i;
    return -1;
}

static bool has(const term *t, uint8_t label)
{
    return axis_of(t, label) >= 0;
}

/* As it is written; returns text. */
static const char *label_text(uint8_t label, char text[4])
{
    if (label >= LETTERS)
        return memcpy(text, "...", 4);
    text[0] = (char)(label < 26 ? 'A' + label : 'a' + label - 26);
    text[1] = 0;
    return text;
}

/* -- The text -- */

static int label_of(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : -1;
}

/* What one operand's part of the text says: labels in front of "...", and behind it. */
typedef struct part {
    uint8_t labels[RASK_MAX_DIMENSIONS];
    uint32_t count, before; /* labels; those in front of the dots */
    bool dots;
} part;

/* Up to a comma, an arrow or the end; spaces mean nothing. Moves *at there. */
static int read_part(const einsum *e, const char **at, part *p)
{
    *p = (part){.count = 0};
    for (const char *c = *at;; c++) {
        *at = c;
        if (!*c || *c == ',' || (c[0] == '-' && c[1] == '>'))
            break;
        if (*c == ' ')
            continue;
        if (c[0] == '.' && c[1] == '.' && c[2] == '.' && !p->dots) {
            p->dots = true;
            p->before = p->count;
            c += 2;
            continue;
        }
        if (label_of(*c) < 0)
            return fail(e, RASK_EINVAL,
                        "'%.1s' at character %td is no label: a letter, or \"...\" once, expected", c,
                        c - e->text + 1);
        if (p->count == RASK_MAX_DIMENSIONS)
            return fail(e, RASK_ELIMIT, "more than %d labels of one array", RASK_MAX_DIMENSIONS);
        p->labels[p->count++] = (uint8_t)label_of(*c);
    }
    return RASK_OK;
}

/* The labels of axes, of which dots ones are those of "...". */
static void spread(const part *p, uint32_t dots, term *t)
{
    for (uint32_t i = 0; i < p->count + dots; i++) {
        bool dot = p->dots && i >= p->before && i < p->before + dots;
        uint32_t behind = p->dots && i >= p->before + dots ? i - dots : i;
        t->labels[i] = dot ? (uint8_t)(LETTERS + p->before + dots - 1 - i) : p->labels[behind];
    }
    t->count = p->count + dots;
}

/* A label's length in one more array; single elements go with any. */
static int note_length(einsum *e, uint8_t label, const rask_array *a, uint32_t axis)
{
    char left[RK_SHAPE_TEXT], right[RK_SHAPE_TEXT], text[4];
    int64_t length = a->shape[axis];
    const rask_array *before = e->owner[label];
    if (!before || e->length[label] == 1) {
        e->owner[label] = a;
        e->length[label] = length;
    } else if (length != 1 && length != e->length[label]) {
        return fail(e, RASK_EINVAL, "%s is %lld in shape %s and %lld in shape %s", label_text(label, text),
                    (long long)e->length[label], rk_shape_text(before->shape, before->ndim, left),
                    (long long)length, rk_shape_text(a->shape, a->ndim, right));
    }
    return RASK_OK;
}

static int read_operand(einsum *e, const char **at, rask_array *a, term *t)
{
    char shape[RK_SHAPE_TEXT];
    part p;
    if (read_part(e, at, &p))
        return e->graph->status;
    if (p.count > a->ndim || (!p.dots && p.count < a->ndim))
        return fail(e, RASK_EINVAL, "%u labels%s for an array of shape %s", p.count,
                    p.dots ? " and \"...\"" : "", rk_shape_text(a->shape, a->ndim, shape));
    t->array = a;
    spread(&p, a->ndim - p.count, t);
    e->dots = a->ndim - p.count > e->dots ? a->ndim - p.count : e->dots;
    for (uint32_t i = 0; i < t->count; i++)
        if (note_length(e, t->labels[i], a, i))
            return e->graph->status;
    return RASK_OK;
}

/* Without an arrow: the axes of "...", then the labels that stand once, in order. */
static int implied_result(einsum *e)
{
    for (uint32_t i = e->dots; i-- > 0;)
        e->result.labels[e->result.count++] = (uint8_t)(LETTERS + i);
    for (uint8_t label = 0; label < LETTERS; label++) {
        uint32_t times = 0;
        for (uint32_t k = 0; k < e->count; k++)
            for (uint32_t i = 0; i < e->terms[k].count; i++)
                times += e->terms[k].labels[i] == label;
        if (times == 1 && e->result.count == RASK_MAX_DIMENSIONS)
            return fail(e, RASK_ELIMIT, "a result of more than %d axes", RASK_MAX_DIMENSIONS);
        if (times == 1)
            e->result.labels[e->result.count++] = label;
    }
    return RASK_OK;
}

static int read_result(einsum *e, const char *at)
{
    char text[4];
    part p;
    if (read_part(e, &at, &p))
        return e->graph->status;
    if (*at)
        return fail(e, RASK_EINVAL, "one result expected behind \"->\"");
    if (e->dots && !p.dots)
        return fail(e, RASK_EINVAL, "\"...\" stands for axes, and the result has none");
    uint32_t dots = p.dots ? e->dots : 0;
    if (p.count + dots > RASK_MAX_DIMENSIONS)
        return fail(e, RASK_ELIMIT, "a result of %u axes", p.count + dots);
    spread(&p, dots, &e->result);
    for (uint32_t i = 0; i < e->result.count; i++) {
        uint8_t label = e->result.labels[i];
        if (axis_of(&e->result, label) != (int)i)
            return fail(e, RASK_EINVAL, "%s is twice in the result", label_text(label, text));
        if (!e->owner[label])
            return fail(e, RASK_EINVAL, "%s of the result is in no operand", label_text(label, text));
    }
    return RASK_OK;
}

static int read_text(einsum *e, rask_array *const *arrays, uint32_t count)
{
    const char *at = e->text;
    uint32_t parts = 1;
    for (const char *c = at; *c && c[0] != '-'; c++)
        parts += *c == ',';
    if (parts != count)
        return fail(e, RASK_EINVAL, "labels for %u array%s, and there are %u", parts, parts == 1 ? "" : "s",
                    count);
    for (; e->count < count; e->count++) {
        if (read_operand(e, &at, arrays[e->count], &e->terms[e->count]))
            return e->graph->status;
        at += *at == ',';
    }
    return *at ? read_result(e, at + 2) : implied_result(e);
}

/* -- Terms -- */

/* t without the axes that goes says, of one element each. */
static void drop_axis(const einsum *e, term *t, uint32_t axis)
{
    t->array = rask_array_squeeze_at(t->array, (int)axis, e->file, e->line);
    t->count--;
    memmove(t->labels + axis, t->labels + axis + 1, t->count - axis);
}

/* The diagonal of two axes with one label, as the last axis. */
static void take_diagonal(const einsum *e, term *t, uint32_t first, uint32_t second)
{
    uint8_t label = t->labels[first];
    t->array = rask_array_diagonal_at(t->array, 0, (int)first, (int)second, e->file, e->line);
    t->count--;
    memmove(t->labels + second, t->labels + second + 1, t->count - second);
    memmove(t->labels + first, t->labels + first + 1, t->count - 1 - first);
    t->labels[t->count - 1] = label;
}

/* No label twice, none of one element where it has more elsewhere. */
static int tidy(const einsum *e, term *t)
{
    char shape[RK_SHAPE_TEXT], text[4];
    for (uint32_t i = 0; i < t->count;) {
        uint32_t first = (uint32_t)axis_of(t, t->labels[i]);
        if (first == i) {
            i++;
            continue;
        }
        const rask_array *a = t->array;
        if (a->shape[first] != a->shape[i])
            return fail(e, RASK_EINVAL, "%s is %lld and %lld in shape %s", label_text(t->labels[i], text),
                        (long long)a->shape[first], (long long)a->shape[i],
                        rk_shape_text(a->shape, a->ndim, shape));
        take_diagonal(e, t, first, i);
        if (!t->array)
            return e->graph->status;
        i = 0;
    }
    for (uint32_t i = t->count; i-- > 0 && t->array;)
        if (t->array->shape[i] == 1 && e->length[t->labels[i]] != 1)
            drop_axis(e, t, i);
    return e->graph->status;
}

/* Somebody needs a label beside the terms number x and y. */
static bool is_kept(const einsum *e, uint8_t label, uint32_t x, uint32_t y)
{
    bool kept = has(&e->result, label);
    for (uint32_t k = 0; k < e->count && !kept; k++)
        kept = k != x && k != y && has(&e->terms[k], label);
    return kept;
}

/* Labels that nobody else has are summed away. */
static int sum_own(einsum *e, uint32_t number)
{
    term *t = &e->terms[number];
    int axes[RASK_MAX_DIMENSIONS];
    uint32_t count = 0, left = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        if (is_kept(e, t->labels[i], number, number))
            t->labels[left++] = t->labels[i];
        else
            axes[count++] = (int)i;
    }
    t->count = left;
    if (count)
        t->array = rk_sum_as_products(t->array, axes, count, false, e->file, e->line);
    return e->graph->status;
}

/* t's array with an axis for each of the labels of order, among which are its own: of one element where it has none. */
static rask_array *aligned(const einsum *e, const term *t, const term *order)
{
    rk_view view;
    int64_t shape[RASK_MAX_DIMENSIONS];
    memset(&view, 0, sizeof view);
    for (uint32_t i = 0; i < order->count; i++)
        shape[i] = 1;
    for (uint32_t i = 0; i < t->count; i++) {
        int to = axis_of(order, t->labels[i]);
        view.from[i] = (int8_t)to;
        view.step[i] = 1;
        shape[to] = t->array->shape[i];
    }
    return rk_array_view(t->array, &view, order->count, shape, e->file, e->line);
}

/* -- Two terms -- */

/* What becomes of the labels of two terms. */
typedef struct meeting {
    uint32_t x, y;
    uint8_t batch[RASK_MAX_DIMENSIONS], inner[RASK_MAX_DIMENSIONS];
    uint32_t batch_count, inner_count;
} meeting;

static meeting meet(const einsum *e, uint32_t x, uint32_t y)
{
    meeting m = {.x = x, .y = y};
    for (uint32_t i = 0; i < e->terms[x].count; i++) {
        uint8_t label = e->terms[x].labels[i];
        if (!has(&e->terms[y], label))
            continue;
        if (is_kept(e, label, x, y))
            m.batch[m.batch_count++] = label;
        else
            m.inner[m.inner_count++] = label;
    }
    return m;
}

static double elements(const einsum *e, const uint8_t *labels, uint32_t count)
{
    double product = 1;
    for (uint32_t i = 0; i < count; i++)
        product *= (double)e->length[labels[i]];
    return product;
}

/* The two after which the least is left; of equal ones those with the least work, then the first. */
static meeting choose(const einsum *e)
{
    meeting best = {.x = 0};
    double least = INFINITY, least_work = INFINITY;
    for (uint32_t x = 0; x < e->count; x++)
        for (uint32_t y = x + 1; y < e->count; y++) {
            meeting m = meet(e, x, y);
            const term *a = &e->terms[x], *b = &e->terms[y];
            double of_a = elements(e, a->labels, a->count), of_b = elements(e, b->labels, b->count);
            double shared = elements(e, m.batch, m.batch_count), inner = elements(e, m.inner, m.inner_count);
            double work = of_a * of_b / fmax(shared * inner, 1), left = work / fmax(inner, 1) - of_a - of_b;
            if (left < least || (left == least && work < least_work)) {
                least = left;
                least_work = work;
                best = m;
            }
        }
    return best;
}

/* Adds those of t's labels that are not there; false: too many. */
static bool join(term *order, const term *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (has(order, t->labels[i]))
            continue;
        if (order->count == RASK_MAX_DIMENSIONS)
            return false;
        order->labels[order->count++] = t->labels[i];
    }
    return true;
}

/* The labels of a product of all elements, in the order in which they are walked: the result's where these are all, else that
 * of the term with more of them. */
static bool walk(const einsum *e, const meeting *m, term *order)
{
    const term *x = &e->terms[m->x], *y = &e->terms[m->y];
    bool last = e->count == 2 && !m->inner_count;
    *order = (term){.array = NULL};
    if (last)
        join(order, &e->result);
    return y->count > x->count ? join(order, y) && join(order, x) : join(order, x) && join(order, y);
}

static int too_many(const einsum *e)
{
    return fail(e, RASK_ELIMIT, "a product on the way has more than %d axes", RASK_MAX_DIMENSIONS);
}

/* Element by element, and the inner labels summed. */
static int multiply(const einsum *e, const meeting *m, term *out)
{
    int axes[RASK_MAX_DIMENSIONS];
    uint32_t kept = 0;
    if (!walk(e, m, out))
        return too_many(e);
    for (uint32_t i = 0; i < m->inner_count; i++)
        axes[i] = axis_of(out, m->inner[i]);
    rask_operand x = {.kind = RASK_OPERAND_ARRAY, .as.array = aligned(e, &e->terms[m->x], out)};
    rask_operand y = {.kind = RASK_OPERAND_ARRAY, .as.array = aligned(e, &e->terms[m->y], out)};
    if (x.as.array && y.as.array)
        out->array = rask_array_binary_at(RASK_BINARY_MUL, x, y, e->file, e->line);
    if (m->inner_count)
        out->array = rk_sum_as_products(out->array, axes, m->inner_count, false, e->file, e->line);
    for (uint32_t i = 0; i < out->count; i++)
        if (!memchr(m->inner, out->labels[i], m->inner_count))
            out->labels[kept++] = out->labels[i];
    out->count = kept;
    return e->graph->status;
}

/* Axes of t for rk_contract(); own labels go to out. */
static void order_axes(const meeting *m, const term *t, bool inner_first, int *order, term *out)
{
    uint32_t count = 0, own = 0;
    for (uint32_t i = 0; i < m->batch_count; i++)
        order[count++] = axis_of(t, m->batch[i]);
    if (inner_first)
        count += m->inner_count;
    for (uint32_t i = 0; i < t->count; i++) {
        if (memchr(m->batch, t->labels[i], m->batch_count) || memchr(m->inner, t->labels[i], m->inner_count))
            continue;
        order[count + own++] = (int)i;
        out->labels[out->count++] = t->labels[i];
    }
    count = inner_first ? m->batch_count : count + own;
    for (uint32_t i = 0; i < m->inner_count; i++)
        order[count + i] = axis_of(t, m->inner[i]);
}

/* The term whose own labels come first in the result is the left one, so that the product comes as it is wanted. */
static bool turns(const einsum *e, const meeting *m)
{
    for (uint32_t i = 0; i < e->result.count; i++) {
        uint8_t label = e->result.labels[i];
        bool in_x = has(&e->terms[m->x], label), in_y = has(&e->terms[m->y], label);
        if (in_x != in_y)
            return in_y;
    }
    return false;
}

static int contract(const einsum *e, const meeting *m, term *out)
{
    bool turned = turns(e, m);
    const term *a = &e->terms[turned ? m->y : m->x], *b = &e->terms[turned ? m->x : m->y];
    int a_order[RASK_MAX_DIMENSIONS], b_order[RASK_MAX_DIMENSIONS];
    *out = (term){.count = m->batch_count};
    memcpy(out->labels, m->batch, m->batch_count);
    if (a->count + b->count - m->batch_count - 2 * m->inner_count > RASK_MAX_DIMENSIONS)
        return too_many(e);
    order_axes(m, a, false, a_order, out);
    order_axes(m, b, true, b_order, out);
    out->array =
        rk_contract(a->array, a_order, b->array, b_order, m->batch_count, m->inner_count, e->file, e->line);
    return e->graph->status;
}

/* Two terms become one, in the place of the first. */
static int combine(einsum *e)
{
    meeting m = choose(e);
    term made, *x = &e->terms[m.x], *y = &e->terms[m.y];
    uint32_t shared = m.batch_count + m.inner_count;
    bool both = x->count > shared && y->count > shared;
    int status = m.inner_count && both ? contract(e, &m, &made) : multiply(e, &m, &made);
    if (status)
        return status;
    *x = made;
    e->count--;
    memmove(y, y + 1, (e->count - m.y) * sizeof *y);
    return RASK_OK;
}

/* -- Builder -- */

static int take_arrays(einsum *e, rask_array *const *arrays, uint32_t count)
{
    if (!e->text) {
        rk_graph_fail(e->graph, RASK_EINVAL, e->file, e->line, "rask_array_einsum: no labels");
        return RASK_EINVAL;
    }
    if (count > OPERANDS)
        return fail(e, RASK_ELIMIT, "%u arrays: at most %d", count, OPERANDS);
    rask_dtype dtype = arrays[0]->dtype;
    for (uint32_t i = 0; i < count; i++) {
        if (arrays[i]->graph != e->graph)
            return fail(e, RASK_EINVAL, "arrays of two graphs");
        dtype = rask_dtype_promote(dtype, arrays[i]->dtype);
    }
    if (read_text(e, arrays, count))
        return e->graph->status;
    for (uint32_t i = 0; i < count; i++) {
        e->terms[i].array = rk_array_cast(arrays[i], dtype, e->file, e->line);
        if (!e->terms[i].array || tidy(e, &e->terms[i]))
            return e->graph->status;
    }
    return RASK_OK;
}

rask_array *rask_array_einsum_at(const char *labels, rask_array *const *arrays, uint32_t count,
                                 const char *file, int line)
{
    for (uint32_t i = 0; i < count; i++)
        if (!arrays || !arrays[i] || arrays[i]->graph->status)
            return NULL;
    if (!count)
        return NULL;
    einsum e = {.graph = arrays[0]->graph, .text = labels, .file = file, .line = line};
    int status = take_arrays(&e, arrays, count);
    for (uint32_t i = 0; i < e.count && !status; i++)
        status = sum_own(&e, i);
    while (e.count > 1 && !status)
        status = combine(&e);
    return status ? NULL : aligned(&e, &e.terms[0], &e.result);
}
