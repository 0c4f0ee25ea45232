/* rask/text.h: lines and words of text files of any size: searched, counted, sampled, written.
 *
 * A rask_text says which lines of which files are meant. Files are read when a node made of it is computed: in parallel,
 * in blocks, within the memory budget; compressed ones (gzip, zstd, xz, bzip2) as what they contain. A line ends with \n,
 * or with \r\n, neither of which belongs to it; the last one of a file may end without. A word is a run of bytes that are
 * not ASCII white space. Bytes need not be UTF-8.
 *
 * Texts belong to their graph. Builders take NULL texts and return NULL; their errors are latched in the graph. Results
 * are the same bytes on every scheduler, with any number of workers and blocks of any size. */
#ifndef RASK_TEXT_H
#define RASK_TEXT_H

#include <rask/graph.h>
#include <rask/options.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rask_text rask_text;

typedef struct rask_text_options {
    size_t size; /* sizeof(rask_text_options), set by RASK_TEXT_OPTIONS_INIT */
    const char
        *pattern; /* only lines with a match: a regular expression as PCRE2 has them; NULL: all lines */
    bool fixed;   /* pattern is text, not a regular expression */
    bool ignore_case;
    bool inverted;        /* only lines without a match */
    uint64_t block_bytes; /* of a file that one task reads; 0: chosen by size, workers and memory */
    uint32_t workers;     /* what the graph will be computed with; 0: as in rask_options */
    uint64_t memory;
    const char *scratch; /* folder for what is found and cannot be written yet; NULL: as in rask_options */
    uint64_t seed; /* of what is drawn at random, hashes among it; 0: of hashes, one that nobody can guess */
    const char *scheduler;  /* that the graph will be computed with; NULL: as in rask_options */
    const char *checkpoint; /* the same: its parts are cut so that a later run finds them */
} rask_text_options;

#ifdef __cplusplus
static inline rask_text_options rask_text_options_init()
{
    rask_text_options options = rask_text_options();
    options.size = sizeof options;
    return options;
}
#    define RASK_TEXT_OPTIONS_INIT rask_text_options_init()
#else
#    define RASK_TEXT_OPTIONS_INIT ((rask_text_options){.size = sizeof(rask_text_options)})
#endif

/* The lines of one or more files, in order: paths, patterns as of glob(7), folders, "-" for standard input. options may be
 * NULL. RASK_ENOENT, RASK_EIO: with the path; RASK_EINVAL: options; RASK_EFORMAT: the pattern, with the byte of it;
 * RASK_EUNSUPPORTED: what regular expressions need is not installed. */
RASK_API rask_text *rask_text_open_at(rask_graph *graph, const char *const *paths, size_t count,
                                      const rask_text_options *options, const char *file, int line);
#define rask_text_open(graph, paths, count, options)                                                         \
    rask_text_open_at(graph, paths, count, options, __FILE__, __LINE__)

typedef enum rask_text_unit {
    RASK_TEXT_LINES,
    RASK_TEXT_WORDS,
    RASK_TEXT_BYTES, /* with those that end lines */
    RASK_TEXT_MATCHES, /* of the pattern, one behind the other; of no pattern and of an inverted one: RASK_EINVAL */
} rask_text_unit;

/* How many there are in the lines: an i64. */
RASK_API rask_node *rask_text_count_at(rask_text *text, rask_text_unit unit, const char *file, int line);

/* The k most frequent of them (not RASK_TEXT_BYTES: RASK_EINVAL), UINT64_MAX: all: a list of bytes, i64 count, bytes, …:
 * the most frequent first, those that are as frequent by their bytes. */
RASK_API rask_node *rask_text_frequencies_at(rask_text *text, rask_text_unit unit, uint64_t k,
                                             const char *file, int line);

/* lines of them, or all there are, in order: a list of bytes. Each set of so many lines is as likely as another; which one
 * it is depends on the seed, and on where the lines are in their files. */
RASK_API rask_node *rask_text_sample_at(rask_text *text, uint64_t lines, const char *file, int line);

/* Writes the first lines of them, in order, each as it is in its file but for the last of a file, which gets a \n if it has
 * none. path: a file, there when all is well, and not before; "-": standard output, as soon as may be. RASK_EUNSUPPORTED: the
 * path's ending says that it is compressed, which it would not be. The value is how many lines were written, an i64. The node
 * does its work once. */
RASK_API rask_node *rask_text_write_at(rask_text *text, const char *path, uint64_t lines, const char *file,
                                       int line);

#define rask_text_count(text, unit)          rask_text_count_at(text, unit, __FILE__, __LINE__)
#define rask_text_frequencies(text, unit, k) rask_text_frequencies_at(text, unit, k, __FILE__, __LINE__)
#define rask_text_sample(text, lines)        rask_text_sample_at(text, lines, __FILE__, __LINE__)
#define rask_text_write(text, path, lines)   rask_text_write_at(text, path, lines, __FILE__, __LINE__)

#ifdef __cplusplus
}
#endif

#endif
