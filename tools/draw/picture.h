/* tools/draw/picture: what Graphviz is to lay out: boxes, arrows, and what is written beside them.
 *
 * A picture is made of a sketch in these steps, each of which knows only what the ones before left:
 *   group    items to boxes: one each, or in a synopsis one box a task name and level
 *   arrows   edges to arrows between boxes, each once, with their number
 *   figures  what the recording and the plan say of each box
 *   paint    colours
 *   label    text, made safe
 * A box of a synopsis stands for count items; levels are longest paths from the sources. */
#ifndef RASK_TOOLS_DRAW_PICTURE_H
#define RASK_TOOLS_DRAW_PICTURE_H

#include "tools/draw/names.h"
#include "tools/draw/sketch.h"

enum {
    RK_GROWN_KINDS = 4,    /* names that are told of what a task grew */
    RK_LIMIT_NODES = 300,  /* drawn one by one, unless options say otherwise */
    RK_LIMIT_WIDTH = 60,   /* likewise, beside each other */
    RK_ARROWS_PER_BOX = 4, /* more, and a picture of single nodes becomes a synopsis: layout takes minutes */
    RK_SYNOPSIS_ARROWS = 100, /* at least so many of the heaviest are drawn; layout of many is slow */
    RK_SYNOPSIS_ARROWS_PER_BOX = 2,
    RK_SYNOPSIS_NAMES = 12,  /* that stay apart when not all can */
    RK_SYNOPSIS_BINNED = 64, /* boxes at most once levels share boxes: an overview that fits a screen */
};

/* What is known about a box: sums over its items. */
typedef struct rk_figures {
    uint32_t finished, failed; /* items that a recording holds as ended */
    uint32_t ordered;          /* items that have a place in the plan */
    double place;              /* sum of theirs, each from 0 to 1 */
    uint64_t nanoseconds, bytes;
    uint32_t worker;                  /* of all that ran; RK_WORKER_NONE, RK_WORKER_SEVERAL */
    uint64_t grown;                   /* tasks that they grew */
    rask_grown kinds[RK_GROWN_KINDS]; /* some of them, by name; count 0: no more */
} rk_figures;

#define RK_WORKER_NONE    UINT32_MAX
#define RK_WORKER_SEVERAL (UINT32_MAX - 1)

typedef struct rk_paint {
    char fill[8], line[8], ink[8]; /* "#rrggbb" */
} rk_paint;

typedef struct rk_box {
    uint32_t item;  /* its first */
    uint32_t count; /* items */
    uint32_t name;
    uint32_t level, last_level; /* in a synopsis */
    uint64_t uses;              /* how often results are taken by other boxes */
    bool target;                /* holds one */
    rk_figures figures;
    rk_paint paint;
    char *label, *tooltip;
} rk_box;

typedef struct rk_arrow {
    uint32_t from, to;
    uint64_t count;
    bool order_only;
    bool needed; /* its box would stand alone without it */
} rk_arrow;

typedef struct rk_picture {
    const rk_sketch *sketch;
    const rask_draw_options *options;
    rk_names names;
    bool synopsis;
    rk_box *boxes;
    uint32_t box_count;
    uint32_t *box_of; /* per item */
    rk_arrow *arrows;
    uint32_t arrow_count, arrows_left_out;
    uint32_t level_bin;    /* in a synopsis: levels put into one box */
    uint32_t lumped_names; /* in a synopsis: rare names that share a box a level */
    char *caption, *tooltip;
} rk_picture;

/* RASK_OK, RASK_ENOMEM, RASK_ELIMIT. The sketch and the options stay borrowed. On failure the picture still
 * wants fini. */
int rk_picture_init(rk_picture *picture, const rk_sketch *sketch, const rask_draw_options *options);
void rk_picture_fini(rk_picture *picture);

/* The steps, in this order. What fails leaves the picture to fini. */
int rk_picture_single(rk_picture *picture);
int rk_picture_synopsis(rk_picture *picture);
int rk_picture_arrows(rk_picture *picture);
void rk_picture_figures(rk_picture *picture);
int rk_picture_paint(rk_picture *picture);
int rk_picture_label(rk_picture *picture);

/* The largest duration or size of a box, whichever the colours show. */
uint64_t rk_picture_hottest(const rk_picture *picture);

/* True for constants and inputs. */
static inline bool rk_box_is_data(const rk_box *box)
{
    return box->name < RK_NAME_FIRST_TASK;
}

/* True for colours that show what a recording holds. */
static inline bool rk_colour_is_recorded(rask_colour colour)
{
    return colour >= RASK_COLOUR_DURATION;
}

/* As DOT text, through libcgraph, whose calls must not overlap in a process: the caller serialises. Free *dot
 * with rk_free(). */
int rk_picture_dot(const rk_picture *picture, char **dot, size_t *len);

#endif
