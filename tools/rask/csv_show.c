#include "csv_show.h"

#include "number_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

enum { WIDEST = 60 }; /* of a column */

/* Columns of a terminal that text takes: one for each character, near enough. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += (*text & 0xc0) != 0x80;
    return width;
}

static void format_date(int64_t days, char *text, size_t capacity)
{
    time_t seconds = (time_t)days * 86400;
    struct tm tm;
    if (!gmtime_r(&seconds, &tm) || !strftime(text, capacity, "%Y-%m-%d", &tm))
        snprintf(text, capacity, "%lld", (long long)days);
}

static void format_timestamp(int64_t microseconds, char *text, size_t capacity)
{
    int64_t second = microseconds / 1000000 - (microseconds % 1000000 < 0),
            rest = microseconds - second * 1000000;
    time_t seconds = (time_t)second;
    struct tm tm;
    size_t len = gmtime_r(&seconds, &tm) ? strftime(text, capacity, "%Y-%m-%d %H:%M:%S", &tm) : 0;
    if (!len)
        snprintf(text, capacity, "%lld", (long long)microseconds);
    else if (rest)
        snprintf(text + len, capacity - len, ".%06lld", (long long)rest);
}

/* Bytes that a terminal would take for more than text are dots. */
static void format_text(const rask_column *c, uint64_t row, char *text, size_t capacity)
{
    size_t len = c->as.offsets[row + 1] - c->as.offsets[row], used = 0;
    const char *from = c->bytes + c->as.offsets[row];
    for (; used < len && used + 4 < capacity; used++)
        text[used] = (unsigned char)from[used] < ' ' || from[used] == 0x7f ? '.' : from[used];
    while (used < len && used > 0 && (text[used - 1] & 0xc0) == 0x80)
        used--;
    strcpy(text + used, used < len ? "…" : "");
}

enum { CELL = 256 };

static void format_cell(const rask_column *c, uint64_t row, char text[CELL])
{
    char number[NUMBER_TEXT];
    *text = 0;
    if (c->valid && !c->valid[row])
        return;
    switch (c->type) {
    case RASK_COL_BOOL: strcpy(text, c->as.boolean[row] ? "true" : "false"); break;
    case RASK_COL_I64: snprintf(text, CELL, "%lld", (long long)c->as.i64[row]); break;
    case RASK_COL_F64: snprintf(text, CELL, "%s", number_text(c->as.f64[row], false, number)); break;
    case RASK_COL_DATE: format_date(c->as.i64[row], text, CELL); break;
    case RASK_COL_TIMESTAMP: format_timestamp(c->as.i64[row], text, CELL); break;
    default: format_text(c, row, text, WIDEST + 4); break;
    }
}

static void print_padded(const char *text, size_t width, bool right, bool last)
{
    size_t own = width_of(text), pad = own < width ? width - own : 0;
    if (right)
        printf("%*s%s", (int)pad, "", text);
    else
        printf("%s%*s", text, last ? 0 : (int)pad, "");
    fputs(last ? "\n" : "  ", stdout);
}

static bool is_number(rask_column_type type)
{
    return type == RASK_COL_I64 || type == RASK_COL_F64;
}

bool csv_show_rows(const rask_rows *rows, uint64_t most)
{
    uint32_t count = rask_rows_columns(rows);
    uint64_t shown = rask_rows_count(rows) < most ? rask_rows_count(rows) : most;
    rask_column *columns = calloc(count + 1, sizeof *columns);
    size_t *widths = calloc(count + 1, sizeof *widths);
    char cell[CELL];
    bool good = columns && widths;
    for (uint32_t i = 0; good && i < count; i++)
        good = rask_rows_column(rows, i, &columns[i]) == RASK_OK;
    for (uint32_t i = 0; good && i < count; i++) {
        widths[i] = width_of(columns[i].name);
        for (uint64_t row = 0; row < shown; row++) {
            format_cell(&columns[i], row, cell);
            widths[i] = width_of(cell) > widths[i] ? width_of(cell) : widths[i];
        }
    }
    for (uint32_t i = 0; good && i < count; i++)
        print_padded(columns[i].name, widths[i], is_number(columns[i].type), i + 1 == count);
    for (uint64_t row = 0; good && row < shown; row++)
        for (uint32_t i = 0; i < count; i++) {
            format_cell(&columns[i], row, cell);
            print_padded(cell, widths[i], is_number(columns[i].type), i + 1 == count);
        }
    if (good && shown < rask_rows_count(rows))
        printf("… the first %llu rows; all of them go to a pipe, or to a file with -o\n",
               (unsigned long long)shown);
    free(columns);
    free(widths);
    return good;
}

static void print_json_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        if ((unsigned char)*text < ' ')
            printf("\\u%04x", *text);
        else
            putchar(*text);
    }
    putchar('"');
}

void csv_show_schema(const rask_table *table, bool json)
{
    uint32_t count = rask_table_columns(table);
    size_t width = 0;
    for (uint32_t i = 0; i < count; i++)
        width = width_of(rask_table_name(table, i)) > width ? width_of(rask_table_name(table, i)) : width;
    for (uint32_t i = 0; i < count; i++) {
        const char *type = rask_column_type_name(rask_table_type(table, i));
        if (!json) {
            print_padded(rask_table_name(table, i), width, false, false);
            puts(type);
            continue;
        }
        fputs("{\"name\":", stdout);
        print_json_text(rask_table_name(table, i));
        printf(",\"type\":\"%s\"}\n", type);
    }
}
