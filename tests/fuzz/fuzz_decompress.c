/* Any bytes as a text file, compressed or not: it is cut and read to its end or refused with a reason; its parts give what
 * the whole gives. */
#undef NDEBUG /* what is asserted here is what is tested, in builds for speed, too */
#include "collections/text/lines.h"
#include "collections/text/split.h"
#include "memory_file.h"

#include <unistd.h>

enum { MOST = 4 << 20 }; /* bytes read of what expands */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A simple sum of what comes, which does not depend on how it comes in pieces. */
typedef struct sum {
    uint64_t bytes, value;
} sum;

static int read_part(const rk_text_file *file, uint64_t begin, uint64_t end, sum *s)
{
    rk_text_options options = {.block = 100, .longest = MOST};
    rk_text_error error = {0};
    rk_text_lines *lines;
    const char *text;
    size_t len = 1;
    int status = rk_text_lines_new(file, begin, end, &options, &lines, &error);
    assert(status == RASK_OK);
    while (!status && len > 0 && s->bytes < MOST) {
        status = rk_text_lines_next(lines, &text, &len, &error);
        assert(!status ||
               (status == error.status && strncmp(error.message, file->path, strlen(file->path)) == 0));
        s->bytes += status ? 0 : len;
        for (size_t i = 0; !status && i < len; i++)
            s->value = s->value * 31 + (uint8_t)text[i];
    }
    rk_text_lines_free(lines);
    return status;
}

static void check_file(const rk_text_file *file)
{
    rk_text_cuts cuts;
    rk_text_error error = {0};
    sum whole = {0}, parts = {0};
    int status = read_part(file, file->start, UINT64_MAX, &whole);
    assert(rk_text_split(file, 64, &cuts, &error) == RASK_OK && cuts.at[cuts.parts] == file->size);
    int part_status = RASK_OK;
    for (size_t i = 0; i < cuts.parts && !part_status && parts.bytes < MOST; i++)
        part_status = read_part(file, cuts.at[i], cuts.at[i + 1], &parts);
    if (!status && !part_status && whole.bytes < MOST)
        assert(whole.bytes == parts.bytes && whole.value == parts.value);
    rk_text_cuts_fini(&cuts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memory_file f = memory_file_new(data, size);
    const char *name = f.path;
    rk_text_files files;
    rk_text_error error = {0};
    int status = rk_text_files_init(&files, &name, 1, &error);
    assert(status == RASK_OK);
    check_file(files.files);
    rk_text_files_fini(&files);
    close(f.fd);
    return 0;
}
