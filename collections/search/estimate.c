#include "collections/search/estimate.h"

#include "collections/counts/counter.h"
#include "core/base/alloc.h"

#include <math.h>

enum {
    PLACES = 16,
    LEAST_SAMPLE = 32 << 10, /* bytes at each place */
    MOST_SAMPLE = 256 << 10,
    FRACTION = 256, /* of the text, if that is between */
};

typedef struct sampling {
    const rask_text *text;
    rask_text_unit unit;
    rk_counter counter;
    uint64_t sample;             /* bytes at each place */
    double bytes, earlier_bytes; /* looked at, and when that was half as much */
    double earlier_strings;
    uint32_t places;
} sampling;

static int count(sampling *s, const char *text, size_t len)
{
    return s->unit == RASK_TEXT_WORDS ? rk_counter_words(&s->counter, text, len)
                                      : rk_counter_lines(&s->counter, text, len);
}

/* Counts some of a file from a place on. Whether that went well. */
static bool look_at(sampling *s, const rk_text_file *file, uint64_t begin)
{
    rk_text_options options = {.block = s->sample, .words = s->unit == RASK_TEXT_WORDS};
    rk_text_lines *lines;
    rk_text_error error;
    uint64_t end =
        file->compression == RK_PLAIN && file->size - begin > s->sample ? begin + s->sample : UINT64_MAX;
    if (rk_text_lines_new(file, begin, end, &options, &lines, &error))
        return false;
    const char *text;
    size_t len = 1;
    double before = s->bytes;
    bool good = true;
    while (good && len && s->bytes - before < (double)s->sample) {
        good = !rk_text_lines_next(lines, &text, &len, &error) && !count(s, text, len);
        s->bytes += good ? (double)len : 0;
    }
    rk_text_lines_free(lines);
    if (++s->places == PLACES / 2) {
        s->earlier_bytes = s->bytes;
        s->earlier_strings = (double)s->counter.used;
    }
    return good;
}

/* Places that lie evenly over all files together; of compressed files their beginnings. */
static void look_everywhere(sampling *s)
{
    const rk_text_files *files = &s->text->files;
    uint64_t total = 0, at = 0;
    bool good = true;
    for (size_t i = 0; i < files->count; i++)
        total += rk_text_file_weight(&files->files[i]);
    uint64_t step = total / PLACES + 1, next = step / 2;
    s->sample = total / FRACTION / PLACES;
    s->sample = s->sample < LEAST_SAMPLE ? LEAST_SAMPLE : s->sample > MOST_SAMPLE ? MOST_SAMPLE : s->sample;
    for (size_t i = 0; i < files->count && good; i++) {
        const rk_text_file *file = &files->files[i];
        uint64_t weight = rk_text_file_weight(file);
        bool plain = file->compression == RK_PLAIN;
        for (; good && weight && next < at + weight; next += step) {
            good = look_at(s, file, file->start + (plain ? next - at : 0));
            if (!plain)
                next += at + weight > next ? (at + weight - next) / step * step : 0;
        }
        at += weight;
    }
}

rk_estimate rk_estimate_strings(const rask_text *text, rask_text_unit unit)
{
    rk_estimate estimate = {0};
    sampling s = {.text = text, .unit = unit};
    if (rk_counter_init(&s.counter, text->hash_seed, 0) == RASK_OK) {
        look_everywhere(&s);
        double strings = (double)s.counter.used;
        estimate = (rk_estimate){.sample = s.bytes, .strings = strings, .growth = 1};
        if (strings > 0)
            estimate.arena = (double)s.counter.arena.used / strings;
        if (s.bytes > s.earlier_bytes && s.earlier_strings > 0)
            estimate.growth = fmin(1, log(strings / s.earlier_strings) / log(s.bytes / s.earlier_bytes));
    }
    rk_counter_fini(&s.counter);
    return estimate;
}

static double strings_in(const rk_estimate *e, double bytes)
{
    return e->sample > 0 ? e->strings * (bytes > e->sample ? pow(bytes / e->sample, e->growth) : 1) : 0;
}

double rk_estimate_table(const rk_estimate *estimate, double bytes)
{
    return strings_in(estimate, bytes) * ((double)sizeof(rk_counts_entry) + estimate->arena);
}

/* Slots are up to 3.2 times as many as strings, and half as many more stand beside them while they grow; so does the
 * arena. */
double rk_estimate_counter(const rk_estimate *estimate, double bytes)
{
    return strings_in(estimate, bytes) * (4.8 * (double)sizeof(rk_counts_entry) + 2 * estimate->arena);
}
