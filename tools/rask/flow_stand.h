/* How a workflow stands, as a picture: what is done, and what would run. */
#ifndef FLOW_STAND_H
#define FLOW_STAND_H

#include "flow.h"
#include "options.h"

/* Draws the workflow, built anew, into o->draw: tasks of which runs has false are done. Colours are o->colour's, or states.
 * False: what is wrong is in error. */
bool flow_stand_draw(flow *f, const char *path, const bool *runs, const common_options *o,
                     char error[FLOW_ERROR]);

#endif
