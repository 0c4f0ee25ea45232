/* Any bytes as CSV: what is read in one go is what is read in pieces, whole or wrong in the same way, and counting and
 * inferring bear them. With replay.c a test over the corpus; with clang's -fsanitize=fuzzer,address a fuzzer. */
#include "collections/table/csv/csv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct result {
    uint64_t rows, nulls, lines, line;
    int status;
} result;

static char *padded(const char *text, size_t len)
{
    char *copy = malloc(len + RK_CSV_PADDING);
    if (!copy)
        abort();
    memcpy(copy, text, len);
    memset(copy + len, '"', RK_CSV_PADDING);
    return copy;
}

static void count_batch(result *r, const rk_batch *b)
{
    r->rows += b->rows;
    for (uint32_t c = 0; c < b->count; c++)
        for (uint32_t i = 0; i < b->rows; i++)
            r->nulls += !rk_column_has(&b->columns[c], i);
}

static result scan(const rk_csv_format *f, const rk_csv_schema *schema, const char *text, size_t len,
                   size_t cut)
{
    static const uint32_t wanted[] = {0, 1, 2};
    uint32_t count = schema->count < 3 ? schema->count : 3;
    result r = {0};
    rk_csv_scanner s;
    rk_csv_error error = {0};
    rk_batch b;
    if (rk_csv_scanner_init(&s, f, schema, wanted, count, len % 2 ? RK_CSV_FAIL : RK_CSV_NULL) ||
        rk_batch_init(&b, schema->types, count))
        abort();
    for (size_t at = 0, end = 0, used = 1; !r.status && (end < len || used);) {
        if (!used)
            end = len - end < cut ? len : end + cut;
        char *copy = padded(text + at, end - at);
        r.status = rk_csv_scan(&s, copy, end - at, end == len, &b, &used, &error);
        if (!r.status)
            count_batch(&r, &b);
        at += used;
        free(copy);
    }
    r.lines = r.status ? 0 : rk_csv_lines(&s);
    r.line = error.line;
    if (r.status)
        r.rows = r.nulls = 0;
    rk_csv_scanner_fini(&s);
    rk_batch_fini(&b);
    return r;
}

static void check(const rk_csv_format *f, const char *text, size_t len)
{
    char *copy = padded(text, len);
    rask_bytes sample = {copy, len};
    rk_csv_schema schema;
    rk_csv_error error;
    if (!rk_csv_infer(f, &sample, 1, true, &schema, &error)) {
        result whole = scan(f, &schema, text, len, len + 1),
               pieces = scan(f, &schema, text, len, 1 + len % 13);
        if (memcmp(&whole, &pieces, sizeof whole) || rk_csv_resume(f, &schema, copy, len) > len)
            abort();
        rk_csv_schema_fini(&schema);
    } else if (!*error.message || !error.status) {
        abort();
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const nulls[] = {"NA", "0"};
    rk_csv_format f = {.delimiter = ',', .quote = '"'};
    check(&f, (const char *)data, size);
    f = (rk_csv_format){
        .delimiter = ',', .quote = '"', .comment = '#', .header = true, .nulls = nulls, .null_count = 2};
    check(&f, (const char *)data, size);
    f.quote = 0;
    check(&f, (const char *)data, size);
    return 0;
}
