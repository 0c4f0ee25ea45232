#include "text_show.h"

#include "say.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

rask_text_options text_reading(const common_options *o)
{
    rask_text_options options = RASK_TEXT_OPTIONS_INIT;
    options.block_bytes = o->block_size;
    options.workers = (uint32_t)o->workers;
    options.memory = o->memory;
    options.scratch = o->scratch;
    options.checkpoint = o->checkpoint;
    options.seed = o->seed;
    options.scheduler = o->scheduler;
    return options;
}

void text_show_frequencies(const rask_value *list)
{
    const rask_value *items;
    size_t count;
    if (rask_value_get_list(list, &items, &count) != RASK_OK)
        return;
    for (size_t i = 0; i + 1 < count && !ferror(stdout); i += 2) {
        rask_bytes word = {0};
        int64_t number = 0;
        rask_value_get_bytes(&items[i], &word);
        rask_value_get_i64(&items[i + 1], &number);
        printf("%" PRId64 "\t", number);
        fwrite(word.data, 1, word.len, stdout);
        putchar('\n');
    }
}

/* Length of the UTF-8 sequence that text begins with, 0 when it is none, or is NUL. Shortest forms only, no
 * halves of surrogate pairs, nothing above U+10FFFF. */
static size_t utf8_len(const unsigned char *text, size_t len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = text[0];
    if (first < 0x80)
        return first != 0;
    size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || size > len)
        return 0;
    uint32_t point = first & (0xff >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (text[i] & 0x3f);
    }
    bool legal = point >= least[size] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
    return legal ? size : 0;
}

/* The bytes with U+FFFD for every byte that JSON cannot hold; *whole is false when there was one. malloc's. */
static char *as_utf8(rask_bytes bytes, bool *whole)
{
    static const char replacement[] = "\xef\xbf\xbd";
    char *text = malloc(3 * bytes.len + 1);
    size_t used = 0;
    *whole = true;
    for (size_t i = 0; text && i < bytes.len;) {
        size_t len = utf8_len((const unsigned char *)bytes.data + i, bytes.len - i);
        memcpy(text + used, len ? bytes.data + i : replacement, len ? len : 3);
        used += len ? len : 3;
        i += len ? len : 1;
        *whole = *whole && len;
    }
    if (text)
        text[used] = 0;
    return text;
}

static char *as_base64(rask_bytes bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = malloc((bytes.len + 2) / 3 * 4 + 1), *out = text;
    if (!text)
        return NULL;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        unsigned char three[3] = {0};
        memcpy(three, bytes.data + i, left < 3 ? left : 3);
        *out++ = digits[three[0] >> 2];
        *out++ = digits[(three[0] & 3) << 4 | three[1] >> 4];
        *out++ = left > 1 ? digits[(three[1] & 15) << 2 | three[2] >> 6] : '=';
        *out++ = left > 2 ? digits[three[2] & 63] : '=';
    }
    *out = 0;
    return text;
}

static bool add_bytes(cJSON *object, const char *name, rask_bytes bytes)
{
    bool whole;
    char *text = as_utf8(bytes, &whole);
    char *all = whole ? NULL : as_base64(bytes);
    bool good = text && cJSON_AddStringToObject(object, name, text);
    if (!whole)
        good = good && all && cJSON_AddStringToObject(object, "bytes", all);
    free(text);
    free(all);
    return good;
}

/* count: NULL where there is none. */
static bool add_item(cJSON *array, const char *name, const rask_value *item, const rask_value *count)
{
    rask_bytes bytes = {0};
    int64_t number = 0;
    cJSON *object = cJSON_CreateObject();
    rask_value_get_bytes(item, &bytes);
    bool good = object && add_bytes(object, name, bytes);
    if (count)
        good = good && rask_value_get_i64(count, &number) == RASK_OK &&
               cJSON_AddNumberToObject(object, "count", (double)number);
    if (good)
        cJSON_AddItemToArray(array, object);
    else
        cJSON_Delete(object);
    return good;
}

static int show_json(const rask_value *list, const char *name, const char *item, size_t step)
{
    const rask_value *items = NULL;
    size_t count = 0;
    cJSON *root = cJSON_CreateObject();
    cJSON *array = cJSON_AddArrayToObject(root, name);
    bool good = array && rask_value_get_list(list, &items, &count) == RASK_OK;
    for (size_t i = 0; good && i + step <= count; i += step)
        good = add_item(array, item, &items[i], step > 1 ? &items[i + 1] : NULL);
    char *text = good ? cJSON_PrintUnformatted(root) : NULL;
    cJSON_Delete(root);
    if (!text)
        return RASK_ENOMEM;
    puts(text);
    cJSON_free(text);
    return RASK_OK;
}

int text_show_frequencies_json(const rask_value *list, const char *name, const char *item)
{
    return show_json(list, name, item, 2);
}

void text_show_lines(const rask_value *list)
{
    const rask_value *items;
    size_t count;
    if (rask_value_get_list(list, &items, &count) != RASK_OK)
        return;
    for (size_t i = 0; i < count && !ferror(stdout); i++) {
        rask_bytes line = {0};
        rask_value_get_bytes(&items[i], &line);
        fwrite(line.data, 1, line.len, stdout);
        putchar('\n');
    }
}

int text_show_lines_json(const rask_value *list)
{
    return show_json(list, "lines", "line", 1);
}

void text_say_failure(const char *command, const rask_graph *graph)
{
    const char *message = graph ? rask_graph_error(graph) : rask_status_text(RASK_ENOMEM);
    say_error(command, "%s", say_without_call(message));
}
