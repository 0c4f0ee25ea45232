/* Colours of boxes. Data stays white in every mode, so that calls stand out. */
#include "tools/draw/picture.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

typedef struct rgb {
    uint8_t r, g, b;
} rgb;

/* Light enough for dark text, and apart from each other for most eyes. */
static const rgb palette[] = {
    {0xC6, 0xDB, 0xF5}, {0xFD, 0xDC, 0xB5}, {0xCD, 0xEB, 0xC5}, {0xF8, 0xC9, 0xCC},
    {0xDD, 0xD3, 0xF0}, {0xF6, 0xEF, 0xAE}, {0xBF, 0xE8, 0xE6}, {0xF6, 0xCF, 0xE6},
    {0xE6, 0xD5, 0xC3}, {0xD3, 0xDD, 0xB0}, {0xC9, 0xD1, 0xF7}, {0xD5, 0xDB, 0xE3},
};
enum { PALETTE = sizeof palette / sizeof *palette };

static const rgb white = {0xFF, 0xFF, 0xFF}, pale = {0xF1, 0xF3, 0xF6}, grey = {0xE8, 0xE8, 0xE8},
                 red = {0xF2, 0x7D, 0x72}, green = {0xB5, 0xE2, 0xAE}, yellow = {0xFB, 0xE3, 0x8E};

static const rgb viridis[] = {
    {0x44, 0x01, 0x54}, {0x3B, 0x52, 0x8B}, {0x21, 0x91, 0x8C}, {0x5E, 0xC9, 0x62}, {0xFD, 0xE7, 0x25}};
static const rgb heat[] = {
    {0xFF, 0xF7, 0xDC}, {0xFE, 0xD9, 0x8E}, {0xFB, 0x9A, 0x4B}, {0xE0, 0x4F, 0x39}, {0x96, 0x10, 0x2C}};
enum { STOPS = 5 };
_Static_assert(sizeof viridis == sizeof heat && sizeof heat / sizeof *heat == STOPS,
               "gradients have STOPS stops");

static uint8_t between(uint8_t a, uint8_t b, double part)
{
    return (uint8_t)(a + (b - a) * part + 0.5);
}

/* 0 <= place <= 1 */
static rgb gradient(const rgb *stops, double place)
{
    double at = place * (STOPS - 1);
    int i = at >= STOPS - 1 ? STOPS - 2 : (int)at;
    double part = at - i;
    return (rgb){between(stops[i].r, stops[i + 1].r, part), between(stops[i].g, stops[i + 1].g, part),
                 between(stops[i].b, stops[i + 1].b, part)};
}

static void write_colour(char *out, rgb colour)
{
    snprintf(out, sizeof((rk_paint *)0)->fill, "#%02x%02x%02x", colour.r, colour.g, colour.b);
}

/* The fill, a darker line of the same hue, and black or white to write with. */
static void apply(rk_paint *paint, rgb fill)
{
    static const rgb dark = {0x1C, 0x20, 0x28};
    double light = 0.299 * fill.r + 0.587 * fill.g + 0.114 * fill.b;
    rgb line = {between(fill.r, 0, 0.45), between(fill.g, 0, 0.45), between(fill.b, 0, 0.45)};
    write_colour(paint->fill, fill);
    write_colour(paint->line, line);
    write_colour(paint->ink, light < 135 ? white : dark);
}

/* The same name has the same colour in every picture, unless two names of one picture would share it. */
static uint8_t choose(const char *name, bool *taken)
{
    uint8_t first = (uint8_t)(XXH3_64bits(name, strlen(name)) % PALETTE);
    for (int k = 0; k < PALETTE; k++) {
        uint8_t colour = (uint8_t)((first + k) % PALETTE);
        if (!taken[colour]) {
            taken[colour] = true;
            return colour;
        }
    }
    return first;
}

/* Lists and their elements only hold things together: they stay pale. */
static bool is_structure(const rk_picture *picture, const rk_box *box)
{
    return rk_sketch_node(picture->sketch, box->item)->flags & (RK_NODE_LIST | RK_NODE_ITEM);
}

static int paint_names(rk_picture *picture)
{
    uint8_t *colour_of = rk_calloc((size_t)picture->names.count + 1, 1); /* + 1; 0: none yet */
    if (!colour_of)
        return RASK_ENOMEM;
    bool taken[PALETTE] = {false};
    for (uint32_t b = 0; b < picture->box_count; b++) {
        rk_box *box = &picture->boxes[b];
        if (rk_box_is_data(box))
            continue;
        if (is_structure(picture, box)) {
            apply(&box->paint, pale);
            continue;
        }
        if (!colour_of[box->name])
            colour_of[box->name] = choose(picture->names.text[box->name], taken) + 1;
        apply(&box->paint, palette[colour_of[box->name] - 1]);
    }
    rk_free(colour_of);
    return RASK_OK;
}

static uint64_t measure(const rk_picture *picture, const rk_box *box)
{
    return picture->options->colour == RASK_COLOUR_BYTES ? box->figures.bytes : box->figures.nanoseconds;
}

uint64_t rk_picture_hottest(const rk_picture *picture)
{
    uint64_t most = 0;
    for (uint32_t b = 0; b < picture->box_count; b++)
        if (measure(picture, &picture->boxes[b]) > most)
            most = measure(picture, &picture->boxes[b]);
    return most;
}

static rgb worker_colour(uint32_t worker)
{
    return worker == RK_WORKER_NONE || worker == RK_WORKER_SEVERAL ? grey : palette[worker % PALETTE];
}

static rgb status_colour(const rk_box *box)
{
    if (box->figures.failed)
        return red;
    if (!box->figures.finished)
        return grey;
    return box->figures.finished < box->count ? yellow : green;
}

static rgb colour_of(const rk_picture *picture, const rk_box *box, uint64_t hottest)
{
    const rk_figures *figures = &box->figures;
    switch (picture->options->colour) {
    case RASK_COLOUR_ORDER:
        return figures->ordered ? gradient(viridis, figures->place / figures->ordered) : grey;
    case RASK_COLOUR_WORKER: return worker_colour(figures->worker);
    case RASK_COLOUR_STATUS: return status_colour(box);
    default: break;
    }
    if (!figures->finished)
        return grey;
    return gradient(heat, hottest ? (double)measure(picture, box) / (double)hottest : 0);
}

int rk_picture_paint(rk_picture *picture)
{
    bool by_name = picture->options->colour == RASK_COLOUR_NAME;
    uint64_t hottest = rk_picture_hottest(picture);
    for (uint32_t b = 0; b < picture->box_count; b++) {
        rk_box *box = &picture->boxes[b];
        apply(&box->paint, by_name || rk_box_is_data(box) ? white : colour_of(picture, box, hottest));
    }
    return by_name ? paint_names(picture) : RASK_OK;
}
