/* The heat equation on a plate that is larger than the memory it may use, and a picture of how warm it is in the end.
 * Shows: functions over chunks and their neighbours' edges, files into files in passes, a reshape that costs nothing.
 *
 * heat [picture.png]: the picture is kept where this says. */
#include <math.h>
#include <rask/rask.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SIZE = 1536,   /* the plate: 18 MiB */
    BUDGET = 8,    /* MiB */
    PASSES = 24,   /* from file to file, */
    STEPS = 8,     /* and in each so many steps in time, chunk by chunk */
    PICTURE = 512, /* pixels */
};

/* A disc that is kept hot and a bar that is kept cold; everywhere else the temperature is what comes of it. */
static double held(int y, int x, double temperature)
{
    int dy = y - SIZE / 2, dx = x - SIZE * 3 / 10;
    bool hot = dy * dy + dx * dx < SIZE / 10 * (SIZE / 10);
    bool cold = (x > SIZE * 11 / 20) & (x < SIZE * 12 / 20) & (y > SIZE / 8);
    return hot ? 100 : cold ? 0 : temperature;
}

/* Stripes that become finer: fine ones will be gone first. */
static double stripes(int x)
{
    return x * x / (SIZE * 24) % 2 ? 40 : 10;
}

/* The plate at first, from the row and column that start says. */
static int at_first(void *context, const int64_t *start, const int64_t *count, void *data, char *message,
                    size_t capacity)
{
    double *to = data;
    (void)context, (void)message, (void)capacity;
    for (int64_t i = 0; i < count[0]; i++)
        for (int64_t j = 0; j < count[1]; j++)
            *to++ = held((int)(start[0] + i), (int)(start[1] + j), stripes((int)(start[1] + j)));
    return 0;
}

/* One step: each element moves towards the mean of its four neighbours. A chunk comes with one row and column of its
 * surroundings at each side. */
static int step(void *context, const rask_chunk *chunk, const rask_block *in, uint32_t count,
                const rask_block *out, char *message, size_t capacity)
{
    int rows = (int)out->shape[0], columns = (int)out->shape[1], width = columns + 2;
    int y = (int)chunk->start[0], x = (int)chunk->start[1];
    (void)context, (void)count, (void)message, (void)capacity;
    for (int i = 0; i < rows; i++) {
        const double *here = (const double *)in->data + (i + 1) * width + 1;
        double *to = (double *)out->data + i * columns;
        for (int j = 0; j < columns; j++) {
            double around = here[j - width] + here[j + width] + here[j - 1] + here[j + 1];
            to[j] = held(y + i, x + j, here[j] + 0.2 * (around - 4 * here[j]));
        }
    }
    return 0;
}

/* Some steps, from one file to another: what lies between is never whole anywhere. */
static int pass(const char *from, const char *to, const rask_options *o)
{
    const int64_t depth[2] = {1, 1};
    rask_graph *g = rask_graph_new();
    rask_array *plate = rask_array_open(g, from, NULL);
    for (int i = 0; i < STEPS;
         i++) /* no heat leaves over the edges: around the plate it is as warm as there */
        plate = rask_array_map_overlap(plate, depth, RASK_BOUNDARY_NEAREST, 0, step, NULL, RASK_DT_F64);
    int st = rask_array_write(plate, to, o);
    if (st)
        fprintf(stderr, "heat: %s\n", rask_graph_error(g));
    rask_graph_free(g);
    return st;
}

static int first_file(const char *path, const rask_options *o)
{
    const int64_t shape[2] = {SIZE, SIZE};
    rask_graph *g = rask_graph_new();
    rask_array *plate = rask_array_from_callback(g, at_first, NULL, RASK_DT_F64, 2, shape, NULL);
    int st = rask_array_write(plate, path, o);
    if (st)
        fprintf(stderr, "heat: %s\n", rask_graph_error(g));
    rask_graph_free(g);
    return st;
}

/* -- The picture: a PNG (ISO/IEC 15948) of 8-bit pixels with a palette, not compressed */

static uint32_t crc_of(const uint8_t *data, size_t size, uint32_t crc)
{
    while (size--) {
        crc ^= *data++;
        for (int i = 0; i < 8; i++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return crc;
}

static void put_32(uint8_t *to, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(number >> (24 - 8 * i));
}

/* A part of the file: its length, type and data, and a checksum of the latter two. */
static void write_part(FILE *f, const char *type, const uint8_t *data, size_t size)
{
    uint8_t length[4], sum[4];
    put_32(length, (uint32_t)size);
    put_32(sum, ~crc_of(data, size, crc_of((const uint8_t *)type, 4, ~0u)));
    fwrite(length, 1, 4, f);
    fwrite(type, 1, 4, f);
    if (size)
        fwrite(data, 1, size, f);
    fwrite(sum, 1, 4, f);
}

/* A zlib stream (RFC 1950) of blocks that are stored as they are (RFC 1951), one for each row: a filter byte and its
 * pixels. */
static size_t store_rows(const double *warm, uint8_t *to)
{
    uint8_t *start = to;
    uint32_t a = 1, b = 0; /* Adler-32 */
    *to++ = 0x78;
    *to++ = 0x01;
    for (int i = 0; i < PICTURE; i++) {
        uint32_t length = PICTURE + 1;
        const uint8_t head[] = {i == PICTURE - 1, length & 255, (uint8_t)(length >> 8), ~length & 255,
                                (uint8_t)(~length >> 8)};
        for (int k = 0; k < 5; k++)
            *to++ = head[k];
        for (int j = -1; j < PICTURE; j++) {
            *to = j < 0 ? 0 : (uint8_t)lround(fmin(fmax(*warm++, 0), 100) * 2.55);
            a = (a + *to++) % 65521;
            b = (b + a) % 65521;
        }
    }
    put_32(to, b << 16 | a);
    return (size_t)(to + 4 - start);
}

static int write_picture(const char *path, const double *warm)
{
    uint8_t head[13] = {[8] = 8, [9] = 3}, palette[256][3];
    uint8_t *rows = malloc((size_t)PICTURE * (PICTURE + 6) + 6);
    FILE *f = rows ? fopen(path, "wb") : NULL;
    if (f) {
        put_32(head, PICTURE);
        put_32(head + 4, PICTURE);
        for (int i = 0; i < 256; i++) { /* black, red, yellow, white */
            palette[i][0] = (uint8_t)(i < 96 ? i * 255 / 96 : 255);
            palette[i][1] = (uint8_t)(i < 96 ? 0 : i < 192 ? (i - 96) * 255 / 96 : 255);
            palette[i][2] = (uint8_t)(i < 192 ? 0 : (i - 192) * 255 / 63);
        }
        fwrite("\x89PNG\r\n\x1a\n", 1, 8, f);
        write_part(f, "IHDR", head, sizeof head);
        write_part(f, "PLTE", palette[0], sizeof palette);
        write_part(f, "IDAT", rows, store_rows(warm, rows));
        write_part(f, "IEND", NULL, 0);
    }
    free(rows);
    return f && !ferror(f) && !fclose(f) ? 0 : 1;
}

/* Each pixel is the mean of a square of the plate. */
static int take_picture(const char *plate, const char *path, const rask_options *o)
{
    enum { SQUARE = SIZE / PICTURE };
    static double warm[PICTURE * PICTURE];
    rask_block out = {.dtype = RASK_DT_F64, .ndim = 2, .shape = {PICTURE, PICTURE}, .data = warm};
    out.strides[0] = PICTURE * sizeof *warm;
    out.strides[1] = sizeof *warm;
    rask_graph *g = rask_graph_new();
    rask_array *squares =
        rask_array_reshape(rask_array_open(g, plate, NULL), PICTURE, SQUARE, PICTURE, SQUARE);
    rask_array *mean = rask_array_mean(rask_array_mean(squares, 3), 1);
    int st = rask_array_compute(&mean, 1, o, &out);
    if (st)
        fprintf(stderr, "heat: %s\n", rask_graph_error(g));
    else if (write_picture(path, warm))
        perror(path);
    printf("in the middle it is %.1f, in the corners %.1f and %.1f\n", warm[PICTURE / 2 * (PICTURE + 1)],
           warm[0], warm[PICTURE * PICTURE - 1]);
    rask_graph_free(g);
    return st;
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/rask-heat-XXXXXX", files[2][sizeof folder + 8], picture[sizeof folder + 12];
    rask_report report;
    rask_options o = RASK_OPTIONS_INIT;
    o.memory = BUDGET << 20;
    o.report = &report;
    if (!mkdtemp(folder))
        return EXIT_FAILURE;
    for (int i = 0; i < 2; i++)
        snprintf(files[i], sizeof files[i], "%s/%d.npy", folder, i);
    snprintf(picture, sizeof picture, "%s/heat.png", folder);

    int st = first_file(files[0], &o);
    for (int i = 0; i < PASSES && !st; i++)
        st = pass(files[i % 2], files[(i + 1) % 2], &o);
    if (!st)
        printf("%d steps; of the last pass: %u tasks, at most %.1f MiB held\n", PASSES * STEPS, report.tasks,
               (double)report.peak_bytes / (1 << 20));
    st = st ? st : take_picture(files[PASSES % 2], argc > 1 ? argv[1] : picture, &o);

    remove(files[0]);
    remove(files[1]);
    remove(picture);
    rmdir(folder);
    return st ? EXIT_FAILURE : EXIT_SUCCESS;
}
