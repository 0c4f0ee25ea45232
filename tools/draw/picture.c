#include "tools/draw/picture.h"

int rk_picture_single(rk_picture *picture)
{
    const rk_sketch *sketch = picture->sketch;
    picture->synopsis = false;
    picture->boxes = rk_alloc_array(sketch->count, sizeof *picture->boxes);
    if (!picture->boxes)
        return RASK_ENOMEM;
    picture->box_count = sketch->count;
    for (uint32_t i = 0; i < sketch->count; i++) {
        uint32_t name = rk_name_of(&picture->names, rk_sketch_node(sketch, i));
        picture->boxes[i] = (rk_box){.item = i, .count = 1, .name = name, .target = sketch->target[i]};
        picture->box_of[i] = i;
    }
    return RASK_OK;
}

static void drop_boxes(rk_picture *picture)
{
    for (uint32_t b = 0; b < picture->box_count; b++) {
        rk_free(picture->boxes[b].label);
        rk_free(picture->boxes[b].tooltip);
    }
    rk_free(picture->boxes);
    rk_free(picture->arrows);
    picture->boxes = NULL;
    picture->arrows = NULL;
    picture->box_count = picture->arrow_count = 0;
}

/* Boxes and arrows: one by one when that can be laid out, else as a synopsis. */
static int arrange(rk_picture *picture)
{
    uint32_t limit = picture->options->limit;
    uint32_t base = limit > RK_LIMIT_NODES ? limit : RK_LIMIT_NODES;
    if (picture->sketch->count <= limit) {
        int status = rk_picture_single(picture);
        if (!status)
            status = rk_picture_arrows(picture);
        if (status || picture->arrow_count <= (uint64_t)base * RK_ARROWS_PER_BOX)
            return status;
        drop_boxes(picture);
    }
    int status = rk_picture_synopsis(picture);
    return status ? status : rk_picture_arrows(picture);
}

int rk_picture_init(rk_picture *picture, const rk_sketch *sketch, const rask_draw_options *options)
{
    *picture = (rk_picture){.sketch = sketch, .options = options};
    picture->box_of = rk_alloc_array(sketch->count, sizeof *picture->box_of);
    if (!picture->box_of)
        return RASK_ENOMEM;
    int status = rk_names_init(&picture->names, sketch->graph);
    if (!status)
        status = arrange(picture);
    if (status)
        return status;
    rk_picture_figures(picture);
    status = rk_picture_paint(picture);
    return status ? status : rk_picture_label(picture);
}

void rk_picture_fini(rk_picture *picture)
{
    drop_boxes(picture);
    rk_free(picture->box_of);
    rk_free(picture->caption);
    rk_free(picture->tooltip);
    rk_names_fini(&picture->names);
    *picture = (rk_picture){0};
}
