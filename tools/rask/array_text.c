/* A format is chosen for all elements that are printed, then each is a word of that width. Floats are in scientific
 * notation when the largest is 1e8 or more, the smallest below 1e-4, or one more than 1000 times the other. */
#include "array_text.h"
#include "number_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PRECISION = 8, LINE = 75, WORD = 2 * (2 * NUMBER_TEXT + 8) };

/* How floats of one array are written. */
typedef struct float_format {
    bool single, scientific;
    bool plus;  /* a sign before positive ones, too */
    int left;   /* columns before the point, */
    int right;  /* and behind it */
    int digits; /* scientific: behind the point, filled up with zeros */
    int exponent;
} float_format;

typedef struct printer {
    FILE *out;
    const array_edges *edges;
    float_format real, imaginary;
    int width; /* of integers */
    char line[LINE + WORD + 2 * RASK_MAX_DIMENSIONS];
    int used; /* of line */
} printer;

int64_t array_edges_init(array_edges *e, rask_dtype dtype, uint32_t ndim, const int64_t *shape)
{
    int64_t size = 1, kept = 1;
    *e = (array_edges){.dtype = dtype, .ndim = ndim};
    for (uint32_t i = 0; i < ndim; i++) {
        if (__builtin_mul_overflow(size, shape[i], &size))
            size = INT64_MAX;
    }
    e->cut = size > ARRAY_TEXT_ALL;
    for (uint32_t i = 0; i < ndim; i++) {
        e->shape[i] = shape[i];
        e->kept[i] = e->cut && shape[i] > 2 * ARRAY_TEXT_EDGE ? 2 * ARRAY_TEXT_EDGE : shape[i];
        if (__builtin_mul_overflow(kept, e->kept[i], &kept))
            return INT64_MAX;
    }
    return kept;
}

/* --- elements */

static int64_t count_of(const array_edges *e)
{
    int64_t count = 1;
    for (uint32_t i = 0; i < e->ndim; i++)
        count *= e->kept[i];
    return count;
}

/* Real part (0) or imaginary part (1) of a float or complex element. */
static double part_of(const array_edges *e, int64_t at, int part)
{
    switch (e->dtype) {
    case RASK_DT_F32: return (double)((const float *)e->data)[at];
    case RASK_DT_F64: return ((const double *)e->data)[at];
    case RASK_DT_C64: return (double)((const float *)e->data)[2 * at + part];
    default: return ((const double *)e->data)[2 * at + part];
    }
}

static int64_t integer_of(const array_edges *e, int64_t at)
{
    switch (e->dtype) {
    case RASK_DT_I8: return ((const int8_t *)e->data)[at];
    case RASK_DT_I16: return ((const int16_t *)e->data)[at];
    case RASK_DT_I32: return ((const int32_t *)e->data)[at];
    case RASK_DT_U8: return ((const uint8_t *)e->data)[at];
    case RASK_DT_U16: return ((const uint16_t *)e->data)[at];
    case RASK_DT_U32: return ((const uint32_t *)e->data)[at];
    default: return ((const int64_t *)e->data)[at];
    }
}

static bool is_complex(const array_edges *e)
{
    return e->dtype == RASK_DT_C64 || e->dtype == RASK_DT_C128;
}

static bool is_float(const array_edges *e)
{
    return e->dtype == RASK_DT_F32 || e->dtype == RASK_DT_F64;
}

static bool is_single(const array_edges *e)
{
    return e->dtype == RASK_DT_F32 || e->dtype == RASK_DT_C64;
}

static int write_integer(const array_edges *e, int64_t at, int width, char *word)
{
    int64_t value = integer_of(e, at);
    if (e->dtype == RASK_DT_U64)
        return sprintf(word, "%*" PRIu64, width, (uint64_t)value);
    return sprintf(word, "%*" PRId64, width, value);
}

/* --- formats */

static int most(int a, int b)
{
    return a > b ? a : b;
}

/* Columns before and behind the point in positional notation, without zeros at the end. */
static int columns_before(const number_decimal *n, bool plus)
{
    return (n->negative || plus) + (n->exponent < 0 ? 1 : n->exponent + 1);
}

static int columns_behind(const number_decimal *n)
{
    int behind = n->count - 1 - n->exponent;
    return behind > 0 && !(n->count == 1 && n->digits[0] == '0') ? behind : 0;
}

static int exponent_columns(const number_decimal *n)
{
    return abs(n->exponent) >= 100 ? 3 : 2;
}

/* Whether the range of the elements asks for scientific notation; of floats it is looked at as floats. */
static bool wants_scientific(const array_edges *e, int part, int64_t count)
{
    double largest = 0, smallest = INFINITY;
    for (int64_t i = 0; i < count; i++) {
        double magnitude = fabs(part_of(e, i, part));
        if (!isfinite(magnitude) || magnitude == 0)
            continue;
        largest = fmax(largest, magnitude);
        smallest = fmin(smallest, magnitude);
    }
    if (largest == 0)
        return false;
    if (is_single(e))
        return largest >= 1e8 || (float)smallest < 0.0001f || (float)largest / (float)smallest > 1000;
    return largest >= 1e8 || smallest < 0.0001 || largest / smallest > 1000;
}

/* Room for "nan", "inf" and "-inf" among numbers. */
static void fit_non_finite(float_format *f, bool any, bool sign)
{
    if (any)
        f->left = most(f->left, most(3, 3 + sign) - f->right - 1);
}

static float_format choose_format(const array_edges *e, int part)
{
    int64_t count = count_of(e);
    float_format f = {.single = is_single(e), .plus = part == 1};
    bool non_finite = false, sign = f.plus, finite = false;
    f.scientific = wants_scientific(e, part, count);
    for (int64_t i = 0; i < count; i++) {
        double value = part_of(e, i, part);
        number_decimal n;
        if (!isfinite(value)) {
            non_finite = true;
            sign |= isinf(value) && value < 0;
            continue;
        }
        finite = true;
        number_rounded(value, f.single, f.scientific, PRECISION, &n);
        f.left = most(f.left, f.scientific ? 1 + (n.negative || f.plus) : columns_before(&n, f.plus));
        f.right = most(f.right, f.scientific ? n.count - 1 : columns_behind(&n));
        f.exponent = most(f.exponent, exponent_columns(&n));
    }
    if (f.scientific && finite) {
        f.digits = f.right;
        f.right += f.exponent + 2;
    }
    fit_non_finite(&f, non_finite, sign);
    return f;
}

/* --- words */

static int write_non_finite(const float_format *f, double value, char *word)
{
    const char *text = isnan(value) ? "nan" : "inf", *sign = !isnan(value) && value < 0 ? "-"
                                                             : f->plus                  ? "+"
                                                                                        : "";
    return sprintf(word, "%*s%s", f->left + f->right + 1 - 3, sign, text);
}

static const char *sign_of(const float_format *f, const number_decimal *n)
{
    return n->negative ? "-" : f->plus ? "+" : "";
}

static int write_scientific(const float_format *f, const number_decimal *n, char *word)
{
    int len =
        sprintf(word, "%*s%c.%.*s", f->left - 1, sign_of(f, n), n->digits[0], n->count - 1, n->digits + 1);
    for (int i = n->count - 1; i < f->digits; i++)
        word[len++] = '0';
    return len + sprintf(word + len, "e%c%0*d", n->exponent < 0 ? '-' : '+', f->exponent, abs(n->exponent));
}

static int write_positional(const float_format *f, const number_decimal *n, char *word)
{
    int len = sprintf(word, "%*s", f->left - columns_before(n, false) + n->negative, sign_of(f, n));
    int behind = columns_behind(n);
    for (int place = n->exponent > 0 ? n->exponent : 0; place >= -behind; place--) {
        int index = n->exponent - place;
        word[len++] = index >= 0 && index < n->count ? n->digits[index] : '0';
        if (place == 0)
            word[len++] = '.';
    }
    return len + sprintf(word + len, "%*s", f->right - behind, "");
}

static int write_float(const float_format *f, double value, char *word)
{
    number_decimal n;
    if (!isfinite(value))
        return write_non_finite(f, value, word);
    number_rounded(value, f->single, f->scientific, PRECISION, &n);
    if (!f->scientific)
        return write_positional(f, &n, word);
    if (n.count - 1 < f->digits) /* NumPy fills up with what digits there are */
        number_exact(value, true, f->digits, &n);
    return write_scientific(f, &n, word);
}

/* The j stands before the spaces that fill a number up. */
static int write_complex(const printer *p, int64_t at, char *word)
{
    int len = write_float(&p->real, part_of(p->edges, at, 0), word);
    int end = len + write_float(&p->imaginary, part_of(p->edges, at, 1), word + len), last = end;
    while (last > len && word[last - 1] == ' ')
        last--;
    memmove(word + last + 1, word + last, (size_t)(end - last));
    word[last] = 'j';
    return end + 1;
}

static int write_word(const printer *p, int64_t at, char *word)
{
    const array_edges *e = p->edges;
    if (e->dtype == RASK_DT_BOOL)
        return sprintf(word, ((const uint8_t *)e->data)[at] ? " True" : "False");
    if (is_complex(e))
        return write_complex(p, at, word);
    if (is_float(e))
        return write_float(&p->real, part_of(e, at, 0), word);
    return write_integer(e, at, p->width, word);
}

/* --- lines */

static void end_line(printer *p)
{
    while (p->used && p->line[p->used - 1] == ' ')
        p->used--;
    fprintf(p->out, "%.*s\n", p->used, p->line);
    p->used = 0;
}

/* A word, on the next line when this one has no room; but the first of a line stays. */
static void add_word(printer *p, const char *word, int len, int width, int indent)
{
    if (p->used + len > width && p->used > indent) {
        end_line(p);
        memset(p->line, ' ', (size_t)indent);
        p->used = indent;
    }
    memcpy(p->line + p->used, word, (size_t)len);
    p->used += len;
}

static bool is_cut(const array_edges *e, uint32_t axis)
{
    return e->kept[axis] < e->shape[axis];
}

/* The brackets are in the line that they open; the indent of a row is what stands before its first element. */
static void print_row(printer *p, int64_t at, int indent)
{
    const array_edges *e = p->edges;
    uint32_t axis = e->ndim - 1;
    int width = LINE - (int)e->ndim; /* room for the brackets that may follow */
    char word[WORD];
    for (int64_t i = 0; i < e->kept[axis]; i++) {
        if (is_cut(e, axis) && i == ARRAY_TEXT_EDGE) {
            add_word(p, "...", 3, width, indent);
            p->line[p->used++] = ' ';
        }
        int len = write_word(p, at + i, word);
        add_word(p, word, len, width, indent);
        if (i < e->kept[axis] - 1)
            p->line[p->used++] = ' ';
    }
}

static void indent_to(printer *p, int indent)
{
    memset(p->line, ' ', (size_t)indent);
    p->used = indent;
}

/* at: of the first element; stride: elements per step of this axis. */
/* NOLINTNEXTLINE(misc-no-recursion): bounded by RASK_MAX_DIMENSIONS */
static void print_axis(printer *p, uint32_t axis, int64_t at, int64_t stride)
{
    const array_edges *e = p->edges;
    p->line[p->used++] = '[';
    if (axis == e->ndim - 1) {
        print_row(p, at, (int)axis + 1);
        p->line[p->used++] = ']';
        return;
    }
    for (int64_t i = 0; i < e->kept[axis]; i++) {
        if (is_cut(e, axis) && i == ARRAY_TEXT_EDGE) {
            indent_to(p, (int)axis + 1);
            add_word(p, "...", 3, LINE, 0);
        }
        if (is_cut(e, axis) && i == ARRAY_TEXT_EDGE)
            for (uint32_t lines = axis + 1; lines < e->ndim; lines++)
                end_line(p);
        if (i)
            indent_to(p, (int)axis + 1);
        print_axis(p, axis + 1, at + i * stride, stride / e->kept[axis + 1]);
        for (uint32_t lines = axis + 1; i < e->kept[axis] - 1 && lines < e->ndim; lines++)
            end_line(p);
    }
    p->line[p->used++] = ']';
}

static int integer_width(const array_edges *e)
{
    char word[WORD];
    int width = 0;
    for (int64_t i = count_of(e); i-- > 0;)
        width = most(width, write_integer(e, i, 0, word));
    return width;
}

static void print_scalar(FILE *out, const array_edges *e)
{
    char text[NUMBER_COMPLEX], word[WORD];
    if (e->dtype == RASK_DT_BOOL)
        fprintf(out, "%s\n", *(const uint8_t *)e->data ? "True" : "False");
    else if (is_complex(e))
        fprintf(out, "%s\n", number_complex_text(part_of(e, 0, 0), part_of(e, 0, 1), is_single(e), text));
    else if (is_float(e))
        fprintf(out, "%s\n", number_text(part_of(e, 0, 0), is_single(e), text));
    else
        fprintf(out, "%.*s\n", write_integer(e, 0, 0, word), word);
}

void array_text_print(FILE *out, const array_edges *e)
{
    printer p = {.out = out, .edges = e};
    int64_t count = count_of(e);
    if (e->ndim == 0) {
        print_scalar(out, e);
        return;
    }
    if (count == 0) {
        fputs("[]\n", out);
        return;
    }
    if (is_float(e) || is_complex(e))
        p.real = choose_format(e, 0);
    if (is_complex(e))
        p.imaginary = choose_format(e, 1);
    else if (!is_float(e) && e->dtype != RASK_DT_BOOL)
        p.width = integer_width(e);
    print_axis(&p, 0, 0, count / e->kept[0]);
    fprintf(out, "%.*s\n", p.used, p.line);
}

/* --- JSON */

static void json_float(FILE *out, double value, bool single)
{
    char text[NUMBER_TEXT];
    fprintf(out, isfinite(value) ? "%s" : "\"%s\"", number_text(value, single, text));
}

static void json_element(FILE *out, const array_edges *e, int64_t at)
{
    char word[WORD];
    if (e->dtype == RASK_DT_BOOL) {
        fputs(((const uint8_t *)e->data)[at] ? "true" : "false", out);
    } else if (is_complex(e)) {
        fputc('[', out);
        json_float(out, part_of(e, at, 0), is_single(e));
        fputc(',', out);
        json_float(out, part_of(e, at, 1), is_single(e));
        fputc(']', out);
    } else if (is_float(e)) {
        json_float(out, part_of(e, at, 0), is_single(e));
    } else {
        fprintf(out, "%.*s", write_integer(e, at, 0, word), word);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by RASK_MAX_DIMENSIONS */
static void json_axis(FILE *out, const array_edges *e, uint32_t axis, int64_t at, int64_t stride)
{
    if (axis == e->ndim) {
        json_element(out, e, at);
        return;
    }
    fputc('[', out);
    for (int64_t i = 0; i < e->kept[axis]; i++) {
        if (i)
            fputc(',', out);
        int64_t inner = axis + 1 < e->ndim && e->kept[axis + 1] ? stride / e->kept[axis + 1] : 1;
        json_axis(out, e, axis + 1, at + i * stride, inner);
    }
    fputc(']', out);
}

void array_text_json(FILE *out, const array_edges *e)
{
    static const char *const names[RASK_DT_COUNT] = {"bool",    "int8",      "int16",     "int32",  "int64",
                                                     "uint8",   "uint16",    "uint32",    "uint64", "float32",
                                                     "float64", "complex64", "complex128"};
    fprintf(out, "{\"dtype\":\"%s\",\"shape\":[", names[e->dtype]);
    for (uint32_t i = 0; i < e->ndim; i++)
        fprintf(out, "%s%" PRId64, i ? "," : "", e->shape[i]);
    fputs("],\"data\":", out);
    int64_t count = count_of(e);
    json_axis(out, e, 0, 0, e->ndim && e->kept[0] ? count / e->kept[0] : 1);
    fputs("}\n", out);
}
